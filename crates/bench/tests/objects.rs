//! VidMm, objects and thunks against a driver and a device that a test can see through.

mod objects_support;

use std::time::Duration;

use carillon_bench::dxgk::handle::OsHandle;
use carillon_bench::dxgk::objects::exit::Exit;
use carillon_bench::dxgk::objects::{DisconnectMode, Options};
use carillon_client::kmt::{
    CreateHwQueue, DoorbellStatus, Kmt, NodeOrdinal, NtStatus, SubmitCommand, WaitOutcome,
};
use objects_support::client::{Client, clean, status};
use objects_support::{Fault, World, fake, signaled};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(20);

#[test]
fn content_goes_to_local_memory_and_back() {
    for tables_in in [0, 2] {
        let world = World::new(tables_in);
        let client = Client::new(&world);
        let local = client.allocate(1, 200);
        let bytes = 200 * 4096;
        assert_eq!(
            client.kmt.read_allocation(local, 0, bytes).unwrap(),
            vec![0; 819_200]
        );
        let allocation = world
            .manager
            .allocation(client.kmt.process(), local.0)
            .unwrap();
        let last = allocation.range(199 * 4096, 4096).unwrap();
        world.manager.vidmm().fill(&last, 0xA1B2_C3D4).unwrap();
        let read = client.kmt.read_allocation(local, 198 * 4096, 8192).unwrap();
        assert_eq!(read[..4096], [0; 4096]);
        assert!(
            read[4096..]
                .chunks(4)
                .all(|word| word == [0xD4, 0xC3, 0xB2, 0xA1])
        );
        assert!(client.kmt.read_allocation(local, 199 * 4096, 4097).is_err());
        assert!(client.kmt.read_allocation(local, 1, 1).is_err());
        let stats = world.manager.vidmm().stats();
        assert!(
            stats.passes > 0,
            "a 2 KiB buffer cannot take a whole table: {stats:?}"
        );
        clean(&world);
    }
}

#[test]
fn what_the_gpu_sees_at_an_address_is_what_the_cpu_wrote() {
    let world = World::new(2);
    let client = Client::new(&world);
    let memory = client.allocate(0, 40);
    client.kmt.make_resident(client.device, &[memory]).unwrap();
    let view = client.kmt.lock(client.device, memory).unwrap();
    assert_eq!(view.bytes(), 40 * 4096);
    for page in 0..40 {
        view.word(page * 4096).unwrap().store_relaxed(page as u64);
    }
    let address = client
        .kmt
        .map_gpu_virtual_address(client.device, memory)
        .unwrap();
    let again = client
        .kmt
        .map_gpu_virtual_address(client.device, memory)
        .unwrap();
    assert_ne!(address, again);
    let context = *fake()
        .roots
        .keys()
        .find(|context| **context > 0x1_0000_0000)
        .unwrap();
    for page in 0..40 {
        let bytes = fake()
            .read_virtual(context, address.0 + page * 4096, 8)
            .unwrap();
        assert_eq!(u64::from_le_bytes(bytes.try_into().unwrap()), page);
    }
    assert_eq!(fake().translate(context, address.0 + 40 * 4096), None);
    client
        .kmt
        .free_gpu_virtual_address(client.device, address)
        .unwrap();
    assert_eq!(fake().translate(context, address.0), None);
    assert!(fake().translate(context, again.0).is_some());
    assert_eq!(
        fake().flushes.last(),
        Some(&(address.0, address.0 + 40 * 4096))
    );
    assert!(
        client
            .kmt
            .free_gpu_virtual_address(client.device, address)
            .is_err()
    );
    // SAFETY: `view` is not used any more.
    unsafe { client.kmt.destroy_allocation(client.device, memory) }.unwrap();
    assert_eq!(fake().translate(context, again.0), None);
    clean(&world);
}

