//! What the driver reports to dxgkrnl, as values.

use crate::handle::OsHandle;

/// One `DXGKARGCB_NOTIFY_INTERRUPT_DATA`, before the rim lays it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// `DXGK_INTERRUPT_DMA_COMPLETED`.
    DmaCompleted {
        /// Node that finished.
        node: u32,
        /// Submission fence id.
        fence: u32,
    },
    /// `DXGK_INTERRUPT_DMA_PREEMPTED`.
    DmaPreempted {
        /// Node that was preempted.
        node: u32,
        /// Id of the preemption request.
        preemption_fence: u32,
        /// Last submission fence that completed.
        last_completed: u32,
    },
    /// `DXGK_INTERRUPT_DMA_FAULTED`.
    DmaFaulted {
        /// Node that faulted.
        node: u32,
        /// Submission fence id of the faulty buffer.
        fence: u32,
    },
    /// `DXGK_INTERRUPT_NATIVE_FENCE_SIGNALED` with a NULL array: the OS looks at every fence.
    NativeFencesSignaled {
        /// Node that signalled.
        node: u32,
    },
    /// `DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED`.
    ContextSuspended {
        /// The OS's context handle.
        context: OsHandle,
        /// `ContextSuspendFence` of the request.
        fence: u64,
    },
    /// `DXGK_INTERRUPT_HWQUEUE_PAGE_FAULTED`.
    QueueFaulted {
        /// The OS's queue handle.
        queue: OsHandle,
        /// Its node.
        node: u32,
        /// GPU virtual address, or zero when the fault is not about an address.
        address: u64,
        /// Submission that faulted, zero if not known.
        fence: u64,
    },
    /// `DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE` to `TRANSITION_TO_F1`. The other changes of state
    /// that there are need nothing of the OS, or are found by it.
    TransitionToF1 {
        /// Node whose engine is quiet.
        node: u32,
    },
}
