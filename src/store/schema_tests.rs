//! The schema says what the code says: generated table definitions, words of states, transitions, migrations.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::counters::ShiftCounters;
use super::create::{InsertNameless, InsertUnit};
use super::feed::{DueUnits, FreshUnits, NextDue, RunningUnits};
use super::record::StartUnit;
use super::{Access, Store};
use crate::model::{Cause, JobStatus, ManagerState, StopRequest, UnitStatus};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(store: &mut Store, query: &str) -> Vec<String> {
    diesel::sql_query(query).load::<Line>(&mut store.conn).unwrap().into_iter().map(|row| row.line).collect()
}

fn store(dir: &tempfile::TempDir) -> Store {
    Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap()
}

#[test]
fn the_table_definitions_are_those_of_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(&dir);
    let generated = include_str!("schema.rs");

    let tables = [
        "attempts",
        "failure_kinds",
        "flags",
        "jobs",
        "made_paths",
        "managers",
        "metadata",
        "meters",
        "settings",
        "specs",
        "spends",
        "totals",
        "unit_groups",
        "unit_notes",
        "units",
    ];
    for table in tables {
        let query = format!(
            "SELECT name || ' ' || type || ' ' || (\"notnull\" = 0 AND pk = 0) AS line FROM pragma_table_xinfo('{table}')"
        );
        let expected: Vec<String> = lines(&mut store, &query)
            .iter()
            .map(|line| {
                let parts: Vec<&str> = line.split(' ').collect();
                let sql_type = match parts[1] {
                    "INTEGER" => "BigInt",
                    "REAL" => "Double",
                    _ => "Text",
                };
                let nullable = parts.last() == Some(&"1");
                let sql_type = if nullable { format!("Nullable<{sql_type}>") } else { sql_type.to_owned() };
                format!("        {} -> {sql_type},", parts[0])
            })
            .collect();
        let body = generated.split(&format!("    {table} (")).nth(1).unwrap().split("    }\n").next().unwrap();
        let found: Vec<&str> = body.lines().skip(1).collect();

        assert_eq!(found, expected, "{table}");
    }
}

#[test]
fn the_checks_know_exactly_the_words_of_the_code() {
    let sql = include_str!("../../migrations/sqlite/2026-11-24-000001-0000_jobs/up.sql");
    let words_in = |sql: &str, start: &str| -> Vec<String> {
        let list = sql.split(start).nth(1).unwrap().split(')').next().unwrap();
        list.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let words_after = |start: &str| words_in(sql, start);
    let managers = include_str!("../../migrations/sqlite/2026-11-26-000006-0000_managers/up.sql");
    let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let of = |all: Vec<&'static str>| texts(&all);

    assert_eq!(words_after("CHECK (status IN"), of(JobStatus::ALL.iter().map(|status| status.as_str()).collect()));
    assert_eq!(words_after("CHECK (status ="), of(UnitStatus::ALL.iter().map(|status| status.as_str()).collect()));
    assert_eq!(
        words_in(managers, "CHECK (state IN ("),
        of(ManagerState::ALL.iter().map(|state| state.as_str()).collect())
    );
    assert_eq!(words_after("stop_request IN ("), of(StopRequest::ALL.iter().map(|word| word.as_str()).collect()));
    let causes = include_str!("../../migrations/sqlite/2026-11-27-000009-0000_causes/up.sql");
    assert_eq!(words_in(causes, "CHECK (cause IN ("), of(Cause::ALL.iter().map(|word| word.as_str()).collect()));
}

#[test]
fn every_pair_of_states_and_times_is_judged_by_the_database_as_by_the_code() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(&dir);
    for status in UnitStatus::ALL {
        for finished in [true, false] {
            let finished_at = if finished { "1" } else { "NULL" };
            let insert = format!(
                "INSERT INTO units (id, payload, status, attempts, crashes, started_at, finished_at) \
                 VALUES (4294967297, '1', '{status}', 1, 0, 1, {finished_at}); DELETE FROM units;"
            );

            let accepted = store.conn.batch_execute(&insert).is_ok();

            assert_eq!(accepted, status.is_terminal() == finished, "{status} finished_at={finished_at}");
        }
    }
}

