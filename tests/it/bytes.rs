//! Bytes that are not UTF-8 pass exactly wherever the system has bytes, and stand in JSON as an object that every
//! reader takes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{World, exists, text, without, without_tool};

/// A name in Latin-1.
const CAFE: &[u8] = b"caf\xe9";

fn raw(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_owned())
}

/// What stands in JSON for the name in Latin-1.
fn object() -> Value {
    json!({ "text": "caf\u{fffd}", "base64": "Y2Fm6Q==" })
}

/// Runs a job to its end and returns its number.
fn ran(mut command: Command, world: &World) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stderr), world.report());
    text(&output.stdout).trim().to_owned()
}

/// Makes a job with one item in Latin-1, which is its key too.
fn job_of_bytes(world: &World) -> String {
    let mut command = world.job_manager(&["run", "-q", "--unit-key", "{}", "--", "printf", "%s.", "{}", ":::"]);
    command.arg(raw(CAFE));
    ran(command, world)
}

#[test]
fn bytes_of_the_command_line_reach_the_unit_exactly() {
    let world = World::new();
    let dir = world.path("").join(raw(b"d\xfe"));
    fs::create_dir(&dir).unwrap();
    let script = "printf '%s\\0' \"$1\" \"$2\" \"${{PWD##*/}}\" \"$V\" \"$JOB_MANAGER_KEY\" \"$INHERITED\" >\"$3\"";

    let mut command = world.job_manager(&["run", "-q", "--unit-key", "k-{}", "--cwd"]);
    command.env("INHERITED", raw(b"\xfa")).arg(raw(b"d\xfe")).arg("--env").arg(raw(b"V=v\xfd-{}"));
    command.arg("--creates").arg(raw(b"out-\xfc-{}")).args(["--", "sh", "-c", script, "sh"]);
    command.arg(raw(b"x\xff")).arg("{}").arg(raw(b"out-\xfc-{}")).arg(":::").arg(raw(CAFE));
    ran(command, &world);

    let written = fs::read(dir.join(raw(b"out-\xfc-caf\xe9"))).unwrap();
    let expected: &[u8] = b"x\xff\0caf\xe9\0d\xfe\0v\xfd-caf\xe9\0k-caf\xe9\0\xfa\0";
    assert_eq!(written.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn bytes_of_an_item_are_read_exactly_from_standard_input_and_a_script() {
    let world = World::new();
    let mut command =
        world.job_manager(&["run", "-q", "--stdin", "item", "--shell", "--", "cat >{}; printf %s {/} >b"]);
    command.arg(":::").arg(raw(CAFE));

    ran(command, &world);

    assert_eq!(fs::read(world.path("").join(raw(CAFE))).unwrap(), CAFE);
    assert_eq!(fs::read(world.path("b")).unwrap(), CAFE);
}

#[test]
fn bytes_are_an_object_in_every_document() {
    let world = World::new();
    let job = job_of_bytes(&world);
    let document = |args: &[&str]| serde_json::from_str::<Value>(&world.ok(args)).unwrap();

    assert_eq!(world.units(&job)[0]["payload"], object());
    assert_eq!(document(&["unit", &format!("{job}:1"), "--json"])["unit"]["payload"], object());
    assert_eq!(document(&["unit", &format!("{job}:1"), "--json"])["command"], r"printf %s. $'caf\xe9'");
    assert_eq!(document(&["results", &job])["payload"], object());
    let key = world.units(&job)[0]["key"].as_str().unwrap().to_owned();
    assert_eq!(serde_json::from_str::<Value>(&key).unwrap(), object());
    assert!(world.ok(&["units", &job]).contains("caf\u{fffd}"));
}

#[test]
fn a_unit_with_bytes_is_the_same_when_it_comes_again() {
    let world = World::new();
    let job = job_of_bytes(&world);
    let again = |verb: &str| {
        let mut command = world.job_manager(&[verb, &job, "--unit-key", "{}", "--", ":::"]);
        let output = command.arg(raw(CAFE)).arg(raw(b"caf\xea")).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };

    assert!(again("sync").starts_with("+1 new, ~0 changed, -0 gone, 1 the same"));
    assert!(again("add").starts_with("0 units"));
}

#[test]
fn bytes_are_the_same_however_their_object_is_written() {
    let world = World::new();
    let job = ran_with(world.job_manager(&["run", "-q", "--", "true", "{}"]), &[CAFE], &world);
    world.write("otherwise", &format!("{{\"base64\": \"Y2Fm6Q==\", \"text\": {}}}", json!("caf\u{fffd}")));

    let same = world.ok(&["sync", &job, "--jsonl", "otherwise"]);

    assert!(same.starts_with("+0 new, ~0 changed, -0 gone, 1 the same"), "{same}");
}

#[test]
fn a_database_and_a_program_of_any_name_are_used() {
    let world = World::new();
    let dir = world.path("").join(raw(b"p\xff"));
    fs::create_dir(&dir).unwrap();
    let program = dir.join(OsStr::from_bytes(b"job-\xfe"));
    fs::copy(crate::support::BIN, &program).unwrap();
    let db = dir.join("jobs.db");
    let call = |args: &[&str]| {
        let output = world.command(&program).arg("--db").arg(&db).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };

    call(&["run", "-q", "--", "true"]);

    let status: Value = serde_json::from_str(&call(&["status", "--json"])).unwrap();
    assert_eq!(status["job_status"], "completed");
    assert!(status["log"]["base64"].is_string(), "{status}");
    assert!(exists(&db));
}

#[test]
fn what_a_unit_keeps_for_its_next_attempt_and_a_filter_by_key_are_bytes_too() {
    let world = World::new();
    let mut command = world.job_manager(&["run", "-q", "--unit-key", "{}", "--shell", "--"]);
    command.arg("\"$BIN\" unit-checkpoint put {} && \"$BIN\" unit-checkpoint get >kept && \"$BIN\" unit-result {}");
    let job = ran_with(command, &[b"caf\xe9"], &world);

    assert_eq!(fs::read(world.path("kept")).unwrap(), b"caf\xe9\n");
    assert_eq!(world.units(&job)[0]["result"], object());
    let found = world.job_manager(&["units", &job, "-q", "--key"]).arg(raw(CAFE)).output().unwrap();
    assert_eq!(text(&found.stdout), "1\n");
}

/// Runs a job with these items to its end and returns its number.
fn ran_with(mut command: Command, items: &[&[u8]], world: &World) -> String {
    command.arg(":::").args(items.iter().map(|item| raw(item)));
    ran(command, world)
}

/// Ways to read a document of ours and to write its payloads again, one per line.
const READERS: [(&str, &[&str]); 3] = [
    ("python3", &["-c", "import json\nfor line in open('results'): print(json.dumps(json.loads(line)['payload']))"]),
    ("jq", &["-c", ".payload", "results"]),
    (
        "duckdb",
        &[
            "-c",
            "import duckdb\nduckdb.sql(\"COPY (SELECT payload.text AS text, payload.base64 AS base64 FROM \
             read_json_auto('results')) TO 'written' (FORMAT json)\")\nprint(open('written').read(), end='')",
        ],
    ),
];

/// Asks the server of the SDK for the results, and starts a batch with what it was answered as its items.
const SDK: &str = r#"
import asyncio, json, os
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    server = StdioServerParameters(command=os.environ["BIN"], args=["mcp", "--allow-dir", "/", "--allow-command", "*"], env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        answer = await session.call_tool("get_results", {"job": "last"})
        units = json.loads(answer.content[-1].text)["results"]
        items = [json.loads(unit["payload"]) if unit.get("payload_is_json") else unit["payload"] for unit in units]
        batch = {"command": ["sh", "record", "{}"], "items_json": json.dumps(items)}
        again = await session.call_tool("start_batch", batch)
        assert json.loads(again.content[-1].text)["new"], again
        await session.call_tool("wait_job", {"job": "last"})
        for item in items:
            print(json.dumps(item))

asyncio.run(main())
"#;

/// Returns the program that has a Python package: of the environment that the checks make, or the system's.
pub(crate) fn python_with(package: &str) -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python").join("bin/python3");
    let has = |python: &PathBuf| {
        let found = Command::new(python).args(["-c", &format!("import {package}")]).output();
        found.is_ok_and(|output| output.status.success())
    };
    [made, PathBuf::from("python3")].into_iter().find(has)
}

#[test]
fn bytes_come_back_exactly_from_every_reader_of_json() {
    let world = World::new();
    let items: [&[u8]; 4] = [CAFE, b"\xff\xfe", b"a\xc3(\x80b'\"\\", b"\xef\xbf\xbd \xf0\x9f\x98\x80\xff"];
    let items = [&items[..], &[b"\xed\xb3\xa9"]].concat();
    world.write("record", "printf '%s\\0' \"$1\" >>arrived\n");
    ran_with(world.job_manager(&["run", "-q", "-j", "1", "--", "true", "{}"]), &items, &world);
    fs::write(world.path("results"), world.ok(&["results"]) + "\n").unwrap();
    let expected: Vec<u8> = items.iter().flat_map(|item| [item, &b"\0"[..]].concat()).collect();
    let check = |reader: &str, written: &str| {
        assert_eq!(written.lines().count(), items.len(), "{reader}: {written}");
        world.write("again", written);
        let _ = fs::remove_file(world.path("arrived"));
        world.ok(&["run", "-q", "-j", "1", "--jsonl", "again", "--", "sh", "record", "{}"]);
        let arrived = fs::read(world.path("arrived")).unwrap();
        assert_eq!(arrived.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{reader}");
    };

    let lines = fs::read_to_string(world.path("results")).unwrap();
    let written = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["payload"].to_string() + "\n");
    check("serde_json", &written.collect::<String>());
    for (name, args) in READERS {
        let program = match name {
            "duckdb" => python_with(name),
            name => Some(name.into()),
        };
        let output = program.map(|program| world.command(program).args(args).output());
        match output {
            Some(Ok(output)) => {
                assert!(output.status.success(), "{name}: {}", text(&output.stderr));
                check(name, &text(&output.stdout));
            }
            _ if name == "duckdb" => without("no duckdb, a package of Python"),
            _ => without_tool(name),
        }
    }
}

#[test]
#[cfg(feature = "mcp")]
fn bytes_come_back_exactly_through_the_python_sdk_of_mcp() {
    let Some(python) = python_with("mcp") else {
        return without("no mcp, a package of Python");
    };
    let world = World::new();
    world.write("record", "printf '%s\\0' \"$1\" >arrived\n");
    ran_with(world.job_manager(&["run", "-q", "--", "true", "{}"]), &[CAFE], &world);

    let output = world.command(python).args(["-c", SDK]).output().unwrap();

    assert!(output.status.success(), "{}{}", text(&output.stderr), world.report());
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), object());
    assert_eq!(fs::read(world.path("arrived")).unwrap(), b"caf\xe9\0");
}

