//! `DxgkDdiBuildPagingBuffer`: memory operations as packets. Page
//! `nc-d3dkmddi-dxgkddi_buildpagingbuffer`.
//!
//! An [`Operation`] holds what the DDI's structure says, decoded. Arrays stay where the OS has
//! them and are read through functions, each element once a pass. Allocation handles are not among
//! the arguments: they may be NULL, and nothing here depends on them.
//!
//! An operation that does not fit is continued: the OS calls again with the progress that it was
//! told. What the progress counts depends on the operation; only its own next pass reads it.
//!
//! * [`table`]: page-table updates
//! * `writer`: whole packets into what is left of a buffer

pub mod table;
#[cfg(test)]
mod tests;
mod writer;

use carillon_hw::addr::{BusAddress, GpuVa, PAGE_SIZE, PhysicalTarget};
use carillon_hw::mmu::{ENTRY_BYTES, PageTableEntry};
use carillon_hw::packet::Packet;
use carillon_hw::queue::ContextId;

use crate::error::{Error, Result};
use crate::segment::Segments;
use table::UpdatePageTable;
use writer::Writer;

/// A page of a page list by its index: its bus address, or `None` past the end of the list.
pub type Pages<'a> = &'a dyn Fn(u64) -> Option<BusAddress>;

/// One end of a physical transfer.
#[derive(Clone, Copy)]
pub enum Location<'a> {
    /// `SegmentAddress` in a segment, which the operation's `TransferOffset` is to be added to.
    Segment {
        /// Number of the segment, not 0.
        segment: u32,
        /// Segment address.
        address: u64,
    },
    /// Pages of an MDL, from its page `MdlOffset` on; `TransferOffset` does not apply.
    Pages {
        /// Index of the first page.
        first: u64,
        /// The page frame array.
        pages: Pages<'a>,
    },
}

/// A range of `DXGK_OPERATION_COPY_PAGE_TABLE_ENTRIES`, in addresses of the paging process.
#[derive(Clone, Copy, Debug)]
pub struct CopyRange {
    /// Entries to copy.
    pub entries: u32,
    /// Table to read.
    pub source: GpuVa,
    /// First entry to read.
    pub source_index: u32,
    /// Table to write.
    pub destination: GpuVa,
    /// First entry to write.
    pub destination_index: u32,
}

/// A memory operation.
#[derive(Clone, Copy)]
pub enum Operation<'a> {
    /// `DXGK_OPERATION_VIRTUAL_TRANSFER`. The addresses are the paging process's and final: the
    /// allocation offset is not added.
    TransferVirtual {
        /// First byte to read.
        source: GpuVa,
        /// First byte to write.
        destination: GpuVa,
        /// Length in bytes.
        bytes: u64,
    },
    /// `DXGK_OPERATION_VIRTUAL_FILL`.
    FillVirtual {
        /// First byte.
        destination: GpuVa,
        /// Length in bytes.
        bytes: u64,
        /// Pattern.
        pattern: u32,
    },
    /// `DXGK_OPERATION_TRANSFER`.
    Transfer {
        /// What to read.
        source: Location<'a>,
        /// What to write.
        destination: Location<'a>,
        /// `TransferOffset`, in bytes.
        offset: u64,
        /// `TransferSize`, in bytes.
        bytes: u64,
    },
    /// `DXGK_OPERATION_FILL`.
    Fill {
        /// Number of the segment.
        segment: u32,
        /// Segment address.
        address: u64,
        /// Length in bytes.
        bytes: u64,
        /// Pattern.
        pattern: u32,
    },
    /// `DXGK_OPERATION_UPDATE_PAGE_TABLE` in the mode `GPU_PHYSICAL`.
    UpdatePageTable {
        /// Segment of the table, 0 for system memory.
        segment: u32,
        /// Offset of the table in the segment, or its bus address.
        offset: u64,
        /// What to write.
        update: UpdatePageTable<'a>,
    },
    /// `DXGK_OPERATION_COPY_PAGE_TABLE_ENTRIES`.
    CopyPageTableEntries {
        /// Number of ranges.
        ranges: u32,
        /// Range by its index; `None` past the end.
        range: &'a dyn Fn(u32) -> Option<CopyRange>,
    },
    /// `DXGK_OPERATION_FLUSH_TLB`. The hardware forgets a context's translations as a whole, so the
    /// addresses of the range do not matter.
    FlushTlb {
        /// The first context of the process whose number is not below the argument. In this form,
        /// a context that goes between two passes does not make another one be left out.
        contexts: &'a dyn Fn(u32) -> Option<ContextId>,
    },
    /// `DXGK_OPERATION_MAP_APERTURE_SEGMENT` and its second form.
    MapAperture {
        /// `OffsetInPages`.
        first: u64,
        /// `NumberOfPages`.
        count: u64,
        /// `CacheCoherent`.
        coherent: bool,
        /// The pages, from index 0: the function adds `MdlOffset` or `AdlOffset`.
        pages: Pages<'a>,
    },
    /// `DXGK_OPERATION_UNMAP_APERTURE_SEGMENT`: the range points at the dummy page and stays
    /// readable.
    UnmapAperture {
        /// `OffsetInPages`.
        first: u64,
        /// `NumberOfPages`.
        count: u64,
        /// `DummyPage`.
        dummy: BusAddress,
    },
    /// `DXGK_OPERATION_SIGNAL_MONITORED_FENCE`.
    SignalFence {
        /// Address of the value in the paging process.
        address: GpuVa,
        /// New value.
        value: u64,
    },
    /// An operation that needs no command: contents are discarded, a residency or an allocation is
    /// notified, a physical read or write asks for what packets in order do anyway.
    Nothing,
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// Doublewords written to the buffer; to be submitted whether or not the operation is complete.
    pub dwords: usize,
    /// `None`: complete. `Some`: the buffer is full; the OS gets
    /// `STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER` and this as `MultipassOffset`.
    pub next: Option<u32>,
}

