//! What clients can do to a job and its units while they run.

use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{World, identity, merged, send, text, wait_for};

/// Submits units that sleep, so that what runs can be counted.
fn submit_sleepers(world: &World, workers: &str, count: usize, seconds: &str) -> String {
    let mut submit =
        world.job_manager(&["submit", "-q", "-j", workers, "--kill-after", "2s", "--", "sleep", seconds, ":::"]);
    let ran = submit.args((1..=count).map(|unit| unit.to_string())).output().unwrap();
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

fn running(world: &World, job: &str) -> i64 {
    world.status(job)["progress"]["running"].as_i64().unwrap()
}

#[test]
fn a_job_is_scaled_up_and_down_while_it_runs() {
    let world = World::new();
    let job = submit_sleepers(&world, "1", 10_000, "0.05");
    wait_for(&world, "a unit to run", || running(&world, &job) == 1);

    world.ok(&["scale", &job, "16"]);
    let asked = Instant::now();
    wait_for(&world, "sixteen to run", || running(&world, &job) > 12);
    let up = asked.elapsed();
    world.ok(&["scale", &job, "2"]);
    let asked = Instant::now();
    wait_for(&world, "two to be left", || running(&world, &job) <= 2);
    let down = asked.elapsed();

    eprintln!("up in {up:?}, down in {down:?}");
    assert!(up < Duration::from_secs(2) && down < Duration::from_secs(2), "{up:?} {down:?}");
    assert_eq!(world.status(&job)["workers"], 2);
    world.ok(&["stop", "--wait", &job]);
    world.fails(2, &["scale", &job, "0"]);
    world.assert_sound(&job);
}

#[test]
fn one_running_unit_is_killed_and_the_others_go_on() {
    for (then, status, exit) in [("skip", "skipped", 0), ("fail", "failed", 10), ("retry", "running", 0)] {
        let world = World::new();
        let job = submit_sleepers(&world, "2", 2, "600");
        wait_for(&world, "both to run", || running(&world, &job) == 2);

        let asked = Instant::now();
        world.ok(&["kill", &format!("{job}:1"), "--then", then, "--reason", "it hangs"]);
        eprintln!("killed after {:?}", asked.elapsed());

        if then == "retry" {
            wait_for(&world, "its next attempt", || world.units(&job)[0]["attempts"] == 2);
        }
        let units = world.units(&job);
        assert_eq!((units[0]["status"].as_str(), units[1]["status"].as_str()), (Some(status), Some("running")));
        if exit == 10 {
            assert_eq!(units[0]["error"], "it hangs");
        }
        world.fails(3, &["kill", &format!("{job}:7")]);
        world.ok(&["stop", "--now", "--wait", &job]);
        world.fails(4, &["kill", &format!("{job}:2")]);
        world.assert_no_process_left();
        world.assert_sound(&job);
    }
}

#[test]
fn a_running_unit_can_be_cancelled() {
    let world = World::new();
    let job = submit_sleepers(&world, "1", 2, "600");
    wait_for(&world, "a unit to run", || running(&world, &job) == 1);

    world.ok(&["cancel", &format!("{job}:1"), "--reason", "wrong file"]);

    wait_for(&world, "it to be cancelled", || world.units(&job)[0]["status"] == "cancelled");
    wait_for(&world, "the next to run", || world.units(&job)[1]["status"] == "running");
    world.ok(&["stop", "--now", "--wait", &job]);
    world.assert_sound(&job);
}

#[test]
fn jobs_share_the_places_of_the_machine_and_say_what_they_wait_for() {
    let world = World::new();
    let first = submit_sleepers(&world, "4", 1_000, "0.1");
    world.ok(&["scale", "--machine", "2"]);
    wait_for(&world, "two to be left", || running(&world, &first) <= 2);

    let second = submit_sleepers(&world, "4", 1_000, "0.1");
    let both = || (running(&world, &first), running(&world, &second));
    wait_for(&world, "each to have one", || both() == (1, 1));
    let third = submit_sleepers(&world, "1", 3, "0.1");
    for _ in 0..50 {
        let sum: i64 = [&first, &second, &third].map(|job| running(&world, job)).iter().sum();
        // They are looked at one after the other, while a place is passed on.
        assert!(sum <= 3, "{sum} units at the same time");
    }
    world.ok(&["wait", &third, "--timeout", "60s"]);

    // One of them may just be passed on.
    let taken = "limit over all jobs: 2, places taken: 2";
    wait_for(&world, "both places to be seen taken", || world.ok(&["doctor"]).contains(taken));
    world.ok(&["scale", "--machine", "none"]);
    wait_for(&world, "all to run", || both() == (4, 4));
    for job in [&first, &second] {
        world.ok(&["stop", "--wait", job]);
        world.assert_sound(job);
    }
    world.fails(2, &["scale", "--machine", "0"]);
    world.fails(2, &["scale", "--machine", "2", "1", "2"]);
}

#[test]
fn a_job_that_is_made_to_wait_for_another_gives_its_place_up() {
    let world = World::new();
    let first = submit_sleepers(&world, "1", 1_000, "0.1");
    world.ok(&["scale", "--machine", "1"]);
    wait_for(&world, "its unit to have the place", || {
        world.ok(&["doctor"]).contains("limit over all jobs: 1, places taken: 1")
    });
    let second = submit_sleepers(&world, "1", 3, "0.1");

    let only_pending = "pending = total, running = 0, completed = 0";
    let limits = merged("limits", &format!("{{\"after\":{second}}}"));
    world.sql(&format!(
        "UPDATE units SET status = 'pending', attempts = 0, finished_at = NULL WHERE job_id = {first}; \
         UPDATE jobs SET limits = {limits}, revision = revision + 1, {only_pending} \
         WHERE id = {first}"
    ));

    world.ok(&["wait", &second, "--timeout", "30s"]);
    world.ok(&["stop", "--now", "--wait", &first]);
}

#[test]
fn a_job_without_a_place_says_so_and_gets_that_of_a_manager_that_dies() {
    let world = World::new();
    let first = submit_sleepers(&world, "1", 1, "600");
    world.ok(&["scale", "--machine", "1"]);
    let taken = "limit over all jobs: 1, places taken: 1";
    wait_for(&world, "its unit to have the place", || world.ok(&["doctor"]).contains(taken));
    let second = submit_sleepers(&world, "1", 1, "0");
    wait_for(&world, "the place to be seen taken", || world.ok(&["explain", &second, "-q"]) == "machine_busy");
    assert!(world.status(&second)["waiting_for"].as_str().unwrap().contains("the limit over all jobs is 1"));

    world.kill_manager(&first);

    world.ok(&["wait", &second, "--timeout", "60s"]);
    world.ok(&["resume", &first]);
    world.ok(&["stop", "--now", "--wait", &first]);
}

#[test]
fn the_newest_job_is_not_ended_unasked_when_none_was_named() {
    let world = World::new();
    let job = world.ok(&["create", "-q", "--name", "precious", "--", "true", ":::", "a", "b"]);
    let first = world.ok(&["submit", "-q", "--canary", "1", "--", "true", ":::", "a", "b"]);
    world.wait_for_status(&first, "awaiting_approval");

    let rejected = world.fails(2, &["reject"]);
    world.ok(&["reject", "-y"]);
    let ended = world.fails(4, &["cancel"]);
    world.ok(&["rm", &first, "-y"]);
    let cancelled = world.fails(2, &["cancel"]);

    assert!(rejected.contains("this would reject job 2 (true), the newest, with 1 unit left: give -y"), "{rejected}");
    assert!(ended.contains("it is cancelled"), "{ended}");
    assert!(cancelled.contains("this would cancel job 1 (precious), the newest, with 2 units left"), "{cancelled}");
    assert_eq!(world.status(&job)["job_status"], "created");
    assert_eq!(world.ok(&["cancel", ":1"]), "1 unit cancelled");
    assert_eq!(world.ok(&["cancel", "-y"]), "1 unit cancelled");
}

#[test]
fn a_job_that_is_deleted_while_it_is_started_is_not_found() {
    let world = World::new();
    let job = world.ok(&["create", "--", "true"]);
    let mut start = world.job_manager(&["start", &job]);
    let start = start.env("JOB_MANAGER_CRASH", "before-launch:stop").stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&world, "the start to stand still", || identity(start.id()).is_some_and(|found| found.state == 'T'));

    world.ok(&["rm", "-y", &job]);
    send(start.id(), Signal::SIGCONT);
    let started = start.wait_with_output().unwrap();

    assert_eq!(started.status.code(), Some(3), "{}", text(&started.stderr));
    assert!(text(&started.stderr).contains("no job 1"), "{}", text(&started.stderr));
}

