//! Managers that stand still, clocks that jump, locks that vanish: who is alive, and who may write.

use nix::sys::signal::Signal;

use crate::support::{World, is_alive, is_root, needs_file, send, text, wait_for, without, without_tool};

/// A unit that notes another live attempt of itself.
const LONELY: &str = "exec 9>lock.$JOB_MANAGER_UNIT; flock -n 9 || echo overlap >>overlaps; sleep 0.05; echo {} >>done";

/// Submits such units; the last one does not end before there is a file `go`, and so neither does the job.
fn submit_lonely(world: &World, units: usize) -> String {
    let numbers = world.numbers(units);
    let script = format!("{LONELY}; test {{}} -lt {units} || until test -e go; do sleep 0.02; done");
    world.ok(&["submit", "-j", "4", "--backoff", "1ms..5ms", "--lines", &numbers, "--shell", "--", &script])
}

#[test]
fn fault_06_a_killed_cgroup_interrupts_the_job_and_a_resume_from_outside_completes_it() {
    if !is_root() {
        return without("mounting cgroup2 needs root");
    }
    let world = World::new();
    let numbers = world.numbers(60);
    let script = "mkdir cg && mount -t cgroup2 none cg && mkdir cg/jm-$$ && \
        sh -c 'echo $$ >cg/jm-'$$'/cgroup.procs; \"$BIN\" submit -q -j 4 --lines \"$1\" --shell -- \"sleep 0.05; echo {} >>done\"' sh \"$1\" && \
        until test \"$(wc -l <done)\" -ge 8; do sleep 0.02; done; \
        echo 1 >cg/jm-$$/cgroup.kill; until rmdir cg/jm-$$; do sleep 0.02; done";

    let ran = world.command("unshare").args(["-m", "sh", "-c", script, "sh", &numbers]).output().unwrap();
    assert!(ran.status.success(), "{}", text(&ran.stderr));

    assert_eq!(world.ok(&["status", "-q"]), "interrupted");
    world.ok(&["resume"]);
    world.ok(&["wait"]);
    assert_eq!(world.status("1")["progress"]["completed"], 60);
    assert!(world.lines("done").len() <= 64, "more ran again than were running");
    world.assert_sound("1");
}

#[test]
fn fault_18_a_stepped_wall_clock_changes_no_verdict() {
    let world = World::new();
    let job = world.ok(&["submit", "--shell", "--", "until test -e go; do sleep 0.02; done"]);
    let manager = world.manager(&job);

    for step in ["+1d", "-1d", "+10y"] {
        let Some(mut status) = world.with_clock(step, &["status", "--json"]) else { return without_tool("faketime") };
        let status: serde_json::Value = serde_json::from_slice(&status.output().unwrap().stdout).unwrap();
        assert_eq!((&status["status"], &status["pid"]), (&"running".into(), &manager.into()), "{step}: {status}");
        let resumed = world.with_clock(step, &["resume"]).unwrap().output().unwrap();
        assert_eq!(text(&resumed.stdout).trim(), manager.to_string(), "{step}");
    }
    assert_eq!(world.status(&job)["epoch"], 1);
    world.write("go", "");
    world.ok(&["wait", &job]);
}

#[test]
fn fault_18_a_wait_written_by_a_clock_that_was_ahead_does_not_last_for_years() {
    needs_file!("the clock of the machine decides");
    let world = World::new();
    let submit = ["submit", "--backoff", "1s..1s", "--shell", "--", "test -e mended"];
    let Some(mut submit) = world.with_clock("+3y", &submit) else { return without_tool("faketime") };
    let submitted = submit.output().unwrap();
    assert!(submitted.status.success(), "{}", text(&submitted.stderr));
    wait_for(&world, "the first attempt", || world.units("1")[0]["attempts"] != 0);
    world.kill_manager("1");

    world.write("mended", "");
    world.ok(&["resume"]);

    world.ok(&["wait", "--timeout", "20s"]);
}

#[test]
fn fault_18_an_end_kept_by_a_clock_that_was_ahead_is_not_waited_for() {
    let world = World::new();
    let submit = ["submit", "--backoff", "1s..1s", "--shell", "--", "test -e mended"];
    let Some(mut submit) = world.with_clock("+3y", &submit) else { return without_tool("faketime") };
    submit.env("JOB_MANAGER_CRASH", "unit-posted:kill").output().unwrap();
    wait_for(&world, "the manager to die", || world.status("1")["status"] == "stopped");

    world.write("mended", "");
    world.ok(&["resume"]);

    world.ok(&["wait", "--timeout", "20s"]);
}

