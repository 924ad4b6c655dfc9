//! Items that a shell would read as code: they stand in the script word of `sh -c` or in the command of `ssh`.
//!
//! An item that is the whole script is a command by intent, as every line of a file of commands is.

use std::fmt;

use super::{CommandTemplate, Template};

const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish"];
/// Programs that run the command after their own options.
const WRAPPERS: [&str; 13] = [
    "env", "sudo", "doas", "nice", "ionice", "nohup", "setsid", "time", "timeout", "stdbuf", "chrt", "taskset", "flock",
];
/// Options of `ssh` that take the next word as their value.
const SSH_OPTIONS_WITH_VALUE: &str = "BbcDEeFIiJLlmOopQRSWw";

/// A placeholder whose value a shell reads as code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastedCode {
    program: String,
    placeholder: String,
}

impl PastedCode {
    /// Finds the first such placeholder of a command that is not a script itself.
    pub fn find(command: &CommandTemplate) -> Option<PastedCode> {
        let words = command.arguments();
        let name = |index: usize| Some(base_name(&literal(words.get(index)?)?).to_owned());
        let is_reader = |name: &str| SHELLS.contains(&name) || name == "ssh";
        let mut at = 0;
        if WRAPPERS.contains(&name(0)?.as_str()) {
            at = (1..words.len()).find(|index| name(*index).is_some_and(|name| is_reader(&name)))?;
        }
        let program = name(at).filter(|name| is_reader(name))?;
        let code = if program == "ssh" { remote_command(&words[at + 1..]) } else { script(&words[at + 1..]) };
        let mut placeholders = code.iter().flat_map(Template::placeholders);
        let placeholder = placeholders.find(|placeholder| placeholder.depends_on_payload())?;
        Some(PastedCode { program, placeholder: placeholder.written().to_owned() })
    }
}

/// Returns the word that a shell with these arguments runs as a script.
fn script(arguments: &[Template]) -> &[Template] {
    let mut is_given = false;
    let mut index = 0;
    while let Some(option) = arguments.get(index).and_then(literal).filter(|word| word.starts_with(['-', '+'])) {
        let letters = option.trim_start_matches(['-', '+']);
        is_given |= !option.starts_with("--") && letters.contains('c');
        let takes_value = !option.starts_with("--") && letters.ends_with(['o', 'O']);
        index += if takes_value { 2 } else { 1 };
    }
    match arguments.get(index..).unwrap_or_default() {
        [script, ..] if is_given && script.parts.len() > 1 => std::slice::from_ref(script),
        _ => &[],
    }
}

/// Returns the words that `ssh` with these arguments hands to a shell on the other side.
fn remote_command(arguments: &[Template]) -> &[Template] {
    let mut index = 0;
    while let Some(option) = arguments.get(index).and_then(literal).filter(|word| word.starts_with('-')) {
        let takes_value = option.len() == 2 && option.ends_with(|letter| SSH_OPTIONS_WITH_VALUE.contains(letter));
        index += if takes_value { 2 } else { 1 };
    }
    arguments.get(index + 1..).unwrap_or_default()
}

fn literal(word: &Template) -> Option<String> {
    String::from_utf8(word.literal()?.into_owned()).ok()
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

impl fmt::Display for PastedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, placeholder } = self;
        write!(f, "{placeholder} becomes code that `{program}` runs, whatever the item holds: ")?;
        if program == "ssh" {
            return f.write_str(
                "neither --shell nor \"$1\" quotes for the shell on the other side; let the remote command read the \
                 item, with --stdin item",
            );
        }
        write!(
            f,
            "use --shell, which quotes it, or write \"$1\" in the script and the item after it, \
             as in {program} -c 'echo \"$1\"' {program} {placeholder}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RawText;

    fn found(argv: &[&str]) -> Option<String> {
        let argv: Vec<RawText> = argv.iter().map(|word| RawText::from(*word)).collect();
        PastedCode::find(&CommandTemplate::parse(&argv).unwrap()).map(|found| found.to_string())
    }

    #[test]
    fn an_item_in_the_script_of_a_shell_is_found() {
        for argv in [
            &["sh", "-c", "echo {}"][..],
            &["/bin/bash", "-lc", "cat {/}"],
            &["bash", "-o", "pipefail", "-ec", "cat {name} | wc"],
            &["sh", "-c", "--", "{}; true"],
            &["env", "A=b", "nice", "-n", "10", "sh", "-c", "cat {}"],
            &["sudo", "-u", "x", "bash", "-c", "rm {}"],
        ] {
            let said = found(argv).unwrap_or_else(|| panic!("{argv:?}"));
            assert!(said.contains("--shell") && said.contains("\"$1\""), "{said}");
        }
    }

    #[test]
    fn an_item_in_a_remote_command_is_found() {
        for argv in [&["ssh", "host", "cat", "{}"][..], &["ssh", "-p", "22", "-q", "{%}", "rm {}"]] {
            assert!(found(argv).is_some_and(|said| said.contains("--stdin item")), "{argv:?}");
        }
    }

    #[test]
    fn an_item_that_is_an_argument_is_no_code() {
        for argv in [
            &["sh", "-c", "echo \"$1\"", "sh", "{}"][..],
            &["sh", "-c", "echo {#} {%}"],
            &["sh", "-c", "--", "{}"],
            &["sh", "script", "-c", "{}"],
            &["echo", "sh", "-c", "{}"],
            &["{}", "-c", "{}"],
            &["ssh", "{}", "uptime"],
            &["sh"],
        ] {
            assert_eq!(found(argv), None, "{argv:?}");
        }
    }
}
