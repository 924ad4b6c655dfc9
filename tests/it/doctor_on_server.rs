//! `doctor` on a PostgreSQL server: each finding on a server that is set so, and what it says to do.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use diesel::PgConnection;
use diesel::connection::{Connection, SimpleConnection};
use serde_json::Value;

use crate::support::{Server, World, is_root, text, wait_for, without, without_tool};

/// A database on a server, of which a verb is asked.
struct Database {
    world: World,
    url: String,
}

impl Database {
    fn new(server: &Server) -> Database {
        Database { world: World::new(), url: server.database() }
    }

    fn name(&self) -> &str {
        self.url.split_once('?').unwrap().0.rsplit_once('/').unwrap().1
    }

    fn sql(&self, statements: &str) {
        PgConnection::establish(&self.url).unwrap().batch_execute(statements).unwrap();
    }

    fn command(&self, url: &str, args: &[&str]) -> Command {
        let mut command = self.world.job_manager(args);
        command.env("JOB_MANAGER_DB", url).env("XDG_STATE_HOME", self.world.path("state"));
        command
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.command(&self.url, args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Returns the lines of `doctor` about something, by the URL of the database for some user.
    fn lines_of(&self, url: &str, about: &str) -> String {
        let output = self.command(url, &["doctor", "--json"]).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)));
        let findings = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["about"] == about);
        let line = |finding: &Value| {
            format!("{}: {}", finding["severity"].as_str().unwrap(), finding["message"].as_str().unwrap())
        };
        findings.map(line).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn says(&self, about: &str, expected: &str) {
        let said = self.lines_of(&self.url, about);
        assert!(said.contains(expected), "{about}: {said:?}, expected {expected:?}");
    }
}

fn server() -> Option<&'static Server> {
    let server = Server::shared();
    if server.is_none() {
        without_tool("postgres");
    }
    server
}

