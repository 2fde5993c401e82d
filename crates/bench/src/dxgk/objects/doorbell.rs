//! Doorbells: connection, loss, destruction; [`create`] makes them.
//!
//! A doorbell's `epoch` counts how often it lost its page. A connect that finds another epoch after
//! the driver's answer than before it throws the answer away: the page may already be somebody
//! else's, and the client finds the status that the loss wrote. So nothing has to be locked while
//! the driver runs.

pub mod create;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use carillon_ddi::{
    D3DDDI_DOORBELLSTATUS, DXGKARG_CONNECTDOORBELL, DXGKARG_CONNECTDOORBELL_FLAGS,
    DXGKARG_DESTROYDOORBELL, DXGKARG_DISCONNECTDOORBELL, DXGKARG_NOTIFYWORKSUBMISSION, NTSTATUS,
};
use parking_lot::{Condvar, Mutex};

use super::process::{AllocationObject, Process};
use super::queue::Queue;
use super::rotation::DoorbellView;
use super::view::UserView;
use super::{DisconnectMode, ObjectError, ObjectManager};
use crate::dxgk::driver::{DdiError, DdiResult};
use crate::dxgk::handle::{KmdHandle, OsHandle};
use crate::dxgk::trace::Step;
use crate::dxgk::vidmm::place::SystemPages;
use crate::trap::PAGE_SIZE;

use create::OwnedRequest;
pub use create::{DoorbellRequest, NewDoorbell, PRIVATE_DATA_BYTES};

const CONNECTED: D3DDDI_DOORBELLSTATUS = D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_CONNECTED;
const NOTIFY: D3DDDI_DOORBELLSTATUS =
    D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD;
/// The doorbell is gone for now.
pub const RETRY: D3DDDI_DOORBELLSTATUS =
    D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY;
/// The doorbell is gone for good.
pub const ABORT: D3DDDI_DOORBELLSTATUS =
    D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT;

thread_local! {
    /// True while this thread is in `DxgkDdiCreateDoorbell`.
    static CREATING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// What a connected doorbell shows: offsets in the BAR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Location {
    primary: usize,
    secondary: Option<usize>,
}

impl Location {
    fn pages(self) -> impl Iterator<Item = usize> {
        std::iter::once(self.primary).chain(self.secondary)
    }
}

#[derive(Debug, Default)]
struct State {
    /// What is behind the user addresses; `None` for the dummy pages.
    shows: Option<Location>,
    /// How often the page was taken away.
    epoch: u64,
    /// Lost for good.
    aborted: bool,
}

/// A doorbell.
#[derive(Debug)]
pub struct Doorbell {
    pub(super) queue: Arc<Queue>,
    pub(super) os: OsHandle,
    kmd: OnceLock<KmdHandle>,
    ring: Arc<AllocationObject>,
    control: Option<Arc<AllocationObject>>,
    /// What it was created of.
    request: OwnedRequest,
    view: DoorbellView,
    /// The second user address, if the creator asked for one.
    secondary: Option<DoorbellView>,
    status: SystemPages,
    status_view: UserView,
    state: Mutex<State>,
    /// Threads in a doorbell DDI for this doorbell; destruction waits for them.
    users: AtomicUsize,
    idle: (Mutex<()>, Condvar),
    /// Lost and to be destroyed: no DDI may be called any more.
    dead: Mutex<bool>,
}

impl Doorbell {
    /// The OS's handle.
    #[must_use]
    pub fn os_handle(&self) -> OsHandle {
        self.os
    }

    /// The driver's handle.
    #[must_use]
    pub fn kmd(&self) -> KmdHandle {
        self.kmd.get().copied().unwrap_or(KmdHandle::NULL)
    }

    /// The status word as the client sees it.
    #[must_use]
    pub fn status(&self) -> u64 {
        self.status
            .word(0)
            .map_or(u64::MAX, |word| word.load(Ordering::SeqCst))
    }

    /// What it was created of.
    pub(super) fn request(&self) -> &OwnedRequest {
        &self.request
    }

    fn write_status(&self, status: D3DDDI_DOORBELLSTATUS) {
        if let Some(word) = self.status.word(0) {
            word.store(status.0.cast_unsigned().into(), Ordering::SeqCst);
        }
    }

    /// Offset in the BAR of the page behind the user address, if it is one of the BAR's.
    #[must_use]
    pub fn shows(&self) -> Option<usize> {
        self.state.lock().shows.map(|location| location.primary)
    }

    /// The same for the secondary address.
    #[must_use]
    pub fn shows_secondary(&self) -> Option<usize> {
        self.state.lock().shows?.secondary
    }

