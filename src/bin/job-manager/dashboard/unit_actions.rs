//! What can be changed about units: those that a request names, by POST.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use job_manager::client::{Client, SEARCH_TIME, UnitsChanged};
use job_manager::failures::ClusterId;
use job_manager::model::{ItemPattern, JobId, JobStatus, KillThen, UnitFilter, UnitStatus};
use serde::Deserialize;

use super::actions::{Body, Shared, given};
use super::answer::{Connections, Named, Refused, Reply};
use super::words::{number, seq, word};

pub(super) fn routes() -> Router<Arc<Connections>> {
    Router::new()
        .route("/api/v1/jobs/{job}/retry", post(retry))
        .route("/api/v1/jobs/{job}/skip", post(skip))
        .route("/api/v1/jobs/{job}/units/{seq}/kill", post(kill))
        .route("/api/v1/jobs/{job}/units/{seq}/cancel", post(cancel))
}

/// Which units are meant, and what is said of it; a unit must satisfy all that is given.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Which {
    failed: bool,
    status: Option<String>,
    cluster: Option<String>,
    #[serde(rename = "match")]
    pattern: Option<String>,
    group: Option<String>,
    unit: Option<i64>,
    /// Whether a job that has ended or is paused goes on with them; of a retry only.
    start: bool,
    /// Of a skip only.
    reason: Option<String>,
}

impl Which {
    fn filter(&self) -> Result<UnitFilter, Refused> {
        let mut filter = UnitFilter {
            pattern: word::<ItemPattern>("match", self.pattern.as_deref())?,
            cluster: word::<ClusterId>("cluster", self.cluster.as_deref())?,
            group: self.group.clone(),
            ..UnitFilter::all()
        };
        filter.statuses.extend(word::<UnitStatus>("status", self.status.as_deref())?);
        match (self.failed, filter.statuses.is_empty()) {
            (true, true) => filter.statuses = vec![UnitStatus::Failed],
            (true, false) => return Err(Refused::Word("give failed or status, not both".to_owned())),
            (false, _) => {}
        }
        if let Some(number) = self.unit {
            let seq = seq("unit", number)?;
            (filter.first, filter.last) = (Some(seq), Some(seq));
        }
        let is_of_group = filter.group.is_some();
        let is_narrowed = filter.pattern.is_some() || filter.cluster.is_some() || filter.first.is_some() || is_of_group;
        if !is_narrowed && filter.statuses.is_empty() {
            return Err(Refused::Word(
                "say which units: {\"failed\":true}, {\"cluster\":ID}, {\"status\":STATE}, {\"match\":RE}, {\"group\":NAME} or {\"unit\":SEQ}"
                    .to_owned(),
            ));
        }
        Ok(filter)
    }
}

async fn retry(State(connections): Shared, Named(job): Named<String>, body: Body<Which>) -> Reply {
    let which = given(body)?;
    let filter = which.filter()?;
    if which.reason.is_some() {
        return Err(Refused::Word("a retry has no reason".to_owned()));
    }
    let retry = move |client: &Client, job| {
        // Its row says afterwards that it is paused.
        let before = client.job(job)?.status;
        if which.start && starts(before) {
            client.check_start(job)?;
        }
        let swept = client.retry_units_within(job, &filter, Some(SEARCH_TIME))?;
        if which.start && swept.changed > 0 {
            go_on(client, job, before)?;
        }
        Ok(UnitsChanged::swept(job, swept))
    };
    connections.write(job, retry).await
}

/// Lets a job go on that does not run; one that waits for an approval waits on.
fn go_on(client: &Client, job: JobId, before: JobStatus) -> Result<(), Refused> {
    match before {
        before if !starts(before) => {}
        before if before.is_terminal() => drop(client.start_detached(job)?),
        _ => drop(client.resume_job(job)?),
    }
    Ok(())
}

fn starts(before: JobStatus) -> bool {
    !matches!(before, JobStatus::AwaitingApproval | JobStatus::Created)
}

async fn skip(State(connections): Shared, Named(job): Named<String>, body: Body<Which>) -> Reply {
    let which = given(body)?;
    let filter = which.filter()?;
    if which.start {
        return Err(Refused::Word("a skip starts nothing".to_owned()));
    }
    let reason = which.reason.unwrap_or_else(|| "skipped on the dashboard".to_owned());
    let skip = move |client: &Client, job| {
        Ok(UnitsChanged::swept(job, client.skip_units_within(job, &filter, &reason, Some(SEARCH_TIME))?))
    };
    connections.write(job, skip).await
}

/// What becomes of a unit that is ended, and why it is.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct End {
    then: Option<String>,
    reason: Option<String>,
}

async fn kill(State(connections): Shared, Named((job, seq)): Named<(String, String)>, body: Body<End>) -> Reply {
    let (seq, End { then, reason }) = (number(&seq)?, given(body)?);
    let then = word::<KillThen>("then", then.as_deref())?.unwrap_or(KillThen::Retry);
    if then == KillThen::Cancel {
        return Err(Refused::Word("a unit is cancelled at units/SEQ/cancel".to_owned()));
    }
    let reason = reason.unwrap_or_else(|| "killed on the dashboard".to_owned());
    let kill = move |client: &Client, job| {
        client.kill_unit(job, seq, then, &reason)?;
        Ok(UnitsChanged::new(job, 1))
    };
    connections.write(job, kill).await
}

async fn cancel(State(connections): Shared, Named((job, seq)): Named<(String, String)>, body: Body<End>) -> Reply {
    let (seq, End { then, reason }) = (number(&seq)?, given(body)?);
    if then.is_some() {
        return Err(Refused::Word("nothing comes after a cancel".to_owned()));
    }
    let reason = reason.unwrap_or_else(|| "cancelled on the dashboard".to_owned());
    let cancel = move |client: &Client, job| {
        client.cancel_unit(job, seq, &reason)?;
        Ok(UnitsChanged::new(job, 1))
    };
    connections.write(job, cancel).await
}
