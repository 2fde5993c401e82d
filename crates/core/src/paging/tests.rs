use std::vec;
use std::vec::Vec;

use carillon_ddi::{DXGK_PTE, DXGK_PTE_Anonymous as Flags, DXGK_UPDATEPAGETABLEFLAGS};
use carillon_hw::addr::{ApertureOffset, VramOffset};
use proptest::prelude::*;

use super::*;
use crate::segment::tests::segments;

/// A decoded packet with its inline entries.
type Decoded = (Packet, Vec<u64>);

fn decode(mut words: &[u32]) -> Vec<Decoded> {
    let mut all = Vec::new();
    while !words.is_empty() {
        let packet = Packet::decode(words, true).unwrap();
        let (this, rest) = words.split_at(packet.dwords().into());
        let inline = &this[packet.fixed_dwords()..];
        let entries = inline
            .chunks(2)
            .map(|half| u64::from(half[0]) | u64::from(half[1]) << 32);
        all.push((packet, entries.collect()));
        words = rest;
    }
    all
}

/// Runs an operation with buffers of the given sizes, in turn; panics if it never ends.
fn run(operation: &Operation<'_>, sizes: &[usize]) -> Result<Vec<Decoded>> {
    let (segments, _) = segments();
    let mut progress = 0;
    let mut all = Vec::new();
    for (pass, size) in sizes.iter().cycle().enumerate() {
        assert!(pass < 100_000, "no end");
        let mut buffer = vec![0xDEAD_BEEF; size + 1];
        let built = build(&segments, operation, &mut buffer[..*size], progress)?;
        assert!(built.dwords <= *size);
        assert_eq!(buffer[*size], 0xDEAD_BEEF);
        all.extend(decode(&buffer[..built.dwords]));
        match built.next {
            None => return Ok(all),
            Some(next) => {
                assert!(next >= progress);
                progress = next;
            }
        }
    }
    unreachable!()
}

fn whole(operation: &Operation<'_>) -> Vec<Decoded> {
    run(operation, &[1 << 16]).unwrap()
}

/// Entries by address, the way the device would store them.
fn stored(packets: &[Decoded]) -> Vec<(PhysicalTarget, u64)> {
    let mut all = Vec::new();
    for (packet, entries) in packets {
        let Packet::WriteEntries { target, count } = *packet else {
            panic!("{packet:?}");
        };
        assert_eq!(entries.len(), usize::from(count));
        for (index, entry) in (0..).zip(entries) {
            all.push((target.checked_add(index * 8).unwrap(), *entry));
        }
    }
    all
}

fn system_pte(page: u64) -> DXGK_PTE {
    DXGK_PTE::new(Flags::new().with_Valid(true).with_CacheCoherent(true), page)
}

fn system_entry(page: u64) -> u64 {
    PageTableEntry::to_target(PhysicalTarget::System(BusAddress(page * 4096)))
        .unwrap()
        .with_coherent(true)
        .into_bits()
}

#[test]
fn virtual_operations_take_addresses_as_they_are() {
    let transfer = Operation::TransferVirtual {
        source: GpuVa(0x1003),
        destination: GpuVa(0x2001),
        bytes: 77,
    };
    let copy = Packet::Copy {
        source: GpuVa(0x1003),
        destination: GpuVa(0x2001),
        bytes: 77,
    };
    assert_eq!(run(&transfer, &[3, 7]).unwrap(), [(copy, vec![])]);
    let fill = Operation::FillVirtual {
        destination: GpuVa(0x3000),
        bytes: 0x10_0000,
        pattern: 0x1234_5678,
    };
    let packet = Packet::Fill {
        destination: GpuVa(0x3000),
        bytes: 0x10_0000,
        pattern: 0x1234_5678,
    };
    assert_eq!(run(&fill, &[5, 0, 6]).unwrap(), [(packet, vec![])]);
}

#[test]
fn fills_are_whole_words_inside_a_segment() {
    let (_, layout) = segments();
    let fill = |segment, address, bytes| Operation::Fill {
        segment,
        address,
        bytes,
        pattern: 9,
    };
    let target = PhysicalTarget::Vram(layout.segment_base.checked_add(8192).unwrap());
    let packet = Packet::FillPhysical {
        target,
        bytes: 4096,
        pattern: 9,
    };
    assert_eq!(whole(&fill(2, 8192, 4096)), [(packet, vec![])]);
    for bad in [
        fill(2, 2, 4096),
        fill(2, 0, 4095),
        fill(2, layout.segment_bytes, 4),
        fill(3, 0, 4),
        Operation::FillVirtual {
            destination: GpuVa(2),
            bytes: 4,
            pattern: 0,
        },
    ] {
        assert_eq!(run(&bad, &[64]), Err(Error::InvalidParameter));
    }
}

