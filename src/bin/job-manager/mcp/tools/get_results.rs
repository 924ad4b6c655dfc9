//! `get_results`: what units returned, page by page.

use job_manager::model::{Flag, Outdated, Seq, UnitDetail, UnitFilter, UnitStatus};
use job_manager::text::omitted_bytes;
use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::mcp::answer::{VALUE_BYTES, end, exactly, line, value};
use crate::mcp::pages::{Asked, Pages};
use crate::mcp::schema::words;
use crate::mcp::shape::{Field, Kind, field, is_json, text_of};
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

const PAGES: Pages = Pages { name: "results", title: "Results", default_limit: 100, max_limit: 500, row };

const ROWS: &[Field] = &[
    field("seq", Kind::Whole, "Its number.").always(),
    field("status", Kind::Text, "Its state.").always(),
    field("payload", Kind::Text, "Its item; JSON if no text.").always(),
    field("payload_is_json", Kind::Flag, "If it is JSON."),
    field("result", Kind::Bytes, "Its result; JSON if no text."),
    field("result_is_json", Kind::Flag, "If it is JSON."),
    field("omitted_bytes", Kind::Whole, "Bytes not kept."),
    field("error", Kind::Text, "Its error."),
    field("outdated", Kind::Text, "Why it does not count."),
];

pub(super) struct GetResults;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// Only units in these states; without it completed ones.
    #[serde(default)]
    #[schemars(schema_with = "words::<UnitStatus>")]
    status: Option<Vec<UnitStatus>>,
    /// Show units too that are gone from the job's source or were replaced, with the reason as outdated.
    #[serde(default)]
    all: bool,
    /// Only units after this number: next_after of the page before.
    after: Option<i64>,
    /// Units to show; without it 100, at most 500.
    limit: Option<i64>,
}

impl Tool for GetResults {
    type Given = Given;
    const NAME: &'static str = "get_results";
    const TITLE: &'static str = "Results of a job";
    const DESCRIPTION: &'static str = "Return payload and result of units that completed, in order of their numbers; the result of \
        a command is its standard output. A page has at most 32 KiB, each value cut at 4 KiB; give its next_after as after for the next one.";
    const EFFECT: Effect = Effect::Reads;

    fn output() -> Vec<Field> {
        PAGES.fields(ROWS)
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let statuses = given.status.unwrap_or_else(|| vec![UnitStatus::Completed]);
        let filter =
            UnitFilter { statuses, current: if given.all { None } else { Some(true) }, ..UnitFilter::default() };
        let (client, job) = jobs.of(&given.job)?;
        let filter = if given.all { filter } else { client.accepted_only(job, filter)? };
        let answer = PAGES.answer(jobs, &given.job, &filter, &Asked { after: given.after, limit: given.limit })?;
        Ok(match client.undecided(job)? {
            0 => answer,
            flagged => answer
                .noting(&[format!("Flagged units that nobody has decided about: {flagged}; list_units shows them.")]),
        })
    }
}

#[derive(Serialize)]
struct Row {
    seq: Seq,
    status: UnitStatus,
    payload: Box<RawValue>,
    payload_is_json: Option<bool>,
    result: Option<Box<RawValue>>,
    result_is_json: Option<bool>,
    /// Bytes of the output that the copy for display omits.
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted_bytes: Option<u64>,
    error: Option<String>,
    outdated: Option<Outdated>,
}

fn row(unit: &UnitDetail, _: Option<&Flag>) -> Box<RawValue> {
    let payload = value(&unit.payload, VALUE_BYTES);
    let (result, result_is_json) = match (&unit.result, unit.text_result()) {
        (Some(result), _) => {
            let result = value(result, VALUE_BYTES);
            (Some(text_of(&result)), is_json(&result))
        }
        (None, Some(text)) => (Some(exactly(end(&text, VALUE_BYTES))), None),
        (None, None) => (None, None),
    };
    let is_copy = unit.result.is_none() && result.is_some();
    exactly(Row {
        seq: unit.seq,
        status: unit.status,
        payload_is_json: is_json(&payload),
        payload,
        result,
        result_is_json,
        omitted_bytes: unit.output.stdout.as_ref().map(omitted_bytes).filter(|bytes| is_copy && *bytes > 0),
        error: unit.error.as_deref().map(line),
        outdated: unit.outdated,
    })
}
