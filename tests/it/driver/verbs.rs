//! One verb at random, and what it may answer.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::batches::{ALIAS, Batch};
use super::{Driver, moments, processes};
use crate::support::{Random, exists, send, text};

/// Jobs are added until there are so many that have not ended.
const JOBS: usize = 4;
/// Answers of a verb: done, refused, or how a job ended.
const ANSWERS: [i32; 9] = [0, 2, 3, 4, 10, 11, 12, 13, 124];
/// Answers of a verb that creates a job and starts it, which somebody else may stop, cancel or delete meanwhile.
const ANSWERS_OF_SUBMIT: [i32; 7] = [0, 3, 4, 10, 11, 12, 13];
/// What no answer contains.
const UNFIT: [&str; 7] = [
    "panicked",
    "should not happen",
    "database is locked",
    "constraint failed",
    "SQLITE",
    "disk I/O",
    "no such column",
];

pub struct Known {
    pub id: String,
    pub uid: String,
    pub batch: Batch,
    pub status: String,
    pub pid: Option<u32>,
    pub total: u64,
}

pub fn issue_one(driver: &Driver, random: &mut Random) {
    let Some(jobs) = jobs(driver) else { return };
    let open = jobs.iter().filter(|job| !matches!(&*job.status, "completed" | "failed" | "cancelled")).count();
    if open < JOBS {
        let batch = Batch::ALL[random.below(4) as usize];
        let verb = ["submit", "submit", "create", "run"][random.below(4) as usize];
        let mut args = vec![verb.to_owned()];
        args.extend(batch.submission(&driver.world, random));
        return issue(driver, &args, random);
    }
    let job = &jobs[random.below(jobs.len() as u64) as usize];
    match random.below(48) {
        0..=3 => return disturb(driver, job, random),
        4..=8 => return moments::one_of_them(driver, job, random),
        _ => {}
    }
    issue(driver, &verb(driver, job, random), random);
}

/// Reads the jobs as a client does.
fn jobs(driver: &Driver) -> Option<Vec<Known>> {
    let output = driver.world.run(&["list", "-a", "--json"]);
    if output.status.code() == Some(3) {
        // No job has been created, or none is left.
        return Some(Vec::new());
    }
    if !output.status.success() {
        driver.violation(format!("list: {} {}", output.status, text(&output.stderr)));
        return None;
    }
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let known = document["jobs"].as_array().unwrap().iter().filter_map(|job| {
        Some(Known {
            id: job["job"]["id"].to_string(),
            uid: job["job"]["uid"].as_str().unwrap().to_owned(),
            batch: Batch::of(job["job"]["name"].as_str().unwrap())?,
            status: job["job_status"].as_str().unwrap().to_owned(),
            pid: job["pid"].as_u64().map(|pid| u32::try_from(pid).unwrap()),
            total: job["progress"]["total"].as_u64().unwrap(),
        })
    });
    Some(known.collect())
}

/// Kills or suspends a job's manager; one that another process has seen to its end is left alone by the kernel.
fn disturb(driver: &Driver, job: &Known, random: &mut Random) {
    let Some(pid) = job.pid.filter(|pid| processes::is_of_world(driver, *pid)) else { return };
    if random.below(3) == 0 {
        send(pid, Signal::SIGSTOP);
        std::thread::sleep(Duration::from_millis(random.below(400)));
        return send(pid, Signal::SIGCONT);
    }
    processes::note_daemons(driver, job);
    let signal = [Signal::SIGKILL, Signal::SIGKILL, Signal::SIGTERM][random.below(3) as usize];
    match random.below(3) {
        0 => moments::while_unrecorded(driver, job, || send(pid, signal)),
        _ => send(pid, signal),
    }
    driver.killed.fetch_add(1, Ordering::Relaxed);
}

fn verb(driver: &Driver, job: &Known, random: &mut Random) -> Vec<String> {
    let id = job.id.as_str();
    let unit = format!("{id}:{}", 1 + random.below(job.total.max(1)));
    let first = 1 + random.below(job.total.max(1));
    let range = format!("{first}-{}", first + random.below(5));
    let workers = (1 + random.below(6)).to_string();
    let args: Vec<&str> = match random.below(45) {
        0..=5 => vec!["resume", id],
        6 => vec!["start", id],
        7 => vec!["resume", "--all"],
        8 => vec!["recover", "--all"],
        9 => vec!["stop", id],
        10 => vec!["stop", id, "--wait"],
        11 => vec!["stop", id, "--now"],
        12 => vec!["stop", id, "--grace", "100ms"],
        13 if random.below(3) == 0 => vec!["cancel", id],
        14 if random.below(3) == 0 => vec!["cancel", id, "--no-wait"],
        13 | 14 => vec!["cancel", &unit],
        15..=18 => return end_running_unit(driver, job, random),
        19 | 20 if job.batch.may_run_again() => vec!["retry", id],
        21 if job.batch.may_run_again() => vec!["retry", id, "--seq", &range],
        22 if job.batch.may_run_again() => vec!["retry", id, "--status", "skipped", "--status", "cancelled"],
        19..=22 => vec!["failures", id],
        23 => vec!["skip", id, "--seq", &range],
        24 => vec!["scale", id, &workers],
        25 => vec!["set", id, "max-attempts=4", "backoff=1ms..30ms"],
        26..=28 if job.batch.has_source() => return with_source("sync", job, driver, random),
        29 if job.batch != Batch::Once => return with_source("add", job, driver, random),
        26..=29 => vec!["units", id, "--sort", "-seq"],
        30 => vec!["approve", id],
        31 => vec!["reject", id],
        32 => vec!["status", id, "--exit-code"],
        33 => vec!["units", id, "--status", "running", "--json"],
        34 => vec!["unit", &unit],
        35 => vec!["logs", &unit],
        36 => vec!["logs", id, "--manager", "-n", "5"],
        37 => vec!["explain", id],
        38 => vec!["explain", &unit],
        39 => vec!["results", id, "--format", "csv"],
        40 => vec!["wait", id, "--timeout", "200ms"],
        41 => vec!["doctor"],
        42 => vec!["prune", "-y", "--keep", "3"],
        43 => return of_the_help(driver, id, random),
        _ => vec!["rm", "-y", id],
    };
    args.into_iter().map(str::to_owned).collect()
}

