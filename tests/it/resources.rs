//! What attempts take of the machine.

use serde_json::Value;

use crate::support::World;

const MIB: f64 = 1024.0 * 1024.0;

fn json(world: &World, arguments: &[&str]) -> Value {
    serde_json::from_str(&world.ok(arguments)).unwrap()
}

#[test]
fn an_attempt_that_fails_says_how_much_processor_time_and_memory_it_took() {
    let world = World::new();
    // A hundred mebibytes in one process, and some work, below a shell that takes little.
    let script = "python3 -c 'x = bytearray(100 << 20); sum(range(2_000_000))'; exit 3";

    world.fails(10, &["run", "--max-attempts", "1", "--shell", "--", script]);
    let unit = json(&world, &["--json", "unit", "1:1"]);
    let text = world.ok(&["unit", "1:1"]);
    let status = json(&world, &["--json", "status", "1"]);

    let attempt = &unit["attempts_not_completed"][0];
    let (cpu, peak) = (attempt["cpu_seconds"].as_f64().unwrap(), attempt["peak_memory_bytes"].as_f64().unwrap());
    assert!(cpu > 0.01 && cpu < 60.0, "{attempt}");
    assert!(peak > 100.0 * MIB && peak < 200.0 * MIB, "{attempt}");
    assert_eq!(attempt["peak_memory_is_bound"], false, "{attempt}");
    assert!(text.contains(" CPU time, 1") && text.contains(" MiB memory)"), "{text}");
    let resources = &status["resources"];
    assert_eq!(resources["attempts"], 1, "{status}");
    assert_eq!(resources["peak_memory_bytes_max"], attempt["peak_memory_bytes"], "{status}");
    assert_eq!(resources["cpu_seconds_max"], attempt["cpu_seconds"], "{status}");
}

#[test]
fn memory_below_that_of_the_manager_is_shown_as_a_bound() {
    let world = World::new();

    world.fails(10, &["run", "--max-attempts", "1", "--", "false"]);
    let attempt = json(&world, &["--json", "unit", "1:1"])["attempts_not_completed"][0].clone();

    assert_eq!(attempt["peak_memory_is_bound"], true, "{attempt}");
    assert!(world.ok(&["unit", "1:1"]).contains(", ≤ "), "{attempt}");
    assert!(world.ok(&["status", "1"]).contains(" and ≤ "), "{}", world.ok(&["status", "1"]));
}

#[test]
fn what_attempts_took_is_counted_on_after_a_resume_and_with_their_checks() {
    let world = World::new();
    let check = "python3 -c 'x = bytearray(60 << 20)'";
    let options =
        ["--range", "1-9", "-j", "1", "--max-failures", "1", "--max-attempts", "1", "--check", check, "--shell"];
    world.fails(12, &[&["run"][..], &options, &["--", "test {} != 2 || test -e go"]].concat());
    let before = json(&world, &["--json", "status", "1"])["resources"].clone();
    world.write("go", "");

    world.ok(&["retry", "1", "--failed"]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);
    let after = json(&world, &["--json", "status", "1"])["resources"].clone();

    // Where it stopped is not told: more units may have started while the failure was recorded.
    assert!((2..10).contains(&before["attempts"].as_u64().unwrap()), "{before}");
    assert_eq!(after["attempts"], 10, "{before} {after}");
    assert!(after["peak_memory_bytes_max"].as_f64().unwrap() > 60.0 * MIB, "{after}");
    world.assert_sound("1");
}

#[test]
fn a_job_that_has_not_run_has_taken_nothing() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);

    let status = json(&world, &["--json", "status", "1"]);

    assert!(status.get("resources").is_none(), "{status}");
}
