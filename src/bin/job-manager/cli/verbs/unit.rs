//! `unit`: everything about one unit.

use clap::Args;
use job_manager::model::{AttemptRecord, Flag, Output as Streams, Timestamp, UnitDetail, UnitNotes, UnitStatus};
use job_manager::text::{counted, local_time};

use super::units::{shown_item, status};
use crate::cli::text::{of_column, one_line, span};
use crate::cli::which::UnitArg;
use crate::cli::{CliError, Global, Output, resources};

/// Show one unit: its command, payload, attempts, output and result
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit photos:17")]
pub struct Unit {
    #[command(flatten)]
    pub unit: UnitArg,
}

pub fn unit(global: &Global, args: &Unit, output: &mut Output) -> Result<(), CliError> {
    let client = global.read_client()?;
    let (job, seq) = args.unit.find_unit(&client)?;
    let view = client.unit_view(job, seq)?;
    if output.json {
        return output.document(&view);
    }
    print(&view.unit, view.command.as_deref(), output)?;
    if let Some(postponed) = view.postponed {
        let waited = span(std::time::Duration::from_secs(postponed.waited_seconds));
        output.line(format_args!("postponed {}, waited {waited}", counted(postponed.times, "time")))?;
    }
    print_notes(&view.notes, output)?;
    output.field("flag", view.flag.as_ref().map(said_of))?;
    print_attempts(&view.attempts_not_completed, output)
}

fn print(unit: &UnitDetail, command: Option<&str>, output: &mut Output) -> Result<(), CliError> {
    output.line(format_args!("unit      {}", unit.seq))?;
    output.line(format_args!("status    {}", status(unit)))?;
    output.field("key", unit.key.as_deref().map(of_column))?;
    output.field("group", unit.group.as_deref().map(of_column))?;
    output.line(format_args!("item      {}", one_line(&shown_item(&unit.payload))))?;
    output.field("command", command.map(one_line))?;
    output.line(format_args!("attempts  {}", unit.attempts))?;
    output.field("crashes", Some(unit.crashes).filter(|crashes| *crashes > 0))?;
    if let (Some(started), UnitStatus::Running) = (unit.started_at, unit.status) {
        output.line(format_args!(
            "running   since {}, {}",
            local_time(started),
            span(Timestamp::now().since(started))
        ))?;
    } else if let (Some(started), Some(finished)) = (unit.started_at, unit.finished_at) {
        output.line(format_args!("time      {}, {}", local_time(started), span(finished.since(started))))?;
    }
    output.field("slot", unit.slot)?;
    for (name, amount) in &unit.spent.0 {
        output.line(format_args!("spent     {amount} {name}"))?;
    }
    output.field("next", unit.not_before.map(|at| format!("not before {}", local_time(at))))?;
    output.field("error", unit.error.as_deref().map(one_line))?;
    output.field("result", unit.result.as_deref().map(one_line))?;
    streams(&unit.output, output)
}

/// Says what is doubtful about a unit, and what was decided.
fn said_of(flag: &Flag) -> String {
    let decided = flag.decision.zip(flag.decided_by.as_deref()).zip(flag.decided_at);
    let decided = decided.map(|((decision, by), at)| {
        let note = flag.note.as_deref().map(|note| format!(": {}", one_line(note))).unwrap_or_default();
        format!(" ({decision} by {} at {}{note})", one_line(by), local_time(at))
    });
    format!("{}{}", one_line(&flag.text), decided.unwrap_or_default())
}

fn print_notes(notes: &UnitNotes, output: &mut Output) -> Result<(), CliError> {
    if let (Some(done), Some(total)) = (notes.done, notes.total) {
        let message = notes.message.as_deref().map(|message| format!(", {}", one_line(message))).unwrap_or_default();
        output.line(format_args!("progress  {done} of {total}{message}"))?;
    }
    output.field("checkpoint", notes.checkpoint.as_deref().map(one_line))
}

fn print_attempts(attempts: &[AttemptRecord], output: &mut Output) -> Result<(), CliError> {
    for attempt in attempts {
        let attempt_span =
            attempt.started_at.map_or_else(String::new, |at| format!(", {}", span(attempt.ended_at.since(at))));
        let slot = attempt.slot.map_or_else(String::new, |slot| format!(", slot {slot}"));
        let took =
            attempt.resources.as_ref().map_or_else(String::new, |took| format!(", {}", resources::of_attempt(took)));
        output.line(format_args!(
            "attempt {} ({}{attempt_span}{slot}{took}): {}",
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
