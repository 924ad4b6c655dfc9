//! Rust functions as units, run by a service's own executable.

use crate::support::{World, example, text, wait_for};

#[test]
fn fault_38_a_handler_that_panics_fails_its_unit_with_message_and_place() {
    let world = World::new();

    let job = world.service("panics", 10, 2);
    world.fails(10, &["wait", &job]);

    let units = world.units(&job);
    let errors: Vec<&str> = units.iter().map(|unit| unit["error"].as_str().unwrap_or_default()).collect();
    assert!(errors[0].starts_with("panicked: fixed text (at fixtures/service/main.rs:"), "{errors:?}");
    assert!(errors[1].starts_with("panicked: unit 2 (at fixtures/service/main.rs:"), "{errors:?}");
    assert!(errors[2].starts_with("panicked: a panic without a message (at "), "{errors:?}");
    assert!(errors[3].starts_with("panicked: in drop (at fixtures/service/main.rs:"), "{errors:?}");
    assert_eq!(world.status(&job)["progress"]["completed"], 2);
    world.assert_sound(&job);
}

#[test]
fn fault_40_a_handler_that_aborts_is_failed_at_the_third_death_and_the_others_complete() {
    dies_three_times("aborts");
}

#[test]
fn fault_39_a_handler_that_exits_is_failed_at_the_third_death_and_the_others_complete() {
    dies_three_times("exits");
}

#[test]
fn fault_39_a_handler_that_overflows_its_stack_is_failed_at_the_third_death_and_the_others_complete() {
    dies_three_times("overflows");
}

/// Runs a job whose fifth unit takes the manager down each time.
fn dies_three_times(handler: &str) {
    let world = World::new();

    let job = world.service(handler, 50, 2);
    for _death in 1..=3 {
        wait_for(&world, "the manager to die or the job to end", || world.status(&job)["status"] == "stopped");
        if world.status(&job)["job_status"] == "failed" {
            break;
        }
        world.ok(&["resume", &job]);
    }
    world.fails(10, &["wait", &job]);

    let poison = &world.units(&job)[4];
    assert_eq!(poison["error"], "the manager died 3 times while this unit ran");
    assert_eq!(world.status(&job)["progress"]["completed"], 49);
    wait_for(&world, "the callback", || {
        world.lines("callbacks").iter().filter(|line| *line == "failed 5").count() == 1
    });
    world.assert_sound(&job);
}

#[test]
fn fault_54_a_stop_works_although_the_service_handles_the_signal_too() {
    let world = World::new();
    let mut service = world.command(example("service"));
    let started = service.env("OWN_SIGNALS", "1").arg(world.address()).args(["polite", "3", "2"]).output().unwrap();
    assert!(started.status.success(), "{}", text(&started.stderr));
    wait_for(&world, "units to start", || world.lines("started").len() == 2);

    let manager = nix::unistd::Pid::from_raw(i32::try_from(world.manager("1")).unwrap());
    nix::sys::signal::kill(manager, nix::sys::signal::Signal::SIGTERM).unwrap();

    world.wait_for_status("1", "paused");
    assert_eq!(world.lines("signals"), ["term"]);
    world.assert_sound("1");
}

