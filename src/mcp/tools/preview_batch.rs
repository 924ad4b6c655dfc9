//! `preview_batch`: the first commands of a batch, without creating anything.

use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::mcp::answer::{Answer, beginning};
use crate::mcp::batch::{Batch, Checked};
use crate::mcp::error::ToolError;
use crate::mcp::jobs::Jobs;
use crate::mcp::tool::{Effect, Tool};
use crate::model::RawText;

const DEFAULT_COUNT: usize = 5;
const MAX_COUNT: usize = 20;
const COMMAND_CHARS: usize = 1000;

pub(super) struct PreviewBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Commands to show; without it 5, 20 at the most.
    count: Option<usize>,
    #[serde(flatten)]
    batch: Batch,
}

impl Tool for PreviewBatch {
    type Given = Given;
    const NAME: &'static str = "preview_batch";
    const TITLE: &'static str = "Preview a batch";
    const DESCRIPTION: &'static str = "Show the first commands that start_batch would run with the same parameters, quoted \
        as for a shell; creates and runs nothing. Only the items shown are read and checked. Next call start_batch with \
        the same parameters, without count.";
    const EFFECT: Effect = Effect::Reads;

    fn answer(_jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let count = given.count.unwrap_or(DEFAULT_COUNT).clamp(1, MAX_COUNT);
        let Checked { submission, spec } = given.batch.check()?;
        let notes = submission.notes();
        let mut commands = submission.commands();
        let shown: Vec<String> = commands.by_ref().take(count).collect::<Result<_, _>>()?;
        let is_all = commands.next().is_none();
        let shown: Vec<String> = shown.iter().map(|command| beginning(command, COMMAND_CHARS)).collect();
        let mut summary = match (shown.len(), is_all) {
            (0, _) => "There are no items: start_batch would refuse this.".to_owned(),
            (count, true) => format!("All commands ({count}). start_batch runs them."),
            (count, false) => format!("The first commands ({count}), there are more. start_batch runs them."),
        };
        let warnings = notes.texts();
        summary.extend(warnings.iter().map(|warning| format!(" Warning: {warning}.")));
        let cwd = RawText::from(spec.cwd.as_os_str());
        Ok(Answer::new(
            summary,
            json!({ "schema": 1, "cwd": cwd, "commands": shown, "is_all": is_all, "warnings": warnings }),
        ))
    }
}
