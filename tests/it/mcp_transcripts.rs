//! What readers did who were given nothing but the list of tools and a goal: their calls are made again, and answered in the same form.
//!
//! `JM_TEST_RECORD=1` writes the answers of today into the transcripts.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::support::{Host, World};

/// Fields that are there or not by how fast the machine is.
const BY_TIME: [&str; 8] = [
    "rate_per_second",
    "eta_seconds",
    "waiting_for",
    "pid",
    "completed_at",
    "searched_through",
    "next_after",
    "duration_seconds",
];

#[test]
fn a_reader_who_knows_only_the_list_of_tools_tests_one_unit_approves_and_runs_the_rest() {
    assert!(replay("test_one_then_run") <= 1);
}

#[test]
fn a_reader_who_knows_only_the_list_of_tools_finds_why_units_failed_and_retries_one_kind() {
    assert!(replay("mend_and_retry_one_kind") <= 1);
}

#[test]
fn a_reader_who_knows_only_the_list_of_tools_stops_a_job_and_finds_it_the_next_day() {
    assert!(replay("stop_and_find_tomorrow") <= 1);
}

/// Makes the calls of a transcript again; returns how many of them were wrong before the first that did what was meant.
fn replay(name: &str) -> usize {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/mcp/transcripts/{name}.json"));
    let mut transcript: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let records = std::env::var_os("JM_TEST_RECORD").is_some();
    let world = World::new();
    let dir = world.path(".").canonicalize().unwrap().display().to_string();
    let flags = ["--allow-dir", &dir, "--allow-command", "*"];
    let mut host = Host::bounded(&world, &flags);

    let mut wrong = Vec::new();
    for step in transcript["steps"].as_array_mut().unwrap() {
        if let Some(files) = step["files"].as_object() {
            for (name, text) in files {
                fs::create_dir_all(world.path(name).parent().unwrap()).unwrap();
                world.write(name, text.as_str().unwrap());
            }
            continue;
        }
        if step["next_day"] == true {
            drop(host);
            host = Host::bounded(&world, &flags);
            continue;
        }
        let tool = step["tool"].as_str().unwrap().to_owned();
        let arguments = serde_json::from_str(&step["arguments"].to_string().replace("DIR", &dir)).unwrap();
        let answered = host.call(&tool, arguments);
        let document: Value = serde_json::from_str(&answered.document.to_string().replace(&dir, "DIR")).unwrap();
        if records {
            step["failed"] = json!(answered.failed);
            step["answer"] = document.clone();
        }
        assert_eq!(answered.failed, step["failed"] == true, "{name} {tool}: {}", answered.text);
        let mut faults = Vec::new();
        compare(&step["answer"], &document, &tool, &mut faults);
        assert!(faults.is_empty(), "{name}: {faults:?} in {document}");
        // A job that was asked to stop may have done so.
        for field in ["job_status", "units_changed"].iter().filter(|_| tool != "stop_job") {
            assert_eq!(step["answer"][*field], document[*field], "{name} {tool}");
        }
        wrong.push(answered.failed);
    }
    if records {
        transcript["list_bytes"] = json!(host.ask("tools/list", &json!({}))["result"]["tools"].to_string().len());
        fs::write(path, format!("{transcript:#}\n")).unwrap();
    }
    wrong.into_iter().take_while(|failed| *failed).count()
}

/// Notes where an answer is of another form than the one that was recorded.
fn compare(recorded: &Value, given: &Value, place: &str, faults: &mut Vec<String>) {
    match (recorded, given) {
        (Value::Object(recorded), Value::Object(given)) => {
            let lacks = |one: &Map<String, Value>, other: &Map<String, Value>| -> Vec<String> {
                let names = one.keys().filter(|name| !other.contains_key(*name) && !BY_TIME.contains(&name.as_str()));
                names.cloned().collect()
            };
            faults.extend(lacks(recorded, given).iter().map(|name| format!("{place}.{name} is missing")));
            faults.extend(lacks(given, recorded).iter().map(|name| format!("{place}.{name} is new")));
            for (name, value) in recorded {
                if let Some(other) = given.get(name) {
                    compare(value, other, &format!("{place}.{name}"), faults);
                }
            }
        }
        (Value::Array(recorded), Value::Array(given)) => {
            if recorded.is_empty() != given.is_empty() {
                faults.push(format!("{place} has {} elements", given.len()));
            }
            recorded.iter().zip(given).for_each(|(one, other)| compare(one, other, &format!("{place}[]"), faults));
        }
        _ if std::mem::discriminant(recorded) == std::mem::discriminant(given) => {}
        _ => faults.push(format!("{place} is {given}")),
    }
}
