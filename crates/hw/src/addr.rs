//! Address spaces of the GPU, each with its own type (`docs/hardware.md` section 2).
//!
//! There is no `From` between them: an address changes its space only by a translation that
//! somebody names and that can fail.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes in a page, the granule of every mapping, doorbell and table.
pub const PAGE_SIZE: u64 = 4096;

macro_rules! address {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            FromBytes, IntoBytes, Immutable, KnownLayout,
        )]
        #[repr(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The address `bytes` further on, or `None` past the end of the 64-bit space.
            pub const fn checked_add(self, bytes: u64) -> Option<Self> {
                match self.0.checked_add(bytes) {
                    Some(sum) => Some(Self(sum)),
                    None => None,
                }
            }

            /// The byte offset inside the 4 KiB page.
            pub const fn page_offset(self) -> u64 {
                self.0 % PAGE_SIZE
            }

            /// The start of the page that holds this address.
            #[must_use]
            pub const fn page_base(self) -> Self {
                Self(self.0 - self.page_offset())
            }

            /// Whether the address is a multiple of `alignment` bytes (a power of two or not).
            pub const fn is_aligned(self, alignment: u64) -> bool {
                alignment != 0 && self.0 % alignment == 0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), ":{:#x}"), self.0)
            }
        }
    };
}

address!(
    /// A virtual address in the GPU address space of one process. Bytes.
    GpuVa
);
address!(
    /// A byte offset into the device's local memory, the same as into BAR4.
    VramOffset
);
address!(
    /// An address that the device puts on the bus to reach system memory. Bytes.
    BusAddress
);
address!(
    /// A byte offset into the linear aperture, translated by the aperture table (section 8.3).
    ApertureOffset
);

/// Where a physical reference of the GPU points: the target space of a page-table entry or a
/// privileged packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhysicalTarget {
    /// Local memory.
    Vram(VramOffset),
    /// System memory, reached over the bus.
    System(BusAddress),
    /// The linear aperture: one more table look-up leads to system memory.
    Aperture(ApertureOffset),
}

impl PhysicalTarget {
    /// The target `bytes` further on in the same space, or `None` on overflow.
    pub const fn checked_add(self, bytes: u64) -> Option<Self> {
        match self {
            Self::Vram(a) => match a.checked_add(bytes) {
                Some(a) => Some(Self::Vram(a)),
                None => None,
            },
            Self::System(a) => match a.checked_add(bytes) {
                Some(a) => Some(Self::System(a)),
                None => None,
            },
            Self::Aperture(a) => match a.checked_add(bytes) {
                Some(a) => Some(Self::Aperture(a)),
                None => None,
            },
        }
    }

    /// The byte address without its space.
    pub const fn raw(self) -> u64 {
        match self {
            Self::Vram(a) => a.0,
            Self::System(a) => a.0,
            Self::Aperture(a) => a.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_arithmetic_at_the_edges() {
        assert_eq!(GpuVa(0).page_offset(), 0);
        assert_eq!(GpuVa(4095).page_base(), GpuVa(0));
        assert_eq!(GpuVa(4096).page_base(), GpuVa(4096));
        assert_eq!(GpuVa(u64::MAX).page_offset(), 4095);
        assert_eq!(GpuVa(u64::MAX).checked_add(1), None);
        assert_eq!(GpuVa(u64::MAX).checked_add(0), Some(GpuVa(u64::MAX)));
    }

    #[test]
    fn zero_alignment_is_never_met() {
        assert!(!GpuVa(0).is_aligned(0));
        assert!(GpuVa(0).is_aligned(8));
        assert!(!GpuVa(12).is_aligned(8));
    }

    #[test]
    fn targets_add_in_their_own_space() {
        let target = PhysicalTarget::System(BusAddress(0x1000));
        assert_eq!(
            target.checked_add(8),
            Some(PhysicalTarget::System(BusAddress(0x1008)))
        );
        assert_eq!(
            PhysicalTarget::Vram(VramOffset(u64::MAX)).checked_add(1),
            None
        );
    }
}
