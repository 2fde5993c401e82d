//! What one submission costs the client, by its doorbell and by the kernel.

use std::sync::Arc;
use std::time::Duration;

use carillon_bench::dxgk::kmt::entries_of_this_thread;
use carillon_bench::workload::machine::{Failure, Machine};
use carillon_bench::workload::raw::system_memory;
use carillon_client::fallback::{KernelQueue, KernelQueueConfig};
use carillon_client::kmt::{Kmt, NodeOrdinal};
use carillon_client::queue::{UserQueue, UserQueueConfig};
use carillon_client::submit::Submit;
use carillon_hw::addr::GpuVa;
use serde::Serialize;

use crate::steps::{self, Count};

const PATIENCE: Duration = Duration::from_secs(20);
const WARM_UP: usize = 8;
const SAMPLES: usize = 41;
const FILL_BYTES: u64 = 64;

/// Instructions of one submission, medians.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Submission {
    /// By the doorbell, connected: all of them the client's.
    pub(crate) user: u64,
    /// By the kernel: all on the thread, the OS model's included.
    pub(crate) kernel: u64,
    /// By the kernel: those of the driver alone.
    pub(crate) kernel_in_driver: u64,
    /// Kernel entries of the user-mode submissions.
    pub(crate) entries: u64,
    /// User-mode submissions.
    pub(crate) submissions: u64,
}

fn sample(queue: &mut impl Submit, target: GpuVa) -> Result<Count, Failure> {
    let mut counts = Vec::with_capacity(SAMPLES);
    for sample in 0..WARM_UP + SAMPLES {
        let pattern = u32::try_from(sample)?;
        let (count, value) =
            steps::count(|| queue.submit(|commands| commands.fill(target, FILL_BYTES, pattern)));
        queue.wait(value?, PATIENCE)?;
        if sample >= WARM_UP {
            counts.push(count);
        }
    }
    Ok(steps::median(counts))
}

/// Submits the same work both ways.
pub(crate) fn measure(machine: &Machine) -> Result<Submission, Failure> {
    let kmt: Arc<dyn Kmt> = machine.process()?;
    let device = kmt.create_device()?;
    let target = system_memory(&*kmt, device, 4096)?.gpu;
    let node = NodeOrdinal(0);
    let mut user = UserQueue::create(kmt.clone(), device, node, UserQueueConfig::default())?;
    let user_count = sample(&mut user, target)?;
    // Entries are counted apart: a wait may enter the kernel, a submission may not.
    let mut entries = 0;
    let submissions = 64;
    for pattern in 0..submissions {
        let before = entries_of_this_thread();
        let pattern = u32::try_from(pattern)?;
        let value = user.submit(|commands| commands.fill(target, FILL_BYTES, pattern))?;
        entries += entries_of_this_thread() - before;
        user.wait(value, PATIENCE)?;
    }
    user.close()?;
    let mut kernel = KernelQueue::create(kmt, device, node, KernelQueueConfig::default())?;
    let kernel_count = sample(&mut kernel, target)?;
    kernel.close()?;
    Ok(Submission {
        user: user_count.total(),
        kernel: kernel_count.total(),
        kernel_in_driver: kernel_count.driver,
        entries,
        submissions,
    })
}
