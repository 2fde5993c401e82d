//! The headers of a driver file, checked.

use object::pe::{
    self, IMAGE_DIRECTORY_ENTRY_BASERELOC, IMAGE_DIRECTORY_ENTRY_EXPORT,
    IMAGE_DIRECTORY_ENTRY_IMPORT, IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG, IMAGE_DIRECTORY_ENTRY_TLS,
    ImageNtHeaders64,
};
use object::read::pe::{DataDirectories, ImageNtHeaders, ImageOptionalHeader};
use object::{LittleEndian as LE, ReadRef};

use super::error::LoadError;
use crate::trap::mapping::Access;

/// Largest image that is taken for a driver, in bytes.
const LARGEST: u32 = 256 << 20;

/// A section as it will be mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Address relative to the image's base.
    pub rva: u32,
    /// Bytes of address space.
    pub size: u32,
    /// Where its data is in the file.
    pub file_offset: u32,
    /// Bytes of data in the file.
    pub file_size: u32,
    /// What code may do with it.
    pub access: Access,
    /// Whether Windows throws it away after initialisation.
    pub discardable: bool,
}

impl Section {
    /// First address behind it.
    pub fn end(&self) -> u64 {
        u64::from(self.rva) + u64::from(self.size)
    }

    /// Whether `len` bytes at `rva` are inside.
    pub fn holds(&self, rva: u64, len: u64) -> bool {
        rva >= u64::from(self.rva) && rva.checked_add(len).is_some_and(|end| end <= self.end())
    }
}

/// A directory of the image: address and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// Address relative to the image's base.
    pub rva: u32,
    /// Bytes.
    pub size: u32,
}

/// The checked headers of a driver file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// Preferred address.
    pub image_base: u64,
    /// Bytes of address space.
    pub size_of_image: u32,
    /// Bytes of headers, mapped at the base.
    pub size_of_headers: u32,
    /// Entry point, relative to the base.
    pub entry: u32,
    /// The file cannot be moved.
    pub relocations_stripped: bool,
    /// Sections in ascending order.
    pub sections: Vec<Section>,
    /// Imports, if any.
    pub imports: Option<Directory>,
    /// Exports, if any.
    pub exports: Option<Directory>,
    /// Relocations, if any.
    pub relocations: Option<Directory>,
    /// Load configuration, if any.
    pub load_config: Option<Directory>,
}

/// Checks the headers of `file`.
pub fn parse(file: &[u8]) -> Result<Headers, LoadError> {
    let not_pe = |error: object::Error| LoadError::NotPe(error.to_string());
    let dos = pe::ImageDosHeader::parse(file).map_err(not_pe)?;
    let mut offset = u64::from(dos.nt_headers_offset());
    check_machine(file, offset)?;
    let (nt, directories) = ImageNtHeaders64::parse(file, &mut offset).map_err(not_pe)?;
    let optional = nt.optional_header();
    if optional.subsystem() != pe::IMAGE_SUBSYSTEM_NATIVE {
        return Err(LoadError::NotNative {
            subsystem: optional.subsystem().0,
        });
    }
    let size_of_image = optional.size_of_image();
    if size_of_image == 0 || size_of_image > LARGEST {
        return Err(LoadError::ImageSize { size_of_image });
    }
    let alignment = optional.section_alignment();
    if alignment < 4096 || !alignment.is_power_of_two() {
        return Err(LoadError::SectionAlignment { alignment });
    }
    let table = nt.sections(file, offset).map_err(not_pe)?;
    let sections = table.iter().map(section).collect();
    if directory(&directories, IMAGE_DIRECTORY_ENTRY_TLS).is_some() {
        return Err(LoadError::Tls);
    }
    let characteristics = nt.file_header().characteristics.get(LE).0;
    let headers = Headers {
        image_base: optional.image_base(),
        size_of_image,
        size_of_headers: optional.size_of_headers(),
        entry: optional.address_of_entry_point(),
        relocations_stripped: characteristics & pe::IMAGE_FILE_RELOCS_STRIPPED.0 != 0,
        sections,
        imports: directory(&directories, IMAGE_DIRECTORY_ENTRY_IMPORT),
        exports: directory(&directories, IMAGE_DIRECTORY_ENTRY_EXPORT),
        relocations: directory(&directories, IMAGE_DIRECTORY_ENTRY_BASERELOC),
        load_config: directory(&directories, IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG),
    };
    check_writable_code(table.iter())?;
    check_sections(&headers, file.len() as u64, alignment)?;
    check_entry(&headers)?;
    Ok(headers)
}

