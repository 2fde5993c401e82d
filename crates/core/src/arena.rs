//! Tables of objects behind generational handles.
//!
//! Lookup is two bounds-checked indexings. Slots are handed out in the order in which they became
//! free, so an id that has just died is the last to be used again and a late user meets a dead
//! slot instead of a new owner. Memory comes in chunks that the caller allocates with no lock
//! held ([`Growth::allocate`]) and donates; removing never frees until the arena itself goes.

use alloc::vec::Vec;

use crate::error::{Error, Result};
use crate::handle::{AdapterOrdinal, Handle, Kind, MAX_GENERATION, MAX_OBJECTS};

/// Slots in a chunk.
pub const CHUNK_SLOTS: u32 = 64;
const NONE: u32 = u32::MAX;

enum State<T> {
    /// Free; the next slot in the queue of free slots.
    Free(u32),
    Live(T),
}

struct Slot<T> {
    generation: u32,
    state: State<T>,
}

/// Appends without ever growing: the comparison lets the compiler drop the growing half of `push`,
/// which could panic.
///
/// # Errors
/// Gives the value back if the vector is full.
#[inline]
pub fn push_within_capacity<T>(vector: &mut Vec<T>, value: T) -> core::result::Result<(), T> {
    if vector.len() == vector.capacity() {
        return Err(value);
    }
    vector.push(value);
    Ok(())
}

/// Memory for one more chunk, allocated outside of any lock.
pub struct Growth<T> {
    chunk: Vec<Slot<T>>,
    directory: Vec<Vec<Slot<T>>>,
}

impl<T> Growth<T> {
    /// Memory for a chunk of an arena that has `capacity` slots now.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn allocate(capacity: u32) -> Result<Self> {
        let mut chunk = Vec::new();
        chunk
            .try_reserve_exact(CHUNK_SLOTS as usize)
            .map_err(|_| Error::NoMemory)?;
        let mut directory = Vec::new();
        let chunks = (capacity / CHUNK_SLOTS) as usize;
        // The directory doubles, so copying it stays O(1) per chunk in the long run.
        if chunks == 0 || chunks.is_power_of_two() {
            directory
                .try_reserve_exact((chunks * 2).max(4))
                .map_err(|_| Error::NoMemory)?;
        }
        Ok(Self { chunk, directory })
    }
}

/// A table of `T` named by `Handle<K>`.
pub struct Arena<K, T> {
    adapter: AdapterOrdinal,
    limit: u32,
    directory: Vec<Vec<Slot<T>>>,
    free_head: u32,
    free_tail: u32,
    live: u32,
    kind: core::marker::PhantomData<fn() -> K>,
}

/// Why [`Arena::insert`] handed its value back.
pub enum InsertError<T> {
    /// Donate a [`Growth`] for this capacity and try again.
    NeedsGrowth(T, u32),
    /// The arena has as many live objects as it may.
    Full(T),
}

impl<K: Kind, T> Arena<K, T> {
    /// An empty table of at most `limit` objects.
    pub const fn new(adapter: AdapterOrdinal, limit: u32) -> Self {
        Self {
            adapter,
            limit: if limit < MAX_OBJECTS {
                limit
            } else {
                MAX_OBJECTS
            },
            directory: Vec::new(),
            free_head: NONE,
            free_tail: NONE,
            live: 0,
            kind: core::marker::PhantomData,
        }
    }

    /// Live objects.
    pub const fn len(&self) -> u32 {
        self.live
    }

