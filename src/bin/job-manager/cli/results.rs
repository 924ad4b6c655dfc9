//! `results`: payload and result of each unit.

use std::borrow::Cow;
use std::io::{self, Stdout, Write};

use clap::{Args, ValueEnum};
use job_manager::client::SEARCH_TIME;
use job_manager::model::{Outdated, RawText, Seq, UnitFilter, UnitResult, UnitStatus};
use job_manager::text::{counted, omitted_bytes};
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

/// Bytes of lines that are made before they are written, and the bytes of one write.
const BUFFER_BYTES: usize = 1 << 18;
const WRITE_BYTES: usize = 1 << 16;

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
    let current = if args.all { None } else { Some(true) };
    let filter = UnitFilter { current, ..args.filter.filter() };
    let are_texts = client.has_text_results(&client.job(job)?)?;
    let mut lines = Lines::new(args, are_texts)?;
    let (mut copies, mut bytes_omitted) = (0, 0);
    let mut after = None;
    loop {
        let mut made = Ok(());
        let next = client.each_result(job, &filter, after, &mut |unit| {
            if let Some(bytes) = omitted(&unit) {
                (copies, bytes_omitted) = (copies + 1, bytes_omitted + bytes);
            }
            made = lines.add(&unit);
            made.is_ok() && !lines.are_full()
        })?;
        made?;
        lines.write()?;
        let Some(next) = next else { break };
        after = Some(next);
    }
    if copies > 0 {
        output.hint(format_args!(
            "{} cut for display, {} omitted; a job submitted with --result text keeps all of them",
            counted(copies, "output"),
            counted(bytes_omitted, "byte")
        ));
    }
    if !args.all {
        let gone = UnitFilter { current: Some(false), ..filter };
        let (skipped, through) = client.count_units_within(job, &gone, SEARCH_TIME)?;
        if skipped > 0 {
            let through = through.map(|seq| format!(" up to unit {seq}")).unwrap_or_default();
            output.hint(format_args!(
                "units skipped because they are gone from the source or were replaced: {skipped}{through}; --all shows them"
            ));
        }
    }
    Ok(Exit::Success)
}

/// Lines in one of the formats, made one by one and written together.
struct Lines {
    text: Text,
    are_texts: bool,
    with_outdated: bool,
    stdout: WayOut<Stdout>,
}

enum Text {
    Jsonl(Vec<u8>),
    Csv(Box<csv::Writer<Vec<u8>>>),
}

impl Lines {
    fn new(args: &Results, are_texts: bool) -> io::Result<Lines> {
        let text = match args.format {
            Format::Jsonl => Text::Jsonl(Vec::new()),
            Format::Csv => {
                let mut text = csv::Writer::from_writer(Vec::new());
                let outdated = args.all.then_some("outdated");
                text.write_record(["seq", "key", "status", "item", "result", "error"].into_iter().chain(outdated))?;
                Text::Csv(Box::new(text))
            }
        };
        Ok(Lines { text, are_texts, with_outdated: args.all, stdout: way_out::stdout() })
    }

    fn add(&mut self, unit: &UnitResult) -> io::Result<()> {
        match &mut self.text {
            Text::Jsonl(text) => write_json(text, unit, self.with_outdated),
            Text::Csv(text) => Ok(text.write_record(csv_row(unit, self.are_texts, self.with_outdated))?),
        }
    }

    fn are_full(&self) -> bool {
        let text = match &self.text {
            Text::Jsonl(text) => text,
            // All but what its own small buffer holds.
            Text::Csv(text) => text.get_ref(),
        };
        text.len() >= BUFFER_BYTES
    }

    fn write(&mut self) -> io::Result<()> {
        let text = match &mut self.text {
            Text::Jsonl(text) => std::mem::take(text),
            Text::Csv(text) => {
                let full = std::mem::replace(&mut **text, csv::Writer::from_writer(Vec::new()));
                full.into_inner().map_err(csv::IntoInnerError::into_error)?
            }
        };
        for part in text.chunks(WRITE_BYTES) {
            self.stdout.write_all(part)?;
        }
        self.stdout.flush()
    }
}

fn write_json(out: &mut impl Write, unit: &UnitResult, with_outdated: bool) -> io::Result<()> {
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
fn omitted(unit: &UnitResult) -> Option<u64> {
    unit.text_result().filter(|_| unit.result.is_none())?;
    unit.stdout.as_ref().map(omitted_bytes).filter(|bytes| *bytes > 0)
}

fn csv_row(unit: &UnitResult, are_texts: bool, with_outdated: bool) -> impl Iterator<Item = String> {
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
