//! Clients of the scenarios: one queue each, with work that shows whether every entry ran, in
//! order, and once.

#![allow(dead_code, reason = "each test target uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use carillon_bench::dxgk::adapter::AdapterConfig;
use carillon_bench::dxgk::kmt::KmtProcess;
use carillon_bench::dxgk::objects::doorbell::Doorbell;
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::dxgk::objects::process::Context;
use carillon_bench::dxgk::objects::queue::Queue;
use carillon_bench::workload::machine::{Machine, MachineConfig};
use carillon_bench::workload::raw::{Memory, RawQueue, RingConfig, system_memory};
use carillon_client::kmt::{DeviceHandle, DoorbellStatus, Kmt, NodeOrdinal};
use carillon_hw::addr::GpuVa;
use carillon_hw::doorbell::{DoorbellReply, GlobalDoorbellValue};
use carillon_hw::packet::Packet;
use carillon_hw::queue::QueueId;
use carillon_hw::regs::DoorbellModel;

/// How long anything may take that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Both doorbell models.
pub(crate) const MODELS: [DoorbellModel; 2] = [DoorbellModel::Dedicated, DoorbellModel::Global];
/// Submissions that an actor's memory has words for.
pub(crate) const CAPACITY: u64 = 16 * 1024;
/// What a word holds whose submission did not run.
const UNTOUCHED: u32 = 0;

/// A machine with a number of physical doorbells.
pub(crate) fn config(model: DoorbellModel, doorbells: u32) -> MachineConfig {
    MachineConfig {
        gpu: carillon_vgpu::Config {
            doorbells,
            model,
            ..carillon_vgpu::Config::default()
        },
        adapter: AdapterConfig::default(),
    }
}

/// Waits for something that has to happen.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::yield_now();
    }
}

/// A queue, and memory of its own in which its submissions leave traces.
///
/// Submission *n* copies a counter word to word *n* and then sets the counter to *n* + 1. So word
/// *n* holds *n* if everything before ran once; an entry that runs again, is left out or comes in
/// another order leaves another number.
pub(crate) struct Actor {
    pub(crate) process: Arc<KmtProcess>,
    pub(crate) kmt: Arc<dyn Kmt>,
    pub(crate) device: DeviceHandle,
    pub(crate) queue: RawQueue,
    counter: Memory,
    trace: Memory,
    /// What was submitted, through whatever ring: the last value of the progress fence.
    pub(crate) submitted: u64,
}

impl Actor {
    /// A process with a queue on `node`.
    pub(crate) fn new(machine: &Machine, node: u32) -> Self {
        Self::of(machine.process().unwrap(), node)
    }

    /// The process with a device and a queue on `node`.
    pub(crate) fn of(process: Arc<KmtProcess>, node: u32) -> Self {
        let device = process.create_device().unwrap();
        Self::inside(process, device, node)
    }

    /// A further queue of the same process and device.
    pub(crate) fn sibling(&self, node: u32) -> Self {
        Self::inside(self.process.clone(), self.device, node)
    }

    fn inside(process: Arc<KmtProcess>, device: DeviceHandle, node: u32) -> Self {
        Self::with(process, device, node, RingConfig::default())
    }

    /// A queue whose first ring is as told.
    pub(crate) fn with(
        process: Arc<KmtProcess>,
        device: DeviceHandle,
        node: u32,
        ring: RingConfig,
    ) -> Self {
        let kmt: Arc<dyn Kmt> = process.clone();
        let queue = RawQueue::create_with(&*kmt, device, NodeOrdinal(node), ring).unwrap();
        let counter = system_memory(&*kmt, device, 4096).unwrap();
        let trace = system_memory(&*kmt, device, 4 * CAPACITY).unwrap();
        counter.cpu.store_u32(0, 1).unwrap();
        Self {
            process,
            kmt,
            device,
            queue,
            counter,
            trace,
            submitted: 0,
        }
    }

    /// The OS's view of the queue's context.
    pub(crate) fn context(&self) -> Arc<Context> {
        let handle = self.queue.context().0;
        let manager = self.process.manager();
        manager.context(self.process.process(), handle).unwrap()
    }

