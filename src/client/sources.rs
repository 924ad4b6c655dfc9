//! Sources of units as they are asked for, and the one place that opens them, whoever asks.

use std::ffi::OsString;

use super::submission::Order;
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
    Lines {
        /// Where it is read from.
        input: Input,
        /// What ends an item.
        separator: Separator,
    },
    /// Commands for a shell, one per line.
    Commands {
        /// Where it is read from.
        input: Input,
        /// What ends an item.
        separator: Separator,
    },
    /// Records of a CSV file.
    Csv {
        /// Where it is read from.
        input: Input,
        /// How it is read.
        options: CsvOptions,
    },
    /// A text with one JSON document per line.
    Jsonl {
        /// Where it is read from.
        input: Input,
    },
    /// The array at a path in a JSON document, or the document itself.
    Json {
        /// Where it is read from.
        input: Input,
        /// The path of the array; none for the document itself.
        path: Option<String>,
    },
    /// Files that match any of the patterns.
    Glob {
        /// The patterns.
        patterns: Vec<OsString>,
        /// How it is read.
        options: GlobOptions,
    },
    /// Rows of a query.
    Sql {
        /// The database.
        database: InputFile,
        /// The query.
        query: String,
    },
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

/// How sources are read, whatever they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceOptions {
    /// Items after which the rest is not read.
    pub limit: Option<usize>,
    /// Whether there may be no items at all.
    pub allow_empty: bool,
}

/// Sources that are open, to be read one after the other.
pub struct OpenSources {
    /// What they give.
    pub items: Items,
    /// What is to be said about them, complete once the items were read.
    pub notes: Notes,
    /// Whether an item is the array of what several lists gave for it.
    pub are_combined: bool,
    /// Whether the items are commands, each a script of its own.
    pub are_commands: bool,
}

impl OpenSources {
    /// Opens sources and reads up to the first item.
    ///
    /// # Errors
    /// When one of them cannot be opened, or none has an item; what is wrong further on comes with the items.
    pub fn open(sources: &[SourceSpec], options: SourceOptions) -> Result<OpenSources, SourceError> {
        let notes = Notes::default();
        let opened = sources.iter().map(|source| Ok(source.named_if_empty(source.open(&notes)?, &notes)));
        let mut items = source::in_turn(opened.collect::<Result<Vec<_>, _>>()?);
        if let Some(limit) = options.limit {
            if limit == 0 {
                notes.say("the limit is 0");
            }
            items = Box::new(items.take(limit));
        }
        let first = match items.next() {
            Some(Err(empty @ SourceError::EmptyList { .. })) if options.allow_empty => {
                notes.say(empty.to_string());
                None
            }
            None if !options.allow_empty => return Err(SourceError::empty(&notes)),
            first => first,
        };
        let are_combined = sources.iter().any(|source| matches!(source, SourceSpec::Product(_)));
        let are_commands = sources.iter().any(|source| matches!(source, SourceSpec::Commands { .. }));
        Ok(OpenSources { items: Box::new(first.into_iter().chain(items)), notes, are_combined, are_commands })
    }

    /// Returns the items in another order; they are all read when the first one is asked for.
    #[must_use]
    pub fn sorted(self, order: Order) -> OpenSources {
        OpenSources { items: order.sort(self.items), ..self }
    }

    /// Returns the one payload of a command that is given no items.
    pub(super) fn once() -> OpenSources {
        OpenSources {
            items: source::once("null".to_owned()),
            notes: Notes::default(),
            are_combined: false,
            are_commands: false,
        }
    }
}

impl SourceSpec {
    /// Notes that the source has nothing when its items end before there was one.
    fn named_if_empty(&self, mut items: Items, notes: &Notes) -> Items {
        let (mut emptiness, notes) = (self.emptiness(), notes.clone());
        Box::new(std::iter::from_fn(move || {
            let item = items.next();
            let emptiness = emptiness.take();
            if let (None, Some(emptiness)) = (&item, emptiness) {
                notes.say(emptiness);
            }
            item
        }))
    }

    /// Says that it has nothing; `None` where the source itself does.
    fn emptiness(&self) -> Option<String> {
        Some(match self {
            Self::Arguments(_) => "no items are given".to_owned(),
            Self::Lines { input, separator: Separator::Nul } => format!("{} has no items", input.name()),
            Self::Lines { input, .. } => format!("{} has no lines", input.name()),
            Self::Commands { input, .. } => format!("{} has no commands", input.name()),
            Self::Csv { input, .. } => format!("{} has no records", input.name()),
            Self::Jsonl { input } => format!("{} has no documents", input.name()),
            Self::Json { input, path: None } => format!("the array in {} has no elements", input.name()),
            Self::Json { input, path: Some(path) } => {
                format!("the array at {path:?} in {} has no elements", input.name())
            }
            Self::Glob { .. } | Self::Range(_) | Self::Product(_) => return None,
            Self::Sql { database, .. } => format!("the query on {} returns no rows", database.name),
        })
    }

    fn open(&self, notes: &Notes) -> Result<Items, SourceError> {
        Ok(match self {
            Self::Arguments(arguments) => source::arguments(arguments.clone()),
            Self::Lines { input, separator } => source::lines(input.open()?, input.name(), *separator, notes),
            Self::Commands { input, separator } => source::commands(input.open()?, input.name(), *separator),
            Self::Csv { input, options } => source::csv(input.open()?, input.name(), *options, notes),
            Self::Jsonl { input } => source::jsonl(input.open()?, input.name(), notes),
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

#[cfg(test)]
mod cells;
#[cfg(test)]
mod table;
