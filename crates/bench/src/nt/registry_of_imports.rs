//! Which kernel functions the model has: name to address.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::thunk::{self, Export};
use super::{etw, event, io, key, memory, misc, mutex, pool, push_lock, rundown, spin, time};

/// Modules whose functions the model has.
const MODULES: [&str; 2] = ["ntoskrnl.exe", "hal.dll"];

static TABLE: OnceLock<HashMap<&'static str, usize>> = OnceLock::new();

fn build() -> HashMap<&'static str, usize> {
    let sets: [&[Export]; 12] = [
        pool::EXPORTS,
        spin::EXPORTS,
        mutex::EXPORTS,
        push_lock::EXPORTS,
        event::EXPORTS,
        rundown::EXPORTS,
        time::EXPORTS,
        memory::EXPORTS,
        io::EXPORTS,
        key::EXPORTS,
        etw::EXPORTS,
        misc::EXPORTS,
    ];
    let exports = sets.concat();
    // SAFETY: every set lists `win64` functions with the parameters of the kernel's functions of
    // those names.
    let addresses = unsafe { thunk::make(&exports) }.unwrap_or_default();
    let checked = exports.iter().map(|export| export.name).zip(addresses);
    // What compilers call on their own is not a kernel entry and may be called at any level.
    let direct = misc::DIRECT
        .iter()
        .map(|(name, target)| (*name, *target as usize));
    checked.chain(direct).collect()
}

/// The address of `module!name`, if the model has it.
pub fn resolve(module: &str, name: &str) -> Option<usize> {
    if !MODULES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(module))
    {
        return None;
    }
    TABLE.get_or_init(build).get(name).copied()
}

/// Names of all functions that the model has, sorted.
pub fn known() -> Vec<&'static str> {
    let mut names: Vec<_> = TABLE.get_or_init(build).keys().copied().collect();
    names.sort_unstable();
    names
}
