//! Finding annotated functions in a source file.
//!
//! The file is read as tokens and not as Rust's grammar, because tests also stand inside macros
//! such as `proptest!`, whose content only looks like items.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// A function that says what it watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotated {
    /// Modules, or the type of an `impl`, and the function's name.
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    pub(crate) is_test: bool,
    pub(crate) clauses: Vec<String>,
    pub(crate) regressions: Vec<String>,
}

/// What there is in a file.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) annotated: Vec<Annotated>,
    /// How often each word that is no literal or comment occurs.
    pub(crate) words: BTreeMap<String, usize>,
}

/// Reads a source file.
pub(crate) fn scan(text: &str) -> Result<Scan> {
    let stream: TokenStream = text
        .parse()
        .map_err(|error| anyhow::anyhow!("not Rust: {error}"))?;
    let mut scanner = Scanner::default();
    scanner.walk(stream)?;
    Ok(scanner.scan)
}

/// What stands in front of an item.
#[derive(Debug, Default)]
struct Pending {
    line: usize,
    is_test: bool,
    is_ignored: bool,
    clauses: Vec<String>,
    regressions: Vec<String>,
}

impl Pending {
    fn annotates(&self) -> bool {
        !self.clauses.is_empty() || !self.regressions.is_empty()
    }
}

#[derive(Debug, Default)]
struct Scanner {
    scan: Scan,
    path: Vec<String>,
}

impl Scanner {
    fn walk(&mut self, stream: TokenStream) -> Result<()> {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut pending = Pending::default();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at + 1..];
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(TokenTree::Group(group)) = rest.first()
                        && group.delimiter() == Delimiter::Bracket
                    {
                        attribute(group, &mut pending)?;
                        at += 1;
                    }
                }
                TokenTree::Ident(word) => {
                    self.word(word);
                    at += self.item(word, &tokens[..at - 1], rest, &mut pending)?;
                }
                TokenTree::Group(group) => {
                    let visibility = group.delimiter() == Delimiter::Parenthesis
                        && ends_with(&tokens[..at - 1], "pub");
                    if !visibility {
                        end_of(&mut pending)?;
                    }
                    self.walk(group.stream())?;
                }
                // The name in `extern "C"`.
                TokenTree::Literal(_) if ends_with(&tokens[..at - 1], "extern") => {}
                TokenTree::Punct(_) | TokenTree::Literal(_) => end_of(&mut pending)?,
            }
        }
        end_of(&mut pending)
    }

    fn word(&mut self, word: &Ident) {
        *self.scan.words.entry(word.to_string()).or_default() += 1;
    }

    /// Handles a word and what belongs to it; the result is how many tokens behind it.
    fn item(
        &mut self,
        word: &Ident,
        before: &[TokenTree],
        rest: &[TokenTree],
        pending: &mut Pending,
    ) -> Result<usize> {
        const QUALIFIERS: [&str; 6] = ["pub", "async", "const", "unsafe", "extern", "default"];
        if word == "fn"
            && let Some(TokenTree::Ident(name)) = rest.first()
        {
            self.word(name);
            self.function(name, std::mem::take(pending))?;
            return Ok(1);
        }
        if QUALIFIERS.iter().any(|qualifier| word == qualifier) {
            return Ok(0);
        }
        end_of(pending)?;
        if word == "mod"
            && let [TokenTree::Ident(name), TokenTree::Group(body), ..] = rest
        {
            self.inside(name.to_string(), body)?;
            return Ok(2);
        }
        if word == "impl" && begins_item(before) {
            let is_body = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            if let Some(length) = rest.iter().position(is_body)
                && let Some(name) = implementor(&rest[..length])
                && let TokenTree::Group(body) = &rest[length]
            {
                self.inside(name, body)?;
                return Ok(length + 1);
            }
        }
        Ok(0)
    }

    fn inside(&mut self, name: String, body: &Group) -> Result<()> {
        self.path.push(name);
        self.walk(body.stream())?;
        self.path.pop();
        Ok(())
    }

    fn function(&mut self, name: &Ident, pending: Pending) -> Result<()> {
        if !pending.annotates() {
            return Ok(());
        }
        let Pending {
            line,
            is_test,
            is_ignored,
            clauses,
            regressions,
        } = pending;
        ensure!(
            !is_ignored,
            "line {line}: {name} is ignored and watches nothing"
        );
        let mut path = self.path.clone();
        path.push(name.to_string());
        self.scan.annotated.push(Annotated {
            path,
            line,
            is_test,
            clauses,
            regressions,
        });
        Ok(())
    }
}

/// What stood in front belongs to something that is no function.
fn end_of(pending: &mut Pending) -> Result<()> {
    let before = std::mem::take(pending);
    ensure!(
        !before.annotates(),
        "line {}: an annotation that is not on a function",
        before.line
    );
    Ok(())
}

fn ends_with(tokens: &[TokenTree], word: &str) -> bool {
    matches!(tokens.last(), Some(TokenTree::Ident(last)) if last == word)
}

fn begins_item(before: &[TokenTree]) -> bool {
    match before.last() {
        None | Some(TokenTree::Group(_)) => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == ';',
        Some(TokenTree::Ident(word)) => word == "unsafe",
        Some(TokenTree::Literal(_)) => false,
    }
}