#[test]
fn transfers_between_segments_are_one_packet() {
    let (_, layout) = segments();
    let transfer = Operation::Transfer {
        source: Location::Segment {
            segment: 1,
            address: crate::segment::APERTURE_BASE + 0x1000,
        },
        destination: Location::Segment {
            segment: 2,
            address: 0x5000,
        },
        offset: 0x2000,
        bytes: 0x8000,
    };
    let packet = Packet::CopyPhysical {
        source: PhysicalTarget::Aperture(ApertureOffset(0x3000)),
        destination: PhysicalTarget::Vram(layout.segment_base.checked_add(0x7000).unwrap()),
        bytes: 0x8000,
    };
    assert_eq!(run(&transfer, &[8, 9]).unwrap(), [(packet, vec![])]);
}

#[test]
fn the_transfer_offset_does_not_apply_to_page_lists() {
    let (_, layout) = segments();
    let frames = [9u64, 3, 7, 5];
    let pages = |index: u64| {
        let frame = frames.get(usize::try_from(index).unwrap())?;
        Some(BusAddress(frame * 4096))
    };
    let transfer = |bytes| Operation::Transfer {
        source: Location::Pages {
            first: 1,
            pages: &pages,
        },
        destination: Location::Segment {
            segment: 2,
            address: 0,
        },
        offset: 0x4000,
        bytes,
    };
    let packets = run(&transfer(2 * 4096 + 100), &[10]).unwrap();
    let expected = [(3, 0x4000, 4096), (7, 0x5000, 4096), (5, 0x6000, 100)];
    for ((packet, _), (frame, to, bytes)) in packets.iter().zip(expected) {
        let copy = Packet::CopyPhysical {
            source: PhysicalTarget::System(BusAddress(frame * 4096)),
            destination: PhysicalTarget::Vram(layout.segment_base.checked_add(to).unwrap()),
            bytes,
        };
        assert_eq!(*packet, copy);
    }
    assert_eq!(packets.len(), 3);
    assert_eq!(
        run(&transfer(4 * 4096), &[64]),
        Err(Error::InvalidParameter)
    );
}

#[test]
fn repeated_entries_read_the_array_once() {
    let entry = |index| {
        assert_eq!(index, 0, "beyond the one element");
        system_pte(7)
    };
    let flags = DXGK_UPDATEPAGETABLEFLAGS::new().with_Repeat(true);
    let update = UpdatePageTable::new(0, 5, 20, flags, &entry).unwrap();
    let operation = Operation::UpdatePageTable {
        segment: 0,
        offset: 0x9000,
        update,
    };
    let stores = stored(&run(&operation, &[11]).unwrap());
    assert_eq!(stores.len(), 20);
    for (index, (at, value)) in (5..).zip(stores) {
        assert_eq!(at, PhysicalTarget::System(BusAddress(0x9000 + index * 8)));
        assert_eq!(value, system_entry(7));
    }
}

#[test]
fn updates_stay_inside_their_table() {
    let entry = |_| system_pte(1);
    let new = |level, start, count| {
        UpdatePageTable::new(
            level,
            start,
            count,
            DXGK_UPDATEPAGETABLEFLAGS::new(),
            &entry,
        )
    };
    assert!(new(0, 0, 512).is_ok() && new(3, 511, 1).is_ok() && new(0, 512, 0).is_ok());
    for (level, start, count) in [(4, 0, 1), (0, 512, 1), (0, 0, 513), (0, u32::MAX, 1)] {
        assert!(new(level, start, count).is_err());
    }
    let large = DXGK_UPDATEPAGETABLEFLAGS::new().with_Use64KBPages(true);
    assert!(UpdatePageTable::new(0, 0, 1, large, &entry).is_err());
    let (_, layout) = segments();
    let operation = Operation::UpdatePageTable {
        segment: 2,
        offset: layout.segment_bytes - 2048,
        update: new(0, 0, 1).unwrap(),
    };
    assert_eq!(run(&operation, &[64]), Err(Error::InvalidParameter));
}

#[test]
fn cpu_stores_are_the_same_entries() {
    let entry = |index: u32| match index {
        1 => DXGK_PTE::new(Flags::new(), 99),
        2 => system_pte(1 << 60),
        _ => system_pte(index.into()),
    };
    let flags = DXGK_UPDATEPAGETABLEFLAGS::new().with_InitialUpdate(true);
    let update = UpdatePageTable::new(0, 500, 3, flags, &entry).unwrap();
    let (segments, _) = segments();
    let stores: Vec<_> = update.stores(&segments).collect();
    let expected = [
        Ok((4000, system_entry(0))),
        Ok((4008, 0)),
        Err(Error::InvalidParameter),
    ];
    assert_eq!(stores, expected);
}

