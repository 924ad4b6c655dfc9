//! `unit-progress`: a command says how far its unit is.

use clap::Args;

use crate::cli::inside::Inside;
use crate::cli::{CliError, Global, Output};

/// Say, from inside a unit's command, how far the unit is
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit-progress 3 10 'page 3'")]
pub struct UnitProgress {
    /// Steps done
    pub done: u64,
    /// Steps there are
    pub total: u64,
    /// What it is doing
    #[arg(default_value = "")]
    pub message: String,
}

pub fn unit_progress(global: &Global, args: &UnitProgress, _: &mut Output) -> Result<(), CliError> {
    let Inside { job, seq, attempt } = Inside::new()?;
    Ok(global.open_client()?.report_progress(job, seq, attempt, args.done, args.total, &args.message)?)
}
