//! Memory segments and the GPU MMU, as `DxgkDdiQueryAdapterInfo` reports them.

use bitfield_struct::bitfield;

use crate::base::{HANDLE, LARGE_INTEGER, PHYSICAL_ADDRESS};
use crate::ntstatus::NTSTATUS;
use crate::pagetable::DXGK_PAGETABLEUPDATEMODE;

/// Page sizes, as powers of two from 4 KiB. Page `ne-d3dkmddi-dxgk_pagesize`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_PAGESIZE(pub i32);

impl DXGK_PAGESIZE {
    pub const DXGK_PAGESIZE_4KB: Self = Self(0);
    pub const DXGK_PAGESIZE_8KB: Self = Self(1);
    pub const DXGK_PAGESIZE_16KB: Self = Self(2);
    pub const DXGK_PAGESIZE_32KB: Self = Self(3);
    pub const DXGK_PAGESIZE_64KB: Self = Self(4);
    pub const DXGK_PAGESIZE_128KB: Self = Self(5);
    pub const DXGK_PAGESIZE_256KB: Self = Self(6);
    pub const DXGK_PAGESIZE_512KB: Self = Self(7);
    pub const DXGK_PAGESIZE_1MB: Self = Self(8);
    pub const DXGK_PAGESIZE_2MB: Self = Self(9);
    pub const DXGK_PAGESIZE_4MB: Self = Self(10);
    pub const DXGK_PAGESIZE_8MB: Self = Self(11);
    pub const DXGK_PAGESIZE_16MB: Self = Self(12);
    pub const DXGK_PAGESIZE_32MB: Self = Self(13);
    pub const DXGK_PAGESIZE_64MB: Self = Self(14);
    pub const DXGK_PAGESIZE_128MB: Self = Self(15);
}

/// Where a segment's memory is. Page `ne-d3dkmddi-dxgk_segmenttype`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_SEGMENTTYPE(pub i32);

impl DXGK_SEGMENTTYPE {
    pub const DXGK_SEGMENTTYPE_SYSMEM: Self = Self(0);
    pub const DXGK_SEGMENTTYPE_LOCAL: Self = Self(1);
}

/// What a segment is: aperture or memory, visible to the CPU or not. Page
/// `ns-d3dkmddi-dxgk_segmentflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SEGMENTFLAGS {
    pub Aperture: bool,
    pub Agp: bool,
    pub CpuVisible: bool,
    pub UseBanking: bool,
    pub CacheCoherent: bool,
    pub PitchAlignment: bool,
    pub PopulatedFromSystemMemory: bool,
    pub PreservedDuringStandby: bool,
    pub PreservedDuringHibernate: bool,
    pub PartiallyPreservedDuringHibernate: bool,
    pub DirectFlip: bool,
    pub Use64KBPages: bool,
    pub ReservedSysMem: bool,
    pub SupportsCpuHostAperture: bool,
    pub SupportsCachedCpuHostAperture: bool,
    pub ApplicationTarget: bool,
    pub VprSupported: bool,
    pub VprPreservedDuringStandby: bool,
    pub EncryptedPagingSupported: bool,
    pub LocalBudgetGroup: bool,
    pub NonLocalBudgetGroup: bool,
    pub PopulatedByReservedDDRByFirmware: bool,
    #[bits(10)]
    pub Reserved: u16,
}

/// The AGP aperture, shown with the older segment questions. Page
/// `ns-d3dkmddi-dxgk_querysegmentin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSEGMENTIN {
    pub AgpApertureBase: PHYSICAL_ADDRESS,
    pub AgpApertureSize: LARGE_INTEGER,
    pub AgpFlags: DXGK_SEGMENTFLAGS,
}

/// Which physical adapter's segments are asked for. Page `ns-d3dkmddi-dxgk_querysegmentin4`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSEGMENTIN4 {
    pub PhysicalAdapterIndex: u32,
}

/// Segments in the third form, and where paging buffers live. Page
/// `ns-d3dkmddi-dxgk_querysegmentout3`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSEGMENTOUT3 {
    pub NbSegment: u32,
    pub pSegmentDescriptor: *mut DXGK_SEGMENTDESCRIPTOR3,
    pub PagingBufferSegmentId: u32,
    pub PagingBufferSize: u32,
    pub PagingBufferPrivateDataSize: u32,
}

