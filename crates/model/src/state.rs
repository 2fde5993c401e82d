//! One state of the modelled machine: plain values, small enough to be kept by the million.

use crate::config::{PAGES, QUEUES, THREADS};

/// A hardware queue and the logical doorbell that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub u8);

/// A physical doorbell page of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId(pub u8);

/// A client thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub u8);

/// Who holds a lock: a client thread inside a kernel call, or the thread of dxgkrnl's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A client thread.
    Thread(ThreadId),
    /// The thread on which dxgkrnl begins operations by itself.
    Os,
}

/// The status word that a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// `DISCONNECTED_RETRY`.
    Retry,
    /// `CONNECTED`.
    Connected,
    /// `DISCONNECTED_ABORT`.
    Abort,
}

/// What the driver knows about a logical doorbell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bell {
    /// Not created yet.
    Absent,
    /// Without a page.
    Disconnected,
    /// At least one thread is connecting it.
    Connecting,
    /// Owns the page.
    Connected(PageId),
    /// Disconnected by the OS; the page stays bound until somebody wants it.
    Lingering(PageId),
    /// Its page is being taken away.
    Revoking(PageId),
    /// Destroyed.
    Destroyed,
}

/// What the driver knows about a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// Unbound and clear.
    Free,
    /// Belongs to a connected doorbell.
    Of(QueueId),
    /// Belongs to a doorbell that the OS disconnected or destroyed.
    Lingering(QueueId),
    /// Belongs to the thread that is taking it away from its owner.
    Revoking,
}

/// A store that the device has not taken from the page yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ring {
    /// The queue through whose doorbell it was stored. The device cannot know this.
    pub from: QueueId,
    /// The write pointer that was stored; zero where nobody looks at it.
    pub value: u8,
}

/// A page: the driver's record and the device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Page {
    /// The driver's record.
    pub owner: Owner,
    /// The device's control register.
    pub bound: Option<QueueId>,
    /// The quadword of the page.
    pub ring: Option<Ring>,
}

/// A queue: its memory, its doorbell at dxgkrnl and at the driver, its state in the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts, in any combination"
)]
pub struct Queue {
    /// The write pointer in memory.
    pub published: u8,
    /// The read pointer: entries that have been run.
    pub run: u8,
    /// Off the run list.
    pub suspended: bool,
    /// The device keeps looking.
    pub watched: bool,
    /// Lost to a reset or a removal; nothing of it will be run.
    pub aborted: bool,
    /// The doorbell's user address is gone.
    pub unmapped: bool,
    /// The status word.
    pub status: Status,
    /// Where the doorbell's user address leads; `None` is the dummy page.
    pub map: Option<PageId>,
    /// dxgkrnl's lock of this doorbell.
    pub os_lock: Option<Actor>,
    /// The driver's record.
    pub bell: Bell,
}

/// How far a thread is, in user mode or inside `D3DKMTConnectDoorbell`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pc {
    /// Between two submissions; it may never make another.
    Idle,
    /// Published, about to ring.
    Ring,
    /// Rang, about to read the status word.
    ReadStatus,
    /// Read RETRY, about to enter the kernel.
    Connect,
    /// In the driver, waiting for a page. Only with [`crate::Rule::ConnectNeverWaits`] off.
    WaitPage,
    /// Has chosen a victim, about to call `DxgkCbDisconnectDoorbell`.
    Call(PageId, QueueId),
    /// In the callback, which is about to call `DxgkDdiDisconnectDoorbell` for the victim.
    Nested(PageId, QueueId),
    /// In the callback, before its second write.
    CallbackSecond(PageId, QueueId),
    /// Back in the driver, about to take the lock and hand the page on.
    HandOn(PageId, QueueId),
    /// `DxgkDdiConnectDoorbell` has returned the page; dxgkrnl is about to do its first write.
    MapFirst(PageId),
    /// dxgkrnl is about to do its second write.
    MapSecond(PageId),
    /// Found its doorbell gone, or aborted.
    Dead,
}

