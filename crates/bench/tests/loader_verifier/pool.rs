//! The pool.

use carillon_bench::nt::registry_of_imports::resolve;
use carillon_bench::verifier::irql::Irql;
use carillon_bench::verifier::violation::{PoolMisuse, ViolationKind};

use crate::{NON_PAGED, TAG, allocate, finding, free, import, peek, poke, run, session};

#[test]
fn a_clean_call_finds_nothing() {
    let nt = session();
    let (result, found) = run(&nt, Irql::PASSIVE, || free(allocate(100)));
    assert_eq!((result, found), (Ok(()), vec![]));
    nt.check_unloaded();
    assert_eq!(nt.verifier.violations(), []);
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
