//! Status codes: the `NTSTATUS` values that a display miniport driver returns or meets.

use core::fmt;

/// A kernel status code: negative values are errors, everything else is success. Page
/// `using-ntstatus-values`.
#[must_use]
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NTSTATUS(pub i32);

impl NTSTATUS {
    pub const STATUS_SUCCESS: Self = Self(0);
    pub const STATUS_PENDING: Self = Self(259);
    pub const STATUS_TIMEOUT: Self = Self(258);
    pub const STATUS_BUFFER_OVERFLOW: Self = Self(0x8000_0005_u32.cast_signed());
    pub const STATUS_DEVICE_BUSY: Self = Self(0x8000_0011_u32.cast_signed());
    pub const STATUS_NO_MORE_ENTRIES: Self = Self(0x8000_001A_u32.cast_signed());
    pub const STATUS_UNSUCCESSFUL: Self = Self(0xC000_0001_u32.cast_signed());
    pub const STATUS_NOT_IMPLEMENTED: Self = Self(0xC000_0002_u32.cast_signed());
    pub const STATUS_INVALID_INFO_CLASS: Self = Self(0xC000_0003_u32.cast_signed());
    pub const STATUS_INFO_LENGTH_MISMATCH: Self = Self(0xC000_0004_u32.cast_signed());
    pub const STATUS_INVALID_HANDLE: Self = Self(0xC000_0008_u32.cast_signed());
    pub const STATUS_INVALID_PARAMETER: Self = Self(0xC000_000D_u32.cast_signed());
    pub const STATUS_NO_SUCH_DEVICE: Self = Self(0xC000_000E_u32.cast_signed());
    pub const STATUS_INVALID_DEVICE_REQUEST: Self = Self(0xC000_0010_u32.cast_signed());
    pub const STATUS_NO_MEMORY: Self = Self(0xC000_0017_u32.cast_signed());
    pub const STATUS_CONFLICTING_ADDRESSES: Self = Self(0xC000_0018_u32.cast_signed());
    pub const STATUS_ACCESS_DENIED: Self = Self(0xC000_0022_u32.cast_signed());
    pub const STATUS_BUFFER_TOO_SMALL: Self = Self(0xC000_0023_u32.cast_signed());
    pub const STATUS_OBJECT_TYPE_MISMATCH: Self = Self(0xC000_0024_u32.cast_signed());
    pub const STATUS_OBJECT_NAME_NOT_FOUND: Self = Self(0xC000_0034_u32.cast_signed());
    pub const STATUS_OBJECT_NAME_COLLISION: Self = Self(0xC000_0035_u32.cast_signed());
    pub const STATUS_DELETE_PENDING: Self = Self(0xC000_0056_u32.cast_signed());
    pub const STATUS_REVISION_MISMATCH: Self = Self(0xC000_0059_u32.cast_signed());
    pub const STATUS_PRIVILEGE_NOT_HELD: Self = Self(0xC000_0061_u32.cast_signed());
    pub const STATUS_INVALID_IMAGE_FORMAT: Self = Self(0xC000_007B_u32.cast_signed());
    pub const STATUS_ARRAY_BOUNDS_EXCEEDED: Self = Self(0xC000_008C_u32.cast_signed());
    pub const STATUS_INTEGER_OVERFLOW: Self = Self(0xC000_0095_u32.cast_signed());
    pub const STATUS_INSUFFICIENT_RESOURCES: Self = Self(0xC000_009A_u32.cast_signed());
    pub const STATUS_DEVICE_DATA_ERROR: Self = Self(0xC000_009C_u32.cast_signed());
    pub const STATUS_DEVICE_NOT_CONNECTED: Self = Self(0xC000_009D_u32.cast_signed());
    pub const STATUS_DEVICE_POWER_FAILURE: Self = Self(0xC000_009E_u32.cast_signed());
    pub const STATUS_DEVICE_NOT_READY: Self = Self(0xC000_00A3_u32.cast_signed());
    pub const STATUS_IO_TIMEOUT: Self = Self(0xC000_00B5_u32.cast_signed());
    pub const STATUS_NOT_SUPPORTED: Self = Self(0xC000_00BB_u32.cast_signed());
    pub const STATUS_DEVICE_DOES_NOT_EXIST: Self = Self(0xC000_00C0_u32.cast_signed());
    pub const STATUS_INTERNAL_ERROR: Self = Self(0xC000_00E5_u32.cast_signed());
    pub const STATUS_INVALID_PARAMETER_1: Self = Self(0xC000_00EF_u32.cast_signed());
    pub const STATUS_INVALID_PARAMETER_2: Self = Self(0xC000_00F0_u32.cast_signed());
    pub const STATUS_INVALID_PARAMETER_3: Self = Self(0xC000_00F1_u32.cast_signed());
    pub const STATUS_CANCELLED: Self = Self(0xC000_0120_u32.cast_signed());
    pub const STATUS_INVALID_ADDRESS: Self = Self(0xC000_0141_u32.cast_signed());
    pub const STATUS_DEVICE_CONFIGURATION_ERROR: Self = Self(0xC000_0182_u32.cast_signed());
    pub const STATUS_INVALID_DEVICE_STATE: Self = Self(0xC000_0184_u32.cast_signed());
    pub const STATUS_INVALID_BUFFER_SIZE: Self = Self(0xC000_0206_u32.cast_signed());
    pub const STATUS_NOT_FOUND: Self = Self(0xC000_0225_u32.cast_signed());
    pub const STATUS_RETRY: Self = Self(0xC000_022D_u32.cast_signed());
    pub const STATUS_DRIVER_UNABLE_TO_LOAD: Self = Self(0xC000_026C_u32.cast_signed());
    pub const STATUS_NO_MATCH: Self = Self(0xC000_0272_u32.cast_signed());
    pub const STATUS_DEVICE_REMOVED: Self = Self(0xC000_02B6_u32.cast_signed());
    pub const STATUS_FAILED_DRIVER_ENTRY: Self = Self(0xC000_0365_u32.cast_signed());
    pub const STATUS_DEVICE_UNREACHABLE: Self = Self(0xC000_0464_u32.cast_signed());
    pub const STATUS_DEVICE_HUNG: Self = Self(0xC000_0507_u32.cast_signed());
    pub const STATUS_BAD_DATA: Self = Self(0xC000_090B_u32.cast_signed());
    pub const STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER: Self = Self(0xC01E_0001_u32.cast_signed());
    pub const STATUS_GRAPHICS_INVALID_DISPLAY_ADAPTER: Self = Self(0xC01E_0002_u32.cast_signed());
    pub const STATUS_GRAPHICS_ADAPTER_WAS_RESET: Self = Self(0xC01E_0003_u32.cast_signed());
    pub const STATUS_GRAPHICS_INVALID_DRIVER_MODEL: Self = Self(0xC01E_0004_u32.cast_signed());
    pub const STATUS_GRAPHICS_DRIVER_MISMATCH: Self = Self(0xC01E_0009_u32.cast_signed());
    pub const STATUS_GRAPHICS_NO_VIDEO_MEMORY: Self = Self(0xC01E_0100_u32.cast_signed());
    pub const STATUS_GRAPHICS_CANT_LOCK_MEMORY: Self = Self(0xC01E_0101_u32.cast_signed());
    pub const STATUS_GRAPHICS_ALLOCATION_BUSY: Self = Self(0xC01E_0102_u32.cast_signed());
    pub const STATUS_GRAPHICS_TOO_MANY_REFERENCES: Self = Self(0xC01E_0103_u32.cast_signed());
    pub const STATUS_GRAPHICS_TRY_AGAIN_LATER: Self = Self(0xC01E_0104_u32.cast_signed());
    pub const STATUS_GRAPHICS_TRY_AGAIN_NOW: Self = Self(0xC01E_0105_u32.cast_signed());
    pub const STATUS_GRAPHICS_ALLOCATION_INVALID: Self = Self(0xC01E_0106_u32.cast_signed());
    pub const STATUS_GRAPHICS_INVALID_ALLOCATION_USAGE: Self = Self(0xC01E_0110_u32.cast_signed());
    pub const STATUS_GRAPHICS_ALLOCATION_CLOSED: Self = Self(0xC01E_0112_u32.cast_signed());
    pub const STATUS_GRAPHICS_INVALID_ALLOCATION_INSTANCE: Self =
        Self(0xC01E_0113_u32.cast_signed());
    pub const STATUS_GRAPHICS_INVALID_ALLOCATION_HANDLE: Self = Self(0xC01E_0114_u32.cast_signed());
    pub const STATUS_GRAPHICS_WRONG_ALLOCATION_DEVICE: Self = Self(0xC01E_0115_u32.cast_signed());
    pub const STATUS_GRAPHICS_ALLOCATION_CONTENT_LOST: Self = Self(0xC01E_0116_u32.cast_signed());
    pub const STATUS_GRAPHICS_GPU_EXCEPTION_ON_DEVICE: Self = Self(0xC01E_0200_u32.cast_signed());
    pub const STATUS_GRAPHICS_INVALID_VIDPN: Self = Self(0xC01E_0303_u32.cast_signed());
    pub const STATUS_GRAPHICS_INVALID_VIDEO_PRESENT_SOURCE: Self =
        Self(0xC01E_0304_u32.cast_signed());
    pub const STATUS_GRAPHICS_INVALID_VIDEO_PRESENT_TARGET: Self =
        Self(0xC01E_0305_u32.cast_signed());
    pub const STATUS_GRAPHICS_VIDPN_MODALITY_NOT_SUPPORTED: Self =
        Self(0xC01E_0306_u32.cast_signed());
    pub const STATUS_GRAPHICS_NO_RECOMMENDED_FUNCTIONAL_VIDPN: Self =
        Self(0xC01E_0323_u32.cast_signed());
    pub const STATUS_GRAPHICS_CHILD_DESCRIPTOR_NOT_SUPPORTED: Self =
        Self(0xC01E_0401_u32.cast_signed());