/// Segments in the fourth form, and where paging buffers live. Asked twice: first for the count,
/// then with room for the descriptors, one stride apart. Page `ns-d3dkmddi-_dxgk_querysegmentout4`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSEGMENTOUT4 {
    pub NbSegment: u32,
    pub pSegmentDescriptor: *mut u8,
    pub PagingBufferSegmentId: u32,
    pub PagingBufferSize: u32,
    pub PagingBufferPrivateDataSize: u32,
    pub SegmentDescriptorStride: usize,
}

/// A memory segment in the third form. Page `ns-d3dkmddi-dxgk_segmentdescriptor3`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SEGMENTDESCRIPTOR3 {
    pub Flags: DXGK_SEGMENTFLAGS,
    pub BaseAddress: PHYSICAL_ADDRESS,
    pub CpuTranslatedAddress: PHYSICAL_ADDRESS,
    pub Size: usize,
    pub NbOfBanks: u32,
    pub pBankRangeTable: *mut usize,
    pub CommitLimit: usize,
    pub SystemMemoryEndAddress: usize,
    pub Reserved: usize,
}

/// The aperture through which the CPU sees part of a segment. Page
/// `ns-d3dkmddi-dxgk_cpuhostaperture`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CPUHOSTAPERTURE {
    pub PhysicalAddress: u64,
    pub SizeInPages: u32,
}

/// A memory segment: flags, GPU base address, size, commit limit and how the CPU reaches it.
/// Identifiers count from 1. Page `ns-d3dkmddi-dxgk_segmentdescriptor4`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SEGMENTDESCRIPTOR4 {
    pub Flags: DXGK_SEGMENTFLAGS,
    pub BaseAddress: PHYSICAL_ADDRESS,
    pub Size: usize,
    pub CommitLimit: usize,
    pub SystemMemoryEndAddress: usize,
    pub Anonymous: DXGK_SEGMENTDESCRIPTOR4_Anonymous,
    pub NumInvalidMemoryRanges: u32,
    pub VprRangeStartOffset: usize,
    pub VprRangeSize: usize,
    pub VprAlignment: u32,
    pub NumVprSupported: u32,
    pub VprReserveSize: u32,
    pub NumUEFIFrameBufferRanges: u32,
}

/// The unnamed union of [`DXGK_SEGMENTDESCRIPTOR4`] at offset 40.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_SEGMENTDESCRIPTOR4_Anonymous {
    pub CpuTranslatedAddress: PHYSICAL_ADDRESS,
    pub CpuHostAperture: DXGK_CPUHOSTAPERTURE,
}

/// Ranges of a segment that must not be used. Page `ns-d3dkmddi-dxgk_querysegmentmemorystate`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSEGMENTMEMORYSTATE {
    pub DriverSegmentId: u16,
    pub PhysicalAdapterIndex: u16,
    pub Anonymous: DXGK_QUERYSEGMENTMEMORYSTATE_Anonymous,
    pub pMemoryRanges: *mut DXGK_MEMORYRANGE,
}

/// The unnamed union of [`DXGK_QUERYSEGMENTMEMORYSTATE`] at offset 4.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_QUERYSEGMENTMEMORYSTATE_Anonymous {
    pub NumInvalidMemoryRanges: u32,
    pub NumUEFIFrameBufferRanges: u32,
}

/// A range inside a segment. Page `ns-d3dkmddi-dxgk_memoryrange`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_MEMORYRANGE {
    pub SegmentOffset: u64,
    pub SizeInBytes: u64,
}

/// Number of ranges of a segment that must not be used. Page `ns-d3dkmddi-dxgk_segmentmemorystate`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SEGMENTMEMORYSTATE {
    pub DriverSegmentId: u16,
    pub PhysicalAdapterIndex: u16,
    pub Anonymous: DXGK_SEGMENTMEMORYSTATE_Anonymous,
    pub pMemoryRanges: *mut DXGK_MEMORYRANGE,
}

/// The unnamed union of [`DXGK_SEGMENTMEMORYSTATE`] at offset 4.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_SEGMENTMEMORYSTATE_Anonymous {
    pub NumInvalidMemoryRanges: u32,
    pub NumUEFIFrameBufferRanges: u32,
}

