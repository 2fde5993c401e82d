//! The D3DKMT thunks: one [`KmtProcess`] is one user-mode process on the adapter.
//!
//! Every method counts one kernel entry, whatever it finds; entries into the driver are counted
//! where they happen.

use std::cell::Cell;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use carillon_client::kmt::{
    AllocationHandle, ContextHandle, CreateDoorbell, CreateHwQueue, DOORBELL_PRIVATE_DATA_BYTES,
    DeviceHandle, Doorbell, DoorbellHandle, EngineKind, Escape, FeatureId, FenceHandle, HwQueue,
    Kmt, KmtError, NodeMetadata, NodeOrdinal, NtStatus, ProgressFence, QueueHandle, SubmitCommand,
    WaitOutcome,
};
use carillon_client::memory::{Mapping, ReadWord, SharedWord};
use carillon_hw::addr::GpuVa;

use super::objects::doorbell::DoorbellRequest;
use super::objects::exit::Exit;
use super::objects::power::Powered;
use super::objects::process::Process;
use super::objects::{ObjectError, ObjectManager};

thread_local! {
    static ENTRIES: Cell<u64> = const { Cell::new(0) };
}

/// Kernel entries that the calling thread has made, through whatever process.
#[must_use]
pub fn entries_of_this_thread() -> u64 {
    ENTRIES.get()
}

/// What the process asks of the adapter that no object is involved in.
#[derive(Debug, Clone, Default)]
pub struct AdapterView {
    /// Engine type and user-mode submission of each node, as the driver's metadata has them.
    pub nodes: Vec<(u32, bool)>,
    /// Features that are enabled on the adapter.
    pub features: Vec<u32>,
}

/// A process on the adapter, as a client sees it.
pub struct KmtProcess {
    manager: Arc<ObjectManager>,
    process: Arc<Process>,
    view: AdapterView,
}

impl fmt::Debug for KmtProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmtProcess")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

fn failed(thunk: &'static str) -> impl FnOnce(ObjectError) -> KmtError {
    move |error| KmtError::new(thunk, NtStatus(error.status().0))
}

impl KmtProcess {
    /// A new process on the adapter.
    ///
    /// # Errors
    /// When the driver refuses it, or there is no memory for its page tables.
    pub fn new(manager: Arc<ObjectManager>, view: AdapterView) -> Result<Self, ObjectError> {
        let powered = manager.powered()?;
        let process = manager.create_process()?;
        drop(powered);
        Ok(Self {
            manager,
            process,
            view,
        })
    }

    /// The adapter's objects.
    #[must_use]
    pub fn manager(&self) -> &Arc<ObjectManager> {
        &self.manager
    }

    /// The process as the OS knows it.
    #[must_use]
    pub fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// Ends the process; see [`ObjectManager::end_process`].
    ///
    /// # Safety
    /// No word or mapping that belongs to an object of the process is used afterwards.
    ///
    /// # Errors
    /// When the driver refuses what it may not refuse.
    pub unsafe fn end(&self, exit: Exit, patience: Duration) -> Result<Exit, ObjectError> {
        let _powered = self.manager.powered()?;
        self.manager.end_process(&self.process, exit, patience)
    }

    /// Bytes of an allocation, read by the device if the CPU cannot reach them. `offset` is a
    /// multiple of the page size.
    ///
    /// # Errors
    /// When the handle or the range does not exist, or paging fails.
    pub fn read_allocation(
        &self,
        allocation: AllocationHandle,
        offset: u64,
        bytes: u64,
    ) -> Result<Vec<u8>, ObjectError> {
        let _powered = self.manager.powered()?;
        let allocation = self.manager.allocation(&self.process, allocation.0)?;
        let range = allocation.range(offset, bytes)?;
        Ok(self.manager.vidmm().read_back(&range)?)
    }

    /// Enters a thunk for which the device has to be in D0, and to stay there.
    fn enter_powered(
        &self,
        thunk: &'static str,
    ) -> Result<(&ObjectManager, &Arc<Process>, Powered<'_>), KmtError> {
        let (manager, process) = self.enter();
        let powered = manager.powered().map_err(failed(thunk))?;
        Ok((manager, process, powered))
    }

    fn enter(&self) -> (&ObjectManager, &Arc<Process>) {
        self.manager.enter();
        ENTRIES.set(ENTRIES.get() + 1);
        (&self.manager, &self.process)
    }
}

/// Wraps a word that the object manager keeps mapped.
fn shared(word: NonNull<u64>) -> SharedWord {
    // SAFETY: the object manager returned the word of a mapping that it keeps until the object is
    // destroyed, page aligned and writable; all parties in this process use atomics.
    unsafe { SharedWord::new(word) }
}

/// Wraps a word that the object manager keeps mapped for reading.
fn read_only(word: NonNull<u64>) -> ReadWord {
    // SAFETY: as in `shared`, without the right to write.
    unsafe { ReadWord::new(word) }
}

impl Kmt for KmtProcess {
    fn is_feature_enabled(&self, feature: FeatureId) -> Result<bool, KmtError> {
        self.enter();
        Ok(self.view.features.contains(&feature.0))
    }

