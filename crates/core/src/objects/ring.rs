//! Rings that the driver fills itself: those of kernel-mode queues and of packet-mode nodes.

use carillon_hw::addr::BusAddress;
use carillon_hw::packet::Packet;
use carillon_hw::ring::{
    CONTROL_BYTES, ENTRY_BYTES, READ_POINTER_OFFSET, RingEntry, RingSize, WRITE_POINTER_OFFSET,
};

use crate::error::{Error, Result};
use crate::irql::Passive;
use crate::platform::{BusMemory, Platform};

/// A ring, its control block and one `Nop` packet, in one piece of bus memory.
#[derive(Debug)]
pub struct KernelRing<M> {
    memory: M,
    size: RingSize,
    write: u64,
}

impl<M: BusMemory> KernelRing<M> {
    const fn control_offset(size: RingSize) -> u64 {
        size.bytes()
    }

    const fn nop_offset(size: RingSize) -> u64 {
        Self::control_offset(size) + CONTROL_BYTES
    }

    /// Memory for a ring of `size`, empty.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn allocate<P>(platform: &P, passive: Passive<'_>, size: RingSize) -> Result<Self>
    where
        P: Platform<BusMemory = M>,
    {
        let bytes = Self::nop_offset(size) + size_of::<u64>() as u64;
        let bytes = usize::try_from(bytes).map_err(|_| Error::NoMemory)?;
        let memory = platform.allocate_bus_memory(passive, bytes)?;
        let mut nop = [0; 1];
        let _ = Packet::Nop { dwords: 1 }.encode(&mut nop);
        let mut ring = Self {
            memory,
            size,
            write: 0,
        };
        ring.store(Self::nop_offset(size), u64::from(nop[0]));
        ring.restart();
        Ok(ring)
    }

    fn store(&mut self, offset: u64, value: u64) {
        if let Ok(offset) = usize::try_from(offset) {
            self.memory.store64(offset, value);
        }
    }

    fn load(&self, offset: u64) -> u64 {
        usize::try_from(offset).map_or(0, |offset| self.memory.load64(offset))
    }

    /// Empties the ring. The device must not be using it.
    pub fn restart(&mut self) {
        self.write = 0;
        let control = Self::control_offset(self.size);
        self.store(control + WRITE_POINTER_OFFSET, 0);
        self.store(control + READ_POINTER_OFFSET, 0);
    }

    /// Where the device finds the ring.
    pub fn ring_address(&self) -> BusAddress {
        self.memory.address()
    }

    /// Where the device finds the control block.
    pub fn control_address(&self) -> BusAddress {
        BusAddress(
            self.memory
                .address()
                .0
                .wrapping_add(Self::control_offset(self.size)),
        )
    }

    /// Size of the ring.
    pub const fn size(&self) -> RingSize {
        self.size
    }

    /// An entry that does nothing but report `cookie`: work without commands takes the same way
    /// as all other, so that it completes in order.
    pub fn nop_entry(&self, cookie: u64) -> Option<RingEntry> {
        let nop = BusAddress(
            self.memory
                .address()
                .0
                .wrapping_add(Self::nop_offset(self.size)),
        );
        RingEntry::kernel_bus(nop, 1, cookie)
    }

    /// The cookie of the entry that the device finished last, from the ring itself. A full ring
    /// does not tell: the newest entry lies where that one was, and those under way will.
    pub fn last_finished(&self) -> Option<u64> {
        let read = self.load(Self::control_offset(self.size) + READ_POINTER_OFFSET);
        if self.size.free(read, self.write)? == 0 {
            return None;
        }
        let last = read.checked_sub(1)?;
        let cookie = self.size.slot_offset(last) + core::mem::offset_of!(RingEntry, cookie) as u64;
        Some(self.load(cookie))
    }

    /// Appends an entry and publishes it; the caller makes the device look.
    ///
    /// # Errors
    /// [`Error::InsufficientResources`] if the ring is full, [`Error::BadHardware`] if the
    /// device reports a read pointer that cannot be.
    pub fn push(&mut self, entry: RingEntry) -> Result {
        let control = Self::control_offset(self.size);
        let read = self.load(control + READ_POINTER_OFFSET);
        match self.size.free(read, self.write) {
            None => return Err(Error::BadHardware),
            Some(0) => return Err(Error::InsufficientResources),
            Some(_) => {}
        }
        let slot = self.size.slot_offset(self.write);
        let words = [
            entry.buffer,
            entry.meta.into_bits(),
            entry.cookie,
            entry.reserved,
        ];
        debug_assert_eq!(words.len() as u64 * 8, ENTRY_BYTES);
        let mut at = slot;
        for word in words {
            self.store(at, word);
            at += 8;
        }
        self.write = self.write.wrapping_add(1);
        // Stores to bus memory are releases: the device that sees the pointer sees the entry.
        let write = self.write;
        self.store(control + WRITE_POINTER_OFFSET, write);
        Ok(())
    }
}
