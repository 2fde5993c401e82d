//! What the power framework knows of an adapter.

use parking_lot::Mutex;

/// What a driver says about a power component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It is needed.
    Active,
    /// It is not needed.
    Idle,
    /// Longest tolerable wake-up, in 100 ns.
    Latency(u64),
    /// Expected idle time, in 100 ns.
    Residency(u64),
    /// A transition that the driver completes itself is done.
    TransitionDone,
}

/// Power components and what was said about them.
#[derive(Debug, Default)]
pub struct Power {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    components: u32,
    said: Vec<(u32, Activity)>,
}

impl Power {
    /// Sets how many components the driver reported.
    pub(crate) fn set_components(&self, components: u32) {
        self.state.lock().components = components;
    }

    /// Notes what the driver said; false if there is no such component.
    pub(crate) fn record(&self, component: u32, activity: Activity) -> bool {
        let mut state = self.state.lock();
        state.said.push((component, activity));
        component < state.components
    }

    /// What the driver said since the last call, in order.
    pub fn take(&self) -> Vec<(u32, Activity)> {
        std::mem::take(&mut self.state.lock().said)
    }
}
