//! What may happen, as values that shrink.

use carillon_core::doorbell::Locations;
use proptest::collection::vec;
use proptest::prelude::*;

/// One step. Doorbells are named by a number that is taken modulo how many there ever were, so
/// that dead ones are tried as well.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create {
        process: u8,
        context: u8,
    },
    Connect {
        bell: u8,
        locations: Locations,
        meanwhile: Meanwhile,
    },
    Disconnect {
        bell: u8,
        rings: Rings,
    },
    Destroy {
        bell: u8,
        late_ring: bool,
    },
    SetNotify {
        bell: u8,
        notify: bool,
        meanwhile: Meanwhile,
    },
    Publish {
        bell: u8,
    },
    Busy {
        bell: u8,
        busy: bool,
    },
    Age {
        ticks: u16,
    },
    Close,
}

/// Work that the client publishes in the middle of a disconnect: before the mapping moves, and
/// before the status follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rings {
    pub(crate) early: bool,
    pub(crate) late: bool,
}

/// What happens inside the callbacks of one DDI.
#[derive(Clone, Debug)]
pub(crate) struct Meanwhile {
    /// The OS writes the status before it moves the mapping, not after.
    pub(crate) status_first: bool,
    pub(crate) rings: Rings,
    pub(crate) deeds: Vec<(Moment, Deed, Who)>,
}

/// When in a callback: before, between and after the moves of mapping and status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    First,
    Middle,
    Last,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Connect(Locations),
    Disconnect,
    Destroy,
    SetNotify(bool),
    Publish,
    Close,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    /// The doorbell that the callback is about.
    Victim,
    /// The doorbell of the DDI that made the callback.
    Caller,
    Other(u8),
}

/// A connect whose callback, if there is one, does nothing else.
pub(crate) const fn plain_connect(bell: u8) -> Op {
    Op::Connect {
        bell,
        locations: Locations::Primary,
        meanwhile: Meanwhile {
            status_first: false,
            rings: Rings {
                early: false,
                late: false,
            },
            deeds: Vec::new(),
        },
    }
}

fn locations() -> impl Strategy<Value = Locations> {
    prop_oneof![3 => Just(Locations::Primary), 2 => Just(Locations::Both)]
}

fn rings() -> impl Strategy<Value = Rings> {
    (any::<bool>(), any::<bool>()).prop_map(|(early, late)| Rings { early, late })
}

fn deed() -> impl Strategy<Value = (Moment, Deed, Who)> {
    let moment = prop_oneof![
        Just(Moment::First),
        Just(Moment::Middle),
        Just(Moment::Last)
    ];
    let deed = prop_oneof![
        6 => locations().prop_map(Deed::Connect),
        4 => Just(Deed::Disconnect),
        4 => Just(Deed::Destroy),
        2 => any::<bool>().prop_map(Deed::SetNotify),
        4 => Just(Deed::Publish),
        1 => Just(Deed::Close),
    ];
    let who = prop_oneof![
        3 => Just(Who::Victim),
        2 => Just(Who::Caller),
        3 => any::<u8>().prop_map(Who::Other),
    ];
    (moment, deed, who)
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    let deeds = prop_oneof![2 => Just(Vec::new()), 3 => vec(deed(), 1..5)];
    (any::<bool>(), rings(), deeds).prop_map(|(status_first, rings, deeds)| Meanwhile {
        status_first,
        rings,
        deeds,
    })
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let bell = any::<u8>;
    prop_oneof![
        40 => (0..3u8, 0..2u8).prop_map(|(process, context)| Op::Create { process, context }),
        60 => (bell(), locations(), meanwhile()).prop_map(|(bell, locations, meanwhile)| {
            Op::Connect { bell, locations, meanwhile }
        }),
        20 => (bell(), rings()).prop_map(|(bell, rings)| Op::Disconnect { bell, rings }),
        10 => (bell(), any::<bool>()).prop_map(|(bell, late_ring)| Op::Destroy { bell, late_ring }),
        10 => (bell(), any::<bool>(), meanwhile()).prop_map(|(bell, notify, meanwhile)| {
            Op::SetNotify { bell, notify, meanwhile }
        }),
        30 => bell().prop_map(|bell| Op::Publish { bell }),
        15 => (bell(), any::<bool>()).prop_map(|(bell, busy)| Op::Busy { bell, busy }),
        15 => (0..2_500u16).prop_map(|ticks| Op::Age { ticks }),
        1 => Just(Op::Close),
    ]
}
