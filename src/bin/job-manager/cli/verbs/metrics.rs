//! `metrics`: what `serve` answers at /metrics, once.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::cli::whole_file::write_whole;
use crate::cli::{CliError, Global, Output};
use crate::dashboard::metrics_text;

/// Print what Prometheus would scrape, or write it to a file
///
/// For hosts where nothing serves: a timer writes the file, and the textfile collector of Prometheus' node exporter reads it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager metrics --textfile /var/lib/prometheus/node-exporter/job-manager.prom")]
pub struct Metrics {
    /// Replace that file atomically; readers see the old file or the new one
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(file))]
    pub textfile: Option<PathBuf>,
}

pub fn metrics(global: &Global, args: &Metrics, output: &mut Output) -> Result<(), CliError> {
    let text = metrics_text(&global.read_client()?)?;
    match &args.textfile {
        None => Ok(output.line(text.trim_end())?),
        Some(path) => write_whole(path, &in_classic_form(&text))
            .map_err(|source| CliError::Metrics { path: path.clone(), source }),
    }
}

/// Names counters in their comments as the older form of the text does, which is the one that the collector reads: with `_total`.
fn in_classic_form(text: &str) -> String {
    let comment = |line: &str| {
        let (word, rest) = line.strip_prefix("# ")?.split_once(' ')?;
        let (name, rest) = rest.split_once(' ')?;
        Some([word, name, rest].map(str::to_owned))
    };
    let counters: BTreeSet<String> = text
        .lines()
        .filter_map(comment)
        .filter(|[word, _, rest]| word == "TYPE" && rest == "counter")
        .map(|[_, name, _]| name)
        .collect();
    let line = |line: &str| match comment(line) {
        Some([word, name, rest]) if counters.contains(&name) => format!("# {word} {name}_total {rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn file(given: OsString) -> Result<PathBuf, &'static str> {
    match given.as_encoded_bytes() {
        b"" => Err("it is empty"),
        b"-" => Err("metrics are printed without --textfile; ./- is a file of that name"),
        _ => Ok(given.into()),
    }
}
