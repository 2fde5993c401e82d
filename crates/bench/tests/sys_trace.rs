//! Which DDI a thunk becomes, with which handles, and in which order the OS moves a doorbell's
//! address and writes its status.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_queues;
mod sys_support;

use std::mem::offset_of;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carillon_bench::dxgk::objects::doorbell::{ABORT, RETRY};
use carillon_bench::dxgk::trace::Step;
use carillon_bench::workload::machine::Machine;
use carillon_client::kmt::{CreateDoorbell, DoorbellStatus, Kmt, NtStatus};
use carillon_ddi::{
    DXGKARG_CONNECTDOORBELL, DXGKARG_CREATEDOORBELL, DXGKARG_DESTROYDOORBELL,
    DXGKARG_DISCONNECTDOORBELL, DXGKARG_NOTIFYWORKSUBMISSION,
};
use carillon_hw::doorbell::DoorbellPrivateData;
use zerocopy::IntoBytes;

use sys_queues::{Client, MODELS, Queue, config};
use sys_support::{boot, finish};

const CREATE: &str = "DxgkDdiCreateDoorbell";
const CONNECT: &str = "DxgkDdiConnectDoorbell";
const DISCONNECT: &str = "DxgkDdiDisconnectDoorbell";
const DESTROY: &str = "DxgkDdiDestroyDoorbell";
const NOTIFY: &str = "DxgkDdiNotifyWorkSubmission";

/// The tests of this file look at the mappings of the whole process, so one runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(machine: &Machine) {
    machine.adapter().driver().trace().start();
}

fn stop(machine: &Machine) -> Vec<Step> {
    machine.adapter().driver().trace().stop()
}

/// A handle in the arguments of a DDI.
fn handle(args: &[u8], offset: usize) -> usize {
    usize::from_le_bytes(args[offset..offset + 8].try_into().unwrap())
}

/// Names of the DDIs that were called, in order, those of memory and completions left out.
fn called(steps: &[Step]) -> Vec<&'static str> {
    let names = steps.iter().filter_map(|step| match step {
        Step::Called { ddi, .. } => Some(*ddi),
        _ => None,
    });
    let ours = [CREATE, CONNECT, DISCONNECT, DESTROY, NOTIFY];
    names.filter(|name| ours.contains(name)).collect()
}

/// Arguments of the only call of `ddi`, before it or after.
fn args(steps: &[Step], wanted: &str, after: bool) -> Vec<u8> {
    let mut found = steps.iter().filter_map(|step| match step {
        Step::Called { ddi, args } if *ddi == wanted && !after => Some(args),
        Step::Returned { ddi, args, .. } if *ddi == wanted && after => Some(args),
        _ => None,
    });
    let args = found.next().expect(wanted).clone();
    assert_eq!(found.next(), None, "{wanted} is there twice");
    args
}

/// How many mappings of the process have `name`.
fn mappings(name: &str) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains(name)).count()
}

