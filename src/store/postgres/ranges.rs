//! Ranges of units: what a manager has claimed, and what was given back.

mod chosen;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::model::{JobId, Reach, Seq, Timestamp, UnitId};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::schema::jobs;
use crate::store::statement::statement;
use crate::store::unit_row::{self, DueColumns, DueRow, UnitColumns, UnitRow};
use crate::store::{Claim, Lease, UnitRange};
pub(in crate::store) use chosen::drop_ahead;

statement! {
    struct TakeBack {
        "UPDATE ranges SET manager = " manager: String as Text,
        " FROM (SELECT first FROM ranges WHERE manager IS NULL AND job_id = " given: i64 as BigInt,
        " AND first <= " through: i64 as BigInt,
        " ORDER BY first LIMIT 1 FOR UPDATE SKIP LOCKED) AS given WHERE ranges.first = given.first AND ranges.job_id = " job: i64 as BigInt,
    }
    " RETURNING ranges.first, ranges.last" -> (BigInt, BigInt)
}

statement! {
    struct TakeFresh {
        "UPDATE jobs SET claimed_through = least(total, claimed_through + " units: i64 as BigInt,
        ", " through: i64 as BigInt,
        ") WHERE claimed_through < total AND claimed_through < " limit: i64 as BigInt,
        " AND id = " job: i64 as BigInt,
    }
    " RETURNING claimed_through" -> BigInt
}

statement! {
    struct AddRange {
        "INSERT INTO ranges (job_id, first, last, manager) VALUES (" job: i64 as BigInt,
        ", " first: i64 as BigInt,
        ", " last: i64 as BigInt,
        ", " manager: String as Text,
    }
    ")"
}

statement! {
    // Nothing of them is left to do, so that nobody has to look at them again.
    struct DropDone {
        "DELETE FROM ranges WHERE job_id = " job: i64 as BigInt,
        " AND manager = " manager: String as Text,
    }
    " AND NOT EXISTS (SELECT 1 FROM units WHERE units.id BETWEEN (ranges.job_id << 32) + ranges.first \
     AND (ranges.job_id << 32) + ranges.last AND (status = 'pending' OR status = 'running'))"
}

statement! {
    struct OthersHave {
        "SELECT EXISTS (SELECT 1 FROM ranges WHERE job_id = " job: i64 as BigInt,
        " AND manager <> " manager: String as Text,
        " AND first <= " through: i64 as BigInt,
    }
    ")" -> Bool
}

statement! {
    struct IsOfAnother {
        "SELECT EXISTS (SELECT 1 FROM ranges WHERE job_id = " job: i64 as BigInt,
        " AND first <= " first: i64 as BigInt,
        " AND last >= " last: i64 as BigInt,
        " AND manager <> " manager: String as Text,
    }
    ")" -> Bool
}

statement! {
    struct UnfinishedIn {
        "SELECT count(*) FROM units WHERE id > " after: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
    }
    " AND (status = 'pending' OR status = 'running')" -> BigInt
}

statement! {
    struct BegunIn {
        "SELECT id, key, '', attempts, crashes, revision FROM units WHERE id > " after: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
    }
    " AND status = 'running' ORDER BY id" -> UnitColumns
}

statement! { struct GiveBack<'a> { "UPDATE ranges SET manager = NULL WHERE manager = " manager: &'a str as Text, } "" }

statement! {
    struct GiveBackBut {
        "UPDATE ranges SET manager = NULL WHERE manager = " manager: String as Text,
        " AND NOT EXISTS (SELECT 1 FROM json_array_elements_text((" units: String as Text,
    }
    ")::json) AS unit WHERE unit.value::bigint BETWEEN first AND last)"
}

statement! { struct GiveAllBack { "UPDATE ranges SET manager = NULL WHERE job_id = " job: i64 as BigInt, } "" }

statement! {
    // What a client sent back, or somebody gave up one by one, is in no range. What nobody has claimed yet comes with its range.
    struct AdoptDue {
        "INSERT INTO ranges (job_id, first, last, manager) SELECT units.job_id, units.seq, units.seq, " manager: String as Text,
        " FROM units JOIN jobs ON jobs.id = units.job_id WHERE not_before IS NOT NULL AND units.job_id = " job: i64 as BigInt,
        " AND not_before <= " now: i64 as BigInt,
        " AND seq <= " through: i64 as BigInt,
        " AND seq <= claimed_through AND NOT EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = units.job_id \
         AND ranges.first <= units.seq AND ranges.last >= units.seq) ORDER BY not_before LIMIT " limit: i64 as BigInt,
    }
    " ON CONFLICT DO NOTHING"
}

