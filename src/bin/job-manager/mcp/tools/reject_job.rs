//! `reject_job`: cancel a job after its first units.

use job_manager::client::Client;
use job_manager::model::JobStatus;

use crate::mcp::cancels::cancel;
use crate::mcp::shape::Field;
use crate::mcp::status_shape::done_fields;
use crate::mcp::{Answer, Effect, Jobs, OneJobWithReason, Tool, ToolError};

pub(super) struct RejectJob;

impl Tool for RejectJob {
    type Given = OneJobWithReason;
    const NAME: &'static str = "reject_job";
    const TITLE: &'static str = "Reject a job";
    const DESCRIPTION: &'static str = "Cancel a job that waits for approval: its other units never run. Then start_batch with a \
        corrected command makes a new job.";
    const EFFECT: Effect = Effect::Ends;

    fn output() -> Vec<Field> {
        done_fields(&[])
    }

    fn answer(jobs: &Jobs, given: OneJobWithReason) -> Result<Answer, ToolError> {
        let (client, job) = jobs.to_change(&given.job)?;
        if client.job(job)?.status != JobStatus::AwaitingApproval {
            // It says why not, and nothing is decided.
            client.reject_job(job, &given.reason)?;
        }
        cancel(jobs, (client, job), given.reason, "The job was rejected.", Client::reject_job)
    }
}
