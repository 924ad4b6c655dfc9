//! `create`: create a job without starting it.

use clap::Args;
use job_manager::handler::OutputMode;

use super::submit::print_created;
use crate::cli::submission::SubmissionArgs;
use crate::cli::{CliError, Global, Output};

/// Create a job without starting it; `start` starts it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager create --lines urls.txt -- curl -fsSO {}")]
pub struct Create {
    #[command(flatten)]
    pub submission: SubmissionArgs,
}

pub fn create(global: &Global, args: &Create, output: &mut Output) -> Result<(), CliError> {
    let Some((client, created)) = args.submission.create(global, OutputMode::Tail, output)? else { return Ok(()) };
    print_created(&client, created, None, output)
}