    /// Enters a DDI for this doorbell; fails once it is being destroyed (DBX-011).
    ///
    /// contract: DBX-011
    fn enter(&self) -> Result<Use<'_>, ObjectError> {
        let dead = self.dead.lock();
        if *dead {
            return Err(ObjectError::Parameter("the doorbell is being destroyed"));
        }
        self.users.fetch_add(1, Ordering::SeqCst);
        Ok(Use { doorbell: self })
    }

    /// Lets no DDI in any more and waits until none runs; false if another thread was first.
    fn close(&self) -> bool {
        if std::mem::replace(&mut *self.dead.lock(), true) {
            return false;
        }
        let mut guard = self.idle.0.lock();
        while self.users.load(Ordering::SeqCst) != 0 {
            self.idle.1.wait_for(&mut guard, Duration::from_millis(20));
        }
        true
    }
}

struct Use<'a> {
    doorbell: &'a Doorbell,
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        let _guard = self.doorbell.idle.0.lock();
        self.doorbell.users.fetch_sub(1, Ordering::SeqCst);
        self.doorbell.idle.1.notify_all();
    }
}

impl ObjectManager {
    /// `D3DKMTConnectDoorbell`
    ///
    /// contract: DBN-005
    pub fn connect_doorbell(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        self.connect_in_d0(process, handle)
    }

    pub(super) fn connect_now(
        &self,
        process: &Arc<Process>,
        handle: u32,
    ) -> Result<(), ObjectError> {
        let doorbell = self.table.doorbell(process, handle)?;
        let _use = doorbell.enter()?;
        self.restore(&doorbell.queue.context.device)?;
        let epoch = {
            let state = doorbell.state.lock();
            if state.aborted {
                return Err(DdiError::Refused {
                    ddi: "DxgkDdiConnectDoorbell",
                    status: NTSTATUS::STATUS_DEVICE_REMOVED,
                }
                .into());
            }
            state.epoch
        };
        Self::count(&self.counters.connects);
        let mut args = DXGKARG_CONNECTDOORBELL {
            hDoorbell: doorbell.kmd().raw(),
            Flags: DXGKARG_CONNECTDOORBELL_FLAGS::new()
                .with_RequireSecondaryAddress(doorbell.secondary.is_some()),
            // What a driver that forgets to answer would leave behind is no legal answer.
            Status: D3DDDI_DOORBELLSTATUS(-1),
            ..DXGKARG_CONNECTDOORBELL::ZERO
        };
        let result = self.driver.connect_doorbell(&mut args);
        self.check_connect_failure(&doorbell, result)?;
        let location = self.checked_answer(&args)?;
        let mut state = doorbell.state.lock();
        if state.epoch != epoch {
            // Lost meanwhile: the status word says so already.
            return Ok(());
        }
        self.show(&doorbell, &mut state, Some(location))?;
        self.write_status(&doorbell, args.Status);
        Ok(())
    }

    /// contract: DBN-008, DBN-009
    fn check_connect_failure(
        &self,
        doorbell: &Doorbell,
        result: DdiResult,
    ) -> Result<(), ObjectError> {
        if let Err(DdiError::Refused { status, ddi }) = result {
            const LOST: [NTSTATUS; 5] = [
                NTSTATUS::STATUS_DEVICE_NOT_CONNECTED,
                NTSTATUS::STATUS_DEVICE_REMOVED,
                NTSTATUS::STATUS_NO_SUCH_DEVICE,
                NTSTATUS::STATUS_DEVICE_DOES_NOT_EXIST,
                NTSTATUS::STATUS_DEVICE_NOT_READY,
            ];
            // A13: asked for what the capabilities say is not there.
            let lacks_secondary = doorbell.secondary.is_some()
                && self.facts.secondary_doorbell_bytes == 0
                && status == NTSTATUS::STATUS_NOT_SUPPORTED;
            if !LOST.contains(&status) && !lacks_secondary {
                self.breach(format!(
                    "DBN-009: {ddi} failed with {status}: only a lost GPU may"
                ));
            }
        }
        Ok(result?)
    }

