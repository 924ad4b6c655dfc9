//! What managers cost their server while nothing happens, and how soon they hear of what is asked for all the same.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Hosts, LEASE, Server, send, without_tool};
use crate::work::exit_of;

/// Has the server say each statement, and whose it is.
const SAY_ALL: [&str; 2] = ["log_statement=all", "log_line_prefix=%a@"];

/// Hosts whose server says what it is asked.
fn heard() -> Option<(Server, Hosts)> {
    let Some(server) = Server::start_with(&SAY_ALL) else {
        without_tool("postgres");
        return None;
    };
    let hosts = Hosts::at(server.database());
    Some((server, hosts))
}

/// Returns what programs ask their server in a span of time.
fn asked(server: &Server, span: Duration) -> Vec<String> {
    let is_asked = |line: &&str| {
        line.strip_prefix("job-manager@LOG:  ")
            .is_some_and(|line| line.starts_with("statement: ") || line.starts_with("execute "))
    };
    let said = || server.log().lines().filter(is_asked).map(str::to_owned).collect::<Vec<_>>();
    let before = said().len();
    std::thread::sleep(span);
    said().split_off(before)
}

/// Starts a manager whose lease is as long as one is outside of tests.
fn start(hosts: &Hosts, job: &str) {
    let mut resume = hosts.command("one", &["resume", job]);
    assert!(resume.env_remove("JOB_MANAGER_TEST_LEASE_MS").status().unwrap().success());
}

#[test]
fn a_manager_that_has_nothing_to_do_asks_its_server_every_six_seconds() {
    const SPAN: Duration = Duration::from_secs(24);
    let Some((server, hosts)) = heard() else { return };
    let job = hosts.create(1, &["--backoff", "1h..1h"], "exit 1");
    start(&hosts, &job);
    hosts.wait("the unit to fail", || hosts.count("SELECT count(*) FROM units WHERE not_before > 0") == 1);
    // What the start has left to record, and the signs of life that come at longer and longer intervals.
    std::thread::sleep(Duration::from_secs(36));

    let statements = asked(&server, SPAN);

    println!("{} statements in {SPAN:?}", statements.len());
    assert!(statements.len() <= 5, "{}", statements.join("\n"));
}

#[test]
fn a_manager_whose_units_run_asks_its_server_about_one_statement_a_second() {
    const SPAN: Duration = Duration::from_secs(15);
    let Some((server, hosts)) = heard() else { return };
    let job = hosts.create_waiting(4, 2);
    start(&hosts, &job);
    hosts.wait("two units", || hosts.begun() == 2);
    // Beyond the heartbeats after 1, 7 and 31 s; the next one is due after two minutes.
    std::thread::sleep(Duration::from_secs(35));

    let statements = asked(&server, SPAN);

    println!("{} statements in {SPAN:?}", statements.len());
    assert!(statements.len() <= 18, "{}", statements.join("\n"));
    hosts.let_go();
    hosts.assert_completed(4, 0);
}

#[test]
fn a_manager_whose_units_run_hears_of_a_scale_a_kill_and_a_stop_within_about_a_second() {
    let Some(hosts) = Hosts::new() else { return };
    let job = hosts.create_waiting(8, 2);
    hosts.start_on(&["one"], &job);
    hosts.wait("two units", || hosts.begun() == 2);
    let mut took = Vec::new();
    let mut ask = |what: &str, args: &[&str], is_heard: &mut dyn FnMut() -> bool| {
        hosts.ok("two", args);
        let at = Instant::now();
        hosts.wait(what, is_heard);
        took.push((what.to_owned(), at.elapsed()));
    };

    ask("scale", &["scale", &job, "4"], &mut || hosts.begun() == 4);
    ask("kill", &["kill", &format!("{job}:1"), "--then", "skip"], &mut || hosts.begun() == 5);
    ask("stop", &["stop", &job, "--now"], &mut || hosts.status(&job) == "paused");

    println!("{took:?}");
    // Also on a busy machine; 1.5 s is what an idle one needs at most.
    assert!(took.iter().all(|(_, took)| *took < Duration::from_secs(4)), "{took:?}");
}

#[test]
fn units_of_a_killed_manager_run_elsewhere_within_two_seconds_and_of_a_dead_host_a_second_after_its_lease() {
    for is_host_dead in [false, true] {
        let Some(hosts) = Hosts::new() else { return };
        hosts.create_waiting(2, 2);
        let mut work = Some(hosts.work("one", &["last"]));
        hosts.wait("both units", || hosts.begun() == 2);
        let other = hosts.work("two", &["last", "--exit-when-idle"]);
        hosts.wait_for_managers(&["two"]);
        let manager = hosts.manager("one").unwrap();

        if let Some(mut dead) = work.take_if(|_| is_host_dead) {
            dead.kill().unwrap();
            dead.wait().unwrap();
        }
        send(manager, Signal::SIGKILL);
        let at = Instant::now();
        let until = format!(
            "SELECT greatest(0, lease_until / 1000 - (extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM managers WHERE pid = {manager}"
        );
        let lease = Duration::from_millis(hosts.count(&until).unsigned_abs());
        hosts.wait("a unit to run again", || hosts.begun() > 2);
        let took = at.elapsed();

        let rest = if is_host_dead { took.saturating_sub(lease) } else { took };
        println!("host dead: {is_host_dead}: {took:?}, of which the lease {lease:?}");
        let most = Duration::from_secs(if is_host_dead { 1 } else { 2 });
        assert!(rest < most * 2 && took < LEASE + most * 2, "{took:?}, the lease had {lease:?}");
        hosts.let_go();
        assert_eq!(exit_of(other), Some(0));
        hosts.assert_completed(2, 2);
        work.into_iter().for_each(|work| hosts.leave(work));
    }
}
