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
    /// The kernel did not give the secondary address that was asked for.
    #[error("the doorbell has no secondary address")]
    NoSecondary,
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

/// How many objects there were at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    doorbells: usize,
    allocations: usize,
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
    doorbells: Vec<DoorbellHandle>,
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
            doorbells: Vec::new(),
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
        self.doorbells.push(doorbell.handle);
        Ok(doorbell)
    }

    /// The moment before something is made that may have to be given up.
    pub(crate) const fn mark(&self) -> Mark {
        Mark {
            doorbells: self.doorbells.len(),
            allocations: self.allocations.len(),
        }
    }

    /// Destroys what was made since `mark` and not yet told to anybody. What does not go is
    /// destroyed with the rest.
    pub(crate) fn give_up(&mut self, mark: Mark) {
        for doorbell in self.doorbells.split_off(mark.doorbells) {
            // SAFETY: nobody was told of its words.
            if unsafe { self.kmt.destroy_doorbell(doorbell) }.is_err() {
                self.doorbells.push(doorbell);
                return;
            }
        }
        while self.allocations.len() > mark.allocations {
            // SAFETY: nobody was told of the mappings.
            if unsafe { self.free_last() }.is_err() {
                return;
            }
        }
    }

    /// Destroys one doorbell.
    ///
    /// # Safety
    /// No word of the doorbell is used afterwards.
    pub(crate) unsafe fn destroy_doorbell(
        &mut self,
        doorbell: DoorbellHandle,
    ) -> Result<(), KmtError> {
        // SAFETY: the caller uses no word any more.
        unsafe { self.kmt.destroy_doorbell(doorbell) }?;
        self.doorbells.retain(|other| *other != doorbell);
        Ok(())
    }

    /// Frees some memory.
    ///
    /// # Safety
    /// No mapping of it is used afterwards.
    pub(crate) unsafe fn free(&mut self, handles: &[AllocationHandle]) -> Result<(), KmtError> {
        for handle in handles {
            let at = self
                .allocations
                .iter()
                .position(|one| one.handle == *handle);
            let Some(at) = at else { continue };
            let last = self.allocations.len() - 1;
            self.allocations.swap(at, last);
            // SAFETY: the caller uses no mapping any more.
            unsafe { self.free_last() }?;
        }
        Ok(())
    }

    /// Frees the last allocation, if there is one.
    ///
    /// # Safety
    /// Its mapping is not used afterwards.
    unsafe fn free_last(&mut self) -> Result<(), KmtError> {
        let Some(allocation) = self.allocations.pop() else {
            return Ok(());
        };
        if let Some(address) = allocation.mapped {
            self.kmt.free_gpu_virtual_address(self.device, address)?;
        }
        if allocation.resident {
            self.kmt.evict(self.device, &[allocation.handle])?;
        }
        // SAFETY: the caller uses no mapping any more.
        unsafe { self.kmt.destroy_allocation(self.device, allocation.handle) }
    }

    /// Destroys what is there. If the doorbell or the queue does not go, the memory that the
    /// device may still read stays.
    ///
    /// # Safety
    /// No word or mapping of these objects is used afterwards.
    pub(crate) unsafe fn tear_down(&mut self) -> Result<(), KmtError> {
        // The oldest goes first: its ring is the one that has run empty.
        while let Some(doorbell) = self.doorbells.first().copied() {
            // SAFETY: the caller uses no word any more.
            unsafe { self.destroy_doorbell(doorbell) }?;
        }
        if let Some(queue) = self.queue {
            // SAFETY: the caller uses no word any more.
            unsafe { self.kmt.destroy_hw_queue(queue) }?;
            self.queue = None;
        }
        while !self.allocations.is_empty() {
            // SAFETY: the caller uses no mapping any more.
            unsafe { self.free_last() }?;
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
