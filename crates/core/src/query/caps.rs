//! `DXGKQAITYPE_DRIVERCAPS`.

use core::mem::offset_of;

use carillon_ddi::{
    D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY, D3DKMDT_GRAPHICS_PREEMPTION_GRANULARITY,
    DXGK_DRIVERCAPS, DXGK_FLIPCAPS,
};

use super::output::Output;
use crate::adapter::NODES;
use crate::error::Result;
use crate::surface::{HIGHEST_ADDRESS, INTERRUPT_MESSAGE, Node, Surface, WDDM_VERSION};

/// Bytes of the shortest `DXGK_DRIVERCAPS` that an OS with this interface passes.
const MIN_BYTES: usize = 540;
/// Most slots of an allocation list; there are no lists to patch.
const ALLOCATION_LIST_SLOTS: u32 = 0xFFFF;

/// Fills the capabilities; every member that is not named stays zero, which means no.
pub(super) fn answer(surface: &Surface, out: &mut [u8]) -> Result {
    let mut out = Output::cleared(out, MIN_BYTES)?;
    out.u64(
        offset_of!(DXGK_DRIVERCAPS, HighestAcceptableAddress),
        HIGHEST_ADDRESS,
    );
    out.u32(
        offset_of!(DXGK_DRIVERCAPS, MaxAllocationListSlotId),
        ALLOCATION_LIST_SLOTS,
    );
    out.u64(
        offset_of!(DXGK_DRIVERCAPS, ApertureSegmentCommitLimit),
        surface.aperture_bytes(),
    );
    out.u32(
        offset_of!(DXGK_DRIVERCAPS, InterruptMessageNumber),
        INTERRUPT_MESSAGE,
    );
    // There is nothing to flip, but an adapter without this pair does not start.
    out.u32(offset_of!(DXGK_DRIVERCAPS, MaxQueuedFlipOnVSync), 1);
    out.u32(
        offset_of!(DXGK_DRIVERCAPS, FlipCaps),
        DXGK_FLIPCAPS::new().with_FlipOnVSyncMmIo(true).into_bits(),
    );
    out.u32(
        offset_of!(DXGK_DRIVERCAPS, SchedulingCaps),
        surface.scheduling_caps().into_bits(),
    );
    out.u32(
        offset_of!(DXGK_DRIVERCAPS, MemoryManagementCaps.Anonymous),
        surface.memory_caps().into_bits(),
    );
    out.u32(
        offset_of!(DXGK_DRIVERCAPS, MemoryManagementCaps.PagingNode),
        Node::PAGING.ordinal().into(),
    );
    out.u32(
        offset_of!(
            DXGK_DRIVERCAPS,
            GpuEngineTopology.NbAsymetricProcessingNodes
        ),
        NODES,
    );
    out.i32(offset_of!(DXGK_DRIVERCAPS, WDDMVersion), WDDM_VERSION.0);
    out.i32(
        offset_of!(
            DXGK_DRIVERCAPS,
            PreemptionCaps.GraphicsPreemptionGranularity
        ),
        D3DKMDT_GRAPHICS_PREEMPTION_GRANULARITY::D3DKMDT_GRAPHICS_PREEMPTION_DMA_BUFFER_BOUNDARY.0,
    );
    out.i32(
        offset_of!(DXGK_DRIVERCAPS, PreemptionCaps.ComputePreemptionGranularity),
        D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY::D3DKMDT_COMPUTE_PREEMPTION_DMA_BUFFER_BOUNDARY.0,
    );
    for yes in [
        offset_of!(DXGK_DRIVERCAPS, SupportNonVGA),
        offset_of!(DXGK_DRIVERCAPS, SupportPerEngineTDR),
        offset_of!(DXGK_DRIVERCAPS, SupportSurpriseRemoval),
    ] {
        out.u8(yes, 1);
    }
    out.u8(
        offset_of!(DXGK_DRIVERCAPS, SupportRuntimePowerManagement),
        surface.manages_power().into(),
    );
    out.u32(
        offset_of!(DXGK_DRIVERCAPS, MiscCaps),
        surface.misc_caps().into_bits(),
    );
    Ok(())
}
