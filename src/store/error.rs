//! What can go wrong with a database, in the terms of whoever has to act on it.

use std::path::PathBuf;

use super::access::A_DATABASE;
use super::copy::CopyRefused;
use super::fault::{Fault, read_as};
use crate::files::Planted;
use crate::model::{Epoch, JobId, JobStatus, NewJobError, Seq, UnitId, Unreadable};

/// An operation of the store that did not happen; every transaction is all or nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no file at that path, and the operation does not create one.
    #[error("no database at {}", path.display())]
    NoDatabase {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The directory in which the database should lie is missing; it is not made, because its disk may not be mounted.
    #[error("no directory {} for the database {}: mount its disk, or create the directory if the path is right", dir.display(), path.display())]
    NoDirectory {
        /// The directory.
        dir: PathBuf,
        /// The database.
        path: PathBuf,
    },
    /// A database was asked for, and its path is an empty text.
    #[error("the path of the database is empty")]
    EmptyPath,
    /// A database was asked for by what is no path: a URL, a connection string, or SQLite's name for memory.
    #[error("{A_DATABASE}, and {begin} begins no path: give a path, with ./ before a name like that")]
    NoPath {
        /// What it begins with; the rest may hold a password.
        begin: String,
    },
    /// The file is something else than a database of ours.
    #[error("{} is not a job-manager database ({reason})", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What shows it.
        reason: String,
    },
    /// The file is mounted without its directory, so that neither its log nor its locks are beside it.
    #[error(
        "{} is mounted alone, without the log and the locks beside it: mount the directory that it lies in",
        path.display()
    )]
    MountedAlone {
        /// The file.
        path: PathBuf,
    },
    /// The file has several names, and SQLite would keep a log for each.
    #[error(
        "{} has {names} names (hard links), and what is written under one of them is not seen, or damaged, under the others: remove them, \
         or make copies of them",
        path.display()
    )]
    SeveralNames {
        /// The file.
        path: PathBuf,
        /// How many.
        names: u64,
    },
    /// Something stands beside the database that would be taken for its log, or for ours.
    #[error(transparent)]
    Planted(#[from] Planted),
    /// What a manager has written about itself cannot be read, so that nobody can tell whether it lives.
    #[error("the record of job {job}'s manager is damaged: its {key} {}", read_as(value.as_deref()))]
    DamagedRecord {
        /// The job.
        job: JobId,
        /// What part of the record.
        key: &'static str,
        /// What stands there.
        value: Option<String>,
    },
    /// A row holds what this version cannot read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The file is no longer where it was opened.
    #[error("{} was moved, deleted or replaced while it was in use", path.display())]
    Moved {
        /// Where it was.
        path: PathBuf,
    },
    /// A newer version has written the database.
    #[error("{} has schema {found}, this version knows schemas up to {known}: install a newer job-manager", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its schema number.
        found: i32,
        /// The newest schema number known here.
        known: i32,
    },
    /// An older version has written the database, and a caller's connection does not bring it up to date.
    #[error(
        "{} has schema {found}, this version needs schema {known}: open it once with Client::open, which brings it up to date",
        path.display()
    )]
    TooOld {
        /// The file.
        path: PathBuf,
        /// Its schema number.
        found: i32,
        /// The schema number that is needed.
        known: i32,
    },
    /// An older version has written the database, and what is read is not in it; `Client::open` brings it up to date.
    #[error("{} has schema {found}, this version reads schemas from {oldest} on", path.display())]
    TooOldToRead {
        /// The file.
        path: PathBuf,
        /// Its schema number.
        found: i32,
        /// The oldest schema number that can be read.
        oldest: i32,
    },
    /// Somebody has changed the journal mode, and in another one readers keep managers from writing.
    #[error(
        "{} is in the journal mode {mode:?} and must be in WAL mode: end what else has it open, then open it with Client::open",
        path.display()
    )]
    NotWal {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: String,
    },
    /// A caller's transaction has read before it writes, and then cannot wait for the write lock, or waited in vain.
    #[error(
        "cannot {operation}: the transaction has begun without the write lock and does not get it; begin it with immediate_transaction"
    )]
    NoWriteLock {
        /// What was tried.
        operation: &'static str,
    },
    /// The SQLite that this program runs on has known faults.
    #[error(
        "SQLite {found} can corrupt databases that several processes use, at least {required} is needed: build with the feature `bundled`"
    )]
    SqliteTooOld {
        /// Version found at run time.
        found: String,
        /// Oldest version that is safe.
        required: &'static str,
    },
    /// A directory or lock beside the database could not be made.
    #[error("cannot {operation} {}", path.display())]
    Files {
        /// What was tried.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("cannot {operation}: {fault} ({})", path.display())]
    Database {
        /// What was tried.
        operation: &'static str,
        /// What kind of refusal it is.
        fault: Fault,
        /// The database.
        path: PathBuf,
        /// The database's own words.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No job has that number.
    #[error("no job {0}")]
    JobNotFound(JobId),
    /// The job is in a state in which this cannot be done.
    #[error("cannot {operation} job {job}: it is {status}")]
    WrongStatus {
        /// What was tried.
        operation: &'static str,
        /// The job.
        job: JobId,
        /// Where it stands.
        status: JobStatus,
    },
    /// The job is being cancelled: what it is given now would be so too.
    #[error("job {0} is being cancelled")]
    Cancelling(JobId),
    /// A manager of another host has a lease on the job.
    #[error("a manager on another host runs job {job}")]
    ManagedElsewhere {
        /// The job.
        job: JobId,
    },
    /// The attempt that somebody speaks for is not under way.
    #[error("attempt {attempt} of unit {unit} is not under way")]
    AttemptOver {
        /// The unit.
        unit: UnitId,
        /// The attempt.
        attempt: u32,
    },
    /// A later manager has taken the job over; the caller must end its units and go.
    #[error("job {job} has a newer manager, or its database is one of an earlier time: epoch {epoch} is over")]
    Fenced {
        /// The job.
        job: JobId,
        /// The lease that is over.
        epoch: Epoch,
    },
    /// A job cannot be described so; nothing was created.
    #[error(transparent)]
    NewJob(#[from] NewJobError),
    /// A unit has a key that is kept for units which a job adds by itself.
    #[error("unit key {key:?} begins with \"job-manager:\", choose another")]
    ReservedUnitKey {
        /// The key.
        key: String,
    },
    /// Two units of one job would make the same path.
    #[error(
        "units {first} and {second} would make the same path {}: give each one of its own, e.g. with the item's directory",
        path.display()
    )]
    SamePath {
        /// The unit that was there first.
        first: Seq,
        /// The other one.
        second: Seq,
        /// What both would make.
        path: PathBuf,
    },
    /// A new unit would make the path that one which is gone from the source still makes.
    #[error(
        "unit {first} is gone from the source and still runs, and unit {second} would make the same path {}: \
         sync again when it has ended, or kill it",
        path.display()
    )]
    PathInUse {
        /// The unit that runs.
        first: Seq,
        /// The new one.
        second: Seq,
        /// What both would make.
        path: PathBuf,
    },
    /// A unit of several items cannot be replaced by units of one.
    #[error("unit {seq} cannot be replaced by units of one item")]
    NotSplit {
        /// The unit.
        seq: Seq,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Two units of one job have the same key.
    #[error("units {first} and {second} have the same key {key:?}: each key must be unique")]
    DuplicateUnitKey {
        /// The unit that was there first.
        first: Seq,
        /// The other one.
        second: Seq,
        /// The key.
        key: String,
    },
    /// Two units that are added by one call have the same key.
    #[error("two of the units have the same key {0:?}: each key must be unique")]
    KeyTwice(String),
    /// Another process is creating a job with that key at this moment.
    #[error("job {job} with the same key is just being created by another process, try again")]
    KeyInUse {
        /// The job that has the key.
        job: JobId,
    },
    /// A server, or what is on it, is not used.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] super::postgres::PostgresError),
    /// A copy of a job is not taken.
    #[error(transparent)]
    CopyRefused(#[from] CopyRefused),
    /// What a unit says that it has spent is not counted.
    #[error(transparent)]
    MeterRefused(#[from] super::meters::MeterRefused),
    /// A unit is not flagged, or not decided about.
    #[error(transparent)]
    FlagRefused(#[from] super::flags::FlagRefused),
    /// A group that cannot be.
    #[error(transparent)]
    GroupRefused(#[from] super::groups::GroupRefused),
    /// A job has more units than can be numbered.
    #[error("job {job} cannot have more than {limit} units")]
    TooManyUnits {
        /// The job.
        job: JobId,
        /// The bound.
        limit: i64,
    },
}
