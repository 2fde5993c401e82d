//! What the driver adds to a report about a timeout: where each queue stands.

use carillon_hw::queue::{QueueActivity, QueueDeviceHalf, QueueId};
use carillon_hw::regs::{DEVICE_MAGIC, offset};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use core::mem::offset_of;
use core::sync::atomic::Ordering;

use super::Adapter;
use crate::doorbell::State;
use crate::irql::Passive;
use crate::objects::{QueueMode, context_id, queue_id};
use crate::platform::Platform;

/// Version of the report.
pub const REPORT_VERSION: u32 = 1;

/// Start of a report, little-endian like everything in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ReportHeader {
    /// "CARL".
    pub magic: u32,
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Bytes in a [`QueueRecord`].
    pub record_bytes: u32,
    /// Records that follow.
    pub records: u32,
    /// Queues that there are: more than records if the buffer was too small.
    pub queues: u32,
    /// The device's status register; all ones when the device is out of reach.
    pub status: u32,
    /// Engines that were reset and not resumed, one bit each.
    pub stopped_engines: u32,
    /// Queues that the hardware did not let go of.
    pub unconfirmed: u32,
}

/// One hardware queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct QueueRecord {
    /// Number of the queue in the device's table.
    pub queue: u32,
    /// Number of its context.
    pub context: u32,
    /// Its node.
    pub node: u32,
    /// 1: the context is suspended. 2: a reset took the context. 4: the queue stopped for good. 8: fed
    /// by the kernel.
    pub flags: u32,
    /// `QueueState`; zero, like all that the device knows, when it is out of reach.
    pub state: u32,
    /// `QueueFault`.
    pub fault: u32,
    /// Where the fault was.
    pub fault_address: u64,
    /// Entries taken from the ring.
    pub read_pointer: u64,
    /// Write pointer at the last look.
    pub seen_write_pointer: u64,
    /// Entries finished since the queue was activated.
    pub finished: u64,
    /// 0: no doorbell. 1: disconnected, 2: connecting, 3: connected, 4: disconnected by the OS and still
    /// bound, 5: being taken away.
    pub doorbell: u32,
    /// Work is pending or running.
    pub busy: u32,
}

impl<P: Platform> Adapter<P> {
    /// `DxgkDdiCollectDbgInfo` for the reasons that are about timeouts: fills `out` as far as whole
    /// records fit. Answers the bytes written.
    pub fn debug_report(&self, passive: Passive<'_>, out: &mut [u8]) -> usize {
        let Some((head, mut room)) = out.split_at_mut_checked(size_of::<ReportHeader>()) else {
            return 0;
        };
        let mut header = ReportHeader {
            magic: DEVICE_MAGIC,
            version: REPORT_VERSION,
            record_bytes: RECORD_BYTES,
            records: 0,
            queues: 0,
            status: u32::MAX,
            stopped_engines: self.stopped_engines.load(Ordering::Relaxed),
            unconfirmed: self.unconfirmed_teardowns(),
        };
        if !self.is_gone() {
            header.status = self.platform.read32(offset::STATUS);
        }
        let capacity = self.tables.lock().queues.capacity();
        let mut written = size_of::<ReportHeader>();
        for index in 0..capacity {
            let Some(record) = self.queue_record(passive, index) else {
                continue;
            };
            header.queues += 1;
            if record.write_to_prefix(room).is_ok() {
                room = room.get_mut(size_of::<QueueRecord>()..).unwrap_or_default();
                written += size_of::<QueueRecord>();
                header.records += 1;
            }
        }
        let _ = header.write_to_prefix(head);
        written
    }

    fn queue_record(&self, _passive: Passive<'_>, index: u32) -> Option<QueueRecord> {
        let (mut record, doorbell) = {
            let tables = self.tables.lock();
            let (handle, queue) = tables.queues.by_index(index)?;
            let context = tables.contexts.get(queue.context);
            let kernel = matches!(queue.mode, QueueMode::Kernel(_));
            let flags = [
                (context.is_some_and(|c| c.suspension.suspended), 1),
                (context.is_some_and(|c| c.lost), 2),
                (queue.stopped, 4),
                (kernel, 8),
            ];
            let record = QueueRecord {
                queue: queue_id(handle).0,
                context: context_id(queue.context).0,
                node: context.map_or(u32::MAX, |context| context.node),
                flags: flags.iter().map(|(is, bit)| u32::from(*is) * bit).sum(),
                state: 0,
                fault: 0,
                fault_address: 0,
                read_pointer: 0,
                seen_write_pointer: 0,
                finished: 0,
                doorbell: 0,
                busy: 0,
            };
            let doorbell = match &queue.mode {
                QueueMode::User(rings) => rings.doorbell(),
                QueueMode::Kernel(_) => None,
            };
            (record, doorbell)
        };
        let state = doorbell.and_then(|doorbell| self.inspect_doorbell(doorbell));
        record.doorbell = match state {
            None => 0,
            Some((State::Disconnected, _)) => 1,
            Some((State::Connecting, _)) => 2,
            Some((State::Connected(_), _)) => 3,
            Some((State::Lingering(_), _)) => 4,
            Some((State::Revoking(_), _)) => 5,
        };
        if !self.is_gone() {
            let id = QueueId(record.queue);
            let word = |field| self.device_word(id, field);
            record.state = self.queue_state(id).0;
            record.fault = self.queue_fault(id).0;
            record.fault_address = word(offset_of!(QueueDeviceHalf, fault_address));
            record.read_pointer = word(offset_of!(QueueDeviceHalf, read_pointer));
            record.seen_write_pointer = word(offset_of!(QueueDeviceHalf, seen_write_pointer));
            record.finished = word(offset_of!(QueueDeviceHalf, finished));
            record.busy = u32::from(self.queue_activity(id) == QueueActivity::BUSY);
        }
        Some(record)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a small structure")]
const RECORD_BYTES: u32 = size_of::<QueueRecord>() as u32;
