//! Kernel functions that reach other parts of the model: memory, I/O space, registry, requests to
//! the port driver, event tracing, views whose pages are switched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use carillon_bench::nt::memory::Backing;
use carillon_bench::nt::physical::{Mdl, PhysicalAddress};
use carillon_bench::nt::registry_of_imports::resolve;
use carillon_bench::nt::{Nt, io};
use carillon_bench::trap::PAGE_SIZE;
use carillon_bench::trap::boundary::Abandoned;
use carillon_bench::trap::mmio::{MmioDevice, MmioHandler};
use carillon_bench::trap::shared::{RemappableView, SharedRegion};
use carillon_bench::verifier::irql::Irql;
use carillon_bench::verifier::violation::{FaultTarget, ViolationKind};

/// An import as driver code calls it.
macro_rules! import {
    ($name:ident($($arg:ty),* $(,)?) $(-> $ret:ty)?) => {{
        type Function = extern "win64" fn($($arg),*) $(-> $ret)?;
        let address = resolve("ntoskrnl.exe", stringify!($name)).expect(stringify!($name));
        // SAFETY: the thunk leads to a function of this signature.
        let function = unsafe { std::mem::transmute::<usize, Function>(address) };
        function
    }};
}

fn session() -> Arc<Nt> {
    Nt::new().unwrap()
}

/// Runs `body` as a DDI and expects it to return.
fn run<R>(nt: &Arc<Nt>, body: impl FnOnce() -> R) -> R {
    nt.ddi_call("DxgkDdiTest", Irql::PASSIVE, body).unwrap()
}

