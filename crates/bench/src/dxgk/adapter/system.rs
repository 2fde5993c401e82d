//! The OS's own process, device and context on an adapter: what paging work belongs to.

use carillon_ddi::{
    DXGK_CONTEXTINFO, DXGK_CREATECONTEXTFLAGS, DXGK_CREATEDEVICEFLAGS, DXGK_CREATEPROCESSFLAGS,
    DXGKARG_CREATECONTEXT, DXGKARG_CREATEDEVICE, DXGKARG_CREATEDEVICE_Anonymous,
    DXGKARG_CREATEPROCESS,
};

use super::start::InStep;
use super::{Adapter, StartError};
use crate::dxgk::handle::{KmdHandle, OsHandle};
use crate::dxgk::rejected::Rule;

const REAL: Rule = Rule::new(
    "has to be a handle: the OS calls back with it at once",
    "observed: STATUS_INVALID_HANDLE later in the start",
);

/// The OS's own objects on an adapter.
#[derive(Debug, Clone, Copy)]
pub struct SystemObjects {
    /// The driver's handle of the system process.
    pub process: KmdHandle,
    /// The driver's handle of the system device.
    pub device: KmdHandle,
    /// The driver's handle of the paging context.
    pub context: KmdHandle,
    /// The OS's handle of the paging context.
    pub os_context: OsHandle,
    /// Ordinal of the node that the context is on.
    pub node: u32,
    /// Sizes that the driver wants for the context's buffers.
    pub buffers: ContextBuffers,
}

/// What a context wants of its command buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextBuffers {
    /// `DmaBufferSize`, in bytes.
    pub size: u32,
    /// `DmaBufferSegmentSet`
    pub segments: u32,
    /// `DmaBufferPrivateDataSize`, in bytes.
    pub private_size: u32,
}

impl From<DXGK_CONTEXTINFO> for ContextBuffers {
    fn from(info: DXGK_CONTEXTINFO) -> Self {
        Self {
            size: info.DmaBufferSize,
            segments: info.DmaBufferSegmentSet,
            private_size: info.DmaBufferPrivateDataSize,
        }
    }
}

impl Adapter {
    /// Creates the system process, device and paging context.
    pub(super) fn create_system(&self) -> Result<(), StartError> {
        let process = self.create_system_process()?;
        let device = match self.create_system_device(process) {
            Ok(device) => device,
            Err(error) => {
                let _ = self.driver.destroy_process(self.context(), process);
                return Err(error);
            }
        };
        match self.create_system_context(process, device) {
            Ok(system) => {
                *self.system.write() = Some(system);
                self.step(format!(
                    "system process, device and context on node {}",
                    system.node
                ));
                Ok(())
            }
            Err(error) => {
                let _ = self.driver.destroy_device(device);
                let _ = self.driver.destroy_process(self.context(), process);
                Err(error)
            }
        }
    }

    fn create_system_process(&self) -> Result<KmdHandle, StartError> {
        const STEP: &str = "DxgkDdiCreateProcess(SystemProcess)";
        let mut args = DXGKARG_CREATEPROCESS {
            hDxgkProcess: OsHandle::fresh().raw(),
            Flags: DXGK_CREATEPROCESSFLAGS::new().with_SystemProcess(true),
            ..DXGKARG_CREATEPROCESS::ZERO
        };
        self.driver
            .create_process(self.context(), &mut args)
            .in_step(STEP)?;
        let process = KmdHandle::from_raw(args.hKmdProcess);
        REAL.demand(!process.is_null(), "hKmdProcess", process)
            .in_step(STEP)?;
        Ok(process)
    }

    fn create_system_device(&self, process: KmdHandle) -> Result<KmdHandle, StartError> {
        const STEP: &str = "DxgkDdiCreateDevice(SystemDevice)";
        let given = OsHandle::fresh();
        let flags = DXGK_CREATEDEVICEFLAGS::new().with_SystemDevice(true);
        let mut args = DXGKARG_CREATEDEVICE {
            hDevice: given.raw(),
            Anonymous: DXGKARG_CREATEDEVICE_Anonymous { Flags: flags },
            hKmdProcess: process.raw(),
            ..DXGKARG_CREATEDEVICE::ZERO
        };
        self.driver
            .create_device(self.context(), &mut args)
            .in_step(STEP)?;
        let device = KmdHandle::from_raw(args.hDevice);
        let real = !device.is_null() && device.value() != given.value();
        REAL.demand(real, "DXGKARG_CREATEDEVICE.hDevice", device)
            .in_step(STEP)?;
        Ok(device)
    }

    fn create_system_context(
        &self,
        process: KmdHandle,
        device: KmdHandle,
    ) -> Result<SystemObjects, StartError> {
        const STEP: &str = "DxgkDdiCreateContext(SystemContext)";
        const BUFFER: Rule = Rule::new(
            "must not be 0",
            "ns-d3dkmddi-dxgk_contextinfo; observed: bug check 0x10E without a segment",
        );
        let node = self.caps().map_or(0, |caps| caps.paging_node());
        let os_context = OsHandle::fresh();
        let flags = DXGK_CREATECONTEXTFLAGS::new()
            .with_SystemContext(true)
            .with_VirtualAddressing(true);
        let mut args = DXGKARG_CREATECONTEXT {
            hContext: os_context.raw(),
            NodeOrdinal: node,
            // Seen as 0 on a real system, documented as a mask of engines.
            EngineAffinity: u32::from(self.config.seed.is_multiple_of(2)),
            Flags: flags,
            ..DXGKARG_CREATECONTEXT::ZERO
        };
        self.driver
            .create_context(device, &mut args)
            .in_step(STEP)?;
        let context = KmdHandle::from_raw(args.hContext);
        let real = !context.is_null() && context.value() != os_context.value();
        let buffers = ContextBuffers::from(args.ContextInfo);
        let system = SystemObjects {
            process,
            device,
            context,
            os_context,
            node,
            buffers,
        };
        let judged = REAL
            .demand(real, "DXGKARG_CREATECONTEXT.hContext", context)
            .and_then(|()| {
                BUFFER.demand(
                    buffers.size != 0,
                    "DXGK_CONTEXTINFO.DmaBufferSize",
                    buffers.size,
                )
            })
            .and_then(|()| {
                let segments = buffers.segments;
                BUFFER.demand(
                    segments != 0,
                    "DXGK_CONTEXTINFO.DmaBufferSegmentSet",
                    segments,
                )
            });
        if judged.is_err() && real {
            let _ = self.driver.destroy_context(context);
        }
        judged.in_step(STEP)?;
        Ok(system)
    }

    /// Destroys what [`Self::create_system`] created, if it did.
    pub(super) fn destroy_system(&self) {
        let Some(system) = self.system.write().take() else {
            return;
        };
        // None of the three may fail: a failure is with the verifier.
        let _ = self.driver.destroy_context(system.context);
        let _ = self.driver.destroy_device(system.device);
        let _ = self.driver.destroy_process(self.context(), system.process);
    }
}