/// Which physical adapter's number of segments is asked for. Page
/// `ns-d3dkmddi-dxgk_querysegmentcountin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSEGMENTCOUNTIN {
    pub PhysicalAdapterIndex: u16,
    pub Padding: u16,
    pub Reserved: u32,
}

/// Number of segments of a physical adapter. Page `ns-d3dkmddi-dxgk_querysegmentcountout`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSEGMENTCOUNTOUT {
    pub SegmentCount: u16,
    pub Padding: u16,
    pub Reserved: u32,
}

/// Which physical adapter's segments are asked for, in the newest form. Page
/// `ns-d3dkmddi-dxgk_querysegmentin5`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSEGMENTIN5 {
    pub PhysicalAdapterIndex: u16,
    pub Padding: u16,
    pub Reserved: u32,
}

/// Room for segment descriptors of the fifth form. Page `ns-d3dkmddi-dxgk_querysegmentout5`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSEGMENTOUT5 {
    pub SegmentDescriptors: *mut DXGK_SEGMENTDESCRIPTOR5,
    pub Reserved: [u32; 4],
}

/// A memory segment in the fifth form. Page `ns-d3dkmddi-dxgk_segmentdescriptor5`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SEGMENTDESCRIPTOR5 {
    pub SegmentType: DXGK_SEGMENTTYPE,
    pub Flags: DXGK_SEGMENTFLAGS,
    pub BaseAddress: PHYSICAL_ADDRESS,
    pub Size: u64,
    pub SystemMemoryEndAddress: usize,
    pub Anonymous: DXGK_SEGMENTDESCRIPTOR5_Anonymous,
    pub VprRangeStartOffset: usize,
    pub VprRangeSize: usize,
    pub VprAlignment: u32,
    pub NumInvalidMemoryRanges: u32,
    pub NumVprSupported: u32,
    pub VprReserveSize: u32,
    pub NumUEFIFrameBufferRanges: u32,
    pub SlabSize: DXGK_PAGESIZE,
}

/// The unnamed union of [`DXGK_SEGMENTDESCRIPTOR5`] at offset 32.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_SEGMENTDESCRIPTOR5_Anonymous {
    pub CpuTranslatedAddress: PHYSICAL_ADDRESS,
    pub CpuHostAperture: DXGK_CPUHOSTAPERTURE,
}

/// Points pages of the CPU host aperture at memory of a segment. Page
/// `ns-d3dkmddi-dxgkarg_mapcpuhostaperture`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_MAPCPUHOSTAPERTURE {
    pub hAllocation: HANDLE,
    pub SegmentId: u16,
    pub PhysicalAdapterIndex: u16,
    pub NumberOfPages: u64,
    pub pCpuHostAperturePages: *mut u32,
    pub pMemorySegmentPages: *mut u64,
}

/// Releases pages of the CPU host aperture. Page `ns-d3dkmddi-dxgkarg_unmapcpuhostaperture`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_UNMAPCPUHOSTAPERTURE {
    pub NumberOfPages: u64,
    pub pCpuHostAperturePages: *mut u32,
    pub SegmentId: u16,
    pub PhysicalAdapterIndex: u16,
}

/// Page-table format properties of a GpuMmu adapter: address bits, levels, update mode. Page
/// `ns-d3dkmddi-_dxgk_gpummucaps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_GPUMMUCAPS {
    pub Anonymous: DXGK_GPUMMUCAPS_Anonymous,
    pub PageTableUpdateMode: DXGK_PAGETABLEUPDATEMODE,
    pub VirtualAddressBitCount: u32,
    pub LeafPageTableSizeFor64KPagesInBytes: u32,
    pub PageTableLevelCount: u32,
    pub LegacyBehaviors: DXGK_GPUMMUCAPS_LegacyBehaviors,
}

/// The `LegacyBehaviors` member of [`DXGK_GPUMMUCAPS`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_GPUMMUCAPS_LegacyBehaviors {
    pub SourcePageTableVaInTransfer: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// The bits of [`DXGK_GPUMMUCAPS`] that its page lists without a name of their own for the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_GPUMMUCAPS_Anonymous {
    pub ReadOnlyMemorySupported: bool,
    pub NoExecuteMemorySupported: bool,
    pub ZeroInPteSupported: bool,
    pub ExplicitPageTableInvalidation: bool,
    pub CacheCoherentMemorySupported: bool,
    pub PageTableUpdateRequireAddressSpaceIdle: bool,
    pub LargePageSupported: bool,
    pub DualPteSupported: bool,
    pub AllowNonAlignedLargePageAddress: bool,
    pub SysMem64KBPageSupported: bool,
    pub InvalidTlbEntriesNotCached: bool,
    pub SysMemLargePageSupported: bool,
    pub CachedPageTables: bool,
    #[bits(19)]
    pub Reserved: u32,
}

