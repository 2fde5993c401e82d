//! Arguments of the callbacks that allocate, map and describe system memory.

use bitfield_struct::bitfield;

use crate::base::{HANDLE, MDL, PHYSICAL_ADDRESS, PVOID};
use crate::ntstatus::NTSTATUS;

/// Who may touch a mapping. Page `ne-d3dkmddi-dxgk_access_mode`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_ACCESS_MODE(pub i32);

impl DXGK_ACCESS_MODE {
    pub const DXGK_ACCESS_MODE_KERNEL_MODE: Self = Self(0);
    pub const DXGK_ACCESS_MODE_USER_MODE: Self = Self(1);
}

/// How the CPU caches a physical memory mapping. Page `ne-d3dkmddi-dxgk_memory_caching_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_MEMORY_CACHING_TYPE(pub i32);

impl DXGK_MEMORY_CACHING_TYPE {
    pub const DXGK_MEMORY_CACHING_TYPE_NON_CACHED: Self = Self(0);
    pub const DXGK_MEMORY_CACHING_TYPE_CACHED: Self = Self(1);
    pub const DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED: Self = Self(2);
}

/// What a physical memory object is made of. Page `ne-d3dkmddi-dxgk_physical_memory_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_PHYSICAL_MEMORY_TYPE(pub i32);

impl DXGK_PHYSICAL_MEMORY_TYPE {
    pub const DXGK_PHYSICAL_MEMORY_TYPE_MDL: Self = Self(0);
    pub const DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY: Self = Self(1);
    pub const DXGK_PHYSICAL_MEMORY_TYPE_SECTION: Self = Self(2);
    pub const DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE: Self = Self(3);
}

/// Flags of [`DXGK_ADL`]. Page `ns-d3dkmddi-dxgk_adl_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_ADL_FLAGS {
    pub Contiguous: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Pages as the device addresses them: a list, or a first page when they are contiguous. Page
/// `ns-d3dkmddi-dxgk_adl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ADL {
    pub PageCount: u32,
    pub Flags: DXGK_ADL_FLAGS,
    pub Anonymous: DXGK_ADL_Anonymous,
}

/// The unnamed union of [`DXGK_ADL`] at offset 8.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_ADL_Anonymous {
    pub BasePageNumber: usize,
    pub Pages: *const usize,
}

/// Physically contiguous memory, known to the IOMMU. Page
/// `ns-d3dkmddi-dxgkargcb_allocatecontiguousmemory`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ALLOCATECONTIGUOUSMEMORY {
    pub NumberOfBytes: usize,
    pub LowestAcceptableAddress: PHYSICAL_ADDRESS,
    pub HighestAcceptableAddress: PHYSICAL_ADDRESS,
    pub BoundaryAddressMultiple: PHYSICAL_ADDRESS,
    pub CacheType: DXGK_MEMORY_CACHING_TYPE,
    pub hMemoryHandle: HANDLE,
    pub pMemory: PVOID,
}

/// Gives contiguous memory back. Page `ns-d3dkmddi-dxgkargcb_freecontiguousmemory`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_FREECONTIGUOUSMEMORY {
    pub hMemoryHandle: HANDLE,
}

/// Physical pages, known to the IOMMU, as a memory descriptor list. Page
/// `ns-d3dkmddi-dxgkargcb_allocatepagesformdl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ALLOCATEPAGESFORMDL {
    pub LowAddress: PHYSICAL_ADDRESS,
    pub HighAddress: PHYSICAL_ADDRESS,
    pub SkipBytes: PHYSICAL_ADDRESS,
    pub TotalBytes: usize,
    pub CacheType: DXGK_MEMORY_CACHING_TYPE,
    pub Flags: u32,
    pub hMemoryHandle: HANDLE,
    pub pMdl: *mut MDL,
}

/// Gives the pages of a memory descriptor list back. Page `ns-d3dkmddi-dxgkargcb_freepagesfrommdl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_FREEPAGESFROMMDL {
    pub hMemoryHandle: HANDLE,
}

/// Commits system memory for saving the frame buffer to. Page
/// `ns-d3dkmddi-dxgkargcb_pinframebufferforsave`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE {
    pub PhysicalAdapterIndex: u32,
    pub CommitSize: usize,
    pub pMdl: *mut MDL,
}

/// Releases the memory that the frame buffer was saved to. Page
/// `ns-d3dkmddi-dxgkargcb_unpinframebufferforsave`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UNPINFRAMEBUFFERFORSAVE {
    pub PhysicalAdapterIndex: u32,
}