/// Every thunk is one DDI. Those that name a doorbell carry the driver's handle of it, the others
/// the driver's handle of the queue; neither is a handle of the OS.
///
/// contract: DBC-001, DBC-016, DBC-018, DBD-010, DBN-001, NTF-002, NTF-003
#[test]
fn each_thunk_is_one_ddi_with_the_drivers_handles() {
    let _alone = alone();
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let client = Client::new(&machine);
        start(&machine);
        let queue = client.queue(0);
        let steps = stop(&machine);
        assert_eq!(called(&steps), [CREATE]);
        let object = {
            let kmt = &client.kmt;
            let handle = queue.raw.queue().handle.0;
            kmt.manager().queue(kmt.process(), handle).unwrap()
        };
        let doorbell = queue.doorbell();
        let before = args(&steps, CREATE, false);
        let after = args(&steps, CREATE, true);
        let at = offset_of!(DXGKARG_CREATEDOORBELL, hHwQueue);
        assert_eq!(handle(&before, at), object.kmd().value());
        let at = offset_of!(DXGKARG_CREATEDOORBELL, hDoorbell);
        assert_eq!(handle(&before, at), doorbell.os_handle().value());
        let kmd = handle(&after, at);
        assert_eq!(kmd, doorbell.kmd().value());
        assert_ne!(kmd, doorbell.os_handle().value());

        start(&machine);
        queue.connect();
        let steps = stop(&machine);
        assert_eq!(called(&steps), [CONNECT]);
        let at = offset_of!(DXGKARG_CONNECTDOORBELL, hDoorbell);
        assert_eq!(handle(&args(&steps, CONNECT, false), at), kmd);

        start(&machine);
        let bell = queue.raw.doorbell().handle;
        client.kmt.notify_work_submission(bell).unwrap();
        let steps = stop(&machine);
        assert_eq!(called(&steps), [NOTIFY]);
        let at = offset_of!(DXGKARG_NOTIFYWORKSUBMISSION, hHwQueue);
        let named = handle(&args(&steps, NOTIFY, false), at);
        assert_eq!(named, object.kmd().value());
        assert_ne!(named, object.os_handle().value());

        start(&machine);
        let manager = machine.manager();
        manager.disconnect_doorbell(&doorbell, RETRY).unwrap();
        let steps = stop(&machine);
        assert_eq!(called(&steps), [DISCONNECT]);
        let at = offset_of!(DXGKARG_DISCONNECTDOORBELL, hDoorbell);
        let arguments = args(&steps, DISCONNECT, false);
        assert_eq!(handle(&arguments, at), kmd);
        let flags = offset_of!(DXGKARG_DISCONNECTDOORBELL, Flags);
        assert_eq!(arguments[flags..flags + 4], [0; 4], "reserved");

        drop((object, doorbell));
        start(&machine);
        queue.destroy();
        let steps = stop(&machine);
        assert_eq!(called(&steps), [DESTROY]);
        let at = offset_of!(DXGKARG_DESTROYDOORBELL, hDoorbell);
        assert_eq!(handle(&args(&steps, DESTROY, false), at), kmd);
        client.end();
        finish(&nt, machine);
    }
}

/// The OS moves the address once the driver has returned, and writes the status after that.
///
/// contract: DBD-005, DBD-006
#[test]
fn a_disconnect_is_ddi_then_mapping_then_status() {
    let _alone = alone();
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let client = Client::new(&machine);
        let mut queue = client.queue(0);
        queue.submit(1);
        queue.check();
        let doorbell = queue.doorbell();
        start(&machine);
        machine
            .manager()
            .disconnect_doorbell(&doorbell, RETRY)
            .unwrap();
        let steps = stop(&machine);
        let os = doorbell.os_handle();
        let expected = [
            Step::Shows {
                doorbell: os,
                page: None,
            },
            Step::Status {
                doorbell: os,
                status: RETRY,
            },
        ];
        let [
            Step::Called { .. },
            Step::Returned {
                succeeded: true, ..
            },
            rest @ ..,
        ] = &steps[..]
        else {
            panic!("{steps:#?}");
        };
        assert_eq!(rest, expected);
        assert_eq!(queue.raw.status(), DoorbellStatus::DISCONNECTED_RETRY);
        assert_eq!(queue.submit(2), 1);
        queue.check();
        drop(doorbell);
        client.end();
        finish(&nt, machine);
    }
}

/// After a loss of the device the status says that coming back is no use, and the driver is not
/// asked to connect again.
///
/// contract: DBD-009
#[test]
fn a_lost_device_is_told_as_abort() {
    let _alone = alone();
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let client = Client::new(&machine);
        let mut queue = client.queue(0);
        queue.submit(1);
        queue.check();
        let os = queue.doorbell().os_handle();
        start(&machine);
        machine.manager().disconnect_all(ABORT).unwrap();
        assert_eq!(queue.raw.status(), DoorbellStatus::DISCONNECTED_ABORT);
        let refused = client.kmt.connect_doorbell(queue.raw.doorbell().handle);
        assert_eq!(refused.unwrap_err().status(), NtStatus::DEVICE_REMOVED);
        let steps = stop(&machine);
        assert_eq!(called(&steps), [DISCONNECT]);
        let status = Step::Status {
            doorbell: os,
            status: ABORT,
        };
        assert_eq!(steps.last(), Some(&status));
        assert_eq!(queue.raw.status(), DoorbellStatus::DISCONNECTED_ABORT);
        client.end();
        finish(&nt, machine);
    }
}

/// The client can write and read the word for the last queued value, at an address that stays, and
/// the OS sees what it wrote.
///
/// contract: DBC-014
#[test]
fn the_last_queued_word_is_the_clients_to_write() {
    let _alone = alone();
    let (nt, machine) = boot(&config(MODELS[0], 2));
    let client = Client::new(&machine);
    let queue = client.queue(0);
    let bell = *queue.raw.doorbell();
    assert_ne!(bell.handle.0, 0);
    let kmt = &client.kmt;
    let object = kmt
        .manager()
        .queue(kmt.process(), queue.raw.queue().handle.0);
    let object = object.unwrap();
    for value in [1, 1 << 40, u64::MAX - 1, 0] {
        bell.last_queued.store_release(value);
        assert_eq!(bell.last_queued.load_acquire(), value);
        assert_eq!(object.last_queued(), value);
    }
    drop(object);
    client.end();
    finish(&nt, machine);
}

