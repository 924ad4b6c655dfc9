//! The sources that were given, and how they are opened.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command, FromArgMatches};
use job_manager::source::{CsvOptions, GlobOptions, Input, InputFile, Notes, Separator};
use job_manager::submission::{ListSpec, OpenSources, SourceOptions, SourceSpec};

use super::error::CliError;
use super::given::{Given, given_in_order};
use super::lists::{input, source_of};
use super::source_flags::{STDIN, SourceFlags};
use crate::system::has_waiting_input;

/// Sources of units, in the order in which they were given.
#[derive(Debug, Clone)]
pub(super) struct SourceArgs {
    flags: SourceFlags,
    given: Vec<Given>,
}

impl SourceArgs {
    /// Returns `true` if only some of the items are taken.
    pub fn is_limited(&self) -> bool {
        self.flags.limit.is_some()
    }

    /// Returns the first file of commands, when units are commands.
    pub fn commands(&self) -> Option<&Path> {
        self.flags.commands.first().map(PathBuf::as_path)
    }

    /// Returns `true` if items end with NUL.
    pub fn null(&self) -> bool {
        self.flags.null
    }

    /// Returns `true` if `--json` was given to have the answer as JSON.
    pub fn wants_json(&self) -> bool {
        self.flags.json.iter().any(|file| !self.flags.is_json_file(file))
    }

    /// Returns `true` if one of the sources is standard input.
    pub fn reads_stdin(&self, lists: &[ListSpec]) -> bool {
        self.given.iter().any(Given::is_stdin) || lists.iter().any(is_stdin)
    }

    /// Takes the word in the place of JOB for a source, where a key names the job.
    pub fn with_word(&self, word: &str) -> Result<SourceArgs, CliError> {
        match (word, self.given.is_empty()) {
            (STDIN, true) => {
                let given = vec![Given::Word(word.to_owned())];
                Ok(SourceArgs { flags: self.flags.clone(), given })
            }
            (STDIN, false) => {
                Err(CliError::Value("beside other sources write `--lines -` for standard input".to_owned()))
            }
            _ => Err(CliError::TwoJobs),
        }
    }

    /// Returns the first pattern of files that is relative.
    pub fn relative_glob(&self) -> Option<&OsStr> {
        self.flags.glob.iter().map(OsString::as_os_str).find(|pattern| Path::new(pattern).is_relative())
    }

    /// Opens the sources, which are then read one after the other; `None` when no source was given.
    ///
    /// Relative patterns of files are looked up in `below`, where the units run, if that is not the directory of the caller.
    pub fn open(&self, lists: Vec<ListSpec>, below: Option<&Path>) -> Result<Option<OpenSources>, CliError> {
        self.refuse_mixtures(&lists)?;
        let mut sources =
            self.given.iter().map(|given| self.flags.spec(given, below)).collect::<Result<Vec<_>, _>>()?;
        sources.extend(source_of(lists));
        if sources.is_empty() {
            return Ok(None);
        }
        let options = SourceOptions { limit: self.flags.limit, allow_empty: self.flags.allow_empty };
        Ok(Some(OpenSources::open(&sources, options)?))
    }

    fn refuse_mixtures(&self, lists: &[ListSpec]) -> Result<(), CliError> {
        let is_commands = |given: &Given| matches!(given, Given::Commands(_));
        let is_text = |given: &Given| matches!(given, Given::Word(_) | Given::Lines(_)) || is_commands(given);
        if self.given.iter().any(is_commands) && (!lists.is_empty() || !self.given.iter().all(is_commands)) {
            return Err(CliError::CommandsAmongItems);
        }
        if lists.len() > 1 && !self.given.is_empty() {
            return Err(CliError::ListsAmongSources);
        }
        let has_text = self.given.iter().any(is_text) || lists.iter().any(is_file);
        let has_items = !self.given.is_empty() || !lists.is_empty();
        self.flags.refuse_incomplete(self.given.iter(), has_text, has_items)?;
        let from_stdin = self.given.iter().filter(|given| given.is_stdin()).count();
        if from_stdin + lists.iter().filter(|list| is_stdin(list)).count() > 1 {
            return Err(CliError::StdinTwice);
        }
        Ok(())
    }
}

