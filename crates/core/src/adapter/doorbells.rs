//! The doorbell DDIs of an adapter.

use carillon_hw::doorbell::{DoorbellPrivateData, DoorbellReply};
use carillon_hw::ring::{CONTROL_BYTES, RingSize};

use super::Adapter;
use crate::doorbell::{
    Connection, DoorbellCounters, DoorbellKind, Locations, NewDoorbell, ProcessTag, State,
};
use crate::error::{Error, Result};
use crate::handle::{Handle, OsHandle};
use crate::irql::Passive;
use crate::objects::user_ring::UserRing;
use crate::objects::{QueueKind, QueueMode, context_id, queue_id};
use crate::platform::Platform;

/// `DXGKARG_CREATEDOORBELL` without its pointers.
#[derive(Clone, Copy, Debug)]
pub struct CreateDoorbell<'a> {
    /// The queue.
    pub queue: Handle<QueueKind>,
    /// The OS's handle of the doorbell.
    pub os: OsHandle,
    /// Private driver data, copied once.
    pub private_data: &'a [u8],
    /// `hRingBuffer`, as passed.
    pub ring: u64,
    /// `hRingBufferControl`, as passed; 0 if there is none.
    pub control: u64,
    /// `ResizeRingBufferOperation`.
    pub resize: bool,
}

/// A doorbell that was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatedDoorbell {
    /// Its handle.
    pub handle: Handle<DoorbellKind>,
    /// What goes back to the client in the private data.
    pub reply: DoorbellReply,
}

impl<P: Platform> Adapter<P> {
    /// Creates a doorbell for a user-mode queue and gives the queue its ring. No page is bound. With
    /// `resize` it may be a second one: its ring takes the place of the first one's when it is
    /// connected.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`]; [`Error::InvalidParameter`] for private data that does not parse,
    /// a ring that is not a power of two within the limits, a control block that does not fit, a
    /// queue that the kernel feeds, or memory of another process; [`Error::InvalidState`] for a
    /// queue that has a doorbell, or with `resize` one that has two; [`Error::NoMemory`].
    pub fn create_doorbell(
        &self,
        passive: Passive<'_>,
        new: &CreateDoorbell<'_>,
    ) -> Result<CreatedDoorbell> {
        let (ring, control) =
            DoorbellPrivateData::parse(new.private_data).map_err(|_| Error::InvalidParameter)?;
        if self.is_lost() {
            return Err(Error::DeviceGone);
        }
        let (size, context, os_queue, process) = {
            let tables = self.tables.lock();
            let queue = tables.queues.get(new.queue).ok_or(Error::InvalidHandle)?;
            match &queue.mode {
                QueueMode::Kernel(_) => return Err(Error::InvalidParameter),
                QueueMode::User(rings) => rings.check_room(new.resize)?,
            }
            let process = tables.process_of_queue(new.queue);
            let ring = tables.resolve_allocation(new.ring, process)?;
            let size = RingSize::from_bytes(ring.bytes).ok_or(Error::InvalidParameter)?;
            // The hardware reports its read pointer in the control block, so there must be one.
            if new.control == 0 {
                return Err(Error::InvalidParameter);
            }
            let block = tables.resolve_allocation(new.control, process)?;
            let end = control.page_offset().saturating_add(CONTROL_BYTES);
            if block.bytes < end {
                return Err(Error::InvalidParameter);
            }
            (size, queue.context, queue.os, process)
        };
        let doorbell = self.doorbells.create(
            passive,
            &NewDoorbell {
                os: new.os,
                os_queue,
                queue: queue_id(new.queue),
                context: context_id(context),
                // A device without a process is the OS's own: a process like any other.
                process: ProcessTag(process.map_or(0, Handle::bits)),
            },
        )?;
        let ring = UserRing {
            ring,
            control,
            size,
            doorbell,
        };
        match self.attach(new.queue, ring, new.resize) {
            Ok(()) => {
                let reply = DoorbellReply::new(self.facts.model, queue_id(new.queue));
                Ok(CreatedDoorbell {
                    handle: doorbell,
                    reply,
                })
            }
            Err(error) => {
                self.doorbells.destroy(passive, &self.platform, doorbell);
                Err(error)
            }
        }
    }

    /// Gives the queue its ring unless it has got one meanwhile, and has it work on that unless the
    /// ring is to replace another.
    fn attach(&self, handle: Handle<QueueKind>, ring: UserRing, resize: bool) -> Result {
        {
            let mut tables = self.tables.lock();
            let queue = tables.queues.get_mut(handle).ok_or(Error::InvalidHandle)?;
            let QueueMode::User(rings) = &mut queue.mode else {
                return Err(Error::InvalidState);
            };
            if !rings.attach(ring, resize)? {
                return Ok(());
            }
            // A new ring: whatever ended with the old one is over.
            queue.stopped = false;
        }
        self.unname_page(handle);
        self.activate(handle);
        Ok(())
    }

    /// Connects a doorbell.
    ///
    /// # Errors
    /// [`Error::DeviceGone`]; [`Error::InvalidHandle`] for a doorbell that does not exist;
    /// [`Error::NotSupported`] for a secondary page that the device does not have.
    pub fn connect_doorbell(
        &self,
        passive: Passive<'_>,
        handle: Handle<DoorbellKind>,
        locations: Locations,
    ) -> Result<Connection> {
        if locations == Locations::Both && !self.facts.doorbell_caps.secondary() {
            return Err(Error::NotSupported);
        }
        if self.is_gone() {
            return Err(Error::DeviceGone);
        }
        let connection = self
            .doorbells
            .connect(passive, &self.platform, handle, locations)?;
        self.ring_connected(passive, connection.queue, handle);
        Ok(connection)
    }

    /// Disconnects a doorbell. Always succeeds.
    pub fn disconnect_doorbell(&self, passive: Passive<'_>, handle: Handle<DoorbellKind>) {
        self.doorbells.disconnect(passive, &self.platform, handle);
    }

    /// Ends a doorbell. Its ring may go away now: a queue that works on it leaves the run list, one
    /// that goes over to another ring does so at once. Always succeeds.
    pub fn destroy_doorbell(&self, passive: Passive<'_>, handle: Handle<DoorbellKind>) {
        let Some(id) = self.doorbells.queue_of(handle) else {
            return;
        };
        self.doorbells.destroy(passive, &self.platform, handle);
        self.ring_lost(passive, id, handle);
    }

    /// Switches a doorbell to or from `CONNECTED_NOTIFY_KMD`.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn set_doorbell_notify(
        &self,
        passive: Passive<'_>,
        handle: Handle<DoorbellKind>,
        notify: bool,
    ) -> Result {
        self.doorbells
            .set_notify(passive, &self.platform, handle, notify)
    }

    /// Where a doorbell stands and what has happened to it.
    pub fn inspect_doorbell(
        &self,
        handle: Handle<DoorbellKind>,
    ) -> Option<(State, DoorbellCounters)> {
        self.doorbells.inspect(handle)
    }
}
