//! Whose units run where: workers that all hosts have together, and what hosts leave that are gone.

use std::time::Duration;

use crate::support::{Hosts, kill, text};

const HOSTS: [&str; 3] = ["one", "two", "three"];
/// Notes when it runs, until all, or it, may end.
const COUNTED: &str = "echo + >>events; until [ -e go ] || [ -e go{} ]; do sleep 0.05; done; echo - >>events";

/// Returns how many units ran at a time at most, by what they noted.
fn most_at_a_time(hosts: &Hosts) -> i32 {
    let (mut running, mut most) = (0, 0);
    for event in hosts.lines("events") {
        running += if event == "+" { 1 } else { -1 };
        most = most.max(running);
    }
    most
}

fn begun(hosts: &Hosts) -> usize {
    hosts.lines("events").iter().filter(|event| *event == "+").count()
}

#[test]
fn the_workers_of_a_job_are_divided_among_its_hosts_and_again_when_one_joins_or_leaves() {
    let Some(hosts) = Hosts::new() else { return };
    let job = hosts.create(40, &["-j", "8"], COUNTED);
    hosts.ok("one", &["scale", &job, "--total", "5"]);
    hosts.start_on(&["one"], &job);
    hosts.wait("five units", || begun(&hosts) == 5);
    hosts.start_on(&["two", "three"], &job);
    hosts.wait("managers", || hosts.live() == 3);

    // The first one lets three end, which the others may have then.
    (1..=3).for_each(|unit| drop(hosts.world.write(&format!("go{unit}"), "")));
    hosts.wait("a share for each", || hosts.count("SELECT count(*) FROM managers WHERE granted > 0") == 3);
    hosts.wait("units on all hosts", || begun(&hosts) == 8);
    let shares = hosts.word("SELECT string_agg(granted::text, ' ' ORDER BY number) FROM managers");
    kill_gently(&hosts, "three");
    (1..=40).for_each(|unit| drop(hosts.world.write(&format!("go{unit}"), "")));
    hosts.wait_for_status(&job, "completed");

    assert_eq!((shares.as_str(), most_at_a_time(&hosts)), ("2 2 1", 5));
    assert_eq!(hosts.count("SELECT completed FROM jobs"), 40);
}

fn kill_gently(hosts: &Hosts, host: &str) {
    crate::support::send(hosts.manager(host).unwrap(), nix::sys::signal::Signal::SIGTERM);
}

#[test]
fn a_host_without_a_worker_gives_back_what_it_has_claimed() {
    let Some(hosts) = Hosts::new() else { return };
    let job = hosts.create(12, &["-j", "2"], COUNTED);
    hosts.start_on(&["one", "two"], &job);
    hosts.wait("units on both hosts", || begun(&hosts) == 4);

    hosts.ok("three", &["scale", &job, "--total", "1"]);
    hosts.wait("the shares", || hosts.count("SELECT coalesce(sum(workers), 0) FROM managers") == 1);
    hosts.let_go();
    hosts.wait_for_status(&job, "completed");

    assert_eq!(hosts.count("SELECT completed FROM jobs"), 12);
    assert_eq!(most_at_a_time(&hosts), 4);
}

#[test]
fn in_a_file_all_workers_are_those_of_the_only_manager() {
    let world = crate::support::World::new();
    let job = world.ok(&["create", "-q", "-j", "2", "--range", "1-3", "--", "true"]);

    assert_eq!(world.ok(&["scale", &job, "--total", "7"]), "7");

    assert_eq!(world.status(&job)["workers"], 7);
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);
}

/// Notes when it runs beside an attempt before it, and does not end when it is asked to.
const STUBBORN: &str = "trap '' TERM; if grep -q '^State:.[RSD]' /proc/$(cat pid{})/status; then echo {} >>overlaps; fi; \
     echo $$ >pid{}; echo {} >>begun; until [ -e go ]; do sleep 0.05; done";

