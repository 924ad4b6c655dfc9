//! Kill the manager again and again: every unit completes, nothing is lost, one manager at a time.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Random, World, repeat, wait_for};

/// Notes another live attempt of itself, and leaves a process behind that has left its group and holds the unit's lock.
const ORPHAN_PRONE: &str = "exec 9>lock.{}; flock -n 9 || echo overlap {} >>overlaps; \
    setsid sleep 0.2 </dev/null >/dev/null 2>&1 & sleep 0.02; echo {} >>done";

#[test]
fn a_job_completes_although_its_manager_is_killed_at_random() {
    let (workers, units, kills) = (repeat(4, 8), repeat(1000, 5000), repeat(10, 200));
    let world = World::new();
    let mut random = Random::seeded();
    let numbers = world.numbers(units);
    let job = world.ok(&[
        "submit",
        "-j",
        &workers.to_string(),
        "--backoff",
        "100ms..1s",
        "--lines",
        &numbers,
        "--shell",
        "--",
        ORPHAN_PRONE,
    ]);

    for _ in 0..kills {
        let goal = world.lines("done").len() + 1;
        wait_for(&world, "progress", || world.lines("done").len() >= goal);
        let until = Instant::now() + Duration::from_millis(random.below(120));
        wait_for(&world, "the random instant", || Instant::now() >= until);
        assert_eq!(world.status(&job)["job_status"], "running", "too fast for this test\n{}", world.report());
        world.kill_manager(&job);

        let resume =
            || world.job_manager(&["resume", &job]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let clients: Vec<_> = (0..8).map(|_| resume()).collect();
        let mut winners: Vec<Vec<u8>> =
            clients.into_iter().map(|client| client.wait_with_output().unwrap().stdout).collect();
        winners.sort();
        winners.dedup();
        assert_eq!(winners.len(), 1, "several managers: {winners:?}");
    }
    let given_up = finish(&world, &job);

    let status = world.status(&job);
    assert_eq!(status["progress"]["completed"].as_u64(), Some(units as u64), "{status}");
    assert!(status["epoch"].as_u64() >= Some(kills as u64 + 1));
    assert!(world.lines("overlaps").is_empty(), "two attempts of one unit lived at once");
    let all = world.lines("done");
    let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(distinct.len(), units, "units are missing");
    let repeats = all.len() - units;
    assert!(repeats <= workers * kills, "{repeats} units ran again");
    println!("{kills} kills, {repeats} units ran again to their end, {given_up} met three deaths, 0 overlaps, 0 lost");
    world.assert_sound(&job);
    world.assert_no_process_left();
}

/// Waits for the end of a job, asking again for units that met three deaths of their manager; returns how many did.
fn finish(world: &World, job: &str) -> u64 {
    let ended = world.run(&["wait", job]);
    if ended.status.success() {
        return 0;
    }
    let failed = world.units(job).into_iter().filter(|unit| unit["status"] == "failed");
    let given_up = failed
        .inspect(|unit| assert_eq!(unit["error"], "the manager died 3 times while this unit ran", "{unit}"))
        .count();
    world.ok(&["retry", "--no-start", job, "--failed"]);
    world.ok(&["resume", job]);
    world.ok(&["wait", job]);
    given_up as u64
}

#[test]
fn resume_runs_only_unfinished_units() {
    let world = World::new();
    let script = "echo {} >>log; test {} != c || test -e go || sleep 600";
    let job = world.ok(&["submit", "-j", "1", "--backoff", "1ms", "--shell", "--", script, ":::", "a", "b", "c", "d"]);
    world.wait_for_completed(&job, 2);
    wait_for(&world, "the third unit to run", || world.lines("log").len() == 3);

    world.kill_manager(&job);
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    let mut log = world.lines("log");
    log.sort();
    assert_eq!(log, ["a", "b", "c", "c", "d"]);
}

#[test]
fn a_retried_unit_runs_again_after_a_job_that_ended_properly() {
    let world = World::new();
    let script = "echo {} >>log; test -e mended";
    let job =
        world.ok(&["submit", "-j", "2", "--max-attempts", "1", "--shell", "--", script, ":::", "a", "b", "c", "d"]);
    world.fails(10, &["wait", &job]);

    world.write("mended", "");
    world.ok(&["retry", "--no-start", &job, "--failed"]);
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    assert_eq!(world.lines("log").len(), 8, "a unit got the end of its earlier attempt instead of running");
    world.assert_sound(&job);
}

#[test]
fn a_unit_that_came_back_runs_once_for_each_attempt() {
    let world = World::new();
    let numbers = world.numbers(1500);
    let script = "echo {} >>log; test -e mended";
    let job = world.ok(&["submit", "-j", "8", "--max-attempts", "1", "--lines", &numbers, "--shell", "--", script]);
    world.fails(10, &["wait", &job]);

    world.write("mended", "");
    world.ok(&["retry", "--no-start", &job, "--failed"]);
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    assert_eq!(world.lines("log").len(), 3000, "a unit ran again although its end was recorded");
    assert!(!world.ok(&["logs", "--manager", &job]).contains("changed by a client"));
    world.assert_sound(&job);
}

#[test]
fn two_deaths_in_a_row_interrupt_no_unit_that_had_ended() {
    let world = World::new();
    let numbers = world.numbers(3000);
    let workers = 4;
    let flags = ["-j", "4", "--on-interrupt", "fail", "--lines", &numbers];
    let job = world.ok(&[&["submit"], &flags[..], &["--", "true"]].concat());
    world.wait_for_completed(&job, 100);

    world.kill_manager(&job);
    world.ok(&["resume", &job]);
    world.kill_manager(&job);
    world.ok(&["resume", &job]);
    world.fails(10, &["wait", &job]);

    let failed = world.status(&job)["progress"]["failed"].as_i64().unwrap();
    assert!(failed <= 2 * workers, "{failed} units were failed by two deaths with {workers} workers");
    world.assert_sound(&job);
}

#[test]
fn an_interruption_is_recorded_once() {
    let world = World::new();
    let job = world.ok(&["submit", "--", "sleep", "600"]);

    for _ in 0..2 {
        wait_for(&world, "the unit to run", || world.status(&job)["progress"]["running"] == 1);
        world.ok(&["stop", &job, "--now", "--wait"]);
        world.ok(&["resume", &job]);
    }
    wait_for(&world, "the unit to run", || world.status(&job)["progress"]["running"] == 1);

    assert_eq!(world.count("(SELECT count(*) FROM attempts)"), 2);
    world.ok(&["cancel", &job]);
}

#[test]
fn resume_all_goes_on_behind_a_job_that_cannot_be_resumed() {
    let world = World::new();
    let first = world.ok(&["create", "--", "true"]);
    let second = world.ok(&["create", "--", "true"]);
    world.sql("UPDATE jobs SET status = 'paused'");
    world.sql(&format!("UPDATE jobs SET handler = 'of another program' WHERE id = {first}"));

    let said = world.fails(4, &["resume", "--all"]);

    assert!(said.contains("of another program"), "{said}");
    world.ok(&["wait", &second]);
}

#[test]
fn fault_344_a_resume_while_the_manager_before_waits_for_its_hook_runs_the_job() {
    let world = World::new();
    // Longer than a client waits for a manager to leave before it starts the next one.
    let hook = world.write("hook", "#!/bin/sh\n[ $1 = unit_failed ] && sleep 7\nexit 0\n");
    world.sh("chmod +x hook");
    let hook = hook.to_str().unwrap();
    let job = world.ok(&["submit", "--hook", hook, "--max-attempts", "1", "--shell", "--", "test -e go"]);
    world.run(&["wait", &job]);

    world.write("go", "");
    world.ok(&["retry", "--no-start", &job, "--all"]);
    world.ok(&["resume", &job]);

    world.ok(&["wait", &job]);
    assert_eq!(world.status(&job)["job_status"], "completed");
    world.assert_sound(&job);
}
