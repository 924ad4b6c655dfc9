//! One answer to "why is nothing happening?", for what can be brought about.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{World, send, wait_for};

/// Asks why; the same question without `--json` has the same answer.
fn why(world: &World, target: &str) -> (String, String) {
    let answer: Value = serde_json::from_str(&world.ok(&["explain", target, "--json"])).unwrap();
    assert_eq!(answer["schema"], 1);
    let [cause, next] = ["cause", "next_step"].map(|key| answer[key].as_str().unwrap().to_owned());
    assert!(!answer["sentence"].as_str().unwrap().is_empty(), "{answer}");
    (cause, next)
}

fn cause(world: &World, target: &str) -> String {
    why(world, target).0
}

/// Starts a job with one worker whose first unit lasts until a file `go` is there.
fn held_up(world: &World) -> String {
    let script = "echo started >>started; while ! test -e go; do sleep 0.01; done";
    let job = world.ok(&["submit", "-j", "1", "--kill-after", "1s", "--shell", "--", script, ":::", "a", "b", "c"]);
    wait_for(world, "the first unit to run", || world.status(&job)["progress"]["running"] == 1);
    job
}

#[test]
fn a_batch_that_only_retries_says_so_wherever_it_is_looked_at() {
    let world = World::new();
    let script = "echo trying {}; echo disk full >&2; exit 3";
    let job = world.ok(&["submit", "-j", "2", "--backoff", "1h..1h", "--shell", "--", script, ":::", "a", "b", "c"]);
    wait_for(&world, "all units to wait", || cause(&world, &job) == "waiting_for_retry");

    let (status, said) = (world.status(&job), world.ok(&["status", &job]));
    let explained = world.ok(&["explain", &job]);
    let (failures, report) = (world.ok(&["failures", &job]), world.ok(&["failures", &job, "--json"]));

    let sentence = "3 units wait for another attempt, last: exited with code 3: disk full";
    assert_eq!(status["retrying"]["sentence"], sentence, "{status}");
    assert_eq!((&status["retrying"]["units"], &status["retrying"]["at_least"]), (&3.into(), &false.into()));
    assert_eq!((&status["eta_seconds"], &status["progress"]["failed"]), (&Value::Null, &0.into()));
    assert!(said.contains(&format!("\nretries   {sentence}\n")), "{said}");
    assert!(explained.contains(sentence), "{explained}");
    assert!(failures.contains(sentence) && report.contains(sentence), "{failures} {report}");
    let mut watch = world.job_manager(&["watch", &job, "--progress-every", "10ms"]);
    let mut watching = watch.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(watching.stderr.take().unwrap()), &mut line).unwrap();
    watching.kill().unwrap();
    watching.wait().unwrap();
    assert!(line.contains(&format!("0 failed, {sentence}, waits: the next attempt")), "{line}");
    world.ok(&["skip", &job, "--all"]);
    world.run(&["wait", &job]);
    assert_eq!(world.status(&job)["retrying"], Value::Null);
}

#[test]
fn a_job_is_explained_from_its_creation_to_its_end() {
    let world = World::new();
    let job = world.ok(&["create", "--max-attempts", "1", "--shell", "--", "test {} = ok", ":::", "ok", "no"]);

    let created = why(&world, &job);
    world.ok(&["start", &job]);
    world.run(&["wait", &job]);
    let failed = why(&world, &job);
    let units = [cause(&world, "1:1"), cause(&world, "1:2")];
    world.ok(&["retry", "--no-start", &job, "--failed"]);
    let again = [cause(&world, &job), cause(&world, "1:2")];
    world.ok(&["skip", &job, "--all"]);
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);
    let text = world.ok(&["explain"]);

    assert_eq!(created, ("not_started".to_owned(), "job-manager start 1".to_owned()));
    assert_eq!(failed, ("units_failed".to_owned(), "job-manager failures 1".to_owned()));
    assert_eq!(units, ["unit_completed", "unit_failed"]);
    assert_eq!(again, ["paused", "paused"]);
    assert_eq!(text, "job 1 is over: 2 units completed or skipped\ntry: job-manager results 1");
    assert_eq!(cause(&world, "1:2"), "unit_skipped");
    world.fails(3, &["explain", "1:3"]);
    world.fails(3, &["explain", "9"]);
}

