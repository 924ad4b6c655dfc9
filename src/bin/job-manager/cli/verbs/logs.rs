//! `logs`: what units, or the manager, wrote.

mod followed;
mod printer;

use std::collections::BTreeSet;
use std::io::{self, Read};

use clap::Args;
use job_manager::client::{Client, ClientError, SEARCH_TIME, StoreError};
use job_manager::model::{JobId, Output as Streams, RawText, Seq, Timestamp, UnitDetail, UnitFilter};

use crate::cli::text::one_line;
use crate::cli::values;
use crate::cli::which::UnitArg;
use crate::cli::{CliError, Global, Output};
use crate::command_line::command_line;

use followed::FOLLOW_EVERY;
use printer::{BLOCK_BYTES, LinesOf, Named, Printer};

/// Units read at once; each holds up to 128 KiB of output.
const PAGE_UNITS: i64 = 32;

/// Show the output of units; with --json one document for each line
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager logs photos:17 --stderr")]
pub struct Logs {
    #[command(flatten)]
    pub unit: UnitArg,
    /// Standard error instead of standard output
    #[arg(long, conflicts_with = "manager")]
    pub stderr: bool,
    /// Output of that attempt, if it did not complete
    #[arg(long, value_name = "N", conflicts_with_all = ["manager", "follow"], value_parser = values::at_least_one::<u32>, allow_negative_numbers = true)]
    pub attempt: Option<u32>,
    /// The manager's own log
    #[arg(long)]
    pub manager: bool,
    /// Only the last N lines
    #[arg(short = 'n', long, value_name = "N", value_parser = |text: &str| values::whole(text, 0, usize::MAX), allow_negative_numbers = true)]
    pub lines: Option<usize>,
    /// Go on with what the unit writes, from its beginning; of a JOB with what all units that run write, each line behind the
    /// unit's number; with --manager with what the manager writes. What a job does not keep as it is written comes at the
    /// unit's end
    #[arg(short, long)]
    pub follow: bool,
}

pub fn logs(global: &Global, args: &Logs, output: &mut Output) -> Result<(), CliError> {
    let client = global.read_client()?;
    let (job, seq) = args.unit.find(&client)?;
    if args.attempt.is_some() && seq.is_none() {
        return Err(CliError::Requires { given: "--attempt", missing: "a unit, as JOB:SEQ or with --key" });
    }
    if args.follow && !args.manager && seq.is_none() && client.outcome(job)?.is_none() {
        if args.lines.is_some() {
            return Err(CliError::LinesOfAll);
        }
        return followed::follow_all(&client, job, args.stderr, output);
    }
    let stream = match (args.manager, args.stderr) {
        (true, _) => "log",
        (false, true) => "stderr",
        (false, false) => "stdout",
    };
    let of = LinesOf { job: Named { id: job }, seq: seq.filter(|_| !args.manager), stream };
    let mut printer = Printer::new(Some(output), of);
    let printed = print(&client, job, seq, args, &mut printer);
    // Also what came before damage.
    printer.finish()?;
    let is_whole = match &printed {
        Err(CliError::NoLog(_, error)) => error.kind() != io::ErrorKind::NotFound,
        Err(_) => true,
        Ok(is_whole) => *is_whole,
    };
    let hosts = match (is_whole, &printed) {
        (true, _) => None,
        (false, Ok(_)) => other_hosts(&client, job)?,
        // Why nothing was printed matters more.
        (false, Err(_)) => other_hosts(&client, job).unwrap_or_default(),
    };
    if let Some(hosts) = hosts {
        output.hint(match seq.filter(|_| !args.manager) {
            Some(seq) => format!(
                "only the end is in the database; the full output is on the host that ran the unit ({}{}): run `job-manager \
                 logs {job}:{seq}` there",
                if hosts.len() > 1 { "one of " } else { "" },
                hosts.join(", ")
            ),
            None => format!(
                "each host keeps its own manager's log: run `job-manager logs {job} --manager` on {}",
                hosts.join(", ")
            ),
        });
    }
    printed?;
    match seq.filter(|_| args.follow && !args.manager) {
        Some(seq) => hint_what_it_waits_for(&client, job, seq, output),
        None => Ok(()),
    }
}

