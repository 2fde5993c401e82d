//! A machine: the driver loaded and started on a virtual GPU, with dxgkrnl's objects around it.

use std::path::Path;
use std::sync::Arc;

use carillon_hw::regs::DoorbellModel;
use carillon_vgpu::Gpu;

use crate::device::virtual_gpu;
use crate::dxgk::adapter::{Adapter, AdapterConfig};
use crate::dxgk::kmt::{AdapterView, KmtProcess};
use crate::dxgk::load::LoadedDriver;
use crate::dxgk::objects::ObjectManager;
use crate::dxgk::objects::attach::DoorbellSharing;
use crate::nt::Nt;

/// What went wrong; the text names it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a machine is made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineConfig {
    /// The virtual GPU.
    pub gpu: carillon_vgpu::Config,
    /// How the OS starts the adapter.
    pub adapter: AdapterConfig,
}

/// A running machine.
pub struct Machine {
    nt: Arc<Nt>,
    driver: LoadedDriver,
    gpu: Arc<Gpu>,
    adapter: Arc<Adapter>,
    manager: Arc<ObjectManager>,
    view: AdapterView,
}

impl Machine {
    /// Loads the driver at `sys` into the session, plugs the device in and starts the adapter.
    ///
    /// # Errors
    /// What the loader, registration or the start did not accept. Nothing is left running.
    pub fn boot(nt: &Arc<Nt>, sys: &Path, config: &MachineConfig) -> Result<Self, Failure> {
        let driver = LoadedDriver::load(nt, sys)?;
        let (device, gpu) = virtual_gpu::attach(nt, config.gpu)?;
        let adapter = Adapter::add(driver.dxgkrnl(), device, config.adapter)?;
        if let Err(error) = adapter.start() {
            adapter.remove()?;
            driver.dxgkrnl().unload()?;
            return Err(error.into());
        }
        let sharing = match config.gpu.model {
            DoorbellModel::Dedicated => DoorbellSharing::Dedicated,
            DoorbellModel::Global => DoorbellSharing::Global,
        };
        let manager = ObjectManager::attach(&adapter, sharing)?;
        let view = AdapterView::of(&adapter)?;
        Ok(Self {
            nt: nt.clone(),
            driver,
            gpu,
            adapter,
            manager,
            view,
        })
    }

    /// The session.
    pub fn nt(&self) -> &Arc<Nt> {
        &self.nt
    }

    /// The loaded driver.
    pub fn driver(&self) -> &LoadedDriver {
        &self.driver
    }

    /// The device.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }

    /// The adapter.
    pub fn adapter(&self) -> &Arc<Adapter> {
        &self.adapter
    }

    /// The objects of the adapter.
    pub fn manager(&self) -> &Arc<ObjectManager> {
        &self.manager
    }

    /// A new process.
    ///
    /// # Errors
    /// When the driver refuses it.
    pub fn process(&self) -> Result<Arc<KmtProcess>, Failure> {
        Ok(Arc::new(KmtProcess::new(
            self.manager.clone(),
            self.view.clone(),
        )?))
    }

    /// Pulls the device out while the machine runs: the hardware goes first, then the OS learns of
    /// it and tells the driver, then doorbells are disconnected for good. Processes end and the
    /// machine shuts down as usual afterwards.
    ///
    /// # Errors
    /// When the driver fails what must not fail.
    pub fn surprise_removal(&self) -> Result<(), Failure> {
        self.gpu.lose();
        self.adapter.surprise_removal()?;
        self.manager.device_lost()?;
        Ok(())
    }

    /// Stops and removes the adapter and unloads the driver. All processes have ended.
    ///
    /// # Errors
    /// The first step that did not go as it must.
    pub fn shut_down(self) -> Result<(), Failure> {
        self.adapter.stop()?;
        drop(self.manager);
        self.adapter.remove()?;
        self.driver.dxgkrnl().unload()?;
        Ok(())
    }
}
