//! F-states of the engines, and requests for F1.

use carillon_hw::queue::{QueueActivity, QueueState};
use std::sync::mpsc::channel;

use super::*;
use crate::adapter::fstate::device_ticks;
use crate::platform::Ticks;
use crate::power::{FState, Notice};
use crate::surface::tests::{every_state, facts};
use crate::surface::{FeatureState, Node, Surface};
use crate::testing::TIMESTAMP_FREQUENCY;

const ON: FeatureState = FeatureState {
    hwsch: true,
    native_fence: true,
    user_mode_submission: true,
};
/// 100 milliseconds of the fake device's clock.
const QUIET: u64 = TIMESTAMP_FREQUENCY / 10;

fn surface() -> Surface {
    Surface::new(&facts(), ON)
}

/// An adapter whose runtime power management runs.
fn managed() -> Adapter<Fake> {
    let adapter = start();
    adapter.power_notice(DISPATCH, &surface(), Notice::PrepareToStart);
    adapter.power_notice(DISPATCH, &surface(), Notice::Started);
    adapter
}

fn gate(adapter: &Adapter<Fake>) -> u32 {
    adapter.platform.read32(offset::ENGINE_GATE)
}

fn quiet_register(adapter: &Adapter<Fake>) -> u64 {
    adapter.platform.read64(offset::ENGINE_QUIET)
}

/// Posts events from where the ring stands and lets the DPC take them.
fn happen(adapter: &Adapter<Fake>, events: &[Event]) {
    let next = adapter.platform.read32(offset::EVENT_READ);
    post(adapter, next, events);
    adapter.dpc(DISPATCH);
}

fn quiet(engine: u32) -> Event {
    Event::EngineQuiet { engine }
}

fn idle(engine: u32) -> Event {
    Event::EngineIdle { engine }
}

fn request(node: u32) -> Notification {
    Notification::TransitionToF1 { node }
}

/// Whether F1 is asked for an engine that becomes quiet now.
fn is_asked(adapter: &Adapter<Fake>, engine: u32) -> bool {
    happen(adapter, &[idle(engine), quiet(engine)]);
    let told = notifications(adapter);
    assert!(told.is_empty() || told == [request(engine)], "{told:?}");
    !told.is_empty()
}

/// contract: PWF-006, PWF-009
/// regression: LOCK-01
#[test]
fn each_component_has_its_own_bit_of_the_gate() {
    let adapter = managed();
    let steps = [
        (Node::Compute, FState::F1, 0b10),
        (Node::Graphics, FState::F1, 0b11),
        (Node::Graphics, FState::F1, 0b11),
        (Node::Compute, FState::F0, 0b01),
        (Node::Graphics, FState::F0, 0b00),
        (Node::Graphics, FState::F0, 0b00),
    ];
    for (node, state, expected) in steps {
        adapter.set_f_state(DISPATCH, node, state);
        assert_eq!(gate(&adapter), expected, "{node:?} {state:?}");
    }
    assert!(adapter.platform.take_deeds().is_empty());
    assert!(notifications(&adapter).is_empty());
}

/// contract: PWF-006
/// regression: LOCK-01
#[test]
fn components_set_at_the_same_time_do_not_undo_each_other() {
    let adapter = managed();
    for round in 0..200 {
        let state = FState::ALL[round % 2];
        std::thread::scope(|scope| {
            for node in [Node::Graphics, Node::Compute] {
                let adapter = &adapter;
                scope.spawn(move || adapter.set_f_state(DISPATCH, node, state));
            }
        });
        let expected = if state == FState::F1 { 0b11 } else { 0 };
        assert_eq!(gate(&adapter), expected, "round {round}");
    }
}

