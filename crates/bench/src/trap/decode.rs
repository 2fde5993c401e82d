//! What one instruction does with its memory operand.

use iced_x86::{Code, Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter, Mnemonic};
use iced_x86::{OpKind, Register};

use super::alu::AluOp;

/// Where the value comes from that is not in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A register.
    Register(Register),
    /// A constant, sign-extended.
    Immediate(u64),
}

/// Where the result of an [`AluOp`] goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Back to memory.
    Memory,
    /// To a register, which is also the left operand.
    Register(Register),
    /// Nowhere: only the flags count. Memory is the left operand.
    FlagsMemoryLeft,
    /// Nowhere: only the flags count. The register is the left operand.
    FlagsMemoryRight,
}

/// What an instruction does with its memory operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Memory to a register; `signed` says how it is widened.
    Load {
        /// The register.
        to: Register,
        /// Sign-extended rather than zero-extended.
        signed: bool,
    },
    /// A value to memory.
    Store(Source),
    /// Memory and a register change places.
    Exchange(Register),
    /// Memory and a value are combined.
    Alu {
        /// How.
        op: AluOp,
        /// The other value.
        other: Source,
        /// Where the result goes.
        to: Destination,
    },
}

/// A decoded access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Bytes of the memory operand: 1, 2, 4 or 8.
    pub width: u8,
    /// Bytes of the instruction.
    pub length: u8,
    /// The instruction has a LOCK prefix or implies one.
    pub locked: bool,
    /// What is to be done.
    pub action: Action,
}

/// Why an instruction cannot be emulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{instruction}: {reason}")]
pub struct Unsupported {
    /// The instruction, disassembled.
    pub instruction: String,
    /// What is the matter.
    pub reason: &'static str,
}

/// Decodes the instruction at the start of `code`, which is at `rip`.
///
/// # Errors
/// [`Unsupported`] for anything but moves and simple arithmetic of 1 to 8 bytes.
pub fn decode(code: &[u8], rip: u64) -> Result<Access, Unsupported> {
    let mut decoder = Decoder::with_ip(64, code, rip, DecoderOptions::NONE);
    let instruction = decoder.decode();
    let fail = |reason| Unsupported {
        instruction: disassemble(&instruction),
        reason,
    };
    if instruction.code() == Code::INVALID {
        return Err(fail("not an instruction"));
    }
    if instruction.has_rep_prefix() || instruction.has_repne_prefix() {
        return Err(fail("repeated string instruction"));
    }
    let width = match instruction.memory_size().size() {
        width @ (1 | 2 | 4 | 8) => width.to_le_bytes()[0],
        _ => return Err(fail("access of an unusual width")),
    };
    let action = action(&instruction).ok_or_else(|| fail("no plain move or simple arithmetic"))?;
    let length = instruction.len().to_le_bytes()[0];
    let exchange = matches!(action, Action::Exchange(_));
    Ok(Access {
        width,
        length,
        locked: instruction.has_lock_prefix() || exchange,
        action,
    })
}

/// The text of `instruction`.
pub fn disassemble(instruction: &Instruction) -> String {
    let mut text = String::new();
    IntelFormatter::new().format(instruction, &mut text);
    text
}

fn action(instruction: &Instruction) -> Option<Action> {
    let memory = (0..2).find(|i| instruction.op_kind(*i) == OpKind::Memory)?;
    let other_index = 1 - memory;
    let other = match instruction.op_kind(other_index) {
        OpKind::Register => {
            let register = instruction.op_register(other_index);
            Source::Register(register.is_gpr().then_some(register)?)
        }
        _ => Source::Immediate(instruction.try_immediate(other_index).ok()?),
    };
    let to_memory = memory == 0;
    let alu = |op| {
        let to = match other {
            Source::Register(register) if !to_memory => Destination::Register(register),
            _ => Destination::Memory,
        };
        Action::Alu { op, other, to }
    };
    let flags = |op| {
        let left = to_memory;
        let to = if left {
            Destination::FlagsMemoryLeft
        } else {
            Destination::FlagsMemoryRight
        };
        Action::Alu { op, other, to }
    };
    Some(match (instruction.mnemonic(), other) {
        (Mnemonic::Mov | Mnemonic::Movnti, _) if to_memory => Action::Store(other),
        (Mnemonic::Mov | Mnemonic::Movzx, Source::Register(to)) => {
            Action::Load { to, signed: false }
        }
        (Mnemonic::Movsx | Mnemonic::Movsxd, Source::Register(to)) => {
            Action::Load { to, signed: true }
        }
        (Mnemonic::Xchg, Source::Register(register)) => Action::Exchange(register),
        (Mnemonic::Add, _) => alu(AluOp::Add),
        (Mnemonic::Sub, _) => alu(AluOp::Sub),
        (Mnemonic::And, _) => alu(AluOp::And),
        (Mnemonic::Or, _) => alu(AluOp::Or),
        (Mnemonic::Xor, _) => alu(AluOp::Xor),
        (Mnemonic::Cmp, _) => flags(AluOp::Sub),
        (Mnemonic::Test, _) => flags(AluOp::And),
        _ => return None,
    })
}
