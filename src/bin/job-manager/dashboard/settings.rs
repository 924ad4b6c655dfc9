//! The limits of a job that can be changed on the page, as they are written, and what changes them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::get;
use axum::{Json, Router};
use job_manager::client::Client;
use job_manager::model::{JobId, Limits, MaxFailures, Rate, TimeLimit, Timeout};
use serde::{Deserialize, Serialize};

use super::actions::Shared;
use super::answer::{Connections, Named, Refused, Reply};
use super::words::{word, wrong};

/// What takes a limit away, and stands where there is none.
const NONE: &str = "none";

pub(super) fn routes() -> Router<Arc<Connections>> {
    Router::new().route("/api/v1/jobs/{job}/settings", get(settings).post(set))
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    job: Job,
    settings: Settings<String>,
}

#[derive(Serialize)]
struct Job {
    id: JobId,
}

/// The settings, or those that are given.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings<T> {
    workers: T,
    rate: T,
    timeout: T,
    max_attempts: T,
    max_failures: T,
    deadline: T,
}

type Given = Settings<Option<String>>;
type Change = Box<dyn Fn(&mut Limits) + Send>;

async fn settings(State(connections): Shared, Named(job): Named<String>) -> Reply {
    connections
        .read(move |client| {
            let job = client.find_job(&job)?;
            Ok(document(job, &client.job(job)?.limits))
        })
        .await
}

async fn set(State(connections): Shared, Named(job): Named<String>, body: Result<Json<Given>, JsonRejection>) -> Reply {
    let changes = body?.0.changes()?;
    connections
        .write(job, move |client: &Client, job| {
            let names: Vec<&str> = changes.iter().map(|(name, _)| *name).collect();
            let change = |limits: &mut Limits| changes.iter().for_each(|(_, change)| change(limits));
            match client.set_limits(job, change) {
                Ok(limits) => Ok(document(job, &limits)),
                Err(error) => Err(match names[..] {
                    // What is refused of a single one is refused of that.
                    [name] => Refused::Setting { name, error },
                    _ => error.into(),
                }),
            }
        })
        .await
}

impl Given {
    /// Reads the changes, with their names.
    fn changes(self) -> Result<Vec<(&'static str, Change)>, Refused> {
        let mut changes: Vec<(&'static str, Change)> = Vec::new();
        if let Some(text) = &self.workers {
            let workers = count("workers", text)?;
            changes.push(("workers", Box::new(move |limits| limits.set_workers(workers))));
        }
        if let Some(rate) = optional::<Rate>("rate", self.rate)? {
            changes.push(("rate", Box::new(move |limits| limits.rate = rate)));
        }
        if let Some(timeout) = optional::<Timeout>("timeout", self.timeout)? {
            let timeout = timeout.unwrap_or_default();
            if matches!(timeout, Timeout::From(_)) {
                return Err(wrong("timeout", "a field of the items is given when the job is created".to_owned()));
            }
            changes.push(("timeout", Box::new(move |limits| limits.set_timeout(timeout.clone()))));
        }
        if let Some(text) = &self.max_attempts {
            let most = count("max_attempts", text)?;
            changes.push(("max_attempts", Box::new(move |limits| limits.max_attempts = most)));
        }
        if let Some(text) = &self.max_failures {
            let most = failures(text)?;
            changes.push(("max_failures", Box::new(move |limits| limits.max_failures = most)));
        }
        if let Some(deadline) = optional::<TimeLimit>("deadline", self.deadline)? {
            let deadline = deadline.and_then(|TimeLimit(deadline)| deadline);
            changes.push(("deadline", Box::new(move |limits| limits.deadline = deadline)));
        }
        match changes.is_empty() {
            true => Err(Refused::Word("give at least one setting, such as {\"rate\":\"60/min\"}".to_owned())),
            false => Ok(changes),
        }
    }
}

/// Reads what is given, if it is; none of what an empty text or `none` takes away.
fn optional<T>(name: &'static str, given: Option<String>) -> Result<Option<Option<T>>, Refused>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    given.map(|text| word(name, Some(text.trim()).filter(|text| *text != NONE))).transpose()
}

fn count<T: std::str::FromStr + Default + PartialEq>(name: &'static str, text: &str) -> Result<T, Refused> {
    let read = text.trim().parse().ok().filter(|count| *count != T::default());
    read.ok_or_else(|| wrong(name, format!("invalid number {text:?}, expected a whole one from 1 on")))
}

fn failures(text: &str) -> Result<Option<MaxFailures>, Refused> {
    let text = text.trim();
    if text.is_empty() || text == NONE {
        return Ok(None);
    }
    let read = match text.strip_suffix('%') {
        Some(percent) => percent.parse().ok().filter(|share| (1..=100).contains(share)).map(MaxFailures::Percent),
        None => text.parse().ok().filter(|units| *units > 0).map(MaxFailures::Units),
    };
    let said = || wrong("max_failures", format!("invalid number of failures {text:?}, expected e.g. 20 or 5%"));
    read.map(Some).ok_or_else(said)
}

fn document(job: JobId, limits: &Limits) -> Document {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    let settings = Settings {
        workers: limits.workers.to_string(),
        rate: or_none(limits.rate.map(|rate| format!("{}/{}", rate.units, per(rate.per_ms)))),
        timeout: or_none(limits.timeout_from.clone().or_else(|| limits.timeout.map(span))),
        max_attempts: limits.max_attempts.to_string(),
        max_failures: or_none(limits.max_failures.map(|most| match most {
            MaxFailures::Units(units) => units.to_string(),
            MaxFailures::Percent(percent) => format!("{percent}%"),
        })),
        deadline: or_none(limits.deadline.map(span)),
    };
    Document { schema: 1, job: Job { id: job }, settings }
}

/// Writes the span of a rate as people do.
fn per(millis: u64) -> String {
    match millis {
        1000 => "s".to_owned(),
        60_000 => "min".to_owned(),
        3_600_000 => "h".to_owned(),
        86_400_000 => "day".to_owned(),
        other => span(Duration::from_millis(other)),
    }
}

/// Writes a duration so that it is read as the same.
fn span(span: Duration) -> String {
    let mut left = span.as_millis();
    let mut text = String::new();
    for (name, millis) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if left >= millis {
            text.push_str(&format!("{}{name}", left / millis));
            left %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_they_are_read() {
        let mut limits = Limits::default();
        for (rate, timeout, failures) in
            [("60/min", "1h30m", "5%"), ("10/30s", "1d500ms", "20"), ("none", "none", "none")]
        {
            let given = Settings {
                rate: Some(rate.to_owned()),
                timeout: Some(timeout.to_owned()),
                max_failures: Some(failures.to_owned()),
                workers: Some("7".to_owned()),
                ..Given::default()
            };
            given.changes().unwrap_or_else(|_| panic!("{rate}")).iter().for_each(|(_, change)| change(&mut limits));

            let written = document(JobId(1), &limits).settings;

            assert_eq!(
                [written.rate, written.timeout, written.max_failures, written.workers],
                [rate, timeout, failures, "7"]
            );
        }
    }
}
