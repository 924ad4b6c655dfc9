//! Times no-op jobs through apalis on SQLite: `peer-apalis UNITS DIR`.
//!
//! The jobs are added before the clock starts; the last one stops the worker, and with it the clock. That all of them
//! are recorded as done is checked afterwards.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};
use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteStorage};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

/// Jobs fetched by one poll: the fastest of 10, 100, 500.
const FETCHED_TOGETHER: usize = 100;
/// Jobs added by one call.
const ADDED_TOGETHER: usize = 10_000;

/// Jobs that have not run yet.
#[derive(Clone)]
struct Left(Arc<AtomicU64>);

async fn nothing(_unit: u64, left: Data<Left>, worker: WorkerContext) -> Result<(), BoxDynError> {
    if left.0.0.fetch_sub(1, Ordering::Relaxed) == 1 {
        worker.stop()?;
    }
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(units), Some(dir)) = (args.next(), args.next()) else { bail!("usage: peer-apalis UNITS DIR") };
    let units: u64 = units.parse().context("UNITS is no number")?;
    let options = SqliteConnectOptions::new()
        .filename(Path::new(&dir).join("apalis.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    // More connections are slower: only one of them can write.
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    SqliteStorage::migrations().run(&pool).await?;
    let config = Config::default().batch_size(FETCHED_TOGETHER).queue("nothing");
    let mut storage = SqliteStorage::<u64>::new(&pool).with_config(config);
    for chunk in (0..units).collect::<Vec<_>>().chunks(ADDED_TOGETHER) {
        storage.push_bulk(chunk.to_vec()).await.map_err(|error| anyhow!("cannot add jobs: {error}"))?;
    }

    let left = Left(Arc::new(AtomicU64::new(units)));
    let began = Instant::now();
    WorkerBuilder::new("peer").backend(storage).parallelize(tokio::spawn).data(left).build(nothing).run().await?;
    let seconds = began.elapsed().as_secs_f64();

    let done: i64 = sqlx::query_scalar("SELECT count(*) FROM Jobs WHERE status = 'Done'").fetch_one(&pool).await?;
    ensure!(u64::try_from(done)? == units, "{done} of {units} jobs are recorded as done");
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&pool).await?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&pool).await?;
    println!(
        r#"{{"peer":"apalis-sqlite 1.0","units":{units},"seconds":{seconds},"units_per_second":{},"durability":"{journal}, synchronous={synchronous}"}}"#,
        units as f64 / seconds
    );
    Ok(())
}
