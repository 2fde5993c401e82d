//! The kernel objects behind one queue, and the order in which they go.

use std::sync::Arc;

use carillon_hw::addr::GpuVa;
use carillon_hw::allocation::{AllocationPrivateData, Placement};
use zerocopy::IntoBytes;

use crate::kmt::{
    AllocationHandle, ContextHandle, CreateDoorbell, CreateHwQueue, DeviceHandle, Doorbell,
    DoorbellHandle, FeatureId, HwQueue, Kmt, KmtError, NodeOrdinal, QueueHandle,
};
use crate::memory::Mapping;
use crate::ring::BadReadPointer;

/// Why a queue could not be created. Everything that was made on the way is destroyed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The feature is not enabled on the adapter.
    #[error("feature {} is not enabled", .0.0)]
    Feature(FeatureId),
    /// The node does not take user-mode submission.
    #[error("node {} does not take user-mode submission", .0.0)]
    Node(NodeOrdinal),
    /// The ring size is out of range.
    #[error("a ring cannot have 2^{0} entries")]
    RingSize(u32),
    /// The room for commands is out of range.
    #[error("cannot give each of {slots} submissions {dwords} doublewords")]
    CommandSize {
        /// Submissions in flight.
        slots: u64,
        /// Doublewords asked for each.
        dwords: u32,
    },
    /// The CPU view or the GPU address of an allocation is not what was asked for.
    #[error("an allocation of {bytes} bytes came as {mapped} bytes at {address}")]
    Memory {
        /// Bytes asked for.
        bytes: u64,
        /// Bytes of the CPU view.
        mapped: usize,
        /// GPU virtual address.
        address: GpuVa,
    },
    /// The driver left nothing in the doorbell's private data that this client understands.
    #[error("the driver did not say how to ring the doorbell")]
    NoReply,
    /// The control block of the new ring does not say that the ring is empty.
    #[error("the new ring is not empty: {0}")]
    RingInUse(BadReadPointer),
    /// A thunk failed.
    #[error(transparent)]
    Kmt(#[from] KmtError),
}

/// Memory of a queue: an allocation in system memory, resident, seen by CPU and GPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) handle: AllocationHandle,
    pub(crate) cpu: Mapping,
    pub(crate) gpu: GpuVa,
}

/// What of an allocation has to be undone.
#[derive(Debug)]
struct Allocation {
    handle: AllocationHandle,
    resident: bool,
    mapped: Option<GpuVa>,
}

/// The objects of one queue. Dropping destroys them in the documented order: doorbell, hardware
/// queue, memory, hardware context. The device is the caller's.
///
/// # Invariants
/// Words and mappings of these objects are kept only by the queue that owns this value, next to
/// it, and are not used once it is torn down or dropped.
pub(crate) struct Objects {
    kmt: Arc<dyn Kmt>,
    device: DeviceHandle,
    context: Option<ContextHandle>,
    allocations: Vec<Allocation>,
    queue: Option<QueueHandle>,
    doorbell: Option<DoorbellHandle>,
}

impl Objects {
    pub(crate) fn new(
        kmt: Arc<dyn Kmt>,
        device: DeviceHandle,
        node: NodeOrdinal,
    ) -> Result<Self, KmtError> {
        let context = kmt.create_hw_context(device, node)?;
        Ok(Self {
            kmt,
            device,
            context: Some(context),
            allocations: Vec::new(),
            queue: None,
            doorbell: None,
        })
    }

    pub(crate) fn kmt(&self) -> &dyn Kmt {
        &*self.kmt
    }

    /// Makes memory of `bytes` bytes.
    pub(crate) fn memory(&mut self, bytes: u64) -> Result<Memory, CreateError> {
        let data = AllocationPrivateData::new(Placement::System, bytes);
        let handle = self.kmt.create_allocation(self.device, data.as_bytes())?;
        self.allocations.push(Allocation {
            handle,
            resident: false,
            mapped: None,
        });
        let cpu = self.kmt.lock(self.device, handle)?;
        self.kmt.make_resident(self.device, &[handle])?;
        if let Some(last) = self.allocations.last_mut() {
            last.resident = true;
        }
        let gpu = self.kmt.map_gpu_virtual_address(self.device, handle)?;
        if let Some(last) = self.allocations.last_mut() {
            last.mapped = Some(gpu);
        }
        if (cpu.bytes() as u64) < bytes || gpu.page_offset() != 0 {
            return Err(CreateError::Memory {
                bytes,
                mapped: cpu.bytes(),
                address: gpu,
            });
        }
        Ok(Memory { handle, cpu, gpu })
    }

    pub(crate) fn queue(&mut self, user_mode_submission: bool) -> Result<HwQueue, KmtError> {
        let Some(context) = self.context else {
            return Err(KmtError::new(
                "D3DKMTCreateHwQueue",
                crate::kmt::NtStatus::INVALID_PARAMETER,
            ));
        };
        let queue = self.kmt.create_hw_queue(&CreateHwQueue {
            context,
            user_mode_submission,
            private_data: &[],
        })?;
        self.queue = Some(queue.handle);
        Ok(queue)
    }

    pub(crate) fn doorbell(&mut self, create: &CreateDoorbell<'_>) -> Result<Doorbell, KmtError> {
        let doorbell = self.kmt.create_doorbell(create)?;
        self.doorbell = Some(doorbell.handle);
        Ok(doorbell)
    }

    /// Destroys what is there. If the doorbell or the queue does not go, the memory that the
    /// device may still read stays.
    ///
    /// # Safety
    /// No word or mapping of these objects is used afterwards.
    pub(crate) unsafe fn tear_down(&mut self) -> Result<(), KmtError> {
        if let Some(doorbell) = self.doorbell {
            // SAFETY: the caller uses no word any more.
            unsafe { self.kmt.destroy_doorbell(doorbell) }?;
            self.doorbell = None;
        }
        if let Some(queue) = self.queue {
            // SAFETY: the caller uses no word any more.
            unsafe { self.kmt.destroy_hw_queue(queue) }?;
            self.queue = None;
        }
        while let Some(allocation) = self.allocations.pop() {
            if let Some(address) = allocation.mapped {
                self.kmt.free_gpu_virtual_address(self.device, address)?;
            }
            if allocation.resident {
                self.kmt.evict(self.device, &[allocation.handle])?;
            }
            // SAFETY: the caller uses no mapping any more.
            unsafe { self.kmt.destroy_allocation(self.device, allocation.handle) }?;
        }
        if let Some(context) = self.context.take() {
            self.kmt.destroy_hw_context(context)?;
        }
        Ok(())
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // SAFETY: by the invariant of this type its owner is gone, and with it all words.
        let _ = unsafe { self.tear_down() };
    }
}
