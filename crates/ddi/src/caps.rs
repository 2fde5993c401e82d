//! `DXGK_DRIVERCAPS` and the capability words inside it.

use bitfield_struct::bitfield;

use crate::base::{BOOLEAN, D3DGPU_VIRTUAL_ADDRESS, PHYSICAL_ADDRESS};

/// How finely the GPU can preempt compute work. Page
/// `ne-d3dkmdt-d3dkmdt_compute_preemption_granularity`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY(pub i32);

impl D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY {
    pub const D3DKMDT_COMPUTE_PREEMPTION_NONE: Self = Self(0);
    pub const D3DKMDT_COMPUTE_PREEMPTION_DMA_BUFFER_BOUNDARY: Self = Self(100);
    pub const D3DKMDT_COMPUTE_PREEMPTION_DISPATCH_BOUNDARY: Self = Self(200);
    pub const D3DKMDT_COMPUTE_PREEMPTION_THREAD_GROUP_BOUNDARY: Self = Self(300);
    pub const D3DKMDT_COMPUTE_PREEMPTION_THREAD_BOUNDARY: Self = Self(400);
    pub const D3DKMDT_COMPUTE_PREEMPTION_SHADER_BOUNDARY: Self = Self(500);
}

/// How finely the GPU can preempt graphics work. Page
/// `ne-d3dkmdt-d3dkmdt_graphics_preemption_granularity`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DKMDT_GRAPHICS_PREEMPTION_GRANULARITY(pub i32);

impl D3DKMDT_GRAPHICS_PREEMPTION_GRANULARITY {
    pub const D3DKMDT_GRAPHICS_PREEMPTION_NONE: Self = Self(0);
    pub const D3DKMDT_GRAPHICS_PREEMPTION_DMA_BUFFER_BOUNDARY: Self = Self(100);
    pub const D3DKMDT_GRAPHICS_PREEMPTION_PRIMITIVE_BOUNDARY: Self = Self(200);
    pub const D3DKMDT_GRAPHICS_PREEMPTION_TRIANGLE_BOUNDARY: Self = Self(300);
    pub const D3DKMDT_GRAPHICS_PREEMPTION_PIXEL_BOUNDARY: Self = Self(400);
    pub const D3DKMDT_GRAPHICS_PREEMPTION_SHADER_BOUNDARY: Self = Self(500);
}

/// Display driver model versions as capability values. Page `ne-d3dkmddi-dxgk_wddmversion`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_WDDMVERSION(pub i32);

impl DXGK_WDDMVERSION {
    pub const DXGKDDI_WDDMv1: Self = Self(4096);
    pub const DXGKDDI_WDDMv1_2: Self = Self(4608);
    pub const DXGKDDI_WDDMv1_3: Self = Self(4864);
    pub const DXGKDDI_WDDMv2: Self = Self(8192);
    pub const DXGKDDI_WDDMv2_1: Self = Self(8448);
    pub const DXGKDDI_WDDMv2_1_5: Self = Self(8453);
    pub const DXGKDDI_WDDMv2_1_6: Self = Self(8454);
    pub const DXGKDDI_WDDMv2_2: Self = Self(8704);
    pub const DXGKDDI_WDDMv2_3: Self = Self(8960);
    pub const DXGKDDI_WDDMv2_4: Self = Self(9216);
    pub const DXGKDDI_WDDMv2_5: Self = Self(9472);
    pub const DXGKDDI_WDDMv2_6: Self = Self(9728);
    pub const DXGKDDI_WDDMv2_7: Self = Self(9984);
    pub const DXGKDDI_WDDMv2_8: Self = Self(10_240);
    pub const DXGKDDI_WDDMv2_9: Self = Self(10_496);
    pub const DXGKDDI_WDDMv3_0: Self = Self(12_288);
    pub const DXGKDDI_WDDMv3_1: Self = Self(12_544);
    pub const DXGKDDI_WDDMv3_2: Self = Self(12_800);
    pub const DXGKDDI_WDDM_LATEST: Self = Self(12_800);
}