fn texts(nt: &Nt) -> Vec<String> {
    nt.verifier
        .take_violations()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn store(address: *mut u8, value: u8) {
    // SAFETY: the tests pass mapped addresses, or want the fault.
    unsafe { address.write_volatile(value) };
}

fn load(address: *const u8) -> u8 {
    // SAFETY: as for `store`.
    unsafe { address.read_volatile() }
}

/// A `UNICODE_STRING` and its text.
struct Text {
    _units: Vec<u16>,
    string: [u64; 2],
}

impl Text {
    fn new(text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut string = [0u64; 2];
        import!(RtlInitUnicodeString(*mut u64, *const u16))(string.as_mut_ptr(), units.as_ptr());
        Self {
            _units: units,
            string,
        }
    }

    fn as_ptr(&self) -> *const u64 {
        self.string.as_ptr()
    }
}

#[test]
fn contiguous_memory_has_physical_addresses() {
    let nt = session();
    let physical = run(&nt, || {
        let allocate =
            import!(MmAllocateContiguousNodeMemory(u64, u64, u64, u64, u32, u32) -> *mut u8);
        let block = allocate(5000, 0, u64::MAX, 0, 4, u32::MAX);
        store(block.wrapping_add(4999), 7);
        let physical = import!(MmGetPhysicalAddress(*mut u8) -> u64)(block.wrapping_add(4999));
        assert!(
            allocate(5000, 0, 0xFFFF, 0, 4, u32::MAX).is_null(),
            "nothing is that low"
        );
        physical
    });
    let seen = nt.memory.host_ptr(PhysicalAddress(physical), 1).unwrap();
    assert_eq!(load(seen), 7);
    nt.check_unloaded();
    let found = texts(&nt);
    assert!(
        found[0].contains("2 pages of contiguous memory"),
        "{found:?}"
    );
    let block = seen.wrapping_sub(4999);
    run(&nt, || import!(MmFreeContiguousMemory(*mut u8))(block));
    nt.check_unloaded();
    assert_eq!(texts(&nt), [""; 0]);
    run(&nt, || import!(MmFreeContiguousMemory(*mut u8))(block));
    assert!(texts(&nt)[0].contains("no contiguous allocation"));
}

#[test]
fn an_mdl_maps_scattered_pages_in_order() {
    let nt = session();
    let any = PhysicalAddress(u64::MAX);
    let pages = [3, 1, 2].map(|_| nt.memory.allocate(1, 1, any).unwrap());
    let scattered = [pages[2], pages[0]];
    let mut mdl = Mdl::new(&scattered, 16, 4096);
    let pointer = mdl.as_ptr();
    run(&nt, || {
        let map =
            import!(MmMapLockedPagesSpecifyCache(*mut u8, u8, u32, *mut u8, u32, u32) -> *mut u8);
        let view = map(pointer, 0, 1, std::ptr::null_mut(), 0, 0x4000_0010);
        assert_eq!(view as usize % PAGE_SIZE, 16);
        store(view, 0xAB);
        store(view.wrapping_add(4095), 0xCD);
        import!(MmUnmapLockedPages(*mut u8, *mut u8))(view, pointer);
    });
    assert_eq!(
        load(
            nt.memory
                .host_ptr(PhysicalAddress(pages[2].0 + 16), 1)
                .unwrap()
        ),
        0xAB
    );
    assert_eq!(
        load(
            nt.memory
                .host_ptr(PhysicalAddress(pages[0].0 + 15), 1)
                .unwrap()
        ),
        0xCD
    );
    let mut foreign = Mdl::new(&[PhysicalAddress(0xFFFF_F000)], 0, 1);
    let pointer = foreign.as_ptr();
    run(&nt, || {
        let map =
            import!(MmMapLockedPagesSpecifyCache(*mut u8, u8, u32, *mut u8, u32, u32) -> *mut u8);
        assert!(map(pointer, 0, 1, std::ptr::null_mut(), 0, 0).is_null());
    });
    assert!(texts(&nt)[0].contains("page frame 0xfffff is no memory"));
}

/// Answers reads with the offset.
#[derive(Default)]
struct Echo {
    writes: Mutex<Vec<(u64, u64)>>,
}

impl MmioHandler for Echo {
    fn read(&self, offset: u64, _width: u8) -> u64 {
        offset / 8
    }

    fn write(&self, offset: u64, _width: u8, value: u64) {
        self.writes.lock().unwrap().push((offset, value));
    }
}

const BAR0: PhysicalAddress = PhysicalAddress(0xF000_0000);
const BAR2: PhysicalAddress = PhysicalAddress(0xF100_0000);

fn with_bars() -> (Arc<Nt>, Arc<SharedRegion>) {
    let nt = session();
    let device = MmioDevice::new(Arc::new(Echo::default()));
    let doorbells = SharedRegion::new("doorbells", 4 * PAGE_SIZE).unwrap();
    nt.io_space.add(BAR0, 0x2000, Backing::Registers(device));
    nt.io_space.add(
        BAR2,
        4 * PAGE_SIZE as u64,
        Backing::Memory(doorbells.clone()),
    );
    (nt, doorbells)
}

#[test]
fn io_space_reaches_registers_and_shared_memory() {
    let (nt, doorbells) = with_bars();
    let device_view = doorbells.map(PAGE_SIZE, PAGE_SIZE).unwrap();
    run(&nt, || {
        let map = import!(MmMapIoSpaceEx(u64, u64, u32) -> *mut u8);
        let unmap = import!(MmUnmapIoSpace(*mut u8, u64));
        let registers = map(BAR0.0 + 0x1010, 16, 0x204);
        assert_eq!(load(registers.wrapping_add(8)), ((0x1018 / 8) & 0xFF) as u8);
        let physical = import!(MmGetPhysicalAddress(*mut u8) -> u64)(registers.wrapping_add(8));
        assert_eq!(physical, BAR0.0 + 0x1018);
        let page = map(BAR2.0 + 4096, 4096, 0x204);
        store(page.wrapping_add(5), 9);
        unmap(page, 4096);
        unmap(registers, 16);
    });
    assert_eq!(load(device_view.as_ptr().wrapping_add(5)), 9);
    nt.check_unloaded();
    assert_eq!(texts(&nt), [""; 0]);
}

#[test]
fn io_space_that_nobody_has_and_mappings_that_stay() {
    let (nt, _doorbells) = with_bars();
    run(&nt, || {
        let map = import!(MmMapIoSpaceEx(u64, u64, u32) -> *mut u8);
        for (physical, bytes) in [(BAR0.0, 0x2001), (BAR0.0 - 1, 2), (0, 1), (BAR0.0, 0)] {
            assert!(map(physical, bytes, 4).is_null());
        }
        assert!(!map(BAR0.0, 0x2000, 4).is_null());
        import!(MmUnmapIoSpace(*mut u8, u64))(0x1000 as *mut u8, 1);
    });
    let found = texts(&nt);
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(
        found[0].contains("no device has 0x2001 bytes at 0xf0000000"),
        "{}",
        found[0]
    );
    nt.check_unloaded();
    assert!(texts(&nt)[0].contains("mapping of 0x2000 bytes at physical 0xf0000000"));
}

#[test]
fn an_access_after_unmapping_is_recognised() {
    let (nt, _doorbells) = with_bars();
    let result = nt.ddi_call("late", Irql::PASSIVE, || {
        let view = import!(MmMapIoSpaceEx(u64, u64, u32) -> *mut u8)(BAR0.0, 4096, 4);
        import!(MmUnmapIoSpace(*mut u8, u64))(view, 4096);
        load(view);
    });
    assert_eq!(result, Err(Abandoned));
    let found = nt.verifier.take_violations();
    let late = matches!(
        &found[..],
        [v] if matches!(v.kind, ViolationKind::Fault { target: FaultTarget::UnmappedIoSpace, .. })
    );
    assert!(late, "{found:?}");
}

#[test]
fn registry_values() {
    const PATH: &str = r"\Registry\Machine\System\Test";
    let nt = session();
    nt.keys.set_dword(PATH, "Doorbells", 42);
    run(&nt, || {
        let (path, name) = (Text::new(&PATH.to_uppercase()), Text::new("doorbells"));
        let attributes = [48, 0, path.as_ptr() as u64, 0x240, 0, 0];
        let open = import!(ZwOpenKey(*mut u64, u32, *const u64) -> u32);
        let query = import!(ZwQueryValueKey(u64, *const u64, u32, *mut u32, u32, *mut u32) -> u32);
        let mut handle = 0;
        assert_eq!(open(&raw mut handle, 0x20019, attributes.as_ptr()), 0);
        let (mut info, mut needed) = ([0u32; 4], 0);
        let mut read = |len| {
            query(
                handle,
                name.as_ptr(),
                2,
                info.as_mut_ptr(),
                len,
                &raw mut needed,
            )
        };
        assert_eq!(read(11), 0xC000_0023);
        assert_eq!(read(12), 0x8000_0005);
        assert_eq!(read(16), 0);
        assert_eq!((info, needed), ([0, 4, 4, 42], 16));
        let missing = Text::new("nothing");
        let out = info.as_mut_ptr();
        assert_eq!(
            query(handle, missing.as_ptr(), 2, out, 16, &raw mut needed),
            0xC000_0034
        );
        assert_eq!(import!(ZwClose(u64) -> u32)(handle), 0);
        let other = Text::new(r"\Registry\Machine\Nothing");
        let attributes = [48, 0, other.as_ptr() as u64, 0x240, 0, 0];
        assert_eq!(
            open(&raw mut handle, 0x20019, attributes.as_ptr()),
            0xC000_0034
        );
    });
    nt.check_unloaded();
    assert_eq!(texts(&nt), [""; 0]);
    run(&nt, || {
        let path = Text::new(PATH);
        let attributes = [48, 0, path.as_ptr() as u64, 0x40, 0, 0];
        let mut handle = 0;
        import!(ZwOpenKey(*mut u64, u32, *const u64) -> u32)(
            &raw mut handle,
            0,
            attributes.as_ptr(),
        );
    });
    nt.check_unloaded();
    let found = texts(&nt);
    assert!(found[0].contains("OBJ_KERNEL_HANDLE") && found[1].contains("handle to the key"));
}

#[test]
fn the_port_driver_hands_out_its_routine() {
    let nt = session();
    let attached = nt.attach();
    let name = Text::new(io::DXGKRNL_DEVICE);
    drop(attached);
    let open = || {
        let (mut file, mut device) = (0u64, 0u64);
        let get = import!(IoGetDeviceObjectPointer(*const u64, u32, *mut u64, *mut u64) -> u32);
        let status = get(name.as_ptr(), 0, &raw mut file, &raw mut device);
        (status, file, device)
    };
    assert_eq!(run(&nt, open).0, 0xC000_0034, "no port driver yet");
    nt.io_objects.set_dxgk_initialize(0x1234);
    let ask = |device: u64, code: u32, len: u32| {
        let (mut event, mut status_block, mut output) = ([0u64; 3], [0u64; 2], 0u64);
        import!(KeInitializeEvent(*mut u64, u32, u8))(event.as_mut_ptr(), 0, 0);
        let build = import!(
            IoBuildDeviceIoControlRequest(
                u32,
                u64,
                u64,
                u32,
                *mut u64,
                u32,
                u8,
                *mut u64,
                *mut u64,
            ) -> u64
        );
        let (output_ptr, event_ptr) = (&raw mut output, event.as_mut_ptr());
        let irp = build(
            code,
            device,
            0,
            0,
            output_ptr,
            len,
            1,
            event_ptr,
            status_block.as_mut_ptr(),
        );
        let status = import!(IofCallDriver(u64, u64) -> u32)(device, irp);
        assert_eq!(
            import!(KeReadStateEvent(*mut u64) -> i32)(event.as_mut_ptr()),
            1
        );
        assert_eq!(status_block[0], u64::from(status));
        (status, status_block[1], output)
    };
    run(&nt, || {
        let (status, file, device) = open();
        assert_eq!(status, 0);
        assert_eq!(ask(device, io::GET_DXGK_INITIALIZE, 8), (0, 8, 0x1234));
        assert_eq!(ask(device, io::GET_DXGK_INITIALIZE, 7), (0xC000_0023, 0, 0));
        assert_eq!(ask(device, 0x0023_003F, 8), (0xC000_0010, 0, 0));
        import!(ObfDereferenceObject(u64) -> i64)(file);
    });
    nt.check_unloaded();
    assert_eq!(texts(&nt), [""; 0]);
    run(&nt, open);
    nt.check_unloaded();
    assert!(texts(&nt)[0].contains("reference to file object"));
}

#[test]
fn events_are_recorded_and_providers_must_unregister() {
    let nt = session();
    run(&nt, || {
        let mut handle = 0u64;
        let register = import!(EtwRegister(*const [u8; 16], u64, u64, *mut u64) -> u32);
        assert_eq!(register(&[7; 16], 0, 0, &raw mut handle), 0);
        assert_eq!(
            import!(EtwProviderEnabled(u64, u8, u64) -> u8)(handle, 4, 1),
            1
        );
        // Id 5, level 4, opcode 2, task 9, keyword 0x10.
        let descriptor = [5u64 | 4 << 32 | 2 << 40 | 9 << 48, 0x10];
        let payload = 0x1122u16;
        let data = [&raw const payload as u64, 2];
        let write = import!(EtwWriteTransfer(u64, *const u64, u64, u64, u32, *const u64) -> u32);
        assert_eq!(
            write(handle, descriptor.as_ptr(), 0, 0, 1, data.as_ptr()),
            0
        );
    });
    let events = nt.etw.events();
    let [event] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (event.id, event.level, event.opcode, event.task),
        (5, 4, 2, 9)
    );
    assert_eq!(
        (event.keyword, &event.data[..]),
        (0x10, &[vec![0x22, 0x11]][..])
    );
    nt.check_unloaded();
    assert!(texts(&nt)[0].contains("event provider 0707"));
}

