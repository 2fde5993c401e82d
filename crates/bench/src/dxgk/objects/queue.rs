//! Hardware queues.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use carillon_ddi::{
    D3DDDI_CREATEHWQUEUEFLAGS, DXGK_NATIVE_FENCE_LOG_ENTRY, DXGK_NATIVE_FENCE_LOG_HEADER,
    DXGK_NATIVE_FENCE_LOG_TYPE, DXGKARG_CREATEHWQUEUE, DXGKARG_SETNATIVEFENCELOGBUFFER,
    DXGKARG_SUBMITCOMMANDTOHWQUEUE, HANDLE, NTSTATUS, PVOID,
};
use parking_lot::Mutex;

use super::fence::Fence;
use super::process::{Context, Process};
use super::table::Object;
use super::view::UserView;
use super::{ObjectError, ObjectManager};
use crate::dxgk::driver::{DdiError, Guarded};
use crate::dxgk::handle::{KmdHandle, OsHandle};
use crate::dxgk::vidmm::geometry::GPU_PAGE;
use crate::dxgk::vidmm::place::{Page, SystemPages};
use crate::dxgk::vidmm::space::Mapping;
use crate::trap::mapping::Access;
use crate::verifier::irql::Irql;

/// Entries that fit behind the header in a log of one page.
const LOG_ENTRIES: usize =
    (4096 - size_of::<DXGK_NATIVE_FENCE_LOG_HEADER>()) / size_of::<DXGK_NATIVE_FENCE_LOG_ENTRY>();
/// Longest private driver data of a queue that the model passes on.
const PRIVATE_DATA_LIMIT: usize = 64 << 10;

/// `DXGKARG_CREATEHWQUEUE` while `NativeProgressFence` is set: the fence is a driver handle, which
/// takes the place of the thunk handle and of the padding behind it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct CreateNativeQueue {
    queue: HANDLE,
    flags: D3DDDI_CREATEHWQUEUEFLAGS,
    private_size: u32,
    private: PVOID,
    fence: HANDLE,
    fence_cpu: PVOID,
    fence_gpu: u64,
}

const _: () = assert!(size_of::<CreateNativeQueue>() == size_of::<DXGKARG_CREATEHWQUEUE>());
const _: () = assert!(
    std::mem::offset_of!(CreateNativeQueue, fence)
        == std::mem::offset_of!(DXGKARG_CREATEHWQUEUE, hHwQueueProgressFence)
);
const _: () = assert!(
    std::mem::offset_of!(CreateNativeQueue, fence_cpu)
        == std::mem::offset_of!(DXGKARG_CREATEHWQUEUE, HwQueueProgressFenceCPUVirtualAddress)
);

/// A hardware queue.
#[derive(Debug)]
pub struct Queue {
    pub(super) context: Arc<Context>,
    pub(super) os: OsHandle,
    pub(super) kmd: KmdHandle,
    pub(super) user_mode: bool,
    pub(super) fence: Arc<Fence>,
    fence_handle: u32,
    logs: Logs,
    /// Page whose first word is the last progress value that the client queued.
    queued: SystemPages,
    pub(super) queued_view: UserView,
    /// Last value of a kernel submission.
    submitted: AtomicU64,
    /// HWQ-015: the driver is not entered twice to submit to one queue.
    submitting: Mutex<()>,
}

impl Queue {
    /// The last progress value that was queued, by the client's word or by kernel submission.
    #[must_use]
    pub fn last_queued(&self) -> u64 {
        let by_client = self
            .queued
            .word(0)
            .map_or(0, |word| word.load(Ordering::SeqCst));
        by_client.max(self.submitted.load(Ordering::SeqCst))
    }

    /// The OS's handle.
    #[must_use]
    pub fn os_handle(&self) -> OsHandle {
        self.os
    }

    /// The driver's handle.
    #[must_use]
    pub fn kmd(&self) -> KmdHandle {
        self.kmd
    }

    /// The progress fence.
    #[must_use]
    pub fn fence(&self) -> &Fence {
        &self.fence
    }
}

/// Where the progress fence of a queue is.
#[derive(Debug, Clone, Copy)]
pub struct ProgressWords {
    /// The current value at its user address.
    pub current: NonNull<u64>,
    /// The current value at its GPU address.
    pub current_gpu: u64,
    /// The monitored value at its GPU address.
    pub monitored_gpu: u64,
}

/// The two logs of a queue: waits, then signals.
#[derive(Debug)]
struct Logs {
    pages: SystemPages,
    gpu: u64,
    system_gpu: Option<u64>,
}

/// What the creator of a queue learns.
#[derive(Debug, Clone, Copy)]
pub struct NewQueue {
    /// Handle of the queue.
    pub queue: u32,
    /// Handle of its progress fence.
    pub fence: u32,
}

