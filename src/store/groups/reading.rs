//! Which units of each group a manager runs next.
//!
//! Those that wait for their first attempt are found behind a cursor of their group, in the index of groups; those that came back by
//! their time, without the groups of which none may start.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::page::GroupPage;
use crate::model::{Reach, Row, Seq, Timestamp, Unit, UnitId};
use crate::store::attempts::note_postponed;
use crate::store::columns::{TextColumn, text_of};
use crate::store::connection::on_server;
use crate::store::failure::Failure;
use crate::store::feed::{PageBound, bound, due_unit};
use crate::store::statement::statement;
use crate::store::unit_row::{DueRow, UnitColumns, UnitRow, unit};
use crate::store::{Lease, Store, StoreError, postgres};

statement! {
    pub(in crate::store) struct FreshOfGroup {
        "SELECT id, key, payload, attempts, crashes, revision FROM units INDEXED BY units_grouped WHERE job_id = " job: i64 as BigInt,
        " AND grp = " group: String as Text,
        " AND id > " after: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " AND status = 'pending' AND not_before IS NULL ORDER BY id LIMIT " limit: i64 as BigInt,
    }
    "" -> UnitColumns
}

statement! {
    // The one that a job ends with is of a kind, and those are few.
    pub(in crate::store) struct FreshOfNone {
        "SELECT id, key, payload, attempts, crashes, revision FROM units INDEXED BY units_marked \
         WHERE (outdated IS NOT NULL OR kind IS NOT NULL) AND id > " after: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " AND status = 'pending' AND not_before IS NULL AND grp IS NULL ORDER BY id LIMIT " limit: i64 as BigInt,
    }
    "" -> UnitColumns
}

statement! {
    pub(in crate::store) struct DueOfGroups {
        "SELECT id, key, payload, attempts, crashes, revision, checkpoint, EXISTS (SELECT 1 FROM attempts \
          WHERE attempts.unit_id = units.id AND cause = 'postponed'), not_before = 0, grp FROM units INDEXED BY units_waiting \
          LEFT JOIN unit_notes ON unit_notes.unit_id = units.id WHERE job_id = " job: i64 as BigInt,
        " AND not_before IS NOT NULL AND not_before <= " now: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " AND (" chosen: Option<String> as Nullable<Text>,
        " IS NULL OR id IN (SELECT value FROM json_each(" is_chosen: Option<String> as Nullable<Text>,
        "))) AND (grp IS NULL OR grp NOT IN (SELECT value FROM json_each(" but: String as Text,
        "))) ORDER BY not_before LIMIT " limit: i64 as BigInt,
    }
    "" -> (UnitColumns, Nullable<Text>, Bool, Bool, Nullable<Text>)
}

statement! {
    pub(in crate::store) struct NextDueAfter {
        ["SELECT min(not_before) FROM units INDEXED BY units_waiting WHERE not_before IS NOT NULL AND job_id = "
         "SELECT min(not_before) FROM units WHERE not_before IS NOT NULL AND job_id = "]
            job: i64 as BigInt,
        " AND not_before > " now: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " AND (" chosen: Option<String> as Nullable<Text>,
        [" IS NULL OR id IN (SELECT value FROM json_each("
         " IS NULL OR id IN (SELECT value::bigint FROM json_array_elements_text(("] is_chosen: Option<String> as Nullable<Text>,
    }
    [")))" ")::json)))"] -> Nullable<BigInt>
}

