//! Times no-op jobs through effectum: `peer-effectum UNITS DIR`.
//!
//! The jobs are added before the clock starts; it stops when the workers have counted all of them. That all of them are
//! recorded as succeeded is checked afterwards.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use effectum::{Job, JobRunner, Queue, RunningJob, Worker};
use rusqlite::Connection;

/// Jobs that a worker runs at the same time, and for fewer than that it fetches more: the fastest of 64, 256, 1024.
const CONCURRENCY: u16 = 256;
/// Jobs added by one call.
const ADDED_TOGETHER: u64 = 1_000;
/// effectum sets this for its connections.
const SYNCHRONOUS: &str = "NORMAL";

async fn nothing(_job: RunningJob, _context: ()) -> Result<(), effectum::Error> {
    Ok(())
}

// One thread: two are slower, because all of them wait for the same connection.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(units), Some(dir)) = (args.next(), args.next()) else { bail!("usage: peer-effectum UNITS DIR") };
    let units: u64 = units.parse().context("UNITS is no number")?;
    let db = PathBuf::from(dir).join("effectum.db");
    // effectum leaves the journal as it finds it; write-ahead logging is twice as fast.
    Connection::open(&db)?.query_row("PRAGMA journal_mode = wal", [], |_| Ok(()))?;
    let queue = Queue::new(&db).await?;
    for first in (0..units).step_by(ADDED_TOGETHER as usize) {
        let count = ADDED_TOGETHER.min(units - first);
        queue.add_jobs((0..count).map(|_| Job::builder("nothing").build()).collect::<Vec<_>>()).await?;
    }

    let began = Instant::now();
    let runner = JobRunner::builder("nothing", nothing).build();
    let worker = Worker::builder(&queue, ()).jobs([runner]);
    let worker = worker.min_concurrency(CONCURRENCY).max_concurrency(CONCURRENCY).build().await?;
    while worker.counts().finished < units {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let seconds = began.elapsed().as_secs_f64();

    queue.close(Duration::from_secs(60)).await?;
    let journal = check(&db, units)?;
    println!(
        r#"{{"peer":"effectum 0.7","units":{units},"seconds":{seconds},"units_per_second":{},"durability":"{journal}, synchronous={SYNCHRONOUS}"}}"#,
        units as f64 / seconds
    );
    Ok(())
}

/// Checks that all jobs are recorded as done, and returns the journal mode of the database.
fn check(db: &Path, units: u64) -> Result<String> {
    let conn = Connection::open(db)?;
    let done: u64 = conn.query_row("SELECT count(*) FROM jobs WHERE status = 'succeeded'", [], |row| row.get(0))?;
    ensure!(done == units, "{done} of {units} jobs are recorded as done");
    Ok(conn.query_row("PRAGMA journal_mode", [], |row| row.get(0))?)
}
