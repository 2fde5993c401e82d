//! Hardware queues: descriptors in local memory and what the device keeps of active ones
//! (`docs/hardware.md` section 6).

use core::mem::offset_of;

use carillon_hw::addr::{BusAddress, GpuVa, PAGE_SIZE, VramOffset};
use carillon_hw::queue::{
    ContextId, DEVICE_HALF_OFFSET, QueueActivity, QueueDeviceHalf, QueueDriverHalf, QueueFault,
    QueueId, QueueState,
};
use carillon_hw::regs::DoorbellModel;
use carillon_hw::ring::{CONTROL_BYTES, RingSize};
use zerocopy::{FromZeros, IntoBytes};

use crate::command::Execution;
use crate::fabric::{Fabric, KeptPage};
use crate::mmu::{Operand, Table};
use crate::scheduler::Ticket;

/// What a descriptor is checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) engines: u8,
    pub(crate) contexts: u32,
    pub(crate) doorbells: u32,
    pub(crate) model: DoorbellModel,
}

/// A driver half that passed every check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) ring: Operand,
    pub(crate) control: Operand,
    pub(crate) size: RingSize,
    pub(crate) engine: usize,
    pub(crate) band: usize,
    pub(crate) kernel: bool,
    pub(crate) context: ContextId,
    pub(crate) doorbell_page: u32,
    pub(crate) signal_log: Option<Log>,
    pub(crate) wait_log: Option<Log>,
}

/// A fence log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) base: GpuVa,
    pub(crate) entries: u32,
}

impl Log {
    /// The log at `base`, none for 0, or the value that is wrong.
    fn parse(base: u64, entries: u32) -> Result<Option<Self>, u64> {
        let base = GpuVa(base);
        if base == GpuVa(0) {
            return Ok(None);
        }
        if !base.is_aligned(8) {
            return Err(base.0);
        }
        if entries == 0 {
            return Err(0);
        }
        Ok(Some(Self { base, entries }))
    }
}

impl Setup {
    /// Checks a driver half.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub(crate) fn parse(half: &QueueDriverHalf, limits: Limits) -> Result<Self, u64> {
        let shape = half.shape;
        let size =
            RingSize::from_log2(shape.ring_entries_log2()).ok_or(u64::from(shape.into_bits()))?;
        if shape.engine() >= u32::from(limits.engines) {
            return Err(u64::from(shape.into_bits()));
        }
        if half.context >= limits.contexts {
            return Err(u64::from(half.context));
        }
        let ring = GpuVa(half.ring);
        if !ring.is_aligned(PAGE_SIZE) || ring.checked_add(size.bytes()).is_none() {
            return Err(half.ring);
        }
        let control = GpuVa(half.control);
        if !control.is_aligned(CONTROL_BYTES) || control.checked_add(CONTROL_BYTES).is_none() {
            return Err(half.control);
        }
        if limits.model == DoorbellModel::Global && half.doorbell_page >= limits.doorbells {
            return Err(u64::from(half.doorbell_page));
        }
        for reserved in [half.reserved0, half.reserved1] {
            if reserved != 0 {
                return Err(reserved.into());
            }
        }
        let context = ContextId(half.context);
        let operand = |address| operand(shape.kernel(), context, address);
        Ok(Self {
            ring: operand(half.ring),
            control: operand(half.control),
            size,
            engine: shape.engine() as usize,
            band: shape.band() as usize,
            kernel: shape.kernel(),
            context,
            doorbell_page: half.doorbell_page,
            signal_log: Log::parse(half.signal_log, half.log_entries)?,
            wait_log: Log::parse(half.wait_log, half.log_entries)?,
        })
    }

    pub(crate) fn ring_base(&self) -> RingBase {
        RingBase {
            ring: self.ring.raw(),
            control: self.control.raw(),
            size: self.size,
        }
    }

    /// The same queue with another ring.
    pub(crate) fn with_ring(self, base: RingBase) -> Self {
        let operand = |address| operand(self.kernel, self.context, address);
        Self {
            ring: operand(base.ring),
            control: operand(base.control),
            size: base.size,
            ..self
        }
    }
}

/// An address of a ring or control block.
fn operand(kernel: bool, context: ContextId, address: u64) -> Operand {
    if kernel {
        Operand::bus(BusAddress(address))
    } else {
        Operand::Virtual(context, GpuVa(address))
    }
}

/// Addresses and size of a ring, good for any context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RingBase {
    ring: u64,
    control: u64,
    size: RingSize,
}

/// The ring that a queue goes over to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NextRing {
    pub(crate) ring: RingBase,
    /// Its first read pointer.
    pub(crate) start: u64,
}

/// A command that waits for a packet boundary which a hung packet does not reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deferred {
    Suspend { tag: u32 },
    Deactivate,
}

/// What a look sees of the write pointer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sight {
    /// What memory holds.
    #[default]
    Memory,
    /// What was visible before: the ring overtook the rest (injected).
    Overtaken,
}

