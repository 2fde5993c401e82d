//! The kernel thunks that user-mode submission needs, as a trait.
//!
//! One object is one process on one adapter. Methods carry the names of the D3DKMT thunks and
//! return when the thunk would: paging work that a thunk starts is waited for inside. All are
//! called at PASSIVE level of a user thread and may be called from several threads at once.
//!
//! Some results are addresses that the kernel unmaps when the object goes. The destroying methods
//! are therefore `unsafe`: their caller promises that no word or mapping of the object is used
//! afterwards. [`crate::queue::UserQueue`] keeps that promise for its users.

use core::fmt;
use core::time::Duration;

use carillon_hw::addr::GpuVa;

use crate::memory::{Mapping, ReadWord, SharedWord};

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), ":{:#x}"), self.0)
            }
        }
    };
}

handle!(
    /// `D3DKMT_HANDLE` of a device.
    DeviceHandle
);
handle!(
    /// `D3DKMT_HANDLE` of a hardware context.
    ContextHandle
);
handle!(
    /// `D3DKMT_HANDLE` of a hardware queue.
    QueueHandle
);
handle!(
    /// `D3DKMT_HANDLE` of an allocation.
    AllocationHandle
);
handle!(
    /// `D3DKMT_HANDLE` of a fence (a synchronization object).
    FenceHandle
);
handle!(
    /// `D3DKMT_HANDLE` of a doorbell.
    DoorbellHandle
);

/// A status that the kernel returned. Negative values are failures.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NtStatus(pub i32);

impl NtStatus {
    /// The call succeeded.
    pub const SUCCESS: Self = Self(0);
    /// `STATUS_UNSUCCESSFUL`.
    pub const UNSUCCESSFUL: Self = Self(0xC000_0001_u32.cast_signed());
    /// `STATUS_INVALID_PARAMETER`.
    pub const INVALID_PARAMETER: Self = Self(0xC000_000D_u32.cast_signed());
    /// `STATUS_NO_MEMORY`.
    pub const NO_MEMORY: Self = Self(0xC000_0017_u32.cast_signed());
    /// `STATUS_NOT_SUPPORTED`.
    pub const NOT_SUPPORTED: Self = Self(0xC000_00BB_u32.cast_signed());
    /// `STATUS_DEVICE_REMOVED`.
    pub const DEVICE_REMOVED: Self = Self(0xC000_02B6_u32.cast_signed());

    /// Whether the status reports success (success and informational severities).
    pub const fn is_success(self) -> bool {
        self.0 >= 0
    }
}

impl fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010X}", self.0)
    }
}

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A thunk failed.
///
/// # Invariants
/// `status` is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{thunk} failed with {status}")]
pub struct KmtError {
    thunk: &'static str,
    status: NtStatus,
}

impl KmtError {
    /// The failure of `thunk`. A `status` that reports success becomes `STATUS_UNSUCCESSFUL`: the
    /// caller has decided that the call failed.
    pub const fn new(thunk: &'static str, status: NtStatus) -> Self {
        let status = if status.is_success() {
            NtStatus::UNSUCCESSFUL
        } else {
            status
        };
        Self { thunk, status }
    }

    /// Turns what `thunk` returned into a result.
    ///
    /// # Errors
    /// `status` is a failure.
    pub const fn check(thunk: &'static str, status: NtStatus) -> Result<(), Self> {
        if status.is_success() {
            Ok(())
        } else {
            Err(Self { thunk, status })
        }
    }

    /// Name of the thunk, `D3DKMT...`.
    pub const fn thunk(&self) -> &'static str {
        self.thunk
    }

    /// What it returned; always a failure.
    pub const fn status(&self) -> NtStatus {
        self.status
    }
}

/// `DXGK_FEATURE_ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FeatureId(pub u32);

impl FeatureId {
    /// Hardware scheduling.
    pub const HWSCH: Self = Self(0);
    /// User-mode work submission.
    pub const USER_MODE_SUBMISSION: Self = Self(4);
    /// Native GPU fences.
    pub const NATIVE_FENCE: Self = Self(37);
}

/// Ordinal of a node (an engine class) of the adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeOrdinal(pub u32);

/// `DXGK_ENGINE_TYPE`; open, since drivers may know more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EngineKind(pub u32);

impl EngineKind {
    /// Anything else, compute included.
    pub const OTHER: Self = Self(0);
    /// The 3D engine.
    pub const THREE_D: Self = Self(1);
    /// A copy engine.
    pub const COPY: Self = Self(6);
}

/// What the client needs of `DXGK_NODEMETADATA`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeMetadata {
    /// What the engines of the node do.
    pub kind: EngineKind,
    /// Hardware queues of the node may be created for user-mode submission.
    pub user_mode_submission: bool,
}

