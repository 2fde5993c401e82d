//! Locks held, and the order in which locks are acquired.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::irql::Irql;
use super::thread;
use super::violation::LockMisuse;
use crate::trap::images::{CodeAddress, locate};

/// What sort of lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockKind {
    /// `KSPIN_LOCK`.
    Spin,
    /// `FAST_MUTEX`.
    Fast,
    /// `KGUARDED_MUTEX`.
    Guarded,
    /// `EX_PUSH_LOCK`.
    Push,
    /// The device's interrupt lock.
    Interrupt,
}

/// A lock as a person wants to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockName {
    /// What sort.
    pub kind: LockKind,
    /// Where.
    pub address: u64,
}

impl fmt::Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            LockKind::Spin => "spin lock",
            LockKind::Fast => "fast mutex",
            LockKind::Guarded => "guarded mutex",
            LockKind::Push => "push lock",
            LockKind::Interrupt => "interrupt lock",
        };
        let address = usize::try_from(self.address).unwrap_or(usize::MAX);
        write!(f, "{kind} {}", locate(address))
    }
}

/// A lock that a thread holds.
#[derive(Debug, Clone)]
pub(crate) struct HeldLock {
    pub(crate) name: LockName,
    /// Level before the acquisition, for locks that raise it.
    pub(crate) irql_before: Irql,
}

/// Which lock was seen to be acquired under which.
#[derive(Debug, Default)]
pub(crate) struct OrderGraph {
    /// From the outer lock to the inner ones, with the place of the first such acquisition.
    inner: BTreeMap<u64, BTreeMap<u64, CodeAddress>>,
    reported: BTreeSet<(u64, u64)>,
}

impl OrderGraph {
    /// Notes that `acquiring` is wanted with `held` held; reports the first contrary order.
    pub(crate) fn acquire(
        &mut self,
        acquiring: &LockName,
        held: &[HeldLock],
    ) -> Option<LockMisuse> {
        let mut misuse = None;
        for outer in held {
            let (from, to) = (outer.name.address, acquiring.address);
            if from == to {
                continue;
            }
            if misuse.is_none()
                && !self.reported.contains(&(from, to))
                && let Some(path) = self.path(to, from)
            {
                self.reported.insert((from, to));
                misuse = Some(LockMisuse::Order {
                    acquiring: acquiring.clone(),
                    holding: outer.name.clone(),
                    path,
                });
            }
            self.inner
                .entry(from)
                .or_default()
                .entry(to)
                .or_insert_with(thread::caller);
        }
        misuse
    }

    /// Forgets the locks in `start..end`, whose memory goes away.
    pub(crate) fn forget(&mut self, start: u64, end: u64) {
        let gone = |address: &u64| (start..end).contains(address);
        self.inner.retain(|from, _| !gone(from));
        for to in self.inner.values_mut() {
            to.retain(|address, _| !gone(address));
        }
        self.reported.retain(|(from, to)| !gone(from) && !gone(to));
    }

    /// A chain of acquisitions from `from` to `to`, as text.
    fn path(&self, from: u64, to: u64) -> Option<String> {
        let mut came_from: BTreeMap<u64, u64> = BTreeMap::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return Some(self.describe(&came_from, from, to));
            }
            for next in self.inner.get(&at).into_iter().flat_map(BTreeMap::keys) {
                if *next != from && !came_from.contains_key(next) {
                    came_from.insert(*next, at);
                    open.push(*next);
                }
            }
        }
        None
    }

    fn describe(&self, came_from: &BTreeMap<u64, u64>, from: u64, to: u64) -> String {
        let mut steps = Vec::new();
        let mut at = to;
        while at != from {
            let Some(before) = came_from.get(&at) else {
                break;
            };
            let place = self.inner.get(before).and_then(|inner| inner.get(&at));
            steps.push(match place {
                Some(place) => format!("{before:#x} before {at:#x} at {place}"),
                None => format!("{before:#x} before {at:#x}"),
            });
            at = *before;
        }
        steps.reverse();
        steps.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spin(address: u64) -> LockName {
        LockName {
            kind: LockKind::Spin,
            address,
        }
    }

    fn holding(address: u64) -> [HeldLock; 1] {
        [HeldLock {
            name: spin(address),
            irql_before: Irql::PASSIVE,
        }]
    }

    #[test]
    fn a_cycle_over_three_locks_is_found_once() {
        let mut graph = OrderGraph::default();
        assert_eq!(graph.acquire(&spin(2), &holding(1)), None);
        assert_eq!(graph.acquire(&spin(3), &holding(2)), None);
        let cycle = graph.acquire(&spin(1), &holding(3));
        assert!(matches!(cycle, Some(LockMisuse::Order { .. })), "{cycle:?}");
        assert_eq!(graph.acquire(&spin(1), &holding(3)), None);
    }

    #[test]
    fn locks_of_freed_memory_do_not_make_cycles() {
        let mut graph = OrderGraph::default();
        assert_eq!(graph.acquire(&spin(2), &holding(1)), None);
        graph.forget(2, 3);
        assert_eq!(graph.acquire(&spin(1), &holding(2)), None);
    }
}
