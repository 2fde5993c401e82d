//! What a well-behaved driver might report, for unit tests.

use carillon_ddi::{
    DXGK_GPUMMUCAPS, DXGK_PAGE_TABLE_LEVEL_DESC, DXGK_PAGETABLEUPDATEMODE, DXGK_SEGMENTDESCRIPTOR4,
    DXGK_SEGMENTFLAGS,
};

use super::geometry::MemoryFacts;

/// Aperture and 16 MiB of local memory; four levels of 512 entries, tables in system memory,
/// updated by physical address.
pub(crate) fn facts() -> MemoryFacts {
    let segment = |size: usize, aperture| DXGK_SEGMENTDESCRIPTOR4 {
        Flags: DXGK_SEGMENTFLAGS::new().with_Aperture(aperture),
        Size: size,
        CommitLimit: size,
        ..DXGK_SEGMENTDESCRIPTOR4::ZERO
    };
    let level = DXGK_PAGE_TABLE_LEVEL_DESC {
        PageTableIndexBitCount: 9,
        PageTableSizeInBytes: 4096,
        PageTableAlignmentInBytes: 4096,
        ..DXGK_PAGE_TABLE_LEVEL_DESC::ZERO
    };
    MemoryFacts {
        segments: vec![segment(64 << 20, true), segment(16 << 20, false)],
        paging_buffer_bytes: 65536,
        paging_private_bytes: 0,
        mmu: DXGK_GPUMMUCAPS {
            PageTableUpdateMode: DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_PHYSICAL,
            VirtualAddressBitCount: 48,
            PageTableLevelCount: 4,
            ..DXGK_GPUMMUCAPS::ZERO
        },
        levels: vec![level; 4],
        paging_node: 2,
        paging_va_bytes: 1 << 30,
    }
}
