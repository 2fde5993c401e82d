//! The client's submit loop and what it is given: order of its stores, what it asks before it
//! creates, what it may touch, and for how long.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_queues;
mod sys_support;

use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use carillon_bench::dxgk::adapter::AdapterConfig;
use carillon_bench::dxgk::adapter::features::{FeatureConfig, Setting};
use carillon_bench::dxgk::kmt::KmtProcess;
use carillon_bench::dxgk::objects::doorbell::RETRY;
use carillon_bench::workload::machine::MachineConfig;
use carillon_client::CreateError;
use carillon_client::kmt::{
    AllocationHandle, ContextHandle, CreateDoorbell, CreateHwQueue, DeviceHandle, Doorbell,
    DoorbellHandle, DoorbellStatus, Escape, FeatureId, FenceHandle, HwQueue, Kmt, KmtError,
    NodeMetadata, NodeOrdinal, QueueHandle, SubmitCommand, WaitOutcome,
};
use carillon_client::memory::{Mapping, SharedWord};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::submit::Submit;
use carillon_hw::addr::GpuVa;
use carillon_hw::doorbell::NOT_RUNG;
use carillon_hw::packet::Packet;
use carillon_hw::regs::DoorbellModel;

use sys_queues::{Client, MODELS, PATIENCE, config};
use sys_support::{boot, finish};

/// The tests of this file look at the mappings of the whole process, so one runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Access and name of the mapping that `address` is in.
fn mapping_of(address: usize) -> Option<(String, String)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let from = usize::from_str_radix(from, 16).ok()?;
        let to = usize::from_str_radix(to, 16).ok()?;
        let access = rest.get(..4)?.to_owned();
        let name = rest.rsplit(' ').next()?.to_owned();
        (from..to).contains(&address).then_some((access, name))
    })
}

/// Without the feature the client does not even try.
///
/// contract: UMD-007
#[test]
fn without_the_feature_nothing_is_created() {
    let _alone = alone();
    let config = MachineConfig {
        adapter: AdapterConfig {
            features: FeatureConfig {
                user_mode_submission: Setting::Off,
                ..FeatureConfig::default()
            },
            ..AdapterConfig::default()
        },
        ..config(DoorbellModel::Dedicated, 2)
    };
    let (nt, machine) = boot(&config);
    let client = Client::new(&machine);
    let contexts = nt
        .verifier
        .ddi_stats()
        .get("DxgkDdiCreateHwContext")
        .copied();
    let refused = UserQueue::create(
        client.kmt.clone(),
        client.device,
        NodeOrdinal(0),
        UserQueueConfig::default(),
    );
    let feature = FeatureId::USER_MODE_SUBMISSION;
    assert!(
        matches!(&refused, Err(CreateError::Feature(named)) if *named == feature),
        "{refused:?}"
    );
    let ddis = nt.verifier.ddi_stats();
    assert_eq!(ddis.get("DxgkDdiCreateHwContext").copied(), contexts);
    assert!(!ddis.contains_key("DxgkDdiCreateDoorbell"));
    client.end();
    finish(&nt, machine);
}

/// The client can read its status word and cannot write it; the word stays where it is.
///
/// contract: DBC-012, UMD-005
#[test]
fn the_status_word_is_read_only_and_stays() {
    let _alone = alone();
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let client = Client::new(&machine);
        let mut queue = client.queue(0);
        let status = queue.raw.doorbell().status.address().as_ptr() as usize;
        assert!(status.is_multiple_of(8), "a 64-bit word");
        let before = mapping_of(status).unwrap();
        assert_eq!(&before.0[..3], "r--", "{before:?}");
        for round in 1..=5 {
            queue.submit(round);
            queue.check();
            assert_eq!(queue.raw.status(), DoorbellStatus::CONNECTED);
            let manager = machine.manager();
            manager
                .disconnect_doorbell(&queue.doorbell(), RETRY)
                .unwrap();
            assert_eq!(queue.raw.status(), DoorbellStatus::DISCONNECTED_RETRY);
            assert_eq!(mapping_of(status), Some(before.clone()));
        }
        drop(queue);
        client.end();
        finish(&nt, machine);
    }
}

