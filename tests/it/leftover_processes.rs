//! Processes that units leave behind: which of them are ended, when, and which are left alone.

use std::time::Duration;

use crate::support::{World, is_alive, kill, needs_file, wait_for};

/// A child that leaves its unit's group, closes its streams and writes its number into `kids`.
const ESCAPE: &str = "setsid sh -c 'exec </dev/null >/dev/null 2>&1; echo $$ >> kids; exec sleep 600' & \
                      until [ -s kids ]; do sleep 0.02; done; ";

fn numbers(world: &World, file: &str) -> Vec<u32> {
    world.lines(file).iter().map(|line| line.parse().unwrap()).collect()
}

fn submit(world: &World, options: &[&str], script: &str) -> String {
    world.ok(&[&["submit", "-q"], options, &["--shell", "--", script]].concat())
}

#[test]
fn fault_214_what_left_the_group_of_an_attempt_ends_with_it_however_that_is_forced_to_end() {
    type Force = fn(&World, &str);
    let forced: [(&str, Force); 5] = [
        ("time-out", |world, job| world.wait_for_status(job, "failed")),
        ("kill", |world, job| drop(world.ok(&["kill", &format!("{job}:1"), "--then", "fail"]))),
        ("cancel of a unit", |world, job| drop(world.ok(&["cancel", &format!("{job}:1")]))),
        ("cancel", |world, job| drop(world.ok(&["cancel", job]))),
        ("stop", |world, job| drop(world.ok(&["stop", "--now", "--wait", job]))),
    ];
    for (how, force) in forced {
        let world = World::new();
        let limit = if how == "time-out" { "500ms" } else { "600s" };
        let options = ["--max-attempts", "1", "--timeout", limit, "--kill-after", "2s"];
        let job = submit(&world, &options, &format!("{ESCAPE} exec sleep 600"));
        wait_for(&world, "the child to have left", || world.lines("kids").len() == 1);

        force(&world, &job);

        let children = numbers(&world, "kids");
        assert!(!children.iter().any(|child| is_alive(*child)), "{how}: {children:?} live on");
    }
}

#[test]
fn fault_214_what_left_the_group_of_an_attempt_is_not_beside_the_next_one() {
    let world = World::new();
    let script = "for kid in $(cat kids 2>/dev/null); do readlink /proc/$kid/exe >/dev/null && echo $kid >> beside; done; \
                  setsid sh -c 'exec </dev/null >/dev/null 2>&1; echo $$ >> kids; exec sleep 600' & exec sleep 600";
    let options = ["--max-attempts", "3", "--backoff", "10ms", "--timeout", "500ms", "--kill-after", "2s"];

    let job = submit(&world, &options, script);
    world.wait_for_status(&job, "failed");

    assert_eq!(numbers(&world, "kids").len(), 3);
    assert_eq!(world.lines("beside"), Vec::<String>::new());
}

#[test]
fn fault_215_the_whole_group_has_the_grace_although_its_leader_ends_at_once() {
    for streams in ["", "exec </dev/null >/dev/null 2>&1; "] {
        let world = World::new();
        let child =
            format!("{streams}trap 'sleep 1; echo >> cleaned; exit' TERM; echo >> ready; while :; do sleep 0.05; done");
        world.write("child", &child);
        let options = ["--max-attempts", "1", "--timeout", "1s", "--kill-after", "20s"];

        let job = submit(&world, &options, "sh child & exec sleep 600");
        world.wait_for_status(&job, "failed");

        assert_eq!(world.lines("ready").len(), 1);
        assert_eq!(world.lines("cleaned").len(), 1, "the child had no time, its streams: {streams:?}");
    }
}

#[test]
fn fault_215_the_grace_of_a_group_ends() {
    let world = World::new();
    world
        .write("child", "exec </dev/null >/dev/null 2>&1; trap '' TERM; echo $$ >> kids; while :; do sleep 0.05; done");
    let options = ["--max-attempts", "1", "--timeout", "500ms", "--kill-after", "1s"];

    let asked = std::time::Instant::now();
    let job = submit(&world, &options, "sh child & exec sleep 600");
    world.wait_for_status(&job, "failed");

    assert!(asked.elapsed() > Duration::from_millis(1500), "{:?}", asked.elapsed());
    assert!(!is_alive(numbers(&world, "kids")[0]));
}

