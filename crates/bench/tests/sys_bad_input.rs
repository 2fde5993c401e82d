//! What hostile files, clients and values do to a machine that runs the driver: nothing beyond
//! themselves.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_queues;
mod sys_support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use carillon_bench::dxgk::interface::Notification;
use carillon_bench::dxgk::objects::Options;
use carillon_bench::loader::craft::Craft;
use carillon_bench::workload::client::Random;
use carillon_bench::workload::machine::Machine;
use carillon_bench::workload::raw::system_memory;
use carillon_client::kmt::{
    CreateDoorbell, CreateHwQueue, DoorbellStatus, Kmt, NodeOrdinal, NtStatus,
};
use carillon_ddi::DXGK_PAGE_FAULT_FLAGS;
use carillon_hw::addr::GpuVa;
use carillon_hw::doorbell::{DoorbellPrivateData, GlobalDoorbellValue};
use carillon_hw::packet::Packet;
use carillon_hw::queue::{ContextId, QueueId};
use carillon_hw::ring::{MAX_BUFFER_DWORDS, RingEntry};
use zerocopy::IntoBytes;

use sys_queues::{Client, MODELS, Queue, config, until};
use sys_support::{boot, finish};

/// `ret`
const RET: &[u8] = &[0xC3];

/// A file that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &[u8]) -> Self {
        let at = std::env::temp_dir().join(format!("carillon-{}-{name}", std::process::id()));
        std::fs::write(&at, content).unwrap();
        Self(at)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is a file too many and no failure.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs the command line tool with `file` and expects it to fail, to say `named`, and to leave
