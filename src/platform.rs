//! The core's platform over the Windows kernel.

use core::ptr;

use carillon_core::error::{Error, Result};
use carillon_core::handle::OsHandle;
use carillon_core::irql::{Dispatch, Passive};
use carillon_core::notify::Notification;
use carillon_core::platform::{Blame, DisconnectOutcome, DisconnectReason, Platform, Ticks};
use carillon_hw::addr::{PAGE_SIZE, VramOffset};
use carillon_hw::pci;
use wdk_sys::_MODE::KernelMode;
use wdk_sys::LARGE_INTEGER;
use wdk_sys::ntddk::{KeDelayExecutionThread, KeQueryInterruptTimePrecise};

use crate::dma::BusMemory;
use crate::dxgkrnl::{Dxgkrnl, MemoryResource, memory_resources};
use crate::mmio::Window;
use crate::sync::{PassiveLock, SpinLock};

/// One millisecond.
const ONE_MILLISECOND: Ticks = Ticks(10_000);

/// Waits on behalf of the kernel.
#[expect(clippy::cast_possible_truncation, reason = "0")]
const KERNEL_MODE: i8 = KernelMode as i8;

/// A BAR mapped through dxgkrnl; unmapped when dropped, at PASSIVE_LEVEL.
#[derive(Debug)]
struct Bar {
    dxgkrnl: Dxgkrnl,
    window: Window,
}

