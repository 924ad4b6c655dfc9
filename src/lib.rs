//! Runs a batch of units in a detached process that survives whoever asked for it.
//!
//! A [`Client`] creates a job from a stream of units, starts its manager, and reads, stops and resumes it; the
//! database file is the only channel between them. The manager records every change of state in SQLite before it
//! counts, ends gracefully on TERM and INT, and is never there twice for one job.
//!
//! ```no_run
//! use job_manager::{Client, NewJob, NewUnit, UnitContext};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Returns at once, unless this process was started as a job's manager.
//!     job_manager::run_if_manager(|handlers| {
//!         handlers.register("measure", |path: String, _unit: &UnitContext<'_>| {
//!             Ok(std::fs::metadata(path)?.len())
//!         });
//!     });
//!
//!     let client = Client::create("jobs.db".as_ref())?;
//!     let files = ["a.log", "b.log"].map(|file| NewUnit::new(file));
//!     client.try_submit(&NewJob::new("sizes", "measure"), files)?;
//!     Ok(())
//! }
//! ```
//!
//! Units are run by Rust functions registered in [`Handlers`], or by commands: the handler `command` is always there,
//! with a [`CommandSpec`] as the job's settings. The module [`testing`] runs jobs inside a test.
//!
//! The modules stand in ranks, and each imports from lower ranks only: `model`; `files`; `store`, `sys`, `launch`, `source`;
//! `status`, `handler`; `manager`, `client`; `dashboard`, `mcp`, `testing`; `cli`.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "cli")]
pub mod cli;
mod client;
mod crash;
#[cfg(feature = "serve")]
mod dashboard;
mod files;
mod handler;
mod launch;
mod manager;
#[cfg(feature = "mcp")]
mod mcp;
mod model;
mod recovery;
#[cfg(feature = "sources")]
mod source;
mod status;
mod store;
mod sys;
pub mod testing;

/// The version of diesel whose connections [`create_job_in`] and [`add_units_in`] take.
pub use diesel;

pub use client::accept_any_owner;
pub use client::{
    AttemptOutput, Client, ClientError, ClockError, Created, EtaSeconds, Explanation, Finding, JobName, JobOutcome,
    MachineWorkers, ManagerProgram, ManagerStatus, OutputReader, PruneOptions, Severity, Started, StatusProgress,
    StopOptions, Submitted, SyncPlan, Synced, UnitsDiffer, UnitsSwept, add_units_in, check_scope, create_job_in,
    examine, start_time, windows,
};
pub use handler::{
    CheckpointError, CommandSpec, ExitCodes, ExitMeaning, Handler, Handlers, JobReport, OutputMode, ResultMode,
    StdinMode, ThenSpec, ThenWhen, UnitContext, UnitError, UnitLimitError, UnitReport, Variables,
};
pub use manager::run_if_manager;
pub use model::{
    Apart, AttemptName, AttemptRecord, Bytes, Cause, ClusterId, ClusterIdError, Conditions, DiskFree, Epoch,
    FailureCluster, FoundJobs, Hold, ItemPattern, ItemPatternError, Job, JobFiles, JobFilter, JobId, JobStatus,
    JobTotals, KillThen, Limits, MaxFailures, NewJob, NewJobError, NewUnit, OnInterrupt, Outdated, Output, Percent,
    Progress, Rate, RawText, Row, Seq, Slots, SpellingError, StartTimeError, StopRequest, Timeout, Timestamp,
    UnitDetail, UnitFilter, UnitNotes, UnitOrder, UnitStatus, UnitsAdded, UnknownWordError, Unreadable, UnreadableJob,
    Why, Window, Windows,
};
pub use status::{Health, Reason};
pub use store::{Fault, StoreError};
pub use sys::{ScopeError, ZoneError};
