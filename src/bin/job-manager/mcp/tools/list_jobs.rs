//! `list_jobs`: the jobs there are, those under way first.

use job_manager::client::Snapshot;
use job_manager::model::{FoundJobs, JobFilter, ShownStatus, Unreadable};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::mcp::answer::{Page, line};
use crate::mcp::batch::label;
use crate::mcp::schema::words;
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::status_shape::JOB_NUMBER;
use crate::mcp::{Answer, Effect, Jobs, Tool, ToolError};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;
/// Jobs that cannot be read of which an answer names no more.
const NAMED: usize = 10;

const ROWS: &[Field] = &[
    field("id", Kind::Whole, "Number.").always(),
    field("name", Kind::Text, "Its name.").always(),
    field("status", Kind::Text, "Its state.").always(),
    field("workers", Kind::Whole, "Units at a time."),
    field("total", Kind::Whole, "Units."),
    field("completed", Kind::Whole, "Completed."),
    field("failed", Kind::Whole, "Failed."),
    field("created_at", Kind::Text, "When it was made."),
];

const UNREADABLE: &[Field] =
    &[JOB_NUMBER, field("column", Kind::Text, "Column."), field("value", Kind::Text, "What stands there.")];

pub(super) struct ListJobs;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Only jobs in these states.
    #[serde(default)]
    #[schemars(schema_with = "words::<ShownStatus>")]
    status: Option<Vec<ShownStatus>>,
    /// Only jobs with this label, such as team=web.
    label: Option<String>,
    /// Jobs to show; without it 20, at most 100.
    limit: Option<i64>,
}

impl Tool for ListJobs {
    type Given = Given;
    const NAME: &'static str = "list_jobs";
    const TITLE: &'static str = "List jobs";
    const DESCRIPTION: &'static str = "List jobs, those under way first, also those that other conversations or a terminal started. \
        Call it first when a person asks about a batch you know nothing of.";
    const EFFECT: Effect = Effect::Reads;

    fn output() -> Vec<Field> {
        vec![
            field("jobs", Kind::Rows(ROWS), "The jobs.").always(),
            field("unreadable", Kind::Rows(UNREADABLE), "Jobs that cannot be read."),
        ]
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let Some(client) = jobs.to_read()? else {
            return Ok(Answer::new(
                "There are no jobs yet. start_batch starts one.",
                json!({ "schema": 1, "jobs": [] }),
            ));
        };
        let label = given.label.as_deref().map(label).transpose()?;
        let limit = given.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let FoundJobs { jobs: found, unreadable } = client.snapshots(&JobFilter {
            label,
            limit: Some(limit),
            under_way_first: true,
            ..JobFilter::in_states(&given.status.unwrap_or_default())
        })?;
        let mut page = Page::default();
        found.iter().map(row).take_while(|row| page.add(row)).for_each(drop);
        let is_cut = page.len() < found.len() || i64::try_from(found.len()).is_ok_and(|found| found == limit);
        let summary = match page.len() {
            0 => "No job fits.".to_owned(),
            shown => {
                let more = if is_cut { "; there may be more: give status, label or limit" } else { "" };
                format!(
                    "Jobs shown: {shown}, those under way first{more}. job_status shows one, wait_job waits for it."
                )
            }
        };
        let mut content = json!({ "schema": 1, "jobs": page.into_rows(), "limit": limit });
        if unreadable.is_empty() {
            return Ok(Answer::new(summary, content));
        }
        let named: Vec<String> = unreadable.iter().take(NAMED).map(|job| line(&job.to_string())).collect();
        let shown: Vec<Value> = unreadable.iter().take(NAMED).map(unreadable_row).collect();
        content["unreadable"] = shown.into();
        Ok(Answer::new(format!("{summary} {}", named.join("; ")), content))
    }
}

fn unreadable_row(job: &Unreadable) -> Value {
    json!({ "job": { "id": job.job() }, "column": job.column, "value": line(&job.value) })
}

fn row(seen: &Snapshot) -> Value {
    let job = &seen.job;
    json!({
        "id": job.id,
        "name": line(&job.name),
        "status": seen.word(),
        "workers": job.limits.workers,
        "total": job.progress.total,
        "completed": job.progress.completed,
        "failed": job.progress.failed,
        "created_at": job.created_at,
    })
}
