//! `list_failures`: why units failed, by kind.

use serde_json::json;

use crate::mcp::answer::{Page, line};
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::status_shape::JOB_NUMBER;
use crate::mcp::{Answer, Effect, Jobs, OneJob, Tool, ToolError};

const MAX_CLUSTERS: usize = 20;

const CLUSTERS: &[Field] = &[
    field("cluster", Kind::Text, "Its id.").always(),
    field("count", Kind::Whole, "Units of this kind.").always(),
    field("cause", Kind::Text, "Kind of end."),
    field("text", Kind::Text, "What they have in common."),
    field("example_seq", Kind::Whole, "The first of them."),
    field("example", Kind::Text, "Error of the first."),
];

pub(super) struct ListFailures;

impl Tool for ListFailures {
    type Given = OneJob;
    const NAME: &'static str = "list_failures";
    const TITLE: &'static str = "List failures by kind";
    const DESCRIPTION: &'static str = "Group the failed units of a job by why they failed: at most 20 kinds, each with an example. Next call \
        get_unit for its output, list_units with a cluster for all of a kind, then change_units with retry and the cluster \
        for what another attempt can mend.";
    const EFFECT: Effect = Effect::Reads;

    fn output() -> Vec<Field> {
        vec![
            JOB_NUMBER,
            field("failed", Kind::Whole, "Units that have failed.").always(),
            field("kinds", Kind::Whole, "Kinds there are."),
            field("clusters", Kind::Rows(CLUSTERS), "Most frequent first.").always(),
        ]
    }

    fn answer(jobs: &Jobs, given: OneJob) -> Result<Answer, ToolError> {
        let (client, job) = jobs.of(&given.job)?;
        let clusters = client.failures(job)?;
        let read: i64 = clusters.iter().map(|cluster| cluster.count).sum();
        let mut page = Page::default();
        for cluster in clusters.iter().take(MAX_CLUSTERS) {
            let row = json!({
                "cluster": cluster.id, "count": cluster.count, "cause": cluster.cause, "text": line(&cluster.text),
                "example_seq": cluster.first, "last_seq": cluster.last, "example": line(&cluster.example),
            });
            if !page.add(row) {
                break;
            }
        }
        let (shown, kinds) = (page.len(), clusters.len());
        let summary = match kinds {
            0 => format!("No unit of job {job} has failed."),
            _ => format!(
                "All {read} failed units of job {job} were read, kinds of failure: {kinds}, shown: {shown}. get_unit shows \
                 an example, change_units retries a cluster."
            ),
        };
        Ok(Answer::new(
            summary,
            json!({
                "schema": 1, "job": { "id": job }, "failed": client.progress(job)?.failed, "read": read,
                "is_all": true, "kinds": kinds, "clusters": page.into_rows(), "limit": MAX_CLUSTERS,
            }),
        ))
    }
}