statement! {
    // The server cuts the page: the library of a client holds the whole answer. Its rows are added up once they are a page, because
    // a sum over a range looks at all of it.
    struct FreshUnits {
        "SELECT id, key, payload, attempts, crashes, revision FROM (SELECT id, key, payload, attempts, crashes, revision, \
         sum(octet_length(payload)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - octet_length(payload) AS before \
         FROM (SELECT id, key, payload, attempts, crashes, revision FROM units WHERE id > " after: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " AND status = 'pending' AND not_before IS NULL ORDER BY id LIMIT " limit: i64 as BigInt,
        ") AS found) AS page WHERE before < " bytes: i64 as BigInt,
    }
    " ORDER BY id" -> UnitColumns
}

statement! {
    struct DueUnits {
        "SELECT id, key, payload, attempts, crashes, revision, checkpoint, EXISTS (SELECT 1 FROM attempts \
         WHERE attempts.unit_id = page.id AND cause = 'postponed'), not_before = 0 FROM (SELECT id, key, payload, attempts, crashes, \
         units.revision, checkpoint, not_before, sum(octet_length(payload) + coalesce(octet_length(checkpoint), 0)) \
         OVER (ORDER BY not_before, id ROWS UNBOUNDED PRECEDING) - octet_length(payload) - coalesce(octet_length(checkpoint), 0) \
         AS before FROM units LEFT JOIN unit_notes ON unit_id = id \
         WHERE not_before IS NOT NULL AND units.job_id = " job: i64 as BigInt,
        " AND not_before <= " now: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " AND EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = units.job_id AND ranges.first <= units.seq \
         AND ranges.last >= units.seq AND ranges.manager = " manager: String as Text,
        ") ORDER BY not_before, id LIMIT " limit: i64 as BigInt,
        ") AS page WHERE before < " bytes: i64 as BigInt,
    }
    " ORDER BY not_before, id" -> DueColumns
}

statement! {
    // Those that are looked for when they are due. The others come with their ranges, and nobody waits for them here.
    struct NextDue {
        "SELECT min(not_before) FROM units JOIN jobs ON jobs.id = units.job_id WHERE not_before IS NOT NULL AND units.job_id = "
            job: i64 as BigInt,
        " AND units.id <= " last: i64 as BigInt,
        " AND seq <= claimed_through AND NOT EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = units.job_id \
         AND ranges.first <= units.seq AND ranges.last >= units.seq AND ranges.manager IS DISTINCT FROM " manager: String as Text,
    }
    ")" -> Nullable<BigInt>
}

statement! {
    struct RunningUnits {
        "SELECT id, key, '', attempts, crashes, revision FROM ranges JOIN units ON units.id BETWEEN (ranges.job_id << 32) + ranges.first \
         AND (ranges.job_id << 32) + ranges.last WHERE status = 'running' AND ranges.job_id = " job: i64 as BigInt,
        // What was given back is nobody's, and so everybody's business.
        " AND (ranges.manager IS NULL OR ranges.manager = " manager: String as Text,
    }
    ") ORDER BY id" -> UnitColumns
}

/// Claims a range for first attempts, in a transaction that has the job alone: what was given back, then what nobody has had. None
/// is out of reach.
pub(in crate::store) fn claim(
    conn: &mut DbConnection,
    lease: Lease,
    units: i64,
    reach: &Reach,
) -> Result<Option<Claim>, Failure> {
    let manager = || lease.manager.to_string();
    let job = lease.job.0;
    DropDone { job, manager: manager() }.execute(conn)?;
    let range = |first: i64, last| UnitRange { after: Seq(first - 1), through: Seq(last) };
    let back: Option<(i64, i64)> =
        TakeBack { manager: manager(), given: job, through: reach.last().0, job }.get_result(conn).optional()?;
    if let Some((first, last)) = back {
        let range = range(first, last);
        let [after, last] = [range.after, range.through].map(|seq| UnitId::new(lease.job, seq).raw());
        let unfinished: i64 = UnfinishedIn { after, last }.get_result(conn)?;
        let begun: Vec<UnitRow> = BegunIn { after, last }.load(conn)?;
        let begun = begun.into_iter().map(unit_row::unit).collect::<Result<_, _>>()?;
        return Ok(Some(Claim { range, unfinished: unfinished.unsigned_abs(), begun }));
    }
    let before: i64 = jobs::table.find(job).select(jobs::claimed_through).first(conn)?;
    let through = reach.last_fresh().0;
    let taken: Option<i64> = TakeFresh { units, through, limit: through, job }.get_result(conn).optional()?;
    let Some(last) = taken else { return Ok(None) };
    AddRange { job, first: before + 1, last, manager: manager() }.execute(conn)?;
    Ok(Some(Claim { range: range(before + 1, last), unfinished: (last - before).unsigned_abs(), begun: Vec::new() }))
}

