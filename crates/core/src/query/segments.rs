//! `DXGKQAITYPE_QUERYSEGMENT3` and `DXGKQAITYPE_QUERYSEGMENT4`.
//!
//! Each is asked twice: first for the number of segments, then with an array of descriptors. The
//! array is somewhere else in memory, so the second answer comes in two steps: [`header`] fills
//! the structure and says what it wants to write where; the caller, who can follow a pointer,
//! brings the bytes to [`Descriptors::fill`].

use core::mem::offset_of;

use carillon_ddi::{
    DXGK_QUERYSEGMENTOUT3, DXGK_QUERYSEGMENTOUT4, DXGK_SEGMENTDESCRIPTOR3, DXGK_SEGMENTDESCRIPTOR4,
    DXGK_SEGMENTFLAGS,
};

use super::output::{Output, read_u32, read_u64};
use crate::error::{Error, Result};
use crate::segment::{APERTURE_BASE, SegmentId, VRAM_BASE};
use crate::surface::Surface;

/// Number of segments.
pub const SEGMENTS: u32 = 2;
/// Bytes of a paging buffer.
pub const PAGING_BUFFER_BYTES: u32 = 64 << 10;

/// Which of the two structures is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `DXGK_QUERYSEGMENTOUT3`: descriptors follow each other.
    Third,
    /// `DXGK_QUERYSEGMENTOUT4`: descriptors are a stride apart.
    Fourth,
}

/// Descriptors that are still to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    form: Form,
    address: u64,
    stride: usize,
    bytes: usize,
}

struct Segment {
    flags: DXGK_SEGMENTFLAGS,
    base: u64,
    bytes: u64,
}

/// The segments in the order of their numbers ([`SegmentId`]). The aperture comes first: paging buffers live in the first segment, and that must be a linear
/// aperture.
fn segments(surface: &Surface) -> [Segment; SEGMENTS as usize] {
    [
        Segment {
            flags: DXGK_SEGMENTFLAGS::new()
                .with_Aperture(true)
                .with_CacheCoherent(true),
            base: APERTURE_BASE,
            bytes: surface.aperture_bytes(),
        },
        Segment {
            flags: DXGK_SEGMENTFLAGS::new()
                .with_ApplicationTarget(true)
                .with_LocalBudgetGroup(true),
            base: VRAM_BASE,
            bytes: surface.vram_segment_bytes(),
        },
    ]
}

/// The first step: the count alone, or the whole header and the descriptors to come.
pub(super) fn header(form: Form, out: &mut [u8]) -> Result<Option<Descriptors>> {
    let (minimum, pointer_at) = match form {
        Form::Third => (
            size_of::<DXGK_QUERYSEGMENTOUT3>(),
            offset_of!(DXGK_QUERYSEGMENTOUT3, pSegmentDescriptor),
        ),
        Form::Fourth => (
            size_of::<DXGK_QUERYSEGMENTOUT4>(),
            offset_of!(DXGK_QUERYSEGMENTOUT4, pSegmentDescriptor),
        ),
    };
    let count_at = offset_of!(DXGK_QUERYSEGMENTOUT4, NbSegment);
    if out.len() < minimum {
        return Err(Error::InvalidParameter);
    }
    let room = read_u32(out, count_at)?;
    let address = read_u64(out, pointer_at)?;
    let stride = match form {
        Form::Third => size_of::<DXGK_SEGMENTDESCRIPTOR3>(),
        Form::Fourth => {
            let at = offset_of!(DXGK_QUERYSEGMENTOUT4, SegmentDescriptorStride);
            usize::try_from(read_u64(out, at)?).map_err(|_| Error::InvalidParameter)?
        }
    };
    let mut output = Output::kept(out, minimum)?;
    if room == 0 || address == 0 {
        output.u32(count_at, SEGMENTS);
        return Ok(None);
    }
    let least = match form {
        Form::Third => size_of::<DXGK_SEGMENTDESCRIPTOR3>(),
        Form::Fourth => size_of::<DXGK_SEGMENTDESCRIPTOR4>(),
    };
    let bytes = stride.checked_mul(SEGMENTS as usize);
    let bytes = bytes.filter(|_| room >= SEGMENTS && stride >= least);
    let bytes = bytes.ok_or(Error::InvalidParameter)?;
    let (segment_at, size_at, private_at) = match form {
        Form::Third => (
            offset_of!(DXGK_QUERYSEGMENTOUT3, PagingBufferSegmentId),
            offset_of!(DXGK_QUERYSEGMENTOUT3, PagingBufferSize),
            offset_of!(DXGK_QUERYSEGMENTOUT3, PagingBufferPrivateDataSize),
        ),
        Form::Fourth => (
            offset_of!(DXGK_QUERYSEGMENTOUT4, PagingBufferSegmentId),
            offset_of!(DXGK_QUERYSEGMENTOUT4, PagingBufferSize),
            offset_of!(DXGK_QUERYSEGMENTOUT4, PagingBufferPrivateDataSize),
        ),
    };
    output.u32(count_at, SEGMENTS);
    output.u32(segment_at, SegmentId::Aperture.number());
    output.u32(size_at, PAGING_BUFFER_BYTES);
    output.u32(private_at, 0);
    Ok(Some(Descriptors {
        form,
        address,
        stride,
        bytes,
    }))
}

