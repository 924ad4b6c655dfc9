//! Deleting jobs that are over.

use serde_json::Value;

use std::fs;
use std::process::Stdio;

use crate::support::{World, exists, needs_file, wait_for};

#[test]
fn only_finished_jobs_go_and_only_when_it_was_confirmed() {
    let world = World::new();
    for _ in 0..3 {
        world.ok(&["run", "-q", "--", "true", ":::", "a", "b"]);
    }
    world.run(&["run", "-q", "--max-attempts", "1", "--", "false"]);
    world.run(&["run", "-q", "--max-attempts", "1", "--", "false"]);
    world.ok(&["retry", "--no-start", "5", "--failed"]);
    world.ok(&["create", "--", "true"]);

    let dry: Value = serde_json::from_str(&world.ok(&["prune", "--keep", "1", "--dry-run", "--json"])).unwrap();
    let refused = world.fails(2, &["prune", "--keep", "1"]);
    let none = world.ok(&["prune", "--older-than", "30d"]);
    let pruned = world.ok(&["prune", "--keep", "1", "-y"]);
    let again = world.ok(&["prune", "--keep", "1"]);

    assert_eq!(dry["would_delete"], serde_json::json!([1, 2, 3]));
    assert!(refused.contains("delete 3 finished jobs with 6 units"), "{refused}");
    assert_eq!(none, "0 jobs with 0 units deleted");
    assert_eq!(pruned, "3 jobs with 6 units deleted");
    assert_eq!(again, "0 jobs with 0 units deleted");
    assert_eq!(world.ok(&["list", "-q"]), "5\n6\n4");
    assert!(!exists(&world.path("jobs.db.d/1")));
}

#[test]
fn a_job_that_has_ended_keeps_no_file_that_only_its_manager_needs() {
    let world = World::new();
    let files = || -> Vec<String> {
        let dir = fs::read_dir(world.path("jobs.db.d/1")).unwrap();
        let mut names: Vec<_> = dir.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    world.run(&["run", "-q", "--max-attempts", "1", "--", "test", "-e", "there"]);
    wait_for(&world, "the manager to leave", || files() == ["lock", "manager.log"]);

    world.write("there", "");
    world.ok(&["retry", "--no-start", "1", "--failed"]);
    world.ok(&["resume", "-q", "1"]);
    world.ok(&["wait", "1"]);

    wait_for(&world, "the second manager to leave", || files() == ["lock", "manager.log"]);
}

#[test]
fn a_job_is_as_old_as_its_end() {
    let world = World::new();
    for _ in 0..2 {
        world.ok(&["run", "-q", "--", "true"]);
    }
    world.sql("UPDATE jobs SET finished_at = finished_at - 31 * 86400000000 WHERE id = 1");

    world.ok(&["prune", "--older-than", "30d", "-y"]);

    assert_eq!(world.ok(&["list", "-q"]), "2");
}

/// Makes a job of many long units, and cancels it.
fn cancelled_job(world: &World, units: usize) {
    world.ok(&["create", "--range", &format!("1-{units}"), "--", "true", &"x".repeat(64), "{}"]);
    world.sql(&format!(
        "UPDATE units SET status = 'cancelled', error = '{}', finished_at = 1 WHERE status = 'pending'; \
         UPDATE jobs SET status = 'cancelled', cancelled = total, pending = 0, finished_at = 1 WHERE pending > 0",
        "x".repeat(500)
    ));
}

/// Returns the sizes of the database and of its log.
fn sizes(world: &World) -> (u64, u64) {
    let size = |path| fs::metadata(path).map_or(0, |found| found.len());
    (size(world.db()), size(world.path("jobs.db-wal")))
}

#[test]
fn fault_191_after_a_prune_the_database_is_as_large_as_what_is_left() {
    needs_file!("its size is compared");
    let world = World::new();
    cancelled_job(&world, 10_000);
    world.ok(&["create", "--range", "1-1000", "--", "true"]);
    let reader = world.hold_snapshot();
    drop(reader);

    world.ok(&["prune", "-y"]);

    let (pruned, log) = sizes(&world);
    world.sql(&format!("VACUUM INTO '{}'", world.path("smallest.db").display()));
    let smallest = fs::metadata(world.path("smallest.db")).unwrap().len();
    assert!(pruned * 10 <= smallest * 11, "{pruned} bytes, could be {smallest}");
    assert_eq!(log, 0);
    world.assert_sound("2");
}

#[test]
fn fault_191_space_is_given_back_beside_a_running_manager() {
    needs_file!("its free pages are counted");
    let world = World::new();
    cancelled_job(&world, 10_000);
    world.ok(&["submit", "--range", "1-100000", "-j", "2", "--", "true"]);
    let (before, _) = sizes(&world);

    world.ok(&["rm", "1", "-y"]);

    // The manager frees a page now and then itself.
    let free_pages = world.count("freelist_count FROM pragma_freelist_count");
    assert!(free_pages < 20, "{free_pages}");
    assert_eq!(world.status("2")["status"], "running");
    world.ok(&["stop", "2", "--wait"]);
    world.assert_sound("2");
    assert!(before > 5_000_000, "{before}");
}

#[test]
fn fault_191_an_older_database_says_what_it_keeps_and_is_compacted_while_no_manager_runs() {
    needs_file!("it is compacted");
    let world = World::new();
    cancelled_job(&world, 10_000);
    world.sql("PRAGMA auto_vacuum = NONE; VACUUM");
    world.ok(&["submit", "--", "sleep", "600"]);

    let pruned = world.run(&["prune", "-y"]);
    let refused = world.fails(4, &["prune", "--compact"]);
    let (before, _) = sizes(&world);
    world.ok(&["stop", "2", "--now", "--wait"]);
    world.ok(&["prune", "--compact"]);

    let said = String::from_utf8_lossy(&pruned.stderr).into_owned();
    assert!(said.contains("MiB of the database are free") && said.contains("prune --compact"), "{said}");
    assert!(refused.contains("cannot compact the database of job 2 while its manager runs"), "{refused}");
    assert!(sizes(&world).0 * 10 < before, "{before} {:?}", sizes(&world));
    assert_eq!(world.count("auto_vacuum FROM pragma_auto_vacuum"), 2);
    world.assert_sound("2");
}

#[test]
fn fault_192_prunes_at_once_delete_each_job_once_and_none_fails() {
    let world = World::new();
    cancelled_job(&world, 1);
    world.sql(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 499) \
         INSERT INTO jobs (uid, name, handler, limits, status, epoch, revision, claimed_through, total, pending, \
         running, completed, failed, skipped, cancelled, created_at, finished_at) \
         SELECT 'uid-' || n, name, handler, limits, status, epoch, revision, claimed_through, 0, 0, 0, 0, 0, 0, 0, \
         created_at, finished_at FROM jobs, number WHERE id = 1",
    );
    let prunes: Vec<_> = (0..4)
        .map(|_| {
            let mut prune = world.job_manager(&["prune", "-y", "-q"]);
            prune.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();

    let mut deleted = Vec::new();
    for prune in prunes {
        let output = prune.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{}: {said}", output.status);
        deleted.extend(String::from_utf8(output.stdout).unwrap().lines().map(|id| id.parse::<i64>().unwrap()));
    }

    deleted.sort_unstable();
    assert_eq!(deleted, (1..=500).collect::<Vec<_>>());
    assert_eq!(world.ok(&["list", "-q", "-a"]), "");
}
