//! The threads of one episode.

use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use carillon_client::kmt::{DoorbellStatus, Kmt, NodeOrdinal};
use carillon_hw::doorbell::{DoorbellReply, GlobalDoorbellValue};
use carillon_hw::packet::Packet;
use carillon_hw::regs::DoorbellModel;
use carillon_hw::ring::{EntryMeta, RingEntry};

use super::{Plan, Shared, count};
use crate::dxgk::kmt::KmtProcess;
use crate::dxgk::objects::doorbell::RETRY;
use crate::dxgk::objects::exit::Exit;
use crate::workload::client::{Client, Random};
use crate::workload::machine::{Failure, Machine};
use crate::workload::raw::{RawQueue, system_memory};

/// Nodes that user-mode queues may be created on: 3D and compute.
const USER_NODES: u64 = 2;
/// How long a process may take to end.
const EXIT_PATIENCE: Duration = Duration::from_secs(30);
/// Most submissions between two comparisons of a client's memory.
const COMPARE: u64 = 24;
/// Most submissions of a client before it makes itself a new queue.
const LIFE: u64 = 200;

/// A process of well-behaved clients.
struct Subject {
    process: Arc<KmtProcess>,
    /// Held while contexts are suspended, and while objects are destroyed: the OS does not
    /// suspend what it destroys.
    life: Mutex<()>,
}

fn random_node(random: &mut Random) -> NodeOrdinal {
    NodeOrdinal(u32::try_from(random.below(USER_NODES)).unwrap_or(0))
}

