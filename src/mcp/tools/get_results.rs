//! `get_results`: what units returned, page by page.

use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::mcp::answer::{Answer, PAGE_BYTES, Page, VALUE_BYTES, end, line, value};
use crate::mcp::error::ToolError;
use crate::mcp::jobs::{JobGiven, Jobs};
use crate::mcp::tool::{Effect, Tool};
use crate::model::{Seq, UnitDetail, UnitFilter, UnitStatus};

const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 500;

pub(super) struct GetResults;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid or name of the job; `last` is the newest one.
    job: JobGiven,
    /// Only units in these states; without it completed ones.
    #[schemars(with = "Option<Vec<String>>")]
    status: Option<Vec<UnitStatus>>,
    /// Only units behind this number: next_after of the page before.
    after: Option<i64>,
    /// Units to show; without it 100, 500 at the most.
    limit: Option<i64>,
}

impl Tool for GetResults {
    type Given = Given;
    const NAME: &'static str = "get_results";
    const TITLE: &'static str = "Results of a job";
    const DESCRIPTION: &'static str = "Return payload and result of units that completed, in order of their numbers; the \
        result of a command is its standard output. A page has 100 units unless limit says otherwise, 500 or 32 KiB at \
        the most, each value cut at 4 KiB; give its next_after as after for the next one. For all results of a large \
        job let the command write files, or `job-manager results` in a terminal.";
    const EFFECT: Effect = Effect::Reads;

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let (client, job) = jobs.of(&given.job)?;
        let limit = given.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let after = given.after.map(|after| Seq(after.clamp(0, Seq::MAX.0)));
        let statuses = given.status.unwrap_or_else(|| vec![UnitStatus::Completed]);
        let found = client.units(job, &UnitFilter { statuses, ..UnitFilter::default() }, after, limit)?;
        let mut page = Page::default();
        let last = found.iter().take_while(|unit| page.add(row(unit))).last().map(|unit| unit.seq);
        let is_last = page.len() == found.len() && i64::try_from(found.len()).is_ok_and(|found| found < limit);
        let next_after = last.filter(|_| !is_last);
        let shown = page.len();
        let summary = match next_after {
            Some(next) => format!("Results of job {job}: {shown} shown; there may be more, with after {next}."),
            None => format!("Results of job {job}: {shown} shown, no more."),
        };
        Ok(Answer::new(
            summary,
            json!({
                "schema": 1, "job": { "id": job }, "results": page.into_rows(), "next_after": next_after,
                "limit": limit, "limit_bytes": PAGE_BYTES,
            }),
        ))
    }
}

fn row(unit: &UnitDetail) -> Value {
    let result = match (&unit.result, unit.text_result()) {
        (Some(result), _) => value(result, VALUE_BYTES),
        (None, Some(text)) => json!(end(text, VALUE_BYTES)),
        (None, None) => Value::Null,
    };
    json!({
        "seq": unit.seq, "status": unit.status, "payload": value(&unit.payload, VALUE_BYTES), "result": result,
        "error": unit.error.as_deref().map(line),
    })
}
