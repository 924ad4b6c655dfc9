//! Templates: texts with placeholders, compiled once per job, rendered once per attempt.
//!
//! `{}` is the item, `{.}` `{/}` `{//}` `{/.}` `{ext}` are parts of it as a path, `{/host}` is its host as a URL, `{#}` is the sequence number and `{%}`
//! the worker slot, both counted from 1. Any other text between braces is a name that the data may have: a field, a
//! path of fields and elements, a position; with parts, defaults and formats after it ([`reading`] has the order).
//! `{{` and `}}` are braces, and so is a lone `}`.
//!
//! Which names there are is known only with a payload, so a template compiles whatever stands between its braces.
//! Whoever creates units checks each of them: a placeholder that a payload has no value for is an error then. An empty
//! value never vanishes inside a larger word, because `victim/{}` would be `victim/`.
//!
//! One template gives exactly one argument, or one for each item or part ([`spread`]): values are never split, expanded
//! or read again. Only a script for the shell has its values quoted. Texts and values are bytes.

mod command;
mod error;
mod form;
mod names;
mod nearest;
mod parse;
mod part;
mod pasted;
mod path;
mod placeholder;
mod quote;
mod reading;
mod record;
mod script;
mod script_reader;
mod script_value;
mod spread;
mod template_part;
mod url;
mod values;
mod word;

use std::borrow::Cow;

pub use command::{CommandTemplate, MAX_ARGUMENT_BYTES, line_of};
pub use error::TemplateError;
pub use form::ItemForm;
#[cfg(feature = "sources")]
pub use form::Several;
pub use nearest::nearest;
pub use pasted::pasted_code;
pub use quote::quote_for_shell;
pub use template_part::TemplatePart;
pub use values::UnitValues;

use crate::model::{RawText, Seq};
use part::Part;
use placeholder::{At, Placeholder, Word};

/// Bytes of a file's name that every file system takes.
pub const NAME_BYTES: usize = 255;
/// Characters of a name that are shown where it is too long.
const SHOWN_CHARS: usize = 40;

