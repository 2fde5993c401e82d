//! The PCI function (`docs/hardware.md` section 3).

/// Vendor id: the one that QEMU reserves for devices that exist in software only.
pub const VENDOR_ID: u16 = 0x1234;
/// Device id of the Carillon GPU.
pub const DEVICE_ID: u16 = 0xCA11;
/// Revision id; follows [`crate::regs::INTERFACE_MAJOR`].
pub const REVISION_ID: u8 = 1;
/// Base class, subclass and programming interface: a display controller without a display.
pub const CLASS_CODE: [u8; 3] = [0x03, 0x02, 0x00];

/// Index of the register BAR (64-bit, not prefetchable, every access reaches the device).
pub const BAR_REGISTERS: usize = 0;
/// Index of the doorbell BAR (64-bit, prefetchable, plain memory that the device watches).
pub const BAR_DOORBELLS: usize = 2;
/// Index of the local memory BAR (64-bit, prefetchable, plain memory).
pub const BAR_VRAM: usize = 4;

/// Bytes in BAR0.
pub const BAR_REGISTERS_BYTES: u64 = 0x1_0000;
/// Offset of the MSI-X table in BAR0.
pub const MSIX_TABLE_OFFSET: u32 = 0x8000;
/// Offset of the MSI-X pending bits in BAR0.
pub const MSIX_PBA_OFFSET: u32 = 0x9000;
/// Number of MSI-X vectors. Everything is reported through vector 0.
pub const MSIX_VECTORS: u16 = 1;
/// The vector that the event ring and the fatal error raise.
pub const VECTOR_EVENTS: u16 = 0;
