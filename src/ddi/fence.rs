//! Native fences: objects, values, logs.

use core::sync::atomic::{AtomicU64, Ordering, fence};

use carillon_core::adapter::NewLocalFence;
use carillon_core::error::{Error, Result};
use carillon_ddi::{
    DXGK_NATIVE_FENCE_LOG_TYPE, DXGKARG_CLOSENATIVEFENCE, DXGKARG_CREATENATIVEFENCE,
    DXGKARG_DESTROYNATIVEFENCE, DXGKARG_OPENNATIVEFENCE, DXGKARG_SETNATIVEFENCELOGBUFFER,
    DXGKARG_UPDATECURRENTVALUESFROMCPU, DXGKARG_UPDATEMONITOREDVALUES,
    DXGKARG_UPDATENATIVEFENCELOGS, HANDLE, NTSTATUS, PVOID,
};
use carillon_hw::addr::GpuVa;

use super::arguments::{answer, give, in_out, input, list, os, own};
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiCreateNativeFence`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createnativefence`.
///
/// `hGlobalNativeFence` comes in as the OS's handle and goes out as ours.
pub(crate) unsafe extern "win64" fn create_native_fence(
    adapter: HANDLE,
    arguments: *mut DXGKARG_CREATENATIVEFENCE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        let fence = adapter.create_fence(passive, os(arguments.hGlobalNativeFence))?;
        arguments.hGlobalNativeFence = give(fence);
        Ok(())
    }))
}

/// `DxgkDdiDestroyNativeFence`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_destroynativefence`.
pub(crate) unsafe extern "win64" fn destroy_native_fence(
    arguments: *mut DXGKARG_DESTROYNATIVEFENCE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments.cast_const()) };
    answer(arguments.and_then(|arguments| {
        let adapter = Running::of_object(arguments.hGlobalNativeFence)?;
        adapter.destroy_fence(passive, own(arguments.hGlobalNativeFence)?)
    }))
}

/// `DxgkDdiOpenNativeFence`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_opennativefence`.
pub(crate) unsafe extern "win64" fn open_native_fence(
    adapter: HANDLE,
    arguments: *mut DXGKARG_OPENNATIVEFENCE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        let local = adapter.open_fence(
            passive,
            &NewLocalFence {
                fence: own(arguments.hGlobalNativeFence)?,
                device: own(arguments.hDevice)?,
                current: GpuVa(arguments.CurrentValueGpuVa),
                monitored: GpuVa(arguments.MonitoredValueGpuVa),
            },
        )?;
        arguments.hLocalNativeFence = give(local);
        Ok(())
    }))
}

/// `DxgkDdiCloseNativeFence`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_closenativefence`.
pub(crate) unsafe extern "win64" fn close_native_fence(
    adapter: HANDLE,
    arguments: *mut DXGKARG_CLOSENATIVEFENCE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments.cast_const()) };
    answer(
        Running::of_context(adapter)
            .and_then(|adapter| adapter.close_fence(passive, own(arguments?.hLocalNativeFence)?)),
    )
}

/// `DxgkDdiUpdateMonitoredValues`. IRQL: device IRQL, synchronized with the interrupt routine. Page
/// `nc-d3dkmddi-dxgkddi_updatemonitoredvalues`.
///
/// The GPU compares with what is in memory at each signal, so storing the values is all there is
/// to do; no lock is taken. The barrier at the end is the page's promise: a current value read
/// after the return was written by a GPU that saw the new monitored value.
pub(crate) unsafe extern "win64" fn update_monitored_values(
    arguments: *const DXGKARG_UPDATEMONITOREDVALUES,
) -> NTSTATUS {
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(arguments.and_then(|arguments| {
        // SAFETY: the page: an array of `NumFences` values.
        let values = unsafe { list(arguments.UpdatedValueArray, arguments.NumFences) }?;
        // SAFETY: the page: an array of `NumFences` kernel addresses.
        let places = unsafe { list(arguments.MonitoredValueKernelCpuVa, arguments.NumFences) }?;
        // SAFETY: the page: the addresses are mapped during the call.
        unsafe { store_values(places, values) }
    }))
}

