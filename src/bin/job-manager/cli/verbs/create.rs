//! `create`: create a job without starting it.

use clap::Args;

use super::submit::print_created;
use crate::cli::submission::{self, SubmissionArgs};
use crate::cli::{CliError, Global, Output};

/// Create a job without starting it; `start` starts it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager create --lines urls.txt -- curl -fsSO {}")]
pub struct Create {
    #[command(flatten)]
    pub submission: SubmissionArgs,
}

pub fn create(global: &Global, args: &Create, output: &mut Output) -> Result<(), CliError> {
    let prepared = args.submission.prepare(global)?;
    if let Some(count) = args.submission.job.dry_run {
        return submission::dry_run(prepared, global, count, output);
    }
    let (client, created) = submission::create(prepared, global, output)?;
    print_created(&client, created, None, output)
}
