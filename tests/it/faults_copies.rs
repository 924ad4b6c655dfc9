//! Databases with two names, copies, and databases that were moved.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::faults_manager::waiting_job;
use crate::support::{World, exists, is_alive, is_root, kill, needs_file, text, wait_for, without};

/// Runs a verb on another database of a world.
fn on(world: &World, db: &Path, args: &[&str]) -> std::process::Output {
    world.run(&[&["--db", db.to_str().unwrap()], args].concat())
}

fn status_of(world: &World, db: &Path) -> Value {
    serde_json::from_slice(&on(world, db, &["status", "--json"]).stdout).unwrap()
}

/// Copies a database with its log and all that lies beside it.
fn copy(world: &World, to: &str) -> std::path::PathBuf {
    let script = format!("cp jobs.db {to}; cp jobs.db-wal {to}-wal; cp -r jobs.db.d {to}.d");
    assert!(world.sh(&script).status.success());
    world.path(to)
}

#[test]
fn fault_112_nothing_of_the_original_is_ended_for_a_copy() {
    needs_file!("it is copied, moved or linked");
    let world = World::new();
    let (job, units) = waiting_job(&world, 2);
    let manager = world.manager(&job);
    let (cancelled, resumed) = (copy(&world, "cancelled.db"), copy(&world, "resumed.db"));

    let status = status_of(&world, &cancelled);
    let stopped = on(&world, &cancelled, &["stop"]);
    let ended = on(&world, &cancelled, &["cancel", &job]);
    let started = on(&world, &resumed, &["resume"]);
    wait_for(&world, "the units of the copy", || world.lines("pids").len() == 4);
    // The second time its record is its own.
    kill(text(&started.stdout).trim().parse().unwrap());
    wait_for(&world, "the copy's manager to be gone", || status_of(&world, &resumed)["status"] == "stopped");
    let started_again = on(&world, &resumed, &["resume"]);
    wait_for(&world, "the units of the copy again", || world.lines("pids").len() == 6);

    assert_eq!((&status["status"], &status["pid"]), (&"stopped".into(), &Value::Null), "{status}");
    assert!(status["waiting_for"].to_string().contains("this database is a copy"), "{status}");
    assert_eq!(stopped.status.code(), Some(4), "{}", text(&stopped.stderr));
    assert!(ended.status.success() && started_again.status.success(), "{}", text(&ended.stderr));
    assert_eq!(world.manager(&job), manager);
    assert!(units.iter().all(|unit| is_alive(*unit)), "a unit of the original was ended");
    assert_eq!(on(&world, &resumed, &["cancel", &job]).status.code(), Some(0));
    world.kill_manager(&job);
    world.ok(&["resume", &job]);
    wait_for(&world, "the orphans of the original to be ended", || !units.iter().any(|unit| is_alive(*unit)));
}

#[test]
fn fault_112_what_a_unit_of_the_original_makes_is_not_removed_for_a_copy() {
    needs_file!("it is copied, moved or linked");
    let world = World::new();
    let job = world.ok(&["submit", "--creates", "made", "--shell", "--", "echo half >made; echo $$ >>pids; sleep 600"]);
    wait_for(&world, "the unit to run", || !world.lines("pids").is_empty());
    let copied = copy(&world, "copy.db");

    let ended = on(&world, &copied, &["cancel", &job]);

    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert_eq!(world.lines("made"), ["half"]);
    world.ok(&["cancel", &job]);
    assert!(!exists(&world.path("made")));
}

#[test]
fn fault_112_a_database_that_was_moved_is_no_copy() {
    needs_file!("it is copied, moved or linked");
    let world = World::new();
    let (job, units) = waiting_job(&world, 2);
    world.kill_manager(&job);

    world.sh("mkdir moved; mv jobs.db* moved/");
    let moved = world.path("moved/jobs.db");
    let status = status_of(&world, &moved);
    let ended = on(&world, &moved, &["cancel", &job]);

    assert_eq!((&status["status"], &status["waiting_for"]), (&"stopped".into(), &Value::Null));
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert!(!units.iter().any(|unit| is_alive(*unit)), "an orphan lives on");
}

#[test]
fn fault_112_a_second_hard_link_is_refused_also_for_reading_while_the_first_name_is_read() {
    needs_file!("it is copied, moved or linked");
    let world = World::new();
    let (job, _) = waiting_job(&world, 1);
    let manager = world.manager(&job);
    fs::hard_link(world.db(), world.path("second.db")).unwrap();
    let second = world.path("second.db");

    let status = world.status(&job);
    let refused = [
        on(&world, &second, &["status"]),
        on(&world, &second, &["list"]),
        on(&world, &second, &["resume"]),
        on(&world, &world.db(), &["create", "--", "true"]),
    ];

    assert_eq!((&status["status"], &status["pid"]), (&"running".into(), &manager.into()), "{status}");
    for refused in refused {
        assert_eq!(refused.status.code(), Some(5));
        assert!(text(&refused.stderr).contains("has 2 names (hard links)"), "{}", text(&refused.stderr));
    }
    assert!(!exists(&world.path("second.db.d")));
}

#[test]
fn fault_112_a_database_that_is_mounted_alone_is_refused_and_never_taken_for_empty() {
    needs_file!("it is copied, moved or linked");
    if !is_root() {
        return without("mounting needs root");
    }
    let world = World::new();
    waiting_job(&world, 1);
    let script = "mkdir inside; touch inside/jobs.db; mount --bind jobs.db inside/jobs.db || exit 99; \
        for verb in status list 'create -- true' 'submit -- true'; do \
        \"$BIN\" --db inside/jobs.db $verb 2>&1; echo \"exit $?\"; done; ls inside";

    let ran = world.command("unshare").args(["-m", "sh", "-c", script]).output().unwrap();
    let said = text(&ran.stdout);

    assert_eq!(said.matches("is mounted alone").count(), 4, "{said}");
    assert_eq!(said.matches("exit 5\n").count(), 4, "{said}");
    assert!(said.ends_with("exit 5\njobs.db\n"), "something was made beside it: {said}");
}

#[test]
fn fault_547_a_database_without_the_directory_beside_it_can_be_written() {
    let world = World::new();
    world.ok(&["create", "-q", "--range", "1-3", "--", "true"]);
    let sent = world.path("sent.db");
    fs::copy(world.db(), &sent).unwrap();
    let sent = sent.to_str().unwrap();

    world.ok(&["--db", sent, "rm", "1", "-y"]);
    fs::remove_dir_all(format!("{sent}.d")).unwrap();
    world.ok(&["--db", sent, "run", "-q", "--", "true"]);
}
