//! The user-mode side: thunk structures that a client passes to the graphics kernel.

use bitfield_struct::bitfield;

use crate::allocation::D3DDDI_PATCHLOCATIONLIST;
use crate::base::{BOOL, D3DGPU_VIRTUAL_ADDRESS, D3DKMT_HANDLE, LUID, PVOID};
use crate::device::{D3DDDI_CREATEHWCONTEXTFLAGS, D3DDDI_CREATEHWQUEUEFLAGS};
use crate::fence::D3DDDI_NATIVEFENCEINFO;

/// Priority of a paging queue among those of a device. Page
/// `ne-d3dukmdt-d3dddi_pagingqueue_priority`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDI_PAGINGQUEUE_PRIORITY(pub i32);

impl D3DDDI_PAGINGQUEUE_PRIORITY {
    pub const D3DDDI_PAGINGQUEUE_PRIORITY_BELOW_NORMAL: Self = Self(-1);
    pub const D3DDDI_PAGINGQUEUE_PRIORITY_NORMAL: Self = Self(0);
    pub const D3DDDI_PAGINGQUEUE_PRIORITY_ABOVE_NORMAL: Self = Self(1);
}

/// Flags of [`D3DKMT_CREATE_DOORBELL`]. Page `ns-d3dkmthk-d3dkmt_create_doorbell_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DKMT_CREATE_DOORBELL_FLAGS {
    pub RequireSecondaryCpuVA: bool,
    pub ResizeRingBufferOperation: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Creates a doorbell for a hardware queue; the answers are the addresses that the client stores to
/// and reads the status from. Page `ns-d3dkmthk-d3dkmt_create_doorbell`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_CREATE_DOORBELL {
    pub hHwQueue: D3DKMT_HANDLE,
    pub hRingBuffer: D3DKMT_HANDLE,
    pub hRingBufferControl: D3DKMT_HANDLE,
    pub Flags: D3DKMT_CREATE_DOORBELL_FLAGS,
    pub PrivateDriverDataSize: u32,
    pub PrivateDriverData: PVOID,
    pub DoorbellCPUVirtualAddress: PVOID,
    pub DoorbellSecondaryCPUVirtualAddress: PVOID,
    pub DoorbellStatusCPUVirtualAddress: PVOID,
    pub HwQueueProgressFenceLastQueuedValueCPUVirtualAddress: PVOID,
    pub hDoorbell: D3DKMT_HANDLE,
}

/// Flags of [`D3DKMT_CONNECT_DOORBELL`]. Page `ns-d3dkmthk-d3dkmt_connect_doorbell_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DKMT_CONNECT_DOORBELL_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Names the doorbell that a client wants connected, or connected again. Page
/// `ns-d3dkmthk-d3dkmt_connect_doorbell`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_CONNECT_DOORBELL {
    pub hDoorbell: D3DKMT_HANDLE,
    pub Flags: D3DKMT_CONNECT_DOORBELL_FLAGS,
}

/// Names the doorbell that a client destroys. Page `ns-d3dkmthk-d3dkmt_destroy_doorbell`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_DESTROY_DOORBELL {
    pub hDoorbell: D3DKMT_HANDLE,
}

/// Flags of [`D3DKMT_NOTIFY_WORK_SUBMISSION`]. Page
/// `ns-d3dkmthk-d3dkmt_notify_work_submission_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DKMT_NOTIFY_WORK_SUBMISSION_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Tells the driver that work waits in a queue whose doorbell asks for it. Page
/// `ns-d3dkmthk-d3dkmt_notify_work_submission`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_NOTIFY_WORK_SUBMISSION {
    pub hDoorbell: D3DKMT_HANDLE,
    pub Flags: D3DKMT_NOTIFY_WORK_SUBMISSION_FLAGS,
}

/// Flags of [`D3DKMT_CREATENATIVEFENCE`]. Page `ns-d3dkmthk-d3dkmt_createnativefence_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DKMT_CREATENATIVEFENCE_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Creates a native fence on a device. Page `ns-d3dkmthk-d3dkmt_createnativefence`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_CREATENATIVEFENCE {
    pub hDevice: D3DKMT_HANDLE,
    pub hSyncObject: D3DKMT_HANDLE,
    pub PrivateDriverData: [u8; 64],
    pub Info: D3DDDI_NATIVEFENCEINFO,
    pub Flags: D3DKMT_CREATENATIVEFENCE_FLAGS,
    pub Reserved: [u8; 28],
}

