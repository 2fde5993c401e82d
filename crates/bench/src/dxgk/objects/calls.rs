//! The driver's entry points as the memory manager and the object manager call them.
//!
//! Each call runs at the level that its page names, inside a call boundary, and is counted. A slot
//! that is not filled, a status that the page does not permit and an out-parameter written on
//! failure are told apart from an ordinary refusal.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;

use carillon_ddi::{
    DRIVER_INITIALIZATION_DATA, DXGKARG_BUILDPAGINGBUFFER, DXGKARG_CLOSEALLOCATION,
    DXGKARG_CLOSENATIVEFENCE, DXGKARG_CONNECTDOORBELL, DXGKARG_CREATEALLOCATION,
    DXGKARG_CREATECONTEXT, DXGKARG_CREATEDEVICE, DXGKARG_CREATEDOORBELL, DXGKARG_CREATEHWCONTEXT,
    DXGKARG_CREATEHWQUEUE, DXGKARG_CREATENATIVEFENCE, DXGKARG_CREATEPROCESS,
    DXGKARG_DESTROYALLOCATION, DXGKARG_DESTROYDOORBELL, DXGKARG_DESTROYNATIVEFENCE,
    DXGKARG_DISCONNECTDOORBELL, DXGKARG_NOTIFYWORKSUBMISSION, DXGKARG_OPENALLOCATION,
    DXGKARG_OPENNATIVEFENCE, DXGKARG_RESUMECONTEXT, DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES,
    DXGKARG_SETNATIVEFENCELOGBUFFER, DXGKARG_SETROOTPAGETABLE, DXGKARG_SUBMITCOMMANDTOHWQUEUE,
    DXGKARG_SUBMITCOMMANDVIRTUAL, DXGKARG_SUSPENDCONTEXT, DXGKARG_UPDATEMONITOREDVALUES, HANDLE,
    NTSTATUS,
};

use crate::nt::session::Nt;
use crate::trap::boundary::Abandoned;
use crate::verifier::irql::Irql;
use crate::verifier::violation::ViolationKind;

/// A handle that the driver returned: opaque to the OS model, only ever passed back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KmdHandle(usize);

impl KmdHandle {
    /// The null handle.
    pub const NULL: Self = Self(0);

    /// Takes the handle out of a DDI structure.
    #[must_use]
    pub fn from_raw(handle: HANDLE) -> Self {
        Self(handle.addr())
    }

    /// The handle as DDI structures hold it.
    #[must_use]
    pub fn raw(self) -> HANDLE {
        std::ptr::without_provenance_mut::<c_void>(self.0)
    }

    /// True for the null handle.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for KmdHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kmd:{:#x}", self.0)
    }
}

/// A handle that the OS model made for the driver. It looks like a kernel address and faults when
/// it is used as one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OsHandle(u64);

impl OsHandle {
    /// Makes the handle with this serial number.
    pub(crate) fn new(serial: u64) -> Self {
        Self(0xFFFF_A000_0000_0000 + serial * 0x40)
    }

    /// Takes a handle that the driver passed to a callback.
    #[must_use]
    pub fn from_raw(handle: HANDLE) -> Self {
        Self(handle.addr() as u64)
    }

    /// The handle as DDI structures hold it.
    #[must_use]
    pub fn raw(self) -> HANDLE {
        let address = usize::try_from(self.0).unwrap_or(usize::MAX);
        std::ptr::without_provenance_mut::<c_void>(address)
    }
}

impl fmt::Debug for OsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "os:{:#x}", self.0)
    }
}

