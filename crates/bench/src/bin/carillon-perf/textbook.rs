//! The textbook alternative: a table of slots that is searched from one end to the other.

use serde::Serialize;

use crate::steps;

/// One physical doorbell as the textbook keeps it.
#[derive(Clone, Copy, Default)]
struct Slot {
    owner: Option<u32>,
    last_used: u64,
}

/// Finds a free slot, or the least recently used one, by looking at each.
#[inline(never)]
fn connect(slots: &mut [Slot], doorbell: u32, now: u64) -> Option<u32> {
    let mut best: Option<usize> = None;
    for (index, slot) in slots.iter().enumerate() {
        if slot.owner.is_none() {
            best = Some(index);
            break;
        }
        if best.is_none_or(|best| slot.last_used < slots[best].last_used) {
            best = Some(index);
        }
    }
    let slot = slots.get_mut(best?)?;
    slot.last_used = now;
    slot.owner.replace(doorbell)
}

/// Finds a logical doorbell by walking the list of all.
#[inline(never)]
fn find(doorbells: &[u64], handle: u64) -> Option<usize> {
    doorbells.iter().position(|known| *known == handle)
}

/// Instructions of the search alone: no lock, no register, no callback.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Textbook {
    /// Slots.
    pub(crate) pages: u32,
    /// Instructions of a connect that needs a victim.
    pub(crate) victim: u64,
}

/// Counts a connect on full tables.
pub(crate) fn measure(pages: u32) -> Textbook {
    let mut slots = vec![Slot::default(); pages as usize];
    for page in 0..pages {
        connect(&mut slots, page, u64::from(page));
    }
    let now = u64::from(pages);
    let (count, _) = steps::count(|| connect(std::hint::black_box(&mut slots), pages, now));
    let victim = count.total();
    Textbook { pages, victim }
}

/// Instructions of a search for the middle one of `doorbells` logical doorbells, scaled from
/// `counted` of them that are stepped through.
pub(crate) fn find_in_list(doorbells: usize, counted: usize) -> u64 {
    let list: Vec<u64> = (0..counted as u64).collect();
    let (count, _) = steps::count(|| find(std::hint::black_box(&list), counted as u64 / 2));
    count.total() * (doorbells / counted.max(1)).max(1) as u64
}
