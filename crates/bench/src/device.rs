//! The device in the bench's machine: its BARs in I/O space, its configuration space, its
//! interrupt.

pub mod power;
pub mod virtual_gpu;

use std::sync::Arc;

use carillon_hw::pci;
use parking_lot::{Condvar, Mutex};

use crate::nt::Nt;
use crate::nt::memory::Backing;
use crate::nt::physical::PhysicalAddress;
use crate::trap::mmio::{MmioDevice, MmioHandler};
use crate::trap::shared::SharedRegion;
use power::Power;

/// A PCI function: what register and configuration accesses reach.
pub trait Function: Send + Sync {
    /// Reads `width` bytes at `offset` in BAR0.
    fn register_read(&self, offset: u64, width: u8) -> u64;
    /// Writes the low `width` bytes of `value` at `offset` in BAR0.
    fn register_write(&self, offset: u64, width: u8, value: u64);
    /// Reads `width` bytes at `offset` in configuration space.
    fn config_read(&self, offset: u16, width: u8) -> u32;
    /// Writes the low `width` bytes of `value` at `offset` in configuration space.
    fn config_write(&self, offset: u16, width: u8, value: u32);
    /// Loses what it holds in registers, as without power.
    fn power_on_state(&self) {}
}

/// One memory BAR and where the machine put it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarRange {
    /// Index of the BAR's first register.
    pub index: usize,
    /// Physical address of its first byte.
    pub base: PhysicalAddress,
    /// Bytes.
    pub len: u64,
    /// Plain memory that may be mapped with write combining.
    pub prefetchable: bool,
}

/// Where message-signalled interrupts are sent on x86.
const MSI_ADDRESS: u64 = 0xFEE0_0000;
/// The vector that the machine gave the device's one message.
pub const VECTOR: u32 = 0x41;

/// Messages that the device sent and the machine has not delivered.
#[derive(Debug, Default)]
pub struct InterruptLine {
    state: Mutex<LineState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct LineState {
    messages: u64,
    closed: bool,
}

impl InterruptLine {
    /// A line with no message.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Sends a message; does not wait for its delivery.
    pub fn raise(&self) {
        self.state.lock().messages += 1;
        self.changed.notify_one();
    }

    /// Waits for a message and takes it; false when the line is closed.
    pub fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while state.messages == 0 && !state.closed {
            self.changed.wait(&mut state);
        }
        if state.closed {
            return false;
        }
        state.messages -= 1;
        true
    }

    /// Ends all waits.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    /// Lets waits begin again and forgets undelivered messages.
    pub fn open(&self) {
        *self.state.lock() = LineState::default();
    }
}

/// Sends register accesses of the driver to the function, unless it has no power.
struct Registers {
    function: Arc<dyn Function>,
    power: Arc<Power>,
}

impl MmioHandler for Registers {
    fn read(&self, offset: u64, width: u8) -> u64 {
        if self.power.refuses() {
            return u64::MAX;
        }
        self.function.register_read(offset, width)
    }

    fn write(&self, offset: u64, width: u8, value: u64) {
        if !self.power.refuses() {
            self.function.register_write(offset, width, value);
        }
    }
}

/// A device in the machine.
pub struct Device {
    function: Arc<dyn Function>,
    registers: Arc<MmioDevice>,
    doorbells: Arc<SharedRegion>,
    vram: Arc<SharedRegion>,
    line: Arc<InterruptLine>,
    power: Arc<Power>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("bars", &self.bars())
            .finish_non_exhaustive()
    }
}

impl Device {
    /// A device with the given function, memory behind BAR2 and BAR4, and interrupt.
    #[must_use]
    pub fn new(
        function: Arc<dyn Function>,
        doorbells: Arc<SharedRegion>,
        vram: Arc<SharedRegion>,
        line: Arc<InterruptLine>,
    ) -> Arc<Self> {
        let power = Arc::new(Power::default());
        let registers = MmioDevice::new(Arc::new(Registers {
            function: function.clone(),
            power: power.clone(),
        }));
        Arc::new(Self {
            function,
            registers,
            doorbells,
            vram,
            line,
            power,
        })
    }

