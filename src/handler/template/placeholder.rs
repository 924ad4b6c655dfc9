//! A placeholder and where it gets its value.

use std::borrow::Cow;

use super::path::is_without_name;
use super::reading::{Format, PathPart, Reading, Subject, readings};
use super::values::{Members, text_of};
use super::{TemplateError, UnitValues};
use crate::model::{RawText, Seq};

/// A placeholder: the meanings that its text can have, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placeholder {
    /// With its braces.
    written: String,
    /// None of a brace that begins no placeholder.
    readings: Vec<Reading>,
    pub is_whole_argument: bool,
    pub is_whole_in_script: bool,
}

/// For which attempt a value is, and as what.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub slot: usize,
    pub seq: Seq,
    pub word: Word,
}

/// What a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// A text that no program takes for an option, such as the value of a variable.
    Text,
    Argument,
    Script,
    Path,
}

impl Placeholder {
    /// Returns the placeholder that is written `{name}`.
    pub fn named(name: &str) -> Option<Self> {
        let readings = readings(name);
        (!readings.is_empty()).then(|| Self::new(format!("{{{name}}}"), readings))
    }

    /// Returns what stands for a brace that begins no placeholder; `excerpt` is the brace and what follows.
    pub fn stray(excerpt: String) -> Self {
        Self::new(excerpt, Vec::new())
    }

    fn new(written: String, readings: Vec<Reading>) -> Self {
        Self { written, readings, is_whole_argument: false, is_whole_in_script: false }
    }

    /// Takes `{out}`, its parts and its forms for our own, and not for a name of the data.
    pub fn claim_out(&mut self) {
        let is_out = |reading: &Reading| matches!(&reading.subject, Subject::Field(name) if name == "out");
        if let Some(reading) = self.readings.iter().find(|reading| is_out(reading)) {
            self.readings = vec![Reading { subject: Subject::Out, ..reading.clone() }];
        }
    }

    pub fn is_out(&self) -> bool {
        self.readings.iter().any(|reading| reading.subject == Subject::Out)
    }

    pub fn written(&self) -> &str {
        &self.written
    }

    pub fn is_stray(&self) -> bool {
        self.readings.is_empty()
    }

    pub fn depends_on_payload(&self) -> bool {
        !self.readings.iter().any(|reading| matches!(reading.subject, Subject::Seq | Subject::Slot | Subject::Out))
    }

    /// Returns `true` if the value is known only when the unit runs.
    pub fn needs_slot(&self) -> bool {
        self.readings.iter().any(|reading| matches!(reading.subject, Subject::Slot))
    }

    /// Returns the number of digits to which its value is padded.
    pub fn width(&self) -> usize {
        let widths =
            self.readings.iter().map(|reading| if let Format::Padded(width) = reading.format { width } else { 0 });
        widths.max().unwrap_or(0)
    }

    /// Returns `true` if the placeholder stands for an item, or for a part of it as a path.
    pub fn is_of_item(&self) -> bool {
        self.readings.iter().any(|reading| reading.subject == Subject::Item)
    }

    /// Returns `true` if the placeholder means something for these values, whatever its value is.
    pub fn is_known(&self, values: &UnitValues<'_>) -> bool {
        let is_known_of_each =
            |members: &Members<'_>| !members.items.is_empty() && members.items.iter().all(|item| self.is_known(item));
        self.has_default(values)
            || self.readings.iter().any(|reading| !matches!(find(reading, values), Ok(None)))
            || values.members().is_some_and(is_known_of_each)
    }

