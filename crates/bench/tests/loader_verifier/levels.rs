//! Interrupt request levels.

use carillon_bench::nt::registry_of_imports::resolve;
use carillon_bench::verifier::irql::Irql;
use carillon_bench::verifier::violation::ViolationKind;
use iced_x86::code_asm::*;

use crate::{TAG, call_import, driver, enter, finding, free, import, session};

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
