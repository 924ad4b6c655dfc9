//! `approve`: let a job go on whose first units have ended.

use clap::Args;
use job_manager::client::{Approval, budget};
use job_manager::model::Budget;

use super::submit::print_started;
use crate::cli::meter_args::{of_meter, said};
use crate::cli::secret_args::SecretArgs;
use crate::cli::values;
use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output};

/// Let a job go on whose first units, those of --canary, have ended
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager approve letters --next 500 --budget usd=60")]
pub struct Approve {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// Run so many more units and wait again, instead of all that are left
    #[arg(long, value_name = "N", value_parser = values::at_least_one::<u32>, allow_negative_numbers = true)]
    pub next: Option<u32>,
    /// What may be spent of a meter from now on, such as usd=60; may be repeated
    #[arg(long, value_name = "NAME=AMOUNT[/day]", value_parser = of_meter(|text| budget(text).map_err(said)))]
    pub budget: Vec<(String, Budget)>,
    #[command(flatten)]
    pub secrets: SecretArgs,
}

pub fn approve(global: &Global, args: &Approve, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    let client = args.secrets.give_to(client, job)?;
    let mut approval = Approval::default();
    (approval.next, approval.budgets) = (args.next, args.budget.clone());
    print_started(&client, job, client.approve_job_with(job, &approval)?, output)
}
