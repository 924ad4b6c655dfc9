//! Handlers that do not return, beside a manager that has to end.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{World, example, identity, needs_file, send, text, wait_for};

/// Starts a service with one unit whose handler never returns, and returns its manager.
fn start_deaf(world: &World) -> u32 {
    let job = world.service("deaf", 1, 1);
    wait_for(world, "the unit to start", || world.lines("started").len() == 1);
    world.manager(&job)
}

fn wait_for_end(world: &World, manager: u32) {
    wait_for(world, "the manager to end", || identity(manager).is_none_or(|process| process.state == 'Z'));
}

fn unit(world: &World, seq: &str) -> Value {
    serde_json::from_str(&world.ok(&["unit", &format!("1:{seq}"), "--json"])).unwrap()
}

#[test]
fn fault_297_a_manager_whose_database_was_moved_ends_although_a_handler_does_not_return() {
    let world = World::new();
    let manager = start_deaf(&world);

    std::fs::rename(world.db(), world.path("moved.db")).unwrap();
    wait_for_end(&world, manager);
    std::fs::rename(world.path("moved.db"), world.db()).unwrap();

    assert_eq!(world.status("1")["status"], "stopped");
    let log = world.ok(&["logs", "--manager", "1"]);
    assert!(log.contains("1 handler did not return"), "{log}");
    world.ok(&["resume", "1"]);
    wait_for(&world, "the unit to start again", || world.lines("started").len() == 2);
}

#[test]
fn fault_297_a_manager_that_fails_says_so_although_a_handler_does_not_return() {
    let world = World::new();
    let mut service = world.command(example("service"));
    service.env("JOB_MANAGER_CRASH", "before-commit:panic@2").arg(world.address()).args(["deaf", "2", "1"]);
    let started = service.output().unwrap();
    assert!(started.status.success(), "{}", text(&started.stderr));

    world.wait_for_status("1", "failed");

    let status = world.status("1");
    assert!(status["error"].to_string().contains("crash point before-commit"), "{status}");
    assert_eq!((&status["progress"]["running"], &status["progress"]["pending"]), (&0.into(), &2.into()));
    world.assert_sound("1");
    world.assert_no_process_left();
}

#[test]
fn fault_298_a_unit_that_has_ended_is_not_given_back_because_the_database_is_busy() {
    needs_file!("SQLite has one lock for all writers");
    for options in [&[][..], &["--at-most-once"]] {
        let world = World::new();
        let script = "until test -e go; do sleep 0.02; done; echo x >>done";
        let submit = ["submit", "-j", "1", "--kill-after", "100ms"];
        let job = world.ok(&[&submit[..], options, &["--shell", "--", script]].concat());
        wait_for(&world, "the unit to run", || world.status(&job)["progress"]["running"] == 1);
        let manager = world.manager(&job);

        let held = world.hold_write_lock();
        world.write("go", "");
        wait_for(&world, "the unit to end", || !world.lines("done").is_empty());
        send(manager, Signal::SIGTERM);
        wait_for(&world, "the first signal to be seen", || world.ok(&["logs", "--manager", &job]).contains("stopping"));
        send(manager, Signal::SIGTERM);
        wait_for(&world, "the time to be over in which handlers return", || {
            let log = world.ok(&["logs", "--manager", &job]);
            log.contains("not return") || log.contains("wait for their commit")
        });
        drop(held);
        wait_for_end(&world, manager);

        let row = &world.units(&job)[0];
        assert_eq!((&row["status"], &row["attempts"]), (&"completed".into(), &1.into()), "{options:?}: {row}");
        assert_eq!(world.status(&job)["job_status"], "completed", "{options:?}");
        world.assert_sound(&job);
    }
}

#[test]
fn fault_298_a_job_that_halts_says_why_although_a_handler_does_not_return() {
    let world = World::new();
    start_deaf(&world);

    world.ok(&["set", "1", "deadline=100ms"]);
    world.wait_for_status("1", "paused");

    let status = world.status("1").to_string();
    assert!(status.contains("deadline"), "{status}");
}

#[test]
fn fault_299_a_stop_of_a_handler_that_does_not_return_is_no_death_of_its_manager() {
    let world = World::new();
    start_deaf(&world);

    world.ok(&["stop", "1", "--now", "--wait"]);
    world.ok(&["resume", "1"]);
    wait_for(&world, "the unit to start again", || world.lines("started").len() == 2);

    let unit = unit(&world, "1");
    assert_eq!((&unit["unit"]["crashes"], &unit["unit"]["attempts"]), (&0.into(), &1.into()), "{unit}");
    assert!(!unit.to_string().contains("crashed"), "{unit}");
}

#[test]
fn fault_330_a_manager_ends_with_everything_recorded_although_a_callback_does_not_return() {
    let world = World::new();
    let job = world.service("unheard", 3, 1);
    wait_for(&world, "the units to be recorded", || world.status(&job)["progress"]["completed"] == 3);
    let manager = world.manager(&job);

    let waited = std::time::Instant::now();
    while identity(manager).is_some_and(|process| process.state != 'Z') {
        assert!(waited.elapsed().as_secs() < 120, "the manager stays: {}", world.report());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }

    let status = world.status(&job);
    assert_eq!(status["job_status"], "completed");
    let named = format!("on_unit_complete of unit {job}:1 did not return");
    assert!(status["callback_error"].as_str().unwrap().contains(&named), "{status}");
    assert!(world.ok(&["logs", "--manager", &job]).contains(&named));
    assert_eq!(world.lines("callbacks"), ["complete 1", "end completed"]);
    world.assert_sound(&job);
}
