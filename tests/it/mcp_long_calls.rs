//! Calls that take long: waiting, what a host is told meanwhile, and calls that it gives up.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Host, World, needs_file, wait_for};

#[test]
fn a_call_that_waits_is_answered_in_four_seconds_unless_the_host_follows_its_progress() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch = json!({ "command": ["sleep", "0.5"], "range": "1-12", "workers": 1 });
    let job = host.ok("start_batch", batch)["job"]["id"].clone();

    let asked = Instant::now();
    let plain = host.begin("wait_job", &json!({ "job": job }));
    let followed = host.begin_with_progress("wait_job", &json!({ "job": job }), &json!("p1"));
    let (mut told, mut answers) = (Vec::new(), Vec::new());
    while answers.len() < 2 {
        let message = host.message();
        match message["method"].as_str() {
            Some("notifications/progress") => told.push(message["params"].clone()),
            _ => answers.push((message, asked.elapsed())),
        }
    }

    let [(first, took), (second, _)] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!((&first["id"], &second["id"]), (&json!(plain), &json!(followed)));
    assert!((Duration::from_millis(3500)..Duration::from_secs(6)).contains(took), "{took:?}");
    assert_eq!(first["result"]["structuredContent"]["job_status"], "running");
    assert!(first["result"]["content"][0]["text"].as_str().unwrap().contains("wait_job"), "{first}");
    assert_eq!(second["result"]["structuredContent"]["job_status"], "completed");
    let progress: Vec<f64> = told.iter().map(|told| told["progress"].as_f64().unwrap()).collect();
    assert!(progress.len() >= 3 && progress.is_sorted_by(|one, next| one < next), "{told:?}");
    assert!(told.iter().all(|told| told["progressToken"] == "p1" && told["total"] == 12.0), "{told:?}");
    assert!(told[0]["message"].as_str().unwrap().contains("of 12 units"), "{told:?}");
}

#[test]
fn a_time_to_wait_that_is_asked_for_is_kept_and_a_host_that_follows_hears_that_the_call_lives() {
    let world = World::new();
    let mut host = Host::new(&world);
    let job = host.ok("start_batch", json!({ "command": ["sleep", "60"], "range": "1-2" }))["job"]["id"].clone();

    let short = host.call("wait_job", json!({ "job": job, "timeout": 0.2 }));
    let asked = host.begin_with_progress("wait_job", &json!({ "job": job, "timeout": 5 }), &json!(7));
    let mut told = Vec::new();
    let answer = loop {
        let message = host.message();
        if message["id"] == asked {
            break message;
        }
        told.push(message["params"]["progress"].as_f64().unwrap());
    };
    let refused = host.refused("wait_job", json!({ "job": job, "timeout": "soon" }));

    assert!(short.took < Duration::from_secs(3), "{:?}", short.took);
    assert_eq!(answer["result"]["structuredContent"]["job_status"], "running");
    // No unit ended, and still each is more than the one before: that is how hosts know that a call is alive.
    assert!(told.len() >= 3 && told.is_sorted_by(|one, next| one < next) && told[2] < 1.0, "{told:?}");
    assert!(refused.contains("timeout"), "{refused}");
}

#[test]
fn fault_496_a_batch_whose_call_is_cancelled_before_or_after_its_answer_does_not_run() {
    let world = World::new();
    let mut host = Host::new(&world);

    // Three million items take seconds to insert: the call is given up in the middle of that.
    let large = host.begin("start_batch", &json!({ "command": ["sleep", "60", "{}"], "range": "1-3000000" }));
    cancel(&mut host, large);
    let nothing = host.ok("list_jobs", json!({}))["jobs"].clone();
    let crossed = host.begin("start_batch", &json!({ "command": ["sleep", "60"], "name": "crossed" }));
    let answer = host.answer(crossed);
    let job = answer["result"]["structuredContent"]["job"]["id"].clone();
    // The host has not read the answer yet when it gives the call up.
    cancel(&mut host, crossed);
    let named = next_note(&world, &mut host);
    let status = host.wait_for_job(&job);
    let resumed = host.ok("resume_job", json!({ "job": job }));

    assert_eq!(nothing, json!([]));
    assert!(named.contains(&format!("job {job} (crossed)")) && named.contains("resume_job"), "{named}");
    assert_eq!((status.as_str(), &resumed["already_running"]), ("paused", &json!(false)));
}

#[test]
fn fault_497_a_batch_whose_call_is_cancelled_at_any_moment_does_not_run_and_is_named() {
    let world = World::new();
    let mut host = Host::new(&world);

    for moment in 0..15 {
        let call = host.begin("start_batch", &json!({ "command": ["sleep", "60"] }));
        // Each moment is another one; what must hold is the same for all.
        std::thread::sleep(Duration::from_millis(moment * 4));
        cancel(&mut host, call);
    }
    let mut said = String::new();
    let mut jobs = json!([]);
    wait_for(&world, "every job to rest, and to be named", || {
        let listed = host.call("list_jobs", json!({}));
        said.push_str(&listed.text);
        jobs = listed.document["jobs"].clone();
        jobs.as_array().unwrap().iter().all(|job| {
            ["created", "paused"].contains(&job["status"].as_str().unwrap())
                && said.contains(&format!("job {} (", job["id"]))
        })
    });

    assert_eq!(world.count("count(*) FROM units WHERE status = 'running'"), 0, "{jobs}");
}

