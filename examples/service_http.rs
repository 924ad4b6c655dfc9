//! A web service that starts batches by HTTP and may be killed at any time: the batches go on, and the next process
//! of the service knows them.
//!
//! ```text
//! cargo run --example service_http -- batches.db 8080
//! curl -X POST localhost:8080/batches -H 'content-type: application/json' -d '{"key": "monday", "units": 10000}'
//! curl localhost:8080/batches/1
//! ```

use std::error::Error;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use job_manager::client::ManagerStatus;
use job_manager::model::JobId;
use job_manager::{Client, ClientError, Handlers, NewJob, NewUnit, UnitContext};
use serde::{Deserialize, Serialize};

/// What somebody posts: the same key again is the same batch.
#[derive(Deserialize)]
struct NewBatch {
    key: String,
    units: u64,
}

#[derive(Serialize)]
struct Accepted {
    batch: JobId,
    new: bool,
}

type Answer<T> = Result<Json<T>, (StatusCode, String)>;

fn main() -> Result<(), Box<dyn Error>> {
    // First of all, before any runtime: in a manager process this never returns.
    job_manager::run_if_manager(register);

    let mut args = std::env::args().skip(1);
    let (Some(db), Some(port)) = (args.next(), args.next()) else { return Err("usage: service DB PORT".into()) };
    let client = Arc::new(Client::create(db.as_ref())?);
    // Whatever the machine or its operator interrupted goes on, and what the last process did not live to start begins.
    for batch in client.resumable_jobs()?.into_iter().chain(client.unstarted_jobs()?) {
        if let Err(error) = client.start_detached(batch) {
            eprintln!("batch {batch} does not go on: {error}");
        }
    }
    serve(client, port.parse()?)
}

fn register(handlers: &mut Handlers) {
    handlers.register("collatz", collatz);
}

/// Counts the steps of a number to 1.
fn collatz(start: u64, _unit: &UnitContext<'_>) -> Result<u32, job_manager::UnitError> {
    let mut steps = 0;
    let mut number = start;
    while number > 1 {
        number = if number.is_multiple_of(2) { number / 2 } else { 3 * number + 1 };
        steps += 1;
    }
    Ok(steps)
}

#[tokio::main]
async fn serve(client: Arc<Client>, port: u16) -> Result<(), Box<dyn Error>> {
    let routes = Router::new().route("/batches", post(start)).route("/batches/{batch}", get(show)).with_state(client);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, routes).await?;
    Ok(())
}

async fn start(State(client): State<Arc<Client>>, Json(batch): Json<NewBatch>) -> Answer<Accepted> {
    in_background(move || {
        let mut job = NewJob::new(&batch.key, "collatz");
        job.key = Some(batch.key);
        let units = (1..=batch.units).map(|number| NewUnit::new(&number).expect("a number has a form in JSON"));
        // Asked again, it also starts what an earlier process of the service created and did not live to start.
        let submitted = client.submit(&job, units)?;
        Ok(Accepted { batch: submitted.job, new: submitted.new })
    })
    .await
}

async fn show(State(client): State<Arc<Client>>, Path(batch): Path<i64>) -> Answer<ManagerStatus> {
    in_background(move || client.get_manager_status(JobId(batch))).await
}

/// The client waits for the disk, which no async thread should.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> Result<T, ClientError> + Send + 'static) -> Answer<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string());
    match done.and_then(|done| done.map_err(|error| error.to_string())) {
        Ok(answer) => Ok(Json(answer)),
        Err(message) => Err((StatusCode::INTERNAL_SERVER_ERROR, message)),
    }
}
