//! D3 and back, by the linked driver: while clients submit, with local memory kept and lost.
//!
//! A queue that is suspended inside of a command buffer runs that buffer again from its start
//! after D3 (architecture, section power). The journals here allow for exactly that one buffer.

mod sys_scene;
mod sys_support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use carillon_bench::device::power::{LocalMemory, Retention};
use carillon_bench::dxgk::interface::Notification;
use carillon_bench::dxgk::objects::Options;
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::dxgk::objects::power::{ADAPTER, Sleep, WakeConnect};
use carillon_bench::dxgk::objects::queue::Queue;
use carillon_bench::dxgk::trace::Step;
use carillon_bench::workload::client::Client;
use carillon_bench::workload::machine::{Machine, MachineConfig};
use carillon_client::kmt::{AllocationHandle, DoorbellStatus, Kmt, NodeOrdinal};
use carillon_ddi::{DEVICE_POWER_STATE, DXGK_DRIVERCAPS, DXGK_QUERYADAPTERINFOTYPE, POWER_ACTION};
use carillon_hw::addr::PAGE_SIZE;
use carillon_hw::allocation::{AllocationPrivateData, Placement};
use carillon_hw::regs::DoorbellModel;
use sys_scene::{Actor, MODELS, PATIENCE, until};
use zerocopy::IntoBytes;

const SET_POWER: &str = "DxgkDdiSetPowerState";
const CONNECT: &str = "DxgkDdiConnectDoorbell";
const SUSPEND: &str = "DxgkDdiSuspendContext";
const RESUME: &str = "DxgkDdiResumeContext";
const PAGING: &str = "DxgkDdiSubmitCommandVirtual";

/// Local memory is compared from end to end at every sleep: a small one.
fn config(model: DoorbellModel, doorbells: u32) -> MachineConfig {
    let mut config = sys_scene::config(model, doorbells);
    config.gpu.vram_bytes = 32 << 20;
    config
}

/// What a device may remember: nothing, local memory, everything.
fn sleeps() -> [Sleep; 3] {
    let retained = |memory, registers| Sleep {
        retained: Retention { memory, registers },
        ..Sleep::default()
    };
    [
        retained(LocalMemory::Lost, false),
        retained(LocalMemory::Kept, false),
        retained(LocalMemory::Kept, true),
    ]
}

/// A step as the tests below look for it.
fn name(step: &Step) -> String {
    let word = |args: &[u8], at: usize| u32::from_le_bytes(args[at..at + 4].try_into().unwrap());
    match step {
        Step::Called { ddi, args } if *ddi == SET_POWER => format!("{ddi} {}", word(args, 4)),
        Step::Called { ddi, .. } => (*ddi).to_owned(),
        Step::Returned { ddi, .. } => format!("{ddi} returned"),
        Step::Shows { page: None, .. } | Step::ShowsSecondary { page: None, .. } => {
            "dummy".to_owned()
        }
        Step::Shows { .. } | Step::ShowsSecondary { .. } => "page".to_owned(),
        Step::Status { status, .. } => format!("status {}", status.0),
        Step::DisconnectCallback { .. } => "callback".to_owned(),
    }
}

/// Places of all steps with this name.
fn places(steps: &[String], wanted: &str) -> Vec<usize> {
    let found = steps.iter().enumerate().filter(|(_, step)| *step == wanted);
    found.map(|(at, _)| at).collect()
}

/// Every one of `before` comes before every one of `after`; both exist.
fn assert_order(steps: &[String], before: &str, after: &str) {
    let (first, second) = (places(steps, before), places(steps, after));
    let ordered = first.last().zip(second.first()).is_some_and(|(a, b)| a < b);
    assert!(ordered, "{before} before {after}: {steps:#?}");
}

