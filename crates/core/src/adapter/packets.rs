//! Packets that the OS schedules itself: `SubmitCommandVirtual`, preemption, current fence.

use carillon_hw::addr::GpuVa;
use carillon_hw::queue::QueueId;
use carillon_hw::regs::QueueOperation;
use carillon_hw::ring::RingEntry;

use super::Adapter;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::irql::Dispatch;
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
}
