//! `DxgkDdiEscape`: what a tool may ask about the doorbells of a queue of its own process
//! (`docs/hardware.md` section 10).

use core::mem::offset_of;

use carillon_hw::escape::{EscapeCounters, EscapeData, EscapeRequest};
use carillon_hw::queue::{QueueDeviceHalf, QueueId};
use zerocopy::FromBytes;

use super::Adapter;
use crate::doorbell::{DoorbellCounters, DoorbellKind};
use crate::error::{Error, Result};
use crate::handle::{Handle, Kind};
use crate::irql::Passive;
use crate::objects::{
    ContextKind, DeviceKind, ProcessKind, QueueMode, QueueOwner, Tables, queue_owner,
};
use crate::platform::Platform;

/// Who asks, as `DXGKARG_ESCAPE` names it: the driver's handles, 0 for none.
#[derive(Clone, Copy, Debug)]
pub struct EscapeCaller {
    /// `hDevice`.
    pub device: u64,
    /// `hContext`.
    pub context: u64,
    /// `hKmdProcessHandle`.
    pub process: u64,
}

impl<P: Platform> Adapter<P> {
    /// Carries out a request. Answers the buffer that goes back to the client. `data` has been
    /// copied: nobody else changes it.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a buffer that does not parse, a caller whom no process can
    /// be found for, and a queue that is not a user-mode queue of that process or has no doorbell.
    pub fn escape(
        &self,
        passive: Passive<'_>,
        caller: &EscapeCaller,
        data: &[u8],
    ) -> Result<EscapeData> {
        let request = EscapeData::parse(data).map_err(|_| Error::InvalidParameter)?;
        let mut reply = EscapeData::read_from_bytes(data).map_err(|_| Error::InvalidParameter)?;
        match request {
            EscapeRequest::SetNotify { queue, notify } => {
                let doorbells = self.doorbells_of(caller, queue)?;
                if doorbells == [None; 2] {
                    return Err(Error::InvalidParameter);
                }
                for doorbell in doorbells.into_iter().flatten() {
                    // One that has ended meanwhile needs no change.
                    let _ = self.set_doorbell_notify(passive, doorbell, notify);
                }
            }
            EscapeRequest::Counters { queue } => {
                let doorbells = self.doorbells_of(caller, queue)?;
                let first = doorbells.into_iter().flatten().next();
                let counters = first.and_then(|doorbell| self.inspect_doorbell(doorbell));
                let (_, counters) = counters.ok_or(Error::InvalidParameter)?;
                reply.counters = self.escape_counters(queue, &counters);
            }
        }
        Ok(reply)
    }

    fn escape_counters(&self, queue: QueueId, counters: &DoorbellCounters) -> EscapeCounters {
        // Out of reach the device tells nothing, and looks at nothing.
        let useful_looks = if self.is_gone() {
            0
        } else {
            self.device_word32(queue, offset_of!(QueueDeviceHalf, useful_looks))
        };
        EscapeCounters {
            connects: counters.connects,
            disconnects: counters.disconnects,
            victimized: counters.victimized,
            notifies: counters.notifies,
            useful_looks,
            changed: counters.changed,
        }
    }

    /// The doorbells of a queue, if that is the caller's.
    fn doorbells_of(
        &self,
        caller: &EscapeCaller,
        queue: QueueId,
    ) -> Result<[Option<Handle<DoorbellKind>>; 2]> {
        let QueueOwner::Table(index) = queue_owner(queue) else {
            return Err(Error::InvalidParameter);
        };
        let tables = self.tables.lock();
        let process = caller.identify(&tables)?;
        let (handle, found) = tables
            .queues
            .by_index(index)
            .ok_or(Error::InvalidParameter)?;
        match &found.mode {
            QueueMode::User(rings) if tables.process_of_queue(handle) == Some(process) => {
                Ok(rings.doorbells())
            }
            _ => Err(Error::InvalidParameter),
        }
    }
}

impl EscapeCaller {
    /// The one process that everything leads to that the OS names. It need not name everything: an
    /// escape may be made without device and context.
    fn identify<M>(&self, tables: &Tables<M>) -> Result<Handle<ProcessKind>> {
        let process = named::<ProcessKind>(self.process)?
            .map(|process| tables.processes.get(process).map(|_| process));
        let device = named::<DeviceKind>(self.device)?
            .map(|device| tables.devices.get(device).and_then(|of| of.process));
        let context = named::<ContextKind>(self.context)?.map(|context| {
            let context = tables.contexts.get(context)?;
            tables.devices.get(context.device)?.process
        });
        let mut found = None;
        for leads_to in [process, device, context].into_iter().flatten() {
            let process = leads_to.ok_or(Error::InvalidParameter)?;
            if found.is_some_and(|other| other != process) {
                return Err(Error::InvalidParameter);
            }
            found = Some(process);
        }
        found.ok_or(Error::InvalidParameter)
    }
}

/// A handle of kind `K`, or `None` where there is none.
fn named<K: Kind>(bits: u64) -> Result<Option<Handle<K>>> {
    if bits == 0 {
        return Ok(None);
    }
    Handle::from_bits(bits)
        .map(Some)
        .ok_or(Error::InvalidParameter)
}
