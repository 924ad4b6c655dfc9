//! Many units in one statement.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use crate::model::{JobId, NewUnit, Seq, UnitId};
use crate::store::SameKey;
use crate::store::StoreError;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Inserts units behind the last one, and returns the number of the last one then. The caller has locked the job.
pub(in crate::store) fn insert(
    conn: &mut DbConnection,
    job: JobId,
    last: i64,
    units: &[NewUnit],
    same_key: SameKey,
) -> Result<i64, Failure> {
    let DbConnection::Postgres(conn) = conn else { unreachable!("only a server gets units in groups") };
    let mut taken = taken(conn, job, units)?;
    let (mut ids, mut keys, mut payloads, mut groups, mut end) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), last);
    for unit in units {
        if let Some(key) = unit.key.as_deref() {
            match (taken.get(key), same_key) {
                (Some(first), SameKey::Refuse) => {
                    let (first, second) = (Seq(*first), Seq(end + 1));
                    return Err(StoreError::DuplicateUnitKey { first, second, key: key.to_owned() }.into());
                }
                (Some(_), SameKey::LeaveOut) => continue,
                (None, _) => drop(taken.insert(key.to_owned(), end + 1)),
            }
        }
        if end >= Seq::MAX.0 {
            return Err(StoreError::TooManyUnits { job, limit: Seq::MAX.0 }.into());
        }
        end += 1;
        ids.push(UnitId::new(job, Seq(end)).raw());
        keys.push(unit.key.as_deref());
        payloads.push(unit.payload.as_str());
        groups.push(unit.group.as_deref());
    }
    if ids.is_empty() {
        return Ok(end);
    }
    diesel::sql_query(
        "INSERT INTO units (status, attempts, crashes, id, key, payload, grp) \
         SELECT 'pending', 0, 0, v.id, v.key, v.payload, v.grp FROM unnest($1, $2, $3, $4) AS v(id, key, payload, grp)",
    )
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<Nullable<Text>>, _>(keys)
    .bind::<Array<Text>, _>(payloads)
    .bind::<Array<Nullable<Text>>, _>(groups)
    .execute(conn)?;
    Ok(end)
}

/// Returns which keys of some units others of the job have.
fn taken(conn: &mut PgConnection, job: JobId, units: &[NewUnit]) -> QueryResult<HashMap<String, i64>> {
    let keys: HashSet<&str> = units.iter().filter_map(|unit| unit.key.as_deref()).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<Taken> = diesel::sql_query("SELECT key, seq FROM units WHERE job_id = $1 AND key = ANY ($2)")
        .bind::<BigInt, _>(job.0)
        .bind::<Array<Text>, _>(keys.into_iter().collect::<Vec<_>>())
        .load(conn)?;
    Ok(found.into_iter().map(|row| (row.key, row.seq)).collect())
}
