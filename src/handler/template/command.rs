//! A whole command.

use super::placeholder::{At, Word};
use super::quote::quote_for_shell;
use super::script::render_script;
use super::{Template, TemplateError, UnitValues};
use crate::model::{RawText, Seq};

/// Longest argument of a command, in bytes: what Linux takes, less the NUL behind it.
pub const MAX_ARGUMENT_BYTES: usize = 128 * 1024 - 1;
/// Longest command, its arguments together, in bytes: half of what Linux takes by default; the rest is for the environment.
pub const MAX_COMMAND_BYTES: usize = 1024 * 1024;

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

    /// Returns the arguments for one unit, as many as there are templates; `slot` is counted from 0.
    ///
    /// # Errors
    /// When the payload has no value for a placeholder, an empty one inside a larger word, or one that holds a NUL
    /// character, and when the arguments are longer than the system takes.
    pub fn render(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<Vec<RawText>, TemplateError> {
        let argv =
            self.argv.iter().map(|template| template.render(values, slot, seq)).collect::<Result<Vec<_>, _>>()?;
        refuse_excess(argv.iter().map(|argument| Ok(argument.as_bytes().len())))?;
        Ok(argv)
    }

    /// Returns the script for one unit: the text of the command unchanged, its values quoted for a POSIX shell.
    ///
    /// # Errors
    /// As for [`render`](Self::render), and when a placeholder stands where its value cannot be quoted.
    pub fn render_shell(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<RawText, TemplateError> {
        let at = At { slot, seq, word: Word::Script };
        let script = render_script(self.script()?, |placeholder| placeholder.value(values, at))?;
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
        refuse_excess(self.argv.iter().map(|template| template.check(values)))
    }

    /// Checks that a script for the shell can be made.
    ///
    /// # Errors
    /// As for [`render_shell`](Self::render_shell).
    pub fn check_shell(&self, values: &UnitValues<'_>) -> Result<(), TemplateError> {
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
        render_script(self.script()?, |_| Ok(b"")).map(drop)
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
        // The system counts the NUL behind each argument and its place in the list.
        bytes += length + 1 + size_of::<usize>();
    }
    if bytes > MAX_COMMAND_BYTES {
        return Err(TemplateError::CommandTooLong { bytes, limit: MAX_COMMAND_BYTES });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
