//! The short form of the soak run.

mod sys_support;

use std::time::Duration;

use carillon_bench::workload::soak::{SoakOptions, run};

/// Everything at once for some seconds, both doorbell models in turn.
///
/// contract: PEX-007, SUS-009
/// regression: DB-04, DB-16, LOCK-02, MAP-04
#[test]
fn everything_at_once() {
    let seed = std::process::id().into();
    println!("seed {seed}");
    let options = SoakOptions {
        seed,
        duration: Duration::from_secs(5),
        ..SoakOptions::default()
    };
    let report = run(&sys_support::sys(), &options, |_, _| {});
    assert!(report.passed(), "{report:#?}");
    let counts = report.counts;
    assert!(counts.episodes >= 2, "both models");
    for done in [
        counts.queues,
        counts.victimizations,
        counts.disconnects,
        counts.suspends,
        counts.normal_exits,
        counts.abnormal_exits,
        counts.hostile_queues,
        counts.queue_faults,
    ] {
        assert_ne!(done, 0, "{counts:#?}");
    }
}
