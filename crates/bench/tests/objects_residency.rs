//! Residency in the OS model, against a driver and a device that a test can see through.

mod objects_support;

use carillon_bench::dxgk::objects::ObjectManager;
use carillon_bench::dxgk::vidmm::place::Page;
use carillon_client::kmt::{AllocationHandle, Kmt};
use objects_support::client::{Client, clean};
use objects_support::{VRAM_BYTES, World, fake};

/// The process' context, as the fake driver knows it.
fn context() -> usize {
    let fake = fake();
    let own = fake.roots.keys().find(|key| **key > 0x1_0000_0000);
    *own.expect("a context of the process")
}

fn reaches(address: u64) -> bool {
    let context = context();
    fake().translate(context, address).is_some()
}

fn pages(world: &World, client: &Client, handle: AllocationHandle) -> Vec<Page> {
    let manager: &ObjectManager = &world.manager;
    let allocation = manager.allocation(client.kmt.process(), handle.0);
    allocation.unwrap().pages()
}

/// Memory is translated from the first request for it to the last time it is given up, whether it
/// was mapped before or meanwhile, and no longer; requests are counted for each device alone.
///
/// contract: RBR-008
#[test]
fn requests_are_counted() {
    let world = World::new(0);
    let client = Client::new(&world);
    let (kmt, device) = (&client.kmt, client.device);
    for placement in [0, 1] {
        let memory = client.allocate(placement, 3);
        let before = kmt.map_gpu_virtual_address(device, memory).unwrap().0;
        assert!(!reaches(before), "mapped, and nobody asked for it");
        assert!(kmt.evict(device, &[memory]).is_err(), "nobody asked for it");
        kmt.make_resident(device, &[memory]).unwrap();
        let after = kmt.map_gpu_virtual_address(device, memory).unwrap().0;
        kmt.make_resident(device, &[memory, memory]).unwrap();
        for _ in 0..2 {
            kmt.evict(device, &[memory]).unwrap();
            for address in [before, before + 8192, after, after + 8192] {
                assert!(reaches(address));
            }
        }
        fake().flushes.clear();
        kmt.evict(device, &[memory]).unwrap();
        for address in [before, before + 8192, after, after + 8192] {
            assert!(!reaches(address));
        }
        let flushes = fake().flushes.clone();
        for address in [before, after] {
            assert!(flushes.contains(&(address, address + 3 * 4096)));
        }
        assert!(kmt.evict(device, &[memory]).is_err());
        kmt.make_resident(device, &[memory]).unwrap();
        assert!(reaches(before) && reaches(after));
        let other = kmt.create_device().unwrap();
        assert!(kmt.evict(other, &[memory]).is_err(), "another device's");
        assert!(reaches(before));
    }
    clean(&world);
}

/// A ring that its client gives up, or asks to be destroyed, stays in place until the doorbell is
/// gone.
///
/// contract: RBR-004, RBR-005, RBR-008
/// regression: RING-16
#[test]
fn a_doorbell_holds_its_ring() {
    let world = World::new(0);
    let client = Client::new(&world);
    let (kmt, device) = (&client.kmt, client.device);
    let queue = client.queue();
    let ring = client.ring();
    let address = kmt.map_gpu_virtual_address(device, ring).unwrap().0;
    let bell = client.try_doorbell(queue.handle, ring, &[]).unwrap();
    let before = pages(&world, &client, ring);
    kmt.evict(device, &[ring]).unwrap();
    assert!(
        kmt.evict(device, &[ring]).is_err(),
        "the OS's own reference"
    );
    assert!(reaches(address));
    kmt.connect_doorbell(bell.handle).unwrap();
    world.manager.trim().unwrap();
    assert!(reaches(address));
    assert_eq!(pages(&world, &client, ring), before);
    // SAFETY: nothing uses the doorbell's words below.
    unsafe { kmt.destroy_doorbell(bell.handle) }.unwrap();
    assert!(!reaches(address), "nobody wants it any more");
    assert!(
        client.try_doorbell(queue.handle, ring, &[]).is_err(),
        "DBC-021: not resident"
    );
    clean(&world);
}

