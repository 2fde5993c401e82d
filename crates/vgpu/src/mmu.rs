//! Address translation (`docs/hardware.md` section 8).
//!
//! [`Memory`] is the only way from a queue's addresses to bytes. It resolves one page at a time,
//! so no access reaches beyond the page whose translation was checked.

use std::collections::HashMap;

use carillon_hw::addr::{BusAddress, GpuVa, PAGE_SIZE, PhysicalTarget, VramOffset};
use carillon_hw::mmu::{ENTRY_BYTES, PageTableEntry, ROOT_LEVEL, table_index};
use carillon_hw::queue::{ContextDescriptor, ContextId};
use zerocopy::{FromZeros, IntoBytes};

use crate::fabric::{Fabric, Place};

/// An access that the tables or the bus refused; the address is what `fault_address` reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccessFault(pub(crate) u64);

/// What an access wants to do with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    Execute,
}

/// An address together with the space that gives it a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Virtual(ContextId, GpuVa),
    Physical(PhysicalTarget),
}

impl Operand {
    pub(crate) fn bus(address: BusAddress) -> Self {
        Self::Physical(PhysicalTarget::System(address))
    }

    /// The address without its space.
    pub(crate) fn raw(self) -> u64 {
        match self {
            Self::Virtual(_, va) => va.0,
            Self::Physical(target) => target.raw(),
        }
    }

    /// The operand `bytes` further on. Past the end of 64 bits is a fault at the last address.
    pub(crate) fn advance(self, bytes: u64) -> Result<Self, AccessFault> {
        match self {
            Self::Virtual(context, va) => {
                va.checked_add(bytes).map(|va| Self::Virtual(context, va))
            }
            Self::Physical(target) => target.checked_add(bytes).map(Self::Physical),
        }
        .ok_or(AccessFault(u64::MAX))
    }

    /// Whether both name the same space, so that their addresses can be compared.
    pub(crate) fn same_space(self, other: Self) -> bool {
        match (self, other) {
            (Self::Virtual(a, _), Self::Virtual(b, _)) => a == b,
            (Self::Physical(a), Self::Physical(b)) => matches!(
                (a, b),
                (PhysicalTarget::Vram(_), PhysicalTarget::Vram(_))
                    | (PhysicalTarget::System(_), PhysicalTarget::System(_))
                    | (PhysicalTarget::Aperture(_), PhysicalTarget::Aperture(_))
            ),
            _ => false,
        }
    }

    /// Bytes from here to the end of the page.
    pub(crate) fn page_left(self) -> u64 {
        PAGE_SIZE - self.raw() % PAGE_SIZE
    }
}

/// Where an operand leads, good up to the end of its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Location {
    /// Reads give zero, writes vanish.
    Zero,
    At(Place),
}

/// A table in local memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) base: VramOffset,
    pub(crate) entries: u32,
}

/// Tables and kept translations.
#[derive(Debug, Default)]
pub(crate) struct Mmu {
    pub(crate) contexts: Table,
    pub(crate) aperture: Table,
    /// Leaf entries by context and page base; never an invalid one, so that a driver need not
    /// invalidate after it made a translation valid.
    kept: HashMap<(ContextId, GpuVa), PageTableEntry>,
    capacity: usize,
}

impl Mmu {
    pub(crate) fn new(capacity: u32) -> Self {
        Self {
            capacity: capacity as usize,
            ..Self::default()
        }
    }

    /// Forgets table addresses and translations.
    pub(crate) fn reset(&mut self) {
        self.contexts = Table::default();
        self.aperture = Table::default();
        self.kept.clear();
    }

    pub(crate) fn invalidate(&mut self, context: ContextId) {
        self.kept.retain(|(kept, _), _| *kept != context);
    }

    pub(crate) fn invalidate_all(&mut self) {
        self.kept.clear();
    }

    /// Resolves the aperture.
    fn place(&self, fabric: &Fabric, target: PhysicalTarget) -> Option<Place> {
        match target {
            PhysicalTarget::Vram(offset) => Some(Place::Vram(offset)),
            PhysicalTarget::System(address) => Some(Place::Bus(address)),
            PhysicalTarget::Aperture(offset) => {
                let page = offset.0 / PAGE_SIZE;
                if page >= u64::from(self.aperture.entries) {
                    return None;
                }
                let entry = self.aperture.base.checked_add(page * ENTRY_BYTES)?;
                let entry = PageTableEntry::from(fabric.vram.load_u64(entry.0).ok()?);
                match entry.target()? {
                    PhysicalTarget::System(base) => {
                        Some(Place::Bus(base.checked_add(offset.page_offset())?))
                    }
                    PhysicalTarget::Vram(_) | PhysicalTarget::Aperture(_) => None,
                }
            }
        }
    }

    fn root(&self, fabric: &Fabric, context: ContextId) -> Option<ContextDescriptor> {
        if context.0 >= self.contexts.entries {
            return None;
        }
        let offset = self.contexts.base.checked_add(context.table_offset())?;
        let mut descriptor = ContextDescriptor::new_zeroed();
        fabric.vram.read(offset.0, descriptor.as_mut_bytes()).ok()?;
        Some(descriptor)
    }

