//! The slots of the driver's table.

use core::ptr::NonNull;

use carillon_ddi::consts::IOCTL_VIDEO_DDI_FUNC_REGISTER_WIN8;
use carillon_ddi::init::DRIVER_INITIALIZATION_DATA;
use carillon_ddi::slots::SLOTS;
use carillon_ddi::version;

use crate::table::lines;

fn version_of(name: &str) -> u32 {
    match name {
        "VISTA" => version::DXGKDDI_INTERFACE_VERSION_VISTA,
        "WIN7" => version::DXGKDDI_INTERFACE_VERSION_WIN7,
        "WIN8" => version::DXGKDDI_INTERFACE_VERSION_WIN8,
        "WDDM1_3" => version::DXGKDDI_INTERFACE_VERSION_WDDM1_3,
        "WDDM2_0" => version::DXGKDDI_INTERFACE_VERSION_WDDM2_0,
        "WDDM2_1" => version::DXGKDDI_INTERFACE_VERSION_WDDM2_1,
        "WDDM2_2" => version::DXGKDDI_INTERFACE_VERSION_WDDM2_2,
        "WDDM2_3" => version::DXGKDDI_INTERFACE_VERSION_WDDM2_3,
        "WDDM2_4" => version::DXGKDDI_INTERFACE_VERSION_WDDM2_4,
        "WDDM2_5" => version::DXGKDDI_INTERFACE_VERSION_WDDM2_5,
        "WDDM2_6" => version::DXGKDDI_INTERFACE_VERSION_WDDM2_6,
        "WDDM2_7" => version::DXGKDDI_INTERFACE_VERSION_WDDM2_7,
        "WDDM2_9" => version::DXGKDDI_INTERFACE_VERSION_WDDM2_9,
        "WDDM3_0" => version::DXGKDDI_INTERFACE_VERSION_WDDM3_0,
        "WDDM3_1" => version::DXGKDDI_INTERFACE_VERSION_WDDM3_1,
        "WDDM3_2" => version::DXGKDDI_INTERFACE_VERSION_WDDM3_2,
        _ => panic!("{name}: no such interface version"),
    }
}

#[test]
fn the_slots_are_those_of_the_table() {
    let table = lines("did_slots.csv");
    assert_eq!(SLOTS.len(), 192);
    assert_eq!(table.len(), SLOTS.len());
    for (slot, line) in SLOTS.iter().zip(&table) {
        assert_eq!(line[1].parse(), Ok(slot.offset), "{}", line[2]);
        assert_eq!(line[2], slot.name);
        assert_eq!(version_of(&line[3]), slot.min_version, "{}", line[2]);
    }
}

unsafe extern "win64" fn nothing() {}

#[test]
fn a_filled_slot_is_told_from_a_null_one() {
    const EMPTY: DRIVER_INITIALIZATION_DATA =
        DRIVER_INITIALIZATION_DATA::empty(version::DXGKDDI_INTERFACE_VERSION_WDDM3_2);
    assert_eq!(EMPTY.Version, 0x1_1007);
    assert_eq!(EMPTY.filled(), [false; 192]);
    let base = SLOTS.iter().filter(|slot| slot.is_base()).count();
    assert_eq!(base, 61, "the block of the first release");
    assert_eq!(EMPTY.null_base_slots().count(), base);

    let last = DRIVER_INITIALIZATION_DATA {
        Reserved4: NonNull::<u8>::dangling().as_ptr().cast(),
        DxgkDdiDescribePageTable: NonNull::<u8>::dangling().as_ptr().cast(),
        DxgkDdiIsSupportedVidPn: Some(nothing),
        ..EMPTY
    };
    let filled: Vec<&str> = SLOTS
        .iter()
        .zip(last.filled())
        .filter(|(_, filled)| *filled)
        .map(|(slot, _)| slot.name)
        .collect();
    assert_eq!(
        filled,
        [
            "DxgkDdiIsSupportedVidPn",
            "DxgkDdiDescribePageTable",
            "Reserved4"
        ]
    );
    assert_eq!(last.null_base_slots().count(), base - 1);
}

/// METHOD_NEITHER on the video device type: what registration with the port driver relies on.
#[test]
fn the_registration_code_is_the_full_miniport_one() {
    assert_eq!(IOCTL_VIDEO_DDI_FUNC_REGISTER_WIN8 & 3, 3);
    assert_eq!(IOCTL_VIDEO_DDI_FUNC_REGISTER_WIN8 >> 16, 0x23);
}
