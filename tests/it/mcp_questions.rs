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
    let mut approve = |more: Value| call(&mut host, "approve_job", &json!({ "job": 1 }), &more);

    let asked = approve(json!({}));
    let answer =
        |answer: Value| json!({ "inputResponses": { "person": answer }, "requestState": asked["requestState"] });
    let declined = approve(answer(json!({ "action": "decline" })));
    let agreed = approve(answer(json!({ "action": "accept", "content": {} })));

    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let question = &asked["inputRequests"]["person"];
    assert_eq!(question["method"], "elicitation/create", "{asked}");
    assert!(question["params"]["message"].as_str().unwrap().contains("1 of 1 ended well"), "{asked}");
    assert_eq!((&declined["isError"], &agreed["isError"]), (&json!(true), &json!(false)));
    world.wait_for_status("1", "completed");
}

/// Calls a tool as a host of the newest revision does that can ask its person.
fn call(host: &mut Host<'_>, tool: &str, arguments: &Value, more: &Value) -> Value {
    let mut params = json!({ "name": tool, "arguments": arguments, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
    } });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    host.ask("tools/call", &params)["result"].clone()
}

/// Says what the host calls once more with, whose person was asked that and has answered.
fn answered(asked: &Value, action: &str) -> Value {
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let answers = json!({ "person": { "action": action, "content": {} } });
    json!({ "inputResponses": answers, "requestState": asked["requestState"] })
}

#[test]
fn fault_477_a_question_of_a_server_that_was_killed_is_answered_through_the_next_one() {
    let world = World::new();
    world.run(&["run", "-q", "--canary", "1", "--range", "1-3", "--", "true", "{}"]);
    std::fs::create_dir(world.path("in")).unwrap();
    let dir = world.path("in").canonicalize().unwrap().display().to_string();
    let silent = |flags: &[&str]| Host::silent_with(&world, flags);
    let batch = json!({ "command": ["echo", "{}"], "items": ["a"], "cwd": dir });
    let job = json!({ "job": 1 });
    // Dropped hosts kill their servers.
    let ask = |flags: &[&str], tool: &str, arguments: &Value| call(&mut silent(flags), tool, arguments, &json!({}));
    let bounds = ["--allow-dir", dir.as_str()];

    let [approval, command] = [ask(&ALL, "approve_job", &job), ask(&bounds, "start_batch", &batch)];
    let declined = call(&mut silent(&ALL), "approve_job", &job, &answered(&approval, "decline"));
    let before = world.status("1")["job_status"].clone();
    let agreed = call(&mut silent(&ALL), "approve_job", &job, &answered(&approval, "accept"));
    let started = call(&mut silent(&bounds), "start_batch", &batch, &answered(&command, "accept"));

    assert_eq!((&declined["isError"], &before), (&json!(true), &json!("awaiting_approval")));
    assert_eq!((&agreed["isError"], &started["isError"]), (&json!(false), &json!(false)), "{agreed} {started}");
    world.wait_for_status("1", "completed");
    world.wait_for_status("2", "completed");
}

#[test]
fn fault_478_an_answer_to_another_question_than_the_open_one_agrees_to_nothing() {
    let world = World::new();
    world.run(&["run", "-q", "--canary", "1", "--range", "1-9", "--", "true", "{}"]);
    let mut host = Host::silent(&world);
    let some = json!({ "job": 1, "next": 2 });
    let mut approve = |arguments: &Value, more: &Value| call(&mut host, "approve_job", arguments, more);

    let first = approve(&some, &json!({}));
    let unasked = approve(&some, &json!({ "inputResponses": { "person": { "action": "accept", "content": {} } } }));
    let wider = approve(&json!({ "job": 1 }), &answered(&first, "accept"));
    let agreed = approve(&some, &answered(&first, "accept"));
    world.wait_for_status("1", "awaiting_approval");
    let twice = approve(&some, &answered(&first, "accept"));

    assert_eq!(agreed["isError"], false, "{agreed}");
    for asked in [&unasked, &wider, &twice] {
        assert_eq!(asked["resultType"], "input_required", "{asked}");
    }
    assert_ne!(first["requestState"], twice["requestState"]);
    let status = world.status("1");
    assert_eq!((&status["job_status"], &status["progress"]["completed"]), (&json!("awaiting_approval"), &json!(3)));
}
