//! What `start_batch` and `preview_batch` are given, and how it becomes a job.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;

use job_manager::client::{start_time, windows};
use job_manager::handler::{COMMAND, CommandSpec};
use job_manager::model::{Conditions, Limits, NewJob, OnInterrupt};
use job_manager::source::{CsvOptions, GlobOptions, Input, InputFile, Separator};
use job_manager::submission::{
    Asked, OpenSources, Order, Scripts, Several, SourceOptions, SourceSpec, Submission, SubmissionError, command_spec,
    find_shell,
};
use job_manager::text::SpellingError;
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::error::ToolError;

/// A batch as a model describes it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Batch {
    /// Program and arguments, run once for each item without a shell. Placeholders: {} the item, {field} a field of an
    /// item that is an object, {1} an element of one that is an array, {/} file name, {//} directory, {.} path without
    /// extension, {/.} file name without extension, {ext} extension, the same of a field as in {field/.}, {field:-text}
    /// with a default, {#} number of the unit; literal braces are doubled. Give this or shell.
    pub command: Option<Vec<String>>,
    /// One script for /bin/sh instead of command; the same placeholders, their values quoted.
    pub shell: Option<String>,
    /// Shell that runs shell, such as bash; /bin/sh without it.
    pub shell_path: Option<String>,
    /// The items themselves, texts, numbers or objects; for more than about a thousand use a file. Give at most one
    /// source of items; without any the command is run once.
    // Their text as it was written, an array of anything.
    #[schemars(with = "Option<Vec<Value>>")]
    pub items: Option<String>,
    /// File whose lines are the items.
    pub lines_file: Option<String>,
    /// CSV file with a header; each row is an item with the header's names as fields.
    pub csv_file: Option<String>,
    /// What separates the fields of csv_file: one character, or tab; without it a comma.
    pub csv_delimiter: Option<String>,
    /// csv_file knows no quoting: quotes are characters as any other.
    #[serde(default)]
    pub csv_no_quotes: bool,
    /// File with one JSON document per line.
    pub jsonl_file: Option<String>,
    /// JSON file with an array of items.
    pub json_file: Option<String>,
    /// Where the array is in json_file, such as data.rows; without it the document itself is the array.
    pub json_path: Option<String>,
    /// Patterns of files, such as photos/**/*.jpg; the items are absolute paths.
    pub glob: Option<Vec<String>>,
    /// What glob skips: a pattern without a slash names files and directories at any depth, one with a slash is a path.
    pub exclude: Option<Vec<String>>,
    /// Whether glob finds names that begin with a dot too.
    pub hidden: Option<bool>,
    /// Whole numbers, such as 1-100 or 0-1000:10.
    pub range: Option<String>,
    /// SQLite database that sql_query reads.
    pub sql_database: Option<String>,
    /// SELECT whose rows are the items, with the columns as fields.
    pub sql_query: Option<String>,
    /// Items of each unit, for programs whose start is slow: {} as an argument of its own becomes one for each item, and
    /// inside a larger argument that is repeated. A unit fails with all its items; without it each has one.
    pub items_per_unit: Option<NonZeroU32>,
    /// A source without any item is a job without units, which completes at once; without this it is an error.
    #[serde(default)]
    pub allow_empty: bool,
    /// Name of the job, for people; without it that of the program.
    pub name: Option<String>,
    /// Any text that names this request: the same key again does not create a second job. Give one whenever you might
    /// have to repeat the call.
    pub key: Option<String>,
    /// Units that run at the same time; without it one per processor.
    pub workers: Option<NonZeroUsize>,
    /// Attempts before a unit is failed permanently; without it 4, with growing delays between them.
    pub max_attempts: Option<NonZeroU32>,
    /// Time that one attempt may take, such as 30s or 1h30m, or {field} to take it from each item; 0 is no limit.
    pub timeout: Option<String>,
    /// Attempts that may start in a span of time, such as 60/min or 5/s.
    pub rate: Option<String>,
    /// Start a unit only while so much memory is available, such as 2G; running units go on.
    pub memfree: Option<String>,
    /// Start a unit only while fewer processes want to run than this share of the processors, such as 80%.
    pub load: Option<String>,
    /// Start a unit only while the file systems of these paths have so much space, such as /data=10G.
    #[serde(default)]
    pub diskfree: Vec<String>,
    /// Times of day at which units start, such as 22:00-06:00, on the wall clock of this server.
    #[serde(default)]
    pub window: Vec<String>,
    /// Start no unit before that time: RFC 3339, the next 22:00, or +2h.
    pub not_before: Option<String>,
    /// Workers that a unit takes while it runs: a number, or {field} to take it from each item.
    pub slots: Option<String>,
    /// Sort the items once, by a template such as {size}; -{size} takes the largest first.
    pub order: Option<String>,
    /// Run only the first so many units, then wait for approve_job or reject_job.
    pub canary: Option<NonZeroU32>,
    /// Directory in which the units run, absolute; relative files and patterns above are meant there too. Without it
    /// the directory of this server, which the answer names. Placeholders give each unit a directory of its own; files
    /// and patterns are then meant in that of this server.
    pub cwd: Option<String>,
    /// What becomes of a unit that runs when the machine or its manager dies: run it again (the default), or fail it.
    pub on_interrupt: Option<Interrupted>,
    /// No unit runs twice, for work that must not be repeated: one attempt, recorded before it starts. Takes the place of
    /// max_attempts and on_interrupt.
    #[serde(default)]
    pub at_most_once: bool,
    /// Words about the job, by which list_jobs finds it, such as {"team": "web"}.
    #[serde(default)]
    pub label: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars", inline)]
