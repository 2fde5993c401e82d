//! The adapter against a device made of plain memory.

mod escape;
mod fstate;
mod recovery;
mod resize;
mod secondary;

use std::sync::atomic::Ordering;
use std::vec::Vec;

use carillon_hw::addr::{GpuVa, VramOffset};
use carillon_hw::doorbell::DoorbellPrivateData;
use carillon_hw::event::{Event, slot_offset};
use carillon_hw::queue::QueueId;
use carillon_hw::regs::{DEVICE_MAGIC, Interrupts, QueueOperation, offset};
use zerocopy::IntoBytes;

use super::*;
use crate::doorbell::Locations;
use crate::handle::OsHandle;
use crate::irql::Dispatch;
use crate::notify::Notification;
use crate::objects::{
    AllocationKind, ContextKind, Device, DeviceKind, NODE_QUEUES, Process, Scheduling,
};
use crate::testing::{Deed, Fake};

const PASSIVE: Passive<'static> = Passive::entered();
const DISPATCH: Dispatch<'static> = Dispatch::entered();
const VRAM: usize = 32 << 20;

fn start() -> Adapter<Fake> {
    let adapter = start_with(Fake::new(2, VRAM)).unwrap();
    adapter.platform.take_deeds();
    adapter
}

fn start_with(fake: Fake) -> Result<Adapter<Fake>> {
    Adapter::start(
        PASSIVE,
        AdapterOrdinal::new(0).unwrap(),
        fake,
        &Settings::default(),
    )
}

struct Objects {
    device: Handle<DeviceKind>,
    context: Handle<ContextKind>,
    queue: Handle<QueueKind>,
    ring: Handle<AllocationKind>,
    control: Handle<AllocationKind>,
}

fn device(adapter: &Adapter<Fake>, os: usize) -> Handle<DeviceKind> {
    let process = Process {
        os: OsHandle(os),
        system: false,
    };
    let process = adapter.create_process(PASSIVE, process).unwrap();
    let device = Device {
        os: OsHandle(os + 1),
        process: Some(process),
        system: false,
    };
    adapter.create_device(PASSIVE, device).unwrap()
}

fn context(
    adapter: &Adapter<Fake>,
    device: Handle<DeviceKind>,
    scheduling: Scheduling,
) -> Handle<ContextKind> {
    let new = NewContext {
        os: OsHandle(0xC0),
        device,
        node: 0,
        scheduling,
        system: false,
    };
    adapter.create_context(PASSIVE, &new).unwrap()
}

fn queue(
    adapter: &Adapter<Fake>,
    context: Handle<ContextKind>,
    submission: Submission,
) -> Handle<QueueKind> {
    let new = NewQueue {
        os: OsHandle(0xD0),
        context,
        submission,
    };
    adapter.create_queue(PASSIVE, &new).unwrap()
}

fn objects(adapter: &Adapter<Fake>) -> Objects {
    let device = device(adapter, 0xA0);
    let context = context(adapter, device, Scheduling::Hardware);
    Objects {
        device,
        context,
        queue: queue(adapter, context, Submission::UserMode),
        ring: adapter.create_allocation(PASSIVE, 4096).unwrap(),
        control: adapter.create_allocation(PASSIVE, 4096).unwrap(),
    }
}

fn private_data() -> DoorbellPrivateData {
    DoorbellPrivateData::new(GpuVa(0x10_0000), GpuVa(0x20_0000)).unwrap()
}

fn doorbell(objects: &Objects, private_data: &[u8]) -> CreateDoorbell<'static> {
    CreateDoorbell {
        queue: objects.queue,
        os: OsHandle(0xE0),
        private_data: Vec::from(private_data).leak(),
        ring: objects.ring.bits(),
        control: objects.control.bits(),
        resize: false,
    }
}