/// Commits system memory for saving the frame buffer to, as an address descriptor list. Page
/// `ns-d3dkmddi-dxgkargcb_pinframebufferforsave2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE2 {
    pub PhysicalAdapterIndex: u32,
    pub CommitSize: usize,
    pub Flags: DXGKARGCB_PINFRAMEBUFFERFORSAVE2_Flags,
    pub pAdl: *mut DXGK_ADL,
}

/// The `Flags` member of [`DXGKARGCB_PINFRAMEBUFFERFORSAVE2`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE2_Flags {
    pub PreferContiguous: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Maps the saved frame buffer for the CPU. Page `ns-d3dkmddi-dxgkargcb_mapframebufferpointer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_MAPFRAMEBUFFERPOINTER {
    pub PhysicalAdapterIndex: u32,
    pub Size: usize,
    pub Offset: usize,
    pub pBaseAddress: PVOID,
}

/// Undoes the mapping of the saved frame buffer. Page
/// `ns-d3dkmddi-dxgkargcb_unmapframebufferpointer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UNMAPFRAMEBUFFERPOINTER {
    pub PhysicalAdapterIndex: u32,
    pub pBaseAddress: PVOID,
}

/// Makes the pages of a memory descriptor list reachable through the IOMMU. Page
/// `ns-d3dkmddi-dxgkargcb_mapmdltoiommu`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_MAPMDLTOIOMMU {
    pub pMdl: *mut MDL,
    pub hMemoryHandle: HANDLE,
}

/// Makes pages unreachable through the IOMMU. Page `ns-d3dkmddi-dxgkargcb_unmapmdlfromiommu`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UNMAPMDLFROMIOMMU {
    pub hMemoryHandle: HANDLE,
}

/// Creates an object that stands for physical memory. Page
/// `ns-d3dkmddi-dxgkargcb_create_physical_memory_object`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT {
    pub hAdapter: HANDLE,
    pub Size: usize,
    pub Context: usize,
    pub Type: DXGK_PHYSICAL_MEMORY_TYPE,
    pub CacheType: DXGK_MEMORY_CACHING_TYPE,
    pub Anonymous: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Anonymous,
    pub hPhysicalMemoryObject: HANDLE,
    pub hAdapterMemoryObject: HANDLE,
}

/// The unnamed union of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`] at offset 32.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Anonymous {
    pub Mdl: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Mdl,
    pub ContiguousMemory: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_ContiguousMemory,
    pub Section: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Section,
    pub IOSpace: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_IOSpace,
}

/// The `IOSpace` member of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_IOSpace {
    pub BaseAddress: PHYSICAL_ADDRESS,
}

/// The `Section` member of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Section {
    pub DesiredAccess: u32,
    pub ObjectAttributes: PVOID,
    pub PageProtection: u32,
    pub AllocationAttributes: u32,
}

/// The `ContiguousMemory` member of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_ContiguousMemory {
    pub LowestAcceptableAddress: PHYSICAL_ADDRESS,
    pub HighestAcceptableAddress: PHYSICAL_ADDRESS,
    pub BoundaryAddressMultiple: PHYSICAL_ADDRESS,
}

/// The `Mdl` member of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Mdl {
    pub LowAddress: PHYSICAL_ADDRESS,
    pub HighAddress: PHYSICAL_ADDRESS,
    pub SkipBytes: PHYSICAL_ADDRESS,
    pub Flags: u32,
}

/// Destroys a physical memory object. Page `ns-d3dkmddi-dxgkargcb_destroy_physical_memory_object`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT {
    pub hPhysicalMemoryObject: HANDLE,
    pub hAdapterMemoryObject: HANDLE,
}

/// Lets another adapter use a physical memory object. Page
/// `ns-d3dkmddi-dxgkargcb_open_physical_memory_object`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT {
    pub hPhysicalMemoryObject: HANDLE,
    pub hAdapter: HANDLE,
    pub hAdapterMemoryObject: HANDLE,
}

/// Ends an adapter's use of a physical memory object. Page
/// `ns-d3dkmddi-dxgkargcb_close_physical_memory_object`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT {
    pub hAdapterMemoryObject: HANDLE,
}

/// Maps a physical memory object for the CPU. Page `ns-d3dkmddi-dxgkargcb_map_physical_memory`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_MAP_PHYSICAL_MEMORY {
    pub hPhysicalMemoryObject: HANDLE,
    pub AccessMode: DXGK_ACCESS_MODE,
    pub Offset: usize,
    pub Size: usize,
    pub pMappedAddress: PVOID,
}

