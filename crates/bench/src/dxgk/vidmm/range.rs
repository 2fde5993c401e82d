//! First-fit allocation of ranges: pages of a segment, GPU virtual addresses.

use std::collections::BTreeMap;

/// Free ranges of a space, in bytes.
#[derive(Debug, Clone)]
pub struct Ranges {
    /// Start to end, never touching or overlapping.
    free: BTreeMap<u64, u64>,
}

impl Ranges {
    /// A space from `start` to `end`, all free.
    #[must_use]
    pub fn new(start: u64, end: u64) -> Self {
        let mut free = BTreeMap::new();
        if start < end {
            free.insert(start, end);
        }
        Self { free }
    }

    /// Takes `bytes`, aligned to `align` (at least 1), from the lowest place; `None` if there is
    /// none, or for zero bytes.
    pub fn take(&mut self, bytes: u64, align: u64) -> Option<u64> {
        if bytes == 0 {
            return None;
        }
        let fit = |(&start, &end): (&u64, &u64)| {
            let at = start.checked_next_multiple_of(align.max(1))?;
            (at.checked_add(bytes)? <= end).then_some((start, end, at))
        };
        let (start, end, at) = self.free.iter().find_map(fit)?;
        self.free.remove(&start);
        if start < at {
            self.free.insert(start, at);
        }
        if at + bytes < end {
            self.free.insert(at + bytes, end);
        }
        Some(at)
    }

    /// Gives `bytes` at `start` back; false (and nothing done) if part of it is free already.
    pub fn give(&mut self, start: u64, bytes: u64) -> bool {
        let Some(end) = start.checked_add(bytes).filter(|end| *end > start) else {
            return false;
        };
        let before = self.free.range(..end).next_back().map(|(s, e)| (*s, *e));
        if before.is_some_and(|(_, before_end)| before_end > start) {
            return false;
        }
        let mut merged = (start, end);
        if let Some((before_start, before_end)) = before
            && before_end == start
        {
            self.free.remove(&before_start);
            merged.0 = before_start;
        }
        if let Some(after_end) = self.free.remove(&end) {
            merged.1 = after_end;
        }
        self.free.insert(merged.0, merged.1);
        true
    }

    /// Free bytes.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.free.iter().map(|(start, end)| end - start).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_fill_and_gives_merge() {
        let mut ranges = Ranges::new(0, 3 * 4096);
        assert_eq!(ranges.take(0, 1), None);
        assert_eq!(ranges.take(3 * 4096 + 1, 1), None);
        let (a, b, c) = (
            ranges.take(4096, 1),
            ranges.take(4096, 1),
            ranges.take(4096, 1),
        );
        assert_eq!((a, b, c), (Some(0), Some(4096), Some(8192)));
        assert_eq!(ranges.take(1, 1), None);
        assert!(ranges.give(0, 4096));
        assert!(ranges.give(8192, 4096));
        assert!(!ranges.give(8192, 1));
        assert!(!ranges.give(8191, 2));
        assert!(!ranges.give(u64::MAX, 2));
        assert!(ranges.give(4096, 4096));
        assert_eq!(ranges.take(3 * 4096, 4096), Some(0));
    }

    #[test]
    fn alignment_leaves_the_gap_free() {
        let mut ranges = Ranges::new(4096, 1 << 20);
        assert_eq!(ranges.take(4096, 65536), Some(65536));
        assert_eq!(ranges.free_bytes(), (1 << 20) - 8192);
        assert_eq!(ranges.take(15 * 4096, 4096), Some(4096));
    }
}
