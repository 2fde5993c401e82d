//! Carillon: a WDDM 3.2 display miniport driver with user-mode work submission.

#![no_std]

// The panic handler: a panic is a bugcheck that carries the source location.
extern crate wdk_panic as _;

use wdk_alloc::WdkAllocator;
use wdk_sys::{DRIVER_OBJECT, NTSTATUS, PCUNICODE_STRING, STATUS_NOT_SUPPORTED};

#[global_allocator]
static ALLOCATOR: WdkAllocator = WdkAllocator;

/// Entry point of the driver.
///
/// # Safety
///
/// Called by the I/O manager at PASSIVE_LEVEL with a valid driver object and registry path.
// SAFETY: the image exports no other symbol of this name, and the linker takes it as the entry point.
#[unsafe(export_name = "DriverEntry")]
pub unsafe extern "system" fn driver_entry(
    _driver: *mut DRIVER_OBJECT,
    _registry_path: PCUNICODE_STRING,
) -> NTSTATUS {
    if wdk::nt_success(STATUS_NOT_SUPPORTED) {
        return 0;
    }
    STATUS_NOT_SUPPORTED
}
