//! Where the items of a batch come from.

use std::ffi::OsString;
use std::path::Path;

use job_manager::source::{CsvOptions, GlobOptions, Input, InputFile, Separator};
use job_manager::submission::{OpenSources, SourceOptions, SourceSpec, SubmissionError};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use crate::mcp::ToolError;
use crate::mcp::allowed::Allowed;

/// Sources of items, of which one is given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(in crate::mcp) struct Sources {
    /// The items themselves, as texts; for more than about a thousand use a file. Give at most one source of items;
    /// without any the command is run once.
    // Their text as it was written, an array of anything.
    #[schemars(with = "Option<Vec<String>>")]
    pub items: Option<String>,
    /// The items as one text with a JSON array, for items that are objects or arrays, such as [{"id": 1}].
    pub items_json: Option<String>,
    /// File whose lines are the items.
    pub lines_file: Option<String>,
    /// CSV file with a header; each row is an item with the header's names as fields.
    pub csv_file: Option<String>,
    /// File with one JSON document per line.
    pub jsonl_file: Option<String>,
    /// JSON file with an array of items.
    pub json_file: Option<String>,
    /// Patterns of files, such as photos/**/*.jpg; the items are absolute paths.
    pub glob: Option<Vec<String>>,
    /// Whole numbers, such as 1-100 or 0-1000:10.
    pub range: Option<String>,
    /// SQLite database that sql_query reads.
    pub sql_database: Option<String>,
    /// SELECT whose rows are the items, with the columns as fields.
    pub sql_query: Option<String>,
}

/// How a source is read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(in crate::mcp) struct SourceForm {
    /// What separates the fields of csv_file: one character, or tab; without it a comma.
    pub csv_delimiter: Option<String>,
    /// csv_file knows no quoting: quotes are characters as any other.
    #[serde(default)]
    pub csv_no_quotes: bool,
    /// Where the array is in json_file, such as data.rows; without it the document itself is the array.
    pub json_path: Option<String>,
    /// Patterns of files that glob skips.
    pub exclude: Option<Vec<String>>,
    /// Whether glob finds names that begin with a dot too.
    pub hidden: Option<bool>,
}

impl Sources {
    /// Returns the first file or pattern that is relative.
    pub fn relative(&self) -> Option<&str> {
        let files = self.files().chain(self.glob.iter().flatten().map(String::as_str));
        files.into_iter().find(|path| Path::new(path).is_relative())
    }

    fn files(&self) -> impl Iterator<Item = &str> {
        let files = [&self.lines_file, &self.csv_file, &self.jsonl_file, &self.json_file, &self.sql_database];
        files.into_iter().flatten().map(String::as_str)
    }

    /// Opens what is read for the items, if anything, as far as it is allowed; relative paths are meant in `cwd`.
    pub fn open(
        self,
        form: SourceForm,
        cwd: &Path,
        options: SourceOptions,
        allowed: &Allowed,
    ) -> Result<Option<OpenSources>, ToolError> {
        let Some(mut source) = self.spec(form, cwd)? else { return Ok(None) };
        allowed.expect_source(&mut source, cwd)?;
        let is_found = matches!(source, SourceSpec::Glob { .. });
        let opened = OpenSources::open(&[source], options).map_err(SubmissionError::from)?;
        Ok(Some(if is_found { allowed.watch_found(opened) } else { opened }))
    }

    fn spec(self, form: SourceForm, cwd: &Path) -> Result<Option<SourceSpec>, ToolError> {
        self.refuse_mixtures(&form)?;
        let file = |name: String| InputFile { path: cwd.join(&name), name, only_regular: true };
        let input = |name| Input::File(file(name));
        let text = |name: &str, text| Input::Text { name: name.to_owned(), text };
        Ok(Some(if let Some(items) = self.items {
            SourceSpec::Json { input: text("items", array_in(items)), path: None }
        } else if let Some(items) = self.items_json {
            SourceSpec::Json { input: text("items_json", items), path: None }
        } else if let Some(path) = self.lines_file {
            SourceSpec::Lines { input: input(path), separator: Separator::Newline }
        } else if let Some(path) = self.csv_file {
            let delimiter = form.csv_delimiter.as_deref().map(CsvOptions::delimiter).transpose()?.unwrap_or(b',');
            let options = CsvOptions { delimiter, header: true, quotes: !form.csv_no_quotes };
            SourceSpec::Csv { input: input(path), options }
        } else if let Some(path) = self.jsonl_file {
            SourceSpec::Jsonl { input: input(path) }
        } else if let Some(file) = self.json_file {
            SourceSpec::Json { input: input(file), path: form.json_path }
        } else if let Some(patterns) = self.glob {
            let texts = |texts: Vec<String>| texts.into_iter().map(OsString::from).collect();
            let exclude = form.exclude.map(texts).unwrap_or_default();
            let hidden = form.hidden.unwrap_or(false);
            let options = GlobOptions { exclude, hidden, below: Some(cwd.to_owned()), unnamed: false };
            SourceSpec::Glob { patterns: texts(patterns), options }
        } else if let Some(range) = self.range {
            SourceSpec::Range(range.parse().map_err(|source| ToolError::Range { given: range.clone(), source })?)
        } else if let (Some(path), Some(query)) = (self.sql_database, self.sql_query) {
            SourceSpec::Sql { database: file(path), query }
        } else {
            return Ok(None);
        }))
    }

    fn refuse_mixtures(&self, form: &SourceForm) -> Result<(), ToolError> {
        let given = [
            ("items", self.items.is_some()),
            ("items_json", self.items_json.is_some()),
            ("lines_file", self.lines_file.is_some()),
            ("csv_file", self.csv_file.is_some()),
            ("jsonl_file", self.jsonl_file.is_some()),
            ("json_file", self.json_file.is_some()),
            ("glob", self.glob.is_some()),
            ("range", self.range.is_some()),
            ("sql_query", self.sql_query.is_some()),
        ];
        let given: Vec<&str> = given.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect();
        if given.len() > 1 {
            return Err(ToolError::SeveralSources(given));
        }
        let pairs = [
            ("json_path", form.json_path.is_some(), "json_file", self.json_file.is_some()),
            ("exclude", form.exclude.is_some(), "glob", self.glob.is_some()),
            ("hidden", form.hidden.is_some(), "glob", self.glob.is_some()),
            ("csv_delimiter", form.csv_delimiter.is_some(), "csv_file", self.csv_file.is_some()),
            ("csv_no_quotes", form.csv_no_quotes, "csv_file", self.csv_file.is_some()),
            ("sql_query", self.sql_query.is_some(), "sql_database", self.sql_database.is_some()),
            ("sql_database", self.sql_database.is_some(), "sql_query", self.sql_query.is_some()),
        ];
        match pairs.into_iter().find(|(_, is_given, _, has_other)| *is_given && !has_other) {
            Some((given, _, missing, _)) => Err(ToolError::Incomplete { given, missing }),
            None => Ok(()),
        }
    }
}

/// Returns the array that was written, also where a client wrote it as a text.
fn array_in(items: String) -> String {
    match serde_json::from_str::<String>(&items) {
        Ok(text) if text.trim_start().starts_with('[') => text,
        _ => items,
    }
}
