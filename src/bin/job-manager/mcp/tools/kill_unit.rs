//! `kill_unit`: end one unit that runs.

use job_manager::model::{KillThen, Seq};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use crate::mcp::shape::Field;
use crate::mcp::status_answer::done_answer;
use crate::mcp::status_shape::done_fields;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

pub(super) struct KillUnit;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name or key of the job, or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// Its number.
    seq: i64,
    /// What becomes of it; without it another attempt, while some are left.
    then: Option<Then>,
    /// Why.
    reason: String,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars", inline)]
enum Then {
    Retry,
    Fail,
    Skip,
}

impl Tool for KillUnit {
    type Given = Given;
    const NAME: &'static str = "kill_unit";
    const TITLE: &'static str = "End a running unit";
    const DESCRIPTION: &'static str = "End one unit that runs, such as one that hangs. Returns at once; get_unit shows later \
        what became of it.";
    const EFFECT: Effect = Effect::Ends;

    fn output() -> Vec<Field> {
        done_fields(&[])
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let (client, job) = jobs.to_change(&given.job)?;
        let then = match given.then {
            Some(Then::Retry) | None => KillThen::Retry,
            Some(Then::Fail) => KillThen::Fail,
            Some(Then::Skip) => KillThen::Skip,
        };
        client.kill_unit(job, Seq(given.seq), then, &given.reason)?;
        done_answer(&client, job, "The unit was asked to end.", ())
    }
}
