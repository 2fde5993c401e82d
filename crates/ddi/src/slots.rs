//! The slots of [`DRIVER_INITIALIZATION_DATA`] as a table: name, offset and the interface version
//! that introduced each, for reports and checks that walk the whole block.

use core::mem::offset_of;

use crate::base::PVOID;
use crate::init::DRIVER_INITIALIZATION_DATA;
use crate::version;

/// One slot of [`DRIVER_INITIALIZATION_DATA`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The member's name.
    pub name: &'static str,
    /// Bytes from the start of the block.
    pub offset: usize,
    /// The `DXGKDDI_INTERFACE_VERSION_*` value from which on the member exists.
    pub min_version: u32,
}

impl Slot {
    /// Whether every display miniport driver's table has the slot: the block of the first release,
    /// where Windows refuses a NULL.
    #[must_use]
    pub const fn is_base(&self) -> bool {
        self.min_version == version::DXGKDDI_INTERFACE_VERSION_VISTA
    }
}

trait Filled {
    fn filled(&self) -> bool;
}

impl<T> Filled for Option<T> {
    fn filled(&self) -> bool {
        self.is_some()
    }
}

impl Filled for PVOID {
    fn filled(&self) -> bool {
        !self.is_null()
    }
}

macro_rules! slots {
    ($($name:ident $version:ident,)*) => {
        /// Every slot, in the order of the block.
        pub const SLOTS: [Slot; 192] = [$(Slot {
            name: stringify!($name),
            offset: offset_of!(DRIVER_INITIALIZATION_DATA, $name),
            min_version: version::$version,
        },)*];

        impl DRIVER_INITIALIZATION_DATA {
            /// Which slots hold a pointer, in the order of [`SLOTS`].
            #[must_use]
            pub fn filled(&self) -> [bool; SLOTS.len()] {
                [$(self.$name.filled(),)*]
            }
        }
    };
}

impl DRIVER_INITIALIZATION_DATA {
    /// The base slots that are NULL: what Windows would refuse the table for.
    pub fn null_base_slots(&self) -> impl Iterator<Item = &'static Slot> {
        SLOTS
            .iter()
            .zip(self.filled())
            .filter(|(slot, filled)| slot.is_base() && !filled)
            .map(|(slot, _)| slot)
    }
}

