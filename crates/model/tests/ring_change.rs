//! A change of rings loses nothing with all rules, and each rule is needed.

use carillon_model::{RING_REMOVALS, RingRule, check_ring};
use clap::ValueEnum;

#[test]
fn all_rules_kept_nothing_breaks() {
    let outcome = check_ring(None, None);
    assert!(outcome.as_expected(), "{outcome:?}");
    println!("{} states, {:.2} s", outcome.states, outcome.seconds);
}

#[test]
fn a_rule_left_out_breaks_the_property_it_is_for() {
    for rule in RingRule::value_variants() {
        let removals: Vec<_> = RING_REMOVALS.iter().filter(|(r, _)| r == rule).collect();
        let [(_, breaks)] = removals[..] else {
            panic!("{rule:?} is left out {} times", removals.len());
        };
        let outcome = check_ring(Some(*rule), Some(breaks));
        assert!(outcome.as_expected(), "{outcome:?}");
        println!("without {rule:?}: {:?}", outcome.trace);
    }
}
