//! Programs of others that tests use, each of one version: `.ci/run` installs them into the build directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{BIN, World};

const PYTHON: &str = include_str!("../../../fixtures/mcp/requirements.txt");
const NODE: &str = include_str!("../../../fixtures/mcp/package.json");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

fn installed() -> &'static Path {
    Path::new(BIN).ancestors().nth(2).expect("the build directory")
}

/// Returns the call of a script in `fixtures/mcp` by a Python that has these packages; what is missing where it has not.
pub fn python(world: &World, script: &str, packages: &[&str]) -> Result<Command, String> {
    let python = installed().join("python/bin/python3");
    for package in packages {
        let line = PYTHON.lines().find(|line| line.starts_with(&format!("{package}==")));
        let version = line.expect("a version").split_once("==").unwrap().1;
        let same = format!("import importlib.metadata as m, sys; sys.exit(m.version('{package}') != '{version}')");
        if !world.command(&python).args(["-c", &same]).output().is_ok_and(|found| found.status.success()) {
            return Err(format!("no Python package {package} {version}"));
        }
    }
    let mut command = world.command(python);
    command.arg(Path::new(FIXTURES).join("mcp").join(script));
    Ok(command)
}

/// Returns Node in a directory of the world in which scripts find these packages; what is missing where there is one missing.
pub fn node(world: &World, packages: &[&str]) -> Result<Command, String> {
    let node = installed().join("node");
    let pinned: Value = serde_json::from_str(NODE).unwrap();
    for package in packages {
        let version = pinned["dependencies"][package].as_str().expect("a version");
        let about = fs::read(node.join("node_modules").join(package).join("package.json")).unwrap_or_default();
        let about: Value = serde_json::from_slice(&about).unwrap_or_default();
        if about["version"] != version {
            return Err(format!("no Node package {package} {version}"));
        }
    }
    let program = node.join("node");
    if !program.exists() {
        return Err("no Node".to_owned());
    }
    let dir = world.path("node");
    if !dir.exists() {
        fs::create_dir(&dir).unwrap();
        symlink(node.join("node_modules"), dir.join("node_modules")).unwrap();
    }
    let mut command = world.command(program);
    command.current_dir(dir);
    Ok(command)
}

/// Copies a script in `fixtures` to where it finds the packages of Node.
pub fn node_script(world: &World, script: &str) -> PathBuf {
    let script = Path::new(FIXTURES).join(script);
    let copy = world.path("node").join(script.file_name().expect("a script"));
    fs::copy(script, &copy).unwrap();
    copy
}
