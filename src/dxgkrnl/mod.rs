//! What the driver calls in dxgkrnl: the callbacks of `DXGKRNL_INTERFACE` as methods.
//!
//! The interface is read once, at start. Only callbacks that lie inside its `Size` and are not
//! NULL exist for the driver; without the indispensable ones the adapter does not start, without
//! the others the capability behind them is not offered.

mod feature;
mod notification;
mod resources;

use core::ffi::c_void;
use core::mem::offset_of;
use core::ptr::{self, NonNull};

use carillon_core::error::{Error, Result};
use carillon_core::handle::OsHandle;
use carillon_core::irql::{Dispatch, Passive};
use carillon_core::notify::Notification;
use carillon_core::platform::{Blame, DisconnectOutcome, DisconnectReason};
use carillon_ddi::{
    BOOLEAN, D3DDDI_DOORBELLSTATUS, D3DKMT_HANDLE, DXGK_DEVICE_INFO, DXGK_HANDLE_TYPE,
    DXGK_INVALIDATEHWCONTEXTFLAGS, DXGKARGCB_DISCONNECTDOORBELL,
    DXGKARGCB_DISCONNECTDOORBELL_FLAGS, DXGKARGCB_GETHANDLEDATA, DXGKARGCB_INVALIDATEHWCONTEXT,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA, DXGKCB_DISCONNECTDOORBELL, DXGKCB_GET_DEVICE_INFORMATION,
    DXGKCB_GETHANDLEDATA, DXGKCB_GETHANDLEDATAFLAGS, DXGKCB_INVALIDATEHWCONTEXT, DXGKCB_MAP_MEMORY,
    DXGKCB_NOTIFY_DPC, DXGKCB_NOTIFY_INTERRUPT, DXGKCB_QUERY_SERVICES, DXGKCB_QUEUE_DPC,
    DXGKCB_SYNCHRONIZE_EXECUTION, DXGKCB_UNMAP_MEMORY, DXGKRNL_INTERFACE, HANDLE,
    MEMORY_CACHING_TYPE, NTSTATUS, PHYSICAL_ADDRESS, PVOID,
};

pub(crate) use resources::{MemoryResource, memory_resources};

/// The callbacks that the driver uses.
///
/// # Invariants
/// `device` and the callbacks are those that dxgkrnl passed to `DxgkDdiStartDevice` for this
/// adapter, and are used before its `DxgkDdiStopDevice` returns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dxgkrnl {
    device: HANDLE,
    get_device_information: DXGKCB_GET_DEVICE_INFORMATION,
    map_memory: DXGKCB_MAP_MEMORY,
    unmap_memory: DXGKCB_UNMAP_MEMORY,
    queue_dpc: DXGKCB_QUEUE_DPC,
    synchronize_execution: DXGKCB_SYNCHRONIZE_EXECUTION,
    notify_interrupt: DXGKCB_NOTIFY_INTERRUPT,
    notify_dpc: DXGKCB_NOTIFY_DPC,
    get_handle_data: DXGKCB_GETHANDLEDATA,
    query_services: Option<DXGKCB_QUERY_SERVICES>,
    disconnect_doorbell: Option<DXGKCB_DISCONNECTDOORBELL>,
    invalidate_hw_context: Option<DXGKCB_INVALIDATEHWCONTEXT>,
}

// SAFETY: dxgkrnl's callbacks may be called from any thread; `device` is only passed back to them.
unsafe impl Send for Dxgkrnl {}
// SAFETY: as above.
unsafe impl Sync for Dxgkrnl {}

/// A callback of an interface that may be shorter than ours, or NULL.
macro_rules! callback {
    ($interface:ident, $bytes:ident, $name:ident) => {
        if offset_of!(DXGKRNL_INTERFACE, $name) + size_of::<usize>() <= $bytes {
            let member: *const Option<_> = $interface
                .wrapping_byte_add(offset_of!(DXGKRNL_INTERFACE, $name))
                .cast();
            // SAFETY: the member lies inside the bytes that the interface says it has, and is
            // NULL or the callback of this name, whose type the place it goes to states.
            unsafe { member.read() }
        } else {
            None
        }
    };
}

