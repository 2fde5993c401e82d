//! One method for each entry point that the OS model calls.
//!
//! Levels are those of the pages and, where a page is silent, of the header's annotations. Statuses
//! are those that the page lists; a page that says "an error code" permits every one that says what
//! is wrong, and a page that says "must succeed" permits none.

use carillon_ddi::{
    BOOLEAN, DEVICE_POWER_STATE, DXGK_CHILD_DESCRIPTOR, DXGK_CHILD_STATUS, DXGK_DEVICE_DESCRIPTOR,
    DXGK_GPUCLOCKDATA, DXGK_NODEMETADATA, DXGK_START_INFO, DXGK_SURPRISE_REMOVAL_TYPE,
    DXGKARG_BUILDPAGINGBUFFER, DXGKARG_CANCELCOMMAND, DXGKARG_CLOSEALLOCATION,
    DXGKARG_CLOSENATIVEFENCE, DXGKARG_COLLECTDBGINFO, DXGKARG_COLLECTDBGINFO2,
    DXGKARG_CONNECTDOORBELL, DXGKARG_CREATEALLOCATION, DXGKARG_CREATECONTEXT, DXGKARG_CREATEDEVICE,
    DXGKARG_CREATEDOORBELL, DXGKARG_CREATEHWCONTEXT, DXGKARG_CREATEHWQUEUE,
    DXGKARG_CREATENATIVEFENCE, DXGKARG_CREATEPROCESS, DXGKARG_DESCRIBEALLOCATION,
    DXGKARG_DESTROYALLOCATION, DXGKARG_DESTROYDOORBELL, DXGKARG_DESTROYNATIVEFENCE,
    DXGKARG_DISCONNECTDOORBELL, DXGKARG_ESCAPE, DXGKARG_FORMATHISTORYBUFFER,
    DXGKARG_GETROOTPAGETABLESIZE, DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA,
    DXGKARG_NOTIFYWORKSUBMISSION, DXGKARG_OPENALLOCATION, DXGKARG_OPENNATIVEFENCE,
    DXGKARG_PREEMPTCOMMAND, DXGKARG_QUERYADAPTERINFO, DXGKARG_QUERYCURRENTFENCE,
    DXGKARG_QUERYDEPENDENTENGINEGROUP, DXGKARG_QUERYENGINESTATUS, DXGKARG_QUERYFEATUREINTERFACE,
    DXGKARG_QUERYFEATURESUPPORT, DXGKARG_RESETENGINE, DXGKARG_RESETHWENGINE, DXGKARG_RESUMECONTEXT,
    DXGKARG_RESUMEHWENGINE, DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES,
    DXGKARG_SETNATIVEFENCELOGBUFFER, DXGKARG_SETROOTPAGETABLE, DXGKARG_SETSCHEDULINGLOGBUFFER,
    DXGKARG_SETUPPRIORITYBANDS, DXGKARG_SIGNALMONITOREDFENCE, DXGKARG_SUBMITCOMMAND,
    DXGKARG_SUBMITCOMMANDTOHWQUEUE, DXGKARG_SUBMITCOMMANDVIRTUAL, DXGKARG_SUSPENDCONTEXT,
    DXGKARG_UPDATECURRENTVALUESFROMCPU, DXGKARG_UPDATEMONITOREDVALUES,
    DXGKARG_UPDATENATIVEFENCELOGS, DXGKARG_VALIDATESUBMITCOMMAND, DXGKDDI_QUERYFEATUREINTERFACE,
    DXGKDDI_QUERYFEATURESUPPORT, DXGKRNL_INTERFACE, GUID, NTSTATUS, PINTERFACE_DEREFERENCE,
    POWER_ACTION, QUERY_INTERFACE,
};

use super::call::{Allowed, Class, Ddi, lend};
use super::{DdiError, DdiResult, Driver};
use crate::dxgk::handle::KmdHandle;
use crate::verifier::irql::Irql;

/// What a start yields besides its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// `NumberOfVideoPresentSources`
    pub sources: u32,
    /// `NumberOfChildren`
    pub children: u32,
}

macro_rules! ddi {
    ($slot:ident, $irql:ident, $class:ident, [any]) => {
        Ddi {
            name: stringify!($slot),
            irql: Irql::$irql,
            class: Class::$class,
            allowed: Allowed::AnyError,
        }
    };
    ($slot:ident, $irql:ident, $class:ident, [$($status:ident)*]) => {
        Ddi {
            name: stringify!($slot),
            irql: Irql::$irql,
            class: Class::$class,
            allowed: Allowed::Only(&[$(NTSTATUS::$status),*]),
        }
    };
}