impl Store {
    /// Returns, for each of some groups, up to so many units behind a number, and up to `through`, that wait for their first attempt;
    /// `None` stands for the units without a group. After so many bytes in all no further ones.
    pub fn fresh_of_groups(
        &mut self,
        lease: Lease,
        wanted: &[(Option<&str>, Seq, usize)],
        through: Seq,
        bytes: usize,
    ) -> Result<Vec<GroupPage>, StoreError> {
        self.read("read waiting units", |conn| {
            let (job, last) = (lease.job, UnitId::new(lease.job, through).raw());
            if on_server(conn) {
                return postgres::fresh_of_groups(conn, lease, wanted, last, bound(bytes));
            }
            let (mut pages, mut held) = (Vec::new(), 0);
            for (group, after, units) in wanted {
                let (after, limit) = (UnitId::new(job, *after).raw(), bound(*units));
                let mut page = GroupPage { units: Vec::new(), is_last: held < bytes };
                if page.is_last {
                    let mut take = |row: Result<UnitRow, diesel::result::Error>| -> Result<bool, Failure> {
                        let unit = unit(row?)?;
                        held += unit.bytes();
                        page.units.push(unit);
                        Ok(page.units.len() >= *units || held >= bytes)
                    };
                    let mut is_cut = false;
                    // Row by row: a page of long items is not to be in memory before it is cut.
                    match group {
                        Some(group) => {
                            let found = FreshOfGroup { job: job.0, group: (*group).to_owned(), after, last, limit };
                            for row in found.load_iter::<UnitRow, DefaultLoadingMode>(conn)? {
                                is_cut = take(row)?;
                                if is_cut {
                                    break;
                                }
                            }
                        }
                        None => {
                            let found = FreshOfNone { after, last, limit };
                            for row in found.load_iter::<UnitRow, DefaultLoadingMode>(conn)? {
                                is_cut = take(row)?;
                                if is_cut {
                                    break;
                                }
                            }
                        }
                    }
                    page.is_last = !is_cut;
                }
                pages.push(page);
            }
            Ok(pages)
        })
    }

    /// Returns units that came back and are due, as [`Store::due_units`] does, each with its group; none of the groups `but`.
    pub fn due_of_groups(
        &mut self,
        lease: Lease,
        now: Timestamp,
        reach: &Reach,
        limit: PageBound,
        but: &[String],
    ) -> Result<Vec<(Unit, Option<String>)>, StoreError> {
        let but = serde_json::to_string(but).expect("texts have a form in JSON");
        let read = |rows: &mut dyn Iterator<Item = Result<(DueRow, TextColumn), Failure>>| {
            let (mut found, mut groups, mut bytes) = (Vec::new(), Vec::new(), 0);
            for row in rows {
                let (row, group) = row?;
                let unit = due_unit(row)?;
                groups.push(text_of(group, Row::Unit(unit.0.id), "grp")?);
                bytes += unit.0.bytes();
                found.push(unit);
                if bytes >= limit.bytes {
                    break;
                }
            }
            Ok::<_, Failure>((found, groups))
        };
        if on_server(&mut self.conn) {
            return self.write_under(lease, "claim units", |conn, _| {
                let rows = postgres::due_of_groups(conn, lease, now, reach, bound(limit.units), but.clone())?;
                let (mut found, groups) = read(&mut rows.into_iter().map(Ok))?;
                note_postponed(conn, &mut found)?;
                Ok(found.into_iter().map(|(unit, _)| unit).zip(groups).collect())
            });
        }
        self.read("read waiting units", |conn| {
            let (job, now, last) = (lease.job.0, now.as_micros(), UnitId::new(lease.job, reach.last()).raw());
            let (chosen, limit) = (reach.chosen(lease.job), bound(limit.units));
            let page =
                DueOfGroups { job, now, last, chosen: chosen.clone(), is_chosen: chosen, but: but.clone(), limit };
            type Found = (UnitRow, TextColumn, bool, bool, TextColumn);
            let rows = page.load_iter::<Found, DefaultLoadingMode>(conn)?;
            let mut rows = rows
                .map(|row| row.map(|(row, kept, was, is, group)| ((row, kept, was, is), group)).map_err(Into::into));
            let (mut found, groups) = read(&mut rows)?;
            drop(rows);
            note_postponed(conn, &mut found)?;
            Ok(found.into_iter().map(|(unit, _)| unit).zip(groups).collect())
        })
    }

    /// Returns the earliest time after `now` at which one of them may run.
    pub fn next_due_after(
        &mut self,
        lease: Lease,
        now: Timestamp,
        reach: &Reach,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.read("read waiting units", |conn| {
            let (job, now, last) = (lease.job.0, now.as_micros(), UnitId::new(lease.job, reach.last()).raw());
            let chosen = reach.chosen(lease.job);
            let next = NextDueAfter { job, now, last, chosen: chosen.clone(), is_chosen: chosen };
            let due: Option<i64> = next.get_result(conn)?;
            Ok(due.map(Timestamp::from_micros))
        })
    }
}
