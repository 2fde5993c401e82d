//! The crate's own source, as far as the tests must know it.

use std::collections::BTreeMap;
use std::path::Path;

use syn::{Attribute, Expr, Fields, Item, Lit, Meta, Type, Visibility};

/// What a public type is made of.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A `repr(C)` structure or union: members with their types.
    Members(Vec<(String, Type)>),
    /// A bitfield: name, first bit and width of each named run of bits.
    Bits(Vec<(String, u32, u32)>),
    /// A transparent newtype: an enumeration or a status code.
    Newtype,
    /// No ABI type.
    Other,
}

/// A public type definition.
#[derive(Debug)]
pub(crate) struct Definition {
    pub shape: Shape,
    pub doc: String,
}

/// A public constant whose value is written out.
#[derive(Debug)]
pub(crate) struct Constant {
    pub name: String,
    pub value: Option<Value>,
}

/// A value as the source writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(i128),
    Guid(String),
}

/// The public items of the crate.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub types: BTreeMap<String, Definition>,
    /// Type aliases with the aliased type and the documentation.
    pub aliases: BTreeMap<String, (Type, String)>,
    pub constants: Vec<Constant>,
}

fn doc(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        if let Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(line) = &literal.lit
        {
            text.push_str(&line.value());
        }
    }
    text
}

fn has_repr(attributes: &[Attribute], word: &str) -> bool {
    attributes.iter().any(|a| {
        a.path().is_ident("repr")
            && matches!(&a.meta, Meta::List(list) if list.tokens.to_string().split(|c: char| !c.is_alphanumeric()).any(|t| t == word))
    })
}

fn bits(fields: &Fields) -> Vec<(String, u32, u32)> {
    let mut next = 0;
    let mut all = Vec::new();
    for field in fields {
        let name = field.ident.as_ref().expect("a bit has a name").to_string();
        let width = match field.attrs.iter().find(|a| a.path().is_ident("bits")) {
            Some(attribute) => attribute
                .parse_args::<syn::LitInt>()
                .and_then(|n| n.base10_parse())
                .expect("bits(n)"),
            None => 1,
        };
        if name != "__" {
            all.push((name, next, width));
        }
        next += width;
    }
    all
}

fn members(fields: &Fields) -> Vec<(String, Type)> {
    fields
        .iter()
        .map(|f| {
            (
                f.ident
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string),
                f.ty.clone(),
            )
        })
        .collect()
}

fn literal(expression: &Expr) -> Option<i128> {
    match expression {
        Expr::Lit(l) => match &l.lit {
            Lit::Int(n) => n.base10_parse().ok(),
            _ => None,
        },
        Expr::Unary(u) if matches!(u.op, syn::UnOp::Neg(_)) => literal(&u.expr).map(|n| -n),
        Expr::MethodCall(c) if c.method == "cast_signed" => {
            literal(&c.receiver).map(|n| i128::from(u32::try_from(n).expect("u32").cast_signed()))
        }
        Expr::Call(c) if matches!(&*c.func, Expr::Path(p) if p.path.is_ident("Self")) => {
            literal(c.args.first()?)
        }
        _ => None,
    }
}

fn value(expression: &Expr) -> Option<Value> {
    if let Expr::Struct(guid) = expression
        && guid.path.is_ident("GUID")
    {
        let part = |i: usize| literal(&guid.fields[i].expr).expect("a number");
        let Expr::Array(tail) = &guid.fields[3].expr else {
            panic!("Data4 is an array")
        };
        let tail: Vec<String> = tail
            .elems
            .iter()
            .map(|e| format!("{:02X}", literal(e).expect("a number")))
            .collect();
        return Some(Value::Guid(format!(
            "{{{:08X}-{:04X}-{:04X}-{}-{}}}",
            part(0),
            part(1),
            part(2),
            tail[..2].concat(),
            tail[2..].concat()
        )));
    }
    literal(expression).map(Value::Number)
}

impl Source {
    /// Parses every file of `src/`.
    pub(crate) fn read() -> Self {
        let mut source = Self::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for entry in std::fs::read_dir(&folder).expect("src") {
            let path = entry.expect("an entry").path();
            assert!(
                path.is_file(),
                "{}: the tests read one level of modules",
                path.display()
            );
            let text = std::fs::read_to_string(&path).expect("readable source");
            let file = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            file.items.iter().for_each(|item| source.item(item));
        }
        source
    }

    fn define(&mut self, name: &syn::Ident, attributes: &[Attribute], shape: Shape) {
        let old = self.types.insert(
            name.to_string(),
            Definition {
                shape,
                doc: doc(attributes),
            },
        );
        assert!(old.is_none(), "{name} is defined twice");
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Struct(s) if matches!(s.vis, Visibility::Public(_)) => {
                let shape = if s.attrs.iter().any(|a| a.path().is_ident("bitfield")) {
                    Shape::Bits(bits(&s.fields))
                } else if has_repr(&s.attrs, "C") {
                    Shape::Members(members(&s.fields))
                } else if has_repr(&s.attrs, "transparent") {
                    Shape::Newtype
                } else {
                    Shape::Other
                };
                self.define(&s.ident, &s.attrs, shape);
            }
            Item::Union(u) if matches!(u.vis, Visibility::Public(_)) => {
                assert!(has_repr(&u.attrs, "C"), "{} has no C layout", u.ident);
                let fields = Fields::Named(u.fields.clone());
                self.define(&u.ident, &u.attrs, Shape::Members(members(&fields)));
            }
            Item::Enum(e) if matches!(e.vis, Visibility::Public(_)) => {
                self.define(&e.ident, &e.attrs, Shape::Other);
            }
            Item::Type(t) if matches!(t.vis, Visibility::Public(_)) => {
                self.aliases
                    .insert(t.ident.to_string(), ((*t.ty).clone(), doc(&t.attrs)));
            }
            Item::Const(c) if matches!(c.vis, Visibility::Public(_)) => {
                self.constants.push(Constant {
                    name: c.ident.to_string(),
                    value: value(&c.expr),
                });
            }
            Item::Impl(i) if i.trait_.is_none() => {
                for member in &i.items {
                    if let syn::ImplItem::Const(c) = member
                        && matches!(c.vis, Visibility::Public(_))
                    {
                        self.constants.push(Constant {
                            name: c.ident.to_string(),
                            value: value(&c.expr),
                        });
                    }
                }
            }
            _ => {}
        }
    }
}
