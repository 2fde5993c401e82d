//! PCI configuration space and the MSI-X table (`docs/hardware.md` section 3).

use bitfield_struct::bitfield;
use carillon_hw::pci::{
    BAR_REGISTERS, BAR_REGISTERS_BYTES, CLASS_CODE, DEVICE_ID, MSIX_PBA_OFFSET, MSIX_TABLE_OFFSET,
    MSIX_VECTORS, REVISION_ID, VENDOR_ID,
};

use crate::Config;

/// Bytes of the extended configuration space.
const SPACE_BYTES: u16 = 4096;
/// Where the only capability lies.
const MSIX_CAPABILITY: u8 = 0x40;
/// PCI capability id of MSI-X.
const MSIX_ID: u8 = 0x11;
/// Base address register type: 64-bit.
const BAR_64: u64 = 4;
/// Base address register flag: prefetchable.
const BAR_PREFETCHABLE: u64 = 8;
/// Doublewords in the MSI-X table.
pub(crate) const TABLE_DWORDS: usize = 4 * MSIX_VECTORS as usize;
/// Doubleword of a vector's table entry that holds its mask bit.
const VECTOR_CONTROL: usize = 3;

/// The PCI command register, as far as this function has it.
#[bitfield(u16)]
#[derive(PartialEq, Eq)]
struct Command {
    io: bool,
    memory: bool,
    bus_master: bool,
    #[bits(7)]
    __: u16,
    interrupt_disable: bool,
    #[bits(5)]
    __: u16,
}

/// The PCI status register, as far as this function has it.
#[bitfield(u16)]
struct PciStatus {
    #[bits(4)]
    __: u16,
    capabilities: bool,
    #[bits(11)]
    __: u16,
}

/// MSI-X message control.
#[bitfield(u16)]
#[derive(PartialEq, Eq)]
struct MessageControl {
    /// Vectors less one.
    #[bits(11)]
    size: u16,
    #[bits(3)]
    __: u16,
    function_mask: bool,
    enable: bool,
}

/// Vector control of an MSI-X table entry.
#[bitfield(u32)]
struct VectorControl {
    masked: bool,
    #[bits(31)]
    __: u32,
}

/// A 64-bit memory BAR.
#[derive(Clone, Copy, Debug)]
struct Bar {
    base: u64,
    size: u64,
    flags: u64,
}

/// What becomes of a wish to interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Send it.
    Send,
    /// Masked: kept in the pending bit.
    Kept,
    /// MSI-X is off.
    Lost,
}

/// Configuration space, with the MSI-X table and pending bit that lie in BAR0. A reset of the
/// device leaves all of it alone: it belongs to the PCI function.
#[derive(Debug)]
pub(crate) struct PciConfig {
    command: Command,
    bars: [Bar; 3],
    interrupt_line: u8,
    message_control: MessageControl,
    table: [u32; TABLE_DWORDS],
    pending: bool,
}

impl PciConfig {
    pub(crate) fn new(config: &Config) -> Self {
        let bar = |size: u64, flags| Bar {
            base: 0,
            size: size.next_power_of_two(),
            flags,
        };
        let on = config.configured;
        let masked = VectorControl::new().with_masked(!on).into_bits();
        Self {
            command: Command::new().with_memory(on).with_bus_master(on),
            bars: [
                bar(BAR_REGISTERS_BYTES, BAR_64),
                bar(config.doorbell_bar_bytes(), BAR_64 + BAR_PREFETCHABLE),
                bar(config.vram_bytes, BAR_64 + BAR_PREFETCHABLE),
            ],
            interrupt_line: 0,
            message_control: MessageControl::new()
                .with_size(MSIX_VECTORS - 1)
                .with_enable(on),
            table: [0, 0, 0, masked],
            pending: false,
        }
    }

    pub(crate) fn bus_master(&self) -> bool {
        self.command.bus_master()
    }

