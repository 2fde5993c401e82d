//! From the store to the doorbell to the fetch of the entry, beside a ping of the same two threads.
//!
//! One sample of each in turn: what disturbs the machine disturbs both. The ping is answered by the
//! device thread itself, between two looks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use carillon_bench::workload::machine::{Failure, Machine};
use carillon_bench::workload::raw::RawQueue;
use carillon_client::kmt::{DoorbellStatus, Kmt, NodeOrdinal};
use carillon_vgpu::Gpu;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

static AVAILABLE: OnceLock<CpuSet> = OnceLock::new();
const PATIENCE: Duration = Duration::from_secs(10);
/// Each sample starts with the other thread at rest in its loop.
const PAUSE: Duration = Duration::from_micros(20);

/// Medians in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Latency {
    /// Doorbell pages that the device watches.
    pub(crate) watched_pages: usize,
    /// From the store to the doorbell to the fetched entry.
    pub(crate) ring_to_fetch_ns: u64,
    /// From a store of one thread to its load by the other.
    pub(crate) ping_ns: u64,
    /// Median of the ratios of the paired samples.
    pub(crate) ratio: f64,
}

fn median<T: PartialOrd + Copy + Default>(mut samples: Vec<T>) -> T {
    samples.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}

fn rest() {
    let start = Instant::now();
    while start.elapsed() < PAUSE {
        std::hint::spin_loop();
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) -> Result<(), Failure> {
    let start = Instant::now();
    while !done() {
        if start.elapsed() > PATIENCE {
            return Err(format!("{what} did not happen in {PATIENCE:?}").into());
        }
        std::hint::spin_loop();
    }
    Ok(())
}

/// Connected queues on a machine that has a page for each.
pub(crate) struct Bells {
    kmt: Arc<dyn Kmt>,
    device: carillon_client::kmt::DeviceHandle,
    queues: Vec<(RawQueue, u64)>,
}

/// Puts this thread and the device's on a processor each, if there are two: otherwise the
/// scheduler may let them take turns on one. [`join`] undoes this thread's half.
pub(crate) fn separate(gpu: &Gpu) -> Result<(), Failure> {
    let available = sched_getaffinity(None)?;
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|cpu| available.is_set(*cpu));
    let (Some(own), Some(device)) = (cpus.next(), cpus.next()) else {
        return Ok(());
    };
    let only = |cpu| {
        let mut set = CpuSet::new();
        set.set(cpu);
        set
    };
    AVAILABLE.get_or_init(|| available);
    sched_setaffinity(None, &only(own))?;
    let device = only(device);
    // A device that cannot be pinned is measured where it runs.
    gpu.run_on_device_thread(move || sched_setaffinity(None, &device).unwrap_or_default());
    Ok(())
}

/// Lets this thread, and threads that it starts, run anywhere again.
pub(crate) fn join() -> Result<(), Failure> {
    if let Some(available) = AVAILABLE.get() {
        sched_setaffinity(None, available)?;
    }
    Ok(())
}

impl Bells {
    pub(crate) fn new(machine: &Machine) -> Result<Self, Failure> {
        let kmt: Arc<dyn Kmt> = machine.process()?;
        let device = kmt.create_device()?;
        Ok(Self {
            kmt,
            device,
            queues: Vec::new(),
        })
    }

    /// Connects queues until there are `count`.
    pub(crate) fn grow(&mut self, count: usize) -> Result<(), Failure> {
        while self.queues.len() < count {
            let queue = RawQueue::create(&self.kmt, self.device, NodeOrdinal(0))?;
            self.kmt.connect_doorbell(queue.doorbell().handle)?;
            if queue.status() != DoorbellStatus::CONNECTED {
                return Err(format!("a queue is {:?}, not connected", queue.status()).into());
            }
            self.queues.push((queue, 0));
        }
        Ok(())
    }

    /// Measures rings of the queue connected last, and as many pings.
    pub(crate) fn measure(&mut self, gpu: &Gpu, samples: usize) -> Result<Latency, Failure> {
        let watched_pages = self.queues.len();
        let (queue, submitted) = self.queues.last_mut().ok_or("no queue")?;
        let log = gpu.record_fetch_times(samples + 16);
        let (mut rings, mut pings) = (Vec::new(), Vec::new());
        let mut ratios = Vec::new();
        for _ in 0..samples {
            *submitted += 1;
            let signal = queue.signal(*submitted);
            queue.stage(&[signal])?;
            rest();
            queue.publish()?;
            // The time is that of the ring alone: the write pointer has left the store buffer.
            fence(Ordering::SeqCst);
            let start = gpu.now();
            queue.ring(queue.write_pointer());
            until("the fence", || queue.completed() >= *submitted)?;
            let record = log.get(log.written() - 1).ok_or("no record of the fetch")?;
            let ring = record.fetched.saturating_sub(start);
            let ping = ping(gpu)?;
            rings.push(ring);
            pings.push(ping);
            #[expect(clippy::cast_precision_loss, reason = "nanoseconds of one sample")]
            ratios.push(ring as f64 / ping.max(1) as f64);
        }
        Ok(Latency {
            watched_pages,
            ring_to_fetch_ns: median(rings),
            ping_ns: median(pings),
            ratio: median(ratios),
        })
    }
}

/// A cache line of its own for each word.
#[repr(align(128))]
#[derive(Default)]
struct Line(AtomicU64);

#[derive(Default)]
struct Court {
    ball: Line,
    seen: Line,
    ready: AtomicBool,
}

/// One ping: the device thread waits for a word to change and notes when it saw it.
fn ping(gpu: &Gpu) -> Result<u64, Failure> {
    let court = Arc::new(Court::default());
    let other = Arc::clone(&court);
    let origin = gpu.clock_origin();
    gpu.run_on_device_thread(move || {
        other.ready.store(true, Ordering::Release);
        while other.ball.0.load(Ordering::Acquire) == 0 {
            std::hint::spin_loop();
        }
        let at = u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        other.seen.0.store(at, Ordering::Release);
    });
    until("the device thread's errand", || {
        court.ready.load(Ordering::Acquire)
    })?;
    rest();
    let stored = gpu.now();
    court.ball.0.store(1, Ordering::Release);
    until("the ping", || court.seen.0.load(Ordering::Acquire) != 0)?;
    Ok(court.seen.0.load(Ordering::Acquire).saturating_sub(stored))
}