#[test]
fn the_version_and_the_clocks() {
    let nt = session();
    run(&nt, || {
        let mut info = [0u32; 69];
        import!(RtlGetVersion(*mut u32) -> u32)(info.as_mut_ptr());
        assert_eq!(info[1..4], [10, 0, 26100]);
        let mut frequency = 0i64;
        let counter = import!(KeQueryPerformanceCounter(*mut i64) -> i64);
        let first = counter(&raw mut frequency);
        assert_eq!(frequency, 10_000_000);
        import!(KeStallExecutionProcessor(u32))(50);
        assert!(counter(std::ptr::null_mut()) >= first + 500);
        let mut time = 0u64;
        import!(KeQuerySystemTimePrecise(*mut u64))(&raw mut time);
        assert!(
            time > 132_000_000_000_000_000,
            "after 2019 in units of 1601"
        );
    });
    assert_eq!(texts(&nt), [""; 0]);
}

#[test]
fn pages_of_a_view_are_switched_under_its_users() {
    let dummy = SharedRegion::new("dummy", PAGE_SIZE).unwrap();
    let bar = SharedRegion::new("bar", 2 * PAGE_SIZE).unwrap();
    let view = RemappableView::new(1).unwrap();
    view.switch_page(0, &dummy, 0).unwrap();
    store(view.as_ptr(), 1);
    view.switch_page(0, &bar, PAGE_SIZE).unwrap();
    assert_eq!(load(view.as_ptr()), 0);
    store(view.as_ptr(), 2);
    view.switch_page(0, &dummy, 0).unwrap();
    assert_eq!(load(view.as_ptr()), 1);
    assert_eq!(load(bar.map(PAGE_SIZE, PAGE_SIZE).unwrap().as_ptr()), 2);
    assert!(view.switch_page(1, &dummy, 0).is_err());
    assert!(view.switch_page(0, &dummy, PAGE_SIZE).is_err());
    assert!(view.switch_page(0, &bar, 1).is_err());
}

