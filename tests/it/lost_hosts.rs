//! Hosts of a job on a server that are lost, and come back when others have their units.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use nix::sys::signal::Signal;

use crate::support::{Hosts, LEASE, send, text};
use crate::work::exit_of;

/// Says that it begins; all but the first four wait for a file, and where there is another file for a third one.
const SCRIPT: &str = "echo {} >>begun; [ {} -lt 5 ] || until [ -e go ]; do sleep 0.05; done; \
    if [ -e hold ]; then until [ -e on ]; do sleep 0.05; done; fi; echo {} >>ended";

fn create(hosts: &Hosts, units: u32, workers: u32, options: &[&str]) {
    let (range, workers) = (format!("1-{units}"), workers.to_string());
    let job = ["create", "-q", "--range", &range, "-j", &workers, "--kill-after", "300ms"];
    hosts.ok("creator", &[&job[..], options, &["--shell", "--", SCRIPT]].concat());
}

#[test]
fn fault_100_units_of_a_dead_host_are_given_away_once_and_fail_where_they_may_run_at_most_once() {
    let Some(hosts) = Hosts::new() else { return };
    create(&hosts, 16, 3, &["--at-most-once"]);
    let mut dead = hosts.work("one", &["last"]);
    hosts.wait("units", || hosts.begun() == 7);
    let other = hosts.work("two", &["last", "-j", "1", "--exit-when-idle"]);
    hosts.wait_for_managers(&["two"]);
    hosts.wait("a unit of the other", || hosts.begun() == 8);

    dead.kill().unwrap();
    dead.wait().unwrap();
    send(hosts.manager("one").unwrap(), Signal::SIGKILL);
    let at = Instant::now();
    hosts.let_go();
    hosts.wait("the others to be done", || hosts.status_of_last() != "running");

    assert!(at.elapsed() > LEASE / 2, "{:?}: before its lease had ended", at.elapsed());
    assert_eq!(exit_of(other), Some(0));
    let count = |what: &str| hosts.count(&format!("SELECT count(*) AS number FROM units WHERE {what}"));
    assert_eq!((count("status = 'completed'"), count("status = 'failed' AND error LIKE '%manager died%'")), (13, 3));
    assert_eq!(hosts.count("SELECT failed AS number FROM jobs"), 3);
    let mut begun = hosts.world.lines("begun");
    begun.sort();
    begun.dedup();
    assert_eq!((begun.len(), hosts.begun()), (16, 16), "a unit ran twice");
}

#[test]
fn fault_101_what_a_host_has_done_changes_nothing_when_others_have_its_units() {
    let Some(hosts) = Hosts::new() else { return };
    create(&hosts, 12, 2, &[]);
    let mut dead = hosts.work("one", &["last", "-j", "1"]);
    let completed = || hosts.count("SELECT count(*) AS number FROM units WHERE status = 'completed'");
    hosts.wait("four units to be recorded", || completed() == 4);
    let owned = "SELECT count(*) AS number FROM ranges WHERE last = 12 AND manager IS NOT NULL";
    hosts.wait("all units to be claimed", || hosts.count(owned) == 1);
    let manager = hosts.manager("one").unwrap();

    // Nothing that it records from now on arrives.
    let mut lock = hosts.connection();
    lock.batch_execute("BEGIN; LOCK TABLE units IN SHARE MODE").unwrap();
    hosts.let_go();
    hosts.wait("all units to end", || hosts.world.lines("ended").len() == 12);
    dead.kill().unwrap();
    dead.wait().unwrap();
    send(manager, Signal::SIGKILL);
    lock.batch_execute("ROLLBACK; UPDATE managers SET lease_until = 0").unwrap();
    hosts.world.write("hold", "");
    let other = hosts.work("two", &["last", "--exit-when-idle"]);
    hosts.wait("the other to have all units", || hosts.count(owned) == 1 && hosts.begun() == 12 + 2);

    let back = hosts.work("one", &["last", "--exit-when-idle"]);
    hosts.wait_for_managers(&["one"]);
    let log = |host: &str| text(&hosts.world.sh(&format!("cat {host}/job-manager/*.d/1/manager.log")).stdout);
    let said = "was changed or given to another manager meanwhile";
    hosts.wait("its manager to have looked around", || log("one").contains(said) || completed() > 4);
    assert_eq!(completed(), 4, "{}", log("one"));
    hosts.world.write("on", "");

    assert_eq!([exit_of(other), exit_of(back)], [Some(0); 2]);
    hosts.assert_completed(12, 8);
    assert_eq!(hosts.begun(), 12 + 8, "{}", log("one"));
    assert!(!log("two").contains("changed by a client"), "{}", log("two"));
}

#[test]
fn fault_105_the_session_of_a_dead_manager_ends_although_it_waits_for_a_lock() {
    let Some(hosts) = Hosts::new() else { return };
    create(&hosts, 6, 1, &[]);
    let mut dead = hosts.work("one", &["last"]);
    hosts.wait("a unit that waits", || hosts.begun() == 5);
    let manager = hosts.manager("one").unwrap();
    let mut lock = hosts.connection();
    lock.batch_execute("BEGIN; SELECT * FROM jobs FOR UPDATE").unwrap();
    let waiting = "SELECT count(*) AS number FROM pg_stat_activity WHERE application_name = 'job-manager' \
        AND datname = current_database() AND wait_event_type = 'Lock'";
    hosts.wait("a session to wait", || hosts.count(waiting) > 0);

    dead.kill().unwrap();
    dead.wait().unwrap();
    send(manager, Signal::SIGKILL);
    let at = Instant::now();
    hosts.wait("the sessions to end", || hosts.count(waiting) == 0);

    assert!(at.elapsed() < Duration::from_secs(10), "{:?}", at.elapsed());
}
