//! Every type says what it is and where its page is.

use crate::source::{Shape, Source};
use crate::table::structures;

#[test]
fn every_type_is_documented_and_names_its_page() {
    let source = Source::read();
    let table = structures();
    let mut faults = Vec::new();
    for (name, definition) in &source.types {
        let own_page = table.contains_key(name) || matches!(definition.shape, Shape::Newtype);
        let reference = if own_page { "Page `" } else { "" };
        if definition.doc.trim().is_empty() || !definition.doc.contains(reference) {
            faults.push(name.clone());
        }
    }
    for (name, (_, doc)) in &source.aliases {
        if doc.trim().is_empty()
            || name.starts_with("DXGK") && name.contains("DDI") && !doc.contains("Page `")
        {
            faults.push(name.clone());
        }
    }
    assert!(
        faults.is_empty(),
        "without documentation or page: {faults:?}"
    );
}
