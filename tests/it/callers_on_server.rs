//! What a service writes to a server through a connection of its own exists exactly when its own changes do.

use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use job_manager::client::{add_units_in, create_job_in};
use job_manager::{Client, ClientError, NewJob, NewUnit};

use crate::support::{Hosts, without_tool};

const SERVICE: &str = "JM_TEST_SERVICE_URL";
/// Where the service of a test stops.
const MOMENT: &str = "JM_TEST_SERVICE_MOMENT";

fn units(numbers: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = NewUnit> {
    numbers.map(|number| NewUnit { payload: format!("{{\"n\":{number}}}"), key: None, group: None })
}

fn job(name: &str) -> NewJob {
    let mut new = NewJob::new(name, "command");
    new.spec = r#"{"argv":["true"],"cwd":"/"}"#.to_owned();
    new
}

fn create(conn: &mut PgConnection, new: &NewJob) -> Result<String, String> {
    create_job_in(conn, new, units(1..=2)).map(|job| job.to_string()).map_err(|error| error.to_string())
}

/// A service that publishes an album and creates the job for it in one transaction, and starts nothing.
fn service(url: &str, moment: &str) {
    let client = Client::create(Path::new(url)).unwrap();
    let mut conn = client.connect_to_server().unwrap();
    let park = || {
        println!("\nreached");
        std::thread::park();
    };
    let created = conn.transaction::<_, ClientError, _>(|conn| {
        conn.batch_execute("INSERT INTO albums VALUES (7)")?;
        let job = create_job_in(conn, &job("album"), units(1..=2))?;
        add_units_in(conn, job, units(3..=2500))?;
        if moment == "before" {
            park();
        }
        Ok(job)
    });
    created.unwrap();
    park();
}

#[test]
fn fault_521_a_service_that_dies_leaves_nothing_before_its_commit_and_a_job_that_is_found_after_it() {
    if let (Ok(url), Ok(moment)) = (std::env::var(SERVICE), std::env::var(MOMENT)) {
        return service(&url, &moment);
    }
    let Some(hosts) = Hosts::new() else { return };
    hosts.execute("CREATE TABLE albums (id bigint)");
    let start = |moment: &str| -> Child {
        let mut service = Command::new(std::env::current_exe().unwrap());
        let name = "callers_on_server::fault_521_a_service_that_dies_leaves_nothing_before_its_commit_and_a_job_that_is_found_after_it";
        service.args(["--exact", name, "--nocapture"]).env(SERVICE, hosts.url()).env(MOMENT, moment);
        service.env("XDG_STATE_HOME", hosts.world.path("service")).stdout(Stdio::piped());
        let mut service = service.spawn().unwrap();
        let mut lines = BufReader::new(service.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "reached"), "the service has ended");
        service
    };
    let rows = || {
        ["albums", "jobs", "specs", "units", "metadata"]
            .map(|table| hosts.count(&format!("SELECT count(*) FROM {table}")))
    };
    let metadata = rows()[4];
    let kill = |mut service: Child| {
        service.kill().unwrap();
        service.wait().unwrap();
    };

    let before = start("before");
    let unseen = rows();
    kill(before);
    let after = start("after");
    kill(after);
    let doctor = hosts.ok("one", &["doctor"]);
    let others = hosts.ok("one", &["recover", "--all"]);
    hosts.ok("one", &["recover", "--created"]);

    assert_eq!(unseen, [0, 0, 0, 0, metadata]);
    assert_eq!(rows()[..4], [1, 1, 1, 2500]);
    assert!(doctor.contains("created and never started") && doctor.contains("`recover --created` starts"), "{doctor}");
    assert_eq!(others, "");
    hosts.wait("the job to be done", || hosts.status_of_last() == "completed");
    assert_eq!(hosts.count("SELECT completed FROM job_counters"), 2500);
}

