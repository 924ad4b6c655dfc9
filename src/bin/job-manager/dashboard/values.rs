//! The values of one unit, whole.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use job_manager::client::{Client, ClientError};
use job_manager::model::{JobId, RawText, Seq};
use serde::Deserialize;

use super::actions::Shared;
use super::answer::{Connections, Named, Refused};
use super::stream::file;
use super::words::{number, whole, wrong};
use crate::results::item;

const TEXT: &str = "text/plain; charset=utf-8";
/// What was written to a stream may be in no or any encoding.
const BYTES: &str = "application/octet-stream";

pub(super) fn routes() -> Router<Arc<Connections>> {
    let value = |value| get(move |state, unit| text(value, state, unit));
    let stream = |is_stderr| get(move |state, unit, query| stream(is_stderr, state, unit, query));
    Router::new()
        .route("/api/v1/jobs/{job}/units/{seq}/download/item.txt", value(Value::Item))
        .route("/api/v1/jobs/{job}/units/{seq}/download/result.txt", value(Value::Result))
        .route("/api/v1/jobs/{job}/units/{seq}/download/error.txt", value(Value::Error))
        .route("/api/v1/jobs/{job}/units/{seq}/download/command.txt", value(Value::Command))
        .route("/api/v1/jobs/{job}/units/{seq}/download/stdout.txt", stream(false))
        .route("/api/v1/jobs/{job}/units/{seq}/download/stderr.txt", stream(true))
}

#[derive(Debug, Clone, Copy)]
enum Value {
    Item,
    Result,
    Error,
    Command,
}

impl Value {
    fn name(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Result => "result",
            Self::Error => "error",
            Self::Command => "command",
        }
    }

    /// Reads it; none where the unit has none.
    fn of(self, client: &Client, job: JobId, seq: Seq) -> Result<Option<Vec<u8>>, ClientError> {
        // A text stands there without quotes, a document as it was written.
        let plain = |json: &str| {
            RawText::of_json(json).map_or_else(|| item(json).into_bytes(), |text| text.as_bytes().to_vec())
        };
        Ok(match self {
            Self::Command => client.unit_view(job, seq)?.command.map(String::into_bytes),
            Self::Item => Some(plain(&client.unit(job, seq)?.payload)),
            Self::Result => client.unit(job, seq)?.result.as_deref().map(plain),
            Self::Error => client.unit(job, seq)?.error.map(String::into_bytes),
        })
    }
}

async fn text(
    value: Value,
    State(connections): Shared,
    Named((job, seq)): Named<(String, String)>,
) -> Result<Response, Refused> {
    let seq = number(&seq)?;
    let (job, bytes) = connections
        .look(move |client| {
            let job = client.find_job(&job)?;
            Ok((job, value.of(client, job, seq)?.ok_or(Refused::NoValue { name: value.name() })?))
        })
        .await?;
    Ok(file(TEXT, &name_of(job, seq, value.name()), move |pieces| Ok(pieces.give(&bytes)?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    attempt: Option<String>,
}

/// The output of the latest attempt or of another one: all of it where the job keeps that, else its end.
async fn stream(
    is_stderr: bool,
    State(connections): Shared,
    Named((job, seq)): Named<(String, String)>,
    query: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Refused> {
    let seq = number(&seq)?;
    let attempt = whole("attempt", query?.0.attempt.as_deref())?;
    let is_none = || wrong("attempt", "attempts have numbers from 1 on".to_owned());
    let attempt = attempt.map(|number| u32::try_from(number).map_err(|_| is_none())).transpose()?;
    let (job, end, mut reader) = connections
        .look(move |client| {
            let job = client.find_job(&job)?;
            let output = match attempt {
                None => client.unit(job, seq)?.output,
                Some(number) => client.attempt_output(job, seq, number)?.output,
            };
            let end = if is_stderr { output.stderr } else { output.stdout }.unwrap_or_default();
            Ok((job, end, client.output_reader(job, seq, attempt, is_stderr)?))
        })
        .await?;
    let name = if is_stderr { "stderr" } else { "stdout" };
    Ok(file(BYTES, &name_of(job, seq, name), move |pieces| {
        let mut is_kept = false;
        reader.read_more(|bytes| {
            is_kept = true;
            pieces.give(bytes)
        })?;
        if !is_kept {
            pieces.give(end.as_bytes())?;
        }
        Ok(())
    }))
}

fn name_of(job: JobId, seq: Seq, value: &str) -> String {
    format!("job-{job}-unit-{seq}-{value}.txt")
}
