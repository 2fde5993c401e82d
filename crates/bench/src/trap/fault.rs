//! The signal handler: what happens when driver code faults.
//!
//! An access to a trapped register range is emulated and the driver goes on. Any other fault below
//! a call boundary becomes a violation and ends the driver call. A fault outside of one is the
//! bench's own and goes to whoever handled the signal before.
//!
//! Faults are synchronous, so the handler is an ordinary function that happens to be called in the
//! middle of an instruction of driver code: it may allocate and lock what driver code cannot hold.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use iced_x86::Register;

use super::alu::{self, FLAGS};
use super::boundary;
use super::decode::{self, Action, Destination, Source};
use super::images::{CodeAddress, locate};
use super::mapping::{Access, Reservation};
use super::mmio::{self, Trapped};
use super::{PAGE_SIZE, decode::Unsupported};
use crate::nt::session;
use crate::verifier::violation::{AccessKind, FaultTarget, ViolationKind};

/// Signals by which the processor refuses an instruction.
const SIGNALS: [c_int; 5] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
];
/// Bytes of the stack on which the handler, and with it the device, runs.
const STACK_BYTES: usize = 512 << 10;
/// Longest x86 instruction in bytes.
const LONGEST: usize = 15;
/// Page-fault error code: the access was a write.
const FAULT_WRITE: i64 = 1 << 1;
/// Page-fault error code: the access was an instruction fetch.
const FAULT_FETCH: i64 = 1 << 4;

static PREVIOUS: OnceLock<Vec<(c_int, libc::sigaction)>> = OnceLock::new();

thread_local! {
    static STACK: RefCell<Option<SignalStack>> = const { RefCell::new(None) };
}

/// Installs the handler, once per process.
pub fn install() -> io::Result<()> {
    if PREVIOUS.get().is_some() {
        return Ok(());
    }
    let mut previous = Vec::new();
    for signal in SIGNALS {
        previous.push((signal, current_action(signal)?));
    }
    // Whoever comes second finds the actions of before the first: they are set only once.
    let first = PREVIOUS.set(previous).is_ok();
    for signal in SIGNALS.into_iter().filter(|_| first) {
        set_action(signal)?;
    }
    Ok(())
}

fn check(result: c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn current_action(signal: c_int) -> io::Result<libc::sigaction> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a query; `action` is writable and of the right type.
    check(unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) })?;
    // SAFETY: zeroed, then filled by the call that succeeded; any bits are a `sigaction`.
    Ok(unsafe { action.assume_init() })
}

fn set_action(signal: c_int) -> io::Result<()> {
    let mut action = current_action(signal)?;
    action.sa_sigaction = handle as *const () as usize;
    // NODEFER: a device may call the driver's interrupt routine, which may trap again.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: `handle` has the signature that SA_SIGINFO asks for and lives for ever.
    check(unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) })
}

/// A stack for the handler, in use by this thread until it ends.
struct SignalStack {
    memory: Reservation,
}

impl SignalStack {
    fn new() -> io::Result<Self> {
        let memory = Reservation::new(PAGE_SIZE + STACK_BYTES)?;
        memory.protect(PAGE_SIZE, STACK_BYTES, Access::ReadWrite)?;
        let stack = libc::stack_t {
            ss_sp: (memory.base() + PAGE_SIZE) as *mut c_void,
            ss_flags: 0,
            ss_size: STACK_BYTES,
        };
        // SAFETY: the stack is mapped and this value disables it before unmapping.
        check(unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) })?;
        Ok(Self { memory })
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        let off = libc::stack_t {
            ss_sp: ptr::null_mut(),
            ss_flags: libc::SS_DISABLE,
            ss_size: 0,
        };
        let _ = self.memory.len();
        // SAFETY: the thread is ending and not in a handler, so that the stack is not in use.
        unsafe { libc::sigaltstack(&raw const off, ptr::null_mut()) };
    }
}

/// Gives this thread a signal stack of the bench's size.
pub fn use_signal_stack() {
    STACK.with_borrow_mut(|stack| {
        if stack.is_none() {
            *stack = SignalStack::new().ok();
        }
    });
}

/// The registers of the interrupted code.
struct Frame<'a> {
    registers: &'a mut [i64; 23],
}

