//! Processes, devices, hardware contexts, and allocations as objects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use carillon_ddi::{
    D3DKMT_HANDLE, DXGK_SCHEDULING_PRIORITY_BAND, DXGKARG_CREATEDEVICE, DXGKARG_CREATEHWCONTEXT,
    DXGKARG_CREATEPROCESS, DXGKARG_RESUMECONTEXT, DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES,
    DXGKARG_SUSPENDCONTEXT, NTSTATUS,
};
use parking_lot::Mutex;

use super::doorbell::Doorbell;
use super::table::Object;
use super::{ObjectError, ObjectManager};
use crate::dxgk::handle::{KmdHandle, OsHandle};
use crate::dxgk::vidmm::MmError;
use crate::dxgk::vidmm::allocation::Allocation;
use crate::dxgk::vidmm::space::{Mapping, Space};

/// Default scheduling quantum, in units of 100 ns.
const QUANTUM: u64 = 100_000;

/// A process on the adapter.
#[derive(Debug)]
pub struct Process {
    pub(super) kmd: KmdHandle,
    pub(super) space: Space,
    /// What is mapped at which GPU address.
    mapped: Mutex<BTreeMap<u64, Arc<AllocationObject>>>,
    ended: AtomicBool,
}

impl Process {
    /// The process' GPU address space.
    #[must_use]
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Where an allocation is mapped.
    pub(super) fn addresses_of(&self, object: &AllocationObject) -> Vec<u64> {
        let mapped = self.mapped.lock();
        let mine = mapped
            .iter()
            .filter(|(_, by)| std::ptr::eq(Arc::as_ptr(by), object));
        mine.map(|(address, _)| *address).collect()
    }
}

/// How whole allocations are mapped.
pub(super) fn mapping_of(allocation: &Allocation) -> Mapping {
    Mapping {
        allocation: allocation.kmd,
        read_only: false,
    }
}

/// A device.
#[derive(Debug)]
pub struct Device {
    pub(super) process: Arc<Process>,
    pub(super) kmd: KmdHandle,
    /// Its memory was moved out; nothing of it may run.
    pub(super) evicted: Mutex<bool>,
}

/// A hardware context.
#[derive(Debug)]
pub struct Context {
    pub(super) device: Arc<Device>,
    pub(super) os: OsHandle,
    pub(super) kmd: KmdHandle,
    pub(super) node: u32,
    suspend_fence: AtomicU64,
    /// Suspended for a reason of its own, and not because the device sleeps.
    held: AtomicBool,
    invalid: AtomicBool,
}

impl Context {
    pub(super) fn invalidate(&self) {
        self.invalid.store(true, Ordering::SeqCst);
    }

    /// The node that the context runs on.
    #[must_use]
    pub fn node(&self) -> u32 {
        self.node
    }

    pub(super) fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    /// True once the driver said that an engine reset has destroyed the context's state.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.invalid.load(Ordering::SeqCst)
    }
}

#[derive(Debug, Default)]
struct Pins {
    count: u32,
    doomed: bool,
}

/// An allocation with a handle.
#[derive(Debug)]
pub struct AllocationObject {
    pub(super) device: Arc<Device>,
    /// The driver's handle, from before the open on: `DxgkCbGetHandleData` asks for it there.
    kmd: Mutex<Option<KmdHandle>>,
    allocation: Mutex<Option<Arc<Allocation>>>,
    pins: Mutex<Pins>,
}

impl AllocationObject {
    pub(super) fn handle_data(&self, device_specific: bool) -> Option<KmdHandle> {
        if device_specific {
            return self
                .allocation
                .lock()
                .as_ref()
                .map(|allocation| allocation.opened);
        }
        *self.kmd.lock()
    }

    /// The allocation.
    pub(super) fn get(&self) -> Result<Arc<Allocation>, ObjectError> {
        let gone = ObjectError::Parameter("the allocation is being made or destroyed");
        self.allocation.lock().clone().ok_or(gone)
    }

    /// Keeps the allocation alive although its handle goes.
    pub(super) fn pin(&self) -> Result<(), ObjectError> {
        let mut pins = self.pins.lock();
        if pins.doomed {
            return Err(ObjectError::Parameter("the allocation is destroyed"));
        }
        pins.count += 1;
        Ok(())
    }

    /// Undoes a pin; true if the allocation has to be destroyed now.
    fn unpin(&self) -> bool {
        let mut pins = self.pins.lock();
        pins.count = pins.count.saturating_sub(1);
        pins.doomed && pins.count == 0
    }

