//! What the driver says of one allocation.

use bitfield_struct::bitfield;

use crate::base::{D3DDDIFORMAT, HANDLE, PVOID};

/// Banks inside the preferred segment. Page `ns-d3dkmddi-dxgk_segmentbankpreference`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SEGMENTBANKPREFERENCE {
    #[bits(7)]
    pub Bank0: u8,
    pub Direction0: bool,
    #[bits(7)]
    pub Bank1: u8,
    pub Direction1: bool,
    #[bits(7)]
    pub Bank2: u8,
    pub Direction2: bool,
    #[bits(7)]
    pub Bank3: u8,
    pub Direction3: bool,
}

/// Up to five segments in order of preference, with a direction in each. Page
/// `ns-d3dkmddi-dxgk_segmentpreference`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SEGMENTPREFERENCE {
    #[bits(5)]
    pub SegmentId0: u8,
    pub Direction0: bool,
    #[bits(5)]
    pub SegmentId1: u8,
    pub Direction1: bool,
    #[bits(5)]
    pub SegmentId2: u8,
    pub Direction2: bool,
    #[bits(5)]
    pub SegmentId3: u8,
    pub Direction3: bool,
    #[bits(5)]
    pub SegmentId4: u8,
    pub Direction4: bool,
    #[bits(2)]
    pub Reserved: u8,
}

/// Flags of [`DXGK_ALLOCATIONINFO`]. Page `ns-d3dkmddi-dxgk_allocationinfoflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_ALLOCATIONINFOFLAGS {
    pub CpuVisible: bool,
    pub PermanentSysMem: bool,
    pub Cached: bool,
    pub Protected: bool,
    pub ExistingSysMem: bool,
    pub ExistingKernelSysMem: bool,
    pub FromEndOfSegment: bool,
    pub Swizzled: bool,
    pub Overlay: bool,
    pub Capture: bool,
    pub UseAlternateVA: bool,
    pub SynchronousPaging: bool,
    pub LinkMirrored: bool,
    pub LinkInstanced: bool,
    pub HistoryBuffer: bool,
    pub AccessedPhysically: bool,
    pub ExplicitResidencyNotification: bool,
    pub HardwareProtected: bool,
    pub CpuVisibleOnDemand: bool,
    pub DXGK_ALLOC_RESERVED16: bool,
    pub Reserved15: bool,
    pub Reserved14: bool,
    pub Reserved13: bool,
    pub Reserved12: bool,
    pub Reserved11: bool,
    pub Reserved10: bool,
    pub Reserved9: bool,
    pub Reserved4: bool,
    pub Reserved3: bool,
    pub Reserved2: bool,
    pub Reserved1: bool,
    pub Reserved0: bool,
}

/// Properties of an allocation in the GPU virtual address models. Page
/// `ns-d3dkmddi-dxgk_allocationinfoflags_wddm2_0`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_ALLOCATIONINFOFLAGS_WDDM2_0 {
    pub CpuVisible: bool,
    pub PermanentSysMem: bool,
    pub Cached: bool,
    pub Protected: bool,
    pub ExistingSysMem: bool,
    pub ExistingKernelSysMem: bool,
    pub FromEndOfSegment: bool,
    pub DisableLargePageMapping: bool,
    pub Overlay: bool,
    pub Capture: bool,
    pub CreateInVpr: bool,
    pub DXGK_ALLOC_RESERVED17: bool,
    pub Reserved02: bool,
    pub MapApertureCpuVisible: bool,
    pub HistoryBuffer: bool,
    pub AccessedPhysically: bool,
    pub ExplicitResidencyNotification: bool,
    pub HardwareProtected: bool,
    pub CpuVisibleOnDemand: bool,
    pub DXGK_ALLOC_RESERVED16: bool,
    pub Reserved15: bool,
    pub Reserved14: bool,
    pub Reserved13: bool,
    pub Reserved12: bool,
    pub Reserved11: bool,
    pub Reserved10: bool,
    pub Reserved9: bool,
    pub Reserved4: bool,
    pub Reserved3: bool,
    pub Reserved2: bool,
    pub Reserved1: bool,
    pub Reserved0: bool,
}

