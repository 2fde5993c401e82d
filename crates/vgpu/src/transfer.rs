//! Fill and copy, a bounded number of pages at a time.
//!
//! A packet may name any length, so progress is kept outside and a queue can lose its engine, be
//! suspended or be deactivated in the middle of a packet.

use carillon_hw::addr::PAGE_SIZE;

use crate::mmu::{Access, AccessFault, Memory, Operand};

/// Pages that one step touches at most. Bounds how long a register access waits for the device.
const PAGES_PER_STEP: usize = 16;

const PAGE_BYTES: usize = 4096;
const _: () = assert!(PAGE_BYTES as u64 == PAGE_SIZE);

/// The private page through which every copy goes.
fn slice(page: &mut [u8; PAGE_BYTES], bytes: u64) -> &mut [u8] {
    let bytes = usize::try_from(bytes).map_or(PAGE_BYTES, |n| n.min(PAGE_BYTES));
    &mut page[..bytes]
}

/// Fills some more of `bytes` bytes; true when all of it is done.
pub(crate) fn fill(
    memory: &mut Memory<'_>,
    target: Operand,
    bytes: u64,
    pattern: u32,
    done: &mut u64,
) -> Result<bool, AccessFault> {
    let mut page = [0; PAGE_BYTES];
    for word in page.chunks_exact_mut(4) {
        word.copy_from_slice(&pattern.to_le_bytes());
    }
    for _ in 0..PAGES_PER_STEP {
        if *done == bytes {
            break;
        }
        let at = target.advance(*done)?;
        // Target and length are multiples of four, so every piece starts with a whole pattern.
        let piece = at.page_left().min(bytes - *done);
        memory.write(at, slice(&mut page, piece))?;
        *done += piece;
        memory.fabric.counters.bytes_copied.add(piece);
    }
    Ok(*done == bytes)
}

/// Copies some more of `bytes` bytes; true when all of it is done.
///
/// Overlap is judged by address. Two addresses that lead to the same page are not noticed.
pub(crate) fn copy(
    memory: &mut Memory<'_>,
    source: Operand,
    destination: Operand,
    bytes: u64,
    done: &mut u64,
) -> Result<bool, AccessFault> {
    let backwards = source.same_space(destination)
        && source.raw() < destination.raw()
        && destination.raw() - source.raw() < bytes;
    let mut page = [0; PAGE_BYTES];
    for _ in 0..PAGES_PER_STEP {
        let left = bytes - *done;
        if left == 0 {
            break;
        }
        let (offset, piece) = if backwards {
            let from = source.advance(left - 1)?;
            let to = destination.advance(left - 1)?;
            let piece = left.min(page_before(from)).min(page_before(to));
            (left - piece, piece)
        } else {
            let from = source.advance(*done)?;
            let to = destination.advance(*done)?;
            (*done, left.min(from.page_left()).min(to.page_left()))
        };
        let from = source.advance(offset)?;
        let to = destination.advance(offset)?;
        let through = slice(&mut page, piece);
        memory.read(from, through, Access::Read)?;
        memory.write(to, through)?;
        *done += piece;
        memory.fabric.counters.bytes_copied.add(piece);
    }
    Ok(*done == bytes)
}

/// Bytes from the start of the page up to and with the byte at `operand`.
fn page_before(operand: Operand) -> u64 {
    PAGE_SIZE - operand.page_left() + 1
}
