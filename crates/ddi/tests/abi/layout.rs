//! Sizes, offsets and bit positions.

use std::collections::{BTreeMap, BTreeSet};

use carillon_ddi::{FieldLayout, LAYOUTS, TypeLayout};
use syn::Type;

use crate::source::{Shape, Source};
use crate::table::{Row, Structure, structures};

/// Types of the crate that are no part of the ABI.
const NOT_ABI: &[&str] = &["FieldLayout", "TypeLayout", "Slot"];

/// C offers these as unions with readings by halves; the crate has the whole number only.
const WHOLE_NUMBERS: &[&str] = &["LARGE_INTEGER", "PHYSICAL_ADDRESS"];

struct Abi {
    source: Source,
    table: BTreeMap<String, Structure>,
    layouts: BTreeMap<&'static str, &'static TypeLayout>,
}

/// The path as the table writes it: unnamed C members leave no trace.
fn table_name(path: &str) -> String {
    path.split('.')
        .filter(|part| !part.is_empty() && !part.starts_with("Anonymous"))
        .collect::<Vec<_>>()
        .join(".")
}

fn is_unnamed(path: &str) -> bool {
    path.rsplit('.')
        .next()
        .is_some_and(|last| last.starts_with("Anonymous"))
}

impl Abi {
    fn new() -> Self {
        let mut layouts = BTreeMap::new();
        for layout in LAYOUTS.iter().copied().flatten() {
            assert!(
                layouts.insert(layout.name, layout).is_none(),
                "{} twice",
                layout.name
            );
        }
        Self {
            source: Source::read(),
            table: structures(),
            layouts,
        }
    }

    /// The type's name if it is one that stands for a C structure without a page of its own.
    fn inline(&self, ty: &Type) -> Option<&Shape> {
        let Type::Path(path) = ty else { return None };
        let name = path.path.get_ident()?.to_string();
        let shape = &self.source.types.get(&name)?.shape;
        let is_inline =
            matches!(shape, Shape::Members(_) | Shape::Bits(_)) && !self.table.contains_key(&name);
        is_inline.then_some(shape)
    }

    /// Every member of `shape` and of the inline types below it, in paths from the top.
    fn flatten<'a>(
        &'a self,
        shape: &'a Shape,
        prefix: &str,
        out: &mut Vec<(String, Option<&'a Shape>)>,
    ) {
        let Shape::Members(members) = shape else {
            return;
        };
        for (name, ty) in members {
            let path = format!("{prefix}.{name}");
            let inline = self.inline(ty);
            out.push((path.clone(), inline));
            if let Some(inline) = inline {
                self.flatten(inline, &path, out);
            }
        }
    }

    fn check(&self, name: &str, faults: &mut Vec<String>) {
        let shape = &self.source.types[name].shape;
        let structure = &self.table[name];
        let Some(layout) = self.layouts.get(name) else {
            faults.push(format!("{name}: not in its module's `layouts!`"));
            return;
        };
        if layout.size != structure.size {
            faults.push(format!(
                "{name}: {} bytes, the table says {}",
                layout.size, structure.size
            ));
        }
        let mut fields = Vec::new();
        self.flatten(shape, "", &mut fields);
        let declared: BTreeSet<&str> = fields.iter().map(|(path, _)| path.as_str()).collect();
        let listed: BTreeSet<&str> = layout.fields.iter().map(|f| f.path).collect();
        for path in declared.symmetric_difference(&listed) {
            faults.push(format!(
                "{name}{path}: in the type or in its `layouts!`, not in both"
            ));
        }
        let mut open: Vec<&Row> = structure.rows.iter().collect();
        if let Shape::Bits(bits) = shape {
            check_bits(name, "", 0, layout.size, bits, &mut open, faults);
        }
        for field in layout.fields {
            let inline = fields
                .iter()
                .find(|(path, _)| path == field.path)
                .and_then(|(_, s)| *s);
            check_field(name, field, inline, &mut open, faults);
        }
        if !WHOLE_NUMBERS.contains(&name) {
            faults.extend(
                open.iter()
                    .map(|row| format!("{name}: the table's {row:?} is missing")),
            );
        }
    }
}

