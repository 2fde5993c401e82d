//! Interrupts and deferred procedures: delivery to the driver, and what it reports back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use carillon_ddi::{BOOLEAN, NTSTATUS, PKSYNCHRONIZE_ROUTINE, PVOID};
use parking_lot::{Condvar, Mutex};

use super::notification::{self, Notification};
use super::{breach, with_adapter};
use crate::dxgk::adapter::Adapter;
use crate::nt::DriverAddr;
use crate::trap::boundary;
use crate::verifier::irql::{self, Irql};
use crate::verifier::thread;

/// How often what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InterruptCounts {
    /// Calls of the interrupt routine.
    pub interrupts: u64,
    /// Those that the driver did not claim.
    pub unclaimed: u64,
    /// Calls of the deferred procedure.
    pub dpcs: u64,
    /// Notifications.
    pub notifications: u64,
}

/// The OS's side of an adapter's interrupt.
#[derive(Debug, Default)]
pub struct Interrupts {
    /// The interrupt lock, held around the interrupt routine and synchronized routines.
    lock: Mutex<()>,
    /// Number of the thread that holds it; 0 for none.
    holder: AtomicU64,
    connected: AtomicBool,
    notifying: AtomicBool,
    /// A notification was made for which no deferred procedure was queued yet.
    owes_dpc: AtomicBool,
    dpc: Mutex<Dpc>,
    dpc_changed: Condvar,
    reported: Mutex<Vec<Notification>>,
    delivered: AtomicU64,
    unclaimed: AtomicU64,
    dpcs: AtomicU64,
    notifications: AtomicU64,
}

#[derive(Debug, Default)]
struct Dpc {
    queued: bool,
    running: bool,
    closed: bool,
}

impl Interrupts {
    /// Counts so far.
    pub fn counts(&self) -> InterruptCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        InterruptCounts {
            interrupts: count(&self.delivered),
            unclaimed: count(&self.unclaimed),
            dpcs: count(&self.dpcs),
            notifications: count(&self.notifications),
        }
    }

    /// Connects the interrupt: from now on the routine may run.
    pub(crate) fn connect(&self) {
        *self.dpc.lock() = Dpc::default();
        self.connected.store(true, Ordering::SeqCst);
    }

    /// Disconnects the interrupt and waits for the deferred procedure to have run.
    pub(crate) fn disconnect(&self) {
        let held = self.lock.lock();
        self.connected.store(false, Ordering::SeqCst);
        drop(held);
        let mut dpc = self.dpc.lock();
        while (dpc.queued || dpc.running) && !dpc.closed {
            self.dpc_changed.wait(&mut dpc);
        }
    }

    /// Ends the thread of the deferred procedure.
    pub(crate) fn close(&self) {
        self.dpc.lock().closed = true;
        self.dpc_changed.notify_all();
    }

    /// Runs `f` at device level with the interrupt lock held.
    ///
    /// A thread that holds the lock already ends the driver call: on a real machine it would spin
    /// for ever.
    pub(crate) fn synchronized<R>(&self, f: impl FnOnce() -> R) -> R {
        let me = thread::number();
        if self.holder.load(Ordering::SeqCst) == me {
            breach(String::from(
                "the interrupt lock is acquired by the thread that holds it",
            ));
            boundary::abandon();
        }
        let _held = self.lock.lock();
        self.holder.store(me, Ordering::SeqCst);
        let _level = irql::enter(Irql::DEVICE);
        let result = f();
        self.holder.store(0, Ordering::SeqCst);
        result
    }

    fn queue_dpc(&self) -> bool {
        self.owes_dpc.store(false, Ordering::SeqCst);
        let mut dpc = self.dpc.lock();
        let fresh = !dpc.queued;
        dpc.queued = true;
        self.dpc_changed.notify_all();
        fresh
    }

    /// Waits for a queued deferred procedure and takes it; false at the end.
    fn take_dpc(&self) -> bool {
        let mut dpc = self.dpc.lock();
        while !dpc.queued && !dpc.closed {
            self.dpc_changed.wait(&mut dpc);
        }
        if dpc.closed {
            return false;
        }
        dpc.queued = false;
        dpc.running = true;
        true
    }

    fn dpc_done(&self) {
        self.dpc.lock().running = false;
        self.dpc_changed.notify_all();
    }
}

impl Adapter {
    /// Delivers one message to the interrupt routine; true if the driver claimed it. A message
    /// that no device sent is a spurious interrupt.
    pub fn deliver_interrupt(&self) -> bool {
        let interrupts = self.interrupts();
        let _attached = self.driver().nt().attach();
        let (claimed, owes_dpc) = interrupts.synchronized(|| {
            if !interrupts.connected.load(Ordering::SeqCst) {
                return (false, false);
            }
            interrupts.delivered.fetch_add(1, Ordering::Relaxed);
            // What a deferred procedure reported under the same lock is not the routine's.
            interrupts.owes_dpc.store(false, Ordering::SeqCst);
            let claimed = self
                .driver()
                .interrupt_routine(self.context(), 0)
                .unwrap_or(false);
            (claimed, interrupts.owes_dpc.swap(false, Ordering::SeqCst))
        });
        if owes_dpc {
            self.driver().breach(String::from(
                "DxgkDdiInterruptRoutine reported by DxgkCbNotifyInterrupt and returned without \
                 DxgkCbQueueDpc",
            ));
        }
        if !claimed {
            interrupts.unclaimed.fetch_add(1, Ordering::Relaxed);
        }
        claimed
    }

