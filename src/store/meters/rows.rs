//! The row of each meter, and how amounts stand in columns.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::model::{Amount, Costs, JobId, Row, Spending, Timestamp, Unreadable};
use crate::store::columns::{Checked, Json};
use crate::store::connection::{Db, DbConnection};
use crate::store::failure::Failure;
use crate::store::schema::meters;
use crate::store::statement::statement;

statement! {
    struct PutMeter<'a> {
        "INSERT INTO meters (job_id, name, spent, unmetered, day_start, before_day, costs) VALUES (" job: i64 as BigInt,
        ", " name: &'a str as Text,
        ", " spent: i64 as BigInt,
        ", " unmetered: i64 as BigInt,
        ", " day_start: i64 as BigInt,
        ", " before_day: i64 as BigInt,
        ", " costs: String as Text,
    }
    ") ON CONFLICT (job_id, name) DO UPDATE SET spent = excluded.spent, unmetered = excluded.unmetered, \
     day_start = excluded.day_start, before_day = excluded.before_day, costs = excluded.costs"
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = meters, check_for_backend(Db))]
struct MeterRow {
    name: Checked<String>,
    spent: i64,
    unmetered: i64,
    day_start: i64,
    before_day: i64,
    costs: Checked<Json<Costs>>,
}

/// Reads what the meters of a job have counted, inside a transaction.
pub(in crate::store) fn spending(conn: &mut DbConnection, job: JobId) -> Result<Vec<Spending>, Failure> {
    let of_job = meters::table.filter(meters::job_id.eq(job.0)).order(meters::name);
    let rows: Vec<MeterRow> = of_job.select(MeterRow::as_select()).load(conn)?;
    let read = |row: MeterRow| {
        let place = Row::Job(job);
        Ok(Spending {
            name: row.name.of(place, "name in meters")?,
            spent: known(row.spent),
            unmetered: row.unmetered.unsigned_abs(),
            day_start: Timestamp::from_micros(row.day_start),
            before_day: known(row.before_day),
            costs: row.costs.of(place, "costs in meters")?.0,
        })
    };
    Ok(rows.into_iter().map(read).collect::<Result<_, Unreadable>>()?)
}

pub(super) fn put(conn: &mut DbConnection, job: JobId, row: &Spending) -> Result<(), Failure> {
    PutMeter {
        job: job.0,
        name: &row.name,
        spent: row.spent.millionths(),
        unmetered: i64::try_from(row.unmetered).unwrap_or(i64::MAX),
        day_start: row.day_start.as_micros(),
        before_day: row.before_day.millionths(),
        costs: json(&row.costs),
    }
    .execute(conn)?;
    Ok(())
}

pub(super) fn row_of<'a>(rows: &'a mut Vec<Spending>, name: &str) -> &'a mut Spending {
    let place = rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
        rows.push(Spending::none(name));
        rows.len() - 1
    });
    &mut rows[place]
}

pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("numbers and texts have a form in JSON")
}

/// Returns an amount of a column, which the schema keeps from being negative.
pub(super) fn known(millionths: i64) -> Amount {
    Amount::from_millionths(millionths).unwrap_or_default()
}
