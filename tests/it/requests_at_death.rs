//! Requests about a running unit whose manager dies before it has done what was asked.

use crate::support::{World, needs_file, text, wait_for};

/// Submits units that end only when they are killed, and waits until all run.
fn units_that_stay(world: &World, count: usize) -> String {
    let script = "trap '' TERM; echo >> began-{}; while [ ! -e go ]; do sleep 0.05; done";
    let (workers, items) = (count.to_string(), format!("1-{count}"));
    let job =
        world.ok(&["submit", "-q", "-j", &workers, "--kill-after", "60s", "--range", &items, "--shell", "--", script]);
    wait_for(world, "all to run", || (1..=count).all(|unit| world.path(&format!("began-{unit}")).exists()));
    wait_for(world, "their starts to be recorded", || world.status(&job)["progress"]["running"] == count);
    job
}

fn ends(world: &World, job: &str) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    world.units(job).iter().map(|unit| (text(&unit["status"]), text(&unit["error"]))).collect()
}

#[test]
fn fault_212_what_was_asked_of_a_running_unit_holds_although_the_manager_died_before_it_looked() {
    let world = World::new();
    let job = units_that_stay(&world, 4);
    world.suspend(world.manager(&job));

    world.ok(&["cancel", &format!("{job}:1"), "--no-wait", "--reason", "wrong file"]);
    world.ok(&["kill", &format!("{job}:2"), "--no-wait", "--then", "skip", "--reason", "not needed"]);
    world.ok(&["kill", &format!("{job}:3"), "--no-wait", "--then", "fail", "--reason", "it hangs"]);
    world.ok(&["kill", &format!("{job}:4"), "--no-wait", "--then", "retry"]);
    world.kill_manager(&job);
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.wait_for_status(&job, "failed");

    let found = ends(&world, &job);
    let expected = [("cancelled", "wrong file"), ("skipped", "not needed"), ("failed", "it hangs"), ("completed", "")];
    assert_eq!(found, expected.map(|(status, error)| (status.to_owned(), error.to_owned())));
    assert_eq!((1..=4).map(|unit| world.lines(&format!("began-{unit}")).len()).collect::<Vec<_>>(), [1, 1, 1, 2]);
    assert_eq!(world.count("count(*) FROM metadata WHERE key LIKE 'kill:%'"), 0);
    world.assert_sound(&job);
}

#[test]
fn fault_212_a_cancellation_holds_when_the_manager_dies_while_it_ends_the_unit() {
    let world = World::new();
    let job = units_that_stay(&world, 2);

    world.ok(&["cancel", &format!("{job}:1"), "--no-wait", "--reason", "wrong file"]);
    wait_for(&world, "the unit to be ended", || world.ok(&["logs", "--manager", &job]).contains("ending unit 1"));
    world.kill_manager(&job);
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.wait_for_status(&job, "cancelled");

    assert_eq!(ends(&world, &job)[0], ("cancelled".to_owned(), "wrong file".to_owned()));
    assert_eq!(world.lines("began-1").len(), 1);
    world.assert_sound(&job);
}

#[test]
fn fault_212_a_cancellation_of_a_unit_holds_when_its_interrupted_job_is_cancelled() {
    let world = World::new();
    let job = units_that_stay(&world, 2);
    world.suspend(world.manager(&job));

    world.ok(&["kill", &format!("{job}:1"), "--no-wait", "--then", "skip", "--reason", "not needed"]);
    world.kill_manager(&job);
    world.write("go", "");
    world.ok(&["cancel", &job, "--reason", "no more"]);

    let expected = [("skipped", "not needed"), ("cancelled", "no more")];
    assert_eq!(ends(&world, &job), expected.map(|(status, error)| (status.to_owned(), error.to_owned())));
    world.assert_sound(&job);
}

