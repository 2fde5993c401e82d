//! BAR0 registers (`docs/hardware.md` section 4).
//!
//! Every register is naturally aligned and is accessed with exactly its own width. A write takes
//! effect before any later read of BAR0 by the same CPU returns.

use bitfield_struct::bitfield;

use crate::queue::QueueId;

/// Value of [`offset::ID`]: "CARL" in little-endian ASCII.
pub const DEVICE_MAGIC: u32 = 0x4C52_4143;
/// Interface generation; a driver refuses another one.
pub const INTERFACE_MAJOR: u16 = 1;
/// Compatible additions within the generation.
pub const INTERFACE_MINOR: u16 = 1;

/// Most doorbell pages that a device can have.
pub const MAX_DOORBELLS: u32 = 1024;
/// Doorbell pages that share one word of [`offset::DOORBELL_ACCESSED`].
pub const DOORBELLS_PER_ACCESSED_WORD: u32 = 32;

/// Byte offsets in BAR0. The comment names width and access.
pub mod offset {
    /// u32, read-only: [`super::DEVICE_MAGIC`].
    pub const ID: u64 = 0x0000;
    /// u32, read-only: [`super::Revision`].
    pub const REVISION: u64 = 0x0004;
    /// u32, read-only: [`super::DoorbellCaps`].
    pub const DOORBELL_CAPS: u64 = 0x0008;
    /// u32, read-only: [`super::QueueCaps`].
    pub const QUEUE_CAPS: u64 = 0x000C;
    /// u64, read-only: bytes of local memory.
    pub const VRAM_SIZE: u64 = 0x0010;
    /// u32, read-only: [`super::MmuCaps`].
    pub const MMU_CAPS: u64 = 0x0018;
    /// u32, read-write: [`super::Control`].
    pub const CONTROL: u64 = 0x0020;
    /// u32, read-only: [`super::Status`].
    pub const STATUS: u64 = 0x0024;
    /// u32, read, write one to clear: [`super::Interrupts`].
    pub const INTERRUPT_STATUS: u64 = 0x0028;
    /// u32, read-write: [`super::Interrupts`] that may raise the vector.
    pub const INTERRUPT_ENABLE: u64 = 0x002C;
    /// u64, read-write: local memory offset of the queue descriptor table, page aligned.
    pub const QUEUE_TABLE: u64 = 0x0030;
    /// u32, read-write: entries in the queue descriptor table.
    pub const QUEUE_TABLE_ENTRIES: u64 = 0x0038;
    /// u64, read-write: local memory offset of the context descriptor table, page aligned.
    pub const CONTEXT_TABLE: u64 = 0x0040;
    /// u32, read-write: entries in the context descriptor table.
    pub const CONTEXT_TABLE_ENTRIES: u64 = 0x0048;
    /// u64, read-write: local memory offset of the event ring, page aligned.
    pub const EVENT_RING: u64 = 0x0050;
    /// u32, read-write: entries in the event ring, a power of two, at least 64.
    pub const EVENT_RING_ENTRIES: u64 = 0x0058;
    /// u32, read-write: how many events the driver has taken, modulo 2^32.
    pub const EVENT_READ: u64 = 0x005C;
    /// u32, read-only: how many events the device has written, modulo 2^32.
    pub const EVENT_WRITE: u64 = 0x0060;
    /// u64, read-write: local memory offset of the aperture table, page aligned.
    pub const APERTURE_TABLE: u64 = 0x0068;
    /// u32, read-write: entries (pages) in the aperture table; 0 switches the aperture off.
    pub const APERTURE_ENTRIES: u64 = 0x0070;
    /// u64, write-only: [`super::QueueCommand`].
    pub const QUEUE_COMMAND: u64 = 0x0080;
    /// u64, write-only: [`super::TlbInvalidate`].
    pub const TLB_INVALIDATE: u64 = 0x0088;
    /// u64, read-only: the device clock in ticks of [`TIMESTAMP_FREQUENCY`].
    pub const TIMESTAMP: u64 = 0x0090;
    /// u64, read-only: ticks of the device clock in a second.
    pub const TIMESTAMP_FREQUENCY: u64 = 0x0098;
    /// u32, write-only: ordinal of the engine to reset (section 9.4).
    pub const ENGINE_RESET: u64 = 0x00A0;
    /// u32, write-only: ordinal of the engine to put back to work after a reset.
    pub const ENGINE_RESUME: u64 = 0x00A4;
    /// u32, read-write: [`super::EngineSet`] whose clocks may stop (section 9.5).
    pub const ENGINE_GATE: u64 = 0x00A8;
    /// u32, read-only: [`super::EngineSet`] whose clocks run.
    pub const ENGINE_CLOCK: u64 = 0x00AC;
    /// u64, read-write: ticks of the device clock after which an idle engine is reported as quiet;
    /// 0 for never (section 9.3).
    pub const ENGINE_QUIET: u64 = 0x00B0;
    /// u32 per 32 doorbell pages, read clears: a set bit means rung since the last read.
    pub const DOORBELL_ACCESSED: u64 = 0x2000;
    /// u64 per doorbell page, read-write: [`super::DoorbellControl`].
    pub const DOORBELL_CONTROL: u64 = 0x4000;
}

