//! What anybody can write into a ring, a command buffer or a doorbell page must not bring the
//! device down, nor touch memory that the queue's tables do not lead to.

mod common;

use carillon_hw::addr::GpuVa;
use carillon_hw::packet::{Header, Packet};
use carillon_hw::queue::{ContextId, QueueId, QueueShape, QueueState};
use carillon_hw::regs::{DoorbellControl, QueueCommand, QueueOperation, offset};
use carillon_hw::ring::{EntryMeta, RingEntry};
use carillon_vgpu::Config;
use common::{Rig, wait_for};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const CONTEXT: ContextId = ContextId(1);
const OPERATIONS: [QueueOperation; 9] = [
    QueueOperation::Activate,
    QueueOperation::Deactivate,
    QueueOperation::Suspend,
    QueueOperation::Resume,
    QueueOperation::Look,
    QueueOperation::Reload,
    QueueOperation::Watch,
    QueueOperation::ChangeRing,
    QueueOperation::TakeRing,
];
/// Where four pages of local memory are mapped for the hostile queue, besides its own.
const WINDOW: u64 = 0x10_0000_0000;

/// An address that is likely to be of interest.
fn address() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => (0_u64..4 * 4096).prop_map(|offset| WINDOW + offset),
        1 => (0_u64..0x8_0000).prop_map(|offset| offset),
        1 => any::<u64>(),
        1 => (0_u64..16).prop_map(|low| (1_u64 << 48) - low),
        1 => (0_u64..16).prop_map(|low| u64::MAX - low),
    ]
}

fn length() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0_u64..10_000,
        1 => any::<u64>(),
        1 => (0_u64..16).prop_map(|low| u64::MAX - low),
    ]
}

/// Packets, some whole, some with a word changed, some noise.
fn words() -> impl Strategy<Value = Vec<u32>> {
    let packet = prop_oneof![
        (address(), length(), any::<u32>()).prop_map(|(destination, bytes, pattern)| {
            Packet::Fill {
                destination: GpuVa(destination / 4 * 4),
                bytes: bytes / 4 * 4,
                pattern,
            }
        }),
        (address(), address(), length()).prop_map(|(source, destination, bytes)| Packet::Copy {
            source: GpuVa(source),
            destination: GpuVa(destination),
            bytes,
        }),
        (address(), address(), any::<u64>(), any::<u32>()).prop_map(
            |(current, monitored, value, handle)| Packet::FenceSignal {
                current: GpuVa(current / 8 * 8),
                monitored: GpuVa(monitored / 8 * 8),
                value,
                handle,
            }
        ),
        (address(), any::<u64>(), any::<u32>()).prop_map(|(current, value, handle)| {
            Packet::FenceWait {
                current: GpuVa(current / 8 * 8),
                value,
                handle,
            }
        }),
        (1_u16..40).prop_map(|dwords| Packet::Nop { dwords }),
    ];
    let whole = packet.prop_map(|packet| common::assemble(&[packet]));
    let noise = (
        any::<u8>(),
        any::<u16>(),
        prop::collection::vec(any::<u32>(), 0..8),
    )
        .prop_map(|(opcode, dwords, body)| {
            let header = Header::new().with_opcode(opcode).with_dwords(dwords % 16);
            let mut words = vec![header.into_bits()];
            words.extend(body);
            words
        });
    let changed = (whole.clone(), any::<prop::sample::Index>(), any::<u32>()).prop_map(
        |(mut words, index, value)| {
            let index = index.index(words.len());
            words[index] = value;
            words
        },
    );
    let piece = prop_oneof![4 => whole, 1 => changed, 1 => noise];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| {
        let mut words = pieces.concat();
        words.truncate(64);
        words
    })
}

/// What a client may do to its own queue.
#[derive(Clone, Debug)]
enum Act {
    Submit(Vec<u32>),
    Entry { buffer: u64, meta: u64, cookie: u64 },
    WritePointer(u64),
    Ring { page: u32, value: u64 },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => words().prop_map(Act::Submit),
        1 => (address(), any::<u64>(), any::<u64>())
            .prop_map(|(buffer, meta, cookie)| Act::Entry { buffer, meta, cookie }),
        1 => (address(), 1_u32..1000).prop_map(|(buffer, dwords)| Act::Entry {
            buffer: buffer / 4 * 4,
            meta: EntryMeta::new().with_dwords(dwords).into_bits(),
            cookie: 0,
        }),
        1 => any::<u64>().prop_map(Act::WritePointer),
        1 => (0_u32..4, any::<u64>()).prop_map(|(page, value)| Act::Ring { page, value }),
    ]
}

/// Local memory that no mapping of the hostile queue leads to: the driver's tables and the
/// neighbour's pages.
fn untouchable(rig: &Rig, pages: &[u64]) -> Vec<u8> {
    let mut bytes = vec![0; pages.len() * 4096];
    for (page, chunk) in pages.iter().zip(bytes.chunks_exact_mut(4096)) {
        rig.gpu.vram_memory().read(*page, chunk).unwrap();
    }
    bytes
}