pub(super) enum Interrupted {
    Retry,
    Fail,
}

/// A batch that was checked as far as it can be without reading its items.
pub(super) struct Checked {
    pub submission: Submission,
    /// How its units are run.
    pub spec: CommandSpec,
}

impl Batch {
    pub fn check(self) -> Result<Checked, ToolError> {
        let (argv, is_script) = match (&self.command, &self.shell) {
            (Some(command), None) if !command.is_empty() => (command.iter().map(OsString::from).collect(), false),
            (None, Some(script)) => (vec![OsString::from(script)], true),
            _ => return Err(ToolError::NotOneCommand),
        };
        if let Some(cwd) = self.cwd.as_ref().filter(|cwd| Path::new(cwd).is_relative()) {
            return Err(ToolError::RelativeCwd(cwd.clone()));
        }
        let mut spec = command_spec(&argv, is_script, self.cwd.as_deref().map(OsStr::new), &[], None, &[])?;
        if let Some(name) = &self.shell_path {
            if !is_script {
                return Err(ToolError::Incomplete { given: "shell_path", missing: "shell" });
            }
            spec.shell_path = Some(find_shell(name, &spec.cwd, Scripts::WithValues)?);
        }
        let several = self.items_per_unit.filter(|items| items.get() > 1);
        spec.items.several = several.map(|items| Several { at_most: Some(items), as_fit: false });
        let mut new = NewJob::new(self.name.clone().unwrap_or_else(|| default_name(&argv[0], is_script)), COMMAND);
        new.limits = self.limits()?;
        new.key = self.key.clone();
        new.labels = self.label.clone();
        let order = self.order.as_deref().map(Order::parse).transpose()?;
        let asked = Asked { name: self.name.is_some(), workers: self.workers.is_some(), order: order.is_some() };
        let options = SourceOptions { limit: None, allow_empty: self.allow_empty };
        if let (Some(_), Some(path)) = (&spec.cwd_template, self.relative_source()) {
            return Err(ToolError::RelativeSource(path.to_owned()));
        }
        let source = self.into_source(&spec.cwd)?;
        let sources = source.map(|source| OpenSources::open(&[source], options)).transpose();
        let sources = match (sources.map_err(SubmissionError::from)?, order) {
            (Some(sources), Some(order)) => Some(sources.sorted(order)),
            (None, Some(_)) => {
                return Err(ToolError::Incomplete { given: "order", missing: "a source of items" });
            }
            (None, None) if options.allow_empty => {
                return Err(ToolError::Incomplete { given: "allow_empty", missing: "a source of items" });
            }
            (sources, None) => sources,
        };
        let submission = Submission::new(new, &spec, None, sources);
        let submission = submission.map_err(|error| match error {
            SubmissionError::NoItems { placeholders, .. } => ToolError::NoItems { placeholders },
            error => ToolError::Submission(error),
        })?;
        Ok(Checked { submission: submission.asking(asked), spec })
    }

    fn limits(&self) -> Result<Limits, ToolError> {
        let mut limits = Limits::default();
        limits.workers = self.workers.map_or(limits.workers, NonZeroUsize::get);
        limits.max_attempts = self.max_attempts.map_or(limits.max_attempts, NonZeroU32::get);
        limits.set_timeout(self.timeout.as_deref().map(str::parse).transpose()?.unwrap_or_default());
        limits.start = self.conditions()?;
        limits.slots = self.slots.as_deref().map(str::parse).transpose()?.unwrap_or_default();
        limits.rate = self.rate.as_deref().map(str::parse).transpose()?;
        limits.canary = self.canary.map(NonZeroU32::get);
        limits.on_interrupt = match self.on_interrupt {
            Some(Interrupted::Retry) | None => OnInterrupt::Retry,
            Some(Interrupted::Fail) => OnInterrupt::Fail,
        };
        if self.at_most_once {
            limits.set_at_most_once();
        }
        Ok(limits)
    }