/// Names the hosts that have run a job whose database is on a server.
fn other_hosts(client: &Client, job: JobId) -> Result<Option<Vec<String>>, CliError> {
    if client.snapshot(job)?.status().lease_seconds.is_none() {
        return Ok(None);
    }
    let hosts: BTreeSet<String> = client.managers(job)?.iter().map(|run| one_line(&run.host)).collect();
    Ok(Some(hosts.into_iter().collect::<Vec<_>>()).filter(|hosts| !hosts.is_empty()))
}

/// Prints what was asked for; `false` if that was the end only of what is kept on another host.
fn print(
    client: &Client,
    job: JobId,
    seq: Option<Seq>,
    args: &Logs,
    printer: &mut Printer<'_>,
) -> Result<bool, CliError> {
    if args.manager {
        return manager_log(client, job, args, printer).map(|()| true);
    }

    if args.follow {
        wait_for_begin(client, job, seq)?;
    }
    let wrote = match seq {
        Some(seq) if client.keeps_output(&client.job(job)?)? => Wrote::All(seq),
        Some(seq) => Wrote::End(seq),
        None => Wrote::Ends,
    };
    if let Some(last) = args.lines {
        // Read twice, so that no line has to be kept meanwhile, however long it is.
        let mut counter = Printer::new(None, printer.of);
        wrote.print(client, job, args, false, &mut counter)?;
        printer.skip = counter.lines().saturating_sub(last);
    }
    wrote.print(client, job, args, args.follow, printer)
}

/// Waits until a unit has begun, and of a job that does not keep output as it is written until it has ended.
fn wait_for_begin(client: &Client, job: JobId, seq: Option<Seq>) -> Result<(), CliError> {
    let Some(seq) = seq else { return Ok(()) };
    let is_kept = client.keeps_output(&client.job(job)?)?;
    loop {
        // Asked before the unit, so that one which began last is still seen.
        let is_over = client.outcome(job)?.is_some();
        let unit = client.unit(job, seq)?;
        let has_come = if is_kept { unit.started_at.is_some() } else { unit.status.is_terminal() };
        if is_over || has_come || unit.status.is_terminal() {
            return Ok(());
        }
        std::thread::sleep(FOLLOW_EVERY);
    }
}

/// What is shown of units.
enum Wrote {
    /// All that a unit wrote.
    All(Seq),
    /// The end of what a unit wrote.
    End(Seq),
    /// The ends of what each unit wrote.
    Ends,
}

impl Wrote {
    fn print(
        &self,
        client: &Client,
        job: JobId,
        args: &Logs,
        follow: bool,
        printer: &mut Printer<'_>,
    ) -> Result<bool, CliError> {
        match self {
            Self::All(seq) => full_log(client, job, *seq, args, follow, printer),
            Self::End(seq) => printer.take(unit_log(client, job, *seq, args)?.as_bytes()).map(|()| true),
            Self::Ends => all_logs(client, job, args, printer).map(|()| true),
        }
    }
}

