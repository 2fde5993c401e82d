//! The rest: bug checks, debug output, versions, and what compilers call on their own.

use std::ffi::c_void;

use super::driver_addr::{DriverAddr, Narrow};
use super::session::with_current;
use super::status::NtStatus;
use super::thunk::{Export, Role};
use crate::verifier::irql::IrqlRange;
use crate::verifier::thread;
use crate::verifier::violation::ViolationKind;

/// Longest debug line kept, in bytes.
const LINE_LIMIT: u64 = 512;
/// Version that the driver is told: Windows 11 24H2.
const VERSION: [u32; 3] = [10, 0, 26100];

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export("KeBugCheckEx", IrqlRange::ANY, bug_check as *const ()),
    export("KeBugCheck", IrqlRange::ANY, bug_check_plain as *const ()),
    export("DbgPrint", IrqlRange::ANY, dbg_print as *const ()),
    export("DbgPrintEx", IrqlRange::ANY, dbg_print_ex as *const ()),
    export(
        "RtlInitUnicodeString",
        IrqlRange::UP_TO_DISPATCH,
        init_string as *const (),
    ),
    export(
        "RtlGetVersion",
        IrqlRange::PASSIVE,
        get_version as *const (),
    ),
    export(
        "PsGetCurrentProcessId",
        IrqlRange::ANY,
        process_id as *const (),
    ),
    export(
        "KeGetCurrentProcessorNumberEx",
        IrqlRange::ANY,
        processor_number as *const (),
    ),
    export(
        "KeQueryActiveProcessorCountEx",
        IrqlRange::ANY,
        processor_count as *const (),
    ),
    export(
        "__C_specific_handler",
        IrqlRange::ANY,
        specific_handler as *const (),
    ),
];

/// Functions that code generators call on their own: reached without a thunk.
pub(super) const DIRECT: &[(&str, *const ())] = &[
    ("memcpy", copy as *const ()),
    ("memmove", copy as *const ()),
    ("memset", fill as *const ()),
    ("memcmp", compare as *const ()),
    ("__chkstk", check_stack as *const ()),
];

const fn export(name: &'static str, irql: IrqlRange, target: *const ()) -> Export {
    Export {
        name,
        irql,
        role: Role::Kernel,
        target,
    }
}

extern "win64" fn bug_check(code: u32, p1: u64, p2: u64, p3: u64, p4: u64) -> ! {
    let kind = ViolationKind::BugCheck {
        code,
        parameters: [p1, p2, p3, p4],
    };
    with_current(|nt| nt.verifier.fatal(kind))
}

extern "win64" fn bug_check_plain(code: u32) -> ! {
    bug_check(code, 0, 0, 0, 0)
}

// Both are variadic; the caller owns the argument area, so that a callee may ignore the rest.
extern "win64" fn dbg_print(format: DriverAddr) -> NtStatus {
    let line = format.read_c_string(LINE_LIMIT);
    with_current(|nt| nt.log_line(line));
    NtStatus::SUCCESS
}

extern "win64" fn dbg_print_ex(_component: u32, _level: u32, format: DriverAddr) -> NtStatus {
    dbg_print(format)
}

extern "win64" fn init_string(target: DriverAddr, source: DriverAddr) {
    let mut bytes: u16 = 0;
    if !source.is_null() {
        // The longest counted string has 0x7FFE units, so that its terminator can be counted.
        while bytes < 0xFFFC && source.offset(bytes.into()).read::<u16>() != 0 {
            bytes += 2;
        }
    }
    target.write::<u16>(bytes);
    target
        .offset(2)
        .write::<u16>(if source.is_null() { 0 } else { bytes + 2 });
    target.offset(8).write(source.value());
}

extern "win64" fn get_version(info: DriverAddr) -> NtStatus {
    for (offset, value) in (4..).step_by(4).zip(VERSION) {
        info.offset(offset).write(value);
    }
    // dwPlatformId: VER_PLATFORM_WIN32_NT; an empty szCSDVersion.
    info.offset(16).write::<u32>(2);
    info.offset(20).write::<u16>(0);
    NtStatus::SUCCESS
}

extern "win64" fn process_id() -> u64 {
    with_current(|nt| nt.config.process_id)
}

extern "win64" fn processor_number(number: DriverAddr) -> u32 {
    let processors = with_current(|nt| nt.config.processors.max(1));
    let index = u32::try_from(thread::number() % u64::from(processors)).unwrap_or(0);
    if !number.is_null() {
        number.write::<u16>(0);
        number
            .offset(2)
            .write::<u16>(u16::from(index.to_le_bytes()[0]));
    }
    index
}

extern "win64" fn processor_count(_group: Narrow) -> u32 {
    with_current(|nt| nt.config.processors)
}

extern "win64" fn specific_handler() -> ! {
    let what = String::from("structured exception handling in a driver that has no use for it");
    let import = "__C_specific_handler";
    with_current(|nt| nt.verifier.fatal(ViolationKind::Misuse { import, what }))
}

/// # Safety
/// As for `memmove`.
unsafe extern "win64" fn copy(to: *mut c_void, from: *const c_void, bytes: usize) -> *mut c_void {
    // SAFETY: the driver promises what `memmove` asks for; `libc` checks nothing on its own, so a
    // wild pointer faults into the handler.
    unsafe { libc::memmove(to, from, bytes) }
}

/// # Safety
/// As for `memset`.
unsafe extern "win64" fn fill(to: *mut c_void, value: i32, bytes: usize) -> *mut c_void {
    // SAFETY: as for `copy`.
    unsafe { libc::memset(to, value, bytes) }
}

/// # Safety
/// As for `memcmp`.
unsafe extern "win64" fn compare(a: *const c_void, b: *const c_void, bytes: usize) -> i32 {
    // SAFETY: as for `copy`.
    unsafe { libc::memcmp(a, b, bytes) }
}

/// Probes a new stack frame of `rax` bytes; host stacks grow on their own.
///
/// # Safety
/// Only called by compiled prologues; touches nothing.
#[unsafe(naked)]
unsafe extern "win64" fn check_stack() {
    core::arch::naked_asm!("ret")
}
