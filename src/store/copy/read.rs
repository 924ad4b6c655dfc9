//! Reading all of a job, to be written elsewhere.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::result::Error::DeserializationError;

use super::rows::{
    AttemptColumns, FlagColumns, GroupColumns, JobColumns, KindColumns, MadePathColumns, ManagerColumns,
    MetadataColumns, MeterColumns, NoteColumns, SpecColumns, SpendColumns, Text, UnitColumns,
};
use crate::model::{JobId, Limits, Row, UnitId, Unreadable};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::flagged::are_there;
use crate::store::jobs::job_row;
use crate::store::metadata::key;
use crate::store::schema::{
    attempts, failure_kinds, flags, jobs, made_paths, managers, metadata as texts, meters, specs, spends, unit_groups,
    unit_notes, units,
};
use crate::store::{Store, StoreError};

/// Texts that say nothing about a copy: nobody has stopped it, and whoever goes on with what a signal stopped leaves it alone.
const OF_ITS_OWN: [&str; 5] = [key::WAITS, key::STOPPING, key::STOPPED_BY_SIGNAL, key::COPIED_FROM, key::MOVED_TO];
/// Units that are read at a time.
const PAGE: i64 = 1_000;
/// Bytes after which fewer are read; a unit may be larger by itself.
const PAGE_BYTES: usize = 8 << 20;

/// A part of a job that is copied.
pub enum CopiedPart {
    /// The job, which is the first part.
    Job(Box<CopiedJob>),
    /// The units that follow.
    Units(CopiedUnits),
}

/// A job without its units.
#[derive(Clone)]
pub struct CopiedJob {
    pub(super) row: JobColumns,
    pub(super) spec: SpecColumns,
    pub(super) texts: Vec<MetadataColumns>,
    pub(super) managers: Vec<ManagerColumns>,
    pub(super) meters: Vec<MeterColumns>,
    pub(super) groups: Vec<GroupColumns>,
}

/// A page of units and what belongs to them.
pub struct CopiedUnits {
    pub(super) units: Vec<UnitColumns>,
    pub(super) attempts: Vec<AttemptColumns>,
    pub(super) notes: Vec<NoteColumns>,
    pub(super) kinds: Vec<KindColumns>,
    pub(super) made: Vec<MadePathColumns>,
    pub(super) spends: Vec<SpendColumns>,
    pub(super) flags: Vec<FlagColumns>,
    /// The group of each unit that has one.
    pub(super) groups: Vec<(i64, Text)>,
}

impl Store {
    /// Reads all of a job on one snapshot, and hands it on part by part.
    ///
    /// # Errors
    /// When a row cannot be read, by its name, and as `each` fails.
    pub fn read_to_copy(
        &mut self,
        job: JobId,
        mut each: impl FnMut(CopiedPart) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.read("read the job", |conn| {
            let whole = read_job(conn, job)?;
            // A database of an older version has no tables for what no job of it counts.
            let limits = job_row(conn, job)?.limits;
            let has =
                Has { meters: !limits.meters.is_empty(), groups: limits.groups.is_some(), flags: are_there(conn)? };
            each(CopiedPart::Job(Box::new(whole)))?;
            let [first, last] = UnitId::ends_of(job);
            let mut after = first - 1;
            loop {
                let page = read_units(conn, after, last, has)?;
                let Some(unit) = page.units.last() else { return Ok(()) };
                after = unit.id;
                each(CopiedPart::Units(page))?;
            }
        })
    }
}

/// What there is to be read of the units of a job besides what all have.
#[derive(Debug, Clone, Copy)]
struct Has {
    meters: bool,
    groups: bool,
    flags: bool,
}

fn groups_between(conn: &mut DbConnection, job: Row, after: i64, next: i64) -> Result<Vec<(i64, Text)>, Failure> {
    let grouped = units::table.filter(units::id.gt(after).and(units::id.lt(next))).filter(units::grp.is_not_null());
    let rows = grouped.select((units::id, units::grp.assume_not_null())).load(conn);
    rows.map_err(|error| unreadable(job, "group", error))
}