/// Flags of [`DXGK_ALLOCATIONINFO`]. Page `ns-d3dkmddi-dxgk_allocationinfoflags2`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_ALLOCATIONINFOFLAGS2 {
    pub ShareBackingStoreWithKmd: bool,
    pub NoImplicitSynchronization: bool,
    pub DisablePartialResidency: bool,
    pub RestrictedToSingleSegment: bool,
    pub NotifyEviction: bool,
    pub NotifyIoMmuUnmap: bool,
    #[bits(26)]
    pub Reserved: u32,
}

/// What the driver says of one allocation: size, alignment, segments, flags, handle. Page
/// `ns-d3dkmddi-dxgk_allocationinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ALLOCATIONINFO {
    pub pPrivateDriverData: PVOID,
    pub PrivateDriverDataSize: u32,
    pub Anonymous: DXGK_ALLOCATIONINFO_Anonymous,
    pub Size: usize,
    pub PitchAlignedSize: usize,
    pub HintedBank: DXGK_SEGMENTBANKPREFERENCE,
    pub PreferredSegment: DXGK_SEGMENTPREFERENCE,
    pub Anonymous2: DXGK_ALLOCATIONINFO_Anonymous2,
    pub SupportedWriteSegmentSet: u32,
    pub EvictionSegmentSet: u32,
    pub Anonymous3: DXGK_ALLOCATIONINFO_Anonymous3,
    pub hAllocation: HANDLE,
    pub Anonymous4: DXGK_ALLOCATIONINFO_Anonymous4,
    pub pAllocationUsageHint: *mut DXGK_ALLOCATIONUSAGEHINT,
    pub AllocationPriority: u32,
    pub Flags2: DXGK_ALLOCATIONINFOFLAGS2,
}

/// The unnamed union of [`DXGK_ALLOCATIONINFO`] at offset 64.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_ALLOCATIONINFO_Anonymous4 {
    pub Flags: DXGK_ALLOCATIONINFOFLAGS,
    pub FlagsWddm2: DXGK_ALLOCATIONINFOFLAGS_WDDM2_0,
}

/// The unnamed union of [`DXGK_ALLOCATIONINFO`] at offset 52.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_ALLOCATIONINFO_Anonymous3 {
    pub MaximumRenamingListLength: u32,
    pub PhysicalAdapterIndex: u32,
}

/// The unnamed union of [`DXGK_ALLOCATIONINFO`] at offset 40.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_ALLOCATIONINFO_Anonymous2 {
    pub SupportedReadSegmentSet: u32,
    pub MmuSet: u32,
}

/// The unnamed union of [`DXGK_ALLOCATIONINFO`] at offset 12.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_ALLOCATIONINFO_Anonymous {
    pub Alignment: u32,
    pub Anonymous: DXGK_ALLOCATIONINFO_Anonymous_Anonymous,
}

/// One reading of the unnamed union of [`DXGK_ALLOCATIONINFO`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ALLOCATIONINFO_Anonymous_Anonymous {
    pub MinimumPageSize: u16,
    pub RecommendedPageSize: u16,
}

/// Format, size and rotation of an allocation's use. Page `ns-d3dkmddi-dxgk_allocationusageinfo1`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ALLOCATIONUSAGEINFO1 {
    pub Flags: DXGK_ALLOCATIONUSAGEINFO1_Flags,
    pub Anonymous: DXGK_ALLOCATIONUSAGEINFO1_Anonymous,
    pub SwizzledFormat: u32,
    pub ByteOffset: u32,
    pub Width: u32,
    pub Height: u32,
    pub Pitch: u32,
    pub Depth: u32,
    pub SlicePitch: u32,
}

