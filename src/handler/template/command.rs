//! A whole command.

use std::borrow::Cow;

use super::placeholder::{At, Word};
use super::quote::quote_for_shell;
use super::script::render_script;
use super::script_value::ScriptValue;
use super::{Template, TemplateError, UnitValues};
use crate::model::{Limits, RawText, Seq};

/// Longest argument of a command, in bytes: what Linux takes, less the NUL after it.
pub const MAX_ARGUMENT_BYTES: usize = 128 * 1024 - 1;
/// Longest command, its arguments together, in bytes: half of what Linux takes by default; the rest is for the environment.
pub const MAX_COMMAND_BYTES: usize = 1024 * 1024;
/// What the system counts besides the text of an argument: the NUL after it and its place in the list.
const ARGUMENT_OVERHEAD: usize = 1 + size_of::<usize>();

/// A command, compiled: one template for each argument, the program first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandTemplate {
    argv: Vec<Template>,
}

impl CommandTemplate {
    /// Compiles a command.
    ///
    /// # Errors
    /// When it is empty, or one of its texts is not a template.
    pub fn parse(argv: &[RawText]) -> Result<CommandTemplate, TemplateError> {
        if argv.is_empty() {
            return Err(TemplateError::Empty);
        }
        let argv = argv.iter().map(Template::parse).collect::<Result<_, _>>()?;
        Ok(CommandTemplate { argv })
    }

    /// Takes `{out}` for our own, and not for a name of the data.
    pub fn claim_out(&mut self) {
        self.argv.iter_mut().for_each(Template::claim_out);
    }

