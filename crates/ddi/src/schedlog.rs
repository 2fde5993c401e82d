//! The scheduling log.

use bitfield_struct::bitfield;

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, HANDLE};
use crate::ntstatus::NTSTATUS;

/// States of a context in a scheduling log. Page `ne-d3dkmddi-dxgk_scheduling_log_context_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_SCHEDULING_LOG_CONTEXT_STATE(pub i32);

impl DXGK_SCHEDULING_LOG_CONTEXT_STATE {
    pub const DXGK_SCHEDULING_LOG_CONTEXT_STATE_IDLE: Self = Self(0);
    pub const DXGK_SCHEDULING_LOG_CONTEXT_STATE_RUNNING: Self = Self(1);
    pub const DXGK_SCHEDULING_LOG_CONTEXT_STATE_READY: Self = Self(2);
    pub const DXGK_SCHEDULING_LOG_CONTEXT_STATE_READY_STANDBY: Self = Self(3);
}

/// Where a node writes its scheduling log. Page `ns-d3dkmddi-_dxgkarg_setschedulinglogbuffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETSCHEDULINGLOGBUFFER {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub NumberOfEntries: u32,
    pub LogBufferCpuVa: *mut DXGK_SCHEDULING_LOG_BUFFER,
    pub LogBufferGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub InterruptEntry: u32,
}

/// Write position of a scheduling log. Page `ns-d3dkmddi-dxgk_scheduling_log_header`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_HEADER {
    pub Anonymous: DXGK_SCHEDULING_LOG_HEADER_Anonymous,
    pub NumberOfEntries: u64,
    pub Reserved: [u64; 2],
}

/// The unnamed union of [`DXGK_SCHEDULING_LOG_HEADER`] at offset 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_SCHEDULING_LOG_HEADER_Anonymous {
    pub Anonymous: DXGK_SCHEDULING_LOG_HEADER_Anonymous_Anonymous,
    pub AtomicWraparoundAndEntryIndex: u64,
}

/// One reading of the unnamed union of [`DXGK_SCHEDULING_LOG_HEADER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_HEADER_Anonymous_Anonymous {
    pub FirstFreeEntryIndex: u32,
    pub WraparoundCount: u32,
}

/// A context's change of state, in a scheduling log. Page
/// `ns-d3dkmddi-dxgk_scheduling_log_context_state_change`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_CONTEXT_STATE_CHANGE {
    pub hKmdContext: HANDLE,
    pub newContextState: DXGK_SCHEDULING_LOG_CONTEXT_STATE,
}

/// One entry of a scheduling log. Page `ns-d3dkmddi-dxgk_scheduling_log_entry`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_ENTRY {
    pub GpuTimeStamp: u64,
    pub Anonymous: DXGK_SCHEDULING_LOG_ENTRY_Anonymous,
    pub Anonymous2: DXGK_SCHEDULING_LOG_ENTRY_Anonymous2,
    pub Anonymous3: DXGK_SCHEDULING_LOG_ENTRY_Anonymous3,
}

/// The unnamed union of [`DXGK_SCHEDULING_LOG_ENTRY`] at offset 16.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_SCHEDULING_LOG_ENTRY_Anonymous3 {
    pub ContextStateChange: DXGK_SCHEDULING_LOG_CONTEXT_STATE_CHANGE,
    pub ReservedOperationData: [u64; 2],
}

/// The bits of [`DXGK_SCHEDULING_LOG_ENTRY`] that its page lists without a name of their own for
/// the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SCHEDULING_LOG_ENTRY_Anonymous2 {
    #[bits(32)]
    pub ReservedOperationTypeBits: u32,
}

/// The bits of [`DXGK_SCHEDULING_LOG_ENTRY`] that its page lists without a name of their own for
/// the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SCHEDULING_LOG_ENTRY_Anonymous {
    #[bits(32)]
    pub OperationType: u32,
}

/// A scheduling log: header and a ring of entries. Page `ns-d3dkmddi-dxgk_scheduling_log_buffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_BUFFER {
    pub Header: DXGK_SCHEDULING_LOG_HEADER,
    pub Entries: [DXGK_SCHEDULING_LOG_ENTRY; 1],
}

/// `DxgkDdiSetSchedulingLogBuffer` with [`DXGKARG_SETSCHEDULINGLOGBUFFER`]. IRQL: PASSIVE_LEVEL.
/// Page `nc-d3dkmddi-dxgkddi_setschedulinglogbuffer`.
pub type DXGKDDI_SETSCHEDULINGLOGBUFFER = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSetSchedulingLogBuffer: *const DXGKARG_SETSCHEDULINGLOGBUFFER,
) -> NTSTATUS;

opaque_debug! {
    DXGK_SCHEDULING_LOG_HEADER_Anonymous,
    DXGK_SCHEDULING_LOG_ENTRY_Anonymous3,
}

layouts! {
    DXGKARG_SETSCHEDULINGLOGBUFFER = 40 {
        NodeOrdinal: 0,
        EngineOrdinal: 4,
        NumberOfEntries: 8,
        LogBufferCpuVa: 16,
        LogBufferGpuVa: 24,
        InterruptEntry: 32,
    }
    DXGK_SCHEDULING_LOG_HEADER = 32 {
        Anonymous: 0,
        Anonymous.Anonymous: 0,
        Anonymous.Anonymous.FirstFreeEntryIndex: 0,
        Anonymous.Anonymous.WraparoundCount: 4,
        Anonymous.AtomicWraparoundAndEntryIndex: 0,
        NumberOfEntries: 8,
        Reserved: 16,
    }
    DXGK_SCHEDULING_LOG_HEADER_Anonymous = 8 {
    }
    DXGK_SCHEDULING_LOG_HEADER_Anonymous_Anonymous = 8 {
    }
    DXGK_SCHEDULING_LOG_CONTEXT_STATE_CHANGE = 16 {
        hKmdContext: 0,
        newContextState: 8,
    }
    DXGK_SCHEDULING_LOG_ENTRY = 32 {
        GpuTimeStamp: 0,
        Anonymous: 8,
        Anonymous2: 12,
        Anonymous3: 16,
        Anonymous3.ContextStateChange: 16,
        Anonymous3.ReservedOperationData: 16,
    }
    DXGK_SCHEDULING_LOG_ENTRY_Anonymous3 = 16 {
    }
    DXGK_SCHEDULING_LOG_ENTRY_Anonymous2 = 4 {
    }
    DXGK_SCHEDULING_LOG_ENTRY_Anonymous = 4 {
    }
    DXGK_SCHEDULING_LOG_BUFFER = 64 {
        Header: 0,
        Entries: 32,
    }
}
