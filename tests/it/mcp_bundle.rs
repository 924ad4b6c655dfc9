//! The bundle that a host installs in one step: packed by ourselves, and checked by the tool of its format.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{BIN, World, node, text, without};

const PACKAGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/mcpb");

/// Packs a program of a line that is the one under test, which would take long.
fn pack(world: &World, name: &str) -> PathBuf {
    let program = world.write("program", &format!("#!/bin/sh\nexec {BIN} \"$@\"\n"));
    let bundle = world.path(name);
    let packed =
        world.command("python3").arg(format!("{PACKAGING}/bundle.py")).args([&program, &bundle]).output().unwrap();
    assert!(packed.status.success(), "{}", text(&packed.stderr));
    bundle
}

#[test]
fn the_bundle_is_the_same_each_time_and_of_this_version() {
    let world = World::new();

    let [one, other] = ["one.mcpb", "other.mcpb"].map(|name| fs::read(pack(&world, name)).unwrap());

    let manifest: Value =
        serde_json::from_slice(&fs::read(Path::new(PACKAGING).join("manifest.json")).unwrap()).unwrap();
    assert!(one == other && one.starts_with(b"PK"));
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_tool_of_bundles_takes_ours_and_what_it_makes_of_the_settings_starts_the_server() {
    let world = World::new();
    let package = "@anthropic-ai/mcpb";
    let run = |args: &[&str]| {
        let output = node(&world, &[package]).map(|mut node| node.args(args).output().unwrap());
        output.map(|output| {
            assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
            text(&output.stdout)
        })
    };
    if let Err(missing) = run(&["--version"]) {
        return without(&missing);
    }
    let bundle = pack(&world, "job-manager.mcpb");
    let folders = ["a b", "c"].map(|name| {
        fs::create_dir(world.path(name)).unwrap();
        world.path(name).canonicalize().unwrap().display().to_string()
    });

    let tool = "node_modules/@anthropic-ai/mcpb/dist/cli/cli.js";
    run(&[tool, "unpack", bundle.to_str().unwrap(), "unpacked"]).unwrap();
    let valid = run(&[tool, "validate", "unpacked"]).unwrap();
    let settings = json!({ "folders": folders, "programs": "true, echo" });
    let script = format!(
        "import {{ getMcpConfigForManifest as of }} from '@anthropic-ai/mcpb'; import {{ readFileSync }} from 'node:fs';
        const manifest = JSON.parse(readFileSync('unpacked/manifest.json'));
        const config = await of({{ manifest, extensionPath: process.cwd() + '/unpacked', systemDirs: {{}}, userConfig: {settings}, pathSeparator: '/' }});
        console.log(JSON.stringify(config));"
    );
    let config: Value = serde_json::from_str(&run(&["--input-type=module", "-e", &script]).unwrap()).unwrap();
    let args = config["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
    let check =
        world.command(config["command"].as_str().unwrap()).arg("--json").args(args).arg("--check").output().unwrap();

    assert!(valid.contains("passes") && !valid.contains("warning"), "{valid}");
    let check: Value = serde_json::from_slice(&check.stdout).unwrap_or_else(|error| panic!("{error}: {check:?}"));
    assert_eq!(check["allowed"]["directories"], json!(folders));
    assert_eq!(check["allowed"]["commands"], json!(["true", "echo"]));
}
