//! Paging operations and page-table roots.
//!
//! The DDI's union is taken apart here; what the operations become is the core's business.

use core::sync::atomic::{AtomicU64, Ordering, fence};

use carillon_core::error::{Error, Result};
use carillon_core::handle::Handle;
use carillon_core::irql::Passive;
use carillon_core::objects::ProcessKind;
use carillon_core::paging::table::UpdatePageTable;
use carillon_core::paging::{Built, CopyRange, Location, Operation, build};
use carillon_core::segment::Segments;
use carillon_ddi::{
    DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES, DXGK_BUILDPAGINGBUFFER_FLUSHTLB,
    DXGK_BUILDPAGINGBUFFER_OPERATION, DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE,
    DXGK_PAGETABLEUPDATEMODE, DXGK_PTE, DXGKARG_BUILDPAGINGBUFFER,
    DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment, DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment2,
    DXGKARG_BUILDPAGINGBUFFER_Transfer, DXGKARG_GETROOTPAGETABLESIZE, DXGKARG_SETROOTPAGETABLE,
    HANDLE, NTSTATUS, PVOID,
};
use carillon_hw::addr::{BusAddress, GpuVa, PAGE_SIZE};
use carillon_hw::mmu::ENTRY_BYTES;
use carillon_hw::queue::ContextId;

use super::arguments::{in_out, input, list, list_mut, own};
use super::pages::Frames;
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiBuildPagingBuffer`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_buildpagingbuffer`.
///
/// `pDmaBuffer` goes out past what was written, also when the OS has to call again with the
/// `MultipassOffset` that it is given.
pub(crate) unsafe extern "win64" fn build_paging_buffer(
    adapter: HANDLE,
    arguments: *mut DXGKARG_BUILDPAGINGBUFFER,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    let built = Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        // SAFETY: the page: `pDmaBuffer` has `DmaSize` bytes, or is NULL for an update by the CPU;
        // what the operation points to is valid during the call.
        let built = unsafe { operate(passive, &adapter, arguments) }?;
        if !arguments.pDmaBuffer.is_null() {
            let bytes = built.dwords.saturating_mul(size_of::<u32>());
            arguments.pDmaBuffer = arguments.pDmaBuffer.wrapping_byte_add(bytes);
        }
        if let Some(next) = built.next {
            arguments.MultipassOffset = next;
            return Err(Error::InsufficientDmaBuffer);
        }
        Ok(())
    });
    super::arguments::answer(built)
}

/// # Safety
/// `pDmaBuffer` is NULL or has `DmaSize` writable bytes; pointers of the operation's arm of the
/// union lead to what its page says, during the call.
unsafe fn operate(
    _passive: Passive<'_>,
    adapter: &Running,
    arguments: &DXGKARG_BUILDPAGINGBUFFER,
) -> Result<Built> {
    type Kind = DXGK_BUILDPAGINGBUFFER_OPERATION;
    let segments = &Segments::of(&adapter.facts().layout);
    let dwords = if arguments.pDmaBuffer.is_null() {
        0
    } else {
        arguments.DmaSize / 4
    };
    // SAFETY: the caller's contract.
    let out: &mut [u32] = unsafe { list_mut(arguments.pDmaBuffer.cast(), dwords) }?;
    let progress = arguments.MultipassOffset;
    let arm = &arguments.Anonymous;
    let operation = match arguments.Operation {
        Kind::DXGK_OPERATION_TRANSFER => {
            // SAFETY: `Operation` says that this arm holds; its words may be anything.
            let transfer = unsafe { arm.Transfer };
            // SAFETY: the caller's contract.
            return unsafe { move_pages(segments, &transfer, out, progress) };
        }
        Kind::DXGK_OPERATION_MAP_APERTURE_SEGMENT => {
            // SAFETY: `Operation` says that this arm holds; its words may be anything.
            let map = unsafe { arm.MapApertureSegment };
            // SAFETY: the caller's contract.
            return unsafe { map_pages(segments, &map, out, progress) };
        }
        Kind::DXGK_OPERATION_MAP_APERTURE_SEGMENT2 => {
            // SAFETY: `Operation` says that this arm holds; its words may be anything.
            let map = unsafe { arm.MapApertureSegment2 };
            // SAFETY: the caller's contract.
            return unsafe { map_list(segments, &map, out, progress) };
        }
        Kind::DXGK_OPERATION_UPDATE_PAGE_TABLE => {
            // SAFETY: `Operation` says that this arm holds; its words may be anything.
            let update = unsafe { arm.UpdatePageTable };
            // SAFETY: the caller's contract.
            return unsafe { update_table(segments, &update, out, progress) };
        }
        Kind::DXGK_OPERATION_COPY_PAGE_TABLE_ENTRIES => {
            // SAFETY: `Operation` says that this arm holds; its words may be anything.
            let copy = unsafe { arm.CopyPageTableEntries };
            // SAFETY: the caller's contract.
            return unsafe { copy_entries(segments, &copy, out, progress) };
        }
        Kind::DXGK_OPERATION_FLUSH_TLB => {
            // SAFETY: `Operation` says that this arm holds; its words may be anything.
            let flush = unsafe { arm.FlushTlb };
            return flush_process(adapter, segments, &flush, out, progress);
        }
        // SAFETY: `simple` is told which arm holds.
        other => unsafe { simple(other, arguments) }?,
    };
    build(segments, &operation, out, progress)
}

