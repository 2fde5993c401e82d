//! The fake's memory accesses, through page tables of its own format.

use super::{Fake, PAGE_SIZE};
use carillon_bench::nt::physical::PhysicalAddress;

/// Bit 0: valid; bits 1 to 5: segment; bits 12 to 51: address.
pub(crate) fn encode(valid: bool, segment: u8, address: u64) -> u64 {
    if valid {
        address | u64::from(segment) << 1 | 1
    } else {
        0
    }
}

impl Fake {
    pub(crate) fn read_physical(&self, (segment, address): (u32, u64), into: &mut [u8]) {
        for (at, byte) in (address..).zip(into) {
            *byte = match segment {
                0 => {
                    let memory = &self.nt.as_ref().unwrap().memory;
                    let host = memory.host_ptr(PhysicalAddress(at), 1).expect("bus fault");
                    // SAFETY: `host_ptr` checked that the byte is in the arena.
                    unsafe { host.read_volatile() }
                }
                2 => self.vram[usize::try_from(at).unwrap()],
                other => panic!("segment {other} has no memory"),
            };
        }
    }

    pub(crate) fn write_physical(&mut self, (segment, address): (u32, u64), from: &[u8]) {
        for (at, byte) in (address..).zip(from) {
            match segment {
                0 => {
                    let memory = &self.nt.as_ref().unwrap().memory;
                    let host = memory.host_ptr(PhysicalAddress(at), 1).expect("bus fault");
                    // SAFETY: `host_ptr` checked that the byte is in the arena.
                    unsafe { host.write_volatile(*byte) };
                }
                2 => self.vram[usize::try_from(at).unwrap()] = *byte,
                other => panic!("segment {other} has no memory"),
            }
        }
    }

    /// Where `address` is; `None` for a page fault.
    pub(crate) fn translate(&self, context: usize, address: u64) -> Option<(u32, u64)> {
        let mut table = *self.roots.get(&context)?;
        for level in (0..4).rev() {
            let index = address >> (12 + 9 * level) & 511;
            let mut word = [0; 8];
            self.read_physical((table.0, table.1 + index * 8), &mut word);
            let entry = u64::from_le_bytes(word);
            if entry & 1 == 0 {
                return None;
            }
            table = (
                u32::try_from(entry >> 1 & 31).unwrap(),
                entry & 0x000F_FFFF_FFFF_F000,
            );
        }
        Some((table.0, table.1 + address % PAGE_SIZE as u64))
    }

    pub(crate) fn read_virtual(
        &self,
        context: usize,
        address: u64,
        bytes: usize,
    ) -> Option<Vec<u8>> {
        let mut out = vec![0; bytes];
        let mut done = 0;
        while done < bytes {
            let at = address + done as u64;
            let piece = (PAGE_SIZE - usize::try_from(at).unwrap() % PAGE_SIZE).min(bytes - done);
            let target = self.translate(context, at)?;
            self.read_physical(target, &mut out[done..done + piece]);
            done += piece;
        }
        Some(out)
    }

    pub(crate) fn write_virtual(
        &mut self,
        context: usize,
        address: u64,
        from: &[u8],
    ) -> Option<()> {
        let mut done = 0;
        while done < from.len() {
            let at = address + done as u64;
            let piece =
                (PAGE_SIZE - usize::try_from(at).unwrap() % PAGE_SIZE).min(from.len() - done);
            let target = self.translate(context, at)?;
            self.write_physical(target, &from[done..done + piece]);
            done += piece;
        }
        Some(())
    }
}