/// Kinds of pointer shapes that the hardware draws. Page `ns-d3dkmddi-dxgk_pointerflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_POINTERFLAGS {
    pub Monochrome: bool,
    pub Color: bool,
    pub MaskedColor: bool,
    #[bits(29)]
    pub Reserved: u32,
}

/// Kinds of gamma ramps that the hardware has. Page `ns-d3dkmddi-dxgk_gammarampcaps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_GAMMARAMPCAPS {
    pub Gamma_Rgb256x3x16: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Kinds of colour transforms that the hardware has. Page `ns-d3dkmddi-dxgk_colortransformcaps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_COLORTRANSFORMCAPS {
    pub Gamma_Rgb256x3x16: bool,
    pub Gamma_Dxgi1: bool,
    pub Transform_3x4Matrix: bool,
    pub Transform_3x4Matrix_WideColor: bool,
    pub Transform_3x4Matrix_HighColor: bool,
    pub Transform_Matrix_V2: bool,
    #[bits(26)]
    pub Reserved: u32,
}

/// Presentation capabilities of a [`DXGK_DRIVERCAPS`]. Page `ns-d3dkmddi-dxgk_presentationcaps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_PRESENTATIONCAPS {
    pub NoScreenToScreenBlt: bool,
    pub NoOverlapScreenBlt: bool,
    pub SupportKernelModeCommandBuffer: bool,
    pub NoSameBitmapAlphaBlend: bool,
    pub NoSameBitmapStretchBlt: bool,
    pub NoSameBitmapTransparentBlt: bool,
    pub NoSameBitmapOverlappedAlphaBlend: bool,
    pub NoSameBitmapOverlappedStretchBlt: bool,
    pub DriverSupportsCddDwmInterop: bool,
    pub Reserved0: bool,
    #[bits(4)]
    pub AlignmentShift: u8,
    #[bits(3)]
    pub MaxTextureWidthShift: u8,
    #[bits(3)]
    pub MaxTextureHeightShift: u8,
    pub SupportAllBltRops: bool,
    pub SupportMirrorStretchBlt: bool,
    pub SupportMonoStretchBltModes: bool,
    pub StagingRectStartPitchAligned: bool,
    pub NoSameBitmapBitBlt: bool,
    pub NoSameBitmapOverlappedBitBlt: bool,
    pub Reserved1: bool,
    pub NoTempSurfaceForClearTypeBlend: bool,
    pub SupportSoftwareDeviceBitmaps: bool,
    pub NoCacheCoherentApertureMemory: bool,
    pub SupportLinearHeap: bool,
    pub Reserved: bool,
}

/// Flip capabilities of a [`DXGK_DRIVERCAPS`]. Page `ns-d3dkmddi-dxgk_flipcaps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_FLIPCAPS {
    pub FlipOnVSyncWithNoWait: bool,
    pub FlipOnVSyncMmIo: bool,
    pub FlipInterval: bool,
    pub FlipImmediateMmIo: bool,
    pub FlipIndependent: bool,
    pub DdiPresentForIFlip: bool,
    pub FlipImmediateOnHSync: bool,
    #[bits(25)]
    pub Reserved: u32,
}

/// Scheduling capabilities of a [`DXGK_DRIVERCAPS`]. Page `ns-d3dkmddi-_dxgk_vidschcaps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_VIDSCHCAPS {
    pub MultiEngineAware: bool,
    pub VSyncPowerSaveAware: bool,
    pub PreemptionAware: bool,
    pub NoDmaPatching: bool,
    pub CancelCommandAware: bool,
    pub No64BitAtomics: bool,
    pub LowIrqlPreemptCommand: bool,
    #[bits(4)]
    pub HwQueuePacketCap: u8,
    pub NativeGpuFence: bool,
    pub OptimizedNativeFenceSignaledInterrupt: bool,
    #[bits(19)]
    pub Reserved: u32,
}

/// Memory management capabilities of a [`DXGK_DRIVERCAPS`]. Page `ns-d3dkmddi-_dxgk_vidmmcaps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_VIDMMCAPS {
    pub Anonymous: DXGK_VIDMMCAPS_Anonymous,
    pub PagingNode: u32,
}