    fn dword(&self, index: usize) -> [u8; 4] {
        let words = |low: u16, high: u16| {
            let [a, b] = low.to_le_bytes();
            let [c, d] = high.to_le_bytes();
            [a, b, c, d]
        };
        let status = PciStatus::new().with_capabilities(true).into_bits();
        let [base, sub, interface] = CLASS_CODE;
        #[allow(clippy::cast_possible_truncation, reason = "index of BAR0")]
        let indicator = BAR_REGISTERS as u32;
        match index {
            0 | 11 => words(VENDOR_ID, DEVICE_ID),
            1 => words(self.command.into_bits(), status),
            2 => [REVISION_ID, interface, sub, base],
            4..=9 => self.bar_half(index - 4),
            13 => [MSIX_CAPABILITY, 0, 0, 0],
            15 => [self.interrupt_line, 0, 0, 0],
            16 => {
                let [low, high] = self.message_control.into_bits().to_le_bytes();
                [MSIX_ID, 0, low, high]
            }
            17 => (MSIX_TABLE_OFFSET + indicator).to_le_bytes(),
            18 => (MSIX_PBA_OFFSET + indicator).to_le_bytes(),
            _ => [0; 4],
        }
    }

    fn bar_half(&self, half: usize) -> [u8; 4] {
        let bar = self.bars[half / 2];
        let bytes = (bar.base + bar.flags).to_le_bytes();
        let at = half % 2 * 4;
        let mut value = [0; 4];
        value.copy_from_slice(&bytes[at..at + 4]);
        value
    }

    /// Reads 1, 2 or 4 naturally aligned bytes; anything else reads as all ones.
    pub(crate) fn read(&self, offset: u16, width: u8) -> u32 {
        let Some((index, first)) = locate(offset, width) else {
            return u32::MAX;
        };
        let mut value = [0; 4];
        let width = usize::from(width);
        value[..width].copy_from_slice(&self.dword(index)[first..first + width]);
        u32::from_le_bytes(value)
    }

    /// Writes 1, 2 or 4 naturally aligned bytes; anything else, and read-only bytes, are ignored.
    /// True if a kept message is to be sent now.
    pub(crate) fn write(&mut self, offset: u16, width: u8, value: u32) -> bool {
        let Some((index, first)) = locate(offset, width) else {
            return false;
        };
        let mut bytes = self.dword(index);
        let width = usize::from(width);
        bytes[first..first + width].copy_from_slice(&value.to_le_bytes()[..width]);
        let [a, b, c, d] = bytes;
        match index {
            1 => {
                let written = Command::from_bits(u16::from_le_bytes([a, b]));
                self.command = Command::new()
                    .with_memory(written.memory())
                    .with_bus_master(written.bus_master())
                    .with_interrupt_disable(written.interrupt_disable());
            }
            4..=9 => {
                let half = index - 4;
                let bar = &mut self.bars[half / 2];
                let mut base = bar.base.to_le_bytes();
                let at = half % 2 * 4;
                base[at..at + 4].copy_from_slice(&bytes);
                let base = u64::from_le_bytes(base);
                bar.base = base - base % bar.size;
            }
            15 => self.interrupt_line = a,
            16 => {
                let written = MessageControl::from_bits(u16::from_le_bytes([c, d]));
                self.message_control
                    .set_function_mask(written.function_mask());
                self.message_control.set_enable(written.enable());
                return self.release();
            }
            _ => {}
        }
        false
    }

    fn masked(&self) -> bool {
        self.message_control.function_mask()
            || VectorControl::from_bits(self.table[VECTOR_CONTROL]).masked()
    }

    /// What becomes of a message that the device wants to send.
    pub(crate) fn message(&mut self) -> Message {
        if !self.message_control.enable() {
            Message::Lost
        } else if self.masked() {
            self.pending = true;
            Message::Kept
        } else {
            Message::Send
        }
    }

    /// Takes a kept message if nothing masks it any more.
    fn release(&mut self) -> bool {
        let free = self.message_control.enable() && !self.masked();
        free && std::mem::take(&mut self.pending)
    }

    pub(crate) fn table_read(&self, dword: usize) -> u32 {
        self.table.get(dword).copied().unwrap_or(0)
    }

