//! Fences, turns between queues, hangs and engine resets.

mod common;

use carillon_hw::addr::GpuVa;
use carillon_hw::event::Event;
use carillon_hw::fence_log::{HEADER_BYTES, LogEntry, Position, SIGNAL_EXECUTED, WAIT_UNBLOCKED};
use carillon_hw::mmu::PageTableEntry;
use carillon_hw::packet::Packet;
use carillon_hw::queue::{ContextId, QueueFault, QueueId, QueueShape, QueueState};
use carillon_hw::regs::{QueueOperation, offset};
use carillon_vgpu::{Fault, FetchAction, Rule};
use common::{CONTEXT_TABLE, Client, Rig, local, wait_for};
use zerocopy::FromBytes;

const CONTEXT: ContextId = ContextId(0);
const NOP: Packet = Packet::Nop { dwords: 1 };

fn signal(current: u64, monitored: u64, value: u64) -> Packet {
    Packet::FenceSignal {
        current: GpuVa(current),
        monitored: GpuVa(monitored),
        value,
        handle: 42,
    }
}

fn wait(current: u64, value: u64) -> Packet {
    Packet::FenceWait {
        current: GpuVa(current),
        value,
        handle: 43,
    }
}

fn signaled(queue: QueueId, value: u64, address: u64) -> Event {
    Event::FenceSignaled {
        queue,
        value,
        address,
    }
}

#[test]
fn a_signal_interrupts_only_above_the_monitored_value() {
    let rig = Rig::new(Rig::small());
    let page = rig.buffer(CONTEXT, 1);
    let (current, monitored) = (page + 8, page + 16);
    let vram = rig.gpu.vram_memory();
    vram.store_u64(monitored, 10).unwrap();
    let client = rig.active_queue(0, 0);
    for (value, expected) in [(9, false), (10, false), (11, true), (3, false)] {
        client.submit(&[signal(current, monitored, value)]);
        client.wait_done();
        assert_eq!(vram.load_u64(current), Ok(value));
        rig.settle();
        let found = std::iter::from_fn(|| rig.take_event())
            .any(|event| event == signaled(client.id, value, current));
        assert_eq!(found, expected, "{value}");
    }
    vram.store_u64(monitored, u64::MAX).unwrap();
    client.submit(&[signal(current, monitored, u64::MAX), signal(current, 0, 0)]);
    rig.expect_event("monitored at 0 always reports", |event| {
        event == signaled(client.id, 0, current)
    });
    assert_eq!(vram.load_u64(current), Ok(0));
}

#[test]
fn a_signal_that_faults_has_not_signalled() {
    let rig = Rig::new(Rig::small());
    let current = rig.buffer(CONTEXT, 1);
    let client = rig.active_queue(0, 0);
    let nowhere = 0x7000_0000;
    client.submit(&[signal(current, nowhere, 5)]);
    assert_eq!(rig.fault_of(client.id), (QueueFault::PAGE, nowhere));
    assert_eq!(rig.gpu.vram_memory().load_u64(current), Ok(0));
    // The current value of a fence must be writable.
    let read_only = 0x7100_0000;
    rig.map(
        CONTEXT,
        GpuVa(read_only),
        local(current).with_read_only(true),
    );
    let client = rig.active_queue(1, 0);
    client.submit(&[signal(read_only, 0, 5)]);
    assert_eq!(rig.fault_of(client.id), (QueueFault::PAGE, read_only));
}

fn log_entry(rig: &Rig, log: u64, index: u64) -> LogEntry {
    let mut bytes = [0; 48];
    let at = log + HEADER_BYTES + index * 48;
    rig.gpu.vram_memory().read(at, &mut bytes).unwrap();
    LogEntry::read_from_bytes(&bytes).unwrap()
}