/// nothing behind.
fn refused(file: &Path, named: &str) {
    let run = |json: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carillon-demo"));
        command.arg("--sys").arg(file).args(json).output().unwrap()
    };
    for output in [run(&[]), run(&["--json"])] {
        assert_eq!(output.status.code(), Some(1), "{named}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(named), "{named:?} is not in {text}");
    }
    let output = run(&["--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["failure"].as_str().unwrap().contains(named));
    assert_eq!(report["pool_blocks_leaked"], 0);
    assert_eq!(report["submissions"], 0);
}

#[test]
fn files_that_are_no_driver_are_refused_by_name_of_what_is_wrong() {
    let no_pe = Scratch::new("text.sys", b"this is no driver at all");
    refused(&no_pe.0, "PE");
    let empty = Scratch::new("empty.sys", b"");
    refused(&empty.0, "PE");
    let mut craft = Craft::new(RET);
    craft.machine = 0xAA64;
    let arm = Scratch::new("arm.sys", &craft.build());
    refused(&arm.0, "0xaa64");
    let mut craft = Craft::new(RET);
    craft.import("ExMakeCoffee");
    let import = Scratch::new("import.sys", &craft.build());
    refused(&import.0, "ExMakeCoffee");
    let mut short = Craft::new(RET).build();
    short.truncate(short.len() - 1);
    let truncated = Scratch::new("truncated.sys", &short);
    refused(&truncated.0, ".data");
    let mut craft = Craft::new(RET);
    craft.relocations.push((0x5000, 10));
    let relocation = Scratch::new("relocation.sys", &craft.build());
    refused(&relocation.0, "0x5000");
    let missing = std::env::temp_dir().join("carillon-no-such-file.sys");
    refused(&missing, "carillon-no-such-file.sys");
}

/// A real driver, cut at every kind of place.
#[test]
fn a_cut_off_driver_is_refused() {
    let file = std::fs::read(sys_support::sys()).unwrap();
    let cuts = [
        (64, "PE32+"),
        (0x200, "PE32+"),
        (0x1000, "section"),
        (file.len() / 2, "section"),
        (file.len() / 4 * 3, "section"),
    ];
    for (bytes, named) in cuts {
        let cut = Scratch::new(&format!("cut-{bytes}.sys"), &file[..bytes]);
        refused(&cut.0, named);
    }
}

type Attack = (&'static str, fn(&mut Queue));

/// Puts an entry into the ring that no client library would write.
fn entry(queue: &mut Queue, change: impl FnOnce(&mut RingEntry)) {
    let mut entry = RingEntry::user(queue.journal.gpu, 4).unwrap();
    change(&mut entry);
    queue.raw.stage_entry(&entry).unwrap();
}

fn packet(queue: &mut Queue, packet: Packet) {
    queue.raw.stage(&[packet]).unwrap();
}

/// Nothing of the process is mapped there.
const NOWHERE: GpuVa = GpuVa(0x7000_0000_0000);

/// Ring entries that fault.
const ENTRIES: [Attack; 13] = [
    ("a buffer that is not mapped", |q| {
        entry(q, |e| e.buffer = NOWHERE.0);
    }),
    ("a buffer at the end of the address space", |q| {
        entry(q, |e| e.buffer = 0xFFFF_FFFF_F000);
    }),
    ("a buffer outside of the address space", |q| {
        entry(q, |e| e.buffer = !3);
    }),
    ("a buffer off its alignment", |q| {
        entry(q, |e| e.buffer += 1);
    }),
    ("no length", |q| {
        entry(q, |e| e.meta = e.meta.with_dwords(0));
    }),
    ("too long", |q| {
        entry(q, |e| e.meta = e.meta.with_dwords(MAX_BUFFER_DWORDS + 1));
    }),
    ("a length beyond the mapping", |q| {
        entry(q, |e| e.meta = e.meta.with_dwords(MAX_BUFFER_DWORDS));
    }),
    ("the right to privileged packets", |q| {
        entry(q, |e| e.meta = e.meta.with_privileged(true));
    }),
    ("somebody else's context", |q| {
        let context = ContextId(0);
        entry(q, |e| {
            e.meta = e.meta.with_overrides_context(true).with_context(context.0);
        });
    }),
    ("a buffer by bus address", |q| {
        entry(q, |e| {
            e.buffer = 0;
            e.meta = e.meta.with_bus_addressed(true);
        });
    }),
    ("a report", |q| {
        entry(q, |e| e.meta = e.meta.with_reports(true));
    }),
    ("a cookie", |q| entry(q, |e| e.cookie = 1)),
    ("a reserved field", |q| entry(q, |e| e.reserved = 1)),
];

/// Packets that fault.
const PACKETS: [Attack; 8] = [
    ("a privileged packet", |q| {
        packet(
            q,
            Packet::InvalidateTlb {
                context: ContextId(0),
            },
        );
    }),
    ("a packet longer than its buffer", |q| {
        packet(q, Packet::Nop { dwords: 63 });
    }),
    ("a fill of nowhere", |q| {
        let (destination, bytes, pattern) = (NOWHERE, 4, 1);
        packet(
            q,
            Packet::Fill {
                destination,
                bytes,
                pattern,
            },
        );
    }),
    ("a fill beyond the end of memory", |q| {
        let destination = GpuVa(0xFFFF_FFFF_F000);
        let (bytes, pattern) = (!3, 1);
        packet(
            q,
            Packet::Fill {
                destination,
                bytes,
                pattern,
            },
        );
    }),
    ("a copy from nowhere", |q| {
        let (source, destination, bytes) = (NOWHERE, q.journal.gpu, 8);
        packet(
            q,
            Packet::Copy {
                source,
                destination,
                bytes,
            },
        );
    }),
    ("a copy to nowhere", |q| {
        let (source, destination, bytes) = (q.journal.gpu, NOWHERE, 8);
        packet(
            q,
            Packet::Copy {
                source,
                destination,
                bytes,
            },
        );
    }),
    ("a fence nowhere", |q| {
        let (current, monitored) = (NOWHERE, GpuVa(0));
        packet(
            q,
            Packet::FenceSignal {
                current,
                monitored,
                value: 1,
                handle: 0,
            },
        );
    }),
    ("a wait nowhere", |q| {
        packet(
            q,
            Packet::FenceWait {
                current: NOWHERE,
                value: 1,
                handle: 0,
            },
        );
    }),
];

/// Write pointers that fault.
const POINTERS: [Attack; 4] = [
    ("a write pointer that runs backwards", |q| {
        q.raw.publish_as(0).unwrap();
    }),
    ("a write pointer one beyond the ring", |q| {
        let beyond = q.raw.completed() + 129;
        q.raw.publish_as(beyond).unwrap();
    }),
    ("a write pointer far beyond the ring", |q| {
        q.raw.publish_as(1 << 40).unwrap();
    }),
    ("the largest write pointer", |q| {
        q.raw.publish_as(u64::MAX).unwrap();
    }),
];

/// Does one attack in a process of its own, and expects the one queue to fault and the process'
/// other queue to live.
fn attack(machine: &Machine, (what, attack): &Attack, publish: bool) {
    let faults = machine.gpu().stats().queue_faults;
    let client = Client::new(machine);
    let (mut hostile, mut neighbour) = (client.queue(0), client.queue(0));
    neighbour.submit(1);
    // The attack comes after honest work, which counts.
    for id in 1..=3 {
        hostile.submit(id);
    }
    hostile.check();
    hostile.connect();
    attack(&mut hostile);
    if publish {
        hostile.raw.publish().unwrap();
    }
    hostile.ring_once();
    until(|| machine.gpu().stats().queue_faults > faults);
    let victim = {
        let kmt = &client.kmt;
        let handle = hostile.raw.queue().handle.0;
        kmt.manager()
            .queue(kmt.process(), handle)
            .unwrap()
            .os_handle()
    };
    let mut reports = Vec::new();
    until(|| {
        let others = machine.manager().completions().take_others();
        // An engine that has had nothing to do for long may be asked down meanwhile.
        let of_queues =
            |report: &Notification| !matches!(report, Notification::EngineStateChange { .. });
        reports.extend(others.into_iter().filter(of_queues));
        !reports.is_empty()
    });
    let [Notification::HwQueuePageFaulted(fault)] = reports.as_slice() else {
        panic!("{what}: {reports:?}");
    };
    assert_eq!(fault.object, victim, "{what}: blamed somebody else");
    let invalid = DXGK_PAGE_FAULT_FLAGS::DXGK_PAGE_FAULT_FENCE_INVALID.0;
    let fence_is_told = fault.flags.0 & invalid == 0;
    assert!(!fence_is_told || fault.fence == 4, "{what}: {fault:?}");
    let scopes = DXGK_PAGE_FAULT_FLAGS::DXGK_PAGE_FAULT_ENGINE_RESET_REQUIRED.0
        | DXGK_PAGE_FAULT_FLAGS::DXGK_PAGE_FAULT_ADAPTER_RESET_REQUIRED.0;
    assert_ne!(fault.flags.0 & scopes, 0, "{what}: no scope of reset");
    assert_eq!((fault.on.node, fault.on.engine), (0, 0), "{what}");
    if what.contains("nowhere") || what.contains("not mapped") {
        assert_eq!(fault.address, NOWHERE.0, "{what}");
    }
    neighbour.submit(2);
    neighbour.check();
    assert_eq!(hostile.raw.completed(), 3, "{what}: went on");
    assert_eq!(hostile.read_journal(4), [3, 2, 1, 0], "{what}");
    // Further rings of a queue that is dead wake nobody.
    hostile.ring_once();
    assert_eq!(machine.gpu().stats().queue_faults, faults + 1, "{what}");
    client.kill();
}

/// Runs `attacks` while two honest processes work.
fn attacks(list: &[Attack], publish: bool) {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 4));
        let honest = [Client::new(&machine), Client::new(&machine)];
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for client in &honest {
                let mut queue = client.queue(1);
                let stop = &stop;
                scope.spawn(move || {
                    let mut round = 0;
                    while !stop.load(Ordering::Relaxed) {
                        round += 1;
                        queue.submit(round);
                        queue.wait();
                    }
                    queue.check();
                });
            }
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                for one in list {
                    println!("{model:?}: {}", one.0);
                    attack(&machine, one, publish);
                }
            }));
            stop.store(true, Ordering::Relaxed);
            if let Err(panic) = outcome {
                std::panic::resume_unwind(panic);
            }
        });
        for client in honest {
            client.end();
        }
        finish(&nt, machine);
    }
}

