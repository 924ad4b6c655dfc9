//! `preview_batch`: the first commands of a batch, without creating anything.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::{Duration, Instant};

use job_manager::client::{ClientError, Created};
use job_manager::model::RawText;
use job_manager::submission::SubmissionError;
use serde_json::json;

use super::start_batch::differs;
use crate::mcp::answer::beginning;
use crate::mcp::batch::{Batch, Checked};
use crate::mcp::questions::Question;
use crate::mcp::schema::Described;
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::wording::remarks;
use crate::mcp::{Answer, Effect, Jobs, Tool, ToolError};

const DEFAULT_COUNT: usize = 5;
const MAX_COUNT: usize = 20;
const COMMAND_CHARS: usize = 1000;
/// How long items are read.
const READING: Duration = Duration::from_millis(600);

/// What changes no command that is shown.
const UNSHOWN: [&str; 39] = [
    "name",
    "workers",
    "max_attempts",
    "timeout",
    "canary",
    "rate",
    "memfree",
    "load",
    "diskfree",
    "window",
    "not_before",
    "slots",
    "on_interrupt",
    "on_host_loss",
    "at_most_once",
    "env",
    "hold",
    "max_failures",
    "group",
    "per_group",
    "group_rate",
    "group_failures",
    "sample",
    "flag_if",
    "hold_flagged",
    "deadline",
    "then",
    "then_when",
    "check",
    "result",
    "schema",
    "output_dir",
    "hook",
    "meter",
    "budget",
    "reserve",
    "label",
    "shell_path",
    "allow_empty",
];

pub(super) struct PreviewBatch;

impl Tool for PreviewBatch {
    type Given = Batch;
    const NAME: &'static str = "preview_batch";
    const TITLE: &'static str = "Preview a batch";
    const DESCRIPTION: &'static str = "Show the first commands that start_batch would run with the same parameters, quoted as \
        for a shell; creates and runs nothing (canary of start_batch runs some). Items are read and checked. Takes all parameters of start_batch. Next call start_batch with \
        the same but count.";
    const DESCRIBED_BY: Option<Described> = Some(Described { by: "start_batch", but: &["count"], unlisted: &UNSHOWN });
    const EFFECT: Effect = Effect::Looks;

    fn asks(jobs: &Jobs, given: &Batch) -> Option<Question> {
        given.question(jobs.allowed())
    }

    fn output() -> Vec<Field> {
        vec![
            field("cwd", Kind::Bytes, "Directory of the units.").always(),
            field("commands", Kind::Texts, "The first commands, quoted for a shell.").always(),
            field("is_all", Kind::Flag, "Whether these are all."),
            field("units", Kind::Whole, "Units read and checked.").always(),
            field("existing_job", Kind::Whole, "The job that has this key already."),
            field("warnings", Kind::Texts, "What looks wrong."),
        ]
    }

    fn answer(jobs: &Jobs, given: Batch) -> Result<Answer, ToolError> {
        let count = given.count.map_or(DEFAULT_COUNT, NonZeroUsize::get).min(MAX_COUNT);
        let key = given.key.clone();
        let Checked { submission, spec, .. } = given.check(jobs.allowed())?;
        let (read, gives_up, began) = (Rc::new(Cell::new(0_i64)), jobs.gives_up(), Instant::now());
        let counted = Rc::clone(&read);
        let is_over = move || began.elapsed() > READING;
        let submission = submission.unless(move || {
            let ends = gives_up() || is_over();
            counted.set(counted.get() + i64::from(!ends));
            ends
        });
        let notes = submission.notes();
        let mut shown = Vec::new();
        let rehearsal = submission.rehearse(
            count,
            || jobs.to_rehearse(),
            |command| {
                shown.push(beginning(&command, COMMAND_CHARS));
                Ok::<(), ToolError>(())
            },
        );
        let (units, existing, is_cut) = match rehearsal {
            Err(ToolError::Submission(SubmissionError::GivenUp)) if !jobs.is_given_up() => {
                (read.get(), job_of(key.as_deref(), jobs)?, true)
            }
            rehearsal => rehearsal.map(|done| (done.units, done.existing, false))?,
        };
        let is_all = !is_cut && units == i64::try_from(shown.len()).unwrap_or(i64::MAX);
        let mut summary = match (existing, is_all) {
            (Some(created), _) => {
                format!("Job {} has this key already: start_batch would create nothing.", created.job)
            }
            (None, true) => format!("All commands ({units}). start_batch runs them."),
            (None, false) if is_cut => format!("The first {} of more than {units} commands.", shown.len()),
            (None, false) => format!("The first of {units} commands ({}). start_batch runs all.", shown.len()),
        };
        summary.extend(existing.and_then(|created| created.differs).map(differs));
        let mut warnings: Vec<String> = remarks(&notes.remarks());
        if is_cut {
            let read = READING.as_millis();
            warnings.push(format!(
                "there are more items, which were not read in {read} ms; start_batch reads and checks all"
            ));
        }
        summary.extend(warnings.iter().map(|warning| format!(" Warning: {warning}.")));
        let cwd = RawText::from(spec.cwd.as_os_str());
        Ok(Answer::new(
            summary,
            json!({ "schema": 1, "cwd": cwd, "commands": shown, "is_all": is_all, "units": units,
                "existing_job": existing.map(|created| created.job), "warnings": warnings }),
        ))
    }
}

/// Returns the job that has a key already.
fn job_of(key: Option<&str>, jobs: &Jobs) -> Result<Option<Created>, ToolError> {
    let Some((key, client)) = key.zip(jobs.to_rehearse()?) else { return Ok(None) };
    match client.find_job_of_key(key) {
        Ok(job) => Ok(Some(Created { job, new: false, differs: None })),
        Err(ClientError::NoJobOfKey { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
