//! More busy queues than doorbells: victims, reconnects, and everybody's progress.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_queues;
mod sys_support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use carillon_bench::dxgk::objects::doorbell::RETRY;
use carillon_bench::dxgk::objects::{DisconnectMode, ObjectStats, Options};
use carillon_bench::dxgk::trace::Step;
use carillon_bench::workload::client::Random;
use carillon_bench::workload::machine::Machine;
use carillon_client::kmt::{DoorbellStatus, Kmt};
use carillon_hw::regs::DoorbellModel;

use sys_queues::{Client, MODELS, Queue, config};
use sys_support::{boot, finish};

/// How long a queue may need until it counts as starved.
const STARVED: Duration = Duration::from_mins(1);
const CONNECTED: DoorbellStatus = DoorbellStatus::CONNECTED;

/// The victim callback names the doorbell by the handles that the OS gave at creation, and says
/// that the client may come back.
///
/// contract: VIC-007, VIC-011
#[test]
fn a_victim_is_named_by_the_os_handles_and_may_retry() {
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 1));
    let (one, two) = (Client::new(&machine), Client::new(&machine));
    let (mut first, mut second) = (one.queue(0), two.queue(1));
    first.submit(1);
    first.check();
    let trace = machine.adapter().driver().trace();
    trace.start();
    second.submit(2);
    second.check();
    let callbacks: Vec<Step> = trace
        .stop()
        .into_iter()
        .filter(|step| matches!(step, Step::DisconnectCallback { .. }))
        .collect();
    let victim = first.doorbell();
    let queue = {
        let kmt = &one.kmt;
        let handle = first.raw.queue().handle.0;
        kmt.manager().queue(kmt.process(), handle).unwrap()
    };
    let expected = Step::DisconnectCallback {
        queue: queue.os_handle(),
        doorbell: victim.os_handle(),
        reason: RETRY,
    };
    assert_eq!(callbacks, [expected]);
    assert_eq!(first.raw.status(), DoorbellStatus::DISCONNECTED_RETRY);
    assert_eq!(machine.manager().stats().disconnect_refused, 0);
    assert_eq!(first.submit(3), 1, "one connect brings the victim back");
    first.check();
    drop((victim, queue));
    one.end();
    two.end();
    finish(&nt, machine);
}

/// What a client has published before it loses its page runs, rung or not.
///
/// contract: VIC-013
/// regression: DB-18
#[test]
fn published_work_of_a_victim_runs_without_its_ring() {
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 1));
    let (one, two) = (Client::new(&machine), Client::new(&machine));
    let (mut first, mut second) = (one.queue(0), two.queue(0));
    for round in 0..50 {
        first.submit(2 * round + 1);
        first.check();
        first.publish(2 * round + 2);
        // The page goes to the second queue; the ring of the first one has not been stored.
        second.submit(round + 1);
        assert_eq!(first.raw.status(), DoorbellStatus::DISCONNECTED_RETRY);
        first.check();
        second.check();
        // The ring that comes late lands in the dummy page and wakes nobody.
        first.ring_once();
    }
    assert_eq!(machine.manager().stats().disconnect_callbacks, 99);
    one.end();
    two.end();
    finish(&nt, machine);
}

/// A ring that lands in the dummy page while the status still says connected is made up for, when
/// the OS disconnects on its own account.
///
/// regression: DB-18
#[test]
fn a_ring_into_the_dummy_page_is_made_up_for() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let client = Client::new(&machine);
        let mut queue = client.queue(0);
        for round in 1..=50 {
            queue.submit(2 * round);
            queue.check();
            machine
                .manager()
                .disconnect_doorbell(&queue.doorbell(), RETRY)
                .unwrap();
            // As by a client that read the status word a moment ago.
            queue.publish(2 * round + 1);
            queue.ring_once();
            queue.check();
        }
        client.end();
        finish(&nt, machine);
    }
}

