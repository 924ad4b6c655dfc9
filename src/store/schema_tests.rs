//! The schema says what the code says: generated table definitions, words of states, transitions, migrations.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Access, Store};
use crate::model::{Cause, JobStatus, StopRequest, UnitStatus};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

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

    for table in ["attempts", "jobs", "metadata", "unit_notes", "units"] {
        let query = format!(
            "SELECT name || ' ' || type || ' ' || (\"notnull\" = 0 AND pk = 0) AS line FROM pragma_table_xinfo('{table}')"
        );
        let expected: Vec<String> = lines(&mut store, &query)
            .iter()
            .map(|line| {
                let parts: Vec<&str> = line.split(' ').collect();
                let sql_type = if parts[1] == "INTEGER" { "BigInt" } else { "Text" };
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
    let sql = include_str!("../../migrations/2026-11-24-000001-0000_jobs/up.sql");
    let words_after = |start: &str| -> Vec<String> {
        let list = sql.split(start).nth(1).unwrap().split(')').next().unwrap();
        list.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let of = |all: Vec<&'static str>| texts(&all);

    let statuses: Vec<&str> = sql.match_indices("CHECK (status IN").map(|(index, _)| &sql[index..]).collect();
    let list = |text: &str| -> Vec<String> {
        text.split('(')
            .nth(2)
            .unwrap()
            .split(')')
            .next()
            .unwrap()
            .split('\'')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(list(statuses[0]), of(JobStatus::ALL.iter().map(|status| status.as_str()).collect()));
    assert_eq!(list(statuses[1]), of(UnitStatus::ALL.iter().map(|status| status.as_str()).collect()));
    assert_eq!(words_after("stop_request IN ("), of(StopRequest::ALL.iter().map(|word| word.as_str()).collect()));
    assert_eq!(words_after("CHECK (cause IN ("), of(Cause::ALL.iter().map(|word| word.as_str()).collect()));
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
