//! Resets, power, priorities.

mod sleep;

use carillon_hw::addr::{PhysicalTarget, VramOffset};
use carillon_hw::queue::{
    ContextDescriptor, QueueActivity, QueueDriverHalf, QueueFault, QueueState,
};
use zerocopy::FromBytes;

use super::*;
use crate::doorbell::{DoorbellKind, State};
use crate::platform::Blame;

fn connected(adapter: &Adapter<Fake>, o: &Objects) -> Handle<DoorbellKind> {
    let handle = adapter
        .create_doorbell(PASSIVE, &doorbell(o, private_data().as_bytes()))
        .unwrap()
        .handle;
    adapter
        .connect_doorbell(PASSIVE, handle, Locations::Primary)
        .unwrap();
    handle
}

fn words<const N: usize>(adapter: &Adapter<Fake>, at: u64) -> [u64; N] {
    std::array::from_fn(|n| {
        let at = VramOffset(at + 8 * n as u64);
        adapter.platform.vram_load64(at)
    })
}

pub(super) fn driver_half(adapter: &Adapter<Fake>, queue: QueueId) -> QueueDriverHalf {
    let at = adapter.facts.layout.queue_table.0 + queue.table_offset();
    let words: [u64; 8] = words(adapter, at);
    QueueDriverHalf::read_from_bytes(words.as_bytes()).unwrap()
}

fn root(adapter: &Adapter<Fake>, context: Handle<ContextKind>) -> ContextDescriptor {
    let id = crate::objects::context_id(context);
    let at = adapter.facts.layout.context_table.0 + id.table_offset();
    let words: [u64; 4] = words(adapter, at);
    ContextDescriptor::read_from_bytes(words.as_bytes()).unwrap()
}

pub(super) fn operations(adapter: &Adapter<Fake>, id: QueueId) -> Vec<QueueOperation> {
    let deeds = adapter.platform.take_deeds();
    deeds
        .into_iter()
        .filter_map(|deed| match deed {
            Deed::Queue(operation, queue, _) if queue == id.0 => Some(operation),
            _ => None,
        })
        .collect()
}

/// Packets under way in the paging node's ring: contexts of the OS survive everything.
fn system_context(adapter: &Adapter<Fake>) -> Handle<ContextKind> {
    let device = device(adapter, 0x5A0);
    let new = NewContext {
        os: OsHandle(0x5C0),
        device,
        node: 2,
        scheduling: Scheduling::Packet,
        system: true,
    };
    let context = adapter.create_context(PASSIVE, &new).unwrap();
    let target = PhysicalTarget::Vram(VramOffset(0x10_0000));
    adapter.set_root(PASSIVE, context, target, 512).unwrap();
    context
}

/// contract: TDR-002, TDR-003, TDR-004, TDR-005, TDR-006, TDRR-001, TDRR-002
#[test]
fn an_engine_reset_names_who_ran_and_everybody_else_goes_on_at_the_resume() {
    let adapter = start();
    let (hung, other) = (objects(&adapter), objects(&adapter));
    let sibling = queue(&adapter, hung.context, Submission::KernelMode);
    let (dead, alive) = (connected(&adapter, &hung), connected(&adapter, &other));
    adapter.platform.take_deeds();
    *adapter.platform.running.lock().unwrap() = Some(queue_id(hung.queue));
    adapter.reset_engine(PASSIVE, 0).unwrap();
    let expected = [
        Deed::EngineReset(0),
        Deed::Queue(QueueOperation::Deactivate, queue_id(sibling).0, 0),
        Deed::Invalidate(OsHandle(0xC0), Blame::Culprit),
    ];
    assert_eq!(adapter.platform.take_deeds(), expected);
    // The device's own report is no second fault to the OS.
    let fault = Event::QueueFaulted {
        queue: queue_id(hung.queue),
        fault: QueueFault::ENGINE_RESET,
        address: 0,
    };
    post(&adapter, 0, &[fault]);
    adapter.dpc(DISPATCH);
    assert!(notifications(&adapter).is_empty());
    adapter.resume_engine(PASSIVE, 0).unwrap();
    let expected = [
        Deed::EngineResume(0),
        Deed::Queue(QueueOperation::Look, queue_id(other.queue).0, 0),
    ];
    assert_eq!(adapter.platform.take_deeds(), expected);
    assert_eq!(
        adapter.connect_doorbell(PASSIVE, dead, Locations::Primary),
        Err(Error::DeviceGone)
    );
    let page = adapter
        .connect_doorbell(PASSIVE, alive, Locations::Primary)
        .unwrap()
        .page;
    let (state, counters) = adapter.inspect_doorbell(alive).unwrap();
    assert_eq!(state, State::Connected(page));
    assert_eq!(counters.connects, 1, "it kept its page");
    adapter.disconnect_doorbell(PASSIVE, dead);
    adapter.destroy_doorbell(PASSIVE, dead);
    adapter.destroy_queue(PASSIVE, hung.queue).unwrap();
    adapter.destroy_queue(PASSIVE, sibling).unwrap();
    adapter.destroy_context(PASSIVE, hung.context).unwrap();
    assert_eq!(adapter.unconfirmed_teardowns(), 0);
}