impl Dxgkrnl {
    /// Takes what the driver uses from dxgkrnl's interface.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a NULL interface, [`Error::NotSupported`] when an
    /// indispensable callback is missing.
    ///
    /// # Safety
    /// `interface` is NULL or the interface that `DxgkDdiStartDevice` got, with `Size` readable
    /// bytes, and the value is used before `DxgkDdiStopDevice` returns.
    pub(crate) unsafe fn new(interface: *const DXGKRNL_INTERFACE) -> Result<Self> {
        if interface.is_null() {
            return Err(Error::InvalidParameter);
        }
        // SAFETY: not NULL, so a structure that has at least its first member, `Size`.
        let bytes = unsafe { interface.cast::<u32>().read() } as usize;
        if bytes < offset_of!(DXGKRNL_INTERFACE, DxgkCbEvalAcpiMethod) {
            return Err(Error::NotSupported);
        }
        let device: *const HANDLE = interface
            .wrapping_byte_add(offset_of!(DXGKRNL_INTERFACE, DeviceHandle))
            .cast();
        // SAFETY: the member lies inside `Size` bytes, checked above.
        let device = unsafe { device.read() };
        Ok(Self {
            device,
            get_device_information: callback!(interface, bytes, DxgkCbGetDeviceInformation)
                .ok_or(Error::NotSupported)?,
            map_memory: callback!(interface, bytes, DxgkCbMapMemory).ok_or(Error::NotSupported)?,
            unmap_memory: callback!(interface, bytes, DxgkCbUnmapMemory)
                .ok_or(Error::NotSupported)?,
            queue_dpc: callback!(interface, bytes, DxgkCbQueueDpc).ok_or(Error::NotSupported)?,
            synchronize_execution: callback!(interface, bytes, DxgkCbSynchronizeExecution)
                .ok_or(Error::NotSupported)?,
            notify_interrupt: callback!(interface, bytes, DxgkCbNotifyInterrupt)
                .ok_or(Error::NotSupported)?,
            notify_dpc: callback!(interface, bytes, DxgkCbNotifyDpc).ok_or(Error::NotSupported)?,
            get_handle_data: callback!(interface, bytes, DxgkCbGetHandleData)
                .ok_or(Error::NotSupported)?,
            query_services: callback!(interface, bytes, DxgkCbQueryServices),
            disconnect_doorbell: callback!(interface, bytes, DxgkCbDisconnectDoorbell),
            invalidate_hw_context: callback!(interface, bytes, DxgkCbInvalidateHwContext),
        })
    }

    /// Whether a doorbell can be taken back: without that there is no user-mode submission.
    pub(crate) const fn can_disconnect_doorbells(&self) -> bool {
        self.disconnect_doorbell.is_some()
    }

    /// The OS's handle of the adapter.
    pub(crate) const fn device(&self) -> HANDLE {
        self.device
    }

    /// `DxgkCbGetDeviceInformation`: the translated resources among other things.
    ///
    /// # Errors
    /// [`Error::BadHardware`] when dxgkrnl cannot tell.
    pub(crate) fn device_information(&self, _passive: Passive<'_>) -> Result<DXGK_DEVICE_INFO> {
        let mut information = DXGK_DEVICE_INFO::ZERO;
        // SAFETY: PASSIVE_LEVEL; handle and callback belong together (invariant); the output is
        // ours (page `nc-dispmprt-dxgkcb_get_device_information`).
        let status = unsafe { (self.get_device_information)(self.device, &raw mut information) };
        if status.is_success() {
            Ok(information)
        } else {
            Err(Error::BadHardware)
        }
    }

