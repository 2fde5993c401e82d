//! Registration: the routine that the port driver hands out, and what it refuses.
//!
//! `DriverEntry` opens the port driver's device, asks it for the routine and calls it with its
//! table. The routine copies the part of the table that belongs to the declared version.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, OnceLock, Weak};

use carillon_ddi::{
    DRIVER_INITIALIZATION_DATA, DXGKDDI_INTERFACE_VERSION_WDDM3_2, NTSTATUS, SLOTS,
};
use parking_lot::Mutex;

use super::driver::Driver;
use super::rejected::{Rejected, Rule};
use crate::nt::session::with_current;
use crate::nt::thunk::{self, Export, Role};
use crate::nt::{DriverAddr, Nt};
use crate::verifier::irql::IrqlRange;
use crate::verifier::violation::ViolationKind;

/// Words in the table.
const WORDS: usize = size_of::<DRIVER_INITIALIZATION_DATA>() / 8;

const VERSION: Rule = Rule::new(
    "has to be DXGKDDI_INTERFACE_VERSION_WDDM3_2 (0x11007): an OS refuses what is newer than \
     itself, and reads no slot of a block that the declared version does not have, so that an \
     older one silently loses native fences and doorbells",
    "driverentry-of-display-miniport-driver; observed: slots above the declared version are never \
     called",
);
const GPU_VA_SLOT: Rule = Rule::new(
    "must not be NULL in a driver with GPU virtual addressing",
    "observed: DxgkInitialize returns STATUS_REVISION_MISMATCH, before it looks at other slots",
);
const BASE_SLOT: Rule = Rule::new(
    "must not be NULL: the slot belongs to the base block",
    "observed: DxgkInitialize returns STATUS_REVISION_MISMATCH",
);
/// Entry points without which GPU virtual addresses cannot be managed.
const GPU_VA_SLOTS: [&str; 5] = [
    "DxgkDdiCreateProcess",
    "DxgkDdiDestroyProcess",
    "DxgkDdiSetRootPageTable",
    "DxgkDdiGetRootPageTableSize",
    "DxgkDdiSubmitCommandVirtual",
];

/// The graphics kernel of one session.
#[derive(Debug)]
pub struct Dxgkrnl {
    nt: Arc<Nt>,
    driver: Mutex<Option<Arc<Driver>>>,
    refusal: Mutex<Option<Rejected>>,
}

static SESSIONS: Mutex<BTreeMap<usize, Weak<Dxgkrnl>>> = Mutex::new(BTreeMap::new());
static ROUTINE: OnceLock<Option<usize>> = OnceLock::new();

/// The address of the registration routine.
fn routine() -> Option<usize> {
    let export = Export {
        name: "DxgkInitialize",
        irql: IrqlRange::PASSIVE,
        role: Role::Callback,
        target: dxgk_initialize as *const (),
    };
    // SAFETY: the target is a `win64` function with the parameters of `DxgkInitialize`.
    *ROUTINE.get_or_init(|| unsafe { thunk::make(&[export]) }.ok()?.first().copied())
}

impl Dxgkrnl {
    /// Makes the graphics kernel of `nt`, ready for a driver to register.
    ///
    /// # Errors
    /// When the host has no memory for the routine's entry.
    pub fn new(nt: Arc<Nt>) -> io::Result<Arc<Self>> {
        let routine = routine().ok_or(io::ErrorKind::OutOfMemory)?;
        nt.io_objects.set_dxgk_initialize(routine as u64);
        let key = Arc::as_ptr(&nt).addr();
        let this = Arc::new(Self {
            nt,
            driver: Mutex::default(),
            refusal: Mutex::default(),
        });
        SESSIONS.lock().insert(key, Arc::downgrade(&this));
        Ok(this)
    }

    /// The session.
    pub fn nt(&self) -> &Arc<Nt> {
        &self.nt
    }

    /// The driver that registered, if one did.
    pub fn driver(&self) -> Option<Arc<Driver>> {
        self.driver.lock().clone()
    }

    /// Why the last registration was refused, if it was.
    pub fn refusal(&self) -> Option<Rejected> {
        self.refusal.lock().clone()
    }

    /// Takes a table over, as the registration routine does.
    ///
    /// # Errors
    /// The rule that the table breaks; the driver gets `STATUS_REVISION_MISMATCH`.
    pub fn register(&self, table: DRIVER_INITIALIZATION_DATA) -> Result<(), Rejected> {
        let checked = check(&table);
        self.refusal
            .lock()
            .clone_from(&checked.as_ref().err().cloned());
        checked?;
        let before = self
            .driver
            .lock()
            .replace(Driver::new(self.nt.clone(), table));
        if before.is_some() {
            let what = String::from("DxgkInitialize called twice");
            self.nt.verifier.report(ViolationKind::Contract(what));
        }
        Ok(())
    }
}

impl Drop for Dxgkrnl {
    fn drop(&mut self) {
        SESSIONS.lock().remove(&Arc::as_ptr(&self.nt).addr());
    }
}

/// Judges a table.
fn check(table: &DRIVER_INITIALIZATION_DATA) -> Result<(), Rejected> {
    let version = table.Version;
    let known = version == DXGKDDI_INTERFACE_VERSION_WDDM3_2;
    VERSION.demand(known, "Version", format_args!("{version:#x}"))?;
    let filled = table.filled();
    let null = |rule: Rule, wanted: &dyn Fn(&carillon_ddi::Slot) -> bool| {
        let missing = SLOTS
            .iter()
            .zip(filled)
            .find(|(slot, filled)| !filled && wanted(slot));
        missing.map_or(Ok(()), |(slot, _)| Err(rule.broken(slot.name, "NULL")))
    };
    null(GPU_VA_SLOT, &|slot| GPU_VA_SLOTS.contains(&slot.name))?;
    null(BASE_SLOT, &|slot| slot.is_base())
}

/// Copies the part of the table at `address` that belongs to the version it declares.
fn copy_table(address: DriverAddr) -> DRIVER_INITIALIZATION_DATA {
    let mut words = [0u64; WORDS];
    let version = address.read::<u32>();
    words[0] = u64::from(version);
    for slot in SLOTS.iter().filter(|slot| slot.min_version <= version) {
        words[slot.offset / 8] = address.offset(slot.offset as u64).read::<u64>();
    }
    // SAFETY: the structure is a 32-bit version, padding, and 192 pointers or optional function
    // pointers, for each of which every value is one.
    unsafe { std::mem::transmute::<[u64; WORDS], DRIVER_INITIALIZATION_DATA>(words) }
}

extern "win64" fn dxgk_initialize(
    driver_object: DriverAddr,
    registry_path: DriverAddr,
    table: DriverAddr,
) -> NTSTATUS {
    if driver_object.is_null() || registry_path.is_null() || table.is_null() {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    }
    let key = with_current(|nt| std::ptr::from_ref(nt).addr());
    let dxgkrnl = SESSIONS.lock().get(&key).and_then(Weak::upgrade);
    let Some(dxgkrnl) = dxgkrnl else {
        return NTSTATUS::STATUS_DEVICE_NOT_READY;
    };
    match dxgkrnl.register(copy_table(table)) {
        Ok(()) => NTSTATUS::STATUS_SUCCESS,
        Err(_) => NTSTATUS::STATUS_REVISION_MISMATCH,
    }
}