#[test]
fn a_job_that_is_named_twice_is_deleted_once_and_the_others_too() {
    let world = World::new();
    for name in ["a", "b"] {
        world.ok(&["create", "-q", "--name", name, "--range", "1-2", "--", "true"]);
    }

    let deleted = world.ok(&["rm", "1", "a", "2", "-y"]);

    assert!(deleted.contains("4 units deleted"), "{deleted}");
    world.fails(3, &["status", "2"]);
}

#[test]
fn jobs_are_resumed_although_nobody_reads_the_answer() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.run(&["run", "-q", "--name", name, "--max-attempts", "1", "--shell", "--", "test -e go"]);
        world.ok(&["retry", name, "--no-start"]);
        assert_eq!(world.status(name)["job_status"], "paused", "{}", world.report());
    }
    world.write("go", "");

    assert_eq!(world.sh("\"$BIN\" resume --all >/dev/full").status.code(), Some(1));

    for name in ["a", "b", "c"] {
        world.ok(&["wait", name]);
    }
}

#[test]
fn a_limit_is_not_taken_away_and_given_at_once() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);

    for given in [["window=none", "window=12:00-13:00"], ["diskfree=/=1K", "diskfree=none"], ["rate=none", "rate=1/s"]]
    {
        let said = world.fails(2, &["set", "1", given[0], given[1]]);
        assert!(said.contains("is given two values"), "{given:?}: {said}");
    }
    world.ok(&["set", "1", "window=12:00-13:00", "window=14:00-15:00"]);
}
