//! Rules about segments, page tables and addressing.

use carillon_ddi::{
    DXGK_MAX_GPU_VA_BIT_COUNT, DXGK_MAX_PAGE_TABLE_LEVEL_COUNT, DXGK_MIN_PAGE_TABLE_LEVEL_COUNT,
    DXGK_PAGE_TABLE_LEVEL_DESC, DXGK_PAGETABLEUPDATEMODE, DXGK_SEGMENTDESCRIPTOR4,
};

use super::{FIVE_SITES, Situation};
use crate::dxgk::adapter::caps::{Caps, PhysicalAdapter, Segments};
use crate::dxgk::rejected::{Rejected, Rule};

/// Bytes of a page, and of the largest page table in system memory.
const PAGE_BYTES: u32 = 4096;
/// Bits of an address inside of a page.
const PAGE_BITS: u32 = 12;
const SEGMENTS: &str = "ns-d3dkmddi-_dxgk_querysegmentout4; ns-d3dkmddi-dxgk_segmentflags";

/// Judges everything about memory.
pub(super) fn all(caps: &Caps, situation: &Situation) -> Result<(), Rejected> {
    addressing(caps)?;
    segments(&caps.segments)?;
    page_tables(caps)?;
    physical_adapter(caps, situation)
}

fn addressing(caps: &Caps) -> Result<(), Rejected> {
    const PAGE: &str = "ns-d3dkmddi-_dxgk_vidmmcaps";
    let bits = caps.driver.MemoryManagementCaps.Anonymous;
    let field = |name: &str| format!("DXGK_VIDMMCAPS.{name}");
    let rule = Rule::new(
        "has to be reported: the driver has the GPU-VA entry points",
        FIVE_SITES,
    );
    rule.demand(
        bits.VirtualAddressingSupported(),
        &field("VirtualAddressingSupported"),
        false,
    )?;
    rule.demand(bits.GpuMmuSupported(), &field("GpuMmuSupported"), false)?;
    Rule::new("excludes GpuMmuSupported", PAGE).demand(
        !bits.IoMmuSupported(),
        &field("IoMmuSupported"),
        true,
    )?;
    let secure = bits.IoMmuSecureModeSupported();
    Rule::new(
        "has to agree with DXGK_IOMMU_CAPS",
        "ns-d3dkmddi-dxgk_iommu_caps",
    )
    .demand(
        secure == caps.early.iommu.IommuIsolationSupported(),
        &field("IoMmuSecureModeSupported"),
        secure,
    )?;
    Rule::new("reserved bits have to be 0", PAGE).demand(
        bits.Reserved() == 0,
        &field("Reserved"),
        bits.Reserved(),
    )?;
    let node = caps.paging_node();
    Rule::new("has to be a node", PAGE).demand(
        node < caps.driver.GpuEngineTopology.NbAsymetricProcessingNodes,
        &field("PagingNode"),
        node,
    )
}

fn segments(segments: &Segments) -> Result<(), Rejected> {
    let count = segments.reported;
    Rule::new("an adapter has 1 to 31 segments", SEGMENTS).demand(
        (1..=31).contains(&count),
        "DXGK_QUERYSEGMENTOUT4.NbSegment",
        count,
    )?;
    let first = segments.list.first().map(|segment| segment.Flags);
    Rule::new(
        "the first segment has to be a linear aperture",
        "observed: InitDmaPools fails with STATUS_INVALID_PARAMETER otherwise",
    )
    .demand(
        first.is_some_and(|flags| flags.Aperture()),
        "segment 1 Flags",
        first,
    )?;
    let last = segments.list.len();
    for (index, segment) in segments.list.iter().enumerate() {
        self::segment(index + 1, segment, index + 1 == last)?;
    }
    paging_buffer(segments)
}