    /// Notes that the handle is gone; true if the allocation has to be destroyed now.
    fn doom(&self) -> bool {
        let mut pins = self.pins.lock();
        pins.doomed = true;
        pins.count == 0
    }
}

impl ObjectManager {
    /// Makes a process known to the driver, with an empty address space.
    pub fn create_process(&self) -> Result<Arc<Process>, ObjectError> {
        let mut args = DXGKARG_CREATEPROCESS {
            hDxgkProcess: OsHandle::fresh().raw(),
            ..DXGKARG_CREATEPROCESS::ZERO
        };
        self.driver.create_process(self.adapter, &mut args)?;
        let kmd = KmdHandle::from_raw(args.hKmdProcess);
        let space = self.vidmm.new_space(kmd).inspect_err(|_| {
            let _ = self.driver.destroy_process(self.adapter, kmd);
        })?;
        Ok(Arc::new(Process {
            kmd,
            space,
            mapped: Mutex::default(),
            ended: AtomicBool::new(false),
        }))
    }

    /// Destroys a process that has no objects any more; the second time does nothing.
    pub(super) fn destroy_process(&self, process: &Process) -> Result<(), ObjectError> {
        if process.ended.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        Ok(self.driver.destroy_process(self.adapter, process.kmd)?)
    }

    /// `D3DKMTCreateDevice`
    pub fn create_device(&self, process: &Arc<Process>) -> Result<u32, ObjectError> {
        if process.ended.load(Ordering::SeqCst) {
            return Err(ObjectError::Parameter("the process has ended"));
        }
        let mut args = DXGKARG_CREATEDEVICE {
            hDevice: OsHandle::fresh().raw(),
            hKmdProcess: process.kmd.raw(),
            ..DXGKARG_CREATEDEVICE::ZERO
        };
        self.driver.create_device(self.adapter, &mut args)?;
        let kmd = KmdHandle::from_raw(args.hDevice);
        let handle = self.table.reserve();
        self.table.publish(
            handle,
            Object::Device(Arc::new(Device {
                process: process.clone(),
                kmd,
                evicted: Mutex::default(),
            })),
        );
        Ok(handle)
    }

    /// `D3DKMTDestroyDevice`, with everything that belongs to it.
    pub fn destroy_device(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        let device = self.table.device(process, handle)?;
        let objects = self.table.of_process(process);
        let own = |object: &Object| match object {
            Object::Device(_) => false,
            Object::Context(context) => Arc::ptr_eq(&context.device, &device),
            Object::Allocation(allocation) => Arc::ptr_eq(&allocation.device, &device),
            Object::Fence(fence) => Arc::ptr_eq(&fence.device, &device),
            Object::Queue(queue) => Arc::ptr_eq(&queue.context.device, &device),
            Object::Doorbell(doorbell) => Arc::ptr_eq(&doorbell.queue.context.device, &device),
        };
        let children = objects
            .into_iter()
            .filter(|(_, object)| own(object))
            .collect();
        self.destroy_objects(process, children)?;
        let device = self.table.take_device(process, handle)?;
        Ok(self.driver.destroy_device(device.kmd)?)
    }

    /// `D3DKMTCreateHwContext`
    pub fn create_context(
        &self,
        process: &Arc<Process>,
        device: u32,
        node: u32,
    ) -> Result<u32, ObjectError> {
        let device = self.table.device(process, device)?;
        if node as usize >= self.facts.user_mode_nodes.len() {
            return Err(ObjectError::Parameter("no such node"));
        }
        let os = OsHandle::fresh();
        let mut args = DXGKARG_CREATEHWCONTEXT {
            hHwContext: os.raw(),
            NodeOrdinal: node,
            EngineAffinity: 1,
            ..DXGKARG_CREATEHWCONTEXT::ZERO
        };
        self.driver.create_hw_context(device.kmd, &mut args)?;
        let kmd = KmdHandle::from_raw(args.hHwContext);
        self.prepare_context(process, kmd).inspect_err(|_| {
            let _ = self.driver.destroy_hw_context(kmd);
        })?;
        let handle = self.table.reserve();
        let context = Arc::new(Context {
            device,
            os,
            kmd,
            node,
            suspend_fence: AtomicU64::new(0),
            held: AtomicBool::new(false),
            invalid: AtomicBool::new(false),
        });
        self.table.publish(handle, Object::Context(context));
        Ok(handle)
    }

