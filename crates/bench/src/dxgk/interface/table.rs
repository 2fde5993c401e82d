//! The table of callbacks.

use std::mem::offset_of;
use std::sync::OnceLock;

use carillon_ddi::{DXGKDDI_INTERFACE_VERSION_WDDM3_2, DXGKRNL_INTERFACE};

use super::unmodelled::UNMODELLED;
use super::{device, interrupt, memory, objects, power, services};
use crate::dxgk::handle::OsHandle;
use crate::nt::thunk::{self, Export, Role};
use crate::verifier::irql::{Irql, IrqlRange};

/// Words in the table.
const WORDS: usize = size_of::<DXGKRNL_INTERFACE>() / 8;

static ADDRESSES: OnceLock<Option<Vec<(usize, usize)>>> = OnceLock::new();

/// Callbacks for which it does not matter what locks the driver holds: the interrupt routine is
/// entered with the interrupt lock held, and the notification path is one critical section by
/// design. The level that each demands keeps every other lock away.
const UNDER_LOCKS: [&str; 3] = [
    "DxgkCbNotifyInterrupt",
    "DxgkCbQueueDpc",
    "DxgkCbSynchronizeExecution",
];

macro_rules! callback {
    ($member:ident, $irql:expr, $target:expr) => {
        (
            offset_of!(DXGKRNL_INTERFACE, $member),
            stringify!($member),
            $irql,
            $target as *const (),
        )
    };
}

type Entry = (usize, &'static str, IrqlRange, *const ());

/// contract: VIC-001
fn modelled() -> Vec<Entry> {
    const PASSIVE: IrqlRange = IrqlRange::PASSIVE;
    const APC: IrqlRange = IrqlRange::UP_TO_APC;
    const DISPATCH: IrqlRange = IrqlRange::UP_TO_DISPATCH;
    let only = IrqlRange::exactly;
    vec![
        callback!(DxgkCbEvalAcpiMethod, PASSIVE, device::eval_acpi_method),
        callback!(
            DxgkCbGetDeviceInformation,
            PASSIVE,
            device::get_device_information
        ),
        callback!(DxgkCbMapMemory, PASSIVE, device::map_memory),
        callback!(DxgkCbUnmapMemory, PASSIVE, device::unmap_memory),
        callback!(DxgkCbReadDeviceSpace, PASSIVE, device::read_device_space),
        callback!(DxgkCbWriteDeviceSpace, PASSIVE, device::write_device_space),
        callback!(DxgkCbIsDevicePresent, PASSIVE, device::is_device_present),
        callback!(DxgkCbQueueDpc, IrqlRange::ANY, interrupt::queue_dpc),
        callback!(
            DxgkCbSynchronizeExecution,
            DISPATCH,
            interrupt::synchronize_execution
        ),
        callback!(
            DxgkCbNotifyInterrupt,
            only(Irql::DEVICE),
            interrupt::notify_interrupt
        ),
        callback!(DxgkCbNotifyDpc, only(Irql::DISPATCH), interrupt::notify_dpc),
        callback!(DxgkCbQueryServices, PASSIVE, services::query_services),
        callback!(
            DxgkCbIsFeatureEnabled,
            PASSIVE,
            services::is_feature_enabled
        ),
        callback!(
            DxgkCbAllocateContiguousMemory,
            PASSIVE,
            memory::allocate_contiguous_memory
        ),
        callback!(
            DxgkCbFreeContiguousMemory,
            PASSIVE,
            memory::free_contiguous_memory
        ),
        callback!(
            DxgkCbDisconnectDoorbell,
            PASSIVE,
            objects::disconnect_doorbell
        ),
        callback!(
            DxgkCbInvalidateHwContext,
            PASSIVE,
            objects::invalidate_hw_context
        ),
        callback!(DxgkCbGetHandleData, APC, objects::get_handle_data),
        callback!(DxgkCbGetHandleParent, APC, objects::get_handle_parent),
        callback!(
            DxgkCbEnumHandleChildren,
            PASSIVE,
            objects::enum_handle_children
        ),
        callback!(DxgkCbAcquireHandleData, APC, objects::acquire_handle_data),
        callback!(DxgkCbReleaseHandleData, APC, objects::release_handle_data),
        callback!(DxgkCbSetPowerComponentActive, PASSIVE, power::set_active),
        callback!(DxgkCbSetPowerComponentIdle, DISPATCH, power::set_idle),
        callback!(DxgkCbSetPowerComponentLatency, DISPATCH, power::set_latency),
        callback!(
            DxgkCbSetPowerComponentResidency,
            DISPATCH,
            power::set_residency
        ),
        callback!(
            DxgkCbCompleteFStateTransition,
            DISPATCH,
            power::complete_f_state
        ),
        callback!(
            DxgkCbPowerRuntimeControlRequest,
            DISPATCH,
            power::control_request
        ),
        callback!(DxgkCbLogEtwEvent, IrqlRange::ANY, power::log_etw_event),
    ]
}

fn addresses() -> Option<Vec<(usize, usize)>> {
    let refused = UNMODELLED
        .iter()
        .map(|(name, offset, target)| (*offset, *name, IrqlRange::ANY, *target as *const ()));
    let entries: Vec<Entry> = modelled().into_iter().chain(refused).collect();
    let export = |&(_, name, irql, target): &Entry| {
        let role = if UNDER_LOCKS.contains(&name) {
            Role::Kernel
        } else {
            Role::Callback
        };
        Export {
            name,
            irql,
            role,
            target,
        }
    };
    let exports: Vec<Export> = entries.iter().map(export).collect();
    // SAFETY: each target is a `win64` function with the parameters of the callback whose member
    // it goes to; those that refuse look at none.
    let thunks = unsafe { thunk::make(&exports) }.ok()?;
    Some(entries.iter().map(|entry| entry.0).zip(thunks).collect())
}

/// The table for the adapter whose handle is `adapter`; `None` without memory for thunks.
pub fn interface(adapter: OsHandle) -> Option<DXGKRNL_INTERFACE> {
    let addresses = ADDRESSES.get_or_init(addresses).as_ref()?;
    let mut words = [0u64; WORDS];
    for (offset, address) in addresses {
        words[offset / 8] = *address as u64;
    }
    // SAFETY: the structure is two integers, a handle and optional function pointers; the
    // addresses are those of thunks for functions of the members' types.
    let table = unsafe { std::mem::transmute::<[u64; WORDS], DXGKRNL_INTERFACE>(words) };
    Some(DXGKRNL_INTERFACE {
        Size: u32::try_from(size_of::<DXGKRNL_INTERFACE>()).unwrap_or(u32::MAX),
        Version: DXGKDDI_INTERFACE_VERSION_WDDM3_2,
        DeviceHandle: adapter.raw(),
        ..table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_a_function() {
        let table = interface(OsHandle::fresh()).unwrap();
        // SAFETY: the sizes are equal and every value is a number.
        let words = unsafe { std::mem::transmute::<DXGKRNL_INTERFACE, [u64; WORDS]>(table) };
        let empty: Vec<_> = (0..WORDS).filter(|index| words[*index] == 0).collect();
        assert_eq!(empty, [], "words of DXGKRNL_INTERFACE without a function");
    }
}
