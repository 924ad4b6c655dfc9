//! Refusals of a real server, and what they are taken for.

use std::fs;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::fault::ENGLISH;
use crate::postgres_server::{Server, Shutdown};
use crate::store::Fault;
use crate::without::without_tool;

const JOB: &str = "INSERT INTO jobs (uid, name, handler, limits, status, epoch, revision, claimed_through, total, pending, running, \
     completed, failed, skipped, cancelled, created_at) VALUES ('u', 'n', 'command', '{}', 'created', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)";

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

/// Runs statements that must be refused, and returns what the last refusal is taken for.
fn refused(conn: &mut PgConnection, sql: &str) -> Fault {
    Fault::of_sql(&conn.batch_execute(sql).unwrap_err())
}

fn no_connection(url: &str) -> Fault {
    Fault::of_connection(&PgConnection::establish(url).err().unwrap())
}

#[test]
fn another_transaction_in_the_way_is_a_conflict() {
    let Some(server) = Server::shared() else { return without_tool("postgres") };
    let url = server.database();
    let (mut one, mut other) = (connect(&url), connect(&url));
    one.batch_execute(&format!("{JOB}; SET deadlock_timeout = '10ms'")).unwrap();
    one.batch_execute("INSERT INTO settings VALUES ('a', '1'), ('b', '1')").unwrap();
    let change = |key| format!("UPDATE settings SET value = value || '2' WHERE key = '{key}'");

    // 40001.
    one.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM settings").unwrap();
    other.batch_execute(&change("a")).unwrap();
    assert_eq!(refused(&mut one, &change("a")), Fault::Conflict);
    one.batch_execute("ROLLBACK").unwrap();

    // 55P03 and 57014.
    other.batch_execute(&format!("BEGIN; {}", change("a"))).unwrap();
    for timeout in ["lock_timeout", "statement_timeout"] {
        let waits = format!("SET {timeout} = '20ms'; {}", change("a"));
        assert_eq!(refused(&mut one, &waits), Fault::Conflict, "{timeout}");
        one.batch_execute(&format!("RESET {timeout}")).unwrap();
    }
    assert_eq!(refused(&mut one, "SELECT 1 FROM settings FOR UPDATE NOWAIT"), Fault::Conflict);

    // 40P01.
    one.batch_execute(&format!("BEGIN; {}", change("b"))).unwrap();
    let waiting = std::thread::spawn(move || other.batch_execute(&change("b")).map_err(|error| Fault::of_sql(&error)));
    let ended = one.batch_execute(&change("a")).map_err(|error| Fault::of_sql(&error));
    // Whichever has lost: the winner goes on when the loser's transaction is over.
    drop(one);
    let both = [ended, waiting.join().unwrap()];
    assert!(both.contains(&Err(Fault::Conflict)) && both.contains(&Ok(())), "{both:?}");
}

#[test]
fn a_lost_connection_is_told_from_whatever_was_under_way() {
    let Some(mut server) = Server::start() else { return without_tool("postgres") };
    let url = server.database();

    for how in [None, Some(Shutdown::Fast), Some(Shutdown::Immediate), Some(Shutdown::Kill)] {
        let mut conn = connect(&url);
        let lost = conn.transaction(|conn| {
            conn.batch_execute(JOB)?;
            match how {
                Some(how) => server.stop(how),
                None => {
                    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'")
                }
            }
            conn.batch_execute(JOB)
        });
        assert_eq!(Fault::of_sql(&lost.unwrap_err()), Fault::Disconnected, "{how:?}");
        assert_eq!(refused(&mut conn, "SELECT 1"), Fault::Disconnected, "{how:?}");
        let next = conn.transaction(|conn| conn.batch_execute(JOB));
        assert_eq!(Fault::of_sql(&next.unwrap_err()), Fault::Disconnected, "{how:?}");
        if how.is_some() {
            assert_eq!(no_connection(&url), Fault::Disconnected, "{how:?}");
            server.restart();
        }
    }
    assert_eq!(no_connection("postgresql://no-such-host.invalid/x"), Fault::Disconnected);
    assert_eq!(no_connection("postgresql:///x?nonsense=1"), Fault::Unexpected);
}

#[test]
fn a_server_that_is_full_or_starts_up_is_one_that_is_away() {
    let Some(server) = Server::start_with(&["max_connections=4", "superuser_reserved_connections=1"]) else {
        return without_tool("postgres");
    };
    server.execute("CREATE ROLE plain LOGIN");
    let refused_after = |user: &str| {
        let mut kept = Vec::new();
        let error = loop {
            match PgConnection::establish(&server.url_of(user, "postgres")) {
                Ok(conn) => kept.push(conn),
                Err(error) => break error,
            }
            assert!(kept.len() < 9);
        };
        Fault::of_connection(&error)
    };

    assert_eq!(refused_after("plain"), Fault::Disconnected);
    assert_eq!(refused_after("postgres"), Fault::Disconnected);
    for text in [
        "connection to server on socket \"/s/.s.PGSQL.5432\" failed: FATAL:  the database system is starting up\n",
        "connection to server at \"h\" (10.0.0.1), port 5432 failed: timeout expired\n",
        "terminating connection because of crash of another server process",
        "SSL connection has been closed unexpectedly\n",
    ] {
        assert_eq!(Fault::of_message(text), Fault::Disconnected, "{text}");
    }
}

