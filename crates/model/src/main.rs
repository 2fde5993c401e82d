//! Checks the doorbell protocol and prints what was found.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use carillon_model::{Config, Outcome, Rule, Search, check, narrate, suite};
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
        let left_out = self
            .without
            .iter()
            .map(|rule| format!("no {}", name(*rule)));
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

fn name(rule: Rule) -> String {
    use clap::ValueEnum;
    rule.to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

fn main() -> ExitCode {
    let options = Options::parse();
    let good = match options.rule {
        Some(rule) => show(rule, options.json),
        None => report(&options),
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
        eprintln!("no configuration leaves {} out", name(rule));
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
    finish(&rows, start.elapsed(), options.json)
}

fn finish(rows: &[Row], time: Duration, json: bool) -> bool {
    let good = rows.iter().all(|row| row.as_expected);
    let states: usize = rows.iter().map(|row| row.states).sum();
    let seconds = time.as_secs_f64();
    if json {
        let report = serde_json::json!({
            "rows": rows, "states": states, "seconds": seconds, "as_expected": good,
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
            rows.len()
        );
    }
    good
}
