//! The Carillon GPU in software: the device of `docs/hardware.md` as a library.
//!
//! [`Gpu`] is the PCI function. Registers and configuration space are calls; doorbell pages and
//! local memory are shared memory objects ([`SharedMemory`]) that anybody may map; system memory
//! and interrupts are reached through [`Bus`]. A thread of the device watches doorbells and runs
//! the engines.
//!
//! One module per hardware block:
//!
//! * `config`: PCI configuration space, MSI-X
//! * `registers`: BAR0
//! * `doorbell`: doorbell pages and bindings
//! * `queue`, `ring`: descriptors, ring entries
//! * `scheduler`, `engine`: run lists, turns
//! * `mmu`, `fabric`: from a queue's address to bytes
//! * `command`, `transfer`, `fence`: packets
//! * `event`: event ring, interrupt bits
//! * `device`: the state that all of them form, commands, and the lock (see there)
//! * `worker`: the device thread
//!
//! Left out on purpose: any display, any compute instruction set, and a transport to another
//! process; a transport serves the calls of [`Gpu`] and passes on the shared memory.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

mod bus;
mod command;
mod config;
mod device;
mod doorbell;
mod engine;
mod event;
mod fabric;
mod fault;
mod fence;
mod memory;
mod mmu;
mod parameters;
mod queue;
mod recorder;
mod registers;
mod ring;
mod scheduler;
mod stats;
mod transfer;
mod worker;

pub use bus::{Bus, BusFault};
pub use fault::{Fault, FetchAction, InterruptAction, RingAction, Rule};
pub use memory::{OutOfRange, SharedMemory};
pub use parameters::Config;
pub use recorder::{FetchLog, FetchRecord};
pub use stats::Stats;

use device::{Device, Errand};
use fabric::Fabric;
use worker::Shared;

/// Why a device could not be made.
#[derive(Debug, thiserror::Error)]
pub enum VgpuError {
    /// The number of doorbell pages is zero or above the limit.
    #[error("{0} doorbell pages: must be 1 to 1024")]
    Doorbells(u32),
    /// The size of local memory is zero or not a multiple of 4 KiB.
    #[error("{0} bytes of local memory: must be a non-zero multiple of 4096")]
    VramBytes(u64),
    /// The number of engines is zero or above the limit.
    #[error("{0} engines: must be 1 to 16")]
    Engines(u8),
    /// The queue table would be too large.
    #[error("2^{0} queues: must be at most 2^24")]
    QueuesLog2(u8),
    /// Shared memory or the device thread could not be made.
    #[error("the system refused {what}: {error}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// The system's answer.
        #[source]
        error: io::Error,
    },
}

