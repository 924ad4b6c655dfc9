//! Units that completed and are doubtful: which there are, and what a person decides about them.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::routing::get;
use job_manager::client::{Client, SEARCH_TIME};
use job_manager::model::{Flag, Flagged, JobId, Seq, UnitDetail, UnitFilter};
use serde::{Deserialize, Serialize};

use super::actions::Shared;
use super::answer::{Connections, Named, Refused, Reply};
use super::words::{seq, whole};

/// Units to decide about that are shown at once.
const SHOWN: i64 = 20;

pub(super) fn routes() -> Router<Arc<Connections>> {
    Router::new().route("/api/v1/jobs/{job}/review", get(to_review).post(review))
}

#[derive(Serialize)]
struct ToReview {
    schema: u32,
    job: JobId,
    units: Vec<UnitToReview>,
    /// Flagged units that nobody has decided about, those that are not shown too.
    undecided: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<Seq>,
}

#[derive(Serialize)]
struct UnitToReview {
    flag: Option<String>,
    #[serde(flatten)]
    unit: UnitDetail,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: Option<String>,
}

async fn to_review(
    State(connections): Shared,
    Named(job): Named<String>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Reply {
    let after = whole("after", query?.0.after.as_deref())?.map(|after| Seq(after.clamp(0, Seq::MAX.0)));
    connections
        .read(move |client| {
            let job = client.find_job(&job)?;
            let undecided = client.undecided(job)?;
            let filter = UnitFilter { flagged: Some(Flagged::Undecided), ..UnitFilter::all() };
            let found = match undecided {
                // Nothing is looked for where nothing is.
                0 => Default::default(),
                _ => client.search_units(job, &filter, after, SHOWN, SEARCH_TIME)?,
            };
            let flagged = |unit: UnitDetail| {
                let flag = client.flag(job, unit.seq)?.map(|flag: Flag| flag.text);
                Ok::<_, Refused>(UnitToReview { flag, unit })
            };
            let units = found.units.into_iter().map(flagged).collect::<Result<_, _>>()?;
            Ok(ToReview { schema: 1, job, units, undecided, next_after: found.next_after })
        })
        .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    #[serde(default)]
    accept: Vec<i64>,
    #[serde(default)]
    redo: Vec<i64>,
    /// What is said about it; a unit that is done again knows it.
    note: Option<String>,
}

/// What was decided.
#[derive(Serialize)]
struct Reviewed {
    schema: u32,
    job: JobId,
    accepted: Vec<Seq>,
    redone: Vec<Seq>,
    /// Units that do it again.
    added: Vec<Seq>,
    undecided: u64,
    /// Whether the job goes on with them.
    started: bool,
}

async fn review(
    State(connections): Shared,
    Named(job): Named<String>,
    body: Result<Json<Decision>, JsonRejection>,
) -> Reply {
    let Json(Decision { accept, redo, note }) = body?;
    let (accepted, redone) = match (accept.is_empty(), redo.is_empty()) {
        (false, true) | (true, false) => (numbers("accept", &accept)?, numbers("redo", &redo)?),
        _ => return Err(Refused::Word("give the numbers of units as accept or as redo".to_owned())),
    };
    let note = note.filter(|note| !note.trim().is_empty());
    connections
        .write(job, move |client: &Client, job| {
            let before = client.job(job)?;
            client.check_reviewed_start(&before)?;
            let added = if redone.is_empty() {
                client.accept_units(job, &accepted, note.as_deref())?;
                Vec::new()
            } else {
                client.redo_units(job, &redone, note.as_deref())?
            };
            let started = client.start_reviewed(&before)?.is_some();
            Ok(Reviewed { schema: 1, job, accepted, redone, added, undecided: client.undecided(job)?, started })
        })
        .await
}

fn numbers(name: &'static str, given: &[i64]) -> Result<Vec<Seq>, Refused> {
    given.iter().map(|number| seq(name, *number)).collect()
}