#[test]
fn fault_522_what_fails_or_panics_in_a_callers_transaction_on_a_server_leaves_nothing_of_it() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.execute("CREATE TABLE albums (id bigint)");
    let mut conn = hosts.connection();
    let panics = || units(1..=3000).inspect(|unit| assert!(unit.payload != "{\"n\":2500}", "the source is at its end"));
    let twice = || units(1..=2).map(|unit| NewUnit { key: Some("same".to_owned()), ..unit });

    let alone = create(&mut conn, &job("alone")).unwrap();
    for begin in ["BEGIN", "BEGIN ISOLATION LEVEL SERIALIZABLE"] {
        // A transaction that diesel knows nothing of.
        conn.batch_execute(begin).unwrap();
        conn.batch_execute("INSERT INTO albums VALUES (1)").unwrap();
        assert!(create_job_in(&mut conn, &job("twice"), twice()).is_err());
        let panicked = catch_unwind(AssertUnwindSafe(|| create_job_in(&mut conn, &job("half"), panics()).is_ok()));
        assert!(panicked.is_err());
        create(&mut conn, &job("raw")).unwrap();
        conn.batch_execute("COMMIT").unwrap();
    }
    let undone = conn.transaction::<(), ClientError, _>(|conn| {
        create_job_in(conn, &job("undone"), units(1..=2))?;
        assert!(create_job_in(conn, &job("twice"), twice()).is_err());
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    let kept = conn.transaction::<_, ClientError, _>(|conn| {
        assert!(create_job_in(conn, &job("twice"), twice()).is_err());
        conn.transaction(|conn| create_job_in(conn, &job("nested"), units(1..=2)))
    });
    let failed = conn.batch_execute("BEGIN; SELECT 1/0").and_then(|()| conn.batch_execute("COMMIT"));
    let within_failed = create(&mut conn, &job("late"));
    conn.batch_execute("ROLLBACK").unwrap();

    assert!(undone.is_err() && failed.is_err() && within_failed.is_err());
    kept.unwrap();
    assert_eq!(hosts.word("SELECT string_agg(name, ' ' ORDER BY id) FROM jobs"), "alone raw raw nested");
    assert_eq!((hosts.count("SELECT count(*) FROM albums"), hosts.count("SELECT count(*) FROM units")), (2, 8));
    assert_eq!(hosts.count(&format!("SELECT total FROM jobs WHERE id = {alone}")), 2);
    create(&mut conn, &job("next")).unwrap();
}

#[test]
fn fault_523_what_a_client_refuses_is_refused_through_a_callers_connection_to_a_server() {
    let Some(server) = crate::support::Server::shared() else { return without_tool("postgres") };
    let after = |url: String, sql: &str| {
        let mut conn = PgConnection::establish(&url).unwrap();
        conn.batch_execute(sql).unwrap();
        create(&mut conn, &job("x"))
    };
    let refused = |sql: &str| after(server.database(), sql).unwrap_err();
    let mut of_handler = NewJob::new("x", "shrink");
    of_handler.limits.memory = Some("4G".parse().unwrap());
    let mut without_workers = job("x");
    without_workers.limits.workers = 0;
    let mut short_lease = job("x");
    short_lease.limits.lease = Some(std::time::Duration::from_secs(1));

    assert!(after(server.empty_database(), "SELECT 1").unwrap_err().contains("Client::create"));
    assert!(after(server.empty_database(), "CREATE TABLE settings (key text)").is_err());
    assert!(refused("UPDATE settings SET value = '99' WHERE key = 'job-manager:schema'").contains("install a newer"));
    assert!(refused("UPDATE settings SET value = '9' WHERE key = 'job-manager:schema'").contains("Client::open"));
    assert!(refused("CREATE TEMP TABLE units (id bigint)").contains("hide"));
    refused("SET default_transaction_read_only = on");
    after(server.database(), "CREATE SCHEMA shop; SET search_path = shop, public").unwrap();

    let mut conn = PgConnection::establish(&server.database()).unwrap();
    for (new, said) in [(of_handler, "shrink"), (without_workers, "0"), (short_lease, "a lease of 1")] {
        let told = create(&mut conn, &new).unwrap_err();
        assert!(told.contains(said), "{told}");
    }
    let mut keyed = job("x");
    keyed.key = Some("k".to_owned());
    let first = create(&mut conn, &keyed).unwrap();
    assert_eq!(create(&mut conn, &keyed).unwrap(), first);
    keyed.limits.max_attempts += 1;
    assert!(create(&mut conn, &keyed).unwrap_err().contains("max attempts"));
    assert!(matches!(create_job_in(&mut conn, &job("x"), std::iter::empty::<NewUnit>()), Err(ClientError::NoUnits)));
}
