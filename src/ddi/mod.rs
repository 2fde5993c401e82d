//! The DDI: one trampoline per entry point, and the table of them.
//!
//! A trampoline does five things and no others: it makes the token that its page's IRQL allows,
//! finds the adapter, reads the argument structure once, calls one method of the core, and writes
//! the outputs if that succeeded. Policy is the core's.
//!
//! # Safety of all trampolines
//!
//! dxgkrnl calls them, at the IRQL of the DDI's page, with arguments as that page describes: a
//! pointer to an argument structure is NULL or leads to an initialized structure of the declared
//! type, which belongs to the call until it returns. Lists have as many elements as their count
//! says. Handles may be anything: they are looked up, never followed.

mod allocation;
mod arguments;
mod context;
mod doorbell;
mod escape;
mod feature;
mod fence;
mod interrupt;
mod node;
mod pages;
mod paging;
mod pnp;
mod power;
mod process;
mod query;
mod queue;
mod refused;
mod submit;
pub(crate) mod table;
mod tdr;
