//! Trapped registers: every operand form that a driver's compiler makes, in loaded driver code.

use std::sync::{Arc, Mutex};

use carillon_bench::loader::Image;
use carillon_bench::loader::craft::Craft;
use carillon_bench::nt::Nt;
use carillon_bench::trap::boundary::Abandoned;
use carillon_bench::trap::mmio::{MmioDevice, MmioHandler, MmioMapping};
use carillon_bench::verifier::irql::Irql;
use carillon_bench::verifier::violation::ViolationKind;
use iced_x86::IcedError;
use iced_x86::code_asm::*;

/// Registers as plain memory, and a log of what was done to them.
struct Registers {
    bytes: Mutex<[u8; 4096]>,
    log: Mutex<Vec<(char, u64, u8, u64)>>,
}

impl MmioHandler for Registers {
    fn read(&self, offset: u64, width: u8) -> u64 {
        let (at, bytes) = (usize::try_from(offset).unwrap(), self.bytes.lock().unwrap());
        let taken = bytes[at..at + usize::from(width)].iter().rev();
        let value = taken.fold(0, |value, byte| value << 8 | u64::from(*byte));
        self.log.lock().unwrap().push(('r', offset, width, value));
        value
    }

    fn write(&self, offset: u64, width: u8, value: u64) {
        let at = usize::try_from(offset).unwrap();
        let width_bytes = usize::from(width);
        let data = &value.to_le_bytes()[..width_bytes];
        self.bytes.lock().unwrap()[at..at + width_bytes].copy_from_slice(data);
        self.log.lock().unwrap().push(('w', offset, width, value));
    }
}

struct Rig {
    nt: Arc<Nt>,
    registers: Arc<Registers>,
    device: Arc<MmioDevice>,
    mapping: MmioMapping,
}

/// Register 0x10 holds this at the start of each snippet.
const INITIAL: u64 = 0x8877_6655_4433_2291;

impl Rig {
    fn new() -> Self {
        let mut bytes = [0; 4096];
        bytes[0x10..0x18].copy_from_slice(&INITIAL.to_le_bytes());
        let bytes = Mutex::new(bytes);
        let registers = Arc::new(Registers {
            bytes,
            log: Mutex::default(),
        });
        let device = MmioDevice::new(registers.clone());
        let mapping = MmioMapping::new(&device, 0, 4096).unwrap();
        Self {
            nt: Nt::new().unwrap(),
            registers,
            device,
            mapping,
        }
    }

    /// Runs `body` as driver code with rcx at the registers and rdx = `argument`.
    fn run(
        &self,
        argument: u64,
        body: impl Fn(&mut CodeAssembler) -> Result<(), IcedError>,
    ) -> Result<u64, Abandoned> {
        let mut code = CodeAssembler::new(64).unwrap();
        body(&mut code).unwrap();
        code.ret().unwrap();
        let text = code.assemble(0x1000).unwrap();
        let image = Image::from_bytes("mmio.sys", &Craft::new(&text).build()).unwrap();
        // SAFETY: the entry point is the snippet, which takes two integers.
        let entry: extern "win64" fn(u64, u64) -> u64 =
            unsafe { std::mem::transmute(image.entry()) };
        let base = self.mapping.as_ptr() as u64;
        self.nt
            .ddi_call("snippet", Irql::PASSIVE, || entry(base, argument))
    }

    fn register(&self) -> u64 {
        let bytes = self.registers.bytes.lock().unwrap();
        u64::from_le_bytes(bytes[0x10..0x18].try_into().unwrap())
    }

    fn log(&self) -> Vec<(char, u64, u8, u64)> {
        std::mem::take(&mut *self.registers.log.lock().unwrap())
    }
}

type Snippet = fn(&mut CodeAssembler) -> Result<(), IcedError>;

/// The value in rax after the snippet, which reads the register with `width` bytes.
fn expect_load(snippet: Snippet, width: u8, expected: u64) {
    let rig = Rig::new();
    assert_eq!(rig.run(0, snippet), Ok(expected));
    let mask = u64::MAX >> (64 - 8 * u32::from(width));
    assert_eq!(rig.log(), [('r', 0x10, width, INITIAL & mask)]);
    assert_eq!(
        (rig.device.exits().reads(), rig.device.exits().writes()),
        (1, 0)
    );
    assert_eq!(rig.nt.verifier.violations(), []);
}

