//! What the driver, the device and the user-mode client must agree on.
//!
//! One documented declaration per register, memory-resident structure and packet of the Carillon
//! GPU. `docs/hardware.md` is the book; section numbers in these comments are its sections.
//! Nothing outside this crate shifts or masks a hardware word: whoever needs a field asks the
//! type that owns it.
//!
//! * [`addr`]: one newtype per address space, page arithmetic
//! * [`allocation`]: private data of an allocation
//! * [`pci`]: identity, BARs and interrupt vectors of the PCI function
//! * [`regs`]: BAR0 registers
//! * [`doorbell`]: doorbell pages, their values, the private data a client hands to the driver
//! * [`queue`]: hardware queue and hardware context descriptors
//! * [`ring`]: ring buffer entries, ring control block, write-pointer arithmetic
//! * [`packet`]: command buffer packets
//! * [`event`]: the event ring that the device reports through
//! * [`mmu`]: page-table entries and geometry
//! * [`fence_log`]: the native fence log that the device appends to
//!
//! Left out on purpose: any access to memory. The types here are values; how bytes reach them is
//! the business of whoever owns the mapping.

#![no_std]
#![forbid(unsafe_code)]

pub mod addr;
pub mod allocation;
pub mod doorbell;
pub mod escape;
pub mod event;
pub mod fence_log;
pub mod mmu;
pub mod packet;
pub mod pci;
pub mod queue;
pub mod regs;
pub mod ring;
