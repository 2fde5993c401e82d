//! Queues whose every step a scenario chooses, and which keep a journal that shows whether each
//! piece of work ran, in which order, and how often.

#![allow(dead_code, reason = "each test target uses a part of it")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use carillon_bench::dxgk::adapter::AdapterConfig;
use carillon_bench::dxgk::kmt::KmtProcess;
use carillon_bench::dxgk::objects::doorbell::Doorbell;
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::workload::machine::{Machine, MachineConfig};
use carillon_bench::workload::raw::{Memory, RawQueue, system_memory};
use carillon_client::kmt::{DeviceHandle, DoorbellStatus, Kmt, NodeOrdinal};
use carillon_hw::doorbell::{DoorbellReply, GlobalDoorbellValue};
use carillon_hw::packet::Packet;
use carillon_hw::queue::QueueId;
use carillon_hw::regs::DoorbellModel;

/// How long the GPU may take for what it has.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Words in a journal.
pub(crate) const JOURNAL_WORDS: usize = 1024;
const WORD: u64 = 4;
/// Entries of the ring.
const RING: u64 = 128;

/// Both doorbell models.
pub(crate) const MODELS: [DoorbellModel; 2] = [DoorbellModel::Dedicated, DoorbellModel::Global];

/// Looks without pause until `ready`.
pub(crate) fn until(mut ready: impl FnMut() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(started.elapsed() < PATIENCE, "it never came");
        std::hint::spin_loop();
    }
}

/// A machine with `doorbells` pages.
pub(crate) fn config(model: DoorbellModel, doorbells: u32) -> MachineConfig {
    MachineConfig {
        gpu: carillon_vgpu::Config {
            doorbells,
            model,
            vram_bytes: 64 << 20,
            ..carillon_vgpu::Config::default()
        },
        adapter: AdapterConfig::default(),
    }
}

/// A process with one device.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) kmt: Arc<KmtProcess>,
    pub(crate) device: DeviceHandle,
}

impl Client {
    pub(crate) fn new(machine: &Machine) -> Self {
        let kmt = machine.process().unwrap();
        let device = kmt.create_device().unwrap();
        Self { kmt, device }
    }

    /// A queue on one of the two nodes that take user-mode submissions.
    pub(crate) fn queue(&self, node: u32) -> Queue {
        let kmt: Arc<dyn Kmt> = self.kmt.clone();
        let bytes = JOURNAL_WORDS as u64 * WORD;
        let journal = system_memory(&*kmt, self.device, bytes).unwrap();
        let raw = RawQueue::create(&kmt, self.device, NodeOrdinal(node % 2)).unwrap();
        let reply = DoorbellReply::parse(&raw.doorbell().private_data);
        let (model, id) = reply.expect("the driver says how to ring");
        Queue {
            client: self.clone(),
            journal,
            raw,
            model,
            id,
            work: Vec::new(),
        }
    }

    /// Ends the process; all its queues are idle.
    pub(crate) fn end(self) {
        // SAFETY: the scenario has given up everything that belongs to the process.
        let way = unsafe { self.kmt.end(Exit::Normal, PATIENCE) }.unwrap();
        assert_eq!(way, Exit::Normal);
    }

    /// Ends the process without waiting for its work.
    pub(crate) fn kill(self) {
        // SAFETY: the scenario has given up everything that belongs to the process.
        unsafe { self.kmt.end(Exit::Abnormal, PATIENCE) }.unwrap();
    }
}

/// A queue in the hands of a scenario.
pub(crate) struct Queue {
    pub(crate) client: Client,
    pub(crate) journal: Memory,
    pub(crate) raw: RawQueue,
    pub(crate) model: DoorbellModel,
    pub(crate) id: QueueId,
    /// Everything that was published, oldest first.
    pub(crate) work: Vec<u32>,
}

impl Queue {
    /// The doorbell as the OS knows it.
    pub(crate) fn doorbell(&self) -> Arc<Doorbell> {
        let kmt = &self.client.kmt;
        let handle = self.raw.doorbell().handle.0;
        kmt.manager().doorbell(kmt.process(), handle).unwrap()
    }

    /// `D3DKMTConnectDoorbell`
    pub(crate) fn connect(&self) {
        let handle = self.raw.doorbell().handle;
        self.client.kmt.connect_doorbell(handle).unwrap();
    }

