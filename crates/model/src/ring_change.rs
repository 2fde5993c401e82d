//! A queue's ring is replaced with work in flight (`ResizeRingBufferOperation`, section 6.5 of
//! `docs/hardware.md`): a machine of its own, since doorbell pages have no part in it.
//!
//! Two client threads submit to one queue under the client's lock; one of them replaces the ring.
//! The driver sends `ChangeRing` with the connect of the new doorbell and `TakeRing` with the
//! destruction of the old one, after which the old ring's memory is gone. The device looks,
//! fetches, runs, reports and goes over as separate steps.

use std::fmt;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model, Property};

/// A rule of the change. Each can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RingRule {
    /// The device goes over only when everything in the old ring has been taken and finished.
    DrainFirst,
    /// The device looks at the new ring as it goes over.
    LookAtNewRing,
    /// While a change is pending the device looks after each entry that it finished.
    LookAfterEntry,
    /// A thread finds out which ring is current and publishes to it under one hold of the lock.
    PublishUnderLock,
    /// The client destroys the old doorbell only when the old ring's read pointer has caught up.
    WaitForOldRing,
    /// Destroying the old doorbell makes the device let go of the old ring.
    TakeAtDestroy,
}

/// The names of the properties.
pub mod ring_property {
    /// When nothing more happens, everything published has been run.
    pub const NOTHING_LOST: &str = "no submission is lost";
    /// Nothing runs twice, and nothing that was not published.
    pub const RUN_ONCE: &str = "nothing runs twice or unpublished";
    /// The device reads no ring whose memory is gone.
    pub const NOT_FREED: &str = "no freed ring is read";
}

const THREADS: usize = 2;
/// Submissions of each thread.
const EACH: u8 = 2;
/// Most entries of a ring.
const ENTRIES: usize = THREADS * EACH as usize;

/// A machine to check.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingChange {
    /// The rule left out.
    pub without: Option<RingRule>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Which {
    Old,
    New,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Ring {
    published: u8,
    /// The read pointer in the control block.
    reported: u8,
    freed: bool,
    ran: [u8; ENTRIES],
}

/// Where a client thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Pc {
    Idle,
    /// Has chosen a ring and will publish there.
    Chosen(Which),
    /// Has published and will ring.
    Published,
    /// Holds the lock and will connect the new doorbell.
    Connect,
    /// The new doorbell is connected; waits for the old ring.
    Drain,
    /// Will destroy the old doorbell.
    Destroy,
    /// Will free the old ring's memory.
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Thread {
    pc: Pc,
    left: u8,
}

/// One moment of the machine.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a bit of another part"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RingState {
    old: Ring,
    new: Ring,
    threads: [Thread; THREADS],
    lock: Option<usize>,
    current: Which,
    resized: bool,
    /// The doorbell has been rung and the device has not looked.
    rung: bool,
    reading: Which,
    read: u8,
    seen: u8,
    pending: bool,
    running: Option<(Which, u8)>,
    /// An entry was finished and its ring's read pointer reported.
    finished: bool,
    broken: Option<&'static str>,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingAction {
    /// A thread begins a submission.
    Submit(usize),
    /// The first thread begins to replace the ring.
    Replace,
    /// A thread goes on.
    Thread(usize),
    /// The device takes the ring of the doorbell and looks.
    Look,
    /// The device fetches an entry and begins to run it.
    Fetch,
    /// The device finishes the entry and reports the read pointer.
    Finish,
    /// The device is done with the entry.
    After,
}

impl fmt::Display for RingAction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submit(t) => write!(out, "thread {t} chooses the current ring"),
            Self::Replace => write!(out, "thread 0 creates a doorbell with a new ring"),
            Self::Thread(t) => write!(out, "thread {t} goes on"),
            Self::Look => write!(out, "the device takes the doorbell's ring and looks"),
            Self::Fetch => write!(out, "the device fetches an entry"),
            Self::Finish => write!(out, "the device reports the entry's read pointer"),
            Self::After => write!(out, "the device is done with the entry"),
        }
    }
}

impl RingState {
    fn ring(&mut self, which: Which) -> &mut Ring {
        match which {
            Which::Old => &mut self.old,
            Which::New => &mut self.new,
        }
    }

