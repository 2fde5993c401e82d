//! Callbacks that the model lacks: each says so and fails.

use carillon_ddi::NTSTATUS;

use super::breach;

fn refuse(callback: &str) -> u64 {
    breach(format!("callback {callback} is not modelled"));
    u64::from(NTSTATUS::STATUS_NOT_SUPPORTED.0.cast_unsigned())
}

/// One function for each callback, so that the violation can name it.
macro_rules! unmodelled {
    ($($name:ident)*) => {
        /// Name and function of every callback that the model lacks.
        pub(super) const UNMODELLED: &[(&str, usize, extern "win64" fn() -> u64)] = &[$((
            stringify!($name),
            std::mem::offset_of!(carillon_ddi::DXGKRNL_INTERFACE, $name),
            {
                extern "win64" fn refused() -> u64 {
                    refuse(stringify!($name))
                }
                refused
            },
        ),)*];
    };
}

unmodelled! {
    DxgkCbIndicateChildStatus
    DxgkCbQueryVidPnInterface
    DxgkCbQueryMonitorInterface
    DxgkCbGetCaptureAddress
    DxgkCbExcludeAdapterAccess
    DxgkCbCreateContextAllocation
    DxgkCbDestroyContextAllocation
    DxgkCbAcquirePostDisplayOwnership
    DxgkCbCompletePStateTransition
    DxgkCbMapContextAllocation
    DxgkCbUpdateContextAllocation
    DxgkCbReserveGpuVirtualAddressRange
    DxgkCbHardwareContentProtectionTeardown
    DxgkCbMultiPlaneOverlayDisabled
    DxgkCbMitigatedRangeUpdate
    DxgkCbIndicateConnectorChange
    DxgkCbUnblockUEFIFrameBufferRanges
    DxgkCbAcquirePostDisplayOwnership2
    DxgkCbSetProtectedSessionStatus
    DxgkCbAllocatePagesForMdl
    DxgkCbFreePagesFromMdl
    DxgkCbPinFrameBufferForSave
    DxgkCbUnpinFrameBufferForSave
    DxgkCbMapFrameBufferPointer
    DxgkCbUnmapFrameBufferPointer
    DxgkCbMapMdlToIoMmu
    DxgkCbUnmapMdlFromIoMmu
    DxgkCbReportDiagnostic
    DxgkCbSignalEvent
    DxgkCbSaveMemoryForHotUpdate
    DxgkCbNotifyCursorSupportChange
    DxgkCbQueryFeatureSupport
    DxgkCbCreatePhysicalMemoryObject
    DxgkCbDestroyPhysicalMemoryObject
    DxgkCbMapPhysicalMemory
    DxgkCbUnmapPhysicalMemory
    DxgkCbAllocateAdl
    DxgkCbFreeAdl
    DxgkCbOpenPhysicalMemoryObject
    DxgkCbClosePhysicalMemoryObject
    DxgkCbPinFrameBufferForSave2
}
