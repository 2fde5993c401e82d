//! What the driver is told of the machine: `DXGK_DEVICE_INFO` and its resource list.

use std::mem::offset_of;

use carillon_ddi::{
    CM_PARTIAL_RESOURCE_DESCRIPTOR, CM_PARTIAL_RESOURCE_DESCRIPTOR_u,
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory, CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt,
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt_Translated, CM_RESOURCE_INTERRUPT_LATCHED,
    CM_RESOURCE_INTERRUPT_MESSAGE, CM_RESOURCE_TYPE, DXGK_DEVICE_INFO, INTERFACE_TYPE,
    PHYSICAL_ADDRESS,
};

use super::Adapter;
use crate::device::{BarRange, Device, VECTOR};
use crate::nt::Nt;
use crate::verifier::irql::Irql;

/// Registry path of the adapter's software key, as Windows makes it: `DeviceRegistryPath`. Every
/// adapter of a session has the same one.
pub const SOFTWARE_KEY: &str = r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}\0000";
/// `CM_RESOURCE_MEMORY_PREFETCHABLE`
const PREFETCHABLE: u16 = 0x0004;
/// BARs and one message.
const RESOURCES: usize = 4;

/// `CM_RESOURCE_LIST` with all of its descriptors.
#[repr(C)]
struct ResourceList {
    count: u32,
    interface: INTERFACE_TYPE,
    bus: u32,
    version: u16,
    revision: u16,
    descriptors: u32,
    partial: [CM_PARTIAL_RESOURCE_DESCRIPTOR; RESOURCES],
}

const _: () = assert!(size_of::<ResourceList>() == 20 + 20 * RESOURCES);

/// What a driver gets by pointers in `DXGK_DEVICE_INFO`; lives as long as the adapter.
pub struct Resources {
    list: Box<ResourceList>,
    path: Box<[u16]>,
    memory_bytes: u64,
    highest_address: u64,
}

// SAFETY: nothing is changed after construction; the pointers in the list's unions are none.
unsafe impl Send for Resources {}
// SAFETY: as for `Send`.
unsafe impl Sync for Resources {}

fn memory(bar: BarRange) -> CM_PARTIAL_RESOURCE_DESCRIPTOR {
    CM_PARTIAL_RESOURCE_DESCRIPTOR {
        Type: CM_RESOURCE_TYPE::CmResourceTypeMemory.0,
        ShareDisposition: 1,
        Flags: if bar.prefetchable { PREFETCHABLE } else { 0 },
        u: CM_PARTIAL_RESOURCE_DESCRIPTOR_u {
            Memory: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory {
                Start: PHYSICAL_ADDRESS::new(bar.base.0),
                Length: u32::try_from(bar.len).unwrap_or(u32::MAX),
            },
        },
    }
}

fn message() -> CM_PARTIAL_RESOURCE_DESCRIPTOR {
    CM_PARTIAL_RESOURCE_DESCRIPTOR {
        Type: CM_RESOURCE_TYPE::CmResourceTypeInterrupt.0,
        ShareDisposition: 1,
        Flags: CM_RESOURCE_INTERRUPT_LATCHED | CM_RESOURCE_INTERRUPT_MESSAGE,
        u: CM_PARTIAL_RESOURCE_DESCRIPTOR_u {
            MessageInterrupt: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt {
                Translated: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt_Translated {
                    Level: u32::from(Irql::DEVICE.level()),
                    Vector: VECTOR,
                    Affinity: 1,
                },
            },
        },
    }
}

impl Resources {
    /// The resources of `device` in the machine of `nt`.
    pub(crate) fn new(device: &Device, nt: &Nt) -> Self {
        nt.keys.add(SOFTWARE_KEY);
        let [registers, doorbells, vram] = device.bars().map(memory);
        let list = ResourceList {
            count: 1,
            interface: INTERFACE_TYPE::PCIBus,
            bus: 0,
            version: 1,
            revision: 1,
            descriptors: u32::try_from(RESOURCES).unwrap_or(0),
            partial: [registers, doorbells, vram, message()],
        };
        Self {
            list: Box::new(list),
            path: SOFTWARE_KEY.encode_utf16().chain([0]).collect(),
            memory_bytes: nt.memory.len(),
            highest_address: nt.memory.base().0 + nt.memory.len() - 1,
        }
    }

    /// Highest physical address of memory.
    pub(crate) fn highest_address(&self) -> u64 {
        self.highest_address
    }

    /// `DXGK_DEVICE_INFO` for `adapter`, as words.
    pub(crate) fn device_info(&self, adapter: &Adapter) -> [u64; 10] {
        type Info = DXGK_DEVICE_INFO;
        let mut words = [0u64; size_of::<Info>() / 8];
        let units = self.path.len() - 1;
        let path_bytes = u64::try_from(2 * units).unwrap_or(0);
        let path = offset_of!(Info, DeviceRegistryPath) / 8;
        words[offset_of!(Info, MiniportDeviceContext) / 8] = adapter.context().value() as u64;
        words[offset_of!(Info, PhysicalDeviceObject) / 8] =
            adapter.physical_device_object.value() as u64;
        // Length in the low half, maximum length with the terminator in the next.
        words[path] = path_bytes | (path_bytes + 2) << 16;
        words[path + 1] = self.path.as_ptr().addr() as u64;
        words[offset_of!(Info, TranslatedResourceList) / 8] = (&raw const *self.list).addr() as u64;
        words[offset_of!(Info, SystemMemorySize) / 8] = self.memory_bytes;
        words[offset_of!(Info, HighestPhysicalAddress) / 8] = self.highest_address;
        words
    }
}
