//! Queues that are told to notify the driver, and the escapes and registry values that say so, by
//! the linked driver.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_scene;
mod sys_support;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use carillon_bench::dxgk::adapter::resources::SOFTWARE_KEY;
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::nt::Nt;
use carillon_bench::workload::raw::system_memory;
use carillon_client::escape::request;
use carillon_client::kmt::{CreateHwQueue, DoorbellStatus, Escape, Kmt, NodeOrdinal};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::submit::Submit;
use carillon_hw::escape::{EscapeCounters, EscapeData, EscapeRequest};
use carillon_hw::queue::QueueId;
use carillon_hw::regs::DoorbellModel;
use sys_scene::{Actor, MODELS, PATIENCE, config, until};
use sys_support::{boot, boot_with, finish};
use zerocopy::IntoBytes;

const CONNECTED: DoorbellStatus = DoorbellStatus::CONNECTED;
const NOTIFY: DoorbellStatus = DoorbellStatus::CONNECTED_NOTIFY_KMD;

fn set_notify(actor: &Actor, notify: bool) {
    let queue = actor.id();
    request(&*actor.kmt, EscapeRequest::SetNotify { queue, notify }).unwrap();
}

fn counters(actor: &Actor) -> EscapeCounters {
    let queue = actor.id();
    let answer = request(&*actor.kmt, EscapeRequest::Counters { queue });
    answer.unwrap().counters
}

/// A connected queue is switched to notify and back: it is disconnected each time, its next connect
/// says what it was switched to, and its work runs with and without.
///
/// contract: VIC-003, DBN-006, DBC-029
#[test]
fn a_queue_is_switched_step_by_step() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let mut a = Actor::new(&machine, 0);
        a.work(1);
        assert_eq!(a.queue.status(), CONNECTED);
        for round in 0..10_u32 {
            let before = machine.manager().stats();
            let notify = round % 2 == 0;
            a.publish(5);
            a.ring();
            set_notify(&a, notify);
            assert_eq!(a.queue.status(), DoorbellStatus::DISCONNECTED_RETRY);
            a.publish(5);
            a.ring_through();
            let expected = if notify { NOTIFY } else { CONNECTED };
            assert_eq!(a.queue.status(), expected, "{model:?}, round {round}");
            a.settle();
            // The same once more changes nothing.
            set_notify(&a, notify);
            a.work(3);
            assert_eq!(a.queue.status(), expected);
            let after = machine.manager().stats();
            assert_eq!(after.notifies > before.notifies, notify);
            let changed = after.disconnect_callbacks - before.disconnect_callbacks;
            assert!((1..=2).contains(&changed), "{changed} callbacks");
        }
        a.end();
        finish(&nt, machine);
    }
}

