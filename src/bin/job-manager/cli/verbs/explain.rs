//! `explain`: why nothing happens.

use clap::Args;
use job_manager::explain::ExplanationOf;

use crate::cli::text::one_line;
use crate::cli::which::TargetArg;
use crate::cli::{CliError, Global, Output};
use crate::command_line::command_line;

/// Say why nothing happens, and what to do about it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager explain photos:17")]
pub struct Explain {
    #[command(flatten)]
    pub target: TargetArg,
}

pub fn explain(global: &Global, args: &Explain, output: &mut Output) -> Result<(), CliError> {
    let client = global.read_client()?;
    let (job, seq) = args.target.find(&client)?;
    let answer = client.explain(job, seq)?;
    let next = command_line(&answer.next_step);
    let lines = format!("{}\ntry: {next}", one_line(&answer.sentence));
    output.answer(&ExplanationOf::new(job, seq, &answer, next), answer.cause, lines)
}