fn segment(id: usize, segment: &DXGK_SEGMENTDESCRIPTOR4, last: bool) -> Result<(), Rejected> {
    const OBSERVED: &str = "observed in the OS's trace of the start: \"Invalid flags specified for \
                            segment\"";
    let flags = segment.Flags;
    let field = |name: &str| format!("segment {id} {name}");
    let rule = Rule::new(
        "a segment with a CPU host aperture has to be the last",
        OBSERVED,
    );
    rule.demand(
        !flags.SupportsCpuHostAperture() || last,
        &field("SupportsCpuHostAperture"),
        true,
    )?;
    let rule = Rule::new("an aperture has no CPU host aperture", SEGMENTS);
    let both = flags.Aperture() && flags.SupportsCpuHostAperture();
    rule.demand(!both, &field("SupportsCpuHostAperture"), flags)?;
    let rule = Rule::new(
        "a memory segment must not be CpuVisible in the old way",
        OBSERVED,
    );
    rule.demand(
        flags.Aperture() || !flags.CpuVisible(),
        &field("CpuVisible"),
        flags,
    )?;
    let rule = Rule::new(
        "a segment made of system memory is dropped without a word",
        "observed: VidMm",
    );
    rule.demand(
        !flags.PopulatedFromSystemMemory(),
        &field("PopulatedFromSystemMemory"),
        true,
    )?;
    Rule::new("reserved bits have to be 0", SEGMENTS).demand(
        flags.Reserved() == 0,
        &field("Flags.Reserved"),
        flags.Reserved(),
    )?;
    let size = segment.Size;
    let pages = size != 0 && size.is_multiple_of(usize::try_from(PAGE_BYTES).unwrap_or(1));
    Rule::new("has to be whole pages", SEGMENTS).demand(pages, &field("Size"), size)?;
    let limit = segment.CommitLimit;
    let rule = Rule::new("has to be 1 to Size", "ns-d3dkmddi-dxgk_segmentdescriptor4");
    rule.demand((1..=size).contains(&limit), &field("CommitLimit"), limit)
}

fn paging_buffer(segments: &Segments) -> Result<(), Rejected> {
    let paging = segments.paging;
    let id = usize::try_from(paging.segment).unwrap_or(usize::MAX);
    let home = id.checked_sub(1).map(|index| segments.list.get(index));
    let reachable = match home {
        None => true,
        Some(segment) => segment.is_some_and(|segment| segment.Flags.Aperture()),
    };
    Rule::new(
        "has to be 0 or the id, counted from 1, of an aperture: the CPU writes paging buffers",
        "ns-d3dkmddi-_dxgk_querysegmentout4; observed: a memory segment cannot host them",
    )
    .demand(
        reachable,
        "DXGK_QUERYSEGMENTOUT4.PagingBufferSegmentId",
        paging.segment,
    )?;
    Rule::new("must not be 0", SEGMENTS).demand(
        paging.size != 0,
        "DXGK_QUERYSEGMENTOUT4.PagingBufferSize",
        paging.size,
    )
}

fn page_tables(caps: &Caps) -> Result<(), Rejected> {
    const PAGE: &str = "ns-d3dkmddi-_dxgk_gpummucaps";
    let mmu = &caps.gpu_mmu;
    let field = |name: &str| format!("DXGK_GPUMMUCAPS.{name}");
    let mode = mmu.PageTableUpdateMode;
    Rule::new(
        "must not be CPU_VIRTUAL",
        "observed: bug check 0x10E:0x49 in GetCpuVisibleAddress",
    )
    .demand(
        mode == DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_VIRTUAL
            || mode == DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_PHYSICAL,
        &field("PageTableUpdateMode"),
        mode.0,
    )?;
    let levels = mmu.PageTableLevelCount;
    Rule::new("has to be 2 to 6", PAGE).demand(
        (DXGK_MIN_PAGE_TABLE_LEVEL_COUNT..=DXGK_MAX_PAGE_TABLE_LEVEL_COUNT).contains(&levels),
        &field("PageTableLevelCount"),
        levels,
    )?;
    for (level, description) in caps.levels.iter().enumerate() {
        self::level(level, description, &caps.segments)?;
    }
    let bits = mmu.VirtualAddressBitCount;
    let indexed: u32 = caps
        .levels
        .iter()
        .map(|level| level.PageTableIndexBitCount)
        .sum();
    Rule::new(
        "has to be the page's 12 bits and all index bits, at most 63",
        PAGE,
    )
    .demand(
        bits == indexed.saturating_add(PAGE_BITS) && bits <= DXGK_MAX_GPU_VA_BIT_COUNT,
        &field("VirtualAddressBitCount"),
        (bits, indexed),
    )
}

