//! A small driver, written from `docs/hardware.md`: it lays out local memory, page tables and
//! descriptors by hand and works the registers.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "every test file uses a part of it"
)]

mod random;
pub mod trace;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use carillon_hw::addr::{BusAddress, GpuVa, PAGE_SIZE, PhysicalTarget, VramOffset};
use carillon_hw::event::{EVENT_BYTES, Event, RawEvent, sequence_of, slot_offset};
use carillon_hw::mmu::{ENTRY_BYTES, PageTableEntry, ROOT_LEVEL, table_index};
use carillon_hw::packet::Packet;
use carillon_hw::queue::{
    ContextDescriptor, ContextId, DEVICE_HALF_OFFSET, QueueDeviceHalf, QueueDriverHalf, QueueFault,
    QueueId, QueueShape, QueueState,
};
use carillon_hw::regs::{
    Control, DoorbellControl, DoorbellPage, Interrupts, QueueCommand, QueueOperation, Status,
    TlbInvalidate, offset,
};
use carillon_hw::ring::{READ_POINTER_OFFSET, RingEntry, RingSize};
use carillon_vgpu::{Bus, BusFault, Config, Gpu, SharedMemory};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

pub use random::{Random, seed};

pub const QUEUE_TABLE: u64 = 0;
pub const QUEUES: u32 = 64;
pub const CONTEXT_TABLE: u64 = 0x1_0000;
pub const CONTEXTS: u32 = 8;
pub const EVENT_RING: u64 = 0x2_0000;
pub const EVENTS: u32 = 64;
pub const APERTURE_TABLE: u64 = 0x3_0000;
pub const APERTURE_PAGES: u32 = 16;
/// First page that the rig hands out.
const FIRST_FREE: u64 = 0x4_0000;

/// Where host memory begins on the bus.
pub const HOST: u64 = 0x1_0000_0000;
pub const HOST_BYTES: u64 = 0x10_0000;

/// Host memory, and a counter of messages.
pub struct Host {
    pub memory: SharedMemory,
    pub messages: AtomicU64,
}

/// The offset in host memory of a bus access.
fn host_offset(address: BusAddress, bytes: u64) -> Result<u64, BusFault> {
    address
        .0
        .checked_sub(HOST)
        .filter(|offset| offset + bytes <= HOST_BYTES)
        .ok_or(BusFault(address))
}

impl Bus for Host {
    fn read(&self, address: BusAddress, into: &mut [u8]) -> Result<(), BusFault> {
        let offset = host_offset(address, into.len() as u64)?;
        self.memory
            .read(offset, into)
            .map_err(|_| BusFault(address))
    }

    fn write(&self, address: BusAddress, from: &[u8]) -> Result<(), BusFault> {
        let offset = host_offset(address, from.len() as u64)?;
        self.memory
            .write(offset, from)
            .map_err(|_| BusFault(address))
    }

    fn load_u64(&self, address: BusAddress) -> Result<u64, BusFault> {
        let offset = host_offset(address, 8)?;
        self.memory.load_u64(offset).map_err(|_| BusFault(address))
    }

    fn store_u64(&self, address: BusAddress, value: u64) -> Result<(), BusFault> {
        let offset = host_offset(address, 8)?;
        self.memory
            .store_u64(offset, value)
            .map_err(|_| BusFault(address))
    }

    fn raise(&self, vector: u16) {
        assert_eq!(vector, 0, "the device has one vector");
        self.messages.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls until `done`; the limit only turns a hang into a failure.
#[track_caller]
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < limit, "never came: {what}");
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// The device and what the driver knows of it.
pub struct Rig {
    pub gpu: Gpu,
    pub host: Arc<Host>,
    next_page: Mutex<u64>,
    event_read: Mutex<u32>,
    /// Events taken while waiting for another one.
    passed: Mutex<VecDeque<Event>>,
    roots: Mutex<Vec<Option<u64>>>,
    /// Local memory offset of the queue table, and its entries.
    pub queue_table: (u64, u32),
}

/// One queue as its client sees it.
pub struct Client<'a> {
    rig: &'a Rig,
    pub id: QueueId,
    pub context: ContextId,
    /// Local memory offset of ring, control block and buffers; also their GPU addresses.
    pub ring: u64,
    pub control: u64,
    pub buffers: u64,
    pub size: RingSize,
    pub write: std::cell::Cell<u64>,
}

