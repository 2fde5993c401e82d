//! What can be wrong with a driver image.

use std::io;

/// Why a file cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The headers are not those of a PE32+ file.
    #[error("not a PE32+ image: {0}")]
    NotPe(String),
    /// Made for another processor.
    #[error("machine {machine:#06x} is not AMD64 (0x8664)")]
    WrongMachine {
        /// `Machine` of the file header.
        machine: u16,
    },
    /// Not a kernel driver.
    #[error("subsystem {subsystem} is not native (1): this is no kernel driver")]
    NotNative {
        /// `Subsystem` of the optional header.
        subsystem: u16,
    },
    /// The file ends before the data of a section.
    #[error("section {section} is truncated: its data ends at {end:#x}, the file at {file_len:#x}")]
    TruncatedSection {
        /// Name of the section.
        section: String,
        /// File offset where its data should end.
        end: u64,
        /// Length of the file.
        file_len: u64,
    },
    /// A section does not begin at a multiple of the alignment.
    #[error("section {section} at {rva:#x} is not aligned to {alignment:#x}")]
    Unaligned {
        /// Name of the section.
        section: String,
        /// Its address.
        rva: u32,
        /// The alignment asked for.
        alignment: u32,
    },
    /// Sections are not aligned to pages, so that they cannot be protected one by one.
    #[error("section alignment {alignment:#x} is no power of two of at least a page")]
    SectionAlignment {
        /// `SectionAlignment` of the optional header.
        alignment: u32,
    },
    /// Two sections, or a section and the headers, share addresses.
    #[error("section {section} at {rva:#x} overlaps {other}")]
    Overlap {
        /// The later section.
        section: String,
        /// Its address.
        rva: u32,
        /// What it overlaps.
        other: String,
    },
    /// A section goes beyond the image's size.
    #[error("section {section} ends at {end:#x}, the image at {size_of_image:#x}")]
    OutsideImage {
        /// Name of the section.
        section: String,
        /// Where it ends.
        end: u64,
        /// `SizeOfImage` of the optional header.
        size_of_image: u32,
    },
    /// A section is writable and executable.
    #[error("section {section} is writable and executable")]
    WritableCode {
        /// Name of the section.
        section: String,
    },
    /// The image is larger than any driver, or empty.
    #[error("image size {size_of_image:#x} is out of range")]
    ImageSize {
        /// `SizeOfImage` of the optional header.
        size_of_image: u32,
    },
    /// A directory or table points outside of the image.
    #[error("{table} at {rva:#x} is outside of the image")]
    TableOutside {
        /// Which table.
        table: &'static str,
        /// Where it should be.
        rva: u64,
    },
    /// The image has no relocations and can only live at its preferred address.
    #[error("relocations are stripped: the image cannot be moved from {image_base:#x}")]
    NotRelocatable {
        /// `ImageBase` of the optional header.
        image_base: u64,
    },
    /// A relocation whose eight bytes are not all in one section.
    #[error("relocation at {rva:#x} is outside of every section")]
    RelocationOutside {
        /// What it would change.
        rva: u64,
    },
    /// A relocation type that x64 drivers do not have.
    #[error("relocation at {rva:#x} has type {kind}, only DIR64 (10) is known")]
    RelocationKind {
        /// What it would change.
        rva: u64,
        /// Its type.
        kind: u16,
    },
    /// A block of relocations that is shorter than its header or longer than the table.
    #[error("relocation block at {rva:#x} has a size of {size:#x}")]
    RelocationBlock {
        /// Where the block is.
        rva: u64,
        /// `SizeOfBlock`.
        size: u32,
    },
    /// An imported function that the kernel model lacks.
    #[error("import {dll}!{name} is not in the kernel model")]
    UnresolvedImport {
        /// The module.
        dll: String,
        /// The function.
        name: String,
    },
    /// A function imported by number.
    #[error("import of {dll} by ordinal {ordinal}")]
    ImportByOrdinal {
        /// The module.
        dll: String,
        /// The number.
        ordinal: u16,
    },
    /// Thread-local storage, which the kernel does not set up for drivers.
    #[error("the image has a TLS directory, which the kernel does not support in drivers")]
    Tls,
    /// The load configuration names a cookie that is not in the image.
    #[error("security cookie at {address:#x} is outside of the image")]
    Cookie {
        /// Its address, for the preferred base.
        address: u64,
    },
    /// No entry point, or one that is no code.
    #[error("entry point {rva:#x} is not in an executable section")]
    EntryPoint {
        /// `AddressOfEntryPoint`.
        rva: u32,
    },
    /// A name that is not text.
    #[error("the name at {rva:#x} is not a zero-terminated ASCII string")]
    Name {
        /// Where it is.
        rva: u64,
    },
    /// The host cannot map the image.
    #[error("the host cannot map the image: {0}")]
    Host(#[from] io::Error),
}
