//! Bring-up, stop and loss of the hardware.

use carillon_hw::queue::{QueueDriverHalf, QueueId};
use carillon_hw::regs::{
    Control, DEVICE_MAGIC, DoorbellCaps, INTERFACE_MAJOR, Interrupts, MmuCaps, QueueCaps,
    QueueOperation, Revision, Status, offset,
};
use carillon_hw::ring::RingSize;

use super::events::EventCursor;
use super::layout::Layout;
use super::node::Node;
use super::queues::shape;
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
        let doorbells = Manager::new(
            ordinal,
            &ManagerSettings {
                model: facts.model,
                pages: facts.doorbells,
                doorbells: facts.layout.queues,
                residence: settings.residence,
                queue_table: facts.layout.queue_table,
            },
        )?;
        let adapter = Self {
            platform,
            facts,
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
            gone: AtomicBool::new(false),
            unconfirmed: AtomicU32::new(0),
        };
        match adapter.enable(passive) {
            Ok(()) => Ok(adapter),
            Err(error) => {
                adapter.stop(passive);
                Err(error)
            }
        }
    }

    fn enable(&self, passive: Passive<'_>) -> Result {
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
        if status.fatal() || !status.enabled() {
            return Err(Error::BadHardware);
        }
        for (engine, node) in (0..NODES).zip(&self.nodes) {
            let size = RingSize::from_log2(NODE_RING_LOG2).ok_or(Error::BadHardware)?;
            let ring = KernelRing::allocate(&self.platform, passive, size)?;
            self.write_queue(QueueId(engine), &node_descriptor(&ring, engine));
            let old = node.lock().ring.replace(ring);
            drop(old);
            self.command(QueueOperation::Activate, QueueId(engine));
        }
        Ok(())
    }

    /// Stores the driver half of a queue's descriptor. The queue is inactive or will be reloaded.
    pub(super) fn write_queue(&self, queue: QueueId, half: &QueueDriverHalf) {
        let base = self
            .facts
            .layout
            .queue_table
            .checked_add(queue.table_offset());
        let mut at = base;
        for word in half.to_words() {
            if let Some(here) = at {
                self.platform.vram_store64(here, word);
                at = here.checked_add(8);
            }
        }
    }

    /// Takes the device out of service: no interrupt, no fetch, no doorbell. Idempotent.
    pub fn stop(&self, passive: Passive<'_>) {
        self.doorbells.close(passive);
        if !self.gone.swap(true, Ordering::AcqRel) {
            self.platform.write32(offset::INTERRUPT_ENABLE, 0);
            // A device that does not confirm is gone from the bus or broken; either way nothing
            // more can be done to it, and memory that it may still reach is kept.
            if reset(&self.platform, passive).is_err() {
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
        self.gone.store(true, Ordering::Release);
        self.doorbells.close(passive);
    }
}

fn node_descriptor<M: crate::platform::BusMemory>(
    ring: &KernelRing<M>,
    engine: u32,
) -> QueueDriverHalf {
    QueueDriverHalf {
        ring: ring.ring_address().0,
        control: ring.control_address().0,
        start: 0,
        signal_log: 0,
        wait_log: 0,
        shape: shape(ring.size(), engine).with_kernel(true),
        context: 0,
        doorbell_page: 0,
        log_entries: 0,
        reserved: 0,
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

fn program_tables<P: Platform>(platform: &P, layout: &Layout) {
    platform.write64(offset::QUEUE_TABLE, layout.queue_table.0);
    platform.write32(offset::QUEUE_TABLE_ENTRIES, layout.queues);
    platform.write64(offset::CONTEXT_TABLE, layout.context_table.0);
    platform.write32(offset::CONTEXT_TABLE_ENTRIES, layout.contexts);
    platform.write64(offset::EVENT_RING, layout.event_ring.0);
    platform.write32(offset::EVENT_RING_ENTRIES, layout.events);
    platform.write64(offset::APERTURE_TABLE, layout.aperture_table.0);
    platform.write32(offset::APERTURE_ENTRIES, layout.aperture_pages);
    clear(
        platform,
        layout.event_ring.0,
        layout.context_table.0,
        layout.segment_base.0,
    );
}

/// Event slots must not carry an old sequence, aperture and context entries must be invalid.
fn clear<P: Platform>(platform: &P, events: u64, contexts: u64, end: u64) {
    let mut at = contexts.min(events);
    while at < end {
        platform.vram_store64(carillon_hw::addr::VramOffset(at), 0);
        at += 8;
    }
}
