use core::mem::offset_of;
use std::vec;
use std::vec::Vec;

use carillon_ddi::*;
use proptest::prelude::*;

use super::*;
use crate::surface::FeatureState;
use crate::surface::tests::{every_state, facts};

type Type = DXGK_QUERYADAPTERINFOTYPE;
type Caps = DXGK_DRIVERCAPS;
type Descriptor = DXGK_SEGMENTDESCRIPTOR4;

const ON: FeatureState = FeatureState {
    hwsch: true,
    native_fence: true,
    user_mode_submission: true,
};
const LEVEL: &[u8] = &[0, 0, 0, 0];

fn surface() -> Surface {
    Surface::new(&facts(), ON)
}

fn ask(kind: Type, input: &[u8], out: &mut [u8]) -> Result<Answer> {
    let request = Request {
        kind,
        input,
        physical_adapter: Some(0x1122_3344_5566_7788),
    };
    answer(&surface(), &request, out)
}

fn filled(kind: Type, input: &[u8], bytes: usize) -> Vec<u8> {
    let mut out = vec![0xAA; bytes];
    assert_eq!(ask(kind, input, &mut out), Ok(Answer::Complete));
    out
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(*bytes[offset..].first_chunk().unwrap())
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(*bytes[offset..].first_chunk().unwrap())
}

/// Every type that is answered, with the size that it needs at the least.
const ANSWERED: [(Type, &[u8], usize); 22] = [
    (Type::DXGKQAITYPE_UMDRIVERPRIVATE, &[], 16),
    (Type::DXGKQAITYPE_DRIVERCAPS, &[], 540),
    (Type::DXGKQAITYPE_QUERYSEGMENT3, &[], 32),
    (Type::DXGKQAITYPE_QUERYSEGMENT4, &[], 40),
    (Type::DXGKQAITYPE_NUMPOWERCOMPONENTS, &[], 4),
    (Type::DXGKQAITYPE_POWERCOMPONENTINFO, &[1, 0, 0, 0], 336),
    (Type::DXGKQAITYPE_HISTORYBUFFERPRECISION, &[], 4),
    (Type::DXGKQAITYPE_GPUMMUCAPS, &[], 24),
    (Type::DXGKQAITYPE_PAGETABLELEVELDESC, LEVEL, 20),
    (Type::DXGKQAITYPE_PHYSICALADAPTERCAPS, &[], 32),
    (Type::DXGKQAITYPE_FRAMEBUFFERSAVESIZE, &[], 8),
    (Type::DXGKQAITYPE_HARDWARERESERVEDRANGES, &[], 16),
    (Type::DXGKQAITYPE_ADAPTERPERFDATA_CAPS, &[], 28),
    (Type::DXGKQAITYPE_GPUVERSION, &[], 128),
    (Type::DXGKQAITYPE_WDDMDEVICECAPS, &[], 4),
    (Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS, &[], 8),
    (Type::DXGKQAITYPE_IOMMU_CAPS, &[], 4),
    (Type::DXGKQAITYPE_HARDWARERESERVEDRANGES2, &[], 16),
    (Type::DXGKQAITYPE_NATIVE_FENCE_CAPS, &[], 56),
    (Type::DXGKQAITYPE_USERMODESUBMISSION_CAPS, &[], 28),
    (Type::DXGKQAITYPE_DIRTYBITTRACKINGCAPS, &[], 4),
    (Type::DXGKQAITYPE_64BITONLYCAPS, &[], 4),
];

#[test]
fn one_byte_too_few_is_refused_and_writes_nothing() {
    for (kind, input, bytes) in ANSWERED {
        let mut out = vec![0; bytes];
        assert!(ask(kind, input, &mut out).is_ok(), "{kind:?}");
        let mut out = vec![0xAA; bytes - 1];
        let refusal = ask(kind, input, &mut out);
        assert_eq!(refusal, Err(Error::InvalidParameter), "{kind:?}");
        assert!(out.iter().all(|byte| *byte == 0xAA), "{kind:?}");
        assert!(ask(kind, input, &mut []).is_err(), "{kind:?}");
    }
}

