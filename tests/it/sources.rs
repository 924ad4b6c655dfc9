//! Where units come from: every source, in turn, and what is said when one of them is wrong.

use std::fs;

#[cfg(feature = "mcp")]
use crate::support::Host;
use crate::support::{World, exists, needs_file, text};

#[test]
fn several_sources_are_taken_in_the_order_given_up_to_the_limit() {
    needs_file!("its rows are a source");
    let world = World::new();
    world.write("lines", "l1\nl2\n");
    world.write("a.json", r#"{"big": [[1], "]"], "a": {"b": [10, 11]}}"#);
    world.write("g1", "");
    world.write("g2", "");
    let sources = [
        "--range",
        "1-3:2",
        "--json",
        "a.json",
        "--glob",
        "g2",
        "--lines",
        "lines",
        "--path",
        "a.b",
        "--glob",
        "g*",
        "--sql",
        "jobs.db",
        "SELECT count(*) AS n FROM jobs",
        "--range",
        "7-9",
        "--limit",
        "11",
    ];
    world.ok(&["create", "--", "true"]);

    let printed =
        world.ok(&[&["submit", "--dry-run", "100"], &sources[..], &["--", "echo", "{}", ":::", "x"]].concat());

    let items: Vec<&str> = printed.lines().map(|line| line.strip_prefix("echo ").unwrap()).collect();
    assert_eq!(items, ["1", "3", "10", "11", "g2", "l1", "l2", "g1", "g2", "'{\"n\":1}'", "7"]);
}

#[test]
fn lines_of_a_file_are_commands() {
    let world = World::new();
    world.write("-x", "#!/bin/sh\necho \"found by name\"");
    world.write("commands", "# comment\n\necho 'a  b' {} $((1 + 2)) | tr a-z A-Z\r\nPATH=.:$PATH; chmod +x ./-x\n-x\n");

    let printed = world.ok(&["run", "--commands", "commands", "--dry-run", "1"]);
    let ran = world
        .job_manager(&["run", "-q", "-j", "1", "--max-attempts", "1", "--commands", "commands"])
        .env("PATH", format!(".:{}", std::env::var("PATH").unwrap()))
        .output()
        .unwrap();

    assert_eq!(printed, r"/bin/sh -c -- 'echo '\''a  b'\'' {} $((1 + 2)) | tr a-z A-Z'");
    assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), world.ok(&["units"]));
    let said: Vec<String> =
        world.units("1").iter().map(|unit| unit["stdout"].as_str().unwrap_or("").to_owned()).collect();
    assert_eq!(said, ["A  B {} 3\n", "", "found by name\n"]);
    assert_eq!(world.status("1")["job"]["name"], "commands");
}

#[test]
fn commands_are_added_to_a_job_of_commands_and_items_to_a_job_of_items() {
    let world = World::new();
    world.write("commands", "echo a\necho b\n");
    world.ok(&["create", "-q", "--commands", "commands"]);
    world.ok(&["create", "-q", "--", "echo", "{}", ":::", "a"]);

    let items = world.fails(2, &["add", "1", "--", ":::", "echo c"]);
    let lines = world.fails(2, &["sync", "1", "--lines", "commands"]);
    let commands = world.fails(2, &["add", "2", "--commands", "commands"]);
    world.ok(&["add", "1", "--commands", "commands"]);

    assert!(items.contains("job 1 takes whole commands, and these are items"), "{items}");
    assert!(lines.contains("job 1 takes whole commands"), "{lines}");
    assert!(commands.contains("job 2 takes items, and these are whole commands"), "{commands}");
    assert_eq!([world.units("1").len(), world.units("2").len()], [4, 1]);
}

#[test]
fn rows_of_a_running_jobs_database_are_read_and_the_database_is_left_as_it_is() {
    needs_file!("its rows are a source");
    let world = World::new();
    world.ok(&["run", "-q", "--", "true", ":::", "a", "b"]);
    let other = world.path("other.db");

    world.ok(&["run", "-q", "--sql", "jobs.db", "SELECT payload AS item FROM units", "--", "echo", "{item}"]);
    let written =
        world.fails(2, &["submit", "--sql", "jobs.db", "DELETE FROM units RETURNING id", "--", "echo", "{id}"]);
    let missing = world.fails(2, &["submit", "--sql", "other.db", "SELECT 1 AS a", "--", "echo", "{a}"]);

    assert_eq!(world.ok(&["logs", "2"]), "\"a\"\n\"b\"");
    assert!(written.contains("a query begins with SELECT"), "{written}");
    assert!(missing.contains("no database at other.db"), "{missing}");
    assert!(!exists(&other));
    world.assert_sound("1");
}

