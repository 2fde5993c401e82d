//! Engine clocks, and engines that are quiet.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use carillon_hw::addr::GpuVa;
use carillon_hw::event::Event;
use carillon_hw::packet::Packet;
use carillon_hw::queue::{ContextId, QueueId, QueueShape, QueueState};
use carillon_hw::regs::{Control, DoorbellControl, EngineSet, QueueOperation, offset};
use carillon_vgpu::{Config, Fault, FetchAction, Rule};
use common::{Client, Random, Rig, wait_for};

const NOP: Packet = Packet::Nop { dwords: 1 };
const MILLISECOND: u64 = 1_000_000;
/// The engine of the rig's queues.
const ENGINE: u32 = 1;

fn set_gate(rig: &Rig, engines: EngineSet) {
    rig.write32(offset::ENGINE_GATE, engines.into_bits());
}

fn clocks(rig: &Rig) -> EngineSet {
    EngineSet::from_bits(rig.read32(offset::ENGINE_CLOCK))
}

fn only(engine: u32) -> EngineSet {
    EngineSet::NONE.with(engine)
}

#[track_caller]
fn wait_stopped(rig: &Rig, engine: u32) {
    wait_for("a stopped clock", || !clocks(rig).contains(engine));
}

/// Every event that is there by now.
fn events(rig: &Rig) -> Vec<Event> {
    std::iter::from_fn(|| rig.take_event()).collect()
}

fn sleep(nanoseconds: u64) {
    std::thread::sleep(Duration::from_nanos(nanoseconds));
}

/// An entry that holds the engine until the fence is 1.
fn hold<'a>(rig: &'a Rig, client: &Client<'_>) -> impl Fn() + use<'a> {
    let fence = rig.buffer(ContextId(0), 1);
    let before = rig.gpu.stats().entries_fetched;
    client.submit(&[Packet::FenceWait {
        current: GpuVa(fence),
        value: 1,
        handle: 0,
    }]);
    wait_for("the fetch", || {
        rig.gpu.stats().entries_fetched == before + 1
    });
    move || rig.gpu.vram_memory().store_u64(fence, 1).unwrap()
}

#[test]
fn registers_have_bits_for_engines_that_exist() {
    for engines in [1, 3, 16] {
        let rig = Rig::cold(Config {
            engines,
            ..Rig::small()
        });
        let all = (0..u32::from(engines)).fold(EngineSet::NONE, EngineSet::with);
        let power_on = |rig: &Rig| {
            assert_eq!(rig.read32(offset::ENGINE_GATE), 0);
            assert_eq!(clocks(rig), all);
            assert_eq!(rig.read64(offset::ENGINE_QUIET), 0);
        };
        power_on(&rig);
        rig.start();
        power_on(&rig);
        rig.write32(offset::ENGINE_CLOCK, 0);
        assert_eq!(clocks(&rig), all, "read-only");
        rig.write32(offset::ENGINE_GATE, u32::MAX);
        assert_eq!(rig.read32(offset::ENGINE_GATE), all.into_bits());
        for engine in 0..u32::from(engines) {
            wait_stopped(&rig, engine);
        }
        rig.write64(offset::ENGINE_QUIET, u64::MAX);
        assert_eq!(rig.read64(offset::ENGINE_QUIET), u64::MAX);
        rig.write32(offset::CONTROL, Control::new().with_reset(true).into());
        power_on(&rig);
        // Wrong widths.
        assert_eq!(
            rig.gpu.register_read(offset::ENGINE_QUIET, 4),
            u64::from(u32::MAX)
        );
        assert_eq!(
            rig.gpu.register_read(offset::ENGINE_QUIET + 4, 4),
            u64::from(u32::MAX)
        );
        assert_eq!(rig.gpu.register_read(offset::ENGINE_GATE, 8), u64::MAX);
    }
}

