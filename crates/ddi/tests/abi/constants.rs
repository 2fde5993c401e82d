//! Values of constants and enumerators.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, Value};
use crate::table::lines;

/// Constants of the crate's own making.
const NOT_ABI: &[&str] = &["SLOTS", "LAYOUTS"];

fn parse(text: &str) -> Value {
    if text.starts_with('{') {
        return Value::Guid(text.to_uppercase());
    }
    let number = match text.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16),
        None => text.parse(),
    };
    Value::Number(number.unwrap_or_else(|e| panic!("{text:?}: {e}")))
}

fn agrees(have: &Value, want: &Value) -> bool {
    match (have, want) {
        (Value::Number(have), Value::Number(want)) => {
            // C writes status codes and some enumerators as unsigned words.
            have == want || *want == have + (1 << 32) && *have < 0
        }
        _ => have == want,
    }
}

#[test]
fn every_constant_has_its_row_and_agrees_with_it() {
    let mut table = BTreeMap::new();
    for line in lines("consts.csv") {
        table.insert(line[0].clone(), parse(&line[1]));
    }
    let source = Source::read();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for constant in &source.constants {
        let name = constant.name.as_str();
        if NOT_ABI.contains(&name) {
            continue;
        }
        match (&constant.value, table.get(name)) {
            (None, _) => faults.push(format!("{name}: its value cannot be read")),
            (_, None) => faults.push(format!("{name}: no row in abi/consts.csv")),
            (Some(have), Some(want)) if !agrees(have, want) => {
                faults.push(format!("{name}: {have:?}, the table says {want:?}"));
            }
            _ => {
                seen.insert(name);
            }
        }
    }
    for name in table.keys().filter(|name| !seen.contains(name.as_str())) {
        faults.push(format!("{name}: in the table, not in the crate"));
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
