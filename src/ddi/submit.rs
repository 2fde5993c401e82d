//! Work that the OS schedules: packets, preemption, current fence.
//!
//! A submission that fails stops the machine (bug check 0x119), except with
//! STATUS_INVALID_PARAMETER; the core returns nothing else.

use carillon_core::error::Error;
use carillon_ddi::{
    DXGKARG_PREEMPTCOMMAND, DXGKARG_QUERYCURRENTFENCE, DXGKARG_SUBMITCOMMAND,
    DXGKARG_SUBMITCOMMANDVIRTUAL, HANDLE, NTSTATUS,
};
use carillon_hw::addr::GpuVa;

use super::arguments::{answer, in_out, input, own};
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiSubmitCommandVirtual`. Page `nc-d3dkmddi-dxgkddi_submitcommandvirtual`, which states no
/// IRQL; what it does here is fit for DISPATCH_LEVEL.
pub(crate) unsafe extern "win64" fn submit_command_virtual(
    adapter: HANDLE,
    arguments: *const DXGKARG_SUBMITCOMMANDVIRTUAL,
) -> NTSTATUS {
    let dispatch = irql::dispatch();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    submitted(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        adapter.submit_packet(
            dispatch,
            own(arguments.hContext)?,
            GpuVa(arguments.DmaBufferVirtualAddress),
            arguments.DmaBufferSize,
            arguments.SubmissionFenceId,
        )
    }))
}

/// `DxgkDdiSubmitCommand`. IRQL: DISPATCH_LEVEL. Page `nc-d3dkmddi-dxgkddi_submitcommand`.
///
/// Every context addresses memory virtually, so the buffer's virtual address counts here too.
pub(crate) unsafe extern "win64" fn submit_command(
    adapter: HANDLE,
    arguments: *const DXGKARG_SUBMITCOMMAND,
) -> NTSTATUS {
    let dispatch = irql::dispatch();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    submitted(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        let start = u64::from(arguments.DmaBufferSubmissionStartOffset);
        let bytes = arguments
            .DmaBufferSubmissionEndOffset
            .checked_sub(arguments.DmaBufferSubmissionStartOffset)
            .ok_or(Error::InvalidParameter)?;
        let buffer = GpuVa(arguments.DmaBufferVirtualAddress)
            .checked_add(start)
            .ok_or(Error::InvalidParameter)?;
        // SAFETY: the page: with contexts, which the driver supports, the union holds `hContext`;
        // both arms are plain handles.
        let context = unsafe { arguments.Anonymous.hContext };
        adapter.submit_packet(
            dispatch,
            own(context)?,
            buffer,
            bytes,
            arguments.SubmissionFenceId,
        )
    }))
}

/// The two answers that submission has.
fn submitted(result: carillon_core::error::Result) -> NTSTATUS {
    match result {
        Ok(()) => NTSTATUS::STATUS_SUCCESS,
        Err(_) => NTSTATUS::STATUS_INVALID_PARAMETER,
    }
}

/// `DxgkDdiPreemptCommand`. IRQL: DISPATCH_LEVEL. Page `nc-d3dkmddi-dxgkddi_preemptcommand`:
/// failure would cost a bug check.
pub(crate) unsafe extern "win64" fn preempt_command(
    adapter: HANDLE,
    arguments: *const DXGKARG_PREEMPTCOMMAND,
) -> NTSTATUS {
    let dispatch = irql::dispatch();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    if let (Ok(adapter), Ok(arguments)) = (Running::of_context(adapter), arguments) {
        adapter.preempt(dispatch, arguments.NodeOrdinal, arguments.PreemptionFenceId);
    }
    NTSTATUS::STATUS_SUCCESS
}

/// `DxgkDdiQueryCurrentFence`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_querycurrentfence`.
pub(crate) unsafe extern "win64" fn query_current_fence(
    adapter: HANDLE,
    arguments: *mut DXGKARG_QUERYCURRENTFENCE,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        arguments.CurrentFence = adapter.current_fence(arguments.NodeOrdinal);
        Ok(())
    }))
}