/// `DxgkDdiUpdateCurrentValuesFromCpu`. IRQL: DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_updatecurrentvaluesfromcpu`.
///
/// A GPU that waits for a fence polls the value, so no engine needs to be told.
pub(crate) unsafe extern "win64" fn update_current_values_from_cpu(
    arguments: *const DXGKARG_UPDATECURRENTVALUESFROMCPU,
) -> NTSTATUS {
    let _dispatch = irql::dispatch();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(arguments.and_then(|arguments| {
        if arguments.Flags.NotificationOnly() {
            return Ok(());
        }
        // SAFETY: the page: an array of `NumFences` values.
        let values = unsafe { list(arguments.UpdatedValueArray, arguments.NumFences) }?;
        // SAFETY: the page: an array of `NumFences` kernel addresses.
        let places = unsafe { list(arguments.CurrentValueKernelCpuVa, arguments.NumFences) }?;
        // SAFETY: the page: the addresses are mapped during the call.
        unsafe { store_values(places, values) }
    }))
}

/// Stores each value at its place, all or none.
///
/// # Safety
/// Each place is NULL or the address of a quadword that is mapped now and that everybody accesses
/// atomically.
unsafe fn store_values(places: &[PVOID], values: &[u64]) -> Result {
    let usable = |place: &PVOID| !place.is_null() && place.cast::<u64>().is_aligned();
    if !places.iter().all(usable) {
        return Err(Error::InvalidParameter);
    }
    for (place, value) in places.iter().zip(values) {
        // SAFETY: neither NULL nor crooked, checked above, hence a mapped quadword.
        unsafe { AtomicU64::from_ptr(place.cast()) }.store(*value, Ordering::Release);
    }
    fence(Ordering::SeqCst);
    Ok(())
}

/// `DxgkDdiSetNativeFenceLogBuffer`. IRQL: DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_setnativefencelogbuffer`.
///
/// Which of the queue's two logs it is says the header that the OS has written.
pub(crate) unsafe extern "win64" fn set_native_fence_log_buffer(
    arguments: *const DXGKARG_SETNATIVEFENCELOGBUFFER,
) -> NTSTATUS {
    let dispatch = irql::dispatch();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(arguments.and_then(|arguments| {
        // SAFETY: the page: NULL or the log, whose header is initialized.
        let header = unsafe { input(arguments.LogBufferCpuVa.cast_const().cast()) }?;
        let header: carillon_ddi::DXGK_NATIVE_FENCE_LOG_HEADER = header;
        let address = arguments.LogBufferGpuVa;
        let entries = arguments.NumberOfEntries;
        let adapter = Running::of_object(arguments.hHwQueue)?;
        let queue = own(arguments.hHwQueue)?;
        match header.Type {
            DXGK_NATIVE_FENCE_LOG_TYPE::DXGK_NATIVE_FENCE_LOG_TYPE_WAITS => {
                adapter.set_fence_logs(dispatch, queue, |logs| {
                    logs.waits = address;
                    logs.entries = entries;
                })
            }
            DXGK_NATIVE_FENCE_LOG_TYPE::DXGK_NATIVE_FENCE_LOG_TYPE_SIGNALS => adapter
                .set_fence_logs(dispatch, queue, |logs| {
                    logs.signals = address;
                    logs.entries = entries;
                }),
            _ => Err(Error::InvalidParameter),
        }
    }))
}

/// `DxgkDdiUpdateNativeFenceLogs`. IRQL: DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_updatenativefencelogs`.
///
/// The device writes a log entry before it raises the event of the signal and keeps nothing back:
/// there is nothing to bring up to date, whatever the queues.
pub(crate) unsafe extern "win64" fn update_native_fence_logs(
    _arguments: *const DXGKARG_UPDATENATIVEFENCELOGS,
) -> NTSTATUS {
    let _dispatch = irql::dispatch();
    fence(Ordering::SeqCst);
    NTSTATUS::STATUS_SUCCESS
}
