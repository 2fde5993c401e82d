//! A client of the fake adapter.

use carillon_bench::dxgk::kmt::{AdapterView, KmtProcess};
use carillon_client::kmt::{
    AllocationHandle, ContextHandle, CreateDoorbell, CreateHwQueue, DeviceHandle, Doorbell,
    DoorbellStatus, HwQueue, Kmt, NodeOrdinal, NtStatus, QueueHandle,
};

use super::World;

/// A client with a device and a context.
pub(crate) struct Client {
    pub(crate) kmt: KmtProcess,
    pub(crate) device: DeviceHandle,
    pub(crate) context: ContextHandle,
}

impl Client {
    pub(crate) fn new(world: &World) -> Self {
        let view = AdapterView {
            nodes: vec![(1, true), (0, true), (6, false)],
            features: vec![4],
        };
        let kmt = KmtProcess::new(world.manager.clone(), view).unwrap();
        let device = kmt.create_device().unwrap();
        let context = kmt.create_hw_context(device, NodeOrdinal(0)).unwrap();
        Self {
            kmt,
            device,
            context,
        }
    }

    pub(crate) fn allocate(&self, placement: u8, pages: u8) -> AllocationHandle {
        self.kmt
            .create_allocation(self.device, &[placement, pages])
            .unwrap()
    }

    pub(crate) fn queue(&self) -> HwQueue {
        let (context, user_mode_submission) = (self.context, true);
        let create = CreateHwQueue {
            context,
            user_mode_submission,
            private_data: &[],
        };
        self.kmt.create_hw_queue(&create).unwrap()
    }

    pub(crate) fn ring(&self) -> AllocationHandle {
        let ring = self.allocate(0, 2);
        self.kmt.make_resident(self.device, &[ring]).unwrap();
        ring
    }

    pub(crate) fn try_doorbell(
        &self,
        queue: QueueHandle,
        ring: AllocationHandle,
        private_data: &[u8],
    ) -> Result<Doorbell, NtStatus> {
        let create = CreateDoorbell {
            queue,
            ring,
            control: None,
            private_data,
            resize: false,
            require_secondary: false,
        };
        self.kmt
            .create_doorbell(&create)
            .map_err(|error| error.status())
    }

    /// A doorbell on a new queue, with a secondary address.
    pub(crate) fn secondary_doorbell(&self) -> Result<Doorbell, NtStatus> {
        let create = CreateDoorbell {
            queue: self.queue().handle,
            ring: self.ring(),
            control: None,
            private_data: &[],
            resize: false,
            require_secondary: true,
        };
        self.kmt
            .create_doorbell(&create)
            .map_err(|error| error.status())
    }

    pub(crate) fn doorbell(&self) -> (HwQueue, Doorbell) {
        let queue = self.queue();
        let bell = self.try_doorbell(queue.handle, self.ring(), &[]).unwrap();
        (queue, bell)
    }
}

/// What the status word says.
pub(crate) fn status(bell: &Doorbell) -> DoorbellStatus {
    DoorbellStatus(bell.status.load_acquire())
}

/// Expects that nothing was found.
pub(crate) fn clean(world: &World) {
    assert_eq!(world.violations(), Vec::<String>::new());
}
