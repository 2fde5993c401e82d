//! Doorbells: creation, connection, loss, destruction.
//!
//! A doorbell's `epoch` counts how often it lost its page. A connect that finds another epoch after
//! the driver's answer than before it throws the answer away: the page may already be somebody
//! else's, and the client finds the status that the loss wrote. So nothing has to be locked while
//! the driver runs.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use carillon_ddi::{
    D3DDDI_DOORBELLSTATUS, DXGKARG_CONNECTDOORBELL, DXGKARG_CONNECTDOORBELL_FLAGS,
    DXGKARG_CREATEDOORBELL, DXGKARG_CREATEDOORBELL_FLAGS, DXGKARG_DESTROYDOORBELL,
    DXGKARG_DISCONNECTDOORBELL, DXGKARG_NOTIFYWORKSUBMISSION, NTSTATUS,
};
use parking_lot::{Condvar, Mutex};

use super::process::{AllocationObject, Process};
use super::queue::Queue;
use super::rotation::DoorbellView;
use super::table::Object;
use super::view::UserView;
use super::{DisconnectMode, ObjectError, ObjectManager};
use crate::dxgk::driver::{DdiError, DdiResult, Guarded};
use crate::dxgk::handle::{KmdHandle, OsHandle};
use crate::dxgk::trace::Step;
use crate::dxgk::vidmm::place::SystemPages;
use crate::trap::PAGE_SIZE;
use crate::trap::mapping::Access;

/// Most bytes of doorbell private data (`D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1`).
pub const PRIVATE_DATA_BYTES: usize = 16;
/// Largest doorbell.
const LARGEST: u32 = 16384;

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

#[derive(Debug, Default)]
struct State {
    /// Offset in the BAR of what is behind the user address; `None` for the dummy page.
    shows: Option<usize>,
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
    view: DoorbellView,
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

    fn write_status(&self, status: D3DDDI_DOORBELLSTATUS) {
        if let Some(word) = self.status.word(0) {
            word.store(status.0.cast_unsigned().into(), Ordering::SeqCst);
        }
    }

    /// Offset in the BAR of the page behind the user address, if it is one of the BAR's.
    #[must_use]
    pub fn shows(&self) -> Option<usize> {
        self.state.lock().shows
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

/// What to create a doorbell of.
#[derive(Debug, Clone, Copy)]
pub struct DoorbellRequest<'a> {
    /// Handle of the queue.
    pub queue: u32,
    /// Handle of the ring buffer.
    pub ring: u32,
    /// Handle of the ring control allocation.
    pub control: Option<u32>,
    /// Private driver data.
    pub private_data: &'a [u8],
    /// `ResizeRingBufferOperation`
    pub resize: bool,
    /// `RequireSecondaryCpuVA`
    pub secondary: bool,
}

/// What the creator of a doorbell learns.
#[derive(Debug, Clone)]
pub struct NewDoorbell {
    /// Handle of the doorbell.
    pub doorbell: u32,
    /// Where to ring.
    pub address: NonNull<u64>,
    /// The status word.
    pub status: NonNull<u64>,
    /// Where to publish the last queued progress value.
    pub last_queued: NonNull<u64>,
    /// Private driver data as the driver left it.
    pub private_data: Vec<u8>,
}

impl ObjectManager {
    /// `D3DKMTCreateDoorbell`
    pub fn create_doorbell(
        &self,
        process: &Arc<Process>,
        request: &DoorbellRequest<'_>,
    ) -> Result<NewDoorbell, ObjectError> {
        let queue = self.table.queue(process, request.queue)?;
        let bytes = self.check_request(&queue, request)?;
        let ring = self.resident(process, request.ring)?;
        let control = request
            .control
            .map(|handle| self.resident(process, handle))
            .transpose()?;
        let status = SystemPages::new(self.nt(), 1)?;
        let status_view = UserView::of_page(self.nt(), &status, 0, Access::Read)?;
        let doorbell = Arc::new(Doorbell {
            queue,
            os: OsHandle::fresh(),
            kmd: OnceLock::new(),
            ring,
            control,
            view: DoorbellView::new(bytes)?,
            status,
            status_view,
            state: Mutex::default(),
            users: AtomicUsize::new(0),
            idle: (Mutex::new(()), Condvar::new()),
            dead: Mutex::new(false),
        });
        // 0 means connected: the word must not be seen before it says otherwise.
        self.write_status(&doorbell, RETRY);
        self.pin_rings(&doorbell)?;
        let created = self.call_create_doorbell(&doorbell, request);
        let private_data = match created {
            Ok(private_data) => private_data,
            Err(error) => {
                self.table.remove_doorbell(doorbell.os);
                let _ = self.unpin_rings(&doorbell);
                return Err(error);
            }
        };
        let handle = self.table.reserve();
        let new = NewDoorbell {
            doorbell: handle,
            address: doorbell.view.word()?,
            status: doorbell.status_view.word()?,
            last_queued: doorbell.queue.queued_view.word()?,
            private_data,
        };
        self.table.publish(handle, Object::Doorbell(doorbell));
        Ok(new)
    }

