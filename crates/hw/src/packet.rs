//! Command buffer packets (`docs/hardware.md` section 7.3).
//!
//! A command buffer is a run of doublewords. Each packet starts with a [`Header`] that gives its
//! whole length, so a decoder never reads past what the buffer's entry allows. 64-bit operands
//! are two doublewords, low half first.

mod wire;

use bitfield_struct::bitfield;

use crate::addr::{GpuVa, PhysicalTarget};
use crate::queue::ContextId;

use wire::{Sink, Source};

/// First doubleword of every packet.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct Header {
    /// Length of the packet in doublewords, this one included; never 0.
    pub dwords: u16,
    /// Which packet.
    pub opcode: u8,
    /// Zero.
    reserved: u8,
}

/// First opcode that only privileged buffers may use.
pub const FIRST_PRIVILEGED_OPCODE: u8 = 0x80;

/// Most page-table entries that one [`Packet::WriteEntries`] carries.
pub const MAX_ENTRIES_PER_PACKET: u16 = 512;

/// Doublewords of the longest packet without inline data.
pub const MAX_FIXED_DWORDS: usize = 9;

/// A packet. `WriteEntries` is followed in memory by its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet {
    /// Nothing, over the given number of doublewords (at least one).
    Nop {
        /// Doublewords to skip, the header included.
        dwords: u16,
    },
    /// Fills memory with a 32-bit pattern. Address and length are multiples of 4.
    Fill {
        /// First byte.
        destination: GpuVa,
        /// Length in bytes.
        bytes: u64,
        /// What to fill with.
        pattern: u32,
    },
    /// Copies memory; overlapping ranges copy as if through a buffer. Any alignment.
    Copy {
        /// First byte to read.
        source: GpuVa,
        /// First byte to write.
        destination: GpuVa,
        /// Length in bytes.
        bytes: u64,
    },
    /// Writes a native fence's current value after all earlier work of the queue is visible, logs
    /// it, then interrupts if the new value is greater than the monitored value.
    FenceSignal {
        /// Current value, 8-byte aligned.
        current: GpuVa,
        /// Monitored value, 8-byte aligned; address 0 interrupts always.
        monitored: GpuVa,
        /// New current value.
        value: u64,
        /// Handle for the log entry.
        handle: u32,
    },
    /// Holds the queue until a native fence's current value is at least `value`.
    FenceWait {
        /// Current value, 8-byte aligned.
        current: GpuVa,
        /// Value to reach.
        value: u64,
        /// Handle for the log entry.
        handle: u32,
    },
    /// Stores the device clock.
    Timestamp {
        /// Where, 8-byte aligned.
        destination: GpuVa,
    },
    /// Privileged. Writes page-table entries (or aperture entries) that follow in the packet.
    WriteEntries {
        /// First entry to write, 8-byte aligned.
        target: PhysicalTarget,
        /// How many, at most [`MAX_ENTRIES_PER_PACKET`].
        count: u16,
    },
    /// Privileged. Fills physical memory. Address and length are multiples of 4.
    FillPhysical {
        /// First byte.
        target: PhysicalTarget,
        /// Length in bytes.
        bytes: u64,
        /// What to fill with.
        pattern: u32,
    },
    /// Privileged. Copies physical memory.
    CopyPhysical {
        /// First byte to read.
        source: PhysicalTarget,
        /// First byte to write.
        destination: PhysicalTarget,
        /// Length in bytes.
        bytes: u64,
    },
    /// Privileged. Drops the translations that the device keeps of one context.
    InvalidateTlb {
        /// The context.
        context: ContextId,
    },
}

/// Why a packet was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketError {
    /// The buffer ended inside the packet, or the header says 0.
    Truncated {
        /// Opcode of the packet.
        opcode: u8,
        /// Doublewords that the header claims.
        dwords: u16,
    },
    /// The opcode is not defined.
    UnknownOpcode(u8),
    /// The length does not fit the opcode, or reserved bits are set.
    Malformed(u8),
    /// A privileged packet in a buffer without that right.
    Privileged(u8),
    /// An address is not aligned as the packet requires.
    Misaligned(u8),
}

