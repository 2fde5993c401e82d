//! Command buffers, written in place.

use carillon_hw::addr::GpuVa;
use carillon_hw::packet::{MAX_FIXED_DWORDS, Packet};
use carillon_hw::ring::MAX_BUFFER_DWORDS;

use crate::memory::Mapping;

/// Bytes in a doubleword, the unit of command buffers.
const DWORD_BYTES: usize = size_of::<u32>();

/// Why a packet was not taken. The buffer is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The packet does not fit into what is left of the buffer.
    #[error("packet of {needed} doublewords does not fit, {left} are left")]
    Full {
        /// Doublewords of the packet.
        needed: usize,
        /// Doublewords left.
        left: usize,
    },
    /// An address or a length is not a multiple of what the packet requires.
    #[error("{value:#x} is not a multiple of {alignment}")]
    Misaligned {
        /// The address or length.
        value: u64,
        /// What it must be a multiple of.
        alignment: u64,
    },
    /// A count in the packet is out of its range.
    #[error("packet cannot be encoded: {0:?}")]
    Invalid(Packet),
}

/// Writes packets into one slot of a [`CommandArena`].
#[derive(Debug)]
pub struct CommandBuilder<'a> {
    memory: &'a Mapping,
    at: usize,
    left: usize,
}

impl CommandBuilder<'_> {
    /// Doublewords that still fit.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Fills `bytes` bytes with a 32-bit pattern.
    ///
    /// # Errors
    /// Address or length is not a multiple of 4, or the buffer is full.
    #[inline]
    pub fn fill(
        &mut self,
        destination: GpuVa,
        bytes: u64,
        pattern: u32,
    ) -> Result<(), CommandError> {
        aligned(destination.0, 4)?;
        aligned(bytes, 4)?;
        self.packet(&Packet::Fill {
            destination,
            bytes,
            pattern,
        })
    }

    /// Copies `bytes` bytes.
    ///
    /// # Errors
    /// The buffer is full.
    #[inline]
    pub fn copy(
        &mut self,
        source: GpuVa,
        destination: GpuVa,
        bytes: u64,
    ) -> Result<(), CommandError> {
        self.packet(&Packet::Copy {
            source,
            destination,
            bytes,
        })
    }

    /// Stores the device clock.
    ///
    /// # Errors
    /// The address is not a multiple of 8, or the buffer is full.
    pub fn timestamp(&mut self, destination: GpuVa) -> Result<(), CommandError> {
        aligned(destination.0, 8)?;
        self.packet(&Packet::Timestamp { destination })
    }

    /// Appends any packet. The device decides whether the queue may use it.
    ///
    /// # Errors
    /// The buffer is full, or the packet cannot be encoded.
    #[expect(
        clippy::inline_always,
        reason = "where the variant is known nothing is left of the match"
    )]
    #[inline(always)]
    pub fn packet(&mut self, packet: &Packet) -> Result<(), CommandError> {
        let mut words = [0; MAX_FIXED_DWORDS];
        let count = packet
            .encode(&mut words)
            .ok_or(CommandError::Invalid(*packet))?;
        self.raw(&words[..count])
    }

    /// Appends doublewords as they are.
    ///
    /// # Errors
    /// The buffer is full.
    #[inline]
    pub fn raw(&mut self, words: &[u32]) -> Result<(), CommandError> {
        let full = CommandError::Full {
            needed: words.len(),
            left: self.left,
        };
        let left = self.left.checked_sub(words.len()).ok_or(full)?;
        self.memory.store_dwords(self.at, words).ok_or(full)?;
        self.left = left;
        self.at += size_of_val(words);
        Ok(())
    }
}

fn aligned(value: u64, alignment: u64) -> Result<(), CommandError> {
    if value.is_multiple_of(alignment) {
        Ok(())
    } else {
        Err(CommandError::Misaligned { value, alignment })
    }
}

/// Memory for command buffers: equal slots, one for each submission that can be in flight.
///
/// A slot is free again exactly when the submission that used it is known to have finished, so
/// whoever counts submissions needs no bookkeeping for command memory.
#[derive(Debug)]
pub(crate) struct CommandArena {
    memory: Mapping,
    gpu: GpuVa,
    slots: u64,
    slot_dwords: u32,
}

/// A command buffer that is ready to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Commands {
    pub(crate) address: GpuVa,
    pub(crate) dwords: u32,
}

impl Commands {
    /// Length in bytes; fits, since a buffer has at most [`MAX_BUFFER_DWORDS`].
    pub(crate) const fn bytes(self) -> u32 {
        self.dwords * (u32::BITS / u8::BITS)
    }
}

impl CommandArena {
    /// Bytes that an arena takes; `None` if a slot is empty or longer than the device allows, or
    /// if the whole is out of range.
    pub(crate) const fn bytes(slots: u64, slot_dwords: u32) -> Option<u64> {
        if slots == 0 || slot_dwords == 0 || slot_dwords > MAX_BUFFER_DWORDS {
            return None;
        }
        slots.checked_mul(slot_dwords as u64 * DWORD_BYTES as u64)
    }

    /// The arena over `memory`; `None` if that is too short.
    pub(crate) fn new(memory: Mapping, gpu: GpuVa, slots: u64, slot_dwords: u32) -> Option<Self> {
        let bytes = usize::try_from(Self::bytes(slots, slot_dwords)?).ok()?;
        gpu.checked_add(bytes as u64)?;
        (bytes <= memory.bytes()).then_some(Self {
            memory,
            gpu,
            slots,
            slot_dwords,
        })
    }

    /// Number of slots.
    pub(crate) const fn slots(&self) -> u64 {
        self.slots
    }

    /// Builds the command buffer of submission `index` in its slot, `tail` as its last packet.
    pub(crate) fn build<F>(
        &self,
        index: u64,
        build: F,
        tail: Option<&Packet>,
    ) -> Result<Commands, CommandError>
    where
        F: FnOnce(&mut CommandBuilder<'_>) -> Result<(), CommandError>,
    {
        let reserved = tail.map_or(0, Packet::fixed_dwords);
        let dwords = self.slot_dwords as usize;
        // CAST: the product is at most the length of the mapping, checked in `new`.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "bounded by a usize in `new`"
        )]
        let offset = (index % self.slots) as usize * dwords * DWORD_BYTES;
        let left = dwords.checked_sub(reserved).ok_or(CommandError::Full {
            needed: reserved,
            left: dwords,
        })?;
        let mut builder = CommandBuilder {
            memory: &self.memory,
            at: offset,
            left,
        };
        build(&mut builder)?;
        builder.left += reserved;
        if let Some(tail) = tail {
            builder.packet(tail)?;
        }
        let used = dwords - builder.left;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most `slot_dwords`, a u32"
        )]
        Ok(Commands {
            address: GpuVa(self.gpu.0 + offset as u64),
            dwords: used as u32,
        })
    }
}