/// Puts events where the device would.
fn post(adapter: &Adapter<Fake>, first: u32, events: &[Event]) {
    for (index, event) in (first..).zip(events) {
        let raw = event.encode(index);
        let base = adapter.facts.layout.event_ring.0 + slot_offset(index, EVENTS);
        let words: [u64; 4] = zerocopy::transmute!(raw);
        for (at, word) in (base..).step_by(8).zip(words) {
            adapter.platform.vram_store64(VramOffset(at), word);
        }
    }
}

const EVENTS: u32 = layout::EVENTS;

fn notifications(adapter: &Adapter<Fake>) -> Vec<Notification> {
    std::mem::take(&mut adapter.platform.notifications.lock().unwrap())
}

#[test]
fn start_refuses_a_device_that_it_does_not_know() {
    let wrong = [
        (offset::ID, u64::from(DEVICE_MAGIC) + 1),
        (offset::REVISION, 0x0002_0000),
        (offset::DOORBELL_CAPS, 0),
        (offset::QUEUE_CAPS, 0),
        (offset::MMU_CAPS, 0),
        (offset::VRAM_SIZE, 0),
        (offset::CONTROL, 2),
    ];
    for (register, value) in wrong {
        let fake = Fake::new(2, VRAM);
        fake.register(register, value);
        let error = start_with(fake).map(drop).unwrap_err();
        assert_eq!(error, Error::BadHardware, "register {register:#x}");
    }
}

/// regression: MAP-08
#[test]
fn start_activates_the_node_queues_and_stop_frees_them() {
    let adapter = start_with(Fake::new(2, VRAM)).unwrap();
    let activated: Vec<_> = (0..NODES)
        .map(|n| Deed::Queue(QueueOperation::Activate, n, 0))
        .collect();
    assert_eq!(adapter.platform.take_deeds(), activated);
    let live = adapter.platform.bus_memory.clone();
    assert_eq!(live.load(Ordering::SeqCst), u64::from(NODES));
    adapter.stop(PASSIVE);
    adapter.stop(PASSIVE);
    assert_eq!(live.load(Ordering::SeqCst), 0);
    assert!(!adapter.interrupt());
}

/// contract: DBC-002, DBCR-004
#[test]
fn a_doorbell_brings_the_ring_and_takes_the_queue_off_with_it() {
    let adapter = start();
    let o = objects(&adapter);
    let id = queue_id(o.queue);
    let handle = adapter
        .create_doorbell(PASSIVE, &doorbell(&o, private_data().as_bytes()))
        .unwrap()
        .handle;
    let at = adapter.facts.layout.queue_table.0 + id.table_offset();
    assert_eq!(adapter.platform.vram_load64(VramOffset(at)), 0x10_0000);
    assert_eq!(adapter.platform.vram_load64(VramOffset(at + 8)), 0x20_0000);
    assert_eq!(
        adapter.platform.take_deeds(),
        [Deed::Queue(QueueOperation::Activate, id.0, 0)]
    );
    let again = adapter.create_doorbell(PASSIVE, &doorbell(&o, private_data().as_bytes()));
    assert_eq!(again, Err(Error::InvalidState));
    let connection = adapter
        .connect_doorbell(PASSIVE, handle, Locations::Primary)
        .unwrap();
    assert!(!connection.notify);
    adapter.platform.take_deeds();
    adapter.destroy_doorbell(PASSIVE, handle);
    let deeds = adapter.platform.take_deeds();
    assert_eq!(
        deeds.last(),
        Some(&Deed::Queue(QueueOperation::Deactivate, id.0, 0))
    );
    adapter
        .create_doorbell(PASSIVE, &doorbell(&o, private_data().as_bytes()))
        .unwrap();
}

