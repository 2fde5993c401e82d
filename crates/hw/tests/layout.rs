//! Structures that two parties share have one layout, for programs of 32 and of 64 bits.
//!
//! `u64` is aligned to 4 bytes on some 32-bit targets and to 8 on all others, and words of the
//! machine differ anyway. A structure looks the same everywhere if it has neither padding nor such
//! words, and if every field lies at a multiple of its own size. The sources are read for that,
//! since the compiler at hand knows one target only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use carillon_hw::allocation::AllocationPrivateData;
use carillon_hw::doorbell::{DoorbellPrivateData, DoorbellReply};
use carillon_hw::escape::{EscapeCounters, EscapeData};
use carillon_hw::event::RawEvent;
use carillon_hw::fence_log::LogEntry;
use carillon_hw::queue::{ContextDescriptor, QueueDeviceHalf, QueueDriverHalf};
use carillon_hw::ring::RingEntry;

/// Name, bytes as the compiler sees them, and on the wire: bytes, and where each field is.
type Layout = (&'static str, usize, usize, &'static str);

/// Every structure that is shared. A new one needs a line here.
const LAYOUTS: [Layout; 11] = [
    (
        "AllocationPrivateData",
        size_of::<AllocationPrivateData>(),
        16,
        "version 0, placement 4, bytes 8",
    ),
    (
        "ContextDescriptor",
        size_of::<ContextDescriptor>(),
        32,
        "root 0, root_entries 8, reserved0 12, reserved1 16",
    ),
    (
        "DoorbellPrivateData",
        size_of::<DoorbellPrivateData>(),
        16,
        "ring 0, control 8",
    ),
    (
        "DoorbellReply",
        size_of::<DoorbellReply>(),
        16,
        "version 0, model 2, queue 4, reserved 8",
    ),
    (
        "EscapeCounters",
        size_of::<EscapeCounters>(),
        24,
        "connects 0, disconnects 4, victimized 8, notifies 12, useful_looks 16, changed 20",
    ),
    (
        "EscapeData",
        size_of::<EscapeData>(),
        40,
        "version 0, code 2, queue 4, value 8, reserved 12, counters 16",
    ),
    (
        "LogEntry",
        size_of::<LogEntry>(),
        48,
        "fence_value 0, fence_handle 8, operation 12, reserved0 16, observed 24, reserved1 32, \
         ended 40",
    ),
    (
        "QueueDeviceHalf",
        size_of::<QueueDeviceHalf>(),
        64,
        "read_pointer 0, seen_write_pointer 8, state 16, fault 20, fault_address 24, activity 32, \
         useful_looks 36, finished 40, last_look 48, ring_changes 56, finished_before 60",
    ),
    (
        "QueueDriverHalf",
        size_of::<QueueDriverHalf>(),
        64,
        "ring 0, control 8, start 16, signal_log 24, wait_log 32, shape 40, context 44, \
         log_entries 48, reserved0 52, doorbell_page 56, reserved1 60",
    ),
    (
        "RawEvent",
        size_of::<RawEvent>(),
        32,
        "kind 0, subject 4, value 8, address 16, sequence 24",
    ),
    (
        "RingEntry",
        size_of::<RingEntry>(),
        32,
        "buffer 0, meta 8, cookie 16, reserved 24",
    ),
];

/// Bytes of a type that looks the same everywhere, and of its largest word; `None` for `usize`,
/// pointers, references, `bool`, `char` and whatever else has no business there.
fn size(kind: &str) -> Option<(usize, usize)> {
    if let Some((element, count)) = kind
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']')?.split_once("; "))
    {
        let (bytes, align) = size(element)?;
        return Some((bytes * count.parse::<usize>().ok()?, align));
    }
    Some(match kind {
        "u8" => (1, 1),
        "u16" => (2, 2),
        "u32" | "QueueShape" | "QueueState" | "QueueFault" | "QueueActivity" => (4, 4),
        "u64" | "EntryMeta" => (8, 8),
        "EscapeCounters" => (size_of::<EscapeCounters>(), 4),
        _ => return None,
    })
}

/// A structure of the sources.
struct Structure {
    name: String,
    attributes: String,
    /// Names and types.
    fields: Vec<(String, String)>,
}

/// The `repr(C)` structures of a source file.
fn structures(text: &str) -> Vec<Structure> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("#[repr(C") {
        let (_, rest) = text.split_at(at);
        let (head, body) = rest.split_once('{').expect("a structure");
        let name = head.split_whitespace().last().expect("a name");
        let (body, _) = body.split_once("\n}").expect("its end");
        let fields = body
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .map(|line| {
                let line = line.trim_start_matches("pub ").trim_end_matches(',');
                let (field, kind) = line.split_once(": ").expect("a field");
                (field.to_owned(), kind.to_owned())
            });
        let attributes = text[..at].rsplit("\n\n").next().unwrap_or_default();
        found.push(Structure {
            name: name.to_owned(),
            attributes: attributes.to_owned(),
            fields: fields.collect(),
        });
    }
    found
}

/// Checks one structure of the sources; returns what the table above says of it.
fn lay_out(name: &str, fields: &[(String, String)]) -> (usize, String) {
    let (mut at, mut largest, mut places) = (0, 1, Vec::new());
    for (field, kind) in fields {
        let known = size(kind);
        let (bytes, align) = known.unwrap_or_else(|| panic!("{name}.{field} is a {kind}"));
        assert_eq!(at % align, 0, "{name}.{field} needs padding before it");
        places.push(format!("{field} {at}"));
        at += bytes;
        largest = largest.max(align);
    }
    assert_eq!(at % largest, 0, "{name} needs padding at its end");
    (at, places.join(", "))
}

/// All source files in a folder and below.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Every structure of the layout crate is as the table says, on every target.
///
/// regression: LIFE-16
#[test]
fn shared_structures_look_the_same_everywhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    for file in sources(&folder) {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(!text.contains("repr(packed"), "a field that is not aligned");
        for structure in structures(&text) {
            let Structure {
                name,
                attributes,
                fields,
            } = structure;
            // The derive refuses padding on the target at hand.
            assert!(attributes.contains("IntoBytes"), "{name}: {attributes}");
            found.insert(name.clone(), lay_out(&name, &fields));
        }
    }
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    let expected: Vec<&str> = LAYOUTS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, expected);
    for (name, compiled, bytes, fields) in LAYOUTS {
        assert_eq!(found[name], (bytes, fields.to_owned()), "{name}");
        assert_eq!(compiled, bytes, "{name}");
    }
}

/// The check itself sees what it is there for.
///
/// regression: LIFE-16
#[test]
fn what_differs_between_targets_is_found() {
    let fields = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        let own = |(field, kind): &(&str, &str)| ((*field).to_owned(), (*kind).to_owned());
        list.iter().map(own).collect()
    };
    for bad in [
        [("a", "u64"), ("b", "usize")],
        [("a", "u64"), ("b", "*const u8")],
        [("a", "u64"), ("b", "bool")],
        [("a", "u64"), ("b", "u32")],
        [("a", "u32"), ("b", "u64")],
        [("a", "[u16; 3]"), ("b", "u32")],
    ] {
        let bad = fields(&bad);
        std::panic::catch_unwind(|| lay_out("Bad", &bad)).expect_err("it differs");
    }
    let good = fields(&[("a", "u32"), ("b", "[u16; 2]"), ("c", "u64")]);
    assert_eq!(lay_out("Good", &good), (16, "a 0, b 4, c 8".to_owned()));
}
