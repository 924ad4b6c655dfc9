//! Rows that this version cannot read: edited with another tool, or written by another version.

use serde_json::Value;

use crate::support::{World, needs_file, text};

/// Replaces what a column holds, whatever the schema says to it.
fn damage(world: &World, statement: &str) {
    world.damage(statement);
}

/// Makes three jobs with a paused one on either side of one whose `column` cannot be read.
fn three_jobs(column: &str, value: &str) -> World {
    let world = World::new();
    for name in ["first", "second", "third"] {
        world.ok(&["create", "-q", "--name", name, "--", "true"]);
    }
    damage(&world, "UPDATE jobs SET status = 'paused'");
    damage(&world, &format!("UPDATE jobs SET {column} = '{value}' WHERE id = 2"));
    world
}

#[test]
fn fault_342_counters_of_units_that_are_not_there_end_the_job_by_name() {
    let world = World::new();
    let job = world.ok(&["create", "--lines", &world.numbers(3), "--", "true", "{}"]);
    world.sql("UPDATE jobs SET total = total + 1, pending = pending + 1");

    world.ok(&["start", &job]);

    assert_eq!(world.run(&["wait", &job, "--timeout", "60s"]).status.code(), Some(10));
    let status = world.status(&job);
    assert!(
        status["error"].as_str().unwrap().contains("its counter is \"1\" (it counts units that are not there)"),
        "{status}"
    );
    assert_eq!(status["progress"]["completed"], 3);
}

#[test]
fn fault_210_a_job_that_cannot_be_read_is_named_and_the_others_are_listed_and_resumed() {
    for (column, value) in [("limits", "{\"workers\":\"many\"}"), ("status", "asleep"), ("stop_request", "perhaps")] {
        let world = three_jobs(column, value);
        let names_it = |text: &str| text.contains("job 2") && text.contains(column) && text.contains("rm 2");

        let listed = world.run(&["list"]);
        let document: Value = serde_json::from_str(&world.ok(&["list", "--json"])).unwrap();
        let quiet = world.ok(&["list", "-q"]);
        let status = world.fails(5, &["status", "2"]);
        let resumed = world.fails(5, &["resume", "--all"]);

        let (shown, said) = (String::from_utf8(listed.stdout).unwrap(), String::from_utf8(listed.stderr).unwrap());
        assert!(shown.contains("first") && shown.contains("third") && !shown.contains("second"), "{shown}");
        assert!(names_it(&said) && said.lines().count() == 1, "{said}");
        assert_eq!(document["jobs"].as_array().unwrap().len(), 2);
        assert_eq!(document["unreadable"][0]["job"]["id"], 2);
        assert_eq!(document["unreadable"][0]["column"], column);
        assert_eq!(document["unreadable"][0]["value"], value);
        assert_eq!(quiet, "3\n1");
        assert!(names_it(&status), "{status}");
        assert!(names_it(&resumed), "{resumed}");
        world.wait_for_status("1", "completed");
        world.wait_for_status("3", "completed");
    }
}

#[test]
fn fault_210_recover_and_prune_go_on_beside_a_job_that_cannot_be_read_and_say_so() {
    let world = three_jobs("limits", "{}x");

    let recovered = world.fails(5, &["recover", "--all"]);
    damage(&world, "UPDATE jobs SET status = 'cancelled', finished_at = 1, started_at = 1, cancelled = 1, pending = 0");
    damage(&world, "UPDATE units SET status = 'cancelled', finished_at = 1");
    let pruned = world.fails(5, &["prune", "-y"]);

    assert!(recovered.contains("job 2"), "{recovered}");
    assert!(pruned.contains("job 2"), "{pruned}");
    assert_eq!(world.count("count(*) FROM jobs"), 1);
}

