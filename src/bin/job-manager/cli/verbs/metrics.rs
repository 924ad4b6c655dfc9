//! `metrics`: what `serve` answers at /metrics, once.

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
    /// Replace that file as a whole; who reads it meanwhile sees the old one
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(file))]
    pub textfile: Option<PathBuf>,
}

pub fn metrics(global: &Global, args: &Metrics, output: &mut Output) -> Result<(), CliError> {
    let text = metrics_text(&global.read_client()?)?;
    match &args.textfile {
        None => Ok(output.line(text.trim_end())?),
        Some(path) => write_whole(path, &text).map_err(|source| CliError::Metrics { path: path.clone(), source }),
    }
}

fn file(given: OsString) -> Result<PathBuf, &'static str> {
    match given.as_encoded_bytes() {
        b"" => Err("it is empty"),
        b"-" => Err("metrics are printed without --textfile; ./- is a file of that name"),
        _ => Ok(given.into()),
    }
}