    /// Walks from the root to the leaf entry of `va`.
    fn walk(&self, fabric: &Fabric, context: ContextId, va: GpuVa) -> Option<PageTableEntry> {
        let descriptor = self.root(fabric, context)?;
        if table_index(va, ROOT_LEVEL)? >= descriptor.root_entries {
            return None;
        }
        let mut entry = PageTableEntry::from(descriptor.root);
        for level in (0..=ROOT_LEVEL).rev() {
            let index = u64::from(table_index(va, level)?);
            let slot = entry.target()?.checked_add(index * ENTRY_BYTES)?;
            let place = self.place(fabric, slot)?;
            entry = PageTableEntry::from(fabric.load_u64(place).ok()?);
        }
        entry.valid().then_some(entry)
    }

    fn leaf(&mut self, fabric: &Fabric, context: ContextId, va: GpuVa) -> Option<PageTableEntry> {
        let key = (context, va.page_base());
        if let Some(entry) = self.kept.get(&key) {
            return Some(*entry);
        }
        let entry = self.walk(fabric, context, va)?;
        if self.capacity != 0 {
            if self.kept.len() >= self.capacity {
                self.kept.clear();
            }
            self.kept.insert(key, entry);
        }
        Some(entry)
    }

    fn translate(
        &mut self,
        fabric: &Fabric,
        (context, va): (ContextId, GpuVa),
        access: Access,
    ) -> Option<Location> {
        let entry = self.leaf(fabric, context, va)?;
        let refused = match access {
            Access::Read => false,
            Access::Write => entry.read_only(),
            Access::Execute => entry.no_execute(),
        };
        if refused {
            return None;
        }
        if entry.zero() {
            return Some(Location::Zero);
        }
        let target = entry.target()?.checked_add(va.page_offset())?;
        self.place(fabric, target).map(Location::At)
    }
}

/// A queue's view of memory for the length of one step.
pub(crate) struct Memory<'a> {
    pub(crate) fabric: &'a Fabric,
    pub(crate) mmu: &'a mut Mmu,
}

impl Memory<'_> {
    fn locate(&mut self, operand: Operand, access: Access) -> Result<Location, AccessFault> {
        match operand {
            Operand::Virtual(context, va) => self.mmu.translate(self.fabric, (context, va), access),
            Operand::Physical(target) => self.mmu.place(self.fabric, target).map(Location::At),
        }
        .ok_or(AccessFault(operand.raw()))
    }

    /// Faults unless the page of `operand` allows `access`.
    pub(crate) fn probe(&mut self, operand: Operand, access: Access) -> Result<(), AccessFault> {
        self.locate(operand, access).map(|_| ())
    }

    pub(crate) fn load_u64(&mut self, operand: Operand) -> Result<u64, AccessFault> {
        match self.locate(operand, Access::Read)? {
            Location::Zero => Ok(0),
            Location::At(place) => self
                .fabric
                .load_u64(place)
                .map_err(|_| AccessFault(operand.raw())),
        }
    }

    pub(crate) fn store_u64(&mut self, operand: Operand, value: u64) -> Result<(), AccessFault> {
        match self.locate(operand, Access::Write)? {
            Location::Zero => Ok(()),
            Location::At(place) => self
                .fabric
                .store_u64(place, value)
                .map_err(|_| AccessFault(operand.raw())),
        }
    }

    /// Copies bytes out, page by page.
    pub(crate) fn read(
        &mut self,
        mut from: Operand,
        mut into: &mut [u8],
        access: Access,
    ) -> Result<(), AccessFault> {
        while !into.is_empty() {
            let piece = piece(from, into.len());
            let (now, rest) = into.split_at_mut(piece);
            match self.locate(from, access)? {
                Location::Zero => now.fill(0),
                Location::At(place) => self
                    .fabric
                    .read(place, now)
                    .map_err(|_| AccessFault(from.raw()))?,
            }
            into = rest;
            if !into.is_empty() {
                from = from.advance(piece as u64)?;
            }
        }
        Ok(())
    }

    /// Copies bytes in, page by page.
    pub(crate) fn write(&mut self, mut to: Operand, mut from: &[u8]) -> Result<(), AccessFault> {
        while !from.is_empty() {
            let piece = piece(to, from.len());
            let (now, rest) = from.split_at(piece);
            match self.locate(to, Access::Write)? {
                Location::Zero => {}
                Location::At(place) => self
                    .fabric
                    .write(place, now)
                    .map_err(|_| AccessFault(to.raw()))?,
            }
            from = rest;
            if !from.is_empty() {
                to = to.advance(piece as u64)?;
            }
        }
        Ok(())
    }
}

/// How many of `wanted` bytes lie on the page of `operand`.
fn piece(operand: Operand, wanted: usize) -> usize {
    usize::try_from(operand.page_left()).map_or(wanted, |left| left.min(wanted))
}
