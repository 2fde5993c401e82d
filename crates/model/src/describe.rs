//! Counterexamples in words.

use std::fmt;

use crate::config::{Callback, Config, Order, Rule};
use crate::driver::Choice;
use crate::protocol::Action;
use crate::run::Step;
use crate::state::{Bell, OsKind, OsStep, PageId, Pc, QueueId, State, Status, ThreadId};

/// One line for each step, and one for the state that is reached.
pub fn narrate(config: &Config, steps: &[Step]) -> Vec<String> {
    let mut lines: Vec<_> = steps
        .iter()
        .enumerate()
        .map(|(i, step)| format!("{:>3}. {}", i + 1, sentence(config, step)))
        .collect();
    if let Some(step) = steps.last() {
        lines.push("In the end:".to_owned());
        lines.extend(
            config
                .queues()
                .map(|q| format!("     {}", queue_line(&step.after, q))),
        );
        for (page, p) in step.after.pages[..config.topology.pages].iter().zip(0..) {
            let bound = page
                .bound
                .map_or_else(|| "nobody".to_owned(), |q| q.to_string());
            lines.push(format!("     {}: bound to {bound}", PageId(p)));
        }
        let threads = config.threads().map(|t| (t, step.after.thread(t).pc));
        for (t, pc) in threads.filter(|(_, pc)| !matches!(pc, Pc::Idle | Pc::Dead)) {
            lines.push(format!("     {t}: {pc:?}"));
        }
        if let Some(fault) = step.after.fault {
            lines.push(format!("     {fault:?}"));
        }
    }
    lines
}

fn queue_line(state: &State, q: QueueId) -> String {
    let queue = state.queue(q);
    format!(
        "{q}: published {}, run {}, status {}, address leads to {}, driver says {:?}",
        queue.published,
        queue.run,
        status_name(queue.status),
        place(queue.map),
        queue.bell,
    )
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Retry => "RETRY",
        Status::Connected => "CONNECTED",
        Status::Abort => "ABORT",
    }
}

fn place(map: Option<PageId>) -> String {
    map.map_or_else(|| "the dummy page".to_owned(), |p| p.to_string())
}

fn sentence(config: &Config, step: &Step) -> String {
    match step.action {
        Action::Step(t) => thread_step(config, step, t),
        Action::Connect(t, choice) => connect(config.queue_of(t), t, choice),
        Action::Begin(kind, q) => format!("dxgkrnl   begins to {} {q}", verb(kind)),
        Action::Os => os_step(config, step),
        Action::Suspend(q) => format!("dxgkrnl   suspends {q}"),
        Action::Resume(q) => format!("dxgkrnl   resumes {q}{}", runs(step, q)),
        Action::Lose => "bus       the adapter is gone".to_owned(),
        Action::Create(q) => format!("dxgkrnl   creates {q} in the slot of a destroyed doorbell"),
        Action::TakeRing(p) => {
            let page = step.before.page(p);
            let from = page
                .ring
                .map_or_else(|| "nobody".to_owned(), |r| r.from.to_string());
            match page.bound {
                Some(q) => format!(
                    "device    takes {from}'s ring from {p}, looks at {q}{}",
                    runs(step, q)
                ),
                None => format!("device    drops {from}'s ring on {p}, which is unbound"),
            }
        }
        Action::LookAtWatched(q) => {
            format!("device    looks at {q}, which is watched{}", runs(step, q))
        }
    }
}

fn runs(step: &Step, q: QueueId) -> String {
    let (before, after) = (step.before.queue(q).run, step.after.queue(q).run);
    if after > before {
        format!(", runs {q} up to {after}")
    } else {
        String::new()
    }
}

fn connect(q: QueueId, t: ThreadId, choice: Choice) -> String {
    match choice {
        Choice::Refuse => format!("driver    {t}: connect {q}: refused"),
        Choice::Again(p) => format!("driver    {t}: connect {q}: connected already, {p} again"),
        Choice::Retake(p) => format!("driver    {t}: connect {q}: takes its own {p} back"),
        Choice::Free(p) => format!("driver    {t}: connect {q}: binds the free {p}"),
        Choice::Take(p, v) => format!("driver    {t}: connect {q}: will take {p} from {v}"),
        Choice::Wait => format!("driver    {t}: connect {q}: waits for a page"),
    }
}

