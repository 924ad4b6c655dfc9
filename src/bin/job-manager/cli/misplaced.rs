//! Words that stand where none is expected: a command without `--`, files out of a pattern that the shell expanded.

use std::path::Path;

use clap::{Arg, Command};
use job_manager::text::quote_for_shell;

use super::command::{SUBMITTING, command};
use super::error::CliError;

/// Flags of patterns, and flags of files, each of which takes one.
const PATTERNS: [&str; 2] = ["glob", "exclude"];
const FILES: [&str; 5] = ["lines", "csv", "jsonl", "json", "commands"];
const COMMAND_MARK: &str = "--";

/// A word before `--` that belongs to no flag.
struct Stray {
    index: usize,
    /// The flag before it, with its value; it has one already.
    flag: Option<(String, String)>,
}

/// Returns what to write instead when words of `arguments` stand in the wrong place; `unknown` is the word that clap
/// stumbled over.
pub(super) fn advice(arguments: &[String], unknown: Option<&str>) -> Option<String> {
    let verb_at = 1 + arguments.iter().skip(1).position(|word| is_verb_with_sources(word))?;
    let mut command = command();
    command.build();
    let verb = command.find_subcommand(&arguments[verb_at])?;
    let Some(stray) = stray_word(verb, arguments, verb_at) else { return list_without_mark(arguments, verb_at) };
    let unknown_at = unknown.and_then(|unknown| arguments.iter().position(|word| word.starts_with(unknown)));
    if unknown_at.is_some_and(|at| at < stray.index) {
        return None;
    }
    let word = &arguments[stray.index];
    let submits = SUBMITTING.contains(&verb.get_name());
    let has_mark = arguments[stray.index..].iter().any(|a| a == COMMAND_MARK);
    match &stray.flag {
        Some((flag, value)) if PATTERNS.contains(&flag.as_str()) => {
            let ending = Path::new(value).extension().map(|ending| format!(".{}", ending.to_string_lossy()));
            Some(format!(
                "--{flag} takes one pattern, and {word:?} is another word: quote the pattern, or the shell expands it, \
                 e.g. --{flag} '*{}'",
                ending.unwrap_or_default()
            ))
        }
        Some((flag, value)) if FILES.contains(&flag.as_str()) && Path::new(word).exists() => {
            let (value, word) = (shown(value), shown(word));
            Some(format!("--{flag} takes one file, repeat it for several: --{flag} {value} --{flag} {word}"))
        }
        _ if (!submits || has_mark) && Path::new(word).exists() => {
            let ending = Path::new(word).extension().map(|ending| format!(".{}", ending.to_string_lossy()));
            let ending = ending.unwrap_or_default();
            Some(format!(
                "{word:?} is a file and no source: for the files of a pattern quote it, or the shell expands it, \
                 e.g. --glob '*{ending}'; for the lines of a file write --lines {}",
                shown(word)
            ))
        }
        _ if has_mark => None,
        _ if !submits => Some(CliError::CommandForAdd.to_string()),
        _ => {
            let (before, after) = arguments[1..].split_at(stray.index - 1);
            let is_script = after.len() == 1 && word.contains(char::is_whitespace);
            let mark = if is_script { ["--shell", COMMAND_MARK].as_slice() } else { &[COMMAND_MARK] };
            let words = before.iter().map(|word| shown(word));
            let words =
                words.chain(mark.iter().map(|&mark| mark.to_owned())).chain(after.iter().map(|word| shown(word)));
            let line = words.collect::<Vec<_>>().join(" ");
            Some(format!("the command stands after `--`, did you mean: job-manager {line}"))
        }
    }
}

