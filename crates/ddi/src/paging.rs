//! Paging operations and page-table updates.

use bitfield_struct::bitfield;

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, HANDLE, LARGE_INTEGER, MDL, PHYSICAL_ADDRESS, PVOID};
use crate::ntstatus::NTSTATUS;
use crate::pagetable::{
    DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES, DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE,
};
use crate::sysmem::DXGK_ADL;
use crate::transfer::{
    DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL, DXGK_BUILDPAGINGBUFFER_FLUSHTLB,
    DXGK_BUILDPAGINGBUFFER_MAPMMU, DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY,
    DXGK_BUILDPAGINGBUFFER_NOTIFYALLOC, DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY,
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2, DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE,
    DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL, DXGK_BUILDPAGINGBUFFER_UNMAPMMU,
    DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION,
};

/// The operations of `DxgkDdiBuildPagingBuffer`. Page
/// `ne-d3dkmddi-dxgk_buildpagingbuffer_operation`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_BUILDPAGINGBUFFER_OPERATION(pub i32);

impl DXGK_BUILDPAGINGBUFFER_OPERATION {
    pub const DXGK_OPERATION_TRANSFER: Self = Self(0);
    pub const DXGK_OPERATION_FILL: Self = Self(1);
    pub const DXGK_OPERATION_DISCARD_CONTENT: Self = Self(2);
    pub const DXGK_OPERATION_READ_PHYSICAL: Self = Self(3);
    pub const DXGK_OPERATION_WRITE_PHYSICAL: Self = Self(4);
    pub const DXGK_OPERATION_MAP_APERTURE_SEGMENT: Self = Self(5);
    pub const DXGK_OPERATION_UNMAP_APERTURE_SEGMENT: Self = Self(6);
    pub const DXGK_OPERATION_SPECIAL_LOCK_TRANSFER: Self = Self(7);
    pub const DXGK_OPERATION_VIRTUAL_TRANSFER: Self = Self(8);
    pub const DXGK_OPERATION_VIRTUAL_FILL: Self = Self(9);
    pub const DXGK_OPERATION_INIT_CONTEXT_RESOURCE: Self = Self(10);
    pub const DXGK_OPERATION_UPDATE_PAGE_TABLE: Self = Self(11);
    pub const DXGK_OPERATION_FLUSH_TLB: Self = Self(12);
    pub const DXGK_OPERATION_UPDATE_CONTEXT_ALLOCATION: Self = Self(13);
    pub const DXGK_OPERATION_COPY_PAGE_TABLE_ENTRIES: Self = Self(14);
    pub const DXGK_OPERATION_NOTIFY_RESIDENCY: Self = Self(15);
    pub const DXGK_OPERATION_SIGNAL_MONITORED_FENCE: Self = Self(16);
    pub const DXGK_OPERATION_MAP_APERTURE_SEGMENT2: Self = Self(17);
    pub const DXGK_OPERATION_NOTIFY_FENCE_RESIDENCY: Self = Self(18);
    pub const DXGK_OPERATION_MAP_MMU: Self = Self(19);
    pub const DXGK_OPERATION_UNMAP_MMU: Self = Self(20);
    pub const DXGK_OPERATION_NOTIFY_RESIDENCY2: Self = Self(21);
    pub const DXGK_OPERATION_NOTIFY_ALLOC: Self = Self(22);
}

/// How a transfer is done. Page `ns-d3dkmddi-dxgk_transferflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_TRANSFERFLAGS {
    pub Swizzle: bool,
    pub Unswizzle: bool,
    pub AllocationIsIdle: bool,
    pub TransferStart: bool,
    pub TransferEnd: bool,
    #[bits(27)]
    pub Reserved: u32,
}

/// What about an allocation's contents is given up. Page `ns-d3dkmddi-dxgk_discardcontentflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DISCARDCONTENTFLAGS {
    pub AllocationIsIdle: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// How pages are mapped into an aperture segment. Page `ns-d3dkmddi-dxgk_mapapertureflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_MAPAPERTUREFLAGS {
    pub CacheCoherent: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// One memory management operation, to be turned into commands of the paging buffer or carried out