/// Issues one of the verbs that change a job and need nothing but its name, whichever the help lists: one that is new is among
/// them.
fn of_the_help(driver: &Driver, id: &str, random: &mut Random) -> Vec<String> {
    static VERBS: OnceLock<Vec<String>> = OnceLock::new();
    let verbs = VERBS.get_or_init(|| {
        let help = driver.world.ok(&["help"]);
        let changing = help.lines().skip_while(|line| *line != "Steer:").take_while(|line| *line != "Serve:");
        let names = changing.filter(|line| line.starts_with("  ")).filter_map(|line| line.split_whitespace().next());
        let needs_a_job = |verb: &&str| {
            let usage = driver.world.ok(&["help", verb]);
            usage.lines().any(|line| {
                line.starts_with("Usage: ") && [" [JOB]", " [JOB[:SEQ]]"].iter().any(|job| line.ends_with(job))
            })
        };
        names.filter(needs_a_job).map(str::to_owned).collect()
    });
    assert!(verbs.len() > 3, "the help lists no verbs: {verbs:?}");
    vec![verbs[random.below(verbs.len() as u64) as usize].clone(), id.to_owned(), "-y".to_owned()]
}

/// Asks that a unit ends which ran a moment ago; where none did, that the first one does.
fn end_running_unit(driver: &Driver, job: &Known, random: &mut Random) -> Vec<String> {
    let seq = moments::first_unit(driver, &job.id, "running").unwrap_or(1);
    let unit = format!("{}:{seq}", job.id);
    let then = ["retry", "retry", "fail", "skip"][random.below(4) as usize];
    let mut args = match random.below(4) {
        0 => vec!["cancel", &unit],
        _ => vec!["kill", &unit, "--then", then],
    };
    args.extend((random.below(2) == 0).then_some("--no-wait"));
    args.into_iter().map(str::to_owned).collect()
}

pub fn with_source(verb: &str, job: &Known, driver: &Driver, random: &mut Random) -> Vec<String> {
    let mut args = vec![verb.to_owned(), job.id.clone()];
    args.extend(job.batch.source(&driver.world, random));
    args
}

/// Prepares a verb, which one time in four reaches the database by its other name.
pub fn prepare(driver: &Driver, args: &[String], random: &mut Random) -> Command {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut command = driver.world.job_manager(&words);
    if random.below(4) == 0 && exists(&driver.world.db()) {
        command.env("JOB_MANAGER_DB", driver.world.path(ALIAS));
    }
    command
}

/// Runs a verb, which one time in eight is killed on the way, and looks at its answer.
pub fn issue(driver: &Driver, args: &[String], random: &mut Random) {
    driver.verbs.fetch_add(1, Ordering::Relaxed);
    let mut command = prepare(driver, args, random);
    let kill = (args[0] == "kill").then(|| args[1].clone());
    let count_kill = |number: usize| {
        if let Some(unit) = &kill {
            *driver.kills.lock().unwrap().entry(unit.clone()).or_default() += number;
        }
    };
    if random.below(8) == 0 {
        count_kill(1);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(random.below(60)));
        child.kill().unwrap();
        child.wait().unwrap();
        driver.killed.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let output = command.output().unwrap();
    let is_refused = output.status.code() == Some(3) || text(&output.stderr).contains("does not run, it is");
    count_kill(usize::from(!is_refused));
    judge(driver, args, &output);
}

/// Looks at the answer of a verb.
pub fn judge(driver: &Driver, args: &[String], output: &Output) {
    let said = text(&output.stderr);
    let verb = args[0].as_str();
    let answers: &[i32] = match verb {
        "create" => &[0],
        "submit" | "run" => &ANSWERS_OF_SUBMIT,
        _ => &ANSWERS,
    };
    let fit = output.status.code().is_some_and(|code| answers.contains(&code));
    let has_error = said.contains("error: ") || said.contains("\"error\":{");
    let reason = matches!(output.status.code(), Some(0 | 10..=13)) || has_error || verb == "wait";
    if !fit || !reason || UNFIT.iter().any(|unfit| said.contains(unfit)) {
        let status = output.status.signal().map_or(output.status.to_string(), |signal| format!("signal {signal}"));
        driver.violation(format!("{args:?}: {status}\n{said}"));
    }
}
