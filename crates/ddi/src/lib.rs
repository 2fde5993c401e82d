//! Carillon: ddi.