#[test]
fn what_exists_is_not_supported_and_what_does_not_is_a_bad_parameter() {
    for number in -2..60 {
        let kind = DXGK_QUERYADAPTERINFOTYPE(number);
        if ANSWERED.iter().any(|(answered, ..)| *answered == kind) {
            continue;
        }
        let exists = (0..=48).contains(&number) && number != 32;
        let expected = if exists {
            Error::NotSupported
        } else {
            Error::InvalidParameter
        };
        let mut out = [0xAA; 600];
        assert_eq!(ask(kind, &[0; 64], &mut out), Err(expected), "{kind:?}");
        assert!(out.iter().all(|byte| *byte == 0xAA));
    }
}

#[test]
fn driver_caps_are_complete() {
    let out = filled(Type::DXGKQAITYPE_DRIVERCAPS, &[], 592);
    let mut expected = vec![0; 592];
    let mut set = |offset: usize, value: &[u8]| {
        expected[offset..offset + value.len()].copy_from_slice(value);
    };
    set(offset_of!(Caps, HighestAcceptableAddress), &[0xFF; 8]);
    set(offset_of!(Caps, MaxAllocationListSlotId), &[0xFF, 0xFF]);
    set(
        offset_of!(Caps, ApertureSegmentCommitLimit),
        &[0, 0, 0, 0x40],
    );
    set(offset_of!(Caps, MaxQueuedFlipOnVSync), &[1]);
    set(offset_of!(Caps, FlipCaps), &[0b10]);
    // MultiEngineAware, PreemptionAware, NoDmaPatching, NativeGpuFence (bit 11).
    set(offset_of!(Caps, SchedulingCaps), &[0b1101, 0b1000]);
    // SectionBackedPrimary, VirtualAddressingSupported, GpuMmuSupported.
    set(offset_of!(Caps, MemoryManagementCaps), &[0b0110_1000]);
    set(offset_of!(Caps, MemoryManagementCaps.PagingNode), &[2]);
    set(offset_of!(Caps, GpuEngineTopology), &[3]);
    set(offset_of!(Caps, WDDMVersion), &[0x00, 0x32]);
    set(offset_of!(Caps, PreemptionCaps), &[100, 0, 0, 0, 100]);
    set(offset_of!(Caps, SupportNonVGA), &[1]);
    set(offset_of!(Caps, SupportPerEngineTDR), &[1]);
    set(offset_of!(Caps, SupportSurpriseRemoval), &[1]);
    set(offset_of!(Caps, SupportRuntimePowerManagement), &[1]);
    assert_eq!(out, expected);
}