fn read_job(conn: &mut DbConnection, job: JobId) -> Result<CopiedJob, Failure> {
    let known = job_row(conn, job)?;
    let place = Row::Job(job);
    let select = jobs::table.find(job.0).select(JobColumns::as_select());
    let mut row = select.first(conn).map_err(|error| unreadable(place, "row", error))?;
    let spec = specs::table.find(job.0).select(SpecColumns::as_select()).first(conn);
    let spec = spec.map_err(|error| unreadable(place, "row in specs", error))?;
    let of_job = meters::table.filter(meters::job_id.eq(job.0)).select(MeterColumns::as_select());
    let rows = if known.limits.meters.is_empty() { Ok(Vec::new()) } else { of_job.load(conn) };
    let meters = rows.map_err(|error| unreadable(place, "row in meters", error))?;
    let of_job = unit_groups::table.filter(unit_groups::job_id.eq(job.0)).select(GroupColumns::as_select());
    let rows = if known.limits.groups.is_none() { Ok(Vec::new()) } else { of_job.load(conn) };
    let groups = rows.map_err(|error| unreadable(place, "row in unit_groups", error))?;
    // The number of another job means nothing elsewhere.
    if known.limits.after.is_some() {
        let limits = Limits { after: None, ..known.limits };
        row.limits = Text(serde_json::to_string(&limits).expect("limits are numbers and words"));
    }
    let of_job = texts::table.filter(texts::job_id.eq(job.0));
    let of_job = of_job.filter(texts::key.ne_all(OF_ITS_OWN));
    let texts = of_job.select(MetadataColumns::as_select()).load(conn);
    let texts = texts.map_err(|error| unreadable(place, "row in metadata", error))?;
    let of_job = managers::table.filter(managers::job_id.eq(job.0));
    let managers = of_job.select(ManagerColumns::as_select()).load(conn);
    let managers = managers.map_err(|error| unreadable(place, "row in managers", error))?;
    Ok(CopiedJob { row, spec, texts, managers, meters, groups })
}

fn read_units(conn: &mut DbConnection, after: i64, last: i64, has: Has) -> Result<CopiedUnits, Failure> {
    let mut found = Vec::new();
    let (mut bytes, mut next) = (0, after + 1);
    let page = units::table.filter(units::id.gt(after).and(units::id.le(last))).order(units::id).limit(PAGE);
    for unit in page.select(UnitColumns::as_select()).load_iter::<UnitColumns, DefaultLoadingMode>(conn)? {
        // Numbers have no gaps.
        let unit = unit.map_err(|error| unreadable(Row::Unit(UnitId::from_raw(next)), "row", error))?;
        let texts = [Some(&unit.payload), unit.result.as_ref(), unit.stdout.as_ref(), unit.stderr.as_ref()];
        bytes += texts.into_iter().flatten().map(|text| text.0.len()).sum::<usize>();
        next = unit.id + 1;
        found.push(unit);
        if bytes > PAGE_BYTES {
            break;
        }
    }
    let job = Row::Job(UnitId::from_raw(last).job());
    macro_rules! of_page {
        ($table:ident, $columns:ident) => {
            $table::table
                .filter($table::unit_id.gt(after).and($table::unit_id.lt(next)))
                .select($columns::as_select())
                .load(conn)
                .map_err(|error| unreadable(job, concat!("row in ", stringify!($table)), error))?
        };
    }
    Ok(CopiedUnits {
        attempts: of_page!(attempts, AttemptColumns),
        notes: of_page!(unit_notes, NoteColumns),
        kinds: of_page!(failure_kinds, KindColumns),
        made: of_page!(made_paths, MadePathColumns),
        spends: if has.meters { of_page!(spends, SpendColumns) } else { Vec::new() },
        flags: if has.flags { of_page!(flags, FlagColumns) } else { Vec::new() },
        groups: if has.groups { groups_between(conn, job, after, next)? } else { Vec::new() },
        units: found,
    })
}

/// Names the row that holds what is no text.
fn unreadable(row: Row, column: &'static str, error: diesel::result::Error) -> Failure {
    match error {
        DeserializationError(reason) => {
            let (value, reason) = ("no text".to_owned(), reason.to_string());
            StoreError::from(Unreadable { row, column, value, reason }).into()
        }
        error => error.into(),
    }
}
