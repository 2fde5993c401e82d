//! Which of a page's two locations the device watches.

use super::*;

fn watches_both(rig: &Rig, page: u64) -> bool {
    let word = rig.platform.read64(offset::DOORBELL_CONTROL + page * 8);
    DoorbellControl::from_bits(word).secondary()
}

/// contract: DBN-004, DBNR-001, DBC-026
#[test]
fn the_secondary_page_is_watched_while_the_last_connect_asked_for_it() {
    let rig = rig(1);
    let (a, b) = (rig.create(0), rig.create(1));
    let bound = DoorbellControl::bound_to(QueueId(0));
    for locations in [Locations::Both, Locations::Primary, Locations::Both] {
        rig.platform.take_deeds();
        assert_eq!(connect_at(&rig, a, locations).locations, locations);
        assert_eq!(watches_both(&rig, 0), locations == Locations::Both);
        let deeds = rig.platform.take_deeds();
        let control = bound.with_secondary(locations == Locations::Both);
        assert_eq!(deeds.first(), Some(&Deed::Control(0, control)));
        assert_eq!(connect_at(&rig, a, locations).locations, locations);
        let look = Deed::Queue(QueueOperation::Look, 0, 0);
        assert_eq!(rig.platform.take_deeds(), [look], "nothing to change");
    }
    assert_eq!(rig.manager.counters().connects, 1, "it kept its page");
    rig.disconnect(a);
    connect_at(&rig, a, Locations::Primary);
    assert!(!watches_both(&rig, 0), "after it lingered");
    connect_at(&rig, a, Locations::Both);
    rig.grow_old();
    connect_at(&rig, b, Locations::Primary);
    assert!(!watches_both(&rig, 0), "the victim's wish went with it");
    rig.grow_old();
    assert_eq!(
        connect_at(&rig, a, Locations::Both).locations,
        Locations::Both
    );
    assert!(watches_both(&rig, 0));
}

/// contract: DBN-004, DBNR-001
#[test]
fn a_page_of_the_global_model_is_watched_twice_while_any_of_its_doorbells_wants_that() {
    let rig = rig_of(DoorbellModel::Global, 2);
    let (a, b) = (rig.create_in(0, 7), rig.create_in(1, 7));
    connect_at(&rig, a, Locations::Primary);
    assert!(!watches_both(&rig, 0));
    connect_at(&rig, b, Locations::Both);
    assert!(watches_both(&rig, 0));
    connect_at(&rig, a, Locations::Both);
    rig.platform.take_deeds();
    connect_at(&rig, a, Locations::Primary);
    let look = Deed::Queue(QueueOperation::Look, 0, 0);
    assert_eq!(
        rig.platform.take_deeds(),
        [look],
        "the other still wants it"
    );
    rig.disconnect(b);
    assert!(watches_both(&rig, 0), "its mapping has yet to move");
    rig.destroy(b);
    assert!(!watches_both(&rig, 0));
    assert_eq!(rig.bindings(1), [Some(1)], "and the page stays bound");
    let c = rig.create_in(2, 8);
    let crowd = connect_at(&rig, c, Locations::Both);
    assert!(crowd.notify && crowd.locations == Locations::Both);
    assert!(!watches_both(&rig, 1), "the common page reaches nobody");
}