/// Local memory is full: what nobody wants makes room, content and all, and comes back elsewhere.
///
/// contract: RBR-008
#[test]
fn what_nobody_wants_makes_room() {
    let world = World::new(0);
    let client = Client::new(&world);
    let (kmt, device) = (&client.kmt, client.device);
    // 255 pages each: sixteen of them and a little fill the local memory.
    let many = u64::try_from(VRAM_BYTES).unwrap() / (255 * 4096);
    let fill = |handle: AllocationHandle, pattern: u32| {
        let process = client.kmt.process();
        let allocation = world.manager.allocation(process, handle.0).unwrap();
        let range = allocation.range(0, allocation.bytes).unwrap();
        world.manager.vidmm().fill(&range, pattern).unwrap();
    };
    let mut kept = Vec::new();
    for pattern in 0..u32::try_from(many).unwrap() {
        let memory = client.allocate(1, 255);
        kmt.make_resident(device, &[memory]).unwrap();
        fill(memory, pattern);
        kept.push(memory);
    }
    assert!(
        kmt.create_allocation(device, &[1, 255]).is_err(),
        "all of it is wanted"
    );
    let loser = kept[1];
    let mapped = kmt.map_gpu_virtual_address(device, loser).unwrap().0;
    kmt.evict(device, &[loser]).unwrap();
    let is_local = |handle| {
        let all = pages(&world, &client, handle);
        matches!(all[0], Page::Segment { id: 2, .. })
    };
    assert!(is_local(loser), "nobody wants the room yet");
    let next = client.allocate(1, 255);
    assert!(!is_local(loser));
    assert!(kmt.make_resident(device, &[next]).is_ok());
    assert!(kmt.make_resident(device, &[loser]).is_err(), "no room");
    assert!(!reaches(mapped));
    let winner = kept[3];
    kmt.evict(device, &[winner]).unwrap();
    kmt.make_resident(device, &[loser]).unwrap();
    assert!(is_local(loser) && !is_local(winner) && reaches(mapped));
    for (pattern, memory) in (0_u32..).zip(&kept) {
        let bytes = kmt.read_allocation(*memory, 254 * 4096, 4096).unwrap();
        assert!(bytes.chunks(4).all(|word| word == pattern.to_le_bytes()));
    }
    clean(&world);
}

/// A device whose memory is out comes back as a whole before any of its contexts runs, at other
/// places, with its content.
///
/// contract: RBR-006
#[test]
fn a_device_comes_back_before_it_runs() {
    let world = World::new(0);
    let client = Client::new(&world);
    let (kmt, device) = (&client.kmt, client.device);
    let queue = client.queue();
    let ring = client.ring();
    let local = client.allocate(1, 2);
    kmt.make_resident(device, &[local]).unwrap();
    let addresses = [ring, local].map(|m| kmt.map_gpu_virtual_address(device, m).unwrap().0);
    let bell = client.try_doorbell(queue.handle, ring, &[]).unwrap();
    kmt.connect_doorbell(bell.handle).unwrap();
    let shared = kmt.lock(device, ring).unwrap().word(8).unwrap();
    shared.store_release(77);
    let before = [ring, local].map(|memory| pages(&world, &client, memory));
    let process = client.kmt.process().clone();
    fake().log.clear();
    world.manager.evict_device(&process, device.0).unwrap();
    assert_eq!(fake().log, ["SuspendContext", "DisconnectDoorbell"]);
    assert!(addresses.iter().all(|address| !reaches(*address)));
    assert_eq!(shared.load_acquire(), 77, "the view moved along");
    shared.store_release(78);
    let _hole = client.allocate(1, 2);
    kmt.connect_doorbell(bell.handle).unwrap();
    assert!(addresses.iter().all(|address| reaches(*address)));
    for (memory, before) in [ring, local].into_iter().zip(before) {
        let after = pages(&world, &client, memory);
        assert!(after.iter().all(|page| !before.contains(page)));
    }
    let context = context();
    let bytes = fake().read_virtual(context, addresses[0] + 8, 8).unwrap();
    assert_eq!(bytes, 78_u64.to_le_bytes());
    clean(&world);
    // The model would notice itself.
    let handle = client.context.0;
    let known = world.manager.context(&process, handle).unwrap();
    world.manager.evict_device(&process, device.0).unwrap();
    world.manager.resume_context(&known).unwrap();
    assert!(world.violations()[0].contains("RBR-006"));
}
