//! Run lists of an engine (`docs/hardware.md` section 6.3).

use std::collections::VecDeque;

use carillon_hw::queue::QueueId;

/// Number of priority bands.
const BANDS: usize = 4;
/// Packets (or slices of long ones) that a queue runs before another gets its turn.
pub(crate) const PACKETS_PER_TURN: u32 = 64;
/// Blocked queues of a band that one search for work examines.
pub(crate) const EXAMINED_PER_SEARCH: usize = 16;

/// A stay on a run list. Taking a queue off changes its ticket and so makes the list's record
/// stale without a search for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Ordinal of the engine: a queue that moved has no ticket of the one before.
    engine: usize,
    number: u64,
}

/// A record of a run list; good only if the queue still has the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) queue: QueueId,
    pub(crate) ticket: Ticket,
}

#[derive(Debug, Default)]
struct Band {
    ready: VecDeque<Record>,
    blocked: VecDeque<Record>,
}

/// The clock of an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Clock {
    /// It runs and may not stop.
    #[default]
    Free,
    /// It runs until nothing is left to do.
    Gated,
    /// It does not run; work starts it.
    Stopped,
}

/// One engine: the queue that runs and those that want to.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    ordinal: usize,
    bands: [Band; BANDS],
    pub(crate) current: Option<Record>,
    /// Packets of the present turn.
    pub(crate) packets: u32,
    /// Queues that hold a ticket, the running one included.
    tickets: usize,
    next_ticket: u64,
    /// Ran something since it was last reported idle.
    pub(crate) ran: bool,
    /// Reset and not resumed.
    pub(crate) stopped: bool,
    clock: Clock,
    /// Device clock at which the present idle period began.
    pub(crate) idle_since: Option<u64>,
    /// The present idle period was reported as quiet.
    pub(crate) quiet_reported: bool,
}

impl Engine {
    pub(crate) fn new(ordinal: usize) -> Self {
        Self {
            ordinal,
            ..Self::default()
        }
    }

    /// Whether a queue is running or pending.
    pub(crate) fn is_busy(&self) -> bool {
        self.tickets != 0
    }

    /// Whether the device thread has something to do here.
    pub(crate) fn needs_turn(&self) -> bool {
        let unsettled = self.begins_idling() || self.may_stop_clock();
        unsettled || !self.stopped && (self.is_busy() || self.ran)
    }

    /// Whether nothing is left to do, not even to say so, and nobody has taken note of it.
    pub(crate) fn begins_idling(&self) -> bool {
        self.idle_since.is_none() && !self.stopped && !self.is_busy() && !self.ran
    }

    /// Since when the engine is idle, if it was not yet reported as quiet.
    pub(crate) fn unreported_idling(&self) -> Option<u64> {
        self.idle_since.filter(|_| !self.quiet_reported)
    }

    fn end_idling(&mut self) {
        self.idle_since = None;
        self.quiet_reported = false;
    }

    pub(crate) fn clock_runs(&self) -> bool {
        self.clock != Clock::Stopped
    }

    /// Whether the clock may stop as soon as nothing is left to do.
    pub(crate) fn is_gated(&self) -> bool {
        self.clock != Clock::Free
    }

    /// Says whether the clock may stop, and whether it might before. One that may not any more
    /// runs.
    pub(crate) fn gate(&mut self, gated: bool) -> bool {
        let was = self.is_gated();
        match (was, gated) {
            (false, true) => self.clock = Clock::Gated,
            (true, false) => self.clock = Clock::Free,
            (false, false) | (true, true) => {}
        }
        was
    }

    fn may_stop_clock(&self) -> bool {
        self.clock == Clock::Gated && !self.is_busy() && (self.stopped || !self.ran)
    }

    /// Stops the clock if it may.
    pub(crate) fn stop_clock(&mut self) {
        if self.may_stop_clock() {
            self.clock = Clock::Stopped;
        }
    }

    fn start_clock(&mut self) {
        if self.clock == Clock::Stopped {
            self.clock = Clock::Gated;
        }
    }

    /// A reset: forgets every list until the engine is resumed. Whoever holds a ticket must drop
    /// it.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
        self.end_idling();
        self.bands = Default::default();
        self.current = None;
        self.tickets = 0;
    }

    /// Puts a queue at the back of its band, which ends an idle period and starts the clock.
    pub(crate) fn enter(&mut self, queue: QueueId, band: usize) -> Ticket {
        let ticket = Ticket {
            engine: self.ordinal,
            number: self.next_ticket,
        };
        self.next_ticket += 1;
        self.tickets += 1;
        self.end_idling();
        self.start_clock();
        self.bands[band].ready.push_back(Record { queue, ticket });
        ticket
    }

    /// A queue gave up its ticket.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        self.tickets -= 1;
        if self.current.is_some_and(|record| record.ticket == ticket) {
            self.current = None;
        }
    }

    /// The running queue goes to the back of its band.
    pub(crate) fn rotate(&mut self, band: usize) {
        if let Some(record) = self.current.take() {
            self.bands[band].ready.push_back(record);
        }
    }

    /// The running queue waits for a fence.
    pub(crate) fn block(&mut self, band: usize) {
        if let Some(record) = self.current.take() {
            self.bands[band].blocked.push_back(record);
        }
    }

    pub(crate) fn bands() -> impl Iterator<Item = usize> {
        (0..BANDS).rev()
    }

    pub(crate) fn blocked(&self, band: usize) -> usize {
        self.bands[band].blocked.len()
    }

    pub(crate) fn take_blocked(&mut self, band: usize) -> Option<Record> {
        self.bands[band].blocked.pop_front()
    }

    pub(crate) fn put_blocked(&mut self, band: usize, record: Record) {
        self.bands[band].blocked.push_back(record);
    }

    pub(crate) fn put_ready(&mut self, band: usize, record: Record) {
        self.bands[band].ready.push_back(record);
    }

    pub(crate) fn take_ready(&mut self, band: usize) -> Option<Record> {
        self.bands[band].ready.pop_front()
    }
}