    /// True if a kept message is to be sent now.
    pub(crate) fn table_write(&mut self, dword: usize, value: u32) -> bool {
        if let Some(slot) = self.table.get_mut(dword) {
            *slot = value;
        }
        self.release()
    }

    pub(crate) fn pending_bits(&self) -> u64 {
        u64::from(self.pending)
    }
}

/// Doubleword and first byte in it of a well-formed access.
fn locate(offset: u16, width: u8) -> Option<(usize, usize)> {
    let good = matches!(width, 1 | 2 | 4)
        && offset < SPACE_BYTES
        && offset.is_multiple_of(u16::from(width));
    let offset = usize::from(offset);
    good.then_some((offset / 4, offset % 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function() -> PciConfig {
        PciConfig::new(&Config {
            doorbells: 3,
            configured: false,
            ..Config::default()
        })
    }

    #[test]
    fn identity_is_that_of_the_book() {
        let config = function();
        assert_eq!(config.read(0, 4), 0xCA11_1234);
        assert_eq!(config.read(8, 4), 0x0302_0001);
        assert_eq!(config.read(0xB, 1), 3);
        assert_eq!(config.read(1, 2), u32::MAX, "unaligned");
        assert_eq!(config.read(4096, 4), u32::MAX, "outside");
        assert_eq!(config.read(4092, 4), 0);
    }

    #[test]
    fn bars_are_sized_by_writing_ones() {
        let mut config = function();
        for (bar, size, flags) in [
            (0, 0x1_0000_u64, 4),
            (2, 4 * 4096, 12),
            (4, 0x1000_0000, 12),
        ] {
            let low = 0x10 + bar * 4;
            config.write(low, 4, u32::MAX);
            config.write(low + 4, 4, u32::MAX);
            let read =
                u64::from(config.read(low, 4)) + u64::from(config.read(low + 4, 4)) * (1 << 32);
            assert_eq!(read - flags, size.wrapping_neg(), "BAR{bar}");
            config.write(low, 4, 0x8000_0000);
            config.write(low + 4, 4, 1);
            assert_eq!(u64::from(config.read(low, 4)), 0x8000_0000 + flags);
            assert_eq!(config.read(low + 4, 4), 1);
        }
    }

    #[test]
    fn secondary_pages_make_the_doorbell_bar_longer() {
        for (doorbells, secondary_pages, pages) in [(3, false, 4), (3, true, 8), (1024, true, 2048)]
        {
            let mut config = PciConfig::new(&Config {
                doorbells,
                secondary_pages,
                ..Config::default()
            });
            config.write(0x18, 4, u32::MAX);
            let wanted = 12_u32.wrapping_sub(pages * 4096);
            assert_eq!(config.read(0x18, 4), wanted, "{doorbells} pages");
        }
    }

    #[test]
    fn command_bits_that_do_not_exist_stay_clear() {
        let mut config = function();
        assert!(!config.bus_master());
        config.write(4, 2, 0xFFFF);
        assert_eq!(config.read(4, 2), 0x0406);
        assert!(config.bus_master());
        assert_eq!(config.read(6, 2), 0x10, "capabilities list");
    }

    #[test]
    fn messages_follow_enable_and_masks() {
        let mut config = function();
        assert_eq!(config.message(), Message::Lost);
        assert_eq!(config.read(0x34, 1), 0x40);
        assert_eq!(config.read(0x40, 1), 0x11);
        assert!(!config.write(0x42, 2, 0x8000), "nothing was kept");
        assert_eq!(config.message(), Message::Kept, "the vector starts masked");
        assert_eq!(config.pending_bits(), 1);
        assert!(
            config.table_write(VECTOR_CONTROL, 0),
            "unmasking releases it"
        );
        assert_eq!(config.pending_bits(), 0);
        assert_eq!(config.message(), Message::Send);
        config.write(0x42, 2, 0xC000);
        assert_eq!(config.message(), Message::Kept, "function mask");
        assert!(config.write(0x42, 2, 0x8000));
    }
}
