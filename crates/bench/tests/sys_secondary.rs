//! Doorbells with a second address, by the linked driver.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_scene;
mod sys_support;

use std::sync::Mutex;
use std::time::Duration;

use carillon_bench::dxgk::objects::doorbell::RETRY;
use carillon_bench::dxgk::objects::{DisconnectMode, Options};
use carillon_bench::dxgk::trace::Step;
use carillon_bench::workload::machine::{Machine, MachineConfig};
use carillon_bench::workload::raw::{RingConfig, system_memory};
use carillon_client::RingAt;
use carillon_client::kmt::{DoorbellStatus, Kmt, NodeOrdinal, NtStatus};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::submit::Submit;
use carillon_ddi::DXGKARG_CREATEDOORBELL;
use carillon_hw::doorbell::DOORBELL_BYTES;
use carillon_hw::regs::DoorbellModel;
use sys_scene::{Actor, MODELS, PATIENCE, config};
use sys_support::{boot, finish};

/// Bytes of a doorbell in its BAR.
const PAGE: usize = DOORBELL_BYTES as usize;

fn with_secondary(model: DoorbellModel, pages: u32) -> MachineConfig {
    let mut config = config(model, pages);
    config.gpu.secondary_pages = true;
    config
}

/// A process with a queue whose doorbell has both addresses.
fn actor(machine: &Machine, node: u32) -> Actor {
    let process = machine.process().unwrap();
    let device = process.create_device().unwrap();
    let ring = RingConfig {
        secondary: true,
        ..RingConfig::default()
    };
    Actor::with(process, device, node, ring)
}

/// A ring at either address, and at that one only, brings the device; both show pages of the
/// BAR, the second behind all first ones.
///
/// contract: DBN-004, DBN-007
#[test]
fn a_ring_at_either_address_brings_the_device() {
    const PAGES: u32 = 3;
    for model in MODELS {
        let (nt, machine) = boot(&with_secondary(model, PAGES));
        let mut a = actor(&machine, 0);
        a.connect();
        let bell = a.doorbell();
        let first = bell.shows().expect("connected");
        assert_eq!(bell.shows_secondary(), Some(first + PAGES as usize * PAGE));
        for round in 0..100 {
            a.publish(1);
            if round % 3 == 0 {
                a.ring();
            } else {
                a.ring_secondary();
            }
            a.settle();
        }
        assert_eq!(machine.manager().stats().connects, 1);
        a.end();
        finish(&nt, machine);
    }
}

/// The create tells the driver nothing of the second address: what it is told is the same with
/// and without. Only the connect asks.
///
/// contract: DBC-026, DBN-004, DBNR-001
#[test]
fn only_the_connect_asks_for_it() {
    for model in MODELS {
        let (nt, machine) = boot(&with_secondary(model, 4));
        let trace = machine.driver().dxgkrnl().driver().unwrap();
        let mut seen = Vec::new();
        for secondary in [false, true] {
            trace.trace().start();
            let mut a = if secondary {
                actor(&machine, 0)
            } else {
                Actor::new(&machine, 0)
            };
            a.work(3);
            let bell = a.doorbell();
            assert_eq!(bell.shows_secondary().is_some(), secondary);
            a.end();
            for step in trace.trace().stop() {
                if let Step::Called { ddi, args } = step {
                    match ddi {
                        "DxgkDdiCreateDoorbell" => {
                            let at = std::mem::offset_of!(DXGKARG_CREATEDOORBELL, Flags);
                            assert_eq!(args[at..at + 4], [0; 4], "the create flags");
                        }
                        "DxgkDdiConnectDoorbell" => seen.push(args[8]),
                        _ => {}
                    }
                }
            }
        }
        assert_eq!(seen, [0, 1], "RequireSecondaryAddress of each connect");
        finish(&nt, machine);
    }
}

