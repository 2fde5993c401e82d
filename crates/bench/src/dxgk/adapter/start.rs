//! The way from device node to running adapter.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use carillon_ddi::{
    DXGK_ADAPTER_PERFDATACAPS, DXGK_DRIVERCAPS, DXGK_FEATURE_ID, DXGK_GPUMMUCAPS, DXGK_GPUVERSION,
    DXGK_IOMMU_CAPS, DXGK_NATIVE_FENCE_CAPS, DXGK_NODEMETADATA, DXGK_PHYSICAL_MEMORY_CAPS,
    DXGK_PHYSICALADAPTERCAPS, DXGK_POWER_RUNTIME_COMPONENT, DXGK_QUERYADAPTERINFOTYPE as Type,
    DXGK_SEGMENTDESCRIPTOR4, DXGK_START_INFO, DXGK_USERMODESUBMISSION_CAPS, DXGK_WDDMDEVICECAPS,
    DXGKARG_SETUPPRIORITYBANDS, DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    GUID_DXGKDDI_POWER_MANAGEMENT_PREPARE_TO_START, GUID_DXGKDDI_POWER_MANAGEMENT_STARTED, LUID,
    NTSTATUS,
};

use super::caps::{Caps, EarlyCaps, PhysicalAdapter};
use super::features::refusal;
use super::rules::{self, Situation};
use super::{Adapter, StartError, State};
use crate::dxgk::driver::DdiResult;
use crate::dxgk::interface;
use crate::dxgk::rejected::{Rejected, Rule};

/// Grace periods and quanta in 100 ns, as Windows documents its defaults' order of magnitude.
const QUANTUM: u64 = 30_000;
/// Share of the normal band while higher bands are busy, in per cent.
const NORMAL_SHARE: u32 = 10;

/// One group of queries that may come at any place among the others.
type QueryStep = fn(&Adapter, &mut Caps) -> Result<(), StartError>;

/// Attaches the step to what went wrong in it.
pub(super) trait InStep<T> {
    fn in_step(self, step: &'static str) -> Result<T, StartError>;
}

impl<T> InStep<T> for DdiResult<T> {
    fn in_step(self, step: &'static str) -> Result<T, StartError> {
        self.map_err(|error| StartError::Ddi { step, error })
    }
}

impl<T> InStep<T> for Result<T, Rejected> {
    fn in_step(self, step: &'static str) -> Result<T, StartError> {
        self.map_err(|rejected| StartError::Rejected { step, rejected })
    }
}

impl Adapter {
    pub(super) fn add_device(&self) -> Result<(), StartError> {
        const STEP: &str = "DxgkDdiAddDevice";
        const CONTEXT: Rule = Rule::new(
            "a NULL context says that there is no device",
            "nc-dispmprt-dxgkddi_add_device",
        );
        let added = self.driver.add_device(self.physical_device_object.value());
        let context = match added {
            Ok(context) => context,
            Err(error) => {
                self.unpublish();
                return Err(StartError::Ddi { step: STEP, error });
            }
        };
        if context.is_null() {
            self.unpublish();
        }
        CONTEXT
            .demand(!context.is_null(), "MiniportDeviceContext", context)
            .in_step(STEP)?;
        self.context.store(context.value(), Ordering::SeqCst);
        *self.state.lock() = State::Added;
        self.step(format!("{STEP}: context {context}"));
        Ok(())
    }

    /// Starts the adapter; what was begun is undone when a step fails.
    ///
    /// # Errors
    /// The step that failed and why.
    pub fn start(self: &Arc<Self>) -> Result<(), StartError> {
        let state = self.state();
        if !matches!(state, State::Added | State::Stopped) {
            return Err(StartError::WrongState(state));
        }
        let early = self.query_early()?;
        rules::early(&early).in_step("queries before the start")?;
        self.start_device()?;
        let result = self.initialize(early);
        if result.is_err() {
            self.destroy_system();
            // A driver that could not be started is stopped; what this reports is with the verifier.
            let _ = self.stop_device();
        }
        result
    }

