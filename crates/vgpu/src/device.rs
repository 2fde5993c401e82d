//! The device's state, all of it behind one lock, and what registers do to it.
//!
//! # Locks
//!
//! There is one lock, around [`Device`]. The device thread holds it while it takes rings and runs
//! one packet (or a bounded slice of one) and offers it to waiting register accesses after each;
//! a register access holds it from decoding to the end of its effect. Under it the device calls
//! [`crate::Bus`] for memory; interrupts are sent without it. Hence a command always meets a
//! queue at a packet boundary or, inside a long fill or copy, at a point from which that packet
//! can go on; nothing waits for the other thread.
//!
//! # No look is lost
//!
//! A look reads the write pointer and enters the queue on its run list under the lock. The device
//! thread decides that nothing is to do under the same lock, and a register access that leaves
//! something to do says so to the thread before it lets go. A ring is taken by an exchange that
//! comes before its look: a client that stored its write pointer first and rang before the
//! exchange is seen by the look, one that rings after it leaves a ring for the next scan. The
//! thread scans bound pages for as long as it lives, it only does so less often when idle.

mod changes;
mod clocks;
mod commands;
mod looks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use carillon_hw::addr::PAGE_SIZE;
use carillon_hw::event::{Event, MIN_ENTRIES};
use carillon_hw::mmu::ENTRY_BYTES;
use carillon_hw::queue::{
    CONTEXT_DESCRIPTOR_BYTES, ContextId, QUEUE_DESCRIPTOR_BYTES, QueueActivity, QueueId, QueueState,
};
use carillon_hw::regs::{Control, DoorbellControl, DoorbellPage, Status};

use crate::Config;
use crate::command::Scratch;
use crate::config::{Message, PciConfig};
use crate::doorbell::Doorbells;
use crate::event::{Cause, Events};
use crate::fabric::Fabric;
use crate::fault::Faults;
use crate::mmu::{Mmu, Table};
use crate::queue::{Deferred, Descriptors, Queue, Slot};
use crate::recorder::FetchLog;
use crate::ring::Stop;
use crate::scheduler::Engine;

/// Watched queues that one switch of an engine looks at. One: with many queues on few pages most
/// are watched, and what a switch spends on them the others wait for.
const WATCHED_PER_SWITCH: usize = 1;
/// All watched queues are looked at after this time, so that the millisecond that the book
/// promises holds however many there are.
const WATCH_ALL_NANOSECONDS: u64 = 400_000;

/// The table registers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) queues: Table,
    pub(crate) contexts: Table,
    pub(crate) events: Table,
    pub(crate) aperture: Table,
}

/// A look that an injected fault put off.
#[derive(Clone, Copy, Debug)]
struct DelayedRing {
    rounds: u32,
    page: DoorbellPage,
    value: u64,
}

/// Something that the device thread shall do between two looks.
pub(crate) struct Errand(Box<dyn FnOnce() + Send>);

impl Errand {
    pub(crate) fn new(act: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(act))
    }

    pub(crate) fn run(self) {
        (self.0)();
    }
}

/// Everything that registers and the device thread change.
pub(crate) struct Device {
    pub(crate) fabric: Arc<Fabric>,
    parameters: Config,
    control: Control,
    fatal: bool,
    gone: bool,
    tables: Tables,
    pub(crate) doorbells: Doorbells,
    /// Counts changes of bindings, so that the watcher knows when its list is old.
    pub(crate) bindings: u64,
    /// Queues that are not inactive.
    pub(crate) queues: BTreeMap<QueueId, Slot>,
    /// Live queues by doorbell page (global model).
    by_page: BTreeSet<(u32, QueueId)>,
    pub(crate) engines: Vec<Engine>,
    pub(crate) mmu: Mmu,
    pub(crate) events: Events,
    pub(crate) scratch: Scratch,
    pub(crate) faults: Faults,
    delayed: Vec<DelayedRing>,
    pci: PciConfig,
    /// Interrupt messages that the device thread shall send.
    messages: u32,
    pub(crate) fetch_log: Option<Arc<FetchLog>>,
    pub(crate) errand: Option<Errand>,
    /// Queues to look at without a ring.
    watched: BTreeSet<QueueId>,
    /// The watched queue whose turn is next, or the next after it.
    next_watched: QueueId,
    /// Device clock of the last look at every watched queue.
    watched_all: u64,
    /// Ticks after which an idle engine is reported as quiet; 0 for never.
    pub(crate) quiet: u64,
}

