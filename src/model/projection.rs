//! What the first units of a job say about the rest: pure statistics, without times or rows.
//!
//! Costs and times of units are seldom even: a few take far longer than most. An interval that takes them for even ends too low, so
//! that this one follows their skewness (Hall's transformation). Known weakness: what the sample has nothing of, such as one unit in
//! ten thousand that takes a day, no interval can hold.

use serde::Serialize;

/// Standard deviations on each side; a little more than the 1.645 of 90 of 100 cases, because the deviation is estimated too.
const SPREAD: f64 = 1.75;

/// What is expected, between bounds that hold in 90 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Expected {
    /// Seldom less.
    pub low: f64,
    /// The most likely.
    pub expected: f64,
    /// Seldom more.
    pub high: f64,
}

impl Expected {
    /// Applies a change to the bounds and what is between them.
    pub(crate) fn map(self, change: impl Fn(f64) -> f64) -> Expected {
        Expected { low: change(self.low), expected: change(self.expected), high: change(self.high) }
    }
}

/// Returns between which bounds the share of `well` of `all` lies in 95 of 100 cases (Wilson).
pub(crate) fn share(well: u64, all: u64) -> Option<(f64, f64)> {
    const Z: f64 = 1.959_964;
    if all == 0 {
        return None;
    }
    let (count, part) = (all as f64, well as f64 / all as f64);
    let middle = part + Z * Z / (2.0 * count);
    let half = Z * (part * (1.0 - part) / count + Z * Z / (4.0 * count * count)).sqrt();
    let whole = 1.0 + Z * Z / count;
    Some((((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0)))
}

/// Returns the sum that is expected of `left` more units like those of a sample drawn at random; none of fewer than two.
pub(crate) fn sum_of_rest(sample: &[f64], left: u64) -> Option<Expected> {
    let (count, left) = (sample.len() as f64, left as f64);
    if sample.len() < 2 || left < 1.0 {
        return None;
    }
    let mean = sample.iter().sum::<f64>() / count;
    let moment = |power: i32| sample.iter().map(|value| (value - mean).powi(power)).sum::<f64>();
    let deviation = (moment(2) / (count - 1.0)).sqrt();
    if deviation == 0.0 {
        let sum = mean * left;
        return Some(Expected { low: sum, expected: sum, high: sum });
    }
    let skewness = moment(3) / count / deviation.powi(3);
    // Student's distribution, as far as it is wider than the normal one.
    let spread = SPREAD + (SPREAD.powi(3) + SPREAD) / (4.0 * (count - 1.0));
    let root = count.sqrt();
    let bound = |of: f64| {
        if skewness.abs() < 1e-9 {
            return of;
        }
        3.0 * root / skewness * ((1.0 + skewness * (of / root - skewness / (6.0 * count))).cbrt() - 1.0)
    };
    let error = deviation * (1.0 / count + 1.0 / left).sqrt();
    let sum = |of: f64| (mean - error * bound(of)).max(0.0) * left;
    Some(Expected { low: sum(spread), expected: mean * left, high: sum(-spread) })
}

/// Returns the time that is expected of `left` more units when so many of them run at a time, by the times of a sample.
pub(crate) fn time_of_rest(sample: &[f64], left: u64, workers: usize) -> Option<Expected> {
    let at_a_time = (workers.max(1) as f64).min(left as f64);
    let longest = sample.iter().copied().fold(0.0, f64::max);
    // At the end some workers have nothing to do any more while the last units run.
    let last = longest * (1.0 - 1.0 / at_a_time);
    let all = sum_of_rest(sample, left)?.map(|sum| sum / at_a_time);
    Some(Expected { low: all.low, expected: all.expected + last / 2.0, high: all.high + last })
}

#[cfg(test)]
mod tests;
