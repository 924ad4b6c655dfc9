//! What is written through a connection that belongs to a service is checked, waited for and undone as by a client.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use job_manager::client::{add_units_in, create_job_in};
use job_manager::model::{JobStatus, Slots};
use job_manager::{Client, NewJob, NewUnit};

use crate::support::{World, needs_file};

type Described = Result<String, String>;

fn units(numbers: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = NewUnit> {
    numbers.map(|number| NewUnit { payload: format!("{{\"n\":{number}}}"), key: None, group: None })
}

fn scratch() -> (tempfile::TempDir, Client, SqliteConnection) {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let conn = connect(&client.path());
    (dir, client, conn)
}

/// Opens a connection as diesel makes it: it waits for nobody.
fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

fn create(conn: &mut SqliteConnection, new: &NewJob) -> Described {
    create_job_in(conn, new, units(1..=2)).map(|job| job.to_string()).map_err(|error| error.to_string())
}

#[test]
fn fault_230_a_callers_connection_without_a_busy_timeout_waits_for_other_writers() {
    let (_dir, client, _) = scratch();
    let path = client.path();
    let job = client.create_job(&NewJob::new("there", "x"), units(1..=1)).unwrap().job;

    let refused: Vec<String> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let path = &path;
                scope.spawn(move || {
                    let mut conn = connect(path);
                    let refused = |round: u32| {
                        let new = NewJob::new("new", "x");
                        match (number + round) % 3 {
                            0 => create(&mut conn, &new).err(),
                            // A transaction that diesel knows nothing of, and that has not read yet.
                            1 => {
                                conn.batch_execute("BEGIN").unwrap();
                                let told = create(&mut conn, &new).err();
                                conn.batch_execute(if told.is_none() { "COMMIT" } else { "ROLLBACK" }).unwrap();
                                told
                            }
                            _ => conn
                                .transaction(|conn| {
                                    add_units_in(conn, job, units(1..=3)).map_err(|_| diesel::result::Error::NotFound)
                                })
                                .err()
                                .map(|error| error.to_string()),
                        }
                    };
                    (0..60).filter_map(refused).collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });

    assert!(refused.is_empty(), "{} of 240: {:?}", refused.len(), refused.first());
    assert_eq!(client.progress(job).unwrap().total, 241);
}

#[test]
fn fault_230_a_transaction_that_has_read_before_is_told_to_begin_with_the_write_lock() {
    let (_dir, client, mut conn) = scratch();

    conn.batch_execute("BEGIN; SELECT count(*) FROM jobs").unwrap();
    client.create_job(&NewJob::new("meanwhile", "x"), units(1..=1)).unwrap();
    let refused = create(&mut conn, &NewJob::new("late", "x")).unwrap_err();
    conn.batch_execute("ROLLBACK").unwrap();

    assert!(refused.ends_with("begin it with immediate_transaction"), "{refused}");
    create(&mut conn, &NewJob::new("again", "x")).unwrap();
}

#[test]
fn fault_230_what_fails_or_panics_in_a_callers_transaction_leaves_nothing_of_it() {
    let (_dir, client, mut conn) = scratch();
    let panics = || units(1..=3000).inspect(|unit| assert!(unit.payload != "{\"n\":2500}", "the source is at its end"));

    let job = conn.immediate_transaction(|conn| {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = create_job_in(conn, &NewJob::new("half", "x"), panics());
        }));
        assert!(panicked.is_err());
        create_job_in(conn, &NewJob::new("whole", "x"), units(1..=2)).map_err(|_| diesel::result::Error::NotFound)
    });
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = add_units_in(&mut conn, *job.as_ref().unwrap(), panics());
    }));

    assert!(panicked.is_err());
    assert_eq!(client.jobs(&Default::default()).unwrap().jobs.len(), 1);
    assert_eq!(client.progress(job.unwrap()).unwrap().total, 2);
    create(&mut conn, &NewJob::new("next", "x")).unwrap();
    client.create_job(&NewJob::new("by the client", "x"), units(1..=1)).unwrap();
}

