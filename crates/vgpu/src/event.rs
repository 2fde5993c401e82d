//! The event ring and the interrupt registers (`docs/hardware.md` section 9).

use carillon_hw::addr::VramOffset;
use carillon_hw::event::{Event, SEQUENCE_OFFSET, slot_offset};
use carillon_hw::regs::Interrupts;
use zerocopy::IntoBytes;

use crate::fabric::Fabric;

/// Why an interrupt may be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Events,
    Overflow,
    Fatal,
}

/// Event ring position and interrupt bits.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pub(crate) ring: VramOffset,
    pub(crate) entries: u32,
    pub(crate) read: u32,
    write: u32,
    status: Interrupts,
    pub(crate) enabled: Interrupts,
    wanted: bool,
}

impl Events {
    pub(crate) fn write_count(&self) -> u32 {
        self.write
    }

    pub(crate) fn status(&self) -> Interrupts {
        self.status
    }

    /// Clears the bits that are set in `which`.
    pub(crate) fn clear(&mut self, which: Interrupts) {
        if which.events() {
            self.status.set_events(false);
        }
        if which.overflow() {
            self.status.set_overflow(false);
        }
        if which.fatal() {
            self.status.set_fatal(false);
        }
    }

    /// Sets a status bit; the vector is wanted if the bit was clear and is enabled.
    pub(crate) fn assert(&mut self, cause: Cause) {
        let (was, enabled) = match cause {
            Cause::Events => (self.status.events(), self.enabled.events()),
            Cause::Overflow => (self.status.overflow(), self.enabled.overflow()),
            Cause::Fatal => (self.status.fatal(), self.enabled.fatal()),
        };
        match cause {
            Cause::Events => self.status.set_events(true),
            Cause::Overflow => self.status.set_overflow(true),
            Cause::Fatal => self.status.set_fatal(true),
        }
        if !was && enabled {
            self.wanted = true;
        }
    }

    /// Whether a message is to be sent.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Takes the wish to send a message.
    pub(crate) fn take_wanted(&mut self) -> bool {
        std::mem::take(&mut self.wanted)
    }

    /// Writes one event, or drops it and says so in `overflow`.
    pub(crate) fn post(&mut self, fabric: &Fabric, event: Event) {
        if self.write.wrapping_sub(self.read) >= self.entries {
            fabric.counters.events_dropped.add(1);
            self.assert(Cause::Overflow);
            return;
        }
        let raw = event.encode(self.write);
        let slot = self.ring.0 + slot_offset(self.write, self.entries);
        let bytes = raw.as_bytes();
        let body = usize::try_from(SEQUENCE_OFFSET).map_or(bytes, |n| &bytes[..n]);
        // The ring was checked at `enable`, so these stores cannot miss local memory. The
        // release of the sequence orders the body before it.
        let _ = fabric.vram.write(slot, body);
        let _ = fabric.vram.store_u64(slot + SEQUENCE_OFFSET, raw.sequence);
        self.write = self.write.wrapping_add(1);
        fabric.counters.events.add(1);
        self.assert(Cause::Events);
    }
}
