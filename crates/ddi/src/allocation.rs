//! allocation

use core::ffi::c_void;

use bitfield_struct::bitfield;

use crate::base::{
    D3DDDI_VIDEO_PRESENT_SOURCE_ID, D3DGPU_VIRTUAL_ADDRESS, D3DKMT_HANDLE, HANDLE,
    PHYSICAL_ADDRESS, PVOID,
};
use crate::interface::{DXGK_SEGMENTBANKPREFERENCE, DXGK_SEGMENTPREFERENCE};
use crate::ntstatus::NTSTATUS;
use crate::pnp::D3DDDIFORMAT;

/// An enumeration of the DDI. Page `ne-d3dkmdt-d3dkmdt_standardallocation_type`.
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

/// An enumeration of the DDI. Page `ne-d3dkmdt-d3dkmdt_gdisurfacetype`.
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

/// Arguments of the DDI of the same name. Page `ne-dispmprt-dxgkarg_fencestoragevaluetype`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGKARG_FENCESTORAGEVALUETYPE(pub i32);

impl DXGKARG_FENCESTORAGEVALUETYPE {
    pub const D3DKARG_FENCESTORAGETYPE_CURRENTVALUE: Self = Self(0);
    pub const D3DKARG_FENCESTORAGETYPE_MONITOREDVALUE: Self = Self(1);
}

/// An enumeration of the DDI. Page `ne-d3dukmdt-d3dddi_nativefence_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDI_NATIVEFENCE_TYPE(pub i32);

impl D3DDDI_NATIVEFENCE_TYPE {
    pub const D3DDDI_NATIVEFENCE_TYPE_DEFAULT: Self = Self(0);
    pub const D3DDDI_NATIVEFENCE_TYPE_INTRA_GPU: Self = Self(1);
}

/// An enumeration of the DDI. Page `ne-d3dukmdt-d3dddi_rotation`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDI_ROTATION(pub i32);