    /// The OS's view of the doorbell.
    pub(crate) fn doorbell(&self) -> Arc<Doorbell> {
        let handle = self.queue.doorbell().handle.0;
        let manager = self.process.manager();
        manager.doorbell(self.process.process(), handle).unwrap()
    }

    pub(crate) fn suspend(&self) {
        let manager = self.process.manager();
        manager.suspend_context(&self.context()).unwrap();
    }

    pub(crate) fn resume(&self) {
        let manager = self.process.manager();
        manager.resume_context(&self.context()).unwrap();
    }

    pub(crate) fn connect(&self) {
        self.kmt
            .connect_doorbell(self.queue.doorbell().handle)
            .unwrap();
    }

    /// Whether the doorbell is connected, to a page of its own or to one that needs notifying.
    pub(crate) fn is_connected(&self) -> bool {
        let connected = [
            DoorbellStatus::CONNECTED,
            DoorbellStatus::CONNECTED_NOTIFY_KMD,
        ];
        connected.contains(&self.queue.status())
    }

    fn word(memory: &Memory, index: u64) -> GpuVa {
        memory.gpu.checked_add(4 * index).unwrap()
    }

    /// Writes `count` submissions and the write pointer; does not ring.
    pub(crate) fn publish(&mut self, count: u64) {
        for _ in 0..count {
            let done = self.submitted;
            assert!(done < CAPACITY, "no words left for traces");
            let next = done + 1;
            let packets = [
                Packet::Copy {
                    source: self.counter.gpu,
                    destination: Self::word(&self.trace, done),
                    bytes: 4,
                },
                Packet::Fill {
                    destination: self.counter.gpu,
                    bytes: 4,
                    pattern: u32::try_from(next + 1).unwrap(),
                },
                self.queue.signal(next),
            ];
            self.queue.stage(&packets).unwrap();
            self.submitted = next;
        }
        self.show_queue();
    }

    /// A submission that fills the beginning of `target` and leaves no trace; not rung.
    pub(crate) fn fill(&mut self, target: &Memory, pattern: u32) {
        let next = self.submitted + 1;
        let trace = Self::word(&self.trace, self.submitted);
        let one = u32::try_from(next).unwrap();
        let word = |destination, pattern| Packet::Fill {
            destination,
            bytes: 4,
            pattern,
        };
        let packets = [
            word(trace, one),
            word(self.counter.gpu, one + 1),
            Packet::Fill {
                destination: target.gpu,
                bytes: 8192,
                pattern,
            },
            self.queue.signal(next),
        ];
        self.queue.stage(&packets).unwrap();
        self.submitted = next;
        self.show_queue();
        self.ring();
    }

    /// Tells the OS and the GPU what is queued.
    fn show_queue(&self) {
        let queued = self.submitted;
        self.queue.doorbell().last_queued.store_release(queued);
        self.queue.publish().unwrap();
    }

    /// What to store to ring, as the model asks for.
    pub(crate) fn ring_value(&self) -> u64 {
        let reply = DoorbellReply::parse(&self.queue.doorbell().private_data);
        match reply.unwrap() {
            (DoorbellModel::Dedicated, _) => self.queue.write_pointer(),
            (DoorbellModel::Global, queue) => GlobalDoorbellValue::for_queue(queue).into_bits(),
        }
    }

    /// Rings.
    pub(crate) fn ring(&self) {
        self.queue.ring(self.ring_value());
    }

    /// Rings at the secondary address.
    pub(crate) fn ring_secondary(&self) {
        let address = self.queue.doorbell().secondary_address;
        address.expect("asked for").store_release(self.ring_value());
    }

    /// How the driver names the queue.
    pub(crate) fn id(&self) -> QueueId {
        let reply = DoorbellReply::parse(&self.queue.doorbell().private_data);
        reply.expect("the driver says how to ring").1
    }

    pub(crate) fn completed(&self) -> u64 {
        self.queue.completed()
    }

    /// Waits until everything published has run, and checks that it ran once.
    pub(crate) fn settle(&self) {
        let expected = self.submitted;
        until("a submission's fence", || self.completed() >= expected);
        self.check();
    }

