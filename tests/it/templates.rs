//! What a command line says of an item happens exactly, or is refused before anything is created.

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;

use crate::support::{Host, World, exists, text};

/// A world with a directory that a careless command would delete.
fn world() -> World {
    let world = World::new();
    fs::create_dir_all(world.path("victim/inner")).unwrap();
    world
}

fn assert_untouched(world: &World) {
    assert!(exists(&world.path("victim/inner")), "the directory is gone");
    assert!(!exists(&world.db()), "something was created");
}

#[test]
fn without_items_nothing_runs_that_stands_for_one() {
    let world = world();
    for job in [
        &["--", "rm", "-r", "victim/{}"][..],
        &["--", "rm", "-r", "{}"],
        &["--", "rm", "-r", "victim/{/.}"],
        &["--", "rm", "-r", "victim/{name}"],
        &["--", "rm", "-r", "victim/{1}"],
        &["--", "rm", "-r", "victim/{:-}"],
        &["--shell", "--", "rm -r victim/{}"],
        &["--creates", "victim/{}", "--", "true"],
        &["--cwd", "victim/{}", "--", "true"],
        &["--env", "A={}", "--", "true"],
        &["--unit-key", "{}", "--", "true"],
    ] {
        for verb in [&["run"][..], &["submit"], &["create"], &["run", "--dry-run"]] {
            let said = world.fails(2, &[verb, job].concat());

            assert!(
                said.contains("no items for {")
                    && said.contains("`-` reads standard input, `:::` takes them from here"),
                "{verb:?} {job:?}: {said}"
            );
            assert_untouched(&world);
        }
    }
    let said = world.fails(2, &["run", "--stdin", "item", "--", "cat"]);
    assert!(said.contains("no items for standard input"), "{said}");
    world.ok(&["run", "-q", "-j", "1", "--", "test", "{#}-{%:02}", "=", "1-01"]);
}

#[test]
fn bytes_on_a_standard_input_that_is_not_read_are_said_and_others_are_not() {
    const HINT: &str = "standard input holds bytes that were not read";
    let world = World::new();
    world.write("items", "a\n");
    let said = |args: &[&str], input: Stdio| text(&world.job_manager(args).stdin(input).output().unwrap().stderr);
    let file = || Stdio::from(File::open(world.path("items")).unwrap());
    let pipe = |content: &[u8]| {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(content).unwrap();
        (Stdio::from(reader), writer)
    };

    assert!(said(&["create", "--", "true"], file()).contains(HINT));
    let (filled, _writer) = pipe(b"a\n");
    assert!(said(&["create", "--", "echo", "{}", ":::", "x"], filled).contains(HINT));
    let (open, _writer) = pipe(b"");
    assert!(!said(&["create", "--", "true"], open).contains(HINT));
    let (ended, writer) = pipe(b"");
    drop(writer);
    assert!(!said(&["create", "--", "true"], ended).contains(HINT));
    assert!(!said(&["create", "--", "true"], Stdio::null()).contains(HINT));
    assert!(!said(&["create", "-", "--", "echo", "{}"], file()).contains(HINT));
    assert!(!said(&["create", "--", "echo", "{}", "::::", "-"], file()).contains(HINT));
}

