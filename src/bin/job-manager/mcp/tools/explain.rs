//! `explain`: why nothing happens.

use job_manager::model::Seq;
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::command_line::command_line;
use crate::mcp::answer::beginning;
use crate::mcp::sentence::next_call;
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::status_shape::JOB_NUMBER;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

/// Most characters of the sentence, which may repeat what a unit or a manager said.
const SENTENCE_CHARS: usize = 1000;

pub(super) struct Explain;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// Number of one unit, to be told about that.
    seq: Option<i64>,
}

impl Tool for Explain {
    type Given = Given;
    const NAME: &'static str = "explain";
    const TITLE: &'static str = "Explain why nothing happens";
    const DESCRIPTION: &'static str = "Say why a job, or one of its units, is where it is, why nothing moves, it paused or failed, and \
        what to call next.";
    const EFFECT: Effect = Effect::Reads;

    fn output() -> Vec<Field> {
        vec![
            JOB_NUMBER,
            field("unit", Kind::Whole, "Number of the unit."),
            field("cause", Kind::Text, "The cause as one word.").always(),
            field("sentence", Kind::Text, "The cause in words.").always(),
            field("next_call", Kind::Text, "What to call next.").always(),
            field("command_line", Kind::Text, "The same for a terminal."),
        ]
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let (client, job) = jobs.of(&given.job)?;
        let found = client.explain(job, given.seq.map(Seq))?;
        let next_call = next_call(&client.job(job)?, &found);
        let sentence = beginning(&found.sentence, SENTENCE_CHARS);
        Ok(Answer::new(
            format!("{sentence}. {next_call}"),
            json!({
                "schema": 1, "job": { "id": job }, "unit": given.seq, "cause": found.cause, "sentence": sentence,
                "next_call": next_call, "command_line": command_line(&found.next_step),
            }),
        ))
    }
}