#[test]
fn the_documentation_lists_exactly_the_transitions_of_the_code() {
    let text = include_str!("../../docs/state-machine.md");
    let mut expected = Vec::new();
    for from in JobStatus::ALL {
        for to in from.successors() {
            expected.push(format!("| job | {from} | {to} |"));
        }
    }
    for from in UnitStatus::ALL {
        for to in from.successors() {
            expected.push(format!("| unit | {from} | {to} |"));
        }
    }

    let documented: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("| job |") || line.starts_with("| unit |"))
        .map(|line| line.split('|').take(4).collect::<Vec<_>>().join("|") + "|")
        .collect();

    assert_eq!(documented, expected);
}

#[test]
fn migrations_can_be_undone_and_done_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(&dir);
    let tables = "SELECT name AS line FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'";
    let before = lines(&mut store, tables);

    store.conn.revert_all_migrations(MIGRATIONS).unwrap();
    assert_eq!(lines(&mut store, tables), Vec::<String>::new());
    store.conn.run_pending_migrations(MIGRATIONS).unwrap();

    assert_eq!(lines(&mut store, tables), before);
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Returns how SQLite would run a statement.
fn plan(store: &mut Store, statement: &impl QueryFragment<Sqlite>) -> String {
    let text = diesel::debug_query::<Sqlite, _>(statement).to_string();
    let sql = text.split(" -- binds").next().unwrap();
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(&mut store.conn).unwrap();
    steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("; ")
}

#[test]
fn no_hot_statement_scans_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut store(&dir);

    let plans = [
        plan(store, &FreshUnits { after: 0, last: 0, limit: 0 }),
        plan(store, &DueUnits { job: 0, now: 0, last: 0, limit: 0 }),
        plan(store, &NextDue { job: 0, last: 0 }),
        plan(store, &RunningUnits { first: 0, last: 0 }),
        plan(store, &StartUnit { attempts: 0, started_at: None, slot: None, id: 0, seen_attempts: 0, revision: 0 }),
        plan(
            store,
            &ShiftCounters {
                pending: 0,
                running: 0,
                completed: 0,
                failed: 0,
                skipped: 0,
                cancelled: 0,
                claimed_through: 0,
                job: 0,
                epoch: 0,
            },
        ),
        plan(store, &InsertUnit { id: 0, key: "", payload: "" }),
        plan(store, &InsertNameless { id: 0, payload: "" }),
    ];

    assert_eq!(
        plans,
        [
            "SEARCH units USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            "SEARCH units USING INDEX units_waiting (job_id=? AND not_before>? AND not_before<?); \
             SEARCH unit_notes USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN; CORRELATED SCALAR SUBQUERY 1; \
             SEARCH attempts USING INDEX attempts_unit (unit_id=?)",
            "SEARCH units USING INDEX units_waiting (job_id=? AND not_before>?)",
            "SEARCH units USING INDEX units_running (id>? AND id<?)",
            "SEARCH units USING INTEGER PRIMARY KEY (rowid=?)",
            "SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)",
            "",
            "",
        ]
    );
}

#[test]
fn statistics_that_mislead_turn_no_hot_statement_into_a_scan() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut store(&dir);
    // They say that the table is small and that each index finds more than it holds: to walk it would seem cheaper.
    let misleading = "ANALYZE; DELETE FROM sqlite_stat1; INSERT INTO sqlite_stat1 VALUES \
         ('units', NULL, '10'), ('units', 'units_waiting', '1000000 1000000 1000000'), \
         ('units', 'units_running', '1000000 1000000'); \
         ANALYZE sqlite_schema;";
    store.conn.batch_execute(misleading).unwrap();

    let plans = [
        plan(store, &FreshUnits { after: 0, last: 0, limit: 0 }),
        plan(store, &DueUnits { job: 0, now: 0, last: 0, limit: 0 }),
        plan(store, &NextDue { job: 0, last: 0 }),
        plan(store, &RunningUnits { first: 0, last: 0 }),
    ];

    let indexes = ["INTEGER PRIMARY KEY", "INDEX units_waiting", "INDEX units_waiting", "INDEX units_running"];
    for (plan, index) in plans.iter().zip(indexes) {
        assert!(plan.starts_with(&format!("SEARCH units USING {index} (")), "{plan}");
    }
}
