//! `run`: submit a job and follow it to its end.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::follow::{Followed, follow, summary};
use super::output::Output;
use super::submission::Submission;
use super::submit::start_created;

/// Submit a job and follow it to its end; Ctrl-C lets it go on without you
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ls *.wav | job-manager run -j 4 - -- flac -s {}")]
pub(super) struct Run {
    #[command(flatten)]
    pub submission: Submission,
}

pub(super) fn run(global: &Global, args: &Run, output: &mut Output) -> Result<Exit, CliError> {
    let prepared = args.submission.prepare(global)?;
    if let Some(count) = args.submission.job.dry_run {
        prepared.dry_run(count, output)?;
        return Ok(Exit::Success);
    }
    let (client, created) = prepared.create(global, output)?;
    let job = created.job;
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupted)).map_err(CliError::Signals)?;
    start_created(&client, created)?;

    match follow(&client, job, &interrupted, output)? {
        Followed::Interrupted => {
            output.hint(format_args!(
                "job {job} goes on without this terminal\n\
                 \x20 job-manager status {job}    how far it is\n\
                 \x20 job-manager wait {job}      wait for its end\n\
                 \x20 job-manager stop {job}      pause it"
            ));
            Ok(Exit::Detached)
        }
        Followed::Ended(outcome) => {
            let status = client.get_manager_status(job)?;
            if output.json {
                output.document(&status)?;
            } else if output.quiet {
                output.line(job)?;
            } else {
                output.line(summary(&status))?;
            }
            Ok(outcome.into())
        }
    }
}
