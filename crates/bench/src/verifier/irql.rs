//! The interrupt request level of a thread.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

/// An interrupt request level (x64 numbering).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Irql(u8);

impl Irql {
    /// Ordinary threads: may wait, may touch paged memory.
    pub const PASSIVE: Self = Self(0);
    /// Asynchronous procedure calls are held off.
    pub const APC: Self = Self(1);
    /// The scheduler is held off: no waiting, no paged memory.
    pub const DISPATCH: Self = Self(2);
    /// The level of the modelled device's interrupt.
    pub const DEVICE: Self = Self(5);
    /// The highest level.
    pub const HIGH: Self = Self(15);

    /// The level with this number; `None` above [`Self::HIGH`].
    pub const fn new(level: u8) -> Option<Self> {
        if level <= Self::HIGH.0 {
            Some(Self(level))
        } else {
            None
        }
    }

    /// The number.
    pub const fn level(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Irql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PASSIVE => f.write_str("PASSIVE_LEVEL"),
            Self::APC => f.write_str("APC_LEVEL"),
            Self::DISPATCH => f.write_str("DISPATCH_LEVEL"),
            Self::HIGH => f.write_str("HIGH_LEVEL"),
            Self(level) => write!(f, "DIRQL {level}"),
        }
    }
}

/// The levels at which something may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IrqlRange {
    /// Lowest permitted level.
    pub min: Irql,
    /// Highest permitted level.
    pub max: Irql,
}

impl IrqlRange {
    /// Any level.
    pub const ANY: Self = Self {
        min: Irql::PASSIVE,
        max: Irql::HIGH,
    };
    /// PASSIVE_LEVEL only.
    pub const PASSIVE: Self = Self::exactly(Irql::PASSIVE);
    /// Up to APC_LEVEL.
    pub const UP_TO_APC: Self = Self::up_to(Irql::APC);
    /// Up to DISPATCH_LEVEL.
    pub const UP_TO_DISPATCH: Self = Self::up_to(Irql::DISPATCH);

    /// From PASSIVE_LEVEL to `max`.
    pub const fn up_to(max: Irql) -> Self {
        Self {
            min: Irql::PASSIVE,
            max,
        }
    }

    /// From `min` to HIGH_LEVEL.
    pub const fn at_least(min: Irql) -> Self {
        Self {
            min,
            max: Irql::HIGH,
        }
    }

    /// One level only.
    pub const fn exactly(level: Irql) -> Self {
        Self {
            min: level,
            max: level,
        }
    }
}

thread_local! {
    static CURRENT: Cell<Irql> = const { Cell::new(Irql::PASSIVE) };
}

/// The level of this thread.
pub fn current() -> Irql {
    CURRENT.get()
}

/// Sets the level of this thread without a guard: for imports that raise and lower.
pub(crate) fn set(level: Irql) {
    CURRENT.set(level);
}

/// Restores the previous level on drop.
#[derive(Debug)]
#[must_use = "the level is restored when the guard is dropped"]
pub struct IrqlGuard {
    before: Irql,
    _this_thread: PhantomData<*const ()>,
}

/// Puts this thread at `level` until the guard is dropped.
pub fn enter(level: Irql) -> IrqlGuard {
    IrqlGuard {
        before: CURRENT.replace(level),
        _this_thread: PhantomData,
    }
}

impl Drop for IrqlGuard {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_end_at_high() {
        assert_eq!(Irql::new(15), Some(Irql::HIGH));
        assert_eq!(Irql::new(16), None);
    }

    #[test]
    fn guards_nest_and_are_per_thread() {
        let _outer = enter(Irql::DISPATCH);
        {
            let _inner = enter(Irql::DEVICE);
            assert_eq!(current(), Irql::DEVICE);
            let other = std::thread::spawn(current).join();
            assert_eq!(other.ok(), Some(Irql::PASSIVE));
        }
        assert_eq!(current(), Irql::DISPATCH);
    }
}
