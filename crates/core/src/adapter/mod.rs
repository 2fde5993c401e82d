//! One started GPU: the operations behind the DDI table.
//!
//! * [`layout`]: tables in local memory
//! * `start`: bring-up, stop, loss
//! * `gate`, `power`, `reset`: when the hardware may not be touched, and how it comes back
//! * `node`, `packets`: work that the OS schedules
//! * `contexts`, `queues`, `doorbells`, `rings`: work that the GPU schedules
//! * `memory`: processes, devices, allocations, fences, page-table roots
//! * `events`: interrupt and DPC
//! * `fstate`: power of single engines
//! * `escape`: what a tool may ask
//! * `settings`: what an administrator may set
//! * [`debug`]: reports about timeouts
//!
//! Locks, in the order in which they may be taken: the doorbell manager's PASSIVE lock, then the
//! tables' spin lock, a node's or the power lock (never two). None is held across a call into
//! dxgkrnl.

mod contexts;
pub mod debug;
mod doorbells;
mod escape;
mod events;
mod fstate;
mod gate;
pub mod layout;
mod memory;
mod node;
mod packets;
mod power;
mod queues;
mod reset;
mod rings;
mod settings;
mod start;
#[cfg(test)]
mod tests;

use crate::atomic::{AtomicBool, AtomicU32, Ordering};

use carillon_hw::queue::QueueId;
use carillon_hw::regs::{
    DoorbellCaps, DoorbellModel, QueueCommand, QueueOperation, SuspendTag, offset,
};
use lock_api::Mutex;

use crate::arena::{Arena, Growth, InsertError};
use crate::doorbell::ManagerCounters;
use crate::doorbell::manager::Manager;
use crate::error::{Error, Result};
use crate::handle::{AdapterOrdinal, Handle, Kind};
use crate::irql::Passive;
use crate::objects::{QueueKind, Tables, queue_id};
use crate::platform::Platform;

use events::EventCursor;
use fstate::FStates;
use gate::{Access, Gate};
use layout::Layout;
use node::Node;

pub use contexts::{NewContext, PriorityBands, SchedulingProperties, Suspended};
pub use doorbells::{CreateDoorbell, CreatedDoorbell};
pub use escape::EscapeCaller;
pub use memory::NewLocalFence;
pub use queues::{NewQueue, Submission};
pub use settings::{SettingName, Settings, Stored};

/// Nodes of the adapter: 3D, compute, copy.
pub const NODES: u32 = 3;

/// What the device turned out to be.
#[derive(Clone, Copy, Debug)]
pub struct DeviceFacts {
    /// Doorbell model.
    pub model: DoorbellModel,
    /// Doorbell pages that the driver uses.
    pub doorbells: u32,
    /// What the device says of its doorbell pages.
    pub doorbell_caps: DoorbellCaps,
    /// Tables in local memory and the segment behind them.
    pub layout: Layout,
}

impl DeviceFacts {
    /// Pages of BAR2 that a client may be led to: those in use, and all of them if secondary pages
    /// lie behind the primary ones.
    pub const fn doorbell_bar_pages(&self) -> u32 {
        if self.doorbell_caps.secondary() {
            self.doorbell_caps.bar_pages()
        } else {
            self.doorbells
        }
    }
}

/// A started adapter.
pub struct Adapter<P: Platform> {
    platform: P,
    facts: DeviceFacts,
    settings: Settings,
    tables: Mutex<P::SpinLock, Tables<P::BusMemory>>,
    nodes: [Mutex<P::SpinLock, Node<P::BusMemory>>; NODES as usize],
    doorbells: Manager<P>,
    events: Mutex<P::SpinLock, EventCursor>,
    /// Nodes whose fences were signalled and not yet reported, one bit each.
    signalled_nodes: AtomicU32,
    /// The device dropped events.
    overflowed: AtomicBool,
    /// Whether the hardware may be touched.
    gate: Gate,
    /// Engines that were reset and not put back to work, one bit each. Written under
    /// `engines`.
    stopped_engines: AtomicU32,
    /// Resets of engines take turns: one that helps a teardown must not put an engine back to work
    /// that the OS has stopped.
    engines: Mutex<P::PassiveLock, ()>,
    /// F-states of the engines.
    power: Mutex<P::SpinLock, FStates>,
    /// What the OS wants of the priority bands.
    bands: Mutex<P::SpinLock, PriorityBands>,
    /// Times that the hardware did not let go of a queue in time.
    unconfirmed: AtomicU32,
}

impl<P: Platform> Adapter<P> {
    /// The platform that the adapter was started with.
    pub const fn platform(&self) -> &P {
        &self.platform
    }

    /// What the device turned out to be.
    pub const fn facts(&self) -> &DeviceFacts {
        &self.facts
    }

    /// What the adapter was started with.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Counters of the doorbells.
    pub fn doorbell_counters(&self) -> ManagerCounters {
        self.doorbells.counters()
    }

    /// Whether the hardware may not be touched: it is stopped, lost, without power, or in the middle
    /// of a reset. Any IRQL.
    pub fn is_gone(&self) -> bool {
        self.gate.access() != Access::Open
    }

    /// Whether the hardware is stopped or lost and will not come back. Any IRQL.
    pub fn is_lost(&self) -> bool {
        self.gate.access() == Access::Gone
    }

    /// Times that the hardware did not confirm that it let go of a queue, so that its memory was
    /// kept.
    pub fn unconfirmed_teardowns(&self) -> u32 {
        self.unconfirmed.load(Ordering::Relaxed)
    }

    fn command(&self, operation: QueueOperation, queue: QueueId) {
        self.suspend_command(operation, queue, SuspendTag::NONE);
    }

    fn suspend_command(&self, operation: QueueOperation, queue: QueueId, tag: SuspendTag) {
        if !self.is_gone() {
            let command = QueueCommand::of(operation, queue).tagged(tag);
            self.platform
                .write64(offset::QUEUE_COMMAND, command.into_bits());
        }
    }

    /// Makes the device look at a queue's write pointer.
    fn look(&self, queue: Handle<QueueKind>) {
        self.command(QueueOperation::Look, queue_id(queue));
    }

    /// Adds an object, growing its table with no lock held.
    fn insert<K: Kind, T>(
        &self,
        _passive: Passive<'_>,
        value: T,
        table: impl Fn(&mut Tables<P::BusMemory>) -> &mut Arena<K, T>,
    ) -> Result<Handle<K>> {
        let mut value = value;
        loop {
            let capacity = match table(&mut self.tables.lock()).insert(value) {
                Ok(handle) => return Ok(handle),
                Err(InsertError::Full(_)) => return Err(Error::InsufficientResources),
                Err(InsertError::NeedsGrowth(back, capacity)) => {
                    value = back;
                    capacity
                }
            };
            let growth = Growth::allocate(capacity)?;
            let superfluous = table(&mut self.tables.lock()).donate(growth);
            drop(superfluous);
        }
    }
}

/// A handle of kind `K` from the value that the OS passed.
///
/// # Errors
/// [`Error::InvalidHandle`].
pub fn handle_from<K: Kind>(bits: u64) -> Result<Handle<K>> {
    Handle::from_bits(bits).ok_or(Error::InvalidHandle)
}

/// The adapter that a handle leads to, for DDIs that carry no adapter.
///
/// # Errors
/// [`Error::InvalidHandle`].
pub fn adapter_from(bits: u64) -> Result<AdapterOrdinal> {
    crate::handle::adapter_of(bits).ok_or(Error::InvalidHandle)
}
