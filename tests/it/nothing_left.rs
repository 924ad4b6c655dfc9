//! A job of which nothing is left to do ends, whatever it waits for.

use std::time::{Duration, Instant};

use crate::support::{World, wait_for};

/// Skips what is left of a job that waits, and expects it to end.
fn ends_when_the_rest_is_skipped(world: &World, job: &str) {
    let began = Instant::now();
    world.ok(&["skip", job, "--all"]);
    wait_for(world, "the job to end", || world.status(job)["job_status"] == "completed");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn fault_524_a_job_that_waits_for_a_time_ends_when_nothing_is_left_of_it() {
    let world = World::new();
    for (name, condition) in [("not-before", ["--not-before", "+2h"]), ("memory", ["--memfree", "900T"])] {
        world.ok(&[&["submit", "-q", "--name", name, "--range", "1-3"][..], &condition, &["--", "true"]].concat());
        ends_when_the_rest_is_skipped(&world, name);
    }
    world.ok(&["submit", "-q", "--name", "all", "--range", "1-3", "--not-before", "+2h", "--", "true"]);
    world.ok(&["cancel", "all", "--match", "."]);
    wait_for(&world, "the job to end", || world.status("all")["job_status"] == "cancelled");
}

#[test]
fn fault_524_a_job_that_a_unit_holds_ends_when_nothing_is_left_of_it() {
    let world = World::new();
    let says_when = |job: &str| world.status(job)["waiting_for"].as_str().is_some_and(|why| why.contains("wait until"));
    let script = r#"test {} != 1 || {{ "$BIN" unit-later 2h --hold job; exit 1; }}"#;
    world.ok(&["submit", "-q", "-j", "1", "--shell", "--range", "1-3", "--name", "held", "--", script]);
    wait_for(&world, "the hold", || world.status("held")["progress"]["running"] == 0 && says_when("held"));

    ends_when_the_rest_is_skipped(&world, "held");

    world.ok(&[
        "submit",
        "-q",
        "-j",
        "1",
        "--range",
        "1-3",
        "--name",
        "paused",
        "--exit",
        "4=pause:2h",
        "--",
        "sh",
        "-c",
        "exit 4",
    ]);
    wait_for(&world, "the hold", || says_when("paused"));
    ends_when_the_rest_is_skipped(&world, "paused");

    let units = world.write("units", "a\na\n");
    let script = r#""$BIN" unit-later 2h --hold group; exit 1"#;
    let submit = ["submit", "-q", "-j", "1", "--name", "group", "--group", "{}", "--shell", "--lines"];
    world.ok(&[&submit[..], &[units.to_str().unwrap(), "--", script]].concat());
    wait_for(&world, "the hold", || {
        world.status("group")["groups"]["held"].as_array().is_some_and(|held| !held.is_empty())
    });
    ends_when_the_rest_is_skipped(&world, "group");
}

#[test]
fn fault_524_a_job_that_waits_for_another_one_ends_when_nothing_is_left_of_it() {
    let world = World::new();
    world.ok(&["submit", "-q", "--name", "first", "--", "sh", "-c", "until test -e go; do sleep 0.05; done"]);
    world.ok(&[
        "submit", "-q", "--name", "second", "--after", "first", "--range", "1-3", "--then", "true", "--", "true",
    ]);

    world.ok(&["skip", "second", "--all"]);

    // Its last unit waits as the others did.
    wait_for(&world, "the last unit", || world.status("second")["progress"]["total"] == 4);
    assert_eq!(world.status("second")["job_status"], "running");
    world.write("go", "");
    wait_for(&world, "the job to end", || world.status("second")["job_status"] == "completed");
}
