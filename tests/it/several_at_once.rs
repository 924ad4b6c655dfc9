//! Verbs about several units or jobs at once, and what people read of times.

use serde_json::Value;

use crate::support::{World, text, wait_for};

/// Starts a job of three units that run until the file `go` is there, and two that wait behind them.
fn three_run(world: &World) -> String {
    let script = ": {}; until test -e go; do sleep 0.02; done";
    let items = ["large-1", "large-2", "small-3", "large-4", "small-5"];
    let submit = ["submit", "-q", "-j", "3", "--shell", "--", script, ":::"];
    let job = world.ok(&[&submit[..], &items].concat());
    wait_for(world, "three to run", || world.status(&job)["progress"]["running"] == 3);
    job
}

fn states(world: &World, job: &str) -> Vec<String> {
    world.units(job).iter().map(|unit| unit["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_retry_starts_a_job_that_had_ended() {
    let world = World::new();
    world.fails(10, &["run", "-q", "--max-attempts", "1", "--", "test", "-e", "made"]);

    world.write("made", "");
    let retried = world.run(&["retry", "1"]);
    world.ok(&["wait", "1", "--timeout", "30s"]);

    assert_eq!(text(&retried.stdout), "1 unit pending again\n");
    assert!(text(&retried.stderr).contains("job 1 goes on, process "), "{}", text(&retried.stderr));
    assert_eq!(world.status("1")["job_status"], "completed");
    world.assert_sound("1");
}

#[test]
fn a_retry_leaves_a_job_paused_that_was_or_is_to_stay_so() {
    let world = World::new();
    world.fails(10, &["run", "-q", "--max-attempts", "1", "--", "test", "-e", "made", ":::", "1", "2"]);

    let left = world.run(&["retry", "1", "--seq", "1", "--no-start"]);
    let paused = world.run(&["retry", "1"]);

    for said in [&left, &paused] {
        assert_eq!(text(&said.stdout), "1 unit pending again\n");
        assert_eq!(text(&said.stderr), "`job-manager resume 1` runs them\n");
    }
    assert_eq!(world.status("1")["job_status"], "paused");
    assert_eq!(world.status("1")["epoch"], 1);
}

#[test]
fn cancel_takes_a_filter_and_leaves_other_units_alone() {
    let world = World::new();
    let job = three_run(&world);

    let refused = world.fails(2, &["cancel", &format!("{job}:1"), "--match", "large"]);
    world.fails(3, &["cancel", &job, "--match", "huge"]);
    world.fails(3, &["cancel", &job, "--status", "completed"]);
    let cancelled = world.ok(&["cancel", &job, "--match", "^large", "--reason", "too large"]);
    let after = states(&world, &job);
    world.write("go", "");
    // Some were cancelled, and none failed.
    world.fails(11, &["wait", &job]);

    assert!(refused.contains("either one unit or a filter"), "{refused}");
    assert_eq!(cancelled, "3 units cancelled");
    assert_eq!([&after[0], &after[1], &after[3]], ["cancelled"; 3]);
    assert_eq!(states(&world, &job), ["cancelled", "cancelled", "completed", "cancelled", "completed"]);
    assert_eq!(world.units(&job)[3]["error"], "too large");
    world.assert_sound(&job);
}

#[test]
fn the_key_of_a_unit_cancels_it_beside_its_job() {
    let world = World::new();
    world.ok(&["create", "-q", "--unit-key", "k{}", "--", "true", ":::", "1", "2"]);

    assert_eq!(world.ok(&["cancel", "1", "--key", "k2"]), "1 unit cancelled");

    assert_eq!(states(&world, "1"), ["pending", "cancelled"]);
}

#[test]
fn kill_takes_a_filter_and_ends_running_units_only() {
    let world = World::new();
    let job = three_run(&world);

    let refused = world.fails(2, &["kill", &job]);
    world.fails(3, &["kill", &job, "--match", "large-4"]);
    let ended = world.ok(&["kill", &job, "--match", "^large", "--then", "skip"]);
    let after = states(&world, &job);
    world.write("go", "");
    world.ok(&["wait", &job]);

    assert!(refused.contains("name a unit"), "{refused}");
    assert_eq!(ended, "2 units ended");
    assert_eq!(&after[..2], ["skipped"; 2]);
    assert_eq!(states(&world, &job), ["skipped", "skipped", "completed", "completed", "completed"]);
    world.fails(3, &["kill", &job, "--all"]);
    world.assert_sound(&job);
}

#[test]
fn a_filter_of_running_units_changes_nothing_when_their_manager_is_gone() {
    let world = World::new();
    let job = three_run(&world);
    world.kill_manager(&job);
    let before = states(&world, &job);

    world.fails(4, &["cancel", &job, "--match", "^large"]);
    world.fails(4, &["kill", &job, "--all"]);

    assert_eq!(states(&world, &job), before);
    world.ok(&["cancel", &job]);
    world.assert_no_process_left();
}

#[test]
fn several_jobs_are_waited_for_and_shown_with_the_exit_code_of_the_worst() {
    let world = World::new();
    let done = world.ok(&["submit", "-q", "--", "true"]);
    let failing = world.ok(&["submit", "-q", "--max-attempts", "1", "--", "false"]);
    let cancelled = world.ok(&["create", "-q", "--", "true"]);
    world.ok(&["cancel", &cancelled]);

    let waited = world.fails(10, &["wait", &done, &failing, &cancelled, &done]);
    let documents = world.run(&["status", &done, &failing, "--json", "--exit-code"]);
    let shown = world.ok(&["status", &done, &cancelled]);
    world.fails(11, &["status", "--exit-code", &cancelled, &done]);
    world.fails(3, &["status", &done, "99"]);

    assert!(waited.is_empty() || !waited.contains("error"), "{waited}");
    assert_eq!(documents.status.code(), Some(10));
    let ids: Vec<Value> = text(&documents.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["job"]["id"].clone())
        .collect();
    assert_eq!(ids, [Value::from(1), Value::from(2)]);
    assert_eq!(shown.lines().filter(|line| line.starts_with("job  ")).count(), 2, "{shown}");
}

#[test]
fn a_job_that_lost_its_manager_ends_the_wait_for_others_that_go_on() {
    let world = World::new();
    let goes_on = three_run(&world);
    let lost = world.ok(&["submit", "-q", "--", "sleep", "60"]);
    wait_for(&world, "it to run", || world.status(&lost)["progress"]["running"] == 1);
    world.kill_manager(&lost);

    let said = world.run(&["wait", &goes_on, &lost, "--timeout", "30s"]);

    assert_eq!(said.status.code(), Some(13), "{}", text(&said.stderr));
    world.ok(&["cancel", &lost]);
    world.write("go", "");
    world.ok(&["wait", &goes_on]);
    world.fails(124, &["wait", &world.ok(&["create", "-q", "--", "true"]), "--timeout", "0"]);
}

#[test]
fn people_read_local_times_without_milliseconds_and_programs_utc() {
    let world = World::new();
    world.ok(&["run", "-q", "--", "true"]);
    let in_tokyo = |args: &[&str]| {
        let output = world.job_manager(args).env("TZ", "Asia/Tokyo").output().unwrap();
        text(&output.stdout)
    };

    let status = in_tokyo(&["status", "1"]);
    let started = status.lines().find(|line| line.starts_with("started ")).unwrap();
    let unit = in_tokyo(&["unit", "1:1"]);
    let report = in_tokyo(&["report", "1", "--format", "md"]);
    let json: Value = serde_json::from_str(&in_tokyo(&["status", "1", "--json"])).unwrap();

    let (at, _) = started.split_once(" +09:00 (").unwrap_or_else(|| panic!("{started}"));
    assert!(!at.contains('.'), "{started}");
    assert!(unit.lines().any(|line| line.starts_with("time ") && line.contains(" +09:00, ")), "{unit}");
    for row in report.lines().filter(|line| line.contains("Started") || line.contains("Ended")) {
        assert!(row.contains("+09:00") && !row.contains('.'), "{row}");
    }
    assert!(json["started_at"].as_str().unwrap().ends_with('Z'), "{json}");
}

#[test]
fn fault_540_a_wait_that_is_given_up_names_the_time_that_was_given() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);

    let [look, second, mixed] =
        ["0", "1", "1.05s"].map(|time| world.fails(124, &["wait", "1", "1", "--timeout", time]));

    assert!(look.ends_with("job 1 has not ended\n"), "{look:?}");
    assert!(second.ends_with("job 1 has not ended after 1s\n"), "{second:?}");
    assert!(mixed.ends_with("job 1 has not ended after 1s50ms\n"), "{mixed:?}");
}