impl Frame<'_> {
    fn get(&self, index: c_int) -> u64 {
        usize::try_from(index).map_or(0, |index| self.registers[index].cast_unsigned())
    }

    fn set(&mut self, index: c_int, value: u64) {
        if let Ok(index) = usize::try_from(index) {
            self.registers[index] = value.cast_signed();
        }
    }

    fn read(&self, register: Register) -> u64 {
        let whole = index_of(register).map_or(0, |index| self.get(index));
        if is_high_byte(register) {
            return (whole >> 8) & 0xFF;
        }
        whole & alu::mask(width_of(register))
    }

    fn write(&mut self, register: Register, value: u64) {
        let Some(index) = index_of(register) else {
            return;
        };
        let whole = self.get(index);
        let width = width_of(register);
        let mask = alu::mask(width);
        let value = match width {
            // A 32-bit result clears the upper half.
            4.. => value & mask,
            _ if is_high_byte(register) => (whole & !0xFF00) | ((value & 0xFF) << 8),
            _ => (whole & !mask) | (value & mask),
        };
        self.set(index, value);
    }

    fn source(&self, source: Source) -> u64 {
        match source {
            Source::Register(register) => self.read(register),
            Source::Immediate(value) => value,
        }
    }

    fn set_flags(&mut self, flags: u64) {
        let kept = self.get(libc::REG_EFL) & !FLAGS;
        self.set(libc::REG_EFL, kept | flags);
    }
}

fn width_of(register: Register) -> u8 {
    register.size().to_le_bytes()[0]
}

fn is_high_byte(register: Register) -> bool {
    matches!(
        register,
        Register::AH | Register::BH | Register::CH | Register::DH
    )
}

fn index_of(register: Register) -> Option<c_int> {
    Some(match register.full_register() {
        Register::RAX => libc::REG_RAX,
        Register::RBX => libc::REG_RBX,
        Register::RCX => libc::REG_RCX,
        Register::RDX => libc::REG_RDX,
        Register::RSI => libc::REG_RSI,
        Register::RDI => libc::REG_RDI,
        Register::RBP => libc::REG_RBP,
        Register::RSP => libc::REG_RSP,
        Register::R8 => libc::REG_R8,
        Register::R9 => libc::REG_R9,
        Register::R10 => libc::REG_R10,
        Register::R11 => libc::REG_R11,
        Register::R12 => libc::REG_R12,
        Register::R13 => libc::REG_R13,
        Register::R14 => libc::REG_R14,
        Register::R15 => libc::REG_R15,
        _ => return None,
    })
}

extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes the interrupted context, which is ours to change
    // until the handler returns.
    let context_ref = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let mut frame = Frame {
        registers: &mut context_ref.uc_mcontext.gregs,
    };
    // SAFETY: the kernel passes the signal's information, which lives as long as the handler runs.
    let info_ref = unsafe { &*info };
    let code = info_ref.si_code;
    // SAFETY: for these signals the information holds an address.
    let address = unsafe { info_ref.si_addr() } as usize;
    let mapped_fault = signal == libc::SIGSEGV && code != libc::SI_KERNEL;
    if mapped_fault && let Some(range) = mmio::find(address) {
        match emulate(&mut frame, &range, address) {
            Ok(()) => return,
            Err(kind) => {
                if give_up(&mut frame, kind) {
                    return;
                }
            }
        }
    } else if boundary::landing().is_some() {
        let kind = explain(&frame, signal, mapped_fault, address);
        if give_up(&mut frame, kind) {
            return;
        }
    }
    chain(signal, info, context);
}

/// Records `kind` and sends the thread to its landing; false if it has none.
fn give_up(frame: &mut Frame<'_>, kind: ViolationKind) -> bool {
    let Some(landing) = boundary::landing() else {
        return false;
    };
    let reported = session::try_with_current(|nt| {
        nt.verifier.report(kind);
        nt.verifier.kill();
    });
    if reported.is_none() {
        return false;
    }
    frame.set(libc::REG_RIP, landing.rip as u64);
    frame.set(libc::REG_RSP, landing.rsp as u64);
    true
}

/// Names a fault that is not a register access.
fn explain(frame: &Frame<'_>, signal: c_int, mapped_fault: bool, address: usize) -> ViolationKind {
    let rip = usize::try_from(frame.get(libc::REG_RIP)).unwrap_or(0);
    let error = frame.get(libc::REG_ERR).cast_signed();
    let at = match locate(rip) {
        at @ CodeAddress::Image { .. } => at,
        // In a model function that works for the driver: name who called it.
        other => match session::try_with_current(|_| crate::verifier::thread::caller()) {
            Some(caller @ CodeAddress::Image { .. }) => caller,
            _ => other,
        },
    };
    if !mapped_fault && signal != libc::SIGBUS {
        let access = AccessKind::Instruction;
        let target = FaultTarget::Instruction;
        return ViolationKind::Fault {
            at,
            address: rip as u64,
            access,
            target,
        };
    }
    let access = match error {
        error if error & FAULT_FETCH != 0 => AccessKind::Execute,
        error if error & FAULT_WRITE != 0 => AccessKind::Write,
        _ => AccessKind::Read,
    };
    ViolationKind::Fault {
        at,
        address: address as u64,
        access,
        target: target_of(address),
    }
}

