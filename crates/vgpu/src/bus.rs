//! What the device sees of the host.

use carillon_hw::addr::BusAddress;

/// A bus access that no memory answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing answers at {0}")]
pub struct BusFault(
    /// First address of the access.
    pub BusAddress,
);

/// System memory and interrupts, as the device reaches them.
///
/// Called by the device thread and by threads that access registers, with the device's lock held
/// (except [`Bus::raise`]): an implementation shall not access the device from inside a call.
/// The device splits its accesses at 4 KiB boundaries.
pub trait Bus: Send + Sync {
    /// Copies bytes out of system memory.
    fn read(&self, address: BusAddress, into: &mut [u8]) -> Result<(), BusFault>;

    /// Copies bytes into system memory.
    fn write(&self, address: BusAddress, from: &[u8]) -> Result<(), BusFault>;

    /// Loads an aligned quadword, atomically and with acquire ordering.
    fn load_u64(&self, address: BusAddress) -> Result<u64, BusFault>;

    /// Stores an aligned quadword, atomically and with release ordering.
    fn store_u64(&self, address: BusAddress, value: u64) -> Result<(), BusFault>;

    /// A hint that the quadword at `address` will be loaded soon. Never faults and changes nothing;
    /// an implementation that has memory behind an address may bring it near.
    fn prefetch(&self, address: BusAddress) {
        let _ = address;
    }

    /// Sends the MSI-X message of `vector`. Called from the device thread with no lock held, so
    /// it may access registers; rings are not watched until it returns.
    fn raise(&self, vector: u16);
}