/// contract: DBC-008, DBC-009, DBC-010, DBC-011, DBN-014, DBN-015, VIC-009
#[test]
fn a_doorbell_starts_harmless_and_moves_with_its_connection() {
    let world = World::new(0);
    let client = Client::new(&world);
    let bells: Vec<_> = (0..4).map(|_| client.doorbell().1).collect();
    let mapping = world.bar.map(0, world.bar.len()).unwrap();
    let page = |n: usize| {
        let first = (mapping.as_ptr() as usize + n * 4096) as *const u64;
        // SAFETY: the first first of a page of a live mapping.
        unsafe { first.read_volatile() }
    };
    for bell in &bells {
        assert_eq!(status(bell), DoorbellStatus::DISCONNECTED_RETRY);
        bell.address.store_release(99);
    }
    assert_eq!((page(0), page(1)), (0, 0));
    for (value, bell) in (1..).zip(&bells) {
        let address = bell.address.address();
        client.kmt.connect_doorbell(bell.handle).unwrap();
        assert_eq!(status(bell), DoorbellStatus::CONNECTED);
        assert_eq!(bell.address.address(), address);
        bell.address.store_release(value);
        assert!([page(0), page(1)].contains(&value));
    }
    let connected = bells
        .iter()
        .filter(|bell| status(bell) == DoorbellStatus::CONNECTED);
    assert_eq!(connected.count(), 2);
    let before = (page(0), page(1));
    let lost = bells
        .iter()
        .find(|bell| status(bell) == DoorbellStatus::DISCONNECTED_RETRY);
    lost.unwrap().address.store_release(77);
    assert_eq!((page(0), page(1)), before);
    let stats = world.manager.stats();
    assert_eq!((stats.connects, stats.disconnect_callbacks), (4, 2));
    clean(&world);
}

/// contract: DBC-007, DBN-003, DBN-006, PAG-001, VIC-008
#[test]
fn faults_of_the_driver_are_noticed() {
    let cases = [
        (Fault::SharesPage, "VIC-008"),
        (Fault::WildAddress, "DBN-003"),
        (Fault::WrongStatus, "DBN-006"),
        (Fault::CallsBackInCreate, "DBC-007"),
    ];
    for (fault, rule) in cases {
        let world = World::new(0);
        let client = Client::new(&world);
        fake().fault = fault;
        for _ in 0..2 {
            let (_, bell) = client.doorbell();
            let _ = client.kmt.connect_doorbell(bell.handle);
        }
        let violations = world.violations();
        assert!(
            violations.iter().any(|v| v.contains(rule)),
            "{fault:?}: {violations:?}"
        );
    }
    let world = World::new(0);
    let client = Client::new(&world);
    fake().fault = Fault::OverrunsPagingBuffer;
    client.allocate(1, 1);
    assert!(world.violations().iter().any(|v| v.contains("PAG-001")));
    fake().fault = Fault::WritesOnFailure;
    let context = client.context;
    let create = CreateHwQueue {
        context,
        user_mode_submission: true,
        private_data: &[],
    };
    assert!(client.kmt.create_hw_queue(&create).is_err());
    assert!(world.violations().iter().any(|v| v.contains("HWQ-002")));
}

/// contract: DBC-020, DBC-021, DBC-027, HWQ-004
#[test]
fn the_os_refuses_what_is_not_the_drivers_to_judge() {
    let world = World::new(0);
    let client = Client::new(&world);
    let other = Client::new(&world);
    let queue = client.queue();
    let cold = client.allocate(0, 1);
    let refused = Err(NtStatus::INVALID_PARAMETER);
    let bell = |queue, ring, data: &[u8]| client.try_doorbell(queue, ring, data).map(drop);
    assert_eq!(bell(queue.handle, cold, &[]), refused);
    assert_eq!(bell(queue.handle, client.ring(), &[0; 17]), refused);
    assert_eq!(bell(queue.handle, client.ring(), &[0; 16]), Ok(()));
    assert_eq!(bell(other.queue().handle, client.ring(), &[]), refused);
    let options = Options {
        unchecked_doorbell_data: true,
        ..Options::default()
    };
    world.manager.set_options(options);
    let by_driver = bell(client.queue().handle, client.ring(), &[0; 17]).unwrap_err();
    assert_ne!(by_driver, NtStatus::INVALID_PARAMETER);
    let kernel_fed = CreateHwQueue {
        context: client.context,
        user_mode_submission: false,
        private_data: &[],
    };
    let kernel_fed = client.kmt.create_hw_queue(&kernel_fed).unwrap().handle;
    assert_eq!(bell(kernel_fed, client.ring(), &[]), refused);
    let command = |queue, progress_fence_value| SubmitCommand {
        queue,
        command_buffer: carillon_hw::addr::GpuVa(0x1000),
        command_bytes: 8,
        progress_fence_value,
    };
    let submit = |command| client.kmt.submit_command_to_hw_queue(&command).is_ok();
    assert!(submit(command(kernel_fed, 1)));
    assert!(!submit(command(kernel_fed, 1)));
    assert!(!submit(command(queue.handle, 1)));
    let paging_node = client
        .kmt
        .create_hw_context(client.device, NodeOrdinal(2))
        .unwrap();
    let there = CreateHwQueue {
        context: paging_node,
        user_mode_submission: true,
        private_data: &[],
    };
    let error = client.kmt.create_hw_queue(&there).unwrap_err();
    assert_eq!(error.status(), NtStatus::NOT_SUPPORTED);
    assert!(
        client
            .kmt
            .create_hw_context(client.device, NodeOrdinal(3))
            .is_err()
    );
    assert!(client.kmt.destroy_hw_context(client.context).is_err());
    clean(&world);
}