#[test]
fn fault_18_a_boot_time_that_moves_changes_no_verdict() {
    if !is_root() {
        return without("mounting needs root");
    }
    let world = World::new();
    let job = world.ok(&["submit", "--", "sleep", "600"]);
    let script = "sed 's/^btime .*/btime 1000000000/' /proc/stat >stat && mount --bind stat /proc/stat && \"$BIN\" status --json";

    let output = world.command("unshare").args(["-m", "sh", "-c", script]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();

    assert_eq!((&status["status"], &status["pid"]), (&"running".into(), &world.manager(&job).into()));
    world.ok(&["cancel", &job]);
}

#[test]
fn fault_22_a_stopped_manager_is_running_but_stalled_and_other_jobs_go_on() {
    let world = World::new();
    let job = submit_lonely(&world, 40);
    world.wait_for_completed(&job, 4);
    let manager = world.manager(&job);
    world.suspend(manager);

    world.sql("UPDATE managers SET heartbeat_at = 1");
    let status = world.status(&job);
    let resumed = world.ok(&["resume", &job]);
    world.ok(&["run", "-q", "--", "true"]);

    assert_eq!(status["status"], "running");
    assert!(status["waiting_for"].to_string().contains("has not written for a while"), "{status}");
    assert_eq!(resumed, manager.to_string());
    send(manager, Signal::SIGCONT);
    world.write("go", "");
    world.ok(&["wait", &job]);
    assert!(world.lines("overlaps").is_empty());
    world.assert_sound(&job);
}

#[test]
fn fault_22_a_manager_stopped_inside_a_transaction_makes_others_busy_and_then_goes_on() {
    needs_file!("SQLite has one lock for all writers");
    let world = World::new();
    // Long enough that no commit holds the start and the end of all of them.
    let script = "sleep 0.2; echo {} >>done";
    let mut submit = world.job_manager(&["submit", "--shell", "--", script, ":::", "a", "b", "c"]);
    let job = text(&submit.env("JOB_MANAGER_CRASH", "inside-commit:stop@2").output().unwrap().stdout).trim().to_owned();
    let manager = world.manager(&job);
    wait_for(&world, "the manager to stop", || crate::support::identity(manager).unwrap().state == 'T');

    let said = world.fails(5, &["create", "--", "true"]);

    assert!(said.contains("another process holds its write lock"), "{said}");
    assert_eq!(world.status(&job)["status"], "running");
    send(manager, Signal::SIGCONT);
    world.ok(&["wait", &job]);
    world.assert_sound(&job);
}

#[test]
fn fault_23_nobody_takes_over_from_a_machine_that_slept() {
    needs_file!("its heartbeat is changed by another program");
    if !is_root() {
        return without("mounting cgroup2 needs root");
    }
    let world = World::new();
    if !world.sh("command -v python3").status.success() {
        return without_tool("python3");
    }
    let numbers = world.numbers(40);
    let script = "mkdir cg && mount -t cgroup2 none cg && mkdir cg/jm-$$ && \
        sh -c 'echo $$ >cg/jm-'$$'/cgroup.procs; \"$BIN\" submit -q -j 4 --timeout 30s --lines \"$1\" --shell -- \"$2\"' sh \"$1\" \"$2\" && \
        until test \"$(wc -l <done)\" -ge 8; do sleep 0.02; done; \
        echo 1 >cg/jm-$$/cgroup.freeze; \"$3\"; \"$BIN\" status -q; \"$BIN\" resume; \
        echo 0 >cg/jm-$$/cgroup.freeze; \"$BIN\" wait -q; until rmdir cg/jm-$$; do sleep 0.02; done";
    let age = world.write("age", "#!/bin/sh\npython3 -c \"import sqlite3; c = sqlite3.connect('jobs.db', timeout=10); c.execute('UPDATE managers SET heartbeat_at = heartbeat_at - 8*3600*1000000'); c.commit()\"\n");
    world.sh("chmod +x age");

    let mut command = world.command("unshare");
    let ran = command.args(["-m", "sh", "-c", script, "sh", &numbers, LONELY, age.to_str().unwrap()]).output().unwrap();

    assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), world.report());
    assert!(text(&ran.stdout).starts_with("1\nrunning\n"), "{}", text(&ran.stdout));
    let status = world.status("1");
    assert_eq!((&status["epoch"], &status["progress"]["completed"]), (&1.into(), &40.into()), "{status}");
    assert!(world.lines("overlaps").is_empty());
}

