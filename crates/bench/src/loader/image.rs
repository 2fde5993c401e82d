//! A mapped driver image.

use std::collections::BTreeMap;
use std::path::Path;

use object::pe::{self, IMAGE_REL_BASED_ABSOLUTE, IMAGE_REL_BASED_DIR64};
use object::read::pe::ExportTable;
use object::{LittleEndian as LE, ReadRef, U32};

use super::error::LoadError;
use super::parse::{self, Directory, Headers, Section};
use crate::nt::registry_of_imports;
use crate::trap::images;
use crate::trap::mapping::{Access, Reservation};
use crate::trap::{PAGE_SIZE, page_align};

/// Inaccessible bytes before and behind an image, which is also the alignment of its base.
const GUARD: usize = 64 << 10;
/// Offset of `SecurityCookie` in the load configuration.
const COOKIE_FIELD: u64 = 0x58;
/// Import by ordinal: bit 63 of a thunk.
const BY_ORDINAL: u64 = 1 << 63;
/// Longest name that is read from an image.
const LONGEST_NAME: u64 = 512;

/// A function that an image imports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The module.
    pub dll: String,
    /// The function.
    pub name: String,
}

/// What a report says about an image.
#[derive(Debug, Clone)]
pub struct ImageInfo {
    /// Name under which it was loaded.
    pub name: String,
    /// Bytes of the file.
    pub file_size: u64,
    /// Bytes of address space.
    pub image_size: u32,
    /// Its sections.
    pub sections: Vec<Section>,
    /// Its imports, sorted.
    pub imports: Vec<Import>,
    /// Exported names and their addresses, relative to the base.
    pub exports: BTreeMap<String, u32>,
}

/// A driver image in this process. Everything is unmapped on drop: no thread may be in it then.
#[derive(Debug)]
pub struct Image {
    memory: Reservation,
    base: usize,
    entry: u32,
    info: ImageInfo,
    _registration: images::Registration,
}

impl Image {
    /// Loads the driver at `path`, named by its file name.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let read = |source| LoadError::Read {
            path: path.display().to_string(),
            source,
        };
        let file = std::fs::read(path).map_err(read)?;
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy();
        Self::from_bytes(&name, &file)
    }

    /// Loads the driver that `file` holds, under `name`.
    pub fn from_bytes(name: &str, file: &[u8]) -> Result<Self, LoadError> {
        let headers = parse::parse(file)?;
        let size = page_align(headers.size_of_image as usize).unwrap_or(usize::MAX);
        let mut memory = Reservation::new(size.saturating_add(3 * GUARD))?;
        let base = (memory.base() + GUARD).next_multiple_of(GUARD);
        let mut flat = Flat::new(&headers, file)?;
        flat.relocate(&headers, base as u64)?;
        let imports = flat.bind(&headers)?;
        flat.set_cookie(&headers, base as u64)?;
        let exports = flat.exports(&headers)?;
        let offset = base - memory.base();
        memory.protect(offset, size, Access::ReadWrite)?;
        memory.write(offset, &flat.bytes)?;
        protect(&memory, offset, size, &headers)?;
        let info = ImageInfo {
            name: name.to_owned(),
            file_size: file.len() as u64,
            image_size: headers.size_of_image,
            sections: headers.sections,
            imports,
            exports,
        };
        let registration = images::register(name, base, size);
        Ok(Self {
            memory,
            base,
            entry: headers.entry,
            info,
            _registration: registration,
        })
    }

    /// What there is to say about the image.
    pub fn info(&self) -> &ImageInfo {
        &self.info
    }

    /// Where the image is.
    pub fn base(&self) -> usize {
        self.base
    }

    /// Address of the entry point (`DriverEntry`).
    pub fn entry(&self) -> usize {
        self.base + self.entry as usize
    }

    /// Address of the exported `name`.
    pub fn export(&self, name: &str) -> Option<usize> {
        Some(self.base + *self.info.exports.get(name)? as usize)
    }

    /// Makes the discardable sections inaccessible, as Windows does once a driver is initialised.
    pub fn discard_init(&self) -> Result<(), LoadError> {
        let start = self.base - self.memory.base();
        for section in self
            .info
            .sections
            .iter()
            .filter(|section| section.discardable)
        {
            let size = page_align(section.size as usize).unwrap_or(usize::MAX);
            self.memory
                .protect(start + section.rva as usize, size, Access::None)?;
        }
        Ok(())
    }
}

