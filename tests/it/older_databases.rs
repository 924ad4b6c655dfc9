//! Databases that older versions have left.

use std::fs;
use std::path::Path;
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;

use crate::support::{World, is_root, needs_file, wait_for, without};

/// The oldest schema that is read as it is.
const OLDEST_READABLE: i64 = 3;
const SCHEMA: i64 = 15;
/// The first one in which the settings of jobs have a table of their own.
const SPECS: i64 = 8;

const READING: [&[&str]; 19] = [
    &["list", "-a"],
    &["metrics"],
    &["status", "squares"],
    &["status", "waiting", "--json"],
    &["units", "squares"],
    &["units", "squares", "--sort", "duration"],
    &["units", "squares", "--sort", "spend"],
    &["unit", "1:2"],
    &["logs", "1:1"],
    &["failures", "squares"],
    &["explain", "waiting"],
    &["explain", "1:2"],
    &["results", "squares", "--format", "csv"],
    &["results", "squares", "--json"],
    &["wait", "squares", "--timeout", "9s"],
    &["watch", "squares"],
    &["prune", "--dry-run", "--older-than", "1d"],
    &["create", "--dry-run", "--", "true"],
    &["doctor"],
];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// A world with the database of every schema that was kept, and the number of that schema.
fn worlds() -> Vec<(World, i64)> {
    let dumps = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/databases")).unwrap();
    let worlds: Vec<(World, i64)> =
        dumps.map(|entry| world_of(&fs::read_to_string(entry.unwrap().path()).unwrap())).collect();
    assert!(!worlds.is_empty(), "there is no older database");
    worlds
}

fn world_of(dump: &str) -> (World, i64) {
    let world = World::new();
    let mut old = SqliteConnection::establish(world.db().to_str().unwrap()).unwrap();
    old.batch_execute("PRAGMA journal_mode = WAL").unwrap();
    old.batch_execute(dump).unwrap();
    drop(old);
    let schema = schema_number(&world);
    (world, schema)
}

/// What undoes two of the migrations.
const UNDO_MANAGERS: &str = include_str!("../../migrations/sqlite/2026-11-26-000006-0000_managers/down.sql");
const UNDO_SPECS: &str = include_str!("../../migrations/sqlite/2026-11-26-000008-0000_specs/down.sql");

/// The databases of schemas 4 to 8, and the first without what that schema added to the one before.
fn readable_worlds() -> Vec<(World, i64)> {
    let four = || world_of(include_str!("../../fixtures/databases/4.sql"));
    let (three, _) = four();
    three.sql(
        "DROP TABLE made_paths; PRAGMA user_version = 3;
         DELETE FROM __diesel_schema_migrations WHERE version = '202611260000040000'",
    );
    let six = world_of(include_str!("../../fixtures/databases/6.sql"));
    let seven = world_of(include_str!("../../fixtures/databases/7.sql"));
    let eight = world_of(include_str!("../../fixtures/databases/8.sql"));
    vec![(three, 3), four(), five(), six, seven, eight]
}

fn five() -> (World, i64) {
    world_of(include_str!("../../fixtures/databases/5.sql"))
}

fn schema_number(world: &World) -> i64 {
    world.count("user_version FROM pragma_user_version")
}

/// Everything that a migration changes.
fn schema(world: &World) -> Vec<String> {
    let parts = "SELECT 'version ' || user_version AS line FROM pragma_user_version
        UNION ALL SELECT 'migration ' || version || run_on FROM __diesel_schema_migrations
        UNION ALL SELECT type || ' ' || name || ' ' || rootpage || coalesce(sql, '') FROM sqlite_schema";
    lines(world, parts)
}

