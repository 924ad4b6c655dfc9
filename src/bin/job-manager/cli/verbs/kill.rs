//! `kill`: end running units.

use std::time::Duration;

use clap::Args;
use job_manager::client::{Client, ClientError};
use job_manager::model::{JobId, KillThen, Seq, UnitStatus};

use crate::cli::filter::KeylessFilterArgs;
use crate::cli::values;
use crate::cli::which::UnitArg;
use crate::cli::{CliError, Global, Output};

/// Time between two looks at the unit.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// End one running unit, or those that a filter selects
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager kill photos:17 --then skip")]
pub struct Kill {
    #[command(flatten)]
    pub unit: UnitArg,
    #[command(flatten)]
    pub filter: KeylessFilterArgs,
    /// Every unit that runs
    #[arg(long)]
    pub all: bool,
    /// What becomes of it
    #[arg(long, default_value_t = KillThen::Retry, value_parser = values::word::<KillThen>(["retry", "fail", "skip"]))]
    pub then: KillThen,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "killed on request")]
    pub reason: String,
    /// Return at once; by default this waits until the unit has ended
    #[arg(long)]
    pub no_wait: bool,
}

pub fn kill(global: &Global, args: &Kill, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    if args.all || !args.filter.is_empty() {
        return kill_units(&client, args, output);
    }
    let (job, seq) = args.unit.find_unit(&client)?;
    let attempt = client.unit(job, seq)?.attempts;
    client.kill_unit(job, seq, args.then, &args.reason)?;
    if args.no_wait {
        output.changed(job, 1, "asked to end")?;
    } else {
        wait_for_end(&client, job, seq, attempt)?;
        output.changed(job, 1, "ended")?;
    }
    Ok(())
}

fn kill_units(client: &Client, args: &Kill, output: &mut Output) -> Result<(), CliError> {
    let (job, seq) = args.unit.find(client)?;
    if seq.is_some() {
        return Err(CliError::UnitAndFilter);
    }
    let asked = client.kill_units(job, &args.filter.filter(), args.then, &args.reason)?;
    if !args.no_wait {
        for unit in &asked {
            wait_for_end(client, job, unit.seq, unit.attempt)?;
        }
    }
    let count = i64::try_from(asked.len()).unwrap_or(i64::MAX);
    output.changed(job, count, if args.no_wait { "asked to end" } else { "ended" })
}

/// Waits until an attempt at a unit has ended, and returns where the unit stands then.
pub fn wait_for_end(client: &Client, job: JobId, seq: Seq, attempt: u32) -> Result<UnitStatus, CliError> {
    loop {
        let unit = client.unit(job, seq)?;
        if unit.status != UnitStatus::Running || unit.attempts != attempt {
            return Ok(unit.status);
        }
        if client.get_manager_status(job)?.is_interrupted() {
            return Err(ClientError::Interrupted { job }.into());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
