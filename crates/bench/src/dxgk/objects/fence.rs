//! Native fences: two values in memory, who signals them, who waits for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use carillon_ddi::{
    D3DDDI_NATIVEFENCE_TYPE, DXGKARG_CLOSENATIVEFENCE, DXGKARG_CREATENATIVEFENCE,
    DXGKARG_DESTROYNATIVEFENCE, DXGKARG_OPENNATIVEFENCE, DXGKARG_UPDATEMONITOREDVALUES, HANDLE,
    PVOID,
};
use parking_lot::Mutex;

use super::process::{Device, Process};
use super::view::UserView;
use super::{ObjectError, ObjectManager};
use crate::dxgk::driver::{DdiError, Guarded};
use crate::dxgk::handle::{KmdHandle, OsHandle};
use crate::dxgk::vidmm::geometry::GPU_PAGE;
use crate::dxgk::vidmm::place::{Page, SystemPages};
use crate::dxgk::vidmm::space::Mapping;
use crate::trap::mapping::Access;

/// The monitored value while no CPU waits: nothing is greater.
const NOBODY_WAITS: u64 = u64::MAX;
/// Byte offset of the current value in the storage.
const CURRENT: u64 = 0;
/// Byte offset of the monitored value: on a page of its own, which user mode does not see.
const MONITORED: u64 = GPU_PAGE;
/// How long an interrupt may be on its way after its fence value was seen.
const INTERRUPT_GRACE: Duration = Duration::from_secs(2);

/// CPU waiters: how many for each value, and the monitored value that was told the driver.
#[derive(Debug)]
struct Waiters {
    values: BTreeMap<u64, u32>,
    monitored: u64,
}

/// A native fence, opened by one process.
#[derive(Debug)]
pub struct Fence {
    pub(super) device: Arc<Device>,
    pub(super) os: OsHandle,
    /// The driver's handle of the fence itself.
    pub(super) global: KmdHandle,
    /// The driver's handle of the fence as the process opened it.
    pub(super) local: KmdHandle,
    storage: SystemPages,
    /// GPU address of the current value in the process.
    pub(super) current_gpu: u64,
    /// Address of the storage in the paging process, if the driver wants it there.
    system_gpu: Option<u64>,
    pub(super) user: UserView,
    waiters: Mutex<Waiters>,
}

impl Fence {
    /// The current value.
    #[must_use]
    pub fn current(&self) -> u64 {
        self.storage
            .word(CURRENT)
            .map_or(0, |word| word.load(Ordering::SeqCst))
    }

    /// Where current and monitored value are.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        let pages = (0..self.storage.len()).filter_map(|index| self.storage.page(index));
        pages.map(Page::System).collect()
    }

    /// The monitored value as the device sees it.
    #[must_use]
    pub fn monitored(&self) -> u64 {
        self.storage
            .word(MONITORED)
            .map_or(0, |word| word.load(Ordering::SeqCst))
    }

    /// GPU address of the monitored value in the process.
    pub(super) fn monitored_gpu(&self) -> u64 {
        self.current_gpu + MONITORED
    }

    /// Kernel address of the current value, for the driver to read.
    pub(super) fn current_kernel(&self) -> PVOID {
        self.storage
            .kernel_address(0)
            .map_or(std::ptr::null_mut(), <*mut u8>::cast)
    }
}

impl ObjectManager {
    /// Creates and opens a native fence that starts at 0.
    pub(super) fn create_fence(&self, device: &Arc<Device>) -> Result<Fence, ObjectError> {
        let storage = SystemPages::new(self.nt(), 2)?;
        let word = storage.word(MONITORED).ok_or(ObjectError::Host)?;
        word.store(NOBODY_WAITS, Ordering::SeqCst);
        let user = UserView::of_page(self.nt(), &storage, 0, Access::Read)?;
        let pages: Vec<_> = (0..2)
            .filter_map(|i| storage.page(i))
            .map(Page::System)
            .collect();
        let space = &device.process.space;
        let current_gpu = space.map(&pages, Mapping::ANONYMOUS, &self.vidmm.paging)?;
        let made = self.make_fence(device, &storage, current_gpu);
        let (os, global, local, system_gpu) = match made {
            Ok(made) => made,
            Err(error) => {
                let _ = space.unmap(current_gpu, &self.vidmm.paging);
                return Err(error);
            }
        };
        let waiters = Mutex::new(Waiters {
            values: BTreeMap::new(),
            monitored: NOBODY_WAITS,
        });
        Ok(Fence {
            device: device.clone(),
            os,
            global,
            local,
            storage,
            current_gpu,
            system_gpu,
            user,
            waiters,
        })
    }