/// Methods for entry points of the common shapes.
macro_rules! entries {
    () => {};
    (
        $(#[$doc:meta])*
        $name:ident($object:ident, inout $args:ty) = $slot:ident $irql:ident $class:ident [$($status:ident)*];
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        pub fn $name(&self, $object: KmdHandle, args: &mut $args) -> DdiResult {
            const DDI: Ddi = ddi!($slot, $irql, $class, [$($status)*]);
            let entry = Self::slot(&DDI, self.table.$slot)?;
            self.in_out(&DDI, args, |args| {
                // SAFETY: the driver registered the function under this type; the argument is lent
                // for the call.
                unsafe { entry($object.raw(), args) }
            })
        }
        entries! { $($rest)* }
    };
    (
        $(#[$doc:meta])*
        $name:ident($object:ident, in $args:ty) = $slot:ident $irql:ident $class:ident [$($status:ident)*];
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        pub fn $name(&self, $object: KmdHandle, args: &$args) -> DdiResult {
            const DDI: Ddi = ddi!($slot, $irql, $class, [$($status)*]);
            let entry = Self::slot(&DDI, self.table.$slot)?;
            self.input(&DDI, args, |args| {
                // SAFETY: the driver registered the function under this type; the argument is lent
                // for the call.
                unsafe { entry($object.raw(), args) }
            })
        }
        entries! { $($rest)* }
    };
    (
        $(#[$doc:meta])*
        $name:ident(inout $args:ty) = $slot:ident $irql:ident $class:ident [$($status:ident)*];
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        pub fn $name(&self, args: &mut $args) -> DdiResult {
            const DDI: Ddi = ddi!($slot, $irql, $class, [$($status)*]);
            let entry = Self::slot(&DDI, self.table.$slot)?;
            self.in_out(&DDI, args, |args| {
                // SAFETY: the driver registered the function under this type; the argument is lent
                // for the call.
                unsafe { entry(args) }
            })
        }
        entries! { $($rest)* }
    };
    (
        $(#[$doc:meta])*
        $name:ident(in $args:ty) = $slot:ident $irql:ident $class:ident [$($status:ident)*];
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        pub fn $name(&self, args: &$args) -> DdiResult {
            const DDI: Ddi = ddi!($slot, $irql, $class, [$($status)*]);
            let entry = Self::slot(&DDI, self.table.$slot)?;
            self.input(&DDI, args, |args| {
                // SAFETY: the driver registered the function under this type; the argument is lent
                // for the call.
                unsafe { entry(args.cast_mut()) }
            })
        }
        entries! { $($rest)* }
    };
    (
        $(#[$doc:meta])*
        $name:ident($object:ident) = $slot:ident $irql:ident $class:ident [$($status:ident)*];
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        pub fn $name(&self, $object: KmdHandle) -> DdiResult {
            const DDI: Ddi = ddi!($slot, $irql, $class, [$($status)*]);
            let entry = Self::slot(&DDI, self.table.$slot)?;
            self.status(&DDI, || {
                // SAFETY: the driver registered the function under this type; handles are opaque.
                unsafe { entry($object.raw()) }
            })
        }
        entries! { $($rest)* }
    };
}

/// Plug and play, power, interrupts.
impl Driver {
    entries! {
        /// Undoes a start. Page `nc-dispmprt-dxgkddi_stop_device`.
        stop_device(adapter) = DxgkDdiStopDevice PASSIVE Exclusive [];
        /// Undoes [`Self::add_device`]. Page `nc-dispmprt-dxgkddi_remove_device`.
        remove_device(adapter) = DxgkDdiRemoveDevice PASSIVE Exclusive [];
        /// Page `nc-d3dkmddi-dxgkddi_resetfromtimeout`; a failure is a bug check.
        reset_from_timeout(adapter) = DxgkDdiResetFromTimeout PASSIVE Exclusive [];
        /// Page `nc-d3dkmddi-dxgkddi_restartfromtimeout`; a failure is a bug check.
        restart_from_timeout(adapter) = DxgkDdiRestartFromTimeout PASSIVE Exclusive [];
    }

    /// Asks for a context for a new device. Page `nc-dispmprt-dxgkddi_add_device`.
    pub fn add_device(&self, physical_device_object: usize) -> DdiResult<KmdHandle> {
        const DDI: Ddi = ddi!(DxgkDdiAddDevice, PASSIVE, Exclusive, [any]);
        let entry = Self::slot(&DDI, self.table.DxgkDdiAddDevice)?;
        let mut context = std::ptr::null_mut();
        let object = std::ptr::without_provenance_mut(physical_device_object);
        // SAFETY: the driver registered the function under this type; the context is lent.
        self.in_out(&DDI, &mut context, |context| unsafe {
            entry(object, context)
        })?;
        Ok(KmdHandle::from_raw(context))
    }

    /// Starts the device. Page `nc-dispmprt-dxgkddi_start_device`.
    ///
    /// The tables are lent for the call only: the driver has to copy them.
    pub fn start_device(
        &self,
        adapter: KmdHandle,
        info: DXGK_START_INFO,
        interface: DXGKRNL_INTERFACE,
    ) -> DdiResult<(Started, DXGK_START_INFO)> {
        const DDI: Ddi = ddi!(DxgkDdiStartDevice, PASSIVE, Exclusive, [any]);
        /// A count that no driver reports: still there means not written.
        const UNWRITTEN: u32 = 0xDEAD_BEEF;
        let entry = Self::slot(&DDI, self.table.DxgkDdiStartDevice)?;
        let (info, interface) = (lend(&DDI, info)?, lend(&DDI, interface)?);
        let (sources, children) = (lend(&DDI, UNWRITTEN)?, lend(&DDI, UNWRITTEN)?);
        let (info_at, interface_at) = (info.as_mut_ptr(), interface.as_mut_ptr());
        let (sources_at, children_at) = (sources.as_mut_ptr(), children.as_mut_ptr());
        let interface_before = interface.bytes();
        self.status(&DDI, || {
            // SAFETY: the driver registered the function under this type; all four are lent.
            unsafe {
                entry(
                    adapter.raw(),
                    info_at,
                    interface_at,
                    sources_at,
                    children_at,
                )
            }
        })?;
        if interface.bytes() != interface_before {
            self.breach(String::from(
                "DxgkDdiStartDevice wrote to the DXGKRNL_INTERFACE",
            ));
        }
        for (name, value) in [("sources", sources.get()), ("children", children.get())] {
            if value == UNWRITTEN {
                self.breach(format!(
                    "DxgkDdiStartDevice did not write the number of {name}"
                ));
            }
        }
        let started = Started {
            sources: sources.get(),
            children: children.get(),
        };
        Ok((started, info.get()))
    }

    /// Frees what `DriverEntry` made. Page `nc-dispmprt-dxgkddi_unload`.
    pub fn unload(&self) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiUnload, PASSIVE, Exclusive, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiUnload)?;
        // SAFETY: the driver registered the function under this type.
        self.enter(&DDI, || unsafe { entry() })
    }

    /// The interrupt service routine; true when the device had interrupted. The caller holds the
    /// interrupt lock. Page `nc-dispmprt-dxgkddi_interrupt_routine`.
    pub fn interrupt_routine(&self, adapter: KmdHandle, message: u32) -> DdiResult<bool> {
        const DDI: Ddi = ddi!(DxgkDdiInterruptRoutine, DEVICE, Free, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiInterruptRoutine)?;
        // SAFETY: the driver registered the function under this type.
        let claimed = self.enter(&DDI, || unsafe { entry(adapter.raw(), message) })?;
        Ok(claimed != 0)
    }

    /// The deferred procedure. Page `nc-dispmprt-dxgkddi_dpc_routine`.
    pub fn dpc_routine(&self, adapter: KmdHandle) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiDpcRoutine, DISPATCH, Free, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiDpcRoutine)?;
        // SAFETY: the driver registered the function under this type.
        self.enter(&DDI, || unsafe { entry(adapter.raw()) })
    }

    /// Puts the device into a state for the system's last screen. Page
    /// `nc-dispmprt-dxgkddi_reset_device`: any level.
    pub fn reset_device(&self, adapter: KmdHandle) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiResetDevice, HIGH, Free, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiResetDevice)?;
        // SAFETY: the driver registered the function under this type.
        self.enter(&DDI, || unsafe { entry(adapter.raw()) })
    }

    /// Asks for the children into `children`, whose last element is to stay zero. Page
    /// `nc-dispmprt-dxgkddi_query_child_relations`.
    pub fn query_child_relations(
        &self,
        adapter: KmdHandle,
        children: usize,
    ) -> DdiResult<Vec<DXGK_CHILD_DESCRIPTOR>> {
        const DDI: Ddi = ddi!(DxgkDdiQueryChildRelations, PASSIVE, Exclusive, [any]);
        let entry = Self::slot(&DDI, self.table.DxgkDdiQueryChildRelations)?;
        let zeroed = vec![DXGK_CHILD_DESCRIPTOR::ZERO; children + 1];
        let lent = super::Guarded::from_slice(&zeroed)
            .map_err(|_| DdiError::NoMemory { ddi: DDI.name })?;
        let bytes = u32::try_from(size_of_val(zeroed.as_slice())).unwrap_or(u32::MAX);
        // SAFETY: the driver registered the function under this type; the array is lent.
        self.status(&DDI, || unsafe {
            entry(adapter.raw(), lent.as_mut_ptr(), bytes)
        })?;
        let last = children * size_of::<DXGK_CHILD_DESCRIPTOR>();
        if lent.bytes()[last..].iter().any(|byte| *byte != 0) {
            self.breach(String::from(
                "DxgkDdiQueryChildRelations wrote to the last element, which has to stay zero",
            ));
        }
        Ok(lent.values())
    }

    /// Page `nc-dispmprt-dxgkddi_query_child_status`.
    pub fn query_child_status(
        &self,
        adapter: KmdHandle,
        status: &mut DXGK_CHILD_STATUS,
        non_destructive_only: bool,
    ) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiQueryChildStatus, PASSIVE, Zero, [any]);
        let entry = Self::slot(&DDI, self.table.DxgkDdiQueryChildStatus)?;
        let only = BOOLEAN::from(non_destructive_only);
        // SAFETY: the driver registered the function under this type; the argument is lent.
        self.in_out(&DDI, status, |status| unsafe {
            entry(adapter.raw(), status, only)
        })
    }

    /// Page `nc-dispmprt-dxgkddi_query_device_descriptor`.
    pub fn query_device_descriptor(
        &self,
        adapter: KmdHandle,
        child: u32,
        descriptor: &mut DXGK_DEVICE_DESCRIPTOR,
    ) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiQueryDeviceDescriptor, PASSIVE, Zero, [any]);
        let entry = Self::slot(&DDI, self.table.DxgkDdiQueryDeviceDescriptor)?;
        // SAFETY: the driver registered the function under this type; the argument is lent.
        self.in_out(&DDI, descriptor, |at| unsafe {
            entry(adapter.raw(), child, at)
        })
    }

    /// Asks for an interface; `query` and what it points to are lent. A refusal must leave both
    /// alone. Page `nc-dispmprt-dxgkddi_query_interface`.
    pub fn query_interface(&self, adapter: KmdHandle, query: &mut QUERY_INTERFACE) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiQueryInterface, PASSIVE, Exclusive, [any]);
        let entry = Self::slot(&DDI, self.table.DxgkDdiQueryInterface)?;
        // SAFETY: the driver registered the function under this type; the argument is lent.
        self.in_out(&DDI, query, |query| unsafe { entry(adapter.raw(), query) })
    }

    /// Never fails. Page `nc-dispmprt-dxgkddi_set_power_state`.
    pub fn set_power_state(
        &self,
        adapter: KmdHandle,
        device: u32,
        state: DEVICE_POWER_STATE,
        action: POWER_ACTION,
    ) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiSetPowerState, PASSIVE, Exclusive, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiSetPowerState)?;
        // SAFETY: the driver registered the function under this type.
        self.status(&DDI, || unsafe {
            entry(adapter.raw(), device, state, action)
        })
    }

    /// Tells that the device is gone. Page `nc-dispmprt-dxgkddi_notify_surprise_removal`: may
    /// overlap everything.
    pub fn notify_surprise_removal(
        &self,
        adapter: KmdHandle,
        kind: DXGK_SURPRISE_REMOVAL_TYPE,
    ) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiNotifySurpriseRemoval, PASSIVE, Free, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiNotifySurpriseRemoval)?;
        // SAFETY: the driver registered the function under this type.
        self.status(&DDI, || unsafe { entry(adapter.raw(), kind) })
    }

    /// Page `nc-dispmprt-dxgkddi_control_etw_logging`.
    pub fn control_etw_logging(&self, enable: bool, flags: u32, level: u8) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiControlEtwLogging, PASSIVE, Zero, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiControlEtwLogging)?;
        // SAFETY: the driver registered the function under this type.
        self.enter(&DDI, || unsafe {
            entry(BOOLEAN::from(enable), flags, level);
        })
    }

    /// Page `nc-d3dkmddi-dxgkddisetpowercomponentfstate`.
    pub fn set_power_component_f_state(
        &self,
        adapter: KmdHandle,
        component: u32,
        state: u32,
    ) -> DdiResult {
        const DDI: Ddi = ddi!(
            DxgkDdiSetPowerComponentFState,
            DISPATCH,
            Free,
            [STATUS_INVALID_PARAMETER]
        );
        let entry = Self::slot(&DDI, self.table.DxgkDdiSetPowerComponentFState)?;
        // SAFETY: the driver registered the function under this type.
        self.status(&DDI, || unsafe { entry(adapter.raw(), component, state) })
    }

    /// A request of the power framework without data. Page
    /// `nc-d3dkmddi-dxgkddipowerruntimecontrolrequest`.
    pub fn power_runtime_control_request(&self, adapter: KmdHandle, code: GUID) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiPowerRuntimeControlRequest, PASSIVE, Free, [any]);
        let entry = Self::slot(&DDI, self.table.DxgkDdiPowerRuntimeControlRequest)?;
        let (none, no_count) = (std::ptr::null_mut(), std::ptr::null_mut());
        self.input(&DDI, &code, |code| {
            // SAFETY: the driver registered the function under this type; the code is lent.
            unsafe { entry(adapter.raw(), code, none, 0, none, 0, no_count) }
        })
    }
}