#[test]
fn a_disk_without_space_and_a_server_that_takes_no_changes_are_told() {
    let Some(server) = Server::shared() else { return without_tool("postgres") };
    let mut conn = connect(&server.database());

    assert_eq!(refused(&mut conn, "COPY (SELECT repeat('x', 1000000)) TO '/dev/full'"), Fault::Full);
    conn.batch_execute("SET default_transaction_read_only = on").unwrap();
    assert_eq!(refused(&mut conn, JOB), Fault::Standby);
}

#[test]
fn who_may_not_come_in_and_who_may_not_do_something_are_told() {
    let Some(server) = Server::start() else { return without_tool("postgres") };
    let url = server.database();
    let name = url.split(['/', '?']).nth(3).unwrap();
    server.execute("CREATE ROLE plain LOGIN PASSWORD 'right'");

    let mut plain = connect(&server.url_of("plain", name));
    assert_eq!(refused(&mut plain, "SELECT 1 FROM jobs"), Fault::Denied);
    assert_eq!(refused(&mut plain, "CREATE SCHEMA s"), Fault::Denied);
    assert_eq!(refused(&mut plain, "DROP TABLE jobs"), Fault::Denied);
    server.execute(&format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"));
    assert_eq!(no_connection(&server.url_of("plain", name)), Fault::Denied);

    assert_eq!(no_connection(&server.url_of("nobody", name)), Fault::LoginRefused);
    assert_eq!(no_connection(&server.url("nothing")), Fault::UnknownDatabase);
    fs::write(server.data().join("pg_hba.conf"), "local all plain scram-sha-256\nlocal postgres postgres trust\n")
        .unwrap();
    server.execute("SELECT pg_reload_conf()");
    // The server takes its new rules up when it is told, and not within that statement.
    while PgConnection::establish(&url).is_ok() {}
    assert_eq!(no_connection(&url), Fault::LoginRefused);
    for password in ["", "&password=wrong"] {
        assert_eq!(no_connection(&(server.url_of("plain", "postgres") + password)), Fault::LoginRefused, "{password}");
    }
    assert!(PgConnection::establish(&(server.url_of("plain", "postgres") + "&password=right")).is_ok());
}

#[test]
fn what_is_missing_and_what_breaks_a_rule_is_told() {
    let Some(server) = Server::shared() else { return without_tool("postgres") };
    let mut empty = connect(&server.empty_database());
    let mut conn = connect(&server.database());

    assert_eq!(refused(&mut empty, "SELECT 1 FROM jobs"), Fault::Incomplete);
    for column in ["nothing", "jobs.nothing"] {
        assert_eq!(refused(&mut conn, &format!("SELECT {column} FROM jobs")), Fault::Incomplete);
    }
    conn.batch_execute("ALTER TABLE jobs DROP COLUMN stop_reason").unwrap();
    assert_eq!(refused(&mut conn, "UPDATE jobs SET stop_reason = ''"), Fault::Incomplete);
    assert_eq!(refused(&mut conn, "DROP INDEX nothing"), Fault::Incomplete);

    for broken in [
        JOB.replace("'{}'", "'{'"),
        JOB.replace("'n'", "''"),
        JOB.replace("'created'", "'completed'"),
        JOB.replace("'n'", "NULL"),
        format!("{JOB}; {JOB}"),
        "INSERT INTO specs VALUES (77, '{}')".to_owned(),
        "INSERT INTO settings VALUES ('k', convert_from('\\x00', 'UTF8'))".to_owned(),
    ] {
        assert_eq!(refused(&mut conn, &broken), Fault::Constraint, "{broken}");
    }
    assert_eq!(refused(&mut conn, "SELECT 1 / 0"), Fault::Unexpected);
}

#[test]
fn the_server_is_asked_for_english_and_may_refuse_that() {
    let Some(server) = Server::shared() else { return without_tool("postgres") };
    let url = server.database();
    let name = url.split(['/', '?']).nth(3).unwrap();
    server.execute(&format!("CREATE ROLE of_{name} LOGIN; ALTER DATABASE {name} SET lc_messages = 'C.UTF-8'"));
    let language = |user: &str| {
        let mut conn = connect(&server.url_of(user, name));
        conn.batch_execute(ENGLISH).unwrap();
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("current_setting('lc_messages')"))
            .get_result::<String>(&mut conn)
            .unwrap()
    };

    assert_eq!(language("postgres"), "C");
    assert_eq!(language(&format!("of_{name}")), "C.UTF-8");
}
