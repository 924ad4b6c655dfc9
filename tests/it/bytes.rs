//! Bytes that are not UTF-8 pass exactly wherever the system has bytes, and stand in JSON as an object that every
//! reader takes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{World, exists, text};

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