#[test]
fn loads_of_every_width() {
    expect_load(|a| a.mov(rax, qword_ptr(rcx + 0x10)), 8, INITIAL);
    expect_load(|a| a.mov(eax, dword_ptr(rcx + 0x10)), 4, 0x4433_2291);
    expect_load(
        |a| {
            a.mov(rax, -1i64)?;
            a.mov(ax, word_ptr(rcx + 0x10))
        },
        2,
        0xFFFF_FFFF_FFFF_2291,
    );
    expect_load(
        |a| {
            a.mov(rax, -1i64)?;
            a.mov(al, byte_ptr(rcx + 0x10))
        },
        1,
        0xFFFF_FFFF_FFFF_FF91,
    );
    expect_load(
        |a| {
            a.xor(eax, eax)?;
            a.mov(ah, byte_ptr(rcx + 0x10))
        },
        1,
        0x9100,
    );
}

#[test]
fn a_32_bit_load_clears_the_upper_half() {
    expect_load(
        |a| {
            a.mov(rax, -1i64)?;
            a.mov(eax, dword_ptr(rcx + 0x10))
        },
        4,
        0x4433_2291,
    );
}

#[test]
fn loads_into_and_through_the_upper_registers() {
    expect_load(
        |a| {
            a.mov(r8d, 4)?;
            a.mov(r11, qword_ptr(rcx + r8 * 4))?;
            a.mov(rax, r11)
        },
        8,
        INITIAL,
    );
}

#[test]
fn widening_loads() {
    expect_load(|a| a.movzx(eax, byte_ptr(rcx + 0x10)), 1, 0x91);
    expect_load(|a| a.movzx(eax, word_ptr(rcx + 0x10)), 2, 0x2291);
    expect_load(|a| a.movsx(eax, byte_ptr(rcx + 0x10)), 1, 0xFFFF_FF91);
    expect_load(
        |a| a.movsx(rax, byte_ptr(rcx + 0x10)),
        1,
        0xFFFF_FFFF_FFFF_FF91,
    );
    expect_load(|a| a.movsx(rax, word_ptr(rcx + 0x10)), 2, 0x2291);
    expect_load(|a| a.movsxd(rax, dword_ptr(rcx + 0x10)), 4, 0x4433_2291);
}

fn expect_store(snippet: Snippet, width: u8, value: u64) {
    let rig = Rig::new();
    assert!(rig.run(0x1122_3344_5566_7788, snippet).is_ok());
    assert_eq!(rig.log(), [('w', 0x10, width, value)]);
    assert_eq!(rig.device.exits().writes(), 1);
    assert_eq!(rig.nt.verifier.violations(), []);
}

#[test]
fn stores_of_registers() {
    expect_store(
        |a| a.mov(qword_ptr(rcx + 0x10), rdx),
        8,
        0x1122_3344_5566_7788,
    );
    expect_store(|a| a.mov(dword_ptr(rcx + 0x10), edx), 4, 0x5566_7788);
    expect_store(|a| a.mov(word_ptr(rcx + 0x10), dx), 2, 0x7788);
    expect_store(|a| a.mov(byte_ptr(rcx + 0x10), dl), 1, 0x88);
    expect_store(|a| a.mov(byte_ptr(rcx + 0x10), dh), 1, 0x77);
    expect_store(|a| a.movnti(dword_ptr(rcx + 0x10), edx), 4, 0x5566_7788);
}

#[test]
fn stores_of_constants() {
    expect_store(
        |a| a.mov(qword_ptr(rcx + 0x10), -2),
        8,
        0xFFFF_FFFF_FFFF_FFFE,
    );
    expect_store(
        |a| a.mov(dword_ptr(rcx + 0x10), 0x1234_5678),
        4,
        0x1234_5678,
    );
    expect_store(|a| a.mov(word_ptr(rcx + 0x10), 0xABCD), 2, 0xABCD);
    expect_store(|a| a.mov(byte_ptr(rcx + 0x10), 0xEF), 1, 0xEF);
}

fn expect_update(snippet: Snippet, expected: u64) {
    let rig = Rig::new();
    assert!(rig.run(0x0F, snippet).is_ok());
    assert_eq!(rig.register() & 0xFFFF_FFFF, expected);
    assert_eq!(
        (rig.device.exits().reads(), rig.device.exits().writes()),
        (1, 1)
    );
}

#[test]
fn read_modify_write_forms() {
    expect_update(|a| a.or(dword_ptr(rcx + 0x10), edx), 0x4433_229F);
    expect_update(|a| a.and(dword_ptr(rcx + 0x10), edx), 0x1);
    expect_update(|a| a.xor(dword_ptr(rcx + 0x10), edx), 0x4433_229E);
    expect_update(|a| a.add(dword_ptr(rcx + 0x10), edx), 0x4433_22A0);
    expect_update(|a| a.sub(dword_ptr(rcx + 0x10), edx), 0x4433_2282);
    expect_update(|a| a.or(dword_ptr(rcx + 0x10), 0x100), 0x4433_2391);
    expect_update(|a| a.and(dword_ptr(rcx + 0x10), -2), 0x4433_2290);
}

