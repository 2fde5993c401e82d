//! A driver and a device in one, in plain code: paging buffers are words that it interprets, page
//! tables are walked for every access, doorbells are handed out and taken back as the contract
//! demands. Faults can be switched on to see that the model notices them.

#![allow(dead_code, reason = "each test target uses a part of it")]

pub(crate) mod client;
pub(crate) mod doorbells;
pub(crate) mod gpu;
pub(crate) mod paging;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use carillon_bench::dxgk::driver::Driver;
use carillon_bench::dxgk::handle::{KmdHandle, OsHandle};
use carillon_bench::dxgk::interface::Notifications;
use carillon_bench::dxgk::interface::notification::{Engine, Notification};
use carillon_bench::dxgk::objects::completion::Completions;
use carillon_bench::dxgk::objects::rotation::DoorbellBar;
use carillon_bench::dxgk::objects::{AdapterFacts, ObjectManager, Platform};
use carillon_bench::dxgk::vidmm::geometry::MemoryFacts;
use carillon_bench::dxgk::vidmm::system::PagingProcess;
use carillon_bench::nt::Nt;
use carillon_bench::trap::PAGE_SIZE;
use carillon_bench::trap::shared::SharedRegion;
use carillon_ddi::{
    DRIVER_INITIALIZATION_DATA, DXGK_GPUMMUCAPS, DXGK_PAGE_TABLE_LEVEL_DESC,
    DXGK_PAGETABLEUPDATEMODE, DXGK_SEGMENTDESCRIPTOR4, DXGK_SEGMENTFLAGS, HANDLE, NTSTATUS,
};

/// Local memory of the device.
pub(crate) const VRAM_BYTES: usize = 16 << 20;
/// Doorbell pages of the device; as many secondary pages lie behind them.
pub(crate) const DOORBELLS: usize = 2;
/// Where the driver believes to have mapped the doorbell BAR.
pub(crate) const DOORBELL_KERNEL: usize = 0xFFFF_8000_0000_0000;
/// Node of paging work.
pub(crate) const PAGING_NODE: u32 = 2;
/// The adapter and its system objects.
pub(crate) const ADAPTER: usize = 0xADA0;
pub(crate) const SYSTEM_PROCESS: usize = 0x5000;
pub(crate) const SYSTEM_CONTEXT: usize = 0x5001;

/// What the driver does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Gives a connected page to somebody else without the callback.
    SharesPage,
    /// Answers an address outside of the BAR.
    WildAddress,
    /// Does not answer the secondary address that it was asked for.
    ForgetsSecondary,
    /// Answers the primary page once more as the secondary.
    RepeatsPrimary,
    /// Answers a secondary address that nobody asked for.
    VolunteersSecondary,
    /// Answers a status that is none of a connect's.
    WrongStatus,
    /// Calls the disconnect callback while a doorbell is created.
    CallsBackInCreate,
    /// Writes past the end of the paging buffer.
    OverrunsPagingBuffer,
    /// Fails a create and leaves its own handle behind.
    WritesOnFailure,
}

/// A doorbell of the fake driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FakeBell {
    pub(crate) os: usize,
    pub(crate) os_queue: usize,
    pub(crate) page: Option<usize>,
}

#[derive(Debug, Default)]
pub(crate) struct Fake {
    pub(crate) nt: Option<Arc<Nt>>,
    pub(crate) manager: Option<std::sync::Weak<ObjectManager>>,
    pub(crate) completions: Option<Arc<Completions>>,
    pub(crate) vram: Vec<u8>,
    pub(crate) roots: HashMap<usize, (u32, u64)>,
    pub(crate) next: usize,
    pub(crate) queues: HashMap<usize, usize>,
    pub(crate) bells: HashMap<usize, FakeBell>,
    pub(crate) fault: Fault,
    /// `Flags` of each connect.
    pub(crate) connect_flags: Vec<u32>,
    pub(crate) flushes: Vec<(u64, u64)>,
    pub(crate) updates: u64,
    pub(crate) log: Vec<&'static str>,
}

static FAKE: OnceLock<Mutex<Fake>> = OnceLock::new();
static ALONE: Mutex<()> = Mutex::new(());

pub(crate) fn fake() -> MutexGuard<'static, Fake> {
    let fake = FAKE.get_or_init(Mutex::default);
    fake.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(crate) fn log(what: &'static str) {
    fake().log.push(what);
}

/// A handle that no object had before.
pub(crate) fn fresh() -> usize {
    let mut fake = fake();
    fake.next += 1;
    0x1_0000_0000 + fake.next * 8
}

pub(crate) fn raw(handle: usize) -> HANDLE {
    std::ptr::without_provenance_mut(handle)
}

pub(crate) const OK: NTSTATUS = NTSTATUS::STATUS_SUCCESS;

