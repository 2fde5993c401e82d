//! Register ranges that trap: reserved address space and the device behind it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::fault;
use super::mapping::Reservation;

/// The device behind a trapped range.
///
/// Called in signal context on the thread whose instruction faulted. The fault is synchronous and
/// the interrupted code is driver code at that one instruction, so the handler may allocate and
/// take locks, as long as no lock it takes can be held by driver code or around a call into it.
pub trait MmioHandler: Send + Sync {
    /// Reads `width` bytes (1, 2, 4 or 8) at `offset` from the start of the BAR.
    fn read(&self, offset: u64, width: u8) -> u64;
    /// Writes the low `width` bytes of `value` at `offset`.
    fn write(&self, offset: u64, width: u8, value: u64);
}

/// Accesses that trapped, which under a hypervisor would be VM exits.
#[derive(Debug, Default)]
pub struct ExitCounts {
    reads: AtomicU64,
    writes: AtomicU64,
}

impl ExitCounts {
    /// Trapped loads.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Trapped stores.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }
}

/// A device's registers: its handler and the count of trapped accesses over all mappings.
pub struct MmioDevice {
    handler: Arc<dyn MmioHandler>,
    exits: ExitCounts,
}

impl std::fmt::Debug for MmioDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MmioDevice")
            .field("exits", &self.exits)
            .finish_non_exhaustive()
    }
}

impl MmioDevice {
    /// Wraps `handler`.
    pub fn new(handler: Arc<dyn MmioHandler>) -> Arc<Self> {
        Arc::new(Self {
            handler,
            exits: ExitCounts::default(),
        })
    }

    /// Trapped accesses so far.
    pub fn exits(&self) -> &ExitCounts {
        &self.exits
    }

    pub(crate) fn read(&self, offset: u64, width: u8) -> u64 {
        self.exits.reads.fetch_add(1, Ordering::Relaxed);
        self.handler.read(offset, width)
    }

    pub(crate) fn write(&self, offset: u64, width: u8, value: u64) {
        self.exits.writes.fetch_add(1, Ordering::Relaxed);
        self.handler.write(offset, width, value);
    }
}

/// A trapped range as the fault handler sees it.
#[derive(Clone)]
pub(crate) struct Trapped {
    pub(crate) base: usize,
    pub(crate) len: usize,
    pub(crate) device: Arc<MmioDevice>,
    /// Offset in the BAR of the first byte of the range.
    pub(crate) bar_offset: u64,
}

static RANGES: RwLock<BTreeMap<usize, Trapped>> = RwLock::new(BTreeMap::new());

/// The trapped range that holds `address`.
///
/// The lock is not held when this returns, so that a device which calls back into the driver from
/// its handler cannot meet it again.
pub(crate) fn find(address: usize) -> Option<Trapped> {
    let ranges = RANGES.read();
    let (_, range) = ranges.range(..=address).next_back()?;
    (address - range.base < range.len).then(|| range.clone())
}

/// One mapping of a trapped BAR. Accesses by driver code go to the device.
#[derive(Debug)]
pub struct MmioMapping {
    view: Reservation,
}

impl MmioMapping {
    /// Reserves `bytes` that stand for the BAR from `bar_offset` on.
    pub fn new(device: &Arc<MmioDevice>, bar_offset: u64, bytes: usize) -> io::Result<Self> {
        fault::install()?;
        let view = Reservation::new(bytes)?;
        let range = Trapped {
            base: view.base(),
            len: view.len(),
            device: device.clone(),
            bar_offset,
        };
        RANGES.write().insert(view.base(), range);
        Ok(Self { view })
    }

    /// First address of the mapping. Not to be dereferenced by the bench itself.
    pub fn as_ptr(&self) -> *mut u8 {
        self.view.base() as *mut u8
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.view.len()
    }

    /// Never true.
    pub fn is_empty(&self) -> bool {
        self.view.is_empty()
    }
}

impl Drop for MmioMapping {
    fn drop(&mut self) {
        RANGES.write().remove(&self.view.base());
    }
}