/// Why a DDI call gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DdiError {
    /// The driver did not fill the slot.
    #[error("the driver has no {0}")]
    Missing(&'static str),
    /// The call did not come back; the verifier has the reason.
    #[error("{0} was abandoned; the verifier has the reason")]
    Abandoned(&'static str),
    /// The driver refused.
    #[error("{0} returned {1:?}")]
    Status(&'static str, NTSTATUS),
}

impl DdiError {
    /// The status that a thunk returns to user mode for this error.
    #[must_use]
    pub fn status(&self) -> NTSTATUS {
        match self {
            Self::Missing(_) => NTSTATUS::STATUS_NOT_SUPPORTED,
            Self::Abandoned(_) => NTSTATUS::STATUS_UNSUCCESSFUL,
            Self::Status(_, status) => *status,
        }
    }
}

/// The driver's table, the adapter it is called for, and the session that watches.
#[derive(Debug)]
pub struct Calls {
    nt: Arc<Nt>,
    table: Box<DRIVER_INITIALIZATION_DATA>,
    adapter: KmdHandle,
}

// SAFETY: the table's pointers are functions, which any thread may call; the other members are
// `Send` themselves.
unsafe impl Send for Calls {}
// SAFETY: the table is never written after construction.
unsafe impl Sync for Calls {}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:literal $method:ident($args:ty) $slot:ident at $irql:ident, adapter;)*) => {
        impl Calls {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// The slot is empty, or the call was abandoned. The driver's status is the result.
            pub fn $method(&self, args: &mut $args) -> Result<NTSTATUS, DdiError> {
                let call = self.table.$slot.ok_or(DdiError::Missing($name))?;
                let adapter = self.adapter.raw();
                self.nt
                    .ddi_call($name, Irql::$irql, || {
                        // SAFETY: the slot's own function, with a structure that lives through
                        // the call and the handle that the driver returned for this adapter.
                        unsafe { call(adapter, args) }
                    })
                    .map(Into::into)
                    .map_err(|Abandoned| DdiError::Abandoned($name))
            }
        )*}
    };
    ($($(#[$doc:meta])* $name:literal $method:ident($args:ty) $slot:ident at $irql:ident, object;)*) => {
        impl Calls {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// The slot is empty, or the call was abandoned. The driver's status is the result.
            pub fn $method(&self, object: KmdHandle, args: &mut $args) -> Result<NTSTATUS, DdiError> {
                let call = self.table.$slot.ok_or(DdiError::Missing($name))?;
                self.nt
                    .ddi_call($name, Irql::$irql, || {
                        // SAFETY: the slot's own function, with a structure that lives through
                        // the call and a handle that the driver returned.
                        unsafe { call(object.raw(), args) }
                    })
                    .map_err(|Abandoned| DdiError::Abandoned($name))
            }
        )*}
    };
    ($($(#[$doc:meta])* $name:literal $method:ident($args:ty) $slot:ident at $irql:ident, alone;)*) => {
        impl Calls {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// The slot is empty, or the call was abandoned. The driver's status is the result.
            pub fn $method(&self, args: &mut $args) -> Result<NTSTATUS, DdiError> {
                let call = self.table.$slot.ok_or(DdiError::Missing($name))?;
                self.nt
                    .ddi_call($name, Irql::$irql, || {
                        // SAFETY: the slot's own function, with a structure that lives through
                        // the call.
                        unsafe { call(args) }
                    })
                    .map_err(|Abandoned| DdiError::Abandoned($name))
            }
        )*}
    };
    ($($(#[$doc:meta])* $name:literal $method:ident $slot:ident, handle;)*) => {
        impl Calls {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// The slot is empty, or the call was abandoned. The driver's status is the result.
            pub fn $method(&self, object: KmdHandle) -> Result<NTSTATUS, DdiError> {
                let call = self.table.$slot.ok_or(DdiError::Missing($name))?;
                self.nt
                    .ddi_call($name, Irql::PASSIVE, || {
                        // SAFETY: the slot's own function, with a handle that the driver returned.
                        unsafe { call(object.raw()) }
                    })
                    .map_err(|Abandoned| DdiError::Abandoned($name))
            }
        )*}
    };
}

calls! {
    /// `DxgkDdiCreateProcess`
    "DxgkDdiCreateProcess" create_process(DXGKARG_CREATEPROCESS) DxgkDdiCreateProcess at PASSIVE, adapter;
    /// `DxgkDdiCreateDevice`
    "DxgkDdiCreateDevice" create_device(DXGKARG_CREATEDEVICE) DxgkDdiCreateDevice at PASSIVE, adapter;
    /// `DxgkDdiCreateAllocation`
    "DxgkDdiCreateAllocation" create_allocation(DXGKARG_CREATEALLOCATION) DxgkDdiCreateAllocation at PASSIVE, adapter;
    /// `DxgkDdiDestroyAllocation`
    "DxgkDdiDestroyAllocation" destroy_allocation(DXGKARG_DESTROYALLOCATION) DxgkDdiDestroyAllocation at PASSIVE, adapter;
    /// `DxgkDdiBuildPagingBuffer`
    "DxgkDdiBuildPagingBuffer" build_paging_buffer(DXGKARG_BUILDPAGINGBUFFER) DxgkDdiBuildPagingBuffer at PASSIVE, adapter;
    /// `DxgkDdiSubmitCommandVirtual`
    "DxgkDdiSubmitCommandVirtual" submit_command_virtual(DXGKARG_SUBMITCOMMANDVIRTUAL) DxgkDdiSubmitCommandVirtual at PASSIVE, adapter;
    /// `DxgkDdiSubmitCommandToHwQueue`
    "DxgkDdiSubmitCommandToHwQueue" submit_command_to_hw_queue(DXGKARG_SUBMITCOMMANDTOHWQUEUE) DxgkDdiSubmitCommandToHwQueue at DISPATCH, adapter;
    /// `DxgkDdiSetContextSchedulingProperties`
    "DxgkDdiSetContextSchedulingProperties" set_context_scheduling_properties(DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES) DxgkDdiSetContextSchedulingProperties at PASSIVE, adapter;
    /// `DxgkDdiSuspendContext`
    "DxgkDdiSuspendContext" suspend_context(DXGKARG_SUSPENDCONTEXT) DxgkDdiSuspendContext at PASSIVE, adapter;
    /// `DxgkDdiResumeContext`
    "DxgkDdiResumeContext" resume_context(DXGKARG_RESUMECONTEXT) DxgkDdiResumeContext at PASSIVE, adapter;
    /// `DxgkDdiCreateNativeFence`
    "DxgkDdiCreateNativeFence" create_native_fence(DXGKARG_CREATENATIVEFENCE) DxgkDdiCreateNativeFence at PASSIVE, adapter;
    /// `DxgkDdiOpenNativeFence`
    "DxgkDdiOpenNativeFence" open_native_fence(DXGKARG_OPENNATIVEFENCE) DxgkDdiOpenNativeFence at PASSIVE, adapter;
    /// `DxgkDdiCloseNativeFence`
    "DxgkDdiCloseNativeFence" close_native_fence(DXGKARG_CLOSENATIVEFENCE) DxgkDdiCloseNativeFence at PASSIVE, adapter;
    /// `DxgkDdiDestroyNativeFence`
    "DxgkDdiDestroyNativeFence" destroy_native_fence(DXGKARG_DESTROYNATIVEFENCE) DxgkDdiDestroyNativeFence at PASSIVE, adapter;
}

calls! {
    /// `DxgkDdiCreateContext`
    "DxgkDdiCreateContext" create_context(DXGKARG_CREATECONTEXT) DxgkDdiCreateContext at PASSIVE, object;
    /// `DxgkDdiCreateHwContext`
    "DxgkDdiCreateHwContext" create_hw_context(DXGKARG_CREATEHWCONTEXT) DxgkDdiCreateHwContext at PASSIVE, object;
    /// `DxgkDdiCreateHwQueue`
    "DxgkDdiCreateHwQueue" create_hw_queue(DXGKARG_CREATEHWQUEUE) DxgkDdiCreateHwQueue at PASSIVE, object;
    /// `DxgkDdiOpenAllocation`
    "DxgkDdiOpenAllocation" open_allocation(DXGKARG_OPENALLOCATION) DxgkDdiOpenAllocation at PASSIVE, object;
    /// `DxgkDdiCloseAllocation`
    "DxgkDdiCloseAllocation" close_allocation(DXGKARG_CLOSEALLOCATION) DxgkDdiCloseAllocation at PASSIVE, object;
}

calls! {
    /// `DxgkDdiCreateDoorbell`
    "DxgkDdiCreateDoorbell" create_doorbell(DXGKARG_CREATEDOORBELL) DxgkDdiCreateDoorbell at PASSIVE, alone;
    /// `DxgkDdiConnectDoorbell`
    "DxgkDdiConnectDoorbell" connect_doorbell(DXGKARG_CONNECTDOORBELL) DxgkDdiConnectDoorbell at PASSIVE, alone;
    /// `DxgkDdiDisconnectDoorbell`
    "DxgkDdiDisconnectDoorbell" disconnect_doorbell(DXGKARG_DISCONNECTDOORBELL) DxgkDdiDisconnectDoorbell at PASSIVE, alone;
    /// `DxgkDdiDestroyDoorbell`
    "DxgkDdiDestroyDoorbell" destroy_doorbell(DXGKARG_DESTROYDOORBELL) DxgkDdiDestroyDoorbell at PASSIVE, alone;
    /// `DxgkDdiNotifyWorkSubmission`
    "DxgkDdiNotifyWorkSubmission" notify_work_submission(DXGKARG_NOTIFYWORKSUBMISSION) DxgkDdiNotifyWorkSubmission at PASSIVE, alone;
    /// `DxgkDdiSetNativeFenceLogBuffer`
    "DxgkDdiSetNativeFenceLogBuffer" set_native_fence_log_buffer(DXGKARG_SETNATIVEFENCELOGBUFFER) DxgkDdiSetNativeFenceLogBuffer at DISPATCH, alone;
    /// `DxgkDdiUpdateMonitoredValues`
    "DxgkDdiUpdateMonitoredValues" update_monitored_values(DXGKARG_UPDATEMONITOREDVALUES) DxgkDdiUpdateMonitoredValues at DEVICE, alone;
}

calls! {
    /// `DxgkDdiDestroyDevice`
    "DxgkDdiDestroyDevice" destroy_device DxgkDdiDestroyDevice, handle;
    /// `DxgkDdiDestroyContext`
    "DxgkDdiDestroyContext" destroy_context DxgkDdiDestroyContext, handle;
    /// `DxgkDdiDestroyHwContext`
    "DxgkDdiDestroyHwContext" destroy_hw_context DxgkDdiDestroyHwContext, handle;
    /// `DxgkDdiDestroyHwQueue`
    "DxgkDdiDestroyHwQueue" destroy_hw_queue DxgkDdiDestroyHwQueue, handle;
}

impl Calls {
    /// Calls through `table`, a copy of what the driver registered, for `adapter`, the context
    /// that `DxgkDdiAddDevice` returned.
    #[must_use]
    pub fn new(nt: Arc<Nt>, table: &DRIVER_INITIALIZATION_DATA, adapter: KmdHandle) -> Self {
        Self { nt, table: Box::new(*table), adapter }
    }

    /// The session that the calls run in.
    #[must_use]
    pub fn nt(&self) -> &Arc<Nt> {
        &self.nt
    }

    /// `DxgkDdiDestroyProcess`
    ///
    /// # Errors
    /// As for the other calls.
    pub fn destroy_process(&self, process: KmdHandle) -> Result<NTSTATUS, DdiError> {
        const NAME: &str = "DxgkDdiDestroyProcess";
        let call = self.table.DxgkDdiDestroyProcess.ok_or(DdiError::Missing(NAME))?;
        let adapter = self.adapter.raw();
        self.nt
            .ddi_call(NAME, Irql::PASSIVE, || {
                // SAFETY: the slot's own function, with two handles that the driver returned.
                unsafe { call(adapter, process.raw()) }
            })
            .map_err(|Abandoned| DdiError::Abandoned(NAME))
    }

    /// `DxgkDdiSetRootPageTable`, which returns nothing.
    ///
    /// # Errors
    /// The slot is empty, or the call was abandoned.
    pub fn set_root_page_table(&self, args: &DXGKARG_SETROOTPAGETABLE) -> Result<(), DdiError> {
        const NAME: &str = "DxgkDdiSetRootPageTable";
        let call = self.table.DxgkDdiSetRootPageTable.ok_or(DdiError::Missing(NAME))?;
        let adapter = self.adapter.raw();
        self.nt
            .ddi_call(NAME, Irql::PASSIVE, || {
                // SAFETY: the slot's own function, with a structure that lives through the call.
                unsafe { call(adapter, args) }
            })
            .map_err(|Abandoned| DdiError::Abandoned(NAME))
    }

    /// Records that the driver broke a rule; `rule` names the clause of the contract.
    pub fn violation(&self, ddi: &'static str, rule: &'static str, what: impl fmt::Display) {
        let what = format!("{rule}: {what}");
        self.nt.verifier.report(ViolationKind::Misuse { import: ddi, what });
    }
}

/// Turns a status into a result.
///
/// # Errors
/// The status is no success.
pub fn succeed(ddi: &'static str, status: NTSTATUS) -> Result<(), DdiError> {
    if status.is_success() { Ok(()) } else { Err(DdiError::Status(ddi, status)) }
}
