//! `approve_job`: let a job go on after its first units.

use std::num::NonZeroU32;

use job_manager::client::{Approval, Snapshot};
use job_manager::model::JobStatus;
use job_manager::text::{counted, printable};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use crate::mcp::answer::line;
use crate::mcp::batch::budget_of;
use crate::mcp::questions::Question;
use crate::mcp::shape::Field;
use crate::mcp::status_answer::started_answer;
use crate::mcp::status_shape::started_fields;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

pub(super) struct ApproveJob;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// Run so many more units and wait again, instead of all.
    next: Option<NonZeroU32>,
    /// What may be spent of meters from now on, such as usd=60.
    #[serde(default)]
    budget: Vec<String>,
}

impl Tool for ApproveJob {
    type Given = Given;
    const NAME: &'static str = "approve_job";
    const TITLE: &'static str = "Approve a job";
    const DESCRIPTION: &'static str = "Let a job that waits for approval run its other units. Show the person what get_results and \
        list_failures say of the first units and ask before; if they left that to you, approve what is as they asked for, else \
        reject_job. Next call wait_job.";
    const EFFECT: Effect = Effect::Runs;

    fn asks(jobs: &Jobs, given: &Given) -> Option<Question> {
        let (client, job) = jobs.to_run(&given.job).ok()?;
        let seen = client.snapshot(job).ok()?;
        (seen.job.status == JobStatus::AwaitingApproval)
            .then(|| Question { text: question(given, &seen), allows: None })
    }

    fn output() -> Vec<Field> {
        started_fields()
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let (client, job) = jobs.to_run(&given.job)?;
        let mut approval = Approval::default();
        approval.next = given.next.map(NonZeroU32::get);
        approval.budgets = given.budget.iter().map(|text| budget_of(text)).collect::<Result<_, _>>()?;
        let started = client.approve_job_with(job, &approval)?;
        let done = match approval.next.filter(|_| client.job(job).is_ok_and(|job| job.limits.canary.is_some())) {
            Some(next) => format!("The job runs {next} more units and waits again."),
            None => "The job goes on and runs all its units.".to_owned(),
        };
        started_answer(&client, job, started, &done)
    }
}

/// Asks with what the first units say about the rest.
fn question(given: &Given, seen: &Snapshot) -> String {
    let mut text = format!("Job {} ({}) waits for an approval", seen.job.id, line(&printable(&seen.job.name)));
    if let Some(projection) = &seen.projection {
        text.push_str(&format!(". Its first units: {projection}"));
        for (count, kind) in &projection.failures {
            text.push_str(&format!("; {count} failed: {}", line(&printable(kind))));
        }
    }
    let left = seen.job.progress.unfinished();
    let which = match given.next {
        Some(next) => format!("{next} more of its {left} other units, and then ask again"),
        None => format!("its other units, {}", counted(left, "unit")),
    };
    let budget = given.budget.join(", ");
    let budget = if budget.is_empty() { budget } else { format!(", within {}", line(&printable(&budget))) };
    format!("{text}. Shall it run {which}{budget}?")
}
