//! `results`: payload and result of each unit.

mod readers;
mod written;

use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::cli::filter::FilterArgs;
use crate::cli::verbs::units::named;
use crate::cli::which::JobArg;
use crate::cli::{CliError, Global, Output};
use crate::results::{Columns, Format, Lines, Omitted, ResultsError, Table};
use job_manager::client::SEARCH_TIME;
use job_manager::model::UnitFilter;
use job_manager::text::counted;

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
    /// Output format: `jsonl`; `csv` or `tsv`, a table with the columns of the input, the fields of results that are objects,
    /// exit code and seconds; or `parquet`, the same table as a file (if built with that feature)
    #[arg(long, value_enum, default_value_t = Form::Jsonl)]
    pub format: Form,
}

/// A format, as it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Jsonl,
    Csv,
    Tsv,
    Parquet,
}

impl From<Form> for Format {
    fn from(form: Form) -> Format {
        match form {
            Form::Jsonl => Format::Jsonl,
            Form::Csv | Form::Parquet => Format::Csv,
            Form::Tsv => Format::Tsv,
        }
    }
}

impl From<ResultsError> for CliError {
    fn from(error: ResultsError) -> CliError {
        match error {
            ResultsError::Client(error) => error.into(),
            ResultsError::Written(error) => error.into(),
        }
    }
}

impl Results {
    /// Returns why there is no document, where the format is a table.
    pub fn table(&self) -> Option<&'static str> {
        match self.format {
            Form::Jsonl => None,
            Form::Csv => Some("--format csv prints a table, and --json documents"),
            Form::Parquet => Some("--format parquet writes a table, and --json documents"),
            Form::Tsv => Some("--format tsv prints a table, and --json documents"),
        }
    }
}

pub fn results(global: &Global, args: &Results, output: &mut Output) -> Result<(), CliError> {
    let mut written = if args.format == Form::Parquet { Written::parquet()? } else { Written::lines() };
    let client = global.read_client()?;
    let job = args.job.find(&client)?;
    let current = if args.all { None } else { Some(true) };
    let filter = UnitFilter { current, ..args.filter.filter() };
    let filter = if args.all { filter } else { client.accepted_only(job, filter)? };
    let are_texts = client.has_text_results(&client.job(job)?)?;
    let columns = if args.table().is_some() { Columns::of(&client, job, &filter)? } else { Columns::default() };
    let is_cut = columns.input.is_cut || columns.result.is_cut;
    let table = Arc::new(Table { columns, are_texts, with_outdated: args.all });
    let lines = || Lines::new(args.format.into(), &table);
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
    let Omitted { outputs, bytes, values, unreadable } = written.finish()?;
    if values > 0 {
        let why = if is_cut { "there are more names than columns" } else { "they came while the table was written" };
        output.hint(format_args!("{} without a column: {why}; --format jsonl has all", counted(values, "value")));
    }
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
