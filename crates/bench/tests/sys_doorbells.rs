//! Doorbells one at a time: slots that are used again, late and repeated rings, boundaries, the
//! first ring after a connect, the progress fence.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_queues;
mod sys_support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use carillon_bench::dxgk::objects::doorbell::RETRY;
use carillon_bench::workload::raw::system_memory;
use carillon_client::kmt::DoorbellStatus;
use carillon_hw::doorbell::{DOORBELL_BYTES, NOT_RUNG};
use carillon_hw::packet::Packet;
use carillon_hw::regs::DoorbellModel;

use sys_queues::{Client, MODELS, Queue, config, until};
use sys_support::{boot, finish};

const CONNECTED: DoorbellStatus = DoorbellStatus::CONNECTED;
/// Bytes of a doorbell in its BAR.
const PAGE: usize = DOORBELL_BYTES as usize;

/// A queue on a slot that another one had: its first ring counts, whatever value it has, and its
/// work runs once.
///
/// regression: DB-01
#[test]
fn the_first_ring_on_a_used_slot_counts() {
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 1));
    let client = Client::new(&machine);
    let mut last_value = 0;
    for round in 0..30_u64 {
        let mut queue = client.queue(0);
        queue.connect();
        // Nothing of the owner before is left over as a ring or as a value.
        assert_eq!(queue.raw.doorbell().address.load_acquire(), NOT_RUNG);
        queue.publish(7);
        let value = [0, last_value, 1, NOT_RUNG - 1][usize::try_from(round % 4).unwrap()];
        queue.raw.ring(value);
        queue.check();
        for id in 8..8 + u32::try_from(round).unwrap() {
            queue.submit(id);
        }
        queue.check();
        last_value = queue.raw.write_pointer();
        queue.destroy();
    }
    client.end();
    finish(&nt, machine);
}

/// A page that becomes free is not the next one given out, and a ring that comes late to it wakes
/// nobody.
///
/// regression: DB-10
#[test]
fn a_late_ring_meets_a_dead_page() {
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 4));
    let client = Client::new(&machine);
    let mut bystander = client.queue(1);
    bystander.submit(1);
    bystander.check();
    let mut before = None;
    for round in 2..40 {
        let mut queue = client.queue(0);
        queue.submit(1);
        queue.check();
        let page = queue.doorbell().shows().expect("connected");
        assert_ne!(Some(page), before, "a page is given out again at once");
        queue.destroy();
        let mut next = client.queue(0);
        next.submit(1);
        next.check();
        // A store by the old owner that took its time.
        let memory = machine.gpu().doorbell_memory();
        memory.store_u64(page as u64, u64::from(round)).unwrap();
        next.submit(2);
        bystander.submit(round);
        next.check();
        bystander.check();
        before = next.doorbell().shows();
        next.destroy();
    }
    assert_eq!(machine.gpu().stats().queue_faults, 0);
    client.end();
    finish(&nt, machine);
}

/// With any number of pages, all of them, the first and the last too, serve a queue; one queue
/// more finds its page by a victim.
///
/// regression: DB-12, DB-08
#[test]
fn every_page_serves_from_the_first_to_the_last() {
    for pages in [1, 2, 33] {
        let (nt, machine) = boot(&config(DoorbellModel::Dedicated, pages));
        let client = Client::new(&machine);
        let mut queues: Vec<Queue> = (0..pages).map(|node| client.queue(node)).collect();
        for queue in &mut queues {
            queue.connect();
        }
        for queue in &mut queues {
            // Connected before there is work: only the ring can tell.
            assert_eq!(queue.submit(1), 0);
            queue.check();
        }
        let shown: BTreeSet<usize> = queues.iter().filter_map(|q| q.doorbell().shows()).collect();
        let all: BTreeSet<usize> = (0..pages as usize).map(|page| page * PAGE).collect();
        assert_eq!(shown, all);
        assert_eq!(machine.manager().stats().disconnect_callbacks, 0);
        let mut one_more = client.queue(0);
        one_more.submit(1);
        one_more.check();
        assert_eq!(machine.manager().stats().disconnect_callbacks, 1);
        one_more.destroy();
        let mut again = client.queue(0);
        again.submit(1);
        assert_eq!(machine.manager().stats().disconnect_callbacks, 1);
        queues.push(again);
        for queue in &mut queues {
            queue.submit(2);
            queue.check();
        }
        client.end();
        finish(&nt, machine);
    }
}

