//! Units that failed and wait for another attempt.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::columns::{Checked, Word};
use super::statement::statement;
use super::written::Written;
use super::{Store, StoreError};
use crate::model::{Cause, FailureEvidence, JobId, Retrying, UnitId};

/// Longest reason that is told; the unit has all of it.
const LAST_CHARS: usize = 300;

statement! {
    // No more than a thousand are looked at, those that are due first: nobody wants to know exactly how many more there are. The number
    // is not bound, because SQLite would prepare the statement again at each use.
    // A unit that others cut off each time has no attempt counted. Of the last one that failed, what that attempt's own end says.
    struct RetryingUnits {
        ["WITH waiting AS MATERIALIZED (SELECT id FROM units INDEXED BY units_waiting WHERE not_before IS NOT NULL AND job_id = "
         "WITH waiting AS MATERIALIZED (SELECT id FROM units WHERE not_before IS NOT NULL AND job_id = "]
            job: i64 as BigInt,
    }
    " ORDER BY not_before LIMIT 1000), \
     retrying AS MATERIALIZED (SELECT units.id, units.started_at FROM waiting CROSS JOIN units WHERE units.id = waiting.id AND attempts > 0) \
     SELECT (SELECT count(*) FROM retrying), (SELECT count(*) FROM waiting) = 1000, unit_id, cause, exit_code, error, stderr FROM attempts WHERE id = (SELECT attempts.id FROM attempts WHERE unit_id = \
     (SELECT id FROM retrying ORDER BY started_at DESC, id DESC LIMIT 1) AND cause NOT IN ('not_started', 'interrupted', 'crashed', \
     'cancelled', 'postponed', 'needs_attention') ORDER BY attempts.id DESC LIMIT 1)"
    -> (BigInt, Bool, BigInt, Text, Nullable<BigInt>, Text, Nullable<Text>)
}

type RetryingRow = (i64, bool, i64, Checked<Word<Cause>>, Option<i64>, Checked<String>, Option<Written>);

impl Store {
    /// Returns the units of a job that failed and wait for another attempt, and why the last of them failed; none if there are none.
    /// Its cost has a bound.
    pub fn retrying(&mut self, job: JobId) -> Result<Option<Retrying>, StoreError> {
        self.read("count the units that wait for another attempt", |conn| {
            let row = RetryingUnits { job: job.0 }.get_result::<RetryingRow>(conn).optional()?;
            Ok(row.map(retrying))
        })
    }
}

fn retrying((units, at_least, last, cause, exit_code, error, stderr): RetryingRow) -> Retrying {
    let evidence = FailureEvidence {
        // One that cannot be read is named where the attempt is shown.
        cause: cause.known().map_or(Cause::Failed, |word| word.0),
        exit_code: exit_code.and_then(|code| i32::try_from(code).ok()),
        error: error.shown(),
        stderr: stderr.as_ref().map(|written| &written.0),
    };
    let why = evidence.words().chars().take(LAST_CHARS).collect();
    Retrying { units, at_least, seq: UnitId::from_raw(last).seq(), last: why }
}
