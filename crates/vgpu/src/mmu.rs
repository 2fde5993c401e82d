//! Address translation (`docs/hardware.md` section 8).
//!
//! [`Memory`] is the only way from a queue's addresses to bytes. It resolves one page at a time,
//! so no access reaches beyond the page whose translation was checked.

use std::collections::HashMap;

use carillon_hw::addr::{BusAddress, GpuVa, PAGE_SIZE, PhysicalTarget, VramOffset};
use carillon_hw::mmu::{ENTRY_BYTES, PageTableEntry, ROOT_LEVEL, table_index};
use carillon_hw::queue::{ContextDescriptor, ContextId};
use zerocopy::{FromZeros, IntoBytes};

use crate::fabric::{Fabric, KeptPage, Place};

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
    /// Counts invalidations, from 1: what queues keep of translations is good for one count.
    generation: u64,
}

impl Mmu {
    pub(crate) fn new(capacity: u32) -> Self {
        Self {
            capacity: capacity as usize,
            generation: 1,
            ..Self::default()
        }
    }

    /// Forgets table addresses and translations.
    pub(crate) fn reset(&mut self) {
        self.contexts = Table::default();
        self.aperture = Table::default();
        self.invalidate_all();
    }

    pub(crate) fn invalidate(&mut self, context: ContextId) {
        self.kept.retain(|(kept, _), _| *kept != context);
        self.generation += 1;
    }

    pub(crate) fn invalidate_all(&mut self) {
        self.kept.clear();
        self.generation += 1;
    }

    /// Where `operand` is by what a queue keeps, if that is good.
    pub(crate) fn kept_place(&self, operand: Operand, kept: &KeptPage) -> Option<Place> {
        kept.place(operand.raw(), self.generation)
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

    /// Where a queue's own page is for reading, by what the queue keeps of it if that is good.
    /// `None` is a page that reads zero. What is behind the aperture is not kept: its table may
    /// change without an invalidation.
    fn locate_kept(
        &mut self,
        operand: Operand,
        kept: &mut KeptPage,
    ) -> Result<Option<Place>, AccessFault> {
        if let Some(place) = self.mmu.kept_place(operand, kept) {
            return Ok(Some(place));
        }
        let (base, linear) = match operand {
            Operand::Virtual(context, va) => (
                Operand::Virtual(context, va.page_base()),
                self.mmu.capacity != 0
                    && self
                        .mmu
                        .leaf(self.fabric, context, va)
                        .and_then(PageTableEntry::target)
                        .is_some_and(|at| !matches!(at, PhysicalTarget::Aperture(_))),
            ),
            // A bus address needs no translation that could be kept.
            Operand::Physical(_) => (operand, false),
        };
        if linear && let Location::At(place) = self.locate(base, Access::Read)? {
            *kept = KeptPage::new(operand.raw(), self.mmu.generation, place);
        }
        Ok(match self.locate(operand, Access::Read)? {
            Location::Zero => None,
            Location::At(place) => Some(place),
        })
    }

    /// As [`Self::load_u64`], of a page that the queue comes back to.
    pub(crate) fn load_u64_kept(
        &mut self,
        operand: Operand,
        kept: &mut KeptPage,
    ) -> Result<u64, AccessFault> {
        let Some(place) = self.locate_kept(operand, kept)? else {
            return Ok(0);
        };
        let value = self.fabric.load_u64(place);
        value.map_err(|_| AccessFault(operand.raw()))
    }

    /// As [`Self::read`], of bytes on one page that the queue comes back to.
    pub(crate) fn read_kept(
        &mut self,
        operand: Operand,
        into: &mut [u8],
        kept: &mut KeptPage,
    ) -> Result<(), AccessFault> {
        let Some(place) = self.locate_kept(operand, kept)? else {
            into.fill(0);
            return Ok(());
        };
        let read = self.fabric.read(place, into);
        read.map_err(|_| AccessFault(operand.raw()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_queues_keep_ends_with_every_invalidation() {
        let at = |address| Operand::Virtual(ContextId(1), GpuVa(address));
        let ends: [fn(&mut Mmu); 3] = [
            |mmu| mmu.invalidate(ContextId(1)),
            Mmu::invalidate_all,
            Mmu::reset,
        ];
        for end in ends {
            let mut mmu = Mmu::new(8);
            let kept = KeptPage::new(0x1FF8, mmu.generation, Place::Bus(BusAddress(0x7000)));
            let place = |mmu: &Mmu, address| mmu.kept_place(at(address), &kept);
            assert_eq!(place(&mmu, 0x1008), Some(Place::Bus(BusAddress(0x7008))));
            assert_eq!(place(&mmu, 0xFF8), None, "the page before");
            assert_eq!(place(&mmu, 0x2000), None, "the page after");
            end(&mut mmu);
            assert_eq!(place(&mmu, 0x1008), None);
        }
        assert_eq!(Mmu::new(0).kept_place(at(0), &KeptPage::default()), None);
    }
}