#[test]
fn fence_logs_wrap_and_survive_a_broken_header() {
    let rig = Rig::new(Rig::small());
    let fence = rig.buffer(CONTEXT, 1);
    let (signals, waits) = (rig.buffer(CONTEXT, 1), rig.buffer(CONTEXT, 1));
    let client = rig.queue(0, 0);
    let mut half = rig.driver_half(client.id);
    (half.signal_log, half.wait_log, half.log_entries) = (signals, waits, 3);
    rig.write_driver_half(client.id, &half);
    client.activate();
    for value in 1..=4 {
        client.submit(&[signal(fence, 0, value), wait(fence, value)]);
        client.wait_done();
    }
    let position = |log| Position::from_bits(rig.gpu.vram_memory().load_u64(log).unwrap());
    let wanted = Position { index: 1, wraps: 1 };
    assert_eq!((position(signals), position(waits)), (wanted, wanted));
    let newest = log_entry(&rig, signals, 0);
    assert_eq!(newest.fence_value, 4);
    assert_eq!(newest.fence_handle, 42);
    assert_eq!(newest.operation, SIGNAL_EXECUTED);
    assert!(newest.observed <= newest.ended && newest.observed > 0);
    assert_eq!(log_entry(&rig, signals, 1).fence_value, 2);
    let newest = log_entry(&rig, waits, 0);
    assert_eq!((newest.fence_value, newest.fence_handle), (4, 43));
    assert_eq!(newest.operation, WAIT_UNBLOCKED);
    // Somebody else can write the header; the device stays inside the log.
    let broken = Position {
        index: u32::MAX,
        wraps: 7,
    };
    let vram = rig.gpu.vram_memory();
    vram.store_u64(signals, broken.into_bits()).unwrap();
    client.submit(&[signal(fence, 0, 5)]);
    client.wait_done();
    assert_eq!(position(signals), Position { index: 1, wraps: 7 });
    assert_eq!(log_entry(&rig, signals, 0).fence_value, 5);
}

#[test]
fn a_wait_lets_others_run_and_ends_when_the_fence_is_reached() {
    let rig = Rig::new(Rig::small());
    let fence = rig.buffer(CONTEXT, 1);
    let (waiter, other) = (rig.active_queue(0, 0), rig.active_queue(1, 0));
    waiter.submit(&[wait(fence, 2), NOP]);
    wait_for("the fetch", || rig.gpu.stats().entries_fetched == 1);
    for _ in 0..10 {
        other.submit(&[NOP]);
        other.wait_done();
    }
    assert_eq!(waiter.read_pointer(), 0);
    assert!(!rig.status().idle(), "a waiting queue is pending");
    other.submit(&[signal(fence, 0, 1)]);
    other.wait_done();
    rig.invalidate_all();
    assert_eq!(waiter.read_pointer(), 0);
    other.submit(&[signal(fence, 0, 3)]);
    waiter.wait_done();
}

#[test]
fn waiters_do_not_starve_each_other_or_the_rest() {
    let rig = Rig::new(Rig::small());
    let fences = rig.buffer(CONTEXT, 1);
    let waiters: Vec<Client<'_>> = (0..40).map(|id| rig.active_queue(id, 0)).collect();
    for (index, waiter) in (0..).zip(&waiters) {
        waiter.submit(&[wait(fences + index * 8, 1)]);
    }
    let last = rig.active_queue(40, 0);
    last.submit(&[NOP]);
    last.wait_done();
    for (waiter, index) in waiters
        .iter()
        .zip(0..)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        let vram = rig.gpu.vram_memory();
        vram.store_u64(fences + index * 8, 1).unwrap();
        waiter.wait_done();
    }
}

fn timestamp(at: u64) -> Packet {
    Packet::Timestamp {
        destination: GpuVa(at),
    }
}

