//! One adapter: the device, the driver's context for it, and what the OS knows of both.
//!
//! - [`start`] and [`stop`]: the way from device node to running adapter and back
//! - [`features`]: which features are on, by negotiation between configuration and driver
//! - [`query`] and [`caps`]: what the driver answers
//! - [`rules`]: what the OS makes of the answers
//! - [`resources`]: what the driver is told of the machine
//! - [`system`]: the OS's own process, device and context

pub mod caps;
pub mod features;
pub mod power;
pub mod query;
pub mod resources;
pub mod rules;
pub mod start;
pub mod stop;
pub mod system;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard, RwLock};

use super::driver::{DdiError, Driver};
use super::handle::{KmdHandle, OsHandle};
use super::interface::interrupt::{InterruptCounts, Interrupts};
use super::interface::{self, Notifications, Objects};
use super::registration::Dxgkrnl;
use super::rejected::Rejected;
use crate::device::Device;
use crate::nt::physical::PhysicalAddress;
use caps::Caps;
use features::{FeatureConfig, Features};
use power::Power;
use resources::Resources;
use system::SystemObjects;

/// How an adapter is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdapterConfig {
    /// What the OS thinks of each feature.
    pub features: FeatureConfig,
    /// Selects among the orders that the documents leave open.
    pub seed: u64,
}

/// Why an adapter does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// A DDI that has to succeed did not.
    #[error("{step}: {error}")]
    Ddi {
        /// The step of the start.
        step: &'static str,
        /// What happened.
        error: DdiError,
    },
    /// The OS does not accept what the driver answered.
    #[error("{step}: {rejected}")]
    Rejected {
        /// The step of the start.
        step: &'static str,
        /// What was wrong.
        rejected: Rejected,
    },
    /// No driver is registered.
    #[error("no driver is registered")]
    NoDriver,
    /// The adapter is not in a state in which this can be done.
    #[error("the adapter is {0:?}")]
    WrongState(State),
    /// The bench ran out of something.
    #[error("the bench has no memory for the adapter")]
    NoMemory,
}

/// Where an adapter is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The driver has a context for the device.
    Added,
    /// Running.
    Started,
    /// Was running, can be started again.
    Stopped,
    /// The driver has no context any more.
    Removed,
}

/// An adapter.
pub struct Adapter {
    handle: OsHandle,
    physical_device_object: OsHandle,
    context: AtomicUsize,
    driver: Arc<Driver>,
    device: Arc<Device>,
    config: AdapterConfig,
    resources: Resources,
    features: Features,
    interrupts: Interrupts,
    power: Power,
    caps: RwLock<Option<Arc<Caps>>>,
    system: RwLock<Option<SystemObjects>>,
    notifications: RwLock<Option<Arc<dyn Notifications>>>,
    objects: RwLock<Option<Arc<dyn Objects>>>,
    state: Mutex<State>,
    gone: AtomicBool,
    contiguous: Mutex<BTreeMap<OsHandle, PhysicalAddress>>,
    mappings: AtomicU64,
    fail_mapping: AtomicU64,
    steps: Mutex<Vec<String>>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl std::fmt::Debug for Adapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adapter")
            .field("handle", &self.handle)
            .field("state", &*self.state.lock())
            .finish_non_exhaustive()
    }
}

impl Adapter {
    /// Plugs `device` in and has the driver make a context for it (`DxgkDdiAddDevice`).
    ///
    /// # Errors
    /// When no driver is registered, or it refuses or gives no context.
    pub fn add(
        dxgkrnl: &Dxgkrnl,
        device: Arc<Device>,
        config: AdapterConfig,
    ) -> Result<Arc<Self>, StartError> {
        let driver = dxgkrnl.driver().ok_or(StartError::NoDriver)?;
        device.plug(driver.nt());
        let adapter = Arc::new(Self {
            handle: OsHandle::fresh(),
            physical_device_object: OsHandle::fresh(),
            context: AtomicUsize::new(0),
            resources: Resources::new(&device, driver.nt()),
            features: Features::new(config.features),
            driver,
            device,
            config,
            interrupts: Interrupts::default(),
            power: Power::default(),
            caps: RwLock::default(),
            system: RwLock::default(),
            notifications: RwLock::default(),
            objects: RwLock::default(),
            state: Mutex::new(State::Removed),
            gone: AtomicBool::new(false),
            contiguous: Mutex::default(),
            mappings: AtomicU64::new(0),
            fail_mapping: AtomicU64::new(0),
            steps: Mutex::default(),
            threads: Mutex::default(),
        });
        interface::publish(&adapter);
        adapter.add_device()?;
        Ok(adapter)
    }

