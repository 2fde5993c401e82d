//! The way back: stop, remove, unload, and the device pulled out.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use carillon_ddi::{DXGK_SURPRISE_REMOVAL_TYPE, GUID_DXGKDDI_POWER_MANAGEMENT_STOPPED};

use super::start::InStep;
use super::{Adapter, StartError, State};
use crate::dxgk::driver::DdiResult;
use crate::dxgk::interface;
use crate::dxgk::registration::Dxgkrnl;

impl Adapter {
    /// Stops the adapter. Processes, devices and everything else of clients is gone by then.
    ///
    /// # Errors
    /// When it is not running, or the driver fails what must not fail.
    pub fn stop(&self) -> Result<(), StartError> {
        let state = self.state();
        if state != State::Started {
            return Err(StartError::WrongState(state));
        }
        self.destroy_system();
        let powered = self
            .caps()
            .is_some_and(|caps| caps.driver.SupportRuntimePowerManagement != 0);
        if powered {
            let code = GUID_DXGKDDI_POWER_MANAGEMENT_STOPPED;
            let request = self
                .driver
                .power_runtime_control_request(self.context(), code);
            request.in_step("DxgkDdiPowerRuntimeControlRequest")?;
        }
        self.stop_device().in_step("DxgkDdiStopDevice")
    }

    /// Calls `DxgkDdiStopDevice` and takes back what the driver was given.
    pub(super) fn stop_device(&self) -> DdiResult {
        self.release_features();
        let stopped = self.driver.stop_device(self.context());
        self.disconnect_interrupt();
        for (handle, address) in self.contiguous().iter() {
            self.driver.breach(format!(
                "memory {handle} at {:#x} from DxgkCbAllocateContiguousMemory outlives \
                 DxgkDdiStopDevice",
                address.0
            ));
        }
        *self.caps.write() = None;
        *self.state.lock() = State::Stopped;
        self.step("DxgkDdiStopDevice");
        stopped
    }

    /// Has the driver free its context (`DxgkDdiRemoveDevice`); a running adapter is stopped first.
    ///
    /// # Errors
    /// When the driver fails what must not fail.
    pub fn remove(&self) -> Result<(), StartError> {
        if self.state() == State::Started {
            self.stop()?;
        }
        if self.state() == State::Removed {
            return Err(StartError::WrongState(State::Removed));
        }
        let removed = self
            .driver
            .remove_device(self.context())
            .in_step("DxgkDdiRemoveDevice");
        *self.state.lock() = State::Removed;
        self.step("DxgkDdiRemoveDevice");
        self.unpublish();
        removed
    }

    /// Pulls the device out: marks it gone and tells the driver, if it wants to be told. Clients'
    /// objects, the stop and the removal follow as usual.
    ///
    /// # Errors
    /// When the driver fails what must not fail.
    pub fn surprise_removal(&self) -> Result<(), StartError> {
        self.gone.store(true, Ordering::SeqCst);
        let wants = self
            .caps()
            .is_some_and(|caps| caps.driver.SupportSurpriseRemoval != 0);
        if !wants {
            return Ok(());
        }
        let kind = DXGK_SURPRISE_REMOVAL_TYPE::DxgkRemovalPnPNotify;
        let told = self.driver.notify_surprise_removal(self.context(), kind);
        self.step("DxgkDdiNotifySurpriseRemoval");
        told.in_step("DxgkDdiNotifySurpriseRemoval")
    }

    /// Forgets the adapter's handle and takes its device out of I/O space.
    pub(super) fn unpublish(&self) {
        interface::withdraw(self.handle);
        self.device.unplug(self.driver.nt());
    }
}

impl Dxgkrnl {
    /// Calls `DxgkDdiUnload` and reports what the driver still holds. No adapter is left by then.
    ///
    /// # Errors
    /// When no driver is registered or the call does not come back.
    pub fn unload(&self) -> Result<(), StartError> {
        let driver = self.driver().ok_or(StartError::NoDriver)?;
        driver.unload().in_step("DxgkDdiUnload")?;
        self.nt().check_unloaded();
        Ok(())
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        interface::withdraw(self.handle);
    }
}

/// Ends the threads of an adapter that is given up without a stop, as after an abandoned call.
pub fn give_up(adapter: &Arc<Adapter>) {
    adapter.disconnect_interrupt();
    adapter.unpublish();
}