/// Undoes a CPU mapping of a physical memory object. Page
/// `ns-d3dkmddi-dxgkargcb_unmap_physical_memory`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UNMAP_PHYSICAL_MEMORY {
    pub hPhysicalMemoryObject: HANDLE,
    pub pBaseAddress: PVOID,
    pub Size: usize,
}

/// Asks for the addresses at which the device sees a physical memory object. Page
/// `ns-d3dkmddi-dxgkargcb_allocate_adl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ALLOCATE_ADL {
    pub hAdapterMemoryObject: HANDLE,
    pub Offset: usize,
    pub Size: usize,
    pub Flags: DXGKARGCB_ALLOCATE_ADL_Flags,
    pub pAdl: *mut DXGK_ADL,
}

/// The `Flags` member of [`DXGKARGCB_ALLOCATE_ADL`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_ALLOCATE_ADL_Flags {
    pub RequireContiguous: bool,
    pub PreferContiguous: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Gives an address descriptor list back. Page `ns-d3dkmddi-dxgkargcb_free_adl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_FREE_ADL {
    pub hAdapterMemoryObject: HANDLE,
    pub pAdl: *mut DXGK_ADL,
}

/// `DxgkCbAllocateContiguousMemory` with [`DXGKARGCB_ALLOCATECONTIGUOUSMEMORY`]. Page
/// `nc-d3dkmddi-dxgkcb_allocatecontiguousmemory`.
pub type DXGKCB_ALLOCATECONTIGUOUSMEMORY = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pAllocateContiguousMemory: *mut DXGKARGCB_ALLOCATECONTIGUOUSMEMORY,
) -> NTSTATUS;

/// `DxgkCbFreeContiguousMemory` with [`DXGKARGCB_FREECONTIGUOUSMEMORY`]. Page
/// `nc-d3dkmddi-dxgkcb_freecontiguousmemory`.
pub type DXGKCB_FREECONTIGUOUSMEMORY = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pFreeContiguousMemory: *const DXGKARGCB_FREECONTIGUOUSMEMORY,
) -> NTSTATUS;

/// `DxgkCbAllocatePagesForMdl` with [`DXGKARGCB_ALLOCATEPAGESFORMDL`]. Page
/// `nc-d3dkmddi-dxgkcb_allocatepagesformdl`.
pub type DXGKCB_ALLOCATEPAGESFORMDL = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pAllocatePagesForMdl: *mut DXGKARGCB_ALLOCATEPAGESFORMDL,
) -> NTSTATUS;

/// `DxgkCbFreePagesFromMdl` with [`DXGKARGCB_FREEPAGESFROMMDL`]. Page
/// `nc-d3dkmddi-dxgkcb_freepagesfrommdl`.
pub type DXGKCB_FREEPAGESFROMMDL = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pFreePagesFromMdl: *const DXGKARGCB_FREEPAGESFROMMDL,
) -> NTSTATUS;

/// `DxgkCbPinFrameBufferForSave` with [`DXGKARGCB_PINFRAMEBUFFERFORSAVE`]. Page
/// `nc-d3dkmddi-dxgkcb_pinframebufferforsave`.
pub type DXGKCB_PINFRAMEBUFFERFORSAVE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pPinFrameBufferForSave: *mut DXGKARGCB_PINFRAMEBUFFERFORSAVE,
) -> NTSTATUS;

/// `DxgkCbUnpinFrameBufferForSave` with [`DXGKARGCB_UNPINFRAMEBUFFERFORSAVE`]. Page
/// `nc-d3dkmddi-dxgkcb_unpinframebufferforsave`.
pub type DXGKCB_UNPINFRAMEBUFFERFORSAVE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pUnpinFrameBufferForSave: *const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE,
) -> NTSTATUS;

/// `DxgkCbMapFrameBufferPointer` with [`DXGKARGCB_MAPFRAMEBUFFERPOINTER`]. Page
/// `nc-d3dkmddi-dxgkcb_mapframebufferpointer`.
pub type DXGKCB_MAPFRAMEBUFFERPOINTER = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pMapFrameBufferPointer: *mut DXGKARGCB_MAPFRAMEBUFFERPOINTER,
) -> NTSTATUS;

/// `DxgkCbUnmapFrameBufferPointer` with [`DXGKARGCB_UNMAPFRAMEBUFFERPOINTER`]. Page
/// `nc-d3dkmddi-dxgkcb_unmapframebufferpointer`.
pub type DXGKCB_UNMAPFRAMEBUFFERPOINTER = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pUnmapFrameBufferPointer: *const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER,
) -> NTSTATUS;

/// `DxgkCbMapMdlToIoMmu` with [`DXGKARGCB_MAPMDLTOIOMMU`]. Page `nc-d3dkmddi-dxgkcb_mapmdltoiommu`.
pub type DXGKCB_MAPMDLTOIOMMU = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pMapMdlToIoMmu: *mut DXGKARGCB_MAPMDLTOIOMMU,
) -> NTSTATUS;

/// `DxgkCbUnmapMdlFromIoMmu` with [`DXGKARGCB_UNMAPMDLFROMIOMMU`]. Page
/// `nc-d3dkmddi-dxgkcb_unmapmdlfromiommu`.
pub type DXGKCB_UNMAPMDLFROMIOMMU = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pUnmapMdlFromIoMmu: *const DXGKARGCB_UNMAPMDLFROMIOMMU,
);

/// `DxgkCbCreatePhysicalMemoryObject` with [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`]. Page
/// `nc-d3dkmddi-dxgkcb_createphysicalmemoryobject`.
pub type DXGKCB_CREATEPHYSICALMEMORYOBJECT =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT) -> NTSTATUS;

