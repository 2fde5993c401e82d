//! Event tracing: providers of the driver and what they wrote.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::driver_addr::{DriverAddr, Narrow};
use super::session::with_current;
use super::status::NtStatus;
use super::thunk::{Export, Role};
use crate::verifier::irql::IrqlRange;
use crate::verifier::violation::ViolationKind;

/// Events kept; older ones go first.
const KEPT: usize = 65_536;

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export("EtwRegister", IrqlRange::PASSIVE, register as *const ()),
    export("EtwUnregister", IrqlRange::PASSIVE, unregister as *const ()),
    export(
        "EtwSetInformation",
        IrqlRange::PASSIVE,
        set_information as *const (),
    ),
    export("EtwWrite", IrqlRange::ANY, write as *const ()),
    export(
        "EtwWriteTransfer",
        IrqlRange::ANY,
        write_transfer as *const (),
    ),
    export(
        "EtwProviderEnabled",
        IrqlRange::ANY,
        provider_enabled as *const (),
    ),
    export(
        "EtwEventEnabled",
        IrqlRange::ANY,
        event_enabled as *const (),
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

/// One event as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The provider's GUID, as it is in memory.
    pub provider: [u8; 16],
    /// Event id.
    pub id: u16,
    /// Level (1 critical to 5 verbose).
    pub level: u8,
    /// Opcode.
    pub opcode: u8,
    /// Task.
    pub task: u16,
    /// Keywords.
    pub keyword: u64,
    /// The data items.
    pub data: Vec<Vec<u8>>,
}

#[derive(Debug, Default)]
struct State {
    providers: BTreeMap<u64, [u8; 16]>,
    handles: u64,
    disabled: bool,
    events: std::collections::VecDeque<Event>,
}

/// Event tracing of a session. Every provider is enabled until [`Etw::set_enabled`] says otherwise.
#[derive(Debug, Default)]
pub struct Etw {
    state: Mutex<State>,
}

impl Etw {
    /// Whether providers are told that somebody listens.
    pub fn set_enabled(&self, enabled: bool) {
        self.state.lock().disabled = !enabled;
    }

    /// The events written so far, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.state.lock().events.iter().cloned().collect()
    }

    pub(crate) fn leaks(&self) -> Vec<String> {
        let state = self.state.lock();
        let provider =
            |guid: &[u8; 16]| format!("event provider {:032x}", u128::from_le_bytes(*guid));
        state.providers.values().map(provider).collect()
    }
}

extern "win64" fn register(
    guid: DriverAddr,
    _callback: DriverAddr,
    _context: DriverAddr,
    handle_out: DriverAddr,
) -> NtStatus {
    let mut provider = [0; 16];
    provider.copy_from_slice(&guid.read_bytes(16));
    let handle = with_current(|nt| {
        let mut state = nt.etw.state.lock();
        state.handles += 1;
        let handle = state.handles;
        state.providers.insert(handle, provider);
        handle
    });
    handle_out.write(handle);
    NtStatus::SUCCESS
}

extern "win64" fn unregister(handle: u64) -> NtStatus {
    with_current(|nt| {
        if nt.etw.state.lock().providers.remove(&handle).is_some() {
            return NtStatus::SUCCESS;
        }
        let what = format!("{handle:#x} is no registration");
        nt.verifier.report(ViolationKind::Misuse {
            import: "EtwUnregister",
            what,
        });
        NtStatus::INVALID_HANDLE
    })
}

extern "win64" fn set_information(_handle: u64) -> NtStatus {
    NtStatus::SUCCESS
}

extern "win64" fn write(
    handle: u64,
    descriptor: DriverAddr,
    _activity: DriverAddr,
    count: u32,
    data: DriverAddr,
) -> NtStatus {
    record(handle, descriptor, count, data)
}

extern "win64" fn write_transfer(
    handle: u64,
    descriptor: DriverAddr,
    _activity: DriverAddr,
    _related: DriverAddr,
    count: u32,
    data: DriverAddr,
) -> NtStatus {
    record(handle, descriptor, count, data)
}

fn record(handle: u64, descriptor: DriverAddr, count: u32, data: DriverAddr) -> NtStatus {
    let provider = with_current(|nt| nt.etw.state.lock().providers.get(&handle).copied());
    let Some(provider) = provider else {
        return NtStatus::INVALID_HANDLE;
    };
    let item = |i: u64| {
        let item = data.offset(16 * i);
        item.read_addr()
            .read_bytes(usize::try_from(item.offset(8).read::<u32>()).unwrap_or(0))
    };
    let event = Event {
        provider,
        id: descriptor.read(),
        level: descriptor.offset(4).read(),
        opcode: descriptor.offset(5).read(),
        task: descriptor.offset(6).read(),
        keyword: descriptor.offset(8).read(),
        data: (0..u64::from(count)).map(item).collect(),
    };
    with_current(|nt| {
        let events = &mut nt.etw.state.lock().events;
        events.push_back(event);
        if events.len() > KEPT {
            events.pop_front();
        }
    });
    NtStatus::SUCCESS
}

extern "win64" fn provider_enabled(handle: u64, _level: Narrow, _keyword: u64) -> u8 {
    is_enabled(handle)
}

extern "win64" fn event_enabled(handle: u64, _descriptor: DriverAddr) -> u8 {
    is_enabled(handle)
}

fn is_enabled(handle: u64) -> u8 {
    with_current(|nt| {
        let state = nt.etw.state.lock();
        (!state.disabled && state.providers.contains_key(&handle)).into()
    })
}