/// An active queue that has not faulted.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) setup: Setup,
    pub(crate) suspended: bool,
    /// Entries finished; the entry that runs is the one at this pointer.
    pub(crate) read: u64,
    pub(crate) seen: u64,
    pub(crate) finished: u64,
    pub(crate) useful_looks: u32,
    pub(crate) execution: Option<Box<Execution>>,
    /// Proof of being on the run list; `None` while the queue has nothing to run there.
    pub(crate) ticket: Option<Ticket>,
    /// Device clock of the ring that led to the last useful look.
    pub(crate) rung: Option<u64>,
    /// The packet in progress never ends (injected).
    pub(crate) hung: bool,
    pub(crate) deferred: Vec<Deferred>,
    pub(crate) kept: Kept,
    /// The entry at the read pointer was fetched before the look that finds it.
    pub(crate) fetched_early: bool,
    /// The write pointer that a client's barrier made visible since the last look (injected faults).
    pub(crate) behind_barrier: Option<u64>,
    /// What the next look sees.
    pub(crate) sight: Sight,
    /// The ring kept aside by a change that is pending.
    pub(crate) next_ring: Option<NextRing>,
    pub(crate) ring_changes: u32,
}

/// Where the two pages are that every look and every fetch reads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) control: KeptPage,
    /// The page of the ring that was read last.
    pub(crate) ring: KeptPage,
}

impl Queue {
    pub(crate) fn new(setup: Setup, start: u64) -> Self {
        Self {
            setup,
            suspended: false,
            read: start,
            seen: start,
            finished: 0,
            useful_looks: 0,
            execution: None,
            ticket: None,
            rung: None,
            hung: false,
            deferred: Vec::new(),
            kept: Kept::default(),
            fetched_early: false,
            behind_barrier: None,
            sight: Sight::default(),
            next_ring: None,
            ring_changes: 0,
        }
    }

    /// Whether all that was seen has run, and more would be fetched at once.
    pub(crate) fn waits_for_work(&self) -> bool {
        let stopped = self.suspended || self.hung;
        !stopped && self.execution.is_none() && self.read == self.seen
    }
}

/// What the device keeps of a queue that is not inactive.
#[derive(Debug)]
pub(crate) enum Slot {
    Live(Box<Queue>),
    Faulted,
}

/// The queue descriptor table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Descriptors(pub(crate) Table);

impl Descriptors {
    pub(crate) fn contains(self, id: QueueId) -> bool {
        id.0 < self.0.entries
    }

    /// Copies the driver half out, once.
    pub(crate) fn driver_half(self, fabric: &Fabric, id: QueueId) -> QueueDriverHalf {
        let mut half = QueueDriverHalf::new_zeroed();
        let offset = self.0.base.0 + id.table_offset();
        // The table was checked at `enable`; a zeroed half is one that cannot be used.
        let _ = fabric.vram.read(offset, half.as_mut_bytes());
        half
    }

    /// The device half of a queue, to be written field by field.
    pub(crate) fn device_half(self, fabric: &Fabric, id: QueueId) -> DeviceHalf<'_> {
        DeviceHalf {
            fabric,
            base: VramOffset(self.0.base.0 + id.table_offset() + DEVICE_HALF_OFFSET),
        }
    }
}

/// Writes the device half of a descriptor, each field by one aligned store with release, so that
/// a driver that reads a state also reads what was written before it.
pub(crate) struct DeviceHalf<'a> {
    fabric: &'a Fabric,
    base: VramOffset,
}

impl DeviceHalf<'_> {
    fn long(&self, field: usize, value: u64) {
        // The table was checked at `enable` and the id against it: the store cannot miss.
        let _ = self
            .fabric
            .vram
            .store_u64(self.base.0 + field as u64, value);
    }

    fn word(&self, field: usize, value: u32) {
        let _ = self
            .fabric
            .vram
            .store_u32(self.base.0 + field as u64, value);
    }

    pub(crate) fn read_pointer(&self, value: u64) {
        self.long(offset_of!(QueueDeviceHalf, read_pointer), value);
    }

    pub(crate) fn seen_write_pointer(&self, value: u64) {
        self.long(offset_of!(QueueDeviceHalf, seen_write_pointer), value);
    }

    pub(crate) fn state(&self, value: QueueState) {
        self.word(offset_of!(QueueDeviceHalf, state), value.0);
    }

    pub(crate) fn fault(&self, fault: QueueFault, address: u64) {
        self.long(offset_of!(QueueDeviceHalf, fault_address), address);
        self.word(offset_of!(QueueDeviceHalf, fault), fault.0);
    }

    pub(crate) fn activity(&self, value: QueueActivity) {
        self.word(offset_of!(QueueDeviceHalf, activity), value.0);
    }

    pub(crate) fn useful_looks(&self, value: u32) {
        self.word(offset_of!(QueueDeviceHalf, useful_looks), value);
    }

    pub(crate) fn finished(&self, value: u64) {
        self.long(offset_of!(QueueDeviceHalf, finished), value);
    }

    pub(crate) fn last_look(&self, value: u64) {
        self.long(offset_of!(QueueDeviceHalf, last_look), value);
    }

    pub(crate) fn finished_before(&self, value: u64) {
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
        let low = value as u32;
        self.word(offset_of!(QueueDeviceHalf, finished_before), low);
    }

    pub(crate) fn ring_changes(&self, value: u32) {
        self.word(offset_of!(QueueDeviceHalf, ring_changes), value);
    }

    /// Writes every field of a queue that begins at `start`, the state last.
    pub(crate) fn begin(&self, start: u64) {
        self.read_pointer(start);
        self.seen_write_pointer(start);
        self.fault(QueueFault::NONE, 0);
        self.activity(QueueActivity::IDLE);
        self.useful_looks(0);
        self.finished(0);
        self.finished_before(0);
        self.ring_changes(0);
        self.state(QueueState::RUNNABLE);
    }
}
