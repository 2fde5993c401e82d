//! The driver: `DxgkDdiConnectDoorbell`, `DisconnectDoorbell` and `DestroyDoorbell`.
//!
//! Each function is what happens under one hold of the doorbell lock, or one register write where
//! the device or a client may come in between.

use crate::config::{Config, Rule};
use crate::gpu;
use crate::state::{Actor, Bell, Owner, PageId, Pc, QueueId, State, ThreadId};

/// How a connect goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The doorbell is gone or the adapter is: an error.
    Refuse,
    /// Connected already: the same answer again.
    Again(PageId),
    /// The doorbell's own page is still bound: take it back.
    Retake(PageId),
    /// A free page.
    Free(PageId),
    /// A page to be taken from the queue.
    Take(PageId, QueueId),
    /// Every page is changing hands. Only with [`Rule::ConnectNeverWaits`] left out.
    Wait,
}

/// The doorbell that the driver finds for a handle that was given out for `q`.
fn resolve(config: &Config, state: &State, q: QueueId) -> Option<QueueId> {
    let alive = |q: QueueId| !matches!(state.queue(q).bell, Bell::Absent | Bell::Destroyed);
    if alive(q) {
        return Some(q);
    }
    match config.topology.successor {
        Some((new, old)) if old == q && !config.keeps(Rule::Generations) && alive(new) => Some(new),
        _ => None,
    }
}

/// Every way in which a connect of `q` may go on now; none if it is to be tried again later.
pub(crate) fn choices(config: &Config, state: &State, q: QueueId, out: &mut Vec<Choice>) {
    if state.lost || matches!(state.queue(q).bell, Bell::Absent | Bell::Destroyed) {
        out.push(Choice::Refuse);
        return;
    }
    match state.queue(q).bell {
        Bell::Connected(p) => return out.push(Choice::Again(p)),
        Bell::Lingering(p) => return out.push(Choice::Retake(p)),
        _ => {}
    }
    let first = out.len();
    let pages = (0..u8::try_from(config.topology.pages).expect("few pages")).map(PageId);
    for p in pages
        .clone()
        .filter(|p| state.page(*p).owner == Owner::Free)
    {
        out.push(Choice::Free(p));
    }
    if out.len() > first {
        return;
    }
    for p in pages {
        match state.page(p).owner {
            Owner::Lingering(v) => out.push(Choice::Take(p, v)),
            Owner::Of(v) if v != q && (state.budget.victims > 0 || is_idle(config, state, v)) => {
                out.push(Choice::Take(p, v));
            }
            _ => {}
        }
    }
}

/// Whether every page is in the hands of a connecting thread.
pub(crate) fn all_pages_revoking(config: &Config, state: &State) -> bool {
    state.pages[..config.topology.pages]
        .iter()
        .all(|page| page.owner == Owner::Revoking)
}

/// Whether no thread of `q` is in the middle of a submission.
fn is_idle(config: &Config, state: &State, q: QueueId) -> bool {
    config
        .threads()
        .filter(|t| config.queue_of(*t) == q)
        .all(|t| state.thread(t).idle())
}

/// A connect of `t` takes the lock and chooses.
pub(crate) fn choose(config: &Config, state: &mut State, t: ThreadId, choice: Choice) {
    let q = config.queue_of(t);
    let pc = match choice {
        Choice::Refuse => Pc::Dead,
        Choice::Wait => Pc::WaitPage,
        Choice::Again(p) => Pc::MapFirst(p),
        Choice::Retake(p) | Choice::Free(p) => {
            give(config, state, p, q);
            Pc::MapFirst(p)
        }
        Choice::Take(p, victim) => take(config, state, t, p, victim),
    };
    state.thread_mut(t).pc = pc;
}

fn give(config: &Config, state: &mut State, p: PageId, q: QueueId) {
    state.page_mut(p).owner = Owner::Of(q);
    state.queue_mut(q).bell = Bell::Connected(p);
    gpu::bind(config, state, p, q);
}

