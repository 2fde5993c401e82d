//! The kernel-fed queue.

use std::sync::Arc;
use std::time::Duration;

use carillon_hw::addr::GpuVa;

use super::fake::Fake;
use crate::fallback::{KernelQueue, KernelQueueConfig};
use crate::kmt::{DeviceHandle, Kmt, NodeOrdinal, NtStatus};
use crate::submit::{FenceValue, Submit, SubmitError};

fn queue(fake: &Arc<Fake>) -> KernelQueue {
    let kmt: Arc<dyn Kmt> = Arc::clone(fake) as _;
    let config = KernelQueueConfig {
        slots: 4,
        full_timeout: Duration::ZERO,
        ..KernelQueueConfig::default()
    };
    KernelQueue::create(kmt, DeviceHandle(1), NodeOrdinal(1), config).unwrap()
}

fn fill(queue: &mut KernelQueue, pattern: u32) -> Result<FenceValue, SubmitError> {
    queue.submit(|commands| commands.fill(GpuVa(0x1000), 4, pattern))
}

#[test]
fn submissions_run_in_order_with_their_values() {
    let fake = Fake::new();
    let mut queue = queue(&fake);
    for i in 0..20 {
        let value = fill(&mut queue, i).unwrap();
        queue.wait(value, Duration::ZERO).unwrap();
    }
    assert_eq!(queue.completed(), FenceValue(20));
    assert_eq!(fake.state().fills, (0..20).collect::<Vec<_>>());
    let values: Vec<_> = fake
        .state()
        .submitted
        .iter()
        .map(|submit| submit.progress_fence_value)
        .collect();
    assert_eq!(values, (1..=20).collect::<Vec<_>>());
}

#[test]
fn no_slot_is_used_twice_while_it_may_run() {
    let fake = Fake::new();
    fake.state().paused = true;
    let mut queue = queue(&fake);
    for i in 0..4 {
        fill(&mut queue, i).unwrap();
    }
    assert_eq!(fill(&mut queue, 4), Err(SubmitError::Full(Duration::ZERO)));
    let mut buffers: Vec<_> = fake
        .state()
        .submitted
        .iter()
        .map(|submit| submit.command_buffer)
        .collect();
    buffers.sort_unstable();
    buffers.dedup();
    assert_eq!(buffers.len(), 4);
    fake.set(super::fake::Word::Fence, 1);
    assert_eq!(fill(&mut queue, 4), Ok(FenceValue(5)));
}

#[test]
fn a_refused_submission_takes_no_value() {
    let fake = Fake::new();
    let mut queue = queue(&fake);
    fake.state().fail = Some("SubmitCommandToHwQueue");
    let Err(SubmitError::Kmt(error)) = fill(&mut queue, 0) else {
        panic!("submitted");
    };
    assert_eq!(error.status(), NtStatus::NO_MEMORY);
    assert_eq!(queue.queued(), FenceValue(0));
    assert_eq!(fill(&mut queue, 0), Ok(FenceValue(1)));
}