    fn prepare_context(&self, process: &Process, context: KmdHandle) -> Result<(), ObjectError> {
        process.space.set_root(context, &self.vidmm.paging)?;
        let args = DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES {
            hContext: context.raw(),
            priorityBand: DXGK_SCHEDULING_PRIORITY_BAND::DXGK_SCHEDULING_PRIORITY_BAND_NORMAL,
            quantum: QUANTUM,
            ..DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES::ZERO
        };
        Ok(self
            .driver
            .set_context_scheduling_properties(self.adapter, &args)?)
    }

    /// `D3DKMTDestroyHwContext`; refused while it has queues.
    pub fn destroy_context(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        let context = self.table.context(process, handle)?;
        let busy = self.table.of_process(process).into_iter().any(|(_, object)| {
            matches!(object, Object::Queue(queue) if Arc::ptr_eq(&queue.context, &context))
        });
        if busy {
            return Err(ObjectError::Parameter("the context has queues"));
        }
        let context = self.table.take_context(process, handle)?;
        Ok(self.driver.destroy_hw_context(context.kmd)?)
    }

    /// Takes a context off the run list and waits until it is (`DxgkDdiSuspendContext`).
    pub fn suspend_context(&self, context: &Context) -> Result<(), ObjectError> {
        match self.begin_suspend(context)? {
            Some(fence) => self.await_suspend(context, fence),
            None => Ok(()),
        }
    }

    /// Calls `DxgkDdiSuspendContext`. The fence of the acknowledgement to come is the result, or
    /// `None` if the driver says that the context is off the GPU already.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn begin_suspend(&self, context: &Context) -> Result<Option<u64>, ObjectError> {
        context.held.store(true, Ordering::SeqCst);
        self.call_suspend(context)
    }

    pub(super) fn call_suspend(&self, context: &Context) -> Result<Option<u64>, ObjectError> {
        let fence = context.suspend_fence.fetch_add(1, Ordering::SeqCst) + 1;
        let args = DXGKARG_SUSPENDCONTEXT {
            hContext: context.kmd.raw(),
            contextSuspendFence: fence,
        };
        let status = self.driver.suspend_context(self.adapter, &args)?;
        Ok((status == NTSTATUS::STATUS_PENDING).then_some(fence))
    }

    /// Waits until the suspension that was asked for with `fence` is acknowledged.
    ///
    /// # Errors
    /// [`ObjectError::TimedOut`]; a breach by the driver unless its device is lost.
    ///
    /// contract: SUS-002
    pub fn await_suspend(&self, context: &Context, fence: u64) -> Result<(), ObjectError> {
        if self.completions.wait_suspended(context.os, fence) {
            return Ok(());
        }
        if self.completions.is_lost() {
            // Nothing runs on a device that is gone.
            return Ok(());
        }
        self.breach(format!(
            "SUS-002: suspension {fence} of {} not acknowledged",
            context.os
        ));
        Err(ObjectError::TimedOut)
    }

    /// Puts a context back on the run list (`DxgkDdiResumeContext`).
    ///
    /// contract: RBR-006
    pub fn resume_context(&self, context: &Context) -> Result<(), ObjectError> {
        context.held.store(false, Ordering::SeqCst);
        self.call_resume(context)
    }

    pub(super) fn call_resume(&self, context: &Context) -> Result<(), ObjectError> {
        if !self.all_resident(&context.device) {
            self.breach(String::from(
                "RBR-006: a context is resumed while memory of its device is not resident",
            ));
        }
        let args = DXGKARG_RESUMECONTEXT {
            hContext: context.kmd.raw(),
        };
        Ok(self.driver.resume_context(self.adapter, &args)?)
    }

    /// The contexts of a process, for scenarios.
    #[must_use]
    pub fn contexts(&self, process: &Arc<Process>) -> Vec<Arc<Context>> {
        let objects = self.table.of_process(process).into_iter();
        let contexts = objects.filter_map(|(_, object)| match object {
            Object::Context(context) => Some(context),
            _ => None,
        });
        contexts.collect()
    }

    /// The doorbells of a process, for scenarios.
    #[must_use]
    pub fn doorbells(&self, process: &Arc<Process>) -> Vec<Arc<Doorbell>> {
        let mut doorbells = self.table.doorbells();
        doorbells.retain(|bell| Arc::ptr_eq(&bell.queue.context.device.process, process));
        doorbells
    }

    /// A context by its handle, for scenarios.
    pub fn context(
        &self,
        process: &Arc<Process>,
        handle: u32,
    ) -> Result<Arc<Context>, ObjectError> {
        self.table.context(process, handle)
    }
}

