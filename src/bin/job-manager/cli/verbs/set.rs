//! `set`: change other limits of a job, also while it runs.

use std::ffi::OsString;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use job_manager::text::counted;
use serde_json::json;

use crate::cli::which::JobKeys;
use crate::cli::{CliError, Global, Output};
use crate::settings::{self, Change, Changed, change};

/// Change limits of a job, also while it runs: rate, adapt, timeout, idle-timeout, memory, kill-after, lease, max-attempts, max-failures, max-later,
/// deadline, backoff, memfree, load, diskfree, window, not-before, after, hold, of groups per-group, group-rate, group-failures and
/// group:NAME, and of a meter budget.NAME, reserve.NAME, rate.NAME, meter.NAME
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager set photos rate=30/min timeout=2m max-failures=none")]
pub struct Set {
    /// Job: its number, uid or prefix of that, name, or `last`
    #[arg(value_name = "JOB")]
    pub job: OsString,
    #[command(flatten)]
    pub keys: JobKeys,
    /// Limits and their new values; `none` takes one away, several of diskfree and window unite
    #[arg(value_name = "KEY=VALUE", required_unless_present_any = ["job_key", "key"], value_parser = OsStringValueParser::new().try_map(|text| change(&text)))]
    pub changes: Vec<Change>,
}

pub fn set(global: &Global, args: &Set, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let mut changes = args.changes.clone();
    let job = match args.keys.find(&client)? {
        // Beside a key the first word is a change.
        Some(job) => {
            changes.insert(0, change(&args.job).map_err(CliError::Value)?);
            job
        }
        None => {
            let not_text = || CliError::Value(format!("{:?} is not UTF-8, and every name of a job is", args.job));
            client.find_job(args.job.to_str().ok_or_else(not_text)?)?
        }
    };
    let Changed { limits, was_unheld } = settings::set(&client, job, &changes)?;
    if was_unheld {
        output.hint(format_args!(
            "nothing holds the units of job {job}: none of them has asked for a later start of others"
        ));
    }
    let line = format!("{} changed", counted(changes.len() - usize::from(was_unheld), "limit"));
    output.answer(&json!({ "schema": 1, "job": { "id": job }, "limits": limits }), job, line)
}
