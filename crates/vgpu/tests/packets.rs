//! Command buffers: what packets do, and what they must not do.

mod common;

use carillon_hw::addr::{ApertureOffset, BusAddress, GpuVa, PhysicalTarget, VramOffset};
use carillon_hw::event::Event;
use carillon_hw::mmu::PageTableEntry;
use carillon_hw::packet::{Header, Packet};
use carillon_hw::queue::{ContextId, QueueFault, QueueShape};
use carillon_hw::ring::{EntryMeta, RingEntry};
use common::{APERTURE_TABLE, Client, HOST, Rig, assemble, local, system};
use zerocopy::IntoBytes;

const CONTEXT: ContextId = ContextId(1);

fn copy(source: u64, destination: u64, bytes: u64) -> Packet {
    Packet::Copy {
        source: GpuVa(source),
        destination: GpuVa(destination),
        bytes,
    }
}

fn fill(destination: u64, bytes: u64, pattern: u32) -> Packet {
    Packet::Fill {
        destination: GpuVa(destination),
        bytes,
        pattern,
    }
}

fn bytes(rig: &Rig, at: u64, count: usize) -> Vec<u8> {
    let mut read = vec![0; count];
    rig.gpu.vram_memory().read(at, &mut read).unwrap();
    read
}

/// Bytes that repeat with no power of two.
fn noise(count: usize) -> Vec<u8> {
    (0..count).map(|i| u8::try_from(i % 251).unwrap()).collect()
}

#[test]
fn copies_of_any_alignment_and_length_match_a_plain_copy() {
    let rig = Rig::new(Rig::small());
    let source = rig.buffer(CONTEXT, 40);
    let target = rig.buffer(CONTEXT, 40);
    let data = noise(40 * 4096);
    rig.gpu.vram_memory().write(source, &data).unwrap();
    let client = rig.active_queue(0, 1);
    // More than one step's worth of pages among them.
    for (from, to, count) in [
        (0, 0, 0),
        (0, 0, 1),
        (1, 4095, 2),
        (4095, 1, 4097),
        (13, 7, 33 * 4096),
    ] {
        let cleared = vec![0xEE; 40 * 4096];
        rig.gpu.vram_memory().write(target, &cleared).unwrap();
        client.submit(&[copy(source + from as u64, target + to as u64, count as u64)]);
        client.wait_done();
        let mut wanted = cleared;
        wanted[to..to + count].copy_from_slice(&data[from..from + count]);
        assert!(
            bytes(&rig, target, 40 * 4096) == wanted,
            "{from} {to} {count}"
        );
    }
}

#[test]
fn overlapping_copies_go_as_if_through_a_buffer() {
    let rig = Rig::new(Rig::small());
    let at = rig.buffer(CONTEXT, 40);
    let client = rig.active_queue(0, 1);
    for (from, to, count) in [
        (0, 1, 30 * 4096),
        (1, 0, 30 * 4096),
        (0, 4096, 20 * 4096 + 5),
        (4100, 4, 20 * 4096 + 5),
        (5, 4098, 20 * 4096 + 5),
        (7, 7, 9000),
    ] {
        let mut wanted = noise(40 * 4096);
        rig.gpu.vram_memory().write(at, &wanted).unwrap();
        client.submit(&[copy(at + from as u64, at + to as u64, count as u64)]);
        client.wait_done();
        wanted.copy_within(from..from + count, to);
        assert!(bytes(&rig, at, 40 * 4096) == wanted, "{from} {to} {count}");
    }
}

#[test]
fn fill_timestamp_and_nop() {
    let rig = Rig::new(Rig::small());
    let at = rig.buffer(CONTEXT, 3);
    let client = rig.active_queue(0, 1);
    client.submit(&[
        fill(at + 4, 2 * 4096, 0x0403_0201),
        Packet::Nop { dwords: 5 },
        Packet::Timestamp {
            destination: GpuVa(at + 3 * 4096 - 8),
        },
    ]);
    client.wait_done();
    let read = bytes(&rig, at, 3 * 4096);
    assert_eq!(read[..8], [0, 0, 0, 0, 1, 2, 3, 4]);
    assert_eq!(read[2 * 4096 + 3], 4);
    assert_eq!(read[2 * 4096 + 4], 0);
    let stamp = rig.gpu.vram_memory().load_u64(at + 3 * 4096 - 8).unwrap();
    assert!(stamp > 0 && stamp <= rig.gpu.now());
    assert_eq!(rig.gpu.stats().packets, 3);
    assert_eq!(rig.gpu.stats().bytes_copied, 2 * 4096);
}

