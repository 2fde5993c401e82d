//! Rings replaced under queues that work (`ResizeRingBufferOperation`), by the linked driver. The
//! documents do not say whether the old doorbell goes before the new one comes (ambiguity A9): both.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_scene;
mod sys_support;

use std::sync::Mutex;
use std::time::Duration;

use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::dxgk::objects::{DisconnectMode, Options};
use carillon_bench::workload::machine::Failure;
use carillon_bench::workload::raw::{RawRing, RingConfig, system_memory};
use carillon_client::kmt::{CreateDoorbell, DoorbellStatus, Kmt, NodeOrdinal};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::resize::ResizeOrder;
use carillon_client::submit::Submit;
use carillon_hw::doorbell::DoorbellPrivateData;
use carillon_hw::regs::DoorbellModel;
use sys_scene::{Actor, MODELS, PATIENCE, config, until};
use sys_support::{boot, finish};
use zerocopy::IntoBytes;

/// A further ring for the actor's queue.
fn new_ring(actor: &Actor, entries_log2: u32) -> Result<RawRing, Failure> {
    let ring = RingConfig {
        entries_log2,
        resize: true,
        ..RingConfig::default()
    };
    RawRing::create(&*actor.kmt, actor.device, actor.queue.queue(), ring)
}

/// Creates a ring, connects its doorbell and goes over to it; the ring before is the result.
fn go_over(actor: &mut Actor, entries_log2: u32) -> RawRing {
    let ring = new_ring(actor, entries_log2).unwrap();
    actor.kmt.connect_doorbell(ring.doorbell().handle).unwrap();
    actor.queue.switch(ring)
}

/// Destroys a doorbell; its memory stays with the device.
fn destroy(actor: &Actor, ring: &RawRing) {
    // SAFETY: no word of the doorbell is used by a scenario that has destroyed it.
    unsafe { actor.kmt.destroy_doorbell(ring.doorbell().handle) }.unwrap();
}

/// Waits until the device has read all of a ring, then destroys its doorbell.
fn retire(actor: &Actor, ring: &RawRing) {
    until("the old ring runs empty", || {
        ring.read_pointer() == Some(ring.write_pointer())
    });
    destroy(actor, ring);
}

/// Frees the memory of a ring whose doorbell is gone.
fn free(actor: &Actor, ring: &RawRing) {
    for memory in ring.memory() {
        let (kmt, device) = (&actor.kmt, actor.device);
        kmt.free_gpu_virtual_address(device, memory.gpu).unwrap();
        kmt.evict(device, &[memory.handle]).unwrap();
        // SAFETY: the caller has given the ring up.
        unsafe { kmt.destroy_allocation(device, memory.handle) }.unwrap();
    }
}

/// Larger and smaller rings, one after the other, with work in flight in each: nothing is lost,
/// nothing runs twice, nothing in the wrong order; the fence goes on counting and the word for the
/// last queued value stays where it is.
///
/// contract: DBC-025
#[test]
fn work_goes_on_in_the_new_ring() {
    for model in MODELS {
        for disconnect_at_resize in [false, true] {
            let (nt, machine) = boot(&config(model, 4));
            machine.manager().set_options(Options {
                disconnect_at_resize,
                ..Options::default()
            });
            let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
            a.work(1);
            let last_queued = a.queue.doorbell().last_queued.address();
            for round in 0..40 {
                let log2 = [8, 12, 7, 7, 10][round % 5];
                a.publish(60);
                if round % 3 != 0 {
                    a.ring();
                }
                let old = go_over(&mut a, log2);
                assert_eq!(a.queue.doorbell().last_queued.address(), last_queued);
                a.publish(60);
                a.ring();
                b.work(2);
                if round % 2 == 0 {
                    a.settle();
                }
                retire(&a, &old);
                free(&a, &old);
                a.publish(20);
                a.ring_through();
                a.settle();
            }
            assert_eq!(a.completed(), a.submitted);
            assert_eq!(machine.gpu().stats().queue_faults, 0);
            a.end();
            b.end();
            finish(&nt, machine);
        }
    }
}

/// The old doorbell goes first, with its ring empty; then the new one comes, with the flag or
/// without, since there is no other any more.
///
/// contract: DBC-025
#[test]
fn the_old_doorbell_goes_first() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let mut a = Actor::new(&machine, 1);
        for round in 0..20 {
            a.work(30);
            let old = {
                retire(&a, a.queue.feed());
                let ring = RingConfig {
                    entries_log2: 7 + round % 4,
                    resize: round % 2 == 0,
                    ..RingConfig::default()
                };
                let ring = RawRing::create(&*a.kmt, a.device, a.queue.queue(), ring).unwrap();
                a.queue.switch(ring)
            };
            free(&a, &old);
            a.publish(10);
            a.ring_through();
            a.settle();
        }
        a.end();
        finish(&nt, machine);
    }
}

