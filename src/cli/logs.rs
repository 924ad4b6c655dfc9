//! `logs`: what units, or the manager, wrote.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use super::values;
use super::which::UnitArg;
use crate::client::Client;
use crate::model::{JobId, Output as Streams, RawText, Seq, UnitFilter, UnitStatus};

const PAGE_UNITS: i64 = 200;
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

/// Show the output of units
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager logs photos:17 --stderr")]
pub(super) struct Logs {
    #[command(flatten)]
    pub unit: UnitArg,
    /// Standard error instead of standard output
    #[arg(long)]
    pub stderr: bool,
    /// Output of that attempt, if it did not complete
    #[arg(long, value_name = "N", conflicts_with = "manager", value_parser = values::at_least_one::<u32>, allow_negative_numbers = true)]
    pub attempt: Option<u32>,
    /// The manager's own log
    #[arg(long)]
    pub manager: bool,
    /// Only the last N lines
    #[arg(short = 'n', long, value_name = "N", value_parser = |text: &str| values::whole(text, 0, usize::MAX), allow_negative_numbers = true)]
    pub lines: Option<usize>,
    /// Go on with what the unit or, with --manager, the manager writes, until it ends; for a unit, its job has to keep
    /// all of its output
    #[arg(short, long)]
    pub follow: bool,
}

pub(super) fn logs(global: &Global, args: &Logs, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.read_client()?;
    let (job, seq) = args.unit.find(&client)?;
    let mut printer = Printer { output, last: args.lines, kept: VecDeque::new(), in_line: false };
    match (args.manager, seq) {
        (true, _) => manager_log(&client, job, args.follow, &mut printer)?,
        (false, Some(seq)) if client.keeps_output(&client.job(job)?)? => {
            full_log(&client, job, seq, args, &mut printer)?
        }
        (false, _) if args.follow => return Err(CliError::NothingToFollow),
        (false, Some(seq)) => printer.take(unit_log(&client, job, seq, args)?.as_bytes())?,
        (false, None) => all_logs(&client, job, args, &mut printer)?,
    }
    printer.finish()?;
    Ok(Exit::Success)
}

/// Prints all that an attempt wrote, and goes on while it runs.
fn full_log(client: &Client, job: JobId, seq: Seq, args: &Logs, printer: &mut Printer<'_>) -> Result<(), CliError> {
    let unit = client.unit(job, seq)?;
    let attempt = args.attempt.unwrap_or_else(|| unit.attempts.max(1));
    let mut reader = client.output_reader(job, seq, args.attempt, args.stderr)?;
    let mut unfinished = Vec::new();
    loop {
        // Asked before reading, so that what it wrote last is still read.
        let unit = client.unit(job, seq)?;
        let runs = unit.status == UnitStatus::Running && unit.attempts <= attempt && client.outcome(job)?.is_none();
        reader.read_more(|bytes| {
            unfinished.extend_from_slice(bytes);
            Ok(())
        })?;
        let follows = args.follow && runs;
        let end = if follows {
            unfinished.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
        } else {
            unfinished.len()
        };
        printer.take(&unfinished[..end])?;
        unfinished.drain(..end);
        if !follows {
            return Ok(());
        }
        printer.flush()?;
        std::thread::sleep(FOLLOW_EVERY);
    }
}

fn unit_log(client: &Client, job: JobId, seq: Seq, args: &Logs) -> Result<RawText, CliError> {
    let streams = match args.attempt {
        None => client.unit(job, seq)?.output,
        Some(number) => client.attempt_output(job, seq, number)?.output,
    };
    Ok(chosen(streams, args.stderr))
}

fn all_logs(client: &Client, job: JobId, args: &Logs, printer: &mut Printer<'_>) -> Result<(), CliError> {
    let mut after = None;
    loop {
        let page = client.units(job, &UnitFilter::all(), after, PAGE_UNITS)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.seq);
        for unit in page {
            printer.take_next(chosen(unit.output, args.stderr).as_bytes())?;
        }
    }
}

fn manager_log(client: &Client, job: JobId, follow: bool, printer: &mut Printer<'_>) -> Result<(), CliError> {
    let path = client.job_files(job).log();
    let file = File::open(&path).map_err(|error| CliError::NoLog(path, error))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        // Asked before reading, so that what a manager wrote last is still read.
        let ended = !follow || client.outcome(job)?.is_some();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if !line.ends_with(b"\n") && !ended {
                break;
            }
            printer.take(&line)?;
            line.clear();
        }
        if ended {
            return Ok(());
        }
        printer.flush()?;
        std::thread::sleep(FOLLOW_EVERY);
    }
}

fn chosen(streams: Streams, stderr: bool) -> RawText {
    if stderr { streams.stderr } else { streams.stdout }.unwrap_or_default()
}

/// Prints what was written at once, or keeps only its last lines.
struct Printer<'a> {
    output: &'a mut Output,
    last: Option<usize>,
    kept: VecDeque<Vec<u8>>,
    /// Whether the latest line has no end yet.
    in_line: bool,
}

impl Printer<'_> {
    /// Takes what another unit wrote, which begins on a line of its own.
    fn take_next(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        if self.in_line && !bytes.is_empty() {
            self.take(b"\n")?;
        }
        self.take(bytes)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        let Some(last) = self.last else {
            self.in_line = bytes.last().map_or(self.in_line, |byte| *byte != b'\n');
            return Ok(self.output.bytes(bytes)?);
        };
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match self.kept.back_mut().filter(|_| self.in_line) {
                Some(begun) => begun.extend_from_slice(line),
                None => self.kept.push_back(line.to_owned()),
            }
            self.in_line = !line.ends_with(b"\n");
            if self.kept.len() > last {
                self.kept.pop_front();
            }
        }
        Ok(())
    }

    /// Prints what was kept; everything that follows is printed at once.
    fn flush(&mut self) -> Result<(), CliError> {
        self.last = None;
        for line in std::mem::take(&mut self.kept) {
            self.output.bytes(&line)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), CliError> {
        self.flush()
    }
}