/// Bytes of buffer space for each ring slot.
pub const BUFFER_STRIDE: u64 = 256;

impl Rig {
    pub fn new(config: Config) -> Self {
        let rig = Self::cold(config);
        rig.start();
        rig
    }

    /// Without a start: power-on state.
    pub fn cold(config: Config) -> Self {
        let host = Arc::new(Host {
            memory: SharedMemory::new("host", HOST_BYTES).unwrap(),
            messages: AtomicU64::new(0),
        });
        let bus: Arc<dyn Bus> = Arc::clone(&host) as _;
        Self {
            gpu: Gpu::new(config, bus).unwrap(),
            host,
            next_page: Mutex::new(FIRST_FREE),
            event_read: Mutex::new(0),
            passed: Mutex::default(),
            roots: Mutex::new(vec![None; CONTEXTS as usize]),
            queue_table: (QUEUE_TABLE, QUEUES),
        }
    }

    pub fn small() -> Config {
        Config {
            vram_bytes: 16 << 20,
            ..Config::default()
        }
    }

    pub fn write32(&self, at: u64, value: u32) {
        self.gpu.register_write(at, 4, u64::from(value));
    }

    pub fn write64(&self, at: u64, value: u64) {
        self.gpu.register_write(at, 8, value);
    }

    pub fn read32(&self, at: u64) -> u32 {
        u32::try_from(self.gpu.register_read(at, 4)).unwrap()
    }

    pub fn read64(&self, at: u64) -> u64 {
        self.gpu.register_read(at, 8)
    }

    pub fn status(&self) -> Status {
        Status::from_bits(self.read32(offset::STATUS))
    }

    pub fn set_tables(&self) {
        self.write64(offset::QUEUE_TABLE, self.queue_table.0);
        self.write32(offset::QUEUE_TABLE_ENTRIES, self.queue_table.1);
        self.write64(offset::CONTEXT_TABLE, CONTEXT_TABLE);
        self.write32(offset::CONTEXT_TABLE_ENTRIES, CONTEXTS);
        self.write64(offset::EVENT_RING, EVENT_RING);
        self.write32(offset::EVENT_RING_ENTRIES, EVENTS);
        self.write64(offset::APERTURE_TABLE, APERTURE_TABLE);
        self.write32(offset::APERTURE_ENTRIES, APERTURE_PAGES);
    }

    /// The start-up sequence of section 4.
    pub fn start(&self) {
        self.write32(offset::CONTROL, Control::new().with_reset(true).into_bits());
        assert_eq!(self.read32(offset::CONTROL), 0);
        self.set_tables();
        let all = Interrupts::new()
            .with_events(true)
            .with_overflow(true)
            .with_fatal(true);
        self.write32(offset::INTERRUPT_ENABLE, all.into_bits());
        // A new event ring starts at sequence 1 again; old numbers must not be taken for it.
        let vram = self.gpu.vram_memory();
        for slot in 0..u64::from(EVENTS) {
            vram.store_u64(EVENT_RING + slot * EVENT_BYTES + 24, 0)
                .unwrap();
        }
        *self.event_read.lock().unwrap() = 0;
        self.passed.lock().unwrap().clear();
        self.write32(
            offset::CONTROL,
            Control::new().with_enable(true).into_bits(),
        );
        assert!(self.status().enabled());
    }

    pub fn messages(&self) -> u64 {
        self.host.messages.load(Ordering::SeqCst)
    }

    /// A zeroed page run of local memory.
    pub fn pages(&self, count: u64) -> u64 {
        let mut next = self.next_page.lock().unwrap();
        let page = *next;
        *next += count * PAGE_SIZE;
        assert!(*next <= self.gpu.vram_memory().len());
        page
    }

    fn root(&self, context: ContextId) -> u64 {
        let mut roots = self.roots.lock().unwrap();
        let slot = &mut roots[context.0 as usize];
        if let Some(root) = *slot {
            return root;
        }
        let root = self.pages(1);
        *slot = Some(root);
        self.set_context(context, root, 512);
        root
    }