#[test]
fn every_context_is_flushed_though_some_go_meanwhile() {
    let alive = std::cell::RefCell::new(vec![2u32, 5, 6, 40]);
    let contexts = |from| {
        let alive = alive.borrow();
        alive.iter().copied().find(|id| *id >= from).map(ContextId)
    };
    let (segments, _) = segments();
    let operation = Operation::FlushTlb {
        contexts: &contexts,
    };
    let mut buffer = [0; 5];
    let first = build(&segments, &operation, &mut buffer, 0).unwrap();
    assert_eq!((first.dwords, first.next), (4, Some(6)));
    alive.borrow_mut().retain(|id| *id != 2 && *id != 5);
    let second = build(&segments, &operation, &mut buffer, 6).unwrap();
    assert_eq!((second.dwords, second.next), (4, None));
    let flushed: Vec<_> = decode(&buffer[..4]).into_iter().map(|(p, _)| p).collect();
    let expected = [6, 40].map(|id| Packet::InvalidateTlb {
        context: ContextId(id),
    });
    assert_eq!(flushed, expected);
}

#[test]
fn a_flush_ends_even_at_the_last_number() {
    let contexts = |_| Some(ContextId(u32::MAX));
    let operation = Operation::FlushTlb {
        contexts: &contexts,
    };
    assert_eq!(whole(&operation).len(), 1);
    let backwards = |_| Some(ContextId(0));
    let operation = Operation::FlushTlb {
        contexts: &backwards,
    };
    assert_eq!(whole(&operation).len(), 1);
    let none = |_| None;
    assert_eq!(whole(&Operation::FlushTlb { contexts: &none }), []);
}

#[test]
fn unmapped_aperture_pages_show_the_dummy_page() {
    let (_, layout) = segments();
    let operation = Operation::UnmapAperture {
        first: 3,
        count: 2,
        dummy: BusAddress(0x7000),
    };
    let stores = stored(&whole(&operation));
    let dummy = PhysicalTarget::System(BusAddress(0x7000));
    for (index, (at, value)) in (3..).zip(&stores) {
        let entry = PageTableEntry::from_bits(*value);
        let slot = VramOffset(layout.aperture_table.0 + index * 8);
        assert_eq!(*at, PhysicalTarget::Vram(slot));
        assert_eq!(entry.target(), Some(dummy));
        assert!(!entry.read_only() && !entry.zero());
    }
    assert_eq!(stores.len(), 2);
    for bad in [
        Operation::UnmapAperture {
            first: layout.aperture_pages.into(),
            count: 1,
            dummy: BusAddress(0),
        },
        Operation::UnmapAperture {
            first: 0,
            count: 1,
            dummy: BusAddress(1),
        },
    ] {
        assert_eq!(run(&bad, &[64]), Err(Error::InvalidParameter));
    }
}

#[test]
fn a_large_buffer_takes_several_full_packets() {
    let pages = |index: u64| Some(BusAddress(index * 4096));
    let operation = Operation::MapAperture {
        first: 0,
        count: 1025,
        coherent: false,
        pages: &pages,
    };
    let counts: Vec<_> = run(&operation, &[1 << 16])
        .unwrap()
        .into_iter()
        .map(|(_, entries)| entries.len())
        .collect();
    assert_eq!(counts, [512, 512, 1]);
}

#[test]
fn page_table_entries_are_copied_range_by_range() {
    let ranges = [(10, 1, 2), (1, 0, 511), (512, 0, 0)];
    let range = |index: u32| {
        let (entries, source_index, destination_index) = *ranges.get(index as usize)?;
        Some(CopyRange {
            entries,
            source: GpuVa(0x1000),
            source_index,
            destination: GpuVa(0x8000),
            destination_index,
        })
    };
    let copy = |ranges| Operation::CopyPageTableEntries {
        ranges,
        range: &range,
    };
    let packets = run(&copy(3), &[7]).unwrap();
    for ((packet, _), (entries, from, to)) in packets.iter().zip(ranges) {
        let expected = Packet::Copy {
            source: GpuVa(0x1000 + u64::from(from) * 8),
            destination: GpuVa(0x8000 + u64::from(to) * 8),
            bytes: u64::from(entries) * 8,
        };
        assert_eq!(*packet, expected);
    }
    assert_eq!(packets.len(), 3);
    assert_eq!(run(&copy(4), &[64]), Err(Error::InvalidParameter));
}

#[test]
fn fences_are_signalled_with_an_interrupt() {
    let signal = |address| Operation::SignalFence {
        address: GpuVa(address),
        value: u64::MAX,
    };
    let packet = Packet::FenceSignal {
        current: GpuVa(0x88),
        monitored: GpuVa(0),
        value: u64::MAX,
        handle: 0,
    };
    assert_eq!(run(&signal(0x88), &[7, 8]).unwrap(), [(packet, vec![])]);
    assert_eq!(run(&signal(0x84), &[64]), Err(Error::InvalidParameter));
}