    /// Returns the arguments for one unit, as many as there are templates; `slot` is counted from 0.
    ///
    /// # Errors
    /// When the payload has no value for a placeholder, an empty one inside a larger word, or one that holds a NUL
    /// character, and when the arguments are longer than the system takes.
    pub fn render(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<Vec<RawText>, TemplateError> {
        let argv = if values.members().is_some() {
            let at = At { slot, seq, word: Word::Argument };
            let spread = self.argv.iter().map(|template| template.spread(values, at)).collect::<Result<Vec<_>, _>>()?;
            spread.into_iter().flatten().map(RawText::from).collect()
        } else {
            let argv = (0..).zip(&self.argv).map(|(index, template)| match index {
                // No program has an empty name.
                0 => template.render_path(values, slot, seq),
                _ => template.joined(values, At { slot, seq, word: Word::Argument }).map(RawText::from),
            });
            argv.collect::<Result<Vec<_>, _>>()?
        };
        refuse_excess(argv.iter().map(|argument| Ok(argument.as_bytes().len())))?;
        Ok(argv)
    }

    /// Returns the script for one unit: the text of the command unchanged, its values quoted for a POSIX shell.
    ///
    /// # Errors
    /// As for [`render`](Self::render), and when a placeholder stands where its value cannot be quoted.
    pub fn render_shell(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<RawText, TemplateError> {
        let at = At { slot, seq, word: Word::Script };
        let script = render_script(self.script()?, |placeholder| ScriptValue::of(placeholder, values, at))?;
        if script.len() > MAX_ARGUMENT_BYTES {
            return Err(TemplateError::ScriptTooLong { bytes: script.len(), limit: MAX_ARGUMENT_BYTES });
        }
        Ok(script.into())
    }

    /// Returns the command for one unit as it would be typed into a shell, for people to read.
    ///
    /// # Errors
    /// As for [`render`](Self::render) and [`render_shell`](Self::render_shell).
    pub fn line(&self, shell: bool, values: &UnitValues<'_>, seq: Seq) -> Result<String, TemplateError> {
        if shell {
            return Ok(self.render_shell(values, 0, seq)?.to_string_lossy().into_owned());
        }
        Ok(line_of(&self.render(values, 0, seq)?))
    }

    /// Checks that every placeholder has a value, without making the arguments.
    ///
    /// # Errors
    /// As for [`render`](Self::render).
    pub fn check(&self, values: &UnitValues<'_>) -> Result<(), TemplateError> {
        if values.members().is_some() {
            return self.render(values, 0, Seq::FIRST).map(drop);
        }
        refuse_excess((0..).zip(&self.argv).map(|(index, template)| match index {
            0 => template.check_path(values),
            _ => template.check(values),
        }))
    }

    /// Checks that a script for the shell can be made.
    ///
    /// # Errors
    /// As for [`render_shell`](Self::render_shell).
    pub fn check_shell(&self, values: &UnitValues<'_>) -> Result<(), TemplateError> {
        if values.members().is_some() {
            return self.render_shell(values, 0, Seq::FIRST).map(drop);
        }
        let script = self.script()?;
        // Quoted, a value has at most four times its length, with a few bytes around it. The script itself is made only
        // where that leaves a doubt, because this is done for every unit.
        let quotes = script.placeholders().count() * 16;
        if script.length(values, Word::Script)? * 4 + quotes > MAX_ARGUMENT_BYTES {
            self.render_shell(values, 0, Seq::FIRST)?;
        }
        Ok(())
    }

    /// Checks that the command can be a script for the shell, whatever the payload.
    ///
    /// # Errors
    /// When it is more than one text, or a placeholder stands where its value cannot be quoted.
    pub fn check_script(&self) -> Result<(), TemplateError> {
        render_script(self.script()?, |_| Ok(ScriptValue::One(Cow::Borrowed(b"")))).map(drop)
    }

    /// Returns the bytes that the command leaves for items, before it has one.
    pub fn room(&self, shell: bool) -> usize {
        let limit = if shell { MAX_ARGUMENT_BYTES } else { MAX_COMMAND_BYTES };
        let is_fixed = |template: &&Template| shell || !template.uses_item();
        let fixed = self.argv.iter().filter(is_fixed).map(|template| template.fixed_length() + ARGUMENT_OVERHEAD);
        limit.saturating_sub(fixed.sum())
    }

    /// Returns the bytes that an item adds to the command; `values` are those of a unit of that item alone.
    ///
    /// # Errors
    /// As for [`render`](Self::render).
    pub fn need(&self, shell: bool, values: &UnitValues<'_>) -> Result<usize, TemplateError> {
        let word = if shell { Word::Script } else { Word::Argument };
        // The longest numbers, so that whichever the unit gets fits.
        let at = At { slot: Limits::MAX_WORKERS - 1, seq: Seq::MAX, word };
        let mut bytes = 0;
        for template in self.argv.iter().filter(|template| template.uses_item()) {
            if shell {
                for placeholder in template.placeholders().filter(|placeholder| placeholder.depends_on_payload()) {
                    bytes += ScriptValue::of(placeholder, values, at)?.quoted_length();
                }
            } else {
                let arguments = template.spread(values, at)?;
                bytes += arguments.iter().map(|argument| argument.len() + ARGUMENT_OVERHEAD).sum::<usize>();
            }
        }
        Ok(bytes)
    }

    /// Returns the name of the program when it is the same for all units.
    pub fn literal_program(&self) -> Option<RawText> {
        Some(self.argv.first()?.literal()?.into_owned().into())
    }

    /// Returns the templates of the arguments.
    pub fn arguments(&self) -> &[Template] {
        &self.argv
    }

    fn script(&self) -> Result<&Template, TemplateError> {
        match self.argv.as_slice() {
            [script] => Ok(script),
            texts => Err(TemplateError::NotOneScript { count: texts.len() }),
        }
    }
}

/// Returns arguments as they would be typed into a shell.
pub fn line_of(argv: &[RawText]) -> String {
    argv.iter().map(|argument| quote_for_shell(argument.as_bytes())).collect::<Vec<_>>().join(" ")
}

/// Refuses arguments that are too long, each or together.
fn refuse_excess(lengths: impl Iterator<Item = Result<usize, TemplateError>>) -> Result<(), TemplateError> {
    let mut bytes = 0;
    for (index, length) in lengths.enumerate() {
        let length = length?;
        if length > MAX_ARGUMENT_BYTES {
            return Err(TemplateError::ArgumentTooLong {
                argument: index + 1,
                bytes: length,
                limit: MAX_ARGUMENT_BYTES,
            });
        }
        bytes += length + ARGUMENT_OVERHEAD;
    }
    if bytes > MAX_COMMAND_BYTES {
        return Err(TemplateError::CommandTooLong { bytes, limit: MAX_COMMAND_BYTES });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