/// Has the record of a job's manager name a process that is gone, and its lock be gone too.
fn hide(world: &World, lock: &str) {
    world.sql("UPDATE managers SET start_ticks = 1");
    world.sh(&format!("rm {lock}"));
}

#[test]
fn fault_26_when_the_lock_file_is_deleted_nobody_takes_over() {
    let world = World::new();
    let job = submit_lonely(&world, 80);
    world.wait_for_completed(&job, 8);
    let first = world.manager(&job);

    world.sh("rm jobs.db.d/1/lock");
    let resumed = world.ok(&["resume", &job]);
    world.write("go", "");
    world.ok(&["wait", &job]);

    assert_eq!(resumed, first.to_string());
    assert_eq!(world.status(&job)["epoch"], 1);
    assert!(world.lines("overlaps").is_empty(), "two attempts of one unit lived at once");
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn fault_26_when_lock_and_record_are_lost_the_later_manager_goes_on_and_the_earlier_ends() {
    let world = World::new();
    let job = submit_lonely(&world, 80);
    world.wait_for_completed(&job, 8);
    let first = world.manager(&job);
    world.suspend(first);

    hide(&world, "jobs.db.d/1/lock");
    world.ok(&["resume", &job]);
    send(first, Signal::SIGCONT);
    world.write("go", "");
    world.ok(&["wait", &job]);

    wait_for(&world, "the first manager to end", || !is_alive(first));
    assert_eq!(world.status(&job)["epoch"], 2);
    assert!(world.lines("overlaps").is_empty(), "two attempts of one unit lived at once");
    assert!(world.ok(&["logs", "--manager", &job]).contains("has a newer manager"), "the first one does not say why");
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn fault_73_a_manager_that_wakes_up_after_its_successor_writes_nothing() {
    let world = World::new();
    let job = submit_lonely(&world, 80);
    world.wait_for_completed(&job, 8);
    let first = world.manager(&job);
    world.suspend(first);

    hide(&world, "jobs.db.d/1/lock");
    world.ok(&["resume", &job]);
    world.wait_for_completed(&job, 30);
    send(first, Signal::SIGCONT);
    world.write("go", "");
    world.ok(&["wait", &job]);

    wait_for(&world, "the first manager to end", || !is_alive(first));
    assert!(world.lines("overlaps").is_empty(), "two attempts of one unit lived at once");
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn fault_28_a_manager_whose_recorder_hangs_can_still_be_ended() {
    let world = World::new();
    // Long enough that the third commit is one of many: quick units would all end within the first two.
    let command = "echo {} >>done; sleep 0.1";
    let mut submit =
        world.job_manager(&["submit", "-j", "2", "--kill-after", "100ms", "--shell", "--", command, ":::"]);
    submit.args((0..20).map(|unit| unit.to_string()));
    let job =
        text(&submit.env("JOB_MANAGER_CRASH", "before-commit:sleep@3").output().unwrap().stdout).trim().to_owned();
    wait_for(&world, "units to run", || !world.lines("done").is_empty());
    let manager = world.manager(&job);

    send(manager, Signal::SIGTERM);
    wait_for(&world, "the first signal to be seen", || world.ok(&["logs", "--manager", &job]).contains("stopping"));
    send(manager, Signal::SIGTERM);

    wait_for(&world, "the manager to end", || !is_alive(manager));
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);
    world.assert_sound(&job);
}

#[test]
fn fault_72_readers_and_resumes_in_a_loop_reset_no_live_unit() {
    let world = World::new();
    world.write("go", "");
    let job = submit_lonely(&world, 120);

    while world.status(&job)["job_status"] == "running" {
        world.ok(&["status", &job]);
        let resumed = world.run(&["resume", &job]);
        assert!(matches!(resumed.status.code(), Some(0 | 4)), "{}", text(&resumed.stderr));
        world.ok(&["doctor"]);
    }

    assert_eq!(world.status(&job)["epoch"], 1);
    assert_eq!(world.lines("done").len(), 120);
    assert!(world.lines("overlaps").is_empty());
    world.assert_sound(&job);
}