impl Device {
    pub(crate) fn new(parameters: Config, fabric: Arc<Fabric>) -> Self {
        let pci = PciConfig::new(&parameters);
        fabric.set_bus_master(pci.bus_master());
        let mut device = Self {
            doorbells: Doorbells::new(&fabric, &parameters),
            fabric,
            parameters,
            control: Control::new(),
            fatal: false,
            gone: false,
            tables: Tables::default(),
            bindings: 0,
            queues: BTreeMap::new(),
            by_page: BTreeSet::new(),
            engines: Vec::new(),
            mmu: Mmu::new(parameters.tlb_entries),
            events: Events::default(),
            scratch: Scratch::default(),
            faults: Faults::default(),
            delayed: Vec::new(),
            pci,
            messages: 0,
            fetch_log: None,
            errand: None,
            watched: BTreeSet::new(),
            next_watched: QueueId(0),
            watched_all: 0,
            quiet: 0,
        };
        device.reset();
        device
    }

    pub(crate) fn parameters(&self) -> &Config {
        &self.parameters
    }

    pub(crate) fn control(&self) -> Control {
        self.control
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The table registers while they may be written.
    pub(crate) fn tables_mut(&mut self) -> Option<&mut Tables> {
        (!self.control.enable()).then_some(&mut self.tables)
    }

    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    pub(crate) fn events_mut(&mut self) -> &mut Events {
        &mut self.events
    }

    pub(crate) fn clock(&self) -> u64 {
        self.fabric.clock()
    }

    pub(crate) fn pci(&self) -> &PciConfig {
        &self.pci
    }

    pub(crate) fn doorbell_page(&self, index: u32) -> Option<DoorbellPage> {
        self.doorbells.page(index)
    }

    pub(crate) fn doorbell_control(&self, page: DoorbellPage) -> DoorbellControl {
        self.doorbells.control(page)
    }

    pub(crate) fn take_accessed(&mut self, word: u32) -> u32 {
        self.doorbells.take_accessed(word)
    }

    pub(crate) fn config_write(&mut self, offset: u16, width: u8, value: u32) {
        if self.pci.write(offset, width, value) {
            self.messages += 1;
        }
        self.fabric.set_bus_master(self.pci.bus_master());
    }

    pub(crate) fn msix_table_write(&mut self, dword: usize, value: u32) {
        if self.pci.table_write(dword, value) {
            self.messages += 1;
        }
    }

    /// Whether work is fetched and memory may be written.
    pub(crate) fn is_enabled(&self) -> bool {
        self.control.enable() && !self.fatal && !self.gone
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Falls off the bus: from here on nothing is read, written or raised.
    pub(crate) fn lose(&mut self) {
        self.gone = true;
    }

    pub(crate) fn status(&self) -> Status {
        Status::new()
            .with_enabled(self.is_enabled())
            .with_idle(!self.engines.iter().any(Engine::is_busy))
            .with_fatal(self.fatal)
    }

    /// Whether the device thread has something to do apart from watching.
    pub(crate) fn wants_thread(&self) -> bool {
        let engines = || self.engines.iter().any(Engine::needs_turn);
        let pending = self.messages > 0 || self.events.is_wanted();
        self.errand.is_some()
            || !self.gone
                && (pending
                    || (self.is_enabled()
                        && (!self.delayed.is_empty() || self.is_watching() || engines())))
    }

    /// Power-on state, apart from the PCI function's own and injected faults.
    fn reset(&mut self) {
        self.control = Control::new();
        self.fatal = false;
        self.tables = Tables::default();
        self.doorbells.reset(&self.fabric);
        self.bindings += 1;
        self.queues.clear();
        self.by_page.clear();
        self.engines = (0..usize::from(self.parameters.engines))
            .map(Engine::new)
            .collect();
        self.mmu.reset();
        self.events = Events::default();
        self.delayed.clear();
        self.messages = 0;
        self.watched.clear();
        self.quiet = 0;
    }

    pub(crate) fn write_control(&mut self, control: Control) {
        if control.reset() {
            self.reset();
            return;
        }
        let was = self.control.enable();
        self.control.set_enable(control.enable());
        if control.enable() && !was && !self.fatal {
            self.enable();
        }
    }

    fn is_table_usable(&self, table: Table, entry_bytes: u64) -> bool {
        let end = u64::from(table.entries)
            .checked_mul(entry_bytes)
            .and_then(|bytes| table.base.checked_add(bytes));
        table.base.is_aligned(PAGE_SIZE)
            && end.is_some_and(|end| end.0 <= self.parameters.vram_bytes)
    }

    fn enable(&mut self) {
        let tables = self.tables;
        let usable = self.is_table_usable(tables.queues, QUEUE_DESCRIPTOR_BYTES)
            && tables.queues.entries <= self.parameters.max_queues()
            && self.is_table_usable(tables.contexts, CONTEXT_DESCRIPTOR_BYTES)
            && self.is_table_usable(tables.events, carillon_hw::event::EVENT_BYTES)
            && tables.events.entries.is_power_of_two()
            && tables.events.entries >= MIN_ENTRIES
            && (tables.aperture.entries == 0 || self.is_table_usable(tables.aperture, ENTRY_BYTES));
        if !usable {
            self.fatal = true;
            self.events.assert(Cause::Fatal);
            return;
        }
        self.mmu.contexts = tables.contexts;
        self.mmu.aperture = tables.aperture;
        self.events.ring = tables.events.base;
        self.events.entries = tables.events.entries;
        // A device that was only paused looks at everything that may have gone on meanwhile.
        self.queues.retain(|id, _| id.0 < tables.queues.entries);
        self.watched.retain(|id| id.0 < tables.queues.entries);
        let ids: Vec<QueueId> = self.queues.keys().copied().collect();
        for id in ids {
            self.look(id, None);
        }
        self.settle_engines();
    }

    pub(crate) fn invalidate(&mut self, context: ContextId, all: bool) {
        if all {
            self.mmu.invalidate_all();
        } else {
            self.mmu.invalidate(context);
        }
    }

    pub(crate) fn descriptors(&self) -> Descriptors {
        Descriptors(self.tables.queues)
    }

    /// Stops a queue by its own mistake.
    pub(crate) fn fault(&mut self, id: QueueId, stop: Stop) {
        let Some(slot) = self.queues.get_mut(&id) else {
            return;
        };
        let former = std::mem::replace(slot, Slot::Faulted);
        let deferred = match former {
            Slot::Live(mut queue) => {
                leave_run_list(&mut self.engines, &mut queue);
                self.by_page.remove(&(queue.setup.doorbell_page, id));
                queue.deferred
            }
            Slot::Faulted => Vec::new(),
        };
        self.watched.remove(&id);
        self.fabric.counters.queue_faults.add(1);
        let half = self.descriptors().device_half(&self.fabric, id);
        half.fault(stop.fault, stop.address);
        half.activity(QueueActivity::IDLE);
        half.state(QueueState::FAULTED);
        self.post(Event::QueueFaulted {
            queue: id,
            fault: stop.fault,
            address: stop.address,
        });
        for command in deferred {
            match command {
                Deferred::Suspend { tag } => self.suspend(id, tag),
                Deferred::Deactivate => self.deactivate(id),
            }
        }
    }

    pub(crate) fn post(&mut self, event: Event) {
        if self.is_enabled() {
            self.events.post(&self.fabric, event);
        }
    }

    /// How many messages to send now; to be sent by the device thread without the lock.
    pub(crate) fn take_messages(&mut self) -> u32 {
        if self.gone {
            return 0;
        }
        let mut count = std::mem::take(&mut self.messages);
        if self.events.take_wanted() && self.pci.message() == Message::Send {
            count += 1;
        }
        count
    }

    /// Asks the device thread for a message that no event stands behind.
    pub(crate) fn spurious_interrupt(&mut self) {
        if self.pci.message() == Message::Send {
            self.messages += 1;
        }
    }

    pub(crate) fn config_read(&self, offset: u16, width: u8) -> u32 {
        self.pci.read(offset, width)
    }
}

/// Takes a queue off the run list of its engine.
pub(crate) fn leave_run_list(engines: &mut [Engine], queue: &mut Queue) {
    if let Some(ticket) = queue.ticket.take() {
        engines[queue.setup.engine].leave(ticket);
    }
}
