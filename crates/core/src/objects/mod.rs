//! What dxgkrnl has created on an adapter: processes, devices, contexts, queues, allocations,
//! fences.
//!
//! All tables of an adapter live in one [`Tables`] behind one spin lock, because submission and
//! the DPC look things up at DISPATCH_LEVEL. Under that lock nothing allocates, waits, touches a
//! register or calls out; a lookup copies what it needs.

pub mod ring;
pub mod user_ring;

use carillon_hw::addr::GpuVa;
use carillon_hw::mmu::PageTableEntry;
use carillon_hw::queue::{ContextId, QueueId};
use carillon_hw::regs::SuspendTag;

use crate::arena::Arena;
use crate::error::{Error, Result};
use crate::handle::{AdapterOrdinal, Handle, Kind, OsHandle};
use crate::notify::Notification;

use ring::KernelRing;
use user_ring::UserRings;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $tag:literal;)*) => {$(
        $(#[$doc])*
        pub enum $name {}
        impl Kind for $name {
            const TAG: u8 = $tag;
        }
    )*};
}

kinds! {
    /// Handles of processes.
    ProcessKind = 2;
    /// Handles of devices.
    DeviceKind = 3;
    /// Handles of contexts, hardware scheduled or not.
    ContextKind = 4;
    /// Handles of hardware queues.
    QueueKind = 5;
    /// Handles of allocations.
    AllocationKind = 6;
    /// Handles of a device's view of an allocation.
    OpenAllocationKind = 7;
    /// Handles of native fences.
    FenceKind = 8;
    /// Handles of a process's view of a native fence.
    LocalFenceKind = 9;
}

/// A process that uses the adapter.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// The OS's handle (`hDxgkProcess`).
    pub os: OsHandle,
    /// The paging process.
    pub system: bool,
}

/// A device of a process.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// The OS's handle.
    pub os: OsHandle,
    /// Its process; the OS may create a system device without one.
    pub process: Option<Handle<ProcessKind>>,
    /// Made by the OS for itself.
    pub system: bool,
}

/// Who decides what of a context runs when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduling {
    /// The GPU: the context has hardware queues.
    Hardware,
    /// The OS: packets go through the node's own queue.
    Packet,
}

/// How far a suspend has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Suspension {
    /// The context is, or shall be, off the run list.
    pub suspended: bool,
    /// Tag of the current request.
    pub tag: SuspendTag,
    /// Queues that have not confirmed it.
    pub outstanding: u32,
    /// `ContextSuspendFence` of the current request.
    pub fence: u64,
    /// The current request is complete and counted as such: queues that come later and follow
    /// their context off the run list are no news.
    pub answered: bool,
    /// Fence of a request that is complete and of which the OS has yet to hear. The context is
    /// then on the list that starts at [`Tables::due`].
    pub due: Option<u64>,
    /// Next context on that list.
    pub next_due: Option<Handle<ContextKind>>,
}

/// The root of a context's page tables.
#[derive(Clone, Copy, Debug)]
pub struct AddressSpace {
    /// Where the root table is.
    pub root: PageTableEntry,
    /// How many entries it has.
    pub entries: u32,
}

impl AddressSpace {
    /// Every address faults.
    pub const NONE: Self = Self {
        root: PageTableEntry::INVALID,
        entries: 0,
    };
}

/// A priority band, one of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band(u8);

impl Band {
    /// The band of a context until the OS says otherwise.
    pub const NORMAL: Self = Self(1);

    /// The band with this `DXGK_SCHEDULING_PRIORITY_BAND`, idle to realtime.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a band that does not exist.
    pub const fn new(band: i32) -> Result<Self> {
        match band {
            0 => Ok(Self(0)),
            1 => Ok(Self(1)),
            2 => Ok(Self(2)),
            3 => Ok(Self(3)),
            _ => Err(Error::InvalidParameter),
        }
    }

    /// The band in the hardware's order, which is the OS's.
    pub const fn index(self) -> u32 {
        self.0 as u32
    }
}

/// A context.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The OS's handle.
    pub os: OsHandle,
    /// Its device.
    pub device: Handle<DeviceKind>,
    /// Its node, which is also the ordinal of the engine.
    pub node: u32,
    /// Who schedules it.
    pub scheduling: Scheduling,
    /// The OS's own: its buffers may hold privileged packets.
    pub system: bool,
    /// Suspend state.
    pub suspension: Suspension,
    /// Root page table, kept because the hardware's copy does not survive a reset.
    pub root: AddressSpace,
    /// Priority band of its queues.
    pub band: Band,
    /// A reset took its work: none of its queues runs again.
    pub lost: bool,
    /// First of its hardware queues.
    pub first_queue: Option<Handle<QueueKind>>,
    /// How many there are.
    pub queues: u32,
}

/// How work reaches a queue. Fixed at create: the other way is refused.
#[derive(Debug)]
pub enum QueueMode<M> {
    /// By doorbell; a ring comes with its doorbell.
    User(UserRings),
    /// By `DxgkDdiSubmitCommandToHwQueue`, into a ring of the driver's.
    Kernel(KernelRing<M>),
}

