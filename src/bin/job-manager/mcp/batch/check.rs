//! A batch that becomes a submission: everything is checked that can be without reading the items.
//!
//! What is not allowed is refused before anything is looked up for it, so that nobody learns from a refusal what there is.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use job_manager::handler::{COMMAND, CommandSpec};
use job_manager::model::NewJob;
use job_manager::submission::{Asked, Order, SourceOptions, Submission, SubmissionError};

use super::Batch;
use crate::mcp::ToolError;
use crate::mcp::allowed::Allowed;

/// A batch that was checked as far as it can be without reading its items.
pub(in crate::mcp) struct Checked {
    pub submission: Submission,
    /// How its units are run.
    pub spec: CommandSpec,
    /// Whether the job is started.
    pub starts: bool,
}

impl Batch {
    pub fn check(self, allowed: &Allowed) -> Result<Checked, ToolError> {
        let (argv, is_script) = match (&self.command, &self.shell) {
            (Some(command), None) if !command.is_empty() => (command.iter().map(OsString::from).collect(), false),
            (None, Some(script)) => (vec![OsString::from(script)], true),
            _ => return Err(ToolError::NotOneCommand),
        };
        let spec = self.spec(&argv, is_script, allowed)?;
        let mut new = NewJob::new(self.name.clone().unwrap_or_else(|| default_name(&argv[0], is_script)), COMMAND);
        new.limits = self.limits()?;
        for disk in &new.limits.start.diskfree {
            allowed.expect_path("diskfree", &spec.cwd.join(&disk.path))?;
        }
        let Batch { sources, options, .. } = self;
        new.key = self.key;
        new.labels = options.label.read()?;
        let order = options.order.as_deref().map(Order::parse).transpose()?;
        let asked = Asked { name: self.name.is_some(), workers: self.workers.is_some(), order: order.is_some() };
        let opened = SourceOptions { limit: None, allow_empty: options.allow_empty };
        if let (Some(_), Some(path)) = (&spec.cwd_template, sources.relative()) {
            return Err(ToolError::RelativeSource(path.to_owned()));
        }
        let sources = sources.open(options.form, &spec.cwd, opened, allowed)?;
        let sources = match (sources, order) {
            (Some(sources), Some(order)) => Some(sources.sorted(order)),
            (None, Some(_)) => {
                return Err(ToolError::Incomplete { given: "order", missing: "a source of items" });
            }
            (None, None) if opened.allow_empty => {
                return Err(ToolError::Incomplete { given: "allow_empty", missing: "a source of items" });
            }
            (sources, None) => sources,
        };
        let submission = Submission::new(new, &spec, None, sources);
        let submission = submission.map_err(|error| match error {
            SubmissionError::NoItems { placeholders, .. } => ToolError::NoItems { placeholders },
            error => ToolError::Submission(error),
        })?;
        let submission = submission.asking(asked).within(allowed.judge_of_paths());
        Ok(Checked { submission, spec, starts: !options.hold })
    }
}

fn default_name(program: &OsStr, is_script: bool) -> String {
    let name = Path::new(program).file_name().filter(|_| !is_script);
    name.map_or_else(|| "script".to_owned(), |name| name.to_string_lossy().into_owned())
}
