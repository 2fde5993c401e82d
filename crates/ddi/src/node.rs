//! Node metadata, GPU clocks and history buffers.

use bitfield_struct::bitfield;

use crate::base::{BOOLEAN, HANDLE, PVOID};
use crate::ntstatus::NTSTATUS;
use crate::query::DXGKARG_HISTORYBUFFERPRECISION;

/// What a node is good at. Page `ne-d3dkmdt-dxgk_engine_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_ENGINE_TYPE(pub i32);

impl DXGK_ENGINE_TYPE {
    pub const DXGK_ENGINE_TYPE_OTHER: Self = Self(0);
    pub const DXGK_ENGINE_TYPE_3D: Self = Self(1);
    pub const DXGK_ENGINE_TYPE_VIDEO_DECODE: Self = Self(2);
    pub const DXGK_ENGINE_TYPE_VIDEO_ENCODE: Self = Self(3);
    pub const DXGK_ENGINE_TYPE_VIDEO_PROCESSING: Self = Self(4);
    pub const DXGK_ENGINE_TYPE_SCENE_ASSEMBLY: Self = Self(5);
    pub const DXGK_ENGINE_TYPE_COPY: Self = Self(6);
    pub const DXGK_ENGINE_TYPE_OVERLAY: Self = Self(7);
    pub const DXGK_ENGINE_TYPE_CRYPTO: Self = Self(8);
    pub const DXGK_ENGINE_TYPE_VIDEO_CODEC: Self = Self(9);
    pub const DXGK_ENGINE_TYPE_MAX: Self = Self(10);
}

/// Flags of [`DXGK_NODEMETADATA`]. Page `ns-d3dkmdt-_dxgk_nodemetadata_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_NODEMETADATA_FLAGS {
    pub ContextSchedulingSupported: bool,
    pub RingBufferFenceRelease: bool,
    pub SupportTrackedWorkload: bool,
    pub UserModeSubmission: bool,
    pub SupportBuildTestCommandBuffer: bool,
    #[bits(11)]
    pub Reserved: u16,
    #[bits(16)]
    pub MaxInFlightHwQueueBuffers: u16,
}

/// Engine type, name and flags of a node; the driver fills it in. Page
/// `ns-d3dkmdt-_dxgk_nodemetadata`.
#[repr(C, packed(2))]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_NODEMETADATA {
    pub EngineType: DXGK_ENGINE_TYPE,
    pub FriendlyName: [u16; 32],
    pub Flags: DXGK_NODEMETADATA_FLAGS,
    pub GpuMmuSupported: BOOLEAN,
    pub IoMmuSupported: BOOLEAN,
}

/// Flags of [`DXGK_GPUCLOCKDATA`]. Page `ns-d3dkmdt-dxgk_gpuclockdata_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_GPUCLOCKDATA_FLAGS {
    pub ContextManagementProcessor: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// GPU and CPU clock read at the same moment. Page `ns-d3dkmdt-dxgk_gpuclockdata`.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_GPUCLOCKDATA {
    pub GpuFrequency: u64,
    pub GpuClockCounter: u64,
    pub CpuClockCounter: u64,
    pub Flags: DXGK_GPUCLOCKDATA_FLAGS,
}

/// Turns a raw history buffer into what the OS reads. Page
/// `ns-d3dkmddi-dxgkarg_formathistorybuffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_FORMATHISTORYBUFFER {
    pub pHistoryBuffer: *mut DXGK_HISTORY_BUFFER,
    pub HistoryBufferSize: u32,
    pub pFormattedBuffer: PVOID,
    pub FormattedBufferSize: u32,
    pub NumTimestamps: u32,
    pub Precision: DXGKARG_HISTORYBUFFERPRECISION,
    pub Offset: u32,
}

/// Sequence number, number of time stamps and private data size of a history buffer. Page
/// `ns-d3dkmddi-dxgk_history_buffer_header`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_HISTORY_BUFFER_HEADER {
    pub RenderCbSequence: u32,
    pub NumTimestamps: u32,
    pub PrivateDataSize: u32,
    pub Reserved: u32,
}

/// A history buffer: header and the driver's private data. Page `ns-d3dkmddi-dxgk_history_buffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_HISTORY_BUFFER {
    pub Header: DXGK_HISTORY_BUFFER_HEADER,
    pub DriverPrivateData: [u8; 1],
}

/// `DxgkDdiGetNodeMetadata` with [`DXGK_NODEMETADATA`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_getnodemetadata`.
pub type DXGKDDI_GETNODEMETADATA = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    NodeOrdinalAndAdapterIndex: u32,
    pGetNodeMetadata: *mut DXGK_NODEMETADATA,
) -> NTSTATUS;

/// `DxgkDdiCalibrateGpuClock`: Reads GPU and CPU clock at the same moment. IRQL: DISPATCH_LEVEL.
/// Page `nc-d3dkmddi-dxgkddi_calibrategpuclock`.
pub type DXGKDDI_CALIBRATEGPUCLOCK = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    NodeOrdinal: u32,
    EngineOrdinal: u32,
    pClockCalibration: *mut DXGK_GPUCLOCKDATA,
) -> NTSTATUS;

/// `DxgkDdiFormatHistoryBuffer` with [`DXGKARG_FORMATHISTORYBUFFER`]. IRQL: DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_formathistorybuffer`.
pub type DXGKDDI_FORMATHISTORYBUFFER = unsafe extern "win64" fn(
    hContext: HANDLE,
    pFormatData: *mut DXGKARG_FORMATHISTORYBUFFER,
) -> NTSTATUS;

layouts! {
    DXGK_NODEMETADATA_FLAGS = 4 {
    }
    DXGK_NODEMETADATA = 74 {
        EngineType: 0,
        FriendlyName: 4,
        Flags: 68,
        GpuMmuSupported: 72,
        IoMmuSupported: 73,
    }
    DXGK_GPUCLOCKDATA_FLAGS = 4 {
    }
    DXGK_GPUCLOCKDATA = 28 {
        GpuFrequency: 0,
        GpuClockCounter: 8,
        CpuClockCounter: 16,
        Flags: 24,
    }
    DXGKARG_FORMATHISTORYBUFFER = 40 {
        pHistoryBuffer: 0,
        HistoryBufferSize: 8,
        pFormattedBuffer: 16,
        FormattedBufferSize: 24,
        NumTimestamps: 28,
        Precision: 32,
        Offset: 36,
    }
    DXGK_HISTORY_BUFFER_HEADER = 16 {
        RenderCbSequence: 0,
        NumTimestamps: 4,
        PrivateDataSize: 8,
        Reserved: 12,
    }
    DXGK_HISTORY_BUFFER = 20 {
        Header: 0,
        DriverPrivateData: 16,
    }
}
