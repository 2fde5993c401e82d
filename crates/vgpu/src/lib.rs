//! Carillon: vgpu.
