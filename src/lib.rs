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
//! with a [`CommandSpec`](handler::CommandSpec) as the job's settings. The module [`testing`] runs jobs inside a test.
//!
//! The modules stand in ranks, and each imports from lower ranks only: `model`; `files`; `store`, `sys`, `launch`, `source`;
//! `status`, `handler`; `manager`, `client`; `testing`. The program
//! `job-manager` (command line, dashboard, MCP server) stands outside and uses what is public here.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod client;
mod crash;
pub mod files;
pub mod handler;
mod launch;
#[cfg(feature = "postgres")]
mod libpq;
mod manager;
pub mod model;
#[cfg(all(test, feature = "postgres"))]
#[path = "../tests/it/support/postgres.rs"]
mod postgres_server;
mod recovery;
#[cfg(feature = "sources")]
pub mod source;
mod status;
mod store;
mod sys;
pub mod testing;
#[cfg(test)]
#[path = "../tests/it/support/skipped.rs"]
mod without;

/// What a database, its directory and this machine look like to somebody who has to mend them.
pub mod doctor {
    pub use crate::client::doctor::{Finding, Remedy, Severity, examine};
}

/// Why a job or a unit is where it is, and what can be done.
pub mod explain {
    pub use crate::client::documents::ExplanationOf;
    pub use crate::client::explain::{Explanation, NextStep};
    pub use crate::model::outcome::Cause;
    pub use crate::model::why::Why;
}

/// Failed units by kind.
pub mod failures {
    pub use crate::client::documents::FailureReport;
    pub use crate::model::failure::{ClusterId, ClusterIdError, FailureCluster};
}

/// What a program that is started by a service manager asks of this machine.
pub mod host {
    pub use crate::sys::{Linger, ScopeError, ZoneError, linger, own_program, reach_user_manager};
}

/// A command and the sources of its items, checked and made a job.
#[cfg(feature = "sources")]
pub mod submission {
    pub use crate::client::rehearse::Rehearsal;
    pub use crate::client::sources::{ListSpec, OpenSources, SourceOptions, SourceSpec};
    pub use crate::client::submission::{
        Added, Asked, Order, OrderError, OrderTextError, Scripts, ShellFault, Submission, SubmissionError, TraceFault,
        additions, additions_within, command_spec, find_program, find_shell, notify, output_dir,
    };
    pub use crate::handler::program::ProgramError;
    pub use crate::handler::template::{Several, TemplateError, TemplatePart};
}

/// Text as people read and write it: numbers with their nouns, spans of time, lines safe for a terminal.
pub mod text {
    pub use crate::handler::tail::omitted_bytes;
    pub use crate::handler::template::quote_for_shell;
    pub use crate::model::causes::{causes, chain};
    pub use crate::model::counted::counted;
    pub use crate::model::sound::{JsonError, check_document};
    pub use crate::model::spelling::{SpellingError, duration};
    pub use crate::model::text::{one_line, printable, steers_terminal, whole_characters};
    pub use crate::model::time::{exact_span, local_time, span};
}

pub use client::{Client, ClientError};
pub use handler::{Handlers, UnitContext, UnitError};
pub use manager::run_if_manager;
pub use model::{NewJob, NewUnit};
