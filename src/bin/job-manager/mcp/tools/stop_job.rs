//! `stop_job`: pause a job.

use job_manager::client::StopOptions;
use job_manager::text::duration;
use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use crate::mcp::shape::Field;
use crate::mcp::status_answer::done_answer;
use crate::mcp::status_shape::done_fields;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

pub(super) struct StopJob;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// End running units at once; they go back to pending and run again later.
    #[serde(default)]
    now: bool,
    /// End running units that need longer than this, such as 30s.
    grace: Option<String>,
}

impl Tool for StopJob {
    type Given = Given;
    const NAME: &'static str = "stop_job";
    const TITLE: &'static str = "Pause a job";
    const DESCRIPTION: &'static str = "Pause a job: nothing more is started, running units finish, and nothing is lost. wait_job says \
        when it is paused, resume_job continues it, cancel_job ends a job permanently.";
    // With `now` or `grace` units are ended in the middle of their work.
    const EFFECT: Effect = Effect::Ends;

    fn output() -> Vec<Field> {
        done_fields(&[])
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let grace = given.grace.as_deref().map(duration).transpose()?;
        // How, is more than a manager of an older version can be told.
        let is_plain = !given.now && grace.is_none();
        let (client, job) = if is_plain { jobs.to_stop(&given.job)? } else { jobs.to_change(&given.job)? };
        client.stop_manager(job, StopOptions { now: given.now, grace })?;
        done_answer(&client, job, "The job was asked to stop.", ())
    }
}
