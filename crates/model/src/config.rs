//! What is checked: the machine's size, how dxgkrnl behaves, and which rule is left out.

use crate::state::{Budget, QueueId, State, ThreadId};

/// Most threads of a configuration.
pub const THREADS: usize = 4;
/// Most queues of a configuration.
pub const QUEUES: usize = 4;
/// Most pages of a configuration.
pub const PAGES: usize = 2;

/// A rule of the protocol. Each can be left out; `docs/model.md` tells what then goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// The device looks at the victim once its page is unbound.
    LookAtVictim,
    /// That look comes after the callback, not before it.
    LookAfterCallback,
    /// That look leaves the queue watched, as the victim may have been disconnected by the OS as well.
    LookKeepsWatch,
    /// The page is handed on only after the callback has returned.
    CallbackBeforeReuse,
    /// A page that changes hands is cleared, with what the device remembers of it.
    ClearPage,
    /// Binding looks at the new owner.
    LookAtBind,
    /// A queue that the OS disconnects is watched.
    WatchAtDisconnect,
    /// A page that the OS disconnects is handed on by way of the callback only.
    QuarantineAtDisconnect,
    /// Resuming a queue looks at it.
    LookAtResume,
    /// No lock is held across the callback.
    NoLockAcrossCallback,
    /// The device looks at the write pointer and ignores the value that was rung.
    RingIsHint,
    /// Victim and page are marked under the lock, so that nobody else chooses them.
    MarkVictim,
    /// After the callback the victim and the connecting doorbell are examined again.
    Revalidate,
    /// Handles carry generations.
    Generations,
    /// A connect that finds every page changing hands is refused and does not wait.
    ConnectNeverWaits,
    /// A client that has connected rings again.
    ClientRingsAgain,
    /// dxgkrnl drops a connect's mapping when a disconnect has overtaken it.
    OsOrdersMappings,
}

/// In which order dxgkrnl moves a mapping and writes the status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As both disconnect texts have it.
    MappingFirst,
    /// The other way round.
    StatusFirst,
}

/// What dxgkrnl does around its locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Callback {
    /// Its lock of a doorbell covers its two writes only.
    Plain,
    /// As plain, and `DxgkCbDisconnectDoorbell` calls `DxgkDdiDisconnectDoorbell` for the victim.
    Nested,
    /// As plain, but where the mapping has moved already the callback returns at once, although
    /// the thread that is disconnecting has yet to write the status.
    Brisk,
    /// Its lock of a doorbell covers whole calls, so a callback waits for another thread's DDI.
    Blocking,
}

/// How the client's threads are spread over queues.
#[derive(Clone, Copy, Debug)]
pub struct Topology {
    /// How it is named in tables.
    pub name: &'static str,
    /// The queue of each thread.
    pub threads: &'static [QueueId],
    /// Queues that exist at the start.
    pub queues: usize,
    /// A queue that is created in the driver's slot of a destroyed queue: (new, old).
    pub successor: Option<(QueueId, QueueId)>,
    /// Doorbell pages.
    pub pages: usize,
    /// Maps a state to one that behaves in the same way.
    pub symmetry: Option<fn(&State) -> State>,
}

/// One run of the checker.
#[derive(Clone, Debug)]
pub struct Config {
    /// How it is named in tables.
    pub name: &'static str,
    /// Threads, queues, pages.
    pub topology: Topology,
    /// Submissions of each thread.
    pub submissions: u8,
    /// Events.
    pub budget: Budget,
    /// The order of dxgkrnl's writes.
    pub order: Order,
    /// The locks of dxgkrnl.
    pub callback: Callback,
    /// The driver has the device watch a queue from bind until a ring arrives.
    pub watch_at_bind: bool,
    /// Rules left out.
    pub without: Vec<Rule>,
}

impl Config {
    /// Whether `rule` is kept.
    pub fn keeps(&self, rule: Rule) -> bool {
        !self.without.contains(&rule)
    }

    /// The threads of the configuration.
    pub fn threads(&self) -> impl Iterator<Item = ThreadId> + use<> {
        (0..u8::try_from(self.topology.threads.len()).expect("few threads")).map(ThreadId)
    }

    /// The queues that exist or may come to exist.
    pub fn queues(&self) -> impl Iterator<Item = QueueId> + use<> {
        let count = self.topology.queues + usize::from(self.topology.successor.is_some());
        (0..u8::try_from(count).expect("few queues")).map(QueueId)
    }

    /// The queue of `thread`.
    pub fn queue_of(&self, thread: ThreadId) -> QueueId {
        self.topology.threads[usize::from(thread.0)]
    }
}
