//! Arguments of the callbacks in [`DXGKRNL_INTERFACE`](crate::interface::DXGKRNL_INTERFACE).

use bitfield_struct::bitfield;

use crate::allocinfo::{
    DXGK_ALLOCATIONINFOFLAGS, DXGK_SEGMENTBANKPREFERENCE, DXGK_SEGMENTPREFERENCE,
};
use crate::base::{
    D3DDDI_VIDEO_PRESENT_SOURCE_ID, D3DDDI_VIDEO_PRESENT_TARGET_ID, D3DGPU_VIRTUAL_ADDRESS,
    D3DKMT_HANDLE, HANDLE, MDL, PVOID,
};
use crate::ntstatus::NTSTATUS;

/// Whether a handle names an allocation or a resource. Page `ne-d3dkmddi-dxgk_handle_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_HANDLE_TYPE(pub i32);

impl DXGK_HANDLE_TYPE {
    pub const DXGK_HANDLE_ALLOCATION: Self = Self(1);
    pub const DXGK_HANDLE_RESOURCE: Self = Self(2);
}

/// Whether a protected session still protects. Page `ne-d3dkmddi-dxgk_protected_session_status`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_PROTECTED_SESSION_STATUS(pub i32);

impl DXGK_PROTECTED_SESSION_STATUS {
    pub const DXGK_PROTECTED_SESSION_STATUS_OK: Self = Self(0);
    pub const DXGK_PROTECTED_SESSION_STATUS_INVALID: Self = Self(1);
}

/// Whether the device-specific data is wanted. Page `ns-d3dkmddi-dxgkcb_gethandledataflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKCB_GETHANDLEDATAFLAGS {
    pub DeviceSpecific: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Names an allocation or resource by its kernel-thunk handle, to get the driver's data for it.
/// Page `ns-d3dkmddi-dxgkargcb_gethandledata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_GETHANDLEDATA {
    pub hObject: D3DKMT_HANDLE,
    pub Type: DXGK_HANDLE_TYPE,
    pub Flags: DXGKCB_GETHANDLEDATAFLAGS,
}

/// Walks the allocations of a resource. Page `ns-d3dkmddi-dxgkargcb_enumhandlechildren`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ENUMHANDLECHILDREN {
    pub hObject: D3DKMT_HANDLE,
    pub Index: u32,
}

/// Gives back handle data that was acquired. Page `ns-d3dkmddi-dxgkargcb_releasehandledata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_RELEASEHANDLEDATA {
    pub ReleaseHandle: PVOID,
    pub Type: DXGK_HANDLE_TYPE,
}

/// How context memory is shared and mapped. Page `ns-d3dkmddi-dxgk_createcontextallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_CREATECONTEXTALLOCATIONFLAGS {
    pub SharedAcrossContexts: bool,
    pub MapGpuVirtualAddress: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Asks the OS for memory in which the hardware keeps a context. Page
/// `ns-d3dkmddi-dxgkargcb_createcontextallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATECONTEXTALLOCATION {
    pub ContextAllocationFlags: DXGK_CREATECONTEXTALLOCATIONFLAGS,
    pub hAdapter: HANDLE,
    pub hDevice: HANDLE,
    pub hContext: HANDLE,
    pub hDriverAllocation: HANDLE,
    pub Size: usize,
    pub Alignment: u32,
    pub SupportedSegmentSet: u32,
    pub EvictionSegmentSet: u32,
    pub PreferredSegment: DXGK_SEGMENTPREFERENCE,
    pub HintedBank: DXGK_SEGMENTBANKPREFERENCE,
    pub Flags: DXGK_ALLOCATIONINFOFLAGS,
    pub hAllocation: HANDLE,
    pub PhysicalAdapterIndex: u32,
}

/// Access that a GPU virtual address mapping allows. Page
/// `ns-d3dukmdt-d3dddigpuvirtualaddress_protection_type`.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE {
    pub Write: bool,
    pub Execute: bool,
    pub Zero: bool,
    pub NoAccess: bool,
    pub SystemUseOnly: bool,
    #[bits(59)]
    pub Reserved: u64,
}

/// Maps context memory into the context's GPU address space. Page
/// `ns-d3dkmddi-dxgkargcb_mapcontextallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_MAPCONTEXTALLOCATION {
    pub BaseAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub MinimumAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub MaximumAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub hAllocation: HANDLE,
    pub OffsetInPages: u64,
    pub SizeInPages: u64,
    pub Protection: D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE,
    pub DriverProtection: u64,
}

