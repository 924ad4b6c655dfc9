//! Whether projections hold: jobs whose truth is known, at fixed seeds.

use super::*;
use crate::model::Sample;

const UNITS: u64 = 2000;
const SIZE: usize = 50;

/// What a unit costs or takes, by a number between 0 and 1.
type Law = fn(f64) -> f64;

/// Laws of what users run: even, exponential, and a few units of which each takes as long as ten others.
const LAWS: [(&str, Law); 3] = [
    ("even", |at| 5.0 + 10.0 * at),
    ("exponential", |at| -(1.0 - at).ln()),
    ("one in ten", |at| if at < 0.1 { 10.0 } else { 1.0 + at }),
];

/// Returns the values of a job's units; the draw of a sample has numbers enough for that.
fn job(law: Law, seed: u64) -> Vec<f64> {
    let numbers = |unit: u64| Sample::new(seed * 1_000_003 + unit).draw(1, 1 << 40)[0] as f64 / (1u64 << 40) as f64;
    (0..UNITS).map(|unit| law(numbers(unit).min(0.999_999))).collect()
}

fn parted(values: &[f64], seed: u64) -> (Vec<f64>, Vec<f64>) {
    let drawn = Sample::new(seed).draw(SIZE, UNITS);
    let (mut sample, mut rest) = (Vec::new(), Vec::new());
    for (place, value) in values.iter().enumerate() {
        let part = if drawn.binary_search(&(place as u64 + 1)).is_ok() { &mut sample } else { &mut rest };
        part.push(*value);
    }
    (sample, rest)
}

/// Returns the time that units take in their order on so many workers.
fn makespan(values: &[f64], workers: usize) -> f64 {
    let mut free = vec![0.0f64; workers];
    for value in values {
        let next = free.iter().copied().enumerate().min_by(|one, other| one.1.total_cmp(&other.1)).unwrap().0;
        free[next] += value;
    }
    free.into_iter().fold(0.0, f64::max)
}

/// Returns how wide the interval is that knows how far the values of the job vary.
fn exact_width(values: &[f64], left: f64) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    2.0 * 1.645 * deviation * left * (1.0 / SIZE as f64 + 1.0 / left).sqrt()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn the_projection_of_a_sampled_canary_covers_the_truth_in_85_of_100_jobs_and_is_not_much_wider_than_it_has_to_be() {
    for (name, law) in LAWS {
        for workers in [0, 8] {
            let (mut covered, mut widths) = (0, Vec::new());
            for seed in 0..100 {
                let values = job(law, seed);
                let (sample, rest) = parted(&values, seed);
                let left = rest.len() as u64;
                let (projected, truth) = match workers {
                    0 => (sum_of_rest(&sample, left).unwrap(), rest.iter().sum()),
                    workers => (time_of_rest(&sample, left, workers).unwrap(), makespan(&rest, workers)),
                };
                covered += u32::from(projected.low <= truth && truth <= projected.high);
                let exact = exact_width(&values, left as f64) / (workers.max(1) as f64);
                widths.push((projected.high - projected.low) / exact);
            }

            let width = median(widths);
            println!("{name}, {workers} workers: {covered} of 100, {width:.2} times as wide");
            assert!(covered >= 85, "{name}, {workers} workers: {covered} of 100 covered");
            assert!(width <= 1.5, "{name}, {workers} workers: {width}");
        }
    }
}

#[test]
fn the_share_of_units_that_end_well_is_between_the_bounds_of_wilson() {
    let (low, high) = share(48, 50).unwrap();
    assert!((low - 0.8654).abs() < 1e-3 && (high - 0.9890).abs() < 1e-3, "{low} {high}");
    assert_eq!(share(0, 0), None);
    assert!(share(10, 10).unwrap().1 > 0.999_999);
    assert_eq!(share(0, 10).unwrap().0, 0.0);
}

#[test]
fn units_that_are_all_alike_leave_no_doubt_and_one_unit_says_nothing() {
    assert_eq!(sum_of_rest(&[2.0; 5], 10), Some(Expected { low: 20.0, expected: 20.0, high: 20.0 }));
    assert_eq!(sum_of_rest(&[2.0], 10), None);
    assert_eq!(sum_of_rest(&[2.0; 5], 0), None);
    let alone = time_of_rest(&[1.0, 2.0], 1, 8).unwrap();
    assert!(alone.expected < 2.0, "{alone:?}");
}
