//! `unit-result`: a command says what came of its unit.

use std::ffi::OsString;

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::inside::{Inside, json_or_text};

/// Say, from inside a unit's command, what came of the unit; the last word counts, when the unit completes
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit-result '{\"tokens\": 812}'")]
pub(super) struct UnitResult {
    /// A JSON document, or any text that is none
    #[arg(allow_negative_numbers = true)]
    pub value: OsString,
}

pub(super) fn unit_result(global: &Global, args: &UnitResult) -> Result<Exit, CliError> {
    let value = json_or_text(&args.value)?;
    let Inside { job, seq, attempt } = Inside::new()?;
    global.open_client()?.put_result(job, seq, attempt, &value)?;
    Ok(Exit::Success)
}