#[test]
fn fault_231_what_a_client_refuses_of_a_job_is_refused_in_a_callers_transaction_in_the_same_words() {
    let (_dir, client, mut conn) = scratch();
    let mut jobs = Vec::new();
    let mut with = |change: &dyn Fn(&mut NewJob)| {
        let mut new = NewJob::new("job", "x");
        change(&mut new);
        jobs.push(new);
    };
    with(&|new| new.limits.workers = 0);
    with(&|new| new.limits.workers = 5000);
    with(&|new| new.name.clear());
    with(&|new| new.limits.slots = Slots::From("{%}".to_owned()));
    with(&|new| (new.limits.workers, new.limits.slots) = (2, Slots::Each(3)));
    with(&|new| (new.limits.workers, new.limits.slots) = (1, Slots::From("{n}".to_owned())));
    with(&|new| new.limits.timeout_from = Some("{missing}".to_owned()));
    with(&|new| {
        new.limits.start.diskfree = vec!["not/absolute=50G".parse().unwrap()];
    });

    for new in &jobs {
        let told = |error: &dyn std::error::Error| {
            let causes = std::iter::successors(error.source(), |cause| (*cause).source());
            causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
        };
        let by_client = client.create_job(new, units(1..=2)).map_err(|error| told(&error)).unwrap_err();
        let inside = create_job_in(&mut conn, new, units(1..=2)).map_err(|error| told(&error));
        assert_eq!(inside.unwrap_err(), by_client);
    }
    assert!(client.jobs(&Default::default()).unwrap().jobs.is_empty());
}

#[test]
fn fault_231_units_that_do_not_give_their_own_limits_are_not_added_in_a_callers_transaction() {
    let (_dir, client, mut conn) = scratch();
    let mut new = NewJob::new("job", "x");
    new.limits.timeout_from = Some("{n}".to_owned());
    let job = create_job_in(&mut conn, &new, units(1..=2)).unwrap();

    let wrong = || units(3..=4).chain([NewUnit { payload: "{\"n\":\"soon\"}".to_owned(), key: None, group: None }]);

    assert!(client.add_units(job, wrong()).is_err());
    assert!(add_units_in(&mut conn, job, wrong()).is_err());
    assert_eq!(add_units_in(&mut conn, job, units(3..=4)).unwrap().added, 2);
}

#[test]
fn fault_231_a_key_of_a_job_with_other_limits_is_refused_in_a_callers_transaction() {
    let (_dir, client, mut conn) = scratch();
    let with_attempts = |attempts: u32| {
        let mut new = NewJob::new("job", "x");
        (new.key, new.limits.max_attempts) = (Some("k".to_owned()), attempts);
        new
    };
    let job = create(&mut conn, &with_attempts(2)).unwrap();

    assert_eq!(create(&mut conn, &with_attempts(2)).unwrap(), job);
    let refused = create(&mut conn, &with_attempts(7)).unwrap_err();

    assert!(refused.contains("max attempts 2 → 7"), "{refused}");
    assert!(client.create_job(&with_attempts(7), units(1..=2)).is_err());
}

/// Has the same call made through a connection to a database that was changed before.
fn after(sql: &str) -> Described {
    let (_dir, client, _) = scratch();
    let path = client.path();
    drop(client);
    let mut conn = connect(&path);
    conn.batch_execute(sql).unwrap();
    create(&mut conn, &NewJob::new("job", "x"))
}

