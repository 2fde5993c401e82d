//! Creation of doorbells.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use carillon_ddi::{DXGKARG_CREATEDOORBELL, DXGKARG_CREATEDOORBELL_FLAGS};
use parking_lot::{Condvar, Mutex};

use super::{CREATING, Doorbell, RETRY};
use crate::dxgk::driver::{DdiError, Guarded};
use crate::dxgk::handle::{KmdHandle, OsHandle};
use crate::dxgk::objects::process::{AllocationObject, Process};
use crate::dxgk::objects::queue::Queue;
use crate::dxgk::objects::rewrite::under_rewrite;
use crate::dxgk::objects::rotation::DoorbellView;
use crate::dxgk::objects::table::Object;
use crate::dxgk::objects::view::UserView;
use crate::dxgk::objects::{ObjectError, ObjectManager};
use crate::dxgk::vidmm::place::SystemPages;
use crate::trap::mapping::Access;

/// Most bytes of doorbell private data (`D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1`).
pub const PRIVATE_DATA_BYTES: usize = 16;
/// Largest doorbell.
const LARGEST: u32 = 16384;

/// Bytes of the doorbells that an adapter offers.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    primary: usize,
    /// `None` unless the creator asks for a second one.
    secondary: Option<usize>,
}

/// What to create a doorbell of.
#[derive(Debug, Clone, Copy)]
pub struct DoorbellRequest<'a> {
    /// Handle of the queue.
    pub queue: u32,
    /// Handle of the ring buffer.
    pub ring: u32,
    /// Handle of the ring control allocation.
    pub control: Option<u32>,
    /// Private driver data.
    pub private_data: &'a [u8],
    /// `ResizeRingBufferOperation`
    pub resize: bool,
    /// `RequireSecondaryCpuVA`
    pub secondary: bool,
}

/// A [`DoorbellRequest`] that was fulfilled.
#[derive(Debug, Clone)]
pub(in crate::dxgk::objects) struct OwnedRequest {
    pub(in crate::dxgk::objects) queue: u32,
    pub(in crate::dxgk::objects) ring: u32,
    pub(in crate::dxgk::objects) control: Option<u32>,
    pub(in crate::dxgk::objects) private_data: Vec<u8>,
}

/// What the creator of a doorbell learns.
#[derive(Debug, Clone)]
pub struct NewDoorbell {
    /// Handle of the doorbell.
    pub doorbell: u32,
    /// Where to ring.
    pub address: NonNull<u64>,
    /// The second place to ring, if one was asked for.
    pub secondary_address: Option<NonNull<u64>>,
    /// The status word.
    pub status: NonNull<u64>,
    /// Where to publish the last queued progress value.
    pub last_queued: NonNull<u64>,
    /// Private driver data as the driver left it.
    pub private_data: Vec<u8>,
}

impl ObjectManager {
    /// `D3DKMTCreateDoorbell`
    ///
    /// contract: DBC-013
    pub fn create_doorbell(
        &self,
        process: &Arc<Process>,
        request: &DoorbellRequest<'_>,
    ) -> Result<NewDoorbell, ObjectError> {
        let queue = self.table.queue(process, request.queue)?;
        let sizes = self.check_request(&queue, request)?;
        let ring = self.table.allocation(process, request.ring)?;
        let control = request
            .control
            .map(|handle| self.table.allocation(process, handle))
            .transpose()?;
        if request.resize && self.options().disconnect_at_resize {
            self.disconnect_queue(&queue)?;
        }
        let status = SystemPages::new(self.nt(), 1)?;
        let status_view = UserView::of_page(self.nt(), &status, 0, Access::Read)?;
        let doorbell = Arc::new(Doorbell {
            queue,
            os: OsHandle::fresh(),
            kmd: OnceLock::new(),
            ring,
            control,
            request: OwnedRequest {
                queue: request.queue,
                ring: request.ring,
                control: request.control,
                private_data: request.private_data.to_vec(),
            },
            view: DoorbellView::new(sizes.primary)?,
            secondary: sizes.secondary.map(DoorbellView::new).transpose()?,
            status,
            status_view,
            state: Mutex::default(),
            users: AtomicUsize::new(0),
            idle: (Mutex::new(()), Condvar::new()),
            dead: Mutex::new(false),
        });
        // 0 means connected: the word must not be seen before it says otherwise.
        self.write_status(&doorbell, RETRY);
        self.pin_rings(&doorbell)?;
        let created = self.call_create_doorbell(&doorbell, request);
        let private_data = match created {
            Ok(private_data) => private_data,
            Err(error) => {
                self.table.remove_doorbell(doorbell.os);
                let _ = self.unpin_rings(&doorbell);
                return Err(error);
            }
        };
        let handle = self.table.reserve();
        let new = NewDoorbell {
            doorbell: handle,
            address: doorbell.view.word()?,
            secondary_address: doorbell
                .secondary
                .as_ref()
                .map(DoorbellView::word)
                .transpose()?,
            status: doorbell.status_view.word()?,
            last_queued: doorbell.queue.queued_view.word()?,
            private_data,
        };
        self.table.publish(handle, Object::Doorbell(doorbell));
        Ok(new)
    }

