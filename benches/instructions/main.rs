//! Instructions that single operations take: a bound that does not depend on the speed or the mood of the machine.
//!
//! The program runs itself under valgrind's callgrind, each operation at two sizes; the difference is what further
//! units cost. It fails when an operation takes more than its bound.

#[path = "../micro/operations.rs"]
mod operations;

use std::path::Path;
use std::process::{Command, ExitCode};

/// First argument of the program inside callgrind.
const INSIDE: &str = "--inside";
/// Sizes whose difference is measured: what is done once for both cancels out.
const SIZES: [u32; 2] = [2_000, 6_000];

/// An operation and the most instructions that one more unit or call may take: the figure measured when it was last
/// looked at, and a tenth.
struct Operation {
    name: &'static str,
    perform: fn(&Path, u32),
    most: u64,
}

/// Runs of each, of which the least counts: how ends of units fall into commits is another matter each time, and more so on a busy machine.
const RUNS: usize = 3;

const OPERATIONS: [Operation; 3] = [
    // A column for the group of a unit, and an index of those that have one, are looked at for those that have none too.
    Operation { name: "insert", perform: |dir, size| drop(operations::insert(dir, size)), most: 14_200 },
    Operation { name: "insert-and-run", perform: insert_and_run, most: 49_500 },
    // Two rows of metadata more for each job, what it was created with and what its units inherit, are read with it; and it says what
    // meters have counted, how many units run at a time and why the first one waits.
    Operation { name: "status", perform: status, most: 96_500 },
];

fn insert_and_run(dir: &Path, size: u32) {
    let (client, job) = operations::insert(dir, size);
    operations::run(&client, job);
}

/// Reads the status of a job as often as it has units: were it not the same for every size, this would show it.
fn status(dir: &Path, size: u32) {
    let (client, job) = operations::insert(dir, size);
    for _ in 0..size {
        operations::status(&client, job);
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if let [_, inside, name, size, dir] = args.as_slice()
        && inside == INSIDE
    {
        let operation = OPERATIONS.iter().find(|operation| operation.name == name).expect("a known operation");
        (operation.perform)(Path::new(dir), size.parse().expect("a size"));
        return ExitCode::SUCCESS;
    }
    println!("| operation | instructions for each further unit | most |\n| --- | --- | --- |");
    let mut is_kept = true;
    for Operation { name, most, .. } in OPERATIONS {
        let least = |size| (0..RUNS).map(|_| instructions(name, size)).min().expect("there is a run");
        let [small, large] = SIZES.map(least);
        let each = large.saturating_sub(small) / u64::from(SIZES[1] - SIZES[0]);
        let mark = if each <= most { "" } else { " (exceeded)" };
        is_kept &= each <= most;
        println!("| {name} | {each} | {most}{mark} |");
    }
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the instructions of one run of an operation in a process of its own.
fn instructions(name: &str, size: u32) -> u64 {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build can be written");
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([INSIDE, name, &size.to_string()])
        .arg(dir.path())
        .output()
        .expect("valgrind is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")).expect("callgrind says a number").1;
    collected.trim().parse().expect("a number")
}
