//! Bring-up, stop and loss of the hardware.

use carillon_hw::queue::{QueueDriverHalf, QueueId};
use carillon_hw::regs::{
    Control, DEVICE_MAGIC, DoorbellCaps, INTERFACE_MAJOR, Interrupts, MmuCaps, QueueCaps,
    QueueOperation, Revision, Status, offset,
};
use carillon_hw::ring::RingSize;

use super::contexts::PriorityBands;
use super::events::EventCursor;
use super::fstate::{FStates, device_ticks};
use super::gate::{Access, Gate};
use super::layout::Layout;
use super::node::Node;
use super::rings::shape;
use super::{Adapter, DeviceFacts, NODES, Settings};
use crate::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::doorbell::manager::{Manager, ManagerSettings};
use crate::error::{Error, Result};
use crate::handle::AdapterOrdinal;
use crate::irql::Passive;
use crate::objects::Tables;
use crate::objects::ring::KernelRing;
use crate::platform::Platform;
use lock_api::Mutex;

/// Pauses that a reset may take: each is about a millisecond.
const RESET_PAUSES: u32 = 1000;
/// Entries of a node's ring; the OS has far fewer packets under way.
const NODE_RING_LOG2: u32 = 10;

impl<P: Platform> Adapter<P> {
    /// Resets the device, gives it its tables and sets it to work.
    ///
    /// # Errors
    /// [`Error::BadHardware`] for a device that is not the documented one or does not answer,
    /// [`Error::NoMemory`].
    pub fn start(
        passive: Passive<'_>,
        ordinal: AdapterOrdinal,
        platform: P,
        settings: &Settings,
    ) -> Result<Self> {
        let facts = identify(&platform, settings)?;
        reset(&platform, passive)?;
        program_tables(&platform, &facts.layout);
        clear(&platform, &facts.layout, ApertureTable::Clear);
        let quiet = device_ticks(
            settings.engine_quiet,
            platform.read64(offset::TIMESTAMP_FREQUENCY),
        );
        let doorbells = Manager::new(
            ordinal,
            &ManagerSettings {
                model: facts.model,
                pages: facts.doorbells,
                doorbells: facts.layout.queues,
                residence: settings.residence,
                queue_table: facts.layout.queue_table,
                notify: settings.notify,
            },
        )?;
        let adapter = Self {
            platform,
            facts,
            settings: *settings,
            tables: Mutex::new(Tables::new(
                ordinal,
                facts.layout.queues,
                facts.layout.contexts,
            )),
            nodes: [const { Mutex::new(Node::IDLE) }; NODES as usize],
            doorbells,
            events: Mutex::new(EventCursor::START),
            signalled_nodes: AtomicU32::new(0),
            overflowed: AtomicBool::new(false),
            gate: Gate::new(),
            stopped_engines: AtomicU32::new(0),
            engines: Mutex::new(()),
            power: Mutex::new(FStates::new(quiet)),
            bands: Mutex::new(PriorityBands::default()),
            unconfirmed: AtomicU32::new(0),
        };
        match adapter.set_to_work(passive) {
            Ok(()) => Ok(adapter),
            Err(error) => {
                adapter.stop(passive);
                Err(error)
            }
        }
    }

    fn set_to_work(&self, passive: Passive<'_>) -> Result {
        for node in &self.nodes {
            let size = RingSize::from_log2(NODE_RING_LOG2).ok_or(Error::BadHardware)?;
            let ring = KernelRing::allocate(&self.platform, passive, size)?;
            let old = node.lock().ring.replace(ring);
            drop(old);
        }
        self.enable()?;
        for node in 0..NODES {
            self.activate_node(node);
        }
        Ok(())
    }

    /// Lets a device that has its tables interrupt and work.
    pub(super) fn enable(&self) -> Result {
        let enabled = Interrupts::new()
            .with_events(true)
            .with_overflow(true)
            .with_fatal(true);
        self.platform
            .write32(offset::INTERRUPT_ENABLE, enabled.into_bits());
        self.platform.write32(
            offset::CONTROL,
            Control::new().with_enable(true).into_bits(),
        );
        let status = Status::from_bits(self.platform.read32(offset::STATUS));
        if status == Status::GONE || status.fatal() || !status.enabled() {
            return Err(Error::BadHardware);
        }
        Ok(())
    }

    /// Puts a node's own queue on the run list.
    pub(super) fn activate_node(&self, node: u32) {
        let half = self.nodes.get(node as usize).and_then(|state| {
            let state = state.lock();
            let ring = state.ring.as_ref()?;
            Some(node_descriptor(ring, node, state.start))
        });
        if let Some(half) = half {
            self.write_queue(QueueId(node), &half);
            self.command(QueueOperation::Activate, QueueId(node));
        }
    }

    /// Stores the driver half of an inactive queue's descriptor.
    pub(super) fn write_queue(&self, queue: QueueId, half: &QueueDriverHalf) {
        self.write_words(queue, half.to_words());
    }

    /// Stores the driver half of a live queue's descriptor, to be reloaded. Its last word is the
    /// doorbell manager's.
    pub(super) fn rewrite_queue(&self, queue: QueueId, half: &QueueDriverHalf) {
        let [rest @ .., _page] = half.to_words();
        self.write_words(queue, rest);
    }

    fn write_words(&self, queue: QueueId, words: impl IntoIterator<Item = u64>) {
        let table = self.facts.layout.queue_table;
        let mut at = table.checked_add(queue.table_offset());
        for word in words {
            if let Some(here) = at {
                self.platform.vram_store64(here, word);
                at = here.checked_add(8);
            }
        }
    }