/// The unnamed union of [`DXGK_ALLOCATIONUSAGEINFO1`] at offset 4.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_ALLOCATIONUSAGEINFO1_Anonymous {
    pub Format: D3DDDIFORMAT,
    pub PrivateFormat: u32,
}

/// The `Flags` member of [`DXGK_ALLOCATIONUSAGEINFO1`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_ALLOCATIONUSAGEINFO1_Flags {
    pub PrivateFormat: bool,
    pub Swizzled: bool,
    pub MipMap: bool,
    pub Cube: bool,
    pub Volume: bool,
    pub Vertex: bool,
    pub Index: bool,
    #[bits(25)]
    pub Reserved: u32,
}

/// What an allocation is used for. Page `ns-d3dkmddi-dxgk_allocationusagehint`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ALLOCATIONUSAGEHINT {
    pub Version: u32,
    pub v1: DXGK_ALLOCATIONUSAGEINFO1,
}

opaque_debug! {
    DXGK_ALLOCATIONINFO_Anonymous4,
    DXGK_ALLOCATIONINFO_Anonymous3,
    DXGK_ALLOCATIONINFO_Anonymous2,
    DXGK_ALLOCATIONINFO_Anonymous,
    DXGK_ALLOCATIONUSAGEINFO1_Anonymous,
}

layouts! {
    DXGK_SEGMENTBANKPREFERENCE = 4 {
    }
    DXGK_SEGMENTPREFERENCE = 4 {
    }
    DXGK_ALLOCATIONINFOFLAGS = 4 {
    }
    DXGK_ALLOCATIONINFOFLAGS_WDDM2_0 = 4 {
    }
    DXGK_ALLOCATIONINFOFLAGS2 = 4 {
    }
    DXGK_ALLOCATIONINFO = 88 {
        pPrivateDriverData: 0,
        PrivateDriverDataSize: 8,
        Anonymous: 12,
        Anonymous.Alignment: 12,
        Anonymous.Anonymous: 12,
        Anonymous.Anonymous.MinimumPageSize: 12,
        Anonymous.Anonymous.RecommendedPageSize: 14,
        Size: 16,
        PitchAlignedSize: 24,
        HintedBank: 32,
        PreferredSegment: 36,
        Anonymous2: 40,
        Anonymous2.SupportedReadSegmentSet: 40,
        Anonymous2.MmuSet: 40,
        SupportedWriteSegmentSet: 44,
        EvictionSegmentSet: 48,
        Anonymous3: 52,
        Anonymous3.MaximumRenamingListLength: 52,
        Anonymous3.PhysicalAdapterIndex: 52,
        hAllocation: 56,
        Anonymous4: 64,
        Anonymous4.Flags: 64,
        Anonymous4.FlagsWddm2: 64,
        pAllocationUsageHint: 72,
        AllocationPriority: 80,
        Flags2: 84,
    }
    DXGK_ALLOCATIONINFO_Anonymous4 = 4 {
    }
    DXGK_ALLOCATIONINFO_Anonymous3 = 4 {
    }
    DXGK_ALLOCATIONINFO_Anonymous2 = 4 {
    }
    DXGK_ALLOCATIONINFO_Anonymous = 4 {
    }
    DXGK_ALLOCATIONINFO_Anonymous_Anonymous = 4 {
    }
    DXGK_ALLOCATIONUSAGEINFO1 = 36 {
        Flags: 0,
        Anonymous: 4,
        Anonymous.Format: 4,
        Anonymous.PrivateFormat: 4,
        SwizzledFormat: 8,
        ByteOffset: 12,
        Width: 16,
        Height: 20,
        Pitch: 24,
        Depth: 28,
        SlicePitch: 32,
    }
    DXGK_ALLOCATIONUSAGEINFO1_Anonymous = 4 {
    }
    DXGK_ALLOCATIONUSAGEINFO1_Flags = 4 {
    }
    DXGK_ALLOCATIONUSAGEHINT = 40 {
        Version: 0,
        v1: 4,
    }
}