#[test]
fn a_clock_stops_only_when_its_engine_is_idle() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    let release = hold(&rig, &client);
    set_gate(&rig, EngineSet::from_bits(0b111));
    wait_stopped(&rig, 0);
    wait_stopped(&rig, 2);
    rig.settle_busy();
    assert_eq!(clocks(&rig), only(ENGINE), "an entry waits");
    release();
    client.wait_done();
    wait_stopped(&rig, ENGINE);
    assert_eq!(events(&rig), [Event::EngineIdle { engine: ENGINE }]);
    // What is given up unfinished does not keep the clock running either.
    let client = rig.active_queue(1, 0);
    let _never = hold(&rig, &client);
    assert!(clocks(&rig).contains(ENGINE));
    rig.command(QueueOperation::Deactivate, client.id);
    wait_stopped(&rig, ENGINE);
}

/// Brings work to a stopped engine in every way there is.
#[test]
fn work_starts_a_stopped_clock_runs_and_lets_it_stop_again() {
    type Find = fn(&Rig, &Client<'_>);
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    set_gate(&rig, only(ENGINE));
    let ways: [(&str, Find); 6] = [
        ("look", |_, client| {
            client.put(&[NOP]);
            client.look();
        }),
        ("binding", |rig, client| {
            client.put(&[NOP]);
            rig.bind(0, DoorbellControl::bound_to(client.id));
        }),
        ("ring", |rig, client| {
            client.put(&[NOP]);
            rig.ring(0, 0);
        }),
        ("resume", |rig, client| {
            rig.suspend(client.id, 0);
            client.put(&[NOP]);
            rig.command(QueueOperation::Resume, client.id);
        }),
        ("watch", |rig, client| {
            client.put(&[NOP]);
            rig.command(QueueOperation::Watch, client.id);
        }),
        ("watched", |_, client| client.put(&[NOP])),
    ];
    for round in 0..3 {
        for (way, find) in ways {
            wait_stopped(&rig, ENGINE);
            find(&rig, &client);
            client.wait_done();
            wait_stopped(&rig, ENGINE);
            let idle = Event::EngineIdle { engine: ENGINE };
            rig.expect_event(way, |event| event == idle);
            assert_eq!(
                rig.device_half(client.id).finished,
                client.write.get(),
                "{round} {way}"
            );
        }
        rig.bind(0, DoorbellControl::UNBOUND);
    }
    assert!(clocks(&rig).contains(0), "the bit of another engine");
}

#[test]
fn clearing_the_bit_looks_at_every_runnable_queue_of_the_engine() {
    let rig = Rig::new(Rig::small());
    let mine = [rig.active_queue(0, 0), rig.active_queue(1, 0)];
    let suspended = rig.active_queue(2, 0);
    rig.suspend(suspended.id, 0);
    let elsewhere = rig.queue_on(3, 0, QueueShape::new().with_engine(2));
    elsewhere.activate();
    set_gate(&rig, EngineSet::from_bits(0b110));
    wait_stopped(&rig, ENGINE);
    for client in mine.iter().chain([&suspended, &elsewhere]) {
        client.put(&[NOP]);
    }
    rig.settle();
    assert_eq!(rig.gpu.stats().entries_fetched, 0);
    let looks = rig.gpu.stats().looks;
    set_gate(&rig, only(2));
    assert!(clocks(&rig).contains(ENGINE));
    for client in &mine {
        client.wait_done();
    }
    rig.settle();
    assert_eq!(rig.gpu.stats().looks, looks + 2);
    assert_eq!(rig.gpu.stats().entries_fetched, 2);
    assert_eq!((suspended.read_pointer(), elsewhere.read_pointer()), (0, 0));
    assert_eq!(
        clocks(&rig),
        EngineSet::from_bits(0b011),
        "it goes on running"
    );
    // A bit that was clear already looks at nobody.
    set_gate(&rig, only(2));
    assert_eq!(rig.gpu.stats().looks, looks + 2);
}

#[test]
fn resets_and_hangs_do_not_mind_the_gate() {
    let rig = Rig::new(Rig::small());
    let (hung, other) = (rig.active_queue(0, 0), rig.active_queue(1, 0));
    set_gate(&rig, only(ENGINE));
    rig.gpu.inject(Fault::once(Rule::Fetch {
        queue: Some(hung.id),
        action: FetchAction::Hang,
    }));
    hung.submit(&[NOP]);
    wait_for("the fetch", || rig.gpu.stats().entries_fetched == 1);
    other.submit(&[NOP]);
    rig.settle_busy();
    assert!(clocks(&rig).contains(ENGINE), "something runs");
    rig.write32(offset::ENGINE_RESET, ENGINE);
    assert_eq!(rig.state(hung.id), QueueState::FAULTED);
    wait_stopped(&rig, ENGINE);
    other.put(&[NOP]);
    other.look();
    rig.settle();
    assert_eq!(other.read_pointer(), 0);
    rig.write32(offset::ENGINE_RESUME, ENGINE);
    other.wait_done();
    wait_stopped(&rig, ENGINE);
    // A reset of the device starts every clock.
    rig.start();
    assert_eq!(clocks(&rig), EngineSet::from_bits(0b111));
}

#[test]
fn no_engine_is_ever_quiet_by_default() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    client.submit(&[NOP]);
    client.wait_done();
    sleep(30 * MILLISECOND);
    assert_eq!(events(&rig), [Event::EngineIdle { engine: ENGINE }]);
    // Nor with a time that never comes.
    rig.write64(offset::ENGINE_QUIET, u64::MAX);
    sleep(10 * MILLISECOND);
    assert_eq!(events(&rig), []);
}

