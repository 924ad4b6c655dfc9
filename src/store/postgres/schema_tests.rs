//! The schema of PostgreSQL says what the code and the schema of SQLite say, and leaves a page's room where that matters.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::postgres_server::Server;
use crate::without::without_tool;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// What SQLite does not have.
const OWN: [&str; 10] = [
    "jobs.failures -> BigInt,",
    "managers.granted -> Nullable<BigInt>,",
    "managers.lease_until -> Nullable<BigInt>,",
    "managers.pending_shift -> BigInt,",
    "managers.running_shift -> BigInt,",
    "managers.completed_shift -> BigInt,",
    "managers.failed_shift -> BigInt,",
    "managers.skipped_shift -> BigInt,",
    "managers.cancelled_shift -> BigInt,",
    "managers.failures_shift -> BigInt,",
];
const OWN_TABLES: [&str; 2] = ["job_counters", "ranges"];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut PgConnection, query: &str) -> Vec<String> {
    diesel::sql_query(query).load::<Line>(conn).unwrap().into_iter().map(|row| row.line).collect()
}

#[test]
fn the_table_definitions_are_those_of_the_server_too() {
    let Some(server) = Server::shared() else { return without_tool("postgres") };
    let mut conn = PgConnection::establish(&server.database()).unwrap();
    let query = "SELECT table_name || '.' || column_name || ' -> ' || CASE is_nullable WHEN 'YES' THEN 'Nullable<' ELSE '' END \
         || CASE data_type WHEN 'bigint' THEN 'BigInt' WHEN 'text' THEN 'Text' WHEN 'double precision' THEN 'Double' \
            ELSE data_type END || CASE is_nullable WHEN 'YES' THEN '>,' ELSE ',' END AS line \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%' \
         ORDER BY table_name COLLATE \"C\", ordinal_position";
    let mut table = "";
    let mut expected = Vec::new();
    for line in include_str!("../schema.rs").lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [name, .., "{"] if line.starts_with("    ") => table = name,
            [_, "->", _] => expected.push(format!("{table}.{}", line.trim())),
            _ => {}
        }
    }

    let found = lines(&mut conn, query);

    let is_own = |line: &String| OWN.contains(&line.as_str()) || OWN_TABLES.contains(&line.split('.').next().unwrap());
    let shared: Vec<String> = found.iter().filter(|line| !is_own(line)).cloned().collect();
    assert_eq!(shared, expected);
    assert!(OWN.iter().all(|own| found.iter().any(|line| line == own)), "{found:?}");
}

#[test]
fn the_checks_are_those_of_sqlite() {
    let words = |sql: &str, start: &str| -> Vec<String> {
        let list = sql.split(start).nth(1).unwrap_or_else(|| panic!("{start}")).split(')').next().unwrap();
        list.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let here = include_str!("../../../migrations/postgres/2026-11-26-000001-0000_jobs/up.sql");
    let jobs = include_str!("../../../migrations/sqlite/2026-11-24-000001-0000_jobs/up.sql");
    let managers = include_str!("../../../migrations/sqlite/2026-11-26-000006-0000_managers/up.sql");

    let causes = [
        include_str!("../../../migrations/postgres/2026-11-27-000009-0000_causes/up.sql"),
        include_str!("../../../migrations/sqlite/2026-11-27-000009-0000_causes/up.sql"),
    ];

    for start in ["CHECK (status IN", "CHECK (status =", "stop_request IN ("] {
        assert_eq!(words(here, start), words(jobs, start), "{start}");
    }
    let [here_too, there] = causes.map(|sql| words(sql, "CHECK (cause IN ("));
    assert_eq!(here_too, there);
    assert_eq!(words(here, "CHECK (state IN ("), words(managers, "CHECK (state IN ("));
}

#[test]
fn the_migrations_can_be_undone_and_done_again() {
    let Some(server) = Server::shared() else { return without_tool("postgres") };
    let mut conn = PgConnection::establish(&server.database()).unwrap();
    let parts = "SELECT relname::text || relkind::text AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace \
         AND relname NOT LIKE '\\_\\_%' ORDER BY 1";
    let before = lines(&mut conn, parts);

    conn.revert_all_migrations(MIGRATIONS).unwrap();
    assert_eq!(lines(&mut conn, parts), Vec::<String>::new());
    conn.run_pending_migrations(MIGRATIONS).unwrap();

    assert_eq!(lines(&mut conn, parts), before);
}

#[derive(QueryableByName)]
struct Updates {
    #[diesel(sql_type = BigInt)]
    all: i64,
    #[diesel(sql_type = BigInt)]
    hot: i64,
}

#[test]
fn a_unit_that_starts_and_completes_writes_into_no_index() {
    let Some(server) = Server::shared() else { return without_tool("postgres") };
    let mut conn = PgConnection::establish(&server.database()).unwrap();
    let units = "INSERT INTO units (id, payload, status, attempts, crashes) \
         SELECT (1::bigint << 32) + n, '{\"item\": ' || n || '}', 'pending', 0, 0 FROM generate_series(1, 2000) AS n";
    conn.batch_execute(units).unwrap();
    let end = "UPDATE units SET status = 'completed', attempts = 1, crashes = 0, not_before = NULL, started_at = 1, finished_at = 2, \
         exit_code = 0, signal = NULL, error = NULL, result = '1', stdout = 'done', stderr = '' WHERE status = 'pending'";

    // Both are of this transaction, so that no report of another process is waited for.
    conn.batch_execute(&format!("BEGIN; {end}")).unwrap();
    let counts = "SELECT n_tup_upd AS all, n_tup_hot_upd AS hot FROM pg_stat_xact_user_tables WHERE relname = 'units'";
    let updates: Updates = diesel::sql_query(counts).get_result(&mut conn).unwrap();

    assert_eq!(updates.all, 2000);
    assert!(updates.hot >= 1800, "{} of {} stayed in their page", updates.hot, updates.all);
}
