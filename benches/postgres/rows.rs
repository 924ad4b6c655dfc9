//! The rows of the table.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::measure::{Bench, Line, in_turns, numbers, per_second, rate, scratch};
use super::server::Server;
use super::{bare, ours, river};

/// Units of a row that does nothing with them.
const UNITS: u32 = 300_000;

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// One manager beside one client that does the same to the rows.
pub fn one(bench: &Bench, server: &Server) {
    if !bench.wants("no-op units, one manager") {
        return;
    }
    let [ours, beside] = in_turns([
        &mut || rate(UNITS, ours::shared(scratch().path(), &server.database(), "nothing", UNITS, 2, 1)),
        &mut || rate(UNITS, bare::record(&server.database(), UNITS.into(), 1)),
    ]);
    bench.print(&Line {
        what: "no-op units, one manager, both states recorded",
        ours: per_second(ours),
        beside: format!("bare loop, one client: {}", per_second(beside)),
        ratio: ours / beside,
        goal: 0.5,
    });
}

/// Four managers beside four clients.
pub fn four(bench: &Bench, server: &Server) {
    if !bench.wants("no-op units, four managers") {
        return;
    }
    let [ours, bare, queue] = in_turns([
        &mut || rate(UNITS, ours::shared(scratch().path(), &server.database(), "nothing", UNITS, 2, 4)),
        &mut || rate(UNITS, bare::record(&server.database(), UNITS.into(), 4)),
        &mut || rate(UNITS, river::record(&server.database(), UNITS.into(), 4)),
    ]);
    for (what, beside, name, goal) in [
        ("no-op units, four managers", bare, "bare loop, four clients", 0.5),
        ("", queue, "one by one in the shape of River 0.43, four clients", 2.0),
    ] {
        let (ratio, beside) = (ours / beside, format!("{name}: {}", per_second(beside)));
        bench.print(&Line { what, ours: per_second(ours), beside, ratio, goal });
    }
}

/// Four managers beside other queues on the same server, where `make bench-postgres` has installed them.
pub fn queues(bench: &Bench, server: &Server) {
    let Some(peers) = std::env::var_os("PEERS").map(PathBuf::from) else { return };
    if !bench.wants("no-op units beside other queues") {
        return;
    }
    // As many jobs as take the slowest of them a while.
    let peer = |program: &[&str], jobs: u32| {
        let output = Command::new(if program[0] == "node" { PathBuf::from("node") } else { peers.join(program[0]) })
            .arg(peers.join(program[1]))
            .args([server.empty_database(), jobs.to_string()])
            .output()
            .expect("the program is there");
        assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("it prints its rate")
    };
    let [ours, graphile, boss, procrastinate] = in_turns([
        &mut || rate(UNITS, ours::shared(scratch().path(), &server.database(), "nothing", UNITS, 2, 4)),
        &mut || peer(&["node", "graphile-worker.mjs"], 30_000),
        &mut || peer(&["node", "pg-boss.mjs"], 30_000),
        &mut || peer(&["venv/bin/python", "procrastinate_peer.py"], 2_000),
    ]);
    for (name, beside) in
        [("graphile-worker 0.17.3", graphile), ("pg-boss 10.4.2", boss), ("procrastinate 3.10", procrastinate)]
    {
        bench.print(&Line {
            what: "no-op units beside other queues, four managers",
            ours: per_second(ours),
            beside: format!("{name}: {}", per_second(beside)),
            ratio: ours / beside,
            goal: 5.0,
        });
    }
}

/// Eight managers beside one, on units that take their time.
pub fn sleep(bench: &Bench, server: &Server) {
    if !bench.wants("units that sleep 10 ms, eight managers") {
        return;
    }
    let [eight, one] = in_turns([
        &mut || rate(64_000, ours::shared(scratch().path(), &server.database(), "sleep", 64_000, 16, 8)),
        &mut || rate(8_000, ours::shared(scratch().path(), &server.database(), "sleep", 8_000, 16, 1)),
    ]);
    bench.print(&Line {
        what: "units that sleep 10 ms, 16 workers a manager, eight managers",
        ours: per_second(eight),
        beside: format!("one manager: {}", per_second(one)),
        ratio: eight / one,
        goal: 7.5,
    });
}

