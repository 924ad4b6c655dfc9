//! What dead managers left behind is mended, and nothing else is touched.

use std::fs;

use nix::sys::signal::Signal;

use crate::support::{World, is_alive, send, wait_for};

/// Starts a job of one unit that never ends by itself, and returns the job and the unit's process.
fn endless(world: &World, name: &str) -> (String, u32) {
    let script = format!("echo $$ >pid.{name}; exec sleep 600");
    let job =
        world.ok(&["submit", "--name", name, "--kill-after", "1s", "--backoff", "10ms", "--shell", "--", &script]);
    let lines = || world.lines(&format!("pid.{name}"));
    wait_for(world, "the unit to run", || lines().len() == 1 && world.status(&job)["progress"]["running"] == 1);
    (job, lines()[0].parse().unwrap())
}

#[test]
fn interrupted_jobs_go_on_and_paused_ones_stay() {
    let world = World::new();
    let (paused, _) = endless(&world, "paused");
    world.ok(&["stop", &paused, "--now", "--wait"]);
    let (lost, orphan) = endless(&world, "lost");
    assert!(world.ok(&["doctor"]).contains("no process is left behind"));
    world.kill_manager(&lost);

    let doctor = world.ok(&["doctor"]);
    assert!(doctor.contains(&format!("live on without a manager, of job {lost};")), "{doctor}");
    world.fails(4, &["recover", &paused]);
    let recovered = world.ok(&["recover", "--all"]);

    wait_for(&world, "the orphan to be ended", || !is_alive(orphan));
    assert_eq!(recovered, world.manager(&lost).to_string());
    assert_eq!(world.status(&paused)["job_status"], "paused");
    assert_eq!(world.ok(&["recover", "--all"]), "", "there was nothing left to recover");
    world.ok(&["cancel", &lost]);
    world.assert_sound(&lost);
}

#[test]
fn a_job_that_a_shutdown_paused_goes_on_and_one_that_a_person_paused_does_not() {
    let world = World::new();
    let (job, _) = endless(&world, "one");
    for _ in 0..2 {
        send(world.manager(&job), Signal::SIGTERM);
    }
    world.wait_for_status(&job, "paused");
    wait_for(&world, "its manager to be gone", || world.status(&job)["status"] == "stopped");
    assert_eq!(world.ok(&["explain", &job, "-q"]), "paused_by_signal");

    let recovered = world.ok(&["recover", "--all"]);
    assert_eq!(recovered, world.manager(&job).to_string());
    wait_for(&world, "its unit to run again", || world.status(&job)["progress"]["running"] == 1);
    world.ok(&["stop", &job, "--now", "--wait"]);

    assert_eq!(world.ok(&["recover", "--all"]), "");
    assert_eq!(world.status(&job)["job_status"], "paused");
}

#[test]
fn a_job_that_was_being_cancelled_when_its_manager_died_is_cancelled() {
    let world = World::new();
    let (job, orphan) = endless(&world, "doomed");
    world.suspend(world.manager(&job));
    world.ok(&["cancel", &job, "--reason", "not needed", "--no-wait"]);
    world.kill_manager(&job);

    world.ok(&["recover", "--all"]);

    world.wait_for_status(&job, "cancelled");
    assert!(!is_alive(orphan));
    assert_eq!(world.lines("pid.doomed").len(), 1, "a unit of a cancelled job was run");
    assert_eq!(world.units(&job)[0]["error"], "not needed");
    world.assert_sound(&job);
}

#[test]
fn orphans_are_ended_although_no_manager_can_be_started() {
    let world = World::new();
    let (job, orphan) = endless(&world, "stuck");
    world.kill_manager(&job);
    let log = world.path(&format!("jobs.db.d/{job}/manager.log"));
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();

    let said = world.fails(5, &["recover", "--all"]);

    assert!(said.contains("manager.log"), "{said}");
    wait_for(&world, "the orphan to be ended", || !is_alive(orphan));
    assert_eq!(world.status(&job)["job_status"], "running");
}
