//! A database on a server that goes away and comes back: nothing is lost, nothing is done or counted twice.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown as Side;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::support::{BIN, Random, Server, Shutdown, World, text, wait_for, without_tool};

const UNITS: i64 = 500;
/// Also on a busy machine.
const DEADLINE: Duration = Duration::from_secs(180);
/// What ends all sessions of the programs under test.
const END_SESSIONS: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'job-manager'";

/// A world whose database is on a server of its own.
struct Away {
    world: World,
    server: Server,
    url: String,
}

impl Away {
    fn new(settings: &[&str]) -> Option<Away> {
        let Some(server) = Server::start_with(settings) else {
            without_tool("postgres");
            return None;
        };
        let url = server.database();
        let world = World::new();
        fs::create_dir(world.path("ran")).unwrap();
        Some(Away { world, server, url })
    }

    fn run(&self, args: &[&str]) -> Output {
        self.run_on(&self.url, args)
    }

    fn run_on(&self, url: &str, args: &[&str]) -> Output {
        let mut command = self.world.command(BIN);
        command.args(args).env("JOB_MANAGER_DB", url).env("XDG_STATE_HOME", self.world.path("state"));
        command.output().unwrap()
    }

    /// Starts a job of short units, each of which says in a file of its own that it runs.
    fn submit(&self, url: &str) {
        let numbers = self.world.numbers(usize::try_from(UNITS).unwrap());
        let script = "echo ran >>ran/{}; sleep 0.01";
        let started = self.run_on(url, &["submit", "-j", "4", "--shell", "--lines", &numbers, "--", script]);
        assert!(started.status.success(), "{}", text(&started.stderr));
    }

    /// Returns one number from the database; none while the server does not answer.
    fn count(&self, query: &str) -> Option<i64> {
        let mut conn = PgConnection::establish(&self.url).ok()?;
        diesel::dsl::sql::<BigInt>(&format!("SELECT ({query})::bigint")).get_result(&mut conn).ok()
    }

    fn completed(&self) -> i64 {
        self.count("SELECT count(*) FROM units WHERE status = 'completed'").unwrap_or(0)
    }

    fn wait_for_more(&self, count: i64) {
        let least = (self.completed() + count).min(UNITS);
        self.wait_for("units to complete", || self.completed() >= least);
    }

    fn wait_for(&self, what: &str, holds: impl FnMut() -> bool) {
        println!("{what}: {} completed", self.completed());
        wait_for(&self.world, what, holds);
    }

    fn is_over(&self) -> bool {
        self.count("SELECT count(*) FROM jobs WHERE status NOT IN ('created', 'running')") == Some(1)
    }

    /// Waits for the end of the job: every unit has run once, and the counters are those of the rows.
    fn assert_done(&self) {
        let begin = Instant::now();
        while !self.is_over() {
            assert!(begin.elapsed() < DEADLINE, "{} completed:\n{}", self.completed(), self.log());
            thread::sleep(Duration::from_millis(100));
        }
        for (what, query, expected) in [
            ("completed jobs", "SELECT count(*) FROM jobs WHERE status = 'completed'", 1),
            ("completed units", "SELECT count(*) FROM units WHERE status = 'completed'", UNITS),
            ("the counter of completed units", "SELECT completed FROM jobs", UNITS),
            ("other counters", "SELECT sum(pending + running + failed + skipped + cancelled) FROM jobs", 0),
            ("units of one attempt", "SELECT count(*) FROM units WHERE attempts = 1 AND started_at > 0", UNITS),
            ("managers", "SELECT count(*) FROM managers", 1),
            ("managers that live", "SELECT count(*) FROM managers WHERE state = 'live'", 0),
        ] {
            assert_eq!(self.count(query), Some(expected), "{what}:\n{}", self.log());
        }
        for number in 1..=UNITS {
            assert_eq!(self.world.lines(&format!("ran/{number}")), ["ran"], "unit {number}:\n{}", self.log());
        }
        assert!(!self.log().contains("changed by a client"), "{}", self.log());
    }

    fn log(&self) -> String {
        let found = self.world.sh("tail -n 60 state/job-manager/*.d/*/manager.log");
        text(&found.stdout)
    }
}

#[test]
fn fault_346_sessions_that_are_ended_again_and_again_neither_lose_nor_repeat_a_unit() {
    let Some(away) = Away::new(&[]) else { return };
    let mut random = Random::seeded();
    away.submit(&away.url);

    let (mut ended, begin) = (0, Instant::now());
    while !away.is_over() {
        assert!(begin.elapsed() < DEADLINE, "{} completed:\n{}", away.completed(), away.log());
        ended += away.count(&format!("SELECT count(*) FROM ({END_SESSIONS} AND random() < 0.7) AS ended")).unwrap_or(0);
        let status = away.run(&["status", "1"]);
        assert!(status.status.success(), "{}", text(&status.stderr));
        thread::sleep(Duration::from_millis(random.below(60)));
    }

    away.assert_done();
    assert!(ended > 10, "{ended} sessions were ended");
}

#[test]
fn fault_347_a_server_that_is_restarted_or_killed_is_waited_for_by_managers_and_clients() {
    let Some(mut away) = Away::new(&[]) else { return };
    away.submit(&away.url);

    for how in [Shutdown::Fast, Shutdown::Immediate, Shutdown::Kill] {
        away.wait_for_more(60);
        away.server.stop(how);
        // Units go on meanwhile.
        thread::sleep(Duration::from_millis(300));
        let (url, state) = (away.url.clone(), away.world.path("state"));
        let mut status = away.world.command(BIN);
        status.args(["status", "1"]).env("JOB_MANAGER_DB", url).env("XDG_STATE_HOME", state);
        let status = status.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        away.server.restart();
        let status = status.wait_with_output().unwrap();
        assert!(status.status.success(), "{how:?}: {}", text(&status.stderr));
    }

    away.assert_done();
}

