//! Processes, devices, contexts, queues, fences and doorbells, played to the driver.
//!
//! - [`attach`]: the object manager of an adapter of the model
//! - [`completion`]: what the driver reports by interrupt, and who waits for it
//! - [`table`]: handles that user mode sees
//! - [`process`]: processes, devices, hardware contexts, allocations as objects
//! - [`fence`]: native fences, CPU waits
//! - [`queue`]: hardware queues, kernel submission
//! - [`doorbell`]: doorbells, their connection and loss
//! - [`escape`]: private messages to the driver
//! - [`residency`]: which memory is in place, and who wants it there
//! - [`rewrite`]: private data that changes under the driver
//! - [`rotation`]: what is behind a doorbell's user address
//! - [`view`]: user mappings of single pages
//! - [`exit`]: the end of a process, normal and abnormal
//! - [`loss`]: the loss of the device
//! - [`power`]: D3 and back
//!
//! **Locks.** No lock of this module is held while the driver is called, with these exceptions: the
//! waiters of a fence, while `DxgkDdiUpdateMonitoredValues` is told of them; the paging queue, which
//! is the driver's first synchronization level; the residency of an allocation, while its memory
//! is paged; a device's, while all of it goes out or comes back. Order: waiters of a fence,
//! interrupt lock; residency of a device, residency of an allocation, paging queue, address space;
//! everything else is a leaf. The power gate
//! comes before all of them.

pub mod attach;
pub mod completion;
pub mod doorbell;
pub mod escape;
pub mod exit;
pub mod fence;
pub mod loss;
pub mod power;
pub mod process;
pub mod queue;
pub mod residency;
pub mod rewrite;
pub mod rotation;
pub mod table;
pub mod view;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use carillon_ddi::{D3DDDI_DOORBELLSTATUS, DXGK_HANDLE_TYPE, NTSTATUS};
use parking_lot::Mutex;

use super::driver::{DdiError, Driver};
use super::handle::{KmdHandle, OsHandle};
use super::interface::Objects;
use super::vidmm::geometry::MemoryFacts;
use super::vidmm::system::PagingProcess;
use super::vidmm::{MmError, VidMm};
use crate::device::power::{Retention, TouchedAsleep};
use crate::nt::Nt;
use completion::Completions;
use power::{Gate, WakeConnect};
pub use rewrite::Rewrite;
use rotation::{DoorbellBar, PageOwners};
use table::{Object, Table};

