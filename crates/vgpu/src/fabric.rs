//! The paths from the device to memory: local memory, and system memory over the bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use carillon_hw::addr::{BusAddress, PAGE_SIZE, VramOffset};

use crate::bus::Bus;
use crate::memory::SharedMemory;
use crate::stats::Counters;

/// A physical place, after every translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Local memory.
    Vram(VramOffset),
    /// System memory.
    Bus(BusAddress),
}

impl Place {
    /// The place `bytes` further on in the same page.
    fn checked_add(self, bytes: u64) -> Option<Self> {
        match self {
            Self::Vram(offset) => offset.checked_add(bytes).map(Self::Vram),
            Self::Bus(address) => address.checked_add(bytes).map(Self::Bus),
        }
    }
}

/// A page that a queue reads again and again, with its translation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeptPage {
    /// Number of the page in the queue's address space.
    page: u64,
    /// The generation of translations in which `base` is good; 0 is none.
    generation: u64,
    base: Option<Place>,
}

impl KeptPage {
    pub(crate) fn new(address: u64, generation: u64, base: Place) -> Self {
        Self {
            page: address / PAGE_SIZE,
            generation,
            base: Some(base),
        }
    }

    /// Where `address` is, if it lies on the page and nothing was invalidated since.
    pub(crate) fn place(&self, address: u64, generation: u64) -> Option<Place> {
        let good = self.page == address / PAGE_SIZE && self.generation == generation;
        self.base.filter(|_| good)?.checked_add(address % PAGE_SIZE)
    }
}

/// No memory answers at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreachable;

/// Everything that is shared between the device thread and register accesses without a lock.
pub(crate) struct Fabric {
    pub(crate) vram: SharedMemory,
    pub(crate) doorbells: SharedMemory,
    pub(crate) counters: Counters,
    bus: Arc<dyn Bus>,
    bus_master: AtomicBool,
    origin: Instant,
}

impl Fabric {
    pub(crate) fn new(vram: SharedMemory, doorbells: SharedMemory, bus: Arc<dyn Bus>) -> Self {
        Self {
            vram,
            doorbells,
            counters: Counters::default(),
            bus,
            bus_master: AtomicBool::new(false),
            origin: Instant::now(),
        }
    }

    /// The device clock: nanoseconds since the device was made.
    pub(crate) fn clock(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The instant at which the clock read zero.
    pub(crate) fn origin(&self) -> Instant {
        self.origin
    }

    pub(crate) fn set_bus_master(&self, on: bool) {
        self.bus_master.store(on, Ordering::Release);
    }

    pub(crate) fn raise(&self, vector: u16) {
        self.bus.raise(vector);
    }

    fn bus(&self) -> Result<&dyn Bus, Unreachable> {
        if self.bus_master.load(Ordering::Acquire) {
            Ok(&*self.bus)
        } else {
            Err(Unreachable)
        }
    }

    pub(crate) fn load_u64(&self, place: Place) -> Result<u64, Unreachable> {
        match place {
            Place::Vram(offset) => self.vram.load_u64(offset.0).map_err(|_| Unreachable),
            Place::Bus(address) if address.is_aligned(8) => {
                self.bus()?.load_u64(address).map_err(|_| Unreachable)
            }
            Place::Bus(_) => Err(Unreachable),
        }
    }

    pub(crate) fn store_u64(&self, place: Place, value: u64) -> Result<(), Unreachable> {
        match place {
            Place::Vram(offset) => self
                .vram
                .store_u64(offset.0, value)
                .map_err(|_| Unreachable),
            Place::Bus(address) if address.is_aligned(8) => self
                .bus()?
                .store_u64(address, value)
                .map_err(|_| Unreachable),
            Place::Bus(_) => Err(Unreachable),
        }
    }

    /// Hints that `place` will be loaded soon.
    pub(crate) fn prefetch(&self, place: Place) {
        // Local memory is the device's own: nobody else keeps its lines away.
        if let Place::Bus(address) = place {
            self.bus.prefetch(address);
        }
    }

    /// Copies bytes out of one page.
    pub(crate) fn read(&self, place: Place, into: &mut [u8]) -> Result<(), Unreachable> {
        match place {
            Place::Vram(offset) => self.vram.read(offset.0, into).map_err(|_| Unreachable),
            Place::Bus(address) => self.bus()?.read(address, into).map_err(|_| Unreachable),
        }
    }

    /// Copies bytes into one page.
    pub(crate) fn write(&self, place: Place, from: &[u8]) -> Result<(), Unreachable> {
        match place {
            Place::Vram(offset) => self.vram.write(offset.0, from).map_err(|_| Unreachable),
            Place::Bus(address) => self.bus()?.write(address, from).map_err(|_| Unreachable),
        }
    }
}
