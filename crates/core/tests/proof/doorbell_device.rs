//! The doorbell half of the device as `docs/hardware.md` section 5 has it, with nothing behind it:
//! a queue is a published write pointer and the last one that the device has seen.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use carillon_core::error::{Error, Result};
use carillon_core::handle::OsHandle;
use carillon_core::irql::{Dispatch, Passive};
use carillon_core::notify::Notification;
use carillon_core::platform::{
    Blame, BusMemory, DisconnectOutcome, DisconnectReason, Platform, Ticks,
};
use carillon_hw::addr::{BusAddress, VramOffset};
use carillon_hw::queue::{
    DEVICE_HALF_OFFSET, QUEUE_DESCRIPTOR_BYTES, QueueActivity, QueueDeviceHalf, QueueDriverHalf,
};
use carillon_hw::regs::{
    DOORBELLS_PER_ACCESSED_WORD, DoorbellControl, DoorbellModel, QueueCommand, QueueOperation,
    offset,
};
use parking_lot::Mutex;

use crate::lock::{CountedLock, held};

/// A queue that names no page.
pub(crate) const NO_PAGE: u32 = u32::MAX;
/// Time that one pause takes.
pub(crate) const PAUSE: u64 = 1_000;

#[derive(Default)]
struct Page {
    rung: bool,
    accessed: bool,
    control: DoorbellControl,
    /// The queue that was unbound last, until the device has been made to look at it.
    owed: Option<u32>,
}

#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) published: AtomicU64,
    pub(crate) seen: AtomicU64,
    pub(crate) watched: AtomicBool,
    pub(crate) busy: AtomicBool,
    /// What the descriptor names, one more than the page; 0 for none.
    page: AtomicU32,
}

impl Queue {
    fn look(&self) {
        let published = self.published.load(Ordering::SeqCst);
        self.seen.fetch_max(published, Ordering::SeqCst);
    }

    pub(crate) fn is_seen(&self) -> bool {
        self.seen.load(Ordering::SeqCst) >= self.published.load(Ordering::SeqCst)
    }

    pub(crate) fn page(&self) -> u32 {
        self.page.load(Ordering::SeqCst).wrapping_sub(1)
    }

    fn set_page(&self, page: u32) {
        self.page.store(page.wrapping_add(1), Ordering::SeqCst);
    }
}

type Callback = Box<dyn Fn(OsHandle, OsHandle) -> DisconnectOutcome + Send + Sync>;

pub(crate) struct Device {
    model: DoorbellModel,
    pages: Vec<Mutex<Page>>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) clock: AtomicU64,
    /// Pauses so far.
    pub(crate) pauses: AtomicU64,
    /// Pauses after which a wait counts as endless.
    pub(crate) patience: u64,
    dxgkrnl: OnceLock<Callback>,
}

impl Device {
    pub(crate) fn new(model: DoorbellModel, pages: u32, queues: u32) -> Self {
        Self {
            model,
            pages: (0..pages).map(|_| Mutex::default()).collect(),
            queues: (0..queues).map(|_| Queue::default()).collect(),
            clock: AtomicU64::new(1_000_000),
            pauses: AtomicU64::new(0),
            patience: u64::MAX,
            dxgkrnl: OnceLock::new(),
        }
    }

    pub(crate) fn on_disconnect(
        &self,
        callback: impl Fn(OsHandle, OsHandle) -> DisconnectOutcome + Send + Sync + 'static,
    ) {
        assert!(self.dxgkrnl.set(Box::new(callback)).is_ok());
    }

    /// A client's store to a page.
    pub(crate) fn ring(&self, page: u32) {
        self.pages[page as usize].lock().rung = true;
    }

    /// The device's round: rings first, then what it watches.
    pub(crate) fn poll(&self) {
        for page in 0..self.pages.len() {
            self.poll_page(page);
        }
        for queue in &self.queues {
            if queue.watched.load(Ordering::SeqCst) {
                queue.look();
            }
        }
    }

