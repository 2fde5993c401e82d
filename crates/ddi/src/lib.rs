//! The WDDM 3.2 display DDI as Rust types.
//!
//! What a render-only display miniport driver with GpuMmu addressing, hardware scheduling and
//! user-mode work submission exchanges with the graphics kernel: the tables of entry points, the
//! arguments of each DDI and callback, flags and enumerations, and the user-mode thunks' structures
//! for doorbells. Names are those of the documentation pages, which each item names (`ns-` for
//! structures, `ne-` for enumerations, `nc-` for callbacks).
//!
//! - Structures are `repr(C)`, packed where the ABI is; every size and offset is asserted at compile
//!   time.
//! - Flags are bitfield types; the reserved remainder is a member too, so that unknown bits can be
//!   refused.
//! - Enumerations are open: a value that has no name is a value all the same.
//! - A C union or structure without a name is a member called `Anonymous` (`Anonymous2`, ...).
//! - Everything that is data has a `ZERO`. An arm of a union is written safely by assignment over
//!   it; which arm may be read is the business of the member that the page names for that.
//! - The modules sort the types by topic; every name is also at the root.
//! - Function pointers are `extern "win64"`, the C calling convention of 64-bit Windows, so that the
//!   same tables can be called on any x86-64 host.

#![no_std]
#![allow(
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    reason = "the names are those of the documentation, where readers look them up"
)]
#![allow(
    missing_docs,
    reason = "members and enumerators are documented on the page that their type names; a test \
              demands the type's own documentation"
)]
#![allow(
    clippy::struct_field_names,
    clippy::struct_excessive_bools,
    reason = "the members are given by the ABI"
)]

#[macro_use]
mod layout;

pub mod allocation;
pub mod allocinfo;
pub mod base;
pub mod callback;
pub mod caps;
pub mod child;
pub mod consts;
pub mod device;
pub mod display;
pub mod doorbell;
pub mod fault;
pub mod feature;
pub mod fence;
pub mod init;
pub mod interface;
pub mod interrupt;
pub mod kmt;
pub mod node;
pub mod ntstatus;
pub mod pagetable;
pub mod paging;
pub mod pnp;
pub mod power;
pub mod process;
pub mod query;
pub mod resource;
pub mod schedlog;
pub mod scheduling;
pub mod segment;
pub mod service;
pub mod slots;
pub mod stdalloc;
pub mod submit;
pub mod sysmem;
pub mod tdr;
pub mod testing;
pub mod transfer;
pub mod version;

pub use allocation::*;
pub use allocinfo::*;
pub use base::*;
pub use callback::*;
pub use caps::*;
pub use child::*;
pub use consts::*;
pub use device::*;
pub use display::*;
pub use doorbell::*;
pub use fault::*;
pub use feature::*;
pub use fence::*;
pub use init::*;
pub use interface::*;
pub use interrupt::*;
pub use kmt::*;
pub use layout::{FieldLayout, TypeLayout};
pub use node::*;
pub use ntstatus::*;
pub use pagetable::*;
pub use paging::*;
pub use pnp::*;
pub use power::*;
pub use process::*;
pub use query::*;
pub use resource::*;
pub use schedlog::*;
pub use scheduling::*;
pub use segment::*;
pub use service::*;
pub use slots::*;
pub use stdalloc::*;
pub use submit::*;
pub use sysmem::*;
pub use tdr::*;
pub use testing::*;
pub use transfer::*;
pub use version::*;

/// The layouts of all types, for tests and tools.
#[doc(hidden)]
pub const LAYOUTS: &[&[TypeLayout]] = &[
    allocation::LAYOUTS,
    allocinfo::LAYOUTS,
    base::LAYOUTS,
    callback::LAYOUTS,
    caps::LAYOUTS,
    child::LAYOUTS,
    device::LAYOUTS,
    display::LAYOUTS,
    doorbell::LAYOUTS,
    fault::LAYOUTS,
    feature::LAYOUTS,
    fence::LAYOUTS,
    init::LAYOUTS,
    interface::LAYOUTS,
    interrupt::LAYOUTS,
    kmt::LAYOUTS,
    node::LAYOUTS,
    pagetable::LAYOUTS,
    paging::LAYOUTS,
    pnp::LAYOUTS,
    power::LAYOUTS,
    process::LAYOUTS,
    query::LAYOUTS,
    resource::LAYOUTS,
    schedlog::LAYOUTS,
    scheduling::LAYOUTS,
    segment::LAYOUTS,
    service::LAYOUTS,
    stdalloc::LAYOUTS,
    submit::LAYOUTS,
    sysmem::LAYOUTS,
    tdr::LAYOUTS,
    testing::LAYOUTS,
    transfer::LAYOUTS,
];
