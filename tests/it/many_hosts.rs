//! Hosts far away from their server, hosts whose clock is wrong, and what hosts spend together.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown as Side;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::support::{Hosts, Random, Server, without_tool};

const SOCKET: &str = ".s.PGSQL.5432";

/// Hands on what programs and the server say to each other, later; one of twenty messages comes much later, as on a line that loses it.
fn far_away(dir: &Path, server: &Path, seed: u64) {
    fs::create_dir(dir).unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
    let (listener, server) = (UnixListener::bind(dir.join(SOCKET)).unwrap(), server.join(SOCKET));
    std::thread::spawn(move || {
        for (number, client) in (0..).zip(listener.incoming()) {
            let (Ok(client), Ok(server)) = (client, UnixStream::connect(&server)) else { continue };
            for (direction, (from, to)) in
                (0..).zip([(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)])
            {
                let random = Random::of(seed.wrapping_add(number * 7919 + direction));
                let (sender, receiver) = channel();
                std::thread::spawn(move || hand_on_later(to, &receiver));
                std::thread::spawn(move || take(from, random, |message| sender.send(message).is_ok()));
            }
        }
    });
}

fn take(mut from: UnixStream, mut random: Random, mut hand_on: impl FnMut((Instant, Vec<u8>)) -> bool) {
    random.below(2);
    let mut bytes = [0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let delay = if random.below(20) == 0 { 225 } else { 25 };
        if !hand_on((Instant::now() + Duration::from_millis(delay), bytes[..count].to_vec())) {
            break;
        }
    }
    let _ = from.shutdown(Side::Read);
}

fn hand_on_later(mut to: UnixStream, messages: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((at, bytes)) = messages.recv() {
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Side::Write);
}

#[test]
fn fault_458_a_server_far_away_behind_a_bad_line_makes_short_units_little_slower_and_no_host_is_taken_for_dead() {
    let Some(server) = Server::start() else { return without_tool("postgres") };
    let near = Hosts::at(server.database());
    let dir = server.dir().join("line");
    far_away(&dir, server.dir(), Random::seed());
    let url = server.database().replace(server.dir().to_str().unwrap(), dir.to_str().unwrap());
    let far = Hosts::at(url);

    let [near, far] = [near, far].map(|hosts| {
        let job = hosts.create(400, &["-j", "4"], "sleep 0.15; echo {} >>ended; echo {} >>begun");
        hosts.start_on(&["one"], &job);
        hosts.wait("all units to run", || hosts.begun() >= 400);
        hosts.assert_completed(400, 0);
        assert_eq!(hosts.count("SELECT count(*) FROM managers WHERE state <> 'left'"), 0);
        // The first ranges are for the workers, whatever the line.
        let until = |part: &str| format!("percentile_disc({part}) WITHIN GROUP (ORDER BY finished_at)");
        hosts.count(&format!("SELECT ({} - {}) / 1000 FROM units", until("0.9"), until("0.4")))
    });

    println!("200 units of 0.15 s, 4 at a time: {near} ms beside the server, {far} ms far away");
    assert!(far * 8 <= near * 10, "{near} ms beside the server, {far} ms far away");
}

#[test]
fn fault_459_what_four_managers_bill_exceeds_their_budget_by_what_the_workers_of_three_take_at_most() {
    const COST: usize = 5;
    const BUDGET: usize = 150;
    const WORKERS: usize = 3;
    for length in ["0.02", "0.4"] {
        let Some(hosts) = Hosts::new() else { return };
        let names = ["one", "two", "three", "four"];
        let options =
            ["-j", "3", "--budget", "usd=150", "--reserve", "usd=5", "--meter", "usd=.cost", "--result", "json"];
        let script =
            format!("until [ -e go ]; do sleep 0.01; done; echo 1 >>bill; sleep {length}; echo '{{{{\"cost\": 5}}}}'");
        let job = hosts.create(400, &options, &script);

        hosts.start_on(&names, &job);
        hosts.let_go();
        hosts.wait_for_status(&job, "paused");

        let billed = hosts.lines("bill").len() * COST;
        let spent = hosts.count("SELECT spent / 1000000 FROM meters");
        println!("units of {length} s: {billed} billed of a budget of {BUDGET}");
        assert_eq!(usize::try_from(spent).unwrap(), billed);
        assert!(
            (BUDGET - COST..=BUDGET + 3 * WORKERS * COST).contains(&billed),
            "{billed} billed, units of {length} s"
        );
    }
}

#[test]
fn fault_466_a_host_whose_clock_is_a_day_ahead_takes_nothing_over_and_tries_again_when_others_would() {
    let Some(hosts) = Hosts::new() else { return };
    // Every unit fails once, and waits for a second.
    let script = "echo {} >>begun; [ -e failed-{} ] || { touch failed-{}; exit 1; }; sleep 0.2; echo {} >>ended";
    let job = hosts.create(
        40,
        &["-j", "2", "--backoff", "1s..1s"],
        &script.replace("|| {", "|| {{").replace("1; }", "1; }}"),
    );
    for (host, step) in [("one", "+0"), ("two", "+1d"), ("three", "-1d")] {
        let Some(mut resume) = hosts.world.with_clock(step, &["resume", &job]) else { return without_tool("faketime") };
        let asked = hosts.command(host, &[]);
        resume.envs(asked.get_envs().filter_map(|(name, value)| Some((name, value?))));
        assert!(resume.output().unwrap().status.success());
    }

    hosts.wait_for_status(&job, "completed");

    let count = |what: &str| hosts.count(&format!("SELECT count(*) FROM {what}"));
    assert_eq!((count("managers WHERE state = 'lost'"), count("units WHERE crashes > 0 OR attempts <> 2")), (0, 0));
    // By the clock of the server, whichever host ran it.
    assert_eq!(count("units WHERE abs(finished_at - extract(epoch FROM clock_timestamp()) * 1000000) > 120000000"), 0);
    assert_eq!(hosts.world.lines("begun").len(), 80);
    assert_eq!(hosts.world.lines("ended").len(), 40);
}
