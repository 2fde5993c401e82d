//! Creation: the first doorbell of all, every allocation failing in turn, two adapters, what may
//! not allocate, and what is refused.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_queues;
mod sys_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use carillon_bench::device::virtual_gpu;
use carillon_bench::dxgk::adapter::Adapter;
use carillon_bench::dxgk::kmt::{AdapterView, KmtProcess};
use carillon_bench::dxgk::load::LoadedDriver;
use carillon_bench::dxgk::objects::ObjectManager;
use carillon_bench::dxgk::objects::attach::DoorbellSharing;
use carillon_bench::dxgk::objects::doorbell::RETRY;
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::nt::Nt;
use carillon_bench::workload::machine::{Failure, Machine};
use carillon_bench::workload::raw::RawQueue;
use carillon_client::kmt::{DoorbellStatus, Kmt, NodeOrdinal};
use carillon_hw::regs::DoorbellModel;

use sys_queues::{Client, MODELS, PATIENCE, config, until};
use sys_support::{boot, findings, finish, sys};

/// What is created at a time while allocations fail.
const PROCESSES: u32 = 2;
const QUEUES: u32 = 4;

/// The first thing that ever happens on an adapter is the creation of a doorbell.
///
/// regression: DB-13
#[test]
fn the_first_doorbell_right_after_the_start_works() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 1));
        let client = Client::new(&machine);
        let mut queue = client.queue(0);
        assert_eq!(queue.raw.status(), DoorbellStatus::DISCONNECTED_RETRY);
        assert_eq!(queue.submit(1), 1);
        queue.check();
        client.end();
        finish(&nt, machine);
    }
}

/// Everything from processes to doorbells that were rung.
fn create_and_run(machine: &Machine) -> Result<(), Failure> {
    for _ in 0..PROCESSES {
        let process = machine.process()?;
        let outcome = run_process(&process);
        // SAFETY: nothing of the process is used any more.
        unsafe { process.end(Exit::Normal, PATIENCE) }?;
        outcome?;
    }
    Ok(())
}

fn run_process(process: &Arc<KmtProcess>) -> Result<(), Failure> {
    let kmt: Arc<dyn Kmt> = process.clone();
    let device = kmt.create_device()?;
    for _ in 0..QUEUES {
        let mut raw = RawQueue::create(&kmt, device, NodeOrdinal(0))?;
        kmt.connect_doorbell(raw.doorbell().handle)?;
        raw.stage(&[raw.signal(1)])?;
        raw.publish()?;
        raw.doorbell().last_queued.store_release(1);
        raw.ring(1);
    }
    Ok(())
}

/// Each allocation of pool or contiguous memory that the driver makes from process to doorbell
/// fails in turn: the creation fails in order, the next attempts succeed and need no more than
/// before, and nothing is left at the end.
///
/// regression: DB-09, LIFE-15
#[test]
fn every_failed_allocation_is_undone() {
    for model in MODELS {
        let mut failed = 0;
        for nth in 1.. {
            let (nt, machine) = boot(&config(model, 2));
            let blocks = nt.verifier.live_pool_blocks();
            let allocations = nt.verifier.allocations();
            nt.verifier.fail_allocation(nth);
            let outcome = create_and_run(&machine);
            nt.verifier.fail_no_allocation();
            let reached = nt.verifier.allocations() - allocations >= nth;
            assert_eq!(findings(&nt), [""; 0], "allocation {nth}");
            failed += u32::from(outcome.is_err());
            if !reached {
                outcome.unwrap();
                println!("{model:?}: {failed} of {} failures were felt", nth - 1);
                println!(
                    "{blocks} blocks before, {} after",
                    nt.verifier.live_pool_blocks()
                );
            }
            create_and_run(&machine).unwrap();
            let after = nt.verifier.pool_totals().bytes_in_use;
            create_and_run(&machine).unwrap();
            assert_eq!(
                nt.verifier.pool_totals().bytes_in_use,
                after,
                "allocation {nth}"
            );
            finish(&nt, machine);
            if !reached {
                break;
            }
        }
        assert!(failed > 0, "the driver allocates something");
    }
}

/// The same for the way from the file to a started adapter.
///
/// regression: LIFE-15
#[test]
fn a_start_that_fails_half_way_leaves_nothing() {
    let nt = Nt::new().unwrap();
    let config = config(DoorbellModel::Dedicated, 2);
    let mut failed = 0;
    for nth in 1.. {
        let allocations = nt.verifier.allocations();
        nt.verifier.fail_allocation(nth);
        let outcome = Machine::boot(&nt, &sys(), &config);
        nt.verifier.fail_no_allocation();
        let reached = nt.verifier.allocations() - allocations >= nth;
        match outcome {
            Ok(machine) => machine.shut_down().unwrap(),
            Err(error) => {
                assert!(reached, "{error}");
                failed += 1;
            }
        }
        assert_eq!(findings(&nt), [""; 0], "allocation {nth}");
        assert_eq!(nt.verifier.live_pool_blocks(), 0, "allocation {nth}");
        if !reached {
            break;
        }
    }
    println!("{failed} starts failed");
    assert!(failed > 0, "the driver allocates something");
}

