//! What the library says of a source, a command or a submission, with the options of the command line that help.

#[cfg(test)]
mod tests;

use std::error::Error;

use job_manager::client::{ClientError, LimitError};
use job_manager::model::{JobId, PastedCode, PastedInto, Remark, Unreadable};
use job_manager::source::SourceError;
use job_manager::submission::{
    OrderError, OrderTextError, ProgramError, ShellFault, SubmissionError, TemplateError, TemplatePart,
};

use super::error::CliError;

/// Returns the text of an error, without its causes.
pub(super) fn said(error: &(dyn Error + 'static)) -> String {
    let found = if let Some(error) = error.downcast_ref() {
        of_verb(error)
    } else if let Some(error) = error.downcast_ref() {
        of_submission(error)
    } else if let Some(error) = error.downcast_ref() {
        of_source(error)
    } else if let Some(error) = error.downcast_ref::<Box<TemplateError>>() {
        of_template(error)
    } else if let Some(error) = error.downcast_ref() {
        of_template(error)
    } else if let Some(error) = error.downcast_ref() {
        of_order(error)
    } else if let Some(OrderTextError::Template(error)) = error.downcast_ref() {
        of_template(error)
    } else if let Some(error) = error.downcast_ref() {
        of_program(error)
    } else {
        None
    };
    found.unwrap_or_else(|| error.to_string())
}

/// Returns what is said of a job of a list that cannot be read.
pub(super) fn unreadable(found: &Unreadable) -> String {
    found.job().map_or_else(|| found.to_string(), |job| format!("{found}, or `rm {job}` deletes the job"))
}

/// Returns remarks as they are printed.
pub(super) fn remarks(remarks: &[Remark]) -> Vec<String> {
    remarks.iter().map(remark).collect()
}

fn remark(remark: &Remark) -> String {
    match remark {
        Remark::OtherDelimiter { delimiter, .. } => {
            format!("{remark}: if that separates fields, give --delimiter {delimiter}")
        }
        Remark::PastedCode(code) => format!("{code}: {}", instead(code)),
        Remark::NotApplied { .. } => {
            format!("{remark}; `job-manager scale` changes its workers, `job-manager set` its other limits")
        }
        _ => remark.to_string(),
    }
}

fn instead(code: &PastedCode) -> String {
    let PastedCode { program, placeholder, shell, .. } = code;
    match shell {
        PastedInto::Itself => format!(
            "use --shell, which quotes it, or write \"$1\" in the script and the item after it, as in {program} -c \
             'echo \"$1\"' {program} {placeholder}"
        ),
        PastedInto::Started => format!(
            "--shell does not quote for the shell that `{program}` starts; let the script read the item, with --stdin \
             item"
        ),
        PastedInto::Remote => {
            "neither --shell nor \"$1\" quotes for the shell on the other side; let the remote command \
                               read the item, with --stdin item"
                .to_owned()
        }
    }
}

fn of_verb(error: &CliError) -> Option<String> {
    match error {
        CliError::Client(ClientError::Limit(error)) => of_limit(error),
        CliError::Submission(error) => of_submission(error),
        CliError::Source(error) => of_source(error),
        _ => None,
    }
}

fn of_limit(error: &LimitError) -> Option<String> {
    let LimitError::IdleUnheard = error else { return None };
    Some("--output none reads nothing of what units write, so that nobody can tell which are idle: leave it out, or use --timeout".to_owned())
}

fn of_submission(error: &SubmissionError) -> Option<String> {
    Some(match error {
        SubmissionError::Client(ClientError::Limit(error)) => return of_limit(error),
        SubmissionError::Source(error) => return of_source(error),
        SubmissionError::Program(error) => return of_program(error),
        SubmissionError::NoItems { placeholders, corrected } => format!(
            "no items for {}; `-` reads standard input, `:::` takes them from here; literal braces are doubled: {corrected}",
            placeholders.join(" ")
        ),
        SubmissionError::NoItemsToRead => {
            format!("{error}: `-` reads them from here, `:::` takes them from the command line")
        }
        SubmissionError::NoItemsToGroup => format!("{error}: `-` reads standard input, `:::` takes them from here"),
        SubmissionError::LimitsOfSeveral => format!("{error}, or omit -n and -X"),
        SubmissionError::NothingToFill => {
            "no end of the items of a unit: -X fills the command, which does not use them; \
                                           write {} where they belong, or give -n N"
                .to_owned()
        }
        SubmissionError::OtherUnitKey { job, recorded, given } => other_unit_key(*job, recorded, given),
        SubmissionError::NotAShell { path, reason: ShellFault::Options } => {
            format!("{} cannot be the shell of scripts: --shell-path takes a program, without options", path.display())
        }
        SubmissionError::ShellArguments { given } => {
            format!("--shell takes the whole script as one argument, this is {given}")
        }
        SubmissionError::EnvReserved(name) => {
            format!("--env {name}: what begins with JOB_MANAGER_ is about a manager or a unit, choose another name")
        }
        SubmissionError::EnvTwice(name) => format!("--env gives two values for {name}, give one"),
        SubmissionError::EnvMissing(name) => {
            format!("--env {name}: no such variable in this environment, give NAME=VALUE")
        }
        SubmissionError::EnvOnlyName(name) => {
            format!("--env-only {name:?}: give names of variables, and values with --env NAME=VALUE")
        }
        SubmissionError::SecretValue(name) => format!(
            "--env {name}=…: a secret is not kept in the database; set it in this environment and give --env {name}"
        ),
        SubmissionError::OutputDirTemplate(dir) => format!(
            "--output-dir {dir}: a placeholder cannot stand there, the directory is the same for all units and its files \
             are named SEQ.ATTEMPT.out; literal braces are doubled"
        ),
        SubmissionError::OutputDir { path, .. } => format!("--output-dir {}: cannot write there", path.display()),
        SubmissionError::NoWorkingDirectory(_) => {
            "the directory that this is called in is gone: give --cwd with an absolute path".to_owned()
        }
        _ => return None,
    })
}

fn other_unit_key(job: JobId, recorded: &str, given: &str) -> String {
    match recorded {
        "" => format!(
            "job {job} was created without --unit-key, its units cannot be known by {given:?} now: omit --unit-key"
        ),
        recorded => format!("job {job} knows its units by the key {recorded:?}, not {given:?}: omit --unit-key"),
    }
}

fn of_source(error: &SourceError) -> Option<String> {
    let help = match error {
        SourceError::Nul { .. } => {
            ", items that end with NUL are read with --null, UTF-16 is converted with iconv -f UTF-16 -t UTF-8"
        }
        SourceError::NoNul { .. } => ": read it without --null, or end an item of several lines with NUL",
        SourceError::CommandGoesOn { .. } => ", write it on one line or end commands with NUL (--null)",
        SourceError::Empty { .. } => " (--allow-empty takes that for a job without units)",
        SourceError::DocumentGoesOn { .. } => {
            ", read the file with --json, or write each document on a line with jq -c"
        }
        SourceError::OneArray { .. } => ", read its elements with --json",
        SourceError::AfterDocument { .. } => "; one document per line is read with --jsonl",
        SourceError::NoArrayHere { .. } => {
            "; --path names the fields that lead to it, and one document per line is read with --jsonl"
        }
        SourceError::NoArray { .. } => ", --path names the fields that lead to the array, `.` the document itself",
        SourceError::Unclosed { .. } => ", a file without quoting is read with --no-quotes",
        SourceError::AfterQuote { .. } | SourceError::QuoteInside { .. } => {
            "; a file without quoting is read with --no-quotes"
        }
        SourceError::DelimiterLine { place, delimiter } => {
            return Some(format!(
                "{place}: this line tells Excel the delimiter, remove it and give --delimiter {delimiter}"
            ));
        }
        SourceError::OtherDelimiter { delimiter, .. } => {
            return Some(format!("{error}, give --delimiter {delimiter}, or put the name in quotes if it is one"));
        }
        _ => return None,
    };
    Some(format!("{error}{help}"))
}

fn of_template(error: &TemplateError) -> Option<String> {
    let help = match error {
        TemplateError::ArgumentTooLong { .. }
        | TemplateError::CommandTooLong { .. }
        | TemplateError::ScriptTooLong { .. } => ", with --stdin item",
        TemplateError::LineBreak => ": use --stdin payload",
        TemplateError::Uncounted { .. } => ", with -n",
        TemplateError::OneItemOnly { placeholder, part } => {
            return Some(format!("{placeholder} in {} needs a unit of one item, these have several", option(*part)?));
        }
        TemplateError::SlotBefore { placeholder, part } => {
            let option = option(*part)?;
            return Some(format!("{placeholder} cannot be part of {option}: it is known only when the unit runs"));
        }
        _ => return None,
    };
    Some(format!("{error}{help}"))
}

/// Returns the option that gives a template.
fn option(part: TemplatePart) -> Option<&'static str> {
    Some(match part {
        TemplatePart::Cwd => "--cwd",
        TemplatePart::Env => "--env",
        TemplatePart::Creates => "--creates",
        TemplatePart::Order => "--order",
        TemplatePart::Timeout => "--timeout",
        TemplatePart::Slots => "--slots",
        _ => return None,
    })
}

fn of_order(error: &OrderError) -> Option<String> {
    match error {
        OrderError::Value(_) => Some("cannot use it for --order".to_owned()),
        OrderError::Mixed { .. } => Some(format!("--order: {error}")),
        _ => None,
    }
}

fn of_program(error: &ProgramError) -> Option<String> {
    match error {
        ProgramError::OneWord(word) => Some(format!(
            "command not found: {word:?} is one word with blanks, did you mean --shell, or separate words?"
        )),
        _ => None,
    }
}
