//! Timeouts and resets.

use carillon_core::error::Error;
use carillon_ddi::{
    DXGKARG_COLLECTDBGINFO, DXGKARG_QUERYDEPENDENTENGINEGROUP, DXGKARG_QUERYENGINESTATUS,
    DXGKARG_RESETENGINE, DXGKARG_RESETHWENGINE, DXGKARG_RESUMEHWENGINE, HANDLE, NTSTATUS,
};

use super::arguments::{answer, in_out};
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

/// `DxgkDdiResetHwEngine`: not offered; the OS goes on to reset the adapter. IRQL: PASSIVE_LEVEL.
/// Page `nc-d3dkmddi-dxgkddi_resethwengine`.
pub(crate) unsafe extern "win64" fn reset_hw_engine(
    _adapter: HANDLE,
    _arguments: *mut DXGKARG_RESETHWENGINE,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_UNSUCCESSFUL
}

/// `DxgkDdiResumeHwEngine`: follows a reset of an engine, which is not offered. IRQL:
/// PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_resumehwengine`.
pub(crate) unsafe extern "win64" fn resume_hw_engine(
    _adapter: HANDLE,
    _arguments: *mut DXGKARG_RESUMEHWENGINE,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_UNSUCCESSFUL
}

/// `DxgkDdiResetFromTimeout`: a reset of the whole adapter is not offered. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_resetfromtimeout`.
pub(crate) unsafe extern "win64" fn reset_from_timeout(_adapter: HANDLE) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_UNSUCCESSFUL
}

/// `DxgkDdiRestartFromTimeout`: follows a reset, which is not offered. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_restartfromtimeout`.
pub(crate) unsafe extern "win64" fn restart_from_timeout(_adapter: HANDLE) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_UNSUCCESSFUL
}

/// `DxgkDdiCollectDbgInfo`: nothing to add to the report, whose buffer stays as it is. Must
/// succeed. IRQL: undefined. Page `nc-d3dkmddi-dxgkddi_collectdbginfo`.
pub(crate) unsafe extern "win64" fn collect_dbg_info(
    _adapter: HANDLE,
    _arguments: *const DXGKARG_COLLECTDBGINFO,
) -> NTSTATUS {
    NTSTATUS::STATUS_SUCCESS
}
