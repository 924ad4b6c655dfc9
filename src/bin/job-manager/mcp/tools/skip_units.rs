//! `skip_units`: leave units out.

use job_manager::client::SEARCH_TIME;
use job_manager::model::{Seq, UnitFilter, UnitStatus};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use crate::mcp::shape::Field;
use crate::mcp::status_answer::swept_answer;
use crate::mcp::status_shape::swept_fields;
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
        swept_fields("Units skipped.")
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let filter = given.filter()?;
        let (client, job) = jobs.to_change(&given.job)?;
        let swept = client.skip_units_within(job, &filter, &given.reason, Some(SEARCH_TIME))?;
        swept_answer(&client, job, swept, "skipped")
    }
}
