//! `change_settings`: change the limits of a job, also while it runs.

use std::num::{NonZeroU32, NonZeroUsize};

use job_manager::client::Client;
use job_manager::model::{Budget, Job, Limits, TimeLimit, Timeout};
use job_manager::text::SpellingError;
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::mcp::batch::{budget_of, max_failures, wrong};
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::status_answer::done_answer;
use crate::mcp::status_shape::done_fields;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

/// What takes a limit away.
const NONE: &str = "none";

pub(super) struct ChangeSettings;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// Units that run at the same time from now on.
    workers: Option<NonZeroUsize>,
    /// As in start_batch, such as 60/min.
    rate: Option<String>,
    /// Time that one attempt may take, such as 30s.
    timeout: Option<String>,
    /// Attempts of each unit.
    max_attempts: Option<NonZeroU32>,
    /// Failed units, or their share, at which the job pauses, such as 20 or 5%.
    max_failures: Option<String>,
    /// Time after its start at which the job pauses, such as 8h.
    deadline: Option<String>,
    /// As in start_batch, such as 2G.
    memfree: Option<String>,
    /// As in start_batch, such as 80%.
    load: Option<String>,
    /// Units of a group that run at the same time, such as 2.
    per_group: Option<String>,
    /// As in start_batch, such as 6/min.
    group_rate: Option<String>,
    /// What may be spent of meters that the job has, such as usd=60.
    #[serde(default)]
    budget: Vec<String>,
}

type Change = Box<dyn Fn(&mut Limits)>;

impl Given {
    /// Reads the changes, each of which is one limit.
    fn changes(&self, job: &Job) -> Result<Vec<Change>, ToolError> {
        let mut changes: Vec<Change> = Vec::new();
        if let Some(workers) = self.workers {
            changes.push(Box::new(move |limits| limits.set_workers(workers.get())));
        }
        if let Some(rate) = optional(self.rate.as_deref())? {
            changes.push(Box::new(move |limits| limits.rate = rate));
        }
        if let Some(text) = &self.timeout {
            let timeout: Timeout = text.parse()?;
            if matches!(timeout, Timeout::From(_)) {
                return Err(wrong("timeout", "a field of the items is given when the job is created"));
            }
            changes.push(Box::new(move |limits| limits.set_timeout(timeout.clone())));
        }
        if let Some(most) = self.max_attempts {
            changes.push(Box::new(move |limits| limits.max_attempts = most.get()));
        }
        if let Some(text) = &self.max_failures {
            let most = if text == NONE { None } else { Some(max_failures(text)?) };
            changes.push(Box::new(move |limits| limits.max_failures = most));
        }
        if let Some(text) = &self.deadline {
            let TimeLimit(deadline) = text.parse()?;
            changes.push(Box::new(move |limits| limits.deadline = deadline));
        }
        if let Some(memfree) = optional(self.memfree.as_deref())? {
            changes.push(Box::new(move |limits| limits.start.memfree = memfree));
        }
        if let Some(load) = optional(self.load.as_deref())? {
            changes.push(Box::new(move |limits| limits.start.load = load));
        }
        self.of_groups(job, &mut changes)?;
        for text in &self.budget {
            let (name, budget) = budget_of(text)?;
            let known = job.limits.meters.iter().find(|meter| meter.name == name);
            let Some(before) = known.map(|meter| meter.budget.clone()) else {
                return Err(wrong("budget", format_args!("job {} has no meter {name:?}", job.id)));
            };
            // The days are those by which the job was created.
            let zone = before.and_then(|before| before.day_zone);
            let budget = Budget { day_zone: budget.day_zone.map(|own| zone.unwrap_or(own)), ..budget };
            changes.push(Box::new(move |limits| limits.meter(&name).budget = Some(budget.clone())));
        }
        Ok(changes)
    }

    fn of_groups(&self, job: &Job, changes: &mut Vec<Change>) -> Result<(), ToolError> {
        let first = [("per_group", self.per_group.is_some()), ("group_rate", self.group_rate.is_some())];
        if let Some((given, _)) = first.into_iter().find(|(_, is_given)| *is_given && job.limits.groups.is_none()) {
            return Err(wrong(given, format_args!("the units of job {} are in no groups", job.id)));
        }
        if let Some(text) = &self.per_group {
            let value = || ToolError::Value { parameter: "per_group", given: text.clone(), example: "2" };
            let read = || text.parse().ok().filter(|most: &usize| *most > 0);
            let most = if text == NONE { None } else { Some(read().ok_or_else(value)?) };
            changes.push(Box::new(move |limits| limits.groups.iter_mut().for_each(|groups| groups.most = most)));
        }
        if let Some(rate) = optional(self.group_rate.as_deref())? {
            changes.push(Box::new(move |limits| limits.groups.iter_mut().for_each(|groups| groups.rate = rate)));
        }
        Ok(())
    }
}

/// Reads what is given, if it is; the limit that is meant may be taken away.
fn optional<T: std::str::FromStr<Err = SpellingError>>(text: Option<&str>) -> Result<Option<Option<T>>, SpellingError> {
    match text {
        None => Ok(None),
        Some(NONE) => Ok(Some(None)),
        Some(text) => text.parse().map(|value| Some(Some(value))),
    }
}

impl Tool for ChangeSettings {
    type Given = Given;
    const NAME: &'static str = "change_settings";
    const TITLE: &'static str = "Change the settings of a job";
    const DESCRIPTION: &'static str = "Change how many units of a job run at the same time, and its other limits, also while \
        it runs; what is not given stays, none as a text takes a limit away. Units that run already are not touched. A job \
        that paused at a limit goes on with resume_job.";
    const EFFECT: Effect = Effect::Steers;

    fn output() -> Vec<Field> {
        done_fields(&[
            field("workers", Kind::Whole, "Units at a time."),
            field("settings_changed", Kind::Whole, "Settings that were given."),
        ])
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let (client, job) = jobs.to_change(&given.job)?;
        let row: Job = Client::job(&client, job)?;
        let changes = given.changes(&row)?;
        if changes.is_empty() {
            return Err(ToolError::Parameters("give at least one setting, such as workers".to_owned()));
        }
        let limits = client.set_limits(job, |limits| changes.iter().for_each(|change| change(limits)))?;
        let done = match given.workers {
            Some(_) => format!("The job has {} now.", job_manager::text::counted(limits.workers, "worker")),
            None => "The job has its new settings.".to_owned(),
        };
        let changed = json!({ "workers": limits.workers, "settings_changed": changes.len() });
        done_answer(&client, job, &done, changed)
    }
}