impl Descriptors {
    /// Where the array is, as the OS gave it: not NULL, otherwise unchecked.
    pub const fn address(&self) -> u64 {
        self.address
    }

    /// Bytes of the array that belong to the answer.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes the descriptors. What a stride has beyond a descriptor is left alone.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] if `array` is shorter than [`Self::bytes`].
    pub fn fill(&self, surface: &Surface, array: &mut [u8]) -> Result {
        if array.len() < self.bytes {
            return Err(Error::InvalidParameter);
        }
        let places = array.chunks_exact_mut(self.stride.max(1));
        for (place, segment) in places.zip(segments(surface)) {
            match self.form {
                Form::Third => third(place, &segment)?,
                Form::Fourth => fourth(place, &segment)?,
            }
        }
        Ok(())
    }
}

fn clear(place: &mut [u8], bytes: usize) -> Result<Output<'_>> {
    let place = place.get_mut(..bytes).ok_or(Error::InvalidParameter)?;
    Output::cleared(place, bytes)
}

fn third(place: &mut [u8], segment: &Segment) -> Result {
    let mut out = clear(place, size_of::<DXGK_SEGMENTDESCRIPTOR3>())?;
    out.u32(
        offset_of!(DXGK_SEGMENTDESCRIPTOR3, Flags),
        segment.flags.into_bits(),
    );
    out.u64(
        offset_of!(DXGK_SEGMENTDESCRIPTOR3, BaseAddress),
        segment.base,
    );
    out.u64(offset_of!(DXGK_SEGMENTDESCRIPTOR3, Size), segment.bytes);
    out.u64(
        offset_of!(DXGK_SEGMENTDESCRIPTOR3, CommitLimit),
        segment.bytes,
    );
    Ok(())
}

fn fourth(place: &mut [u8], segment: &Segment) -> Result {
    let mut out = clear(place, size_of::<DXGK_SEGMENTDESCRIPTOR4>())?;
    out.u32(
        offset_of!(DXGK_SEGMENTDESCRIPTOR4, Flags),
        segment.flags.into_bits(),
    );
    out.u64(
        offset_of!(DXGK_SEGMENTDESCRIPTOR4, BaseAddress),
        segment.base,
    );
    out.u64(offset_of!(DXGK_SEGMENTDESCRIPTOR4, Size), segment.bytes);
    out.u64(
        offset_of!(DXGK_SEGMENTDESCRIPTOR4, CommitLimit),
        segment.bytes,
    );
    Ok(())
}
