//! Locks, alone and on several threads.

use std::sync::Arc;
use std::time::Duration;

use carillon_bench::nt::Nt;
use carillon_bench::nt::registry_of_imports::resolve;
use carillon_bench::nt::thunk::{self, Export, Role};
use carillon_bench::trap::boundary::Abandoned;
use carillon_bench::verifier::irql::Irql;
use carillon_bench::verifier::irql::IrqlRange;
use carillon_bench::verifier::violation::{LockMisuse, PoolMisuse, ViolationKind};

use crate::{acquire, allocate, fatal, finding, free, import, release, run, session};

/// A `FAST_MUTEX`, initialised inline as `ExInitializeFastMutex` does.
fn fast_mutex() -> [u64; 7] {
    let mut mutex = [1, 0, 0, 0, 0, 0, 0];
    import!(KeInitializeEvent(*mut u64, u32, u8))(mutex[3..].as_mut_ptr(), 1, 0);
    mutex
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

/// regression: LOCK-05
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

/// contract: VIC-002, VICR-002
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

/// Memory that several driver threads touch.
#[derive(Clone, Copy)]
struct Shared(*mut u64);
// SAFETY: the tests access it under the locks under test only.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Adds one, with room for another thread in between if the lock lets it in.
    fn increment(self) {
        // SAFETY: the memory outlives the threads, and the lock keeps other threads out.
        let before = unsafe { self.0.read_volatile() };
        std::thread::yield_now();
        // SAFETY: as above.
        unsafe { self.0.write_volatile(before + 1) };
    }
}

#[test]
fn several_threads_under_each_lock() {
    const ROUNDS: u64 = 2000;
    let nt = session();
    let (mut spin, mut fast, mut guarded) = (0u64, fast_mutex_in(&nt), [0u64; 7]);
    let mut push = 0u64;
    let mut counts = [0u64; 4];
    let attached = nt.attach();
    import!(KeInitializeGuardedMutex(*mut u64))(guarded.as_mut_ptr());
    drop(attached);
    let locks = [
        Shared(&raw mut spin),
        Shared(fast.as_mut_ptr()),
        Shared(guarded.as_mut_ptr()),
        Shared(&raw mut push),
    ];
    let [a, b, c, d] = counts.each_mut().map(|count| Shared(&raw mut *count));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let round = || {
                    let (locks, counts) = (&locks, [&a, &b, &c, &d]);
                    let before = acquire(locks[0].0);
                    counts[0].increment();
                    release(locks[0].0, before);
                    import!(ExAcquireFastMutex(*mut u64))(locks[1].0);
                    counts[1].increment();
                    import!(ExReleaseFastMutex(*mut u64))(locks[1].0);
                    import!(KeAcquireGuardedMutex(*mut u64))(locks[2].0);
                    counts[2].increment();
                    import!(KeReleaseGuardedMutex(*mut u64))(locks[2].0);
                    import!(KeEnterCriticalRegion())();
                    import!(ExAcquirePushLockExclusiveEx(*mut u64, u32))(locks[3].0, 0);
                    counts[3].increment();
                    import!(ExReleasePushLockExclusiveEx(*mut u64, u32))(locks[3].0, 0);
                    import!(KeLeaveCriticalRegion())();
                    free(allocate(24));
                };
                for _ in 0..ROUNDS {
                    assert_eq!(nt.ddi_call("DxgkDdiTest", Irql::PASSIVE, round), Ok(()));
                }
            });
        }
    });
    assert_eq!(counts, [4 * ROUNDS; 4]);
    nt.check_unloaded();
    assert_eq!(nt.verifier.violations(), []);
    assert_eq!(nt.verifier.pool_totals().freed, 4 * ROUNDS);
}

#[test]
fn a_push_lock_wants_normal_apcs_off() {
    let nt = session();
    let mut lock = 0u64;
    let lock = Shared(&raw mut lock);
    let result = nt.ddi_call("DxgkDdiTest", Irql::PASSIVE, || {
        import!(ExAcquirePushLockExclusiveEx(*mut u64, u32))(lock.0, 0);
        import!(ExReleasePushLockExclusiveEx(*mut u64, u32))(lock.0, 0);
    });
    assert_eq!(result, Ok(()));
    let found = nt.verifier.violations();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].to_string().contains("APCs are not disabled"),
        "{}",
        found[0]
    );
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
fn a_critical_region_that_is_not_left() {
    let kind = finding(Irql::PASSIVE, || {
        import!(KeEnterCriticalRegion())();
        import!(KeLeaveCriticalRegion())();
        import!(KeEnterCriticalRegion())();
    });
    assert!(kind.to_string().contains("returned with 1"), "{kind}");
    let kind = finding(Irql::PASSIVE, || import!(KeLeaveCriticalRegion())());
    assert!(kind.to_string().contains("no critical region"), "{kind}");
}
