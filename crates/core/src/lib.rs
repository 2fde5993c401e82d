//! Carillon: core.