fn target_of(address: usize) -> FaultTarget {
    if address < 0x1_0000 {
        return FaultTarget::Null;
    }
    if let image @ CodeAddress::Image { .. } = locate(address) {
        return FaultTarget::Image(image);
    }
    let known = session::try_with_current(|nt| {
        // A thread that faults in the pool's own code would wait for itself.
        let block = nt
            .verifier
            .pool
            .try_lock()
            .and_then(|pool| pool.explain(address as u64));
        block.or_else(|| {
            nt.io_space
                .was_mapped(address)
                .then_some(FaultTarget::UnmappedIoSpace)
        })
    });
    known.flatten().unwrap_or(FaultTarget::Unmapped)
}

/// Reads the instruction at `rip` without going further into the next page than needed.
fn instruction_bytes(rip: usize) -> Result<decode::Access, Unsupported> {
    let in_page = (PAGE_SIZE - rip % PAGE_SIZE).min(LONGEST);
    // SAFETY: the processor has just fetched from this page.
    let here = unsafe { std::slice::from_raw_parts(rip as *const u8, in_page) };
    let decoded = decode::decode(here, rip as u64);
    if decoded.is_ok() || in_page == LONGEST {
        return decoded;
    }
    // SAFETY: the instruction goes on in the next page, from which the processor fetched as well.
    let more = unsafe { std::slice::from_raw_parts(rip as *const u8, LONGEST) };
    decode::decode(more, rip as u64)
}

/// Does what the instruction at RIP wants of the device, and steps over it.
fn emulate(frame: &mut Frame<'_>, range: &Trapped, address: usize) -> Result<(), ViolationKind> {
    let rip = usize::try_from(frame.get(libc::REG_RIP)).unwrap_or(0);
    let offset = range.bar_offset + (address - range.base) as u64;
    if frame.get(libc::REG_ERR).cast_signed() & FAULT_FETCH != 0 {
        let (at, access) = (locate(rip), AccessKind::Execute);
        let target = FaultTarget::Unmapped;
        return Err(ViolationKind::Fault {
            at,
            address: address as u64,
            access,
            target,
        });
    }
    let access = instruction_bytes(rip).map_err(
        |Unsupported {
             instruction,
             reason,
         }| {
            ViolationKind::Mmio {
                instruction,
                at: locate(rip),
                offset,
                reason,
            }
        },
    )?;
    let complaint = match access {
        decode::Access { locked: true, .. } => Some("locked operation"),
        decode::Access { width, .. } if !offset.is_multiple_of(width.into()) => {
            Some("misaligned access")
        }
        _ => None,
    };
    if let Some(reason) = complaint {
        let (instruction, at) = (format!("{:?}", access.action), locate(rip));
        let kind = ViolationKind::Mmio {
            instruction,
            at,
            offset,
            reason,
        };
        session::try_with_current(|nt| nt.verifier.report(kind));
    }
    perform(frame, range, offset, access);
    frame.set(libc::REG_RIP, (rip + usize::from(access.length)) as u64);
    Ok(())
}

fn perform(frame: &mut Frame<'_>, range: &Trapped, offset: u64, access: decode::Access) {
    let (device, width) = (&range.device, access.width);
    let mask = alu::mask(width);
    let read = || device.read(offset, width) & mask;
    match access.action {
        Action::Load { to, signed: false } => frame.write(to, read()),
        Action::Load { to, signed: true } => frame.write(to, alu::sign_extend(read(), width)),
        Action::Store(source) => device.write(offset, width, frame.source(source) & mask),
        Action::Exchange(register) => {
            let before = read();
            device.write(offset, width, frame.read(register) & mask);
            frame.write(register, before);
        }
        Action::Alu { op, other, to } => {
            let (memory, value) = (read(), frame.source(other));
            let (left, right) = match to {
                Destination::Memory | Destination::FlagsMemoryLeft => (memory, value),
                Destination::Register(_) | Destination::FlagsMemoryRight => (value, memory),
            };
            let (result, flags) = alu::apply(op, left, right, width);
            match to {
                Destination::Memory => device.write(offset, width, result),
                Destination::Register(register) => frame.write(register, result),
                Destination::FlagsMemoryLeft | Destination::FlagsMemoryRight => {}
            }
            frame.set_flags(flags);
        }
    }
}

/// Hands the signal to whoever had it before the bench.
fn chain(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let previous = PREVIOUS
        .get()
        .and_then(|all| all.iter().find(|(known, _)| *known == signal));
    let Some((_, previous)) = previous else {
        return;
    };
    match previous.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: the saved action was valid; the instruction faults again and ends the
            // process as it would have without the bench.
            unsafe { libc::sigaction(signal, &raw const *previous, ptr::null_mut()) };
        }
        handler => {
            // SAFETY: a handler that was installed for this signal takes these arguments, or
            // fewer, which the calling convention permits.
            let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        }
    }
}
