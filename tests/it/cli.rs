//! The command line as a new user meets it: exit codes, refusals, formats.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{World, exists, on_server, text};

#[test]
fn a_batch_runs_from_source_to_results() {
    let world = World::new();

    let ran = world.run(&["run", "-j", "2", "--name", "greet", "--", "echo", "hello {}", ":::", "a", "b c", "d\"e"]);
    let results = world.ok(&["results"]);

    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert!(text(&ran.stdout).starts_with("job 1 (greet) completed: 3 of 3 completed"), "{}", text(&ran.stdout));
    let results: Vec<Value> = results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<&str> = results.iter().map(|line| line["result"].as_str().unwrap()).collect();
    assert_eq!(said, ["hello a", "hello b c", "hello d\"e"]);
    world.assert_sound("1");
}

#[test]
fn fields_of_csv_and_jsonl_reach_the_command() {
    let world = World::new();
    let csv = world.write("people.csv", "name,age\nAda,36\n\"Byron, Lord\",35\n");
    let jsonl = world.write("people.jsonl", "{\"name\":\"Ada\",\"born\":{\"year\":1815}}\n");

    world.ok(&["run", "-q", "--csv", csv.to_str().unwrap(), "--", "echo", "{name}={age}"]);
    let of_csv = world.ok(&["logs"]);
    world.ok(&["run", "-q", "--jsonl", jsonl.to_str().unwrap(), "--", "echo", "{name} {born.year}"]);
    let of_jsonl = world.ok(&["logs"]);

    assert_eq!(of_csv, "Ada=36\nByron, Lord=35");
    assert_eq!(of_jsonl, "Ada 1815");
}

#[test]
fn bad_input_is_refused_before_anything_is_created() {
    let world = World::new();
    let bad_csv = world.write("bad.csv", "a,b\n1,2\n3\n");
    let bad_jsonl = world.write("bad.jsonl", "{\"a\":1}\n\n{oops\n");
    let empty = world.write("empty", "");
    world.write("data", "not a program");

    world.fails(127, &["submit", "--", "no-such-program-here", "{}", ":::", "a"]);
    world.fails(126, &["submit", "--", "./data", ":::", "a"]);
    world.fails(2, &["submit", "--lines", "missing", "--", "echo", "{}"]);
    let csv = world.fails(2, &["submit", "--csv", bad_csv.to_str().unwrap(), "--", "echo", "{a}"]);
    let jsonl = world.fails(2, &["submit", "--jsonl", bad_jsonl.to_str().unwrap(), "--", "echo", "{a}"]);
    world.fails(3, &["submit", "--lines", empty.to_str().unwrap(), "--", "echo", "{}"]);
    let placeholder = world.fails(2, &["submit", "--", "echo", "{nope}", ":::", "a"]);
    world.fails(2, &["submit", ":::", "a"]);
    world.fails(2, &["submit", "-j", "0", "--", "true", ":::", "a"]);

    assert!(csv.contains("bad.csv:3"), "{csv}");
    assert!(jsonl.contains("bad.jsonl:3"), "{jsonl}");
    assert!(placeholder.contains("nope"), "{placeholder}");
    let jobs = world.run(&["list", "-q"]);
    assert!(text(&jobs.stdout).is_empty(), "a refused job was created");
}

#[test]
fn a_job_without_a_name_or_with_too_long_a_one_is_a_usage_error() {
    let world = World::new();
    let long = "x".repeat(256);

    for (flags, said) in [
        (["--name", ""], "a value is required"),
        (["--name", &long], "the name of the job has 256 bytes"),
        (["--key", ""], "a value is required"),
    ] {
        let refused = world.fails(2, &["create", flags[0], flags[1], "--", "true"]);
        assert!(refused.contains(said), "{refused}");
    }
    assert!(!exists(&world.db()));
}

#[test]
fn a_missing_database_is_not_created_by_looking() {
    let world = World::new();
    let missing = if on_server() { "there are no jobs in the PostgreSQL database" } else { "no database at" };

    for verb in ["list", "status", "units", "start", "stop", "cancel", "wait", "results", "logs", "resume"] {
        let said = world.fails(3, &[verb]);
        assert!(said.contains(missing), "{verb}: {said}");
    }

    assert!(!exists(&world.db()));
}

