//! What failures mean, how fast units start, what runs first and last.

use std::time::{Duration, Instant};

use crate::support::{World, text, wait_for};

fn counts(world: &World) -> [i64; 4] {
    let progress = &world.status("1")["progress"];
    ["completed", "failed", "skipped", "pending"].map(|count| progress[count].as_i64().unwrap())
}

#[test]
fn exit_codes_mean_what_was_said() {
    let world = World::new();

    let ran = world.run(&[
        "run",
        "-q",
        "--backoff",
        "10ms",
        "--exit",
        "65=fail,77=skip,3=ok",
        "--shell",
        "--",
        "echo {} >>tried; exit {}",
        ":::",
        "0",
        "3",
        "65",
        "77",
        "1",
    ]);

    assert_eq!(ran.status.code(), Some(10), "{}", text(&ran.stderr));
    assert_eq!(counts(&world), [2, 2, 1, 0]);
    let tried = |code: &str| world.lines("tried").iter().filter(|line| *line == code).count();
    assert_eq!((tried("65"), tried("1"), tried("77")), (1, 4, 1));
    world.assert_sound("1");
}

#[test]
fn only_listed_codes_are_tried_again() {
    let world = World::new();

    world.fails(
        10,
        &[
            "run",
            "-q",
            "--backoff",
            "10ms",
            "--retry-on",
            "75",
            "--shell",
            "--",
            "echo {} >>tried; exit {}",
            ":::",
            "75",
            "1",
        ],
    );

    let tried = |code: &str| world.lines("tried").iter().filter(|line| *line == code).count();
    assert_eq!((tried("75"), tried("1")), (4, 1));
}

#[test]
fn an_exhausted_quota_holds_all_units_and_costs_no_attempt() {
    let world = World::new();
    let script = "test -e refilled && exit 0; test {} = b || exit 0; touch refilled; exit 79";

    world.ok(&["run", "-q", "-j", "1", "--exit", "79=pause:1s", "--shell", "--", script, ":::", "a", "b", "c"]);

    let units = world.units("1");
    assert!(units.iter().all(|unit| unit["attempts"] == 1), "{units:?}");
    assert_eq!(counts(&world), [3, 0, 0, 0]);
}

#[test]
fn what_exists_is_skipped_and_what_was_not_made_has_failed() {
    let world = World::new();
    world.write("a.out", "there");

    world.fails(
        10,
        &[
            "run",
            "-q",
            "--max-attempts",
            "1",
            "--creates",
            "{}.out",
            "--shell",
            "--",
            "test {} = c || touch {}.out",
            ":::",
            "a",
            "b",
            "c",
        ],
    );

    assert_eq!(counts(&world), [1, 1, 1, 0]);
    let error = world.units("1")[2]["error"].to_string();
    assert!(error.contains("did not make") && error.contains("c.out"), "{error}");
}

#[test]
fn a_json_result_is_one_document() {
    let world = World::new();

    world.fails(
        10,
        &["run", "-q", "--max-attempts", "1", "--result", "json", "--", "echo", "{}", ":::", "{\"a\": 1}", "{oops"],
    );

    let results = world.ok(&["results"]);
    assert!(results.contains("{\"a\": 1}") || results.contains("{\"a\":1}"), "{results}");
    assert!(world.units("1")[1]["error"].to_string().contains("not a JSON document"));
}

#[test]
fn a_job_pauses_at_the_failures_it_may_have_and_says_why() {
    let world = World::new();
    let units: Vec<String> = (1..=50).map(|unit| unit.to_string()).collect();
    let mut submit = world.job_manager(&[
        "run",
        "-q",
        "-j",
        "1",
        "--max-attempts",
        "1",
        "--max-failures",
        "10%",
        "--",
        "false",
        ":::",
    ]);

    let ran = submit.args(&units).output().unwrap();

    assert_eq!(ran.status.code(), Some(12), "{}", text(&ran.stderr));
    let status = world.status("1");
    assert!(
        status["waiting_for"].to_string().contains("5 units failed")
            || status["waiting_for"].to_string().contains("failed since"),
        "{status}"
    );
    let failed = status["progress"]["failed"].as_i64().unwrap();
    assert!((5..40).contains(&failed), "{failed}");
    world.assert_sound("1");
}

