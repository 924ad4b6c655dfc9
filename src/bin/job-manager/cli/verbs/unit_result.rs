//! `unit-result`: a command says what came of its unit.

use std::ffi::OsString;

use clap::Args;

use crate::cli::inside::{Inside, json_or_text};
use crate::cli::{CliError, Global, Output};

/// Say, from inside a unit's command, what came of the unit; the last word counts, when the unit completes
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit-result '{\"tokens\": 812}'")]
pub struct UnitResult {
    /// A JSON document, or any text that is none
    #[arg(allow_negative_numbers = true)]
    pub value: OsString,
}

pub fn unit_result(global: &Global, args: &UnitResult, _: &mut Output) -> Result<(), CliError> {
    let value = json_or_text(&args.value)?;
    let Inside { job, seq, attempt } = Inside::new()?;
    Ok(global.open_client()?.put_result(job, seq, attempt, &value)?)
}