/// Queries.
impl Driver {
    entries! {
        /// Page `nc-d3dkmddi-dxgkddi_queryadapterinfo`. Types that a driver does not know were seen
        /// to be refused with `STATUS_NOT_SUPPORTED` by drivers that start.
        query_adapter_info(adapter, in DXGKARG_QUERYADAPTERINFO) = DxgkDdiQueryAdapterInfo PASSIVE
            Zero [STATUS_INVALID_PARAMETER STATUS_NO_MEMORY STATUS_GRAPHICS_DRIVER_MISMATCH
                STATUS_NOT_SUPPORTED];
        /// Page `nc-d3dkmddi-dxgkddi_querycurrentfence`.
        query_current_fence(adapter, inout DXGKARG_QUERYCURRENTFENCE) = DxgkDdiQueryCurrentFence
            PASSIVE Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_formathistorybuffer`.
        format_history_buffer(context, inout DXGKARG_FORMATHISTORYBUFFER) =
            DxgkDdiFormatHistoryBuffer DISPATCH Zero [any];
    }

    /// Page `nc-d3dkmddi-dxgkddi_getnodemetadata`: succeeds for every node that exists.
    pub fn get_node_metadata(&self, adapter: KmdHandle, node: u32) -> DdiResult<DXGK_NODEMETADATA> {
        const DDI: Ddi = ddi!(
            DxgkDdiGetNodeMetadata,
            PASSIVE,
            Zero,
            [STATUS_INVALID_PARAMETER]
        );
        let entry = Self::slot(&DDI, self.table.DxgkDdiGetNodeMetadata)?;
        let mut metadata = DXGK_NODEMETADATA::ZERO;
        // SAFETY: the driver registered the function under this type; the argument is lent.
        self.in_out(&DDI, &mut metadata, |at| unsafe {
            entry(adapter.raw(), node, at)
        })?;
        Ok(metadata)
    }

    /// Page `nc-d3dkmddi-dxgkddi_calibrategpuclock`.
    pub fn calibrate_gpu_clock(
        &self,
        adapter: KmdHandle,
        node: u32,
        engine: u32,
    ) -> DdiResult<DXGK_GPUCLOCKDATA> {
        const DDI: Ddi = ddi!(DxgkDdiCalibrateGpuClock, DISPATCH, Zero, [any]);
        let entry = Self::slot(&DDI, self.table.DxgkDdiCalibrateGpuClock)?;
        let mut data = DXGK_GPUCLOCKDATA::ZERO;
        // SAFETY: the driver registered the function under this type; the argument is lent.
        self.in_out(&DDI, &mut data, |at| unsafe {
            entry(adapter.raw(), node, engine, at)
        })?;
        Ok(data)
    }
}

/// Processes, devices, contexts, queues.
impl Driver {
    entries! {
        /// Page `nc-d3dkmddi-dxgkddi_createprocess`.
        create_process(adapter, inout DXGKARG_CREATEPROCESS) = DxgkDdiCreateProcess PASSIVE Zero
            [any];
        /// Page `nc-d3dkmddi-dxgkddi_createdevice`.
        create_device(adapter, inout DXGKARG_CREATEDEVICE) = DxgkDdiCreateDevice PASSIVE Zero
            [STATUS_NO_MEMORY];
        /// Page `nc-d3dkmddi-dxgkddi_destroydevice`.
        destroy_device(device) = DxgkDdiDestroyDevice PASSIVE Zero [];
        /// Page `nc-d3dkmddi-dxgkddi_createcontext`.
        create_context(device, inout DXGKARG_CREATECONTEXT) = DxgkDdiCreateContext PASSIVE Zero
            [STATUS_NO_MEMORY STATUS_GRAPHICS_DRIVER_MISMATCH];
        /// Page `nc-d3dkmddi-dxgkddi_destroycontext`.
        destroy_context(context) = DxgkDdiDestroyContext PASSIVE Zero [];
        /// No page; the header names the types.
        create_hw_context(device, inout DXGKARG_CREATEHWCONTEXT) = DxgkDdiCreateHwContext PASSIVE
            Zero [any];
        /// No page; the header names the types.
        destroy_hw_context(context) = DxgkDdiDestroyHwContext PASSIVE Zero [];
        /// Page `nc-d3dkmddi-dxgkddi_createhwqueue`.
        create_hw_queue(context, inout DXGKARG_CREATEHWQUEUE) = DxgkDdiCreateHwQueue PASSIVE Zero
            [any];
        /// Page `nc-d3dkmddi-dxgkddi_destroyhwqueue`.
        destroy_hw_queue(queue) = DxgkDdiDestroyHwQueue PASSIVE Zero [];
        /// Page `nc-d3dkmddi-dxgkddi_escape`.
        escape(adapter, in DXGKARG_ESCAPE) = DxgkDdiEscape PASSIVE Zero
            [STATUS_INVALID_PARAMETER STATUS_NO_MEMORY STATUS_GRAPHICS_DRIVER_MISMATCH
                STATUS_NOT_SUPPORTED];
    }

    /// Page `nc-d3dkmddi-dxgkddi_destroyprocess`.
    pub fn destroy_process(&self, adapter: KmdHandle, process: KmdHandle) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiDestroyProcess, PASSIVE, Zero, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiDestroyProcess)?;
        // SAFETY: the driver registered the function under this type; handles are opaque.
        self.status(&DDI, || unsafe { entry(adapter.raw(), process.raw()) })
    }
}

/// Allocations, page tables, paging.
impl Driver {
    entries! {
        /// Page `nc-d3dkmddi-dxgkddi_createallocation`.
        create_allocation(adapter, inout DXGKARG_CREATEALLOCATION) = DxgkDdiCreateAllocation
            PASSIVE Zero [STATUS_INVALID_PARAMETER STATUS_NO_MEMORY
                STATUS_GRAPHICS_DRIVER_MISMATCH];
        /// Page `nc-d3dkmddi-dxgkddi_destroyallocation`.
        destroy_allocation(adapter, in DXGKARG_DESTROYALLOCATION) = DxgkDdiDestroyAllocation
            PASSIVE Zero [];
        /// Page `nc-d3dkmddi-dxgkddi_openallocationinfo`.
        open_allocation(device, in DXGKARG_OPENALLOCATION) = DxgkDdiOpenAllocation PASSIVE Zero
            [STATUS_INVALID_PARAMETER STATUS_NO_MEMORY STATUS_GRAPHICS_DRIVER_MISMATCH];
        /// Page `nc-d3dkmddi-dxgkddi_closeallocation`.
        close_allocation(device, in DXGKARG_CLOSEALLOCATION) = DxgkDdiCloseAllocation PASSIVE Zero
            [];
        /// Page `nc-d3dkmddi-dxgkddi_describeallocation`.
        describe_allocation(adapter, inout DXGKARG_DESCRIBEALLOCATION) = DxgkDdiDescribeAllocation
            PASSIVE Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_getstandardallocationdriverdata`.
        get_standard_allocation_driver_data(
            adapter, inout DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA
        ) = DxgkDdiGetStandardAllocationDriverData PASSIVE Zero
            [STATUS_NO_MEMORY STATUS_INVALID_PARAMETER STATUS_NOT_SUPPORTED];
    }