#[test]
fn fault_498_a_search_through_large_items_ends_in_time_and_says_how_far_it_came() {
    let world = World::new();
    let mut host = Host::new(&world);
    let items: String = (0..150).map(|number| format!("{number}{}\n", "x".repeat(100_000))).collect();
    world.write("items", &items);
    let batch = json!({ "command": ["true", "{}"], "lines_file": "items", "options": { "hold": true } });
    let job = host.ok("start_batch", batch)["job"]["id"].clone();

    let mut after = json!(null);
    let mut calls = 0;
    loop {
        let found = host.call("list_units", json!({ "job": job, "matching": "(x|xx|xxx)+[0-9]+$", "after": after }));
        calls += 1;
        assert!(!found.failed && found.took < Duration::from_secs(5), "{:?}: {}", found.took, found.text);
        after = found.document["next_after"].clone();
        if after.is_null() {
            break;
        }
        assert!(found.text.contains(&format!("stopped after unit {after}")), "{}", found.text);
        assert_eq!(found.document["searched_through"], after);
        if calls == 3 {
            break;
        }
    }

    assert!(calls > 1, "the search was not long");
}

fn cancel(host: &mut Host<'_>, call: u64) {
    let params = json!({ "requestId": call, "reason": "the person pressed escape" });
    host.say(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }));
}

/// Returns what is said of a call that was cancelled, with the answer to another one.
fn next_note(world: &World, host: &mut Host<'_>) -> String {
    let mut said = String::new();
    wait_for(world, "a word of the cancelled call", || {
        said = host.call("list_jobs", json!({})).text;
        said.contains("was cancelled")
    });
    said
}

#[test]
fn a_preview_of_very_many_items_is_answered_soon_and_says_that_it_has_not_read_all() {
    let world = World::new();
    let mut host = Host::new(&world);
    let mut batch = json!({ "command": ["echo", "{}"], "range": "1-4294967295", "key": "all" });
    let preview_of = |batch: &Value| {
        let mut preview = batch.clone();
        preview["count"] = json!(2);
        preview
    };

    let asked = Instant::now();
    let preview = host.ok("preview_batch", preview_of(&batch));
    let took = asked.elapsed();
    batch["range"] = json!("1-3");
    let whole = host.ok("preview_batch", preview_of(&batch));
    let started = host.ok("start_batch", batch.clone());
    batch["range"] = json!("1-4294967295");
    let existing = host.ok("preview_batch", preview_of(&batch));

    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(preview["commands"], json!(["echo 1", "echo 2"]));
    assert!(preview["units"].as_i64().unwrap() > 2 && preview["is_all"] == false, "{preview}");
    assert!(preview["warnings"][0].as_str().unwrap().starts_with("there are more items"), "{preview}");
    assert_eq!((&whole["warnings"], &whole["units"]), (&json!([]), &json!(3)));
    assert_eq!(existing["existing_job"], started["job"]["id"], "{existing}");
    assert_eq!(world.count("count(*) FROM jobs"), 1);
}

#[test]
fn fault_480_a_job_that_is_to_be_cancelled_is_run_by_nobody_when_the_server_dies_in_the_middle_of_it() {
    needs_file!("a server keeps no file of locks");
    let world = World::new();
    world.run(&["run", "-q", "--canary", "1", "--range", "1-9", "--", "true", "{}"]);
    let mut host = Host::new(&world);
    let job = json!({ "job": 1 });
    let cancel = json!({ "job": 1, "reason": "test" });
    // Whoever cancels the units waits for this lock, as long as very many units take.
    let held = std::fs::File::options().read(true).write(true).open(world.path("jobs.db.d/1/lock")).unwrap();
    held.lock().unwrap();

    let decided = host.call("cancel_job", cancel.clone());
    let waited = host.ok("wait_job", json!({ "job": 1, "timeout": 0.2 }));
    let explained = host.ok("explain", job.clone());
    drop(host);
    drop(held);
    let mut next = Host::new(&world);
    let status = next.ok("job_status", job.clone());
    let resumed = next.refused("resume_job", job.clone());
    let approved = next.refused("approve_job", job.clone());
    let over = next.ok("cancel_job", cancel);

    assert!(!decided.failed && decided.text.starts_with("It is decided that"), "{}", decided.text);
    assert!(decided.took < Duration::from_secs(5), "{:?}", decided.took);
    assert_eq!((&waited["job_status"], &explained["cause"]), (&json!("awaiting_approval"), &json!("cancelling")));
    assert_eq!(explained["next_call"], "wait_job waits for it.");
    assert_eq!((&status["job_status"], &status["cancel_requested"]), (&json!("awaiting_approval"), &json!(true)));
    assert!(status["summary"].as_str().unwrap().ends_with("cancel_job ends it."), "{status}");
    for refused in [resumed, approved] {
        assert!(refused.contains("cancel_job ends it"), "{refused}");
    }
    assert_eq!(
        (&over["job_status"], world.status("1")["progress"]["cancelled"].as_i64()),
        (&json!("cancelled"), Some(8))
    );
}

#[test]
fn a_host_that_follows_a_start_hears_how_many_items_were_read_and_can_give_it_up() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch = json!({ "command": ["echo", "{}"], "range": "1-4294967295" });

    let call = host.begin_with_progress("start_batch", &batch, &json!("reading"));
    let told = [host.message(), host.message()].map(|message| message["params"].clone());
    host.say(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": call } }));
    wait_for(&world, "nothing to be left", || world.count("count(*) FROM jobs") == 0);

    let [first, second] = told.each_ref().map(|told| told["progress"].as_f64().unwrap());
    assert!(0.0 < first && first < second, "{told:?}");
    assert!(told[0]["message"].as_str().unwrap().ends_with("read") && told[0]["total"].is_null(), "{told:?}");
}