/// The operations without lists.
///
/// # Safety
/// None beyond the type: every arm that is read consists of words that may be anything.
unsafe fn simple(
    kind: DXGK_BUILDPAGINGBUFFER_OPERATION,
    arguments: &DXGKARG_BUILDPAGINGBUFFER,
) -> Result<Operation<'static>> {
    type Kind = DXGK_BUILDPAGINGBUFFER_OPERATION;
    let arm = &arguments.Anonymous;
    Ok(match kind {
        Kind::DXGK_OPERATION_VIRTUAL_TRANSFER => {
            // SAFETY: `kind` says that this arm holds; its words may be anything.
            let transfer = unsafe { arm.TransferVirtual };
            Operation::TransferVirtual {
                source: GpuVa(transfer.SourceVirtualAddress),
                destination: GpuVa(transfer.DestinationVirtualAddress),
                bytes: transfer.TransferSizeInBytes,
            }
        }
        Kind::DXGK_OPERATION_VIRTUAL_FILL => {
            // SAFETY: `kind` says that this arm holds; its words may be anything.
            let fill = unsafe { arm.FillVirtual };
            Operation::FillVirtual {
                destination: GpuVa(fill.DestinationVirtualAddress),
                bytes: fill.FillSizeInBytes,
                pattern: fill.FillPattern,
            }
        }
        Kind::DXGK_OPERATION_FILL => {
            // SAFETY: `kind` says that this arm holds; its words may be anything.
            let fill = unsafe { arm.Fill };
            Operation::Fill {
                segment: fill.Destination.SegmentId,
                address: fill.Destination.SegmentAddress.QuadPart.cast_unsigned(),
                bytes: fill.FillSize as u64,
                pattern: fill.FillPattern,
            }
        }
        Kind::DXGK_OPERATION_UNMAP_APERTURE_SEGMENT => {
            // SAFETY: `kind` says that this arm holds; its words may be anything.
            let unmap = unsafe { arm.UnmapApertureSegment };
            Operation::UnmapAperture {
                first: unmap.OffsetInPages as u64,
                count: unmap.NumberOfPages as u64,
                dummy: BusAddress(unmap.DummyPage.get()),
            }
        }
        Kind::DXGK_OPERATION_SIGNAL_MONITORED_FENCE => {
            // SAFETY: `kind` says that this arm holds; its words may be anything.
            let signal = unsafe { arm.SignalMonitoredFence };
            Operation::SignalFence {
                address: GpuVa(signal.MonitoredFenceGpuVa),
                value: signal.MonitoredFenceValue,
            }
        }
        Kind::DXGK_OPERATION_DISCARD_CONTENT
        | Kind::DXGK_OPERATION_READ_PHYSICAL
        | Kind::DXGK_OPERATION_WRITE_PHYSICAL
        | Kind::DXGK_OPERATION_NOTIFY_RESIDENCY
        | Kind::DXGK_OPERATION_NOTIFY_RESIDENCY2
        | Kind::DXGK_OPERATION_NOTIFY_FENCE_RESIDENCY
        | Kind::DXGK_OPERATION_NOTIFY_ALLOC => Operation::Nothing,
        _ => return Err(Error::InvalidParameter),
    })
}