/// The bits of [`DXGK_VIDMMCAPS`] that its page lists without a name of their own for the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_VIDMMCAPS_Anonymous {
    pub OutOfOrderLock: bool,
    pub DedicatedPagingEngine: bool,
    pub PagingEngineCanSwizzle: bool,
    pub SectionBackedPrimary: bool,
    pub CrossAdapterResource: bool,
    pub VirtualAddressingSupported: bool,
    pub GpuMmuSupported: bool,
    pub IoMmuSupported: bool,
    pub ReplicateGdiContent: bool,
    pub NonCpuVisiblePrimary: bool,
    pub ParavirtualizationSupported: bool,
    pub IoMmuSecureModeSupported: bool,
    pub DisableSelfRefreshVRAMInS3: bool,
    pub IoMmuSecureModeRequired: bool,
    pub MapAperture2Supported: bool,
    pub CrossAdapterResourceTexture: bool,
    pub CrossAdapterResourceScanout: bool,
    pub AlwaysPoweredVRAM: bool,
    #[bits(14)]
    pub Reserved: u16,
}

/// Number of nodes in a [`DXGK_DRIVERCAPS`]. Page `ns-d3dkmddi-_dxgk_gpuenginetopology`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_GPUENGINETOPOLOGY {
    pub NbAsymetricProcessingNodes: u32,
    pub Reserved: [u32; 64],
}

/// Room of an abandoned capability structure. Page
/// `ns-d3dkmddi-dxgk_virtualaddresscaps_deprecated`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_VIRTUALADDRESSCAPS_DEPRECATED {
    pub Anonymous: DXGK_VIRTUALADDRESSCAPS_DEPRECATED_Anonymous,
    pub VirtualAddressBitCount: u32,
    pub PageTableCoverageBitCount: u32,
    pub PageDirectoryEntrySize: u32,
    pub PageDirectorySegment: u32,
    pub PageTableSegment: u32,
    pub IdealGPUPageSize: u32,
}

/// The bits of [`DXGK_VIRTUALADDRESSCAPS_DEPRECATED`] that its page lists without a name of their
/// own for the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_VIRTUALADDRESSCAPS_DEPRECATED_Anonymous {
    pub PrivilegedMemorySupported: bool,
    pub ReadOnlyMemorySupported: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Room of an abandoned capability structure. Page `ns-d3dkmddi-dxgk_dmabuffercaps_deprecated`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DMABUFFERCAPS_DEPRECATED {
    pub PresentDmaBuffer: DXGK_DMABUFFERCAPS_DEPRECATED_PresentDmaBuffer,
    pub PagingDmaBuffer: DXGK_DMABUFFERCAPS_DEPRECATED_PagingDmaBuffer,
}

/// The `PagingDmaBuffer` member of [`DXGK_DMABUFFERCAPS_DEPRECATED`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DMABUFFERCAPS_DEPRECATED_PagingDmaBuffer {
    pub Size: u32,
    pub PrivateDriverDataSize: u32,
    pub SegmentId: u32,
    pub Reserved1: u32,
    pub Reserved: [u32; 16],
}

/// The `PresentDmaBuffer` member of [`DXGK_DMABUFFERCAPS_DEPRECATED`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DMABUFFERCAPS_DEPRECATED_PresentDmaBuffer {
    pub Size: u32,
    pub PrivateDriverDataSize: u32,
    pub SegmentId: u32,
    pub Reserved1: u32,
    pub Reserved: [u32; 16],
}

/// Preemption granularity for graphics and compute. Page `ns-d3dkmdt-d3dkmdt_preemption_caps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_PREEMPTION_CAPS {
    pub GraphicsPreemptionGranularity: D3DKMDT_GRAPHICS_PREEMPTION_GRANULARITY,
    pub ComputePreemptionGranularity: D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY,
}

/// Properties of the hardware's flip queue. Page `ns-d3dkmddi-dxgk_hwqueuedflip_caps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_HWQUEUEDFLIP_CAPS {
    #[bits(32)]
    pub Reserved: u32,
}

