//! Memory that comes and goes under working queues, by the linked driver: pressure, rings that
//! move, memory that is not there.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_scene;
mod sys_support;

use carillon_bench::dxgk::vidmm::place::Page;
use carillon_bench::workload::machine::Machine;
use carillon_bench::workload::raw::{Memory, system_memory};
use carillon_client::kmt::{AllocationHandle, DoorbellStatus, Kmt};
use carillon_hw::allocation::{AllocationPrivateData, Placement};
use carillon_vgpu::Gpu;
use sys_scene::{Actor, MODELS, config, until};
use sys_support::{boot, finish};
use zerocopy::IntoBytes;

fn pages(actor: &Actor, handle: AllocationHandle) -> Vec<Page> {
    let manager = actor.process.manager();
    let allocation = manager.allocation(actor.process.process(), handle.0);
    allocation.unwrap().pages()
}

/// Where ring, control block, command memory and fence of a queue are.
fn places(actor: &Actor) -> Vec<Page> {
    let memory = actor.queue.feed().memory();
    let mut all: Vec<Page> = memory
        .into_iter()
        .flat_map(|memory| pages(actor, memory.handle))
        .collect();
    let handle = actor.queue.queue().handle.0;
    let manager = actor.process.manager();
    let queue = manager.queue(actor.process.process(), handle).unwrap();
    all.extend(queue.fence().pages());
    all
}

/// Asks for local memory until there is none, gives all of it up, and asks again.
fn press(machine: &Machine, rounds: u32, mut meanwhile: impl FnMut()) {
    const BYTES: u64 = 1 << 20;
    let kmt = machine.process().unwrap();
    let device = kmt.create_device().unwrap();
    let data = AllocationPrivateData::new(Placement::Local, BYTES);
    let create = || kmt.create_allocation(device, data.as_bytes());
    let mut unwanted = 0;
    for _ in 0..rounds {
        let mut held = Vec::new();
        while let Ok(memory) = create() {
            if kmt.make_resident(device, &[memory]).is_err() {
                break;
            }
            held.push(memory);
        }
        assert!(held.len() > 8, "a segment of several MiB");
        meanwhile();
        for memory in held {
            kmt.evict(device, &[memory]).unwrap();
            unwanted += 1;
        }
        meanwhile();
    }
    assert!(unwanted > rounds);
    // SAFETY: nothing of the process is used any more.
    unsafe {
        kmt.end(
            carillon_bench::dxgk::objects::exit::Exit::Normal,
            sys_scene::PATIENCE,
        )
    }
    .unwrap();
}

/// Local memory runs out again and again, everything that can move does: nothing of a connected
/// queue, although its client has given its ring up.
///
/// contract: RBR-003, RBR-004
/// regression: RING-16
#[test]
fn pressure_moves_nothing_of_a_connected_queue() {
    for model in MODELS {
        let mut machine_config = config(model, 4);
        machine_config.gpu.vram_bytes = 32 << 20;
        let (nt, machine) = boot(&machine_config);
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 1));
        a.work(5);
        b.work(5);
        let ring = a.queue.ring_memory().handle;
        a.kmt.evict(a.device, &[ring]).unwrap();
        let before = [places(&a), places(&b)];
        let connects = machine.manager().stats().connects;
        press(&machine, 2, || {
            a.work(7);
            b.suspend();
            b.publish(3);
            b.ring();
            assert_eq!([places(&a), places(&b)], before, "{model:?}");
            b.resume();
            b.settle();
        });
        assert_eq!([places(&a), places(&b)], before, "{model:?}");
        assert_eq!(machine.manager().stats().connects, connects);
        assert_eq!(machine.gpu().stats().queue_faults, 0);
        a.end();
        b.end();
        finish(&nt, machine);
    }
}

