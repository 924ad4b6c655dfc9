//! What strips of jobs are drawn from: some units of each, spread evenly, in two statements for all of them.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::charts::{SpreadRow, ended};
use super::columns::{Checked, Word};
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::strips::JobSample;
use crate::model::{JobId, JobStatus, Strips, Timestamp, UnitId, UnitStatus};

/// The latest jobs, which the strip of the database is drawn from.
const LATEST: usize = 150;
/// Units of each of them that are looked at.
const OF_LATEST: i64 = 20;
/// Most units that are looked at: of all jobs that are asked for together, and of each.
const OF_ASKED: i64 = 6_000;
const OF_ONE: i64 = 120;

statement! {
    // One more than are drawn says whether there are others.
    struct Jobs {
        ["SELECT id, status, total, pending, claimed_through FROM jobs WHERE status <> 'partial' AND (id IN \
          (SELECT id FROM jobs ORDER BY id DESC LIMIT 151) OR id IN (SELECT value FROM json_each("
         "SELECT id, status, total, pending, claimed_through FROM jobs WHERE status <> 'partial' AND (id IN \
          (SELECT id FROM jobs ORDER BY id DESC LIMIT 151) OR id IN (SELECT value::bigint FROM json_array_elements_text(("]
            jobs: String as Text,
    }
    [")))" ")::json)))"] -> (BigInt, Text, BigInt, BigInt, BigInt)
}

statement! {
    struct Units {
        ["SELECT id, status, started_at, finished_at FROM units WHERE id IN (SELECT value FROM json_each("
         "SELECT id, status, started_at, finished_at FROM units WHERE id IN (SELECT value::bigint FROM json_array_elements_text(("]
            units: String as Text,
    }
    ["))" ")::json))"] -> (BigInt, Text, Nullable<BigInt>, Nullable<BigInt>)
}

type JobRow = (i64, Checked<Word<JobStatus>>, i64, i64, i64);
type UnitRow = (i64, Checked<Word<UnitStatus>>, Option<i64>, Option<i64>);

impl Store {
    /// Draws strips of some jobs and of the database; at most 9,000 units are looked at.
    pub fn strips(&mut self, jobs: &[JobId], now: Timestamp) -> Result<Strips, StoreError> {
        let asked: Vec<i64> = jobs.iter().map(|job| job.0).collect();
        let each = (OF_ASKED / i64::try_from(asked.len().max(1)).unwrap_or(OF_ASKED)).clamp(1, OF_ONE);
        self.read("look at when units ended", |conn| {
            let mut rows: Vec<JobRow> = Jobs { jobs: json(&asked) }.load(conn)?;
            rows.sort_by_key(|row| std::cmp::Reverse(row.0));
            let (is_part, mut picked, mut samples) = (rows.len() > LATEST, Vec::new(), Vec::new());
            for (place, (id, status, total, pending, claimed)) in rows.into_iter().enumerate() {
                let (is_asked, is_latest) = (asked.contains(&id), place < LATEST);
                if !is_asked && !is_latest {
                    continue;
                }
                // Units begin in the order of their numbers, but for a canary that was drawn, of which a strip shows little.
                let through = claimed.max(total - pending).min(total);
                let picks = picks(JobId(id), through, if is_asked { each } else { OF_LATEST });
                let counted = i64::try_from(picks.len()).unwrap_or(i64::MAX);
                picked.extend(picks);
                let is_running = status.known().is_some_and(|word| word.0 == JobStatus::Running);
                let (of, ended) = ((counted, through), Vec::new());
                samples.push(JobSample { id: JobId(id), is_asked, is_latest, is_running, of, ended });
            }
            let place: HashMap<JobId, usize> = samples.iter().enumerate().map(|(at, job)| (job.id, at)).collect();
            let units: Vec<UnitRow> = Units { units: json(&picked) }.load(conn)?;
            for (id, status, started_at, finished_at) in units {
                let row: SpreadRow = (status, started_at, finished_at);
                if let (Some(at), Some(run)) = (place.get(&UnitId::from_raw(id).job()), ended(&row)) {
                    samples[*at].ended.push(run);
                }
            }
            Ok(Strips::of(&samples, is_part, now))
        })
    }
}

/// Picks up to so many of the first units of a job, one of each stretch of the same length, each time another one of it.
fn picks(job: JobId, through: i64, most: i64) -> Vec<i64> {
    let first = UnitId::ends_of(job)[0];
    let step = (through.max(0) as u64).div_ceil(most.unsigned_abs().max(1)).max(1).cast_signed();
    (0..through / step).map(|n| first + n * step + (n * 2_654_435_761) % step).collect()
}

fn json(numbers: &[i64]) -> String {
    serde_json::to_string(numbers).expect("numbers are JSON")
}
