//! Hardware queues.

use carillon_core::adapter::{NewQueue, Submission};
use carillon_core::error::Error;
use carillon_ddi::{DXGKARG_CREATEHWQUEUE, DXGKARG_SUBMITCOMMANDTOHWQUEUE, HANDLE, NTSTATUS};
use carillon_hw::addr::GpuVa;

use super::arguments::{answer, give, in_out, input, os, own};
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiCreateHwQueue`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_createhwqueue`.
///
/// `hHwQueue` comes in as the OS's handle and goes out as ours. Private data is not needed, so it
/// is not looked at.
pub(crate) unsafe extern "win64" fn create_hw_queue(
    context: HANDLE,
    arguments: *mut DXGKARG_CREATEHWQUEUE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(arguments.and_then(|arguments| {
        let flags = arguments.Flags;
        if flags.Reserved() != 0 {
            return Err(Error::InvalidParameter);
        }
        let adapter = Running::of_object(context)?;
        let queue = adapter.create_queue(
            passive,
            &NewQueue {
                os: os(arguments.hHwQueue),
                context: own(context)?,
                submission: if flags.UserModeSubmission() {
                    Submission::UserMode
                } else {
                    Submission::KernelMode
                },
            },
        )?;
        arguments.hHwQueue = give(queue);
        Ok(())
    }))
}

/// `DxgkDdiDestroyHwQueue`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_destroyhwqueue`.
pub(crate) unsafe extern "win64" fn destroy_hw_queue(queue: HANDLE) -> NTSTATUS {
    let passive = irql::passive();
    answer(
        Running::of_object(queue).and_then(|adapter| adapter.destroy_queue(passive, own(queue)?)),
    )
}

/// `DxgkDdiSubmitCommandToHwQueue`. IRQL: at most DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_submitcommandtohwqueue`. A queue for user-mode submission refuses.
pub(crate) unsafe extern "win64" fn submit_command_to_hw_queue(
    _adapter: HANDLE,
    arguments: *const DXGKARG_SUBMITCOMMANDTOHWQUEUE,
) -> NTSTATUS {
    let dispatch = irql::dispatch();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(arguments.and_then(|arguments| {
        let adapter = Running::of_object(arguments.hHwQueue)?;
        adapter.submit_to_queue(
            dispatch,
            own(arguments.hHwQueue)?,
            GpuVa(arguments.DmaBufferVirtualAddress),
            arguments.DmaBufferSize,
            arguments.HwQueueProgressFenceId,
        )
    }))
}