#[test]
fn fault_41_a_handler_that_uses_rayon_under_a_lock_neither_nests_nor_hangs() {
    let world = World::new();

    let job = world.service("parallel", 10_000, 2);
    world.ok(&["wait", &job, "--timeout", "60s"]);

    assert_eq!(world.status(&job)["progress"]["completed"], 10_000);
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn fault_41_more_loops_than_processors_do_not_nest_at_the_start() {
    let world = World::new();

    let job = world.service("parallel", 2_000, 64);
    world.ok(&["wait", &job, "--timeout", "60s"]);

    assert_eq!(world.status(&job)["progress"]["completed"], 2_000);
}

#[test]
fn a_checkpoint_outlives_the_manager_and_is_given_to_the_next_attempt() {
    let world = World::new();

    let job = world.service("counts", 1, 1);
    wait_for(&world, "half of the numbers", || world.lines("counted").len() >= 50);
    world.kill_manager(&job);
    let before = world.lines("counted").len();
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    let counted = world.lines("counted");
    let repeated = counted.len() - 100;
    assert!(repeated <= 1, "only the number after the last checkpoint may be counted again: {counted:?}");
    assert!(counted[before].parse::<usize>().unwrap() >= before, "it began again: {counted:?}");
    let unit: serde_json::Value = serde_json::from_str(&world.ok(&["unit", &format!("{job}:1"), "--json"])).unwrap();
    assert_eq!((&unit["notes"]["done"], &unit["notes"]["checkpoint"]), (&100.into(), &100.into()));
    assert_eq!(unit["unit"]["result"], 100);
}

#[test]
fn a_pause_of_the_job_lets_nothing_start_and_outlives_the_manager() {
    let world = World::new();

    let job = world.service("quota", 20, 1);
    wait_for(&world, "the pause", || world.status(&job)["waiting_for"].to_string().contains("quota exhausted"));
    let asked = world.lines("asked").len();
    assert_eq!(asked, 5);
    world.kill_manager(&job);
    world.ok(&["resume", &job]);
    wait_for(&world, "the pause again", || world.status(&job)["waiting_for"].to_string().contains("quota exhausted"));
    assert_eq!(world.lines("asked").len(), asked, "a unit started during the pause");

    world.ok(&["stop", &job, "--wait"]);
    world.write("paid", "");
    world.sql("UPDATE jobs SET hold_until = 1; UPDATE units SET not_before = 1 WHERE not_before IS NOT NULL");
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    let fifth = &world.units(&job)[4];
    assert_eq!((&fifth["status"], &fifth["attempts"]), (&"completed".into(), &1.into()), "the pause cost an attempt");
    world.assert_sound(&job);
}

#[test]
fn every_outcome_has_its_state_and_a_callback_that_panics_stops_nothing() {
    let world = World::new();

    let job = world.service("outcomes", 5, 1);
    world.fails(10, &["wait", &job]);

    let units = world.units(&job);
    let states: Vec<&str> = units.iter().map(|unit| unit["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "skipped", "completed", "completed", "completed"]);
    assert_eq!((&units[0]["error"], &units[1]["error"]), (&"no good".into(), &"nothing to do".into()));
    assert_eq!((&units[2]["attempts"], &units[2]["result"]), (&2.into(), &serde_json::json!([3])));
    wait_for(&world, "the manager to end", || world.status(&job)["status"] == "stopped");
    let error = world.status(&job)["callback_error"].to_string();
    assert!(error.contains("a callback that panics (at fixtures/service/main.rs:"), "{error}");
    let mut told = world.lines("callbacks");
    assert_eq!(told.pop().as_deref(), Some("end failed"));
    told.sort();
    assert_eq!(told, ["complete 3", "complete 4", "complete 5", "failed 1"]);
}

#[test]
fn a_handler_that_looks_at_should_stop_gives_its_unit_back() {
    let world = World::new();
    let job = world.service("polite", 3, 2);
    wait_for(&world, "units to start", || world.lines("started").len() == 2);

    world.ok(&["stop", &job, "--wait"]);

    let progress = &world.status(&job)["progress"];
    assert_eq!((&progress["pending"], &progress["running"]), (&3.into(), &0.into()));
    assert!(world.units(&job).iter().all(|unit| unit["attempts"] == 0), "an attempt was counted");
    world.assert_sound(&job);
}

#[test]
fn a_handler_that_never_returns_does_not_hold_a_hasty_stop() {
    let world = World::new();
    let job = world.service("deaf", 3, 2);
    wait_for(&world, "units to start", || world.lines("started").len() == 2);

    world.ok(&["stop", &job, "--now", "--wait"]);

    assert_eq!(world.status(&job)["job_status"], "paused");
    assert_eq!(world.status(&job)["progress"]["pending"], 3);
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn fault_13_a_job_of_a_service_is_resumed_by_the_program_that_ran_it() {
    let world = World::new();
    let job = world.service("polite", 2, 1);
    wait_for(&world, "a unit to start", || world.lines("started").len() == 1);
    world.ok(&["stop", &job, "--wait"]);

    world.ok(&["resume", &job]);
    wait_for(&world, "a unit to start again", || world.lines("started").len() == 2);

    world.ok(&["cancel", &job]);
    world.assert_sound(&job);
}

#[test]
fn fault_13_units_of_an_unknown_handler_fail_and_nothing_crashes() {
    let world = World::new();

    let job = world.service("no-such-handler", 3, 1);
    world.fails(10, &["wait", &job]);

    let error = world.units(&job)[0]["error"].to_string();
    assert!(error.contains("unknown handler") && error.contains("this program knows: aborts, command"), "{error}");
    assert_eq!(world.status(&job)["progress"]["failed"], 3);
    world.assert_sound(&job);
}

#[test]
fn a_service_without_the_hook_is_told_so_instead_of_being_started_again() {
    let world = World::new();

    let started = world
        .command(example("service"))
        .env("HOOK", "forgotten")
        .arg(world.address())
        .args(["nothing", "1", "1"])
        .output();

    let said = text(&started.unwrap().stderr);
    assert!(said.contains("HookMissing"), "{said}");
    world.assert_no_process_left();
}

#[test]
fn the_hook_works_under_a_runtime_that_runs_already() {
    let world = World::new();

    let started = world
        .command(example("service"))
        .env("HOOK", "late")
        .arg(world.address())
        .args(["nothing", "100", "2"])
        .output();
    let started = started.unwrap();
    assert!(started.status.success(), "{}\n{}", text(&started.stderr), world.report());
    world.ok(&["wait", "1"]);

    world.assert_sound("1");
    world.assert_no_process_left();
}