#[test]
fn arithmetic_into_a_register() {
    expect_load(
        |a| {
            a.mov(eax, 0x6E)?;
            a.add(eax, dword_ptr(rcx + 0x10))
        },
        4,
        0x4433_22FF,
    );
    expect_load(
        |a| {
            a.mov(eax, 0xFF)?;
            a.and(eax, dword_ptr(rcx + 0x10))
        },
        4,
        0x91,
    );
    expect_load(
        |a| {
            a.mov(eax, 0x5000_0000)?;
            a.sub(eax, dword_ptr(rcx + 0x10))
        },
        4,
        0x5000_0000 - 0x4433_2291,
    );
}

#[test]
fn comparisons_set_flags_only() {
    // setz, setc and sets after comparing the register, as three bytes of rax.
    fn flags(a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.setz(al)?;
        a.setb(ah)?;
        a.movzx(eax, ax)
    }
    expect_load(
        |a| {
            a.cmp(dword_ptr(rcx + 0x10), 0x4433_2291)?;
            a.mov(eax, 0)?;
            flags(a)
        },
        4,
        0x0001,
    );
    expect_load(
        |a| {
            a.mov(eax, 0x100)?;
            a.cmp(eax, dword_ptr(rcx + 0x10))?;
            a.mov(eax, 0)?;
            flags(a)
        },
        4,
        0x0100,
    );
    expect_load(
        |a| {
            a.test(dword_ptr(rcx + 0x10), 0x6E)?;
            a.mov(eax, 0)?;
            flags(a)
        },
        4,
        0x0001,
    );
}

#[test]
fn locked_and_misaligned_accesses_are_emulated_and_reported() {
    let rig = Rig::new();
    let exchanged = rig.run(0x42, |a| {
        a.xchg(dword_ptr(rcx + 0x10), edx)?;
        a.mov(eax, edx)
    });
    assert_eq!(exchanged, Ok(0x4433_2291));
    assert_eq!(rig.register() & 0xFFFF_FFFF, 0x42);
    let reason = |kind: &ViolationKind| match kind {
        ViolationKind::Mmio { reason, .. } => *reason,
        other => panic!("{other}"),
    };
    let found = rig.nt.verifier.take_violations();
    assert_eq!(found.len(), 1);
    assert_eq!(reason(&found[0].kind), "locked operation");
    assert!(rig.run(0, |a| a.mov(eax, dword_ptr(rcx + 0x12))).is_ok());
    let found = rig.nt.verifier.take_violations();
    assert_eq!(reason(&found[0].kind), "misaligned access");
}

#[test]
fn other_instructions_end_the_call_and_are_named() {
    let snippets: [Snippet; 3] = [
        |a| a.movups(xmm0, xmmword_ptr(rcx + 0x10)),
        |a| {
            a.mov(rdi, rcx)?;
            a.mov(ecx, 4)?;
            a.rep().stosd()
        },
        |a| a.inc(dword_ptr(rcx + 0x10)),
    ];
    for (snippet, name) in snippets.into_iter().zip(["movups", "stosd", "inc"]) {
        let rig = Rig::new();
        assert_eq!(rig.run(0, snippet), Err(Abandoned));
        let found = rig.nt.verifier.violations();
        let text = found[0].to_string();
        assert!(
            text.contains(name) && text.contains("mmio.sys+0x10"),
            "{text}"
        );
        assert!(rig.nt.verifier.is_dead());
        assert_eq!(
            rig.run(0, CodeAssembler::nop),
            Err(Abandoned),
            "a dead session runs nothing"
        );
    }
}

#[test]
fn an_instruction_at_the_end_of_a_page_is_decoded() {
    let rig = Rig::new();
    let value = rig.run(0, |a| {
        for _ in 0..4096 - 3 {
            a.nop()?;
        }
        a.mov(rax, qword_ptr(rcx + 0x10))
    });
    assert_eq!(value, Ok(INITIAL));
}

#[test]
fn several_threads_trap_at_once() {
    let rig = Rig::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let value = rig.run(0, |a| {
                    let mut again = a.create_label();
                    a.mov(edx, 1000)?;
                    a.set_label(&mut again)?;
                    a.mov(eax, dword_ptr(rcx + 0x10))?;
                    a.dec(edx)?;
                    a.jnz(again)
                });
                assert_eq!(value, Ok(0x4433_2291));
            });
        }
    });
    assert_eq!(rig.device.exits().reads(), 4000);
}