/// Somebody switches a queue back and forth while it submits as fast as it can: nothing is lost,
/// the client sees both statuses and notifies when it has to.
///
/// contract: NTFR-001, NTFR-002
#[test]
fn a_live_queue_is_switched_back_and_forth() {
    const SUBMISSIONS: u32 = 4000;
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let kmt = machine.process().unwrap();
        let device = kmt.create_device().unwrap();
        let wish = UserQueueConfig {
            full_timeout: PATIENCE,
            ..UserQueueConfig::default()
        };
        let mut queue = UserQueue::create(kmt.clone(), device, NodeOrdinal(0), wish).unwrap();
        let trace = system_memory(&*kmt, device, u64::from(4 * SUBMISSIONS)).unwrap();
        let counter = system_memory(&*kmt, device, 4096).unwrap();
        let (id, stop) = (queue.id(), AtomicBool::new(false));
        let switches = AtomicU32::new(0);
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let notify = switches.load(Ordering::Relaxed).is_multiple_of(2);
                    let switch = EscapeRequest::SetNotify { queue: id, notify };
                    request(&*kmt, switch).unwrap();
                    switches.fetch_add(1, Ordering::Relaxed);
                    std::thread::yield_now();
                }
            });
            for done in 0..SUBMISSIONS {
                if done.is_multiple_of(100) {
                    let before = switches.load(Ordering::Relaxed);
                    until("a switch", || switches.load(Ordering::Relaxed) != before);
                }
                let word = trace.gpu.checked_add(u64::from(4 * done)).unwrap();
                let value = queue.submit(|c| {
                    c.copy(counter.gpu, word, 4)?;
                    c.fill(counter.gpu, 4, done + 1)
                });
                if let Err(error) = value {
                    // Switched more often than it was connected: it is queued all the same.
                    println!("submission {done}: {error}");
                    until("a ring that comes through", || queue.ring_again().is_ok());
                }
            }
            let last = queue.queued();
            queue.wait(last, PATIENCE).unwrap();
            stop.store(true, Ordering::Relaxed);
            thread.join().unwrap();
        });
        let switches = switches.into_inner();
        for done in 0..SUBMISSIONS {
            let found = trace.cpu.load_u32(4 * done as usize);
            assert_eq!(found, Some(done), "{model:?}");
        }
        let client = queue.counters();
        assert!(switches > 2 && client.retries > 0, "{switches}: {client:?}");
        assert!(client.notifies > 0, "never told to notify: {client:?}");
        let told = queue.doorbell_counters().unwrap();
        assert_eq!(u64::from(told.notifies), machine.manager().stats().notifies);
        assert!(told.changed > 0 && told.changed <= switches, "{told:?}");
        queue.close().unwrap();
        // SAFETY: nothing of the process is used any more.
        unsafe { kmt.end(Exit::Normal, PATIENCE) }.unwrap();
        finish(&nt, machine);
    }
}

/// What the counters tell is what happened.
///
/// contract: NTF-001
#[test]
fn counters_tell_what_happened() {
    for model in MODELS {
        // One page for both, where there are victims; where there are none, one for each process.
        let pages = match model {
            DoorbellModel::Dedicated => 1,
            DoorbellModel::Global => 4,
        };
        let (nt, machine) = boot(&config(model, pages));
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        assert_eq!(counters(&a), EscapeCounters::default());
        a.work(1);
        let told = counters(&a);
        assert_eq!((told.connects, told.victimized, told.changed), (1, 0, 0));
        assert!(told.useful_looks >= 1);
        let manager = machine.manager();
        let retry = carillon_bench::dxgk::objects::doorbell::RETRY;
        manager.disconnect_doorbell(&a.doorbell(), retry).unwrap();
        a.work(1);
        let told = counters(&a);
        assert_eq!((told.connects, told.disconnects), (2, 1));
        b.work(1);
        a.work(1);
        let victims = u32::from(model == DoorbellModel::Dedicated);
        let told = counters(&a);
        assert_eq!((told.victimized, told.connects), (victims, 2 + victims));
        set_notify(&a, true);
        a.work(1);
        let told = counters(&a);
        assert_eq!((told.changed, told.notifies), (1, 1));
        assert_eq!(told.connects, 3 + victims);
        // Each of the five submissions was found by at least one look.
        assert!(told.useful_looks >= 4, "{told:?}");
        // Another queue has counters of its own.
        assert_eq!(counters(&b).changed, 0);
        a.end();
        b.end();
        finish(&nt, machine);
    }
}

fn send(actor: &Actor, bytes: &mut [u8]) -> bool {
    let escape = Escape {
        device: None,
        context: None,
        private_data: bytes,
    };
    actor.kmt.escape(escape).is_ok()
}