    /// Queries that come before the start: no hardware may be touched for them.
    fn query_early(&self) -> Result<EarlyCaps, StartError> {
        let version = DXGKDDI_INTERFACE_VERSION_WDDM3_2;
        let wddm = self
            .query(
                Type::DXGKQAITYPE_WDDMDEVICECAPS,
                version,
                DXGK_WDDMDEVICECAPS::ZERO,
            )
            .in_step("WDDMDEVICECAPS")?;
        let memory = self
            .query(
                Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS,
                0u32,
                DXGK_PHYSICAL_MEMORY_CAPS::ZERO,
            )
            .in_step("PHYSICAL_MEMORY_CAPS")?;
        let iommu = self
            .query(Type::DXGKQAITYPE_IOMMU_CAPS, 0u32, DXGK_IOMMU_CAPS::ZERO)
            .in_step("IOMMU_CAPS")?;
        self.step(format!(
            "before start: WDDM {:#x}, memory up to {:#x}",
            wddm.WDDMVersion.0,
            memory.HighestVisibleAddress.get()
        ));
        Ok(EarlyCaps {
            wddm,
            memory,
            iommu,
        })
    }

    fn start_device(self: &Arc<Self>) -> Result<(), StartError> {
        const STEP: &str = "DxgkDdiStartDevice";
        let interface = interface::interface(self.handle).ok_or(StartError::NoMemory)?;
        let luid = LUID {
            LowPart: 0xCA11,
            HighPart: 0,
        };
        let info = DXGK_START_INFO {
            AdapterLuid: luid,
            ..DXGK_START_INFO::ZERO
        };
        self.connect_interrupt()?;
        let started = self.driver.start_device(self.context(), info, interface);
        let started = match started {
            Ok((started, _)) => started,
            Err(error) => {
                self.disconnect_interrupt();
                self.release_features();
                return Err(StartError::Ddi { step: STEP, error });
            }
        };
        *self.state.lock() = State::Started;
        self.step(format!(
            "{STEP}: {} video present sources, {} children",
            started.sources, started.children
        ));
        let judged = rules::started(started).in_step(STEP);
        if judged.is_err() {
            let _ = self.stop_device();
        }
        judged
    }

    /// Connects the interrupt and starts the threads that deliver it.
    fn connect_interrupt(self: &Arc<Self>) -> Result<(), StartError> {
        self.device.line().open();
        self.interrupts.connect();
        let spawn = |name: &str, run: fn(&Self)| {
            let adapter = self.clone();
            let builder = std::thread::Builder::new().name(name.into());
            builder
                .spawn(move || run(&adapter))
                .map_err(|_| StartError::NoMemory)
        };
        let threads = [
            spawn("interrupt", Self::interrupt_thread)?,
            spawn("dpc", Self::dpc_thread)?,
        ];
        self.threads.lock().extend(threads);
        Ok(())
    }

    /// Disconnects the interrupt and ends the threads that deliver it.
    pub(super) fn disconnect_interrupt(&self) {
        self.interrupts.disconnect();
        self.device.line().close();
        self.interrupts.close();
        for thread in self.threads.lock().drain(..) {
            // A panic of the thread was printed when it happened.
            let _ = thread.join();
        }
    }

    /// Everything between the start of the device and the first client.
    fn initialize(self: &Arc<Self>, early: EarlyCaps) -> Result<(), StartError> {
        self.negotiate_features()?;
        self.driver
            .query_child_relations(self.context(), 0)
            .in_step("DxgkDdiQueryChildRelations")?;
        let caps = self.query_caps(early)?;
        rules::all(&caps, &self.situation()).in_step("capabilities")?;
        *self.caps.write() = Some(Arc::new(caps));
        self.probe_queries()?;
        self.start_power()?;
        self.setup_scheduling()?;
        self.create_system()
    }

    fn negotiate_features(&self) -> Result<(), StartError> {
        const STEP: &str = "feature negotiation";
        self.probe_feature_interface().in_step(STEP)?;
        let mut on = Vec::new();
        for (name, id) in [
            ("HWSCH", DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH),
            ("NATIVE_FENCE", DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE),
            (
                "USER_MODE_SUBMISSION",
                DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION,
            ),
            (
                "KERNEL_MODE_TESTING",
                DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING,
            ),
        ] {
            let state = self.feature(id);
            if state.enabled {
                on.push(format!("{name} v{}", state.version));
            }
        }
        if let Some(rejected) = self.features.rejected() {
            return Err(rejected).in_step(STEP);
        }
        self.query_enabled_interfaces().in_step(STEP)?;
        let on = if on.is_empty() {
            String::from("none")
        } else {
            on.join(", ")
        };
        self.step(format!("features on: {on}"));
        Ok(())
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            table: self.driver.table(),
            hwsch: self.is_enabled(DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH),
            native_fence: self.is_enabled(DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE),
            user_mode_submission: self
                .is_enabled(DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION),
            kernel_mode_testing: self.is_enabled(DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING),
            highest_address: self.resources.highest_address(),
            handle: self.handle.value(),
        }
    }

