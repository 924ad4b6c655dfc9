//! `explain`: why nothing happens.

use clap::Args;
use job_manager::explain::ExplanationOf;

use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::text::one_line;
use crate::cli::which::TargetArg;
use crate::command_line::command_line;

/// Say why nothing happens, and what to do about it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager explain photos:17")]
pub struct Explain {
    #[command(flatten)]
    pub target: TargetArg,
}

pub fn explain(global: &Global, args: &Explain, output: &mut Output) -> Result<Exit, CliError> {
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
