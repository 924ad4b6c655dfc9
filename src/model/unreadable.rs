//! Rows that hold what this version cannot read: edited with another tool, or written by another version.

use std::fmt;

use serde::Serialize;

use super::{Job, JobId, Seq, UnitDetail, UnitId};

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

/// Units of a page.
#[derive(Debug, Clone, Default)]
pub struct FoundUnits {
    /// Those that can be read, in the order that was asked for.
    pub units: Vec<UnitDetail>,
    /// The others.
    pub unreadable: Vec<Unreadable>,
}

impl FoundUnits {
    /// Takes one more.
    pub(crate) fn add(&mut self, unit: Result<UnitDetail, Unreadable>) {
        match unit {
            Ok(unit) => self.units.push(unit),
            Err(unreadable) => self.unreadable.push(unreadable),
        }
    }

    /// Takes those of another part.
    pub(crate) fn append(&mut self, mut part: Self) {
        self.units.append(&mut part.units);
        self.unreadable.append(&mut part.unreadable);
    }

    /// Counts them.
    pub(crate) fn count(&self) -> i64 {
        i64::try_from(self.units.len() + self.unreadable.len()).expect("a page fits into 64 bits")
    }
}

impl Unreadable {
    /// Returns the number of the unit that it is about, if it is about one.
    pub fn seq(&self) -> Option<Seq> {
        match self.row {
            Row::Unit(unit) | Row::AttemptOf(unit) => Some(unit.seq()),
            Row::Job(_) | Row::Settings => None,
        }
    }
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

impl std::error::Error for Unreadable {}

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

impl Serialize for Unreadable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            seq: Option<Seq>,
            column: &'static str,
            value: &'a str,
        }
        Document { seq: self.seq(), column: self.column, value: &self.value }.serialize(serializer)
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
