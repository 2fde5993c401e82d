//! The device goes, or the driver stops, while clients ring: by the linked driver.

mod sys_scene;
mod sys_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use carillon_bench::device::virtual_gpu;
use carillon_bench::dxgk::adapter::{Adapter, AdapterConfig};
use carillon_bench::dxgk::kmt::{AdapterView, KmtProcess};
use carillon_bench::dxgk::load::LoadedDriver;
use carillon_bench::dxgk::objects::ObjectManager;
use carillon_bench::dxgk::objects::attach::DoorbellSharing;
use carillon_bench::dxgk::objects::doorbell::{ABORT, RETRY};
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::nt::Nt;
use carillon_bench::workload::machine::Machine;
use carillon_bench::workload::raw::system_memory;
use carillon_client::fallback::{KernelQueue, KernelQueueConfig};
use carillon_client::kmt::{DoorbellStatus, Kmt, NodeOrdinal};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::submit::{QueueLost, Submit, SubmitError, WaitError};
use carillon_hw::addr::PAGE_SIZE;
use carillon_hw::doorbell::NOT_RUNG;
use carillon_hw::regs::DoorbellModel;
use carillon_vgpu::{Fault, FetchAction, Rule};
use sys_scene::{Actor, MODELS, PATIENCE, config, until};

/// Submits until the queue is lost; returns why.
fn until_lost(queue: &mut UserQueue) -> QueueLost {
    loop {
        let lost = match queue.submit(|_| Ok(())) {
            Err(SubmitError::Lost(lost)) => lost,
            Ok(value) if value.0 % 64 != 0 => continue,
            Ok(value) => match queue.wait(value, PATIENCE) {
                Err(WaitError::Lost(lost)) => lost,
                _ => continue,
            },
            Err(_) => continue,
        };
        return lost;
    }
}

/// Register accesses of the driver so far.
fn registers(machine: &Machine) -> u64 {
    let (reads, writes) = machine.adapter().device().register_exits();
    reads + writes
}

/// Pulled out while clients submit, connect and steal doorbells from each other. Each client gets
/// an error and not a hang, no user address shows the BAR any more when the driver has been told,
/// and everything is destroyed by software alone.
///
/// contract: DBN-010, PNP-010, PNP-011, PNP-014
/// regression: MAP-01
#[test]
fn surprise_removal_under_ringing_clients() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 2));
        let processes: Vec<_> = (0..4).map(|_| machine.process().unwrap()).collect();
        let (running, touched) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            let clients: Vec<_> = (0..)
                .zip(&processes)
                .map(|(number, process)| {
                    let running = &running;
                    scope.spawn(move || {
                        let kmt: Arc<dyn Kmt> = process.clone();
                        let device = kmt.create_device().unwrap();
                        let node = NodeOrdinal(number % 2);
                        let queue =
                            UserQueue::create(kmt, device, node, UserQueueConfig::default());
                        let mut queue = queue.unwrap();
                        let value = queue.submit(|_| Ok(())).unwrap();
                        queue.wait(value, PATIENCE).unwrap();
                        running.fetch_add(1, Ordering::SeqCst);
                        let lost = until_lost(&mut queue);
                        let expected = matches!(lost, QueueLost::Aborted | QueueLost::Connect(_));
                        assert!(expected, "{model:?}: {lost}");
                        queue.close().unwrap();
                    })
                })
                .collect();
            until("work", || running.load(Ordering::SeqCst) == 4);
            machine.surprise_removal().unwrap();
            // Calls that were in the driver when the device went may still read its registers.
            thread::sleep(Duration::from_millis(50));
            touched.store(registers(&machine), Ordering::SeqCst);
            for process in &processes {
                for doorbell in machine.manager().doorbells(process.process()) {
                    assert_eq!(doorbell.shows(), None, "a user address shows the BAR");
                    // A connect or a victim's callback that crossed the removal ends in RETRY, and
                    // the client's next connect fails.
                    let status = DoorbellStatus(doorbell.status());
                    let lost = [
                        DoorbellStatus::DISCONNECTED_ABORT,
                        DoorbellStatus::DISCONNECTED_RETRY,
                    ];
                    assert!(lost.contains(&status), "{model:?}: {status:?}");
                }
            }
            for client in clients {
                client.join().unwrap();
            }
        });
        for process in processes {
            // SAFETY: the queues are gone, and nothing else of the process is used.
            unsafe { process.end(Exit::Normal, PATIENCE) }.unwrap();
        }
        let touched = touched.load(Ordering::SeqCst);
        assert_eq!(
            registers(&machine),
            touched,
            "registers of a device that is gone"
        );
        sys_support::finish(&nt, machine);
    }
}

