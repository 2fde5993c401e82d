//! Paging operations that the GPU MMU model adds, one structure each.

use bitfield_struct::bitfield;

use crate::base::{D3DGPU_PHYSICAL_ADDRESS, D3DGPU_VIRTUAL_ADDRESS, HANDLE, MDL, PVOID};
use crate::sysmem::DXGK_ADL;

/// Which way a virtual transfer goes. Page `ne-d3dkmddi-dxgk_memory_transfer_direction`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_MEMORY_TRANSFER_DIRECTION(pub i32);

impl DXGK_MEMORY_TRANSFER_DIRECTION {
    pub const DXGK_MEMORY_TRANSFER_LOCAL_TO_SYSTEM: Self = Self(0);
    pub const DXGK_MEMORY_TRANSFER_SYSTEM_TO_LOCAL: Self = Self(1);
    pub const DXGK_MEMORY_TRANSFER_LOCAL_TO_LOCAL: Self = Self(2);
}

/// How a transfer between virtual addresses is done. Page `ns-d3dkmddi-dxgk_transfervirtualflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_TRANSFERVIRTUALFLAGS {
    pub Src64KBPages: bool,
    pub Dst64KBPages: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Copies between GPU virtual addresses. Page
/// `ns-d3dkmddi-_dxgk_buildpagingbuffer_transfervirtual`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL {
    pub hAllocation: HANDLE,
    pub AllocationOffsetInBytes: u64,
    pub TransferSizeInBytes: u64,
    pub SourceVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub DestinationVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub SourcePageTable: D3DGPU_VIRTUAL_ADDRESS,
    pub TransferDirection: DXGK_MEMORY_TRANSFER_DIRECTION,
    pub Flags: DXGK_TRANSFERVIRTUALFLAGS,
    pub DestinationPageTable: D3DGPU_VIRTUAL_ADDRESS,
}

/// Fills a range of GPU virtual addresses with a pattern. Page
/// `ns-d3dkmddi-_dxgk_buildpagingbuffer_fillvirtual`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL {
    pub hAllocation: HANDLE,
    pub AllocationOffsetInBytes: u64,
    pub FillSizeInBytes: u64,
    pub FillPattern: u32,
    pub DestinationVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
}

/// Drops a process's cached translations of a range. Page
/// `ns-d3dkmddi-_dxgk_buildpagingbuffer_flushtlb`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_FLUSHTLB {
    pub RootPageTableAddress: D3DGPU_PHYSICAL_ADDRESS,
    pub hProcess: HANDLE,
    pub StartVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub EndVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
}

/// Rewrites context memory by private data. Page
/// `ns-d3dkmddi-dxgk_buildpagingbuffer_updatecontextallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION {
    pub ContextAllocation: D3DGPU_VIRTUAL_ADDRESS,
    pub ContextAllocationSize: u64,
    pub pDriverPrivateData: PVOID,
    pub DriverPrivateDataSize: u32,
}

/// An allocation has arrived in, or left, a segment. The header starts both bit members at bit 0.
/// Page `ns-d3dkmddi-dxgk_buildpagingbuffer_notifyresidency`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY {
    pub hAllocation: HANDLE,
    pub PhysicalAddress: D3DGPU_PHYSICAL_ADDRESS,
    pub Anonymous: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous,
}

/// The unnamed union of [`DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY`] at offset 24.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous {
    pub Anonymous: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous_Anonymous,
    pub Anonymous2: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous_Anonymous2,
}

/// The bits of [`DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY`] that its page lists without a name of
/// their own for the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous_Anonymous2 {
    #[bits(31)]
    pub Reserved: u32,
    #[bits(1)]
    __: u8,
}

/// The bits of [`DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY`] that its page lists without a name of
/// their own for the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous_Anonymous {
    pub Resident: bool,
    #[bits(31)]
    __: u32,
}

/// Writes a fence value after the operations before it. Page
/// `ns-d3dkmddi-dxgk_buildpagingbuffer_signalmonitoredfence`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE {
    pub MonitoredFenceGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub MonitoredFenceValue: u64,
}

/// Storage of native fences has arrived or left. Page
/// `ns-d3dkmddi-dxgk_buildpagingbuffer_notify_fence_residency`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY {
    pub NumFences: u32,
    pub Flags: DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY_Flags,
    pub FenceResidencyInfo: *mut DXGK_FENCE_RESIDENCY_INFO,
}

/// The `Flags` member of [`DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY_Flags {
    pub Reserved: u32,
}

/// Maps pages of an allocation in an MMU. Page `ns-d3dkmddi-dxgk_buildpagingbuffer_mapmmu`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_MAPMMU {
    pub hAllocation: HANDLE,
    pub VirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub MmuId: u16,
    pub SegmentId: u16,
    pub AllocationOffsetInPages: u32,
    pub Adl: DXGK_ADL,
}

/// Unmaps pages of an allocation from an MMU. Page `ns-d3dkmddi-dxgk_buildpagingbuffer_unmapmmu`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_UNMAPMMU {
    pub hAllocation: HANDLE,
    pub VirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub MmuId: u16,
    pub Reserved0: u16,
    pub AllocationOffset: u32,
    pub NumberOfPages: u32,
}

