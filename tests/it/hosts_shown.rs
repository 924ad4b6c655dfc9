//! The hosts of a job on a server, as the faces show them: a host is a state directory, and gets its name from the test.

use std::process::Command;

use diesel::PgConnection;
use diesel::connection::{Connection, SimpleConnection};
use serde_json::{Value, json};

use crate::support::{Browser, Host, Server, World, kill, text, wait_for, without_tool};

struct Hosts {
    world: World,
    url: String,
}

impl Hosts {
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

    fn ok(&self, host: &str, args: &[&str]) -> String {
        let output = self.command(host, args).output().unwrap();
        assert!(output.status.success(), "{args:?} on {host}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.ok("elsewhere", &["status", "1", "--json"])).unwrap()
    }

    fn sql(&self, statements: &str) {
        PgConnection::establish(&self.url).unwrap().batch_execute(statements).unwrap();
    }
}

/// Returns the states of managers by the names of their hosts.
fn states(managers: &Value) -> Vec<(&str, &str)> {
    managers
        .as_array()
        .map(|runs| runs.iter().map(|run| (run["host"].as_str().unwrap(), run["state"].as_str().unwrap())).collect())
        .unwrap_or_default()
}

#[test]
fn every_face_shows_the_hosts_that_run_a_job_and_those_that_do_no_more() {
    let Some(hosts) = Hosts::new() else { return };
    let world = &hosts.world;
    let script = "until [ -e go ]; do sleep 0.05; done";
    hosts.ok("alpha", &["submit", "--name", "shared", "-j", "1", "--range", "1-6", "--shell", "--", script]);
    wait_for(world, "a unit to run", || hosts.status()["progress"]["running"] == 1);
    hosts.ok("beta", &["resume", "1"]);
    wait_for(world, "both hosts to run a unit", || hosts.status()["progress"]["running"] == 2);
    // One row at a time: managers lock theirs after that of the job.
    hosts.sql("UPDATE managers SET host = 'alpha' WHERE number = 1");
    hosts.sql("UPDATE managers SET host = 'beta' WHERE number = 2");
    hosts.sql(
        "INSERT INTO managers (job_id, number, uid, state, reason, host, boot_id, pid, start_ticks, version, heartbeat_at, ended_at) \
         SELECT job_id, 9, 'x', 'refused', 'there is no directory /data', 'gamma', boot_id, pid, start_ticks, version, heartbeat_at, \
         heartbeat_at FROM managers WHERE number = 1",
    );

    let dashboard = world.serve(&["--db", &hosts.url]);
    let has = |line: &str| {
        wait_for(world, line, || dashboard.ask("GET /metrics", &[], "").body.lines().any(|found| found == line));
    };
    let mut program = Host::with_flags(world, &["--db", &hosts.url]);
    let answered = program.call("job_status", json!({ "job": "1" }));

    for host in ["alpha", "beta"] {
        let labels = format!("{{job_id=\"1\",name=\"shared\",host=\"{host}\"}}");
        has(&format!("job_manager_job_manager_up{labels} 1"));
        has(&format!("job_manager_job_workers{labels} 1"));
        has(&format!("job_manager_job_manager_running{labels} 1"));
    }
    // A model is shown them as texts.
    let read = |name: &str| -> Value {
        answered.document[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap())
            .collect()
    };
    assert_eq!(states(&read("managers")), [("alpha", "live"), ("beta", "live")]);
    assert_eq!(states(&read("former_managers")), [("gamma", "refused")]);
    for said in ["; running on 2 hosts: alpha (process ", "; host gamma refused it: there is no directory /data"] {
        assert!(answered.text.contains(said), "{}", answered.text);
    }
    let shown = hosts.ok("elsewhere", &["status", "1"]);
    assert!(shown.contains("refused   by host gamma: there is no directory /data"), "{shown}");
    let page: Value = serde_json::from_str(&dashboard.ask("GET /api/v1/jobs/1", &[], "").body).unwrap();
    assert_eq!(page["former_managers"][0]["reason"], "there is no directory /data");
    if let Some(mut browser) = Browser::start(world) {
        browser.open(&format!("http://127.0.0.1:{}/#token={}/jobs/1", dashboard.port, dashboard.entry));
        browser.wait_for_text("there is no directory /data");
        let shown = browser.eval(
            "[...document.querySelectorAll('table[aria-label=Hosts] tbody tr')].map((row) => row.innerText).join(';')",
        );
        for said in ["alpha", "▶ running", "gamma", "✗ refused"] {
            assert!(shown.as_str().unwrap().contains(said), "{shown}");
        }
        browser.eval("location.hash = '#/'");
        browser.wait_for_text("running on 2 hosts");
        assert_eq!(browser.complaints, [] as [&str; 0]);
    }

    let status = hosts.status();
    let beta = status["managers"][1]["pid"].as_u64().unwrap();
    kill(u32::try_from(beta).unwrap());
    wait_for(world, "beta to see it", || {
        let seen: Value = serde_json::from_str(&hosts.ok("beta", &["status", "1", "--json"])).unwrap();
        states(&seen["former_managers"]).contains(&("beta", "lost"))
    });
    hosts.sql("UPDATE managers SET lease_until = 0 WHERE number = 2");
    world.write("go", "");
    hosts.ok("alpha", &["wait", "1"]);
    let ended = hosts.status();
    assert_eq!((&ended["job_status"], &ended["managers"]), (&"completed".into(), &Value::Null), "{ended}");
    assert_eq!(states(&ended["former_managers"]), [("gamma", "refused"), ("beta", "lost"), ("alpha", "left")]);
}

#[test]
fn fault_366_metrics_of_a_database_on_a_server_add_up_its_jobs() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.ok("alpha", &["create", "--range", "1-3", "--", "true"]);
    hosts.ok("alpha", &["create", "--range", "1-4", "--", "true"]);

    let dashboard = hosts.world.serve(&["--db", &hosts.url]);
    let reply = dashboard.ask("GET /metrics", &[], "");

    assert_eq!(reply.status, 200, "{}", reply.body);
    for line in ["job_manager_jobs{status=\"created\"} 2", "job_manager_units{status=\"pending\"} 7"] {
        assert!(reply.body.lines().any(|found| found == line), "{line}: {}", reply.body);
    }
}
