//! From the store to the doorbell to the fetch of the entry, beside what two plain threads need to
//! see each other's stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use carillon_client::kmt::{DoorbellStatus, Kmt, NodeOrdinal};
use carillon_vgpu::Gpu;

use super::machine::Failure;
use super::raw::RawQueue;
use crate::dxgk::kmt;

/// How long one sample may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause between samples: each starts with the watcher at rest in its loop, as the first
/// submission after a pause does.
const PAUSE: Duration = Duration::from_micros(20);

/// What was measured; times in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    /// Median from the doorbell store to the fetch.
    pub ring_to_fetch_ns: u64,
    /// Median from a store of one thread to the load of another.
    pub ping_ns: u64,
    /// Samples of each.
    pub samples: usize,
    /// Kernel entries of the submitting thread from the first sample to the last.
    pub kernel_entries: u64,
}

fn median(mut samples: Vec<u64>) -> u64 {
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied().unwrap_or(0)
}

fn spin(pause: Duration) {
    let start = Instant::now();
    while start.elapsed() < pause {
        std::hint::spin_loop();
    }
}

/// Measures `samples` rings of one connected queue, and as many pings.
///
/// # Errors
/// A step failed, or the device does not fetch.
pub fn measure(
    gpu: &Gpu,
    kmt: &Arc<dyn Kmt>,
    node: NodeOrdinal,
    samples: usize,
) -> Result<Latency, Failure> {
    let device = kmt.create_device()?;
    let mut queue = RawQueue::create(kmt, device, node)?;
    kmt.connect_doorbell(queue.doorbell().handle)?;
    if queue.status() != DoorbellStatus::CONNECTED {
        return Err(format!("the only queue is not connected: {:?}", queue.status()).into());
    }
    let log = gpu.record_fetches(samples + 16);
    let entries = kmt::entries_of_this_thread();
    let mut times = Vec::with_capacity(samples);
    for sample in 1..=samples as u64 {
        let signal = queue.signal(sample);
        queue.stage(&[signal])?;
        spin(PAUSE);
        queue.publish()?;
        let rung = gpu.now();
        queue.ring(queue.write_pointer());
        let started = Instant::now();
        while queue.completed() < sample {
            if started.elapsed() > PATIENCE {
                return Err(format!("sample {sample}: the ring was not answered").into());
            }
            std::hint::spin_loop();
        }
        let record = log
            .get(log.written() - 1)
            .ok_or("the fetch was not recorded")?;
        times.push(record.fetched.saturating_sub(rung));
    }
    let kernel_entries = kmt::entries_of_this_thread() - entries;
    Ok(Latency {
        ring_to_fetch_ns: median(times),
        ping_ns: ping(gpu, samples),
        samples,
        kernel_entries,
    })
}

/// Median time in which a store of this thread is seen by another, on the same clock.
fn ping(gpu: &Gpu, samples: usize) -> u64 {
    let word = AtomicU64::new(0);
    let seen = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut last = 0;
            while !stop.load(Ordering::Relaxed) {
                let value = word.load(Ordering::Acquire);
                if value == last {
                    std::hint::spin_loop();
                } else {
                    last = value;
                    seen.store(gpu.now(), Ordering::Release);
                }
            }
        });
        let mut times = Vec::with_capacity(samples);
        for sample in 1..=samples as u64 {
            spin(PAUSE);
            seen.store(0, Ordering::Relaxed);
            let stored = gpu.now();
            word.store(sample, Ordering::Release);
            let mut at = 0;
            while at == 0 {
                at = seen.load(Ordering::Acquire);
                std::hint::spin_loop();
            }
            times.push(at.saturating_sub(stored));
        }
        stop.store(true, Ordering::Relaxed);
        median(times)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), 0);
        assert_eq!(median(vec![3]), 3);
        assert_eq!(median(vec![9, 1, 5]), 5);
    }
}
