//! Locks, levels and allocations of the linked driver under stress, and hardware that never
//! answers.

mod sys_scene;
mod sys_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use carillon_bench::dxgk::objects::doorbell::RETRY;
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::dxgk::objects::{DisconnectMode, Options};
use carillon_bench::nt::Nt;
use carillon_bench::verifier::irql::Irql;
use carillon_bench::workload::machine::Machine;
use carillon_client::kmt::{Kmt, NodeOrdinal};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::submit::Submit;
use carillon_ddi::{DEVICE_POWER_STATE, NTSTATUS, POWER_ACTION};
use carillon_hw::doorbell::DoorbellReply;
use carillon_hw::queue::QueueId;
use carillon_hw::regs::DoorbellModel;
use carillon_vgpu::{Fault, FetchAction, Rule};
use sys_scene::{Actor, MODELS, PATIENCE, config, until};

/// What connect, disconnect, notify, interrupt and DPC may not do: touch the pool.
const POOL_FREE: [&str; 5] = [
    "DxgkDdiConnectDoorbell",
    "DxgkDdiDisconnectDoorbell",
    "DxgkDdiNotifyWorkSubmission",
    "DxgkDdiInterruptRoutine",
    "DxgkDdiDpcRoutine",
];

/// Queues come, work, lose their doorbells and go, on several threads.
fn churn(machine: &Machine, number: u32, rounds: u32) {
    let process = machine.process().unwrap();
    let kmt: Arc<dyn Kmt> = process.clone();
    let device = kmt.create_device().unwrap();
    let config = UserQueueConfig {
        connect_attempts: u32::MAX,
        full_timeout: PATIENCE,
        ..UserQueueConfig::default()
    };
    for round in 0..rounds {
        let mut queues = [0, 1].map(|which| {
            let node = NodeOrdinal((number + round + which) % 2);
            UserQueue::create(kmt.clone(), device, node, config).unwrap()
        });
        for submission in 1..=20 {
            for queue in &mut queues {
                let value = queue.submit(|_| Ok(())).unwrap();
                if submission % 5 == 0 {
                    queue.wait(value, PATIENCE).unwrap();
                }
            }
        }
        for mut queue in queues {
            queue.wait(queue.queued(), PATIENCE).unwrap();
            queue.close().unwrap();
        }
    }
    // SAFETY: the queues are gone, and nothing else of the process is used.
    unsafe { process.end(Exit::Normal, PATIENCE) }.unwrap();
}

/// Disconnects and suspends whatever is there, and raises interrupts that no event stands behind.
fn disturb(machine: &Machine, processes: &[&Actor], stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        for actor in processes {
            machine
                .manager()
                .disconnect_doorbell(&actor.doorbell(), RETRY)
                .unwrap();
            actor.suspend();
            machine.gpu().spurious_interrupt();
            actor.resume();
        }
        thread::yield_now();
    }
}

/// Create, connect, victims, OS disconnects, suspends, destroy and interrupts at once, with each
/// way in which the OS may come back into the driver from its callback. The verifier of the bench
/// watches the order of locks, locks held across callbacks and returns, and levels.
///
/// regression: LIFE-02, LOCK-02
#[test]
fn the_lock_order_holds_under_stress() {
    for model in MODELS {
        for disconnect in [
            DisconnectMode::Plain,
            DisconnectMode::Nested,
            DisconnectMode::Concurrent,
        ] {
            let (nt, machine) = sys_support::boot(&config(model, 1));
            machine.manager().set_options(Options {
                disconnect,
                ..Options::default()
            });
            let stop = AtomicBool::new(false);
            let targets = [Actor::new(&machine, 0), Actor::new(&machine, 1)];
            thread::scope(|scope| {
                let (machine, stop) = (&machine, &stop);
                let churners: Vec<_> = (0..4)
                    .map(|number| scope.spawn(move || churn(machine, number, 12)))
                    .collect();
                let [a, b] = &targets;
                let disturber = scope.spawn(move || disturb(machine, &[a, b], stop));
                let results: Vec<_> = churners
                    .into_iter()
                    .map(thread::ScopedJoinHandle::join)
                    .collect();
                stop.store(true, Ordering::Relaxed);
                disturber.join().unwrap();
                for result in results {
                    result.unwrap();
                }
            });
            for mut actor in targets {
                actor.work(3);
                actor.end();
            }
            if model == DoorbellModel::Dedicated {
                let stats = machine.manager().stats();
                assert!(stats.disconnect_callbacks > 0, "{disconnect:?}: {stats:?}");
            }
            sys_support::finish(&nt, machine);
        }
    }
}

/// Every pool allocation fails while connected queues work, lose their pages and get others:
/// completions are reported all the same, and none of these paths asks for memory.
///
/// regression: LOCK-03
#[test]
fn completions_need_no_memory() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 1));
        let mut actors = [Actor::new(&machine, 0), Actor::new(&machine, 0)];
        let stop = AtomicBool::new(false);
        let asked = AtomicU32::new(0);
        let before = nt.verifier.allocations();
        thread::scope(|scope| {
            scope.spawn(|| starve(&nt, &stop, &asked));
            until("the famine", || asked.load(Ordering::SeqCst) > 0);
            for _ in 0..40 {
                for actor in &mut actors {
                    actor.publish(3);
                    actor.ring_through();
                    let fence = actor.queue.queue().progress_fence.handle;
                    let value = actor.queue.write_pointer();
                    // Sleeps until an interrupt and its DPC say that the value is reached.
                    actor.kmt.wait_for_fence(fence, value, PATIENCE).unwrap();
                    actor.settle();
                    machine
                        .manager()
                        .disconnect_doorbell(&actor.doorbell(), RETRY)
                        .unwrap();
                }
            }
            stop.store(true, Ordering::SeqCst);
        });
        assert_eq!(nt.verifier.allocations(), before, "a pool allocation");
        nt.verifier.fail_no_allocation();
        let stats = nt.verifier.ddi_stats();
        for ddi in POOL_FREE {
            let seen = stats.get(ddi).copied().unwrap_or_default();
            assert_eq!(seen.pool_calls, 0, "{ddi}: {seen:?}");
        }
        for ddi in ["DxgkDdiConnectDoorbell", "DxgkDdiDpcRoutine"] {
            assert!(stats.get(ddi).is_some_and(|seen| seen.calls > 10), "{ddi}");
        }
        for actor in actors {
            actor.end();
        }
        sys_support::finish(&nt, machine);
    }
}