    /// The OS's handle: `DeviceHandle` of the interface.
    pub fn handle(&self) -> OsHandle {
        self.handle
    }

    /// The driver's context from `DxgkDdiAddDevice`: `hAdapter` of the DDIs.
    pub fn context(&self) -> KmdHandle {
        KmdHandle::from_value(self.context.load(Ordering::SeqCst))
    }

    /// The driver.
    pub fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    /// The device.
    pub fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// How the adapter was configured.
    pub fn config(&self) -> &AdapterConfig {
        &self.config
    }

    /// What the driver answered at the last start; `None` before.
    pub fn caps(&self) -> Option<Arc<Caps>> {
        self.caps.read().clone()
    }

    /// The OS's own objects; `None` unless started.
    pub fn system(&self) -> Option<SystemObjects> {
        *self.system.read()
    }

    /// Number of nodes, once it is known.
    pub fn node_count(&self) -> Option<u32> {
        let caps = self.caps.read();
        caps.as_ref()
            .map(|caps| caps.driver.GpuEngineTopology.NbAsymetricProcessingNodes)
    }

    /// Where the adapter is in its life.
    pub fn state(&self) -> State {
        *self.state.lock()
    }

    /// The start-up sequence so far, one line for each step.
    pub fn steps(&self) -> Vec<String> {
        self.steps.lock().clone()
    }

    /// Interrupts and deferred procedures so far.
    pub fn interrupt_counts(&self) -> InterruptCounts {
        self.interrupts.counts()
    }

    /// Says who wants notifications.
    pub fn set_notifications(&self, sink: Arc<dyn Notifications>) {
        *self.notifications.write() = Some(sink);
    }

    /// Says who answers callbacks about objects.
    pub fn set_objects(&self, objects: Arc<dyn Objects>) {
        *self.objects.write() = Some(objects);
    }

    /// True once the device was pulled out.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    /// Makes the `nth` mapping of device memory from now on fail (1 is the next one, 0 is none).
    pub fn fail_nth_mapping(&self, nth: u64) {
        let at = if nth == 0 {
            0
        } else {
            self.mappings.load(Ordering::SeqCst) + nth
        };
        self.fail_mapping.store(at, Ordering::SeqCst);
    }

    /// Counts a mapping; true if it has to fail.
    pub(crate) fn fails_mapping(&self) -> bool {
        let this = self.mappings.fetch_add(1, Ordering::SeqCst) + 1;
        this == self.fail_mapping.load(Ordering::SeqCst)
    }

    pub(crate) fn interrupts(&self) -> &Interrupts {
        &self.interrupts
    }

    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    pub(crate) fn power(&self) -> &Power {
        &self.power
    }

    pub(crate) fn resources(&self) -> &Resources {
        &self.resources
    }

    pub(crate) fn notifications(&self) -> Option<Arc<dyn Notifications>> {
        self.notifications.read().clone()
    }

    pub(crate) fn objects(&self) -> Option<Arc<dyn Objects>> {
        self.objects.read().clone()
    }

    pub(crate) fn contiguous(&self) -> MutexGuard<'_, BTreeMap<OsHandle, PhysicalAddress>> {
        self.contiguous.lock()
    }

    fn step(&self, what: impl Into<String>) {
        self.steps.lock().push(what.into());
    }
}
