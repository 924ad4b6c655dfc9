//! The values that one payload offers.

use std::borrow::Cow;
use std::num::NonZeroU32;

use serde_json::value::RawValue;

use super::record::{Record, Text, descend};
use super::{ItemForm, TemplateError};
use crate::model::RawText;

/// Names of fields in one message; more of them help nobody.
const MAX_NAMES: usize = 20;

/// A payload, read once per attempt; a plain string without escapes is borrowed.
///
/// A string is the item itself, and so are the bytes of an object that stands for text that is not UTF-8; of everything
/// else the item is its JSON text as given. The same holds for fields of an object, so that numbers keep all their
/// digits.
#[derive(Debug)]
pub struct UnitValues<'a> {
    json: &'a str,
    item: Item<'a>,
    /// What the payload is made of when `{}` stands for more than one text.
    members: Option<Box<Members<'a>>>,
    /// The path at which the attempt makes what its unit is to make, once there is one.
    out: Option<Vec<u8>>,
}

#[derive(Debug)]
enum Item<'a> {
    Null,
    Text(Cow<'a, [u8]>),
    /// A number or a word such as `true`.
    Scalar,
    Array(Vec<&'a RawValue>),
    Record(Record<'a>),
}

/// What the payload of a unit of several texts is made of.
#[derive(Debug)]
pub(super) struct Members<'a> {
    /// The items of the unit; none when it has a single one, whose parts are elements of the payload.
    pub items: Vec<UnitValues<'a>>,
    /// What `{}` stands for, one after the other; none when these are the items.
    parts: Vec<UnitValues<'a>>,
    pub is_combination: bool,
    /// Whether so many items were asked for, and not as many as fit.
    pub is_counted: bool,
    /// How many items a unit has at most; the last one may have fewer.
    pub at_most: Option<NonZeroU32>,
}

impl<'a> Members<'a> {
    /// Reads the elements of a payload.
    ///
    /// # Errors
    /// When it is not an array where one is expected, or an empty one.
    pub fn of(payload: &UnitValues<'a>, form: ItemForm) -> Result<Members<'a>, TemplateError> {
        let elements = payload.elements()?;
        let (items, parts) = match (form.several, form.is_combination) {
            (None, _) => (Vec::new(), elements),
            (Some(_), false) => (elements, Vec::new()),
            (Some(_), true) => {
                let parts = elements.iter().map(UnitValues::elements).collect::<Result<Vec<_>, _>>()?;
                (elements, parts.into_iter().flatten().collect())
            }
        };
        let is_counted = form.several.is_none_or(|several| !several.as_fit);
        let at_most = form.several.and_then(|several| several.at_most);
        Ok(Members { items, parts, is_combination: form.is_combination, is_counted, at_most })
    }

    /// Returns the number of items if that item is missing and other units of the job have it.
    pub fn number_without(&self, position: usize) -> Option<usize> {
        let most = self.at_most.and_then(|most| usize::try_from(most.get()).ok())?;
        let number = self.items.len();
        (self.is_counted && !self.is_combination && number < position && position <= most).then_some(number)
    }

    /// Returns what `{}` stands for, one after the other.
    pub fn texts(&self) -> &[UnitValues<'a>] {
        if self.is_combination { &self.parts } else { &self.items }
    }
}

impl<'a> UnitValues<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// When it is not one JSON document.
    pub fn parse(payload: &'a str) -> Result<UnitValues<'a>, TemplateError> {
        // Not `str::trim`, which also takes away what JSON does not allow.
        let json = payload.trim_matches([' ', '\t', '\r', '\n']);
        Ok(UnitValues { json, item: Item::parse(json).map_err(TemplateError::Payload)?, members: None, out: None })
    }

    /// Reads a payload that holds its items in some form.
    ///
    /// # Errors
    /// When it is not one JSON document of that form.
    pub fn parse_as(payload: &'a str, form: ItemForm) -> Result<UnitValues<'a>, TemplateError> {
        let mut values = UnitValues::parse(payload)?;
        if !form.is_one_item() {
            values.members = Some(Box::new(Members::of(&values, form)?));
        }
        Ok(values)
    }

    /// Says at which path the attempt makes what its unit is to make.
    pub fn set_out(&mut self, path: &[u8]) {
        self.out = Some(path.to_owned());
        let members = self.members.iter_mut();
        members.flat_map(|all| all.items.iter_mut().chain(&mut all.parts)).for_each(|one| one.set_out(path));
    }

    /// Returns the path at which the attempt makes what its unit is to make, where there is an attempt.
    pub(super) fn out(&self) -> Option<&[u8]> {
        self.out.as_deref()
    }

    /// Returns what the payload is made of when `{}` stands for more than one text.
    pub(super) fn members(&self) -> Option<&Members<'a>> {
        self.members.as_deref()
    }

    /// Returns the number of a unit's items if it has fewer than that, and others of its job have as many.
    pub fn number_without(&self, placeholder: &str) -> Option<usize> {
        let position = position(placeholder.trim_matches(['{', '}']))?;
        self.members()?.number_without(position)
    }

    /// Returns the elements of a payload that has to be an array of some.
    pub(super) fn elements(&self) -> Result<Vec<UnitValues<'a>>, TemplateError> {
        match &self.item {
            Item::Array(elements) if !elements.is_empty() => {
                elements.iter().map(|element| UnitValues::parse(element.get())).collect()
            }
            _ => Err(TemplateError::NotAnArray),
        }
    }

    /// Returns what a program reads that is given the item on its standard input: the item itself, of several items or parts
    /// one on each line.
    ///
    /// # Errors
    /// When one of several would be more than a line.
    pub fn input(&self) -> Result<Cow<'_, [u8]>, TemplateError> {
        let Some(members) = &self.members else { return Ok(Cow::Borrowed(self.item())) };
        let mut lines = Vec::new();
        for text in members.texts() {
            if text.item().contains(&b'\n') {
                return Err(TemplateError::LineBreak);
            }
            lines.extend_from_slice(text.item());
            lines.push(b'\n');
        }
        Ok(Cow::Owned(lines))
    }

    /// Returns the payload as it is written.
    pub(super) fn json(&self) -> &str {
        self.json
    }

    /// Returns what the item is to a program that reads it: a text itself, of everything else its JSON text, and nothing
    /// of null.
    pub fn item(&self) -> &[u8] {
        match &self.item {
            Item::Null => b"",
            Item::Text(text) => text,
            Item::Scalar | Item::Array(_) | Item::Record(_) => self.json.as_bytes(),
        }
    }

    /// Returns `true` if there is no item.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.item, Item::Null)
    }

    /// Returns `true` if the payload is one value, without fields or parts.
    pub(super) fn is_plain(&self) -> bool {
        !matches!(self.item, Item::Array(_) | Item::Record(_))
    }

    /// Returns the value of a field by its name or path, or by its position, counted from 1.
    pub(super) fn find(&self, path: &str) -> Result<Option<&'a str>, TemplateError> {
        let found = match &self.item {
            Item::Record(record) => record.find(path)?,
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let Some(value) = position(first).and_then(|position| self.positioned(position)) else { return Ok(None) };
        match rest {
            Some(rest) => descend(value, rest),
            None => Ok(Some(value)),
        }
    }

    /// Returns the value at a path after the field of exactly that name.
    pub(super) fn find_below(&self, name: &str, path: &str) -> Result<Option<&'a str>, TemplateError> {
        let Item::Record(record) = &self.item else { return Ok(None) };
        match record.named(name)? {
            Some(value) if !path.is_empty() => descend(value, path),
            value => Ok(value),
        }
    }

    fn positioned(&self, position: usize) -> Option<&'a str> {
        match &self.item {
            Item::Record(record) => record.positioned(position),
            Item::Array(elements) => Some(elements.get(position.checked_sub(1)?)?.get()),
            // An item of one list is its only part.
            Item::Text(_) | Item::Scalar if position == 1 => Some(self.json),
            _ => None,
        }
    }

    /// Returns the names that a record has; `None` for other payloads.
    pub fn names(&self) -> Option<Vec<&str>> {
        match &self.item {
            Item::Record(record) => Some(record.names().collect()),
            _ => None,
        }
    }

    /// Describes what the payload has values for.
    pub fn known(&self) -> String {
        const PLAIN: &str = "a plain item has {} {.} {/} {//} {/.} {ext} {#} {%}";
        match &self.item {
            Item::Record(record) => format!("known fields: {}", list(record.names())),
            Item::Array(elements) => format!("the item has the parts {{1}} to {{{}}}", elements.len()),
            Item::Null | Item::Text(_) | Item::Scalar => PLAIN.to_owned(),
        }
    }
}

