//! What a person is asked before a call acts, where the host can ask.

use serde_json::{Value, json};

use crate::support::{Host, World};

const ALL: [&str; 4] = ["--allow-dir", "/", "--allow-command", "*"];

#[test]
fn fault_500_a_job_goes_on_only_when_the_person_agrees_who_is_told_what_its_first_units_say() {
    let world = World::new();
    let mut host = Host::asking(&world, &ALL);
    let batch = json!({ "command": ["sleep", "0.01"], "range": "1-9", "canary": 3, "name": "naps" });
    let job = host.ok("start_batch", batch)["job"]["id"].clone();
    host.wait_for_job(&job);
    let mut approve = |arguments: Value, action: &str| {
        let call = host.begin("approve_job", &arguments);
        let said = host.answer_question(action);
        (said, host.answer(call)["result"].clone())
    };

    let (asked, declined) = approve(json!({ "job": job }), "decline");
    let (_, closed) = approve(json!({ "job": job }), "cancel");
    let (some, agreed) = approve(json!({ "job": job, "next": 2 }), "accept");
    let status = host.wait_for_job(&job);
    let running = host.ok("job_status", json!({ "job": job }));

    assert!(
        asked.contains("Job 1 (naps)") && asked.contains("3 of 3 ended well") && asked.contains("6 units left"),
        "{asked}"
    );
    assert!(asked.contains("Shall it run its other units, 6 units?"), "{asked}");
    for answer in [declined, closed] {
        assert!(answer["content"][0]["text"].as_str().unwrap().contains("did not agree"), "{answer}");
        assert_eq!(answer["isError"], true);
    }
    assert!(some.contains("2 more of its 6 other units"), "{some}");
    assert_eq!((&agreed["isError"], status.as_str()), (&json!(false), "awaiting_approval"));
    assert_eq!(running["progress"]["completed"], 5);
}

#[test]
fn fault_501_a_command_that_is_not_allowed_runs_only_when_the_person_agrees() {
    let world = World::new();
    std::fs::create_dir(world.path("in")).unwrap();
    let dir = world.path("in").canonicalize().unwrap().display().to_string();
    let mut host = Host::asking(&world, &["--allow-dir", &dir]);
    let batch = json!({ "command": ["echo", "{}"], "items": ["a"], "cwd": dir });

    let call = host.begin("start_batch", &batch);
    let question = host.answer_question("decline");
    let declined = host.answer(call)["result"].clone();
    let nothing = host.ok("list_jobs", json!({}))["jobs"].clone();
    let call = host.begin("preview_batch", &batch);
    host.answer_question("accept");
    let shown = host.answer(call)["result"]["structuredContent"]["commands"].clone();
    // Not asked again: the answer holds until the server ends.
    let job = host.ok("start_batch", batch.clone())["job"]["id"].clone();
    let status = host.wait_for_job(&job);
    let mut script = batch.clone();
    script["options"] = json!({ "then": "true" });
    let script = host.refused("start_batch", script);
    let mut elsewhere = batch.clone();
    elsewhere["cwd"] = json!("/");
    let elsewhere = host.refused("start_batch", elsewhere);
    drop(host);
    let mut next = Host::bounded(&world, &["--allow-dir", &dir]);
    let next = next.refused("start_batch", batch);

    assert!(question.contains("echo {}") && question.contains("/echo, with whatever arguments"), "{question}");
    assert_eq!((&declined["isError"], &nothing), (&json!(true), &json!([])));
    assert_eq!((&shown, status.as_str()), (&json!(["echo a"]), "completed"));
    assert!(script.contains("--allow-shell") && elsewhere.contains("--allow-dir"), "{script} {elsewhere}");
    assert!(next.contains("--allow-command"), "{next}");
}

#[test]
fn a_host_of_the_newest_revision_is_answered_with_the_question_and_calls_once_more() {
    let world = World::new();
    world.run(&["run", "-q", "--canary", "1", "--range", "1-3", "--", "true", "{}"]);
    let mut host = Host::silent(&world);
    let mut approve = |more: Value| {
        let mut params = json!({ "name": "approve_job", "arguments": { "job": 1 }, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "0" },
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
        } });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        host.ask("tools/call", &params)["result"].clone()
    };

    let asked = approve(json!({}));
    let declined = approve(json!({ "inputResponses": { "person": { "action": "decline" } } }));
    let agreed = approve(json!({ "inputResponses": { "person": { "action": "accept", "content": {} } } }));

    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let question = &asked["inputRequests"]["person"];
    assert_eq!(question["method"], "elicitation/create", "{asked}");
    assert!(question["params"]["message"].as_str().unwrap().contains("1 of 1 ended well"), "{asked}");
    assert_eq!((&declined["isError"], &agreed["isError"]), (&json!(true), &json!(false)));
    world.wait_for_status("1", "completed");
}
