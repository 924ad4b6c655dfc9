//! The limits of a job that can be changed on the page, as they are written, and what changes them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::get;
use axum::{Json, Router};
use job_manager::client::Client;
use job_manager::model::{Job, JobId, Limits};
use serde::Serialize;

use super::actions::Shared;
use super::answer::{Connections, Named, Refused, Reply};
use super::words::wrong;
use crate::settings::{self, Change, NONE, SettingError, change, written};

/// The number of workers, which is a setting here and has a verb of its own elsewhere.
const WORKERS: &str = "workers";
/// What is no limit that could be taken away: nothing in its place is a slip.
const KEPT: [&str; 5] = ["max-attempts", "kill-after", "backoff", "group:", "meter."];

pub(super) fn routes() -> Router<Arc<Connections>> {
    Router::new().route("/api/v1/jobs/{job}/settings", get(settings).post(set))
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    job: JobRef,
    settings: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct JobRef {
    id: JobId,
}

/// Values by the names of their settings.
type Given = BTreeMap<String, String>;

async fn settings(State(connections): Shared, Named(job): Named<String>) -> Reply {
    connections
        .read(move |client| {
            let job = client.find_job(&job)?;
            Ok(document(&client.job(job)?))
        })
        .await
}

async fn set(State(connections): Shared, Named(job): Named<String>, body: Result<Json<Given>, JsonRejection>) -> Reply {
    let given = body?.0;
    let (changes, changes_one) = (changes(&given)?, given.len() == 1);
    connections
        .write(job, move |client: &Client, job| {
            let refused = match settings::set(client, job, &changes) {
                Ok(_) => return Ok(document(&client.job(job)?)),
                Err(refused) => refused,
            };
            // What is refused of a single one is refused of that.
            let only = given.into_keys().next().filter(|_| changes_one);
            Err(match (only, refused) {
                (Some(name), SettingError::Client(error)) => Refused::Setting { name, error },
                (None, SettingError::Client(error)) => error.into(),
                (Some(name), refused) => wrong(name, refused.to_string()),
                (None, refused) => Refused::Word(refused.to_string()),
            })
        })
        .await
}

/// Reads the changes by the same door as `set`.
fn changes(given: &Given) -> Result<Vec<Change>, Refused> {
    let mut changes = Vec::new();
    for (name, text) in given {
        changes.extend(read(name, text.trim()).map_err(|message| wrong(name.clone(), message))?);
    }
    match changes.is_empty() {
        true => Err(Refused::Word("give at least one setting, such as {\"rate\":\"60/min\"}".to_owned())),
        false => Ok(changes),
    }
}

fn read(name: &str, text: &str) -> Result<Vec<Change>, String> {
    if name == WORKERS {
        let workers: usize = settings::values::at_least_one::<u32>(text).map(|number| number as usize)?;
        return Ok(vec![Change::new(WORKERS, move |limits: &mut Limits| limits.set_workers(workers))]);
    }
    let key = key_of(name);
    let text = if text.is_empty() && !KEPT.iter().any(|kept| key.starts_with(kept)) { NONE } else { text };
    // Values that unite have a line each; nothing is one as well.
    let lines = if text.is_empty() { vec![text] } else { text.lines().collect() };
    lines.into_iter().map(|line| change(OsStr::new(&format!("{key}={line}")))).collect()
}

/// Returns the name that `set` knows: names of JSON have no hyphen, those of groups and meters are their own.
fn key_of(name: &str) -> String {
    let end = name.find([':', '.']).unwrap_or(name.len());
    format!("{}{}", name[..end].replace('_', "-"), &name[end..])
}

/// Returns the name of a setting in JSON.
fn name_of(key: &str) -> String {
    let end = key.find([':', '.']).unwrap_or(key.len());
    format!("{}{}", key[..end].replace('-', "_"), &key[end..])
}

fn document(job: &Job) -> Document {
    let mut settings: BTreeMap<String, String> =
        written(job).into_iter().map(|(key, value)| (name_of(&key), value)).collect();
    settings.insert(WORKERS.to_owned(), job.limits.workers.to_string());
    Document { schema: 1, job: JobRef { id: job.id }, settings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_settings_are_those_of_the_command_line_with_other_hyphens() {
        for (name, key) in
            [("max_failures", "max-failures"), ("budget.a_b", "budget.a_b"), ("group:a_b.c", "group:a_b.c")]
        {
            assert_eq!((key_of(name).as_str(), name_of(key).as_str()), (key, name));
        }
        let known = settings::LIMITS.iter().filter(|key| key_of(&name_of(key)) != **key).count();
        assert_eq!(known, 0);
    }

    #[test]
    fn nothing_in_place_of_a_limit_takes_it_away_and_a_slip_is_refused() {
        for (name, is_read) in
            [("rate", true), ("memory", true), ("max_attempts", false), ("backoff", false), ("size", false)]
        {
            assert_eq!(read(name, "").is_ok(), is_read, "{name}");
        }
        assert_eq!(read("diskfree", "/=1G\n/tmp=2G").map(|changes| changes.len()), Ok(2));
    }
}
