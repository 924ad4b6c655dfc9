//! `add_units`: more units for a job, or those that its source has now.

use std::env;

use job_manager::model::{Job, JobStatus};
use job_manager::submission::{SourceOptions, SubmissionError, additions_within};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::mcp::batch::{SourceForm, Sources};
use crate::mcp::schema::Described;
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::status_answer::done_answer;
use crate::mcp::status_shape::done_fields;
use crate::mcp::wording::remarks;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

/// How a source is read, which few need.
const FORM: [&str; 5] = ["csv_delimiter", "csv_no_quotes", "exclude", "hidden", "json_path"];

pub(super) struct AddUnits;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    job: JobGiven,
    #[serde(flatten)]
    sources: Sources,
    #[serde(flatten)]
    form: SourceForm,
    /// The source is all that there is: changed units run again, and those that are not in it are skipped.
    #[serde(default)]
    sync: bool,
}

impl Tool for AddUnits {
    type Given = Given;
    const NAME: &'static str = "add_units";
    const TITLE: &'static str = "Add units to a job";
    const DESCRIPTION: &'static str = "Add units to a job, also while it runs, or with sync bring it in line with a source \
        that has changed. Items have the form of those that the job was created with; one whose key the job has is not \
        added. A running job takes them up; for one that ended call resume_job next.";
    const DESCRIBED_BY: Option<Described> =
        Some(Described { by: "start_batch", but: &["job", "sync"], unlisted: &FORM });
    const EFFECT: Effect = Effect::Runs;

    fn output() -> Vec<Field> {
        done_fields(&[
            field("units_added", Kind::Whole, "New units.").always(),
            field("units_skipped", Kind::Whole, "Those the job had already."),
            field("units_changed", Kind::Whole, "Those that run again."),
            field("units_gone", Kind::Whole, "Those that sync skipped."),
            field("warnings", Kind::Texts, "What looks wrong."),
        ])
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let (client, job) = jobs.to_run(&given.job)?;
        let row: Job = client.job(job)?;
        let spec = client.command_settings(&row)?;
        let cwd = spec.filter(|spec| spec.cwd_template.is_none()).map(|spec| spec.cwd);
        if let (None, Some(path)) = (&cwd, given.sources.relative()) {
            return Err(ToolError::RelativeSource(path.to_owned()));
        }
        let cwd = cwd.map_or_else(env::current_dir, Ok).map_err(SubmissionError::NoWorkingDirectory)?;
        let opened = SourceOptions { limit: None, allow_empty: given.sync };
        let sources = given.sources.open(given.form, &cwd, opened, jobs.allowed())?;
        let sources = sources.ok_or(ToolError::Incomplete { given: "add_units", missing: "a source of items" })?;
        let notes = sources.notes.clone();
        let gives_up = jobs.gives_up();
        let units = additions_within(&client, sources, None, &row, jobs.allowed().judge_of_paths())?
            .map(move |unit| if gives_up() { Err(SubmissionError::GivenUp) } else { unit });
        let (mut done, mut changed) = if given.sync {
            let plan = client.try_sync_units::<SubmissionError>(job, units)?.plan;
            let (new, changed, gone) = (plan.new.len(), plan.changed.len(), plan.gone.len());
            let document = json!({ "units_added": new, "units_changed": changed, "units_gone": gone });
            (format!("Units: {new} new, {changed} changed, {gone} gone."), document)
        } else {
            let added = client.add_checked_units(&row, units)?;
            let document = json!({ "units_added": added.added, "units_skipped": added.skipped });
            (format!("Units: {} added, {} there already.", added.added, added.skipped), document)
        };
        let warnings = remarks(&notes.remarks());
        done.extend(warnings.iter().map(|warning| format!(" Warning: {warning}.")));
        changed["warnings"] = Value::from(warnings);
        if client.job(job)?.status == JobStatus::Paused {
            done.push_str(" resume_job runs them.");
        }
        done_answer(&client, job, &done, changed)
    }
}
