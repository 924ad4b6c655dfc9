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

#[test]
fn fault_531_a_unit_that_ends_without_an_attempt_took_no_time_of_the_one_before() {
    let world = World::new();
    let script = "echo $$ >>tried; exit 1";
    let fails = ["submit", "-q", "--output", "full", "--max-attempts", "1", "--shell", "--", script];
    let waits = ["submit", "-q", "--backoff", "1h", "--shell", "--", script];
    world.ok(&[&fails[..], &[":::", "a", "b", "c"]].concat());
    world.run(&["wait", "1"]);
    world.ok(&[&waits[..], &[":::", "a", "b"]].concat());
    world.ok(&["submit", "-q", "-n", "2", "--max-attempts", "1", "--shell", "--", script, ":::", "a", "b"]);
    world.run(&["wait", "3"]);
    wait_for(&world, "both to wait", || world.units("2").iter().all(|unit| unit["not_before"].is_string()));

    world.ok(&["skip", "1", "--seq", "1"]);
    world.ok(&["sync", "1", "--", ":::", "a", "b"]);
    world.ok(&["skip", "2", "--seq", "1"]);
    world.ok(&["cancel", "2"]);
    world.run(&["wait", "2"]);
    world.ok(&["retry", "3", "--one-by-one", "--no-start"]);

    let gone = |job: &str, seq: usize| {
        let unit = world.units(job)[seq - 1].clone();
        assert!(["skipped", "cancelled"].contains(&unit["status"].as_str().unwrap()), "{unit}");
        assert!(unit["started_at"].is_null() && unit["finished_at"].is_string(), "{unit}");
        let results = world.ok(&["results", job, "--all", "--seq", &seq.to_string()]);
        assert!(results.contains("\"seconds\":null"), "{results}");
        let said = world.ok(&["unit", &format!("{job}:{seq}")]);
        assert!(!said.contains("\ntime ") && said.contains("attempt 1 (failed, "), "{said}");
    };
    [("1", 1), ("1", 3), ("2", 1), ("2", 2), ("3", 1)].iter().for_each(|(job, seq)| gone(job, *seq));
    assert!(world.units("1")[1]["started_at"].is_string());
    assert!(world.ok(&["units", "1", "--sort", "duration", "-q"]).starts_with('2'));
    ["1", "2", "3"].iter().for_each(|job| world.assert_sound(job));
}

#[test]
fn what_a_unit_wrote_that_is_skipped_later_is_shown_as_before() {
    let world = World::new();
    let run = ["run", "-q", "--output", "full", "--max-attempts", "1", "--shell", "--", "echo said; exit 1"];
    world.fails(10, &run);

    world.ok(&["skip", "1", "--all"]);

    assert_eq!(world.ok(&["logs", "1:1"]), "said");
    assert_eq!(world.ok(&["logs", "1:1", "--attempt", "1"]), "said");
}