/// Gives each section its final protection; what belongs to none becomes inaccessible.
fn protect(
    memory: &Reservation,
    offset: usize,
    size: usize,
    headers: &Headers,
) -> Result<(), LoadError> {
    memory.protect(offset, size, Access::None)?;
    let aligned = |bytes: u32| page_align(bytes as usize).unwrap_or(usize::MAX);
    memory.protect(offset, aligned(headers.size_of_headers), Access::Read)?;
    for section in &headers.sections {
        let at = offset + section.rva as usize;
        memory.protect(at, aligned(section.size), section.access)?;
    }
    Ok(())
}

/// An image as it will be in memory, still as plain bytes.
struct Flat {
    bytes: Vec<u8>,
}

impl Flat {
    fn new(headers: &Headers, file: &[u8]) -> Result<Self, LoadError> {
        let mut flat = Self {
            bytes: vec![0; headers.size_of_image as usize],
        };
        let header_bytes = headers.size_of_headers as usize;
        flat.bytes[..header_bytes].copy_from_slice(&file[..header_bytes]);
        for section in &headers.sections {
            let from = section.file_offset as usize;
            let data = &file[from..from + section.file_size as usize];
            flat.write(u64::from(section.rva), data, "section")?;
        }
        Ok(flat)
    }

    fn write(&mut self, rva: u64, data: &[u8], table: &'static str) -> Result<(), LoadError> {
        let outside = || LoadError::TableOutside { table, rva };
        let start = usize::try_from(rva).map_err(|_| outside())?;
        let end = start.checked_add(data.len()).ok_or_else(outside)?;
        self.bytes
            .get_mut(start..end)
            .ok_or_else(outside)?
            .copy_from_slice(data);
        Ok(())
    }

    fn read<T: object::Pod>(&self, rva: u64, table: &'static str) -> Result<&T, LoadError> {
        let bytes = self.bytes.as_slice();
        bytes
            .read_at::<T>(rva)
            .map_err(|()| LoadError::TableOutside { table, rva })
    }

