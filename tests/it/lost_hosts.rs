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

/// Has what a host keeps about the database, and its machine's name, look as they do on another one that was made like it; its
/// machine has booted by itself. Returns the process of its manager.
fn make_alike(hosts: &Hosts, host: &str, like: &str) -> u32 {
    let manager = hosts.manager(host).unwrap();
    // It makes what is kept about the database there.
    hosts.ok(like, &["status", "last"]);
    let place = hosts.world.sh(&format!("stat -c %d:%i:%n $PWD/{like}/job-manager/*[!d]"));
    let place = text(&place.stdout).trim().to_owned();
    assert!(place.lines().count() == 1 && place.contains("/job-manager/"), "{place}");
    hosts.execute(&format!(
        "UPDATE managers SET database = '{place}', boot_id = '00000000-0000-0000-0000-000000000000' WHERE pid = {manager}"
    ));
    manager
}

#[test]
fn fault_452_a_host_that_looks_like_another_one_takes_nothing_from_its_living_manager() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(8, 2);
    hosts.start_on(&["one"], "last");
    hosts.wait("two units", || hosts.begun() == 2);
    let manager = make_alike(&hosts, "one", "two");

    let seen = hosts.ok("two", &["status", "last", "-q"]);
    hosts.start_on(&["two"], "last");
    hosts.wait("units of the other, or those of the first again", || hosts.begun() > 2);
    let row = hosts.word(&format!("SELECT state FROM managers WHERE pid = {manager}"));

    assert_eq!((seen.as_str(), row.as_str()), ("running", "live"));
    hosts.let_go();
    hosts.assert_completed(8, 0);
}

#[test]
fn fault_453_a_host_of_another_name_adopts_nothing_that_waits_for_the_one_that_it_looks_like() {
    let Some(hosts) = Hosts::new() else { return };
    let script = "echo {} >>begun; until [ -e go ]; do sleep 0.05; done; echo {} >>ended";
    hosts.create(8, &["-j", "2", "--on-host-loss", "wait"], script);
    hosts.start_on(&["one"], "last");
    hosts.wait("two units", || hosts.begun() == 2);
    let manager = make_alike(&hosts, "one", "two");
    send(manager, Signal::SIGKILL);
    hosts.execute("UPDATE managers SET host = 'one', lease_until = 0");

    hosts.start_on(&["two"], "last");
    let lost = "SELECT count(*) FROM managers JOIN ranges ON uid = manager WHERE state = 'lost' AND host = 'one'";
    hosts.wait("it to look around", || hosts.count("SELECT count(*) FROM managers WHERE state = 'lost'") == 1);

    assert_eq!(hosts.count(lost), 1, "its range was given to another host");
    hosts.let_go();
    hosts.ok("two", &["recover", "--host", "one"]);
    hosts.assert_completed(8, 2);
}

#[test]
fn fault_454_a_host_that_boots_within_its_lease_joins_its_jobs_and_its_units_come_back_with_the_end_of_that() {
    let Some(hosts) = Hosts::new() else { return };
    let job = hosts.create_waiting(8, 2);
    hosts.start_on(&["one"], &job);
    hosts.wait("two units", || hosts.begun() == 2);
    let manager = make_alike(&hosts, "one", "one");
    send(manager, Signal::SIGKILL);

    let status = hosts.ok("one", &["status", &job]);
    let recovered = hosts.ok("one", &["recover", "--all"]);

    assert!(status.contains("the host was rebooted"), "{status}");
    assert!(!recovered.is_empty() && hosts.manager("one").is_some_and(|pid| pid != manager), "{recovered}");
    hosts.let_go();
    hosts.assert_completed(8, 2);
}
