//! The manager under real threads: clients that publish and ring, an OS that moves mappings, and a
//! device that looks, all at once. Every submission has to be found.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use carillon_core::doorbell::manager::{Manager, ManagerSettings};
use carillon_core::doorbell::{DoorbellKind, Locations, NewDoorbell, ProcessTag, State};
use carillon_core::handle::{AdapterOrdinal, Handle, OsHandle};
use carillon_core::irql::Passive;
use carillon_core::platform::{DisconnectOutcome, Ticks};
use carillon_hw::addr::VramOffset;
use carillon_hw::queue::{ContextId, QueueId};
use carillon_hw::regs::DoorbellModel;
use parking_lot::Mutex;

use crate::doorbell_device::{Device, NO_PAGE};

const CLIENTS: u32 = 6;
const PAGES: u32 = 2;
/// How long the clients submit.
const DURATION: Duration = Duration::from_millis(800);
/// Long enough for any machine: a submission that is not found by then never will be.
const LOST: Duration = Duration::from_secs(30);

const RETRY: u32 = 0;
const CONNECTED: u32 = 1;
const NOTIFY: u32 = 2;

/// What the OS and a client share of a doorbell.
struct Shared {
    /// Rotations so far. A connect in whose course one happened maps nothing: its client finds
    /// RETRY and comes again.
    rotations: Mutex<u64>,
    mapping: AtomicU32,
    status: AtomicU32,
}

impl Shared {
    fn rotate(&self, status_first: bool) {
        let mut rotations = self.rotations.lock();
        *rotations += 1;
        if status_first {
            self.status.store(RETRY, Ordering::SeqCst);
            std::thread::yield_now();
            self.mapping.store(NO_PAGE, Ordering::SeqCst);
        } else {
            self.mapping.store(NO_PAGE, Ordering::SeqCst);
            std::thread::yield_now();
            self.status.store(RETRY, Ordering::SeqCst);
        }
    }
}

struct Machine {
    device: Device,
    manager: Manager<Device>,
    shared: Vec<Shared>,
    stop: AtomicBool,
}

fn machine(model: DoorbellModel) -> Arc<Machine> {
    let settings = ManagerSettings {
        model,
        pages: PAGES,
        doorbells: CLIENTS,
        residence: Ticks(100),
        queue_table: VramOffset(0),
        notify: false,
    };
    Arc::new_cyclic(|machine: &std::sync::Weak<Machine>| {
        let device = Device::new(model, PAGES, CLIENTS);
        let machine = machine.clone();
        device.on_disconnect(move |_, bell| {
            let machine = machine.upgrade().unwrap();
            let shared = &machine.shared[bell.0 - 1];
            shared.rotate(bell.0 % 2 == 0);
            DisconnectOutcome::Rotated
        });
        let shared = || Shared {
            rotations: Mutex::new(0),
            mapping: AtomicU32::new(NO_PAGE),
            status: AtomicU32::new(RETRY),
        };
        Machine {
            device,
            manager: Manager::new(AdapterOrdinal::new(0).unwrap(), &settings).unwrap(),
            shared: (0..CLIENTS).map(|_| shared()).collect(),
            stop: AtomicBool::new(false),
        }
    })
}

impl Machine {
    fn create(&self, client: u32) -> Handle<DoorbellKind> {
        let new = NewDoorbell {
            os: OsHandle(1 + client as usize),
            os_queue: OsHandle(100 + client as usize),
            queue: QueueId(client),
            context: ContextId(client),
            process: ProcessTag(u64::from(client / 2)),
        };
        self.manager.create(Passive::entered(), &new).unwrap()
    }

    fn connect(&self, client: u32, handle: Handle<DoorbellKind>) {
        let shared = &self.shared[client as usize];
        let before = *shared.rotations.lock();
        let connection = self
            .manager
            .connect(Passive::entered(), &self.device, handle, Locations::Primary)
            .unwrap();
        let rotations = shared.rotations.lock();
        if *rotations != before {
            return;
        }
        shared
            .mapping
            .store(connection.page.index(), Ordering::SeqCst);
        let status = if connection.notify { NOTIFY } else { CONNECTED };
        shared.status.store(status, Ordering::SeqCst);
    }