/// The context is off the GPU while its ring is replaced, before or after the work came, or
/// between the two.
///
/// contract: DBC-025, DBN-017, SUS-009
#[test]
fn while_suspended() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        a.work(1);
        for round in 0..30 {
            a.publish(40);
            if round % 2 == 0 {
                a.ring();
            }
            a.suspend();
            let reached = a.completed();
            let old = go_over(&mut a, 7 + round % 3);
            a.publish(40);
            a.ring();
            b.work(5);
            a.interrupted_at(reached);
            if round % 3 == 0 {
                // Once more round the corner.
                a.resume();
                a.suspend();
            }
            a.resume();
            a.settle();
            retire(&a, &old);
            free(&a, &old);
        }
        a.end();
        b.end();
        finish(&nt, machine);
    }
}

/// One page for everybody: the old doorbell and the new one lose it before, between and after the
/// steps of the change.
///
/// contract: DBC-025, VIC-014
/// regression: DB-17
#[test]
fn while_victimized() {
    for disconnect in [
        DisconnectMode::Plain,
        DisconnectMode::Nested,
        DisconnectMode::Concurrent,
    ] {
        let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 1));
        machine.manager().set_options(Options {
            disconnect,
            ..Options::default()
        });
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        for round in 0..24 {
            a.work(2);
            let steal = |b: &mut Actor, when: u32| {
                if round % 4 == when {
                    b.work(3);
                }
            };
            a.publish(30);
            steal(&mut b, 0);
            let ring = new_ring(&a, 7 + round % 3).unwrap();
            steal(&mut b, 1);
            a.kmt.connect_doorbell(ring.doorbell().handle).unwrap();
            let old = a.queue.switch(ring);
            steal(&mut b, 2);
            a.publish(30);
            steal(&mut b, 3);
            a.ring_through();
            a.settle();
            retire(&a, &old);
            free(&a, &old);
        }
        assert!(machine.manager().stats().disconnect_callbacks >= 24);
        a.end();
        b.end();
        finish(&nt, machine);
    }
}

/// The create fails, for the want of memory or because what it is given is no ring: the queue goes
/// on with what it has, and the next attempt succeeds.
///
/// contract: DBC-003, DBC-025
#[test]
fn a_create_that_fails_changes_nothing() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let mut a = Actor::new(&machine, 0);
        a.work(3);
        let mut failed = 0;
        for nth in 1.. {
            a.publish(20);
            a.ring();
            let small = system_memory(&*a.kmt, a.device, 4096).unwrap();
            let control = system_memory(&*a.kmt, a.device, 4096).unwrap();
            let data = DoorbellPrivateData::new(small.gpu, control.gpu).unwrap();
            let create = CreateDoorbell {
                queue: a.queue.queue().handle,
                ring: small.handle,
                control: Some(control.handle),
                private_data: data.as_bytes(),
                resize: true,
                require_secondary: false,
            };
            for bad in [
                CreateDoorbell {
                    private_data: &data.as_bytes()[..15],
                    ..create
                },
                CreateDoorbell {
                    control: None,
                    ..create
                },
            ] {
                a.kmt.create_doorbell(&bad).unwrap_err();
            }
            nt.verifier.fail_allocation(nth);
            let outcome = a.kmt.create_doorbell(&create);
            nt.verifier.fail_no_allocation();
            failed += u32::from(outcome.is_err());
            a.publish(20);
            a.ring_through();
            a.settle();
            if let Ok(doorbell) = outcome {
                // SAFETY: nobody uses a word of it.
                unsafe { a.kmt.destroy_doorbell(doorbell.handle) }.unwrap();
                a.work(20);
                println!("{model:?}: {failed} of {} failures were felt", nth - 1);
                break;
            }
            assert!(nth < 100, "the create never succeeds");
        }
        let old = go_over(&mut a, 8);
        a.work(10);
        retire(&a, &old);
        a.work(10);
        a.end();
        finish(&nt, machine);
    }
}

/// The new doorbell is destroyed before it was ever connected: the old ring is the ring.
///
/// contract: DBC-025
#[test]
fn the_new_doorbell_goes_unused() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let mut a = Actor::new(&machine, 0);
        for round in 0..20 {
            a.publish(30);
            if round % 2 == 0 {
                a.ring_through();
            }
            let ring = new_ring(&a, 9).unwrap();
            if round % 3 == 0 {
                a.suspend();
            }
            destroy(&a, &ring);
            if round % 3 == 0 {
                a.resume();
            }
            free(&a, &ring);
            a.publish(30);
            a.ring_through();
            a.settle();
        }
        a.end();
        finish(&nt, machine);
    }
}

