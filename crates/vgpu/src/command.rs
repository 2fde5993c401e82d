//! The command processor (`docs/hardware.md` section 7.3).

use carillon_hw::addr::GpuVa;
use carillon_hw::packet::{Header, MAX_ENTRIES_PER_PACKET, MAX_FIXED_DWORDS, Packet};
use carillon_hw::queue::{ContextId, QueueFault};
use zerocopy::IntoBytes;

use crate::fence::{self, Signal};
use crate::mmu::{Access, Memory, Operand};
use crate::queue::Setup;
use crate::ring::Stop;
use crate::transfer;

/// Doublewords of the longest packet whose body matters.
const MAX_DWORDS: usize = 4 + 2 * MAX_ENTRIES_PER_PACKET as usize;
/// Doublewords that any header can claim.
const MAX_CLAIM: usize = u16::MAX as usize;

/// A ring entry that runs.
#[derive(Debug)]
pub(crate) struct Execution {
    buffer: Operand,
    /// Context of the buffer's operands.
    context: ContextId,
    dwords: u32,
    at: u32,
    privileged: bool,
    /// Cookie to report at the end.
    pub(crate) report: Option<u64>,
    packet: Option<Active>,
}

/// A packet that takes more than one step.
#[derive(Clone, Copy, Debug)]
struct Active {
    packet: Packet,
    done: u64,
    observed: u64,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A packet, or a slice of one, is done.
    Ran,
    /// The last packet is done.
    BufferDone,
    /// A fence is not reached.
    Blocked,
}

/// A fence signal that is to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signaled {
    pub(crate) value: u64,
    pub(crate) address: u64,
}

/// Room for the private copy of a packet.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// As long as any header can claim; only the front is ever filled from memory.
    words: Vec<u32>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            words: vec![0; MAX_CLAIM],
        }
    }
}

impl Execution {
    pub(crate) fn new(
        buffer: Operand,
        context: ContextId,
        dwords: u32,
        privileged: bool,
        report: Option<u64>,
    ) -> Self {
        Self {
            buffer,
            context,
            dwords,
            at: 0,
            privileged,
            report,
            packet: None,
        }
    }

    /// Whether the packet in progress is a wait.
    pub(crate) fn wait(&self) -> Option<(ContextId, GpuVa, u64)> {
        match self.packet?.packet {
            Packet::FenceWait { current, value, .. } => Some((self.context, current, value)),
            _ => None,
        }
    }

    /// Runs one packet, or a slice of a long one.
    pub(crate) fn step(
        &mut self,
        memory: &mut Memory<'_>,
        scratch: &mut Scratch,
        setup: &Setup,
    ) -> Result<(Step, Option<Signaled>), Stop> {
        let mut active = if let Some(active) = self.packet.take() {
            active
        } else {
            let packet = self.fetch(memory, scratch)?;
            // Only a wait's log entry tells when the packet was first seen.
            let waits = matches!(packet, Packet::FenceWait { .. });
            Active {
                packet,
                done: 0,
                observed: if waits { memory.fabric.clock() } else { 0 },
            }
        };
        let mut signaled = None;
        let finished = match active.packet {
            Packet::FenceWait { .. } => self.wait_packet(memory, setup, active)?,
            Packet::FenceSignal {
                current,
                monitored,
                value,
                handle,
            } => {
                let operands = Signal {
                    current,
                    monitored,
                    value,
                    handle,
                };
                if fence::signal(memory, self.context, setup.signal_log, operands)? {
                    signaled = Some(Signaled {
                        value,
                        address: current.0,
                    });
                }
                true
            }
            _ => self.work_packet(memory, scratch, &mut active)?,
        };
        if !finished {
            self.packet = Some(active);
            let blocked = matches!(active.packet, Packet::FenceWait { .. });
            let step = if blocked { Step::Blocked } else { Step::Ran };
            return Ok((step, None));
        }
        memory.fabric.counters.packets.add(1);
        self.at += u32::from(active.packet.dwords());
        let step = if self.at == self.dwords {
            Step::BufferDone
        } else {
            Step::Ran
        };
        Ok((step, signaled))
    }

