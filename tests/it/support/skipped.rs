//! Tests that cannot run here: they are counted and named at the end of `make test`.
//!
//! The tests of the library use this file too.

use std::fs::OpenOptions;
use std::io::Write;
use std::panic::Location;

/// Says that the calling test cannot run here, and why.
///
/// It is written to the file that `JM_TEST_SKIPPED` names, if one does.
#[track_caller]
pub fn without(reason: &str) {
    let line = format!("{}: {reason}\n", test_at(Location::caller()));
    eprint!("skipped: {line}");
    append("JM_TEST_SKIPPED", &line);
}

/// Returns the name of the calling test, or its place.
pub fn test_at(place: &Location<'_>) -> String {
    // The harness gives each test a thread of its name, except where it runs one test alone, as nextest has it do.
    let thread = || std::thread::current().name().filter(|name| name.contains("::")).map(str::to_owned);
    let test = std::env::var("NEXTEST_TEST_NAME").ok().or_else(thread);
    test.unwrap_or_else(|| format!("{}:{}", place.file(), place.line()))
}

/// Writes a line to the file that a variable names, if one does.
pub fn append(variable: &str, line: &str) {
    if let Some(list) = std::env::var_os(variable) {
        let mut list = OpenOptions::new().create(true).append(true).open(list).expect("the list can be written");
        // At once, because other tests write to it too.
        list.write_all(line.as_bytes()).expect("the list can be written");
    }
}

/// Says that the calling test cannot run here because a program is missing that `.ci/run` installs; fails it there.
#[track_caller]
pub fn without_tool(tool: &str) {
    assert!(std::env::var_os("JM_TEST_REQUIRE_ALL").is_none(), "no {tool}, and JM_TEST_REQUIRE_ALL is set");
    without(&format!("no {tool}"));
}
