//! The operations that are measured by themselves, through the library's public surface.

use std::path::Path;

use job_manager::model::{JobId, JobStatus};
use job_manager::{Client, Handlers, NewJob, NewUnit, UnitContext, testing};

/// Name of a handler that does nothing.
const NOTHING: &str = "nothing";

/// Inserts a job of numbered units into the database in `dir`, which is made if there is none.
pub fn insert(dir: &Path, units: u32) -> (Client, JobId) {
    let client = Client::create(&dir.join("jobs.db")).expect("the directory can be written");
    let payloads = (0..units).map(|number| NewUnit { payload: number.to_string(), key: None, group: None });
    let mut new = NewJob::new("measured", NOTHING);
    new.limits.workers = 1;
    let job = client.create_job(&new, payloads).expect("the job can be created").job;
    (client, job)
}

/// Runs a job of units that do nothing, on threads of this process; both states of each are recorded.
pub fn run(client: &Client, job: JobId) {
    let mut handlers = Handlers::new();
    handlers.register(NOTHING, |_: u32, _: &UnitContext<'_>| Ok(()));
    let status = testing::run_job(client, job, &handlers).expect("the engine works");
    assert_eq!(status, JobStatus::Completed);
}

/// Reads what `status` shows.
pub fn status(client: &Client, job: JobId) {
    client.get_manager_status(job).expect("the job can be read");
}
