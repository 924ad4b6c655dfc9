//! What a job has once, on however many hosts it runs: its limits, an approval, its last unit, its hook.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{Hosts, is_alive, send};

const HOSTS: [&str; 3] = ["one", "two", "three"];
const UNTIL_GO: &str = "echo {} >>begun; until [ -e go ]; do sleep 0.05; done";

#[test]
fn fault_371_a_job_halts_at_the_sum_of_the_failures_on_all_hosts() {
    let Some(hosts) = Hosts::new() else { return };
    let options = ["-j", "2", "--max-attempts", "1", "--max-failures", "12"];
    let job = hosts.create(300, &options, "until [ -e go ]; do sleep 0.05; done; sleep 0.3; exit 1");
    hosts.start_on(&HOSTS, &job);
    hosts.wait("managers on the hosts", || hosts.live() == 3);

    hosts.let_go();
    hosts.wait_for_status(&job, "paused");

    // Those that ran at that moment, and in the worst case once more as many until each manager had heard of it.
    let failed = hosts.count("SELECT failed FROM jobs");
    assert!((12..=24).contains(&failed), "{failed} failed");
    assert_eq!(hosts.count("SELECT failures FROM jobs"), failed);
    assert_eq!(hosts.count("SELECT count(*) FROM managers WHERE state = 'left'"), 3);
    let why = hosts.ok("two", &["explain", &job]);
    assert!(why.contains("failed since its latest start, the limit is 12"), "{why}");
}

#[test]
fn failures_are_counted_again_from_the_next_start_on() {
    let Some(hosts) = Hosts::new() else { return };
    let options = ["-j", "1", "--max-attempts", "1", "--max-failures", "2"];
    let job = hosts.create(40, &options, "sleep 0.3; exit 1");
    hosts.start_on(&["one"], &job);
    hosts.wait_for_status(&job, "paused");
    let first = hosts.count("SELECT failed FROM jobs");

    hosts.start_on(&["two"], &job);
    hosts.wait_for_status(&job, "paused");

    let (failed, since) = (hosts.count("SELECT failed FROM jobs"), hosts.count("SELECT failures FROM jobs"));
    assert!((2..20).contains(&first) && (2..20).contains(&since), "{first}, then {since}");
    assert_eq!(failed, first + since);
}

#[test]
fn fault_372_no_unit_behind_the_first_ones_runs_on_any_host_before_the_job_is_approved() {
    let Some(hosts) = Hosts::new() else { return };
    let job = hosts.create(30, &["-j", "1", "--canary", "4"], UNTIL_GO);
    let works = HOSTS.map(|host| hosts.work(host, &[&job]));
    hosts.wait("a unit on each host", || hosts.lines("begun").len() == 3);

    hosts.let_go();
    hosts.wait_for_status(&job, "awaiting_approval");
    let mut first = hosts.lines("begun");
    first.sort();
    let claimed = hosts.count("SELECT claimed_through FROM jobs");
    let why = hosts.ok("three", &["explain", &job]);
    std::fs::remove_file(hosts.world.path("go")).unwrap();
    hosts.ok("two", &["approve", &job]);
    hosts.wait("units on each host", || hosts.lines("begun").len() == 7);
    hosts.let_go();
    hosts.wait_for_status(&job, "completed");

    assert_eq!((first, claimed), (["1", "2", "3", "4"].map(str::to_owned).to_vec(), 4));
    assert!(why.contains("waits for a person"), "{why}");
    assert_eq!((hosts.lines("begun").len(), hosts.count("SELECT completed FROM jobs")), (30, 30));
    works.into_iter().for_each(|work| hosts.leave(work));
}