/// contract: TDR-006
#[test]
fn a_queue_that_the_device_lets_go_of_late_is_named_at_the_resume() {
    let adapter = start();
    let o = objects(&adapter);
    connected(&adapter, &o);
    let id = queue_id(o.queue);
    adapter.reset_engine(PASSIVE, 0).unwrap();
    adapter.platform.set_queue(id, |half| {
        half.state = QueueState::FAULTED;
        half.fault = QueueFault::ENGINE_RESET;
    });
    let fault = Event::QueueFaulted {
        queue: id,
        fault: QueueFault::ENGINE_RESET,
        address: 0,
    };
    post(&adapter, 0, &[fault]);
    adapter.dpc(DISPATCH);
    assert!(notifications(&adapter).is_empty());
    adapter.platform.take_deeds();
    adapter.resume_engine(PASSIVE, 0).unwrap();
    let expected = [
        Deed::Invalidate(OsHandle(0xC0), Blame::Culprit),
        Deed::EngineResume(0),
    ];
    assert_eq!(adapter.platform.take_deeds(), expected);
}

/// contract: TDR-008
#[test]
fn an_engine_that_cannot_be_reset_is_refused() {
    let adapter = start();
    for engine in [NODES, u32::MAX] {
        assert_eq!(
            adapter.reset_engine(PASSIVE, engine),
            Err(Error::InvalidParameter)
        );
        assert_eq!(
            adapter.resume_engine(PASSIVE, engine),
            Err(Error::InvalidParameter)
        );
    }
    adapter.surprise_removed(PASSIVE);
    assert_eq!(adapter.reset_engine(PASSIVE, 0), Err(Error::DeviceGone));
    assert_eq!(adapter.resume_engine(PASSIVE, 0), Err(Error::DeviceGone));
}

/// contract: TDR-005
#[test]
fn a_teardown_does_not_resume_an_engine_that_the_os_has_stopped() {
    let adapter = start();
    let o = objects(&adapter);
    connected(&adapter, &o);
    adapter.reset_engine(PASSIVE, 0).unwrap();
    adapter.platform.stuck.store(true, Ordering::Relaxed);
    adapter.platform.take_deeds();
    adapter.destroy_queue(PASSIVE, o.queue).unwrap();
    let deeds = adapter.platform.take_deeds();
    assert!(!deeds.contains(&Deed::EngineResume(0)), "{deeds:?}");
}

/// contract: TDR-019, TDR-020, TDR-021, TDR-004
#[test]
fn a_packet_reset_drops_the_packets_and_spares_the_hardware_queue_the_blame() {
    let adapter = start();
    let o = objects(&adapter);
    connected(&adapter, &o);
    let packets = context(&adapter, o.device, Scheduling::Packet);
    for fence in [1, 2] {
        adapter
            .submit_packet(DISPATCH, packets, GpuVa(0x1000), 64, fence)
            .unwrap();
    }
    *adapter.platform.running.lock().unwrap() = Some(queue_id(o.queue));
    adapter.platform.take_deeds();
    assert_eq!(adapter.reset_node(PASSIVE, 0), Ok(2));
    assert_eq!(adapter.current_fence(0), 2);
    let deeds = adapter.platform.take_deeds();
    let bystander = Deed::Invalidate(OsHandle(0xC0), Blame::Bystander);
    assert!(deeds.contains(&bystander), "{deeds:?}");
    assert_eq!(deeds.last(), Some(&Deed::EngineResume(0)));
    // Completions of what was dropped, and the fault of the ring, are no news.
    let late = [
        Event::BufferCompleted {
            queue: QueueId(0),
            cookie: 1,
        },
        Event::QueueFaulted {
            queue: QueueId(0),
            fault: QueueFault::ENGINE_RESET,
            address: 0,
        },
    ];
    post(&adapter, 0, &late);
    adapter.dpc(DISPATCH);
    assert!(notifications(&adapter).is_empty());
}

