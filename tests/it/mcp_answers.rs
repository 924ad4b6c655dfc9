//! Answers from which a model can go on without a call more, and parameters of which none is ignored in silence.

use serde_json::{Value, json};

use crate::support::{Host, World, wait_for};

#[test]
fn fault_479_no_parameter_of_a_tool_is_ignored_in_silence() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch = |more: Value| {
        let mut batch = json!({ "command": ["true"], "range": "1-3" });
        batch.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        batch
    };
    let change = |action: &str, status: &str| json!({ "job": 1, "action": action, "status": [status], "seq": 1 });
    host.ok("start_batch", batch(json!({ "options": { "hold": true } })));

    for (tool, arguments, said) in [
        ("start_batch", batch(json!({ "count": 2 })), "count requires preview_batch: start_batch runs all items"),
        ("start_batch", batch(json!({ "max_attempts": 3, "options": { "at_most_once": true } })), "max_attempts 1"),
        (
            "start_batch",
            batch(json!({ "options": { "at_most_once": true, "on_interrupt": "retry" } })),
            "on_interrupt fail",
        ),
        ("preview_batch", batch(json!({ "max_attempts": 3, "options": { "at_most_once": true } })), "max_attempts 1"),
        (
            "change_units",
            change("retry", "completed"),
            "retry is for units that are failed, cancelled, skipped, pending",
        ),
        ("change_units", change("skip", "running"), "not running"),
        ("change_units", change("kill", "pending"), "kill is for units that are running, not pending"),
        ("change_units", change("accept", "failed"), "accept is for units that are completed"),
    ] {
        let refused = host.refused(tool, arguments);

        assert!(refused.contains(said), "{tool}: {refused}");
    }
    let alike = batch(json!({ "max_attempts": 1, "options": { "at_most_once": true, "on_interrupt": "fail" } }));
    host.ok("preview_batch", alike);
    let list = host.ok("list_jobs", json!({}))["jobs"].clone();
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[test]
fn a_list_of_jobs_says_how_many_units_they_have_and_run_at_a_time_and_whether_there_are_more() {
    let world = World::new();
    let mut host = Host::new(&world);
    for name in ["one", "two"] {
        let held = json!({ "hold": true });
        host.ok(
            "start_batch",
            json!({ "command": ["true"], "range": "1-7", "workers": 3, "name": name, "options": held }),
        );
    }

    let all = host.ok("list_jobs", json!({}));
    let first = host.ok("list_jobs", json!({ "limit": 1 }));

    for job in all["jobs"].as_array().unwrap() {
        assert_eq!((&job["total"], &job["workers"]), (&json!(7), &json!(3)), "{job}");
    }
    let more = |list: &Value| list["summary"].as_str().unwrap().contains("there may be more");
    assert_eq!((more(&all), more(&first)), (false, true), "{all} {first}");
}

#[test]
fn a_change_of_units_names_them_as_far_as_there_is_room() {
    let world = World::new();
    let mut host = Host::new(&world);
    let script = "n={}; exit $(( n % 2 ))";
    let job =
        host.ok("start_batch", json!({ "shell": script, "range": "1-60", "max_attempts": 1 }))["job"]["id"].clone();
    host.wait_for_job(&job);
    let mut change = |action: &str, more: Value| {
        let mut arguments = json!({ "job": job, "action": action });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let done = host.ok("change_units", arguments);
        (done["units"].clone(), done["summary"].as_str().unwrap().to_owned())
    };

    let (skipped, said) = change("skip", json!({ "status": ["failed"], "last_seq": 6, "reason": "test" }));
    let (back, _) = change("retry", json!({ "status": ["skipped"], "seq": 3 }));
    let (many, more) = change("retry", json!({ "status": ["failed"] }));

    assert_eq!((&skipped, &back), (&json!([1, 3, 5]), &json!([3])));
    assert!(said.starts_with("3 units skipped (1, 3, 5)."), "{said}");
    let odd: Vec<i64> = (7..).step_by(2).take(20).collect();
    assert_eq!(many, json!(odd));
    assert!(more.starts_with("27 units pending again (7, 9, ") && more.contains("45, …)."), "{more}");
}

#[test]
fn whoever_waits_for_a_job_is_told_how_long_it_will_take() {
    let world = World::new();
    let mut host = Host::new(&world);
    let napping = json!({ "command": ["sleep", "0.2"], "range": "1-500", "workers": 1, "name": "naps" });
    let job = host.ok("start_batch", napping)["job"]["id"].clone();

    let mut waited = Value::Null;
    wait_for(&world, "an end to be foreseen", || {
        waited = host.ok("wait_job", json!({ "job": job, "timeout": 0.5 }));
        waited["eta_seconds"].is_object()
    });
    host.ok("cancel_job", json!({ "job": job, "reason": "test" }));

    let [low, high] = ["low", "high"].map(|bound| waited["eta_seconds"][bound].as_u64().unwrap());
    assert!(0 < low && low <= high, "{waited}");
}
