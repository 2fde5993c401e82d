//! What a driver reports by `DxgkCbNotifyInterrupt`, decoded once and checked against its type.

use carillon_ddi::{
    DXGK_ENGINE_STATE, DXGK_INTERRUPT_TYPE, DXGK_PAGE_FAULT_FLAGS, DXGKARGCB_NOTIFY_INTERRUPT_DATA,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaCompleted, DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaFaulted,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPreempted,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_EngineStateChange,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_GpuEngineTimeout,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_MonitoredFenceSignaled,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_NativeFenceSignaled,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_SchedulingLogInterrupt,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_SuspendContextCompleted, NTSTATUS,
};

use crate::dxgk::handle::OsHandle;
use crate::nt::DriverAddr;

/// Bytes in the notification.
const BYTES: usize = size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA>();
/// Where the union begins.
const UNION: usize = std::mem::offset_of!(DXGKARGCB_NOTIFY_INTERRUPT_DATA, Anonymous);
/// Where the flags begin.
const FLAGS: usize = std::mem::offset_of!(DXGKARGCB_NOTIFY_INTERRUPT_DATA, Flags);
/// Fences that one notification can name before the count is taken for garbage.
const MOST_FENCES: u32 = 4096;

/// A node and an engine of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Engine {
    /// `NodeOrdinal`
    pub node: u32,
    /// `EngineOrdinal`
    pub engine: u32,
}

/// One report of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// A packet is done.
    DmaCompleted {
        /// Who ran it.
        on: Engine,
        /// `SubmissionFenceId`
        fence: u32,
    },
    /// A preemption request was honoured.
    DmaPreempted {
        /// Who was preempted.
        on: Engine,
        /// `PreemptionFenceId`
        request: u32,
        /// `LastCompletedFenceId`
        last_completed: u32,
    },
    /// A packet failed.
    DmaFaulted {
        /// Who ran it.
        on: Engine,
        /// `FaultedFenceId`
        fence: u32,
        /// `Status`
        status: NTSTATUS,
    },
    /// Monitored fences of an engine are to be looked at.
    MonitoredFenceSignaled {
        /// Who signalled.
        on: Engine,
    },
    /// Native fences passed their monitored values.
    NativeFenceSignaled {
        /// Who signalled.
        on: Engine,
        /// The OS's handles of the fences; `None` asks the OS to look at all of them.
        fences: Option<Vec<OsHandle>>,
        /// The queue that ran, or NULL.
        queue: OsHandle,
    },
    /// A queue touched an address that is not mapped.
    HwQueuePageFaulted(PageFault),
    /// A scheduling log reached its interrupt entry.
    SchedulingLog {
        /// Whose log.
        on: Engine,
    },
    /// An engine does not respond.
    GpuEngineTimeout {
        /// Which.
        on: Engine,
    },
    /// A context is off the run list.
    SuspendContextCompleted {
        /// `hContext`
        context: OsHandle,
        /// `ContextSuspendFence`
        fence: u64,
    },
    /// An engine changed its state or wants to.
    EngineStateChange {
        /// Which.
        on: Engine,
        /// `NewState`
        state: DXGK_ENGINE_STATE,
    },
}

/// A page fault of a hardware queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFault {
    /// Where it ran.
    pub on: Engine,
    /// `FaultedFenceId`
    pub fence: u64,
    /// `FaultedVirtualAddress`
    pub address: u64,
    /// `FaultedHwQueue`, or the context or process that `flags` says it is.
    pub object: OsHandle,
    /// `PageFaultFlags`
    pub flags: DXGK_PAGE_FAULT_FLAGS,
}