    /// contract: DBC-020, DBC-027
    fn check_request(
        &self,
        queue: &Queue,
        request: &DoorbellRequest<'_>,
    ) -> Result<usize, ObjectError> {
        if !queue.user_mode {
            return Err(ObjectError::Parameter(
                "the queue is not for user-mode submission",
            ));
        }
        let unchecked = self.options().unchecked_doorbell_data;
        if request.private_data.len() > PRIVATE_DATA_BYTES && !unchecked {
            return Err(ObjectError::Parameter(
                "more than 16 bytes of doorbell private data",
            ));
        }
        if request.secondary {
            // The driver's second address has nowhere to go in this generation's create.
            return Err(ObjectError::NotSupported("a second doorbell address"));
        }
        let bytes = self.facts.doorbell_bytes;
        if bytes == 0 || bytes > LARGEST || !bytes.is_multiple_of(4096) {
            return Err(ObjectError::NotSupported("doorbells of that size"));
        }
        usize::try_from(bytes).map_err(|_| ObjectError::Host)
    }

    /// contract: DBC-021, DBC-022
    fn resident(
        &self,
        process: &Arc<Process>,
        handle: u32,
    ) -> Result<Arc<AllocationObject>, ObjectError> {
        let object = self.table.allocation(process, handle)?;
        if object.get()?.is_resident() {
            Ok(object)
        } else {
            Err(ObjectError::Parameter(
                "DBC-021: the ring or its control is not resident",
            ))
        }
    }

    fn pin_rings(&self, doorbell: &Doorbell) -> Result<(), ObjectError> {
        doorbell.ring.pin()?;
        if let Some(control) = &doorbell.control
            && let Err(error) = control.pin()
        {
            self.unpin_allocation(&doorbell.ring)?;
            return Err(error);
        }
        Ok(())
    }

    fn unpin_rings(&self, doorbell: &Doorbell) -> Result<(), ObjectError> {
        self.unpin_allocation(&doorbell.ring)?;
        match &doorbell.control {
            Some(control) => self.unpin_allocation(control),
            None => Ok(()),
        }
    }

    /// contract: DBC-015
    fn call_create_doorbell(
        &self,
        doorbell: &Arc<Doorbell>,
        request: &DoorbellRequest<'_>,
    ) -> Result<Vec<u8>, ObjectError> {
        const DDI: &str = "DxgkDdiCreateDoorbell";
        let by_allocation = self.options().allocation_handles_at_doorbell;
        let handle = |object: &AllocationObject| {
            let allocation = object.get()?;
            let handle = if by_allocation {
                allocation.kmd
            } else {
                allocation.opened
            };
            Ok::<_, ObjectError>(handle.raw())
        };
        let ring = handle(&doorbell.ring)?;
        let control = doorbell.control.as_deref().map(handle).transpose()?;
        let private = Guarded::from_slice(request.private_data)
            .map_err(|_| DdiError::NoMemory { ddi: DDI })?;
        let mut args = DXGKARG_CREATEDOORBELL {
            hHwQueue: doorbell.queue.kmd.raw(),
            hDoorbell: doorbell.os.raw(),
            PrivateDriverDataSize: u32::try_from(request.private_data.len()).unwrap_or(u32::MAX),
            PrivateDriverData: if request.private_data.is_empty() {
                std::ptr::null_mut()
            } else {
                private.as_mut_ptr().cast()
            },
            hRingBuffer: ring,
            hRingBufferControl: control.unwrap_or(std::ptr::null_mut()),
            Flags: DXGKARG_CREATEDOORBELL_FLAGS::new()
                .with_ResizeRingBufferOperation(request.resize),
        };
        self.table.add_doorbell(doorbell);
        CREATING.set(true);
        let result = self.driver.create_doorbell(&mut args);
        CREATING.set(false);
        result?;
        let kmd = KmdHandle::from_raw(args.hDoorbell);
        if kmd.is_null() || args.hDoorbell == doorbell.os.raw() {
            self.breach(format!(
                "DBC-015: {DDI} succeeded and left hDoorbell as it was"
            ));
        }
        let _ = doorbell.kmd.set(kmd);
        Ok(private.values())
    }

