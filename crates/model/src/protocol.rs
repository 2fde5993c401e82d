//! The state machine: which steps are possible, what each does, what must hold.

use stateright::{Model, Property};

use crate::config::{Callback, Config, PAGES, QUEUES, Rule, THREADS};
use crate::driver::{self, Choice};
use crate::state::{
    Actor, Bell, Budget, Fault, OsKind, OsStep, Owner, Page, PageId, Pc, Queue, QueueId, State,
    Status, Thread, ThreadId,
};
use crate::{client, gpu, os};

/// The names of the properties.
pub mod property {
    /// No page belongs to two queues, and driver, device and doorbells agree whose it is.
    pub const ONE_OWNER: &str = "a page has one owner";
    /// No live mapping leads to a page that another queue is bound to.
    pub const NOT_EXPOSED: &str = "no mapping leads to another queue's page";
    /// No store makes the device look at a queue other than the one it was meant for.
    pub const NO_FOREIGN_STORE: &str = "no store reaches another queue";
    /// Nothing runs twice, and nothing that was not published.
    pub const RUN_ONCE: &str = "nothing runs twice or unpublished";
    /// When nothing more happens, everything published has been run.
    pub const NOTHING_LOST: &str = "no submission is lost";
    /// When nothing more happens, nobody is waiting.
    pub const NO_DEADLOCK: &str = "no deadlock";
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The client thread takes its next step, in user mode or in the kernel.
    Step(ThreadId),
    /// The client thread is in `D3DKMTConnectDoorbell`, and the driver chooses.
    Connect(ThreadId, Choice),
    /// dxgkrnl begins something.
    Begin(OsKind, QueueId),
    /// dxgkrnl goes on with it.
    Os,
    /// A queue is taken off the run list.
    Suspend(QueueId),
    /// A queue is put back.
    Resume(QueueId),
    /// The adapter is gone.
    Lose,
    /// A doorbell is created in the slot of a destroyed one.
    Create(QueueId),
    /// The device finds the ring on a page.
    TakeRing(PageId),
    /// The device looks at a watched queue.
    LookAtWatched(QueueId),
}

impl Config {
    /// Steps that happen by themselves, sooner or later.
    fn progress(&self, state: &State, out: &mut Vec<Action>) {
        for t in self.threads() {
            self.thread_steps(state, t, out);
        }
        for p in state
            .pages
            .iter()
            .zip(0..)
            .filter(|(page, _)| page.ring.is_some())
        {
            out.push(Action::TakeRing(PageId(p.1)));
        }
        for q in self.queues() {
            if gpu::watch_would_find(state, q) {
                out.push(Action::LookAtWatched(q));
            }
            if state.queue(q).suspended {
                out.push(Action::Resume(q));
            }
        }
        if let Some(op) = state.os {
            let open = match op.step {
                OsStep::Ddi => state.lock_is_free(),
                OsStep::First => {
                    op.kind == OsKind::Destroy || state.os_lock_open(op.queue, Actor::Os)
                }
                OsStep::Second => true,
            };
            if open {
                out.push(Action::Os);
            }
        } else if state.lost {
            for q in self.queues() {
                let queue = state.queue(q);
                if queue.status != Status::Abort
                    && !matches!(queue.bell, Bell::Destroyed | Bell::Absent)
                    && self.may_begin(state, q)
                {
                    out.push(Action::Begin(OsKind::Abort, q));
                }
            }
        }
    }

    /// Steps that may happen or not.
    fn events(&self, state: &State, out: &mut Vec<Action>) {
        for t in self.threads() {
            let thread = state.thread(t);
            if thread.pc == Pc::Idle && thread.left > 0 && self.exists(state, self.queue_of(t)) {
                out.push(Action::Step(t));
            }
        }
        let budget = state.budget;
        for q in self.queues().filter(|q| self.exists(state, *q)) {
            let queue = state.queue(q);
            let kinds = [
                (OsKind::Disconnect, budget.disconnects),
                (OsKind::Abort, budget.aborts),
                (OsKind::Destroy, budget.destroys),
            ];
            let may_begin = state.os.is_none() && !queue.aborted && !queue.unmapped;
            for (kind, _) in kinds.into_iter().filter(|(_, left)| may_begin && *left > 0) {
                if self.may_destroy(kind, q) && self.may_begin(state, q) {
                    out.push(Action::Begin(kind, q));
                }
            }
            if budget.suspends > 0 && !queue.suspended && !queue.aborted && !state.lost {
                out.push(Action::Suspend(q));
            }
        }
        if budget.losses > 0 {
            out.push(Action::Lose);
        }
        if let Some((new, old)) = self.topology.successor
            && state.queue(new).bell == Bell::Absent
            && state.queue(old).bell == Bell::Destroyed
        {
            out.push(Action::Create(new));
        }
    }