    /// The thread that takes messages off the line.
    pub(crate) fn interrupt_thread(&self) {
        while self.device().line().wait() {
            self.deliver_interrupt();
        }
    }

    /// The thread that runs the deferred procedure.
    pub(crate) fn dpc_thread(&self) {
        let interrupts = self.interrupts();
        while interrupts.take_dpc() {
            interrupts.dpcs.fetch_add(1, Ordering::Relaxed);
            // The verifier has what went wrong; waiting notifications stay with the adapter.
            let _ = self.driver().dpc_routine(self.context());
            interrupts.dpc_done();
        }
    }

    /// Runs `f` as the OS does what is synchronized with the interrupt routine: at device level,
    /// with the interrupt lock held.
    pub fn synchronized_with_interrupt<R>(&self, f: impl FnOnce() -> R) -> R {
        let _attached = self.driver().nt().attach();
        self.interrupts().synchronized(f)
    }

    fn notified(&self, data: DriverAddr) {
        let interrupts = self.interrupts();
        if interrupts.holder.load(Ordering::SeqCst) != thread::number() {
            breach(String::from(
                "DxgkCbNotifyInterrupt called outside of the interrupt routine and of \
                 DxgkCbSynchronizeExecution",
            ));
        }
        if interrupts.notifying.swap(true, Ordering::SeqCst) {
            breach(String::from("DxgkCbNotifyInterrupt was re-entered"));
        }
        let decoded = notification::decode(data);
        for what in decoded.breaches {
            breach(what);
        }
        if let Some(notification) = decoded.notification {
            self.record(notification);
        }
        interrupts.notifying.store(false, Ordering::SeqCst);
    }

    fn record(&self, notification: Notification) {
        let interrupts = self.interrupts();
        let nodes = self.node_count();
        if let Some(on) = notification.engine()
            && (on.engine != 0 || nodes.is_some_and(|nodes| on.node >= nodes))
        {
            breach(format!(
                "notification about an engine that does not exist: {notification:?}"
            ));
        }
        interrupts.notifications.fetch_add(1, Ordering::Relaxed);
        interrupts.owes_dpc.store(true, Ordering::SeqCst);
        if let Some(sink) = self.notifications() {
            sink.at_interrupt(&notification);
        }
        interrupts.reported.lock().push(notification);
    }

    fn flush_notifications(&self) {
        let reported = std::mem::take(&mut *self.interrupts().reported.lock());
        if let Some(sink) = self.notifications() {
            for notification in reported {
                sink.at_dpc(notification);
            }
        }
    }
}

pub(super) extern "win64" fn notify_interrupt(adapter: DriverAddr, data: DriverAddr) {
    with_adapter("DxgkCbNotifyInterrupt", adapter, |adapter| {
        adapter.notified(data);
    });
}

pub(super) extern "win64" fn notify_dpc(adapter: DriverAddr) {
    with_adapter("DxgkCbNotifyDpc", adapter, Adapter::flush_notifications_of);
}

impl Adapter {
    fn flush_notifications_of(adapter: &Arc<Self>) {
        adapter.flush_notifications();
    }
}

pub(super) extern "win64" fn queue_dpc(adapter: DriverAddr) -> BOOLEAN {
    let queued = with_adapter("DxgkCbQueueDpc", adapter, |adapter| {
        adapter.interrupts().queue_dpc()
    });
    BOOLEAN::from(queued.unwrap_or(false))
}

pub(super) extern "win64" fn synchronize_execution(
    adapter: DriverAddr,
    routine: Option<PKSYNCHRONIZE_ROUTINE>,
    context: PVOID,
    message: u32,
    result: DriverAddr,
) -> NTSTATUS {
    const CALLBACK: &str = "DxgkCbSynchronizeExecution";
    let Some(routine) = routine.filter(|_| message == 0) else {
        breach(format!(
            "{CALLBACK} without a routine, or for message {message}"
        ));
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    };
    let outcome = with_adapter(CALLBACK, adapter, |adapter| {
        if !adapter.interrupts().connected.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let nt = adapter.driver().nt();
        let returned = adapter.interrupts().synchronized(|| {
            nt.ddi_call("synchronized routine", Irql::DEVICE, || {
                // SAFETY: the driver passed the routine to be called with this context.
                unsafe { routine(context) }
            })
        });
        returned.map(Some)
    });
    match outcome {
        Some(Ok(Some(value))) => {
            if !result.is_null() {
                result.write::<u8>(value);
            }
            NTSTATUS::STATUS_SUCCESS
        }
        Some(Ok(None)) => NTSTATUS::STATUS_UNSUCCESSFUL,
        Some(Err(_)) => boundary::abandon(),
        None => NTSTATUS::STATUS_INVALID_PARAMETER,
    }
}
