//! A command that started and cannot be watched: what it did until then is done.

use serde_json::Value;

use crate::support::{BIN, World, text, without_tool};

/// Submits a job of one worker whose threads get an error at one of their calls; none where there is no strace.
fn submit_hit(world: &World, calls: &str, nth: u32, options: &[&str]) -> Option<Value> {
    if !world.sh("command -v strace").status.success() {
        without_tool("strace");
        return None;
    }
    let mut strace = world.command("strace");
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:error=EMFILE:when={nth}"));
    strace.args(["-f", "-qq", "-o", "strace.log", "-e", &trace, "-e", &inject, BIN]);
    strace.args(["submit", "-q", "-j", "1", "--kill-after", "200ms"]).args(options);
    // The client may be hit as well; strace ends with the last process it follows, the manager.
    let traced = strace.output().unwrap();
    let hit = world.lines("strace.log").iter().any(|line| line.contains("(INJECTED)"));
    assert!(hit, "{}{}", text(&traced.stderr), world.report());
    world.units("1").pop()
}

#[test]
fn fault_302_what_a_command_left_that_cannot_be_watched_is_cleared() {
    let world = World::new();
    let script = "echo half >out; setsid sleep 600 </dev/null >/dev/null 2>&1 & \
        until test -s out; do sleep 0.01; done; echo ready; sleep 600";
    // The first of its worker's waits ends with the command's output.
    let hit = submit_hit(&world, "poll,ppoll", 2, &["--creates", "out", "--shell", "--", script]);
    let Some(unit) = hit else { return };

    let error = unit["error"].to_string();
    assert!(error.contains("cannot watch the command") && error.contains("which was unfinished"), "{unit}");
    assert!(!world.path("out").exists());
    world.assert_no_process_left();
}

#[test]
fn fault_304_a_unit_that_may_run_once_has_run_when_it_cannot_be_watched() {
    let world = World::new();
    let script = "echo x >>ran";
    let hit = submit_hit(&world, "pidfd_open", 1, &["--at-most-once", "--shell", "--", script]);
    let Some(unit) = hit else { return };

    assert_eq!((&unit["status"], &unit["attempts"]), (&"failed".into(), &1.into()), "{unit}");
    assert!(unit["error"].to_string().contains("cannot watch the command"), "{unit}");
    assert!(world.lines("ran").len() <= 1);
    world.assert_sound("1");
}
