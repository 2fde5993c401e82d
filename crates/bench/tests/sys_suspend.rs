//! Contexts taken off the run list and put back, with doorbells in every state, by the linked
//! driver.

mod sys_scene;
mod sys_support;

use carillon_bench::dxgk::objects::doorbell::RETRY;
use carillon_bench::dxgk::objects::{DisconnectMode, Options};
use carillon_client::kmt::DoorbellStatus;
use carillon_hw::regs::DoorbellModel;
use sys_scene::{Actor, MODELS, config, until};

/// Connect is accepted, the doorbell is connected, rings arrive, and nothing runs until resume.
/// The other process shows that the engine had every chance.
///
/// contract: DBN-017, SUS-008, SUS-010, SUS-011
/// regression: SUSP-04
#[test]
fn connect_while_suspended() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        a.suspend();
        a.connect();
        assert!(a.is_connected(), "{model:?}: {:?}", a.queue.status());
        a.publish(20);
        a.ring();
        b.work(50);
        a.untouched_from(0);
        a.resume();
        a.settle();
        for actor in [a, b] {
            actor.end();
        }
        sys_support::finish(&nt, machine);
    }
}

/// A suspended queue keeps its doorbell and its ring; what is rung meanwhile is remembered.
///
/// contract: SUS-003, SUS-007, SUS-008, SUS-009, SUS-010, SUS-011, RBR-003
/// regression: SUSP-04
#[test]
fn rings_while_suspended_are_remembered() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let (mut a, mut b) = (Actor::new(&machine, 1), Actor::new(&machine, 1));
        a.work(5);
        for round in 0..20 {
            // In full flight when the suspend comes.
            a.publish(60);
            a.ring();
            a.suspend();
            let reached = a.completed();
            assert!(a.is_connected(), "{model:?}, round {round}");
            let manager = a.process.manager();
            for memory in [a.queue.ring_memory(), a.queue.control_memory()] {
                let allocation = manager.allocation(a.process.process(), memory.handle.0);
                assert!(allocation.unwrap().is_resident());
            }
            a.publish(10);
            a.ring();
            b.work(10);
            a.interrupted_at(reached);
            assert!(a.is_connected(), "{model:?}, round {round}");
            a.resume();
            a.settle();
        }
        for actor in [a, b] {
            actor.end();
        }
        sys_support::finish(&nt, machine);
    }
}

/// The victim is suspended: what it publishes before, while and after it loses its page runs once
/// after it is resumed, whether it reconnects before or after that.
///
/// contract: VIC-014, DBN-017, SUS-009
/// regression: DB-17
#[test]
fn the_victim_is_suspended() {
    let modes = [
        DisconnectMode::Plain,
        DisconnectMode::Nested,
        DisconnectMode::Concurrent,
    ];
    for disconnect in modes {
        let (nt, machine) = sys_support::boot(&config(DoorbellModel::Dedicated, 1));
        machine.manager().set_options(Options {
            disconnect,
            ..Options::default()
        });
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        a.work(3);
        for round in 0..10 {
            a.suspend();
            a.publish(4);
            a.ring();
            b.publish(4);
            b.connect();
            assert!(b.is_connected());
            let lost = DoorbellStatus::DISCONNECTED_RETRY;
            assert_eq!(a.queue.status(), lost, "{disconnect:?}, round {round}");
            a.publish(4);
            a.ring();
            b.ring();
            b.settle();
            let before = a.queue.write_pointer() - 8;
            a.untouched_from(before);
            let reconnect_first = round % 2 == 0;
            if reconnect_first {
                a.connect();
                assert!(a.is_connected(), "{disconnect:?}, round {round}");
                b.work(2);
                a.untouched_from(before);
            }
            a.resume();
            if !reconnect_first {
                a.connect();
                a.ring();
            }
            a.settle();
        }
        for actor in [a, b] {
            actor.end();
        }
        assert!(machine.manager().stats().disconnect_callbacks >= 20);
        sys_support::finish(&nt, machine);
    }
}

