//! The entry of every kernel function and callback.
//!
//! Driver code does not reach a model function directly but through a few instructions that are
//! made for it at run time. They note the caller's return address, count the call and check the
//! level, so that no function can forget to.

use std::io;
use std::mem::offset_of;

use parking_lot::Mutex;

use super::session;
use crate::trap::boundary;
use crate::trap::mapping::{Access, Reservation};
use crate::verifier::irql::{self, IrqlRange};
use crate::verifier::thread;
use crate::verifier::violation::ViolationKind;

/// Most thunks that a process can have.
pub const MAX_THUNKS: usize = 1024;
/// Bytes of one thunk.
const THUNK_BYTES: usize = 32;

/// What else to do at the entry of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A kernel function.
    Kernel,
    /// A kernel function that counts as a use of the pool.
    Pool,
    /// A callback into dxgkrnl, across which no lock may be held.
    Callback,
}

/// A function that driver code can call.
#[derive(Debug, Clone, Copy)]
pub struct Export {
    /// Its name.
    pub name: &'static str,
    /// The documented levels.
    pub irql: IrqlRange,
    /// What else to do at its entry.
    pub role: Role,
    /// The model's function, of the `win64` convention.
    pub target: *const (),
}

/// What the thunk passes to [`on_entry`].
#[repr(C)]
struct Descriptor {
    target: usize,
    name: &'static str,
    irql: IrqlRange,
    role: Role,
    index: usize,
}

static DESCRIPTORS: Mutex<Vec<&'static Descriptor>> = Mutex::new(Vec::new());

/// Names of all thunks, by index.
pub(crate) fn names() -> Vec<&'static str> {
    DESCRIPTORS
        .lock()
        .iter()
        .map(|descriptor| descriptor.name)
        .collect()
}

/// Makes a thunk for each of `exports` and returns their addresses, in order.
///
/// The thunks live as long as the process: make them once and keep the addresses.
///
/// # Errors
/// When there are more than [`MAX_THUNKS`] in the process, or no memory.
///
/// # Safety
/// Each target must be an `extern "win64"` function that accepts what driver code passes to a
/// function of that name.
pub unsafe fn make(exports: &[Export]) -> io::Result<Vec<usize>> {
    let mut descriptors = DESCRIPTORS.lock();
    if exports.len() > MAX_THUNKS - descriptors.len() {
        return Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            "too many import thunks",
        ));
    }
    let mut page = Reservation::new(exports.len() * THUNK_BYTES)?;
    let len = page.len();
    page.protect(0, len, Access::ReadWrite)?;
    let mut addresses = Vec::with_capacity(exports.len());
    for (slot, export) in exports.iter().enumerate() {
        let descriptor: &'static Descriptor = Box::leak(Box::new(Descriptor {
            target: export.target as usize,
            name: export.name,
            irql: export.irql,
            role: export.role,
            index: descriptors.len(),
        }));
        descriptors.push(descriptor);
        page.write(slot * THUNK_BYTES, &encode(descriptor))?;
        addresses.push(page.base() + slot * THUNK_BYTES);
    }
    page.protect(0, len, Access::ReadExecute)?;
    std::mem::forget(page);
    Ok(addresses)
}

/// `mov r11, descriptor; mov rax, common; jmp rax`
fn encode(descriptor: &'static Descriptor) -> [u8; THUNK_BYTES] {
    let mut code = [0xCC; THUNK_BYTES];
    code[..2].copy_from_slice(&[0x49, 0xBB]);
    code[2..10].copy_from_slice(&(&raw const *descriptor as u64).to_le_bytes());
    code[10..12].copy_from_slice(&[0x48, 0xB8]);
    code[12..20].copy_from_slice(&(common as *const () as u64).to_le_bytes());
    code[20..22].copy_from_slice(&[0xFF, 0xE0]);
    code
}

/// Calls [`on_entry`] with the arguments of the real function kept aside, then jumps to it.
///
/// # Safety
/// Only to be jumped to from a thunk, with `r11` the thunk's descriptor.
#[unsafe(naked)]
unsafe extern "win64" fn common() {
    core::arch::naked_asm!(
        "push rcx",
        "push rdx",
        "push r8",
        "push r9",
        "push r11",
        "sub rsp, 96",
        "movups [rsp + 32], xmm0",
        "movups [rsp + 48], xmm1",
        "movups [rsp + 64], xmm2",
        "movups [rsp + 80], xmm3",
        "mov rcx, r11",
        "mov rdx, [rsp + 136]",
        "call {on_entry}",
        "movups xmm0, [rsp + 32]",
        "movups xmm1, [rsp + 48]",
        "movups xmm2, [rsp + 64]",
        "movups xmm3, [rsp + 80]",
        "add rsp, 96",
        "pop r11",
        "pop r9",
        "pop r8",
        "pop rdx",
        "pop rcx",
        "jmp [r11 + {target}]",
        on_entry = sym on_entry,
        target = const offset_of!(Descriptor, target),
    )
}

extern "win64" fn on_entry(descriptor: &'static Descriptor, return_address: usize) {
    let Descriptor {
        name,
        irql: permitted,
        role,
        index,
        ..
    } = *descriptor;
    thread::set_caller(return_address);
    thread::count_kernel_call();
    if role == Role::Pool {
        thread::count_pool_call();
    }
    session::with_current(|nt| {
        if nt.verifier.is_dead() {
            boundary::abandon();
        }
        nt.count_import(index);
        let irql = irql::current();
        if irql < permitted.min || irql > permitted.max {
            nt.verifier.report(ViolationKind::Irql {
                import: name,
                irql,
                permitted,
            });
        }
        if role == Role::Callback {
            nt.verifier.check_no_locks_held(name);
        }
    });
}
