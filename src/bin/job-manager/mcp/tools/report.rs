//! `report`: one page about a job.

use serde_json::json;

use crate::mcp::answer::{PAGE_BYTES, beginning};
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::{Answer, Effect, Jobs, OneJob, Tool, ToolError};

pub(super) struct Report;

impl Tool for Report {
    type Given = OneJob;
    const NAME: &'static str = "report";
    const TITLE: &'static str = "Report on a job";
    const DESCRIPTION: &'static str = "One page in Markdown that a person can keep: facts, command, durations, kinds of failure and \
        slowest units.";
    const EFFECT: Effect = Effect::Reads;

    fn output() -> Vec<Field> {
        vec![field("markdown", Kind::Text, "The page.").always()]
    }

    fn answer(jobs: &Jobs, given: OneJob) -> Result<Answer, ToolError> {
        let (client, job) = jobs.of(&given.job)?;
        let page = (jobs.faces().report)(&client, job).map_err(ToolError::Face)?;
        let page = beginning(&page, PAGE_BYTES / 4);
        Ok(Answer::new(format!("The page about job {job}, in Markdown."), json!({ "markdown": page })))
    }
}