/// Contexts are suspended and resumed while their queues are being made, some of which fail: nobody
/// meets a half-made queue, and everything that was published runs once.
///
/// regression: LIFE-07
#[test]
fn contexts_may_be_suspended_while_queues_are_made() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let client = Client::new(&machine);
        let stop = AtomicBool::new(false);
        let mut failed = 0;
        let queues = thread::scope(|scope| {
            let (manager, process) = (machine.manager(), client.kmt.process());
            let pausing = scope.spawn(|| {
                let mut pauses = 0;
                while !stop.load(Ordering::Relaxed) {
                    for context in manager.contexts(process) {
                        manager.suspend_context(&context).unwrap();
                        manager.resume_context(&context).unwrap();
                        pauses += 1;
                    }
                }
                pauses
            });
            let mut queues = Vec::new();
            for nth in 0..40 {
                nt.verifier.fail_allocation(1 + nth % 3);
                let kmt: Arc<dyn Kmt> = client.kmt.clone();
                failed += u32::from(RawQueue::create(&kmt, client.device, NodeOrdinal(0)).is_err());
                nt.verifier.fail_no_allocation();
                let mut queue = client.queue(u32::try_from(nth).unwrap());
                queue.submit(1);
                queue.submit(2);
                queues.push(queue);
            }
            stop.store(true, Ordering::Relaxed);
            let pauses = pausing.join().unwrap();
            println!("{model:?}: {failed} creations failed, {pauses} pauses");
            assert!(pauses > 0);
            queues
        });
        assert!(failed > 0, "no creation failed");
        for queue in &queues {
            queue.check();
        }
        drop(queues);
        client.end();
        finish(&nt, machine);
    }
}

/// An adapter with its objects.
struct Second {
    adapter: Arc<Adapter>,
    manager: Arc<ObjectManager>,
    gpu: Arc<carillon_vgpu::Gpu>,
}

fn plug(nt: &Arc<Nt>, driver: &LoadedDriver, doorbells: u32) -> Second {
    let config = config(DoorbellModel::Dedicated, doorbells);
    let (device, gpu) = virtual_gpu::attach(nt, config.gpu).unwrap();
    let adapter = Adapter::add(driver.dxgkrnl(), device, config.adapter).unwrap();
    adapter.start().unwrap();
    let manager = ObjectManager::attach(&adapter, DoorbellSharing::Dedicated).unwrap();
    Second {
        adapter,
        manager,
        gpu,
    }
}

impl Second {
    fn client(&self) -> Client {
        let view = AdapterView::of(&self.adapter).unwrap();
        let kmt = Arc::new(KmtProcess::new(self.manager.clone(), view).unwrap());
        let device = kmt.create_device().unwrap();
        Client { kmt, device }
    }

    fn unplug(self) {
        self.adapter.stop().unwrap();
        drop(self.manager);
        self.adapter.remove().unwrap();
    }
}

/// `DxgkDdiCreateDoorbell` names no adapter: on two of them, each doorbell belongs to that of its
/// queue, and rings, victims and the end of the one do not touch the other.
///
/// contract: DBC-017
#[test]
fn a_doorbell_belongs_to_the_adapter_of_its_queue() {
    let nt = Nt::new().unwrap();
    let driver = LoadedDriver::load(&nt, &sys()).unwrap();
    let (one, two) = (plug(&nt, &driver, 1), plug(&nt, &driver, 1));
    let (first, second) = (one.client(), two.client());
    let (mut here, mut there) = (first.queue(0), second.queue(0));
    let finished = || [&one, &two].map(|adapter| adapter.gpu.stats().entries_finished);
    // Paging has run on both.
    let [on_one, on_two] = finished();
    here.submit(1);
    here.check();
    // The device counts an entry a moment after its fence.
    until(|| finished() == [on_one + 1, on_two]);
    there.submit(1);
    there.submit(2);
    there.check();
    until(|| finished() == [on_one + 1, on_two + 2]);
    let mut third = second.queue(1);
    third.submit(1);
    third.check();
    assert_eq!(there.raw.status(), DoorbellStatus::DISCONNECTED_RETRY);
    assert_eq!(here.raw.status(), DoorbellStatus::CONNECTED);
    drop(here);
    first.end();
    one.unplug();
    there.submit(3);
    there.check();
    second.end();
    two.unplug();
    driver.dxgkrnl().unload().unwrap();
    assert_eq!(findings(&nt), [""; 0]);
    assert_eq!(nt.verifier.live_pool_blocks(), 0);
}

/// Connecting, disconnecting, notifying, interrupts and their completion allocate nothing, victims
/// included.
#[test]
fn nothing_is_allocated_once_a_doorbell_exists() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 1));
        let clients = [Client::new(&machine), Client::new(&machine)];
        let mut queues = clients.each_ref().map(|client| client.queue(0));
        for round in 1..=20 {
            for queue in &mut queues {
                queue.submit(round);
                queue.check();
                let bell = queue.raw.doorbell().handle;
                queue.client.kmt.notify_work_submission(bell).unwrap();
            }
            let manager = machine.manager();
            manager
                .disconnect_doorbell(&queues[0].doorbell(), RETRY)
                .unwrap();
        }
        let ddis = nt.verifier.ddi_stats();
        let hot = [
            "DxgkDdiConnectDoorbell",
            "DxgkDdiDisconnectDoorbell",
            "DxgkDdiNotifyWorkSubmission",
            "DxgkDdiInterruptRoutine",
            "DxgkDdiDpcRoutine",
        ];
        for ddi in hot {
            let stats = ddis[ddi];
            assert!(stats.calls > 0, "{ddi}");
            assert_eq!(stats.pool_calls, 0, "{ddi}");
        }
        for client in clients {
            client.end();
        }
        finish(&nt, machine);
    }
}