fn check_field(
    name: &str,
    field: &FieldLayout,
    inline: Option<&Shape>,
    open: &mut Vec<&Row>,
    faults: &mut Vec<String>,
) {
    let wanted = table_name(field.path);
    if !is_unnamed(field.path) {
        let matching = |row: &&Row| {
            row.field == wanted
                && row.bits.is_none()
                && (row.offset, row.size) == (field.offset, field.size)
        };
        match open.iter().position(matching) {
            Some(index) => {
                open.remove(index);
            }
            None => faults.push(format!("{name}: no row agrees with {field:?}")),
        }
    }
    if let Some(Shape::Bits(bits)) = inline {
        check_bits(name, &wanted, field.offset, field.size, bits, open, faults);
    }
}

/// Takes the rows of one flag word out of `open`: the bits, and the member that C calls the word by.
fn check_bits(
    name: &str,
    prefix: &str,
    offset: usize,
    size: usize,
    bits: &[(String, u32, u32)],
    open: &mut Vec<&Row>,
    faults: &mut Vec<String>,
) {
    let join = |bit: &str| {
        if prefix.is_empty() {
            bit.to_owned()
        } else {
            format!("{prefix}.{bit}")
        }
    };
    for (bit, first, width) in bits {
        let row = Row {
            field: join(bit),
            offset,
            size,
            bits: Some((*first, *width)),
        };
        match open.iter().position(|other| **other == row) {
            Some(index) => {
                open.remove(index);
            }
            None => faults.push(format!("{name}: no row agrees with {row:?}")),
        }
    }
    let word = ["Value", "Flags", "Input", "Output", "PropertyMaskValue"].map(join);
    let is_word = |row: &&Row| {
        row.bits.is_none() && (row.offset, row.size) == (offset, size) && word.contains(&row.field)
    };
    if let Some(index) = open.iter().position(is_word) {
        open.remove(index);
    }
}

#[test]
fn every_type_has_its_row_and_agrees_with_it() {
    let abi = Abi::new();
    let mut faults = Vec::new();
    let mut reached = BTreeSet::new();
    for name in abi.table.keys() {
        let Some(definition) = abi.source.types.get(name) else {
            faults.push(format!("{name}: in the table, not in the crate"));
            continue;
        };
        let mut stack = vec![&definition.shape];
        while let Some(shape) = stack.pop() {
            let Shape::Members(members) = shape else {
                continue;
            };
            for (_, ty) in members {
                if let (Some(inline), Type::Path(path)) = (abi.inline(ty), ty) {
                    reached.insert(path.path.get_ident().expect("a name").to_string());
                    stack.push(inline);
                }
            }
        }
        abi.check(name, &mut faults);
    }
    for (name, definition) in &abi.source.types {
        let row_expected = match definition.shape {
            Shape::Members(_) | Shape::Bits(_) => true,
            Shape::Newtype => false,
            Shape::Other => !NOT_ABI.contains(&name.as_str()),
        };
        if row_expected && !abi.table.contains_key(name) && !reached.contains(name) {
            faults.push(format!(
                "{name}: a public type without a row in abi/layout.csv"
            ));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// `ZERO` is sound only while no member has an invalid all-zero value.
#[test]
fn no_member_refuses_zero_bytes() {
    let source = Source::read();
    let mut faults = Vec::new();
    for (name, definition) in &source.types {
        let Shape::Members(members) = &definition.shape else {
            continue;
        };
        for (member, ty) in members {
            if !zero_is_valid(ty, &source) {
                faults.push(format!("{name}.{member}"));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "all-zero bytes may be invalid for {faults:?}"
    );
}

fn zero_is_valid(ty: &Type, source: &Source) -> bool {
    match ty {
        Type::Ptr(_) => true,
        Type::Array(array) => zero_is_valid(&array.elem, source),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return false;
            };
            let name = last.ident.to_string();
            if name == "Option" {
                let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
                    return false;
                };
                return matches!(
                    arguments.args.first(),
                    Some(syn::GenericArgument::Type(Type::Path(p)))
                        if p.path.get_ident().and_then(|i| source.aliases.get(&i.to_string()))
                            .is_some_and(|(ty, _)| matches!(ty, Type::BareFn(_)))
                );
            }
            matches!(
                name.as_str(),
                "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "f32"
            ) || source.types.contains_key(&name)
                || source
                    .aliases
                    .get(&name)
                    .is_some_and(|(ty, _)| zero_is_valid(ty, source))
        }
        _ => false,
    }
}
