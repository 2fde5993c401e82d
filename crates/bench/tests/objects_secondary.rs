//! Secondary doorbell addresses in the OS model, against a driver that a test can see through.

mod objects_support;

use std::sync::atomic::{AtomicU64, Ordering};

use carillon_bench::dxgk::objects::Options;
use carillon_bench::dxgk::objects::doorbell::{ABORT, RETRY};
use carillon_bench::trap::PAGE_SIZE;
use carillon_bench::trap::shared::SharedMapping;
use carillon_client::kmt::{Doorbell, DoorbellStatus, Kmt, NtStatus};
use objects_support::client::{Client, clean, status};
use objects_support::{DOORBELLS, Fault, World, fake};

/// The first word of a page of the BAR.
fn page(bar: &SharedMapping, page: usize) -> u64 {
    let first = bar.as_ptr() as usize + page * PAGE_SIZE;
    // SAFETY: the aligned first word of a page of a live mapping; all parties use atomics.
    unsafe { AtomicU64::from_ptr(first as *mut u64) }.load(Ordering::SeqCst)
}

fn words(bar: &SharedMapping) -> Vec<u64> {
    (0..2 * DOORBELLS).map(|index| page(bar, index)).collect()
}

/// Which page each address of a doorbell shows, found by storing there.
fn shown(bar: &SharedMapping, bell: &Doorbell) -> [Option<usize>; 2] {
    let find = |value: u64| words(bar).iter().position(|word| *word == value);
    bell.address.store_release(0xA1);
    let secondary = bell.secondary_address.expect("asked for");
    secondary.store_release(0xB2);
    let found = [find(0xA1), find(0xB2)];
    bell.address.store_release(0);
    secondary.store_release(0);
    found
}

/// Both addresses are there from the create on and never change; what is behind them moves
/// together: dummy pages, the pages of the connect, dummy pages again after each kind of loss.
///
/// contract: DBC-013, DBN-004, DBN-005
#[test]
fn both_addresses_move_together_and_stay_where_they_are() {
    let world = World::with_secondary();
    let client = Client::new(&world);
    let bar = world.bar.map(0, world.bar.len()).unwrap();
    let bells: Vec<Doorbell> = (0..=DOORBELLS)
        .map(|_| client.secondary_doorbell().unwrap())
        .collect();
    let addresses = |bell: &Doorbell| {
        let second = bell.secondary_address.map(|word| word.address());
        [bell.address.address(), second.expect("asked for")]
    };
    let before: Vec<_> = bells.iter().flat_map(addresses).collect();
    for (index, address) in before.iter().enumerate() {
        assert!(!before[index + 1..].contains(address));
    }
    let process = client.kmt.process();
    for bell in &bells {
        assert_eq!(shown(&bar, bell), [None, None]);
    }
    for round in 0..6 {
        for bell in &bells {
            // The last one takes the pages of another, by the callback.
            client.kmt.connect_doorbell(bell.handle).unwrap();
            let [first, second] = shown(&bar, bell);
            assert_eq!(second, first.map(|page| page + DOORBELLS), "round {round}");
            assert!(first.is_some());
        }
        for bell in &bells {
            let known = world.manager.doorbell(process, bell.handle.0).unwrap();
            if status(bell) == DoorbellStatus::DISCONNECTED_RETRY {
                assert_eq!(shown(&bar, bell), [None, None], "the victim of {round}");
            }
            world.manager.disconnect_doorbell(&known, RETRY).unwrap();
            assert_eq!(shown(&bar, bell), [None, None]);
            assert_eq!((known.shows(), known.shows_secondary()), (None, None));
        }
    }
    assert_eq!(bells.iter().flat_map(addresses).collect::<Vec<_>>(), before);
    let flags = std::mem::take(&mut fake().connect_flags);
    assert!(flags.iter().all(|flags| *flags == 1), "{flags:?}");
    client.kmt.connect_doorbell(bells[0].handle).unwrap();
    let known = world.manager.doorbell(process, bells[0].handle.0).unwrap();
    world.manager.disconnect_doorbell(&known, ABORT).unwrap();
    assert_eq!(shown(&bar, &bells[0]), [None, None]);
    clean(&world);
}

/// Who did not ask gets one address, and the driver is not asked for two, on an adapter that
/// has them and on one that has not.
///
/// contract: DBN-005, DBC-013
#[test]
fn nobody_is_asked_without_need() {
    for world in [World::with_secondary, || World::new(0)] {
        let world = world();
        let client = Client::new(&world);
        let (_, bell) = client.doorbell();
        assert!(bell.secondary_address.is_none());
        client.kmt.connect_doorbell(bell.handle).unwrap();
        assert_eq!(fake().connect_flags, [0]);
        clean(&world);
    }
}

/// An adapter without secondary doorbells: the create is refused before the driver is called. The
/// variant that lets it through has the connect ask for it.
///
/// contract: DBN-005
#[test]
fn a_create_for_what_is_not_there_is_refused() {
    let world = World::new(0);
    let client = Client::new(&world);
    let refused = client.secondary_doorbell().unwrap_err();
    assert_eq!(refused, NtStatus::NOT_SUPPORTED);
    assert!(fake().bells.is_empty());
    world.manager.set_options(Options {
        unchecked_secondary: true,
        ..Options::default()
    });
    let bell = client.secondary_doorbell().unwrap();
    client.kmt.connect_doorbell(bell.handle).unwrap();
    assert_eq!(fake().connect_flags, [1]);
    clean(&world);
}

/// A driver that leaves out the address it was asked for, gives one page for both, or one that
/// nobody asked for, is noticed.
///
/// contract: DBN-004, DBNR-001
#[test]
fn wrong_secondary_addresses_are_noticed() {
    for (fault, asks, rule) in [
        (Fault::ForgetsSecondary, true, "DBN-004"),
        (Fault::RepeatsPrimary, true, "DBN-004"),
        (Fault::VolunteersSecondary, false, "DBNR-001"),
    ] {
        let world = World::with_secondary();
        let client = Client::new(&world);
        let bell = if asks {
            client.secondary_doorbell().unwrap()
        } else {
            client.doorbell().1
        };
        fake().fault = fault;
        assert_eq!(client.kmt.connect_doorbell(bell.handle).is_err(), asks);
        let found = world.violations();
        assert_eq!(found.len(), 1, "{fault:?}: {found:?}");
        assert!(found[0].contains(rule), "{fault:?}: {found:?}");
    }
}