/// The name of the type in the head of an `impl`.
fn implementor(head: &[TokenTree]) -> Option<String> {
    let mut name = None;
    let mut depth = 0_usize;
    for token in head {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth = depth.saturating_sub(1),
            TokenTree::Ident(word) if depth == 0 && word == "where" => break,
            TokenTree::Ident(word) if depth == 0 && word != "for" => name = Some(word.to_string()),
            _ => {}
        }
    }
    name
}

fn attribute(group: &Group, pending: &mut Pending) -> Result<()> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    if let [
        TokenTree::Ident(doc),
        TokenTree::Punct(_),
        TokenTree::Literal(text),
    ] = &tokens[..]
        && doc == "doc"
    {
        let line = text.span().start().line;
        return documentation(&text.to_string(), line, pending)
            .with_context(|| format!("line {line}"));
    }
    pending.is_test |= ends_with(&tokens, "test");
    pending.is_ignored |=
        matches!(tokens.first(), Some(TokenTree::Ident(word)) if word == "ignore");
    Ok(())
}

/// Takes a line of documentation, as the literal that the compiler makes of it.
fn documentation(literal: &str, line: usize, pending: &mut Pending) -> Result<()> {
    let text = literal
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(literal)
        .trim();
    let Some((word, list)) = text.split_once(':') else {
        return Ok(());
    };
    let into = match word {
        "contract" => &mut pending.clauses,
        "regression" => &mut pending.regressions,
        _ => return Ok(()),
    };
    for id in list.split(',').map(str::trim) {
        if !is_id(id) {
            bail!("{id:?} is no id: `{word}: ABC-001, ABC-002` names what is watched");
        }
        into.push(id.to_owned());
    }
    pending.line = line;
    Ok(())
}

fn is_id(text: &str) -> bool {
    let Some((letters, number)) = text.split_once('-') else {
        return false;
    };
    !letters.is_empty()
        && letters.bytes().all(|byte| byte.is_ascii_uppercase())
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<(String, bool)> {
        let found = scan(text).unwrap().annotated;
        let path = |one: &Annotated| (one.path.join("::"), one.is_test);
        found.iter().map(path).collect()
    }

    #[test]
    fn a_test_is_found_with_its_ids() {
        let text = "/// What it does.\n///\n/// contract: DBC-001, VICR-002\n/// regression: DB-01\n\
                    #[test]\nfn works() {}\n/// Other.\n#[test]\nfn silent() {}";
        let found = scan(text).unwrap().annotated;
        assert_eq!(
            found,
            [Annotated {
                path: vec!["works".into()],
                line: 4,
                is_test: true,
                clauses: vec!["DBC-001".into(), "VICR-002".into()],
                regressions: vec!["DB-01".into()],
            }]
        );
    }

    #[test]
    fn modules_types_and_macros_are_entered() {
        let text = "mod tests { proptest! { #![config(c())]\n/// contract: A-1\n#[test]\n\
                    fn random(x in 0..3) {} } }\n\
                    impl<'a> Drop for Use<'a> where X: Y {\n/// contract: A-2\n\
                    pub(super) unsafe extern \"C\" fn drop(&mut self) {} }\n\
                    fn f() -> impl Sized { mod inner {\n/// contract: A-3\nfn deep() {} } }";
        let expected = [
            ("tests::random", true),
            ("Use::drop", false),
            ("inner::deep", false),
        ];
        let found = paths(text);
        assert_eq!(found, expected.map(|(path, test)| (path.to_owned(), test)));
    }

    #[test]
    fn a_string_is_no_annotation() {
        let text = "const T: &str = \"\n/// contract: A-1\n#[test]\nfn x() {}\n\";";
        assert!(paths(text).is_empty());
    }

    #[test]
    fn an_annotation_elsewhere_is_refused_with_its_line() {
        for item in ["struct S;", "mod m {}", "let x = 1;", "use a::b;", ""] {
            let error = scan(&format!("\n/// contract: A-1\n{item}")).map(drop);
            assert!(
                error.unwrap_err().to_string().contains("line 2"),
                "{item:?}"
            );
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for list in ["", "A-1,", "a-1", "A1", "A-1 B-2", "-1", "A-"] {
            let text = format!("/// contract: {list}\n#[test]\nfn x() {{}}");
            let error = format!("{:#}", scan(&text).map(drop).unwrap_err());
            assert!(error.contains("is no id"), "{list:?}: {error}");
        }
    }

    #[test]
    fn words_are_counted_outside_of_strings_and_comments() {
        let words = scan("fn a() { a(); b(\"a\"); } // a").unwrap().words;
        assert_eq!((words["a"], words["b"]), (2, 1));
    }

    #[test]
    fn an_ignored_test_watches_nothing() {
        for ignore in ["#[ignore]", "#[ignore = \"slow\"]"] {
            let text = format!("/// contract: A-1\n#[test]\n{ignore}\nfn x() {{}}");
            let error = scan(&text).map(drop).unwrap_err().to_string();
            assert!(error.contains("x is ignored"), "{error}");
        }
        scan("#[test]\n#[ignore]\nfn x() {}").unwrap();
    }

    #[test]
    fn attributes_that_end_in_test_make_a_test() {
        let one = |attribute: &str| paths(&format!("/// contract: A-1\n{attribute}\nfn x() {{}}"));
        for attribute in ["#[test]", "#[loom::test]"] {
            assert!(one(attribute)[0].1, "{attribute}");
        }
        for attribute in ["#[cfg(test)]", "#[must_use]"] {
            assert!(!one(attribute)[0].1, "{attribute}");
        }
    }
}
