//! Many busy queues on few pages: does each get on, and how much is lost?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::nt::Nt;
use carillon_bench::workload::machine::{Failure, Machine, MachineConfig};
use carillon_bench::workload::raw::system_memory;
use carillon_client::kmt::{Kmt, NodeOrdinal};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::submit::Submit;

/// Queues that all want to run.
pub(crate) const QUEUES: u32 = 32;
const PROCESSES: u32 = 4;
const NODES: u32 = 2;
const FILL_BYTES: u64 = 4096;
const PATIENCE: Duration = Duration::from_mins(1);

/// What the queues reached.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Submissions that completed in a second, all queues.
    pub(crate) per_second: f64,
    /// Progress of the slowest queue over the mean.
    pub(crate) min_over_mean: f64,
    /// Victimizations.
    pub(crate) victims: u64,
}

fn client(
    kmt: Arc<dyn Kmt>,
    node: NodeOrdinal,
    (start, stop): (&AtomicBool, &AtomicBool),
) -> Result<u64, Failure> {
    let device = kmt.create_device()?;
    let target = system_memory(&*kmt, device, FILL_BYTES)?.gpu;
    let config = UserQueueConfig {
        full_timeout: PATIENCE,
        drain_timeout: PATIENCE,
        connect_attempts: u32::MAX,
        ..UserQueueConfig::default()
    };
    let mut queue = UserQueue::create(kmt, device, node, config)?;
    let first = queue.submit(|commands| commands.fill(target, FILL_BYTES, 0))?;
    queue.wait(first, PATIENCE)?;
    while !start.load(Ordering::Acquire) {
        thread::yield_now();
    }
    let before = queue.completed().0;
    let mut pattern = 0_u32;
    while !stop.load(Ordering::Acquire) {
        queue.submit(|commands| commands.fill(target, FILL_BYTES, pattern))?;
        pattern = pattern.wrapping_add(1);
    }
    let done = queue.completed().0 - before;
    queue.close()?;
    Ok(done)
}

/// Lets the queues run for `time` on a device with `pages` pages.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(crate) fn run(
    nt: &Arc<Nt>,
    sys: &std::path::Path,
    pages: u32,
    time: Duration,
) -> Result<Progress, Failure> {
    let mut config = MachineConfig::default();
    config.gpu.doorbells = pages;
    let machine = Machine::boot(nt, sys, &config)?;
    let processes = (0..PROCESSES)
        .map(|_| machine.process())
        .collect::<Result<Vec<_>, _>>()?;
    let (start, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    let (done, seconds) = thread::scope(|scope| {
        let clients: Vec<_> = (0..QUEUES)
            .map(|queue| {
                let kmt: Arc<dyn Kmt> = processes[(queue % PROCESSES) as usize].clone();
                let (start, stop) = (&start, &stop);
                scope.spawn(move || client(kmt, NodeOrdinal(queue % NODES), (start, stop)))
            })
            .collect();
        // Everybody has been connected once by now, or is about to be.
        thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        start.store(true, Ordering::Release);
        thread::sleep(time);
        stop.store(true, Ordering::Release);
        let seconds = began.elapsed().as_secs_f64();
        let done: Vec<Result<u64, Failure>> = clients
            .into_iter()
            .map(|client| client.join().map_err(|_| "a client panicked")?)
            .collect();
        (done, seconds)
    });
    let done = done.into_iter().collect::<Result<Vec<u64>, _>>()?;
    let victims = machine.manager().stats().disconnect_callbacks;
    for process in processes {
        // SAFETY: the clients have closed their queues and use no word of the process any more.
        unsafe { process.end(Exit::Normal, PATIENCE) }?;
    }
    machine.shut_down()?;
    let total: u64 = done.iter().sum();
    let mean = total as f64 / f64::from(QUEUES);
    let slowest = done.iter().min().copied().unwrap_or(0);
    Ok(Progress {
        per_second: total as f64 / seconds,
        min_over_mean: slowest as f64 / mean.max(1.0),
        victims,
    })
}