    fn conditions(&self) -> Result<Conditions, ToolError> {
        let spans = self.window.iter().map(|text| text.parse()).collect::<Result<Vec<_>, SpellingError>>()?;
        let mut conditions = Conditions::default();
        conditions.memfree = self.memfree.as_deref().map(str::parse).transpose()?;
        conditions.load = self.load.as_deref().map(str::parse).transpose()?;
        conditions.diskfree = self.diskfree.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        conditions.window = if spans.is_empty() { None } else { Some(windows(spans)?) };
        conditions.not_before = self.not_before.as_deref().map(start_time).transpose()?;
        Ok(conditions)
    }

    /// Returns the first file or pattern that is relative.
    fn relative_source(&self) -> Option<&str> {
        let files = [&self.lines_file, &self.csv_file, &self.jsonl_file, &self.json_file, &self.sql_database];
        let files = files.into_iter().flatten().chain(self.glob.iter().flatten());
        files.map(String::as_str).find(|path| Path::new(path).is_relative())
    }

    fn into_source(self, cwd: &Path) -> Result<Option<SourceSpec>, ToolError> {
        self.refuse_mixtures()?;
        let file = |name: String| InputFile { path: cwd.join(&name), name, only_regular: true };
        let input = |name| Input::File(file(name));
        Ok(Some(if let Some(items) = self.items {
            SourceSpec::Json { input: Input::Text { name: "items".to_owned(), text: items }, path: None }
        } else if let Some(path) = self.lines_file {
            SourceSpec::Lines { input: input(path), separator: Separator::Newline }
        } else if let Some(path) = self.csv_file {
            let delimiter = self.csv_delimiter.as_deref().map(CsvOptions::delimiter).transpose()?.unwrap_or(b',');
            let options = CsvOptions { delimiter, header: true, quotes: !self.csv_no_quotes };
            SourceSpec::Csv { input: input(path), options }
        } else if let Some(path) = self.jsonl_file {
            SourceSpec::Jsonl { input: input(path) }
        } else if let Some(file) = self.json_file {
            SourceSpec::Json { input: input(file), path: self.json_path }
        } else if let Some(patterns) = self.glob {
            let texts = |texts: Vec<String>| texts.into_iter().map(OsString::from).collect();
            let exclude = self.exclude.map(texts).unwrap_or_default();
            let options = GlobOptions {
                exclude,
                hidden: self.hidden.unwrap_or(false),
                below: Some(cwd.to_owned()),
                unnamed: false,
            };
            SourceSpec::Glob { patterns: texts(patterns), options }
        } else if let Some(range) = self.range {
            SourceSpec::Range(range.parse().map_err(|source| ToolError::Range { given: range.clone(), source })?)
        } else if let (Some(path), Some(query)) = (self.sql_database, self.sql_query) {
            SourceSpec::Sql { database: file(path), query }
        } else {
            return Ok(None);
        }))
    }

    fn refuse_mixtures(&self) -> Result<(), ToolError> {
        let given = [
            ("items", self.items.is_some()),
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
            ("json_path", self.json_path.is_some(), "json_file", self.json_file.is_some()),
            ("exclude", self.exclude.is_some(), "glob", self.glob.is_some()),
            ("hidden", self.hidden.is_some(), "glob", self.glob.is_some()),
            ("csv_delimiter", self.csv_delimiter.is_some(), "csv_file", self.csv_file.is_some()),
            ("csv_no_quotes", self.csv_no_quotes, "csv_file", self.csv_file.is_some()),
            ("sql_query", self.sql_query.is_some(), "sql_database", self.sql_database.is_some()),
            ("sql_database", self.sql_database.is_some(), "sql_query", self.sql_query.is_some()),
        ];
        match pairs.into_iter().find(|(_, is_given, _, has_other)| *is_given && !has_other) {
            Some((given, _, missing, _)) => Err(ToolError::Incomplete { given, missing }),
            None => Ok(()),
        }
    }
}

fn default_name(program: &OsStr, is_script: bool) -> String {
    let name = Path::new(program).file_name().filter(|_| !is_script);
    name.map_or_else(|| "script".to_owned(), |name| name.to_string_lossy().into_owned())
}
