//! Standard output and standard error.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use job_manager::client::{UnitsChanged, UnitsSwept};
use job_manager::model::JobId;
use job_manager::text::counted;
use serde::Serialize;

use super::{CliError, Global, way_out};

/// How long a person waits for a search before being told how far it came.
pub(super) const SEARCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Where answers and hints go, in the format that was asked for.
pub(super) struct Output {
    pub json: bool,
    pub quiet: bool,
    pub verbose: bool,
    /// What was said beside a document, until it is known whether an error follows, in whose document it belongs.
    hints: Vec<String>,
}

impl Output {
    pub fn new(json: bool, global: &Global) -> Self {
        Self { json, quiet: global.quiet, verbose: global.verbose, hints: Vec::new() }
    }

    /// Prints a line of the answer, whoever its text is of.
    pub fn line(&mut self, text: impl Display) -> Result<(), CliError> {
        Ok(way_out::stdout().line(&text.to_string())?)
    }

    /// Returns `true` if standard output is shown in colours; `NO_COLOR` and `--color` have been heeded by then.
    pub fn has_colors() -> bool {
        anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
    }

    /// Prints a line that is ours from end to end, with its colours.
    pub fn own_line(&mut self, text: impl Display) -> Result<(), CliError> {
        Ok(writeln!(anstream::stdout(), "{text}")?)
    }

    /// Prints what somebody else wrote.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        Ok(way_out::stdout().write_all(bytes)?)
    }

    /// Prints one JSON document.
    pub fn document(&mut self, document: &impl Serialize) -> Result<(), CliError> {
        let mut stdout = BufWriter::new(way_out::stdout());
        serde_json::to_writer(&mut stdout, document).map_err(io::Error::from)?;
        stdout.write_all(b"\n")?;
        Ok(stdout.flush()?)
    }

    /// Prints a line with its title, if there is something to tell.
    pub fn field(&mut self, title: &str, value: Option<impl Display>) -> Result<(), CliError> {
        value.map_or(Ok(()), |value| self.line(format_args!("{title:<9} {value}")))
    }

    /// Prints an answer: a document, what a script takes from it, or a line for people.
    pub fn answer(
        &mut self,
        document: &impl Serialize,
        word: impl Display,
        line: impl Display,
    ) -> Result<(), CliError> {
        if self.json {
            self.document(document)
        } else if self.quiet {
            self.line(word)
        } else {
            self.line(line)
        }
    }

    /// Prints how many units of a job were changed, and what they are now.
    pub fn changed(&mut self, job: JobId, changed: i64, what: &str) -> Result<(), CliError> {
        let line = format!("{} {what}", counted(changed, "unit"));
        self.answer(&UnitsChanged::new(job, changed), job, line)
    }

    /// Says the same, and how far the units were looked for if the time for that ran out.
    pub fn swept(&mut self, job: JobId, swept: UnitsSwept, what: &str) -> Result<(), CliError> {
        let line = format!("{} {what}", counted(swept.changed, "unit"));
        self.answer(&UnitsChanged::swept(job, swept), job, line)?;
        if let Some(seq) = swept.searched_through {
            self.hint(format_args!(
                "the search took {} s and stopped after unit {seq}: the same with --seq {}- goes on",
                SEARCH_TIMEOUT.as_secs(),
                seq.0 + 1
            ));
        }
        Ok(())
    }

    /// Says something that is not part of the answer, unless it was asked to be quiet.
    pub fn hint(&mut self, text: impl Display) {
        if self.json && !self.quiet {
            self.hints.push(text.to_string());
        } else if !self.quiet {
            // Standard error may be closed; a hint is then lost on nobody.
            let _ = way_out::stderr().line(&text.to_string());
        }
    }

    /// Returns the hints that nobody has been told of.
    pub fn take_hints(&mut self) -> Vec<String> {
        std::mem::take(&mut self.hints)
    }

    /// Prints the hints that nobody has been told of.
    pub fn print_hints(&mut self) {
        for text in self.take_hints() {
            let _ = way_out::stderr().line(&text);
        }
    }

    /// Says several things, each on a line of its own.
    pub fn hints(&mut self, texts: &[String]) {
        texts.iter().for_each(|text| self.hint(text));
    }

    /// Says something for those who asked for more.
    pub fn detail(&mut self, text: impl Display) {
        if self.verbose {
            self.hint(text);
        }
    }
}
