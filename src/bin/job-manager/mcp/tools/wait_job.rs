//! `wait_job`: wait a while for the end of a job.

use std::time::Duration;

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use crate::mcp::shape::Field;
use crate::mcp::status_answer::status_answer;
use crate::mcp::status_shape::WAITED;
use crate::mcp::waits::Wait;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

/// Hosts give a call up after a minute.
const MAX_SECONDS: f64 = 50.0;

pub(super) struct WaitJob;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// Seconds to wait, at most 50; without it 40 where the host follows progress, else 4.
    #[schemars(range(min = 0, max = 50))]
    timeout: Option<f64>,
}

impl Tool for WaitJob {
    type Given = Given;
    const NAME: &'static str = "wait_job";
    const TITLE: &'static str = "Wait for a job";
    const DESCRIPTION: &'static str = "Wait a few seconds until a job has ended, pauses or waits for approval, \
        and say where it stands. If it still runs then, call wait_job again, as often as it takes.";
    const EFFECT: Effect = Effect::Reads;

    fn awaits(given: Given) -> Option<Wait> {
        let time = given.timeout.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, MAX_SECONDS)));
        Some((given.job, time))
    }

    fn output() -> Vec<Field> {
        WAITED.to_vec()
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let (client, job) = jobs.of(&given.job)?;
        status_answer(&client, job)
    }
}
