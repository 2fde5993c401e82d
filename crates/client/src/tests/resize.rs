//! Rings replaced under a queue that works.

use std::sync::{Arc, Mutex};

use super::fake::{Answer, Fake, Word};
use super::loss::{assert_consumed, fill, queue, queue_with};
use crate::kmt::{DoorbellStatus, NtStatus};
use crate::objects::CreateError;
use crate::probe::Point;
use crate::queue::UserQueueConfig;
use crate::resize::{ResizeError, ResizeOrder};
use crate::submit::{FenceValue, QueueLost, SubmitError};

const ORDERS: [ResizeOrder; 2] = [ResizeOrder::NewFirst, ResizeOrder::OldFirst];

fn quick() -> UserQueueConfig {
    UserQueueConfig {
        full_timeout: std::time::Duration::from_millis(1),
        ..UserQueueConfig::default()
    }
}

/// Larger, smaller, the same: everything runs once and in order, values go on counting.
#[test]
fn work_goes_on_across_changes_of_the_ring() {
    for order in ORDERS {
        let fake = Fake::new();
        fake.plain();
        let mut queue = queue(&fake);
        let mut next = 0;
        for log2 in [8, 16, 7, 7, 12] {
            for _ in 0..300 {
                let value = fill(&mut queue, next).unwrap();
                next += 1;
                assert_eq!(value, FenceValue(u64::from(next)));
            }
            queue.resize(log2, order).unwrap();
            assert_eq!(queue.ring_entries(), 1 << log2);
        }
        fill(&mut queue, next).unwrap();
        assert_consumed(&fake, next + 1);
        assert_eq!(fake.get(Word::LastQueued), u64::from(next) + 1);
        queue.close().unwrap();
        assert!(fake.state().allocations.is_empty());
    }
}

/// The device holds still: the old ring stays full of work while the new one takes more, and its
/// doorbell and memory stay until it is read.
///
/// contract: RBR-005
#[test]
fn the_old_ring_stays_until_it_is_read() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fake.state().paused = true;
    for id in 0..128 {
        fill(&mut queue, id).unwrap();
    }
    queue.resize(8, ResizeOrder::NewFirst).unwrap();
    for id in 128..384 {
        fill(&mut queue, id).unwrap();
    }
    assert!(queue.is_resizing());
    queue.retire().unwrap();
    assert!(queue.is_resizing());
    assert_eq!(fake.state().allocations.len(), 6);
    assert!(fake.state().fills.is_empty());
    fake.state().paused = false;
    fake.device_step();
    assert_consumed(&fake, 384);
    fake.state().log.clear();
    queue.retire().unwrap();
    assert!(!queue.is_resizing());
    assert_eq!(fake.state().log[0], "DestroyDoorbell");
    assert_eq!(fake.state().allocations.len(), 3);
    fill(&mut queue, 384).unwrap();
    assert_consumed(&fake, 385);
}

/// A second change waits for the first one, and does not lose what is between them.
#[test]
fn a_change_waits_for_the_one_before() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue_with(&fake, quick());
    fake.state().paused = true;
    fill(&mut queue, 0).unwrap();
    queue.resize(8, ResizeOrder::NewFirst).unwrap();
    fill(&mut queue, 1).unwrap();
    for order in ORDERS {
        let error = queue.resize(9, order).unwrap_err();
        assert!(matches!(error, ResizeError::Busy(_)), "{error:?}");
    }
    assert_eq!(queue.ring_entries(), 256);
    fake.state().paused = false;
    fake.device_step();
    queue.resize(9, ResizeOrder::NewFirst).unwrap();
    fill(&mut queue, 2).unwrap();
    assert_consumed(&fake, 3);
    queue.close().unwrap();
    assert!(fake.state().allocations.is_empty());
}

