//! Every check of the verifier, seen to fire. Driver code here is either Rust that calls the
//! imports as a driver would, or an assembled image where the finding must name a place in it.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use carillon_bench::loader::Image;
use carillon_bench::loader::craft::Craft;
use carillon_bench::nt::Nt;
use carillon_bench::nt::registry_of_imports::resolve;
use carillon_bench::nt::thunk::{self, Export, Role};
use carillon_bench::trap::boundary::Abandoned;
use carillon_bench::verifier::irql::{Irql, IrqlRange};
use carillon_bench::verifier::violation::{
    AccessKind, FaultTarget, LockMisuse, PoolMisuse, ViolationKind,
};
use iced_x86::code_asm::*;

const TAG: u32 = u32::from_le_bytes(*b"Test");
const NON_PAGED: u64 = 0x40;

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

fn allocate(size: u64) -> *mut u8 {
    import!(ExAllocatePool2(u64, u64, u32) -> *mut u8)(NON_PAGED, size, TAG)
}

fn free(block: *mut u8) {
    import!(ExFreePoolWithTag(*mut u8, u32))(block, TAG);
}

fn poke(address: *mut u8) {
    // SAFETY: not sound at all: the tests want the fault, which ends the call.
    unsafe { address.write_volatile(1) };
}

fn peek(address: *const u8) -> u8 {
    // SAFETY: as for `poke`.
    unsafe { address.read_volatile() }
}

fn session() -> Arc<Nt> {
    Nt::new().unwrap()
}

