//! Residency: who wants which memory in place, and what happens to the rest.
//!
//! An allocation is resident while its client has asked more often for it than it has given it up
//! (`D3DKMTMakeResident`, `D3DKMTEvict`), or while a doorbell holds it. What is not resident is not
//! translated: a queue that reaches for it faults. Its memory stays where it is until somebody
//! else needs the room.
//!
//! Memory of a device whose doorbells may ring is never moved. To move it, the OS takes the
//! device's contexts off the GPU and disconnects its doorbells first (ambiguity B4).

use std::sync::Arc;

use carillon_ddi::DXGK_PAGE_FAULT_FLAGS;

use super::doorbell::{ABORT, RETRY};
use super::process::{AllocationObject, Device, Process, mapping_of};
use super::table::Object;
use super::{ObjectError, ObjectManager};
use crate::dxgk::interface::Notification;
use crate::dxgk::interface::notification::PageFault;
use crate::dxgk::vidmm::MmError;
use crate::dxgk::vidmm::allocation::{Allocation, Residency};

/// `D3DKMTMakeResident` and `D3DKMTEvict`.
impl ObjectManager {
    /// `D3DKMTMakeResident` of one allocation: counted. Returns when it is resident.
    ///
    /// # Errors
    /// No such allocation, or no room for it.
    pub fn make_resident(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        let object = self.table.allocation(process, handle)?;
        let allocation = object.get()?;
        let mut residency = allocation.residency().lock();
        self.bring_in(&object, &allocation, &mut residency)?;
        residency.client += 1;
        Ok(())
    }

    /// `D3DKMTEvict` of one allocation. When nobody wants it any more it is not translated.
    ///
    /// # Errors
    /// No such allocation, or it was given up as often as asked for.
    pub fn evict(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        let object = self.table.allocation(process, handle)?;
        let allocation = object.get()?;
        let mut residency = allocation.residency().lock();
        let less = residency.client.checked_sub(1);
        residency.client = less.ok_or(ObjectError::Parameter("it is not resident"))?;
        self.let_go(&object, &mut residency)
    }

    /// A doorbell uses a resident allocation: it stays resident, whatever its client does.
    ///
    /// contract: DBC-021, DBC-022
    pub(super) fn hold(object: &AllocationObject) -> Result<(), ObjectError> {
        let allocation = object.get()?;
        let mut residency = allocation.residency().lock();
        if !residency.valid {
            return Err(ObjectError::Parameter(
                "DBC-021: the ring or its control is not resident",
            ));
        }
        residency.os += 1;
        Ok(())
    }

    /// Undoes [`Self::hold`].
    pub(super) fn unhold(&self, object: &AllocationObject) -> Result<(), ObjectError> {
        let allocation = object.get()?;
        let mut residency = allocation.residency().lock();
        residency.os = residency.os.saturating_sub(1);
        self.let_go(object, &mut residency)
    }

    pub(super) fn bring_in(
        &self,
        object: &AllocationObject,
        allocation: &Allocation,
        residency: &mut Residency,
    ) -> Result<(), ObjectError> {
        if residency.valid {
            return Ok(());
        }
        match self.vidmm.move_in(allocation) {
            Err(MmError::Segment { .. }) if self.trim()? != 0 => self.vidmm.move_in(allocation)?,
            moved => moved?,
        }
        let process = &object.device.process;
        let addresses = process.addresses_of(object);
        let (pages, mapping) = (allocation.pages(), mapping_of(allocation));
        process
            .space
            .fill_in(&addresses, &pages, mapping, &self.vidmm.paging)?;
        residency.valid = true;
        Ok(())
    }

    fn let_go(
        &self,
        object: &AllocationObject,
        residency: &mut Residency,
    ) -> Result<(), ObjectError> {
        if residency.is_wanted() || !residency.valid {
            return Ok(());
        }
        self.take_out(object, residency)
    }

    /// Has nothing translate to the allocation.
    pub(super) fn take_out(
        &self,
        object: &AllocationObject,
        residency: &mut Residency,
    ) -> Result<(), ObjectError> {
        let process = &object.device.process;
        let addresses = process.addresses_of(object);
        residency.valid = false;
        Ok(process.space.clear_out(&addresses, &self.vidmm.paging)?)
    }
}

/// Memory pressure.
impl ObjectManager {
    /// Moves everything out of the segments that nobody wants resident; the number of bytes.
    ///
    /// # Errors
    /// When paging fails.
    pub fn trim(&self) -> Result<u64, ObjectError> {
        let mut moved = 0;
        for object in self.table.allocations() {
            let Ok(allocation) = object.get() else {
                continue;
            };
            // Somebody is bringing it in or out right now: it does not count as unwanted.
            let Some(residency) = allocation.residency().try_lock() else {
                continue;
            };
            if residency.valid || residency.is_wanted() || allocation.place().system().is_some() {
                continue;
            }
            self.vidmm.move_out(&allocation)?;
            moved += allocation.bytes;
        }
        Ok(moved)
    }