/// at once. `Operation` says which arm holds. Page `ns-d3dkmddi-_dxgkarg_buildpagingbuffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER {
    pub pDmaBuffer: PVOID,
    pub DmaSize: u32,
    pub pDmaBufferPrivateData: PVOID,
    pub DmaBufferPrivateDataSize: u32,
    pub Operation: DXGK_BUILDPAGINGBUFFER_OPERATION,
    pub MultipassOffset: u32,
    pub Anonymous: DXGKARG_BUILDPAGINGBUFFER_Anonymous,
    pub hSystemContext: HANDLE,
    pub DmaBufferGpuVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub DmaBufferWriteOffset: u32,
}

/// The unnamed union of [`DXGKARG_BUILDPAGINGBUFFER`] at offset 40.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_BUILDPAGINGBUFFER_Anonymous {
    pub Transfer: DXGKARG_BUILDPAGINGBUFFER_Transfer,
    pub Fill: DXGKARG_BUILDPAGINGBUFFER_Fill,
    pub DiscardContent: DXGKARG_BUILDPAGINGBUFFER_DiscardContent,
    pub ReadPhysical: DXGKARG_BUILDPAGINGBUFFER_ReadPhysical,
    pub WritePhysical: DXGKARG_BUILDPAGINGBUFFER_WritePhysical,
    pub MapApertureSegment: DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment,
    pub UnmapApertureSegment: DXGKARG_BUILDPAGINGBUFFER_UnmapApertureSegment,
    pub SpecialLockTransfer: DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer,
    pub InitContextResource: DXGKARG_BUILDPAGINGBUFFER_InitContextResource,
    pub TransferVirtual: DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL,
    pub FillVirtual: DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL,
    pub UpdatePageTable: DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE,
    pub FlushTlb: DXGK_BUILDPAGINGBUFFER_FLUSHTLB,
    pub CopyPageTableEntries: DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES,
    pub UpdateContextAllocation: DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION,
    pub NotifyResidency: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY,
    pub SignalMonitoredFence: DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE,
    pub NotifyFenceResidency: DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY,
    pub MmapMmu: DXGK_BUILDPAGINGBUFFER_MAPMMU,
    pub UnmapMmu: DXGK_BUILDPAGINGBUFFER_UNMAPMMU,
    pub NotifyResidency2: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2,
    pub NotifyAllocation: DXGK_BUILDPAGINGBUFFER_NOTIFYALLOC,
    pub MapApertureSegment2: DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment2,
    pub Reserved: DXGKARG_BUILDPAGINGBUFFER_Reserved,
}

/// The `Reserved` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_Reserved {
    pub Reserved: [u32; 64],
}

/// The `MapApertureSegment2` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment2 {
    pub hDevice: HANDLE,
    pub hAllocation: HANDLE,
    pub SegmentId: u32,
    pub OffsetInPages: usize,
    pub NumberOfPages: usize,
    pub Adl: DXGK_ADL,
    pub Flags: DXGK_MAPAPERTUREFLAGS,
    pub AdlOffset: u32,
    pub CpuVisibleAddress: PVOID,
}

/// The `InitContextResource` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_InitContextResource {
    pub hAllocation: HANDLE,
    pub Destination: DXGKARG_BUILDPAGINGBUFFER_InitContextResource_Destination,
}

/// The `Destination` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_InitContextResource_Destination {
    pub SegmentId: u32,
    pub Anonymous: DXGKARG_BUILDPAGINGBUFFER_InitContextResource_Destination_Anonymous,
    pub VirtualAddress: PVOID,
    pub GpuVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
}

/// The unnamed union of [`DXGKARG_BUILDPAGINGBUFFER`] at offset 56.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_BUILDPAGINGBUFFER_InitContextResource_Destination_Anonymous {
    pub SegmentAddress: LARGE_INTEGER,
    pub pMdl: *mut MDL,
}

