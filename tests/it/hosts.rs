//! A job of a database on a server, with managers on several hosts: a host is a state directory.

use std::process::{Command, Output};

use diesel::PgConnection;
use diesel::connection::{Connection, SimpleConnection};
use serde_json::Value;

use crate::support::{Server, World, is_alive, kill, text, wait_for, without_tool};

const UNTIL_GO: &str = "while test ! -e go; do sleep 0.05; done";

/// Two hosts, a and b, and a database on a server.
struct Hosts {
    world: World,
    url: String,
}

impl Hosts {
    #[track_caller]
    fn new() -> Option<Hosts> {
        let Some(server) = Server::shared() else {
            without_tool("postgres");
            return None;
        };
        Some(Hosts { world: World::new(), url: server.database() })
    }

    fn command(&self, host: &str, args: &[&str]) -> Command {
        let mut command = self.world.job_manager(args);
        command.env("JOB_MANAGER_DB", &self.url).env("XDG_STATE_HOME", self.world.path(host));
        command
    }

    fn run(&self, host: &str, args: &[&str]) -> Output {
        self.command(host, args).output().unwrap()
    }

    #[track_caller]
    fn ok(&self, host: &str, args: &[&str]) -> String {
        let output = self.run(host, args);
        let said = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{args:?} on {host}: {}\n{}{}", output.status, said.0, said.1);
        said.0.trim().to_owned()
    }

    fn status(&self, host: &str) -> Value {
        serde_json::from_str(&self.ok(host, &["status", "1", "--json"])).unwrap()
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        wait_for(&self.world, what, || is_so(&self.status("a")));
    }

    /// Submits a job of so many units of a shell script on host a, one at a time on each host, and waits until one runs.
    fn submit(&self, units: usize, script: &str) -> u32 {
        let numbers = self.world.numbers(units);
        self.ok("a", &["submit", "-j", "1", "--lines", &numbers, "--", "sh", "-c", script]);
        self.wait_until("a unit to run", |status| status["progress"]["running"] == 1);
        u32::try_from(self.status("a")["pid"].as_u64().unwrap()).unwrap()
    }

    fn go(&self) {
        self.world.write("go", "");
    }

    fn end_leases(&self) {
        let mut conn = PgConnection::establish(&self.url).unwrap();
        conn.batch_execute("UPDATE managers SET lease_until = 0").unwrap();
    }
}

#[test]
fn another_host_says_who_runs_the_job() {
    let Some(hosts) = Hosts::new() else { return };
    let manager = hosts.submit(2, UNTIL_GO);

    let seen = hosts.status("b");
    let shown = hosts.ok("b", &["status", "1"]);
    let why = hosts.ok("b", &["explain", "1"]);

    assert_eq!((seen["status"].as_str(), seen["job_status"].as_str()), (Some("running"), Some("running")), "{seen}");
    assert_eq!(seen["managers"][0]["pid"], manager, "{seen}");
    assert_eq!((&seen["managers"][0]["here"], &seen["pid"]), (&Value::Bool(false), &Value::Null));
    assert_eq!((&hosts.status("a")["managers"][0]["here"]), &Value::Bool(true));
    assert!(shown.contains("running on 1 host: ") && shown.contains(&format!("process {manager}")), "{shown}");
    assert!(!shown.contains("copy") && !why.contains("copy") && !why.contains("died"), "{shown}\n{why}");
    hosts.go();
    hosts.ok("b", &["wait", "1"]);
    assert_eq!(hosts.status("b")["progress"]["completed"], 2);
}

#[test]
fn a_manager_that_was_killed_is_gone_for_its_host_at_once_and_for_another_with_its_lease() {
    let Some(hosts) = Hosts::new() else { return };
    let manager = hosts.submit(2, UNTIL_GO);

    kill(manager);
    hosts.wait_until("its host to see it", |status| status["status"] == "stopped");
    let within = hosts.status("b");
    let shown = hosts.ok("a", &["status", "1", "-q"]);
    hosts.end_leases();
    let after = hosts.status("b");

    assert_eq!(within["status"], "running", "{within}");
    assert_eq!(shown, "interrupted");
    assert_eq!(after["status"], "unknown", "{after}");
    assert!(after["waiting_for"].as_str().unwrap().contains("silent since "), "{after}");
    hosts.go();
    hosts.ok("b", &["resume", "1"]);
    hosts.ok("b", &["wait", "1"]);
    assert_eq!(hosts.status("b")["progress"]["completed"], 2);
}

#[test]
fn a_job_is_stopped_and_cancelled_from_another_host() {
    let Some(hosts) = Hosts::new() else { return };
    let manager = hosts.submit(3, UNTIL_GO);

    hosts.ok("b", &["stop", "1", "--now", "--wait"]);
    let paused = hosts.status("b");
    hosts.ok("a", &["resume", "1"]);
    hosts.wait_until("a unit to run again", |status| status["progress"]["running"] == 1);
    hosts.ok("b", &["cancel", "1"]);

    assert_eq!(paused["job_status"], "paused", "{paused}");
    let cancelled = hosts.status("b");
    assert_eq!((&cancelled["job_status"], &cancelled["progress"]["cancelled"]), (&"cancelled".into(), &3.into()));
    assert!(!is_alive(manager));
}

#[test]
fn a_resume_joins_managers_of_other_hosts_and_words_of_all_attempts_count() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.submit(2, &format!("{UNTIL_GO}; \"$BIN\" unit-result '{{}}'"));

    hosts.ok("b", &["resume", "1"]);
    let joined = hosts.status("b");
    let again = hosts.run("b", &["resume", "1"]);
    hosts.go();
    hosts.ok("a", &["wait", "1"]);

    assert_eq!(joined["managers"].as_array().unwrap().len(), 2, "{joined}");
    assert!(again.status.success() && text(&again.stderr).contains("has a manager already"));
    let done = hosts.status("a");
    assert_eq!((&done["progress"]["completed"], &done["progress"]["failed"]), (&2.into(), &0.into()), "{done}");
}

#[test]
fn a_unit_is_killed_from_another_host() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.submit(2, UNTIL_GO);
    hosts.ok("b", &["resume", "1"]);

    hosts.ok("b", &["kill", "1:1", "--then", "skip", "--reason", "it hangs"]);

    hosts.wait_until("the unit to be skipped", |status| status["progress"]["skipped"] == 1);
    hosts.go();
    hosts.ok("b", &["wait", "1"]);
    assert_eq!(hosts.status("b")["job_status"], "completed");
}

#[test]
fn what_is_kept_on_another_host_is_named_and_the_end_of_it_is_printed() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.ok("a", &["run", "-q", "--output", "full", "--shell", "--", "seq 1 30000"]);

    let elsewhere = hosts.run("b", &["logs", "1:1"]);
    let log = hosts.run("b", &["logs", "1", "--manager"]);
    let here = hosts.run("a", &["logs", "1:1"]);

    let (end, hint) = (text(&elsewhere.stdout), text(&elsewhere.stderr));
    assert!(elsewhere.status.success() && end.ends_with("29999\n30000\n") && end.len() < here.stdout.len(), "{hint}");
    assert!(hint.contains("the full output is on the host that ran the unit") && hint.contains("logs 1:1"), "{hint}");
    assert_eq!((here.status.code(), text(&here.stderr)), (Some(0), String::new()));
    assert!(text(&here.stdout).starts_with("1\n2\n"));
    assert_eq!(log.status.code(), hosts.run("b", &["logs", "1:9"]).status.code(), "not found");
    assert!(text(&log.stderr).contains("each host keeps its own manager's log"), "{}", text(&log.stderr));
}
