//! `rm`: delete jobs.

use std::collections::HashSet;

use clap::Args;
use job_manager::text::counted;
use serde_json::json;

use super::prune::say_reclaimable;
use crate::cli::confirm::confirm;
use crate::cli::which::JobKeys;
use crate::cli::{CliError, Global, Output};

/// Delete jobs that no manager runs, with their units and logs
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager rm 12 13 -y")]
pub struct Rm {
    /// Jobs: number, uid or prefix of that, name, or `last`
    #[arg(required_unless_present_any = ["job_key", "key"], conflicts_with_all = ["job_key", "key"], value_name = "JOB")]
    pub jobs: Vec<String>,
    #[command(flatten)]
    pub keys: JobKeys,
}

pub fn rm(global: &Global, args: &Rm, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let named = args.jobs.iter().map(|job| Ok(client.find_job(job)?));
    let mut jobs = named.chain(args.keys.find(&client).transpose()).collect::<Result<Vec<_>, CliError>>()?;
    // One job may be named by its number, its name and its uid.
    let mut seen = HashSet::new();
    jobs.retain(|job| seen.insert(*job));
    let units: i64 = jobs.iter().map(|job| client.progress(*job).map(|p| p.total)).sum::<Result<i64, _>>()?;
    let numbers = jobs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    confirm(global, &format!("delete job {numbers} with {}", counted(units, "unit")))?;
    for job in &jobs {
        client.remove_job(*job)?;
    }
    let document = json!({ "schema": 1, "deleted": jobs, "units_changed": units });
    output.answer(&document, numbers.replace(", ", "\n"), format_args!("{} deleted", counted(units, "unit")))?;
    say_reclaimable(&client, output)
}
