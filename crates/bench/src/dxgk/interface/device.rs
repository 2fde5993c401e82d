//! Callbacks about the device itself: resources, mappings, configuration space.

use carillon_ddi::{
    BOOLEAN, DXGK_DEVICE_INFO, DXGK_WHICHSPACE_CONFIG, MEMORY_CACHING_TYPE, NTSTATUS,
};

use super::{breach, with_adapter};
use crate::dxgk::adapter::Adapter;
use crate::nt::DriverAddr;
use crate::nt::driver_addr::Narrow;
use crate::nt::physical::PhysicalAddress;

/// Bytes of configuration space.
const CONFIG_BYTES: u32 = 4096;

pub(super) extern "win64" fn get_device_information(
    adapter: DriverAddr,
    info: DriverAddr,
) -> NTSTATUS {
    with_adapter("DxgkCbGetDeviceInformation", adapter, |adapter| {
        let words = adapter.resources().device_info(adapter);
        for (index, word) in (0u64..).zip(words) {
            info.offset(8 * index).write(word);
        }
        NTSTATUS::STATUS_SUCCESS
    })
    .unwrap_or(NTSTATUS::STATUS_INVALID_PARAMETER)
}

// The words of the structure are written one by one, so that a bad address faults as one of the
// driver's.
const _: () = assert!(size_of::<DXGK_DEVICE_INFO>() == 80);

/// What is wrong with a wish to map, besides its range.
fn check_mapping(
    adapter: &Adapter,
    physical: PhysicalAddress,
    io: bool,
    user: bool,
    cache: MEMORY_CACHING_TYPE,
) -> Option<String> {
    let bars = adapter.device().bars();
    let bar = bars
        .iter()
        .find(|bar| (bar.base..PhysicalAddress(bar.base.0 + bar.len)).contains(&physical));
    if io {
        return Some(String::from("InIoSpace for a memory resource"));
    }
    if user {
        return Some(String::from("MapToUserMode is not modelled"));
    }
    match cache {
        MEMORY_CACHING_TYPE::MmNonCached => None,
        MEMORY_CACHING_TYPE::MmWriteCombined if bar.is_none_or(|bar| bar.prefetchable) => None,
        _ => Some(format!("CacheType {} for device memory", cache.0)),
    }
}

pub(super) extern "win64" fn map_memory(
    adapter: DriverAddr,
    physical: i64,
    bytes: u32,
    io: Narrow,
    user: Narrow,
    cache: MEMORY_CACHING_TYPE,
    mapped: DriverAddr,
) -> NTSTATUS {
    const CALLBACK: &str = "DxgkCbMapMemory";
    let physical = PhysicalAddress(physical.cast_unsigned());
    let address = with_adapter(CALLBACK, adapter, |adapter| {
        if let Some(what) = check_mapping(adapter, physical, io.is_true(), user.is_true(), cache) {
            breach(format!("{CALLBACK}: {what}"));
            return Err(NTSTATUS::STATUS_INVALID_PARAMETER);
        }
        if adapter.fails_mapping() {
            return Err(NTSTATUS::STATUS_INSUFFICIENT_RESOURCES);
        }
        adapter
            .driver()
            .nt()
            .io_space
            .map(physical, u64::from(bytes))
            .map_err(|error| {
                breach(format!("{CALLBACK}: {error}"));
                NTSTATUS::STATUS_INVALID_PARAMETER
            })
    });
    match address {
        Some(Ok(address)) => {
            mapped.write(address.addr() as u64);
            NTSTATUS::STATUS_SUCCESS
        }
        Some(Err(status)) => status,
        None => NTSTATUS::STATUS_INVALID_PARAMETER,
    }
}

pub(super) extern "win64" fn unmap_memory(adapter: DriverAddr, address: DriverAddr) -> NTSTATUS {
    const CALLBACK: &str = "DxgkCbUnmapMemory";
    let pointer = std::ptr::without_provenance_mut(usize::try_from(address.value()).unwrap_or(0));
    let unmapped = with_adapter(CALLBACK, adapter, |adapter| {
        adapter.driver().nt().io_space.unmap(pointer)
    });
    match unmapped {
        Some(Ok(())) => NTSTATUS::STATUS_SUCCESS,
        Some(Err(error)) => {
            breach(format!("{CALLBACK}: {error}"));
            NTSTATUS::STATUS_INVALID_PARAMETER
        }
        None => NTSTATUS::STATUS_INVALID_PARAMETER,
    }
}

/// Runs `byte` for each offset that a configuration access covers; the number of bytes done.
fn config_access(
    callback: &'static str,
    adapter: DriverAddr,
    space: u32,
    offset: u32,
    bytes: u32,
    byte: impl Fn(&Adapter, u16, u64),
) -> Result<u32, NTSTATUS> {
    with_adapter(callback, adapter, |adapter| {
        if space != DXGK_WHICHSPACE_CONFIG {
            breach(format!("{callback}: DataType {space:#x} is not modelled"));
            return Err(NTSTATUS::STATUS_INVALID_PARAMETER);
        }
        let done = bytes.min(CONFIG_BYTES.saturating_sub(offset));
        for (index, at) in (0u64..).zip(offset..offset + done) {
            byte(adapter, u16::try_from(at).unwrap_or(u16::MAX), index);
        }
        Ok(done)
    })
    .unwrap_or(Err(NTSTATUS::STATUS_INVALID_PARAMETER))
}

fn finish(done: Result<u32, NTSTATUS>, count: DriverAddr) -> NTSTATUS {
    match done {
        Ok(done) => {
            count.write(done);
            NTSTATUS::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

pub(super) extern "win64" fn read_device_space(
    adapter: DriverAddr,
    space: u32,
    buffer: DriverAddr,
    offset: u32,
    bytes: u32,
    count: DriverAddr,
) -> NTSTATUS {
    let done = config_access(
        "DxgkCbReadDeviceSpace",
        adapter,
        space,
        offset,
        bytes,
        |adapter, at, index| {
            let [byte, ..] = adapter.device().function().config_read(at, 1).to_le_bytes();
            buffer.offset(index).write::<u8>(byte);
        },
    );
    finish(done, count)
}

pub(super) extern "win64" fn write_device_space(
    adapter: DriverAddr,
    space: u32,
    buffer: DriverAddr,
    offset: u32,
    bytes: u32,
    count: DriverAddr,
) -> NTSTATUS {
    let done = config_access(
        "DxgkCbWriteDeviceSpace",
        adapter,
        space,
        offset,
        bytes,
        |adapter, at, index| {
            let value = buffer.offset(index).read::<u8>();
            adapter
                .device()
                .function()
                .config_write(at, 1, u32::from(value));
        },
    );
    finish(done, count)
}

pub(super) extern "win64" fn is_device_present(
    adapter: DriverAddr,
    _parameters: DriverAddr,
    present: DriverAddr,
) -> NTSTATUS {
    let here = with_adapter("DxgkCbIsDevicePresent", adapter, |adapter| {
        !adapter.is_gone()
    });
    let Some(here) = here else {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    };
    present.write::<u8>(BOOLEAN::from(here));
    NTSTATUS::STATUS_SUCCESS
}

pub(super) extern "win64" fn eval_acpi_method(
    adapter: DriverAddr,
    _device: u32,
    _input: DriverAddr,
    _input_bytes: u32,
    _output: DriverAddr,
    _output_bytes: u32,
) -> NTSTATUS {
    // The machine has no ACPI methods for the device, as behind most virtual machines.
    with_adapter("DxgkCbEvalAcpiMethod", adapter, |_| ());
    NTSTATUS::STATUS_NOT_SUPPORTED
}
