//! BAR0 (`docs/hardware.md` section 4): one check of width and alignment, one match.

use carillon_hw::addr::VramOffset;
use carillon_hw::mmu::{LEVELS, VA_BITS};
use carillon_hw::pci::{BAR_REGISTERS_BYTES, MSIX_PBA_OFFSET, MSIX_TABLE_OFFSET};
use carillon_hw::queue::ContextId;
use carillon_hw::regs::{
    Control, DEVICE_MAGIC, DOORBELLS_PER_ACCESSED_WORD, DoorbellControl, DoorbellPage, EngineSet,
    INTERFACE_MAJOR, INTERFACE_MINOR, Interrupts, MmuCaps, QueueCaps, QueueCommand, Revision,
    TlbInvalidate, offset,
};

use crate::config::TABLE_DWORDS;
use crate::device::Device;

/// Ticks of the device clock in a second.
const TIMESTAMP_FREQUENCY: u64 = 1_000_000_000;

/// A register that an access named, with the right width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Register {
    /// One whose offset is all there is to know.
    Plain(u64),
    Accessed(u32),
    DoorbellControl(DoorbellPage),
    MsixTable(usize),
    MsixPending,
    Reserved,
}

/// All ones over `width` bytes.
fn all_ones(width: u8) -> u64 {
    if width == 8 {
        u64::MAX
    } else {
        u64::from(u32::MAX)
    }
}

/// The index of the element of a register array that starts at `base`.
fn element(offset: u64, base: u64, width: u64, count: u32) -> Option<u32> {
    let index = u32::try_from(offset.checked_sub(base)? / width).ok()?;
    (index < count).then_some(index)
}

impl Device {
    /// The register of a well-formed access; `None` reads as all ones and writes nothing.
    fn decode(&self, at: u64, width: u8) -> Option<Register> {
        let well_formed = matches!(width, 4 | 8)
            && at.is_multiple_of(u64::from(width))
            && at < BAR_REGISTERS_BYTES;
        if !well_formed {
            return None;
        }
        let pages = self.parameters().doorbells;
        let words = pages.div_ceil(DOORBELLS_PER_ACCESSED_WORD);
        // An access of the wrong width may start in the middle of a wider register: the base
        // tells which one it meant.
        let (register, proper) = match at {
            offset::ID
            | offset::REVISION
            | offset::DOORBELL_CAPS
            | offset::QUEUE_CAPS
            | offset::MMU_CAPS
            | offset::CONTROL
            | offset::STATUS
            | offset::INTERRUPT_STATUS
            | offset::INTERRUPT_ENABLE
            | offset::QUEUE_TABLE_ENTRIES
            | offset::CONTEXT_TABLE_ENTRIES
            | offset::EVENT_RING_ENTRIES
            | offset::EVENT_READ
            | offset::EVENT_WRITE
            | offset::APERTURE_ENTRIES
            | offset::ENGINE_RESET
            | offset::ENGINE_RESUME
            | offset::ENGINE_GATE
            | offset::ENGINE_CLOCK => (Register::Plain(at), 4),
            offset::VRAM_SIZE
            | offset::QUEUE_TABLE
            | offset::CONTEXT_TABLE
            | offset::EVENT_RING
            | offset::APERTURE_TABLE
            | offset::QUEUE_COMMAND
            | offset::TLB_INVALIDATE
            | offset::TIMESTAMP
            | offset::TIMESTAMP_FREQUENCY
            | offset::ENGINE_QUIET => (Register::Plain(at), 8),
            _ => {
                if let Some(word) = element(at, offset::DOORBELL_ACCESSED, 4, words) {
                    (Register::Accessed(word), 4)
                } else if let Some(index) = element(at, offset::DOORBELL_CONTROL, 8, pages) {
                    (Register::DoorbellControl(self.doorbell_page(index)?), 8)
                } else if let Some(dword) = element(
                    at,
                    u64::from(MSIX_TABLE_OFFSET),
                    4,
                    u32::try_from(TABLE_DWORDS).ok()?,
                ) {
                    (Register::MsixTable(dword as usize), 4)
                } else if at == u64::from(MSIX_PBA_OFFSET) {
                    (Register::MsixPending, 8)
                } else if is_inside_long(at) {
                    return None;
                } else {
                    (Register::Reserved, width)
                }
            }
        };
        (width == proper).then_some(register)
    }

    /// Reads a register.
    pub(crate) fn register_read(&mut self, at: u64, width: u8) -> u64 {
        let Some(register) = self.decode(at, width) else {
            return all_ones(width);
        };
        match register {
            Register::Plain(at) => self.plain_read(at),
            Register::Accessed(word) => u64::from(self.take_accessed(word)),
            Register::DoorbellControl(page) => self.doorbell_control(page).into_bits(),
            Register::MsixTable(dword) => u64::from(self.pci().table_read(dword)),
            Register::MsixPending => self.pci().pending_bits(),
            Register::Reserved => 0,
        }
    }

