//! A whole command.

use std::borrow::Cow;

use super::quote::quote_for_shell;
use super::script::render_script;
use super::{Template, TemplateError, UnitValues};
use crate::model::Seq;

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
    pub fn parse(argv: &[String]) -> Result<CommandTemplate, TemplateError> {
        if argv.is_empty() {
            return Err(TemplateError::Empty);
        }
        let argv = argv.iter().map(|text| Template::parse(text)).collect::<Result<_, _>>()?;
        Ok(CommandTemplate { argv })
    }

    /// Returns the arguments for one unit, as many as there are templates; `slot` is counted from 0.
    ///
    /// # Errors
    /// When the payload has no value for a placeholder, or one that holds a NUL character, and when the arguments are
    /// longer than the system takes.
    pub fn render(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<Vec<String>, TemplateError> {
        let argv =
            self.argv.iter().map(|template| template.render(values, slot, seq)).collect::<Result<Vec<_>, _>>()?;
        refuse_excess(argv.iter().map(|argument| Ok(argument.len())))?;
        Ok(argv)
    }

    /// Returns the script for one unit: the text of the command unchanged, its values quoted for a POSIX shell.
    ///
    /// # Errors
    /// As for [`render`](Self::render) and [`check_script`](Self::check_script).
    pub fn render_shell(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<String, TemplateError> {
        let script = render_script(self.script()?, |placeholder| placeholder.value(values, slot, seq))?;
        if script.len() > MAX_ARGUMENT_BYTES {
            return Err(TemplateError::ScriptTooLong { bytes: script.len(), limit: MAX_ARGUMENT_BYTES });
        }
        Ok(script)
    }

    /// Returns the command for one unit as it would be typed into a shell, for people to read.
    ///
    /// # Errors
    /// As for [`render`](Self::render) and [`render_shell`](Self::render_shell).
    pub fn line(&self, shell: bool, values: &UnitValues<'_>, seq: Seq) -> Result<String, TemplateError> {
        if shell {
            return self.render_shell(values, 0, seq);
        }
        let argv = self.render(values, 0, seq)?;
        Ok(argv.iter().map(|argument| quote_for_shell(argument)).collect::<Vec<_>>().join(" "))
    }

    /// Checks that every placeholder has a value for a payload, without making the arguments.
    ///
    /// # Errors
    /// As for [`UnitValues::parse`] and [`render`](Self::render).
    pub fn check(&self, payload: &str) -> Result<(), TemplateError> {
        let values = UnitValues::parse(payload)?;
        refuse_excess(self.argv.iter().map(|template| template.length(&values)))
    }

    /// Checks that a script for the shell can be made for a payload.
    ///
    /// # Errors
    /// As for [`UnitValues::parse`] and [`render_shell`](Self::render_shell).
    pub fn check_shell(&self, payload: &str) -> Result<(), TemplateError> {
        let values = UnitValues::parse(payload)?;
        let script = self.script()?;
        // Quoted, a value has at most four times its length, with a few bytes around it. The script itself is made only
        // where that leaves a doubt, because this is done for every unit.
        let quotes = script.placeholders().count() * 16;
        if script.length(&values)? * 4 + quotes > MAX_ARGUMENT_BYTES {
            self.render_shell(&values, 0, Seq::FIRST)?;
        }
        Ok(())
    }

    /// Checks that the command can be a script for the shell, whatever the payload.
    ///
    /// # Errors
    /// When it is more than one text, or a placeholder stands where its value cannot be quoted.
    pub fn check_script(&self) -> Result<(), TemplateError> {
        render_script(self.script()?, |_| Ok(Cow::Borrowed(""))).map(drop)
    }

    /// Says whether anything in the command depends on the payload.
    pub fn uses_item(&self) -> bool {
        self.argv.iter().any(Template::uses_item)
    }

    /// Returns the name of the program when it is the same for all units.
    pub fn literal_program(&self) -> Option<&str> {
        self.argv.first().and_then(Template::literal)
    }

    fn script(&self) -> Result<&Template, TemplateError> {
        match self.argv.as_slice() {
            [script] => Ok(script),
            texts => Err(TemplateError::NotOneScript { count: texts.len() }),
        }
    }
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
mod tests {
    use super::*;

    fn command(argv: &[&str]) -> CommandTemplate {
        CommandTemplate::parse(&argv.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn render(argv: &[&str], payload: &str) -> Result<Vec<String>, TemplateError> {
        let rendered = command(argv).render(&UnitValues::parse(payload)?, 2, Seq(41));
        let checked = command(argv).check(payload);
        assert_eq!(rendered.as_ref().err().map(ToString::to_string), checked.err().map(|error| error.to_string()));
        rendered
    }

    fn error_of(argv: &[&str], payload: &str) -> String {
        render(argv, payload).unwrap_err().to_string()
    }

    #[test]
    fn every_placeholder_of_a_plain_item_has_its_value() {
        let argv = ["p", "{}", "{.}", "{/}", "{//}", "{/.}", "{ext}", "{#}", "{%}", "x{/.}-{#}.{ext}"];

        let rendered = render(&argv, r#""in/é.tar.gz""#).unwrap();

        assert_eq!(
            rendered,
            ["p", "in/é.tar.gz", "in/é.tar", "é.tar.gz", "in", "é.tar", "gz", "41", "3", "xé.tar-41.gz"]
        );
    }

    #[test]
    fn fields_of_an_object_have_their_values() {
        let payload = r#"{"id": 7, "ext":"md", "user":{"name":"Ann B"}}"#;

        let rendered = render(&["p", "{id}", "{user.name}", "{ext}", "{}"], payload).unwrap();

        assert_eq!(rendered, ["p", "7", "Ann B", "md", payload]);
    }

    #[test]
    fn any_item_is_exactly_one_argument() {
        for item in ["", "-rf", "a b", "a\nb", "\"'", "$(x) `y` *", "{}", "{#}}"] {
            let payload = serde_json::to_string(item).unwrap();

            assert_eq!(render(&["p", "{}", "--in={}"], &payload).unwrap(), ["p", item, &format!("--in={item}")]);
        }
    }

    #[test]
    fn a_field_of_a_plain_item_is_unknown() {
        assert_eq!(
            error_of(&["p", "{name}"], r#""a""#),
            "unknown placeholder {name}, the payload is not an object; \
             a plain item has {} {.} {/} {//} {/.} {ext} {#} {%}"
        );
    }

    #[test]
    fn a_missing_field_names_the_known_ones() {
        assert_eq!(
            error_of(&["p", "{nam}"], r#"{"name":1,"id":2}"#),
            r#"the payload has no field "nam", known fields: id, name"#
        );
    }

    #[test]
    fn an_object_is_no_path() {
        for placeholder in ["{.}", "{/}", "{//}", "{/.}", "{ext}"] {
            assert_eq!(
                error_of(&["p", placeholder], r#"{"id":2}"#),
                format!(
                    "path placeholders need a plain item: {placeholder} has no value for an object with the fields: id"
                )
            );
        }
    }

    #[test]
    fn a_value_with_nul_is_refused_where_it_is_used() {
        assert_eq!(
            error_of(&["p", "{}"], r#""a\u0000b""#),
            "the value of {} holds a NUL character, which no argument can"
        );
        assert!(render(&["p", "{#}"], r#""a\u0000b""#).is_ok());
        assert!(render(&["p", "{}"], r#"{"a":"\u0000"}"#).is_ok());
    }

    #[test]
    fn what_the_system_would_not_take_is_refused_before() {
        let payload = |bytes| format!("\"{}\"", "x".repeat(bytes));
        let many = ["{}"; 9];

        assert!(render(&["p", "{}"], &payload(MAX_ARGUMENT_BYTES)).is_ok());
        assert_eq!(
            error_of(&["p", "{}"], &payload(MAX_ARGUMENT_BYTES + 1)),
            "argument 2 of the command would have 131072 bytes, the system takes 131071 at the most: \
             let the command read the item from standard input, with --stdin item"
        );
        assert!(error_of(&["p", "-{}"], &payload(MAX_ARGUMENT_BYTES)).starts_with("argument 2 "));
        assert!(render(&many, &payload(116_000)).is_ok());
        assert!(error_of(&many, &payload(117_000)).starts_with("the command would have 1053081 bytes, "));
    }

    #[test]
    fn a_script_is_refused_when_its_quotes_make_it_too_long() {
        let quotes = |count| serde_json::to_string(&"'".repeat(count)).unwrap();
        let script = command(&["echo {}"]);

        assert!(script.check_shell(&quotes(32_000)).is_ok());
        assert!(script.check_shell(&format!("\"{}\"", "x".repeat(131_000))).is_ok());
        let error = script.check_shell(&quotes(33_000)).unwrap_err();

        assert!(error.to_string().starts_with("the script would have 132007 bytes, "), "{error}");
    }

    #[test]
    fn a_payload_that_is_not_json_is_refused_even_when_unused() {
        assert!(command(&["p"]).check("not json").is_err());
    }

    #[test]
    fn a_command_needs_a_program() {
        assert!(matches!(CommandTemplate::parse(&[]), Err(TemplateError::Empty)));
    }

    #[test]
    fn the_program_is_known_when_it_holds_no_placeholder() {
        assert_eq!(command(&["a{{b", "{}"]).literal_program(), Some("a{b"));
        assert_eq!(command(&["{}", "b"]).literal_program(), None);
    }

    #[test]
    fn a_command_uses_the_item_when_one_argument_does() {
        assert!(command(&["p", "x", "{id}"]).uses_item());
        assert!(!command(&["p", "{#}", "{%}"]).uses_item());
    }

    #[test]
    fn a_script_is_one_text_with_quoted_values() {
        let values = UnitValues::parse(r#""a'b""#).unwrap();

        let script = command(&["echo {} {#} \"{/}\""]).render_shell(&values, 0, Seq(5)).unwrap();

        assert_eq!(script, r#"echo 'a'\''b' '5' ""'a'\''b'"""#);
    }

    #[test]
    fn a_script_is_checked_without_a_payload() {
        assert!(command(&["echo {name}"]).check_script().is_ok());
        assert_eq!(
            command(&["echo '{name}'"]).check_script().unwrap_err().to_string(),
            "placeholder {name} cannot stand inside single quotes in a shell command: give its value to a variable first"
        );
        assert_eq!(
            command(&["echo", "{}"]).check_script().unwrap_err().to_string(),
            "a shell command is one text that holds the whole script, not 2 texts"
        );
    }
}