/// Runs `body` as a DDI at `irql` and returns what was found.
fn run(
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
fn finding(irql: Irql, body: impl FnOnce()) -> ViolationKind {
    let (result, mut found) = run(&session(), irql, body);
    assert_eq!(result, Ok(()));
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

/// The finding that ended a call.
fn fatal(irql: Irql, body: impl FnOnce()) -> ViolationKind {
    let nt = session();
    let (result, mut found) = run(&nt, irql, body);
    assert_eq!(result, Err(Abandoned));
    assert!(nt.verifier.is_dead());
    found.pop().expect("a finding")
}

/// Loads assembled driver code; the imports are called by absolute address.
fn driver(body: impl Fn(&mut CodeAssembler)) -> Image {
    let mut code = CodeAssembler::new(64).unwrap();
    code.sub(rsp, 56).unwrap();
    body(&mut code);
    code.add(rsp, 56).unwrap();
    code.ret().unwrap();
    let text = code.assemble(0x1000).unwrap();
    Image::from_bytes("bad.sys", &Craft::new(&text).build()).unwrap()
}

fn call_import(code: &mut CodeAssembler, name: &str) {
    code.mov(rax, resolve("ntoskrnl.exe", name).unwrap() as u64)
        .unwrap();
    code.call(rax).unwrap();
}

fn enter(nt: &Arc<Nt>, image: &Image, irql: Irql) -> Result<u64, Abandoned> {
    // SAFETY: the entry point is assembled code that takes no arguments it could misuse.
    let entry: extern "win64" fn() -> u64 = unsafe { std::mem::transmute(image.entry()) };
    nt.ddi_call("DriverEntry", irql, || entry())
}

#[test]
fn a_clean_call_finds_nothing() {
    let nt = session();
    let (result, found) = run(&nt, Irql::PASSIVE, || free(allocate(100)));
    assert_eq!((result, found), (Ok(()), vec![]));
    nt.check_unloaded();
    assert_eq!(nt.verifier.violations(), []);
}

#[test]
fn an_import_above_its_level_is_named_with_its_caller() {
    let image = driver(|code| {
        code.mov(rcx, 0u64).unwrap();
        call_import(code, "ZwClose");
    });
    let nt = session();
    assert!(enter(&nt, &image, Irql::DISPATCH).is_ok());
    let text = nt.verifier.violations()[0].to_string();
    for part in [
        "ZwClose called at DISPATCH_LEVEL",
        "bad.sys+0x1",
        "DriverEntry",
        "thread",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn an_import_below_its_level() {
    let lock = &mut 0u64;
    let kind = finding(Irql::PASSIVE, || {
        import!(KeTryToAcquireSpinLockAtDpcLevel(*mut u64) -> u8)(lock);
        import!(KfRaiseIrql(u8) -> u8)(2);
        import!(KeReleaseSpinLockFromDpcLevel(*mut u64))(lock);
        import!(KeLowerIrql(u8))(0);
    });
    let ViolationKind::Irql { import, irql, .. } = kind else {
        panic!("{kind}")
    };
    assert_eq!(
        (import, irql),
        ("KeTryToAcquireSpinLockAtDpcLevel", Irql::PASSIVE)
    );
}

#[test]
fn paged_pool_at_dispatch() {
    let kind = finding(Irql::DISPATCH, || {
        free(import!(ExAllocatePool2(u64, u64, u32) -> *mut u8)(
            0x100, 8, TAG,
        ));
    });
    assert!(
        matches!(
            kind,
            ViolationKind::Irql {
                irql: Irql::DISPATCH,
                ..
            }
        ),
        "{kind}"
    );
}

#[test]
fn a_level_that_is_not_restored() {
    let kind = finding(Irql::PASSIVE, || {
        import!(KfRaiseIrql(u8) -> u8)(2);
    });
    let expected = ViolationKind::IrqlChanged {
        ddi: "DxgkDdiTest",
        before: Irql::PASSIVE,
        after: Irql::DISPATCH,
    };
    assert_eq!(kind, expected);
}

#[test]
fn raising_downwards_and_lowering_upwards() {
    let kind = finding(Irql::DISPATCH, || {
        import!(KfRaiseIrql(u8) -> u8)(0);
    });
    assert!(kind.to_string().contains("KfRaiseIrql"), "{kind}");
    let kind = finding(Irql::PASSIVE, || import!(KeLowerIrql(u8))(2));
    assert!(kind.to_string().contains("KeLowerIrql"), "{kind}");
    let kind = finding(Irql::PASSIVE, || {
        import!(KfRaiseIrql(u8) -> u8)(16);
    });
    assert!(kind.to_string().contains("level 16"), "{kind}");
}

#[test]
fn use_after_free_is_found_with_both_places() {
    let image = driver(|code| {
        code.mov(ecx, 0x40).unwrap();
        code.mov(edx, 64).unwrap();
        code.mov(r8d, TAG).unwrap();
        call_import(code, "ExAllocatePool2");
        code.mov(qword_ptr(rsp + 40), rax).unwrap();
        code.mov(rcx, rax).unwrap();
        code.mov(edx, TAG).unwrap();
        call_import(code, "ExFreePoolWithTag");
        code.mov(rcx, qword_ptr(rsp + 40)).unwrap();
        code.mov(eax, dword_ptr(rcx + 8)).unwrap();
    });
    let nt = session();
    assert_eq!(enter(&nt, &image, Irql::PASSIVE), Err(Abandoned));
    let found = nt.verifier.violations();
    let ViolationKind::Fault { access, target, .. } = &found[0].kind else {
        panic!("{found:?}")
    };
    let FaultTarget::Freed { block, offset: 8 } = target else {
        panic!("{target}")
    };
    assert_eq!((*access, block.size), (AccessKind::Read, 64));
    let text = found[0].to_string();
    for part in [
        "allocated by bad.sys+",
        "freed by bad.sys+",
        "at bad.sys+",
        "'Test'",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn accesses_around_a_block_hit_its_guards() {
    for (size, offset) in [(64, 64), (4096, 4096), (4096, -1), (4096, 8191)] {
        let kind = fatal(Irql::PASSIVE, || {
            poke(allocate(size).wrapping_offset(offset));
        });
        let ViolationKind::Fault {
            access: AccessKind::Write,
            target,
            ..
        } = kind
        else {
            panic!("{kind}")
        };
        let FaultTarget::Guard { offset: found, .. } = target else {
            panic!("{target}")
        };
        assert_eq!(found, offset as i64);
    }
}

#[test]
fn a_small_overrun_is_found_at_free() {
    let kind = finding(Irql::PASSIVE, || {
        let block = allocate(20);
        poke(block.wrapping_add(20));
        free(block);
    });
    let found = matches!(
        kind,
        ViolationKind::Pool(PoolMisuse::Overrun { offset: 20, .. })
    );
    assert!(found, "{kind}");
}

#[test]
fn a_null_pointer() {
    let kind = fatal(Irql::PASSIVE, || {
        peek(std::hint::black_box(16 as *const u8));
    });
    let found = matches!(
        kind,
        ViolationKind::Fault {
            target: FaultTarget::Null,
            ..
        }
    );
    assert!(found, "{kind}");
}

#[test]
fn a_null_pointer_given_to_an_import() {
    let kind = fatal(Irql::PASSIVE, || {
        import!(KeInitializeSpinLock(*mut u64))(std::ptr::null_mut());
    });
    let found = matches!(
        kind,
        ViolationKind::Fault {
            target: FaultTarget::Null,
            ..
        }
    );
    assert!(found, "{kind}");
}

#[test]
fn a_freed_block_given_to_an_import() {
    let kind = fatal(Irql::PASSIVE, || {
        let block = allocate(64);
        free(block);
        import!(memset(*mut u8, i32, usize) -> *mut u8)(block, 0, 64);
    });
    let found = matches!(
        kind,
        ViolationKind::Fault {
            target: FaultTarget::Freed { .. },
            ..
        }
    );
    assert!(found, "{kind}");
}

#[test]
fn privileged_instructions_and_failed_assertions_end_the_call() {
    for instruction in [
        &[0xFAu8][..],
        &[0x0F, 0x0B],
        &[0xCD, 0x29],
        &[0x44, 0x0F, 0x20, 0xC0],
    ] {
        let mut text = instruction.to_vec();
        text.push(0xC3);
        let image = Image::from_bytes("bad.sys", &Craft::new(&text).build()).unwrap();
        let nt = session();
        assert_eq!(enter(&nt, &image, Irql::PASSIVE), Err(Abandoned));
        let text = nt.verifier.violations()[0].to_string();
        assert!(
            text.contains("instruction") && text.contains("bad.sys+0x1000"),
            "{text}"
        );
    }
}

#[test]
fn code_cannot_be_written_and_data_cannot_be_executed() {
    let image = driver(|_| {});
    let base = image.base();
    let kind = fatal(Irql::PASSIVE, || poke((base + 0x1000) as *mut u8));
    let found = matches!(
        kind,
        ViolationKind::Fault {
            access: AccessKind::Write,
            target: FaultTarget::Image(_),
            ..
        }
    );
    assert!(found, "{kind}");
    let kind = fatal(Irql::PASSIVE, || {
        // SAFETY: the address is data: the fetch faults and ends the call.
        let data: extern "win64" fn() = unsafe { std::mem::transmute(base + 0x8000) };
        data();
    });
    let found = matches!(
        kind,
        ViolationKind::Fault {
            access: AccessKind::Execute,
            ..
        }
    );
    assert!(found, "{kind}");
}

#[test]
fn double_free_and_wrong_tags() {
    let kind = finding(Irql::PASSIVE, || {
        let block = allocate(8);
        free(block);
        free(block);
    });
    assert!(
        matches!(kind, ViolationKind::Pool(PoolMisuse::DoubleFree(_))),
        "{kind}"
    );
    let kind = finding(Irql::PASSIVE, || {
        import!(ExFreePoolWithTag(*mut u8, u32))(allocate(8), TAG + 1);
    });
    assert!(
        matches!(kind, ViolationKind::Pool(PoolMisuse::WrongTag { .. })),
        "{kind}"
    );
    let kind = finding(Irql::PASSIVE, || free(0x1234_5000 as *mut u8));
    assert!(
        matches!(kind, ViolationKind::Pool(PoolMisuse::NotABlock { .. })),
        "{kind}"
    );
}

#[test]
fn bad_allocations() {
    let pool = || import!(ExAllocatePool2(u64, u64, u32) -> *mut u8);
    let kind = finding(Irql::PASSIVE, || free_any(pool()(NON_PAGED, 8, 0)));
    assert!(
        matches!(kind, ViolationKind::Pool(PoolMisuse::TagZero { size: 8 })),
        "{kind}"
    );
    let kind = finding(Irql::PASSIVE, || {
        assert!(pool()(NON_PAGED, 0, TAG).is_null());
    });
    assert!(
        matches!(kind, ViolationKind::Pool(PoolMisuse::SizeZero { .. })),
        "{kind}"
    );
    for flags in [0, 0x80, 0x140, 0x60] {
        let kind = finding(Irql::PASSIVE, || free_any(pool()(flags, 8, TAG)));
        assert!(
            matches!(kind, ViolationKind::Pool(PoolMisuse::Flags { .. })),
            "{kind}"
        );
    }
    let (result, found) = run(&session(), Irql::PASSIVE, || {
        assert!(pool()(NON_PAGED, u64::MAX, TAG).is_null());
    });
    assert_eq!((result, found), (Ok(()), vec![]));
}

fn free_any(block: *mut u8) {
    import!(ExFreePool(*mut u8))(block);
}

#[test]
fn blocks_are_zeroed_unless_asked_otherwise() {
    let nt = session();
    let (result, _) = run(&nt, Irql::PASSIVE, || {
        let block = allocate(100);
        assert!((0..100).all(|i| peek(block.wrapping_add(i)) == 0));
        free(block);
        let block = import!(ExAllocatePool2(u64, u64, u32) -> *mut u8)(NON_PAGED | 2, 100, TAG);
        assert!((0..100).all(|i| peek(block.wrapping_add(i)) != 0));
        free(block);
    });
    assert_eq!(result, Ok(()));
}

#[test]
fn leaks_are_summed_by_tag_and_caller() {
    let nt = session();
    let (_, found) = run(&nt, Irql::PASSIVE, || {
        for _ in 0..3 {
            allocate(10);
        }
    });
    assert_eq!(found, []);
    nt.check_unloaded();
    let found = nt.verifier.violations();
    let leaked = |kind: &ViolationKind| match kind {
        ViolationKind::Pool(PoolMisuse::Leaked { blocks, bytes, .. }) => (*blocks, *bytes),
        other => panic!("{other}"),
    };
    assert_eq!(
        found.iter().map(|v| leaked(&v.kind)).collect::<Vec<_>>(),
        [(3, 30)]
    );
    assert_eq!(nt.verifier.live_pool_blocks(), 3);
}

#[test]
fn the_chosen_allocation_fails_and_only_that() {
    let nt = session();
    for nth in 1..=3 {
        nt.verifier.fail_allocation(nth);
        let mut got = Vec::new();
        let (result, found) = run(&nt, Irql::PASSIVE, || {
            got = (0..3).map(|_| allocate(8)).collect();
            got.iter()
                .filter(|block| !block.is_null())
                .for_each(|block| free(*block));
        });
        assert_eq!((result, found), (Ok(()), vec![]));
        let failed: Vec<_> = got.iter().map(|block| block.is_null()).collect();
        let expected: Vec<_> = (1..=3).map(|n| n == nth).collect();
        assert_eq!(failed, expected);
    }
    assert_eq!(
        (nt.verifier.allocations(), nt.verifier.pool_totals().refused),
        (9, 3)
    );
    assert_eq!(nt.verifier.ddi_stats()["DxgkDdiTest"].pool_calls, 15);
}

fn acquire(lock: *mut u64) -> u8 {
    import!(KeAcquireSpinLockRaiseToDpc(*mut u64) -> u8)(lock)
}

fn release(lock: *mut u64, irql: u8) {
    import!(KeReleaseSpinLock(*mut u64, u8))(lock, irql);
}

#[test]
fn a_lock_held_at_return() {
    let lock = &mut 0u64;
    let nt = session();
    let (result, found) = run(&nt, Irql::DISPATCH, || {
        import!(KeAcquireSpinLockAtDpcLevel(*mut u64))(lock);
    });
    assert_eq!(result, Ok(()));
    let held = matches!(&found[..], [ViolationKind::Lock(LockMisuse::HeldAtReturn { ddi, .. })]
        if *ddi == "DxgkDdiTest");
    assert!(held, "{found:?}");
}

#[test]
fn recursion_of_each_lock() {
    let kind = fatal(Irql::PASSIVE, || {
        let lock = &mut 0u64;
        acquire(lock);
        acquire(lock);
    });
    assert!(
        matches!(kind, ViolationKind::Lock(LockMisuse::Recursion { .. })),
        "{kind}"
    );
    let kind = fatal(Irql::PASSIVE, || {
        let mutex = &mut [0u64; 7];
        import!(KeInitializeGuardedMutex(*mut u64))(mutex.as_mut_ptr());
        import!(KeAcquireGuardedMutex(*mut u64))(mutex.as_mut_ptr());
        import!(KeAcquireGuardedMutex(*mut u64))(mutex.as_mut_ptr());
    });
    assert!(
        matches!(kind, ViolationKind::Lock(LockMisuse::Recursion { .. })),
        "{kind}"
    );
}

#[test]
fn release_without_acquisition_and_at_the_wrong_level() {
    let lock = &mut 0u64;
    let kind = finding(Irql::DISPATCH, || release(lock, 2));
    assert!(
        matches!(kind, ViolationKind::Lock(LockMisuse::NotOwned { .. })),
        "{kind}"
    );
    let lock = &mut 0u64;
    let kind = finding(Irql::PASSIVE, || {
        acquire(lock);
        release(lock, 1);
    });
    assert!(kind.to_string().contains("restores level 1"), "{kind}");
}

#[test]
fn two_orders_of_two_locks() {
    let mut words = [0u64; 2];
    let locks = words.each_mut().map(std::ptr::from_mut);
    let nested = |outer: *mut u64, inner: *mut u64| {
        let before = acquire(outer);
        acquire(inner);
        release(inner, 2);
        release(outer, before);
    };
    let kind = finding(Irql::PASSIVE, || {
        nested(locks[0], locks[1]);
        nested(locks[0], locks[1]);
        nested(locks[1], locks[0]);
    });
    assert!(
        matches!(kind, ViolationKind::Lock(LockMisuse::Order { .. })),
        "{kind}"
    );
}

#[test]
fn a_lock_across_a_callback() {
    extern "win64" fn callback() {}
    let export = Export {
        name: "DxgkCbTest",
        irql: IrqlRange::ANY,
        role: Role::Callback,
        target: callback as *const (),
    };
    // SAFETY: the target takes nothing.
    let thunk = unsafe { thunk::make(&[export]) }.unwrap()[0];
    // SAFETY: the thunk leads to `callback`.
    let callback: extern "win64" fn() = unsafe { std::mem::transmute(thunk) };
    let kind = finding(Irql::PASSIVE, || {
        callback();
        let lock = &mut 0u64;
        let before = acquire(lock);
        callback();
        release(lock, before);
    });
    let across = matches!(
        kind,
        ViolationKind::Lock(LockMisuse::HeldAcrossCallback {
            callback: "DxgkCbTest",
            ..
        })
    );
    assert!(across, "{kind}");
}

#[test]
fn a_block_freed_with_its_lock_held() {
    let nt = session();
    let (_, found) = run(&nt, Irql::PASSIVE, || {
        let block = allocate(64);
        acquire(block.cast());
        free(block);
    });
    let holds = found
        .iter()
        .any(|kind| matches!(kind, ViolationKind::Pool(PoolMisuse::HoldsLock { .. })));
    assert!(holds, "{found:?}");
}

#[test]
fn waiting_at_dispatch() {
    let kind = finding(Irql::DISPATCH, || {
        let event = &mut [0u64; 3];
        import!(KeInitializeEvent(*mut u64, u32, u8))(event.as_mut_ptr(), 0, 1);
        assert_eq!(wait(event.as_mut_ptr(), Some(0)), 0);
        assert_eq!(wait(event.as_mut_ptr(), Some(-10)), 0);
    });
    let found = matches!(
        kind,
        ViolationKind::WaitAtRaisedIrql {
            irql: Irql::DISPATCH,
            ..
        }
    );
    assert!(found, "{kind}");
}

fn wait(object: *mut u64, timeout: Option<i64>) -> u32 {
    let wait = import!(KeWaitForSingleObject(*mut u64, u32, u8, u8, *const i64) -> u32);
    let pointer = timeout
        .as_ref()
        .map_or(std::ptr::null(), |timeout| &raw const *timeout);
    wait(object, 0, 0, 0, pointer)
}

#[test]
fn events_of_both_sorts() {
    let nt = session();
    let (result, found) = run(&nt, Irql::PASSIVE, || {
        let event = &mut [0u64; 3];
        let event = event.as_mut_ptr();
        let initialize = import!(KeInitializeEvent(*mut u64, u32, u8));
        let set = import!(KeSetEvent(*mut u64, i32, u8) -> i32);
        for (kind, second) in [(0, 0), (1, 0x102)] {
            initialize(event, kind, 0);
            assert_eq!(wait(event, Some(0)), 0x102);
            assert_eq!(wait(event, Some(-1000)), 0x102);
            assert_eq!(set(event, 0, 0), 0);
            assert_eq!(set(event, 0, 0), 1);
            assert_eq!(wait(event, None), 0);
            assert_eq!(wait(event, Some(0)), second);
            import!(KeClearEvent(*mut u64))(event);
            assert_eq!(wait(event, Some(0)), 0x102);
        }
    });
    assert_eq!((result, found), (Ok(()), vec![]));
}

#[test]
fn a_wait_that_never_ends_is_ended() {
    let nt = session();
    nt.verifier.set_hang_limit(Duration::from_millis(30));
    let (result, found) = run(&nt, Irql::PASSIVE, || {
        let event = &mut [0u64; 3];
        import!(KeInitializeEvent(*mut u64, u32, u8))(event.as_mut_ptr(), 0, 0);
        wait(event.as_mut_ptr(), None);
    });
    assert_eq!(result, Err(Abandoned));
    assert!(
        matches!(found[..], [ViolationKind::WaitStuck { limit_ms: 30, .. }]),
        "{found:?}"
    );
}

#[test]
fn a_wait_on_something_else_than_an_event() {
    let kind = fatal(Irql::PASSIVE, || {
        wait([u64::MAX; 3].as_mut_ptr(), None);
    });
    assert!(kind.to_string().contains("no initialised event"), "{kind}");
}

/// A `FAST_MUTEX`, initialised inline as `ExInitializeFastMutex` does.
fn fast_mutex() -> [u64; 7] {
    let mut mutex = [1, 0, 0, 0, 0, 0, 0];
    import!(KeInitializeEvent(*mut u64, u32, u8))(mutex[3..].as_mut_ptr(), 1, 0);
    mutex
}

#[test]
fn fast_mutexes_raise_to_apc_and_back() {
    let nt = session();
    let (result, found) = run(&nt, Irql::PASSIVE, || {
        let mutex = &mut fast_mutex();
        import!(ExAcquireFastMutex(*mut u64))(mutex.as_mut_ptr());
        assert_eq!(import!(KeGetCurrentIrql() -> u8)(), 1);
        import!(ExReleaseFastMutex(*mut u64))(mutex.as_mut_ptr());
        assert_eq!(import!(KeGetCurrentIrql() -> u8)(), 0);
    });
    assert_eq!((result, found), (Ok(()), vec![]));
    let kind = fatal(Irql::PASSIVE, || {
        import!(ExAcquireFastMutex(*mut u64))([0u64; 7].as_mut_ptr());
    });
    assert!(
        matches!(kind, ViolationKind::Lock(LockMisuse::NotInitialised { .. })),
        "{kind}"
    );
}

#[test]
fn a_bug_check_ends_the_call_with_its_code() {
    let kind = fatal(Irql::PASSIVE, || {
        import!(KeBugCheckEx(u32, u64, u64, u64, u64))(0x119, 1, 2, 3, 4);
    });
    assert_eq!(
        kind,
        ViolationKind::BugCheck {
            code: 0x119,
            parameters: [1, 2, 3, 4]
        }
    );
}

#[test]
fn rundown_protection() {
    let nt = session();
    let reference = &mut 0u64;
    let (result, found) = run(&nt, Irql::PASSIVE, || {
        let acquire = import!(ExAcquireRundownProtection(*mut u64) -> u8);
        let release = import!(ExReleaseRundownProtection(*mut u64));
        import!(ExInitializeRundownProtection(*mut u64))(reference);
        assert_eq!(acquire(reference), 1);
        release(reference);
        import!(ExWaitForRundownProtectionRelease(*mut u64))(reference);
        assert_eq!(acquire(reference), 0);
        release(reference);
    });
    assert_eq!(result, Ok(()));
    assert!(
        found[0].to_string().contains("no reference to release"),
        "{found:?}"
    );
}

/// Memory that several driver threads touch.
#[derive(Clone, Copy)]
struct Shared(*mut u64);
// SAFETY: the tests access it under the locks under test only.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn increment(self) {
        // SAFETY: the memory outlives the threads, and the lock keeps other threads out.
        let word = unsafe { &mut *self.0 };
        *word += 1;
    }
}

#[test]
fn several_threads_under_each_lock() {
    const ROUNDS: u64 = 2000;
    let nt = session();
    let (mut spin, mut fast, mut guarded) = (0u64, fast_mutex_in(&nt), [0u64; 7]);
    let mut counts = [0u64; 3];
    let attached = nt.attach();
    import!(KeInitializeGuardedMutex(*mut u64))(guarded.as_mut_ptr());
    drop(attached);
    let locks = [
        Shared(&raw mut spin),
        Shared(fast.as_mut_ptr()),
        Shared(guarded.as_mut_ptr()),
    ];
    let [a, b, c] = counts.each_mut().map(|count| Shared(&raw mut *count));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let round = || {
                    let (locks, counts) = (&locks, [&a, &b, &c]);
                    let before = acquire(locks[0].0);
                    counts[0].increment();
                    release(locks[0].0, before);
                    import!(ExAcquireFastMutex(*mut u64))(locks[1].0);
                    counts[1].increment();
                    import!(ExReleaseFastMutex(*mut u64))(locks[1].0);
                    import!(KeAcquireGuardedMutex(*mut u64))(locks[2].0);
                    counts[2].increment();
                    import!(KeReleaseGuardedMutex(*mut u64))(locks[2].0);
                    free(allocate(24));
                };
                for _ in 0..ROUNDS {
                    assert_eq!(nt.ddi_call("DxgkDdiTest", Irql::PASSIVE, round), Ok(()));
                }
            });
        }
    });
    assert_eq!(counts, [4 * ROUNDS; 3]);
    nt.check_unloaded();
    assert_eq!(nt.verifier.violations(), []);
    assert_eq!(nt.verifier.pool_totals().freed, 4 * ROUNDS);
}

