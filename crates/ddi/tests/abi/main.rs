//! Holds the crate to the checked-in tables of ABI numbers in `abi/`, and the tables to the crate:
//! a type, member, bit or constant on one side only is a failure.

mod constants;
mod documentation;
mod layout;
mod slots;
mod source;
mod table;
mod values;
