//! Whole messages, as people read them.

use std::io;
use std::path::PathBuf;

use job_manager::source::Place;

use super::*;

fn place() -> Place {
    Place::Told("f:2".into())
}

/// Returns the whole message of a verb that did not happen.
fn lines(error: impl Into<CliError>) -> Vec<String> {
    let error = error.into();
    let mut lines = vec![said(&error)];
    lines.extend(job_manager::text::causes(&error).map(said));
    lines
}

#[test]
fn an_error_of_a_source_ends_with_the_option_that_helps() {
    let name = || "f".to_owned();
    let no_quotes = "a file without quoting is read with --no-quotes";
    for (error, message) in [
        (
            SourceError::Nul { place: place(), byte: 2 },
            "f:2: a NUL byte at byte 2, items that end with NUL are read with --null, UTF-16 is converted with iconv -f \
             UTF-16 -t UTF-8"
                .to_owned(),
        ),
        (
            SourceError::NoNul { name: name() },
            "f has lines and no NUL: read it without --null, or end an item of several lines with NUL".to_owned(),
        ),
        (
            SourceError::CommandGoesOn { place: place() },
            "f:2: the command goes on in the next line, write it on one line or end commands with NUL (--null)".to_owned(),
        ),
        (
            SourceError::Empty { reasons: "f is empty".to_owned() },
            "no units: f is empty (--allow-empty takes that for a job without units)".to_owned(),
        ),
        (
            SourceError::DocumentGoesOn { place: place() },
            "f:2: the document goes on in the next line, read the file with --json, or write each document on a line with \
             jq -c"
                .to_owned(),
        ),
        (
            SourceError::OneArray { place: place() },
            "f:2: one array and not one document per line, read its elements with --json".to_owned(),
        ),
        (
            SourceError::AfterDocument { place: place(), column: 1 },
            "f:2: text after the document, column 1; one document per line is read with --jsonl".to_owned(),
        ),
        (
            SourceError::NoArray { name: name(), path: "a".to_owned() },
            "f: nothing is at \"a\", --path names the fields that lead to the array, `.` the document itself".to_owned(),
        ),
        (
            SourceError::Unclosed { place: place() },
            format!("f:2: the quote that opens a field here is never closed, {no_quotes}"),
        ),
        (
            SourceError::AfterQuote { place: place(), byte: 3, opened: 1 },
            format!(
                "f:2: text after a closing quote at byte 3 (opened on line 1), write a quote inside a field twice; \
                 {no_quotes}"
            ),
        ),
        (
            SourceError::QuoteInside { place: place(), byte: 3 },
            format!(
                "f:2: a quote inside a field at byte 3, quote the whole field and write the quote twice; {no_quotes}"
            ),
        ),
        (
            SourceError::DelimiterLine { place: place(), delimiter: "';'".to_owned() },
            "f:2: this line tells Excel the delimiter, remove it and give --delimiter ';'".to_owned(),
        ),
        (
            SourceError::OtherDelimiter { place: place(), delimiter: "tab".to_owned() },
            "f:2: the header is one field with tab in it, give --delimiter tab, or put the name in quotes if it is one"
                .to_owned(),
        ),
    ] {
        assert_eq!(lines(SubmissionError::Source(error)), [message]);
    }
}

#[test]
fn an_error_of_a_submission_names_its_option() {
    let gone = || io::Error::other("gone");
    for (error, message) in [
        (
            SubmissionError::EnvReserved("JOB_MANAGER_X".to_owned()),
            "--env JOB_MANAGER_X: what begins with JOB_MANAGER_ is about a manager or a unit, choose another name",
        ),
        (SubmissionError::EnvTwice("A".to_owned()), "--env gives two values for A, give one"),
        (SubmissionError::EnvMissing("A".to_owned()), "--env A: no such variable in this environment, give NAME=VALUE"),
        (
            SubmissionError::SecretValue("A".to_owned()),
            "--env A=…: a secret is not kept in the database; set it in this environment and give --env A",
        ),
        (
            SubmissionError::OtherUnitKey { job: JobId(7), recorded: String::new(), given: "{}".to_owned() },
            "job 7 was created without --unit-key, its units cannot be known by \"{}\" now: omit --unit-key",
        ),
        (
            SubmissionError::NotAShell { path: "bash -e".into(), reason: ShellFault::Options },
            "bash -e cannot be the shell of scripts: --shell-path takes a program, without options",
        ),
        (SubmissionError::ShellArguments { given: 2 }, "--shell takes the whole script as one argument, this is 2"),
        (
            SubmissionError::LimitsOfSeveral,
            "a time, slots or a group of each item's own need units of one item, these have several: give one for all, or omit -n \
             and -X",
        ),
        (
            SubmissionError::NothingToFill,
            "no end of the items of a unit: -X fills the command, which does not use them; write {} where they belong, or \
             give -n N",
        ),
        (
            SubmissionError::NoItemsToRead,
            "no items for standard input: `-` reads them from here, `:::` takes them from the command line",
        ),
        (
            SubmissionError::Program(ProgramError::OneWord("echo hi".to_owned())),
            "command not found: \"echo hi\" is one word with blanks, did you mean --shell, or separate words?",
        ),
    ] {
        assert_eq!(lines(error), [message]);
    }
    assert_eq!(
        lines(SubmissionError::OutputDir { path: PathBuf::from("out"), source: gone() }),
        ["--output-dir out: cannot write there", "gone"]
    );
    assert_eq!(
        lines(SubmissionError::NoWorkingDirectory(gone())),
        ["the directory that this is called in is gone: give --cwd with an absolute path", "gone"]
    );
}

#[test]
fn a_cause_names_its_option_as_well() {
    let template = TemplateError::SlotBefore { placeholder: "{%}".to_owned(), part: TemplatePart::Cwd };
    assert_eq!(
        lines(SubmissionError::Template(template)),
        ["cannot use the command", "{%} cannot be part of --cwd: it is known only when the unit runs"]
    );
    let long = TemplateError::CommandTooLong { bytes: 3, limit: 2 };
    assert_eq!(
        lines(SubmissionError::Item { place: "f:2".to_owned(), source: long })[1],
        "the command would have 3 bytes, it may have at most 2: let it read the item from standard input, with --stdin item"
    );
    let unfit = SourceError::Unfit { place: place(), source: Box::new(OrderError::Value(TemplateError::LineBreak)) };
    assert_eq!(
        lines(unfit),
        [
            "f:2: cannot be a unit of this job",
            "cannot use it for --order",
            "one of several items holds a line break, and standard input has one per line: use --stdin payload",
        ]
    );
}
