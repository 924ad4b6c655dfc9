//! What must hold when nobody issues verbs any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Driver;
use super::batches::Batch;
use crate::support::{Random, World, wait_for};

/// Lets every job end, and checks each and the whole database.
pub fn check(driver: &Driver) {
    let world = &driver.world;
    for (job, batch) in jobs(world) {
        end(world, &job);
        if matches!(batch, Batch::Keyed | Batch::Lines) {
            synchronise(world, &job, batch);
            end(world, &job);
        }
        check_job(driver, &job, batch);
    }
    assert_eq!(world.lines("overlaps"), [] as [String; 0], "two attempts of a unit (job, unit, attempt) at once");
    for (table, of) in
        [("units", "job_id NOT IN (SELECT id FROM jobs)"), ("metadata", "job_id NOT IN (SELECT id FROM jobs)")]
    {
        assert_eq!(world.count(&format!("(SELECT count(*) FROM {table} WHERE {of})")), 0, "{table} without a job");
    }
    for table in ["attempts", "unit_notes", "made_paths"] {
        let stray = format!("(SELECT count(*) FROM {table} WHERE unit_id NOT IN (SELECT id FROM units))");
        assert_eq!(world.count(&stray), 0, "{table} without a unit");
    }
    world.assert_no_process_left();
}

fn jobs(world: &World) -> Vec<(String, Batch)> {
    let Ok(document) = serde_json::from_slice::<Value>(&world.run(&["list", "-a", "--json"]).stdout) else {
        return Vec::new();
    };
    let jobs = document["jobs"].as_array().unwrap().iter();
    jobs.map(|job| (job["job"]["id"].to_string(), Batch::of(job["job"]["name"].as_str().unwrap()).unwrap())).collect()
}

/// Resumes a job until it has ended; nothing else may be needed, except for an approval or a cancellation that was asked for.
fn end(world: &World, job: &str) {
    wait_for(world, &format!("job {job} to end"), || {
        let status = world.status(job);
        match status["job_status"].as_str().unwrap() {
            "completed" | "failed" | "cancelled" => return status["status"] != "running",
            "awaiting_approval" => drop(world.run(&["approve", job])),
            _ if status["cancel_requested"] == true => drop(world.run(&["cancel", job])),
            _ => {
                let resumed = world.run(&["resume", job]);
                assert!(matches!(resumed.status.code(), Some(0 | 4)), "{resumed:?}");
            }
        }
        false
    });
}

/// Brings a job in line with a last version of its source, twice.
fn synchronise(world: &World, job: &str, batch: Batch) {
    let mut args = vec!["sync".to_owned(), job.to_owned()];
    args.extend(batch.source(world, &mut Random::of(7)));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    world.ok(&args);
    let again = world.ok(&args);
    assert!(again.starts_with("+0 new, ~0 changed, -0 gone"), "a second sync of job {job}: {again}");
    let live = world.units(job).into_iter().filter(|unit| unit["outdated"].is_null());
    let mut items: Vec<String> = live.map(|unit| unit["payload"].to_string()).collect();
    let all = items.len();
    items.sort();
    items.dedup();
    assert_eq!(items.len(), all, "job {job} has an item twice");
}

fn check_job(driver: &Driver, job: &str, batch: Batch) {
    let world = &driver.world;
    world.assert_sound(job);
    let uid = world.status(job)["job"]["uid"].as_str().unwrap().to_owned();
    let of_job = format!("{uid} ");
    let ran =
        |ledger: &str| world.lines(ledger).into_iter().filter(|line| line.starts_with(&of_job)).collect::<Vec<_>>();
    let finished: BTreeSet<String> = ran("finished").into_iter().collect();
    for unit in world.units(job).iter().filter(|unit| unit["status"] == "completed") {
        let line = format!("{uid} {} {}", unit["seq"], item(&unit["payload"]));
        assert!(
            finished.contains(&line),
            "called completed, and did not run with its payload: {unit}\n{}",
            world.report()
        );
    }
    if batch == Batch::Once {
        let mut starts: BTreeMap<String, usize> = BTreeMap::new();
        ran("started").into_iter().for_each(|line| *starts.entry(line).or_default() += 1);
        let repeated: Vec<_> = starts.iter().filter(|(_, count)| **count > 1).collect();
        assert!(repeated.is_empty(), "ran more than once: {repeated:?}\n{}", world.report());
    }
    let killed = world.count(&format!(
        "(SELECT count(*) FROM attempts JOIN units ON units.id = unit_id WHERE job_id = {job} AND cause = 'killed')"
    ));
    let asked = driver.kills.lock().unwrap().get(job).copied().unwrap_or_default();
    assert!(killed <= i64::try_from(asked).unwrap(), "{asked} requests ended {killed} attempts of job {job}");
}

/// Returns what a unit was given, as it writes it down.
fn item(payload: &Value) -> String {
    match payload {
        Value::String(text) => text.clone(),
        Value::Object(row) => format!("{}:{}", row["id"].as_str().unwrap(), row["v"].as_str().unwrap()),
        other => other.to_string(),
    }
}