/// Asks for a paging operation that rewrites context memory. Page
/// `ns-d3dkmddi-dxgkargcb_updatecontextallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UPDATECONTEXTALLOCATION {
    pub hAllocation: HANDLE,
    pub pPrivateDriverData: PVOID,
    pub PrivateDriverDataSize: u32,
}

/// Reserves a range of a process's GPU address space for the driver. Page
/// `ns-d3dkmddi-dxgkargcb_reservegpuvirtualaddressrange`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE {
    pub hDxgkProcess: HANDLE,
    pub SizeInBytes: u64,
    pub Alignment: u32,
    pub StartVirtualAddress: u64,
    pub BaseAddress: u64,
    pub Anonymous: DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE_Anonymous,
}

/// The bits of [`DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE`] that its page lists without a name of
/// their own for the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE_Anonymous {
    pub AllowUserModeMapping: bool,
    #[bits(31)]
    __: u32,
}

/// Why a hardware context has lost its state. Page `ns-d3dkmddi-_dxgk_invalidatehwcontextflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_INVALIDATEHWCONTEXTFLAGS {
    pub CollateralDamage: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Reports that a hardware context has lost its state. Page
/// `ns-d3dkmddi-_dxgkargcb_invalidatehwcontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_INVALIDATEHWCONTEXT {
    pub hAdapter: HANDLE,
    pub hHwContext: HANDLE,
    pub Flags: DXGK_INVALIDATEHWCONTEXTFLAGS,
}

/// Signals a CPU event that a client has registered. Page `ns-d3dkmddi-dxgkargcb_signalevent`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_SIGNALEVENT {
    pub hDxgkProcess: HANDLE,
    pub hEvent: HANDLE,
    pub Anonymous: DXGKARGCB_SIGNALEVENT_Anonymous,
}

/// The bits of [`DXGKARGCB_SIGNALEVENT`] that its page lists without a name of their own for the
/// word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_SIGNALEVENT_Anonymous {
    pub CpuEventObject: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Reports that a protected session has become invalid. Page
/// `ns-d3dkmddi-dxgkargcb_protectedsessionstatus`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_PROTECTEDSESSIONSTATUS {
    pub hProtectedSession: HANDLE,
    pub Status: DXGK_PROTECTED_SESSION_STATUS,
}

/// Kinds of diagnostics: events or progress. Page `ns-dispmprt-dxgk_diagnostic_categories`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DIAGNOSTIC_CATEGORIES {
    pub Notifications: bool,
    pub Progressions: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Diagnostics that announce an event. Page `ns-dispmprt-dxgk_diagtype_notifications`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DIAGTYPE_NOTIFICATIONS {
    pub PanelSelfRefreshSoftware: bool,
    pub PanelSelfRefreshHardware: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Diagnostics that follow a sequence of steps. Page `ns-dispmprt-dxgk_diagtype_progressions`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DIAGTYPE_PROGRESSIONS {
    pub SyncLockEnableSync: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Which diagnostic of its category is meant. Page `ns-dispmprt-dxgk_diagnostic_types`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_DIAGNOSTIC_TYPES {
    pub Notifications: DXGK_DIAGTYPE_NOTIFICATIONS,
    pub Progressions: DXGK_DIAGTYPE_PROGRESSIONS,
    pub Value: u32,
}

/// Beginning of every diagnostic report. Page `ns-dispmprt-dxgk_diagnostic_header`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DIAGNOSTIC_HEADER {
    pub Category: DXGK_DIAGNOSTIC_CATEGORIES,
    pub Type: DXGK_DIAGNOSTIC_TYPES,
    pub Anonymous: DXGK_DIAGNOSTIC_HEADER_Anonymous,
    pub SequenceNumber: u32,
    pub Anonymous2: DXGK_DIAGNOSTIC_HEADER_Anonymous2,
}

/// The unnamed union of [`DXGK_DIAGNOSTIC_HEADER`] at offset 16.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_DIAGNOSTIC_HEADER_Anonymous2 {
    pub TargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
    pub SourceId: D3DDDI_VIDEO_PRESENT_SOURCE_ID,
    pub Id: u32,
}

/// The bits of [`DXGK_DIAGNOSTIC_HEADER`] that its page lists without a name of their own for the
/// word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DIAGNOSTIC_HEADER_Anonymous {
    #[bits(16)]
    pub Size: u16,
    #[bits(16)]
    pub Reserved: u16,
}

