//! Async functions as units: as many requests at once as the job has workers, each cut off by the job's timeout.
//!
//! ```text
//! cargo run --features async --example async_fetch -- pages.db 127.0.0.1:8080 127.0.0.1:8081
//! ```

use std::error::Error;
use std::time::Duration;

use job_manager::model::UnitFilter;
use job_manager::{Client, NewJob, NewUnit, UnitContext, UnitError, testing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn main() -> Result<(), Box<dyn Error>> {
    job_manager::run_if_manager(|handlers| {
        handlers.register_async("fetch", fetch);
    });

    let mut args = std::env::args().skip(1);
    let db = args.next().ok_or("usage: async_fetch DB ADDRESS...")?;
    let client = Client::create(db.as_ref())?;
    let mut job = NewJob::new("pages", "fetch");
    job.limits.workers = 32;
    job.limits.max_attempts = 1;
    job.limits.timeout = Some(Duration::from_secs(2));
    let job = client.try_submit(&job, args.map(|address| NewUnit::new(&address)))?.job;
    testing::wait_for_job(&client, job, Duration::from_secs(60));
    for unit in client.units(job, &UnitFilter::all(), None, 1000)? {
        match unit.error {
            None => println!("{}: {}", unit.payload, unit.result_as::<String>()?),
            Some(error) => println!("{}: {error}", unit.payload),
        }
    }
    Ok(())
}

/// Returns the first line of the answer.
async fn fetch(address: String, _unit: &UnitContext<'_>) -> Result<String, UnitError> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
