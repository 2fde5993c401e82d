//! Contexts: create, destroy, address space, suspend and resume.

use carillon_hw::addr::PhysicalTarget;
use carillon_hw::mmu::{ENTRIES_PER_TABLE, PageTableEntry};
use carillon_hw::queue::{ContextDescriptor, ContextId};
use carillon_hw::regs::{QueueOperation, TlbInvalidate, offset};

use super::{Adapter, NODES};
use crate::error::{Error, Result};
use crate::handle::{Handle, OsHandle};
use crate::irql::Passive;
use crate::objects::{
    AddressSpace, Band, Context, ContextKind, DeviceKind, ProcessKind, QueueKind, Scheduling,
    Suspension, context_id, queue_id,
};
use crate::platform::Platform;

/// What a new context is about.
#[derive(Clone, Copy, Debug)]
pub struct NewContext {
    /// The OS's handle.
    pub os: OsHandle,
    /// Its device.
    pub device: Handle<DeviceKind>,
    /// Node ordinal.
    pub node: u32,
    /// Who schedules it.
    pub scheduling: Scheduling,
    /// The OS's own.
    pub system: bool,
}

/// `DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES` without its handle and its times.
#[derive(Clone, Copy, Debug)]
pub struct SchedulingProperties {
    /// `DXGK_SCHEDULING_PRIORITY_BAND`.
    pub band: i32,
    /// Level within the realtime band, 0 to 31.
    pub realtime_level: i32,
    /// Order among the contexts of a process, -7 to 7.
    pub in_process_priority: i32,
}

/// `DXGKARG_SETUPPRIORITYBANDS`. Times are in units of 100 ns, one for each band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriorityBands {
    /// Grace period of a band.
    pub grace: [u64; 4],
    /// Quantum of a process in a band.
    pub process_quantum: [u64; 4],
    /// Grace period of a process in a band.
    pub process_grace: [u64; 4],
    /// Share of the normal band while there is work in the focus band, 0 to 50.
    pub normal_percentage: u32,
}

const REALTIME_LEVELS: core::ops::RangeInclusive<i32> = 0..=31;
const IN_PROCESS_PRIORITIES: core::ops::RangeInclusive<i32> = -7..=7;
const MAX_NORMAL_PERCENTAGE: u32 = 50;

/// How a suspend was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspended {
    /// Nothing of the context is on the GPU: `STATUS_SUCCESS`.
    Now,
    /// The interrupt will say so: `STATUS_PENDING`.
    Later,
}

impl<P: Platform> Adapter<P> {
    /// Creates a context in the resumed state, with no address space yet.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a node that does not exist, [`Error::InvalidHandle`],
    /// [`Error::NoMemory`].
    pub fn create_context(
        &self,
        passive: Passive<'_>,
        new: &NewContext,
    ) -> Result<Handle<ContextKind>> {
        if new.node >= NODES {
            return Err(Error::InvalidParameter);
        }
        if self.tables.lock().devices.get(new.device).is_none() {
            return Err(Error::InvalidHandle);
        }
        let context = Context {
            os: new.os,
            device: new.device,
            node: new.node,
            scheduling: new.scheduling,
            system: new.system,
            suspension: Suspension::default(),
            root: AddressSpace::NONE,
            band: Band::NORMAL,
            lost: false,
            first_queue: None,
            queues: 0,
        };
        let handle = self
            .insert(passive, context, |tables| &mut tables.contexts)
            .map_err(no_context_limit)?;
        self.write_root(context_id(handle), AddressSpace::NONE);
        Ok(handle)
    }