    /// Moves all memory of a device out, its rings too: contexts go off the GPU, doorbells are
    /// disconnected, then memory moves. Nobody may store to the CPU views meanwhile. A connect
    /// brings everything back, as [`Self::restore_device`] does.
    ///
    /// # Errors
    /// When the driver does not let go, or paging fails.
    pub fn evict_device(&self, process: &Arc<Process>, device: u32) -> Result<(), ObjectError> {
        let device = self.table.device(process, device)?;
        let mut evicted = device.evicted.lock();
        for (_, object) in self.table.of_process(process) {
            if let Object::Context(context) = object
                && Arc::ptr_eq(&context.device, &device)
            {
                self.suspend_context(&context)?;
            }
        }
        for doorbell in self.doorbells(process) {
            if Arc::ptr_eq(&doorbell.queue.context.device, &device) {
                self.disconnect_doorbell(&doorbell, RETRY)?;
            }
        }
        *evicted = true;
        for (object, allocation) in self.memory_of(&device) {
            let mut residency = allocation.residency().lock();
            if residency.valid {
                self.take_out(&object, &mut residency)?;
            }
            self.vidmm.move_out(&allocation)?;
        }
        Ok(())
    }

    /// Brings the memory of a device back, elsewhere, and lets its contexts run again.
    ///
    /// # Errors
    /// When there is no room, or the driver fails.
    ///
    /// contract: RBR-006
    pub fn restore_device(&self, process: &Arc<Process>, device: u32) -> Result<(), ObjectError> {
        let device = self.table.device(process, device)?;
        self.restore(&device)
    }

    pub(super) fn restore(&self, device: &Arc<Device>) -> Result<(), ObjectError> {
        let mut evicted = device.evicted.lock();
        if !*evicted {
            return Ok(());
        }
        for (object, allocation) in self.memory_of(device) {
            let mut residency = allocation.residency().lock();
            if residency.is_wanted() {
                self.bring_in(&object, &allocation, &mut residency)?;
            }
        }
        for (_, object) in self.table.of_process(&device.process) {
            if let Object::Context(context) = object
                && Arc::ptr_eq(&context.device, device)
            {
                self.resume_context(&context)?;
            }
        }
        *evicted = false;
        Ok(())
    }

    fn memory_of(&self, device: &Arc<Device>) -> Vec<(Arc<AllocationObject>, Arc<Allocation>)> {
        let mut objects = self.table.allocations();
        objects.retain(|object| Arc::ptr_eq(&object.device, device));
        let with_memory = objects.into_iter().filter_map(|object| {
            let allocation = object.get().ok()?;
            Some((object, allocation))
        });
        with_memory.collect()
    }

    /// Whether everything of a device that somebody wants resident is.
    pub(super) fn all_resident(&self, device: &Arc<Device>) -> bool {
        self.memory_of(device).iter().all(|(_, allocation)| {
            let residency = allocation.residency().lock();
            residency.valid || !residency.is_wanted()
        })
    }
}

/// Access to memory that is not resident.
impl ObjectManager {
    /// Looks at what the driver reported and was not played otherwise. A queue that touched memory
    /// that is not there takes its device along: all doorbells of it are gone for good.
    ///
    /// # Errors
    /// When the driver fails a disconnect.
    ///
    /// contract: RBR-007
    pub fn answer_faults(&self) -> Result<Vec<Notification>, ObjectError> {
        let reports = self.completions.take_others();
        for report in &reports {
            if let Notification::HwQueuePageFaulted(fault) = report {
                self.fail_device(fault)?;
            }
        }
        Ok(reports)
    }

    fn fail_device(&self, fault: &PageFault) -> Result<(), ObjectError> {
        let PageFault { object, flags, .. } = fault;
        let others = DXGK_PAGE_FAULT_FLAGS::DXGK_PAGE_FAULT_HW_CONTEXT_VALID.0
            | DXGK_PAGE_FAULT_FLAGS::DXGK_PAGE_FAULT_PROCESS_HANDLE_VALID.0;
        let by_queue = flags.0 & others == 0;
        let doorbells = self.table.doorbells();
        let faulted = doorbells
            .iter()
            .find(|bell| by_queue && bell.queue.os_handle() == *object);
        let Some(device) = faulted.map(|bell| bell.queue.context.device.clone()) else {
            self.breach(format!("TDR-026: a page fault names {object}, no queue"));
            return Ok(());
        };
        for doorbell in &doorbells {
            if Arc::ptr_eq(&doorbell.queue.context.device, &device) {
                self.disconnect_doorbell(doorbell, ABORT)?;
            }
        }
        Ok(())
    }
}