    /// One piece of work: puts `id` in front of the journal. In the ring, not published.
    pub(crate) fn stage(&mut self, id: u32) {
        let base = self.journal.gpu;
        let next = base.checked_add(WORD).unwrap();
        let value = self.work.len() as u64 + 1;
        let packets = [
            Packet::Copy {
                source: base,
                destination: next,
                bytes: (JOURNAL_WORDS as u64 - 1) * WORD,
            },
            Packet::Fill {
                destination: base,
                bytes: WORD,
                pattern: id,
            },
            self.raw.signal(value),
        ];
        self.raw.stage(&packets).unwrap();
        self.work.push(id);
        self.raw.doorbell().last_queued.store_release(value);
    }

    /// Makes work visible to the GPU; does not ring.
    pub(crate) fn publish(&mut self, id: u32) {
        let submitted = self.work.len() as u64;
        if submitted.saturating_sub(self.raw.completed()) >= RING - 1 {
            self.wait();
        }
        self.stage(id);
        self.raw.publish().unwrap();
    }

    /// What a client has to store to ring.
    pub(crate) fn ring_value(&self) -> u64 {
        let pointer = self.raw.write_pointer();
        match self.model {
            DoorbellModel::Dedicated => pointer,
            DoorbellModel::Global => {
                let low = u32::try_from(pointer & 0x3FFF_FFFF).unwrap();
                GlobalDoorbellValue::for_queue(self.id)
                    .with_write_pointer(low)
                    .into()
            }
        }
    }

    /// One store to the doorbell, whatever the status.
    pub(crate) fn ring_once(&self) {
        self.raw.ring(self.ring_value());
    }

    /// Rings until the status says that it came through; returns how often it had to connect.
    pub(crate) fn ring(&self) -> u32 {
        let bell = self.raw.doorbell().handle;
        for connects in 0..10_000 {
            self.ring_once();
            match self.raw.status() {
                DoorbellStatus::CONNECTED => return connects,
                DoorbellStatus::CONNECTED_NOTIFY_KMD => {
                    self.client.kmt.notify_work_submission(bell).unwrap();
                    return connects;
                }
                DoorbellStatus::DISCONNECTED_RETRY => self.connect(),
                other => panic!("status {other:?}"),
            }
        }
        panic!("10000 connects and none of them held");
    }

    /// Publishes work and rings.
    pub(crate) fn submit(&mut self, id: u32) -> u32 {
        self.publish(id);
        self.ring()
    }

    /// Whether everything published has finished within the patience.
    pub(crate) fn finishes(&self) -> bool {
        let value = self.work.len() as u64;
        let started = Instant::now();
        while self.raw.completed() < value {
            if started.elapsed() > PATIENCE {
                return false;
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        self.raw.completed() == value
    }

    /// Waits for everything published.
    pub(crate) fn wait(&self) {
        let all = self.work.len();
        assert!(
            self.finishes(),
            "{} of {all} done, status {:?}",
            self.raw.completed(),
            self.raw.status()
        );
    }

    /// The newest entries of the journal, newest first.
    pub(crate) fn read_journal(&self, entries: usize) -> Vec<u32> {
        let word = |at: usize| self.journal.cpu.load_u32(at * 4).unwrap();
        (0..entries).map(word).collect()
    }

    /// Waits, and asserts that everything ran once and in order.
    pub(crate) fn check(&self) {
        self.wait();
        let entries = self.work.len().min(JOURNAL_WORDS - 1);
        let mut expected: Vec<u32> = self.work.iter().rev().copied().take(entries).collect();
        if entries == self.work.len() {
            // One step too many would have moved something behind the oldest entry.
            expected.push(0);
        }
        let found = self.read_journal(expected.len());
        assert_eq!(found, expected, "lost, repeated or reordered work");
    }

    /// Destroys the doorbell and the hardware queue; the memory stays with the process.
    pub(crate) fn destroy(self) {
        let kmt = &self.client.kmt;
        // SAFETY: the queue is consumed, and with it every way to the doorbell's words.
        unsafe { kmt.destroy_doorbell(self.raw.doorbell().handle) }.unwrap();
        // SAFETY: as above, for the words of the progress fence.
        unsafe { kmt.destroy_hw_queue(self.raw.queue().handle) }.unwrap();
    }
}
