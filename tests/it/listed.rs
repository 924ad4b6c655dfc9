//! What `list` shows first, what it leaves out, and what `status` says a job is.

use serde_json::Value;

use crate::support::{World, on_server};

#[test]
fn what_runs_is_interrupted_or_waits_is_listed_before_newer_jobs() {
    let world = World::new();
    let old = world.ok(&["submit", "-q", "--name", "old", "--", "sleep", "{}", ":::", "60"]);
    for _ in 0..3 {
        world.ok(&["create", "-q", "--name", "new", "--", "true", ":::", "1"]);
    }

    let shown: Value = serde_json::from_str(&world.ok(&["list", "--limit", "2", "--json"])).unwrap();
    let named = world.ok(&["list", "-q", "--name", "new", "--since", "1h"]);
    world.kill_manager(&old);
    let interrupted = world.ok(&["list", "-q", "--status", "interrupted"]);

    assert_eq!(shown["jobs"][0]["job"]["name"], "old");
    assert_eq!((shown["jobs"][1]["job"]["id"].as_i64(), shown["more"].as_i64()), (Some(4), Some(2)));
    assert_eq!(named, "4\n3\n2");
    assert_eq!(interrupted, "1");
    let [plain, colored] = ["auto", "always"].map(|when| world.ok(&["list", "--color", when]));
    assert_eq!(world.ok(&["list", "-q", "--status", "completed"]), "");
    assert!(!plain.contains('\u{1b}') && colored.contains("\u{1b}[31minterrupted\u{1b}[0m  "), "{plain} {colored}");
    if !on_server() {
        world.damage("UPDATE managers SET boot_id = 'x'");
        let states = ["unknown", "interrupted"].map(|state| world.ok(&["list", "-q", "--status", state]));
        assert_eq!(states, ["1", ""]);
        let both = world.ok(&["list", "-q", "--status", "unknown", "--status", "created", "--limit", "2"]);
        assert_eq!(both, "1\n4");
    }
    assert!(world.fails(2, &["list", "--status", "lost"]).contains("interrupted"));
}

#[test]
fn a_status_says_what_the_job_is() {
    let world = World::new();
    world.ok(&[
        "create",
        "--key",
        "night",
        "--label",
        "team=web",
        "--timeout",
        "30s",
        "--",
        "echo",
        "a b",
        "{}",
        ":::",
        "1",
    ]);

    let said = world.ok(&["status", "1"]);
    let document: Value = serde_json::from_str(&world.ok(&["status", "1", "--json"])).unwrap();

    for line in ["command   echo 'a b' '{}'", "labels    team=web", "key       night", "timeout 30s"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.contains("directory ") && said.contains("created "), "{said}");
    assert_eq!(document["about"]["key"], "night");
    assert_eq!(document["about"]["command"], "echo 'a b' '{}'");
    assert_eq!(document["about"]["limits"]["timeout_ms"], 30_000);
}
