//! Who is the manager: numbers, boots and locks that lie.

use std::process::Command;

use crate::support::{World, is_alive, wait_for};

#[test]
fn fault_16_a_strangers_process_number_fools_nobody() {
    let world = World::new();
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let job = world.ok(&["submit", "--", "sleep", "600"]);
    let manager = world.manager(&job);
    let claim = format!("UPDATE managers SET pid = {}", stranger.id());

    world.sql(&claim);
    let running = world.status(&job);
    world.ok(&["stop", &job, "--now", "--wait"]);

    assert_eq!(running["status"], "running");
    assert!(running["pid"].is_null(), "{running}");
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was hit");
    wait_for(&world, "the manager to end", || !is_alive(manager));

    world.sql(&claim);
    assert_eq!(world.status(&job)["status"], "stopped");
    world.fails(4, &["stop", &job]);
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn fault_16_a_number_that_runs_again_with_another_start_is_not_the_manager() {
    let world = World::new();
    let job = world.ok(&["submit", "--", "sleep", "600"]);
    world.kill_manager(&job);
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();

    world.sql(&format!("UPDATE managers SET pid = {}", stranger.id()));
    let status = world.status(&job);
    world.ok(&["resume", &job]);
    world.ok(&["cancel", &job]);

    assert_eq!(status["status"], "stopped");
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn fault_24_after_a_reboot_the_job_is_interrupted_and_says_why() {
    let world = World::new();
    let job = world.ok(&["submit", "--shell", "--", "test -e go || sleep 600", ":::", "a"]);
    world.kill_manager(&job);

    world.sql("UPDATE managers SET boot_id = '00000000-0000-0000-0000-000000000000'");
    let status = world.status(&job);
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    assert_eq!(status["status"], "stopped");
    assert_eq!(status["waiting_for"], "the host was rebooted");
    world.assert_sound(&job);
}

#[test]
fn fault_27_the_lock_is_free_although_units_of_a_killed_manager_live() {
    let world = World::new();
    let job = world.ok(&["submit", "--shell", "--", "echo $$ >pid; exec sleep 600"]);
    wait_for(&world, "the unit to start", || world.lines("pid").len() == 1);
    let unit: u32 = world.lines("pid")[0].parse().unwrap();

    world.kill_manager(&job);

    assert!(is_alive(unit), "the unit ended with its manager, this test shows nothing");
    assert_eq!(world.status(&job)["status"], "stopped");
    world.ok(&["resume", &job]);
    wait_for(&world, "the orphan to be ended", || !is_alive(unit));
}