#[test]
fn fault_348_a_server_that_takes_no_changes_for_a_while_is_waited_for() {
    let Some(away) = Away::new(&[]) else { return };
    away.submit(&away.url);
    away.wait_for_more(60);

    away.server.execute("ALTER SYSTEM SET default_transaction_read_only = on");
    away.server.execute("SELECT pg_reload_conf()");
    thread::sleep(Duration::from_secs(3));
    let standing = away.completed();
    away.server.execute("ALTER SYSTEM RESET default_transaction_read_only");
    away.server.execute("SELECT pg_reload_conf()");

    assert!(standing < UNITS, "the job had ended before");
    away.assert_done();
}

#[test]
fn fault_349_a_server_without_a_free_connection_is_waited_for() {
    let Some(away) = Away::new(&["max_connections=10", "max_wal_senders=0"]) else { return };
    away.submit(&away.url);
    away.wait_for_more(60);

    let mut taken = vec![PgConnection::establish(&away.url).unwrap()];
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        diesel::sql_query(END_SESSIONS).execute(&mut taken[0]).unwrap();
        while let Ok(conn) = PgConnection::establish(&away.url) {
            taken.push(conn);
        }
    }
    assert!(taken.len() >= 8, "{} connections", taken.len());
    drop(taken);

    away.assert_done();
}

#[test]
fn fault_350_a_commit_whose_answer_never_comes_is_recorded_and_counted_once() {
    let Some(away) = Away::new(&[]) else { return };
    let proxy = Proxy::start(&away.world.path("proxy"), away.server.dir(), Random::seed());
    let url = away.url.replace(away.server.dir().to_str().unwrap(), away.world.path("proxy").to_str().unwrap());
    away.submit(&url);

    away.assert_done();

    let [swallowed, dropped] = [&proxy.swallowed, &proxy.dropped].map(|count| count.load(Ordering::Relaxed));
    println!("{swallowed} answers swallowed, {dropped} commits dropped");
    assert!(swallowed > 3 && dropped > 3, "{swallowed} answers swallowed, {dropped} commits dropped");
}

#[test]
fn fault_351_jobs_whose_commits_are_in_doubt_are_created_once() {
    let Some(away) = Away::new(&[]) else { return };
    let proxy = Proxy::start(&away.world.path("proxy"), away.server.dir(), Random::seed());
    let url = away.url.replace(away.server.dir().to_str().unwrap(), away.world.path("proxy").to_str().unwrap());

    for _ in 0..30 {
        let made = away.run_on(&url, &["create", "-q", "--", "true"]);
        assert!(made.status.success(), "{}", text(&made.stderr));
    }

    assert_eq!(away.count("SELECT count(*) FROM jobs"), Some(30));
    assert!(proxy.swallowed.load(Ordering::Relaxed) > 0);
}

/// Stands between programs and the server, and cuts connections at some of their commits.
struct Proxy {
    /// Commits whose answers it has kept.
    swallowed: AtomicU32,
    /// Commits that it has not handed on.
    dropped: AtomicU32,
}

impl Proxy {
    fn start(dir: &Path, server: &Path, seed: u64) -> Arc<Proxy> {
        const SOCKET: &str = ".s.PGSQL.5432";
        fs::create_dir(dir).unwrap();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
        let listener = UnixListener::bind(dir.join(SOCKET)).unwrap();
        let proxy = Arc::new(Proxy { swallowed: AtomicU32::new(0), dropped: AtomicU32::new(0) });
        let (shared, server) = (Arc::clone(&proxy), server.join(SOCKET));
        thread::spawn(move || {
            for (number, client) in (0..).zip(listener.incoming()) {
                let (proxy, random) = (Arc::clone(&shared), Random::of(seed.wrapping_add(number * 7919)));
                let (Ok(client), Ok(server)) = (client, UnixStream::connect(&server)) else { continue };
                thread::spawn(move || proxy.stand_between(client, server, random));
            }
        });
        proxy
    }

    fn stand_between(&self, client: UnixStream, server: UnixStream, mut random: Random) {
        let is_swallowing = Arc::new(AtomicBool::new(false));
        let back = {
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let is_swallowing = Arc::clone(&is_swallowing);
            thread::spawn(move || {
                let mut bytes = [0; 1 << 16];
                while let Ok(count @ 1..) = from.read(&mut bytes) {
                    if is_swallowing.load(Ordering::Acquire) || to.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                let _ = (from.shutdown(Side::Both), to.shutdown(Side::Both));
            })
        };
        let (mut from, mut to) = (client, server);
        let mut bytes = vec![0; 1 << 16];
        random.below(2);
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let is_commit = bytes[..count].ends_with(b"COMMIT\0");
            match is_commit.then(|| random.below(8)) {
                Some(0) => {
                    self.swallowed.fetch_add(1, Ordering::Relaxed);
                    is_swallowing.store(true, Ordering::Release);
                }
                Some(1) => {
                    self.dropped.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                _ => {}
            }
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Side::Both);
        let _ = from.shutdown(Side::Both);
        back.join().unwrap();
    }
}
