//! Carillon: client.