/// What was visible before the victim could see its new status runs after resume, although the
/// client never connects again and never rings again.
///
/// contract: SUS-010, SUS-011
/// regression: DB-17
#[test]
fn a_suspended_victim_need_not_reconnect_for_what_was_visible() {
    let (nt, machine) = sys_support::boot(&config(DoorbellModel::Dedicated, 1));
    let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
    a.work(1);
    a.suspend();
    // Never rung.
    a.publish(7);
    b.work(5);
    a.untouched_from(1);
    a.resume();
    a.settle();
    assert!(!a.is_connected());
    for actor in [a, b] {
        actor.end();
    }
    sys_support::finish(&nt, machine);
}

/// A context that is suspended already may be suspended again, one that is not may be resumed.
///
/// contract: SUS-001, SUSR-001
#[test]
fn twice_is_as_good_as_once() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let mut a = Actor::new(&machine, 0);
        a.resume();
        a.work(3);
        a.resume();
        a.work(3);
        a.suspend();
        let again = machine.manager().begin_suspend(&a.context()).unwrap();
        assert_eq!(again, None, "the context is off the GPU already");
        a.publish(3);
        a.ring();
        a.resume();
        a.resume();
        a.settle();
        a.end();
        sys_support::finish(&nt, machine);
    }
}

/// Suspend and resume follow each other without anybody waiting for the acknowledgement; the
/// last one that is waited for holds.
///
/// contract: SUS-005, SUS-006
#[test]
fn suspend_resume_suspend_without_waiting() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        a.work(1);
        let manager = machine.manager();
        for round in 0..50 {
            a.publish(20);
            a.ring();
            let context = a.context();
            for _ in 0..round % 4 {
                manager.begin_suspend(&context).unwrap();
                manager.resume_context(&context).unwrap();
            }
            if let Some(fence) = manager.begin_suspend(&context).unwrap() {
                manager.await_suspend(&context, fence).unwrap();
            }
            let reached = a.completed();
            b.work(3);
            a.interrupted_at(reached);
            manager.resume_context(&context).unwrap();
            a.settle();
        }
        for actor in [a, b] {
            actor.end();
        }
        sys_support::finish(&nt, machine);
    }
}

/// The OS disconnects the doorbell of a suspended queue; the ring goes nowhere, and the queue
/// runs all of it after reconnect and resume, in either order.
///
/// contract: DBN-017, SUS-010
#[test]
fn disconnected_while_suspended() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        a.work(1);
        for round in 0..20 {
            a.suspend();
            a.publish(3);
            let manager = machine.manager();
            manager.disconnect_doorbell(&a.doorbell(), RETRY).unwrap();
            assert_eq!(a.queue.status(), DoorbellStatus::DISCONNECTED_RETRY);
            a.publish(3);
            a.ring();
            b.work(3);
            a.untouched_from(a.queue.write_pointer() - 6);
            if round % 2 == 0 {
                a.connect();
                a.resume();
            } else {
                a.resume();
                a.connect();
            }
            a.settle();
        }
        for actor in [a, b] {
            actor.end();
        }
        sys_support::finish(&nt, machine);
    }
}

/// Suspends from one thread while the client submits, connects and loses its page on others.
///
/// contract: SUS-006, SUS-010
/// regression: DB-17, SUSP-04
#[test]
fn suspends_race_with_rings_and_victims() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 1));
        let contexts = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let mut clients = Vec::new();
            for _ in 0..3 {
                let mut actor = Actor::new(&machine, 0);
                contexts.lock().unwrap().push(actor.context());
                clients.push(scope.spawn(move || {
                    for _ in 0..60 {
                        actor.work(5);
                    }
                    actor
                }));
            }
            while clients.iter().any(|client| !client.is_finished()) {
                for context in contexts.lock().unwrap().iter() {
                    machine.manager().suspend_context(context).unwrap();
                    std::thread::yield_now();
                    machine.manager().resume_context(context).unwrap();
                }
            }
            for client in clients {
                let actor = client.join().unwrap();
                until("the last submission", || {
                    actor.completed() == actor.queue.write_pointer()
                });
                actor.end();
            }
        });
        sys_support::finish(&nt, machine);
    }
}
