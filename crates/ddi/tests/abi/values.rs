//! What the types do, beyond where their bytes lie.

use carillon_ddi::{
    DXGK_PTE, DXGK_PTE_Anonymous, DXGKARG_CREATEDOORBELL_FLAGS, DXGKARGCB_NOTIFY_INTERRUPT_DATA,
    NTSTATUS, PHYSICAL_ADDRESS,
};

#[test]
fn bits_count_from_the_least_significant() {
    let resize = DXGKARG_CREATEDOORBELL_FLAGS::new().with_ResizeRingBufferOperation(true);
    assert_eq!(resize.into_bits(), 1);
    let unknown = DXGKARG_CREATEDOORBELL_FLAGS::from_bits(0x8000_0000);
    assert!(!unknown.ResizeRingBufferOperation());
    assert_eq!(unknown.Reserved(), 0x4000_0000);
    assert_eq!(DXGKARG_CREATEDOORBELL_FLAGS::from_bits(1).Reserved(), 0);

    let entry = DXGK_PTE_Anonymous::new()
        .with_Valid(true)
        .with_Segment(31)
        .with_LargePage(true);
    assert_eq!(entry.into_bits(), 1 | 31 << 5 | 1 << 10);
    assert_eq!(
        DXGK_PTE_Anonymous::from_bits(u64::MAX).Reserved(),
        (1 << 44) - 1
    );
}

#[test]
fn a_page_table_entry_gives_back_its_address() {
    for address in [0, 1, u64::MAX >> 12, u64::MAX] {
        let entry = DXGK_PTE::new(DXGK_PTE_Anonymous::new().with_Valid(true), address);
        assert_eq!(entry.address(), address);
        assert!(entry.flags().Valid());
    }
    assert_eq!(DXGK_PTE::ZERO.address(), 0);
    assert!(!DXGK_PTE::ZERO.flags().Valid());
}

#[test]
fn an_arm_of_a_union_is_written_without_unsafe() {
    let mut data = DXGKARGCB_NOTIFY_INTERRUPT_DATA::ZERO;
    data.Anonymous.DmaCompleted.SubmissionFenceId = 7;
    // SAFETY: every byte of the union was zeroed and one arm of it written since.
    let preempted = unsafe { data.Anonymous.DmaPreempted };
    assert_eq!(
        preempted.PreemptionFenceId, 7,
        "both arms begin at the same byte"
    );
    assert_eq!(preempted.EngineOrdinal, 0);
}

#[test]
fn a_status_is_an_error_by_its_sign() {
    for (status, success, name) in [
        (NTSTATUS(0), true, Some("STATUS_SUCCESS")),
        (NTSTATUS(0x102), true, Some("STATUS_TIMEOUT")),
        (NTSTATUS(i32::MAX), true, None),
        (NTSTATUS(i32::MIN), false, None),
        (NTSTATUS(-1), false, None),
        (
            NTSTATUS(0xC000_00BB_u32.cast_signed()),
            false,
            Some("STATUS_NOT_SUPPORTED"),
        ),
        (
            NTSTATUS(0x8000_0005_u32.cast_signed()),
            false,
            Some("STATUS_BUFFER_OVERFLOW"),
        ),
    ] {
        assert_eq!(status.is_success(), success, "{status}");
        assert_eq!(status.is_error(), !success, "{status}");
        assert_eq!(status.ok(), if success { Ok(()) } else { Err(status) });
        assert_eq!(status.name(), name);
    }
    assert_eq!(
        NTSTATUS::STATUS_NOT_SUPPORTED.to_string(),
        "STATUS_NOT_SUPPORTED"
    );
    assert_eq!(format!("{:?}", NTSTATUS(-1)), "NTSTATUS(0xFFFFFFFF)");
}

#[test]
fn a_physical_address_is_unsigned() {
    for address in [0, 1, 1 << 63, u64::MAX] {
        assert_eq!(PHYSICAL_ADDRESS::new(address).get(), address);
    }
}
