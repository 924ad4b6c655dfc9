//! What `options` of a batch do.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::{Host, World, exists, wait_for};

/// Starts a batch with options, and waits for it.
fn run(host: &mut Host<'_>, batch: Value, options: Value) -> (Value, String) {
    let mut batch = batch;
    batch["options"] = options;
    let job = host.ok("start_batch", batch)["job"]["id"].clone();
    let status = host.wait_for_job(&job);
    (job, status)
}

#[test]
fn a_batch_that_is_held_is_created_and_runs_when_it_is_resumed() {
    let world = World::new();
    let mut host = Host::new(&world);

    let (job, status) = run(&mut host, json!({ "shell": "echo ran >> ran" }), json!({ "hold": true }));
    let held = !exists(&world.path("ran"));
    host.ok("resume_job", json!({ "job": job }));
    let resumed = host.wait_for_job(&job);

    assert_eq!((status.as_str(), held, resumed.as_str()), ("created", true, "completed"));
    assert_eq!(world.lines("ran"), ["ran"]);
}

#[test]
fn a_batch_pauses_at_its_failures_at_its_deadline_and_at_its_budget() {
    let world = World::new();
    let mut host = Host::new(&world);
    let failing = json!({ "command": ["false"], "range": "1-50", "max_attempts": 1, "workers": 1 });
    let slow = json!({ "command": ["sleep", "0.2"], "range": "1-50", "workers": 1 });
    let costly = json!({ "command": ["echo", "{{\"cost\": 1}}"], "range": "1-50", "workers": 1 });

    let (failed, failures) = run(&mut host, failing, json!({ "max_failures": "2" }));
    let (_, deadline) = run(&mut host, slow, json!({ "deadline": "1s" }));
    let money = json!({ "result": "json", "meter": ["usd=.cost"], "budget": ["usd=3"], "reserve": ["usd=1"] });
    let (spent, budget) = run(&mut host, costly, money);

    assert_eq!((failures.as_str(), deadline.as_str(), budget.as_str()), ("paused", "paused", "paused"));
    let ended = host.ok("job_status", json!({ "job": failed }))["progress"]["failed"].as_i64().unwrap();
    assert!((2..50).contains(&ended), "{ended} failed");
    let meters = host.ok("job_status", json!({ "job": spent }))["meters"].clone();
    assert_eq!(meters, json!([{ "name": "usd", "spent": 3, "budget": 3 }]));
}

#[test]
fn variables_a_last_unit_a_look_at_what_was_made_and_files_of_output_are_as_asked_for() {
    let world = World::new();
    let mut host = Host::new(&world);
    let options = json!({
        "env": ["MODE=m{}"], "creates": "made-{}", "check": "grep -q m made-{}",
        "then": "echo $JOB_MANAGER_COMPLETED > last", "then_when": "success", "output_dir": "outputs",
    });

    let batch = json!({ "shell": "echo $MODE > made-{}; echo said {}", "range": "1-3" });
    let (job, status) = run(&mut host, batch, options);
    let (_, again) =
        run(&mut host, json!({ "shell": "echo again >> again", "range": "1-3" }), json!({ "creates": "made-{}" }));
    let (judged, judgement) =
        run(&mut host, json!({ "command": ["true"], "max_attempts": 1 }), json!({ "check": "exit 1" }));

    assert_eq!((status.as_str(), again.as_str(), judgement.as_str()), ("completed", "completed", "failed"));
    assert_eq!(world.lines("made-2"), ["m2"]);
    assert!(world.lines("last")[0].parse::<u32>().unwrap() >= 3, "{:?}", world.lines("last"));
    assert!(!exists(&world.path("again")), "units ran whose files were there");
    assert_eq!(host.ok("get_unit", json!({ "job": job, "seq": 2 }))["status"], "completed");
    assert!(std::fs::read_dir(world.path("outputs")).unwrap().count() > 0);
    assert_eq!(host.ok("job_status", json!({ "job": judged }))["progress"]["failed"], 1);
}

#[test]
fn results_are_one_document_of_json_and_satisfy_a_schema() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch = json!({ "command": ["echo", "{}"], "items": ["{\"n\": 1}", "{\"n\": true}"], "max_attempts": 1 });
    let schema = r#"{"properties":{"n":{"type":"integer"}}}"#;

    let (job, status) = run(&mut host, batch.clone(), json!({ "result": "json", "schema": schema }));
    let mut text = batch;
    text["options"] = json!({ "schema": schema });
    let refused = host.refused("start_batch", text);

    let results = host.ok("get_results", json!({ "job": job }))["results"].clone();
    assert_eq!((status.as_str(), results.as_array().unwrap().len()), ("failed", 1));
    assert_eq!((&results[0]["result"], &results[0]["result_is_json"]), (&json!(r#"{"n": 1}"#), &json!(true)));
    assert!(refused.contains("schema requires result json"), "{refused}");
}

#[test]
fn a_hook_is_told_of_the_end_of_a_job() {
    let world = World::new();
    let told = world.path("told");
    let hook = world.write("tell", &format!("#!/bin/sh\necho \"$1\" >> '{}'\n", told.display()));
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut host = Host::new(&world);

    let (_, status) = run(&mut host, json!({ "command": ["true"] }), json!({ "hook": hook }));

    assert_eq!(status, "completed");
    wait_for(&world, "the hook to be told", || exists(&told));
}

#[test]
fn labels_and_an_order_are_those_of_the_job() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch = json!({ "command": ["echo", "{n}"], "items": [{ "n": 1 }, { "n": 3 }, { "n": 2 }], "workers": 1 });

    let (job, _) = run(&mut host, batch, json!({ "order": "-{n}", "label": ["team=web"] }));
    run(&mut host, json!({ "command": ["true"] }), json!({}));

    let labelled = host.ok("list_jobs", json!({ "label": "team=web" }))["jobs"].clone();
    assert_eq!((labelled.as_array().unwrap().len(), &labelled[0]["id"]), (1, &job));
    assert_eq!(host.ok("get_results", json!({ "job": job }))["results"][0]["result"], "3");
}
