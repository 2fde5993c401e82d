//! Interrupt reports in dxgkrnl's layout. Page `ns-d3dkmddi-_dxgkargcb_notify_interrupt_data`.

use core::ptr;

use carillon_core::notify::Notification;
use carillon_ddi::{
    DXGK_BIND_TABLE_ENTRY_UNKNOWN, DXGK_ENGINE_STATE, DXGK_FAULT_ERROR_CODE, DXGK_INTERRUPT_TYPE,
    DXGK_PAGE_FAULT_FLAGS, DXGK_PRIMITIVE_API_SEQUENCE_NUMBER_UNKNOWN, DXGK_RENDER_PIPELINE_STAGE,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA, DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaCompleted,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaFaulted, DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPreempted,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_EngineStateChange,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted_Anonymous,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_NativeFenceSignaled,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_SuspendContextCompleted, NTSTATUS,
};

use super::os_pointer;

/// The only engine of every node.
const ENGINE: u32 = 0;

/// One report, laid out. What a kind does not use is zero: the structure starts as zeros and one
/// member of the union is assigned, since a union made from one member leaves the bytes behind
/// it undefined.
pub(super) fn lay_out(notification: &Notification) -> DXGKARGCB_NOTIFY_INTERRUPT_DATA {
    let mut report = DXGKARGCB_NOTIFY_INTERRUPT_DATA::ZERO;
    let data = &mut report.Anonymous;
    report.InterruptType = match *notification {
        Notification::DmaCompleted { node, fence } => {
            data.DmaCompleted = DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaCompleted {
                SubmissionFenceId: fence,
                NodeOrdinal: node,
                EngineOrdinal: ENGINE,
            };
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_COMPLETED
        }
        Notification::DmaPreempted {
            node,
            preemption_fence,
            last_completed,
        } => {
            data.DmaPreempted = DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPreempted {
                PreemptionFenceId: preemption_fence,
                LastCompletedFenceId: last_completed,
                NodeOrdinal: node,
                EngineOrdinal: ENGINE,
            };
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_PREEMPTED
        }
        Notification::DmaFaulted { node, fence } => {
            data.DmaFaulted = DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaFaulted {
                FaultedFenceId: fence,
                Status: NTSTATUS::STATUS_UNSUCCESSFUL,
                NodeOrdinal: node,
                EngineOrdinal: ENGINE,
            };
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_FAULTED
        }
        Notification::NativeFencesSignaled { node } => {
            data.NativeFenceSignaled = DXGKARGCB_NOTIFY_INTERRUPT_DATA_NativeFenceSignaled {
                NodeOrdinal: node,
                EngineOrdinal: ENGINE,
                SignaledNativeFenceCount: 0,
                pSignaledNativeFenceArray: ptr::null_mut(),
                hHWQueue: ptr::null_mut(),
            };
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_NATIVE_FENCE_SIGNALED
        }
        Notification::ContextSuspended { context, fence } => {
            data.SuspendContextCompleted =
                DXGKARGCB_NOTIFY_INTERRUPT_DATA_SuspendContextCompleted {
                    hContext: os_pointer(context),
                    ContextSuspendFence: fence,
                };
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED
        }
        Notification::QueueFaulted {
            queue,
            node,
            address,
            fence,
        } => {
            data.HwQueuePageFaulted = DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted {
                FaultedFenceId: fence,
                FaultedVirtualAddress: address,
                FaultedPrimitiveAPISequenceNumber: DXGK_PRIMITIVE_API_SEQUENCE_NUMBER_UNKNOWN,
                Anonymous: DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted_Anonymous {
                    FaultedHwQueue: os_pointer(queue),
                },
                NodeOrdinal: node,
                EngineOrdinal: ENGINE,
                FaultedPipelineStage:
                    DXGK_RENDER_PIPELINE_STAGE::DXGK_RENDER_PIPELINE_STAGE_UNKNOWN,
                FaultedBindTableEntry: DXGK_BIND_TABLE_ENTRY_UNKNOWN,
                PageFaultFlags: fault_flags(fence),
                PageTableLevel: 0,
                FaultErrorCode: DXGK_FAULT_ERROR_CODE::ZERO,
            };
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_HWQUEUE_PAGE_FAULTED
        }
        Notification::TransitionToF1 { node } => {
            data.EngineStateChange = DXGKARGCB_NOTIFY_INTERRUPT_DATA_EngineStateChange {
                NodeOrdinal: node,
                EngineOrdinal: ENGINE,
                NewState: DXGK_ENGINE_STATE::DXGK_ENGINE_STATE_TRANSITION_TO_F1,
            };
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE
        }
    };
    report
}

/// A fault without a fence says so. The queue has stopped alone; resetting its engine is the
/// smallest scope that the flags can name, and one has to be named.
fn fault_flags(fence: u64) -> DXGK_PAGE_FAULT_FLAGS {
    let scope = DXGK_PAGE_FAULT_FLAGS::DXGK_PAGE_FAULT_ENGINE_RESET_REQUIRED;
    if fence == 0 {
        let unknown = DXGK_PAGE_FAULT_FLAGS::DXGK_PAGE_FAULT_FENCE_INVALID;
        DXGK_PAGE_FAULT_FLAGS(scope.0 | unknown.0)
    } else {
        scope
    }
}