/// The driver's capabilities, the first thing that the OS asks for; zero means no. Page
/// `ns-d3dkmddi-_dxgk_drivercaps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DRIVERCAPS {
    pub HighestAcceptableAddress: PHYSICAL_ADDRESS,
    pub MaxAllocationListSlotId: u32,
    pub ApertureSegmentCommitLimit: usize,
    pub MaxPointerWidth: u32,
    pub MaxPointerHeight: u32,
    pub PointerCaps: DXGK_POINTERFLAGS,
    pub InterruptMessageNumber: u32,
    pub NumberOfSwizzlingRanges: u32,
    pub MaxOverlays: u32,
    pub Anonymous: DXGK_DRIVERCAPS_Anonymous,
    pub PresentationCaps: DXGK_PRESENTATIONCAPS,
    pub MaxQueuedFlipOnVSync: u32,
    pub FlipCaps: DXGK_FLIPCAPS,
    pub SchedulingCaps: DXGK_VIDSCHCAPS,
    pub MemoryManagementCaps: DXGK_VIDMMCAPS,
    pub GpuEngineTopology: DXGK_GPUENGINETOPOLOGY,
    pub WDDMVersion: DXGK_WDDMVERSION,
    pub Reserved: DXGK_VIRTUALADDRESSCAPS_DEPRECATED,
    pub Reserved1: DXGK_DMABUFFERCAPS_DEPRECATED,
    pub PreemptionCaps: D3DKMDT_PREEMPTION_CAPS,
    pub SupportNonVGA: BOOLEAN,
    pub SupportSmoothRotation: BOOLEAN,
    pub SupportPerEngineTDR: BOOLEAN,
    pub SupportDirectFlip: BOOLEAN,
    pub SupportMultiPlaneOverlay: BOOLEAN,
    pub SupportRuntimePowerManagement: BOOLEAN,
    pub SupportSurpriseRemovalInHibernation: BOOLEAN,
    pub HybridDiscrete: BOOLEAN,
    pub MaxOverlayPlanes: u32,
    pub HybridIntegrated: BOOLEAN,
    pub InternalGpuVirtualAddressRangeStart: D3DGPU_VIRTUAL_ADDRESS,
    pub InternalGpuVirtualAddressRangeEnd: D3DGPU_VIRTUAL_ADDRESS,
    pub SupportSurpriseRemoval: BOOLEAN,
    pub SupportMultiPlaneOverlayImmediateFlip: BOOLEAN,
    pub CursorScaledWithMultiPlaneOverlayPlane0: BOOLEAN,
    pub HybridAcpiChainingRequired: BOOLEAN,
    pub MaxQueuedMultiPlaneOverlayFlipVSync: u32,
    pub MiscCaps: DXGK_DRIVERCAPS_MiscCaps,
    pub MaxHwQueuedFlips: u32,
    pub HwQueuedFlipCaps: DXGK_HWQUEUEDFLIP_CAPS,
}

/// The `MiscCaps` member of [`DXGK_DRIVERCAPS`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DRIVERCAPS_MiscCaps {
    pub SupportContextlessPresent: bool,
    pub Detachable: bool,
    pub VirtualGpuOnly: bool,
    pub ComputeOnly: bool,
    pub IndependentVidPnVSyncControl: bool,
    pub NoHybridDiscreteDListDllSupport: bool,
    pub DisplayableSupport: bool,
    pub NoHybridDiscreteDListDllMuxSupport: bool,
    pub CursorDoesNotSupportXorBlendWithMultiPlaneOverlay: bool,
    #[bits(23)]
    pub Reserved: u32,
}

/// The unnamed union of [`DXGK_DRIVERCAPS`] at offset 48.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_DRIVERCAPS_Anonymous {
    pub GammaRampCaps: DXGK_GAMMARAMPCAPS,
    pub ColorTransformCaps: DXGK_COLORTRANSFORMCAPS,
}

opaque_debug! {
    DXGK_DRIVERCAPS_Anonymous,
}

