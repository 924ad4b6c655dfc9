//! Units of a sample, each of which is a range of its own while nobody has claimed those around it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::model::JobId;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::statement::statement;

statement! {
    struct Adopt {
        "INSERT INTO ranges (job_id, first, last, manager) SELECT job_id, seq, seq, " manager: String as Text,
        " FROM units WHERE not_before IS NOT NULL AND job_id = " job: i64 as BigInt,
        " AND not_before <= " now: i64 as BigInt,
        " AND id IN (SELECT value::bigint FROM json_array_elements_text((" units: String as Text,
        ")::json)) AND NOT EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = units.job_id \
         AND ranges.first <= units.seq AND ranges.last >= units.seq) ORDER BY not_before, id LIMIT " limit: i64 as BigInt,
    }
    " ON CONFLICT DO NOTHING"
}

statement! {
    struct NextDue {
        "SELECT min(not_before) FROM units WHERE not_before IS NOT NULL AND id IN (SELECT value::bigint FROM json_array_elements_text(("
            units: String as Text,
        ")::json)) AND NOT EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = units.job_id \
         AND ranges.first <= units.seq AND ranges.last >= units.seq AND ranges.manager IS DISTINCT FROM " manager: String as Text,
    }
    ")" -> Nullable<BigInt>
}

statement! {
    struct DropAhead {
        "DELETE FROM ranges USING jobs WHERE jobs.id = ranges.job_id AND ranges.first > jobs.claimed_through AND jobs.id = "
            job: i64 as BigInt,
    }
    ""
}

/// Claims units of a sample that are due and nobody's.
pub(super) fn adopt(
    conn: &mut DbConnection,
    manager: String,
    job: i64,
    now: i64,
    units: String,
    limit: i64,
) -> QueryResult<usize> {
    Adopt { manager, job, now, units, limit }.execute(conn)
}

/// Returns the earliest time at which a unit of a sample may run that is not another manager's.
pub(super) fn next_due(conn: &mut DbConnection, units: String, manager: String) -> Result<Option<i64>, Failure> {
    Ok(NextDue { units, manager }.get_result(conn)?)
}

/// Forgets ranges that lie before what was claimed in the order of the numbers, of a job that nobody runs: they would overlap with
/// what is claimed next.
pub(in crate::store) fn drop_ahead(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    DropAhead { job: job.0 }.execute(conn)?;
    Ok(())
}
