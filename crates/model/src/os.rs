//! dxgkrnl: page rotation and status words, on the way out of a connect, in the callback, and in
//! the operations that it begins by itself.
//!
//! The two writes of one operation exclude those of another on the same doorbell, and what was
//! begun later wins. Without that no driver could be right: see [`Rule::OsOrdersMappings`].

use crate::config::{Callback, Config, Order, Rule};
use crate::driver;
use crate::state::{
    Actor, Bell, OsKind, OsOp, OsStep, PageId, Pc, QueueId, State, Status, ThreadId,
};

/// A mapping and a status that dxgkrnl writes one after the other.
#[derive(Clone, Copy)]
struct Writes {
    map: Option<PageId>,
    status: Status,
}

const DISCONNECT: Writes = Writes {
    map: None,
    status: Status::Retry,
};

fn write(config: &Config, state: &mut State, q: QueueId, writes: Writes, first: bool) {
    let queue = state.queue_mut(q);
    if first == (config.order == Order::MappingFirst) {
        if !queue.unmapped {
            queue.map = writes.map;
        }
    } else if queue.status != Status::Abort {
        queue.status = writes.status;
    }
}

/// A client thread enters `D3DKMTConnectDoorbell`, in the same step in which the driver chooses.
pub(crate) fn enter_connect(config: &Config, state: &mut State, t: ThreadId) {
    let q = config.queue_of(t);
    state.thread_mut(t).stale = false;
    if config.callback == Callback::Blocking {
        state.queue_mut(q).os_lock = Some(Actor::Thread(t));
    }
    if let Some(op) = &mut state.os
        && op.queue == q
        && op.kind == OsKind::Disconnect
        && matches!(op.step, OsStep::Ddi | OsStep::First)
    {
        op.stale = config.callback != Callback::Blocking;
    }
}

/// Whether dxgkrnl refuses a connect of `q` by itself.
pub(crate) fn refuses(state: &State, q: QueueId) -> bool {
    let queue = state.queue(q);
    queue.status == Status::Abort || queue.unmapped || queue.bell == Bell::Destroyed
}

/// A connect that is not on its way back lets go of the doorbell.
pub(crate) fn leave_connect(state: &mut State, t: ThreadId, q: QueueId) {
    if state.queue(q).os_lock == Some(Actor::Thread(t)) {
        state.queue_mut(q).os_lock = None;
    }
}

/// Every connect of `q` whose writes have not begun is overtaken.
fn overtake(config: &Config, state: &mut State, q: QueueId) {
    if !config.keeps(Rule::OsOrdersMappings) {
        return;
    }
    for t in config.threads().filter(|t| config.queue_of(*t) == q) {
        let thread = state.thread_mut(t);
        let begun = matches!(
            thread.pc,
            Pc::WaitPage
                | Pc::Call(..)
                | Pc::Nested(..)
                | Pc::CallbackSecond(..)
                | Pc::HandOn(..)
                | Pc::MapFirst(_)
        );
        thread.stale |= begun;
    }
}

/// Whether the callback finds that dxgkrnl has moved the victim's mapping already, and returns at
/// once with the status word left to the thread that is disconnecting.
pub(crate) fn callback_is_brisk(config: &Config, state: &State, victim: QueueId) -> bool {
    let moved = |op: OsOp| op.queue == victim && op.step == OsStep::Second;
    config.callback == Callback::Brisk
        && config.order == Order::MappingFirst
        && state.os.is_some_and(moved)
}

/// `DxgkCbDisconnectDoorbell` begins.
pub(crate) fn callback_begins(
    config: &Config,
    state: &mut State,
    t: ThreadId,
    p: PageId,
    victim: QueueId,
) {
    overtake(config, state, victim);
    if callback_is_brisk(config, state, victim) {
        state.thread_mut(t).pc = after_callback(config, p, victim);
        return;
    }
    state.queue_mut(victim).os_lock = Some(Actor::Thread(t));
    if config.callback == Callback::Nested && state.queue(victim).bell != Bell::Destroyed {
        state.thread_mut(t).pc = Pc::Nested(p, victim);
    } else {
        callback_first(config, state, t, p, victim);
    }
}

/// The callback's first write.
pub(crate) fn callback_first(
    config: &Config,
    state: &mut State,
    t: ThreadId,
    p: PageId,
    victim: QueueId,
) {
    write(config, state, victim, DISCONNECT, true);
    state.thread_mut(t).pc = Pc::CallbackSecond(p, victim);
}