/// The hardware is gone before anybody knows: in the middle of a fetch. The client waits in vain
/// until the OS notices; objects are created and connected in between, and nothing is touched that
/// is not there.
///
/// regression: MAP-01
#[test]
fn gone_before_anybody_knows() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let mut a = Actor::new(&machine, 0);
        let b = a.sibling(1);
        a.work(3);
        machine.gpu().inject(Fault::once(Rule::Fetch {
            queue: None,
            action: FetchAction::LoseDevice,
        }));
        a.publish(3);
        a.ring();
        until("the loss", || machine.gpu().config_read(0, 2) == u32::MAX);
        let connected = b.kmt.connect_doorbell(b.queue.doorbell().handle);
        println!("{model:?}: connect on a device that is gone: {connected:?}");
        machine.surprise_removal().unwrap();
        for actor in [&a, &b] {
            let status = actor.queue.status();
            assert_eq!(status, DoorbellStatus::DISCONNECTED_ABORT);
            let again = actor
                .kmt
                .connect_doorbell(actor.queue.doorbell().handle)
                .unwrap_err();
            assert!(!again.status().is_success());
            actor.ring();
        }
        assert_eq!(a.completed(), 3);
        drop(b);
        // SAFETY: no word of the process is used below.
        let way = unsafe { a.process.end(Exit::Abnormal, PATIENCE) };
        assert_eq!(way.unwrap(), Exit::Abnormal);
        sys_support::finish(&nt, machine);
    }
}

/// ABORT on a device that works: the client destroys its queue and finishes on a queue that the
/// kernel feeds. What had completed is known by the fence, so nothing is done twice or left out.
///
/// contract: DBN-010, DBX-002
#[test]
fn the_client_falls_back_to_the_kernel_queue() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let process = machine.process().unwrap();
        let kmt: Arc<dyn Kmt> = process.clone();
        let device = kmt.create_device().unwrap();
        let memory = system_memory(&*kmt, device, 4096).unwrap();
        let node = NodeOrdinal(0);
        let config = UserQueueConfig::default();
        let mut queue = UserQueue::create(kmt.clone(), device, node, config).unwrap();
        let word = |number: u32| memory.gpu.checked_add(4 * u64::from(number)).unwrap();
        let mut next = 0;
        let lost = loop {
            let submitted = queue.submit(|commands| commands.fill(word(next), 4, next + 1));
            match submitted {
                Ok(value) => {
                    next += 1;
                    if next == 20 {
                        queue.wait(value, PATIENCE).unwrap();
                        for doorbell in machine.manager().doorbells(process.process()) {
                            machine
                                .manager()
                                .disconnect_doorbell(&doorbell, ABORT)
                                .unwrap();
                        }
                    }
                }
                Err(SubmitError::Lost(lost)) => break lost,
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(lost, QueueLost::Aborted);
        let done = queue.completed().0;
        assert!(done >= 20);
        queue.close().unwrap();
        let config = KernelQueueConfig::default();
        let mut fallback = KernelQueue::create(kmt.clone(), device, node, config).unwrap();
        for number in u32::try_from(done).unwrap()..100 {
            fallback
                .submit(|commands| commands.fill(word(number), 4, number + 1))
                .unwrap();
        }
        fallback.wait(fallback.queued(), PATIENCE).unwrap();
        for number in 0..100 {
            let at = usize::try_from(4 * number).unwrap();
            assert_eq!(memory.cpu.load_u32(at), Some(number + 1));
        }
        fallback.close().unwrap();
        // SAFETY: nothing of the process is used below.
        unsafe { process.end(Exit::Normal, PATIENCE) }.unwrap();
        sys_support::finish(&nt, machine);
    }
}

/// What is rung before the queue has a page goes to a dummy page. Connecting finds it, without
/// another ring; so does a connect that races with the ring.
///
/// contract: DBN-007, DBN-012
/// regression: RING-06
#[test]
fn rung_before_the_page_is_there() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        for round in 0..30 {
            let mut a = Actor::new(&machine, round % 2);
            a.publish(1);
            a.ring();
            a.connect();
            a.settle();
            let manager = machine.manager();
            manager.disconnect_doorbell(&a.doorbell(), RETRY).unwrap();
            thread::scope(|scope| {
                let connected = scope.spawn(|| a.connect());
                // Rings while the page comes, and never again once it is there.
                while !connected.is_finished() {
                    a.ring();
                }
            });
            a.publish(1);
            a.ring();
            a.settle();
            a.end();
        }
        sys_support::finish(&nt, machine);
    }
}

/// A session whose adapter can be stopped and started again.
struct Restartable {
    nt: Arc<Nt>,
    driver: LoadedDriver,
    gpu: Arc<carillon_vgpu::Gpu>,
    adapter: Arc<Adapter>,
    sharing: DoorbellSharing,
}

