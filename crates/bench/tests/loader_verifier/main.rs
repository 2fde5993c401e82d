//! Every check of the verifier, seen to fire. Driver code here is either Rust that calls the
//! imports as a driver would, or an assembled image where the finding must name a place in it.

mod faults;
mod levels;
mod locks;
mod pool;
mod waits;

use std::sync::Arc;

use carillon_bench::loader::Image;
use carillon_bench::loader::craft::Craft;
use carillon_bench::nt::Nt;
use carillon_bench::nt::registry_of_imports::resolve;
use carillon_bench::trap::boundary::Abandoned;
use carillon_bench::verifier::irql::Irql;
use carillon_bench::verifier::violation::ViolationKind;
use iced_x86::code_asm::*;

pub(crate) const TAG: u32 = u32::from_le_bytes(*b"Test");
pub(crate) const NON_PAGED: u64 = 0x40;

/// An import as driver code calls it.
macro_rules! import {
    ($name:ident($($arg:ty),*) $(-> $ret:ty)?) => {{
        type Function = extern "win64" fn($($arg),*) $(-> $ret)?;
        let address = resolve("ntoskrnl.exe", stringify!($name)).expect(stringify!($name));
        // SAFETY: the thunk leads to a function of this signature.
        let function = unsafe { std::mem::transmute::<usize, Function>(address) };
        function
    }};
}
pub(crate) use import;

/// Not inlined, so that all its callers are one place to the leak report.
#[inline(never)]
pub(crate) fn allocate(size: u64) -> *mut u8 {
    import!(ExAllocatePool2(u64, u64, u32) -> *mut u8)(NON_PAGED, size, TAG)
}

pub(crate) fn free(block: *mut u8) {
    import!(ExFreePoolWithTag(*mut u8, u32))(block, TAG);
}

pub(crate) fn poke(address: *mut u8) {
    // SAFETY: not sound at all: the tests want the fault, which ends the call.
    unsafe { address.write_volatile(1) };
}

pub(crate) fn peek(address: *const u8) -> u8 {
    // SAFETY: as for `poke`.
    unsafe { address.read_volatile() }
}

pub(crate) fn session() -> Arc<Nt> {
    Nt::new().unwrap()
}

/// Runs `body` as a DDI at `irql` and returns what was found.
pub(crate) fn run(
    nt: &Arc<Nt>,
    irql: Irql,
    body: impl FnOnce(),
) -> (Result<(), Abandoned>, Vec<ViolationKind>) {
    let result = nt.ddi_call("DxgkDdiTest", irql, body);
    let found = nt.verifier.take_violations();
    (
        result,
        found.into_iter().map(|violation| violation.kind).collect(),
    )
}

/// The single finding of a call that was not abandoned.
pub(crate) fn finding(irql: Irql, body: impl FnOnce()) -> ViolationKind {
    let (result, mut found) = run(&session(), irql, body);
    assert_eq!(result, Ok(()));
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

/// The finding that ended a call.
pub(crate) fn fatal(irql: Irql, body: impl FnOnce()) -> ViolationKind {
    let nt = session();
    let (result, mut found) = run(&nt, irql, body);
    assert_eq!(result, Err(Abandoned));
    assert!(nt.verifier.is_dead());
    found.pop().expect("a finding")
}

/// Loads assembled driver code; the imports are called by absolute address.
pub(crate) fn driver(body: impl Fn(&mut CodeAssembler)) -> Image {
    let mut code = CodeAssembler::new(64).unwrap();
    code.sub(rsp, 56).unwrap();
    body(&mut code);
    code.add(rsp, 56).unwrap();
    code.ret().unwrap();
    let text = code.assemble(0x1000).unwrap();
    Image::from_bytes("bad.sys", &Craft::new(&text).build()).unwrap()
}

pub(crate) fn call_import(code: &mut CodeAssembler, name: &str) {
    code.mov(rax, resolve("ntoskrnl.exe", name).unwrap() as u64)
        .unwrap();
    code.call(rax).unwrap();
}

pub(crate) fn enter(nt: &Arc<Nt>, image: &Image, irql: Irql) -> Result<u64, Abandoned> {
    // SAFETY: the entry point is assembled code that takes no arguments it could misuse.
    let entry: extern "win64" fn() -> u64 = unsafe { std::mem::transmute(image.entry()) };
    nt.ddi_call("DriverEntry", irql, || entry())
}

pub(crate) fn acquire(lock: *mut u64) -> u8 {
    import!(KeAcquireSpinLockRaiseToDpc(*mut u64) -> u8)(lock)
}

pub(crate) fn release(lock: *mut u64, irql: u8) {
    import!(KeReleaseSpinLock(*mut u64, u8))(lock, irql);
}
