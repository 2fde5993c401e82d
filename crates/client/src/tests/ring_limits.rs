//! Full ring, wrapping pointers, memory that lies.

use std::time::Duration;

use carillon_hw::addr::GpuVa;
use carillon_hw::doorbell::{DoorbellReply, GlobalDoorbellValue, NOT_RUNG};
use carillon_hw::queue::QueueId;
use carillon_hw::regs::DoorbellModel;
use zerocopy::IntoBytes;

use super::fake::{Fake, Word};
use super::loss::{assert_consumed, fill, queue, queue_with};
use crate::command::CommandError;
use crate::queue::UserQueueConfig;
use crate::ring::BadReadPointer;
use crate::submit::{FenceValue, QueueLost, Submit, SubmitError};

const ENTRIES: u32 = 128;

fn impatient() -> UserQueueConfig {
    UserQueueConfig {
        full_timeout: Duration::ZERO,
        ..UserQueueConfig::default()
    }
}

/// contract: UMDR-001
#[test]
fn full_ring_submits_nothing_until_a_slot_is_free() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue_with(&fake, impatient());
    fake.state().paused = true;
    for i in 0..ENTRIES {
        fill(&mut queue, i).unwrap();
    }
    let write = fake.write_pointer();
    let full = Err(SubmitError::Full(Duration::ZERO));
    assert_eq!(fill(&mut queue, ENTRIES), full);
    assert_eq!(fill(&mut queue, ENTRIES), full);
    assert_eq!(fake.write_pointer(), write);
    assert_eq!(fake.get(Word::LastQueued), u64::from(ENTRIES));
    assert_eq!(queue.counters().full_waits, 2);
    fake.state().paused = false;
    fake.device_step();
    assert_eq!(
        fill(&mut queue, ENTRIES),
        Ok(FenceValue(u64::from(ENTRIES) + 1))
    );
    assert_consumed(&fake, ENTRIES + 1);
}

/// regression: RING-04
#[test]
fn ring_and_pointers_wrap() {
    for before in [0, 1, 2, 127, 128, 129, 200, 300] {
        let fake = Fake::new();
        fake.plain();
        fake.state().start = 0_u64.wrapping_sub(before);
        let mut queue = queue(&fake);
        for i in 0..3 * ENTRIES {
            fill(&mut queue, i).unwrap();
        }
        assert_consumed(&fake, 3 * ENTRIES);
    }
}

#[test]
fn no_write_pointer_reads_as_not_rung() {
    let fake = Fake::new();
    fake.state().start = u64::MAX - 3;
    fake.plain();
    let mut queue = queue(&fake);
    for i in 0..6 {
        fill(&mut queue, i).unwrap();
        // Each ring was seen: the last look found the newest write pointer.
        let write = fake.write_pointer();
        assert_eq!(fake.state().looks.last().unwrap().0, write);
        assert_eq!(fake.get(Word::Doorbell), NOT_RUNG);
    }
    assert_consumed(&fake, 6);
}

#[test]
fn impossible_read_pointers_lose_the_queue() {
    for start in [0, u64::MAX - 5] {
        for garbage in [200, u64::MAX, 1 << 63, u64::MAX - 127, u64::MAX - 128] {
            let fake = Fake::new();
            fake.plain();
            fake.state().start = start;
            let mut queue = queue_with(&fake, impatient());
            fake.state().paused = true;
            for i in 0..ENTRIES {
                fill(&mut queue, i).unwrap();
            }
            fake.report_read_pointer(start.wrapping_add(garbage));
            let lost = QueueLost::ReadPointer(BadReadPointer {
                read: start.wrapping_add(garbage),
                write: start.wrapping_add(u64::from(ENTRIES)),
            });
            assert_eq!(fill(&mut queue, 0), Err(SubmitError::Lost(lost)));
            assert_eq!(queue.lost(), Some(lost));
        }
    }
}

#[test]
fn a_read_pointer_that_moved_before_the_first_submission_is_noticed() {
    for garbage in [1, u64::MAX, u64::MAX - 126, u64::MAX - 127, u64::MAX - 128] {
        let fake = Fake::new();
        fake.plain();
        let mut queue = queue(&fake);
        fake.report_read_pointer(garbage);
        assert!(matches!(
            fill(&mut queue, 0),
            Err(SubmitError::Lost(QueueLost::ReadPointer(_)))
        ));
    }
}

/// regression: RING-14
#[test]
fn a_command_buffer_takes_what_was_configured_and_no_more() {
    let fake = Fake::new();
    fake.plain();
    // 8 doublewords for the fence, 6 for each fill.
    let mut queue = queue_with(
        &fake,
        UserQueueConfig {
            command_dwords: 8 + 2 * 6,
            ..UserQueueConfig::default()
        },
    );
    let fills = |count: u32| {
        move |commands: &mut crate::command::CommandBuilder<'_>| {
            (0..count).try_for_each(|_| commands.fill(GpuVa(0), 4, 0))
        }
    };
    queue.submit(fills(2)).unwrap();
    assert_eq!(
        queue.submit(fills(3)),
        Err(SubmitError::Command(CommandError::Full {
            needed: 6,
            left: 0
        }))
    );
    queue.submit(fills(0)).unwrap();
    assert_eq!(fake.state().signaled, [1, 2]);
    assert_eq!(fake.state().fills.len(), 2);
}

/// regression: RING-14
#[test]
fn crooked_addresses_are_refused_before_they_reach_the_ring() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    let misaligned = |value, alignment| {
        Err(SubmitError::Command(CommandError::Misaligned {
            value,
            alignment,
        }))
    };
    assert_eq!(queue.submit(|c| c.fill(GpuVa(2), 4, 0)), misaligned(2, 4));
    assert_eq!(queue.submit(|c| c.fill(GpuVa(4), 7, 0)), misaligned(7, 4));
    assert_eq!(queue.submit(|c| c.timestamp(GpuVa(12))), misaligned(12, 8));
    assert_eq!(fake.write_pointer(), 0);
    queue
        .submit(|c| {
            c.copy(GpuVa(1), GpuVa(3), 5)?;
            c.timestamp(GpuVa(8))
        })
        .unwrap();
    assert_eq!(fake.state().signaled, [1]);
}

#[test]
fn global_model_names_the_queue() {
    let fake = Fake::new();
    let reply = DoorbellReply::new(DoorbellModel::Global, QueueId(7));
    fake.state().private_out.copy_from_slice(reply.as_bytes());
    fake.hook(|_, _| {});
    let mut queue = queue_with(&fake, UserQueueConfig::default());
    // Nobody takes this ring.
    crate::probe::install(|_| {});
    fill(&mut queue, 0).unwrap();
    assert_eq!(
        fake.get(Word::Doorbell),
        GlobalDoorbellValue::for_queue(QueueId(7)).into_bits()
    );
}
