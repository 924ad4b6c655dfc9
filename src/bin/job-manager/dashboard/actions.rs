//! What can be changed about jobs: one verb of the client each, asked for by POST.
//!
//! Nothing here waits for what a verb leads to: a request is durable when it is answered, and the page sees what became of it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request, State};
use axum::routing::post;
use axum::{Json, Router};
use job_manager::client::{Approval, Client, ManagerStarted, StopOptions, UnitsChanged, WorkersSet};
use job_manager::model::JobId;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::{Connections, Named, Refused, Reply};
use super::words::wrong;

pub(super) type Shared = State<Arc<Connections>>;
/// A body may be omitted, or be empty, but not be of another kind.
pub(super) type Body<T> = Result<MaybeJson<T>, JsonRejection>;

/// What the body of a request says, if it has one.
pub(super) struct MaybeJson<T>(Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for MaybeJson<T> {
    type Rejection = JsonRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, JsonRejection> {
        if request.body().is_end_stream() {
            return Ok(Self(None));
        }
        Ok(Self(Some(Json::from_request(request, state).await?.0)))
    }
}

pub(super) fn routes() -> Router<Arc<Connections>> {
    Router::new()
        .route("/api/v1/jobs/{job}/stop", post(stop))
        .route("/api/v1/jobs/{job}/resume", post(resume))
        .route("/api/v1/jobs/{job}/cancel", post(cancel))
        .route("/api/v1/jobs/{job}/scale", post(scale))
        .route("/api/v1/jobs/{job}/approve", post(approve))
        .route("/api/v1/jobs/{job}/reject", post(reject))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Stop {
    now: bool,
    grace_seconds: Option<u32>,
}

async fn stop(State(connections): Shared, Named(job): Named<String>, body: Body<Stop>) -> Reply {
    let Stop { now, grace_seconds } = given(body)?;
    let options = StopOptions { now, grace: grace_seconds.map(|seconds| Duration::from_secs(seconds.into())) };
    connections
        .write(job, move |client, job| {
            client.stop_manager(job, options)?;
            Ok(client.get_manager_status(job)?)
        })
        .await
}

/// A request that nothing is said with.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Nothing {}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Approve {
    /// Units that run before the next approval; all without it.
    next: Option<u32>,
}

async fn resume(State(connections): Shared, Named(job): Named<String>, body: Body<Nothing>) -> Reply {
    let Nothing {} = given(body)?;
    connections.write(job, |client, job| Ok(ManagerStarted::new(job, client.resume_job(job)?))).await
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Because {
    reason: Option<String>,
}

async fn cancel(State(connections): Shared, Named(job): Named<String>, body: Body<Because>) -> Reply {
    let reason = given(body)?.reason.unwrap_or_else(|| "cancelled on request".to_owned());
    connections.write(job, move |client, job| cancelled_by(client, job, || client.cancel_job(job, &reason))).await
}

async fn approve(State(connections): Shared, Named(job): Named<String>, body: Body<Approve>) -> Reply {
    let mut approval = Approval::default();
    approval.next = given(body)?.next;
    if approval.next == Some(0) {
        return Err(wrong("next", "invalid number of units 0, expected at least 1".to_owned()));
    }
    connections
        .write(job, move |client, job| Ok(ManagerStarted::new(job, client.approve_job_with(job, &approval)?)))
        .await
}

async fn reject(State(connections): Shared, Named(job): Named<String>, body: Body<Because>) -> Reply {
    let reason = given(body)?.reason.unwrap_or_else(|| "rejected after its first units".to_owned());
    connections.write(job, move |client, job| cancelled_by(client, job, || client.reject_job(job, &reason))).await
}

/// Counts the units that have been cancelled so far; a manager goes on with it.
fn cancelled_by(
    client: &Client,
    job: JobId,
    request: impl FnOnce() -> Result<(), job_manager::client::ClientError>,
) -> Result<UnitsChanged, Refused> {
    let before = client.progress(job)?.cancelled;
    request()?;
    Ok(UnitsChanged::new(job, client.progress(job)?.cancelled - before))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scale {
    workers: usize,
}

async fn scale(
    State(connections): Shared,
    Named(job): Named<String>,
    body: Result<Json<Scale>, JsonRejection>,
) -> Reply {
    let Json(Scale { workers }) = body?;
    connections
        .write(job, move |client, job| {
            let limits = client.set_limits(job, |limits| limits.set_workers(workers))?;
            Ok(WorkersSet::new(job, limits.workers))
        })
        .await
}

pub(super) fn given<T: Default>(body: Body<T>) -> Result<T, Refused> {
    Ok(body?.0.unwrap_or_default())
}