/// Writes the packets of `operation` into `out`, from where `progress` (`MultipassOffset`) says that
/// earlier passes came. IRQL: PASSIVE_LEVEL.
///
/// # Errors
/// [`Error::InvalidParameter`] for memory that is not there, an array shorter than its count, or an
/// operation that does not fit the reported capabilities. `out` is then unspecified. The page
/// allows no such answer, so the OS takes it for what it is, a broken contract.
pub fn build(
    segments: &Segments,
    operation: &Operation<'_>,
    out: &mut [u32],
    progress: u32,
) -> Result<Built> {
    let mut writer = Writer::new(out);
    let next = match operation.packet(segments)? {
        Some(packet) => single(&mut writer, progress, &packet),
        None => several(segments, operation, &mut writer, progress)?,
    };
    Ok(Built {
        dwords: writer.written(),
        next,
    })
}

impl Operation<'_> {
    /// The packet of an operation that is always one.
    fn packet(&self, segments: &Segments) -> Result<Option<Packet>> {
        Ok(Some(match *self {
            Operation::TransferVirtual {
                source,
                destination,
                bytes,
            } => Packet::Copy {
                source,
                destination,
                bytes,
            },
            Operation::FillVirtual {
                destination,
                bytes,
                pattern,
            } => {
                whole_words(destination.0, bytes)?;
                Packet::Fill {
                    destination,
                    bytes,
                    pattern,
                }
            }
            Operation::Fill {
                segment,
                address,
                bytes,
                pattern,
            } => {
                let target = segments.resolve(segment, address, bytes)?;
                whole_words(target.raw(), bytes)?;
                Packet::FillPhysical {
                    target,
                    bytes,
                    pattern,
                }
            }
            // A monitored address of 0 interrupts always. Handle 0 is no fence of the driver's.
            Operation::SignalFence { address, value } if address.is_aligned(8) => {
                Packet::FenceSignal {
                    current: address,
                    monitored: GpuVa(0),
                    value,
                    handle: 0,
                }
            }
            Operation::SignalFence { .. } => return Err(Error::InvalidParameter),
            _ => return Ok(None),
        }))
    }
}

/// Operations that may be several packets, or none.
fn several(
    segments: &Segments,
    operation: &Operation<'_>,
    writer: &mut Writer<'_>,
    progress: u32,
) -> Result<Option<u32>> {
    match *operation {
        Operation::Transfer {
            source,
            destination,
            offset,
            bytes,
        } => {
            let ends = (source.at(offset)?, destination.at(offset)?);
            transfer(segments, writer, progress, ends, bytes)
        }
        Operation::UpdatePageTable {
            segment,
            offset,
            ref update,
        } => {
            let table = segments.resolve(segment, offset, carillon_hw::mmu::TABLE_BYTES)?;
            update.write(segments, table, writer, progress)
        }
        Operation::CopyPageTableEntries { ranges, range } => {
            copy_ranges(writer, progress, ranges, range)
        }
        Operation::FlushTlb { contexts } => Ok(flush(writer, progress, contexts)),
        Operation::MapAperture {
            first,
            count,
            coherent,
            pages,
        } => aperture(segments, writer, progress, (first, count), &mut |at| {
            let page = pages(at.into()).ok_or(Error::InvalidParameter)?;
            Ok(entry_for(page)?.with_coherent(coherent))
        }),
        Operation::UnmapAperture {
            first,
            count,
            dummy,
        } => {
            let entry = entry_for(dummy)?;
            let dummy = &mut |_| Ok(entry);
            aperture(segments, writer, progress, (first, count), dummy)
        }
        _ => Ok(None),
    }
}