    /// contract: DBC-020, DBC-027
    fn check_request(
        &self,
        queue: &Queue,
        request: &DoorbellRequest<'_>,
    ) -> Result<Sizes, ObjectError> {
        if !queue.user_mode {
            return Err(ObjectError::Parameter(
                "the queue is not for user-mode submission",
            ));
        }
        let options = self.options();
        let too_long = request.private_data.len() > PRIVATE_DATA_BYTES;
        if too_long && !options.unchecked_doorbell_data {
            return Err(ObjectError::Parameter(
                "more than 16 bytes of doorbell private data",
            ));
        }
        let bytes = |bytes: u32| {
            if bytes == 0 || bytes > LARGEST || !bytes.is_multiple_of(4096) {
                return Err(ObjectError::NotSupported("doorbells of that size"));
            }
            usize::try_from(bytes).map_err(|_| ObjectError::Host)
        };
        let primary = bytes(self.facts.doorbell_bytes)?;
        let offered = self.facts.secondary_doorbell_bytes;
        let secondary = match (request.secondary, offered) {
            (false, _) => None,
            (true, 0) if options.unchecked_secondary => Some(primary),
            (true, 0) => return Err(ObjectError::NotSupported("a second doorbell address")),
            (true, offered) => Some(bytes(offered)?),
        };
        Ok(Sizes { primary, secondary })
    }

    /// Disconnects what doorbells a queue has.
    fn disconnect_queue(&self, queue: &Arc<Queue>) -> Result<(), ObjectError> {
        for doorbell in self.table.doorbells() {
            if Arc::ptr_eq(&doorbell.queue, queue) {
                self.disconnect_doorbell(&doorbell, RETRY)?;
            }
        }
        Ok(())
    }

    /// Keeps the memory alive and resident.
    fn pin_rings(&self, doorbell: &Doorbell) -> Result<(), ObjectError> {
        self.pin_ring(&doorbell.ring)?;
        if let Some(control) = &doorbell.control
            && let Err(error) = self.pin_ring(control)
        {
            self.unpin_ring(&doorbell.ring)?;
            return Err(error);
        }
        Ok(())
    }

    fn pin_ring(&self, object: &AllocationObject) -> Result<(), ObjectError> {
        object.pin()?;
        Self::hold(object).or_else(|error| {
            self.unpin_allocation(object)?;
            Err(error)
        })
    }

    pub(super) fn unpin_rings(&self, doorbell: &Doorbell) -> Result<(), ObjectError> {
        self.unpin_ring(&doorbell.ring)?;
        match &doorbell.control {
            Some(control) => self.unpin_ring(control),
            None => Ok(()),
        }
    }

    fn unpin_ring(&self, object: &AllocationObject) -> Result<(), ObjectError> {
        self.unhold(object)?;
        self.unpin_allocation(object)
    }

    /// contract: DBC-015
    fn call_create_doorbell(
        &self,
        doorbell: &Arc<Doorbell>,
        request: &DoorbellRequest<'_>,
    ) -> Result<Vec<u8>, ObjectError> {
        const DDI: &str = "DxgkDdiCreateDoorbell";
        let by_allocation = self.options().allocation_handles_at_doorbell;
        let handle = |object: &AllocationObject| {
            let allocation = object.get()?;
            let handle = if by_allocation {
                allocation.kmd
            } else {
                allocation.opened
            };
            Ok::<_, ObjectError>(handle.raw())
        };
        let ring = handle(&doorbell.ring)?;
        let control = doorbell.control.as_deref().map(handle).transpose()?;
        let private = Guarded::from_slice(request.private_data)
            .map_err(|_| DdiError::NoMemory { ddi: DDI })?;
        let mut args = DXGKARG_CREATEDOORBELL {
            hHwQueue: doorbell.queue.kmd.raw(),
            hDoorbell: doorbell.os.raw(),
            PrivateDriverDataSize: u32::try_from(request.private_data.len()).unwrap_or(u32::MAX),
            PrivateDriverData: if request.private_data.is_empty() {
                std::ptr::null_mut()
            } else {
                private.as_mut_ptr().cast()
            },
            hRingBuffer: ring,
            hRingBufferControl: control.unwrap_or(std::ptr::null_mut()),
            Flags: DXGKARG_CREATEDOORBELL_FLAGS::new()
                .with_ResizeRingBufferOperation(request.resize),
        };
        self.table.add_doorbell(doorbell);
        CREATING.set(true);
        let rewrite = self.options().rewrite;
        let result = under_rewrite(rewrite, &private, || self.driver.create_doorbell(&mut args));
        CREATING.set(false);
        result?;
        let kmd = KmdHandle::from_raw(args.hDoorbell);
        if kmd.is_null() || args.hDoorbell == doorbell.os.raw() {
            self.breach(format!(
                "DBC-015: {DDI} succeeded and left hDoorbell as it was"
            ));
        }
        let _ = doorbell.kmd.set(kmd);
        Ok(private.values())
    }
}