#[test]
fn a_deadline_ends_what_runs_and_pauses() {
    let world = World::new();

    let ran = world.run(&["run", "-q", "--deadline", "300ms", "--kill-after", "1s", "--", "sleep", "600"]);

    assert_eq!(ran.status.code(), Some(12), "{}", text(&ran.stderr));
    let status = world.status("1");
    assert!(status["waiting_for"].to_string().contains("deadline"), "{status}");
    assert_eq!(counts(&world), [0, 0, 0, 1]);
    world.ok(&["set", "1", "deadline=none"]);
    world.assert_no_process_left();
}

#[test]
fn units_start_no_faster_than_their_rate() {
    let world = World::new();
    let began = Instant::now();

    world.ok(&[
        "run", "-q", "-j", "4", "--rate", "20/s", "--", "true", ":::", "1", "2", "3", "4", "5", "6", "7", "8", "9",
        "10", "11",
    ]);

    assert!(began.elapsed() >= Duration::from_millis(500), "{:?}", began.elapsed());
}

#[test]
fn a_rate_can_be_changed_while_the_job_runs() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--rate", "1/h", "--", "true", ":::", "1", "2", "3"]);
    world.wait_for_completed(&job, 1);

    world.ok(&["set", &job, "rate=none"]);

    world.ok(&["wait", &job]);
}

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
    world.ok(&["retry", "1", "--failed"]);
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

    world.ok(&["retry", "1", "--failed"]);
    world.ok(&["resume", "1"]);
    world.fails(10, &["wait", "1"]);
    assert_eq!(world.lines("ran").len(), 2);
    assert_eq!(counts(&world), [1, 2, 1, 0]);
    world.write("made", "");
    world.ok(&["retry", "1", "--key", "job-manager:then"]);
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
fn units_that_are_added_while_a_job_runs_are_run() {
    let world = World::new();
    let job = world.ok(&[
        "submit",
        "-q",
        "-j",
        "1",
        "--unit-key",
        "{}",
        "--",
        "sh",
        "-c",
        "sleep 0.3; echo {} >>done",
        ":::",
        "1",
        "2",
    ]);
    wait_for(&world, "the job to run", || world.status(&job)["job_status"] == "running");

    let added = world.ok(&["add", &job, "--unit-key", "{}", "--", ":::", "2", "3", "4"]);
    world.ok(&["wait", &job]);

    assert_eq!(added, "2 units added, 1 already there");
    assert_eq!(world.lines("done"), ["1", "2", "3", "4"]);
    world.fails(2, &["add", &job, "--", "true", ":::", "5"]);
    world.sh("seq 5000 >many; printf 'a\\0b\\n' >>many");
    world.fails(2, &["add", &job, "--lines", "many"]);
    assert_eq!(world.status(&job)["progress"]["total"], 4);
    world.fails(2, &["add", &job]);
}

#[test]
fn a_job_waits_for_another_one_to_complete() {
    let world = World::new();
    let first = world.ok(&["submit", "-q", "--", "sh", "-c", "sleep 0.5; echo first >>done"]);

    let second = world.ok(&["submit", "-q", "--after", &first, "--", "sh", "-c", "echo second >>done"]);
    let waiting = world.status(&second)["waiting_for"].clone();
    world.ok(&["wait", &second]);

    assert_eq!(world.lines("done"), ["first", "second"]);
    assert!(waiting.is_null() || waiting == "job 1 to complete", "{waiting}");
    world.fails(3, &["submit", "-q", "--after", "77", "--", "true"]);
}