/// A doorbell page that exists on this device, made by checking an index once against the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DoorbellPage(u16);

impl DoorbellPage {
    /// The page with this index if the device has `count` pages (at most [`MAX_DOORBELLS`]).
    pub const fn new(index: u32, count: u32) -> Option<Self> {
        if index < count && count <= MAX_DOORBELLS {
            #[allow(clippy::cast_possible_truncation, reason = "below MAX_DOORBELLS")]
            Some(Self(index as u16))
        } else {
            None
        }
    }

    /// Index of the page in BAR2.
    pub const fn index(self) -> u32 {
        self.0 as u32
    }

    /// Byte offset of the page in BAR2.
    pub const fn bar_offset(self) -> u64 {
        self.0 as u64 * crate::addr::PAGE_SIZE
    }

    /// Byte offset in BAR2 of the page's secondary page, on a device of `count` pages that has
    /// them ([`DoorbellCaps::secondary`]).
    pub const fn secondary_bar_offset(self, count: u32) -> u64 {
        (count as u64 + self.0 as u64) * crate::addr::PAGE_SIZE
    }

    /// BAR0 offset of this page's [`DoorbellControl`].
    pub const fn control_register(self) -> u64 {
        offset::DOORBELL_CONTROL + self.0 as u64 * 8
    }

    /// BAR0 offset of the accessed word that holds this page's bit.
    pub const fn accessed_register(self) -> u64 {
        offset::DOORBELL_ACCESSED + (self.index() / DOORBELLS_PER_ACCESSED_WORD) as u64 * 4
    }

    /// Whether this page's bit is set in `word`, read from [`Self::accessed_register`].
    pub const fn is_accessed_in(self, word: u32) -> bool {
        word & self.accessed_bit() != 0
    }

    /// This page's bit in its accessed word.
    pub const fn accessed_bit(self) -> u32 {
        1 << (self.index() % DOORBELLS_PER_ACCESSED_WORD)
    }
}

/// [`offset::REVISION`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct Revision {
    /// Compatible additions.
    pub minor: u16,
    /// Interface generation.
    pub major: u16,
}

/// How doorbell pages relate to queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorbellModel {
    /// One page serves one hardware queue at a time.
    Dedicated,
    /// A page belongs to a process; the value that is written names the queue.
    Global,
}

/// [`offset::DOORBELL_CAPS`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DoorbellCaps {
    /// Doorbell pages in BAR2.
    #[bits(11)]
    pub pages: u32,
    /// Set: global model. Clear: dedicated model.
    pub global: bool,
    /// Every page has a secondary page, behind all primary ones.
    pub secondary: bool,
    #[bits(19)]
    __: u32,
}