fn is_file(list: &ListSpec) -> bool {
    matches!(list.source, SourceSpec::Lines { .. })
}

fn is_stdin(list: &ListSpec) -> bool {
    matches!(list.source, SourceSpec::Lines { input: Input::Stdin, .. })
}

/// Remarks, once all is read, on bytes at a standard input that is no source. They are only remarked on, because CI and
/// ssh always leave a pipe there.
pub(super) fn note_waiting_input(notes: &Notes) {
    notes.ask(|| {
        let text = "standard input holds bytes that were not read: `-` takes its lines as items";
        has_waiting_input().then(|| text.to_owned())
    });
}

impl SourceFlags {
    /// Refuses a flag that says how to read a source which was not given.
    fn refuse_incomplete<'g>(
        &self,
        mut given: impl Iterator<Item = &'g Given>,
        has_text: bool,
        has_items: bool,
    ) -> Result<(), CliError> {
        const SOURCE: &str = "a source of items";
        let has_json = given.any(|given| matches!(given, Given::Json(_)));
        let (has_csv, has_glob) = (!self.csv.is_empty(), !self.glob.is_empty());
        let pairs = [
            ("--delimiter", self.delimiter.is_some(), "--csv", has_csv),
            ("--no-header", self.no_header, "--csv", has_csv),
            ("--no-quotes", self.no_quotes, "--csv", has_csv),
            ("--path", self.path.is_some(), "--json FILE", has_json),
            ("--exclude", !self.exclude.is_empty(), "--glob", has_glob),
            ("--hidden", self.hidden, "--glob", has_glob),
            ("--null", self.null, "--lines, --commands, `:::: FILE` or -", has_text),
            ("--limit", self.limit.is_some(), SOURCE, has_items),
            ("--allow-empty", self.allow_empty, SOURCE, has_items),
        ];
        match pairs.into_iter().find(|(_, is_given, _, has_other)| *is_given && !has_other) {
            Some((given, _, missing, _)) => Err(CliError::Requires { given, missing }),
            None => Ok(()),
        }
    }

    fn spec(&self, given: &Given, below: Option<&Path>) -> Result<SourceSpec, CliError> {
        let separator = if self.null { Separator::Nul } else { Separator::Newline };
        Ok(match given {
            Given::Word(word) if word != STDIN => return Err(CliError::UnknownSource { given: word.clone() }),
            Given::Word(_) => SourceSpec::Lines { input: Input::Stdin, separator },
            Given::Lines(path) => SourceSpec::Lines { input: input(path), separator },
            Given::Commands(path) => SourceSpec::Commands { input: input(path), separator },
            Given::Csv(path) => {
                let delimiter = self.delimiter.unwrap_or(b',');
                let options = CsvOptions { delimiter, header: !self.no_header, quotes: !self.no_quotes };
                SourceSpec::Csv { input: input(path), options }
            }
            Given::Jsonl(path) => SourceSpec::Jsonl { input: input(path) },
            Given::Json(path) => SourceSpec::Json { input: input(path), path: self.path.clone() },
            Given::Globs(patterns) => {
                // Without dots and doubled slashes, which the paths of files found there do not have either.
                let below = below.map(|dir| dir.components().collect());
                let (exclude, hidden) = (self.exclude.clone(), self.hidden);
                let options = GlobOptions { exclude, hidden, unnamed: below.is_some(), below };
                SourceSpec::Glob { patterns: patterns.clone(), options }
            }
            Given::Sql { db, query } => {
                let query = query.to_str().ok_or_else(|| {
                    CliError::Value(format!(
                        "the query {:?} of --sql is not UTF-8, its text must be",
                        query.to_string_lossy()
                    ))
                })?;
                SourceSpec::Sql { database: InputFile::at(db), query: query.to_owned() }
            }
            Given::Range(range) => SourceSpec::Range(*range),
        })
    }
}

impl FromArgMatches for SourceArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = SourceFlags::from_arg_matches(matches)?;
        let given = given_in_order(&flags, matches);
        Ok(Self { flags, given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SourceArgs {
    fn augment_args(command: Command) -> Command {
        SourceFlags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        SourceFlags::augment_args_for_update(command)
    }
}
