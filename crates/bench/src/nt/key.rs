//! Registry keys, read only.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::driver_addr::DriverAddr;
use super::session::with_current;
use super::status::NtStatus;
use super::thunk::{Export, Role};
use crate::verifier::irql::IrqlRange;
use crate::verifier::violation::ViolationKind;

/// `OBJ_KERNEL_HANDLE`
const KERNEL_HANDLE: u32 = 0x200;
/// `KeyValueFullInformation`
const FULL: u32 = 1;
/// `KeyValuePartialInformation`
const PARTIAL: u32 = 2;
/// `REG_DWORD`
const REG_DWORD: u32 = 4;
/// `REG_SZ`
const REG_SZ: u32 = 1;

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export("ZwOpenKey", open as *const ()),
    export("ZwQueryValueKey", query as *const ()),
    export("ZwClose", close as *const ()),
];

const fn export(name: &'static str, target: *const ()) -> Export {
    Export {
        name,
        irql: IrqlRange::PASSIVE,
        role: Role::Kernel,
        target,
    }
}

/// A value's type and bytes.
type Value = (u32, Vec<u8>);

#[derive(Debug, Default)]
struct State {
    /// Values by key path and name, both in upper case.
    keys: BTreeMap<String, BTreeMap<String, Value>>,
    open: BTreeMap<u64, String>,
    handles: u64,
}

/// Registry of a session.
#[derive(Debug, Default)]
pub struct Keys {
    state: Mutex<State>,
}

impl Keys {
    /// Makes the key `path` exist (`\Registry\Machine\...`).
    pub fn add(&self, path: &str) {
        self.state
            .lock()
            .keys
            .entry(path.to_uppercase())
            .or_default();
    }

    /// Sets a value of `kind` (`REG_*`).
    pub fn set(&self, path: &str, name: &str, kind: u32, data: &[u8]) {
        let mut state = self.state.lock();
        let values = state.keys.entry(path.to_uppercase()).or_default();
        values.insert(name.to_uppercase(), (kind, data.to_vec()));
    }

    /// Sets a `REG_DWORD`.
    pub fn set_dword(&self, path: &str, name: &str, value: u32) {
        self.set(path, name, REG_DWORD, &value.to_le_bytes());
    }

    /// Sets a `REG_SZ`.
    pub fn set_string(&self, path: &str, name: &str, value: &str) {
        let units = value.encode_utf16().chain([0]);
        let data: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        self.set(path, name, REG_SZ, &data);
    }

    pub(crate) fn leaks(&self) -> Vec<String> {
        let state = self.state.lock();
        state
            .open
            .values()
            .map(|path| format!("handle to the key {path}"))
            .collect()
    }

    fn value(&self, handle: u64, name: &str) -> Result<Value, NtStatus> {
        let state = self.state.lock();
        let path = state.open.get(&handle).ok_or(NtStatus::INVALID_HANDLE)?;
        let value = state
            .keys
            .get(path)
            .and_then(|values| values.get(&name.to_uppercase()));
        value.cloned().ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)
    }
}

fn misuse(import: &'static str, what: String) {
    with_current(|nt| nt.verifier.report(ViolationKind::Misuse { import, what }));
}

extern "win64" fn open(handle_out: DriverAddr, _access: u32, attributes: DriverAddr) -> NtStatus {
    let root = attributes.offset(8).read::<u64>();
    let name = attributes.offset(16).read_addr().read_unicode_string();
    if attributes.offset(24).read::<u32>() & KERNEL_HANDLE == 0 {
        misuse("ZwOpenKey", format!("{name} without OBJ_KERNEL_HANDLE"));
    }
    let handle = with_current(|nt| {
        let mut state = nt.keys.state.lock();
        let path = match root {
            0 => name.to_uppercase(),
            root => {
                let parent = state.open.get(&root).ok_or(NtStatus::INVALID_HANDLE)?;
                format!("{parent}\\{}", name.to_uppercase())
            }
        };
        if !state.keys.contains_key(&path) {
            return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
        }
        state.handles += 1;
        // Kernel handles have the upper half set and are multiples of four.
        let handle = 0xFFFF_FFFF_8000_0000 + state.handles * 4;
        state.open.insert(handle, path);
        Ok(handle)
    });
    match handle {
        Ok(handle) => {
            handle_out.write(handle);
            NtStatus::SUCCESS
        }
        Err(status) => status,
    }
}

extern "win64" fn query(
    handle: u64,
    name: DriverAddr,
    class: u32,
    out: DriverAddr,
    len: u32,
    needed_out: DriverAddr,
) -> NtStatus {
    let name = name.read_unicode_string();
    let (kind, data) = match with_current(|nt| nt.keys.value(handle, &name)) {
        Ok(value) => value,
        Err(status) => return status,
    };
    let data_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let (header, fixed): (Vec<u8>, usize) = match class {
        PARTIAL => (
            [0, kind, data_len]
                .into_iter()
                .flat_map(u32::to_le_bytes)
                .collect(),
            12,
        ),
        FULL => full_header(kind, data_len, &name),
        _ => return NtStatus::INVALID_PARAMETER,
    };
    let bytes = [header, data].concat();
    needed_out.write(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let room = usize::try_from(len).unwrap_or(usize::MAX);
    if room < fixed {
        return NtStatus::BUFFER_TOO_SMALL;
    }
    out.write_bytes(&bytes[..bytes.len().min(room)]);
    if room < bytes.len() {
        NtStatus::BUFFER_OVERFLOW
    } else {
        NtStatus::SUCCESS
    }
}

/// `KEY_VALUE_FULL_INFORMATION` up to its data, and the size of its fixed part.
fn full_header(kind: u32, data_len: u32, name: &str) -> (Vec<u8>, usize) {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let name_len = u32::try_from(name.len()).unwrap_or(u32::MAX);
    let data_offset = (20 + name_len).next_multiple_of(4);
    let words = [0, kind, data_offset, data_len, name_len];
    let mut header: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    header.extend(name);
    header.resize(usize::try_from(data_offset).unwrap_or(usize::MAX), 0);
    (header, 20)
}

extern "win64" fn close(handle: u64) -> NtStatus {
    let open = with_current(|nt| nt.keys.state.lock().open.remove(&handle));
    if open.is_none() {
        misuse("ZwClose", format!("{handle:#x} is no open handle"));
        return NtStatus::INVALID_HANDLE;
    }
    NtStatus::SUCCESS
}