/// All memory of a device goes out while its queue has work, and comes back elsewhere: page
/// tables follow, the GPU forgets what it knew, and the work goes on, what was published while
/// the ring was out too. Nobody else notices.
///
/// contract: RBR-002, RBR-006, RBRR-001
/// regression: RING-18
#[test]
fn a_ring_comes_back_elsewhere() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        a.work(3);
        b.work(3);
        for round in 0..20 {
            let process = a.process.process().clone();
            let manager = machine.manager();
            a.publish(40);
            if round % 2 == 0 {
                a.ring();
            }
            let before = a
                .queue
                .feed()
                .memory()
                .map(|memory| pages(&a, memory.handle));
            manager.evict_device(&process, a.device.0).unwrap();
            assert_eq!(a.queue.status(), DoorbellStatus::DISCONNECTED_RETRY);
            let reached = a.completed();
            // The CPU's views still are where they were, and so is what is in them.
            a.publish(5);
            a.ring();
            b.work(10);
            a.interrupted_at(reached);
            if round % 3 == 0 {
                manager.restore_device(&process, a.device.0).unwrap();
            }
            a.ring_through();
            a.settle();
            let after = a
                .queue
                .feed()
                .memory()
                .map(|memory| pages(&a, memory.handle));
            for (before, after) in before.iter().zip(&after) {
                assert!(after.iter().all(|page| !before.contains(page)), "{model:?}");
            }
        }
        assert_eq!(machine.gpu().stats().queue_faults, 0);
        a.end();
        b.end();
        finish(&nt, machine);
    }
}

/// Waits for one more faulted queue and has the OS act on it.
fn fault(machine: &Machine, before: u64) {
    let gpu: &Gpu = machine.gpu();
    until("the fault", || gpu.stats().queue_faults > before);
    until("the report", || {
        let reports = machine.manager().answer_faults().unwrap();
        !reports.is_empty()
    });
    assert_eq!(gpu.stats().queue_faults, before + 1);
}

type Choice = fn(&Actor) -> Memory;

/// A client unmaps what its queue works with while the queue is alive: that queue faults at its
/// next step, nobody reads what is there now, and everybody else runs on.
///
/// contract: RBR-007
/// regression: RING-17
#[test]
fn an_unmapped_ring_hurts_its_queue_alone() {
    let choices: [(&str, Choice); 3] = [
        ("ring", |actor| *actor.queue.feed().memory()[0]),
        ("control block", |actor| *actor.queue.feed().memory()[1]),
        ("commands", |actor| *actor.queue.feed().memory()[2]),
    ];
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let mut b = Actor::new(&machine, 0);
        for (index, (what, choose)) in (0..).zip(choices) {
            let mut a = Actor::new(&machine, 0);
            a.work(9);
            b.work(1);
            let memory = choose(&a);
            a.kmt
                .free_gpu_virtual_address(a.device, memory.gpu)
                .unwrap();
            a.publish(3);
            a.ring();
            fault(&machine, index);
            assert_eq!(a.completed(), 9, "{what}, {model:?}");
            assert_eq!(a.queue.status(), DoorbellStatus::DISCONNECTED_ABORT);
            a.kmt
                .connect_doorbell(a.queue.doorbell().handle)
                .unwrap_err();
            b.work(20);
            a.kill();
        }
        b.end();
        finish(&nt, machine);
    }
}

/// Memory that is mapped and was never asked for, or was given up: the queue that reaches for it
/// faults and takes its device along, sibling and all. Other processes run on.
///
/// contract: RBR-007, RBR-008
#[test]
fn memory_that_is_not_resident_kills_the_device() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let mut b = Actor::new(&machine, 0);
        for given_up in [false, true] {
            let mut a = Actor::new(&machine, 0);
            let mut sibling = a.sibling(1);
            sibling.work(2);
            a.work(2);
            let target = system_memory(&*a.kmt, a.device, 8192).unwrap();
            if given_up {
                // Asked for twice, given up once: still there.
                a.kmt.make_resident(a.device, &[target.handle]).unwrap();
                a.kmt.evict(a.device, &[target.handle]).unwrap();
                a.fill(&target, 5);
                a.settle();
                assert_eq!(target.cpu.load_u32(0), Some(5));
            }
            a.kmt.evict(a.device, &[target.handle]).unwrap();
            let before = machine.gpu().stats().queue_faults;
            a.fill(&target, 6);
            a.ring();
            fault(&machine, before);
            assert_ne!(target.cpu.load_u32(4096), Some(6));
            for actor in [&a, &sibling] {
                assert_eq!(actor.queue.status(), DoorbellStatus::DISCONNECTED_ABORT);
            }
            b.work(20);
            a.kill();
        }
        b.end();
        finish(&nt, machine);
    }
}
