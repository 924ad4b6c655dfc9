//! `reject_job`: cancel a job behind its first units.

use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::done_answer;
use crate::mcp::answer::Answer;
use crate::mcp::error::ToolError;
use crate::mcp::jobs::{JobGiven, Jobs};
use crate::mcp::tool::{Effect, Tool};

pub(super) struct RejectJob;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid or name of the job; `last` is the newest one.
    job: JobGiven,
    /// Why, for whoever looks at the job later.
    reason: String,
}

impl Tool for RejectJob {
    type Given = Given;
    const NAME: &'static str = "reject_job";
    const TITLE: &'static str = "Reject a job";
    const DESCRIPTION: &'static str = "Cancel a job that was started with canary and waits for approval: its other units \
        never run. Then start_batch with a corrected command makes a new job.";
    const EFFECT: Effect = Effect::Ends;

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let (client, job) = jobs.to_change(&given.job)?;
        client.reject_job(job, &given.reason)?;
        done_answer(&client, job, "The job was rejected.", json!("rejected"))
    }
}