#[test]
fn shorter_driver_caps_are_a_prefix_and_longer_ones_end_in_zeros() {
    let full = filled(Type::DXGKQAITYPE_DRIVERCAPS, &[], 592);
    for bytes in 540..=700 {
        let out = filled(Type::DXGKQAITYPE_DRIVERCAPS, &[], bytes);
        let common = bytes.min(592);
        assert_eq!(out[..common], full[..common]);
        assert!(out[common..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn native_fences_and_doorbells_are_answered_with_the_surface() {
    for features in every_state() {
        let surface = Surface::new(&facts(), features);
        for (kind, level) in [
            (Type::DXGKQAITYPE_NATIVE_FENCE_CAPS, Level::NativeFences),
            (
                Type::DXGKQAITYPE_USERMODESUBMISSION_CAPS,
                Level::UserModeSubmission,
            ),
        ] {
            let request = Request {
                kind,
                input: &[],
                physical_adapter: None,
            };
            let result = answer(&surface, &request, &mut [0; 64]);
            let expected = if surface.offers(level) {
                Ok(Answer::Complete)
            } else {
                Err(Error::NotSupported)
            };
            assert_eq!(result, expected, "{features:?} {kind:?}");
        }
    }
}

/// contract: CAP-014, QAI-007
#[test]
fn runtime_power_management_is_said_with_its_components() {
    let asked = |surface: &Surface, kind, input: &[u8], bytes: usize| {
        let request = Request {
            kind,
            input,
            physical_adapter: None,
        };
        let mut out = vec![0xAA; bytes];
        answer(surface, &request, &mut out).map(|_| out)
    };
    for features in every_state() {
        let surface = Surface::new(&facts(), features);
        let count = if surface.offers(Level::UserModeSubmission) {
            2_u8
        } else {
            0
        };
        let caps = asked(&surface, Type::DXGKQAITYPE_DRIVERCAPS, &[], 592).unwrap();
        let said = caps[offset_of!(Caps, SupportRuntimePowerManagement)];
        assert_eq!(said, u8::from(count != 0), "{features:?}");
        let number = asked(&surface, Type::DXGKQAITYPE_NUMPOWERCOMPONENTS, &[], 4);
        assert_eq!(number, Ok(vec![count, 0, 0, 0]), "{features:?}");
        for index in [0, 1, 2, 0xFF] {
            let kind = Type::DXGKQAITYPE_POWERCOMPONENTINFO;
            let info = asked(&surface, kind, &[index, 0, 0, 0], 336);
            assert_eq!(info.is_ok(), index < count, "{features:?} {index}");
        }
    }
}

/// contract: QAI-007, PWF-005, PWF-011, PWF-015, PWF-016
#[test]
fn power_components_are_complete() {
    type Component = DXGK_POWER_RUNTIME_COMPONENT;
    type State = DXGK_POWER_RUNTIME_STATE;
    let names = [&b"Graphics engine"[..], b"Compute engine"];
    let mut identities = Vec::new();
    for (index, name) in (0..).zip(names) {
        let input = [index, 0, 0, 0];
        let out = filled(Type::DXGKQAITYPE_POWERCOMPONENTINFO, &input, 340);
        let mut expected = vec![0; 340];
        let mut set = |offset: usize, value: &[u8]| {
            expected[offset..offset + value.len()].copy_from_slice(value);
        };
        set(offset_of!(Component, StateCount), &[2]);
        let first = offset_of!(Component, States);
        let power = offset_of!(State, NominalPower);
        set(first + power, &1_000_000_u32.to_le_bytes());
        let second = first + size_of::<State>();
        set(second, &1_000_u64.to_le_bytes());
        set(second + 8, &10_000_u64.to_le_bytes());
        set(second + power, &100_000_u32.to_le_bytes());
        // An engine (0), the node of the same number, no flags.
        set(offset_of!(Component, ComponentMapping) + 4, &[index]);
        let at = offset_of!(Component, ComponentGuid);
        set(at, &out[at..at + 16]);
        set(offset_of!(Component, ComponentName), name);
        assert_eq!(out, expected, "{index}");
        identities.push(out[at..at + 16].to_vec());
    }
    assert_ne!(identities[0], identities[1]);
    assert_ne!(identities[0], [0; 16]);
    for input in [
        &[2, 0, 0, 0][..],
        &[0, 0, 1, 0],
        &[0xFF; 4],
        &[0, 0, 0],
        &[],
    ] {
        let refusal = ask(Type::DXGKQAITYPE_POWERCOMPONENTINFO, input, &mut [0; 336]);
        assert_eq!(refusal, Err(Error::InvalidParameter), "{input:?}");
    }
}

#[test]
fn feature_caps_are_exact() {
    let out = filled(Type::DXGKQAITYPE_USERMODESUBMISSION_CAPS, &[], 28);
    let mut expected = [0; 28];
    expected[4..8].copy_from_slice(&4096u32.to_le_bytes());
    assert_eq!(out, expected);

    let mut facts = facts();
    facts.doorbell_caps.set_secondary(true);
    let request = Request {
        kind: Type::DXGKQAITYPE_USERMODESUBMISSION_CAPS,
        input: &[],
        physical_adapter: None,
    };
    let mut out = [0xFF; 28];
    let features = every_state().last().unwrap();
    let result = answer(&Surface::new(&facts, features), &request, &mut out);
    assert_eq!(result, Ok(Answer::Complete));
    expected[0] = 1;
    expected[8..12].copy_from_slice(&4096u32.to_le_bytes());
    assert_eq!(out, expected, "flag and size go together");

    let out = filled(Type::DXGKQAITYPE_NATIVE_FENCE_CAPS, &[], 56);
    let mut expected = [0; 56];
    expected[0] = 64;
    assert_eq!(out, expected);
}

#[test]
fn geometry_adds_up() {
    let out = filled(Type::DXGKQAITYPE_GPUMMUCAPS, &[0; 4], 24);
    // ReadOnly, NoExecute, CacheCoherent, InvalidTlbEntriesNotCached; GPU_PHYSICAL.
    let words = [0b100_0001_0011, 2, 40, 4096, 4, 0];
    let bits = u32_at(&out, 0);
    assert_eq!(bits, words[0], "{bits:#b}");
    for (index, word) in words.into_iter().enumerate() {
        assert_eq!(u32_at(&out, index * 4), word);
    }
    let mut total = 12;
    for level in 0..4u8 {
        let out = filled(Type::DXGKQAITYPE_PAGETABLELEVELDESC, &[level, 0, 0, 0], 20);
        total += u32_at(&out, 0);
        assert_eq!((u32_at(&out, 4), u32_at(&out, 8)), (0, 0));
        assert_eq!((u32_at(&out, 12), u32_at(&out, 16)), (4096, 4096));
        assert_eq!(u32_at(&out, 0), if level == 3 { 1 } else { 9 });
    }
    assert_eq!(total, 40);
    for input in [
        &[4, 0, 0, 0][..],
        &[0, 0, 1, 0],
        &[0, 1, 0, 0],
        &[0, 0, 0],
        &[],
    ] {
        let refusal = ask(Type::DXGKQAITYPE_PAGETABLELEVELDESC, input, &mut [0; 20]);
        assert_eq!(refusal, Err(Error::InvalidParameter));
    }
    let other = ask(Type::DXGKQAITYPE_GPUMMUCAPS, &[1, 0, 0, 0], &mut [0; 24]);
    assert_eq!(other, Err(Error::InvalidParameter));
}

#[test]
fn every_history_buffer_has_the_same_precision() {
    for count in 1..5 {
        let out = filled(Type::DXGKQAITYPE_HISTORYBUFFERPRECISION, &[], count * 4);
        for index in 0..count {
            assert_eq!(u32_at(&out, index * 4), 64);
        }
    }
    let out = filled(Type::DXGKQAITYPE_HISTORYBUFFERPRECISION, &[], 7);
    assert_eq!(out[4..], [0; 3]);
}

#[test]
fn questions_before_start_need_no_device() {
    let version = 12_800u32.to_le_bytes();
    for (kind, expected) in [
        (Type::DXGKQAITYPE_WDDMDEVICECAPS, &version[..]),
        (Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS, &[0xFF; 8]),
        (Type::DXGKQAITYPE_IOMMU_CAPS, &[0; 4]),
    ] {
        let request = Request {
            kind,
            input: &[],
            physical_adapter: None,
        };
        let mut out = vec![0xAA; expected.len()];
        assert_eq!(answer_without_hardware(&request, &mut out), Ok(()));
        assert_eq!(out, expected);
        assert_eq!(filled(kind, &[], expected.len()), expected);
    }
    let request = Request {
        kind: Type::DXGKQAITYPE_DRIVERCAPS,
        input: &[],
        physical_adapter: None,
    };
    let early = answer_without_hardware(&request, &mut [0; 592]);
    assert_eq!(early, Err(Error::NotSupported));
}

#[test]
fn zeros_are_answers_too() {
    for (kind, bytes) in [
        (Type::DXGKQAITYPE_FRAMEBUFFERSAVESIZE, 8),
        (Type::DXGKQAITYPE_ADAPTERPERFDATA_CAPS, 28),
        (Type::DXGKQAITYPE_DIRTYBITTRACKINGCAPS, 4),
        (Type::DXGKQAITYPE_64BITONLYCAPS, 4),
        (Type::DXGKQAITYPE_IOMMU_CAPS, 4),
    ] {
        let zeros = vec![0; bytes];
        assert_eq!(filled(kind, &[], bytes), zeros, "{kind:?}");
    }
}

#[test]
fn reserved_ranges_leave_the_callers_pointer_alone() {
    for kind in [
        Type::DXGKQAITYPE_HARDWARERESERVEDRANGES,
        Type::DXGKQAITYPE_HARDWARERESERVEDRANGES2,
    ] {
        let out = filled(kind, &[], 16);
        assert_eq!(out[..4], [0; 4]);
        assert_eq!(out[8..], [0xAA; 8]);
    }
}

#[test]
fn names_are_public_and_terminated() {
    let out = filled(Type::DXGKQAITYPE_GPUVERSION, &[], 128);
    assert_eq!(out[..64], [0; 64]);
    let name: Vec<u8> = "Carillon".bytes().flat_map(|byte| [byte, 0]).collect();
    assert_eq!(out[64..80], name);
    assert_eq!(out[80..], [0; 48]);

    let out = filled(Type::DXGKQAITYPE_UMDRIVERPRIVATE, b"anything", 24);
    assert_eq!(out[..16], [1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(out[16..], [0; 8]);
}

#[test]
fn the_physical_adapter_is_described_only_with_leave() {
    let out = filled(Type::DXGKQAITYPE_PHYSICALADAPTERCAPS, &[], 32);
    assert_eq!(out[..4], [3, 0, 2, 0]);
    assert_eq!(u64_at(&out, 8), 0x1122_3344_5566_7788);
    assert_eq!(u32_at(&out, 16), 0b10);
    let request = Request {
        kind: Type::DXGKQAITYPE_PHYSICALADAPTERCAPS,
        input: &[],
        physical_adapter: None,
    };
    let refusal = answer(&surface(), &request, &mut [0; 32]);
    assert_eq!(refusal, Err(Error::NotSupported));
}

fn segment_header(count: u32, pointer: u64, stride: u64) -> [u8; 40] {
    let mut out = [0xAA; 40];
    out[0..4].copy_from_slice(&count.to_le_bytes());
    out[8..16].copy_from_slice(&pointer.to_le_bytes());
    out[32..40].copy_from_slice(&stride.to_le_bytes());
    out
}

#[test]
fn segments_are_counted_first() {
    for (count, pointer) in [(0, 0), (0, 0x1000), (7, 0)] {
        let mut out = segment_header(count, pointer, 0);
        let untouched = out;
        let first = ask(Type::DXGKQAITYPE_QUERYSEGMENT4, &[], &mut out);
        assert_eq!(first, Ok(Answer::Complete));
        assert_eq!(u32_at(&out, 0), 2);
        assert_eq!(out[4..], untouched[4..]);
    }
}

#[test]
fn segments_are_described_at_the_callers_stride() {
    for stride in [96u8, 104, 200] {
        let stride = usize::from(stride);
        let mut out = segment_header(2, 0xFFFF_8000_0000_1000, stride as u64);
        let second = ask(Type::DXGKQAITYPE_QUERYSEGMENT4, &[0; 4], &mut out);
        let Ok(Answer::Segments(descriptors)) = second else {
            panic!("{second:?}");
        };
        assert_eq!((u32_at(&out, 0), u32_at(&out, 16)), (2, 1));
        assert_eq!((u32_at(&out, 20), u32_at(&out, 24)), (64 << 10, 0));
        assert_eq!(descriptors.address(), 0xFFFF_8000_0000_1000);
        assert_eq!(descriptors.bytes(), 2 * stride);

        let mut array = vec![0xAA; 2 * stride + 8];
        descriptors.fill(&surface(), &mut array).unwrap();
        let vram = facts().layout.segment_bytes;
        let expected = [
            (0b1_0001, 0xC000_0000, 1 << 30),
            (1 << 15 | 1 << 19, 0, vram),
        ];
        for (place, (flags, base, bytes)) in array.chunks(stride).zip(expected) {
            assert_eq!(u32_at(place, 0), flags);
            assert_eq!(u64_at(place, offset_of!(Descriptor, BaseAddress)), base);
            assert_eq!(u64_at(place, offset_of!(Descriptor, Size)), bytes);
            assert_eq!(u64_at(place, offset_of!(Descriptor, CommitLimit)), bytes);
            assert!(
                place[offset_of!(Descriptor, SystemMemoryEndAddress)..96]
                    .iter()
                    .all(|byte| *byte == 0)
            );
            assert!(place[96..].iter().all(|byte| *byte == 0xAA));
        }
        assert_eq!(array[2 * stride..], [0xAA; 8]);

        let short = descriptors.fill(&surface(), &mut array[..2 * stride - 1]);
        assert_eq!(short, Err(Error::InvalidParameter));
    }
}

#[test]
fn segments_in_the_third_form_follow_each_other() {
    let mut out = segment_header(2, 0x1000, 0);
    let second = ask(Type::DXGKQAITYPE_QUERYSEGMENT3, &[], &mut out[..32]);
    let Ok(Answer::Segments(descriptors)) = second else {
        panic!("{second:?}");
    };
    let each = size_of::<DXGK_SEGMENTDESCRIPTOR3>();
    assert_eq!(descriptors.bytes(), 2 * each);
    let mut array = vec![0xAA; 2 * each];
    descriptors.fill(&surface(), &mut array).unwrap();
    assert_eq!(u32_at(&array, 0), 0b1_0001);
    let size = offset_of!(DXGK_SEGMENTDESCRIPTOR3, Size);
    assert_eq!(u64_at(&array, size), 1 << 30);
    assert_eq!(u64_at(&array, each + size), facts().layout.segment_bytes);
}

#[test]
fn bad_segment_arrays_are_refused() {
    for (count, stride) in [(1, 96), (2, 95), (2, 0), (2, u64::MAX), (u32::MAX, 1 << 63)] {
        let mut out = segment_header(count, 0x1000, stride);
        let before = out;
        let refusal = ask(Type::DXGKQAITYPE_QUERYSEGMENT4, &[], &mut out);
        assert_eq!(refusal, Err(Error::InvalidParameter), "{count} {stride}");
        assert_eq!(out, before);
    }
    let mut out = segment_header(0, 0, 0);
    let other = ask(Type::DXGKQAITYPE_QUERYSEGMENT4, &[1, 0, 0, 0], &mut out);
    assert_eq!(other, Err(Error::InvalidParameter));
}

proptest! {
    #[test]
    fn nothing_panics_and_refusals_write_nothing(
        number in -3..64i32,
        input in proptest::collection::vec(any::<u8>(), 0..16),
        out in proptest::collection::vec(any::<u8>(), 0..640),
        array in 0..512usize,
    ) {
        let mut written = out.clone();
        match ask(DXGK_QUERYADAPTERINFOTYPE(number), &input, &mut written) {
            Err(_) => prop_assert_eq!(written, out),
            Ok(Answer::Complete) => {}
            Ok(Answer::Segments(descriptors)) => {
                let _ = descriptors.fill(&surface(), &mut vec![0; array]);
            }
        }
    }

    #[test]
    fn order_makes_no_difference(order in Just((0..ANSWERED.len()).collect::<Vec<_>>()).prop_shuffle()) {
        for index in order {
            let (kind, input, bytes) = ANSWERED[index];
            let mut first = vec![0; bytes];
            let mut second = vec![0; bytes];
            prop_assert_eq!(ask(kind, input, &mut first), ask(kind, input, &mut second));
            prop_assert_eq!(first, second);
        }
    }
}
