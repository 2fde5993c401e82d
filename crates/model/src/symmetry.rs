//! States that differ only in names: the checker visits one of each family.

use crate::config::{PAGES, QUEUES, THREADS};
use crate::state::{
    Actor, Bell, OsOp, Owner, Page, PageId, Pc, Queue, QueueId, Ring, State, Thread, ThreadId,
};

/// New names for threads, queues and pages.
#[derive(Clone, Copy)]
struct Renaming {
    threads: [u8; THREADS],
    queues: [u8; QUEUES],
    pages: [u8; PAGES],
}

const SAME: Renaming = Renaming {
    threads: [0, 1, 2, 3],
    queues: [0, 1, 2, 3],
    pages: [0, 1],
};

/// Two processes with two threads each: T0 on Q0, T1 on Q1; T2 and T3 share Q2; two pages.
///
/// What decides about a name does not mention names, so that a family is rarely split; a split
/// family is visited more than once and nothing worse.
pub(crate) fn two_by_two(state: &State) -> State {
    let mut to = SAME;
    let place = |t: usize| (rank(state.threads[t].pc), state.threads[t].left);
    let queue = |q: usize| {
        let queue = state.queues[q];
        (
            queue.published,
            queue.run,
            queue.status,
            queue.map.is_some(),
            queue.watched,
        )
    };
    if (place(0), queue(0), state.queues[0].aborted) > (place(1), queue(1), state.queues[1].aborted)
    {
        to.threads.swap(0, 1);
        to.queues.swap(0, 1);
    }
    if place(2) > place(3) {
        to.threads.swap(2, 3);
    }
    let half = rename(state, to);
    half.min(rename(
        &half,
        Renaming {
            pages: [1, 0],
            ..SAME
        },
    ))
}

fn rank(pc: Pc) -> u8 {
    match pc {
        Pc::Idle => 0,
        Pc::Ring => 1,
        Pc::ReadStatus => 2,
        Pc::Connect => 3,
        Pc::WaitPage => 4,
        Pc::Call(..) => 5,
        Pc::Nested(..) => 6,
        Pc::CallbackSecond(..) => 7,
        Pc::HandOn(..) => 8,
        Pc::MapFirst(_) => 9,
        Pc::MapSecond(_) => 10,
        Pc::Dead => 11,
    }
}

impl Renaming {
    fn thread(self, t: ThreadId) -> ThreadId {
        ThreadId(self.threads[usize::from(t.0)])
    }

    fn queue(self, q: QueueId) -> QueueId {
        QueueId(self.queues[usize::from(q.0)])
    }

    fn page(self, p: PageId) -> PageId {
        PageId(self.pages[usize::from(p.0)])
    }

    fn actor(self, actor: Actor) -> Actor {
        match actor {
            Actor::Thread(t) => Actor::Thread(self.thread(t)),
            Actor::Os => Actor::Os,
        }
    }

    fn pc(self, pc: Pc) -> Pc {
        match pc {
            Pc::Idle | Pc::Ring | Pc::ReadStatus | Pc::Connect | Pc::WaitPage | Pc::Dead => pc,
            Pc::Call(p, q) => Pc::Call(self.page(p), self.queue(q)),
            Pc::Nested(p, q) => Pc::Nested(self.page(p), self.queue(q)),
            Pc::CallbackSecond(p, q) => Pc::CallbackSecond(self.page(p), self.queue(q)),
            Pc::HandOn(p, q) => Pc::HandOn(self.page(p), self.queue(q)),
            Pc::MapFirst(p) => Pc::MapFirst(self.page(p)),
            Pc::MapSecond(p) => Pc::MapSecond(self.page(p)),
        }
    }

    fn bell(self, bell: Bell) -> Bell {
        match bell {
            Bell::Absent | Bell::Disconnected | Bell::Connecting | Bell::Destroyed => bell,
            Bell::Connected(p) => Bell::Connected(self.page(p)),
            Bell::Lingering(p) => Bell::Lingering(self.page(p)),
            Bell::Revoking(p) => Bell::Revoking(self.page(p)),
        }
    }

    fn owner(self, owner: Owner) -> Owner {
        match owner {
            Owner::Free | Owner::Revoking => owner,
            Owner::Of(q) => Owner::Of(self.queue(q)),
            Owner::Lingering(q) => Owner::Lingering(self.queue(q)),
        }
    }
}

fn rename(state: &State, to: Renaming) -> State {
    let State {
        threads,
        queues,
        pages,
        os,
        lock,
        budget,
        lost,
        fault,
    } = *state;
    let mut renamed = State {
        os: os.map(|op| OsOp {
            queue: to.queue(op.queue),
            ..op
        }),
        lock: lock.map(|actor| to.actor(actor)),
        budget,
        lost,
        fault,
        ..*state
    };
    for (thread, t) in threads.into_iter().zip(0..) {
        *renamed.thread_mut(to.thread(ThreadId(t))) = Thread {
            pc: to.pc(thread.pc),
            ..thread
        };
    }
    for (queue, q) in queues.into_iter().zip(0..) {
        *renamed.queue_mut(to.queue(QueueId(q))) = Queue {
            map: queue.map.map(|p| to.page(p)),
            os_lock: queue.os_lock.map(|actor| to.actor(actor)),
            bell: to.bell(queue.bell),
            ..queue
        };
    }
    for (page, p) in pages.into_iter().zip(0..) {
        *renamed.page_mut(to.page(PageId(p))) = Page {
            owner: to.owner(page.owner),
            bound: page.bound.map(|q| to.queue(q)),
            ring: page.ring.map(|ring| Ring {
                from: to.queue(ring.from),
                ..ring
            }),
        };
    }
    renamed
}