/// The `SpecialLockTransfer` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer {
    pub hAllocation: HANDLE,
    pub TransferOffset: u32,
    pub TransferSize: usize,
    pub Source: DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Source,
    pub Destination: DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Destination,
    pub Flags: DXGK_TRANSFERFLAGS,
    pub SwizzlingRangeId: u32,
    pub SwizzlingRangeData: u32,
}

/// The `Destination` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Destination {
    pub SegmentId: u32,
    pub Anonymous: DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Destination_Anonymous,
}

/// The unnamed union of [`DXGKARG_BUILDPAGINGBUFFER`] at offset 88.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Destination_Anonymous {
    pub SegmentAddress: LARGE_INTEGER,
    pub pMdl: *mut MDL,
}

/// The `Source` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Source {
    pub SegmentId: u32,
    pub Anonymous: DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Source_Anonymous,
}

/// The unnamed union of [`DXGKARG_BUILDPAGINGBUFFER`] at offset 72.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Source_Anonymous {
    pub SegmentAddress: LARGE_INTEGER,
    pub pMdl: *mut MDL,
}

/// The `UnmapApertureSegment` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_UnmapApertureSegment {
    pub hDevice: HANDLE,
    pub hAllocation: HANDLE,
    pub SegmentId: u32,
    pub OffsetInPages: usize,
    pub NumberOfPages: usize,
    pub DummyPage: PHYSICAL_ADDRESS,
}

/// The `MapApertureSegment` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment {
    pub hDevice: HANDLE,
    pub hAllocation: HANDLE,
    pub SegmentId: u32,
    pub OffsetInPages: usize,
    pub NumberOfPages: usize,
    pub pMdl: *mut MDL,
    pub Flags: DXGK_MAPAPERTUREFLAGS,
    pub MdlOffset: u32,
}

/// The `WritePhysical` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_WritePhysical {
    pub SegmentId: u32,
    pub PhysicalAddress: PHYSICAL_ADDRESS,
}

/// The `ReadPhysical` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_ReadPhysical {
    pub SegmentId: u32,
    pub PhysicalAddress: PHYSICAL_ADDRESS,
}

/// The `DiscardContent` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_DiscardContent {
    pub hAllocation: HANDLE,
    pub Flags: DXGK_DISCARDCONTENTFLAGS,
    pub SegmentId: u32,
    pub SegmentAddress: PHYSICAL_ADDRESS,
}

/// The `Fill` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_Fill {
    pub hAllocation: HANDLE,
    pub FillSize: usize,
    pub FillPattern: u32,
    pub Destination: DXGKARG_BUILDPAGINGBUFFER_Fill_Destination,
}

/// The `Destination` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_Fill_Destination {
    pub SegmentId: u32,
    pub SegmentAddress: LARGE_INTEGER,
}

/// The `Transfer` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_Transfer {
    pub hAllocation: HANDLE,
    pub TransferOffset: u32,
    pub TransferSize: usize,
    pub Source: DXGKARG_BUILDPAGINGBUFFER_Transfer_Source,
    pub Destination: DXGKARG_BUILDPAGINGBUFFER_Transfer_Destination,
    pub Flags: DXGK_TRANSFERFLAGS,
    pub MdlOffset: u32,
}

/// The `Destination` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_Transfer_Destination {
    pub SegmentId: u32,
    pub Anonymous: DXGKARG_BUILDPAGINGBUFFER_Transfer_Destination_Anonymous,
}

/// The unnamed union of [`DXGKARG_BUILDPAGINGBUFFER`] at offset 88.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_BUILDPAGINGBUFFER_Transfer_Destination_Anonymous {
    pub SegmentAddress: LARGE_INTEGER,
    pub pMdl: *mut MDL,
}

/// The `Source` member of [`DXGKARG_BUILDPAGINGBUFFER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDPAGINGBUFFER_Transfer_Source {
    pub SegmentId: u32,
    pub Anonymous: DXGKARG_BUILDPAGINGBUFFER_Transfer_Source_Anonymous,
}

