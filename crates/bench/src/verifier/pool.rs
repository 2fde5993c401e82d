//! Pool blocks: each one its own mapping between two guard pages.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;

use super::violation::{FaultTarget, PoolMisuse};
use crate::trap::images::CodeAddress;
use crate::trap::mapping::{Access, Reservation};
use crate::trap::{PAGE_SIZE, page_align};

/// Alignment of a block in bytes (x64).
const ALIGNMENT: usize = 16;
/// Bytes between a block and the end of its page.
const SLACK: u8 = 0xFB;
/// Contents of a block whose caller did not ask for zeroes.
const UNINITIALISED: u8 = 0xA5;
/// Freed blocks that stay inaccessible before their addresses may be used again.
const QUARANTINE: usize = 4096;

/// A pool tag: four characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("'")?;
        for byte in self.0.to_le_bytes() {
            write!(f, "{}", byte.escape_ascii())?;
        }
        f.write_str("'")
    }
}

/// What is known of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockInfo {
    /// First byte.
    pub address: u64,
    /// Bytes asked for.
    pub size: u64,
    /// Its tag.
    pub tag: Tag,
    /// Who allocated it.
    pub allocated_by: CodeAddress,
    /// Who freed it.
    pub freed_by: Option<CodeAddress>,
}

impl fmt::Display for BlockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            size,
            tag,
            allocated_by,
            freed_by,
        } = self;
        write!(
            f,
            "block {address:#x} ({size} bytes, tag {tag}, allocated by {allocated_by}"
        )?;
        if let Some(by) = freed_by {
            write!(f, ", freed by {by}")?;
        }
        f.write_str(")")
    }
}

#[derive(Debug)]
struct Block {
    memory: Reservation,
    info: BlockInfo,
}

impl Block {
    fn offset_of(&self, address: u64) -> i64 {
        address
            .cast_signed()
            .wrapping_sub(self.info.address.cast_signed())
    }

    /// Offset of the block in its reservation.
    fn start(&self) -> usize {
        usize::try_from(self.info.address).unwrap_or(usize::MAX) - self.memory.base()
    }

    /// First byte around the block that is not as it was, relative to the block.
    fn damaged(&self) -> Option<i64> {
        let first = self.memory.base() + PAGE_SIZE;
        let usable = self.memory.len() - 2 * PAGE_SIZE;
        // SAFETY: the pages between the guards stay readable until the block is freed, and only
        // driver code that breaks the rules can write to the slack meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(first as *const u8, usable) };
        let start = self.start() - PAGE_SIZE;
        let end = start + usize::try_from(self.info.size).unwrap_or(usize::MAX);
        let slack = bytes[..start].iter().enumerate();
        let slack = slack.chain(bytes[end..].iter().enumerate().map(|(i, b)| (end + i, b)));
        let at = slack.into_iter().find(|(_, byte)| **byte != SLACK)?.0;
        Some(at.cast_signed() as i64 - start.cast_signed() as i64)
    }
}

/// Totals over the life of a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolTotals {
    /// Allocations that succeeded.
    pub allocated: u64,
    /// Blocks that were freed.
    pub freed: u64,
    /// Allocations that were made to fail.
    pub refused: u64,
    /// Bytes in use.
    pub bytes_in_use: u64,
    /// Most bytes that ever were in use.
    pub bytes_peak: u64,
}

/// All blocks of a session.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    live: BTreeMap<u64, Block>,
    freed: VecDeque<Block>,
    totals: PoolTotals,
}

