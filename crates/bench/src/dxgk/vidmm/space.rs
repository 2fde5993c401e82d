//! GPU virtual address spaces: who has which address, and the page tables that say so.

use std::collections::BTreeMap;
use std::sync::Arc;

use carillon_ddi::{
    D3DGPU_PHYSICAL_ADDRESS, DXGK_PTE, DXGK_PTE_Anonymous, DXGKARG_SETROOTPAGETABLE,
};
use parking_lot::Mutex;

use super::MmError;
use super::geometry::{GPU_PAGE, Geometry, UpdateMode};
use super::paging::{Batch, Op, Paging, TableAddress, TableUpdate};
use super::place::{Page, Place, Segments, SystemPages};
use super::range::Ranges;
use crate::dxgk::handle::KmdHandle;
use crate::nt::Nt;

/// Lowest address handed out: a null pointer with an offset must fault.
const FIRST_ADDRESS: u64 = 1 << 20;

/// Bytes behind each mapping that map nothing, so that running over its end faults.
const GUARD: u64 = GPU_PAGE;

/// How entries get into the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// By the CPU at once, whatever the driver prefers: the paging process during start-up.
    Cpu,
    /// As the driver reported.
    Driver,
}

/// What a mapping permits and whose pages it maps.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    /// The driver's handle of the allocation; null for memory that it does not know.
    pub allocation: KmdHandle,
    /// The GPU may only read.
    pub read_only: bool,
}

impl Mapping {
    /// Memory that the driver has no allocation for, readable and writable.
    pub const ANONYMOUS: Self = Self {
        allocation: KmdHandle::NULL,
        read_only: false,
    };
}

#[derive(Debug)]
struct Table {
    place: Place,
    children: BTreeMap<u32, Self>,
}

impl Table {
    fn physical(&self) -> D3DGPU_PHYSICAL_ADDRESS {
        let page = self.place.page(0);
        page.map_or(D3DGPU_PHYSICAL_ADDRESS::ZERO, Page::gpu_physical)
    }
}

#[derive(Debug)]
struct Inner {
    addresses: Ranges,
    root: Table,
    /// Each mapping by its first address.
    mapped: BTreeMap<u64, Mapped>,
}

/// A range of addresses that a client has.
#[derive(Debug)]
struct Mapped {
    bytes: u64,
    /// What it translates to, if it does.
    content: Option<(Vec<Page>, Mapping)>,
}

impl Mapped {
    fn nothing(bytes: u64) -> Self {
        Self {
            bytes,
            content: None,
        }
    }
}

/// What all spaces of an adapter share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) nt: Arc<Nt>,
    pub(super) geometry: Geometry,
    pub(super) segments: Arc<Segments>,
}

/// The GPU address space of one process.
#[derive(Debug)]
pub struct Space {
    shared: Arc<Shared>,
    process: KmdHandle,
    /// The paging process keeps its tables in system memory, where the CPU can write them.
    in_system: bool,
    inner: Mutex<Inner>,
}

/// Writes table updates in the way that a space asks for.
struct Sink<'a, 'b> {
    shared: &'a Shared,
    process: KmdHandle,
    writer: Writer,
    batch: &'a mut Batch<'b>,
}

impl Sink<'_, '_> {
    fn address(&self, table: &Table) -> Result<TableAddress, MmError> {
        let by_cpu =
            self.writer == Writer::Cpu || self.shared.geometry.mode == UpdateMode::CpuVirtual;
        if !by_cpu {
            return Ok(TableAddress::Gpu(table.physical()));
        }
        let pages = table.place.system().ok_or(MmError::NotCpuVisible)?;
        Ok(TableAddress::Cpu(
            pages.kernel_address(0).ok_or(MmError::NotCpuVisible)?,
        ))
    }

    fn write(
        &mut self,
        level: usize,
        table: &Table,
        start: u32,
        address: u64,
        entries: &[DXGK_PTE],
        of: (KmdHandle, u64),
    ) -> Result<(), MmError> {
        self.batch.push(&Op::Update(TableUpdate {
            level: level_number(level),
            table: self.address(table)?,
            start,
            count: u32::try_from(entries.len()).map_err(|_| MmError::AddressSpace(0))?,
            entries,
            repeat: false,
            initial: false,
            process: self.process,
            allocation: of.0,
            offset: of.1,
            address,
        }))
    }

