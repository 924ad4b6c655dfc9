//! What failures mean, how fast units start, what runs first and last.

use std::time::{Duration, Instant};

use crate::support::{World, text, wait_for};

pub fn counts(world: &World) -> [i64; 4] {
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
fn what_a_broken_off_attempt_left_half_made_is_made_again() {
    let world = World::new();
    let script = "echo {} >>tried; echo half >{}.out; test $(grep -c {} tried) = 2 && echo whole >{}.out";

    world.ok(&["run", "-q", "--backoff", "10ms", "--creates", "{}.out", "--shell", "--", script, ":::", "a"]);

    assert_eq!(world.lines("a.out"), ["whole"]);
    assert_eq!(counts(&world), [1, 0, 0, 0]);
}

#[test]
fn a_job_without_units_left_ends_although_too_many_failed() {
    let world = World::new();

    world.fails(10, &["run", "-q", "--max-attempts", "1", "--max-failures", "1", "--", "false"]);

    assert_eq!(world.status("1")["job_status"], "failed");
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

#[test]
fn fault_525_no_unit_starts_after_as_many_have_failed_as_may() {
    let world = World::new();
    let units = world.write("units", &"a\n".repeat(20));
    let run = |name: &str, most: &str, more: &[&str]| {
        let args = ["run", "-q", "-j", "1", "--max-attempts", "1", "--name", name, "--max-failures", most];
        let args = [&args[..], more, &["--lines", units.to_str().unwrap(), "--", "false"]].concat();
        world.job_manager(&args).status().unwrap();
        world.status(name)["progress"]["failed"].clone()
    };

    assert_eq!(run("one", "1", &[]), 1);
    assert_eq!(run("three", "3", &[]), 3);
    assert_eq!(run("share", "50%", &[]), 10);
    assert_eq!(run("group", "3/group", &["--group", "{}"]), 3);
    assert_eq!(world.status("group")["job_status"], "paused");
    let why = world.ok(&["explain", "three"]);
    assert!(why.contains("3 units failed since its latest start"), "{why}");
}
