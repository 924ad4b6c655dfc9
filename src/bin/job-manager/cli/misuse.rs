//! A command line that cannot be understood: what is said instead of clap's words, where more is known.

use std::env;
use std::io::Write;
use std::process::ExitCode;

use anstream::eprintln;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::command::command;
use super::error::CliError;
use super::exit::Exit;
use super::report::Report;
use super::{misplaced, neighbours};

/// Returns the words of this process's command line.
pub(super) fn arguments() -> Vec<String> {
    env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// Prints what clap says of a command line, or where its words belong, or what a neighbour's word is called here.
pub(super) fn misused(error: &clap::Error) -> ExitCode {
    if error.kind() == ErrorKind::MissingSubcommand && !asks_for_json(&arguments()) {
        eprintln!("{}", command().render_help().ansi());
        return ExitCode::from(Exit::Usage.code());
    }
    let arguments = arguments();
    let unknown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if error.kind() == ErrorKind::UnknownArgument => Some(word.as_str()),
        _ => None,
    };
    let not_utf8 =
        (error.kind() == ErrorKind::InvalidUtf8).then(|| neighbours::not_utf8(&env::args_os().collect::<Vec<_>>()));
    let has_no_verb = unknown.is_some()
        || error.kind() == ErrorKind::InvalidSubcommand && error.get(ContextKind::SuggestedSubcommand).is_none();
    let misplaced = unknown.and_then(|word| misplaced::advice(&arguments, Some(word)));
    // What clap says repeats the command line, which may hold a stranger's file name.
    let said = error.to_string();
    let said = said.strip_prefix("error: ").map(|said| said.trim_end().to_owned());
    let advice = misplaced
        .or(not_utf8.flatten())
        .or_else(|| neighbours::advice(error, &arguments))
        .or_else(|| has_no_verb.then(|| misplaced::without_verb(&arguments)).flatten());
    // A verb without what it needs answers with its help, which is no document.
    let missing = || {
        let shows_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        let text = "arguments are missing: `job-manager help VERB` lists them".to_owned();
        (shows_help && asks_for_json(&arguments)).then_some(text)
    };
    match advice.or(said).or_else(missing) {
        Some(advice) => {
            Report::of_misuse(advice).print(asks_for_json(&arguments));
            ExitCode::from(Exit::Usage.code())
        }
        None => match error.print().and_then(|()| std::io::stdout().flush()) {
            Err(lost) if lost.kind() != std::io::ErrorKind::BrokenPipe => {
                let lost = CliError::Output(lost);
                Report::of(&lost).print(false);
                ExitCode::from(lost.exit().code())
            }
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage.code())),
        },
    }
}

/// Returns `true` if a command line that was not understood asks for JSON: what follows `--` is a unit's, and behind a verb
/// that has sources a file may follow the option.
pub(super) fn asks_for_json(arguments: &[String]) -> bool {
    let ours: Vec<&String> = arguments.iter().skip(1).take_while(|word| *word != "--").collect();
    // Most do not, and the whole command line takes longer to build than many verbs take.
    if !ours.iter().any(|word| word.starts_with("--json")) {
        return false;
    }
    let command = command();
    let verb = ours.iter().position(|word| command.find_subcommand(word.as_str()).is_some());
    let takes_file = |at: usize| {
        verb.filter(|verb| *verb < at).and_then(|verb| command.find_subcommand(ours[verb])).is_some_and(|verb| {
            verb.get_arguments().any(|option| {
                option.get_long() == Some("json") && option.get_num_args().is_some_and(|values| values.takes_values())
            })
        })
    };
    // As `SourceFlags::is_json_file` has it for a command line that is understood.
    let has_path = ours.iter().any(|word| word.starts_with("--path"));
    let is_file = |next: &&String| if *next == "-" { has_path } else { !next.starts_with('-') };
    ours.iter().enumerate().any(|(at, word)| match word.strip_prefix("--json") {
        Some("") => !(takes_file(at) && ours.get(at + 1).is_some_and(is_file)),
        Some(value) => value.starts_with('=') && !takes_file(at),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::asks_for_json;

    #[test]
    fn json_is_asked_for_by_the_option_and_not_by_a_source_or_a_unit() {
        let asks = |line: &str| asks_for_json(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());

        assert!(asks("job-manager status --json --nonsense"));
        assert!(asks("job-manager --json status --nonsense"));
        assert!(asks("job-manager status 1 --json"));
        assert!(asks("job-manager status --json=true"));
        assert!(asks("job-manager --json nonsense"));
        assert!(asks("job-manager --json"));
        assert!(asks("job-manager run --json --nonsense -- true {}"));
        assert!(!asks("job-manager --jsonl a.jsonl"));
        assert!(asks("job-manager add 1 --json - --nonsense"));
        assert!(!asks("job-manager add 1 --json - --path a --nonsense"));
        assert!(!asks("job-manager run --json=a.json --nonsense -- true {}"));
        assert!(!asks("job-manager run --json a.json --nonsense -- true {}"));
        assert!(!asks("job-manager run --nonsense -- jq --json"));
    }
}
