//! What a service's own code may do wrong without harm to anything but itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

use job_manager::client::diesel as sql;
use job_manager::client::{StopOptions, add_units_in, create_job_in};
use job_manager::model::JobStatus;
use job_manager::{Client, ClientError, Handlers, NewJob, NewUnit, UnitContext, UnitError, testing};

use crate::support::text;
use sql::prelude::*;

const INSIDE: &str = "JOB_MANAGER_TEST_HANGS";

fn numbers(numbers: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = NewUnit> {
    numbers.map(|number| NewUnit::new(&number).unwrap())
}

#[test]
fn fault_234_a_handler_that_hangs_in_a_test_ends_the_run_with_an_error_and_not_the_process() {
    if std::env::var_os(INSIDE).is_some() {
        return run_what_hangs();
    }

    let test =
        "library_handlers::fault_234_a_handler_that_hangs_in_a_test_ends_the_run_with_an_error_and_not_the_process";
    let mut inner = Command::new(std::env::current_exe().unwrap());
    let ran = inner.args(["--exact", test, "--nocapture"]).env(INSIDE, "1").output().unwrap();

    let said = text(&ran.stdout);
    assert!(said.contains("1 handler of job 1 did not return when it was to stop"), "{said}{}", text(&ran.stderr));
    assert!(said.contains("test result: ok. 1 passed"), "{said}");
}

/// Runs a job whose handler does not come back, and the same job again with one that does.
fn run_what_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut new = NewJob::new("hangs", "waits");
    new.limits.kill_after = Duration::from_millis(10);
    let job = client.create_job(&new, numbers(1..=1)).unwrap().job;
    let mut handlers = Handlers::new();
    let stopper = Client::open(&client.path()).unwrap();
    handlers.register("waits", move |_: u32, _: &UnitContext<'_>| -> Result<(), UnitError> {
        stopper.stop_manager(job, StopOptions { now: true, grace: None })?;
        loop {
            std::thread::park();
        }
    });

    let error = testing::run_job(&client, job, &handlers).unwrap_err();
    println!("{error}");

    assert_eq!(client.job(job).unwrap().status, JobStatus::Paused);
    assert_eq!(client.progress(job).unwrap().pending, 1);
    let mut handlers = Handlers::new();
    handlers.register("waits", |_: u32, _: &UnitContext<'_>| Ok(()));
    assert_eq!(testing::run_job(&client, job, &handlers).unwrap(), JobStatus::Completed);
}

#[test]
fn fault_235_a_payload_that_is_no_json_is_refused_at_every_door_of_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut conn = client.connect().unwrap();
    let job = client.create_job(&NewJob::new("sound", "x"), numbers(1..=1)).unwrap().job;
    let wrong = || numbers(2..=3).chain([NewUnit { payload: "photo.jpg".to_owned(), key: None, group: None }]);
    let new = NewJob::new("wrong", "x");

    let refused: Vec<ClientError> = [
        client.create_job(&new, wrong()).map(drop),
        client.try_create_job(&new, wrong().map(Ok::<_, std::io::Error>)).map(drop),
        client.submit(&new, wrong()).map(drop),
        client.add_units(job, wrong()).map(drop),
        client.sync_units(job, wrong()).map(drop),
        client.plan_sync(job, wrong()).map(drop),
        create_job_in(&mut conn, &new, wrong()).map(drop),
        add_units_in(&mut conn, job, wrong()).map(drop),
    ]
    .into_iter()
    .map(Result::unwrap_err)
    .collect();

    for error in refused {
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.starts_with("the payload \"photo.jpg\" is no JSON document"), "{error}: {cause}");
    }
    assert_eq!(client.jobs(&Default::default()).unwrap().jobs.len(), 1);
    assert_eq!(client.progress(job).unwrap().total, 1);
}

#[test]
fn fault_235_units_that_do_not_give_their_own_limits_are_refused_by_a_sync() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut new = NewJob::new("limits", "x");
    new.limits.timeout_from = Some("{}".to_owned());
    let job = client.create_job(&new, numbers(1..=1)).unwrap().job;

    assert!(client.sync_units(job, [NewUnit::new("soon").unwrap()]).is_err());
    assert!(client.set_limits(job, |limits| limits.timeout_from = Some("{%}".to_owned())).is_err());
    assert_eq!(client.sync_units(job, numbers(2..=2)).unwrap().plan.new.len(), 1);
}

