//! What `mcp --check` and the documentation say of the tools, beside what a host sees.

use serde_json::{Value, json};

use crate::support::{Host, World};

const DOCS: &str = include_str!("../../docs/mcp.md");

#[test]
fn check_prints_the_tools_as_a_host_sees_them_and_what_is_allowed() {
    let world = World::new();
    let dir = world.path(".").canonicalize().unwrap();

    for flags in [
        &["--allow-command", "echo", "--allow-command", "true", "--allow-shell"][..],
        &["--allow-dir", dir.to_str().unwrap(), "--read-only"],
        &["--allow-command", "*"],
        &[],
    ] {
        let check: Value = serde_json::from_str(&world.ok(&[&["--json", "mcp", "--check"], flags].concat())).unwrap();
        let text = world.ok(&[&["mcp", "--check"], flags].concat());
        let quiet = world.ok(&[&["-q", "mcp", "--check"], flags].concat());
        let mut host = Host::bounded(&world, flags);
        let listed = host.ask("tools/list", &json!({}))["result"]["tools"].clone();

        assert_eq!(check["tools"], listed, "{flags:?}");
        let names: Vec<&str> = listed.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(quiet.lines().collect::<Vec<_>>(), names);
        let allowed = &check["allowed"];
        let given = |flag: &str| flags.contains(&flag);
        assert_eq!(
            (&allowed["shell"], &allowed["read_only"]),
            (&json!(given("--allow-shell")), &json!(given("--read-only")))
        );
        assert_eq!(allowed["all_commands"], given("*"));
        // The home of tests is the directory that they run in, which is not allowed by itself.
        let dirs = if given("--allow-dir") { json!([dir]) } else { json!([]) };
        assert_eq!(allowed["directories"], dirs, "{flags:?}");
        if given("echo") {
            assert_eq!(allowed["commands"], json!(["echo", "true"]));
        }
        assert!(
            text.contains("Allowed directories: ") && check["instructions"].as_str().unwrap().contains("Allowed dir")
        );
        for tool in listed.as_array().unwrap() {
            let row = text.lines().find(|line| line.split_whitespace().next() == tool["name"].as_str());
            assert!(row.is_some_and(|row| row.contains(tool["title"].as_str().unwrap())), "{tool}: {text}");
        }
        assert!(!text.lines().any(|line| line.starts_with("start_batch")) || !given("--read-only"), "{text}");
    }
    let refused = world.job_manager(&["mcp", "--check", "--allow-dir", "/no/such/place"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

#[test]
fn the_table_of_tools_in_the_documentation_is_what_a_host_sees() {
    let world = World::new();
    let check = world.ok(&["mcp", "--check"]);
    let mut host = Host::new(&world);
    let listed = host.ask("tools/list", &json!({}))["result"]["tools"].clone();

    let section = DOCS.split("\n## Tools\n").nth(1).expect("a section").split("\n## ").next().unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();

    let seen: Vec<Vec<String>> = listed.as_array().unwrap().iter().map(row).collect();
    assert_eq!(rows, seen, "{seen:#?}");
    for row in rows {
        let line = check.lines().find(|line| line.starts_with(&format!("{} ", row[0]))).expect("a line of the tool");
        assert!(line.ends_with(row[2]), "{line}: {row:?}");
    }
}

#[test]
fn the_configurations_of_hosts_in_the_documentation_start_a_server() {
    let world = World::new();
    std::fs::create_dir(world.path("photos")).unwrap();
    let home = world.path(".").canonicalize().unwrap().display().to_string();

    let mut hosts = Vec::new();
    for block in DOCS.split("```json\n").skip(1).map(|after| after.split("```").next().unwrap()) {
        let form: Value = serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}: {block}"));
        let (host, servers) = form.as_object().unwrap().iter().next().unwrap();
        let server = &servers["job-manager"];
        let args = server["args"].as_array().unwrap().iter().map(|arg| match arg.as_str().unwrap() {
            // A program that every machine has.
            "convert" => "true".to_owned(),
            arg => arg.replace("/home/me", &home),
        });
        let args: Vec<String> = args.chain(["--check".to_owned()]).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();

        assert!(server["command"].as_str().unwrap().ends_with("job-manager"), "{block}");
        assert!(world.ok(&args).contains("allowed commands: true"), "{args:?}");
        hosts.push(host.clone());
    }
    assert_eq!(hosts, ["mcpServers", "mcpServers", "servers", "context_servers"]);
}

/// Returns name and title of a tool, and what it changes as its hints say it.
fn row(tool: &Value) -> Vec<String> {
    let hints = &tool["annotations"];
    let hint = |name: &str| hints[name].as_bool();
    let changes = match (hint("readOnlyHint"), hint("destructiveHint"), hint("idempotentHint"), hint("openWorldHint")) {
        (Some(true), ..) => "nothing",
        _ if tool["name"] == "open_dashboard" => "nothing, and opens a port",
        (_, Some(false), Some(true), Some(true)) => "nothing, and reads files",
        (_, Some(true), Some(false), Some(true)) => "runs commands",
        (_, Some(false), Some(true), Some(false)) => "a job, and back",
        (_, Some(true), Some(true), Some(false)) => "ends units",
        other => panic!("{other:?}: {tool}"),
    };
    vec![tool["name"].as_str().unwrap().to_owned(), tool["title"].as_str().unwrap().to_owned(), changes.to_owned()]
}
