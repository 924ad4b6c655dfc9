//! `run`: submit a job and follow it to its end.

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::follow::{follow_to_the_end, on_interrupt};
use super::output::Output;
use super::submission::{self, SubmissionArgs};

/// Submit a job and follow it to its end; Ctrl-C lets it go on without you
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ls *.wav | job-manager run -j 4 - -- flac -s {}")]
pub(super) struct Run {
    #[command(flatten)]
    pub submission: SubmissionArgs,
}

pub(super) fn run(global: &Global, args: &Run, output: &mut Output) -> Result<Exit, CliError> {
    let prepared = args.submission.prepare(global)?;
    if let Some(count) = args.submission.job.dry_run {
        submission::dry_run(prepared, count, output)?;
        return Ok(Exit::Success);
    }
    let (client, created) = submission::create(prepared, global, output)?;
    let job = created.job;
    let interrupted = on_interrupt()?;
    client.start_created(created)?;

    follow_to_the_end(&client, job, &interrupted, output)
}
