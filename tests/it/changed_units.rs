//! Units that a client changes while an attempt at them is under way, or on its way.

use crate::support::{World, wait_for};

#[test]
fn fault_132_a_unit_that_was_killed_and_retried_runs_to_its_end() {
    let world = World::new();
    // The first attempt at `a` hangs.
    let script = "if [ {} = b ]; then touch b; elif [ -e ran ]; then touch again; else touch ran; exec sleep 600; fi; \
                  while [ ! -e go ]; do sleep 0.02; done";
    let job = world.ok(&["submit", "-q", "-j", "2", "--shell", "--", script, ":::", "a", "b"]);
    wait_for(&world, "both to run", || world.path("ran").exists() && world.status(&job)["progress"]["running"] == 2);

    world.ok(&["kill", &format!("{job}:1"), "--then", "fail", "--reason", "it hangs"]);
    world.ok(&["retry", &job, "--failed"]);
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