slots! {
    DxgkDdiAddDevice DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiStartDevice DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiStopDevice DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiRemoveDevice DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiDispatchIoRequest DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiInterruptRoutine DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiDpcRoutine DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiQueryChildRelations DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiQueryChildStatus DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiQueryDeviceDescriptor DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiSetPowerState DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiNotifyAcpiEvent DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiResetDevice DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiUnload DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiQueryInterface DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiControlEtwLogging DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiQueryAdapterInfo DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiCreateDevice DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiCreateAllocation DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiDestroyAllocation DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiDescribeAllocation DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiGetStandardAllocationDriverData DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiAcquireSwizzlingRange DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiReleaseSwizzlingRange DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiPatch DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiSubmitCommand DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiPreemptCommand DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiBuildPagingBuffer DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiSetPalette DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiSetPointerPosition DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiSetPointerShape DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiResetFromTimeout DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiRestartFromTimeout DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiEscape DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiCollectDbgInfo DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiQueryCurrentFence DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiIsSupportedVidPn DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiRecommendFunctionalVidPn DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiEnumVidPnCofuncModality DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiSetVidPnSourceAddress DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiSetVidPnSourceVisibility DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiCommitVidPn DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiUpdateActiveVidPnPresentPath DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiRecommendMonitorModes DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiRecommendVidPnTopology DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiGetScanLine DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiStopCapture DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiControlInterrupt DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiCreateOverlay DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiDestroyDevice DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiOpenAllocation DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiCloseAllocation DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiRender DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiPresent DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiUpdateOverlay DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiFlipOverlay DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiDestroyOverlay DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiCreateContext DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiDestroyContext DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiLinkDevice DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiSetDisplayPrivateDriverFormat DXGKDDI_INTERFACE_VERSION_VISTA,
    DxgkDdiDescribePageTable DXGKDDI_INTERFACE_VERSION_WIN7,
    DxgkDdiUpdatePageTable DXGKDDI_INTERFACE_VERSION_WIN7,
    DxgkDdiUpdatePageDirectory DXGKDDI_INTERFACE_VERSION_WIN7,
    DxgkDdiMovePageDirectory DXGKDDI_INTERFACE_VERSION_WIN7,
    DxgkDdiSubmitRender DXGKDDI_INTERFACE_VERSION_WIN7,
    DxgkDdiCreateAllocation2 DXGKDDI_INTERFACE_VERSION_WIN7,
    DxgkDdiRenderKm DXGKDDI_INTERFACE_VERSION_WIN7,
    Reserved DXGKDDI_INTERFACE_VERSION_WIN7,
    DxgkDdiQueryVidPnHWCapability DXGKDDI_INTERFACE_VERSION_WIN7,
    DxgkDdiSetPowerComponentFState DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiQueryDependentEngineGroup DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiQueryEngineStatus DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiResetEngine DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiStopDeviceAndReleasePostDisplayOwnership DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiSystemDisplayEnable DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiSystemDisplayWrite DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiCancelCommand DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiGetChildContainerId DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiPowerRuntimeControlRequest DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiSetVidPnSourceAddressWithMultiPlaneOverlay DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiNotifySurpriseRemoval DXGKDDI_INTERFACE_VERSION_WIN8,
    DxgkDdiGetNodeMetadata DXGKDDI_INTERFACE_VERSION_WDDM1_3,
    DxgkDdiSetPowerPState DXGKDDI_INTERFACE_VERSION_WDDM1_3,
    DxgkDdiControlInterrupt2 DXGKDDI_INTERFACE_VERSION_WDDM1_3,
    DxgkDdiCheckMultiPlaneOverlaySupport DXGKDDI_INTERFACE_VERSION_WDDM1_3,
    DxgkDdiCalibrateGpuClock DXGKDDI_INTERFACE_VERSION_WDDM1_3,
    DxgkDdiFormatHistoryBuffer DXGKDDI_INTERFACE_VERSION_WDDM1_3,
    DxgkDdiRenderGdi DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiSubmitCommandVirtual DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiSetRootPageTable DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiGetRootPageTableSize DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiMapCpuHostAperture DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiUnmapCpuHostAperture DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiCheckMultiPlaneOverlaySupport2 DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiCreateProcess DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiDestroyProcess DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiSetVidPnSourceAddressWithMultiPlaneOverlay2 DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    Reserved1 DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    Reserved2 DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiPowerRuntimeSetDeviceHandle DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiSetStablePowerState DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiSetVideoProtectedRegion DXGKDDI_INTERFACE_VERSION_WDDM2_0,
    DxgkDdiCheckMultiPlaneOverlaySupport3 DXGKDDI_INTERFACE_VERSION_WDDM2_1,
    DxgkDdiSetVidPnSourceAddressWithMultiPlaneOverlay3 DXGKDDI_INTERFACE_VERSION_WDDM2_1,
    DxgkDdiPostMultiPlaneOverlayPresent DXGKDDI_INTERFACE_VERSION_WDDM2_1,
    DxgkDdiValidateUpdateAllocationProperty DXGKDDI_INTERFACE_VERSION_WDDM2_1,
    DxgkDdiControlModeBehavior DXGKDDI_INTERFACE_VERSION_WDDM2_1,
    DxgkDdiUpdateMonitorLinkInfo DXGKDDI_INTERFACE_VERSION_WDDM2_1,
    DxgkDdiCreateHwContext DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiDestroyHwContext DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiCreateHwQueue DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiDestroyHwQueue DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiSubmitCommandToHwQueue DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiSwitchToHwContextList DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiResetHwEngine DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiCreatePeriodicFrameNotification DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiDestroyPeriodicFrameNotification DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiSetTimingsFromVidPn DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiSetTargetGamma DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiSetTargetContentType DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiSetTargetAnalogCopyProtection DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiSetTargetAdjustedColorimetry DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiDisplayDetectControl DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiQueryConnectionChange DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiExchangePreStartInfo DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiGetMultiPlaneOverlayCaps DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiGetPostCompositionCaps DXGKDDI_INTERFACE_VERSION_WDDM2_2,
    DxgkDdiUpdateHwContextState DXGKDDI_INTERFACE_VERSION_WDDM2_3,
    DxgkDdiCreateProtectedSession DXGKDDI_INTERFACE_VERSION_WDDM2_3,
    DxgkDdiDestroyProtectedSession DXGKDDI_INTERFACE_VERSION_WDDM2_3,
    DxgkDdiSetSchedulingLogBuffer DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiSetupPriorityBands DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiNotifyFocusPresent DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiSetContextSchedulingProperties DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiSuspendContext DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiResumeContext DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiSetVirtualMachineData DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiBeginExclusiveAccess DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiEndExclusiveAccess DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiQueryDiagnosticTypesSupport DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiControlDiagnosticReporting DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiResumeHwEngine DXGKDDI_INTERFACE_VERSION_WDDM2_4,
    DxgkDdiSignalMonitoredFence DXGKDDI_INTERFACE_VERSION_WDDM2_5,
    DxgkDdiPresentToHwQueue DXGKDDI_INTERFACE_VERSION_WDDM2_5,
    DxgkDdiValidateSubmitCommand DXGKDDI_INTERFACE_VERSION_WDDM2_5,
    DxgkDdiSetTargetAdjustedColorimetry2 DXGKDDI_INTERFACE_VERSION_WDDM2_5,
    DxgkDdiSetTrackedWorkloadPowerLevel DXGKDDI_INTERFACE_VERSION_WDDM2_5,
    DxgkDdiSaveMemoryForHotUpdate DXGKDDI_INTERFACE_VERSION_WDDM2_6,
    DxgkDdiRestoreMemoryForHotUpdate DXGKDDI_INTERFACE_VERSION_WDDM2_6,
    DxgkDdiCollectDiagnosticInfo DXGKDDI_INTERFACE_VERSION_WDDM2_6,
    Reserved3 DXGKDDI_INTERFACE_VERSION_WDDM2_6,
    DxgkDdiControlInterrupt3 DXGKDDI_INTERFACE_VERSION_WDDM2_7,
    DxgkDdiSetFlipQueueLogBuffer DXGKDDI_INTERFACE_VERSION_WDDM2_9,
    DxgkDdiUpdateFlipQueueLog DXGKDDI_INTERFACE_VERSION_WDDM2_9,
    DxgkDdiCancelQueuedFlips DXGKDDI_INTERFACE_VERSION_WDDM2_9,
    DxgkDdiSetInterruptTargetPresentId DXGKDDI_INTERFACE_VERSION_WDDM2_9,
    DxgkDdiSetAllocationBackingStore DXGKDDI_INTERFACE_VERSION_WDDM3_0,
    DxgkDdiCreateCpuEvent DXGKDDI_INTERFACE_VERSION_WDDM3_0,
    DxgkDdiDestroyCpuEvent DXGKDDI_INTERFACE_VERSION_WDDM3_0,
    DxgkDdiCancelFlips DXGKDDI_INTERFACE_VERSION_WDDM3_0,
    DxgkDdiCreateNativeFence DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DxgkDdiDestroyNativeFence DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DxgkDdiUpdateMonitoredValues DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DxgkDdiUpdateCurrentValuesFromCpu DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DxgkDdiCreateDoorbell DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DxgkDdiConnectDoorbell DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DxgkDdiDisconnectDoorbell DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DxgkDdiDestroyDoorbell DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DxgkDdiNotifyWorkSubmission DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    Reserved4 DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DxgkDdiCreateMemoryBasis DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiDestroyMemoryBasis DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiStartDirtyTracking DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiStopDirtyTracking DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiQueryDirtyBitData DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiPrepareLiveMigration DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiSaveImmutableMigrationData DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiSaveMutableMigrationData DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiEndLiveMigration DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiRestoreImmutableMigrationData DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiRestoreMutableMigrationData DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiWriteVirtualizedInterrupt DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiSetVirtualGpuResources2 DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiSetVirtualFunctionPauseState DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiOpenNativeFence DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiCloseNativeFence DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiSetNativeFenceLogBuffer DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiUpdateNativeFenceLogs DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiCollectDbgInfo2 DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiNotifyContextPriorityChange DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    DxgkDdiResetDisplayEngine DXGKDDI_INTERFACE_VERSION_WDDM3_2,
}
