//! `list_jobs`: the jobs there are, the newest first.

use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::mcp::answer::{Answer, Page, line};
use crate::mcp::error::ToolError;
use crate::mcp::jobs::Jobs;
use crate::mcp::tool::{Effect, Tool};
use crate::model::{Job, JobFilter, JobStatus};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

pub(super) struct ListJobs;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Only jobs in these states: created, running, paused, awaiting_approval, completed, failed, cancelled.
    #[schemars(with = "Option<Vec<String>>")]
    status: Option<Vec<JobStatus>>,
    /// Only jobs with this label, such as team=web.
    label: Option<String>,
    /// Jobs to show; without it 20, at most 100.
    limit: Option<i64>,
}

impl Tool for ListJobs {
    type Given = Given;
    const NAME: &'static str = "list_jobs";
    const TITLE: &'static str = "List jobs";
    const DESCRIPTION: &'static str = "List jobs, the newest first, also those that other conversations or a terminal \
        started. Call it first when a person asks about a batch you know nothing of. Next call job_status or wait_job \
        with a number. 20 jobs unless limit says otherwise, at most 100.";
    const EFFECT: Effect = Effect::Reads;

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let Some(client) = jobs.to_read()? else {
            return Ok(Answer::new(
                "There are no jobs yet. start_batch starts one.",
                json!({ "schema": 1, "jobs": [] }),
            ));
        };
        let label = given.label.as_deref().map(label).transpose()?;
        let limit = given.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let found = client.jobs(&JobFilter {
            statuses: given.status.unwrap_or_default(),
            label,
            limit: Some(limit),
            ..JobFilter::default()
        })?;
        let mut page = Page::default();
        for job in &found {
            if !page.add(row(&client, job)?) {
                break;
            }
        }
        let summary = match page.len() {
            0 => "No job fits.".to_owned(),
            shown => format!("Jobs shown: {shown}, the newest first. job_status shows one, wait_job waits for it."),
        };
        Ok(Answer::new(summary, json!({ "schema": 1, "jobs": page.into_rows(), "limit": limit })))
    }
}

fn label(text: &str) -> Result<(String, String), ToolError> {
    let (name, value) = text.split_once('=').ok_or_else(|| ToolError::Label(text.to_owned()))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn row(client: &Client, job: &Job) -> Result<Value, ToolError> {
    let status = client.get_listed_status(job.id)?;
    Ok(json!({
        "id": job.id,
        "name": line(&job.name),
        "status": status.word(),
        "percentage": status.progress.percentage,
        "total": job.progress.total,
        "completed": job.progress.completed,
        "failed": job.progress.failed,
        "created_at": job.created_at,
    }))
}