/// Losing the doorbell, to the OS or as a victim, leaves ring and control block where they were:
/// mapped, resident, with their content.
///
/// contract: DBD-008, RBR-002, VIC-016
#[test]
fn the_ring_stays_while_the_doorbell_goes() {
    let _alone = alone();
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 1));
    let (one, two) = (Client::new(&machine), Client::new(&machine));
    let (mut queue, mut thief) = (one.queue(0), two.queue(0));
    for round in 1..=10 {
        queue.submit(2 * round - 1);
        queue.check();
        let paged = machine.manager().vidmm().stats();
        let memory = queue.raw.ring_memory().cpu;
        let content = || -> Vec<Option<u32>> {
            (0..memory.bytes())
                .step_by(4)
                .map(|at| memory.load_u32(at))
                .collect()
        };
        let before = content();
        if round % 2 == 0 {
            thief.submit(round);
            thief.check();
        } else {
            let manager = machine.manager();
            manager
                .disconnect_doorbell(&queue.doorbell(), RETRY)
                .unwrap();
        }
        assert_eq!(queue.raw.status(), DoorbellStatus::DISCONNECTED_RETRY);
        assert_eq!(content(), before);
        assert_eq!(
            machine.manager().vidmm().stats(),
            paged,
            "something was paged"
        );
        // The ring takes entries and the write pointer, and both count.
        queue.publish(2 * round);
        assert_eq!(queue.ring(), 1, "one connect");
        queue.check();
    }
    drop((queue, thief));
    one.end();
    two.end();
    finish(&nt, machine);
}

/// A process whose doorbell is a word of the test's: what the client stores there is looked at, and
/// then passed on.
struct Watched {
    inner: Arc<KmtProcess>,
    word: &'static AtomicU64,
    views: Mutex<BTreeMap<AllocationHandle, Mapping>>,
    bell: Mutex<Option<(Doorbell, Mapping, Mapping)>>,
}

impl Watched {
    /// Waits for a ring, checks it against ring and write pointer, passes it on.
    fn pass_on(&self, stop: &AtomicBool) -> Vec<u64> {
        let mut values = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let value = self.word.swap(NOT_RUNG, Ordering::SeqCst);
            if value == NOT_RUNG {
                thread::yield_now();
                continue;
            }
            let (bell, ring, control) = (*self.bell.lock().unwrap()).unwrap();
            let write = control.word(0).unwrap().load_acquire();
            assert_eq!(value, write, "what was rung is not the write pointer");
            let slot = usize::try_from((write - 1) % 128).unwrap() * 32;
            let dwords = ring.load_u32(slot + 8).unwrap();
            assert_ne!(dwords, 0, "rung before the entry was there");
            values.push(value);
            bell.address.store_release(value);
        }
        values
    }
}

/// Thunks that are passed on as they are.
macro_rules! pass_on {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        fn $name(&self, $($arg: $kind),*) -> Result<$result, KmtError> {
            self.inner.$name($($arg),*)
        }
    )*};
}

/// The same for thunks that end an object.
macro_rules! pass_on_ends {
    ($($name:ident($($arg:ident: $kind:ty),*);)*) => {$(
        unsafe fn $name(&self, $($arg: $kind),*) -> Result<(), KmtError> {
            // SAFETY: the caller promises what the thunk asks for.
            unsafe { self.inner.$name($($arg),*) }
        }
    )*};
}

