//! Requests of a tool, and the wish to be notified.

use carillon_hw::escape::{EscapeCounters, EscapeData, EscapeRequest};
use zerocopy::{FromBytes, IntoBytes};

use super::*;
use crate::doorbell::DoorbellKind;
use crate::objects::ProcessKind;

fn connect(adapter: &Adapter<Fake>, doorbell: Handle<DoorbellKind>) -> bool {
    let connection = adapter.connect_doorbell(PASSIVE, doorbell, Locations::Primary);
    connection.unwrap().notify
}

fn create(adapter: &Adapter<Fake>, o: &Objects) -> Handle<DoorbellKind> {
    let new = doorbell(o, private_data().as_bytes());
    adapter.create_doorbell(PASSIVE, &new).unwrap().handle
}

fn process_of(adapter: &Adapter<Fake>, o: &Objects) -> Handle<ProcessKind> {
    let tables = adapter.tables.lock();
    tables.process_of_queue(o.queue).unwrap()
}

/// The OS names everything.
fn caller(adapter: &Adapter<Fake>, o: &Objects) -> EscapeCaller {
    EscapeCaller {
        device: o.device.bits(),
        context: o.context.bits(),
        process: process_of(adapter, o).bits(),
    }
}

fn ask(
    adapter: &Adapter<Fake>,
    caller: &EscapeCaller,
    request: EscapeRequest,
) -> Result<EscapeCounters> {
    let data = EscapeData::new(request);
    let reply = adapter.escape(PASSIVE, caller, data.as_bytes())?;
    Ok(reply.counters)
}

/// contract: NTF-005, NTF-006, NTF-008
#[test]
fn a_tool_switches_the_notify_of_its_own_queue_and_reads_the_counters() {
    let adapter = start();
    let o = objects(&adapter);
    let handle = create(&adapter, &o);
    let caller = caller(&adapter, &o);
    let queue = queue_id(o.queue);
    assert!(!connect(&adapter, handle));
    let set = |notify| {
        ask(
            &adapter,
            &caller,
            EscapeRequest::SetNotify { queue, notify },
        )
    };
    let counters = || ask(&adapter, &caller, EscapeRequest::Counters { queue }).unwrap();
    set(true).unwrap();
    let deeds = adapter.platform.take_deeds();
    assert!(deeds.contains(&Deed::Callback(OsHandle(0xE0))));
    assert!(connect(&adapter, handle));
    adapter.platform.take_deeds();
    set(true).unwrap();
    assert_eq!(adapter.platform.take_deeds(), [], "nothing to change");
    adapter.notify_work_submission(PASSIVE, o.queue);
    adapter.disconnect_doorbell(PASSIVE, handle);
    set(false).unwrap();
    assert!(!connect(&adapter, handle));
    adapter
        .platform
        .set_queue(queue, |half| half.useful_looks = 9);
    let expected = EscapeCounters {
        connects: 3,
        disconnects: 1,
        victimized: 0,
        notifies: 1,
        useful_looks: 9,
        changed: 1,
    };
    assert_eq!(counters(), expected);
    let all = adapter.doorbell_counters();
    assert_eq!((all.changed, all.notifies, all.notify_connects), (1, 1, 1));
    adapter.surprise_removed(PASSIVE);
    let expected = EscapeCounters {
        useful_looks: 0,
        ..expected
    };
    assert_eq!(counters(), expected, "what the driver knows stays");
}

