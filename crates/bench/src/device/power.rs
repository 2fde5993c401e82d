//! The device without power: what it forgets, and who touches it meanwhile.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use rustix::io::{pread, pwrite};

use super::Device;
use crate::trap::shared::SharedRegion;

/// Bytes that are written or compared at a time.
const PIECE: usize = 1 << 20;
/// What memory without power holds afterwards. As a ring it would be one, as a table entry or a
/// descriptor it would be valid.
const NOISE: u8 = 0x5B;

/// What becomes of local memory while the device has no power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LocalMemory {
    /// It holds what it held.
    #[default]
    Kept,
    /// It holds anything.
    Lost,
}

/// What a device remembers of the time before it lost its power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Local memory.
    pub memory: LocalMemory,
    /// Registers and doorbell pages are as they were: power did not go altogether. What the device
    /// was not told to stop goes on.
    pub registers: bool,
}

/// Power of the device.
#[derive(Debug, Default)]
pub(super) struct Power {
    off: AtomicBool,
    /// Registers are kept.
    registers: AtomicBool,
    refused: AtomicU64,
    /// What local memory holds while the power is off, if it is not noise.
    kept: Mutex<Option<Vec<u8>>>,
}

impl Power {
    /// Whether an access goes nowhere; counts it then.
    pub(super) fn refuses(&self) -> bool {
        let off = self.off.load(Ordering::SeqCst);
        if off {
            self.refused.fetch_add(1, Ordering::SeqCst);
        }
        off
    }
}

/// What was touched while the device had no power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TouchedAsleep {
    /// Accesses of registers.
    pub registers: u64,
    /// Somebody wrote to local memory.
    pub memory: bool,
}

impl Device {
    /// Takes the power away: registers read all ones, and what is not retained is gone.
    ///
    /// # Errors
    /// When the host cannot reach the device's memory.
    pub fn power_off(&self, retained: Retention) -> io::Result<()> {
        self.power.off.store(true, Ordering::SeqCst);
        if !retained.registers {
            self.function.power_on_state();
            fill(&self.doorbells)?;
        }
        let mut kept = self.power.kept.lock();
        self.power
            .registers
            .store(retained.registers, Ordering::SeqCst);
        *kept = match retained.memory {
            LocalMemory::Kept => Some(read(&self.vram)?),
            LocalMemory::Lost => {
                fill(&self.vram)?;
                None
            }
        };
        Ok(())
    }

    /// Gives the power back: what was not retained is as after power-on, and the bus driver has
    /// configured the function again. The result is what was touched meanwhile.
    ///
    /// # Errors
    /// When the host cannot reach the device's memory.
    pub fn power_on(&self) -> io::Result<TouchedAsleep> {
        let kept = self.power.kept.lock().take();
        let memory = match kept {
            Some(kept) => read(&self.vram)? != kept,
            None => read(&self.vram)? != vec![NOISE; self.vram.len()],
        };
        if !self.power.registers.load(Ordering::SeqCst) {
            self.function.power_on_state();
        }
        self.configure();
        let touched = TouchedAsleep {
            registers: self.power.refused.swap(0, Ordering::SeqCst),
            memory,
        };
        self.power.off.store(false, Ordering::SeqCst);
        Ok(touched)
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.power.off.load(Ordering::SeqCst)
    }
}

fn fill(region: &SharedRegion) -> io::Result<()> {
    let noise = vec![NOISE; PIECE.min(region.len())];
    let mut done = 0;
    while done < region.len() {
        let piece = noise.len().min(region.len() - done);
        done += pwrite(region, &noise[..piece], done as u64)?;
    }
    Ok(())
}

fn read(region: &SharedRegion) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; region.len()];
    let mut done = 0;
    while done < bytes.len() {
        let end = bytes.len().min(done + PIECE);
        let got = pread(region, &mut bytes[done..end], done as u64)?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        done += got;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::{Function, InterruptLine};
    use super::*;
    use std::sync::Arc;

    /// Registers that hold what was written last.
    struct One(AtomicU64);

    impl Function for One {
        fn register_read(&self, _offset: u64, _width: u8) -> u64 {
            self.0.load(Ordering::SeqCst)
        }
        fn register_write(&self, _offset: u64, _width: u8, value: u64) {
            self.0.store(value, Ordering::SeqCst);
        }
        fn config_read(&self, _offset: u16, _width: u8) -> u32 {
            0
        }
        fn config_write(&self, _offset: u16, _width: u8, _value: u32) {}
        fn power_on_state(&self) {
            self.0.store(0, Ordering::SeqCst);
        }
    }

    #[test]
    fn without_power_registers_are_all_ones_and_accesses_are_counted() {
        let region = |name| SharedRegion::new(name, 3 * PIECE).unwrap();
        let one = Arc::new(One(AtomicU64::new(0)));
        let line = InterruptLine::new();
        let device = Device::new(one, region("bells"), region("vram"), line);
        for memory in [LocalMemory::Kept, LocalMemory::Lost] {
            pwrite(device.vram(), b"content", 5).unwrap();
            device.registers.write(0, 8, 7);
            assert_eq!(device.registers.read(0, 8), 7);
            let retained = Retention {
                memory,
                registers: false,
            };
            device.power_off(retained).unwrap();
            assert!(device.is_off());
            device.registers.write(0, 8, 7);
            assert_eq!(device.registers.read(0, 8), u64::MAX);
            let touched = device.power_on().unwrap();
            assert_eq!((touched.registers, touched.memory), (2, false));
            assert_eq!(device.registers.read(0, 8), 0);
            let mut found = [0; 7];
            pread(device.vram(), &mut found, 5).unwrap();
            assert_eq!(found == *b"content", memory == LocalMemory::Kept);
            device.registers.write(0, 8, 7);
            let retained = Retention {
                memory,
                registers: true,
            };
            device.power_off(retained).unwrap();
            pwrite(device.vram(), b"touched", 2 * PIECE as u64).unwrap();
            assert!(device.power_on().unwrap().memory);
            assert_eq!(device.registers.read(0, 8), 7);
        }
    }
}
