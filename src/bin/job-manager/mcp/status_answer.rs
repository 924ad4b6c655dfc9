//! Answers that end with where a job stands.

use job_manager::client::{Client, ManagerStatus, Started, UnitsSwept};
use job_manager::model::JobId;
use job_manager::text::counted;
use serde::Serialize;
use serde_json::json;

use super::answer::{exactly, line};
use super::changed_units::ChangedUnits;
use super::sentence::sentence;
use super::{Answer, ToolError};

/// Says where a job stands, in a sentence and as a document in which what units, managers and handlers said is shortened.
fn said_of(client: &Client, job: JobId) -> Result<(String, ManagerStatus), ToolError> {
    let seen = client.snapshot(job)?;
    let mut status = seen.status();
    for said in [&mut status.error, &mut status.callback_error, &mut status.waiting_for].into_iter().flatten() {
        *said = line(said);
    }
    if let Some(retrying) = &mut status.retrying {
        retrying.last = line(&retrying.last);
    }
    for run in status.managers.iter_mut().chain(&mut status.former_managers) {
        run.host = line(&run.host);
        run.reason = run.reason.as_deref().map(line);
    }
    Ok((sentence(&seen, &status), status))
}

/// Answers with where a job stands.
pub(super) fn status_answer(client: &Client, job: JobId) -> Result<Answer, ToolError> {
    let (sentence, status) = said_of(client, job)?;
    let labels: Vec<String> = status.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(Answer::new(sentence, &status).with("labels", exactly(labels)))
}

/// Answers with the manager that a start led to; says which secrets its units run without.
pub(super) fn started_answer(client: &Client, job: JobId, started: Started, done: &str) -> Result<Answer, ToolError> {
    let is_new = matches!(started, Started::Ready { .. });
    let missing = if is_new { client.missing_secrets(job)? } else { Vec::new() };
    let mut done = done.to_owned();
    if !missing.is_empty() {
        done.push_str(&format!(" Its units run without {}, which this server does not have.", missing.join(", ")));
    }
    let started = json!({ "pid": started.pid(), "already_running": !is_new, "missing_secrets": missing });
    done_answer(client, job, &done, started)
}

/// Answers with how many units a change was about and which, and how far the search for them came, if it did not come to its end.
pub(super) fn swept_answer(
    client: &Client,
    job: JobId,
    swept: UnitsSwept,
    units: ChangedUnits,
    done: &str,
) -> Result<Answer, ToolError> {
    let units = units.of(swept.changed);
    let mut summary = format!("{} {done}{}.", counted(swept.changed, "unit"), units.words(swept.changed));
    let mut document = json!({ "units_changed": swept.changed, "units": units.numbers() });
    if let Some(seq) = swept.searched_through {
        let next = seq.0 + 1;
        summary.push_str(&format!(
            " The search took half a second and stopped after unit {seq}: call again with first_seq {next}."
        ));
        document["searched_through"] = json!(seq);
    }
    done_answer(client, job, &summary, document)
}

/// Answers with what was done, in a sentence and as the fields of an object, and where the job stands then.
pub(super) fn done_answer(client: &Client, job: JobId, done: &str, more: impl Serialize) -> Result<Answer, ToolError> {
    let (sentence, status) = said_of(client, job)?;
    Ok(Answer::new(format!("{done} {sentence}"), &status).with_all(more))
}
