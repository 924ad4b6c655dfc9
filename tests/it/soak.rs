//! Many jobs for many minutes, with everything that can happen to them in random order.
//!
//! `make soak MINUTES=20` runs it; the seed is printed and taken from `JM_TEST_SEED`.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Random, World, is_root, send, text, wait_for, without};

const JOBS: usize = 3;
const UNITS: usize = 150;
const UNIT: &str = "exec 9>lock.$JOB_MANAGER_JOB.$JOB_MANAGER_UNIT; \
    flock -n 9 || echo overlap $JOB_MANAGER_JOB:$JOB_MANAGER_UNIT >>overlaps; \
    setsid sleep 0.2 >/dev/null 2>&1 </dev/null 9>&- & sleep 0.0{}; \
    echo $JOB_MANAGER_UNIT >>done.$JOB_MANAGER_JOB; test {} != 7 || test $JOB_MANAGER_ATTEMPT -gt 1";

/// A small disk for the database, unmounted at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(world: &World) -> SmallDisk {
        let path = world.path("small");
        std::fs::create_dir(&path).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=48m", "none"]).arg(&path).status().unwrap();
        assert!(mounted.success());
        SmallDisk(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: processes of a test that failed may still use it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[derive(Default, Debug)]
struct Tally {
    jobs: u32,
    kills: u32,
    stops: u32,
    resumes: u32,
    full_disks: u32,
    clock_steps: u32,
    /// Jobs with units that met three deaths of their manager.
    given_up: u32,
    repeats: usize,
}

#[test]
#[ignore = "runs for minutes: make soak MINUTES=20"]
fn soak() {
    if !is_root() {
        return without("mounting a small disk needs root");
    }
    let minutes: f64 = std::env::var("MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(1.0);
    let mut random = Random::seeded();
    let world = World::new();
    let _disk = SmallDisk::mount(&world);
    let world = world.with_db("small/jobs.db");
    let items: String = (0..UNITS).map(|_| format!("{}\n", random.below(10))).collect();
    world.write("items", &items);
    let mut tally = Tally::default();
    let mut live: Vec<String> = Vec::new();

    let began = Instant::now();
    while began.elapsed() < Duration::from_secs_f64(minutes * 60.0) {
        while live.len() < JOBS {
            live.push(world.ok(&[
                "submit",
                "-j",
                "4",
                "--backoff",
                "1ms..20ms",
                "--kill-after",
                "300ms",
                "--env",
                "LD_PRELOAD=",
                "--lines",
                "items",
                "--shell",
                "--",
                UNIT,
            ]));
            tally.jobs += 1;
        }
        let job = live[random.below(live.len() as u64) as usize].clone();
        disturb(&world, &job, &mut random, &mut tally);
        std::thread::sleep(Duration::from_millis(random.below(150)));
        live.retain(|job| !has_ended(&world, job, &mut tally));
        assert!(world.lines("overlaps").is_empty(), "{:?}\n{}", world.lines("overlaps"), world.report());
    }
    for job in &live {
        wait_for(&world, "the job to end", || {
            resume(&world, job);
            has_ended(&world, job, &mut tally)
        });
    }
    world.assert_no_process_left();
    println!("{tally:?}, 0 violations");
}

fn disturb(world: &World, job: &str, random: &mut Random, tally: &mut Tally) {
    match random.below(10) {
        0..=2 => {
            if let Some(pid) = world.status(job)["pid"].as_u64() {
                send(u32::try_from(pid).unwrap(), Signal::SIGKILL);
                tally.kills += 1;
            }
        }
        3 => {
            world.run(&["stop", job]);
            tally.stops += 1;
        }
        4 => {
            world.run(&["stop", job, "--now"]);
            tally.stops += 1;
        }
        5 => {
            world.write("small/filler", "");
            // Ends with an error when the disk is full, which is the purpose.
            world.sh("dd if=/dev/zero of=small/filler bs=64k 2>/dev/null");
            std::thread::sleep(Duration::from_millis(300));
            std::fs::remove_file(world.path("small/filler")).unwrap();
            tally.full_disks += 1;
        }
        6 => {
            let step = ["+1d", "-1d", "+3y"][random.below(3) as usize];
            if let Some(mut resume) = world.with_clock(step, &["resume", job]) {
                resume.output().unwrap();
                tally.clock_steps += 1;
            }
        }
        7 => {
            let mut many: Vec<_> = (0..6)
                .map(|_| {
                    world.job_manager(&["resume", job]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
                })
                .collect();
            for one in &mut many {
                one.wait().unwrap();
            }
            tally.resumes += 6;
        }
        _ => {
            resume(world, job);
            tally.resumes += 1;
        }
    }
}

fn resume(world: &World, job: &str) {
    let resumed = world.run(&["resume", job]);
    // 5: the disk was full at that moment.
    assert!(matches!(resumed.status.code(), Some(0 | 1 | 4 | 5)), "{}", text(&resumed.stderr));
}

/// Checks the job when it has ended, and deletes it.
fn has_ended(world: &World, job: &str, tally: &mut Tally) -> bool {
    let status = world.status(job);
    let progress = &status["progress"];
    let count = |state: &str| progress[state].as_u64().unwrap();
    let sum: u64 = ["pending", "running", "completed", "failed", "skipped", "cancelled"].iter().map(|s| count(s)).sum();
    assert_eq!(sum, count("total"), "{status}");
    if status["job_status"] == "failed" {
        ask_again(world, job, &status);
        tally.given_up += 1;
        return false;
    }
    if status["job_status"] != "completed" {
        return false;
    }
    let done = world.lines(&format!("done.{job}"));
    let distinct: std::collections::BTreeSet<&String> = done.iter().collect();
    assert_eq!(distinct.len(), UNITS, "a unit is called completed and did not run");
    tally.repeats += done.len() - UNITS;
    wait_for(world, "the manager to end", || world.status(job)["status"] == "stopped");
    world.assert_sound(job);
    world.ok(&["rm", "-y", job]);
    true
}

/// A unit that met three deaths of its manager is failed by design; nothing else may be.
fn ask_again(world: &World, job: &str, status: &Value) {
    assert!(status["error"].is_null(), "{status}");
    for unit in world.units(job).iter().filter(|unit| unit["status"] == "failed") {
        assert!(unit["error"].to_string().contains("the manager died 3 times"), "{unit}");
    }
    // 5: the disk is full at this moment.
    assert!(matches!(world.run(&["retry", "--no-start", job, "--failed"]).status.code(), Some(0 | 5)));
}