    /// Returns the value for one unit, unquoted and free of NUL.
    pub fn value<'v>(&'v self, values: &'v UnitValues<'_>, at: At) -> Result<Cow<'v, [u8]>, TemplateError> {
        let value = self.read(values, at)?;
        if value.contains(&0) {
            return Err(TemplateError::NulInValue { placeholder: self.written.clone() });
        }
        Ok(value)
    }

    fn read<'v>(&'v self, values: &'v UnitValues<'_>, at: At) -> Result<Cow<'v, [u8]>, TemplateError> {
        for reading in &self.readings {
            let default = match &reading.format {
                Format::Default(text) => Some(Cow::Borrowed(text.as_bytes())),
                _ => None,
            };
            if reading.subject == Subject::Item && values.members().is_some() {
                return Err(TemplateError::SeveralInWord { placeholder: self.written.clone() });
            }
            let found = match find(reading, values)? {
                None => continue,
                Some(Found::Out) => {
                    let path = values.out().map_or(Cow::Borrowed(self.written.as_bytes()), Cow::Borrowed);
                    return self.finish(reading, "", path, default, at);
                }
                Some(Found::Number(Subject::Slot)) => at.slot as i64 + 1,
                Some(Found::Number(_)) => at.seq.0,
                Some(Found::Value(json)) if reading.format == Format::Json && reading.part == PathPart::Whole => {
                    return Ok(Cow::Borrowed(json.as_bytes()));
                }
                Some(Found::Value(json)) => {
                    let text = text_of(json).map_err(|source| self.not_text(source))?;
                    return match (text, default) {
                        (None, None) => Err(TemplateError::Absent { placeholder: self.written.clone() }),
                        (None, Some(default)) => Ok(default),
                        (Some(text), Some(default)) if text.is_empty() => Ok(default),
                        (Some(text), default) => self.finish(reading, json, text, default, at),
                    };
                }
            };
            return self.padded(reading, Cow::Owned(found.to_string().into_bytes()));
        }
        match self.readings.iter().find_map(|reading| reading.default()).filter(|_| self.has_default(values)) {
            Some(default) => Ok(Cow::Borrowed(default.as_bytes())),
            None => Err(TemplateError::Unknown { placeholder: self.written.clone() }),
        }
    }

    /// Returns `true` if a field that this payload lacks has a default; a plain item has no fields that it could lack.
    fn has_default(&self, values: &UnitValues<'_>) -> bool {
        (!values.is_plain() || values.is_null()) && self.readings.iter().any(|reading| reading.default().is_some())
    }

    /// Takes the part of a text that is wanted, in the form that is wanted.
    fn finish<'v>(
        &'v self,
        reading: &Reading,
        json: &str,
        text: Cow<'v, [u8]>,
        default: Option<Cow<'v, [u8]>>,
        at: At,
    ) -> Result<Cow<'v, [u8]>, TemplateError> {
        if reading.part != PathPart::Whole && matches!(json.as_bytes(), [b'{' | b'[', ..]) && text == json.as_bytes() {
            return Err(TemplateError::PathOfObject { placeholder: self.written.clone() });
        }
        let is_empty_item = text.is_empty();
        // An item such as `./-x` is no option, and its name must not become one.
        let is_option = text.starts_with(b"-");
        let is_name = matches!(reading.part, PathPart::Basename | PathPart::Stem);
        let is_nameless = is_name && is_without_name(&text);
        let value = cut(text, reading.part);
        let is_whole = match at.word {
            Word::Text | Word::Argument => self.is_whole_argument,
            Word::Script => self.is_whole_in_script,
            Word::Path => false,
        };
        match default {
            Some(default) if value.is_empty() || (is_nameless && !is_whole) => Ok(default),
            _ if reading.format == Format::Json => Ok(Cow::Owned(RawText::json_of(&value).into_bytes())),
            _ if (value.is_empty() || is_empty_item) && !is_whole => {
                let placeholder = self.written.clone();
                match at.word {
                    Word::Path => Err(TemplateError::EmptyInPath { placeholder }),
                    _ => Err(TemplateError::EmptyInWord { placeholder, with_default: self.with_default() }),
                }
            }
            _ if is_nameless && !is_whole => Err(TemplateError::NoNameInWord {
                placeholder: self.written.clone(),
                value: String::from_utf8_lossy(&value).into_owned(),
            }),
            _ if value.starts_with(b"-") && !is_option && is_name && is_whole && at.word != Word::Text => {
                Ok(Cow::Owned([b"./", &*value].concat()))
            }
            _ => self.padded(reading, value),
        }
    }

    fn padded<'v>(&self, reading: &Reading, value: Cow<'v, [u8]>) -> Result<Cow<'v, [u8]>, TemplateError> {
        let Format::Padded(width) = reading.format else { return Ok(value) };
        let (sign, digits) = value.strip_prefix(b"-").map_or(("", &*value), |digits| ("-", digits));
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            let value = String::from_utf8_lossy(&value).into_owned();
            return Err(TemplateError::NotANumber { placeholder: self.written.clone(), value });
        }
        let zeros = width.saturating_sub(value.len());
        Ok(Cow::Owned([sign.as_bytes(), &b"0".repeat(zeros), digits].concat()))
    }

    /// Returns the placeholder as it is written with an empty default.
    fn with_default(&self) -> String {
        let name = &self.written[1..self.written.len() - 1];
        format!("{{{name}:-}}")
    }

    fn not_text(&self, source: serde_json::Error) -> TemplateError {
        TemplateError::NotText { placeholder: self.written.clone(), source }
    }
}

impl Reading {
    fn default(&self) -> Option<&str> {
        match &self.format {
            Format::Default(text) => Some(text),
            _ => None,
        }
    }
}

/// Where a value is.
enum Found<'v> {
    /// A number of the attempt.
    Number(&'v Subject),
    /// The path that the attempt makes.
    Out,
    /// The JSON text of a value.
    Value(&'v str),
}

fn find<'v>(reading: &'v Reading, values: &'v UnitValues<'_>) -> Result<Option<Found<'v>>, TemplateError> {
    let value = match &reading.subject {
        Subject::Item => Some(values.json()),
        number @ (Subject::Seq | Subject::Slot) => return Ok(Some(Found::Number(number))),
        Subject::Out => return Ok(Some(Found::Out)),
        Subject::Field(path) => values.find(path)?,
        Subject::Quoted(name, path) => values.find_below(name, path)?,
    };
    Ok(value.map(Found::Value))
}

fn cut(text: Cow<'_, [u8]>, part: PathPart) -> Cow<'_, [u8]> {
    match (part, text) {
        (PathPart::Whole, text) => text,
        // Case means nothing in it.
        (part @ PathPart::Host, text) => Cow::Owned(part.of(&text).to_ascii_lowercase()),
        (part, Cow::Borrowed(text)) => Cow::Borrowed(part.of(text)),
        (part, Cow::Owned(text)) => Cow::Owned(part.of(&text).to_owned()),
    }
}