    fn disconnect(&self, client: u32, handle: Handle<DoorbellKind>) {
        let shared = &self.shared[client as usize];
        self.manager
            .disconnect(Passive::entered(), &self.device, handle);
        std::thread::yield_now();
        shared.rotate(client.is_multiple_of(2));
    }

    /// Publishes one submission and rings until the status says that it was heard.
    fn submit(&self, client: u32, handle: Handle<DoorbellKind>) {
        let queue = &self.device.queues[client as usize];
        let shared = &self.shared[client as usize];
        queue.published.fetch_add(1, Ordering::SeqCst);
        loop {
            let mapping = shared.mapping.load(Ordering::SeqCst);
            // The mapping may move between the address and the store.
            if client.is_multiple_of(3) {
                std::thread::yield_now();
            }
            if mapping != NO_PAGE {
                self.device.ring(mapping);
            }
            match shared.status.load(Ordering::SeqCst) {
                CONNECTED => return,
                NOTIFY => return self.device.look(client),
                _ => self.connect(client, handle),
            }
        }
    }

    fn run_client(&self, client: u32, handle: Handle<DoorbellKind>) -> u64 {
        let queue = &self.device.queues[client as usize];
        let begin = Instant::now();
        let mut submitted = 0;
        while begin.elapsed() < DURATION {
            submitted += 1;
            queue.busy.store(submitted % 4 == 0, Ordering::SeqCst);
            self.submit(client, handle);
            if submitted % 3 == 0 {
                let rung = Instant::now();
                while !queue.is_seen() {
                    assert!(
                        rung.elapsed() < LOST,
                        "client {client}: {submitted} is lost"
                    );
                    std::thread::yield_now();
                }
            }
            if submitted % 7 == u64::from(client) {
                self.disconnect(client, handle);
            }
            if submitted % 50 == 0 {
                self.manager
                    .set_notify(
                        Passive::entered(),
                        &self.device,
                        handle,
                        submitted % 100 == 0,
                    )
                    .unwrap();
            }
        }
        submitted
    }
}

/// Ends the device's thread however the test ends.
struct StopAtEnd<'a>(&'a Machine);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

fn submissions_are_found(model: DoorbellModel) {
    let machine = machine(model);
    let handles: Vec<_> = (0..CLIENTS).map(|client| machine.create(client)).collect();
    std::thread::scope(|scope| {
        let _stop = StopAtEnd(&machine);
        scope.spawn(|| {
            while !machine.stop.load(Ordering::SeqCst) {
                machine.device.poll();
                std::thread::yield_now();
            }
        });
        let clients: Vec<_> = (0..CLIENTS)
            .zip(&handles)
            .map(|(client, handle)| {
                let machine = &machine;
                scope.spawn(move || machine.run_client(client, *handle))
            })
            .collect();
        let submitted: Vec<_> = clients.into_iter().map(|c| c.join().unwrap()).collect();
        let begin = Instant::now();
        for (client, count) in submitted.iter().enumerate() {
            let queue = &machine.device.queues[client];
            while !queue.is_seen() {
                assert!(begin.elapsed() < LOST, "client {client} lost its last");
                std::thread::yield_now();
            }
            assert_eq!(queue.seen.load(Ordering::SeqCst), *count);
            assert!(*count > 0);
        }
    });
    let mut pages = Vec::new();
    for handle in &handles {
        if let Some((State::Connected(page) | State::Lingering(page), _)) =
            machine.manager.inspect(*handle)
            && model == DoorbellModel::Dedicated
        {
            assert!(!pages.contains(&page), "{page:?} has two owners");
            pages.push(page);
        }
        machine
            .manager
            .destroy(Passive::entered(), &machine.device, *handle);
    }
    assert!((0..PAGES).all(|page| machine.device.owner(page).is_none()));
    let counters = machine.manager.counters();
    assert!(counters.connects > u64::from(CLIENTS));
    if model == DoorbellModel::Dedicated {
        assert!(counters.victimizations > 0 && counters.lingering_reclaimed > 0);
    } else {
        assert_eq!(counters.victimizations, 0);
    }
}

#[test]
fn no_submission_is_lost_among_threads_dedicated() {
    submissions_are_found(DoorbellModel::Dedicated);
}

#[test]
fn no_submission_is_lost_among_threads_global() {
    submissions_are_found(DoorbellModel::Global);
}
