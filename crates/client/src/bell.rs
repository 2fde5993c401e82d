//! One doorbell as the submit loop uses it (`docs/hardware.md` section 5).

use core::sync::atomic::{Ordering, fence};

use carillon_hw::doorbell::{DoorbellReply, GlobalDoorbellValue, NOT_RUNG};
use carillon_hw::queue::QueueId;
use carillon_hw::regs::DoorbellModel;

use crate::kmt::{Doorbell, DoorbellHandle, DoorbellStatus};
use crate::memory::SharedWord;

/// At which of a doorbell's addresses to ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingAt {
    /// The address that every doorbell has.
    Primary,
    /// The second one, of a doorbell that was created with it.
    Secondary,
}

/// A doorbell with its model resolved.
#[derive(Debug)]
pub(crate) struct Bell {
    doorbell: Doorbell,
    /// Where to ring.
    address: SharedWord,
    global: Option<u64>,
    queue: QueueId,
}

impl Bell {
    /// `None` if the driver did not say how to ring.
    pub(crate) fn new(doorbell: Doorbell) -> Option<Self> {
        let (model, queue) = DoorbellReply::parse(&doorbell.private_data)?;
        let global = match model {
            DoorbellModel::Dedicated => None,
            DoorbellModel::Global => Some(GlobalDoorbellValue::for_queue(queue).into_bits()),
        };
        Some(Self {
            doorbell,
            address: doorbell.address,
            global,
            queue,
        })
    }

    /// How the driver names the queue.
    pub(crate) const fn queue(&self) -> QueueId {
        self.queue
    }

    pub(crate) const fn handle(&self) -> DoorbellHandle {
        self.doorbell.handle
    }

    /// Chooses where to ring; false if the doorbell has no such address.
    pub(crate) const fn ring_at(&mut self, at: RingAt) -> bool {
        let address = match at {
            RingAt::Primary => Some(self.doorbell.address),
            RingAt::Secondary => self.doorbell.secondary_address,
        };
        match address {
            Some(address) => {
                self.address = address;
                true
            }
            None => false,
        }
    }

    /// Tells the operating system which fence value will be the last. It is ordered before the
    /// work becomes visible by the release store of the write pointer that follows.
    #[inline]
    pub(crate) fn publish_last_queued(&self, value: u64) {
        self.doorbell.last_queued.store_relaxed(value);
    }

    /// Rings, then reads the status.
    ///
    /// Three accesses must not pass each other: the write pointer (stored before), the ring, and
    /// the load of the status.
    ///
    /// * Write pointer before ring: a ring makes the device look once; if it came first the look
    ///   could find nothing and nobody would look again. The release store orders it. That
    ///   suffices for a page mapped write-back or uncached; a write-combined one would need a
    ///   store fence here.
    /// * Both before the status: the full fence. Whoever disconnects first moves the page away,
    ///   then stores the status, then has the device look at the write pointer, with a full barrier
    ///   before the look. If this load still sees the old status, this fence came first and
    ///   the look finds the write pointer, even though the ring may have gone nowhere. If it sees the new
    ///   one, the caller connects. Without the fence the load could be done while both stores
    ///   still sit in the store buffer, and a submission would be stranded.
    #[inline]
    pub(crate) fn ring(&self, write_pointer: u64) -> DoorbellStatus {
        let value = match self.global {
            // All ones is no ring; the device ignores the value otherwise.
            None => write_pointer.min(NOT_RUNG - 1),
            Some(value) => value,
        };
        self.address.store_release(value);
        crate::probe::at(crate::probe::Point::Rung);
        fence(Ordering::SeqCst);
        self.status()
    }

    /// Reads the status.
    #[inline]
    pub(crate) fn status(&self) -> DoorbellStatus {
        DoorbellStatus(self.doorbell.status.load_acquire())
    }
}