    /// Asks for the driver's caps first and for the rest in an order that the seed selects: the
    /// documents name none.
    fn query_caps(&self, early: EarlyCaps) -> Result<Caps, StartError> {
        let driver = self
            .query(Type::DXGKQAITYPE_DRIVERCAPS, 0u32, DXGK_DRIVERCAPS::ZERO)
            .in_step("DRIVERCAPS")?;
        let nodes = driver.GpuEngineTopology.NbAsymetricProcessingNodes;
        self.step(format!("DRIVERCAPS: {nodes} nodes"));
        let mut caps = Caps {
            early,
            driver,
            segments: super::caps::Segments::default(),
            gpu_mmu: DXGK_GPUMMUCAPS::ZERO,
            levels: Vec::new(),
            physical: None,
            native_fence: None,
            user_mode_submission: None,
            power_components: Vec::new(),
            precision: Vec::new(),
            nodes: Vec::new(),
        };
        let mut steps: [QueryStep; 7] = [
            Self::query_power,
            Self::query_history,
            Self::query_all_segments,
            Self::query_gpu_mmu,
            Self::query_physical,
            Self::query_feature_caps,
            Self::query_nodes,
        ];
        shuffle(&mut steps, self.config.seed);
        for step in steps {
            step(self, &mut caps)?;
        }
        Ok(caps)
    }

    fn query_power(&self, caps: &mut Caps) -> Result<(), StartError> {
        let count = self
            .query(Type::DXGKQAITYPE_NUMPOWERCOMPONENTS, 0u32, 0u32)
            .in_step("NUMPOWERCOMPONENTS")?;
        self.power.set_components(count);
        for index in 0..count.min(256) {
            let zero = DXGK_POWER_RUNTIME_COMPONENT::ZERO;
            let component = self.query(Type::DXGKQAITYPE_POWERCOMPONENTINFO, index, zero);
            caps.power_components
                .push(component.in_step("POWERCOMPONENTINFO")?);
        }
        self.step(format!("power components: {count}"));
        Ok(())
    }

    fn query_history(&self, caps: &mut Caps) -> Result<(), StartError> {
        let nodes = caps.driver.GpuEngineTopology.NbAsymetricProcessingNodes;
        caps.precision = self
            .query_precision(nodes)
            .in_step("HISTORYBUFFERPRECISION")?;
        Ok(())
    }

    fn query_all_segments(&self, caps: &mut Caps) -> Result<(), StartError> {
        let size = size_of::<DXGK_SEGMENTDESCRIPTOR4>();
        let wider = usize::try_from(self.config.seed % 3).unwrap_or(0) * 16;
        caps.segments = self.query_segments(size + wider).in_step("QUERYSEGMENT4")?;
        self.step(format!("segments: {}", caps.segments.reported));
        Ok(())
    }

    fn query_gpu_mmu(&self, caps: &mut Caps) -> Result<(), StartError> {
        caps.gpu_mmu = self
            .query(Type::DXGKQAITYPE_GPUMMUCAPS, 0u32, DXGK_GPUMMUCAPS::ZERO)
            .in_step("GPUMMUCAPS")?;
        let levels = caps.gpu_mmu.PageTableLevelCount;
        caps.levels = self.query_levels(levels).in_step("PAGETABLELEVELDESC")?;
        let bits = caps.gpu_mmu.VirtualAddressBitCount;
        self.step(format!(
            "GPU virtual addresses: {bits} bits, {levels} levels"
        ));
        Ok(())
    }

    /// Drivers that refuse this one are known to start.
    fn query_physical(&self, caps: &mut Caps) -> Result<(), StartError> {
        let zero = DXGK_PHYSICALADAPTERCAPS::ZERO;
        let answer = self.query(Type::DXGKQAITYPE_PHYSICALADAPTERCAPS, 0u32, zero);
        if refusal(answer.map(drop)).is_none() {
            caps.physical = Some(PhysicalAdapter(answer.in_step("PHYSICALADAPTERCAPS")?));
        }
        Ok(())
    }

    fn query_feature_caps(&self, caps: &mut Caps) -> Result<(), StartError> {
        let situation = self.situation();
        if situation.native_fence {
            let zero = DXGK_NATIVE_FENCE_CAPS::ZERO;
            let answer = self.query(Type::DXGKQAITYPE_NATIVE_FENCE_CAPS, 0u32, zero);
            caps.native_fence = Some(answer.in_step("NATIVE_FENCE_CAPS")?);
        }
        if situation.user_mode_submission {
            let zero = DXGK_USERMODESUBMISSION_CAPS::ZERO;
            let answer = self.query(Type::DXGKQAITYPE_USERMODESUBMISSION_CAPS, 0u32, zero);
            let answer = answer.in_step("USERMODESUBMISSION_CAPS")?;
            self.step(format!("doorbells: {} bytes", answer.DoorbellSizeInBytes));
            caps.user_mode_submission = Some(answer);
        }
        Ok(())
    }