impl ObjectManager {
    /// `D3DKMTCreateHwQueue`
    pub fn create_queue(
        &self,
        process: &Arc<Process>,
        context: u32,
        user_mode: bool,
        private_data: &[u8],
    ) -> Result<NewQueue, ObjectError> {
        let context = self.table.context(process, context)?;
        let node_can = self
            .facts
            .user_mode_nodes
            .get(context.node as usize)
            .copied();
        if user_mode && (node_can != Some(true) || self.facts.doorbell_bytes == 0) {
            return Err(ObjectError::NotSupported(
                "user-mode submission on that node",
            ));
        }
        if private_data.len() > PRIVATE_DATA_LIMIT {
            return Err(ObjectError::Parameter(
                "private data of a queue is too long",
            ));
        }
        let fence = Arc::new(self.create_fence(&context.device)?);
        let made = self.make_queue(&context, &fence, user_mode, private_data);
        let queue = made.inspect_err(|_| {
            let _ = self.destroy_fence(&fence);
        })?;
        let (handle, fence_handle) = (self.table.reserve(), queue.fence_handle);
        self.table.publish(fence_handle, Object::Fence(fence));
        self.table.publish(handle, Object::Queue(Arc::new(queue)));
        Ok(NewQueue {
            queue: handle,
            fence: fence_handle,
        })
    }

    fn make_queue(
        &self,
        context: &Arc<Context>,
        fence: &Arc<Fence>,
        user_mode: bool,
        private_data: &[u8],
    ) -> Result<Queue, ObjectError> {
        let queued = SystemPages::new(self.nt(), 1)?;
        let queued_view = UserView::of_page(self.nt(), &queued, 0, Access::ReadWrite)?;
        let logs = self.make_logs(context)?;
        let os = OsHandle::fresh();
        let made = self.call_create_queue(context, os, fence, user_mode, private_data);
        let kmd = match made {
            Ok(kmd) => kmd,
            Err(error) => {
                let _ = self.free_logs(context, &logs);
                return Err(error);
            }
        };
        if let Err(error) = self.announce_logs(kmd, &logs) {
            let _ = self.driver.destroy_hw_queue(kmd);
            let _ = self.free_logs(context, &logs);
            return Err(error);
        }
        Ok(Queue {
            context: context.clone(),
            os,
            kmd,
            user_mode,
            fence: fence.clone(),
            fence_handle: self.table.reserve(),
            logs,
            queued,
            queued_view,
            submitted: AtomicU64::new(0),
            submitting: Mutex::new(()),
        })
    }

    /// contract: HWQ-001
    fn call_create_queue(
        &self,
        context: &Context,
        os: OsHandle,
        fence: &Fence,
        user_mode: bool,
        private_data: &[u8],
    ) -> Result<KmdHandle, ObjectError> {
        const DDI: &str = "DxgkDdiCreateHwQueue";
        let no_memory = |_| DdiError::NoMemory { ddi: DDI };
        let private = Guarded::from_slice(private_data).map_err(no_memory)?;
        let local = self.options().local_progress_fence;
        let handle = if local { fence.local } else { fence.global };
        let args = CreateNativeQueue {
            queue: os.raw(),
            flags: D3DDDI_CREATEHWQUEUEFLAGS::new()
                .with_UserModeSubmission(user_mode)
                .with_NativeProgressFence(true),
            private_size: u32::try_from(private_data.len()).unwrap_or(u32::MAX),
            private: if private_data.is_empty() {
                std::ptr::null_mut()
            } else {
                private.as_mut_ptr().cast()
            },
            fence: handle.raw(),
            fence_cpu: fence.current_kernel(),
            fence_gpu: fence.current_gpu,
        };
        let lent = Guarded::new(args).map_err(no_memory)?;
        let entry = self.driver.table().DxgkDdiCreateHwQueue;
        let entry = entry.ok_or(DdiError::NotFilled { ddi: DDI })?;
        let status = self.nt().ddi_call(DDI, Irql::PASSIVE, || {
            // SAFETY: the driver registered the function under this type; the argument has the
            // type's size and layout, as asserted above, and lives through the call.
            unsafe { entry(context.kmd.raw(), lent.as_mut_ptr().cast()) }
        });
        let status: NTSTATUS = status.map_err(|_| DdiError::Abandoned { ddi: DDI })?;
        let after = KmdHandle::from_raw(lent.get().queue);
        if !status.is_success() {
            if after.raw() != os.raw() {
                self.breach(format!(
                    "HWQ-002: {DDI} failed with {status} and wrote hHwQueue"
                ));
            }
            return Err(DdiError::Refused { ddi: DDI, status }.into());
        }
        if after.is_null() || after.raw() == os.raw() {
            self.breach(format!(
                "HWQ-001: {DDI} succeeded and left hHwQueue as it was"
            ));
        }
        Ok(after)
    }

