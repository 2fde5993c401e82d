//! Processes and devices.

use carillon_core::error::Result;
use carillon_core::handle::Handle;
use carillon_core::objects::{Device, Process, ProcessKind};
use carillon_ddi::{DXGKARG_CREATEDEVICE, DXGKARG_CREATEPROCESS, HANDLE, NTSTATUS};

use super::arguments::{answer, give, in_out, os, own};
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiCreateProcess`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_createprocess`.
pub(crate) unsafe extern "win64" fn create_process(
    adapter: HANDLE,
    arguments: *mut DXGKARG_CREATEPROCESS,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        let process = Process {
            os: os(arguments.hDxgkProcess),
            system: arguments.Flags.SystemProcess(),
        };
        arguments.hKmdProcess = give(adapter.create_process(passive, process)?);
        Ok(())
    }))
}

/// `DxgkDdiDestroyProcess`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_destroyprocess`.
pub(crate) unsafe extern "win64" fn destroy_process(adapter: HANDLE, process: HANDLE) -> NTSTATUS {
    let passive = irql::passive();
    answer(
        Running::of_context(adapter)
            .and_then(|adapter| adapter.destroy_process(passive, own(process)?)),
    )
}

/// `DxgkDdiCreateDevice`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_createdevice`.
///
/// `pInfo` stays as it is: it sizes the buffers of devices without contexts.
pub(crate) unsafe extern "win64" fn create_device(
    adapter: HANDLE,
    arguments: *mut DXGKARG_CREATEDEVICE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        // SAFETY: on input the union holds the flags; every bit pattern is one.
        let flags = unsafe { arguments.Anonymous.Flags };
        let device = Device {
            os: os(arguments.hDevice),
            process: process_of(arguments.hKmdProcess)?,
            system: flags.SystemDevice(),
        };
        arguments.hDevice = give(adapter.create_device(passive, device)?);
        Ok(())
    }))
}

/// The process of a new device; NULL is none.
fn process_of(process: HANDLE) -> Result<Option<Handle<ProcessKind>>> {
    if process.is_null() {
        Ok(None)
    } else {
        own(process).map(Some)
    }
}

/// `DxgkDdiDestroyDevice`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_destroydevice`.
pub(crate) unsafe extern "win64" fn destroy_device(device: HANDLE) -> NTSTATUS {
    let passive = irql::passive();
    answer(
        Running::of_object(device)
            .and_then(|adapter| adapter.destroy_device(passive, own(device)?)),
    )
}
