//! Carillon: hw.