#[test]
fn a_job_that_runs_is_explained_by_what_its_units_and_its_manager_do() {
    let world = World::new();
    let job = held_up(&world);

    let fresh = cause(&world, &job);
    let units = [cause(&world, "1:1"), cause(&world, "1:3")];
    let queued = world.ok(&["explain", "1:3"]);
    world.sql("UPDATE units SET started_at = started_at - 60000000 WHERE status = 'running'");
    let slow = why(&world, &job);
    let pid = world.manager(&job);
    world.suspend(pid);
    let after = "UPDATE managers SET heartbeat_at = heartbeat_at - 60000000";
    world.sql(after);
    let stalled = why(&world, &job);
    send(pid, Signal::SIGCONT);
    wait_for(&world, "the manager to write again", || cause(&world, &job) == "units_slow");
    world.ok(&["stop", &job]);
    let stopping = why(&world, &job);
    world.suspend(pid);
    world.ok(&["cancel", &job, "--no-wait"]);
    let cancelling = cause(&world, &job);
    world.kill_manager(&job);
    let lost = why(&world, &job);
    let lost_units = [cause(&world, "1:1"), cause(&world, "1:3")];
    world.ok(&["cancel", &job]);

    assert_eq!((fresh.as_str(), units), ("working", ["unit_running".to_owned(), "unit_queued".to_owned()]));
    assert!(queued.starts_with("unit 1:3 waits for its turn after 1 unit; 1 of 1 workers are busy"), "{queued}");
    assert_eq!(slow, ("units_slow".to_owned(), "job-manager unit 1:1".to_owned()));
    assert_eq!(stalled, ("manager_stalled".to_owned(), format!("kill -CONT {pid}")));
    assert_eq!(stopping, ("stopping".to_owned(), "job-manager stop 1 --now".to_owned()));
    assert_eq!(cancelling, "cancelling");
    assert_eq!(lost, ("manager_lost".to_owned(), "job-manager cancel 1".to_owned()));
    assert_eq!(lost_units, ["manager_lost", "manager_lost"]);
    assert_eq!(cause(&world, &job), "cancelled");
    assert_eq!(cause(&world, "1:3"), "unit_cancelled");
}

#[test]
fn waits_are_explained_by_what_is_waited_for() {
    let world = World::new();
    let retried = world.ok(&["submit", "--backoff", "1h", "--", "false", ":::", "a", "b"]);
    wait_for(&world, "both units to wait", || cause(&world, &retried) == "waiting_for_retry");
    let unit = cause(&world, "1:1");
    let held = world.ok(&["create", "--", "true"]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let in_an_hour = now.as_micros() + 3_600_000_000;
    world.sql(&format!("UPDATE jobs SET hold_until = {in_an_hour}, hold_reason = 'quota' WHERE id = {held}"));
    world.ok(&["start", &held]);

    assert_eq!(unit, "unit_waits");
    assert_eq!([cause(&world, &held), cause(&world, "2:1")], ["held", "held"]);
    for job in [&retried, &held] {
        world.ok(&["stop", job, "--wait"]);
        assert_eq!(cause(&world, job), "paused");
    }
}

#[test]
fn a_unit_that_took_its_managers_down_and_a_manager_that_fails_are_named() {
    let world = World::new();
    let job = world.ok(&["submit", "--backoff", "1ms", "--shell", "--", "kill -9 $PPID; exec sleep 600"]);
    for _ in 0..3 {
        wait_for(&world, "the manager to be gone", || cause(&world, &job) != "working" && !runs(&world, &job));
        world.run(&["resume", &job]);
    }
    world.run(&["wait", &job]);
    let other = world.ok(&["create", "--", "true"]);
    world.sql(&format!("UPDATE specs SET spec = replace(spec, '[\"true\"]', '[\"a\\u0000\"]') WHERE job_id = {other}"));
    world.run(&["start", &other]);
    wait_for(&world, "the other manager to fail", || world.status(&other)["job_status"] == "failed");

    assert_eq!(cause(&world, "1:1"), "unit_crashed");
    assert_eq!(why(&world, &other), ("manager_failed".to_owned(), "job-manager resume 2".to_owned()));
}

fn runs(world: &World, job: &str) -> bool {
    world.status(job)["status"] == "running"
}

#[test]
fn fault_333_a_stop_by_a_signal_is_told_while_units_run_on() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "-j1", "--", "sleep", "600", ":::", "a", "b"]);
    wait_for(&world, "the first unit", || world.status(&job)["progress"]["running"] == 1);

    send(world.manager(&job), Signal::SIGTERM);
    wait_for(&world, "the word about it", || !world.status(&job)["waiting_for"].is_null());

    let status = world.ok(&["status", &job]);
    let explained: Value = serde_json::from_str(&world.ok(&["explain", &job, "--json"])).unwrap();
    assert!(status.contains("1 running unit to end (stop)"), "{status}");
    assert_eq!(explained["cause"], "stopping", "{explained}");
    world.ok(&["stop", &job, "--now"]);
    world.wait_for_status(&job, "paused");
}
