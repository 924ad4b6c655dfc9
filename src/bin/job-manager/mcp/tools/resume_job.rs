//! `resume_job`: start or continue a job.

use job_manager::client::Started;

use crate::mcp::shape::Field;
use crate::mcp::status_answer::started_answer;
use crate::mcp::status_shape::started_fields;
use crate::mcp::{Answer, Effect, Jobs, OneJob, Tool, ToolError};

pub(super) struct ResumeJob;

impl Tool for ResumeJob {
    type Given = OneJob;
    const NAME: &'static str = "resume_job";
    const TITLE: &'static str = "Resume a job";
    const DESCRIPTION: &'static str = "Start a job, or continue one that is paused or whose manager died with the machine \
        or was killed. Completed units do not run again. Does no harm when it runs already. Next call wait_job.";
    const EFFECT: Effect = Effect::Runs;

    fn output() -> Vec<Field> {
        started_fields()
    }

    fn answer(jobs: &Jobs, given: OneJob) -> Result<Answer, ToolError> {
        let (client, job) = jobs.to_run(&given.job)?;
        // A manager waits longer than a host: what would keep it waiting is said before it is started.
        client.expect_writable()?;
        let started = client.resume_job(job)?;
        let done = match started {
            Started::Ready { .. } => "The job was started.",
            Started::Already { .. } => "The job runs already.",
        };
        started_answer(&client, job, started, done)
    }
}
