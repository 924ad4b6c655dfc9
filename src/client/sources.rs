//! Sources of units as they are asked for, and the one place that opens them, whoever asks.

use std::ffi::OsString;

use super::Order;
use crate::source::{
    self, CsvOptions, GlobOptions, Input, InputFile, Items, List, Notes, Range, Separator, SourceError, WHOLE_DOCUMENT,
};
use crate::store::ForeignDatabase;

/// What is read for items, and how.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceSpec {
    /// Arguments of a command line.
    Arguments(Vec<OsString>),
    /// Lines of a text.
    Lines { input: Input, separator: Separator },
    /// Commands for a shell, one per line.
    Commands { input: Input, separator: Separator },
    /// Records of a CSV file.
    Csv { input: Input, options: CsvOptions },
    /// A text with one JSON document per line.
    Jsonl { input: Input },
    /// The array at a path in a JSON document, or the document itself.
    Json { input: Input, path: Option<String> },
    /// Files that match any of the patterns.
    Glob { patterns: Vec<OsString>, options: GlobOptions },
    /// Rows of a query.
    Sql { database: InputFile, query: String },
    /// Numbers.
    Range(Range),
    /// Lists that are combined.
    Product(Vec<ListSpec>),
}

/// One of the lists that are combined.
#[derive(Debug, Clone, PartialEq)]
pub struct ListSpec {
    /// What is read for its items.
    pub source: SourceSpec,
    /// Whether its items go with those of the list before it, one by one.
    pub is_paired: bool,
}

/// Sources that are open, to be read one after the other.
pub struct OpenSources {
    /// What they give.
    pub items: Items,
    /// What is to be said about them, complete once the items were read.
    pub notes: Notes,
}

impl OpenSources {
    /// Opens sources, of which at most `limit` items are read.
    ///
    /// # Errors
    /// When one of them cannot be opened; what is wrong further on comes with the items.
    pub fn open(sources: &[SourceSpec], limit: Option<usize>) -> Result<OpenSources, SourceError> {
        let notes = Notes::default();
        let opened = sources.iter().map(|source| source.open(&notes)).collect::<Result<Vec<_>, _>>()?;
        let all = source::in_turn(opened);
        let items = match limit {
            Some(limit) => Box::new(all.take(limit)),
            None => all,
        };
        Ok(OpenSources { items, notes })
    }

    /// Returns the items in another order; they are all read when the first one is asked for.
    #[must_use]
    pub fn sorted(self, order: Order) -> OpenSources {
        OpenSources { items: order.sort(self.items), notes: self.notes }
    }

    /// Returns the one payload of a command that is given no items.
    pub(super) fn once() -> OpenSources {
        OpenSources { items: source::once("null".to_owned()), notes: Notes::default() }
    }
}

impl SourceSpec {
    fn open(&self, notes: &Notes) -> Result<Items, SourceError> {
        Ok(match self {
            Self::Arguments(arguments) => source::arguments(arguments.clone()),
            Self::Lines { input, separator } => source::lines(input.open()?, input.name(), *separator, notes),
            Self::Commands { input, separator } => source::commands(input.open()?, input.name(), *separator),
            Self::Csv { input, options } => source::csv(input.open()?, input.name(), *options)?,
            Self::Jsonl { input } => source::jsonl(input.open()?, input.name()),
            Self::Json { input, path } => {
                source::json(input.open()?, input.name(), path.as_deref().unwrap_or(WHOLE_DOCUMENT))
            }
            Self::Glob { patterns, options } => source::glob(patterns, options, notes)?,
            Self::Sql { database, query } => {
                database.check()?;
                let mut foreign =
                    ForeignDatabase::open(&database.path).map_err(|error| SourceError::Database(error.into()))?;
                let query = query.clone();
                source::rows(&database.name, move |take| foreign.each_row(&query, take))
            }
            Self::Range(range) => source::range(*range),
            Self::Product(lists) => {
                let open = |(index, list): (usize, &ListSpec)| list.open(index + 1, notes);
                source::product(lists.iter().enumerate().map(open).collect::<Result<_, _>>()?)
            }
        })
    }
}

impl ListSpec {
    fn open(&self, number: usize, notes: &Notes) -> Result<List, SourceError> {
        let name = match &self.source {
            SourceSpec::Lines { input, .. } => input.name().to_owned(),
            _ => format!("list {number}"),
        };
        Ok(List { name, items: self.source.open(notes)?, is_paired: self.is_paired })
    }
}
