//! The object manager of a started [`Adapter`].

use std::sync::Arc;

use carillon_ddi::{D3DDDI_DOORBELLSTATUS, DXGK_FEATURE_ID, DXGK_HANDLE_TYPE, NTSTATUS};

use super::completion::Completions;
use super::rotation::DoorbellBar;
use super::{AdapterFacts, ObjectError, ObjectManager, Platform};
use crate::device::power::{Retention, TouchedAsleep};
use crate::dxgk::adapter::Adapter;
use crate::dxgk::adapter::caps::Caps;
use crate::dxgk::handle::{KmdHandle, OsHandle};
use crate::dxgk::interface::Objects;
use crate::dxgk::kmt::AdapterView;
use crate::dxgk::vidmm::MmError;
use crate::dxgk::vidmm::geometry::MemoryFacts;
use crate::dxgk::vidmm::system::PagingProcess;
use crate::nt;
use crate::trap::shared::SharedRegion;

/// Bytes of the paging process' address space unless the driver asks for others.
const PAGING_VA_BYTES: u64 = 1 << 30;

/// How the hardware's doorbells are shared; the DDI does not tell the OS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DoorbellSharing {
    /// Each serves one queue at a time: a page with two connected doorbells is a breach.
    #[default]
    Dedicated,
    /// Queues share them.
    Global,
}

/// The adapter as the object manager sees it.
struct AdapterPlatform {
    adapter: Arc<Adapter>,
}

/// `MmGetPhysicalAddress`, as the driver would call it.
type GetPhysicalAddress = unsafe extern "win64" fn(u64) -> u64;

impl DoorbellBar for AdapterPlatform {
    fn region(&self) -> &Arc<SharedRegion> {
        self.adapter.device().doorbells()
    }

    fn offset_of(&self, kernel_address: usize) -> Option<usize> {
        let at = nt::registry_of_imports::resolve("ntoskrnl.exe", "MmGetPhysicalAddress")?;
        // SAFETY: the model's own thunk of that function, which takes any address.
        let get: GetPhysicalAddress = unsafe { std::mem::transmute(at) };
        let _attached = self.adapter.driver().nt().attach();
        // SAFETY: as above; the thread is attached to the session.
        let physical = unsafe { get(kernel_address as u64) };
        let [_, doorbells, _] = self.adapter.device().bars();
        let offset = physical
            .checked_sub(doorbells.base.0)
            .filter(|at| *at < doorbells.len)?;
        usize::try_from(offset).ok()
    }
}

impl Platform for AdapterPlatform {
    fn doorbells(&self) -> &dyn DoorbellBar {
        self
    }

    fn synchronized(&self, f: &mut dyn FnMut()) {
        self.adapter.synchronized_with_interrupt(f);
    }

    fn power_off(&self, retained: Retention) -> Result<(), ObjectError> {
        let device = self.adapter.device();
        device.power_off(retained).map_err(|_| ObjectError::Host)
    }

    fn power_on(&self) -> Result<TouchedAsleep, ObjectError> {
        let device = self.adapter.device();
        device.power_on().map_err(|_| ObjectError::Host)
    }
}

/// Callbacks of an adapter that hold the manager weakly: the adapter must not keep alive what has
/// to outlive it by a moment only.
struct WeakObjects(std::sync::Weak<ObjectManager>);

impl Objects for WeakObjects {
    fn disconnect_doorbell(
        &self,
        queue: OsHandle,
        doorbell: OsHandle,
        reason: D3DDDI_DOORBELLSTATUS,
    ) -> NTSTATUS {
        let refused = NTSTATUS::STATUS_INVALID_PARAMETER;
        let manager = self.0.upgrade();
        manager.map_or(refused, |m| m.disconnect_callback(queue, doorbell, reason))
    }

    fn invalidate_hw_context(&self, context: OsHandle, collateral_damage: bool) -> NTSTATUS {
        let refused = NTSTATUS::STATUS_INVALID_PARAMETER;
        let manager = self.0.upgrade();
        manager.map_or(refused, |m| {
            m.invalidate_hw_context(context, collateral_damage)
        })
    }

    fn handle_data(
        &self,
        handle: u32,
        kind: DXGK_HANDLE_TYPE,
        device_specific: bool,
    ) -> Option<KmdHandle> {
        self.0.upgrade()?.handle_data(handle, kind, device_specific)
    }
}

fn facts(caps: &Caps, sharing: DoorbellSharing) -> AdapterFacts {
    let user_mode = caps.user_mode_submission_nodes();
    let nodes = u32::try_from(caps.nodes.len()).unwrap_or(0);
    let doorbells = caps.user_mode_submission;
    AdapterFacts {
        memory: MemoryFacts {
            segments: caps.segments.list.clone(),
            paging_buffer_bytes: caps.segments.paging.size,
            paging_private_bytes: caps.segments.paging.private_size,
            mmu: caps.gpu_mmu,
            levels: caps.levels.clone(),
            paging_node: caps.paging_node(),
            paging_va_bytes: PAGING_VA_BYTES,
        },
        map_fences_to_system: caps
            .native_fence
            .is_some_and(|caps| caps.MapToGpuSystemProcess != 0),
        doorbell_bytes: doorbells.map_or(0, |caps| caps.DoorbellSizeInBytes),
        secondary_doorbell_bytes: doorbells.map_or(0, |caps| caps.SecondaryDoorbellSizeInBytes),
        user_mode_nodes: (0..nodes).map(|node| user_mode.contains(&node)).collect(),
        dedicated_doorbells: sharing == DoorbellSharing::Dedicated,
    }
}

impl ObjectManager {
    /// Sets up the object manager of a started adapter and has the adapter's notifications and
    /// callbacks answered by it.
    ///
    /// # Errors
    /// [`MmError::NoPagingContext`] when the adapter is not started; else as for
    /// [`ObjectManager::start`].
    pub fn attach(adapter: &Arc<Adapter>, sharing: DoorbellSharing) -> Result<Arc<Self>, MmError> {
        let caps = adapter.caps().ok_or(MmError::NoPagingContext)?;
        let system = adapter.system().ok_or(MmError::NoPagingContext)?;
        let completions = Completions::new(adapter.driver().clone());
        adapter.set_notifications(completions.clone());
        let manager = Self::start(
            adapter.driver().clone(),
            adapter.context(),
            PagingProcess {
                process: system.process,
                context: system.context,
            },
            facts(&caps, sharing),
            completions,
            Arc::new(AdapterPlatform {
                adapter: adapter.clone(),
            }),
        )?;
        adapter.set_objects(Arc::new(WeakObjects(Arc::downgrade(&manager))));
        Ok(manager)
    }
}

impl AdapterView {
    /// What clients are told of an adapter.
    ///
    /// # Errors
    /// [`MmError::NoPagingContext`] when the adapter is not started.
    pub fn of(adapter: &Adapter) -> Result<Self, MmError> {
        let caps = adapter.caps().ok_or(MmError::NoPagingContext)?;
        let user_mode = caps.user_mode_submission_nodes();
        let node =
            |(ordinal, kind): (u32, i32)| (kind.cast_unsigned(), user_mode.contains(&ordinal));
        let kinds = caps.nodes.iter().map(|node| { node.EngineType }.0);
        let features = [
            DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH,
            DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION,
            DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE,
        ];
        let enabled = features.into_iter().filter(|id| adapter.is_enabled(*id));
        Ok(Self {
            nodes: (0..).zip(kinds).map(node).collect(),
            features: enabled.map(|id| id.0.cast_unsigned()).collect(),
        })
    }
}
