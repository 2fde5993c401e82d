//! What reaches the driver through an escape, and what comes back.

use carillon_hw::escape::{EscapeCounters, EscapeData, EscapeRequest};
use carillon_hw::queue::QueueId;

use super::fake::Fake;
use super::loss::queue;

#[test]
fn requests_name_the_queue_as_the_driver_does() {
    let fake = Fake::new();
    fake.plain();
    let queue = queue(&fake);
    queue.set_notify(true).unwrap();
    queue.set_notify(false).unwrap();
    let counters = queue.doorbell_counters().unwrap();
    let seven = EscapeCounters {
        connects: 7,
        disconnects: 7,
        victimized: 7,
        notifies: 7,
        useful_looks: 7,
        changed: 7,
    };
    assert_eq!(counters, seven);
    let requests: Vec<_> = fake
        .state()
        .escapes
        .iter()
        .map(|bytes| EscapeData::parse(bytes).unwrap())
        .collect();
    let queue = QueueId(1);
    let expected = [
        EscapeRequest::SetNotify {
            queue,
            notify: true,
        },
        EscapeRequest::SetNotify {
            queue,
            notify: false,
        },
        EscapeRequest::Counters { queue },
    ];
    assert_eq!(requests, expected);
}

#[test]
fn a_refused_escape_is_an_error() {
    let fake = Fake::new();
    fake.plain();
    let queue = queue(&fake);
    fake.state().fail = Some("Escape");
    assert_eq!(queue.set_notify(true).unwrap_err().thunk(), "Escape");
}
