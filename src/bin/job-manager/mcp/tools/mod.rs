//! The tools: one file each, named as they are.

mod approve_job;
mod cancel_job;
mod explain;
mod get_results;
mod get_unit;
mod job_status;
mod list_failures;
mod list_jobs;
mod list_units;
mod preview_batch;
mod reject_job;
mod resume_job;
mod retry_units;
mod scale_job;
mod start_batch;
mod stop_job;
mod wait_job;

use job_manager::client::{Client, ManagerStatus, Started};
use job_manager::model::JobId;
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, line};
use super::error::ToolError;
use super::sentence::sentence;
use super::tool::Entry;

/// Returns every tool, in the order in which a batch goes.
pub(super) fn all() -> Vec<Entry> {
    vec![
        Entry::of::<preview_batch::PreviewBatch>(),
        Entry::of::<start_batch::StartBatch>(),
        Entry::of::<list_jobs::ListJobs>(),
        Entry::of::<job_status::JobStatus>(),
        Entry::of::<wait_job::WaitJob>(),
        Entry::of::<explain::Explain>(),
        Entry::of::<list_failures::ListFailures>(),
        Entry::of::<list_units::ListUnits>(),
        Entry::of::<get_unit::GetUnit>(),
        Entry::of::<get_results::GetResults>(),
        Entry::of::<stop_job::StopJob>(),
        Entry::of::<resume_job::ResumeJob>(),
        Entry::of::<cancel_job::CancelJob>(),
        Entry::of::<retry_units::RetryUnits>(),
        Entry::of::<approve_job::ApproveJob>(),
        Entry::of::<reject_job::RejectJob>(),
        Entry::of::<scale_job::ScaleJob>(),
    ]
}

/// Returns where a job stands, with what units, managers and handlers said about it shortened.
fn short_status(client: &Client, job: JobId) -> Result<ManagerStatus, ToolError> {
    let mut status = client.get_manager_status(job)?;
    for said in [&mut status.error, &mut status.callback_error, &mut status.waiting_for].into_iter().flatten() {
        *said = line(said);
    }
    Ok(status)
}

/// Answers with where a job stands.
fn status_answer(client: &Client, job: JobId) -> Result<Answer, ToolError> {
    let (row, status) = (client.job(job)?, short_status(client, job)?);
    Ok(Answer::new(sentence(&row, &status), &status))
}

/// Answers with the manager that a start led to; says which secrets its units run without.
fn started_answer(client: &Client, job: JobId, started: Started, done: &str) -> Result<Answer, ToolError> {
    let is_new = matches!(started, Started::Ready { .. });
    let missing = if is_new { client.missing_secrets(job)? } else { Vec::new() };
    let mut done = done.to_owned();
    if !missing.is_empty() {
        done.push_str(&format!(" Its units run without {}, which this server does not have.", missing.join(", ")));
    }
    done_answer(
        client,
        job,
        &done,
        json!({ "pid": started.pid(), "already_running": !is_new, "missing_secrets": missing }),
    )
}

/// Answers with what was done, and where the job stands then.
fn done_answer(client: &Client, job: JobId, done: &str, more: impl Serialize) -> Result<Answer, ToolError> {
    let (row, status) = (client.job(job)?, short_status(client, job)?);
    Ok(Answer::new(format!("{done} {}", sentence(&row, &status)), json!({ "done": more, "status": status })))
}
