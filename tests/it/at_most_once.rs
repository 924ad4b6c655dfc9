//! A unit that may run at most once is not run again by what is asked of its job.

use crate::support::{World, merged};

/// Makes a job of units that may run at most once and fail, and lets it end.
fn failed_once(items: &[&str]) -> World {
    let world = World::new();
    let create = ["run", "-q", "--at-most-once", "--", "sh", "-c", "echo {} >>ran; exit 1", ":::"];
    world.fails(10, &[&create[..], items].concat());
    world
}

#[test]
fn fault_254_more_attempts_for_units_that_may_run_at_most_once_are_refused_by_name() {
    let world = World::new();
    world.ok(&["create", "-q", "--at-most-once", "--", "sh", "-c", "echo {} >>ran; exit 1", ":::", "a", "b"]);

    let said = world.fails(4, &["set", "1", "max-attempts=4", "backoff=1ms..2ms"]);
    world.ok(&["set", "1", "backoff=1ms..2ms"]);
    world.ok(&["start", "1"]);
    world.fails(10, &["wait", "1"]);

    assert!(said.contains("job 1 may run at most once") && said.contains("retry"), "{said}");
    assert_eq!(world.lines("ran").len(), 2);
}

#[test]
fn fault_254_a_failed_unit_that_was_gone_and_is_in_the_source_again_does_not_run_a_second_time() {
    let world = failed_once(&["a", "b"]);

    let gone = world.ok(&["sync", "1", "--", ":::", "b"]);
    let again = world.ok(&["sync", "1", "--", ":::", "b"]);
    let back = world.ok(&["sync", "1", "--", ":::", "a", "b"]);

    assert_eq!(gone, "+0 new, ~0 changed, -1 gone (1 had ended), 1 the same");
    assert_eq!(again, "+0 new, ~0 changed, -0 gone, 1 the same");
    assert_eq!(back, "+0 new, ~0 changed, -0 gone, 2 the same (1 back in the source)");
    assert_eq!(world.status("1")["progress"]["failed"], 2);
    world.fails(4, &["resume", "1"]);
    assert_eq!(world.lines("ran").len(), 2);
    world.assert_sound("1");
}

#[test]
fn fault_254_a_unit_that_never_ran_and_is_in_the_source_again_runs() {
    let world = World::new();
    world.ok(&["create", "-q", "--at-most-once", "--", "sh", "-c", "echo {} >>ran", ":::", "a", "b"]);
    world.ok(&["sync", "1", "--", ":::", "b"]);

    world.ok(&["sync", "1", "--", ":::", "a", "b"]);
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(world.lines("ran").len(), 2);
}

#[test]
fn fault_254_a_key_of_a_job_that_has_lost_the_promise_is_refused_to_whoever_asks_for_it() {
    let world = World::new();
    let create = ["create", "-q", "--key", "k", "--at-most-once", "--", "true", ":::", "a"];
    world.ok(&create);
    assert_eq!(world.ok(&create), "1");
    // As a former version let a client do.
    world.sql(&format!("UPDATE jobs SET limits = {}", merged("limits", "{\"max_attempts\":4}")));
    let lost = world.fails(4, &create);
    // As one does that did not write down what a job was created with.
    world.sql("DELETE FROM metadata WHERE key = 'creation'");
    let unknown = world.fails(4, &create);

    for said in [lost, unknown] {
        assert!(said.contains("max attempts 4 → 1"), "{said}");
    }
}

#[test]
fn a_person_may_ask_for_a_unit_again_that_may_run_at_most_once() {
    let world = failed_once(&["a"]);

    world.ok(&["retry", "--no-start", "1", "--failed"]);
    world.ok(&["resume", "1"]);
    world.fails(10, &["wait", "1"]);

    assert_eq!(world.lines("ran").len(), 2);
}