impl DoorbellCaps {
    /// Pages in BAR2, secondary ones included.
    pub const fn bar_pages(self) -> u32 {
        if self.secondary() {
            self.pages() * 2
        } else {
            self.pages()
        }
    }

    /// The model as a closed enum.
    pub const fn model(self) -> DoorbellModel {
        if self.global() {
            DoorbellModel::Global
        } else {
            DoorbellModel::Dedicated
        }
    }
}

/// [`offset::QUEUE_CAPS`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct QueueCaps {
    /// The queue table may have two to the power of this many entries.
    pub max_queues_log2: u8,
    /// Engines of the device, one per node.
    pub engines: u8,
    /// Queues that an engine holds on at once; more take turns.
    pub run_slots: u8,
    __: u8,
}

/// [`offset::MMU_CAPS`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct MmuCaps {
    /// Bits of a GPU virtual address.
    pub va_bits: u8,
    /// Levels of the page table.
    pub levels: u8,
    __: u16,
}

/// [`offset::CONTROL`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct Control {
    /// The device fetches work while this is set.
    pub enable: bool,
    /// Write one: everything returns to its power-on state, doorbell pages included. Reads zero.
    pub reset: bool,
    #[bits(30)]
    __: u32,
}

/// [`offset::STATUS`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct Status {
    /// Work is being fetched.
    pub enabled: bool,
    /// No queue has pending work and none is running.
    pub idle: bool,
    /// A table register is wrong or local memory cannot be used; only a reset helps.
    pub fatal: bool,
    #[bits(29)]
    __: u32,
}

impl Status {
    /// What every register reads as when the device is gone from the bus.
    pub const GONE: Self = Self::from_bits(u32::MAX);
}

/// [`offset::INTERRUPT_STATUS`] and [`offset::INTERRUPT_ENABLE`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct Interrupts {
    /// At least one event was written.
    pub events: bool,
    /// The event ring was full: events were lost, look at everything.
    pub overflow: bool,
    /// [`Status::fatal`] became set.
    pub fatal: bool,
    #[bits(29)]
    __: u32,
}

/// What [`offset::QUEUE_COMMAND`] asks for; a closed set, [`QueueCommand::operation`] decodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOperation {
    /// Read the descriptor and put the queue on the run list; look at its write pointer.
    Activate,
    /// Take the queue off the run list for good; done when its state reads `Inactive`.
    Deactivate,
    /// Take the queue off the run list; done when its state reads `Suspended` (section 6.3).
    Suspend,
    /// Put a suspended queue back on the run list; look at its write pointer.
    Resume,
    /// Look at the queue's write pointer. On an inactive queue this does nothing.
    Look,
    /// Read the driver half of the descriptor again (ring, log or priority changed).
    Reload,
    /// Look now and keep looking until a page is bound to the queue: for a queue whose clients may
    /// still believe in a doorbell that no longer reaches it (section 6.3).
    Watch,
    /// Read the descriptor again and go over to the ring that it names now, once everything in the
    /// ring before it has been taken (section 6.5).
    ChangeRing,
    /// Finish a change of rings at once; what is left in the ring before is not run.
    TakeRing,
}

/// Tells the answers to successive suspends of a queue apart. 24 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SuspendTag(u32);

impl SuspendTag {
    /// The tag of a suspend whose answer nobody waits for.
    pub const NONE: Self = Self(0);

    /// The tag after this one; never [`Self::NONE`].
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 >= 0x00FF_FFFF {
            Self(1)
        } else {
            Self(self.0 + 1)
        }
    }

    /// Whether the device's answer `tag` is to this suspend.
    pub const fn answers(self, tag: u32) -> bool {
        self.0 != 0 && self.0 == tag
    }
}

/// A set of engines by ordinal: [`offset::ENGINE_GATE`], [`offset::ENGINE_CLOCK`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineSet(u32);