/// What cannot be made leaves the queue as it was.
#[test]
fn a_ring_that_cannot_be_made_changes_nothing() {
    for thunk in [
        "CreateAllocation",
        "Lock",
        "MakeResident",
        "MapGpuVirtualAddress",
        "CreateDoorbell",
    ] {
        let fake = Fake::new();
        fake.plain();
        let mut queue = queue(&fake);
        fill(&mut queue, 0).unwrap();
        fake.state().fail = Some(thunk);
        let error = queue.resize(9, ResizeOrder::NewFirst).unwrap_err();
        let ResizeError::Create(CreateError::Kmt(error)) = error else {
            panic!("{error:?}");
        };
        assert_eq!(
            (error.thunk(), error.status()),
            (thunk, NtStatus::NO_MEMORY)
        );
        assert_eq!(fake.state().allocations.len(), 3, "{thunk}");
        assert_eq!(queue.ring_entries(), 128);
        fill(&mut queue, 1).unwrap();
        assert_consumed(&fake, 2);
    }
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    for log2 in [0, 6, 17, u32::MAX] {
        let error = queue.resize(log2, ResizeOrder::NewFirst).unwrap_err();
        assert_eq!(error, ResizeError::Create(CreateError::RingSize(log2)));
    }
    fake.state().private_out = [0xFF; 16];
    let error = queue.resize(8, ResizeOrder::NewFirst).unwrap_err();
    assert_eq!(error, ResizeError::Create(CreateError::NoReply));
    // The doorbell that cannot be rung is gone again, and with it the ring kept aside.
    fill(&mut queue, 0).unwrap();
    assert_consumed(&fake, 1);
}

/// Old doorbell first: without a new one there is none, and the queue says so and stays safe.
///
/// contract: DBN-010
#[test]
fn no_new_doorbell_behind_the_old_one_loses_the_queue() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fill(&mut queue, 0).unwrap();
    fake.state().fail = Some("CreateDoorbell");
    let error = queue.resize(9, ResizeOrder::OldFirst).unwrap_err();
    assert!(matches!(error, ResizeError::Lost(QueueLost::Resize(_))));
    assert_eq!(queue.status(), DoorbellStatus::DISCONNECTED_ABORT);
    let lost = fill(&mut queue, 1).unwrap_err();
    assert!(matches!(lost, SubmitError::Lost(QueueLost::Resize(_))));
    queue.resize(9, ResizeOrder::OldFirst).unwrap_err();
    queue.close().unwrap();
    assert!(fake.state().allocations.is_empty());
}

/// The new doorbell does not stay connected: its ring comes through once it does.
#[test]
fn the_new_doorbell_is_taken_away_at_once() {
    for order in ORDERS {
        let fake = Fake::new();
        fake.plain();
        let mut queue = queue(&fake);
        fill(&mut queue, 0).unwrap();
        fake.state().answers = [Answer::TakenAtOnce, Answer::TakenAtOnce].into();
        queue.resize(9, order).unwrap();
        fill(&mut queue, 1).unwrap();
        assert_consumed(&fake, 2);
        fake.state().answers = [Answer::Fail].into();
        let error = queue.resize(10, order).unwrap_err();
        assert!(matches!(error, ResizeError::Lost(QueueLost::Connect(_))));
    }
}

/// The doorbell goes between two steps of a submission, the ring right after it.
#[test]
fn a_loss_just_before_the_change_strands_nothing() {
    for point in [Point::Queued, Point::Published, Point::Rung] {
        let fake = Fake::new();
        fake.plain();
        let mut queue = queue(&fake);
        fill(&mut queue, 0).unwrap();
        let once = Arc::new(Mutex::new(true));
        fake.hook(move |fake, at| {
            if at == point && std::mem::take(&mut *once.lock().unwrap()) {
                fake.disconnect(DoorbellStatus::DISCONNECTED_RETRY);
            }
        });
        fill(&mut queue, 1).unwrap();
        queue.resize(8, ResizeOrder::NewFirst).unwrap();
        fill(&mut queue, 2).unwrap();
        assert_consumed(&fake, 3);
    }
}

/// Threads share a queue through a lock and any of them changes the ring.
#[test]
fn threads_change_the_ring_under_each_other() {
    let fake = Fake::new();
    let queue = Mutex::new(queue(&fake));
    let order = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let (fake, queue, order) = (&fake, &queue, &order);
            scope.spawn(move || {
                fake.plain();
                for round in 0..200_u32 {
                    let mut queue = queue.lock().unwrap();
                    let id = thread << 16 | round;
                    fill(&mut queue, id).unwrap();
                    order.lock().unwrap().push(id);
                    if round % 50 == thread {
                        let log2 = 7 + (round + thread) % 4;
                        let order = ORDERS[thread as usize % 2];
                        queue.resize(log2, order).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(fake.state().fills, *order.lock().unwrap());
    queue.into_inner().unwrap().close().unwrap();
    assert!(fake.state().allocations.is_empty());
}
