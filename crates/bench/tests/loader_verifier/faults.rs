//! Wild accesses, and other ends of a driver call.

use std::ffi::c_void;

use carillon_bench::loader::Image;
use carillon_bench::loader::craft::Craft;
use carillon_bench::nt::registry_of_imports::resolve;
use carillon_bench::trap::boundary::Abandoned;
use carillon_bench::verifier::irql::Irql;
use carillon_bench::verifier::violation::{AccessKind, FaultTarget, ViolationKind};
use iced_x86::code_asm::*;

use crate::{
    TAG, allocate, call_import, driver, enter, fatal, free, import, peek, poke, run, session,
};

#[test]
fn use_after_free_is_found_with_both_places() {
    let image = driver(|code| {
        code.mov(ecx, 0x40).unwrap();
        code.mov(edx, 64).unwrap();
        code.mov(r8d, TAG).unwrap();
        call_import(code, "ExAllocatePool2");
        code.mov(qword_ptr(rsp + 40), rax).unwrap();
        code.mov(rcx, rax).unwrap();
        code.mov(edx, TAG).unwrap();
        call_import(code, "ExFreePoolWithTag");
        code.mov(rcx, qword_ptr(rsp + 40)).unwrap();
        code.mov(eax, dword_ptr(rcx + 8)).unwrap();
    });
    let nt = session();
    assert_eq!(enter(&nt, &image, Irql::PASSIVE), Err(Abandoned));
    let found = nt.verifier.violations();
    let ViolationKind::Fault { access, target, .. } = &found[0].kind else {
        panic!("{found:?}")
    };
    let FaultTarget::Freed { block, offset: 8 } = target else {
        panic!("{target}")
    };
    assert_eq!((*access, block.size), (AccessKind::Read, 64));
    let text = found[0].to_string();
    for part in [
        "allocated by bad.sys+",
        "freed by bad.sys+",
        "at bad.sys+",
        "'Test'",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn accesses_around_a_block_hit_its_guards() {
    for (size, offset) in [(64, 64), (4096, 4096), (4096, -1), (4096, 8191)] {
        let kind = fatal(Irql::PASSIVE, || {
            poke(allocate(size).wrapping_offset(offset));
        });
        let ViolationKind::Fault {
            access: AccessKind::Write,
            target,
            ..
        } = kind
        else {
            panic!("{kind}")
        };
        let FaultTarget::Guard { offset: found, .. } = target else {
            panic!("{target}")
        };
        assert_eq!(found, offset as i64);
    }
}

#[test]
fn a_null_pointer() {
    let kind = fatal(Irql::PASSIVE, || {
        peek(std::hint::black_box(16 as *const u8));
    });
    let found = matches!(
        kind,
        ViolationKind::Fault {
            target: FaultTarget::Null,
            ..
        }
    );
    assert!(found, "{kind}");
}

#[test]
fn a_null_pointer_given_to_an_import() {
    let kind = fatal(Irql::PASSIVE, || {
        import!(KeInitializeSpinLock(*mut u64))(std::ptr::null_mut());
    });
    let found = matches!(
        kind,
        ViolationKind::Fault {
            target: FaultTarget::Null,
            ..
        }
    );
    assert!(found, "{kind}");
}

#[test]
fn a_freed_block_given_to_an_import() {
    let kind = fatal(Irql::PASSIVE, || {
        let block = allocate(64);
        free(block);
        import!(memset(*mut u8, i32, usize) -> *mut u8)(block, 0, 64);
    });
    let found = matches!(
        kind,
        ViolationKind::Fault {
            target: FaultTarget::Freed { .. },
            ..
        }
    );
    assert!(found, "{kind}");
}

#[test]
fn privileged_instructions_and_failed_assertions_end_the_call() {
    for instruction in [
        &[0xFAu8][..],
        &[0x0F, 0x0B],
        &[0xCD, 0x29],
        &[0x44, 0x0F, 0x20, 0xC0],
    ] {
        let mut text = instruction.to_vec();
        text.push(0xC3);
        let image = Image::from_bytes("bad.sys", &Craft::new(&text).build()).unwrap();
        let nt = session();
        assert_eq!(enter(&nt, &image, Irql::PASSIVE), Err(Abandoned));
        let text = nt.verifier.violations()[0].to_string();
        assert!(
            text.contains("instruction") && text.contains("bad.sys+0x1000"),
            "{text}"
        );
    }
}

#[test]
fn code_cannot_be_written_and_data_cannot_be_executed() {
    let image = driver(|_| {});
    let base = image.base();
    let kind = fatal(Irql::PASSIVE, || poke((base + 0x1000) as *mut u8));
    let found = matches!(
        kind,
        ViolationKind::Fault {
            access: AccessKind::Write,
            target: FaultTarget::Image(_),
            ..
        }
    );
    assert!(found, "{kind}");
    let kind = fatal(Irql::PASSIVE, || {
        // SAFETY: the address is data: the fetch faults and ends the call.
        let data: extern "win64" fn() = unsafe { std::mem::transmute(base + 0x8000) };
        data();
    });
    let found = matches!(
        kind,
        ViolationKind::Fault {
            access: AccessKind::Execute,
            ..
        }
    );
    assert!(found, "{kind}");
}

#[test]
fn a_bug_check_ends_the_call_with_its_code() {
    let kind = fatal(Irql::PASSIVE, || {
        import!(KeBugCheckEx(u32, u64, u64, u64, u64))(0x119, 1, 2, 3, 4);
    });
    assert_eq!(
        kind,
        ViolationKind::BugCheck {
            code: 0x119,
            parameters: [1, 2, 3, 4]
        }
    );
}

#[test]
fn debug_output_is_kept() {
    let nt = session();
    let (result, _) = run(&nt, Irql::PASSIVE, || {
        let print = import!(DbgPrintEx(u32, u32, *const c_void, u64) -> u32);
        print(0, 0, c"value %llx".as_ptr().cast(), 7);
    });
    assert_eq!(result, Ok(()));
    assert_eq!(nt.debug_log(), ["value %llx"]);
}