/// `DxgkCbDestroyPhysicalMemoryObject` with [`DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT`]. Page
/// `nc-d3dkmddi-dxgkcb_destroyphysicalmemoryobject`.
pub type DXGKCB_DESTROYPHYSICALMEMORYOBJECT =
    unsafe extern "win64" fn(pArgs: *const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT);

/// `DxgkCbMapPhysicalMemory` with [`DXGKARGCB_MAP_PHYSICAL_MEMORY`]. Page
/// `nc-d3dkmddi-dxgkcb_mapphysicalmemory`.
pub type DXGKCB_MAPPHYSICALMEMORY =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_MAP_PHYSICAL_MEMORY) -> NTSTATUS;

/// `DxgkCbUnmapPhysicalMemory` with [`DXGKARGCB_UNMAP_PHYSICAL_MEMORY`]. Page
/// `nc-d3dkmddi-dxgkcb_unmapphysicalmemory`.
pub type DXGKCB_UNMAPPHYSICALMEMORY =
    unsafe extern "win64" fn(pArgs: *const DXGKARGCB_UNMAP_PHYSICAL_MEMORY);

/// `DxgkCbAllocateAdl` with [`DXGKARGCB_ALLOCATE_ADL`]. Page `nc-d3dkmddi-dxgkcb_allocateadl`.
pub type DXGKCB_ALLOCATEADL =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_ALLOCATE_ADL) -> NTSTATUS;

/// `DxgkCbFreeAdl` with [`DXGKARGCB_FREE_ADL`]. Page `nc-d3dkmddi-dxgkcb_freeadl`.
pub type DXGKCB_FREEADL = unsafe extern "win64" fn(pArgs: *const DXGKARGCB_FREE_ADL);

/// `DxgkCbOpenPhysicalMemoryObject` with [`DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT`]. Page
/// `nc-d3dkmddi-dxgkcb_openphysicalmemoryobject`.
pub type DXGKCB_OPENPHYSICALMEMORYOBJECT =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT) -> NTSTATUS;

/// `DxgkCbClosePhysicalMemoryObject` with [`DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT`]. Page
/// `nc-d3dkmddi-dxgkcb_closephysicalmemoryobject`.
pub type DXGKCB_CLOSEPHYSICALMEMORYOBJECT =
    unsafe extern "win64" fn(pArgs: *const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT);

/// `DxgkCbPinFrameBufferForSave2` with [`DXGKARGCB_PINFRAMEBUFFERFORSAVE2`]. Page
/// `nc-d3dkmddi-dxgkcb_pinframebufferforsave2`.
pub type DXGKCB_PINFRAMEBUFFERFORSAVE2 = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pPinFrameBufferForSave2: *mut DXGKARGCB_PINFRAMEBUFFERFORSAVE2,
) -> NTSTATUS;

opaque_debug! {
    DXGK_ADL_Anonymous,
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Anonymous,
}