#[test]
fn what_is_wrong_with_a_source_is_said_with_its_place_before_anything_is_created() {
    let world = World::new();
    world.write("lines", "fine\n");
    fs::write(world.path("bad-lines"), b"fine\n\0\n").unwrap();
    world.write("cut.json", "{\"a\": [1,\n2");
    world.write("deep.jsonl", &format!("1\n{}{}\n", "[".repeat(101), "]".repeat(101)));
    world.write("long", &format!("fine\n{}\n", "x".repeat(128 * 1024)));

    for (args, words) in [
        (&["--commands", "bad-lines"][..], "bad-lines:2: a NUL byte at byte 1"),
        (&["--commands", "long"], "long:2: cannot use the command for this item"),
        (&["--commands", "lines", "--lines", "lines"], "no other source"),
        (&["--commands", "lines", "--", "echo"], "--commands"),
        (&["--json", "cut.json", "--path", "a", "--", "echo", "{}"], "cut.json:2: not a JSON document"),
        (&["--json", "cut.json", "--path", "b", "--", "echo", "{}"], "cut.json:2: not a JSON document"),
        (&["--path", "a", "--", "echo", "{}", ":::", "x"], "--json FILE"),
        (&["--jsonl", "deep.jsonl", "--", "echo", "{}"], "deep.jsonl:2: a JSON document may nest at most 100 levels"),
        (&["--sql", "none.db", "SELECT 1 AS a", "--", "echo", "{a}"], "no database at none.db"),
        (&["--sql", "lines", "SELECT 1 AS a", "--", "echo", "{a}"], "cannot open lines to read it"),
        (&["--range", "9-1", "--", "echo", "{}"], "a range goes up, write 1-9"),
        (&["--range", "1-9999999999", "--", "echo", "{}"], "at most 4294967295 units"),
        (&["--lines", "-", "-", "--", "echo", "{}"], "standard input can be read once"),
        (&["--range", "1-2", "--null", "--", "echo", "{}"], "--null requires --lines"),
        (&["--unit-key", "{}", "--lines", "long", "--", "true"], "long:2: "),
        (&["--range", "1-2", "--lines", "bad-lines", "--", "echo", "{}"], "bad-lines:2: a NUL byte at byte 1"),
    ] {
        let said = world.fails(2, &[&["submit"], args].concat());
        assert!(said.contains(words), "{args:?} said: {said}");
    }

    let jobs = world.run(&["list", "-q"]);
    assert!(text(&jobs.stdout).is_empty(), "a refused job was created");
}

#[test]
fn patterns_and_excludes_that_do_nothing_are_named_and_no_file_at_all_is_refused() {
    let world = World::new();
    world.write("a.jpg", "");
    let submit = ["submit", "--dry-run", "9", "--glob", "*.jpg", "--glob", "*.png", "--exclude", "*.tmp"];

    let some = world.job_manager(&submit).args(["--", "echo", "{}"]).output().unwrap();
    let none = world.fails(3, &["create", "--glob", "*.png", "--", "echo", "{}"]);

    assert_eq!(text(&some.stdout), "echo a.jpg\n");
    assert_eq!(
        text(&some.stderr),
        "no file matches \"*.png\"\nthe exclude \"*.tmp\" skipped nothing\nunits that would be created: 1\n"
    );
    assert!(none.contains("no file matches \"*.png\"") && none.contains("no units"), "{none}");
    assert!(!exists(&world.db()));
}

#[test]
fn a_source_without_items_is_named_and_can_be_allowed() {
    let world = World::new();
    for (file, content) in [("none", ""), ("blank", "\n\r\n"), ("head.csv", "id\n"), ("[].json", "[]"), ("one", "x\n")]
    {
        world.write(file, content);
    }
    let echo = ["--", "echo", "{}"];
    for (source, words) in [
        (&["--lines", "none"][..], "no units: none has no lines"),
        (&["--lines", "blank"], "no units: blank: 2 empty lines skipped; blank has no lines"),
        (&["--csv", "head.csv"], "head.csv has no records"),
        (&["--json", "[].json"], "the array in [].json has no elements"),
        (&["--jsonl", "none"], "none has no documents"),
        (&["--glob", "nothing*", "--lines", "none"], "no file matches \"nothing*\""),
        (&["--lines", "one", "--limit", "0"], "the limit is 0"),
    ] {
        for verb in [&["create"][..], &["run", "--dry-run"]] {
            let said = world.fails(3, &[verb, source, &echo].concat());
            assert!(said.contains(words) && said.contains("--allow-empty"), "{source:?} said: {said}");
        }
    }
    assert!(!exists(&world.db()));

    let run = world.run(
        &[&["run", "--allow-empty", "--lines", "none", "--then", "echo all of $JOB_MANAGER_TOTAL"], &echo[..]].concat(),
    );
    assert!(run.status.success(), "{}", text(&run.stderr));
    assert_eq!(world.status("1")["job_status"], "completed");
    assert_eq!(world.ok(&["logs", "1"]), "all of 0");
    world.ok(&["run", "-q", "--allow-empty", "--range", "1-2", "--lines", "none", "--", "true"]);
    assert_eq!(world.status("2")["progress"]["total"], 2);

    world.fails(3, &["add", "2", "--lines", "none"]);
    world.fails(3, &["sync", "2", "--lines", "none"]);
    assert!(world.ok(&["add", "2", "--lines", "none", "--allow-empty"]).starts_with("0 units"));
    world.assert_sound("1");
}