    /// Makes a whole range of entries the same.
    fn repeat(
        &mut self,
        level: usize,
        table: &Table,
        start: u32,
        count: u32,
        address: u64,
        initial: bool,
    ) -> Result<(), MmError> {
        self.batch.push(&Op::Update(TableUpdate {
            level: level_number(level),
            table: self.address(table)?,
            start,
            count,
            entries: &[DXGK_PTE::ZERO],
            repeat: true,
            initial,
            process: self.process,
            allocation: KmdHandle::NULL,
            offset: 0,
            address,
        }))
    }
}

fn level_number(level: usize) -> u32 {
    u32::try_from(level).unwrap_or(u32::MAX)
}

fn entry(page: Page, flags: DXGK_PTE_Anonymous) -> DXGK_PTE {
    let physical = page.gpu_physical();
    // The model has at most 31 segments, as segment sets have 32 bits.
    let segment = u8::try_from(physical.SegmentId).unwrap_or(0);
    let flags = flags.with_Valid(true).with_Segment(segment);
    // The page calls the member the high 52 bits of the address: it counts pages.
    DXGK_PTE::new(flags, physical.SegmentOffset / GPU_PAGE)
}

impl Shared {
    fn new_table(&self, level: usize, in_system: bool) -> Result<Table, MmError> {
        let desc = self.geometry.level(level);
        let place = if in_system || desc.segment == 0 {
            Place::System(SystemPages::contiguous(&self.nt, desc.bytes / GPU_PAGE)?)
        } else {
            let segment = self.segments.get(desc.segment);
            let segment = segment.ok_or(MmError::NotPlayed("page tables outside of segments"))?;
            Place::Segment(segment.take(desc.bytes, desc.bytes)?)
        };
        Ok(Table {
            place,
            children: BTreeMap::new(),
        })
    }
}

impl Space {
    /// An empty space for `process` with a root page table.
    pub(super) fn new(
        shared: &Arc<Shared>,
        process: KmdHandle,
        bytes: u64,
        writer: Writer,
        paging: &Paging,
    ) -> Result<Self, MmError> {
        let root_level = shared.geometry.root();
        let in_system = writer == Writer::Cpu;
        let root = shared.new_table(root_level, in_system)?;
        let inner = Inner {
            addresses: Ranges::new(FIRST_ADDRESS, bytes),
            root,
            mapped: BTreeMap::new(),
        };
        let space = Self {
            shared: shared.clone(),
            process,
            in_system,
            inner: Mutex::new(inner),
        };
        let mut batch = paging.batch();
        let inner = space.inner.lock();
        let mut sink = space.sink(writer, &mut batch);
        let entries = shared.geometry.level(root_level).entries();
        sink.repeat(root_level, &inner.root, 0, entries, 0, true)?;
        batch.finish()?;
        drop(inner);
        Ok(space)
    }

    fn sink<'a, 'b>(&'a self, writer: Writer, batch: &'a mut Batch<'b>) -> Sink<'a, 'b> {
        Sink {
            shared: &self.shared,
            process: self.process,
            writer,
            batch,
        }
    }

    /// The process that the space belongs to.
    #[must_use]
    pub fn process(&self) -> KmdHandle {
        self.process
    }

    /// Where the root page table is.
    #[must_use]
    pub fn root(&self) -> D3DGPU_PHYSICAL_ADDRESS {
        self.inner.lock().root.physical()
    }

    /// Tells a context where the root page table is (`DxgkDdiSetRootPageTable`).
    pub fn set_root(&self, context: KmdHandle, paging: &Paging) -> Result<(), MmError> {
        let root = self.shared.geometry.level(self.shared.geometry.root());
        paging.set_root(&DXGKARG_SETROOTPAGETABLE {
            hContext: context.raw(),
            Address: self.root(),
            NumEntries: root.entries(),
        })
    }

    /// Reserves `bytes` of addresses.
    pub fn reserve(&self, bytes: u64) -> Result<u64, MmError> {
        self.inner
            .lock()
            .addresses
            .take(bytes, GPU_PAGE)
            .ok_or(MmError::AddressSpace(bytes))
    }

    /// Gives a reservation back that is not mapped.
    pub fn release(&self, address: u64, bytes: u64) {
        self.inner.lock().addresses.give(address, bytes);
    }

    /// Makes all tables that translate `start..end`, so that later only leaf entries change.
    pub(super) fn prepare(
        &self,
        start: u64,
        end: u64,
        writer: Writer,
        batch: &mut Batch<'_>,
    ) -> Result<(), MmError> {
        let mut inner = self.inner.lock();
        let mut sink = self.sink(writer, batch);
        let span = self.shared.geometry.level(1).span();
        let mut at = start - start % span;
        while at < end {
            walk(
                &mut sink,
                &mut inner.root,
                self.shared.geometry.root(),
                at,
                self.in_system,
            )?;
            at += span;
        }
        Ok(())
    }

