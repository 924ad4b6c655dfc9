//! What the text between two braces can mean.
//!
//! Our own placeholders win over names of the data. Of other texts the whole is tried as a name first, then as a name
//! with a part of a path after it (`{file/.}`, `{file.ext}`), then with a format: `{b:-x}` is a default for a value
//! that is absent or empty, `{q:json}` a JSON document, `{#:05}` a number with zeros in front. A name in quotes, such
//! as `{"#"}`, is always a name.

use super::{path, url};

/// One meaning of a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub subject: Subject,
    pub part: PathPart,
    pub format: Format,
}

/// What a value is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Item,
    Seq,
    Slot,
    /// The path at which an attempt makes what its unit is to make.
    Out,
    /// A name, or a path of names.
    Field(String),
    /// A name in quotes, and the path after it.
    Quoted(String, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathPart {
    Whole,
    WithoutExtension,
    Basename,
    Dirname,
    Stem,
    Extension,
    /// The host of a URL, in lower case.
    Host,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    Plain,
    /// In place of a value that is absent, null or empty.
    Default(String),
    Json,
    /// At least so many digits.
    Padded(usize),
}

/// Parts of paths by what is written after a name, longer ones first.
const SUFFIXES: [(&str, PathPart); 6] = [
    ("//", PathPart::Dirname),
    ("/.", PathPart::Stem),
    ("/host", PathPart::Host),
    (".ext", PathPart::Extension),
    ("/", PathPart::Basename),
    (".", PathPart::WithoutExtension),
];
/// More zeros than this are a slip.
const MAX_DIGITS: usize = 100;

/// Returns the meanings of a text between braces in the order in which they are tried; none when it has no meaning.
pub(super) fn readings(text: &str) -> Vec<Reading> {
    if text.starts_with('"') {
        return quoted(text).into_iter().collect();
    }
    let mut readings = of_base(text, &Format::Plain);
    // The first that can be one: a default may hold anything.
    let formatted = text.match_indices(':').find_map(|(at, _)| Some((&text[..at], format(&text[at + 1..])?)));
    if let Some((base, format)) = formatted {
        readings.extend(of_base(base, &format));
    }
    readings
}

fn of_base(base: &str, format: &Format) -> Vec<Reading> {
    let reading = |subject, part| Reading { subject, part, format: format.clone() };
    if let Some((subject, part)) = own(base) {
        return vec![reading(subject, part)];
    }
    let mut readings = vec![reading(Subject::Field(base.to_owned()), PathPart::Whole)];
    if base == "ext" {
        readings.push(reading(Subject::Item, PathPart::Extension));
    }
    if base == "/host" {
        readings.push(reading(Subject::Item, PathPart::Host));
    }
    for (suffix, part) in SUFFIXES {
        if let Some(name) = base.strip_suffix(suffix).filter(|name| !name.is_empty()) {
            readings.push(reading(Subject::Field(name.to_owned()), part));
        }
    }
    readings
}

fn own(text: &str) -> Option<(Subject, PathPart)> {
    Some(match text {
        "" => (Subject::Item, PathPart::Whole),
        "." => (Subject::Item, PathPart::WithoutExtension),
        "/" => (Subject::Item, PathPart::Basename),
        "//" => (Subject::Item, PathPart::Dirname),
        "/." => (Subject::Item, PathPart::Stem),
        "#" => (Subject::Seq, PathPart::Whole),
        "%" => (Subject::Slot, PathPart::Whole),
        _ => return None,
    })
}

fn format(text: &str) -> Option<Format> {
    if let Some(default) = text.strip_prefix('-') {
        return Some(Format::Default(default.to_owned()));
    }
    if text == "json" {
        return Some(Format::Json);
    }
    let digits = text.strip_prefix('0').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().filter(|digits| (1..=MAX_DIGITS).contains(digits)).map(Format::Padded)
}

/// Reads a name in quotes, in which a backslash takes the next character as it is, and what stands after it.
fn quoted(text: &str) -> Option<Reading> {
    let mut name = String::new();
    let mut characters = text.char_indices().skip(1);
    let tail = loop {
        match characters.next()? {
            (_, '\\') => name.push(characters.next()?.1),
            (at, '"') => break &text[at + 1..],
            (_, other) => name.push(other),
        }
    };
    let (tail, format) = match tail.match_indices(':').find_map(|(at, _)| Some((at, format(&tail[at + 1..])?))) {
        Some((at, format)) => (&tail[..at], format),
        None => (tail, Format::Plain),
    };
    let suffix = SUFFIXES.into_iter().find_map(|(suffix, part)| Some((tail.strip_suffix(suffix)?, part)));
    let (path, part) = suffix.unwrap_or((tail, PathPart::Whole));
    let path = if path.is_empty() { path } else { path.strip_prefix('.').filter(|path| !path.is_empty())? };
    Some(Reading { subject: Subject::Quoted(name, path.to_owned()), part, format })
}

impl PathPart {
    /// Returns this part of a path, or of a URL as it is written.
    pub fn of(self, path: &[u8]) -> &[u8] {
        match self {
            Self::Host => url::host(path),
            Self::Whole => path,
            Self::WithoutExtension => path::without_extension(path),
            Self::Basename => path::basename(path),
            Self::Dirname => path::dirname(path),
            Self::Stem => path::stem(path),
            Self::Extension => path::extension(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_before_parts_and_formats() {
        let field =
            |name: &str, part| Reading { subject: Subject::Field(name.to_owned()), part, format: Format::Plain };
        assert_eq!(readings("File Name"), [field("File Name", PathPart::Whole)]);
        assert_eq!(
            readings("a/."),
            [field("a/.", PathPart::Whole), field("a", PathPart::Stem), field("a/", PathPart::WithoutExtension),]
        );
        assert_eq!(readings("u:-http://x").last().unwrap().format, Format::Default("http://x".to_owned()));
        assert_eq!(readings("dc:title"), [field("dc:title", PathPart::Whole)]);
    }

    #[test]
    fn our_own_placeholders_have_one_meaning_and_formats() {
        for name in ["", ".", "/", "//", "/.", "#", "%"] {
            assert_eq!(readings(name).len(), 1, "{name}");
        }
        assert_eq!(readings("#:05").last().unwrap().format, Format::Padded(5));
        assert_eq!(readings(":-x").last().unwrap().subject, Subject::Item);
        assert_eq!(readings("#:0").len(), 1);
    }

    #[test]
    fn a_name_in_quotes_is_always_a_name() {
        let subject = |text| readings(text).into_iter().next().map(|reading| reading.subject);
        let quoted = |name: &str, path: &str| Some(Subject::Quoted(name.to_owned(), path.to_owned()));

        assert_eq!(subject(r##""#""##), quoted("#", ""));
        assert_eq!(subject(r#""a}\"b".c.0/."#), quoted("a}\"b", "c.0"));
        assert_eq!(subject(r#""""#), quoted("", ""));
        for text in [r#"""#, r#""a":1"#, r#""a" "#, r#""a"b"#, r#""a\"#] {
            assert_eq!(readings(text), [], "{text}");
        }
    }
}