/// Taking one doorbell away leaves the others as they were: connected, and effective without any
/// kernel entry.
///
/// contract: DBD-002
#[test]
fn disconnecting_one_doorbell_leaves_the_others_alone() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let client = Client::new(&machine);
        let mut queues: Vec<Queue> = (0..4).map(|node| client.queue(node)).collect();
        for queue in &mut queues {
            queue.submit(1);
        }
        for lost in 0..4 {
            let manager = machine.manager();
            let doorbell = queues[lost].doorbell();
            manager.disconnect_doorbell(&doorbell, RETRY).unwrap();
            let entries = manager.stats().kernel_entries;
            for (index, queue) in queues.iter_mut().enumerate() {
                if index != lost {
                    assert_eq!(queue.raw.status(), CONNECTED);
                    assert_eq!(queue.submit(2), 0);
                    queue.check();
                }
            }
            assert_eq!(manager.stats().kernel_entries, entries);
            assert_eq!(queues[lost].submit(3), 1);
            queues[lost].check();
        }
        client.end();
        finish(&nt, machine);
    }
}

/// Submits from one thread for each queue until all of them have done `least`; everything runs once
/// and in order. A queue that starves keeps all others busy, and the test with them.
fn everybody_works(machine: &Machine, queues: u32, pages: u32, least: u32) -> ObjectStats {
    let processes: Vec<Client> = (0..queues.div_ceil(4))
        .map(|_| Client::new(machine))
        .collect();
    let made: Vec<Queue> = (0..queues)
        .map(|number| processes[number as usize % processes.len()].queue(number))
        .collect();
    let there = AtomicU32::new(0);
    let done: Vec<u32> = thread::scope(|scope| {
        let threads: Vec<_> = made
            .into_iter()
            .map(|mut queue| {
                let there = &there;
                scope.spawn(move || {
                    let mut round = 0;
                    let started = Instant::now();
                    while there.load(Ordering::SeqCst) < queues {
                        round += 1;
                        queue.submit(round);
                        if round % 4 == 0 {
                            queue.wait();
                        }
                        if round == least {
                            there.fetch_add(1, Ordering::SeqCst);
                        }
                        assert!(
                            started.elapsed() < STARVED,
                            "{round} of {least} in {STARVED:?}"
                        );
                    }
                    queue.check();
                    round
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let stats = machine.manager().stats();
    let (slowest, fastest) = (done.iter().min(), done.iter().max());
    println!("{queues} queues, {pages} pages: {slowest:?} to {fastest:?} each, {stats:?}");
    for process in processes {
        process.end();
    }
    stats
}

/// One page and two busy queues, twice and eight times as many queues as pages: everybody gets
/// everything done.
///
/// contract: VIC-015, VIC-013
/// regression: DB-21
#[test]
fn oversubscribed_queues_all_make_progress() {
    for (queues, pages, least) in [(2, 1, 300), (8, 4, 200), (32, 4, 60)] {
        let (nt, machine) = boot(&config(DoorbellModel::Dedicated, pages));
        let stats = everybody_works(&machine, queues, pages, least);
        // At the very least the queues that found no page free had to take one.
        assert!(stats.disconnect_callbacks >= u64::from(queues - pages));
        assert!(stats.connects >= stats.disconnect_callbacks);
        finish(&nt, machine);
    }
}

/// The same load where a page serves a process: nobody is a victim.
///
/// regression: DB-21
#[test]
fn queues_that_share_pages_have_no_victims() {
    let (nt, machine) = boot(&config(DoorbellModel::Global, 8));
    let stats = everybody_works(&machine, 32, 8, 60);
    assert_eq!(stats.disconnect_callbacks, 0);
    assert_eq!(stats.connects, 32, "one each");
    finish(&nt, machine);
}

/// Two queues of random timing fight for one page: no ring of the one is taken for a ring of the
/// other, and none that is left on the page is.
///
/// regression: DB-02
#[test]
fn a_recycled_page_carries_nothing_over() {
    let seed = 0xD02;
    println!("seed {seed:#x}");
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 1));
    let clients = [Client::new(&machine), Client::new(&machine)];
    thread::scope(|scope| {
        for (number, client) in (0_u32..).zip(&clients) {
            let mut queue = client.queue(number);
            let mut random = Random::new(seed + u64::from(number));
            scope.spawn(move || {
                for round in 1..=400 {
                    match random.below(4) {
                        // Published, rung once, perhaps into the dummy page: the next
                        // submission makes up for it.
                        0 => {
                            queue.publish(round);
                            queue.ring_once();
                        }
                        // Rings with no work behind them, of any value.
                        1 => {
                            queue.raw.ring(random.next());
                            queue.submit(round);
                        }
                        2 => {
                            queue.submit(round);
                            queue.wait();
                        }
                        _ => {
                            queue.connect();
                            queue.submit(round);
                        }
                    }
                }
                queue.ring();
                queue.check();
            });
        }
    });
    let fetched = machine.gpu().stats().entries_finished;
    assert!(fetched >= 800, "{fetched}");
    assert_eq!(machine.gpu().stats().queue_faults, 0);
    for client in clients {
        client.end();
    }
    finish(&nt, machine);
}

/// The last queue goes while another one comes: nobody's ring is overlooked.
///
/// regression: DB-04
#[test]
fn a_queue_that_comes_while_the_last_one_goes_is_seen() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 1));
        let client = Client::new(&machine);
        let mut last = client.queue(0);
        last.submit(1);
        for round in 1..=40 {
            last.check();
            let going = last;
            last = thread::scope(|scope| {
                let client = client.clone();
                let coming = scope.spawn(move || {
                    let mut queue = client.queue(round);
                    queue.connect();
                    // Connected before there is work: only the ring can tell.
                    assert_eq!(queue.submit(round), 0);
                    queue
                });
                going.destroy();
                coming.join().unwrap()
            });
        }
        last.check();
        client.end();
        finish(&nt, machine);
    }
}

