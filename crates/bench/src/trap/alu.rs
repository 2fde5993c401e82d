//! Arithmetic of instructions that combine a register of the device with something else.

/// An operation on two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AluOp {
    /// `add`
    Add,
    /// `sub` and `cmp`
    Sub,
    /// `and` and `test`
    And,
    /// `or`
    Or,
    /// `xor`
    Xor,
}

/// Carry.
const CF: u64 = 1 << 0;
/// Parity of the low byte.
const PF: u64 = 1 << 2;
/// Carry out of bit 3.
const AF: u64 = 1 << 4;
/// Zero.
const ZF: u64 = 1 << 6;
/// Sign.
const SF: u64 = 1 << 7;
/// Signed overflow.
const OF: u64 = 1 << 11;
/// The flags that these operations set.
pub const FLAGS: u64 = CF | PF | AF | ZF | SF | OF;

/// The bits of a value of `width` bytes.
pub fn mask(width: u8) -> u64 {
    match width {
        8.. => u64::MAX,
        narrow => (1 << (narrow * 8)) - 1,
    }
}

/// `value` of `width` bytes, sign-extended to 64 bits.
pub fn sign_extend(value: u64, width: u8) -> u64 {
    let shift = 64 - 8 * u32::from(width.min(8));
    ((value << shift).cast_signed() >> shift).cast_unsigned()
}

/// The result of `left op right` on `width` bytes, and the flags it sets (within [`FLAGS`]).
pub fn apply(op: AluOp, left: u64, right: u64, width: u8) -> (u64, u64) {
    let mask = mask(width);
    let sign = mask ^ (mask >> 1);
    let (left, right) = (left & mask, right & mask);
    let result = mask
        & match op {
            AluOp::Add => left.wrapping_add(right),
            AluOp::Sub => left.wrapping_sub(right),
            AluOp::And => left & right,
            AluOp::Or => left | right,
            AluOp::Xor => left ^ right,
        };
    let carries = match op {
        AluOp::Add => {
            let overflow = !(left ^ right) & (left ^ result) & sign != 0;
            bit(result < left, CF) | bit(overflow, OF) | ((left ^ right ^ result) & AF)
        }
        AluOp::Sub => {
            let overflow = (left ^ right) & (left ^ result) & sign != 0;
            bit(left < right, CF) | bit(overflow, OF) | ((left ^ right ^ result) & AF)
        }
        AluOp::And | AluOp::Or | AluOp::Xor => 0,
    };
    let parity = (result & 0xFF).count_ones().is_multiple_of(2);
    let flags = carries | bit(result == 0, ZF) | bit(result & sign != 0, SF) | bit(parity, PF);
    (result, flags)
}

fn bit(set: bool, flag: u64) -> u64 {
    if set { flag } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtraction_sets_the_flags_that_branches_look_at() {
        assert_eq!(apply(AluOp::Sub, 1, 1, 4), (0, ZF | PF));
        let (result, flags) = apply(AluOp::Sub, 0, 1, 4);
        assert_eq!(result, 0xFFFF_FFFF);
        assert_eq!(flags, CF | SF | PF | AF);
        let (result, flags) = apply(AluOp::Sub, 0x80, 1, 1);
        assert_eq!((result, flags & (OF | SF | CF)), (0x7F, OF));
    }

    #[test]
    fn addition_wraps_at_the_width() {
        let (result, flags) = apply(AluOp::Add, 0xFFFF, 1, 2);
        assert_eq!((result, flags & (CF | ZF | OF)), (0, CF | ZF));
        let (result, flags) = apply(AluOp::Add, 0x7FFF_FFFF, 1, 4);
        assert_eq!((result, flags & (CF | OF | SF)), (0x8000_0000, OF | SF));
    }

    #[test]
    fn sign_extension() {
        assert_eq!(sign_extend(0x80, 1), 0xFFFF_FFFF_FFFF_FF80);
        assert_eq!(sign_extend(0x7F, 1), 0x7F);
        assert_eq!(sign_extend(u64::MAX, 8), u64::MAX);
    }
}
