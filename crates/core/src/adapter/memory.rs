//! Processes, devices, allocations and native fences: what the driver has to remember of them.

use carillon_hw::addr::GpuVa;

use super::Adapter;
use crate::error::{Error, Result};
use crate::handle::{Handle, OsHandle};
use crate::irql::Passive;
use crate::objects::{
    Allocation, AllocationKind, Device, DeviceKind, Fence, FenceKind, LocalFence, LocalFenceKind,
    OpenAllocation, OpenAllocationKind, Process, ProcessKind,
};
use crate::platform::Platform;

/// What a process's view of a fence is about.
#[derive(Clone, Copy, Debug)]
pub struct NewLocalFence {
    /// The fence.
    pub fence: Handle<FenceKind>,
    /// The device that opens it.
    pub device: Handle<DeviceKind>,
    /// Current value in the process's address space.
    pub current: GpuVa,
    /// Monitored value in the process's address space.
    pub monitored: GpuVa,
}

impl<P: Platform> Adapter<P> {
    /// Remembers a process.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn create_process(
        &self,
        passive: Passive<'_>,
        process: Process,
    ) -> Result<Handle<ProcessKind>> {
        self.insert(passive, process, |tables| &mut tables.processes)
    }

    /// Forgets a process.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn destroy_process(&self, _passive: Passive<'_>, handle: Handle<ProcessKind>) -> Result {
        self.tables
            .lock()
            .processes
            .remove(handle)
            .map(drop)
            .ok_or(Error::InvalidHandle)
    }

    /// Remembers a device.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`] for a process that does not exist, [`Error::NoMemory`].
    pub fn create_device(
        &self,
        passive: Passive<'_>,
        device: Device,
    ) -> Result<Handle<DeviceKind>> {
        if let Some(process) = device.process
            && self.tables.lock().processes.get(process).is_none()
        {
            return Err(Error::InvalidHandle);
        }
        self.insert(passive, device, |tables| &mut tables.devices)
    }

    /// Forgets a device.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn destroy_device(&self, _passive: Passive<'_>, handle: Handle<DeviceKind>) -> Result {
        self.tables
            .lock()
            .devices
            .remove(handle)
            .map(drop)
            .ok_or(Error::InvalidHandle)
    }

    /// Remembers an allocation of `bytes` bytes.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn create_allocation(
        &self,
        passive: Passive<'_>,
        bytes: u64,
    ) -> Result<Handle<AllocationKind>> {
        self.insert(passive, Allocation { bytes }, |tables| {
            &mut tables.allocations
        })
    }

    /// Size of an allocation.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn allocation_bytes(&self, handle: Handle<AllocationKind>) -> Result<u64> {
        self.tables
            .lock()
            .allocations
            .get(handle)
            .map(|a| a.bytes)
            .ok_or(Error::InvalidHandle)
    }

    /// Forgets an allocation.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn destroy_allocation(
        &self,
        _passive: Passive<'_>,
        handle: Handle<AllocationKind>,
    ) -> Result {
        self.tables
            .lock()
            .allocations
            .remove(handle)
            .map(drop)
            .ok_or(Error::InvalidHandle)
    }

    /// Makes a device's view of an allocation.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`], [`Error::NoMemory`].
    pub fn open_allocation(
        &self,
        passive: Passive<'_>,
        device: Handle<DeviceKind>,
        allocation: Handle<AllocationKind>,
    ) -> Result<Handle<OpenAllocationKind>> {
        {
            let tables = self.tables.lock();
            tables.devices.get(device).ok_or(Error::InvalidHandle)?;
            tables
                .allocations
                .get(allocation)
                .ok_or(Error::InvalidHandle)?;
        }
        self.insert(passive, OpenAllocation { allocation, device }, |tables| {
            &mut tables.opens
        })
    }

    /// Ends a device's view of an allocation.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn close_allocation(
        &self,
        _passive: Passive<'_>,
        handle: Handle<OpenAllocationKind>,
    ) -> Result {
        self.tables
            .lock()
            .opens
            .remove(handle)
            .map(drop)
            .ok_or(Error::InvalidHandle)
    }

    /// Remembers a native fence by the OS's handle.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn create_fence(&self, passive: Passive<'_>, os: OsHandle) -> Result<Handle<FenceKind>> {
        self.insert(passive, Fence { os }, |tables| &mut tables.fences)
    }

    /// Forgets a native fence.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn destroy_fence(&self, _passive: Passive<'_>, handle: Handle<FenceKind>) -> Result {
        self.tables
            .lock()
            .fences
            .remove(handle)
            .map(drop)
            .ok_or(Error::InvalidHandle)
    }

    /// Makes a process's view of a native fence.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`], [`Error::NoMemory`].
    pub fn open_fence(
        &self,
        passive: Passive<'_>,
        new: &NewLocalFence,
    ) -> Result<Handle<LocalFenceKind>> {
        {
            let tables = self.tables.lock();
            tables.fences.get(new.fence).ok_or(Error::InvalidHandle)?;
            tables.devices.get(new.device).ok_or(Error::InvalidHandle)?;
        }
        let local = LocalFence {
            fence: new.fence,
            current: new.current,
            monitored: new.monitored,
        };
        self.insert(passive, local, |tables| &mut tables.local_fences)
    }

    /// Ends a process's view of a native fence.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn close_fence(&self, _passive: Passive<'_>, handle: Handle<LocalFenceKind>) -> Result {
        self.tables
            .lock()
            .local_fences
            .remove(handle)
            .map(drop)
            .ok_or(Error::InvalidHandle)
    }

    /// Whether a handle names a live native fence, global or a process's view: what
    /// `hHwQueueNativeProgressFence` may be.
    pub fn is_fence(&self, bits: u64) -> bool {
        let tables = self.tables.lock();
        let global = Handle::<FenceKind>::from_bits(bits)
            .is_some_and(|handle| tables.fences.get(handle).is_some());
        let local = Handle::<LocalFenceKind>::from_bits(bits)
            .is_some_and(|handle| tables.local_fences.get(handle).is_some());
        global || local
    }
}
