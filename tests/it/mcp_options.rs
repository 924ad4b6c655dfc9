//! What `options` of a batch do.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::{Host, World, exists, needs_file, wait_for};

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
fn what_becomes_of_units_of_a_lost_host_is_for_a_database_on_a_server() {
    needs_file!("a server has other hosts");
    let world = World::new();

    let batch = json!({ "command": ["true"], "options": { "on_host_loss": "wait", "hold": true } });
    let refused = Host::new(&world).refused("start_batch", batch);

    assert!(refused.contains("this database is a file"), "{refused}");
}

#[cfg(feature = "postgres")]
#[test]
fn units_of_a_lost_host_wait_for_it_where_a_batch_says_so() {
    let Some(world) = World::on_server() else { return };

    let batch = json!({ "command": ["true"], "options": { "on_host_loss": "wait", "hold": true } });
    Host::new(&world).ok("start_batch", batch);

    assert_eq!(world.count("count(*) FROM jobs WHERE limits LIKE '%\"on_host_loss\":\"wait\"%'"), 1);
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

#[test]
fn a_pilot_is_drawn_at_random_approved_in_steps_and_its_groups_are_bounded() {
    let world = World::new();
    let mut host = Host::new(&world);
    let grouped = json!({ "shell": "test {} != 9", "range": "1-6", "canary": 2, "max_attempts": 1, "workers": 2 });
    let options = json!({ "sample": true, "group": "{}", "per_group": 1, "group_rate": "100/s", "group_failures": 1 });

    let (job, status) = run(&mut host, grouped.clone(), options);
    let drawn: Vec<i64> = host.ok("list_units", json!({ "job": job, "status": ["completed"] }))["units"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| unit["seq"].as_i64().unwrap())
        .collect();
    host.ok("approve_job", json!({ "job": job, "next": 1 }));
    let again = host.wait_for_job(&job);
    let ended = host.ok("job_status", json!({ "job": job }))["progress"]["completed"].clone();
    host.ok("approve_job", json!({ "job": job }));
    let whole = host.wait_for_job(&job);
    let mut alone = grouped.clone();
    (alone["canary"], alone["options"]) = (json!(null), json!({ "sample": true }));
    let alone = host.refused("start_batch", alone);
    let mut bound = grouped;
    bound["options"] = json!({ "per_group": 1 });
    let bound = host.refused("start_batch", bound);
    let groups = "FROM jobs WHERE id = 1 AND limits ->> '$.groups.most' = 1 AND limits ->> '$.groups.max_failures' = 1";

    assert_eq!(
        (status.as_str(), again.as_str(), whole.as_str()),
        ("awaiting_approval", "awaiting_approval", "completed")
    );
    assert_eq!((drawn.len(), ended), (2, json!(3)));
    assert_ne!(drawn, [1, 2], "the first ones, not a sample");
    assert!(alone.contains("sample requires canary") && bound.contains("per_group requires group"), "{alone} {bound}");
    assert_eq!(world.count(&format!("count(*) {groups}")), 1);
}

#[test]
fn flagged_results_are_held_until_they_are_accepted_or_done_again() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch = json!({ "shell": "echo '{{\"sure\": '{}'}}'", "items": ["0.9", "0.5", "0.4"] });
    let options = json!({ "result": "json", "flag_if": ".sure < 0.8", "hold_flagged": true });

    let (job, _) = run(&mut host, batch, options);
    let kept = host.ok("get_results", json!({ "job": job }));
    let flagged = host.ok("list_units", json!({ "job": job, "flagged": true }))["units"].clone();
    let wrong = host.refused("change_units", json!({ "job": job, "action": "retry", "flagged": true }));
    let none = host.refused("change_units", json!({ "job": job, "action": "accept" }));
    let accepted = host.ok("change_units", json!({ "job": job, "action": "accept", "seq": 2, "reason": "it is" }));
    let redone = host.ok("change_units", json!({ "job": job, "action": "redo", "flagged": true, "reason": "look" }));
    host.wait_for_job(&job);
    let unit = host.ok("get_unit", json!({ "job": job, "seq": 2 }));
    let results = host.ok("get_results", json!({ "job": job }))["results"].clone();

    assert_eq!(kept["results"].as_array().unwrap().len(), 1);
    assert!(kept["summary"].as_str().unwrap().contains("nobody has decided about: 2"), "{kept}");
    assert_eq!((&flagged[0]["seq"], &flagged[1]["flag"]), (&json!(2), &json!(".sure < 0.8: it is 0.4")));
    assert!(wrong.contains("accept or redo") && none.contains("say which units"), "{wrong} {none}");
    assert_eq!((&accepted["units_changed"], &redone["units_added"]), (&json!(1), &json!(1)));
    assert_eq!((&unit["flag_decision"], results.as_array().unwrap().len()), (&json!("accepted"), 2));
}