/// The machine comes before anything whose layout depends on it.
fn check_machine(file: &[u8], nt_offset: u64) -> Result<(), LoadError> {
    let not_pe = |what: &str| LoadError::NotPe(what.to_owned());
    let signature = file.read_bytes_at(nt_offset, 4);
    if signature != Ok(b"PE\0\0".as_slice()) {
        return Err(not_pe("no PE signature"));
    }
    let header = file.read_at::<pe::ImageFileHeader>(nt_offset.saturating_add(4));
    let header = header.map_err(|()| not_pe("the file header is truncated"))?;
    match header.machine.get(LE) {
        pe::IMAGE_FILE_MACHINE_AMD64 => Ok(()),
        machine => Err(LoadError::WrongMachine { machine: machine.0 }),
    }
}

fn directory(directories: &DataDirectories<'_>, index: usize) -> Option<Directory> {
    let entry = directories.get(index)?;
    let rva = entry.virtual_address.get(LE);
    (rva != 0).then(|| Directory {
        rva,
        size: entry.size.get(LE),
    })
}

fn section(header: &pe::ImageSectionHeader) -> Section {
    let flags = header.characteristics.get(LE).0;
    let file_size = header.size_of_raw_data.get(LE);
    let size = match header.virtual_size.get(LE) {
        0 => file_size,
        size => size,
    };
    let access = match flags {
        _ if flags & pe::IMAGE_SCN_MEM_EXECUTE.0 != 0 => Access::ReadExecute,
        _ if flags & pe::IMAGE_SCN_MEM_WRITE.0 != 0 => Access::ReadWrite,
        _ if flags & pe::IMAGE_SCN_MEM_READ.0 != 0 => Access::Read,
        _ => Access::None,
    };
    Section {
        name: name(header),
        rva: header.virtual_address.get(LE),
        size,
        file_offset: header.pointer_to_raw_data.get(LE),
        // Padding to the file's alignment is not mapped.
        file_size: file_size.min(size),
        access,
        discardable: flags & pe::IMAGE_SCN_MEM_DISCARDABLE.0 != 0,
    }
}

fn name(header: &pe::ImageSectionHeader) -> String {
    let name = header
        .name
        .iter()
        .copied()
        .take_while(|byte| *byte != 0)
        .collect::<Vec<_>>();
    String::from_utf8_lossy(&name).into_owned()
}

fn check_writable_code<'a>(
    table: impl Iterator<Item = &'a pe::ImageSectionHeader>,
) -> Result<(), LoadError> {
    const BOTH: u32 = pe::IMAGE_SCN_MEM_EXECUTE.0 | pe::IMAGE_SCN_MEM_WRITE.0;
    let mut both = table.filter(|header| header.characteristics.get(LE).0 & BOTH == BOTH);
    match both.next() {
        Some(header) => Err(LoadError::WritableCode {
            section: name(header),
        }),
        None => Ok(()),
    }
}

fn check_sections(headers: &Headers, file_len: u64, alignment: u32) -> Result<(), LoadError> {
    let mut before = (
        String::from("the headers"),
        u64::from(headers.size_of_headers),
    );
    for section in &headers.sections {
        let Section {
            name,
            rva,
            size,
            file_offset,
            file_size,
            ..
        } = section;
        let (rva, section) = (*rva, name.clone());
        let data_end = u64::from(*file_offset) + u64::from(*file_size);
        if data_end > file_len {
            return Err(LoadError::TruncatedSection {
                section,
                end: data_end,
                file_len,
            });
        }
        if !rva.is_multiple_of(alignment) {
            return Err(LoadError::Unaligned {
                section,
                rva,
                alignment,
            });
        }
        if u64::from(rva) < before.1 {
            return Err(LoadError::Overlap {
                section,
                rva,
                other: before.0,
            });
        }
        let end = u64::from(rva) + u64::from(*size);
        if end > u64::from(headers.size_of_image) {
            let size_of_image = headers.size_of_image;
            return Err(LoadError::OutsideImage {
                section,
                end,
                size_of_image,
            });
        }
        before = (section, end);
    }
    if u64::from(headers.size_of_headers) > file_len.min(headers.size_of_image.into()) {
        return Err(LoadError::NotPe(
            "the headers are longer than the file".to_owned(),
        ));
    }
    Ok(())
}

fn check_entry(headers: &Headers) -> Result<(), LoadError> {
    let rva = headers.entry;
    let code = headers
        .sections
        .iter()
        .any(|section| section.access == Access::ReadExecute && section.holds(u64::from(rva), 1));
    if code {
        Ok(())
    } else {
        Err(LoadError::EntryPoint { rva })
    }
}
