//! Loading a driver file as Windows does: map it, call `DriverEntry`, see what came of it.

use std::ffi::c_void;
use std::io;
use std::path::Path;
use std::sync::Arc;

use carillon_ddi::{NTSTATUS, UNICODE_STRING};

use super::driver::Guarded;
use super::registration::Dxgkrnl;
use super::rejected::Rejected;
use crate::loader::{self, Image};
use crate::nt::Nt;
use crate::verifier::irql::Irql;
use crate::verifier::violation::ViolationKind;

/// Bytes of a `DRIVER_OBJECT` on x64.
const DRIVER_OBJECT_BYTES: usize = 336;
/// Offsets in it.
mod driver_object {
    /// `Type` and `Size`.
    pub(super) const HEADER: usize = 0x00;
    pub(super) const DRIVER_START: usize = 0x18;
    pub(super) const DRIVER_SIZE: usize = 0x20;
    pub(super) const DRIVER_INIT: usize = 0x58;
}
/// `IO_TYPE_DRIVER`
const IO_TYPE_DRIVER: u64 = 4;
/// Where Windows keeps the driver's service key.
const SERVICE_KEY: &str = r"\Registry\Machine\System\CurrentControlSet\Services\carillon";

/// Why a driver is not running.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// The file cannot be loaded.
    #[error(transparent)]
    Image(#[from] loader::LoadError),
    /// The bench has no memory.
    #[error("the bench has no memory: {0}")]
    Host(#[from] io::Error),
    /// The driver's table was refused.
    #[error("DxgkInitialize refused the driver: {0}")]
    Refused(Rejected),
    /// `DriverEntry` failed for a reason of its own.
    #[error("DriverEntry returned {0}")]
    Entry(NTSTATUS),
    /// `DriverEntry` succeeded and no table was registered.
    #[error("DriverEntry succeeded without calling DxgkInitialize")]
    NotRegistered,
    /// `DriverEntry` did not return.
    #[error("DriverEntry did not return; the verifier has the reason")]
    Abandoned,
}

/// A loaded and registered driver. Keep it until nothing calls the driver any more.
#[derive(Debug)]
pub struct LoadedDriver {
    image: Image,
    dxgkrnl: Arc<Dxgkrnl>,
    // The driver may keep both: Windows does not move or free them while the driver is loaded.
    _object: Guarded<[u64; DRIVER_OBJECT_BYTES / 8]>,
    _key: Guarded<u16>,
}

type DriverEntry = unsafe extern "win64" fn(*mut c_void, *mut UNICODE_STRING) -> NTSTATUS;

impl LoadedDriver {
    /// Loads the file at `path` into the session `nt` and calls its `DriverEntry`.
    ///
    /// # Errors
    /// What is wrong with the file, or why the driver did not register.
    pub fn load(nt: &Arc<Nt>, path: &Path) -> Result<Self, DriverError> {
        let image = Image::load(path)?;
        let dxgkrnl = Dxgkrnl::new(nt.clone())?;
        let object = Guarded::new(driver_object(&image))?;
        let units: Vec<u16> = SERVICE_KEY.encode_utf16().collect();
        let key = Guarded::from_slice(&units)?;
        let bytes = u16::try_from(2 * units.len()).unwrap_or(u16::MAX);
        let path = Guarded::new(UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: key.as_mut_ptr(),
        })?;
        // SAFETY: the entry point of a driver image is a function of this type.
        let entry = unsafe { std::mem::transmute::<usize, DriverEntry>(image.entry()) };
        let before = object.bytes();
        let status = nt
            .ddi_call("DriverEntry", Irql::PASSIVE, || {
                // SAFETY: both arguments are lent for longer than the call.
                unsafe { entry(object.as_mut_ptr().cast(), path.as_mut_ptr()) }
            })
            .map_err(|_| DriverError::Abandoned)?;
        if object.bytes() != before {
            let what = "DriverEntry wrote to the driver object, which belongs to the port driver";
            nt.verifier.report(ViolationKind::Contract(what.into()));
        }
        check_status(&dxgkrnl, status)?;
        image.discard_init()?;
        Ok(Self {
            image,
            dxgkrnl,
            _object: object,
            _key: key,
        })
    }

    /// The mapped file.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The graphics kernel that the driver registered with.
    pub fn dxgkrnl(&self) -> &Arc<Dxgkrnl> {
        &self.dxgkrnl
    }
}

/// `DriverEntry` returns what registration returned, unchanged.
fn check_status(dxgkrnl: &Dxgkrnl, status: NTSTATUS) -> Result<(), DriverError> {
    if let Some(rejected) = dxgkrnl.refusal() {
        if status != NTSTATUS::STATUS_REVISION_MISMATCH {
            let what = format!("DriverEntry returned {status}, not what DxgkInitialize returned");
            dxgkrnl.nt().verifier.report(ViolationKind::Contract(what));
        }
        return Err(DriverError::Refused(rejected));
    }
    if !status.is_success() {
        return Err(DriverError::Entry(status));
    }
    match dxgkrnl.driver() {
        Some(_) => Ok(()),
        None => Err(DriverError::NotRegistered),
    }
}

/// A driver object for `image` as the I/O manager fills it.
fn driver_object(image: &Image) -> [u64; DRIVER_OBJECT_BYTES / 8] {
    let mut words = [0; DRIVER_OBJECT_BYTES / 8];
    words[driver_object::HEADER / 8] = IO_TYPE_DRIVER | (DRIVER_OBJECT_BYTES as u64) << 16;
    words[driver_object::DRIVER_START / 8] = image.base() as u64;
    words[driver_object::DRIVER_SIZE / 8] = u64::from(image.info().image_size);
    words[driver_object::DRIVER_INIT / 8] = image.entry() as u64;
    words
}
