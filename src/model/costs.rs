//! What the attempts of a job have cost so far, as far as it takes to say what most of them will cost.
//!
//! Costs are counted by size, in classes of which each is a twelfth wider than the one before: what is said of them is true to a
//! tenth, in memory that does not grow with the job.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Amount;

/// Classes between a cost and twice that cost.
const CLASSES: f64 = 8.0;
/// Costs of which the greater part is known to be typical.
const ENOUGH: u64 = 5;

/// The costs of attempts, by size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Costs {
    /// How many are known.
    pub known: u64,
    /// The largest of them, in millionths.
    pub largest: i64,
    /// How many are in each class; of the first are those without any cost.
    classes: BTreeMap<u16, u64>,
}

impl Costs {
    /// Counts the cost of an attempt.
    pub fn add(&mut self, cost: Amount) {
        self.known += 1;
        self.largest = self.largest.max(cost.millionths());
        *self.classes.entry(class(cost.millionths())).or_default() += 1;
    }

    /// Adds what others have counted.
    pub fn extend(&mut self, other: &Costs) {
        self.known += other.known;
        self.largest = self.largest.max(other.largest);
        for (class, count) in &other.classes {
            *self.classes.entry(*class).or_default() += count;
        }
    }

    /// Returns what an attempt costs at most in 95 of 100 cases; the largest cost while few are known, and none while none is.
    pub fn usual(&self) -> Option<Amount> {
        let largest = Amount::from_millionths(self.largest)?;
        match self.known {
            0 => None,
            known if known < ENOUGH => Some(largest),
            known => {
                let wanted = (known * 95).div_ceil(100);
                let mut seen = 0;
                let found = self.classes.iter().find(|(_, count)| {
                    seen += **count;
                    seen >= wanted
                });
                let most = found.map_or(self.largest, |(class, _)| upper(*class).min(self.largest));
                Amount::from_millionths(most)
            }
        }
    }

    /// Returns `true` if enough are known to say what is usual.
    pub fn are_enough(&self) -> bool {
        self.known >= ENOUGH
    }

    /// Returns about what an attempt costs on average, and how far that varies, in millionths.
    pub fn mean_and_deviation(&self) -> Option<(f64, f64)> {
        if self.known == 0 {
            return None;
        }
        let known = self.known as f64;
        let middle = |class: u16| if class == 0 { 0.0 } else { (upper(class - 1) as f64 + upper(class) as f64) / 2.0 };
        let mean = self.classes.iter().map(|(class, count)| middle(*class) * *count as f64).sum::<f64>() / known;
        let squares = |(class, count): (&u16, &u64)| (middle(*class) - mean).powi(2) * *count as f64;
        Some((mean, (self.classes.iter().map(squares).sum::<f64>() / known).sqrt()))
    }
}

/// Returns in which class a cost is.
fn class(millionths: i64) -> u16 {
    if millionths <= 0 { 0 } else { 1 + ((millionths as f64).log2() * CLASSES).ceil() as u16 }
}

/// Returns the largest cost of a class.
fn upper(class: u16) -> i64 {
    if class == 0 { 0 } else { (f64::from(class - 1) / CLASSES).exp2().ceil() as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(millionths: impl IntoIterator<Item = i64>) -> Costs {
        let mut costs = Costs::default();
        millionths.into_iter().for_each(|cost| costs.add(Amount::from_millionths(cost).unwrap()));
        costs
    }

    #[test]
    fn what_is_usual_is_what_95_of_100_attempts_cost_at_most() {
        let usual = |costs: Costs| costs.usual().map(Amount::millionths);
        assert_eq!(usual(costs([])), None);
        assert_eq!(usual(costs([7, 3])), Some(7));
        assert_eq!(usual(costs([0; 9])), Some(0));
        assert_eq!(usual(costs([420_000; 5])), Some(420_000));

        let found = usual(costs(1..=1000)).unwrap();
        assert!((950..=1000).contains(&found), "{found}");
        let found = usual(costs((0..99).map(|_| 1_000).chain([1_000_000]))).unwrap();
        assert!((1_000..1_100).contains(&found), "{found}");
    }

    #[test]
    fn every_cost_is_in_the_class_that_ends_at_it_or_above() {
        for cost in [1, 2, 3, 7, 8, 9, 1_000, 420_000, 999_999_999, Amount::MAX.millionths()] {
            let at = class(cost);
            assert!(upper(at) >= cost && upper(at - 1) <= cost, "{cost}: {} {}", upper(at - 1), upper(at));
        }
    }

    #[test]
    fn the_mean_of_costs_is_known_to_a_tenth() {
        let (mean, deviation) = costs(1..=1000).mean_and_deviation().unwrap();
        assert!((mean - 500.0).abs() < 50.0 && (deviation - 289.0).abs() < 40.0, "{mean} {deviation}");
    }

    #[test]
    fn costs_survive_the_way_through_json() {
        let costs = costs([0, 1, 5, 1_000]);
        let json = serde_json::to_string(&costs).unwrap();
        assert_eq!(serde_json::from_str::<Costs>(&json).unwrap(), costs);
    }
}
