//! Allocations: creation, opening, description, and the standard kinds that the OS makes itself.

use core::ffi::c_void;

use bitfield_struct::bitfield;

use crate::allocinfo::DXGK_ALLOCATIONINFO;
use crate::base::{
    D3DDDI_RATIONAL, D3DDDI_ROTATION, D3DDDIFORMAT, D3DGPU_VIRTUAL_ADDRESS, D3DKMT_HANDLE, HANDLE,
    PHYSICAL_ADDRESS, PVOID,
};
use crate::ntstatus::NTSTATUS;

/// Whether the allocations belong to a resource. Page `ns-d3dkmddi-dxgk_createallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_CREATEALLOCATIONFLAGS {
    pub Resource: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Creates allocations, optionally of one resource; the driver answers a handle and its wishes for
/// each. Page `ns-d3dkmddi-dxgkarg_createallocation`.
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

/// Whether the resource goes too. Page `ns-d3dkmddi-dxgk_destroyallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DESTROYALLOCATIONFLAGS {
    pub DestroyResource: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Destroys allocations, optionally with their resource. Page
/// `ns-d3dkmddi-dxgkarg_destroyallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_DESTROYALLOCATION {
    pub NumAllocations: u32,
    pub pAllocationList: *const HANDLE,
    pub hResource: HANDLE,
    pub Flags: DXGK_DESTROYALLOCATIONFLAGS,
}

/// Whether this is the opening by the creator. Page `ns-d3dkmddi-dxgk_openallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_OPENALLOCATIONFLAGS {
    pub Create: bool,
    pub ReadOnly: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Opens allocations for a device; the driver answers a handle for each. Page
/// `ns-d3dkmddi-dxgkarg_openallocation`.
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

/// One allocation that a device opens. Page `ns-d3dkmddi-dxgk_openallocationinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_OPENALLOCATIONINFO {
    pub hAllocation: D3DKMT_HANDLE,
    pub pPrivateDriverData: PVOID,
    pub PrivateDriverDataSize: u32,
    pub hDeviceSpecificAllocation: HANDLE,
}

/// Closes a device's handles for allocations. Page `ns-d3dkmddi-dxgkarg_closeallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CLOSEALLOCATION {
    pub NumAllocations: u32,
    pub pOpenHandleList: *const HANDLE,
}

/// A multisampling method and its quality. Page `ns-d3dukmdt-d3dddi_multisamplingmethod`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_MULTISAMPLINGMETHOD {
    pub NumSamples: u32,
    pub NumQualityLevels: u32,
}

/// Whether display modes matter for the description. Page
/// `ns-d3dkmddi-dxgk_describeallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DESCRIBEALLOCATIONFLAGS {
    pub CheckDisplayMode: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Asks for size and format of an allocation. Page `ns-d3dkmddi-dxgkarg_describeallocation`.
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

/// Up to five segments in order of preference. Page `ns-d3dukmdt-d3dddi_segmentpreference`.
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

/// Which way of access an allocation property update asks for. Page
/// `ns-d3dukmdt-d3dddi_updateallocproperty_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_UPDATEALLOCPROPERTY_FLAGS {
    pub AccessedPhysically: bool,
    pub Unmoveable: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Asks whether an allocation's segments may change. Page
/// `ns-d3dkmddi-dxgkarg_validateupdateallocproperty`.
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

/// Tells where an allocation's system memory is. Page
/// `ns-d3dkmddi-dxgkarg_setallocationbackingstore`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETALLOCATIONBACKINGSTORE {
    pub hDriverAllocation: HANDLE,
    pub pBackingStore: PVOID,
}

/// One allocation that a DMA buffer uses. Page `ns-d3dkmddi-dxgk_allocationlist`.
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

/// One place in a DMA buffer that holds an allocation's address. Page
/// `ns-d3dukmdt-d3dddi_patchlocationlist`.
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

/// `DxgkDdiCreateAllocation` with [`DXGKARG_CREATEALLOCATION`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createallocation`.
pub type DXGKDDI_CREATEALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCreateAllocation: *mut DXGKARG_CREATEALLOCATION,
) -> NTSTATUS;

/// `DxgkDdiDestroyAllocation` with [`DXGKARG_DESTROYALLOCATION`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_destroyallocation`.
pub type DXGKDDI_DESTROYALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pDestroyAllocation: *const DXGKARG_DESTROYALLOCATION,
) -> NTSTATUS;

/// `DxgkDdiDescribeAllocation` with [`DXGKARG_DESCRIBEALLOCATION`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_describeallocation`.
pub type DXGKDDI_DESCRIBEALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pDescribeAllocation: *mut DXGKARG_DESCRIBEALLOCATION,
) -> NTSTATUS;

/// `DxgkDdiOpenAllocation` with [`DXGKARG_OPENALLOCATION`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_openallocationinfo`.
pub type DXGKDDI_OPENALLOCATIONINFO = unsafe extern "win64" fn(
    hDevice: HANDLE,
    pOpenAllocation: *const DXGKARG_OPENALLOCATION,
) -> NTSTATUS;

/// `DxgkDdiCloseAllocation` with [`DXGKARG_CLOSEALLOCATION`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_closeallocation`.
pub type DXGKDDI_CLOSEALLOCATION = unsafe extern "win64" fn(
    hDevice: HANDLE,
    pCloseAllocation: *const DXGKARG_CLOSEALLOCATION,
) -> NTSTATUS;

/// `DxgkDdiValidateUpdateAllocationProperty` with [`DXGKARG_VALIDATEUPDATEALLOCPROPERTY`]. Page
/// `nc-d3dkmddi-dxgkddi_validateupdateallocationproperty`.
pub type DXGKDDI_VALIDATEUPDATEALLOCATIONPROPERTY = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pValidateUpdateAllocProperty: *const DXGKARG_VALIDATEUPDATEALLOCPROPERTY,
) -> NTSTATUS;

/// `DxgkDdiSetAllocationBackingStore` with [`DXGKARG_SETALLOCATIONBACKINGSTORE`]. Page
/// `nc-d3dkmddi-dxgkddi_setallocationbackingstore`.
pub type DXGKDDI_SETALLOCATIONBACKINGSTORE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARG_SETALLOCATIONBACKINGSTORE,
) -> NTSTATUS;

opaque_debug! {
    DXGK_ALLOCATIONLIST_Anonymous2,
}

layouts! {
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
