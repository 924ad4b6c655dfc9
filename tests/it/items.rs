//! Items that a careless program would split, expand, run or cut off: from every source and through every placeholder
//! each is exactly one argument, or is refused with the reason.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::support::{World, exists, text};

/// What Linux takes as one argument, less the NUL after it.
const LONGEST: usize = 128 * 1024 - 1;

/// Values that are neither paths nor broken into lines, and of a length that a file name may have.
const ON_ONE_LINE: [&str; 22] = [
    "plain",
    " a  b ",
    "a\tb\t",
    "it's",
    "\"",
    "'\"'\"'",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "&& touch pwned",
    "${HOME}$HOME$0$$",
    "-rf",
    "--",
    "-",
    "--help=x",
    "*?[a-z]~!^",
    "\\n\\0\\\\",
    "{}{#}{{}}{x}",
    "%s%n%",
    "é€😀 e\u{301}\u{202e}\u{feff}",
    "\u{1b}[31m\u{7f}\u{1}",
    ":::",
];
/// Values that a source of lines cannot give.
const ON_SEVERAL_LINES: [&str; 5] = ["a\nb", "\n", "a\n", "\r\na\r", "'\n$(touch pwned)\n'"];

/// A world with a command that writes how many arguments it got and which, each ended by NUL.
fn world() -> World {
    let world = World::new();
    world.write("record", "printf '%s\\0' $# \"$@\" >\"out-$JOB_MANAGER_JOB-$JOB_MANAGER_UNIT\"\n");
    world
}

/// Runs `sh record` with arguments, and checks which ones reached it, unit by unit.
fn check(world: &World, source: &[&str], arguments: &[&str], expected: &[Vec<String>]) {
    check_command(world, source, &[&["sh", "record"], arguments].concat(), expected);
}

fn check_command(world: &World, source: &[&str], command: &[&str], expected: &[Vec<String>]) {
    let ran = world.run(&[&["run", "-j", "2", "--max-attempts", "1", "-q"], source, &["--"], command].concat());
    let job = text(&ran.stdout).trim().to_owned();

    assert!(ran.status.success(), "{source:?} {command:?}: {}{}", text(&ran.stderr), world.report());
    assert_arrived(world, &job, expected);
}

fn assert_arrived(world: &World, job: &str, expected: &[Vec<String>]) {
    for (index, arguments) in expected.iter().enumerate() {
        let written = fs::read(world.path(&format!("out-{job}-{}", index + 1))).unwrap();
        let mut wanted = format!("{}\0", arguments.len());
        arguments.iter().for_each(|argument| wanted.extend([argument.as_str(), "\0"]));
        assert_eq!(text(&written), wanted, "unit {} of job {job}", index + 1);
    }
    assert_eq!(world.status(job)["progress"]["completed"].as_u64(), Some(expected.len() as u64));
    assert!(!exists(&world.path("pwned")), "a value was run");
}

fn all() -> Vec<&'static str> {
    ON_ONE_LINE.into_iter().chain(ON_SEVERAL_LINES).collect()
}

fn alone(values: &[&str]) -> Vec<Vec<String>> {
    values.iter().map(|value| vec![(*value).to_owned()]).collect()
}

/// Returns the name of a file as it stands alone in a command, where a dash at its beginning would make it an option.
fn no_option(name: String) -> String {
    if name.starts_with('-') { format!("./{name}") } else { name }
}