/// Down: contexts, then doorbells with their mapping and status, then memory, then power. Up, since
/// a client connects: power, memory, the connection, and only then the contexts. Other doorbells
/// stay RETRY.
///
/// contract: PWD-001, PWD-002, PWD-003, PWD-004, DBN-019, PWD-010
/// regression: MAP-03, DB-22
#[test]
fn the_steps_down_and_up_come_in_order() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 1));
        let _local = local_memory(&a);
        a.work(3);
        b.work(3);
        let trace = machine.adapter().driver().trace();
        trace.start();
        machine.manager().sleep(Sleep::default()).unwrap();
        let down: Vec<_> = trace.stop().iter().map(name).collect();
        assert_eq!(places(&down, SUSPEND).len(), 2, "{down:#?}");
        assert_eq!(places(&down, "dummy").len(), 2, "{down:#?}");
        assert_eq!(places(&down, "status 2").len(), 2, "{down:#?}");
        assert_order(&down, SUSPEND, "DxgkDdiDisconnectDoorbell");
        assert_order(&down, SUSPEND, PAGING);
        assert_order(&down, "status 2", PAGING);
        assert_order(&down, "dummy", "DxgkDdiSetPowerState 4");
        assert_order(&down, "status 2", "DxgkDdiSetPowerState 4");
        assert_order(&down, PAGING, "DxgkDdiSetPowerState 4");
        for actor in [&a, &b] {
            assert_eq!(actor.queue.status(), DoorbellStatus::DISCONNECTED_RETRY);
            assert_eq!(actor.doorbell().shows(), None);
        }
        trace.start();
        a.connect();
        let up: Vec<_> = trace.stop().iter().map(name).collect();
        assert_order(&up, "DxgkDdiSetPowerState 1", PAGING);
        assert_order(&up, PAGING, CONNECT);
        assert_order(&up, CONNECT, "page");
        assert_order(&up, "page", "status 0");
        assert_order(&up, "DxgkDdiConnectDoorbell returned", RESUME);
        assert_eq!(places(&up, RESUME).len(), 2, "{up:#?}");
        assert!(a.is_connected());
        assert_eq!(b.queue.status(), DoorbellStatus::DISCONNECTED_RETRY);
        a.work(3);
        b.work(3);
        for actor in [a, b] {
            actor.end();
        }
        sys_support::finish(&nt, machine);
    }
}

/// An allocation in local memory.
fn local_memory(actor: &Actor) -> AllocationHandle {
    let data = AllocationPrivateData::new(Placement::Local, 2 * PAGE_SIZE);
    let kmt = &actor.kmt;
    let handle = kmt
        .create_allocation(actor.device, data.as_bytes())
        .unwrap();
    kmt.make_resident(actor.device, &[handle]).unwrap();
    kmt.map_gpu_virtual_address(actor.device, handle).unwrap();
    handle
}

/// What was published before and during sleep, seen by no ring or rung into the dummy page, runs
/// once after the wake, whoever wakes the device.
///
/// contract: PWD-006, DBN-019
/// regression: SUSP-04, SUSP-08, DB-22
#[test]
fn work_published_asleep_runs_once() {
    for model in MODELS {
        for sleep in sleeps() {
            let (nt, machine) = sys_support::boot(&config(model, 1));
            let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
            a.work(5);
            for round in 0..6 {
                let manager = machine.manager();
                // Known to the device before it sleeps, as it is behind a suspended context.
                a.suspend();
                a.publish(3);
                a.ring_through();
                a.resume();
                a.settle();
                manager.sleep(sleep).unwrap();
                let before = a.queue.write_pointer();
                a.publish(4);
                a.ring();
                b.publish(4);
                assert!(manager.is_asleep());
                a.untouched_from(before);
                if round % 2 == 0 {
                    manager.wake().unwrap();
                    a.ring_through();
                } else {
                    a.connect();
                }
                a.settle();
                b.ring_through();
                b.settle();
            }
            for actor in [a, b] {
                actor.end();
            }
            sys_support::finish(&nt, machine);
        }
    }
}

/// A context that was suspended for a reason of its own stays so when the device wakes; what its
/// queue had read before the sleep is not run again.
///
/// contract: PWD-003, PWD-006
#[test]
fn who_was_suspended_before_stays_suspended() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        a.work(3);
        a.suspend();
        a.publish(5);
        a.ring();
        machine.manager().sleep(Sleep::default()).unwrap();
        machine.manager().wake().unwrap();
        b.work(5);
        a.untouched_from(3);
        a.connect();
        a.ring();
        b.work(5);
        a.untouched_from(3);
        a.resume();
        a.settle();
        for actor in [a, b] {
            actor.end();
        }
        sys_support::finish(&nt, machine);
    }
}