    fn exists(&self, state: &State, q: QueueId) -> bool {
        usize::from(q.0) < self.topology.queues || state.queue(q).bell != Bell::Absent
    }

    fn may_destroy(&self, kind: OsKind, q: QueueId) -> bool {
        kind != OsKind::Destroy || self.topology.successor.is_none_or(|(_, old)| old == q)
    }

    /// Whether dxgkrnl's lock would let its own thread begin with `q`.
    fn may_begin(&self, state: &State, q: QueueId) -> bool {
        self.callback != Callback::Blocking || state.os_lock_open(q, Actor::Os)
    }

    fn thread_steps(&self, state: &State, t: ThreadId, out: &mut Vec<Action>) {
        let me = Actor::Thread(t);
        let q = self.queue_of(t);
        let ready = match state.thread(t).pc {
            Pc::Idle | Pc::Dead => false,
            Pc::Ring | Pc::ReadStatus | Pc::CallbackSecond(..) | Pc::MapSecond(_) => true,
            Pc::Connect | Pc::WaitPage => {
                self.connect_steps(state, t, out);
                false
            }
            Pc::Call(_, victim) => {
                os::callback_is_brisk(self, state, victim) || state.os_lock_open(victim, me)
            }
            Pc::Nested(..) => state.lock_is_free(),
            Pc::HandOn(..) => state.lock_is_free() || state.lock == Some(me),
            Pc::MapFirst(_) => {
                state.thread(t).stale || state.queue(q).aborted || state.os_lock_open(q, me)
            }
        };
        if ready {
            out.push(Action::Step(t));
        }
    }

    fn connect_steps(&self, state: &State, t: ThreadId, out: &mut Vec<Action>) {
        let q = self.queue_of(t);
        if os::refuses(state, q) {
            out.push(Action::Connect(t, Choice::Refuse));
            return;
        }
        let enters = self.callback != Callback::Blocking || state.os_lock_open(q, Actor::Thread(t));
        if !enters || !state.lock_is_free() {
            return;
        }
        let mut choices = Vec::new();
        driver::choices(self, state, q, &mut choices);
        let waits = !self.keeps(Rule::ConnectNeverWaits) && state.thread(t).pc == Pc::Connect;
        if waits && choices.is_empty() && driver::all_pages_revoking(self, state) {
            choices.push(Choice::Wait);
        }
        out.extend(choices.into_iter().map(|choice| Action::Connect(t, choice)));
    }

    fn step(&self, state: &mut State, t: ThreadId) {
        match state.thread(t).pc {
            Pc::Idle => client::publish(self, state, t),
            Pc::Ring => client::ring(self, state, t),
            Pc::ReadStatus => client::read_status(self, state, t),
            Pc::Call(p, victim) => os::callback_begins(self, state, t, p, victim),
            Pc::Nested(p, victim) => {
                driver::disconnect(self, state, victim);
                os::callback_first(self, state, t, p, victim);
            }
            Pc::CallbackSecond(p, victim) => os::callback_second(self, state, t, p, victim),
            Pc::HandOn(p, victim) => driver::hand_on(self, state, t, p, victim),
            Pc::MapFirst(p) => os::connect_first(self, state, t, p),
            Pc::MapSecond(p) => os::connect_second(self, state, t, p),
            Pc::Connect | Pc::WaitPage | Pc::Dead => {}
        }
        self.let_go(state, t);
    }

    fn connect(&self, state: &mut State, t: ThreadId, choice: Choice) {
        if state.thread(t).pc == Pc::Connect && choice != Choice::Refuse {
            os::enter_connect(self, state, t);
        }
        driver::choose(self, state, t, choice);
        self.let_go(state, t);
    }

    /// A connect that failed returns to user mode and leaves no lock behind.
    fn let_go(&self, state: &mut State, t: ThreadId) {
        if state.thread(t).pc == Pc::Dead {
            os::leave_connect(state, t, self.queue_of(t));
            let thread = state.thread_mut(t);
            thread.left = 0;
            thread.stale = false;
        }
    }

    fn os_step(&self, state: &mut State) {
        let Some(op) = state.os else {
            return;
        };
        match op.step {
            OsStep::Ddi => os::call_ddi(self, state, op),
            OsStep::First => os::first(self, state, op),
            OsStep::Second => os::second(self, state, op),
        }
    }

    /// Whether nothing will happen any more unless somebody starts something.
    pub fn is_quiescent(&self, state: &State) -> bool {
        let mut steps = Vec::new();
        self.progress(state, &mut steps);
        steps.is_empty()
    }

