//! The unit that runs after all others.

use crate::policies::counts;
use crate::support::{World, wait_for};

#[test]
fn a_last_unit_runs_when_all_others_have_ended_and_knows_the_counts() {
    let world = World::new();
    let then = "echo $JOB_MANAGER_COMPLETED of $JOB_MANAGER_TOTAL, $JOB_MANAGER_FAILED failed >report";

    world.fails(
        10,
        &["run", "-q", "--max-attempts", "1", "--then", then, "--", "test", "{}", "!=", "b", ":::", "a", "b", "c"],
    );

    assert_eq!(world.lines("report"), ["2 of 3, 1 failed"]);
    assert_eq!(counts(&world), [3, 1, 0, 0]);
    world.assert_sound("1");
}

#[test]
fn a_last_unit_runs_again_behind_units_that_are_retried_or_added() {
    let world = World::new();
    let then = "echo $JOB_MANAGER_COMPLETED of $JOB_MANAGER_TOTAL, $JOB_MANAGER_FAILED failed >>report";
    world
        .fails(10, &["run", "-q", "--max-attempts", "1", "--then", then, "--", "test", "-e", "{}", ":::", ".", "made"]);

    world.write("made", "");
    world.ok(&["retry", "--no-start", "1", "--failed"]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);
    world.ok(&["add", "1", "--", ":::", ".."]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(world.lines("report"), ["1 of 2, 1 failed", "2 of 2, 0 failed", "3 of 3, 0 failed"]);
    assert_eq!(counts(&world), [6, 0, 0, 0]);
    world.assert_sound("1");
}

#[test]
fn a_last_unit_that_runs_goes_on_beside_units_that_are_added_and_has_no_say_when_it_fails() {
    let world = World::new();
    let then = "touch began; if test -e again; then exit 0; fi; while ! test -e go; do sleep 0.05; done; exit 1";
    let job = world.ok(&["submit", "-q", "--max-attempts", "1", "--then", then, "--", "echo", "{}", ":::", "a"]);
    wait_for(&world, "the last unit to run", || world.path("began").exists());

    world.ok(&["add", &job, "--", ":::", "b"]);
    world.sh("touch again go");
    world.ok(&["wait", &job]);

    let units: Vec<String> = world.units(&job).iter().map(|unit| unit["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(units, ["completed", "skipped", "completed", "completed"]);
    world.assert_sound(&job);
}

#[test]
fn units_that_are_added_while_the_last_one_runs_have_to_be_approved_too() {
    let world = World::new();
    let then = "touch began; while ! test -e go; do sleep 0.05; done";
    let job = world.ok(&["submit", "-q", "--canary", "2", "--then", then, "--", "echo", "{}", ":::", "a"]);
    wait_for(&world, "the last unit to run", || world.path("began").exists());

    world.ok(&["add", &job, "--", ":::", "b", "c"]);
    world.sh("touch go");

    world.fails(12, &["wait", &job]);
    assert_eq!(world.status(&job)["progress"]["pending"], 2);
}

#[test]
fn keys_that_jobs_give_to_units_of_their_own_are_refused() {
    let world = World::new();

    world.fails(2, &["run", "-q", "--unit-key", "{}", "--", "echo", "{}", ":::", "a", "job-manager:then"]);

    assert!(!world.db().exists() || world.ok(&["list", "-q"]).is_empty());
}

#[test]
fn a_failed_last_unit_is_retried_alone_and_never_beside_others() {
    let world = World::new();
    let then = "echo ran >>ran; test -e made";
    world
        .fails(10, &["run", "-q", "--max-attempts", "1", "--then", then, "--", "test", "-e", "{}", ":::", ".", "made"]);

    world.ok(&["retry", "--no-start", "1", "--failed"]);
    world.ok(&["resume", "1"]);
    world.fails(10, &["wait", "1"]);
    assert_eq!(world.lines("ran").len(), 2);
    assert_eq!(counts(&world), [1, 2, 1, 0]);
    world.write("made", "");
    world.ok(&["retry", "--no-start", "1", "--key", "job-manager:then"]);
    world.ok(&["resume", "1"]);
    world.fails(10, &["wait", "1"]);

    assert_eq!(world.lines("ran").len(), 3);
    assert_eq!(counts(&world), [2, 1, 1, 0]);
    world.assert_sound("1");
}

#[test]
fn a_last_unit_for_success_does_not_run_after_a_failure() {
    let world = World::new();

    world.fails(
        10,
        &["run", "-q", "--max-attempts", "1", "--then", "touch ran", "--then-when", "success", "--", "false"],
    );

    assert_eq!(counts(&world), [0, 1, 0, 0]);
    assert!(!world.path("ran").exists());
}

#[test]
fn a_last_unit_runs_although_the_others_ended_while_the_job_was_stopped() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--then", "touch ran", "--", "sleep", "0.6"]);
    wait_for(&world, "the unit to run", || world.status(&job)["progress"]["running"] == 1);

    world.ok(&["stop", "--wait", &job]);
    assert_eq!(world.status(&job)["job_status"], "paused");
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    assert!(world.path("ran").exists());
}