    pub fn set_context(&self, context: ContextId, root: u64, entries: u32) {
        let mut descriptor = ContextDescriptor::new_zeroed();
        descriptor.root = local(root).into_bits();
        descriptor.root_entries = entries;
        let at = CONTEXT_TABLE + context.table_offset();
        self.gpu
            .vram_memory()
            .write(at, descriptor.as_bytes())
            .unwrap();
    }

    /// Writes a leaf entry, making tables as needed.
    pub fn map(&self, context: ContextId, va: GpuVa, leaf: PageTableEntry) {
        let vram = self.gpu.vram_memory();
        let mut table = self.root(context);
        for level in (1..=ROOT_LEVEL).rev() {
            let slot = table + u64::from(table_index(va, level).unwrap()) * ENTRY_BYTES;
            let entry = PageTableEntry::from_bits(vram.load_u64(slot).unwrap());
            table = if let Some(target) = entry.target() {
                target.raw()
            } else {
                let page = self.pages(1);
                vram.store_u64(slot, local(page).into_bits()).unwrap();
                page
            };
        }
        let slot = table + u64::from(table_index(va, 0).unwrap()) * ENTRY_BYTES;
        vram.store_u64(slot, leaf.into_bits()).unwrap();
    }

    /// Maps local memory at the same GPU address.
    pub fn map_local(&self, context: ContextId, at: u64, pages: u64) {
        for page in 0..pages {
            let at = at + page * PAGE_SIZE;
            self.map(context, GpuVa(at), local(at));
        }
    }

    pub fn invalidate_all(&self) {
        self.write64(
            offset::TLB_INVALIDATE,
            TlbInvalidate::new().with_all(true).into_bits(),
        );
    }

    /// Fresh local memory, mapped at the same GPU address.
    pub fn buffer(&self, context: ContextId, pages: u64) -> u64 {
        let at = self.pages(pages);
        self.map_local(context, at, pages);
        at
    }

    pub fn command(&self, operation: QueueOperation, id: QueueId) {
        let word = QueueCommand::of(operation, id);
        self.write64(offset::QUEUE_COMMAND, word.into_bits());
    }

    pub fn suspend(&self, id: QueueId, tag: u32) {
        let word = QueueCommand::of(QueueOperation::Suspend, id).with_tag(tag);
        self.write64(offset::QUEUE_COMMAND, word.into_bits());
    }

    pub fn write_driver_half(&self, id: QueueId, half: &QueueDriverHalf) {
        let at = self.queue_table.0 + id.table_offset();
        self.gpu.vram_memory().write(at, half.as_bytes()).unwrap();
    }

    pub fn driver_half(&self, id: QueueId) -> QueueDriverHalf {
        let mut half = QueueDriverHalf::new_zeroed();
        let at = self.queue_table.0 + id.table_offset();
        self.gpu
            .vram_memory()
            .read(at, half.as_mut_bytes())
            .unwrap();
        half
    }

    pub fn device_half(&self, id: QueueId) -> QueueDeviceHalf {
        let mut bytes = [0; 64];
        let at = self.queue_table.0 + id.table_offset() + DEVICE_HALF_OFFSET;
        self.gpu.vram_memory().read(at, &mut bytes).unwrap();
        QueueDeviceHalf::read_from_bytes(&bytes).unwrap()
    }

    pub fn state(&self, id: QueueId) -> QueueState {
        self.device_half(id).state
    }

    /// Waits for a fault and returns it.
    #[track_caller]
    pub fn fault_of(&self, id: QueueId) -> (QueueFault, u64) {
        wait_for("a queue fault", || self.state(id) == QueueState::FAULTED);
        let half = self.device_half(id);
        (half.fault, half.fault_address)
    }

    pub fn bind(&self, page: u32, control: DoorbellControl) {
        self.write64(doorbell_page(page).control_register(), control.into_bits());
    }

    /// What a client stores to its doorbell page.
    pub fn ring(&self, page: u32, value: u64) {
        let at = doorbell_page(page).bar_offset();
        self.gpu.doorbell_memory().store_u64(at, value).unwrap();
    }