/// Memory to carry over a hot update of the host. Page
/// `ns-d3dkmddi-dxgkargcb_savememoryforhotupdate`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_SAVEMEMORYFORHOTUPDATE {
    pub NumDataMemoryRanges: u32,
    pub pDataMemoryRanges: PVOID,
    pub pDataMdl: *mut MDL,
    pub DataSize: u32,
    pub pData: PVOID,
    pub MetaDataSize: u32,
    pub pMetaData: *mut u8,
}

/// `DxgkCbGetHandleData` with [`DXGKARGCB_GETHANDLEDATA`]. Page `nc-d3dkmddi-dxgkcb_gethandledata`.
pub type DXGKCB_GETHANDLEDATA = unsafe extern "win64" fn(*const DXGKARGCB_GETHANDLEDATA) -> PVOID;

/// `DxgkCbEnumHandleChildren` with [`DXGKARGCB_ENUMHANDLECHILDREN`]. Page
/// `nc-d3dkmddi-dxgkcb_enumhandlechildren`.
pub type DXGKCB_ENUMHANDLECHILDREN =
    unsafe extern "win64" fn(*const DXGKARGCB_ENUMHANDLECHILDREN) -> u32;

/// `DxgkCbCreateContextAllocation` with [`DXGKARGCB_CREATECONTEXTALLOCATION`]. Page
/// `nc-d3dkmddi-dxgkcb_createcontextallocation`.
pub type DXGKCB_CREATECONTEXTALLOCATION =
    unsafe extern "win64" fn(*mut DXGKARGCB_CREATECONTEXTALLOCATION) -> NTSTATUS;

/// `DxgkCbMapContextAllocation` with [`DXGKARGCB_MAPCONTEXTALLOCATION`]. Page
/// `nc-d3dkmddi-dxgkcb_mapcontextallocation`.
pub type DXGKCB_MAPCONTEXTALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARGCB_MAPCONTEXTALLOCATION,
) -> usize;

/// `DxgkCbUpdateContextAllocation` with [`DXGKARGCB_UPDATECONTEXTALLOCATION`]. Page
/// `nc-d3dkmddi-dxgkcb_updatecontextallocation`.
pub type DXGKCB_UPDATECONTEXTALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARGCB_UPDATECONTEXTALLOCATION,
) -> NTSTATUS;

/// `DxgkCbReserveGpuVirtualAddressRange` with [`DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE`]. Page
/// `nc-d3dkmddi-dxgkcb_reservegpuvirtualaddressrange`.
pub type DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *mut DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE,
) -> NTSTATUS;

/// `DxgkCbAcquireHandleData`: Resolves a handle to the driver's data and keeps the data alive until
/// it is released. Page `nc-d3dkmddi-dxgkcb_acquirehandledata`.
pub type DXGKCB_ACQUIREHANDLEDATA =
    unsafe extern "win64" fn(*const DXGKARGCB_GETHANDLEDATA, *mut PVOID) -> PVOID;

/// `DxgkCbReleaseHandleData` with [`DXGKARGCB_RELEASEHANDLEDATA`]. Page
/// `nc-d3dkmddi-dxgkcb_releasehandledata`.
pub type DXGKCB_RELEASEHANDLEDATA = unsafe extern "win64" fn(DXGKARGCB_RELEASEHANDLEDATA);

/// `DxgkCbInvalidateHwContext` with [`DXGKARGCB_INVALIDATEHWCONTEXT`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkcb_invalidatehwcontext`.
pub type DXGKCB_INVALIDATEHWCONTEXT =
    unsafe extern "win64" fn(*const DXGKARGCB_INVALIDATEHWCONTEXT) -> NTSTATUS;

/// `DxgkCbSetProtectedSessionStatus` with [`DXGKARGCB_PROTECTEDSESSIONSTATUS`]. Page
/// `nc-d3dkmddi-dxgkcb_setprotectedsessionstatus`.
pub type DXGKCB_SETPROTECTEDSESSIONSTATUS = unsafe extern "win64" fn(
    pProtectedSessionStatus: *const DXGKARGCB_PROTECTEDSESSIONSTATUS,
) -> NTSTATUS;

/// `DxgkCbSignalEvent` with [`DXGKARGCB_SIGNALEVENT`]. Page `nc-d3dkmddi-dxgkcb_signalevent`.
pub type DXGKCB_SIGNALEVENT = unsafe extern "win64" fn(*const DXGKARGCB_SIGNALEVENT) -> NTSTATUS;

