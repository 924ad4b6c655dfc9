//! `cancel_job`: end a job permanently.

use job_manager::client::Client;

use crate::mcp::cancels::cancel;
use crate::mcp::shape::Field;
use crate::mcp::status_shape::done_fields;
use crate::mcp::{Answer, Effect, Jobs, OneJobWithReason, Tool, ToolError};

pub(super) struct CancelJob;

impl Tool for CancelJob {
    type Given = OneJobWithReason;
    const NAME: &'static str = "cancel_job";
    const TITLE: &'static str = "Cancel a job";
    const DESCRIPTION: &'static str = "End a job permanently: running units are ended, all that have not ended are cancelled. \
        Only when the person asked for it; stop_job pauses it instead. wait_job says when it is over.";
    const EFFECT: Effect = Effect::Ends;

    fn output() -> Vec<Field> {
        done_fields(&[])
    }

    fn answer(jobs: &Jobs, given: OneJobWithReason) -> Result<Answer, ToolError> {
        let job = jobs.to_change(&given.job)?;
        cancel(jobs, job, given.reason, "The job was asked to cancel.", Client::cancel_job)
    }
}
