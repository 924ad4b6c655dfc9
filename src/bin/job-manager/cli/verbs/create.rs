//! `create`: create a job without starting it.

use clap::Args;

use super::submit::print_created;
use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::submission::{self, SubmissionArgs};

/// Create a job without starting it; `start` starts it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager create --lines urls.txt -- curl -fsSO {}")]
pub struct Create {
    #[command(flatten)]
    pub submission: SubmissionArgs,
}

pub fn create(global: &Global, args: &Create, output: &mut Output) -> Result<Exit, CliError> {
    let prepared = args.submission.prepare(global)?;
    if let Some(count) = args.submission.job.dry_run {
        submission::dry_run(prepared, global, count, output)?;
        return Ok(Exit::Success);
    }
    let (client, created) = submission::create(prepared, global, output)?;
    print_created(&client, created, None, output)?;
    Ok(Exit::Success)
}
