//! A world that is small: few open files and processes, small files, a database, hook or reader that others keep busy.

use std::fs;
use std::time::Duration;

use crate::support::{BIN, World, is_root, needs_file, processor_time, text, wait_for, without, without_tool};

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
    assert!(open_files.split_whitespace().any(|word| word == "1064"), "{open_files}");
    assert_all_completed(&world, &job, 100);
    assert_eq!(world.units(&job).iter().filter(|unit| unit["stdout"] == "100\n").count(), 100);
}

#[test]
fn fault_151_units_wait_for_processes_and_none_of_them_fails() {
    needs_file!("another user opens it too");
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
    needs_file!("its size is limited");
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
fn fault_153_a_client_that_meets_the_limit_of_the_size_of_files_answers() {
    needs_file!("its size is limited");
    let world = World::new();

    let refused = world.sh("ulimit -f 8; \"$BIN\" submit -q -- true");

    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(5), "{said}");
    assert!(said.starts_with("error: "), "{said}");
    assert!(said.contains("ulimit -f"), "{said}");
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

#[test]
fn fault_158_the_whole_output_of_units_is_durable_before_their_ends_are() {
    needs_file!("its commits are seen by strace");
    let world = World::new();
    if !world.sh("command -v strace").status.success() {
        return without_tool("strace");
    }
    let trace = world.path("trace");
    let mut strace = world.command("strace");
    strace.args(["-f", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", trace.to_str().unwrap(), BIN]);
    strace.args(["submit", "-q", "-j", "1", "--output", "full", "--", "echo", "kept"]);

    // strace ends with the last process it follows, the manager.
    assert!(strace.status().unwrap().success(), "{}", world.report());

    let calls = world.lines("trace");
    let place = |what: &str| calls.iter().position(|call| call.contains(what));
    let (output, names) = (place("output/1.0.3>"), place("/output>"));
    let last_commit = calls.iter().rposition(|call| call.contains("jobs.db-wal>"));
    assert!(output.is_some() && names.is_some() && names < last_commit && output < names, "{calls:#?}");
    assert_eq!(world.ok(&["logs", "1:1"]), "kept");
}

#[test]
fn fault_159_logs_of_any_length_are_read_in_little_memory() {
    let world = World::new();
    // More than the program may map, which is enough for it and for the libraries it is linked with.
    let bytes: u64 = 96 << 20;
    let script = format!("head -c {bytes} /dev/zero | tr '\\0' x; echo; echo last");
    let job = world.ok(&["submit", "-q", "--output", "full", "--shell", "--", &script]);
    world.ok(&["wait", &job]);
    // A hole is as good as a text: one line that is longer than the memory.
    let log = fs::File::options().append(true).open(world.path(&format!("jobs.db.d/{job}/manager.log"))).unwrap();
    log.set_len(bytes).unwrap();

    let small = |args: &str| sh(&world, &format!("ulimit -v 96000; \"$BIN\" logs {args}"));

    assert_eq!(small(&format!("{job}:1 -n 1")), "last");
    assert_eq!(small(&format!("{job} --manager | wc -c")), bytes.to_string());
}

#[test]
fn fault_160_a_writer_beside_us_is_named_and_waited_for_and_no_unit_starts_meanwhile() {
    needs_file!("SQLite has one lock for all writers");
    let world = World::new();
    let script = "echo {} >>begun; test {} = 1 || until test -e go; do sleep 0.05; done";
    let job = world.ok(&["submit", "-q", "-j", "4", "--shell", "--range", "1-40", "--", script]);
    wait_for(&world, "units to run", || world.lines("begun").len() == 5);

    let lock = world.hold_write_lock();
    world.write("go", "");
    let own = format!("process {} (", std::process::id());
    let waits = || world.status(&job)["waiting_for"].as_str().unwrap_or_default().to_owned();
    wait_for(&world, "the writer to be named", || waits().starts_with(&own));
    let (explained, doctor) = (world.ok(&["explain", &job]), world.ok(&["doctor"]));
    wait_for(&world, "the manager to wait", || {
        world.ok(&["logs", &job, "--manager"]).contains("waiting for the lock, what happened is kept in memory")
    });
    let begun = world.lines("begun").len();
    drop(lock);
    world.ok(&["wait", &job]);

    assert!(explained.contains(&own) && explained.contains("holds the write lock"), "{explained}");
    assert!(doctor.contains(&own), "{doctor}");
    assert!(begun <= 40);
    assert_all_completed(&world, &job, 40);
    assert_eq!(world.lines("begun").len(), 40);
    assert!(world.ok(&["logs", &job, "--manager"]).contains("the database can be written again, going on"));
}

#[test]
fn fault_161_a_slow_hook_keeps_units_from_starting_and_nothing_from_being_recorded() {
    let world = World::new();
    world.write("hook.sh", "#!/bin/sh\ntest -e go || { until test -e go; do sleep 0.1; done; }\n");
    assert!(world.sh("chmod +x hook.sh").status.success());
    let flags = ["-j", "8", "--max-attempts", "1", "--hook", "./hook.sh", "--range", "1-1300"];
    let job = world.ok(&[&["submit", "-q"], &flags[..], &["--", "false"]].concat());
    let waits = || world.status(&job)["waiting_for"].as_str().unwrap_or_default().to_owned();

    wait_for(&world, "the hook to be waited for", || waits().starts_with("the hook or callbacks: 1"));
    let status = world.status(&job);
    world.write("go", "");
    world.ok(&["cancel", &job, "-y"]);

    assert!(status["progress"]["failed"].as_u64().unwrap() > 1024, "{status}");
    assert_eq!(status["status"], "running");
}

#[test]
fn fault_162_a_job_that_could_not_be_started_is_named_and_started_by_the_next_submit_with_its_key() {
    let world = World::new();
    let submit = "\"$BIN\" submit -q --key nightly -- touch done";

    let refused = world.sh(&format!("ulimit -n 20; {submit}"));
    let said = text(&refused.stderr);
    let again = sh(&world, submit);
    world.ok(&["wait", &again]);

    assert!(!refused.status.success() && said.contains("job 1 was created and could not be started"), "{said}");
    assert_eq!(again, "1");
    assert!(world.path("done").exists());
}

#[test]
fn fault_163_a_run_that_is_the_first_process_of_its_container_stops_its_job_on_term() {
    if !is_root() {
        return without("a namespace of processes needs root");
    }
    let world = World::new();
    let units = "touch began; until test -e go; do sleep 0.05; done";
    let script = "unshare --pid --fork --mount-proc --kill-child \"$BIN\" run -q -j 1 --shell --range 1-3 -- \"$1\" & \
        until test -e began; do sleep 0.05; done; pkill -TERM -P $!; \
        until grep -q 'stopping (stop)' jobs.db.d/1/manager.log; do sleep 0.05; done; touch go; wait $!";

    let ran = world.command("timeout").args(["60", "sh", "-c", script, "sh", units]).output().unwrap();

    assert_eq!(ran.status.code(), Some(12), "{}{}", text(&ran.stderr), world.report());
    let status = world.status("1");
    assert_eq!((&status["job_status"], &status["progress"]["completed"]), (&"paused".into(), &1.into()), "{status}");
}

#[test]
fn fault_164_a_clock_that_is_set_back_ends_nothing_before_its_start() {
    let world = World::new();
    // The job is started an hour in the future, and goes on now.
    let Some(mut ahead) = world.with_clock("+1h", &["submit", "-q", "--shell", "--", "exit 75"]) else {
        return without_tool("faketime");
    };
    assert!(ahead.args([":::", "1", "2"]).status().unwrap().success());
    wait_for(&world, "an attempt", || world.count("(SELECT count(*) FROM attempts)") > 0);
    world.kill_manager("1");

    world.ok(&["cancel", "1", "-y"]);

    for table in ["units", "jobs"] {
        let wrong = format!("(SELECT count(*) FROM {table} WHERE finished_at < started_at)");
        assert_eq!(world.count(&wrong), 0, "{table}");
    }
    assert_eq!(world.count("(SELECT count(*) FROM attempts WHERE ended_at < started_at)"), 0);
}

#[test]
fn fault_252_a_thousand_workers_do_not_keep_each_other_busy() {
    let world = World::new();
    let job = world.ok(&["submit", "-j", "1024", "--rate", "1/h", "--range", "1-1024", "--", "sleep", "60"]);
    wait_for(&world, "the unit to run", || world.status(&job)["progress"]["running"] == 1);

    let used = processor_time(world.manager(&job));

    // Two seconds, most of them for making the threads; it was ten times that when all of them looked for work at all others.
    assert!(used < Duration::from_secs(6), "{used:?}");
}

#[test]
fn fault_546_the_soft_limit_of_processor_time_is_that_of_units_and_ends_no_manager() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--", "sh", "-c", "until test -e go; do sleep 0.05; done"]);
    wait_for(&world, "the unit to run", || world.status(&job)["progress"]["running"] == 1);

    // What the kernel sends each second from the limit on.
    world.sh(&format!("kill -XCPU {}", world.manager(&job)));

    world.write("go", "");
    world.ok(&["wait", &job]);
    let unit = world.sh("ulimit -St 1; exec \"$BIN\" run -q --max-attempts 1 -- sh -c 'while :; do :; done'");
    assert_eq!(unit.status.code(), Some(10), "{}", text(&unit.stderr));
    assert!(world.ok(&["unit", "2:1"]).contains("SIGXCPU"), "{}", world.ok(&["unit", "2:1"]));
}
