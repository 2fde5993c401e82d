//! Checks of the PE headers, imports, sections and resources.

use anyhow::{Context, Result, bail, ensure};
use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{Import as Thunk, PeFile64};

use super::{Check, Expected, Import};

/// Libraries that exist in the kernel before any driver is loaded.
const LIBRARIES: [&str; 2] = ["ntoskrnl.exe", "hal.dll"];

/// Offset of `CheckSum` in the 64-bit optional header.
const CHECKSUM_OFFSET: u64 = 64;

/// First word of a fixed file version block, and the words behind it up to the file version.
const VERSION_SIGNATURE: u32 = 0xfeef_04bd;

/// All checks of this module.
pub(super) fn checks(image: &PeFile64<'_>, data: &[u8], expected: &Expected) -> Vec<Check> {
    vec![
        Check::new("machine is AMD64", machine(image)),
        Check::new("subsystem is native", subsystem(image)),
        Check::new(
            "imports come from ntoskrnl.exe and hal.dll only",
            import_libraries(image),
        ),
        Check::new(
            "no section is writable and executable",
            section_rights(image),
        ),
        Check::new(
            "NX, dynamic base, high entropy and integrity are set",
            protections(image),
        ),
        Check::new("entry point lies in a code section", entry_point(image)),
        Check::new("header checksum is right", checksum(image, data)),
        Check::new(
            "file version is the workspace's",
            version(image, data, expected),
        ),
        Check::new(
            "image names no path of the build machine",
            forbidden(data, expected),
        ),
    ]
}

/// Every imported function, by library.
pub(super) fn imports(image: &PeFile64<'_>) -> Result<Vec<Import>> {
    let mut found = Vec::new();
    let Some(table) = image.import_table()? else {
        return Ok(found);
    };
    let mut descriptors = table.descriptors()?;
    while let Some(descriptor) = descriptors.next()? {
        let library = text(table.name(descriptor.name.get(LE))?);
        let mut thunks = table.thunks(descriptor.original_first_thunk.get(LE))?;
        while let Some(thunk) = thunks.next::<pe::ImageNtHeaders64>()? {
            let function = match table.import::<pe::ImageNtHeaders64>(thunk)? {
                Thunk::Name(_, name) => text(name),
                Thunk::Ordinal(ordinal) => format!("#{ordinal}"),
            };
            found.push(Import {
                library: library.clone(),
                function,
            });
        }
    }
    Ok(found)
}

/// A section's name without its padding.
pub(super) fn section_name(section: &pe::ImageSectionHeader) -> String {
    text(section.raw_name())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn machine(image: &PeFile64<'_>) -> Result<String> {
    let machine = image.nt_headers().file_header.machine.get(LE);
    ensure!(
        machine == pe::IMAGE_FILE_MACHINE_AMD64,
        "machine is {machine:#x}, AMD64 is 0x8664"
    );
    Ok(format!("{machine:#x}"))
}

fn subsystem(image: &PeFile64<'_>) -> Result<String> {
    let subsystem = image.nt_headers().optional_header.subsystem.get(LE);
    ensure!(
        subsystem == pe::IMAGE_SUBSYSTEM_NATIVE,
        "subsystem is {subsystem}, native is 1"
    );
    Ok(subsystem.to_string())
}

fn import_libraries(image: &PeFile64<'_>) -> Result<String> {
    let imports = imports(image).context("the import table is damaged")?;
    for import in &imports {
        let allowed = LIBRARIES
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&import.library));
        ensure!(
            allowed,
            "{} is imported from {}",
            import.function,
            import.library
        );
    }
    let delayed = image
        .delay_load_import_table()
        .context("the delay-load table is damaged")?;
    ensure!(delayed.is_none(), "a driver image must not delay-load");
    Ok(format!("{} functions", imports.len()))
}

fn section_rights(image: &PeFile64<'_>) -> Result<String> {
    let both = pe::IMAGE_SCN_MEM_WRITE | pe::IMAGE_SCN_MEM_EXECUTE;
    let sections = image.section_table();
    for section in sections.iter() {
        let rights = section.characteristics.get(LE);
        ensure!(
            !rights.contains(both),
            "section {} is both",
            section_name(section)
        );
    }
    Ok(format!("{} sections", sections.len()))
}

fn protections(image: &PeFile64<'_>) -> Result<String> {
    let flags = image
        .nt_headers()
        .optional_header
        .dll_characteristics
        .get(LE);
    let wanted = [
        ("NX", pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT),
        ("dynamic base", pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE),
        ("high entropy", pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA),
        (
            "forced integrity",
            pe::IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY,
        ),
    ];
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(_, flag)| !flags.contains(*flag))
        .map(|(name, _)| *name)
        .collect();
    ensure!(missing.is_empty(), "not set: {}", missing.join(", "));
    Ok(format!("{flags:#x}"))
}