    fn make_logs(&self, context: &Context) -> Result<Logs, ObjectError> {
        let pages = SystemPages::new(self.nt(), 2)?;
        let types = [
            DXGK_NATIVE_FENCE_LOG_TYPE::DXGK_NATIVE_FENCE_LOG_TYPE_WAITS,
            DXGK_NATIVE_FENCE_LOG_TYPE::DXGK_NATIVE_FENCE_LOG_TYPE_SIGNALS,
        ];
        for (index, kind) in (0..).zip(types) {
            let at = index * GPU_PAGE;
            let of = |offset: usize| at + offset as u64;
            let kind_at = of(std::mem::offset_of!(DXGK_NATIVE_FENCE_LOG_HEADER, Type));
            let count_at = of(std::mem::offset_of!(
                DXGK_NATIVE_FENCE_LOG_HEADER,
                NumberOfEntries
            ));
            pages
                .write(kind_at, &kind.0.to_le_bytes())
                .ok_or(ObjectError::Host)?;
            pages
                .write(count_at, &LOG_ENTRIES.to_le_bytes())
                .ok_or(ObjectError::Host)?;
        }
        let list: Vec<_> = (0..2)
            .filter_map(|i| pages.page(i))
            .map(Page::System)
            .collect();
        let space = &context.device.process.space;
        let gpu = space.map(&list, Mapping::ANONYMOUS, &self.vidmm.paging)?;
        let to_system = self.facts.map_fences_to_system;
        let system_gpu = to_system.then(|| self.vidmm.map_system(&pages)).transpose();
        let system_gpu = system_gpu.inspect_err(|_| {
            let _ = space.unmap(gpu, &self.vidmm.paging);
        })?;
        Ok(Logs {
            pages,
            gpu,
            system_gpu,
        })
    }

    fn free_logs(&self, context: &Context, logs: &Logs) -> Result<(), ObjectError> {
        if let Some(address) = logs.system_gpu {
            self.vidmm.unmap_system(address)?;
        }
        Ok(context
            .device
            .process
            .space
            .unmap(logs.gpu, &self.vidmm.paging)?)
    }

    /// `DxgkDdiSetNativeFenceLogBuffer`, once for waits and once for signals.
    fn announce_logs(&self, queue: KmdHandle, logs: &Logs) -> Result<(), ObjectError> {
        for index in 0..2 {
            let page = logs.pages.kernel_address(index).ok_or(ObjectError::Host)?;
            let args = DXGKARG_SETNATIVEFENCELOGBUFFER {
                hHwQueue: queue.raw(),
                NumberOfEntries: u32::try_from(LOG_ENTRIES).unwrap_or(0),
                LogBufferCpuVa: std::ptr::with_exposed_provenance_mut(page.expose_provenance()),
                LogBufferGpuVa: logs.gpu + index * GPU_PAGE,
                LogBufferSystemProcessGpuVa: logs.system_gpu.map_or(0, |at| at + index * GPU_PAGE),
                ..DXGKARG_SETNATIVEFENCELOGBUFFER::ZERO
            };
            self.driver.set_native_fence_log_buffer(&args)?;
        }
        Ok(())
    }

    /// `D3DKMTDestroyHwQueue`, the progress fence included; refused while it has a doorbell.
    pub fn destroy_queue(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        let queue = self.table.queue(process, handle)?;
        let busy = self
            .table
            .doorbells()
            .iter()
            .any(|bell| Arc::ptr_eq(&bell.queue, &queue));
        if busy {
            return Err(ObjectError::Parameter("the queue has a doorbell"));
        }
        let queue = self.table.take_queue(process, handle)?;
        self.table.remove(queue.fence_handle);
        self.driver.destroy_hw_queue(queue.kmd)?;
        self.free_logs(&queue.context, &queue.logs)?;
        self.destroy_fence(&queue.fence)
    }

    /// `D3DKMTSubmitCommandToHwQueue`
    pub fn submit_command(
        &self,
        process: &Arc<Process>,
        queue: u32,
        (address, bytes): (u64, u32),
        value: u64,
    ) -> Result<(), ObjectError> {
        let queue = self.table.queue(process, queue)?;
        if queue.user_mode {
            return Err(ObjectError::Parameter(
                "kernel submission to a user-mode queue",
            ));
        }
        let _alone = queue.submitting.lock();
        if queue.submitted.fetch_max(value, Ordering::SeqCst) >= value {
            return Err(ObjectError::Parameter(
                "the progress fence value does not rise",
            ));
        }
        let args = DXGKARG_SUBMITCOMMANDTOHWQUEUE {
            hHwQueue: queue.kmd.raw(),
            HwQueueProgressFenceId: value,
            DmaBufferVirtualAddress: address,
            DmaBufferSize: bytes,
            HwQueueProgressFenceGpuVa: queue.fence.current_gpu,
            HwQueueProgressFenceCpuVa: queue.fence.current_kernel(),
            ..DXGKARG_SUBMITCOMMANDTOHWQUEUE::ZERO
        };
        Ok(self
            .driver
            .submit_command_to_hw_queue(self.adapter, &args)?)
    }

    /// Where the progress fence of a queue is.
    pub fn progress_words(
        &self,
        process: &Arc<Process>,
        queue: u32,
    ) -> Result<ProgressWords, ObjectError> {
        let queue = self.table.queue(process, queue)?;
        Ok(ProgressWords {
            current: queue.fence.user.word()?,
            current_gpu: queue.fence.current_gpu,
            monitored_gpu: queue.fence.monitored_gpu(),
        })
    }

    /// A queue by its handle, for scenarios.
    pub fn queue(&self, process: &Arc<Process>, handle: u32) -> Result<Arc<Queue>, ObjectError> {
        self.table.queue(process, handle)
    }
}
