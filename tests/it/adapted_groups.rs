//! Groups that adapt: each finds out by itself how many of its units whoever they ask can take.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{World, wait_for};

fn runs_of(world: &World, group: &str) -> i64 {
    world.count(&format!("count(*) FROM units WHERE status = 'running' AND grp = '{group}'"))
}

#[test]
fn a_busy_group_runs_fewer_units_the_others_go_on_and_a_resume_begins_there() {
    let world = World::new();
    let lines: String =
        (1..=40).map(|n| format!("{{\"g\":\"{}\"}}\n", if n % 2 == 0 { "busy" } else { "free" })).collect();
    world.write("in.jsonl", &lines);
    // The first unit of one group is busy as soon as eight of it run; the others last, so that nobody ends well.
    let script = r#"
        if test {g} = busy && mkdir first 2>/dev/null; then until test -e full; do sleep 0.05; done; exit 76; fi
        until test -e go; do sleep 0.1; done"#;
    let options =
        ["-j", "16", "--group", "{g}", "--per-group", "8", "--adapt", "3", "--exit", "76=busy", "--backoff", "1h"];
    world.ok(&[&["submit", "-q"], &options[..], &["--jsonl", "in.jsonl", "--shell", "--", script]].concat());
    wait_for(&world, "both groups to be full", || (runs_of(&world, "busy"), runs_of(&world, "free")) == (8, 8));
    world.write("full", "");

    wait_for(&world, "the word of one", || world.status("1")["groups"]["adapted"] == 1);
    let said = world.ok(&["status", "1"]);
    world.kill_manager("1");
    world.ok(&["resume", "1"]);
    wait_for(&world, "units to run again", || (runs_of(&world, "busy"), runs_of(&world, "free")) == (4, 8));
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        assert_eq!((runs_of(&world, "busy"), runs_of(&world, "free")), (4, 8), "{}", world.report());
    }
    let waits =
        world.count("min(id & 4294967295) FROM units WHERE status = 'pending' AND grp = 'busy' AND not_before IS NULL");
    let explained: Value = serde_json::from_str(&world.ok(&["--json", "explain", &format!("1:{waits}")])).unwrap();
    world.ok(&["set", "1", "adapt=none"]);
    wait_for(&world, "all of the group to run that may", || runs_of(&world, "busy") == 8);
    world.write("go", "");

    assert!(said.contains("1 adapted (busy 4 at a time)"), "{said}");
    assert_eq!(world.status("1")["groups"]["adapted"], 0);
    assert_eq!(explained["cause"], "adapted", "{explained}");
    world.ok(&["cancel", "1", "-y"]);
}
