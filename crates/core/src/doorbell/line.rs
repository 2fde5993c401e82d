//! Connects that wait for a page, in the order in which they began.
//!
//! Nobody is woken: each sleeps for as long as its turn will take to come, and looks again. Were
//! all to look whenever a page may have come free, most would look in vain, at the cost of those
//! who have a page.

use crate::platform::Ticks;

/// No connect sleeps for longer at once: doorbells go, and adapters stop.
const LONGEST: Ticks = Ticks(100_000);

/// The line of one adapter. Numbers wrap.
#[derive(Debug, Default)]
pub(super) struct Line {
    joined: u32,
    left: u32,
}

/// A place in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

impl Line {
    /// A place behind everybody.
    pub(super) fn join(&mut self) -> Place {
        let place = Place(self.joined);
        self.joined = self.joined.wrapping_add(1);
        place
    }

    /// One fewer waits.
    pub(super) fn leave(&mut self) {
        self.left = self.left.wrapping_add(1);
    }

    /// How many are ahead, as far as that can be told: those behind may have left before.
    fn ahead(&self, place: Place) -> u32 {
        let ahead = place.0.wrapping_sub(self.left);
        let waiting = self.joined.wrapping_sub(self.left);
        if ahead < waiting { ahead } else { 0 }
    }

    /// How long to sleep: until the first of `pages` pages can be had in `soonest`, and for a
    /// residence more for every round of pages that others ahead will take.
    pub(super) fn time_to_turn(
        &self,
        place: Place,
        pages: u32,
        soonest: Ticks,
        residence: Ticks,
    ) -> Ticks {
        let rounds = self.ahead(place).checked_div(pages).unwrap_or(0);
        let behind = residence.0.saturating_mul(u64::from(rounds));
        Ticks(soonest.0.saturating_add(behind)).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Ticks = Ticks(7);
    const RESIDENCE: Ticks = Ticks(1000);

    #[test]
    fn a_round_of_pages_is_a_residence() {
        let mut line = Line::default();
        let places: [Place; 9] = core::array::from_fn(|_| line.join());
        let time = |line: &Line, n: usize| line.time_to_turn(places[n], 4, SOON, RESIDENCE).0;
        let times: std::vec::Vec<_> = (0..9).map(|n| time(&line, n)).collect();
        assert_eq!(times, [7, 7, 7, 7, 1007, 1007, 1007, 1007, 2007]);
        line.leave();
        assert_eq!(time(&line, 4), 7);
        assert_eq!(time(&line, 8), 1007);
    }

    #[test]
    fn who_is_overtaken_or_left_behind_does_not_wait_for_ever() {
        let mut line = Line::default();
        let first = line.join();
        let second = line.join();
        // The second leaves before the first, and more join.
        line.leave();
        assert_eq!(line.time_to_turn(first, 1, SOON, RESIDENCE), SOON);
        let third = line.join();
        assert_eq!(line.time_to_turn(third, 1, SOON, RESIDENCE), Ticks(1007));
        assert_eq!(line.time_to_turn(second, 1, SOON, RESIDENCE), SOON);
        let last = (0..200).map(|_| line.join()).last().unwrap();
        assert_eq!(line.time_to_turn(last, 1, SOON, RESIDENCE), LONGEST);
        assert_eq!(line.time_to_turn(last, 0, SOON, RESIDENCE), SOON);
        assert_eq!(
            line.time_to_turn(last, 1, Ticks(u64::MAX), RESIDENCE),
            LONGEST
        );
    }

    #[test]
    fn the_numbers_wrap() {
        let mut line = Line {
            joined: u32::MAX,
            left: u32::MAX,
        };
        let places: [Place; 3] = core::array::from_fn(|_| line.join());
        assert_eq!(
            line.time_to_turn(places[2], 1, SOON, RESIDENCE),
            Ticks(2007)
        );
        line.leave();
        line.leave();
        assert_eq!(line.time_to_turn(places[2], 1, SOON, RESIDENCE), SOON);
    }
}