/// What was in local memory is there again, at another place, and the client's address shows it.
///
/// contract: PWD-002, PWD-003
#[test]
fn local_memory_comes_back() {
    for sleep in sleeps() {
        for evict in [false, true] {
            let (nt, machine) = sys_support::boot(&config(DoorbellModel::Dedicated, 4));
            let a = Actor::new(&machine, 0);
            let handles = [(); 3].map(|()| local_memory(&a));
            let manager = machine.manager();
            let place = |handle: AllocationHandle| {
                let allocation = manager.allocation(a.process.process(), handle.0).unwrap();
                (allocation.pages(), allocation)
            };
            for (pattern, handle) in (1..).zip(handles) {
                let (_, allocation) = place(handle);
                let range = allocation.range(0, allocation.bytes).unwrap();
                manager.vidmm().fill(&range, pattern).unwrap();
            }
            let before = handles.map(|handle| place(handle).0);
            manager.sleep(Sleep { evict, ..sleep }).unwrap();
            manager.wake().unwrap();
            let after = handles.map(|handle| place(handle).0);
            let moved = evict || sleep.retained.memory == LocalMemory::Lost;
            assert_eq!(before != after, moved);
            for (pattern, handle) in (1u32..).zip(handles) {
                let found = a.process.read_allocation(handle, 0, 2 * PAGE_SIZE).unwrap();
                let expected = pattern.to_le_bytes().repeat(found.len() / 4);
                assert_eq!(found, expected, "allocation {pattern}");
            }
            a.end();
            sys_support::finish(&nt, machine);
        }
    }
}

/// Ring, control block and command buffers are on other pages after the sleep.
///
/// contract: PWDR-002, RBRR-001
#[test]
fn the_ring_moved_meanwhile() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let mut a = Actor::new(&machine, 0);
        a.work(5);
        for _ in 0..10 {
            let pages = |memory: &carillon_bench::workload::raw::Memory| {
                let manager = machine.manager();
                let allocation = manager.allocation(a.process.process(), memory.handle.0);
                allocation.unwrap().pages()
            };
            let before = [a.queue.ring_memory(), a.queue.control_memory()].map(pages);
            let sleep = Sleep {
                move_system: true,
                ..Sleep::default()
            };
            machine.manager().sleep(sleep).unwrap();
            let after = [a.queue.ring_memory(), a.queue.control_memory()].map(pages);
            assert_ne!(before, after);
            a.publish(7);
            a.ring_through();
            a.settle();
        }
        a.end();
        sys_support::finish(&nt, machine);
    }
}

/// Every state out of D0 and every action; a child that is not there is no reason to fail.
///
/// contract: PWD-005, PWD-006, PWD-007, PWD-008
/// regression: SUSP-08
#[test]
fn every_state_and_every_action() {
    let states = [
        DEVICE_POWER_STATE::PowerDeviceD1,
        DEVICE_POWER_STATE::PowerDeviceD2,
        DEVICE_POWER_STATE::PowerDeviceD3,
    ];
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let mut a = Actor::new(&machine, 0);
        for state in states {
            for action in 0..=8 {
                a.work(1);
                let action = POWER_ACTION(action);
                let manager = machine.manager();
                manager
                    .sleep(Sleep {
                        state,
                        action,
                        ..Sleep::default()
                    })
                    .unwrap();
                let driver = machine.adapter().driver();
                let context = machine.adapter().context();
                driver.set_power_state(context, 5, state, action).unwrap();
                a.ring_through();
                driver.set_power_state(context, 5, state, action).unwrap();
                a.work(1);
            }
        }
        // The state that the device is in already.
        let driver = machine.adapter().driver();
        let on = DEVICE_POWER_STATE::PowerDeviceD0;
        let none = POWER_ACTION::PowerActionNone;
        driver
            .set_power_state(machine.adapter().context(), ADAPTER, on, none)
            .unwrap();
        a.ring_through();
        a.work(1);
        a.end();
        sys_support::finish(&nt, machine);
    }
}

