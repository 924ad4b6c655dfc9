//! Our speed beside the limits of this machine, measured in turns in one run: `make bench`.
//!
//! `ratios [ROW…]` measures the rows whose names contain one of the words; all of them without words.

mod bare;
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
    for row in [rows::record, rows::insert, rows::spawn, rows::sleep, large::flat, large::resume, large::busy] {
        row(&bench);
    }
}
