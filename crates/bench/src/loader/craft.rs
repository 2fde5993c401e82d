//! Small driver images made to order, for tests and as fuzzing seeds.
//!
//! Own sections go below [`TABLES_RVA`]; import, relocation and export tables follow there, at
//! addresses that are known before anything is built.

use object::pe;

/// Preferred address of a crafted image.
pub const IMAGE_BASE: u64 = 0x1_4000_0000;
/// Where the import tables begin.
pub const TABLES_RVA: u32 = 0x1_0000;
/// Where the relocations are.
pub const RELOCATIONS_RVA: u32 = 0x1_2000;
/// Where the exports are.
pub const EXPORTS_RVA: u32 = 0x1_3000;
/// Size of a crafted image.
pub const SIZE_OF_IMAGE: u32 = 0x1_4000;
/// File offset of the NT headers.
pub const NT_OFFSET: usize = 0x80;
/// File offset of the section table.
pub const SECTION_TABLE: usize = NT_OFFSET + 24 + 240;
/// Bytes of a section header.
pub const SECTION_HEADER: usize = 40;
const HEADERS: u32 = 0x400;
const FILE_ALIGNMENT: usize = 0x200;

/// Readable and executable.
pub const CODE: u32 =
    pe::IMAGE_SCN_CNT_CODE.0 | pe::IMAGE_SCN_MEM_EXECUTE.0 | pe::IMAGE_SCN_MEM_READ.0;
/// Readable and writable.
pub const DATA: u32 =
    pe::IMAGE_SCN_CNT_INITIALIZED_DATA.0 | pe::IMAGE_SCN_MEM_READ.0 | pe::IMAGE_SCN_MEM_WRITE.0;
/// Readable.
pub const CONST: u32 = pe::IMAGE_SCN_CNT_INITIALIZED_DATA.0 | pe::IMAGE_SCN_MEM_READ.0;

/// An image to be.
#[derive(Debug, Clone)]
pub struct Craft {
    /// `Machine`.
    pub machine: u16,
    /// `Subsystem`.
    pub subsystem: u16,
    /// `SectionAlignment`.
    pub alignment: u32,
    /// `Characteristics` of the file header.
    pub characteristics: u16,
    /// `AddressOfEntryPoint`.
    pub entry: u32,
    /// Sections: name, address, characteristics, data.
    pub sections: Vec<(String, u32, u32, Vec<u8>)>,
    /// Functions imported from ntoskrnl.exe.
    pub imports: Vec<String>,
    /// Name of the module that is imported from.
    pub dll: String,
    /// Relocations: address and type.
    pub relocations: Vec<(u32, u16)>,
    /// Exports: name and address. Sorted by name.
    pub exports: Vec<(String, u32)>,
    /// Further directories: index, address, size.
    pub directories: Vec<(usize, u32, u32)>,
}

impl Craft {
    /// A driver whose code is `text`, at 0x1000, with a page of data at 0x8000.
    pub fn new(text: &[u8]) -> Self {
        Self {
            machine: pe::IMAGE_FILE_MACHINE_AMD64.0,
            subsystem: pe::IMAGE_SUBSYSTEM_NATIVE.0,
            alignment: 0x1000,
            characteristics: pe::IMAGE_FILE_EXECUTABLE_IMAGE.0,
            entry: 0x1000,
            sections: vec![
                (".text".into(), 0x1000, CODE, text.to_vec()),
                (".data".into(), 0x8000, DATA, vec![0; 0x1000]),
            ],
            imports: Vec::new(),
            dll: "ntoskrnl.exe".into(),
            relocations: Vec::new(),
            exports: Vec::new(),
            directories: Vec::new(),
        }
    }

