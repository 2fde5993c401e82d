//! Packets as runs of doublewords: 64-bit operands low half first, physical addresses behind the
//! number of their space.

use super::PacketError;
use crate::addr::{ApertureOffset, BusAddress, PhysicalTarget, VramOffset};

/// Appends doublewords to a slice, remembering whether they all fitted.
pub(super) struct Sink<'a> {
    pub(super) out: &'a mut [u32],
    pub(super) at: usize,
}

impl Sink<'_> {
    #[inline]
    pub(super) fn word(&mut self, word: u32) {
        if let Some(slot) = self.out.get_mut(self.at) {
            *slot = word;
        }
        self.at += 1;
    }

    #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
    #[inline]
    pub(super) fn long(&mut self, value: u64) {
        self.word(value as u32);
        self.word((value >> 32) as u32);
    }

    #[inline]
    pub(super) fn target(&mut self, target: PhysicalTarget) {
        self.word(match target {
            PhysicalTarget::Vram(_) => 0,
            PhysicalTarget::System(_) => 1,
            PhysicalTarget::Aperture(_) => 2,
        });
        self.long(target.raw());
    }
}

/// Takes doublewords from a slice; reading past the end is an error of the packet.
pub(super) struct Source<'a> {
    pub(super) words: &'a [u32],
    pub(super) opcode: u8,
    pub(super) dwords: u16,
}

impl Source<'_> {
    #[inline]
    pub(super) fn word(&mut self) -> Result<u32, PacketError> {
        match self.words.split_first() {
            Some((word, rest)) => {
                self.words = rest;
                Ok(*word)
            }
            None => Err(PacketError::Truncated {
                opcode: self.opcode,
                dwords: self.dwords,
            }),
        }
    }

    #[inline]
    pub(super) fn long(&mut self) -> Result<u64, PacketError> {
        let low = u64::from(self.word()?);
        Ok(low | u64::from(self.word()?) << 32)
    }

    #[inline]
    pub(super) fn target(&mut self) -> Result<PhysicalTarget, PacketError> {
        let space = self.word()?;
        let raw = self.long()?;
        Ok(match space {
            0 => PhysicalTarget::Vram(VramOffset(raw)),
            1 => PhysicalTarget::System(BusAddress(raw)),
            2 => PhysicalTarget::Aperture(ApertureOffset(raw)),
            _ => return Err(PacketError::Malformed(self.opcode)),
        })
    }

    pub(super) fn aligned(&self, value: u64, alignment: u64) -> Result<(), PacketError> {
        if value.is_multiple_of(alignment) {
            Ok(())
        } else {
            Err(PacketError::Misaligned(self.opcode))
        }
    }
}