#[test]
fn an_empty_value_of_any_source_is_refused_inside_a_larger_word_with_its_place() {
    let world = world();
    world.write("nul", "a\0\0");
    world.write("csv", "name,other\na,x\n,y\n");
    world.write("jsonl", "{\"name\":\"a\"}\n{\"name\":\"\"}\n");
    world.write("null", "{\"name\":\"a\"}\n{\"name\":null}\n");
    world.write("json", "[{\"name\":\"a\"},{\"name\":\"\"}]");
    let mut foreign = SqliteConnection::establish(world.path("foreign.db").to_str().unwrap()).unwrap();
    foreign.batch_execute("CREATE TABLE t (name TEXT); INSERT INTO t VALUES ('a'), (NULL)").unwrap();
    drop(foreign);

    for (source, place) in [
        (&["--lines", "nul", "--null"][..], "nul:2"),
        (&["--csv", "csv"], "csv:3"),
        (&["--jsonl", "jsonl"], "jsonl:2"),
        (&["--jsonl", "null"], "null:2"),
        (&["--json", "json"], "json, element 2"),
        (&["--sql", "foreign.db", "SELECT name FROM t ORDER BY rowid"], "foreign.db, row 2"),
    ] {
        let field = if source[0] == "--lines" { "" } else { "name" };
        let word = format!("victim/{{{field}}}");
        for rest in [
            vec!["--", "rm", "-r", &word],
            vec!["--shell", "--", &format!("rm -r {word}")],
            vec!["--shell", "--", &format!("rm -r \"{word}\"")],
            vec!["--creates", &word, "--", "true"],
            vec!["--cwd", &word, "--", "true"],
            vec!["--env", &format!("A={word}"), "--", "true"],
            vec!["--unit-key", &word, "--", "true"],
        ] {
            let said = world.fails(2, &[&["submit"], source, &rest].concat());

            assert!(said.contains(place), "{source:?} {rest:?}: {said}");
            assert!(said.contains(&format!("{{{field}}} is ")), "{source:?} {rest:?}: {said}");
            assert!(exists(&world.path("victim/inner")), "the directory is gone");
            assert_eq!(world.count("(SELECT count(*) FROM jobs)"), 0, "{source:?} {rest:?}");
        }
        let allowed = format!("<{{{field}:-none}}>");
        let printed = world.ok(&[&["run", "--dry-run"], source, &["--", "echo", &allowed]].concat());
        assert_eq!(printed, "echo '<a>'\necho '<none>'");
    }
    let said = world.fails(2, &["submit", "--", "rm", "-r", "victim/{}", ":::", "a", ""]);
    assert!(said.contains("argument 2") && said.contains("{} is empty inside a larger word"), "{said}");
    let said = world.fails(2, &["submit", "--", "mv", "{}", "x.{ext}", ":::", "a.b", "README"]);
    assert!(said.contains("argument 2") && said.contains("{ext} is empty"), "{said}");
}

#[test]
fn units_that_come_later_are_held_to_the_same() {
    let world = world();
    let job = world.ok(&["create", "-q", "--", "rm", "-r", "victim/{}", ":::", "inner"]);
    for verb in ["add", "sync"] {
        let said = world.fails(2, &[verb, &job, "--", ":::", ""]);
        assert!(said.contains("argument 1") && said.contains("{} is empty"), "{said}");
    }

    // As a program of its own could write it.
    world.sql("UPDATE units SET payload = '\"\"'");
    let ran = world.run(&["start", &job]);

    assert!(ran.status.success(), "{}", text(&ran.stderr));
    world.wait_for_status(&job, "failed");
    assert!(exists(&world.path("victim/inner")), "the directory is gone");
    let unit = &world.units(&job)[0];
    assert!(unit["error"].as_str().unwrap().contains("{} is empty inside a larger word"), "{unit}");
}

#[test]
fn every_name_of_a_header_is_a_placeholder() {
    let world = World::new();
    world.write("data.csv", "File Name,Größe,a.b,#,note\nin/a b.tar.gz,1.0,x,7,\n");
    let rendered = |words: &[&str]| {
        world.ok(&[&["run", "--dry-run", "--csv", "data.csv", "--", "echo"], words].concat()).replacen("echo ", "", 1)
    };

    assert_eq!(rendered(&["{File Name}", "{Größe}", "{a.b}"]), "'in/a b.tar.gz' 1.0 x");
    assert_eq!(rendered(&["{File Name/.}", "{File Name/}", "{File Name//}"]), "'a b.tar' 'a b.tar.gz' in");
    assert_eq!(rendered(&["{File Name.ext}", "{2}", "{1/}"]), "gz 1.0 'a b.tar.gz'");
    assert_eq!(rendered(&["{#}", "{\"#\"}", "{#:05}"]), "1 7 00001");
    assert_eq!(rendered(&["{note:-none}", "{gone:-none}", "{Größe:json}", "{note}"]), "none none '\"1.0\"' ''");
}