fn take(config: &Config, state: &mut State, t: ThreadId, p: PageId, victim: QueueId) -> Pc {
    if matches!(state.page(p).owner, Owner::Of(_)) && !is_idle(config, state, victim) {
        state.budget.victims -= 1;
    }
    if config.keeps(Rule::MarkVictim) {
        state.page_mut(p).owner = Owner::Revoking;
        if matches!(
            state.queue(victim).bell,
            Bell::Connected(_) | Bell::Lingering(_)
        ) {
            state.queue_mut(victim).bell = Bell::Revoking(p);
        }
    }
    state.queue_mut(config.queue_of(t)).bell = Bell::Connecting;
    if !config.keeps(Rule::NoLockAcrossCallback) {
        state.lock = Some(Actor::Thread(t));
    }
    if !config.keeps(Rule::LookAfterCallback) {
        gpu::look_once(state, victim);
    }
    if config.keeps(Rule::CallbackBeforeReuse) {
        Pc::Call(p, victim)
    } else {
        Pc::HandOn(p, victim)
    }
}

/// Takes the lock again: unbinds and clears the page, looks at the victim, binds.
///
/// One step of the model, although it is several register writes: nobody's mapping leads to the
/// page, everything else of the driver waits for the lock, and what a client publishes between two
/// of the writes it could as well have published before the look or after the bind.
pub(crate) fn hand_on(config: &Config, state: &mut State, t: ThreadId, p: PageId, victim: QueueId) {
    if config.keeps(Rule::Revalidate) {
        if state.queue(victim).bell == Bell::Revoking(p) {
            state.queue_mut(victim).bell = Bell::Disconnected;
        }
    } else if let Some(found) = resolve(config, state, victim) {
        state.queue_mut(found).bell = Bell::Disconnected;
    }
    gpu::unbind(config, state, p);
    if config.keeps(Rule::LookAtVictim) && config.keeps(Rule::LookAfterCallback) {
        if config.keeps(Rule::LookKeepsWatch) {
            gpu::watch(state, victim);
        } else {
            gpu::look_once(state, victim);
        }
    }
    let pc = match bind(config, state, t, p) {
        None => Pc::Dead,
        Some(p) if config.keeps(Rule::CallbackBeforeReuse) => Pc::MapFirst(p),
        Some(p) => Pc::Call(p, victim),
    };
    state.lock = None;
    state.thread_mut(t).pc = pc;
}

/// Examines the connecting doorbell, binds the page to it or frees the page. Answers the page
/// that the doorbell has now.
fn bind(config: &Config, state: &mut State, t: ThreadId, p: PageId) -> Option<PageId> {
    let target = resolve(config, state, config.queue_of(t));
    let Some(target) = target.filter(|_| !state.lost) else {
        state.page_mut(p).owner = Owner::Free;
        if let Some(target) = target
            && state.queue(target).bell == Bell::Connecting
        {
            state.queue_mut(target).bell = Bell::Disconnected;
        }
        return None;
    };
    // Another thread may have connected the doorbell, and the OS may have disconnected it again.
    let other = match state.queue(target).bell {
        Bell::Connected(other) | Bell::Lingering(other) if config.keeps(Rule::Revalidate) => other,
        _ => {
            give(config, state, p, target);
            return Some(p);
        }
    };
    state.page_mut(p).owner = Owner::Free;
    if state.queue(target).bell == Bell::Lingering(other) {
        give(config, state, other, target);
    }
    Some(other)
}

/// `DxgkDdiDisconnectDoorbell`.
pub(crate) fn disconnect(config: &Config, state: &mut State, q: QueueId) {
    let Bell::Connected(p) = state.queue(q).bell else {
        return;
    };
    if config.keeps(Rule::QuarantineAtDisconnect) {
        state.queue_mut(q).bell = Bell::Lingering(p);
        state.page_mut(p).owner = Owner::Lingering(q);
    } else {
        state.queue_mut(q).bell = Bell::Disconnected;
        state.page_mut(p).owner = Owner::Free;
        gpu::unbind(config, state, p);
    }
    if config.keeps(Rule::WatchAtDisconnect) {
        gpu::watch(state, q);
    }
}

/// `DxgkDdiDestroyDoorbell`. The page waits in quarantine, for its mapping may still exist.
pub(crate) fn destroy(config: &Config, state: &mut State, q: QueueId) {
    if let Bell::Connected(p) | Bell::Lingering(p) = state.queue(q).bell {
        state.page_mut(p).owner = Owner::Lingering(q);
        gpu::unbind(config, state, p);
    }
    let queue = state.queue_mut(q);
    queue.bell = Bell::Destroyed;
    queue.watched = false;
}