#[test]
fn the_path_of_a_limit_has_any_bytes() {
    let world = World::new();
    fs::create_dir(world.path("plain")).unwrap();
    fs::create_dir(world.path("plain").with_file_name(raw(CAFE))).unwrap();
    world.ok(&["create", "-q", "--key", "k", "--", "true"]);
    let value = || raw(b"diskfree=caf\xe9=1K");

    for job in [&["set", "1"][..], &["set", "--key", "k"]] {
        world.ok(&["set", "1", "diskfree=none"]);
        let set = world.job_manager(job).arg(value()).arg("--json").output().unwrap();
        assert!(set.status.success(), "{}", text(&set.stderr));
        assert!(text(&set.stdout).contains("L2NhZuk") || text(&set.stdout).contains("base64"), "{}", text(&set.stdout));
    }
    let refused = world.job_manager(&["set", "1"]).arg(raw(b"rate=\xe9")).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("is not UTF-8"), "{}", text(&refused.stderr));
}

#[test]
fn the_name_of_a_file_that_begins_with_a_dash_does_not_become_an_option() {
    let world = World::new();
    world.write("-x.txt", "");
    let printed = |words: &[&str]| {
        let command = [&["create", "--dry-run", "-q", "--glob", "*.txt"], words].concat();
        world.ok(&command)
    };

    assert_eq!(printed(&["--", "cat", "{}", "{/}", "{/.}", "{//}"]), "cat ./-x.txt ./-x.txt ./-x .");
    assert_eq!(printed(&["--", "cat", "out/{/}", "-o{/}"]), "cat out/-x.txt -o-x.txt");
    assert_eq!(printed(&["--shell", "--", "cat {/} > out/{/}"]), "cat './-x.txt' > out/'-x.txt'");
    // Who gives an item that begins with a dash means it.
    assert_eq!(world.ok(&["create", "--dry-run", "-q", "--", "echo", "{/}", ":::", "-n"]), "echo -n");
}