#[test]
fn braces_that_are_no_placeholders_are_named_at_once_with_the_corrected_command() {
    let world = World::new();
    world.write("data.csv", "name,size\na,1\n");

    let said = world.fails(2, &["run", "--", "awk", "/[0-9]{3}/ {print $1}", "{}", ":::", "a"]);
    let script = world.fails(2, &["run", "--shell", "--", "awk '/[0-9]{3}/ {print $1}' {}", ":::", "a"]);
    let json = world.fails(2, &["run", "--", "curl", "-d", r#"{"id":"{}"}"#, ":::", "a"]);
    let field = world.fails(2, &["run", "--csv", "data.csv", "--", "echo", "{nmae}", "{x y}"]);
    let alone = world.fails(2, &["run", "--", "awk", "{print $1}", "file"]);

    assert!(said.contains("unknown placeholders {3} {print $1}, "), "{said}");
    assert!(said.contains("literal braces are doubled: -- awk '/[0-9]{{3}}/ {{print $1}}' '{}'"), "{said}");
    assert!(script.contains("unknown placeholders {3} {print $1}, ") && script.contains("{{print $1}}"), "{script}");
    assert!(json.contains(r#"-- curl -d '{{"id":"{}"}}'"#), "{json}");
    assert!(
        field.contains("unknown placeholders {nmae} {x y} (did you mean {name}?), known fields: name, size"),
        "{field}"
    );
    assert!(alone.contains("no items for {print $1}; ") && alone.contains("-- awk '{{print $1}}' file"), "{alone}");
    assert!(!exists(&world.db()));
}

#[test]
fn an_item_that_a_shell_would_read_as_code_is_warned_of() {
    let world = World::new();
    let said = |args: &[&str]| text(&world.run(args).stderr);

    for verb in [&["create"][..], &["run", "--dry-run"]] {
        let warned = said(&[verb, &["--", "sh", "-c", "echo {}", ":::", "a"]].concat());
        assert!(warned.contains("--shell") && warned.contains("\"$1\""), "{verb:?}: {warned}");
    }
    let remote = said(&["create", "--", "env", "ssh", "host", "cat {}", ":::", "a"]);
    assert!(remote.contains("{} becomes code that `ssh` runs"), "{remote}");
    let quoted = said(&["create", "--", "sh", "-c", "echo \"$1\"", "sh", "{}", ":::", "a"]);
    assert!(!quoted.contains("becomes code"), "{quoted}");
    world.write("commands", "echo a\n");
    assert!(!said(&["create", "--commands", "commands"]).contains("becomes code"));
}

#[test]
fn directory_and_variables_of_a_unit_are_made_of_its_item() {
    let world = World::new();
    fs::create_dir_all(world.path("d/a")).unwrap();
    fs::create_dir_all(world.path("d/b")).unwrap();
    let script = "printf '%s %s' \"${{PWD##*/}}\" \"$NAME\" >out";

    let job = world.ok(&[
        "run",
        "-q",
        "--cwd",
        "d/{}",
        "--env",
        "NAME=<{}>",
        "--creates",
        "out",
        "--",
        "sh",
        "-c",
        script,
        ":::",
        "a",
        "b",
    ]);

    assert_eq!(fs::read_to_string(world.path("d/a/out")).unwrap(), "a <a>");
    assert_eq!(fs::read_to_string(world.path("d/b/out")).unwrap(), "b <b>");
    assert_eq!(world.status(&job)["job_status"], "completed");
}

#[test]
fn a_directory_that_is_missing_is_refused_or_fails_its_unit_by_name() {
    let world = World::new();

    let said = world.fails(2, &["run", "--cwd", "nowhere", "--", "true"]);
    let placeholder = world.fails(2, &["run", "--output-dir", "out/{}", "--", "echo", "{}", ":::", "a"]);
    assert!(!exists(&world.db()));
    let ran = world.run(&["run", "--cwd", "no/{}", "--", "echo", "{}", ":::", "a"]);

    assert!(said.contains("no directory nowhere"), "{said}");
    assert!(placeholder.contains("--output-dir out/{}: a placeholder cannot stand there"), "{placeholder}");
    assert_eq!(ran.status.code(), Some(10));
    let error = world.units("last")[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("its working directory") && error.contains("no/a is missing"), "{error}");
}

#[test]
#[cfg(feature = "mcp")]
fn a_model_is_told_the_same_of_its_items() {
    let world = world();
    let mut host = Host::new(&world);

    for tool in ["start_batch", "preview_batch"] {
        let without = host.refused(tool, json!({ "command": ["rm", "-r", "victim/{}"] }));
        assert!(without.contains("no items for {}"), "{without}");
        let empty = host.refused(tool, json!({ "command": ["rm", "-r", "victim/{}"], "items": [""] }));
        assert!(empty.contains("{} is empty inside a larger word"), "{empty}");
        let unknown = host.refused(tool, json!({ "command": ["awk", "{print $1}"], "items": ["a"] }));
        assert!(unknown.contains("{{print $1}}"), "{unknown}");
        let pasted = host.ok(tool, json!({ "command": ["sh", "-c", "echo {}"], "items": ["a"] }));
        assert!(pasted["warnings"].to_string().contains("becomes code"), "{pasted}");
    }
    assert!(exists(&world.path("victim/inner")), "the directory is gone");
}