/// Destroying a doorbell is one DDI; all mappings that it had are gone, and the ring is as it was
/// until the process ends.
///
/// contract: DBX-005, DBX-008, DBX-009
#[test]
fn destroying_a_doorbell_frees_its_mappings_and_keeps_the_ring() {
    let _alone = alone();
    for model in MODELS {
        let (nt, machine) = boot(&config(model, 2));
        let client = Client::new(&machine);
        let count = || (mappings("doorbell-dummy"), mappings("carillon-doorbells"));
        let nothing = count();
        let mut queue = client.queue(0);
        assert_eq!(count(), (nothing.0 + 1, nothing.1), "on its dummy page");
        queue.submit(1);
        queue.check();
        assert_eq!(
            count(),
            (nothing.0, nothing.1 + 1),
            "on a page of the device"
        );
        let alive = Arc::downgrade(&queue.doorbell());
        start(&machine);
        let Queue { raw, journal, .. } = &queue;
        let (bell, hw_queue) = (raw.doorbell().handle, raw.queue().handle);
        let (word, journal) = (raw.completed(), *journal);
        // SAFETY: no word of the doorbell is used from here on.
        unsafe { client.kmt.destroy_doorbell(bell) }.unwrap();
        let steps = stop(&machine);
        assert_eq!(called(&steps), [DESTROY]);
        assert_eq!(count(), nothing, "a mapping is left");
        assert!(alive.upgrade().is_none(), "the status word is left");
        let destroys = |steps: &[Step]| {
            let names = steps.iter().filter_map(|step| match step {
                Step::Called { ddi, .. } => Some(*ddi),
                _ => None,
            });
            let list = ["DxgkDdiCloseAllocation", "DxgkDdiDestroyAllocation"];
            names.filter(|name| list.contains(name)).count()
        };
        assert_eq!(destroys(&steps), 0);
        assert_eq!(word, 1);
        assert_eq!(journal.cpu.load_u32(0), Some(1));
        start(&machine);
        // SAFETY: no word of the progress fence is used from here on.
        unsafe { client.kmt.destroy_hw_queue(hw_queue) }.unwrap();
        assert_eq!(destroys(&stop(&machine)), 0);
        start(&machine);
        client.end();
        // Ring, control block, commands, journal: closed and destroyed.
        assert_eq!(destroys(&stop(&machine)), 8);
        finish(&nt, machine);
    }
}

/// What the driver refuses to create does not exist: no handle, no mapping, no doorbell that a
/// callback could name. The next one is as if nothing had been.
///
/// contract: DBC-004
#[test]
fn a_refused_doorbell_does_not_exist() {
    let _alone = alone();
    let (nt, machine) = boot(&config(MODELS[0], 2));
    let client = Client::new(&machine);
    let queue = client.queue(0);
    let other = client.queue(1);
    let before = (mappings("doorbell-dummy"), nt.verifier.live_pool_blocks());
    // The version of the private data is none that exists.
    let mut data = [0; 16];
    let right = DoorbellPrivateData::new(other.journal.gpu, other.journal.gpu).unwrap();
    data.copy_from_slice(right.as_bytes());
    data[0] = 0xFE;
    start(&machine);
    let refused = client.kmt.create_doorbell(&CreateDoorbell {
        queue: queue.raw.queue().handle,
        ring: queue.journal.handle,
        control: Some(other.journal.handle),
        private_data: &data,
        resize: false,
        require_secondary: false,
    });
    let steps = stop(&machine);
    assert_eq!(refused.unwrap_err().status(), NtStatus::INVALID_PARAMETER);
    assert_eq!(called(&steps), [CREATE]);
    let returned = steps.iter().any(|step| {
        matches!(
            step,
            Step::Returned {
                ddi: CREATE,
                succeeded: false,
                ..
            }
        )
    });
    assert!(returned);
    let after = (mappings("doorbell-dummy"), nt.verifier.live_pool_blocks());
    assert_eq!(after, before);
    drop((queue, other));
    client.end();
    finish(&nt, machine);
}