/// With a transaction that somebody forgot beside without.
pub fn held(bench: &Bench, server: &Server) {
    if !bench.wants("no-op units beside a forgotten transaction") {
        return;
    }
    let free = |url: &str| ours::shared(scratch().path(), url, "nothing", UNITS, 2, 4);
    let [held, free] = in_turns([
        &mut || {
            let url = server.database();
            rate(UNITS, bare::with_held_horizon(&url, || free(&url)))
        },
        &mut || rate(UNITS, free(&server.database())),
    ]);
    bench.print(&Line {
        what: "no-op units beside a forgotten transaction, four managers",
        ours: per_second(held),
        beside: format!("without it: {}", per_second(free)),
        ratio: held / free,
        goal: 0.5,
    });
}

/// Insertion of a million lines beside COPY.
pub fn insert(bench: &Bench, server: &Server) {
    const LINES: u32 = 1_000_000;
    if !bench.wants("a million units inserted") {
        return;
    }
    let dir = scratch();
    let lines = numbers(dir.path(), LINES);
    let create = ["create", "-q", "--lines", lines.to_str().expect("a temporary path is UTF-8"), "--", "true", "{}"];
    let [ours, beside] =
        in_turns([&mut || rate(LINES, ours::verb(dir.path(), &server.database(), &create).0), &mut || {
            rate(LINES, bare::insert(&server.database(), LINES.into()))
        }]);
    bench.print(&Line {
        what: "a million units inserted from `--lines`",
        ours: per_second(ours),
        beside: format!("COPY, 10,000 a transaction: {}", per_second(beside)),
        ratio: ours / beside,
        goal: 0.5,
    });
}

/// Commands beside the same on a file.
pub fn commands(bench: &Bench, server: &Server) {
    const COMMANDS: u32 = 4_000;
    if !bench.wants("`true` as a unit") {
        return;
    }
    let dir = scratch();
    let range = format!("1-{COMMANDS}");
    let run = ["run", "-q", "-j", "2", "--range", &range, "--", "true"];
    let [ours, beside] =
        in_turns([&mut || rate(COMMANDS, ours::verb(dir.path(), &server.database(), &run).0), &mut || {
            let dir = scratch();
            let file = dir.path().join("jobs.db");
            rate(COMMANDS, ours::verb(dir.path(), file.to_str().expect("a temporary path is UTF-8"), &run).0)
        }]);
    bench.print(&Line {
        what: "`true` as a unit, `-j 2`",
        ours: per_second(ours),
        beside: format!("the same in a file: {}", per_second(beside)),
        ratio: ours / beside,
        goal: 0.9,
    });
}

/// The status of a large job of many hosts.
pub fn status(bench: &Bench, server: &Server) {
    const RUNS: usize = 5;
    if !bench.wants("status of a million units") {
        return;
    }
    let (dir, url) = (scratch(), server.database());
    let (_, job) = ours::create(&url, "nothing", 1_000_000, 8);
    bare::add_managers(&url, job.0, 100);
    let took =
        (0..RUNS).map(|_| seconds(ours::verb(dir.path(), &url, &["status", &job.to_string()]).0) * 1e3).collect();
    let took = super::measure::median(took);
    bench.print_bound("`status` of a million units and 100 managers, whole process", took, "ms", 15.0);
}

/// What managers ask of the server when they have little to do.
pub fn idle(bench: &Bench, server: &Server) {
    const WATCHED: Duration = Duration::from_secs(20);
    if !bench.wants("transactions of a manager that waits") {
        return;
    }
    for (what, hold, bound) in [
        ("transactions of a manager whose units have not begun", true, 0.2),
        ("transactions of a manager whose units run", false, 1.2),
    ] {
        let (dir, url) = (scratch(), server.database());
        let later = ["submit", "-q", "--not-before", "2099-01-01", "--", "sleep", "60"];
        let now = ["submit", "-q", "--", "sleep", "60"];
        let job = ours::verb(dir.path(), &url, if hold { &later } else { &now }).1;
        std::thread::sleep(Duration::from_secs(5));
        let before = bare::transactions(&url);
        std::thread::sleep(WATCHED);
        // Two of them are the looks of this program.
        let per_second = (bare::transactions(&url) - before - 2) as f64 / seconds(WATCHED);
        ours::verb(dir.path(), &url, &["cancel", "-q", job.trim()]);
        bench.print_bound(what, per_second, "/s", bound);
    }
}