impl EngineSet {
    /// No engine.
    pub const NONE: Self = Self(0);

    /// The set as a register holds it.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The register form.
    pub const fn into_bits(self) -> u32 {
        self.0
    }

    /// Whether the engine is in the set; one that no bit can name is not.
    pub const fn contains(self, engine: u32) -> bool {
        self.0 & Self::bit(engine) != 0
    }

    /// The set with the engine in it; unchanged for one that no bit can name.
    #[must_use]
    pub const fn with(self, engine: u32) -> Self {
        Self(self.0 | Self::bit(engine))
    }

    /// The set without the engine.
    #[must_use]
    pub const fn without(self, engine: u32) -> Self {
        Self(self.0 & !Self::bit(engine))
    }

    const fn bit(engine: u32) -> u32 {
        match 1_u32.checked_shl(engine) {
            Some(bit) => bit,
            None => 0,
        }
    }
}

/// A write to [`offset::QUEUE_COMMAND`].
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct QueueCommand {
    /// Which queue.
    pub queue: u32,
    /// Encoded [`QueueOperation`].
    operation_code: u8,
    /// Returned in the `SuspendCompleted` event; ignored by other operations. Modulo 2^24.
    #[bits(24)]
    pub tag: u32,
}

impl QueueCommand {
    /// The command for `operation` on `queue`.
    pub const fn of(operation: QueueOperation, queue: QueueId) -> Self {
        let code = match operation {
            QueueOperation::Activate => 1,
            QueueOperation::Deactivate => 2,
            QueueOperation::Suspend => 3,
            QueueOperation::Resume => 4,
            QueueOperation::Look => 5,
            QueueOperation::Reload => 6,
            QueueOperation::Watch => 7,
            QueueOperation::ChangeRing => 8,
            QueueOperation::TakeRing => 9,
        };
        Self::new().with_queue(queue.0).with_operation_code(code)
    }

    /// The same command with the tag of a suspend.
    #[must_use]
    pub const fn tagged(self, tag: SuspendTag) -> Self {
        match self.with_tag_checked(tag.0) {
            Ok(command) => command,
            // A tag has 24 bits by construction.
            Err(()) => self,
        }
    }

    /// The operation, or `None` for a code that this generation does not define.
    pub const fn operation(self) -> Option<QueueOperation> {
        Some(match self.operation_code() {
            1 => QueueOperation::Activate,
            2 => QueueOperation::Deactivate,
            3 => QueueOperation::Suspend,
            4 => QueueOperation::Resume,
            5 => QueueOperation::Look,
            6 => QueueOperation::Reload,
            7 => QueueOperation::Watch,
            8 => QueueOperation::ChangeRing,
            9 => QueueOperation::TakeRing,
            _ => return None,
        })
    }

    /// The queue as a typed id.
    pub const fn queue_id(self) -> QueueId {
        QueueId(self.queue())
    }
}

/// A write to [`offset::TLB_INVALIDATE`].
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct TlbInvalidate {
    /// Context whose translations are dropped.
    pub context: u32,
    /// Drop those of every context.
    pub all: bool,
    #[bits(31)]
    __: u32,
}

/// One [`offset::DOORBELL_CONTROL`] register (section 5.2).
///
/// A write first clears the page and everything the device remembers about it, then takes the
/// new binding, then looks at the write pointer of the queue that is bound now: one step for
/// everybody who rings meanwhile. Looking at the queue that lost the page is the driver's part.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct DoorbellControl {
    /// Dedicated model: the queue that a ring looks at. Global model: ignored.
    pub queue: u32,
    /// The page is bound; rings on an unbound page are dropped.
    pub bound: bool,
    /// Rings on the secondary page count too. Ignored unless `bound`, and on a device without
    /// secondary pages.
    pub secondary: bool,
    #[bits(30)]
    __: u32,
}

impl DoorbellControl {
    /// Nobody owns the page.
    pub const UNBOUND: Self = Self::new();