    /// Checks what the driver answered.
    ///
    /// contract: DBN-003, DBN-004, DBN-006, DBNR-001
    /// regression: MAP-05
    fn checked_answer(&self, args: &DXGKARG_CONNECTDOORBELL) -> Result<Location, ObjectError> {
        const REFUSED: ObjectError =
            ObjectError::Parameter("the driver answered an impossible address");
        if ![CONNECTED, NOTIFY].contains(&args.Status) {
            self.breach(format!(
                "DBN-006: DxgkDdiConnectDoorbell answered status {}",
                args.Status.0
            ));
            return Err(ObjectError::Parameter(
                "the driver answered an impossible status",
            ));
        }
        let address = args.KernelCpuVirtualAddress.addr();
        let primary = self.page_at(address, self.facts.doorbell_bytes);
        let Some(primary) = primary else {
            self.breach(format!(
                "DBN-003: DxgkDdiConnectDoorbell answered {address:#x}, which is no doorbell page \
                 in a mapping of the doorbell BAR"
            ));
            return Err(REFUSED);
        };
        let address = args.SecondaryKernelCpuVirtualAddress.addr();
        if !args.Flags.RequireSecondaryAddress() {
            if address != 0 {
                self.breach(format!(
                    "DBNR-001: DxgkDdiConnectDoorbell answered the secondary address {address:#x} \
                     without being asked"
                ));
            }
            let secondary = None;
            return Ok(Location { primary, secondary });
        }
        let secondary = self.page_at(address, self.facts.secondary_doorbell_bytes);
        let secondary = secondary.filter(|secondary| *secondary != primary);
        if secondary.is_none() {
            self.breach(format!(
                "DBN-004: DxgkDdiConnectDoorbell answered the secondary address {address:#x}, \
                 which is no second doorbell page in a mapping of the doorbell BAR"
            ));
            return Err(REFUSED);
        }
        Ok(Location { primary, secondary })
    }

    /// The offset in the BAR of a doorbell of `bytes` bytes at a kernel address of the driver's, if
    /// there can be one.
    fn page_at(&self, kernel_address: usize, bytes: u32) -> Option<usize> {
        let offset = self.platform.doorbells().offset_of(kernel_address)?;
        let end = offset.checked_add(usize::try_from(bytes).ok()?)?;
        let inside = end <= self.platform.doorbells().region().len();
        (inside && offset.is_multiple_of(PAGE_SIZE)).then_some(offset)
    }

    /// Switches what is behind the user addresses. The caller writes the status afterwards.
    ///
    /// contract: DBN-011, VIC-008
    fn show(
        &self,
        doorbell: &Doorbell,
        state: &mut State,
        location: Option<Location>,
    ) -> Result<(), ObjectError> {
        for offset in location.into_iter().flat_map(Location::pages) {
            let others = self.owners.claim(offset, doorbell.os);
            if !others.is_empty() && self.facts.dedicated_doorbells {
                self.breach(format!(
                    "VIC-008: page {offset:#x} given to {} while {others:?} shows it: reused \
                     before DxgkCbDisconnectDoorbell returned, or without it",
                    doorbell.os
                ));
            }
        }
        if state.shows == location && location.is_some() {
            return Ok(());
        }
        self.rotate(doorbell, location)?;
        let kept: Vec<usize> = location.into_iter().flat_map(Location::pages).collect();
        for before in state.shows.take().into_iter().flat_map(Location::pages) {
            if !kept.contains(&before) {
                self.owners.release(before, doorbell.os);
            }
        }
        state.shows = location;
        Ok(())
    }

    /// The mappings alone.
    fn rotate(&self, doorbell: &Doorbell, location: Option<Location>) -> Result<(), ObjectError> {
        let bar = self.platform.doorbells().region();
        let turn = |view: &DoorbellView, page: Option<usize>| match page {
            Some(offset) => view.show(bar, offset),
            None => view.show_dummy(),
        };
        let page = location.map(|location| location.primary);
        turn(&doorbell.view, page)?;
        Self::count(&self.counters.rotations);
        let doorbell_os = doorbell.os;
        self.driver.trace().record(|| Step::Shows {
            doorbell: doorbell_os,
            page,
        });
        if let Some(view) = &doorbell.secondary {
            let page = location.and_then(|location| location.secondary);
            turn(view, page)?;
            Self::count(&self.counters.rotations);
            self.driver.trace().record(|| Step::ShowsSecondary {
                doorbell: doorbell_os,
                page,
            });
        }
        Ok(())
    }

    /// Notes that the driver may hand on what the doorbell shows from now on.
    fn releasing(&self, doorbell: &Doorbell) {
        let shows = doorbell.state.lock().shows;
        for offset in shows.into_iter().flat_map(Location::pages) {
            self.owners.releasing(offset, doorbell.os);
        }
    }

    fn write_status(&self, doorbell: &Doorbell, status: D3DDDI_DOORBELLSTATUS) {
        doorbell.write_status(status);
        self.driver.trace().record(|| Step::Status {
            doorbell: doorbell.os,
            status,
        });
    }

    /// Takes the page away: first the mapping, then the status word.
    fn lose(&self, doorbell: &Doorbell, reason: D3DDDI_DOORBELLSTATUS) {
        let mut state = doorbell.state.lock();
        state.epoch += 1;
        state.aborted |= reason == ABORT;
        if self.show(doorbell, &mut state, None).is_err() {
            self.breach(String::from(
                "the bench could not put a dummy page behind a doorbell",
            ));
        }
        let reason = if state.aborted { ABORT } else { reason };
        self.write_status(doorbell, reason);
    }

