//! Where units come from, as flags.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::values;
use crate::source::{self, CsvOptions, GlobOptions, Items, Separator};

const STDIN: &str = "-";
const STDIN_NAME: &str = "standard input";
/// Separates the command from items given as arguments.
const ITEMS_MARK: &str = ":::";

/// Sources of units; at most one.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// `-` reads items from standard input, one per line
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,
    /// Items from the lines of a file, `-` for standard input
    #[arg(long, value_name = "FILE", help_heading = "Sources")]
    pub lines: Option<PathBuf>,
    /// Items end with NUL instead of a line break
    #[arg(long, help_heading = "Sources")]
    pub null: bool,
    /// Units from a CSV file whose header names the fields
    #[arg(long, value_name = "FILE", help_heading = "Sources")]
    pub csv: Option<PathBuf>,
    /// Separator of the CSV file's fields
    #[arg(long, value_name = "CHAR", default_value = ",", requires = "csv", value_parser = values::ascii, help_heading = "Sources")]
    pub delimiter: u8,
    /// The CSV file has no header; fields are called 1, 2, …
    #[arg(long, requires = "csv", help_heading = "Sources")]
    pub no_header: bool,
    /// Units from a file with one JSON document per line
    #[arg(long, value_name = "FILE", help_heading = "Sources")]
    pub jsonl: Option<PathBuf>,
    /// Units from the files that match a pattern
    #[arg(long, value_name = "PATTERN", help_heading = "Sources")]
    pub glob: Vec<String>,
    /// Leave out files that match a pattern
    #[arg(long, value_name = "PATTERN", requires = "glob", help_heading = "Sources")]
    pub exclude: Vec<String>,
    /// Match hidden files too
    #[arg(long, requires = "glob", help_heading = "Sources")]
    pub hidden: bool,
    /// Take no more than N units
    #[arg(long, value_name = "N", help_heading = "Sources")]
    pub limit: Option<usize>,
}

/// Splits what stands behind `--` into the command and the items behind `:::`.
pub(super) fn split_command(behind: &[String]) -> (&[String], Option<Vec<String>>) {
    match behind.iter().position(|argument| argument == ITEMS_MARK) {
        Some(mark) => (&behind[..mark], Some(behind[mark + 1..].to_vec())),
        None => (behind, None),
    }
}

impl SourceArgs {
    /// Opens the source; none when no source was given.
    pub fn open(&self, items: Option<Vec<String>>) -> Result<Option<Items>, CliError> {
        let given = [
            self.source.is_some(),
            self.lines.is_some(),
            self.csv.is_some(),
            self.jsonl.is_some(),
            !self.glob.is_empty(),
            items.is_some(),
        ];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err(CliError::SeveralSources);
        }
        if self.null && self.lines.is_none() && self.source.is_none() {
            return Err(CliError::NullWithoutLines);
        }
        let Some(all) = self.open_one(items)? else { return Ok(None) };
        Ok(Some(match self.limit {
            Some(limit) => Box::new(all.take(limit)),
            None => all,
        }))
    }

    fn open_one(&self, items: Option<Vec<String>>) -> Result<Option<Items>, CliError> {
        let separator = if self.null { Separator::Nul } else { Separator::Newline };
        Ok(Some(match self {
            _ if items.is_some() => source::arguments(items.unwrap_or_default()),
            Self { source: Some(given), .. } if given != STDIN => {
                return Err(CliError::UnknownSource { given: given.clone() });
            }
            Self { source: Some(_), .. } => source::lines(stdin(), STDIN_NAME, separator),
            Self { lines: Some(path), .. } => {
                let (reader, name) = open(path)?;
                source::lines(reader, &name, separator)
            }
            Self { csv: Some(path), .. } => {
                let (reader, name) = open(path)?;
                source::csv(reader, &name, CsvOptions { delimiter: self.delimiter, header: !self.no_header })?
            }
            Self { jsonl: Some(path), .. } => {
                let (reader, name) = open(path)?;
                source::jsonl(reader, &name)
            }
            Self { glob, .. } if !glob.is_empty() => {
                source::glob(glob, GlobOptions { exclude: self.exclude.clone(), hidden: self.hidden })?
            }
            _ => return Ok(None),
        }))
    }
}

type Reader = Box<dyn io::BufRead + Send>;

fn open(path: &Path) -> Result<(Reader, String), CliError> {
    if path.as_os_str() == STDIN {
        return Ok((stdin(), STDIN_NAME.to_owned()));
    }
    Ok((Box::new(source::open_file(path)?), path.display().to_string()))
}

fn stdin() -> Reader {
    Box::new(io::BufReader::new(io::stdin()))
}