    /// Reads a ring's write pointer.
    fn touch(&mut self, which: Which) -> u8 {
        let ring = *self.ring(which);
        if ring.freed {
            self.broken = Some(ring_property::NOT_FREED);
        }
        ring.published
    }

    /// Steps that happen by themselves, sooner or later.
    fn progress(&self, out: &mut Vec<RingAction>) {
        for (t, thread) in self.threads.iter().enumerate() {
            // Nothing makes a client tidy up soon, or ever.
            if !matches!(thread.pc, Pc::Idle | Pc::Drain) {
                out.push(RingAction::Thread(t));
            }
        }
        if self.rung {
            out.push(RingAction::Look);
        }
        if self.finished {
            out.push(RingAction::After);
        } else if self.running.is_some() {
            out.push(RingAction::Finish);
        } else if self.read < self.seen {
            out.push(RingAction::Fetch);
        }
    }

    /// Whether nothing more happens although something published has not been run.
    fn is_lost(&self) -> bool {
        let mut steps = Vec::new();
        self.progress(&mut steps);
        let unrun = |ring: &Ring| {
            let published = usize::from(ring.published);
            ring.ran[..published].contains(&0)
        };
        steps.is_empty() && (unrun(&self.old) || unrun(&self.new))
    }
}

impl RingChange {
    fn keeps(self, rule: RingRule) -> bool {
        self.without != Some(rule)
    }

    fn may_lock(self, state: &RingState) -> bool {
        state.lock.is_none() || !self.keeps(RingRule::PublishUnderLock)
    }

    fn look(self, state: &mut RingState) {
        let write = state.touch(state.reading);
        state.seen = write;
        let drained = state.read == write && state.running.is_none();
        if state.pending && drained {
            self.go_over(state);
        }
    }

    fn go_over(self, state: &mut RingState) {
        state.pending = false;
        state.reading = Which::New;
        state.read = 0;
        state.seen = if self.keeps(RingRule::LookAtNewRing) {
            state.touch(Which::New)
        } else {
            0
        };
    }

    fn thread(self, state: &mut RingState, t: usize) {
        let next = match state.threads[t].pc {
            Pc::Idle => Pc::Idle,
            Pc::Chosen(which) => {
                state.ring(which).published += 1;
                if state.lock == Some(t) {
                    state.lock = None;
                }
                Pc::Published
            }
            Pc::Published => {
                state.rung = true;
                Pc::Idle
            }
            Pc::Connect => {
                state.pending = true;
                if self.keeps(RingRule::DrainFirst) {
                    self.look(state);
                } else {
                    state.running = None;
                    self.go_over(state);
                }
                state.current = Which::New;
                state.lock = None;
                Pc::Drain
            }
            Pc::Drain => Pc::Destroy,
            Pc::Destroy => {
                if state.pending && self.keeps(RingRule::TakeAtDestroy) {
                    state.running = None;
                    state.finished = false;
                    self.go_over(state);
                }
                Pc::Free
            }
            Pc::Free => {
                state.old.freed = true;
                Pc::Idle
            }
        };
        state.threads[t].pc = next;
    }

    fn finish(state: &mut RingState) {
        let Some((which, entry)) = state.running.take() else {
            return;
        };
        let ring = state.ring(which);
        let unpublished = entry >= ring.published;
        ring.reported = entry + 1;
        let ran = &mut ring.ran[usize::from(entry)];
        *ran += 1;
        if unpublished || *ran > 1 {
            state.broken = Some(ring_property::RUN_ONCE);
        }
        state.read = entry + 1;
        state.finished = true;
    }
}

impl Model for RingChange {
    type State = RingState;
    type Action = RingAction;

    fn init_states(&self) -> Vec<RingState> {
        let thread = Thread {
            pc: Pc::Idle,
            left: EACH,
        };
        vec![RingState {
            old: Ring::default(),
            new: Ring::default(),
            threads: [thread; THREADS],
            lock: None,
            current: Which::Old,
            resized: false,
            rung: false,
            reading: Which::Old,
            read: 0,
            seen: 0,
            pending: false,
            running: None,
            finished: false,
            broken: None,
        }]
    }

