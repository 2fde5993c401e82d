//! Private driver data of an allocation: what a client tells the driver about memory it wants.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Version of [`AllocationPrivateData`] that this interface generation defines.
pub const PRIVATE_DATA_VERSION: u32 = 1;

/// Largest single allocation, 1 TiB.
pub const MAX_ALLOCATION_BYTES: u64 = 1 << 40;

/// Where an allocation shall live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// System memory, cached and visible to the CPU.
    System,
    /// Local memory, out of reach of the CPU.
    Local,
}

/// The 16 bytes of private driver data that a client passes for each allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct AllocationPrivateData {
    version: u32,
    placement: u32,
    bytes: u64,
}

/// Why private data was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocationDataError {
    /// The byte count is not that of version 1.
    Size(usize),
    /// The version is not [`PRIVATE_DATA_VERSION`].
    Version(u32),
    /// The placement is not defined.
    Placement(u32),
    /// The allocation is empty or larger than [`MAX_ALLOCATION_BYTES`].
    Bytes(u64),
}

impl AllocationPrivateData {
    /// Bytes on the wire.
    pub const BYTES: usize = size_of::<Self>();

    /// A request for `bytes` bytes at `placement`.
    pub const fn new(placement: Placement, bytes: u64) -> Self {
        let placement = match placement {
            Placement::System => 0,
            Placement::Local => 1,
        };
        Self {
            version: PRIVATE_DATA_VERSION,
            placement,
            bytes,
        }
    }

    /// Checks and takes apart what a client sent: placement, size in bytes.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<(Placement, u64), AllocationDataError> {
        let data =
            Self::read_from_bytes(bytes).map_err(|_| AllocationDataError::Size(bytes.len()))?;
        if data.version != PRIVATE_DATA_VERSION {
            return Err(AllocationDataError::Version(data.version));
        }
        let placement = match data.placement {
            0 => Placement::System,
            1 => Placement::Local,
            other => return Err(AllocationDataError::Placement(other)),
        };
        if data.bytes == 0 || data.bytes > MAX_ALLOCATION_BYTES {
            return Err(AllocationDataError::Bytes(data.bytes));
        }
        Ok((placement, data.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_limits() {
        for bytes in [1, 4096, MAX_ALLOCATION_BYTES] {
            let data = AllocationPrivateData::new(Placement::Local, bytes);
            assert_eq!(
                AllocationPrivateData::parse(data.as_bytes()),
                Ok((Placement::Local, bytes))
            );
        }
        for bytes in [0, MAX_ALLOCATION_BYTES + 1] {
            let data = AllocationPrivateData::new(Placement::System, bytes);
            assert_eq!(
                AllocationPrivateData::parse(data.as_bytes()),
                Err(AllocationDataError::Bytes(bytes))
            );
        }
    }

    #[test]
    fn refusals_name_the_field() {
        assert_eq!(
            AllocationPrivateData::parse(&[0; 15]),
            Err(AllocationDataError::Size(15))
        );
        assert_eq!(
            AllocationPrivateData::parse(&[0; 16]),
            Err(AllocationDataError::Version(0))
        );
        let mut bytes = [0; 16];
        bytes.copy_from_slice(AllocationPrivateData::new(Placement::System, 1).as_bytes());
        bytes[4] = 9;
        assert_eq!(
            AllocationPrivateData::parse(&bytes),
            Err(AllocationDataError::Placement(9))
        );
    }
}