    fn wait_packet(
        &self,
        memory: &mut Memory<'_>,
        setup: &Setup,
        active: Active,
    ) -> Result<bool, Stop> {
        let Packet::FenceWait {
            current,
            value,
            handle,
        } = active.packet
        else {
            return Ok(true);
        };
        if !fence::reached(memory, self.context, current, value)? {
            return Ok(false);
        }
        let ended = (value, handle);
        fence::log_wait(memory, self.context, setup.wait_log, ended, active.observed)?;
        Ok(true)
    }

    /// Packets other than fences; true when done.
    fn work_packet(
        &self,
        memory: &mut Memory<'_>,
        scratch: &Scratch,
        active: &mut Active,
    ) -> Result<bool, Stop> {
        let va = |va: GpuVa| Operand::Virtual(self.context, va);
        let done = &mut active.done;
        Ok(match active.packet {
            Packet::Fill {
                destination,
                bytes,
                pattern,
            } => transfer::fill(memory, va(destination), bytes, pattern, done)?,
            Packet::Copy {
                source,
                destination,
                bytes,
            } => transfer::copy(memory, va(source), va(destination), bytes, done)?,
            Packet::FillPhysical {
                target,
                bytes,
                pattern,
            } => transfer::fill(memory, Operand::Physical(target), bytes, pattern, done)?,
            Packet::CopyPhysical {
                source,
                destination,
                bytes,
            } => {
                let source = Operand::Physical(source);
                transfer::copy(memory, source, Operand::Physical(destination), bytes, done)?
            }
            Packet::Timestamp { destination } => {
                let now = memory.fabric.clock();
                memory.store_u64(va(destination), now)?;
                true
            }
            Packet::WriteEntries { target, count } => {
                let entries = &scratch.words[4..];
                for (index, entry) in (0..count).zip(entries.chunks_exact(2)) {
                    let slot = Operand::Physical(target).advance(u64::from(index) * 8)?;
                    let mut bytes = [0; 8];
                    bytes.copy_from_slice(entry.as_bytes());
                    memory.store_u64(slot, u64::from_le_bytes(bytes))?;
                }
                true
            }
            Packet::InvalidateTlb { context } => {
                memory.mmu.invalidate(context);
                true
            }
            // Fences have steps of their own.
            Packet::Nop { .. } | Packet::FenceSignal { .. } | Packet::FenceWait { .. } => true,
        })
    }

    /// Copies the next packet out of memory, every doubleword once, and decodes the copy.
    fn fetch(&self, memory: &mut Memory<'_>, scratch: &mut Scratch) -> Result<Packet, Stop> {
        let at = self.buffer.advance(u64::from(self.at) * 4)?;
        let left = (self.dwords - self.at) as usize;
        // One read brings the header and, on the same page, whatever most packets consist of.
        let on_page = usize::try_from(at.page_left() / 4).unwrap_or(1);
        let first = MAX_FIXED_DWORDS.min(left).min(on_page);
        let words = &mut scratch.words;
        memory.read(at, words[..first].as_mut_bytes(), Access::Execute)?;
        let header = Header::from_bits(words[0]);
        let claimed = usize::from(header.dwords());
        let is_nop = {
            let nop = Packet::Nop {
                dwords: header.dwords(),
            };
            let mut word = [0];
            nop.encode(&mut word) == Some(1) && word == [words[0]]
        };
        let wanted = claimed.min(left).min(MAX_DWORDS);
        if wanted > first && !is_nop {
            let rest = at.advance(first as u64 * 4)?;
            memory.read(rest, words[first..wanted].as_mut_bytes(), Access::Execute)?;
        }
        // A header that claims more than is left is refused by the decoder.
        let available = &words[..left.min(MAX_CLAIM)];
        Packet::decode(available, self.privileged)
            .map_err(|_| Stop::new(QueueFault::PACKET, at.raw()))
    }
}
