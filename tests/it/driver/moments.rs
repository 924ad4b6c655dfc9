//! Moments that verbs at random rarely meet, brought about by a few of them in a row.

use std::io::Write;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::invariants::ran_otherwise;
use super::verbs::{Known, issue, judge, prepare, with_source};
use super::{Driver, processes};
use crate::support::{Random, identity, send, text, wait_for};

/// More lines than one transaction of a creation inserts.
const BULK: usize = 10_001;

/// Time for which nobody else may write.
const LONGEST_LOCK: Duration = Duration::from_millis(300);

pub fn one_of_them(driver: &Driver, job: &Known, random: &mut Random) {
    match random.below(7) {
        0..=2 => change_and_change_back(driver, job, random),
        3 | 4 => cancel_interrupted(driver, job, random),
        5 | 6 if job.batch.has_source() => synchronise_twice_at_once(driver, job, random),
        _ => {}
    }
}

/// Changes units, and changes them back, while their manager stands still and has not recorded that it has begun with them.
fn change_and_change_back(driver: &Driver, job: &Known, random: &mut Random) {
    let Some(pid) = job.pid.filter(|pid| processes::is_of_world(driver, *pid)) else { return };
    // While somebody else holds the write lock: a manager that stands still does not.
    while_unrecorded(driver, job, || {
        send(pid, Signal::SIGSTOP);
        let asked = Instant::now();
        while identity(pid).is_some_and(|found| !matches!(found.state, 'T' | 'Z' | 'X')) {
            if asked.elapsed() > LONGEST_LOCK {
                send(pid, Signal::SIGCONT);
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let first = first_unit(driver, &job.id, "pending");
    if let Some(first) = first {
        let range = format!("{first}-{}", first + 5);
        let skip = ["skip", &job.id, "--seq", &range].map(str::to_owned);
        issue(driver, &skip, random);
        if job.batch.has_source() {
            issue(driver, &with_source("sync", job, driver, random), random);
        }
        if job.batch.may_run_again() {
            let retry = ["retry", &job.id, "--status", "skipped", "--status", "failed"].map(str::to_owned);
            issue(driver, &retry, random);
        }
    }
    send(pid, Signal::SIGCONT);
    if let Some(first) = first {
        look_at_payloads(driver, job, first);
    }
}

/// Looks at what a job's units are said to have done, once one of them has ended or when that takes long.
fn look_at_payloads(driver: &Driver, job: &Known, unit: u64) {
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_secs(2) {
        let listed = driver.world.run(&["units", &job.id, "--json", "--limit", "1000"]);
        let Ok(mut page) = serde_json::from_slice::<Value>(&listed.stdout) else { return };
        let Some(units) = page["units"].as_array_mut() else { return };
        if let Some(found) = ran_otherwise(&driver.world, &job.uid, units) {
            return driver.violation(found);
        }
        if units.iter().any(|found| found["seq"] == unit && found["status"] == "completed") {
            return;
        }
    }
}

/// Does something while nobody can write to the database and, if the job runs, a unit of it has begun meanwhile.
pub fn while_unrecorded(driver: &Driver, job: &Known, something: impl FnOnce()) {
    let begun = || driver.world.lines("started").iter().filter(|line| line.starts_with(&job.uid)).count();
    let _lock = driver.world.hold_write_lock();
    let (before, asked) = (begun(), Instant::now());
    while begun() == before && asked.elapsed() < LONGEST_LOCK {
        std::thread::sleep(Duration::from_millis(10));
    }
    something();
}

/// Returns the number of a job's first unit in a state.
pub fn first_unit(driver: &Driver, job: &str, status: &str) -> Option<u64> {
    let listed = driver.world.run(&["units", job, "--status", status, "--limit", "1", "--json"]);
    let page: Value = serde_json::from_slice(&listed.stdout).ok()?;
    page["units"][0]["seq"].as_u64()
}

/// Cancels a job whose manager has just been killed: none of the units that ran then lives when that is answered.
fn cancel_interrupted(driver: &Driver, job: &Known, random: &mut Random) {
    let Some(pid) = job.pid.filter(|pid| processes::is_of_world(driver, *pid)) else { return };
    processes::note_daemons(driver, job);
    send(pid, Signal::SIGKILL);
    driver.killed.fetch_add(1, Ordering::Relaxed);
    let running = processes::units_of(driver, job);
    let args = ["cancel", &job.id].map(str::to_owned);
    let output = prepare(driver, &args, random).output().unwrap();
    judge(driver, &args, &output);
    let living: Vec<u32> = running.into_iter().filter(|pid| processes::is_unit_of(*pid, job)).collect();
    if output.status.success() && !living.is_empty() {
        driver.violation(format!("job {} is cancelled, and units of it go on: {living:?}", job.id));
    }
    if job.batch.may_run_again() {
        issue(driver, &["retry", &job.id, "--status", "failed", "--status", "cancelled"].map(str::to_owned), random);
    }
}

/// Brings a job in line with two versions of its source at once.
fn synchronise_twice_at_once(driver: &Driver, job: &Known, random: &mut Random) {
    let mut one = prepare(driver, &with_source("sync", job, driver, random), random);
    let mut one = one.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    issue(driver, &with_source("sync", job, driver, random), random);
    one.wait().unwrap();
}

/// Creates a job from lines that come slowly, in several transactions, and another one meanwhile; deletes both again. So many
/// lines keep others from writing for long where the machine is busy, so that this is for when nobody issues verbs any more.
pub fn create_beside_a_creation(driver: &Driver, random: &mut Random) {
    let slow = ["create", "-q", "--name", "bulk", "--lines", "-", "--", "./unit", "{}"].map(str::to_owned);
    let quick = ["create", "-q", "--name", "bulk", "--", "./unit", "x"].map(str::to_owned);
    let mut command = prepare(driver, &slow, random);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = process.stdin.take().unwrap();
    // One that ends before it has read all says why.
    let _ = lines.write_all("x\n".repeat(BULK).as_bytes());
    let partial = "(SELECT count(*) FROM jobs WHERE name = 'bulk' AND status = 'partial')";
    wait_for(&driver.world, "a creation to be under way", || {
        driver.world.count(partial) > 0 || process.try_wait().unwrap().is_some()
    });
    let other = prepare(driver, &quick, random).output().unwrap();
    drop(lines);
    for (args, created) in [(&slow[..], process.wait_with_output().unwrap()), (&quick[..], other)] {
        judge(driver, args, &created);
        if created.status.success() {
            let id = text(&created.stdout).trim().to_owned();
            let removed = driver.world.run(&["rm", "-y", &id]);
            if !removed.status.success() {
                driver.violation(format!("job {id} was created and cannot be deleted: {}", text(&removed.stderr)));
            }
        }
    }
}
