//! Crashes as data: every file in `fixtures/crash` is a test of its own name.
//!
//! A scenario says which command is hit at which crash point. What must be true afterwards is the same for all of them:
//! no two live attempts of one unit, nothing completed that did not run to its end, no unit lost, counters that agree
//! with the rows, a sound file, no process left, a reason for everything that did not succeed, and a job that a resume
//! brings to its end.

#[path = "../it/support/mod.rs"]
mod support;

mod points;
mod scenario;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let mut tests: Vec<Trial> = scenarios()
        .into_iter()
        .map(|path| {
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a file name in UTF-8").to_owned();
            Trial::test(name, move || {
                scenario::run(&path);
                Ok(())
            })
        })
        .collect();
    tests.push(Trial::test("every_crash_point_has_a_scenario", || {
        points::compare(&scenarios());
        Ok(())
    }));
    libtest_mimic::run(&args, tests).exit_code()
}

fn scenarios() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/crash");
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}