/// Creates a hardware queue in a hardware context and answers its progress fence. Page
/// `ns-d3dkmthk-d3dkmt_createhwqueue`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_CREATEHWQUEUE {
    pub hHwContext: D3DKMT_HANDLE,
    pub Flags: D3DDDI_CREATEHWQUEUEFLAGS,
    pub PrivateDriverDataSize: u32,
    pub pPrivateDriverData: PVOID,
    pub hHwQueue: D3DKMT_HANDLE,
    pub hHwQueueProgressFence: D3DKMT_HANDLE,
    pub HwQueueProgressFenceCPUVirtualAddress: PVOID,
    pub HwQueueProgressFenceGPUVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
}

/// Names the hardware queue that a client destroys. Page `ns-d3dkmthk-d3dkmt_destroyhwqueue`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_DESTROYHWQUEUE {
    pub hHwQueue: D3DKMT_HANDLE,
}

/// Creates a hardware context on a node of a device. Page `ns-d3dkmthk-d3dkmt_createhwcontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_CREATEHWCONTEXT {
    pub hDevice: D3DKMT_HANDLE,
    pub NodeOrdinal: u32,
    pub EngineAffinity: u32,
    pub Flags: D3DDDI_CREATEHWCONTEXTFLAGS,
    pub PrivateDriverDataSize: u32,
    pub pPrivateDriverData: PVOID,
    pub hHwContext: D3DKMT_HANDLE,
}

/// Names the hardware context that a client destroys. Page `ns-d3dkmthk-d3dkmt_destroyhwcontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_DESTROYHWCONTEXT {
    pub hHwContext: D3DKMT_HANDLE,
}

/// Opens the adapter that a locally unique identifier names. Page
/// `ns-d3dkmthk-d3dkmt_openadapterfromluid`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_OPENADAPTERFROMLUID {
    pub AdapterLuid: LUID,
    pub hAdapter: D3DKMT_HANDLE,
}

/// Names the adapter handle that a client closes. Page `ns-d3dkmthk-d3dkmt_closeadapter`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_CLOSEADAPTER {
    pub hAdapter: D3DKMT_HANDLE,
}

/// Flags of [`D3DKMT_CREATEDEVICE`]. Page `ns-d3dkmthk-d3dkmt_createdeviceflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DKMT_CREATEDEVICEFLAGS {
    pub LegacyMode: bool,
    pub RequestVSync: bool,
    pub DisableGpuTimeout: bool,
    pub TestDevice: bool,
    #[bits(28)]
    pub Reserved: u32,
}

/// Creates a device on an adapter. Page `ns-d3dkmthk-d3dkmt_createdevice`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_CREATEDEVICE {
    pub Anonymous: D3DKMT_CREATEDEVICE_Anonymous,
    pub Flags: D3DKMT_CREATEDEVICEFLAGS,
    pub hDevice: D3DKMT_HANDLE,
    pub pCommandBuffer: PVOID,
    pub CommandBufferSize: u32,
    pub pAllocationList: PVOID,
    pub AllocationListSize: u32,
    pub pPatchLocationList: *mut D3DDDI_PATCHLOCATIONLIST,
    pub PatchLocationListSize: u32,
}

/// The unnamed union of [`D3DKMT_CREATEDEVICE`] at offset 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub union D3DKMT_CREATEDEVICE_Anonymous {
    pub hAdapter: D3DKMT_HANDLE,
    pub pAdapter: PVOID,
}

/// Names the device that a client destroys. Page `ns-d3dkmthk-d3dkmt_destroydevice`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_DESTROYDEVICE {
    pub hDevice: D3DKMT_HANDLE,
}

/// Enumerates adapters into a list of the caller's. Page `ns-d3dkmthk-d3dkmt_enumadapters2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_ENUMADAPTERS2 {
    pub NumAdapters: u32,
    pub pAdapters: *mut D3DKMT_ADAPTERINFO,
}

/// An adapter in an enumeration: handle, identifier and number of sources. Page
/// `ns-d3dkmthk-d3dkmt_adapterinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_ADAPTERINFO {
    pub hAdapter: D3DKMT_HANDLE,
    pub AdapterLuid: LUID,
    pub NumOfSources: u32,
    pub bPrecisePresentRegionsPreferred: BOOL,
}

/// Creates a paging queue and answers its fence. Page `ns-d3dkmthk-d3dkmt_createpagingqueue`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_CREATEPAGINGQUEUE {
    pub hDevice: D3DKMT_HANDLE,
    pub Priority: D3DDDI_PAGINGQUEUE_PRIORITY,
    pub hPagingQueue: D3DKMT_HANDLE,
    pub hSyncObject: D3DKMT_HANDLE,
    pub FenceValueCPUVirtualAddress: PVOID,
    pub PhysicalAdapterIndex: u32,
}

/// Names the paging queue that a client destroys. Page `ns-d3dukmdt-d3dddi_destroypagingqueue`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_DESTROYPAGINGQUEUE {
    pub hPagingQueue: D3DKMT_HANDLE,
}

