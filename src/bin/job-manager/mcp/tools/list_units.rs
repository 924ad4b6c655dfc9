//! `list_units`: units of a job, page by page.

use job_manager::model::{Flag, Flagged, Seq, UnitDetail, UnitFilter, UnitStatus};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::mcp::answer::{exactly, line};
use crate::mcp::pages::{Asked, Pages};
use crate::mcp::schema::words;
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

const PAGES: Pages = Pages { name: "units", title: "Units", default_limit: 50, max_limit: 200, row };

const ROWS: &[Field] = &[
    field("seq", Kind::Whole, "Its number.").always(),
    field("status", Kind::Text, "Its state.").always(),
    field("item", Kind::Text, "Its item."),
    field("attempts", Kind::Whole, "Attempts since a retry."),
    field("error", Kind::Text, "Its last error."),
    field("exit_code", Kind::Whole, "Exit code."),
    field("flag", Kind::Text, "What is doubtful."),
];

pub(super) struct ListUnits;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// Only units in these states.
    #[serde(default)]
    #[schemars(schema_with = "words::<UnitStatus>")]
    status: Option<Vec<UnitStatus>>,
    /// Only units whose item contains this regular expression.
    matching: Option<String>,
    /// Id from list_failures: units of that kind.
    cluster: Option<String>,
    /// Only units of this group.
    group: Option<String>,
    /// Only completed units that are flagged and undecided.
    #[serde(default)]
    flagged: bool,
    /// Only units from this number on.
    first_seq: Option<i64>,
    /// Only units up to this number.
    last_seq: Option<i64>,
    /// Only units after this number: next_after of the page before.
    after: Option<i64>,
    /// Units to show; without it 50, at most 200.
    limit: Option<i64>,
}

impl Given {
    fn filter(&self) -> Result<UnitFilter, ToolError> {
        Ok(UnitFilter {
            statuses: self.status.clone().unwrap_or_default(),
            first: self.first_seq.map(Seq),
            last: self.last_seq.map(Seq),
            pattern: self.matching.as_deref().map(str::parse).transpose()?,
            cluster: self.cluster.as_deref().map(str::parse).transpose()?,
            group: self.group.clone(),
            flagged: self.flagged.then_some(Flagged::Undecided),
            ..UnitFilter::all()
        })
    }
}

impl Tool for ListUnits {
    type Given = Given;
    const NAME: &'static str = "list_units";
    const TITLE: &'static str = "List units";
    const DESCRIPTION: &'static str = "List units of a job in order of their numbers: state, attempts, item, error, all shortened. \
        A page has at most 32 KiB; give its next_after as after for the next one. list_failures says why units failed, \
        get_unit shows one in full, get_results what they returned.";
    const EFFECT: Effect = Effect::Reads;

    fn output() -> Vec<Field> {
        PAGES.fields(ROWS)
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        PAGES.answer(jobs, &given.job, &given.filter()?, &Asked { after: given.after, limit: given.limit })
    }
}

fn row(unit: &UnitDetail, flag: Option<&Flag>) -> Box<RawValue> {
    let item = unit.payload_as::<String>().unwrap_or_else(|_| unit.payload.clone());
    exactly(json!({
        "seq": unit.seq, "status": unit.status, "outdated": unit.outdated, "attempts": unit.attempts, "item": line(&item),
        "flag": flag.map(|flag| line(&flag.text)),
        "error": unit.reason().as_deref().map(line), "exit_code": unit.exit_code,
        "started_at": unit.started_at, "finished_at": unit.finished_at, "not_before": unit.not_before,
    }))
}