/// The unnamed union of [`DXGKARG_BUILDPAGINGBUFFER`] at offset 72.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_BUILDPAGINGBUFFER_Transfer_Source_Anonymous {
    pub SegmentAddress: LARGE_INTEGER,
    pub pMdl: *mut MDL,
}

/// The system context's page-table addresses around a paging operation. Page
/// `ns-d3dkmddi-dxgk_primarycontextdata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_PRIMARYCONTEXTDATA {
    pub hContext: HANDLE,
    pub hAllocation: HANDLE,
    pub Anonymous: DXGK_PRIMARYCONTEXTDATA_Anonymous,
    pub Anonymous2: DXGK_PRIMARYCONTEXTDATA_Anonymous2,
}

/// The unnamed union of [`DXGK_PRIMARYCONTEXTDATA`] at offset 24.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_PRIMARYCONTEXTDATA_Anonymous2 {
    pub SegmentAddress: PHYSICAL_ADDRESS,
    pub VirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
}

/// The unnamed union of [`DXGK_PRIMARYCONTEXTDATA`] at offset 16.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_PRIMARYCONTEXTDATA_Anonymous {
    pub SegmentId: u16,
    pub MmuId: u16,
}

/// `DxgkDdiBuildPagingBuffer` with [`DXGKARG_BUILDPAGINGBUFFER`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_buildpagingbuffer`.
pub type DXGKDDI_BUILDPAGINGBUFFER = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pBuildPagingBuffer: *mut DXGKARG_BUILDPAGINGBUFFER,
) -> NTSTATUS;

opaque_debug! {
    DXGKARG_BUILDPAGINGBUFFER_Anonymous,
    DXGKARG_BUILDPAGINGBUFFER_InitContextResource_Destination_Anonymous,
    DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Destination_Anonymous,
    DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Source_Anonymous,
    DXGKARG_BUILDPAGINGBUFFER_Transfer_Destination_Anonymous,
    DXGKARG_BUILDPAGINGBUFFER_Transfer_Source_Anonymous,
    DXGK_PRIMARYCONTEXTDATA_Anonymous2,
    DXGK_PRIMARYCONTEXTDATA_Anonymous,
}