    /// Builds paging work. The two documented refusals are told apart from each other by the
    /// caller; what was built before a buffer ran out is in `args`, so that it is kept on refusal
    /// too. Page `nc-d3dkmddi-dxgkddi_buildpagingbuffer`.
    pub fn build_paging_buffer(
        &self,
        adapter: KmdHandle,
        args: &mut DXGKARG_BUILDPAGINGBUFFER,
    ) -> DdiResult {
        const DDI: Ddi = ddi!(
            DxgkDdiBuildPagingBuffer, PASSIVE, Scheduler,
            [STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER STATUS_GRAPHICS_ALLOCATION_BUSY]
        );
        let entry = Self::slot(&DDI, self.table.DxgkDdiBuildPagingBuffer)?;
        let lent = lend(&DDI, *args)?;
        // SAFETY: the driver registered the function under this type; the argument is lent.
        let result = self.status(&DDI, || unsafe { entry(adapter.raw(), lent.as_mut_ptr()) });
        *args = lent.get();
        self.check_underrun(&DDI, &lent);
        result
    }

    /// Cannot fail. Page `nc-d3dkmddi-dxgkddi_setrootpagetable`.
    pub fn set_root_page_table(
        &self,
        adapter: KmdHandle,
        args: &DXGKARG_SETROOTPAGETABLE,
    ) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiSetRootPageTable, PASSIVE, Scheduler, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiSetRootPageTable)?;
        self.input(&DDI, args, |args| {
            // SAFETY: the driver registered the function under this type; the argument is lent.
            unsafe { entry(adapter.raw(), args) };
            NTSTATUS::STATUS_SUCCESS
        })
    }

    /// Bytes of a root page table. Page `nc-d3dkmddi-dxgkddi_getrootpagetablesize`.
    pub fn get_root_page_table_size(
        &self,
        adapter: KmdHandle,
        args: &mut DXGKARG_GETROOTPAGETABLESIZE,
    ) -> DdiResult<usize> {
        const DDI: Ddi = ddi!(DxgkDdiGetRootPageTableSize, PASSIVE, Zero, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiGetRootPageTableSize)?;
        let lent = lend(&DDI, *args)?;
        // SAFETY: the driver registered the function under this type; the argument is lent.
        let size = self.enter(&DDI, || unsafe { entry(adapter.raw(), lent.as_mut_ptr()) })?;
        *args = lent.get();
        Ok(size)
    }
}

