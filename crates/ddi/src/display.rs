//! What display-only and wireless display drivers report; it shares unions with what a render-only
//! driver uses.

use bitfield_struct::bitfield;

use crate::base::D3DDDI_VIDEO_PRESENT_SOURCE_ID;

/// Kinds of wireless display chunks. Page `ne-d3dkmddi-dxgk_miracast_chunk_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_MIRACAST_CHUNK_TYPE(pub i32);

impl DXGK_MIRACAST_CHUNK_TYPE {
    pub const DXGK_MIRACAST_CHUNK_TYPE_UNKNOWN: Self = Self(0);
    pub const DXGK_MIRACAST_CHUNK_TYPE_COLOR_CONVERT_COMPLETE: Self = Self(1);
    pub const DXGK_MIRACAST_CHUNK_TYPE_ENCODE_COMPLETE: Self = Self(2);
    pub const DXGK_MIRACAST_CHUNK_TYPE_FRAME_START: Self = Self(3);
    pub const DXGK_MIRACAST_CHUNK_TYPE_FRAME_DROPPED: Self = Self(4);
    pub const DXGK_MIRACAST_CHUNK_TYPE_ENCODE_DRIVER_DEFINED_1: Self = Self(-2_147_483_648);
    pub const DXGK_MIRACAST_CHUNK_TYPE_ENCODE_DRIVER_DEFINED_2: Self = Self(-2_147_483_647);
}

/// Outcomes of a display-only presentation. Page
/// `ne-d3dkmddi-dxgk_present_display_only_progress_id`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_PRESENT_DISPLAY_ONLY_PROGRESS_ID(pub i32);

impl DXGK_PRESENT_DISPLAY_ONLY_PROGRESS_ID {
    pub const DXGK_PRESENT_DISPLAYONLY_PROGRESS_ID_COMPLETE: Self = Self(0);
    pub const DXGK_PRESENT_DISPLAYONLY_PROGRESS_ID_FAILED: Self = Self(1);
}

/// How far a display-only presentation has come. Page
/// `ns-d3dkmddi-dxgkargcb_present_displayonly_progress`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_PRESENT_DISPLAYONLY_PROGRESS {
    pub VidPnSourceId: D3DDDI_VIDEO_PRESENT_SOURCE_ID,
    pub ProgressId: DXGK_PRESENT_DISPLAY_ONLY_PROGRESS_ID,
}

/// Frame and part number of a wireless display chunk. Page `ns-d3dkmddi-dxgk_miracast_chunk_id`.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct DXGK_MIRACAST_CHUNK_ID {
    #[bits(40)]
    pub FrameNumber: u64,
    #[bits(24)]
    pub PartNumber: u32,
}

/// A chunk of a wireless display frame that is done. Page `ns-d3dkmddi-dxgk_miracast_chunk_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_MIRACAST_CHUNK_INFO {
    pub ChunkType: DXGK_MIRACAST_CHUNK_TYPE,
    pub ChunkId: DXGK_MIRACAST_CHUNK_ID,
    pub ProcessingTime: u32,
    pub EncodeRate: u32,
}

layouts! {
    DXGKARGCB_PRESENT_DISPLAYONLY_PROGRESS = 8 {
        VidPnSourceId: 0,
        ProgressId: 4,
    }
    DXGK_MIRACAST_CHUNK_ID = 8 {
    }
    DXGK_MIRACAST_CHUNK_INFO = 24 {
        ChunkType: 0,
        ChunkId: 8,
        ProcessingTime: 16,
        EncodeRate: 20,
    }
}
