//! Why units failed, page by page.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::Word;
use super::written::{END_OF_STDERR, Written};
use super::{Store, StoreError};
use crate::model::{Cause, FailureEvidence, JobId, Seq, UnitId};

/// How the last attempt of a unit ended, as SQL. A unit without attempts on record failed in no special way.
pub(super) const CAUSE: &str = "coalesce((SELECT cause FROM attempts WHERE attempts.unit_id = units.id \
     ORDER BY attempts.id DESC LIMIT 1), 'failed')";
/// As much of a unit's error as its kind depends on.
pub(super) const ERROR: &str = "substr(coalesce(error, ''), 1, 4096)";

#[derive(QueryableByName)]
struct FailureRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    cause: Word<Cause>,
    #[diesel(sql_type = Nullable<BigInt>)]
    exit_code: Option<i64>,
    #[diesel(sql_type = Text)]
    error: String,
    #[diesel(sql_type = Text)]
    stderr: Written,
}

impl Store {
    /// Returns why up to `limit` failed units after `after` failed, in order of their numbers.
    ///
    /// Its cost does not depend on the units that did not fail.
    pub fn failures(&mut self, job: JobId, after: Seq, limit: i64) -> Result<Vec<(Seq, FailureEvidence)>, StoreError> {
        self.failures_in_order(job, after, "ASC", limit)
    }

    /// Returns why up to `limit` failed units failed, the highest numbers first; its cost does not depend on the others.
    pub fn last_failures(&mut self, job: JobId, limit: i64) -> Result<Vec<(Seq, FailureEvidence)>, StoreError> {
        self.failures_in_order(job, Seq(0), "DESC", limit)
    }

    fn failures_in_order(
        &mut self,
        job: JobId,
        after: Seq,
        order: &str,
        limit: i64,
    ) -> Result<Vec<(Seq, FailureEvidence)>, StoreError> {
        self.read("read the failures", |conn| {
            let sql = format!(
                "SELECT id, {CAUSE} AS cause, exit_code, {ERROR} AS error, {END_OF_STDERR} AS stderr \
                 FROM units INDEXED BY units_failed WHERE status = 'failed' AND id > ? AND id <= ? \
                 ORDER BY id {order} LIMIT ?"
            );
            let rows: Vec<FailureRow> = diesel::sql_query(sql)
                .bind::<BigInt, _>(UnitId::new(job, after).raw())
                .bind::<BigInt, _>(UnitId::new(job, Seq::MAX).raw())
                .bind::<BigInt, _>(limit)
                .load(conn)?;
            Ok(rows.into_iter().map(|row| (UnitId::from_raw(row.id).seq(), row.into())).collect())
        })
    }
}

impl From<FailureRow> for FailureEvidence {
    fn from(row: FailureRow) -> FailureEvidence {
        let exit_code = row.exit_code.and_then(|code| i32::try_from(code).ok());
        FailureEvidence { cause: row.cause.0, exit_code, error: row.error, stderr: row.stderr.into_text() }
    }
}
