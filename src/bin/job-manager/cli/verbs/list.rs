//! `list`: the jobs of a database.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use clap::Args;
use job_manager::client::Snapshot;
use job_manager::model::{FoundJobs, JobFilter, ShownStatus, Timestamp};
use job_manager::text::printable;

use crate::cli::table::{fitting, painted};
use crate::cli::text::{one_line, span, style_of};
use crate::cli::which::JobKeys;
use crate::cli::{CliError, Global, Output, values, wording};

const DEFAULT_LIMIT: i64 = 20;
const HEADINGS: [&str; 7] = ["ID", "NAME", "STATUS", "DONE", "FAILED", "TOTAL", "AGE"];
const RIGHT: [usize; 5] = [0, 3, FAILED, 5, 6];
const NAME: usize = 1;
const STATUS: usize = 2;
const FAILED: usize = 4;

/// List jobs, those that run, are interrupted or wait first, then the newest
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager list --status failed")]
#[command(visible_aliases = ["ls", "ps"])]
pub struct List {
    /// Only jobs in that state; may be repeated
    #[arg(long, value_name = "STATUS")]
    pub status: Vec<ShownStatus>,
    /// Only jobs of that name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Only jobs that were created in that time, such as 12h or 7d
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub since: Option<Duration>,
    /// Only jobs with that label
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::label)]
    pub label: Option<(String, String)>,
    #[command(flatten)]
    pub keys: JobKeys,
    /// Show no more than N jobs
    #[arg(long, value_name = "N", default_value_t = DEFAULT_LIMIT, value_parser = |text: &str| values::whole(text, 1, i64::MAX), allow_negative_numbers = true)]
    pub limit: i64,
    /// Show all jobs
    #[arg(short, long, conflicts_with = "limit")]
    pub all: bool,
}

pub fn list(global: &Global, args: &List, output: &mut Output) -> Result<(), CliError> {
    let client = global.read_client()?;
    // A key that no job has is not an empty list.
    args.keys.find(&client)?;
    let key = args.keys.key()?.map(str::to_owned);
    let limit = (!args.all).then_some(args.limit);
    let since = args.since.map(|span| Timestamp::from_micros(Timestamp::now().as_micros() - micros(span)));
    let filter = JobFilter {
        name: args.name.clone(),
        since,
        label: args.label.clone(),
        key,
        under_way_first: true,
        limit,
        ..JobFilter::in_states(&args.status)
    };
    if output.json {
        let list = client.job_list(&filter)?;
        list.unreadable.iter().for_each(|job| output.hint(wording::unreadable(job)));
        output.document(&list)?;
        return Ok(());
    }
    let FoundJobs { jobs, unreadable } = client.snapshots(&filter)?;
    unreadable.iter().for_each(|job| output.hint(wording::unreadable(job)));
    if output.quiet {
        for seen in jobs {
            output.line(seen.job.id)?;
        }
        return Ok(());
    }
    let now = Timestamp::now();
    let rows = jobs.iter().map(|seen| row(seen, now));
    if Output::has_colors() {
        let rows = rows.map(|row| row.iter().map(|cell| printable(cell).into_owned()).collect());
        output.own_line(painted(&HEADINGS, &RIGHT, &[NAME], rows, |row, column| style(&jobs[row], column)))?;
    } else {
        output.line(fitting(&HEADINGS, &RIGHT, &[NAME], rows))?;
    }
    if let Some(more) = client.more_jobs(&filter, jobs.len() + unreadable.len())? {
        output.hint(format_args!("{more} more: --all shows them"));
    }
    Ok(())
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Returns the colour of a cell; its word or number says the same.
fn style(seen: &Snapshot, column: usize) -> Style {
    match column {
        STATUS if seen.word() == ShownStatus::UNKNOWN => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        STATUS => style_of(seen.job.status, seen.is_interrupted()),
        FAILED if seen.job.progress.failed > 0 => Style::new().fg_color(Some(AnsiColor::Red.into())),
        _ => Style::new(),
    }
}

fn row(seen: &Snapshot, now: Timestamp) -> Vec<String> {
    let job = &seen.job;
    vec![
        job.id.to_string(),
        one_line(&job.name),
        seen.word().to_owned(),
        format!("{} %", job.progress.percentage()),
        job.progress.failed.to_string(),
        job.progress.total.to_string(),
        span(now.since(job.created_at)),
    ]
}