/// A new seed each time, printed with a failure; `CARILLON_SEED` repeats one.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 200,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(common::seed()),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// contract: SECR-001
    #[test]
    fn a_hostile_queue_hurts_only_itself(acts in prop::collection::vec(act(), 1..12)) {
        let rig = Rig::new(Rig::small());
        let neighbour = rig.active_queue(1, 0);
        let secret = rig.buffer(ContextId(0), 1);
        rig.gpu.vram_memory().write(secret, &[0x5E; 4096]).unwrap();
        let window = rig.pages(4);
        for page in 0..4 {
            let at = page * 4096;
            rig.map(CONTEXT, GpuVa(WINDOW + at), common::local(window + at));
        }
        let hostile = rig.queue(0, 1);
        let kept = [common::CONTEXT_TABLE, common::APERTURE_TABLE, secret];
        let before = untouchable(&rig, &kept);
        hostile.activate();
        rig.bind(0, DoorbellControl::bound_to(hostile.id));
        rig.bind(1, DoorbellControl::bound_to(neighbour.id));
        for act in &acts {
            match act {
                Act::Submit(words) => hostile.put_words(words),
                Act::Entry { buffer, meta, cookie } => hostile.put_entry(&RingEntry {
                    buffer: *buffer,
                    meta: EntryMeta::from_bits(*meta),
                    cookie: *cookie,
                    reserved: 0,
                }),
                Act::WritePointer(value) => hostile.set_write_pointer(*value),
                Act::Ring { page, value } => rig.ring(*page, *value),
            }
            rig.ring(0, 0);
        }
        // Each time round gives the hostile queue a turn too.
        for _ in 0..20 {
            neighbour.submit(&[Packet::Nop { dwords: 1 }]);
            neighbour.wait_done();
        }
        rig.command(QueueOperation::Deactivate, hostile.id);
        prop_assert_eq!(rig.state(hostile.id), QueueState::INACTIVE);
        neighbour.submit(&[Packet::Nop { dwords: 1 }]);
        neighbour.wait_done();
        prop_assert!(rig.status().enabled());
        prop_assert_eq!(before, untouchable(&rig, &kept));
    }

    #[test]
    fn arbitrary_registers_do_not_panic(
        accesses in prop::collection::vec((
            prop_oneof![3 => 0_u64..0xC0, 1 => 0x2000_u64..0x2010, 1 => 0x4000_u64..0x4040,
                        1 => 0x8000_u64..0x9010, 1 => any::<u64>()],
            prop_oneof![Just(1_u8), Just(2), Just(4), Just(4), Just(8), Just(8), any::<u8>()],
            prop_oneof![2 => 0_u64..16, 1 => (0_u64..64).prop_map(|n| n * 4096), 1 => any::<u64>()],
        ), 1..60),
        start in any::<bool>(),
    ) {
        let rig = Rig::cold(Config { doorbells: 3, max_queues_log2: 8, ..Rig::small() });
        if start {
            rig.start();
        }
        for (at, width, value) in accesses {
            rig.gpu.register_write(at, width, value);
            let _ = rig.gpu.register_read(at, width);
            rig.ring(0, value);
        }
        rig.start();
        let client = rig.active_queue(0, 0);
        client.submit(&[Packet::Nop { dwords: 1 }]);
        client.wait_done();
    }

    #[test]
    fn arbitrary_descriptors_and_commands_do_not_panic(
        steps in prop::collection::vec((
            prop_oneof![Just(None), any::<[u64; 8]>().prop_map(Some)],
            any::<u32>(), any::<u8>(), any::<u64>(),
        ), 1..40),
    ) {
        let rig = Rig::new(Rig::small());
        let client = rig.queue(0, 0);
        for (descriptor, shape, code, noise) in steps {
            let mut half = rig.driver_half(client.id);
            if let Some(words) = descriptor {
                half = zerocopy::transmute!(words);
                // Usable now and then.
                half.shape = QueueShape::from_bits(shape % (1 << 12));
                half.context %= 8;
                half.reserved0 = 0;
                half.reserved1 = 0;
                half.ring = client.ring;
                half.control = client.control;
                if noise % 4 == 0 {
                    half.ring = noise / 4096 * 4096;
                    half.control = noise / 128 * 128;
                }
                half.signal_log = 0;
                half.wait_log = 0;
            }
            rig.write_driver_half(client.id, &half);
            let operation = OPERATIONS[usize::from(code) % OPERATIONS.len()];
            let word = QueueCommand::of(operation, client.id).with_tag(shape % 100);
            rig.write64(offset::QUEUE_COMMAND, word.into_bits());
            rig.gpu.vram_memory().store_u64(client.control, noise % 200).unwrap();
        }
        rig.command(QueueOperation::Deactivate, QueueId(0));
        wait_for("deactivation", || rig.state(QueueId(0)) == QueueState::INACTIVE);
        let other = rig.active_queue(1, 0);
        other.submit(&[Packet::Nop { dwords: 1 }]);
        other.wait_done();
    }
}