    fn actions(&self, state: &RingState, out: &mut Vec<RingAction>) {
        state.progress(out);
        for (t, thread) in state.threads.iter().enumerate() {
            if thread.pc == Pc::Idle && thread.left > 0 && self.may_lock(state) {
                out.push(RingAction::Submit(t));
            }
            let caught_up = state.old.reported == state.old.published;
            if thread.pc == Pc::Drain && (caught_up || !self.keeps(RingRule::WaitForOldRing)) {
                out.push(RingAction::Thread(t));
            }
        }
        if !state.resized && state.threads[0].pc == Pc::Idle && self.may_lock(state) {
            out.push(RingAction::Replace);
        }
    }

    fn next_state(&self, last: &RingState, action: RingAction) -> Option<RingState> {
        let mut state = *last;
        match action {
            RingAction::Submit(t) => {
                state.threads[t] = Thread {
                    pc: Pc::Chosen(state.current),
                    left: state.threads[t].left - 1,
                };
                if self.keeps(RingRule::PublishUnderLock) {
                    state.lock = Some(t);
                }
            }
            RingAction::Replace => {
                state.resized = true;
                state.threads[0].pc = Pc::Connect;
                if self.keeps(RingRule::PublishUnderLock) {
                    state.lock = Some(0);
                }
            }
            RingAction::Thread(t) => self.thread(&mut state, t),
            RingAction::Look => {
                state.rung = false;
                self.look(&mut state);
            }
            RingAction::Fetch => {
                state.touch(state.reading);
                state.running = Some((state.reading, state.read));
            }
            RingAction::Finish => Self::finish(&mut state),
            RingAction::After => {
                state.finished = false;
                if state.pending && self.keeps(RingRule::LookAfterEntry) {
                    self.look(&mut state);
                }
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ring_property::NOTHING_LOST, |_, state: &RingState| {
                !state.is_lost()
            }),
            Property::always(ring_property::RUN_ONCE, |_, state: &RingState| {
                state.broken != Some(ring_property::RUN_ONCE)
            }),
            Property::always(ring_property::NOT_FREED, |_, state: &RingState| {
                state.broken != Some(ring_property::NOT_FREED)
            }),
        ]
    }
}

/// What a run found.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RingOutcome {
    /// The rule left out.
    pub without: Option<RingRule>,
    /// The property that has to break; none if all have to hold.
    pub expected: Option<&'static str>,
    /// Properties with a counterexample.
    pub broken: Vec<&'static str>,
    /// Steps of the counterexample to the expected property.
    pub steps: Option<usize>,
    /// Different states visited.
    pub states: usize,
    /// How long it took.
    pub seconds: f64,
    /// The steps themselves.
    #[serde(skip)]
    pub trace: Vec<RingAction>,
}

impl RingOutcome {
    /// Whether everything held, or what had to break did.
    pub fn as_expected(&self) -> bool {
        self.expected
            .map_or(self.broken.is_empty(), |name| self.broken.contains(&name))
    }
}

/// What breaks without each rule.
pub const RING_REMOVALS: [(RingRule, &str); 6] = [
    (RingRule::DrainFirst, ring_property::NOTHING_LOST),
    (RingRule::LookAtNewRing, ring_property::NOTHING_LOST),
    (RingRule::LookAfterEntry, ring_property::NOTHING_LOST),
    (RingRule::PublishUnderLock, ring_property::NOTHING_LOST),
    (RingRule::WaitForOldRing, ring_property::NOTHING_LOST),
    (RingRule::TakeAtDestroy, ring_property::NOT_FREED),
];

/// Checks the machine with all rules, or without one that shall break `expected`.
pub fn check_ring(without: Option<RingRule>, expected: Option<&'static str>) -> RingOutcome {
    let start = Instant::now();
    let builder = RingChange { without }.checker().threads(1);
    let builder = match expected {
        Some(name) => builder.finish_when(HasDiscoveries::AllOf([name].into())),
        None => builder.finish_when(HasDiscoveries::AnyFailures),
    };
    let checker = builder.spawn_bfs().join();
    let time: Duration = start.elapsed();
    let found = checker.discoveries();
    let trace: Vec<RingAction> = expected
        .and_then(|name| found.get(name).cloned())
        .map(stateright::Path::into_actions)
        .unwrap_or_default();
    let mut broken: Vec<_> = found.into_keys().collect();
    broken.sort_unstable();
    RingOutcome {
        without,
        expected,
        steps: expected
            .filter(|name| broken.contains(name))
            .map(|_| trace.len()),
        broken,
        states: checker.unique_state_count(),
        seconds: time.as_secs_f64(),
        trace,
    }
}
