//! What a page shows the beginning of, whole: results and items of many units, the manager's log, single values.

use std::io::Read;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use job_manager::client::StoreError;
use job_manager::model::{JobId, RawText, UnitFilter};
use serde::Deserialize;

use super::actions::Shared;
use super::answer::{Connections, Named, Refused};
use super::stream::{Broken, PIECE_BYTES, Pieces, file};
use super::values;
use super::words::{word, words};
use crate::results::{Columns, Format, Lines, Omitted, Table, item};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON_LINES: &str = "application/jsonl";

pub(super) fn routes() -> Router<Arc<Connections>> {
    let results = |format| get(move |state, job, query| results(format, state, job, query));
    let items = |are_lines| get(move |state, job, query| items(are_lines, state, job, query));
    Router::new()
        .route("/api/v1/jobs/{job}/download/results.csv", results(Format::Csv))
        .route("/api/v1/jobs/{job}/download/results.tsv", results(Format::Tsv))
        .route("/api/v1/jobs/{job}/download/results.jsonl", results(Format::Jsonl))
        .route("/api/v1/jobs/{job}/download/items.jsonl", items(false))
        .route("/api/v1/jobs/{job}/download/items.txt", items(true))
        .route("/api/v1/jobs/{job}/download/log.txt", get(log))
        .route("/api/v1/jobs/{job}/download/job.json", get(whole_job))
        .merge(values::routes())
}

/// Which units are downloaded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    status: Option<String>,
    cluster: Option<String>,
    key: Option<String>,
    group: Option<String>,
    #[serde(rename = "match")]
    pattern: Option<String>,
}

impl Which {
    fn filter(self) -> Result<UnitFilter, Refused> {
        Ok(UnitFilter {
            statuses: words("status", self.status.as_deref())?,
            key: self.key,
            group: self.group,
            pattern: word("match", self.pattern.as_deref())?,
            cluster: word("cluster", self.cluster.as_deref())?,
            ..UnitFilter::default()
        })
    }
}

type Asked = Result<Query<Which>, QueryRejection>;

/// The results that `results` prints, without those that are gone from the source or held.
async fn results(
    format: Format,
    State(connections): Shared,
    Named(job): Named<String>,
    query: Asked,
) -> Result<Response, Refused> {
    let filter = UnitFilter { current: Some(true), ..query?.0.filter()? };
    let (job, filter, table) = connections
        .look(move |client| {
            let job = client.find_job(&job)?;
            let filter = client.accepted_only(job, filter)?;
            let are_texts = client.has_text_results(&client.job(job)?)?;
            let columns = match format {
                Format::Jsonl => Columns::default(),
                Format::Csv | Format::Tsv => Columns::of(client, job, &filter)?,
            };
            if columns.input.is_cut || columns.result.is_cut {
                return Err(Refused::TooManyColumns);
            }
            Ok((job, filter, Arc::new(Table { columns, are_texts, with_outdated: false })))
        })
        .await?;
    let (kind, end) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Tsv => ("text/tab-separated-values; charset=utf-8", "tsv"),
        Format::Jsonl => (JSON_LINES, "jsonl"),
    };
    Ok(file(kind, &format!("job-{job}-results.{end}"), move |pieces| {
        write_results(&connections, format, job, &filter, &table, pieces)
    }))
}

fn write_results(
    connections: &Connections,
    format: Format,
    job: JobId,
    filter: &UnitFilter,
    table: &Arc<Table>,
    pieces: &Pieces,
) -> Result<(), Broken> {
    let client = connections.reader();
    let mut lines = Lines::new(format, table);
    lines.add_header()?;
    let (mut after, mut unreadable) = (None, None);
    loop {
        let next = lines.read(client, job, filter, after)?;
        let Omitted { values, unreadable: unread, .. } = lines.take_omitted();
        if values > 0 {
            return Err("values without a column came while the table was written".into());
        }
        pieces.give(&lines.take()?)?;
        unreadable = unreadable.or(unread.into_iter().next());
        let Some(next) = next else { break };
        after = Some(next);
    }
    // After all that can be read, so that no unit hides another one.
    unreadable.map_or(Ok(()), |unit| Err(StoreError::from(unit).into()))
}

/// The items of units: one document in each line, or one text where none of them has a line break.
async fn items(
    are_lines: bool,
    State(connections): Shared,
    Named(job): Named<String>,
    query: Asked,
) -> Result<Response, Refused> {
    let filter = query?.0.filter()?;
    let job = connections.look(move |client| Ok(client.find_job(&job)?)).await?;
    let (kind, end) = if are_lines { (TEXT, "txt") } else { (JSON_LINES, "jsonl") };
    Ok(file(kind, &format!("job-{job}-items.{end}"), move |pieces| {
        let (mut after, mut unreadable) = (None, None);
        loop {
            let mut made = Vec::new();
            after = connections.reader().each_result(job, &filter, after, &mut |unit| {
                match unit {
                    Ok(unit) if are_lines => made.extend(line(&unit.payload)),
                    Ok(unit) => made.extend(unit.payload.bytes()),
                    Err(unit) => {
                        unreadable.get_or_insert(unit);
                        return true;
                    }
                }
                made.push(b'\n');
                made.len() < PIECE_BYTES
            })?;
            pieces.give(&made)?;
            if after.is_none() {
                return unreadable.map_or(Ok(()), |unit| Err(StoreError::from(unit).into()));
            }
        }
    }))
}

/// Returns an item as a line of a file: its text, or its document where it is no text of one line.
fn line(payload: &str) -> Vec<u8> {
    let text = RawText::of_json(payload).map_or_else(|| item(payload).into_bytes(), |text| text.as_bytes().to_vec());
    if text.contains(&b'\n') { payload.as_bytes().to_vec() } else { text }
}

async fn log(State(connections): Shared, Named(job): Named<String>) -> Result<Response, Refused> {
    let (job, mut log) = connections
        .look(move |client| {
            let job = client.find_job(&job)?;
            Ok((job, client.manager_log(job, None).map_err(Refused::NoLog)?))
        })
        .await?;
    Ok(file(TEXT, &format!("job-{job}-log.txt"), move |pieces| {
        let mut block = vec![0; PIECE_BYTES];
        loop {
            match log.read(&mut block)? {
                0 => return Ok(()),
                read => pieces.give(&block[..read])?,
            }
        }
    }))
}

/// The document of a job without cuts.
async fn whole_job(State(connections): Shared, Named(job): Named<String>) -> Result<Response, Refused> {
    let (job, text) = connections
        .look(move |client| {
            let job = client.find_job(&job)?;
            Ok((job, serde_json::to_vec(&client.status_document(job)?)?))
        })
        .await?;
    Ok(file("application/json", &format!("job-{job}.json"), move |pieces| Ok(pieces.give(&text)?)))
}