#[test]
fn a_nop_may_span_memory_that_is_not_mapped() {
    let rig = Rig::new(Rig::small());
    let page = rig.buffer(CONTEXT, 1);
    // The buffer's first and last page are mapped, what lies between is not.
    let base = 0x5000_0000;
    rig.map(CONTEXT, GpuVa(base), local(page));
    rig.map(CONTEXT, GpuVa(base + 0x3000), local(page));
    let header = Header::new().with_dwords(0x3000 / 4).into_bits();
    rig.gpu
        .vram_memory()
        .write(page, header.as_bytes())
        .unwrap();
    let client = rig.active_queue(0, 1);
    client.put_entry(&RingEntry::user(GpuVa(base), 0x3000 / 4).unwrap());
    client.look();
    client.wait_done();
}

#[test]
fn a_buffer_may_end_where_mapped_memory_ends() {
    let rig = Rig::new(Rig::small());
    let page = rig.buffer(CONTEXT, 1);
    let base = 0x5100_0000;
    rig.map(CONTEXT, GpuVa(base), local(page));
    let nop = assemble(&[Packet::Nop { dwords: 1 }]);
    let vram = rig.gpu.vram_memory();
    vram.write(page + 4092, nop.as_bytes()).unwrap();
    let client = rig.active_queue(0, 1);
    client.put_entry(&RingEntry::user(GpuVa(base + 4092), 1).unwrap());
    client.look();
    client.wait_done();
    // Two doublewords would reach beyond.
    client.put_entry(&RingEntry::user(GpuVa(base + 4092), 2).unwrap());
    client.look();
    let wanted = (QueueFault::PAGE, base + 4096);
    assert_eq!(rig.fault_of(client.id), wanted);
}

#[test]
fn zero_pages_read_zero_and_swallow_writes() {
    let rig = Rig::new(Rig::small());
    let at = rig.buffer(CONTEXT, 1);
    let zero = 0x6000_0000;
    let entry = local(at).with_zero(true);
    rig.map(CONTEXT, GpuVa(zero), entry);
    let client = rig.active_queue(0, 1);
    client.submit(&[fill(at, 64, 0x1111_1111), fill(zero, 64, 0x2222_2222)]);
    client.wait_done();
    assert_eq!(bytes(&rig, at, 4), [0x11; 4], "the address is ignored");
    client.submit(&[copy(zero, at, 32)]);
    client.wait_done();
    assert_eq!(bytes(&rig, at, 64), [[0; 32], [0x11; 32]].concat());
}

#[test]
fn system_memory_and_aperture_are_reached_through_page_tables() {
    let rig = Rig::new(Rig::small());
    let at = rig.buffer(CONTEXT, 1);
    let (direct, through) = (0x1000_0000, 0x1000_1000);
    rig.map(CONTEXT, GpuVa(direct), system(0x2000));
    let aperture = PhysicalTarget::Aperture(ApertureOffset(3 * 4096));
    let entry = PageTableEntry::to_target(aperture).unwrap();
    rig.map(CONTEXT, GpuVa(through), entry);
    rig.gpu
        .vram_memory()
        .store_u64(APERTURE_TABLE + 3 * 8, system(0x5000).into_bits())
        .unwrap();
    let client = rig.active_queue(0, 1);
    client.submit(&[
        fill(at, 4096, 0xABCD_EF01),
        copy(at, direct + 8, 100),
        copy(direct + 8, through + 16, 100),
    ]);
    client.wait_done();
    let mut read = [0; 100];
    rig.host.memory.read(0x5010, &mut read).unwrap();
    assert_eq!(read.to_vec(), bytes(&rig, at, 100));
    // A missing aperture entry faults.
    let missing = PhysicalTarget::Aperture(ApertureOffset(4 * 4096));
    let outside = PhysicalTarget::Aperture(ApertureOffset(16 * 4096));
    for (index, target) in (0_u32..).zip([missing, outside]) {
        let va = 0x1100_0000 + u64::from(index) * 4096;
        let entry = PageTableEntry::to_target(target).unwrap();
        rig.map(CONTEXT, GpuVa(va), entry);
        let client = rig.active_queue(1 + index, 1);
        client.submit(&[fill(va, 4, 0)]);
        assert_eq!(rig.fault_of(client.id), (QueueFault::PAGE, va));
    }
}

/// Runs packets on a fresh activation and returns the fault.
fn fault_after(rig: &Rig, client: &Client<'_>, packets: &[Packet]) -> (QueueFault, u64) {
    client.set_write_pointer(0);
    client.activate();
    client.submit(packets);
    rig.fault_of(client.id)
}

