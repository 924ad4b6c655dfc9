//! What a store is opened for.

/// What a store may do to its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Make the database if there is none.
    Create,
    /// Write to an existing database.
    Write,
    /// Write to an existing database for as long as a job runs, in memory that does not depend on its size.
    Manage,
    /// Read an existing database.
    Read,
}

/// Number of the newest schema; equals the number of migrations.
pub(super) const SCHEMA: i32 = 15;

/// What a database is, in words.
#[cfg(not(feature = "postgres"))]
pub(super) const A_DATABASE: &str = "a database is a file here";
/// What a database is, in words.
#[cfg(feature = "postgres")]
pub(super) const A_DATABASE: &str = "a database is a file here, or on a server by a URL that begins with postgres://";
