//! Standard allocations: what the OS creates without a user-mode driver.

use bitfield_struct::bitfield;

use crate::allocinfo::DXGK_ALLOCATIONINFO;
use crate::base::{D3DDDI_RATIONAL, D3DDDI_VIDEO_PRESENT_SOURCE_ID, D3DDDIFORMAT, HANDLE, PVOID};
use crate::fence::D3DDDI_NATIVEFENCE_TYPE;
use crate::ntstatus::NTSTATUS;

/// Uses of a GDI surface. Page `ne-d3dkmdt-d3dkmdt_gdisurfacetype`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DKMDT_GDISURFACETYPE(pub i32);

impl D3DKMDT_GDISURFACETYPE {
    pub const D3DKMDT_GDISURFACE_INVALID: Self = Self(0);
    pub const D3DKMDT_GDISURFACE_TEXTURE: Self = Self(1);
    pub const D3DKMDT_GDISURFACE_STAGING_CPUVISIBLE: Self = Self(2);
    pub const D3DKMDT_GDISURFACE_STAGING: Self = Self(3);
    pub const D3DKMDT_GDISURFACE_LOOKUPTABLE: Self = Self(4);
    pub const D3DKMDT_GDISURFACE_EXISTINGSYSMEM: Self = Self(5);
    pub const D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE: Self = Self(6);
    pub const D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER: Self = Self(7);
    pub const D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE_CROSSADAPTER: Self = Self(8);
}

/// Kinds of allocations that the OS creates by itself. Page
/// `ne-d3dkmdt-d3dkmdt_standardallocation_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DKMDT_STANDARDALLOCATION_TYPE(pub i32);

impl D3DKMDT_STANDARDALLOCATION_TYPE {
    pub const D3DKMDT_STANDARDALLOCATION_SHAREDPRIMARYSURFACE: Self = Self(1);
    pub const D3DKMDT_STANDARDALLOCATION_SHADOWSURFACE: Self = Self(2);
    pub const D3DKMDT_STANDARDALLOCATION_STAGINGSURFACE: Self = Self(3);
    pub const D3DKMDT_STANDARDALLOCATION_GDISURFACE: Self = Self(4);
    pub const D3DKMDT_STANDARDALLOCATION_VGPU: Self = Self(5);
    pub const D3DKMDT_STANDARDALLOCATION_FENCESTORAGE: Self = Self(6);
}

/// Whether fence storage holds current or monitored values. Page
/// `ne-dispmprt-dxgkarg_fencestoragevaluetype`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGKARG_FENCESTORAGEVALUETYPE(pub i32);

impl DXGKARG_FENCESTORAGEVALUETYPE {
    pub const D3DKARG_FENCESTORAGETYPE_CURRENTVALUE: Self = Self(0);
    pub const D3DKARG_FENCESTORAGETYPE_MONITOREDVALUE: Self = Self(1);
}

/// Asks for the private data with which the OS can create a standard allocation; first for its
/// size, then for its contents. Page `ns-d3dkmddi-dxgkarg_getstandardallocationdriverdata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA {
    pub StandardAllocationType: D3DKMDT_STANDARDALLOCATION_TYPE,
    pub Anonymous: DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA_Anonymous,
    pub pAllocationPrivateDriverData: PVOID,
    pub AllocationPrivateDriverDataSize: u32,
    pub pResourcePrivateDriverData: PVOID,
    pub ResourcePrivateDriverDataSize: u32,
    pub PhysicalAdapterIndex: u32,
}

/// The unnamed union of [`DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA`] at offset 8.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA_Anonymous {
    pub pCreateSharedPrimarySurfaceData: *mut D3DKMDT_SHAREDPRIMARYSURFACEDATA,
    pub pCreateShadowSurfaceData: *mut D3DKMDT_SHADOWSURFACEDATA,
    pub pCreateStagingSurfaceData: *mut D3DKMDT_STAGINGSURFACEDATA,
    pub pCreateGdiSurfaceData: *mut D3DKMDT_GDISURFACEDATA,
    pub pCreateVirtualGpuSurfaceData: *mut D3DKMDT_VIRTUALGPUSURFACEDATA,
    pub pCreateFenceStorageData: *mut D3DKMDT_FENCESTORAGESURFACEDATA,
}

/// Which values a fence storage allocation holds. Page `ns-d3dkmddi-dxgkarg_fencestorageflags`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_FENCESTORAGEFLAGS {
    pub Reserved: u32,
}

/// A standard allocation that holds native fence values. Page
/// `ns-d3dkmdt-d3dkmdt_fencestoragesurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_FENCESTORAGESURFACEDATA {
    pub PhysicalAdapterIndex: u32,
    pub FenceStorageValueType: DXGKARG_FENCESTORAGEVALUETYPE,
    pub FenceStorageType: D3DDDI_NATIVEFENCE_TYPE,
    pub PrivateDriverDataSize: u32,
    pub pPrivateDriverData: PVOID,
    pub Flags: DXGKARG_FENCESTORAGEFLAGS,
    pub Reserved: u32,
    pub AllocationInfo: DXGK_ALLOCATIONINFO,
}

