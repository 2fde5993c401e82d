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
    Context, ContextKind, DeviceKind, ProcessKind, QueueKind, Scheduling, Suspension, context_id,
    queue_id,
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
            first_queue: None,
            queues: 0,
        };
        let handle = self
            .insert(passive, context, |tables| &mut tables.contexts)
            .map_err(no_context_limit)?;
        self.write_root(context_id(handle), None, 0);
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
        self.write_root(context_id(handle), None, 0);
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
        if self.tables.lock().contexts.get(handle).is_none() {
            return Err(Error::InvalidHandle);
        }
        self.write_root(context_id(handle), Some(root), entries);
        Ok(())
    }

    fn write_root(&self, context: ContextId, root: Option<PageTableEntry>, entries: u32) {
        if self.is_gone() {
            return;
        }
        let descriptor = ContextDescriptor {
            root: root.unwrap_or(PageTableEntry::INVALID).into_bits(),
            root_entries: entries,
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
        self.invalidate(context);
    }

    fn invalidate(&self, context: ContextId) {
        let command = TlbInvalidate::new().with_context(context.0);
        self.platform
            .write64(offset::TLB_INVALIDATE, command.into_bits());
    }

    /// The contexts of a process, for a TLB flush: calls `each` with one after the other.
    pub fn for_each_context_of(
        &self,
        process: Handle<ProcessKind>,
        mut each: impl FnMut(ContextId),
    ) {
        let capacity = self.tables.lock().contexts.capacity();
        for index in 0..capacity {
            let found = {
                let tables = self.tables.lock();
                tables
                    .contexts
                    .by_index(index)
                    .and_then(|(handle, context)| {
                        let device = tables.devices.get(context.device)?;
                        (device.process == Some(process)).then_some(context_id(handle))
                    })
            };
            if let Some(context) = found {
                each(context);
            }
        }
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

/// Only lack of memory justifies failing a context, so a full table is reported as that.
const fn no_context_limit(error: Error) -> Error {
    match error {
        Error::InsufficientResources => Error::NoMemory,
        other => other,
    }
}
