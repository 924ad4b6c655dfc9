//! The closed set of placeholders and where each gets its value.

use std::borrow::Cow;
use std::fmt;

use super::{TemplateError, UnitValues, path};
use crate::model::Seq;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Placeholder {
    Item,
    WithoutExtension,
    Basename,
    Dirname,
    Stem,
    Extension,
    Seq,
    Slot,
    Field(String),
}

impl Placeholder {
    /// Returns the placeholder that is written `{name}`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "" => Self::Item,
            "." => Self::WithoutExtension,
            "/" => Self::Basename,
            "//" => Self::Dirname,
            "/." => Self::Stem,
            "ext" => Self::Extension,
            "#" => Self::Seq,
            "%" => Self::Slot,
            field if is_field_path(field) => Self::Field(field.to_owned()),
            _ => return None,
        })
    }

    pub(super) fn depends_on_payload(&self) -> bool {
        !matches!(self, Self::Seq | Self::Slot)
    }

    /// Returns the value for one unit, unquoted and free of NUL.
    pub(super) fn value<'v>(
        &self,
        values: &'v UnitValues<'v>,
        slot: usize,
        seq: Seq,
    ) -> Result<Cow<'v, str>, TemplateError> {
        let value = match self {
            Self::Item => Cow::Borrowed(values.item()),
            Self::WithoutExtension => Cow::Borrowed(path::without_extension(self.plain(values)?)),
            Self::Basename => Cow::Borrowed(path::basename(self.plain(values)?)),
            Self::Dirname => Cow::Borrowed(path::dirname(self.plain(values)?)),
            Self::Stem => Cow::Borrowed(path::stem(self.plain(values)?)),
            Self::Extension if values.has_field("ext") => values.field("ext")?,
            Self::Extension => Cow::Borrowed(path::extension(self.plain(values)?)),
            Self::Seq => Cow::Owned(seq.to_string()),
            Self::Slot => Cow::Owned((slot + 1).to_string()),
            Self::Field(name) => values.field(name)?,
        };
        if value.contains('\0') {
            return Err(TemplateError::NulInValue { placeholder: self.to_string() });
        }
        Ok(value)
    }

    fn plain<'v>(&self, values: &'v UnitValues<'v>) -> Result<&'v str, TemplateError> {
        match values.known_fields() {
            None => Ok(values.item()),
            Some(known) => Err(TemplateError::PathOfObject { placeholder: self.to_string(), known }),
        }
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Item => "",
            Self::WithoutExtension => ".",
            Self::Basename => "/",
            Self::Dirname => "//",
            Self::Stem => "/.",
            Self::Extension => "ext",
            Self::Seq => "#",
            Self::Slot => "%",
            Self::Field(name) => name,
        };
        write!(f, "{{{name}}}")
    }
}

fn is_field_path(name: &str) -> bool {
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    name.split('.').all(|part| !part.is_empty() && part.chars().all(is_name_char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_is_written_as_it_is_named() {
        for name in ["", ".", "/", "//", "/.", "ext", "#", "%", "id", "a.b", "x-1.y_2", "3"] {
            assert_eq!(Placeholder::named(name).unwrap().to_string(), format!("{{{name}}}"));
        }
    }

    #[test]
    fn odd_names_are_no_placeholders() {
        for name in [" ", "a b", "a.", ".a", "a..b", "1..3", "a,b", "print $1", "é", "..", "///", "{", "a\n"] {
            assert_eq!(Placeholder::named(name), None, "{name:?}");
        }
    }
}
