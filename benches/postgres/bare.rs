//! The limits of the server: the same rows without Job Manager, in few statements of many units.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};

/// Units that one transaction claims and records.
const TOGETHER: i64 = 1_000;
const JOB: i64 = 1;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

pub fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).expect("the server answers")
}

/// Returns what a query with one number says.
pub fn number(conn: &mut PgConnection, sql: &str) -> i64 {
    diesel::sql_query(sql).get_result::<Number>(conn).expect("it is one number").number
}

/// Adds a job with so many units to the tables that Job Manager makes, so that both pay for the same rows, checks and indexes.
fn prepare(conn: &mut PgConnection, units: i64) {
    conn.batch_execute(&format!(
        "INSERT INTO jobs (id, uid, name, handler, limits, status, epoch, revision, claimed_through, total, pending, running, \
         completed, failed, skipped, cancelled, created_at, started_at) \
         VALUES ({JOB}, 'u', 'bare', 'nothing', '{{}}', 'running', 1, 0, 0, {units}, {units}, 0, 0, 0, 0, 0, 1, 1); \
         INSERT INTO units (status, attempts, crashes, id, payload) \
         SELECT 'pending', 0, 0, ({JOB}::bigint << 32) + n, n::text FROM generate_series(1, {units}) AS n; \
         CREATE TABLE bare (client bigint PRIMARY KEY, completed bigint NOT NULL) WITH (fillfactor = 50); \
         ANALYZE units"
    ))
    .expect("the tables are there");
}

/// Times the claims and ends of units by so many clients: a range of a thousand by one update of the job, their ends by another
/// of all of them, and a row of each client's own as its fence.
pub fn record(url: &str, units: i64, clients: usize) -> Duration {
    prepare(&mut connect(url), units);
    in_parallel(clients, |client, start| {
        let mut conn = connect(url);
        conn.batch_execute(&format!("INSERT INTO bare VALUES ({client}, 0)")).expect("the table is there");
        start.wait();
        loop {
            let claim = format!(
                "UPDATE jobs SET claimed_through = claimed_through + {TOGETHER} WHERE id = {JOB} RETURNING claimed_through AS number"
            );
            let last = number(&mut conn, &claim);
            if last - TOGETHER >= units {
                return;
            }
            let ids: Vec<i64> = (last - TOGETHER + 1..=last.min(units)).map(|seq| (JOB << 32) + seq).collect();
            conn.transaction(|conn| {
                let ended = diesel::sql_query(
                    "UPDATE units SET status = 'completed', attempts = 1, started_at = 1, finished_at = 2, exit_code = 0 \
                     FROM unnest($1) AS v(id) WHERE units.id = v.id AND status = 'pending' AND attempts = 0 AND revision = 0",
                )
                .bind::<Array<BigInt>, _>(ids)
                .execute(conn)?;
                conn.batch_execute(&format!("UPDATE bare SET completed = completed + {ended} WHERE client = {client}"))
            })
            .expect("nobody else has these units");
        }
    })
}

/// Times the insertion of units by COPY, ten thousand in a transaction.
pub fn insert(url: &str, units: i64) -> Duration {
    let mut conn = connect(url);
    prepare(&mut conn, 0);
    let began = Instant::now();
    for first in (1..=units).step_by(10_000) {
        let rows: String = (first..(first + 10_000).min(units + 1))
            .map(|seq| format!("{}\t\"{seq}\"\tpending\t0\t0\n", (JOB << 32) + seq))
            .collect();
        copy(&mut conn, rows.as_bytes());
    }
    began.elapsed()
}

fn copy(conn: &mut PgConnection, rows: &[u8]) {
    use diesel::pg::CopyFormat;
    let copied = diesel::copy_from(units::table)
        .from_raw_data((units::id, units::payload, units::status, units::attempts, units::crashes), |out| {
            std::io::Write::write_all(out, rows)
                .map_err(|error| diesel::result::Error::SerializationError(error.into()))
        })
        .with_format(CopyFormat::Text)
        .execute(conn);
    copied.expect("the rows fit");
}

diesel::table! {
    units (id) {
        id -> BigInt,
        payload -> Text,
        status -> Text,
        attempts -> BigInt,
        crashes -> BigInt,
    }
}

/// Runs clients at the same time, and returns the time from their common start until the last has ended.
pub fn in_parallel(clients: usize, client: impl Fn(usize, &Barrier) + Sync) -> Duration {
    let start = Barrier::new(clients + 1);
    std::thread::scope(|threads| {
        let running: Vec<_> = (0..clients)
            .map(|number| {
                let (client, start) = (&client, &start);
                threads.spawn(move || client(number, start))
            })
            .collect();
        start.wait();
        let began = Instant::now();
        running.into_iter().for_each(|client| client.join().expect("a client"));
        began.elapsed()
    })
}

/// Has a transaction that somebody forgot keep old versions of all rows while `body` runs.
pub fn with_held_horizon<T>(url: &str, body: impl FnOnce() -> T) -> T {
    let mut conn = connect(url);
    conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM jobs").expect("it can be read");
    let value = body();
    conn.batch_execute("COMMIT").expect("it was not ended");
    value
}

/// Adds rows of managers to a job, as so many hosts leave them.
pub fn add_managers(url: &str, job: i64, managers: usize) {
    let sql = format!(
        "INSERT INTO managers (job_id, number, uid, state, host, boot_id, pid, start_ticks, version, heartbeat_at, started_at, \
         lease_until, workers, running, rate) SELECT {job}, 1000 + n, 'bench-' || n, 'live', 'host-' || n, gen_random_uuid()::text, n, 1, '0', \
         1, 1, 4000000000000000, 8, 8, 1.0 FROM generate_series(1, {managers}) AS n"
    );
    connect(url).batch_execute(&sql).expect("the table is there");
}

/// Returns how many transactions the server has ended in this database.
pub fn transactions(url: &str) -> i64 {
    let mut conn = connect(url);
    // What a session has counted is told when it is idle for a second.
    number(
        &mut conn,
        "SELECT xact_commit + xact_rollback AS number FROM pg_stat_database WHERE datname = current_database()",
    )
}