/// Names the fence that a client destroys. Page `ns-d3dkmthk-d3dkmt_destroysynchronizationobject`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DKMT_DESTROYSYNCHRONIZATIONOBJECT {
    pub hSyncObject: D3DKMT_HANDLE,
}

opaque_debug! {
    D3DKMT_CREATEDEVICE_Anonymous,
}

layouts! {
    D3DKMT_CREATE_DOORBELL_FLAGS = 4 {
    }
    D3DKMT_CREATE_DOORBELL = 72 {
        hHwQueue: 0,
        hRingBuffer: 4,
        hRingBufferControl: 8,
        Flags: 12,
        PrivateDriverDataSize: 16,
        PrivateDriverData: 24,
        DoorbellCPUVirtualAddress: 32,
        DoorbellSecondaryCPUVirtualAddress: 40,
        DoorbellStatusCPUVirtualAddress: 48,
        HwQueueProgressFenceLastQueuedValueCPUVirtualAddress: 56,
        hDoorbell: 64,
    }
    D3DKMT_CONNECT_DOORBELL_FLAGS = 4 {
    }
    D3DKMT_CONNECT_DOORBELL = 8 {
        hDoorbell: 0,
        Flags: 4,
    }
    D3DKMT_DESTROY_DOORBELL = 4 {
        hDoorbell: 0,
    }
    D3DKMT_NOTIFY_WORK_SUBMISSION_FLAGS = 4 {
    }
    D3DKMT_NOTIFY_WORK_SUBMISSION = 8 {
        hDoorbell: 0,
        Flags: 4,
    }
    D3DKMT_CREATENATIVEFENCE_FLAGS = 4 {
    }
    D3DKMT_CREATENATIVEFENCE = 216 {
        hDevice: 0,
        hSyncObject: 4,
        PrivateDriverData: 8,
        Info: 72,
        Flags: 184,
        Reserved: 188,
    }
    D3DKMT_CREATEHWQUEUE = 48 {
        hHwContext: 0,
        Flags: 4,
        PrivateDriverDataSize: 8,
        pPrivateDriverData: 16,
        hHwQueue: 24,
        hHwQueueProgressFence: 28,
        HwQueueProgressFenceCPUVirtualAddress: 32,
        HwQueueProgressFenceGPUVirtualAddress: 40,
    }
    D3DKMT_DESTROYHWQUEUE = 4 {
        hHwQueue: 0,
    }
    D3DKMT_CREATEHWCONTEXT = 40 {
        hDevice: 0,
        NodeOrdinal: 4,
        EngineAffinity: 8,
        Flags: 12,
        PrivateDriverDataSize: 16,
        pPrivateDriverData: 24,
        hHwContext: 32,
    }
    D3DKMT_DESTROYHWCONTEXT = 4 {
        hHwContext: 0,
    }
    D3DKMT_OPENADAPTERFROMLUID = 12 {
        AdapterLuid: 0,
        hAdapter: 8,
    }
    D3DKMT_CLOSEADAPTER = 4 {
        hAdapter: 0,
    }
    D3DKMT_CREATEDEVICEFLAGS = 4 {
    }
    D3DKMT_CREATEDEVICE = 64 {
        Anonymous: 0,
        Anonymous.hAdapter: 0,
        Anonymous.pAdapter: 0,
        Flags: 8,
        hDevice: 12,
        pCommandBuffer: 16,
        CommandBufferSize: 24,
        pAllocationList: 32,
        AllocationListSize: 40,
        pPatchLocationList: 48,
        PatchLocationListSize: 56,
    }
    D3DKMT_CREATEDEVICE_Anonymous = 8 {
    }
    D3DKMT_DESTROYDEVICE = 4 {
        hDevice: 0,
    }
    D3DKMT_ENUMADAPTERS2 = 16 {
        NumAdapters: 0,
        pAdapters: 8,
    }
    D3DKMT_ADAPTERINFO = 20 {
        hAdapter: 0,
        AdapterLuid: 4,
        NumOfSources: 12,
        bPrecisePresentRegionsPreferred: 16,
    }
    D3DKMT_CREATEPAGINGQUEUE = 32 {
        hDevice: 0,
        Priority: 4,
        hPagingQueue: 8,
        hSyncObject: 12,
        FenceValueCPUVirtualAddress: 16,
        PhysicalAdapterIndex: 24,
    }
    D3DDDI_DESTROYPAGINGQUEUE = 4 {
        hPagingQueue: 0,
    }
    D3DKMT_DESTROYSYNCHRONIZATIONOBJECT = 4 {
        hSyncObject: 0,
    }
}