/// Where a queue logs what its fences do; address 0 is nowhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct FenceLogs {
    /// Signals.
    pub signals: u64,
    /// Waits.
    pub waits: u64,
    /// Entries in each.
    pub entries: u32,
}

/// A hardware queue.
#[derive(Debug)]
pub struct Queue<M> {
    /// The OS's handle.
    pub os: OsHandle,
    /// Its context.
    pub context: Handle<ContextKind>,
    /// How work reaches it.
    pub mode: QueueMode<M>,
    /// Fence logs.
    pub logs: FenceLogs,
    /// Tag of a suspend that it has not confirmed.
    pub awaits_suspend: SuspendTag,
    /// Where the device starts to fetch when a kernel-mode queue is activated.
    pub start: u64,
    /// It stopped for good, by a fault or a reset: it is not activated again with the ring that it
    /// has, and the OS is not told of its end once more.
    pub stopped: bool,
    /// Next queue of the context.
    pub next: Option<Handle<QueueKind>>,
}

/// An allocation.
#[derive(Clone, Copy, Debug)]
pub struct Allocation {
    /// Size in bytes.
    pub bytes: u64,
}

/// A device's view of an allocation.
#[derive(Clone, Copy, Debug)]
pub struct OpenAllocation {
    /// The allocation.
    pub allocation: Handle<AllocationKind>,
    /// The device.
    pub device: Handle<DeviceKind>,
}

/// A native fence.
#[derive(Clone, Copy, Debug)]
pub struct Fence {
    /// The OS's handle, the one that interrupts name.
    pub os: OsHandle,
}

/// A process's view of a native fence.
#[derive(Clone, Copy, Debug)]
pub struct LocalFence {
    /// The fence.
    pub fence: Handle<FenceKind>,
    /// Current value in the process's address space.
    pub current: GpuVa,
    /// Monitored value in the process's address space.
    pub monitored: GpuVa,
}

/// Every object of an adapter.
pub struct Tables<M> {
    /// Processes.
    pub processes: Arena<ProcessKind, Process>,
    /// Devices.
    pub devices: Arena<DeviceKind, Device>,
    /// Contexts; the index is the [`ContextId`].
    pub contexts: Arena<ContextKind, Context>,
    /// Hardware queues; [`queue_id`] makes the [`QueueId`] of the index.
    pub queues: Arena<QueueKind, Queue<M>>,
    /// Allocations.
    pub allocations: Arena<AllocationKind, Allocation>,
    /// Device views of allocations.
    pub opens: Arena<OpenAllocationKind, OpenAllocation>,
    /// Native fences.
    pub fences: Arena<FenceKind, Fence>,
    /// Process views of native fences.
    pub local_fences: Arena<LocalFenceKind, LocalFence>,
    /// First context whose suspend is complete and not yet reported: the DPC reports them all.
    pub due: Option<Handle<ContextKind>>,
}

/// Entries at the start of the queue table that belong to the nodes: the queue with a node's
/// ordinal carries the packets that the OS schedules itself.
pub const NODE_QUEUES: u32 = 8;

/// The hardware's name of a queue.
pub const fn queue_id(handle: Handle<QueueKind>) -> QueueId {
    QueueId(handle.index() + NODE_QUEUES)
}

/// What a queue of the hardware belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOwner {
    /// The node with this ordinal.
    Node(u32),
    /// The hardware queue at this index of its table.
    Table(u32),
}

/// The reverse of [`queue_id`], for ids that the device reports.
pub const fn queue_owner(id: QueueId) -> QueueOwner {
    match id.0.checked_sub(NODE_QUEUES) {
        Some(index) => QueueOwner::Table(index),
        None => QueueOwner::Node(id.0),
    }
}

/// The hardware's name of a context.
pub const fn context_id(handle: Handle<ContextKind>) -> ContextId {
    ContextId(handle.index())
}

impl<M> Tables<M> {
    /// Empty tables for a device with room for this many queues and contexts.
    pub const fn new(adapter: AdapterOrdinal, queues: u32, contexts: u32) -> Self {
        use crate::handle::MAX_OBJECTS;
        Self {
            processes: Arena::new(adapter, MAX_OBJECTS),
            devices: Arena::new(adapter, MAX_OBJECTS),
            contexts: Arena::new(adapter, contexts),
            queues: Arena::new(adapter, queues.saturating_sub(NODE_QUEUES)),
            allocations: Arena::new(adapter, MAX_OBJECTS),
            opens: Arena::new(adapter, MAX_OBJECTS),
            fences: Arena::new(adapter, MAX_OBJECTS),
            local_fences: Arena::new(adapter, MAX_OBJECTS),
            due: None,
        }
    }

    /// Puts a queue at the head of its context's list.
    pub fn link_queue(&mut self, handle: Handle<QueueKind>) {
        let Some(queue) = self.queues.get_mut(handle) else {
            return;
        };
        let Some(context) = self.contexts.get_mut(queue.context) else {
            return;
        };
        queue.next = context.first_queue.replace(handle);
        context.queues += 1;
    }

