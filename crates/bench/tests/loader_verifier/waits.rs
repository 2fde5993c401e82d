//! Waiting.

use std::time::Duration;

use carillon_bench::nt::registry_of_imports::resolve;
use carillon_bench::trap::boundary::Abandoned;
use carillon_bench::verifier::irql::Irql;
use carillon_bench::verifier::violation::ViolationKind;

use crate::{fatal, finding, import, run, session};

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