/// Submission and scheduling.
impl Driver {
    entries! {
        /// Cannot fail: bug check 0x119. Page `nc-d3dkmddi-dxgkddi_submitcommand`.
        submit_command(adapter, in DXGKARG_SUBMITCOMMAND) = DxgkDdiSubmitCommand DISPATCH Scheduler
            [];
        /// Every other refusal is a bug check. Page `nc-d3dkmddi-dxgkddi_submitcommandvirtual`.
        submit_command_virtual(adapter, in DXGKARG_SUBMITCOMMANDVIRTUAL) =
            DxgkDdiSubmitCommandVirtual PASSIVE Zero [STATUS_INVALID_PARAMETER];
        /// Must accept. Page `nc-d3dkmddi-dxgkddi_submitcommandtohwqueue`.
        submit_command_to_hw_queue(adapter, in DXGKARG_SUBMITCOMMANDTOHWQUEUE) =
            DxgkDdiSubmitCommandToHwQueue DISPATCH Zero [];
        /// Cannot fail: bug check 0x119. Page `nc-d3dkmddi-dxgkddi_preemptcommand`.
        preempt_command(adapter, in DXGKARG_PREEMPTCOMMAND) = DxgkDdiPreemptCommand DISPATCH
            Scheduler [];
        /// Cannot fail: bug check 0x119. Page `nc-d3dkmddi-dxgkddi_cancelcommand`.
        cancel_command(adapter, in DXGKARG_CANCELCOMMAND) = DxgkDdiCancelCommand PASSIVE Zero [];
        /// Page `nc-d3dkmddi-dxgkddi_validatesubmitcommand`.
        validate_submit_command(context, inout DXGKARG_VALIDATESUBMITCOMMAND) =
            DxgkDdiValidateSubmitCommand PASSIVE Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_resumecontext`.
        resume_context(adapter, in DXGKARG_RESUMECONTEXT) = DxgkDdiResumeContext PASSIVE Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_setcontextschedulingproperties`.
        set_context_scheduling_properties(adapter, in DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES) =
            DxgkDdiSetContextSchedulingProperties PASSIVE Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_setupprioritybands`.
        setup_priority_bands(adapter, in DXGKARG_SETUPPRIORITYBANDS) = DxgkDdiSetupPriorityBands
            PASSIVE Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_setschedulinglogbuffer`.
        set_scheduling_log_buffer(adapter, in DXGKARG_SETSCHEDULINGLOGBUFFER) =
            DxgkDdiSetSchedulingLogBuffer PASSIVE Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_signalmonitoredfence`.
        signal_monitored_fence(context, inout DXGKARG_SIGNALMONITOREDFENCE) =
            DxgkDdiSignalMonitoredFence PASSIVE Zero [any];
    }

    /// Takes a context off the run list: `STATUS_SUCCESS` when it already is off, `STATUS_PENDING`
    /// when an interrupt will tell. Page `nc-d3dkmddi-dxgkddi_suspendcontext`.
    pub fn suspend_context(
        &self,
        adapter: KmdHandle,
        args: &DXGKARG_SUSPENDCONTEXT,
    ) -> DdiResult<NTSTATUS> {
        const DDI: Ddi = ddi!(DxgkDdiSuspendContext, PASSIVE, Zero, [STATUS_PENDING]);
        let entry = Self::slot(&DDI, self.table.DxgkDdiSuspendContext)?;
        // SAFETY: the driver registered the function under this type; the argument is lent.
        self.input_judged(&DDI, args, |args| unsafe { entry(adapter.raw(), args) })
    }
}

/// Native fences.
impl Driver {
    entries! {
        /// Page `nc-d3dkmddi-dxgkddi_createnativefence`.
        create_native_fence(adapter, inout DXGKARG_CREATENATIVEFENCE) = DxgkDdiCreateNativeFence
            PASSIVE Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_destroynativefence`.
        destroy_native_fence(inout DXGKARG_DESTROYNATIVEFENCE) =
            DxgkDdiDestroyNativeFence PASSIVE Zero [];
        /// Page `nc-d3dkmddi-dxgkddi_opennativefence`.
        open_native_fence(adapter, inout DXGKARG_OPENNATIVEFENCE) = DxgkDdiOpenNativeFence PASSIVE
            Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_closenativefence`.
        close_native_fence(adapter, inout DXGKARG_CLOSENATIVEFENCE) = DxgkDdiCloseNativeFence
            PASSIVE Zero [];
        /// At device level and under the interrupt lock, which the caller holds. Page
        /// `nc-d3dkmddi-dxgkddi_updatemonitoredvalues`.
        update_monitored_values(in DXGKARG_UPDATEMONITOREDVALUES) = DxgkDdiUpdateMonitoredValues
            DEVICE Free [any];
        /// Page `nc-d3dkmddi-dxgkddi_updatecurrentvaluesfromcpu`.
        update_current_values_from_cpu(in DXGKARG_UPDATECURRENTVALUESFROMCPU) =
            DxgkDdiUpdateCurrentValuesFromCpu DISPATCH Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_setnativefencelogbuffer`.
        set_native_fence_log_buffer(in DXGKARG_SETNATIVEFENCELOGBUFFER) =
            DxgkDdiSetNativeFenceLogBuffer DISPATCH Zero [any];
        /// Page `nc-d3dkmddi-dxgkddi_updatenativefencelogs`.
        update_native_fence_logs(in DXGKARG_UPDATENATIVEFENCELOGS) = DxgkDdiUpdateNativeFenceLogs
            DISPATCH Zero [any];
    }
}

