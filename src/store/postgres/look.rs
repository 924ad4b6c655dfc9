//! All that a manager looks at while nothing happens, in one statement.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::model::{Reach, Timestamp, UnitId};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::lease::{Lease, Work};
use crate::store::statement::statement;

type LookColumns = (BigInt, BigInt, Bool, Bool, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>);
type LookRow = (i64, i64, bool, bool, Option<i64>, Option<i64>, Option<i64>);

statement! {
    // Nothing is written unless a lease is to be renewed. The version changes with the rows of the job, of its managers and of the
    // settings. A unit that came back and that nobody has claimed yet comes with its range.
    struct LookAt {
        "WITH renewed AS (UPDATE managers SET lease_until = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + " length: i64 as BigInt,
        ", heartbeat_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint WHERE 0 < " is_due: i64 as BigInt,
        " AND state = 'live' AND uid = " renewed: String as Text,
        " RETURNING heartbeat_at) SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, hashtextextended(concat_ws(' ', jobs.xmin, \
         (SELECT string_agg(concat_ws(' ', number, granted), ',' ORDER BY number) FROM managers AS live \
         WHERE live.state = 'live' AND live.job_id = jobs.id), (SELECT string_agg(concat_ws(' ', key, xmin), ',' ORDER BY key) FROM settings)), 0), \
         EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = jobs.id AND ranges.manager IS NULL AND first <= " given: i64 as BigInt,
        ") OR claimed_through < least(total, " through: i64 as BigInt,
        ") OR EXISTS (SELECT 1 FROM managers AS silent WHERE silent.state = 'live' AND silent.job_id = jobs.id \
         AND silent.lease_until < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), \
         EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = jobs.id AND ranges.manager <> own.uid AND first <= " others: i64 as BigInt,
        "), (SELECT min(not_before) FROM units WHERE not_before IS NOT NULL AND units.job_id = jobs.id AND units.id <= " last: i64 as BigInt,
        " AND units.id <= (jobs.id << 32) + claimed_through AND NOT EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = units.job_id \
         AND ranges.manager IS DISTINCT FROM own.uid AND ranges.first <= units.seq AND ranges.last >= units.seq)), \
         (SELECT min(other.lease_until) FROM managers AS other WHERE other.state = 'live' AND other.job_id = jobs.id \
         AND other.uid <> own.uid), (SELECT heartbeat_at FROM renewed) \
         FROM managers AS own JOIN jobs ON jobs.id = own.job_id WHERE jobs.status = 'running' AND own.state = 'live' AND own.uid = " uid: String as Text,
        // The row as it was when the statement began may be live still when somebody has taken over meanwhile.
        " AND (EXISTS (SELECT 1 FROM renewed) OR 0 = " is_not_due: i64 as BigInt,
    }
    ")" -> LookColumns
}

/// What was seen.
pub(in crate::store) struct Look {
    pub version: i64,
    pub now: Timestamp,
    pub work: Work,
    /// When the lease was renewed, if it was.
    pub renewed_at: Option<Timestamp>,
}

/// Looks at the job of a lease, and renews that for a time if one is given; none when it is over, or the job does not run.
pub(in crate::store) fn look(
    conn: &mut DbConnection,
    lease: Lease,
    reach: &Reach,
    renewal: Option<Duration>,
) -> Result<Option<Look>, Failure> {
    let length = renewal.map_or(0, |length| i64::try_from(length.as_micros()).expect("a lease fits"));
    let (uid, last) = (lease.manager.to_string(), UnitId::new(lease.job, reach.last()).raw());
    let look = LookAt {
        length,
        is_due: length,
        renewed: uid.clone(),
        given: reach.last().0,
        through: reach.last_fresh().0,
        others: reach.last().0,
        last,
        uid,
        is_not_due: length,
    };
    let row: Option<LookRow> = look.get_result(conn).optional()?;
    Ok(row.map(|(now, version, is_claimable, others_have_units, next_due, next_end, renewed_at)| Look {
        version,
        now: Timestamp::from_micros(now),
        work: Work {
            is_claimable,
            others_have_units,
            next_due: next_due.map(Timestamp::from_micros),
            // One that has ended is claimable.
            next_lease_end: next_end.filter(|end| *end >= now).map(Timestamp::from_micros),
        },
        renewed_at: renewed_at.map(Timestamp::from_micros),
    }))
}