fn entry_point(image: &PeFile64<'_>) -> Result<String> {
    let entry = image
        .nt_headers()
        .optional_header
        .address_of_entry_point
        .get(LE);
    let sections = image.section_table();
    let Some(section) = sections.iter().find(|section| holds(section, entry)) else {
        bail!("no section holds the entry point {entry:#x}");
    };
    let executable = section
        .characteristics
        .get(LE)
        .contains(pe::IMAGE_SCN_MEM_EXECUTE);
    ensure!(
        executable,
        "{entry:#x} lies in {}, which is no code",
        section_name(section)
    );
    Ok(format!("{entry:#x} in {}", section_name(section)))
}

fn holds(section: &pe::ImageSectionHeader, address: u32) -> bool {
    let start = section.virtual_address.get(LE);
    address
        .checked_sub(start)
        .is_some_and(|offset| offset < section.virtual_size.get(LE))
}

fn checksum(image: &PeFile64<'_>, data: &[u8]) -> Result<String> {
    let stored = image.nt_headers().optional_header.check_sum.get(LE);
    let nt_headers = u64::from(image.dos_header().nt_headers_offset());
    // Signature and file header come before the optional header.
    let field = nt_headers + 4 + 20 + CHECKSUM_OFFSET;
    let field = usize::try_from(field).context("the header lies beyond the address space")?;
    let computed = pe_checksum(data, field)?;
    ensure!(
        stored == computed,
        "header says {stored:#x}, the file's sum is {computed:#x}"
    );
    Ok(format!("{stored:#x}"))
}

/// The image checksum: the ones'-complement sum of all 16-bit words but the field's own two, plus
/// the file's length.
fn pe_checksum(data: &[u8], field: usize) -> Result<u32> {
    let mut sum: u32 = 0;
    for (index, pair) in data.chunks(2).enumerate() {
        let at = index * 2;
        if at == field || at == field + 2 {
            continue;
        }
        let low = u32::from(pair[0]);
        let high = pair.get(1).map_or(0, |byte| u32::from(*byte));
        sum += low + high * 0x100;
        sum = sum % 0x1_0000 + sum / 0x1_0000;
    }
    let length = u32::try_from(data.len()).context("the image is larger than 4 GiB")?;
    Ok(sum.wrapping_add(length))
}

fn version(image: &PeFile64<'_>, data: &[u8], expected: &Expected) -> Result<String> {
    let sections = image.section_table();
    let Some(resources) = sections
        .iter()
        .find(|section| section.raw_name() == b".rsrc")
    else {
        bail!("the image has no resource section");
    };
    let (offset, size) = resources.pe_file_range();
    let start = usize::try_from(offset)?;
    let section = data
        .get(start..start + usize::try_from(size)?)
        .context("the section is cut")?;
    let found = file_version(section).context("the resources hold no version block")?;
    let [a, b, c, d] = found;
    ensure!(
        found == expected.version,
        "{a}.{b}.{c}.{d} and not {:?}",
        expected.version
    );
    Ok(format!("{a}.{b}.{c}.{d}"))
}

/// The file version of the fixed version block: two words behind the signature and the structure
/// version, each with its high half first.
fn file_version(resources: &[u8]) -> Option<[u16; 4]> {
    let signature = VERSION_SIGNATURE.to_le_bytes();
    let at = resources
        .windows(4)
        .position(|window| window == signature)?;
    let half = |index: usize| -> Option<u16> {
        let bytes = resources.get(at + 8 + index * 2..)?.first_chunk::<2>()?;
        Some(u16::from_le_bytes(*bytes))
    };
    Some([half(1)?, half(0)?, half(3)?, half(2)?])
}

