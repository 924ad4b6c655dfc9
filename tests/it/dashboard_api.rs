//! The description of the dashboard's API, and whether the dashboard is what it says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::source_files::sources;
use crate::support::World;

#[test]
fn the_description_of_the_api_names_each_route_with_its_methods() {
    let world = World::new();
    world.run(&["run", "-q", "--", "true"]);
    let dashboard = world.serve(&[]);
    let described = dashboard.get("/api/v1/openapi.json")["paths"].clone();
    let described: BTreeMap<&str, BTreeSet<String>> = described
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, methods)| (path.as_str(), methods.as_object().unwrap().keys().map(|m| m.to_uppercase()).collect()))
        .collect();
    let mut in_sources = BTreeSet::new();
    for (path, text) in sources().iter().filter(|(path, _)| path.to_str().unwrap().contains("/dashboard/")) {
        let found = text.split('"').filter(|text| text.starts_with("/api/"));
        in_sources.extend(found.map(str::to_owned));
        assert!(!text.contains("\"/api/jobs"), "{}", path.display());
    }

    assert_eq!(described.keys().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>(), in_sources);
    for (path, methods) in described {
        let asked = path.replace("{job}", "1").replace("{seq}", "1");
        let refused = dashboard.ask(&format!("DELETE {asked}"), &[], "");
        let allowed = refused.header("allow").unwrap_or_else(|| panic!("{path}: {}", refused.status)).to_owned();

        let allowed: BTreeSet<String> = allowed.split(',').map(str::to_owned).filter(|m| m != "HEAD").collect();
        assert_eq!((refused.status, &allowed), (405, &methods), "{path}");
    }
}

#[test]
fn the_description_of_the_api_takes_each_state_of_jobs_that_a_list_takes() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);
    let dashboard = world.serve(&[]);
    let states = job_manager::model::ShownStatus::words().collect::<Vec<_>>().join("|");

    let pattern =
        dashboard.get("/api/v1/openapi.json")["paths"]["/api/v1/jobs"]["get"]["parameters"][0]["schema"]["pattern"]
            .clone();

    let mut described: Vec<&str> = pattern.as_str().unwrap().split(['(', ')']).nth(1).unwrap().split('|').collect();
    let mut known: Vec<&str> = states.split('|').collect();
    described.sort_unstable();
    known.sort_unstable();
    assert_eq!(described, known, "{pattern}");
    assert_eq!(dashboard.get("/api/v1/jobs?status=unknown")["jobs"], json!([]));
    for (asked, refused) in [("limit=0", 400), ("limit=-1", 400), ("limit=301", 200)] {
        assert_eq!(dashboard.ask(&format!("GET /api/v1/jobs?{asked}"), &[], "").status, refused, "{asked}");
    }
}

#[test]
fn answers_have_what_the_description_says_that_they_have() {
    let world = World::new();
    let script = r#"test {} != 2 || exit 1; test {} != 3 || "$BIN" unit-flag doubtful"#;
    world.run(&["run", "-q", "--max-attempts", "1", "--range", "1-3", "--shell", "--", script]);
    world.ok(&["create", "-q", "--", "true", ":::", "a", "b"]);
    let dashboard = world.serve(&[]);
    let api = dashboard.get("/api/v1/openapi.json");
    let check = |path: &str, method: &str, asked: &str, body: &Value| {
        let request = format!("{} {asked}", method.to_uppercase());
        let body = if method == "get" { String::new() } else { body.to_string() };
        let reply = dashboard.ask(&request, &[("Content-Type", "application/json")], &body);
        assert_eq!(reply.status, 200, "{asked}: {}", reply.body);
        let content = &api["paths"][path][method]["responses"]["200"]["content"];
        let kind = content.as_object().unwrap().keys().next().unwrap();
        assert!(reply.header("content-type").unwrap().starts_with(kind.as_str()), "{asked}: {kind}");
        if kind == "application/json" {
            fits(&api, &content[kind]["schema"], &reply.json(), asked);
        }
    };

    for path in api["paths"].as_object().unwrap().keys().filter(|path| api["paths"][*path]["get"].is_object()) {
        let lacks = ["events", "result.txt", "error.txt"].iter().any(|end| path.ends_with(end));
        if !lacks {
            check(path, "get", &path.replace("{job}", "1").replace("{seq}", "1"), &Value::Null);
        }
    }
    for (path, job, body) in [
        ("/api/v1/jobs/{job}/settings", "2", json!({ "rate": "60/min" })),
        ("/api/v1/jobs/{job}/scale", "2", json!({ "workers": 3 })),
        ("/api/v1/jobs/{job}/review", "1", json!({ "accept": [3] })),
        ("/api/v1/jobs/{job}/retry", "1", json!({ "failed": true })),
        ("/api/v1/jobs/{job}/skip", "1", json!({ "unit": 2 })),
        ("/api/v1/jobs/{job}/units/{seq}/cancel", "2", json!({ "reason": "enough" })),
        ("/api/v1/jobs/{job}/resume", "2", json!({})),
        ("/api/v1/session", "", json!({})),
    ] {
        check(path, "post", &path.replace("{job}", job).replace("{seq}", "1"), &body);
    }
    let refused = dashboard.ask("GET /api/v1/jobs/1/units?match=(", &[], "").json();
    fits(&api, &api["components"]["schemas"]["Error"], &refused, "an error");
    world.wait_for_status("2", "cancelled");
}

/// Checks a value as far as descriptions of ours go: types, constants, words, members that are required or known.
fn fits(api: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return fits(api, &api["components"]["schemas"][name], value, at);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = |allowed: &Value| allowed == kind || allowed == "number" && kind == "integer";
    let is_allowed = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is_kind),
        one => is_kind(one),
    };
    assert!(is_allowed, "{at}: {value} is {kind}, not {}", schema["type"]);
    assert!(schema["const"].is_null() || schema["const"] == *value, "{at}: {value}");
    assert!(schema["enum"].as_array().is_none_or(|words| words.contains(value)), "{at}: {value}");
    for item in value.as_array().into_iter().flatten().filter(|_| schema["items"].is_object()) {
        fits(api, &schema["items"], item, at);
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(name.as_str().unwrap()).is_some(), "{at} lacks {name}: {value}");
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        match &schema["properties"][name] {
            Value::Null => assert!(schema["additionalProperties"] != false, "{at}: {name} is not described"),
            known => fits(api, known, member, &format!("{at}.{name}")),
        }
    }
}
