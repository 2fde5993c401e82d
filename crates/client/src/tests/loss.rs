//! Doorbells taken away between any two steps of a submission.

use std::sync::Arc;
use std::time::Duration;

use carillon_hw::addr::GpuVa;

use super::fake::{Answer, Fake, Word};
use crate::kmt::{DeviceHandle, DoorbellStatus, NodeOrdinal, NtStatus};
use crate::probe::Point;
use crate::queue::{UserQueue, UserQueueConfig};
use crate::submit::{FenceValue, QueueLost, Submit, SubmitError, WaitError};

pub(crate) fn queue(fake: &Arc<Fake>) -> UserQueue {
    queue_with(fake, UserQueueConfig::default())
}

pub(crate) fn queue_with(fake: &Arc<Fake>, config: UserQueueConfig) -> UserQueue {
    let kmt: Arc<Fake> = Arc::clone(fake);
    UserQueue::create(kmt, DeviceHandle(1), NodeOrdinal(0), config).unwrap()
}

pub(crate) fn fill(queue: &mut UserQueue, pattern: u32) -> Result<FenceValue, SubmitError> {
    queue.submit(|commands| commands.fill(GpuVa(0x1000), 4, pattern))
}

/// Every submission was consumed once, in order, with its own fence value.
pub(crate) fn assert_consumed(fake: &Fake, count: u32) {
    let state = fake.state();
    assert_eq!(state.fills, (0..count).collect::<Vec<_>>());
    assert_eq!(state.signaled, (1..=u64::from(count)).collect::<Vec<_>>());
}

/// contract: DBN-002
#[test]
fn connected_path_enters_the_kernel_once_and_never_again() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fill(&mut queue, 0).unwrap();
    let calls = fake.state().log.len();
    for i in 1..100 {
        assert_eq!(fill(&mut queue, i), Ok(FenceValue(u64::from(i) + 1)));
    }
    assert_eq!(
        fake.state().log.len(),
        calls,
        "a kernel entry on the connected path"
    );
    assert_consumed(&fake, 100);
    let counters = queue.counters();
    assert_eq!((counters.submissions, counters.rings), (100, 100));
    assert_eq!((counters.connects, counters.retries), (1, 0));
}

/// contract: PRF-001, PRF-002
#[test]
fn last_queued_is_published_before_the_write_pointer() {
    let fake = Fake::new();
    fake.hook(|fake, point| match point {
        Point::Queued => {
            let queued = fake.get(Word::LastQueued);
            assert_eq!(queued, fake.write_pointer() + 1, "queued value comes late");
        }
        Point::Published => assert_eq!(fake.get(Word::LastQueued), fake.write_pointer()),
        Point::Rung => {}
    });
    let mut queue = queue(&fake);
    for i in 0..10 {
        fill(&mut queue, i).unwrap();
    }
    for &(write, last_queued) in &fake.state().looks {
        assert!(last_queued >= write);
    }
}

/// contract: UMD-001, UMD-002, UMDR-002
/// regression: DB-20
#[test]
fn disconnect_at_any_point_loses_and_repeats_nothing() {
    for point in [Point::Queued, Point::Published, Point::Rung] {
        for every in 1..4 {
            let fake = Fake::new();
            let mut passes = 0;
            fake.hook(move |fake, at| {
                if at == point {
                    passes += 1;
                    // Not at the rings that repeat: the storm is a test of its own.
                    if passes % (every + 1) == 0 {
                        fake.disconnect(DoorbellStatus::DISCONNECTED_RETRY);
                    }
                }
            });
            let mut queue = queue(&fake);
            for i in 0..50 {
                fill(&mut queue, i).unwrap();
            }
            assert_consumed(&fake, 50);
            let counters = queue.counters();
            assert_eq!(counters.submissions, 50);
            assert!(counters.retries > 0, "{point:?}: nothing happened");
            assert_eq!(counters.connects, counters.retries + 1, "{point:?}");
            assert_eq!(counters.rings, 50 + counters.retries, "{point:?}");
        }
    }
}

/// contract: UMD-001, UMD-002, UMD-004
#[test]
fn a_lost_ring_is_rung_again_after_connecting() {
    // The driver forgets to look, so only the client's second ring brings the work to the device.
    let fake = Fake::new();
    fake.state().forgetful = true;
    let mut first = true;
    fake.hook(move |fake, at| {
        if at == Point::Published && std::mem::take(&mut first) {
            fake.disconnect_without_look(DoorbellStatus::DISCONNECTED_RETRY);
        }
    });
    let mut queue = queue(&fake);
    fill(&mut queue, 0).unwrap();
    assert_consumed(&fake, 1);
    assert_eq!(queue.counters().rings, 2);
}

/// contract: UMDR-002
/// regression: DB-20
#[test]
fn repeated_rings_do_nothing() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fill(&mut queue, 0).unwrap();
    for _ in 0..10 {
        queue.ring_again().unwrap();
    }
    fill(&mut queue, 1).unwrap();
    assert_consumed(&fake, 2);
}

/// contract: UMDR-002
/// regression: DB-20
#[test]
fn retry_storm_ends_and_keeps_the_submission() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue_with(
        &fake,
        UserQueueConfig {
            connect_attempts: 5,
            ..UserQueueConfig::default()
        },
    );
    fake.state().answers = [Answer::TakenAtOnce; 6].into();
    let value = FenceValue(1);
    assert_eq!(
        fill(&mut queue, 0),
        Err(SubmitError::Unrung { value, attempts: 5 })
    );
    assert_eq!(queue.counters().connects, 6);
    assert_eq!(queue.queued(), value);
    // The next connect succeeds; the submission is still in the ring, once.
    queue.ring_again().unwrap();
    assert_consumed(&fake, 1);
    fill(&mut queue, 1).unwrap();
    assert_consumed(&fake, 2);
}

