//! Who holds back the horizon before which rows that are dead are removed.
//!
//! As long as one does, every change of a unit leaves a row behind, and whoever reads the table steps over all of them.

use std::time::Duration;

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::model::Timestamp;

/// What holds the horizon back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderKind {
    /// The transaction of a session; its name is the number of its process.
    Session,
    /// A prepared transaction, which outlives its session; its name is its identifier.
    Prepared,
    /// A replication slot that somebody reads.
    Slot,
    /// A replication slot that nobody reads: it keeps the log of changes too, until the disk is full.
    UnusedSlot,
}

/// One who holds the horizon back.
#[derive(Debug, Clone)]
pub struct HorizonHolder {
    /// What it is.
    pub kind: HolderKind,
    /// Its name.
    pub name: String,
    /// What the program calls itself, of a session.
    pub application: Option<String>,
    /// Whose it is.
    pub role: Option<String>,
    /// Since when, and for how long by the server's clock; unknown of a slot.
    pub since: Option<(Timestamp, Duration)>,
    /// Transactions that have begun meanwhile.
    pub transactions: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    application: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    role: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    since_us: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    for_us: Option<i64>,
    #[diesel(sql_type = BigInt)]
    transactions: i64,
    #[diesel(sql_type = Bool)]
    is_active: bool,
}

// A vacuum does not hold others back. Sessions of other databases hold back nothing here, standbys do wherever they are.
const HOLDERS: &str = "
SELECT kind, name, application, role, (extract(epoch FROM since) * 1000000)::bigint AS since_us,
       (extract(epoch FROM clock_timestamp() - since) * 1000000)::bigint AS for_us, coalesce(transactions, 0)::bigint AS transactions,
       is_active
  FROM (SELECT 'session' AS kind, pid::text AS name, application_name AS application, usename::text AS role, xact_start AS since,
               greatest(age(backend_xmin), age(backend_xid)) AS transactions, true AS is_active
          FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND leader_pid IS NULL AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
           AND backend_type <> 'autovacuum worker' AND (datname = current_database() OR backend_type = 'walsender')
        UNION ALL
        SELECT 'prepared', gid, NULL, owner::text, prepared, age(transaction), true
          FROM pg_prepared_xacts WHERE database = current_database()
        UNION ALL
        SELECT 'slot', slot_name::text, NULL, NULL, NULL, greatest(age(xmin), age(catalog_xmin)), active
          FROM pg_replication_slots
         WHERE NOT temporary AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL OR restart_lsn IS NOT NULL)) AS holders
 ORDER BY since NULLS LAST, transactions DESC";

/// Returns who holds the horizon back at the moment, the oldest first.
pub(super) fn holders(conn: &mut PgConnection) -> QueryResult<Vec<HorizonHolder>> {
    let rows: Vec<Row> = sql_query(HOLDERS).load(conn)?;
    Ok(rows.into_iter().map(holder).collect())
}

fn holder(row: Row) -> HorizonHolder {
    let kind = match (row.kind.as_str(), row.is_active) {
        ("session", _) => HolderKind::Session,
        ("prepared", _) => HolderKind::Prepared,
        (_, true) => HolderKind::Slot,
        (_, false) => HolderKind::UnusedSlot,
    };
    let since = row.since_us.zip(row.for_us).map(|(since, span)| {
        (Timestamp::from_micros(since), Duration::from_micros(u64::try_from(span).unwrap_or_default()))
    });
    HorizonHolder {
        kind,
        name: row.name,
        application: row.application.filter(|name| !name.is_empty()),
        role: row.role,
        since,
        transactions: row.transactions,
    }
}