layouts! {
    DXGK_POINTERFLAGS = 4 {
    }
    DXGK_GAMMARAMPCAPS = 4 {
    }
    DXGK_COLORTRANSFORMCAPS = 4 {
    }
    DXGK_PRESENTATIONCAPS = 4 {
    }
    DXGK_FLIPCAPS = 4 {
    }
    DXGK_VIDSCHCAPS = 4 {
    }
    DXGK_VIDMMCAPS = 8 {
        Anonymous: 0,
        PagingNode: 4,
    }
    DXGK_VIDMMCAPS_Anonymous = 4 {
    }
    DXGK_GPUENGINETOPOLOGY = 260 {
        NbAsymetricProcessingNodes: 0,
        Reserved: 4,
    }
    DXGK_VIRTUALADDRESSCAPS_DEPRECATED = 28 {
        Anonymous: 0,
        VirtualAddressBitCount: 4,
        PageTableCoverageBitCount: 8,
        PageDirectoryEntrySize: 12,
        PageDirectorySegment: 16,
        PageTableSegment: 20,
        IdealGPUPageSize: 24,
    }
    DXGK_VIRTUALADDRESSCAPS_DEPRECATED_Anonymous = 4 {
    }
    DXGK_DMABUFFERCAPS_DEPRECATED = 160 {
        PresentDmaBuffer: 0,
        PresentDmaBuffer.Size: 0,
        PresentDmaBuffer.PrivateDriverDataSize: 4,
        PresentDmaBuffer.SegmentId: 8,
        PresentDmaBuffer.Reserved1: 12,
        PresentDmaBuffer.Reserved: 16,
        PagingDmaBuffer: 80,
        PagingDmaBuffer.Size: 80,
        PagingDmaBuffer.PrivateDriverDataSize: 84,
        PagingDmaBuffer.SegmentId: 88,
        PagingDmaBuffer.Reserved1: 92,
        PagingDmaBuffer.Reserved: 96,
    }
    DXGK_DMABUFFERCAPS_DEPRECATED_PagingDmaBuffer = 80 {
    }
    DXGK_DMABUFFERCAPS_DEPRECATED_PresentDmaBuffer = 80 {
    }
    D3DKMDT_PREEMPTION_CAPS = 8 {
        GraphicsPreemptionGranularity: 0,
        ComputePreemptionGranularity: 4,
    }
    DXGK_HWQUEUEDFLIP_CAPS = 4 {
    }
    DXGK_DRIVERCAPS = 592 {
        HighestAcceptableAddress: 0,
        MaxAllocationListSlotId: 8,
        ApertureSegmentCommitLimit: 16,
        MaxPointerWidth: 24,
        MaxPointerHeight: 28,
        PointerCaps: 32,
        InterruptMessageNumber: 36,
        NumberOfSwizzlingRanges: 40,
        MaxOverlays: 44,
        Anonymous: 48,
        Anonymous.GammaRampCaps: 48,
        Anonymous.ColorTransformCaps: 48,
        PresentationCaps: 52,
        MaxQueuedFlipOnVSync: 56,
        FlipCaps: 60,
        SchedulingCaps: 64,
        MemoryManagementCaps: 68,
        GpuEngineTopology: 76,
        WDDMVersion: 336,
        Reserved: 340,
        Reserved1: 368,
        PreemptionCaps: 528,
        SupportNonVGA: 536,
        SupportSmoothRotation: 537,
        SupportPerEngineTDR: 538,
        SupportDirectFlip: 539,
        SupportMultiPlaneOverlay: 540,
        SupportRuntimePowerManagement: 541,
        SupportSurpriseRemovalInHibernation: 542,
        HybridDiscrete: 543,
        MaxOverlayPlanes: 544,
        HybridIntegrated: 548,
        InternalGpuVirtualAddressRangeStart: 552,
        InternalGpuVirtualAddressRangeEnd: 560,
        SupportSurpriseRemoval: 568,
        SupportMultiPlaneOverlayImmediateFlip: 569,
        CursorScaledWithMultiPlaneOverlayPlane0: 570,
        HybridAcpiChainingRequired: 571,
        MaxQueuedMultiPlaneOverlayFlipVSync: 572,
        MiscCaps: 576,
        MaxHwQueuedFlips: 580,
        HwQueuedFlipCaps: 584,
    }
    DXGK_DRIVERCAPS_MiscCaps = 4 {
    }
    DXGK_DRIVERCAPS_Anonymous = 4 {
    }
}
