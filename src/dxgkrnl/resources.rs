//! The device's memory ranges, from the translated resource list.

use core::mem::offset_of;

use carillon_core::error::{Error, Result};
use carillon_ddi::{
    CM_FULL_RESOURCE_DESCRIPTOR, CM_PARTIAL_RESOURCE_DESCRIPTOR, CM_PARTIAL_RESOURCE_LIST,
    CM_RESOURCE_LIST, CM_RESOURCE_TYPE, PHYSICAL_ADDRESS,
};

/// A memory range of the device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryResource {
    /// Where it starts, as the CPU sees it.
    pub(crate) start: PHYSICAL_ADDRESS,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}

/// In a memory descriptor's flags: the length counts 256-byte units. Page
/// `ns-wdm-_cm_partial_resource_descriptor`.
const LARGE_40: u16 = 0x0200;
/// The length counts 64 KiB units.
const LARGE_48: u16 = 0x0400;
/// The length counts 4 GiB units.
const LARGE_64: u16 = 0x0800;
/// More descriptors than a PCI function can have: 6 BARs, the ROM and 2048 messages.
const MOST_DESCRIPTORS: u32 = 4096;

/// The first `N` memory ranges of the device, which PnP lists in the order of the BARs.
///
/// # Errors
/// [`Error::BadHardware`] when there are fewer, or the list does not hold together.
///
/// # Safety
/// `list` is NULL or the `TranslatedResourceList` of `DxgkCbGetDeviceInformation`, which is
/// readable as far as its counts say.
pub(crate) unsafe fn memory_resources<const N: usize>(
    list: *const CM_RESOURCE_LIST,
) -> Result<[MemoryResource; N]> {
    if list.is_null() {
        return Err(Error::BadHardware);
    }
    // SAFETY: not NULL, so a list that has at least its count, which is the first member.
    if unsafe { list.cast::<u32>().read() } == 0 {
        return Err(Error::BadHardware);
    }
    // A PnP function driver's resources lie in one full descriptor: the others would be for other
    // buses.
    let partial: *const CM_PARTIAL_RESOURCE_LIST = list
        .wrapping_byte_add(offset_of!(CM_RESOURCE_LIST, List))
        .wrapping_byte_add(offset_of!(CM_FULL_RESOURCE_DESCRIPTOR, PartialResourceList))
        .cast();
    let count: *const u32 = partial
        .wrapping_byte_add(offset_of!(CM_PARTIAL_RESOURCE_LIST, Count))
        .cast();
    // SAFETY: a list with a full descriptor has a partial list with a count.
    let count = unsafe { count.read() };
    let first: *const CM_PARTIAL_RESOURCE_DESCRIPTOR = partial
        .wrapping_byte_add(offset_of!(CM_PARTIAL_RESOURCE_LIST, PartialDescriptors))
        .cast();
    let mut found = [MemoryResource {
        start: PHYSICAL_ADDRESS::new(0),
        bytes: 0,
    }; N];
    let mut places = found.iter_mut();
    for index in 0..count.min(MOST_DESCRIPTORS) as usize {
        // SAFETY: `index` is below the list's count, so the descriptor is there; it is packed,
        // hence the unaligned read.
        let descriptor = unsafe { first.wrapping_add(index).read_unaligned() };
        let Some(memory) = memory(&descriptor) else {
            continue;
        };
        let Some(place) = places.next() else {
            break;
        };
        *place = memory;
    }
    if places.next().is_some() {
        return Err(Error::BadHardware);
    }
    Ok(found)
}

/// The memory range of a descriptor, if it describes one.
fn memory(descriptor: &CM_PARTIAL_RESOURCE_DESCRIPTOR) -> Option<MemoryResource> {
    let kind = CM_RESOURCE_TYPE(descriptor.Type);
    let flags = descriptor.Flags;
    // SAFETY: start and length have the same place and type in every memory form of the union, and
    // every bit pattern is a number.
    let range = unsafe { descriptor.u.Memory };
    let length = u64::from(range.Length);
    let bytes = match kind {
        CM_RESOURCE_TYPE::CmResourceTypeMemory => length,
        CM_RESOURCE_TYPE::CmResourceTypeMemoryLarge => {
            match flags & (LARGE_40 | LARGE_48 | LARGE_64) {
                LARGE_40 => length.saturating_mul(0x100),
                LARGE_48 => length.saturating_mul(0x1_0000),
                LARGE_64 => length.saturating_mul(0x1_0000_0000),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(MemoryResource {
        start: range.Start,
        bytes,
    })
}