/// contract: DBC-003, DBC-023, DBCR-002
/// regression: RING-12
#[test]
fn bad_doorbells_are_refused_and_leave_nothing_behind() {
    let adapter = start();
    let o = objects(&adapter);
    let good = doorbell(&o, private_data().as_bytes());
    let odd_ring = adapter.create_allocation(PASSIVE, 4096 * 3).unwrap();
    let small = adapter.create_allocation(PASSIVE, 64).unwrap();
    let stranger = device(&adapter, 0xB0);
    let foreign = adapter.open_allocation(PASSIVE, stranger, o.ring).unwrap();
    let kernel = queue(&adapter, o.context, Submission::KernelMode);
    adapter.platform.take_deeds();
    let cases = [
        (
            CreateDoorbell {
                private_data: &[0; 17],
                ..good
            },
            Error::InvalidParameter,
        ),
        (
            CreateDoorbell {
                private_data: &[],
                ..good
            },
            Error::InvalidParameter,
        ),
        (
            CreateDoorbell {
                ring: odd_ring.bits(),
                ..good
            },
            Error::InvalidParameter,
        ),
        (CreateDoorbell { ring: 0, ..good }, Error::InvalidHandle),
        (
            CreateDoorbell {
                ring: u64::MAX,
                ..good
            },
            Error::InvalidHandle,
        ),
        (
            CreateDoorbell {
                ring: foreign.bits(),
                ..good
            },
            Error::InvalidParameter,
        ),
        (
            CreateDoorbell { control: 0, ..good },
            Error::InvalidParameter,
        ),
        (
            CreateDoorbell {
                control: small.bits(),
                ..good
            },
            Error::InvalidParameter,
        ),
        (
            CreateDoorbell {
                queue: kernel,
                ..good
            },
            Error::InvalidParameter,
        ),
    ];
    for (case, expected) in cases {
        assert_eq!(
            adapter.create_doorbell(PASSIVE, &case),
            Err(expected),
            "{case:?}"
        );
        assert!(adapter.platform.take_deeds().is_empty());
    }
    assert!(adapter.doorbells.is_empty());
    let own = adapter.open_allocation(PASSIVE, o.device, o.ring).unwrap();
    adapter
        .create_doorbell(
            PASSIVE,
            &CreateDoorbell {
                ring: own.bits(),
                ..good
            },
        )
        .unwrap();
}

/// contract: SUS-002, SUS-005, SUS-006
#[test]
fn a_suspend_completes_when_its_last_queue_confirms_and_stale_answers_do_not_count() {
    let adapter = start();
    let o = objects(&adapter);
    let second = queue(&adapter, o.context, Submission::UserMode);
    assert_eq!(
        adapter.suspend_context(PASSIVE, o.context, 7),
        Ok(Suspended::Later)
    );
    let (a, b) = (queue_id(o.queue), queue_id(second));
    post(&adapter, 0, &[Event::SuspendCompleted { queue: a, tag: 1 }]);
    adapter.dpc(DISPATCH);
    assert!(notifications(&adapter).is_empty());
    // The second request comes before the first is done.
    adapter.resume_context(PASSIVE, o.context).unwrap();
    assert_eq!(
        adapter.suspend_context(PASSIVE, o.context, 8),
        Ok(Suspended::Later)
    );
    let events = [
        Event::SuspendCompleted { queue: b, tag: 1 },
        Event::SuspendCompleted { queue: a, tag: 2 },
        Event::SuspendCompleted { queue: b, tag: 2 },
    ];
    post(&adapter, 1, &events);
    adapter.dpc(DISPATCH);
    let done = Notification::ContextSuspended {
        context: OsHandle(0xC0),
        fence: 8,
    };
    assert_eq!(notifications(&adapter), [done]);
}

/// contract: SUS-006, SUS-011
#[test]
fn a_resume_that_overtakes_its_suspend_is_not_lost() {
    let adapter = start();
    let o = objects(&adapter);
    adapter.suspend_context(PASSIVE, o.context, 1).unwrap();
    adapter.resume_context(PASSIVE, o.context).unwrap();
    let id = queue_id(o.queue);
    adapter.platform.take_deeds();
    post(
        &adapter,
        0,
        &[Event::SuspendCompleted { queue: id, tag: 1 }],
    );
    adapter.dpc(DISPATCH);
    assert_eq!(
        adapter.platform.take_deeds(),
        [Deed::Queue(QueueOperation::Resume, id.0, 0)]
    );
}

