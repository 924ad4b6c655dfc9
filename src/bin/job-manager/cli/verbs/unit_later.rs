//! `unit-later`: a command has its unit tried again at a later time, at no cost.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use job_manager::model::{HoldScope, Postponement, Timestamp, When};

use crate::cli::inside::Inside;
use crate::cli::{CliError, Global, Output, policy_values, values};

/// Have the unit tried again later, from inside its command, which then ends: no attempt is counted
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit-later 10m --reason 'not answered yet'")]
pub struct UnitLater {
    /// How long after the end of this attempt
    #[arg(value_name = "DURATION", value_parser = delay, conflicts_with = "until")]
    pub delay: Option<Duration>,
    /// The time instead: 22:00, +2h, 2026-11-26T22:00 or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = values::start_time)]
    pub until: Option<Timestamp>,
    /// What else does not start before that
    #[arg(long, value_name = "SCOPE", default_value = "unit", value_parser = values::word::<HoldScope>(["unit", "group", "job"]))]
    pub hold: HoldScope,
    /// Why, in words
    #[arg(long, value_name = "TEXT", default_value = "postponed")]
    pub reason: OsString,
}

fn delay(text: &str) -> Result<Duration, String> {
    match policy_values::later(text)? {
        Duration::ZERO => Err("the unit would be tried again at once and for ever, give a time above 0".to_owned()),
        delay => Ok(delay),
    }
}

pub fn unit_later(global: &Global, args: &UnitLater, _: &mut Output) -> Result<(), CliError> {
    let hold = args.hold;
    let when = match (args.delay, args.until) {
        (_, Some(until)) => When::Until(until),
        (Some(delay), None) => When::After(delay),
        (None, None) => return Err(CliError::NoTime),
    };
    let Inside { job, seq, attempt } = Inside::new()?;
    let later = Postponement::new(when, args.reason.to_string_lossy().into_owned());
    global.open_client()?.postpone(job, seq, attempt, &Postponement { hold, ..later })?;
    Ok(())
}
