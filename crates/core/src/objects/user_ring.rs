//! The rings of a user-mode queue: one, or two while the client goes over to another one.
//!
//! A ring comes with a doorbell and ends with it. Which of them the device works on is decided in
//! one place, here; who holds the tables' lock gives the device its orders in the same hold, so
//! that the device follows in the order in which the table changed.

use carillon_hw::addr::GpuVa;
use carillon_hw::queue::QueueDeviceHalf;
use carillon_hw::ring::RingSize;

use crate::doorbell::DoorbellKind;
use crate::error::{Error, Result};
use crate::handle::Handle;

/// Where the ring of a user-mode queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserRing {
    /// Ring buffer.
    pub ring: GpuVa,
    /// Ring control block.
    pub control: GpuVa,
    /// Its size.
    pub size: RingSize,
    /// The doorbell that brought it.
    pub doorbell: Handle<DoorbellKind>,
}

/// The ring that the queue runs, or goes over to.
#[derive(Clone, Copy, Debug)]
struct Current {
    ring: UserRing,
    /// Where the device starts to fetch when the queue is activated.
    start: u64,
    /// The device does not know it before its doorbell is connected.
    dormant: bool,
}

/// A second ring.
#[derive(Clone, Copy, Debug)]
enum Other {
    /// Takes the place of the current one when its doorbell is connected.
    Staged(UserRing),
    /// Was current until then; its doorbell still lives.
    Before {
        ring: UserRing,
        start: u64,
        /// The device lost its state before it went over: it has to finish this one first.
        unfinished: bool,
    },
}

/// The rings of a queue. There are never more than two.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserRings {
    current: Option<Current>,
    other: Option<Other>,
    /// Changes that the device was told of since it activated the queue.
    changes: u32,
    /// Threads that took the current ring away and wait until the device lets go of it.
    leaving: u32,
}

/// What the device has to be told after a doorbell was connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The queue goes to work with its current ring.
    Activate,
    /// The queue goes over to its current ring when the one before is empty.
    Change,
}

/// What the device has to be told after a doorbell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The device does not know its ring.
    Nothing,
    /// The ring before the current one goes away.
    Before,
    /// The ring that the queue runs goes away; [`UserRings::released`] is owed.
    Current,
}

/// What an activation tells the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The ring to start with.
    pub ring: UserRing,
    /// Where in it.
    pub start: u64,
    /// The queue then has to go over to its current ring.
    pub then_change: bool,
}

/// Where the device had got to when it lost its state.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// Changes that it made since the queue was activated.
    pub changes: u32,
    /// Entries taken from the ring that it was at.
    pub taken: u64,
    /// Entries finished since the queue was activated.
    pub finished: u64,
    /// Of these, entries finished before the last change, modulo 2^32.
    pub finished_before: u32,
}

impl Reached {
    /// A queue whose ring never changes.
    pub const fn of_one_ring(taken: u64, finished: u64) -> Self {
        Self {
            changes: 0,
            taken,
            finished,
            finished_before: 0,
        }
    }

    /// The first entry of a ring begun at `start` that has not been finished.
    pub const fn first_unfinished(&self, start: u64) -> u64 {
        let Self {
            taken,
            finished,
            finished_before,
            ..
        } = *self;
        if QueueDeviceHalf::is_under_way(start, taken, finished, finished_before) {
            taken.wrapping_sub(1)
        } else {
            taken
        }
    }
}

impl UserRings {
    /// Whether a doorbell may be created: beside another one only for a change of rings.
    ///
    /// # Errors
    /// [`Error::InvalidState`].
    pub const fn check_room(&self, resize: bool) -> Result {
        match (&self.current, &self.other) {
            (None, None) => Ok(()),
            (Some(_), None) | (None, Some(_)) if resize => Ok(()),
            _ => Err(Error::InvalidState),
        }
    }

    /// Takes the ring of a new doorbell. Whether the queue may go to work with it at once.
    ///
    /// # Errors
    /// As for [`Self::check_room`].
    pub fn attach(&mut self, ring: UserRing, resize: bool) -> Result<bool> {
        self.check_room(resize)?;
        let alone = self.other.is_none();
        if self.current.is_some() {
            self.other = Some(Other::Staged(ring));
            return Ok(false);
        }
        self.current = Some(Current {
            ring,
            start: 0,
            // Of a change nothing moves before it is connected.
            dormant: !alone,
        });
        Ok(alone)
    }