/// contract: SUS-001
#[test]
fn suspending_what_is_off_the_gpu_is_done_at_once() {
    let adapter = start();
    let o = objects(&adapter);
    adapter.suspend_context(PASSIVE, o.context, 1).unwrap();
    let answer = Event::SuspendCompleted {
        queue: queue_id(o.queue),
        tag: 1,
    };
    post(&adapter, 0, &[answer]);
    adapter.dpc(DISPATCH);
    adapter.platform.take_deeds();
    let again = adapter.suspend_context(PASSIVE, o.context, 2);
    assert_eq!(again, Ok(Suspended::Now));
    assert!(adapter.platform.take_deeds().is_empty());
    adapter.resume_context(PASSIVE, o.context).unwrap();
    let after = adapter.suspend_context(PASSIVE, o.context, 3);
    assert_eq!(after, Ok(Suspended::Later));
}

/// contract: SUS-001
#[test]
fn a_context_without_queues_is_suspended_at_once() {
    let adapter = start();
    let device = device(&adapter, 1);
    let empty = context(&adapter, device, Scheduling::Hardware);
    assert_eq!(
        adapter.suspend_context(PASSIVE, empty, 1),
        Ok(Suspended::Now)
    );
}

#[test]
fn destroying_the_queue_that_owes_the_answer_completes_the_suspend() {
    let adapter = start();
    let o = objects(&adapter);
    adapter.suspend_context(PASSIVE, o.context, 5).unwrap();
    adapter.destroy_queue(PASSIVE, o.queue).unwrap();
    adapter.dpc(DISPATCH);
    let done = Notification::ContextSuspended {
        context: OsHandle(0xC0),
        fence: 5,
    };
    assert_eq!(notifications(&adapter), [done]);
}

/// regression: FEN-06
#[test]
fn packets_complete_in_order_and_a_refused_report_is_repeated() {
    let adapter = start();
    let device = device(&adapter, 1);
    let packets = context(&adapter, device, Scheduling::Packet);
    for fence in [1, 2] {
        adapter
            .submit_packet(DISPATCH, packets, GpuVa(0x1000), 64, fence)
            .unwrap();
    }
    adapter.preempt(DISPATCH, 0, 90);
    let done = |cookie| Event::BufferCompleted {
        queue: QueueId(0),
        cookie,
    };
    post(&adapter, 0, &[done(1), done(2), done(1)]);
    adapter
        .platform
        .refuse_notify
        .store(true, Ordering::Relaxed);
    adapter.dpc(DISPATCH);
    assert!(adapter.platform.dpcs.load(Ordering::Relaxed) > 0);
    adapter
        .platform
        .refuse_notify
        .store(false, Ordering::Relaxed);
    adapter.dpc(DISPATCH);
    let expected = [
        Notification::DmaCompleted { node: 0, fence: 1 },
        Notification::DmaCompleted { node: 0, fence: 2 },
        Notification::DmaPreempted {
            node: 0,
            preemption_fence: 90,
            last_completed: 2,
        },
    ];
    assert_eq!(notifications(&adapter), expected);
    assert_eq!(adapter.current_fence(0), 2);
    assert_eq!(adapter.platform.read32(offset::EVENT_READ), 3);
}

/// contract: INT-001
#[test]
fn signals_are_reported_once_a_node_and_overflow_reports_all() {
    let adapter = start();
    let o = objects(&adapter);
    let signal = Event::FenceSignaled {
        queue: queue_id(o.queue),
        value: 1,
        address: 0,
    };
    post(&adapter, 0, &[signal, signal]);
    adapter.dpc(DISPATCH);
    assert_eq!(
        notifications(&adapter),
        [Notification::NativeFencesSignaled { node: 0 }]
    );
    let raised = Interrupts::new().with_overflow(true).into_bits();
    adapter
        .platform
        .register(offset::INTERRUPT_STATUS, u64::from(raised));
    assert!(adapter.interrupt());
    assert!(!adapter.interrupt(), "dismissed");
    adapter.dpc(DISPATCH);
    assert_eq!(notifications(&adapter).len(), NODES as usize);
}

