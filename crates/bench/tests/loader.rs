//! The loader on crafted images: what is refused, and what a loaded driver does.

use carillon_bench::loader::craft::{
    CODE, CONST, Craft, DATA, IMAGE_BASE, RELOCATIONS_RVA, SECTION_HEADER, SECTION_TABLE,
    TABLES_RVA,
};
use carillon_bench::loader::{Image, LoadError};
use carillon_bench::nt::Nt;
use carillon_bench::verifier::irql::Irql;

const RET: &[u8] = &[0xC3];

fn load(craft: &Craft) -> Result<Image, LoadError> {
    Image::from_bytes("test.sys", &craft.build())
}

fn refused(craft: &Craft) -> String {
    match load(craft) {
        Ok(_) => panic!("the image was loaded"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_plain_driver_loads() {
    let image = load(&Craft::new(RET)).unwrap();
    assert_eq!(image.base() % 0x1_0000, 0);
    assert_eq!(image.entry(), image.base() + 0x1000);
    assert_eq!(image.info().sections.len(), 2);
}

#[test]
fn not_a_pe_file() {
    for file in [&b""[..], b"MZ", b"\x7fELF\x02\x01\x01", &[0; 4096]] {
        let error = Image::from_bytes("x", file).unwrap_err();
        assert!(matches!(error, LoadError::NotPe(_)), "{error}");
    }
}

#[test]
fn every_truncation_of_a_file_is_refused() {
    let mut craft = Craft::new(RET);
    craft.import("ExFreePool");
    craft.relocations.push((0x8000, 10));
    craft.exports.push(("DriverThing".into(), 0x1000));
    let file = craft.build();
    // The last section's data ends within its last block of file alignment.
    for len in 0..file.len() - 0x200 {
        assert!(
            Image::from_bytes("x", &file[..len]).is_err(),
            "{len} bytes were accepted"
        );
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = Image::load(std::path::Path::new("no/such.sys")).unwrap_err();
    assert!(error.to_string().contains("no/such.sys"), "{error}");
}

#[test]
fn another_machine() {
    let mut craft = Craft::new(RET);
    craft.machine = 0xAA64;
    assert!(matches!(
        load(&craft),
        Err(LoadError::WrongMachine { machine: 0xAA64 })
    ));
}

#[test]
fn another_subsystem() {
    let mut craft = Craft::new(RET);
    craft.subsystem = 3;
    assert!(matches!(
        load(&craft),
        Err(LoadError::NotNative { subsystem: 3 })
    ));
}

#[test]
fn a_truncated_section_is_named() {
    let craft = Craft::new(RET);
    let mut file = craft.build();
    file.truncate(file.len() - 1);
    let error = Image::from_bytes("x", &file).unwrap_err();
    assert!(
        matches!(&error, LoadError::TruncatedSection { section, .. } if section == ".data"),
        "{error}"
    );
}

#[test]
fn a_section_off_its_alignment() {
    let mut craft = Craft::new(RET);
    craft.sections[1].1 = 0x8800;
    let error = refused(&craft);
    assert!(
        error.contains(".data at 0x8800 is not aligned to 0x1000"),
        "{error}"
    );
    craft.alignment = 0x200;
    assert!(matches!(
        load(&craft),
        Err(LoadError::SectionAlignment { alignment: 0x200 })
    ));
}

#[test]
fn overlapping_sections() {
    let mut craft = Craft::new(RET);
    craft
        .sections
        .push((".late".into(), 0x8000, CONST, vec![0]));
    let error = refused(&craft);
    assert!(error.contains(".late at 0x8000 overlaps .data"), "{error}");
    craft.sections[2].1 = 0;
    assert!(matches!(load(&craft), Err(LoadError::Overlap { .. })));
}

#[test]
fn a_section_behind_the_image() {
    let mut craft = Craft::new(RET);
    craft
        .sections
        .push((".far".into(), 0x1_3000, CONST, vec![0; 0x1000]));
    assert!(load(&craft).is_ok());
    craft.sections[2].3.push(0);
    assert!(matches!(load(&craft), Err(LoadError::OutsideImage { .. })));
}

#[test]
fn writable_code() {
    let mut craft = Craft::new(RET);
    craft.sections[0].2 = CODE | DATA;
    assert!(matches!(load(&craft), Err(LoadError::WritableCode { .. })));
}

#[test]
fn an_entry_point_that_is_no_code() {
    for entry in [0, 0x8000, 0x1001, u32::MAX] {
        let mut craft = Craft::new(RET);
        craft.entry = entry;
        assert!(
            matches!(load(&craft), Err(LoadError::EntryPoint { .. })),
            "{entry:#x}"
        );
    }
}

#[test]
fn thread_local_storage() {
    let mut craft = Craft::new(RET);
    craft.directories.push((9, 0x8000, 40));
    assert!(matches!(load(&craft), Err(LoadError::Tls)));
}

#[test]
fn an_import_that_the_model_lacks_is_named() {
    let mut craft = Craft::new(RET);
    craft.import("ExFreePool");
    craft.import("ExMakeCoffee");
    let error = refused(&craft);
    assert!(error.contains("ntoskrnl.exe!ExMakeCoffee"), "{error}");
}

#[test]
fn an_import_from_another_module() {
    let mut craft = Craft::new(RET);
    craft.dll = "win32k.sys".into();
    craft.import("ExFreePool");
    let error = refused(&craft);
    assert!(error.contains("win32k.sys!ExFreePool"), "{error}");
}

#[test]
fn an_import_by_ordinal() {
    let mut craft = Craft::new(RET);
    craft.import("#7");
    let error = refused(&craft);
    assert!(error.contains("ordinal 7"), "{error}");
}

#[test]
fn relocations_outside_of_sections() {
    for (rva, fits) in [
        (0x8FF8, true),
        (0x8FF9, false),
        (0x2000, false),
        (0x9000, false),
    ] {
        let mut craft = Craft::new(RET);
        craft.relocations.push((rva, 10));
        let result = load(&craft);
        if fits {
            assert!(result.is_ok(), "{rva:#x}");
        } else {
            let at = u64::from(rva);
            let found = matches!(result, Err(LoadError::RelocationOutside { rva }) if rva == at);
            assert!(found, "{rva:#x}");
        }
    }
}

#[test]
fn other_relocation_types() {
    let mut craft = Craft::new(RET);
    craft.relocations.push((0x8000, 0));
    assert!(load(&craft).is_ok());
    craft.relocations.push((0x8000, 3));
    assert!(matches!(
        load(&craft),
        Err(LoadError::RelocationKind {
            rva: 0x8000,
            kind: 3
        })
    ));
}

#[test]
fn a_relocation_block_of_no_size() {
    let mut craft = Craft::new(RET);
    craft
        .sections
        .push((".reloc".into(), RELOCATIONS_RVA, CONST, vec![0; 8]));
    craft.directories.push((5, RELOCATIONS_RVA, 8));
    assert!(matches!(
        load(&craft),
        Err(LoadError::RelocationBlock { size: 0, .. })
    ));
}

#[test]
fn a_file_that_cannot_be_moved() {
    let mut craft = Craft::new(RET);
    craft.characteristics |= 1;
    assert!(matches!(
        load(&craft),
        Err(LoadError::NotRelocatable {
            image_base: IMAGE_BASE
        })
    ));
}

#[test]
fn a_section_count_beyond_the_file() {
    let mut file = Craft::new(RET).build();
    file[0x80 + 6] = 0xFF;
    file[0x80 + 7] = 0xFF;
    assert!(Image::from_bytes("x", &file).is_err());
}

#[test]
fn random_damage_never_does_more_than_an_error() {
    let mut craft = Craft::new(RET);
    craft.import("ExFreePool");
    craft.relocations.push((0x8000, 10));
    craft.exports.push(("DriverThing".into(), 0x1000));
    let clean = craft.build();
    let mut seed: u64 = 0x2545_F491_4F6C_DD1D;
    println!("seed {seed:#x}");
    for _ in 0..3000 {
        let mut file = clean.clone();
        for _ in 0..4 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let [at0, at1, at2, _, value, ..] = seed.to_le_bytes();
            let at = u32::from_le_bytes([at0, at1, at2, 0]) as usize % file.len();
            file[at] = value;
        }
        drop(Image::from_bytes("x", &file));
    }
}

/// Calls the function at `address` as DriverEntry is called.
fn call(nt: &std::sync::Arc<Nt>, address: usize) -> u64 {
    // SAFETY: the address is the start of a crafted function of this signature.
    let entry: extern "win64" fn(u64, u64) -> u64 = unsafe { std::mem::transmute(address) };
    nt.ddi_call("DriverEntry", Irql::PASSIVE, || entry(1, 2))
        .unwrap()
}

#[test]
fn driver_entry_runs_with_relocations_and_the_cookie_in_place() {
    // lea rax,[rcx+rdx]; add rax,[rip+data]; sub rax,[rip+base]; ret, with the relocated address
    // of .text at 0x8000 of .data.
    let text = [
        0x48, 0x8D, 0x04, 0x11, // lea rax, [rcx + rdx]
        0x48, 0x03, 0x05, 0xF5, 0x6F, 0x00, 0x00, // add rax, [rip + 0x6ff5] = 0x8000
        0x48, 0x8D, 0x15, 0xEE, 0xFF, 0xFF, 0xFF, // lea rdx, [rip - 0x12] = 0x1000
        0x48, 0x29, 0xD0, // sub rax, rdx
        0xC3,
    ];
    let mut craft = Craft::new(&text);
    craft.sections[1].3[..8].copy_from_slice(&(IMAGE_BASE + 0x1000).to_le_bytes());
    craft.relocations.push((0x8000, 10));
    // A load configuration whose cookie is at 0x8200; its address is relocated as well.
    let mut config = vec![0; 0x70];
    config[..4].copy_from_slice(&0x70u32.to_le_bytes());
    config[0x58..0x60].copy_from_slice(&(IMAGE_BASE + 0x8200).to_le_bytes());
    craft
        .sections
        .push((".rdata".into(), 0xA000, CONST, config));
    craft.directories.push((10, 0xA000, 0x70));
    craft.relocations.push((0xA058, 10));
    craft.exports.push(("Cookie".into(), 0x8200));
    let image = load(&craft).unwrap();
    let nt = Nt::new().unwrap();
    assert_eq!(call(&nt, image.entry()), 3);
    let cookie = image.export("Cookie").unwrap() as *const u64;
    // SAFETY: the address is 8-aligned data of the loaded image.
    let cookie = unsafe { cookie.read() };
    assert!(cookie != 0 && cookie >> 48 == 0, "{cookie:#x}");
    assert_eq!(nt.verifier.violations(), []);
}

#[test]
fn a_cookie_outside_of_the_image() {
    let mut craft = Craft::new(RET);
    let mut config = vec![0; 0x60];
    config[..4].copy_from_slice(&0x60u32.to_le_bytes());
    config[0x58..0x60].copy_from_slice(&(IMAGE_BASE + 0x0FFF_F000).to_le_bytes());
    craft
        .sections
        .push((".rdata".into(), 0xA000, CONST, config));
    craft.directories.push((10, 0xA000, 0x60));
    assert!(matches!(load(&craft), Err(LoadError::Cookie { .. })));
}

#[test]
fn an_imported_function_is_called() {
    // sub rsp,40; call [KeGetCurrentIrql]; movzx eax,al; add rsp,40; ret
    let mut craft = Craft::new(&[]);
    let slot = craft.import("KeGetCurrentIrql");
    assert_eq!(slot, TABLES_RVA);
    let mut text = vec![0x48, 0x83, 0xEC, 40, 0xFF, 0x15];
    text.extend_from_slice(&(slot - 0x100A).to_le_bytes());
    text.extend_from_slice(&[0x0F, 0xB6, 0xC0, 0x48, 0x83, 0xC4, 40, 0xC3]);
    craft.sections[0].3 = text;
    let image = load(&craft).unwrap();
    let nt = Nt::new().unwrap();
    assert_eq!(call(&nt, image.entry()), 0);
    assert_eq!(nt.import_counts().get("KeGetCurrentIrql"), Some(&1));
    assert_eq!(image.info().imports[0].name, "KeGetCurrentIrql");
    let stats = nt.verifier.ddi_stats()["DriverEntry"];
    assert_eq!(
        (stats.calls, stats.kernel_calls, stats.pool_calls),
        (1, 1, 0)
    );
}

#[test]
fn a_section_header_past_the_headers_is_refused() {
    let craft = Craft::new(RET);
    let mut file = craft.build();
    // The first section's file offset points behind everything.
    let at = SECTION_TABLE + SECTION_HEADER - 20;
    file[at..at + 4].copy_from_slice(&0xFFFF_FF00u32.to_le_bytes());
    assert!(matches!(
        Image::from_bytes("x", &file),
        Err(LoadError::TruncatedSection { section, .. }) if section == ".text"
    ));
}