/// Returns the command line with `run` and `--` in their places, if it has no verb at all.
pub(super) fn without_verb(arguments: &[String]) -> Option<String> {
    let command = command();
    let mut words = arguments.iter().skip(1).take_while(|word| *word != COMMAND_MARK);
    if arguments.len() < 3 || words.any(|word| command.find_subcommand(word).is_some()) {
        return None;
    }
    let (program, after) = arguments.split_first()?;
    let with_verb = [program.clone(), SUBMITTING[1].to_owned()].into_iter().chain(after.iter().cloned());
    advice(&with_verb.collect::<Vec<_>>(), None)
}

/// Returns what to write instead of a list of items before `--`.
fn list_without_mark(arguments: &[String], verb_at: usize) -> Option<String> {
    let at = arguments.iter().position(|word| word.starts_with(":::"))?;
    if at < verb_at || arguments.iter().any(|word| word == COMMAND_MARK) {
        return None;
    }
    let (before, list) = arguments[1..].split_at(at - 1);
    let mark = if SUBMITTING.contains(&arguments[verb_at].as_str()) { "-- COMMAND" } else { COMMAND_MARK };
    let words = before.iter().map(|word| shown(word)).chain([mark.to_owned()]);
    let line = words.chain(list.iter().map(|word| shown(word))).collect::<Vec<_>>().join(" ");
    Some(format!("items stand after `--`, did you mean: job-manager {line}"))
}

fn is_verb_with_sources(word: &str) -> bool {
    SUBMITTING.contains(&word) || ["add", "sync"].contains(&word)
}

/// Returns the first word after the verb that is neither a flag, nor a value, nor where a job or a source stands.
fn stray_word(verb: &Command, arguments: &[String], verb_at: usize) -> Option<Stray> {
    let mut jobs = usize::from(!SUBMITTING.contains(&verb.get_name()));
    let mut flag: Option<(String, String)> = None;
    let mut index = verb_at + 1;
    while index < arguments.len() && arguments[index] != COMMAND_MARK {
        let word = &arguments[index];
        if word == "-" || word.starts_with(":::") {
            return None;
        }
        if let Some(arg) = verb.get_arguments().find(|arg| is_spelled(arg, word)) {
            let optional = arg.get_num_args().is_some_and(|values| values.min_values() == 0);
            let next_is_value = |next: &String| !next.starts_with('-') || next == "-";
            let values = match arg.get_num_args().map_or(0, |values| values.max_values()) {
                _ if word.contains('=') => 0,
                _ if optional && !arguments.get(index + 1).is_some_and(next_is_value) => 0,
                values => values,
            };
            let value = arguments.get(index + 1).filter(|_| values == 1).cloned();
            flag = arg.get_long().map(str::to_owned).zip(value);
            index += 1 + values;
        } else if word.starts_with('-') {
            flag = None;
            index += 1;
        } else if jobs > 0 {
            jobs -= 1;
            index += 1;
        } else {
            return Some(Stray { index, flag });
        }
    }
    None
}

fn is_spelled(arg: &Arg, word: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    arg.get_long().is_some_and(|long| name.strip_prefix("--") == Some(long))
        || arg.get_short().is_some_and(|short| word.strip_prefix('-') == Some(short.to_string().as_str()))
}