/// Ringing again with the same write pointer, connected or not, runs nothing again.
///
/// regression: DB-20
#[test]
fn repeated_rings_run_nothing_twice() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let client = Client::new(&machine);
        let mut queue = client.queue(0);
        for round in 1..=30 {
            queue.publish(round);
            for repeat in 0..6 {
                queue.ring();
                // What a client does that finds RETRY: everything once more.
                queue
                    .raw
                    .doorbell()
                    .last_queued
                    .store_release(u64::from(round));
                queue.raw.publish().unwrap();
                if repeat % 3 == 1 {
                    let manager = machine.manager();
                    manager
                        .disconnect_doorbell(&queue.doorbell(), RETRY)
                        .unwrap();
                }
            }
            queue.check();
        }
        assert_eq!(machine.gpu().stats().queue_faults, 0);
        client.end();
        finish(&nt, machine);
    }
}

/// A disconnect of a doorbell that was never connected, is disconnected already, or lost its page
/// as a victim, succeeds and frees nothing that is somebody else's.
///
/// regression: DB-24
#[test]
fn a_disconnect_may_be_repeated() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 1));
        let (one, two) = (Client::new(&machine), Client::new(&machine));
        let (mut first, mut second) = (one.queue(0), two.queue(1));
        let manager = machine.manager();
        let blocks = nt.verifier.live_pool_blocks();
        for round in 1..=20 {
            for _ in 0..2 {
                manager
                    .disconnect_doorbell(&first.doorbell(), RETRY)
                    .unwrap();
            }
            first.submit(round);
            first.check();
            if model == DoorbellModel::Dedicated {
                // The only page goes to the second queue: the first one is a victim.
                second.submit(round);
                second.check();
            }
            for _ in 0..3 {
                manager
                    .disconnect_doorbell(&first.doorbell(), RETRY)
                    .unwrap();
            }
            if model == DoorbellModel::Dedicated {
                assert_eq!(second.raw.status(), CONNECTED);
                let connects = manager.stats().connects;
                second.submit(100 + round);
                second.check();
                assert_eq!(manager.stats().connects, connects);
            }
        }
        assert_eq!(nt.verifier.live_pool_blocks(), blocks);
        one.end();
        two.end();
        finish(&nt, machine);
    }
}

/// A ring stored right after the connect returned is effective: no second one is needed.
///
/// contract: DBN-007
#[test]
fn the_first_ring_after_a_connect_is_effective() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let client = Client::new(&machine);
        let mut queue = client.queue(0);
        for round in 1..=100 {
            queue.connect();
            // Nothing is published before: only the ring can have brought the GPU here.
            queue.publish(round);
            queue.ring_once();
            queue.check();
            let manager = machine.manager();
            manager
                .disconnect_doorbell(&queue.doorbell(), RETRY)
                .unwrap();
        }
        client.end();
        finish(&nt, machine);
    }
}

/// When the progress fence shows a value, everything that the work before it wrote is there.
///
/// contract: PRF-003
#[test]
fn the_fence_comes_after_the_work() {
    /// Long enough that a fence that comes too early is seen before the fill ends.
    const BYTES: u64 = 1 << 20;
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 2));
    let client = Client::new(&machine);
    let target = system_memory(&*client.kmt, client.device, BYTES).unwrap();
    let mut queue = client.queue(0);
    for value in 1..=40 {
        let pattern = u32::try_from(value).unwrap();
        let fill = Packet::Fill {
            destination: target.gpu,
            bytes: BYTES,
            pattern,
        };
        let signal = queue.raw.signal(value);
        queue.raw.stage(&[fill, signal]).unwrap();
        queue.raw.doorbell().last_queued.store_release(value);
        queue.raw.publish().unwrap();
        queue.ring();
        until(|| queue.raw.completed() >= value);
        for at in [BYTES - 4, BYTES / 2, 0] {
            let at = usize::try_from(at).unwrap();
            assert_eq!(target.cpu.load_u32(at), Some(pattern));
        }
    }
    client.end();
    finish(&nt, machine);
}

/// The CPU never sees half of a progress value.
///
/// contract: PRF-005
#[test]
fn fence_values_are_never_torn() {
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 2));
    let client = Client::new(&machine);
    let mut queue = client.queue(0);
    let word = queue.raw.queue().progress_fence.current_value;
    let (stop, mixed) = (AtomicBool::new(false), AtomicBool::new(false));
    // Both halves of every value are the same number.
    let whole = |number: u64| number << 32 | number;
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let value = word.load_relaxed();
                if value >> 32 != value & 0xFFFF_FFFF {
                    mixed.store(true, Ordering::Relaxed);
                }
            }
        });
        for round in 0..100 {
            let numbers = round * 6 + 1..=round * 6 + 6;
            let signals: Vec<Packet> = numbers.map(|n| queue.raw.signal(whole(n))).collect();
            queue.raw.stage(&signals).unwrap();
            queue.raw.publish().unwrap();
            queue.ring();
            until(|| queue.raw.completed() >= whole(round * 6 + 6));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(!mixed.load(Ordering::Relaxed), "half of a value was seen");
    client.end();
    finish(&nt, machine);
}
