//! The paging process, and VidMm as one.
//!
//! The paging process' address space has two parts. The *system area* holds what is mapped for
//! good: the paging buffer, and storage that the driver asked to see there. The *scratch area* is
//! where memory is mapped while it is filled or moved. All page tables of the process are made and
//! written by the CPU when the adapter starts; afterwards only leaf entries change.

use std::sync::Arc;

use parking_lot::Mutex;

use super::MmError;
use super::geometry::{GPU_PAGE, Geometry, MemoryFacts};
use super::paging::{Paging, PagingStats};
use super::place::{Page, Segments, SystemPages};
use super::space::{Mapping, Shared, Space, Writer};
use crate::dxgk::driver::Driver;
use crate::dxgk::handle::KmdHandle;
use crate::dxgk::objects::completion::Completions;

/// Bytes of the paging process' space that are for fixed mappings and never scratch.
const SYSTEM_AREA: u64 = 64 << 20;

/// The driver's objects of the paging process. They live longer than [`VidMm`]'s use of them and
/// shorter than its memory: the page tables are freed after the context is destroyed.
#[derive(Debug, Clone, Copy)]
pub struct PagingProcess {
    /// The system process.
    pub process: KmdHandle,
    /// The system context on the paging node.
    pub context: KmdHandle,
}

/// VidMm of one adapter.
#[derive(Debug)]
pub struct VidMm {
    pub(super) driver: Arc<Driver>,
    pub(super) adapter: KmdHandle,
    pub(super) shared: Arc<Shared>,
    pub(in crate::dxgk) paging: Paging,
    process: PagingProcess,
    system: Space,
    /// The scratch area is used by one transfer at a time.
    pub(super) scratch: Mutex<Scratch>,
}

/// Two windows of equal size in the paging process' space: source and destination.
#[derive(Debug, Clone, Copy)]
pub struct Scratch {
    /// First address of the source window.
    pub source: u64,
    /// First address of the destination window.
    pub destination: u64,
    /// Bytes of each.
    pub bytes: u64,
}

impl VidMm {
    /// Sets up the address space of the paging process of a started adapter.
    ///
    /// # Errors
    /// When the driver's answers cannot be worked with, or it fails one of the calls.
    pub fn start(
        driver: Arc<Driver>,
        adapter: KmdHandle,
        process: PagingProcess,
        facts: &MemoryFacts,
        completions: Arc<Completions>,
    ) -> Result<Self, MmError> {
        let geometry = Geometry::new(facts)?;
        let shared = Arc::new(Shared {
            nt: driver.nt().clone(),
            geometry,
            segments: Arc::new(Segments::new(&facts.segments)),
        });
        let paging = Paging::new(driver.clone(), adapter, facts, completions)?;
        let (system, scratch) = build_space(&shared, &paging, process, facts.paging_va_bytes)?;
        let scratch = Mutex::new(scratch);
        Ok(Self {
            driver,
            adapter,
            shared,
            paging,
            process,
            system,
            scratch,
        })
    }

    /// An empty address space for a process.
    pub fn new_space(&self, process: KmdHandle) -> Result<Space, MmError> {
        let bytes = self.shared.geometry.space_bytes;
        Space::new(&self.shared, process, bytes, Writer::Driver, &self.paging)
    }

    /// The paging queue.
    #[must_use]
    pub fn paging(&self) -> &Paging {
        &self.paging
    }

    /// What the paging queue has done so far.
    #[must_use]
    pub fn stats(&self) -> PagingStats {
        self.paging.stats()
    }

    /// The adapter's segments.
    #[must_use]
    pub fn segments(&self) -> &Segments {
        &self.shared.segments
    }

    /// The paging process' space.
    #[must_use]
    pub fn system_space(&self) -> &Space {
        &self.system
    }

    /// Maps system pages into the paging process for good.
    pub fn map_system(&self, pages: &SystemPages) -> Result<u64, MmError> {
        let list: Vec<_> = pages_of(pages).collect();
        self.system.map(&list, Mapping::ANONYMOUS, &self.paging)
    }

    /// Writes the page tables of the paging process again, by the CPU, and names their root again:
    /// as after a loss of memory.
    ///
    /// contract: PWD-010
    pub fn rebuild_system(&self) -> Result<(), MmError> {
        let mut batch = self.paging.batch();
        self.system.rebuild(Writer::Cpu, &mut batch)?;
        batch.finish()?;
        self.system.set_root(self.process.context, &self.paging)
    }

    /// Undoes [`Self::map_system`].
    pub fn unmap_system(&self, address: u64) -> Result<(), MmError> {
        self.system.unmap(address, &self.paging)
    }
}

/// The pages of an allocation of system memory, in order.
pub(super) fn pages_of(pages: &SystemPages) -> impl Iterator<Item = Page> {
    (0..pages.len())
        .filter_map(|index| pages.page(index))
        .map(Page::System)
}

fn build_space(
    shared: &Arc<Shared>,
    paging: &Paging,
    process: PagingProcess,
    bytes: u64,
) -> Result<(Space, Scratch), MmError> {
    let system_area = SYSTEM_AREA.min(bytes / 4);
    let space = Space::new(shared, process.process, system_area, Writer::Cpu, paging)?;
    let mut batch = paging.batch();
    space.prepare(0, bytes, Writer::Cpu, &mut batch)?;
    let buffer_bytes = paging.buffer_pages() * GPU_PAGE;
    let address = space.reserve(buffer_bytes)?;
    let pages: Vec<_> = pages_of(paging.buffer())
        .take(usize::try_from(paging.buffer_pages()).unwrap_or(0))
        .collect();
    space.map_at(address, &pages, Mapping::ANONYMOUS, Writer::Cpu, &mut batch)?;
    batch.finish()?;
    space.set_root(process.context, paging)?;
    paging.connect(process.context, address);
    let window = (bytes - system_area) / 2;
    let window = window - window % GPU_PAGE;
    let source = system_area - system_area % GPU_PAGE;
    Ok((
        space,
        Scratch {
            source,
            destination: source + window,
            bytes: window,
        },
    ))
}
