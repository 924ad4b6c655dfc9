//! The vocabulary of the whole project: ids, times, jobs, units, limits, outcomes and the state enums.
//!
//! Nothing here does I/O or knows SQL; every rule can be tested without a database. The state enums are the one
//! place that says which transitions exist: the store's guards and `docs/state-machine.md` repeat them, and a
//! test compares the three.

mod added;
mod apart;
mod attempt_name;
mod bounds;
#[cfg(feature = "cli")]
mod columns;
mod conditions;
mod contents;
mod counted;
mod creation;
mod database_file;
mod failure;
mod ids;
mod job;
mod layout;
mod limits;
mod mask;
mod new_job;
mod outcome;
mod outdated;
mod pattern;
mod process;
mod process_variables;
pub mod raw_path;
mod raw_text;
mod retry;
mod secret_variables;
mod selection;
mod sound;
mod spelling;
mod start_time;
mod status;
mod submitter;
#[cfg(feature = "cli")]
mod text;
mod time;
mod unit;
#[cfg(feature = "cli")]
mod unit_result;
mod unreadable;
mod waits;
mod why;
mod window;
mod words;

pub use added::{SeenKeys, UnitsAdded};
pub use apart::Apart;
pub use attempt_name::AttemptName;
pub use bounds::{MaxFailures, Rate};
#[cfg(feature = "cli")]
pub use columns::column_names;
pub use conditions::{Bytes, Conditions, DiskFree, Percent};
pub use contents::Contents;
pub use counted::counted;
pub use creation::Creation;
pub use database_file::DatabaseFile;
pub use failure::{ClusterId, ClusterIdError, FailureCluster, FailureEvidence};
pub use ids::{Epoch, JobId, Seq, UnitId};
pub use job::{Hold, Job, JobTotals, Progress, StopRequest};
pub use layout::{JobFiles, StateDir};
pub use limits::{Limits, OnInterrupt, Slots, Timeout};
pub use new_job::{NewJob, NewJobError};
pub use outcome::{AttemptEnd, Cause, Output, UnitOutcome};
pub use outdated::Outdated;
pub use pattern::{ItemPattern, ItemPatternError};
pub use process::{Heartbeat, ManagerRecord, ProcessIdentity};
pub use process_variables::handed_on;
pub use raw_text::RawText;
pub use retry::backoff_delay;
pub use secret_variables::is_secret;
#[cfg(feature = "cli")]
pub use secret_variables::{is_secret_name, is_secret_value};
pub use selection::{JobFilter, UnitFilter, UnitOrder};
pub use sound::{JsonError, check_document};
pub use spelling::{SpellingError, TimeLimit, duration};
pub use start_time::{StartTimeError, start_time};
pub use status::{JobStatus, UnitStatus};
pub use submitter::Submitter;
#[cfg(feature = "cli")]
pub use text::steers_terminal;
#[cfg(feature = "cli")]
pub use text::{one_line, printable};
pub use time::{Timestamp, span};
pub use unit::{AttemptId, AttemptRecord, Kill, KillThen, NewUnit, Unit, UnitDetail, UnitNotes};
#[cfg(feature = "cli")]
pub use unit_result::UnitResult;
pub use unreadable::{FoundJobs, Row, Unreadable, UnreadableJob};
pub use waits::{Lack, Resource, Waits};
pub use why::Why;
pub use window::{Opening, Window, Windows};
pub use words::UnknownWordError;
