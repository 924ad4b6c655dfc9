//! What is looked at, at one moment.

use std::time::Duration;

use crate::client::MachineWorkers;
use crate::model::{Cause, Job, Seq, Timestamp, UnitDetail, Waits};
use crate::status::{Health, Reason};
use crate::sys::Writer;

/// What can be seen of a job at one moment.
#[derive(Debug, Clone)]
pub(super) struct Observed {
    pub job: Job,
    pub health: Health,
    pub reason: Option<Reason>,
    pub pid: Option<u32>,
    /// Why the job paused by itself, if it did.
    pub halt_reason: Option<String>,
    /// Whether a signal to its manager paused the job, and nobody's request.
    pub stopped_by_signal: bool,
    /// Error of the manager itself.
    pub error: Option<String>,
    /// Time since the manager last wrote.
    pub silence: Option<Duration>,
    pub disk_is_full: bool,
    /// Who holds the write lock of the database, while the manager does not write.
    pub writer: Option<Writer>,
    /// Earliest time at which a unit that came back may run.
    pub next_due: Option<Timestamp>,
    /// Units that may not run yet.
    pub waiting: i64,
    /// The unit that has been running for longest, and since when.
    pub oldest: Option<(Seq, Timestamp)>,
    /// Units that ended per second lately.
    pub rate: Option<f64>,
    /// What the next start waits for, of the machine or the clock.
    pub waits: Option<Waits>,
    /// The limit over all jobs, if there is one.
    pub machine: Option<MachineWorkers>,
    pub now: Timestamp,
}

/// What can be seen of a unit besides.
#[derive(Debug, Clone)]
pub(super) struct ObservedUnit {
    pub unit: UnitDetail,
    /// How its last attempt ended that did not complete.
    pub last_cause: Option<Cause>,
    /// Units that are to be taken before it.
    pub ahead: i64,
}