/// # Safety
/// An end in segment 0 has an MDL with its frame numbers.
unsafe fn move_pages(
    segments: &Segments,
    transfer: &DXGKARG_BUILDPAGINGBUFFER_Transfer,
    out: &mut [u32],
    progress: u32,
) -> Result<Built> {
    let first = u64::from(transfer.MdlOffset);
    let (from, to) = (&transfer.Source, &transfer.Destination);
    let source = if from.SegmentId == 0 {
        // SAFETY: segment 0 says that this arm holds.
        let mdl = unsafe { from.Anonymous.pMdl };
        // SAFETY: the caller's contract.
        Some(unsafe { Frames::of_mdl(mdl) }?)
    } else {
        None
    };
    let destination = if to.SegmentId == 0 {
        // SAFETY: segment 0 says that this arm holds.
        let mdl = unsafe { to.Anonymous.pMdl };
        // SAFETY: the caller's contract.
        Some(unsafe { Frames::of_mdl(mdl) }?)
    } else {
        None
    };
    let source_page = |index| source.and_then(|frames| frames.page(index));
    let destination_page = |index| destination.and_then(|frames| frames.page(index));
    let operation = Operation::Transfer {
        source: if source.is_some() {
            Location::Pages {
                first,
                pages: &source_page,
            }
        } else {
            Location::Segment {
                segment: from.SegmentId,
                // SAFETY: another segment says that this arm holds; any word is a number.
                address: unsafe { from.Anonymous.SegmentAddress }
                    .QuadPart
                    .cast_unsigned(),
            }
        },
        destination: if destination.is_some() {
            Location::Pages {
                first,
                pages: &destination_page,
            }
        } else {
            Location::Segment {
                segment: to.SegmentId,
                // SAFETY: another segment says that this arm holds; any word is a number.
                address: unsafe { to.Anonymous.SegmentAddress }
                    .QuadPart
                    .cast_unsigned(),
            }
        },
        offset: transfer.TransferOffset.into(),
        bytes: transfer.TransferSize as u64,
    };
    build(segments, &operation, out, progress)
}

/// # Safety
/// `pMdl` is NULL or an MDL with its frame numbers.
unsafe fn map_pages(
    segments: &Segments,
    map: &DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment,
    out: &mut [u32],
    progress: u32,
) -> Result<Built> {
    // SAFETY: the caller's contract.
    let frames = unsafe { Frames::of_mdl(map.pMdl) }?;
    let pages = |index: u64| frames.page(index.checked_add(map.MdlOffset.into())?);
    let operation = Operation::MapAperture {
        first: map.OffsetInPages as u64,
        count: map.NumberOfPages as u64,
        coherent: map.Flags.CacheCoherent(),
        pages: &pages,
    };
    build(segments, &operation, out, progress)
}

/// # Safety
/// `Adl` has as many frame numbers as it says.
unsafe fn map_list(
    segments: &Segments,
    map: &DXGKARG_BUILDPAGINGBUFFER_MapApertureSegment2,
    out: &mut [u32],
    progress: u32,
) -> Result<Built> {
    // SAFETY: the caller's contract.
    let frames = unsafe { Frames::of_adl(&map.Adl) }?;
    let pages = |index: u64| frames.page(index.checked_add(map.AdlOffset.into())?);
    let operation = Operation::MapAperture {
        first: map.OffsetInPages as u64,
        count: map.NumberOfPages as u64,
        coherent: map.Flags.CacheCoherent(),
        pages: &pages,
    };
    build(segments, &operation, out, progress)
}

