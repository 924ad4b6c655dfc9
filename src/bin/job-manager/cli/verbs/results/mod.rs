//! `results`: payload and result of each unit.

mod lines;
mod readers;
mod written;

use clap::Args;

use crate::cli::filter::FilterArgs;
use crate::cli::verbs::units::named;
use crate::cli::way_out;
use crate::cli::which::JobArg;
use crate::cli::{CliError, Global, Output};
use job_manager::client::SEARCH_TIME;
use job_manager::model::UnitFilter;
use job_manager::text::counted;

use lines::{Format, Lines, Omitted};
use readers::{Parts, read_in_turn};
use written::Written;

/// Print payload and result of each unit, in order; a command's result is its output
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager results photos --format csv > results.csv")]
pub struct Results {
    #[command(flatten)]
    pub job: JobArg,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Show units too that are gone from the source or were replaced, marked as `outdated`, and those held for a review, with their `flag`
    #[arg(long)]
    pub all: bool,
    /// Format of the lines
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    pub format: Format,
}

impl Results {
    pub fn is_csv(&self) -> bool {
        self.format == Format::Csv
    }
}

pub fn results(global: &Global, args: &Results, output: &mut Output) -> Result<(), CliError> {
    let client = global.read_client()?;
    let job = args.job.find(&client)?;
    let current = if args.all { None } else { Some(true) };
    let filter = UnitFilter { current, ..args.filter.filter() };
    let filter = if args.all { filter } else { client.accepted_only(job, filter)? };
    let are_texts = client.has_text_results(&client.job(job)?)?;
    let lines = || Lines::new(args.format, are_texts, args.all);
    let mut written = Written { stdout: way_out::stdout(), omitted: Omitted::default() };
    let mut own = lines();
    own.add_header()?;
    let mut after = None;
    if let Some(parts) = Parts::of(&filter, client.progress(job)?.total) {
        let second = global.read_client()?;
        written.take(own.take()?, Omitted::default())?;
        read_in_turn([&client, &second], job, &filter, &parts, lines, &mut written)?;
        after = Some(parts.last);
    }
    loop {
        let next = own.read(&client, job, &filter, after)?;
        written.take(own.take()?, own.take_omitted())?;
        let Some(next) = next else { break };
        after = Some(next);
    }
    let Omitted { outputs, bytes, unreadable } = written.omitted;
    if outputs > 0 {
        output.hint(format_args!(
            "{} cut for display, {} omitted; a job submitted with --result text keeps all of them",
            counted(outputs, "output"),
            counted(bytes, "byte")
        ));
    }
    if !args.all {
        let held = if filter.flagged.is_some() { client.undecided(job)? } else { 0 };
        if held > 0 {
            let them = if held == 1 { "it" } else { "them" };
            output.hint(format_args!(
                "{} held until `job-manager review {job}` has accepted {them}; --all shows {them}",
                counted(held, "flagged unit")
            ));
        }
        let gone = UnitFilter { current: Some(false), flagged: None, ..filter };
        let (skipped, through) = client.count_units_within(job, &gone, SEARCH_TIME)?;
        if skipped > 0 {
            let through = through.map(|seq| format!(" up to unit {seq}")).unwrap_or_default();
            output.hint(format_args!(
                "units skipped because they are gone from the source or were replaced: {skipped}{through}; --all shows them"
            ));
        }
    }
    named(output, unreadable)
}
