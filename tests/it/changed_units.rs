//! Units that a client changes while an attempt at them is under way, or on its way.

use crate::support::{World, needs_file, wait_for};

#[test]
fn fault_132_a_unit_that_was_killed_and_retried_runs_to_its_end() {
    let world = World::new();
    // The first attempt at `a` hangs.
    let script = "if [ {} = b ]; then touch b; elif [ -e ran ]; then touch again; else touch ran; exec sleep 600; fi; \
                  while [ ! -e go ]; do sleep 0.02; done";
    let job = world.ok(&["submit", "-q", "-j", "2", "--shell", "--", script, ":::", "a", "b"]);
    wait_for(&world, "both to run", || world.path("ran").exists() && world.status(&job)["progress"]["running"] == 2);

    world.ok(&["kill", &format!("{job}:1"), "--then", "fail", "--reason", "it hangs"]);
    world.ok(&["retry", "--no-start", &job, "--failed"]);
    wait_for(&world, "the second attempt to run", || world.path("again").exists());
    // Whatever a client changes has the manager look at the requests again.
    world.ok(&["scale", &job, "3"]);
    wait_for(&world, "that to be seen", || world.ok(&["logs", &job, "--manager"]).contains("3 workers from now on"));
    world.sh("touch go");
    world.ok(&["wait", &job]);

    assert_eq!(world.units(&job)[0]["status"], "completed");
    assert_eq!(world.count("count(*) FROM metadata WHERE key LIKE 'kill:%'"), 0);
    world.assert_sound(&job);
}

#[test]
fn fault_134_a_unit_that_was_skipped_on_its_way_to_a_worker_is_ended_at_once() {
    let world = World::new();
    // `a` skips `b` and ends: the worker takes `b` from what the manager had read before it looks at the database again.
    let script = "case {} in a) \"$BIN\" skip -q \"$JOB_MANAGER_JOB\" --seq 2 ;; b) exec sleep 600 ;; esac";
    let job = world.ok(&["submit", "-q", "-j", "1", "--shell", "--", script, ":::", "a", "b", "c"]);

    world.ok(&["wait", "--timeout", "30s", &job]);

    let states: Vec<_> = world.units(&job).iter().map(|unit| unit["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["completed", "skipped", "completed"]);
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn fault_135_what_had_ended_when_the_manager_died_keeps_its_end_when_the_job_is_cancelled() {
    needs_file!("units start while nobody can write");
    let world = World::new();
    let script = "case {} in a) while [ ! -e go ]; do sleep 0.02; done ;; b) touch begun; exec sleep 600 ;; esac";
    let job = world.ok(&["submit", "-q", "-j", "1", "--shell", "--", script, ":::", "a", "b"]);
    wait_for(&world, "the first to run", || world.status(&job)["progress"]["running"] == 1);
    // Nothing can be committed from here on: the end of `a` and the start of `b` are known to their manager only.
    let lock = world.hold_write_lock();
    world.sh("touch go");
    wait_for(&world, "the second to run", || world.path("begun").exists());
    world.kill_manager(&job);
    drop(lock);

    world.ok(&["cancel", &job]);

    let states = || -> Vec<(String, i64)> {
        let of =
            |unit: &serde_json::Value| (unit["status"].as_str().unwrap().to_owned(), unit["crashes"].as_i64().unwrap());
        world.units(&job).iter().map(of).collect()
    };
    assert_eq!(states(), [("completed".to_owned(), 0), ("cancelled".to_owned(), 1)]);
    world.assert_no_process_left();
    world.assert_sound(&job);
    // Nothing of the dead manager is left for the next one.
    world.ok(&["retry", "--no-start", &job, "--status", "cancelled"]);
    world.ok(&["resume", &job]);
    wait_for(&world, "it to run again", || world.status(&job)["progress"]["running"] == 1);
    assert_eq!(states(), [("completed".to_owned(), 0), ("running".to_owned(), 0)]);
    world.ok(&["cancel", &job]);
}

#[test]
fn fault_136_a_command_that_must_not_run_twice_runs_once() {
    let world = World::new();
    let script = "echo {} >>ran; exit {}";

    let flags = ["run", "-q", "--at-most-once", "--shell", "--"];
    let ran = world.run(&[&flags[..], &[script, ":::", "1", "75", "79"]].concat());

    assert_eq!(ran.status.code(), Some(10));
    let mut lines = world.lines("ran");
    lines.sort();
    assert_eq!(lines, ["1", "75", "79"]);
    assert!(world.ok(&["explain", "1:1"]).contains("it may run at most once"));
    for again in [["--max-attempts", "2"], ["--exit", "79=pause:1ms"], ["--exit", "75=retry"]] {
        world.fails(2, &[&["run", "--at-most-once"], &again[..], &["--", "true"]].concat());
    }
}
