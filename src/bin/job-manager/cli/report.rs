//! An error as it is reported: lines for people, one document for programs.

use anstyle::{AnsiColor, Style};
use job_manager::model::ErrorKind;
use job_manager::text::causes;
use serde::Serialize;

use super::{CliError, Exit, way_out, wording};

/// What is said of an error.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    kind: ErrorKind,
    message: String,
    caused_by: Vec<String>,
    /// What helps, if it is known.
    next: Option<String>,
    exit_code: u8,
    /// What was said before it happened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    error: &'a Report,
}

impl Report {
    /// Tells of a verb that did not happen.
    pub fn of(error: &CliError) -> Report {
        Report {
            kind: error.kind(),
            message: wording::said(error),
            caused_by: causes(error).map(wording::said).collect(),
            next: error.next_step(),
            exit_code: error.exit().code(),
            hints: Vec::new(),
        }
    }

    /// Tells of a command line that cannot be understood.
    pub fn of_misuse(message: String) -> Report {
        let exit_code = Exit::Usage.code();
        Report {
            kind: ErrorKind::InvalidInput,
            message,
            caused_by: Vec::new(),
            next: None,
            exit_code,
            hints: Vec::new(),
        }
    }

    /// Adds a cause that the error does not know of.
    pub fn because(mut self, cause: &str) -> Report {
        self.caused_by.push(cause.to_owned());
        self
    }

    /// Adds what was said before.
    pub fn after(mut self, hints: Vec<String>) -> Report {
        self.hints = hints;
        self
    }

    /// Prints it on standard error. Nobody is left to be told when that is closed.
    pub fn print(&self, as_json: bool) {
        let mut stderr = way_out::stderr();
        if as_json {
            let document = serde_json::to_string(&Document { schema: 1, error: self });
            let _ = stderr.line(&document.expect("a report is texts and numbers"));
            return;
        }
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let is_coloured = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        let mark = if is_coloured { format!("{red}error{red:#}: ") } else { "error: ".to_owned() };
        let next = self.next.as_ref().map(|next| format!(": {next}")).unwrap_or_default();
        let _ = stderr.line_behind(mark, &format!("{}{next}", self.message));
        for cause in &self.caused_by {
            let _ = stderr.line(&format!("  caused by: {cause}"));
        }
    }
}