/// Buffers that are no request, queues of somebody else, queues that do not exist or have no
/// doorbell: refused, and nothing happens to anybody.
///
/// contract: SECR-006
#[test]
fn what_is_no_request_of_ones_own_is_refused() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 0));
        a.work(2);
        b.work(2);
        let kernel = a.kmt.create_hw_queue(&CreateHwQueue {
            context: a.queue.context(),
            user_mode_submission: false,
            private_data: &[],
        });
        let kernel = kernel.unwrap();
        let callbacks = machine.manager().stats().disconnect_callbacks;
        let set = |queue| EscapeRequest::SetNotify {
            queue,
            notify: true,
        };
        for queue in [b.id(), QueueId(u32::MAX), QueueId(a.id().0 + 1000)] {
            let mut data = EscapeData::new(set(queue));
            assert!(!send(&a, data.as_mut_bytes()), "{queue:?}");
            let mut data = EscapeData::new(EscapeRequest::Counters { queue });
            let before = data;
            assert!(!send(&a, data.as_mut_bytes()), "{queue:?}");
            assert_eq!(data, before, "written on failure");
        }
        // Every other queue of the machine, those of the OS and the kernel-fed one included.
        for number in 0..64 {
            let queue = QueueId(number);
            if queue != a.id() {
                let mut data = EscapeData::new(set(queue));
                assert!(!send(&a, data.as_mut_bytes()), "{queue:?}");
            }
        }
        let good = EscapeData::new(set(a.id()));
        for bytes in [0, 1, 39, 41, 4096, 65536] {
            let mut long = good.as_bytes().to_vec();
            long.resize(bytes, 0);
            assert!(!send(&a, &mut long), "{bytes} bytes");
        }
        // Version, code, value, reserved; the queue is a's own.
        for (at, value) in [
            (0, 0),
            (0, 2),
            (2, 0),
            (2, 3),
            (2, 0xFF),
            (8, 2),
            (8, 0xFF),
            (12, 1),
        ] {
            let mut wrong = good;
            wrong.as_mut_bytes()[at] = value;
            assert!(!send(&a, wrong.as_mut_bytes()), "byte {at} is {value}");
        }
        a.work(5);
        b.work(5);
        assert_eq!(machine.manager().stats().disconnect_callbacks, callbacks);
        assert_eq!((a.queue.status(), b.queue.status()), (CONNECTED, CONNECTED));
        // SAFETY: its progress fence is not used.
        unsafe { a.kmt.destroy_hw_queue(kernel.handle) }.unwrap();
        a.end();
        b.end();
        finish(&nt, machine);
    }
}

/// The wish to be notified from the create on, in the registry: the first connect says so, and an
/// escape can end it. 0 and a value that is no number are no wish.
///
/// contract: DBC-029
#[test]
fn the_registry_wishes_for_notifications() {
    type Set = fn(&Nt);
    const NAME: &str = "NotifyWorkSubmission";
    let wishes: [(Set, DoorbellStatus); 4] = [
        (|nt| nt.keys.set_dword(SOFTWARE_KEY, NAME, 1), NOTIFY),
        (|nt| nt.keys.set_dword(SOFTWARE_KEY, NAME, 0), CONNECTED),
        (|nt| nt.keys.set_string(SOFTWARE_KEY, NAME, "1"), CONNECTED),
        (|nt| nt.keys.set(SOFTWARE_KEY, NAME, 4, &[1]), CONNECTED),
    ];
    for model in MODELS {
        for (set, expected) in wishes {
            let (nt, machine) = boot_with(&config(model, 4), set);
            let (mut a, mut b) = (Actor::new(&machine, 0), Actor::new(&machine, 1));
            for actor in [&mut a, &mut b] {
                actor.connect();
                assert_eq!(actor.queue.status(), expected);
                actor.work(10);
            }
            let notified = machine.manager().stats().notifies;
            assert_eq!(notified != 0, expected == NOTIFY);
            set_notify(&a, false);
            a.work(1);
            assert_eq!(a.queue.status(), CONNECTED);
            assert_eq!(b.queue.status(), expected);
            a.end();
            b.end();
            finish(&nt, machine);
        }
    }
}
