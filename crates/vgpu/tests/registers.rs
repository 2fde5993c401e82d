//! BAR0, start-up, reset and interrupts.

mod common;

use carillon_hw::doorbell::NOT_RUNG;
use carillon_hw::event::Event;
use carillon_hw::packet::Packet;
use carillon_hw::queue::{ContextId, QueueId, QueueState};
use carillon_hw::regs::{
    Control, DEVICE_MAGIC, DoorbellCaps, DoorbellControl, DoorbellModel, INTERFACE_MAJOR,
    Interrupts, MmuCaps, QueueCaps, QueueOperation, Revision, offset,
};
use carillon_vgpu::{Config, Fault, FetchAction, InterruptAction, Rule};
use common::{EVENT_RING, EVENTS, QUEUE_TABLE, Rig, doorbell_page, wait_for};

const NOP: Packet = Packet::Nop { dwords: 1 };

fn enable(rig: &Rig) {
    let word = Control::new().with_enable(true);
    rig.write32(offset::CONTROL, word.into_bits());
}

#[test]
fn identity_and_capabilities() {
    let rig = Rig::cold(Config {
        doorbells: 5,
        model: DoorbellModel::Global,
        ..Rig::small()
    });
    assert_eq!(rig.read32(offset::ID), DEVICE_MAGIC);
    let revision = Revision::from_bits(rig.read32(offset::REVISION));
    assert_eq!(revision.major(), INTERFACE_MAJOR);
    let doorbells = DoorbellCaps::from_bits(rig.read32(offset::DOORBELL_CAPS));
    assert_eq!(doorbells.pages(), 5);
    assert!(doorbells.global());
    let queues = QueueCaps::from_bits(rig.read32(offset::QUEUE_CAPS));
    assert_eq!(
        (
            queues.max_queues_log2(),
            queues.engines(),
            queues.run_slots()
        ),
        (20, 3, 8)
    );
    let mmu = MmuCaps::from_bits(rig.read32(offset::MMU_CAPS));
    assert_eq!((mmu.va_bits(), mmu.levels()), (48, 4));
    assert_eq!(rig.read64(offset::VRAM_SIZE), 16 << 20);
    assert_eq!(rig.read64(offset::TIMESTAMP_FREQUENCY), 1_000_000_000);
    let first = rig.read64(offset::TIMESTAMP);
    assert!(rig.read64(offset::TIMESTAMP) >= first);
    assert_eq!(
        rig.gpu.doorbell_memory().len(),
        8 * 4096,
        "a power of two of pages"
    );
}

#[test]
fn bad_accesses_read_ones_and_write_nothing() {
    let rig = Rig::cold(Rig::small());
    let ones = u64::from(u32::MAX);
    for (at, width, value) in [
        (offset::ID, 8, u64::MAX),
        (offset::ID, 2, ones),
        (offset::ID, 1, ones),
        (offset::ID + 2, 4, ones),
        (offset::VRAM_SIZE, 4, ones),
        (offset::VRAM_SIZE + 4, 4, ones),
        (offset::DOORBELL_CONTROL, 4, ones),
        (offset::DOORBELL_CONTROL + 4, 4, ones),
        (offset::DOORBELL_ACCESSED, 8, u64::MAX),
        (0x1_0000, 4, ones),
        (u64::MAX - 3, 4, ones),
        // Reserved registers, and pages that this device does not have.
        (0x1000, 4, 0),
        (0x1000, 8, 0),
        (offset::DOORBELL_CONTROL + 4 * 8, 8, 0),
        (offset::DOORBELL_ACCESSED + 4, 4, 0),
    ] {
        assert_eq!(
            rig.gpu.register_read(at, width),
            value,
            "{at:#x} by {width}"
        );
    }
    rig.gpu.register_write(offset::QUEUE_TABLE, 4, 0x1000);
    rig.gpu.register_write(offset::QUEUE_TABLE + 4, 4, 0x1000);
    assert_eq!(rig.read64(offset::QUEUE_TABLE), 0);
    rig.gpu.register_write(offset::VRAM_SIZE, 8, 1);
    assert_eq!(rig.read64(offset::VRAM_SIZE), 16 << 20);
}

