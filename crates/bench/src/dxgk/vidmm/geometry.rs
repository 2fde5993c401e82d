//! What the driver reported about page tables and segments, checked once.

use carillon_ddi::{
    DXGK_GPUMMUCAPS, DXGK_PAGE_TABLE_LEVEL_DESC, DXGK_PAGETABLEUPDATEMODE, DXGK_SEGMENTDESCRIPTOR4,
};

/// Bytes in a logical GPU page.
pub const GPU_PAGE: u64 = 4096;
/// Bits of the offset in a GPU page.
const PAGE_BITS: u32 = GPU_PAGE.trailing_zeros();

/// How the driver wants page tables of ordinary processes updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateMode {
    /// By the CPU, inside of the DDI.
    CpuVirtual,
    /// By a paging buffer that names the table's physical address.
    GpuPhysical,
}

/// What the adapter answered about its memory, as VidMm was told it.
#[derive(Debug, Clone)]
pub struct MemoryFacts {
    /// `DXGKQAITYPE_QUERYSEGMENT4`: segment `n` is at index `n - 1`.
    pub segments: Vec<DXGK_SEGMENTDESCRIPTOR4>,
    /// `PagingBufferSize` of the same answer, in bytes.
    pub paging_buffer_bytes: u32,
    /// `PagingBufferPrivateDataSize` of the same answer, in bytes.
    pub paging_private_bytes: u32,
    /// `DXGKQAITYPE_GPUMMUCAPS`
    pub mmu: DXGK_GPUMMUCAPS,
    /// `DXGKQAITYPE_PAGETABLELEVELDESC` of each level, the leaf first.
    pub levels: Vec<DXGK_PAGE_TABLE_LEVEL_DESC>,
    /// The node that executes paging buffers.
    pub paging_node: u32,
    /// Bytes of the paging process' address space.
    pub paging_va_bytes: u64,
}

/// Why the driver's answers cannot be worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// MEM-002: two levels at least; a resizable root (exactly two) is not played.
    #[error("{0} page-table levels; the model plays 3 to 8")]
    Levels(u32),
    /// The level descriptions do not belong to the caps.
    #[error("{described} page-table levels described, {reported} reported")]
    LevelCount {
        /// Levels with a description.
        described: usize,
        /// Levels in the caps.
        reported: u32,
    },
    /// A level has an impossible size.
    #[error("page-table level {level}: {bits} index bits in {bytes} bytes")]
    LevelSize {
        /// The level.
        level: usize,
        /// Its index bits.
        bits: u32,
        /// Its size in bytes.
        bytes: u32,
    },
    /// The index bits do not add up to the address.
    #[error("levels translate {levels} address bits, the caps say {caps}")]
    AddressBits {
        /// Bits that offset and levels have together.
        levels: u32,
        /// `VirtualAddressBitCount`.
        caps: u32,
    },
    /// MEM-004: a table in system memory is at most one page.
    #[error("page-table level {0} is in system memory and larger than 4 KiB")]
    SystemTableTooLarge(usize),
    /// A level names a segment that does not exist.
    #[error("page-table level {level} is in segment {segment}, which does not exist")]
    NoSegment {
        /// The level.
        level: usize,
        /// The segment id.
        segment: u32,
    },
    /// The update mode cannot reach the tables, or is not played.
    #[error("page-table update mode {0} does not fit the tables' segments")]
    Mode(i32),
    /// The paging process' tables are not in system memory, where the CPU writes them.
    #[error("paging-process tables of level {0} are not in system memory")]
    PagingTables(usize),
    /// The paging process' address space is empty, unaligned or too large.
    #[error("paging-process address space of {0:#x} bytes")]
    PagingSpace(u64),
    /// The paging buffer cannot hold anything.
    #[error("paging buffer of {0} bytes")]
    PagingBuffer(u32),
}

/// One page-table level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Address bit at which its index begins.
    shift: u32,
    /// Bits of its index.
    bits: u32,
    /// Bytes of a table.
    pub bytes: u64,
    /// Segment of the tables of ordinary processes; 0 is system memory.
    pub segment: u32,
}

impl Level {
    /// Entries in a table.
    #[must_use]
    pub fn entries(&self) -> u32 {
        1 << self.bits
    }

    /// Bytes of address space that an entry covers.
    #[must_use]
    pub fn span(&self) -> u64 {
        1 << self.shift
    }

    /// The entry that translates `address`.
    #[must_use]
    pub fn index(&self, address: u64) -> u32 {
        u32::try_from((address / self.span()) % u64::from(self.entries())).unwrap_or(0)
    }
}

/// The shape of all page tables of the adapter.
#[derive(Debug, Clone)]
pub struct Geometry {
    levels: Vec<Level>,
    /// How tables of ordinary processes are updated.
    pub mode: UpdateMode,
    /// Leaf entries can be marked cache coherent.
    pub coherent: bool,
    /// Bytes of address space.
    pub space_bytes: u64,
}