impl Notification {
    /// The engine that it is about, if it is about one.
    pub fn engine(&self) -> Option<Engine> {
        match self {
            Self::DmaCompleted { on, .. }
            | Self::DmaPreempted { on, .. }
            | Self::DmaFaulted { on, .. }
            | Self::MonitoredFenceSignaled { on }
            | Self::NativeFenceSignaled { on, .. }
            | Self::HwQueuePageFaulted(PageFault { on, .. })
            | Self::SchedulingLog { on }
            | Self::GpuEngineTimeout { on }
            | Self::EngineStateChange { on, .. } => Some(*on),
            Self::SuspendContextCompleted { .. } => None,
        }
    }
}

/// A notification and what is wrong with its form.
#[derive(Debug)]
pub struct Decoded {
    /// The notification; `None` for a type that a render-only adapter cannot report.
    pub notification: Option<Notification>,
    /// What breaks the contract although it can be understood.
    pub breaches: Vec<String>,
}

/// Reads the notification at `data` once.
pub fn decode(data: DriverAddr) -> Decoded {
    let bytes = data.read_bytes(BYTES);
    let mut whole = [0u8; BYTES];
    whole.copy_from_slice(&bytes);
    // SAFETY: the structure is made of integers, handles and pointers, for each of which every
    // value is one; the sizes are equal.
    let data =
        unsafe { std::mem::transmute::<[u8; BYTES], DXGKARGCB_NOTIFY_INTERRUPT_DATA>(whole) };
    let mut breaches = Vec::new();
    let Some((arm_bytes, notification)) = arm(&data, &mut breaches) else {
        breaches.push(format!(
            "InterruptType {} in a notification of a render-only adapter",
            data.InterruptType.0
        ));
        return Decoded {
            notification: None,
            breaches,
        };
    };
    if let Some(at) = bytes[UNION + arm_bytes..FLAGS]
        .iter()
        .position(|byte| *byte != 0)
    {
        breaches.push(format!(
            "notification of type {}: byte {} behind the member of that type is not zero",
            data.InterruptType.0,
            UNION + arm_bytes + at
        ));
    }
    if data.Flags.Reserved() != 0 {
        breaches.push(format!(
            "reserved bits in the notification's Flags: {:?}",
            data.Flags
        ));
    }
    Decoded {
        notification: Some(notification),
        breaches,
    }
}

