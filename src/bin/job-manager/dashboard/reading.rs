//! What can be asked: the same documents as `--json` prints.

use std::io::{self, Read};
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, RawQuery, State};
use axum::routing::get;
use job_manager::client::{Client, SEARCH_TIME};
use job_manager::explain::ExplanationOf;
use job_manager::model::{JobFilter, JobId, Seq, UnitFilter, UnitOrder};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Connections, Named, Refused, Reply};
use super::kept::Of;
use super::words::{number, whole, word, words, wrong};
use crate::command_line::command_line;

const JOBS: i64 = 50;
/// So many rows fit into an answer, whatever they are cut to.
const MAX_ROWS: i64 = 300;
const UNITS: i64 = 50;

/// What is shown of the log of a manager.
const LOG_LINES: usize = 200;
const LOG_BYTES: usize = 64 * 1024;

type Shared = State<Arc<Connections>>;

pub(super) fn routes() -> Router<Arc<Connections>> {
    Router::new()
        .route("/api/v1/jobs", get(jobs))
        .route("/api/v1/strips", get(strips))
        .route("/api/v1/jobs/{job}", get(job))
        .route("/api/v1/jobs/{job}/units", get(units))
        .route("/api/v1/jobs/{job}/units/{seq}", get(unit))
        .route("/api/v1/jobs/{job}/failures", get(failures))
        .route("/api/v1/jobs/{job}/charts", get(charts))
        .route("/api/v1/jobs/{job}/lanes", get(lanes))
        .route("/api/v1/jobs/{job}/explain", get(explain))
        .route("/api/v1/jobs/{job}/log", get(log))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobsQuery {
    status: Option<String>,
    name: Option<String>,
    limit: Option<String>,
}

async fn jobs(State(connections): Shared, query: Result<Query<JobsQuery>, QueryRejection>) -> Reply {
    let Query(query) = query?;
    let states = words("status", query.status.as_deref())?;
    let filter = JobFilter {
        name: query.name.filter(|name| !name.is_empty()),
        limit: Some(rows(query.limit.as_deref())?.unwrap_or(JOBS)),
        under_way_first: true,
        ..JobFilter::in_states(&states)
    };
    connections.read(move |client| Ok(client.job_list(&filter)?)).await
}

/// Reads how many rows are asked for; no more are given than fit.
fn rows(given: Option<&str>) -> Result<Option<i64>, Refused> {
    match whole("limit", given)? {
        Some(limit) if limit < 1 => Err(wrong("limit", format!("invalid limit {limit}, expected a number from 1 on"))),
        limit => Ok(limit.map(|limit| limit.min(MAX_ROWS))),
    }
}

async fn job(State(connections): Shared, Named(job): Named<String>) -> Reply {
    connections.read(move |client| Ok(client.status_document(client.find_job(&job)?)?)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitsQuery {
    status: Option<String>,
    cluster: Option<String>,
    key: Option<String>,
    group: Option<String>,
    #[serde(rename = "match")]
    pattern: Option<String>,
    sort: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

async fn units(
    State(connections): Shared,
    Named(job): Named<String>,
    RawQuery(address): RawQuery,
    query: Result<Query<UnitsQuery>, QueryRejection>,
) -> Reply {
    let Query(query) = query?;
    let searches = query.pattern.is_some();
    let filter = UnitFilter {
        statuses: words("status", query.status.as_deref())?,
        key: query.key,
        group: query.group,
        pattern: word("match", query.pattern.as_deref())?,
        cluster: word("cluster", query.cluster.as_deref())?,
        ..UnitFilter::default()
    };
    let order: UnitOrder = word("sort", query.sort.as_deref())?.unwrap_or_default();
    let limit = rows(query.limit.as_deref())?.unwrap_or(UNITS);
    let after = whole("after", query.after.as_deref())?.map(Seq);
    let page = move |client: &Client, job| Ok(client.unit_page(job, &filter, order, after, limit, SEARCH_TIME)?);
    match (searches, order) {
        (true, _) => connections.search(move |client| page(client, client.find_job(&job)?)).await,
        (false, UnitOrder::Seq) => connections.read(move |client| page(client, client.find_job(&job)?)).await,
        (false, _) => connections.drawn_of(job, address.unwrap_or_default(), Of::units, page).await,
    }
}

async fn unit(State(connections): Shared, Named((job, seq)): Named<(String, String)>) -> Reply {
    let seq = number(&seq)?;
    connections.read(move |client| Ok(client.unit_view(client.find_job(&job)?, seq)?)).await
}

async fn failures(State(connections): Shared, Named(job): Named<String>) -> Reply {
    connections.read(move |client| Ok(client.failure_report(client.find_job(&job)?, None)?)).await
}

async fn charts(State(connections): Shared, Named(job): Named<String>) -> Reply {
    connections.drawn_of(job, "charts".to_owned(), Of::counts, |client, job| Ok(client.charts_document(job)?)).await
}

async fn lanes(State(connections): Shared, Named(job): Named<String>) -> Reply {
    connections.drawn_of(job, "lanes".to_owned(), Of::counts, |client, job| Ok(client.lanes_document(job)?)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StripsQuery {
    jobs: Option<String>,
}

async fn strips(State(connections): Shared, query: Result<Query<StripsQuery>, QueryRejection>) -> Reply {
    let given = query?.0.jobs.unwrap_or_default();
    let number = |text: &str| whole("jobs", Some(text)).transpose().map(|number| number.map(JobId));
    let jobs: Vec<JobId> = given.split(',').filter_map(number).collect::<Result<_, _>>()?;
    connections.drawn(format!("strips {given}"), Of::Database, move |client| Ok(client.strips_document(&jobs)?)).await
}

/// The last lines of the log of a job's managers; none of a job that has had no manager.
async fn log(State(connections): Shared, Named(job): Named<String>) -> Reply {
    connections
        .read(move |client| {
            let job = client.find_job(&job)?;
            let end = match client.manager_log(job, Some(LOG_LINES)) {
                Ok(log) => end_of(log).map_err(Refused::NoLog)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(Refused::NoLog(error)),
            };
            let lines: Vec<_> = end.split_inclusive(|byte| *byte == b'\n').map(String::from_utf8_lossy).collect();
            let lines: Vec<_> = lines.iter().map(|line| line.trim_end_matches('\n')).collect();
            Ok(json!({ "schema": 1, "job": { "id": job }, "lines": lines }))
        })
        .await
}

/// Returns the last bytes of a log, from the beginning of a line on where there is one.
fn end_of(mut log: impl Read) -> io::Result<Vec<u8>> {
    let (mut end, mut block) = (Vec::new(), vec![0; LOG_BYTES]);
    loop {
        let read = log.read(&mut block)?;
        if read == 0 {
            return Ok(end);
        }
        end.extend_from_slice(&block[..read]);
        if let Some(before) = end.len().checked_sub(LOG_BYTES).filter(|before| *before > 0) {
            end.drain(..before);
            let line = end.iter().position(|byte| *byte == b'\n').filter(|at| at + 1 < end.len());
            end.drain(..line.map_or(0, |at| at + 1));
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainQuery {
    unit: Option<String>,
}

async fn explain(
    State(connections): Shared,
    Named(job): Named<String>,
    query: Result<Query<ExplainQuery>, QueryRejection>,
) -> Reply {
    let seq = whole("unit", query?.0.unit.as_deref())?.map(Seq);
    connections
        .read(move |client| {
            let job = client.find_job(&job)?;
            let answer = client.explain(job, seq)?;
            Ok(ExplanationOf::new(job, seq, &answer, command_line(&answer.next_step)))
        })
        .await
}