/// Keeps the next allocation failing.
fn starve(nt: &Nt, stop: &AtomicBool, asked: &AtomicU32) {
    while !stop.load(Ordering::SeqCst) {
        nt.verifier.fail_allocation(1);
        asked.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
    }
}

/// The device's number of an actor's queue.
fn id(actor: &Actor) -> QueueId {
    let reply = DoorbellReply::parse(&actor.queue.doorbell().private_data);
    reply.unwrap().1
}

/// An entry that never ends. Destroying its doorbell, queue and context comes back, within the
/// verifier's limit for waits and at the right level. What the device may still hold on to, the
/// queue's number, is not given to the next queue, and other engines' queues do not notice.
///
/// contract: DBX-001
/// regression: LIFE-11, LOCK-07
#[test]
fn hardware_that_never_answers() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let mut other = Actor::new(&machine, 1);
        other.work(1);
        let mut a = Actor::new(&machine, 0);
        a.work(1);
        machine.gpu().inject(Fault::once(Rule::Fetch {
            queue: None,
            action: FetchAction::Hang,
        }));
        let fetched = machine.gpu().stats().entries_fetched;
        a.publish(5);
        a.ring();
        until("the fetch", || {
            machine.gpu().stats().entries_fetched > fetched
        });
        let manager = machine.manager().clone();
        manager
            .completions()
            .set_timeout(Duration::from_millis(200));
        let suspended = manager.suspend_context(&a.context());
        println!("{model:?}: suspend of a hung context: {suspended:?}");
        let (kmt, context) = (a.kmt.clone(), a.queue.context());
        let (doorbell, queue) = (a.queue.doorbell().handle, a.queue.queue().handle);
        assert_eq!(a.completed(), 1);
        // SAFETY: the words of the doorbell are not used any more.
        unsafe { kmt.destroy_doorbell(doorbell) }.unwrap();
        // SAFETY: nor are those of the queue.
        unsafe { kmt.destroy_hw_queue(queue) }.unwrap();
        kmt.destroy_hw_context(context).unwrap();
        manager.completions().set_timeout(PATIENCE);
        other.work(20);
        let hung = id(&a);
        for _ in 0..20 {
            let mut next = Actor::new(&machine, 1);
            assert_ne!(id(&next), hung, "{model:?}: the device holds that queue");
            next.work(3);
            next.end();
        }
        other.end();
        // SAFETY: no word of the process is used below.
        unsafe { a.process.end(Exit::Abnormal, PATIENCE) }.unwrap();
        // What the OS says about a suspension that is not acknowledged: it would reset the engine.
        let findings = sys_support::findings(&nt);
        let others: Vec<_> = findings
            .iter()
            .filter(|finding| !finding.contains("SUS-002"))
            .collect();
        assert_eq!(others, [""; 0]);
        nt.verifier.take_violations();
        sys_support::finish(&nt, machine);
    }
}

/// The release build does not ask for its level at each entry; what needs PASSIVE_LEVEL is a lock,
/// and taking that is named. The bench's own calls are all at the levels of their pages.
///
/// regression: LOCK-06
#[test]
fn an_entry_point_above_its_level_is_named_and_neither_hangs_nor_spoils_anything() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 2));
        let adapter = machine.adapter();
        let entry = adapter.driver().table().DxgkDdiSetPowerState.unwrap();
        let context = adapter.context().raw();
        let device = u32::MAX;
        for (irql, state, found) in [
            (Irql::PASSIVE, DEVICE_POWER_STATE::PowerDeviceD3, false),
            (Irql::PASSIVE, DEVICE_POWER_STATE::PowerDeviceD0, false),
            (Irql::DISPATCH, DEVICE_POWER_STATE::PowerDeviceD3, true),
            (Irql::PASSIVE, DEVICE_POWER_STATE::PowerDeviceD0, true),
        ] {
            // SAFETY: a slot of the driver's table with the adapter's own context; nobody else is in
            // the driver.
            let call = || unsafe { entry(context, device, state, POWER_ACTION::PowerActionNone) };
            let status = nt.ddi_call("DxgkDdiSetPowerState", irql, call).unwrap();
            assert_eq!(status, NTSTATUS::STATUS_SUCCESS);
            let named = |finding: &String| {
                finding.contains("DISPATCH_LEVEL") && finding.contains("DxgkDdiSetPowerState")
            };
            let findings = sys_support::findings(&nt);
            assert_eq!(findings.iter().any(named), found, "{findings:#?}");
        }
        let mut client = Actor::new(&machine, 0);
        client.connect();
        client.work(3);
        client.check();
        client.end();
        machine.shut_down().unwrap();
        assert_eq!(nt.verifier.live_pool_blocks(), 0);
    }
}
