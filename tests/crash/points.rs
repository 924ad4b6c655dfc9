//! The crash points in the sources and those in the scenarios are the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::scenario::Scenario;

pub fn compare(scenarios: &[PathBuf]) {
    let mut marked = BTreeSet::new();
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            let points = text.split("crash_point!(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
            marked.extend(points);
        }
    }
    let hit: BTreeSet<String> =
        scenarios.iter().map(|path| Scenario::read(path).crash.split(':').next().unwrap().to_owned()).collect();

    assert_eq!(marked, hit);
}
