//! Hosts that share jobs on a server: each is a state directory of its own, and works until it is told to leave.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Hosts, is_alive, send, text};

pub fn exit_of(mut work: Child) -> Option<i32> {
    work.wait().unwrap().code()
}

#[test]
fn two_hosts_share_the_units_of_a_job_and_leave_when_there_is_nothing_to_do() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(300, 2);

    let works = ["one", "two"].map(|host| hosts.work(host, &["last", "--exit-when-idle"]));
    hosts.wait_for_managers(&["one", "two"]);
    hosts.wait("units on both hosts", || hosts.begun() == 4);
    hosts.let_go();

    assert_eq!(works.map(exit_of), [Some(0); 2]);
    hosts.assert_completed(300, 0);
    assert_eq!(hosts.live(), 0);
}

#[test]
fn a_share_has_no_more_workers_than_it_is_given() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(20, 8);

    let work = hosts.work("one", &["last", "-j", "3", "--exit-when-idle"]);
    hosts.wait("three units", || hosts.begun() == 3);
    hosts.ok("one", &["set", "last", "timeout=1h"]);
    hosts.wait("the change to arrive", || {
        hosts.count("SELECT coalesce(max(workers), 0) AS number FROM managers WHERE state = 'live'") == 3
    });

    assert_eq!(hosts.begun(), 3);
    hosts.let_go();
    assert_eq!(exit_of(work), Some(0));
    hosts.assert_completed(20, 0);
}

#[test]
fn a_manager_that_is_killed_is_started_again_at_once_and_its_units_are_ended() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(40, 2);
    let work = hosts.work("one", &["--any"]);
    assert_eq!(hosts.manager("one"), None);
    hosts.ok("one", &["start", "last"]);
    hosts.wait("units", || hosts.begun() == 2);
    let killed = hosts.manager("one").unwrap();
    hosts.wait("it to be watched", || watches(work.id(), killed));

    send(killed, Signal::SIGKILL);
    let at = Instant::now();
    hosts.wait("another manager", || hosts.manager("one").is_some_and(|pid| pid != killed));

    assert!(at.elapsed() < Duration::from_secs(2), "{:?}", at.elapsed());
    hosts.let_go();
    hosts.assert_completed(40, 2);
    send(work.id(), Signal::SIGTERM);
    assert_eq!(exit_of(work), Some(0));
}

#[test]
fn fault_376_work_that_dies_with_its_manager_goes_on_when_it_is_started_again() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(20, 2);
    let mut dead = hosts.work("one", &["last"]);
    hosts.wait("units", || hosts.begun() == 2);

    dead.kill().unwrap();
    dead.wait().unwrap();
    send(hosts.manager("one").unwrap(), Signal::SIGKILL);
    let again = hosts.work("one", &["last", "--exit-when-idle"]);
    hosts.let_go();

    hosts.wait("the job to complete", || hosts.status_of_last() == "completed");
    assert_eq!(exit_of(again), Some(0));
    hosts.assert_completed(20, 2);
}

#[test]
fn a_host_that_is_dead_is_replaced_when_its_lease_has_ended() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(40, 2);
    let mut dead = hosts.work("one", &["last"]);
    hosts.wait("units", || hosts.begun() == 2);
    let other = hosts.work("two", &["last", "--exit-when-idle"]);
    hosts.wait_for_managers(&["two"]);

    dead.kill().unwrap();
    dead.wait().unwrap();
    send(hosts.manager("one").unwrap(), Signal::SIGKILL);
    hosts.let_go();

    assert_eq!(exit_of(other), Some(0));
    hosts.assert_completed(40, 2);
    assert_eq!(hosts.count("SELECT count(*) AS number FROM managers WHERE state = 'lost'"), 1);
}

#[test]
fn a_host_that_is_told_to_leave_gives_its_units_back_and_the_others_go_on() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(600, 2);
    let (leaving, staying) = (hosts.work("one", &["last"]), hosts.work("two", &["last", "--exit-when-idle"]));
    hosts.wait("units on both hosts", || hosts.begun() == 4);
    let manager = hosts.manager("one").unwrap();

    // Twice: its units wait for a file, and are not to.
    send(leaving.id(), Signal::SIGTERM);
    hosts.wait("the first to arrive", || hosts.count("SELECT count(*) FROM metadata WHERE key = 'stopping'") == 1);
    send(leaving.id(), Signal::SIGTERM);

    assert_eq!(exit_of(leaving), Some(0));
    assert!(!is_alive(manager));
    let owned = "SELECT count(*) AS number FROM ranges JOIN managers ON uid = manager WHERE state <> 'live'";
    assert_eq!((hosts.live(), hosts.count(owned)), (1, 0));
    assert_eq!(hosts.status_of_last(), "running");
    hosts.let_go();
    assert_eq!(exit_of(staying), Some(0));
    hosts.assert_completed(600, 2);
}

