//! `explain`: why nothing happens.

use clap::Args;
use job_manager::explain::ExplanationOf;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use super::text::one_line;
use super::which::TargetArg;
use crate::command_line::command_line;

/// Say why nothing happens, and what to do about it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager explain photos:17")]
pub(super) struct Explain {
    #[command(flatten)]
    pub target: TargetArg,
}

pub(super) fn explain(global: &Global, args: &Explain, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.read_client()?;
    let (job, seq) = args.target.find(&client)?;
    let answer = client.explain(job, seq)?;
    let next = command_line(answer.next_step);
    if output.json {
        output.document(&ExplanationOf::new(job, seq, &answer, next))?;
    } else if output.quiet {
        output.line(answer.cause)?;
    } else {
        output.line(one_line(&answer.sentence))?;
        output.line(format_args!("try: {}", next))?;
    }
    Ok(Exit::Success)
}