#[test]
fn fault_370_units_of_a_killed_manager_go_to_other_hosts_only_when_its_own_has_ended_them() {
    let Some(hosts) = Hosts::new() else { return };
    let job = hosts.create(3, &["-j", "2", "--kill-after", "2s"], STUBBORN);
    hosts.start_on(&["one"], &job);
    hosts.wait("units of the first host", || hosts.lines("begun").len() == 2);
    hosts.start_on(&["two"], &job);
    hosts.wait("the other unit", || hosts.lines("begun").len() == 3);

    kill(hosts.manager("one").unwrap());
    hosts.ok("one", &["resume", &job]);
    hosts.wait("a unit to run again", || hosts.lines("begun").len() > 3);
    hosts.let_go();
    hosts.wait_for_status(&job, "completed");

    assert_eq!(hosts.lines("overlaps"), Vec::<String>::new());
}

/// Returns hosts of which the first is lost with two units, and the other one has ended the third.
fn with_a_lost_host() -> Option<(Hosts, String)> {
    let hosts = Hosts::new()?;
    let script = "echo {} >>begun; until [ -e go ]; do sleep 0.05; done";
    let job = hosts.create(3, &["-j", "2", "--on-host-loss", "wait"], script);
    hosts.start_on(&["one"], &job);
    hosts.wait("units of the first host", || hosts.lines("begun").len() == 2);
    hosts.start_on(&["two"], &job);
    hosts.wait("the other unit", || hosts.lines("begun").len() == 3);
    hosts.name_host("one", "gone");
    kill(hosts.manager("one").unwrap());
    hosts.execute("UPDATE managers SET lease_until = 0 WHERE host = 'gone'");
    hosts.let_go();
    hosts.wait("the loss", || hosts.count("SELECT count(*) FROM managers WHERE state = 'lost'") == 1);
    hosts.wait("the other unit to end", || hosts.count("SELECT completed FROM jobs") == 1);
    // Two looks of the other manager for something to claim.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!((hosts.lines("begun").len(), hosts.status(&job).as_str(), hosts.live()), (3, "running", 1));
    Some((hosts, job))
}

#[test]
fn units_of_a_lost_host_wait_until_somebody_says_that_it_is_dead() {
    let Some((hosts, job)) = with_a_lost_host() else { return };

    let other = hosts.run("two", &["recover", "--host", "elsewhere"]);
    let said = hosts.ok("three", &["recover", "--host", "gone"]);
    hosts.wait_for_status(&job, "completed");

    assert_eq!(other.status.code(), Some(3), "{}", text(&other.stderr));
    assert!(said.contains(&format!("job {job}: what host gone had goes to other hosts")), "{said}");
    assert_eq!((hosts.lines("begun").len(), hosts.count("SELECT completed FROM jobs")), (5, 3));
}

#[test]
fn units_of_a_lost_host_wait_until_it_is_back() {
    let Some((hosts, job)) = with_a_lost_host() else { return };

    hosts.ok("one", &["resume", &job]);
    hosts.wait_for_status(&job, "completed");

    assert_eq!(hosts.count("SELECT completed FROM jobs"), 3);
}

#[test]
fn a_host_that_is_said_to_be_dead_has_lost_its_units_at_once_and_its_manager_ends() {
    let Some(hosts) = Hosts::new() else { return };
    let script = "echo {} >>begun; until [ -e go ]; do sleep 0.05; done";
    let job = hosts.create(2, &["-j", "1"], script);
    hosts.start_on(&HOSTS[..1], &job);
    hosts.wait("a unit", || hosts.lines("begun").len() == 1);
    hosts.start_on(&["two"], &job);
    hosts.wait("the other unit", || hosts.lines("begun").len() == 2);
    hosts.name_host("one", "alive");
    let manager = hosts.manager("one").unwrap();

    hosts.ok("two", &["recover", &job, "--host", "alive", "-q"]);
    hosts.wait("its manager to end", || !crate::support::is_alive(manager));
    hosts.let_go();
    hosts.wait_for_status(&job, "completed");

    assert_eq!((hosts.lines("begun").len(), hosts.count("SELECT completed FROM jobs")), (3, 2));
    assert_eq!(hosts.word("SELECT reason FROM managers WHERE state = 'lost'"), "its host is dead");
}
