//! The figures, their limits, and how they are shown.

use serde::Serialize;

use crate::latency::Latency;
use crate::scaling::Cost;
use crate::submission::Submission;
use crate::textbook::Textbook;

/// On which side of its limit a figure has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

impl Limit {
    fn is_met(self, measured: f64) -> bool {
        match self {
            Self::AtMost(limit) => measured <= limit,
            Self::AtLeast(limit) => measured >= limit,
        }
    }
}

/// One run.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) ring_to_fetch_ratio: f64,
    pub(crate) um_over_km_instructions: f64,
    pub(crate) kernel_entries_per_submission: f64,
    pub(crate) connect_scaling_ratio: f64,
    pub(crate) victim_scaling_ratio: f64,
    pub(crate) pool_bytes_per_doorbell: f64,
    pub(crate) pool_calls: u64,
    pub(crate) oversub_min_over_mean: f64,
    pub(crate) oversub_throughput_ratio: f64,
    /// Time from ring to fetch by the number of watched pages.
    pub(crate) watched_pages: Vec<Latency>,
    pub(crate) submission: Submission,
    /// Few logical doorbells, many, and as many pages as the device can have.
    pub(crate) connect: Vec<Cost>,
    /// Pool bytes of a user-mode queue, its doorbell not included.
    pub(crate) pool_bytes_per_queue: f64,
    pub(crate) textbook: Vec<Textbook>,
    /// Instructions that a list of all logical doorbells would cost to find one.
    pub(crate) textbook_find: u64,
    pub(crate) oversub_per_second: f64,
    pub(crate) oversub_enough_pages_per_second: f64,
    pub(crate) oversub_victims: u64,
    pub(crate) processors: usize,
}

impl Report {
    /// The figures that have limits.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of calls, 0 if all is well"
    )]
    fn rows(&self) -> [(&'static str, Limit, f64); 9] {
        use Limit::{AtLeast, AtMost};
        [
            ("ring_to_fetch_ratio", AtMost(1.5), self.ring_to_fetch_ratio),
            (
                "um_over_km_instructions",
                AtMost(0.1),
                self.um_over_km_instructions,
            ),
            (
                "kernel_entries_per_submission",
                AtMost(0.0),
                self.kernel_entries_per_submission,
            ),
            (
                "connect_scaling_ratio",
                AtMost(1.5),
                self.connect_scaling_ratio,
            ),
            (
                "victim_scaling_ratio",
                AtMost(1.5),
                self.victim_scaling_ratio,
            ),
            (
                "pool_bytes_per_doorbell",
                AtMost(128.0),
                self.pool_bytes_per_doorbell,
            ),
            ("pool_calls", AtMost(0.0), self.pool_calls as f64),
            (
                "oversub_min_over_mean",
                AtLeast(0.5),
                self.oversub_min_over_mean,
            ),
            (
                "oversub_throughput_ratio",
                AtLeast(0.7),
                self.oversub_throughput_ratio,
            ),
        ]
    }

    /// Whether every limit is met.
    pub(crate) fn is_met(&self) -> bool {
        let mut rows = self.rows().into_iter();
        rows.all(|(_, limit, measured)| limit.is_met(measured))
    }

    /// Prints a table.
    pub(crate) fn print(&self) {
        println!("{:<32}{:>10}{:>12}  verdict", "figure", "limit", "measured");
        for (name, limit, measured) in self.rows() {
            let shown = match limit {
                Limit::AtMost(limit) => format!("<= {limit}"),
                Limit::AtLeast(limit) => format!(">= {limit}"),
            };
            let verdict = if limit.is_met(measured) {
                "met"
            } else {
                "NOT MET"
            };
            println!("{name:<32}{shown:>10}{measured:>12.3}  {verdict}");
        }
        println!("\nwatched pages   ring to fetch   ping of the same threads   ratio");
        for latency in &self.watched_pages {
            println!(
                "{:>13}{:>13} ns{:>24} ns{:>8.2}",
                latency.watched_pages, latency.ring_to_fetch_ns, latency.ping_ns, latency.ratio
            );
        }
        let Submission {
            user,
            kernel,
            kernel_in_driver,
            ..
        } = self.submission;
        println!("\ninstructions of one submission");
        println!("    by the doorbell              {user:>8}");
        println!("    by the kernel, OS model too  {kernel:>8}");
        println!("    by the kernel, driver alone  {kernel_in_driver:>8}");
        println!(
            "\ndriver instructions    doorbells   pages   connect+disconnect   connect+victim"
        );
        for cost in &self.connect {
            println!(
                "{:>32}{:>8}{:>21}{:>17}",
                cost.doorbells, cost.pages, cost.pair, cost.victim
            );
        }
        for textbook in &self.textbook {
            println!(
                "textbook: search alone{:>18}{:>38}",
                textbook.pages, textbook.victim
            );
        }
        println!(
            "textbook: a list of all doorbells would cost {} to find one",
            self.textbook_find
        );
        println!(
            "\npool: {:.1} bytes per doorbell, {:.1} per user-mode queue",
            self.pool_bytes_per_doorbell, self.pool_bytes_per_queue
        );
        println!(
            "32 busy queues: {:.0} submissions/s on 4 pages ({} victims), {:.0} on 32 pages",
            self.oversub_per_second, self.oversub_victims, self.oversub_enough_pages_per_second
        );
        println!("{} processors", self.processors);
    }
}