/// contract: PWF-002, PWF-005, PWF-019
#[test]
fn a_quiet_engine_is_asked_down_once_in_each_idle_period() {
    let adapter = managed();
    happen(&adapter, &[quiet(1), quiet(0), quiet(1), quiet(0)]);
    assert_eq!(notifications(&adapter), [request(1), request(0)]);
    happen(&adapter, &[idle(0), quiet(1), quiet(0), idle(0)]);
    assert_eq!(notifications(&adapter), [request(0)]);
    // Down and up again, whether or not the device reports that the engine worked in between.
    adapter.set_f_state(DISPATCH, Node::Compute, FState::F1);
    adapter.set_f_state(DISPATCH, Node::Compute, FState::F0);
    happen(&adapter, &[quiet(1)]);
    assert_eq!(notifications(&adapter), [request(1)]);
    // The report of the end of a period may be among events that were lost.
    adapter.overflowed.store(true, Ordering::Release);
    adapter.dpc(DISPATCH);
    notifications(&adapter);
    happen(&adapter, &[quiet(1)]);
    assert_eq!(notifications(&adapter), [request(1)]);
}

/// contract: PWF-019, PWFR-001
#[test]
fn nothing_is_asked_for_an_engine_in_f1_or_stopped_or_at_work() {
    let adapter = managed();
    let o = objects(&adapter);
    let id = queue_id(o.queue);
    adapter.set_f_state(DISPATCH, Node::Graphics, FState::F1);
    assert!(!is_asked(&adapter, 0), "in F1");
    assert!(is_asked(&adapter, 1), "the other one is not");
    adapter.set_f_state(DISPATCH, Node::Graphics, FState::F0);
    assert!(is_asked(&adapter, 0));

    adapter.reset_engine(PASSIVE, 0).unwrap();
    assert!(!is_asked(&adapter, 0), "stopped");
    adapter.resume_engine(PASSIVE, 0).unwrap();
    assert!(is_asked(&adapter, 0));

    for busy in [id, QueueId(0)] {
        let set = |activity| {
            adapter.platform.set_queue(busy, |half| {
                half.state = QueueState::RUNNABLE;
                half.activity = activity;
            });
        };
        set(QueueActivity::BUSY);
        assert!(!is_asked(&adapter, 0), "{busy:?} has work");
        assert!(is_asked(&adapter, 1), "of another engine");
        set(QueueActivity::IDLE);
        assert!(is_asked(&adapter, 0));
    }
    for state in [QueueState::SUSPENDED, QueueState::FAULTED] {
        adapter.platform.set_queue(id, |half| {
            half.state = state;
            half.activity = QueueActivity::BUSY;
        });
        assert!(is_asked(&adapter, 0), "what is left in {state:?} waits");
    }
}

/// contract: PWF-019
#[test]
fn only_engines_that_are_components_are_asked_down() {
    let adapter = managed();
    for engine in [2, NODES, 31, 32, u32::MAX] {
        assert!(!is_asked(&adapter, engine), "{engine}");
    }
    for features in every_state() {
        let surface = Surface::new(&facts(), features);
        let adapter = start();
        adapter.power_notice(DISPATCH, &surface, Notice::Started);
        for engine in 0..NODES {
            let component = engine < surface.components();
            assert_eq!(is_asked(&adapter, engine), component, "{features:?}");
        }
        let expected = if surface.manages_power() { QUIET } else { 0 };
        assert_eq!(quiet_register(&adapter), expected, "{features:?}");
    }
}

/// contract: PWF-017
#[test]
fn nobody_is_asked_before_the_start_or_after_the_stop_of_power_management() {
    let adapter = start();
    assert!(!is_asked(&adapter, 0));
    adapter.power_notice(DISPATCH, &surface(), Notice::PrepareToStart);
    assert!(!is_asked(&adapter, 0));
    assert_eq!(quiet_register(&adapter), 0);
    adapter.power_notice(DISPATCH, &surface(), Notice::Started);
    assert_eq!(quiet_register(&adapter), QUIET);
    assert!(is_asked(&adapter, 0));
    adapter.power_notice(DISPATCH, &surface(), Notice::Stopped);
    assert_eq!(quiet_register(&adapter), 0);
    assert!(!is_asked(&adapter, 0));
    adapter.power_notice(DISPATCH, &surface(), Notice::Started);
    assert!(is_asked(&adapter, 0));
}

