//! A small PE image for tests, with a code section, a data section that holds the import table,
//! and knobs for what tests want wrong.

use object::pe;

/// Offset of the optional header in the built file.
pub(super) const OPTIONAL_HEADER: usize = 0x40 + 4 + 20;
/// Where the sections lie in the loaded image.
pub(super) const TEXT_ADDRESS: u32 = 0x1000;
pub(super) const DATA_ADDRESS: u32 = 0x2000;
/// Size of either section, loaded and in the file.
pub(super) const SECTION_SIZE: u32 = 0x200;
/// The one imported function.
pub(super) const FUNCTION: &str = "KeBugCheckEx";

const HEADERS_SIZE: u32 = 0x400;
const DIRECTORIES: u32 = 16;

/// What the image says about itself.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) machine: pe::Machine,
    pub(super) subsystem: pe::Subsystem,
    pub(super) protections: pe::DllFlags,
    pub(super) text_rights: pe::SectionFlags,
    pub(super) entry: u32,
    pub(super) library: &'static str,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            machine: pe::IMAGE_FILE_MACHINE_AMD64,
            subsystem: pe::IMAGE_SUBSYSTEM_NATIVE,
            protections: pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT
                | pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE
                | pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA
                | pe::IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY,
            text_rights: pe::IMAGE_SCN_MEM_READ | pe::IMAGE_SCN_MEM_EXECUTE,
            entry: TEXT_ADDRESS,
            library: "ntoskrnl.exe",
        }
    }
}

impl Sample {
    /// The file's bytes.
    pub(super) fn build(&self) -> Vec<u8> {
        let mut file = Vec::new();
        file.extend(b"MZ");
        file.resize(0x3c, 0);
        file.extend(0x40_u32.to_le_bytes());
        file.extend(b"PE\0\0");
        self.file_header(&mut file);
        self.optional_header(&mut file);
        section(
            &mut file,
            *b".text\0\0\0",
            TEXT_ADDRESS,
            HEADERS_SIZE,
            self.text_rights,
        );
        let read = pe::IMAGE_SCN_MEM_READ | pe::IMAGE_SCN_MEM_WRITE;
        section(
            &mut file,
            *b".data\0\0\0",
            DATA_ADDRESS,
            HEADERS_SIZE + SECTION_SIZE,
            read,
        );
        file.resize((HEADERS_SIZE + SECTION_SIZE) as usize, 0);
        file.extend(self.import_section());
        file
    }

    fn file_header(&self, file: &mut Vec<u8>) {
        words16(file, &[self.machine.0, 2]);
        words32(file, &[0, 0, 0]);
        let optional_size = u16::try_from(112 + DIRECTORIES * 8).unwrap();
        words16(file, &[optional_size, pe::IMAGE_FILE_EXECUTABLE_IMAGE.0]);
    }

    fn optional_header(&self, file: &mut Vec<u8>) {
        words16(file, &[pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC, 14]);
        words32(
            file,
            &[SECTION_SIZE, SECTION_SIZE, 0, self.entry, TEXT_ADDRESS],
        );
        file.extend(0x1_8000_0000_u64.to_le_bytes());
        words32(file, &[0x1000, 0x200]);
        words16(file, &[10, 0, 0, 0, 10, 0]);
        words32(file, &[0, DATA_ADDRESS + 0x1000, HEADERS_SIZE, 0]);
        words16(file, &[self.subsystem.0, self.protections.0]);
        file.extend([0; 32]);
        words32(file, &[0, DIRECTORIES]);
        words32(file, &[0, 0, DATA_ADDRESS, 40]);
        file.resize(file.len() + (DIRECTORIES as usize - 2) * 8, 0);
    }

    /// Two descriptors (the second ends the list), the lookup table, the function's and the
    /// library's name.
    fn import_section(&self) -> Vec<u8> {
        let (lookup, hint, library) = (
            DATA_ADDRESS + 0x40,
            DATA_ADDRESS + 0x60,
            DATA_ADDRESS + 0x80,
        );
        let mut data = Vec::new();
        words32(&mut data, &[lookup, 0, 0, library, lookup]);
        data.resize(0x40, 0);
        data.extend(u64::from(hint).to_le_bytes());
        data.resize(0x62, 0);
        data.extend(FUNCTION.as_bytes());
        data.resize(0x80, 0);
        data.extend(self.library.as_bytes());
        data.resize(SECTION_SIZE as usize, 0);
        data
    }
}

fn section(file: &mut Vec<u8>, name: [u8; 8], address: u32, offset: u32, rights: pe::SectionFlags) {
    file.extend(name);
    words32(
        file,
        &[
            SECTION_SIZE,
            address,
            SECTION_SIZE,
            offset,
            0,
            0,
            0,
            rights.0,
        ],
    );
}

fn words16(file: &mut Vec<u8>, words: &[u16]) {
    file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

fn words32(file: &mut Vec<u8>, words: &[u32]) {
    file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}
