//! Completion of a command line that is being typed: the shell asks this program, which answers from its own definition of the command
//! line and from the database, read-only.
//!
//! Whatever goes wrong is nothing to offer: a message in the middle of a line that is being typed helps nobody.
//! Known weaknesses: a database on a server is not asked, because a Tab must not wait for a network.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::CompleteEnv;
use job_manager::client::Client;
use job_manager::model::{JobId, ShownStatus, UnitFilter, UnitStatus};
use job_manager::text::{counted, one_line};

use super::args::{Global, LAST, split_unit};
use super::command::command;
use super::completion_script::{PROGRAM, VARIABLE};
use crate::settings::LIMITS;

/// Units that are offered.
const MOST_UNITS: i64 = 50;
/// Groups that are offered.
const MOST_GROUPS: i64 = 50;
/// With more failed units than that it takes too long to group them.
const MOST_FAILED: i64 = 20_000;

/// Answers a shell, if one asks; returns whether one did.
pub(super) fn answer_shell() -> bool {
    if std::env::var_os(VARIABLE).is_none_or(|shell| shell.is_empty() || shell == "0") {
        return false;
    }
    let here = std::env::current_dir().ok();
    let answered = CompleteEnv::with_factory(offering)
        .var(VARIABLE)
        .completer(PROGRAM)
        .try_complete(std::env::args_os(), here.as_deref());
    // It was asked, whether or not there is an answer.
    drop(answered);
    true
}

/// Returns the command line with what is offered for its arguments, by the names of their values.
fn offering() -> Command {
    let offered = |arg: Arg| {
        let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
        match name.as_deref() {
            Some("JOB") => arg.add(ArgValueCompleter::new(|typed: &OsStr| offer(typed, jobs))),
            Some("JOB[:SEQ]" | "JOB:SEQ") => arg.add(ArgValueCompleter::new(|typed: &OsStr| offer(typed, units))),
            Some("ID") if arg.get_long() == Some("cluster") => {
                arg.add(ArgValueCompleter::new(|typed: &OsStr| offer(typed, clusters)))
            }
            Some("GROUP") => arg.add(ArgValueCompleter::new(|typed: &OsStr| offer(typed, groups))),
            Some("STATUS") => arg.add(ArgValueCandidates::new(states_of_units)),
            Some("KEY=VALUE") => arg.add(ArgValueCompleter::new(limits)),
            _ => arg,
        }
    };
    command()
        .mut_subcommands(|verb| verb.mut_args(offered))
        .mut_subcommand("list", |list| list.mut_arg("status", |arg| arg.add(ArgValueCandidates::new(states_of_jobs))))
}

/// The line that is being typed, and the database that it is about.
struct Typed {
    client: Client,
    line: ArgMatches,
}

impl Typed {
    fn read() -> Option<Typed> {
        let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
        let line = command().ignore_errors(true).try_get_matches_from(words).ok()?;
        let (_, verb) = line.subcommand()?;
        let db = verb.try_get_one::<PathBuf>("db").ok().flatten().cloned();
        let path = Global::db_to_read(db)?;
        Some(Typed { client: Client::open_to_read(&path).ok()?, line: verb.clone() })
    }

    /// Returns the job that has been typed already, the newest where none was.
    fn job(&self) -> Option<JobId> {
        let named = ["job", "target", "jobs"].into_iter().find_map(|name| {
            let mut values = self.line.try_get_raw(name).ok().flatten()?;
            values.next().map(OsStr::to_os_string)
        });
        let named = named.and_then(|named: OsString| named.into_string().ok()).unwrap_or_else(|| LAST.to_owned());
        self.client.find_job(split_unit(&named).0).ok()
    }
}

type Offered = Option<Vec<CompletionCandidate>>;

fn offer(typed: &OsStr, find: fn(&Typed, &str) -> Offered) -> Vec<CompletionCandidate> {
    let offered = typed.to_str().and_then(|typed| find(&Typed::read()?, typed));
    offered.unwrap_or_default()
}

