//! Contexts, scheduled by the OS or by the hardware: create, destroy, suspend, resume, priorities.

use carillon_core::adapter::{NewContext, PriorityBands, SchedulingProperties, Suspended};
use carillon_core::error::Error;
use carillon_core::objects::Scheduling;
use carillon_core::surface::Node;
use carillon_ddi::{
    DXGK_CONTEXTINFO, DXGK_CONTEXTINFO_CAPS, DXGKARG_CREATECONTEXT, DXGKARG_CREATEHWCONTEXT,
    DXGKARG_RESUMECONTEXT, DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES, DXGKARG_SETSCHEDULINGLOGBUFFER,
    DXGKARG_SETUPPRIORITYBANDS, DXGKARG_SUSPENDCONTEXT, HANDLE, NTSTATUS,
};

use super::arguments::{answer, give, in_out, input, os, own};
use crate::adapter::Running;
use crate::irql;

/// Bytes of a DMA buffer that the OS allocates for a context.
const DMA_BUFFER_BYTES: u32 = 0x4_0000;
/// Segments for DMA buffers: the first one, the aperture. An empty set is known to end in bug check
/// 0x10E.
const DMA_BUFFER_SEGMENTS: u32 = 1;
/// Entries of the lists that a context without patching carries along.
const LIST_ENTRIES: u32 = 1;

/// What every context wants of the OS. Page `ns-d3dkmddi-dxgk_contextinfo`.
const CONTEXT_INFO: DXGK_CONTEXTINFO = DXGK_CONTEXTINFO {
    DmaBufferSize: DMA_BUFFER_BYTES,
    DmaBufferSegmentSet: DMA_BUFFER_SEGMENTS,
    DmaBufferPrivateDataSize: 0,
    AllocationListSize: LIST_ENTRIES,
    PatchLocationListSize: LIST_ENTRIES,
    Reserved: 0,
    Caps: DXGK_CONTEXTINFO_CAPS::new().with_NoPatchingRequired(true),
    PagingCompanionNodeId: Node::PAGING.ordinal() as u32,
};

/// `DxgkDdiCreateContext`: work that the OS schedules, or a software context with hardware queues.
/// IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_createcontext`.
///
/// `hContext` comes in as the OS's handle, whatever the page says of it, and goes out as ours.
pub(crate) unsafe extern "win64" fn create_context(
    device: HANDLE,
    arguments: *mut DXGKARG_CREATECONTEXT,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(arguments.and_then(|arguments| {
        let flags = arguments.Flags;
        if flags.Reserved() != 0 {
            return Err(Error::InvalidParameter);
        }
        let adapter = Running::of_object(device)?;
        let context = adapter.create_context(
            passive,
            &NewContext {
                os: os(arguments.hContext),
                device: own(device)?,
                node: arguments.NodeOrdinal,
                scheduling: if flags.HwQueueSupported() {
                    Scheduling::Hardware
                } else {
                    Scheduling::Packet
                },
                system: flags.SystemContext(),
            },
        )?;
        arguments.hContext = give(context);
        arguments.ContextInfo = CONTEXT_INFO;
        Ok(())
    }))
}

/// `DxgkDdiDestroyContext`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_destroycontext`.
pub(crate) unsafe extern "win64" fn destroy_context(context: HANDLE) -> NTSTATUS {
    let passive = irql::passive();
    answer(
        Running::of_object(context)
            .and_then(|adapter| adapter.destroy_context(passive, own(context)?)),
    )
}

/// `DxgkDdiCreateHwContext`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_createhwcontext`.
pub(crate) unsafe extern "win64" fn create_hw_context(
    device: HANDLE,
    arguments: *mut DXGKARG_CREATEHWCONTEXT,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the header: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(arguments.and_then(|arguments| {
        if arguments.Flags.Reserved() != 0 {
            return Err(Error::InvalidParameter);
        }
        let adapter = Running::of_object(device)?;
        let context = adapter.create_context(
            passive,
            &NewContext {
                os: os(arguments.hHwContext),
                device: own(device)?,
                node: arguments.NodeOrdinal,
                scheduling: Scheduling::Hardware,
                system: false,
            },
        )?;
        arguments.hHwContext = give(context);
        Ok(())
    }))
}

/// `DxgkDdiDestroyHwContext`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_destroyhwcontext`.
pub(crate) unsafe extern "win64" fn destroy_hw_context(context: HANDLE) -> NTSTATUS {
    let passive = irql::passive();
    answer(
        Running::of_object(context)
            .and_then(|adapter| adapter.destroy_context(passive, own(context)?)),
    )
}

/// `DxgkDdiSuspendContext`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_suspendcontext`.
pub(crate) unsafe extern "win64" fn suspend_context(
    _adapter: HANDLE,
    arguments: *const DXGKARG_SUSPENDCONTEXT,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let suspended = unsafe { input(arguments) }.and_then(|arguments| {
        let adapter = Running::of_object(arguments.hContext)?;
        adapter.suspend_context(
            passive,
            own(arguments.hContext)?,
            arguments.contextSuspendFence,
        )
    });
    match suspended {
        Ok(Suspended::Now) => NTSTATUS::STATUS_SUCCESS,
        Ok(Suspended::Later) => NTSTATUS::STATUS_PENDING,
        Err(error) => error.status(),
    }
}

/// `DxgkDdiResumeContext`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_resumecontext`.
pub(crate) unsafe extern "win64" fn resume_context(
    _adapter: HANDLE,
    arguments: *const DXGKARG_RESUMECONTEXT,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(arguments.and_then(|arguments| {
        let adapter = Running::of_object(arguments.hContext)?;
        adapter.resume_context(passive, own(arguments.hContext)?)
    }))
}

/// `DxgkDdiSetContextSchedulingProperties`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_setcontextschedulingproperties`.
pub(crate) unsafe extern "win64" fn set_context_scheduling_properties(
    _adapter: HANDLE,
    arguments: *const DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(arguments.and_then(|arguments| {
        let adapter = Running::of_object(arguments.hContext)?;
        adapter.set_scheduling(
            passive,
            own(arguments.hContext)?,
            &SchedulingProperties {
                band: arguments.priorityBand.0,
                realtime_level: arguments.realtimeBandPriorityLevel,
                in_process_priority: arguments.inProcessPriority,
            },
        )
    }))
}

/// `DxgkDdiSetSchedulingLogBuffer`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_setschedulinglogbuffer`.
///
/// The device keeps no scheduling log, so the OS's buffer stays as the OS has initialized it:
/// empty.
pub(crate) unsafe extern "win64" fn set_scheduling_log_buffer(
    adapter: HANDLE,
    arguments: *const DXGKARG_SETSCHEDULINGLOGBUFFER,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(Running::of_context(adapter).and_then(|_| arguments.map(drop)))
}

/// `DxgkDdiSetupPriorityBands`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_setupprioritybands`.
pub(crate) unsafe extern "win64" fn setup_priority_bands(
    adapter: HANDLE,
    arguments: *const DXGKARG_SETUPPRIORITYBANDS,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        adapter.set_priority_bands(
            passive,
            &PriorityBands {
                grace: arguments.gracePeriodForBand,
                process_quantum: arguments.processQuantumForBand,
                process_grace: arguments.processGracePeriodForBand,
                normal_percentage: arguments.targetNormalBandPercentage,
            },
        )
    }))
}
