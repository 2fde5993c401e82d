//! Processes that end, well and badly, and objects that come and go, by the linked driver.

mod sys_scene;
mod sys_support;

use std::sync::Arc;
use std::time::Duration;

use carillon_bench::dxgk::objects::doorbell::RETRY;
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_client::kmt::{Kmt, NodeOrdinal};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::submit::Submit;
use carillon_hw::regs::DoorbellModel;
use sys_scene::{Actor, MODELS, PATIENCE, config};

/// How long the OS waits for work that may never come.
const SHORT: Duration = Duration::from_millis(300);

/// The OS disconnects first and then waits for what was queued: rung work, work that was published
/// and not rung, and work of a queue that had lost its doorbell before.
///
/// contract: DBD-007, PEX-002, PEX-006
/// regression: LIFE-14
#[test]
fn a_normal_exit_runs_what_was_visible() {
    for model in MODELS {
        for rung in [true, false] {
            let (nt, machine) = sys_support::boot(&config(model, 4));
            for lost_before in [true, false] {
                let mut a = Actor::new(&machine, 0);
                a.work(1);
                a.publish(100);
                if lost_before {
                    let manager = machine.manager();
                    manager.disconnect_doorbell(&a.doorbell(), RETRY).unwrap();
                }
                if rung {
                    a.ring();
                }
                let handle = a.queue.queue().handle.0;
                let queue = machine.manager().queue(a.process.process(), handle);
                let queue = queue.unwrap();
                // SAFETY: no word of the process is used below.
                let way = unsafe { a.process.end(Exit::Normal, PATIENCE) };
                assert_eq!(way.unwrap(), Exit::Normal, "{model:?}, rung: {rung}");
                assert_eq!(queue.fence().current(), 101);
            }
            sys_support::finish(&nt, machine);
        }
    }
}

/// The client announces a value and never rings it. The exit ends all the same.
///
/// regression: LIFE-14
#[test]
fn announced_and_never_rung() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let mut other = Actor::new(&machine, 0);
        let mut a = Actor::new(&machine, 0);
        a.work(3);
        a.queue.doorbell().last_queued.store_release(4);
        // SAFETY: no word of the process is used below.
        let way = unsafe { a.process.end(Exit::Normal, SHORT) };
        assert_eq!(way.unwrap(), Exit::Abnormal);
        other.work(3);
        other.end();
        sys_support::finish(&nt, machine);
    }
}

/// An abnormal exit in the middle of work: contexts go off the GPU, nobody waits for the rest, and
/// the device touches nothing of the process any more, which the memory that the bench unmaps
/// would show as a fault. The others go on.
///
/// contract: SUS-012, PEX-004, PEX-006, PEX-007
#[test]
fn an_abnormal_exit_in_full_flight() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let mut other = Actor::new(&machine, 0);
        other.work(1);
        for _ in 0..20 {
            let mut a = Actor::new(&machine, 0);
            let mut sibling = a.sibling(1);
            a.publish(120);
            sibling.publish(120);
            a.ring_through();
            sibling.ring_through();
            // SAFETY: no word of the process is used below.
            let way = unsafe { a.process.end(Exit::Abnormal, SHORT) };
            assert_eq!(way.unwrap(), Exit::Abnormal);
            other.work(5);
        }
        let faults = machine.gpu().stats().queue_faults;
        assert_eq!(faults, 0, "the device used memory of an ended process");
        other.end();
        sys_support::finish(&nt, machine);
    }
}

/// A thousand queues with their doorbells, each used once; the driver ends with what it had.
///
/// contract: DBX-003
/// regression: LIFE-03
#[test]
fn a_thousand_queues_leave_nothing() {
    for model in MODELS {
        let (nt, machine) = sys_support::boot(&config(model, 4));
        let process = machine.process().unwrap();
        let kmt: Arc<dyn Kmt> = process.clone();
        let device = kmt.create_device().unwrap();
        let one = |number: u32| {
            let node = NodeOrdinal(number % 2);
            let config = UserQueueConfig::default();
            let mut queue = UserQueue::create(kmt.clone(), device, node, config).unwrap();
            let value = queue.submit(|_| Ok(())).unwrap();
            queue.wait(value, PATIENCE).unwrap();
            queue.close().unwrap();
        };
        (0..4).for_each(one);
        let (blocks, totals) = (nt.verifier.live_pool_blocks(), nt.verifier.pool_totals());
        (0..1000).for_each(one);
        assert_eq!(nt.verifier.live_pool_blocks(), blocks);
        assert_eq!(nt.verifier.pool_totals().bytes_in_use, totals.bytes_in_use);
        let victims = machine.manager().stats().disconnect_callbacks;
        assert_eq!(victims, 0, "a destroyed doorbell leaves its page free");
        // SAFETY: the queues are gone, and nothing else of the process is used.
        unsafe { process.end(Exit::Normal, PATIENCE) }.unwrap();
        sys_support::finish(&nt, machine);
    }
}

/// Contexts beside the first give their doorbells back when they are destroyed, not when the
/// process ends: five times as many as there are pages, one after the other, and no victim.
///
/// contract: DBX-002
/// regression: LIFE-12
#[test]
fn doorbells_of_destroyed_contexts_are_free() {
    let (nt, machine) = sys_support::boot(&config(DoorbellModel::Dedicated, 4));
    let mut first = Actor::new(&machine, 0);
    first.work(1);
    for _ in 0..20 {
        let mut next = first.sibling(1);
        next.work(2);
        let kmt = next.kmt.clone();
        let (doorbell, queue) = (next.queue.doorbell().handle, next.queue.queue().handle);
        let context = next.queue.context();
        drop(next);
        // Still connected.
        // SAFETY: the words of the doorbell are not used any more.
        unsafe { kmt.destroy_doorbell(doorbell) }.unwrap();
        // SAFETY: nor are those of the queue.
        unsafe { kmt.destroy_hw_queue(queue) }.unwrap();
        kmt.destroy_hw_context(context).unwrap();
    }
    assert!(first.is_connected());
    assert_eq!(machine.manager().stats().disconnect_callbacks, 0);
    first.end();
    sys_support::finish(&nt, machine);
}

/// Allocations that the client never unmapped go with the process, mappings first; what is mapped
/// and used by others stays.
///
/// regression: MAP-11
#[test]
fn allocations_go_with_their_mappings() {
    let (nt, machine) = sys_support::boot(&config(DoorbellModel::Dedicated, 4));
    let mut a = Actor::new(&machine, 0);
    let mut other = Actor::new(&machine, 0);
    a.work(1);
    let memory = carillon_bench::workload::raw::system_memory(&*a.kmt, a.device, 8192).unwrap();
    let space = a.process.process().space();
    assert_eq!(space.mapped_bytes(memory.gpu.0), Some(8192));
    // SAFETY: the mapping is not used below.
    unsafe { a.kmt.destroy_allocation(a.device, memory.handle) }.unwrap();
    assert_eq!(space.mapped_bytes(memory.gpu.0), None);
    // A packet that names the address faults its own queue only.
    let packet = carillon_hw::packet::Packet::Fill {
        destination: memory.gpu,
        bytes: 4,
        pattern: 1,
    };
    a.queue.stage(&[packet]).unwrap();
    a.queue.publish().unwrap();
    a.ring();
    sys_scene::until("the fault", || machine.gpu().stats().queue_faults == 1);
    other.work(5);
    // SAFETY: no word of the process is used below.
    let way = unsafe { a.process.end(Exit::Abnormal, SHORT) };
    assert_eq!(way.unwrap(), Exit::Abnormal);
    other.end();
    sys_support::finish(&nt, machine);
}
