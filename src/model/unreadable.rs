//! Rows that hold what this version cannot read: edited with another tool, or written by another version.

use std::fmt;

use serde::Serialize;

use super::{Job, JobId, JobStatus, Seq, UnitDetail, UnitId};

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
    /// What a unit has said about itself.
    NotesOf(UnitId),
    /// The doubt about a unit.
    FlagOf(UnitId),
    /// What holds for all jobs.
    Settings,
}

/// The jobs that a listing found, or what it shows of them.
#[derive(Debug, Clone)]
pub struct FoundJobs<T = Job> {
    /// Those that can be read, the newest first.
    pub jobs: Vec<T>,
    /// The others; one whose state cannot be read counts as being in any.
    pub unreadable: Vec<Unreadable>,
}

/// A page of units.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FoundUnits {
    /// Those that can be read, in the order that was asked for.
    pub units: Vec<UnitDetail>,
    /// The others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// Number after which the next page begins, if there may be one.
    pub next_after: Option<Seq>,
    /// Number up to which the search came, if its time ran out before the page was full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub searched_through: Option<Seq>,
}

impl FoundUnits {
    /// Adds a unit.
    pub(crate) fn add(&mut self, unit: Result<UnitDetail, Unreadable>) {
        match unit {
            Ok(unit) => self.units.push(unit),
            Err(unreadable) => self.unreadable.push(unreadable),
        }
    }

    /// Adds the page that follows.
    pub(crate) fn append(&mut self, mut part: Self) {
        self.units.append(&mut part.units);
        self.unreadable.append(&mut part.unreadable);
        self.next_after = part.next_after;
    }

    /// Returns how many units there are, with those that cannot be read.
    pub(crate) fn count(&self) -> i64 {
        i64::try_from(self.units.len() + self.unreadable.len()).expect("a page fits into 64 bits")
    }

    /// Returns the units, if all of them can be read.
    pub(crate) fn all(self) -> Result<Vec<UnitDetail>, Unreadable> {
        self.unreadable.into_iter().next().map_or(Ok(self.units), Err)
    }
}

impl Unreadable {
    /// Returns the job that it is, or belongs to.
    pub fn job(&self) -> Option<JobId> {
        match self.row {
            Row::Job(job) => Some(job),
            Row::Unit(unit) | Row::AttemptOf(unit) | Row::NotesOf(unit) | Row::FlagOf(unit) => Some(unit.job()),
            Row::Settings => None,
        }
    }

    /// Returns the number of the unit that it is about, if it is about one.
    pub fn seq(&self) -> Option<Seq> {
        match self.row {
            Row::Unit(unit) | Row::AttemptOf(unit) | Row::NotesOf(unit) | Row::FlagOf(unit) => Some(unit.seq()),
            Row::Job(_) | Row::Settings => None,
        }
    }
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
            Row::NotesOf(unit) => {
                write!(f, "cannot read what unit {unit} kept: its {column} is {value}; mend it in the table unit_notes")
            }
            Row::FlagOf(unit) => {
                write!(f, "cannot read the flag of unit {unit}: its {column} is {value}; mend it in the table flags")
            }
            Row::Settings => {
                write!(f, "cannot read the setting {column}: it is {value}")
            }
        }
    }
}

impl std::error::Error for Unreadable {}

impl Serialize for Unreadable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named {
            id: JobId,
        }
        #[derive(Serialize)]
        struct Document<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            job: Option<Named>,
            #[serde(skip_serializing_if = "Option::is_none")]
            seq: Option<Seq>,
            column: &'static str,
            value: &'a str,
        }
        let seq = self.seq();
        let job = self.job().filter(|_| seq.is_none()).map(|id| Named { id });
        Document { job, seq, column: self.column, value: &self.value }.serialize(serializer)
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}