    /// Whether a connect of the doorbell makes a difference to the device.
    pub fn awaits(&self, doorbell: Handle<DoorbellKind>) -> bool {
        let dormant = |current: Current| current.dormant && current.ring.doorbell == doorbell;
        let staged =
            |other: Other| matches!(other, Other::Staged(ring) if ring.doorbell == doorbell);
        self.current.is_some_and(dormant) || self.other.is_some_and(staged)
    }

    /// The doorbell was connected.
    pub fn connected(&mut self, doorbell: Handle<DoorbellKind>) -> Option<Turn> {
        if let Some(current) = &mut self.current
            && current.ring.doorbell == doorbell
        {
            let woken = core::mem::replace(&mut current.dormant, false);
            return woken.then_some(Turn::Activate);
        }
        let Some(Other::Staged(ring)) = self.other else {
            return None;
        };
        if ring.doorbell != doorbell {
            return None;
        }
        let before = self.current.replace(Current {
            ring,
            start: 0,
            dormant: false,
        });
        self.other = before.map(|before| Other::Before {
            ring: before.ring,
            start: before.start,
            unfinished: false,
        });
        if before.is_none_or(|before| before.dormant) {
            return Some(Turn::Activate);
        }
        self.changes = self.changes.wrapping_add(1);
        Some(Turn::Change)
    }

    /// The doorbell has ended, and its ring with it.
    pub fn detach(&mut self, doorbell: Handle<DoorbellKind>) -> Loss {
        match self.other {
            Some(Other::Staged(ring)) if ring.doorbell == doorbell => {
                self.other = None;
                return Loss::Nothing;
            }
            Some(Other::Before { ring, .. }) if ring.doorbell == doorbell => {
                self.other = None;
                return Loss::Before;
            }
            _ => {}
        }
        let Some(lost) = self.current.take_if(|of| of.ring.doorbell == doorbell) else {
            return Loss::Nothing;
        };
        if let Some(Other::Staged(ring)) = self.other {
            self.other = None;
            self.current = Some(Current {
                ring,
                start: 0,
                dormant: true,
            });
        }
        if lost.dormant {
            return Loss::Nothing;
        }
        self.leaving = self.leaving.saturating_add(1);
        Loss::Current
    }

    /// The device let go of a ring that [`Self::detach`] took away. Whether the queue may go to
    /// work with one that came meanwhile.
    pub fn released(&mut self) -> bool {
        self.leaving = self.leaving.saturating_sub(1);
        self.activation().is_some()
    }

    /// What to activate the queue with: nothing while there is no ring, before its doorbell is
    /// connected if that is waited for, and while the device has yet to let go of the last one.
    pub fn activation(&self) -> Option<Activation> {
        let current = self.current.as_ref().filter(|current| !current.dormant)?;
        if self.leaving > 0 {
            return None;
        }
        Some(match self.other {
            Some(Other::Before {
                ring,
                start,
                unfinished: true,
            }) => Activation {
                ring,
                start,
                then_change: true,
            },
            _ => Activation {
                ring: current.ring,
                start: current.start,
                then_change: false,
            },
        })
    }

    /// The queue has been activated with [`Self::activation`].
    pub const fn activated(&mut self, then_change: bool) {
        self.changes = then_change as u32;
        if let Some(Other::Before { unfinished, .. }) = &mut self.other {
            *unfinished = false;
        }
    }

    /// The ring that the descriptor of a live queue names, and its start.
    pub fn named(&self) -> Option<(UserRing, u64)> {
        let current = self.current.as_ref().filter(|current| !current.dormant)?;
        (self.leaving == 0).then_some((current.ring, current.start))
    }

    /// Notes where the device had got to.
    ///
    /// An entry under way counts as taken and has to run again; the number of those finished tells
    /// whether there is one.
    pub fn keep_position(&mut self, reached: &Reached) {
        match &mut self.other {
            Some(Other::Before {
                start, unfinished, ..
            }) if reached.changes != self.changes => {
                *start = reached.first_unfinished(*start);
                *unfinished = true;
            }
            _ => {
                if let Some(current) = &mut self.current {
                    current.start = reached.first_unfinished(current.start);
                }
            }
        }
    }