/// Doorbells. None of them is told the adapter.
impl Driver {
    entries! {
        /// Page `nc-d3dkmddi-dxgkddi_createdoorbell`.
        create_doorbell(inout DXGKARG_CREATEDOORBELL) = DxgkDdiCreateDoorbell PASSIVE Zero [any];
        /// Fails only when the GPU is lost or stopped. Page `nc-d3dkmddi-dxgkddi_connectdoorbell`.
        connect_doorbell(inout DXGKARG_CONNECTDOORBELL) = DxgkDdiConnectDoorbell PASSIVE Zero [any];
        /// Must succeed. Page `nc-d3dkmddi-dxgkddi_disconnectdoorbell`.
        disconnect_doorbell(in DXGKARG_DISCONNECTDOORBELL) = DxgkDdiDisconnectDoorbell PASSIVE Zero
            [];
        /// Must succeed. Page `nc-d3dkmddi-dxgkddi_destroydoorbell`.
        destroy_doorbell(in DXGKARG_DESTROYDOORBELL) = DxgkDdiDestroyDoorbell PASSIVE Zero [];
        /// Must succeed. Page `nc-d3dkmddi-dxgkddi_notifyworksubmission`.
        notify_work_submission(in DXGKARG_NOTIFYWORKSUBMISSION) = DxgkDdiNotifyWorkSubmission
            PASSIVE Zero [];
    }
}

