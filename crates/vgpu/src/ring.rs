//! Reading a queue's ring: the write pointer at a look, one entry at a fetch
//! (`docs/hardware.md` section 7.1).

use carillon_hw::addr::{BusAddress, GpuVa};
use carillon_hw::queue::{ContextId, QueueFault};
use carillon_hw::ring::{EntryMeta, READ_POINTER_OFFSET, RingEntry, WRITE_POINTER_OFFSET};
use zerocopy::{FromZeros, IntoBytes};

use crate::command::Execution;
use crate::fabric::Place;
use crate::mmu::{AccessFault, Memory, Mmu, Operand};
use crate::queue::{Queue, Setup};

/// Why a queue stops, and the address or value that its descriptor shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) fault: QueueFault,
    pub(crate) address: u64,
}

impl Stop {
    pub(crate) const fn new(fault: QueueFault, address: u64) -> Self {
        Self { fault, address }
    }
}

impl From<AccessFault> for Stop {
    fn from(fault: AccessFault) -> Self {
        Self::new(QueueFault::PAGE, fault.0)
    }
}

/// Loads the write pointer once, with acquire ordering: what the client wrote before it is
/// visible to every later fetch.
pub(crate) fn write_pointer(memory: &mut Memory<'_>, queue: &mut Queue) -> Result<u64, Stop> {
    let word = queue.setup.control.advance(WRITE_POINTER_OFFSET)?;
    Ok(memory.load_u64_kept(word, &mut queue.kept.control)?)
}

/// Where the write pointer is, and the entry behind those seen, if the queue keeps both pages.
pub(crate) fn first_reads(mmu: &Mmu, queue: &Queue) -> Option<[Place; 2]> {
    let setup = &queue.setup;
    let word = setup.control.advance(WRITE_POINTER_OFFSET).ok()?;
    let slot = setup
        .ring
        .advance(setup.size.slot_offset(queue.seen))
        .ok()?;
    Some([
        mmu.kept_place(word, &queue.kept.control)?,
        mmu.kept_place(slot, &queue.kept.ring)?,
    ])
}

/// Entries between the queue's read pointer and `write`.
pub(crate) fn pending(queue: &Queue, write: u64) -> Result<u64, Stop> {
    queue
        .setup
        .size
        .pending(queue.read, write)
        .ok_or(Stop::new(QueueFault::WRITE_POINTER, write))
}

/// Tells the client that the slots before `read` may be reused.
pub(crate) fn report_read_pointer(
    memory: &mut Memory<'_>,
    setup: &Setup,
    read: u64,
) -> Result<(), Stop> {
    Ok(memory.store_u64(setup.control.advance(READ_POINTER_OFFSET)?, read)?)
}

/// Copies the entry at the read pointer out of memory once, checks the copy and makes it ready
/// to run.
///
/// The second result is the device clock at which the copy was complete, if `timed`.
pub(crate) fn fetch(
    memory: &mut Memory<'_>,
    queue: &mut Queue,
    timed: bool,
) -> Result<(Execution, Option<u64>), Stop> {
    let setup = &queue.setup;
    let slot = setup.ring.advance(setup.size.slot_offset(queue.read))?;
    let mut entry = RingEntry::new_zeroed();
    // An entry never crosses a page: the ring is page aligned and a page holds whole entries.
    memory.read_kept(slot, entry.as_mut_bytes(), &mut queue.kept.ring)?;
    let fetched = timed.then(|| memory.fabric.clock());
    let refused = Stop::new(QueueFault::RING_ENTRY, slot.raw());
    let allowed = if setup.kernel {
        is_kernel_entry(&entry) && is_context_known(memory, entry.meta)
    } else {
        entry.is_plain()
    };
    if !allowed || !entry.is_well_formed() {
        return Err(refused);
    }
    let meta = entry.meta;
    let context = if meta.overrides_context() {
        ContextId(meta.context())
    } else {
        setup.context
    };
    let buffer = if meta.bus_addressed() {
        Operand::bus(BusAddress(entry.buffer))
    } else {
        Operand::Virtual(context, GpuVa(entry.buffer))
    };
    let report = meta.reports().then_some(entry.cookie);
    let execution = Execution::new(buffer, context, meta.dwords(), meta.privileged(), report);
    Ok((execution, fetched))
}

/// Whether an entry of a kernel ring sets defined bits only.
fn is_kernel_entry(entry: &RingEntry) -> bool {
    let defined = EntryMeta::new()
        .with_dwords(entry.meta.dwords())
        .with_privileged(entry.meta.privileged())
        .with_overrides_context(entry.meta.overrides_context())
        .with_bus_addressed(entry.meta.bus_addressed())
        .with_reports(entry.meta.reports())
        .with_context(entry.meta.context());
    defined == entry.meta && entry.reserved == 0
}

fn is_context_known(memory: &Memory<'_>, meta: EntryMeta) -> bool {
    !meta.overrides_context() || meta.context() < memory.mmu.contexts.entries
}