fn json(value: &str) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn an_item_of_any_source_is_one_argument() {
    let world = world();
    let values = all();
    world.write("lines", &ON_ONE_LINE.map(|value| format!("{value}\n")).concat());
    world.write("nul", &[&values[..], &[""]].concat().iter().map(|value| format!("{value}\0")).collect::<String>());
    let documents: Vec<String> = values.iter().chain(&[""]).map(|value| json(value)).collect();
    world.write("jsonl", &documents.join("\n"));
    world.write("json", &format!("{{\"a\": {{\"b\": [{}]}}}}", documents.join(",\n ")));

    let with_empty = alone(&[&values[..], &[""]].concat());
    // After `:::` everything is an item, whatever it looks like, except the mark itself.
    let words: Vec<&str> = values.iter().copied().chain([""]).filter(|value| *value != ":::").collect();
    check_command(&world, &[], &[&["sh", "record", "{}", ":::"], &words[..]].concat(), &alone(&words));
    check(&world, &["--lines", "lines"], &["{}"], &alone(&ON_ONE_LINE));
    check(&world, &["--lines", "nul", "--null"], &["{}"], &with_empty);
    check(&world, &["--jsonl", "jsonl"], &["{}"], &with_empty);
    check(&world, &["--json", "json", "--path", "a.b"], &["{}"], &with_empty);
    check(&world, &["--range", "8-12:2"], &["{}"], &alone(&["8", "10", "12"]));
    let ran = world.sh("\"$BIN\" run -q --null - -- sh record {} <nul");

    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_arrived(&world, text(&ran.stdout).trim(), &with_empty);
}

#[test]
fn a_field_of_any_source_is_one_argument() {
    let world = world();
    let values = [&all()[..], &[""]].concat();
    let quoted = |value: &&str| format!("\"{}\",x\n", value.replace('"', "\"\""));
    world.write("csv", &format!("name,other\n{}", values.iter().map(quoted).collect::<String>()));
    let objects: Vec<String> = values.iter().map(|value| format!("{{\"name\": {}}}", json(value))).collect();
    world.write("jsonl", &objects.join("\n"));
    world.write("json", &format!("[{}]", objects.join(",")));
    let mut foreign = SqliteConnection::establish(world.path("foreign.db").to_str().unwrap()).unwrap();
    foreign.batch_execute("CREATE TABLE t (name TEXT)").unwrap();
    for value in &values {
        foreign.batch_execute(&format!("INSERT INTO t VALUES ('{}')", value.replace('\'', "''"))).unwrap();
    }

    let expected: Vec<Vec<String>> =
        values.iter().map(|value| vec![(*value).to_owned(), format!("--name={value}")]).collect();
    for source in [
        &["--csv", "csv"][..],
        &["--jsonl", "jsonl"],
        &["--json", "json"],
        &["--sql", "foreign.db", "SELECT name FROM t ORDER BY rowid"],
    ] {
        check(&world, source, &["{name}", "--name={name:-}"], &expected);
    }
}

#[test]
fn every_placeholder_is_one_argument() {
    let world = world();
    let values: Vec<&str> = all().into_iter().filter(|value| !value.contains(['.', '/'])).collect();
    let items: Vec<String> = values.iter().map(|value| format!("d {value}/{value}.{value}\0")).collect();
    world.write("nul", &items.concat());

    let expected: Vec<Vec<String>> = (1..)
        .zip(&values)
        .map(|(seq, v)| {
            let whole = format!("d {v}/{v}.{v}");
            vec![
                whole.clone(),
                format!("d {v}/{v}"),
                no_option(format!("{v}.{v}")),
                format!("d {v}"),
                no_option((*v).to_owned()),
                (*v).to_owned(),
                format!("-{seq}{{{whole}"),
            ]
        })
        .collect();
    check(&world, &["--lines", "nul", "--null"], &["{}", "{.}", "{/}", "{//}", "{/.}", "{ext}", "-{#}{{{}"], &expected);
}

#[test]
fn in_a_script_for_the_shell_an_item_is_one_argument_too() {
    let world = world();
    let values = [&all()[..], &[""]].concat();
    world.write("nul", &values.iter().map(|value| format!("{value}\0")).collect::<String>());

    let expected: Vec<Vec<String>> =
        values.iter().map(|value| vec![(*value).to_owned(), format!("<{value}>"), format!("a{value}")]).collect();
    check_command(
        &world,
        &["--lines", "nul", "--null", "--shell"],
        &["x={}; true && sh record {} \"<{:-}>\" a\"$x\""],
        &expected,
    );
}

