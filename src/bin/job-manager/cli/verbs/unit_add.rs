//! `unit-add`: a command adds units to its own job.

use std::ffi::OsString;

use clap::Args;
use job_manager::submission::{OpenSources, SourceOptions, SourceSpec, additions};

use super::add::print_added;
use crate::cli::inside::Inside;
use crate::cli::{CliError, Global, Output};

/// Add units, from inside a unit's command, to the same job
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit-add --unit-key '{}' page2 page3")]
pub struct UnitAdd {
    /// Template of the key of each unit; one that the job has already is counted, not added
    #[arg(long, value_name = "TEMPLATE")]
    pub unit_key: Option<OsString>,
    /// Items
    #[arg(required = true, value_name = "ITEM")]
    pub items: Vec<OsString>,
}

pub fn unit_add(global: &Global, args: &UnitAdd, output: &mut Output) -> Result<(), CliError> {
    if args.items.iter().any(|item| item == "-") {
        return Err(CliError::ItemsFromStdin);
    }
    let Inside { job, seq, attempt } = Inside::new()?;
    let client = global.open_client()?;
    client.expect_under_way(job, seq, attempt)?;
    let job = client.job(job)?;
    let sources = OpenSources::open(&[SourceSpec::Arguments(args.items.clone())], SourceOptions::default())?;
    let units = additions(&client, sources, args.unit_key.as_deref(), &job)?;
    print_added(&job, client.add_checked_units(&job, units)?, output)
}
