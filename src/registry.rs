//! The adapter's software key: where an administrator's settings are.
//!
//! The key is opened by the path that dxgkrnl answers to a display miniport
//! (`DXGK_DEVICE_INFO::DeviceRegistryPath`). `IoOpenDeviceRegistryKey` would need the physical
//! device object kept from add to start, and leads to the same key. Whatever goes wrong here, the
//! defaults are good.

use core::ptr;

use carillon_core::adapter::{SettingName, Settings, Stored};
use carillon_core::irql::Passive;
use wdk_sys::_KEY_VALUE_INFORMATION_CLASS::KeyValuePartialInformation;
use wdk_sys::ntddk::{ZwClose, ZwOpenKey, ZwQueryValueKey};
use wdk_sys::{HANDLE, OBJECT_ATTRIBUTES, UNICODE_STRING};

use crate::dxgkrnl::Dxgkrnl;

/// `KEY_QUERY_VALUE`.
const QUERY_VALUE: u32 = 0x0001;
/// `OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE`.
const ATTRIBUTES: u32 = 0x0000_0240;
/// `REG_DWORD`.
const REG_DWORD: u32 = 4;
/// `STATUS_OBJECT_NAME_NOT_FOUND`.
const NOT_FOUND: i32 = 0xC000_0034_u32.cast_signed();
/// Room for the longest name.
const NAME_UNITS: usize = 32;

/// `KEY_VALUE_PARTIAL_INFORMATION` with the data of a `REG_DWORD`. Page
/// `ns-wdm-_key_value_partial_information`.
#[repr(C)]
#[derive(Default)]
struct DwordValue {
    title_index: u32,
    kind: u32,
    data_length: u32,
    data: u32,
}

#[expect(clippy::cast_possible_truncation, reason = "16")]
const VALUE_BYTES: u32 = size_of::<DwordValue>() as u32;

/// What the administrator has set; the defaults where that cannot be read.
pub(crate) fn settings(passive: Passive<'_>, dxgkrnl: &Dxgkrnl) -> Settings {
    let key = dxgkrnl
        .device_information(passive)
        .ok()
        .and_then(|information| {
            let path = information.DeviceRegistryPath;
            let mut path = UNICODE_STRING {
                Length: path.Length,
                MaximumLength: path.MaximumLength,
                Buffer: path.Buffer,
            };
            // SAFETY: dxgkrnl's answer of a line above, valid during start (page
            // `nc-dispmprt-dxgkcb_get_device_information`).
            unsafe { Key::open(passive, &mut path) }
        });
    key.map_or_else(Settings::default, |key| {
        Settings::read(|name| key.value(passive, name))
    })
}

/// An open registry key; closed when dropped, at PASSIVE_LEVEL.
struct Key(HANDLE);

impl Key {
    /// `None` for an empty path, and when the key cannot be opened.
    ///
    /// # Safety
    /// `path` describes `Length` readable bytes, or none.
    unsafe fn open(_passive: Passive<'_>, path: &mut UNICODE_STRING) -> Option<Self> {
        if path.Buffer.is_null() || path.Length == 0 {
            return None;
        }
        let mut attributes = OBJECT_ATTRIBUTES {
            #[expect(clippy::cast_possible_truncation, reason = "48")]
            Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
            RootDirectory: ptr::null_mut(),
            ObjectName: path,
            Attributes: ATTRIBUTES,
            SecurityDescriptor: ptr::null_mut(),
            SecurityQualityOfService: ptr::null_mut(),
        };
        let mut handle = ptr::null_mut();
        // SAFETY: PASSIVE_LEVEL; attributes and output are ours, the name is the caller's, who
        // vouches for it (page `nf-wdm-zwopenkey`).
        let status = unsafe { ZwOpenKey(&raw mut handle, QUERY_VALUE, &raw mut attributes) };
        // Only a key that was opened exists, and is closed.
        (status >= 0).then(|| Self(handle))
    }

    fn value(&self, _passive: Passive<'_>, name: SettingName) -> Stored {
        let mut units = [0; NAME_UNITS];
        let mut length = 0_u16;
        for (unit, byte) in units.iter_mut().zip(name.as_str().bytes()) {
            *unit = u16::from(byte);
            length += 2;
        }
        let mut name = UNICODE_STRING {
            Length: length,
            MaximumLength: length,
            Buffer: units.as_mut_ptr(),
        };
        let mut value = DwordValue::default();
        let mut needed = 0;
        // SAFETY: PASSIVE_LEVEL; the key is open (`self`), name, buffer and output are ours and as
        // long as stated (page `nf-wdm-zwqueryvaluekey`).
        let status = unsafe {
            ZwQueryValueKey(
                self.0,
                &raw mut name,
                KeyValuePartialInformation,
                (&raw mut value).cast(),
                VALUE_BYTES,
                &raw mut needed,
            )
        };
        let of_dword = value.kind == REG_DWORD && value.data_length == u32::BITS / 8;
        match status {
            NOT_FOUND => Stored::Absent,
            0.. if of_dword => Stored::Dword(value.data),
            _ => Stored::Unusable,
        }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: opened by `open` and closed nowhere else (page `nf-ntifs-zwclose`). A failure
        // leaves nothing to do.
        let _ = unsafe { ZwClose(self.0) };
    }
}