/// The old doorbell is destroyed before the new one is connected. Its ring is empty: nothing is
/// lost. It is not: what was in it is its client's to give up, and it does not run; what
/// comes in the new ring does.
///
/// contract: DBC-025, DBX-010
#[test]
fn the_old_doorbell_goes_before_the_new_one_is_connected() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let mut a = Actor::new(&machine, 0);
        for _ in 0..10 {
            a.work(30);
            let ring = new_ring(&a, 8).unwrap();
            retire(&a, a.queue.feed());
            let old = a.queue.switch(ring);
            free(&a, &old);
            a.publish(30);
            a.ring_through();
            a.settle();
        }
        a.suspend();
        let given_up = a.submitted;
        a.publish(50);
        let ring = new_ring(&a, 8).unwrap();
        destroy(&a, a.queue.feed());
        let old = a.queue.switch(ring);
        free(&a, &old);
        a.connect();
        let value = a.submitted + 1;
        let signal = a.queue.signal(value);
        a.queue.stage(&[signal]).unwrap();
        a.queue.publish().unwrap();
        a.ring_through();
        a.resume();
        until("work in the new ring", || a.completed() == value);
        a.untouched(given_up);
        assert_eq!(machine.gpu().stats().queue_faults, 0);
        a.kill();
        finish(&nt, machine);
    }
}

/// What is put into a ring after the queue has gone over to another one is not run, and does no
/// harm, and neither does ringing its doorbell.
///
/// contract: DBC-025, SECR-001
#[test]
fn a_ring_that_was_left_is_dead() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let mut a = Actor::new(&machine, 0);
        a.work(10);
        let old = go_over(&mut a, 8);
        a.work(10);
        let control = old.memory()[1];
        for wild in [11, 1 << 20, u64::MAX] {
            control.cpu.word(0).unwrap().store_release(wild);
            old.doorbell().address.store_release(wild - 1);
            a.work(5);
        }
        destroy(&a, &old);
        a.work(10);
        assert_eq!(machine.gpu().stats().queue_faults, 0);
        a.end();
        finish(&nt, machine);
    }
}

/// Threads share queues through a lock, all submit, any of them replaces the ring, in either
/// order, while queues fight for pages; every byte is compared.
///
/// contract: DBC-025
#[test]
fn threads_replace_the_rings_of_shared_queues() {
    const QUEUES: u32 = 3;
    const THREADS: u32 = 3;
    const ROUNDS: u32 = 150;
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        std::thread::scope(|scope| {
            for number in 0..QUEUES {
                let machine = &machine;
                scope.spawn(move || {
                    let kmt = machine.process().unwrap();
                    let device = kmt.create_device().unwrap();
                    let node = NodeOrdinal(number % 2);
                    let wish = UserQueueConfig {
                        full_timeout: PATIENCE,
                        drain_timeout: PATIENCE,
                        ..UserQueueConfig::default()
                    };
                    let queue = UserQueue::create(kmt.clone(), device, node, wish).unwrap();
                    let queue = Mutex::new(queue);
                    let trace = system_memory(&*kmt, device, 4096).unwrap();
                    let counter = system_memory(&*kmt, device, 4096).unwrap();
                    std::thread::scope(|scope| {
                        for thread in 0..THREADS {
                            let (queue, trace, counter) = (&queue, &trace, &counter);
                            scope.spawn(move || {
                                for round in 0..ROUNDS {
                                    let mut queue = queue.lock().unwrap();
                                    let done = u32::try_from(queue.queued().0).unwrap();
                                    let word = trace.gpu.checked_add(u64::from(4 * done));
                                    let value = queue.submit(|c| {
                                        // Lost, repeated or early, it leaves another number.
                                        c.copy(counter.gpu, word.unwrap(), 4)?;
                                        c.fill(counter.gpu, 4, done + 1)
                                    });
                                    assert_eq!(value.unwrap().0, u64::from(done) + 1);
                                    if round % 25 == thread {
                                        let log2 = 7 + (round + thread) % 4;
                                        let old_first = (round + thread) % 3 == 0;
                                        queue.resize(log2, order_of(old_first)).unwrap();
                                    }
                                }
                            });
                        }
                    });
                    let mut queue = queue.into_inner().unwrap();
                    let last = queue.queued();
                    queue.wait(last, PATIENCE).unwrap();
                    assert_eq!(last.0, u64::from(THREADS * ROUNDS));
                    for done in 0..THREADS * ROUNDS {
                        let at = 4 * done as usize;
                        assert_eq!(trace.cpu.load_u32(at), Some(done));
                    }
                    assert_ne!(queue.status(), DoorbellStatus::DISCONNECTED_ABORT);
                    queue.close().unwrap();
                    // SAFETY: nothing of the process is used any more.
                    let way = unsafe { kmt.end(Exit::Normal, Duration::from_secs(20)) };
                    assert_eq!(way.unwrap(), Exit::Normal);
                });
            }
        });
        assert_eq!(machine.gpu().stats().queue_faults, 0);
        finish(&nt, machine);
    }
}

fn order_of(old_first: bool) -> ResizeOrder {
    if old_first {
        ResizeOrder::OldFirst
    } else {
        ResizeOrder::NewFirst
    }
}
