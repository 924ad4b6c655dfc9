//! Templates of commands: texts with a closed set of placeholders, compiled once per job, rendered once per attempt.
//!
//! `{}` is the item; `{field}` and `{a.b}` are fields of a payload that is an object; `{.}` `{/}` `{//}` `{/.}` `{ext}`
//! are parts of the item as a path; `{#}` is the sequence number and `{%}` the worker slot, both counted from 1;
//! `{{` and `}}` are braces, and so is a lone `}`. Everything else between braces is an error, and so is a placeholder
//! that a payload has no value for: both show before anything is created.
//!
//! One template gives exactly one argument: values are never split, expanded or read again. Only a script for the
//! shell has its values quoted. A field whose own name holds dots goes before the path of the same spelling.
//! Known weaknesses: names with other characters than letters, digits, `_`, `-` cannot be addressed, nor can elements
//! of arrays.

mod command;
mod error;
mod parse;
mod path;
mod placeholder;
mod quote;
mod script;
mod script_reader;
mod values;

pub use command::CommandTemplate;
pub use error::TemplateError;
pub use values::UnitValues;

use crate::model::Seq;
use placeholder::Placeholder;

/// A text with placeholders, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

impl Template {
    /// Compiles a text.
    ///
    /// # Errors
    /// When a brace is not closed, when what stands between braces cannot be a placeholder, or when the text holds a
    /// NUL character. Whether a `{field}` exists is known only with a payload.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        Ok(Template { parts: parse::parse_parts(text)? })
    }

    /// Returns the text for one unit; `slot` is counted from 0, as the pool does.
    ///
    /// # Errors
    /// When the payload has no value for a placeholder, or one that holds a NUL character.
    pub fn render(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<String, TemplateError> {
        let mut rendered = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => rendered.push_str(text),
                Part::Placeholder(placeholder) => rendered.push_str(&placeholder.value(values, slot, seq)?),
            }
        }
        Ok(rendered)
    }

    /// Says whether the text is the same for all units.
    pub fn is_literal(&self) -> bool {
        self.placeholders().next().is_none()
    }

    /// Says whether the text depends on the payload.
    pub fn uses_item(&self) -> bool {
        self.placeholders().any(Placeholder::depends_on_payload)
    }

    /// Returns the length of the text for one unit, as far as it depends on the payload.
    fn length(&self, values: &UnitValues<'_>) -> Result<usize, TemplateError> {
        let mut bytes = 0;
        for part in &self.parts {
            bytes += match part {
                Part::Text(text) => text.len(),
                Part::Placeholder(placeholder) => placeholder.value(values, 0, Seq::FIRST)?.len(),
            };
        }
        Ok(bytes)
    }

    fn literal(&self) -> Option<&str> {
        // Neighbouring texts are joined, so that there is one at most.
        self.is_literal().then(|| self.texts().next().unwrap_or_default())
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Placeholder(_) => None,
        })
    }

    fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Placeholder(placeholder) => Some(placeholder),
        })
    }
}
