//! Ids as newtypes, so that a sequence number can never be passed where a job is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Number of a job inside its database; what people type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

/// Number of a unit inside its job, counted from 1 in the order of submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub i64);

/// Number of a manager's lease over a job: a fencing token that only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub i64);

/// Primary key of a unit: its job in the upper 31 bits, its sequence number in the lower 32.
///
/// The packed key makes the table's own order the order of claims, so that a unit needs no second index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(i64);

impl JobId {
    /// Largest job number that fits the key of a unit.
    pub const MAX: JobId = JobId((1 << 31) - 1);
}

impl Seq {
    /// Sequence number of the first unit.
    pub const FIRST: Seq = Seq(1);
    /// Largest sequence number that fits the key of a unit; the bound on the units of one job.
    pub const MAX: Seq = Seq((1 << 32) - 1);

    /// Returns the number before this one, 0 before the first.
    pub const fn before(self) -> Seq {
        Seq(self.0 - 1)
    }
}

impl UnitId {
    const SEQ_BITS: u32 = 32;

    /// Packs a job and a sequence number.
    ///
    /// # Panics
    /// When one of the two lies outside its range; the store hands out neither.
    pub fn new(job: JobId, seq: Seq) -> Self {
        assert!((0..=JobId::MAX.0).contains(&job.0), "job id {job} out of range");
        assert!((0..=Seq::MAX.0).contains(&seq.0), "sequence number {seq} out of range");
        Self((job.0 << Self::SEQ_BITS) | seq.0)
    }

    /// Returns the first and the last key that a unit of a job can have, as stored.
    ///
    /// # Panics
    /// When the job lies outside its range.
    pub(crate) fn ends_of(job: JobId) -> [i64; 2] {
        [Seq::FIRST, Seq::MAX].map(|seq| Self::new(job, seq).raw())
    }

    /// Wraps a key read from the database.
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    /// Returns the key as stored.
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// Returns the job of the unit.
    pub const fn job(self) -> JobId {
        JobId(self.0 >> Self::SEQ_BITS)
    }

    /// Returns the sequence number of the unit in its job.
    pub const fn seq(self) -> Seq {
        Seq(self.0 & Seq::MAX.0)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.job(), self.seq())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_id_gives_back_job_and_seq_at_the_edges() {
        for job in [JobId(0), JobId(1), JobId::MAX] {
            for seq in [Seq::FIRST, Seq(77), Seq::MAX] {
                let id = UnitId::new(job, seq);

                assert_eq!((id.job(), id.seq()), (job, seq));
            }
        }
    }

    #[test]
    fn units_sort_by_job_then_by_seq() {
        assert!(UnitId::new(JobId(1), Seq::MAX) < UnitId::new(JobId(2), Seq::FIRST));
    }
}