/// contract: DBC-028, DBX-004, DBX-006, DBX-011, NTF-004, RBR-004
#[test]
fn handles_die_once_and_rings_outlive_their_handles() {
    let world = World::new(0);
    let client = Client::new(&world);
    let queue = client.queue();
    let ring = client.ring();
    let bell = client.try_doorbell(queue.handle, ring, &[]).unwrap();
    // SAFETY: the ring's mapping was never taken.
    unsafe { client.kmt.destroy_allocation(client.device, ring) }.unwrap();
    assert!(!fake().log.contains(&"DestroyAllocation"));
    let destroy_queue = || {
        // SAFETY: the queue's words are not used.
        unsafe { client.kmt.destroy_hw_queue(queue.handle) }
    };
    let destroy_doorbell = || {
        // SAFETY: the doorbell's words are not used.
        unsafe { client.kmt.destroy_doorbell(bell.handle) }
    };
    assert!(destroy_queue().is_err());
    destroy_doorbell().unwrap();
    assert!(fake().log.contains(&"DestroyAllocation"));
    assert!(destroy_doorbell().is_err());
    destroy_queue().unwrap();
    assert!(destroy_queue().is_err());
    assert!(client.kmt.connect_doorbell(bell.handle).is_err());
    assert!(client.kmt.notify_work_submission(bell.handle).is_err());
    clean(&world);
}

/// contract: VIC-003, VIC-004, VIC-005
#[test]
fn the_callback_answers_what_it_must() {
    use carillon_bench::dxgk::interface::Objects;
    use carillon_ddi::{D3DDDI_DOORBELLSTATUS as Status, NTSTATUS};
    let world = World::new(0);
    let client = Client::new(&world);
    let (_, bell) = client.doorbell();
    client.kmt.connect_doorbell(bell.handle).unwrap();
    let (kmd, known) = fake()
        .bells
        .iter()
        .map(|(kmd, bell)| (*kmd, *bell))
        .next()
        .unwrap();
    let retry = Status::D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY;
    let call = |queue, bell, reason| {
        let (queue, bell) = (OsHandle::claimed(queue), OsHandle::claimed(bell));
        Objects::disconnect_doorbell(&*world.manager, queue, bell, reason)
    };
    let refused = NTSTATUS::STATUS_INVALID_PARAMETER;
    assert_eq!(call(known.os_queue, kmd, retry), refused);
    assert_eq!(call(known.os, known.os, retry), refused);
    for reason in [
        Status::D3DDDI_DOORBELLSTATUS_CONNECTED,
        Status(4),
        Status(-1),
    ] {
        assert_eq!(call(known.os_queue, known.os, reason), refused);
    }
    assert_eq!(status(&bell), DoorbellStatus::CONNECTED);
    for _ in 0..2 {
        assert_eq!(
            call(known.os_queue, known.os, retry),
            NTSTATUS::STATUS_SUCCESS
        );
        assert_eq!(status(&bell), DoorbellStatus::DISCONNECTED_RETRY);
    }
    let abort = Status::D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT;
    assert_eq!(
        call(known.os_queue, known.os, abort),
        NTSTATUS::STATUS_SUCCESS
    );
    assert_eq!(
        call(known.os_queue, known.os, retry),
        NTSTATUS::STATUS_SUCCESS
    );
    assert_eq!(status(&bell), DoorbellStatus::DISCONNECTED_ABORT);
    assert!(client.kmt.connect_doorbell(bell.handle).is_err());
}

#[test]
fn all_modes_of_the_callback_end() {
    for mode in [
        DisconnectMode::Plain,
        DisconnectMode::Nested,
        DisconnectMode::Concurrent,
    ] {
        let world = World::new(0);
        world.manager.set_options(Options {
            disconnect: mode,
            ..Options::default()
        });
        let client = Client::new(&world);
        let bells: Vec<_> = (0..5).map(|_| client.doorbell().1).collect();
        std::thread::scope(|scope| {
            for bell in &bells[..2] {
                scope.spawn(|| client.kmt.connect_doorbell(bell.handle).unwrap());
            }
        });
        for bell in &bells[2..] {
            client.kmt.connect_doorbell(bell.handle).unwrap();
        }
        let connected = bells
            .iter()
            .filter(|bell| status(bell) == DoorbellStatus::CONNECTED);
        assert_eq!(connected.count(), 2, "{mode:?}");
        clean(&world);
    }
}