/// Prints all that an attempt wrote, and with `follow` goes on with it and those after it until the unit has ended, or the job goes on no
/// more; `false` if only its end is here.
fn full_log(
    client: &Client,
    job: JobId,
    seq: Seq,
    args: &Logs,
    follow: bool,
    printer: &mut Printer<'_>,
) -> Result<bool, CliError> {
    let mut reader = client.output_reader(job, seq, args.attempt, args.stderr)?;
    let mut is_kept = false;
    loop {
        // Asked before reading, so that what it wrote last is still read.
        let goes_on = follow && client.outcome(job)?.is_none();
        let unit = client.unit(job, seq)?;
        let next = if follow { next_attempt(client, job, &unit, reader.started_at())? } else { None };
        let mut printed = Ok(());
        let read = reader.read_more(|bytes| {
            is_kept = true;
            printed = printer.take(bytes);
            if printed.is_ok() { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
        });
        printed?;
        read?;
        if let Some(next) = next {
            reader.turn_to(next);
            continue;
        }
        if !goes_on || unit.status.is_terminal() {
            // Of a job that was copied the complete output stays where it was.
            if is_kept {
                return Ok(true);
            }
            let end = unit_log(client, job, seq, args)?;
            return printer.take(end.as_bytes()).map(|()| end.as_bytes().is_empty());
        }
        std::thread::sleep(FOLLOW_EVERY);
    }
}

/// Returns when the first attempt at a unit started after another one, if there has been one.
fn next_attempt(
    client: &Client,
    job: JobId,
    unit: &UnitDetail,
    after: Timestamp,
) -> Result<Option<Timestamp>, CliError> {
    if unit.started_at.is_some_and(|at| at <= after) {
        return Ok(None);
    }
    let former = client.attempts(job, unit.seq)?.into_iter().filter_map(|attempt| attempt.started_at);
    Ok(former.chain(unit.started_at).filter(|at| *at > after).min())
}

/// Says why a unit that was followed has not ended, if it has not.
fn hint_what_it_waits_for(client: &Client, job: JobId, seq: Seq, output: &mut Output) -> Result<(), CliError> {
    let unit = client.unit(job, seq)?;
    if unit.status.is_terminal() || client.outcome(job)?.is_none() {
        return Ok(());
    }
    let begun = if unit.started_at.is_some() { "ended" } else { "begun" };
    let answer = client.explain(job, None)?;
    let (said, next) = (one_line(&answer.sentence), command_line(&answer.next_step));
    output.hint(format_args!("unit {seq} has not {begun}: {said}\n  try: {next}"));
    Ok(())
}

fn unit_log(client: &Client, job: JobId, seq: Seq, args: &Logs) -> Result<RawText, CliError> {
    let streams = match args.attempt {
        None => client.unit(job, seq)?.output,
        Some(number) => client.attempt_output(job, seq, number)?.output,
    };
    Ok(chosen(streams, args.stderr))
}

fn all_logs(client: &Client, job: JobId, args: &Logs, printer: &mut Printer<'_>) -> Result<(), CliError> {
    let (mut after, mut unreadable) = (None, None);
    loop {
        // Few at a time, and fewer of long ones.
        let page = client.search_units(job, &UnitFilter::all(), after, PAGE_UNITS, SEARCH_TIME)?;
        for unit in page.units {
            printer.take_next(unit.seq, chosen(unit.output, args.stderr).as_bytes())?;
        }
        unreadable = unreadable.or(page.unreadable.into_iter().next());
        after = page.next_after;
        if after.is_none() {
            // After what could be read, so that no unit hides another one.
            return unreadable.map_or(Ok(()), |unit| Err(ClientError::from(StoreError::from(unit)).into()));
        }
    }
}

fn manager_log(client: &Client, job: JobId, args: &Logs, printer: &mut Printer<'_>) -> Result<(), CliError> {
    let opened = client.manager_log(job, args.lines);
    let mut log = opened.map_err(|error| CliError::NoLog(client.job_files(job).log(), error))?;
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        // Asked before reading, so that what a manager wrote last is still read.
        let ended = !args.follow || client.outcome(job)?.is_some();
        loop {
            match log.read(&mut block)? {
                0 => break,
                read => printer.take(&block[..read])?,
            }
        }
        if ended {
            return Ok(());
        }
        std::thread::sleep(FOLLOW_EVERY);
    }
}

fn chosen(streams: Streams, stderr: bool) -> RawText {
    if stderr { streams.stderr } else { streams.stdout }.unwrap_or_default()
}
