//! One method for each entry point that the OS model calls.
//!
//! Levels are those of the pages and, where a page is silent, of the header's annotations. Statuses
//! are those that the page lists; a page that says "an error code" permits every one that says what
//! is wrong, and a page that says "must succeed" permits none.

use carillon_ddi::{
    BOOLEAN, DEVICE_POWER_STATE, DXGK_CHILD_DESCRIPTOR, DXGK_CHILD_STATUS, DXGK_DEVICE_DESCRIPTOR,
    DXGK_GPUCLOCKDATA, DXGK_NODEMETADATA, DXGK_START_INFO, DXGK_SURPRISE_REMOVAL_TYPE,
    DXGKARG_CREATECONTEXT, DXGKARG_CREATEDEVICE, DXGKARG_CREATEHWCONTEXT, DXGKARG_CREATEHWQUEUE,
    DXGKARG_CREATEPROCESS, DXGKARG_ESCAPE, DXGKARG_FORMATHISTORYBUFFER, DXGKARG_QUERYADAPTERINFO,
    DXGKARG_QUERYCURRENTFENCE, DXGKRNL_INTERFACE, GUID, NTSTATUS, POWER_ACTION, QUERY_INTERFACE,
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
            self.plain(&DDI, &[], || {
                // SAFETY: the driver registered the function under this type; handles are opaque.
                unsafe { entry($object.raw()) }
            })
        }
        entries! { $($rest)* }
    };
}

mod work;

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
        const DDI: Ddi = ddi!(DxgkDdiQueryChildRelations, PASSIVE, Power, [any]);
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
        const DDI: Ddi = ddi!(DxgkDdiSetPowerState, PASSIVE, Power, []);
        let entry = Self::slot(&DDI, self.table.DxgkDdiSetPowerState)?;
        let words = [device, state.0.cast_unsigned(), action.0.cast_unsigned()];
        // SAFETY: the driver registered the function under this type.
        self.plain(&DDI, &words.map(u32::to_le_bytes).concat(), || unsafe {
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
        let words = [component, state].map(u32::to_le_bytes);
        // SAFETY: the driver registered the function under this type.
        self.plain(&DDI, &words.concat(), || unsafe {
            entry(adapter.raw(), component, state)
        })
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
            Query [STATUS_INVALID_PARAMETER STATUS_NO_MEMORY STATUS_GRAPHICS_DRIVER_MISMATCH
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