/// Both addresses go to their dummy pages together, whoever takes the pages; stores to either
/// are harmless then, stores that come late too, and nothing that was published is lost.
///
/// contract: DBN-004, DBC-013
#[test]
fn both_are_lost_together() {
    for disconnect in [
        DisconnectMode::Plain,
        DisconnectMode::Nested,
        DisconnectMode::Concurrent,
    ] {
        let (nt, machine) = boot(&with_secondary(DoorbellModel::Dedicated, 1));
        machine.manager().set_options(Options {
            disconnect,
            ..Options::default()
        });
        let (mut a, mut b) = (actor(&machine, 0), Actor::new(&machine, 0));
        a.work(1);
        for round in 0..30 {
            let page = a.doorbell().shows().expect("connected");
            let second = a.doorbell().shows_secondary().expect("connected");
            a.publish(2);
            b.work(2);
            let bell = a.doorbell();
            assert_eq!((bell.shows(), bell.shows_secondary()), (None, None));
            assert_eq!(a.queue.status(), DoorbellStatus::DISCONNECTED_RETRY);
            a.publish(1);
            a.ring();
            a.ring_secondary();
            // Stores by the old owner that took their time.
            let memory = machine.gpu().doorbell_memory();
            memory.store_u64(page as u64, round).unwrap();
            memory.store_u64(second as u64, round).unwrap();
            b.work(1);
            a.connect();
            a.settle();
            a.publish(1);
            a.ring_secondary();
            a.settle();
            if round % 4 == 0 {
                let manager = machine.manager();
                manager.disconnect_doorbell(&a.doorbell(), RETRY).unwrap();
                let bell = a.doorbell();
                assert_eq!((bell.shows(), bell.shows_secondary()), (None, None));
                a.connect();
            }
        }
        assert_eq!(machine.gpu().stats().queue_faults, 0);
        a.end();
        b.end();
        finish(&nt, machine);
    }
}

/// A device without secondary pages: the create is refused; let through, the connect is, by name,
/// and the client's next queue does without.
///
/// contract: DBN-005
#[test]
fn a_device_without_secondary_pages_says_so() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let kmt = machine.process().unwrap();
        let device = kmt.create_device().unwrap();
        let wish = UserQueueConfig {
            secondary_doorbell: true,
            ..UserQueueConfig::default()
        };
        let refused = UserQueue::create(kmt.clone(), device, NodeOrdinal(0), wish);
        refused.expect_err("the capabilities do not offer it");
        machine.manager().set_options(Options {
            unchecked_secondary: true,
            ..Options::default()
        });
        let a = actor(&machine, 0);
        let bell = a.queue.doorbell().handle;
        let refused = a.kmt.connect_doorbell(bell).unwrap_err();
        assert_eq!(refused.status(), NtStatus::NOT_SUPPORTED);
        assert_eq!(a.queue.status(), DoorbellStatus::DISCONNECTED_RETRY);
        let mut b = a.sibling(0);
        b.work(5);
        a.kill();
        // SAFETY: nothing of the process is used any more.
        unsafe { kmt.end(carillon_bench::dxgk::objects::exit::Exit::Normal, PATIENCE) }.unwrap();
        finish(&nt, machine);
    }
}

/// Two threads take turns at each queue, each at an address of its own, while queues fight for
/// pages; every byte is compared.
///
/// contract: DBN-004
#[test]
fn threads_ring_at_addresses_of_their_own() {
    const QUEUES: u32 = 3;
    const ROUNDS: u32 = 120;
    for model in MODELS {
        let (nt, machine) = boot(&with_secondary(model, 2));
        std::thread::scope(|scope| {
            for number in 0..QUEUES {
                let machine = &machine;
                scope.spawn(move || {
                    let kmt = machine.process().unwrap();
                    let device = kmt.create_device().unwrap();
                    let wish = UserQueueConfig {
                        secondary_doorbell: true,
                        ..UserQueueConfig::default()
                    };
                    let node = NodeOrdinal(number % 2);
                    let queue = UserQueue::create(kmt.clone(), device, node, wish).unwrap();
                    let queue = Mutex::new(queue);
                    let target = system_memory(&*kmt, device, 4096).unwrap();
                    std::thread::scope(|scope| {
                        for (thread, at) in [(0, RingAt::Primary), (1, RingAt::Secondary)] {
                            let (queue, target) = (&queue, &target);
                            scope.spawn(move || {
                                for round in 0..ROUNDS {
                                    let slot = 2 * round + thread;
                                    let word = target.gpu.checked_add(u64::from(4 * slot));
                                    let mut queue = queue.lock().unwrap();
                                    assert!(queue.ring_at(at));
                                    queue
                                        .submit(|c| c.fill(word.unwrap(), 4, slot + 1))
                                        .unwrap();
                                }
                            });
                        }
                    });
                    let mut queue = queue.into_inner().unwrap();
                    let last = queue.queued();
                    queue.wait(last, Duration::from_secs(20)).unwrap();
                    for slot in 0..2 * ROUNDS {
                        let at = 4 * slot as usize;
                        assert_eq!(target.cpu.load_u32(at), Some(slot + 1));
                    }
                    queue.close().unwrap();
                    let exit = carillon_bench::dxgk::objects::exit::Exit::Normal;
                    // SAFETY: nothing of the process is used any more.
                    unsafe { kmt.end(exit, PATIENCE) }.unwrap();
                });
            }
        });
        finish(&nt, machine);
    }
}
