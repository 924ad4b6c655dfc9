//! What must hold when nobody issues verbs any more.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use serde_json::Value;

use super::Driver;
use super::batches::Batch;
use crate::support::{World, wait_for};

/// Lets every job end, and checks each and the whole database.
pub fn check(driver: &Driver) {
    let world = &driver.world;
    for (job, batch) in jobs(world) {
        resume_during_stop(world, &job);
        end(world, &job);
        if batch.has_source() {
            check_payloads(world, &job);
            synchronise(world, &job, batch);
            end(world, &job);
        }
        check_job(driver, &job, batch);
    }
    assert_eq!(world.lines("overlaps"), [] as [String; 0], "two attempts of a unit (job, unit, attempt) at once");
    for table in ["units", "metadata", "managers"] {
        let stray = format!("(SELECT count(*) FROM {table} WHERE job_id NOT IN (SELECT id FROM jobs))");
        assert_eq!(world.count(&stray), 0, "{table} without a job");
    }
    for table in ["attempts", "unit_notes", "made_paths"] {
        let stray = format!("(SELECT count(*) FROM {table} WHERE unit_id NOT IN (SELECT id FROM units))");
        assert_eq!(world.count(&stray), 0, "{table} without a unit");
    }
    let replaced = "(SELECT count(*) FROM units WHERE outdated = 'replaced' AND status <> 'skipped')";
    assert_eq!(world.count(replaced), 0, "units that others replace have run again");
    world.assert_no_process_left();
    let ended: BTreeSet<String> = world.lines("daemons").into_iter().collect();
    let daemons = driver.daemons.lock().unwrap();
    let lost: Vec<_> = daemons.iter().filter(|pid| !ended.contains(&pid.to_string())).collect();
    assert!(lost.is_empty(), "daemons of completed units were ended: {lost:?}\n{}", world.report());
}

fn jobs(world: &World) -> Vec<(String, Batch)> {
    let Ok(document) = serde_json::from_slice::<Value>(&world.run(&["list", "-a", "--json"]).stdout) else {
        return Vec::new();
    };
    let jobs = document["jobs"].as_array().unwrap().iter();
    jobs.filter_map(|job| Some((job["job"]["id"].to_string(), Batch::of(job["job"]["name"].as_str().unwrap())?)))
        .collect()
}

/// Resumes a job that is being stopped: whoever is told that it runs finds it running on.
fn resume_during_stop(world: &World, job: &str) {
    let is_running = |status: &Value| status["status"] == "running" && status["job_status"] == "running";
    if !is_running(&world.status(job)) {
        return;
    }
    world.run(&["stop", job]);
    if !world.run(&["resume", job]).status.success() {
        return;
    }
    wait_for(world, &format!("job {job} to go on"), || {
        let status = world.status(job);
        let by_signal = format!(
            "(SELECT count(*) FROM metadata WHERE job_id = {job} AND key IN ('stopped_by_signal', 'halt_reason'))"
        );
        // A signal that came just before may not have been seen when the resume was answered.
        assert!(
            status["job_status"] != "paused" || world.count(&by_signal) > 0,
            "job {job} was resumed and has paused: {status}\n{}",
            world.report()
        );
        status["status"] != "running" || status["progress"]["pending"] == 0
    });
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

/// Brings a job in line with a last version of its source, from several processes at once, and once more.
fn synchronise(world: &World, job: &str, batch: Batch) {
    let mut args = vec!["sync".to_owned(), job.to_owned()];
    args.extend(batch.last_source(world));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let sync = || world.job_manager(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let at_once = [sync(), sync()];
    for mut one in at_once {
        assert!(one.wait().unwrap().success(), "{}", world.report());
    }
    let again = world.ok(&args);
    assert!(again.starts_with("+0 new, ~0 changed, -0 gone"), "a second sync of job {job}: {again}");
    let live = world.units(job).into_iter().filter(|unit| unit["outdated"].is_null());
    let mut items: Vec<String> = live.map(|unit| unit["payload"].to_string()).collect();
    let all = items.len();
    items.sort();
    items.dedup();
    assert_eq!(items.len(), all, "job {job} has an item twice");
}

/// Checks that each unit which is called completed ran to its end with the payload that its row has.
fn check_payloads(world: &World, job: &str) {
    if let Some(found) = ran_otherwise(world, &uid_of(world, job), &world.units(job)) {
        panic!("{found}\n{}", world.report());
    }
}

/// Returns what is wrong with a unit that is called completed and never ran to its end with the payload that its row has. That
/// holds at any time for units that were read before.
pub fn ran_otherwise(world: &World, uid: &str, units: &[Value]) -> Option<String> {
    let finished: BTreeSet<String> = ledger(world, "finished", uid).into_iter().collect();
    let found = units.iter().filter(|unit| unit["status"] == "completed").find(|unit| {
        let line = format!("{uid} {} {}", unit["seq"], item(&unit["payload"]));
        !finished.contains(&line)
    });
    found.map(|unit| format!("called completed, and did not run with its payload: {unit}"))
}

fn check_job(driver: &Driver, job: &str, batch: Batch) {
    let world = &driver.world;
    world.assert_sound(job);
    check_payloads(world, job);
    if batch == Batch::Once {
        let mut starts: BTreeMap<String, usize> = BTreeMap::new();
        ledger(world, "started", &uid_of(world, job))
            .into_iter()
            .for_each(|line| *starts.entry(line).or_default() += 1);
        let repeated: Vec<_> = starts.iter().filter(|(_, count)| **count > 1).collect();
        assert!(repeated.is_empty(), "ran more than once: {repeated:?}\n{}", world.report());
    }
    let killed = |unit: &str| {
        world.count(&format!(
            "(SELECT count(*) FROM attempts JOIN units ON units.id = unit_id \
             WHERE job_id = {job} AND seq LIKE '{unit}' AND cause = 'killed')"
        ))
    };
    let of_job = format!("{job}:");
    let kills = driver.kills.lock().unwrap();
    let mut explained = 0;
    for (unit, asked) in kills.iter().filter(|(unit, _)| unit.starts_with(&of_job)) {
        let ended = killed(&unit[of_job.len()..]);
        assert!(ended <= i64::try_from(*asked).unwrap(), "{asked} requests ended {ended} attempts of unit {unit}");
        explained += ended;
    }
    assert_eq!(killed("%"), explained, "attempts of job {job} were ended that nobody had asked for");
}

fn uid_of(world: &World, job: &str) -> String {
    world.status(job)["job"]["uid"].as_str().unwrap().to_owned()
}

/// Returns the lines of a ledger about one job.
fn ledger(world: &World, name: &str, uid: &str) -> Vec<String> {
    world.lines(name).into_iter().filter(|line| line.starts_with(uid)).collect()
}

/// Returns what a unit was given, as it writes it down.
fn item(payload: &Value) -> String {
    match payload {
        Value::String(text) => text.clone(),
        Value::Object(row) => format!("{}:{}", row["id"].as_str().unwrap(), row["v"].as_str().unwrap()),
        other => other.to_string(),
    }
}
