//! Queues that ring at either of two addresses.

use std::sync::Arc;

use super::fake::{Fake, Word};
use super::loss::{assert_consumed, fill, queue, queue_with};
use crate::kmt::{DeviceHandle, Kmt, NodeOrdinal};
use crate::objects::CreateError;
use crate::probe::Point;
use crate::queue::{UserQueue, UserQueueConfig};
use crate::{RingAt, kmt::DoorbellStatus};

const WITH: UserQueueConfig = UserQueueConfig {
    secondary_doorbell: true,
    ring_entries_log2: 7,
    command_dwords: 64,
    full_timeout: std::time::Duration::from_secs(2),
    drain_timeout: std::time::Duration::from_secs(2),
    connect_attempts: 64,
};

/// Each ring goes to the address that was chosen, to that one only, and works.
#[test]
fn rings_go_where_they_were_told_to() {
    let fake = Fake::new();
    fake.state().secondary = true;
    fake.plain();
    let mut queue = queue_with(&fake, WITH);
    fill(&mut queue, 0).unwrap();
    for round in 1..20 {
        let at = [RingAt::Primary, RingAt::Secondary][round as usize % 2];
        assert!(queue.ring_at(at));
        // Off the device, so that the stores stay.
        fake.state().mapped = false;
        fake.hook(|_, _| {});
        let before = [Word::Doorbell, Word::Secondary].map(|word| fake.get(word));
        let seen = Arc::new(std::sync::Mutex::new(before));
        let (inner, sink) = (Arc::clone(&fake), Arc::clone(&seen));
        crate::probe::install(move |point| {
            if point == Point::Rung {
                *sink.lock().unwrap() = [Word::Doorbell, Word::Secondary].map(|w| inner.get(w));
                inner.state().mapped = true;
                inner.device_takes_ring();
            }
        });
        fill(&mut queue, round).unwrap();
        let after = *seen.lock().unwrap();
        let changed = [0, 1].map(|word| before[word] != after[word]);
        assert_eq!(changed, [at == RingAt::Primary, at == RingAt::Secondary]);
        fake.plain();
    }
    assert_eq!(queue.status(), DoorbellStatus::CONNECTED);
    assert_consumed(&fake, 20);
}

#[test]
fn a_queue_without_a_second_address_keeps_its_first() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    assert!(!queue.ring_at(RingAt::Secondary));
    fill(&mut queue, 0).unwrap();
    assert_consumed(&fake, 1);
}

/// A kernel that says yes and gives no address is not believed.
#[test]
fn an_address_that_does_not_come_fails_the_create() {
    let fake = Fake::new();
    let kmt: Arc<dyn Kmt> = Arc::clone(&fake) as _;
    let error = UserQueue::create(kmt, DeviceHandle(1), NodeOrdinal(0), WITH).unwrap_err();
    assert_eq!(error, CreateError::NoSecondary);
    assert!(fake.state().allocations.is_empty());
}
