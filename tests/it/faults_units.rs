//! Units that misbehave.

use crate::support::{World, text, wait_for, zombies_below};

#[test]
fn fault_29_orphans_are_ended_before_their_unit_runs_again() {
    let world = World::new();
    let numbers = world.numbers(12);
    // Each unit holds a lock of its own as long as it lives; a second attempt beside it could not take it.
    let script = "flock -n lock.{} sh -c 'echo start $1 >>log; sleep 0.3' sh {} || echo OVERLAP {} >>log";
    let job = world.ok(&["submit", "-j", "4", "--backoff", "1ms", "--lines", &numbers, "--shell", "--", script]);

    for round in 1..=2 {
        wait_for(&world, "units to run", || world.lines("log").len() >= round * 2);
        if world.status(&job)["job_status"] == "completed" {
            break;
        }
        world.kill_manager(&job);
        world.ok(&["resume", &job]);
    }
    world.ok(&["wait", &job]);

    let log = world.lines("log").join("\n");
    assert!(!log.contains("OVERLAP"), "{log}");
    assert_eq!(world.status(&job)["progress"]["completed"], 12);
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn fault_29_an_orphan_is_ended_before_its_unit_runs_again_in_another_slot() {
    let world = World::new();
    let numbers = world.numbers(8);
    // Seven end at once; the last one is left behind in one slot, and comes back in any.
    let script = "exec 9>lock.{}; flock -n 9 || echo OVERLAP >>overlaps; echo {} >>log; test {} != 8 || sleep 600";
    let submit = ["submit", "-j", "8", "--backoff", "1ms..1ms", "--lines", &numbers, "--shell", "--", script];
    let job = world.ok(&submit);
    world.wait_for_completed(&job, 7);

    for round in 1..=2 {
        world.kill_manager(&job);
        world.ok(&["resume", &job]);
        wait_for(&world, "the last unit to run again", || {
            world.lines("log").iter().filter(|line| *line == "8").count() == round + 1
        });
    }

    assert!(world.lines("overlaps").is_empty(), "two attempts of one unit lived at once");
    world.ok(&["cancel", &job]);
    world.assert_no_process_left();
}

#[test]
fn fault_29_a_process_that_left_its_group_is_ended_too() {
    let world = World::new();
    let script = "setsid sh -c 'echo $$ >pid; exec sleep 600' & wait";
    let job = world.ok(&["submit", "--shell", "--", script]);
    wait_for(&world, "the unit to start", || world.lines("pid").len() == 1);
    let stray: u32 = world.lines("pid")[0].parse().unwrap();

    world.kill_manager(&job);
    world.ok(&["cancel", &job]);

    assert!(!crate::support::is_alive(stray));
}

#[test]
fn fault_32_a_unit_that_ignores_term_is_killed_after_its_time() {
    let world = World::new();
    let script = "trap '' TERM; while :; do sleep 0.05; done";

    let ran = world.run(&[
        "run",
        "-q",
        "--timeout",
        "200ms",
        "--kill-after",
        "200ms",
        "--max-attempts",
        "1",
        "--shell",
        "--",
        script,
    ]);

    assert_eq!(ran.status.code(), Some(10));
    let unit = &world.units("1")[0];
    assert_eq!((unit["error"].as_str(), unit["signal"].as_i64()), (Some("timed out after 200ms"), Some(9)));
    world.assert_no_process_left();
}

#[test]
fn fault_34_a_unit_killed_by_a_signal_says_which_and_is_tried_again() {
    let world = World::new();

    let ran = world.run(&["run", "-q", "--max-attempts", "2", "--backoff", "1ms", "--shell", "--", "kill -SEGV $$"]);

    assert_eq!(ran.status.code(), Some(10));
    let unit = &world.units("1")[0];
    assert_eq!(unit["error"], "killed by signal 11 (SIGSEGV)");
    assert_eq!((unit["signal"].as_i64(), unit["attempts"].as_u64()), (Some(11), Some(2)));
}

#[test]
fn fault_35_what_cannot_be_started_is_failed_with_the_reason() {
    let world = World::new();
    world.write("program", "#!/bin/sh\n");
    world.sh("chmod +x program");
    world.ok(&["create", "-q", "--", "./program", "{}", ":::", "a", "b"]);
    world.sh("rm program");

    world.ok(&["start", "1"]);

    world.fails(10, &["wait", "1"]);
    for unit in world.units("1") {
        assert!(unit["error"].as_str().unwrap().contains("/program\": No such file"), "{unit}");
        assert_eq!(unit["attempts"].as_u64(), Some(1));
    }
}

#[test]
fn fault_35_an_item_that_is_too_long_for_a_command_is_refused_before_anything_is_created() {
    let world = World::new();
    let items = world.write("items", &format!("short\n{}\n", "x".repeat(200_000)));

    let refused = world.run(&["run", "-q", "--lines", items.to_str().unwrap(), "--", "echo", "{}"]);

    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("items:2"), "{}", text(&refused.stderr));
    world.fails(3, &["status", "1"]);
}