/// contract: PWF-017
#[test]
fn the_stop_waits_for_a_request_under_way() {
    let adapter = managed();
    let (entered, arrived) = channel();
    let (release, released) = channel::<()>();
    let released = std::sync::Mutex::new(released);
    adapter.platform.on_notify(move || {
        entered.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
    });
    post(&adapter, 0, &[quiet(0)]);
    std::thread::scope(|scope| {
        scope.spawn(|| adapter.dpc(DISPATCH));
        arrived.recv().unwrap();
        let stopping = scope.spawn(|| adapter.power_notice(DISPATCH, &surface(), Notice::Stopped));
        // Time to return too early.
        let mut early = false;
        for _ in 0..100 {
            std::thread::sleep(std::time::Duration::from_millis(1));
            early |= stopping.is_finished();
        }
        // Released before anything is judged: a failure shall not leave the others waiting.
        release.send(()).unwrap();
        assert!(!early, "the request is not over");
    });
    assert_eq!(quiet_register(&adapter), 0);
    assert_eq!(notifications(&adapter), [request(0)]);
}

/// contract: PWF-002
#[test]
fn a_request_that_was_refused_is_repeated_unless_it_is_moot() {
    for moot in [false, true] {
        let adapter = managed();
        adapter
            .platform
            .refuse_notify
            .store(true, Ordering::Relaxed);
        happen(&adapter, &[quiet(1)]);
        assert!(adapter.platform.dpcs.load(Ordering::Relaxed) > 0);
        assert_eq!(adapter.platform.read32(offset::EVENT_READ), 0);
        if moot {
            adapter.set_f_state(DISPATCH, Node::Compute, FState::F1);
        }
        adapter
            .platform
            .refuse_notify
            .store(false, Ordering::Relaxed);
        adapter.dpc(DISPATCH);
        let expected = if moot {
            Vec::new()
        } else {
            Vec::from([request(1)])
        };
        assert_eq!(notifications(&adapter), expected);
        assert_eq!(adapter.platform.read32(offset::EVENT_READ), 1);
    }
}

/// contract: PWF-009, PWF-018, PWD-006, PWDR-003
#[test]
fn what_is_set_while_the_hardware_is_away_holds_when_it_is_back() {
    for power in [true, false] {
        let adapter = managed();
        adapter.set_f_state(DISPATCH, Node::Compute, FState::F1);
        if power {
            adapter.sleep(PASSIVE);
        } else {
            adapter.reset_all(PASSIVE).unwrap();
        }
        assert_eq!(gate(&adapter), 0, "the reset took it");
        adapter.platform.dark.store(true, Ordering::Relaxed);
        adapter.set_f_state(DISPATCH, Node::Graphics, FState::F1);
        adapter.power_notice(DISPATCH, &surface(), Notice::Stopped);
        adapter.power_notice(DISPATCH, &surface(), Notice::Started);
        adapter.dpc(DISPATCH);
        adapter.platform.dark.store(false, Ordering::Relaxed);
        assert_eq!(adapter.platform.dark_accesses.load(Ordering::Relaxed), 0);
        if power {
            adapter.wake(PASSIVE);
        } else {
            adapter.restart(PASSIVE).unwrap();
        }
        assert_eq!(gate(&adapter), 0b11);
        assert_eq!(quiet_register(&adapter), QUIET);
        adapter.set_f_state(DISPATCH, Node::Graphics, FState::F0);
        adapter.dpc(DISPATCH);
        notifications(&adapter);
        assert!(is_asked(&adapter, 0));
        assert!(!is_asked(&adapter, 1), "still in F1");
    }
}

#[test]
fn an_engine_that_was_asked_down_before_a_sleep_is_asked_again_after_it() {
    let adapter = managed();
    happen(&adapter, &[quiet(0)]);
    assert_eq!(notifications(&adapter), [request(0)]);
    adapter.sleep(PASSIVE);
    adapter.wake(PASSIVE);
    post(&adapter, 0, &[quiet(0)]);
    adapter.dpc(DISPATCH);
    assert!(notifications(&adapter).contains(&request(0)));
}

#[test]
fn nobody_touches_hardware_that_is_stopped_or_gone() {
    for removed in [true, false] {
        let adapter = managed();
        if removed {
            adapter.surprise_removed(PASSIVE);
        } else {
            adapter.stop(PASSIVE);
        }
        adapter.platform.dark.store(true, Ordering::Relaxed);
        for state in FState::ALL {
            adapter.set_f_state(DISPATCH, Node::Graphics, state);
        }
        for notice in [Notice::PrepareToStart, Notice::Started, Notice::Stopped] {
            adapter.power_notice(DISPATCH, &surface(), notice);
        }
        adapter.dpc(DISPATCH);
        assert_eq!(adapter.platform.dark_accesses.load(Ordering::Relaxed), 0);
    }
}

