//! What handlers of the library learn of the attempt before, and when they count as idle.

use std::time::{Duration, Instant};

use job_manager::explain::Cause;
use job_manager::model::{JobId, JobStatus, Seq, UnitFilter, UnitStatus};
use job_manager::{Client, Handlers, NewJob, NewUnit, UnitContext, UnitError, testing};

fn job(client: &Client, change: impl FnOnce(&mut NewJob)) -> JobId {
    let mut new = NewJob::new("job", "handler");
    new.limits.backoff_base = Duration::from_millis(1);
    change(&mut new);
    client.create_job(&new, [NewUnit::new(&1).unwrap()]).unwrap().job
}

fn causes(client: &Client, job: JobId) -> Vec<Cause> {
    client.attempts(job, Seq(1)).unwrap().iter().map(|attempt| attempt.cause).collect()
}

#[test]
fn a_handler_learns_why_its_last_attempt_did_not_complete() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let job = job(&client, |_| ());
    let mut handlers = Handlers::new();
    handlers.register("handler", |_: u32, unit: &UnitContext<'_>| match unit.last_attempt() {
        None => Err(UnitError::retry("say please")),
        Some(last) if last.error == "say please" => Ok(format!("please, after attempt {}", last.attempt)),
        Some(last) => Err(UnitError::fail(last.error)),
    });

    let end = testing::run_job(&client, job, &handlers).unwrap();

    assert_eq!(end, JobStatus::Completed);
    assert_eq!(client.unit(job, Seq(1)).unwrap().result.unwrap(), "\"please, after attempt 1\"");
    assert_eq!(causes(&client, job), [Cause::Failed]);
}

#[test]
fn a_unit_that_is_retried_learns_why_it_had_failed() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let job = job(&client, |new| new.limits.max_attempts = 1);
    let mut handlers = Handlers::new();
    handlers.register("handler", |_: u32, unit: &UnitContext<'_>| match unit.last_attempt() {
        None => Err(UnitError::retry("say please")),
        Some(last) => Ok(last.error),
    });

    let first = testing::run_job(&client, job, &handlers).unwrap();
    client.retry_units(job, &UnitFilter::with_status(UnitStatus::Failed)).unwrap();
    let second = testing::run_job(&client, job, &handlers).unwrap();

    assert_eq!((first, second), (JobStatus::Failed, JobStatus::Completed));
    assert_eq!(client.unit(job, Seq(1)).unwrap().result.unwrap(), "\"say please\"");
}

#[test]
fn a_handler_that_says_nothing_for_its_idle_time_is_to_stop() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let (idle, steps, pause) = (Duration::from_millis(400), 6, Duration::from_millis(100));
    let job = job(&client, |new| {
        new.limits.idle_timeout = Some(idle);
        new.limits.max_attempts = 1;
    });
    let mut handlers = Handlers::new();
    handlers.register("handler", move |_: u32, unit: &UnitContext<'_>| -> Result<(), UnitError> {
        let began = Instant::now();
        for step in 0..steps {
            std::thread::sleep(pause);
            unit.progress(step, steps, "");
        }
        while !unit.should_stop() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(UnitError::fail(began.elapsed().as_millis()))
    });

    testing::run_job(&client, job, &handlers).unwrap();

    let stopped_after: u64 = client.unit(job, Seq(1)).unwrap().error.unwrap().parse().unwrap();
    let silent_from = pause * u32::try_from(steps).unwrap();
    assert!(Duration::from_millis(stopped_after) >= silent_from + idle, "{stopped_after}");
}

#[cfg(feature = "async")]
#[test]
fn an_async_handler_that_says_nothing_for_its_idle_time_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let job = job(&client, |new| {
        new.limits.idle_timeout = Some(Duration::from_millis(300));
        new.limits.max_attempts = 1;
    });
    let mut handlers = Handlers::new();
    handlers.register_async("handler", async |_: u32, _: &UnitContext<'_>| -> Result<(), UnitError> {
        tokio::time::sleep(Duration::from_secs(600)).await;
        Ok(())
    });

    testing::run_job(&client, job, &handlers).unwrap();

    assert_eq!(causes(&client, job), [Cause::Idle]);
    assert_eq!(client.unit(job, Seq(1)).unwrap().error.as_deref(), Some("no sign of life for 300ms"));
}