/// Three queues after each other, each with its work.
fn restless(client: &Client, number: u32, start: &Barrier) {
    for _ in 0..3 {
        let mut queue = client.queue(number);
        start.wait();
        for round in 1..=80 {
            queue.submit(round);
            if round % 2 == 0 {
                queue.wait();
            }
        }
        queue.check();
        queue.destroy();
    }
}

/// Victims are taken while the OS disconnects and destroys the same doorbells: before the callback
/// goes on, on its thread; beside it, on another; and at random moments.
///
/// regression: DB-16
#[test]
fn victims_may_be_disconnected_and_destroyed_meanwhile() {
    const QUEUES: u32 = 6;
    for disconnect in [
        DisconnectMode::Plain,
        DisconnectMode::Nested,
        DisconnectMode::Concurrent,
    ] {
        let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 2));
        let options = Options {
            disconnect,
            ..Options::default()
        };
        machine.manager().set_options(options);
        let clients: Vec<Client> = (0..3).map(|_| Client::new(&machine)).collect();
        let (done, start) = (AtomicU32::new(0), Barrier::new(QUEUES as usize));
        thread::scope(|scope| {
            for number in 0..QUEUES {
                let (client, done, start) = (&clients[number as usize / 2], &done, &start);
                scope.spawn(move || {
                    restless(client, number, start);
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
            while done.load(Ordering::SeqCst) < QUEUES {
                machine.manager().disconnect_all(RETRY).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        assert!(machine.manager().stats().disconnect_callbacks > 0);
        println!("{disconnect:?}: {:?}", machine.manager().stats());
        for client in clients {
            client.end();
        }
        finish(&nt, machine);
    }
}

/// The thunk of a doorbell that is gone says so, and nothing else happens.
///
/// regression: DB-16
#[test]
fn a_destroyed_doorbell_cannot_be_connected() {
    let (nt, machine) = boot(&config(DoorbellModel::Dedicated, 1));
    let client = Client::new(&machine);
    let queue = client.queue(0);
    queue.connect();
    let handle = queue.raw.doorbell().handle;
    queue.destroy();
    assert!(client.kmt.connect_doorbell(handle).is_err());
    client.end();
    finish(&nt, machine);
}