#[test]
fn waiting_for_an_unrung_submission_rings_it() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue_with(
        &fake,
        UserQueueConfig {
            connect_attempts: 1,
            ..UserQueueConfig::default()
        },
    );
    fake.state().answers = [Answer::TakenAtOnce; 2].into();
    assert!(matches!(
        fill(&mut queue, 0),
        Err(SubmitError::Unrung { .. })
    ));
    queue.wait(FenceValue(1), Duration::ZERO).unwrap();
    assert_consumed(&fake, 1);
}

/// contract: NTF-007
#[test]
fn notify_status_notifies_after_each_ring() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fake.state().answers = [Answer::Notify].into();
    for i in 0..3 {
        fill(&mut queue, i).unwrap();
    }
    assert_eq!(queue.counters().notifies, 3);
    assert_eq!(queue.counters().retries, 0);
    assert_consumed(&fake, 3);
}

#[test]
fn notify_that_races_a_disconnect_is_a_retry() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fake.state().answers = [Answer::Notify].into();
    fake.state().notify_answers = [Answer::TakenAtOnce].into();
    fill(&mut queue, 0).unwrap();
    assert_eq!(queue.status(), DoorbellStatus::CONNECTED);
    assert_eq!(queue.lost(), None);
    assert_consumed(&fake, 1);
}

#[test]
fn failing_notify_loses_the_queue() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fake.state().answers = [Answer::Notify].into();
    fake.state().notify_answers = [Answer::Fail].into();
    assert!(matches!(
        fill(&mut queue, 0),
        Err(SubmitError::Lost(QueueLost::Notify(_)))
    ));
}

/// contract: UMD-002
#[test]
fn abort_and_failed_connect_are_typed_and_final() {
    for answer in [Answer::Abort, Answer::Fail] {
        let fake = Fake::new();
        let mut rings = 0;
        fake.hook(move |fake, at| {
            rings += u32::from(at == Point::Rung);
            if at == Point::Rung && rings == 3 {
                fake.disconnect(DoorbellStatus::DISCONNECTED_RETRY);
            }
        });
        let mut queue = queue(&fake);
        fill(&mut queue, 0).unwrap();
        fill(&mut queue, 1).unwrap();
        fake.state().answers = [answer].into();
        let error = fill(&mut queue, 2).unwrap_err();
        match (answer, error) {
            (Answer::Abort, SubmitError::Lost(QueueLost::Aborted)) => {}
            (_, SubmitError::Lost(QueueLost::Connect(error))) => {
                assert_eq!(error.status(), NtStatus::DEVICE_REMOVED);
                assert_eq!(error.thunk(), "D3DKMTConnectDoorbell");
            }
            other => panic!("{other:?}"),
        }
        // Final: nothing is appended any more.
        let write = fake.write_pointer();
        let calls = fake.state().log.len();
        assert_eq!(fill(&mut queue, 3), Err(error));
        assert_eq!(queue.ring_again(), Err(error));
        assert_eq!(fake.write_pointer(), write);
        assert_eq!(fake.state().log.len(), calls);
    }
}

#[test]
fn undefined_status_is_named() {
    let fake = Fake::new();
    fake.hook(|fake, at| {
        if at == Point::Rung {
            fake.set(Word::Status, 4);
        }
    });
    let mut queue = queue(&fake);
    let error = fill(&mut queue, 0).unwrap_err();
    assert_eq!(
        error,
        SubmitError::Lost(QueueLost::Status(DoorbellStatus(4)))
    );
    assert_eq!(
        error.to_string(),
        "queue lost: doorbell status 0x4 is not defined"
    );
}

#[test]
fn waiting_on_an_aborted_queue_ends_at_once() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fake.state().paused = true;
    fake.state().timeouts_immediate = false;
    let value = fill(&mut queue, 0).unwrap();
    fake.disconnect(DoorbellStatus::DISCONNECTED_ABORT);
    assert_eq!(
        queue.wait(value, Duration::from_hours(1)),
        Err(WaitError::Lost(QueueLost::Aborted))
    );
}

#[test]
fn a_fence_past_everything_queued_is_a_lost_queue() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fake.state().paused = true;
    let value = fill(&mut queue, 0).unwrap();
    fake.set(Word::Fence, u64::MAX);
    let lost = QueueLost::Overrun {
        current: u64::MAX,
        queued: 1,
    };
    assert_eq!(
        queue.wait(value, Duration::ZERO),
        Err(WaitError::Lost(lost))
    );
    assert_eq!(fill(&mut queue, 1), Err(SubmitError::Lost(lost)));
}

#[test]
fn waits_say_what_was_missing() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    queue.wait(FenceValue(0), Duration::ZERO).unwrap();
    assert_eq!(
        queue.wait(FenceValue(1), Duration::ZERO),
        Err(WaitError::NeverQueued {
            value: FenceValue(1),
            queued: FenceValue(0)
        })
    );
    fake.state().paused = true;
    let value = fill(&mut queue, 0).unwrap();
    assert_eq!(
        queue.wait(value, Duration::ZERO),
        Err(WaitError::TimedOut { value, current: 0 })
    );
}