/// contract: NFN-013, NFN-014
#[test]
fn cpu_waits_follow_the_monitored_value() {
    let world = World::new(0);
    let client = Client::new(&world);
    let queue = client.queue();
    let object = world
        .manager
        .queue(client.kmt.process(), queue.handle.0)
        .unwrap();
    let context = *fake()
        .roots
        .keys()
        .find(|context| **context > 0x1_0000_0000)
        .unwrap();
    let gpu = queue.progress_fence.current_value_gpu.0;
    let set = |value: u64| {
        fake()
            .write_virtual(context, gpu, &value.to_le_bytes())
            .unwrap();
    };
    let fence = queue.progress_fence.handle;
    assert_eq!(object.fence().monitored(), u64::MAX);
    assert_eq!(
        client.kmt.wait_for_fence(fence, 0, SHORT),
        Ok(WaitOutcome::Reached)
    );
    assert_eq!(
        client.kmt.wait_for_fence(fence, 1, SHORT),
        Ok(WaitOutcome::TimedOut)
    );
    assert_eq!(object.fence().monitored(), u64::MAX);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| client.kmt.wait_for_fence(fence, 7, LONG));
        let second = scope.spawn(|| client.kmt.wait_for_fence(fence, 9, LONG));
        while object.fence().monitored() != 6 {
            std::thread::yield_now();
        }
        set(7);
        signaled(None);
        assert_eq!(waiter.join().unwrap(), Ok(WaitOutcome::Reached));
        while object.fence().monitored() != 8 {
            std::thread::yield_now();
        }
        set(9);
        signaled(None);
        assert_eq!(second.join().unwrap(), Ok(WaitOutcome::Reached));
    });
    assert_eq!(object.fence().monitored(), u64::MAX);
    clean(&world);
    let mut found = false;
    // A value that comes before the waiter has gone to sleep needs no interrupt: then again.
    for value in 10..60 {
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| client.kmt.wait_for_fence(fence, value, SHORT));
            while object.fence().monitored() != value - 1 {
                std::thread::yield_now();
            }
            std::thread::sleep(SHORT / 4);
            set(value);
            assert_eq!(waiter.join().unwrap(), Ok(WaitOutcome::Reached));
        });
        found = world.violations().iter().any(|v| v.contains("NFN-013"));
        if found {
            break;
        }
    }
    assert!(found);
    signaled(Some(vec![OsHandle::claimed(0x1234)]));
    assert!(world.violations().iter().any(|v| v.contains("NFN-014")));
}

/// contract: PEX-001, PEX-003, PRF-004, PRFR-002
#[test]
fn a_process_ends_in_order_and_leaves_nothing() {
    for (exit, queued, way) in [
        (Exit::Normal, 0, Exit::Normal),
        (Exit::Normal, u64::MAX, Exit::Abnormal),
        (Exit::Abnormal, 0, Exit::Abnormal),
    ] {
        let world = World::new(2);
        let free = world
            .manager
            .vidmm()
            .segments()
            .get(2)
            .unwrap()
            .free_bytes();
        let client = Client::new(&world);
        let (_, bell) = client.doorbell();
        client.allocate(1, 3);
        client.kmt.connect_doorbell(bell.handle).unwrap();
        bell.last_queued.store_release(queued);
        fake().log.clear();
        // SAFETY: no word of the process is used afterwards.
        let gone = unsafe { client.kmt.end(exit, SHORT) }.unwrap();
        assert_eq!(gone, way);
        let log = fake().log.clone();
        let at = |what| log.iter().position(|entry| *entry == what).unwrap();
        if way == Exit::Abnormal && exit == Exit::Abnormal {
            assert!(at("SuspendContext") < at("DisconnectDoorbell"), "{log:?}");
        }
        let order = [
            "DisconnectDoorbell",
            "DestroyDoorbell",
            "DestroyHwQueue",
            "CloseNativeFence",
            "DestroyNativeFence",
            "CloseAllocation",
            "DestroyAllocation",
            "DestroyHwContext",
            "DestroyDevice",
            "DestroyProcess",
        ];
        assert!(
            order.windows(2).all(|pair| at(pair[0]) < at(pair[1])),
            "{log:?}"
        );
        assert!(client.kmt.create_device().is_err());
        drop(client);
        assert_eq!(
            world
                .manager
                .vidmm()
                .segments()
                .get(2)
                .unwrap()
                .free_bytes(),
            free
        );
        clean(&world);
    }
}