/// What to create a hardware queue for.
#[derive(Clone, Copy, Debug)]
pub struct CreateHwQueue<'a> {
    /// The hardware context that the queue runs in.
    pub context: ContextHandle,
    /// The queue will be fed through a doorbell (`UserModeSubmission`). Its progress fence is a
    /// native fence then, which the client's command buffers signal. Else the queue is fed by
    /// [`Kmt::submit_command_to_hw_queue`]; its command buffers signal the progress fence too.
    pub user_mode_submission: bool,
    /// Private driver data; may be empty.
    pub private_data: &'a [u8],
}

/// A hardware queue's progress fence, as its creator sees it.
#[derive(Clone, Copy, Debug)]
pub struct ProgressFence {
    /// Handle of the fence, for [`Kmt::wait_for_fence`] and for the queue's `FenceSignal` packets.
    pub handle: FenceHandle,
    /// Current value as the CPU reads it.
    pub current_value: ReadWord,
    /// Current value as the GPU writes it.
    pub current_value_gpu: GpuVa,
    /// Monitored value as the GPU reads it; address 0 if the fence has none.
    pub monitored_value_gpu: GpuVa,
}

/// A new hardware queue.
#[derive(Clone, Copy, Debug)]
pub struct HwQueue {
    /// Handle of the queue.
    pub handle: QueueHandle,
    /// Its progress fence; starts at 0.
    pub progress_fence: ProgressFence,
}

/// Bytes of doorbell private data (`D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1`).
pub const DOORBELL_PRIVATE_DATA_BYTES: usize = 16;

/// What to create a doorbell for.
#[derive(Clone, Copy, Debug)]
pub struct CreateDoorbell<'a> {
    /// The hardware queue, created for user-mode submission.
    pub queue: QueueHandle,
    /// The ring buffer. Resident.
    pub ring: AllocationHandle,
    /// The allocation of the ring control block, if that is not in `ring`. Resident.
    pub control: Option<AllocationHandle>,
    /// Private driver data that goes in, at most [`DOORBELL_PRIVATE_DATA_BYTES`] bytes.
    pub private_data: &'a [u8],
    /// The doorbell replaces the queue's older one, with a new ring (`ResizeRingBufferOperation`).
    pub resize: bool,
    /// A second doorbell location is needed (`RequireSecondaryCpuVA`).
    pub require_secondary: bool,
}

/// A new doorbell. All addresses stay the same until it is destroyed.
#[derive(Clone, Copy, Debug)]
pub struct Doorbell {
    /// Handle of the doorbell.
    pub handle: DoorbellHandle,
    /// Where to ring. A harmless page is behind it while the doorbell is not connected.
    pub address: SharedWord,
    /// The second location, if one was asked for.
    pub secondary_address: Option<SharedWord>,
    /// The status word, a [`DoorbellStatus`]; starts as `DISCONNECTED_RETRY`.
    pub status: ReadWord,
    /// Where the client publishes the last progress fence value that it queued.
    pub last_queued: SharedWord,
    /// The private driver data as the driver left it; bytes past what went in are zero.
    pub private_data: [u8; DOORBELL_PRIVATE_DATA_BYTES],
}

/// `D3DDDI_DOORBELLSTATUS`, open: it is read from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorbellStatus(pub u64);

impl DoorbellStatus {
    /// Rings reach the device.
    pub const CONNECTED: Self = Self(0);
    /// Rings reach the device, and the driver wants [`Kmt::notify_work_submission`] after each.
    pub const CONNECTED_NOTIFY_KMD: Self = Self(1);
    /// Rings go nowhere; connect and ring again.
    pub const DISCONNECTED_RETRY: Self = Self(2);
    /// The queue is lost; destroy it.
    pub const DISCONNECTED_ABORT: Self = Self(3);
}

/// A command buffer for a hardware queue that the kernel feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmitCommand {
    /// The hardware queue, created without user-mode submission.
    pub queue: QueueHandle,
    /// The command buffer.
    pub command_buffer: GpuVa,
    /// Its length in bytes.
    pub command_bytes: u32,
    /// Progress fence value that the last packet of the buffer signals
    /// (`HwQueueProgressFenceId`).
    pub progress_fence_value: u64,
}

/// A private message to the driver (`D3DKMT_ESCAPE` of type `D3DKMT_ESCAPE_DRIVERPRIVATE`).
#[derive(Debug)]
pub struct Escape<'a> {
    /// The device it is about, if it is about one.
    pub device: Option<DeviceHandle>,
    /// The context it is about, if it is about one.
    pub context: Option<ContextHandle>,
    /// In and out.
    pub private_data: &'a mut [u8],
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// The fence has reached the value.
    Reached,
    /// The time was over first.
    TimedOut,
}

/// One process on one adapter; see the [module](self).
pub trait Kmt: Send + Sync {
    /// `D3DKMTIsFeatureEnabled`: whether a feature is enabled on the adapter.
    fn is_feature_enabled(&self, feature: FeatureId) -> Result<bool, KmtError>;

    /// Number of nodes of physical adapter 0.
    fn node_count(&self) -> Result<u32, KmtError>;

