//! Where allocations go: `DxgkDdiCreateAllocation` and
//! `DxgkDdiGetStandardAllocationDriverData`.
//!
//! An allocation is described by its private data alone, [`AllocationPrivateData`], whether a
//! client or, for standard allocations, the OS brings it. Nothing of it is believed unchecked.

use carillon_ddi::{
    D3DDDI_ALLOCATIONPRIORITY_NORMAL, D3DDDIFORMAT, D3DKMDT_GDISURFACETYPE, DXGK_ALLOCATIONINFO,
    DXGK_ALLOCATIONINFOFLAGS_WDDM2_0, DXGK_SEGMENTPREFERENCE,
};
use carillon_hw::addr::PAGE_SIZE;
use carillon_hw::allocation::{AllocationPrivateData, Placement};

use crate::error::{Error, Result};
use crate::segment::SegmentId;

/// Bytes to which the rows of standard surfaces are padded.
pub const PITCH_ALIGNMENT: u32 = 128;
/// Bytes of one piece of fence storage, if the OS does not say: values of several fences share a
/// page.
pub const FENCE_STORAGE_BYTES: u64 = PAGE_SIZE;

/// The driver's wishes for one allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    placement: Placement,
    bytes: u64,
}

impl Plan {
    /// Reads an allocation's private data.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for data that does not parse; empty data does not.
    pub fn parse(private: &[u8]) -> Result<Self> {
        let (placement, bytes) =
            AllocationPrivateData::parse(private).map_err(|_| Error::InvalidParameter)?;
        let bytes = bytes
            .checked_next_multiple_of(PAGE_SIZE)
            .ok_or(Error::InvalidParameter)?;
        Ok(Self { placement, bytes })
    }

    /// Size in bytes, whole pages.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where the allocation shall live.
    pub const fn placement(&self) -> Placement {
        self.placement
    }

    /// The segments that will do, in order of preference, each by number.
    ///
    /// Local memory is out of the CPU's reach, so what the CPU shall see stays in system memory.
    /// Everything else may fall back to system memory when local memory is full: slower, and not a
    /// failure.
    const fn preference(&self) -> DXGK_SEGMENTPREFERENCE {
        let preference = DXGK_SEGMENTPREFERENCE::new();
        match self.placement {
            Placement::System => preference.with_SegmentId0(1),
            Placement::Local => preference.with_SegmentId0(2).with_SegmentId1(1),
        }
    }

    /// The set of those segments.
    pub const fn supported_segments(&self) -> u32 {
        match self.placement {
            Placement::System => SegmentId::Aperture.bit(),
            Placement::Local => SegmentId::Vram.bit() | SegmentId::Aperture.bit(),
        }
    }

    /// Aperture segments through which the contents leave a memory segment.
    pub const fn eviction_segments(&self) -> u32 {
        match self.placement {
            Placement::System => 0,
            Placement::Local => SegmentId::Aperture.bit(),
        }
    }

    /// Properties. The aperture is cache coherent, so what the CPU sees may be cached.
    pub const fn flags(&self) -> DXGK_ALLOCATIONINFOFLAGS_WDDM2_0 {
        let visible = matches!(self.placement, Placement::System);
        DXGK_ALLOCATIONINFOFLAGS_WDDM2_0::new()
            .with_CpuVisible(visible)
            .with_Cached(visible)
    }

    /// Writes the outputs of a `DXGK_ALLOCATIONINFO`, all but the driver's handle. Page
    /// `ns-d3dkmddi-dxgk_allocationinfo`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a size that the structure cannot hold.
    pub fn describe(&self, info: &mut DXGK_ALLOCATIONINFO) -> Result {
        info.Size = usize::try_from(self.bytes).map_err(|_| Error::InvalidParameter)?;
        info.Anonymous.Alignment = PAGE;
        info.PitchAlignedSize = 0;
        info.HintedBank = carillon_ddi::DXGK_SEGMENTBANKPREFERENCE::new();
        info.PreferredSegment = self.preference();
        info.Anonymous2.SupportedReadSegmentSet = self.supported_segments();
        info.SupportedWriteSegmentSet = self.supported_segments();
        info.EvictionSegmentSet = self.eviction_segments();
        info.Anonymous3.PhysicalAdapterIndex = 0;
        info.Anonymous4.FlagsWddm2 = self.flags();
        info.AllocationPriority = D3DDDI_ALLOCATIONPRIORITY_NORMAL;
        info.Flags2 = carillon_ddi::DXGK_ALLOCATIONINFOFLAGS2::new();
        Ok(())
    }
}

#[allow(clippy::cast_possible_truncation, reason = "4096")]
const PAGE: u32 = PAGE_SIZE as u32;