/// Quotes a word where a shell needs it; braces of placeholders need it nowhere.
fn shown(word: &str) -> String {
    let harmless: &[char] = if word.starts_with("--") { &['{', '}', '#', '='] } else { &['{', '}', '#'] };
    let rest = word.replace(harmless, "");
    if rest.is_empty() || rest == quote_for_shell(rest.as_bytes()) {
        word.to_owned()
    } else {
        quote_for_shell(word.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_for(line: &str, unknown: Option<&str>) -> Option<String> {
        let arguments: Vec<String> = line.split(' ').map(|word| word.replace('_', " ")).collect();
        advice(&arguments, unknown)
    }

    #[test]
    fn a_command_without_its_mark_is_shown_with_it() {
        let meant = |line: &str| Some(format!("the command stands after `--`, did you mean: job-manager {line}"));

        assert_eq!(advice_for("job-manager run echo hi", Some("hi")), meant("run -- echo hi"));
        assert_eq!(advice_for("job-manager run true", None), meant("run -- true"));
        assert_eq!(advice_for("job-manager run echo_hi", None), meant("run --shell -- 'echo hi'"));
        let line = "submit -j 4 --csv=a.csv gzip -9 {} ::: a b";
        let with_mark = meant("submit -j 4 --csv=a.csv -- gzip -9 {} ::: a b");
        assert_eq!(advice_for(&format!("job-manager {line}"), Some("-9")), with_mark);
        assert_eq!(
            advice_for("job-manager -q run --sql d q echo {}", Some("{}")),
            meant("-q run --sql d q -- echo {}")
        );
    }

    #[test]
    fn words_out_of_an_expanded_pattern_are_told_from_a_command() {
        let said = advice_for("job-manager run --glob a.jpg b.jpg c.jpg -- echo {}", Some("c.jpg")).unwrap();
        assert!(said.contains("quote the pattern") && said.ends_with("--glob '*.jpg'"), "{said}");
        let said = advice_for("job-manager add 7 --glob a b", Some("b")).unwrap();
        assert!(said.ends_with("--glob '*'"), "{said}");
        let said = advice_for("job-manager run --csv Cargo.toml Cargo.lock -- echo", None).unwrap();
        assert!(said.ends_with("--csv Cargo.toml --csv Cargo.lock"), "{said}");
    }

    #[test]
    fn a_command_for_a_job_that_has_one_is_called_so() {
        for line in ["job-manager add 7 echo hi", "job-manager sync 7 gzip -9 {}", "job-manager add 7 --limit 3 gzip"] {
            let said = advice_for(line, None).unwrap();
            assert!(said.starts_with("a job has its command already: give items after `-- :::`"), "{line}: {said}");
        }
        let said = advice_for("job-manager add 7 Cargo.toml", None).unwrap();
        assert!(said.contains("is a file and no source") && said.ends_with("--lines Cargo.toml"), "{said}");
    }

    #[test]
    fn items_without_the_mark_are_shown_behind_it() {
        let said = advice_for("job-manager add 7 ::: a b", Some("a")).unwrap();
        assert!(said.ends_with("did you mean: job-manager add 7 -- ::: a b"), "{said}");
        let said = advice_for("job-manager run -j 4 ::: a b", Some("a")).unwrap();
        assert!(said.ends_with("did you mean: job-manager run -j 4 -- COMMAND ::: a b"), "{said}");
    }

    #[test]
    fn a_command_without_a_verb_is_shown_with_run() {
        for (line, meant) in [
            ("job-manager echo {} ::: a b", "run -- echo {} ::: a b"),
            ("job-manager -j4 echo {} ::: a", "run -j4 -- echo {} ::: a"),
            ("job-manager -j 4 echo hi", "run -j 4 -- echo hi"),
        ] {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let said = without_verb(&arguments).unwrap();
            assert!(said.ends_with(&format!("did you mean: job-manager {meant}")), "{said}");
        }
        assert_eq!(without_verb(&["job-manager", "-j4", "list"].map(str::to_owned)), None);
    }

    #[test]
    fn files_in_the_place_of_a_source_are_told_from_a_pattern() {
        let said = advice_for("job-manager run Cargo.toml Cargo.lock -- echo {}", Some("Cargo.lock")).unwrap();
        assert!(said.contains("quote it") && said.contains("--glob '*.toml'"), "{said}");
    }

    #[test]
    fn nothing_is_said_of_words_in_their_places() {
        for line in
            ["job-manager run - -- echo {}", "job-manager run -- echo", "job-manager list x", "job-manager add 7 -"]
        {
            assert_eq!(advice_for(line, None), None, "{line}");
        }
        assert_eq!(advice_for("job-manager run -P 4 -- gzip", Some("-P")), None);
    }
}
