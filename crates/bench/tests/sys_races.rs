//! Clients that rewrite what driver and device read, while they read it.
//!
//! A field that is read twice is one value when it is checked and another when it is used. Here
//! both values are there in quick turns. What becomes of the client's own queue is its own affair;
//! nobody else may be hurt, and the driver must not do anything that the verifier knows as wrong.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_scene;
mod sys_support;

use std::sync::atomic::{AtomicBool, Ordering};

use carillon_bench::dxgk::objects::{Options, Rewrite};
use carillon_bench::workload::machine::Machine;
use carillon_bench::workload::raw::{RawQueue, system_memory};
use carillon_client::escape::request;
use carillon_client::kmt::{DoorbellStatus, Kmt, NodeOrdinal};
use carillon_client::memory::Mapping;
use carillon_hw::addr::GpuVa;
use carillon_hw::doorbell::DoorbellPrivateData;
use carillon_hw::escape::{EscapeData, EscapeRequest};
use sys_scene::{Actor, MODELS, config, until};
use sys_support::{boot, finish};
use zerocopy::IntoBytes;

/// Submissions before the race.
const BEFORE: u64 = 3;
/// Bytes of a ring entry, and of a slot of command memory.
const ENTRY: usize = 32;
const SLOT: usize = 256;

/// One word that does not hold still.
struct Race {
    memory: Mapping,
    offset: usize,
    values: [u64; 2],
}

/// Rewrites a word with two values in turns until told to stop.
fn flip(race: &Race, stop: &AtomicBool) {
    let word = race.memory.word(race.offset).unwrap();
    while !stop.load(Ordering::Relaxed) {
        for value in race.values {
            word.store_release(value);
        }
    }
}

/// The write pointer.
fn pointer(actor: &Actor, values: [u64; 2]) -> Race {
    let memory = actor.queue.feed().memory()[1].cpu;
    Race {
        memory,
        offset: 0,
        values,
    }
}

/// A word of the entry behind those that have run.
fn entry(actor: &Actor, word: usize, values: [u64; 2]) -> Race {
    let memory = actor.queue.feed().memory()[0].cpu;
    let offset = usize::try_from(BEFORE).unwrap() * ENTRY + word * 8;
    Race {
        memory,
        offset,
        values,
    }
}

/// A word of the command buffer behind those that have run.
fn command(actor: &Actor, word: usize, other: u64) -> Race {
    let memory = actor.queue.feed().memory()[2].cpu;
    let offset = usize::try_from(BEFORE).unwrap() * SLOT + word * 8;
    let own = memory.word(offset).unwrap().load_acquire();
    Race {
        memory,
        offset,
        values: [own, other],
    }
}

/// The hostile queue is rung while what it consists of is rewritten; its sibling and a queue of
/// another process work meanwhile. The process dies in the end.
fn race(machine: &Machine, bystander: &mut Actor, choose: fn(&Actor) -> Vec<Race>) {
    let mut hostile = Actor::new(machine, 0);
    let mut sibling = hostile.sibling(0);
    hostile.work(BEFORE);
    // The next submission is there and not published: the race is about it.
    hostile.publish(1);
    hostile.queue.publish_as(BEFORE).unwrap();
    let stop = AtomicBool::new(false);
    let races = choose(&hostile);
    std::thread::scope(|scope| {
        for race in &races {
            scope.spawn(|| flip(race, &stop));
        }
        for _ in 0..20 {
            hostile.ring();
            bystander.work(1);
            sibling.work(1);
        }
        stop.store(true, Ordering::Relaxed);
    });
    bystander.work(10);
    sibling.work(10);
    hostile.kill();
}

/// Write pointer, ring entry and command buffer of a queue that is rung are rewritten while the
/// device reads them. Other queues of the process and of other processes run on.
///
/// contract: SECR-001, SECR-003
/// regression: RING-13
#[test]
fn what_the_device_reads_does_not_hold_still() {
    type Choose = fn(&Actor) -> Vec<Race>;
    const NOWHERE: u64 = 0xFFFF_FFFF_F000;
    let choices: [Choose; 4] = [
        |actor| vec![pointer(actor, [BEFORE + 1, u64::MAX])],
        |actor| vec![pointer(actor, [BEFORE + 128, BEFORE + 129])],
        |actor| {
            let buffer = actor.queue.feed().memory()[2].gpu.0;
            vec![
                entry(actor, 0, [buffer, NOWHERE]),
                entry(actor, 1, [4, u64::MAX]),
                pointer(actor, [BEFORE, BEFORE + 1]),
            ]
        },
        |actor| {
            vec![
                command(actor, 0, u64::MAX),
                command(actor, 1, NOWHERE),
                pointer(actor, [BEFORE, BEFORE + 1]),
            ]
        },
    ];
    let mut faults = 0;
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let mut bystander = Actor::new(&machine, 0);
        bystander.work(1);
        for choose in choices {
            for _ in 0..5 {
                race(&machine, &mut bystander, choose);
            }
        }
        faults += machine.gpu().stats().queue_faults;
        bystander.end();
        finish(&nt, machine);
    }
    assert!(faults > 0, "the device never met the other value");
}

fn rewritten(machine: &Machine, other: &[u8]) {
    let mut bytes = [0; 40];
    bytes[..other.len()].copy_from_slice(other);
    machine.manager().set_options(Options {
        rewrite: Some(Rewrite { bytes }),
        ..Options::default()
    });
}