    fn read_u64(&self, rva: u64, table: &'static str) -> Result<u64, LoadError> {
        let bytes = self.bytes.as_slice().read_bytes_at(rva, 8);
        let bytes = bytes.map_err(|()| LoadError::TableOutside { table, rva })?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn name(&self, rva: u64) -> Result<String, LoadError> {
        let error = || LoadError::Name { rva };
        let end = rva
            .saturating_add(LONGEST_NAME)
            .min(self.bytes.len() as u64);
        let bytes = self
            .bytes
            .as_slice()
            .read_bytes_at_until(rva..end, 0)
            .map_err(|()| error())?;
        if bytes.is_empty() || !bytes.is_ascii() {
            return Err(error());
        }
        String::from_utf8(bytes.to_vec()).map_err(|_| error())
    }

    fn relocate(&mut self, headers: &Headers, base: u64) -> Result<(), LoadError> {
        if headers.relocations_stripped {
            return Err(LoadError::NotRelocatable {
                image_base: headers.image_base,
            });
        }
        let Some(Directory { rva, size }) = headers.relocations else {
            return Ok(());
        };
        let delta = base.wrapping_sub(headers.image_base);
        let (mut at, end) = (u64::from(rva), u64::from(rva) + u64::from(size));
        while at < end {
            let block = self.read::<pe::ImageBaseRelocation>(at, "relocations")?;
            let page = u64::from(block.virtual_address.get(LE));
            let size = block.size_of_block.get(LE);
            let next = at + u64::from(size);
            if size < 8 || next > end {
                return Err(LoadError::RelocationBlock { rva: at, size });
            }
            for entry in (at + 8..next - next % 2).step_by(2) {
                let entry = self.read::<object::U16<LE>>(entry, "relocations")?.get(LE);
                self.relocate_one(headers, page + u64::from(entry & 0xFFF), entry >> 12, delta)?;
            }
            at = next;
        }
        Ok(())
    }

    fn relocate_one(
        &mut self,
        headers: &Headers,
        rva: u64,
        kind: u16,
        delta: u64,
    ) -> Result<(), LoadError> {
        match pe::BaseRelocationType(kind) {
            IMAGE_REL_BASED_DIR64 => {}
            IMAGE_REL_BASED_ABSOLUTE => return Ok(()),
            _ => return Err(LoadError::RelocationKind { rva, kind }),
        }
        if !headers.sections.iter().any(|section| section.holds(rva, 8)) {
            return Err(LoadError::RelocationOutside { rva });
        }
        let value = self.read_u64(rva, "relocations")?.wrapping_add(delta);
        self.write(rva, &value.to_le_bytes(), "relocations")
    }

    fn bind(&mut self, headers: &Headers) -> Result<Vec<Import>, LoadError> {
        const TABLE: &str = "imports";
        let mut imports = Vec::new();
        let Some(directory) = headers.imports else {
            return Ok(imports);
        };
        for index in 0.. {
            let at = u64::from(directory.rva) + 20 * index;
            let descriptor = *self.read::<pe::ImageImportDescriptor>(at, TABLE)?;
            let slots = u64::from(descriptor.first_thunk.get(LE));
            if descriptor.name.get(LE) == 0 || slots == 0 {
                break;
            }
            let dll = self.name(u64::from(descriptor.name.get(LE)))?;
            let names = match descriptor.original_first_thunk.get(LE) {
                0 => slots,
                names => u64::from(names),
            };
            self.bind_module(&dll, names, slots, &mut imports)?;
        }
        imports.sort();
        Ok(imports)
    }

    fn bind_module(
        &mut self,
        dll: &str,
        names: u64,
        slots: u64,
        imports: &mut Vec<Import>,
    ) -> Result<(), LoadError> {
        for index in 0.. {
            let thunk = self.read_u64(names + 8 * index, "import names")?;
            if thunk == 0 {
                break;
            }
            let dll = dll.to_owned();
            if thunk & BY_ORDINAL != 0 {
                let [low, high, ..] = thunk.to_le_bytes();
                let ordinal = u16::from_le_bytes([low, high]);
                return Err(LoadError::ImportByOrdinal { dll, ordinal });
            }
            // A hint of two bytes comes before the name.
            let name = self.name(thunk.saturating_add(2))?;
            let Some(address) = registry_of_imports::resolve(&dll, &name) else {
                return Err(LoadError::UnresolvedImport { dll, name });
            };
            let address = (address as u64).to_le_bytes();
            self.write(slots + 8 * index, &address, "import addresses")?;
            imports.push(Import { dll, name });
        }
        Ok(())
    }

    /// Gives the image a stack cookie of its own, as the kernel's loader does.
    fn set_cookie(&mut self, headers: &Headers, base: u64) -> Result<(), LoadError> {
        let Some(Directory { rva, .. }) = headers.load_config else {
            return Ok(());
        };
        let size = self
            .read::<U32<LE>>(u64::from(rva), "load configuration")?
            .get(LE);
        if u64::from(size) < COOKIE_FIELD + 8 {
            return Ok(());
        }
        let field = u64::from(rva) + COOKIE_FIELD;
        let address = self.read_u64(field, "load configuration")?;
        if address == 0 {
            return Ok(());
        }
        // The field is an address and has been relocated, unless the image has no relocations.
        let at = match headers.relocations {
            Some(_) => address.wrapping_sub(base),
            None => address.wrapping_sub(headers.image_base),
        };
        if !headers.sections.iter().any(|section| section.holds(at, 8)) {
            return Err(LoadError::Cookie { address });
        }
        // The upper 16 bits of a cookie are zero, so that a string copy stops at it.
        let cookie = (base.rotate_left(17) ^ 0x5bd1_e995_9e37_79b9) & 0x0000_FFFF_FFFF_FFFF;
        self.write(at, &cookie.to_le_bytes(), "security cookie")
    }

    fn exports(&self, headers: &Headers) -> Result<BTreeMap<String, u32>, LoadError> {
        let Some(Directory { rva, size }) = headers.exports else {
            return Ok(BTreeMap::new());
        };
        let outside = || LoadError::TableOutside {
            table: "exports",
            rva: u64::from(rva),
        };
        let data = self
            .bytes
            .as_slice()
            .read_bytes_at(u64::from(rva), u64::from(size));
        let table = ExportTable::parse(data.map_err(|()| outside())?, rva);
        let exports = table
            .and_then(|table| table.exports())
            .map_err(|_| outside())?;
        let named = exports
            .into_iter()
            .filter_map(|export| match export.target {
                object::read::pe::ExportTarget::Address(address) => {
                    Some((String::from_utf8_lossy(export.name?).into_owned(), address))
                }
                _ => None,
            });
        Ok(named.collect())
    }
}

const _: () = assert!(GUARD.is_multiple_of(PAGE_SIZE));