#[test]
fn unknown_jobs_and_wrong_states_have_their_exit_codes() {
    let world = World::new();
    world.ok(&["run", "-q", "--", "true"]);

    world.fails(3, &["status", "17"]);
    world.fails(3, &["unit", "1:99"]);
    world.fails(4, &["resume", "1"]);
    world.fails(4, &["stop", "1"]);
    world.fails(4, &["cancel", "1"]);
    world.fails(3, &["retry", "1", "--failed"]);
    // Without a filter it is about those that failed.
    world.fails(3, &["retry", "1"]);
    world.fails(2, &["rm", "1"]);
    let missing: Value = serde_json::from_slice(&world.run(&["status", "17", "--json"]).stdout).unwrap();

    assert_eq!(missing["status"], "not_found");
}

#[test]
fn a_failed_unit_fails_the_job_and_can_be_retried() {
    let world = World::new();
    let script = "test {} != b || test -e fixed";

    let ran =
        world.run(&["run", "-q", "--max-attempts", "2", "--backoff", "10ms", "--shell", "--", script, ":::", "a", "b"]);
    let failed = world.units("1")[1].clone();
    let attempts: Value = serde_json::from_str(&world.ok(&["unit", "1:2", "--json"])).unwrap();
    world.write("fixed", "");
    let retried = world.ok(&["retry", "--no-start", "1", "--failed"]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(ran.status.code(), Some(10));
    assert_eq!((failed["status"].as_str(), failed["attempts"].as_u64()), (Some("failed"), Some(2)));
    assert_eq!(failed["error"], "exited with code 1");
    assert_eq!(attempts["attempts_not_completed"].as_array().unwrap().len(), 2);
    assert_eq!(retried, "1 unit pending again");
    assert_eq!(world.status("1")["job_status"], "completed");
    world.assert_sound("1");
}

#[test]
fn the_same_key_is_the_same_job() {
    let world = World::new();

    let first = world.ok(&["submit", "--key", "nightly", "--", "true", ":::", "a", "b"]);
    let second = world.ok(&["submit", "--key", "nightly", "--", "true", ":::", "c"]);

    assert_eq!(first, second);
    assert_eq!(world.status(&first)["progress"]["total"], 2);
}

#[test]
fn an_output_that_is_too_long_is_cut_in_the_middle() {
    let world = World::new();

    world.ok(&["run", "-q", "--shell", "--", "echo first; head -c 300000 /dev/zero | tr '\\0' x; echo; echo last"]);
    let log = world.ok(&["logs", "1:1"]);

    assert!(log.starts_with("first\n") && log.ends_with("\nlast"), "{} bytes", log.len());
    assert!(log.contains("bytes omitted"));
    assert!(log.len() < 70_000);
}

#[test]
fn rm_deletes_a_job_with_its_files_and_never_reuses_its_number() {
    let world = World::new();
    world.ok(&["run", "-q", "--", "true"]);

    let said = world.ok(&["rm", "1", "-y"]);
    world.ok(&["run", "-q", "--", "true"]);

    assert_eq!(said, "1 unit deleted");
    assert!(!exists(&world.path("jobs.db.d/1")));
    assert_eq!(world.ok(&["list", "-q"]), "2");
    assert_eq!(world.count("(SELECT count(*) FROM units)"), 1);
}

#[test]
fn a_cancelled_job_ends_its_units_and_exits_with_11() {
    let world = World::new();
    let job = world.ok(&["submit", "-j", "2", "--", "sleep", "600", ":::", "a", "b", "c"]);
    crate::support::wait_for(&world, "two running units", || world.status(&job)["progress"]["running"] == 2);

    let said = world.ok(&["cancel", &job]);
    let waited = world.run(&["wait", &job]);

    assert_eq!(said, "3 units cancelled");
    assert_eq!(waited.status.code(), Some(11));
    world.assert_sound(&job);
    world.assert_no_process_left();
}

#[test]
fn a_pipe_that_closes_early_is_no_error() {
    let world = World::new();
    let numbers = world.numbers(3000);
    world.ok(&["create", "--lines", &numbers, "--", "true"]);

    let ran = world.sh("\"$BIN\" results | head -1; \"$BIN\" units --limit 3000 | head -1");

    assert!(ran.status.success());
    assert_eq!(text(&ran.stderr), "");
}

#[test]
fn dry_run_prints_commands_that_a_shell_would_read_back() {
    let world = World::new();

    let printed = world.ok(&["submit", "--dry-run", "--", "echo", "{}", "{#}", ":::", "it's", "plain"]);

    assert_eq!(printed, "echo 'it'\\''s' 1\necho plain 2");
    assert!(!exists(&world.db()));
}

#[test]
fn items_come_from_standard_input_separated_by_nul_if_asked() {
    let world = World::new();

    let ran = world.sh("printf 'a\\nb\\0c\\0' | \"$BIN\" run -q --null - -- printf '<%s>' {}");

    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_eq!(world.units("1").iter().map(|unit| unit["payload"].clone()).collect::<Vec<_>>(), ["a\nb", "c"]);
}

#[test]
fn settings_that_cannot_be_read_are_an_error_by_name_and_no_default() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);
    world.sql("UPDATE specs SET spec = '7'");

    for args in [&["set", "1", "timeout=3s"][..], &["logs", "1:1"], &["unit", "1:1"], &["results"], &["start", "1"]] {
        let output = world.job_manager(args).stderr(Stdio::piped()).output().unwrap();

        let said = text(&output.stderr);
        assert!(said.contains("error: cannot read job 1: its spec is"), "{args:?}: {said}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(5), String::new()), "{args:?}");
    }
}

