//! What the core needs from outside: locks, time, registers, local memory, bus memory, dxgkrnl.
//!
//! The driver's rim implements these over the kernel; the tests implement them over plain memory.
//! None of them takes or returns a pointer.

use carillon_hw::addr::{BusAddress, VramOffset};
use lock_api::RawMutex;

use crate::error::Result;
use crate::handle::OsHandle;
use crate::irql::{Dispatch, Passive};
use crate::notify::Notification;

/// Time since boot in units of 100 ns, never running backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(pub u64);

impl Ticks {
    /// Time from `earlier` to `self`, zero if that is in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

/// Everything at once; one implementation in the driver, one in the tests.
pub trait Platform: Send + Sync + 'static {
    /// A lock that is only taken at PASSIVE_LEVEL and may be held while waiting for nobody.
    type PassiveLock: RawMutex + Send + Sync + 'static;
    /// A lock that raises to DISPATCH_LEVEL while held.
    type SpinLock: RawMutex + Send + Sync + 'static;
    /// Memory that the device can reach.
    type BusMemory: BusMemory;

    /// The current time. Any IRQL.
    fn now(&self) -> Ticks;

    /// Lets other threads run, for at most about a millisecond.
    fn pause(&self, passive: Passive<'_>);

    /// Lets other threads run for about `time`.
    fn rest(&self, passive: Passive<'_>, time: Ticks);

    /// Reads a 32-bit BAR0 register. Any IRQL.
    fn read32(&self, offset: u64) -> u32;
    /// Reads a 64-bit BAR0 register. Any IRQL.
    fn read64(&self, offset: u64) -> u64;
    /// Writes a 32-bit BAR0 register. Any IRQL.
    fn write32(&self, offset: u64, value: u32);
    /// Writes a 64-bit BAR0 register. Any IRQL.
    fn write64(&self, offset: u64, value: u64);

    /// Bytes of local memory that the window shows.
    fn vram_bytes(&self) -> u64;
    /// One aligned 32-bit load with acquire ordering; zero outside the window.
    fn vram_load32(&self, at: VramOffset) -> u32;
    /// One aligned 64-bit load with acquire ordering; zero outside the window.
    fn vram_load64(&self, at: VramOffset) -> u64;
    /// One aligned 64-bit store with release ordering; dropped outside the window.
    fn vram_store64(&self, at: VramOffset, value: u64);

    /// Physically contiguous, zeroed, page-aligned memory.
    ///
    /// # Errors
    /// [`crate::error::Error::NoMemory`].
    fn allocate_bus_memory(&self, passive: Passive<'_>, bytes: usize) -> Result<Self::BusMemory>;

    /// `DxgkCbDisconnectDoorbell`. Called with no lock held.
    fn disconnect_doorbell(
        &self,
        passive: Passive<'_>,
        queue: OsHandle,
        doorbell: OsHandle,
        reason: DisconnectReason,
    ) -> DisconnectOutcome;

    /// `DxgkCbInvalidateHwContext`: a reset took what this context ran. Called with no lock held.
    fn invalidate_context(&self, passive: Passive<'_>, context: OsHandle, blame: Blame);

    /// `DxgkCbSynchronizeExecution` around `DxgkCbNotifyInterrupt`. Called with no lock held.
    /// `false` if the interrupt is not connected: nothing was reported.
    fn notify(&self, dispatch: Dispatch<'_>, notification: &Notification) -> bool;

    /// `DxgkCbQueueDpc`. Any IRQL.
    fn queue_dpc(&self);
}

/// Memory that device and driver share; freed when dropped, at PASSIVE_LEVEL.
pub trait BusMemory: Send + Sync {
    /// Where the device finds it.
    fn address(&self) -> BusAddress;
    /// Its size in bytes.
    fn bytes(&self) -> usize;
    /// One aligned 64-bit load with acquire ordering; zero outside.
    fn load64(&self, offset: usize) -> u64;
    /// One aligned 64-bit store with release ordering; dropped outside.
    fn store64(&self, offset: usize, value: u64);
}

/// What a client whose doorbell is taken away finds in its status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// `DISCONNECTED_RETRY`: connect again.
    Retry,
    /// `DISCONNECTED_ABORT`: the queue is lost.
    Abort,
}

/// What a context has to do with the reset that took its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// It ran on the engine that hung.
    Culprit,
    /// `CollateralDamage`: it was there by chance.
    Bystander,
}

/// What `DxgkCbDisconnectDoorbell` answered. After either, the client's page points elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectOutcome {
    /// The OS has rotated the mapping and written the status.
    Rotated,
    /// `STATUS_INVALID_PARAMETER`: the OS knows the doorbell no more.
    AlreadyGone,
}
