//! Allocations.

use carillon_ddi::{
    DXGKARG_CLOSEALLOCATION, DXGKARG_CREATEALLOCATION, DXGKARG_DESCRIBEALLOCATION,
    DXGKARG_DESTROYALLOCATION, DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA, DXGKARG_OPENALLOCATION,
    HANDLE, NTSTATUS,
};

use crate::irql;

/// `DxgkDdiCreateAllocation`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_createallocation`.
pub(crate) unsafe extern "win64" fn create_allocation(
    _adapter: HANDLE,
    _arguments: *mut DXGKARG_CREATEALLOCATION,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_INVALID_PARAMETER
}

/// `DxgkDdiDestroyAllocation`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_destroyallocation`.
pub(crate) unsafe extern "win64" fn destroy_allocation(
    _adapter: HANDLE,
    _arguments: *const DXGKARG_DESTROYALLOCATION,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_INVALID_PARAMETER
}

/// `DxgkDdiDescribeAllocation`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_describeallocation`.
pub(crate) unsafe extern "win64" fn describe_allocation(
    _adapter: HANDLE,
    _arguments: *mut DXGKARG_DESCRIBEALLOCATION,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_INVALID_PARAMETER
}

/// `DxgkDdiGetStandardAllocationDriverData`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_getstandardallocationdriverdata`.
pub(crate) unsafe extern "win64" fn get_standard_allocation_driver_data(
    _adapter: HANDLE,
    _arguments: *mut DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_NOT_SUPPORTED
}

/// `DxgkDdiOpenAllocation`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_openallocationinfo`.
pub(crate) unsafe extern "win64" fn open_allocation(
    _device: HANDLE,
    _arguments: *const DXGKARG_OPENALLOCATION,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_INVALID_PARAMETER
}

/// `DxgkDdiCloseAllocation`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_closeallocation`.
pub(crate) unsafe extern "win64" fn close_allocation(
    _device: HANDLE,
    _arguments: *const DXGKARG_CLOSEALLOCATION,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_INVALID_PARAMETER
}
