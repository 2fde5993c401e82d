//! Contexts, queues and doorbells of the fake driver: victims in the documented order.

use carillon_bench::dxgk::handle::OsHandle;
use carillon_bench::dxgk::interface::Objects;
use carillon_ddi::{
    D3DDDI_DOORBELLSTATUS as Status, DRIVER_INITIALIZATION_DATA, DXGKARG_CONNECTDOORBELL,
    DXGKARG_CREATEDOORBELL, DXGKARG_CREATEHWCONTEXT, DXGKARG_CREATEHWQUEUE,
    DXGKARG_DESTROYDOORBELL, DXGKARG_DISCONNECTDOORBELL, DXGKARG_NOTIFYWORKSUBMISSION,
    DXGKARG_RESUMECONTEXT, DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES, DXGKARG_SETNATIVEFENCELOGBUFFER,
    DXGKARG_SUBMITCOMMANDTOHWQUEUE, DXGKARG_SUSPENDCONTEXT, HANDLE, NTSTATUS,
};

use super::{DOORBELL_KERNEL, DOORBELLS, FakeBell, Fault, OK, PAGE_SIZE, fake, fresh, log, raw};

pub(crate) fn fill(table: &mut DRIVER_INITIALIZATION_DATA) {
    table.DxgkDdiCreateHwContext = Some(create_context);
    table.DxgkDdiDestroyHwContext = Some(destroy_context);
    table.DxgkDdiSetContextSchedulingProperties = Some(scheduling);
    table.DxgkDdiSuspendContext = Some(suspend);
    table.DxgkDdiResumeContext = Some(resume);
    table.DxgkDdiCreateHwQueue = Some(create_queue);
    table.DxgkDdiDestroyHwQueue = Some(destroy_queue);
    table.DxgkDdiSetNativeFenceLogBuffer = Some(set_log);
    table.DxgkDdiSubmitCommandToHwQueue = Some(submit);
    table.DxgkDdiCreateDoorbell = Some(create);
    table.DxgkDdiConnectDoorbell = Some(connect);
    table.DxgkDdiDisconnectDoorbell = Some(disconnect);
    table.DxgkDdiDestroyDoorbell = Some(destroy);
    table.DxgkDdiNotifyWorkSubmission = Some(notify);
}

unsafe extern "win64" fn create_context(_: HANDLE, args: *mut DXGKARG_CREATEHWCONTEXT) -> NTSTATUS {
    // SAFETY: lent for the call.
    unsafe { (*args).hHwContext = raw(fresh()) };
    OK
}

unsafe extern "win64" fn destroy_context(_: HANDLE) -> NTSTATUS {
    log("DestroyHwContext");
    OK
}

unsafe extern "win64" fn scheduling(
    _: HANDLE,
    _: *const DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES,
) -> NTSTATUS {
    OK
}

unsafe extern "win64" fn suspend(_: HANDLE, _: *const DXGKARG_SUSPENDCONTEXT) -> NTSTATUS {
    log("SuspendContext");
    OK
}

unsafe extern "win64" fn resume(_: HANDLE, _: *const DXGKARG_RESUMECONTEXT) -> NTSTATUS {
    OK
}

unsafe extern "win64" fn create_queue(_: HANDLE, args: *mut DXGKARG_CREATEHWQUEUE) -> NTSTATUS {
    // SAFETY: lent for the call.
    let args = unsafe { &mut *args };
    let (kmd, os) = (fresh(), args.hHwQueue.addr());
    if fake().fault == Fault::WritesOnFailure {
        args.hHwQueue = raw(kmd);
        return NTSTATUS::STATUS_NO_MEMORY;
    }
    fake().queues.insert(kmd, os);
    args.hHwQueue = raw(kmd);
    OK
}

unsafe extern "win64" fn destroy_queue(_: HANDLE) -> NTSTATUS {
    log("DestroyHwQueue");
    OK
}

unsafe extern "win64" fn set_log(args: *const DXGKARG_SETNATIVEFENCELOGBUFFER) -> NTSTATUS {
    // SAFETY: lent for the call.
    let args = unsafe { *args };
    assert_eq!((args.NumberOfEntries, args.LogBufferGpuVa % 4096), (84, 0));
    OK
}

unsafe extern "win64" fn submit(_: HANDLE, _: *const DXGKARG_SUBMITCOMMANDTOHWQUEUE) -> NTSTATUS {
    log("SubmitCommandToHwQueue");
    OK
}

