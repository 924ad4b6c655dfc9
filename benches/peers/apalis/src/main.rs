//! Measures apalis on SQLite, a library of background jobs, with jobs that do nothing: `peer-apalis UNITS DIR`.
//!
//! Makes a database in DIR, adds UNITS jobs, and times from the start of the worker to its end, which comes after the
//! commit that records the last of them. The database is at `synchronous=FULL`, as that of the package measured
//! beside it, although `SqliteStorage::setup` would turn it off.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteStorage};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

const QUEUE: &str = "noop";
const ADDED_TOGETHER: usize = 10_000;
/// Connections, jobs that are claimed in one transaction, and whether a second write says that they run: the fastest
/// of the settings in the README, as are one thread and no task of its own for each job.
const CONNECTIONS: u32 = 1;
const BATCH_SIZE: usize = 2_000;
const LOCK_TASKS: bool = false;

/// Jobs that have not run yet.
#[derive(Clone)]
struct Left(Arc<AtomicU32>);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [units, dir] = args.as_slice() else { bail!("usage: peer-apalis UNITS DIR") };
    let units = units.parse::<NonZero<u32>>().context("UNITS is not a positive number")?.get();
    let path = Path::new(dir).join("apalis.db");
    ensure!(!path.exists(), "{} is there already", path.display());

    let pool = create(&path).await.context("cannot create the database")?;
    let config = Config::default().queue(QUEUE).batch_size(BATCH_SIZE).lock_tasks(LOCK_TASKS);
    let mut storage = SqliteStorage::new(&pool).with_config(config);
    add_jobs(&mut storage, &pool, units).await.context("cannot add the jobs")?;
    let elapsed = run_jobs(storage, units).await.context("cannot run the jobs")?;

    verify(&pool, units).await?;
    let durability = durability(&pool).await.context("cannot read the durability")?;
    let (seconds, rate) = (elapsed.as_secs_f64(), f64::from(units) / elapsed.as_secs_f64());
    println!(
        "{{\"peer\":\"apalis-sqlite 1.0\",\"units\":{units},\"seconds\":{seconds:.6},\
         \"units_per_second\":{rate:.1},\"durability\":\"{durability}\"}}"
    );
    Ok(())
}

/// Creates a database with what `SqliteStorage::setup` sets, except for `synchronous`.
async fn create(path: &Path) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "64000")
        .pragma("journal_size_limit", "67108864");
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
    SqliteStorage::migrations().run(&pool).await?;
    Ok(pool)
}

async fn add_jobs(storage: &mut SqliteStorage<u32>, pool: &SqlitePool, units: u32) -> Result<()> {
    let numbers: Vec<u32> = (0..units).collect();
    for part in numbers.chunks(ADDED_TOGETHER) {
        storage.push_bulk(part.to_vec()).await?;
    }
    // `setup` does it at each start, which helps from the second one on. Without it SQLite looks for the jobs that are
    // done among all that the worker has ever claimed, and the time grows with the square of their number.
    sqlx::query("PRAGMA optimize").execute(pool).await?;
    Ok(())
}

/// Times the jobs, from the start of the worker to its end.
async fn run_jobs(storage: SqliteStorage<u32>, units: u32) -> Result<Duration> {
    let began = Instant::now();
    let left = Left(Arc::new(AtomicU32::new(units)));
    WorkerBuilder::new("peer").backend(storage).data(left).build(do_nothing).run().await?;
    Ok(began.elapsed())
}

/// Does nothing, and stops the worker after the last job.
async fn do_nothing(_unit: u32, left: Data<Left>, worker: WorkerContext) -> Result<(), BoxDynError> {
    if left.0.0.fetch_sub(1, Ordering::Relaxed) == 1 {
        worker.stop()?;
    }
    Ok(())
}

/// Fails unless every job is recorded as done.
async fn verify(pool: &SqlitePool, units: u32) -> Result<()> {
    let done: u32 = sqlx::query_scalar("SELECT count(*) FROM Jobs WHERE status = 'Done'")
        .fetch_one(pool)
        .await
        .context("cannot count the jobs")?;
    ensure!(done == units, "{done} of {units} jobs are recorded as done");
    Ok(())
}

/// Asks the connection that has done the work how it did it.
async fn durability(pool: &SqlitePool) -> Result<String> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await?;
    let level: usize = sqlx::query_scalar::<_, u32>("PRAGMA synchronous").fetch_one(pool).await?.try_into()?;
    let synchronous = ["OFF", "NORMAL", "FULL", "EXTRA"].get(level).context("an unknown level of synchronous")?;
    Ok(format!("{}, synchronous={synchronous}", mode.to_uppercase()))
}
