//! `retry_units`: ask for units again.

use job_manager::client::SEARCH_TIME;
use job_manager::model::{Seq, UnitFilter, UnitStatus};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use crate::mcp::shape::Field;
use crate::mcp::status_answer::swept_answer;
use crate::mcp::status_shape::swept_fields;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

pub(super) struct RetryUnits;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name or key of the job, or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// Units that failed.
    #[serde(default)]
    failed: bool,
    /// Units that were cancelled.
    #[serde(default)]
    cancelled: bool,
    /// Units that were skipped.
    #[serde(default)]
    skipped: bool,
    /// Units that wait for a later time: they are due at once, their attempts stay counted.
    #[serde(default)]
    waiting: bool,
    /// Failed units of this kind.
    cluster: Option<String>,
    /// Failed or cancelled units from this number on.
    first_seq: Option<i64>,
    /// Failed or cancelled units up to this number.
    last_seq: Option<i64>,
    /// Replace each unit of several items by units of one, so that those that fail are alone.
    #[serde(default)]
    one_by_one: bool,
}

impl Given {
    fn filter(&self) -> Result<UnitFilter, ToolError> {
        let states = [
            (self.failed, UnitStatus::Failed),
            (self.cancelled, UnitStatus::Cancelled),
            (self.skipped, UnitStatus::Skipped),
            (self.waiting, UnitStatus::Pending),
        ];
        let statuses: Vec<UnitStatus> =
            states.into_iter().filter_map(|(is_given, status)| is_given.then_some(status)).collect();
        if statuses.is_empty() && self.cluster.is_none() && self.first_seq.is_none() && self.last_seq.is_none() {
            return Err(ToolError::NoFilter("failed, cancelled, skipped, waiting, cluster, first_seq or last_seq"));
        }
        Ok(UnitFilter {
            statuses,
            first: self.first_seq.map(Seq),
            last: self.last_seq.map(Seq),
            cluster: self.cluster.as_deref().map(str::parse).transpose()?,
            ..UnitFilter::default()
        })
    }
}

impl Tool for RetryUnits {
    type Given = Given;
    const NAME: &'static str = "retry_units";
    const TITLE: &'static str = "Retry units";
    const DESCRIPTION: &'static str = "Send units back to pending, with all their attempts; a unit must fit one of the states \
        given and everything else. A running job takes them up by itself; for one that had ended call resume_job next. \
        Units after those of canary still wait for approve_job.";
    const EFFECT: Effect = Effect::Runs;

    fn output() -> Vec<Field> {
        swept_fields("Units that are pending again.")
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let filter = given.filter()?;
        let (client, job) = jobs.to_run(&given.job)?;
        let swept = match given.one_by_one {
            true => client.retry_one_by_one(job, &filter, Some(SEARCH_TIME))?,
            false => client.retry_units_within(job, &filter, Some(SEARCH_TIME))?,
        };
        swept_answer(&client, job, swept, "pending again")
    }
}