/// Time-outs and their consequences.
impl Driver {
    entries! {
        /// Page `nc-d3dkmddi-dxgkddi_collectdbginfo`.
        collect_dbg_info(adapter, in DXGKARG_COLLECTDBGINFO) = DxgkDdiCollectDbgInfo PASSIVE Zero
            [STATUS_NO_MEMORY STATUS_UNSUCCESSFUL];
        /// Page `nc-d3dkmddi-dxgkddi_collectdbginfo2`.
        collect_dbg_info2(adapter, inout DXGKARG_COLLECTDBGINFO2) = DxgkDdiCollectDbgInfo2 PASSIVE
            Zero [STATUS_NO_MEMORY STATUS_UNSUCCESSFUL];
        /// Always succeeds. Page `nc-d3dkmddi-dxgkddi_querydependentenginegroup`.
        query_dependent_engine_group(adapter, inout DXGKARG_QUERYDEPENDENTENGINEGROUP) =
            DxgkDdiQueryDependentEngineGroup PASSIVE Scheduler [];
        /// Always succeeds. Page `nc-d3dkmddi-dxgkddi_queryenginestatus`.
        query_engine_status(adapter, inout DXGKARG_QUERYENGINESTATUS) = DxgkDdiQueryEngineStatus
            PASSIVE Scheduler [];
        /// A failure resets the adapter. Page `nc-d3dkmddi-dxgkddi_resetengine`.
        reset_engine(adapter, inout DXGKARG_RESETENGINE) = DxgkDdiResetEngine PASSIVE Scheduler
            [any];
        /// A failure resets the adapter. Page `nc-d3dkmddi-dxgkddi_resethwengine`.
        reset_hw_engine(adapter, inout DXGKARG_RESETHWENGINE) = DxgkDdiResetHwEngine PASSIVE Zero
            [any];
        /// A failure resets the adapter. Page `nc-d3dkmddi-dxgkddi_resumehwengine`.
        resume_hw_engine(adapter, inout DXGKARG_RESUMEHWENGINE) = DxgkDdiResumeHwEngine PASSIVE
            Zero [any];
    }
}

