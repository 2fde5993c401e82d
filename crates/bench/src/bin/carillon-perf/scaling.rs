//! What connecting costs, with few logical doorbells and with very many.
//!
//! Queues and doorbells are made by the DDIs themselves, without the objects that the OS model
//! would keep for each: all of them name one ring and one control block, which never hold work.

use std::sync::Arc;

use carillon_bench::dxgk::driver::Driver;
use carillon_bench::dxgk::handle::{KmdHandle, OsHandle};
use carillon_bench::dxgk::interface::Objects;
use carillon_bench::dxgk::trace::Step;
use carillon_bench::verifier::irql::Irql;
use carillon_bench::workload::machine::{Failure, Machine};
use carillon_bench::workload::raw::RawQueue;
use carillon_client::kmt::{Kmt, NodeOrdinal};
use carillon_ddi::{
    D3DDDI_CREATEHWQUEUEFLAGS, D3DDDI_DOORBELLSTATUS, DXGKARG_CONNECTDOORBELL,
    DXGKARG_CREATEDOORBELL, DXGKARG_CREATEHWCONTEXT, DXGKARG_CREATEHWQUEUE,
    DXGKARG_DISCONNECTDOORBELL, HANDLE, NTSTATUS,
};
use carillon_hw::doorbell::DoorbellPrivateData;
use serde::Serialize;
use zerocopy::IntoBytes;

use crate::steps::{self, Count};

const SAMPLES: usize = 33;

/// Costs with a number of logical doorbells.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Cost {
    /// Logical doorbells that exist.
    pub(crate) doorbells: usize,
    /// Physical pages.
    pub(crate) pages: u32,
    /// Driver instructions of a connect that finds a free page and of the disconnect after it.
    pub(crate) pair: u64,
    /// Driver instructions of a connect that takes the page of another.
    pub(crate) victim: u64,
}

/// The OS of doorbells that only the driver knows: whoever is to be disconnected is.
struct Consent;

impl Objects for Consent {
    fn disconnect_doorbell(
        &self,
        _queue: OsHandle,
        _doorbell: OsHandle,
        _reason: D3DDDI_DOORBELLSTATUS,
    ) -> NTSTATUS {
        NTSTATUS::STATUS_SUCCESS
    }

    fn invalidate_hw_context(&self, _context: OsHandle, _collateral_damage: bool) -> NTSTATUS {
        NTSTATUS::STATUS_SUCCESS
    }
}

/// What the DDIs need to know of the ring that all share.
struct Shared {
    context: HANDLE,
    ring: HANDLE,
    control: HANDLE,
    data: DoorbellPrivateData,
}

/// Doorbells made by the DDI.
pub(crate) struct Doorbells {
    driver: Arc<Driver>,
    shared: Shared,
    /// Keeps the ring's process.
    _kmt: Arc<dyn Kmt>,
    _queue: RawQueue,
    known: Vec<KmdHandle>,
    pages: u32,
    next: usize,
}

/// A pointer-sized member of a structure in its bytes.
fn handle_at(bytes: &[u8], offset: usize) -> Result<HANDLE, Failure> {
    let bytes = bytes.get(offset..offset + 8).ok_or("short arguments")?;
    Ok(KmdHandle::from_value(usize::from_le_bytes(bytes.try_into()?)).raw())
}

fn learn(steps: &[Step], data: DoorbellPrivateData) -> Result<Shared, Failure> {
    let find = |name: &str, after: bool| {
        let found = steps.iter().find_map(|step| match step {
            Step::Called { ddi, args } if !after && *ddi == name => Some(args),
            Step::Returned { ddi, args, .. } if after && *ddi == name => Some(args),
            _ => None,
        });
        found.ok_or(format!("{name} was not called"))
    };
    let context = find("DxgkDdiCreateHwContext", true)?;
    let doorbell = find("DxgkDdiCreateDoorbell", false)?;
    Ok(Shared {
        context: handle_at(
            context,
            std::mem::offset_of!(DXGKARG_CREATEHWCONTEXT, hHwContext),
        )?,
        ring: handle_at(
            doorbell,
            std::mem::offset_of!(DXGKARG_CREATEDOORBELL, hRingBuffer),
        )?,
        control: handle_at(
            doorbell,
            std::mem::offset_of!(DXGKARG_CREATEDOORBELL, hRingBufferControl),
        )?,
        data,
    })
}

impl Doorbells {
    pub(crate) fn new(machine: &Machine, pages: u32) -> Result<Self, Failure> {
        let driver = machine.adapter().driver().clone();
        let kmt: Arc<dyn Kmt> = machine.process()?;
        let device = kmt.create_device()?;
        driver.trace().start();
        let queue = RawQueue::create(&kmt, device, NodeOrdinal(0));
        let steps = driver.trace().stop();
        let queue = queue?;
        let (ring, control) = (queue.ring_memory().gpu, queue.control_memory().gpu);
        let data = DoorbellPrivateData::new(ring, control).ok_or("the ring is page aligned")?;
        let shared = learn(&steps, data)?;
        machine.adapter().set_objects(Arc::new(Consent));
        Ok(Self {
            driver,
            shared,
            _kmt: kmt,
            _queue: queue,
            known: Vec::new(),
            pages,
            next: 0,
        })
    }

