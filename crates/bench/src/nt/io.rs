//! The I/O requests by which a display miniport reaches the display port driver.
//!
//! Registration is one internal device control to `\Device\DxgKrnl`: control code 0x230047, method
//! neither, whose 8 output bytes are the address of the registration routine.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;

use super::driver_addr::{DriverAddr, Narrow};
use super::event;
use super::session::with_current;
use super::status::NtStatus;
use super::thunk::{Export, Role};
use crate::verifier::irql::IrqlRange;
use crate::verifier::violation::ViolationKind;

/// Name of the port driver's device.
pub const DXGKRNL_DEVICE: &str = r"\Device\DxgKrnl";
/// Control code that asks for the registration routine of a full miniport.
pub const GET_DXGK_INITIALIZE: u32 = 0x0023_0047;
/// Bytes of an IRP and of its one stack location.
const IRP_BYTES: usize = 208 + 72;
/// Bytes of a device object.
const DEVICE_BYTES: usize = 336;

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export(
        "IoGetDeviceObjectPointer",
        IrqlRange::PASSIVE,
        get_device as *const (),
    ),
    export(
        "IoBuildDeviceIoControlRequest",
        IrqlRange::UP_TO_APC,
        build_request as *const (),
    ),
    export(
        "IofCallDriver",
        IrqlRange::UP_TO_DISPATCH,
        call_driver as *const (),
    ),
    export(
        "ObfDereferenceObject",
        IrqlRange::UP_TO_DISPATCH,
        dereference as *const (),
    ),
    export("ZwLoadDriver", IrqlRange::PASSIVE, load_driver as *const ()),
];

const fn export(name: &'static str, irql: IrqlRange, target: *const ()) -> Export {
    Export {
        name,
        irql,
        role: Role::Kernel,
        target,
    }
}

/// A block of zeroed host memory whose address the driver holds.
type Object = Box<[u64]>;

fn object(bytes: usize) -> Object {
    vec![0; bytes.div_ceil(8)].into()
}

/// A request that was built and not sent.
#[derive(Debug)]
struct Request {
    _irp: Object,
    code: u32,
    internal: bool,
    output: DriverAddr,
    output_len: u32,
    event: DriverAddr,
    status_block: DriverAddr,
}

#[derive(Debug, Default)]
struct State {
    /// The port driver's device and the routine that it hands out.
    dxgkrnl: Option<(Object, u64)>,
    requests: BTreeMap<u64, Request>,
    files: BTreeMap<u64, Object>,
    /// Requests that were sent, to tell a second use from a wild one.
    done: BTreeSet<u64>,
}

/// Devices that the driver can open, and its requests.
#[derive(Debug, Default)]
pub struct IoObjects {
    state: Mutex<State>,
}

impl IoObjects {
    /// Makes the port driver's device exist; `routine` is the address of its registration routine:
    /// `NTSTATUS(PDRIVER_OBJECT, PUNICODE_STRING, PDRIVER_INITIALIZATION_DATA)` of the `win64`
    /// convention, best a thunk from [`super::thunk::make`].
    pub fn set_dxgk_initialize(&self, routine: u64) {
        self.state.lock().dxgkrnl = Some((object(DEVICE_BYTES), routine));
    }

    pub(crate) fn leaks(&self) -> Vec<String> {
        let state = self.state.lock();
        let requests = state
            .requests
            .keys()
            .map(|irp| format!("IRP {irp:#x}, never sent"));
        let files = state
            .files
            .keys()
            .map(|file| format!("reference to file object {file:#x}"));
        requests.chain(files).collect()
    }
}

fn misuse(import: &'static str, what: String) {
    with_current(|nt| nt.verifier.report(ViolationKind::Misuse { import, what }));
}

extern "win64" fn get_device(
    name: DriverAddr,
    _access: u32,
    file_out: DriverAddr,
    device_out: DriverAddr,
) -> NtStatus {
    let name = name.read_unicode_string();
    let found = with_current(|nt| {
        let mut state = nt.io_objects.state.lock();
        let device = state.dxgkrnl.as_ref()?.0.as_ptr() as u64;
        if !name.eq_ignore_ascii_case(DXGKRNL_DEVICE) {
            return None;
        }
        let file = object(216);
        let address = file.as_ptr() as u64;
        state.files.insert(address, file);
        Some((address, device))
    });
    let Some((file, device)) = found else {
        return NtStatus::OBJECT_NAME_NOT_FOUND;
    };
    file_out.write(file);
    device_out.write(device);
    NtStatus::SUCCESS
}

extern "win64" fn build_request(
    code: u32,
    _device: DriverAddr,
    _input: DriverAddr,
    _input_len: u32,
    output: DriverAddr,
    output_len: u32,
    internal: Narrow,
    event: DriverAddr,
    status_block: DriverAddr,
) -> u64 {
    let irp = object(IRP_BYTES);
    let address = irp.as_ptr() as u64;
    let internal = internal.is_true();
    let request = Request {
        _irp: irp,
        code,
        internal,
        output,
        output_len,
        event,
        status_block,
    };
    with_current(|nt| {
        if nt.verifier.count_allocation() {
            return 0;
        }
        nt.io_objects.state.lock().requests.insert(address, request);
        address
    })
}

extern "win64" fn call_driver(device: DriverAddr, irp: DriverAddr) -> NtStatus {
    const IMPORT: &str = "IofCallDriver";
    let (request, routine) = with_current(|nt| {
        let mut state = nt.io_objects.state.lock();
        let request = state.requests.remove(&irp.value());
        state.done.insert(irp.value());
        let dxgkrnl = state.dxgkrnl.as_ref();
        let routine = dxgkrnl.filter(|(object, _)| object.as_ptr() as u64 == device.value());
        (request, routine.map(|(_, routine)| *routine))
    });
    let Some(request) = request else {
        misuse(
            IMPORT,
            format!(
                "{:#x} is no request that was built and not sent",
                irp.value()
            ),
        );
        return NtStatus::INVALID_PARAMETER;
    };
    let (status, information) = answer(&request, routine);
    request.status_block.write(status.0);
    request.status_block.offset(8).write(information);
    if !request.event.is_null() {
        with_current(|nt| event::change(nt, IMPORT, request.event, 1));
    }
    status
}

/// What the port driver makes of `request`.
fn answer(request: &Request, routine: Option<u64>) -> (NtStatus, u64) {
    let Some(routine) = routine else {
        misuse(
            "IofCallDriver",
            String::from("the device object is not one that was opened"),
        );
        return (NtStatus::INVALID_PARAMETER, 0);
    };
    if !request.internal || request.code != GET_DXGK_INITIALIZE {
        return (NtStatus::INVALID_DEVICE_REQUEST, 0);
    }
    if request.output_len < 8 {
        return (NtStatus::BUFFER_TOO_SMALL, 0);
    }
    request.output.write(routine);
    (NtStatus::SUCCESS, 8)
}

extern "win64" fn dereference(object: DriverAddr) -> i64 {
    let file = with_current(|nt| nt.io_objects.state.lock().files.remove(&object.value()));
    if file.is_none() {
        misuse(
            "ObfDereferenceObject",
            format!("{:#x} is not referenced", object.value()),
        );
    }
    0
}

extern "win64" fn load_driver(_service: DriverAddr) -> NtStatus {
    NtStatus::IMAGE_ALREADY_LOADED
}
