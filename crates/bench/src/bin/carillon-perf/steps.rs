//! Exact instruction counts: the processor's trap flag, one trap after each instruction.
//!
//! The trap is taken by a handler that only counts, so the count depends neither on the machine's
//! load nor on its speed. Instructions of the driver's image are told from all others by their
//! address. An access to a device register is carried out by the bench instead of the processor
//! and is not counted: one instruction for each.

use std::arch::asm;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use carillon_bench::loader::Image;

/// `si_code` of a trap after a single instruction.
const TRAP_TRACE: c_int = 2;

static FORMER: OnceLock<libc::sigaction> = OnceLock::new();
static COUNTING: AtomicBool = AtomicBool::new(false);
static DRIVER: (AtomicUsize, AtomicUsize) = (AtomicUsize::new(0), AtomicUsize::new(0));
static IN_DRIVER: AtomicU64 = AtomicU64::new(0);
static ELSEWHERE: AtomicU64 = AtomicU64::new(0);

/// Instructions of one stretch of code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Of the driver's image.
    pub(crate) driver: u64,
    /// Of everything else on the thread.
    pub(crate) elsewhere: u64,
}

impl Count {
    /// All of them.
    pub(crate) const fn total(self) -> u64 {
        self.driver + self.elsewhere
    }
}

/// Takes the trap from the bench's own handler, which gets back every other trap. Call it once a
/// session exists.
pub(crate) fn install() -> io::Result<()> {
    if FORMER.get().is_some() {
        return Ok(());
    }
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a query into writable memory of the right type.
    if unsafe { libc::sigaction(libc::SIGTRAP, ptr::null(), action.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: filled by the call that succeeded.
    let mut action = unsafe { action.assume_init() };
    let _ = FORMER.set(action);
    action.sa_sigaction = on_trap as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: the handler has the signature that SA_SIGINFO asks for and lives for ever.
    if unsafe { libc::sigaction(libc::SIGTRAP, &raw const action, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Counts instructions of `image` as the driver's from now on.
pub(crate) fn tell_apart(image: &Image) {
    let base = image.base();
    let size = usize::try_from(image.info().image_size).unwrap_or(usize::MAX);
    DRIVER.0.store(base, Ordering::SeqCst);
    DRIVER.1.store(base.saturating_add(size), Ordering::SeqCst);
}

extern "C" fn on_trap(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes the signal's information.
    let code = unsafe { (*info).si_code };
    if code == TRAP_TRACE && COUNTING.load(Ordering::Relaxed) {
        // SAFETY: with SA_SIGINFO the kernel passes the interrupted context.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        let at = usize::try_from(registers[libc::REG_RIP as usize].cast_unsigned()).unwrap_or(0);
        let driver = DRIVER.0.load(Ordering::Relaxed)..DRIVER.1.load(Ordering::Relaxed);
        let counter = if driver.contains(&at) {
            &IN_DRIVER
        } else {
            &ELSEWHERE
        };
        counter.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let Some(former) = FORMER.get() else { return };
    if former.sa_sigaction > libc::SIG_IGN {
        // SAFETY: a handler that was installed for this signal takes these arguments.
        let former: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
            unsafe { std::mem::transmute(former.sa_sigaction) };
        former(signal, info, context);
    }
}

fn trap_flag_on() {
    // SAFETY: sets the trap flag of this thread only, for which a handler is installed; the stack
    // is as before afterwards.
    unsafe { asm!("pushfq", "or qword ptr [rsp], 0x100", "popfq") };
}

fn trap_flag_off() {
    // SAFETY: clears the trap flag; the stack is as before afterwards.
    unsafe { asm!("pushfq", "and qword ptr [rsp], -257", "popfq") };
}

fn raw<R>(act: impl FnOnce() -> R) -> (Count, R) {
    IN_DRIVER.store(0, Ordering::SeqCst);
    ELSEWHERE.store(0, Ordering::SeqCst);
    COUNTING.store(true, Ordering::SeqCst);
    trap_flag_on();
    let result = act();
    trap_flag_off();
    COUNTING.store(false, Ordering::SeqCst);
    let count = Count {
        driver: IN_DRIVER.load(Ordering::SeqCst),
        elsewhere: ELSEWHERE.load(Ordering::SeqCst),
    };
    (count, result)
}

/// Counts the instructions of `act` on this thread, without those of the counting itself.
/// [`install`] must have succeeded. One stretch at a time in the process.
pub(crate) fn count<R>(act: impl FnOnce() -> R) -> (Count, R) {
    let (idle, ()) = raw(|| ());
    let (count, result) = raw(act);
    let elsewhere = count.elsewhere.saturating_sub(idle.elsewhere);
    (Count { elsewhere, ..count }, result)
}

/// The median by the total.
pub(crate) fn median(mut counts: Vec<Count>) -> Count {
    counts.sort_unstable_by_key(|count| count.total());
    counts.get(counts.len() / 2).copied().unwrap_or_default()
}