/// The private data of a create changes while the driver reads it: to addresses that are not the
/// client's, that are no ring, of another version. A create that succeeds has taken one of them or
/// a mixture, which can only reach memory of the same process: the queue works or faults alone.
///
/// contract: DBC-019, DBCR-002, SECR-003
/// regression: RING-13
#[test]
fn private_data_of_a_create_does_not_hold_still() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let mut bystander = Actor::new(&machine, 0);
        bystander.work(1);
        let neighbour = bystander.queue.feed().memory();
        let foreign = DoorbellPrivateData::new(neighbour[0].gpu, neighbour[1].gpu).unwrap();
        let wild = DoorbellPrivateData::new(GpuVa(!0xFFF), GpuVa(!0x7F)).unwrap();
        let mut made = 0;
        for round in 0..60 {
            match round % 3 {
                0 => rewritten(&machine, foreign.as_bytes()),
                1 => rewritten(&machine, wild.as_bytes()),
                _ => rewritten(&machine, &[0xFF; 16]),
            }
            let kmt: std::sync::Arc<dyn Kmt> = machine.process().unwrap();
            let device = kmt.create_device().unwrap();
            let target = system_memory(&*kmt, device, 4096).unwrap();
            let created = RawQueue::create(&kmt, device, NodeOrdinal(0));
            machine.manager().set_options(Options::default());
            if let Ok(mut queue) = created {
                made += 1;
                kmt.connect_doorbell(queue.doorbell().handle).unwrap();
                let fill = carillon_hw::packet::Packet::Fill {
                    destination: target.gpu,
                    bytes: 4,
                    pattern: 1,
                };
                queue.stage(&[fill]).unwrap();
                queue.publish().unwrap();
                queue.ring(1);
            }
            bystander.work(3);
            // SAFETY: nothing of the device is used any more.
            unsafe { kmt.destroy_device(device) }.unwrap();
        }
        assert!(made > 0, "no create ever saw what the client meant");
        bystander.end();
        finish(&nt, machine);
    }
}

/// The buffer of an escape changes between a queue of the client's own and one of somebody else's,
/// and between requests: whatever the driver takes it for, the other queue is left alone.
///
/// contract: SECR-003
/// regression: RING-13
#[test]
fn the_buffer_of_an_escape_does_not_hold_still() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let (mut hostile, mut bystander) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        hostile.work(1);
        bystander.work(1);
        let set = |queue, notify| EscapeRequest::SetNotify { queue, notify };
        let foreign = EscapeData::new(set(bystander.id(), true));
        let (mut granted, mut refused) = (0, 0);
        for round in 0..300 {
            if round % 2 == 0 {
                rewritten(&machine, foreign.as_bytes());
            } else {
                rewritten(&machine, &[0xFF; 40]);
            }
            let own = set(hostile.id(), round % 4 < 2);
            match request(&*hostile.kmt, own) {
                Ok(_) => granted += 1,
                Err(_) => refused += 1,
            }
            assert_eq!(bystander.queue.status(), DoorbellStatus::CONNECTED);
            if round % 50 == 0 {
                machine.manager().set_options(Options::default());
                hostile.work(1);
                bystander.work(1);
            }
        }
        machine.manager().set_options(Options::default());
        println!("{model:?}: {granted} granted, {refused} refused");
        hostile.work(5);
        bystander.work(5);
        assert_eq!(bystander.queue.status(), DoorbellStatus::CONNECTED);
        hostile.end();
        bystander.end();
        finish(&nt, machine);
    }
}

/// The device meets a ring before what it is about, as it would without the client's release
/// store. A write pointer that comes late is found by the next ring and not before; an entry that
/// comes late is garbage, and hurts its own queue alone. In the right order one ring is enough, as
/// often as one likes.
///
/// contract: SECR-003
/// regression: RING-05
#[test]
fn a_ring_that_overtakes_its_data_is_noticed() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let (mut late, mut bystander) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        late.work(1);
        bystander.work(1);
        for round in 0..20 {
            let before = late.submitted;
            late.publish(1);
            // Back to what the GPU sees while the store is still on its way.
            late.queue.publish_as(before).unwrap();
            let taken = machine.gpu().stats().rings;
            late.ring();
            until("the device takes the ring", || {
                machine.gpu().stats().rings > taken
            });
            bystander.work(5);
            late.queue.publish().unwrap();
            bystander.work(5);
            assert_eq!(
                late.completed(),
                before,
                "{model:?}, round {round}: nobody rang"
            );
            late.ring();
            late.settle();
            // The right order.
            for _ in 0..10 {
                late.publish(1);
                late.ring();
                late.settle();
            }
        }
        let faults = machine.gpu().stats().queue_faults;
        let next = late.queue.write_pointer() + 1;
        // The ring has gone round: the slot holds an old entry, which this takes away.
        let slot = usize::try_from((next - 1) % 128).unwrap() * ENTRY;
        let ring = late.queue.feed().memory()[0].cpu;
        ring.store_words(slot, [0; 4]).unwrap();
        late.queue.publish_as(next).unwrap();
        late.ring();
        until("the fault", || machine.gpu().stats().queue_faults > faults);
        bystander.work(10);
        late.kill();
        bystander.end();
        finish(&nt, machine);
    }
}