    /// Disconnects on the OS's own account: the DDI, then the mapping, then the status word.
    pub fn disconnect_doorbell(
        &self,
        doorbell: &Doorbell,
        reason: D3DDDI_DOORBELLSTATUS,
    ) -> Result<(), ObjectError> {
        let _use = doorbell.enter()?;
        // From here on the driver may give the page to others.
        self.releasing(doorbell);
        let result = self.call_disconnect(doorbell);
        self.lose(doorbell, reason);
        Ok(result?)
    }

    fn call_disconnect(&self, doorbell: &Doorbell) -> DdiResult {
        let args = DXGKARG_DISCONNECTDOORBELL {
            hDoorbell: doorbell.kmd().raw(),
            ..DXGKARG_DISCONNECTDOORBELL::ZERO
        };
        self.driver.disconnect_doorbell(&args)
    }

    /// Disconnects every doorbell, as the OS does before D3 or after a loss of the device.
    pub fn disconnect_all(&self, reason: D3DDDI_DOORBELLSTATUS) -> Result<(), ObjectError> {
        for doorbell in self.table.doorbells() {
            match self.disconnect_doorbell(&doorbell, reason) {
                // Destroyed meanwhile.
                Ok(()) | Err(ObjectError::Parameter(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// `DxgkCbDisconnectDoorbell`
    ///
    /// contract: DBC-007
    pub(super) fn disconnect_callback(
        &self,
        queue: OsHandle,
        os: OsHandle,
        reason: D3DDDI_DOORBELLSTATUS,
    ) -> NTSTATUS {
        self.driver.trace().record(|| Step::DisconnectCallback {
            queue,
            doorbell: os,
            reason,
        });
        if CREATING.get() {
            self.breach(format!(
                "DBC-007: DxgkCbDisconnectDoorbell({os}) during a create"
            ));
        }
        let found = self
            .table
            .doorbell_by_os(os)
            .filter(|bell| bell.queue.os == queue);
        let Some(doorbell) = found.filter(|_| [RETRY, ABORT].contains(&reason)) else {
            Self::count(&self.counters.disconnect_refused);
            return NTSTATUS::STATUS_INVALID_PARAMETER;
        };
        Self::count(&self.counters.disconnect_callbacks);
        match self.options().disconnect {
            DisconnectMode::Plain => {}
            DisconnectMode::Nested => self.disconnect_meanwhile(&doorbell),
            DisconnectMode::Concurrent => std::thread::scope(|scope| {
                scope.spawn(|| self.disconnect_meanwhile(&doorbell));
            }),
        }
        self.lose(&doorbell, reason);
        NTSTATUS::STATUS_SUCCESS
    }

    /// The DDI while the driver waits in its callback. The doorbell may be gone by now.
    fn disconnect_meanwhile(&self, doorbell: &Doorbell) {
        if let Ok(_use) = doorbell.enter() {
            // A failure is a breach and recorded where the status is judged.
            let _ = self.call_disconnect(doorbell);
        }
    }

    /// `D3DKMTDestroyDoorbell`
    pub fn destroy_doorbell(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        let doorbell = self.table.take_doorbell(process, handle)?;
        if !doorbell.close() {
            return Err(ObjectError::Handle {
                kind: "doorbell",
                handle,
            });
        }
        self.releasing(&doorbell);
        let args = DXGKARG_DESTROYDOORBELL {
            hDoorbell: doorbell.kmd().raw(),
        };
        let result = self.driver.destroy_doorbell(&args);
        self.table.remove_doorbell(doorbell.os);
        self.lose(&doorbell, RETRY);
        self.unpin_rings(&doorbell)?;
        Ok(result?)
    }

    /// `D3DKMTNotifyWorkSubmission`
    pub fn notify_work(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        let doorbell = self.table.doorbell(process, handle)?;
        let _use = doorbell.enter()?;
        Self::count(&self.counters.notifies);
        let args = DXGKARG_NOTIFYWORKSUBMISSION {
            hHwQueue: doorbell.queue.kmd.raw(),
            ..DXGKARG_NOTIFYWORKSUBMISSION::ZERO
        };
        Ok(self.driver.notify_work_submission(&args)?)
    }

    /// Pages of the BAR that some doorbell shows.
    #[must_use]
    pub fn pages_shown(&self) -> usize {
        self.owners.shown()
    }

    /// A doorbell by its handle, for scenarios.
    pub fn doorbell(
        &self,
        process: &Arc<Process>,
        handle: u32,
    ) -> Result<Arc<Doorbell>, ObjectError> {
        self.table.doorbell(process, handle)
    }
}