#[test]
fn fault_230_a_connection_to_a_database_in_which_no_manager_could_run_the_job_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let told = |described: Described| described.unwrap_err();

    assert!(told(create(&mut connect(Path::new(":memory:")), &NewJob::new("x", "y"))).contains("Client::create"));
    assert!(told(create(&mut connect(&dir.path().join("a.db")), &NewJob::new("x", "y"))).contains("Client::create"));
    assert!(told(after("PRAGMA user_version = 99")).contains("install a newer"));
    assert!(told(after("PRAGMA user_version = 1")).contains("open it once with Client::open"));
    assert!(told(after("PRAGMA application_id = 7")).contains("Client::create"));
    assert!(told(after("PRAGMA journal_mode = DELETE")).contains("WAL mode"));
    for table in ["units", "specs", "failure_kinds", "Totals"] {
        assert!(told(after(&format!("CREATE TEMP TABLE {table} (id)"))).contains("hide its tables"), "{table}");
    }
    assert!(told(after("CREATE TEMP VIEW specs AS SELECT 1")).contains("hide its tables"));
    assert!(told(after("PRAGMA query_only = ON")).contains("read-only"));
    for harmless in ["PRAGMA foreign_keys = OFF", "PRAGMA synchronous = OFF", "PRAGMA busy_timeout = 1"] {
        after(harmless).unwrap();
    }
}

#[test]
fn fault_230_a_database_with_a_second_name_is_refused_through_a_callers_connection() {
    let (dir, client, mut conn) = scratch();
    std::fs::hard_link(client.path(), dir.path().join("second.db")).unwrap();

    let refused = create(&mut conn, &NewJob::new("job", "x")).unwrap_err();

    assert!(refused.contains("has 2 names"), "{refused}");
}

#[test]
fn fault_230_a_database_that_left_wal_mode_returns_to_it_with_the_next_client() {
    let (_dir, client, _) = scratch();
    let path = client.path();
    drop(client);
    connect(&path).batch_execute("PRAGMA journal_mode = DELETE").unwrap();

    let client = Client::open(&path).unwrap();

    create(&mut connect(&path), &NewJob::new("job", "x")).unwrap();
    assert!(client.find_job("job").is_ok());
}

#[test]
fn fault_232_a_job_that_was_committed_and_never_started_is_found_and_started() {
    needs_file!("the caller's connection is one to SQLite");
    let world = World::new();
    world.ok(&["submit", "-q", "--", "true"]);
    world.ok(&["wait", "1"]);
    assert!(world.ok(&["doctor"]).contains("every job was started"));
    let client = Client::open(&world.db()).unwrap();
    let spec = r#"{"argv":["true"],"cwd":"/"}"#;
    let mut new = NewJob::new("left behind", "command");
    new.spec = spec.to_owned();
    let job = create_job_in(&mut connect(&world.db()), &new, units(1..=3)).unwrap();

    let doctor = world.ok(&["doctor"]);
    assert!(doctor.contains(&format!("created and never started: {job}; `recover --created` starts them")), "{doctor}");
    assert_eq!(client.unstarted_jobs().unwrap(), [job]);
    assert_eq!(world.ok(&["recover", "--all"]), "");
    let started = world.ok(&["recover", "--created"]);

    assert_ne!(started, "");
    world.ok(&["wait", &job.to_string()]);
    assert_eq!(client.job(job).unwrap().status, JobStatus::Completed);
    assert_eq!(world.ok(&["recover", "--created", "--all"]), "");
}

#[test]
fn fault_260_no_job_is_created_through_a_callers_connection_where_a_client_would_create_none() {
    let (dir, client, mut conn) = scratch();
    let job = client.create_job(&NewJob::new("there", "x"), units(1..=1)).unwrap().job;
    let allow = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();

    allow(&client.path(), 0o666);
    let open_file = create(&mut conn, &NewJob::new("new", "x")).unwrap_err();
    let added = add_units_in(&mut conn, job, units(2..=2));
    allow(&client.path(), 0o600);
    allow(dir.path(), 0o777);
    let open_dir = create(&mut conn, &NewJob::new("new", "x")).unwrap_err();
    let refused = add_units_in(&mut conn, job, units(3..=3)).unwrap_err().to_string();
    allow(dir.path(), 0o700);

    for said in [open_file, open_dir, refused] {
        assert!(said.contains("anybody can write to"), "{said}");
    }
    added.unwrap();
    create(&mut conn, &NewJob::new("new", "x")).unwrap();
}
