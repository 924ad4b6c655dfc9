//! Our speed beside the limits of this machine, measured in turns in one run: `make bench`.
//!
//! `ratios [ROW…]` measures the rows whose names contain one of the words; all of them without words.

mod bare;
mod features;
mod large;
mod measure;
mod ours;
mod rows;

fn main() {
    job_manager::run_if_manager(ours::register);
    // `cargo bench` adds a flag of its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let bench = measure::Bench::new(wanted);
    println!("| what | ours | beside it | ratio | goal |\n| --- | --- | --- | --- | --- |");
    let rows = [rows::record, rows::insert, rows::spawn, rows::sleep];
    let features = [features::results, features::paths];
    let large = [large::flat, large::resume, large::busy];
    for row in rows.into_iter().chain(features).chain(large) {
        row(&bench);
    }
}
