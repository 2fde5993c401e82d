//! `DxgkInitialize` for builds without the kit's `displib.lib`.
//!
//! The library's job is small: open the graphics port driver's device, ask it by an internal
//! device control for its registration routine, and call that.

use core::ptr;

use carillon_ddi::{DRIVER_INITIALIZATION_DATA, IOCTL_VIDEO_DDI_FUNC_REGISTER_WIN8};
use wdk_sys::_EVENT_TYPE::NotificationEvent;
use wdk_sys::_KWAIT_REASON::Executive;
use wdk_sys::_MODE::KernelMode;
use wdk_sys::ntddk::{
    IoBuildDeviceIoControlRequest, IoGetDeviceObjectPointer, IofCallDriver, KeInitializeEvent,
    KeWaitForSingleObject, ObfDereferenceObject,
};
use wdk_sys::{
    DRIVER_OBJECT, FILE_READ_DATA, IO_STATUS_BLOCK, KEVENT, NT_SUCCESS, NTSTATUS, PDEVICE_OBJECT,
    PFILE_OBJECT, STATUS_INSUFFICIENT_RESOURCES, STATUS_PENDING, STATUS_UNSUCCESSFUL,
    UNICODE_STRING,
};

/// The port driver's registration routine.
type Register = unsafe extern "win64" fn(
    driver: *mut DRIVER_OBJECT,
    registry_path: *mut UNICODE_STRING,
    table: *mut DRIVER_INITIALIZATION_DATA,
) -> NTSTATUS;

/// Name of the port driver's device object.
const DEVICE: &[u8; 15] = b"\\Device\\DxgKrnl";

/// Bytes of the answer: one function pointer.
#[expect(clippy::cast_possible_truncation, reason = "8")]
const ROUTINE_BYTES: u32 = size_of::<Option<Register>>() as u32;
/// Waits on behalf of the kernel, whose stack stays in memory meanwhile.
#[expect(clippy::cast_possible_truncation, reason = "0")]
const KERNEL_MODE: i8 = KernelMode as i8;

/// The name in the kernel's encoding. ASCII widens to UTF-16 unit by unit.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, where a bad index is a build error"
)]
static DEVICE_NAME: [u16; DEVICE.len()] = {
    let mut wide = [0; DEVICE.len()];
    let mut index = 0;
    while index < DEVICE.len() {
        wide[index] = DEVICE[index] as u16;
        index += 1;
    }
    wide
};

/// Registers the driver. IRQL: PASSIVE_LEVEL. Page `nf-dispmprt-dxgkinitialize`.
///
/// # Safety
/// `driver` and `registry_path` are what `DriverEntry` was called with; `table` is valid for the
/// call.
pub(crate) unsafe fn initialize(
    driver: *mut DRIVER_OBJECT,
    registry_path: *mut UNICODE_STRING,
    table: *mut DRIVER_INITIALIZATION_DATA,
) -> NTSTATUS {
    let port = match Port::open() {
        Ok(port) => port,
        Err(status) => return status,
    };
    let register = match port.registration_routine() {
        Ok(register) => register,
        Err(status) => return status,
    };
    // SAFETY: the routine is the port driver's own answer, and the port driver stays loaded while
    // `port` holds its file object; the arguments are the caller's.
    unsafe { register(driver, registry_path, table) }
}

/// The port driver's device, kept open by a reference on a file object.
struct Port {
    file: PFILE_OBJECT,
    device: PDEVICE_OBJECT,
}

impl Port {
    fn open() -> Result<Self, NTSTATUS> {
        let bytes = u16::try_from(size_of_val(&DEVICE_NAME)).map_err(|_| STATUS_UNSUCCESSFUL)?;
        let mut name = UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: DEVICE_NAME.as_ptr().cast_mut(),
        };
        let mut port = Self {
            file: ptr::null_mut(),
            device: ptr::null_mut(),
        };
        // SAFETY: PASSIVE_LEVEL, as in all of `DriverEntry`; the name is only read and both
        // outputs are ours (page `nf-wdm-iogetdeviceobjectpointer`).
        let status = unsafe {
            IoGetDeviceObjectPointer(
                &raw mut name,
                FILE_READ_DATA,
                &raw mut port.file,
                &raw mut port.device,
            )
        };
        if NT_SUCCESS(status) {
            Ok(port)
        } else {
            // Nothing is referenced after a failure, so there is nothing to drop.
            core::mem::forget(port);
            Err(status)
        }
    }

    fn registration_routine(&self) -> Result<Register, NTSTATUS> {
        let mut routine: Option<Register> = None;
        let mut event = KEVENT::default();
        let mut answered = IO_STATUS_BLOCK::default();
        // SAFETY: the event is ours and stays in place until the request is complete.
        unsafe { KeInitializeEvent(&raw mut event, NotificationEvent, 0) };
        // SAFETY: the device is referenced through `self.file`; the output buffer has the stated
        // size. Output buffer, event and status block outlive the request: it has completed
        // before this function returns (page `nf-wdm-iobuilddeviceiocontrolrequest`).
        let request = unsafe {
            IoBuildDeviceIoControlRequest(
                IOCTL_VIDEO_DDI_FUNC_REGISTER_WIN8,
                self.device,
                ptr::null_mut(),
                0,
                (&raw mut routine).cast(),
                ROUTINE_BYTES,
                1,
                &raw mut event,
                &raw mut answered,
            )
        };
        if request.is_null() {
            return Err(STATUS_INSUFFICIENT_RESOURCES);
        }
        // SAFETY: a request that was built for this device and is sent once; the I/O manager
        // frees it on completion.
        let mut status = unsafe { IofCallDriver(self.device, request) };
        if status == STATUS_PENDING {
            // SAFETY: PASSIVE_LEVEL, an initialized event that the request's completion sets; no
            // timeout, since the buffers must outlive the request.
            let _ = unsafe {
                KeWaitForSingleObject(
                    (&raw mut event).cast(),
                    Executive,
                    KERNEL_MODE,
                    0,
                    ptr::null_mut(),
                )
            };
            // SAFETY: the I/O manager has written the status before it set the event.
            status = unsafe { answered.__bindgen_anon_1.Status };
        }
        if !NT_SUCCESS(status) {
            return Err(status);
        }
        routine.ok_or(STATUS_UNSUCCESSFUL)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // SAFETY: the reference that IoGetDeviceObjectPointer took, given back once. The device
        // object needs none of its own: the file object held it.
        unsafe { ObfDereferenceObject(self.file.cast()) };
    }
}