fn lines(world: &World, query: &str) -> Vec<String> {
    let mut conn = SqliteConnection::establish(world.db().to_str().unwrap()).unwrap();
    let lines: Vec<Line> = diesel::sql_query(query).load(&mut conn).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

#[test]
fn jobs_of_every_older_schema_go_on() {
    needs_file!("it is of an older schema of SQLite");
    for (world, _) in worlds() {
        world.ok(&["start", "waiting"]);
        world.ok(&["wait", "waiting"]);

        assert_eq!(world.status("squares")["progress"]["failed"], 1);
        assert_eq!(world.units("squares").len(), 3);
        assert_eq!(schema_number(&world), SCHEMA);
        world.assert_sound("2");
    }
}

#[test]
fn fault_305_a_verb_that_reads_leaves_the_schema_of_an_older_database_as_it_is() {
    needs_file!("it is of an older schema of SQLite");
    for (world, found) in worlds().into_iter().chain(readable_worlds()) {
        let before = schema(&world);

        for verb in READING {
            let output = world.run(verb);
            let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
            assert!(schema(&world) == before, "{verb:?} has changed schema {found}");
            if found < OLDEST_READABLE {
                assert_eq!(output.status.code(), Some(5), "{verb:?} of schema {found}: {said}");
                assert!(said.contains(&format!("has schema {found}, this version reads schemas")), "{verb:?}: {said}");
                assert!(said.contains("job-manager doctor --migrate"), "{verb:?}: {said}");
            } else {
                // That of a job with a failed unit.
                let expected = if ["wait", "watch"].contains(&verb[0]) { Some(10) } else { Some(0) };
                assert_eq!(output.status.code(), expected, "{verb:?} of schema {found}: {said}");
            }
        }

        world.ok(&["doctor", "--migrate"]);
        assert_eq!(schema_number(&world), SCHEMA);
        world.ok(&["start", "waiting"]);
        world.ok(&["wait", "waiting"]);
        world.assert_sound("2");
    }
}

#[test]
fn an_older_database_reads_the_same_before_and_after_it_is_brought_up_to_date() {
    needs_file!("it is of an older schema of SQLite");
    for (world, _) in readable_worlds() {
        let managers = |job| json(&world.ok(&["status", job, "-v", "--json"]))["managers"].clone();
        let read = || {
            ["squares", "waiting"].map(|job| (world.status(job)["progress"].clone(), world.units(job), managers(job)))
        };
        let before = read();

        world.ok(&["doctor", "--migrate"]);

        assert_eq!(read(), before);
        assert_eq!((before[0].2.as_array().unwrap().len(), &before[1].2), (1, &json("[]")));
    }
}

#[test]
fn fault_505_attempts_of_an_older_database_have_no_slot_and_later_ones_have() {
    needs_file!("it is of an older schema of SQLite");
    let fourteen = world_of(include_str!("../../fixtures/databases/14.sql"));
    for (world, schema) in readable_worlds().into_iter().chain([fourteen]) {
        let slots = |job| world.units(job).iter().map(|unit| unit["slot"].is_null()).collect::<Vec<_>>();
        let before = (slots("squares"), json(&world.ok(&["unit", "1:2", "--json"])));

        world.ok(&["doctor", "--migrate"]);
        world.ok(&["start", "waiting"]);
        world.ok(&["wait", "waiting"]);

        assert_eq!((&before.0[..], slots("squares")), (&[true; 3][..], before.0.clone()), "{schema}");
        assert!(before.1["attempts_not_completed"][0]["slot"].is_null(), "{schema}: {}", before.1);
        assert_eq!(slots("waiting"), [false; 2], "{schema}");
    }
}

#[test]
fn a_record_that_cannot_be_read_hinders_no_migration_and_is_named_as_before() {
    needs_file!("it is of an older schema of SQLite");
    let (world, _) = five();
    world.sql("UPDATE jobs SET status = 'paused', finished_at = NULL WHERE id = 1");
    world.sql("UPDATE metadata SET value = 'x' WHERE job_id = 1 AND key = 'boot_id'");
    world.sql("UPDATE metadata SET value = '4294967296' WHERE job_id = 3 AND key = 'manager_pid'");
    let read = || [world.fails(5, &["status", "squares"]), world.fails(5, &["status", "ending"])];
    let before = read();

    world.ok(&["doctor", "--migrate"]);

    assert!(before[0].contains("its boot_id is \"x\""), "{before:?}");
    assert_eq!(read(), before);
    assert_eq!(world.status("ended")["job_status"], "completed");
    assert_eq!(world.count("count(*) FROM managers"), 1);
}

#[test]
fn the_units_that_jobs_of_former_schemas_end_with_stay_what_they_are() {
    needs_file!("it is of an older schema of SQLite");
    let (world, _) = five();

    world.ok(&["start", "waiting"]);
    world.ok(&["resume", "ending"]);
    world.fails(10, &["wait", "ending"]);

    let kinds = "(SELECT group_concat(job_id || ':' || seq || kind, ' ') = '3:3retired 3:5finalizer 4:2finalizer' FROM \
                 (SELECT * FROM units WHERE kind IS NOT NULL ORDER BY id))";
    assert_eq!(world.count(kinds), 1, "{}", world.report());
    world.ok(&["wait", "waiting"]);
    world.assert_sound("3");
}

/// Has job 2 of schema 5 run by a process that holds its lock, as a manager of that version would.
fn run_by(world: &World, process: u32) -> fs::File {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let ticks = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().to_owned();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    world.sql(&format!(
        "UPDATE jobs SET status = 'running', epoch = 1, started_at = 1 WHERE id = 2;
         INSERT INTO metadata (job_id, key, value) VALUES (2, 'manager_pid', '{process}'), (2, 'host', 'host'),
         (2, 'manager_start_ticks', '{ticks}'), (2, 'boot_id', '{}'), (2, 'heartbeat_at', '2'), (2, 'version', '0.1.0')",
        boot.trim()
    ));
    let lock = world.path("jobs.db.d/2/lock");
    fs::create_dir_all(lock.parent().unwrap()).unwrap();
    world.sh("chmod -R go= jobs.db.d");
    let lock = fs::File::create(lock).unwrap();
    lock.lock().unwrap();
    lock
}

#[test]
fn fault_307_a_manager_of_a_former_schema_is_seen_as_it_is_and_its_successor_says_how_it_ended() {
    needs_file!("it is of an older schema of SQLite");
    let (world, found) = five();
    let mut manager = Command::new("sleep").arg("600").spawn().unwrap();
    let lock = run_by(&world, manager.id());
    let before = schema(&world);

    let status = world.status("waiting");
    let seen = json(&world.ok(&["status", "waiting", "-v", "--json"]))["managers"].clone();
    let refused = [world.fails(5, &["resume", "waiting"]), world.fails(5, &["doctor", "--migrate"])];
    assert_eq!((&status["status"], &status["pid"]), (&"running".into(), &manager.id().into()), "{status}");
    assert_eq!(
        (&seen[0]["state"], &seen[0]["host"], seen[1].is_null()),
        (&"live".into(), &"host".into(), true),
        "{seen}"
    );
    for said in refused {
        assert!(said.contains("a manager of an older version runs job 2"), "{said}");
    }
    assert!(schema(&world) == before && schema_number(&world) == found);

    manager.kill().unwrap();
    manager.wait().unwrap();
    lock.unlock().unwrap();
    let lost = json(&world.ok(&["status", "waiting", "-v", "--json"]))["managers"][0]["state"].clone();
    world.ok(&["resume", "waiting"]);
    world.ok(&["wait", "waiting"]);

    let managers = json(&world.ok(&["status", "waiting", "-v", "--json"]))["managers"].clone();
    let state = |at: usize| (managers[at]["number"].clone(), managers[at]["state"].clone());
    assert_eq!((lost, state(0), state(1)), ("lost".into(), (1.into(), "lost".into()), (2.into(), "left".into())));
    world.assert_sound("2");
}

#[test]
fn failures_of_an_older_database_have_the_same_kinds_before_and_after_it_is_brought_up_to_date() {
    needs_file!("it is of an older schema of SQLite");
    for (world, schema) in readable_worlds() {
        let listed = || world.ok(&["failures", "squares", "--json"]);
        let before = listed();
        let kind = world.ok(&["failures", "squares", "-q"]);
        let of_kind = || world.ok(&["units", "squares", "--cluster", &kind, "-q"]);
        let units = of_kind();

        world.ok(&["doctor", "--migrate"]);

        assert!(!kind.is_empty() && !units.is_empty(), "schema {schema}: {before}");
        assert_eq!((listed(), of_kind()), (before, units), "schema {schema}");
        let kinds = "count(DISTINCT kind) FROM failure_kinds WHERE unit_id IN (SELECT id FROM units WHERE job_id = 1)";
        assert_eq!(world.count(kinds), 1);
        assert_eq!(world.ok(&["retry", "--no-start", "squares", "--cluster", &kind]), "1 unit pending again");
    }
}

#[test]
fn fault_306_an_older_database_of_somebody_else_is_not_brought_up_to_date() {
    needs_file!("it is of an older schema of SQLite");
    if !is_root() {
        without("another user needs root");
        return;
    }
    for (world, _) in worlds().into_iter().filter(|(_, found)| *found < SCHEMA) {
        std::os::unix::fs::chown(world.db(), Some(65534), Some(65534)).unwrap();
        let before = schema(&world);

        let verbs: [&[&str]; 5] = [
            &["start", "waiting"],
            &["cancel", "waiting", "-y"],
            &["rm", "squares", "-y"],
            &["doctor", "--migrate"],
            &["list"],
        ];
        for verb in verbs {
            world.run(verb);
            assert!(schema(&world) == before, "{verb:?} has changed the schema");
        }
        assert!(world.fails(4, &["cancel", "waiting", "-y"]).contains("belongs to"));

        let meant = world.job_manager(&["cancel", "waiting", "-y"]).env("JOB_MANAGER_ANY_OWNER", "1").status();
        assert!(meant.unwrap().success());
        assert_eq!(schema_number(&world), SCHEMA);
    }
}

#[test]
fn fault_307_a_database_is_not_brought_up_to_date_under_a_manager_of_an_older_version() {
    needs_file!("it is of an older schema of SQLite");
    let world = World::new();
    world.ok(&[
        "submit",
        "-q",
        "--shell",
        "-j1",
        "--",
        "echo up >up; until [ -e go ]; do sleep 0.02; done",
        ":::",
        "a",
        "b",
    ]);
    wait_for(&world, "the unit", || world.path("up").exists());
    // What the manager uses stays; and there is what one of the version before would have written of itself.
    let part = |sql: &'static str, first: &str, end: &str| &sql[sql.find(first).unwrap()..sql.find(end).unwrap()];
    let texts = part(UNDO_MANAGERS, "WITH latest", "DROP TABLE");
    let specs = part(UNDO_SPECS, "ALTER TABLE", "DROP TABLE");
    world.sql(&format!("{texts}; {specs}; PRAGMA user_version = 4"));
    let pid = world.status("1")["pid"].clone();

    let verbs: [&[&str]; 7] = [
        &["resume", "1"],
        &["scale", "1", "2"],
        &["cancel", "1", "-y"],
        &["create", "--", "true"],
        &["retry", "1", "--failed"],
        &["doctor", "--migrate"],
        &["stop", "1", "--now"],
    ];
    for verb in verbs {
        let said = world.fails(5, verb);
        assert!(said.contains("a manager of an older version runs job 1"), "{verb:?}: {said}");
        assert!(said.contains("`job-manager stop 1`"), "{verb:?}: {said}");
        assert_eq!(schema_number(&world), 4, "{verb:?}");
    }
    assert_eq!(world.status("1")["pid"], pid);

    world.ok(&["stop", "1"]);
    // A signal is not seen at once, and the units end quickly.
    wait_for(&world, "the manager to stop", || world.ok(&["logs", "1", "--manager"]).contains("stopping"));
    fs::write(world.path("go"), "").unwrap();
    world.wait_for_status("1", "paused");
    assert_eq!(schema_number(&world), 4);

    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);
    assert_eq!(schema_number(&world), SCHEMA);
    world.assert_sound("1");
}