fn fast_mutex_in(nt: &Arc<Nt>) -> [u64; 7] {
    let _attached = nt.attach();
    fast_mutex()
}

#[test]
fn a_thread_that_waits_is_released_when_the_session_dies() {
    let nt = session();
    let mut lock = 0u64;
    let lock = Shared(&raw mut lock);
    std::thread::scope(|scope| {
        let (locked, is_locked) = std::sync::mpsc::channel();
        let nt = &nt;
        scope.spawn(move || {
            let lock = lock;
            let result = nt.ddi_call("first", Irql::PASSIVE, || {
                acquire(lock.0);
                locked.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(20));
                import!(KeBugCheckEx(u32, u64, u64, u64, u64))(1, 0, 0, 0, 0);
            });
            assert_eq!(result, Err(Abandoned));
        });
        is_locked.recv().unwrap();
        let second = nt.ddi_call("second", Irql::PASSIVE, || {
            acquire(lock.0);
        });
        assert_eq!(second, Err(Abandoned));
    });
}

#[test]
fn debug_output_is_kept() {
    let nt = session();
    let (result, _) = run(&nt, Irql::PASSIVE, || {
        let print = import!(DbgPrintEx(u32, u32, *const c_void, u64) -> u32);
        print(0, 0, c"value %llx".as_ptr().cast(), 7);
    });
    assert_eq!(result, Ok(()));
    assert_eq!(nt.debug_log(), ["value %llx"]);
}
