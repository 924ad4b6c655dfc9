//! The flags that say where units come from, as they are parsed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args};
use job_manager::source::{CsvOptions, Range};

use super::values;

pub(super) const STDIN: &str = "-";

/// Flags of sources, each of which may be given several times, and how to read them.
#[derive(Debug, Clone, Args)]
pub(super) struct SourceFlags {
    /// `-` reads items from standard input, one per line
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,
    /// Items from the lines of a file, `-` for standard input
    #[arg(long, value_name = "FILE", help_heading = "Sources")]
    pub lines: Vec<PathBuf>,
    /// Units from the lines of a file, each a command for /bin/sh; no CMD is given then
    #[arg(long, value_name = "FILE", help_heading = "Sources")]
    pub commands: Vec<PathBuf>,
    /// Items and commands end with NUL instead of a line break
    #[arg(long, help_heading = "Sources")]
    pub null: bool,
    /// Units from a CSV file whose header names the fields
    #[arg(long, value_name = "FILE", help_heading = "Sources")]
    pub csv: Vec<PathBuf>,
    /// Separator of the CSV file's fields, one character or `tab` [default: ,]
    #[arg(long, value_name = "CHAR", value_parser = CsvOptions::delimiter, help_heading = "Sources")]
    pub delimiter: Option<u8>,
    /// The CSV file has no header; fields are called 1, 2, …
    #[arg(long, help_heading = "Sources")]
    pub no_header: bool,
    /// The CSV file knows no quoting; quotes are characters as any other
    #[arg(long, help_heading = "Sources")]
    pub no_quotes: bool,
    /// Units from a file with one JSON document per line
    #[arg(long, value_name = "FILE", help_heading = "Sources")]
    pub jsonl: Vec<PathBuf>,
    /// Units from the array in a JSON file; without FILE: print one JSON document
    // Stands in for the global flag, whose id it therefore bears: without a file it is what it is for every verb.
    #[arg(long = "json", id = "json", value_name = "FILE", num_args = 0..=1, default_missing_value = "", action = ArgAction::Append, help_heading = "Sources")]
    pub json: Vec<String>,
    /// Fields that lead to the array in the JSON file [default: the document itself is the array]
    #[arg(long, value_name = "a.b", help_heading = "Sources")]
    pub path: Option<String>,
    /// Units from the files that match a pattern, as bash finds them: *, ?, [a-z], {a,b}, ** for any directories
    #[arg(long, value_name = "PATTERN", help_heading = "Sources")]
    pub glob: Vec<OsString>,
    /// Skip files and directories: with a slash in it PATTERN is a path, without one a name at any depth
    #[arg(long, value_name = "PATTERN", help_heading = "Sources")]
    pub exclude: Vec<OsString>,
    /// Match names that begin with a dot too
    #[arg(long, help_heading = "Sources")]
    pub hidden: bool,
    /// Units from the rows of a query on an SQLite database, which is only read
    #[arg(long, num_args = 2, value_names = ["DB", "QUERY"], help_heading = "Sources")]
    pub sql: Vec<OsString>,
    /// Units from the numbers of a range, such as 1-100 or 1-100:2; 001-100 keeps its width
    #[arg(long, value_name = "FIRST-LAST[:STEP]", help_heading = "Sources")]
    pub range: Vec<Range>,
    /// Take at most N units
    #[arg(long, value_name = "N", value_parser = |text: &str| values::whole(text, 0, usize::MAX), allow_negative_numbers = true, help_heading = "Sources")]
    pub limit: Option<usize>,
    /// Take sources without any item for a job without units, which completes at once
    #[arg(long, help_heading = "Sources")]
    pub allow_empty: bool,
}

impl SourceFlags {
    /// `--json -` is a source when `--path` says what of it; otherwise `-` names items on standard input.
    pub fn is_json_file(&self, file: &str) -> bool {
        !file.is_empty() && (file != STDIN || self.path.is_some())
    }
}
