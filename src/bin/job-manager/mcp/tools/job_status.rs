//! `job_status`: where a job stands and whether its manager lives.

use crate::mcp::shape::Field;
use crate::mcp::status_answer::status_answer;
use crate::mcp::status_shape::STATUS;
use crate::mcp::{Answer, Effect, Jobs, OneJob, Tool, ToolError};

pub(super) struct JobStatus;

impl Tool for JobStatus {
    type Given = OneJob;
    const NAME: &'static str = "job_status";
    const TITLE: &'static str = "Status of a job";
    const DESCRIPTION: &'static str = "Say at once where a job stands: its state, the counts of its units, rate, time \
        left, what it waits for, and whether its manager lives. To follow a job call wait_job instead; if nothing moves, \
        explain; if units failed, list_failures.";
    const EFFECT: Effect = Effect::Reads;

    fn output() -> Vec<Field> {
        STATUS.to_vec()
    }

    fn answer(jobs: &Jobs, given: OneJob) -> Result<Answer, ToolError> {
        let (client, job) = jobs.of(&given.job)?;
        status_answer(&client, job)
    }
}