    /// Takes a queue off its context's list.
    pub fn unlink_queue(&mut self, handle: Handle<QueueKind>) {
        let Some(queue) = self.queues.get(handle) else {
            return;
        };
        let (owner, after) = (queue.context, queue.next);
        let Some(context) = self.contexts.get_mut(owner) else {
            return;
        };
        context.queues = context.queues.saturating_sub(1);
        if context.first_queue == Some(handle) {
            context.first_queue = after;
            return;
        }
        let mut cursor = context.first_queue;
        while let Some(at) = cursor {
            let Some(queue) = self.queues.get_mut(at) else {
                return;
            };
            if queue.next == Some(handle) {
                queue.next = after;
                return;
            }
            cursor = queue.next;
        }
    }

    /// One queue fewer that the suspend with `tag` waits for; with the last one the report is
    /// due. Answers the first of the queues that have to be resumed.
    pub fn confirm_suspend(
        &mut self,
        handle: Handle<ContextKind>,
        tag: SuspendTag,
    ) -> Option<Handle<QueueKind>> {
        let context = self.contexts.get_mut(handle)?;
        let suspension = &mut context.suspension;
        if suspension.tag != tag || suspension.outstanding == 0 {
            return None;
        }
        suspension.outstanding -= 1;
        if suspension.outstanding > 0 {
            return None;
        }
        let fence = suspension.fence;
        let resumed = !suspension.suspended;
        let news = !core::mem::replace(&mut suspension.answered, true);
        let first = context.first_queue;
        if news {
            self.owe(handle, fence);
        }
        if resumed { first } else { None }
    }

    /// A queue that goes on the run list of a suspended context has to leave it like the others,
    /// and a resume has to wait for it. Answers the tag of its suspend.
    pub fn join_suspend(&mut self, handle: Handle<QueueKind>) -> Option<SuspendTag> {
        let queue = self.queues.get_mut(handle)?;
        let suspension = &mut self.contexts.get_mut(queue.context)?.suspension;
        if !suspension.suspended {
            return None;
        }
        if queue.awaits_suspend != suspension.tag {
            queue.awaits_suspend = suspension.tag;
            suspension.outstanding += 1;
        }
        Some(suspension.tag)
    }

    /// Notes that the OS has to hear of a suspend. A later request's fence replaces an older one's.
    pub fn owe(&mut self, handle: Handle<ContextKind>, fence: u64) {
        let Some(context) = self.contexts.get_mut(handle) else {
            return;
        };
        let suspension = &mut context.suspension;
        if suspension.due.replace(fence).is_none() {
            suspension.next_due = self.due.replace(handle);
        }
    }

    /// Takes a report that is due off the list.
    pub fn take_due(&mut self) -> Option<(Handle<ContextKind>, u64, Notification)> {
        let handle = self.due?;
        let context = self.contexts.get_mut(handle)?;
        self.due = context.suspension.next_due.take();
        let fence = context.suspension.due.take()?;
        let notification = Notification::ContextSuspended {
            context: context.os,
            fence,
        };
        Some((handle, fence, notification))
    }

    /// Ends a context. A report that is due ends with it.
    pub fn remove_context(&mut self, handle: Handle<ContextKind>) -> Option<Context> {
        let removed = self.contexts.remove(handle)?;
        if removed.suspension.due.is_none() {
            return Some(removed);
        }
        let after = removed.suspension.next_due;
        if self.due == Some(handle) {
            self.due = after;
            return Some(removed);
        }
        let mut cursor = self.due;
        while let Some(context) = cursor.and_then(|at| self.contexts.get_mut(at)) {
            let next = &mut context.suspension.next_due;
            if *next == Some(handle) {
                *next = after;
                break;
            }
            cursor = *next;
        }
        Some(removed)
    }

    /// The process behind a queue, if it has one.
    pub fn process_of_queue(&self, handle: Handle<QueueKind>) -> Option<Handle<ProcessKind>> {
        let queue = self.queues.get(handle)?;
        let context = self.contexts.get(queue.context)?;
        self.devices.get(context.device)?.process
    }

    /// The allocation that an OS-held handle names. The documents do not say whether doorbell
    /// arguments carry allocation handles or a device's views (ambiguity A12): either is accepted, a
    /// view only from the process `of`.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`] for neither; [`Error::InvalidParameter`] for another process's
    /// view.
    pub fn resolve_allocation(
        &self,
        bits: u64,
        of: Option<Handle<ProcessKind>>,
    ) -> Result<Allocation> {
        if let Some(view) = Handle::<OpenAllocationKind>::from_bits(bits) {
            let view = self.opens.get(view).ok_or(Error::InvalidHandle)?;
            let device = self.devices.get(view.device).ok_or(Error::InvalidHandle)?;
            if device.process != of {
                return Err(Error::InvalidParameter);
            }
            return self
                .allocations
                .get(view.allocation)
                .copied()
                .ok_or(Error::InvalidHandle);
        }
        let allocation = Handle::<AllocationKind>::from_bits(bits).ok_or(Error::InvalidHandle)?;
        self.allocations
            .get(allocation)
            .copied()
            .ok_or(Error::InvalidHandle)
    }
}