    fn create_queue(&self) -> Result<KmdHandle, Failure> {
        const DDI: &str = "DxgkDdiCreateHwQueue";
        let mut args = DXGKARG_CREATEHWQUEUE {
            hHwQueue: OsHandle::fresh().raw(),
            Flags: D3DDDI_CREATEHWQUEUEFLAGS::new()
                .with_UserModeSubmission(true)
                .with_NativeProgressFence(true),
            ..DXGKARG_CREATEHWQUEUE::ZERO
        };
        let entry = self.driver.table().DxgkDdiCreateHwQueue.ok_or(DDI)?;
        let nt = self.driver.nt();
        let status = nt
            .ddi_call(DDI, Irql::PASSIVE, || {
                // SAFETY: the driver registered the function under this type; the argument lives
                // through the call.
                unsafe { entry(self.shared.context, &raw mut args) }
            })
            .map_err(|_| format!("{DDI} was abandoned"))?;
        if !status.is_success() {
            return Err(format!("{DDI}: {status}").into());
        }
        Ok(KmdHandle::from_raw(args.hHwQueue))
    }

    fn create_doorbell(&self, queue: KmdHandle) -> Result<KmdHandle, Failure> {
        let mut data = self.shared.data;
        let bytes = data.as_mut_bytes();
        let mut args = DXGKARG_CREATEDOORBELL {
            hHwQueue: queue.raw(),
            hDoorbell: OsHandle::fresh().raw(),
            PrivateDriverDataSize: u32::try_from(bytes.len())?,
            PrivateDriverData: bytes.as_mut_ptr().cast(),
            hRingBuffer: self.shared.ring,
            hRingBufferControl: self.shared.control,
            ..DXGKARG_CREATEDOORBELL::ZERO
        };
        self.driver.create_doorbell(&mut args)?;
        Ok(KmdHandle::from_raw(args.hDoorbell))
    }

    /// Creates doorbells until there are `count`; the bytes of pool that the doorbells took, and
    /// those that their queues took.
    pub(crate) fn grow(&mut self, count: usize) -> Result<(u64, u64), Failure> {
        let in_use = || self.driver.nt().verifier.pool_totals().bytes_in_use;
        let start = in_use();
        let missing = count.saturating_sub(self.known.len());
        let mut queues = Vec::with_capacity(missing);
        for _ in 0..missing {
            queues.push(self.create_queue()?);
        }
        let between = in_use();
        let mut doorbells = Vec::with_capacity(missing);
        for queue in queues {
            doorbells.push(self.create_doorbell(queue)?);
        }
        let end = in_use();
        self.known.extend(doorbells);
        Ok((end - between, between - start))
    }

    fn connect(&self, doorbell: KmdHandle) -> Result<(), Failure> {
        let mut args = DXGKARG_CONNECTDOORBELL {
            hDoorbell: doorbell.raw(),
            Status: D3DDDI_DOORBELLSTATUS(-1),
            ..DXGKARG_CONNECTDOORBELL::ZERO
        };
        self.driver.connect_doorbell(&mut args)?;
        let connected = D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_CONNECTED;
        if args.Status != connected {
            return Err(format!("connect answered status {}", args.Status.0).into());
        }
        Ok(())
    }

    fn disconnect(&self, doorbell: KmdHandle) -> Result<(), Failure> {
        let args = DXGKARG_DISCONNECTDOORBELL {
            hDoorbell: doorbell.raw(),
            ..DXGKARG_DISCONNECTDOORBELL::ZERO
        };
        Ok(self.driver.disconnect_doorbell(&args)?)
    }

    /// A doorbell that was not used for long: strides that reach all of a large table.
    fn pick(&mut self) -> KmdHandle {
        const STRIDE: usize = 30_011;
        self.next = (self.next + STRIDE) % self.known.len();
        self.known[self.next]
    }

    /// Counts pairs on free pages, then connects that need a victim.
    pub(crate) fn measure(&mut self) -> Result<Cost, Failure> {
        let mut pairs = Vec::new();
        for _ in 0..SAMPLES {
            let doorbell = self.pick();
            let (count, result) = steps::count(|| {
                self.connect(doorbell)?;
                self.disconnect(doorbell)
            });
            result?;
            pairs.push(count);
        }
        let mut holders = std::collections::VecDeque::new();
        while holders.len() < self.pages as usize {
            let doorbell = self.pick();
            if !holders.contains(&doorbell) {
                self.connect(doorbell)?;
                holders.push_back(doorbell);
            }
        }
        let mut victims: Vec<Count> = Vec::new();
        while victims.len() < SAMPLES {
            let doorbell = self.pick();
            if holders.contains(&doorbell) {
                continue;
            }
            let (count, result) = steps::count(|| self.connect(doorbell));
            result?;
            victims.push(count);
            holders.push_back(doorbell);
        }
        for doorbell in holders {
            self.disconnect(doorbell)?;
        }
        Ok(Cost {
            doorbells: self.known.len(),
            pages: self.pages,
            pair: steps::median(pairs).driver,
            victim: steps::median(victims).driver,
        })
    }
}
