//! The adapter, its device, and what the OS is owed.

use std::sync::atomic::Ordering;

use carillon_core::adapter::{
    Adapter, NODES, NewContext, NewQueue, Settings, Submission, Suspended,
};
use carillon_core::handle::{AdapterOrdinal, Handle, OsHandle};
use carillon_core::irql::{Dispatch, Passive};
use carillon_core::notify::Notification;
use carillon_core::objects::{
    ContextKind, Device as DeviceObject, Process, QueueKind, Scheduling, queue_id,
};
use carillon_hw::addr::GpuVa;
use carillon_hw::event::Event;
use carillon_hw::queue::QueueState;
use proptest::prelude::*;

use super::device::Device;

const PASSIVE: Passive<'static> = Passive::entered();
const DISPATCH: Dispatch<'static> = Dispatch::entered();
const CONTEXTS: usize = 3;

#[derive(Clone, Debug)]
pub(super) enum Op {
    CreateQueue {
        context: u8,
    },
    DestroyQueue {
        queue: u8,
    },
    Suspend {
        context: u8,
    },
    Resume {
        context: u8,
    },
    /// A suspend under way ends; its event may be lost to a full ring.
    Deliver {
        event: u8,
        lost: bool,
    },
    Submit {
        node: u32,
    },
    Complete {
        node: u32,
        lost: bool,
    },
    Preempt {
        node: u32,
    },
    Signal {
        node: u32,
        lost: bool,
    },
    /// The OS takes none of the next reports.
    Refuse {
        times: u32,
    },
    Dpc,
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let lost = || prop::bool::weighted(0.15);
    let node = || 0..NODES;
    prop_oneof![
        4 => any::<u8>().prop_map(|context| Op::CreateQueue { context }),
        3 => any::<u8>().prop_map(|queue| Op::DestroyQueue { queue }),
        4 => any::<u8>().prop_map(|context| Op::Suspend { context }),
        3 => any::<u8>().prop_map(|context| Op::Resume { context }),
        8 => (any::<u8>(), lost()).prop_map(|(event, lost)| Op::Deliver { event, lost }),
        4 => node().prop_map(|node| Op::Submit { node }),
        4 => (node(), lost()).prop_map(|(node, lost)| Op::Complete { node, lost }),
        1 => node().prop_map(|node| Op::Preempt { node }),
        2 => (node(), lost()).prop_map(|(node, lost)| Op::Signal { node, lost }),
        3 => (1..4u32).prop_map(|times| Op::Refuse { times }),
        8 => Just(Op::Dpc),
    ]
}

struct Context {
    handle: Handle<ContextKind>,
    suspended: bool,
    /// Every suspend that was answered Later, the last one last.
    later: Vec<u64>,
    /// The last suspend was answered at once, so nothing is owed for it.
    now: bool,
}

#[derive(Default)]
struct Node {
    submitted: u32,
    finished: u32,
    preemptions: u32,
    /// Length of the log when a fence was signalled last.
    signalled: Option<usize>,
}

pub(super) struct World {
    adapter: Adapter<Device>,
    contexts: Vec<Context>,
    packets: Vec<Handle<ContextKind>>,
    queues: Vec<(Handle<QueueKind>, usize)>,
    nodes: Vec<Node>,
    fence: u64,
}

const OS_CONTEXT: usize = 0x100;

impl World {
    pub(super) fn new() -> Self {
        let ordinal = AdapterOrdinal::new(0).unwrap();
        let adapter =
            Adapter::start(PASSIVE, ordinal, Device::new(), &Settings::default()).unwrap();
        adapter.platform().started.store(true, Ordering::SeqCst);
        let process = Process {
            os: OsHandle(1),
            system: false,
        };
        let process = adapter.create_process(PASSIVE, process).unwrap();
        let device = DeviceObject {
            os: OsHandle(2),
            process: Some(process),
            system: false,
        };
        let device = adapter.create_device(PASSIVE, device).unwrap();
        let context = |os, node, scheduling| {
            let new = NewContext {
                os: OsHandle(os),
                device,
                node,
                scheduling,
                system: false,
            };
            adapter.create_context(PASSIVE, &new).unwrap()
        };
        let contexts = (0..CONTEXTS).map(|n| Context {
            handle: context(OS_CONTEXT + n, 0, Scheduling::Hardware),
            suspended: false,
            later: Vec::new(),
            now: true,
        });
        Self {
            contexts: contexts.collect(),
            packets: (0..NODES)
                .map(|node| context(0, node, Scheduling::Packet))
                .collect(),
            adapter,
            queues: Vec::new(),
            nodes: (0..NODES).map(|_| Node::default()).collect(),
            fence: 0,
        }
    }