    /// Checks that what the fence says has run did, in order and once, and the rest did not begin.
    pub(crate) fn check(&self) {
        let completed = self.completed();
        assert!(completed <= self.submitted);
        for index in 0..completed {
            let at = usize::try_from(4 * index).unwrap();
            let found = self.trace.cpu.load_u32(at).unwrap();
            assert_eq!(u64::from(found), index + 1, "trace of submission {index}");
        }
    }

    /// As [`Self::check`], but each submission in `interrupted` may have run again from its start:
    /// a queue that was suspended inside a buffer when the device slept goes back to its beginning
    /// (architecture, section power). Only those, and only the part before the fence.
    pub(crate) fn check_repeating(&self, interrupted: &[u64]) {
        let completed = self.completed();
        assert_eq!(completed, self.queue.write_pointer());
        for index in 0..completed {
            let at = usize::try_from(4 * index).unwrap();
            let found = u64::from(self.trace.cpu.load_u32(at).unwrap());
            // The second run finds the counter that the first one left.
            let again = found == index + 2 && interrupted.contains(&index);
            assert!(
                found == index + 1 || again,
                "trace of submission {index} is {found}, interrupted were {interrupted:?}"
            );
        }
    }

    /// The OS's view of the queue.
    pub(crate) fn os_queue(&self) -> Arc<Queue> {
        let handle = self.queue.queue().handle.0;
        let manager = self.process.manager();
        manager.queue(self.process.process(), handle).unwrap()
    }

    /// Checks that nothing ran behind submission `count`.
    pub(crate) fn untouched_from(&self, count: u64) {
        self.stopped_at(count, count);
    }

    /// Checks that the queue, which was interrupted, stands where its fence says: the submission
    /// after that may have run in part, as queues are interrupted between packets.
    pub(crate) fn interrupted_at(&self, count: u64) {
        self.stopped_at(count, count + 1);
    }

    /// Checks that no submission behind `count` has left a trace, whatever the fence says.
    pub(crate) fn untouched(&self, count: u64) {
        for index in count..self.submitted {
            let at = usize::try_from(4 * index).unwrap();
            assert_eq!(self.trace.cpu.load_u32(at), Some(UNTOUCHED), "{index}");
        }
    }

    fn stopped_at(&self, count: u64, untouched: u64) {
        assert_eq!(self.completed(), count);
        for index in untouched..self.submitted {
            let at = usize::try_from(4 * index).unwrap();
            assert_eq!(
                self.trace.cpu.load_u32(at),
                Some(UNTOUCHED),
                "trace {index}"
            );
        }
    }

    /// Publishes, rings as often as it takes, and waits.
    pub(crate) fn work(&mut self, count: u64) {
        self.publish(count);
        self.ring_through();
        self.settle();
    }

    /// Rings, connects if need be, notifies if asked to, until the ring has come through.
    pub(crate) fn ring_through(&self) {
        let started = Instant::now();
        loop {
            self.ring();
            fence(Ordering::SeqCst);
            match self.queue.status() {
                DoorbellStatus::CONNECTED => return,
                DoorbellStatus::CONNECTED_NOTIFY_KMD => {
                    let doorbell = self.queue.doorbell().handle;
                    self.kmt.notify_work_submission(doorbell).unwrap();
                    return;
                }
                DoorbellStatus::DISCONNECTED_RETRY => self.connect(),
                lost => panic!("the doorbell is lost: {lost:?}"),
            }
            assert!(started.elapsed() < PATIENCE, "the doorbell does not stay");
        }
    }

    /// Ends the process; its queues are settled.
    pub(crate) fn end(self) {
        // SAFETY: `self` was the last user of the process' words.
        let way = unsafe { self.process.end(Exit::Normal, PATIENCE) }.unwrap();
        assert_eq!(way, Exit::Normal);
    }

    /// Ends the process without waiting for its work.
    pub(crate) fn kill(self) {
        // SAFETY: `self` was the last user of the process' words.
        unsafe { self.process.end(Exit::Abnormal, PATIENCE) }.unwrap();
    }
}