#[test]
fn fault_331_bytes_that_are_no_text_hinder_no_migration() {
    needs_file!("it is of an older schema of SQLite");
    for (world, schema) in readable_worlds() {
        world.sql("UPDATE units SET error = CAST(x'fffe' AS TEXT) WHERE status = 'failed'");
        world.sql(
            "PRAGMA ignore_check_constraints = ON; UPDATE attempts SET cause = 'x', error = CAST(x'fffe' AS TEXT)",
        );
        let (table, id) = if schema < SPECS { ("jobs", "id") } else { ("specs", "job_id") };
        world.sql(&format!(
            "PRAGMA ignore_check_constraints = ON; UPDATE {table} SET spec = CAST(x'ff' AS TEXT) WHERE {id} = 2"
        ));

        world.fails(5, &["doctor", "--migrate"]);

        assert_eq!(schema_number(&world), SCHEMA, "schema {schema}");
        assert!(world.fails(5, &["status", "waiting"]).contains("cannot read job 2: its spec"));
        world.ok(&["rm", "waiting", "-y"]);
    }
}

#[test]
fn the_settings_of_jobs_of_former_schemas_are_read_where_they_stand_and_moved_as_they_are() {
    needs_file!("it is of an older schema of SQLite");
    for (world, schema) in readable_worlds().into_iter().filter(|(_, schema)| *schema < SPECS) {
        let command = || json(&world.ok(&["unit", "squares:2", "--json"]))["command"].clone();
        let (before, specs) = (command(), lines(&world, "SELECT spec AS line FROM jobs ORDER BY id"));

        world.ok(&["doctor", "--migrate"]);

        assert!(before.as_str().unwrap().contains("test $1 != b"), "schema {schema}: {before}");
        assert_eq!(command(), before, "schema {schema}");
        assert_eq!(lines(&world, "SELECT spec AS line FROM specs ORDER BY job_id"), specs, "schema {schema}");
    }
}