/// contract: TDR-009, TDR-010, TDR-012, TDR-013, TDR-021
/// regression: RST-10
#[test]
fn an_adapter_reset_silences_the_device_and_a_restart_sets_it_up_anew() {
    let adapter = start();
    let o = objects(&adapter);
    let handle = connected(&adapter, &o);
    let paging = system_context(&adapter);
    let target = PhysicalTarget::Vram(VramOffset(0x20_0000));
    adapter.set_root(PASSIVE, o.context, target, 2).unwrap();
    adapter
        .submit_packet(DISPATCH, paging, GpuVa(0x1000), 64, 7)
        .unwrap();
    post(&adapter, 0, &[Event::EngineIdle { engine: 0 }; 3]);
    adapter.dpc(DISPATCH);
    adapter.reset_all(PASSIVE).unwrap();
    assert_eq!(adapter.platform.resets.load(Ordering::Relaxed), 2);
    assert_eq!(adapter.current_fence(2), 7);
    // Nobody touches the device until the restart, however much goes on.
    adapter.platform.dark.store(true, Ordering::Relaxed);
    assert!(!adapter.interrupt());
    adapter.dpc(DISPATCH);
    assert_eq!(
        adapter.connect_doorbell(PASSIVE, handle, Locations::Primary),
        Err(Error::DeviceGone)
    );
    adapter.disconnect_doorbell(PASSIVE, handle);
    adapter.notify_work_submission(PASSIVE, o.queue);
    let second = objects(&adapter);
    adapter.destroy_queue(PASSIVE, second.queue).unwrap();
    adapter.platform.dark.store(false, Ordering::Relaxed);
    assert_eq!(adapter.platform.dark_accesses.load(Ordering::Relaxed), 0);

    adapter.platform.take_deeds();
    adapter.restart(PASSIVE).unwrap();
    let stopped = (0..NODES).map(Deed::EngineReset);
    let activated = (0..NODES).map(|n| Deed::Queue(QueueOperation::Activate, n, 0));
    let resumed = (0..NODES).map(Deed::EngineResume);
    let expected: Vec<_> = stopped.chain(activated).chain(resumed).collect();
    assert_eq!(adapter.platform.take_deeds(), expected, "and no user queue");
    assert_eq!(root(&adapter, paging).root_entries, 512);
    // The event ring starts over.
    let done = Event::FenceSignaled {
        queue: QueueId(2),
        value: 1,
        address: 0,
    };
    post(&adapter, 0, &[done]);
    adapter.dpc(DISPATCH);
    assert_eq!(adapter.platform.read32(offset::EVENT_READ), 1);
    // The old doorbell is dead, all pages are free for new ones.
    assert_eq!(
        adapter.connect_doorbell(PASSIVE, handle, Locations::Primary),
        Err(Error::DeviceGone)
    );
    let fresh = objects(&adapter);
    let fresh = connected(&adapter, &fresh);
    assert!(matches!(
        adapter.inspect_doorbell(fresh),
        Some((State::Connected(_), _))
    ));
    adapter.destroy_doorbell(PASSIVE, handle);
    adapter.destroy_queue(PASSIVE, o.queue).unwrap();
    adapter.destroy_context(PASSIVE, o.context).unwrap();
    // Once more: nothing has latched.
    adapter.reset_all(PASSIVE).unwrap();
    adapter.restart(PASSIVE).unwrap();
}

/// contract: TDR-010
#[test]
fn a_device_that_does_not_answer_fails_the_reset_and_one_that_left_does_not() {
    let adapter = start();
    adapter.platform.register(offset::CONTROL, 2);
    assert_eq!(adapter.reset_all(PASSIVE), Err(Error::BadHardware));
    let adapter = start();
    let gone = u64::from(u32::MAX);
    adapter.platform.register(offset::CONTROL, gone);
    assert_eq!(adapter.restart(PASSIVE), Err(Error::InvalidState));
    assert_eq!(adapter.reset_all(PASSIVE), Ok(()));
    assert_eq!(adapter.restart(PASSIVE), Ok(()));
    assert!(adapter.is_lost());
}

