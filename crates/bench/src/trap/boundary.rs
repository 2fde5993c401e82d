//! The boundary of a driver call, and how a call that cannot go on is ended.
//!
//! Every call into driver code runs between [`run`] and its return. When the driver does something
//! from which Windows would not come back (a wild access, a bug check, a wait that cannot end), the
//! call is abandoned: the thread continues behind the innermost [`run`], as `longjmp` would. The
//! frames in between belong to the driver and to the model functions it called; their locals are
//! leaked and locks they hold stay taken, which is why the session is dead afterwards.

use std::any::Any;
use std::cell::Cell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    /// Stack pointer to which the innermost boundary of this thread returns; 0 outside of one.
    static LANDING_STACK: Cell<usize> = const { Cell::new(0) };
}

/// The driver call was abandoned; the violation that ended it is with the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the driver call was abandoned; the verifier has the reason")]
pub struct Abandoned;

/// Where a signal handler has to send the thread to abandon the running call.
#[derive(Debug, Clone, Copy)]
pub struct Landing {
    /// Instruction pointer to continue at.
    pub rip: usize,
    /// Stack pointer to continue with.
    pub rsp: usize,
}

/// The landing of the innermost boundary of this thread, if driver code is being run.
pub fn landing() -> Option<Landing> {
    match LANDING_STACK.get() {
        0 => None,
        rsp => Some(Landing {
            rip: land as *const () as usize,
            rsp,
        }),
    }
}

/// Saves the callee-saved registers, notes the stack pointer in `*saved` and calls `body(data)`.
///
/// Returns 0 when `body` returned, 1 when the call was abandoned through [`land`].
///
/// # Safety
/// `saved` must be writable, `body` must not unwind and must accept `data`.
#[unsafe(naked)]
unsafe extern "sysv64" fn enter(
    saved: *mut usize,
    body: unsafe extern "sysv64" fn(*mut c_void),
    data: *mut c_void,
) -> u64 {
    core::arch::naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "mov [rdi], rsp",
        "mov rdi, rdx",
        "call rsi",
        "xor eax, eax",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Continuation of an abandoned call: the stack pointer is the one that [`enter`] saved.
///
/// # Safety
/// Only to be jumped to, with the stack pointer of a live [`enter`] frame.
#[unsafe(naked)]
unsafe extern "sysv64" fn land() {
    core::arch::naked_asm!(
        "cld",
        "mov eax, 1",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// What passes through [`enter`] as one pointer.
struct Call<F, R> {
    body: ManuallyDrop<F>,
    outcome: Option<Result<R, Box<dyn Any + Send>>>,
}

/// Runs the closure of a [`Call`]; a panic is carried around the assembly frame, not through it.
///
/// # Safety
/// `data` is the `Call<F, R>` of a running [`run`], used once.
unsafe extern "sysv64" fn trampoline<F: FnOnce() -> R, R>(data: *mut c_void) {
    // SAFETY: `run` passes its own live `Call<F, R>` and does not touch it until `enter` returns.
    let call = unsafe { &mut *data.cast::<Call<F, R>>() };
    // SAFETY: this is the only take, as `enter` calls the body exactly once.
    let body = unsafe { ManuallyDrop::take(&mut call.body) };
    call.outcome = Some(catch_unwind(AssertUnwindSafe(body)));
}

/// Runs `body` inside a boundary.
///
/// # Errors
/// [`Abandoned`] when the call was ended by [`abandon`] or by the fault handler. What `body` owned
/// is leaked then.
pub fn run<R>(body: impl FnOnce() -> R) -> Result<R, Abandoned> {
    run_typed(body)
}

fn run_typed<F: FnOnce() -> R, R>(body: F) -> Result<R, Abandoned> {
    let mut call = Call {
        body: ManuallyDrop::new(body),
        outcome: None,
    };
    let outer = LANDING_STACK.get();
    let data: *mut Call<F, R> = &raw mut call;
    let abandoned = LANDING_STACK.with(|slot| {
        // SAFETY: the slot is this thread's own cell, `trampoline` catches every panic and takes
        // exactly the `Call<F, R>` that is passed.
        unsafe { enter(slot.as_ptr(), trampoline::<F, R>, data.cast()) }
    });
    LANDING_STACK.set(outer);
    match (abandoned, call.outcome.take()) {
        (0, Some(Ok(value))) => Ok(value),
        (0, Some(Err(panic))) => resume_unwind(panic),
        _ => Err(Abandoned),
    }
}

/// Ends the running driver call: the innermost [`run`] returns [`Abandoned`].
///
/// Outside of a boundary there is nothing to return to and the process aborts.
pub fn abandon() -> ! {
    let Some(landing) = landing() else {
        eprintln!("a driver call had to be abandoned outside of any call boundary");
        std::process::abort();
    };
    // SAFETY: the landing is that of the live innermost `enter` frame of this thread; the frames
    // that are skipped are leaked, which the module's contract allows.
    unsafe {
        core::arch::asm!("mov rsp, {rsp}", "jmp {rip}", rsp = in(reg) landing.rsp,
            rip = in(reg) landing.rip, options(noreturn));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_returns_its_value() {
        assert_eq!(run(|| 7), Ok(7));
    }

    #[test]
    fn an_abandoned_call_ends_at_the_innermost_boundary() {
        let outer = run(|| {
            let inner: Result<(), Abandoned> = run(|| abandon());
            (inner, 5)
        });
        assert_eq!(outer, Ok((Err(Abandoned), 5)));
        assert!(landing().is_none());
    }

    #[test]
    fn a_panic_travels_around_the_boundary() {
        let caught = catch_unwind(|| run(|| panic!("carried")));
        assert!(caught.is_err());
    }
}