/// What the fake reports at start-up.
pub(crate) fn facts(tables_in: u32) -> AdapterFacts {
    let segment = |size: usize, aperture| DXGK_SEGMENTDESCRIPTOR4 {
        Flags: DXGK_SEGMENTFLAGS::new().with_Aperture(aperture),
        Size: size,
        CommitLimit: size,
        ..DXGK_SEGMENTDESCRIPTOR4::ZERO
    };
    let level = DXGK_PAGE_TABLE_LEVEL_DESC {
        PageTableIndexBitCount: 9,
        PageTableSizeInBytes: 4096,
        PageTableSegmentId: tables_in,
        ..DXGK_PAGE_TABLE_LEVEL_DESC::ZERO
    };
    AdapterFacts {
        memory: MemoryFacts {
            segments: vec![segment(64 << 20, true), segment(VRAM_BYTES, false)],
            // Small, so that updates of whole tables take several passes.
            paging_buffer_bytes: 2048,
            paging_private_bytes: 0,
            mmu: DXGK_GPUMMUCAPS {
                PageTableUpdateMode: DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_PHYSICAL,
                VirtualAddressBitCount: 48,
                PageTableLevelCount: 4,
                ..DXGK_GPUMMUCAPS::ZERO
            },
            levels: vec![level; 4],
            paging_node: PAGING_NODE,
            paging_va_bytes: 256 << 20,
        },
        map_fences_to_system: true,
        doorbell_bytes: 4096,
        secondary_doorbell_bytes: 0,
        user_mode_nodes: vec![true, true, false],
        dedicated_doorbells: true,
    }
}

struct FakePlatform {
    bar: Arc<SharedRegion>,
}

impl DoorbellBar for FakePlatform {
    fn region(&self) -> &Arc<SharedRegion> {
        &self.bar
    }

    fn offset_of(&self, kernel_address: usize) -> Option<usize> {
        kernel_address
            .checked_sub(DOORBELL_KERNEL)
            .filter(|at| *at < self.bar.len())
    }
}

impl Platform for FakePlatform {
    fn doorbells(&self) -> &dyn DoorbellBar {
        self
    }

    fn synchronized(&self, f: &mut dyn FnMut()) {
        f();
    }
}

/// One test's world. Tests run one at a time: the fake is global, as entry points have no context.
pub(crate) struct World {
    pub(crate) nt: Arc<Nt>,
    pub(crate) manager: Arc<ObjectManager>,
    pub(crate) bar: Arc<SharedRegion>,
    _alone: MutexGuard<'static, ()>,
}

fn table() -> DRIVER_INITIALIZATION_DATA {
    let mut table = DRIVER_INITIALIZATION_DATA::ZERO;
    paging::fill(&mut table);
    doorbells::fill(&mut table);
    table
}

impl World {
    pub(crate) fn new(tables_in: u32) -> Self {
        Self::with(facts(tables_in))
    }

    /// An adapter whose doorbells have secondary pages.
    pub(crate) fn with_secondary() -> Self {
        Self::with(AdapterFacts {
            secondary_doorbell_bytes: 4096,
            ..facts(0)
        })
    }

    fn with(facts: AdapterFacts) -> Self {
        let alone = ALONE
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let nt = Nt::new().unwrap();
        let driver = Driver::new(nt.clone(), table());
        let completions = Completions::new(driver.clone());
        *fake() = Fake {
            nt: Some(nt.clone()),
            completions: Some(completions.clone()),
            vram: vec![0xEE; VRAM_BYTES],
            ..Fake::default()
        };
        let bar = SharedRegion::new("bar2", 2 * DOORBELLS * PAGE_SIZE).unwrap();
        let process = PagingProcess {
            process: KmdHandle::from_value(SYSTEM_PROCESS),
            context: KmdHandle::from_value(SYSTEM_CONTEXT),
        };
        let platform = Arc::new(FakePlatform { bar: bar.clone() });
        let adapter = KmdHandle::from_value(ADAPTER);
        let manager =
            ObjectManager::start(driver, adapter, process, facts, completions, platform).unwrap();
        fake().manager = Some(Arc::downgrade(&manager));
        Self {
            nt,
            manager,
            bar,
            _alone: alone,
        }
    }

    /// Violations so far, as text; taken out.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.nt
            .verifier
            .take_violations()
            .iter()
            .map(|v| v.kind.to_string())
            .collect()
    }
}

/// Reports as the interrupt routine and the DPC would.
pub(crate) fn report(notification: Notification) {
    let completions = fake().completions.clone().unwrap();
    completions.at_interrupt(&notification);
    completions.at_dpc(notification);
}

pub(crate) fn completed(fence: u32) {
    report(Notification::DmaCompleted {
        on: Engine {
            node: PAGING_NODE,
            engine: 0,
        },
        fence,
    });
}

pub(crate) fn signaled(fences: Option<Vec<OsHandle>>) {
    let on = Engine { node: 0, engine: 0 };
    report(Notification::NativeFenceSignaled {
        on,
        fences,
        queue: OsHandle::NULL,
    });
}
