//! The whole way with a driver file on the virtual GPU: processes, queues, doorbells with victims,
//! copies into local memory, ends of processes.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use carillon_bench::device::virtual_gpu;
use carillon_bench::dxgk::adapter::{Adapter, AdapterConfig};
use carillon_bench::dxgk::kmt::{AdapterView, KmtProcess};
use carillon_bench::dxgk::load::LoadedDriver;
use carillon_bench::dxgk::objects::attach::DoorbellSharing;
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::dxgk::objects::{DisconnectMode, ObjectManager, Options};
use carillon_bench::nt::Nt;
use carillon_client::kmt::{AllocationHandle, DeviceHandle, Kmt, NodeOrdinal};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::submit::Submit;
use carillon_hw::addr::GpuVa;

const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of each queue's target.
const BYTES: u64 = 64 << 10;

/// Memory in which the words of a queue's work can be told from everybody else's.
struct Target {
    system: AllocationHandle,
    system_at: GpuVa,
    local: AllocationHandle,
    local_at: GpuVa,
}

fn allocate(kmt: &dyn Kmt, device: DeviceHandle, local: bool) -> (AllocationHandle, GpuVa) {
    let mut data = [0; 16];
    data[0] = 1;
    data[4] = local.into();
    data[8..].copy_from_slice(&BYTES.to_le_bytes());
    let allocation = kmt.create_allocation(device, &data).unwrap();
    kmt.make_resident(device, &[allocation]).unwrap();
    (
        allocation,
        kmt.map_gpu_virtual_address(device, allocation).unwrap(),
    )
}

fn target(kmt: &dyn Kmt, device: DeviceHandle) -> Target {
    let (system, system_at) = allocate(kmt, device, false);
    let (local, local_at) = allocate(kmt, device, true);
    Target {
        system,
        system_at,
        local,
        local_at,
    }
}

/// Fills system memory, copies it to local memory, and checks both.
fn work(kmt: &KmtProcess, queue: &mut UserQueue, target: &Target, pattern: u32) {
    let submitted = queue.submit(|commands| {
        commands.fill(target.system_at, BYTES, pattern)?;
        commands.copy(target.system_at, target.local_at, BYTES)
    });
    queue.wait(submitted.unwrap(), PATIENCE).unwrap();
    let expected: Vec<u8> = pattern
        .to_le_bytes()
        .into_iter()
        .cycle()
        .take(65536)
        .collect();
    for allocation in [target.system, target.local] {
        assert_eq!(kmt.read_allocation(allocation, 0, BYTES).unwrap(), expected);
    }
}

/// Says what the verifier knows when a test fails.
struct Verdict<'a> {
    nt: &'a Nt,
    adapter: &'a Adapter,
}

impl Drop for Verdict<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{:?}", self.adapter.interrupt_counts());
            for violation in self.nt.verifier.violations().iter().take(5) {
                println!("{violation}");
            }
        }
    }
}

fn run(nt: &Arc<Nt>, manager: &Arc<ObjectManager>, adapter: &Adapter, rounds: u32) {
    let view = AdapterView::of(adapter).unwrap();
    std::thread::scope(|scope| {
        for process in 0..3_u32 {
            let (manager, view) = (manager.clone(), view.clone());
            scope.spawn(move || {
                let kmt = Arc::new(KmtProcess::new(manager, view).unwrap());
                let device = kmt.create_device().unwrap();
                let config = UserQueueConfig::default();
                let mut queues: Vec<_> = (0..3)
                    .map(|node| {
                        let node = NodeOrdinal(node % 2);
                        let queue = UserQueue::create(kmt.clone(), device, node, config).unwrap();
                        (queue, target(&*kmt, device))
                    })
                    .collect();
                for round in 0..rounds {
                    for (index, (queue, target)) in (0_u32..).zip(&mut queues) {
                        work(&kmt, queue, target, process << 24 | index << 16 | round);
                    }
                }
                for (queue, _) in queues {
                    queue.close().unwrap();
                }
                // SAFETY: the queues are gone, and nothing else of the process is used.
                let way = unsafe { kmt.end(Exit::Normal, PATIENCE) }.unwrap();
                assert_eq!(way, Exit::Normal);
            });
        }
    });
    assert!(!nt.verifier.is_dead());
}

#[test]
fn work_reaches_memory_through_the_driver() {
    let sys = sys_support::sys();
    let nt = Nt::new().unwrap();
    let driver = LoadedDriver::load(&nt, &sys).unwrap();
    let (device, _gpu) = virtual_gpu::attach(&nt, carillon_vgpu::Config::default()).unwrap();
    let adapter = Adapter::add(driver.dxgkrnl(), device, AdapterConfig::default()).unwrap();
    let _verdict = Verdict {
        nt: &nt,
        adapter: &adapter,
    };
    let started = adapter.start();
    println!("{:#?}", adapter.steps());
    started.unwrap();
    let manager = ObjectManager::attach(&adapter, DoorbellSharing::Dedicated).unwrap();
    for disconnect in [
        DisconnectMode::Plain,
        DisconnectMode::Nested,
        DisconnectMode::Concurrent,
    ] {
        manager.set_options(Options {
            disconnect,
            ..Options::default()
        });
        run(&nt, &manager, &adapter, 20);
        println!(
            "{disconnect:?}: {:?} {:?}",
            manager.stats(),
            manager.vidmm().stats()
        );
    }
    let victims = manager.stats().disconnect_callbacks;
    adapter.stop().unwrap();
    drop(manager);
    adapter.remove().unwrap();
    driver.dxgkrnl().unload().unwrap();
    let mut kinds = BTreeMap::<String, u32>::new();
    for violation in nt.verifier.violations() {
        *kinds.entry(violation.kind.to_string()).or_default() += 1;
    }
    assert!(kinds.is_empty(), "{kinds:#?}");
    assert!(
        victims > 0,
        "nine queues share four doorbells and nobody lost one"
    );
}
