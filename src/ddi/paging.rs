//! Paging operations and page-table roots.

use carillon_core::error::Result;
use carillon_core::segment::Segments;
use carillon_ddi::{
    DXGKARG_BUILDPAGINGBUFFER, DXGKARG_GETROOTPAGETABLESIZE, DXGKARG_SETROOTPAGETABLE, HANDLE,
    NTSTATUS,
};
use carillon_hw::addr::PAGE_SIZE;
use carillon_hw::mmu::ENTRY_BYTES;

use super::arguments::{in_out, input, own};
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiBuildPagingBuffer`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_buildpagingbuffer`.
pub(crate) unsafe extern "win64" fn build_paging_buffer(
    _adapter: HANDLE,
    _arguments: *mut DXGKARG_BUILDPAGINGBUFFER,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_GRAPHICS_ALLOCATION_BUSY
}

/// `DxgkDdiSetRootPageTable`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_setrootpagetable`.
///
/// There is no way to refuse: a context whose root makes no sense keeps the one that it has, and
/// what runs in it faults.
pub(crate) unsafe extern "win64" fn set_root_page_table(
    adapter: HANDLE,
    arguments: *const DXGKARG_SETROOTPAGETABLE,
) {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    let _: Result = Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        let bytes = u64::from(arguments.NumEntries).saturating_mul(ENTRY_BYTES);
        let root =
            Segments::of(&adapter.facts().layout).resolve_address(arguments.Address, bytes)?;
        adapter.set_root(
            passive,
            own(arguments.hContext)?,
            root,
            arguments.NumEntries,
        )
    });
}

/// `DxgkDdiGetRootPageTableSize`: whole pages. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_getrootpagetablesize`.
pub(crate) unsafe extern "win64" fn get_root_page_table_size(
    _adapter: HANDLE,
    arguments: *mut DXGKARG_GETROOTPAGETABLESIZE,
) -> usize {
    let _passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let entries = unsafe { in_out(arguments) }.map_or(0, |arguments| arguments.NumberOfPte);
    let bytes = u64::from(entries).saturating_mul(ENTRY_BYTES);
    usize::try_from(bytes.next_multiple_of(PAGE_SIZE)).unwrap_or(usize::MAX)
}