impl Bar {
    fn map(passive: Passive<'_>, dxgkrnl: Dxgkrnl, memory: MemoryResource) -> Result<Self> {
        // DxgkCbMapMemory takes 32 bits of length: of a larger BAR the driver sees the first
        // whole pages below 4 GiB.
        let largest = u64::from(u32::MAX) + 1 - PAGE_SIZE;
        let bytes =
            u32::try_from(memory.bytes.min(largest)).map_err(|_| Error::InsufficientResources)?;
        if bytes == 0 {
            return Err(Error::BadHardware);
        }
        let base = dxgkrnl.map_memory(passive, memory.start, bytes)?;
        // SAFETY: a BAR is page aligned and so is its mapping, which stays until `drop`.
        let window = unsafe { Window::new(base, u64::from(bytes)) };
        Ok(Self { dxgkrnl, window })
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`; the window goes with `self`, so nothing accesses it after this.
        unsafe { self.dxgkrnl.unmap_memory(self.window.base()) };
    }
}

/// The kernel, dxgkrnl and the hardware, as the core sees them.
#[derive(Debug)]
pub(crate) struct Kernel {
    dxgkrnl: Dxgkrnl,
    registers: Bar,
    doorbells: Bar,
    vram: Bar,
}

impl Kernel {
    /// Maps the device's three BARs.
    ///
    /// # Errors
    /// [`Error::BadHardware`] when the device has other resources than the documented ones;
    /// [`Error::InsufficientResources`] when they cannot be mapped.
    pub(crate) fn map(passive: Passive<'_>, dxgkrnl: Dxgkrnl) -> Result<Self> {
        let information = dxgkrnl.device_information(passive)?;
        // SAFETY: the list is dxgkrnl's answer of the line above, valid during start (page
        // `nc-dispmprt-dxgkcb_get_device_information`).
        let [registers, doorbells, vram] =
            unsafe { memory_resources::<3>(information.TranslatedResourceList) }?;
        if registers.bytes != pci::BAR_REGISTERS_BYTES {
            return Err(Error::BadHardware);
        }
        Ok(Self {
            dxgkrnl,
            registers: Bar::map(passive, dxgkrnl, registers)?,
            doorbells: Bar::map(passive, dxgkrnl, doorbells)?,
            vram: Bar::map(passive, dxgkrnl, vram)?,
        })
    }

    /// dxgkrnl's callbacks of this adapter.
    pub(crate) const fn dxgkrnl(&self) -> &Dxgkrnl {
        &self.dxgkrnl
    }

    /// Pages that the BAR of the doorbells has.
    pub(crate) fn doorbell_pages(&self) -> u32 {
        u32::try_from(self.doorbells.window.bytes() / PAGE_SIZE).unwrap_or(u32::MAX)
    }

    /// Kernel address of a page of that BAR; NULL for one that the BAR does not have.
    pub(crate) fn doorbell_address(&self, bar_offset: u64) -> *mut u8 {
        let window = &self.doorbells.window;
        let inside = bar_offset
            .checked_add(PAGE_SIZE)
            .is_some_and(|end| end <= window.bytes());
        match usize::try_from(bar_offset) {
            Ok(offset) if inside => window.base().as_ptr().wrapping_add(offset),
            _ => ptr::null_mut(),
        }
    }
}

impl Platform for Kernel {
    type PassiveLock = PassiveLock;
    type SpinLock = SpinLock;
    type BusMemory = BusMemory;

    fn now(&self) -> Ticks {
        let mut counter = 0;
        // SAFETY: callable at any IRQL; the output is ours (page
        // `nf-wdm-kequeryinterrupttimeprecise`).
        Ticks(unsafe { KeQueryInterruptTimePrecise(&raw mut counter) })
    }

    fn pause(&self, _passive: Passive<'_>) {
        pause();
    }

    fn rest(&self, _passive: Passive<'_>, time: Ticks) {
        delay(time);
    }

    fn read32(&self, offset: u64) -> u32 {
        self.registers.window.read32(offset)
    }

    fn read64(&self, offset: u64) -> u64 {
        self.registers.window.read64(offset)
    }

    fn write32(&self, offset: u64, value: u32) {
        self.registers.window.write32(offset, value);
    }

    fn write64(&self, offset: u64, value: u64) {
        self.registers.window.write64(offset, value);
    }

    fn vram_bytes(&self) -> u64 {
        self.vram.window.bytes()
    }

    fn vram_load32(&self, at: VramOffset) -> u32 {
        self.vram.window.load32(at.0)
    }

    fn vram_load64(&self, at: VramOffset) -> u64 {
        self.vram.window.load64(at.0)
    }

    fn vram_store64(&self, at: VramOffset, value: u64) {
        self.vram.window.store64(at.0, value);
    }

    fn allocate_bus_memory(&self, passive: Passive<'_>, bytes: usize) -> Result<BusMemory> {
        BusMemory::allocate(passive, bytes)
    }

    fn disconnect_doorbell(
        &self,
        passive: Passive<'_>,
        queue: OsHandle,
        doorbell: OsHandle,
        reason: DisconnectReason,
    ) -> DisconnectOutcome {
        self.dxgkrnl
            .disconnect_doorbell(passive, queue, doorbell, reason)
    }

    fn invalidate_context(&self, passive: Passive<'_>, context: OsHandle, blame: Blame) {
        self.dxgkrnl.invalidate_hw_context(passive, context, blame);
    }

    fn notify(&self, dispatch: Dispatch<'_>, notification: &Notification) -> bool {
        self.dxgkrnl.notify(dispatch, notification)
    }

    fn queue_dpc(&self) {
        self.dxgkrnl.queue_dpc();
    }
}

/// Lets other threads run for about a millisecond. IRQL: at most APC_LEVEL.
pub(crate) fn pause() {
    delay(ONE_MILLISECOND);
}

/// Lets other threads run, at least until the next tick of the system's clock. IRQL: at most
/// APC_LEVEL.
fn delay(time: Ticks) {
    // Below zero is relative, in the same units of 100 ns.
    let mut interval = LARGE_INTEGER {
        QuadPart: i64::try_from(time.0).map_or(i64::MIN, i64::wrapping_neg),
    };
    // SAFETY: at most APC_LEVEL; not alertable, so it returns when the interval is over (page
    // `nf-wdm-kedelayexecutionthread`). Should it fail, the caller asks again.
    let _ = unsafe { KeDelayExecutionThread(KERNEL_MODE, 0, &raw mut interval) };
}
