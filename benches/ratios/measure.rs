//! Measuring in turns, and writing a table of what came of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Repetitions of every measurement; the median is shown.
const TURNS: usize = 3;

/// One run of the benchmark.
pub struct Bench {
    wanted: Vec<String>,
}

/// One line of the table.
pub struct Line<'a> {
    pub what: &'a str,
    pub ours: String,
    pub beside: String,
    pub ratio: f64,
    /// Smallest ratio that is good.
    pub goal: f64,
}

impl Bench {
    pub fn new(wanted: Vec<String>) -> Bench {
        Bench { wanted }
    }

    /// Says whether a row was asked for.
    pub fn wants(&self, row: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|word| row.contains(word.as_str()))
    }

    /// Prints a line, with a mark where its goal is not reached.
    pub fn print(&self, line: &Line<'_>) {
        let Line { what, ours, beside, ratio, goal } = line;
        let mark = if ratio >= goal { "" } else { " (missed)" };
        println!("| {what} | {ours} | {beside} | {ratio:.2} | ≥ {goal}{mark} |");
    }

    /// Prints a line about an upper bound, with a mark where it is not kept.
    pub fn print_bound(&self, what: &str, value: f64, unit: &str, bound: f64) {
        let mark = if value <= bound { "" } else { " (missed)" };
        println!("| {what} | {value:.1} {unit} | | | ≤ {bound} {unit}{mark} |");
    }
}

/// A directory on the disk that the build uses, deleted in the end.
pub fn scratch() -> tempfile::TempDir {
    // Not the system's directory for temporary files: that is often in memory, and a sync there costs nothing.
    tempfile::Builder::new().prefix("bench-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build can be written")
}

/// Writes a file with the numbers 1 to `count`, one in each line.
pub fn numbers(dir: &Path, count: u32) -> PathBuf {
    let path = dir.join("numbers");
    let text: String = (1..=count).map(|number| format!("{number}\n")).collect();
    std::fs::write(&path, text).expect("the directory can be written");
    path
}

/// Measures several things in turns and returns the median of each.
pub fn in_turns<const N: usize>(mut measure: [&mut dyn FnMut() -> f64; N]) -> [f64; N] {
    let mut seen = [const { Vec::new() }; N];
    for _ in 0..TURNS {
        for (one, seen) in measure.iter_mut().zip(&mut seen) {
            seen.push(one());
        }
    }
    seen.map(median)
}

/// Returns the middle of some values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns units per second.
pub fn rate(units: u32, time: Duration) -> f64 {
    f64::from(units) / time.as_secs_f64()
}

/// Writes a rate for people.
pub fn per_second(rate: f64) -> String {
    format!("{rate:.0}/s")
}
