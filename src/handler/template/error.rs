//! What can be wrong with a template, or with a payload for it.

use super::template_part::TemplatePart;
use crate::model::counted;

/// A template that cannot be compiled, or that has no text for a payload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is no command.
    #[error("the command is empty")]
    Empty,
    /// The text holds a NUL character.
    #[error("{text:?} holds a NUL character, which no argument can")]
    NulInText {
        /// The whole text.
        text: String,
    },
    /// The value of a placeholder holds a NUL character.
    #[error("the value of {placeholder} holds a NUL character, which no argument can")]
    NulInValue {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// An argument is longer than the system takes.
    #[error(
        "argument {argument} of the command would have {bytes} bytes, the system takes at most {limit}: \
         let the command read the item from standard input"
    )]
    ArgumentTooLong {
        /// Which one, the program being the first.
        argument: usize,
        /// How long it would be.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// All arguments together are longer than the system takes.
    #[error(
        "the command would have {bytes} bytes, it may have at most {limit}: \
         let it read the item from standard input"
    )]
    CommandTooLong {
        /// How long it would be.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// A script, its values quoted, is longer than the system takes for one argument.
    #[error(
        "the script would have {bytes} bytes, the system takes at most {limit}: \
         let it read the item from standard input"
    )]
    ScriptTooLong {
        /// How long it would be.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// The value of a variable is longer than the system takes.
    #[error("the variable {name} would have {bytes} bytes, the system takes at most {limit}")]
    VariableTooLong {
        /// Its name.
        name: String,
        /// How long it would be, with its name.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// The payload has nothing of that name.
    #[error("unknown placeholder {placeholder}")]
    Unknown {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// The payload has nothing of these names, as [`Unknown`](Self::Unknown) with all that helps to mend it.
    #[error(
        "unknown placeholder{} {}{}, {known}; literal braces are doubled: {corrected}",
        if placeholders.len() > 1 { "s" } else { "" },
        placeholders.join(" "),
        nearest.as_ref().map_or_else(String::new, |name| format!(" (did you mean {{{name}}}?)"))
    )]
    UnknownPlaceholders {
        /// All of them, with their braces, and braces that begin no placeholder, with what follows.
        placeholders: Vec<String>,
        /// A field that may have been meant.
        nearest: Option<String>,
        /// What the payload has, in words.
        known: String,
        /// The command in which these braces are literal.
        corrected: String,
    },
    /// The last unit has fewer items than the others, and the command names one that it lacks.
    #[error(
        "the last unit has {}, {placeholder} is one more: write {} for an empty text there, or {{}} for as many items as there are",
        counted(*items as u64, "item"),
        placeholder.replace('}', ":-}")
    )]
    TooFewItems {
        /// The placeholder, with its braces.
        placeholder: String,
        /// How many items there are.
        items: usize,
    },
    /// A name is there twice.
    #[error("the item has the field {field:?} twice, write {{{first}}} or {{{second}}} for the one that is meant")]
    NameTwice {
        /// The name.
        field: String,
        /// The position of the first one.
        first: usize,
        /// The position of the next one.
        second: usize,
    },
    /// The value of a placeholder is null.
    #[error("{placeholder} is null, not a text; a default is written like {{field:-text}}")]
    Absent {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// The value of a placeholder is empty, and would vanish inside a larger word.
    #[error("{placeholder} is empty inside a larger word; write {with_default} if that is meant")]
    EmptyInWord {
        /// The placeholder, with its braces.
        placeholder: String,
        /// The same with an empty default.
        with_default: String,
    },
    /// A path has no name, and would lead to another directory inside a larger word.
    #[error("{placeholder} is {value:?} inside a larger word, which is not a file name")]
    NoNameInWord {
        /// The placeholder, with its braces.
        placeholder: String,
        /// What it stands for.
        value: String,
    },
    /// The value of a placeholder is empty, and would vanish from a path.
    #[error("{placeholder} is empty in a path; a default is written like {{field:-text}}")]
    EmptyInPath {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// A path is empty.
    #[error("the path is empty")]
    EmptyPath,
    /// A name in a path is longer than a file system takes.
    #[error("the path has a name of {bytes} bytes, and at most {limit} are possible: {name}…")]
    NameTooLong {
        /// How the name begins.
        name: String,
        /// Its bytes.
        bytes: usize,
        /// The most that are possible.
        limit: usize,
    },
    /// A part of a path was asked of an object or an array.
    #[error("{placeholder} is a part of a path, and the value is not a text; a field of it is written like {{field/}}")]
    PathOfObject {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// The payload is not a JSON document.
    #[error("the payload is not valid JSON")]
    Payload(#[source] serde_json::Error),
    /// A value is a JSON string that cannot be written as text.
    #[error("the value of {placeholder} is not valid text")]
    NotText {
        /// The placeholder, with its braces.
        placeholder: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A value that is to be padded is not a number.
    #[error("the value of {placeholder} is {value:?}, only a whole number can be padded with zeros")]
    NotANumber {
        /// The placeholder, with its braces.
        placeholder: String,
        /// Its value.
        value: String,
    },
    /// A payload that holds several items or parts is not an array of them.
    #[error("the job's units are arrays, of several items or of the parts of a combination, and this one is not")]
    NotAnArray,
    /// Several items or parts are asked for where one text can be.
    #[error(
        "{placeholder} stands for several texts here, and this can hold one: a part of a combination is {{1}}, {{2}}, …"
    )]
    SeveralInWord {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// A field of each of several items is asked for inside a larger word.
    #[error("{placeholder} stands for a value of each of the unit's items, and has to be a word of its own")]
    FieldInWord {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// One of as many items as fit is asked for by its position.
    #[error(
        "{placeholder} is one of as many items as fit, and the others would not be used: write {{}}, or take a number of items"
    )]
    Uncounted {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// A part that can hold one item has a placeholder, and units have several.
    #[error("{placeholder} in {part} needs a unit of one item, these have several")]
    OneItemOnly {
        /// The placeholder, with its braces.
        placeholder: String,
        /// Where it stands.
        part: TemplatePart,
    },
    /// A part that is needed before the unit runs has a placeholder that is known only then.
    #[error("{placeholder} cannot be part of {part}: it is known only when the unit runs")]
    SlotBefore {
        /// The placeholder, with its braces.
        placeholder: String,
        /// Where it stands.
        part: TemplatePart,
    },
    /// Several values stand in a script where one word can be.
    #[error(
        "{placeholder} stands for several words, and has to be a word of its own, outside quotes, in a shell command"
    )]
    NotAlone {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// One of several items holds a line break, and they are to be read line by line.
    #[error("one of several items holds a line break, and standard input has one per line")]
    LineBreak,
    /// A script for the shell has to be a single text.
    #[error("a shell command is one text that holds the whole script, not {count} texts")]
    NotOneScript {
        /// How many texts there are.
        count: usize,
    },
    /// A placeholder stands where the shell gives quotes another meaning, so that no value is safe there.
    #[error("placeholder {placeholder} cannot stand {place} in a shell command: give its value to a variable first")]
    Unquotable {
        /// The placeholder, with its braces.
        placeholder: String,
        /// Where it stands, in words.
        place: &'static str,
    },
}