#[test]
fn page_faults_of_every_kind() {
    let rig = Rig::new(Rig::small());
    let at = rig.buffer(CONTEXT, 2);
    let client = rig.queue(0, 1);
    let vram = rig.gpu.vram_memory();
    let unmapped = 0x2_0000_0000;
    let far = 1 << 48;
    let read_only = 0x2000_0000;
    rig.map(CONTEXT, GpuVa(read_only), local(at).with_read_only(true));
    let beyond_vram = 0x2000_1000;
    rig.map(CONTEXT, GpuVa(beyond_vram), local(16 << 20));
    let beyond_host = 0x2000_2000;
    let target = PhysicalTarget::System(BusAddress(0x4000));
    let entry = PageTableEntry::to_target(target).unwrap();
    rig.map(CONTEXT, GpuVa(beyond_host), entry);
    for va in [unmapped, far, u64::MAX - 3, beyond_vram, beyond_host] {
        let wanted = (QueueFault::PAGE, va);
        assert_eq!(
            fault_after(&rig, &client, &[fill(va, 4, 1)]),
            wanted,
            "{va:#x}"
        );
        let read = copy(va, at, 1);
        assert_eq!(fault_after(&rig, &client, &[read]), wanted, "{va:#x}");
    }
    let wanted = (QueueFault::PAGE, read_only);
    assert_eq!(fault_after(&rig, &client, &[fill(read_only, 4, 1)]), wanted);
    // Reading a read-only page is fine; a bad packet ends the buffer.
    let read = [copy(read_only, at, 4), fill(unmapped, 4, 0)];
    assert_eq!(
        fault_after(&rig, &client, &read),
        (QueueFault::PAGE, unmapped)
    );
    // Only the pages before the faulting one are written.
    let edge = 0x2100_0000;
    rig.map(CONTEXT, GpuVa(edge), local(at));
    rig.map(CONTEXT, GpuVa(edge + 0x2000), local(at + 4096));
    vram.store_u64(at + 4096, 0).unwrap();
    let wanted = (QueueFault::PAGE, edge + 4096);
    assert_eq!(
        fault_after(&rig, &client, &[fill(edge, 3 * 4096, 9)]),
        wanted
    );
    assert_eq!(vram.load_u32(at + 4092), Ok(9));
    assert_eq!(vram.load_u32(at + 4096), Ok(0));
    // Root entries that are declared not to exist.
    let root = PageTableEntry::from_bits(vram.load_u64(0x1_0000 + 32).unwrap());
    rig.set_context(CONTEXT, root.target().unwrap().raw(), 1);
    rig.invalidate_all();
    let va = 1 << 39;
    rig.map(CONTEXT, GpuVa(va), local(at));
    assert_eq!(
        fault_after(&rig, &client, &[fill(va, 4, 1)]),
        (QueueFault::PAGE, va)
    );
}

#[test]
fn command_buffers_need_an_executable_page() {
    let rig = Rig::new(Rig::small());
    let page = rig.buffer(CONTEXT, 1);
    let va = 0x3000_0000;
    rig.map(CONTEXT, GpuVa(va), local(page).with_no_execute(true));
    let client = rig.active_queue(0, 1);
    client.put_entry(&RingEntry::user(GpuVa(va), 1).unwrap());
    client.look();
    assert_eq!(rig.fault_of(client.id), (QueueFault::PAGE, va));
}

#[test]
fn translations_are_kept_until_invalidated() {
    let rig = Rig::new(Rig::small());
    let (first, second) = (rig.pages(1), rig.pages(1));
    let va = 0x3100_0000;
    rig.map(CONTEXT, GpuVa(va), local(first));
    let client = rig.active_queue(0, 1);
    client.submit(&[fill(va, 4, 1)]);
    client.wait_done();
    rig.map(CONTEXT, GpuVa(va), local(second));
    client.submit(&[fill(va, 4, 2)]);
    client.wait_done();
    let vram = rig.gpu.vram_memory();
    assert_eq!(
        vram.load_u32(first),
        Ok(2),
        "the driver has not invalidated"
    );
    rig.invalidate_all();
    client.submit(&[fill(va, 4, 3)]);
    client.wait_done();
    assert_eq!(vram.load_u32(first), Ok(2));
    assert_eq!(vram.load_u32(second), Ok(3));
}

