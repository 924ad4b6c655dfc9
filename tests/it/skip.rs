//! Units that are skipped, and what becomes of their job.

use crate::support::{World, wait_for};

#[test]
fn a_running_job_ends_when_what_it_waits_for_is_skipped() {
    let world = World::new();
    let job = world.ok(&["submit", "--backoff", "1h", "--shell", "--", "test {} != b", ":::", "a", "b"]);
    wait_for(&world, "the other unit to wait for its next attempt", || {
        let progress = &world.status(&job)["progress"];
        progress["completed"] == 1 && progress["running"] == 0 && world.units(&job)[1]["not_before"].is_string()
    });

    let skipped = world.ok(&["skip", &job, "--match", "^b$", "--reason", "not worth it"]);
    let waited = world.run(&["wait", &job, "--timeout", "30s"]);

    assert_eq!(skipped, "1 unit skipped");
    assert_eq!(waited.status.code(), Some(0));
    let unit = &world.units(&job)[1];
    assert_eq!((unit["status"].as_str(), unit["error"].as_str()), (Some("skipped"), Some("not worth it")), "{unit}");
    world.assert_sound(&job);
}

#[test]
fn a_failed_job_is_completed_when_its_failures_are_skipped_and_takes_them_back() {
    let world = World::new();
    world.run(&["run", "-q", "--max-attempts", "1", "--shell", "--", "test {} = ok", ":::", "ok", "x", "y"]);

    world.fails(2, &["skip", "1"]);
    world.fails(3, &["skip", "1", "--status", "completed"]);
    world.ok(&["skip", "1", "--seq", "2"]);
    let half = world.run(&["status", "1", "--exit-code"]).status.code();
    let cluster = world.ok(&["failures", "1", "-q"]);
    world.ok(&["skip", "1", "--cluster", &cluster]);
    let whole = world.run(&["status", "1", "--exit-code"]).status.code();
    world.fails(3, &["skip", "1", "--all"]);
    let back = world.ok(&["retry", "--no-start", "1", "--status", "skipped"]);

    assert_eq!((half, whole), (Some(10), Some(0)));
    assert_eq!(back, "2 units pending again");
    assert_eq!(world.status("1")["job_status"], "paused");
    world.assert_sound("1");
}

#[test]
fn a_job_of_which_everything_is_skipped_ends_with_its_start() {
    let world = World::new();
    let job = world.ok(&["create", "--", "touch", "{}", ":::", "a", "b"]);

    world.ok(&["skip", &job, "--all"]);
    world.ok(&["start", &job]);
    world.ok(&["wait", &job]);

    assert_eq!(world.status(&job)["job_status"], "completed");
    assert!(world.lines("a").is_empty());
    world.assert_sound(&job);
}