    /// `DxgkCbMapMemory` into kernel space, uncached.
    ///
    /// # Errors
    /// [`Error::InsufficientResources`] when there is no room for the mapping.
    pub(crate) fn map_memory(
        &self,
        _passive: Passive<'_>,
        start: PHYSICAL_ADDRESS,
        bytes: u32,
    ) -> Result<NonNull<u8>> {
        const NO: BOOLEAN = 0;
        let mut base: PVOID = ptr::null_mut();
        // SAFETY: PASSIVE_LEVEL; the range is a translated resource of this device; the output is
        // ours (page `nc-dispmprt-dxgkcb_map_memory`).
        let status = unsafe {
            (self.map_memory)(
                self.device,
                start,
                bytes,
                NO,
                NO,
                MEMORY_CACHING_TYPE::MmNonCached,
                &raw mut base,
            )
        };
        if !status.is_success() {
            return Err(Error::InsufficientResources);
        }
        NonNull::new(base.cast()).ok_or(Error::InsufficientResources)
    }

    /// `DxgkCbUnmapMemory`. IRQL: PASSIVE_LEVEL.
    ///
    /// # Safety
    /// `base` came from [`Self::map_memory`], and nothing accesses it any more.
    pub(crate) unsafe fn unmap_memory(&self, base: NonNull<u8>) {
        // SAFETY: the caller's contract is the page's (`nc-dispmprt-dxgkcb_unmap_memory`). A
        // failure leaves the mapping in place, which harms nobody.
        let _: NTSTATUS = unsafe { (self.unmap_memory)(self.device, base.as_ptr().cast()) };
    }

    /// `DxgkCbGetHandleData`: the driver's handle of an allocation that the OS names by its own.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`] for a handle of no allocation.
    pub(crate) fn allocation_of(
        &self,
        _passive: Passive<'_>,
        allocation: D3DKMT_HANDLE,
    ) -> Result<HANDLE> {
        let question = DXGKARGCB_GETHANDLEDATA {
            hObject: allocation,
            Type: DXGK_HANDLE_TYPE::DXGK_HANDLE_ALLOCATION,
            Flags: DXGKCB_GETHANDLEDATAFLAGS::new(),
        };
        // SAFETY: PASSIVE_LEVEL; the question is ours and only read (page
        // `nc-d3dkmddi-dxgkcb_gethandledata`).
        let data = unsafe { (self.get_handle_data)(&raw const question) };
        if data.is_null() {
            Err(Error::InvalidHandle)
        } else {
            Ok(data)
        }
    }

    /// `DxgkCbQueueDpc`. IRQL: any.
    pub(crate) fn queue_dpc(&self) {
        // SAFETY: callable at any level (page `nc-dispmprt-dxgkcb_queue_dpc`). "Queued already" is
        // as good as "queued".
        let _: BOOLEAN = unsafe { (self.queue_dpc)(self.device) };
    }

    /// `DxgkCbNotifyDpc`, from the DPC routine.
    pub(crate) fn notify_dpc(&self, _dispatch: Dispatch<'_>) {
        // SAFETY: DISPATCH_LEVEL, from the DPC routine (page `nc-d3dkmddi-dxgkcb_notify_dpc`).
        unsafe { (self.notify_dpc)(self.device) };
    }

    /// `DxgkCbSynchronizeExecution` around `DxgkCbNotifyInterrupt`. `false` if the routine did not
    /// run: nothing was reported.
    pub(crate) fn notify(&self, _dispatch: Dispatch<'_>, notification: &Notification) -> bool {
        let mut report = Report {
            notify_interrupt: self.notify_interrupt,
            device: self.device,
            data: notification::lay_out(notification),
        };
        let mut returned: u8 = 0;
        // SAFETY: at most DISPATCH_LEVEL; routine and context match, and the context outlives the
        // call, which is synchronous (page `nc-dispmprt-dxgkcb_synchronize_execution`). Message 0
        // is the device's only one.
        let status = unsafe {
            (self.synchronize_execution)(
                self.device,
                Some(report_interrupt),
                (&raw mut report).cast(),
                0,
                &raw mut returned,
            )
        };
        status.is_success() && returned != 0
    }

