//! Doorbell pages and the private data of `DxgkDdiCreateDoorbell` (`docs/hardware.md` section 5).

use bitfield_struct::bitfield;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::addr::{GpuVa, PAGE_SIZE};
use crate::queue::QueueId;
use crate::regs::DoorbellModel;

/// Bytes that one doorbell takes in BAR2 and in a client's address space.
pub const DOORBELL_BYTES: u32 = 4096;

/// What a page's first quadword holds while nobody has rung. The device puts it back in the same
/// atomic exchange that takes a ring, so it keeps no copy of the last value seen.
pub const NOT_RUNG: u64 = u64::MAX;

/// Byte offset inside the page of the quadword that a client stores to.
pub const RING_OFFSET: usize = 0;

/// The value a client stores when the page belongs to its process (global model).
///
/// In the dedicated model the stored value is the ring's write pointer. Either way the value is a
/// hint: the device looks at write pointers in memory and believes nothing else.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct GlobalDoorbellValue {
    /// The queue that has new work.
    pub queue: u32,
    /// Low bits of the write pointer, kept below all-ones so that no ring reads as [`NOT_RUNG`].
    #[bits(31)]
    pub write_pointer: u32,
    /// Always zero.
    __: bool,
}

impl GlobalDoorbellValue {
    /// The value that names `queue`.
    pub const fn for_queue(queue: QueueId) -> Self {
        Self::new().with_queue(queue.0)
    }
}

/// Version of [`DoorbellPrivateData`] that this interface generation defines.
pub const PRIVATE_DATA_VERSION: u16 = 1;

/// The 16 bytes of private driver data that a client passes to `D3DKMTCreateDoorbell`.
///
/// The DDI hands the driver allocations, not GPU virtual addresses, and allows 16 bytes
/// (`D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1`), so the version lives in the page offset
/// bits of the ring address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DoorbellPrivateData {
    ring: u64,
    control: u64,
}

/// Why private data was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateDataError {
    /// The byte count is not that of version 1.
    Size(usize),
    /// The version field holds something else than [`PRIVATE_DATA_VERSION`].
    Version(u16),
    /// The ring control block is not 128-byte aligned.
    ControlAlignment(GpuVa),
}

impl DoorbellPrivateData {
    /// Bytes on the wire.
    pub const BYTES: usize = size_of::<Self>();

    /// Private data for a ring and a control block; `None` if the ring is not page aligned.
    pub const fn new(ring: GpuVa, control: GpuVa) -> Option<Self> {
        if ring.is_aligned(PAGE_SIZE) {
            Some(Self {
                ring: ring.0 + PRIVATE_DATA_VERSION as u64,
                control: control.0,
            })
        } else {
            None
        }
    }

    /// Checks and takes apart what a client sent: ring address, control block address.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<(GpuVa, GpuVa), PrivateDataError> {
        let data = Self::read_from_bytes(bytes).map_err(|_| PrivateDataError::Size(bytes.len()))?;
        let ring = GpuVa(data.ring);
        #[allow(clippy::cast_possible_truncation, reason = "a page offset has 12 bits")]
        let version = ring.page_offset() as u16;
        if version != PRIVATE_DATA_VERSION {
            return Err(PrivateDataError::Version(version));
        }
        let control = GpuVa(data.control);
        if !control.is_aligned(crate::ring::CONTROL_BYTES) {
            return Err(PrivateDataError::ControlAlignment(control));
        }
        Ok((ring.page_base(), control))
    }
}

/// What the driver leaves in the private data of a new doorbell: how to ring it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DoorbellReply {
    version: u16,
    model: u16,
    queue: u32,
    reserved: u64,
}

impl DoorbellReply {
    const DEDICATED: u16 = 0;
    const GLOBAL: u16 = 1;

    /// The reply for a doorbell of `queue` on a device of `model`.
    pub const fn new(model: DoorbellModel, queue: QueueId) -> Self {
        let model = match model {
            DoorbellModel::Dedicated => Self::DEDICATED,
            DoorbellModel::Global => Self::GLOBAL,
        };
        Self {
            version: PRIVATE_DATA_VERSION,
            model,
            queue: queue.0,
            reserved: 0,
        }
    }

    /// Model and queue, or `None` for a reply of another version or size.
    pub fn parse(bytes: &[u8]) -> Option<(DoorbellModel, QueueId)> {
        let reply = Self::read_from_bytes(bytes).ok()?;
        let model = match reply.model {
            Self::DEDICATED => DoorbellModel::Dedicated,
            Self::GLOBAL => DoorbellModel::Global,
            _ => return None,
        };
        (reply.version == PRIVATE_DATA_VERSION).then_some((model, QueueId(reply.queue)))
    }
}

const _: () = assert!(size_of::<DoorbellReply>() == DoorbellPrivateData::BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_data_round_trip() {
        let data = DoorbellPrivateData::new(GpuVa(0x10_0000), GpuVa(0x20_0080)).unwrap();
        assert_eq!(
            DoorbellPrivateData::parse(data.as_bytes()),
            Ok((GpuVa(0x10_0000), GpuVa(0x20_0080)))
        );
    }

    #[test]
    fn private_data_refusals_name_the_field() {
        assert_eq!(
            DoorbellPrivateData::parse(&[]),
            Err(PrivateDataError::Size(0))
        );
        assert_eq!(
            DoorbellPrivateData::parse(&[0; 17]),
            Err(PrivateDataError::Size(17))
        );
        assert_eq!(
            DoorbellPrivateData::parse(&[0; 16]),
            Err(PrivateDataError::Version(0))
        );
        let crooked = DoorbellPrivateData::new(GpuVa(0), GpuVa(8)).unwrap();
        assert_eq!(
            DoorbellPrivateData::parse(crooked.as_bytes()),
            Err(PrivateDataError::ControlAlignment(GpuVa(8)))
        );
        assert!(DoorbellPrivateData::new(GpuVa(1), GpuVa(0)).is_none());
    }

    #[test]
    fn replies_round_trip_and_strangers_are_refused() {
        for model in [DoorbellModel::Dedicated, DoorbellModel::Global] {
            let reply = DoorbellReply::new(model, QueueId(u32::MAX));
            assert_eq!(
                DoorbellReply::parse(reply.as_bytes()),
                Some((model, QueueId(u32::MAX)))
            );
        }
        assert_eq!(DoorbellReply::parse(&[0; 16]), None, "version 0");
        assert_eq!(DoorbellReply::parse(&[1; 16]), None, "version 0x101");
        assert_eq!(DoorbellReply::parse(&[0; 15]), None);
    }

    #[test]
    fn no_global_value_reads_as_not_rung() {
        let most =
            GlobalDoorbellValue::for_queue(QueueId(u32::MAX)).with_write_pointer((1 << 31) - 1);
        assert_ne!(u64::from(most), NOT_RUNG);
    }
}
