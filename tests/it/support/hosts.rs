//! Several hosts of one job, whose database is on a server: a host is a state directory.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use diesel::connection::{Connection, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, QueryableByName};
use nix::sys::signal::Signal;

use super::{BIN, Server, World, is_alive, send, text, wait_for, without_tool};

/// A lease that a test can wait for, and that no busy machine lets run out.
pub const LEASE: Duration = Duration::from_secs(8);

/// The hosts of a test.
pub struct Hosts {
    pub world: World,
    url: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

impl Hosts {
    /// Makes a database; none where there is no server.
    pub fn new() -> Option<Hosts> {
        let Some(server) = Server::shared() else {
            without_tool("postgres");
            return None;
        };
        Some(Hosts::at(server.database()))
    }

    /// Makes hosts whose database is at that address.
    pub fn at(url: String) -> Hosts {
        Hosts { world: World::new(), url }
    }

    /// Returns what `--db` takes.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn command(&self, host: &str, args: &[&str]) -> Command {
        let mut command = self.world.command(BIN);
        command.args(args).env("JOB_MANAGER_DB", &self.url).env("XDG_STATE_HOME", self.world.path(host));
        command.env("JOB_MANAGER_TEST_LEASE_MS", LEASE.as_millis().to_string());
        command
    }

    pub fn run(&self, host: &str, args: &[&str]) -> Output {
        self.command(host, args).output().unwrap()
    }

    #[track_caller]
    pub fn ok(&self, host: &str, args: &[&str]) -> String {
        let output = self.run(host, args);
        assert!(output.status.success(), "{args:?} on {host}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    /// Creates a job of so many units of a shell script with some options.
    pub fn create(&self, units: u32, options: &[&str], script: &str) -> String {
        let range = format!("1-{units}");
        self.ok("creator", &[&["create", "-q", "--range", &range], options, &["--shell", "--", script]].concat())
    }

    /// Creates a job whose units note that they run, and wait for a file.
    pub fn create_waiting(&self, units: u32, workers: u32) -> String {
        let script = "echo {} >>begun; until [ -e go ]; do sleep 0.05; done; echo {} >>ended";
        self.create(units, &["-j", &workers.to_string()], script)
    }

    /// Starts a manager on each of some hosts, one after the other.
    pub fn start_on(&self, hosts: &[&str], job: &str) {
        for host in hosts {
            self.ok(host, &["resume", job]);
        }
    }

    pub fn work(&self, host: &str, args: &[&str]) -> Child {
        self.command(host, &[&["work"], args].concat()).stdout(Stdio::null()).spawn().unwrap()
    }

    pub fn let_go(&self) {
        self.world.write("go", "");
    }

    pub fn connection(&self) -> PgConnection {
        PgConnection::establish(&self.url).unwrap()
    }

    pub fn execute(&self, sql: &str) {
        self.connection().batch_execute(sql).unwrap();
    }

    /// Returns the number that a query gives, or an expression.
    pub fn count(&self, query: &str) -> i64 {
        let mut conn = self.connection();
        diesel::sql_query(format!("SELECT ({query})::bigint AS number")).get_result::<Number>(&mut conn).unwrap().number
    }

    /// Returns a text in the same way.
    pub fn word(&self, query: &str) -> String {
        let mut conn = self.connection();
        diesel::sql_query(format!("SELECT ({query})::text AS word")).get_result::<Word>(&mut conn).unwrap().word
    }

    pub fn status(&self, job: &str) -> String {
        self.word(&format!("SELECT status FROM jobs WHERE id = {job}"))
    }

    pub fn status_of_last(&self) -> String {
        self.status("(SELECT max(id) FROM jobs)")
    }

    pub fn live(&self) -> i64 {
        self.count("SELECT count(*) FROM managers WHERE state = 'live'")
    }

    /// Returns the process of the live manager of a host.
    pub fn manager(&self, host: &str) -> Option<u32> {
        let place = self.world.path(host);
        let query = format!(
            "SELECT coalesce(max(pid), 0) FROM managers WHERE state = 'live' AND database LIKE '%{}/%'",
            place.display()
        );
        u32::try_from(self.count(&query)).ok().filter(|pid| *pid > 0 && is_alive(*pid))
    }

    #[track_caller]
    pub fn wait_for_managers(&self, hosts: &[&str]) {
        self.wait("managers on the hosts", || hosts.iter().all(|host| self.manager(host).is_some()));
    }

    /// Returns how many units of [`Hosts::create_waiting`] have begun.
    pub fn begun(&self) -> usize {
        self.lines("begun").len()
    }

    /// Every one of them has ended once, and nobody has run one twice but those that a death interrupted.
    #[track_caller]
    pub fn assert_completed(&self, units: usize, interrupted: usize) {
        self.wait("the job to complete", || self.status_of_last() == "completed");
        let mut ended = self.world.lines("ended");
        ended.sort();
        ended.dedup();
        assert_eq!(ended.len(), units);
        let completed = "SELECT completed FROM jobs";
        let by_rows = "SELECT count(*) FROM units WHERE status = 'completed'";
        assert_eq!([completed, by_rows].map(|query| self.count(query)), [i64::try_from(units).unwrap(); 2]);
        let begun = self.begun();
        assert!(begun >= units && begun <= units + interrupted, "{begun} of {units}");
    }

    /// Gives a host a name of its own: all are one machine here.
    pub fn name_host(&self, host: &str, name: &str) {
        let place = self.world.path(host);
        self.execute(&format!("UPDATE managers SET host = '{name}' WHERE database LIKE '%{}/%'", place.display()));
    }

    #[track_caller]
    pub fn wait(&self, what: &str, is_so: impl FnMut() -> bool) {
        wait_for(&self.world, what, is_so);
    }

    #[track_caller]
    pub fn wait_for_status(&self, job: &str, status: &str) {
        self.wait(status, || self.status(job) == status && self.live() == 0);
    }

    /// Returns the lines of a file, in their order; none of one that is not there.
    pub fn lines(&self, name: &str) -> Vec<String> {
        if self.world.path(name).exists() { self.world.lines(name) } else { Vec::new() }
    }

    /// Asks a host to leave, and waits until it has.
    pub fn leave(&self, mut work: Child) {
        send(work.id(), Signal::SIGTERM);
        assert!(work.wait().unwrap().success());
    }
}
