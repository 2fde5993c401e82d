//! The private data of `D3DKMTEscape` (`docs/hardware.md` section 10): what a tool may ask about
//! the doorbell of a queue of its own process.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::queue::QueueId;

/// Version of [`EscapeData`].
pub const ESCAPE_VERSION: u16 = 1;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscapeRequest {
    /// The queue's doorbell shall (or shall no longer) be connected as
    /// `CONNECTED_NOTIFY_KMD`; a connected one is disconnected, so that its client hears of it.
    SetNotify {
        /// A user-mode queue of the calling process.
        queue: QueueId,
        /// Whether to notify.
        notify: bool,
    },
    /// What has happened to the queue's doorbell; the answer is [`EscapeCounters`].
    Counters {
        /// A user-mode queue of the calling process.
        queue: QueueId,
    },
}

/// Counters of the doorbell of a queue since it was created; numbers wrap.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct EscapeCounters {
    /// Connects that gave a page.
    pub connects: u32,
    /// Disconnects that the OS asked for.
    pub disconnects: u32,
    /// Pages lost to another doorbell.
    pub victimized: u32,
    /// Calls of `DxgkDdiNotifyWorkSubmission`.
    pub notifies: u32,
    /// Looks that found work, as the device counts them.
    pub useful_looks: u32,
    /// Disconnects that the driver asked for, so that the client hears of a change.
    pub changed: u32,
}

/// The buffer, in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct EscapeData {
    version: u16,
    code: u16,
    queue: u32,
    value: u32,
    reserved: u32,
    /// Output of [`EscapeRequest::Counters`].
    pub counters: EscapeCounters,
}

/// Why an escape was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscapeError {
    /// The byte count is not [`EscapeData::BYTES`].
    Size(usize),
    /// Not [`ESCAPE_VERSION`].
    Version(u16),
    /// A code that version 1 does not define.
    Code(u16),
    /// A value that the code does not take, or a reserved field that is not zero.
    Value(u32),
}

impl EscapeData {
    const SET_NOTIFY: u16 = 1;
    const COUNTERS: u16 = 2;

    /// Bytes on the wire, the same for clients of 32 and of 64 bits.
    pub const BYTES: usize = size_of::<Self>();

    /// The buffer that asks for `request`.
    pub fn new(request: EscapeRequest) -> Self {
        let (code, queue, value) = match request {
            EscapeRequest::SetNotify { queue, notify } => {
                (Self::SET_NOTIFY, queue, u32::from(notify))
            }
            EscapeRequest::Counters { queue } => (Self::COUNTERS, queue, 0),
        };
        Self {
            version: ESCAPE_VERSION,
            code,
            queue: queue.0,
            value,
            reserved: 0,
            counters: EscapeCounters::default(),
        }
    }

    /// Checks what a client sent. What it left in the output fields does not matter.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<EscapeRequest, EscapeError> {
        let data = Self::read_from_bytes(bytes).map_err(|_| EscapeError::Size(bytes.len()))?;
        if data.version != ESCAPE_VERSION {
            return Err(EscapeError::Version(data.version));
        }
        if data.reserved != 0 {
            return Err(EscapeError::Value(data.reserved));
        }
        let queue = QueueId(data.queue);
        match (data.code, data.value) {
            (Self::SET_NOTIFY, value @ (0 | 1)) => Ok(EscapeRequest::SetNotify {
                queue,
                notify: value == 1,
            }),
            (Self::COUNTERS, 0) => Ok(EscapeRequest::Counters { queue }),
            (Self::SET_NOTIFY | Self::COUNTERS, value) => Err(EscapeError::Value(value)),
            (code, _) => Err(EscapeError::Code(code)),
        }
    }
}

const _: () = assert!(size_of::<EscapeData>() == 40);
const _: () = assert!(align_of::<EscapeData>() == 4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_round_trip() {
        for request in [
            EscapeRequest::SetNotify {
                queue: QueueId(u32::MAX),
                notify: true,
            },
            EscapeRequest::SetNotify {
                queue: QueueId(0),
                notify: false,
            },
            EscapeRequest::Counters { queue: QueueId(7) },
        ] {
            let data = EscapeData::new(request);
            assert_eq!(EscapeData::parse(data.as_bytes()), Ok(request));
        }
    }

    #[test]
    fn refusals_name_the_field() {
        assert_eq!(EscapeData::parse(&[]), Err(EscapeError::Size(0)));
        assert_eq!(EscapeData::parse(&[0; 41]), Err(EscapeError::Size(41)));
        assert_eq!(EscapeData::parse(&[0; 40]), Err(EscapeError::Version(0)));
        let mut data = EscapeData::new(EscapeRequest::Counters { queue: QueueId(0) });
        data.value = 1;
        assert_eq!(
            EscapeData::parse(data.as_bytes()),
            Err(EscapeError::Value(1))
        );
        data.value = 0;
        data.reserved = 2;
        assert_eq!(
            EscapeData::parse(data.as_bytes()),
            Err(EscapeError::Value(2))
        );
        data.reserved = 0;
        data.code = 3;
        assert_eq!(
            EscapeData::parse(data.as_bytes()),
            Err(EscapeError::Code(3))
        );
    }
}