    fn query_nodes(&self, caps: &mut Caps) -> Result<(), StartError> {
        const STEP: &str = "DxgkDdiGetNodeMetadata";
        let nodes = caps
            .driver
            .GpuEngineTopology
            .NbAsymetricProcessingNodes
            .min(64);
        for node in 0..nodes {
            let metadata = self
                .driver
                .get_node_metadata(self.context(), node)
                .in_step(STEP)?;
            let DXGK_NODEMETADATA {
                EngineType, Flags, ..
            } = metadata;
            self.step(format!(
                "node {node}: engine type {}, {Flags:?}",
                EngineType.0
            ));
            caps.nodes.push(metadata);
        }
        let beyond = self.driver.get_node_metadata(self.context(), nodes);
        Rule::new(
            "a node that does not exist is STATUS_INVALID_PARAMETER",
            "nc-d3dkmddi-dxgkddi_getnodemetadata",
        )
        .demand(
            refusal(beyond.map(drop)) == Some(NTSTATUS::STATUS_INVALID_PARAMETER),
            "DxgkDdiGetNodeMetadata(node count)",
            beyond.map(drop),
        )
        .in_step(STEP)
    }

    /// Asks what has no answer, and what does not fit; both must be refused without a trace.
    fn probe_queries(&self) -> Result<(), StartError> {
        const REFUSED: Rule = Rule::new(
            "has to be refused: the type is unknown or the buffer too small",
            "nc-d3dkmddi-dxgkddi_queryadapterinfo",
        );
        // Both may be refused: most drivers have nothing to tell.
        let version = DXGK_GPUVERSION::ZERO;
        let _ = self.query(Type::DXGKQAITYPE_GPUVERSION, 0u32, version);
        let perf = DXGK_ADAPTER_PERFDATACAPS::ZERO;
        let _ = self.query(Type::DXGKQAITYPE_ADAPTERPERFDATA_CAPS, 0u32, perf);
        let unknown = self.query(Type(0x7FFF), 0u32, [0u8; 64]);
        REFUSED
            .demand(
                unknown.is_err(),
                "DxgkDdiQueryAdapterInfo(0x7FFF)",
                "success",
            )
            .in_step("probes")?;
        let short = self.query(Type::DXGKQAITYPE_GPUMMUCAPS, 0u32, 0u32);
        REFUSED
            .demand(
                short.is_err(),
                "DxgkDdiQueryAdapterInfo(GPUMMUCAPS, 4 bytes)",
                "success",
            )
            .in_step("probes")
    }

    fn start_power(&self) -> Result<(), StartError> {
        const STEP: &str = "DxgkDdiPowerRuntimeControlRequest";
        let supported = self
            .caps()
            .is_some_and(|caps| caps.driver.SupportRuntimePowerManagement != 0);
        if supported {
            for code in [
                GUID_DXGKDDI_POWER_MANAGEMENT_PREPARE_TO_START,
                GUID_DXGKDDI_POWER_MANAGEMENT_STARTED,
            ] {
                self.driver
                    .power_runtime_control_request(self.context(), code)
                    .in_step(STEP)?;
            }
        }
        Ok(())
    }

    fn setup_scheduling(&self) -> Result<(), StartError> {
        if !self.is_enabled(DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH) {
            return Ok(());
        }
        let bands = DXGKARG_SETUPPRIORITYBANDS {
            gracePeriodForBand: [0, QUANTUM, QUANTUM, QUANTUM],
            processQuantumForBand: [QUANTUM; 4],
            processGracePeriodForBand: [QUANTUM; 4],
            targetNormalBandPercentage: NORMAL_SHARE,
        };
        let set = self.driver.setup_priority_bands(self.context(), &bands);
        set.in_step("DxgkDdiSetupPriorityBands")?;
        self.step("priority bands set");
        Ok(())
    }
}

/// Puts `items` into an order that `seed` selects; 0 keeps the order.
fn shuffle<T>(items: &mut [T], seed: u64) {
    if seed == 0 {
        return;
    }
    let mut state = seed;
    for last in (1..items.len()).rev() {
        // Knuth's linear congruential generator; its high half is good enough for an order.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bound = last as u64 + 1;
        let other = usize::try_from((state / (1 << 33)) % bound).unwrap_or(0);
        items.swap(last, other);
    }
}
