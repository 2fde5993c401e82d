//! The configurations that are checked.

use crate::config::{Callback, Config, Order, Rule, Topology};
use crate::protocol::property;
use crate::state::{Budget, QueueId};
use crate::symmetry;

const NONE: Budget = Budget {
    disconnects: 0,
    aborts: 0,
    destroys: 0,
    suspends: 0,
    losses: 0,
    victims: 0,
};
const VICTIMS: Budget = Budget { victims: 1, ..NONE };
const DISCONNECT: Budget = Budget {
    disconnects: 1,
    ..VICTIMS
};
const SUSPEND: Budget = Budget {
    suspends: 1,
    ..VICTIMS
};
const ABORT: Budget = Budget {
    aborts: 1,
    ..VICTIMS
};
const DESTROY: Budget = Budget {
    destroys: 1,
    ..VICTIMS
};
const LOSS: Budget = Budget {
    losses: 1,
    ..VICTIMS
};

const Q0: QueueId = QueueId(0);
const Q1: QueueId = QueueId(1);
const Q2: QueueId = QueueId(2);

/// Two processes with two threads each, three queues, two pages: one process with a queue for each
/// thread, one whose threads share a queue.
pub const TWO_BY_TWO: Topology = Topology {
    name: "2 processes x 2 threads, 3 queues, 2 pages",
    threads: &[Q0, Q1, Q2, Q2],
    queues: 3,
    successor: None,
    pages: 2,
    symmetry: Some(symmetry::two_by_two),
};

/// Two queues with a thread each fight for one page.
pub const ONE_PAGE: Topology = Topology {
    name: "2 threads, 2 queues, 1 page",
    threads: &[Q0, Q1],
    queues: 2,
    successor: None,
    pages: 1,
    symmetry: None,
};

/// Two threads share a queue, a third has its own; one page.
pub const SHARED: Topology = Topology {
    name: "3 threads, 2 queues (1 shared), 1 page",
    threads: &[Q0, Q1, Q1],
    queues: 2,
    successor: None,
    pages: 1,
    symmetry: None,
};

/// Q2 is created in the driver's slot of Q0 when that has been destroyed; one page.
pub const SUCCESSOR: Topology = Topology {
    name: "3 threads, 2 queues and a successor, 1 page",
    threads: &[Q0, Q1, Q2],
    queues: 2,
    successor: Some((Q2, Q0)),
    pages: 1,
    symmetry: None,
};

/// A rule to leave out, and what is then expected.
#[derive(Clone, Debug)]
pub struct Removal {
    /// The rule.
    pub rule: Rule,
    /// The property that no longer holds.
    pub breaks: &'static str,
    /// The smallest configuration in which that is seen. The rule is left out in it.
    pub config: Config,
}

impl Removal {
    /// The same configuration with the rule kept.
    pub fn control(&self) -> Config {
        let mut config = self.config.clone();
        config.without.retain(|rule| *rule != self.rule);
        config
    }
}

fn config(name: &'static str, topology: Topology, budget: Budget) -> Config {
    Config {
        name,
        topology,
        submissions: 1,
        budget,
        order: Order::MappingFirst,
        callback: Callback::Plain,
        watch_at_bind: false,
        without: Vec::new(),
    }
}

/// dxgkrnl's behaviours: what it does about locks, and in which order it writes.
const BEHAVIOURS: [(Callback, Order); 5] = [
    (Callback::Plain, Order::MappingFirst),
    (Callback::Plain, Order::StatusFirst),
    (Callback::Nested, Order::MappingFirst),
    (Callback::Brisk, Order::MappingFirst),
    (Callback::Blocking, Order::MappingFirst),
];

fn under_all_behaviours(base: &Config) -> impl Iterator<Item = Config> {
    BEHAVIOURS
        .map(|(callback, order)| Config {
            order,
            callback,
            ..base.clone()
        })
        .into_iter()
}

/// The configurations of a reduced run, with all rules kept.
pub fn quick() -> Vec<Config> {
    let often = Budget {
        victims: 2,
        ..DISCONNECT
    };
    let one_ring = |base| Config {
        without: vec![Rule::ClientRingsAgain],
        ..base
    };
    let bases = [
        config(
            "disconnect, suspend",
            ONE_PAGE,
            Budget {
                suspends: 1,
                ..DISCONNECT
            },
        ),
        config(
            "abort, destroy",
            ONE_PAGE,
            Budget {
                aborts: 1,
                ..DESTROY
            },
        ),
        config("shared", SHARED, DISCONNECT),
        config(
            "successor",
            SUCCESSOR,
            Budget {
                victims: 2,
                ..DESTROY
            },
        ),
        Config {
            watch_at_bind: true,
            ..one_ring(config("one ring, watched", SHARED, DISCONNECT))
        },
    ];
    let mut suite: Vec<_> = bases.iter().flat_map(under_all_behaviours).collect();
    suite.push(one_ring(config("one ring", ONE_PAGE, often)));
    suite.push(config("victims", TWO_BY_TWO, VICTIMS));
    suite
}

