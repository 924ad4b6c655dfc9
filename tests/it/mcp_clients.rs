//! The server, as clients meet it that nobody here wrote: each goes the whole way of a batch, and compares every answer with the form that
//! its tool declares.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{BIN, Host, World, node, node_script, python, text, without};

fn succeed(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Has the SDK for TypeScript take a batch through in a revision of the protocol.
fn by_typescript(revision: &str) -> Result<(), String> {
    let world = World::new();
    let mut node = node(&world, &["@modelcontextprotocol/client", "ajv"])?;
    let dir = world.path(".").canonicalize().unwrap();
    node.arg(node_script(&world, "mcp/typescript_sdk.mjs")).arg(revision).arg(BIN).arg(dir);
    succeed(node);
    Ok(())
}

#[test]
fn the_official_sdk_for_typescript_takes_a_batch_through_in_the_newest_revision() {
    if let Err(missing) = by_typescript("2026-07-28") {
        without(&missing);
    }
}

#[test]
fn the_official_sdk_for_typescript_takes_a_batch_through_in_the_revisions_that_begin_with_initialize() {
    if let Err(missing) = by_typescript("legacy") {
        without(&missing);
    }
}

#[test]
fn the_client_of_fastmcp_takes_a_batch_through() {
    let world = World::new();
    let mut python = match python(&world, "fastmcp_client.py", &["fastmcp", "jsonschema"]) {
        Ok(python) => python,
        Err(missing) => return without(&missing),
    };
    python.arg(BIN).arg(world.path(".").canonicalize().unwrap());

    succeed(python);
}

const INSPECTOR: &str = "@modelcontextprotocol/inspector";

/// Makes one request by the command line of the inspector, in a process of its own, as it does.
fn inspect(world: &World, args: &[&str]) -> Result<Value, String> {
    let mut inspector = node(world, &[INSPECTOR])?;
    let server =
        ["--db", world.db().to_str().unwrap(), "mcp", "--allow-dir", "/", "--allow-command", "sh"].map(str::to_owned);
    let config = json!({ "mcpServers": { "job-manager": { "command": BIN, "args": server } } });
    world.write("node/mcp.json", &config.to_string());
    inspector.env("MCP_INSPECTOR_SECRET_STORE", "memory");
    inspector
        .args(["node_modules/.bin/mcp-inspector", "--cli", "--config", "mcp.json", "--server", "job-manager"])
        .args(args);
    Ok(serde_json::from_str(&succeed(inspector)).unwrap())
}

/// Calls a tool by the inspector and compares the answer with the form that the tool declares.
fn called(world: &World, tool: &str, given: &[&str]) -> Result<Value, String> {
    let given = given.iter().flat_map(|argument| ["--tool-arg", argument]);
    let args: Vec<&str> = ["--method", "tools/call", "--tool-name", tool].into_iter().chain(given).collect();
    let document = inspect(world, &args)?["structuredContent"].clone();
    Host::new(world).expect_form(tool, &document);
    Ok(document)
}

#[test]
fn the_command_line_of_the_inspector_lists_the_tools_and_starts_a_batch() {
    let world = World::new();
    let batch = ["command=[\"sh\",\"-c\",\"echo $1\",\"-\",\"{}\"]", "range=1-9", "canary=2"];

    let listed = match inspect(&world, &["--method", "tools/list"]) {
        Ok(listed) => listed,
        Err(missing) => return without(&missing),
    };
    let preview = called(&world, "preview_batch", &batch).unwrap();
    let started = called(&world, "start_batch", &batch).unwrap();
    world.wait_for_status("1", "awaiting_approval");

    assert!(listed["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "wait_job"), "{listed}");
    assert_eq!((&preview["units"], &started["job"]["id"]), (&json!(9), &json!(1)));
}

#[test]
fn the_command_line_of_the_inspector_approves_a_batch_waits_for_it_and_reads_its_results() {
    let world = World::new();
    world.run(&["run", "-q", "--canary", "2", "--range", "1-9", "--", "sh", "-c", "echo $1", "-", "{}"]);

    if let Err(missing) = called(&world, "approve_job", &["job=1"]) {
        return without(&missing);
    }
    let ended = called(&world, "wait_job", &["job=1", "timeout=20"]).unwrap();
    let results = called(&world, "get_results", &["job=1"]).unwrap();

    assert_eq!(ended["job_status"], "completed");
    assert_eq!(results["results"].as_array().unwrap().len(), 9);
}

#[test]
fn the_converter_of_google_genai_takes_every_tool_without_a_union_or_a_null() {
    let world = World::new();
    let check: Value = serde_json::from_str(&world.ok(&["--json", "mcp", "--check"])).unwrap();
    let tools = world.write("tools.json", &check["tools"].to_string());
    let mut python = match python(&world, "gemini.py", &["google-genai"]) {
        Ok(python) => python,
        Err(missing) => return without(&missing),
    };
    python.stdin(std::fs::File::open(tools).unwrap());

    assert_eq!(succeed(python).trim(), "");
}