    /// Ends a context.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn destroy_context(&self, _passive: Passive<'_>, handle: Handle<ContextKind>) -> Result {
        self.tables
            .lock()
            .remove_context(handle)
            .ok_or(Error::InvalidHandle)?;
        self.write_root(context_id(handle), AddressSpace::NONE);
        Ok(())
    }

    /// Gives a context its page tables. The OS has made sure that the context is idle.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`]; [`Error::InvalidParameter`] for a root that is not page aligned
    /// or has more entries than a table.
    pub fn set_root(
        &self,
        _passive: Passive<'_>,
        handle: Handle<ContextKind>,
        root: PhysicalTarget,
        entries: u32,
    ) -> Result {
        if entries > ENTRIES_PER_TABLE {
            return Err(Error::InvalidParameter);
        }
        let root = PageTableEntry::to_target(root).ok_or(Error::InvalidParameter)?;
        let root = AddressSpace { root, entries };
        self.tables
            .lock()
            .contexts
            .get_mut(handle)
            .ok_or(Error::InvalidHandle)?
            .root = root;
        self.write_root(context_id(handle), root);
        Ok(())
    }

    fn write_root(&self, context: ContextId, root: AddressSpace) {
        if !self.is_gone() {
            self.store_root(context, root);
            self.invalidate(context);
        }
    }

    /// Stores a context's descriptor. The device keeps what it has read until it is told.
    pub(super) fn store_root(&self, context: ContextId, root: AddressSpace) {
        let descriptor = ContextDescriptor {
            root: root.root.into_bits(),
            root_entries: root.entries,
            reserved0: 0,
            reserved1: [0; 2],
        };
        let mut at = self
            .facts
            .layout
            .context_table
            .checked_add(context.table_offset());
        for word in descriptor.to_words() {
            if let Some(here) = at {
                self.platform.vram_store64(here, word);
                at = here.checked_add(8);
            }
        }
    }

    fn invalidate(&self, context: ContextId) {
        let command = TlbInvalidate::new().with_context(context.0);
        self.platform
            .write64(offset::TLB_INVALIDATE, command.into_bits());
    }

    /// The context of a process with the lowest number from `from` on, for a TLB flush that goes
    /// through all of them.
    pub fn context_of_process(
        &self,
        process: Handle<ProcessKind>,
        from: ContextId,
    ) -> Option<ContextId> {
        let capacity = self.tables.lock().contexts.capacity();
        (from.0..capacity).find_map(|index| {
            let tables = self.tables.lock();
            let (handle, context) = tables.contexts.by_index(index)?;
            let device = tables.devices.get(context.device)?;
            (device.process == Some(process)).then_some(context_id(handle))
        })
    }

    /// Takes all queues of a context off the run list. Doorbells stay connected; what is rung
    /// meanwhile is found at resume.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn suspend_context(
        &self,
        _passive: Passive<'_>,
        handle: Handle<ContextKind>,
        fence: u64,
    ) -> Result<Suspended> {
        let (tag, first) = {
            let mut guard = self.tables.lock();
            let tables = &mut *guard;
            let context = tables
                .contexts
                .get_mut(handle)
                .ok_or(Error::InvalidHandle)?;
            let suspension = &mut context.suspension;
            if suspension.suspended && suspension.outstanding == 0 && suspension.answered {
                suspension.fence = fence;
                return Ok(Suspended::Now);
            }
            suspension.suspended = true;
            suspension.tag = suspension.tag.next();
            suspension.fence = fence;
            suspension.outstanding = context.queues;
            suspension.answered = false;
            let (tag, first) = (suspension.tag, context.first_queue);
            // All at once: a queue that is destroyed from here on gives the answer that it owes.
            let mut cursor = first;
            while let Some(queue) = cursor.and_then(|at| tables.queues.get_mut(at)) {
                queue.awaits_suspend = tag;
                cursor = queue.next;
            }
            (tag, first)
        };
        if self.is_gone() || first.is_none() {
            if let Some(context) = self.tables.lock().contexts.get_mut(handle) {
                context.suspension.outstanding = 0;
                context.suspension.answered = true;
            }
            return Ok(Suspended::Now);
        }
        self.for_each_queue(first, |queue| {
            self.suspend_command(QueueOperation::Suspend, queue_id(queue), tag);
        });
        Ok(Suspended::Later)
    }

    /// Puts all queues of a context back on the run list; the device looks at each of them. A
    /// context that is not suspended is left alone.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn resume_context(&self, _passive: Passive<'_>, handle: Handle<ContextKind>) -> Result {
        let resume_now = {
            let mut tables = self.tables.lock();
            let context = tables
                .contexts
                .get_mut(handle)
                .ok_or(Error::InvalidHandle)?;
            context.suspension.suspended = false;
            // Queues that have yet to confirm are resumed when they have: a resume that overtook
            // their suspend would be lost.
            (context.suspension.outstanding == 0).then_some(context.first_queue)
        };
        if let Some(first) = resume_now {
            self.for_each_queue(first, |queue| {
                self.command(QueueOperation::Resume, queue_id(queue));
            });
        }
        Ok(())
    }

    /// Visits the queues of a context with no lock held during the visit. A queue that is
    /// destroyed meanwhile ends the walk, and its teardown takes care of itself.
    pub(super) fn for_each_queue(
        &self,
        first: Option<Handle<QueueKind>>,
        mut visit: impl FnMut(Handle<QueueKind>),
    ) {
        let mut cursor = first;
        while let Some(queue) = cursor {
            cursor = self
                .tables
                .lock()
                .queues
                .get(queue)
                .and_then(|object| object.next);
            visit(queue);
        }
    }
}

impl<P: Platform> Adapter<P> {
    /// `DxgkDdiSetContextSchedulingProperties`: the band applies to every queue of the context
    /// from the device's next choice on. The device knows no order within a band and no quanta, so
    /// those are checked only.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`]; [`Error::InvalidParameter`] for a band or priority out of range.
    pub fn set_scheduling(
        &self,
        _passive: Passive<'_>,
        handle: Handle<ContextKind>,
        properties: &SchedulingProperties,
    ) -> Result {
        let band = Band::new(properties.band)?;
        if !REALTIME_LEVELS.contains(&properties.realtime_level)
            || !IN_PROCESS_PRIORITIES.contains(&properties.in_process_priority)
        {
            return Err(Error::InvalidParameter);
        }
        let first = {
            let mut tables = self.tables.lock();
            let context = tables
                .contexts
                .get_mut(handle)
                .ok_or(Error::InvalidHandle)?;
            context.band = band;
            context.first_queue
        };
        self.for_each_queue(first, |queue| self.reload(queue));
        Ok(())
    }

    /// `DxgkDdiSetupPriorityBands`: remembered. The device serves higher bands first and has no
    /// share for the normal one.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a share of more than half.
    pub fn set_priority_bands(&self, _passive: Passive<'_>, bands: &PriorityBands) -> Result {
        if bands.normal_percentage > MAX_NORMAL_PERCENTAGE {
            return Err(Error::InvalidParameter);
        }
        *self.bands.lock() = *bands;
        Ok(())
    }

    /// What the OS last wanted of the priority bands.
    pub fn priority_bands(&self) -> PriorityBands {
        *self.bands.lock()
    }
}

/// Only lack of memory justifies failing a context, so a full table is reported as that.
const fn no_context_limit(error: Error) -> Error {
    match error {
        Error::InsufficientResources => Error::NoMemory,
        other => other,
    }
}
