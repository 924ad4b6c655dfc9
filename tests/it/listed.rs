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
    let running = world.ok(&["list", "-q", "--status", "running"]);

    assert_eq!(shown["jobs"][0]["job"]["name"], "old");
    assert_eq!((shown["jobs"][1]["job"]["id"].as_i64(), shown["more"].as_i64()), (Some(4), Some(2)));
    assert_eq!(named, "4\n3\n2");
    assert_eq!((interrupted.as_str(), running.as_str()), ("1", ""), "what is interrupted does not run");
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

#[test]
fn fault_539_only_jobs_whose_manager_lives_are_listed_as_running_and_the_others_are_counted_alike() {
    let world = World::new();
    let submit = || world.ok(&["submit", "-q", "--", "sleep", "60"]);
    let jobs = [submit(), submit(), submit()];
    world.kill_manager(&jobs[1]);
    let list =
        |args: &[&str]| -> Value { serde_json::from_str(&world.ok(&[&["list", "--json"], args].concat())).unwrap() };

    let running = list(&["--status", "running", "--limit", "1"]);
    let both = list(&["--status", "running", "--status", "interrupted", "--limit", "1"]);

    assert_eq!((running["jobs"][0]["job"]["id"].as_i64(), running["more"].as_i64()), (Some(3), Some(1)));
    assert_eq!(both["more"].as_i64(), Some(2));
    assert_eq!(world.ok(&["list", "-q", "--status", "running"]), "3\n1");
}

#[test]
fn fault_542_a_status_names_every_limit_that_is_set() {
    let world = World::new();
    let other = world.ok(&["create", "-q", "--", "true"]);
    let limits = [
        ("--deadline", "2h", "deadline=2h"),
        ("--max-failures", "3", "max-failures=3"),
        ("--per-group", "2", "per-group=2"),
        ("--group-rate", "6/min", "group-rate=6/min"),
        ("--memfree", "1G", "memfree=1G"),
        ("--load", "80%", "load=80%"),
        ("--diskfree", "/=1M", "diskfree=/=1M"),
        ("--window", "1:00-2:00", "window="),
        ("--canary", "2", "canary=2"),
        ("--max-later", "1h", "max-later=1h"),
        ("--after", &other, "after=1"),
        ("--kill-after", "3s", "kill-after=3s"),
    ];
    let flags = limits.iter().flat_map(|(flag, value, _)| [*flag, *value]);
    let create: Vec<&str> = ["create", "-q", "--group", "{}"]
        .into_iter()
        .chain(flags)
        .chain(["--", "echo", "{}", ":::", "a", "b", "c"])
        .collect();
    let job = world.ok(&create);

    let said = world.ok(&["status", &job]);
    let plain = world.ok(&["status", &other]);

    let line = said.lines().find(|line| line.starts_with("limits ")).unwrap();
    limits.iter().for_each(|(.., words)| assert!(line.contains(words), "{words}: {line}"));
    assert!(plain.contains("up to 4 attempts\n"), "{plain}");
}