fn quiet(engine: u32) -> Event {
    Event::EngineQuiet { engine }
}

#[test]
fn quiet_is_reported_once_in_each_idle_period_and_no_sooner() {
    let rig = Rig::cold(Rig::small());
    let began = rig.gpu.now();
    rig.start();
    let time = 5 * MILLISECOND;
    rig.write64(offset::ENGINE_QUIET, time);
    // Engines that never ran have been idle since the device was enabled.
    for engine in 0..3 {
        rig.expect_event("a quiet engine", |event| event == quiet(engine));
        assert!(rig.gpu.now() >= began + time);
    }
    sleep(5 * time);
    assert_eq!(events(&rig), [], "once");
    let client = rig.active_queue(0, 0);
    set_gate(&rig, only(ENGINE));
    for gated in [false, true, true] {
        set_gate(&rig, if gated { only(ENGINE) } else { EngineSet::NONE });
        let began = rig.gpu.now();
        client.submit(&[NOP]);
        client.wait_done();
        rig.expect_event("quiet again", |event| event == quiet(ENGINE));
        assert!(rig.gpu.now() >= began + time);
        assert_eq!(rig.take_event(), Some(Event::EngineIdle { engine: ENGINE }));
        sleep(3 * time);
        assert_eq!(events(&rig), [], "no other engine, not again");
    }
}

#[test]
fn work_ends_an_idle_period() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    let release = hold(&rig, &client);
    rig.write64(offset::ENGINE_QUIET, MILLISECOND);
    for engine in [0, 2] {
        rig.expect_event("the others", |event| event == quiet(engine));
    }
    sleep(10 * MILLISECOND);
    assert_eq!(events(&rig), [], "an entry waits");
    release();
    rig.expect_event("quiet", |event| event == quiet(ENGINE));
    events(&rig);
    // From the last work on, whatever came before.
    let time = 20 * MILLISECOND;
    rig.write64(offset::ENGINE_QUIET, time);
    let mut began = 0;
    for pause in [1, 5, 9, 13, 3] {
        began = rig.gpu.now();
        client.submit(&[NOP]);
        client.wait_done();
        sleep(pause * MILLISECOND);
    }
    // A late test thread may find more than one; the last is that of the last work.
    wait_for("the last", || {
        let found = events(&rig);
        assert!(found.iter().all(|event| matches!(
            event,
            Event::EngineIdle { engine: ENGINE } | Event::EngineQuiet { engine: ENGINE }
        )));
        found.last() == Some(&quiet(ENGINE))
    });
    assert!(rig.gpu.now() >= began + time);
}