/// contract: SECR-001, TDR-026, TDR-027
#[test]
fn wild_ring_entries_hurt_their_queue_alone() {
    attacks(&ENTRIES, true);
}

/// contract: SECR-001, TDR-026, TDR-027
#[test]
fn wild_packets_hurt_their_queue_alone() {
    attacks(&PACKETS, true);
}

/// contract: SECR-001, TDR-027
#[test]
fn wild_write_pointers_hurt_their_queue_alone() {
    attacks(&POINTERS, false);
}

/// Any value stored to a doorbell is a hint at most: it runs nothing that is not in the ring, and
/// in the global model it reaches no queue of another process.
///
/// contract: SECR-001
/// regression: DB-06
#[test]
fn wild_doorbell_values_are_hints_at_most() {
    let seed = 0xBAD;
    println!("seed {seed:#x}");
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let (one, two) = (Client::new(&machine), Client::new(&machine));
        let (mut hostile, mut other) = (one.queue(0), two.queue(1));
        other.submit(1);
        other.check();
        hostile.submit(1);
        hostile.check();
        // Visible work of the other process that nobody has rung for.
        other.stage(2);
        other.raw.publish().unwrap();
        let mut random = Random::new(seed);
        for round in 2..200 {
            let named = GlobalDoorbellValue::for_queue(other.id).with_write_pointer(2);
            let values = [
                u64::from(named),
                other.id.0.into(),
                random.next(),
                u64::MAX,
                u64::MAX - 1,
                0,
                GlobalDoorbellValue::for_queue(QueueId(u32::MAX)).into(),
                other.ring_value(),
            ];
            for value in values {
                hostile.raw.ring(value);
            }
            hostile.submit(round);
            hostile.check();
        }
        assert_eq!(
            other.raw.completed(),
            1,
            "{model:?}: somebody else's ring reached it"
        );
        assert_eq!(machine.gpu().stats().queue_faults, 0);
        other.ring();
        other.check();
        one.end();
        two.end();
        finish(&nt, machine);
    }
}