/// Offers jobs: by their names, or by their numbers where a shell would have to quote the name, or the name means another job.
fn jobs(typed: &Typed, begun: &str) -> Offered {
    let one = |(job, name, is_meant): (JobId, String, bool)| match is_meant && is_plain(&name) {
        true => CompletionCandidate::new(name).help(Some(format!("job {job}").into())),
        false => CompletionCandidate::new(job.to_string()).help(Some(one_line(&name).into())),
    };
    let mut offered: Vec<_> = typed.client.jobs_begun(begun).ok()?.into_iter().map(one).collect();
    if LAST.starts_with(begun) && !offered.is_empty() {
        offered.push(CompletionCandidate::new(LAST).help(Some("the newest job".into())));
    }
    Some(offered)
}

/// Returns `true` if every shell takes a name for one word, and this program for a name.
fn is_plain(name: &str) -> bool {
    let is_safe = |c: char| c.is_alphanumeric() || "._-+@%/".contains(c);
    name.chars().all(is_safe) && !name.starts_with('-') && name != LAST && name.parse::<i64>().is_err()
}

/// Offers jobs, and behind a colon numbers of units: at first those that run or have failed.
fn units(typed: &Typed, begun: &str) -> Offered {
    let Some((named, digits)) = begun.rsplit_once(':') else { return jobs(typed, begun) };
    let job = typed.client.find_job(if named.is_empty() { LAST } else { named }).ok()?;
    let progress = typed.client.job(job).ok()?.progress;
    let numbers: Vec<i64> = match digits {
        "" => {
            let of = |status: UnitStatus| {
                let filter = UnitFilter { statuses: vec![status], ..UnitFilter::all() };
                typed.client.units(job, &filter, None, MOST_UNITS / 2).ok()
            };
            let running = if progress.running > 0 { of(UnitStatus::Running)? } else { Vec::new() };
            let failed = if progress.failed > 0 { of(UnitStatus::Failed)? } else { Vec::new() };
            let found: Vec<i64> = running.iter().chain(&failed).map(|unit| unit.seq.0).collect();
            if found.is_empty() { (1..=progress.total.min(MOST_UNITS)).collect() } else { found }
        }
        _ => {
            let first: i64 = digits.parse().ok().filter(|first| *first > 0)?;
            let widths = std::iter::successors(Some(1_i64), |width| width.checked_mul(10)).take(10);
            let stretches = widths.filter_map(|width| Some((first.checked_mul(width)?, width)));
            let numbers = stretches.flat_map(|(first, width)| first..first.saturating_add(width));
            numbers.take_while(|number| *number <= progress.total).take(MOST_UNITS as usize).collect()
        }
    };
    let one = |number: i64| CompletionCandidate::new(format!("{named}:{number}"));
    Some(numbers.into_iter().map(one).collect())
}

/// Offers the kinds of failures of the job on the line.
fn clusters(typed: &Typed, begun: &str) -> Offered {
    let job = typed.job()?;
    if typed.client.job(job).ok()?.progress.failed > MOST_FAILED {
        return None;
    }
    let kinds = typed.client.failures(job).ok()?;
    let one = |kind: job_manager::failures::FailureCluster| {
        let help = format!("{}: {}", counted(kind.count, "unit"), one_line(&kind.text));
        Some(CompletionCandidate::new(kind.id?.to_string()).help(Some(help.into())))
    };
    let begins = |offered: &CompletionCandidate| offered.get_value().to_string_lossy().starts_with(begun);
    Some(kinds.into_iter().filter_map(one).filter(begins).collect())
}

/// Offers the groups of the job on the line.
fn groups(typed: &Typed, begun: &str) -> Offered {
    let names = typed.client.groups_begun(typed.job()?, begun, MOST_GROUPS).ok()?;
    Some(names.into_iter().map(CompletionCandidate::new).collect())
}

fn states_of_units() -> Vec<CompletionCandidate> {
    UnitStatus::ALL.iter().map(|status| CompletionCandidate::new(status.as_str())).collect()
}

fn states_of_jobs() -> Vec<CompletionCandidate> {
    ShownStatus::words().map(CompletionCandidate::new).collect()
}

/// Offers the names of limits.
fn limits(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(begun) = typed.to_str() else { return Vec::new() };
    let names = LIMITS.iter().filter(|name| name.starts_with(begun));
    names.map(|name| CompletionCandidate::new(format!("{name}="))).collect()
}
