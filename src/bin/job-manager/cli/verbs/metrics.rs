//! `metrics`: what `serve` answers at /metrics, once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{CliError, Global, Output};
use crate::dashboard::metrics_text;

/// Print what Prometheus would scrape, or write it to a file
///
/// For hosts where nothing serves: a timer writes the file, and the textfile collector of Prometheus' node exporter reads it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager metrics --textfile /var/lib/prometheus/node-exporter/job-manager.prom")]
pub struct Metrics {
    /// Replace that file as a whole; who reads it meanwhile sees the old one
    #[arg(long, value_name = "FILE")]
    pub textfile: Option<PathBuf>,
}

pub fn metrics(global: &Global, args: &Metrics, output: &mut Output) -> Result<(), CliError> {
    let text = metrics_text(&global.read_client()?)?;
    match &args.textfile {
        None => Ok(output.line(text.trim_end())?),
        Some(path) => replace(path, &text).map_err(|source| CliError::Metrics { path: path.clone(), source }),
    }
}

/// Puts a file in the place of another one, with a name in between that no collector reads.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut unfinished = std::ffi::OsString::from(".");
    unfinished.push(name);
    unfinished.push(format!(".{}", std::process::id()));
    let unfinished = path.with_file_name(unfinished);
    let replaced = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, path));
    if replaced.is_err() {
        // What was refused is what has to be said.
        drop(fs::remove_file(&unfinished));
    }
    replaced
}