#[test]
fn hosts_share_the_rate_of_their_job() {
    let Some(hosts) = Hosts::new() else { return };
    let job = hosts.create(40, &["-j", "2", "--rate", "10/s"], "true");
    hosts.start_on(&HOSTS, &job);

    hosts.wait_for_status(&job, "completed");

    // In each span that many more than the rate allows may start as there are managers, each of which may be about to.
    let most = "SELECT max(later.n - earlier.n - (later.at - earlier.at) / 100000.0) FROM \
         (SELECT started_at AS at, row_number() OVER (ORDER BY started_at) AS n FROM units) AS later JOIN \
         (SELECT started_at AS at, row_number() OVER (ORDER BY started_at) AS n FROM units) AS earlier ON later.n > earlier.n";
    let excess = hosts.count(most);
    assert!(excess <= 4, "{excess} more than the rate allows");
    assert_eq!(hosts.count("SELECT count(*) FROM managers"), 3);
}

#[test]
fn fault_373_the_last_unit_and_the_end_of_a_job_are_those_of_one_host() {
    let Some(hosts) = Hosts::new() else { return };
    hosts.world.write("hook", "#!/bin/sh\necho \"$1\" >>hooks\n");
    let hook = hosts.world.path("hook");
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let options = ["-j", "1", "--then", "echo last >>lasts", "--hook", hook.to_str().unwrap()];
    let job = hosts.create(12, &options, UNTIL_GO);
    hosts.start_on(&HOSTS, &job);
    hosts.wait("units on all hosts", || hosts.lines("begun").len() == 3);

    // One leaves before the end, and has nothing to tell.
    send(hosts.manager("two").unwrap(), Signal::SIGTERM);
    hosts.let_go();
    hosts.wait_for_status(&job, "completed");
    hosts.wait("the hook", || !hosts.lines("hooks").is_empty());
    let processes = hosts.word("SELECT string_agg(pid::text, ' ') FROM managers");
    hosts.wait("the managers to end", || processes.split(' ').all(|pid| !is_alive(pid.parse().unwrap())));

    assert_eq!((hosts.lines("lasts"), hosts.lines("hooks")), (vec!["last".to_owned()], vec!["job_ended".to_owned()]));
}

#[test]
fn fault_374_a_unit_that_has_its_job_wait_holds_it_on_all_hosts() {
    let Some(hosts) = Hosts::new() else { return };
    let script =
        "[ {} = 1 ] && until [ -e go ]; do sleep 0.05; done; [ {} = 1 ] && exit 79; echo {} >>begun; sleep 0.2";
    let job = hosts.create(400, &["-j", "1", "--exit", "79=pause:1h"], script);
    hosts.start_on(&HOSTS, &job);
    hosts.wait("other units", || hosts.lines("begun").len() > 5);

    hosts.let_go();
    hosts.wait("the hold", || hosts.count("SELECT count(hold_until) FROM jobs") == 1);
    hosts.wait("no further starts", || {
        let before = hosts.lines("begun").len();
        std::thread::sleep(Duration::from_secs(1));
        hosts.lines("begun").len() == before
    });

    assert!(hosts.count("SELECT pending FROM jobs") > 300, "{}", hosts.world.report());
    hosts.ok("two", &["cancel", &job]);
}

#[test]
fn a_deadline_is_that_of_the_job() {
    let Some(hosts) = Hosts::new() else { return };
    let job = hosts.create(9, &["-j", "1", "--deadline", "4s"], UNTIL_GO);

    hosts.start_on(&HOSTS, &job);
    hosts.wait_for_status(&job, "paused");

    assert_eq!(hosts.count("SELECT pending FROM jobs"), 9);
    let why = hosts.ok("one", &["explain", &job]);
    assert!(why.contains("its deadline"), "{why}");
}

#[test]
fn a_job_waits_for_another_one_on_all_hosts() {
    let Some(hosts) = Hosts::new() else { return };
    let first = hosts.create(1, &[], "true");
    let second = hosts.create(6, &["-j", "1", "--after", &first], "echo {} >>begun");
    hosts.start_on(&HOSTS, &second);
    hosts.wait("heartbeats", || hosts.count("SELECT count(workers) FROM managers") == 3);

    let before = hosts.lines("begun");
    hosts.start_on(&["two"], &first);
    hosts.wait_for_status(&second, "completed");

    assert_eq!((before.len(), hosts.lines("begun").len()), (0, 6));
}