/// Doorbell private data of every size but the right one is refused; the doorbell does not exist,
/// the ring is as it was, and no pool is lost.
///
/// contract: DBC-004, DBC-019
#[test]
fn private_data_of_another_size_is_refused() {
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        machine.manager().set_options(Options {
            unchecked_doorbell_data: true,
            ..Options::default()
        });
        let client = Client::new(&machine);
        let (kmt, device) = (&client.kmt, client.device);
        let context = kmt.create_hw_context(device, NodeOrdinal(0)).unwrap();
        let ring = system_memory(&**kmt, device, 4096).unwrap();
        let control = system_memory(&**kmt, device, 4096).unwrap();
        let queue = kmt.create_hw_queue(&CreateHwQueue {
            context,
            user_mode_submission: true,
            private_data: &[],
        });
        let queue = queue.unwrap();
        let right = DoorbellPrivateData::new(ring.gpu, control.gpu).unwrap();
        let mut wrong_version = right.as_bytes().to_vec();
        wrong_version[0] ^= 2;
        let crooked = DoorbellPrivateData::new(ring.gpu, GpuVa(control.gpu.0 + 8)).unwrap();
        let mut list: Vec<Vec<u8>> = [0, 1, 8, 15, 17, 32, 4096]
            .map(|bytes: usize| {
                right
                    .as_bytes()
                    .iter()
                    .copied()
                    .cycle()
                    .take(bytes)
                    .collect()
            })
            .into();
        list.push(wrong_version);
        list.push(crooked.as_bytes().to_vec());
        let create = |private_data: &[u8]| {
            kmt.create_doorbell(&CreateDoorbell {
                queue: queue.handle,
                ring: ring.handle,
                control: Some(control.handle),
                private_data,
                resize: false,
                require_secondary: false,
            })
        };
        let blocks = nt.verifier.live_pool_blocks();
        for data in &list {
            let refused = create(data).unwrap_err();
            assert_eq!(refused.status(), NtStatus::INVALID_PARAMETER, "{data:x?}");
            assert_eq!(nt.verifier.live_pool_blocks(), blocks, "{data:x?}");
        }
        let doorbell = create(right.as_bytes()).unwrap();
        kmt.connect_doorbell(doorbell.handle).unwrap();
        let status = DoorbellStatus(doorbell.status.load_acquire());
        assert_eq!(status, DoorbellStatus::CONNECTED);
        client.end();
        finish(&nt, machine);
    }
}