#[test]
fn nothing_is_no_packet() {
    assert_eq!(run(&Operation::Nothing, &[0]).unwrap(), []);
}

proptest! {
    /// Whatever the buffers, the device stores the same entries.
    #[test]
    fn updates_survive_any_buffers(
        start in 0..512u32,
        count in 0..512u32,
        frames in proptest::collection::vec(0..1u64 << 40, 512),
        sizes in proptest::collection::vec(0..40usize, 1..8),
    ) {
        let count = count.min(512 - start);
        let entry = |index: u32| system_pte(frames[index as usize]);
        let flags = DXGK_UPDATEPAGETABLEFLAGS::new();
        let update = UpdatePageTable::new(0, start, count, flags, &entry).unwrap();
        let operation = Operation::UpdatePageTable { segment: 0, offset: 0x9000, update };
        let mut sizes = sizes;
        sizes.push(6);
        let stores = stored(&run(&operation, &sizes).unwrap());
        prop_assert_eq!(stores.len(), count as usize);
        for (index, (at, value)) in (0u64..).zip(stores) {
            let address = BusAddress(0x9000 + (u64::from(start) + index) * 8);
            prop_assert_eq!(at, PhysicalTarget::System(address));
            prop_assert_eq!(value, system_entry(frames[usize::try_from(index).unwrap()]));
        }
    }

    /// Mapping the aperture survives any buffers too, beyond what one packet holds.
    #[test]
    fn mappings_survive_any_buffers(
        first in 0..1000u64,
        count in 0..2000u64,
        coherent: bool,
        sizes in proptest::collection::vec(0..3000usize, 1..6),
    ) {
        let pages = |index: u64| Some(BusAddress((index + 5) * 4096));
        let operation = Operation::MapAperture { first, count, coherent, pages: &pages };
        let mut sizes = sizes;
        sizes.push(6);
        let stores = stored(&run(&operation, &sizes).unwrap());
        let (_, layout) = segments();
        prop_assert_eq!(stores.len() as u64, count);
        for (index, (at, value)) in (0u64..).zip(stores) {
            let slot = VramOffset(layout.aperture_table.0 + (first + index) * 8);
            prop_assert_eq!(at, PhysicalTarget::Vram(slot));
            let entry = PageTableEntry::from_bits(value);
            let page = BusAddress((index + 5) * 4096);
            prop_assert_eq!(entry.target(), Some(PhysicalTarget::System(page)));
            prop_assert_eq!(entry.coherent(), coherent);
        }
    }

    /// No arguments and no progress make the builder panic or write beyond its buffer.
    #[test]
    fn nothing_panics(
        segment in 0..5u32, address: u64, offset: u64, bytes: u64,
        level in 0..6u32, start: u32, count: u32, progress: u32, size in 0..64usize,
        flags: u64, kind in 0..9u8,
    ) {
        let entry = |_| DXGK_PTE::new(Flags::from_bits(flags), address);
        let none = |_: u64| None;
        let some = |_: u64| Some(BusAddress(address));
        let range = |_| Some(CopyRange {
            entries: count, source: GpuVa(address), source_index: start,
            destination: GpuVa(offset), destination_index: count,
        });
        let contexts = |from: u32| (from < 7).then_some(ContextId(start));
        let end = Location::Segment { segment, address };
        let mut update = None;
        if let Ok(good) = UpdatePageTable::new(
            level, start % 513, count % 513, DXGK_UPDATEPAGETABLEFLAGS::new(), &entry,
        ) {
            update = Some(Operation::UpdatePageTable { segment, offset: address, update: good });
        }
        let operation = match kind {
            0 => Operation::Transfer { source: end, destination: end, offset, bytes },
            1 => Operation::Transfer {
                source: Location::Pages { first: offset, pages: &some },
                destination: end, offset, bytes,
            },
            2 => Operation::Fill { segment, address, bytes, pattern: 0 },
            3 => Operation::CopyPageTableEntries { ranges: count, range: &range },
            4 => Operation::FlushTlb { contexts: &contexts },
            5 => Operation::MapAperture { first: offset, count: bytes, coherent: true, pages: &none },
            6 => Operation::UnmapAperture { first: offset, count: bytes, dummy: BusAddress(address) },
            7 => Operation::SignalFence { address: GpuVa(address), value: bytes },
            _ => match update { Some(update) => update, None => return Ok(()) },
        };
        let (segments, _) = segments();
        let mut buffer = vec![0xDEAD_BEEF; size + 1];
        if let Ok(built) = build(&segments, &operation, &mut buffer[..size], progress) {
            prop_assert!(built.dwords <= size);
        }
        prop_assert_eq!(buffer[size], 0xDEAD_BEEF);
    }
}