impl Geometry {
    /// Checks what the driver reported.
    ///
    /// # Errors
    /// Names the answer that cannot be right, or that the model does not play.
    pub fn new(facts: &MemoryFacts) -> Result<Self, GeometryError> {
        let reported = facts.mmu.PageTableLevelCount;
        if !(3..=8).contains(&reported) {
            return Err(GeometryError::Levels(reported));
        }
        let described = facts.levels.len();
        if described != reported as usize {
            return Err(GeometryError::LevelCount {
                described,
                reported,
            });
        }
        let mut shift = PAGE_BITS;
        let mut levels = Vec::with_capacity(described);
        for (level, desc) in facts.levels.iter().enumerate() {
            levels.push(checked_level(facts, level, desc, shift)?);
            shift += desc.PageTableIndexBitCount;
        }
        let caps = facts.mmu.VirtualAddressBitCount;
        if shift != caps || caps > 63 {
            return Err(GeometryError::AddressBits {
                levels: shift,
                caps,
            });
        }
        let local = levels.iter().any(|level| level.segment != 0);
        let raw = facts.mmu.PageTableUpdateMode;
        let mode = match raw {
            DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL if !local => {
                UpdateMode::CpuVirtual
            }
            DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_PHYSICAL => UpdateMode::GpuPhysical,
            _ => return Err(GeometryError::Mode(raw.0)),
        };
        let space = facts.paging_va_bytes;
        if space == 0 || !space.is_multiple_of(GPU_PAGE) || space > 1 << caps {
            return Err(GeometryError::PagingSpace(space));
        }
        if facts.paging_buffer_bytes == 0 {
            return Err(GeometryError::PagingBuffer(0));
        }
        let coherent = facts.mmu.Anonymous.CacheCoherentMemorySupported();
        Ok(Self {
            levels,
            mode,
            coherent,
            space_bytes: 1 << caps,
        })
    }

    /// The level with this number; 0 is the leaf.
    #[must_use]
    pub fn level(&self, level: usize) -> &Level {
        &self.levels[level]
    }

    /// The number of the root level.
    #[must_use]
    pub fn root(&self) -> usize {
        self.levels.len() - 1
    }
}

fn checked_level(
    facts: &MemoryFacts,
    level: usize,
    desc: &DXGK_PAGE_TABLE_LEVEL_DESC,
    shift: u32,
) -> Result<Level, GeometryError> {
    let bits = desc.PageTableIndexBitCount;
    let bytes = desc.PageTableSizeInBytes;
    let whole_pages = bytes != 0 && u64::from(bytes).is_multiple_of(GPU_PAGE);
    if bits == 0 || bits > 20 || !whole_pages {
        return Err(GeometryError::LevelSize { level, bits, bytes });
    }
    for segment in [
        desc.PageTableSegmentId,
        desc.PagingProcessPageTableSegmentId,
    ] {
        if segment as usize > facts.segments.len() {
            return Err(GeometryError::NoSegment { level, segment });
        }
        if segment == 0 && u64::from(bytes) > GPU_PAGE {
            return Err(GeometryError::SystemTableTooLarge(level));
        }
    }
    if desc.PagingProcessPageTableSegmentId != 0 {
        return Err(GeometryError::PagingTables(level));
    }
    Ok(Level {
        shift,
        bits,
        bytes: bytes.into(),
        segment: desc.PageTableSegmentId,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::facts;
    use super::*;

    #[test]
    fn indices_come_from_the_reported_bits() {
        let geometry = Geometry::new(&facts()).unwrap();
        let top = geometry.space_bytes - GPU_PAGE;
        for level in 0..=geometry.root() {
            let level = geometry.level(level);
            assert_eq!(level.index(top), level.entries() - 1);
            assert_eq!(level.index(level.span()), 1);
            assert_eq!(level.index(level.span() - 1), 0);
        }
    }

    #[test]
    fn impossible_answers_are_named() {
        let refuse = |change: &dyn Fn(&mut MemoryFacts)| {
            let mut facts = facts();
            change(&mut facts);
            Geometry::new(&facts).unwrap_err()
        };
        let error = refuse(&|f| f.mmu.PageTableLevelCount = 2);
        assert_eq!(error, GeometryError::Levels(2));
        let error = refuse(&|f| f.mmu.VirtualAddressBitCount = 40);
        assert_eq!(
            error,
            GeometryError::AddressBits {
                levels: 48,
                caps: 40
            }
        );
        let error = refuse(&|f| f.levels[1].PageTableSegmentId = 3);
        assert_eq!(
            error,
            GeometryError::NoSegment {
                level: 1,
                segment: 3
            }
        );
        let error = refuse(&|f| f.levels[0].PageTableSizeInBytes = 8192);
        assert_eq!(error, GeometryError::SystemTableTooLarge(0));
        let error = refuse(&|f| f.levels[3].PageTableSizeInBytes = 0);
        assert_eq!(
            error,
            GeometryError::LevelSize {
                level: 3,
                bits: 9,
                bytes: 0
            }
        );
        let error = refuse(&|f| {
            f.mmu.PageTableUpdateMode = DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL;
            f.levels[2].PageTableSegmentId = 2;
        });
        assert_eq!(error, GeometryError::Mode(0));
        let error = refuse(&|f| f.paging_va_bytes = 4095);
        assert_eq!(error, GeometryError::PagingSpace(4095));
    }
}
