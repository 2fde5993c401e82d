//! Packet-mode work of one node.
//!
//! The OS schedules packets itself and wants to hear of them in order. Each node has one kernel
//! queue of its own; an entry names the context in whose address space it runs.

use crate::notify::Notification;
use crate::objects::ring::KernelRing;

/// Whether fence id `a` is later than `b`. Ids are 32 bits and wrap.
pub(super) const fn is_later(a: u32, b: u32) -> bool {
    let distance = a.wrapping_sub(b);
    distance != 0 && distance < 1 << 31
}

/// State of a node, behind the adapter's node lock.
pub(super) struct Node<M> {
    /// There from start to stop.
    pub(super) ring: Option<KernelRing<M>>,
    /// Where the device starts to fetch when the node's queue is activated.
    pub(super) start: u64,
    pub(super) last_submitted: u32,
    pub(super) last_completed: u32,
    pub(super) preemption: Option<u32>,
}

impl<M> Node<M> {
    pub(super) const IDLE: Self = Self {
        ring: None,
        start: 0,
        last_submitted: 0,
        last_completed: 0,
        preemption: None,
    };

    /// Notes a completion; `false` if it is stale or repeated, and then nobody is told.
    pub(super) fn complete(&mut self, fence: u32) -> bool {
        let news = is_later(fence, self.last_completed);
        if news {
            self.last_completed = fence;
        }
        news
    }

    /// The preemption to report once everything submitted is done. The GPU works at the
    /// granularity of a buffer, and what reached its ring is run: a request is answered when the
    /// ring is empty.
    pub(super) fn due_preemption(&self, node: u32) -> Option<Notification> {
        let preemption_fence = self.preemption?;
        (self.last_completed == self.last_submitted).then_some(Notification::DmaPreempted {
            node,
            preemption_fence,
            last_completed: self.last_completed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// regression: RST-12
    #[test]
    fn completions_never_go_backwards() {
        let mut node = Node::<()>::IDLE;
        assert!(node.complete(1));
        assert!(!node.complete(1));
        assert!(!node.complete(0));
        node.last_completed = u32::MAX;
        assert!(node.complete(0));
        assert!(!node.complete(u32::MAX));
    }

    #[test]
    fn a_preemption_waits_for_what_was_submitted() {
        let mut node = Node::<()>::IDLE;
        assert_eq!(node.due_preemption(2), None);
        node.last_submitted = 5;
        node.preemption = Some(77);
        assert_eq!(node.due_preemption(2), None);
        assert!(node.complete(5));
        assert_eq!(
            node.due_preemption(2),
            Some(Notification::DmaPreempted {
                node: 2,
                preemption_fence: 77,
                last_completed: 5
            })
        );
    }
}
