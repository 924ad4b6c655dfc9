//! `watch`: live progress of one job.

use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::cli::follow::{Follow, ProgressArgs, Shows, follow_to_the_end, on_interrupt};
use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Exit, Global, Output};

/// Show the progress of a job until it ends; Ctrl-C leaves the job alone
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager watch photos")]
pub struct Watch {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    #[command(flatten)]
    pub progress: ProgressArgs,
}

pub fn watch(global: &Global, args: &Watch, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.read_client()?;
    let job = args.job.find(&client)?;
    let how = Follow {
        interrupted: &*on_interrupt()?,
        stop: &AtomicBool::new(false),
        progress: &args.progress,
        shows: Shows::Progress,
    };
    follow_to_the_end(&client, job, how, output)
}
