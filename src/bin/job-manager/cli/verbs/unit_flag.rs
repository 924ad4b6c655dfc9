//! `unit-flag`: a command has a person look at what it says.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::cli::inside::Inside;
use crate::cli::{CliError, Global, Output};

/// Flag the unit for a review, from inside its command; counts once this attempt completes it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit-flag 'two dates in one letter'")]
pub struct UnitFlag {
    /// What is doubtful; several doubts stand beside each other
    #[arg(value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub text: String,
}

pub fn unit_flag(global: &Global, args: &UnitFlag, _: &mut Output) -> Result<(), CliError> {
    let Inside { job, seq, attempt } = Inside::new()?;
    global.open_client()?.flag_unit(job, seq, attempt, &args.text)?;
    Ok(())
}