/// Which physical adapter's MMU is asked for. Page `ns-d3dkmddi-dxgk_querygpummucapsin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYGPUMMUCAPSIN {
    pub PhysicalAdapterIndex: u32,
}

/// Which page-table level is asked for. Page `ns-d3dkmddi-_dxgk_querypagetableleveldescin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYPAGETABLELEVELDESCIN {
    pub LevelIndex: u16,
    pub PhysicalAdapterIndex: u16,
}

/// Index bits, segment and size of the tables of one level. Page
/// `ns-d3dkmddi-_dxgk_page_table_level_desc`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_PAGE_TABLE_LEVEL_DESC {
    pub PageTableIndexBitCount: u32,
    pub PageTableSegmentId: u32,
    pub PagingProcessPageTableSegmentId: u32,
    pub PageTableSizeInBytes: u32,
    pub PageTableAlignmentInBytes: u32,
}

/// `DxgkDdiMapCpuHostAperture` with [`DXGKARG_MAPCPUHOSTAPERTURE`]. Page
/// `nc-d3dkmddi-dxgkddi_mapcpuhostaperture`.
pub type DXGKDDI_MAPCPUHOSTAPERTURE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARG_MAPCPUHOSTAPERTURE,
) -> NTSTATUS;

/// `DxgkDdiUnmapCpuHostAperture` with [`DXGKARG_UNMAPCPUHOSTAPERTURE`]. Page
/// `nc-d3dkmddi-dxgkddi_unmapcpuhostaperture`.
pub type DXGKDDI_UNMAPCPUHOSTAPERTURE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARG_UNMAPCPUHOSTAPERTURE,
) -> NTSTATUS;

opaque_debug! {
    DXGK_SEGMENTDESCRIPTOR4_Anonymous,
    DXGK_QUERYSEGMENTMEMORYSTATE_Anonymous,
    DXGK_SEGMENTMEMORYSTATE_Anonymous,
    DXGK_SEGMENTDESCRIPTOR5_Anonymous,
}

