//! Secondary doorbell pages.

use zerocopy::IntoBytes;

use super::*;

/// contract: DBN-004, DBNR-001
#[test]
fn a_secondary_page_is_refused_where_there_is_none() {
    for secondary in [false, true] {
        let fake = Fake::new(2, VRAM);
        let caps = DoorbellCaps::new()
            .with_pages(2)
            .with_secondary(secondary)
            .into_bits();
        fake.register(offset::DOORBELL_CAPS, u64::from(caps));
        let adapter = start_with(fake).unwrap();
        let o = objects(&adapter);
        let new = doorbell(&o, private_data().as_bytes());
        let handle = adapter.create_doorbell(PASSIVE, &new).unwrap().handle;
        adapter.platform.take_deeds();
        let both = adapter.connect_doorbell(PASSIVE, handle, Locations::Both);
        if secondary {
            assert_eq!(both.map(|found| found.locations), Ok(Locations::Both));
            assert_eq!(adapter.facts.doorbell_bar_pages(), 4);
        } else {
            assert_eq!(both, Err(Error::NotSupported));
            assert!(adapter.platform.take_deeds().is_empty());
            assert_eq!(adapter.facts.doorbell_bar_pages(), 2);
        }
    }
}
