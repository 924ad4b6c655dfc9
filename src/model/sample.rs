//! Units that run before all others, drawn at random over all that a job was created with.
//!
//! The same seed draws the same numbers of the same count of units, in whatever version: for whoever compares two ways of running
//! them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Seq;

/// The units of a canary that are drawn at random.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// What the draw follows from.
    pub seed: u64,
    /// The numbers that were drawn, in their order; none before all units of the job are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) chosen: Vec<Seq>,
}

impl Sample {
    /// Most units that may be drawn for one job: their numbers stand in its row.
    pub const MOST: u32 = 10_000;

    /// Draws as that seed says, once all units are known.
    pub fn new(seed: u64) -> Sample {
        Sample { seed, chosen: Vec::new() }
    }

    /// Returns the numbers of the units that were drawn.
    pub fn chosen(&self) -> &[Seq] {
        &self.chosen
    }

    /// Draws `size` numbers from 1 to `total`, each set of them as likely as any other; all when there are no more. What was
    /// drawn before makes another draw.
    pub(crate) fn draw(&self, size: usize, total: u64) -> Vec<u64> {
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        if size >= total {
            return (1..=total).collect();
        }
        let mut random = Random(self.seed ^ (self.chosen.len() as u64).rotate_left(32));
        // Floyd's algorithm: as much memory as is drawn, whatever the total.
        let mut drawn = BTreeSet::new();
        for last in total - size + 1..=total {
            let number = random.below(last) + 1;
            if !drawn.insert(number) {
                drawn.insert(last);
            }
        }
        drawn.into_iter().collect()
    }
}

/// Numbers that follow from a seed (SplitMix64), because the samples of other generators change with their versions.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns one of the numbers below `bound`, which is not 0, none more likely than another.
    fn below(&mut self, bound: u64) -> u64 {
        let unfair = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next()) * u128::from(bound);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_units_and_another_one_others() {
        assert_eq!(Sample::new(7).draw(5, 1_000_000), Sample::new(7).draw(5, 1_000_000));
        assert_ne!(Sample::new(7).draw(5, 1_000_000), Sample::new(8).draw(5, 1_000_000));
        // Whoever changes these changes the samples of jobs that are to be compared with earlier ones.
        assert_eq!(Sample::new(0).draw(4, 100), [3, 43, 86, 98]);
        assert_eq!(Sample::new(1).draw(9, 3), [1, 2, 3]);
        let again = Sample { seed: 7, chosen: vec![Seq(1)] };
        assert_ne!(again.draw(5, 1_000_000), Sample::new(7).draw(5, 1_000_000));
    }

    #[test]
    fn every_unit_is_as_likely_as_any_other_and_so_is_every_pair() {
        const UNITS: u64 = 20;
        const SIZE: usize = 5;
        const DRAWS: u64 = 20_000;
        let (mut single, mut pairs) = (vec![0f64; 21], vec![vec![0f64; 21]; 21]);
        for seed in 0..DRAWS {
            let drawn = Sample::new(seed).draw(SIZE, UNITS);
            assert_eq!(drawn.len(), SIZE);
            for (place, &one) in drawn.iter().enumerate() {
                single[one as usize] += 1.0;
                drawn[place + 1..].iter().for_each(|&other| pairs[one as usize][other as usize] += 1.0);
            }
        }
        let chi = |seen: &mut dyn Iterator<Item = f64>, expected: f64| -> f64 {
            seen.map(|count| (count - expected).powi(2) / expected).sum()
        };

        // 19 degrees of freedom, less than 15 where the draws are without replacement; 189 for the pairs. 99.9 % lie below.
        let of_units = chi(&mut single.iter().skip(1).copied(), 20_000.0 * 5.0 / 20.0);
        let all_pairs = (1..=20).flat_map(|one| pairs[one][one + 1..].to_vec());
        let of_pairs = chi(&mut all_pairs.into_iter(), 20_000.0 * 10.0 / 190.0);
        assert!(of_units < 43.8, "{of_units}");
        assert!(of_pairs < 254.0, "{of_pairs}");
    }

    #[test]
    fn a_sample_of_a_stream_of_any_length_takes_the_memory_of_the_sample() {
        let drawn = Sample::new(3).draw(50, u64::from(u32::MAX));

        assert_eq!(drawn.len(), 50);
        assert!(drawn.iter().any(|seq| *seq > 1 << 31) && drawn.iter().any(|seq| *seq < 1 << 31));
    }
}
