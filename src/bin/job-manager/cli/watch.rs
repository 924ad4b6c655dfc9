//! `watch`: live progress of one job.

use std::sync::atomic::AtomicBool;

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::follow::{Follow, ProgressArgs, Shows, follow_to_the_end, on_interrupt};
use super::output::Output;
use super::which::JobOrKeyArg;

/// Show the progress of a job until it ends; Ctrl-C leaves the job alone
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager watch photos")]
pub(super) struct Watch {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    #[command(flatten)]
    pub progress: ProgressArgs,
}

pub(super) fn watch(global: &Global, args: &Watch, output: &mut Output) -> Result<Exit, CliError> {
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
