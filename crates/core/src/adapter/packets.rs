//! Packets that the OS schedules itself: `SubmitCommandVirtual`, preemption, current fence.

use carillon_hw::addr::GpuVa;
use carillon_hw::queue::QueueId;
use carillon_hw::regs::{QueueOperation, offset};
use carillon_hw::ring::RingEntry;

use super::Adapter;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::irql::{Dispatch, Passive};
use crate::objects::{ContextKind, Scheduling, context_id};
use crate::platform::Platform;

impl<P: Platform> Adapter<P> {
    /// Hands one packet to the GPU. `bytes` 0 is work without commands, which completes in order
    /// like any other.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`], the only failure that the DDI may report, for a bad handle,
    /// length or address, or a ring that is full.
    pub fn submit_packet(
        &self,
        _dispatch: Dispatch<'_>,
        context: Handle<ContextKind>,
        buffer: GpuVa,
        bytes: u32,
        fence: u32,
    ) -> Result {
        let object = self.tables.lock().contexts.get(context).copied();
        let object = object.ok_or(Error::InvalidParameter)?;
        if object.scheduling != Scheduling::Packet {
            return Err(Error::InvalidParameter);
        }
        let node = self
            .nodes
            .get(object.node as usize)
            .ok_or(Error::InvalidParameter)?;
        {
            let mut guard = node.lock();
            let state = &mut *guard;
            let ring = state.ring.as_mut().ok_or(Error::InvalidParameter)?;
            let cookie = u64::from(fence);
            let entry = if bytes == 0 {
                ring.nop_entry(cookie)
            } else {
                RingEntry::kernel(buffer, bytes / 4, context_id(context), cookie)
            };
            let mut entry = entry.ok_or(Error::InvalidParameter)?;
            if object.system {
                entry = entry.privileged();
            }
            ring.push(entry).map_err(|_| Error::InvalidParameter)?;
            state.last_submitted = fence;
        }
        self.command(QueueOperation::Look, QueueId(object.node));
        Ok(())
    }

    /// Asks for a preemption of a node; the answer comes through the interrupt path, at once if
    /// nothing is under way.
    pub fn preempt(&self, _dispatch: Dispatch<'_>, node: u32, preemption_fence: u32) {
        if let Some(state) = self.nodes.get(node as usize) {
            state.lock().preemption = Some(preemption_fence);
            self.platform.queue_dpc();
        }
    }

    /// Last completed submission of a node.
    pub fn current_fence(&self, node: u32) -> u32 {
        self.nodes
            .get(node as usize)
            .map_or(0, |state| state.lock().last_completed)
    }

    /// Whether a node gets on: it has nothing to do, or has done something since the ring was
    /// looked at last. The hardware schedules between queues, so only the node's own queue counts.
    pub fn is_node_idle(&self, node: u32) -> bool {
        self.nodes.get(node as usize).is_none_or(|state| {
            let state = state.lock();
            state.last_completed == state.last_submitted
        })
    }

    /// Resets the engine of a node and drops the packets in its ring. Answers the last fence that
    /// was aborted.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a node that does not exist, [`Error::DeviceGone`],
    /// [`Error::BadHardware`] if the engine does not let go.
    pub fn reset_node(&self, passive: Passive<'_>, node: u32) -> Result<u32> {
        let state = self
            .nodes
            .get(node as usize)
            .ok_or(Error::InvalidParameter)?;
        if self.is_gone() {
            return Err(Error::DeviceGone);
        }
        self.platform.write32(offset::ENGINE_RESET, node);
        self.deactivate(passive, QueueId(node))?;
        let aborted = {
            let mut guard = state.lock();
            let state = &mut *guard;
            if let Some(ring) = state.ring.as_mut() {
                ring.restart();
            }
            state.last_completed = state.last_submitted;
            state.preemption = None;
            state.last_submitted
        };
        self.command(QueueOperation::Activate, QueueId(node));
        self.platform.write32(offset::ENGINE_RESUME, node);
        Ok(aborted)
    }
}