    /// The page rings for `queue`.
    pub const fn bound_to(queue: QueueId) -> Self {
        Self::new().with_bound(true).with_queue(queue.0)
    }

    /// The owner, or `None` while unbound.
    pub const fn owner(self) -> Option<QueueId> {
        if self.bound() {
            Some(QueueId(self.queue()))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// regression: DB-06
    #[test]
    fn doorbell_page_is_checked_once_at_the_count() {
        assert!(DoorbellPage::new(0, 0).is_none());
        assert!(DoorbellPage::new(0, 1).is_some());
        assert!(DoorbellPage::new(1023, 1024).is_some());
        assert!(DoorbellPage::new(1024, 1024).is_none());
        assert!(DoorbellPage::new(0, 1025).is_none());
    }

    /// regression: DB-06
    #[test]
    fn last_page_stays_inside_its_register_blocks() {
        let last = DoorbellPage::new(1023, 1024).unwrap();
        assert!(last.control_register() + 8 <= u64::from(crate::pci::MSIX_TABLE_OFFSET));
        assert!(last.accessed_register() + 4 <= offset::DOORBELL_CONTROL);
        assert_eq!(last.accessed_bit(), 1 << 31);
        assert_eq!(last.bar_offset(), 1023 * 4096);
    }

    #[test]
    fn queue_commands_survive_the_register() {
        for operation in [
            QueueOperation::Activate,
            QueueOperation::Deactivate,
            QueueOperation::Suspend,
            QueueOperation::Resume,
            QueueOperation::Look,
            QueueOperation::Reload,
            QueueOperation::Watch,
            QueueOperation::ChangeRing,
            QueueOperation::TakeRing,
        ] {
            let word = u64::from(QueueCommand::of(operation, QueueId(u32::MAX)).with_tag(7));
            let back = QueueCommand::from(word);
            assert_eq!(back.operation(), Some(operation));
            assert_eq!(back.queue_id(), QueueId(u32::MAX));
            assert_eq!(back.tag(), 7);
        }
        assert_eq!(QueueCommand::from(0).operation(), None);
    }

    #[test]
    fn suspend_tags_wrap_past_none() {
        assert_eq!(SuspendTag::NONE.next(), SuspendTag(1));
        assert_eq!(SuspendTag(0x00FF_FFFE).next(), SuspendTag(0x00FF_FFFF));
        assert_eq!(SuspendTag(0x00FF_FFFF).next(), SuspendTag(1));
        assert!(!SuspendTag::NONE.answers(0));
        let last = SuspendTag(0x00FF_FFFF);
        let command = QueueCommand::of(QueueOperation::Suspend, QueueId(1)).tagged(last);
        assert!(last.answers(command.tag()));
    }

    #[test]
    fn secondary_pages_lie_behind_all_primary_ones() {
        let caps = DoorbellCaps::new().with_pages(1024);
        assert_eq!(caps.bar_pages(), 1024);
        assert_eq!(caps.with_secondary(true).bar_pages(), 2048);
        let first = DoorbellPage::new(0, 1024).unwrap();
        let last = DoorbellPage::new(1023, 1024).unwrap();
        assert_eq!(first.secondary_bar_offset(1024), last.bar_offset() + 4096);
        assert_eq!(last.secondary_bar_offset(1024), 2047 * 4096);
    }

    #[test]
    fn engine_sets_know_32_engines() {
        let set = EngineSet::NONE.with(0).with(31).with(32);
        assert_eq!(set.into_bits(), 0x8000_0001);
        assert!(set.contains(31) && !set.contains(32) && !set.contains(30));
        assert_eq!(set.without(31).without(32), EngineSet::from_bits(1));
    }

    #[test]
    fn unbound_control_has_no_owner() {
        assert_eq!(DoorbellControl::UNBOUND.owner(), None);
        assert_eq!(
            DoorbellControl::bound_to(QueueId(9)).owner(),
            Some(QueueId(9))
        );
    }
}
