//! Trouble on demand: faults as data, matched against what the device does.

use carillon_hw::queue::QueueId;

/// What to do with a ring that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingAction {
    /// Nobody looks.
    Drop,
    /// The look, and so everything that it would find, comes this many rounds of the device thread
    /// later.
    Delay {
        /// Rounds to wait.
        rounds: u32,
    },
    /// The ring overtakes the stores that its client made before it, as it can where the doorbell
    /// is write combining or the processor weakly ordered: the look sees the write pointer of the
    /// look before, or of the last [`crate::Gpu::client_barrier`] if that came later. Every other
    /// look sees memory as it is.
    Overtake,
}

/// What to do when an entry is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchAction {
    /// The entry never ends and holds its engine until that is reset. Suspends and deactivates
    /// of the queue wait for the packet boundary that does not come.
    Hang,
    /// The device falls off the bus.
    LoseDevice,
}

/// What to do with an interrupt message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterruptAction {
    /// It is not sent.
    Drop,
    /// It is sent this many times more.
    Repeat {
        /// Additional messages.
        times: u32,
    },
}

/// What a fault matches, and what it then does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A ring taken from a bound page.
    Ring {
        /// Index of the page; `None` for any.
        page: Option<u32>,
        /// What to do.
        action: RingAction,
    },
    /// An entry that was fetched.
    Fetch {
        /// The queue; `None` for any.
        queue: Option<QueueId>,
        /// What to do.
        action: FetchAction,
    },
    /// An interrupt message.
    Interrupt {
        /// What to do.
        action: InterruptAction,
    },
}

/// A rule, and which of its matches it acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What to match and do.
    pub rule: Rule,
    /// Matches to let pass first.
    pub skip: u32,
    /// Matches to act on after that; the fault is spent then.
    pub times: u32,
}

impl Fault {
    /// Acts on the next match only.
    pub const fn once(rule: Rule) -> Self {
        Self {
            rule,
            skip: 0,
            times: 1,
        }
    }

    /// Acts on every match.
    pub const fn always(rule: Rule) -> Self {
        Self {
            rule,
            skip: 0,
            times: u32::MAX,
        }
    }
}

/// The faults that are armed, in the order in which they were injected.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn are_armed(&self) -> bool {
        !self.0.is_empty()
    }

    /// The first rule that matches and is due.
    fn find<T>(&mut self, matches: impl Fn(Rule) -> Option<T>) -> Option<T> {
        for fault in &mut self.0 {
            let Some(action) = matches(fault.rule) else {
                continue;
            };
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 {
                if fault.times != u32::MAX {
                    fault.times -= 1;
                }
                return Some(action);
            }
        }
        None
    }

    pub(crate) fn ring(&mut self, index: u32) -> Option<RingAction> {
        self.find(|rule| match rule {
            Rule::Ring { page, action } if page.is_none_or(|page| page == index) => Some(action),
            _ => None,
        })
    }

    pub(crate) fn fetch(&mut self, id: QueueId) -> Option<FetchAction> {
        self.find(|rule| match rule {
            Rule::Fetch { queue, action } if queue.is_none_or(|queue| queue == id) => Some(action),
            _ => None,
        })
    }

    pub(crate) fn interrupt(&mut self) -> Option<InterruptAction> {
        self.find(|rule| match rule {
            Rule::Interrupt { action } => Some(action),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skip_and_times_select_matches() {
        let mut faults = Faults::default();
        faults.inject(Fault {
            rule: Rule::Ring {
                page: Some(1),
                action: RingAction::Drop,
            },
            skip: 1,
            times: 2,
        });
        assert_eq!(faults.ring(0), None, "another page does not count");
        let found: Vec<_> = (0..4).map(|_| faults.ring(1).is_some()).collect();
        assert_eq!(found, [false, true, true, false]);
        assert_eq!(faults.interrupt(), None);
    }
}
