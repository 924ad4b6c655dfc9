//! Items that a shell would read as code: they stand in the script word of `sh -c`, wherever in the command that is, in
//! that of `su -c` or in the command of `ssh`.
//!
//! An item that is the whole script is a command by intent, as every line of a file of commands is.

use super::{CommandTemplate, Template};
use crate::model::{PastedCode, PastedInto};

const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish"];
/// Programs that hand the value of their option `-c` to a shell.
const WITH_SCRIPT: [&str; 4] = ["su", "runuser", "flock", "script"];
/// Programs that run the command after their own options.
const WRAPPERS: [&str; 13] = [
    "env", "sudo", "doas", "nice", "ionice", "nohup", "setsid", "time", "timeout", "stdbuf", "chrt", "taskset", "flock",
];
/// Options of `ssh` that take the next word as their value.
const SSH_OPTIONS_WITH_VALUE: &str = "BbcDEeFIiJLlmOopQRSWw";

/// Finds the first placeholder of a command, which is not a script itself, whose value a shell reads as code.
pub fn pasted_code(command: &CommandTemplate) -> Option<PastedCode> {
    let words = command.arguments();
    let name = |word: &Template| Some(base_name(&literal(word)?).to_owned());
    let is_wrapped = name(words.first()?).is_some_and(|first| WRAPPERS.contains(&first.as_str()));
    words.iter().enumerate().find_map(|(at, word)| {
        let (program, arguments) = (name(word)?, &words[at + 1..]);
        let (code, shell) = match program.as_str() {
            shell if SHELLS.contains(&shell) => (script(arguments), PastedInto::Itself),
            other if WITH_SCRIPT.contains(&other) => (script_of_option(arguments), PastedInto::Started),
            // Elsewhere it is the name of a package or a file.
            "ssh" if at == 0 || is_wrapped => (remote_command(arguments), PastedInto::Remote),
            _ => return None,
        };
        let mut placeholders = code.iter().flat_map(Template::placeholders);
        let placeholder = placeholders.find(|placeholder| placeholder.depends_on_payload() || placeholder.is_out())?;
        Some(PastedCode { program, placeholder: placeholder.written().to_owned(), shell })
    })
}

/// Returns the word that a program with these arguments hands to a shell as a script, wherever its option stands.
fn script_of_option(arguments: &[Template]) -> &[Template] {
    let at = arguments.iter().position(|word| match literal(word) {
        Some(option) => {
            option == "--command" || option.starts_with('-') && option.ends_with('c') && !option.starts_with("--")
        }
        None => false,
    });
    let joined = |word: &Template| word.texts().next().is_some_and(|text| text.starts_with(b"--command="));
    let found = match at {
        Some(at) => arguments.get(at + 1).filter(|script| script.parts.len() > 1),
        None => arguments.iter().find(|word| joined(word)),
    };
    found.map_or(&[], std::slice::from_ref)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RawText;

    fn found(argv: &[&str]) -> Option<PastedInto> {
        let argv: Vec<RawText> = argv.iter().map(|word| RawText::from(*word)).collect();
        pasted_code(&CommandTemplate::parse(&argv).unwrap()).map(|found| found.shell)
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
            &["docker", "run", "-i", "image", "sh", "-c", "cat {}"],
            &["xargs", "-n1", "sh", "-ec", "echo {}"],
            &["nice", "-n", "5", "timeout", "5", "sh", "-c", "cat {}"],
            &["env", "X=1", "zsh", "-c", "cat {}"],
            &["nohup", "time", "/usr/bin/ksh", "-lc", "cat {}"],
            &["kubectl", "exec", "pod", "--", "dash", "-c", "cat {}"],
        ] {
            assert_eq!(found(argv), Some(PastedInto::Itself), "{argv:?}");
        }
    }

    #[test]
    fn an_item_in_a_remote_command_is_found() {
        for argv in [&["ssh", "host", "cat", "{}"][..], &["ssh", "-p", "22", "-q", "{%}", "rm {}"]] {
            assert_eq!(found(argv), Some(PastedInto::Remote), "{argv:?}");
        }
    }

    #[test]
    fn an_item_in_the_script_of_an_option_is_found() {
        for argv in [
            &["su", "-c", "cat {}"][..],
            &["su", "me", "-lc", "cat {}"],
            &["sudo", "su", "-", "me", "--command", "cat {}"],
            &["runuser", "-u", "me", "--command=cat {}"],
            &["flock", "lock", "-c", "cat {}"],
        ] {
            assert_eq!(found(argv), Some(PastedInto::Started), "{argv:?}");
        }
        assert_eq!(found(&["su", "-c", "cat \"$1\"", "me", "su", "{}"]), None);
        assert_eq!(found(&["flock", "{}", "cat", "x{}"]), None);
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