/// Functions of interfaces that the driver hands out.
impl Driver {
    /// Asks whether the driver supports a feature. A refusal may write: the documentation's own
    /// example zeroes the answer first. Page `nc-d3dkmddi-dxgkddi_queryfeaturesupport`.
    pub fn query_feature_support(
        &self,
        entry: DXGKDDI_QUERYFEATURESUPPORT,
        adapter: KmdHandle,
        args: &mut DXGKARG_QUERYFEATURESUPPORT,
    ) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiQueryFeatureSupport, PASSIVE, Free, [any]);
        let lent = lend(&DDI, *args)?;
        // SAFETY: the driver handed the function out under this type; the argument is lent.
        let result = self.status(&DDI, || unsafe { entry(adapter.raw(), lent.as_mut_ptr()) });
        *args = lent.get();
        self.check_underrun(&DDI, &lent);
        result
    }

    /// Asks for the interface of a feature. Page `nc-d3dkmddi-dxgkddi_queryfeatureinterface`.
    pub fn query_feature_interface(
        &self,
        entry: DXGKDDI_QUERYFEATUREINTERFACE,
        adapter: KmdHandle,
        args: &mut DXGKARG_QUERYFEATUREINTERFACE,
    ) -> DdiResult {
        const DDI: Ddi = ddi!(DxgkDdiQueryFeatureInterface, PASSIVE, Free, [any]);
        let lent = lend(&DDI, *args)?;
        // SAFETY: the driver handed the function out under this type; the argument is lent.
        let result = self.status(&DDI, || unsafe { entry(adapter.raw(), lent.as_mut_ptr()) });
        *args = lent.get();
        self.check_underrun(&DDI, &lent);
        result
    }

    /// Drops a reference on an interface. Page `nc-wdm-pinterface_dereference`.
    pub fn dereference_interface(&self, entry: PINTERFACE_DEREFERENCE, context: KmdHandle) {
        const DDI: Ddi = ddi!(InterfaceDereference, PASSIVE, Free, []);
        // SAFETY: the driver handed the function out under this type, with this context. A call
        // that does not come back is with the verifier.
        let _ = self.enter(&DDI, || unsafe { entry(context.raw()) });
    }
}