/// A standard allocation that the OS wants private data for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// `D3DKMDT_STANDARDALLOCATION_SHADOWSURFACE`.
    Shadow {
        /// Width in pixels.
        width: u32,
        /// Height in rows.
        height: u32,
        /// Pixel format.
        format: D3DDDIFORMAT,
    },
    /// `D3DKMDT_STANDARDALLOCATION_STAGINGSURFACE`, 32 bits a pixel.
    Staging {
        /// Width in pixels.
        width: u32,
        /// Height in rows.
        height: u32,
    },
    /// `D3DKMDT_STANDARDALLOCATION_GDISURFACE`.
    Gdi {
        /// Width in pixels.
        width: u32,
        /// Height in rows.
        height: u32,
        /// Pixel format.
        format: D3DDDIFORMAT,
        /// Use of the surface.
        kind: D3DKMDT_GDISURFACETYPE,
    },
    /// `D3DKMDT_STANDARDALLOCATION_FENCESTORAGE`.
    FenceStorage {
        /// Bytes that the OS asks for, 0 if it does not say.
        bytes: u64,
    },
}

/// The answer for a standard allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandardData {
    /// Private data with which the OS will create the allocation.
    pub private: AllocationPrivateData,
    /// Bytes from one row to the next; 0 for what has no rows.
    pub pitch: u32,
}

/// Private data for a standard allocation. All live in system memory: the CPU reads and writes
/// them, and fence values are read by user mode even where they are called local.
///
/// # Errors
/// [`Error::InvalidParameter`] for a surface without pixels, one that is too large, a format that
/// is not known, or a kind of GDI surface (existing memory, cross-adapter) that is not offered.
pub fn standard(request: Standard) -> Result<StandardData> {
    let (bytes, pitch) = match request {
        Standard::Shadow {
            width,
            height,
            format,
        } => surface(width, height, bytes_per_pixel(format)?)?,
        Standard::Staging { width, height } => surface(width, height, 4)?,
        Standard::Gdi {
            width,
            height,
            format,
            kind,
        } => {
            type Kind = D3DKMDT_GDISURFACETYPE;
            match kind {
                Kind::D3DKMDT_GDISURFACE_TEXTURE
                | Kind::D3DKMDT_GDISURFACE_STAGING_CPUVISIBLE
                | Kind::D3DKMDT_GDISURFACE_STAGING
                | Kind::D3DKMDT_GDISURFACE_LOOKUPTABLE
                | Kind::D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE => {
                    surface(width, height, bytes_per_pixel(format)?)?
                }
                _ => return Err(Error::InvalidParameter),
            }
        }
        Standard::FenceStorage { bytes: 0 } => (FENCE_STORAGE_BYTES, 0),
        Standard::FenceStorage { bytes } => (bytes, 0),
    };
    if bytes == 0 || bytes > carillon_hw::allocation::MAX_ALLOCATION_BYTES {
        return Err(Error::InvalidParameter);
    }
    Ok(StandardData {
        private: AllocationPrivateData::new(Placement::System, bytes),
        pitch,
    })
}

/// Bytes and pitch of a surface.
fn surface(width: u32, height: u32, bytes_per_pixel: u32) -> Result<(u64, u32)> {
    let pitch = width
        .checked_mul(bytes_per_pixel)
        .and_then(|row| row.checked_next_multiple_of(PITCH_ALIGNMENT))
        .ok_or(Error::InvalidParameter)?;
    let bytes = u64::from(pitch).checked_mul(height.into());
    Ok((bytes.ok_or(Error::InvalidParameter)?, pitch))
}

