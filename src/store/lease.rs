//! The lease of a manager, and what it learns while that stands.

use uuid::Uuid;

use super::{StoreError, UnitRange};
use crate::model::{Epoch, Job, JobId, Share, Timestamp, Unit};

/// The right of one manager to write for one job, until another takes over: it names the manager's row.
///
/// What names a row is the store's own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub(super) job: JobId,
    pub(super) epoch: Epoch,
    /// Names the manager's row on a server, whatever numbers are given out there; nil for who writes in place of one that is gone.
    pub(super) manager: Uuid,
}

impl Lease {
    /// Returns the job.
    pub fn job(self) -> JobId {
        self.job
    }

    /// Returns the number by which people distinguish the managers of a job.
    pub fn epoch(self) -> Epoch {
        self.epoch
    }

    /// Returns the refusal of what is written once it is over.
    pub fn fenced(self) -> StoreError {
        StoreError::Fenced { job: self.job, epoch: self.epoch }
    }
}

/// What a manager learns while its lease stands.
#[derive(Debug)]
pub struct Fence {
    /// Changes whenever somebody else has written.
    pub version: i64,
    /// The job; none while the version is the one that was seen.
    pub job: Option<Job>,
    /// What the managers of the job have together, where it has a limit of that; none while the version is the one that was seen.
    pub share: Option<Share>,
    /// The time by the store's clock, which is the machine's here.
    pub now: Timestamp,
    /// What there is to do beside what the manager has; none where it looks for that itself.
    pub work: Option<Work>,
}

/// What there is to do for a manager of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Whether units can be claimed.
    pub is_claimable: bool,
    /// Whether other managers have units.
    pub others_have_units: bool,
    /// When the first unit may run that came back and is not another manager's.
    pub next_due: Option<Timestamp>,
    /// When the first lease of another manager ends unless that renews it.
    pub next_lease_end: Option<Timestamp>,
}

/// What a manager has claimed.
#[derive(Debug)]
pub struct Claim {
    /// Its units, some of which may have ended.
    pub range: UnitRange,
    /// How many have not. On SQLite a range has no end, and nobody asks how long it lasts.
    pub unfinished: u64,
    /// Those that somebody began who is gone; the range was given back then. On SQLite whoever begins has looked at all.
    pub begun: Vec<Unit>,
}