/// The callback's second write, and its return.
pub(crate) fn callback_second(
    config: &Config,
    state: &mut State,
    t: ThreadId,
    p: PageId,
    victim: QueueId,
) {
    write(config, state, victim, DISCONNECT, false);
    state.queue_mut(victim).os_lock = None;
    state.thread_mut(t).pc = after_callback(config, p, victim);
}

fn after_callback(config: &Config, p: PageId, victim: QueueId) -> Pc {
    if config.keeps(Rule::CallbackBeforeReuse) {
        Pc::HandOn(p, victim)
    } else {
        Pc::MapFirst(p)
    }
}

/// The first write of a connect that succeeded, or its end if a disconnect has overtaken it.
pub(crate) fn connect_first(config: &Config, state: &mut State, t: ThreadId, p: PageId) {
    let q = config.queue_of(t);
    if state.thread(t).stale || state.queue(q).aborted {
        leave_connect(state, t, q);
        return returned(config, state, t);
    }
    state.queue_mut(q).os_lock = Some(Actor::Thread(t));
    write(
        config,
        state,
        q,
        Writes {
            map: Some(p),
            status: Status::Connected,
        },
        true,
    );
    state.thread_mut(t).pc = Pc::MapSecond(p);
}

/// The second write of a connect, and its return to user mode.
pub(crate) fn connect_second(config: &Config, state: &mut State, t: ThreadId, p: PageId) {
    let q = config.queue_of(t);
    write(
        config,
        state,
        q,
        Writes {
            map: Some(p),
            status: Status::Connected,
        },
        false,
    );
    state.queue_mut(q).os_lock = None;
    returned(config, state, t);
}

fn returned(config: &Config, state: &mut State, t: ThreadId) {
    let rings = config.keeps(Rule::ClientRingsAgain);
    let thread = state.thread_mut(t);
    // A client that relies on the look of the bind believes the connect only if it succeeded.
    thread.pc = if rings {
        Pc::Ring
    } else if thread.stale {
        Pc::ReadStatus
    } else {
        Pc::Idle
    };
    thread.stale = false;
}

/// dxgkrnl begins an operation of its own.
pub(crate) fn begin(config: &Config, state: &mut State, kind: OsKind, q: QueueId) {
    match kind {
        OsKind::Disconnect => state.budget.disconnects -= 1,
        OsKind::Abort => state.budget.aborts = state.budget.aborts.saturating_sub(1),
        OsKind::Destroy => state.budget.destroys -= 1,
    }
    if config.callback == Callback::Blocking && kind != OsKind::Destroy {
        state.queue_mut(q).os_lock = Some(Actor::Os);
    }
    if kind == OsKind::Abort {
        state.queue_mut(q).aborted = true;
    }
    // A connect that a destroy meets is the driver's to refuse.
    if kind != OsKind::Destroy {
        overtake(config, state, q);
    }
    state.os = Some(OsOp {
        kind,
        queue: q,
        step: OsStep::Ddi,
        stale: false,
    });
}

/// dxgkrnl calls the DDI of its operation.
pub(crate) fn call_ddi(config: &Config, state: &mut State, op: OsOp) {
    match op.kind {
        OsKind::Disconnect | OsKind::Abort => driver::disconnect(config, state, op.queue),
        OsKind::Destroy => driver::destroy(config, state, op.queue),
    }
    state.os = Some(OsOp {
        step: OsStep::First,
        ..op
    });
}

/// The first write of dxgkrnl's operation; a destroy has only this one.
pub(crate) fn first(config: &Config, state: &mut State, op: OsOp) {
    let queue = state.queue_mut(op.queue);
    if op.kind == OsKind::Destroy {
        queue.map = None;
        queue.unmapped = true;
        state.os = None;
    } else if op.stale {
        state.os = None;
    } else {
        queue.os_lock = Some(Actor::Os);
        write(config, state, op.queue, writes(op), true);
        state.os = Some(OsOp {
            step: OsStep::Second,
            ..op
        });
    }
}

/// The second write of dxgkrnl's operation, and its end.
pub(crate) fn second(config: &Config, state: &mut State, op: OsOp) {
    write(config, state, op.queue, writes(op), false);
    state.queue_mut(op.queue).os_lock = None;
    state.os = None;
}

fn writes(op: OsOp) -> Writes {
    let status = if op.kind == OsKind::Abort {
        Status::Abort
    } else {
        Status::Retry
    };
    Writes { map: None, status }
}
