//! Fences and their logs (`docs/hardware.md` section 7.4).

use std::sync::atomic::{Ordering, fence};

use carillon_hw::addr::GpuVa;
use carillon_hw::fence_log::{
    LogEntry, POSITION_OFFSET, Position, SIGNAL_EXECUTED, WAIT_UNBLOCKED,
};
use carillon_hw::queue::ContextId;
use zerocopy::IntoBytes;

use crate::mmu::{Access, AccessFault, Memory, Operand};
use crate::queue::Log;

/// Operands of a signal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signal {
    pub(crate) current: GpuVa,
    pub(crate) monitored: GpuVa,
    pub(crate) value: u64,
    pub(crate) handle: u32,
}

/// Carries out a signal; true if it is to be reported by an event.
///
/// Both addresses are translated before anything is written: a signal that faults has not
/// signalled.
pub(crate) fn signal(
    memory: &mut Memory<'_>,
    context: ContextId,
    log: Option<Log>,
    signal: Signal,
) -> Result<bool, AccessFault> {
    let current = Operand::Virtual(context, signal.current);
    let monitored =
        (signal.monitored != GpuVa(0)).then_some(Operand::Virtual(context, signal.monitored));
    memory.probe(current, Access::Write)?;
    if let Some(monitored) = monitored {
        memory.probe(monitored, Access::Read)?;
    }
    let observed = memory.fabric.clock();
    // The store releases: whoever reads the value sees every earlier write of the queue.
    memory.store_u64(current, signal.value)?;
    append(
        memory,
        context,
        log,
        LogEntry {
            fence_value: signal.value,
            fence_handle: signal.handle,
            operation: SIGNAL_EXECUTED,
            reserved0: 0,
            observed,
            reserved1: 0,
            ended: memory.fabric.clock(),
        },
    )?;
    // Pairs with the driver's barrier between its store to the monitored value and its load of
    // the current one: either it sees the new value or the load below sees its store.
    fence(Ordering::SeqCst);
    match monitored {
        None => Ok(true),
        Some(monitored) => Ok(signal.value > memory.load_u64(monitored)?),
    }
}

/// Whether the fence at `current` has reached `value`.
pub(crate) fn reached(
    memory: &mut Memory<'_>,
    context: ContextId,
    current: GpuVa,
    value: u64,
) -> Result<bool, AccessFault> {
    Ok(memory.load_u64(Operand::Virtual(context, current))? >= value)
}

/// Logs a wait that ended, which was first examined at `observed`.
pub(crate) fn log_wait(
    memory: &mut Memory<'_>,
    context: ContextId,
    log: Option<Log>,
    (value, handle): (u64, u32),
    observed: u64,
) -> Result<(), AccessFault> {
    append(
        memory,
        context,
        log,
        LogEntry {
            fence_value: value,
            fence_handle: handle,
            operation: WAIT_UNBLOCKED,
            reserved0: 0,
            observed,
            reserved1: 0,
            ended: memory.fabric.clock(),
        },
    )
}

fn append(
    memory: &mut Memory<'_>,
    context: ContextId,
    log: Option<Log>,
    entry: LogEntry,
) -> Result<(), AccessFault> {
    let Some(log) = log else { return Ok(()) };
    let base = Operand::Virtual(context, log.base);
    let header = base.advance(POSITION_OFFSET)?;
    let found = Position::from_bits(memory.load_u64(header)?);
    // Others can write the header; an index that does not exist starts the log over.
    let position = if found.index < log.entries {
        found
    } else {
        Position {
            index: 0,
            wraps: found.wraps,
        }
    };
    memory.write(base.advance(position.entry_offset())?, entry.as_bytes())?;
    memory.store_u64(header, position.next(log.entries).into_bits())
}
