//! Clocks and delays.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::driver_addr::{DriverAddr, Narrow};
use super::event;
use super::session::with_current;
use super::status::NtStatus;
use super::thunk::{Export, Role};
use crate::verifier::irql::{Irql, IrqlRange};

/// Ticks of the performance counter per second.
const COUNTER_HZ: i64 = 10_000_000;
/// Seconds from 1601 to 1970, the epochs of Windows and Unix.
const EPOCH_SECONDS: u64 = 11_644_473_600;

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export(
        "KeQueryPerformanceCounter",
        IrqlRange::ANY,
        performance_counter as *const (),
    ),
    export(
        "KeQueryInterruptTimePrecise",
        IrqlRange::ANY,
        interrupt_time as *const (),
    ),
    export(
        "KeQuerySystemTimePrecise",
        IrqlRange::ANY,
        system_time as *const (),
    ),
    export(
        "KeDelayExecutionThread",
        IrqlRange::up_to(Irql::APC),
        delay as *const (),
    ),
    export(
        "KeStallExecutionProcessor",
        IrqlRange::ANY,
        stall as *const (),
    ),
];

const fn export(name: &'static str, irql: IrqlRange, target: *const ()) -> Export {
    Export {
        name,
        irql,
        role: Role::Kernel,
        target,
    }
}

/// 100 ns units in `duration`.
fn units(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos() / 100).unwrap_or(u64::MAX)
}

/// Units of 100 ns since the process asked first.
fn ticks() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    units(START.get_or_init(Instant::now).elapsed()) + 1
}

/// Units of 100 ns since 1601.
fn now() -> u64 {
    let unix = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    units(unix + Duration::from_secs(EPOCH_SECONDS))
}

/// A kernel time-out: relative when negative, otherwise a system time.
pub(super) fn timeout(value: i64) -> Duration {
    let wanted = match u64::try_from(value) {
        Ok(0) => 0,
        Ok(absolute) => absolute.saturating_sub(now()).max(1),
        Err(_) => value.unsigned_abs(),
    };
    Duration::from_micros(wanted / 10) + Duration::from_nanos(wanted % 10 * 100)
}

extern "win64" fn performance_counter(frequency: DriverAddr) -> u64 {
    if !frequency.is_null() {
        frequency.write(COUNTER_HZ);
    }
    ticks()
}

extern "win64" fn interrupt_time(counter: DriverAddr) -> u64 {
    let ticks = ticks();
    if !counter.is_null() {
        counter.write(ticks);
    }
    ticks
}

extern "win64" fn system_time(time: DriverAddr) {
    time.write(now());
}

extern "win64" fn delay(_mode: Narrow, _alertable: Narrow, interval: DriverAddr) -> NtStatus {
    let wanted = timeout(interval.read::<i64>());
    with_current(|nt| {
        event::wait_until(nt, "KeDelayExecutionThread", interval, Some(wanted), || {
            false
        })
    });
    NtStatus::SUCCESS
}

extern "win64" fn stall(microseconds: u32) {
    let end = Instant::now() + Duration::from_micros(microseconds.into());
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_and_absolute_timeouts() {
        assert_eq!(timeout(0), Duration::ZERO);
        assert_eq!(timeout(-1), Duration::from_nanos(100));
        assert_eq!(timeout(-10_000_000), Duration::from_secs(1));
        assert_eq!(timeout(1), Duration::from_nanos(100), "a time in the past");
    }
}
