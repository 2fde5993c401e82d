//! What a faulting access reports.

use bitfield_struct::bitfield;

/// What kind of access faulted and what it takes to recover. Page
/// `ne-d3dkmdt-_dxgk_page_fault_flags`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_PAGE_FAULT_FLAGS(pub i32);

impl DXGK_PAGE_FAULT_FLAGS {
    pub const DXGK_PAGE_FAULT_WRITE: Self = Self(1);
    pub const DXGK_PAGE_FAULT_FENCE_INVALID: Self = Self(2);
    pub const DXGK_PAGE_FAULT_ADAPTER_RESET_REQUIRED: Self = Self(4);
    pub const DXGK_PAGE_FAULT_ENGINE_RESET_REQUIRED: Self = Self(8);
    pub const DXGK_PAGE_FAULT_FATAL_HARDWARE_ERROR: Self = Self(16);
    pub const DXGK_PAGE_FAULT_IOMMU: Self = Self(32);
    pub const DXGK_PAGE_FAULT_HW_CONTEXT_VALID: Self = Self(64);
    pub const DXGK_PAGE_FAULT_PROCESS_HANDLE_VALID: Self = Self(128);
}

/// Pipeline stage that an access fault came from. Page `ne-d3dkmddi-dxgk_render_pipeline_stage`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_RENDER_PIPELINE_STAGE(pub i32);

impl DXGK_RENDER_PIPELINE_STAGE {
    pub const DXGK_RENDER_PIPELINE_STAGE_UNKNOWN: Self = Self(0);
    pub const DXGK_RENDER_PIPELINE_STAGE_INPUT_ASSEMBLER: Self = Self(1);
    pub const DXGK_RENDER_PIPELINE_STAGE_VERTEX_SHADER: Self = Self(2);
    pub const DXGK_RENDER_PIPELINE_STAGE_GEOMETRY_SHADER: Self = Self(3);
    pub const DXGK_RENDER_PIPELINE_STAGE_STREAM_OUTPUT: Self = Self(4);
    pub const DXGK_RENDER_PIPELINE_STAGE_RASTERIZER: Self = Self(5);
    pub const DXGK_RENDER_PIPELINE_STAGE_PIXEL_SHADER: Self = Self(6);
    pub const DXGK_RENDER_PIPELINE_STAGE_OUTPUT_MERGER: Self = Self(7);
}

/// Why an access faulted, in general terms or in the device's own. Page
/// `ns-d3dkmdt-dxgk_fault_error_code`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_FAULT_ERROR_CODE {
    pub Anonymous: DXGK_FAULT_ERROR_CODE_Anonymous,
    pub Anonymous2: DXGK_FAULT_ERROR_CODE_Anonymous2,
}

/// The bits of [`DXGK_FAULT_ERROR_CODE`] that its page lists without a name of their own for the
/// word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_FAULT_ERROR_CODE_Anonymous2 {
    pub IsDeviceSpecificCodeReservedBit: bool,
    #[bits(31)]
    pub DeviceSpecificCode: u32,
}

/// The bits of [`DXGK_FAULT_ERROR_CODE`] that its page lists without a name of their own for the
/// word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_FAULT_ERROR_CODE_Anonymous {
    pub IsDeviceSpecificCode: bool,
    #[bits(31)]
    pub GeneralErrorCode: u32,
}

opaque_debug! {
    DXGK_FAULT_ERROR_CODE,
}

layouts! {
    DXGK_FAULT_ERROR_CODE = 4 {
        Anonymous: 0,
        Anonymous2: 0,
    }
    DXGK_FAULT_ERROR_CODE_Anonymous2 = 4 {
    }
    DXGK_FAULT_ERROR_CODE_Anonymous = 4 {
    }
}