    pub fn doorbell_value(&self, page: u32) -> u64 {
        let at = doorbell_page(page).bar_offset();
        self.gpu.doorbell_memory().load_u64(at).unwrap()
    }

    /// The next event, if there is one; gives the slot back.
    pub fn take_event(&self) -> Option<Event> {
        if let Some(event) = self.passed.lock().unwrap().pop_front() {
            return Some(event);
        }
        self.take_from_ring()
    }

    fn take_from_ring(&self) -> Option<Event> {
        let mut read = self.event_read.lock().unwrap();
        let at = EVENT_RING + slot_offset(*read, EVENTS);
        let vram = self.gpu.vram_memory();
        if vram.load_u64(at + 24).unwrap() != sequence_of(*read) {
            return None;
        }
        let mut raw = RawEvent::new_zeroed();
        vram.read(at, raw.as_mut_bytes()).unwrap();
        *read = read.wrapping_add(1);
        self.write32(offset::EVENT_READ, *read);
        Some(Event::decode(raw).expect("a known event"))
    }

    /// Waits for an event that `wanted` accepts; others stay for later.
    #[track_caller]
    pub fn expect_event(&self, what: &str, wanted: impl Fn(Event) -> bool) -> Event {
        let mut found = None;
        wait_for(what, || {
            let mut passed = self.passed.lock().unwrap();
            while let Some(event) = self.take_from_ring() {
                passed.push_back(event);
            }
            if let Some(index) = passed.iter().position(|event| wanted(*event)) {
                found = passed.remove(index);
            }
            found.is_some()
        });
        found.unwrap()
    }

    /// Has the device thread go round a few times: whatever it would do unasked is done then.
    pub fn settle(&self) {
        let idle = || self.status().idle();
        wait_for("an idle device", idle);
        std::thread::sleep(Duration::from_millis(3));
        wait_for("an idle device", idle);
    }

    /// As [`Self::settle`], on a device that does not idle.
    pub fn settle_busy(&self) {
        std::thread::sleep(Duration::from_millis(3));
        assert!(!self.status().idle());
    }

    /// A queue with its ring, control block and buffers in local memory, not yet activated.
    pub fn queue(&self, id: u32, context: u32) -> Client<'_> {
        self.queue_on(id, context, QueueShape::new().with_engine(1).with_band(1))
    }

    pub fn queue_on(&self, id: u32, context: u32, shape: QueueShape) -> Client<'_> {
        let id = QueueId(id);
        let context = ContextId(context);
        let size = RingSize::from_log2(7).unwrap();
        let ring = self.buffer(context, 1);
        let control = self.buffer(context, 1);
        let pages = (size.entries() * BUFFER_STRIDE).div_ceil(PAGE_SIZE);
        let buffers = self.buffer(context, pages);
        let mut half = QueueDriverHalf::new_zeroed();
        half.ring = ring;
        half.control = control;
        half.shape = shape.with_ring_entries_log2(size.log2());
        half.context = context.0;
        self.write_driver_half(id, &half);
        Client {
            rig: self,
            id,
            context,
            ring,
            control,
            buffers,
            size,
            write: std::cell::Cell::new(0),
        }
    }

    /// A client of a queue that was made by [`Self::queue`] or written by hand, with its buffers
    /// where that queue has them: for another thread.
    pub fn client_of(&self, id: u32, context: u32) -> Client<'_> {
        let id = QueueId(id);
        let half = self.driver_half(id);
        let size = RingSize::from_log2(half.shape.ring_entries_log2()).unwrap();
        let vram = self.gpu.vram_memory();
        Client {
            rig: self,
            id,
            context: ContextId(context),
            ring: half.ring,
            control: half.control,
            buffers: half.control + PAGE_SIZE,
            size,
            write: std::cell::Cell::new(vram.load_u64(half.control).unwrap()),
        }
    }

    pub fn active_queue(&self, id: u32, context: u32) -> Client<'_> {
        let client = self.queue(id, context);
        client.activate();
        client
    }
}

pub fn doorbell_page(index: u32) -> DoorbellPage {
    DoorbellPage::new(index, 1024).unwrap()
}

/// A valid entry for local memory.
pub fn local(at: u64) -> PageTableEntry {
    PageTableEntry::to_target(PhysicalTarget::Vram(VramOffset(at))).unwrap()
}

