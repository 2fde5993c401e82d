//! Carillon tasks.
fn main() {}