    fn device(&self) -> &Device {
        self.adapter.platform()
    }

    pub(super) fn apply(&mut self, op: &Op) {
        let context = |context: &u8| usize::from(*context) % CONTEXTS;
        match op {
            Op::CreateQueue { context: of } => self.create_queue(context(of)),
            Op::DestroyQueue { queue } if !self.queues.is_empty() => {
                let (queue, _) = self.queues.remove(usize::from(*queue) % self.queues.len());
                self.adapter.destroy_queue(PASSIVE, queue).unwrap();
            }
            Op::Suspend { context: of } => self.suspend(context(of)),
            Op::Resume { context: of } => {
                let context = &mut self.contexts[context(of)];
                context.suspended = false;
                self.adapter
                    .resume_context(PASSIVE, context.handle)
                    .unwrap();
            }
            Op::Deliver { event, lost } if self.device().suspends() > 0 => {
                let which = usize::from(*event) % self.device().suspends();
                self.device().confirm(which, *lost);
            }
            Op::Submit { node } => {
                let state = &mut self.nodes[*node as usize];
                // Ids wrap: they start a little before the end.
                state.submitted += 1;
                let (context, fence) = (self.packets[*node as usize], id(state.submitted));
                self.adapter
                    .submit_packet(DISPATCH, context, GpuVa(0x1000), 64, fence)
                    .unwrap();
            }
            Op::Complete { node, lost } => self.complete(*node, *lost),
            Op::Preempt { node } => self.preempt(*node),
            Op::Signal { node, lost } => {
                let queue = carillon_hw::queue::QueueId(*node);
                let signalled = Some(self.device().log().len());
                self.nodes[*node as usize].signalled = signalled;
                let (value, address) = (1, 0);
                self.device().post(
                    Event::FenceSignaled {
                        queue,
                        value,
                        address,
                    },
                    *lost,
                );
            }
            Op::Refuse { times } => self.device().refusals.store(*times, Ordering::SeqCst),
            Op::Dpc => self.dpc(),
            Op::DestroyQueue { .. } | Op::Deliver { .. } => {}
        }
        self.adapter.interrupt();
    }

    /// A DPC runs if one was asked for, and only then.
    fn dpc(&self) {
        if self.device().dpc.swap(false, Ordering::SeqCst) {
            self.adapter.dpc(DISPATCH);
        }
    }

    fn create_queue(&mut self, context: usize) {
        let new = NewQueue {
            os: OsHandle(0),
            context: self.contexts[context].handle,
            submission: Submission::KernelMode,
        };
        let queue = self.adapter.create_queue(PASSIVE, &new).unwrap();
        self.queues.push((queue, context));
    }

