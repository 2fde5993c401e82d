//! Checks the doorbell protocol and prints what was found.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use carillon_model::{
    Config, Outcome, RING_REMOVALS, RingOutcome, RingRule, Rule, Search, check, check_ring,
    narrate, suite,
};
use clap::Parser;
use serde::Serialize;

/// Checks the doorbell protocol, with all rules and with each of them left out.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The small configurations only.
    #[arg(long)]
    quick: bool,
    /// Leave one rule out and print the counterexample.
    #[arg(long, value_name = "NAME")]
    rule: Option<Rule>,
    /// Leave one rule of the change of rings out and print the counterexample.
    #[arg(long, value_name = "NAME", conflicts_with = "rule")]
    ring_rule: Option<RingRule>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A line of the report.
#[derive(Serialize)]
struct Row {
    configuration: &'static str,
    machine: &'static str,
    callback: carillon_model::Callback,
    order: carillon_model::Order,
    without: Vec<Rule>,
    states: usize,
    depth: usize,
    seconds: f64,
    /// The property that has to break; none if all have to hold.
    expected: Option<&'static str>,
    /// The properties that have broken.
    broken: Vec<&'static str>,
    /// Steps of the counterexample to the expected property.
    steps: Option<usize>,
    as_expected: bool,
}

impl Row {
    fn new(config: &Config, outcome: &Outcome, expected: Option<&'static str>) -> Self {
        let broken: Vec<_> = outcome.broken.iter().map(|(name, _)| *name).collect();
        Self {
            configuration: config.name,
            machine: config.topology.name,
            callback: config.callback,
            order: config.order,
            without: config.without.clone(),
            states: outcome.states,
            depth: outcome.depth,
            seconds: outcome.time.as_secs_f64(),
            as_expected: expected.map_or(broken.is_empty(), |name| broken.contains(&name)),
            steps: expected
                .and_then(|name| outcome.counterexample(name))
                .map(<[_]>::len),
            expected,
            broken,
        }
    }

    fn print(&self) {
        let Self {
            states,
            depth,
            seconds,
            ..
        } = self;
        let left_out = self.without.iter().map(|rule| format!("no {}", name(rule)));
        let left_out = left_out.collect::<Vec<_>>().join(", ");
        let setting = format!("{:?}, {:?}", self.callback, self.order);
        let verdict = match (self.as_expected, self.expected, self.steps) {
            (true, Some(property), Some(steps)) => {
                format!("breaks \"{property}\" in {steps} steps")
            }
            (true, ..) => "holds".to_owned(),
            (false, Some(property), _) => format!("UNEXPECTED: \"{property}\" is not broken"),
            (false, None, _) => format!("UNEXPECTED: breaks {:?}", self.broken),
        };
        println!(
            "{:<27} {:<44} {setting:<23} {states:>9} {depth:>4} {seconds:>7.2} s  {verdict}  {left_out}",
            self.configuration, self.machine,
        );
    }
}

fn name(rule: &impl clap::ValueEnum) -> String {
    rule.to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

fn main() -> ExitCode {
    let options = Options::parse();
    let good = match (options.rule, options.ring_rule) {
        (Some(rule), _) => show(rule, options.json),
        (None, Some(rule)) => show_ring(rule, options.json),
        (None, None) => report(&options),
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints the counterexample that appears when `rule` is left out.
fn show(rule: Rule, json: bool) -> bool {
    let Some(removal) = suite::removals()
        .into_iter()
        .find(|removal| removal.rule == rule)
    else {
        eprintln!("no configuration leaves {} out", name(&rule));
        return false;
    };
    let outcome = check(&removal.config, Search::Shortest(removal.breaks));
    let row = Row::new(&removal.config, &outcome, Some(removal.breaks));
    let lines = outcome
        .counterexample(removal.breaks)
        .map(|steps| narrate(&removal.config, steps))
        .unwrap_or_default();
    if json {
        println!("{}", serde_json::json!({ "row": row, "trace": lines }));
    } else {
        row.print();
        for line in &lines {
            println!("{line}");
        }
    }
    row.as_expected
}

fn print_ring(outcome: &RingOutcome) {
    let verdict = match (outcome.as_expected(), outcome.expected, outcome.steps) {
        (true, Some(property), Some(steps)) => format!("breaks \"{property}\" in {steps} steps"),
        (true, ..) => "holds".to_owned(),
        (false, ..) => format!("UNEXPECTED: breaks {:?}", outcome.broken),
    };
    let left_out = outcome.without.map(|rule| format!("no {}", name(&rule)));
    println!(
        "{:<27} {:<44} {:<23} {:>9} {:>4} {:>7.2} s  {verdict}  {}",
        "change of rings",
        "2 threads, 1 queue, 2 rings",
        "",
        outcome.states,
        "",
        outcome.seconds,
        left_out.unwrap_or_default(),
    );
}

/// Prints the counterexample that appears when `rule` is left out of the change of rings.
fn show_ring(rule: RingRule, json: bool) -> bool {
    let Some((_, breaks)) = RING_REMOVALS.into_iter().find(|(other, _)| *other == rule) else {
        eprintln!("no run leaves {} out", name(&rule));
        return false;
    };
    let outcome = check_ring(Some(rule), Some(breaks));
    let lines: Vec<_> = outcome.trace.iter().map(ToString::to_string).collect();
    if json {
        println!("{}", serde_json::json!({ "row": outcome, "trace": lines }));
    } else {
        print_ring(&outcome);
        for line in &lines {
            println!("{line}");
        }
    }
    outcome.as_expected()
}

/// The change of rings, with all rules and without each.
fn ring_outcomes() -> Vec<RingOutcome> {
    let removals = RING_REMOVALS
        .into_iter()
        .map(|(rule, breaks)| check_ring(Some(rule), Some(breaks)));
    removals.chain([check_ring(None, None)]).collect()
}

fn report(options: &Options) -> bool {
    let start = Instant::now();
    let mut rows = Vec::new();
    let mut add = |row: Row| {
        if !options.json {
            row.print();
        }
        rows.push(row);
    };
    let removals = if options.quick {
        suite::removals()
    } else {
        suite::full_removals()
    };
    for removal in removals {
        let outcome = check(&removal.config, Search::Shortest(removal.breaks));
        add(Row::new(&removal.config, &outcome, Some(removal.breaks)));
    }
    for config in if options.quick {
        suite::quick()
    } else {
        suite::full()
    } {
        let outcome = check(&config, Search::Everything);
        add(Row::new(&config, &outcome, None));
    }
    let rings = ring_outcomes();
    if !options.json {
        rings.iter().for_each(print_ring);
    }
    finish(&rows, &rings, start.elapsed(), options.json)
}

fn finish(rows: &[Row], rings: &[RingOutcome], time: Duration, json: bool) -> bool {
    let good = rows.iter().all(|row| row.as_expected) && rings.iter().all(RingOutcome::as_expected);
    let states = rows.iter().map(|row| row.states).sum::<usize>()
        + rings.iter().map(|row| row.states).sum::<usize>();
    let seconds = time.as_secs_f64();
    if json {
        let report = serde_json::json!({
            "rows": rows, "ring_change": rings, "states": states, "seconds": seconds, "as_expected": good,
        });
        println!("{report}");
    } else {
        let verdict = if good {
            "as expected"
        } else {
            "NOT AS EXPECTED"
        };
        println!(
            "{} runs, {states} states, {seconds:.1} s: {verdict}",
            rows.len() + rings.len()
        );
    }
    good
}
