//! The schemas of the MCP server's tools, as the strictest hosts take them.
//!
//! Some hosts refuse every request when one tool has a union of types, a null in an enum or a schema by reference, and
//! some drop such a tool silently. Models read descriptions only, so everything has one.

use serde_json::{Value, json};

use crate::support::{Host, World, wait_for};

/// Most bytes of names, descriptions and input schemas, which each conversation pays for.
const INPUT_BYTES: usize = 24 * 1000;
/// Most bytes of output schemas.
const OUTPUT_BYTES: usize = 16 * 1000;
/// Words that not every host knows.
const UNKNOWN: [&str; 12] = [
    "oneOf",
    "anyOf",
    "allOf",
    "const",
    "$ref",
    "$defs",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "not",
    "default",
    "format",
    "patternProperties",
];

#[test]
fn every_schema_has_one_type_for_each_property_and_nothing_that_a_host_does_not_know() {
    let world = World::new();
    let mut host = Host::new(&world);

    let tools = tools(&mut host);

    let mut faults = Vec::new();
    for tool in &tools {
        let name = tool["name"].as_str().unwrap();
        for kind in ["inputSchema", "outputSchema"] {
            lint(&tool[kind], &format!("{name} {kind}"), true, &mut faults);
            assert_eq!(tool[kind]["type"], "object", "{name}");
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_list_of_tools_has_room_in_a_conversation() {
    let world = World::new();
    let mut host = Host::new(&world);

    let tools = tools(&mut host);

    let bytes = |field: &str| tools.iter().map(|tool| tool[field].to_string().len()).sum::<usize>();
    let input = bytes("name") + bytes("title") + bytes("description") + bytes("inputSchema");
    let output = bytes("outputSchema");
    assert!(input <= INPUT_BYTES && output <= OUTPUT_BYTES, "{input} bytes of input, {output} of output");
}

#[cfg(feature = "schema")]
#[test]
fn every_schema_is_one_of_2020_12() {
    let world = World::new();
    let mut host = Host::new(&world);

    for tool in tools(&mut host) {
        for kind in ["inputSchema", "outputSchema"] {
            jsonschema::draft202012::new(&tool[kind]).unwrap_or_else(|error| panic!("{}: {error}", tool["name"]));
        }
    }
}

#[test]
fn every_tool_answers_what_its_schema_says() {
    let world = World::new();
    let mut host = Host::new(&world);
    let script = "echo {}; printf 'caf\\351' >&2; [ {} != 2 ]";
    let canary = json!({ "shell": "echo {}", "range": "1-3", "canary": 1 });
    let sleeping = json!({ "command": ["sleep", "60"], "range": "1-3", "workers": 1 });

    // Each answer is compared with the schema of its tool on its way here.
    let mut called = Vec::new();
    for (tool, arguments) in [
        ("list_jobs", json!({})),
        ("preview_batch", json!({ "shell": script, "range": "1-3" })),
        (
            "start_batch",
            json!({ "shell": script, "range": "1-3", "max_attempts": 1, "options": { "label": ["team=web"] } }),
        ),
        ("wait_job", json!({ "job": 1 })),
        ("job_status", json!({ "job": 1 })),
        ("explain", json!({ "job": 1, "seq": 2 })),
        ("list_failures", json!({ "job": 1 })),
        ("list_units", json!({ "job": 1, "matching": "2" })),
        ("get_unit", json!({ "job": 1, "seq": 2 })),
        ("get_results", json!({ "job": 1, "limit": 1 })),
        ("change_units", json!({ "job": 1, "action": "retry", "status": ["failed"] })),
        ("resume_job", json!({ "job": 1 })),
        ("add_units", json!({ "job": 1, "range": "4-4" })),
        ("start_batch", canary.clone()),
        ("wait_job", json!({ "job": 2 })),
        ("approve_job", json!({ "job": 2 })),
        ("start_batch", canary),
        ("wait_job", json!({ "job": 3 })),
        ("reject_job", json!({ "job": 3, "reason": "test" })),
        ("start_batch", sleeping),
        ("change_settings", json!({ "job": 4, "workers": 2 })),
        ("change_units", json!({ "job": 4, "action": "skip", "first_seq": 3, "reason": "test" })),
        ("stop_job", json!({ "job": 4 })),
        ("cancel_job", json!({ "job": 4, "reason": "test" })),
        ("report", json!({ "job": 1 })),
        ("open_dashboard", json!({})),
        ("list_jobs", json!({ "label": "team=web" })),
    ] {
        let answered = host.ok(tool, arguments);
        assert!(answered["summary"].as_str().is_some_and(|words| !words.is_empty()), "{tool}: {answered}");
        called.push(tool);
    }
    host.ok("start_batch", json!({ "command": ["sleep", "60"] }));
    wait_for(&world, "the unit to run", || host.ok("job_status", json!({ "job": 5 }))["progress"]["running"] == 1);
    host.ok("change_units", json!({ "job": 5, "action": "kill", "seq": 1, "then": "fail", "reason": "test" }));
    let unit = host.ok("get_unit", json!({ "job": 1, "seq": 2 }));

    assert_eq!((&unit["stderr"], &unit["stderr_base64"]), (&json!("caf\u{fffd}"), &json!("Y2Fm6Q==")));
    let tools = tools(&mut host);
    let forgotten: Vec<&Value> =
        tools.iter().map(|tool| &tool["name"]).filter(|name| !called.iter().any(|tool| name == tool)).collect();
    assert!(forgotten.is_empty(), "never called: {forgotten:?}");
}

#[test]
fn values_are_taken_as_older_clients_and_hasty_models_write_them() {
    let world = World::new();
    let mut host = Host::new(&world);

    for (arguments, commands) in [
        (json!({ "items": ["a"], "workers": "2", "canary": null, "timeout": 30.0 }), json!(["echo a"])),
        (json!({ "items": "[1E5, \"b\"]", "count": "1", "glob": null }), json!(["echo 1E5"])),
        (json!({ "items_json": "[{\"x\": 1}]" }), json!(["echo '{\"x\": 1}'"])),
        (
            json!({ "range": "1-2", "slots": "1", "options": { "workers": 3, "allow_empty": "false" } }),
            json!(["echo 1", "echo 2"]),
        ),
        (json!({ "range": "7-7", "options": "{\"rate\": \"5/s\"}", "label": { "team": "web" } }), json!(["echo 7"])),
        (json!({ "range": "7-7", "name": 7, "command": "[\"echo\", \"{}\"]" }), json!(["echo 7"])),
    ] {
        let mut batch = json!({ "command": ["echo", "{}"] });
        batch.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        let shown = host.ok("preview_batch", batch);

        assert_eq!(shown["commands"], commands, "{arguments}");
    }
    for (arguments, said) in [
        (json!({ "items": "a" }), "items:1: "),
        (json!({ "options": { "items_per_unit": 0 } }), "items_per_unit: it must be at least 1"),
        (json!({ "options": { "raet": "5/s" } }), "unknown field `raet`"),
        (json!({ "options": { "label": ["team"] } }), "invalid label \"team\""),
        (json!({ "workers": "many" }), "workers: "),
    ] {
        let mut batch = json!({ "command": ["echo", "{}"] });
        batch.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        let refused = host.refused("start_batch", batch);

        assert!(refused.contains(said), "{arguments}: {refused}");
    }
}

#[test]
fn a_job_is_found_by_its_key_and_one_that_two_go_by_is_asked_for_again() {
    let world = World::new();
    world.ok(&["create", "--name", "photos", "--", "true"]);
    world.ok(&["create", "--key", "calls to flac", "--", "true"]);
    let mut host = Host::new(&world);

    let keyed = host.ok("job_status", json!({ "job": "calls to flac" }));
    world.ok(&["create", "--key", "photos", "--", "true"]);
    let both = host.refused("job_status", json!({ "job": "photos" }));
    let older = host.ok("job_status", json!({ "job": { "key": "photos" } }));

    assert_eq!((&keyed["job"]["id"], &older["job"]["id"]), (&json!(2), &json!(3)));
    assert!(both.contains("the name of job 1 and the key of job 3"), "{both}");
}

fn tools(host: &mut Host<'_>) -> Vec<Value> {
    host.ask("tools/list", &json!({}))["result"]["tools"].as_array().unwrap().clone()
}

/// Notes what is wrong with a schema and with all below it.
fn lint(schema: &Value, place: &str, is_root: bool, faults: &mut Vec<String>) {
    let Some(fields) = schema.as_object() else {
        faults.push(format!("{place}: no schema"));
        return;
    };
    let mut wrong = |what: &str| faults.push(format!("{place}: {what}"));
    fields.keys().filter(|name| UNKNOWN.contains(&name.as_str())).for_each(|name| wrong(name));
    let Some(kind) = schema["type"].as_str() else { return wrong("the type is not one word") };
    if !["object", "array", "string", "integer", "number", "boolean"].contains(&kind) {
        wrong(kind);
    }
    if let Some(words) = schema.get("enum")
        && !words.as_array().is_some_and(|words| !words.is_empty() && words.iter().all(Value::is_string))
    {
        wrong("an enum of other things than words");
    }
    match kind {
        "object" => {
            let properties = schema["properties"].as_object().filter(|properties| !properties.is_empty());
            let Some(properties) = properties else { return wrong("an object without properties") };
            for required in schema["required"].as_array().into_iter().flatten() {
                if !properties.contains_key(required.as_str().unwrap()) {
                    wrong("something is required that there is not");
                }
            }
            for (name, property) in properties {
                let place = format!("{place}.{name}");
                if property["description"].as_str().is_none_or(str::is_empty) {
                    faults.push(format!("{place}: no description"));
                }
                lint(property, &place, false, faults);
            }
        }
        "array" => lint(&schema["items"], &format!("{place}[]"), false, faults),
        _ if is_root => wrong("not an object"),
        _ => {}
    }
}