/// Why the object manager refused or could not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// A DDI failed.
    #[error(transparent)]
    Ddi(#[from] DdiError),
    /// VidMm could not.
    #[error(transparent)]
    Memory(#[from] MmError),
    /// No such object of that kind in the process.
    #[error("{kind} {handle:#x} does not exist")]
    Handle {
        /// The kind.
        kind: &'static str,
        /// The handle.
        handle: u32,
    },
    /// An argument is out of range, or two of them contradict each other.
    #[error("{0}")]
    Parameter(&'static str),
    /// The adapter cannot do that.
    #[error("not supported: {0}")]
    NotSupported(&'static str),
    /// The host refused memory or a mapping.
    #[error("the host cannot map memory")]
    Host,
    /// The GPU did not finish in time.
    #[error("the GPU did not finish in time")]
    TimedOut,
}

impl ObjectError {
    /// The status that a thunk returns to user mode for this error.
    pub fn status(&self) -> NTSTATUS {
        match self {
            Self::Ddi(error) => error.status(),
            Self::Memory(error) => error.status(),
            Self::Handle { .. } | Self::Parameter(_) => NTSTATUS::STATUS_INVALID_PARAMETER,
            Self::NotSupported(_) => NTSTATUS::STATUS_NOT_SUPPORTED,
            Self::Host => NTSTATUS::STATUS_NO_MEMORY,
            Self::TimedOut => NTSTATUS::STATUS_IO_TIMEOUT,
        }
    }
}

/// What the start-up queries told about the adapter, as far as objects need it.
#[derive(Debug, Clone)]
pub struct AdapterFacts {
    /// Segments and page tables.
    pub memory: MemoryFacts,
    /// `NativeGpuFence` storage must be mapped into the paging process too.
    pub map_fences_to_system: bool,
    /// `DoorbellSizeInBytes`; 0 while user-mode submission is off.
    pub doorbell_bytes: u32,
    /// `SecondaryDoorbellSizeInBytes`; 0 while `SecondaryDoorbellSupported` is clear.
    pub secondary_doorbell_bytes: u32,
    /// For each node: `UserModeSubmission` of its metadata.
    pub user_mode_nodes: Vec<bool>,
    /// The driver reported doorbells that each serve one queue at a time.
    pub dedicated_doorbells: bool,
}

/// The rest of the adapter.
pub trait Platform: Send + Sync {
    /// The doorbell BAR.
    fn doorbells(&self) -> &dyn DoorbellBar;

    /// Runs `f` at device level with the interrupt lock held.
    fn synchronized(&self, f: &mut dyn FnMut());

    /// Takes the device's power away.
    ///
    /// # Errors
    /// When the host cannot reach the device's memory.
    fn power_off(&self, retained: Retention) -> Result<(), ObjectError> {
        let _ = retained;
        Ok(())
    }

    /// Gives the device's power back.
    ///
    /// # Errors
    /// When the host cannot reach the device's memory.
    fn power_on(&self) -> Result<TouchedAsleep, ObjectError> {
        Ok(TouchedAsleep::default())
    }
}

/// What `DxgkCbDisconnectDoorbell` does besides moving the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DisconnectMode {
    /// Nothing.
    #[default]
    Plain,
    /// Calls `DxgkDdiDisconnectDoorbell` for the same doorbell on the same thread.
    Nested,
    /// Waits until another thread has called `DxgkDdiDisconnectDoorbell` for it.
    Concurrent,
}

/// What scenarios can change while the adapter runs.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Options {
    /// See [`DisconnectMode`].
    pub disconnect: DisconnectMode,
    /// Private data of doorbells is passed on whatever its size, so that the driver's own check is
    /// met.
    pub unchecked_doorbell_data: bool,
    /// `RequireSecondaryCpuVA` is let through to the connect although the capabilities do not offer
    /// it (ambiguity A13).
    pub unchecked_secondary: bool,
    /// `ResizeRingBufferOperation` has the OS disconnect the queue's older doorbells before it calls
    /// the driver: the documents do not say that they stay connected (ambiguity A9).
    pub disconnect_at_resize: bool,
    /// Private data of doorbells and escapes changes while the driver reads it.
    pub rewrite: Option<Rewrite>,
    /// Doorbells get the allocation's handle instead of the device-specific one.
    pub allocation_handles_at_doorbell: bool,
    /// Hardware queues get the local handle of their native progress fence instead of the global.
    pub local_progress_fence: bool,
    /// See [`WakeConnect`].
    pub wake_connect: WakeConnect,
}

/// How often what happened.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) kernel_entries: AtomicU64,
    pub(crate) connects: AtomicU64,
    pub(crate) disconnect_callbacks: AtomicU64,
    pub(crate) disconnect_refused: AtomicU64,
    pub(crate) rotations: AtomicU64,
    pub(crate) notifies: AtomicU64,
    pub(crate) waits: AtomicU64,
    pub(crate) sleeps: AtomicU64,
    pub(crate) wakes_by_connect: AtomicU64,
}

/// A reading of [`Counters`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObjectStats {
    /// Thunks called: each is one kernel entry of a client.
    pub kernel_entries: u64,
    /// `D3DKMTConnectDoorbell` that reached the driver.
    pub connects: u64,
    /// `DxgkCbDisconnectDoorbell` that named a doorbell: victimizations.
    pub disconnect_callbacks: u64,
    /// `DxgkCbDisconnectDoorbell` that were refused.
    pub disconnect_refused: u64,
    /// Switches of a page behind a doorbell address.
    pub rotations: u64,
    /// `D3DKMTNotifyWorkSubmission` that reached the driver.
    pub notifies: u64,
    /// CPU waits that had to sleep.
    pub waits: u64,
    /// Times that the device went out of D0.
    pub sleeps: u64,
    /// Times that a client's connect brought it back.
    pub wakes_by_connect: u64,
}

