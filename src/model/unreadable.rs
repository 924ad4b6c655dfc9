//! Rows that hold what this version cannot read: edited with another tool, or written by another version.

use std::fmt;

use serde::Serialize;

use super::{Job, JobId, JobStatus, UnitId};

/// Characters of a value that are shown to people.
const SHOWN_CHARS: usize = 120;

/// A value that this version cannot read, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The row.
    pub row: Row,
    /// The column.
    pub column: &'static str,
    /// What it holds.
    pub value: String,
    /// Why it cannot be read.
    pub reason: String,
}

/// A row, by what people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A job.
    Job(JobId),
    /// A unit.
    Unit(UnitId),
    /// One of a unit's attempts.
    AttemptOf(UnitId),
    /// What holds for all jobs.
    Settings,
}

/// A job of a list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableJob {
    /// The job.
    pub job: JobId,
    /// The column.
    pub column: &'static str,
    /// What it holds.
    pub value: String,
    /// Why it cannot be read.
    pub reason: String,
}

/// The jobs that a listing found, or what it shows of them.
#[derive(Debug, Clone)]
pub struct FoundJobs<T = Job> {
    /// Those that can be read, the newest first.
    pub jobs: Vec<T>,
    /// The others; one whose state cannot be read counts as being in any.
    pub unreadable: Vec<UnreadableJob>,
}

/// The jobs that have not ended.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct UnendedJobs {
    /// Those that can be read, the newest first.
    pub jobs: Vec<(JobId, JobStatus)>,
    /// How many others there are.
    pub unreadable: usize,
}

impl<T> Default for FoundJobs<T> {
    fn default() -> Self {
        Self { jobs: Vec::new(), unreadable: Vec::new() }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column;
        let value = format!("{} ({})", shortened(&self.value), self.reason);
        match self.row {
            Row::Job(job) => {
                write!(f, "cannot read job {job}: its {column} is {value}; mend it")
            }
            Row::Unit(unit) => {
                write!(f, "cannot read unit {unit}: its {column} is {value}; mend it in the table units")
            }
            Row::AttemptOf(unit) => {
                write!(
                    f,
                    "cannot read an attempt of unit {unit}: its {column} is {value}; mend it in the table attempts"
                )
            }
            Row::Settings => {
                write!(f, "cannot read the setting {column}: it is {value}")
            }
        }
    }
}

impl From<UnreadableJob> for Unreadable {
    fn from(found: UnreadableJob) -> Unreadable {
        Unreadable { row: Row::Job(found.job), column: found.column, value: found.value, reason: found.reason }
    }
}

impl fmt::Display for UnreadableJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Unreadable::from(self.clone()).fmt(f)
    }
}

impl Serialize for UnreadableJob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named {
            id: JobId,
        }
        #[derive(Serialize)]
        struct Document<'a> {
            job: Named,
            column: &'static str,
            value: &'a str,
        }
        Document { job: Named { id: self.job }, column: self.column, value: &self.value }.serialize(serializer)
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}