/// `DxgkCbSaveMemoryForHotUpdate` with [`DXGKARGCB_SAVEMEMORYFORHOTUPDATE`]. Page
/// `nc-d3dkmddi-dxgkcb_savememoryforhotupdate`.
pub type DXGKCB_SAVEMEMORYFORHOTUPDATE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARGCB_SAVEMEMORYFORHOTUPDATE,
) -> NTSTATUS;

opaque_debug! {
    DXGK_DIAGNOSTIC_TYPES,
    DXGK_DIAGNOSTIC_HEADER_Anonymous2,
}

layouts! {
    DXGKCB_GETHANDLEDATAFLAGS = 4 {
    }
    DXGKARGCB_GETHANDLEDATA = 12 {
        hObject: 0,
        Type: 4,
        Flags: 8,
    }
    DXGKARGCB_ENUMHANDLECHILDREN = 8 {
        hObject: 0,
        Index: 4,
    }
    DXGKARGCB_RELEASEHANDLEDATA = 16 {
        ReleaseHandle: 0,
        Type: 8,
    }
    DXGK_CREATECONTEXTALLOCATIONFLAGS = 4 {
    }
    DXGKARGCB_CREATECONTEXTALLOCATION = 88 {
        ContextAllocationFlags: 0,
        hAdapter: 8,
        hDevice: 16,
        hContext: 24,
        hDriverAllocation: 32,
        Size: 40,
        Alignment: 48,
        SupportedSegmentSet: 52,
        EvictionSegmentSet: 56,
        PreferredSegment: 60,
        HintedBank: 64,
        Flags: 68,
        hAllocation: 72,
        PhysicalAdapterIndex: 80,
    }
    D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE = 8 {
    }
    DXGKARGCB_MAPCONTEXTALLOCATION = 64 {
        BaseAddress: 0,
        MinimumAddress: 8,
        MaximumAddress: 16,
        hAllocation: 24,
        OffsetInPages: 32,
        SizeInPages: 40,
        Protection: 48,
        DriverProtection: 56,
    }
    DXGKARGCB_UPDATECONTEXTALLOCATION = 24 {
        hAllocation: 0,
        pPrivateDriverData: 8,
        PrivateDriverDataSize: 16,
    }
    DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE = 48 {
        hDxgkProcess: 0,
        SizeInBytes: 8,
        Alignment: 16,
        StartVirtualAddress: 24,
        BaseAddress: 32,
        Anonymous: 40,
    }
    DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE_Anonymous = 4 {
    }
    DXGK_INVALIDATEHWCONTEXTFLAGS = 4 {
    }
    DXGKARGCB_INVALIDATEHWCONTEXT = 24 {
        hAdapter: 0,
        hHwContext: 8,
        Flags: 16,
    }
    DXGKARGCB_SIGNALEVENT = 24 {
        hDxgkProcess: 0,
        hEvent: 8,
        Anonymous: 16,
    }
    DXGKARGCB_SIGNALEVENT_Anonymous = 4 {
    }
    DXGKARGCB_PROTECTEDSESSIONSTATUS = 16 {
        hProtectedSession: 0,
        Status: 8,
    }
    DXGK_DIAGNOSTIC_CATEGORIES = 4 {
    }
    DXGK_DIAGTYPE_NOTIFICATIONS = 4 {
    }
    DXGK_DIAGTYPE_PROGRESSIONS = 4 {
    }
    DXGK_DIAGNOSTIC_TYPES = 4 {
        Notifications: 0,
        Progressions: 0,
        Value: 0,
    }
    DXGK_DIAGNOSTIC_HEADER = 20 {
        Category: 0,
        Type: 4,
        Anonymous: 8,
        SequenceNumber: 12,
        Anonymous2: 16,
        Anonymous2.TargetId: 16,
        Anonymous2.SourceId: 16,
        Anonymous2.Id: 16,
    }
    DXGK_DIAGNOSTIC_HEADER_Anonymous2 = 4 {
    }
    DXGK_DIAGNOSTIC_HEADER_Anonymous = 4 {
    }
    DXGKARGCB_SAVEMEMORYFORHOTUPDATE = 56 {
        NumDataMemoryRanges: 0,
        pDataMemoryRanges: 8,
        pDataMdl: 16,
        DataSize: 24,
        pData: 32,
        MetaDataSize: 40,
        pMetaData: 48,
    }
}
