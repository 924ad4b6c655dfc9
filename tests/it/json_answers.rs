//! What every verb answers to those who ask for JSON.

use serde_json::Value;

use crate::support::{World, text};

/// Reads an answer in which each line is a document.
fn documents(bytes: &[u8], of: &[&str]) -> Vec<Value> {
    let shown = text(bytes);
    shown.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{of:?}: {line}"))).collect()
}

#[test]
fn fault_338_every_verb_answers_with_documents_to_those_who_ask_for_json() {
    let world = World::new();
    world.write("names", "a\nb\n");
    world.run(&["run", "-q", "--lines", "names", "--max-attempts", "1", "--", "sh", "-c", "echo {}; test {} != b"]);
    world.ok(&["create", "-q", "--", "true"]);
    let verbs: [&[&str]; 49] = [
        &["list"],
        &["status", "1"],
        &["status", "-v", "1"],
        &["units", "1"],
        &["unit", "1:1"],
        &["failures", "1"],
        &["explain", "1"],
        &["explain", "1:2"],
        &["logs", "1"],
        &["logs", "1:1"],
        &["logs", "1:2", "--stderr"],
        &["logs", "1:2", "--attempt", "1"],
        &["logs", "1", "-n", "1"],
        &["logs", "1", "--manager"],
        &["logs", "1", "--manager", "-n", "1"],
        &["logs", "2", "--manager"],
        &["results", "1"],
        &["results", "1", "--format", "csv"],
        &["wait", "1"],
        &["watch", "1"],
        &["doctor"],
        &["help"],
        &["help", "status"],
        &["completions", "bash"],
        &["config"],
        &["man"],
        &["man", "pages"],
        &["top"],
        &["start", "2"],
        &["stop", "2"],
        &["resume", "2"],
        &["resume", "--all"],
        &["recover", "--all"],
        &["recover", "--created"],
        &["retry", "1", "--no-start"],
        &["skip", "1", "--all"],
        &["add", "1", "--lines", "names"],
        &["sync", "1", "--lines", "names"],
        &["sync", "1", "--lines", "names", "--dry-run"],
        &["scale", "1", "2"],
        &["set", "1", "timeout=1s"],
        &["approve", "1"],
        &["reject", "-y", "1"],
        &["kill", "1:1"],
        &["cancel", "1:1"],
        &["unit-add", "x"],
        &["rm", "-y", "2"],
        &["prune", "--dry-run"],
        &["prune", "-y"],
    ];

    for args in verbs {
        let ran = world.run(&[args, &["--json"]].concat());

        let (code, said) = (ran.status.code().unwrap(), text(&ran.stderr));
        let answer = documents(&ran.stdout, args);
        match code {
            0 | 10..=13 => assert!(answer.len() == 1 || matches!(args[0], "logs" | "results" | "recover"), "{args:?}"),
            2..=5 => {
                let error = documents(&ran.stderr, args);
                assert_eq!((error.len(), &error[0]["error"]["exit_code"]), (1, &code.into()), "{args:?}: {said}");
            }
            _ => panic!("{args:?}: {code}: {said}"),
        }
    }
}

#[test]
fn fault_338_lines_of_logs_are_documents_that_say_whose_they_are() {
    let world = World::new();
    world.ok(&["run", "-q", "-j1", "--", "printf", "%b", "{}", ":::", "a\\nb\\n", "\\0377", "", "c"]);

    let all = documents(&world.run(&["logs", "1", "--json"]).stdout, &["logs"]);
    let last = documents(&world.run(&["logs", "1", "--json", "-n", "1"]).stdout, &["logs"]);
    let manager = documents(&world.run(&["logs", "1", "--manager", "--json"]).stdout, &["logs"]);

    let seen: Vec<_> = all.iter().map(|line| (line["seq"].as_i64().unwrap(), line["line"].clone())).collect();
    let bytes = serde_json::json!({ "text": "\u{fffd}", "base64": "/w==" });
    assert_eq!(seen, [(1, "a".into()), (1, "b".into()), (2, bytes), (4, "c".into())]);
    for line in &all {
        assert_eq!((&line["schema"], &line["job"]["id"], &line["stream"]), (&1.into(), &1.into(), &"stdout".into()));
        assert_eq!(line.get("goes_on"), None);
    }
    assert_eq!((last.len(), &last[0]["line"]), (1, &"c".into()));
    assert!(manager.len() >= 2, "{manager:?}");
    assert!(manager[0]["line"].as_str().unwrap().contains("manager") && manager[0]["stream"] == "log", "{manager:?}");
    assert_eq!(manager[0].get("seq"), None);
}