#[test]
fn a_command_out_of_a_file_is_run_as_it_is_written() {
    let world = world();
    let quoted = |value: &str| format!("sh record '{}' # {{}}", value.replace('\'', r"'\''"));
    world.write("lines", &ON_ONE_LINE.map(|value| quoted(value) + "\n").concat());
    world.write("nul", &all().iter().map(|value| quoted(value) + "\0").collect::<String>());

    let of_lines = world.ok(&["run", "-q", "--commands", "lines"]);
    let of_nul = world.ok(&["run", "-q", "--commands", "nul", "--null"]);

    assert_arrived(&world, &of_lines, &alone(&ON_ONE_LINE));
    assert_arrived(&world, &of_nul, &alone(&all()));
}

#[test]
fn a_file_of_any_name_is_one_argument() {
    let world = world();
    let mut names: Vec<String> = all().iter().map(|value| format!("{value}.f")).collect();
    names.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    fs::create_dir(world.path("files")).unwrap();
    for name in &names {
        fs::write(world.path("files").join(name), "").unwrap();
    }

    let expected: Vec<Vec<String>> =
        names.iter().map(|name| vec![format!("files/{name}"), no_option(name.clone())]).collect();
    check(&world, &["--glob", "files/*", "--hidden"], &["{}", "{/}"], &expected);
}

#[test]
fn the_longest_argument_arrives_and_a_longer_one_is_refused_by_every_source() {
    let world = world();
    for (name, bytes) in [("fits", LONGEST), ("exceeds", LONGEST + 1)] {
        let value = "x".repeat(bytes);
        world.write(&format!("{name}.lines"), &value);
        world.write(&format!("{name}.csv"), &format!("name\n{value}\n"));
        world.write(&format!("{name}.jsonl"), &format!("{{\"name\":\"{value}\"}}"));
        world.write(&format!("{name}.json"), &format!("[{{\"name\":\"{value}\"}}]"));
    }
    let query = |bytes| format!("SELECT printf('%.*c', {bytes}, 'x') AS name");
    world.ok(&["create", "--", "true"]);
    let longest = [vec!["x".repeat(LONGEST)]];

    for (flag, placeholder) in [("lines", "{}"), ("csv", "{name}"), ("jsonl", "{name}"), ("json", "{name}")] {
        let (fits, exceeds) = (format!("fits.{flag}"), format!("exceeds.{flag}"));
        let flag = format!("--{flag}");

        check(&world, &[&flag, &fits], &[placeholder], &longest);
        let said = world.fails(2, &["submit", &flag, &exceeds, "--", "sh", "record", placeholder]);
        assert!(
            said.contains(&exceeds) && said.contains("argument 3 of the command would have 131072 bytes"),
            "{said}"
        );
        let said = world.fails(2, &["submit", &flag, &fits, "--", "sh", "record", &format!("-{placeholder}")]);
        assert!(said.contains("argument 3 of the command would have 131072 bytes"), "{said}");
    }
    world.ok(&["--db", "source.db", "create", "--", "true"]);
    check(&world, &["--sql", "source.db", &query(LONGEST)], &["{name}"], &longest);
    let said = world.fails(2, &["submit", "--sql", "source.db", &query(LONGEST + 1), "--", "sh", "record", "{name}"]);
    assert!(said.contains("source.db, row 1") && said.contains("131072 bytes"), "{said}");
    let said = world.fails(2, &["submit", "--lines", "fits.lines", "--shell", "--", "sh record {}"]);
    assert!(said.contains("fits.lines:1") && said.contains("the script would have"), "{said}");
    let said = world.fails(2, &["submit", "--commands", "exceeds.lines"]);
    assert!(said.contains("exceeds.lines:1") && said.contains("131072 bytes"), "{said}");
}