/// contract: DBN-018, PWFR-002
/// regression: DB-22
#[test]
fn doorbells_live_on_while_their_engine_is_in_f1() {
    let adapter = managed();
    let bells = [0; 3].map(|_| {
        let o = objects(&adapter);
        let bell = doorbell(&o, private_data().as_bytes());
        let bell = adapter.create_doorbell(PASSIVE, &bell).unwrap().handle;
        (bell, queue_id(o.queue).0)
    });
    for (bell, _) in &bells[..2] {
        adapter
            .connect_doorbell(PASSIVE, *bell, Locations::Primary)
            .unwrap();
    }
    adapter.set_f_state(DISPATCH, Node::Graphics, FState::F1);
    adapter.platform.take_deeds();
    // Two pages: the third connect has a victim, which is watched like any other.
    adapter
        .connect_doorbell(PASSIVE, bells[2].0, Locations::Primary)
        .unwrap();
    let deeds = adapter.platform.take_deeds();
    assert!(deeds.iter().any(|deed| matches!(deed, Deed::Callback(_))));
    let watched = |deeds: &[Deed], queues: &[u32]| {
        let watch = |queue| Deed::Queue(QueueOperation::Watch, queue, 0);
        let look = |queue| Deed::Queue(QueueOperation::Look, queue, 0);
        queues
            .iter()
            .any(|q| deeds.contains(&watch(*q)) || deeds.contains(&look(*q)))
    };
    assert!(watched(&deeds, &[bells[0].1, bells[1].1]), "{deeds:?}");
    adapter.disconnect_doorbell(PASSIVE, bells[2].0);
    let deeds = adapter.platform.take_deeds();
    assert!(watched(&deeds, &[bells[2].1]), "{deeds:?}");
    for (bell, _) in bells {
        adapter.destroy_doorbell(PASSIVE, bell);
    }
    assert_eq!(gate(&adapter), 1);
    assert!(notifications(&adapter).is_empty());
}

#[test]
fn an_engine_reset_leaves_the_f_state_alone() {
    let adapter = managed();
    adapter.set_f_state(DISPATCH, Node::Graphics, FState::F1);
    adapter.reset_engine(PASSIVE, 0).unwrap();
    assert_eq!(gate(&adapter), 1);
    adapter.set_f_state(DISPATCH, Node::Graphics, FState::F0);
    assert_eq!(gate(&adapter), 0);
    adapter.resume_engine(PASSIVE, 0).unwrap();
    adapter.reset_node(PASSIVE, 0).unwrap();
    assert_eq!(gate(&adapter), 0);
}

#[test]
fn the_quiet_time_is_a_setting_in_ticks_of_the_devices_clock() {
    let second = 10_000_000;
    let cases = [
        (0, TIMESTAMP_FREQUENCY, 0),
        (1, TIMESTAMP_FREQUENCY, 100),
        (1, 1, 1),
        (1, 0, 0),
        (second - 1, 1, 1),
        (second, 1, 1),
        (second + 1, 1, 2),
        (second, u64::MAX, u64::MAX),
        (u64::MAX, 2 * second, u64::MAX),
        (u64::MAX, second, u64::MAX),
        (u64::MAX, u64::MAX, u64::MAX),
    ];
    for (time, frequency, expected) in cases {
        let ticks = device_ticks(Ticks(time), frequency);
        assert_eq!(ticks, expected, "{time} at {frequency}");
    }
    for (engine_quiet, expected) in [(0, 0), (second, TIMESTAMP_FREQUENCY)] {
        let settings = Settings {
            engine_quiet: Ticks(engine_quiet),
            ..Settings::default()
        };
        let ordinal = AdapterOrdinal::new(0).unwrap();
        let fake = Fake::new(2, VRAM);
        let adapter = Adapter::start(PASSIVE, ordinal, fake, &settings).unwrap();
        adapter.power_notice(DISPATCH, &surface(), Notice::Started);
        assert_eq!(quiet_register(&adapter), expected);
    }
}
