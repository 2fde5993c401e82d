//! Memory that several parties map at once, and views whose pages can be switched.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

use super::mapping::{Access, Reservation};
use super::{PAGE_SIZE, page_align};

/// Memory behind a file descriptor, for a BAR or for guest-physical memory.
#[derive(Debug)]
pub struct SharedRegion {
    file: OwnedFd,
    len: usize,
}

impl SharedRegion {
    /// Creates `bytes` (rounded up to pages) of zeroed memory.
    pub fn new(name: &str, bytes: usize) -> io::Result<Arc<Self>> {
        let len = page_align(bytes).ok_or(io::ErrorKind::OutOfMemory)?;
        let file = memfd_create(name, MemfdFlags::CLOEXEC)?;
        ftruncate(&file, len as u64)?;
        Ok(Arc::new(Self { file, len }))
    }

    /// Takes over memory that somebody else created, `bytes` long.
    pub fn from_fd(file: OwnedFd, bytes: usize) -> Arc<Self> {
        Arc::new(Self { file, len: bytes })
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True for a region of no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Maps `bytes` from the page-aligned `offset`, readable and writable.
    pub fn map(self: &Arc<Self>, offset: usize, bytes: usize) -> io::Result<SharedMapping> {
        let len = page_align(bytes).ok_or(io::ErrorKind::InvalidInput)?;
        let end = offset.checked_add(len).ok_or(io::ErrorKind::InvalidInput)?;
        if end > self.len || len == 0 || !offset.is_multiple_of(PAGE_SIZE) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let view = Reservation::new(len)?;
        view.map_file(0, len, &self.file, offset as u64, Access::ReadWrite)?;
        Ok(SharedMapping {
            view,
            _region: self.clone(),
        })
    }
}

impl AsFd for SharedRegion {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// One mapping of a [`SharedRegion`]; unmapped on drop.
#[derive(Debug)]
pub struct SharedMapping {
    view: Reservation,
    _region: Arc<SharedRegion>,
}

impl SharedMapping {
    /// First byte of the mapping.
    pub fn as_ptr(&self) -> *mut u8 {
        self.view.base() as *mut u8
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.view.len()
    }

    /// Never true.
    pub fn is_empty(&self) -> bool {
        self.view.is_empty()
    }
}

/// A fixed range of addresses whose pages are switched between regions while threads use them.
///
/// This is how a client's doorbell address keeps its value while the page behind it changes from
/// the dummy page to a page of the doorbell BAR and back.
#[derive(Debug)]
pub struct RemappableView {
    view: Reservation,
    pages: parking_lot::Mutex<Vec<Option<Arc<SharedRegion>>>>,
}

impl RemappableView {
    /// Reserves `pages` pages, none of them accessible yet.
    pub fn new(pages: usize) -> io::Result<Self> {
        let bytes = pages
            .checked_mul(PAGE_SIZE)
            .ok_or(io::ErrorKind::InvalidInput)?;
        let view = Reservation::new(bytes)?;
        Ok(Self {
            view,
            pages: parking_lot::Mutex::new(vec![None; pages.max(1)]),
        })
    }

    /// First byte of the view; it never moves.
    pub fn as_ptr(&self) -> *mut u8 {
        self.view.base() as *mut u8
    }

    /// Number of pages.
    pub fn pages(&self) -> usize {
        self.view.len() / PAGE_SIZE
    }

    /// Puts the page of `region` at `region_offset` (page-aligned) behind page `page` of the view.
    pub fn switch_page(
        &self,
        page: usize,
        region: &Arc<SharedRegion>,
        region_offset: usize,
    ) -> io::Result<()> {
        let end = region_offset
            .checked_add(PAGE_SIZE)
            .ok_or(io::ErrorKind::InvalidInput)?;
        if end > region.len() || !region_offset.is_multiple_of(PAGE_SIZE) || page >= self.pages() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut pages = self.pages.lock();
        let at = page * PAGE_SIZE;
        self.view.map_file(
            at,
            PAGE_SIZE,
            region,
            region_offset as u64,
            Access::ReadWrite,
        )?;
        pages[page] = Some(region.clone());
        Ok(())
    }

    /// Makes page `page` inaccessible: the next access to it faults.
    pub fn revoke_page(&self, page: usize) -> io::Result<()> {
        if page >= self.pages() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut pages = self.pages.lock();
        self.view
            .protect(page * PAGE_SIZE, PAGE_SIZE, Access::None)?;
        pages[page] = None;
        Ok(())
    }
}
