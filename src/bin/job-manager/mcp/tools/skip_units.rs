//! `skip_units`: leave units out.

use job_manager::client::SEARCH_TIME;
use job_manager::model::{Seq, UnitFilter, UnitStatus};
use job_manager::text::counted;
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::status_answer::done_answer;
use crate::mcp::status_shape::done_fields;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

pub(super) struct SkipUnits;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name or key of the job, or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// All failed units.
    #[serde(default)]
    failed: bool,
    /// Failed units of this kind.
    cluster: Option<String>,
    /// From this number on.
    first_seq: Option<i64>,
    /// Up to this number.
    last_seq: Option<i64>,
    /// Why.
    reason: String,
}

impl Given {
    fn filter(&self) -> Result<UnitFilter, ToolError> {
        if !self.failed && self.cluster.is_none() && self.first_seq.is_none() && self.last_seq.is_none() {
            return Err(ToolError::NoFilter("failed, cluster, first_seq or last_seq"));
        }
        Ok(UnitFilter {
            statuses: if self.failed { vec![UnitStatus::Failed] } else { Vec::new() },
            first: self.first_seq.map(Seq),
            last: self.last_seq.map(Seq),
            cluster: self.cluster.as_deref().map(str::parse).transpose()?,
            ..UnitFilter::default()
        })
    }
}

impl Tool for SkipUnits {
    type Given = Given;
    const NAME: &'static str = "skip_units";
    const TITLE: &'static str = "Skip units";
    const DESCRIPTION: &'static str = "Leave units out that are pending or failed; retry_units with skipped takes them \
        back. A job whose other units have completed then counts as completed.";
    const EFFECT: Effect = Effect::Steers;

    fn output() -> Vec<Field> {
        done_fields(&[
            field("units_changed", Kind::Whole, "Units skipped.").always(),
            field("searched_through", Kind::Whole, "Unit at which the search stopped."),
        ])
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let filter = given.filter()?;
        let (client, job) = jobs.to_change(&given.job)?;
        let swept = client.skip_units_within(job, &filter, &given.reason, Some(SEARCH_TIME))?;
        let mut summary = format!("{} skipped.", counted(swept.changed, "unit"));
        let mut document = json!({ "units_changed": swept.changed });
        if let Some(seq) = swept.searched_through {
            let next = seq.0 + 1;
            summary.push_str(&format!(
                " The search took half a second and stopped after unit {seq}: call again with first_seq {next}."
            ));
            document["searched_through"] = json!(seq);
        }
        done_answer(&client, job, &summary, document)
    }
}