    /// Whether nothing lives here.
    pub const fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Slots that exist.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "at most MAX_OBJECTS / CHUNK_SLOTS"
    )]
    pub fn capacity(&self) -> u32 {
        self.directory.len() as u32 * CHUNK_SLOTS
    }

    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        self.directory
            .get((index / CHUNK_SLOTS) as usize)?
            .get((index % CHUNK_SLOTS) as usize)
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<T>> {
        self.directory
            .get_mut((index / CHUNK_SLOTS) as usize)?
            .get_mut((index % CHUNK_SLOTS) as usize)
    }

    /// Adds memory. A growth that another thread made superfluous is handed back to be freed
    /// outside the lock.
    pub fn donate(&mut self, mut growth: Growth<T>) -> Option<Growth<T>> {
        if self.capacity() >= self.limit || self.free_head != NONE {
            return Some(growth);
        }
        if self.directory.len() == self.directory.capacity() {
            if growth.directory.capacity() <= self.directory.len() {
                return Some(growth);
            }
            let mut directory = core::mem::take(&mut growth.directory);
            for chunk in core::mem::take(&mut self.directory) {
                // The capacity was compared above.
                let _ = push_within_capacity(&mut directory, chunk);
            }
            self.directory = directory;
        }
        let base = self.capacity();
        if growth.chunk.capacity() < CHUNK_SLOTS as usize {
            return Some(growth);
        }
        for index in base..base + CHUNK_SLOTS {
            let next = if index + 1 == base + CHUNK_SLOTS || index + 1 >= self.limit {
                NONE
            } else {
                index + 1
            };
            let slot = Slot {
                generation: 1,
                state: State::Free(next),
            };
            let _ = push_within_capacity(&mut growth.chunk, slot);
        }
        let chunk = core::mem::take(&mut growth.chunk);
        let _ = push_within_capacity(&mut self.directory, chunk);
        self.free_head = base;
        self.free_tail = (base + CHUNK_SLOTS - 1).min(self.limit.saturating_sub(1));
        None
    }

    /// Adds an object.
    ///
    /// # Errors
    /// Gives the value back with what is missing.
    pub fn insert(&mut self, value: T) -> core::result::Result<Handle<K>, InsertError<T>> {
        let index = self.free_head;
        if index == NONE {
            return Err(if self.capacity() >= self.limit {
                InsertError::Full(value)
            } else {
                InsertError::NeedsGrowth(value, self.capacity())
            });
        }
        let Some(slot) = self.slot_mut(index) else {
            return Err(InsertError::Full(value));
        };
        let State::Free(next) = slot.state else {
            return Err(InsertError::Full(value));
        };
        slot.state = State::Live(value);
        let generation = slot.generation;
        self.free_head = next;
        if next == NONE {
            self.free_tail = NONE;
        }
        self.live += 1;
        Ok(Handle::new(self.adapter, index, generation))
    }

    /// The object, if the handle is of this adapter and the object lives.
    pub fn get(&self, handle: Handle<K>) -> Option<&T> {
        if handle.adapter() != Some(self.adapter) {
            return None;
        }
        let slot = self.slot(handle.index())?;
        match &slot.state {
            State::Live(value) if slot.generation == handle.generation() => Some(value),
            _ => None,
        }
    }

    /// The object, to change it.
    pub fn get_mut(&mut self, handle: Handle<K>) -> Option<&mut T> {
        if handle.adapter() != Some(self.adapter) {
            return None;
        }
        let slot = self.slot_mut(handle.index())?;
        match &mut slot.state {
            State::Live(value) if slot.generation == handle.generation() => Some(value),
            _ => None,
        }
    }

    /// The live object of an index together with its handle, for ids that hardware reports.
    pub fn by_index(&self, index: u32) -> Option<(Handle<K>, &T)> {
        let slot = self.slot(index)?;
        match &slot.state {
            State::Live(value) => Some((Handle::new(self.adapter, index, slot.generation), value)),
            State::Free(_) => None,
        }
    }

    /// The same, to change it.
    pub fn by_index_mut(&mut self, index: u32) -> Option<&mut T> {
        match &mut self.slot_mut(index)?.state {
            State::Live(value) => Some(value),
            State::Free(_) => None,
        }
    }

    /// Takes the object out; its handle is dead from here on.
    pub fn remove(&mut self, handle: Handle<K>) -> Option<T> {
        self.get(handle)?;
        let index = handle.index();
        let slot = self.slot_mut(index)?;
        slot.generation = if slot.generation >= MAX_GENERATION {
            1
        } else {
            slot.generation + 1
        };
        let old = core::mem::replace(&mut slot.state, State::Free(NONE));
        let tail = self.free_tail;
        if tail == NONE {
            self.free_head = index;
        } else if let Some(last) = self.slot_mut(tail) {
            last.state = State::Free(index);
        }
        self.free_tail = index;
        self.live -= 1;
        match old {
            State::Live(value) => Some(value),
            State::Free(_) => None,
        }
    }

    /// Every live object.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.directory
            .iter()
            .flat_map(|chunk| chunk.iter())
            .filter_map(|slot| match &slot.state {
                State::Live(value) => Some(value),
                State::Free(_) => None,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::vec::Vec;

    struct Thing;
    impl Kind for Thing {
        const TAG: u8 = 3;
    }

    fn arena(limit: u32) -> Arena<Thing, u32> {
        Arena::new(AdapterOrdinal::new(0).unwrap(), limit)
    }

    fn add(arena: &mut Arena<Thing, u32>, value: u32) -> Option<Handle<Thing>> {
        let mut value = value;
        loop {
            match arena.insert(value) {
                Ok(handle) => return Some(handle),
                Err(InsertError::Full(_)) => return None,
                Err(InsertError::NeedsGrowth(back, capacity)) => {
                    value = back;
                    assert!(arena.donate(Growth::allocate(capacity).unwrap()).is_none());
                }
            }
        }
    }

    /// contract: DBCR-001
    /// regression: LIFE-08
    #[test]
    fn a_removed_handle_is_dead_even_after_reuse() {
        let mut arena = arena(1);
        let first = add(&mut arena, 7).unwrap();
        assert_eq!(arena.remove(first), Some(7));
        assert_eq!(arena.remove(first), None);
        let second = add(&mut arena, 8).unwrap();
        assert_eq!(second.index(), first.index());
        assert_eq!(arena.get(first), None);
        assert_eq!(arena.get(second), Some(&8));
    }

    /// regression: DB-08
    #[test]
    fn the_limit_holds_exactly() {
        for limit in [
            1,
            CHUNK_SLOTS - 1,
            CHUNK_SLOTS,
            CHUNK_SLOTS + 1,
            3 * CHUNK_SLOTS,
        ] {
            let mut arena = arena(limit);
            let handles: Vec<_> = (0..limit).map(|i| add(&mut arena, i).unwrap()).collect();
            assert!(add(&mut arena, 0).is_none(), "limit {limit}");
            assert_eq!(arena.len(), limit);
            arena.remove(handles[0]).unwrap();
            assert!(add(&mut arena, 0).is_some(), "limit {limit}");
            assert!(add(&mut arena, 0).is_none(), "limit {limit}");
        }
    }

    #[test]
    fn freed_ids_rotate() {
        let mut arena = arena(CHUNK_SLOTS);
        let first = add(&mut arena, 0).unwrap();
        arena.remove(first).unwrap();
        let seen: Vec<_> = (1..CHUNK_SLOTS)
            .map(|i| add(&mut arena, i).unwrap().index())
            .collect();
        assert!(!seen.contains(&first.index()));
        assert_eq!(add(&mut arena, 0).unwrap().index(), first.index());
    }

    #[test]
    fn another_adapters_handle_is_refused() {
        let mut mine = arena(4);
        let mut other: Arena<Thing, u32> = Arena::new(AdapterOrdinal::new(1).unwrap(), 4);
        let handle = add(&mut mine, 1).unwrap();
        add(&mut other, 2).unwrap();
        assert_eq!(other.get(handle), None);
        assert_eq!(other.remove(handle), None);
    }

    #[test]
    fn a_superfluous_growth_comes_back() {
        let mut arena = arena(1000);
        add(&mut arena, 1).unwrap();
        assert!(
            arena
                .donate(Growth::allocate(arena.capacity()).unwrap())
                .is_some()
        );
        assert_eq!(arena.capacity(), CHUNK_SLOTS);
    }

    proptest! {
        /// regression: LIFE-08
        #[test]
        fn behaves_like_a_map(operations in prop::collection::vec((any::<bool>(), any::<u32>()), 1..400)) {
            let mut arena = arena(150);
            let mut reference = HashMap::new();
            let mut handles = Vec::new();
            for (insert, value) in operations {
                if insert || handles.is_empty() {
                    let added = add(&mut arena, value);
                    prop_assert_eq!(added.is_some(), reference.len() < 150);
                    if let Some(handle) = added {
                        prop_assert!(reference.insert(handle.bits(), value).is_none());
                        handles.push(handle);
                    }
                } else {
                    let handle = handles[value as usize % handles.len()];
                    prop_assert_eq!(arena.remove(handle), reference.remove(&handle.bits()));
                }
                for handle in &handles {
                    prop_assert_eq!(arena.get(*handle), reference.get(&handle.bits()));
                }
                prop_assert_eq!(arena.len() as usize, reference.len());
            }
        }
    }
}
