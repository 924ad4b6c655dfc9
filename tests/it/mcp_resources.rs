//! What a host can read without a tool.

use serde_json::{Value, json};

use crate::support::{Host, World};

fn uris(listed: &Value) -> Vec<&str> {
    listed["result"]["resources"].as_array().unwrap().iter().map(|resource| resource["uri"].as_str().unwrap()).collect()
}

/// Reads a resource, which must be one text.
fn read(host: &mut Host<'_>, uri: &str) -> Value {
    let read = host.ask("resources/read", &json!({ "uri": uri }));
    let contents = read["result"]["contents"].as_array().unwrap_or_else(|| panic!("{uri}: {read}"));
    assert_eq!(
        (contents.len(), &contents[0]["uri"], &contents[0]["mimeType"]),
        (1, &json!(uri), &json!("application/json"))
    );
    serde_json::from_str(contents[0]["text"].as_str().unwrap()).unwrap()
}

#[test]
fn the_list_of_jobs_a_job_its_failures_and_its_results_are_resources() {
    let world = World::new();
    let mut host = Host::new(&world);
    let before = host.ask("resources/list", &json!({}));
    let no_jobs = read(&mut host, "job://jobs");
    let batch = json!({ "shell": "echo {}; [ {} != 2 ]", "range": "1-3", "max_attempts": 1, "name": "numbers" });
    let job = host.ok("start_batch", batch)["job"]["id"].clone();
    host.wait_for_job(&job);

    let listed = host.ask("resources/list", &json!({}));
    let templates = host.ask("resources/templates/list", &json!({}))["result"]["resourceTemplates"].clone();

    assert_eq!((uris(&before), &no_jobs["jobs"]), (vec!["job://jobs"], &json!([])));
    assert_eq!(uris(&listed), ["job://jobs", "job://1"]);
    assert_eq!(listed["result"]["resources"][1]["title"], "numbers");
    let forms: Vec<&Value> = templates.as_array().unwrap().iter().map(|form| &form["uriTemplate"]).collect();
    assert_eq!(forms, ["job://{job}", "job://{job}/failures", "job://{job}/results"]);
    for (uri, tool, arguments) in [
        ("job://jobs", "list_jobs", json!({})),
        ("job://1", "job_status", json!({ "job": 1 })),
        ("job://1/failures", "list_failures", json!({ "job": 1 })),
        ("job://1/results", "get_results", json!({ "job": 1 })),
    ] {
        assert_eq!(read(&mut host, uri), host.ok(tool, arguments), "{uri}");
    }
    let uid = host.ok("job_status", json!({ "job": 1 }))["job"]["uid"].as_str().unwrap().to_owned();
    assert_eq!(read(&mut host, &format!("job://{uid}"))["job"]["id"], 1);
}

#[test]
fn what_is_no_resource_is_refused_by_its_address() {
    let world = World::new();
    let mut host = Host::new(&world);
    let without_jobs = host.ask("resources/read", &json!({ "uri": "job://1" }));
    host.ok("start_batch", json!({ "command": ["true"] }));

    assert_eq!(without_jobs["error"]["code"], -32002, "{without_jobs}");
    for uri in
        ["job://2", "job://2/results", "job://1/other", "job://1/", "job://", "job://%31", "file:///etc/passwd", ""]
    {
        let answer = host.ask("resources/read", &json!({ "uri": uri }));
        assert_eq!(
            (&answer["error"]["code"], &answer["error"]["data"]["uri"]),
            (&json!(-32002), &json!(uri)),
            "{answer}"
        );
    }
    for params in [json!({}), json!({ "uri": 5 })] {
        let answer = host.ask("resources/read", &params);
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[test]
fn a_host_hears_of_resources_to_which_it_is_subscribed_and_of_no_others() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);
    let mut host = Host::new(&world);
    for uri in ["job://jobs", "job://1", "job://1/failures"] {
        assert!(host.ask("resources/subscribe", &json!({ "uri": uri }))["result"].is_object(), "{uri}");
    }
    let wrong = host.ask("resources/subscribe", &json!({ "uri": "file:///etc/passwd" }));

    world.ok(&["set", "1", "rate=5/s"]);
    world.ok(&["create", "--", "true"]);
    let told = host.message();
    world.ok(&["scale", "1", "7"]);
    // The list says how many run at a time too.
    let mut of_job = [host.message(), host.message()].map(|message| message["params"]["uri"].clone());
    of_job.sort_by_key(ToString::to_string);
    for uri in ["job://jobs", "job://1", "job://1/failures"] {
        host.ask("resources/unsubscribe", &json!({ "uri": uri }));
    }
    // What is told next is about the only one that is left, though the others have changed too.
    host.ask("resources/subscribe", &json!({ "uri": "job://2" }));
    world.ok(&["scale", "1", "3"]);
    world.ok(&["scale", "2", "3"]);
    let next = host.message();

    assert_eq!(wrong["error"]["code"], -32002, "{wrong}");
    assert_eq!(of_job, ["job://1", "job://jobs"]);
    for (message, uri) in [(told, "job://jobs"), (next, "job://2")] {
        assert_eq!(
            (&message["method"], &message["params"]["uri"]),
            (&json!("notifications/resources/updated"), &json!(uri)),
            "{message}"
        );
    }
}

#[test]
fn a_host_of_the_newest_revision_listens_with_one_request() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);
    let mut host = Host::silent(&world);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });

    let wanted = json!({ "resourceSubscriptions": ["job://1", "file:///etc/passwd"] });
    host.say(&json!({ "jsonrpc": "2.0", "id": 7, "method": "subscriptions/listen",
        "params": { "notifications": wanted, "_meta": meta } }));
    let accepted = host.message();
    // The first look follows the acknowledgement, and only a change after it is told of.
    let is_told = std::sync::atomic::AtomicBool::new(false);
    let told = std::thread::scope(|scope| {
        scope.spawn(|| {
            for workers in (2..1000).map(|workers: u32| workers.to_string()) {
                if is_told.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                world.ok(&["scale", "1", &workers]);
            }
        });
        let told = host.message();
        is_told.store(true, std::sync::atomic::Ordering::Relaxed);
        told
    });

    assert_eq!(accepted["params"]["notifications"]["resourceSubscriptions"], json!(["job://1"]), "{accepted}");
    assert_eq!(
        (&told["method"], &told["params"]["uri"]),
        (&json!("notifications/resources/updated"), &json!("job://1"))
    );
}
