//! A server in whose place an older state of it answers: a copy of yesterday, or the former primary after a failover.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::{Connection, SimpleConnection};
use diesel::{PgConnection, RunQueryDsl};

use crate::support::{Hosts, Server, Shutdown, text, without_tool};

/// Also on a busy machine.
const DEADLINE: Duration = Duration::from_secs(50);
/// Notes that a unit runs, and that two attempts at it do so at the same time. Units wait for files, by their numbers.
const SCRIPT: &str = "exec 9>>lock-{}; flock -n 9 || echo {} >>overlaps; echo {} >>begun; \
    until [ {} -le 10 ] || [ -e first ] && [ {} -le 30 ] || [ -e second ]; do sleep 0.05; done; echo {} >>ended";

fn completed(hosts: &Hosts) -> i64 {
    hosts.count("SELECT count(*) FROM units WHERE status = 'completed'")
}

fn log(hosts: &Hosts) -> String {
    text(&hosts.world.sh("tail -n 40 */job-manager/*.d/*/manager.log").stdout)
}

fn report(hosts: &Hosts) -> String {
    let rows = |what: &str, from: &str| {
        hosts.word(&format!("SELECT coalesce(string_agg(({what})::text, '\n'), '') FROM {from}"))
    };
    [
        rows("to_json((status, claimed_through, pending, running, completed))", "jobs"),
        rows("to_json((number, state, reason, host, lease_until))", "managers"),
        rows("to_json(ranges)", "ranges"),
        rows("to_json((seq, status, attempts, not_before))", "units WHERE status <> 'completed'"),
        log(hosts),
    ]
    .join("\n")
}

#[track_caller]
fn assert_all_done(hosts: &Hosts, units: i64) {
    let begin = Instant::now();
    while hosts.status_of_last() != "completed" {
        assert!(begin.elapsed() < DEADLINE, "the job does not complete:\n{}", report(hosts));
        std::thread::sleep(Duration::from_millis(50));
    }
    let rows = "SELECT count(*) FROM units WHERE status = 'completed'";
    assert_eq!([rows, "SELECT completed FROM jobs"].map(|query| hosts.count(query)), [units; 2], "{}", log(hosts));
    assert_eq!(hosts.count("SELECT sum(pending + running + failed + skipped + cancelled) FROM jobs"), 0);
    assert_eq!(hosts.lines("overlaps"), [] as [String; 0], "{}", log(hosts));
    let mut ended = hosts.world.lines("ended");
    ended.sort();
    ended.dedup();
    assert_eq!(ended.len(), usize::try_from(units).unwrap());
}

#[test]
fn fault_455_what_a_database_of_yesterday_does_not_know_of_runs_again() {
    let Some(mut server) = Server::start() else { return without_tool("postgres") };
    let hosts = Hosts::at(server.database());
    let (data, kept) = (server.data(), server.dir().join("yesterday"));
    let copy = |from: &Path, to: &Path| {
        let copied = hosts.world.sh(&format!("rm -rf {1} && cp -a {0} {1}", from.display(), to.display()));
        assert!(copied.status.success(), "{}", text(&copied.stderr));
    };
    hosts.create(40, &["-j", "2"], SCRIPT);
    hosts.start_on(&["one"], "last");
    let one = hosts.work("one", &["last"]);
    hosts.wait("the first units", || completed(&hosts) == 10 && hosts.begun() == 12);

    server.stop(Shutdown::Fast);
    copy(&data, &kept);
    server.restart();
    let two = hosts.work("two", &["last"]);
    hosts.wait_for_managers(&["two"]);
    hosts.world.write("first", "");
    hosts.wait("further units", || completed(&hosts) == 30);
    server.stop(Shutdown::Fast);
    copy(&kept, &data);
    server.restart();
    assert_eq!(completed(&hosts), 10);
    hosts.world.write("second", "");

    assert_all_done(&hosts, 40);
    let begun = hosts.begun();
    println!("{begun} attempts at 40 units, of which 20 had completed and were forgotten");
    assert!(begun >= 60, "{begun}");
    hosts.leave(one);
    hosts.leave(two);
}

#[test]
fn fault_456_a_manager_that_has_followed_a_failover_writes_nothing_to_the_former_primary() {
    let settings = ["wal_level=replica", "max_wal_senders=4", "wal_keep_size=64MB", "hot_standby=on"];
    let Some(mut server) = Server::start_with(&settings) else { return without_tool("postgres") };
    let (old, standby) = (server.database(), server.standby(&settings));
    let name = old.split(":///").nth(1).unwrap().split('?').next().unwrap().to_owned();
    let new = standby.url(&name);
    let places = format!("{},{}", server.dir().display(), standby.dir().display());
    let both =
        format!("postgresql:///{name}?host={places}&port=5432,5432&user=postgres&target_session_attrs=read-write");
    let hosts = Hosts::at(both);
    hosts.create(40, &["-j", "2"], SCRIPT);
    hosts.start_on(&["one"], "last");
    hosts.wait("the first units", || completed(&hosts) == 10 && hosts.begun() == 12);
    let followed = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    hosts.wait("the standby to follow", || hosts.count(followed) == 1);

    server.stop(Shutdown::Fast);
    standby.promote();
    hosts.world.write("first", "");
    hosts.wait("it to go on", || completed(&hosts) == 30);
    server.restart();
    let mut primary = PgConnection::establish(&new).unwrap();
    primary
        .batch_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'job-manager'")
        .unwrap();
    hosts.world.write("second", "");
    hosts.wait("its units to end", || hosts.world.lines("ended").len() >= 32);
    hosts.wait("it to say what it waits for", || log(&hosts).contains("former primary"));
    let of_old = completed(&hosts);
    server.stop(Shutdown::Fast);

    assert_eq!(of_old, 10, "{}", log(&hosts));
    assert_all_done(&hosts, 40);
    let counted = diesel::sql_query("SELECT 1 FROM jobs WHERE completed = 40").execute(&mut primary).unwrap();
    assert_eq!(counted, 1);
}
