//! Hosts that are cut off from the server, or suspended, beyond the lease of their managers: no unit runs twice at a time.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection};
use nix::sys::signal::Signal;

use crate::support::{BIN, Cables, Lost, Server, World, is_alive, send, text, wait_for, without_tool};

/// Short, for a test that waits for its end.
const LEASE: Duration = Duration::from_millis(4_500);
/// What a manager does once a second, and a busy machine may delay.
const SLACK: Duration = Duration::from_secs(2);
/// What units do: they note that they begin, and how they end, and wait until all may go on and nobody holds them.
const UNIT: &str = "unit={}; trap 'echo $unit $(date +%s%N) >>stopped; exit 1' TERM; echo $unit $(date +%s%N) >>begun; \
    until [ -e go ] && ! [ -e hold-$unit ]; do sleep 0.05; done; echo $unit $(date +%s%N) >>ended";

/// Hosts that share a job, each with a state directory of its own.
struct Hosts {
    world: World,
    /// The address of the database for the test, and for each host.
    url: String,
    urls: [String; 2],
    network: Option<Cables>,
    /// A server that is in the network.
    _server: Option<Server>,
}

impl Hosts {
    #[track_caller]
    fn on_a_network() -> Option<Hosts> {
        let network = Cables::new(2)?;
        let Some(server) = Server::start_in_network(network.of_server()) else {
            without_tool("postgres");
            return None;
        };
        let url = server.database();
        let name = url.trim_start_matches("postgresql:///").split('?').next().unwrap().to_owned();
        let urls = [0, 1].map(|host| server.url_at(&network.server_for(host), &name));
        Some(Hosts { world: World::new(), url, urls, network: Some(network), _server: Some(server) })
    }

    #[track_caller]
    fn on_one_machine() -> Option<Hosts> {
        let Some(server) = Server::shared() else {
            without_tool("postgres");
            return None;
        };
        let url = server.database();
        Some(Hosts { world: World::new(), urls: [url.clone(), url.clone()], url, network: None, _server: None })
    }

    fn network(&self) -> &Cables {
        self.network.as_ref().expect("these hosts have one")
    }

    fn command(&self, host: usize, args: &[&str]) -> Command {
        let words = self.network.as_ref().map_or_else(|| vec![BIN.to_owned()], |network| network.on(host, BIN));
        let mut command = self.world.command(&words[0]);
        command.args(&words[1..]).args(args).env("JOB_MANAGER_DB", &self.urls[host]);
        command.env("XDG_STATE_HOME", self.world.path(&host.to_string()));
        command.env("JOB_MANAGER_TEST_LEASE_MS", LEASE.as_millis().to_string());
        command
    }

