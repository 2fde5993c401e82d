//! F-states of the engines, and asking the OS for F1.
//!
//! In F1 an engine's clock may stop; the device starts it by itself for a look that finds work. So
//! nothing is saved on the way there, and a ring that arrives between the request and the
//! disconnect of its doorbell is served: a disconnect leaves the queue watched.
//!
//! The device reports an engine that has been idle for a while, once in each idle period; the DPC
//! turns that into a request. The OS answers by disconnecting the engine's doorbells and then
//! setting the F-state.
//!
//! What the OS wants is remembered while the hardware is out of reach, and given to the device when
//! it comes back.

use carillon_hw::queue::{QueueActivity, QueueId, QueueState};
use carillon_hw::regs::{EngineSet, offset};

use super::Adapter;
use crate::atomic::spin_loop;
use crate::irql::Dispatch;
use crate::notify::Notification;
use crate::objects::queue_id;
use crate::platform::{Platform, Ticks};
use crate::power::{FState, Notice};
use crate::surface::{Node, Surface};

/// Units of [`Ticks`] in a second.
const TICKS_PER_SECOND: u64 = 10_000_000;

/// What the OS wants of the engines' power, behind the adapter's power lock. The registers are
/// written under it too: each is one store of a whole word, and the last one has to be the newest.
pub(super) struct FStates {
    /// Engines in F1.
    gated: EngineSet,
    /// Engines that the OS manages: those with a component, from its `Started` to its `Stopped`.
    managed: EngineSet,
    /// Engines for which F1 was asked in the present idle period.
    asked: EngineSet,
    /// The DPC is about to ask, or is asking.
    asking: bool,
    /// Device clock ticks after which an idle engine is worth a request; 0 for never.
    quiet: u64,
}

impl FStates {
    /// Everything in F0 and nothing managed.
    pub(super) const fn new(quiet: u64) -> Self {
        Self {
            gated: EngineSet::NONE,
            managed: EngineSet::NONE,
            asked: EngineSet::NONE,
            asking: false,
            quiet,
        }
    }

    /// Contents of `ENGINE_QUIET`: nobody waits for engines that nobody manages.
    fn quiet_register(&self) -> u64 {
        if self.managed == EngineSet::NONE {
            0
        } else {
            self.quiet
        }
    }

    /// Whether the OS would want to hear that an engine is quiet.
    const fn wants(&self, engine: u32) -> bool {
        self.managed.contains(engine)
            && !self.gated.contains(engine)
            && !self.asked.contains(engine)
    }

    /// Begins a request if the OS would still want to hear it; whether it does.
    const fn begin(&mut self, engine: u32) -> bool {
        self.asking = self.wants(engine);
        self.asking
    }
}

/// A time in ticks of a clock with this frequency, rounded up; as long as there is if it does not
/// fit.
pub(super) const fn device_ticks(time: Ticks, frequency: u64) -> u64 {
    let seconds = time.0 / TICKS_PER_SECOND;
    let rest = time.0 % TICKS_PER_SECOND;
    let rest = rest.saturating_mul(frequency).div_ceil(TICKS_PER_SECOND);
    seconds.saturating_mul(frequency).saturating_add(rest)
}

impl<P: Platform> Adapter<P> {
    /// `DxgkDdiSetPowerComponentFState` for the component that is a node's engine. Done when this
    /// returns. IRQL: at most DISPATCH_LEVEL.
    pub fn set_f_state(&self, _dispatch: Dispatch<'_>, node: Node, state: FState) {
        let engine = node.ordinal().into();
        let mut power = self.power.lock();
        power.asked = power.asked.without(engine);
        power.gated = match state {
            FState::F0 => power.gated.without(engine),
            FState::F1 => power.gated.with(engine),
        };
        if let Some(_inside) = self.gate.enter() {
            self.write_gate(&power);
        }
    }

    /// `DxgkDdiPowerRuntimeControlRequest` for dxgkrnl's own codes. From `Started` on engines that
    /// are power components may be asked down to F1; when this returns from `Stopped` nobody asks
    /// any more. IRQL: at most DISPATCH_LEVEL.
    pub fn power_notice(&self, _dispatch: Dispatch<'_>, surface: &Surface, notice: Notice) {
        let managed = match notice {
            // The OS knows the components and does not act on them yet.
            Notice::PrepareToStart => return,
            Notice::Started => surface.powered_engines(),
            Notice::Stopped => EngineSet::NONE,
        };
        {
            let mut power = self.power.lock();
            power.managed = managed;
            power.asked = EngineSet::NONE;
            if let Some(_inside) = self.gate.enter() {
                self.platform
                    .write64(offset::ENGINE_QUIET, power.quiet_register());
            }
        }
        // The DPC asks with no lock held; it waits for nobody, so this ends.
        while notice == Notice::Stopped && self.power.lock().asking {
            spin_loop();
        }
    }

    /// Gives a device that has been reset and enabled what the OS wants of it.
    pub(super) fn restore_f_states(&self) {
        let mut power = self.power.lock();
        // The device starts a new idle period for every engine.
        power.asked = EngineSet::NONE;
        if let Some(_inside) = self.gate.enter() {
            self.platform
                .write64(offset::ENGINE_QUIET, power.quiet_register());
            self.write_gate(&power);
        }
    }

    fn write_gate(&self, power: &FStates) {
        self.platform
            .write32(offset::ENGINE_GATE, power.gated.into_bits());
        // The clocks have been told when this read returns.
        let _ = self.platform.read32(offset::ENGINE_CLOCK);
    }

    /// An engine ran and ran dry: a new idle period.
    pub(super) fn engine_idle(&self, engine: u32) {
        let mut power = self.power.lock();
        power.asked = power.asked.without(engine);
    }

    /// Events were lost: any engine may be in a new idle period. A lost report of a quiet engine
    /// stays lost; the OS sees by itself that the engine does nothing, only later.
    pub(super) fn idle_periods_lost(&self) {
        self.power.lock().asked = EngineSet::NONE;
    }

    /// An engine has been idle for long: asks for F1. `false` if the OS could not be told.
    pub(super) fn engine_quiet(&self, dispatch: Dispatch<'_>, engine: u32) -> bool {
        // Looked at twice: the walk through the queues is for those who would be asked only.
        let wanted = self.power.lock().wants(engine);
        if !wanted || self.is_stopped(engine) || self.has_work(engine) {
            return true;
        }
        if !self.power.lock().begin(engine) {
            return true;
        }
        let request = Notification::TransitionToF1 { node: engine };
        let told = self.platform.notify(dispatch, &request);
        let mut power = self.power.lock();
        power.asking = false;
        if told {
            power.asked = power.asked.with(engine);
        }
        told
    }

    /// Whether an engine has been given work since it was reported as quiet: the idle period is
    /// over then, and the end of the next one is reported too.
    fn has_work(&self, engine: u32) -> bool {
        let busy = |queue| {
            self.queue_state(queue) == QueueState::RUNNABLE
                && self.queue_activity(queue) == QueueActivity::BUSY
        };
        let mut found = busy(QueueId(engine));
        self.for_each_on(engine, |queue, _| {
            found = found || busy(queue_id(queue));
        });
        found
    }
}