#[test]
fn a_faulted_queue_is_named_by_the_oss_handle() {
    let adapter = start();
    let o = objects(&adapter);
    let fault = carillon_hw::queue::QueueFault::PAGE;
    post(
        &adapter,
        0,
        &[Event::QueueFaulted {
            queue: queue_id(o.queue),
            fault,
            address: 0x123,
        }],
    );
    adapter.dpc(DISPATCH);
    let named = Notification::QueueFaulted {
        queue: OsHandle(0xD0),
        node: 0,
        address: 0x123,
        fence: 0,
    };
    assert_eq!(notifications(&adapter), [named]);
}

#[test]
fn events_are_taken_past_the_end_of_their_ring() {
    let adapter = start();
    let count = EVENTS + 10;
    for index in 0..count {
        post(&adapter, index, &[Event::EngineIdle { engine: 0 }]);
        if index % 100 == 99 {
            adapter.dpc(DISPATCH);
        }
    }
    adapter.dpc(DISPATCH);
    assert_eq!(adapter.platform.read32(offset::EVENT_READ), count);
}

/// regression: LIFE-11
#[test]
fn memory_of_a_queue_that_the_hardware_keeps_is_kept() {
    let adapter = start();
    let o = objects(&adapter);
    let kernel = queue(&adapter, o.context, Submission::KernelMode);
    let live = adapter.platform.bus_memory.load(Ordering::SeqCst);
    adapter.platform.stuck.store(true, Ordering::Relaxed);
    adapter.destroy_queue(PASSIVE, kernel).unwrap();
    assert_eq!(adapter.platform.bus_memory.load(Ordering::SeqCst), live);
    assert_eq!(adapter.unconfirmed_teardowns(), 1);
}

/// contract: HWQ-003
/// regression: SCHED-03
#[test]
fn kernel_queues_take_packets_until_their_ring_is_full() {
    let adapter = start();
    let o = objects(&adapter);
    let kernel = queue(&adapter, o.context, Submission::KernelMode);
    for fence in 0..128 {
        adapter
            .submit_to_queue(DISPATCH, kernel, GpuVa(0x1000), 4, fence)
            .unwrap();
    }
    let full = adapter.submit_to_queue(DISPATCH, kernel, GpuVa(0x1000), 4, 128);
    assert_eq!(full, Err(Error::InsufficientResources));
    let user = adapter.submit_to_queue(DISPATCH, o.queue, GpuVa(0x1000), 4, 0);
    assert_eq!(user, Err(Error::InvalidParameter));
    let wrong = adapter.submit_packet(DISPATCH, o.context, GpuVa(0x1000), 4, 0);
    assert_eq!(wrong, Err(Error::InvalidParameter));
}

#[test]
fn queue_ids_do_not_meet_the_nodes() {
    let adapter = start();
    let o = objects(&adapter);
    assert!(queue_id(o.queue).0 >= NODE_QUEUES);
}

/// contract: DBN-009, DBDR-003
#[test]
fn removal_leaves_every_teardown_working_without_hardware() {
    let adapter = start();
    let o = objects(&adapter);
    let handle = adapter
        .create_doorbell(PASSIVE, &doorbell(&o, private_data().as_bytes()))
        .unwrap()
        .handle;
    adapter
        .connect_doorbell(PASSIVE, handle, Locations::Primary)
        .unwrap();
    adapter.surprise_removed(PASSIVE);
    adapter.platform.take_deeds();
    assert_eq!(
        adapter.connect_doorbell(PASSIVE, handle, Locations::Primary),
        Err(Error::DeviceGone)
    );
    adapter.disconnect_doorbell(PASSIVE, handle);
    adapter.destroy_doorbell(PASSIVE, handle);
    assert_eq!(
        adapter.suspend_context(PASSIVE, o.context, 1),
        Ok(Suspended::Now)
    );
    adapter.destroy_queue(PASSIVE, o.queue).unwrap();
    adapter.destroy_context(PASSIVE, o.context).unwrap();
    assert!(adapter.platform.take_deeds().is_empty());
}
