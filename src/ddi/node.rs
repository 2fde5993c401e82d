//! Nodes and their clocks.

use carillon_core::adapter::NODES;
use carillon_core::error::Error;
use carillon_core::node;
use carillon_core::platform::Platform;
use carillon_ddi::{DXGK_GPUCLOCKDATA, DXGK_NODEMETADATA, HANDLE, NTSTATUS};
use carillon_hw::regs::offset;
use wdk_sys::ntddk::KeQueryPerformanceCounter;

use super::arguments::{answer, in_out};
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiGetNodeMetadata`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_getnodemetadata`.
pub(crate) unsafe extern "win64" fn get_node_metadata(
    adapter: HANDLE,
    node_and_adapter: u32,
    metadata: *mut DXGK_NODEMETADATA,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an output structure of dxgkrnl's (`ddi` module).
    let output = unsafe { in_out(metadata) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        *output? = node::metadata(&adapter.surface, node_and_adapter)?;
        Ok(())
    }))
}

/// `DxgkDdiCalibrateGpuClock`: both clocks, read one after the other. IRQL: DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_calibrategpuclock`.
pub(crate) unsafe extern "win64" fn calibrate_gpu_clock(
    adapter: HANDLE,
    node: u32,
    engine: u32,
    calibration: *mut DXGK_GPUCLOCKDATA,
) -> NTSTATUS {
    let _dispatch = irql::dispatch();
    // SAFETY: the page: an output structure of dxgkrnl's (`ddi` module).
    let calibration = unsafe { in_out(calibration) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let calibration = calibration?;
        if node >= NODES || engine != 0 {
            return Err(Error::InvalidParameter);
        }
        if adapter.is_gone() {
            return Err(Error::DeviceGone);
        }
        let platform = adapter.platform();
        let frequency = platform.read64(offset::TIMESTAMP_FREQUENCY);
        let gpu = platform.read64(offset::TIMESTAMP);
        // SAFETY: callable at any IRQL; the optional output is left out (page
        // `nf-wdm-kequeryperformancecounter`).
        let cpu = unsafe { KeQueryPerformanceCounter(core::ptr::null_mut()) };
        // SAFETY: every bit pattern of the union is a valid 64-bit number.
        let cpu = unsafe { cpu.QuadPart };
        *calibration = DXGK_GPUCLOCKDATA {
            GpuFrequency: frequency,
            GpuClockCounter: gpu,
            CpuClockCounter: cpu.cast_unsigned(),
            ..DXGK_GPUCLOCKDATA::ZERO
        };
        Ok(())
    }))
}