    fn page_has_one_owner(&self, state: &State) -> bool {
        let holds = |q: QueueId| match state.queue(q).bell {
            Bell::Connected(p) => Some((p, Owner::Of(q))),
            Bell::Lingering(p) => Some((p, Owner::Lingering(q))),
            _ => None,
        };
        let bells_agree = self
            .queues()
            .filter_map(|q| holds(q).map(|held| (q, held)))
            .all(|(q, (p, owner))| state.page(p).owner == owner && state.page(p).bound == Some(q));
        let pages_agree = state.pages[..self.topology.pages]
            .iter()
            .zip(0..)
            .all(|(page, p)| match page.owner {
                Owner::Of(q) => holds(q) == Some((PageId(p), Owner::Of(q))),
                Owner::Lingering(q) => {
                    state.queue(q).bell == Bell::Destroyed
                        || holds(q) == Some((PageId(p), Owner::Lingering(q)))
                }
                Owner::Free => page.bound.is_none(),
                Owner::Revoking => true,
            });
        bells_agree && pages_agree
    }

    fn nothing_exposed(&self, state: &State) -> bool {
        self.queues().all(|q| {
            let mapped = state.queue(q).map;
            mapped
                .and_then(|p| state.page(p).bound)
                .is_none_or(|bound| bound == q)
        })
    }

    fn nothing_lost(&self, state: &State) -> bool {
        let waiting = |q: &QueueId| {
            let queue = state.queue(*q);
            queue.run < queue.published && !queue.aborted && queue.bell != Bell::Destroyed
        };
        !self.queues().any(|q| waiting(&q)) || !self.is_quiescent(state)
    }

    fn no_deadlock(&self, state: &State) -> bool {
        let busy = state.os.is_some()
            || state.lock.is_some()
            || state.threads.iter().any(|thread| !thread.idle());
        !busy || !self.is_quiescent(state)
    }
}

impl Model for Config {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let thread = |t: usize| {
            let left = if t < self.topology.threads.len() {
                self.submissions
            } else {
                0
            };
            Thread {
                pc: Pc::Idle,
                left,
                wrote: 0,
                stale: false,
            }
        };
        let queue = |q: usize| Queue {
            published: 0,
            run: 0,
            suspended: false,
            watched: false,
            aborted: false,
            unmapped: false,
            status: Status::Retry,
            map: None,
            os_lock: None,
            bell: if q < self.topology.queues {
                Bell::Disconnected
            } else {
                Bell::Absent
            },
        };
        let page = |p: usize| Page {
            owner: if p < self.topology.pages {
                Owner::Free
            } else {
                Owner::Revoking
            },
            bound: None,
            ring: None,
        };
        vec![State {
            threads: std::array::from_fn::<_, THREADS, _>(thread),
            queues: std::array::from_fn::<_, QUEUES, _>(queue),
            pages: std::array::from_fn::<_, PAGES, _>(page),
            os: None,
            lock: None,
            budget: self.budget,
            lost: false,
            fault: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.progress(state, actions);
        self.events(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Step(t) => self.step(&mut state, t),
            Action::Connect(t, choice) => self.connect(&mut state, t, choice),
            Action::Begin(kind, q) => os::begin(self, &mut state, kind, q),
            Action::Os => self.os_step(&mut state),
            Action::Suspend(q) => {
                state.budget.suspends -= 1;
                state.queue_mut(q).suspended = true;
            }
            Action::Resume(q) => {
                state.queue_mut(q).suspended = false;
                if self.keeps(Rule::LookAtResume) {
                    gpu::look(&mut state, q);
                }
            }
            Action::Lose => {
                state.budget = Budget {
                    victims: state.budget.victims,
                    ..Budget::default()
                };
                state.lost = true;
                state
                    .queues
                    .iter_mut()
                    .for_each(|queue| queue.aborted = true);
            }
            Action::Create(q) => state.queue_mut(q).bell = Bell::Disconnected,
            Action::TakeRing(p) => gpu::take_ring(self, &mut state, p),
            Action::LookAtWatched(q) => gpu::look(&mut state, q),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(property::ONE_OWNER, |config, state| {
                Config::page_has_one_owner(config, state)
            }),
            Property::always(property::NOT_EXPOSED, |config, state| {
                Config::nothing_exposed(config, state)
            }),
            Property::always(property::NO_FOREIGN_STORE, |_, state: &State| {
                state.fault != Some(Fault::ForeignStore)
            }),
            Property::always(property::RUN_ONCE, |_, state: &State| {
                !matches!(state.fault, Some(Fault::RanTwice | Fault::RanUnpublished))
            }),
            Property::always(property::NOTHING_LOST, |config, state| {
                Config::nothing_lost(config, state)
            }),
            Property::always(property::NO_DEADLOCK, |config, state| {
                Config::no_deadlock(config, state)
            }),
        ]
    }
}