/// The objects of one adapter.
pub struct ObjectManager {
    driver: Arc<Driver>,
    adapter: KmdHandle,
    facts: AdapterFacts,
    vidmm: VidMm,
    completions: Arc<Completions>,
    platform: Arc<dyn Platform>,
    table: Table,
    owners: PageOwners,
    gate: Gate,
    options: Mutex<Options>,
    counters: Counters,
}

impl fmt::Debug for ObjectManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectManager")
            .field("adapter", &self.adapter)
            .finish_non_exhaustive()
    }
}

impl ObjectManager {
    /// Sets up the paging process of a started adapter. `completions` must receive the driver's
    /// notifications already. Drop the manager after the adapter has stopped: the driver's context
    /// of the paging process refers to page tables that the manager owns.
    ///
    /// # Errors
    /// As for [`VidMm::start`].
    pub fn start(
        driver: Arc<Driver>,
        adapter: KmdHandle,
        process: PagingProcess,
        facts: AdapterFacts,
        completions: Arc<Completions>,
        platform: Arc<dyn Platform>,
    ) -> Result<Arc<Self>, MmError> {
        let memory = &facts.memory;
        let vidmm = VidMm::start(
            driver.clone(),
            adapter,
            process,
            memory,
            completions.clone(),
        )?;
        Ok(Arc::new(Self {
            driver,
            adapter,
            facts,
            vidmm,
            completions,
            platform,
            table: Table::default(),
            owners: PageOwners::default(),
            gate: Gate::default(),
            options: Mutex::default(),
            counters: Counters::default(),
        }))
    }

    /// The session.
    #[must_use]
    pub fn nt(&self) -> &Arc<Nt> {
        self.driver.nt()
    }

    /// Memory of the adapter.
    #[must_use]
    pub fn vidmm(&self) -> &VidMm {
        &self.vidmm
    }

    /// Reports of the driver.
    #[must_use]
    pub fn completions(&self) -> &Arc<Completions> {
        &self.completions
    }

    /// What the start-up queries told.
    #[must_use]
    pub fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    /// What scenarios can change.
    #[must_use]
    pub fn options(&self) -> Options {
        *self.options.lock()
    }

    /// Changes what scenarios can change.
    pub fn set_options(&self, options: Options) {
        *self.options.lock() = options;
    }

    /// How often what happened so far.
    #[must_use]
    pub fn stats(&self) -> ObjectStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        ObjectStats {
            kernel_entries: read(&counters.kernel_entries),
            connects: read(&counters.connects),
            disconnect_callbacks: read(&counters.disconnect_callbacks),
            disconnect_refused: read(&counters.disconnect_refused),
            rotations: read(&counters.rotations),
            notifies: read(&counters.notifies),
            waits: read(&counters.waits),
            sleeps: read(&counters.sleeps),
            wakes_by_connect: read(&counters.wakes_by_connect),
        }
    }

    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one kernel entry of a client.
    pub(crate) fn enter(&self) {
        Self::count(&self.counters.kernel_entries);
    }

    fn breach(&self, what: String) {
        self.driver.breach(what);
    }
}

impl Objects for ObjectManager {
    fn disconnect_doorbell(
        &self,
        queue: OsHandle,
        doorbell: OsHandle,
        reason: D3DDDI_DOORBELLSTATUS,
    ) -> NTSTATUS {
        self.disconnect_callback(queue, doorbell, reason)
    }

    fn invalidate_hw_context(&self, context: OsHandle, _collateral_damage: bool) -> NTSTATUS {
        match self.table.context_by_os(context) {
            Some(context) => {
                context.invalidate();
                NTSTATUS::STATUS_SUCCESS
            }
            None => NTSTATUS::STATUS_INVALID_PARAMETER,
        }
    }

    fn handle_data(
        &self,
        handle: u32,
        _kind: DXGK_HANDLE_TYPE,
        device_specific: bool,
    ) -> Option<KmdHandle> {
        match self.table.any(handle)? {
            Object::Allocation(allocation) => allocation.handle_data(device_specific),
            _ => None,
        }
    }
}
