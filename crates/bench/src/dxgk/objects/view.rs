//! Pages of system memory at a user address.

use std::ptr::NonNull;

use super::ObjectError;
use crate::dxgk::vidmm::place::SystemPages;
use crate::nt::Nt;
use crate::trap::PAGE_SIZE;
use crate::trap::mapping::{Access, Reservation};

/// A user mapping of system pages; unmapped on drop.
#[derive(Debug)]
pub struct UserView {
    view: Reservation,
}

impl UserView {
    /// Maps the page with this index, with or without the right to write.
    pub fn of_page(
        nt: &Nt,
        pages: &SystemPages,
        index: u64,
        access: Access,
    ) -> Result<Self, ObjectError> {
        let view = Reservation::new(PAGE_SIZE).map_err(|_| ObjectError::Host)?;
        let page = pages
            .page(index)
            .and_then(|page| nt.memory.region_offset(page));
        let offset = page.ok_or(ObjectError::Host)? as u64;
        view.map_file(0, PAGE_SIZE, nt.memory.region(), offset, access)
            .map_err(|_| ObjectError::Host)?;
        Ok(Self { view })
    }

    /// The first word.
    pub fn word(&self) -> Result<NonNull<u64>, ObjectError> {
        NonNull::new(self.view.base() as *mut u64).ok_or(ObjectError::Host)
    }
}