    /// Takes the device out of service: no interrupt, no fetch, no doorbell. Idempotent.
    pub fn stop(&self, passive: Passive<'_>) {
        self.doorbells.close(passive);
        // Without power, or after a reset, the device is quiet already.
        if self.gate.lose() == Access::Open {
            self.gate.wait_empty(passive, &self.platform);
            // A device that does not confirm is gone from the bus or broken; either way nothing
            // more can be done to it, and memory that it may still reach is kept.
            if quieten(&self.platform, passive).is_err() {
                self.unconfirmed.fetch_add(1, Ordering::Relaxed);
            }
        }
        for node in &self.nodes {
            let ring = node.lock().ring.take();
            if self.unconfirmed.load(Ordering::Relaxed) == 0 {
                drop(ring);
            } else {
                core::mem::forget(ring);
            }
        }
    }

    /// The device left the bus: nothing touches it from here on, everything else goes on.
    pub fn surprise_removed(&self, passive: Passive<'_>) {
        self.gate.lose();
        self.doorbells.close(passive);
    }
}

fn node_descriptor<M: crate::platform::BusMemory>(
    ring: &KernelRing<M>,
    engine: u32,
    start: u64,
) -> QueueDriverHalf {
    QueueDriverHalf {
        ring: ring.ring_address().0,
        control: ring.control_address().0,
        start,
        signal_log: 0,
        wait_log: 0,
        shape: shape(ring.size(), engine).with_kernel(true),
        context: 0,
        doorbell_page: 0,
        log_entries: 0,
        reserved0: 0,
        reserved1: 0,
    }
}

fn identify<P: Platform>(platform: &P, settings: &Settings) -> Result<DeviceFacts> {
    let revision = Revision::from_bits(platform.read32(offset::REVISION));
    if platform.read32(offset::ID) != DEVICE_MAGIC || revision.major() != INTERFACE_MAJOR {
        return Err(Error::BadHardware);
    }
    let doorbells = DoorbellCaps::from_bits(platform.read32(offset::DOORBELL_CAPS));
    let queues = QueueCaps::from_bits(platform.read32(offset::QUEUE_CAPS));
    let mmu = MmuCaps::from_bits(platform.read32(offset::MMU_CAPS));
    let supported = u32::from(queues.engines()) >= NODES
        && u32::from(mmu.va_bits()) == carillon_hw::mmu::VA_BITS
        && u32::from(mmu.levels()) == carillon_hw::mmu::LEVELS
        && doorbells.pages() > 0;
    if !supported {
        return Err(Error::BadHardware);
    }
    let vram = platform
        .read64(offset::VRAM_SIZE)
        .min(platform.vram_bytes());
    let limit = settings.doorbell_limit.unwrap_or(u32::MAX).max(1);
    Ok(DeviceFacts {
        model: doorbells.model(),
        doorbells: doorbells.pages().min(limit),
        doorbell_caps: doorbells,
        layout: Layout::plan(vram, queues.max_queues_log2())?,
    })
}

fn reset<P: Platform>(platform: &P, passive: Passive<'_>) -> Result {
    platform.write32(offset::CONTROL, Control::new().with_reset(true).into_bits());
    for _ in 0..RESET_PAUSES {
        let control = platform.read32(offset::CONTROL);
        if control == 0 {
            return Ok(());
        }
        if control == Status::GONE.into_bits() {
            return Err(Error::DeviceGone);
        }
        platform.pause(passive);
    }
    Err(Error::BadHardware)
}

/// No interrupt, and no access to memory when this returns without an error.
///
/// # Errors
/// [`Error::DeviceGone`] for a device that left the bus, [`Error::BadHardware`] for one that does
/// not answer.
pub(super) fn quieten<P: Platform>(platform: &P, passive: Passive<'_>) -> Result {
    platform.write32(offset::INTERRUPT_ENABLE, 0);
    reset(platform, passive)
}

pub(super) fn program_tables<P: Platform>(platform: &P, layout: &Layout) {
    platform.write64(offset::QUEUE_TABLE, layout.queue_table.0);
    platform.write32(offset::QUEUE_TABLE_ENTRIES, layout.queues);
    platform.write64(offset::CONTEXT_TABLE, layout.context_table.0);
    platform.write32(offset::CONTEXT_TABLE_ENTRIES, layout.contexts);
    platform.write64(offset::EVENT_RING, layout.event_ring.0);
    platform.write32(offset::EVENT_RING_ENTRIES, layout.events);
    platform.write64(offset::APERTURE_TABLE, layout.aperture_table.0);
    platform.write32(offset::APERTURE_ENTRIES, layout.aperture_pages);
}

/// What becomes of the aperture's mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApertureTable {
    /// There are none any more.
    Clear,
    /// They are as the OS made them.
    Keep,
}

/// Event slots must not carry an old sequence, aperture and context entries must be invalid.
pub(super) fn clear<P: Platform>(platform: &P, layout: &Layout, aperture: ApertureTable) {
    // In this order in local memory: contexts, events, aperture, segment.
    let end = match aperture {
        ApertureTable::Clear => layout.segment_base,
        ApertureTable::Keep => layout.aperture_table,
    };
    let mut at = layout.context_table.0;
    while at < end.0 {
        platform.vram_store64(carillon_hw::addr::VramOffset(at), 0);
        at += 8;
    }
}