fn callback(victim: &FakeBell, reason: Status) -> NTSTATUS {
    let manager = fake()
        .manager
        .clone()
        .and_then(|manager| manager.upgrade())
        .unwrap();
    let (queue, bell) = (
        OsHandle::claimed(victim.os_queue),
        OsHandle::claimed(victim.os),
    );
    Objects::disconnect_doorbell(&*manager, queue, bell, reason)
}

unsafe extern "win64" fn create(args: *mut DXGKARG_CREATEDOORBELL) -> NTSTATUS {
    // SAFETY: lent for the call.
    let args = unsafe { &mut *args };
    if args.PrivateDriverDataSize > 16 {
        return NTSTATUS::STATUS_INVALID_BUFFER_SIZE;
    }
    let os_queue = fake().queues[&args.hHwQueue.addr()];
    let bell = FakeBell {
        os: args.hDoorbell.addr(),
        os_queue,
        page: None,
    };
    if fake().fault == Fault::CallsBackInCreate {
        let _ = callback(&bell, Status::D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY);
    }
    let kmd = fresh();
    fake().bells.insert(kmd, bell);
    args.hDoorbell = raw(kmd);
    OK
}

unsafe extern "win64" fn connect(args: *mut DXGKARG_CONNECTDOORBELL) -> NTSTATUS {
    // SAFETY: lent for the call.
    let args = unsafe { &mut *args };
    let me = args.hDoorbell.addr();
    let fault = fake().fault;
    let page = free_page(me, fault);
    let page = page.unwrap_or_else(|| victimize(me));
    fake().bells.get_mut(&me).unwrap().page = Some(page);
    let address = DOORBELL_KERNEL + page * PAGE_SIZE;
    let wild = fault == Fault::WildAddress;
    args.KernelCpuVirtualAddress = raw(if wild { 0x1000 } else { address });
    let asked = args.Flags.RequireSecondaryAddress();
    fake().connect_flags.push(args.Flags.into_bits());
    let second = address + DOORBELLS * PAGE_SIZE;
    args.SecondaryKernelCpuVirtualAddress = match fault {
        Fault::ForgetsSecondary => raw(0),
        Fault::RepeatsPrimary => raw(address),
        Fault::VolunteersSecondary => raw(second),
        _ => raw(if asked { second } else { 0 }),
    };
    args.Status = if fault == Fault::WrongStatus {
        Status::D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY
    } else {
        Status::D3DDDI_DOORBELLSTATUS_CONNECTED
    };
    OK
}

/// The page that the doorbell has, or a free one, which is its own from here on.
fn free_page(me: usize, fault: Fault) -> Option<usize> {
    let mut fake = fake();
    if let Some(page) = fake.bells[&me].page {
        return Some(page);
    }
    if fault == Fault::SharesPage {
        return Some(0);
    }
    let used: Vec<_> = fake.bells.values().filter_map(|bell| bell.page).collect();
    let free = (0..DOORBELLS).find(|page| !used.contains(page));
    fake.bells.get_mut(&me).unwrap().page = free;
    free
}

fn victimize(me: usize) -> usize {
    let victim = {
        let fake = fake();
        let mut bells = fake
            .bells
            .iter()
            .filter(|(kmd, bell)| **kmd != me && bell.page.is_some());
        bells.next().map(|(kmd, bell)| (*kmd, *bell)).unwrap()
    };
    let status = callback(&victim.1, Status::D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY);
    assert_eq!(status, OK);
    log("victim");
    let mut fake = fake();
    if let Some(bell) = fake.bells.get_mut(&victim.0) {
        bell.page = None;
    }
    victim.1.page.unwrap()
}

unsafe extern "win64" fn disconnect(args: *mut DXGKARG_DISCONNECTDOORBELL) -> NTSTATUS {
    log("DisconnectDoorbell");
    // SAFETY: lent for the call.
    let me = unsafe { (*args).hDoorbell.addr() };
    if let Some(bell) = fake().bells.get_mut(&me) {
        bell.page = None;
    }
    OK
}

unsafe extern "win64" fn destroy(args: *mut DXGKARG_DESTROYDOORBELL) -> NTSTATUS {
    log("DestroyDoorbell");
    // SAFETY: lent for the call.
    fake().bells.remove(&unsafe { (*args).hDoorbell.addr() });
    OK
}

unsafe extern "win64" fn notify(_: *mut DXGKARG_NOTIFYWORKSUBMISSION) -> NTSTATUS {
    log("NotifyWorkSubmission");
    OK
}
