//! `retry_units`: ask for units again.

use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::done_answer;
use crate::mcp::answer::Answer;
use crate::mcp::error::ToolError;
use crate::mcp::jobs::{JobGiven, Jobs};
use crate::mcp::tool::{Effect, Tool};
use crate::model::{Seq, UnitFilter, UnitStatus, counted};

pub(super) struct RetryUnits;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid or name of the job, or {"key": its key}; `last` is the newest one.
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
    /// Failed units of this kind, as listed by list_failures.
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
        ];
        let statuses: Vec<UnitStatus> =
            states.into_iter().filter_map(|(is_given, status)| is_given.then_some(status)).collect();
        if statuses.is_empty() && self.cluster.is_none() && self.first_seq.is_none() && self.last_seq.is_none() {
            return Err(ToolError::NoFilter);
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
    const DESCRIPTION: &'static str = "Send units back to pending, with all their attempts: those that failed, were cancelled \
        or skipped, one cluster of list_failures, or a range of numbers; a unit must fit one of the states given and \
        everything else. A running job takes them up by itself; for one that had ended call resume_job next. Units after \
        those of canary still wait for approve_job.";
    const EFFECT: Effect = Effect::Runs;

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let filter = given.filter()?;
        let (client, job) = jobs.to_change(&given.job)?;
        let changed =
            if given.one_by_one { client.retry_one_by_one(job, &filter)? } else { client.retry_units(job, &filter)? };
        done_answer(
            &client,
            job,
            &format!("{} pending again.", counted(changed, "unit")),
            json!({ "units_changed": changed }),
        )
    }
}
