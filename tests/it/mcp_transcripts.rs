//! What readers did who were given nothing but the list of tools and a goal: their calls are made again, and answered in the same form.
//!
//! `fixtures/mcp/transcript.py` records a conversation and makes a transcript of it; whatever lies in `fixtures/mcp/transcripts` is replayed. `JM_TEST_RECORD=1`
//! writes the answers of today into the transcripts.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::support::{Host, World};

/// How long an answer is waited for that is as it was recorded.
const DEADLINE: Duration = Duration::from_secs(30);
/// Tools that only look: what they answer may have to come about first.
const LOOKS: [&str; 8] =
    ["wait_job", "job_status", "list_jobs", "list_units", "list_failures", "get_unit", "get_results", "report"];
/// Those that have a test of their own.
const NAMED: [&str; 3] = ["test_one_then_run", "mend_and_retry_one_kind", "stop_and_find_tomorrow"];

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

#[test]
fn what_other_readers_did_is_answered_as_it_was() {
    let transcripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/mcp/transcripts");
    for file in fs::read_dir(transcripts).unwrap() {
        let name = file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        if !NAMED.contains(&name.as_str()) {
            assert!(replay(&name) <= 1, "{name}");
        }
    }
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

    let (mut wrong, mut answers) = (Vec::new(), Vec::new());
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
        let mut arguments = serde_json::from_str(&step["arguments"].to_string().replace("DIR", &dir)).unwrap();
        resolve(&mut arguments, &answers);
        let began = Instant::now();
        let (failed, document) = loop {
            let answered = host.call(&tool, arguments.clone());
            let document: Value = serde_json::from_str(&answered.document.to_string().replace(&dir, "DIR")).unwrap();
            let mut faults = Vec::new();
            compare(&step["answer"], &document, &tool, &mut faults);
            compare_states(&step["answer"], &document, &tool, &mut faults);
            if answered.failed != (step["failed"] == true) {
                faults.push(answered.text);
            }
            let is_final = !LOOKS.contains(&tool.as_str()) || began.elapsed() > DEADLINE;
            if faults.is_empty() || records && is_final {
                break (answered.failed, document);
            }
            assert!(!is_final, "{name} {tool}: {faults:?} in {document}");
            std::thread::sleep(Duration::from_millis(50));
        };
        if records {
            step["failed"] = json!(failed);
            step["answer"] = document.clone();
        }
        wrong.push(failed);
        answers.push(document);
    }
    if records {
        transcript["list_bytes"] = json!(host.ask("tools/list", &json!({}))["result"]["tools"].to_string().len());
        fs::write(path, format!("{transcript:#}\n")).unwrap();
    }
    wrong.into_iter().take_while(|failed| *failed).count()
}

/// Puts what earlier answers gave in the place of where it stands in them, such as `@3/clusters/0/cluster`.
fn resolve(arguments: &mut Value, answers: &[Value]) {
    match arguments {
        Value::Object(fields) => fields.values_mut().for_each(|value| resolve(value, answers)),
        Value::Array(values) => values.iter_mut().for_each(|value| resolve(value, answers)),
        Value::String(text) => {
            let place = text.strip_prefix('@').and_then(|place| place.split_once('/'));
            let found =
                place.and_then(|(call, rest)| answers.get(call.parse::<usize>().ok()?)?.pointer(&format!("/{rest}")));
            if let Some(found) = found {
                *arguments = found.clone();
            }
        }
        _ => {}
    }
}

/// Notes where a job is in another state than when it was recorded.
fn compare_states(recorded: &Value, given: &Value, tool: &str, faults: &mut Vec<String>) {
    // A job that was asked to stop may have done so, and one that ran may have ended.
    let is_fixed = tool != "stop_job" && recorded["job_status"] != "running";
    for field in ["job_status", "units_changed"].iter().filter(|field| is_fixed || **field == "units_changed") {
        if recorded[*field] != given[*field] {
            faults.push(format!("{field} is {}", given[*field]));
        }
    }
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