    /// Imports `name` and returns the address of the slot that holds its address once loaded.
    pub fn import(&mut self, name: &str) -> u32 {
        let index = self
            .imports
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                self.imports.push(name.to_owned());
                self.imports.len() - 1
            });
        TABLES_RVA + 8 * u32::try_from(index).unwrap_or(0)
    }

    /// The file.
    pub fn build(&self) -> Vec<u8> {
        let mut sections = self.sections.clone();
        let mut directories = self.directories.clone();
        if !self.imports.is_empty() {
            let (data, descriptors) = self.import_tables();
            directories.push((pe::IMAGE_DIRECTORY_ENTRY_IMPORT, descriptors, 40));
            sections.push((".idata".into(), TABLES_RVA, DATA, data));
        }
        if !self.relocations.is_empty() {
            let data = self.relocation_table();
            let size = len32(&data);
            directories.push((pe::IMAGE_DIRECTORY_ENTRY_BASERELOC, RELOCATIONS_RVA, size));
            sections.push((".reloc".into(), RELOCATIONS_RVA, CONST, data));
        }
        if !self.exports.is_empty() {
            let data = self.export_table();
            let size = len32(&data);
            directories.push((pe::IMAGE_DIRECTORY_ENTRY_EXPORT, EXPORTS_RVA, size));
            sections.push((".edata".into(), EXPORTS_RVA, CONST, data));
        }
        let mut file = vec![0; HEADERS as usize];
        self.write_headers(&mut file, sections.len(), &directories);
        for (index, (name, rva, flags, data)) in sections.iter().enumerate() {
            let header = SECTION_TABLE + index * SECTION_HEADER;
            put(&mut file, header, name.as_bytes());
            let words = [len32(data), *rva, len32(data), len32(&file)];
            put_words(&mut file, header + 8, &words);
            put_words(&mut file, header + 36, &[*flags]);
            file.extend_from_slice(data);
            file.resize(file.len().next_multiple_of(FILE_ALIGNMENT), 0);
        }
        file
    }

    fn write_headers(&self, file: &mut [u8], sections: usize, directories: &[(usize, u32, u32)]) {
        put(file, 0, b"MZ");
        put_words(file, 0x3C, &[u32::try_from(NT_OFFSET).unwrap_or(0)]);
        put(file, NT_OFFSET, b"PE\0\0");
        let header = NT_OFFSET + 4;
        put(file, header, &self.machine.to_le_bytes());
        put(
            file,
            header + 2,
            &u16::try_from(sections).unwrap_or(u16::MAX).to_le_bytes(),
        );
        put(file, header + 16, &240u16.to_le_bytes());
        put(file, header + 18, &self.characteristics.to_le_bytes());
        let optional = NT_OFFSET + 24;
        put(
            file,
            optional,
            &pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC.to_le_bytes(),
        );
        put_words(file, optional + 16, &[self.entry]);
        put(file, optional + 24, &IMAGE_BASE.to_le_bytes());
        put_words(file, optional + 32, &[self.alignment, 0x200]);
        put_words(file, optional + 56, &[SIZE_OF_IMAGE, HEADERS]);
        put(file, optional + 68, &self.subsystem.to_le_bytes());
        put_words(file, optional + 108, &[16]);
        for (index, rva, size) in directories {
            put_words(file, optional + 112 + 8 * index, &[*rva, *size]);
        }
    }

    /// Address slots, then names, hints and the descriptor; and where the descriptor is.
    fn import_tables(&self) -> (Vec<u8>, u32) {
        let slots = 8 * (self.imports.len() + 1);
        let mut data = vec![0; 2 * slots];
        for (index, name) in self.imports.iter().enumerate() {
            let thunk = match name
                .strip_prefix('#')
                .and_then(|ordinal| ordinal.parse::<u16>().ok())
            {
                Some(ordinal) => 1 << 63 | u64::from(ordinal),
                None => u64::from(TABLES_RVA + len32(&data)),
            };
            put(&mut data, 8 * index, &thunk.to_le_bytes());
            put(&mut data, slots + 8 * index, &thunk.to_le_bytes());
            data.extend_from_slice(&[0, 0]);
            data.extend_from_slice(name.as_bytes());
            data.push(0);
        }
        let dll = TABLES_RVA + len32(&data);
        data.extend_from_slice(self.dll.as_bytes());
        data.push(0);
        data.resize(data.len().next_multiple_of(8), 0);
        let descriptors = TABLES_RVA + len32(&data);
        let names = TABLES_RVA + u32::try_from(slots).unwrap_or(0);
        for word in [names, 0, 0, dll, TABLES_RVA, 0, 0, 0, 0, 0] {
            data.extend_from_slice(&word.to_le_bytes());
        }
        (data, descriptors)
    }

    fn relocation_table(&self) -> Vec<u8> {
        let mut data = Vec::new();
        for (rva, kind) in &self.relocations {
            let [low, high, ..] = (rva & 0xFFF).to_le_bytes();
            let entry = u16::from_le_bytes([low, high]) | kind << 12;
            data.extend_from_slice(&(rva & !0xFFF).to_le_bytes());
            data.extend_from_slice(&12u32.to_le_bytes());
            data.extend_from_slice(&entry.to_le_bytes());
            data.extend_from_slice(&[0, 0]);
        }
        data
    }

    fn export_table(&self) -> Vec<u8> {
        let count = u32::try_from(self.exports.len()).unwrap_or(0);
        let (addresses, names) = (EXPORTS_RVA + 40, EXPORTS_RVA + 40 + 4 * count);
        let ordinals = names + 4 * count;
        let mut data = Vec::new();
        for word in [0, 0, 0, 0, 1, count, count, addresses, names, ordinals] {
            data.extend_from_slice(&word.to_le_bytes());
        }
        let mut texts = Vec::new();
        let text_base = ordinals + 2 * count;
        let mut name_words = Vec::new();
        for (name, _) in &self.exports {
            name_words.push(text_base + len32(&texts));
            texts.extend_from_slice(name.as_bytes());
            texts.push(0);
        }
        let address_words = self.exports.iter().map(|(_, rva)| *rva);
        for word in address_words.chain(name_words) {
            data.extend_from_slice(&word.to_le_bytes());
        }
        for ordinal in (0u16..).take(self.exports.len()) {
            data.extend_from_slice(&ordinal.to_le_bytes());
        }
        data.extend(texts);
        data
    }
}

fn len32(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap_or(u32::MAX)
}

fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
    data[at..at + bytes.len()].copy_from_slice(bytes);
}

fn put_words(data: &mut [u8], at: usize, words: &[u32]) {
    for (index, word) in words.iter().enumerate() {
        put(data, at + 4 * index, &word.to_le_bytes());
    }
}
