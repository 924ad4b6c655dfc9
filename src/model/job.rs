//! A job: a named set of units, one way of running them, limits, and counters that are always true.

use std::time::Duration;

use serde::Serialize;

use super::words::words;
use super::{Epoch, JobId, JobStatus, Limits, Timestamp, UnitStatus};

/// A job as the database holds it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Job {
    /// Number inside this database.
    pub id: JobId,
    /// UUIDv7, unique everywhere.
    pub uid: String,
    /// Name for people; several jobs may bear the same one.
    pub name: String,
    /// Idempotency key: a second creation with it finds this job.
    pub key: Option<String>,
    /// Name of the code that runs a unit.
    pub handler: String,
    /// Bounds of the run.
    pub limits: Limits,
    /// Where it stands.
    pub status: JobStatus,
    /// Lease of the latest manager, 0 before the first.
    pub epoch: Epoch,
    /// Grows with every change that a client makes to the job or its units.
    #[serde(skip)]
    pub revision: i64,
    /// What its manager has been asked to do, if anything.
    pub stop_request: Option<StopRequest>,
    /// Time that running units are given after a stop request; none means as long as they need.
    #[serde(skip)]
    pub stop_grace: Option<Duration>,
    /// Until when no unit starts, and why, if a handler asked for that.
    pub hold: Option<Hold>,
    /// Counters of its units.
    pub progress: Progress,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its first manager took it.
    pub started_at: Option<Timestamp>,
    /// When it reached its end.
    pub finished_at: Option<Timestamp>,
}

impl Job {
    /// Returns when the job pauses because it has taken too long.
    pub(crate) fn deadline_at(&self) -> Option<Timestamp> {
        self.limits.deadline.zip(self.started_at).map(|(span, started_at)| started_at + span)
    }
}

/// A time before which no unit of a job starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// When it is over.
    pub until: Timestamp,
    /// Why, in words.
    pub reason: String,
}

/// A request that a client leaves in the job's row for its manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopRequest {
    /// Claim nothing more, let running units finish, pause.
    Stop,
    /// End running units, which go back to pending, and pause.
    StopNow,
    /// End running units and cancel everything that has not ended.
    Cancel,
}

words!(StopRequest, "stop request", { Stop => "stop", StopNow => "stop_now", Cancel => "cancel" });

/// Counters of a job's units by status; they always add up to `total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// All units.
    pub total: i64,
    /// Units that wait.
    pub pending: i64,
    /// Units with an attempt under way.
    pub running: i64,
    /// Units that ended well.
    pub completed: i64,
    /// Units that failed permanently.
    pub failed: i64,
    /// Units that were skipped.
    pub skipped: i64,
    /// Units ended on request.
    pub cancelled: i64,
}

/// All jobs that are in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobTotals {
    /// The state.
    pub status: JobStatus,
    /// How many jobs are in it.
    pub jobs: i64,
    /// The sums of their counters.
    pub units: Progress,
}

impl Progress {
    /// Returns the number of units that reached an end.
    pub const fn ended(&self) -> i64 {
        self.completed + self.failed + self.skipped + self.cancelled
    }

    /// Returns the number of units that have not reached an end.
    pub const fn unfinished(&self) -> i64 {
        self.pending + self.running
    }

    /// Returns the counters with their states, in the order in which they are told.
    pub const fn by_state(&self) -> [(UnitStatus, i64); 6] {
        use UnitStatus::*;
        [
            (Completed, self.completed),
            (Failed, self.failed),
            (Skipped, self.skipped),
            (Cancelled, self.cancelled),
            (Running, self.running),
            (Pending, self.pending),
        ]
    }

    /// Returns ended units per hundred, to one decimal; 100 only when all have ended.
    pub fn percentage(&self) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        // Rounded down, or a million units would show 100 % with hundreds of them left.
        (self.ended() as f64 * 1000.0 / self.total as f64).floor() / 10.0
    }

    /// Returns the state a job ends in when no unit is left.
    pub const fn final_status(&self) -> JobStatus {
        if self.failed > 0 {
            JobStatus::Failed
        } else if self.cancelled > 0 {
            JobStatus::Cancelled
        } else {
            JobStatus::Completed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentage_never_rounds_up_to_a_hundred() {
        let progress = Progress { total: 1_000_000, running: 1, completed: 999_999, ..Progress::default() };

        assert_eq!(progress.percentage(), 99.9);
    }

    #[test]
    fn a_job_completes_only_when_every_unit_completed_or_was_skipped() {
        let progress = Progress { total: 3, completed: 1, skipped: 1, cancelled: 1, ..Progress::default() };

        assert_eq!(progress.final_status(), JobStatus::Cancelled);
        assert_eq!(Progress { total: 2, cancelled: 0, ..progress }.final_status(), JobStatus::Completed);
    }

    #[test]
    fn one_failed_unit_fails_the_job() {
        let progress = Progress { total: 3, completed: 2, failed: 1, ..Progress::default() };

        assert_eq!(progress.final_status(), JobStatus::Failed);
    }
}
