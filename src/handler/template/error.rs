//! What can be wrong with a template, or with a payload for it.

/// A template that cannot be compiled, or that has no text for a payload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is no command.
    #[error("the command is empty")]
    Empty,
    /// A brace opens and never closes.
    #[error("\"{{\" at character {position} of {text:?} is never closed; a literal brace is written \"{{{{\"")]
    Unclosed {
        /// Where it stands in the text, counted from 1.
        position: usize,
        /// The whole text.
        text: String,
    },
    /// What stands between braces cannot be the name of a placeholder.
    #[error(
        "{found:?} at character {position} of {text:?} is not a placeholder; \
         literal braces are written \"{{{{\" and \"}}}}\""
    )]
    NotAPlaceholder {
        /// What stands there, with its braces.
        found: String,
        /// Where it stands in the text, counted from 1.
        position: usize,
        /// The whole text.
        text: String,
    },
    /// The text holds a NUL character.
    #[error("character {position} of {text:?} is NUL, which no argument can hold")]
    NulInText {
        /// Where it stands in the text, counted from 1.
        position: usize,
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
        "argument {argument} of the command would have {bytes} bytes, the system takes {limit} at the most: \
         let the command read the item from standard input, with --stdin item"
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
        "the command would have {bytes} bytes, it may have {limit} at the most: \
         let it read the item from standard input, with --stdin item"
    )]
    CommandTooLong {
        /// How long it would be.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// A script, its values quoted, is longer than the system takes for one argument.
    #[error(
        "the script would have {bytes} bytes, the system takes {limit} at the most: \
         let it read the item from standard input, with --stdin item"
    )]
    ScriptTooLong {
        /// How long it would be.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// A field was named, but the payload is a plain item.
    #[error(
        "unknown placeholder {placeholder}, the payload is not an object; \
         a plain item has {{}} {{.}} {{/}} {{//}} {{/.}} {{ext}} {{#}} {{%}}"
    )]
    UnknownPlaceholder {
        /// The placeholder, with its braces.
        placeholder: String,
    },
    /// The payload is an object without that field.
    #[error("the payload has no field {field:?}, known fields: {known}")]
    MissingField {
        /// Path of the field.
        field: String,
        /// Paths of the fields at the level where the search ended.
        known: String,
    },
    /// A part of a path was asked of an object.
    #[error("path placeholders need a plain item: {placeholder} has no value for an object with the fields: {known}")]
    PathOfObject {
        /// The placeholder, with its braces.
        placeholder: String,
        /// The fields of the object.
        known: String,
    },
    /// The payload is not a JSON document.
    #[error("the payload is not valid JSON")]
    Payload(#[source] serde_json::Error),
    /// A field is a JSON string that cannot be written as text.
    #[error("the field {field:?} of the payload is not valid text")]
    FieldNotText {
        /// Path of the field.
        field: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
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