    fn suspend(&mut self, index: usize) {
        self.fence += 1;
        let (fence, context) = (self.fence, &mut self.contexts[index]);
        let has_queues = self.queues.iter().any(|(_, of)| *of == index);
        let was_suspended = std::mem::replace(&mut context.suspended, true);
        match self.adapter.suspend_context(PASSIVE, context.handle, fence) {
            Ok(Suspended::Now) => {
                assert!(!has_queues || was_suspended, "queues may be on the GPU");
                context.now = true;
            }
            Ok(Suspended::Later) => {
                context.later.push(fence);
                context.now = false;
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    fn complete(&mut self, node: u32, lost: bool) {
        let state = &mut self.nodes[node as usize];
        if state.finished < state.submitted {
            state.finished += 1;
            let (read, fence) = (state.finished, id(state.finished));
            self.device().finish(node, read.into(), fence, lost);
        }
    }

    fn preempt(&mut self, node: u32) {
        let reported = self.reported_preemptions(node).len();
        let state = &mut self.nodes[node as usize];
        // The OS asks again only when it has been answered.
        if reported == state.preemptions as usize {
            state.preemptions += 1;
            self.adapter.preempt(DISPATCH, node, state.preemptions);
        }
    }

    fn reported_preemptions(&self, of: u32) -> Vec<u32> {
        let mut found = Vec::new();
        for notification in self.device().log() {
            if let Notification::DmaPreempted {
                node,
                preemption_fence,
                ..
            } = notification
                && node == of
            {
                found.push(preemption_fence);
            }
        }
        found
    }

    fn completions(&self, of: u32) -> Vec<u32> {
        let mut found = Vec::new();
        for notification in self.device().log() {
            if let Notification::DmaCompleted { node, fence } = notification
                && node == of
            {
                found.push(fence.wrapping_sub(START));
            }
        }
        found
    }

    fn suspends_reported(&self, index: usize) -> Vec<u64> {
        let mut found = Vec::new();
        for notification in self.device().log() {
            if let Notification::ContextSuspended { context, fence } = notification
                && context == OsHandle(OS_CONTEXT + index)
            {
                found.push(fence);
            }
        }
        found
    }

    /// What holds at any time.
    pub(super) fn check(&self) {
        for (index, context) in self.contexts.iter().enumerate() {
            let reported = self.suspends_reported(index);
            assert!(reported.is_sorted_by(|a, b| a < b), "{reported:?}");
            assert!(reported.iter().all(|fence| context.later.contains(fence)));
        }
        for (node, state) in (0..NODES).zip(&self.nodes) {
            let completed = self.completions(node);
            assert!(completed.is_sorted_by(|a, b| a < b), "{completed:?}");
            assert!(completed.last().is_none_or(|last| *last <= state.finished));
            let preempted = self.reported_preemptions(node);
            assert!(preempted.is_sorted_by(|a, b| a < b), "{preempted:?}");
        }
    }

    /// Everything that is under way comes to its end; then nobody is owed anything.
    pub(super) fn settle(&mut self) {
        let quiet = |world: &Self| {
            !world.device().dpc.load(Ordering::SeqCst) && world.device().suspends() == 0
        };
        for node in 0..NODES {
            while self.nodes[node as usize].finished < self.nodes[node as usize].submitted {
                self.complete(node, false);
            }
        }
        for round in 0.. {
            assert!(round < 1_000, "the DPC asks for itself for ever");
            self.adapter.interrupt();
            if quiet(self) {
                break;
            }
            self.dpc();
            while self.device().suspends() > 0 {
                self.device().confirm(0, false);
            }
        }
        self.check();
        for (index, context) in self.contexts.iter().enumerate() {
            let reported = self.suspends_reported(index);
            if !context.now {
                assert_eq!(reported.last(), context.later.last(), "context {index}");
            }
        }
        for (queue, context) in &self.queues {
            let expected = if self.contexts[*context].suspended {
                QueueState::SUSPENDED
            } else {
                QueueState::RUNNABLE
            };
            let found = self.device().queue(queue_id(*queue));
            assert_eq!(found, Some(expected), "{queue:?} of context {context}");
        }
        for (node, state) in (0..NODES).zip(&self.nodes) {
            let last = self.completions(node).last().copied();
            assert_eq!(last.unwrap_or(0), state.finished, "node {node}");
            let preempted = self.reported_preemptions(node);
            assert_eq!(preempted.len(), state.preemptions as usize);
            let log = self.device().log();
            let told = |from: usize| {
                let signal = Notification::NativeFencesSignaled { node };
                log[from..].contains(&signal)
            };
            assert!(state.signalled.is_none_or(told), "node {node}");
        }
    }
}

/// Where fence ids start. The driver believes that 0 is done, and an id is later than it for half of
/// the numbers.
const START: u32 = 0;

const fn id(nth: u32) -> u32 {
    START.wrapping_add(nth)
}