#[test]
fn results_can_be_read_as_csv() {
    let world = World::new();
    world.ok(&["run", "-q", "--", "echo", "{},{}", ":::", "a"]);

    let csv = world.ok(&["results", "--format", "csv"]);

    let (header, row) = csv.split_once('\n').unwrap();
    assert_eq!(header, "seq,key,status,item,result,error,exit_code,seconds");
    assert!(row.starts_with("1,,completed,a,\"a,a\",,0,0."), "{row}");
}

#[test]
fn a_run_without_a_terminal_draws_no_bar() {
    let world = World::new();

    let ran = world.job_manager(&["run", "--", "true"]).stderr(Stdio::piped()).output().unwrap();

    assert!(!text(&ran.stderr).contains('\u{1b}') && !text(&ran.stderr).contains('\r'));
}

#[test]
fn doctor_finds_an_interrupted_job() {
    let world = World::new();
    let job = world.ok(&["submit", "--", "sleep", "600"]);

    let healthy = world.ok(&["doctor"]);
    world.kill_manager(&job);
    let hurt = world.ok(&["doctor"]);

    assert!(healthy.contains("none interrupted"), "{healthy}");
    assert!(hurt.contains("interrupted: 1"), "{hurt}");
}

#[test]
fn jobs_are_found_by_their_labels() {
    let world = World::new();
    world.ok(&["create", "-q", "--label", "team=web", "--label", "night=1", "--", "true"]);
    world.ok(&["create", "-q", "--label", "team=data", "--", "true"]);

    assert_eq!(world.ok(&["list", "-q", "--label", "team=web"]), "1");
    assert_eq!(world.ok(&["list", "-q", "--label", "team=none"]), "");
    assert_eq!(world.status("1")["labels"]["night"], "1");
    world.fails(2, &["create", "-q", "--label", "team", "--", "true"]);
}

#[test]
fn a_job_that_runs_already_can_be_watched_to_its_end() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--", "sleep", "0.3"]);

    let said = world.ok(&["watch", &job]);

    assert!(said.starts_with("job 1 (sleep) completed: 1 of 1 completed"), "{said}");
}

#[test]
fn with_json_an_error_is_one_document_on_standard_error() {
    let world = World::new();
    world.ok(&["create", "--name", "idle", "--", "true", ":::", "a"]);
    let table: [(&[&str], &str, i64); 11] = [
        (&["--json"], "invalid_input", 2),
        (&["--json", "unit-checkpoint"], "invalid_input", 2),
        (&["--json", "create", "--json", "no-such-file", "--", "echo", "{}"], "invalid_input", 2),
        (&["create", "--json", "--json", "no-such-file", "--", "echo", "{}"], "invalid_input", 2),
        (&["--json", "nonsense"], "invalid_input", 2),
        (&["explain", "7", "--json"], "not_found", 3),
        (&["--json", "logs", "1:9"], "not_found", 3),
        (&["stop", "1", "--json", "--nonsense"], "invalid_input", 2),
        (&["approve", "1", "--json"], "conflict", 4),
        (&["create", "--json", "--", "no-such-program-here", ":::", "a"], "command_not_found", 127),
        (&["status", "--db", "/dev/null", "--json"], "database", 5),
    ];

    for (arguments, kind, code) in table {
        let ran = world.run(arguments);

        let said = text(&ran.stderr);
        let document: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?}: {said}"));
        assert_eq!(i64::from(ran.status.code().unwrap()), code, "{arguments:?}: {said}");
        assert_eq!(document["schema"], 1);
        assert_eq!(document["error"]["kind"], kind, "{said}");
        assert_eq!(document["error"]["exit_code"], code, "{said}");
        assert!(!document["error"]["message"].as_str().unwrap().is_empty(), "{said}");
        assert!(document["error"]["caused_by"].is_array() && document["error"].get("next").is_some(), "{said}");
        assert!(ran.stdout.is_empty(), "{arguments:?}");
    }
}
