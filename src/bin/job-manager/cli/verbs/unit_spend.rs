//! `unit-spend`: a command says what its attempt has cost.

use clap::Args;
use job_manager::model::Amount;

use crate::cli::inside::Inside;
use crate::cli::meter_args::{amount, of_meter};
use crate::cli::{CliError, Global, Output};

/// Add to what the unit has cost, from inside its command, by a meter of the job; exits with 0 only when that is durable
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit-spend usd=0.12 tokens=1800")]
pub struct UnitSpend {
    /// Amounts, each with the name of a meter; decimals, never negative
    #[arg(value_name = "NAME=AMOUNT", required = true, value_parser = of_meter(amount))]
    pub amounts: Vec<(String, Amount)>,
}

pub fn unit_spend(global: &Global, args: &UnitSpend, _: &mut Output) -> Result<(), CliError> {
    let Inside { job, seq, attempt } = Inside::new()?;
    global.open_client()?.report_spend(job, seq, attempt, &args.amounts)?;
    Ok(())
}