#[test]
fn a_new_time_counts_from_the_same_moment() {
    let rig = Rig::new(Rig::small());
    rig.write64(offset::ENGINE_QUIET, 3_600_000 * MILLISECOND);
    sleep(5 * MILLISECOND);
    assert_eq!(events(&rig), []);
    // Long past already.
    rig.write64(offset::ENGINE_QUIET, 1);
    for engine in 0..3 {
        rig.expect_event("a quiet engine", |event| event == quiet(engine));
    }
    // Switching it off and on again makes no new idle period.
    rig.write64(offset::ENGINE_QUIET, 0);
    rig.write64(offset::ENGINE_QUIET, 1);
    sleep(5 * MILLISECOND);
    assert_eq!(events(&rig), []);
}

#[test]
fn a_stopped_engine_is_not_idle_until_its_resume() {
    let rig = Rig::new(Rig::small());
    rig.write32(offset::ENGINE_RESET, ENGINE);
    rig.write64(offset::ENGINE_QUIET, MILLISECOND);
    for engine in [0, 2] {
        rig.expect_event("the others", |event| event == quiet(engine));
    }
    sleep(5 * MILLISECOND);
    assert_eq!(events(&rig), []);
    let began = rig.gpu.now();
    rig.write32(offset::ENGINE_RESUME, ENGINE);
    rig.expect_event("quiet", |event| event == quiet(ENGINE));
    assert!(rig.gpu.now() >= began + MILLISECOND);
}

#[test]
fn one_engine_is_quiet_while_another_works() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    let pages = 512;
    let zero = 0x1_0000_0000;
    for page in 0..pages {
        let entry = common::local(0).with_zero(true);
        rig.map(ContextId(0), GpuVa(zero + page * 4096), entry);
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let client = rig.client_of(0, 0);
            while !stop.load(Ordering::Relaxed) {
                client.submit(
                    &[Packet::Fill {
                        destination: GpuVa(zero),
                        bytes: pages * 4096,
                        pattern: 1,
                    }; 8],
                );
                client.wait_done();
            }
        });
        let _ends = Done(&stop);
        wait_for("work", || client.read_pointer() > 2);
        rig.write64(offset::ENGINE_QUIET, MILLISECOND);
        for engine in [0, 2] {
            rig.expect_event("the others", |event| event == quiet(engine));
        }
    });
}

/// Ends the other thread of a test, also when this one fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The gate changes once in a round, so that nothing but its own ring or look, or the look of one
/// change, can help an entry.
#[test]
fn nothing_is_lost_under_random_gating() {
    let seed = common::seed();
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    rig.bind(0, DoorbellControl::bound_to(client.id));
    rig.write64(offset::ENGINE_QUIET, 100);
    let (done, round) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Random(seed ^ 1);
            let mut changed = 0;
            while !done.load(Ordering::Relaxed) {
                if round.load(Ordering::Acquire) == changed {
                    std::hint::spin_loop();
                    continue;
                }
                changed += 1;
                for _ in 0..random.below(300) {
                    std::hint::spin_loop();
                }
                let bits = u32::try_from(random.below(8)).unwrap();
                set_gate(&rig, EngineSet::from_bits(bits));
            }
        });
        let _ends = Done(&done);
        let mut random = Random(seed);
        for _ in 0..4000 {
            if random.below(3) > 0 {
                round.fetch_add(1, Ordering::Release);
            }
            for _ in 0..=random.below(3) {
                client.put(&[NOP]);
            }
            match random.below(4) {
                0 => client.look(),
                1 => {
                    rig.suspend(client.id, 0);
                    rig.command(QueueOperation::Resume, client.id);
                }
                _ => rig.ring(0, 0),
            }
            client.wait_done();
            events(&rig);
        }
    });
    assert_eq!(rig.device_half(QueueId(0)).finished, client.write.get());
    assert_eq!(rig.gpu.stats().entries_fetched, client.write.get());
}