#[test]
fn enable_checks_every_table() {
    let rig = Rig::cold(Config {
        max_queues_log2: 7,
        ..Rig::small()
    });
    let vram = 16_u64 << 20;
    let long = |at, value| (at, 8, value);
    let word = |at, value: u32| (at, 4, u64::from(value));
    for (at, width, value) in [
        long(offset::QUEUE_TABLE, 8),
        long(offset::QUEUE_TABLE, vram),
        long(offset::QUEUE_TABLE, u64::MAX - 4095),
        word(offset::QUEUE_TABLE_ENTRIES, 129),
        long(offset::CONTEXT_TABLE, 32),
        word(offset::CONTEXT_TABLE_ENTRIES, u32::MAX),
        long(offset::EVENT_RING, vram),
        word(offset::EVENT_RING_ENTRIES, 63),
        word(offset::EVENT_RING_ENTRIES, 32),
        word(offset::EVENT_RING_ENTRIES, 96),
        word(offset::EVENT_RING_ENTRIES, 0),
        long(offset::APERTURE_TABLE, 1),
        word(offset::APERTURE_ENTRIES, u32::MAX),
    ] {
        rig.start();
        rig.write32(offset::CONTROL, Control::new().with_reset(true).into());
        rig.set_tables();
        let fatal = Interrupts::new().with_fatal(true);
        rig.write32(offset::INTERRUPT_ENABLE, fatal.into_bits());
        rig.gpu.register_write(at, width, value);
        let before = rig.messages();
        enable(&rig);
        let status = rig.status();
        assert!(status.fatal() && !status.enabled(), "{at:#x} = {value:#x}");
        let raised = Interrupts::from_bits(rig.read32(offset::INTERRUPT_STATUS));
        assert!(raised.fatal());
        wait_for("the fatal interrupt", || rig.messages() == before + 1);
    }
    rig.start();
    assert!(!rig.status().fatal(), "only a reset helps");
}

#[test]
fn table_registers_are_fixed_while_enabled() {
    let rig = Rig::new(Rig::small());
    rig.write64(offset::QUEUE_TABLE, 0x5000);
    rig.write32(offset::EVENT_RING_ENTRIES, 128);
    assert_eq!(rig.read64(offset::QUEUE_TABLE), QUEUE_TABLE);
    assert_eq!(rig.read32(offset::EVENT_RING_ENTRIES), EVENTS);
}

/// regression: RING-09
#[test]
fn reset_forgets_everything_and_the_device_then_writes_nothing() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(1, 0);
    rig.bind(1, DoorbellControl::bound_to(client.id));
    client.put(&[NOP]);
    rig.ring(1, 1);
    client.wait_done();
    rig.settle();
    client.put(&[NOP]);
    rig.write32(offset::CONTROL, Control::new().with_reset(true).into());
    let vram = rig.gpu.vram_memory();
    let mut before = vec![0; 0x4_0000];
    vram.read(0, &mut before).unwrap();
    rig.ring(1, 2);
    rig.command(QueueOperation::Look, client.id);
    rig.command(QueueOperation::Deactivate, client.id);
    rig.suspend(client.id, 1);
    rig.write32(offset::ENGINE_RESET, 1);
    rig.settle();
    let mut after = vec![0; 0x4_0000];
    vram.read(0, &mut after).unwrap();
    assert!(before == after, "a reset device wrote to memory");
    assert_eq!(client.read_pointer(), 1);
    assert_eq!(rig.read64(doorbell_page(1).control_register()), 0);
    assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), 0);
    for register in [
        offset::INTERRUPT_STATUS,
        offset::INTERRUPT_ENABLE,
        offset::EVENT_WRITE,
        offset::EVENT_READ,
        offset::QUEUE_TABLE_ENTRIES,
    ] {
        assert_eq!(rig.read32(register), 0, "{register:#x}");
    }
    assert_eq!(rig.doorbell_value(1), 2, "rung on an unbound page");
    rig.start();
    assert_eq!(rig.doorbell_value(1), NOT_RUNG);
    // The queue is inactive, whatever its old descriptor says.
    client.look();
    rig.settle();
    assert_eq!(client.read_pointer(), 1);
}

#[test]
fn events_carry_sequence_and_raise_on_the_edge_only() {
    let rig = Rig::new(Rig::small());
    let id = QueueId(9);
    // Suspending an inactive queue completes at once: an event without other effects.
    rig.suspend(id, 1);
    wait_for("the first message", || rig.messages() == 1);
    rig.suspend(id, 2);
    rig.settle();
    assert_eq!(rig.messages(), 1, "the bit was still set");
    let events = Interrupts::new().with_events(true);
    rig.write32(offset::INTERRUPT_STATUS, events.into_bits());
    assert_eq!(rig.read32(offset::INTERRUPT_STATUS), 0);
    rig.suspend(id, 3);
    wait_for("the second message", || rig.messages() == 2);
    assert_eq!(rig.read32(offset::EVENT_WRITE), 3);
    for tag in 1..=3 {
        assert_eq!(
            rig.take_event(),
            Some(Event::SuspendCompleted { queue: id, tag })
        );
    }
    assert_eq!(rig.take_event(), None);
}

#[test]
fn disabled_interrupts_are_not_sent() {
    let rig = Rig::new(Rig::small());
    rig.write32(offset::INTERRUPT_ENABLE, 0);
    rig.suspend(QueueId(0), 1);
    rig.settle();
    assert_eq!(rig.messages(), 0);
    let status = Interrupts::from_bits(rig.read32(offset::INTERRUPT_STATUS));
    assert!(status.events() && !status.overflow());
}