fn thread_step(config: &Config, step: &Step, t: ThreadId) -> String {
    let q = config.queue_of(t);
    let first = config.order == Order::MappingFirst;
    match step.before.thread(t).pc {
        Pc::Idle => {
            format!(
                "client    {t}: publishes entry {} on {q}",
                step.after.queue(q).published
            )
        }
        Pc::Ring => format!(
            "client    {t}: rings {q}, into {}",
            place(step.before.queue(q).map)
        ),
        Pc::ReadStatus => {
            format!(
                "client    {t}: reads {}",
                status_name(step.before.queue(q).status)
            )
        }
        Pc::Call(_, v) if config.callback == Callback::Nested => {
            format!("driver    {t}: DxgkCbDisconnectDoorbell({v})")
        }
        Pc::Call(_, v) if matches!(step.after.thread(t).pc, Pc::CallbackSecond(..)) => format!(
            "driver    {t}: DxgkCbDisconnectDoorbell({v}); dxgkrnl {}",
            write(first, None, Status::Retry)
        ),
        Pc::Call(_, v) => {
            format!("driver    {t}: DxgkCbDisconnectDoorbell({v}) returns: disconnected already")
        }
        Pc::Nested(_, v) => format!(
            "dxgkrnl   {t}: calls DxgkDdiDisconnectDoorbell({v}), then {}",
            write(first, None, Status::Retry)
        ),
        Pc::CallbackSecond(_, v) => {
            format!(
                "dxgkrnl   {t}: {v}: {}, callback returns",
                write(!first, None, Status::Retry)
            )
        }
        Pc::HandOn(p, v) => hand_on(config, step, t, p, v),
        Pc::MapFirst(_) if matches!(step.after.thread(t).pc, Pc::Ring | Pc::ReadStatus) => {
            format!("dxgkrnl   {t}: drops the mapping of {q}, a disconnect came later")
        }
        Pc::MapFirst(p) => {
            format!(
                "dxgkrnl   {t}: {q}: {}",
                write(first, Some(p), Status::Connected)
            )
        }
        Pc::MapSecond(p) => {
            format!(
                "dxgkrnl   {t}: {q}: {}, returns",
                write(!first, Some(p), Status::Connected)
            )
        }
        Pc::Connect | Pc::WaitPage | Pc::Dead => format!("client    {t}: waits"),
    }
}

fn hand_on(config: &Config, step: &Step, t: ThreadId, p: PageId, victim: QueueId) -> String {
    let q = config.queue_of(t);
    let look = config.keeps(Rule::LookAtVictim) && config.keeps(Rule::LookAfterCallback);
    let looks = if look {
        format!(", looks at {victim}{}", runs(step, victim))
    } else {
        String::new()
    };
    let end = match step.after.page(p).bound {
        Some(bound) => format!("binds {p} to {bound}{}", runs(step, bound)),
        None if step.after.thread(t).pc == Pc::Dead => format!("{q} is gone, frees {p}"),
        None => format!("{q} has another page, frees {p}"),
    };
    format!("driver    {t}: unbinds {p}{looks}, {end}")
}

fn os_step(config: &Config, step: &Step) -> String {
    let Some(op) = step.before.os else {
        return "dxgkrnl   idles".to_owned();
    };
    let q = op.queue;
    let first = config.order == Order::MappingFirst;
    let status = if op.kind == OsKind::Abort {
        Status::Abort
    } else {
        Status::Retry
    };
    match op.step {
        OsStep::Ddi => {
            let now = match step.after.queue(q).bell {
                Bell::Lingering(p) => format!(", {p} lingers"),
                _ => String::new(),
            };
            format!("driver    {} {q}{now}", verb(op.kind))
        }
        OsStep::First if op.kind == OsKind::Destroy => format!("dxgkrnl   {q}: address unmapped"),
        OsStep::First if op.stale => format!("dxgkrnl   {q}: a connect came later, done"),
        OsStep::First => format!("dxgkrnl   {q}: {}", write(first, None, status)),
        OsStep::Second => format!("dxgkrnl   {q}: {}", write(!first, None, status)),
    }
}

fn verb(kind: OsKind) -> &'static str {
    match kind {
        OsKind::Disconnect => "disconnect",
        OsKind::Abort => "abort",
        OsKind::Destroy => "destroy",
    }
}

fn write(mapping: bool, map: Option<PageId>, status: Status) -> String {
    if mapping {
        format!("moves the address to {}", place(map))
    } else {
        format!("writes {}", status_name(status))
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{}", self.0)
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Q{}", self.0)
    }
}

impl fmt::Display for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", self.0)
    }
}
