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

use super::answer::{Connections, Named, Reply};
use super::words::{number, word, words};
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
        .route("/api/jobs/{job}/charts", get(charts))
        .route("/api/jobs/{job}/explain", get(explain))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobsQuery {
    status: Option<String>,
    name: Option<String>,
    limit: Option<i64>,
}

async fn jobs(State(connections): Shared, query: Result<Query<JobsQuery>, QueryRejection>) -> Reply<impl Serialize> {
    let Query(query) = query?;
    let states = words(query.status.as_deref())?;
    let filter = JobFilter {
        name: query.name.filter(|name| !name.is_empty()),
        limit: Some(query.limit.unwrap_or(JOBS).clamp(1, MAX_JOBS)),
        under_way_first: true,
        ..JobFilter::in_states(&states)
    };
    connections.read(move |client| Ok(client.job_list(&filter)?)).await
}

async fn job(State(connections): Shared, Named(job): Named<String>) -> Reply<impl Serialize> {
    connections.read(move |client| Ok(client.status_document(client.find_job(&job)?)?)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitsQuery {
    status: Option<String>,
    cluster: Option<String>,
    key: Option<String>,
    #[serde(rename = "match")]
    pattern: Option<String>,
    sort: Option<String>,
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
    let order: UnitOrder = word(query.sort.as_deref())?.unwrap_or_default();
    let limit = query.limit.unwrap_or(UNITS).clamp(1, MAX_UNITS);
    let after = query.after.map(Seq);
    connections
        .read(move |client| Ok(client.unit_page(client.find_job(&job)?, &filter, order, after, limit, SEARCH_TIME)?))
        .await
}

async fn unit(State(connections): Shared, Named((job, seq)): Named<(String, String)>) -> Reply<impl Serialize> {
    let seq = number(&seq)?;
    connections.read(move |client| Ok(client.unit_view(client.find_job(&job)?, seq)?)).await
}

async fn failures(State(connections): Shared, Named(job): Named<String>) -> Reply<impl Serialize> {
    connections.read(move |client| Ok(client.failure_report(client.find_job(&job)?, None)?)).await
}

async fn charts(State(connections): Shared, Named(job): Named<String>) -> Reply<impl Serialize> {
    connections.read(move |client| Ok(client.charts_document(client.find_job(&job)?)?)).await
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