#[test]
fn units_are_added_and_a_job_follows_its_source_inside_of_what_is_allowed() {
    let world = World::new();
    std::fs::create_dir(world.path("in")).unwrap();
    world.write("in/list.txt", "a\nb\n");
    world.write("out.txt", "secret\n");
    let dir = world.path("in").canonicalize().unwrap().display().to_string();
    let mut host = Host::bounded(&world, &["--allow-dir", &dir, "--allow-command", "echo"]);
    let batch = json!({ "command": ["echo", "{}"], "lines_file": "list.txt", "cwd": dir });
    let job = host.ok("start_batch", batch)["job"]["id"].clone();
    host.wait_for_job(&job);

    let more = host.ok("add_units", json!({ "job": job, "items": ["c", "d"] }));
    world.write("in/list.txt", "b\nc\ne\n");
    let synced = host.ok("add_units", json!({ "job": job, "lines_file": "list.txt", "sync": true }));
    let outside = host.refused("add_units", json!({ "job": job, "lines_file": "../out.txt" }));
    let nothing = host.refused("add_units", json!({ "job": job }));
    host.ok("resume_job", json!({ "job": job }));
    let status = host.wait_for_job(&job);
    world.ok(&["create", "--cwd", &dir, "--creates", "{}", "--", "echo", "x", ":::", "made"]);
    let escape = host.refused("add_units", json!({ "job": 2, "items": ["../made"] }));

    assert_eq!(more["units_added"], 2);
    assert!(more["summary"].as_str().unwrap().contains("resume_job runs them"), "{more}");
    assert_eq!((&synced["units_added"], &synced["units_gone"]), (&json!(1), &json!(2)));
    assert!(outside.contains("--allow-dir") && escape.contains("outside"), "{outside} {escape}");
    assert!(nothing.contains("add_units requires a source of items"), "{nothing}");
    assert_eq!(status, "completed");
    assert_eq!(host.ok("get_results", json!({ "job": job }))["results"].as_array().unwrap().len(), 3);
}

#[test]
fn settings_of_a_job_change_and_what_it_does_not_have_is_refused() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch =
        json!({ "command": ["sleep", "60"], "options": { "hold": true, "meter": ["usd"], "budget": ["usd=1"] } });
    let job = host.ok("start_batch", batch)["job"]["id"].clone();

    let changed = host.ok(
        "change_settings",
        json!({ "job": job, "workers": 3, "rate": "5/min", "timeout": "30s", "max_failures": "5%", "deadline": "8h",
            "max_attempts": 2, "budget": ["usd=7"], "memfree": "1M", "load": "90%" }),
    );
    let rated = "count(*) FROM jobs WHERE limits ->> '$.rate' IS NOT NULL";
    let before = world.count(rated);
    host.ok(
        "change_settings",
        json!({ "job": job, "rate": "none", "max_failures": "none", "timeout": "none", "deadline": "none",
        "memfree": "none", "load": "none" }),
    );
    let limits = ["rate", "max_failures", "timeout_ms", "deadline_ms"]
        .map(|limit| world.count(&format!("count(*) FROM jobs WHERE limits ->> '$.{limit}' IS NOT NULL")));

    assert_eq!(limits, [0; 4]);
    assert_eq!((&changed["workers"], &changed["settings_changed"]), (&json!(3), &json!(9)));
    assert_eq!((before, world.count(rated)), (1, 0));
    for (wrong, said) in [
        (json!({}), "at least one setting"),
        (json!({ "per_group": "2" }), "in no groups"),
        (json!({ "budget": ["eur=7"] }), "no meter \"eur\""),
        (json!({ "rate": "fast" }), "fast"),
        (json!({ "timeout": "{t}" }), "when the job is created"),
    ] {
        let mut wrong = wrong;
        wrong["job"] = job.clone();
        let refused = host.refused("change_settings", wrong);
        assert!(refused.contains(said), "{refused}");
    }
}

#[test]
fn a_number_and_another_filter_are_both_heeded_and_what_an_action_does_not_take_is_refused() {
    let world = World::new();
    let program = crate::support::BIN;
    let script = format!("test {{}} = c && {program} unit-flag doubt; test {{}} != b || sleep 600");
    let mut host = Host::new(&world);
    let batch = json!({ "shell": script, "items": ["a", "b", "c", "d"], "workers": 4 });
    let job = host.ok("start_batch", batch)["job"]["id"].clone();
    world.wait_for_completed(&job.to_string(), 3);
    let change = |action: &str, more: Value| {
        let mut given = json!({ "job": job, "action": action });
        given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        given
    };

    let other = host.refused("change_units", change("kill", json!({ "seq": 2, "matching": "^a$", "reason": "test" })));
    let undecided = host.refused("change_units", change("accept", json!({ "seq": 3, "matching": "^d$" })));
    let twice = host.refused("change_units", change("skip", json!({ "seq": 1, "first_seq": 2, "reason": "test" })));
    let unread = host.refused("change_units", change("retry", json!({ "seq": 1, "reason": "test" })));
    host.ok("change_units", change("accept", json!({ "seq": 3, "matching": "^c$" })));
    host.ok("change_units", change("kill", json!({ "seq": 2, "matching": "^b$", "then": "skip", "reason": "test" })));

    for (said, expected) in
        [(other, "no unit"), (undecided, "no unit"), (twice, "not both"), (unread, "another action than retry")]
    {
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(host.wait_for_job(&job), "completed");
    assert_eq!(host.ok("get_unit", json!({ "job": job, "seq": 3 }))["flag_decision"], "accepted");
}
