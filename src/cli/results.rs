//! `results`: payload and result of each unit.

use std::borrow::Cow;
use std::io::{self, BufWriter, Stdout, Write};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::filter::FilterArgs;
use super::output::Output;
use super::units::item;
use super::way_out::{self, WayOut};
use super::which::JobArg;
use crate::client::SEARCH_TIME;
use crate::handler::omitted_bytes;
use crate::model::{Outdated, RawText, Seq, UnitDetail, UnitFilter, UnitStatus, counted};

const PAGE_UNITS: i64 = 500;
const BUFFER_BYTES: usize = 1 << 16;

/// Print payload and result of each unit, in order; a command's result is its output
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager results photos --format csv > results.csv")]
pub(super) struct Results {
    #[command(flatten)]
    pub job: JobArg,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Show units too that are gone from the source or were replaced, marked as `outdated`
    #[arg(long)]
    pub all: bool,
    /// Format of the lines
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Jsonl,
    Csv,
}

#[derive(Serialize)]
struct Line<'a> {
    seq: Seq,
    key: Option<&'a str>,
    status: UnitStatus,
    payload: Cow<'a, RawValue>,
    result: Option<Cow<'a, RawValue>>,
    /// Bytes of the output that the result does not have, if it is only the copy for display.
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted_bytes: Option<u64>,
    error: Option<&'a str>,
    /// Given where all units are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    outdated: Option<Option<Outdated>>,
}

pub(super) fn results(global: &Global, args: &Results, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.read_client()?;
    let job = args.job.find(&client)?;
    let mut lines = Lines::new(args)?;
    let current = if args.all { None } else { Some(true) };
    let filter = UnitFilter { current, ..args.filter.filter() };
    let are_texts = client.has_text_results(&client.job(job)?)?;
    let (mut copies, mut bytes_omitted) = (0, 0);
    let mut after = None;
    loop {
        let found = client.search_units(job, &filter, after, PAGE_UNITS, SEARCH_TIME)?;
        for unit in &found.units {
            lines.write(unit, are_texts, args.all)?;
            if let Some(bytes) = omitted(unit) {
                (copies, bytes_omitted) = (copies + 1, bytes_omitted + bytes);
            }
        }
        let Some(next) = found.next_after else { break };
        after = Some(next);
    }
    lines.flush()?;
    if copies > 0 {
        output.hint(format_args!(
            "{} cut for display, {} omitted; a job submitted with --result text keeps all of them",
            counted(copies, "output"),
            counted(bytes_omitted, "byte")
        ));
    }
    if !args.all {
        let skipped = client.count_units(job, &UnitFilter { current: Some(false), ..filter })?;
        if skipped > 0 {
            output.hint(format_args!(
                "units skipped because they are gone from the source or were replaced: {skipped}; --all shows them"
            ));
        }
    }
    Ok(Exit::Success)
}

/// Standard output in one of the formats, written when a buffer is full.
enum Lines {
    Jsonl(BufWriter<WayOut<Stdout>>),
    Csv(Box<csv::Writer<WayOut<Stdout>>>),
}

impl Lines {
    fn new(args: &Results) -> io::Result<Lines> {
        let stdout = way_out::stdout();
        if args.format == Format::Jsonl {
            return Ok(Self::Jsonl(BufWriter::with_capacity(BUFFER_BYTES, stdout)));
        }
        let mut writer = csv::WriterBuilder::new().buffer_capacity(BUFFER_BYTES).from_writer(stdout);
        let outdated = args.all.then_some("outdated");
        writer.write_record(["seq", "key", "status", "item", "result", "error"].into_iter().chain(outdated))?;
        Ok(Self::Csv(Box::new(writer)))
    }

    fn write(&mut self, unit: &UnitDetail, are_texts: bool, with_outdated: bool) -> io::Result<()> {
        match self {
            Self::Jsonl(out) => write_json(out, unit, with_outdated),
            Self::Csv(writer) => Ok(writer.write_record(csv_row(unit, are_texts, with_outdated))?),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Jsonl(out) => out.flush(),
            Self::Csv(writer) => writer.flush(),
        }
    }
}

fn write_json(out: &mut impl Write, unit: &UnitDetail, with_outdated: bool) -> io::Result<()> {
    let result = match &unit.result {
        Some(json) => Some(as_it_is(json)?),
        None => unit.text_result().map(|text| to_raw_value(&text).map(Cow::Owned)).transpose()?,
    };
    let line = Line {
        seq: unit.seq,
        key: unit.key.as_deref(),
        status: unit.status,
        payload: as_it_is(&unit.payload)?,
        result,
        omitted_bytes: omitted(unit),
        error: unit.error.as_deref(),
        outdated: with_outdated.then_some(unit.outdated),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

/// Returns a document; what a damaged row has in its place is shown as a text.
fn as_it_is(json: &str) -> serde_json::Result<Cow<'_, RawValue>> {
    serde_json::from_str(json).map(Cow::Borrowed).or_else(|_| to_raw_value(json).map(Cow::Owned))
}

/// Returns how many bytes of its output the result of a unit omits, if it is a copy that does.
fn omitted(unit: &UnitDetail) -> Option<u64> {
    unit.text_result().filter(|_| unit.result.is_none())?;
    unit.output.stdout.as_ref().map(omitted_bytes).filter(|bytes| *bytes > 0)
}

fn csv_row(unit: &UnitDetail, are_texts: bool, with_outdated: bool) -> impl Iterator<Item = String> {
    let text = |json: &String| RawText::of_json(json).map_or_else(|| item(json), |text| text.to_column());
    let result = match &unit.result {
        Some(json) if are_texts => Some(text(json)),
        Some(json) => Some(json.clone()),
        None => unit.text_result().map(|text| text.to_column()),
    };
    let outdated = with_outdated.then(|| unit.outdated.map(|why| why.to_string()).unwrap_or_default());
    let fields = [
        unit.seq.to_string(),
        unit.key.clone().unwrap_or_default(),
        unit.status.to_string(),
        item(&unit.payload),
        result.unwrap_or_default(),
        unit.error.clone().unwrap_or_default(),
    ];
    fields.into_iter().chain(outdated)
}