#[test]
fn an_item_too_long_for_an_argument_can_be_read_from_standard_input() {
    let world = world();
    world.write("lines", &"x".repeat(10 * LONGEST));

    world.ok(&["run", "-q", "--lines", "lines", "--stdin", "item", "--shell", "--", "wc -c"]);

    assert_eq!(world.ok(&["logs"]), (10 * LONGEST).to_string());
}

#[test]
fn what_no_argument_can_hold_is_refused_by_every_source() {
    let world = world();
    for (name, value) in [("nul", &b"\0"[..]), ("bad", b"\xff")] {
        let file = |extension: &str, before: &str, after: &str| {
            let content = [before.as_bytes(), value, after.as_bytes()].concat();
            fs::write(world.path(&format!("{name}.{extension}")), content).unwrap();
        };
        file("lines", "fine\na", "b\n");
        file("csv", "name\nfine\na", "b\n");
    }
    world.write("nul.jsonl", "{\"name\":\"fine\"}\n{\"name\":\"a\\u0000b\"}\n");
    world.write("nul.json", "[{\"name\":\"fine\"},\n{\"name\":\"a\\u0000b\"}]");
    fs::write(world.path("bad.jsonl"), b"{\"name\":\"fine\"}\n{\"name\":\"\xff\"}\n").unwrap();
    fs::write(world.path("bad.json"), b"[{\"name\":\"fine\"},\n{\"name\":\"\xff\"}]").unwrap();
    world.ok(&["create", "--", "true"]);
    world.ok(&["--db", "source.db", "create", "--", "true"]);

    for (source, place, reason) in [
        (&["--lines", "nul.lines"][..], "nul.lines:2", "a NUL byte at byte 2"),
        (&["--commands", "nul.lines"], "nul.lines:2", "a NUL byte at byte 2"),
        (&["--csv", "nul.csv"], "nul.csv:3", "a NUL byte at byte 2"),
        (&["--jsonl", "nul.jsonl"], "nul.jsonl:2", "holds a NUL character"),
        (&["--json", "nul.json"], "nul.json, element 2", "holds a NUL character"),
        (&["--sql", "source.db", "VALUES (char(97, 0, 98))"], "source.db, row 1", "holds a NUL character"),
        (&["--csv", "bad.csv"], "bad.csv:3", "not valid UTF-8"),
        (&["--jsonl", "bad.jsonl"], "bad.jsonl:2", "not valid UTF-8"),
        (&["--json", "bad.json"], "bad.json:2", "not valid UTF-8"),
    ] {
        let placeholder = match source[0] {
            "--lines" => "{}",
            "--sql" => "{column1}",
            _ => "{name}",
        };
        let command = ["--", "sh", "record", placeholder];
        let command = if source[0] == "--commands" { &[][..] } else { &command };

        let said = world.fails(2, &[&["submit"], source, command].concat());

        assert!(said.contains(place) && said.contains(reason), "{source:?} said: {said}");
    }
    assert_eq!(world.ok(&["list", "-q"]), "1");
}

#[test]
fn files_arrive_under_their_own_names_also_those_that_are_no_text_or_look_like_options() {
    let world = world();
    let names: [&[u8]; 3] = [b"-rf", b"caf\xe9", b"z"];
    for name in names {
        fs::write(world.path("").join(OsStr::from_bytes(name)), "").unwrap();
    }

    let output = world
        .job_manager(&["run", "-q", "-j", "1", "--glob", "[!r]*", "--exclude", "*db*", "--exclude", "said"])
        .args(["--unit-key", "{}", "--shell", "--", "printf '%s|%s\n' {} \"$JOB_MANAGER_KEY\" >>said"])
        .output()
        .unwrap();

    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = fs::read(world.path("said")).unwrap();
    assert_eq!(said.escape_ascii().to_string(), "./-rf|./-rf\\ncaf\\xe9|caf\\xe9\\nz|z\\n");
}