impl<'a> Item<'a> {
    fn parse(json: &'a str) -> Result<Item<'a>, serde_json::Error> {
        Ok(match json.as_bytes().first() {
            Some(b'{') => match RawText::of_json(json) {
                Some(text) => Item::Text(Cow::Owned(text.into_bytes())),
                None => Item::Record(serde_json::from_str(json)?),
            },
            Some(b'[') => Item::Array(serde_json::from_str(json)?),
            Some(b'"') => Item::Text(bytes_of(serde_json::from_str(json)?)),
            _ => match serde_json::from_str::<&RawValue>(json)?.get() {
                "null" => Item::Null,
                _ => Item::Scalar,
            },
        })
    }
}

/// Returns the text of a value: of a string, or of bytes, itself; of everything else its JSON text; `None` of null.
pub(super) fn text_of(json: &str) -> Result<Option<Cow<'_, [u8]>>, serde_json::Error> {
    Ok(match json.as_bytes().first() {
        Some(b'"') => Some(bytes_of(serde_json::from_str(json)?)),
        Some(b'n') => None,
        Some(b'{') if let Some(text) = RawText::of_json(json) => Some(Cow::Owned(text.into_bytes())),
        _ => Some(Cow::Borrowed(json.as_bytes())),
    })
}

fn bytes_of(text: Text<'_>) -> Cow<'_, [u8]> {
    match text.0 {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Reads a position as it is written: `01` and `+1` are names.
fn position(text: &str) -> Option<usize> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_number)
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let mut list = names.iter().take(MAX_NAMES).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MAX_NAMES {
        list.push_str(&format!(", and {} more", names.len() - MAX_NAMES));
    }
    if list.is_empty() { "none".to_owned() } else { list }
}

#[cfg(test)]
mod tests;
