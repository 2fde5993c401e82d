//! Timeouts and resets.

use carillon_core::error::{Error, Result};
use carillon_ddi::{
    DXGKARG_COLLECTDBGINFO, DXGKARG_QUERYDEPENDENTENGINEGROUP, DXGKARG_QUERYENGINESTATUS,
    DXGKARG_RESETENGINE, DXGKARG_RESETHWENGINE, DXGKARG_RESUMEHWENGINE, HANDLE, NTSTATUS,
};

use super::arguments::{answer, bytes_mut, in_out, input};
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiQueryEngineStatus`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_queryenginestatus`.
pub(crate) unsafe extern "win64" fn query_engine_status(
    adapter: HANDLE,
    arguments: *mut DXGKARG_QUERYENGINESTATUS,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        let responsive = adapter.is_node_idle(arguments.NodeOrdinal);
        arguments.EngineStatus = arguments.EngineStatus.with_Responsive(responsive);
        Ok(())
    }))
}

/// `DxgkDdiQueryDependentEngineGroup`: a reset of an engine touches no other. IRQL: PASSIVE_LEVEL.
/// Page `nc-d3dkmddi-dxgkddi_querydependentenginegroup`.
pub(crate) unsafe extern "win64" fn query_dependent_engine_group(
    adapter: HANDLE,
    arguments: *mut DXGKARG_QUERYDEPENDENTENGINEGROUP,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(Running::of_context(adapter).and_then(|_| {
        let arguments = arguments?;
        arguments.DependentNodeOrdinalMask = 1_u64
            .checked_shl(arguments.NodeOrdinal)
            .ok_or(Error::InvalidParameter)?;
        Ok(())
    }))
}

/// `DxgkDdiResetEngine`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_resetengine`.
pub(crate) unsafe extern "win64" fn reset_engine(
    adapter: HANDLE,
    arguments: *mut DXGKARG_RESETENGINE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        arguments.LastAbortedFenceId = adapter.reset_node(passive, arguments.NodeOrdinal)?;
        Ok(())
    }))
}

/// `DxgkDdiResetHwEngine`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_resethwengine`: after a
/// failure the OS resets the adapter.
pub(crate) unsafe extern "win64" fn reset_hw_engine(
    adapter: HANDLE,
    arguments: *mut DXGKARG_RESETHWENGINE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments.cast_const()) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        adapter.reset_engine(
            passive,
            engine_of(arguments.NodeOrdinal, arguments.EngineOrdinal)?,
        )
    }))
}

/// `DxgkDdiResumeHwEngine`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_resumehwengine`: after
/// a failure the OS resets the adapter.
pub(crate) unsafe extern "win64" fn resume_hw_engine(
    adapter: HANDLE,
    arguments: *mut DXGKARG_RESUMEHWENGINE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments.cast_const()) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        adapter.resume_engine(
            passive,
            engine_of(arguments.NodeOrdinal, arguments.EngineOrdinal)?,
        )
    }))
}

/// A node has one engine; the device's engines carry the nodes' ordinals.
fn engine_of(node: u32, engine: u32) -> Result<u32> {
    if engine == 0 {
        Ok(node)
    } else {
        Err(Error::InvalidParameter)
    }
}

/// `DxgkDdiResetFromTimeout`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_resetfromtimeout`: a
/// failure stops the machine, so it means that the device may still write to memory. An adapter
/// that is not started has no device that could.
pub(crate) unsafe extern "win64" fn reset_from_timeout(adapter: HANDLE) -> NTSTATUS {
    let passive = irql::passive();
    match Running::of_context(adapter) {
        Ok(adapter) => answer(adapter.reset_all(passive)),
        Err(_) => NTSTATUS::STATUS_SUCCESS,
    }
}

/// `DxgkDdiRestartFromTimeout`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_restartfromtimeout`: a failure stops the machine.
pub(crate) unsafe extern "win64" fn restart_from_timeout(adapter: HANDLE) -> NTSTATUS {
    let passive = irql::passive();
    answer(Running::of_context(adapter).and_then(|adapter| adapter.restart(passive)))
}

/// The reasons for which `DxgkDdiCollectDbgInfo` is called at PASSIVE_LEVEL:
/// `VIDEO_TDR_TIMEOUT_DETECTED`, `VIDEO_ENGINE_TIMEOUT_DETECTED`, `VIDEO_TDR_APPLICATION_BLOCKED`.
const TIMEOUTS: [u32; 3] = [0x117, 0x141, 0x142];

/// `DxgkDdiCollectDbgInfo`: where the queues stand, for timeouts. For any other reason the IRQL is
/// undefined and the buffer stays as it is. Must succeed. Page
/// `nc-d3dkmddi-dxgkddi_collectdbginfo`.
pub(crate) unsafe extern "win64" fn collect_dbg_info(
    adapter: HANDLE,
    arguments: *const DXGKARG_COLLECTDBGINFO,
) -> NTSTATUS {
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    if let Ok(arguments) = unsafe { input(arguments) }
        && TIMEOUTS.contains(&arguments.Reason)
        && let Ok(adapter) = Running::of_context(adapter)
    {
        let passive = irql::passive();
        let bytes = u32::try_from(arguments.BufferSize).unwrap_or(u32::MAX);
        // SAFETY: the page: `pBuffer` has `BufferSize` bytes, for this call.
        if let Ok(buffer) = unsafe { bytes_mut(arguments.pBuffer, bytes) } {
            adapter.debug_report(passive, buffer);
        }
    }
    NTSTATUS::STATUS_SUCCESS
}
