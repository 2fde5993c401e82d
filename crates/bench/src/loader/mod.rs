//! Maps a Windows x64 kernel driver as Windows would.
//!
//! - [`error`]: what can be wrong with a file
//! - [`parse`]: the file's headers, checked
//! - [`image`]: the mapped image
//! - [`craft`]: small images made to order, for tests and fuzzing

pub mod craft;
pub mod error;
pub mod image;
pub mod parse;

pub use error::LoadError;
pub use image::{Image, ImageInfo};
