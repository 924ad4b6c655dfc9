//! `unit-progress`: a command says how far its unit is.

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::inside::Inside;

/// Say, from inside a unit's command, how far the unit is
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit-progress 3 10 'page 3'")]
pub(super) struct UnitProgress {
    /// Steps done
    pub done: u64,
    /// Steps there are
    pub total: u64,
    /// What it is doing
    #[arg(default_value = "")]
    pub message: String,
}

pub(super) fn unit_progress(global: &Global, args: &UnitProgress) -> Result<Exit, CliError> {
    let Inside { job, seq, attempt } = Inside::new()?;
    global.open_client()?.report_progress(job, seq, attempt, args.done, args.total, &args.message)?;
    Ok(Exit::Success)
}