#[test]
fn a_full_event_ring_drops_and_says_so() {
    let rig = Rig::new(Rig::small());
    let id = QueueId(0);
    for tag in 0..EVENTS {
        rig.suspend(id, tag);
    }
    let overflow = || Interrupts::from_bits(rig.read32(offset::INTERRUPT_STATUS)).overflow();
    assert!(!overflow(), "exactly full");
    rig.suspend(id, EVENTS);
    assert!(overflow());
    assert_eq!(rig.read32(offset::EVENT_WRITE), EVENTS);
    assert_eq!(rig.gpu.stats().events_dropped, 1);
    let first = rig.gpu.vram_memory().load_u64(EVENT_RING + 8);
    assert_eq!(first, Ok(0), "the oldest event is still there");
    for tag in 0..EVENTS {
        assert_eq!(
            rig.take_event(),
            Some(Event::SuspendCompleted { queue: id, tag })
        );
    }
    // The ring goes round.
    rig.suspend(id, 1000);
    assert_eq!(
        rig.take_event(),
        Some(Event::SuspendCompleted {
            queue: id,
            tag: 1000
        })
    );
}

#[test]
fn a_lost_device_reads_ones_and_touches_nothing() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(2, 0);
    rig.bind(0, DoorbellControl::bound_to(client.id));
    let rule = Rule::Fetch {
        queue: Some(client.id),
        action: FetchAction::LoseDevice,
    };
    rig.gpu.inject(Fault::once(rule));
    client.put(&[NOP]);
    rig.ring(0, 1);
    wait_for("the loss", || {
        rig.gpu.register_read(offset::STATUS, 4) == u64::from(u32::MAX)
    });
    assert_eq!(rig.gpu.register_read(offset::QUEUE_TABLE, 8), u64::MAX);
    assert_eq!(rig.gpu.config_read(0, 4), u32::MAX);
    let messages = rig.messages();
    rig.suspend(client.id, 0);
    rig.ring(0, 2);
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(rig.state(client.id), QueueState::RUNNABLE);
    assert_eq!(client.read_pointer(), 0);
    assert_eq!(rig.doorbell_value(0), 2);
    assert_eq!(rig.messages(), messages);
}

#[test]
fn interrupts_can_be_dropped_repeated_and_made_up() {
    let rig = Rig::new(Rig::small());
    let inject = |action| rig.gpu.inject(Fault::once(Rule::Interrupt { action }));
    let event = || {
        rig.write32(offset::INTERRUPT_STATUS, u32::MAX);
        rig.suspend(QueueId(0), 0);
    };
    inject(InterruptAction::Drop);
    inject(InterruptAction::Repeat { times: 2 });
    event();
    rig.settle();
    assert_eq!(rig.messages(), 0);
    event();
    wait_for("three messages", || rig.messages() == 3);
    rig.gpu.spurious_interrupt();
    wait_for("one more", || rig.messages() == 4);
}

#[test]
fn bus_mastering_gates_system_memory() {
    let rig = Rig::new(Config {
        configured: false,
        ..Rig::small()
    });
    let context = ContextId(0);
    let va = carillon_hw::addr::GpuVa(0x7000_0000);
    rig.map(context, va, common::system(0));
    let fill = Packet::Fill {
        destination: va,
        bytes: 8,
        pattern: 7,
    };
    let client = rig.active_queue(0, 0);
    client.submit(&[fill]);
    assert_eq!(
        rig.fault_of(client.id),
        (carillon_hw::queue::QueueFault::PAGE, va.0)
    );
    assert_eq!(rig.messages(), 0, "MSI-X is off");
    rig.gpu.config_write(4, 2, 6);
    client.set_write_pointer(0);
    client.activate();
    client.submit(&[fill]);
    client.wait_done();
    assert_eq!(rig.host.memory.load_u64(0), Ok(7 * (1 << 32) + 7));
}

#[test]
fn constructions_that_make_no_sense_are_named() {
    use carillon_vgpu::{Gpu, VgpuError};
    let host = Rig::cold(Rig::small()).host;
    let refuse = |config| Gpu::new(config, std::sync::Arc::clone(&host) as _).unwrap_err();
    let good = Rig::small;
    for doorbells in [0, 1025] {
        let config = Config {
            doorbells,
            ..good()
        };
        assert!(matches!(refuse(config), VgpuError::Doorbells(n) if n == doorbells));
    }
    for vram_bytes in [0, 4097] {
        let config = Config {
            vram_bytes,
            ..good()
        };
        assert!(matches!(refuse(config), VgpuError::VramBytes(n) if n == vram_bytes));
    }
    for engines in [0, 17] {
        let config = Config { engines, ..good() };
        assert!(matches!(refuse(config), VgpuError::Engines(n) if n == engines));
    }
    let config = Config {
        max_queues_log2: 25,
        ..good()
    };
    assert!(matches!(refuse(config), VgpuError::QueuesLog2(25)));
}