const fn bytes_per_pixel(format: D3DDDIFORMAT) -> Result<u32> {
    Ok(match format {
        D3DDDIFORMAT::D3DDDIFMT_A8R8G8B8
        | D3DDDIFORMAT::D3DDDIFMT_X8R8G8B8
        | D3DDDIFORMAT::D3DDDIFMT_A2B10G10R10
        | D3DDDIFORMAT::D3DDDIFMT_A8B8G8R8 => 4,
        D3DDDIFORMAT::D3DDDIFMT_R5G6B5 => 2,
        D3DDDIFORMAT::D3DDDIFMT_A16B16G16R16F => 8,
        _ => return Err(Error::InvalidParameter),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_hw::allocation::MAX_ALLOCATION_BYTES;
    use proptest::prelude::*;
    use zerocopy::IntoBytes;

    fn plan(placement: Placement, bytes: u64) -> Plan {
        Plan::parse(AllocationPrivateData::new(placement, bytes).as_bytes()).unwrap()
    }

    fn described(plan: &Plan) -> DXGK_ALLOCATIONINFO {
        let mut info = DXGK_ALLOCATIONINFO::ZERO;
        info.SupportedWriteSegmentSet = u32::MAX;
        info.EvictionSegmentSet = u32::MAX;
        plan.describe(&mut info).unwrap();
        info
    }

    #[test]
    fn sizes_are_whole_pages() {
        for (bytes, expected) in [
            (1, 4096),
            (4095, 4096),
            (4096, 4096),
            (4097, 8192),
            (MAX_ALLOCATION_BYTES, MAX_ALLOCATION_BYTES),
        ] {
            for placement in [Placement::System, Placement::Local] {
                let plan = plan(placement, bytes);
                assert_eq!(plan.bytes(), expected);
                assert_eq!(described(&plan).Size as u64, expected);
            }
        }
    }

    #[test]
    fn what_the_cpu_sees_stays_in_system_memory() {
        let system = plan(Placement::System, 1);
        assert!(system.flags().CpuVisible() && system.flags().Cached());
        let info = described(&system);
        assert_eq!(info.SupportedWriteSegmentSet, 0b01);
        assert_eq!(info.EvictionSegmentSet, 0);
        assert_eq!(info.PreferredSegment.into_bits(), 1);

        let local = plan(Placement::Local, 1);
        assert!(!local.flags().CpuVisible() && !local.flags().Cached());
        let info = described(&local);
        assert_eq!(info.SupportedWriteSegmentSet, 0b11);
        assert_eq!(info.EvictionSegmentSet, 0b01);
        let preferred = info.PreferredSegment;
        assert_eq!((preferred.SegmentId0(), preferred.SegmentId1()), (2, 1));
        assert_eq!(preferred.SegmentId2(), 0);
    }

    #[test]
    fn bad_private_data_is_refused() {
        let good = AllocationPrivateData::new(Placement::Local, 4096);
        let good = good.as_bytes();
        for length in 0..good.len() {
            let refusal = Plan::parse(&good[..length]);
            assert_eq!(refusal, Err(Error::InvalidParameter), "{length}");
        }
        for bytes in [0, MAX_ALLOCATION_BYTES + 1, u64::MAX] {
            let data = AllocationPrivateData::new(Placement::Local, bytes);
            let refusal = Plan::parse(data.as_bytes());
            assert_eq!(refusal, Err(Error::InvalidParameter));
        }
    }

    #[test]
    fn fence_storage_is_a_page_of_system_memory_unless_more_is_asked() {
        for (asked, expected) in [(0, 4096), (1, 4096), (4096, 4096), (65_537, 69_632)] {
            let data = standard(Standard::FenceStorage { bytes: asked }).unwrap();
            let plan = Plan::parse(data.private.as_bytes()).unwrap();
            assert_eq!(plan.bytes(), expected);
            assert_eq!(plan.placement(), Placement::System);
            assert_eq!(data.pitch, 0);
        }
        let bytes = MAX_ALLOCATION_BYTES + 1;
        assert!(standard(Standard::FenceStorage { bytes }).is_err());
    }

    #[test]
    fn surfaces_have_padded_rows() {
        let data = standard(Standard::Staging {
            width: 33,
            height: 10,
        });
        let data = data.unwrap();
        assert_eq!(data.pitch, 256);
        let (placement, bytes) = AllocationPrivateData::parse(data.private.as_bytes()).unwrap();
        assert_eq!((placement, bytes), (Placement::System, 2560));
        for (width, height) in [(0, 1), (1, 0), (u32::MAX, 1)] {
            assert!(standard(Standard::Staging { width, height }).is_err());
        }
    }

    #[test]
    fn unknown_formats_and_kinds_are_refused() {
        let gdi = |format, kind| {
            standard(Standard::Gdi {
                width: 1,
                height: 1,
                format,
                kind,
            })
        };
        for kind in -1..12 {
            let kind = D3DKMDT_GDISURFACETYPE(kind);
            let offered = matches!(kind.0, 1..=4 | 6);
            let answer = gdi(D3DDDIFORMAT::D3DDDIFMT_A8R8G8B8, kind);
            assert_eq!(answer.is_ok(), offered, "{kind:?}");
        }
        let texture = D3DKMDT_GDISURFACETYPE::D3DKMDT_GDISURFACE_TEXTURE;
        assert!(gdi(D3DDDIFORMAT::D3DDDIFMT_UNKNOWN, texture).is_err());
        assert!(gdi(D3DDDIFORMAT::D3DDDIFMT_R5G6B5, texture).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_a_client_sends_is_parsed_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..40)
        ) {
            if let Ok(plan) = Plan::parse(&bytes) {
                prop_assert!(plan.bytes() > 0 && plan.bytes() % PAGE_SIZE == 0);
                let supported = plan.supported_segments();
                prop_assert_eq!(plan.eviction_segments() & !supported, 0);
            }
        }
    }
}
