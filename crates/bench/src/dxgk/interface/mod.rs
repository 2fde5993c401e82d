//! `DXGKRNL_INTERFACE`: the callbacks that a driver is given at start.
//!
//! Every callback is entered through a thunk that checks the level of its page and, except for
//! those that serve the interrupt routine and the notification path, that no lock of the driver is
//! held. A callback that the model lacks says so as a violation and fails.

pub mod interrupt;
pub mod notification;

mod device;
mod memory;
mod objects;
mod power;
mod services;
mod table;
mod unmodelled;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use carillon_ddi::{D3DDDI_DOORBELLSTATUS, DXGK_HANDLE_TYPE, NTSTATUS};
use parking_lot::Mutex;

use super::adapter::Adapter;
use super::handle::{KmdHandle, OsHandle};
use crate::nt::DriverAddr;
use crate::nt::session::with_current;
use crate::verifier::violation::ViolationKind;
pub use notification::Notification;
pub use table::interface;

/// Who wants to know what the driver reports.
pub trait Notifications: Send + Sync {
    /// The driver reported at device level. Runs under the interrupt lock: it must not call the
    /// driver and must not wait.
    fn at_interrupt(&self, notification: &Notification) {
        let _ = notification;
    }

    /// The driver called `DxgkCbNotifyDpc`: reports are delivered in the order they were made. Runs
    /// at DISPATCH_LEVEL.
    fn at_dpc(&self, notification: Notification);
}

/// Callbacks that concern objects, answered by whoever keeps them.
pub trait Objects: Send + Sync {
    /// `DxgkCbDisconnectDoorbell`. Both handles are claims of the driver; unknown ones are
    /// `STATUS_INVALID_PARAMETER`. No lock of the interface is held.
    fn disconnect_doorbell(
        &self,
        queue: OsHandle,
        doorbell: OsHandle,
        reason: D3DDDI_DOORBELLSTATUS,
    ) -> NTSTATUS;

    /// `DxgkCbInvalidateHwContext`.
    fn invalidate_hw_context(&self, context: OsHandle, collateral_damage: bool) -> NTSTATUS;

    /// `DxgkCbGetHandleData`: the driver's own handle behind a thunk handle.
    fn handle_data(
        &self,
        handle: u32,
        kind: DXGK_HANDLE_TYPE,
        device_specific: bool,
    ) -> Option<KmdHandle> {
        let _ = (handle, kind, device_specific);
        None
    }
}

static ADAPTERS: Mutex<BTreeMap<usize, Weak<Adapter>>> = Mutex::new(BTreeMap::new());

/// Lets callbacks find `adapter` by its handle.
pub(crate) fn publish(adapter: &Arc<Adapter>) {
    ADAPTERS
        .lock()
        .insert(adapter.handle().value(), Arc::downgrade(adapter));
}

/// Makes the handle of an adapter unknown.
pub(crate) fn withdraw(handle: OsHandle) {
    ADAPTERS.lock().remove(&handle.value());
}

/// Records a breach of the contract by the running driver.
fn breach(what: String) {
    with_current(|nt| nt.verifier.report(ViolationKind::Contract(what)));
}

/// Runs `f` on the adapter that a callback names; an unknown one is a breach.
fn with_adapter<R>(
    callback: &'static str,
    handle: DriverAddr,
    f: impl FnOnce(&Arc<Adapter>) -> R,
) -> Option<R> {
    let key = usize::try_from(handle.value()).unwrap_or(0);
    let adapter = ADAPTERS.lock().get(&key).and_then(Weak::upgrade);
    if adapter.is_none() {
        breach(format!(
            "{callback} was given {key:#x}, which is no DeviceHandle of an adapter"
        ));
    }
    adapter.map(|adapter| f(&adapter))
}

/// The adapters of the running session, for callbacks that name none.
fn adapters_of_session() -> Vec<Arc<Adapter>> {
    let session = with_current(|nt| std::ptr::from_ref(nt).addr());
    let adapters: Vec<_> = ADAPTERS.lock().values().filter_map(Weak::upgrade).collect();
    let in_session = |adapter: &Arc<Adapter>| Arc::as_ptr(adapter.driver().nt()).addr() == session;
    adapters.into_iter().filter(in_session).collect()
}