    fn poll_page(&self, index: usize) {
        let mut page = self.pages[index].lock();
        if !std::mem::take(&mut page.rung) {
            return;
        }
        let Some(owner) = page.control.owner() else {
            return;
        };
        page.accessed = true;
        match self.model {
            DoorbellModel::Dedicated => self.queues[owner.0 as usize].look(),
            DoorbellModel::Global => self.look_at_page(index),
        }
    }

    fn look_at_page(&self, page: usize) {
        for queue in &self.queues {
            if queue.page() as usize == page {
                queue.look();
            }
        }
    }

    /// Rings are found at once: for tests with one thread.
    pub(crate) fn ring_now(&self, page: u32) {
        self.ring(page);
        self.poll_page(page as usize);
    }

    /// What the kernel does for `DxgkDdiNotifyWorkSubmission`.
    pub(crate) fn look(&self, queue: u32) {
        self.command(QueueOperation::Look, queue);
    }

    /// The queue leaves the run list, as it does when its doorbell ends.
    pub(crate) fn deactivate(&self, queue: u32) {
        let queue = &self.queues[queue as usize];
        queue.set_page(NO_PAGE);
        queue.watched.store(false, Ordering::SeqCst);
    }

    pub(crate) fn owner(&self, page: u32) -> Option<u32> {
        let control = self.pages[page as usize].lock().control;
        control.owner().map(|queue| queue.0)
    }

    /// Rings on the page's secondary page count.
    pub(crate) fn watches_both(&self, page: u32) -> bool {
        self.pages[page as usize].lock().control.secondary()
    }

    fn command(&self, operation: QueueOperation, id: u32) {
        let queue = &self.queues[id as usize];
        match operation {
            QueueOperation::Look => {
                for page in &self.pages {
                    let mut page = page.lock();
                    if page.owed == Some(id) {
                        page.owed = None;
                    }
                }
                queue.watched.store(false, Ordering::SeqCst);
                queue.look();
            }
            QueueOperation::Watch => {
                queue.watched.store(true, Ordering::SeqCst);
                queue.look();
            }
            QueueOperation::Reload => {}
            other => panic!("a doorbell has no business with {other:?}"),
        }
    }

    fn control(&self, index: usize, control: DoorbellControl) {
        assert_eq!(held(), 1, "bindings change under the doorbell lock");
        let mut page = self.pages[index].lock();
        let (old, new) = (page.control.owner(), control.owner());
        if self.model == DoorbellModel::Dedicated {
            match (old, new) {
                (Some(old), Some(new)) => assert_eq!(old, new, "page {index} changes hands bound"),
                (Some(old), None) => page.owed = Some(old.0),
                (None, Some(new)) => assert!(
                    page.owed.is_none_or(|owed| owed == new.0),
                    "page {index} goes to {new:?} before the device looked at {:?}",
                    page.owed
                ),
                (None, None) => {}
            }
        }
        page.rung = false;
        page.accessed = false;
        page.control = control;
        let Some(queue) = new else { return };
        match self.model {
            DoorbellModel::Dedicated => {
                page.owed = None;
                let queue = &self.queues[queue.0 as usize];
                queue.watched.store(false, Ordering::SeqCst);
                queue.look();
            }
            DoorbellModel::Global => self.look_at_page(index),
        }
    }

    fn queue_at(&self, at: VramOffset) -> (&Queue, u64) {
        let queue = usize::try_from(at.0 / QUEUE_DESCRIPTOR_BYTES).unwrap();
        (&self.queues[queue], at.0 % QUEUE_DESCRIPTOR_BYTES)
    }
}

impl Platform for Device {
    type PassiveLock = CountedLock;
    type SpinLock = CountedLock;
    type BusMemory = NoMemory;

    fn now(&self) -> Ticks {
        Ticks(self.clock.load(Ordering::SeqCst))
    }

    fn rest(&self, passive: Passive<'_>, _time: Ticks) {
        self.pause(passive);
    }

