//! Why an operation is refused.

use carillon_ddi::NTSTATUS;

/// A refusal. It cannot hold a success value; [`Error::status`] is the one place that turns it
/// into what dxgkrnl sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// An argument is out of its documented range, or private data does not parse.
    InvalidParameter,
    /// A handle is stale, forged, of another kind, or of another adapter.
    InvalidHandle,
    /// Pool is exhausted.
    NoMemory,
    /// The driver does not offer this; the capability is not advertised.
    NotSupported,
    /// The object is in a state that does not allow the operation.
    InvalidState,
    /// A table of fixed size is full.
    InsufficientResources,
    /// The GPU is lost or the adapter stopped.
    DeviceGone,
    /// A paging buffer is too small for the next piece; the OS calls again.
    InsufficientDmaBuffer,
    /// An output buffer is too small.
    BufferTooSmall,
    /// The hardware is not one that this driver knows, or does not answer as specified.
    BadHardware,
}

/// What fallible operations of the core return.
pub type Result<T = ()> = core::result::Result<T, Error>;

impl Error {
    /// The status code of the DDI contract.
    pub const fn status(self) -> NTSTATUS {
        match self {
            Self::InvalidParameter | Self::InvalidHandle => NTSTATUS::STATUS_INVALID_PARAMETER,
            Self::NoMemory => NTSTATUS::STATUS_NO_MEMORY,
            Self::NotSupported => NTSTATUS::STATUS_NOT_SUPPORTED,
            Self::InvalidState => NTSTATUS::STATUS_INVALID_DEVICE_STATE,
            Self::InsufficientResources => NTSTATUS::STATUS_INSUFFICIENT_RESOURCES,
            Self::DeviceGone => NTSTATUS::STATUS_DEVICE_NOT_CONNECTED,
            Self::InsufficientDmaBuffer => NTSTATUS::STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER,
            Self::BufferTooSmall => NTSTATUS::STATUS_BUFFER_TOO_SMALL,
            Self::BadHardware => NTSTATUS::STATUS_DEVICE_CONFIGURATION_ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_is_a_success() {
        for error in [
            Error::InvalidParameter,
            Error::InvalidHandle,
            Error::NoMemory,
            Error::NotSupported,
            Error::InvalidState,
            Error::InsufficientResources,
            Error::DeviceGone,
            Error::InsufficientDmaBuffer,
            Error::BufferTooSmall,
            Error::BadHardware,
        ] {
            assert!(error.status().0 < 0, "{error:?}");
        }
    }
}