/// Part of an allocation has arrived in, or left, a segment. Page
/// `ns-d3dkmddi-dxgk_buildpagingbuffer_notifyresidency2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2 {
    pub hAllocation: HANDLE,
    pub AllocationOffsetInPages: u32,
    pub SizeInPages: u32,
    pub SegmentId: u16,
    pub Padding0: u16,
    pub Anonymous: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_Anonymous,
    pub Anonymous2: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_Anonymous2,
}

/// The bits of [`DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2`] that its page lists without a name of
/// their own for the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_Anonymous2 {
    pub Resident: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// The unnamed union of [`DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2`] at offset 24.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_Anonymous {
    pub PhysicalAddress: D3DGPU_PHYSICAL_ADDRESS,
    pub Mdl: *mut MDL,
}

/// What has happened to the range. Page `ns-d3dkmddi-dxgk_notifyallocflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_NOTIFYALLOCFLAGS {
    pub Eviction: bool,
    pub IoMmuUnmap: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// A range of an allocation has got, or lost, its GPU virtual address. Page
/// `ns-d3dkmddi-dxgk_buildpagingbuffer_notifyalloc`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYALLOC {
    pub hAllocation: HANDLE,
    pub hKmdProcessHandle: HANDLE,
    pub Flags: DXGK_NOTIFYALLOCFLAGS,
    pub OffsetInBytes: u64,
    pub SizeInBytes: u64,
    pub GpuVirtualAddressAtOffset: D3DGPU_VIRTUAL_ADDRESS,
}

/// One native fence whose storage has moved. Page `ns-d3dkmddi-dxgk_fence_residency_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_FENCE_RESIDENCY_INFO {
    pub hGlobalNativeFence: HANDLE,
    pub CurrentValuePhysicalAddress: D3DGPU_PHYSICAL_ADDRESS,
    pub MonitoredValuePhysicalAddress: D3DGPU_PHYSICAL_ADDRESS,
    pub CurrentValueKernelCpuVa: PVOID,
    pub MonitoredValueKernelCpuVa: PVOID,
}

opaque_debug! {
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous,
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_Anonymous,
}

layouts! {
    DXGK_TRANSFERVIRTUALFLAGS = 4 {
    }
    DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL = 64 {
        hAllocation: 0,
        AllocationOffsetInBytes: 8,
        TransferSizeInBytes: 16,
        SourceVirtualAddress: 24,
        DestinationVirtualAddress: 32,
        SourcePageTable: 40,
        TransferDirection: 48,
        Flags: 52,
        DestinationPageTable: 56,
    }
    DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL = 40 {
        hAllocation: 0,
        AllocationOffsetInBytes: 8,
        FillSizeInBytes: 16,
        FillPattern: 24,
        DestinationVirtualAddress: 32,
    }
    DXGK_BUILDPAGINGBUFFER_FLUSHTLB = 40 {
        RootPageTableAddress: 0,
        hProcess: 16,
        StartVirtualAddress: 24,
        EndVirtualAddress: 32,
    }
    DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION = 32 {
        ContextAllocation: 0,
        ContextAllocationSize: 8,
        pDriverPrivateData: 16,
        DriverPrivateDataSize: 24,
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY = 32 {
        hAllocation: 0,
        PhysicalAddress: 8,
        Anonymous: 24,
        Anonymous.Anonymous: 24,
        Anonymous.Anonymous2: 24,
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous = 4 {
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous_Anonymous2 = 4 {
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous_Anonymous = 4 {
    }
    DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE = 16 {
        MonitoredFenceGpuVa: 0,
        MonitoredFenceValue: 8,
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY = 16 {
        NumFences: 0,
        Flags: 4,
        Flags.Reserved: 4,
        FenceResidencyInfo: 8,
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY_Flags = 4 {
    }
    DXGK_BUILDPAGINGBUFFER_MAPMMU = 40 {
        hAllocation: 0,
        VirtualAddress: 8,
        MmuId: 16,
        SegmentId: 18,
        AllocationOffsetInPages: 20,
        Adl: 24,
    }
    DXGK_BUILDPAGINGBUFFER_UNMAPMMU = 32 {
        hAllocation: 0,
        VirtualAddress: 8,
        MmuId: 16,
        Reserved0: 18,
        AllocationOffset: 20,
        NumberOfPages: 24,
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2 = 48 {
        hAllocation: 0,
        AllocationOffsetInPages: 8,
        SizeInPages: 12,
        SegmentId: 16,
        Padding0: 18,
        Anonymous: 24,
        Anonymous.PhysicalAddress: 24,
        Anonymous.Mdl: 24,
        Anonymous2: 40,
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_Anonymous2 = 4 {
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_Anonymous = 16 {
    }
    DXGK_NOTIFYALLOCFLAGS = 4 {
    }
    DXGK_BUILDPAGINGBUFFER_NOTIFYALLOC = 48 {
        hAllocation: 0,
        hKmdProcessHandle: 8,
        Flags: 16,
        OffsetInBytes: 24,
        SizeInBytes: 32,
        GpuVirtualAddressAtOffset: 40,
    }
    DXGK_FENCE_RESIDENCY_INFO = 56 {
        hGlobalNativeFence: 0,
        CurrentValuePhysicalAddress: 8,
        MonitoredValuePhysicalAddress: 24,
        CurrentValueKernelCpuVa: 40,
        MonitoredValueKernelCpuVa: 48,
    }
}