    /// A reset took everything that was in the rings.
    pub const fn restart(&mut self) {
        if let Some(current) = &mut self.current {
            current.start = 0;
        }
        if let Some(Other::Before { unfinished, .. }) = &mut self.other {
            *unfinished = false;
        }
        self.changes = 0;
    }

    /// The doorbells that live, that of the current ring first.
    pub fn doorbells(&self) -> [Option<Handle<DoorbellKind>>; 2] {
        let other = self.other.map(|other| match other {
            Other::Staged(ring) | Other::Before { ring, .. } => ring.doorbell,
        });
        [self.current.map(|current| current.ring.doorbell), other]
    }

    /// The doorbell of the current ring, or else the one that lives.
    pub fn doorbell(&self) -> Option<Handle<DoorbellKind>> {
        self.doorbells().into_iter().flatten().next()
    }

    /// Whether two doorbells live.
    pub const fn is_shared(&self) -> bool {
        self.current.is_some() && self.other.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::AdapterOrdinal;

    fn bell(index: u32) -> Handle<DoorbellKind> {
        Handle::new(AdapterOrdinal::new(0).unwrap(), index, 1)
    }

    fn ring(index: u32) -> UserRing {
        UserRing {
            ring: GpuVa(0x1000 * u64::from(index)),
            control: GpuVa(0),
            size: RingSize::from_log2(7).unwrap(),
            doorbell: bell(index),
        }
    }

    fn running(index: u32) -> UserRings {
        let mut rings = UserRings::default();
        assert_eq!(rings.attach(ring(index), false), Ok(true));
        rings.activated(false);
        rings
    }

    fn changing() -> UserRings {
        let mut rings = running(1);
        assert_eq!(rings.attach(ring(2), true), Ok(false));
        assert_eq!(rings.connected(bell(2)), Some(Turn::Change));
        rings
    }

    fn works_on(rings: &UserRings) -> Option<u32> {
        let activation = rings.activation()?;
        Some(activation.ring.doorbell.index())
    }

    /// contract: DBCR-004
    #[test]
    fn two_doorbells_only_with_the_flag_and_never_three() {
        let mut rings = running(1);
        assert_eq!(rings.attach(ring(2), false), Err(Error::InvalidState));
        assert_eq!(rings.attach(ring(2), true), Ok(false));
        for resize in [false, true] {
            assert_eq!(rings.attach(ring(3), resize), Err(Error::InvalidState));
        }
        assert_eq!(rings.connected(bell(2)), Some(Turn::Change));
        for resize in [false, true] {
            assert_eq!(rings.attach(ring(3), resize), Err(Error::InvalidState));
        }
        assert_eq!(rings.detach(bell(1)), Loss::Before);
        assert_eq!(rings.attach(ring(3), true), Ok(false));
    }

    /// contract: DBC-025
    #[test]
    fn a_staged_ring_moves_nothing_until_its_first_connect() {
        let mut rings = running(1);
        rings.attach(ring(2), true).unwrap();
        assert_eq!(works_on(&rings), Some(1));
        assert_eq!(rings.connected(bell(1)), None, "the old one reconnects");
        assert_eq!(rings.connected(bell(3)), None);
        assert_eq!(rings.connected(bell(2)), Some(Turn::Change));
        assert_eq!(rings.connected(bell(2)), None, "only the first connect");
        assert_eq!(rings.connected(bell(1)), None, "the old one is no more");
        assert_eq!(works_on(&rings), Some(2));
        assert_eq!(rings.detach(bell(1)), Loss::Before);
        assert_eq!(rings.detach(bell(1)), Loss::Nothing);
        assert_eq!(works_on(&rings), Some(2));
    }

    /// contract: DBC-025
    #[test]
    fn without_a_live_doorbell_the_flag_makes_an_ordinary_one() {
        let mut rings = UserRings::default();
        assert_eq!(rings.attach(ring(1), true), Ok(true));
        assert_eq!(works_on(&rings), Some(1));
    }

    #[test]
    fn the_staged_ring_forgotten_the_old_one_goes_on() {
        let mut rings = running(1);
        rings.attach(ring(2), true).unwrap();
        assert_eq!(rings.detach(bell(2)), Loss::Nothing);
        assert_eq!(works_on(&rings), Some(1));
        assert_eq!(rings.attach(ring(3), true), Ok(false));
    }

    #[test]
    fn the_old_ring_gone_first_the_new_one_waits_for_its_connect() {
        let mut rings = running(1);
        rings.attach(ring(2), true).unwrap();
        assert_eq!(rings.detach(bell(1)), Loss::Current);
        assert_eq!(rings.activation(), None);
        assert_eq!(rings.connected(bell(2)), Some(Turn::Activate));
        assert_eq!(rings.activation(), None, "the device has not let go");
        assert!(rings.released());
        assert_eq!(works_on(&rings), Some(2));

        let mut rings = running(1);
        rings.attach(ring(2), true).unwrap();
        rings.detach(bell(1));
        assert!(!rings.released(), "not connected yet");
        // A third one replaces what was never connected.
        assert_eq!(rings.attach(ring(3), true), Ok(false));
        assert_eq!(rings.connected(bell(3)), Some(Turn::Activate));
        assert_eq!(works_on(&rings), Some(3));
        assert_eq!(rings.connected(bell(2)), None);
    }

    #[test]
    fn the_new_ring_gone_the_queue_has_none_whatever_the_old_doorbell_does() {
        let mut rings = changing();
        assert_eq!(rings.detach(bell(2)), Loss::Current);
        assert!(!rings.released());
        assert_eq!(rings.connected(bell(1)), None);
        assert_eq!(rings.attach(ring(3), false), Err(Error::InvalidState));
        assert_eq!(rings.attach(ring(3), true), Ok(false));
        assert_eq!(rings.connected(bell(3)), Some(Turn::Activate));
        assert_eq!(works_on(&rings), Some(3));
    }

    #[test]
    fn a_ring_never_known_to_the_device_costs_no_deactivation() {
        let mut rings = running(1);
        rings.attach(ring(2), true).unwrap();
        rings.detach(bell(1));
        rings.released();
        assert_eq!(rings.detach(bell(2)), Loss::Nothing);
        assert_eq!(rings.attach(ring(3), false), Ok(true));
    }

    const fn reached(changes: u32, taken: u64, finished: u64, finished_before: u32) -> Reached {
        Reached {
            changes,
            taken,
            finished,
            finished_before,
        }
    }

    #[test]
    fn a_change_that_was_pending_is_made_again_and_one_that_was_made_is_not() {
        let mut rings = changing();
        rings.keep_position(&reached(0, 8, 7, 0));
        let activation = rings.activation().unwrap();
        let (before, after) = (activation.ring.doorbell, activation.then_change);
        assert_eq!((before, activation.start, after), (bell(1), 7, true));
        rings.activated(true);
        assert!(!rings.activation().unwrap().then_change);
        // 4 more of the old ring are finished, then 6 of the new one and a seventh begun.
        rings.keep_position(&reached(1, 7, 10, 4));
        let activation = rings.activation().unwrap();
        assert_eq!(activation.ring.doorbell, bell(2));
        assert_eq!((activation.start, activation.then_change), (6, false));
    }

    #[test]
    fn after_a_change_what_finished_before_it_does_not_count() {
        for (taken, finished, start) in [(0, 100, 0), (1, 101, 1), (1, 100, 0), (9, 108, 8)] {
            let mut rings = changing();
            rings.detach(bell(1));
            rings.keep_position(&reached(1, taken, finished, 100));
            assert_eq!(
                rings.activation().unwrap().start,
                start,
                "{taken} {finished}"
            );
        }
    }

    #[test]
    fn the_entry_under_way_is_told_by_what_is_finished() {
        for (start, taken, finished, first) in [
            (0, 0, 0, 0),
            (0, 1, 0, 0),
            (0, 1, 1, 1),
            (u64::MAX, 0, 0, u64::MAX),
            (u64::MAX, 0, 1, 0),
            (5, 9, 1, 9),
        ] {
            let reached = Reached::of_one_ring(taken, finished);
            assert_eq!(reached.first_unfinished(start), first);
        }
    }

    #[test]
    fn a_reset_leaves_nothing_to_finish() {
        let mut rings = changing();
        rings.keep_position(&reached(0, 8, 7, 0));
        rings.restart();
        let activation = rings.activation().unwrap();
        assert_eq!(activation.ring.doorbell, bell(2));
        assert_eq!((activation.start, activation.then_change), (0, false));
    }
}