/// Runs all threads until the time is over, then ends the processes.
pub(super) fn run(machine: &Machine, plan: &Plan, shared: &Shared<'_>) -> Result<(), Failure> {
    let subjects = (0..plan.processes)
        .map(|_| {
            Ok(Subject {
                process: machine.process()?,
                life: Mutex::new(()),
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let mut random = Random::new(plan.seed);
    thread::scope(|scope| {
        for subject in &subjects {
            for _ in 0..plan.clients {
                let random = Random::new(random.next());
                scope.spawn(move || shared.check("client", clients(subject, random, shared)));
            }
        }
        let seeds = [(); 3].map(|()| Random::new(random.next()));
        let [os, exits, foes] = seeds;
        let subjects = &subjects;
        scope.spawn(move || shared.check("OS", disturb(machine, subjects, os, shared)));
        scope.spawn(move || shared.check("exit", leave(machine, exits, shared)));
        scope.spawn(move || shared.check("hostile client", attack(machine, foes, shared)));
        let started = Instant::now();
        while started.elapsed() < plan.load && !shared.stopped() {
            thread::sleep(Duration::from_millis(10));
        }
        shared.stop.store(true, Ordering::Relaxed);
    });
    let mut first = Ok(());
    for subject in subjects {
        // SAFETY: the clients of the process are gone and have given their words up.
        let ended = unsafe { subject.process.end(Exit::Normal, EXIT_PATIENCE) };
        first = first.and(ended.map(drop).map_err(Failure::from));
    }
    first
}

/// One client after the other, each with a queue of its own.
fn clients(subject: &Subject, mut random: Random, shared: &Shared<'_>) -> Result<(), Failure> {
    let counters = shared.counters;
    while !shared.stopped() {
        let kmt: Arc<dyn Kmt> = subject.process.clone();
        let mut client = Client::create(kmt, random_node(&mut random), random.next())?;
        for _ in 0..=random.below(LIFE) {
            for _ in 0..=random.below(COMPARE) {
                client.submit()?;
                count(&counters.submissions, 1);
            }
            client.compare()?;
            if shared.stopped() {
                break;
            }
        }
        let before = client.tally().queue.submissions;
        let alive = subject.life.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = client.finish()?;
        drop(alive);
        count(&counters.queues, 1);
        // The last one fetches the memory that the CPU does not see.
        count(&counters.submissions, tally.queue.submissions - before);
        count(&counters.completions, tally.completions);
        count(&counters.bytes_compared, tally.bytes_compared);
        count(&counters.bytes_wrong, tally.bytes_wrong);
        count(&counters.fences_wrong, tally.fences_wrong);
    }
    Ok(())
}

/// What the OS does on its own account.
fn disturb(
    machine: &Machine,
    subjects: &[Subject],
    mut random: Random,
    shared: &Shared<'_>,
) -> Result<(), Failure> {
    let manager = machine.manager();
    let counters = shared.counters;
    while !shared.stopped() {
        let index = usize::try_from(random.below(subjects.len() as u64))?;
        let subject = &subjects[index];
        match random.below(4) {
            0 => {
                for doorbell in manager.doorbells(subject.process.process()) {
                    // Fails if its client destroys it at this moment.
                    if random.below(2) == 0 && manager.disconnect_doorbell(&doorbell, RETRY).is_ok()
                    {
                        count(&counters.disconnects, 1);
                    }
                }
            }
            1 => suspend(machine, subject, &mut random, shared)?,
            2 => {
                machine.gpu().spurious_interrupt();
                count(&counters.spurious_interrupts, 1);
            }
            _ => thread::sleep(Duration::from_micros(random.below(2000))),
        }
        // Reports of faulted queues, which hostile clients make plenty of.
        drop(manager.completions().take_others());
    }
    Ok(())
}

fn suspend(
    machine: &Machine,
    subject: &Subject,
    random: &mut Random,
    shared: &Shared<'_>,
) -> Result<(), Failure> {
    let manager = machine.manager();
    let _alive = subject.life.lock().unwrap_or_else(PoisonError::into_inner);
    let mut contexts = manager.contexts(subject.process.process());
    contexts.retain(|_| random.below(2) == 0);
    for context in &contexts {
        manager.suspend_context(context)?;
        count(&shared.counters.suspends, 1);
    }
    thread::sleep(Duration::from_micros(random.below(500)));
    for context in &contexts {
        manager.resume_context(context)?;
    }
    Ok(())
}

/// Processes that end with work in flight, well or badly.
fn leave(machine: &Machine, mut random: Random, shared: &Shared<'_>) -> Result<(), Failure> {
    let counters = shared.counters;
    while !shared.stopped() {
        let process = machine.process()?;
        let kmt: Arc<dyn Kmt> = process.clone();
        let device = kmt.create_device()?;
        let memory = system_memory(&*kmt, device, 4096)?;
        let mut watched = Vec::new();
        for _ in 0..=random.below(3) {
            let mut queue = RawQueue::create(&kmt, device, random_node(&mut random))?;
            let fill = Packet::Fill {
                destination: memory.gpu,
                bytes: 4096,
                pattern: 0xCA11_0000,
            };
            let entries = 1 + random.below(100);
            for value in 1..=entries {
                queue.stage(&[fill, queue.signal(value)])?;
            }
            queue.doorbell().last_queued.store_release(entries);
            queue.publish()?;
            see_through(&*kmt, &queue, random.below(2) == 0)?;
            let handle = queue.queue().handle.0;
            let manager = machine.manager();
            watched.push((manager.queue(process.process(), handle)?, entries));
        }
        let (exit, counter) = if random.below(2) == 0 {
            (Exit::Normal, &counters.normal_exits)
        } else {
            (Exit::Abnormal, &counters.abnormal_exits)
        };
        // SAFETY: the queues above are gone, and no word of theirs is used below.
        let way = unsafe { process.end(exit, EXIT_PATIENCE) }?;
        if way != exit {
            let left = watched.iter().map(|(queue, entries)| {
                let current = queue.fence().current();
                format!("{current} of {entries}")
            });
            let left: Vec<_> = left.collect();
            let what = "work that was visible did not run before the process ended";
            return Err(format!("{what}: {}", left.join(", ")).into());
        }
        count(counter, 1);
        for (queue, entries) in watched {
            let reached = queue.fence().current();
            let right = match exit {
                Exit::Normal => reached == entries,
                Exit::Abnormal => reached <= entries,
            };
            count(&counters.fences_wrong, u64::from(!right));
        }
    }
    Ok(())
}

/// Does what a client does until its work counts as submitted. The ring itself is only a hint: what
/// was visible before the doorbell was seen to be connected runs without it.
fn see_through(kmt: &dyn Kmt, queue: &RawQueue, rings: bool) -> Result<(), Failure> {
    let doorbell = queue.doorbell().handle;
    let value = match DoorbellReply::parse(&queue.doorbell().private_data) {
        Some((DoorbellModel::Global, id)) => GlobalDoorbellValue::for_queue(id).into_bits(),
        _ => queue.write_pointer(),
    };
    loop {
        if rings {
            queue.ring(value);
        }
        fence(Ordering::SeqCst);
        match queue.status() {
            DoorbellStatus::CONNECTED => return Ok(()),
            DoorbellStatus::DISCONNECTED_RETRY => kmt.connect_doorbell(doorbell)?,
            DoorbellStatus::CONNECTED_NOTIFY_KMD => {
                kmt.notify_work_submission(doorbell)?;
                return Ok(());
            }
            lost => return Err(format!("a doorbell was lost: {lost:?}").into()),
        }
    }
}

/// Clients that store what they like where they may.
fn attack(machine: &Machine, mut random: Random, shared: &Shared<'_>) -> Result<(), Failure> {
    let counters = shared.counters;
    while !shared.stopped() {
        let process = machine.process()?;
        let kmt: Arc<dyn Kmt> = process.clone();
        let device = kmt.create_device()?;
        let mut queue = RawQueue::create(&kmt, device, random_node(&mut random))?;
        count(&counters.hostile_queues, 1);
        let actions = 1 + random.below(100);
        for _ in 0..actions {
            hostile_action(&*kmt, &mut queue, &mut random)?;
        }
        count(&counters.hostile_stores, actions);
        queue.doorbell().last_queued.store_release(random.next());
        // SAFETY: the queue above is gone, and no word of it is used below.
        unsafe { process.end(Exit::Abnormal, EXIT_PATIENCE) }?;
        count(&counters.abnormal_exits, 1);
    }
    Ok(())
}

/// A number that is near something, or anything.
fn odd(random: &mut Random, near: u64) -> u64 {
    match random.below(4) {
        0 => near.wrapping_add(random.below(5)).wrapping_sub(2),
        1 => near.wrapping_add(128).wrapping_add(random.below(3)),
        2 => random.below(1 << 20),
        _ => random.next(),
    }
}

fn hostile_action(kmt: &dyn Kmt, queue: &mut RawQueue, random: &mut Random) -> Result<(), Failure> {
    let write = queue.write_pointer();
    match random.below(7) {
        0 => queue.ring(odd(random, write)),
        1 => queue.publish_as(odd(random, write))?,
        2 => queue.stage_entry(&RingEntry {
            buffer: random.next(),
            meta: EntryMeta::from_bits(random.next()),
            cookie: random.below(2),
            reserved: random.below(2),
        })?,
        3 => queue.stage(&[queue.signal(odd(random, write))])?,
        4 => queue.publish()?,
        // Both succeed for every client that holds the doorbell.
        5 => kmt.connect_doorbell(queue.doorbell().handle)?,
        _ => kmt.notify_work_submission(queue.doorbell().handle)?,
    }
    Ok(())
}
