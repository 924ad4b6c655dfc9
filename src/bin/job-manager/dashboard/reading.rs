//! What can be asked: the same documents as `--json` prints.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use job_manager::client::SEARCH_TIME;
use job_manager::explain::ExplanationOf;
use job_manager::model::{JobFilter, Seq, UnitFilter, UnitOrder};
use serde::{Deserialize, Serialize};

use super::answer::{Connections, Named, Refused, Reply};
use crate::command_line::command_line;

const JOBS: i64 = 50;
const MAX_JOBS: i64 = 500;
const UNITS: i64 = 50;
const MAX_UNITS: i64 = 1000;

type Shared = State<Arc<Connections>>;

pub(super) fn routes() -> Router<Arc<Connections>> {
    Router::new()
        .route("/api/jobs", get(jobs))
        .route("/api/jobs/{job}", get(job))
        .route("/api/jobs/{job}/units", get(units))
        .route("/api/jobs/{job}/units/{seq}", get(unit))
        .route("/api/jobs/{job}/failures", get(failures))
        .route("/api/jobs/{job}/explain", get(explain))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobsQuery {
    status: Option<String>,
    limit: Option<i64>,
}

async fn jobs(State(connections): Shared, query: Result<Query<JobsQuery>, QueryRejection>) -> Reply<impl Serialize> {
    let Query(query) = query?;
    let statuses = words(query.status.as_deref())?;
    let limit = Some(query.limit.unwrap_or(JOBS).clamp(1, MAX_JOBS));
    connections
        .read(move |client| {
            Ok(client.job_list(&JobFilter { statuses, limit, under_way_first: true, ..JobFilter::default() })?)
        })
        .await
}

async fn job(State(connections): Shared, Named(job): Named<String>) -> Reply<impl Serialize> {
    connections.read(move |client| Ok(client.get_manager_status(client.find_job(&job)?)?)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitsQuery {
    status: Option<String>,
    cluster: Option<String>,
    key: Option<String>,
    #[serde(rename = "match")]
    pattern: Option<String>,
    after: Option<i64>,
    limit: Option<i64>,
}

async fn units(
    State(connections): Shared,
    Named(job): Named<String>,
    query: Result<Query<UnitsQuery>, QueryRejection>,
) -> Reply<impl Serialize> {
    let Query(query) = query?;
    let filter = UnitFilter {
        statuses: words(query.status.as_deref())?,
        key: query.key,
        pattern: word(query.pattern.as_deref())?,
        cluster: word(query.cluster.as_deref())?,
        ..UnitFilter::default()
    };
    let limit = query.limit.unwrap_or(UNITS).clamp(1, MAX_UNITS);
    let after = query.after.map(Seq);
    connections
        .read(move |client| {
            Ok(client.unit_page(client.find_job(&job)?, &filter, UnitOrder::Seq, after, limit, SEARCH_TIME)?)
        })
        .await
}

async fn unit(State(connections): Shared, Named((job, seq)): Named<(String, String)>) -> Reply<impl Serialize> {
    let seq = number(&seq)?;
    connections.read(move |client| Ok(client.unit_view(client.find_job(&job)?, seq)?)).await
}

async fn failures(State(connections): Shared, Named(job): Named<String>) -> Reply<impl Serialize> {
    connections.read(move |client| Ok(client.failure_report(client.find_job(&job)?)?)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainQuery {
    unit: Option<i64>,
}

async fn explain(
    State(connections): Shared,
    Named(job): Named<String>,
    query: Result<Query<ExplainQuery>, QueryRejection>,
) -> Reply<impl Serialize> {
    let seq = query?.0.unit.map(Seq);
    connections
        .read(move |client| {
            let job = client.find_job(&job)?;
            let answer = client.explain(job, seq)?;
            Ok(ExplanationOf::new(job, seq, &answer, command_line(&answer.next_step)))
        })
        .await
}

/// Reads a word of a query; an empty one is none.
fn word<T: std::str::FromStr<Err: std::fmt::Display>>(given: Option<&str>) -> Result<Option<T>, Refused> {
    let given = given.filter(|text| !text.is_empty());
    given.map(|text| text.parse().map_err(|error: T::Err| Refused::Word(error.to_string()))).transpose()
}

/// Reads words that are separated by commas.
fn words<T: std::str::FromStr<Err: std::fmt::Display>>(given: Option<&str>) -> Result<Vec<T>, Refused> {
    given.unwrap_or_default().split(',').filter_map(|text| word(Some(text)).transpose()).collect()
}

fn number(seq: &str) -> Result<Seq, Refused> {
    seq.parse().map(Seq).map_err(|_| Refused::Word(format!("invalid number of a unit {seq:?}")))
}
