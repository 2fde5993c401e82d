//! Page-table entries and updates.

use bitfield_struct::bitfield;

use crate::base::{D3DGPU_PHYSICAL_ADDRESS, D3DGPU_VIRTUAL_ADDRESS, HANDLE, PVOID};

/// Who writes page tables: the CPU, or the GPU by virtual or physical address. Page
/// `ne-d3dkmddi-dxgk_pagetableupdatemode`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_PAGETABLEUPDATEMODE(pub i32);

impl DXGK_PAGETABLEUPDATEMODE {
    pub const DXGK_PAGETABLEUPDATE_CPU_VIRTUAL: Self = Self(0);
    pub const DXGK_PAGETABLEUPDATE_GPU_VIRTUAL: Self = Self(1);
    pub const DXGK_PAGETABLEUPDATE_GPU_PHYSICAL: Self = Self(2);
}

/// A page-table entry in the OS's own terms: flags, and a page address or the address of the next
/// table, in 4 KiB units. Page `ns-d3dukmdt-dxgk_pte`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_PTE {
    pub Anonymous: DXGK_PTE_Anonymous,
    pub Anonymous2: DXGK_PTE_Anonymous2,
}

/// The unnamed union of [`DXGK_PTE`] at offset 8.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_PTE_Anonymous2 {
    pub PageAddress: u64,
    pub PageTableAddress: u64,
}

/// The bits of [`DXGK_PTE`] that its page lists without a name of their own for the word.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct DXGK_PTE_Anonymous {
    pub Valid: bool,
    pub Zero: bool,
    pub CacheCoherent: bool,
    pub ReadOnly: bool,
    pub NoExecute: bool,
    #[bits(5)]
    pub Segment: u8,
    pub LargePage: bool,
    #[bits(6)]
    pub PhysicalAdapterIndex: u8,
    #[bits(2)]
    pub PageTablePageSize: u8,
    pub SystemReserved0: bool,
    #[bits(44)]
    pub Reserved: u64,
}

/// Address of a page table, in the form that the update mode calls for. Page
/// `ns-d3dkmddi-dxgk_pagetableupdateaddress`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_PAGETABLEUPDATEADDRESS {
    pub CpuVirtual: PVOID,
    pub GpuPhysical: D3DGPU_PHYSICAL_ADDRESS,
    pub GpuVirtual: D3DGPU_VIRTUAL_ADDRESS,
}

/// How the entries of an update are to be read. Page `ns-d3dkmddi-_dxgk_updatepagetableflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_UPDATEPAGETABLEFLAGS {
    pub Repeat: bool,
    pub InitialUpdate: bool,
    pub NotifyEviction: bool,
    pub Use64KBPages: bool,
    pub NativeFence: bool,
    #[bits(27)]
    pub Reserved: u32,
}

/// Writes entries of one page table. Page `ns-d3dkmddi-_dxgk_buildpagingbuffer_updatepagetable`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE {
    pub PageTableLevel: u32,
    pub hAllocation: HANDLE,
    pub PageTableAddress: DXGK_PAGETABLEUPDATEADDRESS,
    pub pPageTableEntries: *mut DXGK_PTE,
    pub StartIndex: u32,
    pub NumPageTableEntries: u32,
    pub Reserved0: u32,
    pub Flags: DXGK_UPDATEPAGETABLEFLAGS,
    pub DriverProtection: u64,
    pub AllocationOffsetInBytes: u64,
    pub hProcess: HANDLE,
    pub UpdateMode: DXGK_PAGETABLEUPDATEMODE,
    pub pPageTableEntries64KB: *mut DXGK_PTE,
    pub FirstPteVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
}

/// Copies ranges of page-table entries. Page
/// `ns-d3dkmddi-dxgk_buildpagingbuffer_copypagetableentries`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES {
    pub NumRanges: u32,
    pub pRanges: *mut DXGK_BUILDPAGINGBUFFER_COPY_RANGE,
}

/// One range of page-table entries to copy. Page `ns-d3dkmddi-dxgk_buildpagingbuffer_copy_range`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_BUILDPAGINGBUFFER_COPY_RANGE {
    pub NumPageTableEntries: u32,
    pub SrcPageTableAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub DstPageTableAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub SrcStartPteIndex: u32,
    pub DstStartPteIndex: u32,
}

impl DXGK_PTE {
    /// An entry with these flags and this page, or next table, in 4 KiB units.
    #[must_use]
    pub const fn new(flags: DXGK_PTE_Anonymous, address: u64) -> Self {
        Self {
            Anonymous: flags,
            Anonymous2: DXGK_PTE_Anonymous2 {
                PageAddress: address,
            },
        }
    }

    /// The flags.
    #[must_use]
    pub const fn flags(self) -> DXGK_PTE_Anonymous {
        self.Anonymous
    }

    /// The page, or next table, in 4 KiB units.
    #[must_use]
    pub const fn address(self) -> u64 {
        // SAFETY: both members of the union are 64-bit numbers over the same eight bytes, so
        // either reads whatever the other wrote.
        unsafe { self.Anonymous2.PageAddress }
    }
}

opaque_debug! {
    DXGK_PTE_Anonymous2,
    DXGK_PAGETABLEUPDATEADDRESS,
}

layouts! {
    DXGK_PTE = 16 {
        Anonymous: 0,
        Anonymous2: 8,
        Anonymous2.PageAddress: 8,
        Anonymous2.PageTableAddress: 8,
    }
    DXGK_PTE_Anonymous2 = 8 {
    }
    DXGK_PTE_Anonymous = 8 {
    }
    DXGK_PAGETABLEUPDATEADDRESS = 16 {
        CpuVirtual: 0,
        GpuPhysical: 0,
        GpuVirtual: 0,
    }
    DXGK_UPDATEPAGETABLEFLAGS = 4 {
    }
    DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE = 104 {
        PageTableLevel: 0,
        hAllocation: 8,
        PageTableAddress: 16,
        pPageTableEntries: 32,
        StartIndex: 40,
        NumPageTableEntries: 44,
        Reserved0: 48,
        Flags: 52,
        DriverProtection: 56,
        AllocationOffsetInBytes: 64,
        hProcess: 72,
        UpdateMode: 80,
        pPageTableEntries64KB: 88,
        FirstPteVirtualAddress: 96,
    }
    DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES = 16 {
        NumRanges: 0,
        pRanges: 8,
    }
    DXGK_BUILDPAGINGBUFFER_COPY_RANGE = 32 {
        NumPageTableEntries: 0,
        SrcPageTableAddress: 8,
        DstPageTableAddress: 16,
        SrcStartPteIndex: 24,
        DstStartPteIndex: 28,
    }
}
