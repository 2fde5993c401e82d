//! Idle periods and clocks of engines (`docs/hardware.md` sections 9.3 and 9.5).

use carillon_hw::event::Event;
use carillon_hw::regs::EngineSet;

use super::Device;
use crate::scheduler::Engine;

impl Device {
    fn engine_set(&self, holds: impl Fn(&Engine) -> bool) -> EngineSet {
        let engines = (0_u32..).zip(&self.engines);
        engines.fold(EngineSet::NONE, |set, (ordinal, engine)| {
            if holds(engine) {
                set.with(ordinal)
            } else {
                set
            }
        })
    }

    /// Engines whose clocks may stop.
    pub(crate) fn engine_gate(&self) -> EngineSet {
        self.engine_set(Engine::is_gated)
    }

    /// Engines whose clocks run.
    pub(crate) fn engine_clock(&self) -> EngineSet {
        self.engine_set(Engine::clock_runs)
    }

    /// Says whose clocks may stop. One that may not any more has its queues looked at.
    pub(crate) fn write_engine_gate(&mut self, gate: EngineSet) {
        for index in 0..self.engines.len() {
            let gated = u32::try_from(index).is_ok_and(|ordinal| gate.contains(ordinal));
            let engine = &mut self.engines[index];
            let was = engine.gate(gated);
            engine.stop_clock();
            if was && !gated {
                self.look_at_engine(index);
            }
        }
    }

    /// Takes note of engines that have become idle: their idle periods begin and, if they may,
    /// their clocks stop.
    pub(crate) fn settle_engines(&mut self) {
        for engine in &mut self.engines {
            if engine.begins_idling() {
                engine.idle_since = Some(self.fabric.clock());
            }
            engine.stop_clock();
        }
    }

    /// Reports engines that have been idle for long enough; true if there was one.
    pub(crate) fn report_quiet(&mut self) -> bool {
        if self.quiet == 0 || !self.is_enabled() {
            return false;
        }
        let now = self.clock();
        let mut reported = false;
        for index in 0..self.engines.len() {
            let engine = &mut self.engines[index];
            let since = engine.unreported_idling();
            if since.is_none_or(|since| now.saturating_sub(since) < self.quiet) {
                continue;
            }
            engine.quiet_reported = true;
            reported = true;
            let engine = u32::try_from(index).unwrap_or(u32::MAX);
            self.post(Event::EngineQuiet { engine });
        }
        reported
    }

    /// Device clock at which [`Self::report_quiet`] has something to report next; the last there is
    /// for never.
    pub(crate) fn quiet_at(&self) -> u64 {
        if self.quiet == 0 || !self.is_enabled() {
            return u64::MAX;
        }
        let since = self.engines.iter().filter_map(Engine::unreported_idling);
        let first = since.min();
        first.map_or(u64::MAX, |since| since.saturating_add(self.quiet))
    }
}
