//! What can be measured against something else that does the same work.

use std::path::Path;
use std::process::Command;

use crate::measure::{Bench, Line, in_turns, numbers, per_second, rate, scratch};
use crate::{bare, ours};

const RECORDED: u32 = 200_000;
const INSERTED: u32 = 1_000_000;
const SPAWNED: u32 = 8_000;
const SLEPT: u32 = 6_000;
/// Directory of the programs that measure other libraries, `peer-<name> UNITS DIR` of `benches/peers`; without it those
/// lines are skipped.
const PEERS: &str = "PEERS";

/// Units that do nothing, both states recorded.
pub fn record(bench: &Bench) {
    if !bench.wants("record") {
        return;
    }
    let peers = std::env::var_os(PEERS);
    let peer = |name: &str, units| peers.as_ref().map(|dir| peer_rate(Path::new(dir), name, units));
    let [ours, bare, effectum, apalis] = in_turns([
        &mut || rate(RECORDED, ours::record(scratch().path(), RECORDED)),
        &mut || rate(RECORDED, bare::record(scratch().path(), RECORDED)),
        &mut || peer("effectum", RECORDED / 4).unwrap_or(f64::NAN),
        &mut || peer("apalis", RECORDED / 4).unwrap_or(f64::NAN),
    ]);
    let line = |beside: &str, other: f64, goal: f64| {
        if !other.is_nan() {
            bench.print(&Line {
                what: "no-op units in the process, both states recorded, FULL",
                ours: per_second(ours),
                beside: format!("{beside}: {}", per_second(other)),
                ratio: ours / other,
                goal,
            });
        }
    };
    line("bare SQLite loop, two updates a unit, FULL", bare, 0.9);
    line("effectum 0.7, WAL/NORMAL", effectum, 4.0);
    line("apalis-sqlite 1.0, FULL", apalis, 4.0);
}

/// A million lines of a file become units.
pub fn insert(bench: &Bench) {
    if !bench.wants("insert") {
        return;
    }
    let source = scratch();
    let lines = numbers(source.path(), INSERTED);
    let [ours, bare] = in_turns([&mut || rate(INSERTED, ours::insert(scratch().path(), &lines)), &mut || {
        rate(INSERTED, bare::insert(scratch().path(), INSERTED))
    }]);
    bench.print(&Line {
        what: "a million units inserted from `--lines`",
        ours: per_second(ours),
        beside: format!("bare SQLite loop, inserts: {}", per_second(bare)),
        ratio: ours / bare,
        goal: 0.8,
    })
}

/// Processes that do nothing.
pub fn spawn(bench: &Bench) {
    if !bench.wants("spawn") {
        return;
    }
    let source = scratch();
    let lines = numbers(source.path(), SPAWNED);
    let has_parallel = Command::new("parallel").arg("--version").output().is_ok_and(|said| said.status.success());
    let [tail, none, bare, xargs, parallel] = in_turns([
        &mut || rate(SPAWNED, ours::run(scratch().path(), &lines, 2, "tail", &["/bin/true"])),
        &mut || rate(SPAWNED, ours::run(scratch().path(), &lines, 2, "none", &["/bin/true"])),
        &mut || rate(SPAWNED, bare::spawn(SPAWNED)),
        &mut || rate(SPAWNED, shell(&lines, "xargs -P2 -n1 /bin/true <\"$1\"")),
        // A part of them: it takes milliseconds for each.
        &mut || {
            if !has_parallel {
                f64::NAN
            } else {
                rate(SPAWNED / 20, shell(&lines, "head -n 400 \"$1\" | parallel -j2 --joblog \"$1.log\" /bin/true"))
            }
        },
    ]);
    let line = |ours: f64, what: &str, beside: &str, other: f64, goal: f64| {
        if other.is_nan() {
            return;
        }
        bench.print(&Line {
            what,
            ours: per_second(ours),
            beside: format!("{beside}: {}", per_second(other)),
            ratio: ours / other,
            goal,
        })
    };
    let (kept, thrown) = ("`true` as a unit, `-j 2`, output kept", "the same with `--output none`");
    let loop_of_two = "two threads of spawn and wait, output thrown away, nothing recorded";
    line(tail, kept, loop_of_two, bare, 0.95);
    line(none, thrown, loop_of_two, bare, 0.95);
    line(tail, kept, "`xargs -P2`, nothing recorded", xargs, 1.2);
    line(tail, kept, "GNU parallel `--joblog`", parallel, 2.5);
    line(tail, kept, "HyperQueue, as published", 914.0, 2.5);
}

/// Processes that sleep.
pub fn sleep(bench: &Bench) {
    if !bench.wants("sleep") {
        return;
    }
    let source = scratch();
    let lines = numbers(source.path(), SLEPT);
    let [ours, xargs] = in_turns([
        &mut || rate(SLEPT, ours::run(scratch().path(), &lines, 32, "tail", &["/bin/sleep", "0.01"])),
        &mut || rate(SLEPT, shell(&lines, "sed s/.*/0.01/ \"$1\" | xargs -P32 -n1 /bin/sleep")),
    ]);
    bench.print(&Line {
        what: "`sleep 0.01` as a unit, `-j 32`",
        ours: per_second(ours),
        beside: format!("`xargs -P32`, nothing recorded: {}", per_second(xargs)),
        ratio: ours / xargs,
        goal: 1.1,
    })
}

/// Times a script that gets the file as its argument.
fn shell(lines: &Path, script: &str) -> std::time::Duration {
    let began = std::time::Instant::now();
    ours::succeed(Command::new("sh").args(["-c", script, "sh"]).arg(lines));
    began.elapsed()
}

/// Runs the program that measures another library and returns its units per second.
fn peer_rate(dir: &Path, name: &str, units: u32) -> f64 {
    let place = scratch();
    let output = Command::new(dir.join(format!("peer-{name}")))
        .arg(units.to_string())
        .arg(place.path())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    said["units_per_second"].as_f64().expect("a number")
}