/// Returns units with numbers in that span that wait for their first attempt, as [`due_units`] bounds them.
pub(in crate::store) fn fresh_units(
    conn: &mut DbConnection,
    (after, last): (i64, i64),
    (limit, bytes): (i64, i64),
) -> Result<Vec<UnitRow>, Failure> {
    Ok(FreshUnits { after, last, limit, bytes: bytes.max(1) }.load(conn)?)
}

/// Returns units of a manager that came back and are due; claims those before that belong to nobody. They are no more than
/// `limit`, and none after so many bytes but the first one.
pub(in crate::store) fn due_units(
    conn: &mut DbConnection,
    lease: Lease,
    now: Timestamp,
    reach: &Reach,
    (limit, bytes): (i64, i64),
) -> Result<Vec<DueRow>, Failure> {
    adopt_due(conn, lease, now, reach, limit)?;
    let (job, manager) = (lease.job.0, lease.manager.to_string());
    let (now, last) = (now.as_micros(), UnitId::new(lease.job, reach.last()).raw());
    Ok(DueUnits { job, now, last, manager, limit, bytes: bytes.max(1) }.load(conn)?)
}

/// Claims units that came back, are due, and belong to nobody.
pub(super) fn adopt_due(
    conn: &mut DbConnection,
    lease: Lease,
    now: Timestamp,
    reach: &Reach,
    limit: i64,
) -> Result<(), Failure> {
    let (job, now, manager) = (lease.job.0, now.as_micros(), lease.manager.to_string());
    match reach.chosen(lease.job) {
        Some(units) => chosen::adopt(conn, manager, job, now, units, limit)?,
        None => AdoptDue { manager, job, now, through: reach.last().0, limit }.execute(conn)?,
    };
    Ok(())
}

/// Returns the earliest time at which a unit may run that came back and is not another manager's.
pub(in crate::store) fn next_due(conn: &mut DbConnection, lease: Lease, reach: &Reach) -> Result<Option<i64>, Failure> {
    let (manager, last) = (lease.manager.to_string(), UnitId::new(lease.job, reach.last()).raw());
    match reach.chosen(lease.job) {
        Some(units) => chosen::next_due(conn, units, manager),
        None => Ok(NextDue { job: lease.job.0, last, manager }.get_result(conn)?),
    }
}

/// Returns the units of a manager whose rows say that they run.
pub(in crate::store) fn running_units(conn: &mut DbConnection, lease: Lease) -> Result<Vec<UnitRow>, Failure> {
    Ok(RunningUnits { job: lease.job.0, manager: lease.manager.to_string() }.load(conn)?)
}

/// Gives back what managers own.
pub(in crate::store) fn give_back(conn: &mut DbConnection, managers: &[String]) -> Result<(), Failure> {
    managers.iter().try_for_each(|manager| Ok(GiveBack { manager }.execute(conn).map(drop)?))
}

/// Gives back what a manager owns, but for ranges with one of some units.
pub(in crate::store) fn give_back_but(conn: &mut DbConnection, lease: Lease, units: &[Seq]) -> Result<(), Failure> {
    let units = serde_json::to_string(&units.iter().map(|unit| unit.0).collect::<Vec<_>>()).expect("numbers are JSON");
    GiveBackBut { manager: lease.manager.to_string(), units }.execute(conn)?;
    Ok(())
}

/// Gives back all that managers of a job own.
pub(in crate::store) fn give_all_back(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    GiveAllBack { job: job.0 }.execute(conn)?;
    Ok(())
}

/// Returns `true` if other managers own something up to a unit.
pub(in crate::store) fn others_have_units(
    conn: &mut DbConnection,
    lease: Lease,
    through: Seq,
) -> Result<bool, Failure> {
    let (job, manager) = (lease.job.0, lease.manager.to_string());
    Ok(OthersHave { job, manager, through: through.0 }.get_result(conn)?)
}

/// Returns `true` if a unit is in a range of another manager. Where the row of the job is locked, none claims it meanwhile.
pub(in crate::store) fn is_of_another(conn: &mut DbConnection, lease: Lease, unit: Seq) -> Result<bool, Failure> {
    let (job, manager) = (lease.job.0, lease.manager.to_string());
    Ok(IsOfAnother { job, first: unit.0, last: unit.0, manager }.get_result(conn)?)
}

#[cfg(all(test, feature = "postgres"))]
mod tests;
