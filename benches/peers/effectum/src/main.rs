//! Measures effectum, a job queue on SQLite, with jobs that do nothing: `peer-effectum UNITS DIR`.
//!
//! Makes a database in DIR, adds UNITS jobs, and times from the start of the worker to the moment at which it has
//! counted the last of them, which it does after the commit that records it. The library stays at
//! `synchronous=NORMAL`, so a power cut may take back what it has recorded; nothing here can change that.

use std::num::NonZero;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use effectum::{Job, JobRunner, Queue, RunningJob, Worker};
use rusqlite::Connection;

const JOB_TYPE: &str = "noop";
const ADDED_TOGETHER: u32 = 1_000;
/// Jobs that the worker claims at most, and the number of running ones below which it claims again: the fastest of
/// the settings in the README, as are one worker and one thread beside the library's own writer.
const MAX_CONCURRENCY: u16 = 1_024;
const MIN_CONCURRENCY: u16 = 512;
/// What `Queue::with_options` of effectum 0.7.0 sets on the connection that writes, which nobody else can ask.
const SYNCHRONOUS: &str = "NORMAL";
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [units, dir] = args.as_slice() else { bail!("usage: peer-effectum UNITS DIR") };
    let units = units.parse::<NonZero<u32>>().context("UNITS is not a positive number")?.get();
    let path = Path::new(dir).join("effectum.db");
    ensure!(!path.exists(), "{} is there already", path.display());

    create_in_wal(&path).context("cannot create the database")?;
    let queue = Queue::new(&path).await.context("cannot open the queue")?;
    add_jobs(&queue, units).await.context("cannot add the jobs")?;
    let elapsed = run_jobs(&queue, units).await.context("cannot run the jobs")?;
    queue.close(CLOSE_TIMEOUT).await.context("cannot close the queue")?;

    let journal_mode = verify(&path, units)?;
    let (seconds, rate) = (elapsed.as_secs_f64(), f64::from(units) / elapsed.as_secs_f64());
    println!(
        "{{\"peer\":\"effectum 0.7\",\"units\":{units},\"seconds\":{seconds:.6},\
         \"units_per_second\":{rate:.1},\"durability\":\"{journal_mode}, synchronous={SYNCHRONOUS}\"}}"
    );
    Ok(())
}

/// Creates an empty database in WAL mode, which its file remembers.
fn create_in_wal(path: &Path) -> rusqlite::Result<()> {
    // The library means to do it, but sets `journal`, which is not the name of a pragma.
    Connection::open(path)?.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
}

async fn add_jobs(queue: &Queue, units: u32) -> effectum::Result<()> {
    for first in (0..units).step_by(ADDED_TOGETHER as usize) {
        let count = ADDED_TOGETHER.min(units - first);
        queue.add_jobs((0..count).map(|_| Job::builder(JOB_TYPE).build()).collect()).await?;
    }
    Ok(())
}

/// Times the jobs, from the start of the worker.
async fn run_jobs(queue: &Queue, units: u32) -> effectum::Result<Duration> {
    let began = Instant::now();
    let worker = Worker::builder(queue, ())
        .jobs([JobRunner::builder(JOB_TYPE, do_nothing).build()])
        .min_concurrency(MIN_CONCURRENCY)
        .max_concurrency(MAX_CONCURRENCY)
        .build()
        .await?;
    while worker.counts().finished < u64::from(units) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(began.elapsed())
}

async fn do_nothing(_job: RunningJob, _context: ()) -> Result<(), effectum::Error> {
    Ok(())
}

/// Fails unless every job is recorded as done, and returns the journal mode of the file.
fn verify(path: &Path, units: u32) -> Result<String> {
    let conn = Connection::open(path).context("cannot open the database again")?;
    let done: u32 = conn
        .query_row("SELECT count(*) FROM jobs WHERE status = 'succeeded'", [], |row| row.get(0))
        .context("cannot count the jobs")?;
    ensure!(done == units, "{done} of {units} jobs are recorded as done");
    let mode: String =
        conn.query_row("PRAGMA journal_mode", [], |row| row.get(0)).context("cannot read the journal mode")?;
    Ok(mode.to_uppercase())
}