    fn plain_read(&self, at: u64) -> u64 {
        let parameters = self.parameters();
        let tables = self.tables();
        let narrow = |value: u32| u64::from(value);
        match at {
            offset::ID => narrow(DEVICE_MAGIC),
            offset::REVISION => narrow(
                Revision::new()
                    .with_major(INTERFACE_MAJOR)
                    .with_minor(INTERFACE_MINOR)
                    .into_bits(),
            ),
            offset::DOORBELL_CAPS => narrow(parameters.doorbell_caps().into_bits()),
            offset::QUEUE_CAPS => narrow(
                QueueCaps::new()
                    .with_max_queues_log2(parameters.max_queues_log2)
                    .with_engines(parameters.engines)
                    .with_run_slots(parameters.run_slots)
                    .into_bits(),
            ),
            offset::VRAM_SIZE => parameters.vram_bytes,
            #[allow(clippy::cast_possible_truncation, reason = "48 and 4")]
            offset::MMU_CAPS => narrow(
                MmuCaps::new()
                    .with_va_bits(VA_BITS as u8)
                    .with_levels(LEVELS as u8)
                    .into_bits(),
            ),
            offset::CONTROL => narrow(self.control().into_bits()),
            offset::STATUS => narrow(self.status().into_bits()),
            offset::INTERRUPT_STATUS => narrow(self.events().status().into_bits()),
            offset::INTERRUPT_ENABLE => narrow(self.events().enabled.into_bits()),
            offset::QUEUE_TABLE => tables.queues.base.0,
            offset::QUEUE_TABLE_ENTRIES => narrow(tables.queues.entries),
            offset::CONTEXT_TABLE => tables.contexts.base.0,
            offset::CONTEXT_TABLE_ENTRIES => narrow(tables.contexts.entries),
            offset::EVENT_RING => tables.events.base.0,
            offset::EVENT_RING_ENTRIES => narrow(tables.events.entries),
            offset::EVENT_READ => narrow(self.events().read),
            offset::EVENT_WRITE => narrow(self.events().write_count()),
            offset::APERTURE_TABLE => tables.aperture.base.0,
            offset::APERTURE_ENTRIES => narrow(tables.aperture.entries),
            offset::ENGINE_GATE => narrow(self.engine_gate().into_bits()),
            offset::ENGINE_CLOCK => narrow(self.engine_clock().into_bits()),
            offset::ENGINE_QUIET => self.quiet,
            offset::TIMESTAMP => self.clock(),
            offset::TIMESTAMP_FREQUENCY => TIMESTAMP_FREQUENCY,
            // Write-only registers.
            _ => 0,
        }
    }

    /// Writes a register; the effect is complete when this returns.
    pub(crate) fn register_write(&mut self, at: u64, width: u8, value: u64) {
        let Some(register) = self.decode(at, width) else {
            return;
        };
        let [a, b, c, d, ..] = value.to_le_bytes();
        let low = u32::from_le_bytes([a, b, c, d]);
        match register {
            Register::Plain(at) => self.plain_write(at, value, low),
            Register::DoorbellControl(page) => {
                // Bits without a meaning are not kept.
                let written = DoorbellControl::from_bits(value);
                let control = DoorbellControl::new()
                    .with_queue(written.queue())
                    .with_bound(written.bound())
                    .with_secondary(written.secondary() && self.parameters().secondary_pages);
                self.bind(page, control);
            }
            Register::MsixTable(dword) => self.msix_table_write(dword, low),
            Register::Accessed(_) | Register::MsixPending | Register::Reserved => {}
        }
    }

    fn plain_write(&mut self, at: u64, value: u64, low: u32) {
        match at {
            offset::CONTROL => self.write_control(Control::from_bits(low)),
            offset::INTERRUPT_STATUS => self.events_mut().clear(Interrupts::from_bits(low)),
            offset::INTERRUPT_ENABLE => {
                let written = Interrupts::from_bits(low);
                self.events_mut().enabled = Interrupts::new()
                    .with_events(written.events())
                    .with_overflow(written.overflow())
                    .with_fatal(written.fatal());
            }
            offset::EVENT_READ => self.events_mut().read = low,
            offset::QUEUE_COMMAND => self.queue_command(QueueCommand::from_bits(value)),
            offset::TLB_INVALIDATE => {
                let written = TlbInvalidate::from_bits(value);
                self.invalidate(ContextId(written.context()), written.all());
            }
            offset::ENGINE_RESET => self.engine_reset(low),
            offset::ENGINE_RESUME => self.engine_resume(low),
            offset::ENGINE_GATE => self.write_engine_gate(EngineSet::from_bits(low)),
            offset::ENGINE_QUIET => self.quiet = value,
            _ => self.write_table(at, value, low),
        }
    }

    fn write_table(&mut self, at: u64, value: u64, low: u32) {
        // Tables may be set only while the device is not enabled.
        let Some(tables) = self.tables_mut() else {
            return;
        };
        match at {
            offset::QUEUE_TABLE => tables.queues.base = VramOffset(value),
            offset::QUEUE_TABLE_ENTRIES => tables.queues.entries = low,
            offset::CONTEXT_TABLE => tables.contexts.base = VramOffset(value),
            offset::CONTEXT_TABLE_ENTRIES => tables.contexts.entries = low,
            offset::EVENT_RING => tables.events.base = VramOffset(value),
            offset::EVENT_RING_ENTRIES => tables.events.entries = low,
            offset::APERTURE_TABLE => tables.aperture.base = VramOffset(value),
            offset::APERTURE_ENTRIES => tables.aperture.entries = low,
            // Read-only registers.
            _ => {}
        }
    }
}

/// Whether `at` is the upper half of a 64-bit register.
fn is_inside_long(at: u64) -> bool {
    let Some(base) = at.checked_sub(4) else {
        return false;
    };
    matches!(
        base,
        offset::VRAM_SIZE
            | offset::QUEUE_TABLE
            | offset::CONTEXT_TABLE
            | offset::EVENT_RING
            | offset::APERTURE_TABLE
            | offset::QUEUE_COMMAND
            | offset::TLB_INVALIDATE
            | offset::TIMESTAMP
            | offset::TIMESTAMP_FREQUENCY
            | offset::ENGINE_QUIET
    )
}