#[test]
fn no_store_is_lost_while_a_page_is_switched() {
    const SWITCHES: usize = 20_000;
    let nt = &session();
    let regions = ["a", "b"].map(|name| SharedRegion::new(name, PAGE_SIZE).unwrap());
    let views = regions
        .each_ref()
        .map(|region| region.map(0, PAGE_SIZE).unwrap());
    let view = RemappableView::new(1).unwrap();
    view.switch_page(0, &regions[0], 0).unwrap();
    let address = view.as_ptr() as usize;
    let done = AtomicBool::new(false);
    // As driver code, a fault would end the call rather than be retried.
    let ring = || {
        let mut value = 0u64;
        while !done.load(Ordering::Relaxed) {
            value += 1;
            // SAFETY: one of the two pages is always mapped there.
            unsafe { (address as *mut u64).write_volatile(value) };
        }
        value
    };
    let stores = std::thread::scope(|scope| {
        let ringer = scope.spawn(move || nt.ddi_call("ring", Irql::PASSIVE, ring));
        for turn in 0..SWITCHES {
            view.switch_page(0, &regions[(turn + 1) % 2], 0).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        ringer.join().unwrap()
    });
    let last = views.iter().map(|view| {
        let bytes: [u8; 8] = std::array::from_fn(|i| load(view.as_ptr().wrapping_add(i)));
        u64::from_le_bytes(bytes)
    });
    assert_eq!(last.max().ok_or(Abandoned), stores);
}