    /// Adds the operations to `batch` that map `pages` at `address`, a reservation.
    pub fn map_at(
        &self,
        address: u64,
        pages: &[Page],
        mapping: Mapping,
        writer: Writer,
        batch: &mut Batch<'_>,
    ) -> Result<(), MmError> {
        let mut inner = self.inner.lock();
        let mut sink = self.sink(writer, batch);
        let geometry = &self.shared.geometry;
        let leaf = geometry.level(0);
        let mut done = 0;
        while done < pages.len() {
            let at = address + done as u64 * GPU_PAGE;
            let start = leaf.index(at);
            let count = ((leaf.entries() - start) as usize).min(pages.len() - done);
            let piece = &pages[done..done + count];
            let entries: Vec<_> = piece
                .iter()
                .map(|page| leaf_entry(geometry, *page, mapping))
                .collect();
            let table = walk(
                &mut sink,
                &mut inner.root,
                geometry.root(),
                at,
                self.in_system,
            )?;
            let of = (mapping.allocation, done as u64 * GPU_PAGE);
            sink.write(0, table, start, at, &entries, of)?;
            done += count;
        }
        let mapped = Mapped {
            bytes: pages.len() as u64 * GPU_PAGE,
            content: Some((pages.to_vec(), mapping)),
        };
        inner.mapped.insert(address, mapped);
        Ok(())
    }

    /// Adds the operations to `batch` that unmap what is mapped at `address` and flush what the
    /// device remembers of it. The addresses stay reserved; returns how many bytes they are.
    pub fn unmap_at(
        &self,
        address: u64,
        writer: Writer,
        batch: &mut Batch<'_>,
    ) -> Result<u64, MmError> {
        let mut inner = self.inner.lock();
        let Mapped { bytes, .. } = inner
            .mapped
            .remove(&address)
            .ok_or(MmError::NotMapped(address))?;
        let mut sink = self.sink(writer, batch);
        let geometry = &self.shared.geometry;
        let leaf = geometry.level(0);
        let end = address + bytes;
        let mut at = address;
        while at < end {
            let start = leaf.index(at);
            let left = u32::try_from((end - at) / GPU_PAGE).unwrap_or(u32::MAX);
            let count = (leaf.entries() - start).min(left);
            let table = walk(
                &mut sink,
                &mut inner.root,
                geometry.root(),
                at,
                self.in_system,
            )?;
            sink.repeat(0, table, start, count, at, false)?;
            at += u64::from(count) * GPU_PAGE;
        }
        let flush = Op::FlushTlb {
            root: inner.root.physical(),
            process: self.process,
            start: address,
            end,
        };
        batch.push(&flush)?;
        Ok(bytes)
    }

    /// Maps `pages` anywhere and waits until the device can use them.
    pub fn map(&self, pages: &[Page], mapping: Mapping, paging: &Paging) -> Result<u64, MmError> {
        let bytes = pages.len() as u64 * GPU_PAGE;
        let address = self.reserve(bytes + GUARD)?;
        let mut batch = paging.batch();
        let built = self.map_at(address, pages, mapping, Writer::Driver, &mut batch);
        match built.and_then(|()| batch.finish()) {
            Ok(()) => Ok(address),
            Err(error) => {
                self.inner.lock().mapped.remove(&address);
                self.release(address, bytes + GUARD);
                Err(error)
            }
        }
    }

    /// Reserves addresses for a mapping of `bytes` bytes that translates nothing yet.
    pub fn map_nothing(&self, bytes: u64) -> Result<u64, MmError> {
        let address = self.reserve(bytes + GUARD)?;
        let mapped = Mapped::nothing(bytes);
        self.inner.lock().mapped.insert(address, mapped);
        Ok(address)
    }

    /// Has mappings translate to these pages and waits until the device can use them.
    pub fn fill_in(
        &self,
        addresses: &[u64],
        pages: &[Page],
        mapping: Mapping,
        paging: &Paging,
    ) -> Result<(), MmError> {
        let mut batch = paging.batch();
        for address in addresses {
            self.map_at(*address, pages, mapping, Writer::Driver, &mut batch)?;
        }
        batch.finish()
    }