fn level(
    level: usize,
    description: &DXGK_PAGE_TABLE_LEVEL_DESC,
    segments: &Segments,
) -> Result<(), Rejected> {
    const PAGE: &str = "ns-d3dkmddi-_dxgk_page_table_level_desc";
    let field = |name: &str| format!("DXGK_PAGE_TABLE_LEVEL_DESC[{level}].{name}");
    let bits = description.PageTableIndexBitCount;
    let rule = Rule::new("must not be 0", PAGE);
    rule.demand(
        (1..=24).contains(&bits),
        &field("PageTableIndexBitCount"),
        bits,
    )?;
    let size = description.PageTableSizeInBytes;
    rule.demand(size != 0, &field("PageTableSizeInBytes"), size)?;
    for (name, id) in [
        ("PageTableSegmentId", description.PageTableSegmentId),
        (
            "PagingProcessPageTableSegmentId",
            description.PagingProcessPageTableSegmentId,
        ),
    ] {
        let exists = usize::try_from(id).is_ok_and(|id| id <= segments.list.len());
        Rule::new("has to be 0 or the id of a segment", PAGE).demand(exists, &field(name), id)?;
        Rule::new("a page table in system memory has at most one page", PAGE).demand(
            id != 0 || size <= PAGE_BYTES,
            &field("PageTableSizeInBytes"),
            size,
        )?;
    }
    let paging = description.PagingProcessPageTableSegmentId;
    let index = usize::try_from(paging)
        .ok()
        .and_then(|id| id.checked_sub(1));
    let flags = index
        .and_then(|index| segments.list.get(index))
        .map(|segment| segment.Flags);
    Rule::new(
        "has to be memory that the CPU reaches: it writes the paging process's tables itself",
        "nc-d3dkmddi-dxgkddi_buildpagingbuffer",
    )
    .demand(
        flags.is_none_or(|flags| flags.Aperture() || flags.SupportsCpuHostAperture()),
        &field("PagingProcessPageTableSegmentId"),
        paging,
    )
}

fn physical_adapter(caps: &Caps, situation: &Situation) -> Result<(), Rejected> {
    const PAGE: &str = "ns-d3dkmddi-_dxgk_physicaladaptercaps";
    let Some(PhysicalAdapter(physical)) = caps.physical else {
        return Ok(());
    };
    let field = |name: &str| format!("DXGK_PHYSICALADAPTERCAPS.{name}");
    let nodes = u32::from(physical.NumExecutionNodes);
    Rule::new("has to be the number of nodes", PAGE).demand(
        nodes == caps.driver.GpuEngineTopology.NbAsymetricProcessingNodes,
        &field("NumExecutionNodes"),
        nodes,
    )?;
    let node = u32::from(physical.PagingNodeIndex);
    Rule::new("has to be the paging node", PAGE).demand(
        node == caps.paging_node(),
        &field("PagingNodeIndex"),
        node,
    )?;
    let handle = physical.DxgkPhysicalAdapterHandle.addr();
    Rule::new(
        "has to be the DeviceHandle that the driver got at start",
        PAGE,
    )
    .demand(
        handle == situation.handle,
        &field("DxgkPhysicalAdapterHandle"),
        format_args!("{handle:#x}"),
    )?;
    let (gpu, io) = (
        physical.Flags.GpuMmuSupported(),
        physical.Flags.IoMmuSupported(),
    );
    let rule = Rule::new("has to agree with DXGK_VIDMMCAPS", PAGE);
    rule.demand(gpu && !io, &field("Flags"), (gpu, io))
}
