//! `DXGKQAITYPE_GPUMMUCAPS` and `DXGKQAITYPE_PAGETABLELEVELDESC`.

use core::mem::offset_of;

use carillon_ddi::{
    DXGK_GPUMMUCAPS, DXGK_GPUMMUCAPS_Anonymous, DXGK_PAGE_TABLE_LEVEL_DESC,
    DXGK_PAGETABLEUPDATEMODE, DXGK_QUERYPAGETABLELEVELDESCIN,
};
use carillon_hw::addr::PAGE_SIZE;
use carillon_hw::mmu::{INDEX_BITS, LEVELS, ROOT_LEVEL, TABLE_BYTES};

use super::output::{Output, read_u16};
use crate::error::{Error, Result};

/// Bits of a GPU virtual address that are declared.
///
/// The device translates 48; 40 bits over the same four levels is the geometry with which a
/// render-only adapter is known to start, and it leaves a terabyte to every process.
pub const VA_BITS: u32 = 40;
const OFFSET_BITS: u32 = PAGE_SIZE.trailing_zeros();
/// Index bits that are left for the root table.
pub const ROOT_INDEX_BITS: u32 = VA_BITS - OFFSET_BITS - ROOT_LEVEL * INDEX_BITS;
const _: () = assert!(ROOT_INDEX_BITS >= 1 && ROOT_INDEX_BITS <= INDEX_BITS);

/// The segment number that means system memory.
const SYSTEM_MEMORY: u32 = 0;

/// Bytes of a table of any level as the 32-bit members take it.
#[allow(clippy::cast_possible_truncation, reason = "4096")]
const TABLE_SIZE: u32 = TABLE_BYTES as u32;

/// Fills `DXGK_GPUMMUCAPS`.
///
/// - `ZeroInPteSupported` applies to all levels; the device has zero pages at the leaf only.
/// - Invalid translations are not cached, so nothing need be flushed when one becomes valid.
/// - Paging buffers name tables by physical address. Updates by CPU address are not an option where
///   a table could be in local memory, and are known to crash at start elsewhere.
pub(super) fn caps(out: &mut [u8]) -> Result {
    let mut out = Output::cleared(out, size_of::<DXGK_GPUMMUCAPS>())?;
    let flags = DXGK_GPUMMUCAPS_Anonymous::new()
        .with_ReadOnlyMemorySupported(true)
        .with_NoExecuteMemorySupported(true)
        .with_CacheCoherentMemorySupported(true)
        .with_InvalidTlbEntriesNotCached(true);
    out.u32(offset_of!(DXGK_GPUMMUCAPS, Anonymous), flags.into_bits());
    out.i32(
        offset_of!(DXGK_GPUMMUCAPS, PageTableUpdateMode),
        DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_PHYSICAL.0,
    );
    out.u32(offset_of!(DXGK_GPUMMUCAPS, VirtualAddressBitCount), VA_BITS);
    out.u32(
        offset_of!(DXGK_GPUMMUCAPS, LeafPageTableSizeFor64KPagesInBytes),
        TABLE_SIZE,
    );
    out.u32(offset_of!(DXGK_GPUMMUCAPS, PageTableLevelCount), LEVELS);
    Ok(())
}

/// Fills `DXGK_PAGE_TABLE_LEVEL_DESC` for the level that `input` names; level 0 is the leaf.
/// Tables, those of the paging process too, live in system memory, where the CPU reaches them and
/// where a table may have 4 KiB.
pub(super) fn level(input: &[u8], out: &mut [u8]) -> Result {
    let level = read_u16(
        input,
        offset_of!(DXGK_QUERYPAGETABLELEVELDESCIN, LevelIndex),
    )?;
    let adapter = read_u16(
        input,
        offset_of!(DXGK_QUERYPAGETABLELEVELDESCIN, PhysicalAdapterIndex),
    )?;
    let level = u32::from(level);
    if level >= LEVELS || adapter != 0 {
        return Err(Error::InvalidParameter);
    }
    let bits = if level == ROOT_LEVEL {
        ROOT_INDEX_BITS
    } else {
        INDEX_BITS
    };
    let mut out = Output::cleared(out, size_of::<DXGK_PAGE_TABLE_LEVEL_DESC>())?;
    let members = [
        (
            offset_of!(DXGK_PAGE_TABLE_LEVEL_DESC, PageTableIndexBitCount),
            bits,
        ),
        (
            offset_of!(DXGK_PAGE_TABLE_LEVEL_DESC, PageTableSegmentId),
            SYSTEM_MEMORY,
        ),
        (
            offset_of!(DXGK_PAGE_TABLE_LEVEL_DESC, PagingProcessPageTableSegmentId),
            SYSTEM_MEMORY,
        ),
        (
            offset_of!(DXGK_PAGE_TABLE_LEVEL_DESC, PageTableSizeInBytes),
            TABLE_SIZE,
        ),
        (
            offset_of!(DXGK_PAGE_TABLE_LEVEL_DESC, PageTableAlignmentInBytes),
            TABLE_SIZE,
        ),
    ];
    for (offset, value) in members {
        out.u32(offset, value);
    }
    Ok(())
}