/// Allocations.
impl ObjectManager {
    /// `D3DKMTCreateAllocation2` of one allocation.
    pub fn create_allocation(
        &self,
        process: &Arc<Process>,
        device: u32,
        private_data: &[u8],
    ) -> Result<u32, ObjectError> {
        let device = self.table.device(process, device)?;
        let handle: D3DKMT_HANDLE = self.table.reserve();
        let object = Arc::new(AllocationObject {
            device: device.clone(),
            kmd: Mutex::default(),
            allocation: Mutex::default(),
            pins: Mutex::default(),
        });
        // The driver asks for the handle's data while it opens the allocation.
        let publish = |kmd| {
            *object.kmd.lock() = Some(kmd);
            self.table
                .publish(handle, Object::Allocation(object.clone()));
        };
        let create = || {
            let publish = &publish;
            self.vidmm
                .create_allocation(device.kmd, handle, private_data, publish)
        };
        let made = match create() {
            // What nobody wants resident makes room.
            Err(MmError::Segment { .. }) if self.trim()? != 0 => create(),
            made => made,
        };
        match made {
            Ok(allocation) => {
                *object.allocation.lock() = Some(Arc::new(allocation));
                Ok(handle)
            }
            Err(error) => {
                self.table.remove(handle);
                Err(error.into())
            }
        }
    }

    /// The allocation behind a handle, for reading and filling it from outside.
    pub fn allocation(
        &self,
        process: &Arc<Process>,
        handle: u32,
    ) -> Result<Arc<Allocation>, ObjectError> {
        self.table.allocation(process, handle)?.get()
    }

    /// Checks that the device exists and that the allocations are its own.
    pub fn check_device(
        &self,
        process: &Arc<Process>,
        device: u32,
        allocations: &[u32],
    ) -> Result<(), ObjectError> {
        let device = self.table.device(process, device)?;
        for handle in allocations {
            if !Arc::ptr_eq(&self.table.allocation(process, *handle)?.device, &device) {
                return Err(ObjectError::Parameter(
                    "the allocation belongs to another device",
                ));
            }
        }
        Ok(())
    }

    /// `D3DKMTDestroyAllocation2`. A doorbell that uses the allocation keeps its memory alive.
    pub fn destroy_allocation(
        &self,
        process: &Arc<Process>,
        handle: u32,
    ) -> Result<(), ObjectError> {
        let object = self.table.allocation(process, handle)?;
        object.get()?;
        let object = self.table.take_allocation(process, handle)?;
        if object.doom() {
            self.finish_allocation(&object)
        } else {
            Ok(())
        }
    }

    pub(super) fn unpin_allocation(&self, object: &AllocationObject) -> Result<(), ObjectError> {
        if object.unpin() {
            self.finish_allocation(object)
        } else {
            Ok(())
        }
    }

    fn finish_allocation(&self, object: &AllocationObject) -> Result<(), ObjectError> {
        let process = &object.device.process;
        let addresses = process.addresses_of(object);
        for address in &addresses {
            process.mapped.lock().remove(address);
        }
        for address in addresses {
            process.space.unmap(address, &self.vidmm.paging)?;
        }
        let taken = object.allocation.lock().take();
        let gone = ObjectError::Parameter("the allocation is being destroyed");
        let allocation = taken.ok_or(gone)?;
        Ok(self.vidmm.destroy_allocation(&allocation)?)
    }

    /// `D3DKMTMapGpuVirtualAddress` of a whole allocation.
    pub fn map_allocation(&self, process: &Arc<Process>, handle: u32) -> Result<u64, ObjectError> {
        let object = self.table.allocation(process, handle)?;
        let allocation = object.get()?;
        object.pin()?;
        let residency = allocation.residency().lock();
        let mapped = if residency.valid {
            let (pages, mapping) = (allocation.pages(), mapping_of(&allocation));
            process.space.map(&pages, mapping, &self.vidmm.paging)
        } else {
            process.space.map_nothing(allocation.bytes)
        };
        if let Ok(address) = &mapped {
            process.mapped.lock().insert(*address, object.clone());
        }
        drop(residency);
        // Destroyed meanwhile: the last pin takes the mapping along.
        self.unpin_allocation(&object)?;
        Ok(mapped?)
    }

    /// `D3DKMTFreeGpuVirtualAddress`
    pub fn unmap_address(&self, process: &Arc<Process>, address: u64) -> Result<(), ObjectError> {
        let found = process.mapped.lock().remove(&address);
        found.ok_or(ObjectError::Parameter("nothing is mapped at that address"))?;
        Ok(process.space.unmap(address, &self.vidmm.paging)?)
    }
}