impl Restartable {
    fn new(model: DoorbellModel) -> Self {
        let nt = Nt::new().unwrap();
        let driver = LoadedDriver::load(&nt, &sys_support::sys()).unwrap();
        let gpu = config(model, 2).gpu;
        let (device, gpu) = virtual_gpu::attach(&nt, gpu).unwrap();
        let adapter = Adapter::add(driver.dxgkrnl(), device, AdapterConfig::default()).unwrap();
        let sharing = match model {
            DoorbellModel::Dedicated => DoorbellSharing::Dedicated,
            DoorbellModel::Global => DoorbellSharing::Global,
        };
        Self {
            nt,
            driver,
            gpu,
            adapter,
            sharing,
        }
    }

    fn start(&self) -> (Arc<ObjectManager>, AdapterView) {
        self.adapter.start().unwrap();
        let manager = ObjectManager::attach(&self.adapter, self.sharing).unwrap();
        (manager, AdapterView::of(&self.adapter).unwrap())
    }

    fn finish(self) {
        self.adapter.remove().unwrap();
        self.driver.dxgkrnl().unload().unwrap();
        assert_eq!(sys_support::findings(&self.nt), [""; 0]);
        assert_eq!(self.nt.verifier.live_pool_blocks(), 0);
    }
}

/// Stopped and started again while other threads store to the doorbell addresses all the time,
/// which stay mapped: to a dummy page from the disconnect on. No late store is seen by the device
/// or by the driver that is there next.
///
/// contract: PNP-006
/// regression: DB-25
#[test]
fn stopped_while_others_ring() {
    const STOPS: u32 = 25;
    for model in MODELS {
        let bench = Restartable::new(model);
        let rings = AtomicU64::new(0);
        for _ in 0..STOPS {
            let (manager, view) = bench.start();
            let process = Arc::new(KmtProcess::new(manager.clone(), view).unwrap());
            let mut a = Actor::of(process, 0);
            a.work(2);
            let stop = AtomicBool::new(false);
            // Keeps the address mapped while the doorbell itself goes.
            let doorbell = a.doorbell();
            let address = a.queue.doorbell().address;
            thread::scope(|scope| {
                for _ in 0..2 {
                    let (stop, rings) = (&stop, &rings);
                    scope.spawn(move || {
                        while !stop.load(Ordering::Relaxed) {
                            address.store_release(3);
                            rings.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
                let before = rings.load(Ordering::Relaxed);
                until("rings", || rings.load(Ordering::Relaxed) > before + 200);
                manager.disconnect_all(ABORT).unwrap();
                assert_eq!(doorbell.shows(), None);
                a.end();
                bench.adapter.stop().unwrap();
                let seen = bench.gpu.stats().rings;
                let before = rings.load(Ordering::Relaxed);
                until("late rings", || {
                    rings.load(Ordering::Relaxed) > before + 200
                });
                assert_eq!(bench.gpu.stats().rings, seen, "a late ring was seen");
                stop.store(true, Ordering::Relaxed);
            });
            drop(manager);
        }
        assert!(rings.load(Ordering::Relaxed) > 10_000);
        bench.finish();
    }
}

/// After a stop the device remembers nothing of the run before: neither rings on its pages nor
/// work in memory that has belonged to a queue make it write, interrupt or fetch; the next run
/// starts from zero.
///
/// regression: RING-09
#[test]
fn nothing_is_remembered_across_a_stop() {
    for model in MODELS {
        let bench = Restartable::new(model);
        for _ in 0..3 {
            let (manager, view) = bench.start();
            let process = Arc::new(KmtProcess::new(manager.clone(), view).unwrap());
            let mut a = Actor::of(process, 0);
            a.work(5);
            a.end();
            bench.adapter.stop().unwrap();
            drop(manager);
            let before = bench.gpu.stats();
            let pages = bench.gpu.doorbell_memory();
            for page in 0..2 {
                pages.store_u64(page * PAGE_SIZE, 6).unwrap();
            }
            bench.gpu.spurious_interrupt();
            thread::sleep(Duration::from_millis(5));
            let after = bench.gpu.stats();
            assert_eq!(after.rings, before.rings);
            assert_eq!(after.looks, before.looks);
            assert_eq!(after.entries_fetched, before.entries_fetched);
            assert_eq!(after.events, before.events);
        }
        let (manager, _) = bench.start();
        let pages = bench.gpu.doorbell_memory();
        for page in 0..2 {
            assert_eq!(pages.load_u64(page * PAGE_SIZE), Ok(NOT_RUNG));
        }
        bench.adapter.stop().unwrap();
        drop(manager);
        bench.finish();
    }
}