    /// `D3DKMTConnectDoorbell`
    pub fn connect_doorbell(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        let doorbell = self.table.doorbell(process, handle)?;
        let _use = doorbell.enter()?;
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
            Flags: DXGKARG_CONNECTDOORBELL_FLAGS::new(),
            // What a driver that forgets to answer would leave behind is no legal answer.
            Status: D3DDDI_DOORBELLSTATUS(-1),
            ..DXGKARG_CONNECTDOORBELL::ZERO
        };
        let result = self.driver.connect_doorbell(&mut args);
        self.check_connect_failure(result)?;
        let offset = self.checked_answer(&args)?;
        let mut state = doorbell.state.lock();
        if state.epoch != epoch {
            // Lost meanwhile: the status word says so already.
            return Ok(());
        }
        self.show(&doorbell, &mut state, Some(offset))?;
        self.write_status(&doorbell, args.Status);
        Ok(())
    }

    /// contract: DBN-008, DBN-009
    fn check_connect_failure(&self, result: DdiResult) -> Result<(), ObjectError> {
        if let Err(DdiError::Refused { status, ddi }) = result {
            const LOST: [NTSTATUS; 5] = [
                NTSTATUS::STATUS_DEVICE_NOT_CONNECTED,
                NTSTATUS::STATUS_DEVICE_REMOVED,
                NTSTATUS::STATUS_NO_SUCH_DEVICE,
                NTSTATUS::STATUS_DEVICE_DOES_NOT_EXIST,
                NTSTATUS::STATUS_DEVICE_NOT_READY,
            ];
            if !LOST.contains(&status) {
                self.breach(format!(
                    "DBN-009: {ddi} failed with {status}: only a lost GPU may"
                ));
            }
        }
        Ok(result?)
    }

    /// Checks what the driver answered; returns the offset in the BAR.
    ///
    /// contract: DBN-003, DBN-006
    /// regression: MAP-05
    fn checked_answer(&self, args: &DXGKARG_CONNECTDOORBELL) -> Result<usize, ObjectError> {
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
        let offset = self.platform.doorbells().offset_of(address);
        let end = |offset: usize| offset.checked_add(self.facts.doorbell_bytes as usize);
        let len = self.platform.doorbells().region().len();
        let inside = offset.filter(|offset| end(*offset).is_some_and(|end| end <= len));
        if let Some(offset) = inside.filter(|offset| offset.is_multiple_of(PAGE_SIZE)) {
            return Ok(offset);
        }
        self.breach(format!(
            "DBN-003: DxgkDdiConnectDoorbell answered {address:#x}, which is no doorbell page in a \
             mapping of the doorbell BAR"
        ));
        Err(ObjectError::Parameter(
            "the driver answered an impossible address",
        ))
    }

    /// Switches what is behind the user address. The caller writes the status afterwards.
    ///
    /// contract: DBN-011, VIC-008
    fn show(
        &self,
        doorbell: &Doorbell,
        state: &mut State,
        offset: Option<usize>,
    ) -> Result<(), ObjectError> {
        if let Some(offset) = offset {
            let others = self.owners.claim(offset, doorbell.os);
            if !others.is_empty() && self.facts.dedicated_doorbells {
                self.breach(format!(
                    "VIC-008: page {offset:#x} given to {} while {others:?} shows it: reused \
                     before DxgkCbDisconnectDoorbell returned, or without it",
                    doorbell.os
                ));
            }
        }
        if state.shows == offset && offset.is_some() {
            return Ok(());
        }
        match offset {
            Some(offset) => doorbell
                .view
                .show(self.platform.doorbells().region(), offset)?,
            None => doorbell.view.show_dummy()?,
        }
        if let Some(before) = state.shows.take().filter(|before| Some(*before) != offset) {
            self.owners.release(before, doorbell.os);
        }
        state.shows = offset;
        Self::count(&self.counters.rotations);
        self.driver.trace().record(|| Step::Shows {
            doorbell: doorbell.os,
            page: offset,
        });
        Ok(())
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
        if let Some(offset) = doorbell.shows() {
            self.owners.releasing(offset, doorbell.os);
        }
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
        if let Some(offset) = doorbell.shows() {
            self.owners.releasing(offset, doorbell.os);
        }
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

    /// A doorbell by its handle, for scenarios.
    pub fn doorbell(
        &self,
        process: &Arc<Process>,
        handle: u32,
    ) -> Result<Arc<Doorbell>, ObjectError> {
        self.table.doorbell(process, handle)
    }
}