#[test]
fn queues_of_a_band_take_turns_at_every_entry() {
    let rig = Rig::new(Rig::small());
    let times = rig.buffer(CONTEXT, 1);
    let (first, second) = (rig.active_queue(0, 0), rig.active_queue(1, 0));
    // Everything is pending before the engine may start.
    rig.write32(offset::ENGINE_RESET, 1);
    for entry in 0..3 {
        first.put(&[timestamp(times + entry * 16)]);
        second.put(&[timestamp(times + entry * 16 + 8)]);
    }
    rig.write32(offset::ENGINE_RESUME, 1);
    first.wait_done();
    second.wait_done();
    let vram = rig.gpu.vram_memory();
    let times: Vec<u64> = (0..6)
        .map(|index| vram.load_u64(times + index * 8).unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_long_entry_gives_way_in_its_middle() {
    let rig = Rig::new(Rig::small());
    let times = rig.buffer(CONTEXT, 1);
    let zero = 0x1_0000_0000;
    for page in 0..512 {
        let entry = local(0).with_zero(true);
        rig.map(CONTEXT, GpuVa(zero + page * 4096), entry);
    }
    // Far more than one turn moves.
    let long = Packet::Fill {
        destination: GpuVa(zero),
        bytes: 512 * 4096,
        pattern: 1,
    };
    let (greedy, modest) = (rig.active_queue(0, 0), rig.active_queue(1, 0));
    rig.write32(offset::ENGINE_RESET, 1);
    greedy.put(&[long, long, long, long, timestamp(times)]);
    modest.put(&[timestamp(times + 8)]);
    rig.write32(offset::ENGINE_RESUME, 1);
    greedy.wait_done();
    modest.wait_done();
    let vram = rig.gpu.vram_memory();
    assert!(vram.load_u64(times + 8).unwrap() < vram.load_u64(times).unwrap());
}

#[test]
fn higher_bands_go_first() {
    let rig = Rig::new(Rig::small());
    let page = rig.buffer(CONTEXT, 1);
    let order = page + 64;
    // Everything is pending before the engine may start.
    rig.write32(offset::ENGINE_RESET, 1);
    let clients: Vec<Client<'_>> = [1, 3, 0, 2]
        .into_iter()
        .zip(0..)
        .map(|(band, id)| {
            let shape = QueueShape::new().with_engine(1).with_band(band);
            let client = rig.queue_on(id, 0, shape);
            client.activate();
            // Each stores the time at which it ran.
            client.submit(&[timestamp(order + u64::from(band) * 8)]);
            client
        })
        .collect();
    rig.write32(offset::ENGINE_RESUME, 1);
    for client in &clients {
        client.wait_done();
    }
    let vram = rig.gpu.vram_memory();
    let times: Vec<u64> = (0..4)
        .map(|band| vram.load_u64(order + band * 8).unwrap())
        .collect();
    assert!(times.is_sorted_by(|low, high| low > high), "{times:?}");
}

#[test]
fn an_endless_packet_can_be_suspended_resumed_and_deactivated() {
    let rig = Rig::new(Rig::small());
    // One page of zeros, reached through the same three tables from every entry of the root above
    // 1 TiB.
    let vram = rig.gpu.vram_memory();
    let mut entry = local(0).with_zero(true);
    for _ in 0..3 {
        let table = rig.pages(1);
        for index in 0..512 {
            vram.store_u64(table + index * 8, entry.into_bits())
                .unwrap();
        }
        entry = local(table);
    }
    let client = rig.queue(0, 0);
    let neighbour = rig.active_queue(1, 0);
    let root = PageTableEntry::from_bits(vram.load_u64(CONTEXT_TABLE).unwrap());
    let root = root.target().unwrap().raw();
    for index in 2..512 {
        vram.store_u64(root + index * 8, entry.into_bits()).unwrap();
    }
    client.activate();
    client.submit(&[Packet::Fill {
        destination: GpuVa(1 << 40),
        bytes: u64::MAX - 3,
        pattern: 0,
    }]);
    let copied = || rig.gpu.stats().bytes_copied;
    wait_for("it runs", || copied() > 1 << 20);
    neighbour.submit(&[NOP]);
    neighbour.wait_done();
    rig.suspend(client.id, 5);
    assert_eq!(rig.state(client.id), QueueState::SUSPENDED);
    let at = copied();
    rig.settle();
    assert_eq!(copied(), at, "nothing is written while suspended");
    rig.command(QueueOperation::Resume, client.id);
    wait_for("it goes on", || copied() > at);
    rig.command(QueueOperation::Deactivate, client.id);
    assert_eq!(rig.state(client.id), QueueState::INACTIVE);
    let at = copied();
    rig.settle();
    assert_eq!(copied(), at);
    // Copies of such a length end with a fault at the first address that cannot be.
    let near_end = (1 << 48) - 8192;
    client.set_write_pointer(0);
    client.activate();
    client.submit(&[Packet::Copy {
        source: GpuVa(near_end),
        destination: GpuVa(near_end - 4096),
        bytes: u64::MAX,
    }]);
    let wanted = (QueueFault::PAGE, 1 << 48);
    assert_eq!(rig.fault_of(client.id), wanted);
    client.set_write_pointer(0);
    client.activate();
    client.submit(&[Packet::Copy {
        source: GpuVa(near_end - 4096),
        destination: GpuVa(near_end),
        bytes: u64::MAX,
    }]);
    let (fault, _) = rig.fault_of(client.id);
    assert_eq!(fault, QueueFault::PAGE, "backwards");
}

#[test]
fn idle_is_reported_once_per_engine() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    client.submit(&[NOP]);
    client.wait_done();
    let idle = Event::EngineIdle { engine: 1 };
    rig.expect_event("idle", |event| event == idle);
    rig.settle();
    assert_eq!(rig.take_event(), None, "no other engine, not again");
    assert!(rig.status().idle());
}

#[test]
fn a_hung_queue_holds_its_engine_until_the_reset() {
    let rig = Rig::new(Rig::small());
    let (hung, victim) = (rig.active_queue(0, 0), rig.active_queue(1, 0));
    let shape = QueueShape::new().with_engine(0);
    let elsewhere = rig.queue_on(2, 0, shape);
    elsewhere.activate();
    let rule = Rule::Fetch {
        queue: Some(hung.id),
        action: FetchAction::Hang,
    };
    rig.gpu.inject(Fault::once(rule));
    hung.submit(&[NOP]);
    wait_for("the fetch", || rig.gpu.stats().entries_fetched == 1);
    victim.submit(&[NOP]);
    elsewhere.submit(&[NOP]);
    elsewhere.wait_done();
    rig.suspend(hung.id, 8);
    assert_eq!(rig.state(hung.id), QueueState::RUNNABLE);
    rig.expect_event("the other engine idles", |event| {
        event == Event::EngineIdle { engine: 0 }
    });
    assert_eq!(rig.take_event(), None, "no packet boundary, no completion");
    assert!(!rig.status().idle());
    rig.write32(offset::ENGINE_RESET, 1);
    let (fault, _) = rig.fault_of(hung.id);
    assert_eq!(fault, QueueFault::ENGINE_RESET);
    let fault = Event::QueueFaulted {
        queue: hung.id,
        fault,
        address: 0,
    };
    assert_eq!(rig.take_event(), Some(fault));
    let suspended = Event::SuspendCompleted {
        queue: hung.id,
        tag: 8,
    };
    assert_eq!(rig.take_event(), Some(suspended));
    // Until the resume nothing of this engine is fetched, and rings are remembered.
    victim.submit(&[NOP]);
    rig.settle();
    assert_eq!(victim.read_pointer(), 0);
    rig.write32(offset::ENGINE_RESUME, 1);
    victim.wait_done();
    hung.set_write_pointer(0);
    hung.activate();
    hung.submit(&[NOP]);
    hung.wait_done();
}

#[test]
fn a_deactivate_of_a_hung_queue_is_done_at_the_reset() {
    let rig = Rig::new(Rig::small());
    let hung = rig.active_queue(0, 0);
    let rule = Rule::Fetch {
        queue: None,
        action: FetchAction::Hang,
    };
    rig.gpu.inject(Fault::once(rule));
    hung.submit(&[NOP]);
    wait_for("the fetch", || rig.gpu.stats().entries_fetched == 1);
    rig.command(QueueOperation::Deactivate, hung.id);
    assert_eq!(rig.state(hung.id), QueueState::RUNNABLE);
    rig.write32(offset::ENGINE_RESET, 1);
    assert_eq!(rig.state(hung.id), QueueState::INACTIVE);
    for ordinal in [3, u32::MAX] {
        rig.write32(offset::ENGINE_RESET, ordinal);
        rig.write32(offset::ENGINE_RESUME, ordinal);
    }
}

#[test]
fn fetches_are_recorded_with_the_ring_that_led_to_them() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(4, 0);
    rig.bind(0, carillon_hw::regs::DoorbellControl::bound_to(client.id));
    let log = rig.gpu.record_fetches(16);
    let before = rig.gpu.now();
    client.put(&[NOP]);
    rig.ring(0, 1);
    client.wait_done();
    client.submit(&[NOP]);
    client.wait_done();
    assert_eq!(log.written(), 2);
    let first = log.get(0).unwrap();
    assert_eq!((first.queue, first.entry), (client.id, 0));
    let seen = first.ring_seen.unwrap();
    assert!(before <= seen && seen <= first.fetched && first.fetched <= rig.gpu.now());
    let second = log.get(1).unwrap();
    assert_eq!((second.entry, second.ring_seen), (1, None));
}

#[test]
fn a_queue_that_moves_to_another_engine_leaves_the_one_before() {
    let rig = Rig::new(Rig::small());
    let fence = rig.buffer(CONTEXT, 1);
    let client = rig.active_queue(0, 0);
    client.submit(&[wait(fence, 1)]);
    wait_for("the fetch", || rig.gpu.stats().entries_fetched == 1);
    // Neither engine has run anything else, so that both count alike.
    let mut half = rig.driver_half(client.id);
    half.shape.set_engine(2);
    rig.write_driver_half(client.id, &half);
    rig.command(QueueOperation::Reload, client.id);
    rig.gpu.vram_memory().store_u64(fence, 1).unwrap();
    client.wait_done();
    rig.settle();
    assert_eq!(rig.state(client.id), QueueState::RUNNABLE);
    assert_eq!(rig.gpu.stats().entries_fetched, 1);
}