    fn work(&self, host: usize) -> Child {
        self.command(host, &["work", "last"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn create(&self, units: usize) {
        let range = format!("1-{units}");
        let output =
            self.command(0, &["create", "--range", &range, "-j", "2", "--shell", "--", UNIT]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    fn count(&self, query: &str) -> i64 {
        let mut conn = PgConnection::establish(&self.url).unwrap();
        diesel::dsl::sql::<BigInt>(&format!("SELECT ({query})::bigint")).get_result(&mut conn).unwrap()
    }

    fn wait(&self, what: &str, is_so: impl FnMut() -> bool) {
        wait_for(&self.world, what, is_so);
    }

    fn wait_for_running(&self, units: i64) {
        let running = "SELECT count(*) FROM units WHERE status = 'running'";
        self.wait("units to run", || self.count(running) == units);
    }

    /// Returns the process of the live manager of a host.
    fn manager(&self, host: usize) -> u32 {
        let place = self.world.path(&host.to_string());
        let query = format!("SELECT pid FROM managers WHERE state = 'live' AND database LIKE '%{}/%'", place.display());
        u32::try_from(self.count(&query)).unwrap()
    }

    fn managers(&self, pid: u32, state: &str) -> i64 {
        self.count(&format!("SELECT count(*) FROM managers WHERE pid = {pid} AND state = '{state}'"))
    }

    /// Returns the units that belong to a manager and run.
    fn units_of(&self, pid: u32) -> Vec<i64> {
        let mut conn = PgConnection::establish(&self.url).unwrap();
        let query = format!(
            "seq FROM units JOIN ranges ON seq BETWEEN first AND last JOIN managers ON uid = manager \
             WHERE units.status = 'running' AND pid = {pid}"
        );
        diesel::dsl::sql::<BigInt>(&format!("SELECT {query}")).get_results(&mut conn).unwrap()
    }

    /// Returns what units have noted: their numbers, and when that was.
    fn noted(&self, what: &str) -> Vec<(i64, u128)> {
        let read = |line: String| {
            let (unit, at) = line.split_once(' ')?;
            Some((unit.parse().unwrap(), at.parse().unwrap()))
        };
        if !self.world.path(what).exists() {
            return Vec::new();
        }
        self.world.lines(what).into_iter().filter_map(read).collect()
    }

    fn have_stopped(&self, units: &[i64]) -> bool {
        let stopped = self.noted("stopped");
        units.iter().all(|unit| stopped.iter().any(|(other, _)| other == unit))
    }

    fn let_go(&self) {
        self.world.write("go", "");
    }

    /// Every unit has ended once, and no attempt had begun before the one before it was over.
    fn assert_completed(&self, units: usize) {
        self.wait("the job to complete", || self.count("SELECT count(*) FROM jobs WHERE status = 'completed'") == 1);
        let ended = self.noted("ended");
        assert_eq!(ended.len(), units, "{ended:?}");
        assert_eq!(self.count("SELECT completed FROM jobs"), i64::try_from(units).unwrap());
        let mut attempts: BTreeMap<i64, (Vec<u128>, Vec<u128>)> = BTreeMap::new();
        for (unit, at) in self.noted("begun") {
            attempts.entry(unit).or_default().0.push(at);
        }
        for (unit, at) in self.noted("stopped").into_iter().chain(ended) {
            attempts.entry(unit).or_default().1.push(at);
        }
        assert_eq!(attempts.len(), units);
        for (unit, (begun, over)) in &mut attempts {
            over.sort();
            assert_eq!(begun.len(), over.len(), "unit {unit}");
            let mut pairs = over.iter().zip(begun.iter().skip(1));
            assert!(pairs.all(|(over, begun)| over <= begun), "unit {unit} ran twice at a time: {begun:?} {over:?}");
        }
    }

    fn log(&self, host: usize) -> String {
        text(&self.world.sh(&format!("cat {host}/job-manager/*.d/*/manager.log")).stdout)
    }
}

fn a_host_that_is_cut_off(lost: Lost) {
    let Some(hosts) = Hosts::on_a_network() else { return };
    hosts.create(40);
    let mut works = [0, 1].map(|host| hosts.work(host));
    hosts.wait_for_running(4);
    let manager = hosts.manager(0);
    let units = hosts.units_of(manager);
    assert_eq!(units.len(), 2);

    hosts.network().cut(0, lost);
    let cut_at = Instant::now();
    hosts.wait("the units to be ended", || hosts.have_stopped(&units));
    let took = cut_at.elapsed();

    let in_time = LEASE / 3..LEASE * 2 / 3 + SLACK;
    assert!(in_time.contains(&took), "{took:?}\n{}", hosts.log(0));
    assert_eq!(hosts.managers(manager, "live"), 1, "others had taken over before");
    hosts.let_go();
    hosts.assert_completed(40);
    assert_eq!(hosts.managers(manager, "lost"), 1);
    // One that is cut off within a transaction has the row of the job locked until the server gives its connection up. That takes 8 s:
    // for less than any lease but this short one, with which the other host ends its own two units meanwhile.
    let begun = hosts.noted("begun").len();
    assert!((42..=44).contains(&begun), "{begun}");
    println!("units were ended {took:?} after the cut");
    hosts.network().mend(0);
    hosts.wait("the manager to see that", || !is_alive(manager));
    assert!(hosts.log(0).contains("the lease was not renewed in time"), "{}", hosts.log(0));
    for work in &mut works {
        send(work.id(), Signal::SIGTERM);
        assert!(work.wait().unwrap().success());
    }
}

#[test]
fn fault_83_a_host_whose_words_do_not_reach_the_server_ends_its_units_before_others_have_them() {
    a_host_that_is_cut_off(Lost::ToServer);
}

#[test]
fn fault_83_a_host_that_does_not_hear_the_server_ends_its_units_before_others_have_them() {
    a_host_that_is_cut_off(Lost::FromServer);
}

#[test]
fn fault_83_a_host_that_is_cut_off_ends_its_units_before_others_have_them() {
    a_host_that_is_cut_off(Lost::Both);
}

#[test]
fn fault_83_a_host_that_was_cut_off_goes_on_with_its_units_when_nobody_has_taken_them() {
    let Some(hosts) = Hosts::on_a_network() else { return };
    hosts.create(6);
    let mut work = hosts.work(0);
    hosts.wait_for_running(2);
    let (manager, units) = (hosts.manager(0), hosts.noted("begun"));

    hosts.network().cut(0, Lost::Both);
    hosts
        .wait("the units to be ended", || hosts.have_stopped(&units.iter().map(|(unit, _)| *unit).collect::<Vec<_>>()));
    let asked = Instant::now();
    let status = hosts.command(0, &["status", "last"]).output().unwrap();
    assert_eq!(status.status.code(), Some(5), "{}", text(&status.stderr));
    assert!(text(&status.stderr).contains("cannot reach"), "{}", text(&status.stderr));
    println!("status said so after {:?}", asked.elapsed());
    hosts.network().mend(0);
    hosts.wait("the units to run again", || hosts.noted("begun").len() == 4);
    hosts.let_go();

    hosts.assert_completed(6);
    assert_eq!(hosts.count("SELECT count(*) FROM managers"), 1);
    assert_eq!(hosts.managers(manager, "left"), 1);
    assert_eq!(hosts.count("SELECT count(*) FROM units WHERE attempts = 1 AND crashes = 0"), 6);
    send(work.id(), Signal::SIGTERM);
    assert!(work.wait().unwrap().success());
}

#[test]
fn fault_99_a_manager_that_wakes_up_after_its_lease_ends_its_units_at_once_and_writes_nothing() {
    let Some(hosts) = Hosts::on_one_machine() else { return };
    hosts.create(40);
    let mut works = [0, 1].map(|host| hosts.work(host));
    hosts.wait_for_running(4);
    let manager = hosts.manager(0);
    let units = hosts.units_of(manager);
    assert_eq!(units.len(), 2);
    for unit in &units {
        hosts.world.write(&format!("hold-{unit}"), "");
    }

    send(manager, Signal::SIGSTOP);
    hosts.let_go();
    hosts.wait("the other host to take the units", || hosts.noted("begun").len() == 42);
    let rows = "SELECT sum(hashtext(units::text)) FROM units";
    let row = format!("SELECT sum(hashtext(managers::text)) FROM managers WHERE pid = {manager}");
    hosts.wait_for_running(2);
    let before = (hosts.count(rows), hosts.count(&row));
    let woken_at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    send(manager, Signal::SIGCONT);
    hosts.wait("the units to be ended", || hosts.have_stopped(&units));
    hosts.wait("the manager to end", || !is_alive(manager));

    let took = |at: &u128| Duration::from_nanos(u64::try_from(at.saturating_sub(woken_at)).unwrap());
    let stopped: Vec<Duration> = hosts.noted("stopped").iter().map(|(_, at)| took(at)).collect();
    println!("units were ended after {stopped:?}");
    // The shell of a unit is asleep for 50 ms when it is asked.
    assert!(stopped.len() == 2 && stopped.iter().all(|took| *took < Duration::from_millis(500)), "{stopped:?}");
    assert_eq!(before, (hosts.count(rows), hosts.count(&row)), "{}", hosts.log(0));
    assert!(hosts.log(0).contains("the lease was not renewed in time"), "{}", hosts.log(0));
    units.iter().for_each(|unit| std::fs::remove_file(hosts.world.path(&format!("hold-{unit}"))).unwrap());
    hosts.wait("the job to complete", || hosts.count("SELECT count(*) FROM jobs WHERE status = 'completed'") == 1);
    assert_eq!((hosts.noted("ended").len(), hosts.managers(manager, "lost")), (40, 1));
    for work in &mut works {
        send(work.id(), Signal::SIGTERM);
        assert!(work.wait().unwrap().success());
    }
}

#[test]
fn fault_362_a_lease_that_is_too_short_is_refused_before_anything_is_created() {
    let Some(hosts) = Hosts::on_one_machine() else { return };
    let refused = |args: &[&str], words: &str| {
        let output = hosts.command(0, args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(words), "{args:?}: {}", text(&output.stderr));
    };

    refused(&["create", "--lease", "53s", "--", "true"], "a lease of 53s is too short");
    refused(&["submit", "--lease", "1m", "--kill-after", "13s", "--", "true"], "it must be at least 1m03s");
    refused(&["run", "--lease", "0", "--", "true"], "it must be at least 54s");
    assert_eq!(hosts.count("SELECT count(*) FROM jobs"), 0);
    let created = hosts.command(0, &["create", "--lease", "2m", "--kill-after", "30s", "--", "true"]).output().unwrap();
    assert!(created.status.success(), "{}", text(&created.stderr));
    refused(&["set", "last", "lease=1m"], "it must be at least 1m54s");
    refused(&["set", "last", "kill-after=1m"], "a lease of 2m00s is too short for units that have 1m00s to end");
    for change in ["kill-after=10s", "rate=1/min", "lease=90s"] {
        let changed = hosts.command(0, &["set", "last", change]).output().unwrap();
        assert!(changed.status.success(), "{change}: {}", text(&changed.stderr));
    }

    let status = hosts.command(0, &["status", "last", "--json"]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["lease_seconds"], 90.0, "{status}");
    assert_eq!(hosts.count("SELECT (limits::json->>'lease_ms')::bigint FROM jobs"), 90_000);
}

#[test]
fn fault_362_a_lease_in_a_database_that_is_a_file_is_refused_before_that_is_made() {
    let world = World::new();

    for verb in ["create", "submit", "run"] {
        let refused = world.run(&[verb, "--lease", "2m", "--", "true"]);

        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains("this database is a file"), "{}", text(&refused.stderr));
        assert!(!world.db().exists());
    }
    world.ok(&["create", "--", "true"]);
    let refused = world.run(&["set", "last", "lease=2m"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(!world.ok(&["status", "last", "--json"]).contains("lease"));
}