/// contract: SEC-001
#[test]
fn an_escape_reaches_user_mode_queues_of_the_caller_only() {
    let adapter = start();
    let (o, other) = (objects(&adapter), objects(&adapter));
    let handle = create(&adapter, &o);
    create(&adapter, &other);
    let kernel = queue(&adapter, o.context, Submission::KernelMode);
    let bare = queue(&adapter, o.context, Submission::UserMode);
    let mine = caller(&adapter, &o);
    let none = EscapeCaller {
        device: 0,
        context: 0,
        process: 0,
    };
    let theirs = caller(&adapter, &other);
    let refused = |caller: &EscapeCaller, queue| {
        for request in [
            EscapeRequest::Counters { queue },
            EscapeRequest::SetNotify {
                queue,
                notify: true,
            },
        ] {
            let result = ask(&adapter, caller, request);
            assert_eq!(
                result,
                Err(Error::InvalidParameter),
                "{caller:?} {request:?}"
            );
        }
    };
    let queue = queue_id(o.queue);
    for id in [
        QueueId(0),
        QueueId(NODE_QUEUES - 1),
        queue_id(other.queue),
        queue_id(kernel),
        queue_id(bare),
        QueueId(u32::MAX),
    ] {
        refused(&mine, id);
    }
    for caller in [
        none,
        theirs,
        EscapeCaller {
            process: theirs.process,
            ..mine
        },
        EscapeCaller {
            device: theirs.device,
            ..mine
        },
        EscapeCaller {
            context: theirs.context,
            ..mine
        },
        EscapeCaller {
            process: o.device.bits(),
            ..mine
        },
        EscapeCaller {
            process: mine.process + (1 << 40),
            ..mine
        },
        EscapeCaller {
            device: u64::MAX,
            ..mine
        },
    ] {
        refused(&caller, queue);
    }
    assert!(!connect(&adapter, handle), "nobody has changed anything");
    for caller in [
        EscapeCaller {
            process: mine.process,
            ..none
        },
        EscapeCaller {
            device: mine.device,
            ..none
        },
        EscapeCaller {
            context: mine.context,
            ..none
        },
    ] {
        let counters = ask(&adapter, &caller, EscapeRequest::Counters { queue });
        assert_eq!(counters.map(|found| found.connects), Ok(1));
    }
}

/// contract: SEC-001
#[test]
fn an_escape_that_does_not_parse_is_refused() {
    let adapter = start();
    let o = objects(&adapter);
    create(&adapter, &o);
    let caller = caller(&adapter, &o);
    let queue = queue_id(o.queue);
    let good = EscapeData::new(EscapeRequest::Counters { queue });
    let bytes = good.as_bytes();
    for size in 0..EscapeData::BYTES {
        let result = adapter.escape(PASSIVE, &caller, &bytes[..size]);
        assert_eq!(result, Err(Error::InvalidParameter), "{size} bytes");
    }
    for (at, value) in [(0, 2), (2, 3), (2, 0), (8, 1), (12, 1)] {
        let mut words = bytes.to_vec();
        words[at] = value;
        let result = adapter.escape(PASSIVE, &caller, &words);
        assert_eq!(result, Err(Error::InvalidParameter), "byte {at}");
    }
    // What is left in the outputs does not matter, and the rest comes back as it was.
    let mut words = bytes.to_vec();
    words[16..].fill(0xFF);
    let reply = adapter.escape(PASSIVE, &caller, &words).unwrap();
    assert_eq!(reply.counters, EscapeCounters::default());
    assert_eq!(reply.as_bytes()[..16], bytes[..16]);
    assert!(EscapeData::read_from_bytes(reply.as_bytes()).is_ok());
}

/// Both doorbells of a queue that changes its ring belong to the wish.
#[test]
fn a_wish_is_every_doorbells_of_the_queue() {
    let adapter = start();
    let o = objects(&adapter);
    let old = create(&adapter, &o);
    connect(&adapter, old);
    let mut new = doorbell(&o, private_data().as_bytes());
    new.resize = true;
    let new = adapter.create_doorbell(PASSIVE, &new).unwrap().handle;
    let queue = queue_id(o.queue);
    let request = EscapeRequest::SetNotify {
        queue,
        notify: true,
    };
    ask(&adapter, &caller(&adapter, &o), request).unwrap();
    assert!(connect(&adapter, new));
    assert!(connect(&adapter, old));
}

/// contract: DBC-029
#[test]
fn a_wish_formed_at_create_is_delivered_by_the_connect() {
    for notify in [false, true] {
        let settings = Settings {
            notify,
            ..Settings::default()
        };
        let ordinal = AdapterOrdinal::new(0).unwrap();
        let adapter = Adapter::start(PASSIVE, ordinal, Fake::new(2, VRAM), &settings).unwrap();
        let o = objects(&adapter);
        let handle = create(&adapter, &o);
        assert_eq!(connect(&adapter, handle), notify);
        assert_eq!(connect(&adapter, handle), notify, "and by each after it");
    }
}
