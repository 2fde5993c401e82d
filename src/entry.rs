//! `DriverEntry`: fills nothing, since the table is a constant, and registers it.

use wdk_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

use crate::ddi::table;

#[cfg(not(displib))]
use crate::displib::initialize;

/// `DxgkInitialize` of the kit's static `displib.lib`. Page `nf-dispmprt-dxgkinitialize`.
#[cfg(displib)]
use kit::DxgkInitialize as initialize;

#[cfg(displib)]
mod kit {
    use carillon_ddi::DRIVER_INITIALIZATION_DATA;
    use wdk_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

    unsafe extern "C" {
        pub(super) fn DxgkInitialize(
            driver: *mut DRIVER_OBJECT,
            registry_path: *mut UNICODE_STRING,
            table: *mut DRIVER_INITIALIZATION_DATA,
        ) -> NTSTATUS;
    }
}

/// Entry point of the driver: registers the DDI table and answers what registration answered.
///
/// IRQL: PASSIVE_LEVEL. Page `driverentry-of-display-miniport-driver`.
///
/// # Safety
///
/// Called once by the I/O manager with a valid driver object and registry path.
// SAFETY: the image exports no other symbol of this name, and the linker takes it as the entry
// point.
#[unsafe(export_name = "DriverEntry")]
pub unsafe extern "system" fn driver_entry(
    driver: *mut DRIVER_OBJECT,
    registry_path: *mut UNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: both arguments are the I/O manager's; the table is a static of the image, which
    // stays loaded until `DxgkDdiUnload` has returned.
    unsafe { initialize(driver, registry_path, table::pointer()) }
}