#[test]
fn fault_236_a_panic_of_a_callers_code_leaves_no_transaction_behind() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let other = Client::open(&client.path()).unwrap();
    let job = client.create_job(&NewJob::new("job", "x"), numbers(1..=1)).unwrap().job;
    let breaks = || numbers(1..=12_000).inspect(|unit| assert!(unit.payload != "11500", "the source breaks"));
    let panics = |call: &dyn Fn()| assert!(catch_unwind(AssertUnwindSafe(call)).is_err());

    panics(&|| drop(client.set_limits(job, |_| panic!("while it changes"))));
    panics(&|| drop(client.create_job(&NewJob::new("half", "x"), breaks())));
    panics(&|| drop(client.add_units(job, breaks())));
    panics(&|| drop(client.sync_units(job, breaks())));
    panics(&|| drop(client.wait_while(job, None, |_| panic!("while it waits"))));

    for client in [&client, &other] {
        client.set_limits(job, |limits| limits.workers = 3).unwrap();
        assert_eq!(client.job(job).unwrap().limits.workers, 3);
        client.create_job(&NewJob::new("next", "x"), numbers(1..=1)).unwrap();
    }
}

#[test]
fn fault_236_a_panic_in_a_callback_or_in_what_a_handler_keeps_costs_its_attempt_only() {
    struct Breaks;
    impl serde::Serialize for Breaks {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("it has no form")
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut new = NewJob::new("job", "keeps");
    (new.limits.max_attempts, new.limits.backoff_base) = (2, Duration::from_millis(1));
    let job = client.create_job(&new, numbers(1..=4)).unwrap().job;
    let mut handlers = Handlers::new();
    handlers
        .register("keeps", |_: u32, unit: &UnitContext<'_>| {
            if unit.attempt() == 1 {
                unit.progress(1, 2, "half");
                unit.checkpoint(&Breaks)?;
            }
            unit.checkpoint("kept")?;
            Ok(())
        })
        .on_unit_complete(|_| panic!("in a callback"));

    assert_eq!(testing::run_job(&client, job, &handlers).unwrap(), JobStatus::Completed);
    assert!(client.units(job, &Default::default(), None, 9).unwrap().iter().all(|unit| unit.attempts == 2));
    client.set_limits(client.create_job(&new, numbers(1..=1)).unwrap().job, |_| ()).unwrap();
}

#[test]
fn any_error_passes_through_the_question_mark_in_every_kind_of_handler() {
    fn boxed() -> Result<(), Box<dyn std::error::Error>> {
        Err("no route".into())
    }
    struct Type;
    impl job_manager::handler::Handler for Type {
        type Payload = u32;
        type Output = ();

        fn run(&self, _: u32, _: &UnitContext<'_>) -> Result<(), UnitError> {
            Ok(boxed()?)
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut handlers = Handlers::new();
    handlers.register("closure", |_: u32, _: &UnitContext<'_>| Ok(boxed()?)).register_handler("type", Type);
    #[cfg(feature = "async")]
    handlers.register_async("async", async |_: u32, _: &UnitContext<'_>| Ok(boxed()?));
    let kinds = if cfg!(feature = "async") { &["closure", "type", "async"][..] } else { &["closure", "type"] };

    for kind in kinds {
        let mut new = NewJob::new(*kind, *kind);
        new.limits.max_attempts = 1;
        let job = client.create_job(&new, numbers(1..=1)).unwrap().job;
        testing::run_job(&client, job, &handlers).unwrap();
        let unit = client.unit(job, job_manager::model::Seq(1)).unwrap();
        assert_eq!(unit.error.as_deref(), Some("no route"), "{kind}");
    }
}

#[test]
fn fault_258_a_manager_that_fails_does_not_wait_for_ever_for_a_handler_that_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut new = NewJob::new("hangs", "waits");
    new.limits.kill_after = Duration::from_millis(10);
    let job = client.create_job(&new, numbers(1..=1)).unwrap().job;
    let mut handlers = Handlers::new();
    let mut conn = client.connect().unwrap();
    let taken = std::sync::Mutex::new(Some(move || {
        // As if a later manager had taken over.
        sql::sql_query("UPDATE jobs SET epoch = epoch + 1").execute(&mut conn).unwrap();
    }));
    handlers.register("waits", move |_: u32, _: &UnitContext<'_>| -> Result<(), UnitError> {
        taken.lock().unwrap().take().unwrap()();
        loop {
            std::thread::park();
        }
    });
    let (tell, told) = std::sync::mpsc::channel();

    let runner = Client::open(&client.path()).unwrap();
    std::thread::spawn(move || tell.send(testing::run_job(&runner, job, &handlers).map_err(|error| error.to_string())));
    let ended = told.recv_timeout(Duration::from_secs(60));

    let error = ended.expect("it waits for the handler").unwrap_err();
    assert!(error.contains("job 1 has a newer manager"), "{error}");
    assert_eq!(client.job(job).unwrap().status, JobStatus::Running, "a later manager decides about the job");
}
