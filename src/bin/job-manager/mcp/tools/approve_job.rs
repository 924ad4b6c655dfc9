//! `approve_job`: let a job go on after its first units.

use crate::mcp::shape::Field;
use crate::mcp::status_answer::started_answer;
use crate::mcp::status_shape::started_fields;
use crate::mcp::{Answer, Effect, Jobs, OneJob, Tool, ToolError};

pub(super) struct ApproveJob;

impl Tool for ApproveJob {
    type Given = OneJob;
    const NAME: &'static str = "approve_job";
    const TITLE: &'static str = "Approve a job";
    const DESCRIPTION: &'static str = "Let a job run its other units that was started with canary and waits for approval. \
        Show the person what get_results and list_failures say of the first units and ask before. Next call wait_job.";
    const EFFECT: Effect = Effect::Runs;

    fn output() -> Vec<Field> {
        started_fields()
    }

    fn answer(jobs: &Jobs, given: OneJob) -> Result<Answer, ToolError> {
        let (client, job) = jobs.to_run(&given.job)?;
        let started = client.approve_job(job)?;
        started_answer(&client, job, started, "The job goes on.")
    }
}