#[test]
fn fault_216_a_recovery_ends_what_interrupted_units_left_and_no_daemon_of_a_completed_one() {
    let world = World::new();
    let daemon = "setsid sh -c 'exec </dev/null >/dev/null 2>&1; echo $$ >> daemons; exec sleep 600' & \
                  until [ -s daemons ]; do sleep 0.02; done";
    let orphan = "setsid sh -c 'exec </dev/null >/dev/null 2>&1; echo $$ >> kids; exec sleep 600' & exec sleep 600";
    let script = format!("if [ {{}} = 1 ]; then {daemon}; else [ -e go ] || {{{{ {orphan}; }}}}; fi");
    let job = submit(&world, &["-j", "2", "--kill-after", "2s", "--range", "1-2"], &script);
    world.wait_for_completed(&job, 1);
    wait_for(&world, "the orphan", || world.lines("kids").len() == 1);

    world.kill_manager(&job);
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.wait_for_status(&job, "completed");

    let (daemon, orphan) = (numbers(&world, "daemons")[0], numbers(&world, "kids")[0]);
    let lived = is_alive(daemon);
    kill(daemon);
    assert!(lived, "the daemon of a completed unit was ended");
    assert!(!is_alive(orphan), "a process of an interrupted unit lives on");
}

/// A copy of a database that has run while the original did, and the number of a process of the original, which is gone.
fn copy_of_what_is_gone(world: &World) -> (std::path::PathBuf, u32) {
    let script = "setsid sh -c 'exec </dev/null >/dev/null 2>&1; echo $$ >> kids; exec sleep 600' & \
                  until [ -e go ]; do sleep 0.05; done; exit 1";
    let job = submit(world, &["--max-attempts", "1", "--kill-after", "2s"], script);
    wait_for(world, "the child to have left", || world.lines("kids").len() == 1);
    wait_for(world, "its start to be recorded", || world.status(&job)["progress"]["running"] == 1);
    let copied = "mkdir copy; cp jobs.db jobs.db-wal copy/; cp -r jobs.db.d copy/";
    assert!(world.sh(copied).status.success());
    let copy = world.path("copy/jobs.db");
    world.write("go", "");
    let started = on(world, &copy, &["resume", "1"]);
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    wait_for(world, "the copy to have run", || {
        String::from_utf8_lossy(&on(world, &copy, &["status", "1", "--json"]).stdout)
            .contains("\"job_status\":\"failed\"")
    });
    let child = numbers(world, "kids")[0];
    assert!(is_alive(child), "a process of the original was ended for its copy");
    world.wait_for_status(&job, "failed");
    assert!(world.sh("rm -r jobs.db*").status.success());
    (copy, child)
}

fn on(world: &World, db: &std::path::Path, args: &[&str]) -> std::process::Output {
    world.job_manager(&[&["--db", db.to_str().unwrap()], args].concat()).output().unwrap()
}

#[test]
fn fault_213_what_an_original_left_behind_that_is_gone_is_named_by_doctor_and_ended_before_its_copy_runs_again() {
    needs_file!("it is copied");
    let world = World::new();
    let (copy, child) = copy_of_what_is_gone(&world);

    let examined = String::from_utf8(on(&world, &copy, &["doctor"]).stdout).unwrap();
    on(&world, &copy, &["retry", "--no-start", "1", "--failed"]);
    let again = on(&world, &copy, &["resume", "1"]);
    let ended = wait_until(|| !is_alive(child));
    let afterwards = String::from_utf8(on(&world, &copy, &["doctor"]).stdout).unwrap();

    let line = examined.lines().find(|line| line.contains("orphans")).unwrap();
    assert!(line.starts_with("warn") && line.contains(&child.to_string()) && line.contains("job 1"), "{line}");
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(ended, "it lives on beside the next attempt");
    let line = afterwards.lines().find(|line| line.contains("orphans")).unwrap();
    assert!(line.starts_with("ok"), "{line}");
}

/// Waits for a condition and says whether it came true.
fn wait_until(mut holds: impl FnMut() -> bool) -> bool {
    let asked = std::time::Instant::now();
    while !holds() {
        if asked.elapsed() > Duration::from_secs(20) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}
