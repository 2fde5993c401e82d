//! What is created is destroyed, in the documented order, on every path.

use std::sync::Arc;

use super::fake::{Answer, Fake};
use super::loss::{fill, queue, queue_with};
use crate::kmt::{DeviceHandle, DoorbellStatus, Kmt, NodeOrdinal, NtStatus};
use crate::objects::CreateError;
use crate::queue::{UserQueue, UserQueueConfig};

const TEAR_DOWN: [&str; 12] = [
    "DestroyDoorbell",
    "DestroyHwQueue",
    "FreeGpuVirtualAddress",
    "Evict",
    "DestroyAllocation",
    "FreeGpuVirtualAddress",
    "Evict",
    "DestroyAllocation",
    "FreeGpuVirtualAddress",
    "Evict",
    "DestroyAllocation",
    "DestroyHwContext",
];

fn create(fake: &Arc<Fake>, config: UserQueueConfig) -> Result<UserQueue, CreateError> {
    let kmt: Arc<dyn Kmt> = Arc::clone(fake) as _;
    UserQueue::create(kmt, DeviceHandle(1), NodeOrdinal(0), config)
}

/// contract: RBR-001, RBR-005
#[test]
fn dropping_destroys_in_order() {
    for close in [false, true] {
        let fake = Fake::new();
        fake.plain();
        let mut queue = queue(&fake);
        fill(&mut queue, 0).unwrap();
        fake.state().log.clear();
        if close {
            queue.close().unwrap();
        } else {
            drop(queue);
        }
        assert_eq!(fake.state().log, TEAR_DOWN);
        assert!(fake.state().allocations.is_empty());
    }
}

#[test]
fn dropping_waits_for_what_was_submitted() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fake.state().paused = true;
    fill(&mut queue, 0).unwrap();
    fake.state().log.clear();
    drop(queue);
    let log = fake.state().log.clone();
    assert_eq!(log[0], "WaitForFence");
    assert_eq!(log[1..], TEAR_DOWN);
}

/// contract: UMD-002
#[test]
fn a_lost_queue_is_destroyed_without_waiting() {
    let fake = Fake::new();
    fake.plain();
    let mut queue = queue(&fake);
    fill(&mut queue, 0).unwrap();
    fake.state().paused = true;
    fake.disconnect(DoorbellStatus::DISCONNECTED_ABORT);
    fill(&mut queue, 1).unwrap_err();
    fake.state().log.clear();
    drop(queue);
    assert_eq!(fake.state().log, TEAR_DOWN);
}

/// contract: RBR-005
#[test]
fn memory_stays_while_the_doorbell_does() {
    let fake = Fake::new();
    fake.plain();
    let queue = queue(&fake);
    fake.state().log.clear();
    fake.state().fail = Some("DestroyDoorbell");
    let error = queue.close().unwrap_err();
    assert_eq!(error.thunk(), "DestroyDoorbell");
    // Closing failed once; the drop behind it tried again and went through in order.
    let log = fake.state().log.clone();
    assert_eq!(log[0], "DestroyDoorbell");
    assert_eq!(log[1..], TEAR_DOWN);
}

#[test]
fn each_failing_thunk_leaves_nothing_behind() {
    for thunk in [
        "CreateHwContext",
        "CreateAllocation",
        "Lock",
        "MakeResident",
        "MapGpuVirtualAddress",
        "CreateHwQueue",
        "CreateDoorbell",
    ] {
        let fake = Fake::new();
        fake.state().fail = Some(thunk);
        let error = create(&fake, UserQueueConfig::default()).unwrap_err();
        let CreateError::Kmt(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.thunk(), thunk);
        assert_eq!(error.status(), NtStatus::NO_MEMORY);
        let state = fake.state();
        assert!(state.allocations.is_empty(), "{thunk}");
        let count = |name: &str| state.log.iter().filter(|call| *call == name).count();
        let failed = |name| usize::from(thunk == name);
        for (make, unmake) in [
            ("CreateHwContext", "DestroyHwContext"),
            ("CreateAllocation", "DestroyAllocation"),
            ("MakeResident", "Evict"),
            ("MapGpuVirtualAddress", "FreeGpuVirtualAddress"),
            ("CreateHwQueue", "DestroyHwQueue"),
            ("CreateDoorbell", "DestroyDoorbell"),
        ] {
            assert_eq!(count(make) - failed(make), count(unmake), "{thunk}: {make}");
        }
    }
}

/// regression: DB-14
#[test]
fn limits_of_the_configuration() {
    let default = UserQueueConfig::default();
    for log2 in [0, 6, 17, u32::MAX] {
        let config = UserQueueConfig {
            ring_entries_log2: log2,
            ..default
        };
        let error = create(&Fake::new(), config).unwrap_err();
        assert_eq!(error, CreateError::RingSize(log2));
    }
    for dwords in [0, (1 << 20) + 1, u32::MAX] {
        let config = UserQueueConfig {
            command_dwords: dwords,
            ..default
        };
        assert_eq!(
            create(&Fake::new(), config).unwrap_err(),
            CreateError::CommandSize { slots: 128, dwords }
        );
    }
    let fake = Fake::new();
    fake.state().private_out = [0xFF; 16];
    assert_eq!(create(&fake, default).unwrap_err(), CreateError::NoReply);
    assert!(fake.state().allocations.is_empty());
}

#[test]
fn a_node_without_user_mode_submission_is_refused() {
    let kmt: Arc<dyn Kmt> = Fake::new();
    let error = UserQueue::create(
        kmt,
        DeviceHandle(1),
        NodeOrdinal(1),
        UserQueueConfig::default(),
    )
    .unwrap_err();
    assert_eq!(error, CreateError::Node(NodeOrdinal(1)));
}

#[test]
fn creating_does_not_connect() {
    let fake = Fake::new();
    fake.plain();
    fake.state().answers = [Answer::Fail].into();
    let queue = queue_with(&fake, UserQueueConfig::default());
    assert_eq!(queue.counters().connects, 0);
    assert_eq!(queue.status(), DoorbellStatus::DISCONNECTED_RETRY);
}
