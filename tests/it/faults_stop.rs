//! Stopping: nothing is lost, whatever the moment and the number of signals.

use std::fs;
use std::process::{Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{World, identity, text, wait_for};

fn signal(pid: u32, signal: Signal) {
    // It may have ended by itself, which is as good.
    let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal);
}

#[test]
fn fault_47_a_term_at_any_moment_pauses_and_a_resume_completes() {
    let world = World::new();
    let numbers = world.numbers(400);
    let job = world.ok(&["submit", "-j", "4", "--lines", &numbers, "--shell", "--", "echo {} >>done"]);

    for round in 0..20_u64 {
        // A little later in each round, and never at the same place of the loop.
        wait_for(&world, "some progress", || {
            let status = world.status(&job);
            status["job_status"] != "running" || status["progress"]["completed"].as_u64().unwrap() >= round * 7
        });
        // The job may complete in any moment: then there is nobody left to stop.
        let Some(manager) = world.status(&job)["pid"].as_u64() else { break };
        let sent = if round % 2 == 0 { Signal::SIGTERM } else { Signal::SIGINT };
        signal(u32::try_from(manager).unwrap(), sent);
        wait_for(&world, "the manager to stop", || world.status(&job)["status"] == "stopped");

        let status = world.status(&job);
        let end = status["job_status"].as_str().unwrap();
        assert!(end == "paused" || end == "completed", "{status}");
        assert_eq!((status["progress"]["failed"].as_u64(), status["progress"]["running"].as_u64()), (Some(0), Some(0)));
        world.assert_sound(&job);
        if end == "completed" {
            break;
        }
        world.ok(&["resume", &job]);
    }

    world.ok(&["wait", &job]);
    let mut done = world.lines("done");
    assert_eq!(done.len(), 400, "a unit that finished under a graceful stop ran twice, or one is missing");
    done.sort();
    done.dedup();
    assert_eq!(done.len(), 400);
}

#[test]
fn a_graceful_stop_lets_running_units_finish() {
    let world = World::new();
    let script = "echo started {} >>log; until test -e go; do sleep 0.02; done; echo finished {} >>log";
    let job = world.ok(&["submit", "-j", "1", "--shell", "--", script, ":::", "a", "b"]);
    wait_for(&world, "the first unit to start", || !world.lines("log").is_empty());

    world.ok(&["stop", &job]);
    wait_for(&world, "the request to be seen", || world.ok(&["logs", "--manager", &job]).contains("stopping"));
    world.write("go", "");
    let waited = world.run(&["wait", &job]);

    assert_eq!(waited.status.code(), Some(12));
    assert_eq!(world.lines("log"), ["started a", "finished a"]);
    assert_eq!(world.status(&job)["progress"]["completed"], 1);
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);
    assert_eq!(world.lines("log").len(), 4);
}

/// Returns how often a process has waited for something; none when it has ended.
fn waits_of(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    if status.contains("\nState:\tZ") {
        return None;
    }
    let (_, waits) = status.split_once("\nvoluntary_ctxt_switches:")?;
    waits.lines().next()?.trim().parse().ok()
}

/// Pauses job 1 with a manager that stands still before it lets go of the job's lock, and returns that.
fn pause_with_leaving_manager(world: &World) -> u32 {
    let script = "until test -e go; do sleep 0.02; done";
    let mut submit = world.job_manager(&["submit", "-j", "1", "--shell", "--", script, ":::", "a", "b"]);
    assert!(submit.env("JOB_MANAGER_CRASH", "after-pause:stop").output().unwrap().status.success());
    let leaving = world.manager("1");
    world.ok(&["stop", "1"]);
    wait_for(world, "the request to be seen", || world.ok(&["logs", "--manager", "1"]).contains("stopping"));
    world.write("go", "");
    world.wait_for_status("1", "paused");
    wait_for(world, "it to stand still", || identity(leaving).is_some_and(|process| process.state == 'T'));
    leaving
}

/// Runs a verb beside such a manager, which goes on when the verb waits for it; returns its output, and whether it waited.
fn run_beside(world: &World, leaving: u32, args: &[&str]) -> (Output, bool) {
    let mut command = world.job_manager(args);
    let mut verb = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It has looked again and again, and has not answered yet.
    wait_for(world, "it to wait", || waits_of(verb.id()).is_none_or(|waits| waits > 20));
    let is_waiting = verb.try_wait().unwrap().is_none();
    signal(leaving, Signal::SIGCONT);
    (verb.wait_with_output().unwrap(), is_waiting)
}

