//! `run`: submit a job and follow it to its end.

use clap::Args;
use job_manager::handler::OutputMode;

use super::submit::existing;
use crate::cli::follow::{Follow, ProgressArgs, Shows, follow_to_the_end, on_interrupt, on_stop_of_container};
use crate::cli::print_outputs::{OutputPrinter, PrintArgs};
use crate::cli::show_failures::FailuresShown;
use crate::cli::submission::SubmissionArgs;
use crate::cli::{CliError, Exit, Global, Output};

/// Submit a job and follow it to its end; Ctrl-C lets it go on without you
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ls *.wav | job-manager run -j 4 - -- flac -s {}")]
pub struct Run {
    #[command(flatten)]
    pub submission: SubmissionArgs,
    #[command(flatten, next_help_heading = "Output and results")]
    pub print: PrintArgs,
    #[command(flatten, next_help_heading = "Output and results")]
    pub progress: ProgressArgs,
}

pub fn run(global: &Global, args: &Run, output: &mut Output) -> Result<Exit, CliError> {
    args.print.refuse_mixtures(&args.submission.job, output.json)?;
    let order = args.print.order();
    let kept = if order.is_some() { OutputMode::Full } else { OutputMode::Tail };
    let Some((client, created)) = args.submission.create(global, kept, output)? else { return Ok(Exit::Success) };
    let job = created.job;
    if !created.new {
        existing(&client.job(job)?, created, output);
    }
    let interrupted = on_interrupt()?;
    let stop = on_stop_of_container()?;
    let shows = match order {
        // Said before the job is started: one with the same key may keep less of its units' output.
        Some(order) => {
            Shows::Outputs(client.ended_outputs(job, order)?, OutputPrinter::new(args.print.tag, &interrupted))
        }
        None => Shows::Failures(FailuresShown::default()),
    };
    client.start_created(created)?;

    follow_to_the_end(
        &client,
        job,
        Follow { interrupted: &interrupted, stop: &stop, progress: &args.progress, shows },
        output,
    )
}