/// After the sleep no page belongs to anybody: rings on all of them are dropped, and as many
/// doorbells as there are pages connect without a victim.
///
/// contract: PWDR-001
/// regression: SUSP-02
#[test]
fn no_page_has_an_owner_after_a_sleep() {
    const PAGES: u32 = 3;
    for model in MODELS {
        for sleep in sleeps() {
            let (nt, machine) = sys_support::boot(&config(model, PAGES));
            let mut actors: Vec<_> = (0..PAGES).map(|n| Actor::new(&machine, n % 2)).collect();
            for actor in &mut actors {
                actor.work(2);
            }
            machine.manager().sleep(sleep).unwrap();
            machine.manager().wake().unwrap();
            let rings = machine.gpu().stats().rings;
            let pages = machine.gpu().doorbell_memory();
            for page in 0..u64::from(PAGES) {
                pages.store_u64(page * PAGE_SIZE, 7).unwrap();
            }
            thread::sleep(Duration::from_millis(5));
            assert_eq!(machine.gpu().stats().rings, rings, "{model:?}, {sleep:?}");
            for actor in &mut actors {
                actor.work(2);
            }
            assert_eq!(machine.manager().stats().disconnect_callbacks, 0);
            for actor in actors {
                actor.end();
            }
            sys_support::finish(&nt, machine);
        }
    }
}

/// One round after the other until told to stop, or until the words for traces are used up.
fn submit(actor: &mut Actor, stop: &AtomicBool) {
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) && actor.queue.write_pointer() + 64 < sys_scene::CAPACITY {
        round += 1;
        // At most half a ring is in flight.
        let behind = actor.queue.write_pointer();
        until("an earlier submission", || actor.completed() + 32 >= behind);
        actor.publish(1 + round % 7);
        actor.ring_through();
    }
    until("the last submission", || {
        actor.completed() == actor.queue.write_pointer()
    });
}

/// Clients submit all along while the device sleeps and wakes, by their own connects or by itself.
/// Nothing is lost, and nothing but the interrupted buffers is run twice. Another thread asks for
/// the driver's capabilities all the time.
///
/// contract: PWD-003, PWD-004, PWD-005, PWD-006, PWD-009, DBN-019, IRQ-002
/// regression: SUSP-04, SUSP-08, DB-22
#[test]
fn clients_submit_through_sleep() {
    for model in MODELS {
        for (number, sleep) in (0..).zip(sleeps()) {
            // The model of the device makes no difference to this one.
            let ways = match sleep.retained.memory {
                LocalMemory::Lost => &[WakeConnect::Connect, WakeConnect::Create][..],
                LocalMemory::Kept => &[WakeConnect::Connect],
            };
            for wake_connect in ways.iter().copied() {
                println!("{model:?}, {sleep:?}, {wake_connect:?}");
                let (nt, machine) = sys_support::boot(&config(model, 2));
                machine.manager().set_options(Options {
                    wake_connect,
                    ..Options::default()
                });
                sleeping_clients(&machine, sleep, number);
                let stats = machine.manager().stats();
                assert!(stats.wakes_by_connect > 0, "{stats:?}");
                sys_support::finish(&nt, machine);
            }
        }
    }
}

