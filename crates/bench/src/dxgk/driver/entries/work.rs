//! Entry points that work passes through: memory, submission, fences, doorbells, time-outs, and the
//! functions of interfaces.

use carillon_ddi::{
    DXGKARG_BUILDPAGINGBUFFER, DXGKARG_CANCELCOMMAND, DXGKARG_CLOSEALLOCATION,
    DXGKARG_CLOSENATIVEFENCE, DXGKARG_COLLECTDBGINFO, DXGKARG_COLLECTDBGINFO2,
    DXGKARG_CONNECTDOORBELL, DXGKARG_CREATEALLOCATION, DXGKARG_CREATEDOORBELL,
    DXGKARG_CREATENATIVEFENCE, DXGKARG_DESCRIBEALLOCATION, DXGKARG_DESTROYALLOCATION,
    DXGKARG_DESTROYDOORBELL, DXGKARG_DESTROYNATIVEFENCE, DXGKARG_DISCONNECTDOORBELL,
    DXGKARG_GETROOTPAGETABLESIZE, DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA,
    DXGKARG_NOTIFYWORKSUBMISSION, DXGKARG_OPENALLOCATION, DXGKARG_OPENNATIVEFENCE,
    DXGKARG_PREEMPTCOMMAND, DXGKARG_QUERYDEPENDENTENGINEGROUP, DXGKARG_QUERYENGINESTATUS,
    DXGKARG_QUERYFEATUREINTERFACE, DXGKARG_QUERYFEATURESUPPORT, DXGKARG_RESETENGINE,
    DXGKARG_RESETHWENGINE, DXGKARG_RESUMECONTEXT, DXGKARG_RESUMEHWENGINE,
    DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES, DXGKARG_SETNATIVEFENCELOGBUFFER,
    DXGKARG_SETROOTPAGETABLE, DXGKARG_SETSCHEDULINGLOGBUFFER, DXGKARG_SETUPPRIORITYBANDS,
    DXGKARG_SIGNALMONITOREDFENCE, DXGKARG_SUBMITCOMMAND, DXGKARG_SUBMITCOMMANDTOHWQUEUE,
    DXGKARG_SUBMITCOMMANDVIRTUAL, DXGKARG_SUSPENDCONTEXT, DXGKARG_UPDATECURRENTVALUESFROMCPU,
    DXGKARG_UPDATEMONITOREDVALUES, DXGKARG_UPDATENATIVEFENCELOGS, DXGKARG_VALIDATESUBMITCOMMAND,
    DXGKDDI_QUERYFEATUREINTERFACE, DXGKDDI_QUERYFEATURESUPPORT, NTSTATUS, PINTERFACE_DEREFERENCE,
};

use super::super::call::{Allowed, Class, Ddi, lend};
use super::super::{DdiResult, Driver};
use crate::dxgk::handle::KmdHandle;
use crate::verifier::irql::Irql;

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