layouts! {
    DXGK_ADL_FLAGS = 4 {
    }
    DXGK_ADL = 16 {
        PageCount: 0,
        Flags: 4,
        Anonymous: 8,
        Anonymous.BasePageNumber: 8,
        Anonymous.Pages: 8,
    }
    DXGK_ADL_Anonymous = 8 {
    }
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY = 56 {
        NumberOfBytes: 0,
        LowestAcceptableAddress: 8,
        HighestAcceptableAddress: 16,
        BoundaryAddressMultiple: 24,
        CacheType: 32,
        hMemoryHandle: 40,
        pMemory: 48,
    }
    DXGKARGCB_FREECONTIGUOUSMEMORY = 8 {
        hMemoryHandle: 0,
    }
    DXGKARGCB_ALLOCATEPAGESFORMDL = 56 {
        LowAddress: 0,
        HighAddress: 8,
        SkipBytes: 16,
        TotalBytes: 24,
        CacheType: 32,
        Flags: 36,
        hMemoryHandle: 40,
        pMdl: 48,
    }
    DXGKARGCB_FREEPAGESFROMMDL = 8 {
        hMemoryHandle: 0,
    }
    DXGKARGCB_PINFRAMEBUFFERFORSAVE = 24 {
        PhysicalAdapterIndex: 0,
        CommitSize: 8,
        pMdl: 16,
    }
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE = 4 {
        PhysicalAdapterIndex: 0,
    }
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 = 32 {
        PhysicalAdapterIndex: 0,
        CommitSize: 8,
        Flags: 16,
        pAdl: 24,
    }
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2_Flags = 4 {
    }
    DXGKARGCB_MAPFRAMEBUFFERPOINTER = 32 {
        PhysicalAdapterIndex: 0,
        Size: 8,
        Offset: 16,
        pBaseAddress: 24,
    }
    DXGKARGCB_UNMAPFRAMEBUFFERPOINTER = 16 {
        PhysicalAdapterIndex: 0,
        pBaseAddress: 8,
    }
    DXGKARGCB_MAPMDLTOIOMMU = 16 {
        pMdl: 0,
        hMemoryHandle: 8,
    }
    DXGKARGCB_UNMAPMDLFROMIOMMU = 8 {
        hMemoryHandle: 0,
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT = 80 {
        hAdapter: 0,
        Size: 8,
        Context: 16,
        Type: 24,
        CacheType: 28,
        Anonymous: 32,
        Anonymous.Mdl: 32,
        Anonymous.Mdl.LowAddress: 32,
        Anonymous.Mdl.HighAddress: 40,
        Anonymous.Mdl.SkipBytes: 48,
        Anonymous.Mdl.Flags: 56,
        Anonymous.ContiguousMemory: 32,
        Anonymous.ContiguousMemory.LowestAcceptableAddress: 32,
        Anonymous.ContiguousMemory.HighestAcceptableAddress: 40,
        Anonymous.ContiguousMemory.BoundaryAddressMultiple: 48,
        Anonymous.Section: 32,
        Anonymous.Section.DesiredAccess: 32,
        Anonymous.Section.ObjectAttributes: 40,
        Anonymous.Section.PageProtection: 48,
        Anonymous.Section.AllocationAttributes: 52,
        Anonymous.IOSpace: 32,
        Anonymous.IOSpace.BaseAddress: 32,
        hPhysicalMemoryObject: 64,
        hAdapterMemoryObject: 72,
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Anonymous = 32 {
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_IOSpace = 8 {
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Section = 24 {
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_ContiguousMemory = 24 {
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Mdl = 32 {
    }
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT = 16 {
        hPhysicalMemoryObject: 0,
        hAdapterMemoryObject: 8,
    }
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT = 24 {
        hPhysicalMemoryObject: 0,
        hAdapter: 8,
        hAdapterMemoryObject: 16,
    }
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT = 8 {
        hAdapterMemoryObject: 0,
    }
    DXGKARGCB_MAP_PHYSICAL_MEMORY = 40 {
        hPhysicalMemoryObject: 0,
        AccessMode: 8,
        Offset: 16,
        Size: 24,
        pMappedAddress: 32,
    }
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY = 24 {
        hPhysicalMemoryObject: 0,
        pBaseAddress: 8,
        Size: 16,
    }
    DXGKARGCB_ALLOCATE_ADL = 40 {
        hAdapterMemoryObject: 0,
        Offset: 8,
        Size: 16,
        Flags: 24,
        pAdl: 32,
    }
    DXGKARGCB_ALLOCATE_ADL_Flags = 4 {
    }
    DXGKARGCB_FREE_ADL = 16 {
        hAdapterMemoryObject: 0,
        pAdl: 8,
    }
}