#[test]
fn a_resume_beside_a_manager_that_is_about_to_leave_is_not_lost() {
    let world = World::new();
    let leaving = pause_with_leaving_manager(&world);

    let (resumed, waited) = run_beside(&world, leaving, &["resume", "1"]);

    assert!(waited && resumed.status.success(), "{}", text(&resumed.stderr));
    assert_ne!(text(&resumed.stdout).trim(), leaving.to_string());
    world.ok(&["wait", "1"]);
    world.assert_sound("1");
}

#[test]
fn a_cancel_beside_a_manager_that_is_about_to_leave_cancels() {
    let world = World::new();
    let leaving = pause_with_leaving_manager(&world);

    let (cancelled, waited) = run_beside(&world, leaving, &["cancel", "1"]);

    assert!(waited && cancelled.status.success(), "{}", text(&cancelled.stderr));
    assert_eq!(world.status("1")["job_status"], "cancelled");
    world.assert_sound("1");
}

#[test]
fn a_deletion_beside_a_manager_that_is_about_to_leave_deletes() {
    let world = World::new();
    let leaving = pause_with_leaving_manager(&world);

    let (deleted, waited) = run_beside(&world, leaving, &["rm", "1", "-y"]);

    assert!(waited && deleted.status.success(), "{}", text(&deleted.stderr));
    world.fails(3, &["status", "1"]);
}

#[test]
fn fault_48_a_second_term_ends_the_units_and_still_writes_the_state() {
    for storm in [2, 50] {
        let world = World::new();
        let job = world.ok(&["submit", "-j", "2", "--", "sleep", "600", ":::", "a", "b", "c"]);
        wait_for(&world, "two running units", || world.status(&job)["progress"]["running"] == 2);
        let manager = world.manager(&job);

        signal(manager, Signal::SIGTERM);
        wait_for(&world, "the first signal to be seen", || world.ok(&["logs", "--manager", &job]).contains("stopping"));
        (1..storm).for_each(|_| signal(manager, Signal::SIGTERM));
        world.wait_for_status(&job, "paused");

        let progress = world.status(&job)["progress"].clone();
        assert_eq!((progress["pending"].as_u64(), progress["failed"].as_u64()), (Some(3), Some(0)), "{progress}");
        assert_eq!(world.units(&job)[0]["attempts"], 0, "an interruption is no attempt");
        world.assert_sound(&job);
        world.assert_no_process_left();
    }
}

#[test]
fn stop_now_gives_units_back_and_grace_ends_only_those_that_take_longer() {
    let world = World::new();
    let job = world.ok(&["submit", "-j", "2", "--shell", "--", "test {} = quick || sleep 600", ":::", "slow", "quick"]);
    world.wait_for_completed(&job, 1);

    world.ok(&["stop", &job, "--grace", "200ms", "--wait"]);
    let graceful = world.status(&job);
    world.ok(&["resume", &job]);
    wait_for(&world, "the slow unit to run", || world.status(&job)["progress"]["running"] == 1);
    world.ok(&["stop", &job, "--now", "--wait"]);

    assert_eq!(graceful["progress"]["completed"], 1);
    let status = world.status(&job);
    assert_eq!((status["job_status"].as_str(), status["progress"]["pending"].as_u64()), (Some("paused"), Some(1)));
    world.assert_no_process_left();
}

#[test]
fn a_hangup_does_not_stop_a_manager() {
    let world = World::new();
    let script = "until test -e go; do sleep 0.02; done";
    let job = world.ok(&["submit", "--shell", "--", script]);

    signal(world.manager(&job), Signal::SIGHUP);
    world.write("go", "");

    world.ok(&["wait", &job]);
}