/// # Safety
/// `pPageTableEntries` has `NumPageTableEntries` entries (one with `Repeat`), and the table is
/// mapped at `CpuVirtual` in that mode.
unsafe fn update_table(
    segments: &Segments,
    update: &DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE,
    out: &mut [u32],
    progress: u32,
) -> Result<Built> {
    let given = if update.Flags.Repeat() {
        update.NumPageTableEntries.min(1)
    } else {
        update.NumPageTableEntries
    };
    // SAFETY: the caller's contract.
    let entries = unsafe { list(update.pPageTableEntries.cast_const(), given) }?;
    let entry = |index: u32| {
        entries
            .get(index as usize)
            .copied()
            .unwrap_or(DXGK_PTE::ZERO)
    };
    let table = UpdatePageTable::new(
        update.PageTableLevel,
        update.StartIndex,
        update.NumPageTableEntries,
        update.Flags,
        &entry,
    )?;
    match update.UpdateMode {
        DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL => {
            // SAFETY: the mode says that this arm holds.
            let base = unsafe { update.PageTableAddress.CpuVirtual };
            // SAFETY: the caller's contract.
            unsafe { store_entries(segments, &table, base) }?;
            Ok(Built {
                dwords: 0,
                next: None,
            })
        }
        DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_PHYSICAL => {
            // SAFETY: the mode says that this arm holds; any words are numbers.
            let address = unsafe { update.PageTableAddress.GpuPhysical };
            let operation = Operation::UpdatePageTable {
                segment: address.SegmentId,
                offset: address.SegmentOffset,
                update: table,
            };
            build(segments, &operation, out, progress)
        }
        _ => Err(Error::InvalidParameter),
    }
}

/// # Safety
/// `base` is NULL or maps a page table, which the device may read at the same time.
unsafe fn store_entries(segments: &Segments, table: &UpdatePageTable<'_>, base: PVOID) -> Result {
    if base.is_null() || !base.cast::<u64>().is_aligned() {
        return Err(Error::InvalidParameter);
    }
    for store in table.stores(segments) {
        let (offset, entry) = store?;
        let offset = usize::try_from(offset).map_err(|_| Error::InvalidParameter)?;
        let place = base.wrapping_byte_add(offset).cast::<u64>();
        // SAFETY: inside the table, which `UpdatePageTable::new` has checked, and aligned.
        unsafe { AtomicU64::from_ptr(place) }.store(entry, Ordering::Release);
    }
    fence(Ordering::SeqCst);
    Ok(())
}

/// # Safety
/// `pRanges` has `NumRanges` elements.
unsafe fn copy_entries(
    segments: &Segments,
    copy: &DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES,
    out: &mut [u32],
    progress: u32,
) -> Result<Built> {
    // SAFETY: the caller's contract.
    let ranges = unsafe { list(copy.pRanges.cast_const(), copy.NumRanges) }?;
    let range = |index: u32| {
        ranges.get(index as usize).map(|range| CopyRange {
            entries: range.NumPageTableEntries,
            source: GpuVa(range.SrcPageTableAddress),
            source_index: range.SrcStartPteIndex,
            destination: GpuVa(range.DstPageTableAddress),
            destination_index: range.DstStartPteIndex,
        })
    };
    let operation = Operation::CopyPageTableEntries {
        ranges: copy.NumRanges,
        range: &range,
    };
    build(segments, &operation, out, progress)
}

fn flush_process(
    adapter: &Running,
    segments: &Segments,
    flush: &DXGK_BUILDPAGINGBUFFER_FLUSHTLB,
    out: &mut [u32],
    progress: u32,
) -> Result<Built> {
    let process: Handle<ProcessKind> = own(flush.hProcess)?;
    let contexts = |from: u32| adapter.context_of_process(process, ContextId(from));
    let operation = Operation::FlushTlb {
        contexts: &contexts,
    };
    build(segments, &operation, out, progress)
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
