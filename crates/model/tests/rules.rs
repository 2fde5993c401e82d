//! The protocol holds with all rules, and each rule is needed.

use carillon_model::{Config, Rule, Search, check, narrate, property, suite};
use clap::ValueEnum;

fn assert_holds(config: &Config) {
    let outcome = check(config, Search::Everything);
    let told: Vec<_> = outcome
        .broken
        .iter()
        .map(|(name, steps)| format!("{name}\n{}", narrate(config, steps).join("\n")))
        .collect();
    assert!(
        told.is_empty(),
        "{} ({:?}): {}",
        config.name,
        config.callback,
        told.join("\n")
    );
    println!(
        "{} {:?}: {} states, {:?}",
        config.name, config.callback, outcome.states, outcome.time
    );
}

#[test]
fn all_rules_kept_nothing_breaks() {
    for config in suite::quick() {
        assert_holds(&config);
    }
}

#[test]
fn every_rule_is_left_out_once() {
    let times = |rule: &Rule| suite::removals().iter().filter(|r| r.rule == *rule).count();
    let wrong: Vec<_> = Rule::value_variants()
        .iter()
        .filter(|rule| times(rule) != 1)
        .collect();
    assert!(wrong.is_empty(), "not left out exactly once: {wrong:?}");
}

#[test]
fn a_rule_left_out_breaks_the_property_it_is_for() {
    for removal in suite::removals() {
        let outcome = check(&removal.config, Search::Shortest(removal.breaks));
        assert!(
            outcome.counterexample(removal.breaks).is_some(),
            "without {:?}, {:?} has no counterexample",
            removal.rule,
            removal.breaks
        );
        println!(
            "without {:?}: {} states, {:?}",
            removal.rule, outcome.states, outcome.time
        );
    }
}

/// The rule makes the difference, not the configuration.
#[test]
fn the_same_configuration_holds_with_the_rule_kept() {
    for removal in suite::removals() {
        assert_holds(&removal.control());
    }
}

#[test]
fn the_look_at_bind_is_redundant_if_whoever_connects_rings() {
    assert_holds(&suite::redundant());
}

#[test]
fn a_look_at_bind_does_not_replace_the_ring_on_a_shared_queue() {
    let outcome = check(&suite::one_ring_on_a_shared_queue(), Search::Everything);
    assert!(outcome.counterexample(property::NOTHING_LOST).is_some());
}

/// A model in which nothing happens would hold everything.
#[test]
fn the_interesting_states_are_reached() {
    let config = suite::removals()
        .into_iter()
        .find(|removal| removal.rule == Rule::LookAtVictim)
        .expect("the rule is left out somewhere");
    let outcome = check(&config.config, Search::Shortest(property::NOTHING_LOST));
    let steps = outcome
        .counterexample(property::NOTHING_LOST)
        .expect("work is lost");
    let told = narrate(&config.config, steps).join("\n");
    assert!(told.contains("DxgkCbDisconnectDoorbell"), "{told}");
    assert!(told.contains("reads CONNECTED"), "{told}");
}
