//! Runs a batch of units in a detached process that survives whoever asked for it.
//!
//! A [`Client`] creates a job from a stream of units, starts its manager, and reads, stops and resumes it; the
//! database file is the only channel between them. The manager records every change of state in SQLite before it
//! counts, ends gracefully on TERM and INT, and is never there twice for one job.
//!
//! ```no_run
//! use job_manager::{Client, ClientError, NewJob, NewUnit};
//!
//! fn main() -> Result<(), ClientError> {
//!     // Returns at once, unless this process was started as a job's manager.
//!     job_manager::run_if_manager(|_handlers| {});
//!
//!     let client = Client::create("jobs.db".as_ref())?;
//!     let mut job = NewJob::new("compress", "command");
//!     job.spec = r#"{"argv": ["gzip", "-9", "{}"], "cwd": "/srv/logs"}"#.to_owned();
//!     let files = ["a.log", "b.log"].map(|file| NewUnit { payload: format!("{file:?}"), key: None });
//!     let created = client.create_job(&job, files)?;
//!     client.start_detached(created.job)?;
//!     Ok(())
//! }
//! ```
//!
//! The modules stand in ranks, and each imports from lower ranks only: `model`; `store`, `sys`, `launch`, `source`;
//! `status`, `handler`; `manager`, `client`; `cli`.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "cli")]
pub mod cli;
mod client;
mod handler;
mod launch;
mod manager;
mod model;
#[cfg(feature = "sources")]
mod source;
mod status;
mod store;
mod sys;
pub mod testing;

/// The version of diesel whose connections [`create_job_in`] and [`add_units_in`] take.
pub use diesel;

pub use client::{
    Client, ClientError, Created, EtaSeconds, Finding, JobName, JobOutcome, ManagerProgram, ManagerStatus, Severity,
    Started, StatusProgress, StopOptions, examine,
};
pub use handler::{
    CheckpointError, CommandSpec, Handler, Handlers, JobReport, StdinMode, UnitContext, UnitError, UnitReport,
};
pub use manager::run_if_manager;
pub use model::{
    AttemptRecord, Cause, Epoch, Hold, Job, JobFiles, JobFilter, JobId, JobStatus, Limits, NewJob, NewUnit,
    OnInterrupt, Output, Progress, Seq, StopRequest, Timestamp, UnitDetail, UnitFilter, UnitNotes, UnitStatus,
    UnknownWordError,
};
pub use status::{Health, Reason};
pub use store::{Fault, StoreError, add_units_in, create_job_in};
