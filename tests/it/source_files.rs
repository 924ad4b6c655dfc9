//! The files of the library and the program, as rules about them read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns every file below `src`, with its text.
pub fn sources() -> Vec<(PathBuf, String)> {
    files_below("src")
}

/// Returns every file of Rust below a directory of the project, with its text.
pub fn files_below(dir: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 20, "the files were not found");
    found
}

/// Returns the code of a file that is compiled into the product: without its unit tests, wherever they stand, without
/// comments, and with nothing in its literals.
pub fn product(text: &str) -> String {
    let code = without_words(text);
    let mut kept = String::new();
    let mut rest = code.as_str();
    while let Some(at) = ["#[cfg(test", "#[cfg(all(test"].iter().filter_map(|mark| rest.find(mark)).min() {
        kept.push_str(&rest[..at]);
        rest = after_item(&rest[at..]);
    }
    kept + rest
}

/// Returns what follows an item, its attributes included.
fn after_item(code: &str) -> &str {
    let mut rest = code;
    while rest.starts_with("#[") {
        let mut depth = 0;
        let end = rest.find(|c| {
            depth += i32::from(c == '[') - i32::from(c == ']');
            c == ']' && depth == 0
        });
        rest = rest[end.expect("an attribute ends") + 1..].trim_start();
    }
    let mut depth = 0;
    let end = rest.find(|c| {
        depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
        depth == 0 && (c == ';' || c == '}')
    });
    &rest[end.expect("an item ends") + 1..]
}

/// Returns a text in which comments, and what stands in literals, are gone.
fn without_words(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if c == '"' {
            code.push_str("\"\"");
            1 + end_of_literal(&rest[1..], '"')
        } else if !is_word && let Some(length) = raw(rest) {
            code.push_str("\"\"");
            length
        } else if c == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            let first = rest[1..].chars().next().map_or(0, char::len_utf8);
            1 + if rest[1..].starts_with('\\') { end_of_literal(&rest[1..], '\'') } else { first + 1 }
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[taken..];
    }
    code
}

/// Returns where a literal ends that has begun, behind its last mark.
fn end_of_literal(rest: &str, mark: char) -> usize {
    let mut escaped = false;
    let end = rest.find(|c| {
        let ends = !escaped && c == mark;
        escaped = !escaped && c == '\\';
        ends
    });
    end.map_or(rest.len(), |end| end + 1)
}

/// Returns the length of a raw literal, if one begins here.
fn raw(rest: &str) -> Option<usize> {
    let marked = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let marks = marked.find(|c| c != '#')?;
    let begin = rest.len() - marked.len() + marks;
    rest[begin..].starts_with('"').then_some(())?;
    let end = format!("\"{}", "#".repeat(marks));
    Some(begin + 1 + rest[begin + 1..].find(&end)? + end.len())
}

#[test]
fn unit_tests_comments_and_literals_are_no_product() {
    let text = r##"
use a::B; // use c::D;
#[cfg(test)]
use e::F;
#[cfg(all(test, feature = "x"))]
#[expect(dead_code, reason = "]")]
mod tests { fn f<'a>(_: &'a str) -> char { '{' } }
fn g() -> &'static str { "use h::I; \" }" }
#[cfg(test)]
mod more;
const J: (&str, char) = (br#"" { k::L"#, '\'');
"##;

    let product = product(text);

    let words: Vec<&str> = product.split_whitespace().collect();
    assert_eq!(words.join(" "), "use a::B; fn g() -> &'static str { \"\" } const J: (&str, char) = (\"\", );",);
}