impl Pool {
    /// Allocates a block of `size` bytes (not zero).
    pub(crate) fn allocate(
        &mut self,
        size: u64,
        tag: Tag,
        zeroed: bool,
        caller: CodeAddress,
    ) -> io::Result<u64> {
        let bytes = usize::try_from(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let usable = page_align(bytes).ok_or(io::ErrorKind::OutOfMemory)?;
        let whole = usable
            .checked_add(2 * PAGE_SIZE)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let mut memory = Reservation::new(whole)?;
        memory.protect(PAGE_SIZE, usable, Access::ReadWrite)?;
        // Windows starts blocks of a page or more at a page boundary; smaller ones end at the
        // guard page, so that the first byte behind them faults.
        let start = match bytes {
            0..PAGE_SIZE => (usable - bytes) & !(ALIGNMENT - 1),
            _ => 0,
        };
        if usable != bytes {
            memory.write(PAGE_SIZE, &vec![SLACK; start])?;
            let end = start + bytes;
            memory.write(PAGE_SIZE + end, &vec![SLACK; usable - end])?;
        }
        if !zeroed {
            memory.write(PAGE_SIZE + start, &vec![UNINITIALISED; bytes])?;
        }
        let address = (memory.base() + PAGE_SIZE + start) as u64;
        let info = BlockInfo {
            address,
            size,
            tag,
            allocated_by: caller,
            freed_by: None,
        };
        self.live.insert(address, Block { memory, info });
        self.totals.allocated += 1;
        self.totals.bytes_in_use += size;
        self.totals.bytes_peak = self.totals.bytes_peak.max(self.totals.bytes_in_use);
        Ok(address)
    }

    /// Frees the block at `address`; `tag` is checked when given. Returns the block and what was
    /// wrong with it.
    pub(crate) fn free(
        &mut self,
        address: u64,
        tag: Option<Tag>,
        caller: CodeAddress,
    ) -> Result<(BlockInfo, Vec<PoolMisuse>), PoolMisuse> {
        let Some(mut block) = self.live.remove(&address) else {
            let freed = self
                .freed
                .iter()
                .rev()
                .find(|block| block.info.address == address);
            return Err(match freed {
                Some(block) => PoolMisuse::DoubleFree(block.info.clone()),
                None => PoolMisuse::NotABlock { address },
            });
        };
        let mut misuse = Vec::new();
        if let Some(given) = tag.filter(|given| *given != block.info.tag) {
            misuse.push(PoolMisuse::WrongTag {
                block: block.info.clone(),
                given,
            });
        }
        if let Some(offset) = block.damaged() {
            misuse.push(PoolMisuse::Overrun {
                block: block.info.clone(),
                offset,
            });
        }
        block.info.freed_by = Some(caller);
        self.totals.freed += 1;
        self.totals.bytes_in_use -= block.info.size;
        let info = block.info.clone();
        self.quarantine(block);
        Ok((info, misuse))
    }

    fn quarantine(&mut self, block: Block) {
        let len = block.memory.len();
        if block.memory.protect(0, len, Access::None).is_ok() {
            self.freed.push_back(block);
        }
        if self.freed.len() > QUARANTINE {
            self.freed.pop_front();
        }
    }

    /// What an access that faulted at `address` has to do with the pool.
    pub(crate) fn explain(&self, address: u64) -> Option<FaultTarget> {
        let covers = |block: &&Block| {
            let base = block.memory.base() as u64;
            (base..base + block.memory.len() as u64).contains(&address)
        };
        if let Some(block) = self.freed.iter().rev().find(covers) {
            let (block, offset) = (block.info.clone(), block.offset_of(address));
            return Some(FaultTarget::Freed { block, offset });
        }
        let block = self.live.values().find(covers)?;
        let (block, offset) = (block.info.clone(), block.offset_of(address));
        Some(FaultTarget::Guard { block, offset })
    }

    /// Blocks that are not freed, by tag and allocating place.
    pub(crate) fn leaks(&self) -> Vec<PoolMisuse> {
        let mut sums: BTreeMap<(Tag, CodeAddress), (u64, u64)> = BTreeMap::new();
        for Block { info, .. } in self.live.values() {
            let sum = sums
                .entry((info.tag, info.allocated_by.clone()))
                .or_default();
            sum.0 += 1;
            sum.1 += info.size;
        }
        let leak = |((tag, caller), (blocks, bytes))| PoolMisuse::Leaked {
            blocks,
            bytes,
            tag,
            caller,
        };
        sums.into_iter().map(leak).collect()
    }

    /// Blocks that are not freed.
    pub(crate) fn live_blocks(&self) -> u64 {
        self.live.len() as u64
    }

    pub(crate) fn totals(&self) -> PoolTotals {
        self.totals
    }

    pub(crate) fn count_refusal(&mut self) {
        self.totals.refused += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> CodeAddress {
        CodeAddress::Other(0)
    }

    const TAG: Tag = Tag(u32::from_le_bytes(*b"Test"));

    #[test]
    fn blocks_around_a_page_are_placed_as_windows_places_them() {
        let mut pool = Pool::default();
        for size in [1, 15, 16, 17, 4095, 4096, 4097] {
            let address = pool.allocate(size, TAG, true, here()).unwrap();
            let aligned = if size >= 4096 { 4096 } else { 16 };
            assert_eq!(address % aligned, 0, "size {size}");
            let freed = pool.free(address, Some(TAG), here());
            assert!(
                freed.is_ok_and(|(_, misuse)| misuse.is_empty()),
                "size {size}"
            );
        }
    }

    #[test]
    fn a_write_into_the_slack_is_found_at_free() {
        let mut pool = Pool::default();
        let address = pool.allocate(17, TAG, true, here()).unwrap();
        // SAFETY: byte 17 of the block lies in its last page: 32 bytes are reserved for it.
        unsafe { std::ptr::write((address + 17) as *mut u8, 0) };
        let (_, misuse) = pool.free(address, Some(TAG), here()).unwrap();
        assert!(
            matches!(misuse[..], [PoolMisuse::Overrun { offset: 17, .. }]),
            "{misuse:?}"
        );
    }

    #[test]
    fn tags_read_as_characters() {
        assert_eq!(TAG.to_string(), "'Test'");
        assert_eq!(Tag(0).to_string(), r"'\x00\x00\x00\x00'");
    }
}
