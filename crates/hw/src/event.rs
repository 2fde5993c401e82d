//! The event ring (`docs/hardware.md` section 9).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::queue::{QueueFault, QueueId};

/// Bytes in an event.
pub const EVENT_BYTES: u64 = 32;
/// Fewest entries of an event ring.
pub const MIN_ENTRIES: u32 = 64;

/// An event as it lies in memory. The device writes `sequence` last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RawEvent {
    /// Kind in the low byte; the rest zero.
    pub kind: u32,
    /// Queue or engine that the event is about.
    pub subject: u32,
    /// Depends on the kind.
    pub value: u64,
    /// Depends on the kind.
    pub address: u64,
    /// One more than the index of the event since the ring was set, modulo 2^32; the high half is
    /// zero. A driver takes the slot only when it reads the number it expects.
    pub sequence: u64,
}

const _: () = assert!(size_of::<RawEvent>() as u64 == EVENT_BYTES);

/// Byte offset of [`RawEvent::sequence`].
pub const SEQUENCE_OFFSET: u64 = 24;

/// Byte offset in the ring of the event with this index; `entries` is a power of two. A ring
/// without entries has one slot.
pub const fn slot_offset(index: u32, entries: u32) -> u64 {
    match index.checked_rem(entries) {
        Some(slot) => slot as u64 * EVENT_BYTES,
        None => 0,
    }
}

/// The `sequence` that the event with this index carries.
pub const fn sequence_of(index: u32) -> u64 {
    index.wrapping_add(1) as u64
}

/// An event after decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A fence went above its monitored value.
    FenceSignaled {
        /// Queue whose packet signalled.
        queue: QueueId,
        /// New current value.
        value: u64,
        /// GPU virtual address of the current value.
        address: u64,
    },
    /// A kernel ring's buffer finished.
    BufferCompleted {
        /// Kernel queue.
        queue: QueueId,
        /// The entry's cookie.
        cookie: u64,
    },
    /// A `Suspend` command is done.
    SuspendCompleted {
        /// The queue that left the run list.
        queue: QueueId,
        /// Tag of the command.
        tag: u32,
    },
    /// A queue stopped by its own mistake.
    QueueFaulted {
        /// The queue.
        queue: QueueId,
        /// Why.
        fault: QueueFault,
        /// Where.
        address: u64,
    },
    /// An engine ran out of work.
    EngineIdle {
        /// Engine ordinal.
        engine: u32,
    },
    /// An engine has been idle for as long as the driver wanted to know (section 9.3).
    EngineQuiet {
        /// Engine ordinal.
        engine: u32,
    },
}

impl Event {
    const FENCE_SIGNALED: u32 = 1;
    const BUFFER_COMPLETED: u32 = 2;
    const SUSPEND_COMPLETED: u32 = 3;
    const QUEUE_FAULTED: u32 = 4;
    const ENGINE_IDLE: u32 = 5;
    const ENGINE_QUIET: u32 = 6;

    /// The memory form, with the sequence number of the event's `index`.
    pub const fn encode(self, index: u32) -> RawEvent {
        let (kind, subject, value, address) = match self {
            Self::FenceSignaled {
                queue,
                value,
                address,
            } => (Self::FENCE_SIGNALED, queue.0, value, address),
            Self::BufferCompleted { queue, cookie } => (Self::BUFFER_COMPLETED, queue.0, cookie, 0),
            Self::SuspendCompleted { queue, tag } => {
                (Self::SUSPEND_COMPLETED, queue.0, tag as u64, 0)
            }
            Self::QueueFaulted {
                queue,
                fault,
                address,
            } => (Self::QUEUE_FAULTED, queue.0, fault.0 as u64, address),
            Self::EngineIdle { engine } => (Self::ENGINE_IDLE, engine, 0, 0),
            Self::EngineQuiet { engine } => (Self::ENGINE_QUIET, engine, 0, 0),
        };
        RawEvent {
            kind,
            subject,
            value,
            address,
            sequence: sequence_of(index),
        }
    }

    /// The event, or `None` for a kind that this generation does not define.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "tags and fault codes are 32-bit fields"
    )]
    pub const fn decode(raw: RawEvent) -> Option<Self> {
        let queue = QueueId(raw.subject);
        Some(match raw.kind {
            Self::FENCE_SIGNALED => Self::FenceSignaled {
                queue,
                value: raw.value,
                address: raw.address,
            },
            Self::BUFFER_COMPLETED => Self::BufferCompleted {
                queue,
                cookie: raw.value,
            },
            Self::SUSPEND_COMPLETED => Self::SuspendCompleted {
                queue,
                tag: raw.value as u32,
            },
            Self::QUEUE_FAULTED => Self::QueueFaulted {
                queue,
                fault: QueueFault(raw.value as u32),
                address: raw.address,
            },
            Self::ENGINE_IDLE => Self::EngineIdle {
                engine: raw.subject,
            },
            Self::ENGINE_QUIET => Self::EngineQuiet {
                engine: raw.subject,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_round_trip_and_unknown_kinds_are_refused() {
        let queue = QueueId(7);
        for event in [
            Event::FenceSignaled {
                queue,
                value: u64::MAX,
                address: 0x1000,
            },
            Event::BufferCompleted { queue, cookie: 3 },
            Event::SuspendCompleted { queue, tag: 5 },
            Event::QueueFaulted {
                queue,
                fault: QueueFault::PACKET,
                address: 1,
            },
            Event::EngineIdle { engine: 2 },
            Event::EngineQuiet { engine: 3 },
        ] {
            assert_eq!(Event::decode(event.encode(0)), Some(event));
        }
        let unknown = RawEvent {
            kind: 99,
            subject: 0,
            value: 0,
            address: 0,
            sequence: 1,
        };
        assert_eq!(Event::decode(unknown), None);
    }

    #[test]
    fn sequence_wraps_and_never_matches_a_zeroed_slot_first() {
        assert_eq!(sequence_of(0), 1);
        assert_eq!(sequence_of(u32::MAX), 0);
        assert_eq!(slot_offset(64, 64), 0);
        assert_eq!(slot_offset(u32::MAX, 64), 63 * EVENT_BYTES);
    }
}