    /// `DxgkCbDisconnectDoorbell`. The handles are the OS's own; the call carries no adapter.
    pub(crate) fn disconnect_doorbell(
        &self,
        _passive: Passive<'_>,
        queue: OsHandle,
        doorbell: OsHandle,
        reason: DisconnectReason,
    ) -> DisconnectOutcome {
        let Some(disconnect) = self.disconnect_doorbell else {
            return DisconnectOutcome::AlreadyGone;
        };
        let mut arguments = DXGKARGCB_DISCONNECTDOORBELL {
            hHwQueue: os_pointer(queue),
            hDoorbell: os_pointer(doorbell),
            Flags: DXGKARGCB_DISCONNECTDOORBELL_FLAGS::new(),
            DisconnectReason: match reason {
                DisconnectReason::Retry => {
                    D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY
                }
                DisconnectReason::Abort => {
                    D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT
                }
            },
        };
        // SAFETY: PASSIVE_LEVEL with no lock held (the core's contract); the arguments are ours
        // and the handles are the OS's (page `nc-d3dkmddi-dxgkcb_disconnectdoorbell`).
        let status = unsafe { disconnect(&raw mut arguments) };
        if status.is_success() {
            DisconnectOutcome::Rotated
        } else {
            // STATUS_INVALID_PARAMETER is the page's only failure: the OS knows the doorbell no
            // more.
            DisconnectOutcome::AlreadyGone
        }
    }
}

impl Dxgkrnl {
    /// `DxgkCbInvalidateHwContext`: the OS puts the device of this context in error. Without the
    /// callback nobody resets single engines.
    pub(crate) fn invalidate_hw_context(
        &self,
        _passive: Passive<'_>,
        context: OsHandle,
        blame: Blame,
    ) {
        let Some(invalidate) = self.invalidate_hw_context else {
            return;
        };
        let arguments = DXGKARGCB_INVALIDATEHWCONTEXT {
            hAdapter: self.device,
            hHwContext: os_pointer(context),
            Flags: DXGK_INVALIDATEHWCONTEXTFLAGS::new()
                .with_CollateralDamage(blame == Blame::Bystander),
        };
        // SAFETY: PASSIVE_LEVEL with no lock held (the core's contract); the arguments are ours
        // and only read, the handles are the OS's (page
        // `nc-d3dkmddi-dxgkcb_invalidatehwcontext`). Should the OS not know the context any more,
        // there is nobody left to tell.
        let _: NTSTATUS = unsafe { invalidate(&raw const arguments) };
    }
}

/// What [`report_interrupt`] works on.
struct Report {
    notify_interrupt: DXGKCB_NOTIFY_INTERRUPT,
    device: HANDLE,
    data: DXGKARGCB_NOTIFY_INTERRUPT_DATA,
}

/// The routine under the interrupt's lock: DxgkCbNotifyInterrupt is not reentrant and wants device
/// IRQL. Page `nc-wdm-ksynchronize_routine`.
///
/// # Safety
/// `context` points to a [`Report`] that nobody else uses.
unsafe extern "win64" fn report_interrupt(context: *mut c_void) -> BOOLEAN {
    // SAFETY: the caller is DxgkCbSynchronizeExecution, which passes on the address of `notify`'s
    // report while `notify` waits.
    let report = unsafe { &mut *context.cast::<Report>() };
    // SAFETY: device IRQL under the interrupt's lock, as the page
    // `nc-d3dkmddi-dxgkcb_notify_interrupt` demands.
    unsafe { (report.notify_interrupt)(report.device, &raw mut report.data) };
    1
}

/// An OS handle in the form in which it came.
pub(crate) const fn os_pointer(handle: OsHandle) -> HANDLE {
    ptr::without_provenance_mut(handle.0)
}
