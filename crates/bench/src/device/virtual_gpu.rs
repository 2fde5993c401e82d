//! The virtual GPU as a device of the bench's machine.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
use std::io;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use carillon_hw::addr::BusAddress;
use carillon_hw::regs::{Control, offset};
use carillon_vgpu::{Bus, BusFault, Config, Gpu, SharedMemory, VgpuError};

use super::{Device, Function, InterruptLine};
use crate::nt::Nt;
use crate::trap::shared::{SharedMapping, SharedRegion};

/// Why the device cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VirtualGpuError {
    /// The device refuses its parameters.
    #[error(transparent)]
    Device(#[from] VgpuError),
    /// The host has no memory.
    #[error("the host cannot share memory with the device: {0}")]
    Host(#[from] io::Error),
}

/// What the device sees of the machine: guest-physical memory and its interrupt.
struct MachineBus {
    memory: SharedMapping,
    base: u64,
    line: Arc<InterruptLine>,
}

impl MachineBus {
    /// Where `bytes` bytes at `address` are in this process.
    fn locate(&self, address: BusAddress, bytes: usize) -> Result<*mut u8, BusFault> {
        let fault = BusFault(address);
        let offset = address.0.checked_sub(self.base).ok_or(fault)?;
        let offset = usize::try_from(offset).map_err(|_| fault)?;
        let end = offset.checked_add(bytes).ok_or(fault)?;
        if end > self.memory.len() {
            return Err(fault);
        }
        Ok(self.memory.as_ptr().wrapping_add(offset))
    }

    fn word(&self, address: BusAddress) -> Result<&AtomicU64, BusFault> {
        #[expect(clippy::cast_ptr_alignment, reason = "checked right behind the cast")]
        let at = self.locate(address, 8)?.cast::<u64>();
        if !at.is_aligned() {
            return Err(BusFault(address));
        }
        // SAFETY: eight aligned bytes of the mapping, which lives as long as `self`; everybody
        // who shares such a word with the device accesses it atomically or as whole bytes.
        Ok(unsafe { AtomicU64::from_ptr(at) })
    }
}

impl Bus for MachineBus {
    fn read(&self, address: BusAddress, into: &mut [u8]) -> Result<(), BusFault> {
        let from = self.locate(address, into.len())?;
        // SAFETY: the source was checked to lie in the mapping; the target is not in it, as it is
        // a borrowed slice of the device.
        unsafe { ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len()) };
        Ok(())
    }

    fn write(&self, address: BusAddress, from: &[u8]) -> Result<(), BusFault> {
        let into = self.locate(address, from.len())?;
        // SAFETY: as in `read`, with the roles exchanged.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), into, from.len()) };
        Ok(())
    }

    fn load_u64(&self, address: BusAddress) -> Result<u64, BusFault> {
        Ok(self.word(address)?.load(Ordering::Acquire))
    }

    fn store_u64(&self, address: BusAddress, value: u64) -> Result<(), BusFault> {
        self.word(address)?.store(value, Ordering::Release);
        Ok(())
    }

    fn prefetch(&self, address: BusAddress) {
        if let Ok(at) = self.locate(address, 8) {
            // SAFETY: a prefetch reads no value and never faults; the address is mapped besides.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast_const().cast()) };
        }
    }

    fn raise(&self, _vector: u16) {
        self.line.raise();
    }
}

/// The device as a PCI function.
struct GpuFunction(Arc<Gpu>);

impl Function for GpuFunction {
    fn register_read(&self, offset: u64, width: u8) -> u64 {
        self.0.register_read(offset, width)
    }

    fn register_write(&self, offset: u64, width: u8, value: u64) {
        self.0.register_write(offset, width, value);
    }

    fn config_read(&self, offset: u16, width: u8) -> u32 {
        self.0.config_read(offset, width)
    }

    fn config_write(&self, offset: u16, width: u8, value: u32) {
        self.0.config_write(offset, width, value);
    }

    fn power_on_state(&self) {
        let reset = Control::new().with_reset(true).into_bits();
        self.0.register_write(offset::CONTROL, 4, reset.into());
        // Reads zero once the device has stopped and forgotten everything.
        while self.0.register_read(offset::CONTROL, 4) == u64::from(reset) {
            std::hint::spin_loop();
        }
    }
}

/// Makes a virtual GPU for the machine of `nt`.
///
/// # Errors
/// When the device refuses `config`, or the host has no memory.
pub fn attach(nt: &Nt, config: Config) -> Result<(Arc<Device>, Arc<Gpu>), VirtualGpuError> {
    let line = InterruptLine::new();
    let region = nt.memory.region();
    let bus = MachineBus {
        memory: region.map(0, region.len())?,
        base: nt.memory.base().0,
        line: line.clone(),
    };
    let gpu = Arc::new(Gpu::new(config, Arc::new(bus))?);
    let doorbells = share(gpu.doorbell_memory())?;
    let vram = share(gpu.vram_memory())?;
    let function = Arc::new(GpuFunction(gpu.clone()));
    Ok((Device::new(function, doorbells, vram, line), gpu))
}

/// The device's memory as a region of the machine.
fn share(memory: &SharedMemory) -> io::Result<Arc<SharedRegion>> {
    let file = memory.as_fd().try_clone_to_owned()?;
    let bytes = usize::try_from(memory.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
    Ok(SharedRegion::from_fd(file, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::physical::PhysicalAddress;

    #[test]
    fn the_device_sees_the_memory_of_the_machine_and_nothing_beside_it() {
        let nt = Nt::new().unwrap();
        let page = nt.memory.allocate(1, 1, PhysicalAddress(u64::MAX)).unwrap();
        let region = nt.memory.region();
        let line = InterruptLine::new();
        let memory = region.map(0, region.len()).unwrap();
        let base = nt.memory.base().0;
        let bus = MachineBus {
            memory,
            base,
            line: line.clone(),
        };
        bus.store_u64(BusAddress(page.0 + 8), 0x1122).unwrap();
        let host = nt.memory.host_ptr(page, 16).unwrap();
        // SAFETY: the page was just allocated and nobody else uses it.
        assert_eq!(unsafe { host.wrapping_add(8).read() }, 0x22);
        let end = BusAddress(base + nt.memory.len());
        assert_eq!(bus.load_u64(BusAddress(end.0 - 8)), Ok(0));
        assert_eq!(bus.load_u64(end), Err(BusFault(end)));
        assert_eq!(
            bus.read(BusAddress(end.0 - 1), &mut [0; 2]),
            Err(BusFault(BusAddress(end.0 - 1)))
        );
        assert!(bus.write(BusAddress(base - 1), &[0]).is_err());
        assert!(bus.load_u64(BusAddress(base + 4)).is_err(), "not aligned");
        bus.raise(0);
        assert!(line.wait());
    }
}
