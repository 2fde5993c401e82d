//! The device: it takes rings from pages, looks at write pointers, and runs what it finds.
//!
//! A look runs everything that it finds at once. The device is never the reason why work waits,
//! so a longer way from look to fetch would add states and no new outcome.

use crate::config::{Config, Rule};
use crate::state::{Bell, Fault, PageId, QueueId, Ring, State};

/// The device reads the write pointer of `q` and runs what is published, if it may run `q` at all.
pub(crate) fn look(state: &mut State, q: QueueId) {
    if may_run(state, q) {
        let queue = state.queue_mut(q);
        queue.run = queue.run.max(queue.published);
    }
}

fn may_run(state: &State, q: QueueId) -> bool {
    let queue = state.queue(q);
    !state.lost && !queue.suspended && !queue.aborted && queue.bell != Bell::Destroyed
}

/// Whether the device has a reason to look at `q` without a ring.
pub(crate) fn watch_would_find(state: &State, q: QueueId) -> bool {
    let queue = state.queue(q);
    queue.watched && queue.run < queue.published && may_run(state, q)
}

/// The device takes the ring from `p`. A ring on an unbound page is dropped.
pub(crate) fn take_ring(config: &Config, state: &mut State, p: PageId) {
    let page = state.page_mut(p);
    let Some(ring) = page.ring.take() else {
        return;
    };
    let Some(owner) = page.bound else {
        return;
    };
    if ring.from != owner {
        state.fault = Some(Fault::ForeignStore);
    }
    if config.keeps(Rule::RingIsHint) {
        look(state, owner);
    } else {
        believe(state, owner, ring);
    }
}

/// What a device does that takes the value for the new write pointer: it runs from its read
/// pointer up to the value, and a value that lies behind wraps around the whole ring.
fn believe(state: &mut State, owner: QueueId, ring: Ring) {
    if !may_run(state, owner) {
        return;
    }
    let queue = state.queue_mut(owner);
    let fault = if ring.value < queue.run {
        Some(Fault::RanTwice)
    } else if ring.value > queue.published {
        Some(Fault::RanUnpublished)
    } else {
        queue.run = ring.value;
        None
    };
    state.fault = state.fault.or(fault);
}

/// One write of a doorbell control register that unbinds `p`.
pub(crate) fn unbind(config: &Config, state: &mut State, p: PageId) {
    let page = state.page_mut(p);
    page.bound = None;
    if config.keeps(Rule::ClearPage) {
        page.ring = None;
    }
}

/// One write of a doorbell control register that binds `p` to `q`: clears, binds, ends a watch,
/// looks.
pub(crate) fn bind(config: &Config, state: &mut State, p: PageId, q: QueueId) {
    let page = state.page_mut(p);
    page.bound = Some(q);
    if config.keeps(Rule::ClearPage) {
        page.ring = None;
    }
    state.queue_mut(q).watched = config.watch_at_bind;
    if config.keeps(Rule::LookAtBind) {
        look(state, q);
    }
}

/// The queue command `Watch`.
pub(crate) fn watch(state: &mut State, q: QueueId) {
    state.queue_mut(q).watched = true;
    look(state, q);
}

/// The queue command `Look`, which ends a watch.
pub(crate) fn look_once(state: &mut State, q: QueueId) {
    state.queue_mut(q).watched = false;
    look(state, q);
}