/// A virtual GPU. Dropping it stops and joins the device thread.
pub struct Gpu {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gpu")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Gpu {
    /// Makes the device in its power-on state and starts its thread.
    ///
    /// # Errors
    /// Names the field of `config` that is wrong, or what the system refused.
    pub fn new(config: Config, bus: Arc<dyn Bus>) -> Result<Self, VgpuError> {
        config.check()?;
        let memory = |name, bytes| {
            SharedMemory::new(name, bytes).map_err(|error| VgpuError::System { what: name, error })
        };
        let vram = memory("carillon-vram", config.vram_bytes)?;
        let doorbells = memory("carillon-doorbells", config.doorbell_bar_bytes())?;
        let fabric = Arc::new(Fabric::new(vram, doorbells, bus));
        let device = Device::new(config, Arc::clone(&fabric));
        let shared = Arc::new(Shared::new(fabric, device));
        let worker = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name("carillon-vgpu".into())
                .spawn(move || worker::run(&shared))
                .map_err(|error| VgpuError::System {
                    what: "the device thread",
                    error,
                })?
        };
        Ok(Self {
            shared,
            worker: Some(worker),
        })
    }

    /// Does something to the device and lets its thread know.
    fn with_device<T>(&self, act: impl FnOnce(&mut Device) -> T) -> T {
        let mut device = self.shared.device.lock();
        let result = act(&mut device);
        let wake = self.shared.publish(&device);
        drop(device);
        if wake && let Some(worker) = &self.worker {
            worker.thread().unpark();
        }
        result
    }

    /// Reads a register of BAR0. `width` is in bytes. A bad access, or any access to a device
    /// that is gone, reads all ones over the width.
    pub fn register_read(&self, offset: u64, width: u8) -> u64 {
        self.with_device(|device| {
            if device.is_gone() {
                return if width == 8 {
                    u64::MAX
                } else {
                    u64::from(u32::MAX)
                };
            }
            device.register_read(offset, width)
        })
    }

    /// Writes a register of BAR0. The effect is complete when the call returns. A bad access does
    /// nothing.
    pub fn register_write(&self, offset: u64, width: u8, value: u64) {
        self.with_device(|device| {
            if !device.is_gone() {
                device.register_write(offset, width, value);
            }
        });
    }

    /// Reads 1, 2 or 4 aligned bytes of configuration space; all ones if the device is gone or
    /// the access is bad.
    pub fn config_read(&self, offset: u16, width: u8) -> u32 {
        self.with_device(|device| {
            if device.is_gone() {
                u32::MAX
            } else {
                device.config_read(offset, width)
            }
        })
    }

    /// Writes 1, 2 or 4 aligned bytes of configuration space.
    pub fn config_write(&self, offset: u16, width: u8, value: u32) {
        self.with_device(|device| {
            if !device.is_gone() {
                device.config_write(offset, width, value);
            }
        });
    }

    /// What lies behind BAR2, as long as the BAR.
    pub fn doorbell_memory(&self) -> &SharedMemory {
        &self.shared.fabric.doorbells
    }

    /// What lies behind BAR4: `Config::vram_bytes` from its start.
    pub fn vram_memory(&self) -> &SharedMemory {
        &self.shared.fabric.vram
    }

    /// What the device counted.
    pub fn stats(&self) -> Stats {
        self.shared.fabric.counters.snapshot()
    }

    /// The device clock in nanoseconds, without a lock: the same as the `TIMESTAMP` register.
    pub fn now(&self) -> u64 {
        self.shared.fabric.clock()
    }

    /// The instant at which the device clock read zero.
    pub fn clock_origin(&self) -> Instant {
        self.shared.fabric.origin()
    }

    /// Logs fetch times from now on, the latest `capacity` of them; replaces an earlier log.
    pub fn record_fetches(&self, capacity: usize) -> Arc<FetchLog> {
        self.record(FetchLog::new(capacity, true))
    }

    /// As [`Self::record_fetches`], but with no reading of the clock on the way from a ring to its
    /// fetch, so that `ring_seen` of an entry that an idle engine fetches at once is `None`.
    pub fn record_fetch_times(&self, capacity: usize) -> Arc<FetchLog> {
        self.record(FetchLog::new(capacity, false))
    }

    fn record(&self, log: FetchLog) -> Arc<FetchLog> {
        let log = Arc::new(log);
        self.with_device(|device| device.fetch_log = Some(Arc::clone(&log)));
        log
    }

    /// Has the device thread run `act` once, between two looks and without the device's lock: for
    /// measuring against what the very same thread can do. Nothing is watched until it returns. An
    /// act that was not begun yet gives way to a later one.
    pub fn run_on_device_thread(&self, act: impl FnOnce() + Send + 'static) {
        self.with_device(|device| device.errand = Some(Errand::new(act)));
    }

    /// Arms a fault.
    pub fn inject(&self, fault: Fault) {
        self.with_device(|device| device.faults.inject(fault));
    }

    /// Disarms every fault. A queue that hangs goes on hanging.
    pub fn clear_faults(&self) {
        self.with_device(|device| device.faults.clear());
    }

    /// What a barrier between the store to the write pointer and the ring does to
    /// [`RingAction::Overtake`]: no ring that comes after it overtakes what was stored before it.
    /// Memory keeps stores in order here and the device cannot see a client's barrier, so whoever
    /// plays a client calls this in place of one.
    pub fn client_barrier(&self) {
        self.with_device(Device::client_barrier);
    }

    /// Takes the device off the bus for good: registers read all ones, and nothing is read,
    /// written or raised any more once the call has returned, but for a message under way.
    pub fn lose(&self) {
        self.with_device(Device::lose);
    }

    /// Has the device send an interrupt message that no event stands behind.
    pub fn spurious_interrupt(&self) {
        self.with_device(Device::spurious_interrupt);
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(worker) = self.worker.take() {
            worker.thread().unpark();
            // A panic of the device thread has been printed; the rest is torn down all the same.
            let _ = worker.join();
        }
    }
}