#[test]
fn what_a_source_skipped_is_said() {
    let world = World::new();
    world.write("list", "\u{feff}a\n\nb\r\n\n");
    world.write("twice.csv", "id,id\n1,2\n");

    let created = world.run(&["create", "--lines", "list", "--", "echo", "{}"]);
    let added = world.run(&["add", "1", "--lines", "list"]);
    let csv = world.run(&["submit", "--dry-run", "--csv", "twice.csv", "--", "echo", "{}"]);

    assert!(text(&created.stderr).contains("list: 2 empty lines skipped"), "{}", text(&created.stderr));
    assert!(text(&added.stderr).contains("list: 2 empty lines skipped"), "{}", text(&added.stderr));
    assert!(text(&csv.stderr).contains("called \"id (column 1)\" here"), "{}", text(&csv.stderr));
    let payloads: Vec<String> = world.units("1").iter().map(|unit| unit["payload"].to_string()).collect();
    assert_eq!(payloads, [r#""a""#, r#""b""#, r#""a""#, r#""b""#]);
}

#[test]
fn records_of_one_field_that_show_another_delimiter_are_remarked_on_by_everybody_who_reads_them() {
    let world = World::new();
    world.write("e.csv", "a\n1;2\n3;4\n");
    let said = "e.csv: each record is one field with ';' in it: if that separates fields, give --delimiter ';'";
    let source = ["--csv", "e.csv"];
    let command = ["--", "echo", "{a}"];

    for verb in [&["submit", "--dry-run"][..], &["create"], &["run"], &["submit"]] {
        let done = world.run(&[verb, &source, &command].concat());
        assert!(done.status.success() && text(&done.stderr).contains(said), "{verb:?}: {}", text(&done.stderr));
    }
    for verb in [&["add", "1"][..], &["sync", "1", "--dry-run"], &["sync", "1"]] {
        let done = world.run(&[verb, &source].concat());
        assert!(done.status.success() && text(&done.stderr).contains(said), "{verb:?}: {}", text(&done.stderr));
    }
}

#[test]
#[cfg(feature = "mcp")]
fn records_of_one_field_that_show_another_delimiter_are_remarked_on_to_a_model() {
    let world = World::new();
    let file = world.write("e.csv", "a\n1;2\n3;4\n");
    let mut host = Host::new(&world);

    for tool in ["preview_batch", "start_batch"] {
        let done = host.ok(tool, serde_json::json!({ "command": ["echo", "{a}"], "csv_file": file }));
        assert!(done["warnings"].to_string().contains("give csv_delimiter ';'"), "{tool}: {done}");
    }
}

#[test]
fn a_second_value_for_one_thing_is_refused_and_not_dropped() {
    let world = World::new();

    let labels = world.fails(2, &["create", "--label", "team=a", "--label", "team=b", "--", "true"]);
    assert!(!exists(&world.db()));
    world.ok(&["create", "--label", "team=a", "--label", "team=a", "--", "true"]);
    let limits = world.fails(2, &["set", "1", "rate=1/s", "max-attempts=3", "rate=2/s"]);

    for contrary in [["--retry-on", "75", "--exit", "75=fail"], ["--retry-on", "75", "--exit", "3=retry"]] {
        let codes = world.fails(2, &[&["create"], &contrary[..], &["--", "true"]].concat());
        assert!(codes.contains("do not agree whether exit code"), "{codes}");
    }
    world.ok(&["create", "--retry-on", "75", "--exit", "75=retry,65=fail,79=pause:2s", "--", "true"]);
    world.fails(2, &["create", "--at-most-once", "--retry-on", "75", "--", "true"]);
    assert!(labels.contains("the label \"team\" is given two values"), "{labels}");
    assert!(limits.contains("the limit rate is given two values"), "{limits}");
}

#[test]
fn a_dry_run_without_a_number_leaves_the_source_behind_it_alone() {
    let world = World::new();
    world.write("items", "a\nb\n");

    let mut run = world.job_manager(&["run", "--dry-run", "-", "--", "echo", "{}"]);
    let printed = run.stdin(fs::File::open(world.path("items")).unwrap()).output().unwrap();

    assert_eq!(text(&printed.stdout), "echo a\necho b\n", "{}", text(&printed.stderr));
}
