//! `open_dashboard`: an address at which a person can look at all jobs.

use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

pub(super) struct OpenDashboard;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Job that it shows; all without it.
    #[schemars(with = "Option<String>")]
    job: Option<JobGiven>,
}

impl Tool for OpenDashboard {
    type Given = Given;
    const NAME: &'static str = "open_dashboard";
    const TITLE: &'static str = "Open a dashboard";
    const DESCRIPTION: &'static str = "An address on this machine at which the person can watch all jobs in a browser, \
        without changing them, until this server ends.";
    const EFFECT: Effect = Effect::Opens;

    fn output() -> Vec<Field> {
        vec![field("url", Kind::Text, "The address, for the person.").always()]
    }

    fn answer(jobs: &Jobs, Given { job }: Given) -> Result<Answer, ToolError> {
        let page = match job {
            // Behind the token, where the page looks for the place to show first.
            Some(job) => format!("/jobs/{}", jobs.of(&job)?.1),
            None if jobs.to_read()?.is_none() => return Err(ToolError::NoJobsYet),
            None => String::new(),
        };
        let Some(dashboard) = &jobs.faces().dashboard else { return Err(ToolError::NoDashboard) };
        let url = dashboard().map_err(ToolError::Face)? + &page;
        let summary = format!("{url} shows what there is, until this server ends. Whoever has it can see all jobs.");
        Ok(Answer::new(summary, json!({ "url": url })))
    }
}