    fn make_fence(
        &self,
        device: &Device,
        storage: &SystemPages,
        current_gpu: u64,
    ) -> Result<(OsHandle, KmdHandle, KmdHandle, Option<u64>), ObjectError> {
        let to_system = self.facts.map_fences_to_system;
        let system_gpu = to_system
            .then(|| self.vidmm.map_system(storage))
            .transpose()?;
        let os = OsHandle::fresh();
        self.completions.add_fence(os);
        let opened = self.create_and_open(device, os, system_gpu, current_gpu);
        let (global, local) = opened.inspect_err(|_| {
            self.completions.remove_fence(os);
            if let Some(address) = system_gpu {
                let _ = self.vidmm.unmap_system(address);
            }
        })?;
        Ok((os, global, local, system_gpu))
    }

    fn create_and_open(
        &self,
        device: &Device,
        os: OsHandle,
        system_gpu: Option<u64>,
        current_gpu: u64,
    ) -> Result<(KmdHandle, KmdHandle), ObjectError> {
        let mut create = DXGKARG_CREATENATIVEFENCE {
            hGlobalNativeFence: os.raw(),
            Type: D3DDDI_NATIVEFENCE_TYPE::D3DDDI_NATIVEFENCE_TYPE_DEFAULT,
            CurrentValueSystemProcessGpuVa: system_gpu.unwrap_or(0),
            MonitoredValueSystemProcessGpuVa: system_gpu.map_or(0, |at| at + MONITORED),
            ..DXGKARG_CREATENATIVEFENCE::ZERO
        };
        self.driver.create_native_fence(self.adapter, &mut create)?;
        let global = KmdHandle::from_raw(create.hGlobalNativeFence);
        let mut open = DXGKARG_OPENNATIVEFENCE {
            hGlobalNativeFence: global.raw(),
            hLocalNativeFence: OsHandle::fresh().raw(),
            hDevice: device.kmd.raw(),
            CurrentValueGpuVa: current_gpu,
            MonitoredValueGpuVa: current_gpu + MONITORED,
            ..DXGKARG_OPENNATIVEFENCE::ZERO
        };
        let opened = self.driver.open_native_fence(self.adapter, &mut open);
        if let Err(error) = opened {
            let _ = self.destroy_global(global);
            return Err(error.into());
        }
        Ok((global, KmdHandle::from_raw(open.hLocalNativeFence)))
    }

    fn destroy_global(&self, global: KmdHandle) -> Result<(), ObjectError> {
        let mut args = DXGKARG_DESTROYNATIVEFENCE {
            hGlobalNativeFence: global.raw(),
            ..DXGKARG_DESTROYNATIVEFENCE::ZERO
        };
        Ok(self.driver.destroy_native_fence(&mut args)?)
    }

    /// Closes and destroys a fence; its storage goes with the last reference.
    pub(super) fn destroy_fence(&self, fence: &Fence) -> Result<(), ObjectError> {
        let mut args = DXGKARG_CLOSENATIVEFENCE {
            hLocalNativeFence: fence.local.raw(),
            ..DXGKARG_CLOSENATIVEFENCE::ZERO
        };
        let closed = self.driver.close_native_fence(self.adapter, &mut args);
        let destroyed = self.destroy_global(fence.global);
        self.completions.remove_fence(fence.os);
        if let Some(address) = fence.system_gpu {
            self.vidmm.unmap_system(address)?;
        }
        fence
            .device
            .process
            .space
            .unmap(fence.current_gpu, &self.vidmm.paging)?;
        closed?;
        destroyed
    }