/// contract: HWC-009, HWC-010
#[test]
fn the_band_of_a_context_goes_to_all_its_queues_and_ranges_are_checked() {
    let adapter = start();
    let o = objects(&adapter);
    connected(&adapter, &o);
    let kernel = queue(&adapter, o.context, Submission::KernelMode);
    let good = SchedulingProperties {
        band: 3,
        realtime_level: 31,
        in_process_priority: -7,
    };
    adapter.platform.take_deeds();
    adapter.set_scheduling(PASSIVE, o.context, &good).unwrap();
    for queue in [o.queue, kernel] {
        assert_eq!(driver_half(&adapter, queue_id(queue)).shape.band(), 3);
    }
    let deeds = adapter.platform.take_deeds();
    for queue in [o.queue, kernel] {
        let reload = Deed::Queue(QueueOperation::Reload, queue_id(queue).0, 0);
        assert!(deeds.contains(&reload));
    }
    let later = queue(&adapter, o.context, Submission::KernelMode);
    assert_eq!(driver_half(&adapter, queue_id(later)).shape.band(), 3);
    let wrong = [
        SchedulingProperties { band: 4, ..good },
        SchedulingProperties { band: -1, ..good },
        SchedulingProperties {
            realtime_level: 32,
            ..good
        },
        SchedulingProperties {
            realtime_level: -1,
            ..good
        },
        SchedulingProperties {
            in_process_priority: 8,
            ..good
        },
        SchedulingProperties {
            in_process_priority: -8,
            ..good
        },
    ];
    for properties in wrong {
        assert_eq!(
            adapter.set_scheduling(PASSIVE, o.context, &properties),
            Err(Error::InvalidParameter),
            "{properties:?}"
        );
    }
}

/// contract: HWC-012, HWC-013
#[test]
fn priority_bands_are_remembered_within_their_range() {
    let adapter = start();
    let bands = PriorityBands {
        normal_percentage: 50,
        ..PriorityBands::default()
    };
    adapter.set_priority_bands(PASSIVE, &bands).unwrap();
    let wrong = PriorityBands {
        normal_percentage: 51,
        ..bands
    };
    assert_eq!(
        adapter.set_priority_bands(PASSIVE, &wrong),
        Err(Error::InvalidParameter)
    );
    assert_eq!(adapter.priority_bands(), bands);
}

#[test]
fn a_flush_finds_each_context_of_a_process_once() {
    let adapter = start();
    let (a, b) = (objects(&adapter), objects(&adapter));
    let more = context(&adapter, a.device, Scheduling::Hardware);
    let process = adapter
        .tables
        .lock()
        .devices
        .get(a.device)
        .and_then(|device| device.process)
        .unwrap();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(id) = adapter.context_of_process(process, carillon_hw::queue::ContextId(from)) {
        found.push(id);
        from = id.0 + 1;
    }
    let expected = [a.context, more].map(crate::objects::context_id);
    assert_eq!(found, expected);
    assert!(!found.contains(&crate::objects::context_id(b.context)));
}

/// contract: TDR-024
#[test]
fn a_debug_report_ends_with_its_last_whole_record() {
    use super::debug::{QueueRecord, ReportHeader};
    let adapter = start();
    let (a, b) = (objects(&adapter), objects(&adapter));
    connected(&adapter, &b);
    adapter.platform.set_queue(queue_id(b.queue), |half| {
        half.fault = QueueFault::PAGE;
        half.fault_address = 0x1234;
        half.finished = 9;
    });
    let (head, record) = (size_of::<ReportHeader>(), size_of::<QueueRecord>());
    let cases = [
        (0, 0, 0),
        (head - 1, 0, 0),
        (head, head, 0),
        (head + record - 1, head, 0),
        (head + record, head + record, 1),
        (head + 2 * record, head + 2 * record, 2),
        (4096, head + 2 * record, 2),
    ];
    for (room, expected, records) in cases {
        let mut out = std::vec![0xAA_u8; room];
        assert_eq!(
            adapter.debug_report(PASSIVE, &mut out),
            expected,
            "{room} bytes"
        );
        assert!(out[expected..].iter().all(|byte| *byte == 0xAA));
        if let Ok((header, _)) = ReportHeader::read_from_prefix(&out) {
            assert_eq!((header.records, header.queues), (records, 2));
        }
        if records == 2 {
            let (last, _) = QueueRecord::read_from_prefix(&out[head + record..]).unwrap();
            assert_eq!(last.queue, queue_id(b.queue).0);
            assert_eq!((last.fault_address, last.finished), (0x1234, 9));
            assert_eq!(last.doorbell, 3);
        }
    }
    assert_ne!(a.queue, b.queue);
    adapter.sleep(PASSIVE);
    adapter.platform.dark.store(true, Ordering::Relaxed);
    adapter.debug_report(PASSIVE, &mut [0; 4096]);
    assert_eq!(adapter.platform.dark_accesses.load(Ordering::Relaxed), 0);
}