/// A client thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thread {
    /// Where it is.
    pub pc: Pc,
    /// Submissions it has not begun.
    pub left: u8,
    /// The write pointer that it will ring; zero where nobody looks at it.
    pub wrote: u8,
    /// A later disconnect has overtaken its connect: dxgkrnl drops the writes.
    pub stale: bool,
}

impl Thread {
    /// Whether the thread is in the middle of nothing.
    pub fn idle(self) -> bool {
        matches!(self.pc, Pc::Idle | Pc::Dead)
    }
}

/// What dxgkrnl does to a doorbell without being asked by its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OsKind {
    /// Idle engine or D3: disconnect with RETRY.
    Disconnect,
    /// Device in error: disconnect with ABORT.
    Abort,
    /// Destroy, without a disconnect before it.
    Destroy,
}

/// How far dxgkrnl's own operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OsStep {
    /// About to call the DDI.
    Ddi,
    /// About to do its first write.
    First,
    /// About to do its second write.
    Second,
}

/// An operation that dxgkrnl began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OsOp {
    /// What.
    pub kind: OsKind,
    /// To which doorbell.
    pub queue: QueueId,
    /// How far.
    pub step: OsStep,
    /// A later connect has overtaken it.
    pub stale: bool,
}

/// What must never happen, remembered from the step in which it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A store through one queue's doorbell made the device look at another queue.
    ForeignStore,
    /// The device ran an entry again.
    RanTwice,
    /// The device ran an entry that its client had not published.
    RanUnpublished,
}

/// How many more events of each kind may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Budget {
    /// Disconnects begun by the OS.
    pub disconnects: u8,
    /// Aborts of one doorbell.
    pub aborts: u8,
    /// Destroys.
    pub destroys: u8,
    /// Suspends; each is followed by a resume at any later time.
    pub suspends: u8,
    /// Losses of the adapter.
    pub losses: u8,
    /// Choices of a victim that has work to do.
    pub victims: u8,
}

/// The whole machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// Client threads; those beyond the configuration have nothing to submit.
    pub threads: [Thread; THREADS],
    /// Queues; those beyond the configuration are `Absent`.
    pub queues: [Queue; QUEUES],
    /// Pages; those beyond the configuration are `Revoking` and unbound.
    pub pages: [Page; PAGES],
    /// dxgkrnl's own operation.
    pub os: Option<OsOp>,
    /// The driver's doorbell lock.
    pub lock: Option<Actor>,
    /// What may still happen.
    pub budget: Budget,
    /// The adapter is gone.
    pub lost: bool,
    /// What went wrong.
    pub fault: Option<Fault>,
}

impl State {
    /// The thread `t`.
    pub fn thread(&self, t: ThreadId) -> &Thread {
        &self.threads[usize::from(t.0)]
    }

    /// The thread `t`, to be changed.
    pub fn thread_mut(&mut self, t: ThreadId) -> &mut Thread {
        &mut self.threads[usize::from(t.0)]
    }

    /// The queue `q`.
    pub fn queue(&self, q: QueueId) -> &Queue {
        &self.queues[usize::from(q.0)]
    }

    /// The queue `q`, to be changed.
    pub fn queue_mut(&mut self, q: QueueId) -> &mut Queue {
        &mut self.queues[usize::from(q.0)]
    }

    /// The page `p`.
    pub fn page(&self, p: PageId) -> &Page {
        &self.pages[usize::from(p.0)]
    }

    /// The page `p`, to be changed.
    pub fn page_mut(&mut self, p: PageId) -> &mut Page {
        &mut self.pages[usize::from(p.0)]
    }

    /// Whether `actor` could take the driver's lock, which is not recursive.
    pub fn lock_is_free(&self) -> bool {
        self.lock.is_none()
    }

    /// Whether dxgkrnl's lock of `q` is free or held by `actor`.
    pub fn os_lock_open(&self, q: QueueId, actor: Actor) -> bool {
        self.queue(q).os_lock.is_none_or(|holder| holder == actor)
    }
}