    /// `D3DKMTWaitForSynchronizationObjectFromCpu`: true if the fence reached `value`.
    pub fn wait_fence(
        &self,
        process: &Arc<Process>,
        fence: u32,
        value: u64,
        timeout: Duration,
    ) -> Result<bool, ObjectError> {
        let fence = self.table.fence(process, fence)?;
        self.wait_value(&fence, value, timeout)
    }

    pub(super) fn wait_value(
        &self,
        fence: &Fence,
        value: u64,
        timeout: Duration,
    ) -> Result<bool, ObjectError> {
        if fence.current() >= value {
            return Ok(true);
        }
        let seen = self.completions.signals(fence.os);
        self.change_waiters(fence, |values| *values.entry(value).or_default() += 1)?;
        Self::count(&self.counters.waits);
        let reached = self.await_value(fence, value, timeout, seen);
        self.change_waiters(fence, |values| {
            let left = values.get_mut(&value).map_or(0, |count| {
                *count -= 1;
                *count
            });
            if left == 0 {
                values.remove(&value);
            }
        })?;
        Ok(reached)
    }

    /// Sleeps until an interrupt says that the fence moved far enough. Only an interrupt wakes.
    ///
    /// contract: NFN-013
    fn await_value(&self, fence: &Fence, value: u64, timeout: Duration, mut seen: u64) -> bool {
        let end = Instant::now() + timeout;
        loop {
            if fence.current() >= value {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if !left.is_zero() && self.completions.wait_signal(fence.os, seen, left) {
                seen = self.completions.signals(fence.os);
                continue;
            }
            if fence.current() < value {
                return false;
            }
            // The value is there and nothing woke us. An interrupt can be on its way.
            let late = self
                .completions
                .wait_signal(fence.os, seen, INTERRUPT_GRACE);
            let excused = self.nt().verifier.is_dead() || self.completions.is_lost();
            if !late && !excused {
                let current = fence.current();
                self.breach(format!(
                    "NFN-013: {} passed {value} and is {current}, but no interrupt told the waiter",
                    fence.os
                ));
            }
            return true;
        }
    }

    /// Changes who waits, and tells the driver the least value waited for, less one.
    fn change_waiters(
        &self,
        fence: &Fence,
        change: impl FnOnce(&mut BTreeMap<u64, u32>),
    ) -> Result<(), ObjectError> {
        let mut waiters = fence.waiters.lock();
        change(&mut waiters.values);
        let least = waiters.values.keys().next();
        let monitored = least.map_or(NOBODY_WAITS, |value| value.saturating_sub(1));
        if monitored != waiters.monitored {
            waiters.monitored = monitored;
            self.update_monitored(fence, monitored)?;
        }
        Ok(())
    }

    fn update_monitored(&self, fence: &Fence, monitored: u64) -> Result<(), ObjectError> {
        const DDI: &str = "DxgkDdiUpdateMonitoredValues";
        let no_memory = |_| DdiError::NoMemory { ddi: DDI };
        let page = fence
            .storage
            .kernel_address(MONITORED / GPU_PAGE)
            .ok_or(ObjectError::Host)?;
        let fences = Guarded::<HANDLE>::new(fence.global.raw()).map_err(no_memory)?;
        let values = Guarded::new(monitored).map_err(no_memory)?;
        let targets = Guarded::<PVOID>::new(page.cast()).map_err(no_memory)?;
        let args = DXGKARG_UPDATEMONITOREDVALUES {
            NativeFenceArray: fences.as_mut_ptr(),
            UpdatedValueArray: values.as_mut_ptr(),
            MonitoredValueKernelCpuVa: targets.as_mut_ptr(),
            NumFences: 1,
            ..DXGKARG_UPDATEMONITOREDVALUES::ZERO
        };
        let mut result = Ok(());
        // Nobody else is in the driver while the power state changes.
        let settled = self.settled();
        self.platform
            .synchronized(&mut || result = self.driver.update_monitored_values(&args));
        drop(settled);
        result?;
        let found = fence.monitored();
        if found != monitored {
            self.breach(format!(
                "NFN-008: {DDI} left {found:#x} instead of {monitored:#x}"
            ));
        }
        Ok(())
    }
}