#[test]
fn fault_210_a_job_that_cannot_be_read_is_named_by_doctor_and_deleted_by_rm() {
    for (column, value) in [("limits", "7"), ("status", "asleep")] {
        let world = three_jobs(column, value);

        let examined = world.run(&["doctor"]);
        let by_name = world.ok(&["rm", "second", "-y"]);
        let after = world.ok(&["list", "-q"]);

        let said = String::from_utf8(examined.stdout).unwrap();
        assert!(said.contains("job 2") && said.contains(column) && said.contains(value), "{said}");
        assert!(by_name.contains("1 unit"), "{by_name}");
        assert_eq!(after, "3\n1");
        assert_eq!(world.count("count(*) FROM units WHERE id >> 32 = 2"), 0);
    }
}

#[cfg(all(feature = "mcp", feature = "serve"))]
#[test]
fn fault_210_faces_show_the_other_jobs_and_name_the_one_that_cannot_be_read() {
    let world = three_jobs("status", "asleep");

    let listed = crate::support::Host::new(&world).ok("list_jobs", serde_json::json!({}));
    let page = world.serve(&["--read-only"]);
    let served = page.get("/api/v1/jobs");
    let metrics = page.ask("GET /metrics", &[], "").body;

    assert_eq!(listed["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(listed["unreadable"][0]["job"]["id"], 2);
    assert!(metrics.contains("job_manager_jobs{status=\"paused\"} 2"), "{metrics}");
    assert!(metrics.contains("job_manager_jobs_unreadable 1"), "{metrics}");
    assert_eq!(served["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(served["unreadable"][0]["job"]["id"], 2);
}

#[test]
fn fault_211_a_unit_an_attempt_and_a_setting_that_cannot_be_read_are_named() {
    let world = World::new();
    world.run(&["run", "-q", "--max-attempts", "1", "--", "false", ":::", "a", "b"]);
    damage(&world, "UPDATE units SET status = 'lost' WHERE id & 4294967295 = 2");
    damage(&world, "UPDATE attempts SET cause = 'fate' WHERE unit_id & 4294967295 = 1");
    world.sql("INSERT INTO settings (key, value) VALUES ('machine_workers', 'few')");

    let units = world.fails(5, &["units", "1"]);
    let unit = world.fails(5, &["unit", "1:1"]);
    let limit = world.fails(5, &["run", "-q", "--", "true"]);
    let doctor = String::from_utf8(world.run(&["doctor"]).stdout).unwrap();
    world.ok(&["scale", "--machine", "4"]);

    assert!(units.contains("unit 1:2") && units.contains("status") && units.contains("lost"), "{units}");
    assert!(unit.contains("unit 1:1") && unit.contains("cause") && unit.contains("fate"), "{unit}");
    assert!(limit.contains("machine_workers") && limit.contains("few") && limit.contains("scale --machine"), "{limit}");
    assert!(doctor.contains("machine_workers") && doctor.contains("few"), "{doctor}");
    world.ok(&["run", "-q", "--", "true"]);
}

#[test]
fn fault_211_a_limit_over_all_jobs_that_becomes_unreadable_ends_no_running_job() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);
    world.ok(&["scale", "--machine", "2"]);
    world.ok(&["submit", "-q", "-j", "2", "--range", "1-4", "--", "sh", "-c", "until [ -e go ]; do sleep 0.05; done"]);
    world.wait_for_status("2", "running");

    world.sql("UPDATE settings SET value = 'few' WHERE key = 'machine_workers'");
    crate::support::wait_for(&world, "the limit to be looked at", || {
        world.ok(&["logs", "--manager", "2"]).contains("few")
    });
    world.write("go", "");
    world.ok(&["wait", "2"]);

    assert_eq!(world.status("2")["progress"]["completed"], 4);
}

#[test]
fn fault_259_settings_of_another_shape_are_named_before_anybody_resumes_the_job() {
    for value in ["[]", "{\"argv\":7}", "7"] {
        let world = three_jobs("limits", "{}");
        damage(&world, &format!("UPDATE specs SET spec = '{value}' WHERE job_id = 2"));
        let names_it =
            |said: &str| assert!(said.contains("cannot read job 2: its spec") && said.contains("rm 2"), "{said}");

        names_it(&world.fails(5, &["status", "2"]));
        names_it(&String::from_utf8(world.run(&["doctor"]).stdout).unwrap());
        names_it(&world.fails(5, &["resume", "2"]));
        names_it(&world.fails(5, &["resume", "--all"]));
        let listed: Value = serde_json::from_str(&world.ok(&["list", "--json"])).unwrap();
        let second = listed["jobs"].as_array().unwrap().iter().find(|job| job["job"]["id"] == 2).unwrap();
        let error = second["error"].as_str().unwrap().to_owned();

        // What a document of the library says names no verb.
        assert!(error.contains("cannot read job 2: its spec"), "{error}");
        world.wait_for_status("1", "completed");
        world.wait_for_status("3", "completed");
        world.ok(&["cancel", "-y", "2"]);
        world.ok(&["rm", "-y", "2"]);
    }
}

#[test]
fn fault_259_what_a_job_was_created_with_is_named_when_it_cannot_be_read() {
    for key in ["creation", "submitter"] {
        let world = World::new();
        world.ok(&["create", "-q", "--key", "k", "--", "true", ":::", "a"]);
        world.sql(&format!("UPDATE metadata SET value = '[]' WHERE key = '{key}'"));

        let examined = String::from_utf8(world.run(&["doctor"]).stdout).unwrap();
        let verb: &[&str] = if key == "creation" { &["set", "1", "timeout=1s"] } else { &["start", "1"] };
        let refused = text(&world.run(verb).stderr);

        for said in [examined, refused] {
            assert!(said.contains("cannot read job 1: its ") && said.contains(key), "{said}");
        }
        world.ok(&["rm", "-y", "1"]);
    }
}

#[test]
fn fault_259_units_beside_one_that_cannot_be_read_are_shown_and_it_is_named() {
    for (column, value) in [("status", "lost"), ("outdated", "perhaps")] {
        let world = World::new();
        world.ok(&["run", "-q", "--", "echo", "{}", ":::", "a", "b", "c"]);
        damage(&world, &format!("UPDATE units SET {column} = '{value}' WHERE id & 4294967295 = 2"));
        let names_it = |said: &[u8]| {
            let said = String::from_utf8_lossy(said).into_owned();
            assert!(said.contains("unit 1:2") && said.contains(column) && said.contains(value), "{said}");
        };

        let units = world.run(&["units", "1"]);
        let document = world.run(&["units", "1", "--json"]);
        let sorted = world.run(&["units", "1", "--sort", "duration", "-q"]);
        let second = world.run(&["units", "1", "-q", "--limit", "1", "--after", "1"]);
        let results = world.run(&["results", "1", "--all"]);
        let logs = world.run(&["logs", "1"]);

        for answer in [&units, &document, &sorted, &second, &results, &logs] {
            assert_eq!(answer.status.code(), Some(5));
            names_it(&answer.stderr);
        }
        let shown = |answer: &std::process::Output| String::from_utf8(answer.stdout.clone()).unwrap();
        assert!(shown(&units).contains("completed") && shown(&units).lines().count() == 3, "{}", shown(&units));
        let page: Value = serde_json::from_slice(&document.stdout).unwrap();
        assert_eq!(page["units"].as_array().unwrap().len(), 2);
        assert_eq!((&page["unreadable"][0]["seq"], &page["unreadable"][0]["column"]), (&2.into(), &column.into()));
        let mut numbers: Vec<String> = shown(&sorted).lines().map(str::to_owned).collect();
        numbers.sort();
        assert_eq!(numbers, ["1", "3"]);
        assert_eq!(shown(&second), "");
        assert_eq!(shown(&results).lines().count(), 2, "{}", shown(&results));
        assert_eq!(shown(&logs), "a\nc\n");
    }
}

#[test]
fn fault_259_a_unit_that_cannot_be_read_is_named_by_both_readers_of_a_large_job() {
    let world = World::new();
    world.ok(&["create", "-q", "--range", "1-12000", "--", "true"]);
    damage(&world, "UPDATE units SET outdated = 'perhaps' WHERE id & 4294967295 IN (2, 3000, 11999)");

    let results = world.run(&["results", "1", "--all"]);

    let (shown, said) = (String::from_utf8(results.stdout).unwrap(), String::from_utf8(results.stderr).unwrap());
    assert_eq!((results.status.code(), shown.lines().count()), (Some(5), 12_000 - 3));
    for seq in [2, 3000, 11_999] {
        assert!(said.contains(&format!("unit 1:{seq}")), "{said}");
    }
}

#[test]
fn fault_259_failures_are_counted_beside_a_unit_and_an_attempt_that_cannot_be_read() {
    let world = World::new();
    world.run(&["run", "-q", "--max-attempts", "1", "--", "false", ":::", "a", "b", "c"]);
    damage(&world, "UPDATE units SET outdated = 'perhaps' WHERE id & 4294967295 = 1");
    damage(&world, "UPDATE attempts SET cause = 'fate' WHERE unit_id & 4294967295 = 1");

    let found: Value = serde_json::from_str(&world.ok(&["failures", "1", "--json"])).unwrap();

    assert_eq!((&found["failed"], &found["clusters"][0]["count"]), (&3.into(), &3.into()));
}

#[cfg(all(feature = "mcp", feature = "serve"))]
#[test]
fn fault_259_faces_show_the_other_units_and_name_the_one_that_cannot_be_read() {
    let world = World::new();
    world.ok(&["run", "-q", "--", "echo", "{}", ":::", "a", "b", "c"]);
    damage(&world, "UPDATE units SET status = 'lost' WHERE id & 4294967295 = 2");

    let listed = crate::support::Host::new(&world).call("list_units", serde_json::json!({ "job": "1" }));
    let served = world.serve(&["--read-only"]).get("/api/v1/jobs/1/units");

    assert!(!listed.failed && listed.text.contains("unit 1:2"), "{}", listed.text);
    for page in [&listed.document, &served] {
        assert_eq!(page["units"].as_array().unwrap().len(), 2);
    }
    assert_eq!((&listed.document["unreadable"][0], &served["unreadable"][0]["seq"]), (&2.into(), &2.into()));
}

#[test]
fn fault_331_bytes_that_are_no_text_make_one_row_unreadable_and_hinder_no_other() {
    needs_file!("SQLite keeps bytes that are no text");
    for column in ["name", "handler"] {
        let world = three_jobs("limits", "{}");
        damage(&world, &format!("UPDATE jobs SET {column} = CAST(x'ff' AS TEXT) WHERE id = 1"));

        let listed = world.run(&["list"]);
        let status = world.fails(5, &["status", "1"]);
        let deleted = world.ok(&["rm", "1", "-y"]);

        let (shown, said) = (text(&listed.stdout), text(&listed.stderr));
        assert!(shown.contains("second") && shown.contains("third") && !shown.contains("first"), "{column}: {shown}");
        assert!(said.contains("job 1") && said.contains(column), "{column}: {said}");
        assert!(status.contains("job 1") && status.contains(column), "{column}: {status}");
        assert!(deleted.contains('1'), "{deleted}");
    }
    for column in ["error", "payload", "key", "result"] {
        let world = World::new();
        world.run(&["run", "-q", "--", "false", ":::", "a", "b"]);
        damage(&world, &format!("UPDATE units SET {column} = CAST(x'fffe' AS TEXT) WHERE seq = 1"));

        let (units, results) = (world.run(&["units", "1"]), world.run(&["results", "1"]));
        let failures = world.ok(&["failures", "1", "--json"]);

        let (shown, said) = (text(&units.stdout), text(&units.stderr));
        assert_eq!(units.status.code(), Some(5), "{column}: {said}");
        assert!(shown.contains("exited with code 1"), "{column}: {shown}");
        assert_eq!(
            (results.status.code(), text(&results.stdout).lines().count()),
            (Some(5), 1),
            "{column}: {results:?}"
        );
        assert!(said.contains("unit 1:1") && said.contains(column), "{column}: {said}");
        assert!(failures.contains("\"count\":2"), "{column}: {failures}");
    }
}

#[test]
fn fault_331_settings_that_are_no_text_are_named_by_who_needs_them_and_a_list_shows_the_job() {
    needs_file!("SQLite keeps bytes that are no text");
    let world = three_jobs("limits", "{}");
    damage(&world, "UPDATE specs SET spec = CAST(x'ff' AS TEXT) WHERE job_id = 1");

    let shown = world.ok(&["list"]);
    let listed: Value = serde_json::from_str(&world.ok(&["list", "--json"])).unwrap();
    let doctor = text(&world.run(&["doctor"]).stdout);
    let refused = [world.fails(5, &["status", "1"]), world.fails(5, &["resume", "1"]), doctor];
    let deleted = world.ok(&["rm", "1", "-y"]);

    assert!(["first", "second", "third"].iter().all(|name| shown.contains(name)), "{shown}");
    assert_eq!(listed["jobs"][2]["status"], "unknown");
    assert!(listed["jobs"][2]["error"].as_str().unwrap().contains("cannot read job 1: its spec"), "{listed}");
    for said in refused {
        assert!(said.contains("cannot read job 1: its spec"), "{said}");
    }
    assert!(deleted.contains('1'), "{deleted}");
}

#[test]
fn fault_331_counters_below_zero_are_no_panic() {
    let world = three_jobs("limits", "{}");
    damage(&world, "UPDATE jobs SET total = -3 WHERE id = 2");

    for args in [&["add", "2", "--range", "1-2"][..], &["status", "2"], &["explain", "2"], &["resume", "2"]] {
        let said = world.fails(5, args);
        assert!(said.contains("-3"), "{args:?}: {said}");
    }
    assert!(world.ok(&["list", "-q"]).starts_with("3\n1"));
}

#[test]
fn fault_332_a_row_of_a_manager_that_cannot_be_read_hides_no_other_job() {
    for (column, value) in [("state", "'weird'"), ("host", "CAST(x'ff' AS TEXT)"), ("version", "CAST(x'ff' AS TEXT)")] {
        let world = World::new();
        world.ok(&["create", "-q", "--name", "first", "--", "true"]);
        let job = world.ok(&["submit", "-q", "--", "sleep", "600"]);
        world.kill_manager(&job);
        damage(&world, &format!("UPDATE managers SET {column} = {value}"));

        let listed = world.ok(&["list"]);
        let status = world.fails(5, &["status", &job]);
        let history = world.fails(5, &["status", "-v", &job]);

        assert!(history.contains(&format!("job {job}")), "{column}: {history}");
        assert!(listed.contains("first") && listed.contains("unknown"), "{column}: {listed}");
        assert!(status.contains(&format!("job {job}")), "{column}: {status}");
    }
}

#[test]
fn a_prune_beside_a_job_that_cannot_be_read_ends_with_a_document_of_the_error() {
    let world = three_jobs("limits", "[]");
    damage(&world, "UPDATE jobs SET status = 'cancelled', finished_at = 1, started_at = 1, cancelled = 1, pending = 0");

    let pruned = world.run(&["prune", "-y", "--json"]);

    let said = text(&pruned.stderr);
    let document: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(pruned.status.code(), Some(5), "{said}");
    assert_eq!(
        (&document["error"]["kind"], &document["error"]["exit_code"]),
        (&"database".into(), &5.into()),
        "{said}"
    );
    assert!(document["error"]["hints"][0].as_str().unwrap().contains("job 2"), "{said}");
}

#[test]
fn fault_332_a_former_manager_whose_row_cannot_be_read_is_named() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--", "sleep", "600"]);
    world.ok(&["stop", &job, "--now", "--wait"]);
    world.ok(&["resume", &job]);
    damage(&world, "UPDATE managers SET state = 'weird' WHERE number = 1");

    let said = world.fails(5, &["status", "-v", &job]);

    assert!(said.contains(&format!("job {job}")), "{said}");
    assert_eq!(world.status(&job)["status"], "running");
}

#[test]
fn fault_331_bytes_that_are_no_text_in_what_is_told_of_a_job_or_an_attempt_hide_nothing_else() {
    needs_file!("SQLite keeps bytes that are no text");
    let world = World::new();
    world.run(&[
        "run",
        "-q",
        "--label",
        "team=web",
        "--max-attempts",
        "2",
        "--backoff",
        "1ms",
        "--",
        "false",
        ":::",
        "a",
    ]);
    world.ok(&["create", "-q", "--name", "other", "--", "true"]);
    damage(&world, "UPDATE attempts SET error = CAST(x'ff' AS TEXT)");
    damage(&world, "UPDATE metadata SET value = CAST(x'ff' AS TEXT) WHERE key LIKE 'label:%'");
    damage(&world, "INSERT INTO metadata (job_id, key, value) VALUES (1, 'error', CAST(x'ff41' AS TEXT))");

    let listed = world.ok(&["list", "--json"]);
    let status = world.ok(&["status", "1"]);
    let unit = world.fails(5, &["unit", "1:1"]);

    assert!(listed.contains("other") && listed.contains("\u{fffd}A"), "{listed}");
    assert!(status.contains("\u{fffd}A"), "{status}");
    assert!(unit.contains("1:1") && unit.contains("error"), "{unit}");
}

#[test]
fn fault_331_a_sync_names_the_unit_whose_bytes_are_no_text() {
    needs_file!("SQLite keeps bytes that are no text");
    let world = World::new();
    std::fs::write(world.path("names"), "a\nb\n").unwrap();
    world.ok(&["create", "-q", "--lines", "names", "--", "echo", "{}"]);
    damage(&world, "UPDATE units SET payload = CAST(x'22ff22' AS TEXT) WHERE seq = 2");

    let said = world.fails(5, &["sync", "1", "--lines", "names"]);

    assert!(said.contains("unit 1:2") && said.contains("payload"), "{said}");
}

#[test]
fn fault_331_bytes_in_the_column_of_what_a_unit_wrote_are_what_it_wrote() {
    needs_file!("SQLite keeps bytes that are no text");
    let world = World::new();
    world.run(&["run", "-q", "--", "false", ":::", "a", "b"]);
    damage(&world, "UPDATE units SET stdout = CAST(x'61ff0a' AS TEXT), stderr = CAST(x'fe' AS TEXT) WHERE seq = 1");

    let units = world.ok(&["units", "1", "--json"]);
    let log = world.run(&["logs", "1:1"]);

    assert!(units.contains("\"seq\":2"), "{units}");
    assert_eq!(log.stdout, b"a\xff\n");
}

/// Makes a job of five units of which one row is damaged.
fn with_damaged_unit(change: &str) -> World {
    let world = World::new();
    world.ok(&["create", "-q", "-j", "2", "--range", "1-5", "--unit-key", "{}", "--", "true"]);
    damage(&world, change);
    world
}

#[test]
fn fault_336_a_unit_whose_row_holds_bytes_that_are_no_text_fails_by_name_and_the_others_run() {
    needs_file!("SQLite keeps bytes that are no text");
    for (column, table, change) in [
        ("payload", "units", "UPDATE units SET payload = CAST(x'22ff22' AS TEXT) WHERE seq = 3"),
        ("key", "units", "UPDATE units SET key = CAST(x'ff' AS TEXT) WHERE seq = 3"),
        (
            "checkpoint",
            "unit_notes",
            "INSERT INTO unit_notes (unit_id, checkpoint) SELECT id, CAST(x'ff' AS TEXT) FROM units WHERE seq = 3; \
             UPDATE units SET not_before = 1 WHERE seq = 3",
        ),
    ] {
        let world = with_damaged_unit(change);

        world.ok(&["start", "1"]);
        world.fails(10, &["wait", "1"]);
        let progress = world.status("1")["progress"].clone();
        let failures = world.ok(&["failures", "1", "--json"]);

        assert_eq!((&progress["completed"], &progress["failed"]), (&4.into(), &1.into()), "{column}: {progress}");
        assert!(failures.contains("unit 1:3") && failures.contains(column) && failures.contains(table), "{failures}");
        assert_eq!(world.count("(SELECT count(*) FROM units WHERE seq = 3 AND status = 'failed')"), 1);
    }
}

#[test]
fn fault_336_counters_of_a_unit_that_cannot_be_counted_on_from_end_the_job_by_name() {
    for (column, value) in [("attempts", "-1"), ("crashes", "4294967295")] {
        let world = with_damaged_unit(&format!("UPDATE units SET {column} = {value} WHERE seq = 3"));

        world.ok(&["start", "1"]);
        world.fails(10, &["wait", "1"]);

        let error = world.status("1")["error"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains("unit 1:3") && error.contains(column) && error.contains(value), "{error}");
        assert!(!world.ok(&["logs", "--manager", "1"]).contains("panic"));
        let units = text(&world.run(&["units", "1"]).stderr);
        assert!(units.contains("unit 1:3") && units.contains(column), "{units}");
    }
}

#[test]
fn fault_336_a_unit_that_ran_when_its_manager_died_and_whose_payload_is_no_text_now_hinders_no_recovery() {
    needs_file!("SQLite keeps bytes that are no text");
    let world = World::new();
    let wait = "until [ -e go ]; do sleep 0.05; done";
    let job = world.ok(&["submit", "-q", "-j", "2", "--backoff", "1ms", "--range", "1-3", "--", "sh", "-c", wait]);
    crate::support::wait_for(&world, "two units to run", || world.status(&job)["progress"]["running"] == 2);
    world.kill_manager(&job);
    damage(&world, "UPDATE units SET payload = CAST(x'ff' AS TEXT) WHERE seq = 1");
    world.write("go", "");

    world.ok(&["resume", &job]);
    world.fails(10, &["wait", &job]);

    let progress = world.status(&job)["progress"].clone();
    assert_eq!((&progress["completed"], &progress["failed"]), (&2.into(), &1.into()), "{progress}");
    assert!(world.ok(&["failures", &job, "--json"]).contains("unit 1:1"));
}

#[test]
fn fault_336_bytes_that_are_no_text_hinder_no_search_and_no_page_of_jobs() {
    needs_file!("SQLite keeps bytes that are no text");
    let world = with_damaged_unit("UPDATE units SET payload = CAST(x'ff' AS TEXT) WHERE seq = 3");
    world.ok(&["create", "-q", "--name", "other", "--", "true"]);
    damage(&world, "UPDATE jobs SET hold_until = 1, hold_reason = CAST(x'ff' AS TEXT) WHERE id = 1");

    let found = world.ok(&["units", "1", "--match", "^4$", "-q"]);
    let skipped = world.ok(&["skip", "1", "--match", "^5$", "--json"]);
    let listed = world.ok(&["list", "-q"]);

    assert_eq!((found.as_str(), listed.as_str()), ("4", "2\n1"));
    assert!(skipped.contains("\"units_changed\":1"), "{skipped}");
}
