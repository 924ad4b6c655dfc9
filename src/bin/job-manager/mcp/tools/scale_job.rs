//! `scale_job`: change the number of a job's workers.

use std::num::NonZeroUsize;

use job_manager::text::counted;
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::status_answer::done_answer;
use crate::mcp::status_shape::done_fields;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

pub(super) struct ScaleJob;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name or key of the job, or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// Units that run at the same time from now on.
    workers: NonZeroUsize,
}

impl Tool for ScaleJob {
    type Given = Given;
    const NAME: &'static str = "scale_job";
    const TITLE: &'static str = "Change the number of workers";
    const DESCRIPTION: &'static str = "Change how many units of a job run at the same time, also while it runs. Units that \
        run already are not touched.";
    const EFFECT: Effect = Effect::Steers;

    fn output() -> Vec<Field> {
        done_fields(&[field("workers", Kind::Whole, "Units at a time.")])
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let (client, job) = jobs.to_change(&given.job)?;
        let limits = client.set_limits(job, |limits| limits.set_workers(given.workers.get()))?;
        let done = format!("The job has {} now.", counted(limits.workers, "worker"));
        done_answer(&client, job, &done, json!({ "workers": limits.workers }))
    }
}
