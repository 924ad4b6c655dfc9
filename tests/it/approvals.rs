//! What waits for somebody, and who is told.

use crate::support::{World, text, wait_for};

#[test]
fn the_first_units_run_alone_and_the_others_wait_for_an_approval() {
    let world = World::new();
    let mut submit = world.job_manager(&["run", "-q", "--canary", "3", "--", "sh", "-c", "echo {} >>done", ":::"]);
    let ran = submit.args((1..=10).map(|unit| unit.to_string())).output().unwrap();

    assert_eq!(ran.status.code(), Some(12), "{}", text(&ran.stderr));
    let status = world.status("1");
    assert_eq!(status["job_status"], "awaiting_approval");
    assert!(status["waiting_for"].to_string().contains("approve"), "{status}");
    assert_eq!(world.lines("done").len(), 3);
    world.fails(4, &["resume", "1"]);
    world.ok(&["approve", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(world.lines("done").len(), 10);
    world.fails(4, &["approve", "1"]);
    world.assert_sound("1");
}

#[test]
fn a_rejected_job_is_cancelled() {
    let world = World::new();
    world.fails(12, &["run", "-q", "--canary", "1", "--", "true", ":::", "1", "2", "3"]);

    world.ok(&["reject", "1", "--reason", "blurred"]);

    let status = world.status("1");
    assert_eq!((status["job_status"].as_str(), status["progress"]["cancelled"].as_i64()), (Some("cancelled"), Some(2)));
    world.assert_sound("1");
}

#[test]
fn a_hook_is_told_of_failed_units_and_of_the_end_as_data() {
    let world = World::new();
    let hook = world.write("hook.sh", "#!/bin/sh\nprintf '%s %s ' \"$1\" \"$2\" >>told; cat >>told; echo >>told\n");
    world.sh("chmod +x hook.sh");

    world.fails(
        10,
        &[
            "run",
            "-q",
            "-j",
            "1",
            "--max-attempts",
            "1",
            "--hook",
            hook.to_str().unwrap(),
            "--",
            "test",
            "{}",
            "=",
            "a",
            ":::",
            "a",
            "$(touch pwned)",
        ],
    );

    let is_told = || matches!(&world.lines("told")[..], [_, end] if end.ends_with('}'));
    wait_for(&world, "both events", is_told);
    let told = world.lines("told");
    assert!(told[0].starts_with("unit_failed 1 {") && told[0].contains("$(touch pwned)"), "{told:?}");
    assert!(told[1].starts_with("job_ended 1 {") && told[1].contains("\"status\":\"failed\""), "{told:?}");
    assert!(!world.path("pwned").exists());
}

#[test]
fn a_hook_that_fails_stops_nothing_and_is_reported() {
    let world = World::new();
    let hook = world.write("hook.sh", "#!/bin/sh\necho no network >&2; exit 3\n");
    world.sh("chmod +x hook.sh");

    world.ok(&["run", "-q", "--hook", hook.to_str().unwrap(), "--", "true"]);

    wait_for(&world, "the report", || !world.status("1")["callback_error"].is_null());
    let error = world.status("1")["callback_error"].to_string();
    assert!(error.contains("code 3") && error.contains("no network"), "{error}");
    world.fails(127, &["run", "-q", "--hook", "no-such-program", "--", "true"]);
}

#[test]
fn no_unit_behind_the_first_ones_runs_without_an_approval() {
    let world = World::new();
    let mut create =
        world.job_manager(&["create", "-q", "-j", "1", "--canary", "4", "--", "sh", "-c", "echo {} >>done", ":::"]);
    assert!(create.args((1..=12).map(|unit| unit.to_string())).status().unwrap().success());
    world.ok(&["skip", "1", "--seq", "1-2"]);

    world.ok(&["start", "1"]);
    world.fails(12, &["wait", "1"]);

    assert_eq!(world.status("1")["job_status"], "awaiting_approval");
    let mut done = world.lines("done");
    done.sort();
    assert_eq!(done, ["3", "4"]);
}

#[test]
fn an_approval_from_the_hook_goes_on_with_the_job() {
    let world = World::new();
    let hook = world.write("hook.sh", "#!/bin/sh\ntest $1 = job_paused && \"$BIN\" approve $2\nexit 0\n");
    world.sh("chmod +x hook.sh");

    world.fails(12, &["run", "-q", "--canary", "1", "--hook", hook.to_str().unwrap(), "--", "true", ":::", "1", "2"]);

    wait_for(&world, "the second unit", || world.status("1")["job_status"] == "completed");
}
