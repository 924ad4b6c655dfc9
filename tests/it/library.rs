//! What a service written against the library can rely on.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::prelude::*;
use job_manager::client::{StoreError, add_units_in, create_job_in};
use job_manager::handler::CommandSpec;
use job_manager::model::{JobStatus, Seq, Timestamp};
use job_manager::{Client, ClientError, Handlers, NewJob, NewUnit, UnitContext, UnitError, testing};

fn units(numbers: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = NewUnit> {
    numbers.map(|number| NewUnit::new(&number).unwrap().with_key(number.to_string()))
}

fn connect(client: &Client) -> SqliteConnection {
    SqliteConnection::establish(client.path().to_str().unwrap()).unwrap()
}

#[test]
fn a_job_created_in_the_callers_transaction_exists_exactly_when_that_commits() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut conn = connect(&client);
    let new = NewJob::new("mine", "double");

    let undone: Result<(), diesel::result::Error> = conn.immediate_transaction(|conn| {
        create_job_in(conn, &new, units(1..=5)).unwrap();
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert!(undone.is_err());
    assert!(client.find_job("mine").is_err());

    let job = conn.immediate_transaction(|conn| create_job_in(conn, &new, units(1..=2500))).unwrap();

    assert_eq!(client.progress(job).unwrap().pending, 2500);
    let mut handlers = Handlers::new();
    handlers.register("double", |number: u32, _: &UnitContext<'_>| Ok(number * 2));
    assert_eq!(testing::run_job(&client, job, &handlers).unwrap(), JobStatus::Completed);
    assert_eq!(client.unit(job, Seq(2500)).unwrap().result_as::<u32>().unwrap(), 5000);
}

#[test]
fn units_with_keys_may_be_added_again() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let job = client.create_job(&NewJob::new("numbers", "double"), units(1..=10)).unwrap().job;

    let added = client.add_units(job, units(6..=15)).unwrap();
    assert_eq!((added.added, added.already_there), (5, 5));
    let added = add_units_in(&mut connect(&client), job, units(11..=20)).unwrap();
    assert_eq!((added.added, added.already_there), (5, 5));
    let twice = || units(21..=22).chain(units(21..=21));
    assert!(matches!(client.add_units(job, twice()), Err(ClientError::KeyTwice { key: Some(_) })));
    let refused = add_units_in(&mut connect(&client), job, twice());
    assert!(matches!(refused, Err(ClientError::Store(StoreError::KeyTwice { .. }))), "{refused:?}");

    assert_eq!(client.progress(job).unwrap().total, 20);
    let seqs: Vec<i64> =
        client.units(job, &Default::default(), None, 100).unwrap().iter().map(|unit| unit.seq.0).collect();
    assert_eq!(seqs, (1..=20).collect::<Vec<_>>(), "the numbers have no gap");
}

#[test]
fn a_connection_to_another_database_is_refused() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();

    let refused = create_job_in(&mut conn, &NewJob::new("x", "y"), units(1..=1));

    assert!(matches!(refused, Err(ClientError::Store(StoreError::NotOurs { .. }))));
}

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

#[test]
fn the_clock_of_a_test_skips_every_wait() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut new = NewJob::new("patient", "fails");
    new.limits.max_attempts = 5;
    new.limits.backoff_base = Duration::from_secs(3600);
    new.limits.backoff_cap = Duration::from_secs(24 * 3600);
    let job = client.create_job(&new, units(1..=20)).unwrap().job;
    let mut handlers = Handlers::new();
    let open = AtomicBool::new(false);
    handlers.register("fails", move |number: u32, unit: &UnitContext<'_>| match unit.attempt() {
        1 if number == 7 && !open.swap(true, Ordering::Relaxed) => Err(UnitError::pause_job(WEEK, "closed")),
        5 => Ok(()),
        _ => Err(UnitError::retry("not yet")),
    });
    let clock = testing::FakeClock::at(Timestamp::from_micros(0));

    let status = testing::run_job_with_clock(&client, job, &handlers, &clock).unwrap();

    assert_eq!(status, JobStatus::Completed);
    assert!(clock.now().since(Timestamp::from_micros(0)) >= WEEK);
    let attempts: Vec<u32> =
        client.units(job, &Default::default(), None, 100).unwrap().iter().map(|unit| unit.attempts).collect();
    assert_eq!(attempts, [5; 20]);
}

#[test]
fn a_library_without_features_pulls_in_neither_command_line_nor_runtime() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--no-default-features", "--edges", "normal,build", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    let packages: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();

    assert!(packages.contains("diesel"), "{tree}{}", String::from_utf8_lossy(&output.stderr));
    for unwanted in ["clap", "tokio", "axum", "indicatif", "csv"] {
        assert!(!packages.contains(unwanted), "{unwanted} is pulled in");
    }
}

#[test]
fn units_inside_a_callers_transaction_make_no_path_that_another_makes() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut conn = connect(&client);
    let mut spec = CommandSpec::new(["true"], dir.path().into());
    spec.creates = Some("out".into());
    let mut new = NewJob::new("paths", "command");
    new.spec = serde_json::to_string(&spec).unwrap();

    let refused = create_job_in(&mut conn, &new, units(1..=2));
    assert!(matches!(refused, Err(ClientError::Store(StoreError::SamePath { .. }))), "{refused:?}");
    let job = create_job_in(&mut conn, &new, units(1..=1)).unwrap();
    let refused = add_units_in(&mut conn, job, units(2..=2));
    assert!(matches!(refused, Err(ClientError::Store(StoreError::SamePath { .. }))), "{refused:?}");
    assert!(client.add_units(job, units(2..=2)).is_err());

    assert_eq!(client.progress(job).unwrap().total, 1);
}
