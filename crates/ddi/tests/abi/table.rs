//! The checked-in tables.

use std::collections::BTreeMap;
use std::path::Path;

/// One member of a structure in `abi/layout.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Dotted path of the member; members of unnamed C structures are lifted to their parent.
    pub field: String,
    /// Bytes from the start of the structure; of a bit: of its storage unit.
    pub offset: usize,
    /// Bytes of the member; of a bit: of its storage unit.
    pub size: usize,
    /// First bit and number of bits, for a bit member.
    pub bits: Option<(u32, u32)>,
}

/// A structure of `abi/layout.csv`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Structure {
    /// Bytes of a value.
    pub size: usize,
    /// The members.
    pub rows: Vec<Row>,
}

/// Lines of a table below its heading, split at the commas; no table needs quotes.
pub(crate) fn lines(name: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("abi").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines()
        .skip(1)
        .map(|l| l.split(',').map(str::to_owned).collect())
        .collect()
}

/// Every structure of `abi/layout.csv` by name.
pub(crate) fn structures() -> BTreeMap<String, Structure> {
    let mut all = BTreeMap::<String, Structure>::new();
    for line in lines("layout.csv") {
        let [name, field, offset, size, bit_offset, bit_width] = &line[..] else {
            panic!("layout.csv: {line:?} has not six columns");
        };
        let number = |s: &str| {
            s.parse()
                .unwrap_or_else(|e| panic!("{name}.{field}: {s:?}: {e}"))
        };
        let structure = all.entry(name.clone()).or_default();
        if field.is_empty() {
            structure.size = number(size);
            continue;
        }
        structure.rows.push(Row {
            field: field.clone(),
            offset: number(offset),
            size: number(size),
            bits: (!bit_width.is_empty()).then(|| {
                let bit = |s: &str| u32::try_from(number(s)).expect("a bit number");
                (bit(bit_offset), bit(bit_width))
            }),
        });
    }
    all
}