    /// `D3DKMTQueryAdapterInfo(NODEMETADATA)` of one node.
    fn node_metadata(&self, node: NodeOrdinal) -> Result<NodeMetadata, KmtError>;

    /// `D3DKMTCreateDevice`.
    fn create_device(&self) -> Result<DeviceHandle, KmtError>;

    /// `D3DKMTDestroyDevice`.
    ///
    /// # Safety
    /// No word or mapping that belongs to an object of the device is used afterwards.
    unsafe fn destroy_device(&self, device: DeviceHandle) -> Result<(), KmtError>;

    /// `D3DKMTCreateHwContext` on one node, without private data.
    fn create_hw_context(
        &self,
        device: DeviceHandle,
        node: NodeOrdinal,
    ) -> Result<ContextHandle, KmtError>;

    /// `D3DKMTDestroyHwContext`. Queues of the context are destroyed before.
    fn destroy_hw_context(&self, context: ContextHandle) -> Result<(), KmtError>;

    /// `D3DKMTCreateAllocation2` of one allocation. `private_data` is
    /// [`AllocationPrivateData`](carillon_hw::allocation::AllocationPrivateData). New memory reads
    /// zero.
    fn create_allocation(
        &self,
        device: DeviceHandle,
        private_data: &[u8],
    ) -> Result<AllocationHandle, KmtError>;

    /// `D3DKMTDestroyAllocation2`; a [`Self::lock`] ends with it.
    ///
    /// # Safety
    /// The allocation's [`Mapping`], and every word taken from it, is not used afterwards.
    unsafe fn destroy_allocation(
        &self,
        device: DeviceHandle,
        allocation: AllocationHandle,
    ) -> Result<(), KmtError>;

    /// `D3DKMTLock2`: the CPU view of an allocation in system memory. It stays valid until the
    /// allocation is destroyed, also while the allocation is not resident. Locking twice returns
    /// the same view.
    fn lock(&self, device: DeviceHandle, allocation: AllocationHandle)
    -> Result<Mapping, KmtError>;

    /// `D3DKMTMapGpuVirtualAddress` of a whole allocation, readable and writable, at an address
    /// that the kernel chooses; page aligned. Returns when the page tables are written.
    fn map_gpu_virtual_address(
        &self,
        device: DeviceHandle,
        allocation: AllocationHandle,
    ) -> Result<GpuVa, KmtError>;

    /// `D3DKMTFreeGpuVirtualAddress` of a range that one
    /// [`map`](Self::map_gpu_virtual_address) returned.
    fn free_gpu_virtual_address(
        &self,
        device: DeviceHandle,
        address: GpuVa,
    ) -> Result<(), KmtError>;

    /// `D3DKMTMakeResident`. Counted: each call is undone by one [`Self::evict`]. Returns when the
    /// memory is resident.
    fn make_resident(
        &self,
        device: DeviceHandle,
        allocations: &[AllocationHandle],
    ) -> Result<(), KmtError>;

    /// `D3DKMTEvict`.
    fn evict(&self, device: DeviceHandle, allocations: &[AllocationHandle])
    -> Result<(), KmtError>;

    /// `D3DKMTCreateHwQueue`.
    fn create_hw_queue(&self, create: &CreateHwQueue<'_>) -> Result<HwQueue, KmtError>;

    /// `D3DKMTDestroyHwQueue`, the progress fence included.
    ///
    /// # Safety
    /// The progress fence's words are not used afterwards.
    unsafe fn destroy_hw_queue(&self, queue: QueueHandle) -> Result<(), KmtError>;

    /// `D3DKMTCreateDoorbell`. The doorbell starts disconnected.
    fn create_doorbell(&self, create: &CreateDoorbell<'_>) -> Result<Doorbell, KmtError>;

    /// `D3DKMTConnectDoorbell`. When it returns success the status word has been rewritten.
    fn connect_doorbell(&self, doorbell: DoorbellHandle) -> Result<(), KmtError>;

    /// `D3DKMTDestroyDoorbell`.
    ///
    /// # Safety
    /// The doorbell's words are not used afterwards.
    unsafe fn destroy_doorbell(&self, doorbell: DoorbellHandle) -> Result<(), KmtError>;

    /// `D3DKMTNotifyWorkSubmission`.
    fn notify_work_submission(&self, doorbell: DoorbellHandle) -> Result<(), KmtError>;

    /// `D3DKMTEscape`, without flags. The private data comes back as the driver left it, on failure
    /// too.
    fn escape(&self, escape: Escape<'_>) -> Result<(), KmtError>;

    /// `D3DKMTSubmitCommandToHwQueue`.
    fn submit_command_to_hw_queue(&self, submit: &SubmitCommand) -> Result<(), KmtError>;

    /// `D3DKMTWaitForSynchronizationObjectFromCpu` on one fence: until its current value is at
    /// least `value`, or `timeout` is over.
    fn wait_for_fence(
        &self,
        fence: FenceHandle,
        value: u64,
        timeout: Duration,
    ) -> Result<WaitOutcome, KmtError>;
}
