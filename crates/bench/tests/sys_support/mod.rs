//! What the tests share that run the linked driver.

#![allow(dead_code, reason = "each test target uses a part of it")]

use std::path::PathBuf;
use std::sync::Arc;

use carillon_bench::nt::Nt;
use carillon_bench::workload::machine::{Machine, MachineConfig};

/// The driver file.
///
/// # Panics
/// When `CARILLON_SYS` does not name one: these tests do not pass without a driver.
pub(crate) fn sys() -> PathBuf {
    let path = std::env::var_os("CARILLON_SYS").map(PathBuf::from);
    let path = path.expect("CARILLON_SYS names the driver file; `cargo xtask test` sets it");
    assert!(path.is_file(), "no driver at {}", path.display());
    path
}

/// A session, and a machine running in it.
pub(crate) fn boot(config: &MachineConfig) -> (Arc<Nt>, Machine) {
    boot_with(config, |_| {})
}

/// The same, in a session that was prepared before the driver is loaded.
pub(crate) fn boot_with(config: &MachineConfig, prepare: impl FnOnce(&Nt)) -> (Arc<Nt>, Machine) {
    let nt = Nt::new().unwrap();
    prepare(&nt);
    let machine = Machine::boot(&nt, &sys(), config).unwrap_or_else(|error| {
        panic!("{error}\n{}", findings(&nt).join("\n"));
    });
    (nt, machine)
}

/// What the verifier has found, as text.
pub(crate) fn findings(nt: &Nt) -> Vec<String> {
    let violations = nt.verifier.violations();
    violations.iter().map(ToString::to_string).collect()
}

/// Shuts the machine down and expects no finding and no leak.
pub(crate) fn finish(nt: &Nt, machine: Machine) {
    machine.shut_down().unwrap();
    assert_eq!(findings(nt), [""; 0]);
    assert_eq!(nt.verifier.live_pool_blocks(), 0);
}