/// The union member that belongs to the type: its size and meaning.
fn arm(
    data: &DXGKARGCB_NOTIFY_INTERRUPT_DATA,
    breaches: &mut Vec<String>,
) -> Option<(usize, Notification)> {
    type Type = DXGK_INTERRUPT_TYPE;
    let union = data.Anonymous;
    let engine = |node, engine| Engine { node, engine };
    // The members are plain numbers and handles: reading the wrong one yields a wrong number only.
    macro_rules! member {
        ($member:ident) => {
            // SAFETY: every bit pattern is a value of every member.
            unsafe { union.$member }
        };
    }
    Some(match data.InterruptType {
        Type::DXGK_INTERRUPT_DMA_COMPLETED => {
            let arm = member!(DmaCompleted);
            let on = engine(arm.NodeOrdinal, arm.EngineOrdinal);
            let fence = arm.SubmissionFenceId;
            (
                size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaCompleted>(),
                Notification::DmaCompleted { on, fence },
            )
        }
        Type::DXGK_INTERRUPT_DMA_PREEMPTED => {
            let arm = member!(DmaPreempted);
            let on = engine(arm.NodeOrdinal, arm.EngineOrdinal);
            let (request, last_completed) = (arm.PreemptionFenceId, arm.LastCompletedFenceId);
            (
                size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPreempted>(),
                Notification::DmaPreempted {
                    on,
                    request,
                    last_completed,
                },
            )
        }
        Type::DXGK_INTERRUPT_DMA_FAULTED => {
            let arm = member!(DmaFaulted);
            let on = engine(arm.NodeOrdinal, arm.EngineOrdinal);
            let (fence, status) = (arm.FaultedFenceId, arm.Status);
            (
                size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaFaulted>(),
                Notification::DmaFaulted { on, fence, status },
            )
        }
        Type::DXGK_INTERRUPT_MONITORED_FENCE_SIGNALED => {
            let arm = member!(MonitoredFenceSignaled);
            let on = engine(arm.NodeOrdinal, arm.EngineOrdinal);
            (
                size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_MonitoredFenceSignaled>(),
                Notification::MonitoredFenceSignaled { on },
            )
        }
        Type::DXGK_INTERRUPT_NATIVE_FENCE_SIGNALED => (
            size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_NativeFenceSignaled>(),
            native_fences(member!(NativeFenceSignaled), breaches),
        ),
        Type::DXGK_INTERRUPT_HWQUEUE_PAGE_FAULTED => (
            size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted>(),
            page_fault(&member!(HwQueuePageFaulted)),
        ),
        Type::DXGK_INTERRUPT_SCHEDULING_LOG_INTERRUPT => {
            let arm = member!(SchedulingLogInterrupt);
            let on = engine(arm.NodeOrdinal, arm.EngineOrdinal);
            (
                size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_SchedulingLogInterrupt>(),
                Notification::SchedulingLog { on },
            )
        }
        Type::DXGK_INTERRUPT_GPU_ENGINE_TIMEOUT => {
            let arm = member!(GpuEngineTimeout);
            let on = engine(arm.NodeOrdinal, arm.EngineOrdinal);
            (
                size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_GpuEngineTimeout>(),
                Notification::GpuEngineTimeout { on },
            )
        }
        Type::DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED => {
            let arm = member!(SuspendContextCompleted);
            let context = OsHandle::from_raw(arm.hContext);
            let fence = arm.ContextSuspendFence;
            (
                size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_SuspendContextCompleted>(),
                Notification::SuspendContextCompleted { context, fence },
            )
        }
        Type::DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE => {
            let arm = member!(EngineStateChange);
            let on = engine(arm.NodeOrdinal, arm.EngineOrdinal);
            (
                size_of::<DXGKARGCB_NOTIFY_INTERRUPT_DATA_EngineStateChange>(),
                Notification::EngineStateChange {
                    on,
                    state: arm.NewState,
                },
            )
        }
        _ => return None,
    })
}

fn native_fences(
    arm: DXGKARGCB_NOTIFY_INTERRUPT_DATA_NativeFenceSignaled,
    breaches: &mut Vec<String>,
) -> Notification {
    let count = arm.SignaledNativeFenceCount;
    let array = arm.pSignaledNativeFenceArray.addr() as u64;
    // SAFETY: the driver lends the array for the call.
    let array = unsafe { DriverAddr::new(array) };
    let on = Engine {
        node: arm.NodeOrdinal,
        engine: arm.EngineOrdinal,
    };
    let queue = OsHandle::from_raw(arm.hHWQueue);
    if array.is_null() != (count == 0) || count > MOST_FENCES {
        breaches.push(format!(
            "NativeFenceSignaled with {count} fences in an array at {:#x}",
            array.value()
        ));
        return Notification::NativeFenceSignaled {
            on,
            fences: None,
            queue,
        };
    }
    let handle = |index: u32| {
        let value = array.offset(8 * u64::from(index)).read::<u64>();
        OsHandle::claimed(usize::try_from(value).unwrap_or(0))
    };
    let fences = (count != 0).then(|| (0..count).map(handle).collect());
    Notification::NativeFenceSignaled { on, fences, queue }
}

fn page_fault(arm: &DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted) -> Notification {
    // SAFETY: all members of the union are handles.
    let object = unsafe { arm.Anonymous.FaultedHwQueue };
    Notification::HwQueuePageFaulted(PageFault {
        on: Engine {
            node: arm.NodeOrdinal,
            engine: arm.EngineOrdinal,
        },
        fence: arm.FaultedFenceId,
        address: arm.FaultedVirtualAddress,
        object: OsHandle::from_raw(object),
        flags: arm.PageFaultFlags,
    })
}