#[test]
fn fault_291_a_unit_that_fails_and_is_retried_faster_than_its_manager_looks_can_be_cancelled_and_skipped() {
    let world = World::new();
    let submit =
        ["submit", "-q", "--max-attempts", "1000000", "--backoff", "0s..1ms", "--shell", "--", "sleep 0.02; false"];

    for (verb, end) in [(&["cancel"][..], "cancelled"), (&["kill", "--then", "skip"], "skipped")] {
        let job = world.ok(&submit);
        let unit = format!("{job}:1");
        wait_for(&world, "some attempts", || world.units(&job)[0]["attempts"].as_u64() > Some(2));

        // `kill` is about what runs, and it may just not run.
        wait_for(&world, "the request to be taken", || {
            let asked = world.run(&[verb, &["--no-wait", &unit, "--reason", "enough"]].concat());
            assert!(asked.status.success() || verb[0] == "kill", "{verb:?}: {}", text(&asked.stderr));
            asked.status.success()
        });

        wait_for(&world, "the unit to end", || world.units(&job)[0]["status"] == end);
        assert_eq!(world.units(&job)[0]["error"], "enough");
        wait_for(&world, "the job to end", || world.status(&job)["job_status"] != "running");
        world.assert_sound(&job);
    }
}

#[test]
fn fault_294_what_was_asked_of_a_unit_holds_although_a_recovery_cannot_look_at_the_slots() {
    let world = World::new();
    let job = units_that_stay(&world, 1);
    world.suspend(world.manager(&job));
    world.ok(&["cancel", &format!("{job}:1"), "--no-wait", "--reason", "wrong file"]);
    world.kill_manager(&job);

    world.sh("chmod g+w jobs.db.d/1/slots/0");
    world.run(&["resume", &job]);
    wait_for(&world, "the manager to give up", || world.status(&job)["status"] == "stopped");
    let given_up = world.status(&job);
    world.sh("chmod g-w jobs.db.d/1/slots/0");
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.wait_for_status(&job, "cancelled");

    assert_eq!(given_up["job_status"], "running", "it is interrupted: {given_up}");
    assert!(given_up["error"].to_string().contains("cannot look at the job's slots"), "{given_up}");
    assert_eq!(ends(&world, &job)[0], ("cancelled".to_owned(), "wrong file".to_owned()));
    assert_eq!(world.lines("began-1").len(), 1);
    world.assert_sound(&job);
}

#[test]
fn fault_294_what_was_asked_of_a_unit_holds_although_its_manager_fails() {
    let world = World::new();
    let job = units_that_stay(&world, 1);
    world.suspend(world.manager(&job));
    world.ok(&["cancel", &format!("{job}:1"), "--no-wait", "--reason", "wrong file"]);
    world.kill_manager(&job);

    world.job_manager(&["resume", &job]).env("JOB_MANAGER_CRASH", "before-recovery:panic").output().unwrap();
    world.wait_for_status(&job, "failed");
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.wait_for_status(&job, "cancelled");

    assert_eq!(ends(&world, &job)[0], ("cancelled".to_owned(), "wrong file".to_owned()));
    world.assert_sound(&job);
}

#[test]
fn fault_294_a_job_that_failed_with_units_under_way_leaves_no_process_when_it_is_deleted() {
    needs_file!("its end is written without that of its manager");
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--", "sleep", "600"]);
    wait_for(&world, "its start to be recorded", || world.status(&job)["progress"]["running"] == 1);
    world.kill_manager(&job);
    // As an older version left it when its recovery could not be done.
    world.sql("UPDATE jobs SET status = 'failed', finished_at = started_at");

    world.ok(&["rm", "-y", &job]);

    world.assert_no_process_left();
}

#[test]
fn fault_292_a_pause_of_the_job_that_is_recorded_after_a_death_holds_all_units() {
    let world = World::new();
    let submit = ["submit", "-q", "-j", "1", "--range", "1-3", "--exit", "79=pause:1h", "--shell", "--"];
    let submit = [&submit[..], &["echo {} >>began; exit 79"]].concat();
    world.job_manager(&submit).env("JOB_MANAGER_CRASH", "unit-posted:kill").output().unwrap();
    wait_for(&world, "the manager to die", || world.status("1")["status"] == "stopped");
    assert_eq!(world.count("count(*) FROM jobs WHERE hold_until IS NULL"), 1, "it is in the outbox only");

    world.ok(&["resume", "1"]);
    wait_for(&world, "the hold to be recorded", || world.count("count(*) FROM jobs WHERE hold_until IS NOT NULL") == 1);
    world.ok(&["stop", "1", "--wait"]);

    assert_eq!(world.lines("began"), ["1"]);
    world.assert_sound("1");
}
