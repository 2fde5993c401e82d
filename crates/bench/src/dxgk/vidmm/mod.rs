//! VidMm: memory, page tables and paging, played to the driver through its DDIs.
//!
//! - [`geometry`]: what the driver reported about page tables and segments, checked
//! - [`range`]: first-fit ranges
//! - [`place`]: system pages and segment memory
//! - [`paging`]: the paging queue
//! - [`space`]: GPU virtual address spaces and their page tables
//! - [`system`]: the paging process and its scratch area
//! - [`content`]: filling, moving and reading memory that the CPU cannot reach
//! - [`allocation`]: what the driver says about allocations, where they are, who sees them
//! - [`moving`]: to other pages, out of a segment and back
//!
//! Left out: more resident memory than there is (only what nobody wants resident makes room),
//! moving memory under a CPU that stores to it, page-table update mode
//! GPU_VIRTUAL, root page tables that grow (two-level geometries), 64 KiB pages. A driver that
//! asks for one of these is refused by name.

pub mod allocation;
pub mod content;
pub mod geometry;
pub mod moving;
pub mod paging;
pub mod place;
pub mod range;
pub mod space;
pub mod system;
#[cfg(test)]
pub(crate) mod testing;

use carillon_ddi::NTSTATUS;

use super::driver::DdiError;
use geometry::GeometryError;

pub use system::VidMm;

/// Why VidMm could not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MmError {
    /// A DDI failed.
    #[error(transparent)]
    Ddi(#[from] DdiError),
    /// The driver's answers cannot be worked with.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// The arena has no room.
    #[error("no {0} pages of system memory")]
    SystemMemory(u64),
    /// A segment has no room.
    #[error("no {bytes:#x} bytes in segment {id}")]
    Segment {
        /// The segment.
        id: u32,
        /// Bytes asked for.
        bytes: u64,
    },
    /// An address space has no room.
    #[error("no {0:#x} bytes of GPU virtual addresses")]
    AddressSpace(u64),
    /// The address is not the start of a mapping.
    #[error("{0:#x} is not mapped")]
    NotMapped(u64),
    /// A range lies outside of the allocation.
    #[error("{bytes:#x} bytes at offset {offset:#x} of an allocation of {size:#x}")]
    OutOfBounds {
        /// First byte.
        offset: u64,
        /// Bytes asked for.
        bytes: u64,
        /// Bytes there are.
        size: u64,
    },
    /// A paging buffer was needed before the paging process had a context.
    #[error("no paging context yet")]
    NoPagingContext,
    /// The driver asked for more paging buffers without getting anywhere.
    #[error("a paging operation does not end")]
    PagingStuck,
    /// No completion arrived for a paging buffer.
    #[error("paging submission {0} did not complete")]
    PagingTimeout(u32),
    /// The driver described an allocation in a way that cannot be.
    #[error("the driver's description of an allocation is impossible: {0}")]
    Allocation(&'static str),
    /// The driver's answer asks for something that the model does not play.
    #[error("not played: {0}")]
    NotPlayed(&'static str),
    /// The memory cannot be seen by the CPU.
    #[error("the allocation is not visible to the CPU")]
    NotCpuVisible,
    /// The host refused a mapping.
    #[error("the host cannot map memory")]
    Host,
}

impl MmError {
    /// The status that a thunk returns to user mode for this error.
    pub fn status(&self) -> NTSTATUS {
        match self {
            Self::Ddi(error) => error.status(),
            Self::SystemMemory(_) | Self::AddressSpace(_) | Self::Host => {
                NTSTATUS::STATUS_NO_MEMORY
            }
            Self::Segment { .. } => NTSTATUS::STATUS_GRAPHICS_NO_VIDEO_MEMORY,
            Self::NotMapped(_) | Self::OutOfBounds { .. } | Self::Allocation(_) => {
                NTSTATUS::STATUS_INVALID_PARAMETER
            }
            Self::PagingTimeout(_) | Self::PagingStuck => NTSTATUS::STATUS_IO_TIMEOUT,
            Self::Geometry(_)
            | Self::NoPagingContext
            | Self::NotPlayed(_)
            | Self::NotCpuVisible => NTSTATUS::STATUS_NOT_SUPPORTED,
        }
    }
}
