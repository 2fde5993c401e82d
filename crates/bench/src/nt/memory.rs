//! I/O space, contiguous memory and descriptor lists.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::driver_addr::DriverAddr;
use super::physical::{MDL_HEADER_BYTES, Owner, PhysicalAddress, pages_spanned};
use super::session::{Nt, with_current};
use super::thunk::{Export, Role};
use crate::trap::images::CodeAddress;
use crate::trap::mapping::{Access, Reservation};
use crate::trap::mmio::{MmioDevice, MmioMapping};
use crate::trap::shared::{SharedMapping, SharedRegion};
use crate::trap::{PAGE_SIZE, page_align};
use crate::verifier::irql::IrqlRange;
use crate::verifier::thread;
use crate::verifier::violation::ViolationKind;

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export(
        "MmMapIoSpaceEx",
        IrqlRange::UP_TO_DISPATCH,
        map_io_space as *const (),
    ),
    export(
        "MmUnmapIoSpace",
        IrqlRange::UP_TO_DISPATCH,
        unmap_io_space as *const (),
    ),
    export(
        "MmGetPhysicalAddress",
        IrqlRange::ANY,
        get_physical as *const (),
    ),
    export(
        "MmMapLockedPagesSpecifyCache",
        IrqlRange::UP_TO_DISPATCH,
        map_mdl as *const (),
    ),
    export(
        "MmUnmapLockedPages",
        IrqlRange::UP_TO_DISPATCH,
        unmap_mdl as *const (),
    ),
    export(
        "MmAllocateContiguousNodeMemory",
        IrqlRange::UP_TO_DISPATCH,
        allocate_contiguous as *const (),
    ),
    export(
        "MmFreeContiguousMemory",
        IrqlRange::UP_TO_DISPATCH,
        free_contiguous as *const (),
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

/// What is behind a range of I/O space.
#[derive(Debug, Clone)]
pub enum Backing {
    /// Registers: every access goes to the device.
    Registers(Arc<MmioDevice>),
    /// Memory that the device shares: accesses do not trap.
    Memory(Arc<SharedRegion>),
}

#[derive(Debug, Clone)]
struct Bar {
    len: u64,
    backing: Backing,
}

/// A view of I/O space or of locked pages, held only to be unmapped.
#[derive(Debug)]
enum View {
    Registers(MmioMapping),
    Memory(SharedMapping),
    Pages(Reservation),
}

#[derive(Debug)]
struct Mapped {
    view: View,
    /// First byte asked for, in physical terms.
    physical: PhysicalAddress,
    bytes: u64,
    by: CodeAddress,
}

impl Mapped {
    fn span(&self) -> (usize, usize) {
        match &self.view {
            View::Registers(view) => (view.as_ptr() as usize, view.len()),
            View::Memory(view) => (view.as_ptr() as usize, view.len()),
            View::Pages(view) => (view.base(), view.len()),
        }
    }
}

/// Why I/O space cannot be mapped or unmapped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoSpaceError {
    /// No bytes.
    #[error("a mapping of 0 bytes")]
    Empty,
    /// No device claims all of the range.
    #[error("no device has {bytes:#x} bytes at {:#x}", physical.0)]
    NoDevice {
        /// Start of the range.
        physical: PhysicalAddress,
        /// Its length.
        bytes: u64,
    },
    /// The address is no mapping.
    #[error("{address:#x} is no mapping of I/O space")]
    NotMapped {
        /// The address.
        address: u64,
    },
    /// The host refused.
    #[error("the host cannot map it: {0}")]
    Host(#[from] io::Error),
}

/// I/O space of a session.
#[derive(Debug, Default)]
pub struct IoSpace {
    bars: Mutex<BTreeMap<u64, Bar>>,
    mapped: Mutex<BTreeMap<u64, Mapped>>,
    /// Ranges that were mapped once, kept inaccessible so that late accesses are recognised.
    retired: Mutex<Vec<Reservation>>,
}

impl IoSpace {
    /// Puts `backing` at `base` (page-aligned), `len` bytes.
    pub fn add(&self, base: PhysicalAddress, len: u64, backing: Backing) {
        self.bars.lock().insert(base.0, Bar { len, backing });
    }

    /// Takes away what begins at `base`: it can no longer be mapped. Existing mappings stay.
    pub fn remove(&self, base: PhysicalAddress) {
        self.bars.lock().remove(&base.0);
    }

    /// Maps `bytes` at `physical` into the system address space and returns the address.
    pub fn map(&self, physical: PhysicalAddress, bytes: u64) -> Result<*mut u8, IoSpaceError> {
        let no_device = || IoSpaceError::NoDevice { physical, bytes };
        if bytes == 0 {
            return Err(IoSpaceError::Empty);
        }
        let bars = self.bars.lock();
        let (base, bar) = bars
            .range(..=physical.0)
            .next_back()
            .ok_or_else(no_device)?;
        let offset = physical.0 - base;
        let end = offset.checked_add(bytes).ok_or_else(no_device)?;
        if end > bar.len {
            return Err(no_device());
        }
        let in_page = offset % PAGE_SIZE as u64;
        let start = offset - in_page;
        let host = |value: u64| usize::try_from(value).map_err(|_| no_device());
        let len = page_align(host(end - start)?).ok_or_else(no_device)?;
        let view = match &bar.backing {
            Backing::Registers(device) => View::Registers(MmioMapping::new(device, start, len)?),
            Backing::Memory(region) => View::Memory(region.map(host(start)?, len)?),
        };
        let mapped = Mapped {
            view,
            physical,
            bytes,
            by: thread::caller(),
        };
        let address = mapped.span().0 as u64 + in_page;
        drop(bars);
        self.mapped.lock().insert(address, mapped);
        Ok(address as *mut u8)
    }

    /// Undoes [`Self::map`]. Later accesses to the address are recognised as such.
    pub fn unmap(&self, address: *mut u8) -> Result<(), IoSpaceError> {
        let key = address as u64;
        let mapped = self.mapped.lock().remove(&key);
        let mapped = mapped.ok_or(IoSpaceError::NotMapped { address: key })?;
        self.retire(mapped);
        Ok(())
    }

    fn retire(&self, mapped: Mapped) {
        let (base, len) = mapped.span();
        drop(mapped);
        // The addresses are free now; taking the same ones again is best effort.
        if let Ok(guard) = Reservation::at(base, len) {
            self.retired.lock().push(guard);
        }
    }

    /// True if `address` was mapped once and is not any more.
    pub(crate) fn was_mapped(&self, address: usize) -> bool {
        let Some(retired) = self.retired.try_lock() else {
            return false;
        };
        retired
            .iter()
            .any(|range| (range.base()..range.base() + range.len()).contains(&address))
    }

    /// Physical address of an address inside of a mapping.
    fn physical_of(&self, address: u64) -> Option<PhysicalAddress> {
        let mapped = self.mapped.lock();
        let (start, entry) = mapped.range(..=address).next_back()?;
        let offset = address - start;
        (offset < entry.bytes).then(|| PhysicalAddress(entry.physical.0 + offset))
    }

    pub(crate) fn leaks(&self) -> Vec<String> {
        let mapped = self.mapped.lock();
        let leak = |entry: &Mapped| {
            let Mapped {
                physical,
                bytes,
                by,
                ..
            } = entry;
            format!(
                "mapping of {bytes:#x} bytes at physical {:#x}, made by {by}",
                physical.0
            )
        };
        mapped.values().map(leak).collect()
    }
}

fn misuse(nt: &Nt, import: &'static str, what: String) {
    nt.verifier.report(ViolationKind::Misuse { import, what });
}

extern "win64" fn map_io_space(physical: u64, bytes: u64, _protect: u32) -> u64 {
    with_current(
        |nt| match nt.io_space.map(PhysicalAddress(physical), bytes) {
            Ok(address) => address as u64,
            Err(error) => {
                misuse(nt, "MmMapIoSpaceEx", error.to_string());
                0
            }
        },
    )
}

extern "win64" fn unmap_io_space(address: DriverAddr, bytes: u64) {
    const IMPORT: &str = "MmUnmapIoSpace";
    with_current(|nt| {
        let mapped = nt
            .io_space
            .mapped
            .lock()
            .get(&address.value())
            .map(|entry| entry.bytes);
        if let Some(mapped) = mapped.filter(|mapped| *mapped != bytes) {
            misuse(
                nt,
                IMPORT,
                format!("{bytes:#x} bytes of a mapping of {mapped:#x}"),
            );
        }
        if let Err(error) = nt.io_space.unmap(address.value() as *mut u8) {
            misuse(nt, IMPORT, error.to_string());
        }
    });
}

extern "win64" fn get_physical(address: DriverAddr) -> u64 {
    with_current(|nt| {
        let memory = nt.memory.physical_of(address.value() as *const u8);
        let found = memory.or_else(|| nt.io_space.physical_of(address.value()));
        found.map_or_else(
            || {
                let what = format!(
                    "{:#x} has no physical address in the model",
                    address.value()
                );
                misuse(nt, "MmGetPhysicalAddress", what);
                0
            },
            |physical| physical.0,
        )
    })
}

/// Maps the pages of the descriptor list at `mdl`.
fn map_pages(nt: &Nt, mdl: DriverAddr) -> Result<u64, String> {
    let bytes = u64::from(mdl.offset(40).read::<u32>());
    let in_page = u64::from(mdl.offset(44).read::<u32>());
    let pages = pages_spanned(in_page, bytes).filter(|pages| *pages != 0);
    let pages = pages.ok_or_else(|| format!("an MDL of {bytes} bytes"))?;
    let view = Reservation::new(pages * PAGE_SIZE).map_err(|error| error.to_string())?;
    let frames = (0..pages as u64).map(|i| mdl.offset(MDL_HEADER_BYTES + 8 * i).read::<u64>());
    let mut first = None;
    for (index, frame) in frames.enumerate() {
        let physical = PhysicalAddress(frame.saturating_mul(PAGE_SIZE as u64));
        let offset = nt.memory.region_offset(physical);
        let offset = offset.ok_or_else(|| format!("page frame {frame:#x} is no memory"))?;
        let at = index * PAGE_SIZE;
        let region = nt.memory.region();
        view.map_file(at, PAGE_SIZE, region, offset as u64, Access::ReadWrite)
            .map_err(|error| error.to_string())?;
        first.get_or_insert(physical);
    }
    let address = view.base() as u64 + in_page;
    let physical = PhysicalAddress(first.map_or(0, |first| first.0 + in_page));
    let mapped = Mapped {
        view: View::Pages(view),
        physical,
        bytes,
        by: thread::caller(),
    };
    nt.io_space.mapped.lock().insert(address, mapped);
    Ok(address)
}

extern "win64" fn map_mdl(mdl: DriverAddr) -> u64 {
    with_current(|nt| match map_pages(nt, mdl) {
        Ok(address) => {
            mdl.offset(24).write(address);
            address
        }
        Err(what) => {
            misuse(nt, "MmMapLockedPagesSpecifyCache", what);
            0
        }
    })
}

extern "win64" fn unmap_mdl(address: DriverAddr, mdl: DriverAddr) {
    const IMPORT: &str = "MmUnmapLockedPages";
    with_current(|nt| {
        if mdl.offset(24).read::<u64>() != address.value() {
            misuse(
                nt,
                IMPORT,
                format!("{:#x} is not this MDL's address", address.value()),
            );
        }
        if let Err(error) = nt.io_space.unmap(address.value() as *mut u8) {
            misuse(nt, IMPORT, error.to_string());
        }
    });
}

extern "win64" fn allocate_contiguous(
    bytes: u64,
    lowest: u64,
    highest: u64,
    _boundary: u64,
    _protect: u32,
    _node: u32,
) -> u64 {
    with_current(|nt| {
        if nt.verifier.count_allocation() || lowest > nt.memory.base().0 {
            return 0;
        }
        let pages = bytes.div_ceil(PAGE_SIZE as u64);
        let highest = PhysicalAddress(highest);
        let found = nt.memory.allocate_for(Owner::Driver, pages, 1, highest);
        let pointer = found.and_then(|physical| nt.memory.host_ptr(physical, bytes));
        pointer.map_or(0, |pointer| pointer as u64)
    })
}

extern "win64" fn free_contiguous(address: DriverAddr) {
    with_current(|nt| {
        let physical = nt.memory.physical_of(address.value() as *const u8);
        let own = physical.filter(|physical| nt.memory.is_drivers(*physical));
        if !own.is_some_and(|physical| nt.memory.free(physical)) {
            let what = format!("{:#x} is no contiguous allocation", address.value());
            misuse(nt, "MmFreeContiguousMemory", what);
        }
    });
}
