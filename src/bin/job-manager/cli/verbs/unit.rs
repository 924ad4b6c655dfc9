//! `unit`: everything about one unit.

use clap::Args;
use job_manager::model::{AttemptRecord, Output as Streams, RawText, UnitDetail, UnitNotes};

use super::units::{shown_item, status};
use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::text::{one_line, span};
use crate::cli::which::UnitArg;

/// Show one unit: its command, payload, attempts, output and result
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit photos:17")]
pub struct Unit {
    #[command(flatten)]
    pub unit: UnitArg,
}

pub fn unit(global: &Global, args: &Unit, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.read_client()?;
    let (job, seq) = args.unit.find_unit(&client)?;
    let view = client.unit_view(job, seq)?;
    if output.json {
        output.document(&view)?;
        return Ok(Exit::Success);
    }
    print(&view.unit, view.command.as_deref(), output)?;
    print_notes(&view.notes, output)?;
    print_attempts(&view.attempts_not_completed, output)?;
    Ok(Exit::Success)
}

fn print(unit: &UnitDetail, command: Option<&str>, output: &mut Output) -> Result<(), CliError> {
    output.line(format_args!("unit      {}", unit.seq))?;
    output.line(format_args!("status    {}", status(unit)))?;
    if let Some(key) = &unit.key {
        output.line(format_args!("key       {}", one_line(&RawText::of_column(key).to_string_lossy())))?;
    }
    output.line(format_args!("item      {}", one_line(&shown_item(&unit.payload))))?;
    if let Some(command) = command {
        output.line(format_args!("command   {}", one_line(command)))?;
    }
    output.line(format_args!("attempts  {}", unit.attempts))?;
    if unit.crashes > 0 {
        output.line(format_args!("crashes   {}", unit.crashes))?;
    }
    if let (Some(started), Some(finished)) = (unit.started_at, unit.finished_at) {
        output.line(format_args!("time      {started}, {}", span(finished.since(started))))?;
    }
    if let Some(not_before) = unit.not_before {
        output.line(format_args!("next      not before {not_before}"))?;
    }
    if let Some(error) = &unit.error {
        output.line(format_args!("error     {}", one_line(error)))?;
    }
    if let Some(result) = &unit.result {
        output.line(format_args!("result    {}", one_line(result)))?;
    }
    streams(&unit.output, output)
}

fn print_notes(notes: &UnitNotes, output: &mut Output) -> Result<(), CliError> {
    if let (Some(done), Some(total)) = (notes.done, notes.total) {
        let message = notes.message.as_deref().map(|message| format!(", {}", one_line(message))).unwrap_or_default();
        output.line(format_args!("progress  {done} of {total}{message}"))?;
    }
    if let Some(checkpoint) = &notes.checkpoint {
        output.line(format_args!("checkpoint {}", one_line(checkpoint)))?;
    }
    Ok(())
}

fn print_attempts(attempts: &[AttemptRecord], output: &mut Output) -> Result<(), CliError> {
    for attempt in attempts {
        let attempt_span =
            attempt.started_at.map_or_else(String::new, |at| format!(", {}", span(attempt.ended_at.since(at))));
        output.line(format_args!(
            "attempt {} ({}{attempt_span}): {}",
            attempt.attempt,
            attempt.cause,
            one_line(&attempt.error)
        ))?;
    }
    Ok(())
}

fn streams(streams: &Streams, output: &mut Output) -> Result<(), CliError> {
    for (name, written) in [("stdout", &streams.stdout), ("stderr", &streams.stderr)] {
        if let Some(written) = written {
            output.line(format_args!("{name}:"))?;
            let written = written.as_bytes();
            let end = written.iter().rposition(|byte| *byte != b'\n').map_or(0, |at| at + 1);
            output.bytes(&[&written[..end], b"\n"].concat())?;
        }
    }
    Ok(())
}
