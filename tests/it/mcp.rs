//! The MCP server, through raw lines of JSON-RPC.

use serde_json::{Value, json};

use crate::support::{Host, World, exists, wait_for};

#[test]
fn tools_their_parameters_and_their_hints_are_a_contract() {
    let world = World::new();
    let mut host = Host::new(&world);

    let listed = host.ask("tools/list", &json!({}));

    let tools = listed["result"]["tools"].as_array().unwrap();
    let seen: String = tools.iter().map(described).collect();
    assert_eq!(seen, CONTRACT, "{seen}");
    for tool in tools {
        assert!(tool["description"].as_str().unwrap().len() > 100, "{tool}");
        // These take what they do not list as well.
        let is_closed = tool["inputSchema"]["additionalProperties"] == false;
        assert_eq!(is_closed, tool["name"] != "preview_batch" && tool["name"] != "add_units", "{tool}");
        for (name, parameter) in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(parameter["description"].is_string(), "{}: {name} is not explained", tool["name"]);
        }
    }
}

/// Name, required parameters, the others, and what the tool changes.
const CONTRACT: &str = "\
preview_batch [] command count csv_file cwd glob items items_json json_file jsonl_file key lines_file options range shell sql_database sql_query: idempotent open
start_batch [] canary command csv_file cwd glob items items_json json_file jsonl_file key lines_file max_attempts name options range shell sql_database sql_query timeout workers: destructive open
list_jobs [] label limit status: reads
job_status [job]: reads
wait_job [job] timeout: reads
explain [job] seq: reads
list_failures [job]: reads
list_units [job] after cluster first_seq flagged group last_seq limit matching status: reads
get_unit [job] key seq: reads
get_results [job] after all limit status: reads
report [job]: reads
open_dashboard [] job: idempotent
stop_job [job] grace now: destructive idempotent
resume_job [job]: destructive open
cancel_job [job reason]: destructive idempotent
add_units [job] csv_file glob items items_json json_file jsonl_file lines_file range sql_database sql_query sync: destructive open
change_units [job action] cluster first_seq flagged group last_seq matching one_by_one reason seq status then: destructive open
approve_job [job] budget next: destructive open
reject_job [job reason]: destructive idempotent
change_settings [job] budget deadline group_rate load max_attempts max_failures memfree per_group rate timeout workers: idempotent
";

fn described(tool: &Value) -> String {
    let schema = &tool["inputSchema"];
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
    let mut line = format!("{} [{}]", tool["name"].as_str().unwrap(), required.join(" "));
    let names = schema["properties"].as_object().unwrap().keys();
    names.filter(|name| !required.contains(&name.as_str())).for_each(|name| line.push_str(&format!(" {name}")));
    line.push(':');
    let hints = [
        ("readOnlyHint", " reads"),
        ("destructiveHint", " destructive"),
        ("idempotentHint", " idempotent"),
        ("openWorldHint", " open"),
    ];
    hints.iter().filter(|(hint, _)| tool["annotations"][hint] == true).for_each(|(_, word)| line.push_str(word));
    line + "\n"
}