/// A valid entry for host memory.
pub fn system(offset: u64) -> PageTableEntry {
    PageTableEntry::to_target(PhysicalTarget::System(BusAddress(HOST + offset))).unwrap()
}

/// The doublewords of some packets.
pub fn assemble(packets: &[Packet]) -> Vec<u32> {
    let mut words = Vec::new();
    for packet in packets {
        let mut fixed = [0; 16];
        let count = packet.encode(&mut fixed).unwrap();
        words.extend(&fixed[..count]);
        words.resize(words.len() + usize::from(packet.dwords()) - count, 0);
    }
    words
}

impl Client<'_> {
    /// Starts at another write pointer; before activation.
    pub fn start_at(&self, start: u64) {
        let mut half = self.rig.driver_half(self.id);
        half.start = start;
        self.rig.write_driver_half(self.id, &half);
        self.set_write_pointer(start);
    }

    pub fn activate(&self) {
        self.rig.command(QueueOperation::Activate, self.id);
    }

    /// Lays out another ring for the same queue and names it in the descriptor. The client of that
    /// ring comes back; the device has not been told.
    pub fn next_ring(&self, log2: u32, start: u64) -> Self {
        let size = RingSize::from_log2(log2).unwrap();
        let next = Client {
            rig: self.rig,
            id: self.id,
            context: self.context,
            ring: self.rig.buffer(self.context, size.bytes() / PAGE_SIZE),
            control: self.rig.buffer(self.context, 1),
            buffers: self
                .rig
                .buffer(self.context, size.entries() * BUFFER_STRIDE / PAGE_SIZE),
            size,
            write: std::cell::Cell::new(0),
        };
        let mut half = self.rig.driver_half(self.id);
        (half.ring, half.control, half.start) = (next.ring, next.control, start);
        half.shape.set_ring_entries_log2(log2);
        self.rig.write_driver_half(self.id, &half);
        next.set_write_pointer(start);
        next
    }

    /// Has the device change to the ring that the descriptor names.
    pub fn change_ring(&self) {
        self.rig.command(QueueOperation::ChangeRing, self.id);
    }

    pub fn take_ring(&self) {
        self.rig.command(QueueOperation::TakeRing, self.id);
    }

    /// Stores the write pointer in memory.
    pub fn set_write_pointer(&self, value: u64) {
        self.write.set(value);
        let vram = self.rig.gpu.vram_memory();
        vram.store_u64(self.control, value).unwrap();
    }

    pub fn read_pointer(&self) -> u64 {
        let vram = self.rig.gpu.vram_memory();
        vram.load_u64(self.control + READ_POINTER_OFFSET).unwrap()
    }

    /// Writes a raw entry at the write pointer and advances the pointer in memory.
    pub fn put_entry(&self, entry: &RingEntry) {
        let write = self.write.get();
        let vram = self.rig.gpu.vram_memory();
        let slot = self.ring + self.size.slot_offset(write);
        vram.write(slot, entry.as_bytes()).unwrap();
        self.set_write_pointer(write.wrapping_add(1));
    }

    /// Writes a command buffer and its entry and advances the write pointer in memory.
    pub fn put_words(&self, words: &[u32]) {
        let at = self.buffers + self.write.get() % self.size.entries() * BUFFER_STRIDE;
        assert!(words.len() as u64 * 4 <= BUFFER_STRIDE);
        let vram = self.rig.gpu.vram_memory();
        vram.write(at, words.as_bytes()).unwrap();
        let length = u32::try_from(words.len()).unwrap();
        self.put_entry(&RingEntry::user(GpuVa(at), length).unwrap());
    }

    pub fn put(&self, packets: &[Packet]) {
        self.put_words(&assemble(packets));
    }

    /// Puts work and has the device look.
    pub fn submit(&self, packets: &[Packet]) {
        self.put(packets);
        self.look();
    }

    pub fn look(&self) {
        self.rig.command(QueueOperation::Look, self.id);
    }

    #[track_caller]
    pub fn wait_done(&self) {
        wait_for("the read pointer", || {
            self.read_pointer() == self.write.get()
        });
    }
}