    fn node_count(&self) -> Result<u32, KmtError> {
        self.enter();
        Ok(u32::try_from(self.view.nodes.len()).unwrap_or(u32::MAX))
    }

    fn node_metadata(&self, node: NodeOrdinal) -> Result<NodeMetadata, KmtError> {
        self.enter();
        let found = self.view.nodes.get(node.0 as usize);
        let refuse = || KmtError::new("D3DKMTQueryAdapterInfo", NtStatus::INVALID_PARAMETER);
        let (kind, user_mode_submission) = *found.ok_or_else(refuse)?;
        Ok(NodeMetadata {
            kind: EngineKind(kind),
            user_mode_submission,
        })
    }

    fn create_device(&self) -> Result<DeviceHandle, KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTCreateDevice")?;
        let device = manager.create_device(process);
        device
            .map(DeviceHandle)
            .map_err(failed("D3DKMTCreateDevice"))
    }

    unsafe fn destroy_device(&self, device: DeviceHandle) -> Result<(), KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTDestroyDevice")?;
        manager
            .destroy_device(process, device.0)
            .map_err(failed("D3DKMTDestroyDevice"))
    }

    fn create_hw_context(
        &self,
        device: DeviceHandle,
        node: NodeOrdinal,
    ) -> Result<ContextHandle, KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTCreateHwContext")?;
        let context = manager.create_context(process, device.0, node.0);
        context
            .map(ContextHandle)
            .map_err(failed("D3DKMTCreateHwContext"))
    }

    fn destroy_hw_context(&self, context: ContextHandle) -> Result<(), KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTDestroyHwContext")?;
        manager
            .destroy_context(process, context.0)
            .map_err(failed("D3DKMTDestroyHwContext"))
    }

    fn create_allocation(
        &self,
        device: DeviceHandle,
        private_data: &[u8],
    ) -> Result<AllocationHandle, KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTCreateAllocation2")?;
        let allocation = manager.create_allocation(process, device.0, private_data);
        allocation
            .map(AllocationHandle)
            .map_err(failed("D3DKMTCreateAllocation2"))
    }

    unsafe fn destroy_allocation(
        &self,
        device: DeviceHandle,
        allocation: AllocationHandle,
    ) -> Result<(), KmtError> {
        const THUNK: &str = "D3DKMTDestroyAllocation2";
        let (manager, process, _powered) = self.enter_powered(THUNK)?;
        manager
            .check_device(process, device.0, &[allocation.0])
            .map_err(failed(THUNK))?;
        manager
            .destroy_allocation(process, allocation.0)
            .map_err(failed(THUNK))
    }

    fn lock(
        &self,
        device: DeviceHandle,
        allocation: AllocationHandle,
    ) -> Result<Mapping, KmtError> {
        const THUNK: &str = "D3DKMTLock2";
        let (manager, process) = self.enter();
        manager
            .check_device(process, device.0, &[allocation.0])
            .map_err(failed(THUNK))?;
        let allocation = manager
            .allocation(process, allocation.0)
            .map_err(failed(THUNK))?;
        let user = allocation
            .user()
            .and_then(|(at, bytes)| Some((NonNull::new(at)?, bytes)));
        let (base, bytes) = user.ok_or(KmtError::new(THUNK, NtStatus::INVALID_PARAMETER))?;
        // SAFETY: the view is page aligned and stays mapped until the allocation is destroyed; all
        // parties in this process access it atomically.
        Ok(unsafe { Mapping::new(base, bytes) })
    }

    fn map_gpu_virtual_address(
        &self,
        device: DeviceHandle,
        allocation: AllocationHandle,
    ) -> Result<GpuVa, KmtError> {
        const THUNK: &str = "D3DKMTMapGpuVirtualAddress";
        let (manager, process, _powered) = self.enter_powered(THUNK)?;
        manager
            .check_device(process, device.0, &[allocation.0])
            .map_err(failed(THUNK))?;
        manager
            .map_allocation(process, allocation.0)
            .map(GpuVa)
            .map_err(failed(THUNK))
    }

    fn free_gpu_virtual_address(
        &self,
        device: DeviceHandle,
        address: GpuVa,
    ) -> Result<(), KmtError> {
        const THUNK: &str = "D3DKMTFreeGpuVirtualAddress";
        let (manager, process, _powered) = self.enter_powered(THUNK)?;
        manager
            .check_device(process, device.0, &[])
            .map_err(failed(THUNK))?;
        manager
            .unmap_address(process, address.0)
            .map_err(failed(THUNK))
    }

    fn make_resident(
        &self,
        device: DeviceHandle,
        allocations: &[AllocationHandle],
    ) -> Result<(), KmtError> {
        const THUNK: &str = "D3DKMTMakeResident";
        let (manager, process) = self.enter();
        let handles: Vec<u32> = allocations.iter().map(|allocation| allocation.0).collect();
        manager
            .check_device(process, device.0, &handles)
            .map_err(failed(THUNK))?;
        for (done, handle) in handles.iter().enumerate() {
            let result = manager.make_resident(process, *handle);
            if let Err(error) = result {
                for handle in &handles[..done] {
                    let _ = manager.evict(process, *handle);
                }
                return Err(failed(THUNK)(error));
            }
        }
        Ok(())
    }

    fn evict(
        &self,
        device: DeviceHandle,
        allocations: &[AllocationHandle],
    ) -> Result<(), KmtError> {
        const THUNK: &str = "D3DKMTEvict";
        let (manager, process) = self.enter();
        let handles: Vec<u32> = allocations.iter().map(|allocation| allocation.0).collect();
        manager
            .check_device(process, device.0, &handles)
            .map_err(failed(THUNK))?;
        for handle in handles {
            manager.evict(process, handle).map_err(failed(THUNK))?;
        }
        Ok(())
    }

    fn create_hw_queue(&self, create: &CreateHwQueue<'_>) -> Result<HwQueue, KmtError> {
        const THUNK: &str = "D3DKMTCreateHwQueue";
        let (manager, process, _powered) = self.enter_powered(THUNK)?;
        let CreateHwQueue {
            context,
            user_mode_submission,
            private_data,
        } = *create;
        let new = manager.create_queue(process, context.0, user_mode_submission, private_data);
        let new = new.map_err(failed(THUNK))?;
        let words = manager
            .progress_words(process, new.queue)
            .map_err(failed(THUNK))?;
        Ok(HwQueue {
            handle: QueueHandle(new.queue),
            progress_fence: ProgressFence {
                handle: FenceHandle(new.fence),
                current_value: read_only(words.current),
                current_value_gpu: GpuVa(words.current_gpu),
                monitored_value_gpu: GpuVa(words.monitored_gpu),
            },
        })
    }

    unsafe fn destroy_hw_queue(&self, queue: QueueHandle) -> Result<(), KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTDestroyHwQueue")?;
        manager
            .destroy_queue(process, queue.0)
            .map_err(failed("D3DKMTDestroyHwQueue"))
    }

    fn create_doorbell(&self, create: &CreateDoorbell<'_>) -> Result<Doorbell, KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTCreateDoorbell")?;
        let request = DoorbellRequest {
            queue: create.queue.0,
            ring: create.ring.0,
            control: create.control.map(|control| control.0),
            private_data: create.private_data,
            resize: create.resize,
            secondary: create.require_secondary,
        };
        let new = manager.create_doorbell(process, &request);
        let new = new.map_err(failed("D3DKMTCreateDoorbell"))?;
        let mut private_data = [0; DOORBELL_PRIVATE_DATA_BYTES];
        for (to, from) in private_data.iter_mut().zip(new.private_data) {
            *to = from;
        }
        Ok(Doorbell {
            handle: DoorbellHandle(new.doorbell),
            address: shared(new.address),
            secondary_address: new.secondary_address.map(shared),
            status: read_only(new.status),
            last_queued: shared(new.last_queued),
            private_data,
        })
    }

    fn connect_doorbell(&self, doorbell: DoorbellHandle) -> Result<(), KmtError> {
        let (manager, process) = self.enter();
        manager
            .connect_doorbell(process, doorbell.0)
            .map_err(failed("D3DKMTConnectDoorbell"))
    }

    unsafe fn destroy_doorbell(&self, doorbell: DoorbellHandle) -> Result<(), KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTDestroyDoorbell")?;
        manager
            .destroy_doorbell(process, doorbell.0)
            .map_err(failed("D3DKMTDestroyDoorbell"))
    }

    fn notify_work_submission(&self, doorbell: DoorbellHandle) -> Result<(), KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTNotifyWorkSubmission")?;
        manager
            .notify_work(process, doorbell.0)
            .map_err(failed("D3DKMTNotifyWorkSubmission"))
    }

    fn escape(&self, escape: Escape<'_>) -> Result<(), KmtError> {
        let (manager, process) = self.enter();
        let Escape {
            device,
            context,
            private_data,
        } = escape;
        let device = device.map(|device| device.0);
        let context = context.map(|context| context.0);
        manager
            .escape(process, device, context, private_data)
            .map_err(failed("D3DKMTEscape"))
    }

    fn submit_command_to_hw_queue(&self, submit: &SubmitCommand) -> Result<(), KmtError> {
        let (manager, process, _powered) = self.enter_powered("D3DKMTSubmitCommandToHwQueue")?;
        let buffer = (submit.command_buffer.0, submit.command_bytes);
        manager
            .submit_command(process, submit.queue.0, buffer, submit.progress_fence_value)
            .map_err(failed("D3DKMTSubmitCommandToHwQueue"))
    }

    fn wait_for_fence(
        &self,
        fence: FenceHandle,
        value: u64,
        timeout: Duration,
    ) -> Result<WaitOutcome, KmtError> {
        let (manager, process) = self.enter();
        let reached = manager.wait_fence(process, fence.0, value, timeout);
        let reached = reached.map_err(failed("D3DKMTWaitForSynchronizationObjectFromCpu"))?;
        Ok(if reached {
            WaitOutcome::Reached
        } else {
            WaitOutcome::TimedOut
        })
    }
}