/// A standard allocation for the shared primary. Page
/// `ns-d3dkmdt-d3dkmdt_sharedprimarysurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_SHAREDPRIMARYSURFACEDATA {
    pub Width: u32,
    pub Height: u32,
    pub Format: D3DDDIFORMAT,
    pub RefreshRate: D3DDDI_RATIONAL,
    pub VidPnSourceId: D3DDDI_VIDEO_PRESENT_SOURCE_ID,
}

/// A standard allocation that shadows the primary for the CPU. Page
/// `ns-d3dkmdt-d3dkmdt_shadowsurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_SHADOWSURFACEDATA {
    pub Width: u32,
    pub Height: u32,
    pub Format: D3DDDIFORMAT,
    pub Pitch: u32,
}

/// A standard allocation that stages data for the CPU. Page
/// `ns-d3dkmdt-d3dkmdt_stagingsurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_STAGINGSURFACEDATA {
    pub Width: u32,
    pub Height: u32,
    pub Pitch: u32,
}

/// Properties of a GDI surface. Page `ns-d3dkmdt-d3dkmdt_gdisurfaceflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DKMDT_GDISURFACEFLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// A standard allocation for a surface that GDI draws to. Page `ns-d3dkmdt-d3dkmdt_gdisurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_GDISURFACEDATA {
    pub Width: u32,
    pub Height: u32,
    pub Format: D3DDDIFORMAT,
    pub Type: D3DKMDT_GDISURFACETYPE,
    pub Flags: D3DKMDT_GDISURFACEFLAGS,
    pub Pitch: u32,
}

/// A standard allocation for a virtual GPU. Page `ns-d3dkmdt-d3dkmdt_virtualgpusurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_VIRTUALGPUSURFACEDATA {
    pub Size: u64,
    pub Alignment: u32,
    pub DriverSegmentId: u32,
    pub PrivateDriverData: u32,
}

/// `DxgkDdiGetStandardAllocationDriverData` with [`DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA`]. IRQL:
/// PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_getstandardallocationdriverdata`.
pub type DXGKDDI_GETSTANDARDALLOCATIONDRIVERDATA = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pGetStandardAllocationDriverData: *mut DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA,
) -> NTSTATUS;

opaque_debug! {
    DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA_Anonymous,
}

layouts! {
    DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA = 48 {
        StandardAllocationType: 0,
        Anonymous: 8,
        Anonymous.pCreateSharedPrimarySurfaceData: 8,
        Anonymous.pCreateShadowSurfaceData: 8,
        Anonymous.pCreateStagingSurfaceData: 8,
        Anonymous.pCreateGdiSurfaceData: 8,
        Anonymous.pCreateVirtualGpuSurfaceData: 8,
        Anonymous.pCreateFenceStorageData: 8,
        pAllocationPrivateDriverData: 16,
        AllocationPrivateDriverDataSize: 24,
        pResourcePrivateDriverData: 32,
        ResourcePrivateDriverDataSize: 40,
        PhysicalAdapterIndex: 44,
    }
    DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA_Anonymous = 8 {
    }
    DXGKARG_FENCESTORAGEFLAGS = 4 {
        Reserved: 0,
    }
    D3DKMDT_FENCESTORAGESURFACEDATA = 120 {
        PhysicalAdapterIndex: 0,
        FenceStorageValueType: 4,
        FenceStorageType: 8,
        PrivateDriverDataSize: 12,
        pPrivateDriverData: 16,
        Flags: 24,
        Reserved: 28,
        AllocationInfo: 32,
    }
    D3DKMDT_SHAREDPRIMARYSURFACEDATA = 24 {
        Width: 0,
        Height: 4,
        Format: 8,
        RefreshRate: 12,
        VidPnSourceId: 20,
    }
    D3DKMDT_SHADOWSURFACEDATA = 16 {
        Width: 0,
        Height: 4,
        Format: 8,
        Pitch: 12,
    }
    D3DKMDT_STAGINGSURFACEDATA = 12 {
        Width: 0,
        Height: 4,
        Pitch: 8,
    }
    D3DKMDT_GDISURFACEFLAGS = 4 {
    }
    D3DKMDT_GDISURFACEDATA = 24 {
        Width: 0,
        Height: 4,
        Format: 8,
        Type: 12,
        Flags: 16,
        Pitch: 20,
    }
    D3DKMDT_VIRTUALGPUSURFACEDATA = 24 {
        Size: 0,
        Alignment: 8,
        DriverSegmentId: 12,
        PrivateDriverData: 16,
    }
}
