//! The engine's view of a handler: one attempt in, its end out.

use std::collections::BTreeSet;
use std::io;

use super::callbacks::Callbacks;
use crate::model::{
    Amount, AttemptEnd, AttemptId, AttemptRecord, DatabaseFile, Epoch, Job, JobFiles, JobId, Limits, NewUnit, Progress,
    Seq, Timestamp, TraceContext, Unit, UnitId, UnitNotes, unit_token,
};
use crate::sys::{EventFd, MemoryHomeError};

/// Runs units of one job; shared by all its workers.
pub trait Runner: Send + Sync {
    /// Runs one attempt at one unit and says how it ended.
    fn run(&self, attempt: &Attempt<'_>) -> AttemptEnd;

    /// Returns `true` if the end of a unit must outlive a death of the manager even before it is committed.
    ///
    /// A death then causes no unit to run again but those that were running. It costs a small write per unit; without
    /// it the units of one commit may run again, which is right for units of microseconds only.
    fn commits_each_unit(&self) -> bool {
        false
    }

    /// Makes durable what units in these slots have written, before their ends are recorded.
    fn sync_outputs(&self, _slots: &BTreeSet<usize>) -> io::Result<()> {
        Ok(())
    }

    /// Forgets what an attempt at a unit has said of the time of the next one: its end is recorded.
    fn forget_word(&self, _unit: Seq) {}

    /// Returns who is to be told what becomes of the job and its units, besides those whom the program tells.
    fn listeners(&self) -> Option<Callbacks> {
        None
    }

    /// Returns the unit that a job ends with, if it has one; asked when all others have ended.
    fn finalizer(&self, _progress: &Progress) -> Option<NewUnit> {
        None
    }
}

/// A function is a runner that needs nothing else.
impl<F: Fn(&Attempt<'_>) -> AttemptEnd + Send + Sync> Runner for F {
    fn run(&self, attempt: &Attempt<'_>) -> AttemptEnd {
        self(attempt)
    }
}

/// The job that a runner works for.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// Number of the job.
    pub id: JobId,
    /// Id of the job that is unique everywhere.
    pub uid: String,
    /// Name for people.
    pub name: String,
    /// Lease of the manager.
    pub epoch: Epoch,
    /// Bounds of the run.
    pub limits: Limits,
    /// Settings of the handler, as JSON.
    pub spec: String,
    /// The job's files.
    pub files: JobFiles,
    /// The database.
    pub database: DatabaseFile,
    /// The trace that the job is in.
    pub trace: Option<TraceContext>,
}

impl JobContext {
    /// Returns what a runner, or whoever looks after its units, has to know of a job.
    pub fn of(job: &Job, spec: String, files: JobFiles, database: DatabaseFile) -> JobContext {
        let Job { id, uid, name, epoch, limits, .. } = job.clone();
        JobContext { id, uid, name, epoch, limits, spec, files, database, trace: None }
    }
}

/// One attempt at one unit.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The job.
    pub job: &'a JobContext,
    /// The unit.
    pub unit: &'a Unit,
    /// Number of the attempt, counted from 1.
    pub number: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// Bounds of the attempt; they may have changed since the job began.
    pub limits: &'a Limits,
    /// Worker slot, counted from 0; no two attempts that run at once share one.
    pub slot: usize,
    /// Rings when this unit is to be ended.
    pub stop: &'a EventFd,
    /// What the manager offers while the attempt runs.
    pub control: &'a dyn AttemptControl,
}

impl Attempt<'_> {
    /// Returns what tells this attempt from all others at the job's units.
    pub fn id(&self) -> AttemptId {
        let (seq, revision) = (self.unit.id.seq(), self.unit.revision);
        AttemptId { seq, revision, attempt: self.number, started_us: self.started_at.as_micros() }
    }

    /// Returns the name of the unit for those whom it asks, the same in every attempt.
    pub fn token(&self) -> String {
        unit_token(&self.job.uid, self.unit.id.seq())
    }

    /// Returns what names this attempt as a span of the job's trace.
    pub fn traceparent(&self) -> Option<String> {
        self.job.trace.as_ref()?.of_attempt(&self.job.uid, self.unit.id.seq(), self.number, self.started_at)
    }
}

/// What a manager offers to an attempt under way.
pub trait AttemptControl: Sync {
    /// Returns `true` if the job is being stopped.
    fn is_stopping(&self) -> bool;

    /// Returns `true` if running units are being ended.
    #[cfg(feature = "async")]
    fn is_ending_units(&self) -> bool;

    /// Takes a note; with `durable` it returns when that is committed, and false when it never will be.
    fn note(&self, unit: UnitId, notes: UnitNotes, durable: bool) -> bool;

    /// Takes note of what a unit has spent; returns when that is committed, and false when it never will be.
    fn spend(&self, unit: UnitId, amounts: Vec<(String, Amount)>) -> bool;

    /// Returns the latest attempt at a unit that came to its end and to nothing, if there was one.
    fn last_attempt(&self, unit: UnitId) -> Option<AttemptRecord>;

    /// Returns the most memory that an attempt at a unit had which something has killed, if there was one.
    fn killed_with(&self, unit: UnitId) -> Option<u64>;

    /// Returns when the first attempt at a unit began that is over without success, and when the last such one ended.
    fn attempts_span(&self, unit: UnitId) -> Option<(Timestamp, Timestamp)>;

    /// Waits until a result of so many bytes may be held in memory: of long ones there is one at a time.
    fn make_room_for_result(&self, bytes: usize);
}

/// A job that no runner can be made for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// The job's settings are not what the handler expects.
    #[error("the settings of the job do not fit its handler {name:?}")]
    Spec {
        /// The handler.
        name: String,
        /// What is wrong with them.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The memory of units is limited, and cannot be here.
    #[error("the memory of units cannot be limited here")]
    Memory(#[source] MemoryHomeError),
    /// What the handler needs cannot be made.
    #[cfg(feature = "async")]
    #[error("cannot prepare the handler {name:?}")]
    Setup {
        /// The handler.
        name: String,
        /// The cause.
        source: io::Error,
    },
}
