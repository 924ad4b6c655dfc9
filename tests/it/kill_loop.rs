//! One job, many machines, and everything that can happen to them in random order, with the server and its standby among them.
//!
//! `make soak` runs it at full length; the seed is printed and taken from `JM_TEST_SEED`. Each machine has a network, processes and a
//! state directory of its own. Units say in a common file when they run; a reader compares counters and rows all the while.

mod journal;
mod reader;
mod servers;
mod troubles;
mod verdict;

use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection};

use crate::support::{BIN, Network, Random, World, text, without, without_tool};
use reader::Reader;
use servers::Servers;
use troubles::Troubles;

const LEASE: Duration = Duration::from_secs(3);
/// Whether a manager that is cut off has ended its units before others may have them.
const CUT_OFF_UNITS_END: bool = true;
/// For the end of a job to which nothing happens any more.
const CALM: Duration = Duration::from_secs(240);
const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/kill_loop/unit.pl");

struct Settings {
    machines: u32,
    units: usize,
    workers: u32,
    /// After that nothing more happens.
    length: Duration,
    /// Longest pause between two troubles.
    pause: Duration,
    failovers: u32,
}

#[test]
fn fault_375_nothing_is_lost_or_recorded_twice_whatever_fails_of_many_machines_and_their_server() {
    let settings = Settings {
        machines: 4,
        units: 1_000,
        workers: 3,
        length: Duration::from_secs(40),
        pause: Duration::from_millis(600),
        failovers: 1,
    };
    run(&settings, Random::seed());
}

#[test]
#[ignore = "runs for minutes: make soak"]
fn soak() {
    let number =
        |name: &str, otherwise: u32| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise);
    let length = Duration::from_secs(60 * u64::from(number("JM_TEST_KILL_MINUTES", 20)));
    let (machines, units) = (number("JM_TEST_HOSTS", 8), number("JM_TEST_UNITS", 20_000) as usize);
    let (first, begin) = (Random::seed(), Instant::now());
    for seed in first.. {
        let Some(length) = length.checked_sub(begin.elapsed()).filter(|rest| rest.as_secs() > 10) else { return };
        println!("seed {seed}");
        let pause = Duration::from_millis(800);
        run(&Settings { machines, units, workers: 4, length, pause, failovers: u32::MAX }, seed);
    }
}

fn run(settings: &Settings, seed: u64) {
    let world = World::new();
    if let Some(tool) = Network::missing(&world) {
        return without_tool(tool);
    }
    let Some(mut network) = Network::new(&world) else { return without("joining machines needs root") };
    let mut random = Random::of(seed);
    random.below(2);
    let Some(mut servers) = Servers::start(&network, random.below(2) == 0) else { return without_tool("postgres") };
    let mut troubles = Troubles::new(&world, &mut network, settings, servers.url());
    create(&world, &troubles, &servers.url(), settings);
    for index in 0..settings.machines as usize {
        troubles.start_work(index);
    }
    let reader = Reader::start(servers.place.clone());

    let begin = Instant::now();
    while !is_over(&servers) {
        let elapsed = begin.elapsed();
        if elapsed > settings.length + CALM {
            verdict::give_up(&world, &servers, &troubles, "the job does not end");
        }
        let is_calm = elapsed > settings.length;
        if !is_calm {
            let may_fail_over = troubles.tally.failovers < settings.failovers;
            troubles.make(&mut random, &mut servers, may_fail_over);
        }
        let until = Instant::now() + Duration::from_millis(random.below(settings.pause.as_millis() as u64));
        while Instant::now() < until {
            troubles.mend(is_calm);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    println!("over after {:?}", begin.elapsed());

    troubles.mend(true);
    let begin = Instant::now();
    let is_left = |troubles: &Troubles<'_>| troubles.machines().any(|machine| !machine.running(UNIT).is_empty());
    while is_left(&troubles) || world.lines("hooks").is_empty() && begin.elapsed() < LEASE {
        if begin.elapsed() > CALM {
            verdict::give_up(&world, &servers, &troubles, "runs of units are left");
        }
        troubles.mend(true);
        std::thread::sleep(Duration::from_millis(50));
    }
    troubles.leave();
    verdict::judge(&world, &servers, &troubles, reader.end(), settings.units);
}

/// Creates the job, and has it run as soon as somebody works.
fn create(world: &World, troubles: &Troubles<'_>, url: &str, settings: &Settings) {
    use std::os::unix::fs::PermissionsExt;

    std::fs::create_dir(world.path("locks")).unwrap();
    let hook = world.write("hook", "#!/bin/sh\necho \"$1\" >>hooks\n");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (numbers, workers) = (world.numbers(settings.units), settings.workers.to_string());
    let last = format!("perl {UNIT} last");
    let mut command = troubles.machine(0).command(world, BIN);
    command.env("JOB_MANAGER_DB", url).env("JOB_MANAGER_TEST_LEASE_MS", LEASE.as_millis().to_string());
    command.args([
        "submit",
        "-q",
        "--lines",
        &numbers,
        "-j",
        &workers,
        "--backoff",
        "1ms..50ms",
        "--kill-after",
        "300ms",
    ]);
    command.args([
        "--hook",
        hook.to_str().unwrap(),
        "--then",
        &last,
        "--then-when",
        "always",
        "--",
        "perl",
        UNIT,
        "{}",
    ]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn is_over(servers: &Servers) -> bool {
    let url = servers.place.lock().unwrap().url.clone();
    let status = PgConnection::establish(&url)
        .ok()
        .and_then(|mut conn| reader::word(&mut conn, "SELECT status::text FROM jobs ORDER BY id DESC LIMIT 1").ok());
    status.is_some_and(|status| status != "created" && status != "running")
}