    fn pause(&self, _passive: Passive<'_>) {
        assert_eq!(held(), 0, "waiting with a lock held");
        let pauses = self.pauses.fetch_add(1, Ordering::SeqCst);
        assert!(pauses < self.patience, "a connect waits without end");
        self.clock.fetch_add(PAUSE, Ordering::SeqCst);
        std::thread::yield_now();
    }

    fn read32(&self, at: u64) -> u32 {
        let word = (at - offset::DOORBELL_ACCESSED) / 4;
        let first = usize::try_from(word).unwrap() * DOORBELLS_PER_ACCESSED_WORD as usize;
        let mut bits = 0;
        for (bit, page) in self.pages[first..].iter().take(32).enumerate() {
            bits |= u32::from(std::mem::take(&mut page.lock().accessed)) << bit;
        }
        bits
    }

    fn read64(&self, at: u64) -> u64 {
        let page = usize::try_from((at - offset::DOORBELL_CONTROL) / 8).unwrap();
        self.pages[page].lock().control.into_bits()
    }

    fn write32(&self, at: u64, _value: u32) {
        panic!("no register at {at:#x}");
    }

    fn write64(&self, at: u64, value: u64) {
        if at == offset::QUEUE_COMMAND {
            let command = QueueCommand::from(value);
            self.command(command.operation().unwrap(), command.queue());
        } else {
            let page = usize::try_from((at - offset::DOORBELL_CONTROL) / 8).unwrap();
            self.control(page, DoorbellControl::from_bits(value));
        }
    }

    fn vram_bytes(&self) -> u64 {
        self.queues.len() as u64 * QUEUE_DESCRIPTOR_BYTES
    }

    fn vram_load32(&self, at: VramOffset) -> u32 {
        let (queue, field) = self.queue_at(at);
        let activity = core::mem::offset_of!(QueueDeviceHalf, activity) as u64;
        assert_eq!(field, DEVICE_HALF_OFFSET + activity);
        if queue.busy.load(Ordering::SeqCst) {
            QueueActivity::BUSY.0
        } else {
            !QueueActivity::BUSY.0
        }
    }

    fn vram_load64(&self, at: VramOffset) -> u64 {
        panic!("the manager has no quadword to read at {at}");
    }

    fn vram_store64(&self, at: VramOffset, value: u64) {
        let (queue, field) = self.queue_at(at);
        assert_eq!(field, QueueDriverHalf::PAGE_WORD);
        queue.set_page(u32::try_from(value).unwrap());
    }

    fn allocate_bus_memory(&self, _passive: Passive<'_>, _bytes: usize) -> Result<NoMemory> {
        Err(Error::NoMemory)
    }

    fn disconnect_doorbell(
        &self,
        _passive: Passive<'_>,
        queue: OsHandle,
        doorbell: OsHandle,
        reason: DisconnectReason,
    ) -> DisconnectOutcome {
        assert_eq!(held(), 0, "a lock is held across DxgkCbDisconnectDoorbell");
        assert_eq!(reason, DisconnectReason::Retry);
        self.dxgkrnl.get().unwrap()(queue, doorbell)
    }

    fn invalidate_context(&self, _passive: Passive<'_>, context: OsHandle, _blame: Blame) {
        panic!("no engine is reset, but the OS is told of {context:?}");
    }

    fn notify(&self, _dispatch: Dispatch<'_>, notification: &Notification) -> bool {
        panic!("a doorbell has nothing to report: {notification:?}");
    }

    fn queue_dpc(&self) {}
}

/// Bus memory that is never there.
pub(crate) struct NoMemory;

impl BusMemory for NoMemory {
    fn address(&self) -> BusAddress {
        BusAddress(0)
    }

    fn bytes(&self) -> usize {
        0
    }

    fn load64(&self, _offset: usize) -> u64 {
        0
    }

    fn store64(&self, _offset: usize, _value: u64) {}
}