#[test]
fn cancel_holds_although_the_manager_dies_while_it_cancels() {
    let world = World::new();
    let script = "trap '' TERM; echo started >log; while :; do sleep 0.05; done";
    let job = world.ok(&["submit", "--kill-after", "5s", "--shell", "--", script]);
    wait_for(&world, "the unit to start", || !world.lines("log").is_empty());
    let manager = world.manager(&job);

    let mut cancel = world.job_manager(&["cancel", &job, "--reason", "no need"]).spawn().unwrap();
    wait_for(&world, "the request to be seen", || {
        world.ok(&["logs", "--manager", &job]).contains("ending the running")
    });
    signal(manager, Signal::SIGKILL);

    assert!(cancel.wait().unwrap().success());
    assert_eq!(world.status(&job)["job_status"], "cancelled");
    assert_eq!(world.units(&job)[0]["error"], "no need");
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn fault_52_a_database_that_is_busy_at_the_moment_of_the_pause_does_not_fail_the_job() {
    let world = World::new();
    let job = world.ok(&["submit", "--backoff", "1h..1h", "--", "false"]);
    wait_for(&world, "the retry", || world.units(&job)[0]["attempts"] == 1);

    let held = world.hold_write_lock();
    signal(world.manager(&job), Signal::SIGTERM);
    wait_for(&world, "the first try to fail", || {
        world.ok(&["logs", "--manager", &job]).contains("waiting for the lock")
    });
    drop(held);

    world.wait_for_status(&job, "paused");
    world.assert_sound(&job);
}

#[test]
fn a_job_that_was_to_be_cancelled_when_its_manager_died_is_not_resumed() {
    let world = World::new();
    let job = world.ok(&["submit", "--", "sleep", "600"]);
    let manager = world.manager(&job);
    world.suspend(manager);
    let asked = world.ok(&["cancel", &job, "--no-wait"]);
    signal(manager, Signal::SIGKILL);

    let refused = world.fails(4, &["resume", &job]);
    let explained = world.ok(&["explain", &job]);
    let status = world.run(&["status", &job]);
    world.ok(&["cancel", &job]);

    assert_eq!(asked, "0 units cancelled");
    assert!(refused.contains("is to be cancelled, and whoever was to do so is gone"), "{refused}");
    assert!(text(&status.stderr).contains("`job-manager cancel 1` ends it"), "{}", text(&status.stderr));
    assert!(explained.contains("before it could cancel the job"), "{explained}");
    assert_eq!(world.status(&job)["job_status"], "cancelled");
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn a_unit_is_said_to_be_cancelled_when_it_is() {
    let world = World::new();
    let stubborn = "trap '' TERM; echo started >log; while :; do sleep 0.05; done";
    let job = world.ok(&["submit", "--kill-after", "500ms", "--shell", "--", stubborn]);
    wait_for(&world, "the unit to start", || !world.lines("log").is_empty());

    let asked = world.ok(&["cancel", &format!("{job}:1"), "--no-wait"]);
    let later = world.run(&["kill", &format!("{job}:1"), "--then", "retry"]);
    world.run(&["wait", &job, "--timeout", "30s"]);

    assert_eq!(asked, "1 unit asked to end");
    assert_eq!(world.units(&job)[0]["status"], "cancelled", "{}", text(&later.stderr));
    world.assert_sound(&job);
}

#[test]
fn fault_528_a_job_that_is_being_cancelled_is_given_nothing_to_do() {
    let world = World::new();
    let script = "trap '' TERM; touch began; while :; do sleep 0.05; done";
    let submit = [
        "submit",
        "-q",
        "--name",
        "job",
        "--kill-after",
        "20s",
        "--unit-key",
        "{}",
        "--",
        "sh",
        "-c",
        script,
        "sh",
        "{}",
    ];
    world.ok(&[&submit[..], &[":::", "a"]].concat());
    wait_for(&world, "the unit to run", || crate::support::exists(&world.path("began")));
    world.ok(&["cancel", "job", "--no-wait"]);

    for args in [
        &["add", "job", "--unit-key", "{}", "--", ":::", "b"][..],
        &["sync", "job", "--unit-key", "{}", "--", ":::", "a", "b"],
        &["stop", "job"],
    ] {
        let said = world.fails(4, args);
        assert!(said.contains("is being cancelled"), "{args:?}: {said}");
    }
    assert_eq!(world.status("job")["progress"]["total"], 1);
}

#[test]
fn a_stop_at_once_and_after_a_time_is_refused() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--", "sh", "-c", "until test -e go; do sleep 0.05; done"]);

    let said = world.fails(2, &["stop", &job, "--now", "--grace", "30s"]);

    assert!(said.contains("not both"), "{said}");
    world.write("go", "");
    world.wait_for_status(&job, "completed");
}