#[test]
fn the_last_host_that_leaves_pauses_the_job() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(10, 2);
    let work = hosts.work("one", &["last"]);
    hosts.wait("units", || hosts.begun() == 2);

    send(work.id(), Signal::SIGTERM);
    hosts.let_go();

    assert_eq!(exit_of(work), Some(0));
    assert_eq!(hosts.status_of_last(), "paused");
}

#[test]
fn fault_107_a_host_that_lacks_the_directory_of_the_units_says_so_in_the_row_of_a_manager() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(3, 1);
    let missing: PathBuf = hosts.world.path("nowhere");
    let change =
        format!("UPDATE specs SET spec = jsonb_set(spec::jsonb, '{{cwd}}', '\"{}\"')::text", missing.display());
    hosts.execute(&change);

    let output = hosts.command("one", &["work", "last", "--exit-when-idle"]).output().unwrap();

    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("nowhere"), "{}", text(&output.stderr));
    let reason = hosts.word("SELECT reason FROM managers WHERE state = 'refused'");
    assert!(reason.contains("cannot run on this host") && reason.contains("nowhere"), "{reason}");
    assert_eq!(hosts.count("SELECT attempts::bigint AS number FROM units WHERE seq = 1"), 0);
}

#[test]
fn fault_360_a_manager_whose_job_another_one_has_ended_leaves_it_and_says_so() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.create_waiting(2, 2);
    let ending = hosts.work("one", &["last", "--exit-when-idle"]);
    hosts.wait("all units on one host", || hosts.begun() == 2);
    let idle = hosts.work("two", &["last", "--exit-when-idle"]);
    hosts.wait_for_managers(&["two"]);

    hosts.let_go();

    assert_eq!([ending, idle].map(exit_of), [Some(0); 2]);
    hosts.assert_completed(2, 0);
    assert_eq!(hosts.count("SELECT count(*) AS number FROM managers WHERE state = 'left' AND reason = 'completed'"), 2);
    let log = text(&hosts.world.sh("cat */job-manager/*.d/*/manager.log").stdout);
    assert!(!log.contains("ERROR") && !log.contains("newer manager"), "{log}");
    assert_eq!(log.matches("another manager or a client").count(), 1, "{log}");
}

/// Returns `true` if a process has a handle of another one.
fn watches(pid: u32, other: u32) -> bool {
    let handles = std::fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap();
    let named = format!("Pid:\t{other}\n");
    handles.filter_map(|handle| std::fs::read_to_string(handle.ok()?.path()).ok()).any(|text| text.contains(&named))
}

#[test]
fn fault_361_a_manager_whose_lock_is_deleted_while_it_cannot_make_it_again_is_not_taken_for_dead() {
    for is_own in [true, false] {
        let Some(hosts) = Hosts::new() else { return };
        hosts.create_waiting(4, 2);
        if !is_own {
            hosts.ok("one", &["start", "last"]);
        }
        let mut command = hosts.command("one", &["--json", "work", "last", "--exit-when-idle"]);
        let mut work = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut events = BufReader::new(work.stdout.take().unwrap()).lines().map(|line| line.unwrap());
        hosts.wait("units", || hosts.begun() == 2);
        let manager = hosts.manager("one").unwrap();
        if is_own {
            assert!(events.next().unwrap().contains("started"));
        }
        hosts.wait("the manager to be watched", || watches(work.id(), manager));

        send(manager, Signal::SIGSTOP);
        let deleted = hosts.world.sh("rm one/job-manager/*.d/*/lock");
        assert!(deleted.status.success(), "{}", text(&deleted.stderr));
        // Many looks.
        std::thread::sleep(Duration::from_secs(1));
        send(manager, Signal::SIGCONT);
        hosts.let_go();

        assert_eq!(exit_of(work), Some(0));
        hosts.assert_completed(4, 0);
        assert_eq!(hosts.count("SELECT count(*) AS number FROM managers"), 1);
        let rest: Vec<String> = events.collect();
        assert!(rest.len() == 1 && rest[0].contains("ended"), "{rest:?}");
    }
}

#[test]
fn a_manager_whose_units_run_asks_its_server_about_once_a_second_and_follows_what_others_ask_for() {
    const SPAN: Duration = Duration::from_secs(6);
    let Some(hosts) = Hosts::new() else { return };
    let job = hosts.create_waiting(4, 2);
    hosts.start_on(&["one"], &job);
    hosts.wait("two units", || hosts.begun() == 2);
    let count = || hosts.count("SELECT xact_commit AS number FROM pg_stat_database WHERE datname = current_database()");
    // What the start has left to report.
    std::thread::sleep(Duration::from_secs(2));

    let before = count();
    std::thread::sleep(SPAN);
    let transactions = count() - before;
    let asked_at = Instant::now();
    hosts.ok("two", &["stop", &job, "--now"]);
    hosts.wait_for_status(&job, "paused");

    // Those of this test are among them.
    assert!(transactions <= 14, "{transactions} transactions in {SPAN:?}");
    assert!(asked_at.elapsed() < Duration::from_secs(5), "{:?}", asked_at.elapsed());
}
