//! Places in the submit loop where a test can step in; nothing outside of tests.

/// Between which two steps of a submission the loop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// The last queued value is stored; the write pointer is not.
    Queued,
    /// The write pointer is stored; the doorbell is not.
    Published,
    /// The doorbell is stored; the status is not read.
    Rung,
}

#[cfg(not(test))]
#[inline]
pub(crate) const fn at(_: Point) {}

#[cfg(test)]
pub(crate) use in_tests::{at, install};

#[cfg(test)]
mod in_tests {
    use std::cell::RefCell;

    use super::Point;

    type Hook = Box<dyn FnMut(Point)>;

    std::thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Runs this thread's hook, if it has one.
    pub(crate) fn at(point: Point) {
        HOOK.with_borrow_mut(|hook| {
            if let Some(hook) = hook {
                hook(point);
            }
        });
    }

    /// Sets this thread's hook.
    pub(crate) fn install(hook: impl FnMut(Point) + 'static) {
        HOOK.with_borrow_mut(|slot| *slot = Some(Box::new(hook)));
    }
}