/// The configurations of a full run, with all rules kept.
pub fn full() -> Vec<Config> {
    let disconnect_suspend = Budget {
        suspends: 1,
        ..DISCONNECT
    };
    let deep = Budget {
        victims: 3,
        ..disconnect_suspend
    };
    let three = Budget {
        aborts: 1,
        ..disconnect_suspend
    };
    let often = Budget {
        victims: 2,
        ..DISCONNECT
    };
    let bases = [
        config("shared, often", SHARED, often),
        config(
            "all events",
            ONE_PAGE,
            Budget {
                destroys: 1,
                ..three
            },
        ),
        Config {
            submissions: 3,
            ..config("deep", ONE_PAGE, deep)
        },
        config("victims", TWO_BY_TWO, Budget { victims: 2, ..NONE }),
        config("disconnect", TWO_BY_TWO, DISCONNECT),
        config("suspend", TWO_BY_TWO, SUSPEND),
        config("abort", TWO_BY_TWO, ABORT),
        config("destroy", TWO_BY_TWO, DESTROY),
    ];
    let mut suite = quick();
    suite.extend(bases.iter().flat_map(under_all_behaviours));
    // A removal ends every write of dxgkrnl in the same way: two behaviours differ enough.
    for callback in [Callback::Plain, Callback::Blocking] {
        suite.push(Config {
            callback,
            ..config("removal", TWO_BY_TWO, LOSS)
        });
    }
    suite.push(config(
        "disconnect, suspend",
        TWO_BY_TWO,
        disconnect_suspend,
    ));
    let three = config("disconnect, suspend, abort", TWO_BY_TWO, three);
    suite.push(Config {
        callback: Callback::Blocking,
        ..three
    });
    suite
}

/// A rule that another rule makes redundant: binding need not look if whoever connects rings
/// afterwards.
pub fn redundant() -> Config {
    let often = Budget {
        victims: 2,
        ..DISCONNECT
    };
    Config {
        without: vec![Rule::LookAtBind],
        ..config("no look at bind", SHARED, often)
    }
}

/// A client that relies on the look of the bind although its queue is shared: work is lost with
/// all of the driver's rules kept.
pub fn one_ring_on_a_shared_queue() -> Config {
    Config {
        without: vec![Rule::ClientRingsAgain],
        ..config("one ring, shared", SHARED, VICTIMS)
    }
}

/// Every rule left out, one at a time.
pub fn removals() -> Vec<Removal> {
    let mut removals = losing_work();
    removals.extend(breaking_safety());
    removals.extend(deadlocking());
    removals
}

/// As [`removals`], and what takes too long for a reduced run: a look at the victim that ends a
/// watch loses work even if the callback always writes the status.
pub fn full_removals() -> Vec<Removal> {
    let mut removals = removals();
    let many = config("2 x 2", TWO_BY_TWO, DISCONNECT);
    removals.push(removal(Rule::LookKeepsWatch, property::NOTHING_LOST, many));
    removals
}

fn one_page(budget: Budget) -> Config {
    config("one page", ONE_PAGE, budget)
}

fn shared(budget: Budget) -> Config {
    config("shared", SHARED, budget)
}

fn removal(rule: Rule, breaks: &'static str, mut config: Config) -> Removal {
    config.without.push(rule);
    Removal {
        rule,
        breaks,
        config,
    }
}

fn losing_work() -> Vec<Removal> {
    let twice = |budget| Config {
        submissions: 2,
        ..one_page(budget)
    };
    let brisk = Config {
        callback: Callback::Brisk,
        ..shared(DISCONNECT)
    };
    let trusting = Config {
        without: vec![Rule::ClientRingsAgain],
        ..one_page(VICTIMS)
    };
    [
        (Rule::LookAtVictim, twice(VICTIMS)),
        (Rule::LookAfterCallback, twice(VICTIMS)),
        (Rule::LookKeepsWatch, brisk),
        (Rule::LookAtBind, trusting),
        (Rule::WatchAtDisconnect, twice(DISCONNECT)),
        (Rule::LookAtResume, one_page(SUSPEND)),
        (Rule::ClientRingsAgain, shared(VICTIMS)),
    ]
    .map(|(rule, config)| removal(rule, property::NOTHING_LOST, config))
    .into()
}

fn breaking_safety() -> Vec<Removal> {
    let many = || config("2 x 2", TWO_BY_TWO, VICTIMS);
    let successor = config("successor", SUCCESSOR, DESTROY);
    [
        (
            Rule::CallbackBeforeReuse,
            property::NOT_EXPOSED,
            one_page(VICTIMS),
        ),
        (
            Rule::ClearPage,
            property::NO_FOREIGN_STORE,
            one_page(VICTIMS),
        ),
        (
            Rule::QuarantineAtDisconnect,
            property::NOT_EXPOSED,
            one_page(DISCONNECT),
        ),
        (Rule::RingIsHint, property::RUN_ONCE, shared(VICTIMS)),
        (Rule::MarkVictim, property::ONE_OWNER, many()),
        (Rule::Revalidate, property::ONE_OWNER, many()),
        (Rule::Generations, property::NOT_EXPOSED, successor),
        (
            Rule::OsOrdersMappings,
            property::NOT_EXPOSED,
            one_page(VICTIMS),
        ),
    ]
    .map(|(rule, breaks, config)| removal(rule, breaks, config))
    .into()
}

fn deadlocking() -> Vec<Removal> {
    let nested = Config {
        callback: Callback::Nested,
        ..one_page(VICTIMS)
    };
    let blocking = Config {
        callback: Callback::Blocking,
        ..shared(VICTIMS)
    };
    [
        (Rule::NoLockAcrossCallback, nested),
        (Rule::ConnectNeverWaits, blocking),
    ]
    .map(|(rule, config)| removal(rule, property::NO_DEADLOCK, config))
    .into()
}
