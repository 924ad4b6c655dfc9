//! Units of groups on a server, of which one manager of a job hands them out: all groups in one statement, and only what is its own.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use serde_json::json;

use super::ranges::adopt_due;
use crate::model::{Reach, Seq, Timestamp, UnitId};
use crate::store::columns::TextColumn;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::groups::GroupPage;
use crate::store::statement::statement;
use crate::store::unit_row::{DueRow, UnitColumns, UnitRow, unit};
use crate::store::{Lease, StoreError};

statement! {
    struct FreshOfGroups {
        "SELECT place, id, key, payload, attempts, crashes, revision FROM (SELECT wanted.place, found.*, \
         sum(octet_length(payload)) OVER (ORDER BY wanted.place, id ROWS UNBOUNDED PRECEDING) - octet_length(payload) AS before \
         FROM json_to_recordset((" wanted: String as Text,
        ")::json) AS wanted(place integer, grp text, after bigint, units bigint) CROSS JOIN LATERAL (\
         SELECT id, key, payload, attempts, crashes, revision FROM units WHERE job_id = " job: i64 as BigInt,
        " AND units.grp = wanted.grp AND id > wanted.after AND id <= " last: i64 as BigInt,
        " AND status = 'pending' AND not_before IS NULL AND EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = units.job_id \
         AND ranges.first <= units.seq AND ranges.last >= units.seq AND ranges.manager = " manager: String as Text,
        ") ORDER BY id LIMIT wanted.units) AS found) AS page WHERE before < " bytes: i64 as BigInt,
    }
    " ORDER BY place, id" -> (Integer, BigInt, Nullable<Text>, Text, BigInt, BigInt, BigInt)
}

statement! {
    struct FreshOfNone {
        "SELECT id, key, payload, attempts, crashes, revision FROM units WHERE (outdated IS NOT NULL OR kind IS NOT NULL) AND id > "
            after: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " AND status = 'pending' AND not_before IS NULL AND grp IS NULL ORDER BY id LIMIT " limit: i64 as BigInt,
    }
    "" -> UnitColumns
}

statement! {
    struct DueOfGroups {
        "SELECT id, key, payload, attempts, crashes, units.revision, checkpoint, EXISTS (SELECT 1 FROM attempts \
         WHERE attempts.unit_id = units.id AND cause = 'postponed'), not_before = 0, grp FROM units LEFT JOIN unit_notes ON unit_id = id \
         WHERE not_before IS NOT NULL AND units.job_id = " job: i64 as BigInt,
        " AND not_before <= " now: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " AND (" chosen: Option<String> as Nullable<Text>,
        " IS NULL OR id IN (SELECT value::bigint FROM json_array_elements_text((" is_chosen: Option<String> as Nullable<Text>,
        ")::json))) AND (grp IS NULL OR grp NOT IN (SELECT json_array_elements_text((" but: String as Text,
        ")::json))) AND EXISTS (SELECT 1 FROM ranges WHERE ranges.job_id = units.job_id AND ranges.first <= units.seq \
         AND ranges.last >= units.seq AND ranges.manager = " manager: String as Text,
        ") ORDER BY not_before, id LIMIT " limit: i64 as BigInt,
    }
    "" -> (UnitColumns, Nullable<Text>, Bool, Bool, Nullable<Text>)
}

type PlacedRow = (i32, i64, TextColumn, crate::store::columns::Checked<String>, i64, i64, i64);

/// Returns units of groups that wait for their first attempt, as [`Store::fresh_of_groups`](crate::store::Store::fresh_of_groups) does.
pub(in crate::store) fn fresh_of_groups(
    conn: &mut DbConnection,
    lease: Lease,
    wanted: &[(Option<&str>, Seq, usize)],
    last: i64,
    bytes: i64,
) -> Result<Vec<GroupPage>, Failure> {
    let after = |seq: Seq| UnitId::new(lease.job, seq).raw();
    let mut pages: Vec<GroupPage> = wanted.iter().map(|_| GroupPage { units: Vec::new(), is_last: true }).collect();
    let named = wanted.iter().enumerate().filter_map(|(place, (group, seq, units))| {
        Some(json!({ "place": place, "grp": (*group)?, "after": after(*seq), "units": units }))
    });
    let named: Vec<_> = named.collect();
    let mut held = 0;
    if !named.is_empty() {
        let wanted = serde_json::Value::from(named).to_string();
        let (job, manager) = (lease.job.0, lease.manager.to_string());
        let rows: Vec<PlacedRow> = FreshOfGroups { wanted, job, last, manager, bytes: bytes.max(1) }.load(conn)?;
        for (place, id, key, payload, attempts, crashes, revision) in rows {
            held += i64::try_from(payload.shown().len()).unwrap_or(0);
            let page = usize::try_from(place).ok().and_then(|place| pages.get_mut(place));
            let page = page.ok_or(StoreError::JobNotFound(lease.job))?;
            page.units.push(unit((id, key, payload, attempts, crashes, revision))?);
        }
    }
    for (page, (group, seq, units)) in pages.iter_mut().zip(wanted) {
        if group.is_none() {
            let rows: Vec<UnitRow> = FreshOfNone { after: after(*seq), last, limit: *units as i64 }.load(conn)?;
            page.units = rows.into_iter().map(unit).collect::<Result<_, _>>()?;
        }
        // What was cut off for its size may have been of any of them.
        page.is_last = page.units.len() < *units && held < bytes;
    }
    Ok(pages)
}

/// Returns units that came back and are due, each with its group; claims those before that belong to nobody.
pub(in crate::store) fn due_of_groups(
    conn: &mut DbConnection,
    lease: Lease,
    now: Timestamp,
    reach: &Reach,
    limit: i64,
    but: String,
) -> Result<Vec<(DueRow, TextColumn)>, Failure> {
    adopt_due(conn, lease, now, reach, limit)?;
    let (job, now, last) = (lease.job.0, now.as_micros(), UnitId::new(lease.job, reach.last()).raw());
    let (chosen, manager) = (reach.chosen(lease.job), lease.manager.to_string());
    let due = DueOfGroups { job, now, last, chosen: chosen.clone(), is_chosen: chosen, but, manager, limit };
    let rows: Vec<(UnitRow, TextColumn, bool, bool, TextColumn)> = due.load(conn)?;
    Ok(rows.into_iter().map(|(row, kept, was, is, group)| ((row, kept, was, is), group)).collect())
}