impl D3DDDI_ROTATION {
    pub const D3DDDI_ROTATION_IDENTITY: Self = Self(1);
    pub const D3DDDI_ROTATION_90: Self = Self(2);
    pub const D3DDDI_ROTATION_180: Self = Self(3);
    pub const D3DDDI_ROTATION_270: Self = Self(4);
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

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_createallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_CREATEALLOCATIONFLAGS {
    pub Resource: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_createallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CREATEALLOCATION {
    pub pPrivateDriverData: *const c_void,
    pub PrivateDriverDataSize: u32,
    pub NumAllocations: u32,
    pub pAllocationInfo: *mut DXGK_ALLOCATIONINFO,
    pub hResource: HANDLE,
    pub Flags: DXGK_CREATEALLOCATIONFLAGS,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_allocationinfoflags_wddm2_0`.
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

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_allocationinfo`.
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

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_allocationusageinfo1`.
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

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_allocationusagehint`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ALLOCATIONUSAGEHINT {
    pub Version: u32,
    pub v1: DXGK_ALLOCATIONUSAGEINFO1,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_destroyallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DESTROYALLOCATIONFLAGS {
    pub DestroyResource: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_destroyallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_DESTROYALLOCATION {
    pub NumAllocations: u32,
    pub pAllocationList: *const HANDLE,
    pub hResource: HANDLE,
    pub Flags: DXGK_DESTROYALLOCATIONFLAGS,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_openallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_OPENALLOCATIONFLAGS {
    pub Create: bool,
    pub ReadOnly: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_openallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_OPENALLOCATION {
    pub NumAllocations: u32,
    pub pOpenAllocation: *mut DXGK_OPENALLOCATIONINFO,
    pub pPrivateDriverData: PVOID,
    pub PrivateDriverSize: u32,
    pub Flags: DXGK_OPENALLOCATIONFLAGS,
    pub SubresourceIndex: u32,
    pub SubresourceOffset: usize,
    pub Pitch: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_openallocationinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_OPENALLOCATIONINFO {
    pub hAllocation: D3DKMT_HANDLE,
    pub pPrivateDriverData: PVOID,
    pub PrivateDriverDataSize: u32,
    pub hDeviceSpecificAllocation: HANDLE,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_closeallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CLOSEALLOCATION {
    pub NumAllocations: u32,
    pub pOpenHandleList: *const HANDLE,
}

/// A structure of the DDI. Page `ns-d3dukmdt-d3dddi_multisamplingmethod`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_MULTISAMPLINGMETHOD {
    pub NumSamples: u32,
    pub NumQualityLevels: u32,
}

/// A structure of the DDI. Page `ns-d3dukmdt-d3dddi_rational`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_RATIONAL {
    pub Numerator: u32,
    pub Denominator: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_describeallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DESCRIBEALLOCATIONFLAGS {
    pub CheckDisplayMode: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_describeallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_DESCRIBEALLOCATION {
    pub hAllocation: HANDLE,
    pub Width: u32,
    pub Height: u32,
    pub Format: D3DDDIFORMAT,
    pub MultisampleMethod: D3DDDI_MULTISAMPLINGMETHOD,
    pub RefreshRate: D3DDDI_RATIONAL,
    pub PrivateDriverFormatAttribute: u32,
    pub Flags: DXGK_DESCRIBEALLOCATIONFLAGS,
    pub Rotation: D3DDDI_ROTATION,
}

/// Arguments of the DDI of the same name. Page
/// `ns-d3dkmddi-dxgkarg_getstandardallocationdriverdata`.
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

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_fencestorageflags`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_FENCESTORAGEFLAGS {
    pub Reserved: u32,
}

/// A structure of the DDI. Page `ns-d3dkmdt-d3dkmdt_fencestoragesurfacedata`.
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

/// A structure of the DDI. Page `ns-d3dkmdt-d3dkmdt_sharedprimarysurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_SHAREDPRIMARYSURFACEDATA {
    pub Width: u32,
    pub Height: u32,
    pub Format: D3DDDIFORMAT,
    pub RefreshRate: D3DDDI_RATIONAL,
    pub VidPnSourceId: D3DDDI_VIDEO_PRESENT_SOURCE_ID,
}

/// A structure of the DDI. Page `ns-d3dkmdt-d3dkmdt_shadowsurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_SHADOWSURFACEDATA {
    pub Width: u32,
    pub Height: u32,
    pub Format: D3DDDIFORMAT,
    pub Pitch: u32,
}

/// A structure of the DDI. Page `ns-d3dkmdt-d3dkmdt_stagingsurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_STAGINGSURFACEDATA {
    pub Width: u32,
    pub Height: u32,
    pub Pitch: u32,
}

/// A structure of the DDI. Page `ns-d3dkmdt-d3dkmdt_gdisurfaceflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DKMDT_GDISURFACEFLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// A structure of the DDI. Page `ns-d3dkmdt-d3dkmdt_gdisurfacedata`.
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

/// A structure of the DDI. Page `ns-d3dkmdt-d3dkmdt_virtualgpusurfacedata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMDT_VIRTUALGPUSURFACEDATA {
    pub Size: u64,
    pub Alignment: u32,
    pub DriverSegmentId: u32,
    pub PrivateDriverData: u32,
}

/// A structure of the DDI. Page `ns-d3dukmdt-d3dddi_segmentpreference`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_SEGMENTPREFERENCE {
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

/// A structure of the DDI. Page `ns-d3dukmdt-d3dddi_updateallocproperty_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_UPDATEALLOCPROPERTY_FLAGS {
    pub AccessedPhysically: bool,
    pub Unmoveable: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_validateupdateallocproperty`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_VALIDATEUPDATEALLOCPROPERTY {
    pub hAllocation: HANDLE,
    pub SupportedSegmentSet: u32,
    pub PreferredSegment: D3DDDI_SEGMENTPREFERENCE,
    pub Flags: D3DDDI_UPDATEALLOCPROPERTY_FLAGS,
    pub Anonymous: DXGKARG_VALIDATEUPDATEALLOCPROPERTY_Anonymous,
}

/// The bits of [`DXGKARG_VALIDATEUPDATEALLOCPROPERTY`] that its page lists without a name of their
/// own for the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARG_VALIDATEUPDATEALLOCPROPERTY_Anonymous {
    pub SetAccessedPhysically: bool,
    pub SetSupportedSegmentSet: bool,
    pub SetPreferredSegment: bool,
    #[bits(29)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_setallocationbackingstore`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETALLOCATIONBACKINGSTORE {
    pub hDriverAllocation: HANDLE,
    pub pBackingStore: PVOID,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_allocationlist`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ALLOCATIONLIST {
    pub hDeviceSpecificAllocation: HANDLE,
    pub Anonymous: DXGK_ALLOCATIONLIST_Anonymous,
    pub Anonymous2: DXGK_ALLOCATIONLIST_Anonymous2,
}

/// The unnamed union of [`DXGK_ALLOCATIONLIST`] at offset 16.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_ALLOCATIONLIST_Anonymous2 {
    pub PhysicalAddress: PHYSICAL_ADDRESS,
    pub VirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
}

/// The bits of [`DXGK_ALLOCATIONLIST`] that its page lists without a name of their own for the
/// word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_ALLOCATIONLIST_Anonymous {
    pub WriteOperation: bool,
    #[bits(5)]
    pub SegmentId: u8,
    #[bits(26)]
    pub Reserved: u32,
}

/// A structure of the DDI. Page `ns-d3dukmdt-d3dddi_patchlocationlist`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_PATCHLOCATIONLIST {
    pub AllocationIndex: u32,
    pub Anonymous: D3DDDI_PATCHLOCATIONLIST_Anonymous,
    pub DriverId: u32,
    pub AllocationOffset: u32,
    pub PatchOffset: u32,
    pub SplitOffset: u32,
}

/// The bits of [`D3DDDI_PATCHLOCATIONLIST`] that its page lists without a name of their own for the
/// word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_PATCHLOCATIONLIST_Anonymous {
    #[bits(24)]
    pub SlotId: u32,
    #[bits(8)]
    pub Reserved: u8,
}

/// The entry point `DxgkDdiCreateAllocation`. Page `nc-d3dkmddi-dxgkddi_createallocation`.
pub type DXGKDDI_CREATEALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCreateAllocation: *mut DXGKARG_CREATEALLOCATION,
) -> NTSTATUS;

/// The entry point `DxgkDdiDestroyAllocation`. Page `nc-d3dkmddi-dxgkddi_destroyallocation`.
pub type DXGKDDI_DESTROYALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pDestroyAllocation: *const DXGKARG_DESTROYALLOCATION,
) -> NTSTATUS;

/// The entry point `DxgkDdiDescribeAllocation`. Page `nc-d3dkmddi-dxgkddi_describeallocation`.
pub type DXGKDDI_DESCRIBEALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pDescribeAllocation: *mut DXGKARG_DESCRIBEALLOCATION,
) -> NTSTATUS;

/// The entry point `DxgkDdiGetStandardAllocationDriverData`. Page
/// `nc-d3dkmddi-dxgkddi_getstandardallocationdriverdata`.
pub type DXGKDDI_GETSTANDARDALLOCATIONDRIVERDATA = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pGetStandardAllocationDriverData: *mut DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA,
) -> NTSTATUS;

/// The entry point `DxgkDdiOpenAllocation`. Page `nc-d3dkmddi-dxgkddi_openallocationinfo`.
pub type DXGKDDI_OPENALLOCATIONINFO = unsafe extern "win64" fn(
    hDevice: HANDLE,
    pOpenAllocation: *const DXGKARG_OPENALLOCATION,
) -> NTSTATUS;

/// The entry point `DxgkDdiCloseAllocation`. Page `nc-d3dkmddi-dxgkddi_closeallocation`.
pub type DXGKDDI_CLOSEALLOCATION = unsafe extern "win64" fn(
    hDevice: HANDLE,
    pCloseAllocation: *const DXGKARG_CLOSEALLOCATION,
) -> NTSTATUS;

/// The entry point `DxgkDdiValidateUpdateAllocationProperty`. Page
/// `nc-d3dkmddi-dxgkddi_validateupdateallocationproperty`.
pub type DXGKDDI_VALIDATEUPDATEALLOCATIONPROPERTY = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pValidateUpdateAllocProperty: *const DXGKARG_VALIDATEUPDATEALLOCPROPERTY,
) -> NTSTATUS;

/// The entry point `DxgkDdiSetAllocationBackingStore`. Page
/// `nc-d3dkmddi-dxgkddi_setallocationbackingstore`.
pub type DXGKDDI_SETALLOCATIONBACKINGSTORE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARG_SETALLOCATIONBACKINGSTORE,
) -> NTSTATUS;

opaque_debug! {
    DXGK_ALLOCATIONINFO_Anonymous4,
    DXGK_ALLOCATIONINFO_Anonymous3,
    DXGK_ALLOCATIONINFO_Anonymous2,
    DXGK_ALLOCATIONINFO_Anonymous,
    DXGK_ALLOCATIONUSAGEINFO1_Anonymous,
    DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA_Anonymous,
    DXGK_ALLOCATIONLIST_Anonymous2,
}

layouts! {
    DXGK_ALLOCATIONINFOFLAGS = 4 {
    }
    DXGK_CREATEALLOCATIONFLAGS = 4 {
    }
    DXGKARG_CREATEALLOCATION = 40 {
        pPrivateDriverData: 0,
        PrivateDriverDataSize: 8,
        NumAllocations: 12,
        pAllocationInfo: 16,
        hResource: 24,
        Flags: 32,
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
    DXGK_DESTROYALLOCATIONFLAGS = 4 {
    }
    DXGKARG_DESTROYALLOCATION = 32 {
        NumAllocations: 0,
        pAllocationList: 8,
        hResource: 16,
        Flags: 24,
    }
    DXGK_OPENALLOCATIONFLAGS = 4 {
    }
    DXGKARG_OPENALLOCATION = 56 {
        NumAllocations: 0,
        pOpenAllocation: 8,
        pPrivateDriverData: 16,
        PrivateDriverSize: 24,
        Flags: 28,
        SubresourceIndex: 32,
        SubresourceOffset: 40,
        Pitch: 48,
    }
    DXGK_OPENALLOCATIONINFO = 32 {
        hAllocation: 0,
        pPrivateDriverData: 8,
        PrivateDriverDataSize: 16,
        hDeviceSpecificAllocation: 24,
    }
    DXGKARG_CLOSEALLOCATION = 16 {
        NumAllocations: 0,
        pOpenHandleList: 8,
    }
    D3DDDI_MULTISAMPLINGMETHOD = 8 {
        NumSamples: 0,
        NumQualityLevels: 4,
    }
    D3DDDI_RATIONAL = 8 {
        Numerator: 0,
        Denominator: 4,
    }
    DXGK_DESCRIBEALLOCATIONFLAGS = 4 {
    }
    DXGKARG_DESCRIBEALLOCATION = 48 {
        hAllocation: 0,
        Width: 8,
        Height: 12,
        Format: 16,
        MultisampleMethod: 20,
        RefreshRate: 28,
        PrivateDriverFormatAttribute: 36,
        Flags: 40,
        Rotation: 44,
    }
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
    D3DDDI_SEGMENTPREFERENCE = 4 {
    }
    D3DDDI_UPDATEALLOCPROPERTY_FLAGS = 4 {
    }
    DXGKARG_VALIDATEUPDATEALLOCPROPERTY = 24 {
        hAllocation: 0,
        SupportedSegmentSet: 8,
        PreferredSegment: 12,
        Flags: 16,
        Anonymous: 20,
    }
    DXGKARG_VALIDATEUPDATEALLOCPROPERTY_Anonymous = 4 {
    }
    DXGKARG_SETALLOCATIONBACKINGSTORE = 16 {
        hDriverAllocation: 0,
        pBackingStore: 8,
    }
    DXGK_ALLOCATIONLIST = 24 {
        hDeviceSpecificAllocation: 0,
        Anonymous: 8,
        Anonymous2: 16,
        Anonymous2.PhysicalAddress: 16,
        Anonymous2.VirtualAddress: 16,
    }
    DXGK_ALLOCATIONLIST_Anonymous2 = 8 {
    }
    DXGK_ALLOCATIONLIST_Anonymous = 4 {
    }
    D3DDDI_PATCHLOCATIONLIST = 24 {
        AllocationIndex: 0,
        Anonymous: 4,
        DriverId: 8,
        AllocationOffset: 12,
        PatchOffset: 16,
        SplitOffset: 20,
    }
    D3DDDI_PATCHLOCATIONLIST_Anonymous = 4 {
    }
}
