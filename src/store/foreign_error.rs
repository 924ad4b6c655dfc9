//! What can be wrong with a query on a database that belongs to somebody else.

use std::path::PathBuf;

use super::StoreError;

/// A query on a foreign database that has no rows to give, or a row that is no payload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// It is no path.
    #[error(transparent)]
    NoPath(#[from] StoreError),
    /// There is no such file.
    #[error("no database at {}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It cannot be opened.
    #[error("cannot open {} to read it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The statement does something else than reading.
    #[error("a query begins with SELECT, WITH or VALUES, not with {word:?}")]
    NotAQuery {
        /// Its first word.
        word: String,
    },
    /// SQLite would read the query up to there.
    #[error("the query has a NUL character")]
    Nul,
    /// SQLite would pass over what stands after it.
    #[error("the query has a comment without its end, {text:?}: end it with */")]
    OpenComment {
        /// How it begins.
        text: String,
    },
    /// A second statement would not be run.
    #[error("the query has a second statement, {text:?}, and only the first one would be run")]
    SecondStatement {
        /// How it begins.
        text: String,
    },
    /// A parameter would be NULL.
    #[error("the query has the parameter {name}, which nobody gives a value: write the value itself")]
    Parameter {
        /// How it is written.
        name: String,
    },
    /// The query cannot be run, or stopped in the middle.
    #[error("the query failed")]
    Query(#[source] diesel::result::Error),
    /// A column is named as one that has its name from its place.
    #[error("the query returns two columns named {column:?}, name each column with AS")]
    ColumnName {
        /// The name.
        column: String,
    },
    /// A value has no form in JSON.
    #[error("the column {column:?} holds {found}, which JSON cannot; {remedy}")]
    NotJson {
        /// The column.
        column: String,
        /// What it holds.
        found: &'static str,
        /// What to write instead.
        remedy: &'static str,
    },
}
