//! What each thing that a job may ask for costs its units, beside the same job without it.

use std::path::Path;

use crate::measure::{Bench, Line, in_turns, per_second, rate, scratch};
use crate::ours;

const UNITS: u32 = 6_000;
const GROUPS: u32 = 100;
/// Prints the item, which is JSON.
const PRINT: [&str; 2] = ["/bin/echo", "{}"];
const SCHEMA: &str =
    r#"{"type": "object", "required": ["usd", "group"], "properties": {"usd": {"type": "number", "maximum": 1}}}"#;

/// Units that print JSON, with one option more.
pub fn results(bench: &Bench) {
    if !bench.wants("features") {
        return;
    }
    let source = scratch();
    let items = items(source.path());
    let schema = source.path().join("schema.json");
    std::fs::write(&schema, SCHEMA).expect("the directory can be written");
    let schema = schema.to_str().expect("a temporary path is UTF-8");
    let with = |options: &[&str]| {
        let place = scratch();
        let options: Vec<&str> = [&["--result", "json"], options].concat();
        rate(UNITS, ours::run_with(place.path(), &items, &options, &PRINT))
    };
    let [without, meter, budget, schema, flag, group, check] = in_turns([
        &mut || with(&[]),
        &mut || with(&["--meter", "usd=.usd"]),
        &mut || with(&["--meter", "usd=.usd", "--budget", "usd=1000000"]),
        &mut || with(&["--schema", schema]),
        &mut || with(&["--flag-if", ".usd > 5"]),
        &mut || with(&["--group", "{group}", "--per-group", "2"]),
        &mut || with(&["--check", "true"]),
    ]);
    let beside = format!("without it: {}", per_second(without));
    price(bench, "units that print JSON, `--meter`", meter, without, &beside, 0.9);
    price(bench, "the same with a budget", budget, without, &beside, 0.9);
    price(bench, "`--schema`", schema, without, &beside, 0.9);
    price(bench, "`--flag-if`", flag, without, &beside, 0.9);
    price(bench, "`--group` with 100 groups, two workers", group, without, &beside, 0.9);
    price(bench, "`--check true`, which is a shell more for each unit", check, without, &beside, 0.3);
}

/// Units that make a path, in place and by way of `{out}`.
pub fn paths(bench: &Bench) {
    if !bench.wants("features") {
        return;
    }
    let source = scratch();
    let items = items(source.path());
    let make = |target: &str| {
        let place = scratch();
        std::fs::create_dir(place.path().join("made")).expect("the directory can be written");
        rate(
            UNITS,
            ours::run_with(place.path(), &items, &["--creates", "made/{n}"], &["/bin/cp", "/etc/hostname", target]),
        )
    };
    let [whole, in_place] = in_turns([&mut || make("{out}"), &mut || make("made/{n}")]);
    price(
        bench,
        "units that make a file by `{out}`",
        whole,
        in_place,
        &format!("in place: {}", per_second(in_place)),
        0.5,
    );
}

/// Prints a row, and what each unit pays.
fn price(bench: &Bench, what: &str, ours: f64, other: f64, beside: &str, goal: f64) {
    let paid = (1e6 / ours - 1e6 / other).max(0.0);
    let ours_shown = format!("{}, {paid:.0} µs a unit", per_second(ours));
    bench.print(&Line { what, ours: ours_shown, beside: beside.to_owned(), ratio: ours / other, goal });
}

/// Writes a file of JSON items.
fn items(dir: &Path) -> std::path::PathBuf {
    let path = dir.join("items");
    let text: String =
        (0..UNITS).map(|n| format!("{{\"n\":{n},\"usd\":0.01,\"group\":\"g{}\"}}\n", n % GROUPS)).collect();
    std::fs::write(&path, text).expect("the directory can be written");
    path
}
