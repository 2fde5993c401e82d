//! The native fence log that the device appends to (`docs/hardware.md` section 7.4).
//!
//! The layout is the operating system's own (`DXGK_NATIVE_FENCE_LOG_BUFFER`): the device writes
//! what `DxgkDdiSetNativeFenceLogBuffer` points at, with no copy by the driver.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes in the log header.
pub const HEADER_BYTES: u64 = 40;
/// Bytes in a log entry.
pub const ENTRY_BYTES: u64 = 48;
/// Offset in the header of the u64 that holds first free index (low half) and wrap count.
pub const POSITION_OFFSET: u64 = 0;

/// One log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct LogEntry {
    /// Value that was signalled or waited for.
    pub fence_value: u64,
    /// The handle that the packet carried.
    pub fence_handle: u32,
    /// 0: signal executed. 1: wait unblocked.
    pub operation: u32,
    /// Zero.
    pub reserved0: u64,
    /// Device clock when the fence was seen.
    pub observed: u64,
    /// Zero.
    pub reserved1: u64,
    /// Device clock when the operation ended.
    pub ended: u64,
}

const _: () = assert!(size_of::<LogEntry>() as u64 == ENTRY_BYTES);

/// `operation` of a signal.
pub const SIGNAL_EXECUTED: u32 = 0;
/// `operation` of a wait.
pub const WAIT_UNBLOCKED: u32 = 1;

/// Position in a log: first free entry and number of wraps, one atomic quadword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// First free entry.
    pub index: u32,
    /// How often the index went back to zero.
    pub wraps: u32,
}

impl Position {
    /// Taken from the quadword.
    #[allow(clippy::cast_possible_truncation, reason = "the halves are the fields")]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            index: bits as u32,
            wraps: (bits >> 32) as u32,
        }
    }

    /// As the quadword.
    pub const fn into_bits(self) -> u64 {
        self.index as u64 | (self.wraps as u64) << 32
    }

    /// The position after one more entry in a log of `entries`.
    #[must_use]
    pub const fn next(self, entries: u32) -> Self {
        if self.index.saturating_add(1) >= entries {
            Self {
                index: 0,
                wraps: self.wraps.wrapping_add(1),
            }
        } else {
            Self {
                index: self.index + 1,
                wraps: self.wraps,
            }
        }
    }

    /// Byte offset in the log buffer of the entry at this position.
    pub const fn entry_offset(self) -> u64 {
        HEADER_BYTES + self.index as u64 * ENTRY_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_wraps_and_round_trips() {
        let last = Position {
            index: 83,
            wraps: u32::MAX,
        };
        assert_eq!(last.next(84), Position { index: 0, wraps: 0 });
        assert_eq!(Position { index: 0, wraps: 3 }.next(84).index, 1);
        assert_eq!(Position::from_bits(last.into_bits()), last);
    }
}
