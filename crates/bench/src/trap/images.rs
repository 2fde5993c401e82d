//! Which addresses are driver code: the images that are loaded in this process.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;

/// One loaded image.
struct Entry {
    name: Arc<str>,
    base: usize,
    size: usize,
}

static IMAGES: RwLock<Vec<Entry>> = RwLock::new(Vec::new());

/// A code address as a person wants to read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CodeAddress {
    /// Inside of a loaded image.
    Image {
        /// Name of the image.
        image: Arc<str>,
        /// Address relative to the image's base.
        rva: u32,
    },
    /// Somewhere else in the process.
    Other(usize),
}

impl fmt::Display for CodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { image, rva } => write!(f, "{image}+{rva:#x}"),
            Self::Other(address) => write!(f, "{address:#x}"),
        }
    }
}

/// Keeps an image known; forgotten on drop.
#[derive(Debug)]
pub(crate) struct Registration {
    base: usize,
}

/// Makes `base..base + size` known as the image `name`.
pub(crate) fn register(name: &str, base: usize, size: usize) -> Registration {
    IMAGES.write().push(Entry {
        name: name.into(),
        base,
        size,
    });
    Registration { base }
}

impl Drop for Registration {
    fn drop(&mut self) {
        IMAGES.write().retain(|entry| entry.base != self.base);
    }
}

/// Names `address`.
pub fn locate(address: usize) -> CodeAddress {
    let images = IMAGES.read();
    let hit = images
        .iter()
        .find(|e| address >= e.base && address - e.base < e.size);
    match hit {
        Some(entry) => CodeAddress::Image {
            image: entry.name.clone(),
            rva: u32::try_from(address - entry.base).unwrap_or(u32::MAX),
        },
        None => CodeAddress::Other(address),
    }
}