mod opcode {
    pub(super) const NOP: u8 = 0x00;
    pub(super) const FILL: u8 = 0x01;
    pub(super) const COPY: u8 = 0x02;
    pub(super) const FENCE_SIGNAL: u8 = 0x03;
    pub(super) const FENCE_WAIT: u8 = 0x04;
    pub(super) const TIMESTAMP: u8 = 0x05;
    pub(super) const WRITE_ENTRIES: u8 = 0x80;
    pub(super) const FILL_PHYSICAL: u8 = 0x81;
    pub(super) const COPY_PHYSICAL: u8 = 0x82;
    pub(super) const INVALIDATE_TLB: u8 = 0x83;
}

impl Packet {
    #[expect(
        clippy::inline_always,
        reason = "where the variant is known nothing is left of the match"
    )]
    #[inline(always)]
    const fn opcode(&self) -> u8 {
        match self {
            Self::Nop { .. } => opcode::NOP,
            Self::Fill { .. } => opcode::FILL,
            Self::Copy { .. } => opcode::COPY,
            Self::FenceSignal { .. } => opcode::FENCE_SIGNAL,
            Self::FenceWait { .. } => opcode::FENCE_WAIT,
            Self::Timestamp { .. } => opcode::TIMESTAMP,
            Self::WriteEntries { .. } => opcode::WRITE_ENTRIES,
            Self::FillPhysical { .. } => opcode::FILL_PHYSICAL,
            Self::CopyPhysical { .. } => opcode::COPY_PHYSICAL,
            Self::InvalidateTlb { .. } => opcode::INVALIDATE_TLB,
        }
    }

    /// Doublewords that the packet takes, header and inline entries included.
    #[expect(
        clippy::inline_always,
        reason = "where the variant is known nothing is left of the match"
    )]
    #[inline(always)]
    pub const fn dwords(&self) -> u16 {
        match *self {
            Self::Nop { dwords } => dwords,
            Self::Fill { .. } | Self::FenceWait { .. } => 6,
            Self::Copy { .. } | Self::FillPhysical { .. } => 7,
            Self::FenceSignal { .. } => 8,
            Self::Timestamp { .. } => 3,
            Self::WriteEntries { count, .. } => 4 + 2 * count,
            Self::CopyPhysical { .. } => 9,
            Self::InvalidateTlb { .. } => 2,
        }
    }

    /// Doublewords that [`Self::encode`] writes: all but inline entries and the body of a `Nop`.
    #[inline]
    pub const fn fixed_dwords(&self) -> usize {
        match *self {
            Self::Nop { .. } => 1,
            Self::WriteEntries { .. } => 4,
            _ => self.dwords() as usize,
        }
    }

    /// Writes the fixed part of the packet to the front of `out`; returns how many doublewords
    /// that were, or `None` (with `out` unspecified) if they did not fit or a count is invalid.
    #[expect(
        clippy::inline_always,
        reason = "where the variant is known nothing is left of the match"
    )]
    #[inline(always)]
    pub fn encode(&self, out: &mut [u32]) -> Option<usize> {
        match *self {
            Self::Nop { dwords: 0 } => return None,
            Self::WriteEntries { count, .. } if count > MAX_ENTRIES_PER_PACKET => return None,
            _ => {}
        }
        let mut sink = Sink { out, at: 0 };
        let header = Header::new()
            .with_dwords(self.dwords())
            .with_opcode(self.opcode());
        sink.word(header.into_bits());
        match *self {
            Self::Nop { .. } => {}
            Self::Fill {
                destination,
                bytes,
                pattern,
            } => {
                sink.long(destination.0);
                sink.long(bytes);
                sink.word(pattern);
            }
            Self::Copy {
                source,
                destination,
                bytes,
            } => {
                sink.long(source.0);
                sink.long(destination.0);
                sink.long(bytes);
            }
            Self::FenceSignal {
                current,
                monitored,
                value,
                handle,
            } => {
                sink.long(current.0);
                sink.long(monitored.0);
                sink.long(value);
                sink.word(handle);
            }
            Self::FenceWait {
                current,
                value,
                handle,
            } => {
                sink.long(current.0);
                sink.long(value);
                sink.word(handle);
            }
            Self::Timestamp { destination } => sink.long(destination.0),
            Self::WriteEntries { target, .. } => sink.target(target),
            Self::FillPhysical {
                target,
                bytes,
                pattern,
            } => {
                sink.target(target);
                sink.long(bytes);
                sink.word(pattern);
            }
            Self::CopyPhysical {
                source,
                destination,
                bytes,
            } => {
                sink.target(source);
                sink.target(destination);
                sink.long(bytes);
            }
            Self::InvalidateTlb { context } => sink.word(context.0),
        }
        (sink.at <= sink.out.len()).then_some(sink.at)
    }

    /// Takes the first packet of `words`, the rest of a command buffer. The caller skips
    /// [`Self::dwords`] doublewords to reach the next one.
    ///
    /// # Errors
    /// Names what is wrong with the packet; a queue that meets one faults.
    pub fn decode(words: &[u32], privileged: bool) -> Result<Self, PacketError> {
        let mut source = Source {
            words,
            opcode: 0,
            dwords: 0,
        };
        let header = Header::from_bits(source.word()?);
        source.opcode = header.opcode();
        source.dwords = header.dwords();
        if header.dwords() == 0 || usize::from(header.dwords()) > words.len() {
            return Err(PacketError::Truncated {
                opcode: source.opcode,
                dwords: source.dwords,
            });
        }
        if header.reserved() != 0 {
            return Err(PacketError::Malformed(source.opcode));
        }
        if source.opcode >= FIRST_PRIVILEGED_OPCODE && !privileged {
            return Err(PacketError::Privileged(source.opcode));
        }
        let packet = Self::decode_operands(&mut source)?;
        if packet.dwords() != header.dwords() {
            return Err(PacketError::Malformed(source.opcode));
        }
        Ok(packet)
    }

    fn decode_operands(source: &mut Source<'_>) -> Result<Self, PacketError> {
        Ok(match source.opcode {
            opcode::NOP => Self::Nop {
                dwords: source.dwords,
            },
            opcode::FILL => {
                let destination = GpuVa(source.long()?);
                let bytes = source.long()?;
                source.aligned(destination.0, 4)?;
                source.aligned(bytes, 4)?;
                Self::Fill {
                    destination,
                    bytes,
                    pattern: source.word()?,
                }
            }
            opcode::COPY => Self::Copy {
                source: GpuVa(source.long()?),
                destination: GpuVa(source.long()?),
                bytes: source.long()?,
            },
            opcode::FENCE_SIGNAL => {
                let current = GpuVa(source.long()?);
                let monitored = GpuVa(source.long()?);
                source.aligned(current.0, 8)?;
                source.aligned(monitored.0, 8)?;
                Self::FenceSignal {
                    current,
                    monitored,
                    value: source.long()?,
                    handle: source.word()?,
                }
            }
            opcode::FENCE_WAIT => {
                let current = GpuVa(source.long()?);
                source.aligned(current.0, 8)?;
                Self::FenceWait {
                    current,
                    value: source.long()?,
                    handle: source.word()?,
                }
            }
            opcode::TIMESTAMP => {
                let destination = GpuVa(source.long()?);
                source.aligned(destination.0, 8)?;
                Self::Timestamp { destination }
            }
            opcode::WRITE_ENTRIES => {
                let target = source.target()?;
                source.aligned(target.raw(), 8)?;
                let inline = source.dwords.saturating_sub(4);
                let count = inline / 2;
                if !inline.is_multiple_of(2) || count > MAX_ENTRIES_PER_PACKET {
                    return Err(PacketError::Malformed(source.opcode));
                }
                Self::WriteEntries { target, count }
            }
            opcode::FILL_PHYSICAL => {
                let target = source.target()?;
                let bytes = source.long()?;
                source.aligned(target.raw(), 4)?;
                source.aligned(bytes, 4)?;
                Self::FillPhysical {
                    target,
                    bytes,
                    pattern: source.word()?,
                }
            }
            opcode::COPY_PHYSICAL => Self::CopyPhysical {
                source: source.target()?,
                destination: source.target()?,
                bytes: source.long()?,
            },
            opcode::INVALIDATE_TLB => Self::InvalidateTlb {
                context: ContextId(source.word()?),
            },
            other => return Err(PacketError::UnknownOpcode(other)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{BusAddress, VramOffset};

    const VA: GpuVa = GpuVa(0x1_2345_6000);

    fn all() -> [Packet; 9] {
        let system = PhysicalTarget::System(BusAddress(0x8_0000_0000));
        [
            Packet::Nop { dwords: 1 },
            Packet::Fill {
                destination: VA,
                bytes: 1 << 40,
                pattern: 0xA5A5_5A5A,
            },
            Packet::Copy {
                source: VA,
                destination: GpuVa(7),
                bytes: 3,
            },
            Packet::FenceSignal {
                current: VA,
                monitored: GpuVa(0),
                value: u64::MAX,
                handle: 1,
            },
            Packet::FenceWait {
                current: VA,
                value: 9,
                handle: 2,
            },
            Packet::Timestamp { destination: VA },
            Packet::FillPhysical {
                target: system,
                bytes: 4096,
                pattern: 0,
            },
            Packet::CopyPhysical {
                source: system,
                destination: PhysicalTarget::Vram(VramOffset(4)),
                bytes: u64::MAX,
            },
            Packet::InvalidateTlb {
                context: ContextId(5),
            },
        ]
    }

    #[test]
    fn packets_round_trip() {
        for packet in all() {
            let mut words = [0; MAX_FIXED_DWORDS];
            let n = packet.encode(&mut words).unwrap();
            assert_eq!(n, usize::from(packet.dwords()));
            assert_eq!(Packet::decode(&words[..n], true), Ok(packet));
        }
    }

    #[test]
    fn a_packet_cut_short_is_named() {
        for packet in all() {
            let mut words = [0; MAX_FIXED_DWORDS];
            let n = packet.encode(&mut words).unwrap();
            assert!(packet.encode(&mut words[..n - 1]).is_none());
            assert!(matches!(
                Packet::decode(&words[..n - 1], true),
                Err(PacketError::Truncated { .. })
            ));
        }
    }

    #[test]
    fn privileged_packets_need_the_right() {
        for packet in &all()[6..] {
            let mut words = [0; MAX_FIXED_DWORDS];
            let n = packet.encode(&mut words).unwrap();
            assert!(matches!(
                Packet::decode(&words[..n], false),
                Err(PacketError::Privileged(_))
            ));
        }
    }

    #[test]
    fn entry_counts_at_the_limit() {
        let target = PhysicalTarget::Vram(VramOffset(0));
        let mut words = [0u32; 4 + 2 * 512];
        let most = Packet::WriteEntries { target, count: 512 };
        assert_eq!(most.encode(&mut words), Some(4));
        assert_eq!(Packet::decode(&words, true), Ok(most));
        assert!(
            Packet::WriteEntries { target, count: 513 }
                .encode(&mut words)
                .is_none()
        );
        let odd = Header::new().with_dwords(5).with_opcode(0x80).into_bits();
        assert_eq!(
            Packet::decode(&[odd, 0, 0, 0, 0], true),
            Err(PacketError::Malformed(0x80))
        );
    }

    #[test]
    fn wrong_headers() {
        assert!(matches!(
            Packet::decode(&[], true),
            Err(PacketError::Truncated { .. })
        ));
        assert!(matches!(
            Packet::decode(&[0], true),
            Err(PacketError::Truncated { .. })
        ));
        let unknown = Header::new().with_dwords(1).with_opcode(0x7F).into_bits();
        assert_eq!(
            Packet::decode(&[unknown], true),
            Err(PacketError::UnknownOpcode(0x7F))
        );
        let long = Header::new().with_dwords(4).with_opcode(0x05).into_bits();
        assert_eq!(
            Packet::decode(&[long, 0, 0, 0], true),
            Err(PacketError::Malformed(0x05))
        );
        let crooked = Header::new().with_dwords(3).with_opcode(0x05).into_bits();
        assert_eq!(
            Packet::decode(&[crooked, 4, 0], true),
            Err(PacketError::Misaligned(0x05))
        );
        assert_eq!(
            Packet::decode(&[0xFF00_0001], true),
            Err(PacketError::Malformed(0x00)),
            "reserved header bits"
        );
    }
}