/// A text with placeholders, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Compiles a text.
    ///
    /// # Errors
    /// When the text holds a NUL character. Whether its placeholders have values is known only with a payload.
    pub fn parse(text: &RawText) -> Result<Template, TemplateError> {
        Ok(Template { parts: parse::parse_parts(text.as_bytes())? })
    }

    /// Returns the text for one unit; `slot` is counted from 0, as the pool does.
    ///
    /// # Errors
    /// When the payload has no value for a placeholder, an empty one inside a larger word, or one that holds a NUL
    /// character.
    pub fn render(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<RawText, TemplateError> {
        Ok(self.joined(values, At { slot, seq, word: Word::Text })?.into())
    }

    /// Returns the path for one unit, as [`render`](Self::render) does; an empty one is an error.
    pub fn render_path(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<RawText, TemplateError> {
        let path = self.joined(values, At { slot, seq, word: Word::Path })?;
        if path.is_empty() { Err(TemplateError::EmptyPath) } else { Ok(path.into()) }
    }

    /// Returns `true` if the text is the same for all units.
    pub fn is_literal(&self) -> bool {
        self.placeholders().next().is_none()
    }

    /// Returns `true` if the text depends on the payload.
    pub fn uses_item(&self) -> bool {
        self.placeholders().any(Placeholder::depends_on_payload)
    }

    /// Returns the placeholders that depend on the payload, with their braces.
    pub fn item_placeholders(&self) -> impl Iterator<Item = &str> {
        self.placeholders().filter(|placeholder| placeholder.depends_on_payload()).map(Placeholder::written)
    }

    /// Returns the first placeholder whose value is another one in each attempt or at each place in the job.
    pub fn counter(&self) -> Option<&str> {
        self.placeholders().find(|placeholder| !placeholder.depends_on_payload()).map(Placeholder::written)
    }

    /// Refuses a placeholder that is known only when the unit runs, in a part that is needed before.
    pub fn refuse_slot(&self, part: TemplatePart) -> Result<(), TemplateError> {
        match self.placeholders().find(|placeholder| placeholder.needs_slot()) {
            Some(placeholder) => Err(TemplateError::SlotBefore { placeholder: placeholder.written().to_owned(), part }),
            None => Ok(()),
        }
    }

    /// Returns the text when it is the same for all units.
    pub fn literal(&self) -> Option<Cow<'_, [u8]>> {
        // Neighbouring texts are joined, so that there is at most one.
        self.is_literal().then(|| self.texts().next().map_or(Cow::Borrowed(&[][..]), Cow::Borrowed))
    }

    /// Adds the placeholders that these values do not know to a list.
    pub fn find_unknown(&self, values: &UnitValues<'_>, unknown: &mut Vec<String>) {
        let found = self.placeholders().filter(|placeholder| !placeholder.is_known(values));
        for placeholder in found {
            if !unknown.iter().any(|known| known == placeholder.written()) {
                unknown.push(placeholder.written().to_owned());
            }
        }
    }

    /// Returns the text as it would be written if the placeholders that are unknown to these values were meant as braces;
    /// without values, all that depend on an item.
    pub fn corrected(&self, values: Option<&UnitValues<'_>>) -> RawText {
        let is_known = |placeholder: &Placeholder| match values {
            Some(values) => placeholder.is_known(values),
            None => !placeholder.depends_on_payload(),
        };
        let mut text = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => parse::push_doubled(&mut text, literal),
                Part::Placeholder(placeholder) if placeholder.is_stray() => text.extend(b"{{"),
                Part::Placeholder(placeholder) if is_known(placeholder) => text.extend(placeholder.written().bytes()),
                Part::Placeholder(placeholder) => parse::push_doubled(&mut text, placeholder.written().as_bytes()),
            }
        }
        text.into()
    }

    /// Takes `{out}` for our own, and not for a name of the data.
    pub fn claim_out(&mut self) {
        self.parts.iter_mut().for_each(|part| match part {
            Part::Text(_) => {}
            Part::Placeholder(placeholder) => placeholder.claim_out(),
        });
    }

    /// Returns `true` if our own `{out}` is in it.
    pub fn uses_out(&self) -> bool {
        self.placeholders().any(Placeholder::is_out)
    }

    fn joined(&self, values: &UnitValues<'_>, at: At) -> Result<Vec<u8>, TemplateError> {
        let mut rendered = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => rendered.extend_from_slice(text),
                Part::Placeholder(placeholder) => rendered.extend_from_slice(&placeholder.value(values, at)?),
            }
        }
        Ok(rendered)
    }

    /// Returns the length of what does not depend on the payload, at most.
    fn fixed_length(&self) -> usize {
        /// Digits of the longest number of a unit, and of a slot.
        const NUMBER: usize = 10;
        let numbers = self.placeholders().filter(|placeholder| !placeholder.depends_on_payload());
        /// Bytes of the longest path.
        const PATH: usize = 4096;
        let least = |placeholder: &Placeholder| if placeholder.is_out() { PATH } else { NUMBER };
        let padding = |placeholder: &Placeholder| placeholder.width().max(least(placeholder));
        self.texts().map(<[u8]>::len).sum::<usize>() + numbers.map(padding).sum::<usize>()
    }

    /// Returns the length of the text for one unit, as far as it depends on the payload.
    fn length(&self, values: &UnitValues<'_>, word: Word) -> Result<usize, TemplateError> {
        let at = At { slot: 0, seq: Seq::FIRST, word };
        let mut bytes = 0;
        for part in &self.parts {
            bytes += match part {
                Part::Text(text) => text.len(),
                Part::Placeholder(placeholder) => placeholder.value(values, at)?.len(),
            };
        }
        Ok(bytes)
    }

    /// Checks that the text can be made for a payload, without making it, and returns its length.
    pub fn check(&self, values: &UnitValues<'_>) -> Result<usize, TemplateError> {
        self.length(values, Word::Argument)
    }

    /// Checks that the path can be made for a payload, without making it, and returns its length.
    pub fn check_path(&self, values: &UnitValues<'_>) -> Result<usize, TemplateError> {
        match self.length(values, Word::Path)? {
            0 => Err(TemplateError::EmptyPath),
            bytes if bytes <= NAME_BYTES => Ok(bytes),
            bytes => {
                let path = self.render_path(values, 0, Seq(1))?;
                let mut names = path.as_bytes().split(|byte| *byte == b'/');
                match names.find(|name| name.len() > NAME_BYTES) {
                    Some(name) => {
                        let begin = String::from_utf8_lossy(name).chars().take(SHOWN_CHARS).collect();
                        Err(TemplateError::NameTooLong { name: begin, bytes: name.len(), limit: NAME_BYTES })
                    }
                    None => Ok(bytes),
                }
            }
        }
    }

    fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_slice()),
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