#[test]
fn fault_40_a_unit_that_kills_its_manager_is_failed_after_three_deaths() {
    let world = World::new();
    let script = "test {} != poison || kill -KILL $PPID; echo {} >>done";
    let job =
        world.ok(&["submit", "-j", "1", "--backoff", "1ms", "--shell", "--", script, ":::", "a", "poison", "b", "c"]);

    let mut deaths = 0;
    loop {
        let ended = world.run(&["wait", &job]);
        if ended.status.code() != Some(13) {
            break;
        }
        deaths += 1;
        assert!(deaths <= 3, "{}", world.report());
        world.ok(&["resume", &job]);
    }

    assert_eq!(deaths, 3);
    let poison = &world.units(&job)[1];
    assert_eq!(poison["error"], "the manager died 3 times while this unit ran");
    let status = world.status(&job);
    assert_eq!((status["progress"]["completed"].as_u64(), status["job_status"].as_str()), (Some(3), Some("failed")));
    world.assert_sound(&job);
}

#[test]
fn an_at_most_once_unit_is_failed_when_its_manager_dies() {
    let world = World::new();
    let script = "echo {} >>log; until test -e go; do sleep 0.02; done";
    let job = world.ok(&["submit", "-j", "1", "--on-interrupt", "fail", "--shell", "--", script, ":::", "a", "b"]);
    wait_for(&world, "the first unit to start", || world.lines("log").len() == 1);

    world.kill_manager(&job);
    world.write("go", "");
    world.ok(&["resume", &job]);
    let waited = world.run(&["wait", &job]);

    assert_eq!(waited.status.code(), Some(10));
    assert_eq!(world.lines("log"), ["a", "b"]);
    assert_eq!(world.units(&job)[0]["error"], "the manager died while this unit ran");
}

#[test]
fn an_environment_tells_each_unit_who_it_is() {
    let world = World::new();
    let script = "echo $JOB_MANAGER_JOB $JOB_MANAGER_UNIT $JOB_MANAGER_ATTEMPT $JOB_MANAGER_SLOT $JOB_MANAGER_KEY $JOB_MANAGER_PAYLOAD $EXTRA";

    world.ok(&[
        "run",
        "-q",
        "-j",
        "1",
        "--unit-key",
        "k-{}",
        "--env",
        "EXTRA=more",
        "--shell",
        "--",
        script,
        ":::",
        "x",
    ]);

    assert_eq!(world.ok(&["logs"]), "1 1 1 1 k-x \"x\" more");
}

#[test]
fn fault_30_processes_that_units_leave_behind_do_not_become_zombies_of_the_manager() {
    let world = World::new();
    let script = "setsid sleep 0.1 >/dev/null 2>&1 </dev/null & test {} != last || sleep 600";
    let mut args = vec!["submit", "-j", "2", "--shell", "--", script, ":::"];
    args.extend(["x"; 40]);
    args.push("last");
    let job = world.ok(&args);
    world.wait_for_completed(&job, 40);

    wait_for(&world, "the zombies to be reaped", || zombies_below(world.manager(&job)).is_empty());

    world.ok(&["cancel", &job]);
}

