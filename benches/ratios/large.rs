//! What must not grow with the number of units.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use job_manager::Client;
use job_manager::client::{ManagerProgram, diesel};
use job_manager::model::{JobId, Timestamp};

use crate::measure::{Bench, in_turns, median, scratch};
use crate::ours;

const MILLION: u32 = 1_000_000;
const SIZES: [u32; 4] = [1_000, 10_000, 100_000, MILLION];
const SLEEPERS: u32 = 20_000;
const SLEEPING_WORKERS: usize = 64;

/// Time for each unit at growing numbers of them, without what every job costs once: the time of a job of one unit.
pub fn flat(bench: &Bench) {
    if !bench.wants("flat") {
        return;
    }
    // A small job is over within milliseconds, and the mood of the disk with it: more of them are looked at.
    let of = |units: u32| {
        let repeats = (60_000 / units).clamp(1, 45);
        median((0..repeats).map(|_| ours::duration(scratch().path(), "nothing", units).as_secs_f64()).collect())
    };
    let [single, times @ ..] =
        in_turns([&mut || of(1), &mut || of(SIZES[0]), &mut || of(SIZES[1]), &mut || of(SIZES[2]), &mut || {
            of(SIZES[3])
        }]);
    let times: Vec<f64> =
        SIZES.iter().zip(times).map(|(units, time)| (time - single) * 1e6 / f64::from(units - 1)).collect();
    let shown: Vec<String> = SIZES.iter().zip(&times).map(|(units, time)| format!("{units}: {time:.2} µs")).collect();
    println!("| a job of one no-op unit | {:.1} ms | | | |", single * 1e3);
    println!("| time for each further no-op unit | {} | | | |", shown.join(", "));
    let (least, most) = (times.iter().copied().fold(f64::MAX, f64::min), times.iter().copied().fold(0.0, f64::max));
    bench.print_bound("spread of those times", (most / least - 1.0) * 100.0, "%", 15.0)
}

/// A million units, half of them done, when the manager is killed.
pub fn resume(bench: &Bench) {
    if !bench.wants("resume") {
        return;
    }
    let [first_unit, status, memory_large, memory_small, bytes] = in_turns([
        &mut || half_done(|dir, client, job| resume_time(dir, client, job).as_secs_f64() * 1e3),
        &mut || half_done(|dir, _, _| status_time(dir).as_secs_f64() * 1e3),
        &mut || peak(MILLION),
        &mut || peak(1_000),
        &mut || bytes_per_unit(),
    ]);
    println!("| bytes on disk for each of a million completed units | {bytes:.0} | | | |");
    bench.print_bound("a million units, half done, killed: `resume` to the first unit", first_unit, "ms", 100.0);
    bench.print_bound("`status` of it, whole process", status, "ms", 15.0);
    bench.print_bound("manager's peak memory at a million units", memory_large, "MiB", 40.0);
    bench.print_bound("the same, above that at a thousand", (memory_large / memory_small - 1.0) * 100.0, "%", 20.0);
}

/// Many workers and four readers that ask without a pause.
pub fn busy(bench: &Bench) {
    if !bench.wants("busy") {
        return;
    }
    let [share] = in_turns([&mut || busy_share() * 100.0]);
    let lazy = 100.0 - share;
    bench.print_bound("64 workers of 10 ms units beside four readers: share of their time not in units", lazy, "%", 5.0)
}

fn half_done(measure: impl FnOnce(&Path, &Client, JobId) -> f64) -> f64 {
    let dir = scratch();
    let (client, job) = ours::create(dir.path(), "first", MILLION, 2);
    let client = client.with_program(ManagerProgram::ThisExecutable);
    client.start_detached(job).expect("the manager starts");
    while client.job(job).expect("the job can be read").progress.completed < i64::from(MILLION / 2) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = client.get_manager_status(job).expect("the job can be read").pid.expect("it runs");
    ours::succeed(std::process::Command::new("kill").args(["-KILL", &pid.to_string()]));
    while client.get_manager_status(job).expect("the job can be read").pid.is_some() {
        std::thread::sleep(Duration::from_millis(1));
    }
    measure(dir.path(), &client, job)
}

/// Returns the time from the call of `resume` to the moment at which the first unit runs.
fn resume_time(dir: &Path, client: &Client, job: JobId) -> Duration {
    let began = Timestamp::now();
    client.resume_job(job).expect("the job can be resumed");
    ours::wait(client, job);
    Timestamp::from_micros(ours::seen(dir)).since(began)
}

fn status_time(dir: &Path) -> Duration {
    let times = (0..9).map(|_| {
        let began = Instant::now();
        ours::succeed(ours::job_manager(dir).args(["status", "--json"]));
        began.elapsed().as_secs_f64()
    });
    Duration::from_secs_f64(median(times.collect()))
}

/// Returns the peak of the manager's memory in MiB.
fn peak(units: u32) -> f64 {
    let dir = scratch();
    let (client, job) = ours::create(dir.path(), "memory", units, 2);
    client.start_detached(job).expect("the manager starts");
    ours::wait(&client, job);
    ours::seen(dir.path()) as f64 / 1024.0
}

fn bytes_per_unit() -> f64 {
    let dir = scratch();
    let (client, job) = ours::create(dir.path(), "nothing", MILLION, 2);
    client.start_detached(job).expect("the manager starts");
    ours::wait(&client, job);
    drop(client);
    let path = dir.path().join("jobs.db");
    let moved = SqliteConnection::establish(path.to_str().expect("a temporary path is UTF-8")).and_then(|mut conn| {
        diesel::connection::SimpleConnection::batch_execute(&mut conn, "PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(ConnectionError::CouldntSetupConfiguration)
    });
    moved.expect("nobody else uses it");
    std::fs::metadata(path).expect("it is there").len() as f64 / f64::from(MILLION)
}

/// Returns the share of the workers' time that they spent in units.
fn busy_share() -> f64 {
    let dir = scratch();
    let (client, job) = ours::create(dir.path(), "sleep", SLEEPERS, SLEEPING_WORKERS);
    client.start_detached(job).expect("the manager starts");
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    ours::succeed(ours::job_manager(dir.path()).args(["status", "--json"]));
                }
            });
        }
        ours::wait(&client, job);
        over.store(true, Ordering::Relaxed);
    });
    let log = std::fs::read_to_string(client.job_files(job).log()).expect("a manager has a log");
    assert!(!log.contains("busy"), "{log}");
    let mut conn = SqliteConnection::establish(dir.path().join("jobs.db").to_str().expect("UTF-8")).expect("it opens");
    let mut ask =
        |sql: &str| -> i64 { diesel::dsl::sql::<BigInt>(sql).get_result(&mut conn).expect("the rows are there") };
    let inside = ask("SELECT sum(finished_at - started_at) FROM units");
    let whole = ask("SELECT max(finished_at) - min(started_at) FROM units");
    inside as f64 / (whole as f64 * SLEEPING_WORKERS as f64)
}