layouts! {
    DXGK_TRANSFERFLAGS = 4 {
    }
    DXGK_DISCARDCONTENTFLAGS = 4 {
    }
    DXGK_MAPAPERTUREFLAGS = 4 {
    }
    DXGKARG_BUILDPAGINGBUFFER = 320 {
        pDmaBuffer: 0,
        DmaSize: 8,
        pDmaBufferPrivateData: 16,
        DmaBufferPrivateDataSize: 24,
        Operation: 28,
        MultipassOffset: 32,
        Anonymous: 40,
        Anonymous.Transfer: 40,
        Anonymous.Transfer.hAllocation: 40,
        Anonymous.Transfer.TransferOffset: 48,
        Anonymous.Transfer.TransferSize: 56,
        Anonymous.Transfer.Source: 64,
        Anonymous.Transfer.Source.SegmentId: 64,
        Anonymous.Transfer.Source.Anonymous: 72,
        Anonymous.Transfer.Source.Anonymous.SegmentAddress: 72,
        Anonymous.Transfer.Source.Anonymous.pMdl: 72,
        Anonymous.Transfer.Destination: 80,
        Anonymous.Transfer.Destination.SegmentId: 80,
        Anonymous.Transfer.Destination.Anonymous: 88,
        Anonymous.Transfer.Destination.Anonymous.SegmentAddress: 88,
        Anonymous.Transfer.Destination.Anonymous.pMdl: 88,
        Anonymous.Transfer.Flags: 96,
        Anonymous.Transfer.MdlOffset: 100,
        Anonymous.Fill: 40,
        Anonymous.Fill.hAllocation: 40,
        Anonymous.Fill.FillSize: 48,
        Anonymous.Fill.FillPattern: 56,
        Anonymous.Fill.Destination: 64,
        Anonymous.Fill.Destination.SegmentId: 64,
        Anonymous.Fill.Destination.SegmentAddress: 72,
        Anonymous.DiscardContent: 40,
        Anonymous.DiscardContent.hAllocation: 40,
        Anonymous.DiscardContent.Flags: 48,
        Anonymous.DiscardContent.SegmentId: 52,
        Anonymous.DiscardContent.SegmentAddress: 56,
        Anonymous.ReadPhysical: 40,
        Anonymous.ReadPhysical.SegmentId: 40,
        Anonymous.ReadPhysical.PhysicalAddress: 48,
        Anonymous.WritePhysical: 40,
        Anonymous.WritePhysical.SegmentId: 40,
        Anonymous.WritePhysical.PhysicalAddress: 48,
        Anonymous.MapApertureSegment: 40,
        Anonymous.MapApertureSegment.hDevice: 40,
        Anonymous.MapApertureSegment.hAllocation: 48,
        Anonymous.MapApertureSegment.SegmentId: 56,
        Anonymous.MapApertureSegment.OffsetInPages: 64,
        Anonymous.MapApertureSegment.NumberOfPages: 72,
        Anonymous.MapApertureSegment.pMdl: 80,
        Anonymous.MapApertureSegment.Flags: 88,
        Anonymous.MapApertureSegment.MdlOffset: 92,
        Anonymous.UnmapApertureSegment: 40,
        Anonymous.UnmapApertureSegment.hDevice: 40,
        Anonymous.UnmapApertureSegment.hAllocation: 48,
        Anonymous.UnmapApertureSegment.SegmentId: 56,
        Anonymous.UnmapApertureSegment.OffsetInPages: 64,
        Anonymous.UnmapApertureSegment.NumberOfPages: 72,
        Anonymous.UnmapApertureSegment.DummyPage: 80,
        Anonymous.SpecialLockTransfer: 40,
        Anonymous.SpecialLockTransfer.hAllocation: 40,
        Anonymous.SpecialLockTransfer.TransferOffset: 48,
        Anonymous.SpecialLockTransfer.TransferSize: 56,
        Anonymous.SpecialLockTransfer.Source: 64,
        Anonymous.SpecialLockTransfer.Source.SegmentId: 64,
        Anonymous.SpecialLockTransfer.Source.Anonymous: 72,
        Anonymous.SpecialLockTransfer.Source.Anonymous.SegmentAddress: 72,
        Anonymous.SpecialLockTransfer.Source.Anonymous.pMdl: 72,
        Anonymous.SpecialLockTransfer.Destination: 80,
        Anonymous.SpecialLockTransfer.Destination.SegmentId: 80,
        Anonymous.SpecialLockTransfer.Destination.Anonymous: 88,
        Anonymous.SpecialLockTransfer.Destination.Anonymous.SegmentAddress: 88,
        Anonymous.SpecialLockTransfer.Destination.Anonymous.pMdl: 88,
        Anonymous.SpecialLockTransfer.Flags: 96,
        Anonymous.SpecialLockTransfer.SwizzlingRangeId: 100,
        Anonymous.SpecialLockTransfer.SwizzlingRangeData: 104,
        Anonymous.InitContextResource: 40,
        Anonymous.InitContextResource.hAllocation: 40,
        Anonymous.InitContextResource.Destination: 48,
        Anonymous.InitContextResource.Destination.SegmentId: 48,
        Anonymous.InitContextResource.Destination.Anonymous: 56,
        Anonymous.InitContextResource.Destination.Anonymous.SegmentAddress: 56,
        Anonymous.InitContextResource.Destination.Anonymous.pMdl: 56,
        Anonymous.InitContextResource.Destination.VirtualAddress: 64,
        Anonymous.InitContextResource.Destination.GpuVirtualAddress: 72,
        Anonymous.TransferVirtual: 40,
        Anonymous.FillVirtual: 40,
        Anonymous.UpdatePageTable: 40,
        Anonymous.FlushTlb: 40,
        Anonymous.CopyPageTableEntries: 40,
        Anonymous.UpdateContextAllocation: 40,
        Anonymous.NotifyResidency: 40,
        Anonymous.SignalMonitoredFence: 40,
        Anonymous.NotifyFenceResidency: 40,
        Anonymous.MmapMmu: 40,
        Anonymous.UnmapMmu: 40,
        Anonymous.NotifyResidency2: 40,
        Anonymous.NotifyAllocation: 40,
        Anonymous.MapApertureSegment2: 40,
        Anonymous.MapApertureSegment2.hDevice: 40,
        Anonymous.MapApertureSegment2.hAllocation: 48,
        Anonymous.MapApertureSegment2.SegmentId: 56,
        Anonymous.MapApertureSegment2.OffsetInPages: 64,
        Anonymous.MapApertureSegment2.NumberOfPages: 72,
        Anonymous.MapApertureSegment2.Adl: 80,
        Anonymous.MapApertureSegment2.Flags: 96,
        Anonymous.MapApertureSegment2.AdlOffset: 100,
        Anonymous.MapApertureSegment2.CpuVisibleAddress: 104,
        Anonymous.Reserved: 40,
        Anonymous.Reserved.Reserved: 40,
        hSystemContext: 296,
        DmaBufferGpuVirtualAddress: 304,
        DmaBufferWriteOffset: 312,
    }
    DXGKARG_BUILDPAGINGBUFFER_Anonymous = 256 {
    }
    DXGKARG_BUILDPAGINGBUFFER_Reserved = 256 {
    }
    DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment2 = 72 {
    }
    DXGKARG_BUILDPAGINGBUFFER_InitContextResource = 40 {
    }
    DXGKARG_BUILDPAGINGBUFFER_InitContextResource_Destination = 32 {
    }
    DXGKARG_BUILDPAGINGBUFFER_InitContextResource_Destination_Anonymous = 8 {
    }
    DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer = 72 {
    }
    DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Destination = 16 {
    }
    DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Destination_Anonymous = 8 {
    }
    DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Source = 16 {
    }
    DXGKARG_BUILDPAGINGBUFFER_SpecialLockTransfer_Source_Anonymous = 8 {
    }
    DXGKARG_BUILDPAGINGBUFFER_UnmapApertureSegment = 48 {
    }
    DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment = 56 {
    }
    DXGKARG_BUILDPAGINGBUFFER_WritePhysical = 16 {
    }
    DXGKARG_BUILDPAGINGBUFFER_ReadPhysical = 16 {
    }
    DXGKARG_BUILDPAGINGBUFFER_DiscardContent = 24 {
    }
    DXGKARG_BUILDPAGINGBUFFER_Fill = 40 {
    }
    DXGKARG_BUILDPAGINGBUFFER_Fill_Destination = 16 {
    }
    DXGKARG_BUILDPAGINGBUFFER_Transfer = 64 {
    }
    DXGKARG_BUILDPAGINGBUFFER_Transfer_Destination = 16 {
    }
    DXGKARG_BUILDPAGINGBUFFER_Transfer_Destination_Anonymous = 8 {
    }
    DXGKARG_BUILDPAGINGBUFFER_Transfer_Source = 16 {
    }
    DXGKARG_BUILDPAGINGBUFFER_Transfer_Source_Anonymous = 8 {
    }
    DXGK_PRIMARYCONTEXTDATA = 32 {
        hContext: 0,
        hAllocation: 8,
        Anonymous: 16,
        Anonymous.SegmentId: 16,
        Anonymous.MmuId: 16,
        Anonymous2: 24,
        Anonymous2.SegmentAddress: 24,
        Anonymous2.VirtualAddress: 24,
    }
    DXGK_PRIMARYCONTEXTDATA_Anonymous2 = 8 {
    }
    DXGK_PRIMARYCONTEXTDATA_Anonymous = 2 {
    }
}
