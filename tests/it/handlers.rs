//! Rust functions as units, run by a service's own executable.

use crate::support::World;

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
fn fault_41_a_handler_that_uses_rayon_under_a_lock_neither_nests_nor_hangs() {
    let world = World::new();

    let job = world.service("parallel", 10_000, 2);
    world.ok(&["wait", &job, "--timeout", "60s"]);

    assert_eq!(world.status(&job)["progress"]["completed"], 10_000);
    world.assert_sound(&job);
    world.assert_no_process_left();
}
