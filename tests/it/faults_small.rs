//! A machine that is small: few open files, few processes, small files, and files that somebody removes.

use std::fs;

use crate::support::{World, is_root, text, wait_for, without};

/// Runs a script that calls `"$BIN"` and returns what it printed.
fn sh(world: &World, script: &str) -> String {
    let ran = world.sh(script);
    assert!(ran.status.success(), "{script}: {}{}\n{}", text(&ran.stdout), text(&ran.stderr), world.report());
    text(&ran.stdout).trim().to_owned()
}

/// Asserts that every unit of a job has completed at its first attempt.
fn assert_all_completed(world: &World, job: &str, units: u64) {
    let status = world.status(job);
    assert_eq!(status["progress"]["completed"], units, "{status}\n{}", world.report());
    assert_eq!(world.count("(SELECT max(attempts) FROM units)"), 1);
    assert_eq!(world.count("(SELECT count(*) FROM attempts)"), 0);
    world.assert_sound(job);
}

#[test]
fn fault_150_units_wait_for_open_files_and_none_of_them_fails() {
    let world = World::new();
    let numbers = world.numbers(300);

    let submit = format!("\"$BIN\" submit -q -j 400 --output full --lines {numbers} -- sh -c 'sleep 0.2; ulimit -n'");
    let job = sh(&world, &format!("ulimit -n 160; {submit}"));
    let waits = || world.status(&job)["waiting_for"].as_str().unwrap_or_default().to_owned();
    wait_for(&world, "the lack to be said", || waits().starts_with("open files: the limit is 160"));
    let explained = world.ok(&["explain", &job]);
    world.ok(&["wait", &job]);

    assert!(explained.contains("short of open files"), "{explained}");
    assert_all_completed(&world, &job, 300);
    assert_eq!(world.count("(SELECT count(DISTINCT CAST(stdout AS TEXT)) FROM units)"), 1);
    let log = world.ok(&["logs", &job, "--manager"]);
    assert!(log.contains("short of open files") && log.lines().count() < 30, "{log}");
}

#[test]
fn fault_150_a_limit_that_is_lowered_under_a_manager_costs_no_unit_an_attempt() {
    let world = World::new();
    let command = "until test -e go; do sleep 0.05; done; echo {}";
    let job =
        world.ok(&["submit", "-q", "-j", "16", "--max-attempts", "1", "--shell", "--range", "1-100", "--", command]);
    wait_for(&world, "units to run", || world.status(&job)["progress"]["running"] == 16);

    let pid = format!("--pid={}", world.manager(&job));
    assert!(world.command("prlimit").args([&pid, "--nofile=80"]).status().unwrap().success());
    world.write("go", "");
    world.ok(&["wait", &job]);

    assert_all_completed(&world, &job, 100);
    let log = world.ok(&["logs", &job, "--manager"]);
    assert!(log.contains("short of open files, fewer units run at a time"), "{log}");
}

#[test]
fn fault_150_a_manager_raises_its_own_soft_limit_as_far_as_its_workers_need_and_not_that_of_its_units() {
    let world = World::new();
    let submit = "\"$BIN\" submit -q -j 100 --shell --range 1-100 -- 'ulimit -S -n; echo >>begun; until test -e go; do sleep 0.1; done'";

    let job = sh(&world, &format!("ulimit -S -n 100; {submit}"));
    wait_for(&world, "all of them to run at a time", || world.lines("begun").len() == 100);
    let limits = fs::read_to_string(format!("/proc/{}/limits", world.manager(&job))).unwrap();
    world.write("go", "");
    world.ok(&["wait", &job]);

    let open_files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert!(open_files.split_whitespace().any(|word| word == "864"), "{open_files}");
    assert_all_completed(&world, &job, 100);
    assert_eq!(world.units(&job).iter().filter(|unit| unit["stdout"] == "100\n").count(), 100);
}

#[test]
fn fault_151_units_wait_for_processes_and_none_of_them_fails() {
    let world = World::new();
    if !is_root() || !world.sh("command -v setpriv").status.success() {
        return without("a user with few processes needs root and setpriv");
    }
    // Nobody else's processes count: the number of the user is that of this process.
    let user = (100_000 + std::process::id()).to_string();
    assert!(world.command("chown").args([user.as_str(), "."]).status().unwrap().success());
    let script = "ulimit -p 40 || ulimit -u 40 || exit 77; \"$BIN\" submit -q -j 200 --range 1-200 -- sleep 0.1; \"$BIN\" wait -q";
    let mut ran = world.command("setpriv");
    ran.args([&format!("--reuid={user}"), "--clear-groups", "sh", "-c", script]);

    let ran = ran.output().unwrap();

    assert!(ran.status.success(), "{}{}\n{}", text(&ran.stdout), text(&ran.stderr), world.report());
    assert_all_completed(&world, "1", 200);
    let log = world.ok(&["logs", "--manager"]);
    assert!(log.contains("short of processes") && log.lines().count() < 40, "{log}");
}

#[test]
fn fault_152_a_manager_without_room_for_one_unit_is_an_answer_and_the_job_can_be_started_later() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);

    let refused = world.sh("ulimit -n 20; \"$BIN\" start last");

    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("no room for a manager and one unit"), "{said}");
    assert!(said.contains("Too many open files"), "{said}");
    assert_eq!(world.status("1")["status"], "not_started");
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);
    assert_all_completed(&world, "1", 1);
}

#[test]
fn fault_153_a_limit_of_the_size_of_files_is_an_error_with_its_name() {
    let world = World::new();
    world.ok(&["create", "-q", "--range", "1-400", "--", "head", "-c", "4000", "/dev/zero"]);

    let started = world.sh("ulimit -f 700; \"$BIN\" start 1; \"$BIN\" wait 1");

    let log = world.ok(&["logs", "1", "--manager"]);
    assert!(log.contains("ulimit -f"), "{log}\n{}{}", text(&started.stdout), text(&started.stderr));
    assert_eq!(world.status("1")["status"], "stopped");
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);
    assert_eq!(world.status("1")["progress"]["completed"], 400);
    world.assert_sound("1");
}

#[test]
fn fault_154_directories_that_are_removed_under_a_manager_are_made_again() {
    let world = World::new();
    let command =
        "echo begun >>begun; until test -e go; do sleep 0.05; done; echo {}; head -c 100000 /dev/zero | tr '\\0' ' '";
    let flags = ["--output", "full", "--result", "json", "--creates", "made-{}", "-j", "1", "--shell"];
    let job = world.ok(&[
        &["submit", "-q"],
        &flags[..],
        &["--", &format!("{command}; touch made-{{}}"), ":::", "1", "2", "3"],
    ]
    .concat());
    wait_for(&world, "the first unit to run", || !world.lines("begun").is_empty());

    for dir in ["slots", "output", "outbox", "making"] {
        fs::remove_dir_all(world.path(&format!("jobs.db.d/{job}/{dir}"))).unwrap();
    }
    fs::remove_file(world.path(&format!("jobs.db.d/{job}/notes"))).unwrap();
    world.write("go", "");
    world.ok(&["wait", &job]);

    assert_all_completed(&world, &job, 3);
}