#[test]
fn a_unit_sees_no_variable_of_the_unit_that_started_its_job() {
    let world = World::new();
    let inner = r#"$BIN run -q --shell -- 'env >inner' 2>/dev/null"#;

    world.ok(&["run", "-q", "--unit-key", "k{}", "--shell", "--", &format!(": {{}}; {inner}"), ":::", "x"]);

    let inner = world.lines("inner");
    assert!(inner.iter().any(|line| line == "JOB_MANAGER_UNIT=1"));
    assert!(!inner.iter().any(|line| line.starts_with("JOB_MANAGER_KEY=")), "{inner:?}");
}

#[test]
fn fault_36_thousands_of_short_units_leave_nothing_in_the_manager() {
    let world = World::new();
    let numbers = world.numbers(6000);
    let job = world.ok(&["submit", "-j", "4", "--lines", &numbers, "--", "true"]);
    let manager = world.manager(&job);
    let look = || {
        let open = std::fs::read_dir(format!("/proc/{manager}/fd")).map(Iterator::count).unwrap_or(0);
        let status = std::fs::read_to_string(format!("/proc/{manager}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or("VmRSS: 0 kB").to_owned();
        (open, line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap())
    };

    world.wait_for_completed(&job, 1000);
    let (open_early, memory_early) = look();
    world.wait_for_completed(&job, 5000);
    let (open_late, memory_late) = look();
    let zombies = zombies_below(manager);

    // Each worker has a handful open at any moment.
    assert!(open_late <= open_early + 4 * 6, "descriptors grew from {open_early} to {open_late}");
    assert!(memory_late <= memory_early + 4096, "memory grew from {memory_early} to {memory_late} kB");
    assert!(zombies.len() <= 4, "{zombies:?}");
    world.ok(&["wait", &job]);
    world.assert_sound(&job);
}

#[test]
fn fault_43_a_timeout_ends_everything_that_the_unit_started() {
    let world = World::new();
    let script = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 600 & setsid sleep 600 & done; wait";

    world.fails(
        10,
        &["run", "-q", "--timeout", "300ms", "--kill-after", "1s", "--max-attempts", "1", "--shell", "--", script],
    );

    let unit = &world.units("1")[0];
    assert!(unit["error"].to_string().contains("timed out"), "{unit}");
    world.assert_no_process_left();
}

#[test]
fn fault_44_the_time_of_a_retry_outlives_the_manager() {
    let world = World::new();
    let job =
        world.ok(&["submit", "--backoff", "1h..1h", "--shell", "--", "echo {#} >>tried; exit 1", ":::", "a", "b"]);
    wait_for(&world, "both to fail once", || world.units(&job).iter().all(|unit| !unit["not_before"].is_null()));
    let before: Vec<_> = world.units(&job).iter().map(|unit| unit["not_before"].clone()).collect();

    world.kill_manager(&job);
    world.ok(&["resume", &job]);
    wait_for(&world, "the wait to be known", || world.status(&job)["waiting_for"].to_string().contains("next attempt"));

    let after: Vec<_> = world.units(&job).iter().map(|unit| unit["not_before"].clone()).collect();
    assert_eq!(before, after);
    assert_eq!(world.lines("tried").len(), 2, "a unit was tried before its time");
    world.ok(&["cancel", &job]);
}

#[test]
fn fault_59_a_unit_has_no_descriptor_of_its_manager() {
    let world = World::new();

    world.ok(&["run", "-q", "--shell", "--", "ls -l /proc/$$/fd >fds"]);

    let open: Vec<String> = world.lines("fds").into_iter().filter(|line| line.contains("->")).collect();
    assert!(open.len() <= 4, "{open:?}");
    assert!(!open.iter().any(|line| line.contains("jobs.db ") || line.ends_with("jobs.db") || line.contains("-wal")));
    assert!(!open.iter().any(|line| line.ends_with("/lock")), "{open:?}");
}