fn sleeping_clients(machine: &Machine, sleep: Sleep, number: u32) {
    const SLEEPS: u32 = 12;
    let mut actors: Vec<_> = (0..3).map(|n| Actor::new(machine, n % 2)).collect();
    let waker = Actor::new(machine, 0);
    let queues: Vec<Arc<Queue>> = actors.iter().map(Actor::os_queue).collect();
    let interrupted = Mutex::new(vec![Vec::new(); actors.len()]);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for actor in &mut actors {
            let stop = &stop;
            scope.spawn(move || submit(actor, stop));
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let kind = DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DRIVERCAPS;
                let caps = machine.adapter().query(kind, 0u32, DXGK_DRIVERCAPS::ZERO);
                assert!(caps.is_ok(), "{caps:?}");
            }
        });
        for round in 0..SLEEPS {
            thread::sleep(Duration::from_micros(u64::from(
                500 * (round + number) % 3001,
            )));
            machine.manager().sleep(sleep).unwrap();
            {
                let mut interrupted = interrupted.lock().unwrap();
                for (queue, list) in queues.iter().zip(interrupted.iter_mut()) {
                    list.push(queue.fence().current());
                }
            }
            // Mostly a client is faster.
            thread::sleep(Duration::from_millis(u64::from(round % 3)));
            if round % 2 == 0 {
                machine.manager().wake().unwrap();
            } else {
                waker.connect();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    waker.end();
    for (actor, interrupted) in actors.iter().zip(interrupted.into_inner().unwrap()) {
        actor.check_repeating(&interrupted);
    }
    for actor in actors {
        actor.end();
    }
}

/// Clients fill and copy in local memory, which is not there at first when the device wakes: a
/// queue that runs before its context is resumed faults. Every byte is compared.
///
/// contract: PWD-002, PWD-003, PWD-006
/// regression: SUSP-04, SUSP-08
#[test]
fn local_memory_is_back_before_anything_runs() {
    const SLEEPS: u32 = 20;
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 2));
        let processes: Vec<_> = (0..2).map(|_| machine.process().unwrap()).collect();
        let stop = AtomicBool::new(false);
        let mut faults = Vec::new();
        thread::scope(|scope| {
            let mut clients = Vec::new();
            for (number, process) in (0..).zip(&processes) {
                let (kmt, stop): (Arc<dyn Kmt>, _) = (process.clone(), &stop);
                clients.push(scope.spawn(move || {
                    let node = NodeOrdinal(number % 2);
                    let mut client = Client::create(kmt, node, number.into()).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        for _ in 0..20 {
                            client.submit().unwrap();
                        }
                        client.compare().unwrap();
                    }
                    client.finish().unwrap()
                }));
            }
            for round in 0..SLEEPS {
                thread::sleep(Duration::from_micros(u64::from(700 * round % 5003)));
                machine.manager().sleep(Sleep::default()).unwrap();
                machine.manager().wake().unwrap();
                faults.extend(machine.manager().completions().take_others());
            }
            stop.store(true, Ordering::Relaxed);
            if !faults.is_empty() {
                println!("{model:?}: {faults:#x?}");
            }
            for client in clients {
                let tally = client.join().unwrap();
                assert_eq!(tally.completions, tally.queue.submissions, "{tally:?}");
                assert_eq!((tally.bytes_wrong, tally.fences_wrong), (0, 0), "{tally:?}");
                assert!(tally.bytes_compared > 0);
            }
        });
        faults.extend(machine.manager().completions().take_others());
        // That an idle engine is asked down is no fault.
        faults.retain(|report| !matches!(report, Notification::EngineStateChange { .. }));
        assert_eq!(faults, []);
        for process in processes {
            // SAFETY: the clients have given up their words.
            unsafe { process.end(Exit::Normal, PATIENCE) }.unwrap();
        }
        sys_support::finish(&nt, machine);
    }
}

/// Clients create, connect, fall asleep on fences and end while the device sleeps: each thunk that
/// needs it brings it back.
///
/// contract: DBN-019
/// regression: DB-22
#[test]
fn every_thunk_finds_the_device_awake() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 2));
        let manager = machine.manager();
        let asleep = || manager.sleep(Sleep::default()).unwrap();
        for round in 0..4 {
            asleep();
            let mut a = Actor::new(&machine, round % 2);
            asleep();
            a.work(3);
            asleep();
            let b = a.sibling(1);
            asleep();
            b.connect();
            asleep();
            let handle = a.queue.doorbell().handle;
            a.kmt.notify_work_submission(handle).unwrap();
            assert_eq!(a.queue.status(), DoorbellStatus::DISCONNECTED_RETRY);
            a.publish(2);
            a.ring_through();
            let value = a.queue.write_pointer();
            let fence = a.queue.queue().progress_fence.handle;
            a.kmt.wait_for_fence(fence, value, PATIENCE).unwrap();
            a.settle();
            asleep();
            drop(b);
            a.end();
        }
        sys_support::finish(&nt, machine);
    }
}
