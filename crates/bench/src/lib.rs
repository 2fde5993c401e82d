//! Carillon: bench.