/// An operation of one packet; its progress is 0 before and 1 after.
fn single(writer: &mut Writer<'_>, progress: u32, packet: &Packet) -> Option<u32> {
    let done = progress != 0 || writer.packet(packet);
    (!done).then_some(0)
}

/// Fills work in doublewords.
fn whole_words(address: u64, bytes: u64) -> Result {
    if address.is_multiple_of(4) && bytes.is_multiple_of(4) {
        Ok(())
    } else {
        Err(Error::InvalidParameter)
    }
}

fn entry_for(page: BusAddress) -> Result<PageTableEntry> {
    PageTableEntry::to_target(PhysicalTarget::System(page)).ok_or(Error::InvalidParameter)
}

impl Location<'_> {
    /// The location with the transfer's offset applied.
    fn at(self, offset: u64) -> Result<Self> {
        Ok(match self {
            Self::Segment { segment: 0, .. } => return Err(Error::InvalidParameter),
            Self::Segment { segment, address } => Self::Segment {
                segment,
                address: address.checked_add(offset).ok_or(Error::InvalidParameter)?,
            },
            pages @ Self::Pages { .. } => pages,
        })
    }

    /// The `bytes` bytes at `offset`; of a page list, they must not leave a page.
    fn target(self, segments: &Segments, offset: u64, bytes: u64) -> Result<PhysicalTarget> {
        match self {
            Self::Segment { segment, address } => {
                let at = address.checked_add(offset).ok_or(Error::InvalidParameter)?;
                segments.resolve(segment, at, bytes)
            }
            Self::Pages { first, pages } => {
                let page = first
                    .checked_add(offset / PAGE_SIZE)
                    .and_then(pages)
                    .ok_or(Error::InvalidParameter)?;
                Ok(PhysicalTarget::System(page))
            }
        }
    }
}

/// One packet if both ends are linear, else one a page. Progress counts packets.
fn transfer(
    segments: &Segments,
    writer: &mut Writer<'_>,
    progress: u32,
    (source, destination): (Location<'_>, Location<'_>),
    bytes: u64,
) -> Result<Option<u32>> {
    let linear = matches!(source, Location::Segment { .. })
        && matches!(destination, Location::Segment { .. });
    let piece = if linear { bytes.max(1) } else { PAGE_SIZE };
    let pieces = u32::try_from(bytes.div_ceil(piece)).map_err(|_| Error::InvalidParameter)?;
    for index in progress..pieces {
        let offset = u64::from(index)
            .checked_mul(piece)
            .ok_or(Error::InvalidParameter)?;
        let length = bytes.saturating_sub(offset).min(piece);
        let packet = Packet::CopyPhysical {
            source: source.target(segments, offset, length)?,
            destination: destination.target(segments, offset, length)?,
            bytes: length,
        };
        if !writer.packet(&packet) {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Progress counts ranges.
fn copy_ranges(
    writer: &mut Writer<'_>,
    progress: u32,
    ranges: u32,
    range: &dyn Fn(u32) -> Option<CopyRange>,
) -> Result<Option<u32>> {
    for index in progress..ranges {
        let range = range(index).ok_or(Error::InvalidParameter)?;
        let entry = |table: GpuVa, index: u32| {
            u64::from(index)
                .checked_mul(ENTRY_BYTES)
                .and_then(|offset| table.checked_add(offset))
                .ok_or(Error::InvalidParameter)
        };
        let packet = Packet::Copy {
            source: entry(range.source, range.source_index)?,
            destination: entry(range.destination, range.destination_index)?,
            bytes: u64::from(range.entries).saturating_mul(ENTRY_BYTES),
        };
        if !writer.packet(&packet) {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Progress is the lowest context number that has not been looked at.
fn flush(
    writer: &mut Writer<'_>,
    progress: u32,
    contexts: &dyn Fn(u32) -> Option<ContextId>,
) -> Option<u32> {
    let mut from = progress;
    while let Some(context) = contexts(from).filter(|context| context.0 >= from) {
        if !writer.packet(&Packet::InvalidateTlb { context }) {
            return Some(from);
        }
        from = context.0.checked_add(1)?;
    }
    None
}

/// Progress counts pages.
fn aperture(
    segments: &Segments,
    writer: &mut Writer<'_>,
    progress: u32,
    (first, count): (u64, u64),
    entry: &mut dyn FnMut(u32) -> Result<PageTableEntry>,
) -> Result<Option<u32>> {
    let table = PhysicalTarget::Vram(segments.aperture_entries(first, count)?);
    let total = u32::try_from(count).map_err(|_| Error::InvalidParameter)?;
    let done = writer.entries(table, progress, total, entry)?;
    Ok((done < total).then_some(done))
}