    /// The BARs.
    pub fn bars(&self) -> [BarRange; 3] {
        let bar = |index, base, len, prefetchable| BarRange {
            index,
            base: PhysicalAddress(base),
            len,
            prefetchable,
        };
        [
            bar(
                pci::BAR_REGISTERS,
                0xE000_0000,
                pci::BAR_REGISTERS_BYTES,
                false,
            ),
            bar(
                pci::BAR_DOORBELLS,
                0x8_0000_0000,
                self.doorbells.len() as u64,
                true,
            ),
            bar(pci::BAR_VRAM, 0x10_0000_0000, self.vram.len() as u64, true),
        ]
    }

    /// Memory behind BAR2.
    pub fn doorbells(&self) -> &Arc<SharedRegion> {
        &self.doorbells
    }

    /// Memory behind BAR4.
    pub fn vram(&self) -> &Arc<SharedRegion> {
        &self.vram
    }

    /// The interrupt.
    pub fn line(&self) -> &Arc<InterruptLine> {
        &self.line
    }

    /// What register and configuration accesses reach.
    pub fn function(&self) -> &dyn Function {
        &*self.function
    }

    /// Trapped accesses to BAR0 so far, reads and writes.
    pub fn register_exits(&self) -> (u64, u64) {
        let exits = self.registers.exits();
        (exits.reads(), exits.writes())
    }

    /// Puts the BARs into I/O space and enables the function, as the bus driver does before a start.
    pub fn plug(&self, nt: &Nt) {
        let [registers, doorbells, vram] = self.bars();
        let backing = Backing::Registers(self.registers.clone());
        nt.io_space.add(registers.base, registers.len, backing);
        for (bar, region) in [(doorbells, &self.doorbells), (vram, &self.vram)] {
            nt.io_space
                .add(bar.base, bar.len, Backing::Memory(region.clone()));
        }
        self.configure();
    }

    /// Takes the BARs out of I/O space.
    pub fn unplug(&self, nt: &Nt) {
        for bar in self.bars() {
            nt.io_space.remove(bar.base);
        }
    }

    /// Assigns BARs, enables memory space and bus mastering, and routes the MSI-X message.
    fn configure(&self) {
        let function = &*self.function;
        for bar in self.bars() {
            let register = config::BAR0 + 4 * u16::try_from(bar.index).unwrap_or(0);
            let [low, high] = halves(bar.base.0);
            function.config_write(register, 4, low);
            function.config_write(register + 4, 4, high);
        }
        let command = function.config_read(config::COMMAND, 2);
        let enabled = command | config::COMMAND_MEMORY | config::COMMAND_BUS_MASTER;
        function.config_write(config::COMMAND, 2, enabled);
        if let Some(capability) = find_msix(function) {
            self.route_message();
            let control = function.config_read(capability + 2, 2);
            function.config_write(capability + 2, 2, control | config::MSIX_ENABLE);
        }
    }

    fn route_message(&self) {
        let entry = u64::from(pci::MSIX_TABLE_OFFSET);
        let [low, high] = halves(MSI_ADDRESS);
        for (offset, value) in [(0, low), (4, high), (8, VECTOR), (12, 0)] {
            self.function
                .register_write(entry + offset, 4, u64::from(value));
        }
    }
}

fn halves(value: u64) -> [u32; 2] {
    let bytes = value.to_le_bytes();
    let half =
        |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    [half(0), half(4)]
}

/// Registers of configuration space, after the PCI specification.
mod config {
    pub(super) const COMMAND: u16 = 0x04;
    pub(super) const COMMAND_MEMORY: u32 = 0x2;
    pub(super) const COMMAND_BUS_MASTER: u32 = 0x4;
    pub(super) const BAR0: u16 = 0x10;
    pub(super) const CAPABILITIES: u16 = 0x34;
    pub(super) const MSIX: u32 = 0x11;
    pub(super) const MSIX_ENABLE: u32 = 0x8000;
}

/// Offset of the MSI-X capability.
fn find_msix(function: &dyn Function) -> Option<u16> {
    let mut at = function.config_read(config::CAPABILITIES, 1);
    // A list longer than configuration space has room for is a loop.
    for _ in 0..48 {
        let offset = u16::try_from(at)
            .ok()
            .filter(|offset| (0x40..0x100).contains(offset))?;
        if function.config_read(offset, 1) == config::MSIX {
            return Some(offset);
        }
        at = function.config_read(offset + 1, 1);
    }
    None
}
