//! The fields of an object, in the order in which they are written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::TemplateError;

/// Fields of an object; a name may be there twice, which matters only to whoever asks for it.
#[derive(Debug)]
pub(super) struct Record<'a> {
    fields: Vec<(Text<'a>, &'a RawValue)>,
}

/// A JSON string, borrowed where it can be; plain `Cow` is always deserialized as owned.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'a> Record<'a> {
    /// Returns the value of the field of exactly that name.
    ///
    /// # Errors
    /// When two fields have it.
    pub fn named(&self, name: &str) -> Result<Option<&'a str>, TemplateError> {
        let mut positions = (1..).zip(&self.fields).filter(|(_, (field, _))| field.0 == name);
        let Some((first, (_, value))) = positions.next() else { return Ok(None) };
        match positions.next() {
            Some((second, _)) => Err(TemplateError::NameTwice { field: name.to_owned(), first, second }),
            None => Ok(Some(value.get())),
        }
    }

    /// Returns the value of the field at a position, counted from 1.
    pub fn positioned(&self, position: usize) -> Option<&'a str> {
        Some(self.fields.get(position.checked_sub(1)?)?.1.get())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.0.as_ref())
    }

    /// Looks up a name, or a path whose first steps may be a name with dots: the longest such name wins.
    pub fn find(&self, path: &str) -> Result<Option<&'a str>, TemplateError> {
        if let Some(value) = self.named(path)? {
            return Ok(Some(value));
        }
        for (at, _) in path.rmatch_indices('.') {
            if let Some(value) = self.named(&path[..at])?
                && let Some(found) = descend(value, &path[at + 1..])?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Follows a path from a value: names of fields, and positions of elements, counted from 0.
pub(super) fn descend<'a>(value: &'a str, path: &str) -> Result<Option<&'a str>, TemplateError> {
    match value.as_bytes().first() {
        Some(b'{') => serde_json::from_str::<Record<'a>>(value).map_err(TemplateError::Payload)?.find(path),
        Some(b'[') => {
            let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
            let Ok(index) = step.parse::<usize>() else { return Ok(None) };
            let elements: Vec<&'a RawValue> = serde_json::from_str(value).map_err(TemplateError::Payload)?;
            match (elements.get(index), rest) {
                (Some(element), Some(rest)) => descend(element.get(), rest),
                (element, _) => Ok(element.map(|element| element.get())),
            }
        }
        _ => Ok(None),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Record<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Record<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Record { fields })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