fn server_with(settings: &[&str]) -> Option<Server> {
    let server = Server::start_with(settings);
    if server.is_none() {
        without_tool("postgres");
    }
    server
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_that_does_not_wait_for_its_disk_is_named_by_each_setting() {
    let Some(server) = server() else { return };
    let database = Database::new(server);

    // The server of the tests is set so.
    database.says("durability", "warning: fsync is off, a crash of its machine can destroy the database: set it on");
    database
        .says("durability", "warning: full_page_writes is off, a crash of its machine can destroy pages: set it on");
    for (setting, expected) in [
        ("off", "synchronous_commit is off, a crash of the server loses results that were recorded: set it on for"),
        ("local", "synchronous_commit is local, a failover can lose results that were recorded: set it on for"),
    ] {
        database.sql(&format!("ALTER DATABASE {} SET synchronous_commit = {setting}", database.name()));
        database.says("durability", expected);
    }
    database.sql(&format!("ALTER DATABASE {} SET synchronous_commit = on", database.name()));
    assert!(!database.lines_of(&database.url, "durability").contains("synchronous_commit"));
    let shown = database.ok(&["doctor"]);
    assert!(shown.contains("PostgreSQL database test_"), "{shown}");
}

#[test]
fn fault_365_no_answer_of_doctor_holds_the_password_of_a_url() {
    let Some(server) = server() else { return };
    let database = Database::new(server);
    let url = format!("{}&password=s3cret", database.url);

    for args in [&["doctor"][..], &["doctor", "--json"]] {
        let output = database.command(&url, args).output().unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success() && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn tables_that_are_not_vacuumed_are_named() {
    let Some(server) = server() else { return };
    let database = Database::new(server);
    database.says("autovacuum", "ok: on");

    database.sql("ALTER TABLE units SET (autovacuum_enabled = off); ALTER TABLE jobs SET (autovacuum_enabled = false)");

    database.says("autovacuum", "warning: off for jobs, units: ALTER TABLE jobs RESET (autovacuum_enabled)");
    database.sql("ALTER TABLE units RESET (autovacuum_enabled); ALTER TABLE jobs SET (autovacuum_enabled = true)");
    database.says("autovacuum", "ok: on");
}

#[test]
fn a_server_that_vacuums_nothing_is_named() {
    let Some(server) = server_with(&["autovacuum=off", "fsync=on", "full_page_writes=on"]) else { return };
    let database = Database::new(&server);

    database
        .says("autovacuum", "warning: off, so that tables grow with every unit: set autovacuum and track_counts on");
    database.says("durability", "ok: fsync, full_page_writes and synchronous_commit are on");
    database.says("server", "ok: PostgreSQL ");
}

#[test]
fn a_role_is_told_of_too_few_connections_and_of_what_it_may_not_see() {
    let Some(server) = server() else { return };
    let database = Database::new(server);
    database.says("sessions", "ok: ");
    database.sql(
        "CREATE ROLE few LOGIN CONNECTION LIMIT 2; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO few",
    );
    let few = server.url_of("few", database.name());

    let said = ["sessions", "dead rows", "standbys"].map(|about| database.lines_of(&few, about));

    assert!(
        said[0].starts_with("warning: 1 of 100 connections are left, and 1 manager can need 3: raise "),
        "{said:?}"
    );
    assert!(said[1].contains("hidden from this role: GRANT pg_read_all_stats TO \"few\""), "{said:?}");
    assert_eq!(said[2], "ok: no server follows this one");
    database.sql("GRANT pg_read_all_stats TO few");
    assert_eq!(database.lines_of(&few, "dead rows"), "ok: nobody keeps them from being removed");
}

#[test]
fn counters_are_compared_with_units_while_a_job_runs_and_after_somebody_has_written() {
    let Some(server) = server() else { return };
    let database = Database::new(server);
    let script = "until [ -e go ]; do sleep 0.05; done";
    database.ok(&["submit", "-j", "2", "--range", "1-5", "--shell", "--", script]);
    wait_for(&database.world, "units to run", || {
        let status: Value = serde_json::from_str(&database.ok(&["status", "1", "--json"])).unwrap();
        status["progress"]["running"] == 2
    });

    database.says("counters", "ok: those of every job are those of its units");
    database.world.write("go", "");
    database.ok(&["wait", "1"]);
    database.says("counters", "ok: those of every job are those of its units");
    database.sql("UPDATE jobs SET total = total + 1, failed = failed + 1");
    let output = database.command(&database.url, &["doctor"]).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output.stdout).contains("those of job 1 are not those of its units"), "{}", text(&output.stdout));
}

#[test]
fn servers_that_follow_are_named_by_whether_commits_wait_for_them_and_so_is_a_slot_that_nobody_reads() {
    let Some(server) = server_with(&["wal_level=replica", "max_wal_senders=3"]) else { return };
    let database = Database::new(&server);
    database.says("standbys", "ok: no server follows this one");
    // A program that follows the log as a standby does.
    let follow = |name: &str| {
        let (dir, log) = (database.world.path(name), format!("{}&application_name={name}", server.url("postgres")));
        std::fs::create_dir(&dir).unwrap();
        let mut command = Command::new("pg_receivewal");
        command.arg("-D").arg(dir).args(["--no-password", "--synchronous", "-d", &log]);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    };
    let until = |expected: &str| {
        wait_for(&database.world, expected, || database.lines_of(&database.url, "standbys").contains(expected));
    };

    let _here = follow("here");
    until(
        "warning: asynchronous, so that a failover loses results that were recorded: name here in synchronous_standby_names",
    );
    server.execute("CREATE ROLE blind LOGIN");
    database.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO blind");
    let hidden = database.lines_of(&server.url_of("blind", database.name()), "standbys");
    server.execute("ALTER SYSTEM SET synchronous_standby_names = 'here'");
    server.execute("SELECT pg_reload_conf()");
    until("ok: synchronous: here");
    let _there = follow("there");
    until("warning: a failover to there loses results that were recorded: take here");
    assert!(hidden.contains("1 server may follow this one, how is hidden from this role: GRANT "), "{hidden}");

    database.says("dead rows", "ok: ");
    server.execute("SELECT pg_create_physical_replication_slot('forgotten', true)");
    database.says(
        "dead rows",
        "warning: nobody reads the replication slot forgotten, which holds rows and log: \
         SELECT pg_drop_replication_slot('forgotten')",
    );
}

/// Says that the test runs in a network of its own.
const INSIDE: &str = "JM_TEST_NETWORK";
const ADDRESS: &str = "192.0.2.1";

#[test]
fn what_can_be_read_on_the_way_to_a_server_is_named() {
    if std::env::var_os(INSIDE).is_none() {
        if !is_root() {
            return without("no right to make a network");
        }
        let mut again = Command::new("unshare");
        again.arg("--net").arg(std::env::current_exe().unwrap()).args(["--exact", "--nocapture"]);
        again.arg(format!(
            "{}::what_can_be_read_on_the_way_to_a_server_is_named",
            module_path!().split_once("::").unwrap().1
        ));
        let output = again.env(INSIDE, "1").output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        assert!(text(&output.stdout).contains("1 passed"), "{}", text(&output.stdout));
        return;
    }
    for args in [&["link", "set", "lo", "up"][..], &["address", "add", ADDRESS, "dev", "lo"]] {
        assert!(Command::new("ip").args(args).status().unwrap().success(), "{args:?}");
    }
    let Some(server) = server_with(&["listen_addresses=*"]) else { return };
    let mut access = OpenOptions::new().append(true).open(server.data().join("pg_hba.conf")).unwrap();
    writeln!(access, "host all all {ADDRESS}/32 trust").unwrap();
    server.execute("SELECT pg_reload_conf()");
    let database = Database::new(&server);
    let at = |host: &str| database.lines_of(&format!("postgres://postgres@{host}/{}", database.name()), "encryption");

    wait_for(&database.world, "the server to let others in", || !at(ADDRESS).is_empty());
    let expected = format!(
        "warning: what is sent to {ADDRESS} can be read on the way: set ssl on there, and sslmode=verify-full in the URL"
    );
    assert_eq!(at(ADDRESS), expected);
    assert_eq!(at("127.0.0.1"), "ok: what is sent is encrypted, or stays on this machine");
    assert_eq!(database.lines_of(&database.url, "encryption"), at("127.0.0.1"));
}

#[test]
fn whoever_deletes_many_units_is_told_of_the_space_that_they_leave() {
    let Some(server) = server() else { return };
    let database = Database::new(server);
    let prune = |units: &str| {
        let job = database.ok(&["create", "-q", "--range", units, "--", "true"]);
        database.ok(&["cancel", job.trim()]);
        let output = database.command(&database.url, &["prune", "-y"]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };

    let (few, many) = (prune("1-10"), prune("1-100000"));

    assert!(!few.contains("VACUUM"), "{few}");
    assert!(many.contains("autovacuum of the server makes their space free for new units: `VACUUM units`"), "{many}");
}
