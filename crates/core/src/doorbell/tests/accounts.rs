//! What the manager counts, and what it keeps apart.

use super::*;
use crate::doorbell::ManagerCounters;

#[test]
fn every_step_of_a_story_is_counted_once() {
    let rig = rig(1);
    assert!(rig.manager.is_empty());
    let (a, b) = (rig.create(0), rig.create(1));
    assert!(!rig.manager.is_empty());
    // A free page, the same page twice more, and once more after it lingered.
    for _ in 0..3 {
        rig.connect(a).unwrap();
    }
    rig.disconnect(a);
    rig.connect(a).unwrap();
    rig.disconnect(a);
    rig.disconnect(a);
    // Taken from a doorbell that the OS had disconnected, then from one that was connected.
    rig.connect(b).unwrap();
    rig.grow_old();
    rig.connect(a).unwrap();
    // Two waits for a busy page, whose residence is longer than one pause; the third is the last
    // connect's, for the same queue.
    rig.set_busy(0, true);
    rig.platform.clock.fetch_sub(1_500, Ordering::Relaxed);
    rig.connect(b).unwrap();
    for _ in 0..2 {
        rig.manager.count_notify(Passive::entered(), b);
    }
    for notify in [true, false] {
        rig.manager
            .set_notify(Passive::entered(), &rig.platform, b, notify)
            .unwrap();
        assert_eq!(link(&rig, b).notify, notify);
    }
    rig.platform
        .on_disconnect(|_, _| DisconnectOutcome::AlreadyGone);
    rig.set_busy(1, false);
    for handle in [a, b] {
        rig.connect(handle).unwrap();
    }
    let expected = ManagerCounters {
        connects: 9,
        repeated_connects: 2,
        free_pages_taken: 3,
        victimizations: 4,
        lingering_reclaimed: 1,
        callbacks_already_gone: 2,
        waits: 3,
        taken_back: 0,
        changed: 2,
        disconnects: 3,
        notify_connects: 1,
        notifies: 2,
    };
    assert_eq!(rig.manager.counters(), expected);
}

#[test]
fn a_residence_is_over_when_it_has_lasted() {
    let rig = rig(1);
    let (a, b) = (rig.create(0), rig.create(1));
    rig.connect(a).unwrap();
    rig.set_busy(0, true);
    rig.platform.clock.fetch_add(RESIDENCE, Ordering::Relaxed);
    rig.connect(b).unwrap();
    assert_eq!(rig.platform.pauses.load(Ordering::Relaxed), 0);
}

#[test]
fn a_repeated_connect_answers_notify_as_the_first_did() {
    let rig = rig_of(DoorbellModel::Global, 2);
    let (own, late) = (rig.create_in(0, 1), rig.create_in(1, 2));
    for _ in 0..2 {
        assert!(!link(&rig, own).notify);
        assert!(link(&rig, late).notify, "the common page");
    }
    rig.manager
        .set_notify(Passive::entered(), &rig.platform, own, true)
        .unwrap();
    for _ in 0..2 {
        assert!(link(&rig, own).notify, "its own wish");
    }
    let counters = rig.manager.counters();
    assert_eq!((counters.connects, counters.repeated_connects), (3, 3));
    assert_eq!(counters.notify_connects, 2);
}

#[test]
fn a_doorbell_that_never_connected_takes_no_page_along() {
    let rig = rig_of(DoorbellModel::Global, 2);
    let (used, unused) = (rig.create_in(0, 1), rig.create_in(1, 1));
    rig.connect(used).unwrap();
    rig.destroy(unused);
    assert_eq!(rig.bindings(2), [Some(0), None]);
    rig.destroy(used);
    assert_eq!(rig.bindings(2), [None, None]);
}

#[test]
fn with_all_disconnected_nothing_connects_until_it_is_opened_again() {
    for model in [DoorbellModel::Dedicated, DoorbellModel::Global] {
        let rig = rig_of(model, 3);
        let bells = [rig.create(0), rig.create(1)];
        for bell in bells {
            rig.connect(bell).unwrap();
        }
        rig.manager.disconnect_all(Passive::entered());
        assert_eq!(rig.connect(bells[0]), Err(Error::DeviceGone));
        assert_eq!(rig.state(bells[0]), State::Disconnected);
        rig.manager.reopen(Passive::entered());
        let more = [bells[0], bells[1]];
        let pages: Vec<_> = more
            .iter()
            .map(|bell| rig.connect(*bell).unwrap())
            .collect();
        assert_ne!(pages[0], pages[1], "every page was free again");
        assert_eq!(rig.manager.counters().victimizations, 0);
    }
}