    /// Has mappings translate nothing and waits until the device has forgotten what they did. The
    /// addresses stay taken.
    pub fn clear_out(&self, addresses: &[u64], paging: &Paging) -> Result<(), MmError> {
        let mut batch = paging.batch();
        for address in addresses {
            let bytes = self.unmap_at(*address, Writer::Driver, &mut batch)?;
            let mapped = Mapped::nothing(bytes);
            self.inner.lock().mapped.insert(*address, mapped);
        }
        batch.finish()
    }

    /// Unmaps what [`Self::map`] mapped and waits until the device has forgotten it.
    pub fn unmap(&self, address: u64, paging: &Paging) -> Result<(), MmError> {
        let mut batch = paging.batch();
        let bytes = self.unmap_at(address, Writer::Driver, &mut batch)?;
        batch.finish()?;
        self.release(address, bytes + GUARD);
        Ok(())
    }

    /// Writes all tables and what they map again, as after a loss of the memory that they are in.
    ///
    /// contract: PWD-010
    pub(super) fn rebuild(&self, writer: Writer, batch: &mut Batch<'_>) -> Result<(), MmError> {
        let mut inner = self.inner.lock();
        let root_level = self.shared.geometry.root();
        rewrite(&mut self.sink(writer, batch), &inner.root, root_level, 0)?;
        let mapped = std::mem::take(&mut inner.mapped);
        drop(inner);
        for (address, mapped) in mapped {
            match mapped.content {
                Some((pages, mapping)) => self.map_at(address, &pages, mapping, writer, batch)?,
                None => {
                    self.inner.lock().mapped.insert(address, mapped);
                }
            }
        }
        Ok(())
    }

    /// Bytes of the mapping that begins at `address`.
    #[must_use]
    pub fn mapped_bytes(&self, address: u64) -> Option<u64> {
        let inner = self.inner.lock();
        inner.mapped.get(&address).map(|mapped| mapped.bytes)
    }
}

fn leaf_entry(geometry: &Geometry, page: Page, mapping: Mapping) -> DXGK_PTE {
    let coherent = geometry.coherent && matches!(page, Page::System(_));
    let flags = DXGK_PTE_Anonymous::new()
        .with_CacheCoherent(coherent)
        .with_ReadOnly(mapping.read_only);
    entry(page, flags)
}

/// Makes a table as after its first write, with all below it. Nothing is left of what was there.
fn rewrite(
    sink: &mut Sink<'_, '_>,
    table: &Table,
    level: usize,
    first: u64,
) -> Result<(), MmError> {
    let desc = *sink.shared.geometry.level(level);
    if let Some(pages) = table.place.system() {
        let bytes = usize::try_from(desc.bytes).map_err(|_| MmError::Host)?;
        pages.write(0, &vec![0; bytes]).ok_or(MmError::Host)?;
    }
    sink.repeat(level, table, 0, desc.entries(), first, true)?;
    for (index, child) in &table.children {
        let at = first + u64::from(*index) * desc.span();
        rewrite(sink, child, level - 1, at)?;
        let page = child.place.page(0).ok_or(MmError::SystemMemory(1))?;
        let pointer = entry(page, DXGK_PTE_Anonymous::new());
        sink.write(level, table, *index, at, &[pointer], (KmdHandle::NULL, 0))?;
    }
    Ok(())
}

/// The leaf table for `at`, made with its parents where it does not exist. A new table is
/// invalidated before the entry that leads to it is written.
fn walk<'t>(
    sink: &mut Sink<'_, '_>,
    table: &'t mut Table,
    level: usize,
    at: u64,
    in_system: bool,
) -> Result<&'t mut Table, MmError> {
    if level == 0 {
        return Ok(table);
    }
    let desc = *sink.shared.geometry.level(level);
    let index = desc.index(at);
    if !table.children.contains_key(&index) {
        let child = sink.shared.new_table(level - 1, in_system)?;
        let first = at - at % desc.span();
        let entries = sink.shared.geometry.level(level - 1).entries();
        sink.repeat(level - 1, &child, 0, entries, first, true)?;
        let page = child.place.page(0).ok_or(MmError::SystemMemory(1))?;
        let pointer = entry(page, DXGK_PTE_Anonymous::new());
        sink.write(level, table, index, first, &[pointer], (KmdHandle::NULL, 0))?;
        table.children.insert(index, child);
    }
    let child = table
        .children
        .get_mut(&index)
        .ok_or(MmError::NotMapped(at))?;
    walk(sink, child, level - 1, at, in_system)
}