#[test]
fn a_job_that_waits_for_one_that_fails_pauses_and_says_so() {
    let world = World::new();
    world.fails(10, &["run", "-q", "--max-attempts", "1", "--", "false"]);

    world.fails(12, &["run", "-q", "--after", "1", "--", "touch", "ran"]);

    assert!(world.status("2")["waiting_for"].to_string().contains("it waits for job 1, which is failed"));
    world.ok(&["set", "2", "after=none"]);
    world.ok(&["resume", "2"]);
    world.ok(&["wait", "2"]);
    assert!(world.path("ran").exists());
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
fn units_have_the_environment_of_the_submission_and_secrets_of_the_start() {
    let world = World::new();
    let mut create = world.job_manager(&["create", "-q", "--env", "MODE=fast", "--shell", "--"]);
    create.arg("echo $MODE $COLOUR $API_KEY >>seen").env("COLOUR", "blue").env("API_KEY", "first-secret");
    assert!(create.status().unwrap().success());

    let mut start = world.job_manager(&["start", "1"]);
    assert!(start.env("COLOUR", "red").env("API_KEY", "second-secret").output().unwrap().status.success());
    world.ok(&["wait", "1"]);

    assert_eq!(world.lines("seen"), ["fast blue second-secret"]);
    let files = std::fs::read(world.db()).unwrap();
    assert!(!files.windows(7).any(|bytes| bytes == b"-secret"), "a secret is in the database");
    world.fails(2, &["create", "-q", "--env", "API_KEY=x", "--", "true"]);
}

#[test]
fn a_job_does_not_start_without_a_secret_that_was_asked_for_and_says_which_others_are_missing() {
    let world = World::new();
    let mut create = world.job_manager(&["create", "-q", "--env", "API_KEY", "--", "true"]);
    assert!(create.env("API_KEY", "x").env("OTHER_TOKEN", "y").status().unwrap().success());

    let said = world.fails(4, &["start", "1"]);
    let started = world.job_manager(&["start", "1"]).env("API_KEY", "x").output().unwrap();

    assert!(said.contains("need API_KEY") && !said.contains("OTHER_TOKEN"), "{said}");
    let hint = String::from_utf8(started.stderr).unwrap();
    assert!(hint.contains("run without OTHER_TOKEN") && !hint.contains("API_KEY"), "{hint}");
    world.ok(&["wait", "1"]);
}

#[test]
fn a_start_that_is_refused_changes_nothing() {
    let world = World::new();
    let mut submit =
        world.job_manager(&["run", "-q", "--canary", "1", "--env", "API_KEY", "--", "true", ":::", "1", "2"]);
    assert_eq!(submit.env("API_KEY", "x").status().unwrap().code(), Some(12));

    world.fails(4, &["approve", "1"]);
    world.fails(4, &["resume", "1"]);

    assert_eq!(world.status("1")["job_status"], "awaiting_approval");
}

#[test]
fn what_a_broken_off_attempt_left_half_made_is_made_again() {
    let world = World::new();
    let script = "echo {} >>tried; echo half >{}.out; test $(grep -c {} tried) = 2 && echo whole >{}.out";

    world.ok(&["run", "-q", "--backoff", "10ms", "--creates", "{}.out", "--shell", "--", script, ":::", "a"]);

    assert_eq!(world.lines("a.out"), ["whole"]);
    assert_eq!(counts(&world), [1, 0, 0, 0]);
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
fn a_job_without_units_left_ends_although_too_many_failed() {
    let world = World::new();

    world.fails(10, &["run", "-q", "--max-attempts", "1", "--max-failures", "1", "--", "false"]);

    assert_eq!(world.status("1")["job_status"], "failed");
}

#[test]
fn an_approval_from_the_hook_goes_on_with_the_job() {
    let world = World::new();
    let hook = world.write("hook.sh", "#!/bin/sh\ntest $1 = job_paused && \"$BIN\" approve $2\nexit 0\n");
    world.sh("chmod +x hook.sh");

    world.fails(12, &["run", "-q", "--canary", "1", "--hook", hook.to_str().unwrap(), "--", "true", ":::", "1", "2"]);

    wait_for(&world, "the second unit", || world.status("1")["job_status"] == "completed");
}

#[test]
fn a_deadline_ends_what_a_patient_stop_waits_for() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--deadline", "1s", "--kill-after", "1s", "--", "sleep", "600"]);
    wait_for(&world, "the unit to run", || world.status(&job)["progress"]["running"] == 1);

    world.ok(&["stop", "--wait", &job]);

    assert_eq!(counts(&world), [0, 0, 0, 1]);
    world.assert_no_process_left();
}
