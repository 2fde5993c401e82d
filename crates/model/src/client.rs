//! The client's submit loop: publish, ring, read the status word, connect if it says RETRY.

use crate::config::{Config, Rule};
use crate::state::{Pc, Ring, State, Status, ThreadId};

/// Writes an entry and advances the write pointer.
pub(crate) fn publish(config: &Config, state: &mut State, t: ThreadId) {
    let q = config.queue_of(t);
    let queue = state.queue_mut(q);
    queue.published += 1;
    let wrote = if config.keeps(Rule::RingIsHint) {
        0
    } else {
        queue.published
    };
    let thread = state.thread_mut(t);
    thread.left -= 1;
    thread.wrote = wrote;
    thread.pc = Pc::Ring;
}

/// Stores to the doorbell address, wherever it leads at this moment.
pub(crate) fn ring(config: &Config, state: &mut State, t: ThreadId) {
    let q = config.queue_of(t);
    let queue = *state.queue(q);
    if queue.unmapped {
        state.thread_mut(t).pc = Pc::Dead;
        return;
    }
    if let Some(p) = queue.map {
        let value = state.thread(t).wrote;
        state.page_mut(p).ring = Some(Ring { from: q, value });
    }
    state.thread_mut(t).pc = Pc::ReadStatus;
}

/// Reads the status word.
pub(crate) fn read_status(config: &Config, state: &mut State, t: ThreadId) {
    let queue = state.queue(config.queue_of(t));
    state.thread_mut(t).pc = match queue.status {
        _ if queue.unmapped => Pc::Dead,
        Status::Connected => Pc::Idle,
        Status::Retry => Pc::Connect,
        Status::Abort => Pc::Dead,
    };
}