#[test]
fn a_batch_is_previewed_started_waited_for_and_its_results_are_read() {
    let world = World::new();
    world.write("people.csv", "name,age\nAda,36\nAlan,41\n");
    let mut host = Host::new(&world);
    let batch =
        json!({ "command": ["echo", "{name} is {age}"], "csv_file": "people.csv", "key": "once", "workers": 1 });

    let mut preview = batch.clone();
    preview["count"] = json!(1);
    let preview = host.ok("preview_batch", preview);
    let nothing_yet = !exists(&world.db());
    let started = host.ok("start_batch", batch.clone());
    let job = started["job"]["id"].clone();
    let status = host.wait_for_job(&job);
    let results = host.ok("get_results", json!({ "job": job }));
    let again = host.ok("start_batch", batch.clone());
    let mut faster = batch.clone();
    (faster["workers"], faster["order"]) = (json!(7), json!("{age}"));
    let faster = host.ok("start_batch", faster);
    let mut other = batch;
    other["command"] = json!(["echo", "{age}"]);
    let other = host.refused("start_batch", other);

    assert_eq!((&preview["commands"], &preview["is_all"]), (&json!(["echo 'Ada is 36'"]), &json!(false)));
    assert!(nothing_yet, "a preview made a database");
    assert_eq!((&started["units"], &started["new"]), (&json!(2), &json!(true)));
    assert!(started["pid"].is_u64() && started["job"]["uid"].is_string(), "{started}");
    assert_eq!(started["cwd"], world.path(".").canonicalize().unwrap().to_str().unwrap());
    assert_eq!(status, "completed");
    assert_eq!(results["results"][1]["payload"], r#"{"name":"Alan","age":"41"}"#);
    assert_eq!(results["results"][1]["payload_is_json"], true);
    assert_eq!(results["results"][1]["result"], "Alan is 41");
    assert_eq!((&again["job"]["id"], &again["new"]), (&job, &json!(false)));
    assert_eq!((&again["units_differ"], &again["warnings"]), (&json!(null), &json!([])));
    let warnings = faster["warnings"].to_string();
    assert!(warnings.contains("is there already, not applied: workers, order;"), "{warnings}");
    assert!(other.contains(r#"command ["echo","{name} is {age}"] → ["echo","{age}"]"#), "{other}");
}

#[test]
fn items_come_inline_and_from_every_kind_of_source() {
    let world = World::new();
    world.write("lines", "a\nb\n");
    world.write("lines.jsonl", "{\"x\":1}\n");
    world.write("data.json", "{\"rows\":[{\"x\":2}]}");
    let dir = world.path("in[1]");
    std::fs::create_dir(&dir).unwrap();
    world.write("in[1]/a.txt", "");
    world.write("in[1]/b.txt", "");
    world.ok(&["run", "--db", world.path("other.db").to_str().unwrap(), "--", "true"]);
    let mut host = Host::new(&world);

    for (parameters, commands) in [
        (json!({ "items": ["a b", 7, { "x": 1 }] }), json!(["echo 'a b'", "echo 7", "echo '{\"x\":1}'"])),
        (json!({ "items": [u64::MAX, i64::MIN] }), json!([format!("echo {}", u64::MAX), format!("echo {}", i64::MIN)])),
        (json!({ "lines_file": "lines" }), json!(["echo a", "echo b"])),
        (json!({ "jsonl_file": "lines.jsonl" }), json!(["echo '{\"x\":1}'"])),
        (json!({ "json_file": "data.json", "json_path": "rows" }), json!(["echo '{\"x\":2}'"])),
        (json!({ "range": "1-5:2" }), json!(["echo 1", "echo 3", "echo 5"])),
        (json!({ "sql_database": "other.db", "sql_query": "SELECT id FROM jobs" }), json!(["echo '{\"id\":1}'"])),
        (
            json!({ "glob": ["*.txt"], "exclude": ["b*"], "cwd": dir }),
            json!([format!("echo '{}'", dir.canonicalize().unwrap().join("a.txt").display())]),
        ),
    ] {
        let mut batch = parameters.clone();
        batch["command"] = json!(["echo", "{}"]);
        let shown = host.ok("preview_batch", batch);

        assert_eq!(shown["commands"], commands, "{parameters}");
    }
}

#[test]
fn what_is_wrong_is_answered_with_the_next_step_before_anything_is_created() {
    let world = World::new();
    let mut host = Host::new(&world);

    for (batch, said) in [
        (json!({ "command": ["true"], "itemz": [] }), "unknown field `itemz`"),
        (json!({ "items": ["a"] }), "either command"),
        (json!({ "command": ["true"], "shell": "true" }), "either command"),
        (json!({ "command": ["true"], "items": ["a"], "range": "1-2" }), "items and range"),
        (json!({ "command": ["no-such-program"], "items": ["a"] }), "command not found: no-such-program"),
        (json!({ "command": ["echo", "{y}"], "items": [{ "x": 1 }] }), "items, element 1"),
        (
            json!({ "command": ["echo", "{}"], "items": [] }),
            "no units: the array in items has no elements (allow_empty ",
        ),
        (
            json!({ "command": ["echo", "{}"], "glob": ["*.none"] }),
            "no units: no file matches \"*.none\" (allow_empty ",
        ),
        (json!({ "command": ["true"], "glob": ["[[:x:]]"] }), "[:x:] is not a class of characters"),
        (json!({ "command": ["true"], "exclude": ["a"] }), "exclude requires glob"),
        (json!({ "command": ["echo", "{"], "items": ["a"] }), "cannot use the command"),
        (json!({ "command": ["true"], "cwd": "/no/such/place" }), "no directory /no/such/place"),
        (json!({ "command": ["true"], "cwd": "." }), "cwd is an absolute path"),
        (json!({ "command": ["echo", "{}"], "items": { "x": 1 } }), "items:1: cannot find the array"),
        (json!({ "command": ["true"], "lines_file": "nothing" }), "no file"),
        (json!({ "command": ["true"], "json_path": "a" }), "json_path requires json_file"),
        (json!({ "command": ["true"], "range": "9-1" }), "a range goes up"),
        (json!({ "command": ["true"], "rate": "fast" }), "invalid rate"),
        (json!({ "command": ["true"], "timeout": "soon" }), "invalid duration"),
        (json!({ "command": ["true"], "canary": 0 }), "canary: it must be at least 1"),
        (json!({ "command": ["true"], "workers": 1_000_000 }), "workers"),
        (json!({ "command": ["true"], "on_interrupt": "ask" }), "unknown variant `ask`"),
        (json!({ "command": ["true"], "name": "" }), "the name of the job is empty"),
        (json!({ "command": ["true"], "key": "" }), "the key of the job is empty"),
        (json!({ "command": ["true"], "label": { "": "x" } }), "the name of a label of the job is empty"),
    ] {
        let answer = host.refused("start_batch", batch.clone());

        assert!(answer.contains(said) && answer.contains("call again"), "{batch}: {answer}");
    }
    let preview = host.refused("preview_batch", json!({ "command": ["true"], "count": 1, "itemz": [] }));
    let nameless = host.refused("job_status", json!({ "job": true }));

    assert!(preview.contains("unknown field `itemz`"), "{preview}");
    assert!(nameless.contains("a job is its number"), "{nameless}");
    assert!(!exists(&world.db()));
}

#[test]
fn values_come_out_of_the_server_as_they_were_written() {
    let world = World::new();
    let mut host = Host::new(&world);
    let items = r#"[1E5, 1.10, {"b": 123456789012345678901234567890, "a": 1.0}]"#;

    let started = host.call_text(
        "start_batch",
        &format!(r#"{{"command": ["printf", "%s", "{{}}"], "items": {items}, "workers": 1}}"#),
    );
    host.wait_for_job(&json!("last"));
    world.sql("UPDATE units SET result = '[2.50, 99999999999999999999]' WHERE id % 4294967296 = 1");
    let results = host.call_text("get_results", r#"{"job": "last"}"#);
    let unit = host.call_text("get_unit", r#"{"job": "last", "seq": 3}"#);

    assert!(started.contains(r#""units":3"#), "{started}");
    for payload in [r#""payload":"1E5","#, r#""payload":"1.10","#, r#""result":"[2.50, 99999999999999999999]","#] {
        assert!(results.contains(payload) && results.contains(&payload.replace('"', r#"\""#)), "{payload}: {results}");
    }
    assert!(results.contains(r#""result":"1E5""#) || results.contains(r#""result":"1.10""#), "{results}");
    let payload = r#""payload":"{\"b\": 123456789012345678901234567890, \"a\": 1.0}","#;
    assert!(unit.contains(payload), "{unit}");
}

#[test]
fn what_readers_read_differently_is_refused_by_its_name() {
    let world = World::new();
    let mut host = Host::new(&world);

    for (arguments, said) in [
        (r#"{"command": ["true"], "workers": 1, "workers": 2}"#, "field \\\"workers\\\" stands there twice"),
        (r#"{"command": ["true"], "label": {"a": "1", "a": "2"}}"#, "field \\\"a\\\" stands there twice"),
        (r#"{"command": ["echo", "{}"], "items": [1, {"a": 1, "a": 2}]}"#, "items, element 2: "),
        (r#"{"command": ["true"], "items": "1"}"#, "items:1: cannot find the array"),
    ] {
        let answer = host.call_text("start_batch", arguments);
        assert!(answer.contains(said) && answer.contains(r#""isError":true"#), "{arguments}: {answer}");
    }
    let lone = host.call_text("start_batch", r#"{"command": ["echo", "{}"], "items": ["\ud800"]}"#);
    host.say_text("{\"jsonrpc\":");
    let broken = host.refusal();

    assert!(lone.contains(r#""code":-32700"#) && lone.contains("unpaired surrogate"), "{lone}");
    assert_eq!(broken["error"]["code"], -32700);
    assert_eq!(host.ok("list_jobs", json!({}))["jobs"], json!([]));
}

#[test]
fn without_a_database_there_are_no_jobs_and_none_is_made() {
    let world = World::new();
    let mut host = Host::new(&world);

    let jobs = host.ok("list_jobs", json!({}));
    let status = host.refused("job_status", json!({ "job": "last" }));
    let cancelled = host.refused("cancel_job", json!({ "job": 1, "reason": "test" }));

    assert_eq!(jobs["jobs"], json!([]));
    assert!(status.contains("no jobs yet") && cancelled.contains("start_batch"), "{status} {cancelled}");
    assert!(!exists(&world.db()));
}

#[test]
fn a_canary_waits_for_a_decision_and_a_rejected_batch_never_runs_its_rest() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch = json!({ "shell": "echo {} >> ran", "range": "1-5", "canary": 1 });

    let good = host.ok("start_batch", batch.clone())["job"]["id"].clone();
    let first = host.wait_for_job(&good);
    let early = host.refused("resume_job", json!({ "job": good }));
    host.ok("approve_job", json!({ "job": good }));
    let approved = host.wait_for_job(&good);
    let ran = world.lines("ran").len();
    let bad = host.ok("start_batch", batch)["job"]["id"].clone();
    host.wait_for_job(&bad);
    host.ok("reject_job", json!({ "job": bad, "reason": "wrong" }));
    let rejected = host.wait_for_job(&bad);

    assert_eq!((first.as_str(), approved.as_str(), ran), ("awaiting_approval", "completed", 5));
    assert!(early.contains("approve_job"), "{early}");
    assert_eq!((rejected.as_str(), world.lines("ran").len()), ("cancelled", 6));
}

#[test]
fn units_of_a_rejected_job_that_are_sent_back_wait_for_an_approval() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch = json!({ "shell": "echo {} >> ran", "range": "1-5", "canary": 1 });
    let job = host.ok("start_batch", batch)["job"]["id"].clone();
    host.wait_for_job(&job);

    let rejected = host.call("reject_job", json!({ "job": job, "reason": "wrong" })).text;
    let explained = host.call("explain", json!({ "job": job })).text;
    host.ok("change_units", json!({ "job": job, "action": "retry", "status": ["cancelled"] }));
    host.ok("resume_job", json!({ "job": job }));
    let status = host.wait_for_job(&job);

    assert_eq!((status.as_str(), world.lines("ran").len()), ("awaiting_approval", 1));
    for said in [rejected, explained] {
        assert!(said.contains("start_batch with a corrected command") && !said.contains("change_units"), "{said}");
    }
}

#[test]
fn one_kind_of_failure_is_found_looked_at_and_retried() {
    let world = World::new();
    let script =
        "if [ -e mended ]; then exit 0; fi; if [ {} -le 3 ]; then echo \"no host h{}\" >&2; exit 6; fi; exit 7";
    let mut host = Host::new(&world);

    let job =
        host.ok("start_batch", json!({ "shell": script, "range": "1-4", "max_attempts": 1 }))["job"]["id"].clone();
    let status = host.wait_for_job(&job);
    let failures = host.ok("list_failures", json!({ "job": job }));
    let kind = &failures["clusters"][0];
    let unit = host.ok("get_unit", json!({ "job": job, "seq": kind["example_seq"] }));
    world.write("mended", "");
    let unfiltered = host.refused("change_units", json!({ "job": job, "action": "retry" }));
    let retried = host.ok("change_units", json!({ "job": job, "action": "retry", "cluster": kind["cluster"] }));
    host.ok("resume_job", json!({ "job": job }));
    host.wait_for_job(&job);
    let left = host.ok("list_units", json!({ "job": job, "status": ["failed"] }));

    assert_eq!((status.as_str(), &failures["failed"], &kind["count"]), ("failed", &json!(4), &json!(3)));
    assert_eq!((&unit["stderr"], &unit["exit_code"]), (&json!("no host h1\n"), &json!(6)));
    assert!(unfiltered.contains("say which units"), "{unfiltered}");
    assert_eq!(retried["units_changed"], 3);
    assert_eq!(left["units"].as_array().unwrap().len(), 1);
    assert_eq!(left["units"][0]["item"], "4");
}

#[test]
fn a_job_is_stopped_scaled_resumed_and_cancelled() {
    let world = World::new();
    let mut host = Host::new(&world);
    let job = host.ok("start_batch", json!({ "command": ["sleep", "0.05"], "range": "1-1000" }))["job"]["id"].clone();

    let running = host.ok("wait_job", json!({ "job": job, "timeout": 0.1 }));
    host.ok("stop_job", json!({ "job": job, "now": true }));
    let stopped = host.wait_for_job(&job);
    let scaled = host.ok("change_settings", json!({ "job": job, "workers": 3 }));
    let resumed = host.ok("resume_job", json!({ "job": job }));
    let twice = host.ok("resume_job", json!({ "job": job }));
    let explained = host.ok("explain", json!({ "job": job }));
    host.ok("cancel_job", json!({ "job": job, "reason": "enough" }));
    let cancelled = host.wait_for_job(&job);
    let unit = host.ok("explain", json!({ "job": job, "seq": 1000 }));

    assert!(running["summary"].as_str().unwrap().contains("wait_job"), "{running}");
    assert_eq!((stopped.as_str(), &scaled["workers"]), ("paused", &json!(3)));
    assert_eq!((&resumed["already_running"], &twice["already_running"]), (&json!(false), &json!(true)));
    assert!(explained["cause"].is_string() && explained["next_call"].is_string(), "{explained}");
    assert_eq!((cancelled.as_str(), &unit["cause"]), ("cancelled", &json!("unit_cancelled")));
}

#[test]
fn units_that_were_cancelled_or_skipped_come_back_as_the_answers_say() {
    let world = World::new();
    let mut host = Host::new(&world);
    let job = host.ok("start_batch", json!({ "command": ["sleep", "60"], "range": "1-3" }))["job"]["id"].clone();
    host.ok("cancel_job", json!({ "job": job, "reason": "test" }));
    host.wait_for_job(&job);
    world.ok(&["skip", "1", "--seq", "3-3", "--status", "cancelled", "--reason", "test"]);

    let cancelled = host.call("job_status", json!({ "job": job })).text;
    let skipped = host.call("explain", json!({ "job": job, "seq": 3 })).text;
    let failed = host.refused("change_units", json!({ "job": job, "action": "retry", "status": ["failed"] }));
    let back = host.ok("change_units", json!({ "job": job, "action": "retry", "status": ["cancelled"] }));
    let again = host.ok("change_units", json!({ "job": job, "action": "retry", "status": ["skipped"], "seq": 3 }));

    assert!(cancelled.contains("change_units retries its cancelled units"), "{cancelled}");
    assert!(skipped.contains("change_units with retry, status skipped and its number"), "{skipped}");
    assert!(failed.contains("no unit of job 1 fits"), "{failed}");
    assert_eq!((&back["units_changed"], &again["units_changed"]), (&json!(2), &json!(1)));
}

#[test]
fn a_job_that_is_still_stopping_is_not_said_to_run() {
    let world = World::new();
    let mut host = Host::new(&world);
    let job = host.ok("start_batch", json!({ "command": ["sleep", "60"] }))["job"]["id"].clone();

    host.ok("stop_job", json!({ "job": job }));
    let stopping = host.refused("resume_job", json!({ "job": job }));
    host.ok("cancel_job", json!({ "job": job, "reason": "test" }));
    host.wait_for_job(&job);

    assert!(stopping.contains("job 1 is still stopping") && stopping.contains("then resume_job"), "{stopping}");
}

#[test]
fn a_call_that_waits_holds_up_no_other_one() {
    let world = World::new();
    let mut host = Host::new(&world);
    let job = host.ok("start_batch", json!({ "command": ["sleep", "60"] }))["job"]["id"].clone();

    let waiting = host.begin("wait_job", &json!({ "job": job, "timeout": 45 }));
    let listed = host.ok("list_jobs", json!({}));
    host.ok("cancel_job", json!({ "job": job, "reason": "test" }));
    let waited = host.answer(waiting);

    assert_eq!(listed["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(waited["result"]["structuredContent"]["job_status"], "cancelled");
}

#[test]
fn answers_are_bounded_and_pages_lead_to_every_unit() {
    let world = World::new();
    let mut host = Host::new(&world);
    let script = "head -c 9000 /dev/zero | tr '\\0' x; echo {}";
    let job = host.ok("start_batch", json!({ "shell": script, "range": "1-40" }))["job"]["id"].clone();
    host.wait_for_job(&job);

    let mut seen = Vec::new();
    let mut after = json!(null);
    loop {
        let page = host.call("get_results", json!({ "job": job, "after": after, "limit": 500 }));
        assert!(!page.failed && page.bytes < 40 * 1024, "{} bytes: {}", page.bytes, page.text);
        let results = page.document["results"].as_array().unwrap().clone();
        assert!(results.iter().all(|unit| unit["result"].as_str().unwrap().starts_with("(cut, ")));
        seen.extend(results.iter().map(|unit| unit["seq"].as_i64().unwrap()));
        after = page.document["next_after"].clone();
        if after.is_null() {
            break;
        }
    }
    let unit = host.call("get_unit", json!({ "job": job, "seq": 7 }));

    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
    assert!(unit.bytes < 8 * 1024 && unit.document["stdout"].as_str().unwrap().ends_with("x7\n"), "{}", unit.text);
}

#[test]
fn a_secret_that_the_server_lacks_is_named_when_it_resumes_a_job() {
    let world = World::new();
    let created = world.job_manager(&["create", "--", "true"]).env("SOME_TOKEN", "t").output().unwrap();
    assert!(created.status.success(), "{created:?}");
    let mut host = Host::new(&world);

    let resumed = host.call("resume_job", json!({ "job": 1 }));

    assert!(resumed.text.contains("run without SOME_TOKEN"), "{}", resumed.text);
    assert_eq!(resumed.document["missing_secrets"], json!(["SOME_TOKEN"]));
}

#[test]
fn a_batch_waits_for_the_machine_and_takes_limits_and_order_from_its_items_as_on_the_command_line() {
    let world = World::new();
    let mut host = Host::new(&world);
    let items = json!([{ "size": 1, "t": 5 }, { "size": 10, "t": "1m" }]);
    let batch = |more: Value| {
        let mut batch = json!({ "command": ["echo", "{size}"], "items": items, "workers": 2 });
        batch.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        batch
    };

    for (wrong, said) in [
        (json!({ "memfree": "2" }), "2G"),
        (json!({ "load": "80" }), "80%"),
        (json!({ "diskfree": ["/gone/away=1G"] }), "/gone/away"),
        (json!({ "window": ["22-6"] }), "22:00-06:00"),
        (json!({ "not_before": "soon" }), "22:00"),
        (json!({ "slots": "3" }), "a unit takes 3 workers"),
        (json!({ "timeout": "{size}x" }), "element 1"),
        (json!({ "order": "size" }), "{size}"),
    ] {
        let message = host.refused("start_batch", batch(wrong));
        assert!(message.contains(said), "{message}");
    }
    let good = json!({ "order": "-{size}", "timeout": "{t}", "slots": "2", "memfree": "1K", "not_before": "+2h" });
    let job = host.ok("start_batch", batch(good))["job"]["id"].clone();

    let status = host.ok("job_status", json!({ "job": job }));
    assert!(status["waiting_for"].as_str().unwrap().ends_with("(not-before)"), "{status}");
    assert_eq!(host.ok("explain", json!({ "job": job }))["cause"], "waiting_for_time");
    world.ok(&["set", &job.to_string(), "not-before=none"]);
    host.wait_for_job(&job);
    let results = host.ok("get_results", json!({ "job": job }));
    assert_eq!(results["results"][0]["result"], "10", "{results}");
}

#[test]
fn units_that_hang_are_ended_and_units_that_nobody_needs_are_skipped() {
    let world = World::new();
    let mut host = Host::new(&world);
    let script = "if [ {} = 1 ]; then exec sleep 60; fi; if [ {} -ge 4 ]; then echo no such file >&2; exit 7; fi";
    let batch = json!({ "shell": script, "range": "1-5", "max_attempts": 1, "workers": 2 });
    let job = host.ok("start_batch", batch)["job"]["id"].clone();
    wait_for(&world, "all but the unit that hangs", || {
        let progress = host.ok("job_status", json!({ "job": job }))["progress"].clone();
        (&progress["completed"], &progress["failed"], &progress["running"]) == (&json!(2), &json!(2), &json!(1))
    });

    let idle = host.refused("change_units", json!({ "job": job, "action": "kill", "seq": 2, "reason": "test" }));
    let kill = |then: &str| json!({ "job": job, "action": "kill", "seq": 1, "then": then, "reason": "it hangs" });
    let wrong = host.refused("change_units", kill("forget"));
    let unexplained = host.refused("change_units", json!({ "job": job, "action": "kill", "seq": 1 }));
    host.ok("change_units", kill("skip"));
    let failed = host.wait_for_job(&job);
    let unfiltered = host.refused("change_units", json!({ "job": job, "action": "skip", "reason": "test" }));
    let kind = host.ok("list_failures", json!({ "job": job }))["clusters"][0]["cluster"].clone();
    let skip = json!({ "job": job, "action": "skip", "reason": "not needed" });
    let skip = |more: Value| {
        let mut skip = skip.clone();
        skip.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        skip
    };
    let first = host.ok("change_units", skip(json!({ "cluster": kind, "last_seq": 4 })));
    let rest = host.ok("change_units", skip(json!({ "status": ["failed"] })));
    let none = host.refused("change_units", skip(json!({ "status": ["failed"] })));
    let other = host.refused("change_units", skip(json!({ "status": ["failed"], "then": "fail" })));

    assert!(idle.contains("does not run") || idle.contains("completed"), "{idle}");
    assert!(wrong.contains("unknown variant `forget`"), "{wrong}");
    assert!(unexplained.contains("kill requires a reason"), "{unexplained}");
    assert!(other.contains("then requires the action kill"), "{other}");
    assert!(unfiltered.contains("say which units: seq, status"), "{unfiltered}");
    assert_eq!((failed.as_str(), &first["units_changed"], &rest["units_changed"]), ("failed", &json!(1), &json!(1)));
    assert!(none.contains("no unit of job"), "{none}");
    assert_eq!(host.ok("job_status", json!({ "job": job }))["progress"]["skipped"], 3);
    assert_eq!(host.ok("get_unit", json!({ "job": job, "seq": 1 }))["status"], "skipped");
}
