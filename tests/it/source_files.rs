//! The files of the library and the program, as rules about them read them.

use std::collections::BTreeMap;
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

/// A module by the names on its way from the root of the crate.
pub type Module = Vec<String>;

/// Returns the modules that are compiled into the crate with that root, with their files and their code.
pub fn modules(root: &str) -> BTreeMap<Module, (PathBuf, String)> {
    let mut found = BTreeMap::new();
    let mut next = vec![(Module::new(), Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(root))];
    while let Some((module, file)) = next.pop() {
        let code = product(&fs::read_to_string(&file).unwrap());
        let is_root = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| file.ends_with(name));
        let dir: PathBuf = if is_root { file.parent().unwrap().into() } else { file.with_extension("") };
        let declared = code.lines().filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';'));
        for name in declared {
            let places = [dir.join(format!("{name}.rs")), dir.join(name).join("mod.rs")];
            let file = places.into_iter().find(|place| place.exists()).unwrap_or_else(|| panic!("no file of {name}"));
            next.push(([module.as_slice(), &[name.to_owned()]].concat(), file));
        }
        found.insert(module, (file, code));
    }
    assert!(found.len() > 50, "{root} has only {} files", found.len());
    found
}

/// Returns the files that are compiled into the library or the program, with their code.
pub fn product_files() -> Vec<(PathBuf, String)> {
    ["lib.rs", "bin/job-manager/main.rs"].into_iter().flat_map(|root| modules(root).into_values()).collect()
}

/// Returns the code of a file that is compiled into the product: without its unit tests, wherever they stand, without
/// comments and literals.
pub fn product(text: &str) -> String {
    let code = without_words(text);
    product_spans(&code).into_iter().map(|(begin, end)| &code[begin..end]).collect()
}

/// Returns the text of a file that is compiled into the product, with its comments and literals.
pub fn product_with_words(text: &str) -> String {
    product_spans(&without_words(text)).into_iter().map(|(begin, end)| &text[begin..end]).collect()
}

/// Returns the beginnings and ends of what lies between unit tests.
fn product_spans(code: &str) -> Vec<(usize, usize)> {
    let (mut begin, mut spans) = (0, Vec::new());
    let marks = ["#[cfg(test", "#[cfg(all(test"];
    while let Some(at) = marks.iter().filter_map(|mark| code[begin..].find(mark)).min() {
        spans.push((begin, begin + at));
        begin = code.len() - after_item(&code[begin + at..]).len();
    }
    spans.push((begin, code.len()));
    spans
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

/// Returns a text with blanks in the place of comments and literals.
fn without_words(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let words = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if c == '"' {
            1 + end_of_literal(&rest[1..], '"')
        } else if !is_word && let Some(length) = raw(rest) {
            length
        } else if c == '\'' && rest[1..].starts_with('\\') {
            1 + end_of_literal(&rest[1..], '\'')
        } else if c == '\'' && rest.chars().nth(2) == Some('\'') {
            rest.chars().take(3).map(char::len_utf8).sum()
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.extend(rest[..words].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        rest = &rest[words..];
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

    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");

    assert_eq!(words(product(text)), "use a::B; fn g() -> &'static str { } const J: (&str, char) = ( , );");
    let with_words = product_with_words(text);
    assert!(with_words.contains("// use c::D;") && with_words.contains(r#""use h::I; \" }""#), "{with_words}");
    assert!(!with_words.contains("reason"), "{with_words}");
}