#[test]
fn malformed_and_privileged_packets_fault_the_queue() {
    let rig = Rig::new(Rig::small());
    let client = rig.queue(0, 1);
    let at = rig.buffer(CONTEXT, 1);
    let good = assemble(&[fill(at, 4, 1)]);
    let header = |dwords, opcode| {
        Header::new()
            .with_dwords(dwords)
            .with_opcode(opcode)
            .into_bits()
    };
    let target = PhysicalTarget::Vram(VramOffset(at));
    let privileged = assemble(&[Packet::FillPhysical {
        target,
        bytes: 4,
        pattern: 1,
    }]);
    let mut crooked = good.clone();
    crooked[1] += 1;
    let words: [&[u32]; 8] = [
        &[0],
        &[header(2, 0)],
        &[header(u16::MAX, 0)],
        &good[..5],
        &[header(1, 0x7F)],
        &[header(2, 5), 0],
        &privileged,
        &crooked,
    ];
    for words in words {
        client.set_write_pointer(0);
        client.activate();
        client.put_words(words);
        client.look();
        let fault = rig.fault_of(client.id);
        assert_eq!(fault, (QueueFault::PACKET, client.buffers), "{words:x?}");
    }
    assert_eq!(rig.gpu.vram_memory().load_u32(at), Ok(0));
    // The packets before the bad one have run.
    client.set_write_pointer(0);
    client.activate();
    client.put_words(&[&good[..], &[0]].concat());
    client.look();
    let wanted = (QueueFault::PACKET, client.buffers + 24);
    assert_eq!(rig.fault_of(client.id), wanted);
    assert_eq!(rig.gpu.vram_memory().load_u32(at), Ok(1));
}

/// A kernel queue whose ring, control block and buffers lie in host memory.
struct Kernel<'a> {
    rig: &'a Rig,
    write: u64,
}

const RING: u64 = 0x8000;
const CONTROL: u64 = 0x9000;
const BUFFER: u64 = 0xA000;

impl Kernel<'_> {
    const ID: carillon_hw::queue::QueueId = carillon_hw::queue::QueueId(7);

    fn new(rig: &Rig) -> Kernel<'_> {
        let shape = QueueShape::new().with_engine(2).with_kernel(true);
        let client = rig.queue_on(Self::ID.0, 0, shape);
        let mut half = rig.driver_half(client.id);
        half.ring = HOST + RING;
        half.control = HOST + CONTROL;
        rig.write_driver_half(client.id, &half);
        rig.host.memory.store_u64(CONTROL, 0).unwrap();
        client.activate();
        Kernel { rig, write: 0 }
    }

    fn submit(&mut self, entry: &RingEntry) {
        let memory = &self.rig.host.memory;
        memory
            .write(RING + self.write % 128 * 32, entry.as_bytes())
            .unwrap();
        self.write += 1;
        memory.store_u64(CONTROL, self.write).unwrap();
        self.rig
            .command(carillon_hw::regs::QueueOperation::Look, Self::ID);
    }

    fn run(&mut self, words: &[u32], cookie: u64) {
        self.rig
            .host
            .memory
            .write(BUFFER, words.as_bytes())
            .unwrap();
        let length = u32::try_from(words.len()).unwrap();
        self.submit(&RingEntry::kernel_bus(BusAddress(HOST + BUFFER), length, cookie).unwrap());
    }

    fn completed(&self, cookie: u64) {
        let wanted = Event::BufferCompleted {
            queue: Self::ID,
            cookie,
        };
        self.rig
            .expect_event("a completion", |event| event == wanted);
    }
}

#[test]
fn kernel_buffers_write_tables_and_physical_memory() {
    let rig = Rig::new(Rig::small());
    let mut kernel = Kernel::new(&rig);
    let table = rig.pages(1);
    let vram = PhysicalTarget::Vram(VramOffset(table));
    let system_target = PhysicalTarget::System(BusAddress(HOST + 0x2004));
    let mut words = assemble(&[Packet::WriteEntries {
        target: vram,
        count: 512,
    }]);
    for (index, word) in words[4..].iter_mut().enumerate() {
        *word = u32::try_from(index).unwrap();
    }
    words.extend(assemble(&[
        Packet::FillPhysical {
            target: system_target,
            bytes: 8192,
            pattern: 0x5A5A_5A5A,
        },
        Packet::CopyPhysical {
            source: vram,
            destination: PhysicalTarget::Vram(VramOffset(table + 4)),
            bytes: 64,
        },
        Packet::InvalidateTlb { context: CONTEXT },
    ]));
    kernel.run(&words, 0x00C0_FFEE);
    kernel.completed(0x00C0_FFEE);
    let memory = rig.gpu.vram_memory();
    let read: Vec<u32> = (0..1024)
        .map(|index| memory.load_u32(table + index * 4).unwrap())
        .collect();
    let mut wanted: Vec<u32> = (0..1024).collect();
    wanted.copy_within(0..16, 1);
    assert_eq!(read, wanted);
    assert_eq!(rig.host.memory.load_u32(0x2000), Ok(0));
    assert_eq!(rig.host.memory.load_u32(0x4000), Ok(0x5A5A_5A5A));
    assert_eq!(rig.host.memory.load_u32(0x4004), Ok(0));
    assert_eq!(rig.host.memory.load_u64(CONTROL + 64), Ok(1));
}