fn forbidden(data: &[u8], expected: &Expected) -> Result<String> {
    for text in &expected.forbidden {
        let found = data
            .windows(text.len())
            .any(|window| window == text.as_bytes());
        ensure!(!found, "`{text}` occurs in the image");
    }
    Ok(format!("{} paths looked for", expected.forbidden.len()))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, Sample};
    use super::*;

    fn outcome(sample: &Sample, check: fn(&PeFile64<'_>) -> Result<String>) -> Result<String> {
        let data = sample.build();
        check(&super::super::parse(&data).unwrap())
    }

    fn failure(sample: &Sample, check: fn(&PeFile64<'_>) -> Result<String>) -> String {
        format!(
            "{:#}",
            outcome(sample, check).expect_err("the check must fail")
        )
    }

    #[test]
    fn a_sound_image_passes_every_header_check() {
        let sound = Sample::default();
        for check in [
            machine,
            subsystem,
            import_libraries,
            section_rights,
            protections,
            entry_point,
        ] {
            outcome(&sound, check).unwrap();
        }
    }

    #[test]
    fn another_machine_is_named() {
        let arm = Sample {
            machine: pe::IMAGE_FILE_MACHINE_ARM64,
            ..Sample::default()
        };
        assert!(failure(&arm, machine).contains("0xaa64"));
    }

    #[test]
    fn a_user_mode_subsystem_fails() {
        let console = Sample {
            subsystem: pe::IMAGE_SUBSYSTEM_WINDOWS_CUI,
            ..Sample::default()
        };
        assert!(failure(&console, subsystem).contains("subsystem is 3"));
    }

    #[test]
    fn each_missing_protection_is_named() {
        let all = Sample::default().protections;
        for (flag, name) in [
            (pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT, "NX"),
            (pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE, "dynamic base"),
            (pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA, "high entropy"),
            (
                pe::IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY,
                "forced integrity",
            ),
        ] {
            let weak = Sample {
                protections: pe::DllFlags(all.0 & !flag.0),
                ..Sample::default()
            };
            assert_eq!(failure(&weak, protections), format!("not set: {name}"));
        }
    }

    #[test]
    fn a_writable_code_section_fails_by_name() {
        let rights = pe::IMAGE_SCN_MEM_WRITE | pe::IMAGE_SCN_MEM_EXECUTE;
        let bad = Sample {
            text_rights: rights,
            ..Sample::default()
        };
        assert!(failure(&bad, section_rights).contains(".text"));
    }

    #[test]
    fn an_entry_point_outside_code_fails() {
        for entry in [
            0,
            sample::TEXT_ADDRESS - 1,
            sample::TEXT_ADDRESS + sample::SECTION_SIZE,
        ] {
            let bad = Sample {
                entry,
                ..Sample::default()
            };
            assert!(
                failure(&bad, entry_point).contains("no section holds"),
                "{entry:#x}"
            );
        }
        let data = Sample {
            entry: sample::DATA_ADDRESS,
            ..Sample::default()
        };
        assert!(failure(&data, entry_point).contains("no code"));
        let last = sample::TEXT_ADDRESS + sample::SECTION_SIZE - 1;
        outcome(
            &Sample {
                entry: last,
                ..Sample::default()
            },
            entry_point,
        )
        .unwrap();
    }

    #[test]
    fn an_import_from_another_library_is_named() {
        let foreign = Sample {
            library: "win32k.sys",
            ..Sample::default()
        };
        let error = failure(&foreign, import_libraries);
        assert!(
            error.contains("win32k.sys") && error.contains(sample::FUNCTION),
            "{error}"
        );
        let upper = Sample {
            library: "NTOSKRNL.EXE",
            ..Sample::default()
        };
        outcome(&upper, import_libraries).unwrap();
    }

    #[test]
    fn imports_lists_library_and_function() {
        let data = Sample::default().build();
        let found = imports(&super::super::parse(&data).unwrap()).unwrap();
        let expected = Import {
            library: "ntoskrnl.exe".to_owned(),
            function: sample::FUNCTION.to_owned(),
        };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn the_checksum_folds_carries_and_leaves_its_own_field_out() {
        // Words 0xffff and 0x0002 add up to 0x0002 with the carry; the length is 8.
        let data = [0xff, 0xff, 0x02, 0x00, 0xaa, 0xbb, 0xcc, 0xdd];
        assert_eq!(pe_checksum(&data, 4).unwrap(), 0x2 + 8);
        assert_eq!(
            pe_checksum(&[0x01], 4).unwrap(),
            0x1 + 1,
            "an odd last byte is a low byte"
        );
    }

    #[test]
    fn a_changed_byte_changes_the_checksum() {
        let data = Sample::default().build();
        let image = super::super::parse(&data).unwrap();
        assert!(
            checksum(&image, &data).is_err(),
            "the sample carries no checksum"
        );
    }

    #[test]
    fn the_file_version_is_read_high_half_first() {
        let mut block = vec![0; 6];
        block.extend(VERSION_SIGNATURE.to_le_bytes());
        block.extend(0x1_0000_u32.to_le_bytes());
        block.extend([2, 0, 1, 0, 4, 0, 3, 0]);
        assert_eq!(file_version(&block), Some([1, 2, 3, 4]));
        assert_eq!(file_version(&block[..block.len() - 1]), None);
        assert_eq!(file_version(&[]), None);
    }

    #[test]
    fn a_build_path_in_the_image_is_found() {
        let expected = Expected {
            version: [0; 4],
            forbidden: vec!["/home/me".to_owned()],
        };
        assert!(forbidden(b"..../home/me/src", &expected).is_err());
        forbidden(b"..../home/you", &expected).unwrap();
        forbidden(b"", &expected).unwrap();
    }
}