    /// Whether the code is a success or informational code, as the `NT_SUCCESS` macro decides.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 >= 0
    }

    /// Whether the code is an error (severity 3) or a warning (severity 2).
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 < 0
    }

    /// `Ok` for a success code, the code itself as the error otherwise.
    ///
    /// # Errors
    /// The code, when [`is_success`](Self::is_success) is false.
    pub const fn ok(self) -> Result<(), Self> {
        if self.is_success() { Ok(()) } else { Err(self) }
    }

    /// The constant's name, for reports; `None` for a code that this crate has no name for.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        let mut index = 0;
        while index < NAMES.len() {
            if NAMES[index].0.0 == self.0 {
                return Some(NAMES[index].1);
            }
            index += 1;
        }
        None
    }
}

const NAMES: &[(NTSTATUS, &str)] = &[
    (NTSTATUS::STATUS_SUCCESS, "STATUS_SUCCESS"),
    (NTSTATUS::STATUS_PENDING, "STATUS_PENDING"),
    (NTSTATUS::STATUS_TIMEOUT, "STATUS_TIMEOUT"),
    (NTSTATUS::STATUS_BUFFER_OVERFLOW, "STATUS_BUFFER_OVERFLOW"),
    (NTSTATUS::STATUS_DEVICE_BUSY, "STATUS_DEVICE_BUSY"),
    (NTSTATUS::STATUS_NO_MORE_ENTRIES, "STATUS_NO_MORE_ENTRIES"),
    (NTSTATUS::STATUS_UNSUCCESSFUL, "STATUS_UNSUCCESSFUL"),
    (NTSTATUS::STATUS_NOT_IMPLEMENTED, "STATUS_NOT_IMPLEMENTED"),
    (
        NTSTATUS::STATUS_INVALID_INFO_CLASS,
        "STATUS_INVALID_INFO_CLASS",
    ),
    (
        NTSTATUS::STATUS_INFO_LENGTH_MISMATCH,
        "STATUS_INFO_LENGTH_MISMATCH",
    ),
    (NTSTATUS::STATUS_INVALID_HANDLE, "STATUS_INVALID_HANDLE"),
    (
        NTSTATUS::STATUS_INVALID_PARAMETER,
        "STATUS_INVALID_PARAMETER",
    ),
    (NTSTATUS::STATUS_NO_SUCH_DEVICE, "STATUS_NO_SUCH_DEVICE"),
    (
        NTSTATUS::STATUS_INVALID_DEVICE_REQUEST,
        "STATUS_INVALID_DEVICE_REQUEST",
    ),
    (NTSTATUS::STATUS_NO_MEMORY, "STATUS_NO_MEMORY"),
    (
        NTSTATUS::STATUS_CONFLICTING_ADDRESSES,
        "STATUS_CONFLICTING_ADDRESSES",
    ),
    (NTSTATUS::STATUS_ACCESS_DENIED, "STATUS_ACCESS_DENIED"),
    (NTSTATUS::STATUS_BUFFER_TOO_SMALL, "STATUS_BUFFER_TOO_SMALL"),
    (
        NTSTATUS::STATUS_OBJECT_TYPE_MISMATCH,
        "STATUS_OBJECT_TYPE_MISMATCH",
    ),
    (
        NTSTATUS::STATUS_OBJECT_NAME_NOT_FOUND,
        "STATUS_OBJECT_NAME_NOT_FOUND",
    ),
    (
        NTSTATUS::STATUS_OBJECT_NAME_COLLISION,
        "STATUS_OBJECT_NAME_COLLISION",
    ),
    (NTSTATUS::STATUS_DELETE_PENDING, "STATUS_DELETE_PENDING"),
    (
        NTSTATUS::STATUS_REVISION_MISMATCH,
        "STATUS_REVISION_MISMATCH",
    ),
    (
        NTSTATUS::STATUS_PRIVILEGE_NOT_HELD,
        "STATUS_PRIVILEGE_NOT_HELD",
    ),
    (
        NTSTATUS::STATUS_INVALID_IMAGE_FORMAT,
        "STATUS_INVALID_IMAGE_FORMAT",
    ),
    (
        NTSTATUS::STATUS_ARRAY_BOUNDS_EXCEEDED,
        "STATUS_ARRAY_BOUNDS_EXCEEDED",
    ),
    (NTSTATUS::STATUS_INTEGER_OVERFLOW, "STATUS_INTEGER_OVERFLOW"),
    (
        NTSTATUS::STATUS_INSUFFICIENT_RESOURCES,
        "STATUS_INSUFFICIENT_RESOURCES",
    ),
    (
        NTSTATUS::STATUS_DEVICE_DATA_ERROR,
        "STATUS_DEVICE_DATA_ERROR",
    ),
    (
        NTSTATUS::STATUS_DEVICE_NOT_CONNECTED,
        "STATUS_DEVICE_NOT_CONNECTED",
    ),
    (
        NTSTATUS::STATUS_DEVICE_POWER_FAILURE,
        "STATUS_DEVICE_POWER_FAILURE",
    ),
    (NTSTATUS::STATUS_DEVICE_NOT_READY, "STATUS_DEVICE_NOT_READY"),
    (NTSTATUS::STATUS_IO_TIMEOUT, "STATUS_IO_TIMEOUT"),
    (NTSTATUS::STATUS_NOT_SUPPORTED, "STATUS_NOT_SUPPORTED"),
    (
        NTSTATUS::STATUS_DEVICE_DOES_NOT_EXIST,
        "STATUS_DEVICE_DOES_NOT_EXIST",
    ),
    (NTSTATUS::STATUS_INTERNAL_ERROR, "STATUS_INTERNAL_ERROR"),
    (
        NTSTATUS::STATUS_INVALID_PARAMETER_1,
        "STATUS_INVALID_PARAMETER_1",
    ),
    (
        NTSTATUS::STATUS_INVALID_PARAMETER_2,
        "STATUS_INVALID_PARAMETER_2",
    ),
    (
        NTSTATUS::STATUS_INVALID_PARAMETER_3,
        "STATUS_INVALID_PARAMETER_3",
    ),
    (NTSTATUS::STATUS_CANCELLED, "STATUS_CANCELLED"),
    (NTSTATUS::STATUS_INVALID_ADDRESS, "STATUS_INVALID_ADDRESS"),
    (
        NTSTATUS::STATUS_DEVICE_CONFIGURATION_ERROR,
        "STATUS_DEVICE_CONFIGURATION_ERROR",
    ),
    (
        NTSTATUS::STATUS_INVALID_DEVICE_STATE,
        "STATUS_INVALID_DEVICE_STATE",
    ),
    (
        NTSTATUS::STATUS_INVALID_BUFFER_SIZE,
        "STATUS_INVALID_BUFFER_SIZE",
    ),
    (NTSTATUS::STATUS_NOT_FOUND, "STATUS_NOT_FOUND"),
    (NTSTATUS::STATUS_RETRY, "STATUS_RETRY"),
    (
        NTSTATUS::STATUS_DRIVER_UNABLE_TO_LOAD,
        "STATUS_DRIVER_UNABLE_TO_LOAD",
    ),
    (NTSTATUS::STATUS_NO_MATCH, "STATUS_NO_MATCH"),
    (NTSTATUS::STATUS_DEVICE_REMOVED, "STATUS_DEVICE_REMOVED"),
    (
        NTSTATUS::STATUS_FAILED_DRIVER_ENTRY,
        "STATUS_FAILED_DRIVER_ENTRY",
    ),
    (
        NTSTATUS::STATUS_DEVICE_UNREACHABLE,
        "STATUS_DEVICE_UNREACHABLE",
    ),
    (NTSTATUS::STATUS_DEVICE_HUNG, "STATUS_DEVICE_HUNG"),
    (NTSTATUS::STATUS_BAD_DATA, "STATUS_BAD_DATA"),
    (
        NTSTATUS::STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER,
        "STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_INVALID_DISPLAY_ADAPTER,
        "STATUS_GRAPHICS_INVALID_DISPLAY_ADAPTER",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_ADAPTER_WAS_RESET,
        "STATUS_GRAPHICS_ADAPTER_WAS_RESET",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_INVALID_DRIVER_MODEL,
        "STATUS_GRAPHICS_INVALID_DRIVER_MODEL",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_DRIVER_MISMATCH,
        "STATUS_GRAPHICS_DRIVER_MISMATCH",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_NO_VIDEO_MEMORY,
        "STATUS_GRAPHICS_NO_VIDEO_MEMORY",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_CANT_LOCK_MEMORY,
        "STATUS_GRAPHICS_CANT_LOCK_MEMORY",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_ALLOCATION_BUSY,
        "STATUS_GRAPHICS_ALLOCATION_BUSY",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_TOO_MANY_REFERENCES,
        "STATUS_GRAPHICS_TOO_MANY_REFERENCES",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_TRY_AGAIN_LATER,
        "STATUS_GRAPHICS_TRY_AGAIN_LATER",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_TRY_AGAIN_NOW,
        "STATUS_GRAPHICS_TRY_AGAIN_NOW",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_ALLOCATION_INVALID,
        "STATUS_GRAPHICS_ALLOCATION_INVALID",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_INVALID_ALLOCATION_USAGE,
        "STATUS_GRAPHICS_INVALID_ALLOCATION_USAGE",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_ALLOCATION_CLOSED,
        "STATUS_GRAPHICS_ALLOCATION_CLOSED",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_INVALID_ALLOCATION_INSTANCE,
        "STATUS_GRAPHICS_INVALID_ALLOCATION_INSTANCE",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_INVALID_ALLOCATION_HANDLE,
        "STATUS_GRAPHICS_INVALID_ALLOCATION_HANDLE",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_WRONG_ALLOCATION_DEVICE,
        "STATUS_GRAPHICS_WRONG_ALLOCATION_DEVICE",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_ALLOCATION_CONTENT_LOST,
        "STATUS_GRAPHICS_ALLOCATION_CONTENT_LOST",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_GPU_EXCEPTION_ON_DEVICE,
        "STATUS_GRAPHICS_GPU_EXCEPTION_ON_DEVICE",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_INVALID_VIDPN,
        "STATUS_GRAPHICS_INVALID_VIDPN",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_INVALID_VIDEO_PRESENT_SOURCE,
        "STATUS_GRAPHICS_INVALID_VIDEO_PRESENT_SOURCE",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_INVALID_VIDEO_PRESENT_TARGET,
        "STATUS_GRAPHICS_INVALID_VIDEO_PRESENT_TARGET",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_VIDPN_MODALITY_NOT_SUPPORTED,
        "STATUS_GRAPHICS_VIDPN_MODALITY_NOT_SUPPORTED",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_NO_RECOMMENDED_FUNCTIONAL_VIDPN,
        "STATUS_GRAPHICS_NO_RECOMMENDED_FUNCTIONAL_VIDPN",
    ),
    (
        NTSTATUS::STATUS_GRAPHICS_CHILD_DESCRIPTOR_NOT_SUPPORTED,
        "STATUS_GRAPHICS_CHILD_DESCRIPTOR_NOT_SUPPORTED",
    ),
];

impl fmt::Debug for NTSTATUS {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "NTSTATUS(0x{:08X})", self.0),
        }
    }
}

impl fmt::Display for NTSTATUS {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