#[test]
fn the_invalidate_packet_drops_kept_translations_of_its_context() {
    let rig = Rig::new(Rig::small());
    let mut kernel = Kernel::new(&rig);
    let (first, second) = (rig.pages(1), rig.pages(1));
    let va = 0x3100_0000;
    let client = rig.active_queue(0, 1);
    rig.map(CONTEXT, GpuVa(va), local(first));
    client.submit(&[fill(va, 4, 1)]);
    client.wait_done();
    rig.map(CONTEXT, GpuVa(va), local(second));
    for (context, wanted) in [(ContextId(2), 0), (CONTEXT, 5), (ContextId(u32::MAX), 5)] {
        kernel.run(&assemble(&[Packet::InvalidateTlb { context }]), 1);
        kernel.completed(1);
        client.submit(&[fill(va, 4, 5)]);
        client.wait_done();
        let memory = rig.gpu.vram_memory();
        assert_eq!(memory.load_u32(second), Ok(wanted), "{context:?}");
    }
}

#[test]
fn a_kernel_entry_may_name_another_context() {
    let rig = Rig::new(Rig::small());
    let mut kernel = Kernel::new(&rig);
    let target = rig.pages(1);
    let buffer = rig.buffer(ContextId(3), 1);
    let va = 0x4000_0000;
    rig.map(ContextId(3), GpuVa(va), local(target));
    let words = assemble(&[fill(va, 4, 77)]);
    rig.gpu
        .vram_memory()
        .write(buffer, words.as_bytes())
        .unwrap();
    kernel.submit(&RingEntry::kernel(GpuVa(buffer), 6, ContextId(3), 5).unwrap());
    kernel.completed(5);
    assert_eq!(rig.gpu.vram_memory().load_u32(target), Ok(77));
    // Not a context of the table.
    kernel.submit(&RingEntry::kernel(GpuVa(buffer), 6, ContextId(8), 5).unwrap());
    let (fault, _) = rig.fault_of(Kernel::ID);
    assert_eq!(fault, QueueFault::RING_ENTRY);
}

#[test]
fn a_kernel_entry_without_the_right_may_not_run_privileged_packets() {
    let rig = Rig::new(Rig::small());
    let mut kernel = Kernel::new(&rig);
    let buffer = rig.buffer(ContextId(3), 1);
    let words = assemble(&[Packet::InvalidateTlb { context: CONTEXT }]);
    rig.gpu
        .vram_memory()
        .write(buffer, words.as_bytes())
        .unwrap();
    let entry = RingEntry::kernel(GpuVa(buffer), 2, ContextId(3), 5).unwrap();
    kernel.submit(&entry.privileged());
    kernel.completed(5);
    kernel.submit(&entry);
    assert_eq!(rig.fault_of(Kernel::ID), (QueueFault::PACKET, buffer));
}

#[test]
fn user_entries_with_kernel_metadata_or_bad_sizes_fault() {
    let rig = Rig::new(Rig::small());
    let client = rig.queue(0, 1);
    let good = RingEntry::user(GpuVa(client.buffers), 1).unwrap();
    let meta = |meta| RingEntry { meta, ..good };
    for entry in [
        good.privileged(),
        RingEntry { cookie: 1, ..good },
        RingEntry {
            reserved: 1,
            ..good
        },
        RingEntry {
            buffer: good.buffer + 2,
            ..good
        },
        meta(EntryMeta::new()),
        meta(EntryMeta::new().with_dwords((1 << 20) + 1)),
        meta(good.meta.with_bus_addressed(true)),
        meta(good.meta.with_reports(true)),
        meta(good.meta.with_context(1)),
        meta(EntryMeta::from_bits(good.meta.into_bits() + (1 << 25))),
    ] {
        client.set_write_pointer(0);
        client.activate();
        client.put_entry(&entry);
        client.look();
        let fault = rig.fault_of(client.id);
        assert_eq!(fault, (QueueFault::RING_ENTRY, client.ring), "{entry:?}");
    }
    assert_eq!(rig.gpu.stats().entries_fetched, 0);
}