layouts! {
    DXGK_SEGMENTFLAGS = 4 {
    }
    DXGK_QUERYSEGMENTIN = 24 {
        AgpApertureBase: 0,
        AgpApertureSize: 8,
        AgpFlags: 16,
    }
    DXGK_QUERYSEGMENTIN4 = 4 {
        PhysicalAdapterIndex: 0,
    }
    DXGK_QUERYSEGMENTOUT3 = 32 {
        NbSegment: 0,
        pSegmentDescriptor: 8,
        PagingBufferSegmentId: 16,
        PagingBufferSize: 20,
        PagingBufferPrivateDataSize: 24,
    }
    DXGK_QUERYSEGMENTOUT4 = 40 {
        NbSegment: 0,
        pSegmentDescriptor: 8,
        PagingBufferSegmentId: 16,
        PagingBufferSize: 20,
        PagingBufferPrivateDataSize: 24,
        SegmentDescriptorStride: 32,
    }
    DXGK_SEGMENTDESCRIPTOR3 = 72 {
        Flags: 0,
        BaseAddress: 8,
        CpuTranslatedAddress: 16,
        Size: 24,
        NbOfBanks: 32,
        pBankRangeTable: 40,
        CommitLimit: 48,
        SystemMemoryEndAddress: 56,
        Reserved: 64,
    }
    DXGK_CPUHOSTAPERTURE = 16 {
        PhysicalAddress: 0,
        SizeInPages: 8,
    }
    DXGK_SEGMENTDESCRIPTOR4 = 96 {
        Flags: 0,
        BaseAddress: 8,
        Size: 16,
        CommitLimit: 24,
        SystemMemoryEndAddress: 32,
        Anonymous: 40,
        Anonymous.CpuTranslatedAddress: 40,
        Anonymous.CpuHostAperture: 40,
        NumInvalidMemoryRanges: 56,
        VprRangeStartOffset: 64,
        VprRangeSize: 72,
        VprAlignment: 80,
        NumVprSupported: 84,
        VprReserveSize: 88,
        NumUEFIFrameBufferRanges: 92,
    }
    DXGK_SEGMENTDESCRIPTOR4_Anonymous = 16 {
    }
    DXGK_QUERYSEGMENTMEMORYSTATE = 16 {
        DriverSegmentId: 0,
        PhysicalAdapterIndex: 2,
        Anonymous: 4,
        Anonymous.NumInvalidMemoryRanges: 4,
        Anonymous.NumUEFIFrameBufferRanges: 4,
        pMemoryRanges: 8,
    }
    DXGK_QUERYSEGMENTMEMORYSTATE_Anonymous = 4 {
    }
    DXGK_MEMORYRANGE = 16 {
        SegmentOffset: 0,
        SizeInBytes: 8,
    }
    DXGK_SEGMENTMEMORYSTATE = 16 {
        DriverSegmentId: 0,
        PhysicalAdapterIndex: 2,
        Anonymous: 4,
        Anonymous.NumInvalidMemoryRanges: 4,
        Anonymous.NumUEFIFrameBufferRanges: 4,
        pMemoryRanges: 8,
    }
    DXGK_SEGMENTMEMORYSTATE_Anonymous = 4 {
    }
    DXGK_QUERYSEGMENTCOUNTIN = 8 {
        PhysicalAdapterIndex: 0,
        Padding: 2,
        Reserved: 4,
    }
    DXGK_QUERYSEGMENTCOUNTOUT = 8 {
        SegmentCount: 0,
        Padding: 2,
        Reserved: 4,
    }
    DXGK_QUERYSEGMENTIN5 = 8 {
        PhysicalAdapterIndex: 0,
        Padding: 2,
        Reserved: 4,
    }
    DXGK_QUERYSEGMENTOUT5 = 24 {
        SegmentDescriptors: 0,
        Reserved: 8,
    }
    DXGK_SEGMENTDESCRIPTOR5 = 88 {
        SegmentType: 0,
        Flags: 4,
        BaseAddress: 8,
        Size: 16,
        SystemMemoryEndAddress: 24,
        Anonymous: 32,
        Anonymous.CpuTranslatedAddress: 32,
        Anonymous.CpuHostAperture: 32,
        VprRangeStartOffset: 48,
        VprRangeSize: 56,
        VprAlignment: 64,
        NumInvalidMemoryRanges: 68,
        NumVprSupported: 72,
        VprReserveSize: 76,
        NumUEFIFrameBufferRanges: 80,
        SlabSize: 84,
    }
    DXGK_SEGMENTDESCRIPTOR5_Anonymous = 16 {
    }
    DXGKARG_MAPCPUHOSTAPERTURE = 40 {
        hAllocation: 0,
        SegmentId: 8,
        PhysicalAdapterIndex: 10,
        NumberOfPages: 16,
        pCpuHostAperturePages: 24,
        pMemorySegmentPages: 32,
    }
    DXGKARG_UNMAPCPUHOSTAPERTURE = 24 {
        NumberOfPages: 0,
        pCpuHostAperturePages: 8,
        SegmentId: 16,
        PhysicalAdapterIndex: 18,
    }
    DXGK_GPUMMUCAPS = 24 {
        Anonymous: 0,
        PageTableUpdateMode: 4,
        VirtualAddressBitCount: 8,
        LeafPageTableSizeFor64KPagesInBytes: 12,
        PageTableLevelCount: 16,
        LegacyBehaviors: 20,
    }
    DXGK_GPUMMUCAPS_LegacyBehaviors = 4 {
    }
    DXGK_GPUMMUCAPS_Anonymous = 4 {
    }
    DXGK_QUERYGPUMMUCAPSIN = 4 {
        PhysicalAdapterIndex: 0,
    }
    DXGK_QUERYPAGETABLELEVELDESCIN = 4 {
        LevelIndex: 0,
        PhysicalAdapterIndex: 2,
    }
    DXGK_PAGE_TABLE_LEVEL_DESC = 20 {
        PageTableIndexBitCount: 0,
        PageTableSegmentId: 4,
        PagingProcessPageTableSegmentId: 8,
        PageTableSizeInBytes: 12,
        PageTableAlignmentInBytes: 16,
    }
}