impl Kmt for Watched {
    pass_on! {
        is_feature_enabled(feature: FeatureId) -> bool;
        node_count() -> u32;
        node_metadata(node: NodeOrdinal) -> NodeMetadata;
        create_device() -> DeviceHandle;
        create_hw_context(device: DeviceHandle, node: NodeOrdinal) -> ContextHandle;
        destroy_hw_context(context: ContextHandle) -> ();
        create_allocation(device: DeviceHandle, data: &[u8]) -> AllocationHandle;
        map_gpu_virtual_address(device: DeviceHandle, allocation: AllocationHandle) -> GpuVa;
        free_gpu_virtual_address(device: DeviceHandle, address: GpuVa) -> ();
        make_resident(device: DeviceHandle, allocations: &[AllocationHandle]) -> ();
        evict(device: DeviceHandle, allocations: &[AllocationHandle]) -> ();
        create_hw_queue(create: &CreateHwQueue<'_>) -> HwQueue;
        connect_doorbell(doorbell: DoorbellHandle) -> ();
        notify_work_submission(doorbell: DoorbellHandle) -> ();
        escape(escape: Escape<'_>) -> ();
        submit_command_to_hw_queue(submit: &SubmitCommand) -> ();
        wait_for_fence(fence: FenceHandle, value: u64, timeout: Duration) -> WaitOutcome;
    }

    pass_on_ends! {
        destroy_device(device: DeviceHandle);
        destroy_allocation(device: DeviceHandle, allocation: AllocationHandle);
        destroy_hw_queue(queue: QueueHandle);
        destroy_doorbell(doorbell: DoorbellHandle);
    }

    fn lock(&self, device: DeviceHandle, handle: AllocationHandle) -> Result<Mapping, KmtError> {
        let view = self.inner.lock(device, handle)?;
        self.views.lock().unwrap().insert(handle, view);
        Ok(view)
    }

    fn create_doorbell(&self, create: &CreateDoorbell<'_>) -> Result<Doorbell, KmtError> {
        let bell = self.inner.create_doorbell(create)?;
        let views = self.views.lock().unwrap();
        let (ring, control) = (views[&create.ring], views[&create.control.unwrap()]);
        *self.bell.lock().unwrap() = Some((bell, ring, control));
        // SAFETY: the word is never freed, and everybody accesses it atomically.
        let address = unsafe { SharedWord::new(NonNull::from(self.word).cast()) };
        Ok(Doorbell { address, ..bell })
    }
}

/// What the client stores to the doorbell is the write pointer, when the ring entry and the write
/// pointer in memory are there already.
///
/// contract: UMD-003
#[test]
fn the_client_rings_last_and_rings_the_write_pointer() {
    let _alone = alone();
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 2));
    let client = Client::new(&machine);
    let watched = Arc::new(Watched {
        inner: client.kmt.clone(),
        word: Box::leak(Box::new(AtomicU64::new(NOT_RUNG))),
        views: Mutex::default(),
        bell: Mutex::default(),
    });
    let config = UserQueueConfig::default();
    let mut queue =
        UserQueue::create(watched.clone(), client.device, NodeOrdinal(0), config).unwrap();
    let stop = AtomicBool::new(false);
    let values = thread::scope(|scope| {
        let listener = scope.spawn(|| watched.pass_on(&stop));
        for _ in 0..300 {
            let value = queue.submit(|commands| commands.packet(&Packet::Nop { dwords: 1 }));
            let done = queue.wait(value.unwrap(), PATIENCE);
            if done.is_err() || listener.is_finished() {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        listener.join().unwrap()
    });
    let mut expected: Vec<u64> = (1..=300).collect();
    // The first ring finds the doorbell disconnected and is repeated once it is connected.
    let repeated = values.iter().filter(|value| **value == 1).count();
    expected.splice(0..1, std::iter::repeat_n(1, repeated));
    assert_eq!(values, expected);
    queue.close().unwrap();
    client.end();
    finish(&nt, machine);
}

/// After its end nothing that the queue had is mapped any more, and nobody misses it.
///
/// contract: DBX-007
#[test]
fn a_closed_queue_touches_nothing_of_its_own() {
    let _alone = alone();
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let client = Client::new(&machine);
        for close in [true, false] {
            let config = UserQueueConfig::default();
            let node = NodeOrdinal(0);
            let kmt = client.kmt.clone();
            let mut queue = UserQueue::create(kmt, client.device, node, config).unwrap();
            for _ in 0..5 {
                queue
                    .submit(|commands| commands.packet(&Packet::Nop { dwords: 1 }))
                    .unwrap();
            }
            let page = |name: &str| {
                let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
                maps.lines().filter(|line| line.contains(name)).count()
            };
            let bell = page("carillon-doorbells");
            // With work in flight: the end waits for it before it takes the words away.
            if close {
                queue.close().unwrap();
            } else {
                drop(queue);
            }
            assert_eq!(page("carillon-doorbells"), bell - 1);
            assert_eq!(page("doorbell-dummy"), 0);
        }
        client.end();
        finish(&nt, machine);
    }
}
